"""Masks, poses and oriented boxes to CVAT's XML and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen import Boxes
from snellen.detection.masks import Masks
from snellen.detection.oriented import OrientedBoxes, corners_of_cxcywha
from snellen.detection.poses import Poses
from snellen.errors import InputError
from snellen.readers.cvat_pixels import crops_of_masks, mask_of_crop
from snellen.readers.detection_files import read_detection_predictions, read_detection_truth
from snellen.rle_masks import RleMasks
from snellen.writers.detection_files import write_detections
from snellen.writers.detections import Detections

HEIGHT, WIDTH = 40, 60
SIZE = np.array([[HEIGHT, WIDTH]] * 2)


def boxes(xywh: Any, **columns: Any) -> Boxes:
    n = len(xywh)
    return Boxes.from_xywh(
        xywh,
        image_id=[("a", "b")[k % 2] for k in range(n)],
        label=[("cat", "dog")[k % 3 % 2] for k in range(n)],
        image_ids=["a", "b"],
        **columns,
    )


def lost(path: Path, data: Detections) -> dict[str, int]:
    return {
        each.what: each.n
        for each in write_detections(path, data, "cvat", lossy=True, force=True).losses
    }


def in_order(data: Any) -> Any:
    """Return the rows as files have them: image by image."""
    return data[np.argsort(data.boxes.image, kind="stable")]


@pytest.mark.parametrize("seed", range(20))
def test_masks_stay_to_the_pixel(tmp_path: Path, seed: int) -> None:
    """Noise, blobs at the edges, whole images, and masks without a pixel."""
    rng = np.random.default_rng(seed)
    pixels = rng.random((12, HEIGHT, WIDTH)) < rng.choice([0.02, 0.5, 0.9])
    for k in range(6):
        first = rng.integers(0, [HEIGHT, WIDTH])
        last = first + rng.integers(1, [HEIGHT, WIDTH])
        blob = np.zeros((HEIGHT, WIDTH), np.bool_)
        blob[first[0] : last[0], first[1] : last[1]] = True
        pixels[k] &= blob
    pixels[6], pixels[7], pixels[8] = True, False, blob
    rle = RleMasks.from_arrays(pixels)
    score = {"score": rng.random(12)} if seed % 2 else {}
    found = Masks(boxes(rle.boxes(), area=rle.areas(), **score), rle)
    path = tmp_path / "a.xml"
    assert lost(path, Detections(found, sizes=SIZE)) == {}
    truth = read_detection_truth(path)
    assert isinstance(truth.boxes, Masks)
    want = in_order(found)
    assert np.array_equal(truth.boxes.rle.runs, want.rle.runs)
    assert np.array_equal(truth.boxes.boxes.xywh, want.boxes.xywh)
    assert truth.boxes.boxes.area is not None
    assert np.array_equal(truth.boxes.boxes.area, want.boxes.area)
    if score:
        pred = read_detection_predictions(path, truth)
        assert pred.boxes.boxes.score is not None
        assert np.array_equal(pred.boxes.boxes.score, want.boxes.score)


@pytest.mark.parametrize("seed", range(10))
def test_crops_row_by_row(seed: int) -> None:
    """The runs are those of the pixels in the box, counted one after the other."""
    rng = np.random.default_rng(seed)
    pixels = rng.random((1, 7, 9)) < 0.4
    (crop,) = crops_of_masks(RleMasks.from_arrays(pixels))
    rows, columns = np.nonzero(pixels[0])
    assert (crop.left, crop.top) == (columns.min(), rows.min())
    assert (crop.width, crop.height) == (np.ptp(columns) + 1, np.ptp(rows) + 1)
    inside = pixels[0, crop.top : crop.top + crop.height, crop.left : crop.left + crop.width]
    runs, last = [0], False
    for pixel in inside.ravel():
        if pixel != last:
            runs.append(0)
        runs[-1] += 1
        last = pixel
    assert list(crop.runs) == runs
    assert np.array_equal(mask_of_crop(crop, (7, 9), "").to_arrays(), pixels)


def test_known_polygons_are_polygons(tmp_path: Path) -> None:
    triangle, square = (
        np.array([[0.5, 0], [16, 0], [0, 8]]),
        np.array([[9.0, 9], [20, 9], [20, 30]]),
    )
    polygons = [[triangle], [square, triangle], [square]]
    rle = RleMasks.from_polygons(polygons, (HEIGHT, WIDTH))
    found = Masks(boxes(rle.boxes(), area=[1, 2, 3]), rle)
    path = tmp_path / "a.xml"
    data = Detections(found, sizes=SIZE, polygons=polygons)
    # The box around the pixels is not that around the corners.
    assert lost(path, data) == {"areas": 3, "boxes": 2}
    text = path.read_text()
    assert 'points="0.5,0;16,0;0,8"' in text
    assert (text.count("<polygon"), text.count("<mask")) == (2, 1)
    read = read_detection_truth(path)
    assert isinstance(read.boxes, Masks)
    assert np.array_equal(read.boxes.rle.runs, in_order(found).rle.runs)
    assert read.outlines is not None
    assert [len(each) for each in read.outlines.polygons()] == [1, 1, 0]
    # And once more: nothing is lost any more.
    again = Detections.of_read(read, "a.xml")
    assert lost(tmp_path / "b.xml", again) == {}
    assert (tmp_path / "b.xml").read_text() == text
    with pytest.raises(InputError, match="expected polygons of 3 objects, got 1"):
        write_detections(tmp_path / "c.xml", data._replace(polygons=[[]]), "cvat", lossy=True)


def test_poses_are_skeletons(tmp_path: Path) -> None:
    points = np.array(
        [
            [[1, 2, 2], [5.25, 9, 1], [0, 0, 0]],
            [[0, 0, 0], [0, 0, 0], [0, 0, 0]],
            [[7, 3, 0], [8, 1, 2], [9, 4, 2]],
        ],
        np.float64,
    )  # fmt: skip
    xywh = [[1, 2, 4.25, 7], [0, 0, 0, 0], [8, 1, 1, 3]]
    path = tmp_path / "a.xml"
    found = Poses(boxes(xywh), points)
    assert lost(path, Detections(found, sizes=SIZE)) == {}
    read = read_detection_truth(path)
    assert isinstance(read.boxes, Poses)
    assert read.boxes.keypoints.tolist() == in_order(found).keypoints.tolist()
    assert read.boxes.boxes.xywh.tolist() == in_order(found).boxes.xywh.tolist()
    # Points are no classes of their own.
    assert read.boxes.boxes.classes.display_names() == ["cat", "dog"]
    points[0, 0, 2] = 3
    other = Poses(boxes(np.array(xywh) + 1), points)
    assert lost(path, Detections(other, sizes=SIZE)) == {"boxes": 3, "visibilities": 1}


def test_oriented_boxes_are_turned_boxes(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    numbers = np.stack(
        [rng.uniform(10, 40, 30), rng.uniform(10, 30, 30), rng.uniform(0, 20, 30),
         rng.uniform(0, 9, 30), rng.uniform(-9, 9, 30)], axis=1
    )  # fmt: skip
    corners = corners_of_cxcywha(numbers, "box").reshape(-1, 4, 2)
    # Some from another corner, some the other way round.
    corners[::2] = np.roll(corners[::2], 1, axis=1)
    corners[::3] = corners[::3, ::-1]
    corners[4] = [[3, 3], [9.1, 3], [9.1, 5.7], [3, 5.7]]
    path = tmp_path / "a.xml"
    found = OrientedBoxes(boxes(np.zeros((30, 4))), corners)
    written = write_detections(path, Detections(found, sizes=SIZE), "cvat", lossy=True)
    assert {each.what for each in written.losses} == {"digits"}
    assert "1 of the boxes are not turned" in written.notes[0]
    read = read_detection_truth(path, kind="oriented")
    assert isinstance(read.boxes, OrientedBoxes)
    want = in_order(found).corners
    for got, given in zip(read.boxes.corners, want, strict=True):
        off = np.abs(got[:, None] - given[None]).max(axis=2).min(axis=1)
        assert off.max() < 1e-10
    kept = (want == corners[4]).all(axis=(1, 2))
    assert sorted(read.boxes.corners[kept][0].tolist()) == sorted(corners[4].tolist())
    rhombus = OrientedBoxes(boxes([[0, 0, 16, 8]]), np.array([[[8.0, 0], [16, 4], [8, 8], [0, 4]]]))
    assert lost(path, Detections(rhombus, sizes=SIZE)) == {"oriented": 1}
    assert read_detection_truth(path).boxes.boxes.xywh.tolist() == [[0, 0, 16, 8]]
