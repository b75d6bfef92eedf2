"""``snellen evaluate boundary``, as a user types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from snellen import BoundaryQuality, metric_from_bytes

from .conftest import Run

COLOURS = np.array([[0, 200, 0], [200, 0, 0]], np.uint8)
VOID = 255
# A box of 4 × 4 pixels in a frame of ground, and one without its last column; the zones are one
# pixel wide, see tests/unit/test_boundary.py for the arithmetic.
TRUTH = np.zeros((6, 6), np.uint8)
TRUTH[1:5, 1:5] = 1
PRED = TRUTH.copy()
PRED[:, 4] = 0
BOUNDARY_IOU = {"ground": 20 / 24, "box": 8 / 14}
MASK_IOU = {"ground": 20 / 24, "box": 12 / 16}


@pytest.fixture
def boxes(tmp_path: Path) -> Path:
    """Return a folder with truth/ and pred/ of two images, the second one perfect."""
    for side, maps in (("truth", (TRUTH, TRUTH)), ("pred", (PRED, TRUTH))):
        (tmp_path / side).mkdir()
        for k, values in enumerate(maps):
            Image.fromarray(values).save(tmp_path / side / f"{k}.png")
    described = [
        {"id": k, "name": name, "color": COLOURS[k].tolist()}
        for k, name in enumerate(("ground", "box"))
    ]
    (tmp_path / "classes.json").write_text(json.dumps(described))
    return tmp_path


def evaluated(run: Run, *arguments: str | Path) -> dict[str, Any]:
    done = run("evaluate", "boundary", *arguments, "--json", "-")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def of_classes(result: dict[str, Any], name: str) -> dict[str, float]:
    return {record["class"]: record[name] for record in result["per_class"]}


def test_numbers_and_state(run: Run, boxes: Path) -> None:
    classes = ("--classes", boxes / "classes.json")
    one = evaluated(run, boxes / "truth/0.png", boxes / "pred/0.png", *classes, "--tolerance", "0")
    assert of_classes(one, "boundary_iou") == BOUNDARY_IOU
    assert of_classes(one, "mask_iou") == MASK_IOU
    # Contours of 16 and 14 pixels, of which 11 are those of the other side.
    assert of_classes(one, "boundary_f")["box"] == pytest.approx(2 * 11 / 30)
    assert one["metrics"]["boundary_iou"] == pytest.approx((20 / 24 + 8 / 14) / 2)
    # Of both images: 20 + 20 of ground's 24 + 20 pixels, all of it border; 8 + 12 of 14 + 12.
    out = boxes / "out"
    sides = boxes / "truth", boxes / "pred", *classes
    both = evaluated(run, *sides, "--out", out)
    assert of_classes(both, "boundary_iou") == {"ground": 40 / 44, "box": 20 / 26}
    assert both["intervals"]["boundary_iou"]["unit"] == "image"
    assert sorted(path.name for path in out.iterdir()) == ["result.json", "run.json", "state.bin"]
    metric = metric_from_bytes((out / "state.bin").read_bytes())
    assert isinstance(metric, BoundaryQuality)
    assert metric.compute().metrics == both["metrics"]


def test_the_report(run: Run, boxes: Path) -> None:
    sides = boxes / "truth", boxes / "pred", "--classes", boxes / "classes.json"
    done = run("evaluate", "boundary", *sides, "--tolerance", "0", "--per-class")
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split() for line in done.stdout.splitlines()]
    # Boundary IoU 20/26, mask IoU 28/32; 27 of 30 contour pixels of predictions, 27 of truth's 32.
    assert ["box", "0.7692", "0.8750", "0.8710", "0.9000", "0.8438", "0.7500"] in lines
    assert "border zones of 2 % of the diagonal, contours within 0 px" in done.stdout
    assert "contour_truth_matched" in done.stdout
    assert "intervals    95 %, over images" in done.stdout
    plain = run("evaluate", "boundary", *sides, "--no-intervals")
    assert "intervals" not in plain.stdout
    assert "contour_truth_matched" not in plain.stdout
    quiet = run("evaluate", "boundary", *sides, "--quiet", "--fail-under", "boundary_iou=0.9")
    assert (quiet.returncode, quiet.stdout) == (3, "")
    # (40 / 44 + 20 / 26) / 2
    assert quiet.stderr == "snellen: boundary_iou is 0.839161, below 0.9\n"


def test_wider_zones_are_whole_masks(run: Run, boxes: Path) -> None:
    sides = boxes / "truth/0.png", boxes / "pred/0.png", "--classes", boxes / "classes.json"
    # 40 % of the diagonal of 8.5 pixels are 3: no pixel of a box is further from its border.
    found = evaluated(run, *sides, "--ratio", "0.4", "--tolerance", "1")
    assert of_classes(found, "boundary_iou") == of_classes(found, "mask_iou") == MASK_IOU
    assert found["metrics"]["boundary_f"] == 1
    # A share of the diagonal and whole pixels, and nothing between.
    odd = run("evaluate", "boundary", *sides, "--tolerance", "1.5")
    assert odd.returncode == 1
    assert odd.stderr.startswith("snellen: error: expected a share of the diagonal below 1, or a")
    assert run("evaluate", "boundary", *sides, "--ratio", "1").returncode == 2


def test_halves_merge_threads_agree_runs_compare(run: Run, boxes: Path) -> None:
    options = ("--classes", boxes / "classes.json", "--no-intervals", "--quiet")
    for n in ("1", "2"):
        done = run(
            *("evaluate", "boundary", boxes / "truth", boxes / "pred", *options),
            *("--threads", n, "--out", boxes / f"whole{n}"),
        )
        assert done.returncode == 0, done.stderr
    for k in (0, 1):
        files = [boxes / side / f"{k}.png" for side in ("truth", "pred")]
        done = run("evaluate", "boundary", *files, *options, "--out", boxes / f"part{k}")
        assert done.returncode == 0, done.stderr
    done = run("merge", boxes / "part1", boxes / "part0", "--out", boxes / "all", "--quiet")
    assert done.returncode == 0, done.stderr
    states = [(boxes / name / "state.bin").read_bytes() for name in ("whole1", "whole2", "all")]
    assert states[0] == states[1] == states[2]
    done = run(
        *("evaluate", "boundary", boxes / "truth", boxes / "truth", *options),
        *("--out", boxes / "perfect"),
    )
    assert done.returncode == 0, done.stderr
    done = run("compare", boxes / "all", boxes / "perfect", "--json", "-")
    assert done.returncode == 0, done.stderr
    found = {each["metric"]: each for each in json.loads(done.stdout)["differences"]}
    wanted = 1 - (40 / 44 + 20 / 26) / 2
    assert found["boundary_iou"]["difference"] == pytest.approx(wanted)


def test_values_mean_what_they_do_elsewhere(run: Run, boxes: Path) -> None:
    """Colours, ids from 1, void, unknown values: as of `snellen evaluate segmentation`."""
    truth, pred = TRUTH.copy(), PRED.copy()
    truth[0] = VOID
    pred[5] = 9
    for name, values in (
        ("void", truth),
        ("odd", pred),
        ("colours", COLOURS[PRED]),
        ("from1", TRUTH + np.uint8(1)),
    ):
        Image.fromarray(values).save(boxes / f"{name}.png")
    np.save(boxes / "wide.npy", PRED.astype(np.int32))
    classes = ("--classes", boxes / "classes.json", "--no-intervals")
    for pair in (
        ("truth/0.png", "colours.png"),
        ("truth/0.png", "wide.npy"),
        ("from1.png", "pred/0.png"),
    ):
        options = ("--reduce-zero-label",) if pair[0] == "from1.png" else ()
        found = evaluated(run, *(boxes / name for name in pair), *classes, *options)
        assert of_classes(found, "boundary_iou") == BOUNDARY_IOU
    done = run(
        *("evaluate", "boundary", boxes / "void.png", boxes / "odd.png", *classes),
        *("--ignore-index", str(VOID), "--unknown", "ignore", "--json", "-"),
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == (
        "snellen: warning: predictions: expected ids (0 to 1, 255), got 9 (6 pixels); taken as "
        f"misses, as no class; first in {boxes / 'odd.png'}\n"
    )
    # Six pixels of ground are void, six others missed: of the 24 that either side has 20 − 12 are
    # right; the void row counts nowhere.
    assert of_classes(json.loads(done.stdout), "mask_iou") == {"ground": 8 / 18, "box": 12 / 16}


def test_masks_of_0_and_255(run: Run, boxes: Path) -> None:
    """A class may have the id that is void elsewhere."""
    (boxes / "mask.json").write_text('{"0": "ground", "255": "box"}')
    for name, values in (("t", TRUTH), ("p", PRED)):
        Image.fromarray(values * np.uint8(255)).save(boxes / f"{name}.png")
    sides = boxes / "t.png", boxes / "p.png", "--classes", boxes / "mask.json"
    assert of_classes(evaluated(run, *sides), "boundary_iou") == BOUNDARY_IOU
    done = run("evaluate", "segmentation", *sides, "--json", "-")
    assert done.returncode == 0, done.stderr
    assert of_classes(json.loads(done.stdout), "iou") == MASK_IOU
