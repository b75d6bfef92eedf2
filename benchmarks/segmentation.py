"""Segmentation, Snellen beside its peers: counting, files, panoptic, boundaries, surfaces.

``python benchmarks/segmentation.py`` with an interpreter that has Snellen and its ``bench`` extra;
panopticapi, which is no package, takes part where its checkout is in PYTHONPATH.
README.md beside this file says how it measures.
"""

from __future__ import annotations

import json
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import side_by_side
from in_memory import OURS, Task, close, main
from whole_programs import Program, WholePrograms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from segmentation_sample import Streets

    Arrays = dict[str, np.ndarray[Any, Any]]

_HERE = Path(__file__).resolve().parent

_PACKAGES = {
    "snellen": "snellen",
    "snellen_numbers": "snellen",
    "numpy_bincount": "numpy",
    "numpy_blocks": "numpy",
    "scikit_learn": "scikit-learn",
    "torchmetrics": "torchmetrics",
    "pillow_bincount": "pillow",
    "panopticapi": "panopticapi",
    "opencv": "opencv-python-headless",
    "monai": "monai",
    "surface_distance": "surface-distance",
    # No side, but Snellen inflates PNG files with it; without, with Python's zlib, much later.
    "zlib_ng": "zlib-ng",
}
# MONAI computes in float32; of others sums may be in another order.
_CLOSE = close({"monai": 1e-6, "surface_distance": 1e-12, "panopticapi": 1e-12})
_BUILDING = 2


def _streets(scale: float, scratch: Path) -> Streets:
    from segmentation_sample import Streets

    return Streets.made(scratch / "streets", max(2, round(20 * scale)))


def _maps(n: int, n_quick: int) -> Callable[[float, Path], Arrays]:
    def arrays(scale: float, scratch: Path) -> Arrays:
        truth, pred = _streets(scale, scratch).maps(n if scale == 1 else n_quick)
        return {"truth": truth, "pred": pred}

    return arrays


def _known_maps(scale: float, scratch: Path) -> Arrays:
    """Make maps in which every pixel is of a class: peers know no void here."""
    found = _maps(4, 1)(scale, scratch)
    return {side: np.where(labels == 255, 0, labels) for side, labels in found.items()}


def _buildings(scale: float, scratch: Path) -> Arrays:
    found = _maps(2, 1)(scale, scratch)
    return {side: (labels == _BUILDING).astype(np.uint8) for side, labels in found.items()}


def _segments(scale: float, scratch: Path) -> Arrays:
    truth, pred = _streets(scale, scratch).segments(4 if scale == 1 else 1)
    return {"truth": truth, "pred": pred}


def _label_files(scale: float, scratch: Path) -> Mapping[str, Program]:
    """Make folders of 500 pairs, and of a tenth of them for Snellen once more."""
    from segmentation_sample import copies

    n = round(500 * scale)
    streets = _streets(scale, scratch)
    many = copies(streets, scratch / "many", n)
    few = copies(streets, scratch / "few", n // 10)
    threads = str(side_by_side.processors())
    beside = str(scratch / "pillow_bincount.json")
    options = ("--classes", "cityscapes", "--threads", threads)
    return {
        OURS: _command("segmentation", *many, *options, out=scratch / "snellen.json"),
        f"{OURS}, {n // 10} pairs": Program(_command("segmentation", *few, *options).command),
        "pillow_bincount": Program(
            _side("pillow_bincount", *many, threads, beside), lambda: _numbers(Path(beside))
        ),
        "python + numpy": Program([sys.executable, "-c", "import numpy"]),
    }


def _panoptic_files(scale: float, scratch: Path) -> Mapping[str, Program]:
    from segmentation_sample import panoptic_copies

    files = panoptic_copies(_streets(scale, scratch), scratch / "panoptic", round(100 * scale))
    beside = str(scratch / "panopticapi.json")
    options = ("--protocol", "coco-strict", "--threads", "1")
    return {
        OURS: _command("panoptic", *files, *options, out=scratch / "snellen.json"),
        "panopticapi": Program(
            _side("panopticapi", *files, beside), lambda: _numbers(Path(beside))
        ),
    }


def _command(task: str, *arguments: str, out: Path | None = None) -> Program:
    """Return Snellen's command line, which writes its result, too, where `out` is given."""
    script = Path(sysconfig.get_path("scripts")) / "snellen"
    command = [str(script), "evaluate", task, *arguments]
    if out is None:
        return Program(command)

    def numbers() -> Mapping[str, float]:
        result = json.loads(out.read_text())
        return {**result["metrics"], **_pixels(result)}

    return Program([*command, "--json", str(out)], numbers)


def _pixels(result: Mapping[str, Any]) -> Mapping[str, float]:
    data = result["data"]
    return {"pixels": data["n_pixels"] - data["n_void"]} if "n_pixels" in data else {}


def _side(side: str, *arguments: str) -> list[str]:
    module = f"segmentation_sides.{side}"
    return [sys.executable, str(_HERE / "run_side.py"), module, "from_files", *arguments]


def _numbers(path: Path) -> Mapping[str, float]:
    found: Mapping[str, float] = json.loads(path.read_text())
    return found


TASKS = (
    Task(
        "counting",
        "16 label maps of 2048 × 1024, 19 classes; one thread (asked: 2,500 million pixels/s)",
        _maps(16, 2),
        (
            *("snellen", "snellen_numbers"),
            *("numpy_bincount", "numpy_blocks", "scikit_learn", "torchmetrics"),
        ),
        once=("scikit_learn", "torchmetrics"),
        bars={"numpy_bincount": 1 / 15, "scikit_learn": 1 / 100, "torchmetrics": 1 / 100},
        agreement=_CLOSE,
        rate="pixels",
    ),
    WholePrograms(
        "label_files",
        "500 pairs of PNG files of 2048 × 1024 to a result, whole process; all processors",
        _label_files,
        ("snellen", "pillow_bincount"),
        bars={"pillow_bincount": 1 / 8},
        agreement=_CLOSE,
    ),
    Task(
        "panoptic_pairs",
        "Pairs of segments of 4 panoptic maps of 2048 × 1024; one thread",
        _segments,
        ("snellen", "panopticapi"),
        bars={"panopticapi": 1 / 10},
        agreement=_CLOSE,
        rate="pixels",
    ),
    WholePrograms(
        "panoptic_files",
        "100 pairs of panoptic PNG files of 2048 × 1024 and JSON to PQ, whole process; one thread",
        _panoptic_files,
        ("snellen", "panopticapi"),
        bars={"panopticapi": 1 / 10},
        agreement=_CLOSE,
    ),
    Task(
        "boundary_masks",
        "Borders of 19 classes, 46 pixels wide, of 4 label maps of 2048 × 1024; one thread",
        _known_maps,
        ("snellen", "opencv"),
        bars={"opencv": 1 / 8},
        agreement=_CLOSE,
        rate="pixels",
    ),
    Task(
        "boundary_iou",
        "Boundary IoU of 19 classes of 4 pairs of label maps of 2048 × 1024; one thread",
        _known_maps,
        ("snellen", "opencv"),
        agreement=_CLOSE,
    ),
    Task(
        "hd95",
        "HD95 of one class of 2 pairs of label maps of 2048 × 1024, MONAI's rules; one thread",
        _buildings,
        ("snellen", "monai"),
        bars={"monai": 1 / 5},
        agreement=_CLOSE,
    ),
    Task(
        "hd95_contour",
        "HD95 of one class of 2 pairs of label maps of 2048 × 1024, DeepMind's rules; one thread",
        _buildings,
        ("snellen", "surface_distance"),
        bars={"surface_distance": 1 / 5},
        agreement=_CLOSE,
    ),
)

if __name__ == "__main__":
    main("segmentation", __doc__.partition("\n")[0], _PACKAGES, TASKS)
