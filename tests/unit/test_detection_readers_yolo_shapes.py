"""Polygons and poses in YOLO's texts: what lines are, how they are filled, what is refused."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from snellen import AveragePrecision
from snellen.detection.masks import Masks
from snellen.detection.oks import oks
from snellen.detection.oriented import OrientedBoxes
from snellen.detection.poses import Poses
from snellen.errors import InputError, SchemaError, SnellenError
from snellen.readers.detection_files import read_detection_predictions, read_detection_truth
from snellen.rle_masks import RleMasks
from snellen.writers.conversion import convert_detections
from snellen.writers.source import Source

DATA = "val: images\nnames: [cat, dog]\n"
SIZES = {"a": (50, 100), "b": (80, 40)}
SQUARE = "0 .1 .2 .5 .2 .5 .8 .1 .8"
TRIANGLE = "1 0 0 .5 0 .5 .5"


def folder(path: Path, data: str = "", **texts: str) -> Path:
    """Return a folder of labels with two pictures beside them."""
    for name in ("images", "labels"):
        (path / name).mkdir(parents=True, exist_ok=True)
    (path / "data.yaml").write_text(DATA + data)
    for name, (height, width) in SIZES.items():
        Image.new("L", (width, height)).save(path / f"images/{name}.png")
    for name, text in texts.items():
        (path / f"labels/{name}.txt").write_text(text + "\n")
    return path


def predictions(path: Path, **texts: str) -> Path:
    path.mkdir(exist_ok=True)
    for name, text in texts.items():
        (path / f"{name}.txt").write_text(text + "\n")
    return path


def test_polygons_are_filled_as_coco_fills_them(tmp_path: Path) -> None:
    read = read_detection_truth(folder(tmp_path, a=f"{SQUARE}\n{TRIANGLE}", b=TRIANGLE))
    masks = read.boxes
    assert isinstance(masks, Masks)
    assert any("polygons" in note for note in read.notes)
    polygons = [
        [[10, 10, 50, 10, 50, 40, 10, 40]],
        [[0, 0, 50, 0, 50, 25]],
        [[0, 0, 20, 0, 20, 40]],
    ]
    want = RleMasks.from_polygons(polygons, [(50, 100), (50, 100), (80, 40)])
    assert masks.rle.runs.tolist() == want.runs.tolist()
    assert masks.rle.size.tolist() == [[50, 100], [50, 100], [80, 40]]
    assert masks.boxes.area is not None
    assert masks.boxes.area.tolist() == want.areas().tolist()
    assert masks.boxes.xywh.tolist() == [[10, 10, 40, 30], [0, 0, 50, 25], [0, 0, 20, 40]]
    assert masks.boxes.label.tolist() == [0, 1, 1]


def test_predicted_polygons(tmp_path: Path) -> None:
    """The confidence is behind the points; an outline may be gone."""
    truth = read_detection_truth(folder(tmp_path / "t", a=f"{SQUARE}\n{TRIANGLE}"))
    run = predictions(
        tmp_path / "run", a=f"{SQUARE} .5\n{TRIANGLE} 0.25\n0 .125\n\n1 .1 .1 .2 .2 .75"
    )
    read = read_detection_predictions(run, truth)
    assert isinstance(read.boxes, Masks)
    assert read.boxes.boxes.score is not None
    assert read.boxes.boxes.score.tolist() == [0.5, 0.25, 0.125, 0.75]
    areas = read.boxes.rle.areas().tolist()
    assert areas[:2] == truth.boxes.rle.areas().tolist()  # type: ignore[union-attr]
    assert areas[2:] == [0, 0]
    assert any("2 outlines of less than three points" in note for note in read.notes)
    result = AveragePrecision().update(truth.boxes, read.boxes).compute()
    # The dog's first detection has no pixel: precision is 1 / 2.
    assert result.metrics["AP"] == pytest.approx((1 + 0.5) / 2)


def test_poses(tmp_path: Path) -> None:
    data = "kpt_shape: [2, 3]\n"
    lines = "0 .5 .5 .4 .4 .1 .2 2 0 0 0\n1 .5 .5 .2 .4 .1 .2 0 .3 .4 0"
    truth = read_detection_truth(folder(tmp_path / "t", data, a=lines))
    poses = truth.boxes
    assert isinstance(poses, Poses)
    assert poses.keypoints.tolist() == [[[10, 10, 2], [0, 0, 0]], [[10, 10, 0], [30, 20, 0]]]
    assert poses.boxes.xywh.tolist() == [[30, 15, 40, 20], [40, 15, 20, 20]]
    assert poses.boxes.ignored is not None
    assert poses.boxes.ignored.tolist() == [0, 1]
    run = predictions(tmp_path / "run", a="0 .5 .5 .4 .4 .1 .24 .9 .5 .5 .1 .75")
    found = read_detection_predictions(run, truth)
    assert isinstance(found.boxes, Poses)
    assert found.boxes.boxes.score is not None
    assert found.boxes.boxes.score.tolist() == [0.75]
    assert found.boxes.keypoints[0].tolist() == [[10, 12, 0.9], [50, 25, 0.1]]
    # Two pixels off, of an area of 40 x 20, at sigma 0.1: exp(-4 / 0.2^2 / 800 / 2).
    same = oks(found.boxes, poses, sigmas=[0.1, 0.1])[0, 0]
    assert same == pytest.approx(np.exp(-4 / 0.04 / 800 / 2))


def test_poses_of_two_numbers(tmp_path: Path) -> None:
    """-1 is what Ultralytics has for a keypoint that is not labelled."""
    data = "kpt_shape: [2, 2]\n"
    truth = read_detection_truth(folder(tmp_path / "t", data, a="0 .5 .5 .4 .4 .1 .2 -1 -1"))
    assert isinstance(truth.boxes, Poses)
    assert truth.boxes.keypoints[0].tolist() == [[10, 10, 2], [-100, -50, 0]]
    run = predictions(tmp_path / "run", a="0 .5 .5 .4 .4 .1 .2 .3 .4 .5")
    found = read_detection_predictions(run, truth)
    assert isinstance(found.boxes, Poses)
    assert found.boxes.keypoints[0, :, :2].tolist() == [[10, 10], [30, 20]]


@pytest.mark.parametrize(
    ("kind", "data", "want"),
    [
        (None, "", OrientedBoxes),
        (None, "task: segment\n", Masks),
        (None, "task: obb\n", OrientedBoxes),
        (None, "kpt_shape: [2, 2]\n", Poses),
        ("mask", "", Masks),
        ("oriented", "", OrientedBoxes),
        ("keypoints", "", Poses),
        # What is asked for counts more than the description.
        ("mask", "kpt_shape: [2, 2]\n", Masks),
        ("oriented", "task: segment\n", OrientedBoxes),
    ],
)
def test_nine_numbers(tmp_path: Path, kind: Any, data: str, want: type) -> None:
    """An oriented box, a polygon of four points, or a pose of two keypoints."""
    read = read_detection_truth(folder(tmp_path, data, a=SQUARE), kind=kind)
    assert isinstance(read.boxes, want)
    run = predictions(tmp_path / "run", a=f"{SQUARE} .5")
    assert isinstance(read_detection_predictions(run, read).boxes, want)


@pytest.mark.parametrize("data", ["", "task: segment\n", "kpt_shape: [2, 2]\n"])
def test_boxes_of_all_kinds(tmp_path: Path, data: str) -> None:
    read = read_detection_truth(folder(tmp_path, data, a=SQUARE), kind="box")
    # As a pose its first numbers are centre and size.
    want = [[-15, 5, 50, 10]] if "kpt" in data else [[10, 10, 40, 30]]
    np.testing.assert_allclose(read.boxes.xywh, want)  # type: ignore[union-attr]
    assert read.boxes.kind == "box"
    run = predictions(tmp_path / "run", a=f"{SQUARE} .5")
    found = read_detection_predictions(run, read, kind="box")
    np.testing.assert_array_equal(found.boxes.xywh, read.boxes.xywh)  # type: ignore[union-attr]
    with pytest.raises(InputError, match="expected upright boxes, as truth has them, got"):
        read_detection_predictions(run, read)


@pytest.mark.parametrize(
    ("data", "kind", "text", "message"),
    [
        ("", None, TRIANGLE, r"got 7: this is a polygon of 3 points, or a pose: kind=.*line 1"),
        ("", None, "0 .5 .5 .2 .2 .1 .1 2", "got 8: this is a pose: kind="),
        ("", None, f"{TRIANGLE}\n0 .5 .5 .2 .2", "got 7 numbers before and 5 here.*line 2"),
        ("", "mask", f"{TRIANGLE}\n0 .5 .5 .2 .2", "7 or more numbers of a polygon|before and 5"),
        ("", "mask", "0 .5 .5 .2 .2", "expected 7 or more numbers of a polygon.*an upright box"),
        ("", "mask", "0 .1 .1", "got 3: was the line cut off"),
        ("", "mask", f"{TRIANGLE} .5", "got 8: are these predictions"),
        ("", "mask", f"{TRIANGLE} .5 x", 'got "1 0 0 .5 0 .5 .5 .5 x": is this|expected a number'),
        ("", "mask", f"{TRIANGLE}\n0 .1 .1 .2 .1 .2 y", 'expected a number, got "y".*line 2'),
        ("", "mask", f"{TRIANGLE}\n0 .1 .1 .2 nan .2 .2", "expected a finite number.*line 2"),
        ("", "mask", "0 10 10 20 10 20 20", "x from 10 to 20 and y from 10 to 20: are these pix"),
        ("", "mask", "0.5 .1 .1 .2 .1 .2 .2", "whole number as class, got 0.5"),
        ("", "mask", "-1 .1 .1 .2 .1 .2 .2", "class numbers from 0 on, got -1"),
        ("", "mask", "9 .1 .1 .2 .1 .2 .2", r"2 classes \(0 to 1\)"),
        ("", "mask", f'"{TRIANGLE}"', "without quotes"),
        ("", "oriented", TRIANGLE, "expected 9 numbers of an oriented box .* got 7"),
        ("", "keypoints", "0 .5 .5 .2 .2", "expected the numbers of a pose .*an upright box"),
        ("", "keypoints", "0 .5 .5 .2 .2" + " 0" * 12, "6 of 2 numbers or 4 of 3 numbers: kpt_sh"),
        ("", "keypoints", "0 .5 .5 .2 .2 0 0\n0 .5 .5 .2 .2 0 0 0", "expected 7 numbers as in the"),
        ("kpt_shape: [1, 3]\n", None, "0 .5 .5 .2 .2 .1 .1 3", "0, 1 or 2 as the visibility.* 3"),
        ("kpt_shape: [1, 3]\n", None, "0 .5 .5 .2 .2 .1 nan 1", "finite y of keypoint 1"),
        ("kpt_shape: [1, 3]\n", None, "0 .5 .5 .2 .2 .1 .1", "expected 8 numbers of a pose"),
        ("kpt_shape: [1, 4]\n", None, TRIANGLE, "2 or 3 numbers of each keypoint"),
        ("kpt_shape: 17\n", None, TRIANGLE, "two whole numbers as kpt_shape"),
        ("kpt_shape: [a, 3]\n", None, TRIANGLE, "two whole numbers as kpt_shape"),
        ("", "box", TRIANGLE, "or a pose: kind="),
    ],
)
def test_refused(tmp_path: Path, data: str, kind: Any, text: str, message: str) -> None:
    with pytest.raises(SnellenError, match=message):
        read_detection_truth(folder(tmp_path, data, a=text), kind=kind)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (TRIANGLE, "got 7: predictions need scores .* no number of a track behind"),
        ("0 .1 .1 .2 .2 .5", "got 6 in every line: these are upright boxes"),
        (f"{TRIANGLE} .5\n{TRIANGLE} .5 7", "got 9: .*need scores.*line 2"),
        (f"{TRIANGLE} .5\n{TRIANGLE} inf", "expected a finite number"),
    ],
)
def test_refused_predictions(tmp_path: Path, text: str, message: str) -> None:
    truth = read_detection_truth(folder(tmp_path / "t", a=f"{SQUARE}\n{TRIANGLE}"))
    with pytest.raises(SnellenError, match=message):
        read_detection_predictions(predictions(tmp_path / "run", a=text), truth, format="yolo")


def test_masks_and_keypoints_need_sizes(tmp_path: Path) -> None:
    path = predictions(tmp_path / "x", a=f"{SQUARE}\n{TRIANGLE}")
    with pytest.raises(InputError, match=r"sizes of images, which masks need.*\(images=, --images"):
        read_detection_truth(path)
    assert isinstance(read_detection_truth(path, images=SIZES).boxes, Masks)
    (path / "data.yaml").write_text("kpt_shape: [2, 2]\n")
    predictions(path, a=SQUARE)
    with pytest.raises(InputError, match="sizes of images, which keypoints need"):
        read_detection_truth(path)


def test_other_keypoints_than_truth(tmp_path: Path) -> None:
    truth = read_detection_truth(folder(tmp_path, "kpt_shape: [2, 2]\n", a=SQUARE))
    run = predictions(tmp_path.parent / "other", a="0 .5 .5 .2 .2 .1 .1 .5")
    with pytest.raises(SchemaError, match="2 keypoints of 2 or 3 numbers"):
        read_detection_predictions(run, truth)
    (run / "data.yaml").write_text("kpt_shape: [1, 2]\n")
    with pytest.raises(SchemaError, match="expected 2 keypoints, as truth has, got 1"):
        read_detection_predictions(run, truth)


@pytest.mark.parametrize("kind", ["mask", "keypoints", "oriented"])
def test_no_predictions_of_a_kind(tmp_path: Path, kind: Any) -> None:
    truth = read_detection_truth(folder(tmp_path, a=SQUARE), kind=kind)
    read = read_detection_predictions(predictions(tmp_path / "run"), truth)
    assert read.boxes.kind == kind
    assert len(read.boxes) == 0


@pytest.mark.parametrize("kind", ["mask", "keypoints", "oriented", "box", None])
def test_damaged_lines(tmp_path: Path, kind: Any) -> None:
    """Whatever is in a text, it is read or refused with its place."""
    rng = np.random.default_rng(11)
    place = folder(tmp_path, a=SQUARE)
    words = [
        "0",
        "1",
        ".5",
        "0.25",
        "-1",
        "2",
        "nan",
        "1e400",
        "x",
        "",
        "\t",
        "\n",
        "é",
        "1_0",
        "9" * 30,
    ]
    texts = [
        " ".join(words[k] for k in rng.integers(0, rng.integers(4, len(words)), 24)).encode()
        for _ in range(300)
    ]
    whole = f"{SQUARE}\n{TRIANGLE}\n".encode()
    for at, byte in itertools.product(range(0, len(whole), 3), (b"\0", b"\xff", b" ", b"\n", b'"')):
        texts.append(whole[:at] + byte + whole[at + 1 :])
    unnamed = []
    for text in texts:
        (place / "labels/a.txt").write_bytes(text)
        try:
            read_detection_truth(place, kind=kind)
        except SnellenError as error:
            if "labels" not in str(error):
                unnamed.append(str(error))
    assert unnamed == []


def polygons(rng: np.random.Generator, n: int, *, score: bool) -> str:
    """Return polygons on whole pixels of a picture of 100 x 50."""
    lines = []
    for _ in range(n):
        points = rng.integers(0, [101, 51], (rng.integers(3, 9), 2)) / [100, 50]
        numbers = [int(rng.integers(0, 2)), *points.ravel().tolist()]
        lines.append(" ".join(map(repr, numbers + [float(rng.integers(1, 9)) / 8] * score)))
    return "\n".join(lines)


@pytest.mark.parametrize("kind", ["mask", "keypoints"])
def test_there_and_back(tmp_path: Path, kind: Any) -> None:
    """YOLO to COCO and back: the same masks and poses, the same numbers."""
    rng = np.random.default_rng(12)
    if kind == "mask":
        texts = [polygons(rng, 12, score=score) for score in (False, True)]
        data = ""
    else:
        # Of whole pixels: centre and size, then x, y and visibility of each.
        data = "kpt_shape: [3, 3]\n"
        texts = []
        for score in (False, True):
            lines = []
            for _ in range(12):
                points = np.concatenate(
                    [rng.integers(0, 50, (3, 2)) / [100, 50], rng.integers(0, 3, (3, 1))], axis=1
                )
                numbers = [0, 0.5, 0.5, 0.25, 0.5, *points.ravel().tolist()]
                lines.append(" ".join(map(repr, numbers + [0.5] * score)))
            texts.append("\n".join(lines))
    place = folder(tmp_path / "t", data, a=texts[0])
    run = predictions(tmp_path / "run", a=texts[1])
    truth = read_detection_truth(place)
    pred = read_detection_predictions(run, truth)
    coco = tmp_path / "t.json", tmp_path / "p.json"
    done = convert_detections(Source(str(place)), coco[0], "coco", lossy=True)
    assert {loss.what for loss in done.losses} <= {"class_ids", "image_ids"}
    convert_detections(Source(str(run), truth=str(place)), coco[1], "coco", lossy=True)
    back = tmp_path / "y", tmp_path / "z"
    source = Source(str(coco[0]), kind=kind)
    done = convert_detections(source, back[0], "yolo", lossy=True)
    # Areas of masks are counted again, from the polygons.
    assert {loss.what for loss in done.losses} <= {"class_ids", "image_ids", "areas"}
    read = read_detection_truth(back[0], images=SIZES)
    again = read_detection_truth(coco[0], kind=kind)
    for other in (read, again):
        one, two = truth.boxes, other.boxes
        np.testing.assert_array_equal(one.boxes.xywh, two.boxes.xywh)
        if isinstance(one, Masks) and isinstance(two, Masks):
            np.testing.assert_array_equal(one.rle.runs, two.rle.runs)
        if isinstance(one, Poses) and isinstance(two, Poses):
            np.testing.assert_array_equal(one.keypoints, two.keypoints)
    found = read_detection_predictions(coco[1], again)
    if kind == "mask":
        one = AveragePrecision().update(truth.boxes, pred.boxes).compute()
        two = AveragePrecision().update(again.boxes, found.boxes).compute()
        assert one.precision.tobytes() == two.precision.tobytes()
        # COCO's truth, and YOLO's predictions.
        mixed = read_detection_predictions(run, again)
        three = AveragePrecision().update(again.boxes, mixed.boxes).compute()
        assert one.precision.tobytes() == three.precision.tobytes()
