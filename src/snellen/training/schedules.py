"""Schedules by name: what part of the learning rate is taken when.

All but one are pure functions of the updates done, so nothing has to be saved, and nothing can be
stepped at the wrong moment. The exception, ``plateau``, waits for what is measured.

Times are in epochs (``every = 3``), or say their unit: ``"3ep"``, ``"500ba"`` (updates),
``"0.1dur"`` (of the whole).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from snellen.errors import InputError
from snellen.training.choices import made
from snellen.training.number_ranges import within
from snellen.training.schedule import At, Chain, Plateau, Schedule, time_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from snellen.training.choices import Choice
    from snellen.training.description import Every

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
        In order; without any the rate is constant.
    n_epochs : int
        The epochs of the training, which they have to fit in.
    larger_is_better : bool
        Of the monitored number that ``plateau`` waits for.

    Raises
    ------
    InputError
        For an option out of its range, or lengths that leave no time for the others.
    """
    if not choices:
        return constant()
    parts = [
        made(each, SCHEDULES, "a schedule", larger_is_better=larger_is_better) for each in choices
    ]
    lengths = [each.length for each in parts]
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
    return parts[0] if lengths == [None] else Chain(parts)


class _Formula(Schedule):
    """A schedule that is a pure function."""

    def __init__(self, formula: Callable[[At], float], length: float | str | None) -> None:
        self._formula = formula
        self.length = None if length is None else time_of(length)

    def factor(self, at: At) -> float:
        return self._formula(at)


def constant(*, factor: float = 1.0, length: float | str | None = None) -> Schedule:
    """Return one factor, all the time."""
    within("factor", factor, above=True)
    return _Formula(lambda _: factor, length)


def step(*, every: float | str, gamma: float = 0.1, length: float | str | None = None) -> Schedule:
    """Multiply by gamma after every so many epochs."""
    within("gamma", gamma)
    period = time_of(every)
    return _Formula(lambda at: gamma ** (at.step // _steps(period, at)), length)


def multi_step(
    *, milestones: list[float | str], gamma: float = 0.1, length: float | str | None = None
) -> Schedule:
    """Multiply by gamma at some moments."""
    within("gamma", gamma)
    moments = [time_of(each) for each in milestones]

    def factor(at: At) -> float:
        return math.prod(gamma for each in moments if at.step >= _steps(each, at))

    return _Formula(factor, length)


def exponential(
    *,
    gamma: float,
    every: float | str = 1,
    smooth: bool = True,
    length: float | str | None = None,
) -> Schedule:
    """Multiply by gamma in every epoch: a little at each update, or at its end where not smooth."""
    within("gamma", gamma)
    period = time_of(every)

    def factor(at: At) -> float:
        n = _steps(period, at)
        return gamma ** (at.step / n if smooth else at.step // n)

    return _Formula(factor, length)


def linear(*, start: float = 1.0, end: float = 0.0, length: float | str | None = None) -> Schedule:
    """Go from start to end on a straight line."""
    within("start", start)
    within("end", end)
    return _Formula(lambda at: _between(start, end, at.done), length)


def warm_up(
    *,
    start: float = 0.01,
    shape: Literal["linear", "cosine"] = "linear",
    length: float | str | None = "0.05dur",
) -> Schedule:
    """Go from start to the whole rate, by default in a twentieth of the training."""
    within("start", start)
    return _Formula(lambda at: _between(start, 1.0, at.done, shape), length)


def cosine(*, end: float = 0.0, cycles: int = 1, length: float | str | None = None) -> Schedule:
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

    return _Formula(factor, length)


def polynomial(
    *, power: float = 1.0, end: float = 0.0, length: float | str | None = None
) -> Schedule:
    """Go down to end as a power of what is still to do."""
    within("power", power, above=True)
    within("end", end)
    return _Formula(lambda at: end + (1 - end) * (1 - at.done) ** power, length)


def one_cycle(
    *,
    peak: float = 0.3,
    start: float = 1 / 25,
    end: float = 1 / 25 / 1e4,
    shape: Literal["cosine", "linear"] = "cosine",
    length: float | str | None = None,
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
        return _between(1.0, end, (at.step - top) / (last - top) if last > top else 1.0, shape)

    return _Formula(factor, length)


def triangular(
    *,
    peak: float = 0.2,
    start: float = 0.2,
    end: float = 0.0,
    length: float | str | None = None,
) -> Schedule:
    """Go up to the whole rate on a straight line in a share of the time, then down on another."""
    within("peak", peak, 0.0, 1.0)
    within("start", start)
    within("end", end)

    def factor(at: At) -> float:
        if at.done < peak:
            return _between(start, 1.0, at.done / peak)
        return _between(1.0, end, (at.done - peak) / (1 - peak))

    return _Formula(factor, length)


def wsd(
    *,
    warm_up: float | str = "0.05dur",
    decay: float | str = "0.2dur",
    start: float = 0.01,
    end: float = 0.0,
    shape: Literal["linear", "cosine", "sqrt"] = "linear",
    length: float | str | None = None,
) -> Schedule:
    """Warm up, stay, decay at the end; where the two overlap, the smaller factor counts."""
    within("start", start)
    within("end", end)
    up, down = time_of(warm_up), time_of(decay)

    def factor(at: At) -> float:
        n_up, n_down = _steps(up, at), _steps(down, at)
        rising = _between(start, 1.0, at.step / n_up)
        share = max(0.0, (at.step - (at.n_steps - n_down)) / n_down)
        return min(rising, _between(1.0, end, share, shape))

    return _Formula(factor, length)


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


def _between(start: float, end: float, share: float, shape: str = "linear") -> float:
    """Return the number at a share of the way from start to end; both exactly."""
    if share >= 1:
        return end
    if shape == "cosine":
        return end + (start - end) * (1 + math.cos(math.pi * share)) / 2
    return start + (end - start) * (math.sqrt(share) if shape == "sqrt" else share)


def _steps(time: Every, at: At) -> int:
    return time.steps(n_steps=at.n_steps, n_epoch=at.n_epoch)
