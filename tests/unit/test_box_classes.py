"""Which class is which: ids, names and numbers of truth and of predictions for it."""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path
from typing import Any

import pytest

from snellen.errors import ClassError, DataWarning, SchemaError
from snellen.readers.class_list import ClassList
from snellen.readers.detection_files import ReadBoxes, read_detection_predictions
from snellen.readers.detection_files import read_detection_truth as read_truth

DICE = "names: ['1', '2', '3']\n"


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def yolo(place: Path, names: str, *classes: int, score: str = "") -> Path:
    """Write a text of an object of each class, and a data.yaml beside if it says anything."""
    if names:
        write(place / "data.yaml", names)
    write(place / "1.txt", "".join(f"{k} .5 .5 .{k + 1} .2{score}\n" for k in classes))
    return place


def yolo_truth(place: Path, names: str, *classes: int) -> ReadBoxes:
    return read_truth(yolo(place, names, *classes), images={"1": (10, 10)})


def results(path: Path, *classes: Any) -> Path:
    records = [
        {"image_id": 1, "category_id": each, "bbox": [1, 2, 3, 4], "score": 0.5} for each in classes
    ]
    return write(path, json.dumps(records))


def coco(ids: list[int], names: list[str]) -> dict[str, Any]:
    return {
        "images": [{"id": 1, "file_name": "1.jpg", "width": 10, "height": 10}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": ids[0], "bbox": [1, 2, 3, 4], "area": 12,
             "iscrowd": 0},
        ],
        "categories": [{"id": each, "name": name} for each, name in zip(ids, names, strict=True)],
    }  # fmt: skip


@pytest.fixture
def voc(tmp_path: Path) -> ReadBoxes:
    shape = "<size><width>10</width><height>10</height></size>"
    objects = "".join(
        f"<object><name>{name}</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>5</xmax>"
        "<ymax>5</ymax></bndbox></object>"
        for name in ("dog", "cat")
    )
    write(tmp_path / "voc/1.xml", f"<annotation>{shape}{objects}</annotation>")
    return read_truth(tmp_path / "voc")


# ---- Names that are numbers ----------------------------------------------------------------------


def test_numbers_of_yolo_are_no_names(tmp_path: Path) -> None:
    """Classes of dice: the number 1 is the class called 2."""
    truth = yolo_truth(tmp_path / "truth", DICE, 0, 1, 2)
    assert truth.boxes.boxes.label.tolist() == [0, 1, 2]
    for names in ("", DICE):
        place = yolo(tmp_path / f"run{len(names)}", names, 1, 2, score=" .5")
        assert read_detection_predictions(place, truth).boxes.boxes.label.tolist() == [1, 2]
    listed = read_detection_predictions(place, truth, classes=["1", "2", "3"])
    assert listed.boxes.boxes.label.tolist() == [1, 2]
    # By names where numbers mean others, as COCO's do.
    own = {1: "1", 2: "2", 3: "3"}
    found = read_detection_predictions(results(tmp_path / "p.json", 3, 1), truth, classes=own)
    assert found.boxes.boxes.label.tolist() == [2, 0]


@pytest.mark.parametrize("ids", [[0, 1, 2], [1, 2, 3], [7, 5, 1]])
def test_names_that_are_numbers_go_to_ids_of_coco(tmp_path: Path, ids: list[int]) -> None:
    truth = read_truth(coco(ids, ["1", "2", "3"]))
    found = read_detection_predictions(yolo(tmp_path / "run", DICE, 0, 2, score=" .5"), truth)
    boxes = found.boxes.boxes
    assert boxes.classes.keys.ids[boxes.label].tolist() == [ids[0], ids[2]]


def test_a_name_is_no_id_of_a_class_called_otherwise(tmp_path: Path) -> None:
    """The class "10", which truth does not have, is not the one of the id 10, called "9"."""
    truth = read_truth(coco([9, 10], ["8", "9"]))
    place = yolo(tmp_path / "run", "names: ['8', '9', '10']\n", 1, score=" .5")
    assert read_detection_predictions(place, truth).boxes.boxes.label.tolist() == [1]
    yolo(place, "", 1, 2, score=" .5")
    with pytest.raises(ClassError, match=r'expected labels of 2 classes \(8, 9\), got "10"'):
        read_detection_predictions(place, truth)


def test_labels_of_which_nobody_knows_what_they_are(tmp_path: Path) -> None:
    """In a table 1 may be the id or the name; beside a column of names it is the id."""
    truth = yolo_truth(tmp_path / "truth", DICE, 0, 1, 2)
    table = "image,label,x,y,w,h,score{}\n1,{},.1,.1,.2,.2,.5{}\n"
    path = write(tmp_path / "p.csv", table.format("", 1, ""))
    with pytest.raises(
        ClassError,
        match=r'got "1", the id of one class and the name of another \(class 0\): use names .*csv',
    ):
        read_detection_predictions(path, truth)
    # Only a name: no id is 3.
    write(path, table.format("", 3, ""))
    assert read_detection_predictions(path, truth).boxes.boxes.label.tolist() == [2]
    write(path, table.format(",class_name", 1, ",2"))
    assert read_detection_predictions(path, truth).boxes.boxes.label.tolist() == [1]
    texts = write(tmp_path / "texts/1.txt", "1 .5 .1 .1 .2 .2\n").parent
    with pytest.raises(ClassError, match="the id of one class and the name of another"):
        read_detection_predictions(texts, truth, format="box-text", box="xywh")


def test_two_classes_of_one_name(tmp_path: Path) -> None:
    names = "names: [crane, dog, crane]\n"
    truth = yolo_truth(tmp_path / "truth", names, 0, 1, 2)
    place = yolo(tmp_path / "run", names, 2, 0, score=" .5")
    assert read_detection_predictions(place, truth).boxes.boxes.label.tolist() == [2, 0]
    # By names alone nobody knows which is meant.
    with pytest.raises(ClassError, match=r'"crane", the name of 2 classes \(0, 2\)'):
        read_detection_predictions(place, truth, classes=["crane", "dog", "crane", "cat"])


# ---- Numbers beside truth whose ids are texts ----------------------------------------------------


def test_names_of_numbers_beside_ids_that_are_texts(tmp_path: Path, voc: ReadBoxes) -> None:
    assert voc.boxes.boxes.classes.keys.ids.tolist() == ["cat", "dog"]
    named = yolo(tmp_path / "named", "names: [dog, cat]\n", 0, 1, score=" .5")
    assert read_detection_predictions(named, voc).boxes.boxes.label.tolist() == [1, 0]
    bare = yolo(tmp_path / "bare", "", 0, 1, score=" .5")
    for classes in (["dog", "cat"], named / "data.yaml"):
        found = read_detection_predictions(bare, voc, format="yolo", classes=classes)
        assert found.boxes.boxes.label.tolist() == [1, 0]
    by_coco = results(tmp_path / "p.json", 18, 17)
    found = read_detection_predictions(by_coco, voc, classes={17: "cat", 18: "dog"})
    assert found.boxes.boxes.label.tolist() == [1, 0]
    with pytest.raises(
        ClassError,
        match=re.escape("names of classes, got class numbers (0, 1) for truth's ids (cat, dog)"),
    ):
        read_detection_predictions(bare, voc, format="yolo")


def test_ids_that_are_numbers_written_as_texts(tmp_path: Path) -> None:
    texts = write(tmp_path / "texts/1.txt", "0 .1 .1 .2 .2\n1 .1 .1 .3 .3\n").parent
    truth = read_truth(texts, format="box-text", box="xywh")
    assert truth.boxes.boxes.classes.keys.ids.tolist() == ["0", "1"]
    place = yolo(tmp_path / "run", "names: [cat, dog]\n", 1, 0, score=" .5")
    assert read_detection_predictions(place, truth).boxes.boxes.label.tolist() == [1, 0]


# ---- Numbers that count from 1 -------------------------------------------------------------------


def test_numbers_of_ultralytics_json(tmp_path: Path) -> None:
    """Its predictions.json counts from 1 where its texts count from 0."""
    truth = yolo_truth(tmp_path / "truth", "names: [a, b, c]\n", 0, 1, 2)
    path = results(tmp_path / "p.json", 3, 1, 2)
    with pytest.raises(
        ClassError, match=r"numbers from 0 to 2, as truth has them, got 1 to 3: do they .*classes="
    ):
        read_detection_predictions(path, truth)
    # To leave the last class out would make all numbers wrong.
    with pytest.raises(ClassError, match="count from 1"):
        read_detection_predictions(path, truth, drop_unknown=True)
    names = {1: "a", 2: "b", 3: "c"}
    found = read_detection_predictions(path, truth, classes=names)
    assert found.boxes.boxes.label.tolist() == [2, 0, 1]
    # Truth that has no names leaves those of predictions without use.
    bare = yolo_truth(tmp_path / "bare", "", 0, 1, 2)
    with pytest.raises(ClassError, match=r"beside truth whose data\.yaml names its classes"):
        read_detection_predictions(path, bare, classes=names)
    # Without the last class it may be either.
    results(path, 2, 1)
    with pytest.warns(DataWarning, match=r"count from 0, .* none is 0 \(1, 2\): if they count fr"):
        found = read_detection_predictions(path, truth)
    assert found.boxes.boxes.label.tolist() == [2, 1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = read_detection_predictions(path, truth, classes=names)
        assert found.boxes.boxes.label.tolist() == [1, 0]
        # Numbers from 0 are what they are.
        found = read_detection_predictions(results(path, 2, 0), truth)
        assert found.boxes.boxes.label.tolist() == [2, 0]
        read_detection_predictions(results(path), truth)


# ---- Lists of classes ----------------------------------------------------------------------------


def test_a_description_of_yolo_is_a_list_of_classes(tmp_path: Path) -> None:
    path = write(tmp_path / "data.yaml", "path: .\nval: x\nnames:\n  0: cat\n  2: dog\n")
    found = ClassList.read(path)
    assert found.classes.keys.ids.tolist() == [0, 2]
    assert found.classes.names == ("cat", "dog")
    for text in ("path: .\n", "names: []\n"):
        with pytest.raises(SchemaError, match=r'expected the key "names".*data\.yaml'):
            ClassList.read(write(path, text))
