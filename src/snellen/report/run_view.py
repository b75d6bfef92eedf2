"""A run as a page sees it: everything that is shown, opened once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from snellen.metric import StoredMetric
    from snellen.report.parts import RunParts
    from snellen.report.run_slices import RunSlices
    from snellen.result import Result
    from snellen.run.examples import Examples
    from snellen.run.stored_run import RunRecord

__all__ = ["RunView", "lines_of"]


@dataclass(frozen=True, eq=False, kw_only=True)
class RunView:
    """What a page shows of a run.

    Attributes
    ----------
    name : str
        What it is called.
    record : RunRecord
        How it came about.
    result : Result
        Its numbers.
    parts : RunParts
        Its figures and tables.
    metric : StoredMetric or None
        Its state, by which it is compared with others.
    examples : Examples or None
        Its images, where some were kept.
    picture : callable
        Of the name of a file of an example: its bytes, or None where it is missing.
    sliced : tuple of RunSlices
        Its numbers of parts of the data, where those were asked for.
    folder : str or None
        How its folder is reached from the page; None where it may not be.
    """

    name: str
    record: RunRecord
    result: Result
    parts: RunParts
    metric: StoredMetric[Any] | None = None
    examples: Examples | None = None
    picture: Callable[[str], bytes | None] = lambda _: None
    sliced: tuple[RunSlices, ...] = ()
    folder: str | None = None


def lines_of(result: Result) -> list[tuple[str, str]]:
    """Return what a result was made of, line by line: what, and how much."""
    found: list[tuple[str, str]] = []
    for line in result.composition().splitlines():
        name, _, value = line.strip().partition("  ")
        if not line.startswith(" ") and value:
            found.append((name, value.strip()))
        elif found:  # it goes on
            found[-1] = (found[-1][0], f"{found[-1][1]} {line.strip()}")
    return found
