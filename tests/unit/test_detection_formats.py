"""Which format files are in, and which images of two files are the same."""

from __future__ import annotations

import gzip
import itertools
from pathlib import Path

import pytest

from snellen.errors import InputError, SchemaError
from snellen.readers.detection_formats import FORMATS, called, found_format, may_be_coco
from snellen.readers.image_names import match_images

KITTI = "Car 0 0 0 1 2 3 4 1 1 1 1 1 1 0"
FILES = [
    ("a.json", "{}", "coco"),
    ("a.json.gz", gzip.compress(b"[]"), "coco"),
    ("a", '\n [{"image_id": 1}]', "coco"),
    ("a.yaml", "names: [a]", "yolo"),
    ("a.xml", '<?xml version="1.0"?><!-- x --><annotation verified="yes"><object/>', "voc-xml"),
    ("a.xml", "<annotations>", "cvat"),
    ("a.csv", "ImageID,LabelName,XMin,XMax,YMin,YMax\n", "open-images"),
    ("a.csv", b"\xef\xbb\xbfimage,class,x,y,w,h\r\n", "table"),
    ("a.tsv", "image\tclass\tx\ty\tw\th\n", "table"),
    ("a.txt", "image;class;x;y;w;h\n", "table"),
    ("a.parquet", b"PAR1\0", "table"),
    ("a.txt", "0 0.5 0.5 0.1 0.1\n", "yolo"),
    ("a.txt", "0\t0.5\t0.5\t0.1\t0.1\n", "yolo"),
    ("a.txt", "0 .1 .1 .2 .2 .3 .3\n", "yolo"),
    # Out of the image: its reader says so.
    ("a.txt", "0 0.5 0.5 1.2 1.1\n", "yolo"),
    ("a.txt", "0 1 1 2 2\n", "box-text"),
    ("a.txt", "0 0.5 1 2 3 4\n", "box-text"),
    ("a.txt", "cat 1 2 3 4\n", "box-text"),
    ("a.txt", "cat 0.5 1 2 3 4\n", "box-text"),
    ("a.txt", "cat 1 2 3 4 difficult\n", "box-text"),
    ("comp4_det_val_cat.txt", "0001 0.5 1 2 3 4\n", "voc-results"),
    ("a.txt", KITTI, "kitti"),
    ("a.txt", f"{KITTI} 0.5\n", "kitti"),
    ("a.txt", "1 2 3 4 5 6 7 8 plane 0\n", "dota"),
    ("a.txt", "imagesource:GoogleEarth\ngsd:1\n", "dota"),
    ("Task1_ship.txt", "P1 0.5 1 2 3 4 5 6 7 8\n", "dota"),
]


@pytest.mark.parametrize(("name", "text", "written"), FILES)
def test_files(tmp_path: Path, name: str, text: str | bytes, written: str) -> None:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    assert found_format(str(path)) == written
    assert may_be_coco(str(path)) == (written == "coco")


def test_every_format_has_a_name() -> None:
    assert all(called(name) for name in FORMATS)


def test_folders(tmp_path: Path) -> None:
    for path, text in (
        ("yaml/data.yaml", "names: [a]"),
        ("yolo/images/x", ""),
        ("yolo/labels/x", ""),
        ("voc/Annotations/1.xml", "<annotation/>"),
        ("voc/JPEGImages/1.jpg", ""),
        ("kitti/label_2/1.txt", KITTI),
        ("kitti/image_2/1.png", ""),
        ("dota/labelTxt/1.txt", "1 2 3 4 5 6 7 8 plane 0"),
        ("text/1.txt", ""),
        ("text/2.txt", "cat 1 2 3 4"),
        ("text/classes.txt", "cat"),
        ("run/labels/1.txt", "0 .1 .1 .1 .1\n0 .1 .1 .1 .1\n"),
        ("deep/val/1.txt", "cat 1 2 3 4"),
        ("roboflow/README.roboflow.txt", "a - v1"),
        ("roboflow/valid/1.xml", "<annotation/>"),
    ):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    for name, written in (
        *(("yaml", "yolo"), ("yolo", "yolo"), ("voc", "voc-xml"), ("kitti", "kitti")),
        *(("dota", "dota"), ("text", "box-text"), ("run", "yolo"), ("deep", "box-text")),
        ("roboflow", "voc-xml"),
    ):
        assert found_format(str(tmp_path / name)) == written


def test_what_may_be_several(tmp_path: Path) -> None:
    path = tmp_path / "1.txt"
    path.write_text("0 0.9 0.1 0.1 0.2 0.2\n")
    with pytest.raises(SchemaError, match=r'may be "box-text" .* or "yolo" .*: say which'):
        found_format(str(path))
    assert found_format(str(path), prefer="yolo") == "yolo"
    assert found_format(str(path), prefer="box-text") == "box-text"
    with pytest.raises(SchemaError, match="say which"):
        found_format(str(path), prefer="kitti")
    # Other lines may decide it.
    path.write_text("0 0.9 0.1 0.1 0.2 0.2\n0 0.9 10 10 20 20\n1 1 1 1 1 1\n")
    assert found_format(str(path)) == "box-text"
    (tmp_path / "1.xml").write_text("<annotation/>")
    with pytest.raises(SchemaError, match=r'"voc-xml" .* or "box-text"'):
        found_format(str(tmp_path))


def test_what_is_none(tmp_path: Path) -> None:
    for name, text in (("a.txt", "hello world\n"), ("b.txt", ""), ("c.xml", "<html>")):
        (tmp_path / name).write_text(text)
        with pytest.raises(SchemaError, match="in a format that is known"):
            found_format(str(tmp_path / name))
    with pytest.raises(InputError, match="No such file"):
        found_format(str(tmp_path / "none.txt"))
    (tmp_path / "x").mkdir()
    (tmp_path / "x/a.csv").write_text("")
    with pytest.raises(InputError, match=r'such as "a\.csv"'):
        found_format(str(tmp_path / "x"))
    (tmp_path / "y").mkdir()
    assert found_format(str(tmp_path / "y"), prefer="kitti") == "kitti"


@pytest.mark.parametrize(
    ("wanted", "known", "position", "rule"),
    [
        (["b", "a"], ["a", "b"], [1, 0], ""),
        ([2, 1], [1, 2], [1, 0], ""),
        (["a.jpg"], ["b", "a"], [1], "their names without the ending"),
        (["x/a"], ["a", "b"], [0], "the last part of their paths"),
        (["C:\\x\\a.png"], ["y/a.jpg"], [0], "the last part of their paths without the ending"),
        (["000139", "000285.jpg"], [285, 139], [1, 0], "the numbers that are their names"),
        # What finds most: one is not there at all.
        (["a.jpg", "c.jpg"], ["a", "b"], [0, -1], "their names without the ending"),
        # Two images would become one.
        (["x/1", "y/1"], ["1", "2"], [-1, -1], ""),
        (["1"], ["x/1", "y/1"], [-1], ""),
        ([], ["a"], [], ""),
    ],
)
def test_images(
    wanted: list[str | int], known: list[str | int], position: list[int], rule: str
) -> None:
    match = match_images(wanted, known)
    assert match.position.tolist() == position
    assert match.rule == rule


def test_images_by_the_names_of_files() -> None:
    match = match_images(["b", "a"], [1, 2], ["val/a.jpg", "val/b.jpg"])
    assert match.position.tolist() == [1, 0]
    assert match.rule.startswith("the names of their files")


def test_the_order_of_images_is_of_no_account() -> None:
    known = ["x/1.jpg", "x/2.jpg", "x/3.jpg"]
    for wanted in itertools.permutations(["1", "2", "3"]):
        found = match_images(list(wanted), known).position.tolist()
        assert [known[k] for k in found] == [f"x/{name}.jpg" for name in wanted]
