"""What scripts do to an evaluator of pycocotools or lvis, between and after its steps."""

# ruff: noqa: ARG001 - what is called with arguments that not all need

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from tests.evaluator_names import Names

__all__ = ["SHARED_STEPS", "curves"]


class Named(Protocol):
    """One of the implementations of an evaluator."""

    @property
    def names(self) -> Names: ...


def curves(found: Any, side: Named) -> Any:
    found.accumulate()
    return [found.eval[name] for name in side.names.curves]


def summarised_alone(found: Any, side: Named) -> Any:
    return found.summarize()


def accumulated_alone(found: Any, side: Named) -> Any:
    return found.accumulate()


def cells_changed(found: Any, side: Named) -> Any:
    found.evaluate()
    cells = getattr(found, side.names.cells)
    seen = [i for i, cell in enumerate(cells) if cell is not None]
    for i in seen[::3]:
        cells[i][side.names.left_out][:] = True
    for i in seen[1::3]:
        cells[i][side.names.scores][0:1] = [0.001]
    return curves(found, side)


def cells_replaced(found: Any, side: Named) -> Any:
    found.evaluate()
    cells = getattr(found, side.names.cells)
    cells[0] = None
    cells[3:5] = [None, None]
    return curves(found, side), cells[0], list(cells[1:4])


def annotations_changed(found: Any, side: Named) -> Any:
    """What was evaluated stays what it was."""
    found.evaluate()
    for each in getattr(found, side.names.results).anns.values():
        each["score"] = 1.0
    return getattr(found, side.names.cells), curves(found, side)


def parameters_changed(found: Any, side: Named) -> Any:
    found.evaluate()
    getattr(found.params, side.names.iou_thresholds)[:] = 0.5
    getattr(found.params, side.names.areas)[0][1] = 0
    return curves(found, side)


def steps_of_the_object(found: Any, side: Named) -> Any:
    whole = getattr(found, side.names.evaluate_cell)

    def one_category_alone(*arguments: Any) -> Any:
        return whole(*arguments) if arguments[1] == 4 else None

    setattr(found, side.names.evaluate_cell, one_category_alone)
    found.evaluate()
    return getattr(found, side.names.cells), curves(found, side)


SHARED_STEPS: list[Callable[[Any, Any], Any]] = [
    summarised_alone,
    accumulated_alone,
    cells_changed,
    cells_replaced,
    annotations_changed,
    parameters_changed,
    steps_of_the_object,
]
