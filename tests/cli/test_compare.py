"""``snellen compare``: exit codes, what is printed, what is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen import AveragePrecision, Boxes, Classification, Regression

Run = Callable[..., Any]


def stored(folder: Path, metric: Any) -> Path:
    folder.mkdir(parents=True)
    (folder / "state.bin").write_bytes(metric.to_bytes())
    return folder


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    """Return the folders of a bad and of a better run."""
    random = np.random.default_rng(5)
    truth = random.choice(["cat", "dog", "hen"], 80)
    bad, better = (
        np.where(random.random(80) < share, truth, random.choice(["cat", "dog", "hen"], 80))
        for share in (0.2, 0.9)
    )
    ids = [f"img{i}" for i in range(80)]
    return tuple(
        stored(tmp_path / name, Classification().update(truth, pred, sample_id=ids))
        for name, pred in (("old", bad), ("new", better))
    )


def test_table_and_claims(run: Run, runs: tuple[Path, Path]) -> None:
    done = run("compare", *runs)
    assert (done.returncode, done.stderr) == (0, "")
    head, accuracy, *_ = done.stdout.splitlines()
    assert head.split() == ["old", "new", "difference", "95", "%", "interval", "p", "adjusted"]
    assert accuracy.startswith("accuracy")
    assert "accuracy: new is better than old by 0." in done.stdout
    assert "McNemar" in done.stdout
    assert "f1 by class" not in done.stdout
    again = run("compare", *runs)
    assert again.stdout == done.stdout


def test_a_state_file_is_its_folder(run: Run, runs: tuple[Path, Path]) -> None:
    done = run("compare", *(folder / "state.bin" for folder in runs))
    assert done.stdout == run("compare", *runs).stdout


def test_options(run: Run, runs: tuple[Path, Path], tmp_path: Path) -> None:
    path = tmp_path / "comparison.json"
    done = run(
        *("compare", *runs, runs[0], "--names", "a,b,c", "--metric", "f1_macro", "--metric"),
        *("accuracy", "--level", "0.9", "--replicates", "60", "--seed", "3", "--per-class"),
        *("--json", path),
    )
    assert (done.returncode, done.stderr) == (0, "")
    content = json.loads(path.read_text())
    assert content["schema"] == "snellen.comparison/1"
    assert (content["level"], content["replicates"], content["seed"]) == (0.9, 60, 3)
    assert content["runs"] == ["a", "b", "c"]
    assert [each["metric"] for each in content["differences"]] == ["f1_macro", "accuracy"] * 3
    assert len(content["class_differences"]) == 9
    assert content["differences"][0]["interval"]["level"] == 0.9
    assert done.stdout.count("f1 by class") == 3
    assert "90 % interval" in done.stdout


def test_json_on_stdout_is_alone(run: Run, runs: tuple[Path, Path]) -> None:
    done = run("compare", *runs, "--json", "-", "--replicates", "50")
    content = json.loads(done.stdout)
    accuracy = content["differences"][0]
    assert (accuracy["metric"], accuracy["better"], accuracy["significant"]) == (
        "accuracy",
        "new",
        True,
    )
    assert content["class_differences"] == []


def test_quiet(run: Run, runs: tuple[Path, Path]) -> None:
    done = run("compare", *runs, "--quiet", "--replicates", "50")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_fail_if_worse(run: Run, runs: tuple[Path, Path]) -> None:
    old, new = runs
    gate = ("--fail-if-worse", "accuracy", "--replicates", "60")
    assert run("compare", old, new, *gate).returncode == 0
    assert run("compare", old, old, *gate).returncode == 0
    done = run("compare", new, old, *gate)
    assert done.returncode == 3
    assert done.stderr.startswith("snellen: old is worse than new in accuracy: 0.")
    assert "accuracy: new is better than old" in done.stdout  # the table is printed all the same
    # A number that is not among the main ones is compared because of the gate.
    done = run("compare", new, old, "--fail-if-worse", "kappa", "--replicates", "200")
    assert done.returncode == 3
    assert "snellen: old is worse than new in kappa" in done.stderr


def test_no_gate_of_a_number_of_which_neither_is_better(run: Run, tmp_path: Path) -> None:
    truth, ids = [1.0, 2.0, 3.0, 4.0], ["a", "b", "c", "d"]
    for name, by in (("high", 0.5), ("low", -0.5)):
        pred = [value + by for value in truth]
        metric = Regression(keep_samples=True).update(truth, pred, sample_id=ids)
        stored(tmp_path / name, metric)
    done = run("compare", "high", "low", "--fail-if-worse", "mean_error", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "more or less is better with --fail-if-worse, got mean_error." in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{old}"], "expected at least two runs to compare, got one."),
        (["{old}", "{new}", "--names", "a"], "expected 2 different names, got a."),
        (["{old}", "{new}", "--names", "a,a"], "expected 2 different names, got a,a."),
        (["{old}", "{new}", "--metric", "acuracy"], 'got "acuracy". Did you mean "accuracy"?'),
        (["{old}", "{new}", "--fail-if-worse", "AP"], 'got "AP"'),
        (["{old}", "{new}", "--level", "1"], "0<x<1"),
        (["{old}", "{new}", "--replicates", "3"], "10<=x<=10000000"),
        (["{old}", "{new}", "--json", ""], "expected a path, got nothing"),
    ],
)
def test_usage(run: Run, runs: tuple[Path, Path], arguments: list[str], message: str) -> None:
    done = run("compare", *(each.format(old=runs[0], new=runs[1]) for each in arguments))
    assert done.returncode == 2
    assert done.stdout == ""
    assert message in " ".join(done.stderr.split())


def test_bad_input(run: Run, runs: tuple[Path, Path], tmp_path: Path) -> None:
    old, new = runs
    box = Boxes.from_xywh([[0, 0, 9, 9]], image_id=[1], label=[1], score=[0.5])
    boxes = stored(tmp_path / "boxes", AveragePrecision().update(box, box))
    part = stored(tmp_path / "part", Classification().update(["cat"], ["cat"], sample_id=["img7"]))
    for arguments, message in (
        ((old, boxes), "expected runs of one kind, got Classification in old and AveragePrecision"),
        ((old, part), "expected the same samples in all runs, got 79 of old that part lacks"),
        ((old, tmp_path / "none"), "expected a readable file"),
        ((old, new, "--json", tmp_path / "none" / "x.json"), "expected a folder to write into"),
    ):
        done = run("compare", *arguments)
        assert done.returncode == 1
        assert done.stdout == ""
        assert done.stderr.startswith("snellen: error: ")
        assert message in done.stderr
        assert done.stderr.count("\n") == 1


def test_detections(run: Run, tmp_path: Path) -> None:
    truth = Boxes.from_xywh([[0, 0, 9, 9]] * 20, image_id=range(20), label=[1] * 20)
    columns: dict[str, Any] = {"image_id": range(20), "label": [1] * 20, "score": [0.5] * 20}
    near = Boxes.from_xywh([[0, 0, 9, 9]] * 20, **columns)
    far = Boxes.from_xywh([[50, 0, 9, 9]] * 20, **columns)
    runs = [
        stored(tmp_path / name, AveragePrecision().update(truth, pred))
        for name, pred in (("near", near), ("far", far))
    ]
    done = run("compare", *runs, "--replicates", "100")
    assert done.returncode == 0
    assert "AP: near is better than far by 1.0000" in done.stdout
    assert "20 images, 100 replicates" in done.stdout
