"""Where the time of a training goes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Clock"]

_SAMPLED = 50


class Clock:
    """Seconds by phase, lap by lap.

    On a GPU work runs on after a call has returned, so that a lap says nothing; there every
    fiftieth step is timed with waiting, and stands for the others.

    Parameters
    ----------
    device : torch.device
        Where the work is done.
    """

    def __init__(self, device: torch.device) -> None:
        self._waits = device.type == "cuda"
        self._device = device
        self._seconds: dict[str, float] = {}
        self._factor = 1.0
        self._last = time.perf_counter()

    def step(self, number: int) -> None:
        """Begin a step; time since the last lap is the data's."""
        if self._waits:
            self._factor = float(_SAMPLED) if number % _SAMPLED == 0 else 0.0
        self.lap("data")

    def lap(self, phase: str) -> None:
        """End a phase: it took the time since the last call."""
        if self._waits and self._factor:
            torch.cuda.synchronize(self._device)
        now = time.perf_counter()
        taken = (now - self._last) * self._factor
        self._seconds[phase] = self._seconds.get(phase, 0.0) + taken
        self._last = now

    def whole(self, phase: str) -> None:
        """End a phase that is timed whenever it occurs, on any device."""
        self._factor = 1.0
        self.lap(phase)

    def load(self, seconds: Mapping[str, float]) -> None:
        """Add what was spent before, in another process."""
        for phase, spent in seconds.items():
            self._seconds[phase] = self._seconds.get(phase, 0.0) + spent

    @property
    def seconds(self) -> Mapping[str, float]:
        """Seconds by phase so far."""
        return dict(self._seconds)
