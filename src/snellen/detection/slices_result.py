"""Average precision of parts of the data, side by side."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

from snellen.detection.stored_result import packed_result, result_fields
from snellen.errors import InputError, did_you_mean
from snellen.result import Result, Undefined
from snellen.table_text import aligned_lines, number, printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from snellen.classes import Classes
    from snellen.displays import Display
    from snellen.state import PackedState

__all__ = ["DetectionSlices"]

_NAME_WIDTH = 40
_ARRAYS = ("n_images", "n_truth", "n_predictions", "values", "class_values")


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class DetectionSlices(Result):
    """The headline numbers of average precision of each slice.

    S slices, of which the first, "all", is the whole; H headline numbers (`metrics` has those of
    the whole); K classes.

    Attributes
    ----------
    classes : Classes
        The K classes.
    names : tuple of str
        What the slices are called.
    n_images, n_truth, n_predictions : ndarray, shape (S,), int64
        Images, truth objects that count, and detections of each slice.
    values : ndarray, shape (S, H), float64
        The headline numbers; NaN where no truth object counts.
    class_values : ndarray, shape (S, K), float64
        The first headline number of each class.
    """

    classes: Classes
    names: tuple[str, ...]
    n_images: NDArray[np.int64]
    n_truth: NDArray[np.int64]
    n_predictions: NDArray[np.int64]
    values: NDArray[np.float64]
    class_values: NDArray[np.float64]

    @property
    def task(self) -> str:
        """The task, as the command line calls it."""
        return "detection"

    def value(self, name: str, metric: str) -> float:
        """Return a headline number of a slice.

        Raises
        ------
        InputError
            For a slice or a number that is not there.
        """
        for what, given, known in (
            ("slice", name, self.names),
            ("metric", metric, tuple(self.metrics)),
        ):
            if given not in known:
                raise InputError(
                    f'expected a {what} of {", ".join(known)}, got "{given}".'
                    f"{did_you_mean(given, known)}"
                )
        return float(self.values[self.names.index(name), list(self.metrics).index(metric)])

    def records(self) -> list[dict[str, Any]]:
        """Return one record for each slice: its name, sizes and headline numbers."""
        names = ("slice", "n_images", "n_truth", "n_predictions", *self.metrics)
        columns = (self.n_images, self.n_truth, self.n_predictions, *self.values.T)
        return [
            dict(zip(names, row, strict=True))
            for row in zip(self.names, *(column.tolist() for column in columns), strict=True)
        ]

    def __str__(self) -> str:
        """Return the table of slices."""
        records = self.records()
        shown = [
            name for name in self.metrics if not all(math.isnan(record[name]) for record in records)
        ]
        rows = [["slice", "images", "truth", *shown]]
        rows += [
            [
                printable(each["slice"], _NAME_WIDTH),
                *(number(each[key]) for key in ("n_images", "n_truth")),
                *(number(each[key], 3) for key in shown),
            ]
            for each in records
        ]
        return "\n".join(aligned_lines(rows))

    def composition(self) -> str:
        """Return, in a few lines, what the result was made of."""
        data, rules = self.data, self.protocol
        in_slices = int(self.n_images[1:].sum())
        lines = [
            f"slices       {data['n_slices']:,}, of {rules['unit']}",
            f"images       {data['n_images']:,}"
            + (f", {in_slices:,} of them in slices" if rules["unit"] == "images" else ""),
            f"truth        {data['n_truth']:,} that count",
            f"predictions  {data['n_predictions']:,}",
            f"matching     {rules['rules']['name']}",
        ]
        lines += [f"undefined    {entry.metric}: {entry.reason}" for entry in self.undefined]
        return "\n".join(lines)

    def per_class(self) -> list[dict[str, Any]]:
        """Return, for each class, the first headline number in each slice."""
        return [
            {"class": name, "id": class_id, **dict(zip(self.names, values, strict=True))}
            for name, class_id, values in zip(
                self.classes.display_names(),
                self.classes.keys.ids.tolist(),
                self.class_values.T.tolist(),
                strict=True,
            )
        ]

    def displays(self) -> tuple[Display, ...]:
        """Return the first headline number of each slice."""
        from snellen.detection.count_displays import slice_numbers

        return (slice_numbers(self),)

    def undefined_of_classes(self) -> list[Undefined]:
        """Return which numbers of single classes are NaN, and why."""
        return [
            Undefined(name, "no truth object of the class counts in the slice", record["class"])
            for record in self.per_class()
            for name in self.names
            if math.isnan(record[name])
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as plain values that JSON can hold."""
        slices = [
            {
                key: None if isinstance(value, float) and math.isnan(value) else value
                for key, value in record.items()
            }
            for record in self.records()
        ]
        return {**super().to_dict(), "slices": slices}

    def _pack(self) -> bytes:
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        return packed_result(self, self.classes, arrays, names=list(self.names))

    @classmethod
    def _of_packed(cls, packed: PackedState) -> DetectionSlices:
        fields = result_fields(packed, _ARRAYS, content=("names",))
        return cls(**{**fields, "names": tuple(fields["names"])})
