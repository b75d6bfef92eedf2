"""What decides average precision in other tools, beside what a protocol says."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from snellen.detection.protocols import DetectionProtocol

__all__ = ["Step", "Tool", "ToolRules"]


@dataclasses.dataclass(frozen=True)
class ToolRules:
    """The rules of a tool: a protocol, and what only some tools do.

    Without more than a protocol they are ours.

    Parameters
    ----------
    protocol : DetectionProtocol
        What a protocol says.
    coordinates : {"given", "corners", "corners-32", "sizes-32"}
        What boxes go through before they are compared: nothing; left, top, right, bottom, of which
        width and height are differences; such corners in 32 bits; and their differences in 32 bits,
        too. With 32 bits, scores have as many.
    drops_empty_images : bool
        Whether what is predicted in images without truth is left out.
    drops_crowds : bool
        Whether crowds are no truth at all, so that predictions in them are false positives.
    over_crowds : bool
        Whether what a prediction shares with a crowd must be more than the threshold.
    score_above : float or None
        Predictions count only with higher scores than this.
    cap_grows : bool
        Whether the cap for an image is at least the number of truth objects of the fullest one.
    iou : {"exact", "spacing", "32-bit"}
        How IoU of boxes is computed: as COCO does; with 2^-52 added to the union; in 32 bits, with
        1e-7 added to the union (OKS: to the size, and to the number of labelled keypoints, so that
        truth without any is never found).
    equal_iou : {"last", "first"}
        Which of the truth objects that are equally similar a prediction takes.
    true_first : bool
        Whether of equal scores true positives come first, wherever they are.
    curve : {"protocol", "straight", "straight-to-1"}
        What average precision is: what the protocol says; or the area under straight lines between
        the points of the curve, read off at 101 recalls, 0 beyond the highest recall, or in a
        straight line from there to 0 at recall 1.
    precision_32 : bool
        Whether precision is kept in 32 bits.
    absent_are_zero : bool
        Whether a class that is predicted, and of which there is no truth, counts as 0.
    answer_32 : bool
        Whether the answer is rounded to 32 bits.
    """

    protocol: DetectionProtocol
    coordinates: str = "given"
    drops_empty_images: bool = False
    drops_crowds: bool = False
    over_crowds: bool = False
    score_above: float | None = None
    cap_grows: bool = False
    iou: str = "exact"
    equal_iou: str = "last"
    true_first: bool = False
    curve: str = "protocol"
    precision_32: bool = False
    absent_are_zero: bool = False
    answer_32: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return the rules as plain values."""
        own = {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if field.name != "protocol"
        }
        return {**self.protocol.to_dict(), **own}


class Step(NamedTuple):
    """One rule in which a tool differs.

    Attributes
    ----------
    rule : str
        What it is called.
    says : str
        What the tool does, in a line.
    values : tuple of (str, value)
        The fields of the protocol, and of `ToolRules`, that say so.
    kinds : tuple of str
        The kinds of objects of which it differs.
    """

    rule: str
    says: str
    values: tuple[tuple[str, Any], ...]
    kinds: tuple[str, ...]

    def applied(self, rules: ToolRules) -> ToolRules:
        """Return rules with this one changed."""
        names = {field.name for field in dataclasses.fields(rules)}
        own = {name: value for name, value in self.values if name in names}
        of_protocol = {name: value for name, value in self.values if name not in names}
        return dataclasses.replace(
            rules, protocol=dataclasses.replace(rules.protocol, **of_protocol), **own
        )


class Tool(NamedTuple):
    """A tool that computes average precision.

    Attributes
    ----------
    name : str
        What it is called.
    title : str
        The same with the release that the steps end at.
    kinds : tuple of str
        The kinds of objects of which they do.
    steps : tuple of Step
        From our rules to its, in the order in which data pass them.
    notes : tuple of str
        What of it lies outside of truth and predictions.
    """

    name: str
    title: str
    kinds: tuple[str, ...]
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()

    def steps_of(self, kind: str) -> tuple[Step, ...]:
        """Return the steps that there are for objects of a kind: only boxes have coordinates."""
        return tuple(step for step in self.steps if kind in step.kinds)
