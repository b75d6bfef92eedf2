"""Schedules by name: what part of the learning rate is taken when.

All but one are pure functions of the updates done, so nothing has to be saved, and nothing can be
stepped at the wrong moment. The exception, ``plateau``, waits for what is measured.

Times are in epochs (``every = 3``), or say their unit: ``"3ep"``, ``"500ba"`` (updates),
``"0.1dur"`` (of the whole).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Literal

from snellen.errors import InputError, SchemaError
from snellen.training.choices import Choice, made
from snellen.training.description import Every
from snellen.training.number_ranges import within
from snellen.training.schedule import At, Chain, Plateau, Schedule

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = ["SCHEDULES", "At", "Schedule", "make_schedule"]


def make_schedule(
    choices: Sequence[Choice], *, n_epochs: int, larger_is_better: bool = False
) -> Schedule:
    """Return the schedule that a description chose.

    Several are one after the other. Each can have a ``length``; those without share what the others
    leave. After the last one its factor stays.

    Parameters
    ----------
    choices : sequence of Choice
        In order.
    n_epochs : int
        The epochs of the training, which they have to fit in.
    larger_is_better : bool
        Of the monitored number that ``plateau`` waits for.

    Raises
    ------
    InputError
        For an option out of its range, or lengths that leave no time for the others.
    """
    parts: list[Schedule] = []
    lengths: list[Every | None] = []
    for choice in choices:
        options = dict(choice.options)
        length = options.pop("length", _LENGTHS.get(choice.name) if len(choices) > 1 else None)
        plain = choice._replace(options=options)
        parts.append(made(plain, SCHEDULES, "a schedule", larger_is_better=larger_is_better))
        lengths.append(None if length is None else _length(length, choice.place))
    taken = sum(
        each.amount * (n_epochs if each.unit == "dur" else 1)
        for each in lengths
        if each is not None and each.unit != "ba"
    )
    if taken > n_epochs or (taken == n_epochs and None in lengths):
        raise InputError(
            f"expected lengths of schedules that fit in {n_epochs} epochs"
            f"{' and leave some for the others' if None in lengths else ''}, got {taken:g}",
            choices[-1].place,
        )
    return parts[0] if lengths == [None] else Chain(parts, lengths)


class _Formula(Schedule):
    """A schedule that is a pure function."""

    def __init__(self, formula: Callable[[At], float]) -> None:
        self._formula = formula

    def factor(self, at: At) -> float:
        return self._formula(at)


def constant(*, factor: float = 1.0) -> Schedule:
    """Return one factor, all the time."""
    within("factor", factor, above=True)
    return _Formula(lambda _: factor)


def step(*, every: float | str, gamma: float = 0.1) -> Schedule:
    """Multiply by gamma after every so many epochs."""
    within("gamma", gamma)
    length = _length(every)
    return _Formula(lambda at: gamma ** (at.step // _steps(length, at)))


def multi_step(*, milestones: list[float | str], gamma: float = 0.1) -> Schedule:
    """Multiply by gamma at some moments."""
    within("gamma", gamma)
    moments = [_length(each) for each in milestones]

    def factor(at: At) -> float:
        return math.prod(gamma for each in moments if at.step >= _steps(each, at))

    return _Formula(factor)


def exponential(*, gamma: float, every: float | str = 1, smooth: bool = True) -> Schedule:
    """Multiply by gamma in every epoch: a little at each update, or at its end where not smooth."""
    within("gamma", gamma)
    length = _length(every)

    def factor(at: At) -> float:
        n = _steps(length, at)
        return gamma ** (at.step / n if smooth else at.step // n)

    return _Formula(factor)


def linear(*, start: float = 1.0, end: float = 0.0) -> Schedule:
    """Go from start to end on a straight line."""
    within("start", start)
    within("end", end)
    return _Formula(lambda at: _between(start, end, at.done))


def warm_up(*, start: float = 0.01, shape: Literal["linear", "cosine"] = "linear") -> Schedule:
    """Go from start to the whole rate; where others follow, in a twentieth of the training."""
    within("start", start)
    return _Formula(lambda at: _between(start, 1.0, at.done, shape))


def cosine(*, end: float = 0.0, cycles: int = 1) -> Schedule:
    """Go down to end on half a wave, so many times."""
    within("end", end)
    if cycles < 1:
        raise InputError(f"expected cycles from 1, got {cycles}")

    def factor(at: At) -> float:
        if at.done == 1:
            return end
        # Whole numbers, so that a cycle ends with an update.
        cycle_step = at.step * cycles % at.n_steps
        return _between(1.0, end, cycle_step / at.n_steps, "cosine")

    return _Formula(factor)


def polynomial(*, power: float = 1.0, end: float = 0.0) -> Schedule:
    """Go down to end as a power of what is still to do."""
    within("power", power, above=True)
    within("end", end)
    return _Formula(lambda at: end + (1 - end) * (1 - at.done) ** power)


def one_cycle(
    *,
    peak: float = 0.3,
    start: float = 1 / 25,
    end: float = 1 / 25 / 1e4,
    shape: Literal["cosine", "linear"] = "cosine",
) -> Schedule:
    """Go up to the whole rate in a share of the time, then far down."""
    within("peak", peak, 0.0, 1.0)
    within("start", start)
    within("end", end)

    def factor(at: At) -> float:
        # As torch has it, the top and the end are each an update that is taken.
        top, last = max(0.0, peak * at.n_steps - 1), at.n_steps - 1
        if at.step <= top:
            return _between(start, 1.0, at.step / top if top else 1.0, shape)
        return _between(1.0, end, min(1.0, (at.step - top) / (last - top)), shape)

    return _Formula(factor)


def triangular(*, peak: float = 0.2, start: float = 0.2, end: float = 0.0) -> Schedule:
    """Go up to the whole rate on a straight line in a share of the time, then down on another."""
    within("peak", peak, 0.0, 1.0)
    within("start", start)
    within("end", end)

    def factor(at: At) -> float:
        if at.done < peak:
            return _between(start, 1.0, at.done / peak)
        return _between(1.0, end, (at.done - peak) / (1 - peak))

    return _Formula(factor)


def wsd(
    *,
    warm_up: float | str = "0.05dur",
    decay: float | str = "0.2dur",
    start: float = 0.01,
    end: float = 0.0,
    shape: Literal["linear", "cosine", "sqrt"] = "linear",
) -> Schedule:
    """Warm up, stay, decay at the end; where the two overlap, the smaller factor counts."""
    within("start", start)
    within("end", end)
    up, down = _length(warm_up), _length(decay)

    def factor(at: At) -> float:
        n_up, n_down = _steps(up, at), _steps(down, at)
        rising = _between(start, 1.0, min(1.0, at.step / n_up))
        share = min(1.0, max(0.0, (at.step - (at.n_steps - n_down)) / n_down))
        return min(rising, _between(1.0, end, share, shape))

    return _Formula(factor)


SCHEDULES: Mapping[str, Callable[..., Schedule]] = {
    "constant": constant,
    "step": step,
    "multi_step": multi_step,
    "exponential": exponential,
    "cosine": cosine,
    "one_cycle": one_cycle,
    "linear": linear,
    "polynomial": polynomial,
    "warm_up": warm_up,
    "triangular": triangular,
    "wsd": wsd,
    "plateau": Plateau,
}

# How long those last that do not share what is left.
_LENGTHS = {"warm_up": "0.05dur"}


def _between(start: float, end: float, share: float, shape: str = "linear") -> float:
    """Return the number at a share of the way from start to end; both exactly."""
    if share >= 1:
        return end
    if shape == "cosine":
        return end + (start - end) * (1 + math.cos(math.pi * share)) / 2
    return start + (end - start) * (math.sqrt(share) if shape == "sqrt" else share)


def _length(value: Any, place: str = "") -> Every:
    """Return a time: a number of epochs, or a text with its unit."""
    if isinstance(value, str):
        return Every.parsed(value, place)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise SchemaError(f'expected epochs, or a text such as "0.1dur", got {value!r}', place)
    if not 0 < value < math.inf:
        raise InputError(f"expected a time above 0, got {value:g} epochs", place)
    return Every(float(value), "ep")


def _steps(length: Every, at: At) -> int:
    return length.steps(n_steps=at.n_steps, n_epoch=at.n_epoch)
