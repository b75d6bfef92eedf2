"""Sequences as units: what is resampled, and what is swapped between two trackers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from snellen import Tracking, Tracks, compare, intervals

FAMILIES = ["hota", "clear", "identity", "vace", "count", "ideucl", "motmetrics"]


def tracks(seed: int, sequence: str, *, label: bool, **columns: Any) -> Tracks:
    """Return seeded walks of three objects over six frames."""
    random = np.random.default_rng(seed)
    frame = np.repeat(np.arange(1, 7), 3)
    corner = np.tile([[0.0, 0.0], [40.0, 0.0], [80.0, 0.0]], (6, 1)) + frame[:, None]
    corner += random.normal(0, 2, corner.shape)
    names = np.tile(["car", "bus", "car"], 6)
    return Tracks.from_xywh(
        np.concatenate([corner, np.full((18, 2), 10.0)], axis=1),
        track_id=np.tile([1, 2, 3], 6),
        frame=frame,
        sequence=sequence,
        n_frames=6,
        label=names if label else None,
        **columns,
    )


def run(seeds: list[int], *, label: bool = False) -> Tracking:
    metric = Tracking(metrics=FAMILIES)
    for k, seed in enumerate(seeds):
        sequence = f"s{k}"
        metric.update(tracks(100 + k, sequence, label=label), tracks(seed, sequence, label=label))
    return metric


@pytest.mark.parametrize("label", [False, True])
def test_values_of_swapped_sequences(label: bool) -> None:
    """Numbers of runs that swapped some sequences are those of metrics that absorbed them so."""
    first, second = [1, 2, 3], [11, 12, 13]
    ours, theirs = run(first, label=label).units(), run(second, label=label).units()
    bits = np.array([[0, 1, 0], [1, 1, 0], [0, 0, 0]], np.int32)
    values = ours.values(1 - bits, (theirs, bits))
    for r, swapped in enumerate(bits.tolist()):
        seeds = [b if swap else a for a, b, swap in zip(first, second, swapped, strict=True)]
        wanted = run(seeds, label=label).compute().metrics
        for name, value in wanted.items():
            assert values[name][r] == pytest.approx(value, rel=1e-13, abs=0, nan_ok=True), name


def test_which_way_numbers_are_better() -> None:
    units = run([1]).units()
    assert {"IDSW", "CLR_FP", "MOTP_distance"} <= units.lower_is_better
    # How much truth, or the tracker, has of something is no merit and no fault.
    assert {"GT_IDs", "Dets", "PT"} <= units.neither_is_better
    assert units.lower_is_better.isdisjoint(units.neither_is_better)


def test_values_as_they_are() -> None:
    metric = run([1, 2, 3, 4, 5])
    values = metric.units().values(np.ones((1, 5), np.int32))
    for name, value in metric.compute().metrics.items():
        assert values[name][0] == value, name


def test_classes_of_one_run_only() -> None:
    ours, theirs = run([1, 2, 3], label=True), Tracking(metrics=FAMILIES)
    for k in range(3):
        pred = tracks(20 + k, f"s{k}", label=False)
        shape: Any = pred.shape
        theirs.update(
            tracks(100 + k, f"s{k}", label=True),
            Tracks.from_xyxy(
                shape.xyxy,
                track_id=pred.track,
                frame=pred.frame,
                sequence=f"s{k}",
                label=np.tile(["car", "bus", "emu"], 6),
                n_frames=6,
            ),
        )
    found = compare(ours, theirs, names=["a", "b"])
    assert "HOTA" in str(found)


def test_a_better_tracker_is_better() -> None:
    """All of 6 sequences better: of 2^6 ways to swap two are as extreme."""
    far = Tracking(metrics=["hota"])
    for k in range(6):
        sequence = f"s{k}"
        pred = tracks(100 + k, sequence, label=False)
        shape: Any = pred.shape
        moved = shape.xyxy + np.array([4.0, 0, 4.0, 0])
        far.update(
            pred,
            Tracks.from_xyxy(
                moved, track_id=pred.track, frame=pred.frame, sequence=sequence, n_frames=6
            ),
        )
    near = Tracking(metrics=["hota"])
    for k in range(6):
        truth = tracks(100 + k, f"s{k}", label=False)
        near.update(truth, truth)
    text = str(compare(far, near, names=["far", "near"]))
    assert "p = 0.0312" in text
    assert "near is better than far" in text


def test_few_sequences_have_no_intervals() -> None:
    found = intervals(run([1, 2, 3, 4]))
    assert all(math.isnan(each.low) for each in found.values())
    assert {each.note for each in found.values()} == {"4 sequences do not tell how others vary"}
    found = intervals(run([1, 2, 3, 4, 5]))
    assert found["HOTA"].low < run([1, 2, 3, 4, 5]).compute().HOTA < found["HOTA"].high
