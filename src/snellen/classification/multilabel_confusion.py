"""Counts of right, false and missed labels of multilabel data, and the numbers that follow."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen.classes import Classes
from snellen.classification import rates
from snellen.classification.averaging import Averaging
from snellen.classification.label_sets import compared, label_sets
from snellen.classification.labels import Labels, sample_weights
from snellen.classification.pair_counts import PairCounts
from snellen.classification.resampled_sets import LabelCounts, label_set_units, set_rates
from snellen.classification.tally import Tally
from snellen.errors import ClassError, InputError, ShapeError
from snellen.parameters import refuse_other_parameters
from snellen.result import Interval, Result, Undefined
from snellen.state import Moments, pack, prefixed, restored, unprefixed
from snellen.stored_results import plain_intervals, stored_intervals
from snellen.table_text import aligned_lines, number, printable, with_interval

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Self

    from snellen.displays import Display
    from snellen.metric import Units
    from snellen.state import PackedState

__all__ = [
    "MultilabelConfusion",
    "MultilabelConfusionResult",
    "SampleKinds",
    "multilabel_confusion",
]

_SHOWN_CLASSES = 40

# A sample's numbers of right, false and missed labels are one whole number of 62 bits; its upper
# and lower 31 bits are a pair that `PairCounts` counts.
_BITS: Final = 31
_FP, _TP = 21, 42
_MOST_CLASSES: Final = 2**20 - 1


class SampleKinds(NamedTuple):
    """Samples by how many of their labels are right, false and missed.

    Attributes
    ----------
    tp, fp, fn : ndarray, shape (S,), int64
        The three numbers of each kind.
    samples : ndarray, shape (S,), int64
        How many samples.
    weight : ndarray, shape (S,), float64, or None
        The sum of their weights; None where no sample had one.
    """

    tp: NDArray[np.int64]
    fp: NDArray[np.int64]
    fn: NDArray[np.int64]
    samples: NDArray[np.int64]
    weight: NDArray[np.float64] | None

    @property
    def counted(self) -> NDArray[np.float64]:
        """The samples of each kind or, where they have weights, the sum of these."""
        return self.samples.astype(np.float64) if self.weight is None else self.weight


class MultilabelConfusion:
    """True and false positives and negatives of each label, and all numbers that follow from them.

    Precision, recall, F-beta, Jaccard, specificity, negative predictive value, accuracy, Matthews'
    correlation and likelihood ratios of each class; micro, macro, weighted and samples averages;
    subset accuracy, Hamming loss, label cardinality and density.

    Parameters
    ----------
    classes : Classes, mapping of id to name, or sequence of names, optional
        The classes that may occur; other labels are refused. Without, the classes are the columns
        of matrices and the labels that have occurred in sets.
    beta : float
        How much recall counts against precision in F-beta; F1 is always there.
    absent_classes : {"drop", "zero", "one"}
        What a class that neither truth nor predictions have counts as in macro averages, and a
        sample without labels on either side in the samples average.
    zero_division : {0.0, 1.0, nan}
        What 0/0 of another class or sample counts as in averages; NaN leaves it out of that
        average. The number of the class itself is NaN.
    threshold : float
        Scores at or above it count as labels.

    Notes
    -----
    State
        Three integers for each class, and how many samples have each triple of right, false and
        missed labels; exact sums of weights where there are any. Constant in the number of samples:
        it grows with the number of classes and of different triples.
    Merge
        Adds; exact. Classes are joined by id.
    Ties
        A score that equals the threshold counts as a label.
    Undefined
        0/0 is NaN, with the reason.
    Agrees with
        scikit-learn 1.9.1 in every bit without weights, samples averages to rounding; torchmetrics
        1.9.0 and Keras 3.15.1 under their conventions (tests/oracle).

    Examples
    --------
    >>> from snellen import MultilabelConfusion
    >>> truth = [{"cat", "dog"}, {"dog"}, set()]
    >>> pred = [{"cat"}, {"dog"}, {"cat"}]
    >>> result = MultilabelConfusion().update(truth, pred).compute()
    >>> result.tp.tolist(), result.fp.tolist(), result.fn.tolist()
    ([1, 1], [1, 0], [0, 1])
    >>> round(result.f1_macro, 4), round(result.subset_accuracy, 4), round(result.hamming, 4)
    (0.6667, 0.3333, 0.3333)
    """

    __slots__ = ("_classes", "_kinds", "_tally", "averaging", "beta", "declared", "threshold")

    def __init__(
        self,
        classes: Classes | Mapping[Any, str] | Sequence[str] | None = None,
        *,
        beta: float = 1.0,
        absent_classes: str = "drop",
        zero_division: float = 0.0,
        threshold: float = 0.5,
    ) -> None:
        self.declared = None if classes is None else Classes.of(classes)
        self.averaging = Averaging(absent_classes, zero_division)
        if not (isinstance(beta, (int, float)) and 0 < beta < math.inf):
            raise InputError(f"expected a number above 0, got {beta!r}", "beta")
        if not (isinstance(threshold, (int, float)) and math.isfinite(threshold)):
            raise InputError(f"expected a finite number, got {threshold!r}", "threshold")
        self.beta = float(beta)
        self.threshold = float(threshold)
        self._classes = Classes([]) if self.declared is None else self.declared
        _check_number(self._classes)
        self._tally = _tally(len(self._classes))
        self._kinds = PairCounts(1 << _BITS)

    def __repr__(self) -> str:
        return f"MultilabelConfusion({len(self._classes)} classes)"

    @property
    def classes(self) -> Classes:
        """The classes: the declared ones, or those that have occurred."""
        return self._classes

    @property
    def is_weighted(self) -> bool:
        """Whether any sample had a weight."""
        return self._kinds.is_weighted

    def update(
        self,
        truth: Labels | ArrayLike | Sequence[Any],
        pred: Labels | ArrayLike | Sequence[Any],
        *,
        weight: ArrayLike | None = None,
    ) -> Self:
        """Absorb a batch of n samples.

        Parameters
        ----------
        truth : array-like of shape (n, L), sequence of n sets, or Labels
            Flags, or 0 and 1; or the labels of each sample, a set or a list of texts: ids or names.
            Lists of numbers are rows of a matrix.
        pred : array-like of shape (n, L), sequence of n sets, or Labels
            The same, or the score of each label as fractions.
        weight : array-like of shape (n,), optional
            How much each sample counts.

        Raises
        ------
        ClassError
            For labels outside the classes.
        InputError
            For what cannot be evaluated. After an error the metric is as it was.
        """
        if isinstance(truth, Labels):
            if weight is not None:
                raise InputError("expected no weight beside Labels, which have them")
            weight = truth.weight
        one = label_sets(truth, "truth", classes=self.declared)
        other = label_sets(pred, "pred", classes=self.declared, threshold=self.threshold)
        if one.n != other.n:
            raise ShapeError(
                f"expected as many predictions as samples with truth, got {other.n} and {one.n}"
            )
        if one.is_matrix and other.is_matrix and len(one.classes) != len(other.classes):
            raise ShapeError(
                f"expected as many columns in predictions as in truth, got {len(other.classes)} "
                f"and {len(one.classes)}"
            )
        weights = sample_weights(weight, one.n)
        classes = self._joined(Classes.union([one.classes, other.classes]))
        labels = compared(one.moved(classes), other.moved(classes))
        n_classes = len(classes)
        cell = [code + block * n_classes for block, code in enumerate(labels.code)]
        cell.append(np.full(one.n, 3 * n_classes))
        tally = self._tally_among(classes)
        tally.add(
            "cell",
            np.concatenate(cell),
            None if weights is None else weights[np.concatenate([*labels.row, np.arange(one.n)])],
        )
        self._tally = tally
        tp, fp, fn = labels.per_sample
        kind = tp << _TP | fp << _FP | fn
        self._kinds.add(
            (kind >> _BITS).astype(np.int32), (kind & ((1 << _BITS) - 1)).astype(np.int32), weights
        )
        self._classes = classes
        return self

    def merge(self, other: MultilabelConfusion, /) -> Self:
        """Absorb another metric of equal parameters; `other` stays as it was.

        Raises
        ------
        MergeError
            Where the parameters differ.
        ClassError, IdError
            Where the classes don't go together.
        """
        refuse_other_parameters(self, self._parameters(), other._parameters())
        classes = self._joined(other._classes)
        tally = self._tally_among(classes)
        tally.merge(other._tally_among(classes))
        self._classes, self._tally = classes, tally
        self._kinds.merge(other._kinds)
        return self

    def empty(self) -> MultilabelConfusion:
        """Return a metric of the same parameters without data."""
        return MultilabelConfusion(
            self.declared,
            beta=self.beta,
            absent_classes=self.averaging.absent_classes,
            zero_division=self.averaging.zero_division,
            threshold=self.threshold,
        )

    def compute(self) -> MultilabelConfusionResult:
        """Return the result of all that was absorbed."""
        n_classes = len(self._classes)
        tp, fp, fn = self._tally.table("cell")[:-1].reshape(3, n_classes)
        exact = self._tally.exact("cell")
        left_out = exact[-1] - exact[:-1].reshape(3, n_classes).sum(axis=0)
        return MultilabelConfusionResult.of_counts(
            self._classes,
            # Rounded once: weighted sums that cancel leave no trace.
            LabelCounts(tp, fp, fn, left_out.astype(tp.dtype)),
            self._sample_kinds(),
            averaging=self.averaging,
            beta=self.beta,
            threshold=self.threshold,
        )

    def units(self, *, each: bool = False) -> Units:
        """Return the samples as units for resampling: those of one triple are equal.

        They have the numbers that follow from the triples: micro and samples averages, subset
        accuracy, Hamming loss, cardinality.

        Raises
        ------
        InputError
            Where samples have weights, or `each` is asked for: the state doesn't know its samples.
        """
        if each or self._kinds.is_weighted:
            raise InputError(
                "expected samples without weights that need not be told apart, a "
                "MultilabelConfusion keeps no samples"
            )
        kinds = self._sample_kinds()
        left_out = len(self._classes) - kinds.tp - kinds.fp - kinds.fn
        return label_set_units(
            LabelCounts(kinds.tp, kinds.fp, kinds.fn, left_out),
            kinds.samples,
            averaging=self.averaging,
            beta=self.beta,
        )

    def to_bytes(self) -> bytes:
        """Return the state: the same bytes for any sharding and any order of batches."""
        arrays = {
            **prefixed("class.", self._tally.arrays()),
            **prefixed("sample.", self._kinds.arrays()),
        }
        content: dict[str, Any] = {"parameters": self._parameters()}
        self._classes.store(content, arrays)
        return pack(type(self).__name__, content, arrays)

    @classmethod
    def from_bytes(cls, data: bytes, /) -> MultilabelConfusion:
        """Return the metric whose state `to_bytes` wrote.

        Raises
        ------
        SchemaError
            Where the bytes are not such a state.
        """
        return restored(data, cls.__name__, cls._of_packed)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self).from_bytes, (self.to_bytes(),))

    @classmethod
    def _of_packed(cls, packed: PackedState) -> MultilabelConfusion:
        parameters = packed.content["parameters"]
        classes = Classes.stored(packed.content, packed.arrays)
        averaging = Averaging.from_dict(parameters)
        metric = cls(
            classes if parameters["classes"] is not None else None,
            beta=parameters["beta"],
            absent_classes=averaging.absent_classes,
            zero_division=averaging.zero_division,
            threshold=parameters["threshold"],
        )
        metric._classes = classes
        metric._tally = _tally(len(classes))
        metric._tally.restore(unprefixed("class.", packed.arrays))
        metric._kinds.restore(unprefixed("sample.", packed.arrays))
        return metric

    def _parameters(self) -> dict[str, Any]:
        declared = self.declared
        return {
            "classes": None
            if declared is None
            else [declared.keys.ids.tolist(), list(declared.names)],
            "beta": self.beta,
            "threshold": self.threshold,
            **self.averaging.to_dict(),
        }

    def _joined(self, classes: Classes) -> Classes:
        """Return the classes absorbed and these; refuse others than the declared ones."""
        joined = Classes.union([self._classes, classes])
        if self.declared is not None and len(joined) != len(self.declared):
            known = set(self.declared.keys.ids.tolist())
            other = next(each for each in joined.keys.ids.tolist() if each not in known)
            raise ClassError(
                f"expected labels of {len(self.declared)} classes, got {other}, which is none"
            )
        _check_number(joined)
        return joined

    def _tally_among(self, classes: Classes) -> Tally:
        """Return the counts among these classes; the very same object where nothing changes."""
        if classes.keys.same_as(self._classes.keys):
            return self._tally
        place = classes.keys.codes(self._classes.keys.ids).astype(np.int64)
        n = len(classes)
        return self._tally.placed(
            "cell", np.r_[place, place + n, place + 2 * n, 3 * n], (3 * n + 1,)
        )

    def _sample_kinds(self) -> SampleKinds:
        cells = self._kinds.cells()
        kind = cells.row << _BITS | cells.column
        field = (1 << _FP) - 1
        return SampleKinds(
            kind >> _TP, kind >> _FP & field, kind & field, cells.samples, cells.weight
        )


def _tally(n_classes: int) -> Tally:
    """Return the table of true positives, false positives, false negatives, and of all samples."""
    return Tally(cell=(3 * n_classes + 1,))


def _check_number(classes: Classes) -> None:
    if len(classes) > _MOST_CLASSES:
        raise ClassError(
            f"expected at most {_MOST_CLASSES:,} classes, got {len(classes):,}: are these labels?"
        )


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class MultilabelConfusionResult(Result):
    """The counts of K labels and what follows from them.

    Counts are whole numbers (int64); where samples have weights, sums of weights (float64).
    Ratios that are 0/0 are NaN.

    Attributes
    ----------
    classes : Classes
        The K classes.
    kinds : SampleKinds
        Samples by how many of their labels are right, false and missed.
    tp, fp, fn, tn : ndarray, shape (K,)
        True and false positives and negatives of each class.
    """

    classes: Classes
    kinds: SampleKinds
    averaging: Averaging
    beta: float
    threshold: float
    tp: NDArray[Any]
    fp: NDArray[Any]
    fn: NDArray[Any]
    tn: NDArray[Any]

    @property
    def task(self) -> str:
        """The task, as the command line calls it."""
        return "classification"

    @classmethod
    def of_counts(
        cls,
        classes: Classes,
        counts: LabelCounts,
        kinds: SampleKinds,
        *,
        averaging: Averaging,
        beta: float,
        threshold: float,
        intervals: Mapping[str, Interval] | None = None,
    ) -> MultilabelConfusionResult:
        """Return the result of counts."""
        tp, fp, fn, tn = counts
        n_classes = len(classes)
        of_samples = LabelCounts(
            kinds.tp, kinds.fp, kinds.fn, n_classes - kinds.tp - kinds.fp - kinds.fn
        )
        counted = kinds.counted
        metrics: dict[str, float] = {}
        undefined: list[Undefined] = []

        def put(name: str, value: float, reason: str) -> None:
            metrics[name] = value
            if math.isnan(value):
                if not counted.any():
                    reason = "there are no samples"
                elif not n_classes:
                    reason = "there are no classes"
                undefined.append(Undefined(name, reason))

        absent = (tp + fp + fn) == 0
        micro = LabelCounts(*(np.array([math.fsum(each.tolist())]) for each in counts))
        by_class = set_rates(counts, beta) | {"mcc": rates.matthews(*counts)}
        by_sample = set_rates(of_samples, beta)
        overall = set_rates(micro, beta) | {"mcc": rates.matthews(*micro)}
        for name, values in by_class.items():
            for how in ("macro", "weighted"):
                value, reason = averaging.average(values, support=tp + fn, absent=absent, how=how)
                put(f"{name}_{how}", value, reason)
            put(f"{name}_micro", float(overall[name][0]), "it is 0/0 over all labels")
            if name in by_sample:
                filled, counts_too = averaging.filled(
                    by_sample[name], (kinds.tp + kinds.fp + kinds.fn) == 0
                )
                put(
                    f"{name}_samples",
                    _mean(filled[counts_too], counted[counts_too]),
                    "it is defined for no sample",
                )
        tp_all, fp_all, fn_all, tn_all = (float(each[0]) for each in micro)
        whole, cells = math.fsum(counted.tolist()), tp_all + fp_all + fn_all + tn_all
        exact = (kinds.fp + kinds.fn) == 0
        for name, top, bottom in (
            ("subset_accuracy", math.fsum(counted[exact].tolist()), whole),
            ("hamming", fp_all + fn_all, cells),
            ("cardinality_truth", tp_all + fn_all, whole),
            ("cardinality_prediction", tp_all + fp_all, whole),
            ("density_truth", tp_all + fn_all, cells),
            ("density_prediction", tp_all + fp_all, cells),
        ):
            put(name, top / bottom if bottom else math.nan, "")
        samples = kinds.samples
        return cls(
            metrics=metrics,
            protocol={
                "name": "multilabel-confusion",
                "beta": beta,
                "threshold": threshold,
                **averaging.to_dict(),
            },
            undefined=tuple(undefined),
            data={
                "n_samples": int(samples.sum()),
                "n_classes": n_classes,
                "n_truth_labels": int(samples @ (kinds.tp + kinds.fn)),
                "n_predicted_labels": int(samples @ (kinds.tp + kinds.fp)),
                "n_without_truth_labels": int(samples[(kinds.tp + kinds.fn) == 0].sum()),
            },
            intervals={} if intervals is None else intervals,
            classes=classes,
            kinds=kinds,
            averaging=averaging,
            beta=beta,
            threshold=threshold,
            tp=tp,
            fp=fp,
            fn=fn,
            tn=tn,
        )

    @property
    def support(self) -> NDArray[Any]:
        """How many samples have each class in truth (the sum of their weights), (K,)."""
        support: NDArray[Any] = self.tp + self.fn
        return support

    def class_values(self) -> dict[str, NDArray[np.float64]]:
        """Return the numbers of each class by name, each (K,)."""
        counts = LabelCounts(self.tp, self.fp, self.fn, self.tn)
        ratios = np.array(
            [
                rates.likelihood_ratios(*each)
                for each in zip(*(c.tolist() for c in counts), strict=True)
            ]
        ).reshape(-1, 2)
        return {
            **set_rates(counts, self.beta),
            "mcc": rates.matthews(*counts),
            "lr_positive": ratios[:, 0],
            "lr_negative": ratios[:, 1],
        }

    def per_class(self) -> list[dict[str, Any]]:
        """Return, for each class, its id, name, counts and numbers."""
        columns = {
            "n_truth": self.support,
            "n_predicted": self.tp + self.fp,
            "tp": self.tp,
            "fp": self.fp,
            "fn": self.fn,
            "tn": self.tn,
            **self.class_values(),
        }
        values = {name: column.tolist() for name, column in columns.items()}
        return [
            {"class": name, "id": class_id, **{key: each[k] for key, each in values.items()}}
            for k, (name, class_id) in enumerate(
                zip(self.classes.display_names(), self.classes.keys.ids.tolist(), strict=True)
            )
        ]

    def displays(self) -> tuple[Display, ...]:
        """Return the rates of classes, and the headline numbers."""
        from snellen.classification.label_displays import class_rates

        return (class_rates(self), *super().displays())

    def undefined_of_classes(self) -> list[Undefined]:
        """Return which numbers of single classes are NaN, and why."""
        names = self.classes.display_names()
        return [
            Undefined(name, _WHY_UNDEFINED.get(name, _NEITHER), names[k])
            for name, values in self.class_values().items()
            for k in np.flatnonzero(np.isnan(values)).tolist()
        ]

    def __str__(self) -> str:
        """Return the report: classes, averages, and what concerns whole samples."""
        names = ["precision", "recall", "f1"]
        if self.beta != 1:
            names.append(f"f{self.beta:g}")
        rows = [["", *names, "support"]]
        shown = len(self.classes) if len(self.classes) <= _SHOWN_CLASSES else 0
        values, support = self.class_values(), self.support.tolist()
        rows += [
            [
                printable(name, 30),
                *(number(float(values[key][k])) for key in names),
                number(support[k]),
            ]
            for k, name in enumerate(self.classes.display_names()[:shown])
        ]
        total = number(self.support.sum().item())
        rows += [
            [f"{how} average", *(number(self.metrics[f"{key}_{how}"]) for key in names), total]
            for how in ("micro", "macro", "weighted", "samples")
        ]
        lines = aligned_lines(rows)
        if shown:
            lines.insert(shown + 1, "")
        headline = (
            *("subset_accuracy", "hamming", "jaccard_samples"),
            *("cardinality_truth", "cardinality_prediction"),
        )
        rest = aligned_lines(
            [
                [name, with_interval(self.metrics[name], self.intervals.get(name))]
                for name in headline
            ],
            left=2,
        )
        return "\n".join([*lines, "", *rest])

    def composition(self) -> str:
        """Return, in a few lines, what the result was made of."""
        data = self.data
        weighted = ", weighted" if self.kinds.weight is not None else ""
        absent = int(np.count_nonzero((self.tp + self.fp + self.fn) == 0))
        bare = data["n_without_truth_labels"]
        lines = [
            f"samples      {data['n_samples']:,}{weighted}"
            + (f", {bare:,} without labels in truth" if bare else ""),
            f"classes      {data['n_classes']:,}"
            + (f", {absent:,} on neither side" if absent else ""),
            f"labels       {data['n_truth_labels']:,} in truth, "
            f"{data['n_predicted_labels']:,} predicted",
            f"averages     {self.averaging}",
        ]
        lines += [f"undefined    {entry.metric}: {entry.reason}" for entry in self.undefined]
        return "\n".join(lines)

    def _pack(self) -> bytes:
        arrays: dict[str, NDArray[Any]] = {
            f"kind.{name}": column
            for name, column in self.kinds._asdict().items()
            if column is not None
        }
        arrays |= {"tp": self.tp, "fp": self.fp, "fn": self.fn, "tn": self.tn}
        content = {
            "class_ids": self.classes.keys.ids.tolist(),
            "class_names": list(self.classes.names),
            "beta": self.beta,
            "threshold": self.threshold,
            "averaging": self.averaging.to_dict(),
            "intervals": plain_intervals(self.intervals),
        }
        return pack(type(self).__name__, content, arrays)

    @classmethod
    def _of_packed(cls, packed: PackedState) -> MultilabelConfusionResult:
        content, arrays = packed.content, packed.arrays
        return cls.of_counts(
            Classes(content["class_ids"], content["class_names"]),
            LabelCounts(arrays["tp"], arrays["fp"], arrays["fn"], arrays["tn"]),
            SampleKinds(
                arrays["kind.tp"],
                arrays["kind.fp"],
                arrays["kind.fn"],
                arrays["kind.samples"],
                arrays.get("kind.weight"),
            ),
            averaging=Averaging.from_dict(content["averaging"]),
            beta=content["beta"],
            threshold=content["threshold"],
            intervals=stored_intervals(content["intervals"]),
        )


_NEITHER = "neither truth nor predictions have the class"
_WHY_UNDEFINED = {
    "precision": "the class was never predicted",
    "recall": "no sample has the class",
    "specificity": "all samples have the class",
    "npv": "the class was predicted for all samples",
    "accuracy": "there are no samples",
    "mcc": "truth or predictions of the class are the same for all samples",
    "lr_positive": "there are no false positives, or no sample has the class",
    "lr_negative": "there are no true negatives, or no sample has the class",
}


def _mean(values: NDArray[np.float64], times: NDArray[np.float64]) -> float:
    """Return the mean of values that occur so often; both sums are rounded once."""
    sums = Moments(top=(), times=())
    sums.add_products(top=(values, times))
    sums.add(times=times)
    whole = float(sums.total("times"))
    return float(sums.total("top")) / whole if whole else math.nan


def multilabel_confusion(
    truth: Labels | ArrayLike | Sequence[Any],
    pred: Labels | ArrayLike | Sequence[Any],
    *,
    weight: ArrayLike | None = None,
    **parameters: Any,
) -> MultilabelConfusionResult:
    """Return the counts of each label and what follows; see `MultilabelConfusion`."""
    return MultilabelConfusion(**parameters).update(truth, pred, weight=weight).compute()
