"""What TIDE says of a detector: counts and costs of its errors."""

from __future__ import annotations

import dataclasses
import math
import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.classes import Classes
from snellen.detection.error_kinds import ERROR_NAMES, MISSED
from snellen.detection.image_rows import unverified_text
from snellen.detection.mended_precision import SPECIAL_NAMES, mended_precision
from snellen.detection.protocols import LARGEST_CAP
from snellen.errors import InputError
from snellen.result import Result, Undefined
from snellen.state import pack
from snellen.stored_results import plain_intervals, stored_intervals
from snellen.table_text import aligned_lines, number, printable, with_interval

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from snellen.displays import Display
    from snellen.state import PackedState

__all__ = ["DetectionErrorsResult", "ErrorRules"]

_SHOWN_CLASSES = 100
_NOTHING = "there are neither truth nor detections"
_NONE_LEFT = "no class has truth or detections once such errors are mended"


@dataclasses.dataclass(frozen=True)
class ErrorRules:
    """Where errors begin, see `DetectionErrors`."""

    iou_threshold: float
    background_threshold: float
    max_detections: int

    def __post_init__(self) -> None:
        for name in ("iou_threshold", "background_threshold"):
            value = getattr(self, name)
            if not (isinstance(value, (int, float)) and 0 < value <= 1):
                raise InputError(f"expected a number above 0, at most 1, got {value!r}", name)
            object.__setattr__(self, name, float(value))
        if self.background_threshold > self.iou_threshold:
            raise InputError(
                f"expected at most the IoU threshold of {self.iou_threshold:g}, got "
                f"{self.background_threshold:g}",
                "background_threshold",
            )
        try:
            cap = operator.index(self.max_detections)
        except TypeError:
            cap = 0
        if not 1 <= cap <= LARGEST_CAP:
            raise InputError(
                f"expected a whole number from 1 to {LARGEST_CAP}, got {self.max_detections!r}",
                "max_detections",
            )
        object.__setattr__(self, "max_detections", cap)

    def __str__(self) -> str:
        return self.in_words()

    def in_words(self, measure: str = "IoU") -> str:
        """Return the rules in one line; `measure` is what thresholds are of."""
        kept = "all detections" if self.has_no_cap else f"{self.max_detections} an image"
        return (
            f"{measure} {self.iou_threshold:g}, background up to {self.background_threshold:g}, "
            f"{kept}"
        )

    @property
    def has_no_cap(self) -> bool:
        """Whether all detections of an image count, however many."""
        return self.max_detections == LARGEST_CAP


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class DetectionErrorsResult(Result):
    """Counts of the six kinds of errors, and what each of them costs.

    ``AP`` is the mean over classes at the IoU threshold, ``dAP_cls`` … ``dAP_miss`` what it would
    gain with all errors of one kind mended, ``dAP_fp`` and ``dAP_fn`` with no false positive and
    with no false negative. How many errors of each kind there are is in ``data``: ``n_cls`` ….

    Attributes
    ----------
    rules : ErrorRules
        Where errors begin.
    classes : Classes
        The K classes.
    n_truth : ndarray, shape (K,), int64
        Truth objects that count.
    counts : ndarray, shape (K, 6), int64
        Errors by class of the detection (miss: of the truth) and kind, in the order of ``kinds``.
    class_AP : ndarray, shape (K,), float64
        AP of each class; NaN for one with neither truth nor detections.
    class_dAP : ndarray, shape (K, 8), float64
        What AP of each class gains, not cut off at 0: the six kinds, ``fp``, ``fn``; NaN where
        nothing of the class is left.
    """

    rules: ErrorRules
    classes: Classes
    n_truth: NDArray[np.int64]
    counts: NDArray[np.int64]
    class_AP: NDArray[np.float64]  # noqa: N815 - the field's name for it
    class_dAP: NDArray[np.float64]  # noqa: N815

    @property
    def task(self) -> str:
        """The task, as the command line calls it."""
        return "detection"

    @property
    def kinds(self) -> tuple[str, ...]:
        """The six kinds of errors."""
        return ERROR_NAMES

    @classmethod
    def of_rows(
        cls,
        rules: ErrorRules,
        classes: Classes,
        *,
        truth: Mapping[str, NDArray[Any]],
        pred: Mapping[str, NDArray[Any]],
        data: Mapping[str, int],
    ) -> DetectionErrorsResult:
        """Return the result of what was judged of truth and detections."""
        n_classes = len(classes)
        precision = mended_precision(
            n_classes,
            **{name: column for name, column in pred.items() if name != "image"},
            truth_label=truth["label"],
            truth_state=truth["state"],
        )
        counts = np.zeros((n_classes, 1 + len(ERROR_NAMES)), np.int64)
        np.add.at(counts, (pred["label"], pred["kind"]), 1)
        missed = truth["label"][truth["state"] == MISSED]
        counts[:, len(ERROR_NAMES)] = np.bincount(missed, minlength=n_classes)
        metrics = {"AP": _mean(precision.base)}
        for name, mended in precision.mended.items():
            gain = _mean(mended) - metrics["AP"]
            # Less is a matter of the 101 points, says TIDE, and counts as nothing; of the two
            # special ones it does not say so.
            metrics[f"dAP_{name}"] = 0.0 if gain <= 0 and name not in SPECIAL_NAMES else gain
        return cls(
            metrics=metrics,
            protocol={"name": "tide", **dataclasses.asdict(rules)},
            undefined=_undefined(metrics),
            data={
                **data,
                "n_correct": int(counts[:, 0].sum()),
                "n_left_out": int(np.count_nonzero(pred["left_out"])),
                **{
                    f"n_{name}": int(counts[:, code].sum())
                    for code, name in enumerate(ERROR_NAMES, 1)
                },
            },
            rules=rules,
            classes=classes,
            n_truth=np.bincount(truth["label"], minlength=n_classes),
            counts=counts[:, 1:],
            class_AP=precision.base,
            class_dAP=np.stack(
                [mended - precision.base for mended in precision.mended.values()], axis=1
            ),
        )

    def __str__(self) -> str:
        """Return the table of errors and what they cost, and that of classes to 100 of them."""
        return "\n".join([*self._headline(), "", *self._class_lines()])

    def _headline(self) -> list[str]:
        def cell(name: str) -> str:
            return with_interval(self.metrics[name], self.intervals.get(name))

        rows = [["error", "n", "dAP"]]
        rows += [
            [name, number(self.data[f"n_{name}"]), cell(f"dAP_{name}")] for name in ERROR_NAMES
        ]
        rows += [[name, "", cell(f"dAP_{name}")] for name in SPECIAL_NAMES]
        head, *lines = aligned_lines(rows)
        lines = [
            f"{line}  {_MEANING[name]}"
            for line, name in zip(lines, (*ERROR_NAMES, *SPECIAL_NAMES), strict=True)
        ]
        lines.insert(len(ERROR_NAMES), "")
        return [f"AP at IoU {self.rules.iou_threshold:g}: {cell('AP')}", "", head, *lines]

    def _class_lines(self) -> list[str]:
        shown = np.arange(len(self.classes))
        if len(shown) > _SHOWN_CLASSES:
            shown = np.sort(np.argsort(-self.counts.sum(axis=1), kind="stable")[:_SHOWN_CLASSES])
        names = self.classes.display_names()
        rows = [["class", "truth", "AP", *ERROR_NAMES]]
        rows += [
            [
                printable(names[k], 30),
                number(int(self.n_truth[k])),
                number(float(self.class_AP[k])),
                *map(number, self.counts[k].tolist()),
            ]
            for k in shown.tolist()
        ]
        lines = aligned_lines(rows)
        hidden = len(self.classes) - len(shown)
        if hidden:
            lines.append(f"and {hidden:,} classes with fewer errors")
        return lines

    def composition(self) -> str:
        """Return, in a few lines, what the result was made of."""
        data = self.data
        regions = f", {data['n_regions']:,} of them regions" if data["n_regions"] else ""
        dropped, left_out = data["n_dropped_by_cap"], data["n_left_out"]
        by_cap = (
            f", {f'{dropped:,}' if dropped else 'none'} dropped by the cap of "
            f"{self.rules.max_detections:,} an image"
        )
        lines = [
            f"images       {data['n_images']:,}",
            f"truth        {data['n_truth']:,}{regions}",
            f"predictions  {data['n_predictions']:,}{'' if self.rules.has_no_cap else by_cap}"
            + (f", {left_out:,} in regions left out of AP" if left_out else "")
            + unverified_text(data),
            f"classes      {data['n_classes']:,}, "
            f"{int(np.count_nonzero(self.n_truth)):,} with truth",
            f"rules        {self.rules}",
        ]
        lines += [f"undefined    {entry.metric}: {entry.reason}" for entry in self.undefined]
        return "\n".join(lines)

    def per_class(self) -> list[dict[str, Any]]:
        """Return, for each class, its id, name, AP, and counts and costs of its errors."""
        ids, names = self.classes.keys.ids.tolist(), self.classes.display_names()
        return [
            {
                "class": names[k],
                "id": ids[k],
                "n_truth": int(self.n_truth[k]),
                "AP": float(self.class_AP[k]),
                **{
                    f"n_{name}": int(n) for name, n in zip(ERROR_NAMES, self.counts[k], strict=True)
                },
                **{
                    f"dAP_{name}": float(gain)
                    for name, gain in zip(
                        (*ERROR_NAMES, *SPECIAL_NAMES), self.class_dAP[k], strict=True
                    )
                },
            }
            for k in range(len(ids))
        ]

    def displays(self) -> tuple[Display, ...]:
        """Return what each kind of error costs."""
        from snellen.detection.count_displays import error_costs

        return (error_costs(self),)

    def undefined_of_classes(self) -> list[Undefined]:
        """Return which numbers of single classes are NaN, and why."""
        names = self.classes.display_names()
        found = [
            Undefined("AP", "the class has neither truth nor detections", names[k])
            for k in np.flatnonzero(np.isnan(self.class_AP)).tolist()
        ]
        for i, name in enumerate((*ERROR_NAMES, *SPECIAL_NAMES)):
            found += [
                Undefined(f"dAP_{name}", "nothing of the class is left", names[k])
                for k in np.flatnonzero(np.isnan(self.class_dAP[:, i])).tolist()
            ]
        return found

    def _pack(self) -> bytes:
        arrays: dict[str, NDArray[Any]] = {
            name: np.ascontiguousarray(getattr(self, name))
            for name in ("n_truth", "counts", "class_AP", "class_dAP")
        }
        content: dict[str, Any] = {
            "metrics": {name: _plain(value) for name, value in self.metrics.items()},
            "rules": dataclasses.asdict(self.rules),
            "data": dict(self.data),
            "intervals": plain_intervals(self.intervals),
        }
        self.classes.store(content, arrays)
        return pack(type(self).__name__, content, arrays)

    @classmethod
    def _of_packed(cls, packed: PackedState) -> DetectionErrorsResult:
        content, arrays = packed.content, packed.arrays
        rules = ErrorRules(**content["rules"])
        metrics = {
            name: math.nan if value is None else float(value)
            for name, value in content["metrics"].items()
        }
        return cls(
            metrics=metrics,
            protocol={"name": "tide", **dataclasses.asdict(rules)},
            undefined=_undefined(metrics),
            data=content["data"],
            intervals=stored_intervals(content["intervals"]),
            rules=rules,
            classes=Classes.stored(content, arrays),
            **{name: arrays[name] for name in ("n_truth", "counts", "class_AP", "class_dAP")},
        )


def _mean(values: NDArray[np.float64]) -> float:
    """Return the mean of what is defined; exact sums, so that the order of classes is nothing."""
    defined = values[~np.isnan(values)]
    return math.fsum(defined.tolist()) / len(defined) if len(defined) else math.nan


def _undefined(metrics: Mapping[str, float]) -> tuple[Undefined, ...]:
    reason = _NOTHING if math.isnan(metrics["AP"]) else _NONE_LEFT
    return tuple(Undefined(name, reason) for name, value in metrics.items() if math.isnan(value))


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else value


_MEANING = {
    "cls": "right place, wrong class",
    "loc": "right class, wrong place",
    "both": "wrong class and place",
    "dupe": "found before",
    "bkg": "nothing there",
    "miss": "not found",
    "fp": "without any false positive",
    "fn": "without any false negative",
}
