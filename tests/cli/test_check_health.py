"""``snellen check TRUTH``: what it prints, writes, refuses, and how it ends."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from tests.checked_sets import clean_results, clean_truth

from .conftest import Run


def written(folder: Path, name: str, content: Any) -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


@pytest.fixture
def faulty(tmp_path: Path) -> Path:
    """Return truth with an error and a warning."""
    truth = clean_truth()
    truth["annotations"][3]["id"] = 2
    truth["annotations"][5]["bbox"][3] = 0
    return written(tmp_path, "truth.json", truth)


def check_refused(run: Run, *arguments: str | Path, code: int = 1, text: str) -> None:
    done = run("check", *arguments)
    assert done.returncode == code, done.stdout + done.stderr
    assert done.stdout == ""
    assert text in done.stderr
    assert "Traceback" not in done.stderr
    assert "our mistake" not in done.stderr
    if code == 1:
        assert done.stderr.startswith("snellen: error: ")
        assert done.stderr.count("\n") == 1


def test_nothing_is_wrong(run: Run, tmp_path: Path) -> None:
    truth = written(tmp_path, "truth.json", clean_truth())
    pred = written(tmp_path, "pred.json", clean_results())
    done = run("check", truth, "--predictions", pred, "--strict")
    assert done.returncode == 0
    assert done.stderr == f"snellen: {truth}: COCO JSON\nsnellen: {pred}: COCO JSON\n"
    assert done.stdout == (
        f"""{truth}: 32 objects in 4 images, 2 classes
{pred}: 32 predictions

no findings

objects in an image      median 8, mean 8.0, most 8
sizes                    small 32 (100 %), medium 0 (0 %), large 0 (0 %)
objects of a class       16 to 16: a ratio of 1; less than 10 in 0 of 2 classes
predictions in an image  median 8, mean 8.0, most 8
scores                   0.3 to 0.92, median 0.61

class  id  objects    share  images
cat     1       16  50.00 %       4
dog     2       16  50.00 %       4
"""
    )


def test_findings(run: Run, faulty: Path) -> None:
    done = run("check", faulty)
    assert done.returncode == 0
    text = " ".join(done.stdout.split())
    assert "error annotations whose id another one has: 1 of 32 [duplicate-annotation-id]" in text
    assert "at annotations[3] (id 2, image 1): as annotations[1]" in text
    assert "warning boxes with a width or height of 0: 1 of 32 [box-without-area]" in text
    assert "1 error, 1 warning" in text


def test_strict(run: Run, faulty: Path) -> None:
    done = run("check", faulty, "--strict", "--quiet")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == f"snellen: {faulty}: 1 error found\n"


def test_a_warning_is_no_error(run: Run, tmp_path: Path) -> None:
    truth = clean_truth()
    del truth["annotations"][0]["area"]
    assert run("check", written(tmp_path, "t.json", truth), "--strict").returncode == 0


def test_json(run: Run, faulty: Path, tmp_path: Path) -> None:
    done = run("check", faulty, "--json", "-")
    found = json.loads(done.stdout)
    assert found["schema"] == "snellen.health/1"
    assert [each["kind"] for each in found["findings"]] == [
        "duplicate-annotation-id",
        "box-without-area",
    ]
    assert found["predictions"] is None
    done = run("check", faulty, "--json", tmp_path / "found.json")
    assert "1 error, 1 warning" in done.stdout
    assert done.stderr.endswith(f"wrote {tmp_path / 'found.json'}\n")
    assert json.loads((tmp_path / "found.json").read_text()) == found


def test_gzipped_and_with_nan(run: Run, tmp_path: Path) -> None:
    truth, results = clean_truth(), clean_results()
    truth["annotations"][0]["bbox"][0] = float("nan")
    results[0]["score"] = float("inf")
    for name, content in (("truth.json.gz", truth), ("pred.json.gz", results)):
        (tmp_path / name).write_bytes(gzip.compress(json.dumps(content).encode()))
    done = run("check", tmp_path / "truth.json.gz", "--predictions", tmp_path / "pred.json.gz")
    assert done.returncode == 0, done.stderr
    assert "[box-not-finite]" in done.stdout
    assert "[score-not-finite]" in done.stdout


def test_yolo(run: Run, tmp_path: Path) -> None:
    labels = tmp_path / "labels"
    labels.mkdir()
    (labels / "1.txt").write_text("0 0.5 0.5 0.2 0.2\n0 0.5 0.5 0.2 0.2\n")
    (labels / "2.txt").write_text("")
    done = run("check", labels)
    assert done.returncode == 0, done.stderr
    assert f"snellen: {labels}: YOLO texts\n" in done.stderr
    text = " ".join(done.stdout.split())
    assert "boxes that another object of its class and image has, too: 1 of 2" in text
    assert "images without objects: 1 of 2" in text


def test_a_table_beside_coco(run: Run, tmp_path: Path) -> None:
    truth = clean_truth()
    truth["annotations"][3]["id"] = 0
    rows = ["image,class,score,x,y,w,h"]
    for each in clean_results(truth):
        box = ",".join(map(str, each["bbox"]))
        rows.append(f"{each['image_id']},{each['category_id']},{each['score']},{box}")
    pred = written(tmp_path, "pred.csv", "\n".join([*rows, "9,1,0.5,1,2,3,4"]))
    done = run("check", written(tmp_path, "truth.json", truth), "--predictions", pred)
    assert done.returncode == 0, done.stderr
    assert "[annotation-id-zero]" in done.stdout
    assert "\n1 warning\n" in done.stdout
    assert "1 boxes of 1 images that truth does not have left out" in done.stderr


def test_bad_input(run: Run, tmp_path: Path) -> None:
    truth = written(tmp_path, "truth.json", clean_truth())
    pred = written(tmp_path, "pred.json", clean_results())
    check_refused(run, tmp_path / "absent.json", text="No such file")
    check_refused(run, written(tmp_path, "empty.json", ""), text="in a format that is known")
    check_refused(run, tmp_path / "empty.json", "--format", "coco", text="the file is empty")
    check_refused(run, written(tmp_path, "no.json", '{"images": ['), text="expected a COCO")
    check_refused(
        run, written(tmp_path, "text.txt", "some words"), text="in a format that is known"
    )
    check_refused(run, pred, text="results are checked beside their truth")
    check_refused(run, truth, "--predictions", truth, text="expected COCO results")
    check_refused(
        run, truth, "--predictions", written(tmp_path, "n.json", "[1"), text="expected COCO results"
    )
    check_refused(run, truth, "--json", tmp_path / "no/x.json", text="expected a folder")
    check_refused(run, truth, "--classes", pred, text="whose files list them")
    check_refused(run, truth, "--images", tmp_path, text="whose files list them")
    check_refused(run, truth, "--box", "xyxy", text="with texts of boxes or a table")
    check_refused(run, written(tmp_path, "deep.json", '{"images": ' + "[" * 100_000), text="COCO")
    packed = tmp_path / "packed.json.gz"
    packed.write_bytes(b"no gzip")
    check_refused(run, packed, text="gzip")


def test_usage(run: Run, faulty: Path, tmp_path: Path) -> None:
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures/1.png").touch()
    check_refused(run, code=2, text="Missing argument")
    check_refused(run, tmp_path / "pictures", code=2, text="--leaks finds images that parts share")
    check_refused(run, faulty, faulty, code=2, text="expected one data set, got 2")
    check_refused(run, faulty, "--distance", "3", code=2, text="expected --distance with --leaks")
    check_refused(run, faulty, "--fail-on-leak", code=2, text="expected --fail-on-leak with --leak")
    check_refused(
        run, "--leaks", tmp_path, "--predictions", faulty, code=2,
        text="expected --predictions without --leaks",
    )  # fmt: skip
