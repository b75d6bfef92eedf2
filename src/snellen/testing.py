"""The laws of metrics, to be checked by whoever writes one, and random data to check them with.

>>> from snellen import AveragePrecision, Boxes
>>> from snellen.testing import check_metric_laws
>>> def batch(image):
...     box = {"image_id": [image], "label": [1]}
...     truth = Boxes.from_xywh([[0, 0, 10, 10]], **box)
...     return truth, Boxes.from_xywh([[0, 0, 10, 9]], score=[0.5], **box)
>>> check_metric_laws(AveragePrecision, [batch(1), batch(2), batch(3)])
"""

from __future__ import annotations

import copy
import dataclasses
import math
import pickle
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen.detection.boxes import Boxes
from snellen.errors import InputError, MergeError, first_few

if TYPE_CHECKING:
    from hypothesis.strategies import SearchStrategy
    from numpy.typing import NDArray

    from snellen.metric import StoredMetric

__all__ = ["LAWS", "MetricCase", "check_metric_laws", "detection_batches"]

Batch = tuple[Any, ...]


class MetricCase(NamedTuple):
    """A metric with data to check its laws on; the fields are those of `check_metric_laws`."""

    make_metric: Callable[[], StoredMetric[Any]]
    batches: Sequence[Batch]
    whole: Batch | None = None
    bad_batches: Sequence[Batch] = ()
    other_parameters: Sequence[Callable[[], StoredMetric[Any]]] = ()
    perfect: tuple[Batch, Mapping[str, float]] | None = None

    def fed(self, batches: Sequence[Batch]) -> Any:
        """Return a new metric that has absorbed some batches."""
        metric = self.make_metric()
        for batch in batches:
            metric.update(*batch)
        return metric


def check_metric_laws(
    make_metric: Callable[[], StoredMetric[Any]],
    batches: Sequence[Batch],
    *,
    whole: Batch | None = None,
    bad_batches: Sequence[Batch] = (),
    other_parameters: Sequence[Callable[[], StoredMetric[Any]]] = (),
    perfect: tuple[Batch, Mapping[str, float]] | None = None,
) -> None:
    """Check every law of metrics (`LAWS`) on given data.

    Two metrics are equal when their states have the same bytes and all that their results hold
    is the same, arrays to the last bit.

    Parameters
    ----------
    make_metric : callable
        Returns a new metric without data: its class, or a function that adds parameters.
    batches : sequence of tuple
        The arguments of at least three updates that one metric can absorb in any order. Data
        with ties show more.
    whole : tuple, optional
        The arguments of one update with the data of all batches.
    bad_batches : sequence of tuple
        The arguments of updates that must be refused: NaN, infinity, shapes that do not fit.
    other_parameters : sequence of callable
        Each returns a metric of the same class with other parameters; it must be able to absorb
        the batches.
    perfect : (tuple, mapping of str to float), optional
        The arguments of an update whose prediction is the truth, and the headline numbers that
        come of it.

    Raises
    ------
    AssertionError
        Where a law is broken: its name, what was done, and what differs.
    InputError
        For fewer than three batches.

    Notes
    -----
    A law without data to check it on (no bad batches, no other parameters, no perfect batch)
    passes.
    """
    if len(batches) < 3:
        raise InputError(f"expected at least 3 batches, got {len(batches)}", "batches")
    case = MetricCase(make_metric, batches, whole, bad_batches, other_parameters, perfect)
    for law in LAWS.values():
        law(case)


def _calls_can_be_chained(case: MetricCase) -> None:
    """Check that `update` and `merge` return the metric itself, `empty` another one."""
    law, metric = "calls can be chained", case.make_metric()
    if metric.update(*case.batches[0]) is not metric:
        _fail(law, "expected update to return the metric itself")
    if metric.empty() is metric:
        _fail(law, "expected empty to return another metric")
    if metric.merge(case.make_metric()) is not metric:
        _fail(law, "expected merge to return the metric itself")


def _sharding(case: MetricCase) -> None:
    """Check that any split of the batches, merged in any order, gives what one go gives."""
    whole = case.fed(case.batches)
    if case.whole is not None:
        _expect_equal("sharding", "one update with all data", case.fed([case.whole]), whole)
    for shards in _splits(case.batches):
        parts = [case.fed(shard) for shard in shards]
        merged = parts[0]
        for part in parts[1:]:
            merged.merge(part)
        sizes = " + ".join(str(len(shard)) for shard in shards)
        _expect_equal("sharding", f"shards of {sizes} batches, merged", merged, whole)


def _order(case: MetricCase) -> None:
    """Check that batches in any order give the same."""
    whole = case.fed(case.batches)
    for order in _orders(len(case.batches)):
        shuffled = case.fed([case.batches[i] for i in order])
        _expect_equal("order", f"batches in the order {order}", shuffled, whole)


def _associativity(case: MetricCase) -> None:
    """Check that merging (a, b) with c is merging a with (b, c)."""
    first, second, rest = case.batches[:1], case.batches[1:2], case.batches[2:]
    left = case.fed(first).merge(case.fed(second)).merge(case.fed(rest))
    right = case.fed(first).merge(case.fed(second).merge(case.fed(rest)))
    _expect_equal("associativity", "a merged with (b, c)", right, left)


def _neutral_element(case: MetricCase) -> None:
    """Check that a metric without data, on either side of a merge, changes nothing."""
    law, full = "neutral element", case.fed(case.batches)
    _expect_equal(law, "empty() of a metric with data", full.empty(), case.make_metric())
    _expect_equal(law, "empty merged with full", full.empty().merge(full), full)
    _expect_equal(law, "full merged with empty", case.fed(case.batches).merge(full.empty()), full)
    both = case.make_metric().merge(case.make_metric())
    _expect_equal(law, "empty merged with empty", both, case.make_metric())


def _merge_leaves_other(case: MetricCase) -> None:
    """Check that `merge` leaves `other` as it was, and what either absorbs later is its own."""
    law, *early, last = "merge leaves other", *case.batches
    half = len(early) // 2
    for mine in (early[:half], []):
        metric, other = case.fed(mine), case.fed(early[half:])
        before = _facts_of(other)
        metric.merge(other)
        _expect(law, "other after it was merged", _facts_of(other), before)
        metric.update(*last)
        _expect(law, "other after the merged metric absorbed more", _facts_of(other), before)
        before = _facts_of(metric)
        other.update(*last)
        _expect(law, "the merged metric after other absorbed more", _facts_of(metric), before)


def _purity_of_compute(case: MetricCase) -> None:
    """Check that `compute` changes nothing, at any time, and what it returned stays as it was."""
    law, metric = "purity of compute", case.make_metric()
    earlier, seen_earlier = metric.compute(), _flat(metric.compute())
    for n, batch in enumerate(case.batches, 1):
        metric.update(*batch)
        state = metric.to_bytes()
        result = metric.compute()
        seen = _flat(result)
        _expect(law, f"a second result after {n} batches", _flat(metric.compute()), seen)
        _expect(law, f"the state after compute, {n} batches", metric.to_bytes(), state)
        _expect(law, f"the result of {n - 1} batches after another", _flat(earlier), seen_earlier)
        earlier, seen_earlier = result, seen
    _expect_equal(law, "a metric computed after each batch", metric, case.fed(case.batches))


def _bytes_round_trip(case: MetricCase) -> None:
    """Check that a state goes to bytes and back, and that the metric then absorbs and merges on."""
    law, *early, last = "bytes round trip", *case.batches
    full = case.fed(case.batches)
    for batches, what in ((), "no data"), (early, "data"):
        metric = case.fed(batches)
        restored = type(metric).from_bytes(metric.to_bytes())
        _expect_equal(law, f"a restored metric with {what}", restored, metric)
    _expect_equal(law, "a restored metric that absorbed more", restored.update(*last), full)
    parts = [type(full).from_bytes(case.fed([batch]).to_bytes()) for batch in case.batches]
    for part in parts[1:]:
        parts[0].merge(part)
    _expect_equal(law, "restored shards, merged", parts[0], full)


def _copies(case: MetricCase) -> None:
    """Check that pickled and deep copies are equal to the metric and independent of it."""
    law, *early, last = "copies", *case.batches
    full = case.fed(case.batches)
    for how, duplicate in (
        ("pickled", _pickled_copy),
        ("deep", copy.deepcopy),
    ):
        metric = case.fed(early)
        twin = duplicate(metric)
        _expect_equal(law, f"the {how} copy", twin, metric)
        before = _facts_of(metric)
        twin.update(*last)
        _expect_equal(law, f"the {how} copy that absorbed more", twin, full)
        _expect(law, f"the metric after its {how} copy absorbed more", _facts_of(metric), before)


def _pickled_copy(metric: Any) -> Any:
    return pickle.loads(pickle.dumps(metric))


def _other_parameters_refused(case: MetricCase) -> None:
    """Check that metrics of other parameters don't merge, and stay as they were."""
    law, half = "other parameters refused", len(case.batches) // 2
    for make_other in case.other_parameters:
        for mine, theirs in (
            (case.batches[:half], case.batches[half:]),
            (case.batches, []),
            ([], case.batches),
        ):
            one, other = case.fed(mine), case._replace(make_metric=make_other).fed(theirs)
            for into, absorbed in (one, other), (other, one):
                before = _facts_of(into), _facts_of(absorbed)
                _expect_raises(law, f"{into!r} merged with {absorbed!r}", MergeError)(
                    into.merge, absorbed
                )
                _expect(law, "the metric after the refusal", _facts_of(into), before[0])
                _expect(law, "other after the refusal", _facts_of(absorbed), before[1])


def _bad_input_refused(case: MetricCase) -> None:
    """Check that data that cannot be evaluated raise an InputError."""
    for n, bad in enumerate(case.bad_batches):
        for what, metric in (
            ("an empty metric", case.make_metric()),
            ("a metric with data", case.fed(case.batches)),
        ):
            refused = f"bad batch {n} given to {what}"
            _expect_raises("bad input refused", refused, InputError)(metric.update, *bad)


def _failed_update_changes_nothing(case: MetricCase) -> None:
    """Check that an update that raises leaves the metric as it was, able to go on."""
    law, *early, last = "failed update changes nothing", *case.batches
    for n, bad in enumerate(case.bad_batches):
        for before in ((), early):
            metric = case.fed(before)
            facts = _facts_of(metric)
            _expect_raises(law, f"bad batch {n}", Exception)(metric.update, *bad)
            _expect(law, f"the metric after bad batch {n}", _facts_of(metric), facts)
        metric.update(*last)
        what = f"a metric that went on after bad batch {n}"
        _expect_equal(law, what, metric, case.fed(case.batches))


def _perfect_input(case: MetricCase) -> None:
    """Check that a prediction that is the truth gets the stated numbers, exactly."""
    if case.perfect is None:
        return
    batch, wanted = case.perfect
    result = case.fed([batch]).compute()
    got = {name: getattr(result, name) for name in wanted}
    _expect("perfect input", "headline numbers", _flat(got), _flat(dict(wanted)))


def _undefined_has_reasons(case: MetricCase) -> None:
    """Check that without data every number is NaN, and that NaN, and only NaN, has a reason."""
    law = "undefined has reasons"
    metric = case.make_metric()
    defined = [name for name, value in metric.compute().metrics.items() if not math.isnan(value)]
    if defined:
        _fail(law, f"expected NaN without data, got a value of {', '.join(defined)}")
    for n, batch in enumerate([(), *case.batches]):
        if batch:
            metric.update(*batch)
        result = metric.compute()
        explained = {entry.metric for entry in result.undefined if entry.class_name is None}
        undefined = {name for name, value in result.metrics.items() if math.isnan(value)}
        if explained != undefined:
            wrong = ", ".join(sorted(explained ^ undefined))
            _fail(law, f"{n} batches: expected a reason for each NaN and no other, not so: {wrong}")
        if not all(entry.reason for entry in result.undefined):
            _fail(law, f"{n} batches: expected reasons, got an empty one")


LAWS: Final[Mapping[str, Callable[[MetricCase], None]]] = {
    # First, for the others chain calls.
    "calls can be chained": _calls_can_be_chained,
    "sharding": _sharding,
    "order": _order,
    "associativity": _associativity,
    "neutral element": _neutral_element,
    "merge leaves other": _merge_leaves_other,
    "purity of compute": _purity_of_compute,
    "bytes round trip": _bytes_round_trip,
    "copies": _copies,
    "other parameters refused": _other_parameters_refused,
    "bad input refused": _bad_input_refused,
    "failed update changes nothing": _failed_update_changes_nothing,
    "perfect input": _perfect_input,
    "undefined has reasons": _undefined_has_reasons,
}
"""Every law by name; each takes a `MetricCase` and raises AssertionError where it is broken."""


def _splits(batches: Sequence[Batch]) -> Iterator[list[list[Batch]]]:
    """Yield ways to cut batches into shards: each alone, halves, interleaved, and random ones."""
    each = [[batch] for batch in batches]
    half = len(batches) // 2
    yield each
    yield each[::-1]
    yield [list(batches[half:]), list(batches[:half])]
    yield [list(batches[0::2]), list(batches[1::2])]
    random = np.random.default_rng(len(batches))
    for n_shards in (2, 3, 3):
        # A shard may stay empty: a process that got no data.
        shards: list[list[Batch]] = [[] for _ in range(n_shards)]
        for batch in batches:
            shards[random.integers(n_shards)].append(batch)
        yield shards


def _orders(n: int) -> Iterator[list[int]]:
    yield list(range(n))[::-1]
    yield [*range(1, n), 0]
    random = np.random.default_rng(n)
    for _ in range(3):
        yield random.permutation(n).tolist()


def _facts_of(metric: Any) -> dict[str, Any]:
    """Return all that can be seen of a metric."""
    return {"state": metric.to_bytes(), **_flat(metric.compute(), "result")}


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    """Return what a value holds, by path, as plain values that compare bit by bit."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind in "OU":  # the width of texts says nothing
            return {path: ("texts", value.shape, tuple(value.tolist()))}
        return {path: (value.dtype.str, value.shape, value.tobytes())}
    if isinstance(value, Mapping):
        parts = {f"[{key!r}]": part for key, part in value.items()}
    elif isinstance(value, (list, tuple)):
        parts = {f"[{i}]": part for i, part in enumerate(value)}
    elif dataclasses.is_dataclass(value):
        parts = {f".{f.name}": getattr(value, f.name) for f in dataclasses.fields(value)}
    elif hasattr(value, "__slots__"):
        parts = {f".{name}": getattr(value, name) for name in value.__slots__}
    else:
        # repr tells floats apart to the last bit, and one NaN is like another.
        return {path: repr(value)}
    flat: dict[str, Any] = {f"{path}()": sorted(parts)}
    for step, part in parts.items():
        flat |= _flat(part, path + step)
    return flat


def _expect_equal(law: str, what: str, got: Any, wanted: Any) -> None:
    _expect(law, what, _facts_of(got), _facts_of(wanted))


def _expect(law: str, what: str, got: Any, wanted: Any) -> None:
    if isinstance(got, bytes):
        got, wanted = {"state": got}, {"state": wanted}
    paths = [path for path in {**wanted, **got} if got.get(path) != wanted.get(path)]
    if paths:
        # Of a state only its bytes are known; a number says more.
        path = min(paths, key=lambda path: (path == "state", len(path)))
        _fail(
            law,
            f"{what}: differs in {first_few(paths)}; "
            f"{path} is {_shown(got.get(path))}, expected {_shown(wanted.get(path))}",
        )


def _shown(fact: Any) -> str:
    if isinstance(fact, bytes):
        return f"{len(fact)} bytes"
    if not isinstance(fact, tuple):
        return str(fact)
    dtype, shape, values = fact
    if dtype != "texts":
        values = np.frombuffer(values, dtype).tolist()
    return f"an array {shape} of {first_few(values)}"


def _expect_raises(law: str, what: str, error: type[Exception]) -> Callable[..., None]:
    """Return a function that calls another and fails where that does not raise the error."""

    def call(function: Callable[..., Any], *arguments: Any) -> None:
        try:
            function(*arguments)
        except error:
            return
        except Exception as other:
            _fail(law, f"{what}: expected {error.__name__}, got {type(other).__name__}: {other}")
        _fail(law, f"{what}: expected {error.__name__}, it was accepted")

    return call


def _fail(law: str, what: str) -> None:
    raise AssertionError(f"law broken: {law}: {what}")


# ---------------------------------------------------------------------------------------------
# Random detection data.

_SMALL_IDS: Final = (1, 2, 3, 5, 0, 7, -4)
_WIDE_IDS: Final = (2**53 + 1, 2**53, 2**60, 0, 1, 2**63 - 1, -(2**62))
_TEXT_IDS: Final = ("1", "10", "2", "", "Z", "a", "é", "\U0001f600", "a b")
# Few values, so that boxes coincide and overlap in simple fractions: areas of exactly 32² and
# 96², IoUs exactly at thresholds (10 × k in 10 × 20), no extent at all.
_PLACES: Final = (0.0, 10.0, 4.0, 0.5, -7.0, 100.0)
_SIZES: Final = (10.0, 20.0, 32.0, 96.0, 16.0, 64.0, 144.0, 11.0, 13.0, 15.0, 17.0, 19.0, 0.0, 0.1)
_EXTREME: Final = (1e150, 1e100, 1e-10, 1e-100, 1e-160, 1e16, 0.0, 10.0)
_SCORES: Final = (0.5, 0.9, 0.1, 0.0, -0.0, 1.0, 0.5000000000000001, -2.0, 1e-300, 0.30000001)
_AREAS: Final = (1024.0, 9216.0, 0.0, 1e10, 1023.9999999999999, 9216.000000000002, 2e10)


class _Rows(NamedTuple):
    """Boxes before they have ids: positions in lists, and values."""

    image: NDArray[np.int64]
    label: NDArray[np.int64]
    xywh: NDArray[np.float64]
    score: NDArray[np.float64]
    area: NDArray[np.float64]  # NaN: width times height
    crowd: NDArray[np.bool_]


def detection_batches(
    *,
    max_batches: int = 4,
    max_images: int = 5,
    max_classes: int = 3,
    wide_ids: bool = True,
    extreme: bool = False,
) -> SearchStrategy[list[tuple[Boxes, Boxes]]]:
    """Return a hypothesis strategy for batches (truth, pred) that one metric can absorb.

    Small data are drawn value by value and shrink well, larger ones come from a drawn seed. They
    have what evaluators stumble over: equal scores and equal IoUs, IoUs exactly at thresholds,
    areas exactly at the borders of size buckets, boxes without extent, crowds, images without
    truth or without predictions, annotation id 0, ids beyond 2⁵³, ids that are texts.

    Parameters
    ----------
    max_batches, max_images, max_classes : int
        Images are shared out to batches; there are no more batches than images.
    wide_ids : bool
        Whether ids may also be texts, or beyond 2⁵³.
    extreme : bool
        Whether coordinates and sizes may be so large that small differences vanish, or so small
        that areas nearly do.

    Examples
    --------
    >>> from hypothesis import given, settings
    >>> from snellen import AveragePrecision
    >>> @settings(deadline=None)
    ... @given(detection_batches())
    ... def recall_is_no_more_than_1(batches):
    ...     metric = AveragePrecision()
    ...     for truth, pred in batches:
    ...         metric.update(truth, pred)
    ...     assert not metric.compute().AR_100 > 1
    >>> recall_is_no_more_than_1()
    """
    from hypothesis import strategies as st

    @st.composite
    def batches(draw: st.DrawFn) -> list[tuple[Boxes, Boxes]]:
        id_pools = st.sampled_from((_SMALL_IDS, *((_WIDE_IDS, _TEXT_IDS) if wide_ids else ())))

        def some_ids(limit: int) -> list[int | str]:
            pool = draw(id_pools)
            size = min(limit, len(pool))
            return draw(st.lists(st.sampled_from(pool), unique=True, min_size=1, max_size=size))

        image_ids, class_ids = some_ids(max_images), some_ids(max_classes)
        n_images, n_classes = len(image_ids), len(class_ids)
        extents = _EXTREME if extreme and draw(st.booleans()) else _SIZES
        if draw(st.booleans()):
            truth, pred = (
                _rows_of(draw(_row_lists(n_images, n_classes, extents, size))) for size in (10, 16)
            )
        else:
            random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
            sizes = draw(st.integers(0, 40)), draw(st.integers(0, 150))
            truth, pred = _random_rows(random, *sizes, n_images, n_classes, extents)
        first_id = draw(st.sampled_from((1, 0, -3, 2**53 - 1, 2**60)))
        batch_of = np.array(
            draw(
                st.lists(
                    st.integers(0, min(max_batches, n_images) - 1),
                    min_size=n_images,
                    max_size=n_images,
                )
            )
        )
        classes = dict.fromkeys(class_ids, "")
        made = []
        for number in np.unique(batch_of).tolist():
            ids = [image_ids[i] for i in np.flatnonzero(batch_of == number)]
            pair = []
            for rows, is_truth in (truth, True), (pred, False):
                taken = np.flatnonzero(batch_of[rows.image] == number)
                columns: dict[str, Any] = (
                    {
                        "area": _area(rows)[taken],
                        "crowd": rows.crowd[taken],
                        "id": first_id + taken,
                    }
                    if is_truth
                    else {"score": rows.score[taken]}
                )
                pair.append(
                    Boxes.from_xywh(
                        rows.xywh[taken],
                        image_id=[image_ids[i] for i in rows.image[taken]],
                        label=[class_ids[i] for i in rows.label[taken]],
                        image_ids=ids,
                        classes=classes,
                        **columns,
                    )
                )
            made.append((pair[0], pair[1]))
        return made

    return batches()


def _row_lists(
    n_images: int, n_classes: int, extents: Sequence[float], max_size: int
) -> SearchStrategy[list[tuple[Any, ...]]]:
    from hypothesis import strategies as st

    place, extent = st.sampled_from(_PLACES), st.sampled_from(extents)
    if extents is _EXTREME:
        place = st.one_of(place, st.sampled_from((1e300, -1e300, 1e16)))
    row = st.tuples(
        st.integers(0, n_images - 1),
        st.integers(0, n_classes - 1),
        st.tuples(place, place, extent, extent),
        st.sampled_from(_SCORES),
        st.one_of(st.just(math.nan), st.sampled_from(_AREAS)),
        st.sampled_from((False, False, False, True)),
    )
    return st.lists(row, max_size=max_size)


def _rows_of(rows: Sequence[tuple[Any, ...]]) -> _Rows:
    image, label, xywh, score, area, crowd = zip(*rows, strict=True) if rows else ((),) * 6
    return _Rows(
        np.array(image, np.int64),
        np.array(label, np.int64),
        np.array(xywh, np.float64).reshape(-1, 4),
        np.array(score, np.float64),
        np.array(area, np.float64),
        np.array(crowd, np.bool_),
    )


def _random_rows(
    random: np.random.Generator,
    n_truth: int,
    n_pred: int,
    n_images: int,
    n_classes: int,
    extents: Sequence[float],
) -> tuple[_Rows, _Rows]:
    """Return truth, and predictions of which most are moved copies of it."""

    def rows(n: int) -> _Rows:
        xywh = np.concatenate(
            [random.choice(_PLACES, (n, 2)), random.choice(np.array(extents), (n, 2))], axis=1
        )
        return _Rows(
            random.integers(n_images, size=n),
            random.integers(n_classes, size=n),
            xywh,
            np.where(random.random(n) < 0.7, random.choice(_SCORES, n), random.random(n)),
            np.where(random.random(n) < 0.7, math.nan, random.choice(_AREAS, n)),
            random.random(n) < 0.15,
        )

    truth, pred = rows(n_truth), rows(n_pred)
    if not n_truth:
        return truth, pred
    source = random.integers(n_truth, size=n_pred)
    copied = random.random(n_pred) < 0.8
    moved = truth.xywh[source]
    stretched = random.choice((1.0, 0.5, 0.55, 0.6, 0.75, 0.9, 0.95), (n_pred, 2))
    moved[:, 2:] *= np.where(random.random((n_pred, 2)) < 0.5, stretched, 1.0)
    moved[:, :2] += np.where(random.random((n_pred, 2)) < 0.3, random.normal(size=(n_pred, 2)), 0.0)
    return truth, pred._replace(
        xywh=np.where(copied[:, None], moved, pred.xywh),
        image=np.where(copied, truth.image[source], pred.image),
        label=np.where(copied, truth.label[source], pred.label),
    )


def _area(rows: _Rows) -> NDArray[np.float64]:
    return np.where(np.isnan(rows.area), rows.xywh[:, 2] * rows.xywh[:, 3], rows.area)
