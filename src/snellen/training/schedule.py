"""What a schedule is, and the two kinds that are no formulas."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from bisect import bisect_right
from typing import TYPE_CHECKING, Any, NamedTuple

from snellen.errors import InputError
from snellen.training.description import Every
from snellen.training.number_ranges import within

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["At", "Chain", "Plateau", "Schedule", "time_of"]


class At(NamedTuple):
    """How far a training is.

    Attributes
    ----------
    step : int
        Updates done; before the first it is 0.
    n_steps, n_epoch : int
        The updates of the whole, and of an epoch.
    """

    step: int
    n_steps: int
    n_epoch: int

    @property
    def done(self) -> float:
        """The share of the whole that is done, 0 … 1."""
        return min(1.0, self.step / self.n_steps) if self.n_steps else 1.0

    @property
    def epoch(self) -> float:
        """The epochs done, with their fraction."""
        return self.step / self.n_epoch


def time_of(value: float | str) -> Every:
    """Return a time: a number is one of epochs, a text says its unit.

    Raises
    ------
    InputError
        For a time that is not above 0, or another text.
    """
    if isinstance(value, str):
        return Every.parsed(value)
    if not 0 < value < math.inf:
        raise InputError(f"expected a time above 0, got {value:g} epochs")
    return Every(value, "ep")


class Schedule(ABC):
    """What part of the learning rate is taken when.

    Attributes
    ----------
    length : Every or None
        How long it lasts, where others follow; None: an equal share of what those leave that say.
    """

    length: Every | None = None

    @abstractmethod
    def factor(self, at: At) -> float:
        """Return the part of the learning rate that the next update takes.

        Parameters
        ----------
        at : At
            Before that update.
        """

    def observe(self, value: float) -> None:
        """Take note of the monitored number of a validation."""
        del value

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps; empty for a pure function."""
        return {}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` returned."""
        del state


class Chain(Schedule):
    """One schedule after the other, each from its own beginning.

    Parameters
    ----------
    parts : sequence of Schedule
        In order.
    """

    def __init__(self, parts: Sequence[Schedule]) -> None:
        self.parts = tuple(parts)
        self._active = 0

    def starts(self, at: At) -> list[int]:
        """Return the update with which each part begins, and that with which the last ends."""
        given = [
            None
            if part.length is None
            else part.length.steps(n_steps=at.n_steps, n_epoch=at.n_epoch)
            for part in self.parts
        ]
        n_open = given.count(None)
        left = max(0, at.n_steps - sum(each or 0 for each in given))
        found, n_done = [0], 0
        for each in given:
            if each is None:
                each = left * (n_done + 1) // n_open - left * n_done // n_open
                n_done += 1
            found.append(found[-1] + each)
        return found

    def factor(self, at: At) -> float:
        """Return the factor of the part that it is the time of."""
        starts = self.starts(at)
        self._active = min(bisect_right(starts, at.step), len(self.parts)) - 1
        begin, end = starts[self._active : self._active + 2]
        within_part = At(min(at.step, end) - begin, end - begin, at.n_epoch)
        return self.parts[self._active].factor(within_part)

    def observe(self, value: float) -> None:
        """Tell the part that it is the time of."""
        self.parts[self._active].observe(value)

    def state(self) -> dict[str, Any]:
        """Return which part it is the time of, and the states of all."""
        states = [each.state() for each in self.parts]
        return {"active": self._active, "parts": states} if any(states) else {}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` returned."""
        if state:
            self._active = state["active"]
            for part, each in zip(self.parts, state["parts"], strict=True):
                part.load_state(each)


class Plateau(Schedule):
    """Smaller each time that the monitored number has not become better for some validations.

    Parameters
    ----------
    gamma : float
        By what it is multiplied.
    patience : int
        The validations without a better number that are waited for.
    threshold : float
        By how much better the number has to be.
    relative : bool
        Whether that is a share of the best number so far.
    cooldown : int
        The validations after a change that do not count.
    end : float
        The smallest factor.
    length : float, str or None
        How long it lasts, where others follow.
    larger_is_better : bool
        Of the monitored number.
    """

    def __init__(
        self,
        *,
        larger_is_better: bool = False,
        gamma: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        relative: bool = True,
        cooldown: int = 0,
        end: float = 0.0,
        length: float | str | None = None,
    ) -> None:
        self.length = None if length is None else time_of(length)
        self.larger_is_better = larger_is_better
        self.gamma = within("gamma", gamma, 0.0, 1.0)
        self.patience = int(within("patience", patience))
        self.threshold = within("threshold", threshold)
        self.relative = relative
        self.cooldown = int(within("cooldown", cooldown))
        self.end = within("end", end)
        self._factor = 1.0
        self._best = -math.inf if larger_is_better else math.inf
        self._n_bad = 0
        self._n_cooling = 0

    def factor(self, at: At) -> float:
        """Return the factor of now, whatever the time."""
        del at
        return self._factor

    def observe(self, value: float) -> None:
        """Count a validation, and make the factor smaller where it is one too many."""
        if self._is_better(value):
            self._best, self._n_bad = value, 0
        else:
            self._n_bad += 1
        if self._n_cooling:
            self._n_cooling -= 1
            self._n_bad = 0
        if self._n_bad > self.patience:
            self._factor = max(self._factor * self.gamma, self.end)
            self._n_cooling, self._n_bad = self.cooldown, 0

    def state(self) -> dict[str, Any]:
        """Return the factor, the best number and the counts."""
        return {
            "factor": self._factor,
            "best": self._best,
            "n_bad": self._n_bad,
            "n_cooling": self._n_cooling,
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` returned."""
        self._factor, self._best = state["factor"], state["best"]
        self._n_bad, self._n_cooling = state["n_bad"], state["n_cooling"]

    def _is_better(self, value: float) -> bool:
        sign = 1 if self.larger_is_better else -1
        if self.relative:
            return sign * value > sign * self._best * (1 + sign * self.threshold)
        return sign * value > sign * self._best + self.threshold
