"""Multi-object tracking, Snellen beside its peers: from files to a result, and phase by phase.

``python benchmarks/tracking.py`` with an interpreter that has Snellen and its ``bench`` extra.
README.md beside this file says how it measures.
"""

from __future__ import annotations

import json
import sys
import sysconfig
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

import side_by_side
from in_memory import OURS, Measuring, main
from side_by_side import Run, run_program, spread
from tracking_sides import BENCHMARK, PHASES
from whole_programs import Program, WholePrograms

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Mapping, Sequence

    from in_memory import Numbers
    from side_by_side import Series
    from tracking_sample import Crowds

_HERE = Path(__file__).resolve().parent

_PACKAGES = {
    "snellen": "snellen",
    "trackeval": "trackeval",
    "trackeval_parallel": "trackeval",
    "motrics": "motrics",
    "trackers": "trackers",
    "motmetrics": "motmetrics",
}
_METRICS = "hota,clear,identity,vace,count"
# py-motmetrics matches differently, and neither knows that vehicles forgive in MOT20.
_OWN_RULES = ("trackers", "motmetrics")
_EXAMPLES = ("MOTA", "IDF1")


def _agreement(side: str, theirs: Numbers, ours: Numbers) -> str:
    """Return whether the numbers that both sides have are equal, to the last bit."""
    if side in _OWN_RULES:
        apart = ", ".join(f"{name} {theirs[name] - ours[name]:+.4f}" for name in _EXAMPLES)
        return f"own rules: {apart}"
    shared = {name: value for name, value in theirs.items() if name in ours}
    apart = [name for name, value in shared.items() if value != ours[name]]
    if not apart:
        return f"{len(shared)} equal"
    most = max(apart, key=lambda name: abs(shared[name] - ours[name]) / max(1, abs(ours[name])))
    return (
        f"{len(apart)} of {len(shared)} DIFFER: {most} {shared[most]:g} instead of {ours[most]:g}"
    )


def _crowds(scale: float, scratch: Path) -> Crowds:
    from tracking_sample import Crowds

    return Crowds.made(scratch / "crowds", round(2000 * scale))


def _files(scale: float, scratch: Path) -> Mapping[str, Program]:
    folders = [str(folder) for folder in _crowds(scale, scratch)]
    threads = side_by_side.processors()
    peers = {
        "trackeval": (),
        "trackeval_parallel": (str(threads),),
        "motrics": (),
        "trackers": (),
        "motmetrics": (),
    }
    return {
        OURS: _command(*folders, threads=threads, out=scratch / "snellen.json"),
        f"{OURS}, one thread": _command(*folders, threads=1, out=scratch / "one_thread.json"),
        **{
            side: _side(side, *folders, out=scratch / f"{side}.json", options=options)
            for side, options in peers.items()
        },
        "python + numpy": Program([sys.executable, "-c", "import numpy"]),
    }


def _command(*folders: str, threads: int, out: Path) -> Program:
    """Return Snellen's command line."""
    script = Path(sysconfig.get_path("scripts")) / "snellen"
    command = [str(script), "evaluate", "tracking", *folders, "--protocol", BENCHMARK.lower()]
    command += ["--metrics", _METRICS, "--threads", str(threads), "--json", str(out)]
    return Program(command, lambda: json.loads(out.read_text())["metrics"])


def _side(side: str, *folders: str, out: Path, options: Sequence[str]) -> Program:
    program = [sys.executable, str(_HERE / "run_side.py"), f"tracking_sides.{side}", "from_files"]
    return Program([*program, *folders, str(out), *options], lambda: json.loads(out.read_text()))


class Phases(NamedTuple):
    """The parts of the work, each side in one process and on one thread."""

    name: str
    title: str
    sides: tuple[str, ...]
    once: tuple[str, ...] = ()

    def measuring(self, script: str, scratch: Path, calls: int) -> Measuring:
        """Return what measures it."""
        return _MeasuringPhases(script, self, scratch, calls)


class _MeasuringPhases(Measuring):
    """The runs of the parts."""

    def run(
        self, sides: Sequence[str], arguments: argparse.Namespace, say: Callable[[str], None]
    ) -> dict[str, Any]:
        """Measure, print, and return the figures of every run and the seconds of every part."""
        self._seconds: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
        return {**super().run(sides, arguments, say), "phases": self._seconds}

    def prepare(self, scale: float, sides: Sequence[str]) -> Sequence[str]:
        """Make the files; all sides take part."""
        self._folders = [str(folder) for folder in _crowds(scale, self.scratch)]
        return sides

    def clear(self) -> None:
        """Leave the files to other tasks."""

    def measure(self, side: str, calls: int) -> Run:
        """Run a side once, and keep the seconds of its parts."""
        del calls
        out = self.scratch / f"phases-{side}"
        program = [sys.executable, str(_HERE / "run_side.py"), f"tracking_sides.{side}"]
        run = run_program([*program, "phases", str(out), *self._folders])
        self._seconds[side].append(json.loads(Path(f"{out}.json").read_text()))
        return run

    def _print(self, series: Mapping[str, Series]) -> None:
        print(f"\n{self.task.title}\n")
        peers = [side for side in series if side != OURS]
        rows = []
        for phase in (*PHASES, "all of them"):
            of_side = {side: self._of(side, phase) for side in series}
            row = [phase, *(spread(of_side[side]) for side in (OURS, *peers))]
            row += [f"1/{median(of_side[side]) / median(of_side[OURS]):.1f}" for side in peers]
            rows.append(row)
        header = ["", *(f"{side}, s" for side in (OURS, *peers))]
        header += [f"Snellen's share of {side}" for side in peers]
        print(side_by_side.table(header, rows))
        for line in side_by_side.noise(series):
            print(line)

    def _of(self, side: str, phase: str) -> list[float]:
        runs = self._seconds[side]
        return [sum(run.values()) if phase == "all of them" else run[phase] for run in runs]


TASKS = (
    WholePrograms(
        "files",
        "4 sequences of 2,000 frames of about 100 objects, folders of text to HOTA, CLEAR, "
        "Identity, VACE and counts; whole process",
        _files,
        ("snellen", "trackeval", "trackeval_parallel", "motrics", "trackers", "motmetrics"),
        once=("motmetrics",),
        bars={"trackeval": 1 / 30, "motmetrics": 1 / 100},
        agreement=_agreement,
    ),
    Phases(
        "phases",
        "The same, phase by phase within one process; one thread",
        ("snellen", "trackeval"),
    ),
)

if __name__ == "__main__":
    main("tracking", __doc__.partition("\n")[0], _PACKAGES, TASKS)
