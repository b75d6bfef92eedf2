"""Keypoints of CVAT's skeletons are paired with truth's by their names."""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING

import numpy as np
import pytest

from snellen import AveragePrecision
from snellen.detection.poses import Poses
from snellen.errors import SchemaError
from snellen.readers.detection_files import read_detection_predictions, read_detection_truth
from snellen.writers.detection_files import write_detections
from snellen.writers.detections import Detections

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from snellen.readers.box_joining import ReadBoxes

Points = dict[str, tuple[float, float]]

RNG = np.random.default_rng(5)
BODY: Points = {
    f"k{k}": (float(x), float(y)) for k, (x, y) in enumerate(RNG.uniform(5, 90, (17, 2)))
}
CAR: Points = {"front": (10, 20), "roof": (30, 5), "back": (50, 25)}
BIKE: Points = {"saddle": (12, 40), "front": (60, 70), "back": (33, 80)}


def backwards(points: Points) -> Points:
    return dict(reversed(points.items()))


def numbered(points: Points) -> Points:
    return {str(k + 1): each for k, each in enumerate(points.values())}


def written(
    path: Path,
    shapes: Sequence[tuple[str, Points]],
    listed: Mapping[str, Sequence[str]] | None = None,
    *,
    score: bool = False,
    more: str = "",
) -> Path:
    """Write skeletons; `listed` are the points of labels in the order of the file's list."""
    labels = "".join(
        f"<label><name>{label}</name><type>skeleton</type></label>"
        + "".join(f"<label><name>{name}</name><parent>{label}</parent></label>" for name in names)
        for label, names in (listed or {}).items()
    )
    scored = '<attribute name="score">0.9</attribute>' if score else ""
    skeletons = "".join(
        f'<skeleton label="{label}">'
        + "".join(f'<points label="{name}" points="{x},{y}"/>' for name, (x, y) in points.items())
        + f"{scored}</skeleton>"
        for label, points in shapes
    )
    path.write_text(
        f"<annotations><version>1.1</version><meta><task><labels>{labels}</labels></task></meta>"
        f'<image id="0" name="1.jpg" width="100" height="90">{skeletons}{more}</image>'
        "</annotations>"
    )
    return path


def points_of(read: ReadBoxes) -> list[list[tuple[float, ...]]]:
    assert isinstance(read.boxes, Poses)
    return [[tuple(point) for point in each] for each in read.boxes.keypoints[:, :, :2].tolist()]


@pytest.mark.parametrize("listed", [True, False])
def test_they_are_paired_by_name(tmp_path: Path, listed: bool) -> None:
    """Wherever each file's order is from: its list, or its first skeleton."""
    other = backwards(BODY)
    truth = read_detection_truth(
        written(tmp_path / "t.xml", [("person", BODY)], {"person": list(BODY)})
    )
    names = {"person": list(other)} if listed else None
    path = written(tmp_path / "p.xml", [("person", other)], names, score=True)
    pred = read_detection_predictions(path, truth)
    found = AveragePrecision(protocol="coco-keypoints").update(truth.boxes, pred.boxes).compute()
    assert found.metrics["AP"] == pytest.approx(1)


def test_each_class_has_its_own_order(tmp_path: Path) -> None:
    truth = read_detection_truth(
        written(tmp_path / "t.xml", [("car", CAR), ("bike", BIKE), ("car", CAR)])
    )
    cars = truth.boxes.boxes.classes.keys.codes(["car"])[0]
    assert truth.point_names == {cars: tuple(CAR), 1 - cars: tuple(BIKE)}
    shapes = [("bike", backwards(BIKE)), ("car", CAR), ("bike", BIKE)]
    pred = read_detection_predictions(written(tmp_path / "p.xml", shapes, score=True), truth)
    bike, car = list(BIKE.values()), list(CAR.values())
    assert points_of(pred) == [bike, car, bike]
    assert pred.point_names == truth.point_names
    assert [note for note in pred.notes if "names" in note] == [
        f"{tmp_path / 'p.xml'}: keypoints of 2 objects are put in truth's order by their names"
    ]


@pytest.mark.parametrize("of_truth", [True, False])
def test_numbers_name_the_position(tmp_path: Path, of_truth: bool) -> None:
    own, other = (numbered(CAR), CAR) if of_truth else (CAR, numbered(CAR))
    truth = read_detection_truth(written(tmp_path / "t.xml", [("car", own)]))
    pred = read_detection_predictions(
        written(tmp_path / "p.xml", [("car", other)], score=True), truth
    )
    assert points_of(pred) == points_of(truth) == [list(CAR.values())]


def test_numbers_in_another_order_are_names(tmp_path: Path) -> None:
    own = numbered(CAR)
    truth = read_detection_truth(written(tmp_path / "t.xml", [("car", backwards(own))]))
    path = written(tmp_path / "p.xml", [("car", own)], score=True)
    assert points_of(read_detection_predictions(path, truth)) == [list(CAR.values())[::-1]]


def test_what_snellen_writes_is_of_any_names(tmp_path: Path) -> None:
    truth = read_detection_truth(written(tmp_path / "t.xml", [("car", CAR)]))
    assert isinstance(truth.boxes, Poses)
    boxes = truth.boxes.boxes
    scored = dataclasses.replace(boxes, score=np.array([0.5]))
    data = Detections(Poses(scored, truth.boxes.keypoints), sizes=truth.sizes)
    write_detections(tmp_path / "p.xml", data, "cvat", lossy=True)
    pred = read_detection_predictions(tmp_path / "p.xml", truth)
    assert points_of(pred) == points_of(truth)


def test_points_without_names_keep_their_position(tmp_path: Path) -> None:
    """Beside skeletons of the same label, which are paired by name."""
    truth = read_detection_truth(written(tmp_path / "t.xml", [("car", CAR)]))
    bare = '<points label="car" points="1,2;3,4;5,6" score="0.5"/>'
    path = written(tmp_path / "p.xml", [("car", backwards(CAR))], score=True, more=bare)
    found = points_of(read_detection_predictions(path, truth))
    assert found == [list(CAR.values()), [(1, 2), (3, 4), (5, 6)]]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("front", "top", "back"), "got top, which it does not have, and none called roof: name"),
        (("back", "front"), "got none called roof: name"),
        (("roof", "back", "front", "wheel"), "got wheel, which it does not have: name"),
        (("2", "1", "3"), "got 2, 1, 3, which it does not have, and none called front, roof, back"),
    ],
)
def test_other_names_are_refused(tmp_path: Path, names: tuple[str, ...], message: str) -> None:
    truth = read_detection_truth(written(tmp_path / "t.xml", [("car", CAR)]))
    shapes = [("car", {name: (float(k), 1.0) for k, name in enumerate(names)})]
    path = written(tmp_path / "p.xml", shapes, score=True)
    with pytest.raises(SchemaError, match=message) as caught:
        read_detection_predictions(path, truth)
    assert str(caught.value).startswith('expected keypoints of "car" with the names that truth has')
    assert "p.xml" in caught.value.place
    assert "\n" not in str(caught.value)


def test_more_numbers_than_names_are_refused(tmp_path: Path) -> None:
    truth = read_detection_truth(written(tmp_path / "t.xml", [("car", CAR)]))
    path = written(tmp_path / "p.xml", [("car", numbered(BODY))], score=True)
    with pytest.raises(SchemaError, match="expected 3 keypoints, as truth has, got 17"):
        read_detection_predictions(path, truth)


@pytest.mark.parametrize("as_mapping", [True, False])
@pytest.mark.parametrize(
    ("listed", "is_by_name"),
    [
        (["front", "roof", "back"], True),
        (None, False),
        (["front", "roof"], False),
        (["front", "roof", "roof"], False),
        ([1, 2, 3], False),
        ("abc", False),
    ],
)
def test_truth_of_coco(tmp_path: Path, listed: object, is_by_name: bool, as_mapping: bool) -> None:
    """By the names of its categories, where they are one of each keypoint."""
    keypoints = [cell for x, y in CAR.values() for cell in (x, y, 2)]
    coco = {
        "images": [{"id": 7, "file_name": "1.jpg", "width": 100, "height": 90}],
        "categories": [{"id": 4, "name": "car"} | ({"keypoints": listed} if listed else {})],
        "annotations": [
            {"id": 1, "image_id": 7, "category_id": 4, "keypoints": keypoints, "num_keypoints": 3,
             "bbox": [10, 5, 40, 20], "area": 800, "iscrowd": 0}
        ],
    }  # fmt: skip
    path = tmp_path / "t.json"
    path.write_text(json.dumps(coco))
    truth = read_detection_truth(coco if as_mapping else path, kind="keypoints")
    pred = read_detection_predictions(
        written(tmp_path / "p.xml", [("car", backwards(CAR))], score=True), truth
    )
    found = list(CAR.values())
    assert points_of(pred) == [found if is_by_name else found[::-1]]


def test_labels_that_are_listed_twice(tmp_path: Path) -> None:
    """As those of a task and of its project: each point is one."""
    names = {"car": [*CAR, *CAR]}
    truth = read_detection_truth(written(tmp_path / "t.xml", [("car", backwards(CAR))], names))
    assert points_of(truth) == [list(CAR.values())]
