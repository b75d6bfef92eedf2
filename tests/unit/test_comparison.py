"""Comparing runs: what belongs together, which tests, which words."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from tests.mean_of_units import Mean

from snellen import (
    AveragePrecision,
    Boxes,
    Classification,
    ConfusionMatrix,
    Masks,
    set_threads,
)
from snellen.errors import ClassError, IdError, InputError, MergeError
from snellen.metric import Units
from snellen.statistics import bootstrap as bootstrap_module
from snellen.statistics import compare, holm, intervals, mcnemar


def runs(n: int = 60, k: int = 4, **options: Any) -> tuple[Classification, Classification]:
    """Return a bad and a better run over the same samples."""
    random = np.random.default_rng(5)
    truth = random.integers(0, k, n)
    bad, better = (
        np.where(random.random(n) < share, truth, random.integers(0, k, n)) for share in (0.3, 0.8)
    )
    ids = np.arange(n) + 1000
    return tuple(
        Classification().update(truth, pred, sample_id=ids, **options) for pred in (bad, better)
    )


# -------------------------------------------------------------------------------------------
# Tests and intervals.


def test_accuracy_is_tested_by_mcnemar() -> None:
    first, second = runs()
    result = compare(first, second, names=["old", "new"], replicates=200)
    accuracy, balanced, *_ = result.differences
    (test,) = result.mcnemar.values()
    assert test == mcnemar(test.only_first, test.only_second)
    assert accuracy.difference == pytest.approx((test.only_second - test.only_first) / 60)
    assert (accuracy.test, accuracy.p) == ("McNemar, exact", test.exact_p)
    assert (balanced.test, balanced.least_p) == ("permutation", 1 / 201)
    for found in result.differences:
        assert found.interval.low < found.difference < found.interval.high
        assert found.value_second - found.value_first == pytest.approx(found.difference)
    assert [found.adjusted_p for found in result.differences] == holm(
        [found.p for found in result.differences]
    ).tolist()


def test_weights_and_groups_know_no_mcnemar() -> None:
    for options in ({"weight": np.arange(60) % 3 + 1.0}, {"group": np.arange(60) // 4}):
        result = compare(*runs(**options), metrics=["accuracy"], per_class=False, replicates=50)
        assert not result.mcnemar
        assert result.differences[0].test == "permutation"
    assert (result.unit, result.n_units) == ("group", 15)


def test_random_swaps_estimate_all_swaps() -> None:
    random = np.random.default_rng(1)
    differences = random.integers(-2, 4, 13)
    first = dict.fromkeys(range(13), 0.0)
    second = {i: float(each) for i, each in enumerate(differences)}
    (found,) = compare(Mean(first), Mean(second), replicates=20_000).differences
    signs = np.array(list(itertools.product((-1, 1), repeat=13)))
    exact = (np.abs(signs @ differences) >= abs(differences.sum())).mean()
    assert 0.02 < exact < 0.5
    # Of 20,000 swaps; five standard deviations.
    assert found.p == pytest.approx(exact, abs=5 * math.sqrt(exact * (1 - exact) / 20_000))


def test_rounding_does_not_part_equal_differences() -> None:
    # 0.1 + 0.2 + 0.3 and 0.3 + 0.2 + 0.1 differ in the last bit; so might the swaps' sums. The same
    # of numbers so small, and so large, that no absolute tolerance would do.
    for scale in (1e-20, 1.0, 1e20):
        first = dict.fromkeys(range(6), 0.0)
        second = {i: scale * each for i, each in enumerate((0.1, 0.2, 0.3, 0.3, 0.2, 0.1))}
        (found,) = compare(Mean(first), Mean(second), replicates=10).differences
        assert found.p == 2 / 64


def test_a_run_does_not_differ_from_itself() -> None:
    first, _ = runs()
    result = compare(first, first, replicates=50)
    for found in (*result.differences, *result.class_differences):
        assert (found.difference, found.p, found.adjusted_p) == (0.0, 1.0, 1.0)
        assert (found.interval.low, found.interval.high) == (0.0, 0.0)
        assert not result.is_significant(found)


def test_classes_of_all_pairs_are_one_family() -> None:
    first, second = runs()
    third = second.empty().merge(second)
    result = compare(first, second, third, replicates=40)
    assert len(result.class_differences) == 3 * 4
    assert [found.adjusted_p for found in result.class_differences] == holm(
        [found.p for found in result.class_differences]
    ).tolist()
    text = str(result)
    assert text.count("right only in") == 3
    assert result.class_table().count("f1 by class") == 3


def test_threads_and_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = compare(*runs(), replicates=100, seed=9).to_dict()
    try:
        for threads, at_once in ((1, 1), (3, 500), (2, 1 << 22)):
            set_threads(threads)
            monkeypatch.setattr(bootstrap_module, "_AT_ONCE", at_once)
            assert compare(*runs(), replicates=100, seed=9).to_dict() == wanted
    finally:
        set_threads(None)
    assert compare(*runs(), replicates=100, seed=10).to_dict() != wanted


# -------------------------------------------------------------------------------------------
# What belongs together.


def test_classes_are_told_by_id() -> None:
    """A class that one run alone predicts shifts the positions of others, and no number."""
    truth, ids = ["b", "c", "d"] * 8, range(24)
    first = Classification().update(truth, ["b", "c", "d"] * 8, sample_id=ids)
    second = Classification().update(truth, ["a", "c", "d"] * 8, sample_id=ids)
    result = compare(first, second, replicates=50)
    accuracy = result.differences[0]
    assert (accuracy.value_first, accuracy.value_second) == (1.0, 2 / 3)
    # F1 of b: 1 and 0; of c and d 1 and 1; a has no samples, in the first run no predictions.
    assert [(one.class_name, one.difference) for one in result.class_differences] == [
        ("b", -1.0),
        ("c", 0.0),
        ("d", 0.0),
    ]
    for run in (first, second):
        alone = run.compute()
        name = "A" if run is first else "B"
        for metric, value in result.values[name].items():
            assert value == pytest.approx(alone.metrics[metric], rel=1e-12)


def test_classes_of_scores_are_fixed() -> None:
    scores = np.full((6, 3), 1 / 3)
    first = Classification(["a", "b", "c"], scores="probabilities")
    second = Classification(["a", "b", "x"], scores="probabilities")
    for metric in (first, second):
        metric.update([0, 1, 0, 1, 0, 1], scores, sample_id=range(6))
    with pytest.raises((ClassError, MergeError), match="expected"):
        compare(first, second)


def test_truth_of_samples_is_compared() -> None:
    first = Classification().update([0, 1, 1], [0, 1, 1], sample_id=[7, 8, 9])
    other = Classification().update([0, 1, 0], [0, 1, 1], sample_id=[7, 8, 9])
    with pytest.raises(InputError, match=r"different truth for the same samples \(9\)"):
        compare(first, other)
    heavier = Classification().update(
        [0, 1, 1], [0, 1, 1], sample_id=[7, 8, 9], weight=[1.0, 2.0, 1.0]
    )
    with pytest.raises(InputError, match=r"different truth for the same samples \(8\)"):
        compare(first, heavier)


def test_truth_of_groups_is_compared() -> None:
    def run(ids: list[int], truth: list[int]) -> Classification:
        return Classification().update(
            truth, [0, 1, 1, 0], sample_id=ids, group=["g", "g", "h", "h"]
        )

    first = run([1, 2, 3, 4], [0, 1, 0, 1])
    assert compare(first, run([1, 2, 3, 4], [0, 1, 0, 1]), replicates=10).n_units == 2
    # The same labels in each group, of other samples.
    with pytest.raises(InputError, match=r"different truth for the same groups \(g\)"):
        compare(first, run([1, 2, 3, 4], [1, 0, 0, 1]))
    with pytest.raises(InputError, match=r"different truth for the same groups \(h\)"):
        compare(first, run([1, 2, 5, 6], [0, 1, 0, 1]))


def test_other_kinds_and_rules_are_refused() -> None:
    first, _ = runs()
    with pytest.raises(InputError, match="got Classification in A and ConfusionMatrix in B"):
        compare(first, ConfusionMatrix())
    beta = Classification(beta=2).update([0], [0], sample_id=[1])
    with pytest.raises(MergeError, match="expected A and B under the same rules"):
        compare(first, beta)
    nameless = Classification().update([0, 1], [0, 1])
    with pytest.raises(IdError, match="expected samples with ids"):
        compare(nameless, nameless)
    with pytest.raises(InputError, match="expected samples without weights that need not be told"):
        compare(ConfusionMatrix(), ConfusionMatrix())


def test_boxes_are_not_compared_with_masks() -> None:
    # The rules say "what objects are": IoU of boxes here, of masks there.
    found = {"image_id": [1], "label": [1]}
    truth = Boxes.from_xywh([[0, 0, 2, 2]], **found)
    pred = Boxes.from_xywh([[0, 0, 2, 2]], score=[0.5], **found)
    pixels = np.ones((1, 2, 2), np.bool_)
    masks = Masks.from_masks(pixels, **found), Masks.from_masks(pixels, score=[0.5], **found)
    boxes = AveragePrecision().update(truth, pred)
    with pytest.raises(MergeError, match="got similarity mask instead of box"):
        compare(boxes, AveragePrecision().update(*masks))
    # Of masks the boxes may be what is compared.
    compare(boxes, AveragePrecision(similarity="box").update(*masks), replicates=10)


def test_no_samples() -> None:
    nothing = Classification()
    with pytest.raises(IdError, match="expected samples with ids"):
        compare(nothing, nothing)
    empty = Classification().update(
        np.zeros(0, np.int64), np.zeros(0, np.int64), sample_id=np.zeros(0, np.int64)
    )
    result = compare(empty, empty, replicates=10)
    assert math.isnan(result.differences[0].difference)
    assert "accuracy is not defined for both of A and B" in result.claims()


# -------------------------------------------------------------------------------------------
# Words.


def test_claims() -> None:
    first = dict.fromkeys(range(10), 0.0)
    second = dict.fromkeys(range(10), 0.25)
    (found,) = compare(Mean(first), Mean(second), names=["x", "y"], replicates=20).differences
    assert found.p == 2 / 1024
    assert compare(Mean(first), Mean(second), names=["x", "y"], replicates=20).claims() == [
        "mean: y is better than x by 0.2500 (95 % interval of the difference +0.2500 to +0.2500; "
        "permutation, all: p = 0.0020, adjusted 0.0020)"
    ]


def test_less_of_a_loss_is_better() -> None:
    first = dict.fromkeys(range(10), 0.0)
    second = dict.fromkeys(range(10), 0.25)
    lower = [Mean(values, lower_is_better=True) for values in (first, second)]
    result = compare(*lower, names=["x", "y"], replicates=20)
    assert result.better(result.differences[0]) == "x"
    assert result.claims()[0].startswith("mean: x is better than y by 0.2500 (")


def test_of_a_signed_error_neither_is_better() -> None:
    numbers = (dict.fromkeys(range(10), value) for value in (-0.25, 0.0))
    result = compare(
        *(Mean(values, neither_is_better=True) for values in numbers),
        names=["x", "y"],
        replicates=20,
    )
    (found,) = result.differences
    assert result.is_significant(found)
    assert result.better(found) is None
    assert result.claims()[0].startswith("mean: y has 0.2500 more than x (95 % interval")
    assert result.to_dict()["differences"][0]["better"] is None


def test_too_few_replicates_are_said() -> None:
    result = compare(*runs(), replicates=50)
    # Three tests with p-values from 1/51: 3/51 > 0.05 >= 3/60. McNemar's has no such bound.
    assert result.claims()[4:] == [
        "none of the 3 permutation tests could have found a difference, however large: "
        "50 replicates are too few, 59 are needed",
        "f1 of single classes: 0 of 4 differences between A and B can be claimed",
        "none of the 4 permutation tests of single classes could have found a difference, however "
        "large: 50 replicates are too few, 79 are needed",
    ]
    assert not any("however large" in each for each in compare(*runs(), replicates=100).claims())


def test_names_from_outside_do_not_break_lines() -> None:
    result = compare(*runs(), names=["a\nb", "c\x1b[31m"], replicates=10, per_class=False)
    assert "\x1b" not in str(result)
    assert "a\\nb" in str(result)


# -------------------------------------------------------------------------------------------
# Intervals of numbers that are not always defined.


class Sometimes:
    """A number that is defined only where a unit of the first kind was drawn."""

    def __init__(self, *counts: int) -> None:
        self.counts = np.array(counts)

    def units(self, *, each: bool = False) -> Units:
        assert not each

        def values(times: Any) -> dict[str, Any]:
            share = times[:, 0] / times.sum(axis=1)
            return {"share": np.where(times[:, 0] > 0, share, np.nan)}

        return Units("sample", self.counts, None, values, "", None, None)


def test_undefined_replicates_are_left_out_and_said() -> None:
    found = intervals(Sometimes(5, 95))["share"]  # (1 − 5/100)^100 = 0.6 % have none
    n = int(found.note.removeprefix("undefined in ").split()[0])
    assert 0 < n < 20
    assert found.note == f"undefined in {n} of 1,000 replicates"
    assert -0.01 < found.low < 0.05 < found.high
    found = intervals(Sometimes(1, 9))["share"]  # 0.9^10 = 35 %
    assert math.isnan(found.low)
    assert math.isnan(found.high)
    assert found.note.startswith("undefined in 3")
    assert intervals(Sometimes(0, 9))["share"].note == "undefined"


def test_methods() -> None:
    metric = Sometimes(30, 70)
    percentile, basic, bca = (
        intervals(metric, method=method)["share"] for method in ("percentile", "basic", "bca")
    )
    # Mirrored at 0.3.
    assert basic.low == pytest.approx(0.6 - percentile.high)
    assert basic.high == pytest.approx(0.6 - percentile.low)
    assert (basic.method, bca.method) == ("bootstrap, basic", "bootstrap, bca")
    assert abs(bca.low - percentile.low) < 0.03
    # One kind of unit: every replicate is the number itself, which is no certainty.
    same = intervals(Sometimes(7), method="bca")["share"]
    assert math.isnan(same.low)
    assert same.note == "all replicates are equal: these samples do not tell how others vary"
    with pytest.raises(InputError, match=r'got "bcaa"\. Did you mean "bca"'):
        intervals(metric, method="bcaa")


def test_intervals_stay_where_numbers_can_be() -> None:
    metric = Classification().update([0, 1] * 10, [0, 1] * 9 + [1, 1], sample_id=range(20))
    found = intervals(metric, names=["f1_macro", "mcc"])
    value = metric.compute().f1_macro
    # The lowest replicates lie farther below than 1 lies above.
    assert found["f1_macro"].low < value < found["f1_macro"].high == 1.0
    assert found["mcc"].high == 1.0


def test_differences_stay_where_they_can_be() -> None:
    truth, ids = [0, 1] * 5, range(10)
    wrong = [*[1, 0] * 4, 1, 1]  # all but the last
    runs_of = [Classification().update(truth, p, sample_id=ids) for p in (wrong, truth)]
    result = compare(*runs_of, metrics=["accuracy", "mcc"], replicates=200)
    accuracy, mcc = result.differences
    # Mirrored at 0.9 the lowest replicates lie above 1; from -1 to 1 there are 2.
    assert accuracy.interval.low < 0.9
    assert accuracy.interval.high == 1.0
    assert 1.0 < mcc.difference < mcc.interval.high <= 2.0
    assert all(found.interval.high <= 1.0 for found in result.class_differences)


def test_basic_takes_out_a_bias() -> None:
    """Of many rare classes macro F1 is too low, and lower still in replicates."""
    random = np.random.default_rng(0)
    truth = random.integers(0, 100, 400)
    pred = np.where(random.random(400) < 0.6, truth, random.integers(0, 100, 400))
    metric = ConfusionMatrix().update(truth, pred)
    value = metric.compute().f1_macro
    percentile, basic = (
        intervals(metric, names=["f1_macro"], method=method)["f1_macro"]
        for method in ("percentile", "basic")
    )
    assert (percentile.low + percentile.high) / 2 < value < (basic.low + basic.high) / 2


def test_what_bca_cannot_correct() -> None:
    class Highest(Sometimes):
        def units(self, *, each: bool = False) -> Units:
            def values(times: Any) -> dict[str, Any]:
                return {"n": (times > 0).sum(axis=1).astype(np.float64)}

            return super().units(each=each)._replace(values=values)

    # Of ten different units no replicate has all, save one in 2,756.
    found = intervals(Highest(*[1] * 10), method="bca", replicates=100)["n"]
    assert math.isnan(found.low)
    assert found.note.startswith("all replicates lie on one side")
