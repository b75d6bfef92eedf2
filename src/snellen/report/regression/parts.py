"""What the page of a regression shows, from the state of its run."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

from snellen.regression.regression import Regression
from snellen.regression.sample_displays import (
    predicted_over_true,
    residual_histogram,
    residuals,
)
from snellen.report.class_table import class_table
from snellen.report.parts import RunParts

if TYPE_CHECKING:
    from snellen.displays import Display
    from snellen.result import Result
    from snellen.run.stored_run import StoredRun

__all__ = ["parts"]

_OUTPUTS: Final = 6  # of more the page has numbers alone


def parts(run: StoredRun, result: Result) -> RunParts:
    """Return what the page shows of a regression.

    Parameters
    ----------
    run : StoredRun
        The run; a state without its samples has no pictures of them.
    result : RegressionResult
        Its result.
    """
    metric: Any = run.metric()
    rows = metric.samples() if isinstance(metric, Regression) else None
    outputs: tuple[str, ...] = getattr(result, "outputs", ())
    own: list[Display] = []
    if rows is not None and len(rows.truth):
        for output, name in enumerate(outputs[:_OUTPUTS]):
            called = name if len(outputs) > 1 else ""
            own += [
                predicted_over_true(rows, output, called),
                residuals(rows, output, called),
                residual_histogram(rows, output, called),
            ]
    classes = class_table(result) if len(outputs) > 1 else None
    if classes is not None:
        words = dataclasses.replace(
            classes.words, title="Outputs", about="Every output with its numbers."
        )
        classes = dataclasses.replace(classes, words=words)
    return RunParts(classes=classes, own=tuple(own))
