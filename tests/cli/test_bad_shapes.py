"""Broken masks, keypoints and labels: one clear line from every command that reads them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from snellen.cli.root import run as run_here

from .conftest import Run

HEIGHT, WIDTH = 20, 30
NAN, INFINITY = float("nan"), float("inf")
GOOD = {
    "segmentation": {"size": [HEIGHT, WIDTH], "counts": [45, 10, 545]},
    "keypoints": [3, 4, 2] * 17,
}
SIMILARITY = {"segmentation": "mask", "keypoints": "keypoints"}


def runs(counts: Any, size: Any = (HEIGHT, WIDTH)) -> dict[str, Any]:
    return {"size": list(size), "counts": counts}


SHORT = "expected a polygon of at least 6 numbers (three vertices), got less"
TRIPLES = "expected a list of x, y and visibility of each keypoint, got a list of"
BROKEN: list[tuple[str, str, Any, str]] = [
    # What it is, the field, what stands there, what is said.
    ("random bytes", "segmentation", runs("\x01\x7f\u00ff\u1234 ~"),
     'expected characters "0" … "o" of run lengths, got "\\x01", at character 1'),
    ("random letters", "segmentation", runs("PYn7ooo"), "expected runs of together 600 pixels"),
    ("text of 75 bits", "segmentation", runs("o" * 14 + "0"), "got a number of more than 40 bits"),
    ("text that falls short", "segmentation", runs("0`00"), "together 600 pixels, got 16"),
    ("text that ends early", "segmentation", runs("`]\\o"), "the run lengths are cut off"),
    ("counts that overflow", "segmentation", runs([2**32 - 1, 2**32 - 1, 602]),
     "together 600 pixels, got 8589935192"),
    ("a count of 40 bits", "segmentation", runs([0, 2**40]), "below 2^32, got 1099511627776"),
    ("counts that fall short", "segmentation", runs([10, 5]), "together 600 pixels, got 15"),
    ("counts that go beyond", "segmentation", runs([0, 601]), "together 600 pixels, got 601"),
    ("a negative count", "segmentation", runs([10, -5, 595]), "expected a run from 0 on"),
    ("a count and a half", "segmentation", runs([10.5, 589.5]), "got 10.5"),
    ("sides exchanged", "segmentation", runs([600], (WIDTH, HEIGHT)), "20 × 30"),
    ("no side", "segmentation", runs([0], (0, 0)), "20 × 30"),
    ("three sides", "segmentation", runs([600], (HEIGHT, WIDTH, 1)), "height and width"),
    ("sides of 31 bits", "segmentation", runs([0], (2**31, 2**31)), "got 2147483648"),
    ("sides that lack", "segmentation", {"counts": [600]}, "size and counts"),
    *((f"polygon of {n} numbers", "segmentation", [[1.0] * n], SHORT) for n in range(6)),
    ("polygon of 7 numbers", "segmentation", [[1, 1, 5, 1, 5, 5, 1]], "an even number of numbers"),
    ("vertex at NaN", "segmentation", [[1, 1, NAN, 1, 5, 5]], "-2e8 and 2e8, got NaN"),
    ("vertex at infinity", "segmentation", [[1, 1, INFINITY, 1, 5, 5]], "-2e8 and 2e8"),
    ("vertex far away", "segmentation", [[-1e308, 1, 1e308, 1, 5, 5]], "got -1e+308"),
    *((f"{n} keypoint numbers", "keypoints", [1] * n, f"{TRIPLES} {n}") for n in (2, 50, 52)),
    ("no keypoints", "keypoints", [], "an empty list"),
    ("18 keypoints", "keypoints", [1, 2, 2] * 18, "expected 17 keypoints (51 numbers)"),
    ("keypoint at NaN", "keypoints", [1, NAN, 2] * 17, "expected a finite number, got NaN"),
    ("keypoint in words", "keypoints", ["1", 2, 2] * 17, 'expected a finite number, got "1"'),
]  # fmt: skip
UNUSUAL: list[tuple[str, str, Any]] = [
    ("polygon outside", "segmentation", [[-100, -100, -50, -100, -50, -50]]),
    ("polygon around", "segmentation", [[-9.5, -9, 100, -10, 99.7, 100, -10, 100]]),
    ("100,000 vertices", "segmentation",
     [[v for k in range(100_000) for v in (5 + k % 7 + 0.25, 5 + k % 11)]]),
    ("counts of 0", "segmentation", runs([0] * 999 + [600])),
    ("keypoint outside", "keypoints", [-1e9, 1e9, 2] * 17),
]  # fmt: skip
SIDES = ("truth", "predictions")


def written(folder: Path, field: str, value: Any, side: str) -> tuple[Path, Path]:
    """Write a data set, and results on it, with one broken object in either."""
    keys = {"image_id": 1, "category_id": 1}
    whole = {"bbox": [2, 2, 10, 10], "area": 100, "iscrowd": 0, "num_keypoints": 17}
    documents: dict[str, Any] = {
        "truth": {
            "images": [{"id": 1, "width": WIDTH, "height": HEIGHT, "file_name": "a.png"}],
            "categories": [{"id": 1, "name": "cat"}],
            "annotations": [{"id": k, **keys, **whole, field: GOOD[field]} for k in (1, 2)],
        },
        "predictions": [{**keys, "score": 0.5, field: GOOD[field]} for _ in range(2)],
    }
    records = documents[side]["annotations"] if side == "truth" else documents[side]
    records[1][field] = value
    for name, document in documents.items():
        (folder / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    return folder / "truth.json", folder / "predictions.json"


def commands(truth: Path, pred: Path, field: str, side: str) -> Iterator[list[Any]]:
    """Yield what reads both, or what is broken."""
    similarity = ["--similarity", SIMILARITY[field]]
    yield ["evaluate", "detection", truth, pred, *similarity]
    yield ["diagnose", truth, pred, *similarity]
    yield ["explain", truth, pred, "--against", "pycocotools", *similarity]
    convert: list[Any] = ["convert", truth, truth.parent / "out", "--to", "yolo", "--lossy"]
    if side == "predictions":
        convert[1:2] = [pred, "--predictions", "--truth", truth]
    yield [*convert, "--kind", SIMILARITY[field]]


def refused(capsys: pytest.CaptureFixture[str], arguments: list[Any]) -> str:
    """Run a command that is to fail; return its one line."""
    code = run_here([str(each) for each in arguments])
    out, err = capsys.readouterr()
    assert (code, out) == (1, ""), arguments
    lines = [line for line in err.splitlines() if not line.endswith(", and no boxes")]
    assert len(lines) == 1, err
    assert lines[0].startswith("snellen: error: ")
    assert "our mistake" not in lines[0]
    assert len(lines[0]) < 500
    return lines[0]


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("what", "field", "value", "message"), BROKEN, ids=[b[0] for b in BROKEN])
def test_refused(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    side: str,
    what: str,
    field: str,
    value: Any,
    message: str,
) -> None:
    files = written(tmp_path, field, value, side)
    place = f"{tmp_path / side}.json $.annotations[1].{field}"
    if side == "predictions":
        place = place.replace(".annotations", "")
    for arguments in commands(*files, field, side):
        line = refused(capsys, arguments)
        assert message in line, what
        assert f" - at {place}" in line
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("what", "field", "value", "message"), BROKEN, ids=[b[0] for b in BROKEN])
def test_check_names_it(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    side: str,
    what: str,
    field: str,
    value: Any,
    message: str,
) -> None:
    """A check finds it, among all else, and does not fail because of it."""
    truth, pred = written(tmp_path, field, value, side)
    found = tmp_path / "found.json"
    arguments = ["check", truth, "--predictions", pred, "--json", found, "--strict"]
    assert run_here([str(each) for each in arguments]) == 3, (what, message)
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    errors = [
        each for each in json.loads(found.read_text())["findings"] if each["severity"] == "error"
    ]
    names = {"segmentation": {"mask-broken", "mask-empty", "mask-size"}}
    names["keypoints"] = {"unreadable-field", "keypoints-number"}
    assert {each["kind"] for each in errors} <= names[field], errors
    assert errors


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(("what", "field", "value"), UNUSUAL, ids=[u[0] for u in UNUSUAL])
def test_unusual_and_taken(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, side: str, what: str, field: str, value: Any
) -> None:
    files = written(tmp_path, field, value, side)
    for arguments in commands(*files, field, side):
        assert run_here([str(each) for each in arguments]) == 0, (what, arguments)
        assert "error" not in capsys.readouterr().err


def test_as_a_user_runs_it(run: Run, tmp_path: Path) -> None:
    files = written(tmp_path, "segmentation", runs("\x01\x7f"), "predictions")
    done = run("evaluate", "detection", *files)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    assert done.stderr.count("\n") == 2  # the first says that there are masks


# ---------------------------------------------------------------------------------------------
# Rules, XML, texts.


@pytest.mark.parametrize("sigmas", [[0.1] * 3, [0.1] * 18, [], [0.0] * 17, ["a"] * 17, "x"])
def test_sigmas(capsys: pytest.CaptureFixture[str], tmp_path: Path, sigmas: Any) -> None:
    files = written(tmp_path, "keypoints", GOOD["keypoints"], "truth")
    rules = tmp_path / "rules.json"
    rules.write_text(json.dumps({"base": "coco-keypoints", "sigmas": sigmas}))
    for command in (["evaluate", "detection"], ["diagnose"]):
        line = refused(capsys, [*command, *files, "--protocol", rules])
        if isinstance(sigmas, list) and len(sigmas) != 17:
            assert f"expected 17 sigmas, one a keypoint, got {len(sigmas)}" in line
        else:
            assert re.search(r"rules\.json \$\.sigmas(\[\d\])?$", line)


VOC = (
    "<annotation><filename>a.jpg</filename><size><width>30</width><height>20</height></size>"
    "<object><name>{}</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>9</xmax><ymax>9</ymax>"
    "</bndbox></object></annotation>"
)
OF_XML = {
    "an entity": '<!DOCTYPE x [<!ENTITY lol "cat">]>' + VOC.format("&lol;"),
    "entities of entities": '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]>'
    + VOC.format("&b;"),
    "another file": '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>' + VOC.format("&e;"),
    "a parameter": '<!DOCTYPE x [<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]>'
    + VOC.format("cat"),
    "a document type": '<!DOCTYPE x SYSTEM "http://example.org/x.dtd">' + VOC.format("cat"),
    "an inclusion": VOC.format(
        '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd" parse="text"/>'
    ),
    "an unknown entity": VOC.format("&nothing;"),
}


@pytest.mark.parametrize("what", OF_XML)
def test_voc_xml(capsys: pytest.CaptureFixture[str], tmp_path: Path, what: str) -> None:
    for folder in ("truth", "run"):
        (tmp_path / folder).mkdir()
    (tmp_path / "truth/a.xml").write_text(OF_XML[what])
    (tmp_path / "run/comp4_det_test_cat.txt").write_text("a 0.5 1 2 9 9\n")
    assert_all_refuse(
        capsys, tmp_path, "expected XML", f"{tmp_path}/truth/a.xml line 1", secret="root:"
    )


OF_YOLO = {
    "0 .5 .5 .2": "expected 5 numbers",
    "0 .5 .5 .2 .2 .9 .1": "got 5 numbers before and 7 here",
    "0 .5 .5": "was the line cut off?",
    "0 .5 x .2 .2": 'expected a number as centre y (column 3), got "x"',
    "0 nan .5 .2 .2": "expected a finite centre x, got nan",
    "-1 .5 .5 .2 .2": "expected class numbers from 0 on, got -1",
    "0.5 .5 .5 .2 .2": "expected a whole number as class",
}


@pytest.mark.parametrize("line", OF_YOLO)
def test_yolo(capsys: pytest.CaptureFixture[str], tmp_path: Path, line: str) -> None:
    for folder in ("truth", "run"):
        (tmp_path / folder).mkdir()
    (tmp_path / "truth/a.txt").write_text(f"0 .5 .5 .2 .2\n{line}\n")
    (tmp_path / "run/a.txt").write_text("0 .5 .5 .2 .2 .9\n")
    assert_all_refuse(capsys, tmp_path, OF_YOLO[line], f"{tmp_path}/truth/a.txt line 2")


def assert_all_refuse(
    capsys: pytest.CaptureFixture[str], folder: Path, message: str, place: str, secret: str = "\0"
) -> None:
    truth, pred, out = folder / "truth", folder / "run", folder / "out.json"
    for arguments in (
        ["evaluate", "detection", truth, pred],
        ["diagnose", truth, pred],
        ["explain", truth, pred, "--against", "all"],
        ["convert", truth, out, "--to", "coco", "--lossy"],
        ["check", truth],
    ):
        line = refused(capsys, arguments)
        assert message in line
        assert f" - at {place}" in line
        assert secret not in line
    assert not out.exists()
