"""What a search goes through: ranges and values of a description's keys."""

from __future__ import annotations

import dataclasses
import math
import re
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, get_type_hints

import msgspec

from snellen.errors import InputError, SchemaError, did_you_mean
from snellen.training.description import Description
from snellen.training.settings import setting

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["LogRange", "Range", "Space", "over_of"]

_NUMBER = r"[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_RANGE = re.compile(rf"\s*({_NUMBER})\.\.({_NUMBER})(:log)?\s*")
_OPENING, _CLOSING = "[{(", "]})"
# They say by what trials are compared, or how: another value is another search.
_FIXED = ("monitor", "task", "n_folds", "devices")


@dataclasses.dataclass(frozen=True)
class Range:
    """All numbers from one to another, both included; whole numbers where both are.

    Parameters
    ----------
    low, high : int or float
        The least and the greatest.

    Examples
    --------
    >>> str(Range(32, 128)), Range(32, 128).is_whole, Range(0.0, 1.0).is_whole
    ('32..128', True, False)
    """

    low: float
    high: float
    is_log: ClassVar[bool] = False

    def __post_init__(self) -> None:
        for value in (self.low, self.high):
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise SchemaError(f"expected a range of numbers, got {value!r}")
            if not math.isfinite(value):
                raise InputError(f"expected a range of finite numbers, got {value}")
        if not self.low < self.high:
            raise InputError(
                f"expected a range whose low end is below its high one, got {self.low}..{self.high}"
            )

    def __str__(self) -> str:
        return f"{self.low!r}..{self.high!r}{':log' if self.is_log else ''}"

    @property
    def is_whole(self) -> bool:
        """Whether it holds whole numbers only."""
        return isinstance(self.low, int) and isinstance(self.high, int)

    def of_floats(self) -> Range:
        """Return it with all numbers between its ends."""
        return type(self)(float(self.low), float(self.high))


@dataclasses.dataclass(frozen=True)
class LogRange(Range):
    """A range of which each power of ten is as likely as the next: for learning rates.

    Parameters
    ----------
    low, high : int or float
        The least, above 0, and the greatest.

    Examples
    --------
    >>> str(LogRange(1e-4, 1e-1))
    '0.0001..0.1:log'
    """

    is_log: ClassVar[bool] = True

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low <= 0:
            raise InputError(f"expected a logarithmic range above 0, got {self.low}..{self.high}")


def over_of(text: str) -> tuple[str, Range | list[Any]]:
    """Read what a command line searches over.

    Raises
    ------
    InputError
        Where it is neither a range nor values.

    Examples
    --------
    >>> over_of("learning_rate=1e-4..1e-1:log")
    ('learning_rate', LogRange(low=0.0001, high=0.1))
    >>> over_of("batch_size=64,128"), over_of("network.hidden=[64],[128, 64]")
    (('batch_size', [64, 128]), ('network.hidden', [[64], [128, 64]]))
    """
    name, equals, value = text.partition("=")
    name = name.strip()
    if not equals or not name:
        raise InputError(
            f'expected KEY=LOW..HIGH, KEY=LOW..HIGH:log or KEY=VALUE,VALUE, got "{text}"', "over"
        )
    return name, _written(name, value)


class Parameter(NamedTuple):
    """A key, and what it may be.

    Attributes
    ----------
    name : str
        Such as ``"network.dropout"``.
    range : Range or None
        Its numbers; None where there are values.
    values : tuple
        Its values.
    """

    name: str
    range: Range | None
    values: tuple[Any, ...] = ()

    @classmethod
    def of(cls, name: str, given: Any) -> Parameter:
        """Return the parameter of a range, of values, or of either as a command line writes it.

        Raises
        ------
        InputError
            For fewer than two values, and for a key that is not searched over.
        """
        key, *path = name.split(".")
        _refuse_key(name, key)
        if isinstance(given, str):
            given = _written(name, given)
        if isinstance(given, Range):
            kind = get_type_hints(Description)[key]
            is_float = not path and kind in (float, float | None)
            return cls(name, given.of_floats() if is_float else given)
        if not isinstance(given, (list, tuple)):
            raise SchemaError(f"expected a range or a list of values, got {given!r}", _at(name))
        if len(given) < 2:
            shown = ", ".join(map(repr, given)) or "none"
            raise InputError(f"expected a range or at least two values, got {shown}", _at(name))
        made = cls(name, None, tuple(given))
        for value in given:
            if isinstance(value, float) and not math.isfinite(value):
                raise InputError(f"expected finite numbers, got {value}", _at(name))
            if value is None and path:
                raise InputError("expected values of an option, got None", _at(name))
        try:
            texts = made._texts()
        except TypeError:
            raise SchemaError(f"expected plain values, got {given!r}", _at(name)) from None
        for k, text in enumerate(texts):
            if text in texts[:k]:
                raise InputError(f"expected values that differ, got {text} twice", _at(name))
        return made

    def plain(self) -> str | list[Any]:
        """Return what `of` reads."""
        return list(self.values) if self.range is None else str(self.range)

    def ends(self) -> tuple[Any, ...]:
        """Return what is tried before a search: the ends of a range, or all values."""
        return self.values if self.range is None else (self.range.low, self.range.high)

    def suggested(self, trial: Any) -> Any:
        """Return what Optuna takes for a trial: the same when it is asked again."""
        if self.range is None:
            # Lists and tables cannot be compared by Optuna: it chooses among texts.
            return msgspec.json.decode(trial.suggest_categorical(self.name, self._texts()))
        low, high, is_log = self.range.low, self.range.high, self.range.is_log
        if self.range.is_whole:
            return trial.suggest_int(self.name, low, high, log=is_log)
        return trial.suggest_float(self.name, low, high, log=is_log)

    def read(self, stored: Any) -> Any:
        """Return the value that Optuna's own stands for."""
        return msgspec.json.decode(stored) if self.range is None else stored

    def _texts(self) -> list[str]:
        return [msgspec.json.encode(value).decode() for value in self.values]


class Space:
    """All that a search goes through.

    Parameters
    ----------
    over : mapping of str to Range, sequence, or str
        The keys of a description (``"optimizer.momentum"`` is an option of one,
        ``"network.hidden.0"`` the first number of a list), each with what it may be.

    Raises
    ------
    InputError
        Where there is nothing to search over, a key is not known, a range is empty.
    """

    def __init__(self, over: Mapping[str, Any]) -> None:
        if not over:
            raise InputError("expected what to search over, such as learning_rate=1e-4..1e-1:log")
        self.parameters = tuple(Parameter.of(name, given) for name, given in over.items())

    @property
    def names(self) -> tuple[str, ...]:
        """The keys."""
        return tuple(each.name for each in self.parameters)

    def holds(self, *keys: str) -> bool:
        """Return whether it goes through one of these keys, or an option of one."""
        return any(name.partition(".")[0] in keys for name in self.names)

    def plain(self) -> dict[str, Any]:
        """Return what makes the same space again."""
        return {each.name: each.plain() for each in self.parameters}

    def corners(self) -> list[dict[str, Any]]:
        """Return the first of all, and then each other end or value with the first of the rest."""
        first = {each.name: each.ends()[0] for each in self.parameters}
        return [first] + [
            {**first, each.name: value} for each in self.parameters for value in each.ends()[1:]
        ]

    def placed(self, content: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
        """Return a description's plain values with those of a trial in their places.

        Raises
        ------
        InputError
            Where there is no such place.
        """
        made = dict(content)
        # A choice before its options, or they would be gone with the one before.
        for name in sorted(values, key=lambda name: name.count(".")):
            key, *path = name.split(".")
            made[key] = _within(made.get(key), path, values[name], name, key)
        return {name: value for name, value in made.items() if value is not None}


def _at(name: str) -> str:
    return f"over {name}"


def _refuse_key(name: str, key: str) -> None:
    known = [field.name for field in dataclasses.fields(Description) if field.name != "place"]
    if key not in known:
        hint = did_you_mean(key, known) or f" There are {', '.join(known)}."
        raise SchemaError(f'expected a key of a description, got "{key}".{hint}', _at(name))
    if key in _FIXED:
        raise InputError(
            f"expected a key whose values can be compared with each other, got {key}", _at(name)
        )


def _written(name: str, text: str) -> Range | list[Any]:
    """Read a range, or values with commas between them."""
    try:
        found = _RANGE.fullmatch(text)
        if found is not None:
            low, high = (setting(f"end={end}")[1] for end in found.groups()[:2])
            numbers = [_number(end) for end in (low, high)]
            return (LogRange if found[3] else Range)(*numbers)
    except InputError as error:
        raise error.within(_at(name)) from None
    parts = _parts(text)
    if len(parts) < 2 or "" in parts:
        raise InputError(
            f'expected LOW..HIGH, LOW..HIGH:log or at least two values, got "{text.strip()}"',
            _at(name),
        )
    return [setting(f"value={part}")[1] for part in parts]


def _number(end: Any) -> float:
    """Return a number also where TOML does not write it so: ``.5``, ``01``."""
    return float(end) if isinstance(end, str) else end


def _parts(text: str) -> list[str]:
    """Divide a text at its commas, but not within brackets or quotes."""
    parts, depth, quote = [""], 0, ""
    for c in text:
        if quote:
            quote = "" if c == quote else quote
        elif c in "\"'":
            quote = c
        elif c in _OPENING:
            depth += 1
        elif c in _CLOSING:
            depth -= 1
        if c == "," and not depth and not quote:
            parts.append("")
        else:
            parts[-1] += c
    return [part.strip() for part in parts]


def _within(before: Any, path: Sequence[str], value: Any, name: str, place: str) -> Any:
    """Return a value with another in a place within it; nothing is changed."""
    if not path:
        return value
    step, *rest = path
    if isinstance(before, str):
        before = {"name": before}
    if before is None and step == "0":
        before = []
    if isinstance(before, list) and len(before) == 1 and not step.isdigit():
        return [_within(before[0], path, value, name, place)]  # one schedule is a list, too
    inner = f"{place}.{step}"
    if isinstance(before, dict):
        return {**before, step: _within(before.get(step), rest, value, name, inner)}
    if isinstance(before, list):
        if not step.isdigit() or int(step) > len(before):
            last = len(before)
            raise InputError(
                f'expected a place in {place} from 0 to {last}, got "{step}"', _at(name)
            )
        k = int(step)
        item = before[k] if k < len(before) else None
        return [*before[:k], _within(item, rest, value, name, inner), *before[k + 1 :]]
    raise InputError(
        f"expected {place} to be chosen by name, or a list, before {name} is searched over",
        _at(name),
    )
