"""Oriented boxes of tables against Shapely, which turns them itself."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from snellen import OrientedBoxes, oriented_iou
from snellen.readers.detection_files import read_detection_predictions, read_detection_truth

shapely = pytest.importorskip("shapely")
affinity = pytest.importorskip("shapely.affinity")


@pytest.mark.parametrize("unit", ["degrees", "radians"])
def test_angles(tmp_path: Path, unit: str) -> None:
    rng = np.random.default_rng(11)
    wide = 720 if unit == "degrees" else 12
    box = rng.uniform([0, 0, 1, 1, -wide], [60, 60, 40, 20, wide], (60, 5))
    lines = [",".join(map(repr, ["a", "b", *row, 0.5])).replace("'", "") for row in box.tolist()]
    text = "\n".join([f"image,label,cx,cy,width,height,angle_{unit},score", *lines, ""])
    (tmp_path / "t.csv").write_text(text)
    truth = read_detection_truth(tmp_path / "t.csv")
    pred = read_detection_predictions(tmp_path / "t.csv", truth)
    assert isinstance(truth.boxes, OrientedBoxes)
    assert isinstance(pred.boxes, OrientedBoxes)
    # A positive angle is counter-clockwise where y grows upwards: the same numbers.
    theirs = [
        affinity.rotate(
            shapely.box(x - w / 2, y - h / 2, x + w / 2, y + h / 2),
            angle,
            use_radians=unit == "radians",
        )
        for x, y, w, h, angle in box.tolist()
    ]
    common = shapely.area(shapely.intersection(np.array(theirs)[:, None], np.array(theirs)[None]))
    area = shapely.area(theirs)
    expected = common / (area[:, None] + area[None] - common)
    assert (expected > 0.1).sum() > 100
    np.testing.assert_allclose(oriented_iou(pred.boxes, truth.boxes), expected, rtol=0, atol=1e-11)
