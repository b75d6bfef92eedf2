"""ROC and precision-recall curves, the areas under them, and thresholds."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen import _core
from snellen.arrays import to_finite
from snellen.classification import rates
from snellen.classification.scores import (
    Form,
    ScoredSamples,
    SeenIds,
    score_kind,
    scored_samples,
)
from snellen.classification.stored_result import packed_result, result_fields
from snellen.classification.tally import Tally
from snellen.classification.threshold_curve import OperatingPoint, ThresholdCurve
from snellen.errors import ClassError, IdError, InputError, MergeError, SchemaError, first_few
from snellen.result import Result, Undefined
from snellen.state import pack, unpack
from snellen.table_text import aligned_lines, number, printable, with_interval

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Self

    from snellen.classification.labels import Labels
    from snellen.state import PackedState

__all__ = [
    "OperatingPoint",
    "ThresholdCurve",
    "ThresholdCurves",
    "ThresholdCurvesResult",
    "threshold_curves",
]

_ABSENT = ("drop", "zero", "one")
_MOST_BINS = 1_000_000
# Cells that are worked on at a time where a copy of them is made.
_CHUNK = 1 << 22


class _Rows(NamedTuple):
    """Samples as they were absorbed: a piece of the ledger."""

    score: NDArray[Any]
    code: NDArray[np.int32] | None
    member: NDArray[np.uint8] | None
    weight: NDArray[np.float64] | None
    sample_id: NDArray[Any] | None


class ThresholdCurves:
    """ROC and precision-recall curves of binary, multiclass and multilabel scores.

    Each class against all others (of binary data the positive one), all decisions together
    (micro), and, of multiclass data, each class against each other (Hand & Till).

    Parameters
    ----------
    bins : int or sequence of float, optional
        Without: every score is kept, and the curves are exact. An integer N: only counts at the N
        thresholds 0, 1/(N − 1), …, 1 are kept; or ascending thresholds that begin with 0. A score
        of type float32 is compared with the thresholds as float32.
    scores : {"probabilities", "logits", "any"}
        What scores are; see `snellen.classification.scores`. Exact curves are those of the scores
        as they are given (of two logits their difference), binned ones those of probabilities.
    absent_classes : {"drop", "zero", "one"}
        What an undefined number of a class counts as in averages over classes; "drop" leaves it
        out.
    positive : int or str, optional
        The positive class of binary data, an id or a name; without, the second class.

    Notes
    -----
    State
        Exact: the scores, which grow with the number of samples (K columns of float32 or float64
        each). Binned: two integers for each class and threshold, constant in the number of
        samples.
    Merge
        Joins rows, or adds counts; exact. A sample id that both have absorbed is refused.
    Ties
        Samples of one score are decided together: half a pair each in AUC, one step in AP.
    Undefined
        AUC of a class without positives or without negatives, AP of one without positives.
    Agrees with
        scikit-learn 1.9.1: the curves' counts exactly, AUC and AP up to the rounding of its sums;
        torchmetrics 1.9.0, with ``thresholds=N`` too (tests/oracle, tests/conformance).

    References
    ----------
    D. J. Hand, R. J. Till, "A simple generalisation of the area under the ROC curve for multiple
    class classification problems", Machine Learning 45, 2001.

    Examples
    --------
    >>> from snellen.classification.curves import ThresholdCurves
    >>> result = ThresholdCurves().update([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).compute()
    >>> result.auc, round(result.ap, 4)
    (0.75, 0.8333)
    >>> result.curve().best_f().threshold
    0.35
    """

    __slots__ = (
        "_form",
        "_ids",
        "_n_samples",
        "_pieces",
        "_tally",
        "absent_classes",
        "positive",
        "scores",
        "thresholds",
    )

    def __init__(
        self,
        bins: int | Sequence[float] | NDArray[Any] | None = None,
        *,
        scores: str = "any",
        absent_classes: str = "drop",
        positive: int | str | None = None,
    ) -> None:
        if absent_classes not in _ABSENT:
            raise InputError(
                f'expected "drop", "zero" or "one", got {absent_classes!r}', "absent_classes"
            )
        self.thresholds = None if bins is None else _thresholds(bins)
        self.scores = score_kind(scores)
        self.absent_classes = absent_classes
        self.positive = positive
        self._form: Form | None = None
        self._pieces: list[_Rows] = []
        self._ids: SeenIds | None = None
        self._tally: Tally | None = None
        self._n_samples = 0

    def __repr__(self) -> str:
        kind = "exact" if self.thresholds is None else f"{len(self.thresholds)} thresholds"
        return f"ThresholdCurves({kind}, {self._n_samples} samples)"

    def update(
        self,
        truth: Labels | ArrayLike,
        pred: Labels | ArrayLike,
        *,
        weight: ArrayLike | None = None,
        sample_id: ArrayLike | None = None,
    ) -> Self:
        """Absorb a batch of n samples.

        Parameters
        ----------
        truth : Labels or array-like
            The labels; as an array, positions 0 … K − 1 of shape (n,), or for multilabel data 0
            and 1 of shape (n, K).
        pred : Labels or array-like
            The scores, shape (n, K); of binary data also (n,), those of the second class. Arrays
            are copied where scores are kept; those of `Labels` are shared.
        weight : array-like, shape (n,), optional
            How much each sample counts.
        sample_id : array-like, shape (n,), optional
            Exact curves: kept, so that no sample is absorbed twice; with all batches or with none.

        Raises
        ------
        InputError
            For what cannot be evaluated. After an error the metric is as it was.
        """
        return self.absorb(
            scored_samples(truth, pred, weight=weight, sample_id=sample_id, scores=self.scores)
        )

    def absorb(self, samples: ScoredSamples) -> Self:
        """Absorb samples that were checked already; their arrays are shared if they are owned."""
        form = samples.form.joined(self._form)
        positive = _position(self.positive, form)
        if self.thresholds is None:
            self._keep(samples, form, positive)
        else:
            self._count(samples, form, positive)
        self._form = form
        self._n_samples += len(samples)
        return self

    def _keep(self, samples: ScoredSamples, form: Form, positive: int) -> None:
        given = samples.score
        score = samples.decision_column(positive) if form.kind == "binary" else given
        keys = None
        if self._pieces or self._ids is not None:
            self._check_naming(samples.sample_id is not None, len(samples))
        if samples.sample_id is not None:
            keys = (self._ids or SeenIds()).checked(samples.sample_id)
        if not len(samples):
            return
        shares = score is given and not samples.owned
        self._pieces.append(
            _Rows(
                score.copy() if shares else score,
                *(
                    None if column is None else column.copy()
                    for column in (samples.code, samples.member, samples.weight, samples.sample_id)
                ),
            )
        )
        if keys is not None:
            self._ids = self._ids or SeenIds()
            self._ids.add(keys)

    def _count(self, samples: ScoredSamples, form: Form, positive: int) -> None:
        assert self.thresholds is not None
        score = samples.score
        binary = form.kind == "binary"
        if self.scores == "logits":
            score = _probabilities(samples)
        elif score.size and not (score.min() >= 0 and score.max() <= 1):
            row = int(np.argwhere((score < 0) | (score > 1))[0, 0])
            raise InputError(
                "expected scores in [0, 1] for curves over bins, got "
                f'{score[row].min():g} to {score[row].max():g}: say scores="logits" or leave bins',
                f"pred[{row}]",
            )
        if binary:
            as_probabilities = dataclasses.replace(samples, score=score, scores="probabilities")
            score = as_probabilities.decision_column(positive)
        member = _members(samples.code, positive) if binary else samples.member
        code = None if binary else samples.code
        # float32 scores against float32 thresholds: 0.7 reaches the threshold 0.7 in either type.
        steps = self.thresholds.astype(score.dtype)
        tally = self._tally or _tally_of(form, self.thresholds)
        if samples.weight is None:
            counts, positives = _core.count_by_threshold(score, code, member, steps)
            tally.add_counts("all", counts)
            tally.add_counts("positive", positives)
        else:
            for name, cell, weight in _weighted_cells(score, code, member, samples.weight, steps):
                tally.add(name, cell, weight)
        self._tally = tally

    def merge(self, other: ThresholdCurves, /) -> Self:
        """Absorb another metric of equal parameters; `other` stays as it was.

        Raises
        ------
        MergeError
            Where the parameters differ.
        ClassError, IdError
            Where the classes do, or both have absorbed a sample.
        """
        if self._parameters() != other._parameters():
            mine, theirs = self._parameters(), other._parameters()
            differing = [
                f"{name} {theirs[name]} in place of {mine[name]}"
                for name in mine
                if mine[name] != theirs[name]
            ]
            raise MergeError(
                "expected the state of ThresholdCurves with the same parameters, got "
                f"{'; '.join(differing)}"
            )
        if other._form is None:
            return self
        form = other._form.joined(self._form)
        if other._n_samples:
            self._check_naming(other._ids is not None, other._n_samples)
        if other._ids is not None:
            ids = self._ids or SeenIds()
            ids.check_new(other._ids.runs)
            for run in other._ids.runs:
                ids.add(run)
            self._ids = ids
        self._pieces.extend(other._pieces)
        if other._tally is not None:
            assert self.thresholds is not None
            self._tally = self._tally or _tally_of(form, self.thresholds)
            self._tally.merge(other._tally)
        self._form = form
        self._n_samples += other._n_samples
        return self

    def empty(self) -> ThresholdCurves:
        """Return a metric of the same parameters without data."""
        return ThresholdCurves(
            self.thresholds,
            scores=self.scores,
            absent_classes=self.absent_classes,
            positive=self.positive,
        )

    def compute(self) -> ThresholdCurvesResult:
        """Return the result of all that was absorbed."""
        form = self._form
        if form is None or not self._n_samples:
            return ThresholdCurvesResult.of_curves(
                form, [], None, None, n_samples=0, rules=self._rules()
            )
        if self.thresholds is None:
            curves, micro, wins = self._exact_curves(form)
        else:
            curves, micro, wins = *self._binned_curves(form), None
        return ThresholdCurvesResult.of_curves(
            form, curves, micro, wins, n_samples=self._n_samples, rules=self._rules()
        )

    def table(
        self, label: int | str | None = None, *, thresholds: ArrayLike | None = None
    ) -> ThresholdCurve:
        """Return a curve with a row for every distinct score, not only those of positives.

        Parameters
        ----------
        label : int or str, optional
            A class, by id or name; "micro" for all decisions together. Binary data need none.
        thresholds : array-like, optional
            The thresholds to decide by, in place of the scores.

        Raises
        ------
        InputError
            Without data; for thresholds where only counts in bins are kept.
        """
        if self._form is None:
            raise InputError("expected data, nothing was absorbed yet")
        form = self._form
        column = _column_of(label, form)
        if self.thresholds is not None:
            if thresholds is not None:
                raise InputError(
                    "expected no thresholds, only counts at those of bins= are kept", "thresholds"
                )
            curves, micro = self._binned_curves(form)
            found = micro if column is None else curves[column]
            assert found is not None
            return found
        rows = self._settled()
        score, positive = _one_column(rows, form, _position(self.positive, form), column)
        weight = rows.weight
        if weight is not None and column is None:
            weight = np.repeat(weight, rows.score.shape[1])
        steps = (
            np.unique(score)[::-1]
            if thresholds is None
            else np.unique(to_finite(thresholds, "thresholds"))[::-1]
        )
        return _full_curve(score, positive, weight, steps)

    def _exact_curves(
        self, form: Form
    ) -> tuple[list[ThresholdCurve], ThresholdCurve | None, NDArray[Any] | None]:
        """Return the curve of each column, of all, and twice the wins of class over class."""
        rows = self._settled()
        positive = _position(self.positive, form)
        if rows.weight is not None:
            return _weighted_curves(rows, form, positive)
        n, n_columns = rows.score.shape
        if form.kind == "binary":
            member = _members(rows.code, positive)
            found = _core.curve_of_all(rows.score, None, member)
            return _split(found, [int(member.sum())], n), None, None
        wins = None
        if form.kind == "multiclass":
            assert rows.code is not None
            found, wins = _core.curves_and_wins(rows.score, rows.code)
            n_positive = np.bincount(rows.code, minlength=n_columns)
        else:
            assert rows.member is not None
            found = _core.curves_by_column(rows.score, None, rows.member)
            n_positive = rows.member.sum(axis=0, dtype=np.int64)
        together = _core.curve_of_all(rows.score, rows.code, rows.member)
        (micro,) = _split(together, [int(n_positive.sum())], n * n_columns)
        return _split(found, n_positive.tolist(), n), micro, wins

    def _binned_curves(self, form: Form) -> tuple[list[ThresholdCurve], ThresholdCurve | None]:
        assert self.thresholds is not None
        tally = self._tally or _tally_of(form, self.thresholds)
        tp, fp = _from_above(tally)
        fp_above = np.concatenate([np.zeros_like(fp[:, :1]), fp[:, :-1]], axis=1)
        steps = self.thresholds[::-1]

        def curve(tp: NDArray[Any], fp: NDArray[Any], fp_above: NDArray[Any]) -> ThresholdCurve:
            return ThresholdCurve(steps, tp, fp, fp_above, tp[-1].item(), fp[-1].item())

        curves = [curve(*columns) for columns in zip(tp, fp, fp_above, strict=True)]
        if form.kind == "binary":
            return curves, None
        return curves, curve(tp.sum(axis=0), fp.sum(axis=0), fp_above.sum(axis=0))

    def _settled(self) -> _Rows:
        """Return all rows as one piece, and keep it in place of all."""
        if len(self._pieces) > 1:
            weighted = any(piece.weight is not None for piece in self._pieces)
            columns: list[Any] = []
            for name in _Rows._fields:
                parts = [getattr(piece, name) for piece in self._pieces]
                if name == "weight" and weighted:
                    parts = [
                        np.ones(len(piece.score)) if piece.weight is None else piece.weight
                        for piece in self._pieces
                    ]
                columns.append(None if parts[0] is None else np.concatenate(parts))
            self._pieces = [_Rows(*columns)]
        return self._pieces[0]

    def to_bytes(self) -> bytes:
        """Return the state: the same bytes for any sharding and any order of batches."""
        content: dict[str, Any] = {
            "parameters": self._parameters(),
            "form": None if self._form is None else self._form.to_dict(),
            "n_samples": self._n_samples,
        }
        arrays: dict[str, NDArray[Any]] = {}
        if self.thresholds is not None:
            arrays["thresholds"] = self.thresholds
            if self._tally is not None:
                arrays |= {f"tally.{name}": array for name, array in self._tally.arrays().items()}
        elif self._pieces:
            for name, column in _in_canonical_order(self._settled())._asdict().items():
                if column is None:
                    continue
                if column.dtype.kind == "U":
                    content[name] = column.tolist()
                else:
                    arrays[name] = column
        return pack(type(self).__name__, content, arrays)

    @classmethod
    def from_bytes(cls, data: bytes, /) -> ThresholdCurves:
        """Return the metric whose state `to_bytes` wrote.

        Raises
        ------
        SchemaError
            Where the bytes are not such a state.
        """
        packed = unpack(data)
        if packed.name != cls.__name__:
            raise SchemaError(f"expected the state of {cls.__name__}, got one of {packed.name}")
        try:
            metric = cls._of_packed(packed)
            metric.compute()
            return metric
        except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
            raise SchemaError(f"expected a whole state of {cls.__name__}: {error}") from error

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self).from_bytes, (self.to_bytes(),))

    @classmethod
    def _of_packed(cls, packed: PackedState) -> ThresholdCurves:
        parameters, arrays = packed.content["parameters"], packed.arrays
        metric = cls(
            arrays.get("thresholds"),
            scores=parameters["scores"],
            absent_classes=parameters["absent_classes"],
            positive=parameters["positive"],
        )
        metric._form = form = Form.from_dict(packed.content["form"])
        metric._n_samples = int(packed.content["n_samples"])
        if form is None:
            return metric
        if metric.thresholds is not None:
            metric._tally = _tally_of(form, metric.thresholds)
            metric._tally.restore(
                {
                    name.removeprefix("tally."): array
                    for name, array in arrays.items()
                    if name.startswith("tally.")
                }
            )
        elif metric._n_samples:
            ids = arrays.get("sample_id", packed.content.get("sample_id"))
            rows = _Rows(
                arrays["score"],
                arrays.get("code"),
                arrays.get("member"),
                arrays.get("weight"),
                None if ids is None else np.asarray(ids),
            )
            wanted = (metric._n_samples, 1 if form.kind == "binary" else len(form.classes))
            if rows.score.shape != wanted:
                raise ValueError(f"scores of shape {rows.score.shape} in place of {wanted}")
            metric._pieces = [rows]
            if rows.sample_id is not None:
                metric._ids = SeenIds()
                metric._ids.add(metric._ids.checked(rows.sample_id))
        return metric

    def _parameters(self) -> dict[str, Any]:
        steps = self.thresholds
        return {
            "bins": None if steps is None else steps.tolist(),
            "scores": self.scores,
            "absent_classes": self.absent_classes,
            "positive": self.positive,
        }

    def _rules(self) -> dict[str, Any]:
        rules = self._parameters()
        if self.thresholds is not None:
            rules["bins"] = len(self.thresholds)
        return {"name": "threshold-curves", **rules}

    def _check_naming(self, named: bool, n: int) -> None:
        if self._n_samples and n and named != (self._ids is not None) and self.thresholds is None:
            raise IdError(
                "expected sample ids with all batches or with none, got some with and some without"
            )


def _thresholds(bins: Any) -> NDArray[np.float64]:
    """Return ascending thresholds from 0 on.

    Raises
    ------
    InputError
        For what is neither a number of them nor such a sequence.
    """
    if isinstance(bins, (int, np.integer)) and not isinstance(bins, bool):
        if not 2 <= bins <= _MOST_BINS:
            raise InputError(f"expected 2 to {_MOST_BINS:,} thresholds, got {bins}", "bins")
        return np.arange(bins) / (int(bins) - 1)
    steps = to_finite(bins, "bins")
    # float32 scores are compared with these as float32, where they must differ too.
    ascending = bool((np.diff(steps.astype(np.float32)) > 0).all())
    if len(steps) < 2 or steps[0] != 0 or steps[-1] > 1 or not ascending:
        raise InputError(
            "expected a number of thresholds, or thresholds that ascend from 0 to at most 1, got "
            f"{first_few(steps.tolist())}",
            "bins",
        )
    return steps


def _position(positive: int | str | None, form: Form) -> int:
    """Return the place of the positive class of binary data; 1 where none is named.

    Raises
    ------
    ClassError
        Where there is no such class.
    """
    return 1 if positive is None or form.kind != "binary" else _class_position(positive, form)


def _class_position(label: int | str, form: Form) -> int:
    ids, names = form.classes.keys.ids.tolist(), form.classes.names
    if label in ids:
        return int(ids.index(label))
    if label in names:
        return names.index(str(label))
    raise ClassError(
        f"expected a class of {first_few(form.classes.display_names())}, got {label!r}"
    )


def _column_of(label: int | str | None, form: Form) -> int | None:
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
    return None if label == "micro" else _class_position(label, form)


def _members(code: NDArray[np.int32] | None, positive: int) -> NDArray[np.uint8]:
    assert code is not None
    member: NDArray[np.uint8] = (code == positive).astype(np.uint8)[:, None]
    return member


def _probabilities(samples: ScoredSamples) -> NDArray[np.float64]:
    """Return the probabilities of logits: softmax, or of each column the logistic function."""
    score = samples.score
    if samples.form.kind == "multilabel":
        flat: NDArray[np.float64] = _core.probabilities(score.reshape(-1, 1), logit=True)
        return flat.reshape(score.shape)
    found: NDArray[np.float64] = _core.probabilities(score, logit=True)
    return found


def _split(found: Any, n_positive: list[int], n: int) -> list[ThresholdCurve]:
    """Return the curves that a kernel found, one after the other in its columns."""
    begin, threshold, tp, fp, above = found
    ends = begin.tolist()
    return [
        ThresholdCurve(
            threshold[first:last],
            tp[first:last],
            fp[first:last],
            above[first:last],
            total,
            n - total,
        )
        for first, last, total in zip(ends[:-1], ends[1:], n_positive, strict=True)
    ]


def _tally_of(form: Form, thresholds: NDArray[np.float64]) -> Tally:
    n_columns = 1 if form.kind == "binary" else len(form.classes)
    shape = (n_columns, len(thresholds) + 1)
    return Tally(all=shape, positive=shape)


def _from_above(tally: Tally) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return true and false positives at each threshold, highest first, (columns, thresholds)."""
    tables = [tally.exact(name) for name in ("positive", "all")]
    kind = np.float64 if tally.is_weighted else np.int64
    # Cell t + 1 holds what reaches threshold t and no higher one.
    tp, reached = (table[:, :0:-1].cumsum(axis=1) for table in tables)
    return tp.astype(kind), (reached - tp).astype(kind)


def _weighted_cells(
    score: NDArray[Any],
    code: NDArray[np.int32] | None,
    member: NDArray[np.uint8] | None,
    weight: NDArray[np.float64],
    steps: NDArray[Any],
) -> Iterator[tuple[str, NDArray[np.int64], NDArray[np.float64]]]:
    """Yield, for parts of the rows, the cells of all scores and of the positive ones."""
    n, n_columns = score.shape
    n_rows = max(1, _CHUNK // n_columns)
    offsets = np.arange(n_columns) * (len(steps) + 1)
    for first in range(0, n, n_rows):
        part = slice(first, first + n_rows)
        cell = offsets + np.searchsorted(steps, score[part], side="right")
        each = np.broadcast_to(weight[part, None], cell.shape)
        yield "all", cell.reshape(-1), each.reshape(-1)
        if member is not None:
            chosen = member[part] != 0
        else:
            assert code is not None
            chosen = code[part, None] == np.arange(n_columns)
        yield "positive", cell[chosen], each[chosen]


def _one_column(
    rows: _Rows, form: Form, positive: int, column: int | None
) -> tuple[NDArray[Any], NDArray[np.bool_]]:
    """Return the scores of one binary problem and which are positive; None: of all together."""
    score = rows.score
    if form.kind == "binary":
        return score[:, 0], _members(rows.code, positive)[:, 0] != 0
    if column is None:
        if rows.member is not None:
            return score.reshape(-1), rows.member.reshape(-1) != 0
        assert rows.code is not None
        flags = rows.code[:, None] == np.arange(score.shape[1])
        return score.reshape(-1), flags.reshape(-1)
    if rows.member is not None:
        return score[:, column], rows.member[:, column] != 0
    assert rows.code is not None
    return score[:, column], rows.code == column


def _full_curve(
    score: NDArray[Any],
    positive: NDArray[np.bool_],
    weight: NDArray[np.float64] | None,
    steps: NDArray[Any],
) -> ThresholdCurve:
    """Return what reaches each of the descending thresholds."""
    reached: list[NDArray[Any]] = []
    totals = []
    ascending = steps[::-1].astype(np.float64)
    for chosen in (positive, ~positive):
        values = score[chosen].astype(np.float64)
        if weight is None:
            values.sort()
            below = np.searchsorted(values, ascending)
            reached.append((len(values) - below)[::-1])
            totals.append(len(values))
        else:
            # By score, then weight: the sums don't depend on the order of the rows.
            order = np.lexsort((weight[chosen], values))[::-1]
            sums = np.concatenate([[0.0], weight[chosen][order].cumsum()])
            count = len(values) - np.searchsorted(values[order][::-1], ascending)
            reached.append(sums[count][::-1])
            totals.append(sums[-1].item())
    tp, fp = reached
    fp_above = np.concatenate([np.zeros_like(fp[:1]), fp[:-1]])
    return ThresholdCurve(steps.astype(np.float64), tp, fp, fp_above, totals[0], totals[1])


def _weighted_curves(
    rows: _Rows, form: Form, positive: int
) -> tuple[list[ThresholdCurve], ThresholdCurve | None, NDArray[Any] | None]:
    """Return what `_exact_curves` does, of rows with weights."""
    assert rows.weight is not None
    weight = rows.weight
    n_columns = rows.score.shape[1]

    def curve(column: int | None) -> ThresholdCurve:
        score, chosen = _one_column(rows, form, positive, column)
        each = np.repeat(weight, n_columns) if column is None else weight
        # A positive of weight 0 is no step of the curve.
        steps = np.unique(score[chosen & (each > 0)])[::-1]
        full = _full_curve(score, chosen, each, steps)
        above = _full_curve(score, chosen, each, np.nextafter(steps, np.inf, dtype=steps.dtype))
        return dataclasses.replace(full, fp_above=above.fp)

    curves = [curve(column) for column in range(n_columns)]
    if form.kind == "binary":
        return curves, None, None
    if form.kind == "multilabel":
        return curves, curve(None), None
    assert rows.code is not None
    return curves, curve(None), _weighted_wins(rows.score, rows.code, weight)


def _weighted_wins(
    score: NDArray[Any], code: NDArray[np.int32], weight: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return twice the weights of pairs that the row's class wins over the column's, (K, K)."""
    n_classes = score.shape[1]
    wins = np.zeros((n_classes, n_classes))
    for j in range(n_classes):
        own = np.flatnonzero(code == j)
        order = own[np.lexsort((weight[own], score[own, j]))]
        sums = np.concatenate([[0.0], weight[order].cumsum()])
        ascending = score[order, j]
        column = score[:, j]
        above = sums[-1] - sums[np.searchsorted(ascending, column, side="right")]
        reached = sums[-1] - sums[np.searchsorted(ascending, column, side="left")]
        # In canonical order again, so that the sums don't depend on that of the rows.
        place = np.lexsort((weight, column, code))
        lost = ((above + reached) * weight)[place]
        wins[j] = np.bincount(code[place], lost, minlength=n_classes)
    return wins


def _in_canonical_order(rows: _Rows) -> _Rows:
    """Return the rows in an order that only their content decides.

    By sample id where there are ids, else by class, weight and scores, as bytes.
    """
    if rows.sample_id is not None:
        order = np.argsort(rows.sample_id)
    else:
        parts = [np.ascontiguousarray(c) for c in (rows.code, rows.member) if c is not None]
        parts += [np.ascontiguousarray(c) for c in (rows.weight,) if c is not None]
        if rows.score.shape[1] == 1 and rows.code is not None:
            # One column: as integers, which sort sooner than bytes.
            bits = rows.score.view(f"u{rows.score.dtype.itemsize}")[:, 0]
            keys = [bits] if rows.weight is None else [rows.weight.view(np.uint64), bits]
            order = np.lexsort((*keys, rows.code))
        else:
            parts.append(rows.score)
            n = len(rows.score)
            width = sum(part.nbytes // n for part in parts)
            joined = np.concatenate([part.view(np.uint8).reshape(n, -1) for part in parts], axis=1)
            order = np.argsort(joined.view(np.dtype((np.void, width)))[:, 0])
    ordered: list[Any] = [None if column is None else column[order] for column in rows]
    return _Rows(*ordered)


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
        ap = np.array([curve.average_precision() for curve in curves], np.float64)
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
            parts = [getattr(curve, name) for curve in every]
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
        column = _column_of(label, self.form)
        at = len(self.class_auc) if column is None else column
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
            return [_position(self.protocol["positive"], self.form)]
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
    def _unpack(cls, data: bytes, place: str) -> ThresholdCurvesResult:
        return cls(**result_fields(cls.__name__, data, place, _ARRAYS))


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
            assert self.micro is not None
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
        """Return the mean over pairs of classes of the mean of both sides' AUC."""
        if self.wins is None:
            return math.nan, "it needs every score, only counts at thresholds are kept"
        n = np.array([curve.n_positive for curve in self.curves], np.float64)
        pairs = np.outer(n, n)
        auc = rates.ratio(self.wins, 2 * pairs)
        first, second = np.triu_indices(len(n), 1)
        both = (auc[first, second] + auc[second, first]) / 2
        if np.isnan(both).all():
            return math.nan, "the truth has not two classes"
        return rates.average(
            both,
            n[first] + n[second],
            np.isnan(both),
            how,
            absent_classes=self.rules["absent_classes"],
        )


def threshold_curves(
    truth: Labels | ArrayLike,
    pred: Labels | ArrayLike,
    *,
    bins: int | Sequence[float] | None = None,
    scores: str = "any",
    weight: ArrayLike | None = None,
    absent_classes: str = "drop",
    positive: int | str | None = None,
) -> ThresholdCurvesResult:
    """Return curves and the areas under them; see `ThresholdCurves`."""
    return (
        ThresholdCurves(bins, scores=scores, absent_classes=absent_classes, positive=positive)
        .update(truth, pred, weight=weight)
        .compute()
    )
