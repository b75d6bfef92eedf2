"""Real annotations and results: what tidecv 1.0.1 said of them."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen import Boxes, RleMasks, read_coco_predictions, read_coco_truth
from snellen.detection.candidates import Objects
from snellen.detection.error_types import detection_errors
from snellen.detection.masks import Masks
from snellen.state import Keys

REFERENCES = [
    "detection/bdd100k_scalabel/tide_det_dt_bbox.json",
    "detection/coco_val2014_100/tide_fakebbox100_bbox.json",
    "detection/coco_val2014_100/tide_fakesegm100_mask.json",
    "detection/coco_val2017_yolact100/tide_dt_yolact_base_bbox.json",
    "detection/coco_val2017_yolact100/tide_dt_yolact_resnet50_bbox.json",
]


def in_the_order_of(images: Any, boxes: Boxes) -> Boxes:
    """Return boxes whose image ids ascend in the order of the file, in which tidecv breaks ties."""
    file_place = {int(image): number for number, image in enumerate(images)}
    number = np.array([file_place[i] for i in boxes.images.ids.tolist()])
    return dataclasses.replace(
        boxes,
        image=number[boxes.image].astype(np.int32),
        images=Keys(np.arange(len(images)), "image id"),
    )


def objects(folder: Path, reference: dict[str, Any]) -> tuple[Objects, Objects]:
    """Return truth and predictions of a pair of files."""
    truth_file, pred_file = folder / reference["gt"], folder / reference["dt"]
    gt, dt = (json.loads(path.read_text()) for path in (truth_file, pred_file))
    ids = [image["id"] for image in gt["images"]]
    if reference["mode"] == "bbox":
        truth = read_coco_truth(truth_file)
        pred = read_coco_predictions(pred_file, truth)
        return in_the_order_of(ids, truth), in_the_order_of(ids, pred)
    size = {image["id"]: (image["height"], image["width"]) for image in gt["images"]}

    def masks(records: list[dict[str, Any]], **columns: Any) -> Masks:
        rle = RleMasks.joined(
            [
                RleMasks.from_polygons([each], size[record["image_id"]])
                if isinstance(each, list)
                else RleMasks.from_coco([each])
                for record in records
                for each in (record["segmentation"],)
            ]
        )
        boxes = Boxes.from_xywh(
            rle.boxes(),
            image_id=[record["image_id"] for record in records],
            label=[record["category_id"] for record in records],
            image_ids=ids,
            **columns,
        )
        return Masks(in_the_order_of(ids, boxes), rle)

    return (
        masks(gt["annotations"], crowd=[each["iscrowd"] for each in gt["annotations"]]),
        masks(dt, score=[each["score"] for each in dt]),
    )


@pytest.mark.parametrize("name", REFERENCES)
def test_tidecv(conformance_data: Path, name: str) -> None:
    path = conformance_data / name
    if not path.exists():
        pytest.skip(f"no {name}")
    reference = json.loads(path.read_text())
    result = detection_errors(*objects(path.parent, reference))
    for short, n in reference["error_counts"].items():
        assert result.data[f"n_{short.lower()}"] == n, short
    wanted = {"AP": reference["AP50"], "dAP_fp": reference["special"]["FalsePos"]}
    wanted["dAP_fn"] = reference["special"]["FalseNeg"]
    wanted |= {f"dAP_{short.lower()}": gain for short, gain in reference["main"].items()}
    for metric, value in wanted.items():
        assert math.isclose(100 * result.metrics[metric], value, rel_tol=0, abs_tol=1e-11), metric
