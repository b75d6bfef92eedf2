"""Scores of classes: what is accepted, and small cases worked by hand."""

from __future__ import annotations

import dataclasses
import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from snellen import _core
from snellen.classes import Classes
from snellen.classification.calibration import CalibrationError, calibration_error
from snellen.classification.curves import ThresholdCurves, threshold_curves
from snellen.classification.labels import Labels
from snellen.classification.probability import ProbabilityLoss, probability_loss
from snellen.classification.scores import SUM_TOLERANCE, SeenIds, scored_samples
from snellen.classification.tally import Tally, exact_products
from snellen.classification.threshold_curve import ThresholdCurve
from snellen.classification.top_k import TopKAccuracy, TopKAccuracyResult, top_k_accuracy
from snellen.errors import ClassError, IdError, InputError, MergeError, SchemaError, ShapeError
from snellen.result import Interval
from snellen.state import pack, unpack
from snellen.threads import set_threads

METRICS: list[Any] = [
    TopKAccuracy,
    ThresholdCurves,
    lambda: ThresholdCurves(5),
    ProbabilityLoss,
    CalibrationError,
    lambda: CalibrationError(adaptive=True, classwise=True),
]


class TestWhatIsAccepted:
    def test_sums_of_rows(self) -> None:
        near = np.array([[0.5, 0.5 + SUM_TOLERANCE * 0.9], [1.0, 0.0]])
        scored_samples([0, 1], near, scores="probabilities")
        far = np.array([[0.5, 0.5], [0.5, 0.5 + SUM_TOLERANCE * 1.1]])
        with pytest.raises(InputError, match=re.escape("sum to 1 within 0.001, got 1.0011 in")):
            scored_samples([0, 1], far, scores="probabilities")
        with pytest.raises(InputError, match=r"- at pred\[1\], sample 9$"):
            scored_samples([0, 1], far, scores="probabilities", sample_id=[4, 9])
        # Labels of multilabel data need not sum to 1; nor do logits.
        scored_samples([[0, 1], [1, 1]], far, scores="probabilities")
        scored_samples([0, 1], far, scores="any")

    @pytest.mark.parametrize("value", [-0.1, 1.1])
    def test_range_of_probabilities(self, value: float) -> None:
        with pytest.raises(InputError, match=rf"in \[0, 1\], got {value:g}: .* - at pred\[1\]$"):
            scored_samples([0, 1], [0.5, value], scores="probabilities")
        scored_samples([0, 1], [0.5, value], scores="logits")

    @pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
    def test_scores_that_are_not_finite(self, value: float) -> None:
        for kind in ("probabilities", "logits", "any"):
            with pytest.raises(InputError, match=rf"finite scores, got {value} - at pred\[1\]$"):
                scored_samples([0, 1, 2], [[0, 0, 1], [0, value, 1], [1, 0, 0]], scores=kind)

    def test_types(self) -> None:
        for dtype, kept in (
            (np.float32, np.float32),
            (np.float64, np.float64),
            (np.float16, np.float32),
            (np.int64, np.float64),
            (np.bool_, np.float64),
            (">f4", np.float32),
        ):
            assert scored_samples([0, 1], np.eye(2, dtype=dtype)).score.dtype == kept
        assert scored_samples([0], torch.eye(2, dtype=torch.bfloat16)[:1]).score.dtype == np.float32
        with pytest.raises(InputError, match="that float64 can hold"):
            scored_samples([0, 1], [2**53 + 1, 0])
        with pytest.raises(InputError, match="expected scores, got"):
            scored_samples([0, 1], ["a", "b"])

    def test_float_matrices_are_not_copied(self) -> None:
        for dtype in (np.float32, np.float64):
            score = np.eye(3, dtype=dtype)
            assert scored_samples([0, 1, 2], score).score is score
            tensor = torch.tensor(score)
            seen = scored_samples([0, 1, 2], tensor).score
            assert seen.ctypes.data == tensor.data_ptr()

    def test_kinds(self) -> None:
        assert scored_samples([0, 1], [0.1, 0.2]).form.kind == "binary"
        assert scored_samples([0, 1], [[0.1], [0.2]]).form.kind == "binary"
        assert scored_samples([True, False], np.eye(2)).form.kind == "binary"
        assert scored_samples([0, 1], np.zeros((2, 3))).form.kind == "multiclass"
        assert scored_samples([[0, 1, 1]], np.zeros((1, 3))).form.kind == "multilabel"

    def test_classes_are_aligned_by_id(self) -> None:
        truth = Labels.of(["dog", "ant"])  # classes ant, dog
        pred = Labels(Classes(["ant", "bee", "dog"]), score=np.eye(3)[:2])
        samples = scored_samples(truth, pred)
        assert samples.code is not None
        assert samples.code.tolist() == [2, 0]
        assert samples.form.kind == "multiclass"
        member = Labels(Classes(["ant", "dog"]), member=np.array([[1, 0], [0, 1]], np.uint8))
        moved = scored_samples(member, pred).member
        assert moved is not None
        assert moved.tolist() == [[1, 0, 0], [0, 0, 1]]
        with pytest.raises(ClassError, match="a score for each class, got none for emu - at pred"):
            scored_samples(Labels.of(["ant", "emu"]), pred)
        # Labels against an array: positions, or ids of the classes of the scores.
        assert scored_samples(["bee", "ant"], pred).code is not None
        with pytest.raises(ClassError, match='positions 0 to 1 as labels, got "ant": give'):
            scored_samples(["ant", "bee"], np.eye(2))

    def test_refusals(self) -> None:
        with pytest.raises(ClassError, match="got 3"):
            scored_samples([0, 3], np.zeros((2, 3)))
        with pytest.raises(ShapeError, match="as many rows of scores as labels"):
            scored_samples([0, 1, 1], np.zeros((2, 3)))
        with pytest.raises(ShapeError, match="of shape"):
            scored_samples([0, 1], np.zeros((2, 3, 1)))
        with pytest.raises(ShapeError, match="0 and 1 of shape"):
            scored_samples([[0, 2], [1, 1]], np.zeros((2, 2)))
        with pytest.raises(InputError, match="expected scores, got labels only"):
            scored_samples(Labels.of([0, 1]), Labels.of([0, 1]))
        with pytest.raises(IdError, match="ids in different order"):
            scored_samples(
                Labels.of([0, 1], sample_id=[1, 2]),
                Labels(Classes([0, 1]), score=np.eye(2), sample_id=np.array([2, 1])),
            )
        with pytest.raises(InputError, match='Did you mean "logits"'):
            TopKAccuracy(scores="logit")

    @pytest.mark.parametrize("make", METRICS)
    def test_batches_must_be_of_one_kind_and_of_the_same_classes(self, make: Any) -> None:
        if isinstance(make().compute().protocol.get("classwise"), bool) and not make().classwise:
            return  # bins of confidence know no classes
        metric = make().update([0, 1, 2], np.eye(3))
        with pytest.raises(ClassError, match="expected multiclass data as before, got binary"):
            metric.update([0, 1], [0.0, 1.0])
        with pytest.raises(ClassError, match="of the same classes as before"):
            metric.update([0, 1, 2, 3], np.eye(4))
        with pytest.raises(ClassError, match="of the same classes as before"):
            metric.merge(make().update([0, 1, 2, 3], np.eye(4)))


class TestIds:
    def test_a_sample_comes_once(self) -> None:
        metric = ThresholdCurves().update([0, 1], [0.2, 0.3], sample_id=["a", "b"])
        with pytest.raises(IdError, match="1 that were absorbed before: b"):
            metric.update([0, 1], [0.2, 0.3], sample_id=["b", "c"])
        with pytest.raises(IdError, match="1 more than once: c"):
            metric.update([0, 1], [0.2, 0.3], sample_id=["c", "c"])
        with pytest.raises(IdError, match="of one kind"):
            metric.update([0, 1], [0.2, 0.3], sample_id=[1, 2])
        with pytest.raises(IdError, match="with all batches or with none"):
            metric.update([0, 1], [0.2, 0.3])
        with pytest.raises(IdError, match="absorbed before"):
            metric.merge(ThresholdCurves().update([1], [0.3], sample_id=["a"]))
        assert metric.compute().data["n_samples"] == 2

    def test_many_batches_are_looked_up_in_few_runs(self) -> None:
        seen = SeenIds()
        for i in range(1000):
            seen.add(seen.checked(np.array([i])))
        assert len(seen.runs) <= 10
        with pytest.raises(IdError, match="absorbed before: 512"):
            seen.checked(np.array([1000, 512]))

    def test_arrays_that_are_filled_anew_do_not_reach_the_state(self) -> None:
        truth, score = np.array([0, 1, 1]), np.array([0.1, 0.9, 0.8])
        weight, ids = np.ones(3), np.arange(3)
        metric = ThresholdCurves().update(truth, score, weight=weight, sample_id=ids)
        before = metric.to_bytes()
        truth[:], score[:], weight[:], ids[:] = 0, 0.5, 7.0, 9
        assert metric.to_bytes() == before

    def test_scores_of_labels_are_shared(self) -> None:
        pred = Labels(Classes([0, 1, 2]), score=np.eye(3))
        metric = ThresholdCurves().update([0, 1, 2], pred)
        assert metric._pieces[0].score is pred.score


class TestTopK:
    def test_rank_by_hand(self) -> None:
        # Target 1 of [5, 5, 7, 5]: one greater, one equal and earlier: rank 2.
        score = np.array([[5.0, 5.0, 7.0, 5.0]])
        found = [top_k_accuracy([k], score, k=(1, 2, 3, 4)).n_found[k].tolist() for k in range(4)]
        assert found == [[0, 1, 1, 1], [0, 0, 1, 1], [1, 1, 1, 1], [0, 0, 0, 1]]

    def test_equal_scores_are_no_success(self) -> None:
        """A model that says nothing is right for the first k classes only."""
        result = top_k_accuracy(np.arange(10), np.zeros((10, 10)), k=(1, 5))
        assert (result.top1, result.top5) == (0.1, 0.5)

    def test_zero_has_no_sign(self) -> None:
        result = top_k_accuracy([1, 1], np.array([[0.0, -0.0], [-0.0, 0.0]]), k=1)
        assert result.top1 == 0.0

    def test_a_single_column(self) -> None:
        assert top_k_accuracy([0, 0, 1], [0.4, 0.5, 0.6], k=1, scores="probabilities").top1 == 1.0
        assert top_k_accuracy([0, 0, 1], [-1.0, 0.0, 2.0], k=1, scores="logits").top1 == 1.0
        with pytest.raises(InputError, match="a score for each of the 2 classes, got one"):
            top_k_accuracy([0, 1], [0.4, 0.5])

    def test_more_than_there_are(self) -> None:
        result = top_k_accuracy([0, 1, 2], np.eye(3), k=(3, 5))
        assert result.top3 == 1.0
        assert math.isnan(result.top5)
        assert result.undefined[0].reason == "there are 3 classes"

    def test_multilabel_is_refused(self) -> None:
        with pytest.raises(InputError, match="one label a sample"):
            top_k_accuracy([[0, 1], [1, 1]], np.eye(2))

    @pytest.mark.parametrize("k", [0, -1, 1.5, [], [1, 0], True, "5"])
    def test_bad_k(self, k: Any) -> None:
        with pytest.raises(InputError, match="whole numbers from 1 on"):
            TopKAccuracy(k)

    def test_per_class(self) -> None:
        score = np.array([[0.6, 0.4, 0.0], [0.6, 0.4, 0.0], [0.1, 0.2, 0.7]])
        records = top_k_accuracy([0, 1, 1], score, k=(1, 2)).per_class()
        assert [r["top1"] for r in records[:2]] == [1.0, 0.0]
        assert [r["top2"] for r in records[:2]] == [1.0, 1.0]
        assert math.isnan(records[2]["top1"])
        assert [r["n_truth"] for r in records] == [1, 2, 0]


class TestCurves:
    # Scores .9+ .8- .7+ .7- .4- .2+: of the 9 pairs, 3 win with .9; .7+ wins over .4 and ties with
    # .7: 1.5; .2+ wins none. AUC = 4.5 / 9. AP: 1/3 · 1/1 + 1/3 · 2/4 + 1/3 · 3/6 = 2/3.
    TRUTH = (1, 0, 1, 0, 0, 1)
    SCORE = (0.9, 0.8, 0.7, 0.7, 0.4, 0.2)

    def test_by_hand(self) -> None:
        result = threshold_curves(self.TRUTH, self.SCORE)
        assert result.auc == 0.5
        assert result.ap == pytest.approx(2 / 3, abs=1e-16)
        curve = result.curve()
        assert curve.threshold.tolist() == [0.9, 0.7, 0.2]
        assert curve.tp.tolist() == [1, 2, 3]
        assert curve.fp.tolist() == [0, 2, 3]
        assert curve.fp_above.tolist() == [0, 1, 3]
        assert (curve.fn.tolist(), curve.tn.tolist()) == ([2, 1, 0], [3, 1, 0])
        # F1: 2·1/(2+2), 2·2/(4+1+2), 2·3/(6+3): 1/2, 4/7, 2/3.
        assert curve.f_beta().tolist() == [1 / 2, 4 / 7, 2 / 3]
        best = curve.best_f()
        assert (best.threshold, best.tp, best.fp, best.fn, best.tn) == (0.2, 3, 3, 0, 0)
        assert (best.precision, best.recall, best.specificity) == (0.5, 1.0, 0.0)
        # J: 1/3 − 0, 2/3 − 2/3, 1 − 1.
        assert curve.youden()[:1] == (0.9,)
        assert curve.youden().value == 1 / 3
        assert curve.precision_at_recall(0.5).threshold == 0.2  # 2/4 and 3/6: more recall
        assert curve.precision_at_recall(0.1).threshold == 0.9
        assert curve.recall_at_precision(0.9).threshold == 0.9
        assert curve.table()["f"].tolist() == [1 / 2, 4 / 7, 2 / 3]

    def test_every_distinct_score_has_a_row_in_the_table(self) -> None:
        metric = ThresholdCurves().update(self.TRUTH, self.SCORE)
        table = metric.table()
        assert table.threshold.tolist() == [0.9, 0.8, 0.7, 0.4, 0.2]
        assert table.tp.tolist() == [1, 1, 2, 2, 3]
        assert table.fp.tolist() == [0, 1, 2, 3, 3]
        assert table.area() == 0.5
        chosen = metric.table(thresholds=[0.5, 1.0])
        assert chosen.threshold.tolist() == [1.0, 0.5]
        assert (chosen.tp.tolist(), chosen.fp.tolist()) == ([0, 2], [0, 2])

    def test_table_of_a_class_and_of_all(self) -> None:
        metric = ThresholdCurves().update([0, 1, 2], np.eye(3) * 0.5)
        assert metric.table(1).tp.tolist() == [1, 1]
        assert metric.table("micro").fp.tolist() == [0, 6]
        with pytest.raises(InputError, match='a class or "micro"'):
            metric.table()
        with pytest.raises(ClassError, match="got 7"):
            metric.table(7)
        with pytest.raises(InputError, match="no samples"):
            ThresholdCurves().table()

    def test_hand_and_till_by_hand(self) -> None:
        # Column 0 of class 0: {5, 3}; of class 1: {4}; of class 2: {3, 1}.
        # A(0|1) = 1/2; A(0|2): 5 wins twice, 3 ties once and wins once: 3.5/4.
        # Columns 1 and 2 part all classes: A = 1. Pairs: (1/2+1)/2, (7/8+1)/2, 1.
        score = np.array([[5, 0, 0], [3, 0, 0], [4, 9, 0], [3, 0, 9], [1, 0, 9]], float)
        result = threshold_curves([0, 0, 1, 2, 2], score)
        assert result.auc_ovo_macro == pytest.approx((0.75 + 0.9375 + 1) / 3, abs=1e-16)
        # Weighted by samples of the pair: 3, 4, 3.
        wanted = (3 * 0.75 + 4 * 0.9375 + 3 * 1) / 10
        assert result.auc_ovo_weighted == pytest.approx(wanted, abs=1e-16)

    def test_positive_class(self) -> None:
        score = np.stack([1 - np.array(self.SCORE), np.array(self.SCORE)], axis=1)
        classes = Classes.of(["no", "yes"])
        sides = Labels(classes, code=np.array(self.TRUTH, np.int32)), Labels(classes, score=score)
        for positive in (1, "yes", None):
            assert threshold_curves(*sides, positive=positive).auc == 0.5
        turned = threshold_curves(*sides, positive="no")
        assert [r["class"] for r in turned.per_class()] == ["no"]
        # The negatives' ranks among 1 − score: AP = (2/4 + 1/4·…): scikit-learn on 1 − truth.
        from sklearn.metrics import average_precision_score

        wanted = average_precision_score(1 - np.array(self.TRUTH), score[:, 0])
        assert turned.ap == pytest.approx(wanted, abs=1e-15)
        single = threshold_curves(self.TRUTH, self.SCORE, positive=0, scores="probabilities")
        assert single.ap == pytest.approx(wanted, abs=1e-15)
        single = threshold_curves(self.TRUTH, self.SCORE, positive=0)
        assert single.ap == pytest.approx(wanted, abs=1e-15)
        with pytest.raises(ClassError, match="got 'maybe'"):
            threshold_curves(*sides, positive="maybe")

    def test_two_logits_count_by_their_difference(self) -> None:
        logits = np.array([[9.0, 10.0], [0.0, 2.0], [5.0, 5.5]])  # differences 1, 2, 0.5
        result = threshold_curves([0, 1, 0], logits, scores="logits")
        assert result.auc == 1.0
        assert threshold_curves([0, 1, 0], logits).auc == 0.0

    def test_one_class_in_the_truth(self) -> None:
        result = threshold_curves([1, 1], [0.2, 0.3])
        assert math.isnan(result.auc)
        assert result.ap == 1.0
        assert [tuple(each)[:2] for each in result.undefined] == [
            ("auc", "the truth has no negative samples")
        ]
        result = threshold_curves([0, 0], [0.2, 0.3])
        assert math.isnan(result.auc)
        assert math.isnan(result.ap)
        assert {each.reason for each in result.undefined} == {"the truth has no positive samples"}
        assert math.isnan(result.curve().best_f().threshold)
        assert result.curve().youden().reason
        assert result.curve().precision_at_recall(0.5).reason == "there are no positives"
        for rule in ("drop", "zero", "one"):
            alone = threshold_curves([1, 1], np.eye(3)[:2], absent_classes=rule)
            assert math.isnan(alone.auc_macro)
            assert math.isnan(alone.auc_ovo_macro)

    @pytest.mark.parametrize(("rule", "wanted"), [("drop", 1.0), ("zero", 2 / 3), ("one", 1.0)])
    def test_absent_classes(self, rule: str, wanted: float) -> None:
        score = np.array([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.7, 0.2, 0.1]])
        result = threshold_curves([0, 1, 0], score, absent_classes=rule)
        assert result.auc_macro == pytest.approx(wanted, abs=1e-15)
        assert result.ap_macro == pytest.approx(wanted, abs=1e-15)
        assert {entry.class_name for entry in result.undefined_of_classes()} == {"2"}

    def test_scores_all_equal(self) -> None:
        result = threshold_curves([0, 1, 1, 0, 1], np.full(5, 0.3))
        assert (result.auc, result.ap) == (0.5, 0.6)
        assert len(result.curve()) == 1

    def test_signs_of_zero_tie(self) -> None:
        for dtype in (np.float32, np.float64):
            score = np.array([0.0, -0.0], dtype)
            assert threshold_curves([0, 1], score).auc == 0.5
            assert threshold_curves([1, 0], score).auc == 0.5

    def test_the_smallest_difference_decides(self) -> None:
        for dtype in (np.float32, np.float64):
            low = np.array([1.0, -1e-30, 1e30], dtype)
            high = np.nextafter(low, np.inf, dtype=dtype)
            for a, b in zip(low, high, strict=True):
                assert threshold_curves([0, 1], np.array([a, b])).auc == 1.0

    def test_monotone_transforms_change_nothing(self) -> None:
        random = np.random.default_rng(1)
        truth, score = random.integers(0, 2, 500), random.integers(-20, 20, 500) / 8
        result = threshold_curves(truth, score)
        for changed in (np.exp(score), score**3, 5 + 2 * score, 1 / (1 + np.exp(-score))):
            other = threshold_curves(truth, changed)
            assert (other.auc, other.ap) == (result.auc, result.ap)
            assert other.tp.tolist() == result.tp.tolist()
        assert threshold_curves(1 - truth, -score).auc == result.auc
        assert threshold_curves(truth, -score).auc == pytest.approx(1 - result.auc, abs=1e-15)

    def test_order_of_classes_changes_nothing(self) -> None:
        random = np.random.default_rng(2)
        truth, score = random.integers(0, 5, 300), random.integers(0, 6, (300, 5)) / 8
        order = np.array([3, 1, 4, 0, 2])
        moved = threshold_curves(np.argsort(order)[truth], score[:, order])
        result = threshold_curves(truth, score)
        assert moved.class_auc.tolist() == result.class_auc[order].tolist()
        for name, value in result.metrics.items():
            assert moved.metrics[name] == pytest.approx(value, abs=1e-15)

    @pytest.mark.parametrize("kind", ["binary", "multiclass", "multilabel"])
    @pytest.mark.parametrize("bins", [None, 9])
    def test_weights_are_repetitions(self, kind: str, bins: int | None) -> None:
        random = np.random.default_rng(3)
        truth = random.integers(0, 2 if kind != "multiclass" else 4, (60, 4))
        score = random.integers(0, 9, (60, 4)) / 8
        if kind == "binary":
            score = score[:, 0]
        if kind != "multilabel":
            truth = truth[:, 0]
        times = random.integers(0, 4, 60)
        rows = np.repeat(np.arange(60), times)
        weighted = threshold_curves(truth, score, bins=bins, weight=times.astype(float))
        repeated = threshold_curves(truth[rows], score[rows], bins=bins)
        for name, value in repeated.metrics.items():
            assert weighted.metrics[name] == pytest.approx(value, abs=1e-15, nan_ok=True)
        assert weighted.tp.tolist() == repeated.tp.tolist()
        assert weighted.fp.tolist() == repeated.fp.tolist()
        assert weighted.fp_above.tolist() == repeated.fp_above.tolist()

    def test_bins_by_hand(self) -> None:
        # Thresholds 0, 1/2, 1. Positives .5 1; negatives .25 .5: cells {.25}, {.5 .5}, {1}.
        # AUC: 1 wins over both, .5 over .25, half a pair: 3.5/4; off by at most 1·1/(2·4).
        result = threshold_curves([1, 1, 0, 0], [0.5, 1.0, 0.25, 0.5], bins=3)
        assert result.auc == 0.875
        assert result.auc_bounds.tolist() == [[0.75, 1.0]]
        assert result.curve().threshold.tolist() == [1.0, 0.5, 0.0]
        assert (result.tp.tolist(), result.fp.tolist()) == ([1, 2, 2], [0, 1, 2])
        # AP: 1/2 · 1 + 1/2 · 2/3.
        assert result.ap == pytest.approx(5 / 6, abs=1e-15)
        assert result.curve().best_f().threshold == 0.5

    def test_float32_scores_reach_the_threshold_they_are_written_as(self) -> None:
        for dtype in (np.float32, np.float64):
            score = np.array([0.7, 0.3, 0.1], dtype)
            result = threshold_curves([1, 1, 0], score, bins=[0, 0.1, 0.3, 0.7])
            assert (result.tp.tolist(), result.fp.tolist()) == ([1, 2, 2, 2], [0, 0, 1, 1])

    def test_bins_of_logits_are_those_of_probabilities(self) -> None:
        random = np.random.default_rng(4)
        for shape, truth in (
            ((50, 3), random.integers(0, 3, 50)),
            ((50,), random.integers(0, 2, 50)),
        ):
            logits = random.normal(size=shape)
            e = np.exp(logits)
            probabilities = e / e.sum(axis=1, keepdims=True) if len(shape) > 1 else e / (1 + e)
            a = threshold_curves(truth, logits, bins=30, scores="logits")
            b = threshold_curves(truth, probabilities, bins=30)
            assert a.tp.tolist() == b.tp.tolist()
            assert a.fp.tolist() == b.fp.tolist()

    def test_bins_refuse(self) -> None:
        with pytest.raises(InputError, match=r"scores in \[0, 1\] for curves over bins"):
            threshold_curves([0, 1], [0.5, 1.5], bins=5)
        for bad in (1, 0, [0.1, 0.5], [0, 0.5, 0.5], [0, 2], [0], [0.5, 0.0], [0, math.nan]):
            with pytest.raises(InputError):
                ThresholdCurves(bad)  # type: ignore[arg-type]  # lists among them
        with pytest.raises(InputError, match="absent_classes"):
            ThresholdCurves(absent_classes="nan")
        binned = ThresholdCurves(3).update([0, 1], [0.1, 0.9])
        assert binned.table().threshold.tolist() == [1.0, 0.5, 0.0]
        with pytest.raises(InputError, match="expected no thresholds"):
            binned.table(thresholds=[0.5])

    def test_memory_of_bins_does_not_grow(self) -> None:
        random = np.random.default_rng(5)
        sizes = []
        metric = ThresholdCurves(50)
        for _ in range(3):
            metric.update(random.integers(0, 3, 500), random.dirichlet(np.ones(3), 500))
            sizes.append(len(metric.to_bytes()))
        assert max(sizes) - min(sizes) < 8  # digits of n_samples in the header

    def test_text_ids_go_to_bytes_and_back(self) -> None:
        metric = ThresholdCurves().update([0, 1], [0.1, 0.9], sample_id=["é", "a"])
        again = ThresholdCurves.from_bytes(metric.to_bytes())
        assert again.to_bytes() == metric.to_bytes()
        with pytest.raises(IdError, match="absorbed before"):
            again.update([1], [0.5], sample_id=["a"])

    def test_large_counts_do_not_overflow(self) -> None:
        many = 2**33
        curve = ThresholdCurve(
            np.array([0.5, 0.1]),
            np.array([many // 2, many]),
            np.array([0, many]),
            np.array([0, many // 2]),
            many,
            many,
        )
        # Half the positives win over all; the others over half of a half … by hand: 2U =
        # P/2 · 2N + P/2 · (2N − N − N/2) = 1.25 P N.
        assert curve.area() == 0.625


class TestLosses:
    def test_by_hand(self) -> None:
        score = np.array([[0.7, 0.2, 0.1], [0.25, 0.25, 0.5]])
        result = probability_loss([0, 1], score)
        assert result.log_loss == pytest.approx(-(math.log(0.7) + math.log(0.25)) / 2, abs=1e-15)
        # (0.09 + 0.04 + 0.01 + 0.0625 + 0.5625 + 0.25) / 2
        assert result.brier == pytest.approx((0.14 + 0.875) / 2, abs=1e-15)
        assert [r["n"] for r in result.per_class()] == [1, 1, 0]
        assert result.undefined_of_classes()[0].class_name == "2"

    def test_certain_and_wrong(self) -> None:
        """The logarithm stops at the ε of the scores' type."""
        for dtype in (np.float32, np.float64):
            result = probability_loss([0], np.array([[0.0, 1.0]], dtype))
            eps = float(np.finfo(dtype).eps)
            assert result.log_loss == pytest.approx(-math.log(eps), rel=1e-15)
            assert result.brier == 1.0
        # Of logits nothing is cut off.
        result = probability_loss([0], [[0.0, 1000.0]], scores="logits")
        assert result.log_loss == 1000.0
        assert probability_loss([0], [1000.0], scores="logits").log_loss == 1000.0

    def test_any_scores_have_no_loss(self) -> None:
        result = probability_loss([0, 1], [[3.0, 2.0], [1.0, 5.0]], scores="any")
        assert math.isnan(result.log_loss)
        assert "not declared to be probabilities" in result.undefined[0].reason
        assert result.data["n_samples"] == 2

    def test_rows_are_not_divided_by_their_sum(self) -> None:
        result = probability_loss([0], [[0.5, 0.5005]])
        assert result.log_loss == pytest.approx(-math.log(0.5), abs=1e-15)

    @pytest.mark.parametrize("kind", ["multiclass", "multilabel"])
    def test_weights_are_repetitions_to_the_last_bit(self, kind: str) -> None:
        random = np.random.default_rng(6)
        score = random.dirichlet(np.ones(3), 40)
        truth = (
            random.integers(0, 3, 40) if kind == "multiclass" else random.integers(0, 2, (40, 3))
        )
        times = random.integers(0, 5, 40)
        rows = np.repeat(np.arange(40), times)
        weighted = probability_loss(truth, score, weight=times.astype(float))
        repeated = probability_loss(truth[rows], score[rows])
        assert dict(weighted.metrics) == dict(repeated.metrics)

    def test_bad_scale(self) -> None:
        with pytest.raises(InputError, match="scale_by_half"):
            ProbabilityLoss(scale_by_half="half")

    def test_other_scale_does_not_merge(self) -> None:
        with pytest.raises(MergeError):
            ProbabilityLoss().merge(ProbabilityLoss(scale_by_half=True))


class TestCalibration:
    def test_edges_by_hand(self) -> None:
        # Four bins: 0 and 0.25 in the first, 0.5 in the second, 0.75 in the third, 1 in the last.
        confidence = np.array([0.0, 0.25, 0.5, 0.75, 1.0])
        result = calibration_error(
            np.zeros(5, int), np.zeros(5, int), bins=4, confidence=confidence
        )
        assert result.n.tolist() == [2, 1, 1, 1]
        table = result.reliability()
        assert [row["mean_confidence"] for row in table] == [0.125, 0.5, 0.75, 1.0]
        # |0.25 − 2| + 0.5 + 0.25 + 0 = 2.5 of 5.
        assert result.ece == 0.5
        assert result.mce == 0.875
        # (2 · 0.875² + 0.25 + 0.0625) / 5
        assert result.rmsce == math.sqrt((2 * 0.765625 + 0.3125) / 5)

    def test_float32_edges(self) -> None:
        """0.7 as float32 is less than 0.7; it lies on the edge 0.7 in either type."""
        for dtype in (np.float32, np.float64):
            result = calibration_error(
                [0, 0, 0], [0, 0, 0], bins=10, confidence=np.array([0.3, 0.6, 0.7], dtype)
            )
            assert np.flatnonzero(result.n).tolist() == [2, 5, 6]

    def test_names_are_compared_with_names(self) -> None:
        result = calibration_error(["cat", "dog"], ["cat", "cow"], confidence=[0.9, 0.4])
        assert result.accuracy == 0.5
        assert result.ece == pytest.approx((0.1 + 0.4) / 2, abs=1e-15)

    def test_a_single_column(self) -> None:
        result = calibration_error([0, 1, 0], [0.2, 0.9, 0.5], bins=10)
        # Predicted 0, 1 and (a tie) 0, all right: confidences 0.8, 0.9, 0.5.
        assert result.accuracy == 1.0
        assert result.mean_confidence == pytest.approx(2.2 / 3, abs=1e-15)
        pair = np.array([[0.8, 0.2], [0.1, 0.9], [0.5, 0.5]])
        assert calibration_error([0, 1, 0], pair, bins=10).n.tolist() == result.n.tolist()

    def test_predicted_labels_count_if_they_are_given(self) -> None:
        classes = Classes([0, 1, 2])
        score = np.array([[0.5, 0.3, 0.2]])
        pred = Labels(classes, code=np.array([1], np.int32), score=score)
        result = calibration_error(Labels(classes, code=np.array([1], np.int32)), pred)
        assert (result.accuracy, result.mean_confidence) == (1.0, 0.3)

    def test_adaptive_bins_never_part_ties(self) -> None:
        # Two bins of 6: ranks 0 1 2 | 3 4 5; the three 0.5 begin at rank 1 and stay in the first.
        confidence = [0.1, 0.5, 0.5, 0.5, 0.8, 0.9]
        right = [0, 1, 0, 1, 1, 1]
        result = calibration_error(
            np.ones(6, int), right, bins=2, adaptive=True, confidence=confidence
        )
        # First: |1.6 − 2|, second: |1.7 − 2|; over 6.
        assert result.adaptive_ece == pytest.approx(0.7 / 6, abs=1e-15)

    def test_classwise_by_hand(self) -> None:
        # One bin: |mean probability − share| of each class: |0.75 − 0.5|, |0.25 − 0.5|.
        score = np.array([[1.0, 0.0], [0.5, 0.5]])
        result = calibration_error([0, 1], score, bins=1, classwise=True)
        assert result.class_ece.tolist() == [0.25, 0.25]
        assert result.classwise_ece == 0.25
        assert [record["ece"] for record in result.per_class()] == [0.25, 0.25]

    def test_multilabel_counts_each_label(self) -> None:
        member, score = [[0, 1], [1, 1]], [[0.25, 0.75], [0.5, 1.0]]
        result = calibration_error(member, score, bins=1)
        assert result.n.tolist() == [4]
        assert result.ece == abs(2.5 - 3) / 4

    def test_refusals(self) -> None:
        with pytest.raises(InputError, match=r"in \[0, 1\], got 1.5 - at confidence\[1\]$"):
            calibration_error([0, 1], [0, 1], confidence=[0.5, 1.5])
        with pytest.raises(ShapeError, match="2 confidences"):
            calibration_error([0, 1], [0, 1], confidence=[0.5])
        with pytest.raises(InputError, match="expected scores, not confidences"):
            calibration_error([0, 1], [0, 1], confidence=[0.5, 0.5], classwise=True)
        for bins in (0, 1.5, True):
            with pytest.raises(InputError, match="bins"):
                CalibrationError(bins)  # type: ignore[arg-type]  # a float among them

    def test_weights_are_repetitions_to_the_last_bit(self) -> None:
        random = np.random.default_rng(7)
        score, truth = random.dirichlet(np.ones(3), 50), random.integers(0, 3, 50)
        times = random.integers(0, 4, 50)
        rows = np.repeat(np.arange(50), times)
        weighted = calibration_error(truth, score, classwise=True, weight=times.astype(float))
        repeated = calibration_error(truth[rows], score[rows], classwise=True)
        assert dict(weighted.metrics) == dict(repeated.metrics)


class TestStates:
    @pytest.mark.parametrize("make", METRICS)
    def test_results_are_saved_and_loaded(self, make: Any, tmp_path: Any) -> None:
        for metric in (make(), make().update([0, 1, 1], np.eye(3))):
            result = metric.compute()
            result.save(tmp_path / "result")
            again = type(result).load(tmp_path / "result")
            assert str(again) == str(result)
            assert again.to_dict() == result.to_dict()
            assert again.composition() == result.composition()
            assert repr(metric).startswith(type(metric).__name__)
            assert result.task == "classification"

    @pytest.mark.parametrize("make", METRICS)
    def test_states_of_others_are_refused(self, make: Any) -> None:
        other = TopKAccuracy(7) if not isinstance(make(), TopKAccuracy) else ProbabilityLoss()
        with pytest.raises(SchemaError, match=f"the state of {type(make()).__name__}, got one of"):
            type(make()).from_bytes(other.to_bytes())
        with pytest.raises(SchemaError, match="expected a"):
            type(make().compute())._unpack(other.compute()._pack(), "there")

    @pytest.mark.parametrize("truth", [[0, 1, 1], [[0, 1, 0], [1, 1, 0], [0, 0, 1]]])
    @pytest.mark.parametrize("make", METRICS)
    def test_states_that_lack_something_are_refused(self, make: Any, truth: Any) -> None:
        if isinstance(make(), TopKAccuracy) and np.ndim(truth) == 2:
            return  # one label a sample only
        data = make().update(truth, np.eye(3)).to_bytes()
        packed = unpack(data)
        for name in packed.arrays:
            less = {key: array for key, array in packed.arrays.items() if key != name}
            with pytest.raises(SchemaError, match="expected a whole state"):
                type(make()).from_bytes(pack(packed.name, packed.content, less))
        for name in packed.content:
            changed = {**packed.content, name: "nonsense"}
            with pytest.raises(SchemaError, match="expected a whole state"):
                type(make()).from_bytes(pack(packed.name, changed, packed.arrays))

    def test_samples_checked_as_something_else_are_refused(self) -> None:
        samples = scored_samples([0, 1, 2], np.eye(3), scores="any")
        for make in (TopKAccuracy, ThresholdCurves, ProbabilityLoss, CalibrationError):
            metric = make(scores="logits")
            with pytest.raises(InputError, match='declared as "logits", got "any"'):
                metric.absorb(samples)

    @pytest.mark.parametrize("make", METRICS)
    def test_threads_change_no_byte(self, make: Any) -> None:
        random = np.random.default_rng(8)
        score = random.dirichlet(np.ones(40), 3000)
        truth = random.integers(0, 40, 3000)
        seen = set()
        try:
            for n in (1, 2, 5):
                set_threads(n)
                metric = make().update(truth, score)
                seen.add(metric.to_bytes() + metric.compute()._pack())
        finally:
            set_threads(None)
        assert len(seen) == 1


class TestTally:
    def test_weights_beside_counts(self) -> None:
        tally = Tally(n=(3,))
        tally.add("n", np.array([0, 0, 2]))
        assert tally.table("n").tolist() == [2, 0, 1]
        assert tally.table("n").dtype == np.int64
        tally.add("n", np.array([1, 2]), np.array([0.1, 0.2]))
        assert tally.table("n").tolist() == [2.0, 0.1, 1.2]

    def test_products_are_exact(self) -> None:
        from fractions import Fraction

        random = np.random.default_rng(9)
        a, b = random.random(500) * 10.0 ** random.integers(-9, 9, 500), random.random(500)
        product, lost = exact_products(a, b)
        for x, y, p, e in zip(*(v.tolist() for v in (a, b, product, lost)), strict=True):
            assert Fraction(x) * Fraction(y) == Fraction(p) + Fraction(e)


class TestKernels:
    """The kernels beside plain NumPy."""

    @pytest.mark.parametrize("dtype", [np.float32, np.float64])
    def test_curve_of_all_in_either_way(self, dtype: Any) -> None:
        """Few positives are looked up, many are merged: both as counted one by one."""
        random = np.random.default_rng(10)
        for n, share in ((300, 0.01), (300, 0.5), (60000, 0.01), (60000, 0.5)):
            score = random.normal(size=(n, 1)).astype(dtype)
            if n == 300:
                score = np.round(score, 1)
            member = (random.random((n, 1)) < share).astype(np.uint8)
            begin, threshold, tp, fp, above = _core.curve_of_all(score, None, member)
            positive, negative = (np.sort(score[member == m]) for m in (1, 0))
            wanted = np.unique(positive)[::-1]
            assert begin.tolist() == [0, len(wanted)]
            np.testing.assert_array_equal(threshold, wanted.astype(np.float64))
            reach = len(positive) - np.searchsorted(positive, wanted)
            np.testing.assert_array_equal(tp, reach)
            reach = len(negative) - np.searchsorted(negative, wanted)
            np.testing.assert_array_equal(fp, reach)
            over = len(negative) - np.searchsorted(negative, wanted, side="right")
            np.testing.assert_array_equal(above, over)

    def test_exponential_and_logarithm(self) -> None:
        x = np.concatenate([-np.logspace(-18, 2.85, 4000), [0.0]])
        got = _core.probabilities(np.stack([x, np.zeros_like(x)], axis=1), logit=True)
        wanted = np.exp(x) / (1 + np.exp(x))
        np.testing.assert_allclose(got[:, 0], wanted, rtol=5e-16, atol=0)
        p = np.concatenate([np.logspace(-15, 0, 4000) * (1 - 2e-16), np.linspace(0.5, 0.99, 500)])
        member = np.ones((len(p), 1), np.uint8)
        got, _ = _core.cell_losses(p[:, None], member, logit=False, eps=2.0**-52)
        # A unit in the last place of the result, and half of one of NumPy's.
        np.testing.assert_allclose(got[:, 0], -np.log(p), rtol=3.4e-16, atol=0)


def test_one_vs_rest_only_leaves_out_the_rest() -> None:
    random = np.random.default_rng(0)
    truth, score = random.integers(0, 4, 60), random.integers(0, 9, (60, 4)) / 8
    every = ThresholdCurves().update(truth, score).compute()
    for metric in (
        ThresholdCurves(one_vs_rest_only=True).update(truth, score),
        ThresholdCurves(one_vs_rest_only=True).update(truth, score, weight=np.ones(60)),
    ):
        result = type(metric).from_bytes(metric.to_bytes()).compute()
        assert set(result.metrics) == {"auc_macro", "auc_weighted", "ap_macro", "ap_weighted"}
        for name, value in result.metrics.items():
            assert value == every.metrics[name]
        with pytest.raises(InputError, match="the micro average was left out - at label"):
            result.curve("micro")
    binned = ThresholdCurves(5, one_vs_rest_only=True).update(truth, score)
    with pytest.raises(InputError, match="the micro average was left out - at label"):
        binned.table("micro")


def test_intervals_are_saved_with_their_notes(tmp_path: Path) -> None:
    result = TopKAccuracy(k=[1]).update([0, 1], [[0.9, 0.1], [0.8, 0.2]]).compute()
    interval = Interval(math.nan, math.nan, 0.9, "bootstrap", "sample", "too few samples")
    dataclasses.replace(result, intervals={"top1": interval}).save(tmp_path / "result")
    again = TopKAccuracyResult.load(tmp_path / "result").intervals["top1"]
    assert again[2:] == interval[2:]
    assert math.isnan(again.low)
