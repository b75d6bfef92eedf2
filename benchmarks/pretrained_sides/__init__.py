"""Ways to run pretrained networks beside each other, one short file a way.

A side's function is called like the task (`resident`, `scores`, `end_to_end`, `metrics`), is given
a `Setting`, and returns a `Ready`: work that is asked for turn by turn, and what it gives, to
compare. What comes before the first turn (imports, loading, building) is not measured.
"""

from __future__ import annotations

import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "MEAN",
    "SHORTER_SIDE",
    "SIZE",
    "STD",
    "Ready",
    "Setting",
    "Turn",
    "first_scores",
    "looped",
]

# What the networks of torchvision were trained with.
SHORTER_SIDE: Final = 256
SIZE: Final = 224
MEAN: Final = (0.485, 0.456, 0.406)
STD: Final = (0.229, 0.224, 0.225)

_WARM: Final = 5  # calls that do not count
_LEAST: Final = 3  # calls of a turn


class Setting(NamedTuple):
    """What is run on what."""

    network: str  # "onnx", "cheap", "torch", "keras"
    batch_size: int
    threads: int
    folder: str  # networks and images: see `pretrained_sides.made`

    @property
    def path(self) -> Path:
        """Where networks and images lie."""
        return Path(self.folder)

    @property
    def images(self) -> list[str]:
        """The image files, in order."""
        return sorted(map(str, (self.path / "images").rglob("*.jpg")))


class Turn(NamedTuple):
    """Seconds of an image: of wall time, and of processor, all threads."""

    wall: float
    cpu: float


class Ready(NamedTuple):
    """What a side is when it has loaded everything."""

    turn: Callable[[float], Turn]  # works for so many seconds at least
    given: dict[str, Any]  # scores or checksums, to compare


def looped(call: Callable[[], object], n: int, seconds: float) -> Turn:
    """Call again and again, as people time it, and take the median call, of n images."""
    wall, cpu = time.perf_counter, time.process_time
    for _ in range(_WARM):
        call()
    taken: list[float] = []
    start, used = wall(), cpu()
    while len(taken) < _LEAST or wall() - start < seconds:
        before = wall()
        call()
        taken.append(wall() - before)
    used = cpu() - used
    middle = median(taken)
    return Turn(middle / n, middle / n * used / sum(taken))


def first_scores(scores: NDArray[np.floating[Any]]) -> list[list[float]]:
    """Return enough of the scores to see that they are the same network's."""
    return [[float(value) for value in row[:10]] for row in scores[:2]]
