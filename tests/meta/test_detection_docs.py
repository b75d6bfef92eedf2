"""Pages about detection: their examples run, and what the guide shows is what is printed."""

from __future__ import annotations

import dataclasses
import doctest
import re
import subprocess
import sys
from pathlib import Path

import pytest

from snellen.cli.diagnose import PARTS, diagnose
from snellen.detection.protocols import PROTOCOLS, DetectionProtocol
from snellen.readers.detection_formats import FORMATS

DOCS = Path(__file__).parents[2] / "docs"
PAGES = [path for path in sorted((DOCS / "metrics").glob("*.md")) if ">>> " in path.read_text()]
GUIDE = DOCS / "guide" / "why-a-detector-fails.md"


def test_there_are_examples() -> None:
    assert {path.stem for path in PAGES} >= {
        *("average-precision", "detection-calibration", "images-and-slices", "keypoints"),
        *("lrp", "lvis", "operating-points", "masks", "detection-confusion", "detection-errors"),
        "label-errors",
    }


# What each page about detection says at its end.
NOTES = ("State", "Merge", "Ties", "Undefined", "Agrees with")
DETECTION = (
    *("average-precision", "masks", "keypoints", "oriented-boxes", "lvis", "open-images"),
    *("pascal-voc", "detection-errors", "detection-confusion", "operating-points", "lrp"),
    *("detection-calibration", "images-and-slices", "label-errors"),
)


@pytest.mark.parametrize("name", DETECTION)
def test_pages_say_what_they_agree_with(name: str) -> None:
    _, notes = (DOCS / "metrics" / f"{name}.md").read_text(encoding="utf-8").split("## Notes\n")
    for note in NOTES:
        assert re.search(rf"\b{note}\b", notes, re.I), note
    assert "`tests/" in notes
    assert f"docs/metrics/{name}.md" in (DOCS.parent / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", sorted(DOCS.rglob("*.md")), ids=lambda path: path.stem)
def test_tests_that_pages_name_are_there(path: Path) -> None:
    named = re.findall(r"`(tests/[\w/.-]+)`", path.read_text(encoding="utf-8"))
    missing = [each for each in named if not (DOCS.parent / each).exists()]
    assert not missing


def test_every_protocol_and_rule_is_named() -> None:
    text = (DOCS / "reference/detection-protocols.md").read_text(encoding="utf-8")
    rules = {field.name for field in dataclasses.fields(DetectionProtocol)} - {"name"}
    for name in (*PROTOCOLS, *rules):
        assert f"`{name}`" in text, name


def test_every_format_is_named() -> None:
    text = (DOCS / "reference/detection-files.md").read_text(encoding="utf-8")
    for name in FORMATS:
        assert text.count(f"| `{name}` |") == 2, name  # read and written


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_examples_of_metrics_run(path: Path) -> None:
    found = doctest.testfile(str(path), module_relative=False, encoding="utf-8")
    assert found.attempted
    assert not found.failed


def test_the_guide_shows_what_is_printed(tmp_path: Path) -> None:
    text = GUIDE.read_text(encoding="utf-8")
    (commands, *_) = re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)
    printed = ""
    for line in commands.splitlines():
        words = line.split()
        assert words[0] == "snellen"
        if words[1] == "sample":
            words.append("--no-images")
        printed = subprocess.run(
            [sys.executable, "-m", *words],
            cwd=tmp_path,
            check=True,
            capture_output=True,
            encoding="utf-8",
            timeout=60,
        ).stdout
    blocks = re.findall(r"^```text\n(.*?)^```", text, re.M | re.S)
    assert len(blocks) > 8
    at = 0
    for block in blocks:
        assert block in printed[at:], f"{GUIDE.name} shows what is not printed:\n{block}"
        at = printed.index(block, at)


def test_the_guide_names_every_part_and_option() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    for part in PARTS:
        assert f"`{part}`" in text
    for option in diagnose.params:
        if option.name in ("threads", "quiet", "truth", "predictions"):
            continue
        shared = option.name in (
            *("written", "truth_format", "images", "classes", "box", "relative"),
            *("image_labels", "hierarchy", "drop_unknown", "max_detections"),
        )
        assert shared or option.opts[0] in text, option.opts[0]
