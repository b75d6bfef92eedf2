"""What a command writes is nothing that it reads, and no two things go to one file."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from snellen.cli.root import run as call
from snellen.samples.tracking import make_tracking_sample

from .conftest import results_document, truth_document

Capture = pytest.CaptureFixture[str]

LABELS = "id,label\n0,a\n1,b\n2,a\n3,b\n"
CLASSIFICATION = ("evaluate", "classification", "t.csv", "p.csv", "--no-intervals")
DETECTION = ("truth.json", "results.json")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of small files in which commands run."""
    (tmp_path / "t.csv").write_text(LABELS)
    (tmp_path / "p.csv").write_text(LABELS)
    (tmp_path / "link.csv").symlink_to("p.csv")
    (tmp_path / "truth.json").write_text(json.dumps(truth_document()))
    (tmp_path / "results.json").write_text(json.dumps(results_document()))
    (tmp_path / "result.json").write_text(json.dumps(results_document()))
    (tmp_path / "names.txt").write_text("cat\ndog\n")
    (tmp_path / "d").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*CLASSIFICATION, "--json", "p.csv"), "--json than for PREDICTIONS, which it would over"),
        ((*CLASSIFICATION, "--json", "./t.csv"), "--json than for TRUTH"),
        ((*CLASSIFICATION, "--json", "link.csv"), "overwrite - at link.csv"),
        ((*CLASSIFICATION, "--out", "d", "--json", "d/run.json"), "expected --json and d/run.json"),
        (
            ("evaluate", "detection", "truth.json", "result.json", "--out", "."),
            "expected another path for ./result.json than for PREDICTIONS",
        ),
        (
            ("evaluate", "detection", *DETECTION, "--classes", "names.txt", "--json", "names.txt"),
            "than for --classes",
        ),
        (("explain", *DETECTION, "--against", "voc", "--json", "truth.json"), "than for TRUTH"),
        (("diagnose", *DETECTION, "--json", "results.json"), "than for PREDICTIONS"),
        (("diagnose", *DETECTION, "--out", "d", "--json", "d/diagnosis.json"), "of their own"),
        (("check", "truth.json", "--json", "truth.json"), "than for SOURCE"),
        (
            ("check", "--leaks", "t.csv", "--groups", "g.out", "--sheet", "./g.out"),
            "expected --groups and --sheet in files of their own",
        ),
        (("check", "--leaks", "t.csv", "--groups", "t.csv"), "--groups than for SOURCE"),
        (("convert", "truth.json", "truth.json", "--to", "coco", "--force"), "than for SOURCE"),
        (("convert", "truth.json", "a.json", "--to", "coco", "--json", "a.json"), "of their own"),
        (
            ("benchmark", "--data", "t.csv", "predictions:p.csv", "--json", "p.csv"),
            "than for p.csv",
        ),
        (("benchmark", "--data", "t.csv", "predictions:p.csv,name=A", "--json", "t.csv"), "t.csv"),
        (("inspect", "--descent", "all", "--out", "x.html", "--json", "x.html"), "of their own"),
        (("train", "t.csv", "--json", "t.csv"), "than for DESCRIPTION"),
        (("train", "--data", "t.csv", "--json", "t.csv"), "than for t.csv"),
    ],
)
def test_nothing_is_overwritten(
    capsys: Capture, here: Path, arguments: tuple[str, ...], said: str
) -> None:
    if arguments[0] in ("inspect", "train"):
        pytest.importorskip("torch")
    before = content(here)
    assert call([*arguments]) == 2
    assert said in " ".join(capsys.readouterr().err.split())
    assert content(here) == before


def test_stored_runs_are_not_overwritten(capsys: Capture, here: Path) -> None:
    for name in ("a", "b"):
        assert call([*CLASSIFICATION, "--out", name, "--quiet"]) == 0
    before = content(here)
    for command in (["compare", "a", "b"], ["compare", "a/state.bin", "b"], ["merge", "a"]):
        for name in ("a/result.json", "a/run.json", "a/state.bin"):
            assert call([*command, "--json", name]) == 2
            assert "which it would overwrite" in capsys.readouterr().err
    assert content(here) == before


@pytest.mark.parametrize("name", ["run.json", "result.json"])
def test_files_of_other_programs_are_not_overwritten(
    capsys: Capture, here: Path, name: str
) -> None:
    (here / "d" / name).write_text('{"schema": "somebody/1"}')
    before = content(here)
    assert call([*CLASSIFICATION, "--out", "d"]) == 1
    assert f"got one with a {name} of another program" in capsys.readouterr().err
    assert call(["benchmark", "--data", "t.csv", "predictions:p.csv", "--out", "d"]) == 1
    assert f"got one with a {name} of another program" in capsys.readouterr().err
    assert content(here) == before


def test_tables_of_tracking(capsys: Capture, tmp_path: Path) -> None:
    made = make_tracking_sample(
        tmp_path / "data", n_sequences=1, n_frames=5, n_objects=2, draw_images=False
    )
    command = ["evaluate", "tracking", str(made.truth), str(made.predictions), "--no-intervals"]
    both = tmp_path / "both.csv"
    for other in ("--json", "--tracks"):
        assert call([*command, "--events", str(both), other, f"{tmp_path}/./both.csv"]) == 2
        assert "in files of their own" in capsys.readouterr().err
        assert not both.exists()
    # A device takes both.
    assert call([*command, "--events", os.devnull, "--tracks", os.devnull, "--quiet"]) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("evaluate", "tracking", "t.csv", "p.csv", "--events", "-"),
        ("evaluate", "tracking", "t.csv", "p.csv", "--tracks", "-"),
        (*CLASSIFICATION, "--out", "-"),
        ("check", "--leaks", "t.csv", "--groups", "-"),
        ("check", "--leaks", "t.csv", "--sheet", "-"),
        ("report", "a", "-o", "-", "--format", "md"),
        ("report", "a", "-o", "a.html", "--assets", "-"),
        ("convert", "truth.json", "-", "--to", "coco"),
        ("diagnose", *DETECTION, "--out", "-"),
        ("predict", "a", "t.csv", "--out", "-"),
        ("export", "a", "-"),
        ("inspect", "--descent", "all", "--out", "-"),
        ("sample", "regression", "-"),
    ],
)
def test_where_stdout_is_none(capsys: Capture, here: Path, arguments: tuple[str, ...]) -> None:
    before = content(here)
    assert call([*arguments]) == 2
    assert "expected a path, stdout is none here" in " ".join(capsys.readouterr().err.split())
    assert content(here) == before


@pytest.mark.parametrize("option", ["--out", "--json"])
def test_no_path_is_none(capsys: Capture, here: Path, option: str) -> None:
    before = content(here)
    assert call([*CLASSIFICATION, option, ""]) == 2
    assert "expected a path, got nothing" in capsys.readouterr().err
    assert content(here) == before
