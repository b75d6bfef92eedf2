"""Tasks on arrays in memory, side by side: what `classification.py` and its like have in common.

A script names its tasks and the packages of its sides, and calls `main`. A side is a module in the
folder ``NAME_sides`` with a function for each task that it can do: from the task's arrays to the
work, a function without arguments that returns numbers by name. Tasks from files to a result are
those of `whole_programs.py`.
"""

from __future__ import annotations

import argparse
import functools
import json
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import side_by_side
from side_by_side import Run, RunError, Series, interleaved, paired_ratios, run_program, spread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from whole_programs import WholePrograms

    Numbers = Mapping[str, float]
    Agreement = Callable[[str, Numbers, Numbers], str]

__all__ = ["OURS", "Measuring", "Task", "close", "equal", "main"]

OURS = "snellen"

_HERE = Path(__file__).resolve().parent


def equal(_: str, theirs: Numbers, ours: Numbers) -> str:
    """Return whether a peer's numbers are ours, all of them."""
    return "equal" if theirs == ours else f"DIFFER: {dict(theirs)}"


def close(tolerances: Mapping[str, float]) -> Agreement:
    """Return what says whether numbers are equal, and by how much they are not.

    Numbers that both sides have are compared. A side's may differ by its tolerance, a share of
    numbers above 1, where it does not do the same arithmetic: sums in another order, float32.
    """

    def agreement(side: str, theirs: Numbers, ours: Numbers) -> str:
        apart = {
            name: abs(value - ours[name]) / max(1.0, abs(ours[name]))
            for name, value in theirs.items()
            if name in ours and value != ours[name]
        }
        if not apart:
            return "equal"
        worst = max(apart, key=lambda name: apart[name])
        if apart[worst] <= tolerances.get(side, 0.0):
            return f"equal within {apart[worst]:.0e}"
        return f"DIFFER by {apart[worst]:.1g} in {worst}"

    return agreement


class Task(NamedTuple):
    """What is measured, and by which sides."""

    name: str
    title: str
    arrays: Callable[[float, Path], Mapping[str, Any]]  # from the scale and a scratch folder
    sides: tuple[str, ...]
    once: tuple[str, ...] = ()  # sides that take long, and so run once
    bars: Mapping[str, float] = {}  # which share of a side's time was asked for
    agreement: Agreement = equal  # side, its numbers, ours
    rate: str = ""  # the number of which the table has how many millions a second

    def measuring(self, script: str, scratch: Path, calls: int) -> Measuring:
        """Return what measures it."""
        return Measuring(script, self, scratch, calls)


def main(
    name: str,
    description: str,
    packages: Mapping[str, str],
    tasks: Sequence[Task | WholePrograms],
    calls: int = 5,
) -> None:
    """Run a benchmark as the command line says.

    Parameters
    ----------
    name : str
        The script: ``"classification"``.
    description : str
        Its first line.
    packages : mapping of str to str
        The package of each side.
    tasks : sequence of Task or WholePrograms
        What there is to measure.
    calls : int
        How often a process does the work, after a first time; the median counts.
    """
    arguments = _arguments(name, description, [task.name for task in tasks])

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    machine = side_by_side.machine()
    versions, present = side_by_side.installed(packages, say)
    print(f"machine   {side_by_side.description(machine)}")
    print(f"versions  {', '.join(f'{side} {version}' for side, version in versions.items())}")
    content: dict[str, Any] = {
        "schema": "snellen.benchmark/1",
        "task": name,
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": machine,
        "versions": versions,
        "tasks": {},
    }
    try:
        with tempfile.TemporaryDirectory(prefix="snellen-bench-") as scratch:
            for task in tasks:
                if task.name not in arguments.tasks:
                    continue
                say(task.title)
                measuring = task.measuring(name, Path(scratch), calls)
                content["tasks"][task.name] = measuring.run(
                    [side for side in task.sides if side in present], arguments, say
                )
    except RunError as error:
        sys.exit(f"{name}.py: error: {error}")
    side_by_side.write_json(arguments.output, content)
    say(f"wrote {arguments.output}")


def _arguments(name: str, description: str, tasks: list[str]) -> argparse.Namespace:
    def some_tasks(text: str) -> list[str]:
        if not set(text.split(",")) <= set(tasks):
            raise argparse.ArgumentTypeError(f"expected tasks of {','.join(tasks)}, got {text}")
        return text.split(",")

    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--runs", type=int, default=5, help="rounds (5)")
    parser.add_argument("--tasks", type=some_tasks, default=tasks, help="only these, with commas")
    parser.add_argument("--quick", action="store_true", help="a tenth of the data")
    parser.add_argument(
        "--output", type=Path, default=_HERE / "results" / f"{name}.json", metavar="FILE"
    )
    return parser.parse_args()


class Measuring:
    """The runs of one task."""

    def __init__(self, script: str, task: Task | WholePrograms, scratch: Path, calls: int) -> None:
        self.script, self.task, self.scratch, self.calls = script, task, scratch, calls
        self.numbers: dict[str, dict[str, float]] = {}

    def run(
        self, sides: Sequence[str], arguments: argparse.Namespace, say: Callable[[str], None]
    ) -> dict[str, Any]:
        """Measure, print, and return the figures of every run."""
        sides = self.prepare(0.1 if arguments.quick else 1.0, sides)
        many = {
            side: functools.partial(self.measure, side, self.calls)
            for side in sides
            if side not in self.task.once
        }
        series = interleaved(many, arguments.runs, say)
        for side in sides:
            if side in self.task.once:
                say(f"{side} (takes long)")
                series[side] = Series((self.measure(side, 1),))
        self.clear()
        self._print(series)
        return {
            "title": self.task.title,
            "numbers": self.numbers,
            "runs": {
                side: [[figure for figure in run if figure is not None] for run in of.runs]
                for side, of in series.items()
            },
        }

    def prepare(self, scale: float, sides: Sequence[str]) -> Sequence[str]:
        """Make what the sides are given, and return who takes part."""
        np.savez(self._arrays, **self.task.arrays(scale, self.scratch))
        return sides

    def clear(self) -> None:
        """Remove what was made."""
        self._arrays.unlink()

    def measure(self, side: str, calls: int) -> Run:
        """Run a side once, and keep its numbers."""
        out = self.scratch / f"{self.task.name}-{side}"
        program = [sys.executable, str(_HERE / "run_side.py"), f"{self.script}_sides.{side}"]
        run_program([*program, "task", str(out), self.task.name, str(self._arrays), str(calls)])
        found = json.loads(Path(f"{out}.json").read_text())
        self.numbers[side] = found["numbers"]
        return Run(median(found["wall"]), median(found["cpu"]))

    @property
    def _arrays(self) -> Path:
        return self.scratch / f"{self.task.name}.npz"

    def _print(self, series: Mapping[str, Series]) -> None:
        print(f"\n{self.task.title}\n")
        with_memory = all(of_side.peak_mib for of_side in series.values())
        rows = []
        for side, of_side in series.items():
            row = [side, self._agreement(side), spread(of_side.wall, 4), spread(of_side.cpu, 4)]
            if with_memory:
                row.append(f"{median(of_side.peak_mib):.0f}")
            if self.task.rate:
                amount = self.numbers[side][self.task.rate] / 1e6
                row.append(f"{amount / median(of_side.wall):,.0f}")
            rows.append([*row, self._ratio(side, of_side, series[OURS])])
        header = ["", "numbers", "wall s", "CPU s"]
        header += ["peak MiB"] if with_memory else []
        header += [f"million {self.task.rate}/s"] if self.task.rate else []
        print(side_by_side.table([*header, "Snellen's share of its wall time"], rows))
        several = {side: of for side, of in series.items() if len(of.runs) > 1}
        for line in side_by_side.noise(several):
            print(line)

    def _agreement(self, side: str) -> str:
        if side == OURS or side not in self.numbers:
            return ""
        return self.task.agreement(side, self.numbers[side], self.numbers[OURS])

    def _ratio(self, side: str, of_side: Series, ours: Series) -> str:
        if side == OURS or side not in self.numbers:
            return ""
        if len(of_side.runs) == len(ours.runs):
            share = paired_ratios(ours.wall, of_side.wall)[1]
        else:
            share = median(ours.wall) / of_side.wall[0]
        ratio = f"1/{1 / share:.1f}"
        if side in self.task.bars:
            ratio += f" (asked: 1/{1 / self.task.bars[side]:.3g})"
        return ratio
