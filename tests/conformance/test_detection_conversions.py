"""Real data sets from COCO's files to each other format: what is lost, and the same numbers."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest
from numpy.typing import NDArray

from snellen import AveragePrecision
from snellen.readers.detection_files import (
    ReadBoxes,
    read_detection_predictions,
    read_detection_truth,
)
from snellen.readers.image_heads import without_ending
from snellen.writers.conversion import Conversion, convert_detections
from snellen.writers.source import Source

TARGETS: Final = {
    "coco": "a.json", "yolo": "y", "voc-xml": "v", "voc-results": "r", "box-text": "t",
    "open-images": "a.csv", "kitti": "k", "cvat": "a.xml", "table": "b.csv",
}  # fmt: skip
SETS: Final = {
    "coco": ("detection/coco_val2014_100/gt.json", "detection/coco_val2014_100/fakebbox100.json"),
    "voc": ("voc/rodm_voc100/coco_gt.json", "voc/rodm_voc100/coco_dt.json"),
    "waste": ("detection/medwaste_d2/gt.json", "detection/medwaste_d2/dt.json"),
    "edge": ("detection/fce_small/gt_dataset.json", "detection/fce_small/dt_dataset.json"),
}
Pair = tuple[ReadBoxes, ReadBoxes]


@pytest.mark.parametrize("name", TARGETS)
@pytest.mark.parametrize("data_set", SETS)
def test_conversions(conformance_data: Path, tmp_path: Path, data_set: str, name: str) -> None:
    """Every box comes back, and the numbers of each class at every threshold are the same.

    Not by area, which is that of masks in COCO's files; and crowds, which others lack, are left
    out before.
    """
    files = [conformance_data / path for path in SETS[data_set]]
    if not all(path.is_file() for path in files):
        pytest.skip(f"no files {files}")
    truth_path, targets = tmp_path / "truth.json", [tmp_path / "T", tmp_path / "P"]
    without_crowds(files[0], truth_path)
    truth = read_detection_truth(truth_path, drop_unknown=True)
    pred = read_detection_predictions(files[1], truth)
    names = truth.boxes.classes.display_names()
    assert len(set(names)) == len(names)

    of_truth = "voc-xml" if name == "voc-results" else name
    done = []
    for target, to, source in (
        (targets[0], of_truth, Source(str(truth_path))),
        (targets[1], name, Source(str(files[1]), truth=str(truth_path))),
    ):
        target.mkdir()
        done.append(convert_detections(source, target / TARGETS[to], to, lossy=True))
    read, found = read_back(truth, targets, of_truth, name)

    for before, after in ((truth, read), (pred, found)):
        one, other = by_image_and_class(before), by_image_and_class(after)
        assert one.keys() == other.keys()
        for key, want in one.items():
            np.testing.assert_allclose(other[key], want, rtol=0, atol=1e-10)
    compare(done, (truth, pred), (read, found))


def without_crowds(path: Path, target: Path) -> None:
    document = json.loads(path.read_text())
    kept = [each for each in document["annotations"] if not each.get("iscrowd")]
    document["annotations"] = [{**each, "id": number + 1} for number, each in enumerate(kept)]
    target.write_text(json.dumps(document))


def read_back(truth: ReadBoxes, targets: list[Path], of_truth: str, name: str) -> Pair:
    """Return what was written, with the classes in truth's order."""
    options: dict[str, Any] = {}
    if name in ("box-text", "table"):
        options = {"box": "xywh", "relative": False}
    more: dict[str, Any] = {}
    classes = truth.boxes.classes
    if name == "table":
        more["classes"] = dict(zip(classes.keys.ids.tolist(), classes.display_names(), strict=True))
    elif name not in ("coco", "yolo"):
        words = [each.replace(" ", "_") for each in classes.display_names()]
        more["classes"] = words if name in ("kitti", "box-text") else classes.display_names()
    if name in ("yolo", "open-images", "kitti", "box-text"):
        images = truth.names or tuple(map(str, truth.boxes.images.ids.tolist()))
        assert truth.sizes is not None
        more["images"] = dict(zip(images, map(tuple, truth.sizes.tolist()), strict=True))
    read = read_detection_truth(targets[0] / TARGETS[of_truth], format=of_truth, **options, **more)
    found = read_detection_predictions(targets[1] / TARGETS[name], read, format=name, **options)
    return read, found


def by_image_and_class(read: ReadBoxes) -> dict[tuple[str, str], NDArray[np.float64]]:
    """Return boxes and scores in their order, which every format keeps within a class."""
    boxes = read.boxes
    images = read.names or tuple(map(str, boxes.images.ids.tolist()))
    classes = boxes.classes.display_names()
    score = np.zeros(len(boxes)) if boxes.score is None else boxes.score
    rows = defaultdict(list)
    for image, label, row in zip(
        boxes.image.tolist(), boxes.label.tolist(), np.column_stack([boxes.xywh, score]),
        strict=True,
    ):  # fmt: skip
        rows[without_ending(images[image]), classes[label].replace(" ", "_")].append(row)
    return {key: np.array(each) for key, each in rows.items()}


def compare(done: list[Conversion], before: Pair, after: Pair) -> None:
    one, other = (
        AveragePrecision().update(truth.boxes, pred.boxes).compute()
        for truth, pred in (before, after)
    )
    lost = {loss.what for each in done for loss in each.losses}
    for want, got in (
        (one.precision[..., 0, :], other.precision[..., 0, :]),
        (one.recall[..., 0, :], other.recall[..., 0, :]),
    ):
        assert want.shape == got.shape
        if not lost & {"digits", "empty_images", "image_order"}:
            assert got.tobytes() == want.tobytes()
    # Of whole pixels some IoU lie on thresholds.
    assert other.metrics["AP"] == pytest.approx(one.metrics["AP"], abs=0.01)


def test_losses_of_coco(conformance_data: Path, tmp_path: Path) -> None:
    truth = conformance_data / SETS["coco"][0]
    if not truth.is_file():
        pytest.skip(f"no file {truth}")
    annotations = json.loads(truth.read_text())["annotations"]
    done = convert_detections(Source(str(truth)), tmp_path / "k", "kitti")
    assert not done.is_written
    assert not (tmp_path / "k").exists()
    lost = {loss.what: loss.n for loss in done.losses}
    assert lost["masks"] == len(annotations)
    assert lost["crowds"] == sum(each["iscrowd"] for each in annotations)
    assert lost["areas"] == sum(
        each["area"] != each["bbox"][2] * each["bbox"][3] for each in annotations
    )


@pytest.mark.parametrize("kind", ["mask", "keypoints"])
def test_shapes_of_coco_stay(conformance_data: Path, tmp_path: Path, kind: Any) -> None:
    folder = {"mask": "detection/coco_val2014_100/gt.json",
              "keypoints": "keypoints/coco_val2014_100/gt_rebuilt.json"}[kind]  # fmt: skip
    truth = conformance_data / folder
    if not truth.is_file():
        pytest.skip(f"no file {truth}")
    done = convert_detections(
        Source(str(truth), kind=kind), tmp_path / "a.json", "coco", lossy=kind == "keypoints"
    )
    assert done.is_written
    old, new = (json.loads(path.read_text()) for path in (truth, tmp_path / "a.json"))
    for before, after in zip(old["annotations"], new["annotations"], strict=True):
        for key in ("id", "image_id", "category_id", "bbox", "area", "iscrowd"):
            assert after[key] == before[key]
        if kind == "keypoints":
            assert after["keypoints"] == before["keypoints"]
        elif isinstance(before["segmentation"], list):
            assert after["segmentation"] == before["segmentation"]


def test_masks_have_the_same_numbers(conformance_data: Path, tmp_path: Path) -> None:
    from snellen import read_coco_predictions, read_coco_truth

    folder = conformance_data / "detection/coco_val2014_100"
    files = folder / "gt.json", folder / "fakesegm100.json"
    if not all(path.is_file() for path in files):
        pytest.skip(f"no files {files}")
    copies = tmp_path / "t.json", tmp_path / "p.json"
    convert_detections(Source(str(files[0]), kind="mask"), copies[0], "coco")
    convert_detections(Source(str(files[1]), truth=str(files[0]), kind="mask"), copies[1], "coco")
    results = []
    for truth_path, pred_path in (files, copies):
        truth = read_coco_truth(truth_path, kind="mask")
        pred = read_coco_predictions(pred_path, truth, kind="mask")
        results.append(AveragePrecision().update(truth, pred).compute())
    for name in ("precision", "recall", "scores"):
        one, other = (getattr(result, name) for result in results)
        assert one.tobytes() == other.tobytes()
