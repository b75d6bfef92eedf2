"""Oriented boxes in plain tables: which columns they stand in, and what is refused."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from snellen import AveragePrecision, OrientedBoxes, oriented_iou
from snellen.errors import InputError, SchemaError
from snellen.readers.detection_files import (
    ReadBoxes,
    read_detection_predictions,
    read_detection_truth,
)
from snellen.writers.detection_files import write_detections
from snellen.writers.detections import Detections

ANGLE = "image,label,cx,cy,width,height,angle_degrees"
CORNERS = "image,label,x1,y1,x2,y2,x3,y3,x4,y4"


def table(path: Path, head: str, *rows: str) -> Path:
    path.write_text("\n".join((head, *rows, "")))
    return path


def oriented(read: ReadBoxes) -> OrientedBoxes:
    assert isinstance(read.boxes, OrientedBoxes)
    return read.boxes


@pytest.mark.parametrize(
    ("head", "angle", "unit"),
    [
        (ANGLE, "45", "degrees"),
        (ANGLE.replace("angle_degrees", "Angle_Radians").upper(), repr(math.pi / 4), "radians"),
        ("image,label,x_center,y_center,w,h,angle_deg", "225", "degrees"),
        ("image,label,cx,cy,w,h,rotation_radians", repr(-math.pi / 4), "radians"),
    ],
)
def test_squares_about_one_centre(tmp_path: Path, head: str, angle: str, unit: str) -> None:
    path = table(tmp_path / "t.csv", head, f"a,ship,5,6,2,2,{angle}")
    truth = read_detection_truth(path)
    rows = "a,.5,ship,4,5,6,5,6,7,4,7", "a,.25,ship,5,4.75,6.25,6,5,7.25,3.75,6"
    other = table(tmp_path / "p.csv", CORNERS.replace("image", "image,score"), *rows)
    pred = read_detection_predictions(other, truth)
    # A regular octagon of area 8 (√2 − 1) in common of two squares of 4; and the same square but
    # for diagonals of 2.5 instead of 2 √2: within it, 3.125 of 4.
    iou = oriented_iou(oriented(pred), oriented(truth))[:, 0]
    assert iou == pytest.approx([math.sqrt(0.5), 3.125 / 4], abs=1e-12)
    assert any(f"angle in {unit}, clockwise to the eye, in columns" in n for n in truth.notes)
    assert any("oriented, four corners in columns x1, y1, x2" in note for note in pred.notes)
    # To 0.70 both are right, of which the surer counts; at 0.75 the first is a false alarm.
    result = AveragePrecision().update(truth.boxes, pred.boxes).compute()
    assert pytest.approx((5 + 0.5) / 10) == result.AP


def test_which_way_it_turns(tmp_path: Path) -> None:
    # 10 long and 2 wide: at 90° on end; at 30° its right end is below, as y grows downwards.
    path = table(tmp_path / "t.csv", ANGLE, "a,ship,20,20,10,2,90", "a,ship,20,20,10,2,30")
    boxes = oriented(read_detection_truth(path))
    assert boxes.boxes.xywh[0].tolist() == [19, 15, 2, 10]
    right = boxes.corners[1][np.argsort(boxes.corners[1][:, 0])[2:]]
    assert (right[:, 1] > 20).all()
    same = OrientedBoxes.from_cxcywha(
        [[20, 20, 10, 2, 90], [20, 20, 10, 2, 30]], degrees=True, image_id=[0, 0], label=[0, 0]
    )
    assert boxes.corners.tolist() == same.corners.tolist()
    # Their upright boxes, where these are asked for.
    upright = read_detection_truth(path, kind="box").boxes
    assert upright.kind == "box"
    assert upright.boxes.xywh.tolist() == boxes.boxes.xywh.tolist()


def test_radians_that_look_like_degrees(tmp_path: Path) -> None:
    head = ANGLE.replace("degrees", "radians")
    path = table(tmp_path / "t.csv", head, "a,ship,5,5,2,2,45", "a,ship,5,5,2,2,3")
    notes = read_detection_truth(path).notes
    assert any("1 of more than a whole turn: if they are degrees" in note for note in notes)


def test_relative_corners(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", CORNERS, "a,ship,.5,.25,.75,.5,.5,.75,.25,.5")
    read = read_detection_truth(path)
    assert read.relative
    sized = read_detection_truth(path, images={"a": (200, 100)})
    assert not sized.relative
    assert oriented(sized).corners[0].tolist() == [[50, 50], [75, 100], [50, 150], [25, 100]]
    # Sizes in columns; width and height are then the image's.
    head, row = CORNERS + ",width,height", "a,ship,.5,.25,.75,.5,.5,.75,.25,.5,100,200"
    again = read_detection_truth(table(tmp_path / "s.csv", head, row))
    assert oriented(again).corners.tolist() == oriented(sized).corners.tolist()
    assert read_detection_truth(path, relative=False).sizes is None


def test_corners_beside_an_angle(tmp_path: Path) -> None:
    # Corners say all; width and height are the box's, and no sizes of images.
    head = CORNERS + ",cx,cy,width,height,angle"
    rows = "a,ship,0,0,4,0,4,3,0,3,2,1.5,4,3,0", "a,ship,9,9,13,9,13,11,9,11,11,10,4,2,0"
    read = read_detection_truth(table(tmp_path / "t.csv", head, *rows))
    assert read.sizes is None
    assert oriented(read).boxes.area is not None
    assert oriented(read).boxes.xywh.tolist() == [[0, 0, 4, 3], [9, 9, 4, 2]]


def test_lists(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_text('{"image": "a", "label": "ship", "bbox": [2, 0, 4, 2, 2, 4, 0, 2]}\n')
    assert oriented(read_detection_truth(path)).corners[0].tolist() == [
        [2, 0], [4, 2], [2, 4], [0, 2]
    ]  # fmt: skip
    # A fifth number may be an angle, in either unit, or a score.
    path.write_text('{"image": "a", "label": "ship", "bbox": [2, 0, 4, 2, 2]}\n')
    for box in (None, "xyxy"):
        with pytest.raises(SchemaError, match=r'4 numbers in a list "bbox", or 8 .*got 5.*angle_'):
            read_detection_truth(path, box=box)
    path.write_text('{"image": "a", "label": "ship", "bbox": [2, 0, 4, 2], "theta": 1}\n')
    with pytest.raises(SchemaError, match=r'expected the unit .*got "theta"'):
        read_detection_truth(path)
    # Rows of two kinds.
    path.write_text(
        '{"image": "a", "label": "ship", "bbox": [2, 0, 4, 2]}\n'
        '{"image": "a", "label": "ship", "bbox": [2, 0, 4, 2, 2, 4, 0, 2]}\n'
    )
    with pytest.raises(SchemaError, match="list bbox of 4 numbers in each row"):
        read_detection_truth(path)


ROW = "a,ship,5,6,4,2,30"


@pytest.mark.parametrize(
    ("head", "rows", "error", "said"),
    [
        (ANGLE, ["a,ship,5,6,4,2,nan"], InputError, r'finite.*nan - .*line 2 column "angle_deg'),
        (ANGLE, [ROW, "a,ship,5,6,4,2,inf"], InputError, "finite number, got inf - .*line 3"),
        (ANGLE, [ROW, "a,ship,5,6,-4,2,0"], InputError, r'got -4 - .*line 3 column "width"'),
        (ANGLE, [ROW, "a,ship,5,6,4,-2,0"], InputError, r'got -2 - .*line 3 column "height"'),
        (ANGLE, [ROW, "a,ship,1.7e308,6,1.7e308,1,0"], InputError, r"within ±1e\+100.* - .*line 3"),
        # A row without an angle is no upright one.
        (ANGLE, [ROW, "a,ship,5,6,4,2,"], SchemaError, 'numbers in column "angle_d.*line 3'),
        (ANGLE, [ROW, "a,ship,5,6,4,2"], SchemaError, "line 3"),
        (ANGLE, [ROW, "a,ship,5,6,4,2,30°"], SchemaError, "30°"),
        (ANGLE, ["a,ship,.5,.6,.4,.2,30"], InputError, "in pixels.*four corners.*--absolute"),
        (
            ANGLE + ",angle_radians",
            [ROW + ",1"],
            SchemaError,
            "one column of angles, got angle_degrees, angle_radians",
        ),
        (
            ANGLE.replace("_degrees", ""),
            [ROW],
            SchemaError,
            'name, angle_degrees or angle_radians, got "angle": rename it',
        ),
        ("image,label,x,y,w,h,Rotation", [ROW], SchemaError, 'got "Rotation"'),
        (
            ANGLE.replace(",height", ",depth"),
            [ROW],
            SchemaError,
            r'width and height \(cx, cy, width, height\) beside "angle_degrees"',
        ),
        ("image,label,x,y,w,h,angle_degrees", [ROW], SchemaError, 'centre.*beside "angle_degrees"'),
        (CORNERS.replace("y4", "z"), ["a,b,1,2,3,4,5,6,7,8"], SchemaError, "there is no y4"),
        (
            "image,label,x1,y1,x2,y2,x3,y3",
            ["a,b,1,2,3,4,5,6"],
            SchemaError,
            "four corners, x1, y1 … y4, there is no x4, y4",
        ),
        (CORNERS, ["a,b,1,2,3,4,5,6,7,inf"], InputError, 'got inf - .*line 2 column "y4"'),
        (CORNERS, ["a,b,1,2,3,4,5,6,7,1e200"], InputError, "corners within"),
    ],
)
def test_bad_tables(
    tmp_path: Path, head: str, rows: list[str], error: type[Exception], said: str
) -> None:
    path = table(tmp_path / "t.csv", head, *rows)
    with pytest.raises(error, match=said) as caught:
        read_detection_truth(path)
    assert "\n" not in str(caught.value)


def test_options_that_do_not_fit(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", ANGLE, ROW)
    assert len(read_detection_truth(path, box="cxcywh").boxes) == 1
    with pytest.raises(InputError, match=r'expected no layout.*got "xywh"'):
        read_detection_truth(path, box="xywh")
    with pytest.raises(InputError, match="expected turned boxes in pixels"):
        read_detection_truth(path, relative=True)
    corners = table(tmp_path / "c.csv", CORNERS, "a,b,1,2,3,4,5,6,7,8")
    with pytest.raises(InputError, match=r'expected no layout.*got "xyxy"'):
        read_detection_truth(corners, box="xyxy")
    # Small boxes may be pixels.
    small = table(tmp_path / "s.csv", ANGLE, "a,ship,.5,.5,.25,.25,0")
    boxes = oriented(read_detection_truth(small, relative=False))
    assert boxes.boxes.xywh.tolist() == [[0.375, 0.375, 0.25, 0.25]]


def test_other_kinds_are_refused(tmp_path: Path) -> None:
    upright = table(tmp_path / "u.csv", "image,label,x,y,w,h,score", "a,ship,5,6,4,2,1")
    turned = table(tmp_path / "t.csv", ANGLE + ",score", ROW + ",1")
    with pytest.raises(InputError, match="expected oriented boxes, got upright boxes of a table"):
        read_detection_truth(upright, kind="oriented")
    with pytest.raises(InputError, match="expected oriented boxes, as truth has them"):
        read_detection_predictions(upright, read_detection_truth(turned))
    with pytest.raises(InputError, match="expected upright boxes, as truth has them, got oriented"):
        read_detection_predictions(turned, read_detection_truth(upright))


# ---- Writing -------------------------------------------------------------------------------------


def scene(n: int = 200) -> tuple[OrientedBoxes, OrientedBoxes]:
    """Return boxes of five images, and predictions near them."""
    rng = np.random.default_rng(3)
    box = rng.uniform([0, 0, 5, 5, -4], [300, 300, 90, 60, 4], (n, 5))
    image, label = rng.permutation(np.arange(n) % 5), rng.permutation(np.arange(n) % 2)
    names = np.array(list("abcde"))[image]
    classes = np.array(["ship", "plane"])[label]
    truth = OrientedBoxes.from_cxcywha(box, image_id=names, label=classes)
    moved = box + rng.normal(0, [3, 3, 3, 3, 0.1], (n, 5))
    moved[:, 2:4] = np.abs(moved[:, 2:4])
    score = rng.integers(1, 50, n) / 64
    pred = OrientedBoxes.from_cxcywha(moved, image_id=names, label=classes, score=score)
    return truth, pred


@pytest.mark.parametrize("ending", ["csv", "tsv", "parquet"])
def test_there_and_back(tmp_path: Path, ending: str) -> None:
    truth, pred = scene()
    write_detections(tmp_path / "d", Detections(truth), "dota")
    write_detections(tmp_path / "r", Detections(pred), "dota")
    first = read_detection_truth(tmp_path / "d")
    other = read_detection_predictions(tmp_path / "r", first)
    expected = AveragePrecision().update(first.boxes, other.boxes).compute()
    assert 0.2 < expected.AP < 0.9
    path, results = tmp_path / f"t.{ending}", tmp_path / f"p.{ending}"
    written = write_detections(path, Detections.of_read(first, "d"), "table")
    assert written.losses == []
    write_detections(results, Detections.of_read(other, "r", first), "table")
    read = read_detection_truth(path)
    read_results = read_detection_predictions(results, read)
    write_detections(tmp_path / "d2", Detections.of_read(read, "t"), "dota")
    write_detections(tmp_path / "r2", Detections.of_read(read_results, "p", read), "dota")
    last = read_detection_truth(tmp_path / "d2")
    last_results = read_detection_predictions(tmp_path / "r2", last)
    for one, two in ((read, read_results), (last, last_results)):
        found = AveragePrecision().update(one.boxes, two.boxes).compute()
        np.testing.assert_array_equal(found.precision, expected.precision)
        assert found.AP == expected.AP
    for name in ("a", "b", "c", "d", "e"):
        again = (tmp_path / f"d2/labelTxt/{name}.txt").read_bytes()
        assert again == (tmp_path / f"d/labelTxt/{name}.txt").read_bytes()


def test_what_is_lost(tmp_path: Path) -> None:
    folder = tmp_path / "d/labelTxt"
    folder.mkdir(parents=True)
    (folder / "a.txt").write_text("2 0 4 2 2 4 0 2 ship 2\n0 0 4 0 4 4 0 4 ship 1\n")
    (folder / "b.txt").write_text("")
    read = read_detection_truth(tmp_path / "d")
    written = write_detections(
        tmp_path / "t.csv", Detections.of_read(read, "d"), "table", lossy=True
    )
    # Degree 2 becomes 1, and a table lists no image without boxes; turned boxes stay.
    found = {(loss.what, loss.n) for loss in written.losses}
    assert ("difficult_levels", 1) in found
    assert {what for what, _ in found} == {"difficult_levels", "empty_images"}
    # Upright formats keep telling.
    with pytest.raises(InputError, match="1 turned boxes: the upright boxes around them stay"):
        write_detections(tmp_path / "k", Detections.of_read(read, "d"), "box-text")


def test_areas_of_masks_beside_turned_boxes(tmp_path: Path) -> None:
    head = ANGLE + ",area"
    path = table(tmp_path / "t.csv", head, ROW + ",7", "a,ship,5,6,4,2,0,8")
    read = read_detection_truth(path)
    area = oriented(read).boxes.area
    assert area is not None
    assert area.tolist() == [7, 8]
    write_detections(tmp_path / "u.csv", Detections.of_read(read, "t"), "table")
    again = oriented(read_detection_truth(tmp_path / "u.csv"))
    assert again.boxes.area is not None
    assert again.boxes.area.tolist() == [7, 8]
    with pytest.raises(InputError, match="1 areas of turned boxes: those of their corners instead"):
        write_detections(tmp_path / "d", Detections.of_read(read, "t"), "dota")
    # Its own area needs no column.
    own = read_detection_truth(table(tmp_path / "o.csv", ANGLE, ROW))
    write_detections(tmp_path / "v.csv", Detections.of_read(own, "o"), "table")
    assert "area" not in (tmp_path / "v.csv").read_text()


def test_relative_boxes_are_told(tmp_path: Path) -> None:
    path = table(tmp_path / "t.csv", CORNERS, "a,ship,.5,.25,1.25,.5,.5,.75,.25,.5")
    read = read_detection_truth(path, relative=True)
    done = write_detections(tmp_path / "u.csv", Detections.of_read(read, "t"), "table")
    assert any("read the table with --relative" in note for note in done.notes)
    again = read_detection_truth(tmp_path / "u.csv", relative=True)
    assert oriented(again).corners.tolist() == oriented(read).corners.tolist()
