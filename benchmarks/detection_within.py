"""Parts of an evaluation, measured within a process: cells for the few who want them, replicates.

What a side's module says of itself by `phases` is printed beside what the other one says.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

import side_by_side
from detection import FULL, QUICK
from detection_sides.parts import CELLS, EVALUATION, REPLICATED, STEPS
from in_memory import Measuring
from side_by_side import Run, run_program, spread

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping, Sequence

    from side_by_side import Series

__all__ = ["WithinProcess"]

_HERE = Path(__file__).resolve().parent


class WithinProcess(NamedTuple):
    """The parts, of the sides that have them."""

    name: str
    title: str
    sides: tuple[str, ...]
    once: tuple[str, ...] = ()

    def measuring(self, script: str, scratch: Path, calls: int) -> Measuring:
        """Return what measures it."""
        return _MeasuringParts(script, self, scratch, calls)


class _MeasuringParts(Measuring):
    """The runs of the parts."""

    def run(
        self, sides: Sequence[str], arguments: argparse.Namespace, say: Callable[[str], None]
    ) -> dict[str, Any]:
        """Measure, print, and return the figures of every run and the seconds of every part."""
        self._seconds: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
        return {**super().run(sides, arguments, say), "parts": self._seconds}

    def prepare(self, scale: float, sides: Sequence[str]) -> Sequence[str]:
        """Make the files; all sides take part."""
        sample = FULL if scale >= 1 else QUICK
        sample.make(lambda text: print(text, file=sys.stderr))
        self._files = sample.files
        return sides

    def clear(self) -> None:
        """Leave the files to other tasks."""

    def measure(self, side: str, calls: int) -> Run:
        """Run a side once, and keep the seconds of its parts."""
        del calls
        out = self.scratch / f"parts-{side}"
        program = [sys.executable, str(_HERE / "run_side.py"), f"detection_sides.{side}"]
        run = run_program([*program, "phases", str(out), *self._files])
        self._seconds[side].append(json.loads(Path(f"{out}.json").read_text()))
        return run

    def _print(self, series: Mapping[str, Series]) -> None:
        print(f"\n{self.task.title}\n")
        rows = []
        for part in (STEPS, CELLS, EVALUATION, REPLICATED):
            of_sides = {side: self._of(side, part) for side in series}
            rows.append([part, *(spread(of, 4) if of else "" for of in of_sides.values())])
        memory = [f"{median(of.peak_mib):.0f}" for of in series.values()]
        rows.append(["peak MiB of the process", *memory])
        print(side_by_side.table(["", *(f"{side}, s" for side in series)], rows))
        for side in series:
            pairs = zip(self._of(side, REPLICATED), self._of(side, EVALUATION), strict=True)
            times = [replicated / one for replicated, one in pairs]
            if times:
                print(
                    f"{side}: the draws take {median(times):.1f} times one evaluation (asked: 20)"
                )
            print(f"{side}: one cell after {1e3 * median(self._of(side, CELLS)):.2f} ms", end=" ")
            print("(asked: 10)")

    def _of(self, side: str, part: str) -> list[float]:
        return [run[part] for run in self._seconds[side] if part in run]
