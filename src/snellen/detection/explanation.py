"""Why average precision differs from what another tool says: rule by rule."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen.detection.candidates import coded, kind_of
from snellen.detection.explanation_result import ExplainedStep, ExplanationResult
from snellen.detection.objects_of_images import columns_of
from snellen.detection.tool_curves import counted_predictions, precision_by_tool
from snellen.detection.tool_matching import matched_by_tool
from snellen.detection.tools import TOOLS, start_rules, tool_named
from snellen.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import NDArray

    from snellen.detection.box_layouts import BoxLayout
    from snellen.detection.candidates import Objects
    from snellen.detection.tool_rules import Tool, ToolRules

__all__ = ["explain", "explain_each"]

_CALLED: Final = {
    "box": "boxes",
    "mask": "masks",
    "keypoints": "keypoints",
    "oriented": "oriented boxes",
}


class _Evaluated(NamedTuple):
    """AP under some rules: over all thresholds, at the first, and of each class."""

    of_all: float
    at_first: float
    of_classes: NDArray[np.float64]  # NaN for a class that does not count


def explain(
    truth: Objects | Sequence[Mapping[str, Any]],
    pred: Objects | Sequence[Mapping[str, Any]],
    *,
    against: str,
    box_format: BoxLayout = "xyxy",
) -> ExplanationResult:
    """Say how much each rule of another tool moves average precision.

    AP is computed by our rules (``coco``; of poses ``coco-keypoints``), then with the tool's first
    rule in place of ours, then with its second, too, and so on; the last AP is what the tool says.
    Since the order matters, each rule is also tried alone.

    Parameters
    ----------
    truth, pred : Boxes, Masks or Poses, or sequence of mapping
        Both of one kind; or a mapping for each image, as `AveragePrecision.update` takes them.
    against : str
        ``"pycocotools"``, ``"faster-coco-eval"``, ``"torchmetrics"``, ``"ultralytics"``,
        ``"ultralytics-8.3"``, ``"supervision"``, ``"fiftyone"``, ``"tidecv"``, ``"voc12"`` (or
        ``"voc"``), ``"voc07"``.
    box_format : {"xyxy", "xywh", "cxcywh"}
        What the numbers of boxes in mappings are.

    Raises
    ------
    InputError
        For an unknown tool, objects of a kind of which we do not know its rules, or objects that
        cannot be evaluated.
    IdError
        Where pred has images that truth does not list.
    ClassError
        Where truth and pred name a class differently.

    Notes
    -----
    Agrees with
        pycocotools 2.0.11, faster-coco-eval 1.8.0, torchmetrics 1.9.0 and tidecv 1.0.1 as they are
        installed; ultralytics 8.4.190 and 8.3.253, supervision 0.31.2 and fiftyone 1.22.1 by plain
        versions of their rules; Pascal VOC as `PROTOCOLS` do (tests/oracle).
    Undefined
        NaN where no truth counts.

    Examples
    --------
    >>> from snellen import Boxes, explain
    >>> truth = Boxes.from_xywh([[0, 0, 10, 10], [20, 0, 10, 10]], image_id=1, label=[1, 1])
    >>> pred = Boxes.from_xywh(
    ...     [[0, 0, 10, 10], [20, 0, 10, 7.8]], image_id=1, label=[1, 1], score=[0.9, 0.8]
    ... )
    >>> result = explain(truth, pred, against="ultralytics")
    >>> round(result.AP, 4), round(result.tool_AP, 4)
    (0.802, 0.795)
    >>> [step.rule for step in result.steps if abs(step.change) > 0.001]
    ['interpolation']
    """
    tool = tool_named(against)
    truth, pred = columns_of(truth, pred, None, similarity="own", box_format=box_format)
    kind = kind_of(truth, pred)
    if kind not in tool.kinds:
        called = _CALLED[kind]
        raise InputError(
            f"expected {' or '.join(_CALLED[each] for each in tool.kinds)}, of which the rules of "
            f"{tool.name} are known, got {called} (known of {called}: "
            f"{', '.join(_tools_of(kind)) or 'none'})",
            "against",
        )
    return _explained(truth, pred, tool, {})


def explain_each(
    truth: Objects, pred: Objects, *, against: Iterable[str] | None = None
) -> tuple[ExplanationResult, ...]:
    """Return `explain` of several tools, in less time than of each by itself.

    Parameters
    ----------
    truth, pred : Boxes, Masks or Poses
        Both of one kind.
    against : iterable of str, optional
        Names of tools; all of those whose rules of such objects are known where not given.
    """
    kind = kind_of(truth, pred)
    names = _tools_of(kind)
    if not names:
        raise InputError(f"expected boxes, masks or keypoints, got {_CALLED[kind]}", "truth")
    known: dict[ToolRules, _Evaluated] = {}
    found = []
    for name in names if against is None else against:
        if tool_named(name).name not in names:
            explain(truth, pred, against=name)  # says what is wrong
        found.append(_explained(truth, pred, tool_named(name), known))
    return tuple(found)


def _tools_of(kind: str) -> list[str]:
    return [name for name, tool in TOOLS.items() if kind in tool.kinds]


def _explained(
    truth: Objects, pred: Objects, tool: Tool, known: dict[ToolRules, _Evaluated]
) -> ExplanationResult:
    def evaluated(rules: ToolRules) -> _Evaluated:
        if rules not in known:
            known[rules] = _evaluated(truth, pred, rules)
        return known[rules]

    start = start_rules(truth.kind)
    ours = last = evaluated(start)
    rules, steps = start, []
    for step in tool.steps_of(truth.kind):
        rules = step.applied(rules)
        now, alone = evaluated(rules), evaluated(step.applied(start))
        steps.append(
            ExplainedStep(
                step.rule,
                step.says,
                now.of_all,
                now.of_all - last.of_all,
                alone.of_all - ours.of_all,
                now.at_first,
            )
        )
        last = now
    codes = coded(truth, pred)
    return ExplanationResult.of_steps(
        tool.title,
        start,
        rules,
        tuple(steps),
        tool.notes,
        classes=codes.classes,
        metrics={
            "AP": ours.of_all,
            "tool_AP": last.of_all,
            "AP50": ours.at_first,
            "tool_AP50": last.at_first,
        },
        n_truth=np.bincount(codes.truth_label, minlength=len(codes.classes)).astype(np.int64),
        class_AP=ours.of_classes,
        class_tool_AP=last.of_classes,
        data={
            "n_images": len(codes.images),
            "n_classes": len(codes.classes),
            "n_truth": len(truth),
            "n_crowd": 0 if truth.boxes.crowd is None else int(np.count_nonzero(truth.boxes.crowd)),
            "n_predictions": len(pred),
        },
    )


def _evaluated(truth: Objects, pred: Objects, rules: ToolRules) -> _Evaluated:
    """Return AP under some rules."""
    matched = matched_by_tool(truth, pred, rules)
    n_classes = len(matched.classes)
    cells = precision_by_tool(rules, n_classes, matched.truth, matched.pred)
    if rules.precision_32:
        cells = cells.astype(np.float32).astype(np.float64)
    of_truth = matched.truth["label"][matched.truth["ignored"] & np.uint32(1) == 0]
    n_truth = np.bincount(of_truth, minlength=n_classes)
    counts: NDArray[np.bool_] = np.broadcast_to(n_truth > 0, (len(cells), n_classes))
    cells = np.where(counts[:, None, :], cells, 0.0)
    if rules.absent_are_zero:
        counts = counts | (counted_predictions(rules.protocol, n_classes, matched.pred) > 0)
    answers = [_mean(cells[:n], counts[:n]) for n in (len(cells), 1)]
    if rules.answer_32:
        answers = [float(np.float32(answer)) for answer in answers]
    of_classes = np.where(counts.any(axis=0), cells.mean(axis=(0, 1)), math.nan)
    return _Evaluated(answers[0], answers[1], of_classes)


def _mean(cells: NDArray[np.float64], counts: NDArray[np.bool_]) -> float:
    """Return the mean of precision (T, R, K) over thresholds and classes that count, (T, K)."""
    if not counts.any():
        return math.nan
    if (counts == counts[0]).all():
        # In this order of cells NumPy's pairwise sum gives the reference's last bit.
        return float(np.ascontiguousarray(cells[..., counts[0]]).reshape(-1).mean())
    return float(cells.mean(axis=1)[counts].mean())
