"""The mask API of the shim is that of pycocotools 2.0.11: bytes, types, order, exceptions."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snellen import set_threads
from snellen.compat.pycocotools import _mask as our_module
from snellen.compat.pycocotools import mask as ours
from snellen.errors import SnellenError
from snellen.rle_masks import RleMasks

theirs = pytest.importorskip("pycocotools.mask")
their_module = pytest.importorskip("pycocotools._mask")
# Of pycocotools 2.0.11 under NumPy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

Call = Callable[[Any, Any], Any]  # of the module `mask` and of the one that is compiled


def said(call: Call, *modules: Any) -> Any:
    """Return what a call gives, or the type of what it raises."""
    try:
        return call(*modules)
    except Exception as error:
        return type(error)


def described(value: Any) -> Any:
    """Return what can be compared: of arrays the kind of numbers, the order and the bytes."""
    if isinstance(value, np.ndarray):
        order = value.flags.c_contiguous, value.flags.f_contiguous, value.flags.writeable
        if value.dtype.kind == "f":  # the sign of what is no number says nothing
            value = np.where(np.isnan(value), np.nan, value)
        return type(value), value.dtype, value.shape, order, value.tobytes(order="A")
    if isinstance(value, np.generic):
        return type(value), value.tobytes()
    if isinstance(value, list):
        return [described(each) for each in value]
    if isinstance(value, dict):
        return {key: described(each) for key, each in value.items()}
    return type(value), value


def assert_same(call: Call) -> None:
    assert described(said(call, ours, our_module)) == described(said(call, theirs, their_module))


RLE = {"size": [3, 4], "counts": b"02203O"}
FULL = {"size": [3, 4], "counts": b"0<"}
OTHER = {"size": [4, 3], "counts": b"0<"}
POLYGON = [0.0, 0, 3, 0, 3, 3]
BOXES = np.array([[0.0, 0, 2, 2], [1, 1, 3, 2.5]])
NUMBERS = [0, 0, 3, 0, 3, 3, 1, 2]

PIXELS: dict[str, Any] = {
    **{f"of {kind}": np.zeros((2, 3), kind, order="F") for kind in (
        "bool", "int8", "uint8", "int64", "float32", "float64", "uint16", ">i2", "S1", "O", "V1",
        "c16", "M8[s]", "U1", "float16", "longdouble", "u1,u1",
    )},
    "C": np.zeros((2, 3), np.uint8),
    "C of int": np.zeros((2, 3), np.int64),
    "3 axes": np.asfortranarray(np.arange(24, dtype=np.uint8).reshape(2, 4, 3) % 3),
    "3 axes C": np.zeros((2, 3, 2), np.uint8),
    "one row C": np.ones((1, 5), np.uint8),
    "one pixel C": np.ones((1, 1, 1), np.uint8),
    "every other row": np.zeros((4, 3), np.uint8, order="F")[::2],
    "some columns": np.ones((4, 6), np.uint8, order="F")[:, 2:4],
    "turned round": np.ones((4, 6), np.uint8, order="F")[:, ::-1],
    "transposed": np.ones((4, 6), np.uint8).T,
    "of no masks": np.zeros((2, 3, 0), np.uint8),
    "of no pixels": np.zeros((0, 0), np.uint8),
    "of no rows": np.zeros((0, 3, 2), np.uint8),
    "1 axis": np.zeros(2, np.uint8),
    "4 axes": np.zeros((2, 3, 1, 1), np.uint8, order="F"),
    "other values": np.array([[0, 1], [2, 2]], np.uint8, order="F"),
    "a list": [[0, 1]],
    "nothing": None,
}  # fmt: skip


@pytest.mark.parametrize("pixels", PIXELS.values(), ids=PIXELS.keys())
def test_encode(pixels: Any) -> None:
    assert_same(lambda mask, _: mask.encode(pixels))
    if pixels is not None:
        assert_same(lambda _, module: module.encode(pixels))


def test_a_run_ends_where_the_value_changes() -> None:
    assert ours.encode(PIXELS["other values"])["counts"] == b"1110"


SIZES: dict[str, Any] = {
    "floats": [3.0, 4.0], "fractions": [3.7, 4.2], "texts": ["3", "4"], "None": [None, 1],
    "negative": [-1, 4], "short": [3], "long": [3, 4, 5], "tuple": (3, 4),
    "array": np.array([3, 4]), "array of floats": np.array([3.0, 4.0]),
    "large": [2**64, 1], "flags": [True, False],
    "nan": [math.nan, 1], "inf": [math.inf, 3], "none at all": None, "dict": {0: 3, 1: 4},
    "text": "34", "0-d": [np.array(3), 4], "1-d": [np.array([3]), 4], "complex": [3j, 4],
    "float32": [np.float32(3.5), 4], "int64": [np.int64(3), np.int32(4)],
}  # fmt: skip
COUNTS: dict[str, Any] = {
    "None": None, "number": 3, "bytearray": bytearray(b"02"), "np.bytes_": np.bytes_(b"0"),
    "np.str_": np.str_("0"), "list": [1, 2], "view": memoryview(b"00"), "surrogate": "\ud800",
    "text": "02203O", "empty": b"", "empty text": "", "0 within": b"0220\x003O",
}  # fmt: skip
MASKS: dict[str, Any] = {
    **{f"size of {name}": {"size": size, "counts": b"02203O"} for name, size in SIZES.items()},
    **{f"counts of {name}": {"size": [3, 4], "counts": each} for name, each in COUNTS.items()},
    "no counts": {"size": [3, 4]},
    "no size": {"counts": b"0"},
    "neither": {},
    "more": {**RLE, "id": 3},
    "None": None,
    "a number": 7,
    "a text": "02203O",
    "a list": [3, 4],
    "a tuple of masks": (RLE, RLE),
}


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS.keys())
def test_masks_of_any_make(mask: Any) -> None:
    lists = [[mask], [RLE, mask], [mask, RLE]]
    for each in (mask, *lists):
        assert_same(lambda module, _, each=each: module.area(each))
        assert_same(lambda module, _, each=each: module.toBbox(each))
        # Of runs that end before the image pycocotools decodes memory, and compares them for ever.
        if not isinstance(mask, dict) or mask.get("counts") not in (b"", "", COUNTS["0 within"]):
            assert_same(lambda module, _, each=each: module.decode(each))
            assert_same(lambda module, _, each=each: module.iou(each, [FULL], [0]))
            assert_same(lambda module, _, each=each: module.iou([FULL], each, [0]))
    assert_same(lambda module, _: module.merge([mask]))
    assert_same(lambda _, module: module.area((RLE, RLE)))
    assert_same(lambda _, module: module.toBbox(tuple(lists[0])))


CALLS: dict[str, Call] = {
    "area of none": lambda mask, _: mask.area([]),
    "boxes of none": lambda mask, _: mask.toBbox([]),
    "merge none": lambda mask, _: mask.merge([]),
    "merge one": lambda mask, _: mask.merge([RLE]),
    "merge a dict": lambda mask, _: mask.merge(RLE),
    "merge": lambda mask, _: mask.merge([RLE, FULL]),
    "merge sizes": lambda mask, _: mask.merge([RLE, OTHER]),
    "merge sizes last": lambda mask, _: mask.merge([RLE, RLE, OTHER], True),
    "merge a tuple": lambda mask, _: mask.merge((RLE, FULL), intersect=1),
    "merge by name": lambda mask, _: mask.merge(rleObjs=[RLE], intersect=1),
    "merge a generator": lambda mask, _: mask.merge(each for each in [RLE]),
    "area of a generator": lambda _, module: module.area(each for each in [RLE]),
    "decode sizes": lambda mask, _: mask.decode([RLE, OTHER]),
    "decode more": lambda mask, _: mask.decode({"size": [3, 4], "counts": b"0="}),
    "decode into the next": lambda mask, _: mask.decode(
        [{"size": [1, 4], "counts": b"06"}, {"size": [1, 4], "counts": b"02"}]
    ),
    "decode short, then full": lambda mask, _: mask.decode(
        [{"size": [1, 4], "counts": b"12"}, {"size": [1, 4], "counts": b"15"}]
    ),
    "encode by name": lambda mask, _: mask.encode(bimask=np.zeros((2, 2), np.uint8, order="F")),
    "iou by name": lambda mask, _: mask.iou(dt=[RLE], gt=[FULL], pyiscrowd=[1]),
    "objects by name": lambda mask, _: mask.frPyObjects(pyobj=[POLYGON], h=3, w=4),
    "box": lambda mask, _: mask.toBbox(FULL),
    "no pixels, two runs": lambda mask, _: mask.toBbox({"size": [3, 4], "counts": b"003"}),
    "no pixels, three runs": lambda mask, _: mask.toBbox({"size": [3, 4], "counts": b"30908"}),
    "beyond the image": lambda mask, _: mask.toBbox({"size": [3, 4], "counts": b"5f2"}),
    **{
        f"intersect {how!r}": lambda mask, _, how=how: mask.merge([RLE, FULL], how)
        for how in (True, 1.0, 0.5, None, "a", np.True_, 2, 2**40, -1, np.array([1]), np.array(1))
    },
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_single_calls(call: Call) -> None:
    assert_same(call)


@pytest.mark.skipif(np.__version__ < "2", reason="NumPy 1 makes a byte of any number")
def test_areas_of_many() -> None:
    """Under NumPy 2 pycocotools cannot count to 256."""
    assert ours.area([RLE] * 255).tobytes() == theirs.area([RLE] * 255).tobytes()
    assert ours.area([RLE] * 256).tolist() == [5] * 256
    with pytest.raises(OverflowError):
        theirs.area([RLE] * 256)


HEIGHTS_AND_WIDTHS: dict[str, Any] = {
    "floats": (3.0, 4.0), "fractions": (3.5, 4), "None": (None, 4), "negative": (-3, 4),
    "text": ("3", 4), "numpy": (np.int64(3), np.int32(4)), "float64": (np.float64(3), 4),
    "0-d": (np.array(3), 4), "flags": (True, True), "large": (2**64, 1), "no pixels": (0, 0),
    "no width": (3, 0), "no height": (0, 3), "2^32 pixels": (2**16, 2**16), "more": (2**17, 2**17),
}  # fmt: skip


@pytest.mark.parametrize("size", HEIGHTS_AND_WIDTHS.values(), ids=HEIGHTS_AND_WIDTHS.keys())
def test_sizes_of_images(size: Any) -> None:
    runs = {"size": [3, 4], "counts": [3, 9]}
    wide = [1e5, 1e5, 2e5, 1e5, 2e5, 131071.0, 1e5, 131071.5]
    for each in ([POLYGON], [wide, POLYGON], BOXES, runs, [[0, 0, 2, 2]], [], None):
        assert_same(lambda mask, _, each=each: mask.frPyObjects(each, *size))


OBJECTS: dict[str, Any] = {
    **{f"flat {k}": NUMBERS[:k] for k in range(9)},
    **{f"nested {k}": [NUMBERS[:k]] for k in range(9)},
    **{f"second {k}": [POLYGON, NUMBERS[:k]] for k in range(9)},
    **{f"{k} short ones": [NUMBERS[:1]] * k for k in range(7)},
    **{f"{k} empty ones": [[]] * k for k in range(7)},
    **{f"{k} polygons": [POLYGON] * k for k in range(6)},
    "empty dict": {}, "None": None, "tuple": (POLYGON,), "tuples": [tuple(POLYGON)],
    "text": "abcdef",
    "arrays": [np.array(POLYGON)], "float32": [np.array(POLYGON, np.float32)], "texts": ["abcdef"],
    "array of two axes": [np.array(POLYGON * 2).reshape(6, 2)], "Nones": [[None] * 6],
    "numbers as text": [["1", "2", "3", "2", "3", "6"]], "pairs": [[[0, 0], [3, 0], [3, 3]] * 2],
    "ragged": [[0, 0, [3], 0, 3, 3]], "complex": [[0, 0, 3j, 0, 3, 3]], "flags": [[True] * 6],
    "every other": [np.arange(12.0)[::2]], "range": [range(6)], "nan": [[math.nan] * 6],
    "inf": [[math.inf] * 8], "large": [[1e300] * 8], "big ints": [[10**400] * 6],
    "boxes": BOXES, "float32 boxes": BOXES.astype(np.float32), "int boxes": BOXES.astype(int),
    "one box": BOXES[0], "three axes": np.zeros((2, 4, 1)), "no boxes": np.zeros((0, 4)),
    "none of seven": np.zeros((0, 7)), "big-endian": BOXES.astype(">f8"),
    "flags as boxes": np.zeros((2, 4), bool), "objects": np.zeros((2, 4), object),
    "Fortran": np.asfortranarray(BOXES),
    "of five": np.arange(10.0).reshape(2, 5), "part of five": np.arange(10.0).reshape(2, 5)[:, :4],
    "every other box": np.arange(16.0).reshape(4, 4)[::2], "nan boxes": np.full((2, 4), np.nan),
    "negative": np.array([[5.0, 5, -3, -3], [-2, -2, 5, 4], [1, 1, 0, 3], [2.5, 1.5, 1e6, 1e6]]),
    "subclass": BOXES.view(np.recarray), "list of boxes": BOXES.tolist(), "box": BOXES[0].tolist(),
    "dict of four": [{"size": [3, 4], "counts": [3, 9], "a": 1, "b": 2}],
    "dict of five": [{"size": [3, 4], "counts": [3, 9], "a": 1, "b": 2, "c": 3}],
    "dict of five alone": {"size": [3, 4], "counts": [3, 9], "a": 1, "b": 2, "c": 3},
    "second without counts": [{"size": [3, 4], "counts": [3, 9]}, {"size": [3, 4]}],
    "second a number": [{"size": [3, 4], "counts": [3, 9]}, 7], "size alone": {"size": [3, 4]},
    **{f"runs of size {name}": {"size": size, "counts": [3, 9]} for name, size in SIZES.items()},
    **{
        f"runs {counts!r}": {"size": [3, 4], "counts": counts}
        for counts in (
            [3, -1], [3.5, 8.5], "abc", b"abc", ["3", "9"], [[3, 9]], [], None, [2**32], [None],
            (3, 9), np.array([3, 9]), [True, False], [math.nan], 3, np.array([-1, 3]), [0, 0, 12],
            [2**32 - 1, 5, 1], [3, 0, 0, 9, 2**31],
        )
    },
}  # fmt: skip


@pytest.mark.parametrize("objects", OBJECTS.values(), ids=OBJECTS.keys())
# What NumPy says of numbers that it cannot convert it says to both.
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_objects(objects: Any) -> None:
    for h, w in ((30, 30), (3, 4)):
        assert_same(lambda mask, _, h=h, w=w: mask.frPyObjects(objects, h, w))
        for name in ("frPoly", "frUncompressedRLE", "frBbox"):
            if name == "frBbox" and objects is None:  # pycocotools takes its address
                continue
            assert_same(lambda _, module, h=h, w=w, name=name: getattr(module, name)(objects, h, w))


@st.composite
def pixel_stacks(draw: Any, most: int = 5) -> Any:
    """Draw stacks (h, w, n) in Fortran's order: few values, long runs or noise."""
    height, width, n = (
        draw(st.integers(0, 30)),
        draw(st.integers(0, 30)),
        draw(st.integers(0, most)),
    )
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    values = draw(st.sampled_from([2, 3, 256]))
    stack = random.integers(0, values, (height, width, n)).astype(np.uint8)
    keep = draw(st.sampled_from([0.0, 0.5, 0.9, 1.0]))
    stack[random.random(stack.shape) < keep] = draw(st.sampled_from([0, 1, values - 1]))
    return np.asfortranarray(stack.astype(draw(st.sampled_from([np.uint8, np.bool_]))))


@given(pixel_stacks())
def test_any_pixels(stack: Any) -> None:
    assert_same(lambda mask, _: mask.encode(stack))
    assert_same(lambda mask, _: [mask.encode(stack[:, :, i]) for i in range(stack.shape[2])])
    found = ours.encode(stack)
    if found:
        assert_same(lambda mask, _: mask.decode(found))
        assert_same(lambda mask, _: mask.decode(found[0]))
    assert_same(lambda mask, _: mask.area(found))
    if stack.shape[0]:  # else pycocotools divides by 0
        assert_same(lambda mask, _: mask.toBbox(found))


# Coordinates on and beside the middles of pixels and of the grid, in and far out of the image.
COORDINATES = st.one_of(
    st.integers(-300, 300).map(lambda tenth: tenth / 10),
    st.floats(-30, 60),
    st.integers(-20, 50).map(float),
    st.sampled_from([0.0, -0.0, 1e4, -1e4, 1e5 + 0.3, 0.1, 0.09999999999999999, -0.1, 29.5, 30.0]),
)


@st.composite
def polygons(draw: Any) -> list[float]:
    """Draw the numbers of a polygon, some vertices twice, some edges along an axis."""
    vertices = draw(st.lists(st.tuples(COORDINATES, COORDINATES), max_size=9))
    for how in draw(st.lists(st.sampled_from(["twice", "close", "x", "y"]), max_size=4)):
        if not vertices:
            break
        i = draw(st.integers(0, len(vertices) - 1))
        x, y = vertices[i]
        if how == "twice":
            vertices.insert(i, (x, y))
        elif how == "close":
            vertices.append(vertices[0])
        elif how == "x":
            vertices.insert(i + 1, (x, draw(COORDINATES)))
        else:
            vertices.insert(i + 1, (draw(COORDINATES), y))
    flat = [each for vertex in vertices for each in vertex]
    return [*flat, 1.0] if draw(st.booleans()) else flat


@settings(max_examples=200)
@given(st.lists(polygons(), max_size=4), st.integers(0, 40), st.integers(0, 40))
def test_any_polygons(drawn: Any, height: int, width: int) -> None:
    assert_same(lambda _, module: module.frPoly(drawn, height, width))
    assert_same(lambda mask, _: mask.frPyObjects(drawn, height, width))


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32), st.integers(3, 400))
def test_polygons_of_many_vertices(seed: int, n: int) -> None:
    random = np.random.default_rng(seed)
    spread = random.choice([3.0, 60.0, 400.0])
    polygon = random.normal(100, spread, 2 * n)
    assert_same(lambda mask, _: mask.frPyObjects([polygon], 240, 320))


@given(st.lists(st.lists(COORDINATES, min_size=4, max_size=4), max_size=6), st.integers(0, 40))
def test_any_boxes(drawn: Any, height: int) -> None:
    boxes = np.array(drawn, np.float64).reshape(-1, 4)
    assert_same(lambda mask, _: mask.frPyObjects(boxes, height, 30))


@settings(max_examples=60)
@given(
    st.lists(
        st.lists(polygons().filter(lambda each: len(each) >= 6), min_size=1, max_size=3), max_size=3
    )
)
def test_polygons_of_objects(drawn: Any) -> None:
    """What annToRLE makes of the polygons of an object, all objects at once."""
    drawn = [[each[: len(each) // 2 * 2] for each in shapes] for shapes in drawn]
    wanted = [theirs.merge(theirs.frPyObjects(shapes, 25, 30)) for shapes in drawn]
    for threads in (1, 3):
        set_threads(threads)
        try:
            found = RleMasks.from_polygons(drawn, (25, 30))
        finally:
            set_threads(None)
        assert found.to_coco() == wanted


# A character is worth up to 31 · 32^k, so a few of them write numbers far beyond any image. A text
# that ends within a number is read beyond its end by pycocotools: the last character ends one.
@st.composite
def texts(draw: Any) -> bytes:
    characters = draw(st.sampled_from([(48, 111), (48, 79), (46, 113), (1, 255)]))
    found = bytes(draw(st.lists(st.integers(*characters), max_size=30)))
    return found + bytes([draw(st.integers(48, 79))])


@settings(max_examples=500)
@given(st.lists(texts(), min_size=1, max_size=3), st.integers(1, 5), st.integers(0, 9))
def test_any_texts(drawn: Any, height: int, width: int) -> None:
    masks = [{"size": [height, width], "counts": each} for each in drawn]
    assert_same(lambda mask, _: mask.area(masks))
    assert_same(lambda mask, _: mask.toBbox(masks))
    for mask in masks:
        # A run has room for six characters in pycocotools' memory.
        if len(ours.merge([mask])["counts"]) < 6 * len(runs_of(mask["counts"])):
            assert_same(lambda module, _, mask=mask: module.merge([mask]))
    total = sum(sum(runs_of(each)) for each in drawn)
    pixels = said(lambda mask, _: mask.decode(masks), ours, None)
    known = said(lambda mask, _: mask.decode(masks), theirs, None)
    if isinstance(pixels, type):
        assert pixels is known is ValueError
    else:
        # Behind the last run pycocotools leaves what was in memory before.
        assert pixels.ravel(order="F")[:total].tobytes() == known.ravel(order="F")[:total].tobytes()
        assert not pixels.ravel(order="F")[total:].any()


def runs_of(text: bytes) -> list[int]:
    """Return the runs of a text, written down anew, as numbers of 32 bits."""
    runs: list[int] = []
    at = 0
    while at < len(text):
        value, shift = 0, 0
        while True:
            group = (text[at] - 48) % 256
            at += 1
            value |= ((group & 31) << (shift % 32)) % 2**32
            shift += 5
            if not group & 32:
                break
        if group & 16:
            value |= (2**32 - 1) << (shift % 32) & (2**32 - 1)
        if len(runs) > 2:
            value += runs[-2]
        runs.append(value % 2**32)
    return runs


@st.composite
def masks_of_one_size(draw: Any, n_sides: int) -> Any:
    """Draw lists of masks whose runs sum up to the image, some of them 0.

    No more runs in all than pixels: pycocotools has no more room when it merges them.
    """
    height, width = draw(st.integers(6, 12)), draw(st.integers(6, 12))
    sides = []
    for _ in range(n_sides):
        side = []
        for _ in range(draw(st.integers(0, 4))):
            cuts = sorted(draw(st.lists(st.integers(0, height * width), max_size=8)))
            runs = np.diff([0, *cuts, height * width]).tolist()
            side.append(theirs.frPyObjects({"size": [height, width], "counts": runs}, 0, 0))
        sides.append(side)
    return sides


@settings(max_examples=300)
@given(masks_of_one_size(2), st.data())
def test_sets_and_iou(sides: Any, data: Any) -> None:
    pred, truth = sides
    crowd = data.draw(st.lists(st.booleans(), min_size=len(truth), max_size=len(truth)))
    for kind in (list, np.array):
        assert_same(lambda mask, _, kind=kind: mask.iou(pred, truth, kind(crowd)))
    for intersect in (False, True):
        # Where two masks have a run of 0 at the same place pycocotools stops, and merges what it
        # has with the next for ever.
        if said(lambda mask, _, how=intersect: mask.merge(pred, how), ours, None) is not ValueError:
            assert_same(lambda mask, _, how=intersect: mask.merge(pred, how))
    assert_same(lambda mask, _: mask.area(pred))
    assert_same(lambda mask, _: mask.toBbox(pred))


@settings(max_examples=200)
@given(masks_of_one_size(1), masks_of_one_size(1))
def test_iou_of_different_sizes(first: Any, second: Any) -> None:
    pred, truth = [*first[0], *second[0]], [*second[0], *first[0]]
    assert_same(lambda mask, _: mask.iou(pred, truth, [0] * len(truth)))


BOX_NUMBERS = st.one_of(
    st.integers(-3, 6).map(float), st.floats(-5, 5), st.sampled_from([math.nan, math.inf, 1e300])
)


@settings(max_examples=300)
@given(st.data(), st.integers(0, 5), st.integers(0, 5))
def test_iou_of_boxes(data: Any, n_pred: int, n_truth: int) -> None:
    row = st.lists(BOX_NUMBERS, min_size=4, max_size=4)
    pred = data.draw(st.lists(row, min_size=n_pred, max_size=n_pred))
    truth = data.draw(st.lists(row, min_size=n_truth, max_size=n_truth))
    crowd = data.draw(st.lists(st.integers(0, 2), min_size=n_truth, max_size=n_truth))
    assert_same(lambda mask, _: mask.iou(pred, truth, crowd))
    arrays = np.array(pred).reshape(-1, 4), np.array(truth).reshape(-1, 4)
    assert_same(lambda mask, _: mask.iou(*arrays, crowd))
    # pycocotools takes the memory of an array for rows, in whatever order they lie there.
    assert_same(lambda mask, _: mask.iou(*map(np.asfortranarray, arrays), np.array(crowd, int)))


SIDES: dict[str, Any] = {
    "masks": [RLE, FULL], "boxes": BOXES, "lists": BOXES.tolist(), "arrays in a list": list(BOXES),
    "empty": [], "empty array": np.zeros((0, 4)), "empty tuple": (), "empty text": "",
    "mixed": [RLE, [0, 0, 1, 1]], "lists and arrays": [BOXES[0], BOXES[1].tolist()],
    "float32": BOXES.astype(np.float32), "ints": BOXES.astype(int), "flags": BOXES.astype(bool),
    "tuples": [tuple(each) for each in BOXES], "tuple": tuple(BOXES.tolist()), "flat": [0, 0, 1, 1],
    "one box": BOXES[0], "whole box": np.array([4, 0, 1, 1]), "of five": np.zeros((2, 5)),
    "of three": [[0, 0, 1]], "squares": [np.zeros((4, 4))] * 2, "text": "abcd", "None": None,
    "number": 3, "dict": RLE, "texts in a list": ["abcd"],
    "numbers as text": [["0", "0", "1", "1"]],
    "objects": BOXES.astype(object), "three axes": np.zeros((2, 4, 1)), "subclass":
    BOXES.view(np.recarray), "dicts of four": [{**RLE, "a": 1, "b": 2}] * 2, "str counts":
    [{"size": [3, 4], "counts": "02203O"}] * 2, "no counts": [{"size": [3, 4]}] * 2, "every other":
    np.arange(32.0).reshape(4, 8)[::2, ::2], "turned round": BOXES[::-1, ::-1], "list of lists of "
    "masks": [[RLE]], "generator": (each for each in [RLE]), "nested": [[[0, 0, 1, 1]] * 4] * 2,
    "of other sizes": [OTHER, RLE], "tuples for sizes": [{"size": (3, 4), "counts": b"0<"}] * 2,
}  # fmt: skip


@pytest.mark.parametrize("pred", SIDES.values(), ids=SIDES.keys())
def test_sides_of_any_make(pred: Any) -> None:
    for truth in SIDES.values():
        for n in (0, 2):
            assert_same(lambda mask, _, n=n, truth=truth: mask.iou(pred, truth, [0] * n))


CROWDS: list[Any] = [
    None, 0, [0], [0, 1], (1, 0), [True, False], np.array([0, 1]), np.array([1.0, 0.5]), [256, 0],
    [-1, 0], [[0, 1]], [[0], [1]], ["a", "b"], ["1", "0"], [None, 1], "01", b"01", [0.9, 1.9],
    range(2), [0, 1, 0], [], {0: 1, 1: 0}, np.array([300, 256]), np.array([0, 1], object),
]  # fmt: skip


@pytest.mark.parametrize("crowd", CROWDS, ids=map(repr, CROWDS))
def test_crowds_of_any_make(crowd: Any) -> None:
    for side in ([RLE, FULL], BOXES, BOXES.tolist(), []):
        assert_same(lambda mask, _, side=side: mask.iou([FULL], side, crowd))
        assert_same(lambda mask, _, side=side: mask.iou(BOXES, side, crowd))


def test_what_pycocotools_does_not_survive() -> None:
    """It walks for ever, or over memory that is not its own; here there is an error, or an end."""
    short = {"size": [3, 4], "counts": b"12"}
    with pytest.raises(ValueError, match="ends before another"):
        ours.iou([short], [FULL], [0])
    with pytest.raises(ValueError, match="ends before another"):
        ours.merge([short, FULL])
    empty = {"size": [3, 4], "counts": b""}
    with pytest.raises(ValueError, match="ends before another"):
        ours.merge([empty, FULL])
    assert ours.merge([empty, empty]) == {"size": [3, 4], "counts": b"0"}
    assert ours.iou([empty], [FULL], [0]).tolist() == [[0]]
    assert ours.area({"size": [3, 4], "counts": b"12o"}) == 2
    assert ours.toBbox({"size": [0, 4], "counts": b"12"}).tolist() == [0, 0, 0, 0]
    with pytest.raises(SnellenError, match=r"expected boxes .* got shape \(2, 3\)"):
        ours.frPyObjects(np.zeros((2, 3)), 3, 4)
    with pytest.raises(SnellenError, match=r"expected boxes .* got shape \(2, 4\)"):
        ours.frPyObjects(BOXES[::-1], 3, 4)
    with pytest.raises(SnellenError, match=r"expected boxes .* got shape \(2, 0\)"):
        ours.frPyObjects(np.zeros((2, 0)), 3, 4)
    with pytest.raises(ValueError, match=r"expected vertices between .* got others - at polygon 1"):
        ours.frPyObjects([POLYGON, [math.nan, 0, 3, 0, 3, 3]], 3, 4)
    with pytest.raises(MemoryError):
        ours.decode({"size": [2**40, 2**40], "counts": b"12"})
