"""Where a command prints to: narrow terminals, other encodings, streams that are closed or full."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

LABELS = "id,label\n0,ünïcode → a\n1,b\n2,ünïcode → a\n3,b\n"
EVALUATE = ("evaluate", "classification", "t.csv", "p.csv", "--no-intervals")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "t.csv").write_text(LABELS, encoding="utf-8")
    (tmp_path / "p.csv").write_text(LABELS, encoding="utf-8")
    return tmp_path


def run(folder: Path, *arguments: str, to: str = "", **more: str) -> tuple[int, bytes, str]:
    """Return the exit code, stdout and stderr of a command in a shell's redirection."""
    done = subprocess.run(
        ["sh", "-c", f'exec "$0" -m snellen "$@" {to}', sys.executable, *arguments],
        capture_output=True,
        cwd=folder,
        env={**os.environ, **more},
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr.decode("utf-8", "replace")


def test_numbers_of_classes_are_whole_on_a_narrow_terminal(folder: Path) -> None:
    code, out, _ = run(folder, *EVALUATE, "--per-class", FORCE_COLOR="1", COLUMNS="40")
    assert code == 0
    text = out.decode()
    assert "…" not in text
    (row,) = [line for line in text.splitlines() if line.startswith(" b ") and "1.000" in line]
    # Support 2, predicted 2; tp 2, fp 0, fn 0, tn 2; precision, recall, F1, Jaccard, specificity
    # and NPV are 1.
    assert row.split() == ["b", "b", "2", "2", "2", "0", "0", "2", *["1.000"] * 6]


@pytest.mark.parametrize("encoding", ["latin-1", "utf-8"])
def test_what_an_encoding_lacks_is_shown_as_its_escape(folder: Path, encoding: str) -> None:
    code, out, err = run(folder, *EVALUATE, "--out", "run", PYTHONIOENCODING=encoding)
    assert (code, "mistake" in err) == (0, False), err
    assert (folder / "run" / "run.json").is_file()
    shown = "ünïcode → a".encode(encoding, "backslashreplace")
    assert shown in out


@pytest.mark.skipif(sys.platform != "linux", reason="other file systems want text")
def test_names_that_are_no_text_on_a_strict_stream(folder: Path) -> None:
    odd = os.fsdecode(b"s\xff")
    code, out, err = run(
        folder, "sample", "regression", odd, "--samples", "3", PYTHONIOENCODING="utf-8"
    )
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == rb"s\udcff/truth.csv"


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams(folder: Path, closed: str) -> None:
    code, _, err = run(folder, *EVALUATE, "--per-class", "--out", "run", to=closed)
    assert (code, "Traceback" in err) == (0, False), err
    assert (folder / "run" / "run.json").is_file()
    code, _, err = run(folder, "evaluate", "classification", "none.csv", "p.csv", to=closed)
    assert (code, "Traceback" in err) == (1, False), err
    assert run(folder, "evaluate", "nothing", to=closed)[0] == 2


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device")
def test_a_full_disk_behind_stdout(folder: Path) -> None:
    for command in (EVALUATE, ("--help",)):
        code, _, err = run(folder, *command, to="> /dev/full")
        assert code == 1
        assert "Traceback" not in err
        assert "snellen: error: No space left on device" in err
