"""Splits, Snellen beside its peers: seconds, and how even the parts are.

``python benchmarks/splits.py`` with an interpreter that has Snellen and its ``bench`` extra.
README.md beside this file says how it measures. At the end: how much of the test part stays where
an image is added, or the rows are shuffled; Snellen alone.
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

_HERE = Path(__file__).resolve().parent
_OURS = "snellen"
_SIDES = {
    "snellen": "snellen",
    "scikit_learn": "scikit-learn",
    "iterative_stratification": "iterative-stratification",
}

Arrays = dict[str, "np.ndarray[Any, Any]"]


class Task(NamedTuple):
    """What is measured."""

    name: str
    title: str
    arrays: Callable[[float], Arrays]
    slow: bool = False  # peers take part once


def _keys(n: int) -> np.ndarray[Any, Any]:
    return np.array([f"images/{number:08d}.jpg" for number in range(n)])


def _classes(scale: float) -> Arrays:
    random = np.random.default_rng(0)
    n = int(1_000_000 * scale)
    return {
        "key": _keys(n),
        "label": random.integers(0, 100, n),
        "group": random.integers(0, n // 10, n),
    }


def _objects(scale: float) -> Arrays:
    n = int(20_000 * scale)
    return {"key": _keys(n), "member": _member(n)}


def _member(n: int, n_classes: int = 80) -> np.ndarray[Any, Any]:
    """Make an indicator matrix with a long tail as COCO has it: shares 0.5 / rank, at least 0.4 %.

    Classes depend on each other through a hidden scene.
    """
    random = np.random.default_rng(1)
    share = np.maximum(0.5 / np.arange(1, n_classes + 1), 0.004)
    scene = random.normal(size=(n, 5)) @ random.normal(size=(5, n_classes)) / 2
    wish = scene + random.normal(size=(n, n_classes))
    member = np.empty((n, n_classes), np.int64)
    for k in range(n_classes):
        member[:, k] = wish[:, k] > np.quantile(wish[:, k], 1 - share[k])
    return member


TASKS = (
    Task("classes", "80/20 of 1,000,000 samples of 100 classes", _classes),
    Task(
        "classes_in_groups",
        "80/20 of 1,000,000 samples of 100 classes in 100,000 groups",
        _classes,
        slow=True,
    ),
    Task("objects", "80/20 of 20,000 images with objects of 80 classes", _objects),
)


def main() -> None:
    """Run the benchmark as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5, help="rounds (5)")
    parser.add_argument("--tasks", help="only these, with commas")
    parser.add_argument("--quick", action="store_true", help="a tenth of the data")
    parser.add_argument(
        "--output", type=Path, default=_HERE / "results" / "splits.json", metavar="FILE"
    )
    arguments = parser.parse_args()
    names = [task.name for task in TASKS]
    wanted = names if arguments.tasks is None else arguments.tasks.split(",")
    if not set(wanted) <= set(names):
        parser.error(f"expected tasks of {','.join(names)}, got {arguments.tasks}")
    scale = 0.1 if arguments.quick else 1

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    machine = side_by_side.machine()
    versions, present = side_by_side.installed(_SIDES, say)
    print(f"machine   {side_by_side.description(machine)}")
    print(f"versions  {', '.join(f'{name} {version}' for name, version in versions.items())}")
    content: dict[str, Any] = {
        "schema": "snellen.benchmark/1",
        "task": "splits",
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": machine,
        "versions": versions,
        "tasks": {},
    }
    with tempfile.TemporaryDirectory(prefix="snellen-bench-") as scratch:
        for task in TASKS:
            if task.name in wanted:
                content["tasks"][task.name] = _measure(
                    task, present, scale, arguments.runs, Path(scratch), say
                )
    content["stability"] = _stability(scale, say)
    side_by_side.write_json(arguments.output, content)
    say(f"wrote {arguments.output}")


def _measure(
    task: Task,
    sides: Sequence[str],
    scale: float,
    rounds: int,
    scratch: Path,
    say: Callable[[str], None],
) -> dict[str, Any]:
    say(task.title)
    arrays = scratch / f"{task.name}.npz"
    np.savez(arrays, **task.arrays(scale))
    numbers: dict[str, dict[str, float]] = {}

    def measure(side: str, calls: int) -> Run:
        out = scratch / f"{task.name}-{side}"
        program = [sys.executable, str(_HERE / "run_side.py"), f"splits_sides.{side}"]
        run_program([*program, "task", str(out), task.name, str(arrays), str(calls)])
        found = json.loads(Path(f"{out}.json").read_text())
        numbers[side] = found["numbers"]
        return Run(median(found["wall"]), median(found["cpu"]))

    def can(side: str) -> bool:
        return f"def {task.name}(" in (_HERE / "splits_sides" / f"{side}.py").read_text()

    able = [side for side in sides if can(side)]
    fast = [side for side in able if not task.slow or side == _OURS]
    series = interleaved({side: functools.partial(measure, side, 3) for side in fast}, rounds, say)
    for side in able:
        if side not in fast:
            say(f"{side} (takes long)")
            series[side] = Series((measure(side, 1),))
    _print(task, series, numbers)
    arrays.unlink()
    return {
        "title": task.title,
        "numbers": numbers,
        "runs": {side: [[run.wall, run.cpu] for run in of.runs] for side, of in series.items()},
    }


def _print(
    task: Task, series: Mapping[str, Series], numbers: Mapping[str, Mapping[str, float]]
) -> None:
    print(f"\n{task.title}\n")
    ours = series[_OURS]
    rows = []
    for side, of_side in series.items():
        share = ""
        if side != _OURS:
            paired = len(of_side.runs) == len(ours.runs)
            theirs = of_side.wall if paired else of_side.wall * len(ours.runs)
            share = f"{paired_ratios(ours.wall, theirs)[1]:.2f}"
        rows.append(
            [
                _SIDES[side],
                f"{100 * numbers[side]['mean']:.4f} %",
                f"{100 * numbers[side]['max']:.4f} %",
                spread(of_side.wall),
                spread(of_side.cpu),
                share,
            ]
        )
    header = ("", "off by: mean", "greatest", "wall s", "CPU s", "Snellen's share of its wall time")
    print(side_by_side.table(header, rows))
    for line in side_by_side.noise({side: of for side, of in series.items() if len(of.runs) > 1}):
        print(line)


def _stability(scale: float, say: Callable[[str], None]) -> dict[str, Any]:
    """Add samples one by one, and count how much of the test part stays."""
    from snellen.splits import hold_out

    say("stability")
    random = np.random.default_rng(2)
    n, n_added = int(20_000 * scale), 20
    total = n + n_added
    member = _member(total)
    label, group = random.integers(0, 100, total), random.integers(0, total // 5, total)
    keys = _keys(total).tolist()
    kinds: dict[str, Arrays] = {
        "no classes": {},
        "classes": {"labels": label},
        "groups": {"groups": group},
        "classes in groups": {"labels": label, "groups": group},
        "objects": {"labels": member},
        "objects in groups": {"labels": member, "groups": group},
    }
    found, rows = {}, []
    for kind, columns in kinds.items():
        stayed: list[float] = []
        before: set[str] = set()
        for size in range(n, total + 1):
            here = {name: column[:size] for name, column in columns.items()}
            split = hold_out(keys[:size], "80/20", **here)
            test = {keys[i] for i in split.indices("test")}
            if before:
                stayed.append(len(before & test) / len(before))
            before = test
        order = random.permutation(total)
        here = {name: column[order] for name, column in columns.items()}
        shuffled = hold_out([keys[i] for i in order], "80/20", **here)
        same = {shuffled.keys[i] for i in shuffled.indices("test")} == before
        found[kind] = {"mean": float(np.mean(stayed)), "min": min(stayed), "shuffled": same}
        rows.append(
            [
                kind,
                f"{100 * float(np.mean(stayed)):.2f} %",
                f"{100 * min(stayed):.2f} %",
                "the same" if same else "ANOTHER",
            ]
        )
    print(f"\nWhat stays of the test part, a fifth of {n:,}, where a sample is added\n")
    print(side_by_side.table(("", "mean of 20", "least", "rows shuffled"), rows))
    return found


if __name__ == "__main__":
    try:
        main()
    except RunError as error:
        sys.exit(f"splits.py: error: {error}")
