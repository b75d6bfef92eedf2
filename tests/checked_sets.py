"""A small data set without a fault, as COCO has it, for tests of `snellen check` to spoil."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from snellen.detection.health import check_detection
from snellen.detection.health_report import HealthReport
from snellen.readers.detection_health import read_for_check


def clean_truth(*, masks: bool = False, keypoints: bool = False) -> dict[str, Any]:
    """Return 4 images of 200 × 150 pixels, with 4 objects of each of 2 classes."""
    annotations: list[dict[str, Any]] = []
    for image in range(1, 5):
        for label in (1, 2):
            for k in range(4):
                left, top = 10 + 40 * k, 10 + 60 * (label - 1) + image
                width, height = 20 + k, 30 + label
                each: dict[str, Any] = {
                    "id": len(annotations) + 1,
                    "image_id": image,
                    "category_id": label,
                    "bbox": [left, top, width, height],
                    "area": width * height,
                    "iscrowd": 0,
                }
                right, bottom = left + width, top + height
                if masks:
                    each["segmentation"] = [[left, top, right, top, right, bottom, left, bottom]]
                if keypoints:
                    each["keypoints"] = [left + 2, top + 2, 2, left + 5, top + 9, 1, 0, 0, 0]
                    each["num_keypoints"] = 2
                annotations.append(each)
    categories: list[dict[str, Any]] = [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}]
    if keypoints:
        for category in categories:
            category["keypoints"] = ["nose", "tail", "paw"]
    return {
        "images": [
            {"id": k, "width": 200, "height": 150, "file_name": f"{k}.jpg"} for k in range(1, 5)
        ],
        "annotations": annotations,
        "categories": categories,
    }


def clean_results(truth: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """Return a detection of every object, a little beside it."""
    results = []
    for k, each in enumerate((truth or clean_truth())["annotations"]):
        left, top, width, height = each["bbox"]
        results.append(
            {
                "image_id": each["image_id"],
                "category_id": each["category_id"],
                "bbox": [left + 1, top + 0.5, width, height],
                "score": 0.3 + 0.02 * k,
            }
        )
    return results


def report_of(
    folder: Path, truth: dict[str, Any], results: list[dict[str, Any]] | None = None
) -> HealthReport:
    """Check a data set, and results for it, through files."""
    (folder / "truth.json").write_text(json.dumps(truth), encoding="utf-8")
    if results is None:
        read = read_for_check(str(folder / "truth.json"))
    else:
        (folder / "results.json").write_text(json.dumps(results), encoding="utf-8")
        read = read_for_check(str(folder / "truth.json"), str(folder / "results.json"))
    return check_detection(read.truth, read.pred)
