"""Polygons, points and turned boxes of CVAT's XML."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen import AveragePrecision
from snellen.detection.masks import Masks
from snellen.detection.oriented import OrientedBoxes, oriented_iou
from snellen.detection.poses import Poses
from snellen.errors import SnellenError
from snellen.readers.detection_files import read_detection_predictions, read_detection_truth
from snellen.rle_masks import RleMasks
from snellen.writers.unread import unread_losses

HEAD = (
    "<annotations><version>1.1</version><meta><job><labels><label><name>car</name></label>"
    '</labels></job></meta><image id="0" name="1.jpg" width="100" height="50">{}</image>'
    "</annotations>"
)
BOX = '<box label="car" xtl="10.1" ytl="20" xbr="30.3" ybr="30"{}></box>'
POLYGON = '<polygon label="car" points="{}"{}></polygon>'
POINTS = '<points label="car" points="{}"{}/>'
SQUARE = "10,10;50,10;50,40;10,40"


def written(path: Path, *shapes: str) -> Path:
    path.write_text(HEAD.format("".join(shapes)))
    return path


def test_polygons(tmp_path: Path) -> None:
    shapes = [POLYGON.format(SQUARE, ' occluded="1"'), POLYGON.format("0,0; 20.5,0 ;20,30", "")]
    truth = read_detection_truth(written(tmp_path / "t.xml", *shapes))
    assert isinstance(truth.boxes, Masks)
    want = RleMasks.from_polygons(
        [[[10, 10, 50, 10, 50, 40, 10, 40]], [[0, 0, 20.5, 0, 20, 30]]], (50, 100)
    )
    assert truth.boxes.rle.runs.tolist() == want.runs.tolist()
    assert truth.boxes.boxes.xywh.tolist() == [[10, 10, 40, 30], [0, 0, 20.5, 30]]
    assert truth.flags["occluded"].tolist() == [1, 0]
    scored = [POLYGON.format(SQUARE, ' score="0.5"'), POLYGON.format("0,0;9,0;9,9", ' score="1"')]
    pred = read_detection_predictions(written(tmp_path / "p.xml", *scored), truth)
    metrics = AveragePrecision().update(truth.boxes, pred.boxes).compute().metrics
    # The small one, which comes first, is none: 1 / 2 at half of the recall.
    assert metrics["AP50"] == pytest.approx(51 / 101 / 2)


def test_points(tmp_path: Path) -> None:
    shapes = [POINTS.format("10,20;30,40", ""), POINTS.format("1,2;3,4", ' occluded="1"')]
    truth = read_detection_truth(written(tmp_path / "t.xml", *shapes))
    assert isinstance(truth.boxes, Poses)
    assert truth.boxes.keypoints.tolist() == [[[10, 20, 2], [30, 40, 2]], [[1, 2, 1], [3, 4, 1]]]
    assert truth.boxes.boxes.xywh.tolist() == [[10, 20, 20, 20], [1, 2, 2, 2]]
    path = written(tmp_path / "p.xml", POINTS.format("1,2;3,4;5,6", ' score="1"'))
    with pytest.raises(SnellenError, match="expected 2 keypoints, as truth has, got 3"):
        read_detection_predictions(path, truth)


def test_turned_boxes(tmp_path: Path) -> None:
    """A quarter turn is exact; a box that is not turned stays to the last digit."""
    quarter = '<box label="car" xtl="10" ytl="20" xbr="30" ybr="30" rotation="90.00"/>'
    path = written(tmp_path / "t.xml", quarter, BOX.format(' rotation="30.5"'), BOX.format(""))
    upright = read_detection_truth(path)
    assert upright.boxes.kind == "box"
    assert len(upright.boxes) == 1
    assert any("other shapes left out: 2 turned box" in note for note in upright.notes)
    read = read_detection_truth(path, kind="oriented")
    assert isinstance(read.boxes, OrientedBoxes)
    corners = read.boxes.corners
    # About (20, 25): 20 wide and 10 high becomes 10 wide and 20 high.
    assert sorted(corners[0].tolist()) == [[15, 15], [15, 35], [25, 15], [25, 35]]
    assert sorted(corners[2].tolist()) == [[10.1, 20], [10.1, 30], [30.3, 20], [30.3, 30]]
    # Clockwise to the eye: to the right of the centre it goes down.
    want = OrientedBoxes.from_cxcywha(
        [[20.2, 25, 20.2, 10, 30.5]], image_id=["1.jpg"], label=["car"], degrees=True
    )
    assert oriented_iou(read.boxes, want)[1, 0] == pytest.approx(1)
    right = corners[1][corners[1][:, 0] > 20.2].mean(axis=0)
    assert right[1] > 25
    only = read_detection_truth(written(tmp_path / "o.xml", quarter))
    assert only.boxes.kind == "oriented"


def test_which_shapes_are_read(tmp_path: Path) -> None:
    polygon, points = POLYGON.format(SQUARE, ""), POINTS.format("1,1", "")
    path = written(tmp_path / "a.xml", polygon, points, BOX.format(""), "<polyline/><cuboid/>")
    counts = {"box": 1, "mask": 1, "keypoints": 1, "oriented": 1}
    for kind, n in counts.items():
        read = read_detection_truth(path, kind=kind)  # type: ignore[arg-type]
        assert read.boxes.kind == kind
        assert len(read.boxes) == n
        lost = {loss.what: loss.n for loss in unread_losses(str(path), "cvat", kind=kind)}
        assert lost == {"shapes": 4}
    assert read_detection_truth(path).boxes.kind == "box"
    two = written(tmp_path / "b.xml", polygon, points)
    with pytest.raises(
        SnellenError, match=r'got 1 polygon, 1 points: say kind="mask" or kind="key'
    ):
        read_detection_truth(two)
    none = read_detection_truth(written(tmp_path / "c.xml"), kind="mask")
    assert none.boxes.kind == "mask"


def test_boxes_around_other_shapes(tmp_path: Path) -> None:
    """Where there are no upright boxes, kind="box" takes those around shapes of any kind."""
    quarter = '<box label="car" xtl="10" ytl="20" xbr="30" ybr="30" rotation="90.00"{}/>'
    polygon, points = POLYGON.format(SQUARE, "{}"), POINTS.format("3,4;8,6", "{}")
    shapes = [polygon, points, quarter, polygon.replace(SQUARE, "1,1;9,1;1,5"), "<polyline/>"]
    want = [[10, 10, 40, 30], [3, 4, 5, 2], [15, 15, 10, 20], [1, 1, 8, 4]]
    path = written(tmp_path / "t.xml", *(shape.format("") for shape in shapes))
    truth = read_detection_truth(path, kind="box")
    assert truth.boxes.kind == "box"
    assert truth.boxes.boxes.xywh.tolist() == want
    assert any("other shapes left out: 1 polyline" in note for note in truth.notes)
    lost = unread_losses(str(path), "cvat", kind="box")
    assert [(loss.n, loss.text) for loss in lost] == [
        (5, "shapes that are no boxes: boxes around them stay")
    ]
    # As the refusal of polygons beside boxes advises.
    scored = written(tmp_path / "p.xml", polygon.format(' score="0.5"'))
    with pytest.raises(SnellenError, match='kind="box"'):
        read_detection_predictions(scored, truth)
    pred = read_detection_predictions(scored, truth, kind="box")
    assert pred.boxes.boxes.xywh.tolist() == want[:1]
    assert pred.boxes.boxes.score is not None


MASK = '<mask label="car" rle="{}" left="{}" top="{}" width="{}" height="{}"/>'


def test_brushed_masks_among_polygons(tmp_path: Path) -> None:
    """Row by row in a box: 2 outside, 3 inside, 1 outside, 2 inside of 4 × 2 pixels."""
    shapes = [POLYGON.format(SQUARE, ""), MASK.format("2, 3, 1, 2", 90, 47, 4, 2)]
    path = written(tmp_path / "a.xml", *shapes, MASK.format("", 0, 0, 0, 0))
    read = read_detection_truth(path)
    assert isinstance(read.boxes, Masks)
    pixels = read.boxes.rle.to_arrays()
    assert pixels[0].sum() == 40 * 30
    assert np.argwhere(pixels[1]).tolist() == [[47, 92], [47, 93], [48, 90], [48, 92], [48, 93]]
    assert pixels[2].sum() == 0
    assert read.boxes.boxes.xywh.tolist() == [[10, 10, 40, 30], [90, 47, 4, 2], [0, 0, 0, 0]]
    assert read.boxes.boxes.area is not None
    assert read.boxes.boxes.area.tolist() == [1200, 5, 0]


JOINT = '<points label="{}" points="{}"{}/>'


@pytest.mark.parametrize("listed", [True, False])
def test_skeletons(tmp_path: Path, listed: bool) -> None:
    """In the order of the file's labels, or in that of the first skeleton."""
    joints = [JOINT.format("hand", "5,6", ""), JOINT.format("foot", "7,8", ' occluded="1"')]
    first = '<skeleton label="car" occluded="0">' + "".join(joints) + "</skeleton>"
    out = JOINT.format("foot", "1,2", ' outside="1" occluded="1"')
    second = f'<skeleton label="car">{out}</skeleton>'
    path = written(tmp_path / "a.xml", first, second, POINTS.format("1,1;2,4", ""))
    if listed:
        names = "".join(
            f"<label><name>{name}</name><type>points</type><parent>car</parent></label>"
            for name in ("foot", "hand")
        )
        path.write_text(path.read_text().replace("</labels>", f"{names}</labels>"))
    read = read_detection_truth(path)
    assert isinstance(read.boxes, Poses)
    hand, foot = [[5, 6, 2], [0, 0, 0]], [[7, 8, 1], [1, 2, 0]]
    order = [foot, hand] if listed else [hand, foot]
    want = [[list(point) for point in points] for points in zip(*order, strict=True)]
    assert read.boxes.keypoints.tolist() == [*want, [[1, 1, 2], [2, 4, 2]]]
    assert read.boxes.boxes.xywh.tolist() == [[5, 6, 2, 2], [0, 0, 0, 0], [1, 1, 1, 3]]
    assert read.boxes.boxes.classes.display_names() == ["car"]


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (MASK.format("1,2", 0, 0, 2, 2), r"of together 2 × 2 = 4 pixels, got 3.* mask 1 rle"),
        (MASK.format("-1,5", 0, 0, 2, 2), "expected runs from 0 on"),
        (MASK.format("1,x", 0, 0, 2, 2), 'expected a number, got "x"'),
        (MASK.format("1.5,2.5", 0, 0, 2, 2), r"expected a whole number, got 1\.5"),
        (MASK.format("4", 99, 0, 2, 2), "a mask inside its image, 50 × 100"),
        (MASK.format("4", 0, -1, 2, 2), "a mask inside its image"),
        (MASK.format("1e30", 0, 0, 2, 2), "of together 2 × 2"),
        ('<mask label="car" rle="4"/>', "left"),
        (
            f'<skeleton label="car">{JOINT.format("a", "1,1;2,2", "")}</skeleton>',
            "expected one point of each name in a skeleton, got 2 points",
        ),
        (
            f'<skeleton label="car">{JOINT.format("a", "1,1", "") * 2}</skeleton>',
            'got "a" again.*skeleton 1 points 2',
        ),
        (
            f'<skeleton label="car">{JOINT.format("a", "1,1", "")}</skeleton>'
            f'<skeleton label="car">{JOINT.format("b", "1,1", "")}</skeleton>',
            'expected points of a skeleton called a, got "b"',
        ),
        (
            POLYGON.format("1,1;2,2", ""),
            "three or more points of a polygon, got 2.*polygon 1 points",
        ),
        (POLYGON.format("1,1;2,2;3", ""), 'expected points as x,y;x,y;…, got "3"'),
        (POLYGON.format("", ""), 'got ""'),
        (POLYGON.format("1,1;2,x;3,3", ""), 'expected a number, got "x"'),
        (POLYGON.format("1,1;2,nan;3,3", ""), "expected a finite number, got nan"),
        (POLYGON.format("1,1;2,1e300;3,3", ""), "polygon 1"),
        ('<polygon points="1,1;2,2;3,3"/>', "a label of each polygon"),
        (
            POINTS.format("1,1", "") + POINTS.format("1,1;2,2", ""),
            "expected 1 points, as the first",
        ),
        (BOX.format(' rotation="x"'), 'expected a number, got "x".* rotation'),
        (BOX.format(' rotation="inf"'), "expected a finite number"),
        ('<box label="a" xtl="5" ytl="1" xbr="2" ybr="2" rotation="9"/>', "right and bottom of at"),
    ],
)
def test_refused(tmp_path: Path, shape: str, message: str) -> None:
    with pytest.raises(SnellenError, match=message):
        read_detection_truth(written(tmp_path / "a.xml", shape))


@pytest.mark.parametrize("kind", ["mask", "keypoints", "oriented"])
def test_damaged_files(tmp_path: Path, kind: Any) -> None:
    joints = JOINT.format("a", "1,1", "") + JOINT.format("b", "2,2", ' outside="1"')
    shapes = (
        POLYGON.format(SQUARE, ""),
        MASK.format("1,2,1", 3, 4, 2, 2),
        POINTS.format("1,1;2,2", ""),
        f'<skeleton label="car">{joints}</skeleton>',
        BOX.format(' rotation="7"'),
    )
    whole = HEAD.format("".join(shapes)).encode()
    path = tmp_path / "a.xml"
    rng = np.random.default_rng(13)
    n_refused = 0
    for _ in range(400):
        damaged = bytearray(whole)
        for at in rng.integers(0, len(whole), rng.integers(1, 4)):
            damaged[at] = int(rng.integers(0, 256))
        path.write_bytes(bytes(damaged))
        try:
            read_detection_truth(path, kind=kind)
        except SnellenError:
            n_refused += 1
    assert 0 < n_refused < 400
