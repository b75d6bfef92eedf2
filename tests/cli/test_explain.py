"""``snellen explain``: tables, JSON, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from snellen.cli.explain import TOOL_NAMES
from snellen.detection.tools import TOOLS

from .conftest import Run


@pytest.fixture
def with_crowd(tmp_path: Path) -> list[str]:
    truth = {
        "images": [{"id": 1, "width": 100, "height": 100}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 10, 10], "area": 100}
            | {"iscrowd": 0},
            {"id": 2, "image_id": 1, "category_id": 1, "bbox": [50, 0, 40, 40], "area": 1600}
            | {"iscrowd": 1},
        ],
    }
    results = [
        {"image_id": 1, "category_id": 1, "bbox": [0, 0, 10, 10], "score": 0.5},
        {"image_id": 1, "category_id": 1, "bbox": [60, 0, 10, 10], "score": 0.9},
    ]
    paths = tmp_path / "truth.json", tmp_path / "results.json"
    for path, content in zip(paths, (truth, results), strict=True):
        path.write_text(json.dumps(content), encoding="utf-8")
    return [str(path) for path in paths]


def test_names_are_the_tools() -> None:
    assert tuple(TOOLS) == TOOL_NAMES


def test_table(run: Run, with_crowd: list[str]) -> None:
    done = run("explain", *with_crowd, "--against", "ultralytics", "--per-class")
    assert done.returncode == 0
    lines = {line.split()[0]: line for line in done.stdout.splitlines() if line.strip()}
    assert lines["crowds"].split()[1:4] == ["0.500000", "-0.500000", "-0.500000"]
    assert "crowds are no truth" in lines["crowds"]
    assert lines["truth"] == "truth        2, 1 of them crowds"
    assert "cat" in lines
    assert not done.stderr


def test_all(run: Run, with_crowd: list[str]) -> None:
    done = run("explain", *with_crowd, "--against", "all")
    assert done.returncode == 0
    out = done.stdout.splitlines()
    assert len(out) == 2 + len(TOOLS)
    assert out[1].split()[:3] == ["ours", "(coco)", "1.000000"]


def test_json(run: Run, with_crowd: list[str], tmp_path: Path) -> None:
    done = run("explain", *with_crowd, "--against", "voc", "--json", "-")
    assert done.returncode == 0
    found = json.loads(done.stdout)
    assert found["tool"] == "Pascal VOC since 2010"
    assert found["steps"][0]["rule"] == "IoU grid"
    path = tmp_path / "all.json"
    done = run("explain", *with_crowd, "--against", "all", "--json", str(path), "--quiet")
    assert done.returncode == 0
    assert not done.stdout
    assert len(json.loads(path.read_text(encoding="utf-8"))["explanations"]) == len(TOOLS)


def test_other_formats(run: Run, tmp_path: Path) -> None:
    for name, line in (("truth", "cat 1 2 11 12"), ("pred", "cat 0.9 1 2 11 12")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text(line + "\n", encoding="utf-8")
    paths = [str(tmp_path / "truth"), str(tmp_path / "pred")]
    given = ["--format", "box-text", "--box", "xyxy", "--absolute"]
    done = run("explain", *paths, "--against", "voc12", *given)
    assert done.returncode == 0
    assert "Pascal VOC since 2010  1.000000" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--against", "torchmetric"], 2, 'Did you mean "torchmetrics"?'),
        ([], 2, "Missing option '--against'"),
        (["--against", "all", "--per-class"], 2, "expected one tool with --per-class, got all"),
        (["--against", "voc", "--json", "no/such/x.json"], 1, "expected a folder to write into"),
        (["--against", "voc", "--similarity", "oriented"], 2, "'oriented' is not one of"),
        (["--against", "ultralytics", "--similarity", "keypoints"], 1, "keypoints"),
    ],
)
def test_refused(
    run: Run, with_crowd: list[str], arguments: list[str], code: int, message: str
) -> None:
    done = run("explain", *with_crowd, *arguments)
    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout


def test_bad_files(run: Run, with_crowd: list[str], tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('[{"image_id": 1, "category_id": 1, "bbox": [0, 0, 10], "score": 0.5}]')
    done = run("explain", with_crowd[0], str(broken), "--against", "all")
    assert done.returncode == 1
    assert "broken.json" in done.stderr
    done = run("explain", with_crowd[0], str(tmp_path / "absent.json"), "--against", "all")
    assert done.returncode == 1
    assert "absent.json" in done.stderr
    broken.write_text('[{"image_id": 7, "category_id": 1, "bbox": [0, 0, 1, 1], "score": 0.5}]')
    done = run("explain", with_crowd[0], str(broken), "--against", "all")
    assert done.returncode == 1
    assert "7" in done.stderr
    done = run("explain", with_crowd[0], str(broken), "--against", "tidecv", "--drop-unknown")
    assert done.returncode == 0
