"""What random mutations of files found: each once gave a traceback, or a warning of NumPy's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen.cli.root import run as run_here

from .test_bad_shapes import GOOD, NAN, SIDES, WIDTH, refused, written


def test_shapes_of_another_kind_are_no_poses(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """CVAT's XML with boxes alone, asked for keypoints."""
    text = (
        '<annotations><image id="0" name="a.jpg" width="30" height="20"><box label="cat" xtl="1" '
        'ytl="1" xbr="9" ybr="9" score="0.5"/></image></annotations>'
    )
    for name in SIDES:
        (tmp_path / f"{name}.xml").write_text(text)
    files = [str(tmp_path / f"{name}.xml") for name in SIDES]
    assert run_here(["evaluate", "detection", *files, "--similarity", "keypoints"]) == 0
    out, err = capsys.readouterr()
    assert "keypoints are read, other shapes left out: 1 box" in err
    assert "truth poses  0" in out


def test_truth_without_classes(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    header = "ImageID,LabelName,XMin,XMax,YMin,YMax,IsGroupOf\n"
    (tmp_path / "truth.csv").write_text(header)
    (tmp_path / "run.csv").write_text(header.replace(",IsGroupOf", ",Score") + "a,cat,0,1,0,1,.5\n")
    (tmp_path / "images.txt").write_text("a\n")
    arguments = ["evaluate", "detection", tmp_path / "truth.csv", tmp_path / "run.csv"]
    arguments += ["--images", tmp_path / "images.txt"]
    line = refused_after_notes(capsys, arguments)
    assert "which has no objects and lists no classes: classes (--classes) names them" in line
    assert line.endswith("run.csv")
    assert run_here([*map(str, arguments), "--drop-unknown"]) == 0
    assert "1 boxes left out, as truth has no classes" in capsys.readouterr().err


def refused_after_notes(capsys: pytest.CaptureFixture[str], arguments: list[Any]) -> str:
    code = run_here([str(each) for each in arguments])
    out, err = capsys.readouterr()
    assert (code, out) == (1, "")
    return err.splitlines()[-1]


def test_sizes_of_a_table_beyond_all(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    text = "image,label,xmin,ymin,xmax,ymax,width,height\na,cat,0,0,1,1,1e300,20\n"
    (tmp_path / "truth.csv").write_text(text)
    line = refused(capsys, ["check", tmp_path / "truth.csv"])
    assert "expected whole sizes of images, from 1" in line
    assert line.endswith("truth.csv line 2")


def test_sizes_of_coco_images_beyond_all(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """They count as not known: boxes in pixels can do without."""
    truth, _ = written(tmp_path, "segmentation", GOOD["segmentation"], "truth")
    truth.write_text(truth.read_text().replace(f'"width": {WIDTH}', '"width": 1e308'))
    arguments = ["convert", truth, tmp_path / "out.csv", "--to", "table", "--lossy"]
    assert run_here([str(each) for each in arguments]) == 0
    assert "1e+308" not in (tmp_path / "out.csv").read_text()
    capsys.readouterr()
    arguments = ["convert", truth, tmp_path / "labels", "--to", "yolo", "--lossy"]
    assert "size" in refused_after_notes(capsys, arguments)


@pytest.mark.parametrize(("field", "value"), [("score", 1e308), ("bbox", [0, 0, 1e308, 1])])
def test_numbers_beyond_32_bits(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, field: str, value: Any
) -> None:
    truth, pred = written(tmp_path, "segmentation", GOOD["segmentation"], "truth")
    keys = {"image_id": 1, "category_id": 1, "bbox": [0, 0, 1, 1], "score": 0.5}
    pred.write_text(json.dumps([{**keys, field: value}]))
    line = refused(capsys, ["explain", truth, pred, "--against", "torchmetrics"])
    assert "expected numbers that 32 bits hold, as the tool has them, got 1e+308 - at pred" in line
    assert run_here(["explain", str(truth), str(pred), "--against", "tidecv"]) == 0


def test_areas_beyond_32_bits(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    truth, pred = written(tmp_path, "segmentation", GOOD["segmentation"], "truth")
    document = json.loads(truth.read_text())
    document["annotations"][0]["bbox"] = [0, 0, 1e30, 1e30]
    truth.write_text(json.dumps(document))
    keys = {"image_id": 1, "category_id": 1, "bbox": [0, 0, 1e30, 1e30], "score": 0.5}
    pred.write_text(json.dumps([keys]))
    assert run_here(["explain", str(truth), str(pred), "--against", "ultralytics"]) == 0
    assert "ultralytics 8.4.190" in capsys.readouterr().out


@pytest.mark.parametrize("rule", ["area_ranges", "crowding_ranges", "iou_thresholds", "sigmas"])
def test_rules_with_numbers_beyond_all(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, rule: str
) -> None:
    files = written(tmp_path, "keypoints", GOOD["keypoints"], "truth")
    rules = tmp_path / "rules.json"
    value: Any = [["all", 0, 10**400]] if rule.endswith("ranges") else [10**400]
    rules.write_text(json.dumps({"base": "coco-keypoints", rule: value}))
    line = refused(capsys, ["evaluate", "detection", *files, "--protocol", rules])
    assert line.endswith(f"rules.json $.{rule}")


def test_rules_of_lvis_on_keypoints(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    files = written(tmp_path, "keypoints", GOOD["keypoints"], "truth")
    line = refused(capsys, ["evaluate", "detection", *files, "--protocol", "lvis"])
    assert "expected boxes or masks, which files of LVIS have, got keypoints" in line
    assert line.endswith("truth.json")


def test_arrays_of_predictions(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    truth, _ = written(tmp_path, "segmentation", GOOD["segmentation"], "truth")
    pred = tmp_path / "pred.npy"
    row = [1, 2, 2, 10, 10, 0.5, 1]
    for column, value, message in (
        (0, 1e300, "expected a whole number, got 1e+300 - at "),
        (6, -1e300, "expected a whole number, got -1e+300 - at "),
        (3, 1e308, "range of float64"),
        (5, NAN, "expected a finite number, got nan - at "),
    ):
        np.save(pred, np.array([[*row[:column], value, *row[column + 1 :]]]))
        line = refused(capsys, ["evaluate", "detection", truth, pred])
        assert message in line
        assert f" - at {pred} predictions" in line
    np.save(pred, np.array([row]))
    pred.write_bytes(pred.read_bytes().replace(b"'shape': (1, 7), }", b"'shape': (1, 7, [[ "))
    assert "expected an array of NumPy's" in refused(capsys, ["diagnose", truth, pred])


@pytest.mark.parametrize("text", [b'{"0": "\xff"}', b"[" * 100_000, b'["a"'])
def test_classes_that_are_no_json(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, text: bytes
) -> None:
    truth, _ = written(tmp_path, "segmentation", GOOD["segmentation"], "truth")
    (tmp_path / "run").mkdir()
    (tmp_path / "run/a.txt").write_text("0 .5 .5 .2 .2 .9\n")
    (tmp_path / "classes.json").write_bytes(text)
    arguments = ["evaluate", "detection", truth, tmp_path / "run", "--format", "yolo"]
    arguments += ["--truth-format", "coco", "--classes", tmp_path / "classes.json"]
    line = refused(capsys, arguments)
    assert "expected JSON" in line
    assert line.endswith("classes.json")


def test_what_kitti_says_of_space_is_not_read(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "truth").mkdir()
    cells = "Car 0.00 0 -10 1 2 9 9 -1 -g -1 -1000 -1000 -1000 -10"
    (tmp_path / "truth/000001.txt").write_text(cells + "\n")
    out = tmp_path / "out.csv"
    arguments = ["convert", tmp_path / "truth", out, "--format", "kitti", "--to", "table"]
    assert "1 boxes in space and angles" in refused_lines(capsys, arguments)
    assert run_here([*map(str, arguments), "--lossy"]) == 0


def refused_lines(capsys: pytest.CaptureFixture[str], arguments: list[Any]) -> str:
    assert run_here([str(each) for each in arguments]) == 1
    out, err = capsys.readouterr()
    assert not out
    return err
