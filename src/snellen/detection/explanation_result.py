"""What moves average precision on the way to another tool's number."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, NamedTuple

from snellen.detection.stored_result import packed_result, result_fields
from snellen.result import Result, Undefined
from snellen.table_text import aligned_lines, number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from snellen.classes import Classes
    from snellen.detection.tool_rules import ToolRules
    from snellen.state import PackedState

__all__ = ["ExplainedStep", "ExplanationResult", "tools_table"]

_DIGITS = 6
_ARRAYS = ("n_truth", "class_AP", "class_tool_AP")


class ExplainedStep(NamedTuple):
    """One rule in which a tool differs, and what it does to AP.

    Attributes
    ----------
    rule : str
        What the rule is called.
    says : str
        What the tool does, in a line.
    AP : float
        AP with this rule of the tool and all before it.
    change : float
        How much this one moved it.
    alone : float
        How much it moves our AP alone.
    AP50 : float
        As `AP`, at the first IoU threshold, 0.5.
    """

    rule: str
    says: str
    AP: float
    change: float
    alone: float
    AP50: float


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class ExplanationResult(Result):
    """AP by our rules and by those of another tool, and what each rule does to it.

    ``AP`` and ``AP50`` are ours, ``tool_AP`` and ``tool_AP50`` those that the tool gives.

    Attributes
    ----------
    tool : str
        The tool with its release.
    steps : tuple of ExplainedStep
        The rules in which it differs, in the order in which data pass them.
    notes : tuple of str
        What of the tool lies outside of truth and predictions.
    classes : Classes
        The K classes.
    n_truth : ndarray, shape (K,), int64
        Truth objects of each class, crowds too.
    class_AP, class_tool_AP : ndarray, shape (K,), float64
        AP of each class by our rules and by the tool's; NaN where it does not count.
    """

    tool: str
    steps: tuple[ExplainedStep, ...]
    notes: tuple[str, ...]
    classes: Classes
    n_truth: NDArray[np.int64]
    class_AP: NDArray[np.float64]  # noqa: N815 - the field's name for it
    class_tool_AP: NDArray[np.float64]  # noqa: N815

    @property
    def task(self) -> str:
        """The task, as the command line calls it."""
        return "detection"

    @classmethod
    def of_steps(
        cls,
        tool: str,
        start: ToolRules,
        end: ToolRules,
        steps: tuple[ExplainedStep, ...],
        notes: tuple[str, ...],
        *,
        metrics: Mapping[str, float],
        **fields: Any,
    ) -> ExplanationResult:
        """Return the result of steps from some rules to others.

        Parameters
        ----------
        tool : str
            The tool with its release.
        start, end : ToolRules
            Our rules and its.
        steps, notes
            See the attributes.
        metrics : mapping of str to float
            The headline numbers.
        **fields
            The other fields.
        """
        return cls(
            metrics=metrics,
            protocol={"name": tool, "ours": start.to_dict(), "tool": end.to_dict()},
            undefined=tuple(
                Undefined(name, "no truth object counts")
                for name, value in metrics.items()
                if math.isnan(value)
            ),
            tool=tool,
            steps=steps,
            notes=notes,
            **fields,
        )

    def __str__(self) -> str:
        """Return the table of rules: AP after each, what it changed, what it changes alone."""
        ours = self.protocol["ours"]["name"]
        rows = [["rule", "AP", "change", "alone", "AP50"]]
        rows.append([ours, number(self.AP, _DIGITS), "", "", number(self.AP50, _DIGITS)])
        rows += [
            [
                step.rule,
                number(step.AP, _DIGITS),
                _signed(step.change),
                _signed(step.alone),
                number(step.AP50, _DIGITS),
            ]
            for step in self.steps
        ]
        rows.append(
            [
                self.tool,
                number(self.tool_AP, _DIGITS),
                _signed(self.tool_AP - self.AP),
                "",
                number(self.tool_AP50, _DIGITS),
            ]
        )
        head, first, *lines, last = aligned_lines(rows)
        width = max(map(len, lines), default=0)
        lines = [
            f"{line.ljust(width)}  {step.says}"
            for line, step in zip(lines, self.steps, strict=True)
        ]
        return "\n".join([head, first, *lines, last])

    def composition(self) -> str:
        """Return, in a few lines, what the result was made of."""
        data = self.data
        crowds = f", {data['n_crowd']:,} of them crowds" if data["n_crowd"] else ""
        lines = [
            f"images       {data['n_images']:,}",
            f"truth        {data['n_truth']:,}{crowds}",
            f"predictions  {data['n_predictions']:,}",
            f"classes      {data['n_classes']:,}",
            "columns      change: of this rule after those above; alone: of this rule by itself",
        ]
        lines += [f"note         {note}" for note in self.notes]
        lines += [f"undefined    {entry.metric}: {entry.reason}" for entry in self.undefined]
        return "\n".join(lines)

    def per_class(self) -> list[dict[str, Any]]:
        """Return, for each class, its id, name, and AP by our rules and by the tool's."""
        return [
            {"class": name, "id": class_id, "n_truth": n, "AP": ours, "tool_AP": theirs}
            for name, class_id, n, ours, theirs in zip(
                self.classes.display_names(),
                self.classes.keys.ids.tolist(),
                self.n_truth.tolist(),
                self.class_AP.tolist(),
                self.class_tool_AP.tolist(),
                strict=True,
            )
        ]

    def undefined_of_classes(self) -> list[Undefined]:
        """Return which numbers of single classes are NaN, and why."""
        return [
            Undefined(name, "no truth object of the class counts", record["class"])
            for record in self.per_class()
            for name in ("AP", "tool_AP")
            if math.isnan(record[name])
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as plain values that JSON can hold; undefined ones are None."""
        return {
            **super().to_dict(),
            "tool": self.tool,
            "steps": [
                {key: _plain(value) for key, value in step._asdict().items()} for step in self.steps
            ],
            "notes": list(self.notes),
        }

    def _pack(self) -> bytes:
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        return packed_result(
            self,
            self.classes,
            arrays,
            tool=self.tool,
            steps=[[_plain(value) for value in step] for step in self.steps],
            notes=list(self.notes),
        )

    @classmethod
    def _of_packed(cls, packed: PackedState) -> ExplanationResult:
        fields = result_fields(packed, _ARRAYS, content=("tool", "steps", "notes"))
        steps = tuple(
            ExplainedStep(rule, says, *(math.nan if value is None else value for value in numbers))
            for rule, says, *numbers in fields.pop("steps")
        )
        return cls(**fields | {"notes": tuple(fields["notes"])}, steps=steps)


def tools_table(results: Sequence[ExplanationResult]) -> str:
    """Return a line for each tool: its AP, how it differs from ours, and what moves it most."""
    rows = [["tool", "AP", "change", "AP50", "moved most by"]]
    for first in results[:1]:
        ours = f"ours ({first.protocol['ours']['name']})"
        rows.append([ours, number(first.AP, _DIGITS), "", number(first.AP50, _DIGITS), ""])
    rows += [
        [
            result.tool,
            number(result.tool_AP, _DIGITS),
            _signed(result.tool_AP - result.AP),
            number(result.tool_AP50, _DIGITS),
            _largest(result.steps),
        ]
        for result in results
    ]
    width = max(len(row[-1]) for row in rows)
    return "\n".join(aligned_lines([[*row[:-1], row[-1].ljust(width)] for row in rows]))


def _largest(steps: Sequence[ExplainedStep], most: int = 3) -> str:
    """Return the rules that move AP most, and by how much."""
    moving = [step for step in steps if step.change and not math.isnan(step.change)]
    moving.sort(key=lambda step: -abs(step.change))
    return ", ".join(f"{step.rule} {step.change:+.2g}" for step in moving[:most])


def _signed(value: float) -> str:
    """Return a change as tables show it: with its sign, or small ones by their size."""
    if math.isnan(value):
        return "-"
    if value == 0:
        return "0"
    if abs(value) < 0.5 * 10**-_DIGITS:
        return f"{value:+.0e}"
    return f"{value:+.{_DIGITS}f}"


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
