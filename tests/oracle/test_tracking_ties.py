"""Tracking on boxes of a coarse grid, where sums tie: TrackEval's metrics, by hypothesis."""

from __future__ import annotations

import contextlib
import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snellen import Tracking, Tracks
from snellen.tracking.trackeval_files import trackeval_numbers

pytest.importorskip("trackeval")

FAMILIES = {"hota": "HOTA", "clear": "CLEAR", "identity": "Identity", "vace": "VACE"}
# Left and top of boxes of 6 × 6: moved by one, their IoU is 5/7, by two exactly 1/2, by one both
# ways 25/47. So IoUs are few numbers around the threshold, and many assignments have the same sum.
PLACES = st.tuples(st.integers(0, 4), st.integers(0, 1)).map(
    lambda at: (float(at[0]), float(at[1]))
)
FRAME = st.tuples(
    st.dictionaries(st.integers(0, 4), PLACES, max_size=4),
    st.dictionaries(st.integers(0, 5), PLACES, max_size=5),
)
SEQUENCE = st.lists(FRAME, min_size=1, max_size=6).filter(
    # Of nothing at all the reference divides by zero.
    lambda frames: any(truth or pred for truth, pred in frames)
)


def boxes(objects: dict[int, tuple[float, float]]) -> np.ndarray[Any, Any]:
    return np.array([[x, y, x + 6.0, y + 6.0] for x, y in objects.values()]).reshape(-1, 4)


def renumbered(ids: list[np.ndarray[Any, Any]]) -> tuple[list[np.ndarray[Any, Any]], int]:
    distinct = np.unique(np.concatenate(ids))
    return [np.searchsorted(distinct, each) for each in ids], len(distinct)


def theirs(frames: list[Any]) -> dict[str, dict[str, Any]]:
    from trackeval.datasets._base_dataset import _BaseDataset
    from trackeval.metrics import CLEAR, HOTA, VACE, Identity

    truth, n_truth = renumbered([np.array(list(t), int) for t, _ in frames])
    pred, n_pred = renumbered([np.array(list(p), int) for _, p in frames])
    data = {
        "gt_ids": truth,
        "tracker_ids": pred,
        "similarity_scores": [
            _BaseDataset._calculate_box_ious(boxes(t), boxes(p), box_format="x0y0x1y1")
            for t, p in frames
        ],
        "num_gt_ids": n_truth,
        "num_tracker_ids": n_pred,
        "num_gt_dets": sum(map(len, truth)),
        "num_tracker_dets": sum(map(len, pred)),
        "num_timesteps": len(frames),
        "seq": "s",
    }
    quiet = {"PRINT_CONFIG": False}
    with contextlib.redirect_stdout(io.StringIO()):
        metrics = {
            "hota": HOTA(),
            "clear": CLEAR(quiet),
            "identity": Identity(quiet),
            "vace": VACE(),
        }
        return {name: metric.eval_sequence(data) for name, metric in metrics.items()}


def ours(frames: list[Any], *, one_by_one: bool) -> dict[str, Any]:
    metric = Tracking(metrics=list(FAMILIES))
    sides = [
        [
            Tracks.from_xyxy(
                boxes(objects),
                track_id=np.array(list(objects), int),
                frame=number,
                sequence="s",
            )
            for objects in frame
        ]
        for number, frame in enumerate(frames, 1)
    ]
    if one_by_one:
        for truth, pred in reversed(sides):
            metric.update(truth, pred)
    else:
        joined = [
            Tracks.from_xyxy(
                np.concatenate([boxes(frame[k]) for frame in frames]),
                track_id=np.concatenate([np.array(list(frame[k]), int) for frame in frames]),
                frame=np.repeat(np.arange(1, len(frames) + 1), [len(frame[k]) for frame in frames]),
                sequence="s",
                n_frames=len(frames),
            )
            for k in (0, 1)
        ]
        metric.update(*joined)
    (of_class,) = trackeval_numbers(metric.compute()).values()
    return dict(of_class["s"])


@settings(max_examples=400, deadline=None)
@given(SEQUENCE, st.booleans())
def test_every_number(frames: list[Any], one_by_one: bool) -> None:
    wanted, found = theirs(frames), ours(frames, one_by_one=one_by_one)
    for family in FAMILIES:
        for name, value in wanted[family].items():
            np.testing.assert_array_equal(
                np.asarray(found[family][name], float), np.asarray(value, float), err_msg=name
            )
