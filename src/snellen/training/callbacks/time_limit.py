"""The end of a training that has had its time."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from snellen.errors import InputError
from snellen.training.callbacks.protocol import Callback

if TYPE_CHECKING:
    from collections.abc import Callable

    from snellen.training.state import TrainingState

__all__ = ["TimeLimit"]


class TimeLimit(Callback):
    """Ends the training after a time.

    The time is that of the process: a training that is resumed gets it anew, or else it could do
    nothing. The update that goes on when it is over is the last one.

    Parameters
    ----------
    seconds : float
        Above 0.
    clock : callable
        Returns seconds, from any moment.
    """

    def __init__(self, seconds: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        if not 0 < seconds < math.inf:
            raise InputError(f"expected a number of seconds above 0, got {seconds}", "seconds")
        self.seconds = seconds
        self._clock = clock
        self._end = math.inf

    def start(self, run: TrainingState) -> None:
        """Begin to count."""
        del run
        self._end = self._clock() + self.seconds

    def step_end(self, run: TrainingState) -> None:
        """End the training where the time is over."""
        if self._clock() >= self._end:
            run.stop("the time limit")
