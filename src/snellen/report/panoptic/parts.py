"""What the page of a panoptic segmentation shows, from the state of its run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snellen.report.class_table import class_table
from snellen.report.parts import RunParts
from snellen.segmentation.panoptic_result import PanopticQualityResult
from snellen.segmentation.pixel_displays import class_qualities

if TYPE_CHECKING:
    from snellen.result import Result
    from snellen.run.stored_run import StoredRun

__all__ = ["parts"]


def parts(run: StoredRun, result: Result) -> RunParts:
    """Return what the page shows of a panoptic segmentation.

    Parameters
    ----------
    run : StoredRun
        The run; everything follows from the result.
    result : Result
        Its result.
    """
    del run
    errors = (class_qualities(result),) if isinstance(result, PanopticQualityResult) else ()
    return RunParts(errors=errors, classes=class_table(result))
