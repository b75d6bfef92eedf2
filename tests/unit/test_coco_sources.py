"""What truth and predictions of COCO may be handed over as."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from snellen import (
    read_coco_predictions,
    read_coco_truth,
    read_detection_predictions,
    read_detection_truth,
)
from snellen.errors import InputError

DOCUMENT: dict[str, Any] = {
    "images": [{"id": 1}],
    "annotations": [],
    "categories": [{"id": 3, "name": "cat"}],
}
ROWS = [[1, 2, 3, 4.5, 5, 0.5, 3], [1, 0, 0, 7, 1, 0.25, 3]]


@pytest.mark.parametrize("of", [np.array, torch.tensor])
@pytest.mark.parametrize("bits", ["32", "64"])
def test_rows_of_numbers(of: Any, bits: str) -> None:
    rows = of(ROWS, dtype=getattr(np if of is np.array else torch, f"float{bits}"))
    want = [{"image_id": 1, "bbox": row[1:5], "score": row[5], "category_id": 3} for row in ROWS]
    truth = read_detection_truth(DOCUMENT)
    found = read_detection_predictions(rows, truth)
    assert found.format == "rows"
    for boxes in (found.boxes, read_coco_predictions(rows, read_coco_truth(DOCUMENT))):
        assert boxes.boxes.xywh.tolist() == [row["bbox"] for row in want]
        assert boxes.boxes.score is not None
        assert boxes.boxes.score.tolist() == [0.5, 0.25]


@pytest.mark.parametrize("source", [None, 5, 2.5, b"[]", {"annotations": []}])
def test_no_predictions(source: Any) -> None:
    got = rf"a list of records, or an array of shape \(n, 7\), got {type(source).__name__}"
    with pytest.raises(InputError, match=got):
        read_detection_predictions(source, read_detection_truth(DOCUMENT))
    for kind in ("box", "mask", "keypoints"):
        with pytest.raises(InputError, match=got):
            read_coco_predictions(source, read_coco_truth(DOCUMENT, kind=kind))  # type: ignore[call-overload]


@pytest.mark.parametrize("source", [None, 5, [DOCUMENT], (1, 2), b"{}"])
def test_no_truth(source: Any) -> None:
    with pytest.raises(InputError, match=f"as a mapping, got {type(source).__name__} - at truth"):
        read_detection_truth(source)
