"""States merge where their parameters are the same; where not, a message says which differ."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from snellen.errors import MergeError, first_few

__all__ = ["differing", "refuse_other_parameters"]

_MOST: Final = 4
_SHOWN: Final = 3  # values of a list
_LONGEST: Final = 60
_NOTHING: Final = "nothing"


def refuse_other_parameters(
    metric: object, mine: Mapping[str, Any], theirs: Mapping[str, Any]
) -> None:
    """Refuse to merge a metric whose parameters are not the same.

    Parameters
    ----------
    metric : object
        The one that was to absorb the other.
    mine, theirs : mapping of str to plain values
        Its parameters, and those of the other.

    Raises
    ------
    MergeError
        In one line, with both values of what differs.
    """
    apart = differing(mine, theirs)
    if apart:
        raise MergeError(
            f"expected the state of {type(metric).__name__} with the same parameters, got {apart}"
        )


def differing(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> str:
    """Return which values differ, each with theirs and mine, as a line that is not too long.

    A list and a tuple of equal values do not differ: a state has the one for the other.

    Examples
    --------
    >>> differing({"k": 1, "rules": {"iou": 0.5}}, {"k": 1, "rules": {"iou": 0.75}})
    'rules.iou 0.75 instead of 0.5'
    >>> differing({"classes": ["cat", "dog"]}, {"classes": ["cat", "cow"]})
    'classes[1] cow instead of dog'
    """
    apart = _apart("", mine, theirs)
    more = f"; and {len(apart) - _MOST} more" if len(apart) > _MOST else ""
    return "; ".join(apart[:_MOST]) + more


def _apart(name: str, mine: Any, theirs: Any) -> list[str]:
    if mine == theirs:
        return []
    # What a mapping of its own holds is a value, where its keys are not always the same.
    if (
        isinstance(mine, Mapping)
        and isinstance(theirs, Mapping)
        and (not name or mine.keys() == theirs.keys())
    ):
        found = []
        for key in dict.fromkeys([*mine, *theirs]):
            place = f"{name}.{key}" if name else str(key)
            if key in mine and key in theirs:
                found += _apart(place, mine[key], theirs[key])
            else:
                found.append(_said(place, mine.get(key, _NOTHING), theirs.get(key, _NOTHING)))
        return found
    if _is_list(mine) and _is_list(theirs) and len(mine) == len(theirs):
        # The first place that differs says more than two long lists.
        pairs = enumerate(zip(mine, theirs, strict=True))
        places = (_apart(f"{name}[{k}]", one, other) for k, (one, other) in pairs)
        return next(filter(None, places), [])
    return [_said(name, mine, theirs)]


def _said(name: str, mine: Any, theirs: Any) -> str:
    shown = [_shown(value) for value in (theirs, mine)]
    if shown[0] == shown[1]:
        shown = [_cut(str(value)) for value in (theirs, mine)]
    return f"{name} {shown[0]} instead of {shown[1]}"


def _is_list(value: Any) -> bool:
    return isinstance(value, (list, tuple))


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return _cut(first_few(f"{key}: {_shown(each)}" for key, each in value.items()))
    if _is_list(value):
        how_many = f" ({len(value):,})" if len(value) > _SHOWN else ""
        return f"[{_cut(first_few(map(_shown, value), _SHOWN))}]{how_many}"
    if isinstance(value, float):
        return f"{value:g}"
    return _NOTHING if value in (None, "") else _cut(str(value))


def _cut(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"
