"""Snellen, part by part; as a whole it is measured as its command line."""

from __future__ import annotations

import time
from typing import Any

from snellen import set_threads
from snellen.readers.tracking_files import read_tracking
from snellen.tracking import preparation
from snellen.tracking.families import FAMILIES
from snellen.tracking.family import Settings
from snellen.tracking.preparation import classes_of, frame_numbers, prepared
from tracking_sides import BENCHMARK, PHASES


def phases(truth: str, pred: str) -> dict[str, float]:
    """Seconds of each phase, summed over the sequences.

    What all metrics share, the table of pairs of tracks among it, is preprocessing.
    """
    set_threads(1)
    settings = Settings()
    seconds = dict.fromkeys(PHASES, 0.0)
    similar_pairs = preparation.similar_pairs

    def timed_pairs(*arguments: Any) -> Any:
        start = time.perf_counter()
        found = similar_pairs(*arguments)
        seconds["similarity"] += time.perf_counter() - start
        return found

    preparation.similar_pairs = timed_pairs
    start = time.perf_counter()
    files = read_tracking(truth, pred, protocol=BENCHMARK.lower())
    seconds["load"] += time.perf_counter() - start
    for i in range(len(files)):
        start = time.perf_counter()
        known, found = files.read(i)
        seconds["load"] += time.perf_counter() - start
        start, similarity = time.perf_counter(), seconds["similarity"]
        classes = classes_of(known, found, files.protocol)
        number = frame_numbers(known, found)
        ((_, frames),) = prepared(known, found, number, files.protocol, classes)
        coded = frames.coded(int(known.n_frames[0]))
        taken = time.perf_counter() - start
        seconds["preprocessing"] += taken - (seconds["similarity"] - similarity)
        for phase in ("HOTA", "CLEAR", "Identity", "VACE"):
            start = time.perf_counter()
            FAMILIES[phase.lower()].measure(coded, settings)
            seconds[phase] += time.perf_counter() - start
    return seconds
