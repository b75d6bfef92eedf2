"""The benchmark's own sides run, and give the reference's numbers; their speed is no test."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from snellen import AveragePrecision, read_coco_predictions, read_coco_truth
from snellen.samples.detection import make_detection_sample

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def run_side(side: str, mode: str, *arguments: str | Path) -> None:
    done = subprocess.run(
        [sys.executable, "run_side.py", f"detection_sides.{side}", mode, *map(str, arguments)],
        cwd=BENCHMARKS,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_sides_agree(tmp_path: Path) -> None:
    made = make_detection_sample(
        tmp_path, n_images=20, n_boxes=150, n_detections=900, n_classes=5, draw_images=False
    )
    truth = read_coco_truth(made.truth)
    pred = read_coco_predictions(made.predictions, truth)
    expected = AveragePrecision(protocol="coco-strict").update(truth, pred).compute()
    rows = np.column_stack(
        [
            truth.images.ids[pred.image],
            pred.xywh,
            pred.score if pred.score is not None else [],
            truth.classes.keys.ids[pred.label],
        ]
    )
    np.save(tmp_path / "rows.npy", rows)
    for side in ("snellen", "pycocotools"):
        out = tmp_path / side
        run_side(side, "numbers", out, made.truth, made.predictions)
        assert np.array_equal(np.load(f"{out}.npy"), expected.precision)
    for side in ("snellen", "snellen_rows", "pycocotools"):
        out = tmp_path / f"{side}-rows"
        run_side(side, "from_arrays", out, made.truth, tmp_path / "rows.npy")
        assert json.loads(Path(f"{out}.json").read_text())["numbers"] == list(
            expected.metrics.values()
        )
