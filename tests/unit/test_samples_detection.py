from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from snellen.errors import InputError
from snellen.samples.detection import DetectionSample, make_detection_sample
from snellen.samples.png import encode_png

SMALL: dict[str, Any] = {"n_images": 12, "n_boxes": 230, "n_detections": 700, "n_classes": 7}


class Sample(NamedTuple):
    made: DetectionSample
    truth: dict[str, Any]
    predictions: list[dict[str, Any]]


def sample(directory: Path, **numbers: Any) -> Sample:
    made = make_detection_sample(directory, **numbers)
    # Decimal keeps the digits as they stand, so that what should be exact can be tested as such.
    return Sample(
        made,
        json.loads(made.truth.read_bytes(), parse_float=Decimal),
        json.loads(made.predictions.read_bytes(), parse_float=Decimal),
    )


@pytest.fixture(scope="module")
def default(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    return sample(tmp_path_factory.mktemp("default"))


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


# --- the same bytes -------------------------------------------------------------------------------


def test_recorded_digests(tmp_path: Path) -> None:
    # A recorded digest says nothing about right or wrong, and a change of the generator changes it.
    # It is here because the sample is promised to be the same on every machine, with every Python
    # and every NumPy: no run can see another machine's, but all can see one record.
    made = make_detection_sample(tmp_path, **SMALL, seed=0)
    assert made.images is not None
    assert digest(made.truth) == "d15b4ce37a625b52a9f6128e471c4712fc13030272f258619ed18a1c5161175b"
    assert (
        digest(made.predictions)
        == "09cd3cdcc8f510d515e3c715b43b6ba9c4b4bdbdb061d90be5c7a8cf54d56223"
    )
    pictures = hashlib.sha256()
    for picture in sorted(made.images.iterdir()):
        pictures.update(picture.read_bytes())
    assert (
        pictures.hexdigest() == "95bcaddf75b0375423112bfd7614f7d1c328d54c0e0ed71909dba094f8f02ed3"
    )


def test_same_seed_same_bytes_other_seed_other_bytes(tmp_path: Path) -> None:
    first, _again, other = (
        make_detection_sample(tmp_path / name, **SMALL, seed=seed)
        for name, seed in (("first", 3), ("again", 3), ("other", 4))
    )
    files = sorted(
        path.relative_to(tmp_path / "first") for path in (tmp_path / "first").rglob("*.*")
    )
    assert len(files) == 2 + 12
    for file in files:
        assert digest(tmp_path / "first" / file) == digest(tmp_path / "again" / file)
    assert digest(first.truth) != digest(other.truth)
    assert digest(first.predictions) != digest(other.predictions)


def test_large_seeds_are_all_of_them_used(tmp_path: Path) -> None:
    seeds = (1, 1 + 2**32, 1 + 2**64, 1 + 2**200)
    made = [make_detection_sample(tmp_path / str(seed), **SMALL, seed=seed) for seed in seeds]
    assert len({digest(sample.predictions) for sample in made}) == len(seeds)


def test_truth_depends_neither_on_detections_nor_on_pictures(tmp_path: Path) -> None:
    first = make_detection_sample(tmp_path / "first", **SMALL)
    fewer = make_detection_sample(tmp_path / "fewer", **{**SMALL, "n_detections": 10})
    plain = make_detection_sample(tmp_path / "plain", **SMALL, draw_images=False)
    assert digest(first.truth) == digest(fewer.truth) == digest(plain.truth)
    assert digest(first.predictions) == digest(plain.predictions)
    assert plain.images is None
    assert sorted(path.name for path in (tmp_path / "plain").iterdir()) == [
        "predictions.json",
        "truth.json",
    ]


# --- content --------------------------------------------------------------------------------------


def test_counts(default: Sample) -> None:
    assert len(default.truth["images"]) == default.made.n_images == 200
    assert len(default.truth["annotations"]) == default.made.n_boxes == 1500
    assert len(default.predictions) == default.made.n_detections == 6000
    assert len(default.truth["categories"]) == default.made.n_classes == 20
    assert default.made.images is not None
    names = {image["file_name"] for image in default.truth["images"]}
    assert names == {path.name for path in default.made.images.iterdir()}


@pytest.mark.parametrize(
    "numbers",
    [
        {"n_images": 0, "n_boxes": 0, "n_detections": 0},
        {"n_images": 1},
        {"n_boxes": 0},
        {"n_detections": 0},
        {"n_classes": 1},
        {"n_images": 1, "n_boxes": 1, "n_detections": 1, "n_classes": 1},
        {"n_boxes": 500, "n_detections": 20},
        {"n_classes": 120},
    ],
    ids=str,
)
def test_edges(tmp_path: Path, numbers: dict[str, int]) -> None:
    asked = {**SMALL, **numbers}
    made, truth, predictions = sample(tmp_path / "new" / "folder", **asked)
    assert made.images is not None
    assert len(truth["images"]) == len(list(made.images.iterdir())) == asked["n_images"]
    assert len(truth["annotations"]) == asked["n_boxes"]
    assert len(predictions) == asked["n_detections"]
    names = [category["name"] for category in truth["categories"]]
    assert len(set(names)) == len(names) == asked["n_classes"]
    check_boxes(truth, predictions)


def test_boxes_lie_inside_their_images(default: Sample) -> None:
    check_boxes(default.truth, default.predictions)


def check_boxes(truth: dict[str, Any], predictions: list[dict[str, Any]]) -> None:
    size = {image["id"]: (image["width"], image["height"]) for image in truth["images"]}
    classes = {category["id"] for category in truth["categories"]}
    for record in truth["annotations"] + predictions:
        left, top, width, height = record["bbox"]
        assert left >= 0
        assert top >= 0
        assert width > 0
        assert height > 0
        assert left + width <= size[record["image_id"]][0]
        assert top + height <= size[record["image_id"]][1]
        assert record["category_id"] in classes
    for record in truth["annotations"]:
        assert 0 < record["area"] < record["bbox"][2] * record["bbox"][3]
    assert all(0 < record["score"] < 1 for record in predictions)


def test_area_and_box_are_those_of_the_outline(default: Sample) -> None:
    outlines = 0
    for record in default.truth["annotations"]:
        if record["iscrowd"]:
            continue
        (outline,) = record["segmentation"]
        x, y = outline[0::2], outline[1::2]
        assert len(x) == len(y) == 8
        # The shoelace formula: twice the area is the sum of x·y' − x'·y along the edges.
        edges = zip(x, y, x[1:] + x[:1], y[1:] + y[:1], strict=True)
        assert record["area"] == sum(x0 * y1 - x1 * y0 for x0, y0, x1, y1 in edges) / 2
        assert record["bbox"] == [min(x), min(y), max(x) - min(x), max(y) - min(y)]
        outlines += 1
    assert outlines == 1485


def test_area_and_box_are_those_of_the_crowd(default: Sample) -> None:
    size = {image["id"]: [image["height"], image["width"]] for image in default.truth["images"]}
    crowds = [record for record in default.truth["annotations"] if record["iscrowd"]]
    assert len(crowds) == 15
    for record in crowds:
        encoded = record["segmentation"]
        assert encoded["size"] == size[record["image_id"]]
        values = np.arange(len(encoded["counts"])) % 2
        mask = np.repeat(values, encoded["counts"]).reshape(encoded["size"], order="F")
        assert record["area"] == int(mask.sum())
        y, x = np.nonzero(mask)
        bounds = [x.min(), y.min(), x.max() - x.min() + 1, y.max() - y.min() + 1]
        assert record["bbox"] == [int(bound) for bound in bounds]


def test_crowds_need_a_hundred_boxes(tmp_path: Path) -> None:
    for n_boxes, n_crowds in ((99, 0), (100, 1), (230, 2)):
        _, truth, _ = sample(tmp_path, **{**SMALL, "n_boxes": n_boxes}, draw_images=False)
        assert sum(record["iscrowd"] for record in truth["annotations"]) == n_crowds


def test_ids(default: Sample) -> None:
    images = [image["id"] for image in default.truth["images"]]
    assert images == sorted(set(images))
    assert images[-1] > 2 * len(images)
    categories = [category["id"] for category in default.truth["categories"]]
    assert categories == sorted(set(categories))
    assert categories[-1] > len(categories)
    boxes = [record["id"] for record in default.truth["annotations"]]
    assert boxes == list(range(1, 1501))


def test_areas_on_the_bounds_of_the_size_buckets(default: Sample) -> None:
    areas = Counter(record["area"] for record in default.truth["annotations"])
    assert areas[Decimal(32**2)] + areas[Decimal(96**2)] == 15
    assert areas[Decimal(32**2)] == 8  # four shapes in turn: 32², 96², 32², 96², …


def test_all_sizes(default: Sample) -> None:
    areas = [record["area"] for record in default.truth["annotations"]]
    small = sum(area < 32**2 for area in areas) / 1500
    large = sum(area >= 96**2 for area in areas) / 1500
    assert 0.3 < small < 0.5
    assert 0.15 < large < 0.3


def test_long_tails(default: Sample) -> None:
    records = default.truth["annotations"]
    classes = Counter(record["category_id"] for record in records).most_common()
    assert classes[0][1] > 10 * classes[-1][1] > 0
    images = Counter(record["image_id"] for record in records)
    assert max(images.values()) > 5 * 1500 / 200
    assert 8 < 200 - len(images) < 60  # images without truth


def test_predictions_are_grouped_by_image_and_unsorted_within(default: Sample) -> None:
    images = [record["image_id"] for record in default.predictions]
    assert images == sorted(images)
    assert max(Counter(images).values()) <= 300
    cells: dict[tuple[int, int], list[Decimal]] = {}
    for record in default.predictions:
        cell = record["image_id"], record["category_id"]
        cells.setdefault(cell, []).append(record["score"])
    assert any(scores != sorted(scores, reverse=True) for scores in cells.values())


def test_scores_tie_within_and_across_images(default: Sample) -> None:
    within = Counter(
        (record["image_id"], record["category_id"], record["score"])
        for record in default.predictions
    )
    assert sum(count > 1 for count in within.values()) > 20
    across = Counter((category, score) for _image, category, score in within)  # each image once
    assert sum(count > 1 for count in across.values()) > 200


def test_a_class_gets_past_the_cap_of_a_hundred(tmp_path: Path) -> None:
    # The proportions of COCO's validation images and a low score threshold.
    _, _, predictions = sample(
        tmp_path, n_images=500, n_boxes=3678, n_detections=50_000, n_classes=80, draw_images=False
    )
    cells = Counter((record["image_id"], record["category_id"]) for record in predictions)
    beyond = [count for count in cells.values() if count > 100]
    assert 5 < len(beyond) < len(cells) / 100


@pytest.mark.parametrize("seed", [0, 1])
def test_average_precision_is_that_of_a_middling_detector(tmp_path: Path, seed: int) -> None:
    coco = pytest.importorskip("pycocotools.coco")
    cocoeval = pytest.importorskip("pycocotools.cocoeval")
    made = make_detection_sample(tmp_path, seed=seed, draw_images=False)
    truth = coco.COCO(str(made.truth))
    evaluation = cocoeval.COCOeval(truth, truth.loadRes(str(made.predictions)), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert 0.3 < evaluation.stats[0] < 0.6
    assert np.all(evaluation.stats > 0.1)
    assert evaluation.stats[0] < evaluation.stats[2] < evaluation.stats[1] < 0.9


# --- pictures -------------------------------------------------------------------------------------


def decode_png(data: bytes) -> tuple[NDArray[np.uint8], list[tuple[int, ...]]]:
    """Decode what a 4-bit palette picture without filters is, from the PNG specification."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    chunks = []
    rest = data[8:]
    while rest:
        (length,) = struct.unpack(">I", rest[:4])
        kind, body = rest[4:8], rest[8 : 8 + length]
        (checksum,) = struct.unpack(">I", rest[8 + length : 12 + length])
        assert checksum == zlib.crc32(rest[4 : 8 + length])
        chunks.append((kind, body))
        rest = rest[12 + length :]
    assert [kind for kind, _ in chunks] == [b"IHDR", b"PLTE", b"IDAT", b"IEND"]
    width, height, *form = struct.unpack(">IIBBBBB", chunks[0][1])
    assert form == [4, 3, 0, 0, 0]
    rows = zlib.decompress(chunks[2][1])
    stride = 1 + (width + 1) // 2
    assert len(rows) == height * stride
    packed = np.frombuffer(rows, np.uint8).reshape(height, stride)
    assert not packed[:, 0].any()
    pixels = np.stack((packed[:, 1:] >> 4, packed[:, 1:] & 15), axis=2).reshape(height, -1)
    colours = chunks[1][1]
    return pixels[:, :width], [tuple(colours[k : k + 3]) for k in range(0, len(colours), 3)]


def test_pictures_have_the_size_that_the_truth_says(default: Sample) -> None:
    assert default.made.images is not None
    for image in default.truth["images"]:
        pixels, palette = decode_png((default.made.images / image["file_name"]).read_bytes())
        assert pixels.shape == (image["height"], image["width"])
        assert len(palette) == 16


def test_a_box_is_drawn_where_the_truth_has_it(tmp_path: Path) -> None:
    for seed in range(12):
        made, truth, _ = sample(
            tmp_path, n_images=1, n_boxes=1, n_detections=0, n_classes=40, seed=seed
        )
        assert made.images is not None
        (image,), (record,) = truth["images"], truth["annotations"]
        pixels, _ = decode_png((made.images / image["file_name"]).read_bytes())
        y, x = np.nonzero(pixels > 1)
        left, top, width, height = map(float, record["bbox"])
        drawn = [x.min(), y.min(), x.max() + 1, y.max() + 1]
        assert drawn == pytest.approx([left, top, left + width, top + height], abs=1)
        # A pixel too many or too few along the edge at most.
        assert len(x) == pytest.approx(float(record["area"]), abs=(width + height) / 2)
        assert len(np.unique(pixels[y, x])) == 2


def test_pictures_read_by_another_decoder(default: Sample) -> None:
    image_module = pytest.importorskip("PIL.Image")
    assert default.made.images is not None
    for path in sorted(default.made.images.iterdir())[:20]:
        pixels, palette = decode_png(path.read_bytes())
        with image_module.open(path) as picture:
            seen = np.asarray(picture.convert("RGB"))
        assert np.array_equal(seen, np.array(palette, np.uint8)[pixels])


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 5), (600, 401)])
def test_png_of_any_size(height: int, width: int) -> None:
    # 600 × 401 are 121,200 bytes: more than one stored block holds.
    pixels = (np.arange(height * width) % 3).astype(np.uint8).reshape(height, width)
    palette = [(1, 2, 3), (4, 5, 6), (255, 0, 7)]
    decoded, colours = decode_png(encode_png(pixels, palette))
    assert np.array_equal(decoded, pixels)
    assert colours == palette


@pytest.mark.parametrize(
    ("pixels", "n_colours", "message"),
    [
        (np.zeros((2, 2), np.int64), 1, "expected pixels of uint8, height × width, got int64"),
        (np.zeros((2, 2, 3), np.uint8), 1, r"of shape \(2, 2, 3\)"),
        (np.zeros((0, 2), np.uint8), 1, r"of shape \(0, 2\)"),
        (np.full((2, 2), 3, np.uint8), 3, "expected a palette of 4 to 256 colours, got 3"),
        (np.zeros((2, 2), np.uint8), 257, "expected a palette of 1 to 256 colours, got 257"),
    ],
)
def test_bad_pictures(pixels: NDArray[np.uint8], n_colours: int, message: str) -> None:
    with pytest.raises(InputError, match=message):
        encode_png(pixels, [(0, 0, 0)] * n_colours)


# --- arguments ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        ({"n_classes": 0}, "expected at least 1, got 0 - at n_classes"),
        ({"n_images": -1}, "expected at least 0, got -1 - at n_images"),
        ({"n_boxes": -2}, "expected at least 0, got -2 - at n_boxes"),
        ({"n_detections": -3}, "expected at least 0, got -3 - at n_detections"),
        ({"seed": -4}, "expected at least 0, got -4 - at seed"),
        ({"n_images": 2.5}, "expected a whole number, got 2.5 - at n_images"),
        ({"seed": "a"}, "expected a whole number, got 'a' - at seed"),
        (
            {"n_images": 0, "n_boxes": 3, "n_detections": 0},
            "expected at least 1 image for 3 boxes and 0 detections, got 0 - at n_images",
        ),
        (
            {"n_images": 0, "n_boxes": 0, "n_detections": 4},
            "expected at least 1 image for 0 boxes and 4 detections, got 0 - at n_images",
        ),
    ],
)
def test_bad_arguments(tmp_path: Path, numbers: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError) as caught:
        make_detection_sample(tmp_path / "never", **numbers)
    assert str(caught.value) == message
    assert not (tmp_path / "never").exists()


def test_nothing_is_left_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = make_detection_sample(tmp_path, **SMALL)
    before = digest(made.truth), digest(made.predictions)

    def fail(*_: object) -> bytes:
        raise OSError("no space left")

    monkeypatch.setattr("snellen.samples.detection._truth_text", fail)
    with pytest.raises(OSError, match="no space left"):
        make_detection_sample(tmp_path, **SMALL, seed=1)
    assert (digest(made.truth), digest(made.predictions)) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "images",
        "predictions.json",
        "truth.json",
    ]


# --- masks ----------------------------------------------------------------------------------------


def test_masks_are_the_detections_in_other_clothes(tmp_path: Path) -> None:
    made, truth, predictions = sample(tmp_path, **SMALL, masks=True)
    assert made.masks == tmp_path / "masks.json"
    records = json.loads(made.masks.read_bytes(), parse_float=Decimal)
    sizes = {image["id"]: [image["height"], image["width"]] for image in truth["images"]}
    assert len(records) == len(predictions)
    for record, box in zip(records, predictions, strict=True):
        assert record.keys() == {"image_id", "category_id", "segmentation", "score"}
        for key in ("image_id", "category_id", "score"):
            assert record[key] == box[key]
        assert record["segmentation"]["size"] == sizes[record["image_id"]]
    # COCO's own reader of run lengths: an octagon fills its box but for the corners.
    mask_api = pytest.importorskip("pycocotools.mask")
    for record, box in zip(records, predictions, strict=True):
        # One by one: under NumPy 2 pycocotools 2.0.11 takes no 256 masks at once.
        area = int(mask_api.area(record["segmentation"]))
        inner = mask_api.toBbox(record["segmentation"]).tolist()
        left, top, width, height = map(float, box["bbox"])
        assert 0 <= area <= (width + 1) * (height + 1)
        if area == 0:  # too thin for the middle of a pixel
            assert min(width, height) < 2
            continue
        assert left - 1 <= inner[0] <= inner[0] + inner[2] <= left + width + 1
        assert top - 1 <= inner[1] <= inner[1] + inner[3] <= top + height + 1


def test_files_do_not_depend_on_masks(tmp_path: Path) -> None:
    plain = make_detection_sample(tmp_path / "plain", **SMALL)
    made = make_detection_sample(tmp_path / "masks", **SMALL, masks=True)
    assert plain.masks is None
    assert not (tmp_path / "plain" / "masks.json").exists()
    assert made.truth.read_bytes() == plain.truth.read_bytes()
    assert made.predictions.read_bytes() == plain.predictions.read_bytes()
