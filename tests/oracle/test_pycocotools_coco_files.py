"""Masks and keypoints of COCO files against what pycocotools makes of the same files."""

from __future__ import annotations

import contextlib
import copy
import io
import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from snellen import read_coco_predictions, read_coco_truth
from snellen.detection.masks import Masks
from snellen.detection.poses import Poses

if TYPE_CHECKING:
    from pathlib import Path

pycocotools_coco = pytest.importorskip("pycocotools.coco")
pycocotools_mask = pytest.importorskip("pycocotools.mask")

MASK_FILES = [
    ("coco_val2014_100/gt.json", "coco_val2014_100/fakesegm100.json"),
    ("coco_val2017_d2test/gt.json", "coco_val2017_d2test/dt.json"),
    ("fce_small/gt_dataset.json", "fce_small/dt_dataset.json"),
    ("bdd100k_scalabel/insseg_gt.json", "bdd100k_scalabel/insseg_dt.json"),
    ("medwaste_d2/gt.json", None),
]
POSE_FILES = [
    ("coco_val2014_100/gt_rebuilt.json", "coco_val2014_100/fakekeypoints100.json"),
    ("fce_keypoints/gt_dataset.json", "fce_keypoints/dt_dataset.json"),
    ("mmpose_coco4/test_coco.json", None),
]


def reference(dataset: dict[str, Any]) -> Any:
    with contextlib.redirect_stdout(io.StringIO()):
        coco = pycocotools_coco.COCO()
        coco.dataset = copy.deepcopy(dataset)
        coco.createIndex()
    return coco


def loaded(coco: Any, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
    with contextlib.redirect_stdout(io.StringIO()):
        return list(coco.loadRes(copy.deepcopy(records)).dataset["annotations"])


def check_masks(masks: Masks, coco: Any, annotations: list[dict[str, Any]]) -> None:
    want = [coco.annToRLE(each) for each in annotations]
    found = masks.rle.to_coco()
    assert [list(each["size"]) for each in want] == [each["size"] for each in found]
    texts = [each["counts"] for each in want]
    assert [text.encode() if isinstance(text, str) else text for text in texts] == [
        each["counts"] for each in found
    ]


def check_truth(masks: Masks | Poses, annotations: list[dict[str, Any]]) -> None:
    boxes = masks.boxes
    assert np.array_equal(boxes.images.ids[boxes.image], [each["image_id"] for each in annotations])
    assert boxes.area is not None
    assert boxes.crowd is not None
    assert boxes.id is not None
    assert boxes.area.tolist() == [each["area"] for each in annotations]
    assert boxes.crowd.tolist() == [each["iscrowd"] for each in annotations]
    assert boxes.id.tolist() == [each["id"] for each in annotations]


def check_scored(found: Masks | Poses, annotations: list[dict[str, Any]]) -> None:
    boxes = found.boxes
    assert boxes.score is not None
    assert boxes.score.tolist() == [each["score"] for each in annotations]
    assert np.array_equal(boxes.xywh, np.array([each["bbox"] for each in annotations], float))
    area = boxes.xywh[:, 2] * boxes.xywh[:, 3] if boxes.area is None else boxes.area
    assert area.tolist() == [float(each["area"]) for each in annotations]


# ---- Random data ---------------------------------------------------------------------------------


def random_polygon(rng: np.random.Generator, height: int, width: int) -> list[float]:
    n = int(rng.integers(3, 12))
    xy = rng.uniform(-0.2, 1.2, (n, 2)) * [width, height]
    kind = rng.integers(4)
    if kind == 0:
        xy = np.round(xy)
    elif kind == 1:
        xy = np.round(xy, 2)
    elif kind == 2:
        xy = np.clip(xy, 0, [width, height])
    return [float(each) for each in xy.reshape(-1)]


def random_pixels(rng: np.random.Generator, height: int, width: int) -> Any:
    pixels = np.asfortranarray(rng.random((height, width)) < rng.random(), np.uint8)
    if rng.random() < 0.5:
        rows = np.arange(height)[:, None] // 7 + np.arange(width) // 5
        pixels = np.asfortranarray(rows % 3 == 0, np.uint8)
    return pixels


def random_runs(rng: np.random.Generator, height: int, width: int) -> Any:
    return pycocotools_mask.encode(random_pixels(rng, height, width))


def random_dataset(rng: np.random.Generator) -> dict[str, Any]:
    images = []
    for k in rng.permutation(8):
        size = rng.integers(1, 60, 2)
        images.append({"id": int(3 * k + 1), "height": int(size[0]), "width": int(size[1])})
    annotations = []
    for k in range(int(rng.integers(1, 60))):
        image = images[rng.integers(len(images))]
        size = image["height"], image["width"]
        shape: Any = [random_polygon(rng, *size) for _ in range(int(rng.integers(1, 4)))]
        if rng.random() < 0.2 and len(shape) > 1:
            shape[1] = shape[1][: 2 * int(rng.integers(1, 3))]  # too short to have pixels
        crowd = 0
        if rng.random() < 0.3:
            pixels = random_pixels(rng, *size)
            rle = pycocotools_mask.encode(pixels)
            shape = {"size": rle["size"], "counts": rle["counts"].decode()}
            if rng.random() < 0.5:
                crowd = 1
                pixels = pixels.reshape(-1, order="F")
                ends = np.flatnonzero(np.diff(pixels)) + 1
                runs = np.diff(np.concatenate([[0], ends, [len(pixels)]])).tolist()
                shape["counts"] = ([0] if pixels[0] else []) + runs
        annotations.append(
            {
                "id": k + 1,
                "image_id": image["id"],
                "category_id": int(rng.integers(1, 4)),
                "segmentation": shape,
                "area": float(np.round(rng.uniform(0, 900), 3)),
                "bbox": [0.0, 0.0, 1.0, 1.0],
                "iscrowd": crowd,
            }
        )
    categories = [{"id": k, "name": str(k)} for k in (1, 2, 3)]
    return {"images": images, "annotations": annotations, "categories": categories}


@pytest.mark.filterwarnings("ignore:.*less than three vertices:snellen.errors.DataWarning")
@pytest.mark.parametrize("seed", range(12))
def test_random_masks(seed: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(seed)
    dataset = random_dataset(rng)
    coco = reference(dataset)
    path = tmp_path / "truth.json"
    path.write_text(json.dumps(dataset, indent=2 if seed % 3 == 0 else None))
    for source in (str(path), dataset):
        truth = read_coco_truth(source, kind="mask", complete=True)
        check_truth(truth, dataset["annotations"])
        check_masks(truth, coco, coco.dataset["annotations"])

    images = dataset["images"]
    records: list[dict[str, Any]] = []
    for _ in range(int(rng.integers(1, 80))):
        image = images[rng.integers(len(images))]
        rle = random_runs(rng, image["height"], image["width"])
        if rng.random() < 0.5:
            rle["counts"] = rle["counts"].decode()
        records.append(
            {
                "image_id": image["id"],
                "category_id": int(rng.integers(1, 4)),
                "segmentation": rle,
                "score": float(rng.integers(0, 6)) / 5,
            }
        )
    with_boxes = [
        {**each, "bbox": rng.integers(0, 30, 4).astype(float).tolist()} for each in records
    ]
    texts = [
        {**each, "segmentation": {**each["segmentation"], "counts": _text(each)}}
        for each in with_boxes
    ]
    path.write_text(json.dumps(texts))
    for source, given in ((records, records), (with_boxes, with_boxes), (str(path), texts)):
        want = loaded(coco, given)
        strict = read_coco_predictions(source, truth, complete=True)  # type: ignore[arg-type]
        check_scored(strict, want)
        check_masks(strict, coco, want)
    # Without protest: the areas are those of the masks although there are boxes.
    own = read_coco_predictions(with_boxes, truth)
    assert own.boxes.area is not None
    shapes = [each["segmentation"] for each in texts]
    assert own.boxes.area.tolist() == pycocotools_mask.area(shapes).tolist()
    assert own.boxes.xywh.tolist() == [each["bbox"] for each in with_boxes]


def _text(record: dict[str, Any]) -> str:
    counts = record["segmentation"]["counts"]
    return counts.decode() if isinstance(counts, bytes) else str(counts)


@pytest.mark.parametrize("seed", range(4))
def test_boxes_as_masks(seed: int) -> None:
    """Without masks the reference fills the boxes."""
    rng = np.random.default_rng(seed)
    dataset = random_dataset(rng)
    coco = reference(dataset)
    with pytest.warns() if _has_short(dataset) else contextlib.nullcontext():
        truth = read_coco_truth(dataset, kind="mask")
    records: list[dict[str, Any]] = []
    for k in range(20):
        image = dataset["images"][rng.integers(8)]
        record = {
            "image_id": image["id"],
            "category_id": 1,
            "score": 0.5,
            "bbox": np.round(rng.uniform(0, 30, 4), 1).tolist(),
        }
        if k % 3 == 1:
            record["segmentation"] = random_runs(rng, image["height"], image["width"])
        records.append(record)
    want = loaded(coco, records)
    strict = read_coco_predictions(records, truth, complete=True)
    check_scored(strict, want)
    check_masks(strict, coco, want)


def _has_short(dataset: dict[str, Any]) -> bool:
    shapes = [each["segmentation"] for each in dataset["annotations"]]
    return any(len(part) < 6 for each in shapes if isinstance(each, list) for part in each)


@pytest.mark.parametrize("n_keypoints", [1, 4, 17, 133])
def test_random_keypoints(n_keypoints: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(n_keypoints)

    def keypoints(i: int) -> list[float]:
        xyv = np.round(rng.uniform(-50, 600, (n_keypoints, 3)), int(rng.integers(0, 4)))
        xyv[:, 2] = rng.integers(0, 3, n_keypoints) * (i % 5 > 0)
        flat: list[float] = xyv.reshape(-1).tolist()
        return [int(each) if each == int(each) else each for each in flat] if i % 2 else flat

    annotations = []
    for k in range(40):
        listed = keypoints(k)
        annotations.append(
            {
                "id": k + 1,
                "image_id": int(rng.integers(5)),
                "category_id": 1,
                "keypoints": listed,
                "num_keypoints": int(np.count_nonzero(np.array(listed[2::3]) > 0)),
                "area": float(rng.integers(100)),
                "bbox": rng.uniform(0, 50, 4).tolist(),
                "iscrowd": 0,
            }
        )
    dataset = {
        "images": [{"id": k} for k in range(5)],
        "annotations": annotations,
        "categories": [{"id": 1, "name": "person"}],
    }
    path = tmp_path / "truth.json"
    path.write_text(json.dumps(dataset))
    truth = read_coco_truth(path, kind="keypoints", complete=True)
    check_poses_of_truth(truth, annotations)
    counted = copy.deepcopy(dataset)
    for each in counted["annotations"]:
        del each["num_keypoints"]
    check_poses_of_truth(read_coco_truth(counted, kind="keypoints"), annotations)

    records = [
        {
            "image_id": int(rng.integers(5)),
            "category_id": 1,
            "keypoints": keypoints(k),
            "score": 0.25,
        }
        for k in range(60)
    ]
    coco = reference(dataset)
    for given in (records, [{**each, "bbox": [1.5, 2.0, 3.0, 4.0]} for each in records]):
        want = loaded(coco, given)
        strict = read_coco_predictions(given, truth, complete=True)
        check_scored(strict, want)
        assert np.array_equal(
            strict.keypoints.reshape(60, -1), [each["keypoints"] for each in records]
        )
    check_scored(read_coco_predictions(given, truth), loaded(coco, records))


def check_poses_of_truth(truth: Poses, annotations: list[dict[str, Any]]) -> None:
    check_truth(truth, annotations)
    n = len(annotations)
    want = np.array([each["keypoints"] for each in annotations], float).reshape(n, -1, 3)
    assert np.array_equal(truth.keypoints, want)
    assert truth.boxes.xywh.tolist() == [each["bbox"] for each in annotations]
    assert truth.boxes.ignored is not None
    none = [each["num_keypoints"] == 0 for each in annotations]
    assert truth.boxes.ignored.tolist() == none


# ---- Real files ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("truth_name", "pred_name"), MASK_FILES)
def test_real_masks(truth_name: str, pred_name: str | None, conformance_data: Path) -> None:
    folder = conformance_data / "detection"
    dataset = json.loads((folder / truth_name).read_text())
    coco = reference(dataset)
    truth = read_coco_truth(folder / truth_name, kind="mask")
    check_truth(truth, dataset["annotations"])
    check_masks(truth, coco, coco.dataset["annotations"])
    if pred_name is not None:
        want = loaded(coco, json.loads((folder / pred_name).read_text()))
        strict = read_coco_predictions(folder / pred_name, truth, complete=True)
        check_scored(strict, want)
        check_masks(strict, coco, want)
        check_masks(read_coco_predictions(folder / pred_name, truth), coco, want)


@pytest.mark.parametrize(("truth_name", "pred_name"), POSE_FILES)
def test_real_keypoints(truth_name: str, pred_name: str | None, conformance_data: Path) -> None:
    folder = conformance_data / "keypoints"
    dataset = json.loads((folder / truth_name).read_text())
    truth = read_coco_truth(folder / truth_name, kind="keypoints")
    check_poses_of_truth(truth, dataset["annotations"])
    if pred_name is not None:
        records = json.loads((folder / pred_name).read_text())
        want = loaded(reference(dataset), records)
        strict = read_coco_predictions(folder / pred_name, truth, complete=True)
        check_scored(strict, want)
        poses = read_coco_predictions(folder / pred_name, truth)
        assert np.array_equal(
            poses.keypoints.reshape(len(want), -1), [each["keypoints"] for each in records]
        )


def test_crowdpose(conformance_data: Path) -> None:
    """Without areas: width times height, said once."""
    folder = conformance_data / "keypoints/fce_crowdpose"
    with pytest.warns(match="10 objects have no area: width times height is used"):
        truth = read_coco_truth(folder / "example_crowdpose_val.json", kind="keypoints")
    assert truth.keypoints.shape == (10, 14, 3)
    assert truth.boxes.area is not None
    assert np.array_equal(truth.boxes.area, truth.boxes.xywh[:, 2] * truth.boxes.xywh[:, 3])
