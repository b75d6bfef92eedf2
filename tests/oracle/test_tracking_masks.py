"""Random masks in the layouts of MOTS20 and KITTI MOTS, through TrackEval and through our readers.

Small pictures, so that overlaps tie and lie right at the thresholds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.trackeval_runs import TRACKER, evaluated, expect_equal, run_trackeval, total

pytest.importorskip("trackeval")
coco_mask: Any = pytest.importorskip("pycocotools.mask")

SIZE = 24
N_FRAMES = 8
METRICS = ("hota", "clear", "identity", "count")
REFERENCE_METRICS = ("HOTA", "CLEAR", "Identity")
REGION = 10
PRED_CLASSES = (1, 2)


def painted(random: np.random.Generator, n: int, free: Any) -> list[Any]:
    """Return up to n rectangles, none over another or over what is not free."""
    masks = []
    for _ in range(n):
        y, x = random.integers(0, 16, 2)
        height, width = random.integers(2, 9, 2)
        mask = np.zeros((SIZE, SIZE), np.bool_)
        mask[y : y + height, x : x + width] = True
        mask &= free
        if mask.any():
            free &= ~mask
            masks.append(mask)
    return masks


def followed(random: np.random.Generator, masks: list[Any]) -> dict[int, Any]:
    """Return predictions of masks by their places: shifted, or a half, and none over another."""
    free = np.ones((SIZE, SIZE), np.bool_)
    found = {}
    for k, mask in enumerate(masks):
        moved = mask.copy()
        if random.random() < 0.6:
            moved = np.roll(mask, random.integers(-1, 2, 2).tolist(), (0, 1))
        else:
            columns = np.flatnonzero(mask.any(axis=0))
            moved[:, columns[: len(columns) // 2]] = False
        moved &= free
        if moved.any():
            free &= ~moved
            found[k] = moved
    return found


def line(frame: int, class_id: int, number: int, mask: Any) -> str:
    counts = coco_mask.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"].decode()
    return f"{frame} {1000 * class_id + number} {class_id} {SIZE} {SIZE} {counts}\n"


def sequence(seed: int, first_frame: int, classes: tuple[int, ...]) -> tuple[str, str]:
    """Return the lines of truth and of predictions."""
    random = np.random.default_rng(seed)
    truth, pred = [], []
    for frame in range(first_frame, first_frame + N_FRAMES):
        free = np.ones((SIZE, SIZE), np.bool_)
        masks = painted(random, int(random.integers(0, 8)), free)
        ids = (random.permutation(len(masks)) + 1).tolist()
        of_class = random.choice(classes, len(masks) + 3).tolist()
        for k, mask in enumerate(masks):
            is_region = k == 0 and random.random() < 0.6
            class_id = REGION if is_region else of_class[k]
            truth.append(line(frame, class_id, 0 if is_region else ids[k], mask))
        ghosts = painted(random, 3, np.ones((SIZE, SIZE), np.bool_))
        for k, mask in followed(random, masks + ghosts).items():
            # A track stays with its place in the list, and has its object's class, mostly.
            number = k + 1 if random.random() < 0.9 else k + 20
            class_id = of_class[k] if random.random() < 0.9 else int(random.choice(PRED_CLASSES))
            pred.append(line(frame, class_id, number, mask))
    return "".join(truth), "".join(pred)


@pytest.mark.parametrize("seed", range(6))
def test_kitti_mots(tmp_path: Path, seed: int) -> None:
    """Cars and pedestrians, and regions to be ignored; the list has the last frame's number."""
    truth, pred = tmp_path / "gt", tmp_path / "trackers"
    (truth / "label_02").mkdir(parents=True)
    (pred / TRACKER / "data").mkdir(parents=True)
    names = ["0002", "0011", "0007"]
    # One sequence has frames beyond those of any object.
    last = {name: N_FRAMES - 1 + 3 * (name == "0011") for name in names}
    lines = "".join(f"{name} empty 000000 {last[name]:06}\n" for name in names)
    (truth / "evaluate_mots.seqmap.val").write_text(lines)
    for k, name in enumerate(names):
        sides = sequence(10 * seed + k, 0, (1, 2))
        (truth / "label_02" / f"{name}.txt").write_text(sides[0])
        (pred / TRACKER / "data" / f"{name}.txt").write_text(sides[1])
    reference = run_trackeval(
        "KittiMOTS",
        tmp_path,
        metrics=REFERENCE_METRICS,
        combine_classes=True,
        GT_FOLDER=str(truth),
        TRACKERS_FOLDER=str(pred),
        SPLIT_TO_EVAL="val",
    )
    result = evaluated(truth, pred, "kitti-mots", metrics=METRICS)
    expect_equal(result, reference)
    assert reference.numbers["COMBINED_SEQ"]["car"]["CLEAR"]["CLR_Frames"] == 3 * N_FRAMES + 3
    assert result.data["n_pred_left_out"] > 0
    assert total(result, "clear", "IDSW") > 0
    assert total(result, "clear", "CLR_TP") > 10


@pytest.mark.parametrize("seed", range(6))
def test_mots20(tmp_path: Path, seed: int) -> None:
    """Pedestrians; cars do not count."""
    truth, pred = tmp_path / "gt", tmp_path / "trackers"
    split = "MOTS-train"
    (truth / "seqmaps").mkdir(parents=True)
    names = ["MOTS20-09", "MOTS20-02"]
    lines = "".join(f"{name}\n" for name in names)
    (truth / "seqmaps" / f"{split}.txt").write_text(f"name\n{lines}")
    data = pred / split / TRACKER / "data"
    data.mkdir(parents=True)
    for k, name in enumerate(names):
        folder = truth / split / name
        (folder / "gt").mkdir(parents=True)
        (folder / "seqinfo.ini").write_text(f"[Sequence]\nname={name}\nseqLength={N_FRAMES + k}\n")
        sides = sequence(1000 + 10 * seed + k, 1, (2, 2, 1) if seed % 2 else (2,))
        (folder / "gt" / "gt.txt").write_text(sides[0])
        (data / f"{name}.txt").write_text(sides[1])
    reference = run_trackeval(
        "MOTSChallenge",
        tmp_path,
        metrics=REFERENCE_METRICS,
        GT_FOLDER=str(truth),
        TRACKERS_FOLDER=str(pred),
    )
    result = evaluated(truth, pred, "mots", metrics=METRICS)
    expect_equal(result, reference)
    assert (
        reference.numbers["COMBINED_SEQ"]["pedestrian"]["CLEAR"]["CLR_Frames"] == 2 * N_FRAMES + 1
    )
    assert result.data["n_pred_left_out"] > 0
    assert total(result, "clear", "IDSW") > 0
    assert total(result, "clear", "CLR_TP") > 10
