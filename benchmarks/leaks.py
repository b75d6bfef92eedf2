"""Near duplicates, Snellen beside its peers: the same pairs of the same hashes; files to hashes.

``python benchmarks/leaks.py`` with an interpreter that has Snellen, its ``report`` extra, and
faiss-cpu, ImageHash and imagededup, those that there are. README.md beside this file says how it
measures.
"""

from __future__ import annotations

import argparse
import functools
import importlib.util
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
    "faiss": "faiss-cpu",
    "numpy_all_pairs": "numpy",
    "imagehash": "ImageHash",
    "imagededup": "imagededup",
}
_DISTANCE = 30

Arrays = dict[str, "np.ndarray[Any, Any]"]


class Task(NamedTuple):
    """What is measured, by which sides."""

    name: str
    title: str
    arrays: Callable[[float, Path], Arrays]
    sides: tuple[str, ...]
    once: tuple[str, ...] = ()  # sides that take long, and so run once


def _flipped(hashes: Any, n_bits: Any, random: np.random.Generator) -> Any:
    bits = np.unpackbits(hashes.view(np.uint8), axis=1)
    for row, n in zip(bits, n_bits, strict=True):
        row[random.choice(256, n, replace=False)] ^= 1
    return np.packbits(bits, axis=1).view(np.uint64)


def _hashes(n: int, n_planted: int, n_clustered: int, spread_bits: int) -> Arrays:
    """Return random hashes, some with one planted near them, and a cluster around one."""
    random = np.random.default_rng(0)
    hashes = random.integers(0, 2**64, (n, 4), np.uint64)
    centre = np.repeat(hashes[:1], n_clustered, axis=0)
    hashes[:n_clustered] = _flipped(centre, random.integers(0, spread_bits, n_clustered), random)
    if n_planted:
        near = hashes[n_clustered : n_clustered + n_planted]
        hashes[-n_planted:] = _flipped(near, random.integers(0, 40, n_planted), random)
    return {
        "hashes": hashes[random.permutation(n)],
        "part": random.choice(3, n, p=[0.6, 0.2, 0.2]).astype(np.int32),
        "distance": np.array(_DISTANCE),
    }


def _hundred_thousand(scale: float, _: Path) -> Arrays:
    return _hashes(int(100_000 * scale), int(5000 * scale), int(3000 * scale), 16)


def _million(scale: float, _: Path) -> Arrays:
    return _hashes(int(1_000_000 * scale), int(50_000 * scale), int(5000 * scale), 16)


def _all_alike(scale: float, _: Path) -> Arrays:
    n = int(8000 * scale)
    return _hashes(n, 0, n, 16)


def _files(scale: float, scratch: Path) -> Arrays:
    from PIL import Image

    random = np.random.default_rng(1)
    folder = scratch / "images"
    folder.mkdir(exist_ok=True)
    paths = []
    for number in range(int(1000 * scale)):
        fields = random.integers(0, 256, (30, 40, 3), np.uint8)
        paths.append(str(folder / f"{number:05d}.jpg"))
        image = Image.fromarray(fields).resize((800, 600), Image.Resampling.BICUBIC)
        image.save(paths[-1], quality=90)
    return {"paths": np.array(paths)}


TASKS = (
    Task(
        "hashes",
        "All pairs within 30 of 256 bits, 100,000 hashes: 5,000 planted, a cluster of 3,000",
        _hundred_thousand,
        ("snellen", "faiss", "numpy_all_pairs"),
        once=("numpy_all_pairs",),
    ),
    Task(
        "many_hashes",
        "The same of 1,000,000 hashes: 50,000 planted, a cluster of 5,000",
        _million,
        ("snellen",),
    ),
    Task(
        "crowded_hashes",
        "8,000 different hashes, all of them near each other: 32 million pairs",
        _all_alike,
        ("snellen", "faiss"),
    ),
    Task(
        "images",
        "1,000 JPEG files of 800 × 600 pixels: SHA-256 and hash",
        _files,
        ("snellen", "imagehash", "imagededup"),
    ),
)


def main() -> None:
    """Run the benchmark as the command line says."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5, help="rounds (5)")
    parser.add_argument("--tasks", help="only these, with commas")
    parser.add_argument("--quick", action="store_true", help="a tenth of the data")
    parser.add_argument(
        "--output", type=Path, default=_HERE / "results" / "leaks.json", metavar="FILE"
    )
    arguments = parser.parse_args()
    names = [task.name for task in TASKS]
    wanted = names if arguments.tasks is None else arguments.tasks.split(",")
    if not set(wanted) <= set(names):
        parser.error(f"expected tasks of {','.join(names)}, got {arguments.tasks}")

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    if importlib.util.find_spec("PIL") is None:
        sys.exit("leaks.py: error: pip install 'snellen[report]'")
    machine = side_by_side.machine()
    versions, present = side_by_side.installed(_SIDES, say)
    print(f"machine   {side_by_side.description(machine)}")
    print(f"versions  {', '.join(f'{name} {version}' for name, version in versions.items())}")
    content: dict[str, Any] = {
        "schema": "snellen.benchmark/1",
        "task": "leaks",
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
    present: Sequence[str],
    scale: float,
    rounds: int,
    scratch: Path,
    say: Callable[[str], None],
) -> dict[str, Any]:
    say(task.title)
    arrays = scratch / f"{task.name}.npz"
    np.savez(arrays, **task.arrays(scale, scratch))
    numbers: dict[str, dict[str, float]] = {}

    def measure(side: str, calls: int) -> Run:
        out = scratch / f"{task.name}-{side}"
        program = [sys.executable, str(_HERE / "run_side.py"), f"leaks_sides.{side}"]
        run_program([*program, "task", str(out), task.name, str(arrays), str(calls)])
        found = json.loads(Path(f"{out}.json").read_text())
        numbers[side] = found["numbers"]
        return Run(median(found["wall"]), median(found["cpu"]))

    able = [side for side in task.sides if side in present]
    many = {side: functools.partial(measure, side, 3) for side in able if side not in task.once}
    series = interleaved(many, rounds, say)
    for side in able:
        if side in task.once:
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
        ratio = agreement = ""
        if side != _OURS:
            agreement = "equal" if numbers[side] == numbers[_OURS] else f"DIFFER: {numbers[side]}"
            if len(of_side.runs) == len(ours.runs):
                share = paired_ratios(ours.wall, of_side.wall)[1]
            else:
                share = median(ours.wall) / of_side.wall[0]
            ratio = f"1/{1 / share:.1f}"
        rows.append([side, agreement, spread(of_side.wall), spread(of_side.cpu), ratio])
    header = ("", "numbers", "wall s", "CPU s", "Snellen's share of its wall time")
    print(side_by_side.table(header, rows))
    print(", ".join(f"{name} {value:,.0f}" for name, value in numbers[_OURS].items()))
    for line in side_by_side.noise({side: of for side, of in series.items() if len(of.runs) > 1}):
        print(line)


if __name__ == "__main__":
    try:
        main()
    except RunError as error:
        sys.exit(f"leaks.py: error: {error}")
