"""Masks as run lengths: cases worked by hand, every form of input, errors with their place."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from snellen import _core
from snellen.errors import InputError, SchemaError, ShapeError
from snellen.rle_masks import RleMasks
from snellen.tracking.mask_pairs import mask_pairs, refuse_other_sizes, refuse_overlaps

# Column by column: 1 1 0 | 0 1 1 | 0 0 0 | 0 0 1, so runs of 0 2 2 2 5 1.
PIXELS = np.array([[1, 0, 0, 0], [1, 1, 0, 0], [0, 1, 0, 1]], np.bool_)
RUNS = [0, 2, 2, 2, 5, 1]
# From the fourth on the difference from the run two before: 0 2 2 0 3 −1; −1 is the group 31, "O".
TEXT = b"02203O"
LEFT = np.array([[1, 0, 0, 0]] * 3, np.bool_)


def masks(*pixels: Any) -> RleMasks:
    return RleMasks.from_arrays(np.array(pixels))


def bounds(*values: int) -> Any:
    return np.array(values, np.int64)


@pytest.mark.parametrize(
    "given",
    [
        [{"size": [3, 4], "counts": TEXT}],
        [{"size": (3, 4), "counts": TEXT.decode()}],
        [{"size": np.array([3, 4]), "counts": RUNS}],
        PIXELS[np.newaxis],
        [PIXELS.tolist()],
        PIXELS[np.newaxis].astype(np.int64) * 256,  # which a cast to a byte would lose
    ],
)
def test_forms_of_a_mask(given: Any) -> None:
    found = RleMasks.of(given)
    assert found.runs.tolist() == RUNS
    assert found.offset.tolist() == [0, 6]
    assert found.size.tolist() == [[3, 4]]
    assert found.texts() == [TEXT]
    assert found.to_coco() == [{"size": [3, 4], "counts": TEXT}]
    assert np.array_equal(found.to_arrays(), PIXELS[np.newaxis])
    assert found.areas().tolist() == [5]
    assert found.boxes().tolist() == [[0, 0, 4, 3]]
    assert RleMasks.of(found) is found


def test_lists_and_texts_stay_in_their_order() -> None:
    found = RleMasks.of(
        [
            {"size": [1, 4], "counts": [4]},
            {"size": [3, 4], "counts": TEXT},
            {"size": [1, 3], "counts": [0, 3]},
            {"size": [2, 2], "counts": "22"},
        ]
    )
    assert found.size.tolist() == [[1, 4], [3, 4], [1, 3], [2, 2]]
    assert found.areas().tolist() == [0, 5, 3, 2]


def test_no_masks() -> None:
    for none in ([], np.zeros((0, 3, 4), np.bool_)):
        found = RleMasks.of(none)
        assert len(found) == 0
        assert found.areas().tolist() == found.texts() == []
        assert found.to_arrays().shape == (0, 0, 0)
    joined = RleMasks.joined([found, masks(PIXELS), found])
    assert joined.offset.tolist() == [0, 6]


def test_rows() -> None:
    three = masks(PIXELS, LEFT, ~PIXELS)
    for rows in (slice(1, 3), np.array([1, 2]), np.array([False, True, True]), slice(-2, None)):
        assert np.array_equal(three[rows].to_arrays(), [LEFT, ~PIXELS])
    assert np.array_equal(three[::-2].to_arrays(), [~PIXELS, PIXELS])
    assert len(three[5:]) == len(three[2:1]) == 0
    joined = RleMasks.joined([three[1:2], three])
    assert np.array_equal(joined.to_arrays(), [LEFT, PIXELS, LEFT, ~PIXELS])
    with pytest.raises(IndexError):
        three[np.array([3])]


def test_areas_and_boxes() -> None:
    # 70 × 3, a run from row 68 of column 0 to row 1 of column 2: all rows of column 1.
    found = RleMasks.from_runs([68, 2 + 70 + 2, 68, 210], [0, 3, 4], [[70, 3], [70, 3]])
    assert found.areas().tolist() == [74, 0]
    assert found.boxes().tolist() == [[0, 0, 3, 70], [0, 0, 0, 0]]


def test_sets() -> None:
    three = masks(PIXELS, LEFT, ~PIXELS)
    union = three.merged(bounds(0, 2, 2, 3))
    assert union.size.tolist() == [[3, 4], [0, 0], [3, 4]]
    assert np.array_equal(union[np.array([0, 2])].to_arrays(), [PIXELS | LEFT, ~PIXELS])
    both = three.merged(bounds(0, 2, 3), intersect=True)
    assert np.array_equal(both.to_arrays(), [PIXELS & LEFT, ~PIXELS])
    left = masks(PIXELS, LEFT).without(masks(LEFT, PIXELS))
    assert np.array_equal(left.to_arrays(), [PIXELS & ~LEFT, LEFT & ~PIXELS])


@pytest.mark.parametrize("kind", [np.bool_, np.uint8, np.int8, np.uint16, np.uint32, np.int64])
def test_label_maps(kind: Any) -> None:
    maps = np.array([[[0, 1], [1, 1]], [[0, 0], [0, 0]], [[1, 0], [1, 0]]], kind)
    found = RleMasks.from_labels(maps)
    assert found.image.tolist() == [0, 2]
    assert found.value.tolist() == [1, 1]
    assert np.array_equal(found.masks.to_arrays(), maps[[0, 2]] != 0)


def test_values_of_label_maps() -> None:
    found = RleMasks.from_labels(np.array([[[-5, 2**40], [0, -5]]]))
    assert found.value.tolist() == [-5, 2**40]
    assert found.masks.areas().tolist() == [2, 1]
    with pytest.raises(InputError, match=re.escape("below 2^63")):
        RleMasks.from_labels(np.full((1, 1, 1), 2**63, np.uint64))


def test_painted() -> None:
    # The later mask covers the earlier one; an image without masks is 0.
    both = masks(PIXELS, LEFT)
    first, second = both.painted(bounds(0, 2, 2), np.array([3, 700], np.uint16))
    assert np.array_equal(first, np.where(LEFT, 700, np.where(PIXELS, 3, 0)))
    assert not second.any()


@pytest.mark.parametrize(("height", "width"), [(1, 1), (8, 8), (9, 7), (64, 65), (130, 3)])
def test_pixels_there_and_back(height: int, width: int) -> None:
    random = np.random.default_rng(height)
    pixels = random.random((4, height, width)) < 0.5
    found = RleMasks.from_arrays(pixels)
    assert np.array_equal(found.to_arrays(), pixels)
    # Runs by the book: where the pixels of the columns change.
    flat = pixels[0].T.reshape(-1)
    ends = [*(np.flatnonzero(flat[1:] != flat[:-1]) + 1).tolist(), flat.size]
    wanted = np.diff([0, *ends]).tolist()
    assert found[0:1].runs.tolist() == ([0, *wanted] if flat[0] else wanted)


def test_pairs() -> None:
    # Frame 0: PIXELS (5) and LEFT (3) share 2 of 6; frame 1 has no truth; frame 2: nothing shared.
    truth = masks(PIXELS, ~LEFT)
    pred = masks(LEFT, ~PIXELS, PIXELS, LEFT)
    frames = bounds(0, 1, 1, 2), bounds(0, 2, 3, 4)
    for kind, value in (("iou", 2 / 6), ("ioa_truth", 2 / 5), ("ioa_pred", 2 / 3)):
        begin, other, similarity = mask_pairs(truth, pred, *frames, kind=kind)  # type: ignore[arg-type]  # one of them
        assert begin.tolist() == [0, 1, 1]
        assert other.tolist() == [0]
        assert similarity.tolist() == [value]


def test_sizes_of_a_frame() -> None:
    small, large = masks(PIXELS), masks(np.ones((5, 6), np.uint8))
    mixed = RleMasks.joined([small, large, large])
    frames = bounds(0, 1, 2), bounds(0, 2, 3)
    with pytest.raises(
        ShapeError,
        match=re.escape(
            "expected masks of one size in frame 7, got 3 × 4 (truth) and 5 × 6 (pred) - at a.txt"
        ),
    ):
        mask_pairs(mixed[:2], mixed, *frames, frame=[7, 9], place="a.txt")
    with pytest.raises(
        ShapeError, match=re.escape("in frame 0, got 3 × 4 (pred) and 5 × 6 (pred)")
    ):
        refuse_other_sizes(mixed[:0], mixed[:2], bounds(0, 0), bounds(0, 2))
    # Of different frames they may differ.
    mask_pairs(mixed[:2], mixed[:2], bounds(0, 1, 2), bounds(0, 1, 2))
    # The kernel does not rely on it.
    arrays = [(side.runs, side.offset, side.size) for side in (mixed[:2], mixed)]
    with pytest.raises(ValueError, match="one size"):
        _core.mask_pairs(*frames, *arrays[0], *arrays[1], "iou")


def test_one_size() -> None:
    assert masks(PIXELS, LEFT).one_size() == (3, 4)
    with pytest.raises(ShapeError, match=re.escape("got 3 × 4 and 1 × 1 - at mask[1]")):
        RleMasks.joined([masks(PIXELS), masks([[1]])]).to_arrays()
    with pytest.raises(ShapeError, match="not known"):
        RleMasks.of([]).one_size()


def test_overlaps() -> None:
    # Frame 4 has PIXELS and its complement; frame 5 LEFT twice after another; frame 6 likewise.
    found = masks(PIXELS, ~PIXELS, ~LEFT, LEFT, LEFT, LEFT, LEFT)
    begin, track = bounds(0, 2, 5, 7), np.array([1, 2, 3, 11, 12, 20, 21])
    with pytest.raises(
        InputError,
        match=re.escape(
            "got ids 11 and 12 that do in frame 5; so do masks in 1 other frames: give each pixel "
            "to one object - at pred.txt"
        ),
    ):
        refuse_overlaps(found, begin, track, frame=[4, 5, 6], place="pred.txt")
    region = np.array([0, 0, 0, 1, 1, 0, 1], np.uint8)
    with pytest.raises(InputError, match="ids 20 and 21 that do in frame 2:"):
        refuse_overlaps(found, begin, track, region=region)
    region[5] = 1
    refuse_overlaps(found, begin, track, region=region)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([{"size": [3, 4]}], 'with "size" and "counts", got \'size\' - at mask[0]'),
        ([{"size": [3, 4], "counts": TEXT}, 7], 'with "size" and "counts", got 7 - at mask[1]'),
        ([{"size": [3], "counts": TEXT}], "size of height and width, got [3] - at mask[0]"),
        ([{"size": [3, 4.5], "counts": TEXT}], "got [3, 4.5]"),
        ([{"size": [-3, 4], "counts": TEXT}], "got [-3, 4]"),
        ([{"size": [3, float("inf")], "counts": TEXT}], "got [3, inf] - at mask[0]"),
        ([{"size": [float("nan"), 4], "counts": TEXT}], "got [nan, 4] - at mask[0]"),
        ([{"size": [2**16, 2**16], "counts": TEXT}], "2^32 pixels, got 4294967296 - at mask[0]"),
        ([{"size": [1, 1], "counts": None}], "as text or as a list of whole numbers, got None"),
        ([{"size": [1, 1], "counts": [[1]]}], "got [[1]]"),
        ([{"size": [1, 1], "counts": [-1, 2]}], "runs from 0 on"),
        ([{"size": [1, 1], "counts": [2**32]}], "below 2^32"),
        ([{"size": [3, 4], "counts": [5, 6]}], "of together 12 pixels, got 11 - at mask[0]"),
        (
            [{"size": [1, 1], "counts": [1]}, {"size": [3, 4], "counts": "02/"}],
            'characters "0" … "o" of run lengths, got "/" - at mask[1] character 3',
        ),
        ([{"size": [3, 4], "counts": TEXT[:-1]}], "got 11 - at mask[0] character 6"),
        ([{"size": [3, 4], "counts": "0220o"}], "cut off - at mask[0] character 6"),
        ([{"size": [3, 4], "counts": "é"}], 'got "\\xc3" - at mask[0] character 1'),
    ],
)
def test_what_is_no_coco_mask(given: Any, message: str) -> None:
    with pytest.raises(SchemaError, match=re.escape(message)):
        RleMasks.of(given)


@pytest.mark.parametrize(
    ("runs", "offset", "size", "message"),
    [
        # 2^32 + 3 and 2 would come as 3 and 2, 3.7 as 3, and fit.
        ([2**32 + 3, 2], [0, 2], [[1, 5]], "expected runs from 0 on, below 2^32 - at mask"),
        ([3.7, 2], [0, 2], [[1, 5]], "as a list of whole numbers, got [3.7, 2] - at mask"),
        (np.array([-1, 6]), [0, 2], [[1, 5]], "expected runs from 0 on, below 2^32 - at mask"),
        (["3", "2"], [0, 2], [[1, 5]], "as a list of whole numbers, got ['3', '2'] - at mask"),
        ([[3, 2]], [0, 2], [[1, 5]], "as a list of whole numbers, got [[3, 2]] - at mask"),
        ([3, 2], [0, 2.5], [[1, 5]], "that ascend from 0 to 2, the number of runs, got [0, 2.5]"),
        ([3, 2], [0, 3], [[1, 5]], "got [0, 3] - at offset of mask"),
        ([3, 2], [0, 2, 1, 2], [[1, 5]] * 3, "got [0, 2, 1, 2] - at offset of mask"),
        ([3, 2], np.array([0, 2**64 - 1, 2], np.uint64), [[1, 5]] * 2, "- at offset of mask"),
        ([3, 2], [], [], "got [] - at offset of mask"),
        ([3, 2], [[0], [1, 2]], [[1, 5]], "got [[0], [1, 2]] - at offset of mask"),
        ([3, 2], 2, [[1, 5]], "got 2 - at offset of mask"),
        ([3, 2], [0, 2], [[1, 5.5]], "whole numbers, once or for each of 1 objects, got shape"),
        ([3, 2], [0, 2], [[2**32 + 1, 5]], "of less than 2^32 pixels - at size of mask"),
        ([3, 2], [0, 2], [[-1, 5]], "expected heights and widths from 0 on"),
        ([3, 2], [0, 2], [[1, 5], [1, 5]], "for each of 1 objects, got shape (2, 2) of int64"),
        ([3, 2], [0, 2], [[1, 4]], "of together 4 pixels, got 5 - at mask[0]"),
    ],
)
def test_what_are_no_joined_runs(runs: Any, offset: Any, size: Any, message: str) -> None:
    with pytest.raises(SchemaError, match=re.escape(message)):
        RleMasks.from_runs(runs, offset, size)


@pytest.mark.parametrize(
    ("texts", "size", "message"),
    [
        ([TEXT], [[2**32 + 3, 4]], "of less than 2^32 pixels - at size of mask"),
        ([TEXT], [[3.9, 4.9]], "got shape (1, 2) of float64 - at size of mask"),
        ([TEXT], [[-3, 4]], "expected heights and widths from 0 on"),
        ([TEXT], [[3, 4], [3, 4]], "for each of 1 objects, got shape (2, 2) of int64"),
        ([TEXT.decode()], [[3, 4]], "expected run lengths as bytes: sequence item 0"),
        (TEXT, [3, 4], "expected run lengths as bytes: sequence item 0"),
    ],
)
def test_what_are_no_texts(texts: Any, size: Any, message: str) -> None:
    with pytest.raises(SchemaError, match=re.escape(message)):
        RleMasks.from_texts(texts, size)


def test_joined_runs_and_texts_of_images_of_one_size() -> None:
    runs = RleMasks.from_runs(
        np.array([*RUNS, 12], np.int16), np.array([0, 6, 7], np.uint8), [3, 4]
    )
    texts = RleMasks.from_texts([TEXT, b"<"], (3, 4))
    for found in (runs, texts):
        assert found.size.tolist() == [[3, 4], [3, 4]]
        assert found.areas().tolist() == [5, 0]
    assert len(RleMasks.from_runs([], [0], [])) == len(RleMasks.from_texts([], [])) == 0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"size": [3, 4], "counts": TEXT}, "a single one: put it in a list"),
        (PIXELS, "masks (n, height, width), got shape (3, 4)"),
        (7, "got shape ()"),
        (PIXELS[np.newaxis] * 1.0, "flags or whole numbers, got float64"),
    ],
)
def test_what_are_no_masks(given: Any, message: str) -> None:
    with pytest.raises(InputError, match=re.escape(message)):
        RleMasks.of(given)


SQUARE = [1, 1, 1, 3, 3, 3, 3, 1]  # columns 1 and 2, rows 1 and 2
BESIDE = [[3, 0], [5, 0], [5, 1], [3, 1]]  # columns 3 and 4, row 0


@pytest.mark.parametrize("size", [(4, 5), [[4, 5], [4, 5]], np.array([4, 5], np.uint16)])
def test_polygons(size: Any) -> None:
    found = RleMasks.from_polygons([[SQUARE, BESIDE], (np.array(SQUARE, np.float32),)], size)
    assert found.size.tolist() == [[4, 5], [4, 5]]
    assert found.runs.tolist() == [5, 2, 2, 2, 1, 1, 3, 1, 3, 5, 2, 2, 2, 9]
    assert found.boxes().tolist() == [[1, 0, 4, 3], [1, 1, 2, 2]]
    assert found.to_coco() == RleMasks.of(found.to_coco()).to_coco()


def test_polygons_of_images_of_different_sizes() -> None:
    found = RleMasks.from_polygons([[SQUARE], [SQUARE], [SQUARE, BESIDE]], [[4, 5], [2, 2], [1, 4]])
    assert found.areas().tolist() == [4, 1, 1]
    assert found.texts() == [b"52207", b"31", b"31"]


def test_no_polygons() -> None:
    found = RleMasks.from_polygons([], (4, 5))
    assert (len(found), found.size.shape, found.runs.dtype) == (0, (0, 2), np.uint32)


@pytest.mark.parametrize(
    ("polygons", "message"),
    [
        ([[SQUARE], []], "expected at least one polygon, got none - at polygons[1]"),
        ([[SQUARE, SQUARE[:4]]], "between -2e8 and 2e8, got 2 vertices - at polygons[0][1]"),
        ([[SQUARE], [SQUARE, []]], "got 0 vertices - at polygons[1][1]"),
        ([[SQUARE[:7]]], "expected the numbers x, y, x, y … of a polygon, got [1, 1, 1, 3, 3"),
        ([[SQUARE], [[np.nan, *SQUARE[1:]]]], "2e8, got another - at polygons[1][0]"),
        ([[SQUARE, [*SQUARE[:7], np.inf]]], "2e8, got another - at polygons[0][1]"),
        ([[SQUARE], [SQUARE, [1e300, *SQUARE[1:]]]], "2e8, got another - at polygons[1][1]"),
        ([[["a", *SQUARE[1:]]]], "of a polygon, got ['a', 1"),
        ([[[None, *SQUARE[1:]]]], "of a polygon, got [None, 1"),
        ([[[True] * 6]], "of a polygon, got [True"),
        ([SQUARE], "expected the numbers x, y, x, y … of a polygon, got 1 - at polygons[0][0]"),
        ([[[[1, 2, 3], [4, 5, 6], [7, 8, 9]]]], "of a polygon, got [[1, 2, 3]"),
        ([[[[1, 2], [4, 5, 6], [7, 8, 9]]]], "of a polygon, got [[1, 2], [4"),
    ],
)
def test_what_are_no_polygons(polygons: Any, message: str) -> None:
    with pytest.raises(SchemaError, match=re.escape(message)):
        RleMasks.from_polygons(polygons, (4, 5))


@pytest.mark.parametrize(
    "size",
    [(4,), (4, 5, 6), [[4, 5]] * 3, [4, (5, 6)], (4.0, 5), (-4, 5), (2**16, 2**16), (2**70, 1)],
)
def test_what_are_no_sizes_of_images(size: Any) -> None:
    with pytest.raises(SchemaError, match=r"expected height.* - at size of polygons"):
        RleMasks.from_polygons([[SQUARE], [SQUARE]], size)


def test_rows_in_the_place_of_others() -> None:
    random = np.random.default_rng(3)
    pixels = random.random((9, 5, 7)) < 0.5
    pixels[4] = False
    marked = np.array([0, 1, 1, 0, 0, 1, 0, 0, 1], np.bool_)
    for chosen in (marked, np.zeros(9, np.bool_), np.ones(9, np.bool_)):
        others = random.random((int(chosen.sum()), 5, 7)) < 0.5
        wanted = pixels.copy()
        wanted[chosen] = others
        found = RleMasks.from_arrays(pixels).replaced(chosen, RleMasks.from_arrays(others))
        assert (found.to_arrays() == wanted).all()
        assert found.size.tolist() == [[5, 7]] * 9


def test_extents_are_areas_and_boxes() -> None:
    found = RleMasks.from_arrays(np.random.default_rng(4).random((3000, 4, 6)) < 0.3)
    assert found.extents.area.tobytes() == found.areas().tobytes()
    assert found.extents.box.tobytes() == found.boxes().tobytes()
    bad = RleMasks(found.runs, found.offset, found.size + 1)
    with pytest.raises(ValueError, match="expected runs of together 35 pixels, got 24 in row 0"):
        _ = bad.extents


def test_kernels_do_not_leave_their_arrays() -> None:
    runs, offset, size = masks(PIXELS).runs, bounds(0, 6), np.array([[3, 4]], np.int32)
    for bad_offset in (bounds(0, 7), bounds(1, 6), bounds(0, 7, 6), bounds()):
        with pytest.raises(ValueError, match="ascend from 0 to 6"):
            _core.rle_areas(runs, bad_offset)
    with pytest.raises(ValueError, match="got 12 in row 0"):
        _core.rle_boxes(runs, offset, np.array([[3, 3]], np.int32))
    with pytest.raises(ValueError, match="from 0 on"):
        _core.rle_boxes(runs, offset, np.array([[-3, -4]], np.int32))
    with pytest.raises(ValueError, match="rows below 1"):
        _core.take_rle(runs, offset, bounds(1))
    with pytest.raises(ValueError, match="1 rows of the other masks, got 0"):
        _core.replace_rle(runs, offset, runs[:0], bounds(0), np.ones(1, np.uint8))
    with pytest.raises(ValueError, match="1 rows of marked, got 2"):
        _core.replace_rle(runs, offset, runs, offset, np.ones(2, np.uint8))
    with pytest.raises(ValueError, match="one size"):
        _core.paint_rle(runs, offset, size, bounds(0, 1), np.ones(1, np.uint8), 4, 3)
    with pytest.raises(ValueError, match="begins of images"):
        _core.paint_rle(runs, offset, size, bounds(0, 2), np.ones(1, np.uint8), 3, 4)
