"""``snellen compare`` of classifications, as a user types it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


@pytest.fixture
def runs(run: Run, tmp_path: Path) -> Path:
    """Return a folder with three runs: b is right in 12 samples in which a is not, c is a."""
    truth = [f"{i},{i % 2}" for i in range(60)]
    wrong = {"a": set(range(14)), "b": {0, 1}, "c": set(range(14))}
    (tmp_path / "truth.csv").write_text("id,label\n" + "\n".join(truth) + "\n")
    for name, errors in wrong.items():
        rows = [f"{i},{(i + (i in errors)) % 2}" for i in range(60)]
        (tmp_path / f"{name}.csv").write_text("id,label\n" + "\n".join(rows) + "\n")
        done = run(
            "evaluate",
            "classification",
            tmp_path / "truth.csv",
            tmp_path / f"{name}.csv",
            "--out",
            tmp_path / name,
            "--quiet",
        )
        assert done.returncode == 0, done.stderr
    return tmp_path


def test_says_what_may_be_claimed(run: Run, runs: Path) -> None:
    done = run("compare", runs / "a", runs / "b", "--metric", "accuracy")
    assert done.returncode == 0, done.stderr
    # 12 discordant, all for b: p = 2 / 2^12.
    assert "accuracy: b is better than a by 0.2000" in done.stdout
    assert "only in b: 12" in done.stdout
    found = json.loads(
        run("compare", runs / "a", runs / "b", "--metric", "accuracy", "--json", "-").stdout
    )
    assert found["runs"] == ["a", "b"]
    assert found["differences"][0]["p"] == 2 / 2**12
    same = run("compare", runs / "a", runs / "c", "--metric", "accuracy")
    assert "no difference" in same.stdout


def test_gate_of_a_worse_run(run: Run, runs: Path) -> None:
    arguments = ("--metric", "accuracy", "--fail-if-worse", "accuracy", "--quiet")
    assert run("compare", runs / "a", runs / "b", *arguments).returncode == 0
    worse = run("compare", runs / "b", runs / "a", *arguments)
    assert worse.returncode == 3
    assert "a is worse than b in accuracy: 0.766667 against 0.966667" in worse.stderr


def test_three_runs(run: Run, runs: Path) -> None:
    done = run("compare", runs / "a", runs / "b", runs / "c", "--names", "x,y,z", "--per-class")
    assert done.returncode == 0, done.stderr
    assert "accuracy: y is better than x by 0.2000" in done.stdout
    assert "accuracy: y is better than z by 0.2000" in done.stdout
    assert "no difference" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["a"], 2, "expected at least two runs"),
        (["a", "b", "--names", "x"], 2, "expected 2 different names"),
        (["a", "nothing"], 1, "nothing"),
        (["a", "b", "--metric", "acuracy"], 2, 'Did you mean "accuracy"'),
        (["a", "b", "--metric", "accuracy", "--fail-if-worse", "x"], 2, '"x"'),
        (["a", "truth.csv"], 1, "truth.csv"),
    ],
)
def test_refuses(run: Run, runs: Path, arguments: list[str], code: int, says: str) -> None:
    done = run("compare", *arguments, cwd=runs)
    assert done.returncode == code, done.stdout
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_runs_on_other_data_are_refused(run: Run, runs: Path) -> None:
    (runs / "other.csv").write_text("id,label\n0,0\n1,1\n")
    (runs / "pred.csv").write_text("id,label\n0,0\n1,1\n")
    done = run(
        "evaluate",
        "classification",
        runs / "other.csv",
        runs / "pred.csv",
        "--out",
        runs / "o",
        "--quiet",
    )
    assert done.returncode == 0, done.stderr
    done = run("compare", runs / "a", runs / "o")
    assert done.returncode == 1
    assert "expected the same samples in all runs" in done.stderr
