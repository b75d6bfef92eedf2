"""Random data sets in the layouts of benchmarks, through TrackEval and through our readers.

Every number of every family, of each sequence and of all, must be the same to the last bit, and so
must the files that are written.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.track_scenes import Rows, Scene, scene
from tests.trackeval_runs import TRACKER, evaluated, expect_equal, run_trackeval, total

from snellen.tracking.trackeval_files import trackeval_numbers

trackeval = pytest.importorskip("trackeval")

# ---- MOTChallenge and what is written like it ----------------------------------------------------


def mot_lines(rows: Rows, *columns: Any) -> str:
    """Return lines of MOT text; whole numbers without a point, others in full."""
    lines = []
    for i in np.arange(len(rows)).tolist():
        values = [rows.frame[i] + 1, rows.track[i], *rows.xywh[i], *(c[i] for c in columns)]
        lines.append(",".join(f"{float(value):.17g}" for value in values))
    return "".join(f"{line}\n" for line in lines)


def write_mot(
    home: Path, split: str, scenes: dict[str, Scene], classes: list[int], seed: int
) -> tuple[Path, Path]:
    """Write sequences as TrackEval wants them: truth of some classes, with zero-marked rows."""
    random = np.random.default_rng(seed)
    truth, pred = home / "gt", home / "trackers"
    (truth / "seqmaps").mkdir(parents=True)
    names = "".join(f"{name}\n" for name in scenes)
    (truth / "seqmaps" / f"{split}.txt").write_text(f"name\n{names}")
    for name, each in scenes.items():
        folder = truth / split / name
        (folder / "gt").mkdir(parents=True)
        (folder / "seqinfo.ini").write_text(f"[Sequence]\nname={name}\nseqLength={each.n_frames}\n")
        label = np.array(classes)[each.truth.label]
        n = len(each.truth)
        # A flag of 0.5 is cut to 0.
        flag = random.choice([1.0, 1.0, 1.0, 1.0, 0.0, 0.5], n)
        visibility = random.choice([1.0, 0.5, 0.25, 0.0], n)
        (folder / "gt" / "gt.txt").write_text(mot_lines(each.truth, flag, label, visibility))
        data = pred / split / TRACKER / "data"
        data.mkdir(parents=True, exist_ok=True)
        confidence = random.random(len(each.pred))
        minus = np.full(len(each.pred), -1)
        (data / f"{name}.txt").write_text(mot_lines(each.pred, confidence, minus, minus, minus))
    return truth, pred


def with_far_predictions(each: Scene, labels: list[int]) -> Scene:
    """Return a sequence with more predictions in its first frame, where nothing else is."""
    n = len(labels)
    far = Rows(
        np.zeros(n, np.int64),
        9000 + np.arange(n),
        np.array([[1000.0 + 50 * i, 0, 8, 8] for i in range(n)]),
        np.array(labels),
    )
    pred = Rows(
        *(np.concatenate(pair) for pair in zip(each.pred.columns, far.columns, strict=True))
    )
    return each._replace(pred=pred)


def mot_scenes(seed: int, n_labels: int, **options: Any) -> dict[str, Scene]:
    """Return sequences of all sizes: without truth, without predictions, with one frame."""
    scenes = {
        "B-02": scene(100 * seed, n_labels=n_labels, **options),
        "A-10": scene(100 * seed + 1, n_labels=n_labels, n_objects=12, size=6, **options),
        "A-9": scene(100 * seed + 2, n_labels=n_labels, n_objects=2, n_frames=30, **options),
        "C": scene(
            100 * seed + 3,
            n_labels=n_labels,
            n_frames=1,
            n_objects=4,
            **{**options, "empty_frames": False},
        ),
    }
    # VACE fails there for a sequence of which nothing is left.
    scenes = {name: with_far_predictions(each, [0]) for name, each in scenes.items()}
    rich = scene(100 * seed + 4, n_labels=n_labels, **options)
    of_first = dataclasses.replace(rich.truth, label=np.zeros_like(rich.truth.label))
    scenes["no predictions"] = rich._replace(truth=of_first, pred=rich.pred[:0])
    scenes["no truth"] = rich._replace(truth=rich.truth[:0])
    return scenes


# Protocol: benchmark, and the classes of truth; the first comes often.
MOT = {
    "mot15": ("MOT15", [1, 1, 2]),
    "mot16": ("MOT16", [1, 1, 1, 2, 3, 7, 8, 12, 13]),
    "mot17": ("MOT17", [1, 1, 1, 1, 2, 4, 6, 7, 8, 9, 10, 11, 12]),
    "mot20": ("MOT20", [1, 1, 1, 2, 6, 6, 7, 13]),
    "dancetrack": ("DANCE", [1, 1, 8]),
    "sportsmot": ("SPORTS", [1]),
}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("protocol", MOT)
def test_mot_challenge(tmp_path: Path, protocol: str, seed: int) -> None:
    benchmark, classes = MOT[protocol]
    scenes = mot_scenes(seed, len(classes), grid=seed % 4 != 3)
    truth, pred = write_mot(tmp_path, f"{benchmark}-train", scenes, classes, seed)
    reference = run_trackeval(
        "MotChallenge2DBox",
        tmp_path,
        GT_FOLDER=str(truth),
        TRACKERS_FOLDER=str(pred),
        BENCHMARK=benchmark,
    )
    result = evaluated(truth, pred, protocol)
    expect_equal(result, reference)
    # The data are worth comparing.
    assert total(result, "clear", "IDSW") > 0
    assert total(result, "clear", "Frag") > 0
    assert result.data["n_truth_left_out"] > 0
    distractors = protocol not in ("mot15", "sportsmot")
    assert (result.data["n_pred_left_out"] > 0) == distractors


@pytest.mark.parametrize("seed", range(3))
def test_larger_sequences_full_of_ties(tmp_path: Path, seed: int) -> None:
    """Crowds of boxes of the same size on few places, over many frames."""
    scenes = {
        "S": scene(7000 + seed, n_labels=4, n_frames=40, n_objects=25, size=4),
        "T": scene(8000 + seed, n_labels=4, n_frames=80, n_objects=12, size=4),
    }
    classes = [1, 1, 1, 8]
    truth, pred = write_mot(tmp_path, "MOT17-train", scenes, classes, seed)
    reference = run_trackeval(
        "MotChallenge2DBox",
        tmp_path,
        GT_FOLDER=str(truth),
        TRACKERS_FOLDER=str(pred),
        BENCHMARK="MOT17",
    )
    expect_equal(evaluated(truth, pred, "mot17"), reference)


@pytest.mark.parametrize("seed", range(4))
def test_person_path(tmp_path: Path, seed: int) -> None:
    """Crowds, class 13, take away what lies in them, matched or not."""
    classes = [1, 1, 1, 2, 7, 13]
    scenes = mot_scenes(50 + seed, len(classes), grid=seed != 3)
    truth, pred = write_mot(tmp_path, "person_path_22-test", scenes, classes, seed)
    reference = run_trackeval(
        "PersonPath22", tmp_path, GT_FOLDER=str(truth), TRACKERS_FOLDER=str(pred)
    )
    expect_equal(evaluated(truth, pred, "personpath22"), reference)


@pytest.mark.parametrize("seed", range(4))
def test_head_tracking(tmp_path: Path, seed: int) -> None:
    """Truth in every frame: without it the package fails."""
    classes = [1, 1, 1, 2, 3, 4]
    options: dict[str, Any] = {
        "n_labels": len(classes),
        "grid": seed != 3,
        "empty_frames": False,
        "n_objects": 9,
    }
    scenes = {name: scene(900 + 10 * seed + k, **options) for k, name in enumerate("QPR")}
    scenes["no predictions"] = scenes["Q"]._replace(pred=scenes["Q"].pred[:0])
    truth, pred = write_mot(tmp_path, "HT-train", scenes, classes, seed)
    reference = run_trackeval(
        "HeadTrackingChallenge", tmp_path, GT_FOLDER=str(truth), TRACKERS_FOLDER=str(pred)
    )
    result = evaluated(truth, pred, "ht21")
    expect_equal(result, reference)
    assert result.data["n_pred_left_out"] > 0


# ---- KITTI ---------------------------------------------------------------------------------------

KITTI_TYPES = [
    "Car",
    "Car",
    "Car",
    "Pedestrian",
    "Pedestrian",
    "Van",
    "Person",
    "Truck",
    "DontCare",
]


def kitti_lines(rows: Rows, random: np.random.Generator, *, is_truth: bool) -> str:
    lines = []
    for frame, track, (x, y, w, h), label in zip(*rows.columns, strict=True):
        kind = KITTI_TYPES[label]
        if kind == "DontCare":
            if not is_truth:
                continue
            track = -1
        truncation = random.choice([0, 0, 0, 1]) if is_truth else -1
        occlusion = random.choice([0, 1, 2, 3]) if is_truth else -1
        # Boxes about as high as the least height that counts.
        corners = " ".join(f"{float(v):.17g}" for v in (x, y, x + w, y + h))
        score = "" if is_truth else f" {random.random():.6f}"
        lines.append(
            f"{frame} {track} {kind} {truncation} {occlusion} -10 {corners} "
            f"-1 -1 -1 -1000 -1000 -1000 -10{score}\n"
        )
    return "".join(lines)


@pytest.mark.parametrize("seed", range(4))
def test_kitti(tmp_path: Path, seed: int) -> None:
    """Vans and sitting persons, occluded ones, low boxes, areas that nobody cares for."""
    random = np.random.default_rng(seed)
    options: dict[str, Any] = {"n_labels": len(KITTI_TYPES), "size": 24, "n_objects": 14}
    scenes = {f"{k:04}": scene(3000 + 10 * seed + k, grid=k != 3, **options) for k in (0, 3, 2, 11)}
    truth, pred = tmp_path / "gt", tmp_path / "trackers"
    (truth / "label_02").mkdir(parents=True)
    (pred / TRACKER / "data").mkdir(parents=True)
    lines = "".join(f"{n} empty 000000 {s.n_frames:06}\n" for n, s in scenes.items())
    (truth / "evaluate_tracking.seqmap.training").write_text(lines)
    for name, each in scenes.items():
        path = truth / "label_02" / f"{name}.txt"
        path.write_text(kitti_lines(each.truth, random, is_truth=True))
        path = pred / TRACKER / "data" / f"{name}.txt"
        path.write_text(kitti_lines(each.pred, random, is_truth=False))
    places: dict[str, Any] = {"GT_FOLDER": str(truth), "TRACKERS_FOLDER": str(pred)}
    three = ("HOTA", "CLEAR", "Identity")
    reference = run_trackeval("Kitti2DBox", tmp_path, metrics=three, combine_classes=True, **places)
    averages = {"cls_comb_cls_av", "cls_comb_det_av"}
    assert set(reference.numbers["COMBINED_SEQ"]) == {"car", "pedestrian", *averages}
    result = evaluated(truth, pred, "kitti", metrics=("hota", "clear", "identity", "count"))
    expect_equal(result, reference)
    assert result.data["n_pred_left_out"] > 0

    # VACE, whose averages over classes make the package fail when it writes files.
    reference = run_trackeval("Kitti2DBox", tmp_path / "vace", metrics=("VACE",), **places)
    result = evaluated(truth, pred, "kitti", metrics=("vace", "count"))
    expect_equal(result, reference, without=averages)
    vace = trackeval.metrics.VACE({"PRINT_CONFIG": False})
    of_classes = {name: each["VACE"] for name, each in reference.numbers["COMBINED_SEQ"].items()}
    numbers = trackeval_numbers(result)
    for average, combine in (
        ("cls_comb_cls_av", vace.combine_classes_class_averaged),
        ("cls_comb_det_av", vace.combine_classes_det_averaged),
    ):
        for name in ("ATA", "SFDA"):
            assert numbers[average]["COMBINED"]["vace"][name] == combine(of_classes)[name]


# ---- BDD100K -------------------------------------------------------------------------------------

BDD_TYPES = [
    *("pedestrian", "rider", "car", "bus", "truck", "train", "motorcycle", "bicycle"),
    *("car", "pedestrian", "other person", "trailer", "other vehicle"),
]


def bdd_frames(each: Scene, rows: Rows, random: np.random.Generator, *, is_truth: bool) -> str:
    frames: list[dict[str, Any]] = [
        {"name": f"{t:07}", "index": t, "labels": []} for t in range(each.n_frames)
    ]
    for frame, track, (x, y, w, h), label in zip(*rows.columns, strict=True):
        entry: dict[str, Any] = {
            "id": str(track),
            "category": BDD_TYPES[label],
            "box2d": {"x1": float(x), "y1": float(y), "x2": float(x + w), "y2": float(y + h)},
        }
        if is_truth:
            entry["attributes"] = {"Crowd": bool(random.random() < 0.1), "Occluded": False}
        else:
            entry["score"] = random.random()
        frames[frame]["labels"].append(entry)
    return json.dumps(frames)


def write_bdd(home: Path, scenes: dict[str, Scene], seed: int) -> tuple[Path, Path]:
    random = np.random.default_rng(seed)
    truth, pred = home / "gt", home / "trackers"
    truth.mkdir()
    (pred / TRACKER / "data").mkdir(parents=True)
    for name, each in scenes.items():
        text = bdd_frames(each, each.truth, random, is_truth=True)
        (truth / f"{name}.json").write_text(text)
        text = bdd_frames(each, each.pred, random, is_truth=False)
        (pred / TRACKER / "data" / f"{name}.json").write_text(text)
    return truth, pred


@pytest.mark.parametrize("n_objects", [6, 40])
@pytest.mark.parametrize("seed", range(3))
def test_bdd(tmp_path: Path, seed: int, n_objects: int) -> None:
    """Eight classes, each for itself and together; crowds and distractors are areas.

    Without VACE, which fails there in averages over classes.
    """
    scenes = {
        name: scene(
            5000 + 10 * seed + k,
            n_labels=len(BDD_TYPES),
            n_objects=n_objects,
            n_frames=10,
            grid=k != 1,
        )
        for k, name in enumerate(("b1", "a2", "a10"))
    }
    truth, pred = write_bdd(tmp_path, scenes, seed)
    reference = run_trackeval(
        "BDD100K",
        tmp_path,
        GT_FOLDER=str(truth),
        TRACKERS_FOLDER=str(pred),
        metrics=("HOTA", "CLEAR", "Identity"),
    )
    result = evaluated(truth, pred, "bdd100k", metrics=("hota", "clear", "identity", "count"))
    assert {"HUMAN", "VEHICLE", "BIKE", "cls_comb_cls_av", "cls_comb_det_av"} < set(
        reference.numbers["COMBINED_SEQ"]
    )
    expect_equal(result, reference)
    assert result.data["n_pred_left_out"] > 0


# ---- IDEucl --------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_share_of_the_way(tmp_path: Path, seed: int) -> None:
    """On data sets whose boxes are corners: of others TrackEval takes no centres."""
    scenes = {
        name: scene(6000 + 10 * seed + k, n_labels=3, n_objects=15, n_frames=20, grid=k != 1)
        for k, name in enumerate("rqp")
    }
    truth, pred = write_bdd(tmp_path, scenes, seed)
    reference = run_trackeval(
        "BDD100K",
        tmp_path,
        GT_FOLDER=str(truth),
        TRACKERS_FOLDER=str(pred),
        metrics=("IDEucl",),
    )
    numbers = trackeval_numbers(evaluated(truth, pred, "bdd100k", metrics=("ideucl",)))
    n_compared = 0
    for sequence, of_classes in reference.numbers.items():
        place = "COMBINED" if sequence == "COMBINED_SEQ" else sequence
        for name in ("pedestrian", "rider", "car", "bus"):
            wanted = of_classes[name]["IDEucl"]["IDEucl"]
            assert numbers[name][place]["ideucl"]["IDEucl"] == wanted, (place, name)
            n_compared += 0 < wanted < 1
    assert n_compared == 12
