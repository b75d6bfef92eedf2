"""TAO's rules for HOTA, CLEAR and Identity: which predictions are wrong where truth has gaps.

Against TrackEval's own data set class over files, and against the rule written out once more, over
columns.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.track_scenes import Rows, Scene, scene
from tests.trackeval_runs import TRACKER, evaluated, expect_equal, run_trackeval, total

from snellen import JudgedClasses, Tracking, Tracks
from snellen.tracking.trackeval_files import trackeval_numbers

trackeval = pytest.importorskip("trackeval")
optimize: Any = pytest.importorskip("scipy.optimize")

NAMES = ["cup", "bag", "dog", "hat"]
EPS = np.finfo(np.float64).eps
Judged = dict[str, tuple[set[int], set[int]]]


def of_one_class(rows: Rows) -> Rows:
    """Return rows of which each track has one class: that of its first row."""
    label = rows.label.copy()
    for track in set(rows.track.tolist()):
        of_track = rows.track == track
        label[of_track] = label[of_track][0]
    return Rows(rows.frame, rows.track, rows.xywh, label)


def scenes_of(seed: int) -> dict[str, Scene]:
    """Return videos, of which one has no predictions; the last class is rare in truth."""
    found = {}
    for k, name in enumerate(("b", "a/1", "c")):
        each = scene(4000 + 10 * seed + k, n_labels=len(NAMES), n_objects=10, grid=k != 2)
        truth, pred = of_one_class(each.truth), of_one_class(each.pred)
        if k == 1:
            truth = truth[truth.label != len(NAMES) - 1]
        found[name] = Scene(each.n_frames, truth, pred[:0] if k == 2 and seed % 2 else pred)
    return found


def judged_of(random: np.random.Generator, scenes: dict[str, Scene]) -> Judged:
    """Return which classes are absent, and of which there may be more, by video."""
    found = {}
    for name, each in scenes.items():
        present = set(each.truth.label.tolist())
        absent = {k for k in range(len(NAMES)) if k not in present and random.random() < 0.5}
        more = {k for k in range(len(NAMES)) if random.random() < 0.4}
        found[name] = (absent, more)
    return found


def write_tao(
    home: Path, scenes: dict[str, Scene], judged: Judged, *, step: int
) -> tuple[Path, Path]:
    """Write truth and predictions as TAO has them: every so many-th frame of a film is an image."""
    truth, pred = home / "gt", home / "trackers"
    truth.mkdir()
    (pred / TRACKER / "data").mkdir(parents=True)
    document: dict[str, list[Any]] = {
        "categories": [{"id": k + 1, "name": name} for k, name in enumerate(NAMES)],
        **{key: [] for key in ("videos", "images", "annotations", "tracks")},
    }
    results = []
    for v, (name, each) in enumerate(scenes.items(), 1):
        absent, more = judged[name]
        document["videos"].append(
            {
                "id": v,
                "name": name,
                "width": 640,
                "height": 480,
                "neg_category_ids": [k + 1 for k in sorted(absent)],
                "not_exhaustive_category_ids": [k + 1 for k in sorted(more)],
            }
        )
        for t in range(each.n_frames):
            document["images"].append(
                {
                    "id": 1000 * v + t,
                    "video_id": v,
                    "frame_index": step * t,
                    "file_name": f"{t}.jpg",
                }
            )
        for side, rows in (("truth", each.truth), ("pred", each.pred)):
            for frame, track, box, label in zip(*rows.columns, strict=True):
                record = {
                    "image_id": int(1000 * v + frame),
                    "video_id": v,
                    "track_id": int(100_000 * v + track),
                    "category_id": int(label) + 1,
                    "bbox": [float(value) for value in box],
                }
                if side == "truth":
                    record |= {"id": len(document["annotations"]) + 1, "iscrowd": 0}
                    document["annotations"].append(record)
                else:
                    results.append(record | {"score": 0.5})
    for record in {each["track_id"]: each for each in document["annotations"]}.values():
        kept = ("category_id", "video_id")
        document["tracks"].append({"id": record["track_id"], **{key: record[key] for key in kept}})
    (truth / "truth.json").write_text(json.dumps(document))
    (pred / TRACKER / "data" / "results.json").write_text(json.dumps(results))
    return truth / "truth.json", pred / TRACKER / "data" / "results.json"


@pytest.mark.parametrize("step", [1, 30])
@pytest.mark.parametrize("seed", range(6))
def test_tao_files(tmp_path: Path, seed: int, step: int) -> None:
    random = np.random.default_rng(seed)
    scenes = scenes_of(seed)
    truth, pred = write_tao(tmp_path, scenes, judged_of(random, scenes), step=step)
    reference = run_trackeval(
        "TAO",
        tmp_path,
        metrics=("HOTA", "CLEAR", "Identity"),
        GT_FOLDER=str(truth.parent),
        TRACKERS_FOLDER=str(tmp_path / "trackers"),
    )
    metrics = ("hota", "clear", "identity", "count")
    result = evaluated(truth, pred, "tao", metrics=metrics, tracker=None)
    expect_equal(result, reference)
    assert set(NAMES) < set(reference.numbers["COMBINED_SEQ"])
    assert result.data["n_pred_left_out"] > 0
    assert total(result, "clear", "CLR_FP") > 0
    assert total(result, "clear", "IDSW") > 0


# ---- The rule once more --------------------------------------------------------------------------


def box_ious(truth: Any, pred: Any) -> Any:
    """Return TrackEval's IoUs of boxes (left, top, width, height)."""
    calculate = trackeval.datasets._base_dataset._BaseDataset._calculate_box_ious
    return calculate(truth, pred, box_format="xywh")


def kept_preds(truth: Any, pred: Any, nobody_looked: bool, unmatched_count: bool) -> Any:
    """Return which predictions of a class in a frame count: all, or those matched to truth."""
    if nobody_looked:
        return np.zeros(len(pred), np.bool_)
    if unmatched_count:
        return np.ones(len(pred), np.bool_)
    kept = np.zeros(len(pred), np.bool_)
    if len(truth) and len(pred):
        score = box_ious(truth, pred)
        score[score < 0.5 - EPS] = 0
        rows, columns = optimize.linear_sum_assignment(-score)
        kept[columns[score[rows, columns] > EPS]] = True
    return kept


def counted_frames(each: Scene, label: int, absent: bool, more: bool) -> dict[str, Any]:
    """Return what TrackEval's metrics are given of a video and a class."""
    data: dict[str, Any] = {"gt_ids": [], "tracker_ids": [], "similarity_scores": []}
    for frame in range(each.n_frames):
        in_truth = each.truth[each.truth.frame == frame]
        truth = in_truth[in_truth.label == label]
        pred = each.pred[(each.pred.frame == frame) & (each.pred.label == label)]
        pred = pred[
            kept_preds(
                truth.xywh,
                pred.xywh,
                # An image without any truth was not looked at.
                nobody_looked=not len(in_truth),
                unmatched_count=(absent or len(truth) > 0) and not more,
            )
        ]
        data["gt_ids"].append(truth.track)
        data["tracker_ids"].append(pred.track)
        data["similarity_scores"].append(box_ious(truth.xywh, pred.xywh))
    data["num_timesteps"] = each.n_frames
    for side in ("gt", "tracker"):
        of_frames = data[f"{side}_ids"]
        ids = sorted({track for tracks in of_frames for track in tracks.tolist()})
        data[f"{side}_ids"] = [np.searchsorted(ids, tracks).astype(int) for tracks in of_frames]
        data[f"num_{side}_ids"] = len(ids)
        data[f"num_{side}_dets"] = sum(map(len, of_frames))
    return data


def tracks_of(name: str, rows: Rows, n_frames: int) -> Tracks:
    return Tracks.from_xywh(
        rows.xywh,
        track_id=rows.track,
        frame=rows.frame,
        label=rows.label,
        classes=NAMES,
        sequence=name,
        n_frames=n_frames,
    )


@pytest.mark.parametrize("seed", range(20))
def test_the_rule_over_columns(seed: int) -> None:
    random = np.random.default_rng(100 + seed)
    each = scene(9000 + seed, n_labels=len(NAMES), n_objects=10, grid=seed % 4 != 3)
    absent, more = ({k for k in range(len(NAMES)) if random.random() < 0.4} for _ in "ab")
    judged = JudgedClasses(
        negative=frozenset(("v", k) for k in absent),
        not_exhaustive=frozenset(("v", k) for k in more),
    )
    metric = Tracking(metrics=["hota", "clear", "identity"], protocol="tao")
    truth, pred = (tracks_of("v", rows, each.n_frames) for rows in (each.truth, each.pred))
    numbers = trackeval_numbers(metric.update(truth, pred, judged).compute())
    quiet = {"PRINT_CONFIG": False}
    reference = {
        "hota": trackeval.metrics.HOTA(),
        "clear": trackeval.metrics.CLEAR(quiet),
        "identity": trackeval.metrics.Identity(quiet),
    }
    n_left_out = 0
    for k, name in enumerate(NAMES):
        data = counted_frames(each, k, k in absent, k in more)
        n_left_out += int((each.pred.label == k).sum()) - data["num_tracker_dets"]
        for family, of_reference in reference.items():
            for field, wanted in of_reference.eval_sequence(data).items():
                got = np.asarray(numbers[name]["v"][family][field], np.float64)
                assert np.array_equal(got, np.asarray(wanted, np.float64)), (name, family, field)
    assert n_left_out > 0
    assert metric.compute().data["n_pred_left_out"] == n_left_out
