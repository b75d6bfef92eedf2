"""What is done on another device, done here with tensors of the host."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest
import torch
from numpy.testing import assert_array_equal

from snellen import _core, arrays
from snellen.arrays import device_of, tensor_pair_counts, tensor_top_class, to_device
from snellen.errors import InputError, ShapeError
from snellen.segmentation import label_maps as label_maps_module
from snellen.segmentation.label_maps import label_maps
from snellen.segmentation.value_pairs import count_value_pairs

DTYPES = ("bool", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64")


def drawn(dtype: str, seed: int, n_values: int = 6) -> np.ndarray:
    """Return (4, 700) values from all over the range of a type."""
    random = np.random.default_rng(seed)
    if dtype == "bool":
        return random.random((4, 700)) < 0.3
    limits = np.iinfo(dtype)
    high = min(limits.max, 2**63 - 1)
    pool = random.integers(limits.min, high, n_values, dtype=dtype, endpoint=True)
    pool[:2] = limits.min, high
    return random.choice(pool, (4, 700))


def assert_as_kernel(truth: np.ndarray, pred: np.ndarray) -> None:
    found = tensor_pair_counts(torch.from_numpy(truth), torch.from_numpy(pred))
    for ours, kernel in zip(found, _core.value_pairs(truth, pred), strict=True):
        assert ours.dtype == np.int64
        assert_array_equal(ours, kernel)


@pytest.mark.parametrize("pred", DTYPES)
@pytest.mark.parametrize("truth", DTYPES)
def test_as_the_kernel(truth: str, pred: str) -> None:
    assert_as_kernel(drawn(truth, 1), drawn(pred, 2))


@pytest.mark.parametrize("n_values", [2, 50, 500])
@pytest.mark.parametrize("at_once", [1, 700, 1500, 1 << 22])
@pytest.mark.parametrize("cells", [0, 1 << 20])
def test_any_grouping(
    n_values: int, at_once: int, cells: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrays, "_PIXELS_AT_ONCE", at_once)
    monkeypatch.setattr(arrays, "_TABLE_CELLS", cells)
    for dtype in ("uint8", "int16", "int64"):
        assert_as_kernel(drawn(dtype, 3, n_values), drawn(dtype, 4, n_values))


def test_an_image_alone_has_some_values() -> None:
    # The rows of an image are its own, whatever range the others have.
    truth = np.array([[0, 0, 1], [200, 201, 200], [-5, 0, 0]])
    assert_as_kernel(truth, truth[::-1].copy())


def test_values_that_no_int64_holds() -> None:
    high = torch.from_numpy(np.array([[1, 2**63 + 7]], np.uint64))
    low = torch.zeros((1, 2), dtype=torch.uint8)
    for sides in ((high, low), (low, high)):
        with pytest.raises(
            InputError, match=r"expected values below 2\^63, got 9223372036854775815"
        ):
            tensor_pair_counts(*sides)
    # Numbers below 0 of another type are values.
    assert_as_kernel(np.array([[-1, -(2**63)]]), np.zeros((1, 2), np.uint8))


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64", "int8", "int64"])
def test_top_class(dtype: str) -> None:
    scores = torch.from_numpy(np.random.default_rng(1).integers(0, 4, (2, 5, 6, 7)))
    ids, has_nan = tensor_top_class(scores.to(getattr(torch, dtype)))
    assert ids.dtype == torch.uint8
    assert not has_nan
    assert_array_equal(ids.numpy(), scores.numpy().argmax(axis=1))


def test_top_class_of_many_and_of_flags() -> None:
    scores = torch.zeros((1, 300, 1, 1))
    scores[0, 299] = 1
    assert tensor_top_class(scores)[0].item() == 299
    assert tensor_top_class(scores > 0)[0].item() == 299


@pytest.mark.parametrize("k", [0, 1, 2])
def test_top_class_sees_nan(k: int) -> None:
    scores = torch.zeros((1, 3, 2, 2))
    scores[0, k, 1, 0] = math.nan
    assert tensor_top_class(scores)[1]


def test_to_device() -> None:
    frozen = np.arange(6).reshape(2, 3)
    frozen.flags.writeable = False
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert to_device(frozen, "cpu", "x").tolist() == frozen.tolist()
    assert to_device([[1, 2]], "cpu", "x").tolist() == [[1, 2]]
    leaf = torch.ones(2, requires_grad=True)
    assert not to_device(leaf, "cpu", "x").requires_grad


def test_device_of() -> None:
    assert device_of(np.zeros(2)) is None
    assert device_of([1]) is None
    assert device_of(torch.zeros(2)) is None
    assert device_of(torch.zeros(2, device="meta")).type == "meta"


@pytest.fixture
def as_if_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let tensors of the host count as tensors of another device."""

    def device(value: Any) -> Any:
        return value.device if isinstance(value, torch.Tensor) else None

    monkeypatch.setattr(label_maps_module, "device_of", device)


@pytest.mark.usefixtures("as_if_elsewhere")
def test_all_stays_on_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(7)
    truth = random.integers(0, 5, (3, 6, 8))
    scores = random.integers(0, 4, (3, 5, 6, 8)).astype(np.float32)
    labels = random.integers(0, 5, (3, 6, 8)).astype(np.uint8)
    one_hot = np.moveaxis(np.eye(5)[truth], -1, 1)
    wanted = [count_value_pairs(t, p) for t in (truth, one_hot) for p in (labels, scores)]

    def no_kernel(*_: Any) -> Any:
        raise AssertionError("the kernel of the host was called")

    monkeypatch.setattr(_core, "value_pairs", no_kernel)
    found = []
    for t in (truth, one_hot):
        for p in (labels, scores):
            found.append(count_value_pairs(torch.from_numpy(t), torch.from_numpy(p)))
            for mixed in ((torch.from_numpy(t), p), (t, torch.from_numpy(p))):
                for ours, theirs in zip(count_value_pairs(*mixed), found[-1], strict=True):
                    assert_array_equal(ours, theirs)
    for ours, theirs in zip(found, wanted, strict=True):
        for left, right in zip(ours, theirs, strict=True):
            assert_array_equal(left, right)


@pytest.mark.usefixtures("as_if_elsewhere")
def test_colours_on_the_device() -> None:
    colours = np.random.default_rng(8).integers(0, 2, (2, 5, 6, 3), dtype=np.uint8) * 255
    labels = np.arange(60).reshape(2, 5, 6) % 7
    found = count_value_pairs(torch.from_numpy(colours), labels, colours=(True, False))
    values = colours.astype(np.int64) @ [1, 256, 65536]
    for ours, kernel in zip(found, count_value_pairs(values, labels), strict=True):
        assert_array_equal(ours, kernel)


@pytest.mark.usefixtures("as_if_elsewhere")
def test_errors_on_the_device() -> None:
    truth = torch.zeros((2, 3, 4), dtype=torch.int64)
    with pytest.raises(InputError, match=r"expected whole numbers .* got torch\.float32"):
        label_maps(truth, torch.zeros((2, 3, 4)))
    with pytest.raises(InputError, match=r"expected whole numbers .* got torch\.complex64"):
        label_maps(truth, torch.zeros((2, 3, 4), dtype=torch.complex64))
    with pytest.raises(InputError, match="expected scores that are numbers, got nan"):
        label_maps(truth, torch.full((2, 5, 3, 4), math.nan))
    with pytest.raises(InputError, match=r"expected one-hot.* 24 pixels with none or several"):
        label_maps(truth, torch.zeros((2, 5, 3, 4), dtype=torch.bool))
    with pytest.raises(ShapeError, match=r"got \(2, 5, 3, 9\) - at pred"):
        label_maps(truth, torch.zeros((2, 5, 3, 9)))
