"""What the page shows of a run, whatever its task."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

from snellen.report.class_table import class_table
from snellen.report.parts import RunParts

if TYPE_CHECKING:
    from snellen.result import Result
    from snellen.run.stored_run import StoredRun

__all__ = ["parts_of"]

_TASKS: Final = frozenset(
    ("classification", "detection", "panoptic", "regression", "segmentation", "tracking")
)
"""Tasks with a module of their own, ``snellen.report.TASK.parts``."""


def parts_of(run: StoredRun, result: Result) -> RunParts:
    """Return what the page shows of a run: a pure function of what its folder holds.

    Parameters
    ----------
    run : StoredRun
        The run.
    result : Result
        Its result. Of a task without a page of its own, its displays and classes are shown.
    """
    if result.task in _TASKS:
        parts: RunParts = importlib.import_module(f"snellen.report.{result.task}.parts").parts(
            run, result
        )
        return parts
    return RunParts(curves=result.displays(), classes=class_table(result))
