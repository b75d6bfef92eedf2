"""``snellen evaluate detection`` by the rules of the Open Images Challenge."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Run

TREE = {
    "LabelName": "/m/root",
    "Subcategory": [
        {
            "LabelName": "/m/animal",
            "Subcategory": [{"LabelName": "/m/cat"}, {"LabelName": "/m/dog"}],
        }
    ],
}


@pytest.fixture
def arguments(tmp_path: Path) -> list[str]:
    texts = {
        "t.csv": "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsGroupOf\n"
        "a,x,/m/cat,1,0,0.5,0,0.5,0\na,x,/m/cat,1,0.5,1,0.5,1,1\n",
        "p.csv": "ImageID,LabelName,Score,XMin,XMax,YMin,YMax\n"
        "a,/m/cat,0.9,0,0.5,0,0.5\na,/m/animal,0.8,0,0.5,0,0.5\na,/m/dog,0.7,0,1,0,1\n"
        "b,/m/dog,0.6,0,1,0,1\n",
        "l.csv": "ImageID,Source,LabelName,Confidence\na,x,/m/cat,1\nb,x,/m/animal,0\n",
        "h.json": json.dumps(TREE),
        "c.csv": "/m/animal,Animal\n/m/cat,Cat\n/m/dog,Dog\n",
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
    return [
        "evaluate", "detection", str(tmp_path / "t.csv"), str(tmp_path / "p.csv"),
        "--protocol", "open-images-challenge", "--classes", str(tmp_path / "c.csv"),
    ]  # fmt: skip


def test_challenge(run: Run, arguments: list[str], tmp_path: Path) -> None:
    more = ["--image-labels", tmp_path / "l.csv", "--hierarchy", tmp_path / "h.json"]
    done = run(*arguments, *more, "--json", "-")
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0)
    result = json.loads(done.stdout)
    # Of a cat and a group of them one is found, as of animals; dogs have no number.
    assert result["metrics"]["AP"] == 0.5
    assert result["data"]["n_truth"] == 4
    assert result["data"]["n_images"] == 2
    assert result["data"]["n_unverified"] == 1
    assert {each["class"] for each in result["per_class"]} == {"Animal", "Cat", "Dog"}
    assert "2 boxes are 4 with those of the classes above" in done.stderr
    assert "1 images more, without boxes" in done.stderr


def test_labels_are_needed(run: Run, arguments: list[str]) -> None:
    done = run(*arguments)
    assert done.returncode == 2
    assert "--image-labels FILE" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("file", "text", "message"),
    [
        ("l.csv", "ImageID,LabelName\n", 'column "Confidence"'),
        ("l.csv", "ImageID,LabelName,Confidence\na,/m/cat,0.5\n", "0 (not there) or 1 (there)"),
        ("h.json", "[", "as JSON"),
        ("h.json", '{"LabelName": "x"}', "of the 0 classes of the hierarchy"),
        ("c.csv", "/m/cat,Cat\n/m/cat,Cat\n", "again"),
    ],
)
def test_bad_files(
    run: Run, arguments: list[str], tmp_path: Path, file: str, text: str, message: str
) -> None:
    (tmp_path / file).write_text(text)
    done = run(*arguments, "--image-labels", tmp_path / "l.csv", "--hierarchy", tmp_path / "h.json")
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert message in done.stderr
    assert file in done.stderr


def test_pixels_are_needed_where_they_count(run: Run, arguments: list[str]) -> None:
    """Pascal VOC adds a pixel, which to parts of an image would be a whole one."""
    done = run(*arguments[:4], "--protocol", "voc12", "--drop-unknown")
    assert done.returncode == 1
    assert "expected boxes in pixels, as voc12 counts these" in done.stderr
    assert done.stdout == ""
