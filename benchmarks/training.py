"""Training on FashionMNIST, Snellen beside other ways to train: seconds an epoch.

``python benchmarks/training.py`` with an interpreter that has Snellen and its ``bench`` extra.
README.md beside this file says how it measures.
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
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
import side_by_side
from side_by_side import Run, RunError, Series, interleaved, paired_ratios, run_program, spread
from training_sides import initial_weights
from training_sides.fashion import FOLDER, read_fashion

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_HERE = Path(__file__).resolve().parent

OURS: Final = "snellen"

# What each side needs, as it is imported, and what it is called on an index.
_PACKAGES: Final = {
    "snellen": ("torch", "torch"),
    "snellen_bare": ("torch", "torch"),
    "bare": ("torch", "torch"),
    "bare_fused": ("torch", "torch"),
    "dataloader": ("torch", "torch"),
    "fabric": ("lightning_fabric", "lightning-fabric"),
    "lightning": ("lightning", "lightning"),
    "lightning_bare": ("lightning", "lightning"),
    "keras_torch": ("keras", "keras"),
    "keras_jax": ("jax", "jax"),
}


class Task(NamedTuple):
    """A network, what share of each side's epoch was asked for, and what a benchmark can afford."""

    title: str
    bars: Mapping[str, float]
    epochs: int
    threads: Sequence[int]
    sides: Sequence[str]


TASKS: Final = {
    "fc": Task(
        "784-512-10",
        {
            "lightning": 0.40,
            "keras_torch": 0.45,
            "dataloader": 0.55,
            "bare": 1.05,
            "bare_fused": 1.05,
            "snellen_bare": 1.03,
        },
        3,
        (1, 2),
        list(_PACKAGES),
    ),
    "cnn": Task(
        "conv32-pool-conv64-pool-fc128-10, 3 × 3, same",
        {
            "bare": 0.75,
            "lightning": 0.75,
            "keras_torch": 0.60,
            "snellen_bare": 1.03,
        },
        2,
        (1,),
        ["snellen", "snellen_bare", "bare", "bare_fused", "lightning", "keras_torch"],
    ),
}

_WHOLE: Final = 60_000  # images of an epoch
_WARM: Final = 1  # epochs that do not count where there are others


def main() -> None:
    """Run the benchmark as the command line says."""
    arguments = _arguments()

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    sides = [side for side in arguments.sides or _PACKAGES if _is_there(side, say)]
    machine = side_by_side.machine()
    versions = _versions(sides)
    print(f"machine   {side_by_side.description(machine)}")
    print(f"versions  {', '.join(f'{name} {version}' for name, version in versions.items())}")
    content: dict[str, Any] = {
        "schema": "snellen.benchmark/1",
        "task": "training",
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": machine,
        "versions": versions,
        "tasks": {},
    }
    try:
        with tempfile.TemporaryDirectory(prefix="snellen-bench-") as scratch:
            for name in arguments.tasks:
                task = TASKS[name]
                of_task = [side for side in sides if arguments.sides or side in task.sides]
                arrays = Path(scratch) / f"{name}.npz"
                made = made_arrays(name, arguments.epochs or task.epochs, arguments)
                np.savez(arrays, **made)
                for threads in arguments.threads or task.threads:
                    measuring = Measuring(name, threads, arrays, len(made["train_labels"]))
                    say(measuring.title)
                    content["tasks"][f"{name}, {threads}"] = measuring.run(
                        of_task, arguments.rounds, say
                    )
    except RunError as error:
        sys.exit(f"training.py: error: {error}")
    side_by_side.write_json(arguments.output, content)
    say(f"wrote {arguments.output}")


def _arguments() -> argparse.Namespace:
    def some_of(known: Sequence[str]) -> Any:
        def chosen(text: str) -> list[str]:
            if not set(text.split(",")) <= set(known):
                raise argparse.ArgumentTypeError(f"expected some of {','.join(known)}, got {text}")
            return text.split(",")

        return chosen

    def numbers(text: str) -> list[int]:
        return [int(number) for number in text.split(",")]

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--rounds", type=int, default=3, help="how often every side runs (3)")
    add("--epochs", type=int, help="epochs of a run; the median counts (fc: 3, cnn: 2)")
    add("--images", type=int, default=_WHOLE, help="only so many; seconds are those of 60,000")
    add("--threads", type=numbers, help="of the processor, with commas (fc: 1,2, cnn: 1)")
    add("--tasks", type=some_of(list(TASKS)), default=list(TASKS), help="fc, cnn")
    add("--sides", type=some_of(list(_PACKAGES)), help="only these (fc: all, cnn: with a bar)")
    add("--seed", type=int, default=0, help="of weights and orders (0)")
    add("--data", type=Path, default=FOLDER, metavar="FOLDER", help="FashionMNIST's four files")
    add("--output", type=Path, default=_HERE / "results" / "training.json", metavar="FILE")
    return parser.parse_args()


def _is_there(side: str, say: Any) -> bool:
    package, name = _PACKAGES[side]
    if importlib.util.find_spec(package) is None:
        say(f"{side} is left out: {name} is not installed")
        return False
    return True


def _versions(sides: Sequence[str]) -> dict[str, str]:
    from importlib.metadata import version

    names = dict.fromkeys(_PACKAGES[side][1] for side in sides)
    return {name: version(name) for name in ("snellen", *names, "numpy")}


def made_arrays(network: str, epochs: int, arguments: argparse.Namespace) -> dict[str, Any]:
    """Return what every side is given."""
    from snellen.training.randomness import permutation

    arrays: dict[str, Any] = read_fashion(arguments.data)
    for kind in ("images", "labels"):
        arrays[f"train_{kind}"] = arrays[f"train_{kind}"][: arguments.images]
    n = len(arrays["train_labels"])
    orders = [permutation(n, arguments.seed, epoch).numpy() for epoch in range(epochs)]
    for k, weights in enumerate(initial_weights(network, arguments.seed)):
        arrays[f"weights_{k}"] = weights
    return {**arrays, "orders": np.stack(orders), "seed": arguments.seed}


def _as_many(one: np.ndarray, other: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    n = min(len(one), len(other))
    return one[:n], other[:n]


class Measuring:
    """The runs of one network on so many threads."""

    def __init__(self, network: str, threads: int, arrays: Path, n_images: int) -> None:
        self.network, self.threads, self.arrays = network, threads, arrays
        self.scale = _WHOLE / n_images
        self.found: dict[str, list[dict[str, Any]]] = {}

    @property
    def title(self) -> str:
        """What is measured, in a line."""
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        return f"{self.network}, {TASKS[self.network].title}; batches of 128, Adam; {threads}"

    def run(self, sides: Sequence[str], rounds: int, say: Any) -> dict[str, Any]:
        """Measure, print, and return the figures of every run."""
        measured = {side: functools.partial(self._measure, side) for side in sides}
        series = interleaved(measured, rounds, say)
        self._print(series)
        return {"title": self.title, "images": round(_WHOLE / self.scale), "runs": self.found}

    def _measure(self, side: str) -> Run:
        out = self.arrays.with_name(f"{side}.json")
        program = [sys.executable, str(_HERE / "training_run.py"), side, self.network]
        whole = run_program([*program, str(self.arrays), str(out), str(self.threads)])
        found = json.loads(out.read_text())
        self.found.setdefault(side, []).append({**found, "peak_mib": whole.peak_mib})
        wall, cpu = (
            median(found[clock][_WARM:] or found[clock]) * self.scale for clock in ("wall", "cpu")
        )
        return Run(wall, cpu, whole.peak_mib)

    def _print(self, series: Mapping[str, Series]) -> None:
        # On several threads, those that wait spin: their processor time says nothing.
        clock = "cpu" if self.threads == 1 else "wall"
        print(f"\n{self.title}\n")
        rows = []
        for side, of_side in series.items():
            row = [side, spread(of_side.cpu, 2), spread(of_side.wall, 2)]
            row += [f"{median(of_side.peak_mib):.0f}"]
            row += [f"{median(found['accuracy'] for found in self.found[side]):.4f}"]
            row += [self._losses(side), self._ratio("bare", side, series, clock, over=True)]
            row += [self._ratio(OURS, side, series, clock, bars=TASKS[self.network].bars)]
            rows.append(row)
        header = ["", "CPU s/epoch", "wall s/epoch", "peak MiB", "test accuracy", "first losses"]
        header += [f"{clock} over bare's", f"Snellen's share of its {clock}"]
        print(side_by_side.table(header, rows))
        for line in side_by_side.noise(series):
            print(line)

    def _losses(self, side: str) -> str:
        """Return whose first losses a side's are, or how far they are from the bare loop's."""
        mine = self._first_losses(side)
        for other in ("bare", "bare_fused"):
            if side in ("bare", "bare_fused") or other not in self.found:
                continue
            if np.array_equal(*_as_many(mine, self._first_losses(other))):
                return f"equal {other}'s"
        if side == "bare" or "bare" not in self.found:
            return ""
        ours, theirs = _as_many(mine, self._first_losses("bare"))
        return f"bare's within {np.max(np.abs(ours - theirs)):.0e}"

    def _first_losses(self, side: str) -> np.ndarray:
        return np.array(self.found[side][0]["losses"])

    def _ratio(
        self,
        one: str,
        side: str,
        series: Mapping[str, Series],
        clock: str,
        *,
        over: bool = False,
        bars: Mapping[str, float] | None = None,
    ) -> str:
        if one not in series or side == one:
            return ""
        pair = getattr(series[one], clock), getattr(series[side], clock)
        text = f"{paired_ratios(*(reversed(pair) if over else pair))[1]:.2f}"
        if bars is not None and side in bars:
            text += f" (asked: {bars[side]:.2f})"
        return text


if __name__ == "__main__":
    main()
