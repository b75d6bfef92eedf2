"""What is kept of panoptic segmentations for their pages, and what these show."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.panoptic_maps import png_bytes, write_panoptic

from snellen import PanopticQuality
from snellen.readers.cityscapes_instances import read_cityscapes_instances
from snellen.readers.panoptic import PanopticFiles, read_panoptic
from snellen.report.panoptic.examples import examples_of
from snellen.report.panoptic.parts import parts
from snellen.segmentation.label_scheme import scheme_of

CATEGORIES = [
    {"id": 1, "name": "cat", "isthing": 1},
    {"id": 2, "name": "dog", "isthing": 1},
    {"id": 3, "name": "sky", "isthing": 0},
]
# Segment 4 is a crowd of cats; 0 is void.
TRUTH = np.array(
    [[1, 1, 1, 2, 2, 2], [1, 1, 1, 2, 2, 2], [3, 3, 3, 0, 0, 4], [3, 3, 3, 0, 0, 4]], np.int64
)
# 5 and 8 match 1 and 3; 6 is a cat where a dog is; 7 is a dog on a cat; 9 lies on what is left out.
PRED = np.array(
    [[5, 5, 5, 6, 6, 6], [5, 5, 7, 6, 6, 6], [5, 8, 8, 9, 9, 9], [8, 8, 8, 9, 9, 9]], np.int64
)
LABELS = {1: 1, 2: 2, 3: 3, 4: 1, 5: 1, 6: 1, 7: 2, 8: 3, 9: 2}
VOID, RIGHT, EDGE, MISSED, FALSE = "#ffffff", "#e1e1de", "#6ea0d7", "#f0c828", "#c83c14"
OUTCOMES = [
    [RIGHT, RIGHT, RIGHT, MISSED, MISSED, MISSED],
    [RIGHT, RIGHT, FALSE, MISSED, MISSED, MISSED],
    [EDGE, RIGHT, RIGHT, VOID, VOID, VOID],
    [RIGHT, RIGHT, RIGHT, VOID, VOID, VOID],
]


def side(ids: np.ndarray[Any, Any]) -> tuple[np.ndarray[Any, Any], list[dict[str, Any]]]:
    return ids, [
        {
            "id": int(each),
            "category_id": LABELS[int(each)],
            "iscrowd": int(each == 4),
            "area": int((ids == each).sum()),
        }
        for each in np.unique(ids[ids > 0])
    ]


@pytest.fixture
def files(tmp_path: Path) -> PanopticFiles:
    """Return two images: one as above, and one that is right."""
    truth = write_panoptic(tmp_path, "truth", {7: side(TRUTH), 8: side(TRUTH)}, CATEGORIES)
    pred = write_panoptic(
        tmp_path, "pred", {7: side(PRED), 8: side(np.where(TRUTH == 4, 0, TRUTH))}
    )
    return read_panoptic(truth, pred)


def measured(files: Any) -> PanopticQuality:
    metric = PanopticQuality(files.classes, things=files.things)
    for batch in files.batches(metric.count):
        metric.update(*batch)
    return metric


def colours(data: bytes) -> list[list[str]]:
    rows = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    return [["#" + bytes(pixel.tolist()).hex() for pixel in row] for row in rows]


def no_image(name: str) -> None:
    del name


def test_every_pixel_says_what_became_of_it(files: PanopticFiles) -> None:
    examples, pictures = examples_of(files, measured(files), n=5, images=no_image)
    first, second = examples.images
    assert (first.id, second.id) == ("7", "8")
    assert (first.width, first.height, first.picture) == (6, 4, "")
    assert colours(pictures[first.layers["errors"]]) == OUTCOMES
    assert {pixel for row in colours(pictures[second.layers["errors"]]) for pixel in row} == {
        VOID,
        RIGHT,
    }
    # cat: 5 of 7 pixels, a false one; dog: one missed, one false; sky: 5 of 6 pixels.
    assert [first.numbers[name] for name in ("matched", "false", "missed")] == [2, 2, 1]
    assert first.numbers["SQ"] == pytest.approx((5 / 7 + 0 + 5 / 6) / 3)
    named = examples.about["colours"]
    assert list(named) == ["cat", "dog", "sky"]
    assert list(examples.about["outcomes"]) == [
        "edge of a matched segment",
        "missed segment",
        "false segment",
    ]
    shown = {pixel for row in OUTCOMES for pixel in row}
    assert set(examples.about["outcomes"].values()) == shown - {VOID, RIGHT}
    truth = colours(pictures[first.layers["truth"]])
    assert truth[0][0] == truth[1][2] == named["cat"]
    assert truth[3][3] != named["cat"]
    # Where a segment begins, there is a line, also between two of one class.
    assert truth[0][3] == colours(pictures[first.layers["predicted"]])[0][3] == "#141414"
    assert examples.rule == "the 2 of 2 images with the lowest PQ"
    assert (examples.order, examples.at_most) == ("the lowest PQ first", 5)


def test_what_lies_mostly_on_void_is_no_false_segment(tmp_path: Path) -> None:
    """Of the seven pixels of 9, six lie on void and a crowd: it is left out, whole."""
    pred = PRED.copy()
    pred[2, 2] = 9
    truth = write_panoptic(tmp_path, "t", {7: side(TRUTH)}, CATEGORIES)
    files = read_panoptic(truth, write_panoptic(tmp_path, "p", {7: side(pred)}))
    examples, pictures = examples_of(files, measured(files), n=1, images=no_image)
    (only,) = examples.images
    assert [only.numbers[name] for name in ("matched", "false", "missed")] == [2, 2, 1]
    # Its seventh is one that 8 lacks, which has 4 of the sky's 6.
    wanted = [row.copy() for row in OUTCOMES]
    wanted[2][2] = EDGE
    assert colours(pictures[only.layers["errors"]]) == wanted


def test_large_maps_are_made_small_and_pictures_are_found(tmp_path: Path) -> None:
    big = np.repeat(np.repeat(TRUTH, 100, 0), 100, 1)
    truth = write_panoptic(tmp_path, "t", {1: side(big)}, CATEGORIES)
    pred = write_panoptic(tmp_path, "p", {1: side(np.where(big == 4, 0, big))})
    files = read_panoptic(truth, pred)
    asked = []

    def image(name: str) -> bytes:
        asked.append(name)
        return png_bytes(np.zeros((400, 600, 3), np.uint8))

    examples, pictures = examples_of(files, measured(files), n=1, images=image)
    (only,) = examples.images
    assert asked == [Path(files.truth_maps[0]).stem]
    assert (only.width, only.height) == (600, 400)
    assert pictures[only.picture].startswith(b"\xff\xd8\xff")
    for layer in only.layers.values():
        assert Image.open(io.BytesIO(pictures[layer])).size == (240, 160)


def test_the_order_of_images_is_in_their_badness(tmp_path: Path) -> None:
    """Merging goes by it alone: of images of PQ 0 the one with more false and missed is worse."""
    one, two = np.zeros((2, 4), np.int64), np.zeros((2, 4), np.int64)
    one[0, 0] = 1
    two[0, 0], two[1, 3] = 1, 2
    nothing = np.zeros((2, 4), np.int64)
    right = np.full((2, 4), 3)
    truth = write_panoptic(
        tmp_path, "t", {1: side(one), 2: side(two), 3: side(nothing), 4: side(right)}, CATEGORIES
    )
    pred = write_panoptic(tmp_path, "p", dict.fromkeys((1, 2, 3), side(nothing)) | {4: side(right)})
    files = read_panoptic(truth, pred)
    examples, _ = examples_of(files, measured(files), n=4, images=no_image)
    assert [each.id for each in examples.images] == ["2", "1", "4", "3"]
    badness = [each.badness for each in examples.images]
    assert badness == sorted(set(badness), reverse=True)


def test_cityscapes_instances(tmp_path: Path) -> None:
    # 7 is road, 26001 and 26002 are cars, 26 a group of them, 0 unlabelled.
    truth = np.array([[7, 7, 26001, 26001], [7, 7, 26, 0]], np.uint16)
    pred = np.array([[7, 7, 26001, 26001], [7, 7, 26002, 26002]], np.uint16)
    for name, values in (("truth", truth), ("pred", pred)):
        folder = tmp_path / name / "aachen"
        folder.mkdir(parents=True)
        (folder / "aachen_000000_000019_gtFine_instanceIds.png").write_bytes(png_bytes(values))
    files = read_cityscapes_instances(
        tmp_path / "truth", tmp_path / "pred", scheme=scheme_of("cityscapes")
    )
    examples, pictures = examples_of(files, measured(files), n=5, images=no_image)
    (only,) = examples.images
    assert only.name == only.id == "aachen_000000_000019"
    assert colours(pictures[only.layers["errors"]]) == [
        [RIGHT] * 4,
        [RIGHT, RIGHT, VOID, VOID],
    ]


def test_what_the_page_says(files: PanopticFiles) -> None:
    run: Any = None
    found = parts(run, measured(files).compute())
    assert found.facts is not None
    assert found.facts.lines == (
        "1 of 2 segments of dog is missed (50%).",
        "1 of 3 segments predicted as cat is false (33%).",
        "1 of 2 segments predicted as dog is false (50%).",
        # (5 / 7 + 1) / 2, below (5 / 6 + 1) / 2.
        "Segments of cat that are found fit least: SQ 0.857.",
    )
    (images,) = found.own
    assert [row["image"] for row in images.records] == ["7", "8"]  # type: ignore[union-attr]
    # cat: 5 / 7 of 1.5, dog: 0, sky: 5 / 6.
    assert images.words.finding == "Lowest is 7: 0.437."


def test_nothing_to_say(tmp_path: Path) -> None:
    nothing = np.zeros((2, 2), np.int64)
    truth = write_panoptic(tmp_path, "t", {1: side(nothing)}, CATEGORIES)
    files = read_panoptic(truth, write_panoptic(tmp_path, "p", {1: side(nothing)}))
    run: Any = None
    found = parts(run, measured(files).compute())
    assert found.facts is None
    (images,) = found.own
    assert images.words.finding == "No image has segments that count."
