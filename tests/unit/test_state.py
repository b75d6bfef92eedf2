from __future__ import annotations

import json
import math
import struct
import zlib
from fractions import Fraction
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snellen import AveragePrecision, Boxes, metric_from_bytes
from snellen.errors import InputError, SchemaError, SnellenError, StateVersionError
from snellen.state import Counts, Keys, Ledger, Moments, pack, unpack

# ---------------------------------------------------------------------------------------------
# Counts.


def test_counts_add_up() -> None:
    counts = Counts(images=(), of_class=(3,))
    counts.add(images=2, of_class=[1, 0, 5])
    counts.add(of_class=np.array([1, 1, 1], np.uint8))
    assert int(counts["images"]) == 2
    assert counts["of_class"].tolist() == [2, 1, 6]


def test_counts_are_exact_beyond_floats() -> None:
    counts = Counts(n=())
    counts.add(n=2**53)
    counts.add(n=1)
    assert int(counts["n"]) == 2**53 + 1


def test_counts_merge_and_leave_the_other() -> None:
    one, other = Counts(n=(2,)), Counts(n=(2,))
    one.add(n=[1, 2])
    other.add(n=[10, 20])
    one.merge(other)
    assert one["n"].tolist() == [11, 22]
    assert other["n"].tolist() == [10, 20]
    one.add(n=[1, 1])
    assert other["n"].tolist() == [10, 20]


def test_counts_refuse_floats() -> None:
    counts = Counts(n=())
    with pytest.raises(TypeError):
        counts.add(n=1.5)
    assert int(counts["n"]) == 0


# ---------------------------------------------------------------------------------------------
# Moments.

# Magnitudes over the whole range of float64, subnormals and signs included; sums cancel.
NUMBERS = st.lists(
    st.one_of(
        st.floats(allow_nan=False, allow_infinity=False),
        st.sampled_from((1.0, -1.0, 2.0**-1074, -(2.0**1023), 2.0**1023, 0.1, -0.0, 2.0**32)),
    ),
    max_size=40,
)


def exact(numbers: list[float]) -> Fraction:
    return sum(map(Fraction, numbers), Fraction(0))


def nearest(number: Fraction) -> float:
    """Return a fraction as a float, rounded once, by Python."""
    try:
        return float(number)
    except OverflowError:
        return math.inf if number > 0 else -math.inf


def test_moments_keep_what_a_sum_loses() -> None:
    moments = Moments(x=())
    moments.add(x=[1e16, 1.0, -1e16])
    assert float(moments.total("x")) == 1.0
    # 0.1 is 0.1000000000000000055511151231257827…; ten of them are 1.000000000000000055…, which
    # rounds to 1; added one by one they give 0.9999999999999999.
    moments = Moments(x=())
    for _ in range(10):
        moments.add(x=[0.1])
    assert float(moments.total("x")) == 1.0


@settings(deadline=None, derandomize=True, max_examples=300)
@given(batches=st.lists(NUMBERS, max_size=5))
def test_moments_equal_fractions(batches: list[list[float]]) -> None:
    everything = [number for batch in batches for number in batch]
    moments, merged, backwards = Moments(x=()), Moments(x=()), Moments(x=())
    for batch in batches:
        moments.add(x=batch)
        part = Moments(x=())
        part.add(x=batch)
        merged.merge(part)
    backwards.add_at("x", [0] * len(everything), everything[::-1])
    restored = Moments(x=())
    restored.restore(moments.arrays())
    for each in (moments, merged, backwards, restored):
        assert each.exact("x").item() == exact(everything)
        assert float(each.total("x")) == nearest(exact(everything))
        assert {name: (a.dtype, a.tolist()) for name, a in each.arrays().items()} == {
            name: (a.dtype, a.tolist()) for name, a in moments.arrays().items()
        }


@settings(deadline=None, derandomize=True, max_examples=300)
@given(pairs=st.lists(st.tuples(NUMBERS, NUMBERS), max_size=3))
def test_products_equal_fractions(pairs: list[tuple[list[float], list[float]]]) -> None:
    moments, wanted = Moments(x=()), Fraction(0)
    for one, two in pairs:
        size = min(len(one), len(two))
        moments.add_products(x=(one[:size], two[:size]))
        products = map(lambda a, b: Fraction(a) * Fraction(b), one[:size], two[:size])
        wanted += sum(products, Fraction(0))
    assert moments.exact("x").item() == wanted
    assert float(moments.total("x")) == nearest(wanted)


def test_moments_equal_fsum_on_many_rows() -> None:
    rows = np.random.default_rng(0).normal(size=(10_001, 2)) * [1, 1e8]
    moments = Moments(x=(2,))
    for part in np.array_split(rows, 7):
        moments.add(x=part)
    assert moments.total("x").tolist() == [math.fsum(rows[:, 0]), math.fsum(rows[:, 1])]


def test_moments_round_half_to_even() -> None:
    # Halfway between 1 and 1 + 2^-52; halfway between 1 + 2^-52 and 1 + 2^-51; a bit above it.
    for parts, wanted in (
        ([1.0, 2.0**-53], 1.0),
        ([1.0 + 2.0**-52, 2.0**-53], 1.0 + 2.0**-51),
        ([1.0, 2.0**-53, 2.0**-1074], 1.0 + 2.0**-52),
        ([-1.0, -(2.0**-53), -(2.0**-1074)], -1.0 - 2.0**-52),
    ):
        moments = Moments(x=())
        moments.add(x=parts)
        assert float(moments.total("x")) == wanted


def test_products_below_the_smallest_float_round_once() -> None:
    # 2^-540 · 2^-535 = 2^-1075 is half of the smallest float: a tie, to even, is 0. A bit more of
    # it is the smallest float.
    for factor, wanted in ((1.0, 0.0), (1.0 + 2.0**-52, 2.0**-1074)):
        moments = Moments(x=())
        moments.add_products(x=([2.0**-540], [2.0**-535 * factor]))
        assert float(moments.total("x")) == wanted


def test_moments_pass_on_carries_before_limbs_overflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snellen.state._ExactSums._MOST_PENDING", 3)
    moments = Moments(x=())
    for _ in range(10):
        moments.add(x=[2.0**32 - 1, 2.0**-20])
    assert moments.exact("x").item() == 10 * (2**32 - 1) + Fraction(10, 2**20)


def test_moments_of_nothing() -> None:
    moments = Moments(x=(), y=(3,))
    moments.add(x=[], y=np.zeros((0, 3)))
    moments.merge(Moments(x=(), y=(3,)))
    assert float(moments.total("x")) == 0.0
    assert moments.total("y").tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_moments_refuse_what_is_not_finite(bad: float) -> None:
    moments = Moments(x=(), y=())
    for add in (
        lambda: moments.add(y=[1.0], x=[1.0, bad]),
        lambda: moments.add_products(y=([1.0], [1.0]), x=([1.0], [bad])),
        lambda: moments.add_at("x", [0], [bad]),
    ):
        with pytest.raises(InputError, match=r"expected finite numbers, got .* - at x$"):
            add()
    assert float(moments.total("y")) == 0.0


@pytest.mark.parametrize("rows", [5.0, [[1.0]], [[1.0, 2.0]], np.zeros((2, 3, 1))])
def test_moments_refuse_other_shapes(rows: Any) -> None:
    moments = Moments(x=(3,))
    with pytest.raises(InputError, match=r"expected rows of shape \(3,\).* - at x$"):
        moments.add(x=rows)


def test_moments_refuse_limbs_of_another_shape() -> None:
    moments = Moments(x=(2,))
    with pytest.raises(ValueError, match="x: limbs of shape"):
        moments.restore(Moments(x=(3,)).arrays())


# ---------------------------------------------------------------------------------------------
# Ledger.


def ledger_of(*pieces: tuple[list[Any], list[int], list[float]]) -> Ledger:
    """Return a ledger with one piece for each (ids, codes, values)."""
    ledger = Ledger(("image",), image=np.int32, value=np.float64)
    for ids, codes, values in pieces:
        ledger.append(
            {"image": Keys(ids, "image id")},
            image=np.array(codes, np.int32),
            value=np.array(values, np.float64),
        )
    return ledger


def test_ledger_brings_pieces_to_one_table() -> None:
    # The first piece's codes are positions in (10, 30), the second's in (5, 20).
    ledger = ledger_of(([30, 10], [0, 1, 1], [1, 2, 3]), ([20, 5], [1, 0], [4, 5]))
    assert len(ledger) == 5
    assert ledger.n_pieces == 2
    columns = ledger.columns({"image": Keys([5, 10, 20, 30], "image id")})
    assert columns["image"].tolist() == [1, 3, 3, 2, 0]
    assert columns["image"].dtype == np.int32
    assert columns["value"].tolist() == [1, 2, 3, 4, 5]


def test_ledger_merge_leaves_the_other() -> None:
    one, other = ledger_of(([1], [0], [1])), ledger_of(([2], [0], [2]))
    one.merge(other)
    assert (len(one), len(other)) == (2, 1)
    one.append({"image": Keys([3], "image id")}, image=np.zeros(1, np.int32), value=np.zeros(1))
    assert (len(one), len(other)) == (3, 1)


def test_ledger_merge_shifts_numbers() -> None:
    one, other = ledger_of(([0, 1], [0, 1], [1, 2])), ledger_of(([0, 1], [1, 0], [3, 4]))
    one.merge(other, image=2)
    columns = one.columns({"image": Keys(range(4), "image id")})
    assert columns["image"].tolist() == [0, 1, 3, 2]
    assert columns["value"].tolist() == [1, 2, 3, 4]
    assert other.columns({"image": Keys([0, 1], "image id")})["image"].tolist() == [1, 0]


def test_a_ledger_merges_with_itself() -> None:
    ledger = ledger_of(([0], [0], [1]))
    ledger.merge(ledger, image=1)
    assert ledger.columns({"image": Keys([0, 1], "image id")})["image"].tolist() == [0, 1]


def test_ledger_replace() -> None:
    ledger = ledger_of(([1], [0], [1]), ([2], [0], [2]))
    keys = {"image": Keys([8, 9], "image id")}
    ledger.replace(keys, image=np.array([1], np.int32), value=np.array([7.0]))
    assert ledger.n_pieces == 1
    assert {name: column.tolist() for name, column in ledger.columns(keys).items()} == {
        "image": [1],
        "value": [7.0],
    }


def test_ledger_without_rows_has_typed_columns() -> None:
    ledger = Ledger(("image",), image=np.int32, bits=(np.uint32, (4, 2)))
    columns = ledger.columns({"image": Keys([], "image id")})
    assert columns["image"].dtype == np.int32
    assert columns["bits"].dtype == np.uint32
    assert columns["bits"].shape == (0, 4, 2)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"image": np.zeros(1, np.int32)}, "expected columns image, value of one length"),
        (
            {"image": np.zeros(1, np.int32), "value": np.zeros(2)},
            "expected columns image, value of one length, got {'image': 1, 'value': 2}",
        ),
        ({"image": np.zeros(1, np.int64), "value": np.zeros(1)}, "expected rows of int32"),
        ({"image": np.zeros(1, np.int32), "value": np.zeros((1, 2))}, "expected rows of float64"),
    ],
)
def test_ledger_refuses_rows_that_do_not_fit(columns: dict[str, Any], message: str) -> None:
    ledger = ledger_of()
    with pytest.raises(InputError) as caught:
        ledger.append({"image": Keys([1], "image id")}, **columns)
    assert message in str(caught.value)
    assert len(ledger) == 0


# ---------------------------------------------------------------------------------------------
# Bytes.

CONTENT = {"protocol": {"name": "coco", "caps": [1, 10]}, "text": "Größe", "none": None}
ARRAYS = {
    "u1": np.array([1, 255], np.uint8),
    "u4": np.array([[1, 2**32 - 1]], np.uint32),
    "i4": np.zeros((0, 4), np.int32),
    "i8": np.array(2**60),
    "f4": np.array([0.1, np.nan], np.float32),
    "f8": np.array([[0.1, -0.0], [np.inf, 5e-324]]),
}


def test_pack_and_unpack() -> None:
    packed = unpack(pack("Thing", CONTENT, ARRAYS))
    assert packed.name == "Thing"
    assert packed.content == CONTENT
    assert list(packed.arrays) == list(ARRAYS)
    for name, array in ARRAYS.items():
        assert packed.arrays[name].dtype == array.dtype
        assert packed.arrays[name].shape == array.shape
        assert packed.arrays[name].tobytes() == array.tobytes()
        assert not packed.arrays[name].flags.writeable


def test_layout_is_the_documented_one() -> None:
    data = pack("Thing", {"a": 1}, {"x": np.array([1, 2], np.int32), "y": np.array([0.5])})
    assert data[:8] == b"SNELLEN\n"
    version, size = struct.unpack("<II", data[8:16])
    assert version == 1
    header = json.loads(data[16 : 16 + size])
    assert header["name"] == "Thing"
    assert header["content"] == {"a": 1}
    assert header["arrays"] == [
        {"name": "x", "dtype": "<i4", "shape": [2]},
        {"name": "y", "dtype": "<f8", "shape": [1]},
    ]
    first = -(-(16 + size) // 64) * 64
    assert struct.unpack("<2i", data[first : first + 8]) == (1, 2)
    assert struct.unpack("<d", data[first + 64 : first + 72]) == (0.5,)
    assert struct.unpack("<I", data[first + 72 :]) == (zlib.crc32(data[: first + 72]),)


def test_bytes_are_the_same_for_any_memory_layout() -> None:
    array = np.arange(6, dtype=np.int32).reshape(2, 3)
    wanted = pack("Thing", {}, {"x": array})
    for other in (array.astype(">i4"), np.asfortranarray(array), array[::-1][::-1]):
        assert pack("Thing", {}, {"x": other}) == wanted


def test_pack_refuses_other_types() -> None:
    with pytest.raises(TypeError, match="expected a dtype of"):
        pack("Thing", {}, {"x": np.array(["a"])})


def test_a_change_of_any_byte_is_seen() -> None:
    data = pack("Thing", CONTENT, ARRAYS)
    for i in range(len(data)):
        for flip in (0x01, 0x80, 0xFF):
            changed = bytearray(data)
            changed[i] ^= flip
            with pytest.raises((SchemaError, StateVersionError)):
                unpack(bytes(changed))


def test_a_cut_at_any_length_is_seen() -> None:
    data = pack("Thing", CONTENT, ARRAYS)
    for size in range(len(data)):
        with pytest.raises(SchemaError):
            unpack(data[:size])
    with pytest.raises(SchemaError, match="cut off or changed"):
        unpack(data + b"\0")


def test_other_data() -> None:
    for data in (b"", b"SNELLEN\n", b"\x89PNG\r\n" * 10, b"{}" * 40):
        with pytest.raises(SchemaError, match=r"expected a state written by Snellen.* - at here$"):
            unpack(data, "here")


def test_a_newer_layout_asks_for_an_upgrade() -> None:
    data = bytearray(pack("Thing", {}, {}))
    data[8] = 2
    with pytest.raises(StateVersionError, match=r"got layout 2: upgrade Snellen - at x\.bin$"):
        unpack(bytes(data), "x.bin")


def with_header(header: Any, body: bytes = b"") -> bytes:
    """Return a state whose checksum fits, with any header."""
    encoded = header if isinstance(header, bytes) else msgspec.json.encode(header)
    data = b"SNELLEN\n" + struct.pack("<II", 1, len(encoded)) + encoded + body
    return data + struct.pack("<I", zlib.crc32(data))


def described(**array: Any) -> dict[str, Any]:
    entry = {"name": "x", "dtype": "<i4", "shape": [1], **array}
    return {"name": "T", "library": "0", "content": {}, "arrays": [entry]}


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"\xff",
        b"{",
        [],
        None,
        {},
        {"name": "T", "library": "0", "content": {}, "arrays": None},
        {"name": "T", "library": "0", "content": {}, "arrays": [1]},
        described(dtype="O"),
        described(dtype="<U4"),
        described(dtype=[["a", "<i4"]]),
        described(shape=[1000]),
        described(shape=[2**40, 2**40]),
        described(shape=[2**70]),
        described(shape=["1"]),
        described(shape=[1.5]),
    ],
    ids=str,
)
def test_headers_that_are_none(header: Any) -> None:
    with pytest.raises(SchemaError):
        unpack(with_header(header, bytes(100)), "x.bin")


# ---------------------------------------------------------------------------------------------
# The states of metrics.


def small_state() -> bytes:
    same: dict[str, Any] = {"image_id": ["a", "b"], "label": [7, 8]}
    return (
        AveragePrecision()
        .update(
            Boxes.from_xywh([[0, 0, 10, 10]] * 2, **same),
            Boxes.from_xywh([[0, 0, 10, 9]] * 2, score=[0.5, 0.25], **same),
        )
        .to_bytes()
    )


def test_a_changed_state_of_a_metric_never_becomes_another_metric() -> None:
    data = small_state()
    for i in range(len(data)):
        changed = bytearray(data)
        changed[i] ^= 0x20
        with pytest.raises((SchemaError, StateVersionError)):
            AveragePrecision.from_bytes(bytes(changed))


@pytest.mark.parametrize(
    "change",
    [
        lambda content, _: content.pop("protocol"),
        lambda content, _: content["protocol"].pop("name"),
        lambda content, _: content["protocol"].update(nonsense=1),
        lambda content, _: content["protocol"].update(max_detections=[]),
        lambda content, _: content.update(protocol="coco"),
        lambda content, _: content.update(image_ids=["a", "a"]),
        lambda content, _: content.update(counts={"n_lost": 1}),
        lambda content, _: content.pop("class_names"),
        lambda content, _: content.update(class_names=["only one"]),
        lambda _, arrays: arrays.pop("pred.score"),
        lambda _, arrays: arrays.update({"pred.more": np.zeros(2)}),
        lambda _, arrays: arrays.update({"pred.score": np.zeros(2, np.float32)}),
        lambda _, arrays: arrays.update({"pred.score": np.zeros(1)}),
        lambda _, arrays: arrays.update({"class_ids": np.array([7, 7])}),
        lambda _, arrays: arrays.update({"pred.label": np.array([0, 9], np.int32)}),
        lambda _, arrays: arrays.update({"truth.label": np.array([0, -1], np.int32)}),
        lambda _, arrays: arrays.update({"pred.label": np.array([1, 0], np.int32)}),
    ],
)
def test_a_whole_state_with_wrong_content(change: Any) -> None:
    packed = unpack(small_state())
    content, arrays = packed.content, dict(packed.arrays)
    change(content, arrays)
    with pytest.raises(SnellenError):
        AveragePrecision.from_bytes(pack("AveragePrecision", content, arrays)).compute()


def test_metric_from_bytes() -> None:
    data = small_state()
    metric = metric_from_bytes(data)
    assert isinstance(metric, AveragePrecision)
    assert metric.to_bytes() == data


def test_metric_from_bytes_of_another_class() -> None:
    with pytest.raises(
        SchemaError,
        match=r"expected the state of AveragePrecision, .*got one of Thing .* - at a\.b$",
    ):
        metric_from_bytes(pack("Thing", {}, {}), "a.b")
    with pytest.raises(SchemaError, match="got one of Thing"):
        AveragePrecision.from_bytes(pack("Thing", {}, {}))


@pytest.mark.parametrize("header", [b'{"name":"Av\xffX"}', b"[" * 100_000])
def test_a_header_that_is_no_text_is_no_state(header: bytes) -> None:
    data = b"SNELLEN\n" + struct.pack("<II", 1, len(header)) + header + b"0000"
    with pytest.raises(SchemaError, match=r" - at a\.bin$"):
        metric_from_bytes(data, "a.bin")
