"""Boxes from each format to each other and back."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pytest

from snellen import AveragePrecision, Boxes
from snellen.errors import ClassError, IdError, InputError, SnellenError
from snellen.readers.detection_files import (
    ReadBoxes,
    read_detection_predictions,
    read_detection_truth,
)
from snellen.readers.detection_formats import FORMATS, found_format
from snellen.writers.detection_files import whole_pixels, write_detections
from snellen.writers.detections import Detections

TARGETS = {"coco": "a.json", "cvat": "a.xml", "open-images": "a.csv", "table": "a.csv"}
BOXES = [name for name in FORMATS if name != "dota"]
OF_TRUTH = [name for name in BOXES if name != "voc-results"]
# What these formats call images has the sizes beside it: in the pictures.
UNSIZED = ("yolo", "open-images", "kitti", "box-text")
Sizes = Mapping[str, tuple[int, int]]


class Pair(NamedTuple):
    truth: ReadBoxes
    pred: ReadBoxes


def random_pair(rng: np.random.Generator, *, exact: bool) -> tuple[Detections, Detections, Sizes]:
    """Return truth and predictions that all formats can hold: names, every class, no flags."""
    names = [f"im{k:04d}" for k in range(6)]
    sizes = {name: (256, 512) if exact else (rng.integers(40, 900), 333) for name in names}
    classes = ["bird", "cat", "dog"]
    n_truth, n_pred = 40, 120

    def boxes(n: int, **columns: Any) -> Boxes:
        image = np.sort(np.concatenate([np.arange(6), rng.integers(0, 6, n - 6)]))
        label = np.concatenate([np.arange(3), rng.integers(0, 3, n - 3)])
        extent = np.array([sizes[names[k]][::-1] for k in image])
        # In half of them all truth and predictions stand close together.
        first = rng.random((n, 2)) * 0.3 * extent
        size = (rng.random((n, 2)) * 0.5 + 0.05) * extent
        xywh = np.concatenate([first, size], axis=1)
        xywh = (xywh * 8).round() / 8 if exact else xywh.round(2)
        return Boxes.from_xywh(
            xywh,
            image_id=[names[k] for k in image],
            label=[classes[k] for k in label],
            image_ids=names,
            classes=dict(zip(classes, classes, strict=True)),
            **columns,
        )

    truth = boxes(n_truth)
    pred = boxes(n_pred, score=(rng.random(n_pred) * 20).round() / 20)
    by_image = np.array([sizes[name] for name in names])
    return Detections(truth, sizes=by_image), Detections(pred, sizes=by_image), sizes


def written(folder: Path, name: str, data: Detections) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / TARGETS.get(name, "a")
    box: Literal["xywh"] | None = "xywh" if name == "box-text" else None
    write_detections(target, data, name, box=box, lossy=True)
    return target


def read_truth(path: Path, name: str, sizes: Sizes) -> ReadBoxes:
    options: dict[str, Any] = {}
    if name in ("box-text", "table"):
        options = {"box": "xywh", "relative": False}
    if name in UNSIZED:
        options["images"] = sizes
    # The folder of YOLO has no pictures.
    return read_detection_truth(path, format=name, **options)


def read_pred(path: Path, name: str, truth: ReadBoxes) -> ReadBoxes:
    options: dict[str, Any] = {}
    if name in ("box-text", "table"):
        options = {"box": "xywh", "relative": False}
    return read_detection_predictions(path, truth, format=name, **options)


def through(folder: Path, name: str, pair: Pair | None, data: Any, sizes: Sizes) -> Pair:
    """Return truth and predictions that were written in a format and read again."""
    if pair is None:
        truth, pred = data
    else:
        truth = Detections.of_read(pair.truth, "truth")
        pred = Detections.of_read(pair.pred, "pred", pair.truth)
    # The devkit has no results that are truth: its truth is XML.
    of_truth = "voc-xml" if name == "voc-results" else name
    found = read_truth(written(folder / "t", of_truth, truth), of_truth, sizes)
    return Pair(found, read_pred(written(folder / "p", name, pred), name, found))


def columns(read: ReadBoxes) -> list[Any]:
    """Return each box by the names of its image and class, in an order of its own."""
    boxes = read.boxes
    images = boxes.images.ids.tolist() if read.names is None else list(read.names)
    names = boxes.classes.display_names()
    score = np.zeros(len(boxes)) if boxes.score is None else boxes.score
    return sorted(
        (str(images[image]), names[label], *xywh, own)
        for image, label, xywh, own in zip(
            boxes.image.tolist(), boxes.label.tolist(), boxes.xywh.tolist(), score.tolist(),
            strict=True,
        )
    )  # fmt: skip


def arrays(pair: Pair) -> list[bytes]:
    result = AveragePrecision().update(pair.truth.boxes, pair.pred.boxes).compute()
    return [result.precision.tobytes(), result.recall.tobytes(), result.scores.tobytes()]


@pytest.mark.parametrize(("first", "second"), [*itertools.product(BOXES, BOXES)])
def test_there_and_back(tmp_path: Path, first: str, second: str) -> None:
    """Boxes on eighths of a pixel in images of 256 × 512: every layout holds them exactly."""
    rng = np.random.default_rng(FORMATS.index(first) * 100 + FORMATS.index(second))
    *data, sizes = random_pair(rng, exact=True)
    one = through(tmp_path / "1", first, None, data, sizes)
    two = through(tmp_path / "2", second, one, None, sizes)
    three = through(tmp_path / "3", first, two, None, sizes)
    assert len(one.truth.boxes) == 40
    assert len(one.pred.boxes) == 120
    for pair in (two, three):
        assert columns(pair.truth) == columns(one.truth)
        assert columns(pair.pred) == columns(one.pred)
        assert arrays(pair) == arrays(one)
    assert arrays(one)[0] != np.full_like(np.frombuffer(arrays(one)[0]), -1).tobytes()
    if "voc-results" in (first, second):
        return  # whose lines are ordered by class
    if first in ("coco", "table") and second in ("coco", "yolo") and first != second:
        return  # which give numbers to classes
    # The same files, byte for byte.
    for part in ("t", "p"):
        files = [
            {str(path.relative_to(tmp_path / n)): path.read_bytes() for path in
             sorted((tmp_path / n / part).rglob("*")) if path.is_file()}
            for n in ("1", "3")
        ]  # fmt: skip
        assert files[0] == files[1]


@pytest.mark.parametrize("name", BOXES)
def test_decimal_boxes_come_back_as_they_were_read(tmp_path: Path, name: str) -> None:
    """What a format could not hold it changes once, in the last digits, and never again."""
    *data, sizes = random_pair(np.random.default_rng(9), exact=False)
    one = through(tmp_path / "1", name, None, data, sizes)
    two = through(tmp_path / "2", name, one, None, sizes)
    assert columns(two.truth) == columns(one.truth)
    assert columns(two.pred) == columns(one.pred)
    before = Pair(*(ReadBoxes(each.columns, "coco", None, {}, []) for each in data))  # type: ignore[arg-type]
    for a, b in zip(columns(one.truth), columns(before.truth), strict=True):
        assert a[:2] == b[:2]
        np.testing.assert_allclose(a[2:], b[2:], rtol=0, atol=1e-10)


@pytest.mark.parametrize("name", BOXES)
def test_nothing_is_lost_of_what_all_formats_hold(tmp_path: Path, name: str) -> None:
    truth, pred, _ = random_pair(np.random.default_rng(1), exact=True)
    data = pred if name == "voc-results" else truth
    found = write_detections(tmp_path / TARGETS.get(name, "a"), data, name)
    assert found.losses == []


@pytest.mark.parametrize("name", OF_TRUTH)
def test_the_format_of_what_is_written_is_found(tmp_path: Path, name: str) -> None:
    truth, pred, _ = random_pair(np.random.default_rng(1), exact=True)
    for part, data in (("t", truth), ("p", pred)):
        path = written(tmp_path / part, name, data)
        assert found_format(str(path)) == name


# ---- What is lost --------------------------------------------------------------------------------


def one_image(**changes: Any) -> Detections:
    columns: dict[str, Any] = {
        "image_id": ["a", "a", "b"], "label": ["cat", "dog", "cat"], "image_ids": ["a", "b"],
        **changes,
    }  # fmt: skip
    box = columns.pop("box", [[1, 2, 3, 4], [5, 6, 7, 8], [0, 0, 10, 10]])
    rest = {name: columns.pop(name) for name in ("flags", "names", "is_coco") if name in columns}
    boxes = Boxes.from_xywh(box, **columns)
    return Detections(boxes, sizes=np.full((len(boxes.images), 2), 64), **rest)


FLAGS = {
    flag: np.array(values, np.uint8)
    for flag, values in {
        "difficult": [1, 0, 1], "truncated": [0, 1, 0], "occluded": [0, 3, 2],
        "depiction": [1, 1, 1],
    }.items()
}  # fmt: skip
HELD = {
    "coco": {"crowds", "areas"},
    "yolo": set(),
    "voc-xml": {"difficult", "truncated", "occluded"},
    "box-text": {"difficult"},
    "open-images": {"crowds", "truncated", "occluded", "depiction"},
    "kitti": {"truncated", "occluded"},
    "cvat": {"occluded"},
    "table": {"crowds", "areas", "difficult", "truncated", "occluded"},
    "dota": {"difficult"},
}
COUNTS = {"crowds": 1, "areas": 2, "difficult": 2, "truncated": 1, "occluded": 2, "depiction": 3}


@pytest.mark.parametrize("name", HELD)
def test_what_is_lost_of_objects_is_counted(tmp_path: Path, name: str) -> None:
    data = one_image(area=[12, 50, 99], crowd=[0, 0, 1], flags=FLAGS)
    target = tmp_path / TARGETS.get(name, "a")
    with (
        pytest.raises(InputError, match="it would lose")
        if HELD[name] != set(COUNTS)
        else (pytest.raises(InputError))
    ):
        write_detections(target, data, name)
    assert not target.exists()
    found = write_detections(target, data, name, lossy=True)
    lost = {loss.what: loss.n for loss in found.losses}
    levels = lost.pop("occluded_levels", 0)
    assert lost == {what: n for what, n in COUNTS.items() if what not in HELD[name]}
    assert levels == (2 if "occluded" in HELD[name] and name != "kitti" else 0)
    if name == "dota":
        return
    read = read_truth(target, name, {"a": (64, 64), "b": (64, 64)})
    assert read.boxes.crowd is not None
    assert read.boxes.crowd.tolist() == ([0, 0, 1] if "crowds" in HELD[name] else [0, 0, 0])
    area = [12, 56, 100] if "areas" not in HELD[name] else [12, 50, 99]
    measured = read.boxes.xywh[:, 2] * read.boxes.xywh[:, 3]
    assert (measured if read.boxes.area is None else read.boxes.area).tolist() == area
    for flag in HELD[name] & set(FLAGS):
        most = 3 if name == "kitti" else 1
        assert read.flags[flag].tolist() == np.minimum(FLAGS[flag], most).tolist()


def lost(tmp_path: Path, name: str, data: Detections) -> dict[str, int]:
    target = tmp_path / f"{len(list(tmp_path.iterdir()))}{TARGETS.get(name, 'a')}"
    return {each.what: each.n for each in write_detections(target, data, name, lossy=True).losses}


def test_what_is_lost_of_images(tmp_path: Path) -> None:
    empty = one_image(image_ids=["a", "b", "c", "d"])
    for name in OF_TRUTH:
        want = {"empty_images": 2} if name in ("table", "open-images") else {}
        assert lost(tmp_path, name, empty) == want, name
    numbers = one_image(image_id=[1, 1, 2], image_ids=[1, 2])
    for name in OF_TRUTH:
        assert lost(tmp_path, name, numbers) == {}, name
    # As texts 10 is before 9.
    numbers = one_image(image_id=[9, 9, 10], image_ids=[9, 10])
    for name in OF_TRUTH:
        want = {} if name in ("coco", "table") else {"image_order": 2}
        assert lost(tmp_path, name, numbers) == want, name
    named = one_image(image_id=[1, 1, 2], image_ids=[1, 2], names=("x/a.jpg", "x/b.jpg"))
    for name in OF_TRUTH:
        want = {} if name in ("coco", "table") else {"image_ids": 2}
        assert lost(tmp_path, name, named) == want, name
    # Which of CSV are numbers again, of Parquet texts.
    texts = one_image(image_id=["9", "9", "10"], image_ids=["9", "10"])
    assert lost(tmp_path, "table", texts) == {"image_order": 2}
    assert write_detections(tmp_path / "a.parquet", texts, "table").losses == []


def test_what_is_lost_of_classes(tmp_path: Path) -> None:
    ids = one_image(label=[1, 3, 1], classes={1: "cat", 3: "dog"})
    for name in OF_TRUTH:
        want = {} if name in ("coco", "table") else {"class_ids": 2}
        assert lost(tmp_path, name, ids) == want, name
    counted = one_image(label=[0, 1, 0], classes=["cat", "dog"])
    assert lost(tmp_path, "yolo", counted) == {}
    empty = one_image(classes={name: name for name in ("ant", "cat", "dog", "eel")})
    for name in OF_TRUTH:
        want = {} if name in ("coco", "yolo", "cvat") else {"empty_classes": 2}
        assert lost(tmp_path, name, empty) == want, name
    named = one_image(label=["/m/1", "/m/2", "/m/1"], classes={"/m/1": "Cat", "/m/2": "Dog"})
    assert lost(tmp_path, "open-images", named) == {"class_names": 2}
    assert lost(tmp_path, "coco", named) == {"class_ids": 2}
    assert lost(tmp_path, "table", named) == {"class_names": 2}
    blank = one_image(label=["traffic light", "dog", "traffic light"])
    for name in OF_TRUTH:
        want = {"blanks": 1} if name in ("kitti", "box-text") else {}
        assert lost(tmp_path, name, blank) == want, name
    both = one_image(label=[1, 2, 1], classes={1: "traffic light", 2: "dog"})
    assert lost(tmp_path, "kitti", both) == {"blanks": 1, "class_ids": 2}
    ten = one_image(label=[9, 10, 9], classes={9: "", 10: ""})
    assert lost(tmp_path, "voc-xml", ten) == {"class_order": 2}


def test_boxes_out_of_their_images(tmp_path: Path) -> None:
    out = one_image(box=[[60, 60, 10, 10], [-3, 0, 7, 64], [100, 100, 3, 3]])
    assert lost(tmp_path, "voc-xml", out) == {}
    assert lost(tmp_path, "open-images", out) == {"outside": 3}
    assert lost(tmp_path, "yolo", out) == {"outside": 2}
    read = read_truth(tmp_path / "1a.csv", "open-images", {"a": (64, 64), "b": (64, 64)})
    assert read.boxes.xywh.tolist() == [[60, 60, 4, 4], [0, 0, 4, 64], [64, 64, 0, 0]]


def test_last_digits(tmp_path: Path) -> None:
    data = one_image(box=[[0.1, 0, 0.7, 1], [0.5, 0.5, 0.25, 1], [1000.1, 0, 0.1, 1]])
    for name in OF_TRUTH:
        found = lost(tmp_path, name, data)
        if name in ("coco", "table", "box-text"):
            assert found == {}, name
        elif name in ("voc-xml", "kitti", "cvat"):
            # 1000.1 + 0.1 lies between numbers that are further apart than those around 0.1.
            assert found == {"digits": 1}, name


def test_coordinates_that_corners_cannot_hold(tmp_path: Path) -> None:
    far = one_image(box=[[1e17, 0, 1, 1], [0, 0, 1, 1], [1, 1, 1, 1]])
    assert lost(tmp_path, "kitti", far) == {"coordinates": 1}
    assert lost(tmp_path, "coco", far) == {}


def test_whole_pixels() -> None:
    data = one_image(box=[[0.5, 1.5, 2, 2], [1, 2, 3, 4], [0.2, 0.2, 0.2, 9.9]])
    rounded, losses = whole_pixels(data)
    # Corners are rounded, half to even: 0.5 to 0, 2.5 to 2, 1.5 to 2, 3.5 to 4.
    assert rounded.boxes.xywh.tolist() == [[0, 2, 2, 2], [1, 2, 3, 4], [0, 0, 0, 10]]
    assert [(loss.what, loss.n) for loss in losses] == [("sub_pixels", 2)]
    assert whole_pixels(rounded)[1] == []


# ---- Names ---------------------------------------------------------------------------------------

NASTY = ['a,b;"c"', "é ü 漢", "x <&> 'y'", "#no: {yes}", "true", "it's"]


@pytest.mark.parametrize("name", ["coco", "yolo", "voc-xml", "open-images", "cvat", "table"])
def test_names_of_classes_come_back(tmp_path: Path, name: str) -> None:
    n = len(NASTY)
    data = one_image(
        box=[[1, 2, 3, 4]] * n, image_id=["a"] * n, image_ids=["a"], label=sorted(NASTY)
    )
    read = read_truth(written(tmp_path, name, data), name, {"a": (64, 64)})
    assert [read.boxes.classes.display_names()[k] for k in read.boxes.label] == sorted(NASTY)


@pytest.mark.parametrize("name", OF_TRUTH)
def test_names_of_images_come_back(tmp_path: Path, name: str) -> None:
    names = ["a b", "deep/er/x.y", "it's", "é"]
    data = one_image(box=[[1, 2, 3, 4]] * 4, image_id=names, image_ids=names, label=["cat"] * 4)
    read = read_truth(written(tmp_path, name, data), name, dict.fromkeys(names, (64, 64)))
    images = read.boxes.images.ids.tolist() if read.names is None else read.names
    assert sorted(images) == sorted(names)
    assert [images[k] for k in read.boxes.image] == names


@pytest.mark.parametrize(
    ("name", "image"),
    [
        *itertools.product(
            ("yolo", "voc-xml", "kitti", "box-text", "dota"),
            ("../a", "/etc/a", "a/../../b", "a//b", "C:\\a", "C:/a", ".a", "x/.y/z", "", "a\\b"),
        ),
        *itertools.product(FORMATS, ("a\nb", "a\0b", "a\x1b[2J", "\ud800")),
        *itertools.product(("yolo", "kitti", "box-text", "dota"), ("classes", "x/Notes.jpg")),
        ("yolo", "x" * 300),
        ("voc-xml", "x" * 300),
    ],
)
def test_images_that_no_file_can_be_called(tmp_path: Path, name: str, image: str) -> None:
    if name in ("coco", "table") and image not in ("a\nb", "a\0b"):
        pytest.skip("a name that JSON and tables hold")
    data = one_image(image_id=[1, 1, 2], image_ids=[1, 2], names=(image, "b"))
    if name == "voc-results":
        data = one_image(image_id=[1, 1, 2], image_ids=[1, 2], names=(image, "b"),
                         score=[0.1, 0.2, 0.3])  # fmt: skip
    if name == "coco":
        write_detections(tmp_path / "a.json", data, name, lossy=True)
        return
    with pytest.raises(InputError) as caught:
        write_detections(tmp_path / TARGETS.get(name, "a"), data, name, lossy=True)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_names_that_become_one(tmp_path: Path) -> None:
    images = one_image(image_id=["a.jpg", "a.jpg", "a.png"], image_ids=["a.jpg", "a.png"])
    with pytest.raises(IdError, match='without the ending, got "a" twice'):
        write_detections(tmp_path / "a", images, "kitti")
    write_detections(tmp_path / "a.xml", images, "cvat")
    classes = one_image(label=["a b", "a_b", "a b"])
    with pytest.raises(ClassError, match='got "a_b" twice'):
        write_detections(tmp_path / "a", classes, "kitti", lossy=True)
    same = one_image(label=[1, 2, 1], classes={1: "cat", 2: "cat"})
    with pytest.raises(ClassError, match='got "cat" twice'):
        write_detections(tmp_path / "a", same, "voc-xml", lossy=True)
    assert write_detections(tmp_path / "a.json", same, "coco").losses == []


def test_names_that_results_cannot_have(tmp_path: Path) -> None:
    scores = {"score": [0.1, 0.2, 0.3]}
    for changes, error in (
        ({"label": ["a/b", "c", "a/b"]}, ClassError),
        ({"label": ["x_det_y_z", "c", "c"]}, ClassError),
        ({"image_id": ["a b", "a b", "c"], "image_ids": ["a b", "c"]}, InputError),
        ({"image_id": ['a"b', "c", "c"], "image_ids": ['a"b', "c"]}, InputError),
    ):
        with pytest.raises(error):
            write_detections(tmp_path / "a", one_image(**scores, **changes), "voc-results")
    with pytest.raises(InputError, match="expected predictions"):
        write_detections(tmp_path / "a", one_image(), "voc-results")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", OF_TRUTH)
def test_no_objects(tmp_path: Path, name: str) -> None:
    none = np.zeros((0, 4))
    empty: list[str] = []
    data = Detections(
        Boxes.from_xywh(none, image_id=empty, label=empty, image_ids=["a"], classes={"c": "c"}),
        sizes=np.array([[64, 64]]),
    )
    path = written(tmp_path, name, data)
    if name in ("table", "open-images"):
        return
    read = read_truth(path, name, {"a": (64, 64)})
    assert len(read.boxes) == 0
    assert len(read.boxes.images) == 1


def test_relative_boxes_stay_relative(tmp_path: Path) -> None:
    boxes = Boxes.from_xywh([[0.1, 0.2, 0.3, 0.4]], image_id=["a"], label=["cat"], score=None)
    data = Detections(boxes, relative=True)
    for name in ("coco", "voc-xml", "kitti", "cvat", "dota"):
        with pytest.raises(InputError, match="parts of images whose sizes are not known"):
            write_detections(tmp_path / TARGETS.get(name, "a"), data, name, lossy=True)
    pixels = Detections(boxes)
    for name in ("yolo", "open-images", "cvat"):
        with pytest.raises(InputError, match=r"expected the sizes of images, which .* needs"):
            write_detections(tmp_path / TARGETS.get(name, "a"), pixels, name, lossy=True)
    assert list(tmp_path.iterdir()) == []
    for name in ("yolo", "open-images", "table", "box-text"):
        path = written(tmp_path / name, name, data)
        options: dict[str, Any] = {"box": "xywh"} if name in ("box-text", "table") else {}
        read = read_detection_truth(path, format=name, **options)
        assert read.relative
        np.testing.assert_allclose(read.boxes.xywh, boxes.xywh, atol=1e-16)


def test_arguments_that_do_not_fit(tmp_path: Path) -> None:
    data = one_image()
    for target, name, box, said in (
        ("a.json", "cocoa", None, 'Did you mean "coco"'),
        ("a", "coco", None, r"ends with \.json"),
        ("a.jpg", "cvat", None, r"ends with \.xml"),
        ("a.xlsx", "table", None, "ends with"),
        ("a", "yolo", "xyxy", "expected no layout"),
        ("a", "box-text", "yxyx", "expected a layout"),
        ("no/where", "yolo", None, "there is none: make it"),
        ("no/where.json", "coco", None, "there is none: make it"),
        ("-", "yolo", None, "expected the path"),
    ):
        with pytest.raises(SnellenError, match=said):
            write_detections(
                target if target == "-" else tmp_path / target,
                data,
                name,
                box=box,  # type: ignore[arg-type]
            )
