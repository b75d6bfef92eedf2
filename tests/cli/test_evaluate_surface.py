"""``snellen evaluate surface``, as a user types it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from snellen import SurfaceDistance, metric_from_bytes

from .conftest import Run

nibabel = pytest.importorskip("nibabel")

STEPS = (3.0, 1.0, 0.5)  # of the axes as they are read: depth, height, width


def volume(*boxes: tuple[int, Any]) -> np.ndarray[Any, Any]:
    made = np.zeros((6, 12, 14), np.uint8)
    for label, place in boxes:
        made[place] = label
    return made


# Of class 1 the prediction lies 4 pixels of 0.5 mm to the right, of class 2 one slice of 3 mm up.
TRUTH = volume((1, np.s_[1:5, 2:6, 2:6]), (2, np.s_[2:4, 8:11, 2:5]))
PRED = volume((1, np.s_[1:5, 2:6, 6:10]), (2, np.s_[3:5, 8:11, 2:5]))


def write(folder: Path, name: str, values: np.ndarray[Any, Any]) -> Path:
    path = folder / f"{name}.nii.gz"
    path.parent.mkdir(parents=True, exist_ok=True)
    image = nibabel.Nifti1Image(values.T, np.diag([*reversed(STEPS), 1.0]))
    image.header.set_xyzt_units("mm")
    nibabel.save(image, path)
    return path


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Return a folder with truth/ and pred/ of two volumes, the second one perfect."""
    for name, truth, pred in (("a", TRUTH, PRED), ("b", TRUTH, TRUTH)):
        write(tmp_path / "truth", name, truth)
        write(tmp_path / "pred", name, pred)
    (tmp_path / "classes.txt").write_text("background\nliver\ntumour\n")
    return tmp_path


def sides(folder: Path) -> tuple[Path, Path]:
    return folder / "truth", folder / "pred"


def evaluated(run: Run, *arguments: str | Path) -> dict[str, Any]:
    done = run("evaluate", "surface", *arguments, "--no-intervals", "--json", "-")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def hd(result: dict[str, Any]) -> dict[str, float]:
    return {each["name"]: each["hd"] for each in result["per_class"]}


def test_volumes(run: Run, scans: Path) -> None:
    found = evaluated(run, *sides(scans), "--out", scans / "out")
    assert hd(found) == {"1": 1, "2": 1.5}  # means of 2 and 0 mm, 3 and 0 mm
    assert found["protocol"]["unit"] == "mm"
    metric = metric_from_bytes((scans / "out" / "state.bin").read_bytes())
    assert isinstance(metric, SurfaceDistance)
    assert metric.compute().metrics == found["metrics"]
    in_pixels = evaluated(run, *sides(scans), "--spacing", "1")
    assert hd(in_pixels) == {"1": 2, "2": 0.5}


def test_the_background_is_left_out_and_that_is_said(run: Run, scans: Path) -> None:
    classes = ("--classes", scans / "classes.txt")
    found = evaluated(run, *sides(scans), *classes)
    assert hd(found) == {"liver": 1, "tumour": 1.5}
    assert found["protocol"]["left_out"] == "background"
    shown = run("evaluate", "surface", *sides(scans), *classes, "--no-intervals")
    assert "background   background (0) is not measured" in shown.stdout.splitlines()
    whole = evaluated(run, *sides(scans), *classes, "--include-background")
    assert list(hd(whole)) == ["background", "liver", "tumour"]
    without = evaluated(run, *sides(scans), "--include-background")
    assert hd(without) == {"0": hd(whole)["background"], "1": 1, "2": 1.5}


def test_values_outside_the_classes(run: Run, scans: Path) -> None:
    odd = PRED.copy()
    odd[5, 11, 10:14] = 9
    path = write(scans / "pred", "b", odd)
    classes = ("--classes", scans / "classes.txt")
    done = run("evaluate", "surface", *sides(scans), *classes)
    assert (done.returncode, done.stdout) == (1, "")
    assert "got 9 (4 pixels)" in done.stderr
    assert f"predictions, first in {path}" in done.stderr
    ignored = run(
        *("evaluate", "surface", *sides(scans), *classes, "--unknown", "ignore"),
        *("--no-intervals", "--json", "-"),
    )
    assert ignored.returncode == 0
    assert "got 9 (4 pixels)" in ignored.stderr
    assert hd(json.loads(ignored.stdout)) == {"liver": 2, "tumour": 3}


def test_options_of_values_apply(run: Run, scans: Path) -> None:
    # Void cuts out the two columns of the prediction that are next to truth: the other two lie 6
    # pixels from truth's first one, 3 mm. Of the other volume it is 0.
    void = TRUTH.copy()
    void[:, :, 6:8] = 7
    write(scans / "truth", "a", void)
    for classes in ((), ("--classes", scans / "classes.txt")):
        found = evaluated(run, *sides(scans), *classes, "--ignore-index", "7")
        assert list(hd(found).values()) == [1.5, 1.5]
    # Ids from 1, 0 is void: the predictions are written so, too, or say so.
    for name in ("a", "b"):
        write(scans / "truth", name, TRUTH + np.uint8(1))
    (scans / "two.txt").write_text("rest\nliver\ntumour\n")
    found = evaluated(
        *(run, *sides(scans), "--classes", scans / "two.txt", "--reduce-zero-label"),
        *("--prediction-encoding", "ids"),
    )
    assert (hd(found)["liver"], hd(found)["tumour"]) == (1, 1.5)
    wrong = run(
        *("evaluate", "surface", *sides(scans), "--classes", scans / "two.txt"),
        *("--truth-encoding", "labelIds"),
    )
    assert wrong.returncode == 1
    assert "--truth-encoding" in wrong.stderr


@pytest.mark.parametrize(
    "options",
    [
        ("--reduce-zero-label",),
        ("--truth-encoding", "ids"),
        ("--prediction-encoding", "ids"),
        ("--unknown", "ignore"),
    ],
)
def test_options_of_classes_need_classes(run: Run, scans: Path, options: tuple[str, ...]) -> None:
    done = run("evaluate", "surface", *sides(scans), *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert f"expected --classes with {options[0]}" in done.stderr


def test_large_volumes(run: Run, scans: Path) -> None:
    n = TRUTH.size
    for classes in ((), ("--classes", scans / "classes.txt")):
        done = run("evaluate", "surface", *sides(scans), *classes, "--max-pixels", n - 1)
        assert done.returncode == 1
        assert f"expected at most {n - 1:,} voxels, got {n:,}: --max-pixels" in done.stderr
        assert "truth/a.nii.gz" in done.stderr
        enough = run("evaluate", "surface", *sides(scans), *classes, "--max-pixels", n, "--quiet")
        assert enough.returncode == 0, enough.stderr


def test_masks_of_0_and_255(run: Run, scans: Path) -> None:
    for name in ("a", "b"):
        write(scans / "truth", name, (TRUTH == 1) * np.uint8(255))
        write(scans / "pred", name, (PRED == 1) * np.uint8(255))
    done = run("evaluate", "surface", *sides(scans))
    assert done.returncode == 1
    assert 'give --classes, a file such as {"0": "background", "255": "object"}' in done.stderr
    assert "truth/a.nii.gz and " in done.stderr
    (scans / "mask.json").write_text('{"0": "background", "255": "object"}')
    found = evaluated(run, *sides(scans), "--classes", scans / "mask.json")
    assert hd(found) == {"object": 2}
    void = evaluated(run, *sides(scans), "--ignore-index", "255")
    assert void["per_class"] == []


def test_images(run: Run, tmp_path: Path) -> None:
    for side, values in (("truth", TRUTH[2]), ("pred", PRED[2])):
        (tmp_path / side).mkdir()
        Image.fromarray(values).save(tmp_path / side / "a.png")
    (tmp_path / "classes.txt").write_text("background\nliver\ntumour\n")
    found = evaluated(run, *sides(tmp_path), "--classes", tmp_path / "classes.txt")
    # The tumour is not in the prediction's slice: it is the diagonal of 12 x 14 pixels away.
    assert hd(found) == {"liver": 4, "tumour": pytest.approx(np.hypot(12, 14))}
    assert found["protocol"]["unit"] == "px"
    done = run("evaluate", "surface", *sides(tmp_path))
    assert done.returncode == 1
    assert "expected --classes, which only volumes can do without" in done.stderr
