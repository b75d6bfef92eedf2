"""Top-k accuracy: how often the truth is among the k highest scores."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen import _core
from snellen.classification import rates
from snellen.classification.scores import Form, ScoredSamples, score_kind, scored_samples
from snellen.classification.stored_result import packed_result, result_fields
from snellen.classification.tally import Tally
from snellen.errors import InputError
from snellen.parameters import refuse_other_parameters
from snellen.result import Result, Undefined
from snellen.state import pack, restored
from snellen.table_text import aligned_lines, with_interval

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Self

    from snellen.classification.labels import Labels
    from snellen.state import PackedState

__all__ = ["TopKAccuracy", "TopKAccuracyResult", "top_k_accuracy"]


class TopKAccuracy:
    """Top-k accuracy: the share of samples whose class is among the k highest scores.

    A sample's class has rank r if r other classes come before it: those of a strictly greater
    score, and those of an equal score and a lower place in the list of classes. It is among the
    top k if r < k.

    Parameters
    ----------
    k : int or iterable of int
        How many of the highest scores count.
    scores : {"probabilities", "logits", "any"}
        What scores are; see `snellen.classification.scores`. Ranks are those of the scores as
        they are given.

    Notes
    -----
    State
        For each class the number of samples, and of those found for each k; with weights, their
        exact sums. Constant in the number of samples.
    Merge
        Adds; exact.
    Ties
        The class that is earlier in the list of classes comes first; so a model that gives all
        classes one score is right for the first k classes only.
    Undefined
        NaN without samples, and where k is larger than the number of classes.
    Agrees with
        scikit-learn 1.9.1 and torchmetrics 1.9.0 where no score is equal to that of the truth;
        of equal scores scikit-learn takes the later class, torch's topk any (tests/oracle).

    Examples
    --------
    >>> from snellen.classification.top_k import TopKAccuracy
    >>> scores = [[0.5, 0.3, 0.2], [0.1, 0.2, 0.7], [0.4, 0.4, 0.2]]
    >>> result = TopKAccuracy(k=(1, 2)).update([0, 1, 1], scores).compute()
    >>> round(result.top1, 4), round(result.top2, 4)  # the third is a tie: class 0 comes first
    (0.3333, 1.0)
    """

    __slots__ = ("_form", "_n_samples", "_tally", "k", "scores")

    def __init__(self, k: int | Iterable[int] = (1, 5), *, scores: str = "any") -> None:
        wanted = list(k) if isinstance(k, Iterable) else [k]
        good = all(isinstance(each, (int, np.integer)) and each >= 1 for each in wanted)
        if not wanted or not good or any(isinstance(each, bool) for each in wanted):
            raise InputError(f"expected whole numbers from 1 on, got {k!r}", "k")
        self.k = tuple(sorted({int(each) for each in wanted}))
        self.scores = score_kind(scores)
        self._form: Form | None = None
        self._tally: Tally | None = None
        self._n_samples = 0

    def __repr__(self) -> str:
        return f"TopKAccuracy({', '.join(map(str, self.k))})"

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
        truth : Labels or array-like, shape (n,)
            The labels; as an array, positions 0 … K − 1.
        pred : Labels or array-like, shape (n, K)
            The scores; float32 and float64 are read where they lie.
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
        if samples.code is None:
            raise InputError("expected one label a sample, got multilabel data", "truth")
        form = samples.declared(self.scores).form.joined(self._form)
        rank = _core.target_ranks(samples.class_columns(), samples.code)
        if self._tally is None:
            self._tally = _tally_of(form, self.k)
        code, weight = samples.code.astype(np.int64), samples.weight
        self._tally.add("n", code, weight)
        for j, k in enumerate(self.k):
            hit = rank < k
            cell = code[hit] * len(self.k) + j
            self._tally.add("n_found", cell, None if weight is None else weight[hit])
        self._form = form
        self._n_samples += len(samples)
        return self

    def merge(self, other: TopKAccuracy, /) -> Self:
        """Absorb another metric of equal parameters; `other` stays as it was.

        Raises
        ------
        MergeError
            Where the parameters differ.
        ClassError
            Where the classes do.
        """
        refuse_other_parameters(
            self, {"k": self.k, "scores": self.scores}, {"k": other.k, "scores": other.scores}
        )
        if other._form is None or other._tally is None:
            return self
        form = other._form.joined(self._form)
        if self._tally is None:
            self._tally = _tally_of(form, self.k)
        self._tally.merge(other._tally)
        self._form = form
        self._n_samples += other._n_samples
        return self

    def empty(self) -> TopKAccuracy:
        """Return a metric of the same parameters without data."""
        return TopKAccuracy(self.k, scores=self.scores)

    def compute(self) -> TopKAccuracyResult:
        """Return the result of all that was absorbed."""
        if self._tally is None or self._form is None:
            n_found, n, n_classes = np.zeros((0, len(self.k)), np.int64), np.zeros(0, np.int64), 0
            exact: tuple[Any, ...] = (n_found, n)
        else:
            n_found, n = self._tally.table("n_found"), self._tally.table("n")
            exact = (self._tally.exact("n_found"), self._tally.exact("n"))
            n_classes = len(self._form.classes)
        total = sum(exact[1].tolist())
        metrics: dict[str, float] = {}
        undefined = []
        for j, k in enumerate(self.k):
            reason = ""
            if not total:
                reason = "there are no samples"
            elif k > n_classes:
                reason = f"there are {n_classes} classes"
            name = f"top{k}"
            metrics[name] = math.nan if reason else float(sum(exact[0][:, j].tolist()) / total)
            if reason:
                undefined.append(Undefined(name, reason))
        return TopKAccuracyResult(
            metrics=metrics,
            protocol={"name": "top-k", "k": list(self.k), "scores": self.scores},
            undefined=tuple(undefined),
            data={"n_samples": self._n_samples, "n_classes": n_classes},
            form=self._form,
            n=n,
            n_found=n_found,
        )

    def to_bytes(self) -> bytes:
        """Return the state: the same bytes for any sharding and any order of batches."""
        content = {
            "k": list(self.k),
            "scores": self.scores,
            "form": None if self._form is None else self._form.to_dict(),
            "n_samples": self._n_samples,
        }
        return pack(
            type(self).__name__, content, {} if self._tally is None else self._tally.arrays()
        )

    @classmethod
    def from_bytes(cls, data: bytes, /) -> TopKAccuracy:
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
    def _of_packed(cls, packed: PackedState) -> TopKAccuracy:
        metric = cls(packed.content["k"], scores=packed.content["scores"])
        metric._form = Form.from_dict(packed.content["form"])
        if metric._form is not None:
            metric._tally = _tally_of(metric._form, metric.k)
            metric._tally.restore(packed.arrays)
            metric._n_samples = int(packed.content["n_samples"])
        return metric


def _tally_of(form: Form, k: tuple[int, ...]) -> Tally:
    n_classes = len(form.classes)
    return Tally(n=(n_classes,), n_found=(n_classes, len(k)))


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class TopKAccuracyResult(Result):
    """Top-k accuracy of all samples and of those of each class.

    Attributes
    ----------
    form : Form or None
        Kind of the data and its K classes.
    n : ndarray, shape (K,), int64 or, of weights, float64
        Samples of each class.
    n_found : ndarray, shape (K, len(k)), like `n`
        Those whose class is among the top k.
    """

    form: Form | None
    n: NDArray[Any]
    n_found: NDArray[Any]

    @property
    def task(self) -> str:
        """The task, as the command line calls it."""
        return "classification"

    def __str__(self) -> str:
        """Return one line for each k."""
        return "\n".join(
            aligned_lines(
                [
                    [f"top-{k} accuracy", with_interval(value, self.intervals.get(name))]
                    for k, (name, value) in zip(
                        self.protocol["k"], self.metrics.items(), strict=True
                    )
                ]
            )
        )

    def composition(self) -> str:
        """Return, in a few lines, what the result was made of."""
        weighted = "" if self.n.dtype.kind == "i" else ", weighted"
        lines = [
            f"samples      {self.data['n_samples']:,}{weighted}",
            f"classes      {len(self.n):,}, {np.count_nonzero(self.n):,} with truth",
            "ties         the earlier class comes first",
        ]
        lines += [f"undefined    {entry.metric}: {entry.reason}" for entry in self.undefined]
        return "\n".join(lines)

    def per_class(self) -> list[dict[str, Any]]:
        """Return, for each class, its id, name, number of samples and accuracies."""
        if self.form is None:
            return []
        values = self._accuracies().tolist()
        return [
            {
                "class": name,
                "id": class_id,
                "n_truth": n,
                **{f"top{k}": row[j] for j, k in enumerate(self.protocol["k"])},
            }
            for name, class_id, n, row in zip(
                self.form.classes.display_names(),
                self.form.classes.keys.ids.tolist(),
                self.n.tolist(),
                values,
                strict=True,
            )
        ]

    def undefined_of_classes(self) -> list[Undefined]:
        """Return which numbers of single classes are NaN, and why."""
        if self.form is None:
            return []
        names = self.form.classes.display_names()
        return [
            Undefined(
                f"top{k}",
                "no sample has the class" if not self.n[row] else f"there are {len(names)} classes",
                names[row],
            )
            for j, k in enumerate(self.protocol["k"])
            for row in np.flatnonzero(np.isnan(self._accuracies()[:, j])).tolist()
        ]

    def _accuracies(self) -> NDArray[np.float64]:
        values = rates.ratio(self.n_found, self.n[:, None])
        values[:, np.array(self.protocol["k"]) > len(self.n)] = math.nan
        return values

    def _pack(self) -> bytes:
        return packed_result(self, self.form, {"n": self.n, "n_found": self.n_found})

    @classmethod
    def _of_packed(cls, packed: PackedState) -> TopKAccuracyResult:
        return cls(**result_fields(packed, ("n", "n_found")))


def top_k_accuracy(
    truth: Labels | ArrayLike,
    pred: Labels | ArrayLike,
    *,
    k: int | Iterable[int] = (1, 5),
    weight: ArrayLike | None = None,
    scores: str = "any",
) -> TopKAccuracyResult:
    """Return top-k accuracy; see `TopKAccuracy`."""
    return TopKAccuracy(k, scores=scores).update(truth, pred, weight=weight).compute()
