"""Running pretrained networks, Snellen beside bare loops: seconds of an image.

``python benchmarks/pretrained.py`` with an interpreter that has Snellen and its ``bench`` extra.
README.md beside this file says how it measures.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import side_by_side
from side_by_side import Run, RunError, Series, paired_ratios, spread

from snellen.benchmark.worker import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from typing_extensions import Self

_HERE = Path(__file__).resolve().parent

OURS: Final = "snellen"
_IMAGES: Final = 50_000  # of ImageNet's validation part
_CLOSE: Final = 1e-5  # between scores of two sides
_PATIENCE: Final = 10.0  # seconds for a process to end


class Task(NamedTuple):
    """What is measured of which network, beside whom."""

    title: str
    work: str  # a function of the sides
    network: str
    batch_size: int
    threads: int
    peer: str  # "" for none
    asked: str  # of the peer's time by Snellen's

    @property
    def clock(self) -> str:
        """Which time is compared: on one thread, other programs hardly change the processor's."""
        return "cpu" if self.threads == 1 else "wall"


_SAME: Final = "0.97 to 1.03"
TASKS: Final = {
    "onnx, 1": Task("ONNX, throughput", "resident", "onnx", 1, 1, "bare_onnxruntime", _SAME),
    "onnx, 16": Task("ONNX, throughput", "resident", "onnx", 16, 1, "bare_onnxruntime", _SAME),
    "onnx, 1, 2 threads": Task(
        "ONNX, throughput", "resident", "onnx", 1, 2, "bare_onnxruntime", _SAME
    ),
    "onnx, 16, 2 threads": Task(
        "ONNX, throughput", "resident", "onnx", 16, 2, "bare_onnxruntime", _SAME
    ),
    "torch, 1": Task("torch, throughput", "resident", "torch", 1, 1, "bare_torch", _SAME),
    "torch, 16": Task("torch, throughput", "resident", "torch", 16, 1, "bare_torch", _SAME),
    "keras, 16": Task("Keras, NumPy to scores", "scores", "keras", 16, 1, "keras_predict", ""),
    "images": Task(
        "JPEG to scores, of a network that costs nothing",
        "end_to_end",
        "cheap",
        32,
        1,
        "pillow_loop",
        "1.5 and more",
    ),
    "end to end": Task("JPEG to scores, ONNX", "end_to_end", "onnx", 32, 1, "pillow_loop", ""),
    "metrics": Task("all numbers, of 50,000 images and 1000 classes", "metrics", "", 1, 1, "", ""),
}

# What each side needs, as it is imported, and what it is called on an index.
_PACKAGES: Final = {
    "bare_onnxruntime": ("onnxruntime", "onnxruntime"),
    "bare_torch": ("torch", "torch"),
    "keras_predict": ("keras", "keras"),
    "pillow_loop": ("PIL", "pillow"),
}


def main() -> None:
    """Run the benchmark as the command line says."""
    arguments = _arguments()

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    machine = side_by_side.machine()
    versions = _versions(say)
    print(f"machine   {side_by_side.description(machine)}")
    print(f"versions  {', '.join(f'{name} {version}' for name, version in versions.items())}")
    content: dict[str, Any] = {
        "schema": "snellen.benchmark/1",
        "task": "pretrained",
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": machine,
        "versions": versions,
        "tasks": {},
    }
    found: dict[str, Mapping[str, Series]] = {}
    try:
        with tempfile.TemporaryDirectory(prefix="snellen-bench-") as scratch:
            folder = made(Path(scratch))
            sizes = [path.stat().st_size for path in (folder / "images").rglob("*.jpg")]
            content["images"] = {"n": len(sizes), "mean_bytes": round(float(np.mean(sizes)))}
            print(f"images    {len(sizes)} JPEG files, {np.mean(sizes) / 1000:.0f} kB each")
            for name in arguments.tasks:
                task = TASKS[name]
                package, peer = _PACKAGES.get(task.peer, ("numpy", "numpy"))
                if importlib.util.find_spec(package) is None:
                    say(f"{name} is left out: {peer} is not installed")
                    continue
                say(name)
                found[name] = measured(task, folder, arguments)
                content["tasks"][name] = {
                    **task._asdict(),
                    "seconds_of_an_image": {
                        side: [run[:2] for run in series.runs]
                        for side, series in found[name].items()
                    },
                }
                print_task(name, task, found[name])
    except RunError as error:
        sys.exit(f"pretrained.py: error: {error}")
    print_share(found)
    side_by_side.write_json(arguments.output, content)
    say(f"wrote {arguments.output}")


def _arguments() -> argparse.Namespace:
    def tasks(text: str) -> list[str]:
        names = [name for name in TASKS if any(name.startswith(part) for part in text.split("/"))]
        if not names:
            raise argparse.ArgumentTypeError(f"expected some of {'/'.join(TASKS)}, got {text}")
        return names

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--rounds", type=int, default=3, help="how often every side is started (3)")
    add("--turns", type=int, default=5, help="how often it works each time, in turn (5)")
    add("--seconds", type=float, default=1.0, help="of a turn, at least (1)")
    add("--tasks", type=tasks, default=list(TASKS), help="beginnings of names, with / between them")
    add("--output", type=Path, default=_HERE / "results" / "pretrained.json", metavar="FILE")
    return parser.parse_args()


def _versions(say: Callable[[str], None]) -> dict[str, str]:
    versions, _ = side_by_side.installed(
        {name: name for name in ("snellen", "onnxruntime", "torch", "keras", "pillow")},
        say,
    )
    return versions


def made(folder: Path) -> Path:
    """Make images and networks; return where they are."""
    command = [sys.executable, "-m", "pretrained_sides.made", str(folder)]
    done = subprocess.run(command, cwd=_HERE, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RunError(f"making networks: {' '.join(done.stderr.splitlines()[-2:])}")
    return folder


class Side:
    """A side's process."""

    def __init__(self, name: str, task: Task, folder: Path) -> None:
        self.name = name
        words = [name, task.work, task.network, task.batch_size, task.threads, folder]
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            [sys.executable, str(_HERE / "pretrained_run.py"), *map(str, words)],
            cwd=_HERE,
            env={**os.environ, **environment(task.threads)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *what: object) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def answer(self) -> Any:
        """Return its next line."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._log.seek(0)
            last = self._log.read().strip().splitlines()[-2:]
            raise RunError(f"{self.name} ended: {' '.join(last)}")
        return json.loads(line)

    def turn(self, seconds: float) -> Run:
        """Let it work."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()
        return Run(*self.answer())


def measured(task: Task, folder: Path, arguments: argparse.Namespace) -> dict[str, Series]:
    """Run both sides: their processes wait for each other, and work in turns."""
    names = [OURS, task.peer] if task.peer else [OURS]
    runs: dict[str, list[Run]] = {name: [] for name in names}
    for _ in range(arguments.rounds if task.peer else 1):
        with contextlib.ExitStack() as alive:
            sides = [alive.enter_context(Side(name, task, folder)) for name in names]
            refuse_different([side.answer() for side in sides])
            for k in range(arguments.turns):
                for side in sides if k % 2 == 0 else sides[::-1]:
                    runs[side.name].append(side.turn(arguments.seconds))
    return {name: Series(tuple(of_side)) for name, of_side in runs.items()}


def refuse_different(given: Sequence[Mapping[str, Any]]) -> None:
    """Stop where sides do not do the same."""
    for name in given[0]:
        values = [each[name] for each in given]
        if name == "scores":
            furthest = float(np.max(np.abs(np.subtract(*map(np.array, values)))))
            largest = float(np.max(np.abs(values)))
            if len(values[0]) > 1 and not np.ptp(values[0], axis=0).max() > _CLOSE:
                raise RunError("scores are those of a network that sees no image")
            if not furthest <= _CLOSE * max(1.0, largest):
                raise RunError(f"scores of {largest:.3g} differ by up to {furthest:.2g}")
        elif len(set(values)) > 1:
            raise RunError(f"{name} differ: {values}")


def print_task(name: str, task: Task, series: Mapping[str, Series]) -> None:
    """Print what was measured of a task."""
    threads = "1 thread" if task.threads == 1 else f"{task.threads} threads"
    batches = f", batches of {task.batch_size}" if task.network else ""
    print(f"\n{name}: {task.title}{batches}, {threads}\n")
    rows = []
    for side, of_side in series.items():
        row = [side, f"{1 / median(of_side.wall):.1f}"]
        row += [spread([1000 * each for each in times]) for times in (of_side.wall, of_side.cpu)]
        if side != OURS:
            pair = getattr(of_side, task.clock), getattr(series[OURS], task.clock)
            least, middle, most = paired_ratios(*pair)
            row.append(
                f"{middle:.3f} ({least:.3f}–{most:.3f})"
                + (f", asked: {task.asked}" if task.asked else "")
            )
        else:
            row.append("")
        rows.append(row)
    header = ["", "images/s", "wall ms/image", "CPU ms/image", f"its {task.clock} by Snellen's"]
    print(side_by_side.table(header, rows))
    for line in side_by_side.noise(series):
        print(line)


def print_share(found: Mapping[str, Mapping[str, Series]]) -> None:
    """Print how much of a benchmark its numbers take."""
    if not {"metrics", "end to end"} <= found.keys():
        return
    numbers, running = (median(found[name][OURS].cpu) for name in ("metrics", "end to end"))
    print(
        f"\nNumbers of {_IMAGES:,} images take {_IMAGES * numbers:.2f} s of CPU, running the ONNX "
        f"network on them {_IMAGES * running:.0f} s: {numbers / running:.2%} (asked: below 1 %)"
    )


if __name__ == "__main__":
    main()
