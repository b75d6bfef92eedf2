"""YOLO labels and predictions: where files are, what lines hold, what is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from snellen.detection.poses import Poses
from snellen.errors import ClassError, IdError, InputError, SchemaError, SnellenError
from snellen.readers.detection_files import read_detection_predictions, read_detection_truth
from snellen.readers.image_heads import image_size
from snellen.readers.yolo_description import read_description

DATA = "path: .\nval: images/val\nnames:\n  0: cat\n  1: dog\n"


def picture(path: Path, width: int, height: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("L", (width, height)).save(path)


def write(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Three images, of which one has no text and one an empty one."""
    write(tmp_path / "data.yaml", DATA)
    for name, size in (("a.png", (100, 50)), ("b.png", (40, 80)), ("c.png", (10, 10))):
        picture(tmp_path / "images/val" / name, *size)
    write(tmp_path / "labels/val/a.txt", "1 0.5 0.5 0.2 0.4\n0 0.25 0.5 0.5 1\n")
    write(tmp_path / "labels/val/b.txt", "")
    return tmp_path


@pytest.mark.parametrize("place", ["data.yaml", "", "labels/val"])
def test_truth(data: Path, place: str) -> None:
    read = read_detection_truth(data / place)
    assert read.format == "yolo"
    boxes = read.boxes
    assert boxes.images.ids.tolist() == ["a", "b", "c"]
    assert read.names == ("a.png", "b.png", "c.png")
    assert boxes.classes.names == ("cat", "dog")
    assert boxes.image.tolist() == [0, 0]
    assert boxes.label.tolist() == [1, 0]
    # Of 100 x 50: centre 50, 25 and size 20, 20; centre 25, 25 and size 50, 50.
    np.testing.assert_allclose(boxes.xywh, np.array([[40, 15, 20, 20], [0, 0, 50, 50]]))
    assert read.sizes is not None
    assert read.sizes.tolist() == [[50, 100], [80, 40], [10, 10]]
    assert any("1 images have no labels" in note for note in read.notes)
    assert not read.relative


def test_predictions_of_images_without_boxes(data: Path, tmp_path: Path) -> None:
    truth = read_detection_truth(data)
    write(tmp_path / "run/labels/a.txt", "1 0.5 0.5 0.2 0.4 0.875\n")
    write(tmp_path / "run/labels/c.txt", b"\xef\xbb\xbf0 0.5\t0.5  0.5 0.5 1\r\n\r\n")
    read = read_detection_predictions(tmp_path / "run", truth)
    assert read.format == "yolo"
    assert read.boxes.image.tolist() == [0, 2]
    assert read.boxes.label.tolist() == [1, 0]
    assert read.boxes.score is not None
    assert read.boxes.score.tolist() == [0.875, 1]
    np.testing.assert_allclose(read.boxes.xywh, np.array([[40, 15, 20, 20], [2.5, 2.5, 5, 5]]))


def test_no_predictions_at_all(data: Path, tmp_path: Path) -> None:
    truth = read_detection_truth(data)
    (tmp_path / "none").mkdir()
    read = read_detection_predictions(tmp_path / "none", truth)
    assert len(read.boxes) == 0
    assert read.boxes.score is not None
    assert any("no predictions" in note for note in read.notes)


def test_labels_without_pictures_stay_relative(tmp_path: Path) -> None:
    write(tmp_path / "x/1.txt", "3 0.5 0.5 0.25 0.5\n")
    read = read_detection_truth(tmp_path / "x")
    assert read.relative
    assert read.sizes is None
    assert read.boxes.xywh.tolist() == [[0.375, 0.25, 0.25, 0.5]]
    assert any("numbers by area" in note for note in read.notes)
    sized = read_detection_truth(tmp_path / "x", images={"1.jpg": (200, 100), "2.jpg": (5, 5)})
    assert sized.boxes.xywh.tolist() == [[37.5, 50, 25, 100]]
    assert sized.boxes.images.ids.tolist() == ["1.jpg", "2.jpg"]
    picture(tmp_path / "pictures/2.JPG", 5, 5)
    picture(tmp_path / "pictures/1.png", 200, 100)
    seen = read_detection_truth(tmp_path / "x", images=tmp_path / "pictures")
    assert seen.boxes.images.ids.tolist() == ["1", "2"]
    assert seen.names == ("1.png", "2.JPG")
    with pytest.raises(IdError, match="expected images of images, got others: 1"):
        read_detection_truth(tmp_path / "x", images={"7.jpg": (200, 100)})


def test_a_list_of_images(data: Path) -> None:
    write(data / "val.txt", "./images/val/a.png\n./images/val/c.png\n")
    write(data / "data.yaml", "val: val.txt\nnames: [cat, dog]\n")
    read = read_detection_truth(data / "data.yaml")
    assert read.boxes.images.ids.tolist() == ["val/a", "val/c"]
    assert len(read.boxes) == 2
    # Flat predictions: matched by the last part of the path.
    write(data / "run/a.txt", "1 0.5 0.5 0.2 0.4 0.5\n")
    found = read_detection_predictions(data / "run", read)
    assert found.boxes.image.tolist() == [0]
    assert any("last part" in note for note in found.notes)


def test_lists_of_images_beside_labels(data: Path) -> None:
    """As CVAT exports it: lists are no labels, and the part val is read, with its names."""
    write(data / "data.yaml", "path: ./\ntrain: train.txt\nval: val.txt\nnames: [cat, dog]\n")
    write(data / "train.txt", "images/train/d.png\n")
    write(data / "val.txt", "images/val/a.png\nimages/val/b.png\n")
    picture(data / "images/train/d.png", 10, 10)
    write(data / "labels/train/d.txt", "0 .5 .5 .5 .5\n")
    read = read_detection_truth(data)
    assert read.boxes.images.ids.tolist() == ["val/a", "val/b"]
    assert read.boxes.classes.names == ("cat", "dog")
    # Without val all images are, with the names that data.yaml has.
    write(data / "data.yaml", "path: ./\ntrain: train.txt\nnames: [cat, dog]\n")
    read = read_detection_truth(data)
    assert read.boxes.images.ids.tolist() == ["train/d", "val/a", "val/b", "val/c"]
    assert read.boxes.classes.names == ("cat", "dog")


def test_labels_right_beside_the_description(tmp_path: Path) -> None:
    write(tmp_path / "data.yaml", "val: .\nnames: [cat, dog]\n")
    picture(tmp_path / "a.png", 100, 50)
    write(tmp_path / "a.txt", "1 0.5 0.5 0.2 0.4\n")
    read = read_detection_truth(tmp_path)
    assert read.boxes.images.ids.tolist() == ["a"]
    assert read.boxes.classes.names == ("cat", "dog")


def test_roboflow_layout(tmp_path: Path) -> None:
    text = "train: ../train/images\nval: ../valid/images\nkpt_shape: [1, 2]\nnames: ['a', 'b']\n"
    write(tmp_path / "data.yaml", text)
    for name in ("README.dataset.txt", "README.roboflow.txt"):
        write(tmp_path / name, "# a > 2026\nhttps://universe.roboflow.com\n")
    picture(tmp_path / "train/images/2.jpg", 20, 10)
    write(tmp_path / "train/labels/2.txt", "0 0.5 0.5 1 1 .5 .5\n")
    picture(tmp_path / "valid/images/1.jpg", 20, 10)
    write(tmp_path / "valid/labels/1.txt", "0 0.5 0.5 1 1 .5 .5\n")
    read = read_detection_truth(tmp_path)
    assert read.boxes.boxes.xywh.tolist() == [[0, 0, 20, 10]]
    # A part of it has its description around.
    for place in (tmp_path / "valid", tmp_path / "valid/labels"):
        read = read_detection_truth(place)
        assert isinstance(read.boxes, Poses)
        assert read.boxes.boxes.classes.names == ("a", "b")
        assert read.beside["description"] == [str(tmp_path / "data.yaml")]


def test_a_picture_on_its_side(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (30, 20)).save(tmp_path / "1.jpg", exif=exif)
    assert image_size(str(tmp_path / "1.jpg")) == (30, 20)
    write(tmp_path / "2.jpg", "text")
    with pytest.raises(SchemaError, match="another kind of file"):
        image_size(str(tmp_path / "2.jpg"))


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("0 0.5 0.5 0.2\n", SchemaError, "expected 5 numbers .*got 4: was the line cut off"),
        ("0 .1 .1 .2 .1 .2 .2\n", SchemaError, "got 7: this is a polygon of 3 points"),
        ("0 .1 .1 .2 .1 .2 .2 .1 .2 .5\n", SchemaError, "got 10: are these predictions"),
        (
            "0 .5 .5 .2 .2\n0 .1 .1 .2 .1 .2 .2 .1 .2\n",
            SchemaError,
            r"expected 5 numbers as in the lines before, got 9: upright boxes.*line 2",
        ),
        ("0 1 1 2 1 2 20 1 20\n", InputError, "x1, y1, x2.*0 to 1, got 1 1 2.*these pixels"),
        ("0 .5 .5 .2 .2 .1 .1 2\n", SchemaError, "got 8: this is a pose"),
        ("0 .5 .5 .2 .2 .9\n", SchemaError, "got 6: are these predictions"),
        ("0 .5 .5 .2 .2\n0 .5\n", SchemaError, r"got 2: was the line cut off.*a.txt line 2"),
        ("0 .5 .5 -.2 .2\n", InputError, "width and height of at least 0.*a.txt line 1"),
        ("0 .5 nan .2 .2\n", InputError, "expected a finite centre y, got nan - at .*line 1"),
        ("0 .5 .5 .2 inf\n", InputError, "expected a finite height"),
        ("0 50 25 20 20\n", InputError, "parts of the image's size.*are these pixels"),
        ("2 .5 .5 .2 .2\n", ClassError, r"2 classes \(0 to 1\).*got 2 - at .*line 1"),
        ("-1 .5 .5 .2 .2\n", InputError, "class numbers from 0 on, got -1"),
        ("0.5 .5 .5 .2 .2\n", InputError, "expected a whole number as class"),
        ("cat .5 .5 .2 .2\n", SchemaError, r'expected a number as class \(column 1\), got "cat"'),
        ("0 .5 x .2 .2\n", SchemaError, "expected a number as centre y"),
        ('0 .5 ".5" .2 .2\n', SchemaError, "without quotes - at .*line 1"),
        ("0 .5 .5 .2 .2\n".encode("utf-16"), SchemaError, "UTF-16"),
        (b"0 .5 .5 .2 \xff\n", SchemaError, "line 1"),
    ],
)
def test_bad_lines(data: Path, text: str | bytes, error: type[SnellenError], message: str) -> None:
    write(data / "labels/val/a.txt", text)
    with pytest.raises(error, match=message) as raised:
        read_detection_truth(data / "data.yaml")
    assert "a.txt" in str(raised.value)


def test_the_place_is_that_of_the_file(data: Path) -> None:
    write(data / "labels/val/b.txt", "\n\n0 .5 .5 .2 .2\n\n0 .5 .5 -1 .2\n")
    write(data / "labels/val/c.txt", "0 .5 .5 .2 .2\n")
    with pytest.raises(InputError, match=r"b\.txt line 5$"):
        read_detection_truth(data)


def test_bad_predictions(data: Path, tmp_path: Path) -> None:
    truth = read_detection_truth(data)
    write(tmp_path / "run/a.txt", "0 0.5 0.5 0.2 0.4\n")
    with pytest.raises(SchemaError, match="save_conf=True"):
        read_detection_predictions(tmp_path / "run", truth, format="yolo")
    write(tmp_path / "run/a.txt", "0 .5 .5 .2 .4 .1 .1 .9\n")
    with pytest.raises(SchemaError, match="got 8: this is a polygon of 3 points"):
        read_detection_predictions(tmp_path / "run", truth, format="yolo")
    write(tmp_path / "run/a.txt", "0 .5 .5 .2 .4 .1 .9\n")
    with pytest.raises(SchemaError, match="got 7: is there the number of a track behind, or an an"):
        read_detection_predictions(tmp_path / "run", truth, format="yolo")
    write(tmp_path / "run/a.txt", "0 .1 .1 .2 .1 .2 .2 .1 .2\n")
    with pytest.raises(SchemaError, match=r"10 of an oriented box .* got 9: predictions need scor"):
        read_detection_predictions(tmp_path / "run", truth, format="yolo")
    write(tmp_path / "run/a.txt", "0 0.5 0.5 0.2 0.4 0.5\n")
    write(tmp_path / "run/zz.txt", "0 0.5 0.5 0.2 0.4 0.5\n")
    with pytest.raises(IdError, match=r"got 1 boxes of 1 images .*: zz.*zz\.txt line 1"):
        read_detection_predictions(tmp_path / "run", truth)
    with pytest.warns(UserWarning, match="1 boxes of 1 images that truth does not have left out"):
        read = read_detection_predictions(tmp_path / "run", truth, drop_unknown=True)
    assert len(read.boxes) == 1


def test_labels_without_an_image(data: Path) -> None:
    write(data / "labels/val/zz.txt", "0 .5 .5 .2 .2\n")
    with pytest.raises(IdError, match=r"got 1 without one: zz; .*zz\.txt"):
        read_detection_truth(data)
    read = read_detection_truth(data, drop_unknown=True)
    assert len(read.boxes) == 2
    assert any("1 texts of labels without an image left out" in note for note in read.notes)


def test_two_pictures_of_one_name(data: Path) -> None:
    picture(data / "images/val/a.jpg", 5, 5)
    with pytest.raises(IdError, match="expected one picture of each name"):
        read_detection_truth(data)


def test_a_pose_is_told_by_the_description(data: Path) -> None:
    write(data / "data.yaml", DATA + "kpt_shape: [1, 2]\n")
    write(data / "labels/val/a.txt", "0 .5 .5 .2 .2 .1 .1\n")
    assert isinstance(read_detection_truth(data).boxes, Poses)
    # As many numbers as an oriented box has.
    write(data / "labels/val/a.txt", "0 .5 .5 .2 .2 .1 .1 .2 .2\n")
    with pytest.raises(
        SchemaError,
        match=r"7 numbers of a pose \(.*, 1 keypoints of 2 numbers\), got 9: this is another kind",
    ):
        read_detection_truth(data)


@pytest.mark.parametrize(
    "text",
    [
        "path: ../x # here\nval: images/val\nnames:\n  0: person\n  1: 'it''s'\n  2: \"a # b\" #\n",
        "names: ['a', \"b, c\", d e]\nnc: 3\nval: ../valid/images\nroboflow:\n  names: x\n",
        "names:\n- a\n- b\nval: [x, y]\n",
        "names: {0: a, 1: 'b: c', 2: d}\nval: .\n",
        "names: [\n  'a',  # first\n  'b',\n]\nval: \"v a l\"\n",
        "val:\n  - images/one\n  - images/two\ndownload: |\n  names: 3\n  import os\nnames: [é]\n",
    ],
)
def test_descriptions_are_read_as_yaml_is(tmp_path: Path, text: str) -> None:
    path = write(tmp_path / "data.yaml", text)
    want = yaml.safe_load(text)
    read = read_description(path)
    names = want["names"]
    assert read.names == (dict(enumerate(names)) if isinstance(names, list) else names)
    assert list(read.parts["val"]) == (
        [want["val"]] if isinstance(want["val"], str) else want["val"]
    )


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("names: &x [a]\n", SchemaError, "as YOLO's data.yaml has them.*line 1"),
        ("\nnames: [a, {b: c}]\n", SchemaError, "line 2"),
        ("names: [a\n", SchemaError, "line 1"),
        ("names: a\n", SchemaError, "expected a list of names"),
        ("names: {x: a}\n", ClassError, "class numbers from 0"),
        ("names:\n  0: a\n  0: b\n", ClassError, "once"),
        ("names: [a]\nnames: [b]\n", SchemaError, 'the key "names" once'),
    ],
)
def test_other_yaml_is_refused(
    tmp_path: Path, text: str, error: type[SnellenError], message: str
) -> None:
    with pytest.raises(error, match=message):
        read_description(write(tmp_path / "data.yaml", text))


def test_a_description_without_val_or_images(tmp_path: Path) -> None:
    path = write(tmp_path / "data.yaml", "names: [a]\n")
    with pytest.raises(SchemaError, match='expected the key "val"'):
        read_detection_truth(path)
    write(path, "val: images\nnames: [a]\n")
    with pytest.raises(InputError, match='expected the images "images" of val'):
        read_detection_truth(path)
    (tmp_path / "images").mkdir()
    with pytest.raises(InputError, match="there is no such folder"):
        read_detection_truth(path)
