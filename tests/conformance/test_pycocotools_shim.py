"""Real annotations and results through the shim: the arrays and numbers of pycocotools 2.0.11."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.test_coco import (
    KEYPOINT_STATS,
    REFERENCES,
    STATS,
    assert_means_equal,
)

from snellen.compat.pycocotools import COCO, COCOeval


def read(path: Path) -> Any:
    data = path.read_bytes()
    return json.loads(gzip.decompress(data) if path.suffix == ".gz" else data)


@pytest.mark.parametrize("name", REFERENCES)
def test_equals_pycocotools_to_the_last_bit(conformance_data: Path, name: str) -> None:
    path = conformance_data / name
    reference = read(path)
    results = read(path.parent / reference["dt"])
    if reference["dt_bbox_key_dropped_before_loadRes"]:
        for record in results:
            record.pop("bbox", None)
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = read(path.parent / reference["gt"])
        truth.createIndex()
        found = COCOeval(truth, truth.loadRes(results), reference["iou_type"])
        found.params.useCats = reference["use_cats"]
        found.evaluate()
        found.accumulate()
        found.summarize()

    for array_name, described in reference["arrays"].items():
        array = found.eval[array_name]
        assert list(array.shape) == described["shape"]
        assert array.flags.c_contiguous
        digest = hashlib.sha256(array.tobytes()).hexdigest()
        assert digest == described["sha256_float64_c_order"], array_name
    names = KEYPOINT_STATS if reference["iou_type"] == "keypoints" else STATS
    assert_means_equal(
        dict(zip(names, found.stats.tolist(), strict=True)), reference["stats"], reference
    )
