"""Intervals, tests and comparisons on cases worked by hand, and what must always hold."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests.mean_of_units import Mean

from snellen import (
    Classification,
    ConfusionMatrix,
    Regression,
    Segmentation,
    _core,
    set_threads,
)
from snellen.errors import IdError, InputError
from snellen.statistics import bootstrap as bootstrap_module
from snellen.statistics import (
    clopper_pearson,
    compare,
    holm,
    intervals,
    mcnemar,
    wilson,
)

# ---------------------------------------------------------------------------------------------
# Closed forms.


def test_wilson_by_hand() -> None:
    # z = 1.959964, z² = 3.841459. Centre (0.8 + 3.841459/20) / (1 + 3.841459/10) = 0.7167402;
    # half: 1.959964 / 1.3841459 · sqrt(0.016 + 3.841459/400) = 0.2265778.
    low, high = wilson(8, 10)
    assert low == pytest.approx(0.7167402 - 0.2265778, abs=2e-7)
    assert high == pytest.approx(0.7167402 + 0.2265778, abs=2e-7)


def test_intervals_at_the_ends() -> None:
    assert wilson(0, 10)[0] == 0.0
    assert wilson(10, 10)[1] == 1.0
    assert clopper_pearson(0, 10)[0] == 0.0
    assert clopper_pearson(10, 10)[1] == 1.0
    # P(X = 0) = (1 − p)^10 = 0.025
    assert clopper_pearson(0, 10)[1] == pytest.approx(1 - 0.025**0.1, rel=1e-13)
    assert all(map(math.isnan, (*wilson(0, 0), *clopper_pearson(0, 0))))


@pytest.mark.parametrize(("successes", "trials", "level"), [(-1, 3, 0.9), (4, 3, 0.9), (1, 3, 1.0)])
def test_proportions_refuse(successes: int, trials: int, level: float) -> None:
    for interval in (wilson, clopper_pearson):
        with pytest.raises(InputError, match="expected"):
            interval(successes, trials, level=level)


def test_mcnemar_by_hand() -> None:
    # 12 discordant: 1 + 12 + 66 = 79 of 4096 ways have at most 2.
    test = mcnemar(10, 2)
    assert test.exact_p == 2 * 79 / 4096
    assert test.mid_p == (2 * 79 - 66) / 4096
    assert test.chi2 == 64 / 12
    assert mcnemar(2, 10)[2:] == test[2:]
    # 3:3 of 6: at most 3 is 42 of 64, doubled more than 1; mid-p 2 · 42/64 − 20/64 = 1.
    assert (mcnemar(3, 3).exact_p, mcnemar(3, 3).mid_p) == (1.0, 1.0)
    assert mcnemar(0, 0).exact_p == 1.0
    assert math.isnan(mcnemar(0, 0).chi2)
    with pytest.raises(InputError, match="expected counts"):
        mcnemar(-1, 0)


def test_holm_by_hand() -> None:
    # Sorted 0.01, 0.02, 0.03, 0.2 times 4, 3, 2, 1: 0.04, 0.06, 0.06, 0.2.
    assert holm([0.02, 0.2, 0.01, 0.03]) == pytest.approx([0.06, 0.2, 0.04, 0.06])
    assert holm([0.9, 0.8]).tolist() == [1.0, 1.0]
    mixed = holm([0.01, math.nan])
    assert mixed[0] == 0.01
    assert math.isnan(mixed[1])
    assert holm([]).tolist() == []
    with pytest.raises(InputError, match="p-values from 0 to 1"):
        holm([1.5])


# ---------------------------------------------------------------------------------------------
# Draws.


def mixed(z: int) -> int:
    """Return SplitMix64's finaliser, in whole numbers."""
    mask = 2**64 - 1
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & mask
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB & mask
    return z ^ (z >> 31)


def drawn(counts: list[int], seed: int, replicate: int) -> list[int]:
    """Return the multiplicities of one replicate, by the rule that the header states."""
    golden, mask = 0x9E3779B97F4A7C15, 2**64 - 1
    kind_of = [kind for kind, count in enumerate(counts) for _ in range(count)]
    counter = mixed((mixed((seed + golden) & mask) + golden * (2 * replicate + 1)) & mask)
    times = [0] * len(counts)
    for _ in kind_of:
        counter = (counter + golden) & mask
        times[kind_of[mixed(counter) * len(kind_of) >> 64]] += 1
    return times


@pytest.mark.parametrize("counts", [[1] * 7, [3, 0, 5, 1], [1], [1000, 24]])
def test_multiplicities_follow_the_stated_rule(counts: list[int]) -> None:
    got = _core.multiplicities(np.array(counts), 2**64 - 3, 5, 4)
    assert got.tolist() == [drawn(counts, 2**64 - 3, 5 + r) for r in range(4)]
    assert (got.sum(axis=1) == sum(counts)).all()


def test_draws_are_uniform() -> None:
    # 50 units in 2,000 replicates: each is drawn 2,000 times on average, of variance
    # 100,000 · 1/50 · 49/50; the sum of squared deviations over the mean is chi² of 49 degrees
    # of freedom, which exceeds 100 in less than 3 of 100,000 cases.
    times = _core.multiplicities(np.ones(50, np.int64), 1, 0, 2000).sum(axis=0)
    assert ((times - 2000) ** 2 / 2000).sum() < 100
    # Half of the bits are set: 100,000 of them, to 5 standard deviations.
    bits = _core.random_bits(50, 1, 0, 2000)
    assert abs(int(bits.sum()) - 50_000) < 5 * math.sqrt(100_000) / 2
    assert set(np.unique(bits).tolist()) == {0, 1}


def test_threads_and_chunks_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(0)
    truth = random.integers(0, 5, 300)
    pred = np.where(random.random(300) < 0.7, truth, random.integers(0, 5, 300))
    metric = ConfusionMatrix().update(truth, pred)
    wanted = intervals(metric, replicates=200, seed=3)
    try:
        for threads, at_once in ((1, 1), (3, 700), (2, 1 << 22)):
            set_threads(threads)
            monkeypatch.setattr(bootstrap_module, "_AT_ONCE", at_once)
            assert intervals(metric, replicates=200, seed=3) == wanted
    finally:
        set_threads(None)
    assert intervals(metric, replicates=200, seed=4) != wanted


# ---------------------------------------------------------------------------------------------
# Intervals of a metric.


def test_intervals_equal_a_plain_bootstrap() -> None:
    """The same draws, made into arrays of labels and given to the metric: the same numbers."""
    random = np.random.default_rng(1)
    truth = np.sort(random.integers(0, 4, 60))
    pred = np.where(random.random(60) < 0.6, truth, random.integers(0, 4, 60))
    order = np.lexsort((pred, truth))
    truth, pred = truth[order], pred[order]
    metric = ConfusionMatrix(classes=["a", "b", "c", "d"]).update(truth, pred)
    cells, first = np.unique(truth * 4 + pred, return_index=True)
    times = _core.multiplicities(np.diff([*first, 60]), 0, 0, 100)
    values = []
    for row in times:
        repeated = np.repeat(cells, row)
        values.append(metric.empty().update(repeated // 4, repeated % 4).compute().metrics)
    found = intervals(metric, replicates=100, method="percentile")
    for name in ("f1_macro", "mcc", "kappa_quadratic", "precision_weighted", "jaccard_macro"):
        low, high = np.quantile([each[name] for each in values], [0.025, 0.975])
        assert (found[name].low, found[name].high) == pytest.approx((low, high), rel=1e-9)
        assert found[name].method == "bootstrap, percentile"
    right = int((truth == pred).sum())
    assert found["accuracy"][:2] == wilson(right, 60)
    assert found["accuracy"].method == "Wilson"


def test_intervals_of_one_sample_and_of_none() -> None:
    # One sample: every data set drawn is that one, which says nothing.
    found = intervals(ConfusionMatrix().update([0], [0]), replicates=20)
    assert math.isnan(found["f1_macro"].low)
    assert found["f1_macro"].note == "a single sample does not tell how others vary"
    assert found["accuracy"][:2] == wilson(1, 1)
    assert math.isnan(intervals(ConfusionMatrix(), replicates=20)["accuracy"].low)


def test_replicates_that_are_all_equal_are_no_certainty() -> None:
    for method in ("basic", "percentile", "bca"):
        for pred, constant in (([0, 1, 0, 1, 0, 1], True), ([0, 1, 0, 1, 0, 0], False)):
            metric = ConfusionMatrix([0, 1]).update([0, 1, 0, 1, 0, 1], pred)
            found = intervals(metric, replicates=100, names=["f1_micro"], method=method)["f1_micro"]
            assert math.isnan(found.low) == math.isnan(found.high) == constant
            assert (found.note.partition(":")[0] == "all replicates are equal") == constant
    # Sums of 0.1 are rounded: a mean of them that differs in the last bits varies no more.
    errors = Regression(keep_samples=True).update([0.0] * 7, [0.1] * 7)
    found = intervals(errors, replicates=100, names=["mae"])["mae"]
    assert (math.isnan(found.low), found.method) == (True, "bootstrap, basic")


def test_intervals_refuse() -> None:
    metric = ConfusionMatrix().update([0, 1], [0, 1])
    for options, message in (
        ({"level": 1.5}, "a confidence between 0 and 1"),
        ({"replicates": 3}, "10 to 10,000,000 replicates, got 3"),
        ({"names": ["acuracy"]}, r'got "acuracy"\. Did you mean "accuracy"'),
    ):
        with pytest.raises(InputError, match=message):
            intervals(metric, **options)


# ---------------------------------------------------------------------------------------------
# Comparisons, over a metric as small as can be: the mean of a number of each unit.


def test_permutation_of_few_units_is_exhaustive() -> None:
    # Differences 1, 2, 3: of the 8 signings only +++ and −−− have a sum of 6 or more.
    result = compare(Mean({1: 0, 2: 0, 3: 0}), Mean({1: 1, 2: 2, 3: 3}), replicates=50)
    (found,) = result.differences
    assert found.p == 2 / 8
    assert found.test == "permutation, all"
    assert found.difference == 2.0
    assert result.better(found) is None
    assert result.claims() == [
        "mean: no difference between A and B can be claimed (95 % interval of the difference "
        "+1.0000 to +3.0000; permutation, all: p = 0.2500, adjusted 0.2500)",
        "the permutation test could not have found a difference, however large: 3 images are too "
        "few",
    ]


def test_a_difference_of_many_units_is_found() -> None:
    random = np.random.default_rng(0)
    first = {f"img{i}": float(random.normal()) for i in range(200)}
    second = {name: value + 0.5 + 0.1 * random.normal() for name, value in first.items()}
    result = compare(Mean(first), Mean(second), names=["old", "new"], replicates=400)
    (found,) = result.differences
    assert found.p == 1 / 401  # no swap comes near
    assert result.better(found) == "new"
    assert found.interval.low < found.difference < found.interval.high
    # The standard error of the mean of the differences is 0.1 / sqrt(200).
    assert found.interval.high - found.interval.low == pytest.approx(
        2 * 1.96 * 0.1 / math.sqrt(200), rel=0.2
    )
    assert "mean: new is better than old by 0.49" in str(result)
    same = compare(Mean(first), Mean(first), replicates=100).differences[0]
    assert (same.difference, same.p) == (0.0, 1.0)


def test_three_runs_are_corrected_together() -> None:
    values = [{i: float(i * k) for i in range(3)} for k in (1, 2, 4)]
    result = compare(*map(Mean, values), replicates=20)
    assert [(each.first, each.second) for each in result.differences] == [
        ("A", "B"),
        ("A", "C"),
        ("B", "C"),
    ]
    assert [each.adjusted_p for each in result.differences] == holm(
        [each.p for each in result.differences]
    ).tolist()


def test_runs_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(IdError, match=r"got 1 of A that B lacks \(2\) and 1 that only B has \(3\)"):
        compare(Mean({1: 0, 2: 0}), Mean({1: 0, 3: 0}))
    with pytest.raises(InputError, match=r"different truth for the same images \(2\)"):
        compare(Mean({1: 0, 2: 0}, [5, 6]), Mean({1: 0, 2: 0}, [5, 7]))
    with pytest.raises(InputError, match=r'got "man"\. Did you mean "mean"'):
        compare(Mean({1: 0}), Mean({1: 0}), metrics=["man"])
    with pytest.raises(InputError, match="expected 2 different names"):
        compare(Mean({1: 0}), Mean({1: 0}), names=["x", "x"])


def test_comparison_is_plain_json() -> None:
    import msgspec

    result = compare(Mean({1: 0, 2: 0}), Mean({1: 1, 2: 1}), replicates=20)
    content = msgspec.json.decode(msgspec.json.encode(result.to_dict()))
    assert content["schema"] == "snellen.comparison/1"
    assert content["differences"][0]["difference"] == 1.0
    assert content["differences"][0]["significant"] is False


def test_sums_of_weights_leave_no_trace_of_samples_that_are_not_there() -> None:
    # All are predicted to be of class 1: it has no true negatives, so there is no NPV and no LR−,
    # and no correlation. In float64 0.7 + 0.4 + 0.1 + 0.1 less its parts is not 0.
    metric = Classification(positive=1).update(
        [0, 1, 1, 1], [1, 1, 1, 1], weight=[0.7, 0.4, 0.1, 0.1], sample_id=[1, 2, 3, 4]
    )
    units, result = metric.units(), metric.compute()
    values = units.values(units.counts[None])
    for name in ("npv", "lr_negative", "mcc", "specificity"):
        assert values[name][0] == pytest.approx(result.metrics[name], nan_ok=True), name
    assert math.isnan(values["npv"][0])
    assert math.isnan(values["lr_negative"][0])
    assert math.isnan(values["mcc"][0])


def test_which_way_the_numbers_of_a_classification_are_better() -> None:
    scores = np.array([[0.9, 0.2], [0.4, 0.6], [0.3, 0.7]])
    single = Classification([0, 1], scores="any").empty()
    labels = Classification([0, 1]).update([0, 1, 1], [0, 1, 0])
    probable = Classification([0, 1], scores="probabilities").update(
        [0, 1, 1], scores / scores.sum(axis=1, keepdims=True)
    )
    sets = Classification([0, 1], multilabel=True, scores="probabilities").update(
        np.array([[1, 0], [1, 1], [0, 1]], bool), scores, sample_id=[1, 2, 3]
    )
    losses = {"hamming", "log_loss", "brier", "ece", "rmsce", "mce", "adaptive_ece", "lr_negative"}
    for metric in (single, labels, probable, sets):
        known = set(metric.compute().metrics)
        units = metric.empty().units()
        assert units.lower_is_better & known == losses & known
        assert units.neither_is_better & known == known & {
            *("mean_confidence", "cardinality_truth", "cardinality_prediction"),
            *("density_truth", "density_prediction"),
        }
    assert losses - {"lr_negative"} <= set(sets.compute().metrics)


def test_a_single_unit_has_no_interval() -> None:
    metric = Segmentation(2).update([[0, 1]], [[0, 0]])
    found = intervals(metric)["mIoU"]
    assert math.isnan(found.low)
    assert found.note == "a single image does not tell how others vary"
    metric.update([[0, 1]], [[0, 1]])
    assert not math.isnan(intervals(metric)["mIoU"].low)


def test_quantiles_are_those_of_numpy() -> None:
    random = np.random.default_rng(0)
    for n in (1, 2, 3, 10, 999, 1000):
        for values in (random.random(n), random.integers(0, 5, n) / 7):
            shares = (0.0, 0.025, 0.5, 0.975, 1.0, *random.random(5).tolist())
            found = bootstrap_module._quantiles(values, shares)
            assert found == np.quantile(values, shares).tolist()
