"""Real masks of MOTS20: TrackEval's similarities, J and F; areas that pycocotools finds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen.errors import IdError, SchemaError
from snellen.readers.track_mots import decode_mots, read_mots
from snellen.rle_masks import RleMasks
from snellen.tracking.j_and_f import JAndF
from snellen.tracking.mask_pairs import mask_pairs
from snellen.tracking.tracks import Tracks

# Of pycocotools 2.0.11 under NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
N_FRAMES = 60


@pytest.fixture(scope="module")
def files(conformance_data: Path) -> dict[str, Path]:
    folder = conformance_data / "tracking/mots"
    return {
        "truth": folder / "gt/mot_challenge/MOTS-train/MOTS20-05/gt/gt.txt",
        "pred": folder / "trackers/mot_challenge/MOTS-train/perturbed/data/MOTS20-05.txt",
    }


@pytest.fixture(scope="module")
def sides(files: dict[str, Path]) -> dict[str, Tracks]:
    return {
        "truth": read_mots(files["truth"], side="truth", sequence="05", n_frames=N_FRAMES),
        "pred": read_mots(files["pred"], side="pred", sequence="05", n_frames=N_FRAMES),
    }


def lines(path: Path) -> list[list[str]]:
    """Return the cells of a file, in the order of frames."""
    rows = [line.split() for line in path.read_text().splitlines()]
    return sorted(rows, key=lambda row: int(row[0]))


def coco(row: list[str]) -> dict[str, Any]:
    return {"size": [int(row[3]), int(row[4])], "counts": row[5].encode()}


def masks_of(tracks: Tracks) -> RleMasks:
    assert isinstance(tracks.shape, RleMasks)
    return tracks.shape


def begins(tracks: Tracks) -> Any:
    return np.searchsorted(tracks.frame, np.arange(1, N_FRAMES + 2)).astype(np.int64)


@pytest.mark.parametrize("side", ["truth", "pred"])
def test_rows(files: dict[str, Path], sides: dict[str, Tracks], side: str) -> None:
    mask_api = pytest.importorskip("pycocotools.mask")
    rows, tracks = lines(files[side]), sides[side]
    assert tracks.frame.tolist() == [int(row[0]) for row in rows]
    assert tracks.track.tolist() == [int(row[1]) for row in rows]
    if side == "truth":
        assert tracks.region is not None
        assert tracks.region.tolist() == [int(row[2] == "10") for row in rows]
        assert tracks.region.sum() == 60
    masks = masks_of(tracks)
    theirs = [coco(row) for row in rows]
    assert masks.texts() == [each["counts"] for each in theirs]
    # One by one: pycocotools 2.0.11 counts masks in 8 bits under NumPy 2.
    assert masks.areas().tolist() == [int(mask_api.area(each)) for each in theirs]
    assert masks.boxes().tolist() == mask_api.toBbox(theirs).tolist()
    again = RleMasks.from_arrays(masks.to_arrays())
    assert np.array_equal(again.runs, masks.runs)


def test_similarities(files: dict[str, Path], sides: dict[str, Tracks]) -> None:
    """Of every pair of every frame what TrackEval's own function gives."""
    datasets = pytest.importorskip("trackeval.datasets._base_dataset")
    pytest.importorskip("pycocotools")
    similarity_of = datasets._BaseDataset._calculate_mask_ious
    by_frame: dict[str, list[list[Any]]] = {}
    for name, path in files.items():
        by_frame[name] = [[] for _ in range(N_FRAMES)]
        for row in lines(path):
            by_frame[name][int(row[0]) - 1].append(coco(row))
    truth, pred = sides["truth"], sides["pred"]
    frames = begins(truth), begins(pred)
    n_pairs = 0
    for kind in ("iou", "ioa_pred"):
        begin, other, similarity = mask_pairs(masks_of(truth), masks_of(pred), *frames, kind=kind)
        dense = np.zeros((len(truth), len(pred)))
        dense[np.repeat(np.arange(len(truth)), np.diff(begin)), other] = similarity
        for t in range(N_FRAMES):
            ours = dense[frames[0][t] : frames[0][t + 1], frames[1][t] : frames[1][t + 1]]
            one, two = by_frame["truth"][t], by_frame["pred"][t]
            if kind == "iou":
                wanted = similarity_of(one, two, is_encoded=True)
            else:
                wanted = similarity_of(two, one, is_encoded=True, do_ioa=True).T
            assert np.array_equal(ours, wanted)
            n_pairs += int(np.count_nonzero(wanted))
    assert n_pairs > 500


def test_j_and_f(files: dict[str, Path], sides: dict[str, Tracks]) -> None:
    """The masks of pedestrians; regions to ignore are of no side here."""
    metrics = pytest.importorskip("trackeval.metrics")
    for package in ("pycocotools", "skimage", "cv2"):
        pytest.importorskip(package)
    data: dict[str, Any] = {"num_timesteps": N_FRAMES}
    for side, theirs in (("truth", "gt"), ("pred", "tracker")):
        rows = [row for row in lines(files[side]) if row[2] == "2"]
        ids = sorted({int(row[1]) for row in rows})
        data[f"num_{theirs}_ids"] = len(ids)
        data[f"{theirs}_ids"] = [
            np.array([ids.index(int(row[1])) for row in rows if int(row[0]) == t + 1], int)
            for t in range(N_FRAMES)
        ]
        data[f"{theirs}_dets"] = [
            [coco(row) for row in rows if int(row[0]) == t + 1] for t in range(N_FRAMES)
        ]
    wanted = metrics.JAndF().eval_sequence(data)
    truth = sides["truth"]
    assert truth.region is not None
    result = JAndF().update(truth[truth.region == 0], sides["pred"]).compute()
    (ours,) = result.per_sequence()
    for their_name, our_name in (
        ("J-Mean", "J_mean"),
        ("J-Recall", "J_recall"),
        ("J-Decay", "J_decay"),
        ("F-Mean", "F_mean"),
        ("F-Recall", "F_recall"),
        ("F-Decay", "F_decay"),
        ("J&F", "J_and_F"),
    ):
        assert ours[our_name] == wanted[their_name], our_name
    assert ours["n_objects"] == wanted["num_gt_tracks"]


def test_damage_is_named(files: dict[str, Path]) -> None:
    """A real file with one line spoilt."""
    rows = files["truth"].read_text().splitlines()
    line = rows[99]
    for spoilt, error, message in (
        (line[:-3], SchemaError, "of the mask)"),
        (line.replace(" 480 ", " 481 "), SchemaError, "307840 pixels, got 307200"),
        (rows[98], IdError, "twice in frame"),
    ):
        damaged = [*rows[:99], spoilt, *rows[100:]]
        with pytest.raises(error, match=re.escape(message)) as refused:
            decode_mots("\n".join(damaged).encode(), "gt.txt", side="truth", sequence="05")
        assert str(refused.value).endswith("gt.txt line 100")
