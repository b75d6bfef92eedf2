"""Tasks on arrays in memory, side by side: what `classification.py` and its like have in common.

A script names its tasks and the packages of its sides, and calls `main`. A side is a module in the
folder ``NAME_sides`` with a function for each task that it can do: from the task's arrays to the
work, a function without arguments that returns numbers by name.
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

    Numbers = Mapping[str, float]

__all__ = ["OURS", "Task", "equal", "main"]

OURS = "snellen"

_HERE = Path(__file__).resolve().parent


def equal(_: str, theirs: Numbers, ours: Numbers) -> str:
    """Return whether a peer's numbers are ours, all of them."""
    return "equal" if theirs == ours else f"DIFFER: {dict(theirs)}"


class Task(NamedTuple):
    """What is measured, and by which sides."""

    name: str
    title: str
    arrays: Callable[[float, Path], Mapping[str, Any]]  # from the scale and a scratch folder
    sides: tuple[str, ...]
    once: tuple[str, ...] = ()  # sides that take long, and so run once
    bars: Mapping[str, float] = {}  # which share of a side's time was asked for
    agreement: Callable[[str, Numbers, Numbers], str] = equal  # side, its numbers, ours


def main(
    name: str, description: str, packages: Mapping[str, str], tasks: Sequence[Task], calls: int = 5
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
    tasks : sequence of Task
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
                measuring = _Measuring(name, task, Path(scratch), calls)
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


class _Measuring:
    """The runs of one task."""

    def __init__(self, script: str, task: Task, scratch: Path, calls: int) -> None:
        self._script, self._task, self._scratch, self._calls = script, task, scratch, calls
        self._arrays = scratch / f"{task.name}.npz"
        self._numbers: dict[str, dict[str, float]] = {}

    def run(
        self, sides: Sequence[str], arguments: argparse.Namespace, say: Callable[[str], None]
    ) -> dict[str, Any]:
        """Measure, print, and return the figures of every run."""
        scale = 0.1 if arguments.quick else 1.0
        np.savez(self._arrays, **self._task.arrays(scale, self._scratch))
        many = {
            side: functools.partial(self._measure, side, self._calls)
            for side in sides
            if side not in self._task.once
        }
        series = interleaved(many, arguments.runs, say)
        for side in sides:
            if side in self._task.once:
                say(f"{side} (takes long)")
                series[side] = Series((self._measure(side, 1),))
        self._arrays.unlink()
        self._print(series)
        return {
            "title": self._task.title,
            "numbers": self._numbers,
            "runs": {side: [[run.wall, run.cpu] for run in of.runs] for side, of in series.items()},
        }

    def _measure(self, side: str, calls: int) -> Run:
        out = self._scratch / f"{self._task.name}-{side}"
        program = [sys.executable, str(_HERE / "run_side.py"), f"{self._script}_sides.{side}"]
        run_program([*program, "task", str(out), self._task.name, str(self._arrays), str(calls)])
        found = json.loads(Path(f"{out}.json").read_text())
        self._numbers[side] = found["numbers"]
        return Run(median(found["wall"]), median(found["cpu"]))

    def _print(self, series: Mapping[str, Series]) -> None:
        print(f"\n{self._task.title}\n")
        ours = series[OURS]
        rows = []
        for side, of_side in series.items():
            ratio = agreement = ""
            if side != OURS:
                agreement = self._task.agreement(side, self._numbers[side], self._numbers[OURS])
                if len(of_side.runs) == len(ours.runs):
                    share = paired_ratios(ours.wall, of_side.wall)[1]
                else:
                    share = median(ours.wall) / of_side.wall[0]
                ratio = f"1/{1 / share:.1f}"
                if side in self._task.bars:
                    ratio += f" (asked: 1/{1 / self._task.bars[side]:.0f})"
            rows.append([side, agreement, spread(of_side.wall, 4), spread(of_side.cpu, 4), ratio])
        header = ("", "numbers", "wall s", "CPU s", "Snellen's share of its wall time")
        print(side_by_side.table(header, rows))
        several = {side: of for side, of in series.items() if len(of.runs) > 1}
        for line in side_by_side.noise(several):
            print(line)
