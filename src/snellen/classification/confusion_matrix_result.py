"""What follows from a confusion matrix: numbers, tables, text."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.classes import Classes
from snellen.classification import rates
from snellen.classification.agreement import kappas, matthews
from snellen.classification.averaging import Averaging
from snellen.classification.pair_counts import Cells
from snellen.classification.resampled_labels import class_rates
from snellen.errors import ClassError, InputError, first_few
from snellen.result import Result, Undefined
from snellen.state import Moments, pack
from snellen.stored_results import plain_intervals, stored_intervals
from snellen.table_text import aligned_lines, number, printable, with_interval

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.displays import Display
    from snellen.state import PackedState

__all__ = ["ConfusionMatrixResult", "class_position", "positive_code"]

_SHOWN_MATRIX = 20  # classes: above, the most confused pairs say more
_SHOWN_CLASSES = 40
_SHOWN_PAIRS = 10


def class_position(positive: int | str, classes: Classes) -> int:
    """Return the position of the positive class, an id or a name.

    Raises
    ------
    ClassError
        Where there is no such class.
    """
    ids = classes.keys.ids.tolist()
    if positive in ids:
        place: int = ids.index(positive)
        return place
    if positive in classes.names:
        return classes.names.index(str(positive))
    raise ClassError(
        f"expected a class of {first_few(classes.display_names())}, got {positive!r}", "positive"
    )


def positive_code(positive: int | str | None, classes: Classes) -> int | None:
    """Return the position of the positive class, None where the problem has none."""
    if positive is None:
        return 1 if classes.keys.ids.tolist() == [0, 1] else None
    if not len(classes):
        return None
    try:
        return class_position(positive, classes)
    except ClassError:
        return None


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class ConfusionMatrixResult(Result):
    """The confusion matrix of K classes and what follows from it.

    Counts are whole numbers (int64); where samples have weights, sums of weights (float64).
    Ratios that are 0/0 are NaN.

    Attributes
    ----------
    classes : Classes
        The K classes.
    cells : Cells
        The pairs (true, predicted) that occurred.
    tp, fp, fn, tn : ndarray, shape (K,)
        True and false positives and negatives of each class against all others.
    precision, recall, f1, fbeta, jaccard, specificity, npv : ndarray, shape (K,), float64
        Ratios of each class, under ``per_class()``.
    """

    classes: Classes
    cells: Cells
    averaging: Averaging
    beta: float
    positive: int | None
    tp: NDArray[Any]
    fp: NDArray[Any]
    fn: NDArray[Any]
    tn: NDArray[Any]

    @property
    def task(self) -> str:
        """The task, as the command line calls it."""
        return "classification"

    @classmethod
    def of_cells(
        cls,
        classes: Classes,
        cells: Cells,
        *,
        averaging: Averaging,
        beta: float,
        positive: int | str | None,
    ) -> ConfusionMatrixResult:
        """Return the result of counts."""
        code = positive_code(positive, classes)
        counted = cells.counted
        tp, fp, fn, tn, total = _class_counts(cells, counted, len(classes))
        true, predicted = tp + fn, tp + fp
        metrics: dict[str, float] = {}
        undefined: list[Undefined] = []

        def put(name: str, value: float, reason: str) -> None:
            metrics[name] = value
            if math.isnan(value):
                undefined.append(Undefined(name, reason if total else "there are no samples"))

        correct = tp.sum()
        put("accuracy", float(correct / total) if total else math.nan, "")
        recall = rates.recall(tp, fn)
        present = recall[~np.isnan(recall)]
        put(
            "balanced_accuracy",
            float(present.mean()) if len(present) else math.nan,
            "no class has samples with truth",
        )
        per_class = class_rates(tp, fp, fn, tn, beta)
        absent = (tp + fp + fn) == 0
        tp_all, fp_all, fn_all, tn_all = (each.sum(keepdims=True) for each in (tp, fp, fn, tn))
        micro = class_rates(tp_all, fp_all, fn_all, tn_all, beta)
        if code is not None or positive is not None:
            _put_binary(put, code, positive, per_class, (tp, fp, fn, tn))
        for name, values in per_class.items():
            for how in ("macro", "weighted"):
                value, reason = averaging.average(values, support=true, absent=absent, how=how)
                put(f"{name}_{how}", value, reason)
            put(f"{name}_micro", float(micro[name][0]), "it is 0/0 over all classes")
        put(
            "mcc",
            matthews(correct.item(), true, predicted) if len(classes) else math.nan,
            "truth or predictions are all of one class",
        )
        for weights, value in kappas(cells.row, cells.column, counted, true, predicted).items():
            put(
                "kappa" if weights == "none" else f"kappa_{weights}",
                value,
                "truth and predictions are all of one and the same class",
            )
        put("hamming", float((total - correct) / total) if total else math.nan, "")
        return cls(
            metrics=metrics,
            protocol={
                "name": "confusion-matrix",
                "positive": None if code is None else classes.keys.ids[code].item(),
                "beta": beta,
                **averaging.to_dict(),
            },
            undefined=tuple(undefined),
            data={
                "n_samples": int(cells.samples.sum()),
                "n_classes": len(classes),
                "n_correct": int(cells.samples[cells.row == cells.column].sum()),
            },
            classes=classes,
            cells=cells,
            averaging=averaging,
            beta=beta,
            positive=code,
            tp=tp,
            fp=fp,
            fn=fn,
            tn=tn,
        )

    @property
    def support(self) -> NDArray[Any]:
        """How many samples each class has in truth (the sum of their weights), (K,)."""
        support: NDArray[Any] = self.tp + self.fn
        return support

    @property
    def matrix(self) -> NDArray[Any]:
        """The confusion matrix (K, K): rows are true classes, columns predicted ones."""
        n_classes = len(self.classes)
        counted = self.cells.counted
        matrix = np.zeros((n_classes, n_classes), counted.dtype)
        matrix[self.cells.row, self.cells.column] = counted
        return matrix

    def normalised(self, by: str) -> NDArray[np.float64]:
        """Return the matrix as shares.

        Parameters
        ----------
        by : {"truth", "prediction", "all"}
            What adds up to 1: each row, each column, everything. A row or column without samples
            is NaN.

        Raises
        ------
        InputError
            For another word.
        """
        matrix = self.matrix.astype(np.float64)
        whole = {
            "truth": lambda: matrix.sum(axis=1, keepdims=True),
            "prediction": lambda: matrix.sum(axis=0, keepdims=True),
            "all": lambda: matrix.sum(keepdims=True),
        }
        if by not in whole:
            raise InputError(f'expected "truth", "prediction" or "all", got {by!r}', "by")
        return rates.ratio(matrix, np.broadcast_to(whole[by](), matrix.shape))

    def most_confused(self, n: int = _SHOWN_PAIRS) -> list[dict[str, Any]]:
        """Return the n pairs of different classes with the most samples, most first."""
        cells = self.cells
        counted = cells.counted
        wrong = np.flatnonzero(cells.row != cells.column)
        order = wrong[np.lexsort((cells.column[wrong], cells.row[wrong], -counted[wrong]))][:n]
        names, support = self.classes.display_names(), self.support
        return [
            {
                "truth": names[cells.row[i]],
                "prediction": names[cells.column[i]],
                "n": counted[i].item(),
                "share_of_truth": float(counted[i] / support[cells.row[i]]),
            }
            for i in order.tolist()
        ]

    def per_class(self) -> list[dict[str, Any]]:
        """Return, for each class, its id, name, counts and ratios."""
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

    def class_values(self) -> dict[str, NDArray[np.float64]]:
        """Return the ratios of each class by name, each (K,)."""
        return class_rates(self.tp, self.fp, self.fn, self.tn, self.beta)

    def displays(self) -> tuple[Display, ...]:
        """Return the confusion matrix, the rates of classes, and the headline numbers."""
        from snellen.classification.label_displays import class_rates, confusion_matrix

        return (confusion_matrix(self), class_rates(self), *super().displays())

    def undefined_of_classes(self) -> list[Undefined]:
        """Return which numbers of single classes are NaN, and why."""
        names = self.classes.display_names()
        return [
            Undefined(name, _WHY_UNDEFINED.get(name, "it is 0/0"), names[k])
            for name, values in self.class_values().items()
            for k in np.flatnonzero(np.isnan(values)).tolist()
        ]

    def __str__(self) -> str:
        """Return the report: classes, averages, agreement, and the matrix to 20 classes."""
        parts = [self._report(), self._headline(), self._matrix_text()]
        return "\n\n".join("\n".join(lines) for lines in parts if lines)

    def _report(self) -> list[str]:
        values = self.class_values()
        names = ["precision", "recall", *(name for name in values if name.startswith("f"))]
        rows = [["", *names, "support"]]
        if len(self.classes) <= _SHOWN_CLASSES:
            support = self.support.tolist()
            rows += [
                [
                    printable(name, 30),
                    *(number(float(values[key][k])) for key in names),
                    number(support[k]),
                ]
                for k, name in enumerate(self.classes.display_names())
            ]
        total = number(self.support.sum().item())
        for how in ("macro", "weighted"):
            rows.append(
                [
                    f"{how} average",
                    *(number(self.metrics[f"{key}_{how}"]) for key in names),
                    total,
                ]
            )
        lines = aligned_lines(rows)
        if len(self.classes) <= _SHOWN_CLASSES:
            lines.insert(len(self.classes) + 1, "")
        return lines

    def _headline(self) -> list[str]:
        wanted = ["accuracy", "balanced_accuracy", "f1_macro", "mcc", "kappa"]
        if self.positive is not None:
            wanted = ["accuracy", "precision", "recall", "f1", "specificity", *wanted[1:]]
        return aligned_lines(
            [
                [name, with_interval(self.metrics[name], self.intervals.get(name))]
                for name in wanted
            ],
            left=2,
        )

    def _matrix_text(self) -> list[str]:
        if not len(self.classes):
            return []
        if len(self.classes) > _SHOWN_MATRIX:
            pairs = self.most_confused()
            if not pairs:
                return ["no two classes are confused"]
            rows = [
                [
                    f"{printable(pair['truth'], 30)} → {printable(pair['prediction'], 30)}",
                    number(pair["n"]),
                    f"{100 * pair['share_of_truth']:.1f} % of {printable(pair['truth'], 30)}",
                ]
                for pair in pairs
            ]
            return ["most confused (true → predicted)", *aligned_lines(rows)]
        names = [printable(name, 12) for name in self.classes.display_names()]
        rows = [["true \\ predicted", *names]]
        rows += [
            [name, *map(number, row)] for name, row in zip(names, self.matrix.tolist(), strict=True)
        ]
        return aligned_lines(rows)

    def composition(self) -> str:
        """Return, in a few lines, what the result was made of."""
        data = self.data
        weighted = ", weighted" if self.cells.weight is not None else ""
        binary = (
            ""
            if self.positive is None
            else f", positive is {printable(self.classes.display_names()[self.positive])}"
        )
        absent = int(np.count_nonzero((self.tp + self.fp + self.fn) == 0))
        lines = [
            f"samples      {data['n_samples']:,}{weighted}",
            f"classes      {data['n_classes']:,}{binary}"
            + (f", {absent:,} on neither side" if absent else ""),
            f"averages     {self.averaging}",
        ]
        lines += [f"undefined    {entry.metric}: {entry.reason}" for entry in self.undefined]
        return "\n".join(lines)

    def _pack(self) -> bytes:
        arrays: dict[str, NDArray[Any]] = {
            name: column for name, column in self.cells._asdict().items() if column is not None
        }
        content = {
            "class_ids": self.classes.keys.ids.tolist(),
            "class_names": list(self.classes.names),
            "beta": self.beta,
            "positive": self.protocol["positive"],
            "averaging": self.averaging.to_dict(),
            "intervals": plain_intervals(self.intervals),
        }
        return pack(type(self).__name__, content, arrays)

    @classmethod
    def _of_packed(cls, packed: PackedState) -> ConfusionMatrixResult:
        found = cls.of_cells(
            Classes(packed.content["class_ids"], packed.content["class_names"]),
            Cells(*map(packed.arrays.get, Cells._fields)),  # type: ignore[arg-type]  # of_cells fails
            averaging=Averaging.from_dict(packed.content["averaging"]),
            beta=packed.content["beta"],
            positive=packed.content["positive"],
        )
        intervals = stored_intervals(packed.content["intervals"])
        return dataclasses.replace(found, intervals=intervals)


_WHY_UNDEFINED = {
    "precision": "the class was never predicted",
    "recall": "truth has no sample of the class",
    "specificity": "all samples are of the class",
    "npv": "the class was predicted for all samples",
}


def _class_counts(
    cells: Cells, counted: NDArray[Any], n_classes: int
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any], Any]:
    """Return true and false positives, false and true negatives of each class, and the total.

    Sums of weights are rounded once: what cancels leaves no trace.
    """
    diagonal = cells.row == cells.column
    correct = np.zeros(n_classes, counted.dtype)
    correct[cells.row[diagonal]] = counted[diagonal]
    if counted.dtype.kind == "i":
        # Whole numbers below 2^53 stay exact in float64.
        truth, predicted = (
            np.bincount(place, counted, n_classes).astype(np.int64)
            for place in (cells.row, cells.column)
        )
        total = counted.sum()
        fp, fn = predicted - correct, truth - correct
        return correct, fp, fn, total - correct - fp - fn, total
    wrong = Moments(fp=(n_classes,), fn=(n_classes,), all=())
    wrong.add_at("fp", cells.column[~diagonal], counted[~diagonal])
    wrong.add_at("fn", cells.row[~diagonal], counted[~diagonal])
    wrong.add(all=counted)
    kept = Moments(correct=(n_classes,))
    kept.add_at("correct", np.arange(n_classes), correct)
    rest = wrong.exact("all") - kept.exact("correct") - wrong.exact("fp") - wrong.exact("fn")
    return (
        correct,
        wrong.total("fp"),
        wrong.total("fn"),
        rest.astype(np.float64),
        wrong.total("all")[()],
    )


def _put_binary(
    put: Any,
    code: int | None,
    positive: int | str | None,
    per_class: dict[str, NDArray[np.float64]],
    counts: tuple[NDArray[Any], ...],
) -> None:
    """Put the numbers of the positive class."""
    for name, values in per_class.items():
        missing = f"no sample and no prediction is of class {positive}"
        put(
            name,
            math.nan if code is None else float(values[code]),
            missing if code is None else _WHY_UNDEFINED.get(name, "it is 0/0"),
        )
    ratios = (
        (math.nan, math.nan)
        if code is None
        else rates.likelihood_ratios(*(float(each[code]) for each in counts))
    )
    put("lr_positive", ratios[0], "no negative is predicted as positive, or a side is missing")
    put("lr_negative", ratios[1], "no negative is predicted as negative, or a side is missing")
