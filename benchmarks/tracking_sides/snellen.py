"""Snellen, part by part; as a whole it is measured as its command line."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from snellen import set_threads
from snellen.readers.track_folders import find_sequences
from snellen.readers.track_text import mot_tracks, read_track_columns
from snellen.tracking import preparation
from snellen.tracking.families import FAMILIES
from snellen.tracking.family import Settings
from snellen.tracking.preparation import classes_of, prepared
from snellen.tracking.protocols import protocol_of
from tracking_sides import BENCHMARK, PHASES

if TYPE_CHECKING:
    from snellen.tracking.tracks import Tracks

_PEDESTRIAN = 1


def phases(truth: str, pred: str) -> dict[str, float]:
    """Seconds of each phase, summed over the sequences.

    What all metrics share, the table of pairs of tracks among it, is preprocessing.
    """
    set_threads(1)
    rules, settings = protocol_of(BENCHMARK.lower()), Settings()
    seconds = dict.fromkeys(PHASES, 0.0)

    def loaded(source: Any, name: str, n_frames: int | None, *, is_truth: bool) -> Tracks:
        columns = read_track_columns(source, is_truth=is_truth, n_frames=n_frames)
        return mot_tracks(
            columns,
            name,
            classes=rules.class_names,
            default_class=None if is_truth else _PEDESTRIAN,
            n_frames=n_frames,
        )

    similar_pairs = preparation.similar_pairs

    def timed_pairs(*arguments: Any) -> Any:
        start = time.perf_counter()
        found = similar_pairs(*arguments)
        seconds["similarity"] += time.perf_counter() - start
        return found

    preparation.similar_pairs = timed_pairs
    start = time.perf_counter()
    sequences = find_sequences(truth, pred).sequences
    seconds["load"] += time.perf_counter() - start
    for sequence in sequences:
        start, similarity = time.perf_counter(), seconds["similarity"]
        name, n_frames = sequence.name, sequence.n_frames
        known = loaded(sequence.truth, name, n_frames, is_truth=True)
        found = loaded(sequence.pred, name, n_frames, is_truth=False)
        seconds["load"] += time.perf_counter() - start
        start = time.perf_counter()
        classes = classes_of(known, found, rules)
        ((_, frames),) = prepared(known, found, rules, classes)
        coded = frames.coded(-1 if n_frames is None else n_frames)
        taken = time.perf_counter() - start
        seconds["preprocessing"] += taken - (seconds["similarity"] - similarity)
        for phase in ("HOTA", "CLEAR", "Identity", "VACE"):
            start = time.perf_counter()
            FAMILIES[phase.lower()].measure(coded, settings)
            seconds[phase] += time.perf_counter() - start
    return seconds
