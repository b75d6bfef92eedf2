"""Detection evaluation, Snellen beside its peers: time, processor, memory, and equal numbers.

``python benchmarks/detection.py`` with an interpreter that has Snellen and its ``bench`` extra.
README.md beside this file says how it measures.
"""

from __future__ import annotations

import argparse
import functools
import json
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

import side_by_side
from side_by_side import (
    Run,
    RunError,
    Series,
    interleaved,
    paired_ratios,
    run_program,
    sha256_of,
    spread,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_HERE = Path(__file__).resolve().parent
_CACHE = _HERE.parent / "build" / "bench"
_NUMPY = "python + numpy"
_OURS = "snellen"
_REFERENCE = "pycocotools"


class Side(NamedTuple):
    """A tool, and how it is used: see the module of its name in ``detection_sides``."""

    name: str
    package: str
    files: str
    arrays: str
    slow: bool = False  # takes part once, not in every round

    @property
    def module(self) -> str:
        """The module that uses the tool."""
        return f"detection_sides.{self.name.replace('-', '_')}"


_ROWS = "truth loaded; (n, 7) array → loadRes, evaluate, accumulate, summarize"
SIDES = (
    Side(
        _OURS,
        "snellen",
        "snellen evaluate detection --protocol coco-strict",
        "truth loaded; columns → Boxes.from_xywh, AveragePrecision.update, compute",
    ),
    Side("hotcoco", "hotcoco", "COCO, load_res, COCOeval.run; all processors", _ROWS),
    Side(
        "ultrafast-pycocotools",
        "ultrafast-pycocotools",
        "COCO, loadRes, COCOeval.run; all processors",
        _ROWS,
    ),
    Side(
        "vernier",
        "vernier",
        "instance.Evaluator(strict).evaluate(bytes, bytes, num_threads=all)",
        "truth loaded; (n, 7) array → Evaluator(strict).evaluate(num_threads=all)",
    ),
    Side("faster-coco-eval", "faster-coco-eval", "COCO, loadRes, COCOeval_faster.run", _ROWS),
    Side(
        _REFERENCE,
        "pycocotools",
        "COCO, loadRes, COCOeval; one run, the one that gives the numbers",
        f"{_ROWS}; one run",
        slow=True,
    ),
)
# Our side once more, with what the other sides are given.
_OUR_ROWS = Side(
    "snellen-rows",
    "snellen",
    "",
    "truth loaded; (n, 7) array → read_coco_predictions, update, compute",
)


class Sample(NamedTuple):
    """Made data, and where they lie."""

    n_images: int
    n_boxes: int
    n_detections: int

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        return _CACHE / f"detection-{self.n_images}-{self.n_boxes}-{self.n_detections}"

    @property
    def files(self) -> tuple[str, str]:
        """The annotation file and the results file."""
        return str(self.folder / "truth.json"), str(self.folder / "predictions.json")

    @property
    def rows(self) -> str:
        """The predictions as an array."""
        return str(self.folder / "rows.npy")

    def times(self, factor: int) -> Sample:
        """Return as many times the data."""
        return Sample(*(factor * n for n in self))

    def __str__(self) -> str:
        return f"{self.n_images:,} images, {self.n_boxes:,} boxes, {self.n_detections:,} detections"

    def digests(self) -> dict[str, str] | None:
        """Return the digests of the files where they are what was made; else None."""
        try:
            description = json.loads((self.folder / "sample.json").read_text())
            digests: dict[str, str] = description.pop("sha256")
            if description == self._asdict() and all(
                sha256_of(self.folder / name) == digest for name, digest in digests.items()
            ):
                return digests
        except (OSError, ValueError, KeyError):
            pass
        return None

    def make(self, say: Callable[[str], None]) -> dict[str, str]:
        """Make the files where they are not there, and return their digests."""
        digests = self.digests()
        if digests is None:
            say(f"making a sample: {self}")
            shutil.rmtree(self.folder, ignore_errors=True)
            run_program(
                [sys.executable, str(_HERE / "detection_sample.py"), str(self.folder)]
                + [str(n) for n in self]
            )
            digests = self.digests()
            if digests is None:
                raise RunError("the sample that was made is not what its digests say")
        return digests


FULL = Sample(5_000, 36_781, 500_000)  # the size of COCO's val2017, 100 detections an image
QUICK = Sample(500, 3_678, 50_000)
SMALL = Sample(100, 750, 3_000)


class Numbers(NamedTuple):
    """What a side computed from the files."""

    sha256: str
    numbers: list[float]
    array: Path
    run: Run


class Verdict(NamedTuple):
    """Whether a side's numbers are the reference's."""

    equal: bool
    text: str


def main() -> None:
    """Run the benchmark as the command line says."""
    arguments = _arguments()

    def say(text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    try:
        _benchmark(arguments, say)
    except RunError as error:
        sys.exit(f"detection.py: error: {error}")


def _arguments() -> argparse.Namespace:
    names = [side.name for side in SIDES]

    def some_sides(text: str) -> list[str]:
        unknown = set(text.split(",")) - set(names)
        if unknown:
            raise argparse.ArgumentTypeError(
                f"expected sides of {','.join(names)}; got {','.join(sorted(unknown))}"
            )
        return text.split(",")

    def positive(text: str) -> int:
        if not text.isdecimal() or int(text) < 1:
            raise argparse.ArgumentTypeError(f"expected a whole number from 1, got {text}")
        return int(text)

    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=positive, default=5, help="rounds (5)")
    parser.add_argument(
        "--sides", type=some_sides, help=f"only these, with commas, of {','.join(names)}"
    )
    parser.add_argument(
        "--scale",
        type=positive,
        default=1,
        help="also evaluate so many times the data, to see whether time grows with them: Snellen, "
        "or the fast ones of --sides",
    )
    parser.add_argument(
        "--quick", action="store_true", help="a tenth of the data: to try the benchmark itself"
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=_HERE / "results" / "detection.json",
        help="where the figures of every run go (benchmarks/results/detection.json)",
    )
    return parser.parse_args()


def _benchmark(arguments: argparse.Namespace, say: Callable[[str], None]) -> None:
    machine = side_by_side.machine()
    chosen = [side for side in SIDES if arguments.sides is None or side.name in arguments.sides]
    versions, found_sides = side_by_side.installed(
        {side.name: side.package for side in chosen}, say
    )
    present = [side for side in chosen if side.name in found_sides]
    sample = QUICK if arguments.quick else FULL
    content: dict[str, Any] = {
        "schema": "snellen.benchmark/1",
        "task": "detection",
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": machine,
        "versions": versions,
        "sample": {**sample._asdict(), "sha256": sample.make(say)},
    }
    print(f"machine   {side_by_side.description(machine)}")
    print(f"versions  {', '.join(f'{name} {version}' for name, version in versions.items())}")
    print(f"sample    {sample}")

    with tempfile.TemporaryDirectory(prefix="snellen-bench-") as scratch:
        found = _all_numbers(present, sample, Path(scratch), say)
        present = [side for side in present if side.name in found]
        verdicts = _verdicts(found)
        content["numbers"] = {
            name: {
                "precision_sha256": of_side.sha256,
                "numbers": of_side.numbers,
                "verdict": verdicts[name].text,
            }
            for name, of_side in found.items()
        }
        content["from_files"] = _from_files(present, sample, found, verdicts, arguments.runs, say)
        content["from_arrays"] = _from_arrays(
            present, sample, found, verdicts, arguments.runs, Path(scratch), say
        )
    content["small"] = _small(present, arguments.runs, say)
    if arguments.scale > 1:
        growing = [side for side in present if not side.slow]
        if arguments.sides is None:
            growing = [side for side in growing if side.name == _OURS]
        content["scale"] = _scale(growing, sample, arguments.scale, arguments.runs, say)
    side_by_side.write_json(arguments.output, content)
    say(f"wrote {arguments.output}")


def _program(module: str, *arguments: str) -> list[str]:
    return [sys.executable, str(_HERE / "run_side.py"), module, *arguments]


def _command(side: Side, sample: Sample) -> list[str]:
    """Return the program that goes from two files to the twelve printed lines."""
    if side.name != _OURS:
        return _program(side.module, "from_files", *sample.files)
    script = Path(sysconfig.get_path("scripts")) / "snellen"
    return [str(script), "evaluate", "detection", *sample.files, "--protocol", "coco-strict"]


def _measured(command: Sequence[str]) -> Callable[[], Run]:
    return functools.partial(run_program, command)


def _all_numbers(
    sides: Sequence[Side], sample: Sample, scratch: Path, say: Callable[[str], None]
) -> dict[str, Numbers]:
    """Let every side compute its numbers once; also warms the file cache for what follows."""
    found = {}
    for side in sides:
        say(f"numbers of {side.name}{' (takes long)' if side.slow else ''}")
        out = scratch / side.name
        try:
            run = run_program(_program(side.module, "numbers", str(out), *sample.files))
        except RunError as error:
            say(f"{side.name} is left out: {error}")
            continue
        result = json.loads(Path(f"{out}.json").read_text())
        found[side.name] = Numbers(result["sha256"], result["numbers"], Path(f"{out}.npy"), run)
    return found


def _verdicts(found: Mapping[str, Numbers]) -> dict[str, Verdict]:
    """Compare with the reference; without it, with what most sides have."""
    if not found:
        raise RunError("no side could be run")
    if _REFERENCE in found:
        reference = found[_REFERENCE]
    else:
        commonest = Counter(numbers.sha256 for numbers in found.values()).most_common(1)[0][0]
        reference = next(numbers for numbers in found.values() if numbers.sha256 == commonest)
    verdicts = {}
    for name, numbers in found.items():
        remarks = []
        if numbers.sha256 != reference.sha256:
            remarks.append(_difference(reference.array, numbers.array))
        apart = [
            abs(one - other)
            for one, other in zip(reference.numbers, numbers.numbers, strict=True)
            if one != other
        ]
        if apart:
            remarks.append(f"{len(apart)} of the twelve numbers, by at most {max(apart):.2g}")
        verdicts[name] = Verdict(not remarks, "; ".join(remarks) or "equal")
    return verdicts


_COMPARE = """
import sys
import numpy as np
ours, theirs = np.load(sys.argv[1]), np.load(sys.argv[2])
if ours.shape != theirs.shape:
    print(f"precision has the shape {theirs.shape}, not {ours.shape}")
else:
    apart = np.abs(ours - theirs)[ours.view(np.uint64) != theirs.view(np.uint64)]
    print(f"{apart.size:,} of {ours.size:,} precision cells, by at most {apart.max():.2g}")
"""


def _difference(reference: Path, array: Path) -> str:
    command = [sys.executable, "-c", _COMPARE, str(reference), str(array)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def _from_files(
    sides: Sequence[Side],
    sample: Sample,
    found: Mapping[str, Numbers],
    verdicts: Mapping[str, Verdict],
    rounds: int,
    say: Callable[[str], None],
) -> dict[str, Any]:
    say("from files")
    programs = {_NUMPY: _measured([sys.executable, "-c", "import numpy"])}
    programs.update(
        {side.name: _measured(_command(side, sample)) for side in sides if not side.slow}
    )
    series = interleaved(programs, rounds, say)
    series.update({side.name: Series((found[side.name].run,)) for side in sides if side.slow})
    _print_comparison(
        "Two JSON files to the twelve printed numbers, whole process", series, verdicts
    )
    _print_notes({side.name: side.files for side in sides}, verdicts)
    return _raw(series, {side.name: side.files for side in sides})


def _from_arrays(
    sides: Sequence[Side],
    sample: Sample,
    found: Mapping[str, Numbers],
    verdicts: Mapping[str, Verdict],
    rounds: int,
    scratch: Path,
    say: Callable[[str], None],
) -> dict[str, Any]:
    say("from arrays")
    taking_part = list(sides)
    if any(side.name == _OURS for side in sides):
        taking_part.insert(1, _OUR_ROWS)
    numbers: dict[str, list[float]] = {}

    def measure(side: Side) -> Run:
        out = str(scratch / "arrays")
        files = (sample.files[0], sample.rows)
        run_program(_program(side.module, "from_arrays", out, *files))
        measured = json.loads(Path(f"{out}.json").read_text())
        numbers[side.name] = measured["numbers"]
        return Run(measured["wall"], measured["cpu"])

    series = interleaved(
        {side.name: functools.partial(measure, side) for side in taking_part if not side.slow},
        rounds,
        say,
    )
    for side in taking_part:
        if side.slow:
            say(f"{side.name} (takes long)")
            series[side.name] = Series((measure(side),))
    # The same evaluation: its numbers are equal where they are those that the files gave.
    here = {
        name: verdicts[home]
        if numbers[name] == found[home].numbers
        else Verdict(False, "other numbers than from files")
        for name in series
        for home in (_OURS if name == _OUR_ROWS.name else name,)
    }
    how = {side.name: side.arrays for side in taking_part}
    _print_comparison("Arrays in memory to the twelve numbers, within a process", series, here)
    _print_notes(how, here)
    return _raw(series, how)


def _small(sides: Sequence[Side], rounds: int, say: Callable[[str], None]) -> dict[str, Any]:
    SMALL.make(say)
    say("small")
    programs = {
        "python": _measured([sys.executable, "-c", "pass"]),
        _NUMPY: _measured([sys.executable, "-c", "import numpy"]),
    }
    for side in sides:
        if side.name == _OURS:
            script = _command(side, SMALL)[0]
            programs["snellen --help"] = _measured([script, "--help"])
        programs[side.name] = _measured(_command(side, SMALL))
    series = interleaved(programs, rounds, say)
    print(f"\nA small evaluation ({SMALL}), whole process; {rounds} rounds\n")
    print(side_by_side.table(("", "wall s", "CPU s", "peak MiB"), _resource_rows(series)))
    _print_noise(series)
    return _raw(series, {})


def _scale(
    sides: Sequence[Side],
    sample: Sample,
    factor: int,
    rounds: int,
    say: Callable[[str], None],
) -> dict[str, Any]:
    larger = sample.times(factor)
    larger.make(say)
    say("scale")
    programs = {}
    for side in sides:
        programs[f"{side.name}, 1×"] = _measured(_command(side, sample))
        programs[f"{side.name}, {factor}×"] = _measured(_command(side, larger))
    series = interleaved(programs, rounds, say)
    print(f"\nLinearity: the sample and {factor} times as much, from files; {rounds} rounds\n")
    print(side_by_side.table(("", "wall s", "CPU s", "peak MiB"), _resource_rows(series)))
    for side in sides:
        small, large = series[f"{side.name}, 1×"], series[f"{side.name}, {factor}×"]
        walls = paired_ratios(large.wall, small.wall)
        cpus = paired_ratios(large.cpu, small.cpu)
        print(
            f"{side.name}: {factor} times the data take {walls[1]:.2f} times the wall time and "
            f"{cpus[1]:.2f} times the CPU time"
        )
    _print_noise(series)
    return _raw(series, {})


def _resource_rows(series: Mapping[str, Series]) -> list[list[str]]:
    return [
        [name, spread(of_side.wall), spread(of_side.cpu), f"{median(of_side.peak_mib):.0f}"]
        for name, of_side in series.items()
    ]


def _print_comparison(
    title: str, series: Mapping[str, Series], verdicts: Mapping[str, Verdict]
) -> None:
    """Print the table, the paired ratios and the bar; ratios only where the numbers are equal."""
    ours = series.get(_OURS)
    comparable = {
        name: of_side
        for name, of_side in series.items()
        if name in verdicts and verdicts[name].equal and name not in (_OURS, _OUR_ROWS.name)
    }
    if ours is None or not verdicts[_OURS].equal:
        comparable = {}
    fastest = min(comparable, key=lambda name: median(comparable[name].wall), default=None)
    with_memory = all(of_side.peak_mib for of_side in series.values())

    rows = []
    for name, of_side in series.items():
        verdict = verdicts.get(name)
        row = [
            f"{name} *" if name == fastest else name,
            "" if verdict is None else "equal" if verdict.equal else "differ",
            spread(of_side.wall),
            spread(of_side.cpu),
        ]
        if with_memory:
            over = median(of_side.peak_mib) - median(series[_NUMPY].peak_mib)
            row += [f"{median(of_side.peak_mib):.0f}", "" if name == _NUMPY else f"{over:.0f}"]
        for values in ("wall", "cpu"):
            row.append(
                f"{median(getattr(of_side, values)) / median(getattr(ours, values)):.2f}"
                if name in comparable
                else ""
            )
        rows.append(row)
    header = ["", "numbers", "wall s", "CPU s"]
    header += ["peak MiB", "over NumPy"] if with_memory else []
    header += ["wall / Snellen's", "CPU / Snellen's"]
    rounds = max(len(of_side.runs) for of_side in series.values())
    print(f"\n{title}; {rounds} rounds, interleaved: median (least–greatest)\n")
    print(side_by_side.table(header, rows))
    if fastest is not None and ours is not None:
        _print_ratios(ours, comparable, fastest)
    _print_noise(series)


def _print_ratios(ours: Series, others: Mapping[str, Series], fastest: str) -> None:
    paired = {name: of for name, of in others.items() if len(of.runs) == len(ours.runs)}
    rows = []
    for name, of_side in paired.items():
        rows.append([f"{name} *" if name == fastest else name])
        for one, other in ((ours.wall, of_side.wall), (ours.cpu, of_side.cpu)):
            rows[-1] += [f"{ratio:.3f}" for ratio in paired_ratios(one, other)]
    print("\nSnellen / peer, round by round (* the fastest peer with equal numbers)\n")
    header = ("", "wall: least", "median", "greatest", "CPU: least", "median", "greatest")
    print(side_by_side.table(header, rows))
    if fastest in paired:
        bar = paired_ratios(ours.wall, paired[fastest].wall)[1]
        print(f"\nSnellen / fastest peer ({fastest}): {bar:.3f} of its wall time, 1/{1 / bar:.1f}")


def _print_noise(series: Mapping[str, Series]) -> None:
    for line in side_by_side.noise(series):
        print(line)


def _print_notes(how: Mapping[str, str], verdicts: Mapping[str, Verdict]) -> None:
    print()
    width = max(map(len, how))
    for name, text in how.items():
        verdict = verdicts[name]
        numbers = "" if verdict.equal else f"; numbers differ: {verdict.text}"
        print(f"{name:{width}}  {text}{numbers}")


def _raw(series: Mapping[str, Series], how: Mapping[str, str]) -> dict[str, Any]:
    """Return every run, for the file."""
    return {
        name: {
            **({"how": how[name]} if name in how else {}),
            "runs": [
                {key: value for key, value in run._asdict().items() if value is not None}
                for run in of_side.runs
            ],
        }
        for name, of_side in series.items()
    }


if __name__ == "__main__":
    main()
