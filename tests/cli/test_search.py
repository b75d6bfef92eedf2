"""``snellen search``: what is printed and written, bad input, Ctrl-C."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("optuna")

from snellen.cli.root import run as command_line
from snellen.training.description import read_description

BASE = ["--data", "digits", "--network", "fc", "--epochs", "1"]
OVER = ["--over", "learning_rate=1e-4..1e-2:log", "--over", "network.hidden.0=8..32"]


def searched(capsys: pytest.CaptureFixture[str], *arguments: str | Path) -> tuple[int, str, str]:
    code = command_line(["search", *map(str, arguments)])
    printed = capsys.readouterr()
    return code, printed.out, printed.err


def test_a_table_and_the_best_description(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("fc.toml").write_text('data = "digits"\nnetwork = "fc"\nepochs = 9\n')
    code, out, err = searched(capsys, *BASE, *OVER, "--trials", 2, "--out", "found", "fc.toml")
    assert code == 0
    table, toml = out.split("\n\n")
    assert len(table.splitlines()) == 3
    assert toml == Path("found/best.toml").read_text()
    best = read_description("found/best.toml")
    assert best.epochs == 1
    assert 1e-4 <= best.learning_rate <= 1e-2
    lines = err.splitlines()
    assert [line.split()[0] for line in lines] == ["1/2", "2/2", "wrote"]
    assert lines[-1] == "wrote found/best.toml"

    code, out, err = searched(capsys, "--resume", "found", "--trials", 3, "--json", "-")
    assert code == 0
    content = json.loads(out)
    assert content == json.loads(Path("found/trials.json").read_text())
    assert [trial["number"] for trial in content["trials"]] == [1, 2, 3]
    assert [line.split()[0] for line in err.splitlines()] == ["3/3"]

    code, out, err = searched(capsys, "--resume", "found", "--set", "ema=0.9")
    assert (code, out) == (1, "")
    assert "ema was null, is 0.9" in err

    assert searched(capsys, "--resume", "found", "--quiet") == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([*BASE], "expected what to search over"),
        ([*BASE, "--over", "learning_rate"], "expected KEY=LOW..HIGH"),
        ([*BASE, "--over", "batch_sise=32..64"], 'Did you mean "batch_size"?'),
        ([*BASE, "--over", "batch_size=64..32"], "got 64..32 - at over batch_size"),
        ([*BASE, "--over", "learning_rate=0..1:log"], "above 0, got 0..1"),
        ([*BASE, "--over", "batch_size=a,b"], ": 'a' - at over batch_size"),
        ([*BASE, *OVER, *OVER], "expected each key once"),
        ([*BASE, *OVER, "--trials", "0"], "a number of trials from 1, got 0"),
        ([*BASE, *OVER, "--set", "data.validation=0"], "expected a validation part"),
        (["--resume", "some", "--out", "other"], "expected to go on in some, got --out other"),
        (["--resume", "nothing"], "expected the folder of a search, there is none - at nothing"),
        ([*OVER], "expected a description or data"),
    ],
)
def test_bad_input(
    arguments: list[str],
    words: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, err = searched(capsys, *arguments)
    assert (code, out) == (1, "")
    assert words in err
    assert len(err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_ctrl_c_and_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "found"
    base = [*BASE[:-1], "30", *OVER, "--no-prune"]
    command = [sys.executable, "-m", "snellen", "search", *base, "--trials", "50", "--out", folder]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8"
    ) as process:
        assert process.stderr is not None
        first = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert out == ""
    assert first.startswith("1/50  learning_rate")
    lines = [line for line in err.splitlines() if line]
    assert lines[-2:] == [
        f"snellen: snellen search --resume {folder} goes on",
        "snellen: interrupted",
    ]
    n = len(lines) + 1  # two more than are done
    code, out, err = searched(capsys, "--resume", folder, "--trials", n)
    assert code == 0
    assert err.splitlines()[-2].startswith(f"{n}/{n}  learning_rate")
    assert len(json.loads((folder / "trials.json").read_text())["trials"]) == n
