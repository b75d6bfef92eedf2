"""Every kind of bad input: one clear line, exit code 1, no traceback, nothing half-written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from .conftest import Run, annotation, results_document, truth_document

Truth = dict[str, Any]
Results = list[dict[str, Any]]


def check_refused(run: Run, truth: Path, results: Path, *expected: str) -> None:
    """Evaluate, and see that it is refused in one line that says the expected things."""
    out = truth.parent / "out"
    done = run("evaluate", "detection", truth, results, "--out", out, timeout=120)
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("snellen: error: ")
    assert done.stderr.count("\n") == 1
    assert len(done.stderr) < 1000
    assert "our mistake" not in done.stderr
    for text in expected:
        assert text in done.stderr
    assert not out.exists()


def test_file_missing(run: Run, files: tuple[Path, Path]) -> None:
    truth, results = files
    absent = truth.with_name("absent.json")
    check_refused(run, absent, results, "absent.json", "no such file")
    check_refused(run, truth, absent, "absent.json", "no such file")
    check_refused(run, truth, absent.with_suffix(".gz"), "absent.gz")


def test_directory(run: Run, files: tuple[Path, Path]) -> None:
    truth, results = files
    check_refused(run, truth.parent, results, "directory")
    check_refused(run, truth, truth.parent, "directory")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "empty"),
        (b"   \n", "expected"),
        (b"nonsense", "expected"),
        (b"\x80\x81", "expected"),
        (b"[{]", "expected"),
        (b"null", "null"),
        (b'"text"', "expected"),
        (b"\x1f\x8b\x08", "expected"),
    ],
)
def test_not_json(run: Run, files: tuple[Path, Path], content: bytes, expected: str) -> None:
    truth, results = files
    bad = truth.with_name("bad.json")
    bad.write_bytes(content)
    check_refused(run, bad, results, "bad.json", expected)
    check_refused(run, truth, bad, "bad.json", expected)


def test_not_gzip(run: Run, files: tuple[Path, Path]) -> None:
    truth, results = files
    bad = truth.with_name("bad.json.gz")
    bad.write_bytes(results.read_bytes())
    check_refused(run, truth, bad, "bad.json.gz", "gzip")


def test_swapped(run: Run, files: tuple[Path, Path]) -> None:
    truth, results = files
    check_refused(run, results, truth, "swapped")
    check_refused(run, results, results, "swapped")
    check_refused(run, truth, truth, "annotation file")


def change_truth(document: Truth, section: str, key: str, value: Any) -> None:
    document[section][1][key] = value


TRUTH_CHANGES: list[tuple[str, Callable[[Truth], object], tuple[str, ...]]] = [
    ("no images", lambda d: d.pop("images"), ('"images"',)),
    ("no annotations", lambda d: d.pop("annotations"), ('"annotations"',)),
    ("no categories", lambda d: d.pop("categories"), ('"categories"',)),
    ("list of lists", lambda d: d.update(annotations=[[1]]), ("$.annotations[0]", "a list")),
    ("object for list", lambda d: d.update(annotations={}), ("$.annotations", "an object")),
    ("no image_id", lambda d: d["annotations"][1].pop("image_id"),
     ('"image_id"', "$.annotations[1]")),
    ("no category_id", lambda d: d["annotations"][1].pop("category_id"),
     ('"category_id"', "$.annotations[1]")),
    ("no bbox", lambda d: d["annotations"][1].pop("bbox"), ('"bbox"', "$.annotations[1]")),
    ("no image id", lambda d: d["images"][0].pop("id"), ('"id"', "$.images[0]")),
    ("no category id", lambda d: d["categories"][0].pop("id"), ('"id"', "$.categories[0]")),
    ("text for bbox", lambda d: change_truth(d, "annotations", "bbox", "x"),
     ("$.annotations[1].bbox", '"x"')),
    ("three numbers", lambda d: change_truth(d, "annotations", "bbox", [1, 2, 3]),
     ("$.annotations[1].bbox", "4 numbers")),
    ("five numbers", lambda d: change_truth(d, "annotations", "bbox", [1, 2, 3, 4, 5]),
     ("$.annotations[1].bbox", "4 numbers")),
    ("null in bbox", lambda d: change_truth(d, "annotations", "bbox", [1, None, 3, 4]),
     ("$.annotations[1].bbox[1]", "null")),
    ("NaN box", lambda d: change_truth(d, "annotations", "bbox", [1, 2, float("nan"), 4]),
     ("$.annotations[1].bbox[2]", "finite", "NaN")),
    ("infinite box", lambda d: change_truth(d, "annotations", "bbox", [float("inf"), 2, 3, 4]),
     ("$.annotations[1].bbox[0]", "finite")),
    ("huge box", lambda d: change_truth(d, "annotations", "bbox", [10**400, 2, 3, 4]),
     ("$.annotations[1].bbox[0]", "finite")),
    ("infinite area", lambda d: change_truth(d, "annotations", "bbox", [1, 2, 1e200, 1e200]),
     ("$.annotations[1].bbox", "range of float64", "1e+200")),
    ("negative size", lambda d: change_truth(d, "annotations", "bbox", [1, 2, -3.5, 4]),
     ("$.annotations[1].bbox[2]", "at least 0", "-3.5")),
    ("negative area", lambda d: change_truth(d, "annotations", "area", -1),
     ("$.annotations[1].area", "at least 0")),
    ("text area", lambda d: change_truth(d, "annotations", "area", "1"),
     ("$.annotations[1].area",)),
    ("text crowd", lambda d: change_truth(d, "annotations", "iscrowd", "no"),
     ("$.annotations[1].iscrowd",)),
    ("fractional id", lambda d: change_truth(d, "annotations", "image_id", 1.5),
     ("$.annotations[1].image_id", "whole number", "1.5")),
    ("true as id", lambda d: change_truth(d, "annotations", "image_id", True),
     ("$.annotations[1].image_id", "true")),
    ("id of 70 bits", lambda d: change_truth(d, "annotations", "image_id", 2**70),
     ("$.annotations[1].image_id", "64 bits")),
    ("text among numbers", lambda d: change_truth(d, "annotations", "image_id", "1"),
     ("$.annotations[1].image_id",)),
    ("number as name", lambda d: change_truth(d, "categories", "name", 5),
     ("$.categories[1].name",)),
    ("unknown image", lambda d: d["annotations"].extend(
        annotation(10 + i, 90 + i, 1, [0, 0, 1, 1]) for i in range(7)),
     ("7 unknown", "90, 91, 92, 93, 94, …", "$.annotations[3]")),
    ("image 2^60", lambda d: change_truth(d, "annotations", "image_id", 2**60),
     ("1 unknown", str(2**60), "$.annotations[1]")),
    ("unknown category", lambda d: change_truth(d, "annotations", "category_id", 77),
     ("1 unknown", "77", "$.annotations[1]")),
    ("annotation twice", lambda d: d["annotations"].append(dict(d["annotations"][1])),
     ("annotation id once", ": 2;")),
    ("category twice", lambda d: d["categories"].append(dict(d["categories"][1])),
     ("class id once", "$.categories")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "expected"),
    [change[1:] for change in TRUTH_CHANGES],
    ids=[change[0] for change in TRUTH_CHANGES],
)
def test_bad_truth(
    run: Run,
    files: tuple[Path, Path],
    change: Callable[[Truth], object],
    expected: tuple[str, ...],
) -> None:
    truth, results = files
    document = truth_document()
    change(document)
    truth.write_text(json.dumps(document))
    check_refused(run, truth, results, "truth.json", *expected)


RESULT_CHANGES: list[tuple[str, Callable[[Results], object], tuple[str, ...]]] = [
    *(
        (f"no {key}", lambda d, key=key: d[1].pop(key), (f'"{key}"', "$[1]"))  # type: ignore[misc]
        for key in ("image_id", "category_id", "bbox", "score")
    ),
    ("number as record", lambda d: d.__setitem__(1, 5), ("$[1]", "an object", "5")),
    ("text score", lambda d: d[1].update(score="0.9"),
     ('expected a number, got "0.9"', "$[1].score")),
    ("NaN score", lambda d: d[1].update(score=float("nan")), ("$[1].score", "finite")),
    ("infinite score", lambda d: d[1].update(score=float("-inf")), ("$[1].score", "finite")),
    ("NaN box", lambda d: d[1].update(bbox=[float("nan"), 0, 1, 1]), ("$[1].bbox[0]", "finite")),
    ("infinite box", lambda d: d[1].update(bbox=[0, 0, float("inf"), 1]),
     ("$[1].bbox[2]", "finite")),
    ("vanished area", lambda d: d[1].update(bbox=[0, 0, 1e-200, 1e-200]),
     ("$[1].bbox", "range of float64", "1e-200")),
    ("negative size", lambda d: d[1].update(bbox=[0, 0, 1, -1]),
     ("$[1].bbox[3]", "at least 0", "-1")),
    ("null image", lambda d: d[1].update(image_id=None), ("$[1].image_id", "null")),
    ("unknown images", lambda d: [d[i].update(image_id=50 + i) for i in range(3)],
     ("3 unknown", "50, 51, 52", "$[0]", "--drop-unknown")),
    ("image 2^60", lambda d: d[1].update(image_id=2**60), ("1 unknown", str(2**60), "$[1]")),
    ("image 2^63", lambda d: d[1].update(image_id=2**63), ("$[1].image_id", "64 bits")),
    ("all ids text", lambda d: [record.update(image_id="1") for record in d],
     ("1 unknown", "numbers", "$[0]")),
    ("unknown category", lambda d: d[1].update(category_id=3), ("1 unknown", ": 3", "$[1]")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "expected"),
    [change[1:] for change in RESULT_CHANGES],
    ids=[change[0] for change in RESULT_CHANGES],
)
def test_bad_results(
    run: Run,
    files: tuple[Path, Path],
    change: Callable[[Results], object],
    expected: tuple[str, ...],
) -> None:
    truth, results = files
    document = results_document()
    change(document)
    results.write_text(json.dumps(document))
    check_refused(run, truth, results, "results.json", *expected)


def test_huge_ids_that_are_listed_are_fine(run: Run, files: tuple[Path, Path]) -> None:
    truth, results = files
    big = 2**60
    document = truth_document()
    document["images"][0]["id"] = big
    for record in document["annotations"]:
        record["image_id"] = big if record["image_id"] == 1 else record["image_id"]
    truth.write_text(json.dumps(document))
    records = results_document()
    for record in records:
        record["image_id"] = big if record["image_id"] == 1 else record["image_id"]
    results.write_text(json.dumps(records))
    done = run("evaluate", "detection", truth, results, "--json", "-")
    assert json.loads(done.stdout)["metrics"]["AR_100"] == 1.0


def test_deep_nesting(run: Run, files: tuple[Path, Path]) -> None:
    truth, results = files
    depth = 10**6
    for document in (
        "[" * depth,
        "[" * depth + "]" * depth,
        '{"a":' * depth + "1" + "}" * depth,
        '[{"image_id": 1, "x": ' + "[" * depth + "]" * depth + "}]",
    ):
        bad = truth.with_name("deep.json")
        bad.write_text(document)
        check_refused(run, truth, bad, "deep.json")
        check_refused(run, bad, results, "deep.json")


def test_a_string_of_a_gigabyte(run: Run, files: tuple[Path, Path]) -> None:
    truth, results = files
    big = truth.with_name("big.json")
    block = b"a" * (1 << 20)

    def write(before: bytes, after: bytes) -> None:
        with big.open("wb") as file:
            file.write(before)
            for _ in range(1 << 10):
                file.write(block)
            file.write(after)

    try:
        # As an id it is refused, and not shown whole; unfinished it is broken JSON.
        write(b'[{"image_id": "', b'", "category_id": 1, "bbox": [0, 0, 1, 1], "score": 1}]')
        check_refused(run, truth, big, "$[0].image_id")
        write(b'[{"image_id": "', b"")
        check_refused(run, truth, big, "big.json")
        # Where nothing needs it, it is passed over.
        document = json.dumps(truth_document()).encode()
        write(b'{"info": "', b'", ' + document[1:])
        assert run("evaluate", "detection", big, results, timeout=120).returncode == 0
    finally:
        big.unlink(missing_ok=True)


def test_unwritable_output(run: Run, files: tuple[Path, Path]) -> None:
    truth, results = files
    absent = truth.parent / "absent"
    done = run("evaluate", "detection", *files, "--json", absent / "r.json")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        f"snellen: error: expected a folder to write into, there is none: make it - at {absent}\n"
    )
    for options in (["--out", results], ["--json", ""], ["--out", ""], ["--json", truth.parent]):
        done = run("evaluate", "detection", *files, *options)
        assert done.returncode == 2
        assert "Traceback" not in done.stderr
    assert json.loads(results.read_text()) == results_document()


def test_a_link_is_followed(run: Run, files: tuple[Path, Path]) -> None:
    target, link = files[0].with_name("target.json"), files[0].with_name("link.json")
    target.write_text("old")
    link.symlink_to(target)
    assert run("evaluate", "detection", *files, "--json", link).returncode == 0
    assert link.is_symlink()
    assert json.loads(target.read_text())["task"] == "detection"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="named pipes are a thing of POSIX")
def test_a_pipe_is_written_to(files: tuple[Path, Path]) -> None:
    fifo = files[0].with_name("fifo")
    os.mkfifo(fifo)
    command = [sys.executable, "-m", "snellen", "evaluate", "detection", *map(str, files)]
    with subprocess.Popen([*command, "--json", str(fifo), "--quiet"]) as evaluation:
        assert json.loads(fifo.read_text())["task"] == "detection"
        assert evaluation.wait(timeout=60) == 0
    assert fifo.is_fifo()


def test_an_earlier_result_survives_a_failure(run: Run, files: tuple[Path, Path]) -> None:
    truth, results = files
    out = truth.parent / "result.json"
    assert run("evaluate", "detection", *files, "--json", out).returncode == 0
    before = out.read_bytes()
    results.write_text("[")
    assert run("evaluate", "detection", *files, "--json", out).returncode == 1
    assert out.read_bytes() == before
    assert sorted(path.name for path in truth.parent.iterdir()) == [
        "result.json",
        "results.json",
        "truth.json",
    ]
