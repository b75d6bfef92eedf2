"""What the page of a classifier shows, from the state of its run."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from snellen.classification.classification_result import ClassificationResult
from snellen.classification.confusion_matrix_result import ConfusionMatrixResult
from snellen.displays import MatrixDisplay
from snellen.report.class_table import class_table
from snellen.report.parts import Facts, RunParts

if TYPE_CHECKING:
    from snellen.displays import Display
    from snellen.result import Result
    from snellen.run.stored_run import StoredRun

__all__ = ["parts"]

_CURVES: Final = ("roc", "precision_recall", "reliability")
_PAIRS: Final = 3  # that are said in words
_WORTH_SAYING: Final = 0.05  # of a class, or of confidence


def parts(run: StoredRun, result: Result) -> RunParts:
    """Return what the page shows of a classifier.

    Parameters
    ----------
    run : StoredRun
        The run; everything follows from the result.
    result : Result
        Its result.
    """
    del run
    displays = {display.name: display for display in result.displays()}
    confusion = displays.pop("confusion_matrix", None)
    displays.pop("metrics", None)
    curves: list[Display] = [displays.pop(name) for name in _CURVES if name in displays]
    classes = class_table(result)
    if classes is not None:
        key = next((name for name in ("f1", "auc") if name in classes.records[0]), None)
        if key is not None:
            rows = sorted(classes.records, key=lambda row: (row[key] != row[key], row[key]))
            words = dataclasses.replace(
                classes.words, about=f"Every class with its numbers, the lowest {key} first."
            )
            classes = dataclasses.replace(classes, records=rows, words=words)
    return RunParts(
        facts=_facts(result),
        confusion=confusion if isinstance(confusion, MatrixDisplay) else None,
        curves=tuple(curves),
        errors=tuple(displays.values()),
        classes=classes,
    )


def _facts(result: Result) -> Facts | None:
    """Return what stands out: pairs that are confused, and confidence that is off."""
    labels = result.parts.get("labels") if isinstance(result, ClassificationResult) else result
    lines = []
    if isinstance(labels, ConfusionMatrixResult):
        lines += [
            f"Of true {pair['truth']} {pair['share_of_truth']:.0%} were called "
            f"{pair['prediction']} ({pair['n']:,.6g} {'sample' if pair['n'] == 1 else 'samples'})."
            for pair in labels.most_confused(_PAIRS)
            if pair["share_of_truth"] >= _WORTH_SAYING
        ]
        absent = [record["class"] for record in labels.per_class() if not record["n_truth"]]
        if absent:
            shown = ", ".join(absent[:_PAIRS]) + (", …" if absent[_PAIRS:] else "")
            are = "class has" if len(absent) == 1 else "classes have"
            lines.append(f"{len(absent):,} {are} no sample in truth: {shown}.")
    if isinstance(result, ClassificationResult) and "calibration" in result.parts:
        ece = result.parts["calibration"].metrics.get("ece", 0.0)
        if ece >= _WORTH_SAYING:
            lines.append(
                f"Confidence is off by {ece:.0%} on average: it should not be taken for the "
                "share that is right."
            )
    return Facts("What to look at first", tuple(lines)) if lines else None
