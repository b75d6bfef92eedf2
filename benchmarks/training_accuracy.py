"""How good networks become that Snellen trains: test accuracy and seconds, several seeds.

``python benchmarks/training_accuracy.py`` trains on FashionMNIST what is in ``examples``: the two
demos, and the recipe in three lengths; ``--description FILE``, which may be repeated, trains
something else. Seeds run one after the other, each in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import side_by_side
from side_by_side import RunError, run_program

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_HERE = Path(__file__).resolve().parent

_EXAMPLES = _HERE.parent / "examples"


class Asked(NamedTuple):
    """What was asked for: mean accuracy of the test part, and within how many seconds."""

    accuracy: float
    seconds: float | None = None

    def __str__(self) -> str:
        within = "" if self.seconds is None else f" in {self.seconds:g} s"
        return f"{self.accuracy:.3f}{within}"


class Known(NamedTuple):
    """A description of the examples, for so many epochs."""

    path: Path
    epochs: int
    asked: Asked


_KNOWN: Final = {
    "fc": Known(_EXAMPLES / "fashion-fc.toml", 10, Asked(0.895)),
    "cnn": Known(_EXAMPLES / "fashion-cnn.toml", 10, Asked(0.92)),
    "92": Known(_EXAMPLES / "fashion-recipe.toml", 3, Asked(0.92, 90)),
    "93": Known(_EXAMPLES / "fashion-recipe.toml", 6, Asked(0.93, 180)),
    "94": Known(_EXAMPLES / "fashion-94.toml", 14, Asked(0.94, 360)),
}


def main() -> None:
    """Train as the command line says."""
    arguments = _arguments()
    if arguments.one is not None:
        _train_one(*arguments.one)
        return

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    machine = side_by_side.machine()
    print(f"machine   {side_by_side.description(machine)}")
    found: dict[str, list[dict[str, Any]]] = {}
    for description in arguments.description or list(_KNOWN):
        name = Path(description).stem
        for seed in range(arguments.seeds):
            try:
                run = _trained(description, seed, arguments.threads)
            except RunError as error:
                sys.exit(f"training_accuracy.py: error: {error}")
            found.setdefault(name, []).append(run)
            say(f"{name}, seed {seed}: {run['accuracy']:.4f}, {run['training']:.0f} s")
            # After each run: an hour's work is not lost where it is interrupted.
            content = {
                "schema": "snellen.benchmark/1",
                "task": "training_accuracy",
                "date": time.strftime("%Y-%m-%d", time.gmtime()),
                "machine": machine,
                "threads": arguments.threads,
                "runs": found,
            }
            side_by_side.write_json(arguments.output, content)
    print(f"threads   {arguments.threads}\n")
    print(_table(found))
    say(f"wrote {arguments.output}")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    add = parser.add_argument
    add("--seeds", type=int, default=5, help="how many: 0, 1, … (5)")
    add(
        "--description",
        action="append",
        metavar=f"FILE|{'|'.join(_KNOWN)}",
        help="what to train; may be repeated (all that have a name)",
    )
    add("--threads", type=int, default=side_by_side.processors(), help="of the processor (all)")
    add(
        "--output",
        type=Path,
        default=_HERE / "results" / "training_accuracy.json",
        metavar="FILE",
    )
    add("--one", nargs=4, help=argparse.SUPPRESS)  # what a process of its own is told
    return parser.parse_args()


def _trained(description: str, seed: int, threads: int) -> dict[str, Any]:
    """Train in a process of its own; return what it found, and what all of it took."""
    with tempfile.TemporaryDirectory(prefix="snellen-bench-") as folder:
        out = Path(folder) / "found.json"
        program = [sys.executable, str(Path(__file__).resolve()), "--one", description]
        run = run_program([*program, str(seed), str(threads), str(out)])
        found: dict[str, Any] = json.loads(out.read_text())
    return {**found, "whole": run.wall, "whole_cpu": run.cpu, "peak_mib": run.peak_mib}


def _train_one(description: str, seed: str, threads: str, out: str) -> None:
    os.environ["OMP_NUM_THREADS"] = threads
    from snellen.training import train
    from snellen.training.description import read_description

    known = _KNOWN.get(description)
    asked = read_description(description if known is None else known.path)
    asked = asked.changed(seed=int(seed), threads=int(threads))
    if known is not None:
        asked = asked.changed(epochs=known.epochs)
    start = time.perf_counter()
    run = train(asked, out=Path(out).with_name("run"))
    found = {
        "seed": int(seed),
        "accuracy": run.metrics["accuracy"],
        "measured_on": run.measured_on,
        "best_epoch": run.best_epoch,
        "epochs": len(run.history),
        # The loop, validation included; and the call, from opening data to the last file.
        "training": run.history[-1]["seconds"],
        "call": time.perf_counter() - start,
        "phases": dict(run.seconds),
    }
    Path(out).write_text(json.dumps(found))


def _table(found: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    rows = []
    for name, runs in found.items():
        accuracies = [run["accuracy"] for run in runs]
        row = [name, str(len(runs)), f"{runs[0]['epochs']}", _spread(accuracies, 4)]
        row += [f"{min(accuracies):.4f}"]
        row += [_spread([run[part] for run in runs], 1) for part in ("training", "call", "whole")]
        rows.append([*row, _verdict(name, runs)])
    header = ["", "seeds", "epochs", "test accuracy", "lowest", "training, s", "with test, s"]
    return side_by_side.table([*header, "whole process, s", "asked"], rows)


def _spread(values: Sequence[float], digits: int) -> str:
    text = f"{mean(values):.{digits}f}"
    return text if len(values) == 1 else f"{text} ± {stdev(values):.{digits}f}"


def _verdict(name: str, runs: Sequence[Mapping[str, Any]]) -> str:
    if name not in _KNOWN:
        return ""
    asked = _KNOWN[name].asked
    met = mean(run["accuracy"] for run in runs) >= asked.accuracy
    if asked.seconds is not None:
        met = met and mean(run["training"] for run in runs) <= asked.seconds
    return f"{asked}: {'met' if met else 'MISSED'}"


if __name__ == "__main__":
    main()
