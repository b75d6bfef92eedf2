"""The ways to train beside each other, one short file a way.

`train` is given a `Setting` and a `Clock`. It marks the clock where each epoch begins and after the
last, and returns a `Trained`. What comes before the first mark (imports, building the network,
arrays in the side's form) and after the last (the test part) is not measured.

All sides start from the same weights. Those that can be told an order get the same one, and so
have the same losses: the first of them are compared.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

__all__ = [
    "BATCH_SIZE",
    "LEARNING_RATE",
    "MEAN",
    "N_LOSSES",
    "STD",
    "Clock",
    "Setting",
    "Trained",
    "initial_weights",
]

BATCH_SIZE: Final = 128
LEARNING_RATE: Final = 1e-3
N_LOSSES: Final = 40  # the first ones, which are compared

# Of the pixels of FashionMNIST's training part, divided by 255.
MEAN: Final = 0.2860405969887955
STD: Final = 0.3530242445149223

# Weights in the order in which they follow each other, as torch has them: (out, in, …).
_SHAPES: Final = {
    "fc": ((512, 784), (10, 512)),
    "cnn": ((32, 1, 3, 3), (64, 32, 3, 3), (128, 64 * 7 * 7), (10, 128)),
}


class Setting(NamedTuple):
    """What is trained on what."""

    network: str  # "fc": 784-512-10; "cnn": conv32-pool-conv64-pool-fc128-10, 3 × 3, same
    train_images: np.ndarray  # uint8, (n, 28, 28)
    train_labels: np.ndarray  # int64
    test_images: np.ndarray
    test_labels: np.ndarray
    weights: tuple[np.ndarray, ...]  # weight and bias of each layer, as torch has them
    orders: np.ndarray  # int64, (epochs, n): the order of each epoch
    seed: int  # of which Snellen makes these orders
    threads: int
    folder: Path  # for what a side writes beside

    @property
    def epochs(self) -> int:
        """How often all images are gone through."""
        return len(self.orders)


class Trained(NamedTuple):
    """What came of it."""

    losses: Sequence[float]  # of the first N_LOSSES steps
    accuracy: float  # share of the test part


class Clock:
    """Wall and CPU time at the beginning of each epoch and at the end of the last."""

    def __init__(self) -> None:
        self._marks: list[tuple[float, float]] = []

    def mark(self) -> None:
        """Say that an epoch begins, or that the last has ended."""
        self._marks.append((time.perf_counter(), time.process_time()))

    @property
    def wall(self) -> list[float]:
        """Seconds of each epoch."""
        return np.diff([wall for wall, _ in self._marks]).tolist()

    @property
    def cpu(self) -> list[float]:
        """Seconds of processor of each epoch, of all threads."""
        return np.diff([cpu for _, cpu in self._marks]).tolist()


def initial_weights(network: str, seed: int) -> tuple[np.ndarray, ...]:
    """Draw weight and bias of each layer as torch would: uniform, within 1 / √inputs."""
    drawing = np.random.default_rng(seed)
    drawn = []
    for shape in _SHAPES[network]:
        bound = float(np.prod(shape[1:])) ** -0.5
        drawn.append(drawing.uniform(-bound, bound, shape).astype(np.float32))
        drawn.append(drawing.uniform(-bound, bound, shape[:1]).astype(np.float32))
    return tuple(drawn)
