"""Panoptic files: what they mean, and every way in which they can be wrong."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.panoptic_maps import colours, png_bytes, random_image, write_panoptic

from snellen import PanopticQuality, get_threads, set_threads
from snellen.errors import InputError
from snellen.readers.cityscapes_instances import read_cityscapes_instances
from snellen.readers.panoptic import IMAGES_AT_ONCE, read_panoptic
from snellen.segmentation.label_scheme import scheme_of

CATEGORIES = [
    {"id": 3, "name": "sky", "isthing": 0},
    {"id": 1, "name": "cat", "isthing": 1, "color": [1, 2, 3]},
]
Document = dict[str, Any]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Return truth and predictions of two images."""
    ids = np.array([[300, 300, 70000, 0]], np.int32)
    truth = [
        {"id": 300, "category_id": 1, "area": 2, "iscrowd": 0, "bbox": [0, 0, 2, 1]},
        {"id": 70000, "category_id": 3, "area": 1, "iscrowd": 0},
    ]
    pred = [{"id": 300, "category_id": 1}, {"id": 70000, "category_id": 3}]
    return (
        write_panoptic(tmp_path, "truth", {9: (ids, truth), 4: (ids, truth)}, CATEGORIES),
        write_panoptic(tmp_path, "pred", {4: (ids, pred), 9: (ids, pred)}),
    )


def evaluated(*paths: Path, **options: Any) -> PanopticQuality:
    protocol = options.get("protocol", "coco")
    found = read_panoptic(*paths, **options)
    metric = PanopticQuality(found.classes, things=found.things, protocol=protocol)
    for batch in found.batches(metric.count):
        metric.update(*batch)
    return metric


def edit(path: Path, change: Callable[[Document], object]) -> None:
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document))


def test_files(files: tuple[Path, Path]) -> None:
    result = evaluated(*files).compute()
    assert result.images.ids.tolist() == [4, 9]
    assert result.rules.classes.keys.ids.tolist() == [1, 3]
    assert result.rules.is_thing is not None
    assert result.rules.is_thing.tolist() == [True, False]
    assert result.tp.tolist() == [2, 2]
    assert result.PQ == 1


def test_folders_and_packed_files(files: tuple[Path, Path], tmp_path: Path) -> None:
    wanted = evaluated(*files).to_bytes()
    moved = tmp_path / "elsewhere"
    (tmp_path / "pred").rename(moved)
    packed = tmp_path / "pred.json.gz"
    packed.write_bytes(gzip.compress(files[1].read_bytes()))
    assert evaluated(files[0], packed, pred_maps=moved).to_bytes() == wanted
    moved.rename(tmp_path / "pred")
    assert evaluated(files[0], packed).to_bytes() == wanted


def test_a_byte_order_mark_changes_nothing(files: tuple[Path, Path]) -> None:
    wanted = evaluated(*files).to_bytes()
    for path in files:
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert evaluated(*files).to_bytes() == wanted


def test_image_ids_may_be_texts(files: tuple[Path, Path]) -> None:
    def rename(document: Document) -> None:
        for annotation in document["annotations"]:
            annotation["image_id"] = f"bonn_{annotation['image_id']}"

    for path in files:
        edit(path, rename)
    assert evaluated(*files).compute().images.ids.tolist() == ["bonn_4", "bonn_9"]


def test_many_images_on_any_number_of_threads(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    n = IMAGES_AT_ONCE + 5
    images = {int(i): random_image(random, [1, 3]) for i in random.permutation(n)}
    truth = write_panoptic(tmp_path, "t", {i: pair[0] for i, pair in images.items()}, CATEGORIES)
    pred = write_panoptic(tmp_path, "p", {i: pair[1] for i, pair in images.items()})
    metric = PanopticQuality({1: "cat", 3: "sky"}, things=[1])
    for i, (of_truth, of_pred) in images.items():
        metric.update(of_truth, of_pred, image_id=i)
    before = get_threads()
    try:
        for n_threads in (1, 2, 5):
            set_threads(n_threads)
            assert evaluated(truth, pred).to_bytes() == metric.to_bytes()
    finally:
        set_threads(before)


def test_what_is_left_out(files: tuple[Path, Path]) -> None:
    assert read_panoptic(*files).notes == ()
    edit(files[0], lambda truth: truth["annotations"].pop())
    edit(files[0], lambda truth: truth.update(images=[{"id": 9}, {"id": 8}, {"id": 7}]))
    notes = read_panoptic(*files).notes
    assert notes == (
        f"1 predicted images are not in truth: left out - at {files[1]}",
        f"2 listed images have no annotation: left out - at {files[0]}",
    )
    assert evaluated(*files).compute().data["n_images"] == 1


def test_iscrowd_and_area_may_be_missing_unless_strict(files: tuple[Path, Path]) -> None:
    assert evaluated(*files, protocol="coco-strict").compute().PQ == 1

    def change(document: Document) -> None:
        del document["annotations"][0]["segments_info"][0]["area"]

    edit(files[0], change)
    assert evaluated(*files).compute().PQ == 1
    with pytest.raises(InputError, match=r'expected "area" with each segment .* 300 has none'):
        evaluated(*files, protocol="coco-strict")


def test_a_repeated_segment_keeps_its_place_where_strict(tmp_path: Path) -> None:
    ids = np.array([[5, 6, 6, 0]], np.int32)
    crowd = {"category_id": 1, "iscrowd": 1, "area": 1}
    # As a dictionary keeps it, 5 stays the first one, so 6 is the last crowd of its class.
    truth = [{"id": 5, **crowd, "category_id": 999}, {"id": 6, **crowd}, {"id": 5, **crowd}]
    on_6 = np.array([[0, 8, 8, 0]], np.int32), [{"id": 8, "category_id": 1}]
    paths = (
        write_panoptic(tmp_path, "t", {1: (ids, truth)}, CATEGORIES),
        write_panoptic(tmp_path, "p", {1: on_6}),
    )
    result = evaluated(*paths, protocol="coco-strict").compute()
    assert (result.fp[0], result.data["n_ignored"]) == (0, 1)
    # Listed the other way round 5 is the last one, and the prediction not on it.
    edit(paths[0], lambda d: d["annotations"][0]["segments_info"].pop(0))
    result = evaluated(*paths, protocol="coco-strict").compute()
    assert (result.fp[0], result.data["n_ignored"]) == (1, 0)


def segment(document: Document, **changes: Any) -> None:
    document["annotations"][1]["segments_info"][1].update(changes)


WRONG: dict[str, tuple[int, Callable[[Document], object], tuple[str, ...]]] = {
    "no segments_info": (
        0,
        lambda d: d["annotations"][1].pop("segments_info"),
        ('object missing required field "segments_info"', "truth.json $.annotations[1]"),
    ),
    "instances": (
        0,
        lambda d: d.update(annotations=[{"id": 1, "image_id": 9, "bbox": [0, 0, 1, 1]}]),
        ("whose annotations have segments_info; this is one of single instances", "truth.json"),
    ),
    "no annotations": (1, lambda d: d.pop("annotations"), ("this is without annotations",)),
    "zero images": (
        0,
        lambda d: d["annotations"].clear(),
        ("expected images, got none", "truth.json"),
    ),
    "image twice": (
        1,
        lambda d: d["annotations"].append(d["annotations"][0]),
        ("one annotation for each image, got two for image 4", "pred.json $.annotations[2]"),
    ),
    "missing prediction": (
        1,
        lambda d: d["annotations"].pop(),
        ("expected a prediction for each image, 1 of 2 have none: 9", "pred.json"),
    ),
    "other kind of ids": (
        1,
        lambda d: [a.update(image_id=str(a["image_id"])) for a in d["annotations"]],
        ("2 of 2 have none: 4, 9", "pred.json"),
    ),
    "no categories": (0, lambda d: d.pop("categories"), ("expected categories, got none",)),
    "ids of two kinds": (
        0,
        lambda d: d["annotations"][0].update(image_id="x"),
        ("image ids that are all numbers or all texts, got both", "truth.json"),
    ),
    "huge category": (
        0,
        lambda d: d["categories"][0].update(id=2**64),
        ("expected class ids that are whole numbers of 64 bits", "truth.json"),
    ),
    "no isthing": (
        0,
        lambda d: d["categories"][1].pop("isthing"),
        ('expected "isthing" with each category', "category 1", "truth.json $.categories[1]"),
    ),
    "category twice": (
        0,
        lambda d: d["categories"].append(d["categories"][0]),
        ("expected each class id once, got 3 2 times", "truth.json"),
    ),
    "unknown category": (
        1,
        lambda d: segment(d, category_id=77),
        ("of the 2 known ones for segment 70000, got 77", "pred.json, image 9", "pred/9.png"),
    ),
    "unknown category of truth": (
        0,
        lambda d: segment(d, category_id=77),
        ("for segment 70000, got 77", "truth.json, image 4", "truth/4.png"),
    ),
    "segment twice": (
        1,
        lambda d: segment(d, id=300),
        ("each segment id once in an image, got 300 2 times", "pred.json, image 9", "pred/9.png"),
    ),
    "segment in the list only": (
        1,
        lambda d: d["annotations"][1]["segments_info"].append({"id": 5, "category_id": 1}),
        ("1 has none: 5", "pred.json, image 9", "pred/9.png"),
    ),
    "segment in the map only": (
        1,
        lambda d: d["annotations"][1]["segments_info"].pop(),
        ("1 is not there: 70000 (1 pixels)", "pred.json, image 9", "pred/9.png"),
    ),
    "segment in the map of truth only": (
        0,
        lambda d: d["annotations"][1]["segments_info"].pop(),
        ("1 is not there: 70000 (1 pixels)", "truth.json, image 4", "truth/4.png"),
    ),
    "id 0": (
        1,
        lambda d: segment(d, id=0),
        ("expected segment ids from 1, got 0", "pred.json, image 9"),
    ),
    "negative id": (1, lambda d: segment(d, id=-5), ("got -5", "pred.json, image 9")),
    "huge id": (1, lambda d: segment(d, id=2**70), ("pred.json",)),
    "id is a text": (
        1,
        lambda d: segment(d, id="x"),
        ('expected "int", got "str"', "pred.json $.annotations[1].segments_info[1].id"),
    ),
    "label map missing": (
        1,
        lambda d: d["annotations"][0].update(file_name="gone.png"),
        ("expected the label map of each image, 1 of 2 are not there: gone.png", "pred.json"),
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_json(files: tuple[Path, Path], case: str) -> None:
    side, change, texts = WRONG[case]
    edit(files[side], change)
    with pytest.raises(InputError) as caught:
        evaluated(*files)
    for text in texts:
        assert text in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "expected JSON"),
        (b"{", "expected JSON"),
        (b"\xff", "expected JSON"),
        (b"[]", "a list, as files of detection results are"),
        (b"3", "this is no object"),
        (b"null", "this is no object"),
        (b'{"annotations": [3], "x": "\\ud800"}', "annotations[0]"),
        (b"{}", "without annotations: it has nothing"),
        (b'{"annotations": 3}', "segments_info"),
        (b'{"annotations": [3]}', "annotations[0]"),
    ],
)
def test_no_panoptic_json(files: tuple[Path, Path], content: bytes, text: str) -> None:
    files[1].write_bytes(content)
    with pytest.raises(InputError) as caught:
        evaluated(*files)
    assert text in str(caught.value)
    assert "pred.json" in str(caught.value)


@pytest.mark.parametrize(
    ("pixels", "palette", "texts"),
    [
        (np.zeros((1, 4), np.uint8), False, ("got a gray image of 8 bits", "semantic labels")),
        (np.zeros((1, 4), np.uint16), False, ("got a gray image of 16 bits",)),
        (np.zeros((1, 4), np.uint8), True, ("got a palette image of 8 bits",)),
        (
            colours(np.zeros((2, 3), np.int32)),
            False,
            ("of one size, got 4 x 1 and 3 x 2 pixels", "truth/9.png and ", "pred/9.png"),
        ),
    ],
)
def test_wrong_label_maps(
    files: tuple[Path, Path], pixels: Any, palette: bool, texts: tuple[str, ...]
) -> None:
    (files[1].with_suffix("") / "9.png").write_bytes(png_bytes(pixels, palette=palette))
    with pytest.raises(InputError) as caught:
        evaluated(*files)
    for text in (*texts, "pred/9.png"):
        assert text in str(caught.value)


def test_cut_off_label_map(files: tuple[Path, Path]) -> None:
    path = files[0].with_suffix("") / "4.png"
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(InputError, match=r"truth/4\.png"):
        evaluated(*files)


def test_folders_that_are_not_there(files: tuple[Path, Path], tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"got: No such file or directory - at .*nowhere"):
        evaluated(*files, truth_maps=tmp_path / "nowhere")
    (tmp_path / "pred").rename(tmp_path / "moved")
    with pytest.raises(InputError, match=r"in the folder pred beside it, there is none"):
        evaluated(*files)
    with pytest.raises(InputError, match="No such file"):
        evaluated(files[0], tmp_path / "no.json")


# ---- Cityscapes ---------------------------------------------------------------------------------

ROAD, CAR, TRAIN, UNLABELED = 7, 26, 31, 0


def city(tmp_path: Path, truth: dict[str, Any], pred: dict[str, Any]) -> tuple[Path, Path]:
    """Write label maps of one row, 16 bits, by the names of their files."""
    for side, images in (("truth", truth), ("pred", pred)):
        for name, row in images.items():
            path = tmp_path / side / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(png_bytes(np.array([row], np.uint16)))
    return tmp_path / "truth", tmp_path / "pred"


def city_evaluated(*folders: Path) -> PanopticQuality:
    found = read_cityscapes_instances(*folders, scheme=scheme_of("cityscapes"))
    metric = PanopticQuality(found.classes, things=found.things)
    for batch in found.batches(metric.count):
        metric.update(*batch)
    return metric


NAME = "bonn_000001_000019"


def test_instance_ids(tmp_path: Path) -> None:
    folders = city(
        tmp_path,
        # Road, two cars, a group of cars, and what is not evaluated: unlabeled, and parking (9).
        {f"bonn/{NAME}_gtFine_instanceIds.png": [7, 7, 26000, 26001, 26, 26, 0, 9]},
        {f"{NAME}_pred_instanceIds.png": [7, 7, 26005, 7, 26003, 26003, 26, 26]},
    )
    result = city_evaluated(*folders).compute()
    by_name = {record["class"]: record for record in result.per_class()}
    # Road: 2 of 3 pixels. Car 26001 is missed; 26003 lies on the group, 26 on what is void.
    assert (by_name["road"]["tp"], by_name["road"]["iou_sum"]) == (1, 2 / 3)
    assert [by_name["car"][each] for each in ("tp", "fp", "fn")] == [1, 0, 1]
    assert by_name["car"]["thing"]
    assert not by_name["road"]["thing"]
    assert result.images.ids.tolist() == [NAME]
    counts = [result.data[name] for name in ("n_truth", "n_crowd", "n_pred", "n_ignored")]
    assert counts == [3, 1, 4, 2]


def test_files_are_paired_by_city_sequence_and_frame(tmp_path: Path) -> None:
    folders = city(
        tmp_path,
        {
            f"{NAME}_gtFine_instanceIds.png": [7],
            f"{NAME}_gtFine_labelIds.png": [7],
            "odd_instanceIds.png": [7],
        },
        {f"{NAME}.png": [7], "odd_instanceIds.png": [7], "more_instanceIds.png": [7]},
    )
    # Only those called so count where some are; then the first has no prediction.
    with pytest.raises(InputError, match=f"1 of 2 have none: {NAME} - at .*pred"):
        city_evaluated(*folders)
    (folders[1] / f"{NAME}.png").rename(folders[1] / f"{NAME}_leftImg8bit_instanceIds.png")
    assert city_evaluated(*folders).compute().data["n_images"] == 2
    notes = read_cityscapes_instances(*folders, scheme=scheme_of("cityscapes")).notes
    assert notes == (f"1 predicted images are not in truth: left out - at {folders[1]}",)


@pytest.mark.parametrize(
    ("truth", "pred", "texts"),
    [
        ({f"{NAME}_instanceIds.png": [7, 99]}, [7, 7], ("got 99", "truth", "instanceIds")),
        ({f"{NAME}_instanceIds.png": [7, 7]}, [7, 40001], ("got 40001", "pred")),
        ({f"{NAME}_instanceIds.png": [7]}, [7, 7], ("got 1 x 1 and 2 x 1 pixels", NAME)),
        (
            {f"{NAME}_a_instanceIds.png": [7], f"{NAME}_b_instanceIds.png": [7]},
            [7],
            ("one label map for each image, got two", "_a_", "_b_"),
        ),
        ({"readme.txt": [7]}, [7], ("expected PNGs of instanceIds, got none", "truth")),
    ],
)
def test_wrong_instance_ids(
    tmp_path: Path, truth: dict[str, Any], pred: list[int], texts: tuple[str, ...]
) -> None:
    folders = city(tmp_path, truth, {f"{NAME}_instanceIds.png": pred})
    with pytest.raises(InputError) as caught:
        city_evaluated(*folders)
    for text in texts:
        assert text in str(caught.value)


def test_colours_where_instance_ids_are_wanted(tmp_path: Path) -> None:
    folders = city(tmp_path, {f"{NAME}_instanceIds.png": [7]}, {f"{NAME}_instanceIds.png": [7]})
    (folders[1] / f"{NAME}_instanceIds.png").write_bytes(
        png_bytes(colours(np.array([[7]], np.int32)))
    )
    with pytest.raises(InputError, match="expected gray values, got a colour image of 8 bits"):
        city_evaluated(*folders)
