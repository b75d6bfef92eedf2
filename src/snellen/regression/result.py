"""The result of regression: numbers of each output, and their means."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.result import Interval, Result, Undefined
from snellen.state import pack
from snellen.table_text import aligned_lines, printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from snellen.state import PackedState

__all__ = ["Numbers", "RegressionResult"]

_SHOWN_OUTPUTS = 40
# What a row of the table of outputs shows; the rest is in `per_class`.
_COLUMNS = ("mae", "rmse", "median_absolute_error", "max_error", "mean_error", "r2", "pearson")


class Numbers:
    """Numbers of each output as they are found, each with the reason why it is NaN."""

    def __init__(self, outputs: Sequence[str]) -> None:
        self._outputs = outputs
        self._each: dict[str, list[tuple[float, str]]] = {}
        self._overall: dict[str, tuple[float, str]] = {}

    def put(self, name: str, values: Sequence[tuple[float, str]]) -> None:
        """Put a number of each output; the reason only counts where it is NaN or infinite."""
        self._each[name] = [
            (math.nan, "it is beyond float64") if math.isinf(value) else (value, reason)
            for value, reason in values
        ]

    def put_overall(self, name: str, value: float, reason: str) -> None:
        """Put a number of all outputs together."""
        self._overall[name] = (value, reason)

    def mean(self, name: str) -> tuple[float, str]:
        """Return a number's mean over outputs (of the largest error the largest), and why NaN."""
        values = self._each[name]
        if not values:
            return math.nan, "there are no samples"
        for output, (value, reason) in zip(self._outputs, values, strict=True):
            if math.isnan(value):
                several = len(values) > 1
                return math.nan, f"output {printable(output)}: {reason}" if several else reason
        numbers = [value for value, _ in values]
        if name == "max_error":
            return max(numbers), ""
        return math.fsum(numbers) / len(numbers), ""

    def result(
        self, headlines: Sequence[str], *, protocol: Mapping[str, Any], data: Mapping[str, int]
    ) -> RegressionResult:
        """Return the result with these headline numbers."""
        overall = {name: self._overall.get(name) or self.mean(name) for name in headlines}
        each = {name: self._each[name] for name in headlines if name in self._each}
        return RegressionResult(
            metrics={name: value for name, (value, _) in overall.items()},
            protocol=protocol,
            undefined=tuple(
                Undefined(name, reason)
                for name, (value, reason) in overall.items()
                if math.isnan(value)
            ),
            data=data,
            outputs=tuple(self._outputs),
            values={
                name: np.array([value for value, _ in values], np.float64)
                for name, values in each.items()
            },
            undefined_of_outputs=tuple(
                Undefined(name, reason, output)
                for name, values in each.items()
                for output, (value, reason) in zip(self._outputs, values, strict=True)
                if math.isnan(value)
            ),
        )


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class RegressionResult(Result):
    """Errors, fit and correlation of m outputs.

    Headline numbers are means over outputs; ``max_error`` is the largest of all.

    Attributes
    ----------
    outputs : tuple of str
        The names of the outputs.
    values : mapping of str to ndarray, shape (m,), float64
        Each number of each output.
    undefined_of_outputs : tuple of Undefined
        Which numbers of outputs are NaN, and why.
    """

    outputs: tuple[str, ...]
    values: Mapping[str, NDArray[np.float64]]
    undefined_of_outputs: tuple[Undefined, ...]

    @property
    def task(self) -> str:
        """The task, as the command line calls it."""
        return "regression"

    def per_class(self) -> list[dict[str, Any]]:
        """Return, for each output, its name and numbers."""
        columns = {name: values.tolist() for name, values in self.values.items()}
        return [
            {"output": output, **{name: column[j] for name, column in columns.items()}}
            for j, output in enumerate(self.outputs)
        ]

    def undefined_of_classes(self) -> list[Undefined]:
        """Return which numbers of single outputs are NaN, and why."""
        return list(self.undefined_of_outputs) if len(self.outputs) > 1 else []

    def __str__(self) -> str:
        """Return all headline numbers; of several outputs a table of the main ones before them."""
        parts = []
        if 1 < len(self.outputs) <= _SHOWN_OUTPUTS:
            names = [name for name in _COLUMNS if name in self.values]
            rows = [["output", *names]]
            rows += [
                [printable(output, 30), *(_shown(float(self.values[name][j])) for name in names)]
                for j, output in enumerate(self.outputs)
            ]
            parts.append(aligned_lines(rows))
        defined = {
            name: value for name, value in self.metrics.items() if not math.isnan(value)
        } or self.metrics
        over = ["", "over outputs"] if len(self.outputs) > 1 else None
        rows = [[name, self._with_interval(name, value)] for name, value in defined.items()]
        parts.append(aligned_lines([over, *rows] if over else rows, left=2))
        return "\n\n".join("\n".join(lines) for lines in parts)

    def _with_interval(self, name: str, value: float) -> str:
        interval = self.intervals.get(name)
        if interval is None or math.isnan(interval.low):
            return _shown(value)
        return f"{_shown(value)} ({_shown(interval.low)} to {_shown(interval.high)})"

    @property
    def protocol_text(self) -> str:
        """The rules in one line."""
        constant = "R² of a constant truth is " + (
            "0 or 1" if self.protocol["force_finite"] else "undefined"
        )
        return f"Huber delta {self.protocol['huber_delta']:g}; {constant}"

    def composition(self) -> str:
        """Return, in a few lines, what the result was made of."""
        data = self.data
        notes = [f"{data['n_samples']:,}"]
        if data["n_reweighted"]:
            notes.append(f"{data['n_reweighted']:,} weighted")
        if data["n_weightless"]:
            notes.append(f"{data['n_weightless']:,} more of weight 0 left out")
        if "n_groups" in data:
            notes.append(f"in {data['n_groups']:,} groups")
        lines = [f"samples      {', '.join(notes)}"]
        if data["n_outputs"] != 1:
            lines.append(f"outputs      {data['n_outputs']:,}")
        lines.append("error        prediction less truth")
        reasons: dict[str, list[str]] = {}
        for entry in self.undefined:
            reasons.setdefault(entry.reason, []).append(entry.metric)
        lines += [f"undefined    {', '.join(names)}: {why}" for why, names in reasons.items()]
        return "\n".join(lines)

    def _pack(self) -> bytes:
        content = {
            "protocol": dict(self.protocol),
            "data": dict(self.data),
            "outputs": list(self.outputs),
            "metrics": list(self.metrics),
            "values": list(self.values),
            "undefined": [list(entry) for entry in self.undefined],
            "undefined_of_outputs": [list(entry) for entry in self.undefined_of_outputs],
            "intervals": [[name, *interval[2:]] for name, interval in self.intervals.items()],
        }
        arrays = {
            "metrics": np.array(list(self.metrics.values()), np.float64),
            "values": np.array(list(self.values.values()), np.float64),
            "intervals": np.array(
                [interval[:2] for interval in self.intervals.values()], np.float64
            ).reshape(-1, 2),
        }
        return pack(type(self).__name__, content, arrays)

    @classmethod
    def _of_packed(cls, packed: PackedState) -> RegressionResult:
        content, arrays = packed.content, packed.arrays
        return cls(
            metrics=dict(zip(content["metrics"], arrays["metrics"].tolist(), strict=True)),
            protocol=content["protocol"],
            undefined=tuple(Undefined(*entry) for entry in content["undefined"]),
            data=content["data"],
            intervals={
                name: Interval(*bounds, *rest)
                for (name, *rest), bounds in zip(
                    content["intervals"], arrays["intervals"].tolist(), strict=True
                )
            },
            outputs=tuple(content["outputs"]),
            values=dict(zip(content["values"], arrays["values"], strict=True)),
            undefined_of_outputs=tuple(
                Undefined(*entry) for entry in content["undefined_of_outputs"]
            ),
        )


def _shown(value: float) -> str:
    """Return a number of any magnitude in five places."""
    return "-" if math.isnan(value) else f"{value:.5g}"
