"""Losses of probabilities: log loss and the Brier score."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen import _core
from snellen.classification import rates
from snellen.classification.scores import Form, ScoredSamples, score_kind, scored_samples
from snellen.classification.stored_result import packed_result, result_fields
from snellen.classification.tally import Tally, exact_products
from snellen.errors import InputError
from snellen.parameters import refuse_other_parameters
from snellen.result import Result, Undefined
from snellen.state import Moments, pack, prefixed, restored, unprefixed
from snellen.table_text import aligned_lines, with_interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Self

    from snellen.classification.labels import Labels
    from snellen.state import PackedState

__all__ = ["ProbabilityLoss", "ProbabilityLossResult", "probability_loss"]

_NOT_PROBABILITIES = 'the scores are not declared to be probabilities: scores="any"'
# Cells whose losses are held at a time.
_CHUNK = 1 << 21


class ProbabilityLoss:
    """Log loss (cross-entropy) and Brier score of predicted probabilities.

    Log loss is the mean of −ln p(true class), the Brier score that of Σ (p − y)² over the classes.
    In multilabel data each label is a binary problem; the numbers are means over samples and
    labels.

    Parameters
    ----------
    scores : {"probabilities", "logits", "any"}
        What scores are; see `snellen.classification.scores`. Probabilities are taken as they are,
        not divided by their sum; for the logarithm they are kept within [ε, 1 − ε], where ε is
        that of the scores' type (2⁻²³ or 2⁻⁵²). Logits need no such care. With "any" both losses
        are NaN.
    scale_by_half : {"auto"} or bool
        Whether the Brier score is halved, so that it lies in [0, 1]. "auto": of binary data and
        of the labels of multilabel data, where it then is (p − y)².

    Notes
    -----
    State
        For each class (of single labels: the true one) the number of samples and the exact sums of
        both losses: constant in the number of samples.
    Merge
        Adds; exact.
    Ties
        None.
    Undefined
        NaN without samples, and where scores are not declared to be probabilities or logits.
    Agrees with
        scikit-learn 1.9.1 on float64 scores up to the rounding of its sums; of float32 scores it
        computes in float32, Snellen in float64 (tests/oracle, tests/conformance).

    References
    ----------
    G. W. Brier, "Verification of forecasts expressed in terms of probability", 1950.

    Examples
    --------
    >>> from snellen.classification.probability import ProbabilityLoss
    >>> result = ProbabilityLoss().update([0, 1], [[0.8, 0.2], [0.5, 0.5]]).compute()
    >>> round(result.log_loss, 4), round(result.brier, 4)  # (ln 1.25 + ln 2)/2, (0.04 + 0.25)/2
    (0.4581, 0.145)
    """

    __slots__ = ("_form", "_n_samples", "_sums", "_tally", "scale_by_half", "scores")

    def __init__(
        self, *, scores: str = "probabilities", scale_by_half: bool | str = "auto"
    ) -> None:
        if scale_by_half not in (True, False, "auto"):
            raise InputError(
                f'expected True, False or "auto", got {scale_by_half!r}', "scale_by_half"
            )
        self.scores = score_kind(scores)
        self.scale_by_half = scale_by_half if scale_by_half == "auto" else bool(scale_by_half)
        self._form: Form | None = None
        self._tally = Tally(n=(0,))
        self._sums = Moments(log_loss=(0,), brier=(0,))
        self._n_samples = 0

    def __repr__(self) -> str:
        return f"ProbabilityLoss({self.scores}, {self._n_samples} samples)"

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
            The scores, shape (n, K); of binary data also (n,), those of the second class.
        weight : array-like, shape (n,), optional
            How much each sample counts.
        sample_id : array-like, shape (n,), optional
            Checked and named in messages; not kept.

        Raises
        ------
        InputError
            For what cannot be evaluated. After an error the metric is as it was.
        """
        return self.absorb(
            scored_samples(truth, pred, weight=weight, sample_id=sample_id, scores=self.scores)
        )

    def absorb(self, samples: ScoredSamples) -> Self:
        """Absorb samples that were checked already."""
        form = samples.declared(self.scores).form.joined(self._form)
        self._use(form)
        n_classes = len(form.classes)
        n_rows = max(1, _CHUNK // max(1, n_classes))
        for first in range(0, len(samples), n_rows):
            part = slice(first, first + n_rows)
            cell, log_loss, brier = _losses(samples, part)
            weight = None if samples.weight is None else samples.weight[part]
            if weight is not None and samples.member is not None:
                weight = np.repeat(weight, n_classes)
            self._tally.add("n", cell, weight)
            if samples.scores == "any":
                continue
            for name, values in (("log_loss", log_loss), ("brier", brier)):
                if weight is None:
                    self._sums.add_at(name, cell, values)
                else:
                    for each in exact_products(weight, values):
                        self._sums.add_at(name, cell, each)
        self._n_samples += len(samples)
        return self

    def merge(self, other: ProbabilityLoss, /) -> Self:
        """Absorb another metric of equal parameters; `other` stays as it was.

        Raises
        ------
        MergeError
            Where the parameters differ.
        ClassError
            Where the classes do.
        """
        refuse_other_parameters(
            self,
            {"scores": self.scores, "scale_by_half": self.scale_by_half},
            {"scores": other.scores, "scale_by_half": other.scale_by_half},
        )
        if other._form is not None:
            self._use(other._form.joined(self._form))
            self._tally.merge(other._tally)
            self._sums.merge(other._sums)
            self._n_samples += other._n_samples
        return self

    def empty(self) -> ProbabilityLoss:
        """Return a metric of the same parameters without data."""
        return ProbabilityLoss(scores=self.scores, scale_by_half=self.scale_by_half)

    def compute(self) -> ProbabilityLossResult:
        """Return the result of all that was absorbed."""
        halved = self.scale_by_half
        if halved == "auto":
            halved = self._form is not None and self._form.kind != "multiclass"
        total = sum(self._tally.exact("n").tolist())
        metrics: dict[str, float] = {}
        undefined = []
        for name in ("log_loss", "brier"):
            reason = _NOT_PROBABILITIES if self.scores == "any" else ""
            if not total:
                reason = "there are no samples"
            metrics[name] = math.nan
            if reason:
                undefined.append(Undefined(name, reason))
            else:
                scale = 2 if name == "brier" and halved else 1
                metrics[name] = float(sum(self._sums.exact(name).tolist()) / (total * scale))
        return ProbabilityLossResult(
            metrics=metrics,
            protocol={
                "name": "probability-loss",
                "scores": self.scores,
                "scale_by_half": self.scale_by_half,
            },
            undefined=tuple(undefined),
            data={
                "n_samples": self._n_samples,
                "n_classes": 0 if self._form is None else len(self._form.classes),
            },
            form=self._form,
            n=self._tally.table("n"),
            total_log_loss=self._sums.total("log_loss"),
            total_brier=self._sums.total("brier") / (2 if halved else 1),
        )

    def to_bytes(self) -> bytes:
        """Return the state: the same bytes for any sharding and any order of batches."""
        content = {
            "scores": self.scores,
            "scale_by_half": self.scale_by_half,
            "form": None if self._form is None else self._form.to_dict(),
            "n_samples": self._n_samples,
        }
        arrays = {**self._tally.arrays(), **prefixed("sum.", self._sums.arrays())}
        return pack(type(self).__name__, content, arrays)

    @classmethod
    def from_bytes(cls, data: bytes, /) -> ProbabilityLoss:
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
    def _of_packed(cls, packed: PackedState) -> ProbabilityLoss:
        content = packed.content
        metric = cls(scores=content["scores"], scale_by_half=content["scale_by_half"])
        form = Form.from_dict(content["form"])
        if form is not None:
            metric._use(form)
        metric._tally.restore(packed.arrays)
        metric._sums.restore(unprefixed("sum.", packed.arrays))
        metric._n_samples = int(content["n_samples"])
        return metric

    def _use(self, form: Form) -> None:
        if self._form is None:
            n_classes = len(form.classes)
            self._tally = Tally(n=(n_classes,))
            self._sums = Moments(log_loss=(n_classes,), brier=(n_classes,))
        self._form = form


def _losses(
    samples: ScoredSamples, part: slice
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return class, log loss and Brier score (summed over classes) of each sample or label."""
    score = samples.score[part]
    logit = samples.scores == "logits"
    eps = float(np.finfo(score.dtype).eps)
    if samples.member is not None:
        member = samples.member[part]
        n, n_classes = member.shape
        cell = np.tile(np.arange(n_classes), n)
    else:
        assert samples.code is not None
        cell = samples.code[part].astype(np.int64)
    if samples.scores == "any":
        nothing = np.zeros(0)
        return cell, nothing, nothing
    if samples.code is not None and score.shape[1] == len(samples.form.classes):
        return cell, *_core.row_losses(score, samples.code[part], logit=logit, eps=eps)
    if samples.code is not None:
        member = samples.code[part, None].astype(np.uint8)
    log_loss, brier = _core.cell_losses(score, np.ascontiguousarray(member), logit=logit, eps=eps)
    # Of the class and of its complement: twice (p − y)².
    return cell, log_loss.reshape(-1), 2.0 * brier.reshape(-1)


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class ProbabilityLossResult(Result):
    """Log loss and Brier score of all samples and of those of each class.

    Attributes
    ----------
    form : Form or None
        Kind of the data and its K classes.
    n : ndarray, shape (K,), int64 or, of weights, float64
        Samples of each class; of multilabel data all samples.
    total_log_loss, total_brier : ndarray, shape (K,), float64
        Sums over these samples.
    """

    form: Form | None
    n: NDArray[Any]
    total_log_loss: NDArray[np.float64]
    total_brier: NDArray[np.float64]

    @property
    def task(self) -> str:
        """The task, as the command line calls it."""
        return "classification"

    def __str__(self) -> str:
        """Return one line for each loss."""
        return "\n".join(
            aligned_lines(
                [
                    [title, with_interval(self.metrics[name], self.intervals.get(name))]
                    for title, name in (("log loss", "log_loss"), ("Brier score", "brier"))
                ]
            )
        )

    def composition(self) -> str:
        """Return, in a few lines, what the result was made of."""
        weighted = ", weighted" if self.n.dtype.kind == "f" else ""
        lines = [
            f"samples      {self.data['n_samples']:,}{weighted}",
            f"classes      {len(self.n):,}",
            f"scores       {self.protocol['scores']}",
        ]
        lines += [f"undefined    {entry.metric}: {entry.reason}" for entry in self.undefined]
        return "\n".join(lines)

    def per_class(self) -> list[dict[str, Any]]:
        """Return, for each class, its id, name, number of samples and mean losses."""
        if self.form is None:
            return []
        log_loss, brier = self._means()
        return [
            {"class": name, "id": class_id, "n": n, "log_loss": each_loss, "brier": each_brier}
            for name, class_id, n, each_loss, each_brier in zip(
                self.form.classes.display_names(),
                self.form.classes.keys.ids.tolist(),
                self.n.tolist(),
                log_loss.tolist(),
                brier.tolist(),
                strict=True,
            )
        ]

    def undefined_of_classes(self) -> list[Undefined]:
        """Return which numbers of single classes are NaN, and why."""
        if self.form is None:
            return []
        names = self.form.classes.display_names()
        reason = _NOT_PROBABILITIES if self.protocol["scores"] == "any" else "no sample has it"
        return [
            Undefined(name, reason, names[k])
            for name, values in zip(("log_loss", "brier"), self._means(), strict=True)
            for k in np.flatnonzero(np.isnan(values)).tolist()
        ]

    def _means(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if self.protocol["scores"] == "any":
            nothing = np.full(len(self.n), math.nan)
            return nothing, nothing
        return rates.ratio(self.total_log_loss, self.n), rates.ratio(self.total_brier, self.n)

    def _pack(self) -> bytes:
        return packed_result(self, self.form, {name: getattr(self, name) for name in _ARRAYS})

    @classmethod
    def _of_packed(cls, packed: PackedState) -> ProbabilityLossResult:
        return cls(**result_fields(packed, _ARRAYS))


_ARRAYS = ("n", "total_log_loss", "total_brier")


def probability_loss(
    truth: Labels | ArrayLike,
    pred: Labels | ArrayLike,
    *,
    scores: str = "probabilities",
    scale_by_half: bool | str = "auto",
    weight: ArrayLike | None = None,
) -> ProbabilityLossResult:
    """Return log loss and Brier score; see `ProbabilityLoss`."""
    metric = ProbabilityLoss(scores=scores, scale_by_half=scale_by_half)
    return metric.update(truth, pred, weight=weight).compute()
