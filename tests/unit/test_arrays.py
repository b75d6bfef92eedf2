from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from snellen import confusion_matrix
from snellen.arrays import to_finite, to_flags, to_numpy
from snellen.errors import InputError, ShapeError


class Tensor:
    """What a torch tensor on another device looks like: only `.detach().cpu().numpy()` works."""

    def __init__(self, values: Any, dtype: str = "torch.float32", *, on_host: bool = False) -> None:
        self.values = values
        self.dtype = dtype
        self.detached = False
        self.on_host = on_host

    def detach(self) -> Tensor:
        copy = Tensor(self.values, self.dtype, on_host=self.on_host)
        copy.detached = True
        return copy

    def cpu(self) -> Tensor:
        copy = Tensor(self.values, self.dtype, on_host=True)
        copy.detached = self.detached
        return copy

    def float(self) -> Tensor:
        copy = Tensor(self.values, "torch.float32", on_host=self.on_host)
        copy.detached = self.detached
        return copy

    def numpy(self) -> Any:
        if not (self.detached and self.on_host) or self.dtype == "torch.bfloat16":
            raise TypeError("can't convert to NumPy")
        return np.array(self.values, np.float32)

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError("can't convert to NumPy")


class Series:
    """What a column of a data frame looks like."""

    def __init__(self, values: Any) -> None:
        self.values = values

    def to_numpy(self) -> Any:
        return np.array(self.values)


class JaxArray:
    """What a JAX array looks like."""

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        del copy
        return np.array([1.0, 2.0], dtype)


@pytest.mark.parametrize(
    "value",
    [
        [1.0, 2.0],
        (1.0, 2.0),
        np.array([1.0, 2.0]),
        Tensor([1.0, 2.0]),
        Tensor([1.0, 2.0], "torch.bfloat16"),
        Series([1.0, 2.0]),
        JaxArray(),
    ],
    ids=lambda value: type(value).__name__,
)
def test_arrays_of_any_kind(value: Any) -> None:
    array = to_numpy(value, "x")
    assert isinstance(array, np.ndarray)
    assert array.tolist() == [1.0, 2.0]
    assert to_numpy(value, "x", np.float64).dtype == np.float64


ARROW: list[tuple[list[Any], str]] = [
    ([1, 2], "i"),
    ([0.5, 2.0], "f"),
    (["cat", "dog", "cat"], "O"),
    ([True, False], "b"),
]


@pytest.mark.parametrize("form", ["array", "dictionary", "chunks"])
@pytest.mark.parametrize(("values", "kind"), ARROW, ids=lambda part: str(part))
def test_arrays_of_arrow(values: list[Any], kind: str, form: str) -> None:
    pa = pytest.importorskip("pyarrow")
    value = pa.array(values)
    if form == "dictionary":
        value = value.dictionary_encode()
    elif form == "chunks":
        value = pa.chunked_array([value[:1], value[1:]])
    array = to_numpy(value, "x")
    assert array.tolist() == values
    assert array.dtype.kind == kind


def test_nulls_of_arrow_are_named() -> None:
    pa = pytest.importorskip("pyarrow")
    with pytest.raises(InputError, match=r"expected finite numbers, got nan - at score\[1\]"):
        to_finite(pa.array([1, None, 3]), "score")
    with pytest.raises(InputError, match=r"expected flags, got nan - at crowd\[1\]"):
        to_flags(pa.array([1, None]), "crowd")
    with pytest.raises(ShapeError, match="expected flags in one axis, got object"):
        to_flags(pa.array([True, None]), "crowd")
    with pytest.raises(InputError, match=r"expected numbers, got object - at score$"):
        to_finite(pa.array([None, None]), "score")


def test_labels_of_arrow() -> None:
    """Texts, as they are and as a dictionary: one of three pairs is wrong."""
    pa = pytest.importorskip("pyarrow")
    truth = pa.array(["cat", "dog", "cat"]).dictionary_encode()
    found = confusion_matrix(truth, pa.array(["cat", "dog", "dog"]))
    assert found.matrix.tolist() == [[1, 1], [0, 1]]


def test_arrays_are_made_contiguous_and_not_copied_otherwise() -> None:
    array = np.arange(12.0).reshape(3, 4)
    assert to_numpy(array, "x") is array
    assert to_numpy(array.T, "x").flags.c_contiguous
    assert to_numpy(array[:, ::2], "x").tolist() == [[0, 2], [4, 6], [8, 10]]


def test_single_values_keep_their_type() -> None:
    assert to_numpy(5, "x").dtype.kind == "i"
    assert to_numpy("a", "x").item() == "a"
    assert to_numpy(5, "x", np.float64).dtype == np.float64


@pytest.mark.parametrize(
    ("value", "dtype"),
    [
        ([[1, 2], [3]], None),
        (["1", "2"], np.float64),
        ([None, 1.0], np.float64),
        ([2**70], np.int64),
        (np.array(["2026-01-01"], "M8[D]"), np.float64),
        ({"a": 1}, np.float64),
    ],
)
def test_what_is_no_array_of_numbers(value: Any, dtype: Any) -> None:
    with pytest.raises(InputError, match=r"expected an array: .* - at boxes$"):
        to_numpy(value, "boxes", dtype)


def test_complex_numbers_are_not_cut() -> None:
    with pytest.raises(InputError, match="at boxes"):
        to_numpy([1 + 2j], "boxes", np.float64)


def test_finite() -> None:
    assert to_finite([1, 2], "score").tolist() == [1.0, 2.0]
    assert to_finite(np.float32([[1, 2]]), "box", width=2).dtype == np.float64
    for empty in ([], np.zeros((0, 4)), np.zeros((0, 7))):
        assert to_finite(empty, "score").shape == (0,)
        assert to_finite(empty, "box", width=4).shape == (0, 4)


@pytest.mark.parametrize(
    ("value", "width", "message"),
    [
        ([1.0, math.nan], None, r"expected finite numbers, got nan - at x\[1\]"),
        ([[1.0, 2.0], [3.0, math.inf]], 2, r"expected finite numbers, got inf - at x\[1, 1\]"),
        ([[-math.inf, math.nan]], 2, r"expected finite numbers, got -inf - at x\[0, 0\]"),
    ],
)
def test_not_finite(value: Any, width: int | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        to_finite(value, "x", width=width)


@pytest.mark.parametrize(
    ("value", "width", "message"),
    [
        ([[1.0]], None, r"expected shape \(n,\), got \(1, 1\) - at x"),
        (5.0, None, r"expected shape \(n,\), got \(\) - at x"),
        ([1.0, 2.0], 2, r"expected shape \(n, 2\), got \(2,\) - at x"),
        ([[1.0, 2.0, 3.0]], 2, r"expected shape \(n, 2\), got \(1, 3\) - at x"),
        ([[[1.0, 2.0]]], 2, r"expected shape \(n, 2\), got \(1, 1, 2\) - at x"),
    ],
)
def test_other_shapes(value: Any, width: int | None, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        to_finite(value, "x", width=width)


def test_flags() -> None:
    assert to_flags([0, 1, 2, -1], "crowd").tolist() == [0, 1, 1, 1]
    assert to_flags([True, False], "crowd").tolist() == [1, 0]
    assert to_flags(np.array([0.0, 1.0]), "crowd").dtype == np.uint8
    assert to_flags([], "crowd").tolist() == []


def test_a_missing_flag_is_none() -> None:
    with pytest.raises(InputError, match=r"expected flags, got nan - at crowd\[1\]"):
        to_flags([1.0, math.nan], "crowd")


@pytest.mark.parametrize("value", [[[0, 1]], 1, ["0", "1"], [None, 1]])
def test_what_is_no_flag(value: Any) -> None:
    with pytest.raises(ShapeError, match=r"expected flags in one axis, got .* - at crowd"):
        to_flags(value, "crowd")
