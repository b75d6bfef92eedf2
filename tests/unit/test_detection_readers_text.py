"""Texts of boxes: Cartucho's and Padilla's, the VOC devkit's results, KITTI, DOTA."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from snellen.errors import ClassError, IdError, InputError, SchemaError, SnellenError
from snellen.readers.detection_files import (
    ReadBoxes,
    read_detection_predictions,
    read_detection_truth,
)
from snellen.readers.dota import read_dota, read_dota_results


def write(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.fixture
def truth(tmp_path: Path) -> ReadBoxes:
    write(tmp_path / "t/1.txt", "cat 10 20 5 6\r\ndog 1 2 3 4\r\n")
    write(tmp_path / "t/2.txt", "")
    write(tmp_path / "t/classes.txt", "cat\ndog\n")
    return read_detection_truth(tmp_path / "t")


def test_corners_or_sizes(truth: ReadBoxes, tmp_path: Path) -> None:
    assert truth.format == "box-text"
    # 5 is left of 10: these are no corners.
    assert truth.boxes.xywh.tolist() == [[10, 20, 5, 6], [1, 2, 3, 4]]
    assert truth.boxes.images.ids.tolist() == ["1", "2"]
    write(tmp_path / "c/1.txt", "cat 10 20 15 26\n")
    with pytest.raises(SchemaError, match="what the four numbers of a box are"):
        read_detection_truth(tmp_path / "c")
    for box, want in (
        ("xyxy", [10, 20, 5, 6]),
        ("xywh", [10, 20, 15, 26]),
        ("cxcywh", [2.5, 7, 15, 26]),
    ):
        read = read_detection_truth(tmp_path / "c", box=box)  # type: ignore[arg-type]
        assert read.boxes.xywh.tolist() == [want]
    with pytest.raises(InputError, match=r"expected right and bottom.*t/1\.txt line 1"):
        read_detection_truth(tmp_path / "t", box="xyxy")
    with pytest.raises(InputError, match="expected a layout of boxes"):
        read_detection_truth(tmp_path / "t", box="yxyx")  # type: ignore[arg-type]


def test_predictions(truth: ReadBoxes, tmp_path: Path) -> None:
    write(tmp_path / "p/2.txt", "dog .5 10 20 5 6\n")
    write(tmp_path / "p/1.txt", "cat .25 1 2 3 4\n")
    read = read_detection_predictions(tmp_path / "p", truth)
    assert read.boxes.image.tolist() == [0, 1]
    assert read.boxes.label.tolist() == [0, 1]
    assert read.boxes.score is not None
    assert read.boxes.score.tolist() == [0.25, 0.5]
    write(tmp_path / "p/1.txt", "horse .25 1 2 3 4\n")
    with pytest.raises(ClassError, match=r'got "horse".*; drop_unknown .*p/1\.txt line 1'):
        read_detection_predictions(tmp_path / "p", truth)
    with pytest.warns(UserWarning, match="1 boxes of 1 classes that truth does not have left out"):
        read = read_detection_predictions(tmp_path / "p", truth, drop_unknown=True)
    assert read.boxes.label.tolist() == [1]


def test_relative(tmp_path: Path) -> None:
    write(tmp_path / "t/1.txt", "cat 0.5 0.5 0.5 0.25\n")
    with pytest.raises(SchemaError, match="what the four numbers"):
        read_detection_truth(tmp_path / "t")
    read = read_detection_truth(tmp_path / "t", box="cxcywh")
    assert read.relative
    sized = read_detection_truth(tmp_path / "t", box="cxcywh", images={"1": (8, 4)})
    assert sized.boxes.xywh.tolist() == [[1, 3, 2, 2]]
    empty = write(tmp_path / "e/1.txt", "").parent
    for each in (read, sized):
        assert len(read_detection_predictions(empty, each).boxes) == 0
    absolute = read_detection_truth(tmp_path / "t", box="xywh", relative=False)
    assert not absolute.relative
    write(tmp_path / "p/1.txt", "cat 0.5 10 20 5 6\n")
    (tmp_path / "n").mkdir()
    with pytest.raises(InputError, match="there are no images"):
        read_detection_truth(tmp_path / "n", format="box-text", box="xywh")
    with pytest.raises(InputError, match="got pixels"):
        read_detection_predictions(tmp_path / "p", read)
    with pytest.raises(InputError, match=r"got parts of the images"):
        read_detection_predictions(
            write(tmp_path / "q/1.txt", "cat 0.5 .1 .2 .3 .4\n").parent, absolute, box="xywh"
        )


def test_difficult(tmp_path: Path) -> None:
    write(tmp_path / "t/1.txt", "cat 10 20 5 6 difficult\ndog 1 2 3 4\n")
    write(tmp_path / "t/2.txt", "cat 10 20 5 6\n")
    read = read_detection_truth(tmp_path / "t")
    assert read.flags["difficult"].tolist() == [1, 0, 0]
    assert any("1 difficult boxes are left out by VOC" in note for note in read.notes)


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("cat 1 2 3\n", SchemaError, "5 columns, got 4"),
        ("traffic light 1 2 3 4\n", SchemaError, "names without blanks"),
        ("cat 1 2 -3 4\n", InputError, "width and height of at least 0"),
        ("cat 1 2 3 nan\n", InputError, "finite fourth number"),
        ("cat 1 2 3 x\n", SchemaError, 'a number as fourth number .* got "x"'),
        ("cat 1e308 2 1e308 4\n", InputError, "within the range of float64"),
        (b"c\xe4t 1 2 3 4\n", SchemaError, "line 1"),
    ],
)
def test_bad_texts(
    tmp_path: Path, text: str | bytes, error: type[SnellenError], message: str
) -> None:
    write(tmp_path / "t/1.txt", text)
    with pytest.raises(error, match=message) as raised:
        read_detection_truth(tmp_path / "t", format="box-text", box="xywh")
    assert "1.txt line 1" in str(raised.value)


def test_class_numbers_of_texts_are_no_ids_of_coco(tmp_path: Path) -> None:
    coco = {
        "images": [{"id": 7, "file_name": "a/1.jpg", "width": 9, "height": 9}],
        "annotations": [{"id": 1, "image_id": 7, "category_id": 1, "bbox": [1, 2, 3, 4],
                         "area": 12, "iscrowd": 0}],
        "categories": [{"id": 1, "name": "cat"}, {"id": 2, "name": "dog"}],
    }  # fmt: skip
    truth = read_detection_truth(coco)
    assert truth.names == ("a/1.jpg",)
    write(tmp_path / "p/1.txt", "1 0.5 10 20 5 6\n")
    with pytest.raises(ClassError, match=re.escape("for truth's ids (1, 2)")):
        read_detection_predictions(tmp_path / "p", truth)
    read = read_detection_predictions(tmp_path / "p", truth, classes=["cat", "dog"])
    assert read.boxes.label.tolist() == [1]
    assert read.boxes.images.ids.tolist() == [7]


def test_devkit_results(tmp_path: Path) -> None:
    write(tmp_path / "t/000012.txt", "cat 10 20 5 6\ndining_table 1 2 3 4\n")
    truth = read_detection_truth(tmp_path / "t")
    write(tmp_path / "p/comp4_det_test_cat.txt", "000012 0.5 1 2 11 22\n000012 0.25 1 2 3 4\n")
    write(tmp_path / "p/comp4_det_test_dining_table.txt", "000012 0.75 1 2 3 4\n")
    read = read_detection_predictions(tmp_path / "p", truth)
    assert read.format == "voc-results"
    assert read.boxes.xywh.tolist() == [[1, 2, 10, 20], [1, 2, 2, 2], [1, 2, 2, 2]]
    assert read.boxes.label.tolist() == [0, 0, 1]
    assert read.boxes.score is not None
    assert read.boxes.score.tolist() == [0.5, 0.25, 0.75]
    write(tmp_path / "p/cat.txt", "000012 0.5 1 2 11 22\n")
    with pytest.raises(InputError, match=r"comp4_det_test_CLASS\.txt - at .*cat\.txt"):
        read_detection_predictions(tmp_path / "p", truth, format="voc-results")
    (tmp_path / "p/cat.txt").unlink()
    write(tmp_path / "p/comp4_det_test_cat.txt", "999 0.5 1 2 11 22\n")
    with pytest.raises(IdError, match=r"999; .*comp4_det_test_cat\.txt line 1"):
        read_detection_predictions(tmp_path / "p", truth)
    with pytest.raises(InputError, match="expected truth, got results"):
        read_detection_truth(tmp_path / "p")


KITTI = "Car 0.00 1 -1.58 587.01 173.33 614.12 200.12 1.65 1.67 3.64 -0.65 1.71 46.70 -1.59"
AREA = "DontCare -1 -1 -10 503.89 169.71 590.61 190.13 -1 -1 -1 -1000 -1000 -1000 -10"


def test_kitti(tmp_path: Path) -> None:
    write(tmp_path / "label_2/000000.txt", f"{KITTI}\n{AREA}\n")
    write(tmp_path / "label_2/000001.txt", "")
    for place in (tmp_path, tmp_path / "label_2"):
        read = read_detection_truth(place)
        assert read.format == "kitti"
        assert read.boxes.classes.keys.ids.tolist() == ["Car", "DontCare"]
        assert read.boxes.images.ids.tolist() == ["000000", "000001"]
        assert read.boxes.xywh[0].tolist() == [587.01, 173.33, 614.12 - 587.01, 200.12 - 173.33]
        assert read.flags["dont_care"].tolist() == [0, 1]
        assert read.flags["occluded"].tolist() == [1, 0]
        assert read.boxes.crowd is not None
        assert read.boxes.crowd.tolist() == [0, 1]
    write(tmp_path / "p/000001.txt", f"{KITTI} 0.5\n")
    found = read_detection_predictions(tmp_path / "p", read)
    assert found.boxes.image.tolist() == [1]
    with pytest.raises(SchemaError, match="with a score at the end, 16 columns, got 15"):
        read_detection_predictions(tmp_path / "label_2", read)
    write(tmp_path / "label_2/000000.txt", KITTI.replace(" 1 -1.58", " 9 -1.58"))
    with pytest.raises(
        InputError, match=r"an occlusion of 0 to 3 or -1, got 9.*000000\.txt line 1"
    ):
        read_detection_truth(tmp_path)


def test_dota(tmp_path: Path) -> None:
    lines = (
        "imagesource:GoogleEarth\ngsd:0.146\n1 2 3 4 5 6 7 8.5 plane 0\n9 9 9 9 9 9 9 9 ship 2\n"
    )
    write(tmp_path / "labelTxt/P1.txt", lines)
    write(tmp_path / "labelTxt/P2.txt", "gsd:null\n")
    for place in (tmp_path, tmp_path / "labelTxt"):
        rows = read_dota(place)
        assert rows.images == ["P1", "P2"]
        assert rows.points.tolist() == [[1, 2, 3, 4, 5, 6, 7, 8.5], [9] * 8]
        assert [rows.labels[k] for k in rows.label] == ["plane", "ship"]
        assert rows.difficult is not None
        assert rows.difficult.tolist() == [0, 2]
        assert rows.place(1).endswith("P1.txt line 4")
    with pytest.raises(InputError, match="DOTA has oriented ones"):
        read_detection_truth(tmp_path)
    write(tmp_path / "labelTxt/P1.txt", lines.replace("ship 2", "ship 3"))
    with pytest.raises(InputError, match=r"expected 0, 1 or 2 as difficult, got 3.*P1\.txt line 4"):
        read_dota(tmp_path)
    write(tmp_path / "labelTxt/P1.txt", "1 2 3 4 5 6 7 nan plane 0\n")
    with pytest.raises(InputError, match="expected a finite y4"):
        read_dota(tmp_path)
    write(tmp_path / "labelTxt/P1.txt", "1 2 3 4 5 6 7 8 plane\n")
    assert read_dota(tmp_path).difficult is None


def test_dota_results(tmp_path: Path) -> None:
    write(tmp_path / "Task1_small-vehicle.txt", "P1 0.5 1 2 3 4 5 6 7 8\n")
    write(tmp_path / "Task1_ship.txt", "P2 0.25 1 2 3 4 5 6 7 8\n")
    rows = read_dota_results(tmp_path)
    assert [rows.labels[k] for k in rows.label] == ["ship", "small-vehicle"]
    assert [rows.images[k] for k in rows.image] == ["P2", "P1"]
    assert rows.score is not None
    assert rows.score.tolist() == [0.25, 0.5]
    write(tmp_path / "x.txt", "P2 0.25 1 2 3 4 5 6 7 8\n")
    with pytest.raises(InputError, match="Task1_CLASS"):
        read_dota_results(tmp_path)
