"""Calibration error: whether confidences are what they say."""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen import _core
from snellen.arrays import to_finite
from snellen.classification import rates
from snellen.classification.labels import Labels, aligned, sample_weights
from snellen.classification.scores import Form, ScoredSamples, score_kind, scored_samples
from snellen.classification.stored_result import packed_result, result_fields
from snellen.classification.tally import Tally, exact_products
from snellen.errors import InputError, ShapeError
from snellen.parameters import refuse_other_parameters
from snellen.result import Result, Undefined
from snellen.state import Moments, id_array, pack, prefixed, restored, unprefixed
from snellen.table_text import aligned_lines, number, with_interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Self

    from snellen.displays import Display
    from snellen.state import PackedState

__all__ = [
    "CalibrationError",
    "CalibrationErrorResult",
    "bin_edges",
    "bin_errors",
    "bins_of",
    "calibration_error",
    "confidences",
]

_NOT_PROBABILITIES = 'the scores are not declared to be probabilities: scores="any"'
_MOST_BINS = 100_000
# Cells that are worked on at a time where a copy of them is made.
_CHUNK = 1 << 21


class _Said(NamedTuple):
    """Confidences, and whether each was right."""

    confidence: NDArray[np.float64]
    right: NDArray[np.bool_]
    weight: NDArray[np.float64] | None
    dtype: np.dtype[Any]  # what the confidences came as


class CalibrationError:
    """Expected (ECE), root-mean-square and maximum calibration error over bins of confidence.

    A sample's confidence is the probability of the class that it is predicted to be. In each bin,
    the error is |mean confidence − accuracy|; ECE is its mean over the samples, RMSCE the root of
    the mean of its square, MCE the largest of a bin that is not empty. In multilabel data, each
    label's probability is a confidence, right where the sample has the label.

    Parameters
    ----------
    bins : int
        How many bins of equal width: (i / bins, (i + 1) / bins]. Confidence 0 belongs to the
        first, 1 to the last. A confidence of type float32 is compared with the edges as float32.
    scores : {"probabilities", "logits", "any"}
        What scores are; see `snellen.classification.scores`. With "any" all is NaN.
    adaptive : bool
        Whether ECE over bins of equal mass is computed too: a sample with r samples below it
        belongs to bin ⌊bins · r / n⌋, so equal confidences are never parted.
    classwise : bool
        Whether the ECE of each class's probability, over all samples, is computed too, and their
        mean.

    Notes
    -----
    State
        For each bin the number of samples, of those right, and the exact sum of confidences:
        constant in the number of samples; classwise, the same for each class. Adaptive: every
        confidence, which grows with the number of samples.
    Merge
        Adds, joins rows; exact.
    Ties
        Of equal scores the class that is earlier is predicted.
    Undefined
        NaN without samples, and where scores are not declared to be probabilities or logits.
    Agrees with
        torchmetrics 1.9.0 where no confidence lies on an edge (its bins are [lo, hi), and 1 falls
        into a bin of its own), up to its float32; NumPy references (tests/oracle,
        tests/conformance).

    References
    ----------
    M. P. Naeini, G. F. Cooper, M. Hauskrecht, "Obtaining well calibrated probabilities using
    Bayesian binning", AAAI 2015; M. Kull et al., "Beyond temperature scaling", NeurIPS 2019.

    Examples
    --------
    >>> from snellen.classification.calibration import CalibrationError
    >>> scores = [[0.9, 0.1], [0.8, 0.2], [0.3, 0.7]]
    >>> result = CalibrationError(bins=5).update([0, 1, 1], scores).compute()
    >>> round(result.ece, 4)  # (0.6, 0.8]: |1.5 − 1| / 3; (0.8, 1]: |0.9 − 1| / 3
    0.2
    """

    __slots__ = (
        "_by_class",
        "_class_sums",
        "_form",
        "_n_samples",
        "_said",
        "_sums",
        "_tally",
        "adaptive",
        "bins",
        "classwise",
        "scores",
    )

    def __init__(
        self,
        bins: int = 15,
        *,
        scores: str = "probabilities",
        adaptive: bool = False,
        classwise: bool = False,
    ) -> None:
        whole = isinstance(bins, (int, np.integer)) and not isinstance(bins, bool)
        if not whole or not 1 <= bins <= _MOST_BINS:
            raise InputError(f"expected 1 to {_MOST_BINS:,} bins, got {bins!r}", "bins")
        self.bins = int(bins)
        self.scores = score_kind(scores)
        self.adaptive, self.classwise = bool(adaptive), bool(classwise)
        self._form: Form | None = None
        self._tally = Tally(n=(self.bins,), n_right=(self.bins,))
        self._sums = Moments(confidence=(self.bins,))
        self._by_class: Tally | None = None
        self._class_sums: Moments | None = None
        self._said: list[_Said] = []
        self._n_samples = 0

    def __repr__(self) -> str:
        return f"CalibrationError({self.bins} bins, {self._n_samples} samples)"

    def update(
        self,
        truth: Labels | ArrayLike,
        pred: Labels | ArrayLike,
        *,
        confidence: ArrayLike | None = None,
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
            The scores, shape (n, K); of binary data also (n,), those of the second class. With
            `confidence`: predicted labels, shape (n,).
        confidence : array-like, shape (n,), optional
            How sure the model is of each predicted label, in [0, 1], in place of scores.
        weight : array-like, shape (n,), optional
            How much each sample counts.
        sample_id : array-like, shape (n,), optional
            Checked and named in messages; not kept.

        Raises
        ------
        InputError
            For what cannot be evaluated. After an error the metric is as it was.
        """
        if confidence is None:
            return self.absorb(
                scored_samples(truth, pred, weight=weight, sample_id=sample_id, scores=self.scores)
            )
        if self.classwise or self.scores != "probabilities":
            raise InputError(
                'expected scores, not confidences, with classwise=True or scores="logits" or "any"',
                "confidence",
            )
        said = _said_of_labels(truth, pred, confidence, weight, sample_id)
        self._absorb_said(said)
        self._n_samples += len(said.confidence)
        return self

    def absorb(self, samples: ScoredSamples) -> Self:
        """Absorb samples that were checked already."""
        form = samples.declared(self.scores).form.joined(self._form)
        if samples.scores != "any":
            parts = [_said_of_scores(samples, part) for part in _parts(samples)]
            if self.classwise:
                self._absorb_classes(samples, form)
            for said in parts:
                self._absorb_said(said)
        self._form = form if self.classwise else None
        self._n_samples += len(samples)
        return self

    def _absorb_said(self, said: _Said) -> None:
        cell = bins_of(said.confidence, self.bins, said.dtype)
        _add(self._tally, self._sums, cell, said.confidence, said.right, said.weight)
        if self.adaptive and len(cell):
            # A copy: some of these arrays are the caller's.
            weight = None if said.weight is None else said.weight.copy()
            self._said.append(said._replace(confidence=said.confidence.copy(), weight=weight))

    def _absorb_classes(self, samples: ScoredSamples, form: Form) -> None:
        n_classes = len(form.classes)
        if self._by_class is None or self._class_sums is None:
            self._by_class, self._class_sums = _class_state(n_classes, self.bins)
        for part in _parts(samples):
            probability, dtype = _probabilities(samples, part)
            n = len(probability)
            if samples.member is not None:
                right = samples.member[part] != 0
            else:
                assert samples.code is not None
                right = samples.code[part, None] == np.arange(n_classes)
            flat = np.ascontiguousarray(probability, np.float64).reshape(-1)
            cell = np.tile(np.arange(n_classes) * self.bins, n)
            cell += bins_of(flat, self.bins, dtype)
            weight = None if samples.weight is None else np.repeat(samples.weight[part], n_classes)
            _add(self._by_class, self._class_sums, cell, flat, right.reshape(-1), weight)

    def merge(self, other: CalibrationError, /) -> Self:
        """Absorb another metric of equal parameters; `other` stays as it was.

        Raises
        ------
        MergeError
            Where the parameters differ.
        ClassError
            Where the classes do (classwise).
        """
        refuse_other_parameters(self, self._parameters(), other._parameters())
        if other._form is not None:
            self._form = other._form.joined(self._form)
        if other._by_class is not None and other._class_sums is not None:
            if self._by_class is None or self._class_sums is None:
                assert self._form is not None
                self._by_class, self._class_sums = _class_state(len(self._form.classes), self.bins)
            self._by_class.merge(other._by_class)
            self._class_sums.merge(other._class_sums)
        self._tally.merge(other._tally)
        self._sums.merge(other._sums)
        self._said.extend(other._said)
        self._n_samples += other._n_samples
        return self

    def empty(self) -> CalibrationError:
        """Return a metric of the same parameters without data."""
        return CalibrationError(**self._parameters())

    def compute(self) -> CalibrationErrorResult:
        """Return the result of all that was absorbed."""
        n, n_right = self._tally.exact("n").tolist(), self._tally.exact("n_right").tolist()
        confidence = self._sums.exact("confidence").tolist()
        total = sum(n)
        reason = _NOT_PROBABILITIES if self.scores == "any" else "there are no samples"
        metrics: dict[str, float] = {}
        ece, rmsce, mce = bin_errors(n, n_right, confidence)
        metrics |= {"ece": ece, "rmsce": rmsce, "mce": mce}
        if self.adaptive:
            metrics["adaptive_ece"] = _adaptive_error(self._joined_said(), self.bins)
        class_ece = self._class_errors()
        if self.classwise:
            metrics["classwise_ece"] = (
                math.fsum(class_ece) / len(class_ece) if total and len(class_ece) else math.nan
            )
        metrics["mean_confidence"] = float(Fraction(sum(confidence)) / total) if total else math.nan
        metrics["accuracy"] = float(Fraction(sum(n_right)) / total) if total else math.nan
        return CalibrationErrorResult(
            metrics=metrics,
            protocol={"name": "calibration", **self._parameters()},
            undefined=tuple(
                Undefined(name, reason) for name, value in metrics.items() if math.isnan(value)
            ),
            data={"n_samples": self._n_samples, "n_bins": self.bins},
            form=self._form,
            edges=bin_edges(self.bins),
            n=self._tally.table("n"),
            n_right=self._tally.table("n_right"),
            total_confidence=self._sums.total("confidence"),
            class_ece=class_ece,
        )

    def _class_errors(self) -> NDArray[np.float64]:
        if self._by_class is None or self._class_sums is None:
            return np.zeros(0 if self._form is None else len(self._form.classes)) * math.nan
        tables = (
            self._by_class.exact("n"),
            self._by_class.exact("n_right"),
            self._class_sums.exact("confidence"),
        )
        return np.array(
            [bin_errors(*(row.tolist() for row in rows))[0] for rows in zip(*tables, strict=True)],
            np.float64,
        )

    def _joined_said(self) -> _Said:
        """Return all confidences as one piece in the order of their content, kept for all."""
        weighted = any(said.weight is not None for said in self._said)
        weights = [
            np.ones(len(said.confidence)) if said.weight is None else said.weight
            for said in self._said
        ]
        confidence = np.concatenate([np.zeros(0), *(said.confidence for said in self._said)])
        right = np.concatenate([np.zeros(0, np.bool_), *(said.right for said in self._said)])
        weight = np.concatenate([np.zeros(0), *weights]) if weighted else None
        order = np.lexsort(((right,) if weight is None else (weight, right)) + (confidence,))
        joined = _Said(
            confidence[order],
            right[order],
            None if weight is None else weight[order],
            np.dtype(np.float64),
        )
        if len(self._said) > 1:
            self._said = [joined]
        return joined

    def to_bytes(self) -> bytes:
        """Return the state: the same bytes for any sharding and any order of batches."""
        content = {
            "parameters": self._parameters(),
            "form": None if self._form is None else self._form.to_dict(),
            "n_samples": self._n_samples,
        }
        arrays = {
            **prefixed("bin.", self._tally.arrays()),
            **prefixed("bin_sum.", self._sums.arrays()),
        }
        if self._by_class is not None and self._class_sums is not None:
            arrays |= prefixed("class.", self._by_class.arrays())
            arrays |= prefixed("class_sum.", self._class_sums.arrays())
        if self.adaptive:
            said = self._joined_said()
            arrays |= {"confidence": said.confidence, "right": said.right.astype(np.uint8)}
            if said.weight is not None:
                arrays["weight"] = said.weight
        return pack(type(self).__name__, content, arrays)

    @classmethod
    def from_bytes(cls, data: bytes, /) -> CalibrationError:
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
    def _of_packed(cls, packed: PackedState) -> CalibrationError:
        metric = cls(**packed.content["parameters"])
        metric._form = Form.from_dict(packed.content["form"])
        metric._n_samples = int(packed.content["n_samples"])
        arrays = packed.arrays
        metric._tally.restore(unprefixed("bin.", arrays))
        metric._sums.restore(unprefixed("bin_sum.", arrays))
        if metric._form is not None and metric.scores != "any":
            state = _class_state(len(metric._form.classes), metric.bins)
            metric._by_class, metric._class_sums = state
            metric._by_class.restore(unprefixed("class.", arrays))
            metric._class_sums.restore(unprefixed("class_sum.", arrays))
        if metric.adaptive and len(arrays["confidence"]):
            metric._said = [
                _Said(
                    arrays["confidence"],
                    arrays["right"] != 0,
                    arrays.get("weight"),
                    np.dtype(np.float64),
                )
            ]
        metric.compute()
        return metric

    def _parameters(self) -> dict[str, Any]:
        return {
            "bins": self.bins,
            "scores": self.scores,
            "adaptive": self.adaptive,
            "classwise": self.classwise,
        }


def _class_state(n_classes: int, bins: int) -> tuple[Tally, Moments]:
    shape = (n_classes, bins)
    return Tally(n=shape, n_right=shape), Moments(confidence=shape)


def _parts(samples: ScoredSamples) -> list[slice]:
    n_rows = max(1, _CHUNK // max(1, len(samples.form.classes)))
    return [slice(first, first + n_rows) for first in range(0, len(samples), n_rows)]


def _add(
    tally: Tally,
    sums: Moments,
    cell: NDArray[Any],
    confidence: NDArray[np.float64],
    right: NDArray[np.bool_],
    weight: NDArray[np.float64] | None,
) -> None:
    tally.add("n", cell, weight)
    tally.add("n_right", cell[right], None if weight is None else weight[right])
    if weight is None:
        sums.add_at("confidence", cell, confidence)
    else:
        for each in exact_products(weight, confidence):
            sums.add_at("confidence", cell, each)


def bin_edges(bins: int) -> NDArray[np.float64]:
    """Return the edges of bins of equal width, (bins + 1,)."""
    edges: NDArray[np.float64] = np.arange(bins + 1) / bins
    return edges


def bins_of(confidence: NDArray[np.float64], bins: int, dtype: np.dtype[Any]) -> NDArray[np.int64]:
    """Return the bin (lo, hi] of each confidence, edges rounded to the type that these came as."""
    inner = bin_edges(bins)[1:-1].astype(dtype).astype(np.float64)
    return np.searchsorted(inner, confidence, side="left").astype(np.int64)


def _probabilities(samples: ScoredSamples, part: slice) -> tuple[NDArray[Any], np.dtype[Any]]:
    """Return a probability for each class (rows, K), and the type that says how exact they are."""
    score = samples.score[part]
    n_classes = len(samples.form.classes)
    if samples.scores == "logits":
        alone = samples.member is not None or score.shape[1] == 1
        found = _core.probabilities(score.reshape(-1, 1) if alone else score, logit=True)
        found = found.reshape(score.shape)
    else:
        found = score
    if found.shape[1] < n_classes:
        wide = found.astype(np.float64)
        found = np.concatenate([1.0 - wide, wide], axis=1)
    return found, _exactness(samples)


def _exactness(samples: ScoredSamples) -> np.dtype[Any]:
    # Softmax is computed in float64, whatever the logits came as.
    return np.dtype(np.float64) if samples.scores == "logits" else samples.score.dtype


def _said_of_scores(samples: ScoredSamples, part: slice) -> _Said:
    """Return the confidence of each prediction; of multilabel data, of each label."""
    weight = None if samples.weight is None else samples.weight[part]
    if samples.member is not None:
        probability, dtype = _probabilities(samples, part)
        member = samples.member[part]
        if weight is not None:
            weight = np.repeat(weight, member.shape[1])
        flat = np.ascontiguousarray(probability, np.float64).reshape(-1)
        return _Said(flat, member.reshape(-1) != 0, weight, dtype)
    assert samples.code is not None
    code = samples.code[part]
    dtype = _exactness(samples)
    if samples.predicted is not None:
        predicted = samples.predicted[part]
        probability, _ = _probabilities(samples, part)
        confidence = probability[np.arange(len(code)), predicted].astype(np.float64)
    elif samples.score.shape[1] == len(samples.form.classes):
        logit = samples.scores == "logits"
        confidence, predicted = _core.row_maxima(samples.score[part], logit=logit)
    else:
        probability, _ = _probabilities(samples, part)
        confidence, predicted = _core.row_maxima(np.ascontiguousarray(probability), logit=False)
    return _Said(confidence, predicted == code, weight, dtype)


def confidences(samples: ScoredSamples, bins: int) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Return how sure the model is of each predicted label, (n,), and the bin of that."""
    said = [_said_of_scores(samples, part) for part in _parts(samples)]
    confidence = np.concatenate([np.zeros(0), *(each.confidence for each in said)])
    return confidence, bins_of(confidence, bins, _exactness(samples)).astype(np.int32)


def _said_of_labels(truth: Any, pred: Any, confidence: Any, weight: Any, sample_id: Any) -> _Said:
    dtype = getattr(confidence, "dtype", np.dtype(np.float64))
    values = to_finite(confidence, "confidence")
    outside = np.flatnonzero((values < 0) | (values > 1))
    if len(outside):
        raise InputError(
            f"expected confidences in [0, 1], got {values[outside[0]]:g}",
            f"confidence[{outside[0]}]",
        )
    truth_side = truth if isinstance(truth, Labels) else Labels.of(truth, name="truth")
    pred_side = pred if isinstance(pred, Labels) else Labels.of(pred, name="pred")
    if truth_side.code is None or pred_side.code is None:
        raise InputError("expected labels beside confidences", "pred")
    n = len(truth_side)
    if values.shape != (n,):
        raise ShapeError(f"expected {n} confidences, got {values.shape}", "confidence")
    if sample_id is not None and len(id_array(sample_id, "sample id")) != n:
        raise ShapeError(f"expected {n} sample ids", "sample_id")
    weights = sample_weights(weight, n)
    for side in (truth_side, pred_side):
        weights = side.weight if weights is None else weights
    _, moved_truth, moved_pred = aligned(truth_side, pred_side)
    true = truth_side.code if moved_truth is None else moved_truth[truth_side.code]
    predicted = pred_side.code if moved_pred is None else moved_pred[pred_side.code]
    kind = np.dtype(np.float32) if str(dtype).endswith("float32") else np.dtype(np.float64)
    return _Said(values, true == predicted, weights, kind)


def bin_errors(
    n: list[Any], n_right: list[Any], confidence: list[Any]
) -> tuple[float, float, float]:
    """Return ECE, RMSCE and MCE from exact sums, each rounded once (RMSCE: and its root)."""
    total = sum(n)
    if not total:
        return math.nan, math.nan, math.nan
    gaps = [abs(Fraction(s) - Fraction(r)) for s, r in zip(confidence, n_right, strict=True)]
    filled = [(gap, Fraction(each)) for gap, each in zip(gaps, n, strict=True) if each]
    ece = sum(gap for gap, _ in filled) / Fraction(total)
    square = sum(gap * gap / each for gap, each in filled) / Fraction(total)
    return float(ece), math.sqrt(float(square)), float(max(gap / each for gap, each in filled))


def _adaptive_error(said: _Said, bins: int) -> float:
    """Return ECE over bins of equal mass; `said` is in ascending order."""
    confidence, right, weight = said.confidence, said.right, said.weight
    n = len(confidence)
    if not n:
        return math.nan
    first = np.searchsorted(confidence, confidence, side="left")
    if weight is None:
        cell = first * bins // n
    else:
        # Mass below, as far as float64 tells: a bin's border is not sharper than that.
        below = np.concatenate([[0.0], weight.cumsum()])
        if not below[-1]:
            return math.nan
        cell = np.minimum((below[first] / below[-1] * bins).astype(np.int64), bins - 1)
    tally = Tally(n=(bins,), n_right=(bins,))
    sums = Moments(confidence=(bins,))
    _add(tally, sums, cell, confidence, right, weight)
    return bin_errors(
        tally.exact("n").tolist(),
        tally.exact("n_right").tolist(),
        sums.exact("confidence").tolist(),
    )[0]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class CalibrationErrorResult(Result):
    """Calibration errors and the reliability table.

    Attributes
    ----------
    form : Form or None
        Kind of the data and its K classes, where errors of classes were asked for.
    edges : ndarray, shape (bins + 1,), float64
        Bin b is (edges[b], edges[b + 1]]; the first holds 0 too.
    n, n_right : ndarray, shape (bins,), int64 or, of weights, float64
        Samples in each bin, and those that were right.
    total_confidence : ndarray, shape (bins,), float64
        The sum of their confidences.
    class_ece : ndarray, shape (K,), float64
        ECE of each class's probability.
    """

    form: Form | None
    edges: NDArray[np.float64]
    n: NDArray[Any]
    n_right: NDArray[Any]
    total_confidence: NDArray[np.float64]
    class_ece: NDArray[np.float64]

    @property
    def task(self) -> str:
        """The task, as the command line calls it."""
        return "classification"

    def reliability(self) -> list[dict[str, Any]]:
        """Return the reliability table: for each bin its edges, samples, confidence, accuracy."""
        confidence = rates.ratio(self.total_confidence, self.n)
        accuracy = rates.ratio(self.n_right, self.n)
        columns = (self.edges[:-1], self.edges[1:], self.n, confidence, accuracy)
        return [
            {
                "low": low,
                "high": high,
                "n": n,
                "mean_confidence": mean,
                "accuracy": share,
                "gap": mean - share,
            }
            for low, high, n, mean, share in zip(*(c.tolist() for c in columns), strict=True)
        ]

    def __str__(self) -> str:
        """Return the errors and the reliability table."""
        lines = aligned_lines(
            [
                [name, with_interval(value, self.intervals.get(name))]
                for name, value in self.metrics.items()
            ],
            left=2,
        )
        rows = [["confidence", "n", "mean", "accuracy", "gap"]]
        rows += [
            [
                f"({each['low']:.4f}, {each['high']:.4f}]",
                *(number(each[key]) for key in ("n", "mean_confidence", "accuracy", "gap")),
            ]
            for each in self.reliability()
        ]
        return "\n".join([*lines, "", *aligned_lines(rows)])

    def composition(self) -> str:
        """Return, in a few lines, what the result was made of."""
        weighted = ", weighted" if self.n.dtype.kind == "f" else ""
        filled = int(np.count_nonzero(self.n))
        lines = [
            f"samples      {self.data['n_samples']:,}{weighted}",
            f"bins         {len(self.n):,} of equal width, {filled:,} with samples",
            f"scores       {self.protocol['scores']}",
        ]
        lines += [f"undefined    {entry.metric}: {entry.reason}" for entry in self.undefined]
        return "\n".join(lines)

    def displays(self) -> tuple[Display, ...]:
        """Return the reliability diagram."""
        from snellen.classification.score_displays import reliability

        return (reliability(self),)

    def per_class(self) -> list[dict[str, Any]]:
        """Return, for each class, its id, name and ECE, where these were asked for."""
        if self.form is None:
            return []
        return [
            {"class": name, "id": class_id, "ece": value}
            for name, class_id, value in zip(
                self.form.classes.display_names(),
                self.form.classes.keys.ids.tolist(),
                self.class_ece.tolist(),
                strict=True,
            )
        ]

    def undefined_of_classes(self) -> list[Undefined]:
        """Return which numbers of single classes are NaN, and why."""
        if self.form is None:
            return []
        any_score = self.protocol["scores"] == "any"
        reason = _NOT_PROBABILITIES if any_score else "there are no samples"
        names = self.form.classes.display_names()
        missing = np.flatnonzero(np.isnan(self.class_ece)).tolist()
        return [Undefined("ece", reason, names[k]) for k in missing]

    def _pack(self) -> bytes:
        return packed_result(self, self.form, {name: getattr(self, name) for name in _ARRAYS})

    @classmethod
    def _of_packed(cls, packed: PackedState) -> CalibrationErrorResult:
        return cls(**result_fields(packed, _ARRAYS))


_ARRAYS = ("edges", "n", "n_right", "total_confidence", "class_ece")


def calibration_error(
    truth: Labels | ArrayLike,
    pred: Labels | ArrayLike,
    *,
    bins: int = 15,
    scores: str = "probabilities",
    adaptive: bool = False,
    classwise: bool = False,
    confidence: ArrayLike | None = None,
    weight: ArrayLike | None = None,
) -> CalibrationErrorResult:
    """Return calibration errors; see `CalibrationError`."""
    metric = CalibrationError(bins, scores=scores, adaptive=adaptive, classwise=classwise)
    return metric.update(truth, pred, confidence=confidence, weight=weight).compute()
