"""Results whose first record decides what pycocotools takes for the box and the area."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from snellen import AveragePrecision, read_coco_predictions, read_coco_truth
from snellen.detection.protocols import protocol_named
from snellen.errors import SnellenError
from snellen.rle_masks import RleMasks

SIZE = (160, 200)


def scene(seed: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return truth, and results that have all of box, mask and keypoints, none of which agree."""
    rng = np.random.default_rng(seed)
    annotations, results = [], []
    n_points = 17
    for k in range(40):
        x, y, w, h = rng.integers([0, 0, 5, 5], [90, 60, 110, 100])
        points = np.concatenate(
            [
                rng.integers([x, y], [x + w, y + h], (n_points, 2)),
                rng.integers(0, 3, (n_points, 1)),
            ],
            axis=1,
        )
        annotations.append(
            {
                "id": k + 1, "image_id": int(rng.integers(1, 5)), "category_id": 1,
                "bbox": [int(v) for v in (x, y, w, h)], "area": float(w * h) * 0.7, "iscrowd": 0,
                "segmentation": [[int(v) for v in (x, y, x + w, y, x + w, y + h, x, y + h)]],
                "keypoints": points.ravel().tolist(),
                "num_keypoints": int((points[:, 2] > 0).sum()),
            }
        )  # fmt: skip
    for truth in annotations * 2:
        x, y, w, h = np.array(truth["bbox"]) + rng.integers(0, 6, 4)
        mask = np.zeros((1, *SIZE), np.bool_)
        mask[0, y : y + h, x : x + w] = rng.random((min(h, SIZE[0] - y), min(w, SIZE[1] - x))) < 0.9
        points = np.array(truth["keypoints"], np.float64).reshape(-1, 3)
        points[:, :2] += rng.integers(-3, 4, (n_points, 2))
        shape = RleMasks.from_arrays(mask).to_coco()[0]
        results.append(
            {
                "image_id": truth["image_id"], "category_id": 1, "score": float(rng.random()),
                "segmentation": {**shape, "counts": shape["counts"].decode()},
                "keypoints": points.ravel().tolist(),
            }
        )  # fmt: skip
    images = [{"id": k, "height": SIZE[0], "width": SIZE[1]} for k in range(1, 5)]
    truth = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "a"}]}
    return truth, results


def reference(truth: Path, results: Path, kind: str) -> COCOeval:
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(str(truth))
        evaluation = COCOeval(coco, coco.loadRes(str(results)), kind)
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation


KINDS = {"box": "bbox", "keypoints": "keypoints"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("without", [(), ("segmentation",), ("keypoints",)])
@pytest.mark.parametrize("in_memory", [False, True])
def test_first_record_decides(
    tmp_path: Path, kind: Any, seed: int, without: tuple[str, ...], in_memory: bool
) -> None:
    if kind in without:
        pytest.skip("nothing to compare")
    truth_json, results_json = scene(seed)
    results_json = [{k: v for k, v in each.items() if k not in without} for each in results_json]
    paths = tmp_path / "t.json", tmp_path / "r.json"
    for path, value in zip(paths, (truth_json, results_json), strict=True):
        path.write_text(json.dumps(value))
    want = reference(*paths, KINDS[kind])
    truth = read_coco_truth(paths[0], kind=kind)
    pred = read_coco_predictions(
        results_json if in_memory else paths[1], truth, kind=kind, complete=True
    )
    assert pred.kind == kind
    loaded = want.cocoDt.dataset["annotations"]
    boxes: NDArray[Any] = pred.boxes.xywh
    np.testing.assert_array_equal(boxes, np.array([each["bbox"] for each in loaded], float))
    area = boxes[:, 2] * boxes[:, 3] if pred.boxes.area is None else pred.boxes.area
    np.testing.assert_array_equal(area, np.array([each["area"] for each in loaded], float))
    rules = protocol_named("coco-keypoints-strict" if kind == "keypoints" else "coco-strict")
    result = AveragePrecision(protocol=rules).update(truth, pred).compute()
    precision = want.eval["precision"]
    np.testing.assert_array_equal(np.nan_to_num(result.precision, nan=-1), precision)


def test_masks_that_come_later_count_for_nothing(tmp_path: Path) -> None:
    truth_json, results_json = scene(5)
    results_json[0].pop("segmentation")
    (tmp_path / "r.json").write_text(json.dumps(results_json))
    (tmp_path / "t.json").write_text(json.dumps(truth_json))
    want = reference(tmp_path / "t.json", tmp_path / "r.json", "keypoints")
    truth = read_coco_truth(truth_json, kind="keypoints")
    pred = read_coco_predictions(tmp_path / "r.json", truth, complete=True)
    areas = [each["area"] for each in want.cocoDt.dataset["annotations"]]
    np.testing.assert_array_equal(pred.boxes.xywh[:, 2] * pred.boxes.xywh[:, 3], areas)


@pytest.mark.parametrize("kind", KINDS)
def test_a_record_without_a_mask_is_refused(tmp_path: Path, kind: Any) -> None:
    """As pycocotools does, which raises KeyError."""
    truth_json, results_json = scene(6)
    results_json[3].pop("segmentation")
    (tmp_path / "r.json").write_text(json.dumps(results_json))
    truth = read_coco_truth(truth_json, kind=kind)
    with pytest.raises(SnellenError, match=r'"segmentation" in every record.*\[3\]'):
        read_coco_predictions(tmp_path / "r.json", truth, kind=kind, complete=True)
