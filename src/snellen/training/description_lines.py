"""On which lines of a description its keys and list elements are, so that messages can name them.

The readers of TOML and JSON give values without places. This looks only for places, leaves it to
the readers to refuse what is malformed, and never raises.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["lines_of"]

_STRING = r"""\"{3}(?:\\.|[^\\])*?\"{3}|'{3}.*?'{3}|"(?:\\.|[^"\\\n])*"|'[^'\n]*'"""
_TOKEN = re.compile(rf"(?P<string>{_STRING})|#[^\n]*|[^\S\n]+|[^\s\[\]{{}},=:#\"']+|.", re.DOTALL)
_KEY = rf"(?:{_STRING}|[A-Za-z0-9_-]+)"
_DOTTED = rf"(?P<first>{_KEY})(?P<rest>(?:[ \t]*\.[ \t]*{_KEY})*)"
_BLANK = re.compile(r"(?:\s+|#[^\n]*)*")
_HEADER = re.compile(rf"(?P<open>\[\[?)[ \t]*{_DOTTED}[ \t]*\]\]?", re.DOTALL)
_ASSIGNMENT = re.compile(rf"{_DOTTED}[ \t]*=[ \t]*", re.DOTALL)
_LINE_END = re.compile(r"[^\n]*\n?")


def lines_of(text: str) -> dict[tuple[str | int, ...], int]:
    r"""Return the lines, from 1, of the top-level keys and of the elements of top-level lists.

    Parameters
    ----------
    text : str
        A description in TOML, YAML or JSON; which of them, its first character that is no comment
        and its first line tell.

    Returns
    -------
    dict of tuple to int
        The line of ``("optimizer",)``, of ``("network", 3)``. Empty where nothing is found; of YAML
        also where its reader is not installed.

    Examples
    --------
    >>> lines_of('data = "digits"\nnetwork = [\n  "flatten",\n  "relu",\n]')
    {('data',): 1, ('network',): 2, ('network', 0): 3, ('network', 1): 4}
    """
    starts = [0, *(match.end() for match in re.finditer("\n", text))]

    def line(position: int) -> int:
        return bisect_right(starts, position)

    begin = _end(_BLANK, text, 0)
    if text.startswith(("{", "\ufeff{"), begin):
        return _json(text, begin, line) or _yaml(text)
    if _HEADER.match(text, begin) or _ASSIGNMENT.match(text, begin):
        return _toml(text, begin, line)
    return _yaml(text)


def _toml(text: str, at: int, line: Callable[[int], int]) -> dict[tuple[str | int, ...], int]:
    found: dict[tuple[str | int, ...], int] = {}
    counts: dict[str, int] = {}
    top = True
    while at < len(text):
        header, assignment = _HEADER.match(text, at), _ASSIGNMENT.match(text, at)
        if header:
            top = False
            name = _bare(header["first"])
            found.setdefault((name,), line(at))
            if header["open"] == "[[" and not header["rest"]:
                counts[name] = counts.get(name, -1) + 1
                found[name, counts[name]] = line(at)
            at = _end(_LINE_END, text, header.end())
        elif assignment:
            if top:
                name = _bare(assignment["first"])
                found.setdefault((name,), line(at))
                if not assignment["rest"]:
                    for k, place in enumerate(_elements(text, assignment.end())):
                        found[name, k] = line(place)
            at = _value_end(text, assignment.end())
        else:
            at = _end(_LINE_END, text, at)
        at = _end(_BLANK, text, at)
    return found


def _json(text: str, at: int, line: Callable[[int], int]) -> dict[tuple[str | int, ...], int]:
    found: dict[tuple[str | int, ...], int] = {}
    depth, key_next = 0, False
    for token in _TOKEN.finditer(text, at):
        word = token[0]
        if depth == 1 and key_next and token["string"]:
            name = _bare(word)
            found.setdefault((name,), line(token.start()))
            value = re.compile(r"\s*:\s*").match(text, token.end())
            for k, place in enumerate(_elements(text, value.end()) if value else ()):
                found[name, k] = line(place)
            key_next = False
        elif word in ("{", "["):
            depth += 1
            key_next = depth == 1
        elif word in ("}", "]"):
            depth -= 1
        elif word == ",":
            key_next = depth == 1
    return found


def _yaml(text: str) -> dict[tuple[str | int, ...], int]:
    try:
        import yaml
    except ImportError:
        return {}
    try:
        top = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError, ValueError):
        return {}
    found: dict[tuple[str | int, ...], int] = {}
    if isinstance(top, yaml.MappingNode):
        for key, value in top.value:
            name = str(key.value)
            found[name,] = key.start_mark.line + 1
            if isinstance(value, yaml.SequenceNode):
                for k, each in enumerate(value.value):
                    found[name, k] = each.start_mark.line + 1
    return found


def _elements(text: str, at: int) -> Iterator[int]:
    """Yield where the elements of the list at a position begin; nothing where there is no list."""
    if not text.startswith("[", at):
        return
    depth, element_next = 0, False
    for token in _TOKEN.finditer(text, at):
        word = token[0]
        if word.isspace() or word.startswith("#"):
            continue
        if element_next and depth == 1 and word not in ("]", ","):
            yield token.start()
            element_next = False
        if word in ("[", "{"):
            depth += 1
            element_next = element_next or depth == 1
        elif word in ("]", "}"):
            depth -= 1
            if depth == 0:
                return
        elif word == "," and depth == 1:
            element_next = True


def _value_end(text: str, at: int) -> int:
    """Return where the line ends on which a TOML value does."""
    depth = 0
    for token in _TOKEN.finditer(text, at):
        word = token[0]
        if word in ("[", "{"):
            depth += 1
        elif word in ("]", "}"):
            depth -= 1
        elif word == "\n" and depth <= 0:
            return token.end()
    return len(text)


def _end(pattern: re.Pattern[str], text: str, at: int) -> int:
    """Return where a pattern that may match nothing ends."""
    match = pattern.match(text, at)
    return match.end() if match else at


def _bare(key: str) -> str:
    """Return a key without its quotes."""
    if key.startswith('"'):
        try:
            return str(json.loads(key))
        except ValueError:
            return key.strip('"')
    return key.strip("'")
