"""Likely errors of truth, sorted: tables and text."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.classes import Classes
from snellen.detection.image_rows import unverified_text
from snellen.detection.label_suspicions import DUPLICATE, MISSING_BOX, SUSPICION_NAMES
from snellen.errors import InputError, did_you_mean
from snellen.mapped_file import let_go
from snellen.result import Result, Undefined
from snellen.state import Keys, pack, prefixed, unprefixed
from snellen.stored_results import plain_intervals, stored_intervals
from snellen.table_text import aligned_lines, number, printable, with_interval

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from snellen.state import PackedState

__all__ = ["LabelErrorRules", "LabelErrorsResult", "OrderedRows"]

_SHOWN = 20
_KEYS = tuple(name.replace(" ", "_") for name in SUSPICION_NAMES)


@dataclasses.dataclass(frozen=True)
class LabelErrorRules:
    """What is suspicious, see `LabelErrors`."""

    score_threshold: float
    iou_threshold: float
    background_threshold: float
    duplicate_threshold: float

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, (int, float)) or not math.isfinite(value):
                raise InputError(f"expected a finite number, got {value!r}", field.name)
            if field.name != "score_threshold" and not 0 < value <= 1:
                raise InputError(f"expected a number above 0, at most 1, got {value:g}", field.name)
            object.__setattr__(self, field.name, float(value))

    def __str__(self) -> str:
        return self.in_words()

    def in_words(self, measure: str = "IoU") -> str:
        """Return the rules in one line; `measure` is what thresholds are of."""
        return (
            f"score from {self.score_threshold:g}, {measure} from {self.iou_threshold:g}, "
            f"background below {self.background_threshold:g}, "
            f"duplicates from {self.duplicate_threshold:g}"
        )


class OrderedRows(Mapping[str, "NDArray[Any]"]):
    """Columns whose rows are put into an order when a column is asked for.

    Millions of suspicions are stored, with boxes, and some hundreds of them are shown.
    """

    __slots__ = ("_columns", "_order")

    def __init__(self, columns: Mapping[str, NDArray[Any]], order: NDArray[Any]) -> None:
        self._columns = columns
        self._order = order

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._rows(name, self._order)

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def taken(self, name: str, rows: NDArray[np.int64]) -> NDArray[Any]:
        """Return some rows of a column, by their places in the order."""
        return self._rows(name, self._order[rows])

    def _rows(self, name: str, rows: NDArray[np.int64]) -> NDArray[Any]:
        taken: NDArray[Any] = self._columns[name][rows]
        let_go(self._columns[name])
        return taken


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class LabelErrorsResult(Result):
    """Likely errors of truth, the most suspicious first.

    ``metrics`` has how many there are of each kind, for each truth object: ``wrong_label_rate``,
    ``missing_box_rate``, ``duplicate_rate``; their numbers are in ``data``.

    Attributes
    ----------
    rules : LabelErrorRules
        What is suspicious.
    classes : Classes
        The K classes.
    images : Keys
        The images.
    rows : OrderedRows, a mapping of str to ndarray
        The suspicions, most suspicious first, as columns: ``image``, ``label``, ``suggested``
        (positions in ``images`` and ``classes``), ``kind`` (its place in ``kinds``),
        ``suspicion``, ``similarity``, ``score``, ``truth_box`` and ``box`` (n, 4) as left, top,
        width, height, ``has_id``, ``truth_id``, ``other_id``. `suspicions` has them in words.
    n_truth : ndarray, shape (K,), int64
        Truth objects.
    """

    rules: LabelErrorRules
    classes: Classes
    images: Keys
    rows: OrderedRows
    n_truth: NDArray[np.int64]

    @property
    def task(self) -> str:
        """The task, as the command line calls it."""
        return "detection"

    @property
    def kinds(self) -> tuple[str, ...]:
        """What is looked for: wrong labels, missing boxes, duplicates."""
        return SUSPICION_NAMES

    @classmethod
    def of_rows(
        cls,
        rules: LabelErrorRules,
        classes: Classes,
        images: Keys,
        rows: Mapping[str, NDArray[Any]],
        *,
        n_truth: NDArray[np.int64],
        data: Mapping[str, int],
    ) -> LabelErrorsResult:
        """Return the result of suspicions, which come by image."""
        order = np.argsort(-rows["suspicion"], kind="stable")
        counts = np.bincount(rows["kind"], minlength=len(_KEYS)).tolist()
        total = int(n_truth.sum())
        metrics = {
            f"{name}_rate": n / total if total else math.nan
            for name, n in zip(_KEYS, counts, strict=True)
        }
        return cls(
            metrics=metrics,
            protocol={"name": "label-errors", **dataclasses.asdict(rules)},
            undefined=()
            if total
            else tuple(Undefined(name, "there is no truth") for name in metrics),
            data={**data, **{f"n_{name}": n for name, n in zip(_KEYS, counts, strict=True)}},
            rules=rules,
            classes=classes,
            images=images,
            rows=OrderedRows(rows, order),
            n_truth=n_truth,
        )

    def suspicions(self, kind: str | None = None, *, n: int | None = None) -> list[dict[str, Any]]:
        """Return suspicions, the most suspicious first.

        Parameters
        ----------
        kind : {"wrong label", "missing box", "duplicate"}, optional
            All of them where not given.
        n : int, optional
            At most so many.

        Returns
        -------
        list of dict
            ``kind``, ``suspicion``, ``image`` (its id); of the truth in question ``truth_class``,
            ``truth_box`` (left, top, width, height) and ``truth_id`` (None where it lacks or has
            no id); what speaks against it: ``class``, ``box``, its ``score`` (None for truth) or
            ``id`` (of truth), and ``similarity``.

        Raises
        ------
        InputError
            For another kind.
        """
        rows = self._rows_of(kind)[:n]
        names = self.classes.display_names()
        column = {name: self.rows.taken(name, rows) for name in self.rows}
        ids = self.images.ids[column["image"]].tolist()
        return [
            {
                "kind": SUSPICION_NAMES[code],
                "suspicion": float(column["suspicion"][row]),
                "image": image,
                "truth_class": None if code == MISSING_BOX else names[column["label"][row]],
                "truth_box": None if code == MISSING_BOX else column["truth_box"][row].tolist(),
                "truth_id": int(column["truth_id"][row]) if column["has_id"][row] else None,
                "class": names[column["suggested"][row]],
                "box": column["box"][row].tolist(),
                "score": None if code == DUPLICATE else float(column["score"][row]),
                "id": int(column["other_id"][row])
                if code == DUPLICATE and column["has_id"][row]
                else None,
                "similarity": float(column["similarity"][row]),
            }
            for row, (image, code) in enumerate(zip(ids, column["kind"].tolist(), strict=True))
        ]

    def _rows_of(self, kind: str | None) -> NDArray[np.int64]:
        if kind is None:
            return np.arange(len(self.rows["kind"]))
        if kind not in SUSPICION_NAMES:
            raise InputError(
                f"expected {', '.join(SUSPICION_NAMES)}, got {kind!r}."
                f"{did_you_mean(kind, SUSPICION_NAMES)}",
                "kind",
            )
        return np.flatnonzero(self.rows["kind"] == SUSPICION_NAMES.index(kind))

    def per_class(self) -> list[dict[str, Any]]:
        """Return, for each class, its id, name, truth and suspicions (of a missing box its own)."""
        n_classes = len(self.classes)
        counts = np.zeros((n_classes, len(_KEYS)), np.int64)
        np.add.at(counts, (self.rows["label"], self.rows["kind"]), 1)
        return [
            {
                "class": name,
                "id": class_id,
                "n_truth": int(self.n_truth[k]),
                **{f"n_{key}": int(n) for key, n in zip(_KEYS, counts[k], strict=True)},
            }
            for k, (name, class_id) in enumerate(
                zip(self.classes.display_names(), self.classes.keys.ids.tolist(), strict=True)
            )
        ]

    def __str__(self) -> str:
        """Return how many there are of each kind, and the 20 most suspicious of each."""
        rows = [["", "n", "of 100 objects"]]
        rows += [
            [
                f"{name}{'e' if name.endswith('x') else ''}s",
                number(self.data[f"n_{key}"]),
                with_interval(
                    100 * self.metrics[f"{key}_rate"], self.intervals.get(f"{key}_rate"), 2
                ),
            ]
            for name, key in zip(SUSPICION_NAMES, _KEYS, strict=True)
        ]
        parts = [aligned_lines(rows)]
        parts += [self._lines_of(kind) for kind in SUSPICION_NAMES]
        return "\n\n".join("\n".join(part) for part in parts if part)

    def _lines_of(self, kind: str) -> list[str]:
        shown = self.suspicions(kind, n=_SHOWN)
        if not shown:
            return []
        cells = {
            "suspicion": lambda each: f"{each['suspicion']:.3f}",
            "image": lambda each: printable(each["image"], 40),
            "truth": lambda each: printable(each["truth_class"], 24),
            "id": lambda each: "-" if each["truth_id"] is None else str(each["truth_id"]),
            "detected as": lambda each: printable(each["class"], 24),
            "repeats": lambda each: "-" if each["id"] is None else str(each["id"]),
            "score": lambda each: f"{each['score']:.3f}",
            "similarity": lambda each: f"{each['similarity']:.3f}",
            "left, top, width, height": lambda each: ", ".join(f"{v:.1f}" for v in each["box"]),
        }
        rows = [["suspicion", *_COLUMNS[kind]]]
        rows += [[cells[name](each) for name in rows[0]] for each in shown]
        lines = [f"{kind}: the most suspicious", *aligned_lines(rows, left=len(rows[0]))]
        hidden = self.data[f"n_{kind.replace(' ', '_')}"] - len(shown)
        if hidden:
            lines.append(f"and {hidden:,} more")
        return lines

    def composition(self) -> str:
        """Return, in a few lines, what the result was made of."""
        data = self.data
        regions = f", {data['n_regions']:,} of them regions" if data["n_regions"] else ""
        lines = [
            f"images       {data['n_images']:,}",
            f"truth        {data['n_truth']:,}{regions}",
            f"predictions  {data['n_predictions']:,}, {data['n_confident']:,} of them confident"
            + unverified_text(data),
            f"classes      {data['n_classes']:,}",
            f"rules        {self.rules}",
        ]
        lines += [f"undefined    {entry.metric}: {entry.reason}" for entry in self.undefined]
        return "\n".join(lines)

    def _pack(self) -> bytes:
        arrays: dict[str, NDArray[Any]] = {
            "n_truth": self.n_truth,
            **prefixed(
                "rows.", {name: np.ascontiguousarray(each) for name, each in self.rows.items()}
            ),
        }
        content: dict[str, Any] = {
            "rules": dataclasses.asdict(self.rules),
            "data": dict(self.data),
            "intervals": plain_intervals(self.intervals),
        }
        self.classes.store(content, arrays)
        self.images.store("image_ids", content, arrays)
        return pack(type(self).__name__, content, arrays)

    @classmethod
    def _of_packed(cls, packed: PackedState) -> LabelErrorsResult:
        content, arrays = packed.content, packed.arrays
        found = cls.of_rows(
            LabelErrorRules(**content["rules"]),
            Classes.stored(content, arrays),
            Keys.stored("image_ids", "image id", content, arrays),
            unprefixed("rows.", arrays),
            n_truth=arrays["n_truth"],
            data=content["data"],
        )
        return dataclasses.replace(found, intervals=stored_intervals(content["intervals"]))


_BOX = "left, top, width, height"
_COLUMNS = {
    "wrong label": ("image", "truth", "id", "detected as", "score", "similarity", _BOX),
    "missing box": ("image", "detected as", "score", _BOX),
    "duplicate": ("image", "truth", "id", "repeats", _BOX),
}
