"""ROC and precision-recall curves, the areas under them, and thresholds."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen import _core
from snellen.arrays import to_finite
from snellen.classification.curves_result import ThresholdCurvesResult, column_of
from snellen.classification.score_rows import (
    ScoreRows,
    full_curve,
    in_canonical_order,
    members,
    one_column,
    weighted_curves,
)
from snellen.classification.scores import (
    Form,
    ScoredSamples,
    SeenIds,
    score_kind,
    scored_samples,
)
from snellen.classification.tally import Tally
from snellen.classification.threshold_curve import OperatingPoint, ThresholdCurve
from snellen.errors import IdError, InputError, first_few
from snellen.parameters import refuse_other_parameters
from snellen.state import pack, prefixed, restored, unprefixed

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
    one_vs_rest_only : bool
        Whether to leave out the numbers of all decisions together (micro) and of each class
        against each other, which take more than half of the time.

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
        "one_vs_rest_only",
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
        one_vs_rest_only: bool = False,
    ) -> None:
        if absent_classes not in _ABSENT:
            raise InputError(
                f'expected "drop", "zero" or "one", got {absent_classes!r}', "absent_classes"
            )
        self.thresholds = None if bins is None else _thresholds(bins)
        self.scores = score_kind(scores)
        self.absent_classes = absent_classes
        self.positive = positive
        self.one_vs_rest_only = bool(one_vs_rest_only)
        self._form: Form | None = None
        self._pieces: list[ScoreRows] = []
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
        form = samples.declared(self.scores).form.joined(self._form)
        positive = form.positive(self.positive)
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
        self._check_naming(samples.sample_id is not None, len(samples))
        if samples.sample_id is not None:
            keys = (self._ids or SeenIds()).checked(samples.sample_id)
        if not len(samples):
            return
        shares = score is given and not samples.owned
        self._pieces.append(
            ScoreRows(
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
        member = members(samples.code, positive) if binary else samples.member
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
        refuse_other_parameters(self, self._parameters(), other._parameters())
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
            one_vs_rest_only=self.one_vs_rest_only,
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
        if self._form is None or not self._n_samples:
            raise InputError("expected data, there are no samples")
        form = self._form
        column = column_of(label, form)
        if self.thresholds is not None:
            if thresholds is not None:
                raise InputError(
                    "expected no thresholds, only counts at those of bins= are kept", "thresholds"
                )
            curves, micro = self._binned_curves(form)
            found = micro if column is None else curves[column]
            if found is None:
                raise InputError("expected a class, the micro average was left out", "label")
            return found
        rows = self._settled()
        score, positive = one_column(rows, form, form.positive(self.positive), column)
        weight = rows.weight
        if weight is not None and column is None:
            weight = np.repeat(weight, rows.score.shape[1])
        if thresholds is not None:
            steps = np.unique(to_finite(thresholds, "thresholds"))[::-1]
        else:
            # A sample of weight 0 is no row.
            steps = np.unique(score if weight is None else score[weight > 0])[::-1]
        return full_curve(score, positive, weight, steps)

    def scored(self) -> tuple[NDArray[Any], NDArray[np.bool_]] | None:
        """Return the scores and where they are to be high, by sample id; None without scores.

        Of binary data one column, else one for each class.
        """
        if self._form is None or not self._pieces:
            return None
        rows = in_canonical_order(self._settled())
        if self._form.kind == "binary":
            return rows.score, members(rows.code, self._form.positive(self.positive)) != 0
        if rows.member is not None:
            return rows.score, rows.member != 0
        assert rows.code is not None
        return rows.score, rows.code[:, None] == np.arange(rows.score.shape[1])

    def _exact_curves(
        self, form: Form
    ) -> tuple[list[ThresholdCurve], ThresholdCurve | None, NDArray[Any] | None]:
        """Return the curve of each column, of all, and twice the wins of class over class."""
        rows = self._settled()
        positive = form.positive(self.positive)
        if rows.weight is not None:
            curves, micro, wins = weighted_curves(rows, form, positive)
            return (curves, None, None) if self.one_vs_rest_only else (curves, micro, wins)
        n, n_columns = rows.score.shape
        if form.kind == "binary":
            member = members(rows.code, positive)
            found = _core.curve_of_all(rows.score, None, member)
            return _split(found, [int(member.sum())], n), None, None
        wins = None
        if form.kind == "multiclass":
            assert rows.code is not None
            if self.one_vs_rest_only:
                found = _core.curves_by_column(rows.score, rows.code, None)
            else:
                found, wins = _core.curves_and_wins(rows.score, rows.code)
            n_positive = np.bincount(rows.code, minlength=n_columns)
        else:
            assert rows.member is not None
            found = _core.curves_by_column(rows.score, None, rows.member)
            n_positive = rows.member.sum(axis=0, dtype=np.int64)
        curves = _split(found, n_positive.tolist(), n)
        if self.one_vs_rest_only:
            return curves, None, None
        together = _core.curve_of_all(rows.score, rows.code, rows.member)
        (micro,) = _split(together, [int(n_positive.sum())], n * n_columns)
        return curves, micro, wins

    def _binned_curves(self, form: Form) -> tuple[list[ThresholdCurve], ThresholdCurve | None]:
        assert self.thresholds is not None
        tally = self._tally or _tally_of(form, self.thresholds)
        tp, fp = _from_above(tally)
        fp_above = np.concatenate([np.zeros_like(fp[:, :1]), fp[:, :-1]], axis=1)
        steps = np.ascontiguousarray(self.thresholds[::-1])

        def curve(tp: NDArray[Any], fp: NDArray[Any], fp_above: NDArray[Any]) -> ThresholdCurve:
            return ThresholdCurve(steps, tp, fp, fp_above, tp[-1].item(), fp[-1].item())

        curves = [curve(*columns) for columns in zip(tp, fp, fp_above, strict=True)]
        if form.kind == "binary" or self.one_vs_rest_only:
            return curves, None
        return curves, curve(tp.sum(axis=0), fp.sum(axis=0), fp_above.sum(axis=0))

    def _settled(self) -> ScoreRows:
        """Return all rows as one piece, and keep it in place of all."""
        if len(self._pieces) > 1:
            weighted = any(piece.weight is not None for piece in self._pieces)
            columns: list[Any] = []
            for name in ScoreRows._fields:
                parts = [getattr(piece, name) for piece in self._pieces]
                if name == "weight" and weighted:
                    parts = [
                        np.ones(len(piece.score)) if piece.weight is None else piece.weight
                        for piece in self._pieces
                    ]
                columns.append(None if parts[0] is None else np.concatenate(parts))
            self._pieces = [ScoreRows(*columns)]
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
                arrays |= prefixed("tally.", self._tally.arrays())
        elif self._pieces:
            for name, column in in_canonical_order(self._settled())._asdict().items():
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
        return restored(data, cls.__name__, cls._checked)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self).from_bytes, (self.to_bytes(),))

    @classmethod
    def _checked(cls, packed: PackedState) -> ThresholdCurves:
        metric = cls._of_packed(packed)
        metric.compute()  # says where counts do not fit each other
        return metric

    @classmethod
    def _of_packed(cls, packed: PackedState) -> ThresholdCurves:
        parameters, arrays = packed.content["parameters"], packed.arrays
        metric = cls(
            arrays.get("thresholds"),
            scores=parameters["scores"],
            absent_classes=parameters["absent_classes"],
            positive=parameters["positive"],
            one_vs_rest_only=parameters["one_vs_rest_only"],
        )
        metric._form = form = Form.from_dict(packed.content["form"])
        metric._n_samples = int(packed.content["n_samples"])
        if form is None:
            return metric
        if metric.thresholds is not None:
            metric._tally = _tally_of(form, metric.thresholds)
            metric._tally.restore(unprefixed("tally.", arrays))
        elif metric._n_samples:
            ids = arrays.get("sample_id", packed.content.get("sample_id"))
            rows = ScoreRows(
                arrays["score"],
                arrays.get("code"),
                arrays.get("member"),
                arrays.get("weight"),
                None if ids is None else np.asarray(ids),
            )
            wanted = (metric._n_samples, 1 if form.kind == "binary" else len(form.classes))
            if rows.score.shape != wanted:
                raise ValueError(f"scores of shape {rows.score.shape} in place of {wanted}")
            lengths = {len(column) for column in rows if column is not None}
            labels = rows.member if form.kind == "multilabel" else rows.code
            if len(lengths) > 1 or labels is None:
                raise ValueError("columns that do not fit the scores")
            if not np.isfinite(rows.score).all():
                raise ValueError("scores that are not finite")
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
            "one_vs_rest_only": self.one_vs_rest_only,
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
    weighted = tally.is_weighted
    tables = [tally.exact(n) if weighted else tally.table(n) for n in ("positive", "all")]
    kind = np.float64 if weighted else np.int64
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


def threshold_curves(
    truth: Labels | ArrayLike,
    pred: Labels | ArrayLike,
    *,
    bins: int | Sequence[float] | None = None,
    scores: str = "any",
    weight: ArrayLike | None = None,
    absent_classes: str = "drop",
    positive: int | str | None = None,
    one_vs_rest_only: bool = False,
) -> ThresholdCurvesResult:
    """Return curves and the areas under them; see `ThresholdCurves`."""
    return (
        ThresholdCurves(
            bins,
            scores=scores,
            absent_classes=absent_classes,
            positive=positive,
            one_vs_rest_only=one_vs_rest_only,
        )
        .update(truth, pred, weight=weight)
        .compute()
    )
