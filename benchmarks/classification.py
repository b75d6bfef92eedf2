"""Classification, Snellen beside its peers: the same numbers from arrays in memory.

``python benchmarks/classification.py`` with an interpreter that has Snellen and its ``bench``
extra.
README.md beside this file says how it measures.
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
_SIDES = {"snellen": "snellen", "scikit_learn": "scikit-learn", "torchmetrics": "torchmetrics"}
# A number may differ by this much where it is not the same arithmetic: sums in another order,
# float32 inside a peer.
_CLOSE = {"scikit_learn": 1e-12, "torchmetrics": 1e-5}

Arrays = dict[str, "np.ndarray[Any, Any]"]


class Task(NamedTuple):
    """What is measured, and what was asked for."""

    name: str
    title: str
    arrays: Callable[[float], Arrays]
    bar: float  # of scikit-learn's time
    slow: bool = False  # peers take part once
    random: bool = False  # a result of chance: compared by eye, not by digits


def _labels(scale: float) -> Arrays:
    random = np.random.default_rng(0)
    n = int(1_000_000 * scale)
    truth = random.integers(0, 1000, n)
    pred = np.where(random.random(n) < 0.7, truth, random.integers(0, 1000, n))
    return {"truth": truth, "pred": pred}


def _text_labels(scale: float) -> Arrays:
    names = np.array([f"n{number:08d}" for number in range(1000)])
    return {key: names[labels] for key, labels in _labels(scale).items()}


def _binary_scores(scale: float) -> Arrays:
    random = np.random.default_rng(1)
    n = int(1_000_000 * scale)
    truth = random.integers(0, 2, n)
    return {"truth": truth, "score": (random.normal(size=n) + truth).astype(np.float32)}


def _score_matrix(scale: float) -> Arrays:
    random = np.random.default_rng(2)
    n, k = int(50_000 * scale), 1000
    truth = np.concatenate([np.arange(k), random.integers(0, k, n - k)])
    logits = random.normal(size=(n, k))
    logits[np.arange(n), truth] += 3
    logits = np.exp(logits)
    return {"truth": truth, "score": logits / logits.sum(axis=1, keepdims=True)}


def _predictions(scale: float) -> Arrays:
    random = np.random.default_rng(3)
    n = int(50_000 * scale)
    truth = random.integers(0, 1000, n)
    # Errors fall on few classes each, as those of a network do.
    near = (truth + random.integers(1, 15, n)) % 1000
    return {"truth": truth, "pred": np.where(random.random(n) < 0.76, truth, near)}


TASKS = (
    Task("labels", "All numbers from labels, 1,000,000 × 1,000 classes", _labels, 1 / 100),
    Task("text_labels", "The same from texts", _text_labels, 1 / 10, slow=True),
    Task("binary_auc", "Exact binary AUC, 1,000,000 float32 scores", _binary_scores, 1 / 5),
    Task(
        "auc_one_vs_rest",
        "Exact one-vs-rest AUC, 50,000 × 1,000 scores",
        _score_matrix,
        1 / 20,
        slow=True,
    ),
    Task("top_5", "Top-5 accuracy, 50,000 × 1,000 scores", _score_matrix, 1 / 10),
    Task(
        "bootstrap",
        "Bootstrap interval of macro-F1, 1,000 replicates, 50,000 × 1,000 classes",
        _predictions,
        1 / 25,
        slow=True,
        random=True,
    ),
)


def main() -> None:
    """Run the benchmark as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5, help="rounds (5)")
    parser.add_argument("--tasks", help="only these, with commas")
    parser.add_argument("--quick", action="store_true", help="a tenth of the data")
    parser.add_argument(
        "--output", type=Path, default=_HERE / "results" / "classification.json", metavar="FILE"
    )
    arguments = parser.parse_args()
    names = [task.name for task in TASKS]
    wanted = names if arguments.tasks is None else arguments.tasks.split(",")
    if not set(wanted) <= set(names):
        parser.error(f"expected tasks of {','.join(names)}, got {arguments.tasks}")

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    machine = side_by_side.machine()
    versions, present = side_by_side.installed(_SIDES, say)
    print(f"machine   {side_by_side.description(machine)}")
    print(f"versions  {', '.join(f'{name} {version}' for name, version in versions.items())}")
    content: dict[str, Any] = {
        "schema": "snellen.benchmark/1",
        "task": "classification",
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": machine,
        "versions": versions,
        "tasks": {},
    }
    with tempfile.TemporaryDirectory(prefix="snellen-bench-") as scratch:
        for task in TASKS:
            if task.name in wanted:
                content["tasks"][task.name] = _measure(
                    task, present, 0.1 if arguments.quick else 1, arguments.runs, Path(scratch), say
                )
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
        program = [sys.executable, str(_HERE / "run_side.py"), f"classification_sides.{side}"]
        run_program([*program, "task", str(out), task.name, str(arrays), str(calls)])
        found = json.loads(Path(f"{out}.json").read_text())
        numbers[side] = found["numbers"]
        return Run(median(found["wall"]), median(found["cpu"]))

    def can(side: str) -> bool:
        source = (_HERE / "classification_sides" / f"{side}.py").read_text()
        return f"def {task.name}(" in source or f"\n{task.name} = " in source

    able = [side for side in sides if can(side)]
    fast = [side for side in able if not task.slow or side == _OURS]
    series = interleaved({side: functools.partial(measure, side, 5) for side in fast}, rounds, say)
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
        ratio = ""
        if side != _OURS:
            if len(of_side.runs) == len(ours.runs):
                share = paired_ratios(ours.wall, of_side.wall)[1]
            else:
                share = median(ours.wall) / of_side.wall[0]
            ratio = f"1/{1 / share:.0f}"
            if side == "scikit_learn":
                ratio += f" (asked: 1/{1 / task.bar:.0f})"
        rows.append(
            [
                _SIDES[side],
                _agreement(task, side, numbers),
                spread(of_side.wall, 4),
                spread(of_side.cpu, 4),
                ratio,
            ]
        )
    header = ("", "numbers", "wall s", "CPU s", "Snellen's share of its wall time")
    print(side_by_side.table(header, rows))
    for line in side_by_side.noise({side: of for side, of in series.items() if len(of.runs) > 1}):
        print(line)


def _agreement(task: Task, side: str, numbers: Mapping[str, Mapping[str, float]]) -> str:
    if side == _OURS:
        return ""
    ours = numbers[_OURS]
    apart = {
        name: abs(value - ours[name])
        for name, value in numbers[side].items()
        if name in ours and value != ours[name]
    }
    if not apart:
        return "equal"
    worst = max(apart.values())
    if task.random:
        return f"within {worst:.1g}: by chance"
    if worst <= _CLOSE[side]:
        return f"equal within {worst:.0e}"
    return f"DIFFER by {worst:.1g} in {max(apart, key=lambda name: apart[name])}"


if __name__ == "__main__":
    try:
        main()
    except RunError as error:
        sys.exit(f"classification.py: error: {error}")
