"""Networks side by side: predictions of each, speeds in turn, and what may be said of them."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.benchmark.class_places import placed
from snellen.benchmark.kept_rounds import KeptRounds
from snellen.benchmark.machine import machine
from snellen.benchmark.open_images import open_images
from snellen.benchmark.page import page
from snellen.benchmark.predictions_file import read_predictions
from snellen.benchmark.progress import no_progress
from snellen.benchmark.result import BenchmarkResult, measured_model
from snellen.benchmark.sources import display_names, is_predictions, parsed
from snellen.benchmark.speed import Memory, Round, Speed
from snellen.benchmark.store import PredictionStore
from snellen.benchmark.worker import Worker
from snellen.errors import InputError, did_you_mean
from snellen.result import write_atomically
from snellen.threads import get_threads

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

    from snellen.benchmark.class_places import ClassPlaces
    from snellen.benchmark.labelled_images import LabelledImages
    from snellen.benchmark.progress import Told
    from snellen.benchmark.result import MeasuredModel

__all__ = ["Settings", "benchmark", "default_folder"]


@dataclasses.dataclass(frozen=True)
class Settings:
    """How networks are measured.

    Attributes
    ----------
    device : str
        As in `LoadOptions`.
    threads : int or None
        Of the processor, for one network and its images; None: all that the process may use.
    batch_size : int
        Of predictions, throughput and end-to-end speed.
    batch_sizes : sequence of int
        Throughput is measured at these, too.
    rounds : int
        How often each speed is measured; the networks take turns.
    seconds : float
        How long each speed is measured at least, in a round.
    speed : bool
        Whether speed is measured.
    together : int
        Up to so many networks stay in memory; of more each is loaded anew for its turn.
    """

    device: str = "auto"
    threads: int | None = None
    batch_size: int = 32
    batch_sizes: Sequence[int] = ()
    rounds: int = 3
    seconds: float = 1.0
    speed: bool = True
    together: int = 8

    def __post_init__(self) -> None:
        for name in ("batch_size", "rounds", "together"):
            if getattr(self, name) < 1:
                raise InputError(f"expected a whole number from 1, got {getattr(self, name)}", name)
        if self.threads is not None and self.threads < 1:
            raise InputError(f"expected a whole number from 1, got {self.threads}", "threads")
        if not self.seconds > 0:
            raise InputError(f"expected seconds above 0, got {self.seconds}", "seconds")
        if any(size < 1 for size in self.batch_sizes):
            raise InputError("expected whole numbers from 1", "batch_sizes")

    @property
    def sizes(self) -> list[int]:
        """All sizes of batches at which throughput is measured."""
        return sorted({self.batch_size, *self.batch_sizes})
