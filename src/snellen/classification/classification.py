"""Everything of a classification at once, and its samples, so that it can be compared."""

from __future__ import annotations

import dataclasses
import math
import zlib
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen import _core
from snellen.arrays import to_numpy
from snellen.classes import Classes
from snellen.classification.calibration import CalibrationError, bins_of, confidences
from snellen.classification.classification_result import ClassificationResult
from snellen.classification.confusion_matrix import ConfusionMatrix
from snellen.classification.confusion_matrix_result import positive_code
from snellen.classification.curves import ThresholdCurves
from snellen.classification.labels import Labels, label_sides, predicted_codes
from snellen.classification.multilabel_confusion import MultilabelConfusion
from snellen.classification.probability import ProbabilityLoss
from snellen.classification.resampled_curves import MOST_CELLS, with_areas
from snellen.classification.resampled_labels import label_units
from snellen.classification.resampled_scores import with_sample_means
from snellen.classification.resampled_sets import SetRows, set_units
from snellen.classification.scores import SeenIds, score_kind, scored_samples
from snellen.classification.top_k import TopKAccuracy
from snellen.digests import id_numbers, unit_digests
from snellen.errors import IdError, InputError, ShapeError
from snellen.parameters import refuse_other_parameters
from snellen.state import Keys, Ledger, pack, prefixed, restored, unprefixed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Self

    from snellen.classification.scores import ScoredSamples
    from snellen.metric import Units
    from snellen.state import PackedState

__all__ = ["Classification", "ClassificationResult"]

# The parts, in the order of the report; each is a metric of its own.
_PARTS: Final[dict[str, Any]] = {
    "labels": ConfusionMatrix,
    "sets": MultilabelConfusion,
    "top_k": TopKAccuracy,
    "curves": ThresholdCurves,
    "losses": ProbabilityLoss,
    "calibration": CalibrationError,
}
# Which side a label of a set is on.
_TRUE, _TOLD = 1, 2
# What is kept of each sample, beside its two labels.
_OF_SAMPLES = ("rank", "log_loss", "brier", "confidence", "bin")


class Classification:
    """All that can be said of labels and, where there are any, of their scores.

    `ConfusionMatrix` (of sets of labels `MultilabelConfusion`), `TopKAccuracy`, `ThresholdCurves`,
    `ProbabilityLoss` and `CalibrationError` fed with the same data, and the samples themselves: for
    confidence intervals over groups, and to compare two runs sample by sample. Memory grows with
    the samples; where that is too much, use the parts.

    Parameters
    ----------
    classes : Classes, mapping of id to name, or sequence of names, optional
        As in `ConfusionMatrix`.
    scores : {"probabilities", "logits", "any", "confidences"}, optional
        What the predictions bring: scores of each class and what they are, or
        (``"confidences"``) predicted labels and how sure the model is of each. Without, labels.
    positive, beta, absent_classes, zero_division, n_macro
        As in `ConfusionMatrix`; there is no `n_macro` of sets of labels.
    top_k : int or iterable of int
        As in `TopKAccuracy`.
    bins : int
        As in `CalibrationError`.
    curve_bins : int, optional
        As ``bins`` in `ThresholdCurves`: without, curves are exact, and all scores are kept.
    multilabel : bool
        Whether a sample has a set of labels. Then samples need ids.
    threshold : float
        Of sets of labels: as in `MultilabelConfusion`.

    Notes
    -----
    State
        Those of the parts; and of each sample its id, group, labels, weight, rank and losses.
        Grows with the number of samples.
    Merge
        Of the parts, and joins the samples; exact. A sample that both have absorbed is refused.
    Ties
        Of equal scores the class of the lowest id is predicted.
    Undefined
        As in the parts.
    Agrees with
        The parts.

    Examples
    --------
    >>> from snellen import Classification
    >>> scores = [[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.1, 0.6, 0.3]]
    >>> result = Classification(scores="probabilities", top_k=2).update([0, 1, 2], scores).compute()
    >>> round(result.accuracy, 4), result.top2, round(result.log_loss, 4)
    (0.6667, 1.0, 0.7068)
    """

    __slots__ = ("_ids", "_named", "_parts", "_samples", "_sets", "scores")

    def __init__(
        self,
        classes: Classes | Mapping[Any, str] | Sequence[str] | None = None,
        *,
        scores: str | None = None,
        positive: int | str | None = None,
        beta: float = 1.0,
        absent_classes: str = "drop",
        zero_division: float = 0.0,
        n_macro: int | None = None,
        top_k: int | Iterable[int] = (1, 5),
        bins: int = 15,
        curve_bins: int | None = None,
        multilabel: bool = False,
        threshold: float = 0.5,
    ) -> None:
        self.scores = scores
        rules: dict[str, Any] = {
            "beta": beta,
            "absent_classes": absent_classes,
            "zero_division": zero_division,
        }
        parts: dict[str, Any] = {}
        if multilabel:
            if positive is not None:
                raise InputError("expected no positive class of sets of labels", "positive")
            if n_macro is not None:
                raise InputError("expected macro averages over all sets of labels", "n_macro")
            parts["sets"] = MultilabelConfusion(classes, threshold=threshold, **rules)
        else:
            parts["labels"] = ConfusionMatrix(classes, positive=positive, n_macro=n_macro, **rules)
        if scores == "confidences":
            if multilabel:
                raise InputError("expected no confidences of sets of labels", "scores")
            parts["calibration"] = CalibrationError(bins, adaptive=True)
        elif scores is not None:
            kind = score_kind(scores)
            ks = [top_k] if isinstance(top_k, int) else list(top_k)
            if ks and not multilabel:
                parts["top_k"] = TopKAccuracy(ks, scores=kind)
            parts["curves"] = ThresholdCurves(
                curve_bins, scores=kind, absent_classes=absent_classes, positive=positive
            )
            if kind != "any":
                parts["losses"] = ProbabilityLoss(scores=kind)
                parts["calibration"] = CalibrationError(bins, scores=kind, adaptive=True)
        self._parts = parts
        self._samples = _sample_ledger()
        self._sets = _set_ledger()
        self._ids = SeenIds()
        # Whether samples come with ids, and with groups; None before the first.
        self._named: tuple[bool, bool] | None = None

    def __repr__(self) -> str:
        return f"Classification({', '.join(self._parts)}; {len(self._samples)} samples)"

    @property
    def classes(self) -> Classes:
        """The classes so far."""
        classes: Classes = self._main.classes
        return classes

    @property
    def _main(self) -> Any:
        """The part of the labels, or of the sets of labels."""
        return next(iter(self._parts.values()))

    @property
    def multilabel(self) -> bool:
        """Whether a sample has a set of labels."""
        return "sets" in self._parts

    @property
    def set_threshold(self) -> float:
        """From which score on a sample is said to have a label, of sets of labels."""
        return float(self._main.threshold)

    def update(
        self,
        truth: Labels | ArrayLike,
        pred: Labels | ArrayLike,
        *,
        confidence: ArrayLike | None = None,
        weight: ArrayLike | None = None,
        sample_id: ArrayLike | None = None,
        group: ArrayLike | None = None,
    ) -> Self:
        """Absorb a batch of n samples.

        Parameters
        ----------
        truth : Labels, or array-like of shape (n,)
            Labels: whole numbers, flags or texts.
        pred : Labels, or array-like of shape (n,) or (n, K)
            Labels or, where `scores` says so, the score of each class.
        confidence : array-like of shape (n,), optional
            With ``scores="confidences"``: how sure the model is of each predicted label.
        weight, sample_id, group : array-like of shape (n,), optional
            See `Labels`.

        Raises
        ------
        InputError
            For what cannot be evaluated. After an error the metric is as it was.
        """
        # Labels are frozen; arrays may be filled anew by whoever gave them.
        owned = isinstance(pred, Labels)
        sides = _set_sides if self.multilabel else label_sides
        truth, pred = sides(
            truth,
            pred,
            classes=self._main.declared,
            weight=weight,
            sample_id=sample_id,
            group=group,
        )
        if confidence is not None:
            if self.scores != "confidences":
                raise InputError(
                    'expected no confidence without scores="confidences"', "confidence"
                )
            sure = to_numpy(confidence, "confidence", np.float64).copy()
            pred = dataclasses.replace(pred, confidence=sure)
        self._check_kind(truth, pred)
        if not self.multilabel:
            pred = self._with_labels(pred)
        named = truth.sample_id is not None, truth.group is not None
        if self._named is not None and self._named != named:
            raise IdError(
                "expected sample ids and groups with all batches or with none, got some with and "
                "some without"
            )
        keys = None if truth.sample_id is None else self._ids.checked(truth.sample_id)
        # On copies without data first, so that either all parts absorb the batch or none.
        batch = {name: part.empty() for name, part in self._parts.items()}
        samples = self._absorb(batch, truth, pred, owned=owned)
        rows = _sample_rows(truth, pred, samples, self._bins)
        sets = _set_rows(truth, pred, self._main.threshold) if self.multilabel else None
        merged = {name: part.empty().merge(part) for name, part in self._parts.items()}
        for name, part in merged.items():
            part.merge(batch[name])
        self._parts = merged
        if keys is not None:
            self._ids.add(keys)
        self._samples.append(
            {
                "sample": keys if keys is not None else Keys([], "sample id"),
                "group": Keys([] if truth.group is None else truth.group, "group"),
                "truth": truth.classes.keys if truth.code is not None else Keys([], "class id"),
                "pred": pred.classes.keys if truth.code is not None else Keys([], "class id"),
            },
            **rows,
        )
        if sets is not None and keys is not None:
            for side, columns in zip((truth, pred), sets, strict=True):
                columns["sample"] = rows["sample"][columns["sample"]]
                self._sets.append({"sample": keys, "label": side.classes.keys}, **columns)
        self._named = named
        return self

    def merge(self, other: Classification, /) -> Self:
        """Absorb another metric of equal parameters; `other` stays as it was.

        Raises
        ------
        MergeError
            Where the parameters differ.
        IdError
            Where both have absorbed the same sample.
        """
        refuse_other_parameters(self, self._parameters(), other._parameters())
        if other._named is not None and self._named not in (None, other._named):
            raise IdError("expected sample ids and groups on both sides or on none")
        self._ids.check_new(other._ids.runs)
        merged = {name: part.empty().merge(part) for name, part in self._parts.items()}
        for name, part in merged.items():
            part.merge(other._parts[name])
        self._parts = merged
        for keys in other._ids.runs:
            self._ids.add(keys)
        self._samples.merge(other._samples)
        self._sets.merge(other._sets)
        self._named = self._named if other._named is None else other._named
        return self

    def empty(self) -> Classification:
        """Return a metric of the same parameters without data."""
        twin = Classification.__new__(Classification)
        twin.scores = self.scores
        twin._parts = {name: part.empty() for name, part in self._parts.items()}
        twin._samples, twin._sets = _sample_ledger(), _set_ledger()
        twin._ids, twin._named = SeenIds(), None
        return twin

    def compute(self) -> ClassificationResult:
        """Return the results of all parts as one."""
        return ClassificationResult.of_parts(
            {name: part.compute() for name, part in self._parts.items()}
        )

    def units(self, *, each: bool = False) -> Units:
        """Return samples or, where they have groups, groups as units for resampling.

        Raises
        ------
        IdError
            Where `each` is asked for and samples have no ids.
        """
        named, grouped = self._named or (False, False)
        if each and not (named or grouped):
            raise IdError("expected samples with ids, to tell them apart")
        if self.multilabel:
            return self._set_units(grouped=grouped)
        labels = self._main
        if not (each or grouped or len(self._parts) > 1 or labels.is_weighted):
            return labels.units()  # type: ignore[no-any-return]  # of a part
        return self._units_among(self.classes)

    def _units_among(self, classes: Classes) -> Units:
        """Return units with labels as positions in classes that hold all of this metric's."""
        named, grouped = self._named or (False, False)
        labels = self._main
        tables, rows = self._settled()
        place = classes.keys.codes(self.classes.keys.ids)
        row, column = place[rows["truth"]], place[rows["pred"]]
        unit: NDArray[np.int32] | None = None
        ids: Keys | None = tables["sample"] if named else None
        n_units = len(rows["truth"])
        if grouped:
            unit, ids = rows["group"], tables["group"]
            n_units = len(ids)
        weight = rows["weight"] if labels.is_weighted else None
        units = label_units(
            row,
            column,
            np.ones(n_units, np.int64),
            classes,
            averaging=labels.averaging,
            beta=labels.beta,
            positive=positive_code(labels.positive, classes),
            ids=ids,
            unit=unit,
            weight=weight,
            unit_name="group" if grouped else "sample",
        )
        ks = self._parts["top_k"].k if "top_k" in self._parts else ()
        units = with_sample_means(
            units._replace(
                truth=None
                if ids is None
                else unit_digests(
                    # Of groups their samples' ids, too; those of samples are compared as such.
                    (
                        id_numbers(tables["sample"].ids)[rows["sample"]]
                        if grouped and named
                        else rows["sample"],
                        row,
                        rows["weight"],
                    ),
                    rows["group" if grouped else "sample"],
                    n_units,
                ),
                among=self._units_among,
            ),
            {name: rows[name] for name in _OF_SAMPLES},
            rows["truth"] == rows["pred"],
            ks=tuple(k for k in ks if k <= len(self.classes)),
            losses="losses" in self._parts,
            bins=self._bins,
            halved=self._halved(),
            unit=unit,
            weight=weight,
        )
        return units if weight is not None else self._with_areas(units, unit, named=named)

    def _with_areas(self, units: Units, unit: NDArray[np.int32] | None, *, named: bool) -> Units:
        """Return units that know the areas under the curves, too, where scores are kept."""
        curves: ThresholdCurves | None = self._parts.get("curves")
        # Without ids the rows of the scores are in another order than those of the labels.
        if curves is None or not named:
            return units
        scored = curves.scored()
        if scored is None or scored[0].size > MOST_CELLS:
            return units
        # Scores are of the classes that they came with, and of no others.
        fixed = units._replace(among=None)
        return with_areas(fixed, *scored, absent_classes=curves.absent_classes, unit=unit)

    def _set_units(self, *, grouped: bool) -> Units:
        if self._main.is_weighted:
            raise InputError("expected sets of labels without weights, to resample them")
        tables, rows = self._settled()
        labels, samples = self._settled_sets(tables["sample"]), len(rows["truth"])
        found = SetRows(
            labels["sample"],
            labels["label"],
            (labels["side"] & _TRUE) != 0,
            (labels["side"] & _TOLD) != 0,
        )
        # What tells one sample's truth from another's: its classes, by a sum of check sums.
        sums = np.array(
            [zlib.crc32(repr(each).encode()) for each in self.classes.keys.ids.tolist()], np.int64
        )
        truth = np.zeros(samples, np.int64)
        np.add.at(truth, found.sample[found.true], sums[found.label[found.true]])
        unit = rows["group"] if grouped else None
        units = set_units(
            found,
            samples,
            self.classes,
            averaging=self._main.averaging,
            beta=self._main.beta,
            ids=tables["group"] if grouped else tables["sample"],
            unit=unit,
            truth=None if grouped else truth,
        )
        return self._with_areas(units, unit, named=True)

    def _parameters(self) -> dict[str, Any]:
        return {"scores": self.scores, "parts": list(self._parts)}

    def to_bytes(self) -> bytes:
        """Return the state: the same bytes for any sharding and any order of batches."""
        tables, rows = self._settled()
        arrays: dict[str, NDArray[Any]] = {
            f"part.{name}": np.frombuffer(part.to_bytes(), np.uint8)
            for name, part in self._parts.items()
        }
        arrays |= prefixed("samples.", rows)
        if self.multilabel:
            sets = self._settled_sets(tables["sample"])
            arrays |= prefixed("sets.", sets)
        content: dict[str, Any] = {
            **self._parameters(),
            "named": self._named,
        }
        for name in ("sample", "group"):
            tables[name].store(name, content, arrays)
        return pack(type(self).__name__, content, arrays)

    @classmethod
    def from_bytes(cls, data: bytes, /) -> Classification:
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
    def _of_packed(cls, packed: PackedState) -> Classification:
        metric = cls.__new__(cls)
        metric.scores = packed.content["scores"]
        metric._parts = {
            name: _PARTS[name].from_bytes(packed.arrays[f"part.{name}"].tobytes())
            for name in packed.content["parts"]
        }
        named = packed.content["named"]
        metric._named = None if named is None else (bool(named[0]), bool(named[1]))
        metric._samples, metric._sets = _sample_ledger(), _set_ledger()
        metric._ids = SeenIds()
        tables = {
            name: Keys.stored(name, what, packed.content, packed.arrays)
            for name, what in (("sample", "sample id"), ("group", "group"))
        }
        if metric._named is None:
            return metric
        classes = metric.classes.keys
        of_labels = Keys([], "class id") if metric.multilabel else classes
        metric._samples.append(
            {**tables, "truth": of_labels, "pred": of_labels},
            **unprefixed("samples.", packed.arrays),
        )
        if metric.multilabel:
            of_sets = {"sample": tables["sample"], "label": classes}
            metric._sets.append(of_sets, **unprefixed("sets.", packed.arrays))
        metric._ids.add(tables["sample"])
        return metric

    def _check_kind(self, truth: Labels, pred: Labels) -> None:
        if self.multilabel:
            if truth.sample_id is None:
                raise IdError("expected an id of each sample that has a set of labels", "sample_id")
        elif truth.code is None:
            raise InputError(
                "expected one label for each sample, got sets of labels: say multilabel=True",
                "truth",
            )
        if self.scores == "confidences":
            if pred.code is None or pred.confidence is None:
                raise InputError("expected labels and their confidence, as declared", "pred")
        elif self.scores is not None and pred.score is None:
            raise InputError(f"expected scores ({self.scores}), as declared, got labels", "pred")

    def _with_labels(self, pred: Labels) -> Labels:
        """Return predictions that have labels, too, where one column of scores decides them."""
        score, kind = pred.score, self.scores
        if pred.code is not None or score is None or score.shape[1:] != (1,):
            return pred
        if len(pred.classes) != 2 or kind not in ("probabilities", "logits"):
            return pred
        second = score[:, 0] > (0.5 if kind == "probabilities" else 0.0)
        return dataclasses.replace(pred, code=second.astype(np.int32))

    def _absorb(
        self, parts: dict[str, Any], truth: Labels, pred: Labels, *, owned: bool
    ) -> ScoredSamples | None:
        """Let parts absorb a batch, which may keep scores that are owned; return these, checked."""
        main = "sets" if self.multilabel else "labels"
        parts[main].update(truth, pred)
        if self.scores is None:
            return None
        if self.scores == "confidences":
            assert pred.code is not None
            parts["calibration"].update(
                truth,
                dataclasses.replace(pred, score=None),
                confidence=pred.confidence,
            )
            return None
        samples = scored_samples(truth, pred, scores=score_kind(self.scores))
        samples = dataclasses.replace(samples, owned=owned)
        for name, part in parts.items():
            if name != main:
                part.absorb(samples)
        return samples

    def _settled_sets(self, samples: Keys) -> dict[str, NDArray[Any]]:
        """Return the labels of all samples, one row for each label, in order."""
        n_classes = max(len(self.classes), 1)
        rows = self._sets.columns({"sample": samples, "label": self.classes.keys})
        cell = rows["sample"].astype(np.int64) * n_classes + rows["label"]
        cells, place = np.unique(cell, return_inverse=True)
        side = np.zeros(len(cells), np.uint8)
        np.bitwise_or.at(side, place, rows["side"])
        sample, label = np.divmod(cells, n_classes)
        return {"sample": sample.astype(np.int32), "label": label.astype(np.int32), "side": side}

    @property
    def _bins(self) -> int | None:
        """The bins of the calibration error; None where there is none."""
        return self._parts["calibration"].bins if "calibration" in self._parts else None

    def _halved(self) -> bool:
        """Return whether the Brier score is half of the sum over the classes."""
        return "losses" in self._parts and len(self.classes) == 2

    def _settled(self) -> tuple[dict[str, Keys], dict[str, NDArray[Any]]]:
        """Return key tables and rows: by sample id or, without ids, by content."""
        pieces = self._samples.tables()
        tables = {
            name: Keys.union(pieces[name], what) if pieces[name] else Keys([], what)
            for name, what in (("sample", "sample id"), ("group", "group"))
        }
        classes = self.classes.keys
        if self.multilabel:
            classes = Keys([], "class id")
        rows = self._samples.columns({**tables, "truth": classes, "pred": classes})
        if self._named is not None and self._named[0]:
            order = np.argsort(rows["sample"], kind="stable")
        else:
            order = np.lexsort([rows[name] for name in reversed(list(rows))])
        if len(order) and (np.diff(order) != 1).any():
            rows = {name: column[order] for name, column in rows.items()}
        return tables, rows


def _sample_ledger() -> Ledger:
    return Ledger(
        ("sample", "group", "truth", "pred"),
        sample=np.int32,
        group=np.int32,
        truth=np.int32,
        pred=np.int32,
        weight=np.float64,
        rank=np.int32,
        log_loss=np.float64,
        brier=np.float64,
        confidence=np.float64,
        bin=np.int32,
    )


def _set_ledger() -> Ledger:
    return Ledger(("sample", "label"), sample=np.int32, label=np.int32, side=np.uint8)


def _set_sides(
    truth: Any,
    pred: Any,
    *,
    classes: Classes | None,
    weight: ArrayLike | None,
    sample_id: ArrayLike | None,
    group: ArrayLike | None,
) -> tuple[Labels, Labels]:
    """Return both sides of a batch of sets of labels as `Labels`."""
    if not isinstance(truth, Labels):
        flags = to_numpy(truth, "truth")
        if flags.ndim != 2 or not np.isin(flags, (0, 1)).all():
            raise ShapeError(f"expected 0 and 1 of shape (n, L), got {flags.shape}", "truth")
        known = Classes(range(flags.shape[1])) if classes is None else classes
        blank = Labels.of(
            np.zeros(len(flags), np.int64),
            weight=weight,
            sample_id=sample_id,
            group=group,
            name="truth",
        )
        truth = dataclasses.replace(
            blank, classes=known, code=None, member=np.ascontiguousarray(flags, np.uint8)
        )
    elif any(column is not None for column in (weight, sample_id, group)):
        raise InputError("expected no weight, sample_id or group beside Labels, which have them")
    if not isinstance(pred, Labels):
        score = to_numpy(pred, "pred")
        if score.shape != (len(truth), len(truth.classes)):
            raise ShapeError(
                f"expected shape {(len(truth), len(truth.classes))}, got {score.shape}", "pred"
            )
        if score.dtype.kind == "f":
            pred = Labels(truth.classes, score=score)
        else:
            pred = Labels(truth.classes, member=np.ascontiguousarray(score != 0, np.uint8))
    if truth.member is None:
        raise InputError("expected sets of labels, got single ones", "truth")
    return truth, pred


def _set_rows(truth: Labels, pred: Labels, threshold: float) -> list[dict[str, NDArray[Any]]]:
    """Return a row for each label of each sample, of either side; samples as positions."""
    found: list[dict[str, NDArray[Any]]] = []
    told: NDArray[Any] | None = pred.member
    if told is None:
        assert pred.score is not None
        told = pred.score >= threshold
    for member, side in ((truth.member, _TRUE), (told, _TOLD)):
        assert member is not None
        sample, label = np.nonzero(member)
        found.append(
            {
                "sample": sample.astype(np.int32),
                "label": label.astype(np.int32),
                "side": np.full(len(sample), side, np.uint8),
            }
        )
    return found


def _sample_rows(
    truth: Labels, pred: Labels, samples: ScoredSamples | None, bins: int | None
) -> dict[str, NDArray[Any]]:
    """Return what is kept of each sample; -1 and NaN stand for what there is not."""
    n = len(truth)
    nothing = np.full(n, -1, np.int32)
    single = truth.code is not None
    rows: dict[str, NDArray[Any]] = {
        "sample": nothing,
        "group": nothing,
        "truth": truth.code if truth.code is not None else nothing,
        "pred": predicted_codes(pred) if single else nothing,
        "weight": np.ones(n) if truth.weight is None else truth.weight,
        "rank": nothing,
        "log_loss": np.full(n, math.nan),
        "brier": np.full(n, math.nan),
        "confidence": np.full(n, math.nan),
        "bin": nothing,
    }
    if truth.sample_id is not None:
        rows["sample"] = Keys(truth.sample_id, "sample id").codes(truth.sample_id)
    if truth.group is not None:
        rows["group"] = Keys(truth.group, "group").codes(truth.group)
    if pred.confidence is not None:
        rows["confidence"] = pred.confidence
        if bins is not None:
            rows["bin"] = bins_of(pred.confidence, bins, pred.confidence.dtype).astype(np.int32)
    if samples is None or samples.code is None or not n:
        return rows
    if samples.scores != "any" or samples.score.shape[1] > 1:
        score = np.ascontiguousarray(samples.class_columns())
        rows["rank"] = _core.target_ranks(score, samples.code)
    if samples.scores != "any":
        logit = samples.scores == "logits"
        # Of what the scores came as: one column of float32 is float64 by now.
        eps = float(np.finfo(samples.score.dtype).eps)
        rows["log_loss"], rows["brier"] = _core.row_losses(
            score, samples.code, logit=logit, eps=eps
        )
        assert bins is not None
        rows["confidence"], rows["bin"] = confidences(samples, bins)
    return rows
