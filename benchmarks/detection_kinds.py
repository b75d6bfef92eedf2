"""Masks, keypoints, LVIS and Objects365, Snellen beside its peers: from files to the numbers.

``python benchmarks/detection_kinds.py`` with an interpreter that has Snellen and its ``bench``
extra. README.md beside this file says how it measures.
"""

from __future__ import annotations

import functools
import json
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from detection_kinds_sample import SIZES, made
from detection_within import WithinProcess
from in_memory import OURS, main
from side_by_side import RunError, run_program
from whole_programs import Program, WholePrograms

if TYPE_CHECKING:
    from collections.abc import Mapping

    from in_memory import Numbers

_HERE: Final = Path(__file__).resolve().parent
_CACHE: Final = _HERE.parent / "build" / "bench"
_PACKAGES: Final = {
    OURS: "snellen",
    "snellen_shim": "snellen",
    "hotcoco": "hotcoco",
    "ultrafast_pycocotools": "ultrafast-pycocotools",
    "vernier": "vernier",
    "faster_coco_eval": "faster-coco-eval",
    "pycocotools": "pycocotools",
    "lvis_api": "lvis",
}
_SLOW: Final = ("faster_coco_eval", "pycocotools", "lvis_api")  # take part once
_ALL: Final = tuple(side for side in _PACKAGES if side not in ("lvis_api", "snellen_shim"))


class _Kind(NamedTuple):
    """What is measured: the sample, its kind in words of the sides, and our options."""

    sample: str
    kind: str
    options: tuple[str, ...]
    title: str
    bar: float
    sides: tuple[str, ...] = _ALL
    # With all of the data they would take hours, or more memory than most machines have.
    small_only: tuple[str, ...] = ()


_POSES: Final = ("--protocol", "coco-keypoints-strict", "--similarity", "keypoints")
# It wants a box beside masks and keypoints, which COCO's results have not.
_WITHOUT_VERNIER: Final = tuple(side for side in _ALL if side != "vernier")
_KINDS: Final = (
    _Kind(
        "masks",
        "segm",
        ("--protocol", "coco-strict", "--similarity", "mask"),
        "Masks: polygons and run lengths",
        0.5,
        _WITHOUT_VERNIER,
    ),
    _Kind("keypoints", "keypoints", _POSES, "Keypoints", 0.5, _WITHOUT_VERNIER),
    _Kind("few_keypoints", "keypoints", _POSES, "Keypoints, fewer", 0.5, _WITHOUT_VERNIER),
    _Kind(
        "lvis",
        "lvis",
        ("--protocol", "lvis-strict", "--similarity", "box"),
        "LVIS, boxes",
        0.4,
        (*_ALL[:-1], "lvis_api"),
        ("faster_coco_eval", "lvis_api"),
    ),
    _Kind(
        "objects365",
        "bbox",
        ("--protocol", "coco-strict", "--similarity", "box"),
        "As many boxes as Objects365 has",
        0.4,
        small_only=("faster_coco_eval", "pycocotools"),
    ),
)


def _programs(kind: _Kind, scale: float, scratch: Path) -> Mapping[str, Program]:
    """Return the programs of the sides that can do it: each has given its numbers once."""
    files = made(_CACHE / f"{kind.sample}-{scale:g}", kind.sample, scale)
    script = Path(sysconfig.get_path("scripts")) / "snellen"
    command = [str(script), "evaluate", "detection", *files, *kind.options]
    ours = scratch / f"{kind.sample}-{OURS}"
    run_program(_side(OURS, "numbers", str(ours), *files, kind.kind))
    programs = {
        OURS: Program(command, lambda: _numbers(ours, ours)),
        f"{OURS}, one thread": Program([*command, "--threads", "1"]),
    }
    for side in kind.sides[1:]:
        out = scratch / f"{kind.sample}-{side}"
        numbers = functools.partial(_numbers, out, ours)
        if scale >= 1 and side in kind.small_only:
            continue
        giving = _side(side, "numbers", str(out), *files, kind.kind)
        if side in _SLOW:
            # The run that gives the numbers is the one that is measured.
            programs[side] = Program(giving, numbers)
            continue
        try:
            run_program(giving)
        except RunError as error:
            print(f"{side} is left out: {error}", file=sys.stderr)
            continue
        programs[side] = Program(_side(side, "from_files", *files, kind.kind), numbers)
    programs["python + numpy"] = Program([sys.executable, "-c", "import numpy"])
    return programs


def _side(side: str, *arguments: str) -> list[str]:
    return [sys.executable, str(_HERE / "run_side.py"), f"detection_sides.{side}", *arguments]


def _numbers(out: Path, ours: Path) -> Numbers:
    """Return a side's numbers, and in how much its array of precision is not ours."""
    given = json.loads(Path(f"{out}.json").read_text())["numbers"]
    found = {f"number {k + 1}": number for k, number in enumerate(given)}
    array, our_array = np.load(f"{out}.npy"), np.load(f"{ours}.npy")
    if array.shape != our_array.shape:
        return {**found, "cells": array.size, "cells apart": array.size, "by": np.nan}
    apart = array.view(np.uint64) != our_array.view(np.uint64)
    by = np.abs(array - our_array).max(initial=0, where=apart)
    return {
        **found,
        "cells": array.size,
        "cells apart": int(np.count_nonzero(apart)),
        "by": float(by),
    }


def _agreement(_: str, theirs: Numbers, ours: Numbers) -> str:
    """Return whether arrays are equal to the last bit, and the headline numbers."""
    remarks = []
    if theirs["cells apart"]:
        remarks.append(
            f"{theirs['cells apart']:,} of {theirs['cells']:,} cells, by at most {theirs['by']:.1g}"
        )
    apart = [
        abs(theirs[name] - ours.get(name, np.nan))
        for name in theirs
        if name.startswith("number") and theirs[name] != ours.get(name)
    ]
    if apart:
        remarks.append(f"{len(apart)} numbers, by at most {max(apart):.1g}")
    return f"DIFFER: {'; '.join(remarks)}" if remarks else "equal"


def _task(kind: _Kind) -> WholePrograms:
    return WholePrograms(
        kind.sample,
        f"{kind.title}: {SIZES[kind.sample]}; two files to the numbers, whole process",
        functools.partial(_programs, kind),
        kind.sides,
        once=_SLOW,
        bars=dict.fromkeys(kind.sides[1:], kind.bar),
        agreement=_agreement,
    )


if __name__ == "__main__":
    main(
        "detection_kinds",
        __doc__.partition("\n")[0],
        _PACKAGES,
        [
            *(_task(kind) for kind in _KINDS),
            WithinProcess(
                "within",
                "500,000 boxes within a process: a cell of evalImgs, AP of draws of images; "
                "Snellen on one thread",
                ("snellen_shim", "hotcoco"),
                once=("hotcoco",),
            ),
        ],
    )
