"""The result of `ThresholdCurves`: areas, averages, and the curves themselves."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.classification import rates
from snellen.classification.stored_result import packed_result, result_fields
from snellen.classification.threshold_curve import ThresholdCurve, average_precisions
from snellen.errors import InputError, first_few
from snellen.result import Result, Undefined
from snellen.table_text import aligned_lines, number, printable, with_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.classification.scores import Form
    from snellen.displays import Display
    from snellen.state import PackedState

__all__ = ["ThresholdCurvesResult", "column_of"]


def column_of(label: int | str | None, form: Form) -> int | None:
    """Return the column of a class; None for all together."""
    if form.kind == "binary" and label is None:
        return 0
    if label is None:
        raise InputError(
            'expected a class or "micro", the data are of '
            f"{len(form.classes)} classes: {first_few(form.classes.display_names())}",
            "label",
        )
    if form.kind == "binary":
        raise InputError("expected no class, binary data have one curve", "label")
    return None if label == "micro" else form.position(label)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class ThresholdCurvesResult(Result):
    """Areas under curves, and the curves.

    C columns: of binary data 1, else one for each of K classes. The curves lie one after the
    other; `curve` returns one.

    Attributes
    ----------
    form : Form or None
        Kind of the data and its K classes.
    class_auc, class_ap : ndarray, shape (C,), float64
        Area under the ROC curve and average precision of each class against all others.
    auc_bounds, ap_bounds : ndarray, shape (C, 2), float64
        Between what the exact values lie; exact curves: the values themselves.
    n_positive, n_negative : ndarray, shape (C + 1,)
        How many (or their weights); last those of all decisions together. Binary data have no
        such last.
    begin : ndarray, shape (C + 2,), int64
        Where the rows of each curve begin.
    threshold : ndarray, shape (T,), float64
        Descending within each curve.
    tp, fp, fp_above : ndarray, shape (T,), int64 or, of weights, float64
        See `ThresholdCurve`.
    """

    form: Form | None
    class_auc: NDArray[np.float64]
    class_ap: NDArray[np.float64]
    auc_bounds: NDArray[np.float64]
    ap_bounds: NDArray[np.float64]
    n_positive: NDArray[Any]
    n_negative: NDArray[Any]
    begin: NDArray[np.int64]
    threshold: NDArray[np.float64]
    tp: NDArray[Any]
    fp: NDArray[Any]
    fp_above: NDArray[Any]

    @property
    def task(self) -> str:
        """The task, as the command line calls it."""
        return "classification"

    @classmethod
    def of_curves(
        cls,
        form: Form | None,
        curves: list[ThresholdCurve],
        micro: ThresholdCurve | None,
        wins: NDArray[Any] | None,
        *,
        n_samples: int,
        rules: dict[str, Any],
    ) -> ThresholdCurvesResult:
        """Return the result whose numbers are read from the curves.

        Parameters
        ----------
        form : Form or None
            Kind and classes.
        curves : list of ThresholdCurve
            One for each column.
        micro : ThresholdCurve or None
            All decisions together.
        wins : ndarray, shape (K, K), or None
            Twice the pairs that the row's class wins over the column's.
        n_samples : int
            How many samples there are.
        rules : dict
            The parameters.
        """
        auc = np.array([curve.area() for curve in curves], np.float64)
        ap = average_precisions(curves)
        auc_bounds, ap_bounds = np.stack([auc, auc], axis=1), np.stack([ap, ap], axis=1)
        if rules["bins"] is not None:
            bounds = [curve.bounds() for curve in curves]
            auc_bounds = np.array([each[0] for each in bounds]).reshape(-1, 2)
            ap_bounds = np.array([each[1] for each in bounds]).reshape(-1, 2)
        headlines = _Headlines(form, curves, micro, wins, rules)
        headlines.read(auc, ap)
        every = curves if micro is None else [*curves, micro]
        ends = np.cumsum([0, *(len(curve) for curve in every)])

        def joined(name: str, empty: Any) -> NDArray[Any]:
            parts: list[NDArray[Any]] = [getattr(curve, name) for curve in every]
            if len(parts) == 1:  # not a copy of half a million thresholds
                return parts[0]
            return np.concatenate(parts) if parts else np.zeros(0, empty)

        return cls(
            metrics=headlines.metrics,
            protocol=rules,
            undefined=tuple(headlines.undefined),
            data={"n_samples": n_samples, "n_classes": 0 if form is None else len(form.classes)},
            form=form,
            class_auc=auc,
            class_ap=ap,
            auc_bounds=auc_bounds,
            ap_bounds=ap_bounds,
            n_positive=np.array([curve.n_positive for curve in every]),
            n_negative=np.array([curve.n_negative for curve in every]),
            begin=ends.astype(np.int64),
            threshold=joined("threshold", np.float64),
            tp=joined("tp", np.int64),
            fp=joined("fp", np.int64),
            fp_above=joined("fp_above", np.int64),
        )

    def curve(self, label: int | str | None = None) -> ThresholdCurve:
        """Return the curve of a class, by id or name, or of all decisions together.

        Parameters
        ----------
        label : int or str, optional
            The class; "micro" for all together. Binary data need none.

        Raises
        ------
        ClassError
            Where there is no such class.
        InputError
            Without data.
        """
        if self.form is None or not len(self.class_auc):
            raise InputError("expected data, there are no samples")
        column = column_of(label, self.form)
        at = len(self.class_auc) if column is None else column
        if at >= len(self.n_positive):
            raise InputError("expected a class, the micro average was left out", "label")
        rows = slice(self.begin[at], self.begin[at + 1])
        return ThresholdCurve(
            self.threshold[rows],
            self.tp[rows],
            self.fp[rows],
            self.fp_above[rows],
            self.n_positive[at].item(),
            self.n_negative[at].item(),
        )

    def __str__(self) -> str:
        """Return the headline numbers and, of binary data, the best thresholds."""
        lines = aligned_lines(
            [
                [name, with_interval(value, self.intervals.get(name))]
                for name, value in self.metrics.items()
            ],
            left=2,
        )
        if self.form is not None and self.form.kind == "binary" and len(self.class_auc):
            best = {"highest F1": self.curve().best_f(), "highest J": self.curve().youden()}
            rows = [["", "value", "threshold", "precision", "recall"]]
            rows += [
                [name, *map(number, (p.value, p.threshold, p.precision, p.recall))]
                for name, p in best.items()
            ]
            lines += ["", *aligned_lines(rows)]
        return "\n".join(lines)

    def composition(self) -> str:
        """Return, in a few lines, what the result was made of."""
        weighted = ", weighted" if self.tp.dtype.kind == "f" else ""
        lines = [f"samples      {self.data['n_samples']:,}{weighted}"]
        if self.form is not None and len(self.class_auc):
            if self.form.kind == "binary":
                name = printable(self._names()[0])
                lines.append(
                    f"positive     {name}, {self.n_positive[0]:,} against {self.n_negative[0]:,}"
                )
            else:
                n_undefined = int(np.count_nonzero(np.isnan(self.class_auc)))
                lines.append(
                    f"classes      {len(self.class_auc):,} ({self.form.kind}), {n_undefined:,} "
                    f"without an AUC: {self.protocol['absent_classes']}"
                )
        bins = self.protocol["bins"]
        lines.append("curves       " + ("exact" if bins is None else f"{bins:,} thresholds"))
        lines += [f"undefined    {entry.metric}: {entry.reason}" for entry in self.undefined]
        return "\n".join(lines)

    def per_class(self) -> list[dict[str, Any]]:
        """Return, for each class (of binary data the positive one), its numbers."""
        if self.form is None:
            return []
        records = []
        for at, (name, class_id) in enumerate(zip(self._names(), self._ids(), strict=True)):
            rows = slice(self.begin[at], self.begin[at + 1])
            curve = ThresholdCurve(
                self.threshold[rows],
                self.tp[rows],
                self.fp[rows],
                self.fp_above[rows],
                self.n_positive[at].item(),
                self.n_negative[at].item(),
            )
            best = curve.best_f()
            records.append(
                {
                    "class": name,
                    "id": class_id,
                    "n_positive": curve.n_positive,
                    "auc": float(self.class_auc[at]),
                    "ap": float(self.class_ap[at]),
                    "best_f1": best.value,
                    "best_f1_threshold": best.threshold,
                }
            )
        return records

    def displays(self) -> tuple[Display, ...]:
        """Return the ROC curves, and precision over recall."""
        from snellen.classification.score_displays import precision_recall, roc

        return roc(self), precision_recall(self)

    def undefined_of_classes(self) -> list[Undefined]:
        """Return which numbers of single classes are NaN, and why."""
        if self.form is None:
            return []
        found = []
        for at, name in enumerate(self._names()):
            if not self.n_positive[at]:
                reason = "no sample has the class"
                found += [
                    Undefined(key, reason, name)
                    for key in ("auc", "ap", "best_f1", "best_f1_threshold")
                ]
            elif not self.n_negative[at]:
                found.append(Undefined("auc", "all samples have the class", name))
        return found

    def _columns(self) -> list[int]:
        """Return the positions of the classes that the columns stand for."""
        if self.form is None or not len(self.class_auc):
            return []
        if self.form.kind == "binary":
            return [self.form.positive(self.protocol["positive"])]
        return list(range(len(self.class_auc)))

    def _names(self) -> list[str]:
        names = [] if self.form is None else self.form.classes.display_names()
        return [names[k] for k in self._columns()]

    def _ids(self) -> list[int | str]:
        ids = [] if self.form is None else self.form.classes.keys.ids.tolist()
        return [ids[k] for k in self._columns()]

    def _pack(self) -> bytes:
        return packed_result(self, self.form, {name: getattr(self, name) for name in _ARRAYS})

    @classmethod
    def _of_packed(cls, packed: PackedState) -> ThresholdCurvesResult:
        return cls(**result_fields(packed, _ARRAYS))


_ARRAYS = (
    "class_auc",
    "class_ap",
    "auc_bounds",
    "ap_bounds",
    "n_positive",
    "n_negative",
    "begin",
    "threshold",
    "tp",
    "fp",
    "fp_above",
)


class _Headlines:
    """The headline numbers, and why some are NaN."""

    def __init__(
        self,
        form: Form | None,
        curves: list[ThresholdCurve],
        micro: ThresholdCurve | None,
        wins: NDArray[Any] | None,
        rules: dict[str, Any],
    ) -> None:
        self.form, self.curves, self.micro, self.wins, self.rules = form, curves, micro, wins, rules
        self.metrics: dict[str, float] = {}
        self.undefined: list[Undefined] = []

    def put(self, name: str, value: float, reason: str) -> None:
        self.metrics[name] = value
        if math.isnan(value):
            self.undefined.append(Undefined(name, reason))

    def read(self, auc: NDArray[np.float64], ap: NDArray[np.float64]) -> None:
        if self.form is None or not self.curves:
            for name in ("auc", "ap"):
                self.put(name, math.nan, "there are no samples")
        elif self.form.kind == "binary":
            (curve,) = self.curves
            side = "negative" if curve.n_positive else "positive"
            self.put("auc", float(auc[0]), f"the truth has no {side} samples")
            self.put("ap", float(ap[0]), "the truth has no positive samples")
        else:
            for name, values in (("auc", auc), ("ap", ap)):
                for how in ("macro", "weighted"):
                    self.put(f"{name}_{how}", *self._average(values, how))
            if self.micro is None:  # left out, and so is what follows
                return
            self.put("auc_micro", self.micro.area(), "no decision is positive, or none negative")
            self.put("ap_micro", self.micro.average_precision(), "no decision is positive")
            if self.form.kind == "multiclass":
                for how in ("macro", "weighted"):
                    self.put(f"auc_ovo_{how}", *self._one_against_one(how))

    def _average(self, values: NDArray[np.float64], how: str) -> tuple[float, str]:
        if np.isnan(values).all():
            return math.nan, "no class has both samples of its own and samples of others"
        support = np.array([curve.n_positive for curve in self.curves], np.float64)
        return rates.average(
            values,
            support,
            np.isnan(values),
            how,
            absent_classes=self.rules["absent_classes"],
        )

    def _one_against_one(self, how: str) -> tuple[float, str]:
        """Return the mean over pairs of classes of the mean of both sides' AUC.

        As every pair has two sides, that is the mean over the sides of all pairs.
        """
        if self.wins is None:
            return math.nan, "it needs every score, only counts at thresholds are kept"
        n = np.array([curve.n_positive for curve in self.curves], np.float64)
        there = np.flatnonzero(n)
        if len(there) < 2:
            return math.nan, "the truth has not two classes"
        some = n[there]
        wins = self.wins if len(there) == len(n) else self.wins[np.ix_(there, there)]
        auc = wins / (2 * some) / some[:, None]
        np.fill_diagonal(auc, 0.0)
        # Either side of a pair has the weight 1, or the samples of both of its classes.
        if how == "macro":
            total, whole = auc.sum(), len(there) * (len(there) - 1.0)
            left_out = len(n) * (len(n) - 1.0) - whole
        else:
            total = ((auc.sum(axis=1) + auc.sum(axis=0)) * some).sum()
            whole = 2 * (len(there) - 1) * some.sum()
            left_out = 2 * (len(n) - 1) * some.sum() - whole
        rule = self.rules["absent_classes"]
        if rule != "drop":
            whole += left_out
            total += left_out if rule == "one" else 0.0
        return float(total / whole), ""
