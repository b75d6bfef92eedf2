"""KITTI's own sequences: what is read is what TrackEval counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen.readers.track_kitti import KITTI_CLASSES, read_kitti_tracks
from snellen.tracking.shapes import Boxes2D, Boxes3D

SEQUENCES = ("0000", "0002", "0003", "0005", "0010", "0012", "0014", "0018")


def lengths(folder: Path) -> dict[str, int]:
    lines = (folder / "gt/evaluate_tracking.seqmap.training").read_text().split("\n")
    return {fields[0]: int(fields[3]) for line in lines if (fields := line.split())}


@pytest.mark.parametrize("name", SEQUENCES)
def test_truth_that_counts(conformance_data: Path, name: str) -> None:
    folder = conformance_data / "tracking/kitti"
    file = conformance_data / "tracking/expected/trackeval_kitti_CIWT.json"
    wanted = json.loads(file.read_text())["results"][name]
    tracks = read_kitti_tracks(
        folder / f"gt/label_02/{name}.txt", truth=True, n_frames=lengths(folder)[name]
    )
    assert tracks.region is not None
    for class_name, families in wanted.items():
        if class_name not in KITTI_CLASSES.names:
            continue
        counted = (
            (tracks.label == KITTI_CLASSES.names.index(class_name))
            & (tracks.region == 0)
            & (tracks.extra["occlusion"] <= 2)
            & (tracks.extra["truncation"] <= 0)
        )
        assert counted.sum() == families["Count"]["GT_Dets"]
        assert len(set(tracks.track[counted].tolist())) == families["Count"]["GT_IDs"]


@pytest.mark.parametrize("name", SEQUENCES)
def test_all_columns(conformance_data: Path, name: str) -> None:
    datasets: Any = pytest.importorskip("trackeval.datasets")
    folder = conformance_data / "tracking/kitti"
    n_frames = lengths(folder)[name]
    theirs = datasets.Kitti2DBox(
        {
            "GT_FOLDER": str(folder / "gt"),
            "TRACKERS_FOLDER": str(folder / "trackers"),
            "PRINT_CONFIG": False,
        }
    )
    raw = theirs.get_raw_seq_data("CIWT", name)
    truth = read_kitti_tracks(folder / f"gt/label_02/{name}.txt", truth=True, n_frames=n_frames)
    pred = read_kitti_tracks(
        folder / f"trackers/CIWT/data/{name}.txt", truth=False, n_frames=n_frames
    )
    assert truth.region is not None
    for tracks, rows, side in ((truth, truth.region == 0, "gt"), (pred, slice(None), "tracker")):
        assert isinstance(tracks.shape, Boxes2D)
        assert len(raw[f"{side}_ids"]) == n_frames
        frame = np.repeat(np.arange(n_frames), [len(ids) for ids in raw[f"{side}_ids"]])
        assert tracks.frame[rows].tolist() == frame.tolist()
        for column, theirs_of in (
            (tracks.track, "ids"),
            (tracks.label + 1, "classes"),
            (tracks.shape.xyxy, "dets"),
        ):
            joined = np.concatenate(raw[f"{side}_{theirs_of}"])
            assert column[rows].tolist() == joined.tolist()
    assert pred.score is not None
    assert pred.score.tolist() == np.concatenate(raw["tracker_confidences"]).tolist()
    areas = np.concatenate(raw["gt_crowd_ignore_regions"])
    assert isinstance(truth.shape, Boxes2D)
    assert truth.shape.xyxy[truth.region == 1].tolist() == areas.tolist()


def test_boxes_in_space(conformance_data: Path) -> None:
    """In our axes what the camera sees lies ahead, and stands on ground that is below."""
    file = conformance_data / "tracking/kitti/gt/label_02/0000.txt"
    tracks = read_kitti_tracks(file, truth=True, boxes="space")
    flat = read_kitti_tracks(file, truth=True)
    assert flat.region is not None
    assert len(tracks) == np.count_nonzero(flat.region == 0)
    assert isinstance(tracks.shape, Boxes3D)
    # The camera is mounted at 1.65 m.
    assert tracks.shape.rows[:, 0].min() > -3
    bottom = tracks.shape.rows[:, 2] - tracks.shape.rows[:, 5] / 2
    assert -2.5 < np.median(bottom) < -1
