from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from snellen import Regression, metric_from_bytes
from snellen.samples.regression import make_regression_sample

Run = Callable[..., "subprocess.CompletedProcess[str]"]
TRUTH = "id,age,width,eye\na,1,10,left\nb,2,20,left\nc,4,30,right\n"
PREDICTIONS = "id,width,age\nc,31,5\na,10,1\nb,18,1\n"


@pytest.fixture
def tables(tmp_path: Path) -> tuple[Path, Path]:
    truth, predictions = tmp_path / "truth.csv", tmp_path / "predictions.csv"
    truth.write_text(TRUTH)
    predictions.write_text(PREDICTIONS)
    return truth, predictions


def numbers(run: Run, *arguments: Any) -> dict[str, Any]:
    done = run("evaluate", "regression", *arguments, "--json", "-")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_one_output(run: Run, tables: tuple[Path, Path]) -> None:
    found = numbers(run, *tables, "--target", "age", "--quantiles", "0.25", "--tweedie-power", 3)
    assert found["task"] == "regression"
    # Errors 0, -1, 1.
    assert found["metrics"]["mae"] == pytest.approx(2 / 3)
    assert found["metrics"]["pinball_0.25"] == pytest.approx((0.25 * 1 + 0.75 * 1) / 3)
    assert "tweedie_deviance_3" in found["metrics"]
    assert found["data"]["n_samples"] == 3
    assert found["intervals"]["mae"]["unit"] == "sample"


def test_outputs_and_groups(run: Run, tables: tuple[Path, Path]) -> None:
    columns = ["--target", "age", "--target", "width"]
    found = numbers(run, *tables, *columns, "--group", "eye")
    assert [record["output"] for record in found["per_class"]] == ["age", "width"]
    # Errors of width: 0, -2, 1.
    assert found["per_class"][1]["mae"] == 1
    assert found["data"]["n_groups"] == 2
    assert found["intervals"]["mae"]["unit"] == "group"
    crossed = numbers(run, *tables, *columns, "--prediction", "width", "--prediction", "age")
    assert crossed["per_class"][0]["max_error"] == 27


def test_weights(run: Run, tables: tuple[Path, Path]) -> None:
    found = numbers(run, *tables, "--target", "age", "--weight", "width")
    assert found["metrics"]["mae"] == pytest.approx((20 + 30) / 60)
    assert found["metrics"]["kendall"] is None


def test_printed(run: Run, tables: tuple[Path, Path]) -> None:
    done = run("evaluate", "regression", *tables, "--target", "age", "--no-intervals")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "mae                    0.66667" in lines
    assert "samples      3" in lines


def test_state_merges(run: Run, tmp_path: Path) -> None:
    made = make_regression_sample(tmp_path, n_samples=60, n_people=12)
    rows = made.truth.read_text().splitlines(keepends=True)
    shards = []
    for i in range(2):
        part = tmp_path / f"part{i}.csv"
        part.write_text("".join([rows[0], *rows[1 + i :: 2]]))
        options = ["--target", "age", "--group", "person", "--missing", "ignore", "--no-intervals"]
        done = run(
            "evaluate", "regression", part, made.predictions, *options, "--out", tmp_path / f"{i}"
        )
        assert done.returncode == 0, done.stderr
        shards.append(metric_from_bytes((tmp_path / f"{i}" / "state.bin").read_bytes()))
    whole = numbers(run, made.truth, made.predictions, "--target", "age", "--group", "person")
    merged = shards[0].merge(shards[1])
    assert isinstance(merged, Regression)
    assert merged.compute().to_dict()["metrics"] == whole["metrics"]


def test_runs_of_tables_without_ids_are_compared_row_by_row(run: Run, tmp_path: Path) -> None:
    for name, by in (("one", 2.0), ("other", 0.5)):
        rows = [f"{i},{i + by * (-1) ** i}" for i in range(20)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["target,prediction", *rows]) + "\n")
        options = ("--out", tmp_path / name, "--no-intervals", "--quiet")
        done = run("evaluate", "regression", tmp_path / f"{name}.csv", *options)
        assert done.returncode == 0, done.stderr
    done = run("compare", tmp_path / "one", tmp_path / "other", "--metric", "mae")
    assert done.returncode == 0, done.stderr
    assert "mae: other is better than one by 1.5" in done.stdout


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--quantiles", "0.1,1"], "expected levels between 0 and 1"),
        (["--quantiles", "x"], "expected levels between 0 and 1"),
        (["--tweedie-power", "0.5"], "expected a number up to 0 or from 1, got 0.5"),
        (["--huber-delta", "0"], "huber-delta"),
        (["--prediction", "age", "--prediction", "width"], "a --prediction for each --target"),
        (["--fail-under", "accuracy=1"], "expected a metric of mae,"),
    ],
)
def test_wrong_use(run: Run, tables: tuple[Path, Path], options: list[str], message: str) -> None:
    done = run("evaluate", "regression", *tables, "--target", "age", *options)
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("truth", "predictions", "options", "message"),
    [
        (TRUTH, "id,age\na,1\nb,2\n", [], "c"),
        (TRUTH, PREDICTIONS + "b,1,1\n", [], "b"),
        (TRUTH, PREDICTIONS.replace("18,1", "18,nan"), [], "line 4"),
        (TRUTH, PREDICTIONS.replace("18,1", "18,x"), [], "line 4"),
        (TRUTH.replace("a,1,", "a,inf,"), PREDICTIONS, [], "line 2"),
        (TRUTH, PREDICTIONS, ["--weight", "eye"], "line 2"),
        (TRUTH, PREDICTIONS, ["--group", "nose"], "nose"),
        ("", PREDICTIONS, [], "truth.csv"),
    ],
)
def test_bad_data(
    run: Run, tmp_path: Path, truth: str, predictions: str, options: list[str], message: str
) -> None:
    files = tmp_path / "truth.csv", tmp_path / "predictions.csv"
    for file, text in zip(files, (truth, predictions), strict=True):
        file.write_text(text)
    done = run("evaluate", "regression", *files, "--target", "age", *options)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith("snellen: error: ")
    assert len(done.stderr.splitlines()) == 1
    assert message in done.stderr


def test_a_gate_that_fails(run: Run, tables: tuple[Path, Path]) -> None:
    done = run("evaluate", "regression", *tables, "--target", "age", "--fail-under", "r2=0.99")
    assert done.returncode == 3
    assert "r2 is" in done.stderr


def test_sample(run: Run, tmp_path: Path) -> None:
    done = run("sample", "regression", tmp_path / "new", "--samples", 30, "--people", 5)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        str(tmp_path / "new" / name) for name in ("truth.csv", "predictions.csv")
    ]
    assert run("sample", "regression", tmp_path / "new", "--quiet").stdout == ""
