"""What every metric of labels owes its data: the same number for the same thing said otherwise."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snellen import Classes, ConfusionMatrix, Labels, MultilabelConfusion

# Means over classes add in the order of the classes; renaming reorders them. Eight classes, each
# addition off by half a unit. Kappa and Matthews, near 0, are differences of larger numbers.
REORDERED = {"rel": 1e-13, "abs": 1e-14}
RULES = st.sampled_from(
    [
        {"absent_classes": absent, "zero_division": zero}
        for absent in ("drop", "zero", "one")
        for zero in (0.0, 1.0, math.nan)
    ]
)
# Of numbers of classes and their averages: those that are shares.
SHARES = ("precision", "recall", "f1", "f2", "jaccard", "specificity", "npv", "accuracy")


class Data(NamedTuple):
    """Single labels (n,), or sets of labels (n, K), of K classes on both sides."""

    truth: np.ndarray
    pred: np.ndarray
    weight: np.ndarray
    n_classes: int


@st.composite
def labels(draw: st.DrawFn) -> Data:
    """Return labels of up to eight classes; any may be absent; weights are whole, and may be 0."""
    k = draw(st.integers(2, 8))
    rows = st.tuples(st.integers(0, k - 1), st.integers(0, k - 1), st.integers(0, 3))
    table = np.array(draw(st.lists(rows, max_size=40)), np.int64).reshape(-1, 3)
    return Data(table[:, 0], table[:, 1], table[:, 2], k)


@st.composite
def sets(draw: st.DrawFn) -> Data:
    k = draw(st.integers(1, 8))
    member = st.integers(0, 2**k - 1)
    rows = draw(st.lists(st.tuples(member, member, st.integers(0, 3)), max_size=40))
    table = np.array(rows, np.int64).reshape(-1, 3)
    bits = np.arange(k)
    truth, pred = ((table[:, i, None] >> bits & 1).astype(bool) for i in (0, 1))
    return Data(truth, pred, table[:, 2], k)


def single(data: Data, **parameters: Any) -> Any:
    metric = ConfusionMatrix(Classes(range(data.n_classes)), beta=2, **parameters)
    return metric.update(data.truth, data.pred)


def multi(data: Data, **parameters: Any) -> Any:
    metric = MultilabelConfusion(Classes(range(data.n_classes)), beta=2, **parameters)
    return metric.update(data.truth, data.pred)


def same(ours: Any, theirs: Any, **tolerance: float) -> None:
    """Compare headline numbers and numbers of classes; without tolerance, to the last bit."""
    assert ours.metrics.keys() == theirs.metrics.keys()
    for name, value in ours.metrics.items():
        if tolerance:
            assert value == pytest.approx(theirs.metrics[name], nan_ok=True, **tolerance), name
        else:
            np.testing.assert_array_equal(value, theirs.metrics[name], name)
    if not tolerance:
        for name, values in ours.class_values().items():
            np.testing.assert_array_equal(values, theirs.class_values()[name], name)


BOTH = pytest.mark.parametrize(
    ("make", "data"), [(single, labels()), (multi, sets())], ids=["labels", "sets"]
)
FEW = settings(max_examples=60, deadline=None)


@BOTH
def test_order(make: Any, data: Any) -> None:
    @FEW
    @given(data, RULES, st.integers(0, 9))
    def law(data: Data, rule: dict[str, Any], seed: int) -> None:
        order = np.random.default_rng(seed).permutation(len(data.truth))
        shuffled = data._replace(truth=data.truth[order], pred=data.pred[order])
        same(make(shuffled, **rule).compute(), make(data, **rule).compute())

    law()


@BOTH
def test_merge(make: Any, data: Any) -> None:
    @FEW
    @given(data, RULES, st.integers(0, 40))
    def law(data: Data, rule: dict[str, Any], cut: int) -> None:
        parts = [
            make(data._replace(truth=data.truth[part], pred=data.pred[part]), **rule)
            for part in (slice(cut), slice(cut, None))
        ]
        whole = make(data, **rule)
        assert parts[0].merge(parts[1]).to_bytes() == whole.to_bytes()
        same(parts[0].compute(), whole.compute())

    law()


@BOTH
def test_weights_are_repetition(make: Any, data: Any) -> None:
    @FEW
    @given(data, RULES)
    def law(data: Data, rule: dict[str, Any]) -> None:
        repeated = data._replace(
            truth=data.truth.repeat(data.weight, axis=0), pred=data.pred.repeat(data.weight, axis=0)
        )
        weighted = make(data._replace(truth=data.truth[:0], pred=data.pred[:0]), **rule)
        weighted.update(data.truth, data.pred, weight=data.weight)
        ours, theirs = weighted.compute(), make(repeated, **rule).compute()
        same(ours, theirs)
        for name in ("tp", "fp", "fn", "tn"):
            np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))

    law()


@FEW
@given(labels(), RULES, st.integers(0, 9))
def test_renamed_labels(data: Data, rule: dict[str, Any], seed: int) -> None:
    place = np.random.default_rng(seed).permutation(data.n_classes)
    renamed = data._replace(truth=place[data.truth], pred=place[data.pred])
    positive = int(place[1]) if data.n_classes == 2 else None
    ours = single(renamed, positive=positive, **rule).compute()
    theirs = single(data, **rule).compute()
    np.testing.assert_array_equal(ours.matrix[np.ix_(place, place)], theirs.matrix)
    for name, values in ours.class_values().items():
        np.testing.assert_array_equal(values[place], theirs.class_values()[name])
    for name, value in ours.metrics.items():
        if name not in ("kappa_linear", "kappa_quadratic"):  # their classes are ordered
            assert value == pytest.approx(theirs.metrics[name], nan_ok=True, **REORDERED), name
    # Texts in the order of the numbers are the same classes.
    texts = np.array([f"class {k}" for k in range(data.n_classes)])
    metric = ConfusionMatrix(Classes(texts.tolist()), beta=2, **rule)
    if data.n_classes > 2:  # classes 0 and 1 alone have a positive one
        named = metric.update(Labels.of(texts[data.truth]), Labels.of(texts[data.pred]))
        same(named.compute(), theirs)


@FEW
@given(sets(), RULES, st.integers(0, 9))
def test_renamed_sets(data: Data, rule: dict[str, Any], seed: int) -> None:
    place = np.random.default_rng(seed).permutation(data.n_classes)
    renamed = data._replace(truth=data.truth[:, place], pred=data.pred[:, place])
    ours, theirs = multi(renamed, **rule).compute(), multi(data, **rule).compute()
    for name, values in ours.class_values().items():
        np.testing.assert_array_equal(values, theirs.class_values()[name][place])
    same(ours, theirs, **REORDERED)


SWAPPED = {"precision": "recall", "recall": "precision"}
OWN = ("f1", "jaccard", "accuracy", "mcc")  # that don't know which side is truth
# Averages over classes keep their weights, those of truth: only micro, macro and samples swap.


@BOTH
def test_truth_and_predictions_swapped(make: Any, data: Any) -> None:
    @FEW
    @given(data, RULES)
    def law(data: Data, rule: dict[str, Any]) -> None:
        swapped = make(data._replace(truth=data.pred, pred=data.truth), **rule).compute()
        result = make(data, **rule).compute()
        np.testing.assert_array_equal(swapped.fp, result.fn)
        if make is single:
            np.testing.assert_array_equal(swapped.matrix, result.matrix.T)
        partner = {**SWAPPED, **{name: name for name in OWN}}
        values = result.class_values()
        for name, other in partner.items():
            if name in values:
                np.testing.assert_array_equal(swapped.class_values()[name], values[other])
            for how in ("micro", "macro", "samples"):
                if f"{name}_{how}" in result.metrics:
                    ours = swapped.metrics[f"{name}_{how}"]
                    np.testing.assert_array_equal(ours, result.metrics[f"{other}_{how}"])
        for name in ("accuracy", "hamming", "subset_accuracy"):
            if name in result.metrics:
                np.testing.assert_array_equal(swapped.metrics[name], result.metrics[name])
        # Agreement adds the same products in another order.
        for name in ("mcc", "kappa", "kappa_linear", "kappa_quadratic"):
            if name in result.metrics:
                wanted = pytest.approx(result.metrics[name], nan_ok=True, **REORDERED)
                assert swapped.metrics[name] == wanted

    law()


@FEW
@given(labels(), RULES)
def test_micro_is_accuracy(data: Data, rule: dict[str, Any]) -> None:
    result = single(data, **rule).compute()
    # F1 and recall divide numbers of which one pair is twice the other; F2's factor 5 is exact too.
    for name in ("precision_micro", "recall_micro", "f1_micro", "f2_micro", "recall_weighted"):
        if name == "recall_weighted" and (result.support == 0).any():
            continue  # classes without truth have weight 0 but may be left out
        tolerance = {"rel": 1e-15} if name == "recall_weighted" else {"rel": 0, "abs": 0}
        wanted = pytest.approx(result.accuracy, nan_ok=True, **tolerance)
        assert result.metrics[name] == wanted, name
    assert result.hamming == pytest.approx(1 - result.accuracy, nan_ok=True, rel=1e-15, abs=1e-15)


@BOTH
def test_bounds(make: Any, data: Any) -> None:
    @FEW
    @given(data, RULES)
    def law(data: Data, rule: dict[str, Any]) -> None:
        result = make(data, **rule).compute()
        for name, value in result.metrics.items():
            low = 0.0
            if name.startswith(("mcc", "kappa")):
                low = -math.inf if name.startswith("kappa_") else -1.0
            high = math.inf if name.startswith(("lr_", "cardinality")) else 1.0
            assert math.isnan(value) or low - 1e-12 <= value <= high + 1e-12, (name, value)
        for name in SHARES:
            if name in result.class_values():
                values = result.class_values()[name]
                assert ((values >= 0) & (values <= 1) | np.isnan(values)).all(), name

    law()


@BOTH
def test_what_is_undefined_has_a_reason(make: Any, data: Any) -> None:
    @FEW
    @given(data, RULES)
    def law(data: Data, rule: dict[str, Any]) -> None:
        result = make(data, **rule).compute()
        undefined = {name for name, value in result.metrics.items() if math.isnan(value)}
        assert {entry.metric for entry in result.undefined} == undefined
        assert all(entry.reason for entry in result.undefined)
        names = result.classes.display_names()
        of_classes = {
            (name, names[k])
            for name, values in result.class_values().items()
            for k in np.flatnonzero(np.isnan(values)).tolist()
        }
        reasons = result.undefined_of_classes()
        assert {(entry.metric, entry.class_name) for entry in reasons} == of_classes

    law()


@FEW
@given(labels(), RULES)
def test_a_single_label_is_a_set_of_one(data: Data, rule: dict[str, Any]) -> None:
    one_hot = np.eye(data.n_classes, dtype=bool)
    several = multi(data._replace(truth=one_hot[data.truth], pred=one_hot[data.pred]), **rule)
    ours, theirs = several.compute(), single(data, **rule).compute()
    for name in ("tp", "fp", "fn", "tn"):
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name))
    for name, value in theirs.metrics.items():
        if name.endswith(("_macro", "_weighted", "_micro")):
            np.testing.assert_array_equal(ours.metrics[name], value, name)
    np.testing.assert_array_equal(ours.subset_accuracy, theirs.accuracy)
