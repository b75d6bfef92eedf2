"""Programs side by side: fresh processes, interleaved, measured from outside.

Nothing here knows what is measured. A run is one process; a round runs every side once; each round
starts with another side, so that no side always follows the same neighbour. What the machine does
beside the benchmark then hits all sides alike, and the ratio of two runs of the same round says
more than the ratio of two medians.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import os
import platform
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = [
    "Run",
    "RunError",
    "Series",
    "description",
    "installed",
    "interleaved",
    "machine",
    "noise",
    "paired_ratios",
    "processors",
    "run_program",
    "sha256_of",
    "spread",
    "table",
    "write_json",
]

_MEASURED_PROGRAM = Path(__file__).with_name("measured_program.py")

# Linux counts memory in KiB, macOS in bytes.
_RSS_PER_MIB = 2**20 if sys.platform == "darwin" else 2**10

_STEADY = 1.5  # longest / shortest run of a side on a quiet machine
_WAITING = 1.25  # wall / CPU time of a program that has the processor when it wants it


class RunError(Exception):
    """A program ended with an error; the message has the end of what it printed."""


class Run(NamedTuple):
    """One run: seconds from start to end, seconds of processor, peak memory."""

    wall: float
    cpu: float
    peak_mib: float | None = None


class Series(NamedTuple):
    """All runs of one side, one a round."""

    runs: tuple[Run, ...]

    @property
    def wall(self) -> list[float]:
        """Seconds from start to end."""
        return [run.wall for run in self.runs]

    @property
    def cpu(self) -> list[float]:
        """Seconds of processor, user and system, of all threads."""
        return [run.cpu for run in self.runs]

    @property
    def peak_mib(self) -> list[float]:
        """Peak resident memory; empty where it was not measured."""
        return [run.peak_mib for run in self.runs if run.peak_mib is not None]


def run_program(command: Sequence[str]) -> Run:
    """Run a program to its end and measure it; what it prints is read and dropped.

    Raises
    ------
    RunError
        Where it ends with another code than 0.
    """
    measuring = [sys.executable, "-I", "-S", str(_MEASURED_PROGRAM), *command]
    done = subprocess.run(measuring, check=True, stdout=subprocess.PIPE)
    figures, _, printed = done.stdout.partition(b"\n")
    wall, cpu, peak, code = figures.split()
    if int(code):
        last = printed.decode(errors="replace").strip().splitlines()[-2:]
        called = " ".join(Path(part).name for part in command[:4])
        raise RunError(f"{called} … ended with exit code {int(code)}: {' '.join(last)}")
    return Run(float(wall), float(cpu), int(peak) / _RSS_PER_MIB)


def interleaved(
    sides: Mapping[str, Callable[[], Run]], rounds: int, say: Callable[[str], None]
) -> dict[str, Series]:
    """Run every side once a round, each round from another side on."""
    runs: dict[str, list[Run]] = {name: [] for name in sides}
    names = list(sides)
    for number in range(rounds):
        say(f"round {number + 1} of {rounds}")
        first = number % max(1, len(names))
        for name in names[first:] + names[:first]:
            runs[name].append(sides[name]())
    return {name: Series(tuple(of_side)) for name, of_side in runs.items()}


def paired_ratios(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float, float]:
    """Return the least, median and greatest of ours / theirs, round by round."""
    ratios = [one / other for one, other in zip(ours, theirs, strict=True)]
    return min(ratios), median(ratios), max(ratios)


def spread(values: Sequence[float], digits: int = 3) -> str:
    """Return ``median (least–greatest)``; a single value stands alone."""
    text = f"{median(values):.{digits}f}"
    if len(values) == 1:
        return text
    return f"{text} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def noise(series: Mapping[str, Series]) -> list[str]:
    """Return what in these runs speaks for a machine that was doing something else, too."""
    unsteady, waiting = [], []
    for name, of_side in series.items():
        if max(of_side.wall) > _STEADY * min(of_side.wall):
            unsteady.append(f"{name} {max(of_side.wall) / min(of_side.wall):.1f}×")
        kept = median(run.wall / run.cpu for run in of_side.runs)
        if kept > _WAITING:
            waiting.append(f"{name} {kept:.1f}×")
    lines = []
    if unsteady:
        lines.append(f"noisy machine: longest over shortest run: {', '.join(unsteady)}")
    if waiting:
        lines.append(f"noisy machine: waited for a processor or a disk: {', '.join(waiting)}")
    return lines


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return rows as lines: the first column to the left, the others to the right."""
    cells = [list(header), *map(list, rows)]
    widths = [max(len(row[i]) for row in cells) for i in range(len(header))]
    lines = [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def processors() -> int:
    """Return how many processors this process and its children may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def machine() -> dict[str, Any]:
    """Describe the machine: what decides speed, nothing that names it."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "cpu": _cpu_model(),
        "processors": processors(),
        "memory_gib": round(memory / 2**30, 1),
        "os": f"{_distribution()}, {platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "load_before": round(os.getloadavg()[0], 2),
    }


def description(machine: Mapping[str, Any]) -> str:
    """Return what `machine` found in one line."""
    return (
        f"{machine['cpu']}, {machine['processors']} processors, {machine['memory_gib']:g} GiB, "
        f"{machine['os']}, {machine['python']}, load before {machine['load_before']:g}"
    )


def installed(
    packages: Mapping[str, str], say: Callable[[str], None]
) -> tuple[dict[str, str], list[str]]:
    """Return the versions of the packages of sides, and the sides whose package is there.

    One that lies on the path without having been installed, a checkout, has no version.
    """
    present, versions = [], {}
    for name, package in packages.items():
        try:
            versions[name] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            if not package.isidentifier() or importlib.util.find_spec(package) is None:
                say(f"{name} is left out: {package} is not installed, and not in PYTHONPATH")
                continue
            versions[name] = "from a folder"
        present.append(name)
    versions["numpy"] = importlib.metadata.version("numpy")
    return versions, present


def _cpu_model() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return platform.processor() or platform.machine()
    for line in text.splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _distribution() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", platform.system())
    except OSError:
        return platform.system()


def sha256_of(path: Path) -> str:
    """Return the digest of a file of any size."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a result, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.part")
    unfinished.write_text(json.dumps(content, indent=1) + "\n")
    unfinished.replace(path)
