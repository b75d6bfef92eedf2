"""Tasks from files to a result, side by side: whole programs, measured from outside.

Beside `in_memory.py`, whose `main` runs them: with peak memory, and without a first, unmeasured
time; what the programs read lies in the file cache all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from in_memory import Measuring, equal
from side_by_side import Run, run_program

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from in_memory import Agreement, Numbers

__all__ = ["Program", "WholePrograms"]


class Program(NamedTuple):
    """A program, and what gives its numbers after it ran; None where they are not those of all."""

    command: Sequence[str]
    numbers: Callable[[], Numbers] | None = None


class WholePrograms(NamedTuple):
    """What is measured, and by which programs: of each side one, and others beside."""

    name: str
    title: str
    programs: Callable[[float, Path], Mapping[str, Program]]  # from the scale and a scratch folder
    sides: tuple[str, ...]
    once: tuple[str, ...] = ()
    bars: Mapping[str, float] = {}
    agreement: Agreement = equal
    rate = ""  # programs beside may do something else

    def measuring(self, script: str, scratch: Path, calls: int) -> Measuring:
        """Return what measures it."""
        return _MeasuringPrograms(script, self, scratch, calls)


class _MeasuringPrograms(Measuring):
    """The runs of one task."""

    def prepare(self, scale: float, sides: Sequence[str]) -> list[str]:
        """Make the files; all programs take part but those of sides that are not there."""
        found = self.task.programs(scale, self.scratch)
        self._programs: dict[str, Program] = {
            name: program
            for name, program in found.items()
            if name in sides or name not in self.task.sides
        }
        return list(self._programs)

    def clear(self) -> None:
        """Leave the files to other tasks."""

    def measure(self, side: str, calls: int) -> Run:
        """Run a program once."""
        del calls
        program = self._programs[side]
        run = run_program(program.command)
        if program.numbers is not None:
            self.numbers[side] = dict(program.numbers())
        return run
