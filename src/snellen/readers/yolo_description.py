"""The ``data.yaml`` of a YOLO data set: class names, and where images lie.

Read are ``names``, ``path``, ``train``, ``val``, ``test``, ``kpt_shape`` and ``task``: as a text, a
list or a mapping, in a line or over several, with or without quotes and comments. All other keys
are skipped.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from snellen.errors import ClassError, SchemaError
from snellen.readers.message_text import printable
from snellen.readers.table import read_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["DESCRIPTIONS", "YoloDescription", "find_description", "read_description"]

DESCRIPTIONS: Final = ("data.yaml", "dataset.yaml", "data.yml", "dataset.yml")
"""What such files are called."""

_KEYS: Final = ("names", "path", "train", "val", "test", "kpt_shape", "task")
_TASKS: Final = ("detect", "segment", "pose", "obb")
_KEY: Final = re.compile(r"""^["']?([A-Za-z_]\w*)["']?[ \t]*:(?:[ \t]+(.*))?$""")
_ITEM: Final = re.compile(
    r"""\s*(?:(?P<key>"(?:\\.|[^"\\])*"|'(?:''|[^'])*'|[^\s,:'"\[\]{}][^,:\[\]{}]*?)\s*:\s+)?"""
    r"""(?P<value>"(?:\\.|[^"\\])*"|'(?:''|[^'])*'|[^,\[\]{}]*?)\s*(?P<end>,|$)"""
)
_LINE_ITEM: Final = re.compile(
    r"""(?:-(?:[ \t]+|$)|(?P<key>"(?:\\.|[^"\\])*"|'(?:''|[^'])*'|[^\s'":#][^'":#]*?)[ \t]*:"""
    r"""(?:[ \t]+|$))(?P<value>.*)$"""
)
_QUOTED: Final = re.compile(r"""("(?:\\.|[^"\\])*"|'(?:''|[^'])*')[ \t]*(?:#.*)?$""")

_Value = str | list[str] | dict[str, str]


class YoloDescription(NamedTuple):
    """What ``data.yaml`` says.

    Attributes
    ----------
    place : str
        The file.
    names : mapping of int to str
        The names of the classes; none where it has none.
    root : str
        The folder that paths are below.
    parts : mapping of str to tuple of str
        The folders or lists of images of ``train``, ``val`` and ``test``.
    keypoints : tuple of int, or None
        Of poses (``kpt_shape``) the number of keypoints, and the numbers of each: 2 or 3.
    task : str or None
        What the set is for, where the key ``task`` says it: ``"detect"``, ``"segment"``,
        ``"pose"`` or ``"obb"``.
    """

    place: str
    names: Mapping[int, str]
    root: str
    parts: Mapping[str, tuple[str, ...]]
    keypoints: tuple[int, int] | None
    task: str | None


def find_description(folder: str) -> str | None:
    """Return the description of a folder, by its name; of several the first."""
    for name in DESCRIPTIONS:
        path = f"{folder.rstrip('/')}/{name}"
        if os.path.isfile(path):  # noqa: PTH113
            return path
    return None


def read_description(path: str | os.PathLike[str]) -> YoloDescription:
    """Read a ``data.yaml``.

    Raises
    ------
    SchemaError, ClassError
        For a value that is written another way, with its line; for class numbers that are none or
        come twice.
    InputError
        Where it cannot be read.
    """
    place = os.fspath(path)
    try:
        text = read_bytes(place).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SchemaError(
            f"expected UTF-8 text, got the byte 0x{error.object[error.start]:02x}", place
        ) from None
    values = _values(text.splitlines(), place)
    here = os.path.dirname(os.path.abspath(place))  # noqa: PTH100, PTH120
    stated = values.get("path", "")
    root = os.path.join(here, stated) if isinstance(stated, str) else here  # noqa: PTH118
    # Ultralytics looks for paths that are not beside the file in a folder of its settings.
    if not os.path.isdir(root):  # noqa: PTH112
        root = here
    parts = {}
    for part in ("train", "val", "test"):
        value = values.get(part)
        if value:
            parts[part] = (value,) if isinstance(value, str) else tuple(value)
    task = values.get("task")
    return YoloDescription(
        place,
        _names(values.get("names", []), place),
        root,
        parts,
        _keypoints(values["kpt_shape"], place) if "kpt_shape" in values else None,
        task if isinstance(task, str) and task in _TASKS else None,
    )


def _keypoints(value: _Value, place: str) -> tuple[int, int]:
    shape = [int(each) for each in value if each.isascii() and each.isdigit()]
    if not isinstance(value, list) or len(value) != 2 or len(shape) != 2 or shape[0] < 1:
        raise SchemaError(
            "expected two whole numbers as kpt_shape, such as [17, 3], got "
            f'"{printable(str(value), 60)}"',
            place,
        )
    if shape[1] not in (2, 3):
        raise SchemaError(
            f"expected 2 or 3 numbers of each keypoint as kpt_shape has it, got {shape[1]}", place
        )
    return shape[0], shape[1]


def _names(value: _Value, place: str) -> dict[int, str]:
    if isinstance(value, str):
        if not value:
            return {}
        raise SchemaError(f'expected a list of names, got "{printable(value, 60)}"', place)
    if isinstance(value, list):
        return dict(enumerate(value))
    names: dict[int, str] = {}
    for key, name in value.items():
        if not re.fullmatch(r"\d{1,9}", key):
            raise ClassError(
                f'expected class numbers from 0 as keys of names, got "{printable(key, 60)}"', place
            )
        if int(key) in names:
            raise ClassError(f"expected each class number once in names, got {key} twice", place)
        names[int(key)] = name
    return names


def _values(lines: list[str], place: str) -> dict[str, _Value]:
    values: dict[str, _Value] = {}
    number = 0
    while number < len(lines):
        match = _KEY.match(lines[number])
        number += 1
        if match is None or match[1] not in _KEYS:
            continue
        first = number
        head = _uncommented(match[2] or "").strip()
        below = []
        while number < len(lines) and _belongs(lines[number], open_value=head):
            below.append(lines[number])
            number += 1
        if match[1] in values:
            raise SchemaError(f'expected the key "{match[1]}" once', f"{place} line {first}")
        values[match[1]] = _value(head, below, f"{place} line {first}")
    return values


def _belongs(line: str, *, open_value: str) -> bool:
    """Return whether a line goes on with the value of the key above."""
    if not line.strip() or line[0] in " \t" or line.lstrip().startswith("#"):
        return True
    return line.startswith("-") or (open_value[:1] in ("[", "{") and line[0] in "]}")


def _value(head: str, below: list[str], place: str) -> _Value:
    rest = [text for line in below if (text := _uncommented(line).strip())]
    if head[:1] in ("[", "{"):
        return _flow(" ".join([head, *rest]), place)
    if head or not rest:
        if rest:
            raise _unknown(rest[0], place)
        return _scalar(head, place)
    items: list[tuple[str | None, str]] = []
    for text in rest:
        match = _LINE_ITEM.match(text)
        if match is None:
            raise _unknown(text, place)
        key = match["key"]
        items.append((None if key is None else _scalar(key, place), _scalar(match["value"], place)))
    return _collected(items, rest[0], place)


def _flow(text: str, place: str) -> _Value:
    """Read ``[a, b]`` or ``{0: a, 1: b}``."""
    if text[-1:] != {"[": "]", "{": "}"}[text[0]]:
        raise _unknown(text, place)
    body = text[1:-1].strip().removesuffix(",")
    items: list[tuple[str | None, str]] = []
    at = 0
    while at < len(body):
        match = _ITEM.match(body, at)
        if match is None or match.end() == at:
            raise _unknown(body[at:], place)
        key = match["key"]
        items.append((None if key is None else _scalar(key, place), _scalar(match["value"], place)))
        at = match.end()
    if not items and text[0] == "{":
        return {}
    return _collected(items, text, place)


def _collected(items: list[tuple[str | None, str]], text: str, place: str) -> _Value:
    keyed = [(key, value) for key, value in items if key is not None]
    if not keyed:
        return [value for _, value in items]
    if len(keyed) != len(items):
        raise _unknown(text, place)
    found: dict[str, str] = {}
    for key, value in keyed:
        if key in found:
            raise ClassError(f'expected each key once, got "{printable(key, 60)}" twice', place)
        found[key] = value
    return found


def _scalar(text: str, place: str) -> str:
    text = text.strip()
    if text[:1] == '"' and text[-1:] == '"' and len(text) > 1:
        try:
            return msgspec.json.decode(text.encode(), type=str)
        except msgspec.DecodeError:
            raise _unknown(text, place) from None
    if text[:1] == "'" and text[-1:] == "'" and len(text) > 1:
        return text[1:-1].replace("''", "'")
    if text[:1] in ("|", ">", "&", "*", "!", '"', "'"):
        raise _unknown(text, place)
    return text


def _uncommented(text: str) -> str:
    """Return a value without a comment behind it: a # in quotes is none."""
    body = text.strip()
    head = re.match(r"(?:-[ \t]+|[^\s'\"#]+[ \t]*:[ \t]+)?", body)
    start = head.end() if head else 0
    quoted = _QUOTED.match(body, start)
    if quoted:
        return body[: quoted.end(1)]
    if body[:1] in ("[", "{"):
        # Of what is in quotes nothing is a comment.
        plain = re.sub(r""""(?:\\.|[^"\\])*"|'(?:''|[^'])*'""", lambda m: "_" * len(m[0]), body)
    else:
        plain = body
    comment = re.search(r"(?:^|\s)#", plain)
    return body[: comment.start()] if comment else body


def _unknown(text: str, place: str) -> SchemaError:
    return SchemaError(
        "expected a text, a list or a mapping as YOLO's data.yaml has them, got "
        f'"{printable(text, 60)}"',
        place,
    )
