"""Oriented boxes from files: DOTA's and YOLO's, truth and predictions for it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from snellen import AveragePrecision, Boxes
from snellen.detection.oriented import OrientedBoxes
from snellen.errors import IdError, InputError
from snellen.readers.detection_files import (
    ReadBoxes,
    read_detection_predictions,
    read_detection_truth,
)


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def oriented(read: ReadBoxes) -> OrientedBoxes:
    assert isinstance(read.boxes, OrientedBoxes)
    return read.boxes


@pytest.fixture
def dota(tmp_path: Path) -> Path:
    """Two images of DOTA, and one without objects."""
    folder = tmp_path / "dota"
    write(
        folder / "labelTxt/P1.txt",
        "imagesource:GoogleEarth\ngsd:0.1\n"
        "2 0 4 2 2 4 0 2 ship 0\n"
        "0 0 4 0 0 4 4 4 ship 1\n"
        "10 10 20 10 20 14 10 14 small-vehicle 2\n",
    )
    write(folder / "labelTxt/P2.txt", "0.5 0 4.5 0 4.5 3 0.5 3 ship 0\n")
    write(folder / "labelTxt/P3.txt", "gsd:0.2\n")
    return folder


def test_dota_truth(dota: Path) -> None:
    read = read_detection_truth(dota)
    assert read.format == "dota"
    boxes = oriented(read)
    assert boxes.boxes.images.ids.tolist() == ["P1", "P2", "P3"]
    assert boxes.boxes.image.tolist() == [0, 0, 0, 1]
    assert boxes.boxes.classes.keys.ids.tolist() == ["ship", "small-vehicle"]
    assert boxes.corners[0].tolist() == [[2, 0], [4, 2], [2, 4], [0, 2]]
    # Corners that were written by rows.
    assert boxes.corners[1].tolist() == [[0, 0], [4, 0], [4, 4], [0, 4]]
    assert boxes.boxes.area is not None
    assert boxes.boxes.area.tolist() == [8, 16, 40, 12]
    assert boxes.boxes.xywh.tolist() == [
        [0, 0, 4, 4],
        [0, 0, 4, 4],
        [10, 10, 10, 4],
        [0.5, 0, 4, 3],
    ]
    assert boxes.boxes.ignored is not None
    assert boxes.boxes.ignored.tolist() == [0, 1, 1, 0]
    assert read.flags["difficult"].tolist() == [0, 1, 2, 0]
    assert any("1 outlines that cross themselves" in n and "P1.txt line 4" in n for n in read.notes)
    assert any("2 difficult boxes" in note for note in read.notes)


def test_dota_results(dota: Path, tmp_path: Path) -> None:
    truth = read_detection_truth(dota)
    write(tmp_path / "run/Task1_ship.txt", "P2 0.5 0 0 4 0 4 4 0 4\nP1 0.25 2 0 4 2 2 4 0 2\n")
    write(tmp_path / "run/Task1_small-vehicle.txt", "P3 0.75 1 2 3 4 5 6 7 9\n")
    read = read_detection_predictions(tmp_path / "run", truth)
    assert read.format == "dota"
    boxes = oriented(read)
    assert boxes.boxes.image.tolist() == [1, 0, 2]
    assert boxes.boxes.label.tolist() == [0, 0, 1]
    assert boxes.boxes.score is not None
    assert boxes.boxes.score.tolist() == [0.5, 0.25, 0.75]
    assert boxes.boxes.images is truth.boxes.boxes.images
    assert boxes.corners[1].tolist() == [[2, 0], [4, 2], [2, 4], [0, 2]]
    write(tmp_path / "run/Task1_ship.txt", "P9 0.5 0 0 4 0 4 4 0 4\n")
    with pytest.raises(IdError, match=r"got 1 boxes of 1 images .*P9.*Task1_ship\.txt line 1"):
        read_detection_predictions(tmp_path / "run", truth)


def test_images_that_are_asked_for(dota: Path) -> None:
    read = read_detection_truth(dota, images=["P1"])
    assert len(oriented(read)) == 3
    assert any("1 boxes that are not of images left out" in note for note in read.notes)


def test_no_predictions(dota: Path, tmp_path: Path) -> None:
    truth = read_detection_truth(dota)
    write(tmp_path / "run/Task1_ship.txt", "")
    read = read_detection_predictions(tmp_path / "run", truth)
    assert len(oriented(read)) == 0
    assert oriented(read).corners.shape == (0, 4, 2)
    assert oriented(read).boxes.score is not None


def test_kinds_are_not_mixed(dota: Path, tmp_path: Path) -> None:
    truth = read_detection_truth(dota)
    write(tmp_path / "run/det_test_ship.txt", "P1 0.5 0 0 4 4\n")
    with pytest.raises(InputError, match="expected oriented boxes, as truth has them, got upright"):
        read_detection_predictions(tmp_path / "run", truth)
    with pytest.raises(InputError, match=r"expected oriented boxes.*got upright boxes - at pred"):
        read_detection_predictions([], truth)
    np.save(tmp_path / "a.npy", np.zeros((0, 7)))
    with pytest.raises(InputError, match="expected oriented boxes"):
        read_detection_predictions(tmp_path / "a.npy", truth, format="coco")
    write(tmp_path / "upright/P1.txt", "ship 1 2 3 4\n")
    upright = read_detection_truth(tmp_path / "upright", box="xywh")
    write(tmp_path / "dota_run/Task1_ship.txt", "P1 0.5 0 0 4 0 4 4 0 4\n")
    with pytest.raises(InputError, match="expected upright boxes, as truth has them, got oriented"):
        read_detection_predictions(tmp_path / "dota_run", upright)


@pytest.fixture
def yolo(tmp_path: Path) -> Path:
    folder = tmp_path / "yolo"
    write(folder / "data.yaml", "path: .\nval: images/val\nnames: [plane, ship]\n")
    for name, size in (("a.png", (100, 50)), ("b.png", (40, 80))):
        (folder / "images/val").mkdir(parents=True, exist_ok=True)
        Image.new("L", size).save(folder / "images/val" / name)
    write(folder / "labels/val/a.txt", "1 0.5 0.2 0.6 0.4 0.5 0.6 0.4 0.4\n")
    return folder


def test_yolo_truth(yolo: Path) -> None:
    read = read_detection_truth(yolo)
    assert read.format == "yolo"
    boxes = oriented(read)
    # Of 100 × 50.
    np.testing.assert_allclose(boxes.corners[0], [[50, 10], [60, 20], [50, 30], [40, 20]])
    assert boxes.boxes.area is not None
    np.testing.assert_allclose(boxes.boxes.area, 200)
    np.testing.assert_allclose(boxes.boxes.xywh, [[40, 10, 20, 20]])
    assert boxes.boxes.classes.names == ("plane", "ship")
    assert any("9 numbers a line: oriented boxes" in note for note in read.notes)
    assert any("1 images have no labels" in note for note in read.notes)


def test_yolo_predictions(yolo: Path, tmp_path: Path) -> None:
    truth = read_detection_truth(yolo)
    write(tmp_path / "run/b.txt", "0 0.5 0.2 1.25 0.4 0.5 0.6 -0.25 0.4 0.875\n")
    read = read_detection_predictions(tmp_path / "run", truth)
    boxes = oriented(read)
    assert boxes.boxes.image.tolist() == [1]
    assert boxes.boxes.score is not None
    assert boxes.boxes.score.tolist() == [0.875]
    # Of 40 × 80; corners stand out of the image.
    np.testing.assert_allclose(boxes.corners[0], [[20, 16], [50, 32], [20, 48], [-10, 32]])


def test_yolo_without_sizes(tmp_path: Path) -> None:
    write(tmp_path / "x/1.txt", "0 0.5 0.25 0.75 0.5 0.5 0.75 0.25 0.5\n")
    read = read_detection_truth(tmp_path / "x")
    assert read.relative
    assert oriented(read).corners[0, 1].tolist() == [0.75, 0.5]
    sized = read_detection_truth(tmp_path / "x", images={"1": (200, 100)})
    assert oriented(sized).corners[0, 1].tolist() == [75, 100]
    assert not sized.relative


def test_yolo_of_upright_boxes_stays_so(tmp_path: Path) -> None:
    write(tmp_path / "x/1.txt", "0 0.5 0.5 0.25 0.5\n")
    assert isinstance(read_detection_truth(tmp_path / "x").boxes, Boxes)


def test_files_to_average_precision(dota: Path, tmp_path: Path) -> None:
    truth = read_detection_truth(dota)
    write(tmp_path / "run/Task1_ship.txt", "P1 0.9 0 2 2 0 4 2 2 4\nP2 0.8 0 0 4 0 4 4 0 4\n")
    pred = read_detection_predictions(tmp_path / "run", truth)
    result = AveragePrecision().update(truth.boxes, pred.boxes).compute()
    # P1: the same box named from another corner. P2: 3.5 · 3 in common of 12 + 16 − 10.5, 0.6. So 2
    # of 3 ships are found without a false alarm up to IoU 0.6, which are 67 of 101 recall points;
    # no vehicle is.
    assert pytest.approx(67 / 101 / 2) == result.AP50
    # From 0.65 on one ship is found: 34 points, and the other box is a false alarm behind it.
    assert pytest.approx(34 / 101 / 2) == result.AP75
    assert pytest.approx((3 * 67 + 7 * 34) / 10 / 101 / 2) == result.AP
