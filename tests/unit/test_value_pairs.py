from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from snellen import _core, set_threads
from snellen.errors import InputError, ShapeError
from snellen.segmentation.value_pairs import ValuePairs, count_value_pairs

DTYPES = ("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    set_threads(None)


def plain_pairs(truth: Any, pred: Any) -> ValuePairs:
    """Return the pairs of (N, n_pixels) values by np.unique."""
    start, rows, counts = [0], [np.zeros((0, 2), np.int64)], [np.zeros(0, np.int64)]
    for truth_image, pred_image in zip(truth, pred, strict=True):
        both = np.stack([truth_image.astype(np.int64), pred_image.astype(np.int64)], axis=1)
        if len(both):
            found, count = np.unique(both, axis=0, return_counts=True)
            rows.append(found)
            counts.append(count)
        start.append(start[-1] + (len(found) if len(both) else 0))
    joined = np.concatenate(rows)
    return ValuePairs(np.array(start), joined[:, 0], joined[:, 1], np.concatenate(counts))


def assert_same(found: ValuePairs, wanted: ValuePairs) -> None:
    for ours, theirs in zip(found, wanted, strict=True):
        assert ours.dtype == np.int64
        assert_array_equal(ours, theirs)


def drawn_maps(dtype: str, length: float, seed: int) -> np.ndarray:
    """Return (3, 25, 40) values all over the range of the type, in runs of a mean length."""
    random = np.random.default_rng(seed)
    if dtype == "bool":
        pool = np.array([False, True])
    else:
        limits = np.iinfo(dtype)
        high = min(limits.max, 2**63 - 1)
        spread = random.integers(limits.min, high, 12, dtype=dtype, endpoint=True)
        pool = np.concatenate([spread, np.array([0, 1, 2, 19, limits.min, high], dtype)])
    lengths = random.geometric(1 / length, 3000)
    return np.repeat(random.choice(pool, 3000), lengths)[:3000].reshape(3, 25, 40)


@pytest.mark.parametrize("length", [1, 2, 40])
@pytest.mark.parametrize("dtypes", list(itertools.product(DTYPES, DTYPES)), ids="-".join)
def test_every_type_beside_every_type(dtypes: tuple[str, str], length: float) -> None:
    truth, pred = (drawn_maps(dtype, length, seed) for seed, dtype in enumerate(dtypes))
    found = count_value_pairs(truth, pred)
    assert_same(found, plain_pairs(truth.reshape(3, -1), pred.reshape(3, -1)))
    assert found.count.sum() == 3000


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("colours_are_truth", [False, True])
def test_colours_beside_every_type(dtype: str, colours_are_truth: bool) -> None:
    colours = np.random.default_rng(5).integers(0, 256, (6, 3), dtype=np.uint8)
    colour_maps = colours[drawn_maps("uint8", 7, 1) % 6]
    # By the rule of COCO's panoptic images.
    values = colour_maps.astype(np.int64) @ [1, 256, 65536]
    labels = drawn_maps(dtype, 7, 2)
    sides, plain = (colour_maps, labels), (values, labels)
    if not colours_are_truth:
        sides, plain = sides[::-1], plain[::-1]
    found = count_value_pairs(*sides, colours=(colours_are_truth, not colours_are_truth))
    assert_same(found, plain_pairs(*(side.reshape(3, -1) for side in plain)))


def test_colours_on_both_sides() -> None:
    # Red 1, green 2 and blue 3 are 1, 2 · 256 = 512 and 3 · 65536 = 196608.
    truth = np.array([[[1, 0, 0], [0, 2, 0], [0, 0, 3]]], np.uint8)
    pred = np.array([[[1, 0, 0], [1, 2, 3], [1, 2, 3]]], np.uint8)
    found = count_value_pairs(truth, pred, colours=True)
    assert found.truth.tolist() == [1, 512, 196608]
    assert found.pred.tolist() == [1, 1 + 512 + 196608, 1 + 512 + 196608]
    assert found.count.tolist() == [1, 1, 1]
    assert found.start.tolist() == [0, 3]
    again = count_value_pairs(np.stack([truth, pred]), np.stack([pred, pred]), colours=True)
    assert again.start.tolist() == [0, 3, 5]


def test_worked_by_hand() -> None:
    truth = [[[0, 0], [1, 255]], [[1, 1], [1, 1]]]
    pred = [[[0, 1], [1, 1]], [[1, 1], [1, 0]]]
    found = count_value_pairs(truth, pred)
    assert found.start.tolist() == [0, 4, 6]
    assert found.truth.tolist() == [0, 0, 1, 255, 1, 1]
    assert found.pred.tolist() == [0, 1, 1, 1, 0, 1]
    assert found.count.tolist() == [1, 1, 1, 1, 1, 3]


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_any_maps(data: st.DataObject) -> None:
    shape = (
        data.draw(st.integers(0, 3)),
        data.draw(st.integers(0, 9)),
        data.draw(st.integers(0, 300)),
    )
    sides = []
    for _ in range(2):
        dtype = data.draw(st.sampled_from(DTYPES))
        random = np.random.default_rng(data.draw(st.integers(0, 1 << 30)))
        few = random.integers(0, data.draw(st.sampled_from([1, 2, 120])), shape)
        changes = random.random(shape) < data.draw(st.sampled_from([0.01, 0.2, 1]))
        place = np.maximum.accumulate(np.where(changes, np.arange(few.size).reshape(shape), 0), 2)
        values = few.ravel()[place] if few.size else few
        sides.append(values.astype(dtype))
    found = count_value_pairs(*sides, colours=False)
    assert_same(
        found,
        plain_pairs(
            *(
                side.reshape(shape[0], -1) if side.size else np.zeros((shape[0], 0), np.int64)
                for side in sides
            )
        ),
    )


@pytest.mark.parametrize("shape", [(0, 5), (0, 4, 5), (3, 0, 5), (2, 4, 0)])
def test_nothing(shape: tuple[int, ...]) -> None:
    n_images = shape[0] if len(shape) == 3 else 1
    for maps in (np.zeros(shape, np.uint8), np.zeros(shape, np.int64), torch.zeros(shape).int()):
        found = count_value_pairs(maps, maps)
        assert found.start.tolist() == [0] * (n_images + 1)
        assert len(found.truth) == len(found.pred) == len(found.count) == 0


def test_arrays_in_any_memory_order() -> None:
    truth, pred = drawn_maps("uint8", 5, 1), drawn_maps("int32", 5, 2)
    wanted = count_value_pairs(truth, pred)
    padded = np.zeros((3, 25, 80), np.uint8)
    padded[..., ::2] = truth
    frozen = pred.copy()
    frozen.flags.writeable = False
    unaligned = np.frombuffer(b"x" + pred.tobytes(), np.int32, offset=1).reshape(pred.shape)
    swapped = pred.astype(">i4")
    for other_truth in (padded[..., ::2], np.asfortranarray(truth), truth.tolist()):
        for other_pred in (frozen, unaligned, swapped, pred[:, ::-1][:, ::-1]):
            assert_same(count_value_pairs(other_truth, other_pred), wanted)


def test_tensors_of_the_host() -> None:
    for dtype in DTYPES:
        truth, pred = drawn_maps(dtype, 5, 1), drawn_maps("uint8", 5, 2)
        wanted = count_value_pairs(truth, pred)
        assert_same(count_value_pairs(torch.from_numpy(truth), pred), wanted)
        assert_same(count_value_pairs(truth, torch.from_numpy(pred)), wanted)


def test_threads_change_no_byte() -> None:
    random = np.random.default_rng(1)
    small = np.repeat(random.integers(0, 19, (900, 50, 10)), 10, axis=2).astype(np.uint8)
    # Larger than a band of 2²² pixels.
    large = np.repeat(random.integers(0, 300, (1, 2100, 100)), 30, axis=2).astype(np.int16)
    for maps in (small, large):
        other = np.roll(maps, 3, axis=2)
        found = set()
        for n_threads in (1, 2, 3):
            set_threads(n_threads)
            found.add(b"".join(each.tobytes() for each in count_value_pairs(maps, other)))
        assert len(found) == 1
        set_threads(2)
        counted = count_value_pairs(maps, other)
        assert_same(counted, plain_pairs(maps.reshape(len(maps), -1), other.reshape(len(maps), -1)))


def test_values_that_no_int64_holds() -> None:
    truth = np.array([[0, 2**63 - 1]], np.uint64)
    assert count_value_pairs(truth, truth).truth.tolist() == [0, 2**63 - 1]
    truth[0, 1] += 1
    message = r"expected values below 2\^63, got 9223372036854775808"
    with pytest.raises(InputError, match=message):
        count_value_pairs(truth, np.zeros((1, 2), np.uint8))
    with pytest.raises(InputError, match=message):
        count_value_pairs(np.zeros((1, 2), np.uint8), truth)


@pytest.mark.parametrize(
    ("truth", "pred", "message"),
    [
        (np.zeros((2, 3)), np.zeros((2, 3), int), r"expected whole numbers .* as truth"),
        (np.zeros((2, 3), int), np.zeros(3, int), r"expected whole numbers .* as pred"),
        (np.zeros((2, 3, 3), int), np.zeros((2, 3), int), r"expected whole numbers .* as truth"),
        (np.zeros((2, 3, 4), np.uint8), np.zeros((2, 3), int), r"expected whole .* as truth"),
        (np.zeros((2, 3), "c8"), np.zeros((2, 3), int), r"expected whole numbers .* as truth"),
        (np.zeros((2, 3), int), np.zeros((1, 3), int), "expected 2 rows of pred, got 1"),
        (np.zeros((2, 3), int), np.zeros((2, 4), int), "expected 3 pixels of pred, got 4"),
    ],
)
def test_what_the_kernel_refuses(truth: Any, pred: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _core.value_pairs(truth, pred)
    with pytest.raises(TypeError):
        _core.value_pairs(np.zeros((4, 6), int)[::2, ::2], np.zeros((2, 3), int))


def test_scores_are_counted_by_their_classes() -> None:
    truth = np.array([[0, 1, 2]])
    scores = np.array([[[3.0, 1, 1]], [[2.0, 9, 1]], [[1.0, 2, 1]]])
    # The last pixel is a tie: the lowest class.
    found = count_value_pairs(truth, scores)
    assert found.pred.tolist() == [0, 1, 0]
    with pytest.raises(ShapeError, match="at pred"):
        count_value_pairs(truth, scores[:, :, :2])
