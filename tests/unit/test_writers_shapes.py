"""Masks, poses and oriented boxes to files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen import AveragePrecision, Boxes, read_coco_predictions, read_coco_truth
from snellen.detection.masks import Masks
from snellen.detection.oriented import OrientedBoxes
from snellen.detection.poses import Poses
from snellen.errors import InputError
from snellen.readers.detection_files import read_detection_predictions, read_detection_truth
from snellen.rle_masks import RleMasks
from snellen.writers.conversion import convert_detections
from snellen.writers.detection_files import whole_pixels, write_detections
from snellen.writers.detections import Detections
from snellen.writers.source import Source

SIZE = np.array([[64, 128], [64, 128]])
TRIANGLE, SQUARE = np.array([[0.0, 0], [16, 0], [0, 8]]), np.array([[32.0, 8], [64, 8], [64, 32]])


def boxes(**columns: Any) -> Boxes:
    return Boxes.from_xywh(
        [[0, 0, 16, 8], [32, 8, 32, 24], [1, 2, 3, 4]],
        image_id=["a", "a", "b"], label=["cat", "dog", "cat"], **columns,
    )  # fmt: skip


def masks(**columns: Any) -> Masks:
    rng = np.random.default_rng(2)
    runs = RleMasks.from_arrays(rng.random((3, 64, 128)) < 0.3)
    return Masks(boxes(area=runs.areas(), **columns), runs)


def poses(**columns: Any) -> Poses:
    points = np.arange(3 * 4 * 3, dtype=np.float64).reshape(3, 4, 3)
    points[:, :, 2] = [2, 1, 0, 2]
    points[2, :, 2] = 0
    return Poses(boxes(**columns), points)


def oriented(**columns: Any) -> OrientedBoxes:
    corners = np.array([[[8, 0], [16, 4], [8, 8], [0, 4]]] * 3, np.float64)
    return OrientedBoxes(boxes(area=[64.0] * 3, **columns), corners)


def lost(path: Path, data: Detections, name: str) -> dict[str, int]:
    return {each.what: each.n for each in write_detections(path, data, name, lossy=True).losses}


def lines(path: Path) -> list[list[float]]:
    return [list(map(float, line.split())) for line in path.read_text().splitlines()]


def test_masks_as_coco(tmp_path: Path) -> None:
    found = masks(crowd=[0, 0, 1])
    truth, pred = tmp_path / "t.json", tmp_path / "p.json"
    assert lost(truth, Detections(found, sizes=SIZE), "coco") == {}
    read = read_coco_truth(truth, kind="mask")
    assert np.array_equal(read.rle.runs, found.rle.runs)
    assert np.array_equal(read.boxes.xywh, found.boxes.xywh)
    assert read.boxes.area is not None
    assert np.array_equal(read.boxes.area, found.rle.areas())
    scored = masks(score=[0.5, 1 / 3, 0.1])
    assert lost(pred, Detections(scored, sizes=SIZE), "coco") == {}
    again = read_coco_predictions(pred, read, kind="mask")
    assert np.array_equal(again.rle.runs, found.rle.runs)
    assert again.boxes.score is not None
    assert again.boxes.score.tolist() == [0.5, 1 / 3, 0.1]
    # A box would say that its area counts.
    assert "bbox" not in json.loads(pred.read_text())[0]


def test_known_polygons_stay_polygons(tmp_path: Path) -> None:
    polygons = [[TRIANGLE], [SQUARE, TRIANGLE], []]
    data = Detections(masks(), sizes=SIZE, polygons=polygons)
    write_detections(tmp_path / "a.json", data, "coco")
    shapes = [
        each["segmentation"]
        for each in json.loads((tmp_path / "a.json").read_text())["annotations"]
    ]
    assert shapes[0] == [TRIANGLE.ravel().tolist()]
    assert len(shapes[1]) == 2
    assert set(shapes[2]) == {"size", "counts"}
    # YOLO has one polygon of each: of two the largest, of none the box.
    lost_of_yolo = lost(tmp_path / "y", data, "yolo")
    assert lost_of_yolo == {"masks": 1, "mask_parts": 1}
    texts = lines(tmp_path / "y/labels/a.txt")
    assert texts[0] == [0, 0, 0, 0.125, 0, 0, 0.125]
    assert texts[1] == [1, 0.25, 0.125, 0.5, 0.125, 0.5, 0.5]
    x, y, right, bottom = 1 / 128, 2 / 64, 4 / 128, 6 / 64
    assert lines(tmp_path / "y/labels/b.txt") == [[0, x, y, right, y, right, bottom, x, bottom]]
    assert lost(tmp_path / "z", data._replace(polygons=None), "yolo") == {"masks": 3}
    with pytest.raises(InputError, match="expected polygons of 3 objects, got 1"):
        write_detections(tmp_path / "w", data._replace(polygons=[[]]), "yolo", lossy=True)


def test_poses_as_coco_and_yolo(tmp_path: Path) -> None:
    found = poses()
    assert lost(tmp_path / "a.json", Detections(found, sizes=SIZE), "coco") == {}
    read = read_coco_truth(tmp_path / "a.json", kind="keypoints")
    assert np.array_equal(read.keypoints, found.keypoints)
    annotations = json.loads((tmp_path / "a.json").read_text())["annotations"]
    assert [each["num_keypoints"] for each in annotations] == [3, 3, 0]
    scored = Detections(poses(score=[0.5, 0.25, 0.75]), sizes=SIZE)
    assert lost(tmp_path / "p.json", scored, "coco") == {}
    again = read_coco_predictions(tmp_path / "p.json", read, kind="keypoints")
    assert np.array_equal(again.keypoints, found.keypoints)
    # YOLO: class, box, x, y and visibility of each point, and the score behind.
    assert lost(tmp_path / "y", Detections(found, sizes=SIZE), "yolo") == {}
    assert "kpt_shape: [4, 3]" in (tmp_path / "y/data.yaml").read_text()
    point = [0, 1 / 64, 2, 3 / 128, 4 / 64, 1, 6 / 128, 7 / 64, 0, 9 / 128, 10 / 64, 2]
    assert lines(tmp_path / "y/labels/a.txt")[0] == [0, 1 / 16, 1 / 16, 1 / 8, 1 / 8, *point]
    assert lost(tmp_path / "s", scored, "yolo") == {}
    assert lines(tmp_path / "s/labels/a.txt")[1][-1] == 0.25
    # Who has no labelled point is ignored by that, and by no flag of his own.
    assert read.boxes.ignored is not None
    assert read.boxes.ignored.tolist() == [0, 0, 1]
    data = Detections(read, sizes=SIZE, is_coco=True)
    assert lost(tmp_path / "b.json", data, "coco") == {}


NAMES = {0: ("nose & <chin>", 'left "ear"', "tail", "1"), 1: ("tail", "nose", "x", "y")}


def test_names_of_keypoints_stay(tmp_path: Path) -> None:
    """Through COCO and CVAT, of which each class has its own; other formats tell the loss."""
    data = Detections(poses(), sizes=SIZE, point_names=NAMES)
    for name, to in (("a.json", "coco"), ("b.xml", "cvat"), ("c.xml", "cvat"), ("d.json", "coco")):
        assert "point_names" not in lost(tmp_path / name, data, to)
        read = read_detection_truth(tmp_path / name, kind="keypoints")
        assert read.point_names == NAMES
        data = Detections.of_read(read, name)
    categories = json.loads((tmp_path / "d.json").read_text())["categories"]
    assert [each["keypoints"] for each in categories] == [list(each) for each in NAMES.values()]
    assert lost(tmp_path / "y", data, "yolo")["point_names"] == 2
    assert "point_names" not in lost(tmp_path / "t.csv", data, "table")
    # The numbers 1, 2, 3, … say the position, which stays.
    numbers = data._replace(point_names={0: ("1", "2", "3", "4"), 1: NAMES[1]})
    assert lost(tmp_path / "n", numbers, "yolo")["point_names"] == 1


def test_names_of_keypoints_that_no_reader_finds_again(tmp_path: Path) -> None:
    names = {0: ("nose ", "ear", "tail", "x"), 1: NAMES[1]}
    data = Detections(poses(), sizes=SIZE, point_names=names)
    assert lost(tmp_path / "a.xml", data, "cvat")["point_names"] == 1
    read = read_detection_truth(tmp_path / "a.xml")
    assert read.point_names == {0: ("1", "2", "3", "4"), 1: NAMES[1]}
    broken = data._replace(point_names={0: ("a\nb", "c", "d", "e")})
    with pytest.raises(InputError, match="names of keypoints without control characters"):
        write_detections(tmp_path / "b.xml", broken, "cvat", lossy=True)


def test_predictions_have_the_names_of_truth(tmp_path: Path) -> None:
    """In whose order they are: where their own file has none, and as a first draft of labels."""
    write_detections(
        tmp_path / "t.json", Detections(poses(), sizes=SIZE, point_names=NAMES), "coco", lossy=True
    )
    scored = Detections(poses(score=[0.5, 0.25, 0.75]), sizes=SIZE, point_names={})
    write_detections(tmp_path / "p.json", scored, "coco")
    source = Source(str(tmp_path / "p.json"), truth=str(tmp_path / "t.json"), kind="keypoints")
    for to, file in (("cvat", "p.xml"), ("coco", "d.json")):
        done = convert_detections(source, tmp_path / file, to, drop_scores=to == "coco", lossy=True)
        assert "point_names" not in {loss.what for loss in done.losses}
    assert read_detection_truth(tmp_path / "p.xml").point_names == NAMES
    assert read_detection_truth(tmp_path / "d.json", kind="keypoints").point_names == NAMES


def test_oriented_boxes(tmp_path: Path) -> None:
    found = oriented()
    flags = {"difficult": np.array([0, 2, 1], np.uint8)}
    data = Detections(found, sizes=SIZE, flags=flags)
    assert lost(tmp_path / "d", data, "dota") == {}
    assert (tmp_path / "d/labelTxt/a.txt").read_text() == (
        "8 0 16 4 8 8 0 4 cat 0\n8 0 16 4 8 8 0 4 dog 2\n"
    )
    scored = Detections(oriented(score=[0.5, 0.25, 0.75]), sizes=SIZE)
    assert lost(tmp_path / "r", scored, "dota") == {}
    assert (tmp_path / "r/Task1_cat.txt").read_text() == (
        "a 0.5 8 0 16 4 8 8 0 4\nb 0.75 8 0 16 4 8 8 0 4\n"
    )
    assert lost(tmp_path / "y", data._replace(flags={}), "yolo") == {}
    want = [0, 8 / 128, 0, 16 / 128, 4 / 64, 8 / 128, 8 / 64, 0, 4 / 64]
    assert lines(tmp_path / "y/labels/b.txt") == [want]
    assert lost(tmp_path / "s", scored, "yolo") == {}
    assert lines(tmp_path / "s/labels/b.txt") == [[*want, 0.75]]
    assert lost(tmp_path / "a.json", data, "coco") == {"oriented": 3, "difficult": 2}
    first = json.loads((tmp_path / "a.json").read_text())["annotations"][0]
    assert first["segmentation"] == [[8, 0, 16, 4, 8, 8, 0, 4]]
    assert first["bbox"] == [0, 0, 16, 8]


def test_corners_of_upright_boxes_are_boxes(tmp_path: Path) -> None:
    """Whatever the corner they begin at, and the way round: nothing is lost."""
    first = np.array([[1, 2], [4, 2], [4, 7], [1, 7]], np.float64)
    corners = np.stack([first, np.roll(first, 1, axis=0), first[::-1]])
    flat = Boxes.from_xywh([[1, 2, 3, 5]] * 3, image_id=["a", "a", "b"], label=["cat"] * 3)
    data = Detections(OrientedBoxes(flat, corners), sizes=SIZE)
    assert lost(tmp_path / "t", data, "voc-xml") == {}
    read = read_detection_truth(tmp_path / "t")
    assert read.boxes.boxes.xywh.tolist() == [[1, 2, 3, 5]] * 3
    crossed = corners[:, [0, 2, 1, 3]]
    data = Detections(OrientedBoxes(flat, crossed), sizes=SIZE)
    assert lost(tmp_path / "u", data, "voc-xml") == {"oriented": 3}


def test_upright_boxes_as_dota(tmp_path: Path) -> None:
    assert lost(tmp_path / "d", Detections(boxes()), "dota") == {}
    assert (tmp_path / "d/labelTxt/b.txt").read_text() == "1 2 4 2 4 6 1 6 cat 0\n"


@pytest.mark.parametrize("name", ["voc-xml", "kitti", "box-text", "open-images"])
@pytest.mark.parametrize(
    ("columns", "what"), [(masks(), "masks"), (poses(), "keypoints"), (oriented(), "oriented")]
)
def test_formats_of_boxes_have_the_boxes(
    tmp_path: Path, name: str, columns: Any, what: str
) -> None:
    target = "a.csv" if name == "open-images" else "a"
    with pytest.raises(InputError, match=r"it would lose: 3 .*boxes"):
        write_detections(tmp_path / target, Detections(columns, sizes=SIZE), name)
    found = lost(tmp_path / target, Detections(columns, sizes=SIZE), name)
    assert found == {what: 3} | ({"areas": 3} if what == "masks" else {})


def test_only_boxes_are_rounded() -> None:
    with pytest.raises(InputError, match="expected upright boxes to round"):
        whole_pixels(Detections(masks()))


@pytest.mark.parametrize("way", [("dota", "yolo", "dota"), ("yolo", "dota", "yolo")])
def test_oriented_boxes_there_and_back(tmp_path: Path, way: tuple[str, ...]) -> None:
    """Corners on eighths of a pixel in images of 64 × 128, as truth and as predictions."""
    rng = np.random.default_rng(8)
    n = 30
    centre, half = rng.integers(80, 200, (n, 2)) / 8, rng.integers(8, 64, (n, 2)) / 8
    # Of two diagonals that are turned by 90°.
    x, y = half.T
    around = np.stack([-x, -y, y, -x, x, y, -y, x], axis=1).reshape(n, 4, 2) + centre[:, None]
    image, label = np.arange(n) * 2 // n, rng.integers(0, 2, n)
    columns = {"image_id": [["a", "b"][k] for k in image], "label": [["c", "d"][k] for k in label]}
    around = around.clip(0, 64)
    found = []
    score = (rng.random(n) * 8).round() / 8
    for more in ({}, {"score": score}):
        flat = Boxes.from_xywh(np.tile([0, 0, 9, 9], (n, 1)), **columns, **more)
        found.append(Detections(OrientedBoxes(flat, around), sizes=SIZE))
    first = None
    for number, name in enumerate(way):
        folders = [tmp_path / f"{number}{part}" for part in "tp"]
        for folder, data in zip(folders, found, strict=True):
            # Names come back as numbers from YOLO; corners on eighths are exact.
            assert lost(folder, data, name).keys() <= {"class_ids"}
        sizes = {"images": {"a": (64, 128), "b": (64, 128)}}
        truth = read_detection_truth(folders[0], format=name, **sizes)
        pred = read_detection_predictions(folders[1], truth, format=name)
        assert isinstance(truth.boxes, OrientedBoxes)
        assert isinstance(pred.boxes, OrientedBoxes)
        metric = AveragePrecision().update(truth.boxes, pred.boxes).compute()
        corners = [
            sorted(each.boxes.corners.reshape(n, 8).tolist())  # type: ignore[union-attr]
            for each in (truth, pred)
        ]
        first = first or (corners, metric.precision.tobytes(), metric.recall.tobytes())
        assert (corners, metric.precision.tobytes(), metric.recall.tobytes()) == first
        found = [
            Detections.of_read(truth, "t"), Detections.of_read(pred, "p", truth)
        ]  # fmt: skip
