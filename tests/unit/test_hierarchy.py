"""Classes that contain others, labels of images, descriptions of classes."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen import Boxes, Masks, RleMasks, average_precision
from snellen.detection.hierarchy import ClassHierarchy, expand_hierarchy
from snellen.detection.verified_labels import VerifiedLabels
from snellen.errors import ClassError, InputError, SchemaError, SnellenError
from snellen.readers.class_list import ClassList
from snellen.readers.detection_files import read_detection_predictions, read_detection_truth
from snellen.readers.open_images_labels import read_class_hierarchy, read_image_labels


def node(name: str, *kinds: Any, parts: Any = ()) -> dict[str, Any]:
    found: dict[str, Any] = {"LabelName": name}
    if kinds:
        found["Subcategory"] = list(kinds)
    if parts:
        found["Part"] = list(parts)
    return found


# Of TensorFlow's oid_hierarchical_labels_expansion_test.py, as are the expected expansions.
TREE = node(
    "a",
    node("b"),
    node("c", node("d"), node("e"), node("f", node("d"))),
    node("f", node("d")),
)


def test_ancestors_and_descendants() -> None:
    hierarchy = ClassHierarchy(TREE)
    assert {k: set(v) for k, v in hierarchy.ancestors.items()} == {
        "b": set(), "c": set(), "d": {"c", "f"}, "e": {"c"}, "f": {"c"},
    }  # fmt: skip
    assert {k: set(v) for k, v in hierarchy.descendants.items()} == {
        "b": set(), "c": {"d", "e", "f"}, "d": set(), "e": set(), "f": {"d"},
    }  # fmt: skip
    assert len(hierarchy) == 5
    assert len(ClassHierarchy({"LabelName": "a"})) == 0


def test_parts_are_no_kinds() -> None:
    eye = node("eye", node("left eye"))
    hierarchy = ClassHierarchy(node("a", node("animal", node("cat"), parts=[eye])))
    assert hierarchy.ancestors == {
        "animal": (),
        "cat": ("animal",),
        "eye": (),
        "left eye": ("eye",),
    }
    assert hierarchy.descendants["animal"] == ("cat",)


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({}, r"with a LabelName that is a text, got {} - at \$"),
        (node("a", 5), r"with a LabelName that is a text, got 5 - at \$.Subcategory\[0\]"),
        (node("a", node("b", node(""))), r"got .* - at \$.Subcategory\[0\].Subcategory\[0\]"),
        ({"LabelName": "a", "Part": "b"}, r"expected a list of nodes, got 'b' - at \$.Part"),
        (
            node("a", node("b", node("c", node("b")))),
            r'got "b" below itself - at \$.Subcategory\[0\].Subcategory\[0\].Subcategory\[0\]',
        ),
    ],
)
def test_no_hierarchy(tmp_path: Path, tree: Any, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        ClassHierarchy(tree)
    path = tmp_path / "h.json"
    path.write_text(json.dumps(tree))
    with pytest.raises(SchemaError, match=message.replace(r"at \$", r"at .*h.json \$")):
        read_class_hierarchy(path)


def test_deep_trees(tmp_path: Path) -> None:
    tree = node("n0")
    for k in range(1, 500):
        tree = node(f"n{k}", tree)
    with pytest.raises(SchemaError, match="at most 200 levels"):
        ClassHierarchy(tree)
    path = tmp_path / "h.json"
    path.write_text('{"Subcategory":[' * 100_000)
    with pytest.raises(SchemaError, match=r"a hierarchy of classes as JSON.* - at .*h.json"):
        read_class_hierarchy(path)
    with pytest.raises(InputError, match=r"none.json"):
        read_class_hierarchy(tmp_path / "none.json")


def test_boxes_of_all_classes_above() -> None:
    truth = Boxes.from_xyxy(
        [[0.1, 0.1, 0.2, 0.2], [0.2, 0.1, 0.3, 0.2]],
        image_id="123",
        label=["b", "d"],
        crowd=[0, 1],
        id=[7, 8],
    )
    truth = dataclasses.replace(
        truth,
        groups=("rare", "common"),
        verified=VerifiedLabels.from_ids(
            image_id=["123"], label=["d"], images=truth.images, classes=truth.classes
        ),
    )
    found = expand_hierarchy(truth, ClassHierarchy(TREE))
    names = found.classes.keys.ids
    assert names.tolist() == list("bcdef")
    assert names[found.label].tolist()[:2] == ["b", "d"]
    assert sorted(names[found.label].tolist()) == ["b", "c", "d", "f"]
    assert found.xywh[1:].tolist() == [truth.xywh[1].tolist()] * 3
    assert found.crowd is not None
    assert found.crowd.tolist() == [0, 1, 1, 1]
    assert found.id is None
    assert found.groups == ("rare", "", "common", "", "")
    assert found.verified is not None
    assert names[found.verified.label].tolist() == ["d"]
    masks = Masks(truth, RleMasks.from_arrays(np.eye(2, dtype=np.bool_)[:, None]))
    expanded = expand_hierarchy(masks, ClassHierarchy(TREE))
    assert expanded.rle.areas().tolist() == [1] * 4
    assert expanded.boxes.label.tolist() == found.label.tolist()
    nothing = expand_hierarchy(truth[:0], ClassHierarchy(TREE))
    assert (len(nothing), len(nothing.classes)) == (0, 5)


def test_boxes_of_other_classes() -> None:
    truth = Boxes.from_xywh([[0, 0, 1, 1]] * 2, image_id=1, label=["d", "z"])
    with pytest.raises(ClassError, match="of the 5 classes of the hierarchy, got 1 others: z"):
        expand_hierarchy(truth, ClassHierarchy(TREE))
    numbers = Boxes.from_xywh([[0, 0, 1, 1]], image_id=1, label=[3])
    with pytest.raises(ClassError, match="got 1 others: 3"):
        expand_hierarchy(numbers, ClassHierarchy(TREE))


# ---- Labels of images ----------------------------------------------------------------------------

HEAD = "ImageID,Source,LabelName,Confidence\n"


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_labels_up_and_down(tmp_path: Path) -> None:
    path = write(
        tmp_path / "l.csv",
        HEAD + "123,verification,b,0\n123,verification,c,0\n124,verification,d,1\n125,x,z,1\n",
    )
    read = read_image_labels(path)
    assert read.positive.tolist() == [False, False, True, True]
    found = read.expanded(ClassHierarchy(TREE))
    rows = {
        (found.images[i], found.labels[k], bool(p))
        for i, k, p in zip(found.image, found.label, found.positive, strict=True)
    }
    assert len(found.label) == len(rows)
    assert rows == {
        *(("123", name, False) for name in "bcdfe"),
        *(("124", name, True) for name in "dfc"),
        ("125", "z", True),
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ImageID,LabelName\na,b\n", r'column "Confidence".*l.csv'),
        (HEAD + "a,v,b,0.7\n", r"0 \(not there\) or 1 \(there\) as Confidence, got 0.7.*line 2"),
        (HEAD + "a,v,b,x\n", r'expected a number as Confidence, got "x".*line 2'),
        (HEAD + "a,v,b,nan\n", "expected a finite Confidence.*line 2"),
        (HEAD + "a,v,b\n", "line 2"),
        (HEAD + "a,v,b,1\n,v,b,1\n", 'name in column "ImageID".*line 3'),
    ],
)
def test_no_labels_of_images(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SnellenError, match=message):
        read_image_labels(write(tmp_path / "l.csv", text))


BOXES = "ImageID,LabelName,Confidence,XMin,XMax,YMin,YMax,IsGroupOf\n"


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    return {
        "truth": write(
            tmp_path / "t.csv",
            BOXES + "i1,d,1,0,0.5,0,0.5,0\ni1,e,1,0.5,1,0.5,1,1\ni3,b,1,0,1,0,1,0\n",
        ),
        "labels": write(tmp_path / "l.csv", HEAD + "i1,v,d,1\ni2,v,c,0\ni1,v,unknown,1\n"),
        "hierarchy": write(tmp_path / "h.json", json.dumps(TREE)),
        "pred": write(
            tmp_path / "p.csv",
            "ImageID,LabelName,Score,XMin,XMax,YMin,YMax\n"
            "i1,d,0.9,0,0.5,0,0.5\ni1,c,0.8,0,0.5,0,0.5\ni1,b,0.7,0,1,0,1\n"
            "i2,e,0.6,0,1,0,1\ni2,b,0.5,0,1,0,1\n",
        ),
    }


def test_truth_with_labels_and_hierarchy(files: dict[str, Path]) -> None:
    read = read_detection_truth(
        files["truth"], image_labels=files["labels"], hierarchy=files["hierarchy"]
    )
    boxes = read.boxes.boxes
    assert boxes.images.ids.tolist() == ["i1", "i2", "i3"]
    assert boxes.classes.keys.ids.tolist() == list("bcdef")
    images, names = boxes.images.ids[boxes.image], boxes.classes.keys.ids[boxes.label]
    assert sorted(zip(images.tolist(), names.tolist(), strict=True)) == [
        ("i1", "c"), ("i1", "c"), ("i1", "d"), ("i1", "e"), ("i1", "f"), ("i3", "b"),
    ]  # fmt: skip
    assert read.flags["group_of"].tolist() == [0, 0, 0, 1, 1, 0]
    verified = boxes.verified
    assert verified is not None
    pairs = zip(
        boxes.images.ids[verified.image], boxes.classes.keys.ids[verified.label], strict=True
    )
    assert sorted((str(a), str(b)) for a, b in pairs) == [
        ("i1", "c"), ("i1", "d"), ("i1", "f"), ("i2", "c"), ("i2", "d"), ("i2", "e"), ("i2", "f"),
    ]  # fmt: skip
    assert any("3 boxes are 6 with those of the classes above" in note for note in read.notes)
    assert any("1 images more, without boxes" in note for note in read.notes)
    assert any("1 labels of images or classes" in note for note in read.notes)
    pred = read_detection_predictions(files["pred"], read)
    result = average_precision(read.boxes, pred.boxes, protocol="open-images-challenge")
    # Nobody looked for b in the first and second image: predictions of it are left out. Of c there
    # are a box and a group, of which one is found. Of e there is a group, not found.
    assert result.data["n_unverified"] == 2
    assert [each["AP"] for each in result.per_class()] == [0, 0.5, 1, 0, 0]


def test_labels_alone_bring_their_classes(files: dict[str, Path]) -> None:
    read = read_detection_truth(files["truth"], image_labels=files["labels"])
    assert read.boxes.boxes.classes.keys.ids.tolist() == ["b", "c", "d", "e", "unknown"]
    assert len(read.boxes) == 3
    # Not where classes or images are listed.
    read = read_detection_truth(
        files["truth"],
        image_labels=files["labels"],
        classes={"b": "Bee", "c": "Cat", "d": "Dog", "e": "Elk"},
        images=["i1"],
    )
    assert read.boxes.boxes.images.ids.tolist() == ["i1"]
    verified = read.boxes.boxes.verified
    assert verified is not None
    assert (verified.image.tolist(), verified.label.tolist()) == ([0], [2])
    assert any("2 labels of images or classes" in note for note in read.notes)


def test_hierarchy_of_coco_records() -> None:
    coco = {
        "images": [{"id": 1, "width": 9, "height": 9}],
        "categories": [{"id": "d"}, {"id": "b"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": "d", "bbox": [0, 0, 2, 2], "area": 4,
             "iscrowd": 0}
        ],
    }  # fmt: skip
    read = read_detection_truth(coco, hierarchy=TREE)
    assert len(read.boxes) == 3
    with pytest.raises(SchemaError, match=r"below itself - at hierarchy \$.Sub"):
        read_detection_truth(coco, hierarchy=node("a", node("b", node("b"))))
    with pytest.raises(ClassError, match=r"got 1 others: d - at hierarchy"):
        read_detection_truth(coco, hierarchy=node("a", node("b")))


# ---- Descriptions of classes ---------------------------------------------------------------------


@pytest.mark.parametrize("head", ["", "LabelName,DisplayName\n"])
def test_class_descriptions(tmp_path: Path, head: str) -> None:
    path = write(tmp_path / "c.csv", head + '/m/1,Tortoise\n/m/2,"Bed, infant"\n\n')
    found = ClassList.read(path)
    assert found.classes.keys.ids.tolist() == ["/m/1", "/m/2"]
    assert found.classes.names == ("Tortoise", "Bed, infant")
    assert found.code("Tortoise") == found.code("/m/1") == 0
    # mmdetection's has a number behind.
    path = write(tmp_path / "c.csv", "/m/1,Tortoise,2\n/m/2,Bed,1\n")
    assert ClassList.read(path).classes.names == ("Tortoise", "Bed")
    # A name a line stays that; and numbers are numbers.
    assert ClassList.read(write(tmp_path / "n.csv", "cat\ndog\n")).classes.names == ("cat", "dog")
    numbers = ClassList.read(write(tmp_path / "m.csv", "7,cat\n3,dog\n"))
    assert numbers.classes.keys.ids.tolist() == [3, 7]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("/m/1,a\n/m/1,b\n", 'got "/m/1" again - at .*c.csv line 2'),
        ("/m/1,a\n,b\n", "got an empty one - at .*c.csv line 2"),
        (f"/m/1,{'x' * 200_000}\n", "expected delimited text: .*c.csv"),
    ],
)
def test_no_class_descriptions(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(SchemaError, match=message):
        ClassList.read(write(tmp_path / "c.csv", text))
