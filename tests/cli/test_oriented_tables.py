"""Commands on tables of oriented boxes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Run

ANGLE = "image,label,score,cx,cy,width,height,angle_degrees"
FAULTS = (
    ("angle_degrees", "angle", "name, angle_degrees or angle_radians, got"),
    ("angle_degrees", "angle_degrees,angle_radians", "expected one column of angles"),
    ("2,0\n", "2,nan\n", 'expected a finite number, got nan - at {} line 2 column "angle_'),
    ("2,2,0", "2,-2,0", 'at least 0, got -2 - at {} line 2 column "height"'),
    ("height", "depth", "expected centre, width and height"),
)


@pytest.fixture
def tables(tmp_path: Path) -> tuple[Path, Path]:
    """A square, and one about the same centre that is turned by 45°: IoU 1 / √2."""
    truth, pred = tmp_path / "truth.csv", tmp_path / "pred.csv"
    truth.write_text(ANGLE.replace(",score", "") + "\na,ship,5,6,2,2,0\n")
    pred.write_text(ANGLE.replace("degrees", "radians") + "\na,ship,.5,5,6,2,2,0.785398163397448\n")
    return truth, pred


def test_evaluate(run: Run, tables: tuple[Path, Path], tmp_path: Path) -> None:
    truth, pred = tables
    for more in ((), ("--similarity", "oriented")):
        report = tmp_path / "r.json"
        done = run("evaluate", "detection", *tables, *more, "--json", report)
        assert done.returncode == 0
        # Of ten thresholds 0.50 to 0.70 are passed.
        found = json.loads(report.read_text())
        assert found["metrics"]["AP"] == pytest.approx(0.5)
        assert (
            f"snellen: {truth}: boxes are oriented: centre, width, height and angle in degrees, "
            "clockwise to the eye, in columns cx, cy, width, height, angle_degrees"
        ) in done.stderr.splitlines()
        assert f"{pred}: boxes are oriented: centre, width, height and angle in radians" in (
            done.stderr
        )
    # The upright box around is 2 √2 on a side: IoU 1 / 2.
    done = run("evaluate", "detection", *tables, "--similarity", "box", "--json", "-", "--quiet")
    assert json.loads(done.stdout)["metrics"]["AP"] == pytest.approx(0.1)


def test_what_explains_a_number(run: Run, tables: tuple[Path, Path]) -> None:
    truth, pred = tables
    done = run("diagnose", *tables)
    assert done.returncode == 0
    assert done.stdout.startswith("AP 0.500  AP50 1.000")
    done = run("check", truth, "--predictions", pred)
    assert done.returncode == 0
    assert done.stdout.startswith(f"{truth}: 1 object in 1 image, 1 class")
    done = run("explain", *tables, "--against", "pycocotools", "--quiet")
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = done.stderr.splitlines()
    assert "of which the rules of pycocotools are known, got oriented boxes" in line


def test_convert_there_and_back(run: Run, tmp_path: Path) -> None:
    folder, table, back = tmp_path / "dota", tmp_path / "t.csv", tmp_path / "back"
    (folder / "labelTxt").mkdir(parents=True)
    text = "2.1 0 4 2.3 2 4 0 2 ship 0\n10 10 20 10 20 14 10 14 plane 1\n"
    (folder / "labelTxt/a.txt").write_text(text)
    assert run("convert", folder, table, "--to", "table").returncode == 0
    assert table.read_text().startswith("image_id,label,x1,y1,x2,y2,x3,y3,x4,y4,difficult\n")
    assert run("convert", table, back, "--to", "dota").returncode == 0
    assert (back / "labelTxt/a.txt").read_text() == text
    # What formats of upright boxes lose is said: of one box, as the other is not turned.
    done = run("convert", table, tmp_path / "texts", "--to", "box-text")
    assert done.returncode == 1
    assert "snellen: lost: 1 turned boxes: the upright boxes around them stay" in done.stderr
    assert not (tmp_path / "texts").exists()


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        *(("evaluate", fault) for fault in FAULTS),
        *((command, FAULTS[3]) for command in ("diagnose", "check", "explain", "convert")),
    ],
)
def test_bad_tables(
    run: Run,
    tables: tuple[Path, Path],
    tmp_path: Path,
    command: str,
    fault: tuple[str, str, str],
) -> None:
    truth, pred = tables
    old, new, said = fault
    text = truth.read_text()
    assert old in text
    changed = text.replace(old, new)
    truth.write_text(changed.replace("2,0\n", "2,0,0\n") if "radians" in new else changed)
    target = tmp_path / "out"
    arguments = {
        "evaluate": ("evaluate", "detection", truth, pred),
        "diagnose": ("diagnose", truth, pred),
        "check": ("check", truth),
        "explain": ("explain", truth, pred, "--against", "pycocotools"),
        "convert": ("convert", truth, target, "--to", "dota"),
    }
    done = run(*arguments[command])
    assert (done.returncode, done.stdout) == (1, "")
    line = done.stderr.splitlines()[-1]
    assert line.startswith("snellen: error: ")
    assert said.format(truth) in line
    assert "Traceback" not in done.stderr
    assert not target.exists()
