"""What the page shows of a run, whatever its task."""

from __future__ import annotations

import dataclasses
import importlib
from typing import TYPE_CHECKING, Final

from snellen.report.class_table import class_table
from snellen.report.parts import RunParts

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from snellen.displays import Display
    from snellen.report.parts import Table
    from snellen.report.run_slices import RunSlices
    from snellen.result import Result
    from snellen.run.stored_run import StoredRun

__all__ = ["parts_of"]

_TASKS: Final = frozenset(
    ("classification", "detection", "panoptic", "regression", "segmentation", "tracking")
)
"""Tasks with a module of their own, ``snellen.report.TASK.parts``."""


def parts_of(run: StoredRun, result: Result, sliced: Sequence[RunSlices] = ()) -> RunParts:
    """Return what the page shows of a run: a pure function of what its folder holds.

    Parameters
    ----------
    run : StoredRun
        The run.
    result : Result
        Its result. Of a task without a page of its own, its displays and classes are shown.
    sliced : sequence of RunSlices
        Further slices.
    """
    if result.task in _TASKS:
        found: RunParts = importlib.import_module(f"snellen.report.{result.task}.parts").parts(
            run, result
        )
    else:
        found = RunParts(curves=result.displays(), classes=class_table(result))
    if sliced:
        found = dataclasses.replace(found, slices=(*found.slices, *_slices(sliced)))
    first = _of_its_origin(run)
    return dataclasses.replace(found, own=(*first, *found.own)) if first else found


def _slices(sliced: Sequence[RunSlices]) -> Iterator[Display | Table]:
    from snellen.report.run_slices import slice_bars, slice_table

    for each in sliced:
        yield slice_bars([each], [each.names[0]])
        yield slice_table(each, "")


def _of_its_origin(run: StoredRun) -> tuple[Display, ...]:
    """Return the curves of a training, and where a model of a benchmark stands among the others."""
    if run.kind == "training":
        from snellen.report.training_curves import training_curves

        return training_curves(run.path)
    if run.parent is not None:
        from snellen.report.model_speeds import accuracy_over_speed

        speeds = accuracy_over_speed(run.parent.stored, str(run.parent.path / "result.json"))
        return () if speeds is None else (speeds,)
    return ()
