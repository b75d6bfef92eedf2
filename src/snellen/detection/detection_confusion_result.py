"""What follows from the confusion matrix of a detector: numbers, tables, text."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.classes import Classes
from snellen.detection.confusion_rules import ConfusionRules
from snellen.detection.image_rows import unverified_text
from snellen.errors import ClassError, InputError, first_few
from snellen.result import Result, Undefined
from snellen.state import Keys, pack, prefixed, unprefixed
from snellen.stored_results import plain_intervals, stored_intervals
from snellen.table_text import aligned_lines, number, printable, with_interval

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from snellen.displays import Display
    from snellen.state import PackedState

__all__ = ["FALSE_ALARM", "MISSED", "PAIR", "DetectionConfusionResult"]

PAIR, MISSED, FALSE_ALARM = range(3)
_MARGINS: Final = ("missed", "false alarm")
_SHOWN_MATRIX = 12  # classes: above, what each is taken for says more
_SHOWN_CLASSES = 100


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class DetectionConfusionResult(Result):
    """The confusion matrix of K classes, and precision and recall that follow from it.

    Attributes
    ----------
    rules : ConfusionRules
        Who went with whom.
    classes : Classes
        The K classes.
    matrix : ndarray, shape (K + 1, K + 1), int64
        Rows are true classes and, last, false alarms; columns are predicted classes and, last,
        what was missed. The last cell is 0.
    images : Keys
        The images.
    events : mapping of str to ndarray
        What the matrix counts, a row each: ``image``, ``truth``, ``pred`` (positions; of a missed
        object ``pred`` is its own class, of a false alarm ``truth`` is), ``event`` (0: a pair,
        1: missed, 2: a false alarm), ``score`` and ``similarity`` (0 where there is none).
    """

    rules: ConfusionRules
    classes: Classes
    matrix: NDArray[np.int64]
    images: Keys
    events: Mapping[str, NDArray[Any]]

    @property
    def task(self) -> str:
        """The task, as the command line calls it."""
        return "detection"

    @classmethod
    def of_events(
        cls,
        rules: ConfusionRules,
        classes: Classes,
        images: Keys,
        events: Mapping[str, NDArray[Any]],
        data: Mapping[str, int],
    ) -> DetectionConfusionResult:
        """Return the result of pairs, missed objects and false alarms."""
        n = len(classes)
        event = events["event"]
        row = np.where(event == FALSE_ALARM, n, events["truth"]).astype(np.int64)
        column = np.where(event == MISSED, n, events["pred"]).astype(np.int64)
        matrix = np.bincount(row * (n + 1) + column, minlength=(n + 1) ** 2).reshape(n + 1, n + 1)
        metrics, undefined = _numbers(matrix)
        return cls(
            metrics=metrics,
            protocol=dataclasses.asdict(rules),
            undefined=undefined,
            data={
                **data,
                "n_pairs": int(np.count_nonzero(event == PAIR)),
                "n_correct": int(np.trace(matrix)),
                "n_missed": int(np.count_nonzero(event == MISSED)),
                "n_false_alarms": int(np.count_nonzero(event == FALSE_ALARM)),
            },
            rules=rules,
            classes=classes,
            matrix=matrix,
            images=images,
            events=events,
        )

    def normalised(self, by: str) -> NDArray[np.float64]:
        """Return the matrix as shares.

        Parameters
        ----------
        by : {"truth", "prediction", "all"}
            What adds up to 1: each row, each column, everything. A row or column of nothing is
            NaN.

        Raises
        ------
        InputError
            For another word.
        """
        axis = {"truth": 1, "prediction": 0, "all": None}
        if by not in axis:
            raise InputError(f'expected "truth", "prediction" or "all", got {by!r}', "by")
        whole = self.matrix.sum(axis=axis[by], keepdims=True)
        return _ratio(self.matrix, np.broadcast_to(whole, self.matrix.shape))

    def displays(self) -> tuple[Display, ...]:
        """Return the confusion matrix."""
        from snellen.detection.count_displays import confusion_matrix

        return (confusion_matrix(self),)

    def most_confused(self, n: int = 10) -> list[dict[str, Any]]:
        """Return the n pairs of different classes that occur most, most first."""
        cells = self.matrix[:-1, :-1].copy()
        np.fill_diagonal(cells, 0)
        truth, pred = np.nonzero(cells)
        order = np.lexsort((pred, truth, -cells[truth, pred]))[:n]
        names, n_truth = self.classes.display_names(), self.matrix[:-1].sum(axis=1)
        return [
            {
                "truth": names[i],
                "prediction": names[j],
                "n": int(cells[i, j]),
                "share_of_truth": float(cells[i, j] / n_truth[i]),
            }
            for i, j in zip(truth[order].tolist(), pred[order].tolist(), strict=True)
        ]

    def where(self, truth: int | str | None, pred: int | str | None) -> list[dict[str, Any]]:
        """Return what a cell of the matrix counts, the highest scores first.

        Parameters
        ----------
        truth, pred : int or str, or None
            A class, by its name or id. ``truth=None``: false alarms of a class; ``pred=None``:
            missed objects of one.

        Returns
        -------
        list of dict
            ``image`` (its id), ``score`` and ``similarity``, for each one; NaN where there is none.

        Raises
        ------
        ClassError
            For a class that is none.

        Examples
        --------
        >>> from snellen import Boxes
        >>> from snellen.detection.detection_confusion import detection_confusion
        >>> truth = Boxes.from_xywh([[0, 0, 10, 10]], image_id="a.png", label=["cat"])
        >>> pred = Boxes.from_xywh([[0, 0, 10, 9]], image_id="a.png", label=["dog"], score=[0.5])
        >>> detection_confusion(truth, pred).where("cat", "dog")
        [{'image': 'a.png', 'score': 0.5, 'similarity': 0.9}]
        """
        if truth is None and pred is None:
            raise InputError("expected a class of truth or of predictions, got neither")
        code = [None if each is None else self._position(each) for each in (truth, pred)]
        event = FALSE_ALARM if truth is None else MISSED if pred is None else PAIR
        rows = self.events["event"] == event
        for name, wanted in zip(("truth", "pred"), code, strict=True):
            if wanted is not None:
                rows &= self.events[name] == wanted
        at = np.flatnonzero(rows)
        at = at[np.argsort(-self.events["score"][at], kind="stable")]
        ids = self.images.ids[self.events["image"][at]].tolist()
        score, similarity = (self.events[name][at].tolist() for name in ("score", "similarity"))
        return [
            {
                "image": image,
                "score": math.nan if event == MISSED else score[i],
                "similarity": similarity[i] if event == PAIR else math.nan,
            }
            for i, image in enumerate(ids)
        ]

    def _position(self, label: int | str) -> int:
        ids = self.classes.keys.ids.tolist()
        if label in self.classes.names:
            return self.classes.names.index(str(label))
        if label in ids:
            place: int = ids.index(label)
            return place
        raise ClassError(
            f"expected a class of {first_few(self.classes.display_names())}, got {label!r}"
        )

    def per_class(self) -> list[dict[str, Any]]:
        """Return, for each class, its id, name, counts and ratios."""
        values = _class_values(self.matrix)
        columns = {name: column.tolist() for name, column in values.items()}
        return [
            {"class": name, "id": class_id, **{key: each[k] for key, each in columns.items()}}
            for k, (name, class_id) in enumerate(
                zip(self.classes.display_names(), self.classes.keys.ids.tolist(), strict=True)
            )
        ]

    def undefined_of_classes(self) -> list[Undefined]:
        """Return which numbers of single classes are NaN, and why."""
        names = self.classes.display_names()
        return [
            Undefined(name, _WHY_UNDEFINED[name], names[k])
            for name, values in _class_values(self.matrix).items()
            if name in _WHY_UNDEFINED
            for k in np.flatnonzero(np.isnan(values)).tolist()
        ]

    def __str__(self) -> str:
        """Return the headline, the table of classes to 100 of them, and the matrix to 12."""
        lines = aligned_lines(
            [
                [name, with_interval(value, self.intervals.get(name))]
                for name, value in self.metrics.items()
            ],
            left=2,
        )
        parts = [lines, self._class_lines(), self._matrix_lines()]
        return "\n\n".join("\n".join(part) for part in parts if part)

    def _class_lines(self) -> list[str]:
        values = _class_values(self.matrix)
        errors = values["n_confused"] + values["n_missed"] + values["n_false_alarms"]
        shown = np.arange(len(self.classes))
        if len(shown) > _SHOWN_CLASSES:
            shown = np.sort(np.argsort(-errors, kind="stable")[:_SHOWN_CLASSES])
        names = [printable(name, 24) for name in self.classes.display_names()]
        confused = self.matrix[:-1, :-1].copy()
        np.fill_diagonal(confused, 0)
        head = ["class", "truth", "found", "confused", "missed", "false alarms"]
        rows = [[*head, "precision", "recall", "F1"]]
        taken_for = []
        for k in shown.tolist():
            counts = ("n_truth", "n_correct", "n_confused", "n_missed", "n_false_alarms")
            rows.append(
                [
                    names[k],
                    *(number(int(values[name][k])) for name in counts),
                    *(number(float(values[name][k])) for name in ("precision", "recall", "f1")),
                ]
            )
            most = int(confused[k].argmax())
            taken_for.append(f"{names[most]} ({confused[k, most]:,})" if confused[k, most] else "")
        head_line, *lines = aligned_lines(rows)
        lines = [f"{line}  {each}".rstrip() for line, each in zip(lines, taken_for, strict=True)]
        if any(taken_for):
            head_line += "  mostly taken for"
        hidden = len(self.classes) - len(shown)
        if hidden:
            lines.append(f"and {hidden:,} classes with fewer errors")
        return [head_line, *lines] if len(self.classes) else []

    def _matrix_lines(self) -> list[str]:
        if not 0 < len(self.classes) <= _SHOWN_MATRIX:
            return []
        names = [printable(name, 12) for name in self.classes.display_names()]
        rows = [["true \\ predicted", *names, _MARGINS[0]]]
        rows += [
            [name, *map(number, row)]
            for name, row in zip([*names, _MARGINS[1]], self.matrix.tolist(), strict=True)
        ]
        rows[-1][-1] = ""
        return aligned_lines(rows)

    def composition(self) -> str:
        """Return, in a few lines, what the result was made of."""
        data = self.data
        regions = f", {data['n_regions']:,} of them regions" if data["n_regions"] else ""
        left_out = f", {data['n_left_out']:,} left out" if data["n_left_out"] else ""
        lines = [
            f"images       {data['n_images']:,}",
            f"truth        {data['n_truth']:,}{regions}",
            f"predictions  {data['n_predictions']:,}, {data['n_below']:,} below the score "
            f"threshold{left_out}{unverified_text(data)}",
            f"classes      {data['n_classes']:,}",
            f"rules        {self.rules}",
        ]
        lines += [f"undefined    {entry.metric}: {entry.reason}" for entry in self.undefined]
        return "\n".join(lines)

    def _pack(self) -> bytes:
        arrays: dict[str, NDArray[Any]] = prefixed(
            "events.", {name: np.ascontiguousarray(each) for name, each in self.events.items()}
        )
        content: dict[str, Any] = {
            "rules": dataclasses.asdict(self.rules),
            "data": dict(self.data),
            "intervals": plain_intervals(self.intervals),
        }
        self.classes.store(content, arrays)
        self.images.store("image_ids", content, arrays)
        return pack(type(self).__name__, content, arrays)

    @classmethod
    def _of_packed(cls, packed: PackedState) -> DetectionConfusionResult:
        content, arrays = packed.content, packed.arrays
        found = cls.of_events(
            ConfusionRules(**content["rules"]),
            Classes.stored(content, arrays),
            Keys.stored("image_ids", "image id", content, arrays),
            unprefixed("events.", arrays),
            content["data"],
        )
        return dataclasses.replace(found, intervals=stored_intervals(content["intervals"]))


def _class_values(matrix: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    """Return counts and ratios of each class."""
    correct = matrix.diagonal()[:-1]
    n_truth, n_predicted = matrix[:-1].sum(axis=1), matrix[:, :-1].sum(axis=0)
    missed, false_alarms = matrix[:-1, -1], matrix[-1, :-1]
    return {
        "n_truth": n_truth,
        "n_predicted": n_predicted,
        "n_correct": correct,
        "n_confused": n_truth - correct - missed,
        "n_missed": missed,
        "n_false_alarms": false_alarms,
        "precision": _ratio(correct, n_predicted),
        "recall": _ratio(correct, n_truth),
        "f1": _ratio(2 * correct, n_truth + n_predicted),
    }


def _numbers(
    matrix: NDArray[np.int64],
) -> tuple[dict[str, float], tuple[Undefined, ...]]:
    """Return the headline numbers, and which are NaN."""
    values = _class_values(matrix)
    correct, n_truth, n_predicted = (
        int(values[name].sum()) for name in ("n_correct", "n_truth", "n_predicted")
    )
    n_pairs = int(matrix[:-1, :-1].sum())
    metrics = {
        "precision": _share(correct, n_predicted),
        "recall": _share(correct, n_truth),
        "f1": _share(2 * correct, n_truth + n_predicted),
        **{f"{name}_macro": _mean(values[name]) for name in ("precision", "recall", "f1")},
        "class_accuracy": _share(correct, n_pairs),
    }
    reasons = {
        "precision": "there are no detections",
        "recall": "there is no truth",
        "f1": "there are neither truth nor detections",
        "class_accuracy": "no detection has a partner",
    }
    return metrics, tuple(
        Undefined(name, reasons[name.removesuffix("_macro")])
        for name, value in metrics.items()
        if math.isnan(value)
    )


def _share(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


def _mean(values: NDArray[np.float64]) -> float:
    defined = values[~np.isnan(values)]
    return float(defined.mean()) if len(defined) else math.nan


def _ratio(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
    found = np.full(part.shape, math.nan)
    np.divide(part, whole, out=found, where=whole != 0)
    return found


_WHY_UNDEFINED = {
    "precision": "the class was never predicted",
    "recall": "truth has no object of the class",
    "f1": "the class occurs on neither side",
}
