"""``snellen runs``: the runs below a folder, whole or broken."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any

import pytest

from snellen.run.run_listing import BrokenRun, ListedRun, listed_runs
from snellen.run.run_record import DataDigest, RunRecord

from .conftest import Run


def put(folder: Path, **more: Any) -> Path:
    given: dict[str, Any] = {
        "task": "detection",
        "began": "2026-01-02T03:04:05Z",
        "data": [DataDigest("truth", "sets/val/truth.json")],
        "protocol": {"name": "coco", "iou_thresholds": [0.5] * 10},
        "metrics": {"AP": 0.5, "AP50": 0.75, "AP75": None, "AR": 0.25},
        "headline": ["AP", "AP50", "AP75"],
    }
    folder.mkdir(parents=True)
    (folder / "run.json").write_bytes(RunRecord(**{**given, **more}).to_bytes())
    return folder


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a folder with three runs, a training, a benchmark, and two broken ones."""
    put(tmp_path / "b", metrics={"AP": 0.7, "loss": 0.3}, began="2026-01-03T00:00:00Z")
    put(tmp_path / "a" / "deep" / "er", metrics={"AP": 0.9, "loss": 0.1})
    put(
        tmp_path / "c",
        task="regression",
        metrics={"rmse": 12345.6789, "loss": 0.2},
        headline=["rmse"],
        lower_is_better=["loss", "rmse"],
        protocol={"name": "regression"},
        data=[DataDigest("states", "x"), DataDigest("states", "y")],
        began="2026-01-01T00:00:00Z",
    )
    (tmp_path / "trained" / "test").mkdir(parents=True)
    (tmp_path / "trained" / "description.json").write_text('{"task": "classification"}')
    content: dict[str, Any] = {
        "schema": "snellen.training-run/1",
        "data": {"data": "digits"},
        "metrics": {"accuracy": 0.875},
    }
    (tmp_path / "trained" / "run.json").write_text(json.dumps(content))
    put(tmp_path / "bench" / "models" / "z")
    content = {
        "schema": "snellen.benchmark-result/1",
        "models": [],
        "table": [{"name": "z", "top1": 0.25}],
    }
    (tmp_path / "bench" / "result.json").write_text(json.dumps(content))
    (tmp_path / "newer").mkdir()
    (tmp_path / "newer" / "run.json").write_text('{"schema": "snellen.run/2"}')
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "run.json").write_text('{"schema": "snell')
    (tmp_path / "b" / "examples").mkdir()
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "result.txt").write_text("no run")
    return tmp_path


def test_the_table(run: Run, tree: Path) -> None:
    done = run("runs", tree)
    assert done.returncode == 0
    lines = [line.split("  ") for line in done.stdout.splitlines()]
    cells = [[cell.strip() for cell in line if cell.strip()] for line in lines]
    assert cells == [
        ["run", "task", "began", "data", "protocol", "numbers"],
        ["a/deep/er", "detection", "2026-01-02 03:04", "val/truth.json", "coco", "AP 0.9000"],
        ["b", "detection", "2026-01-03 00:00", "val/truth.json", "coco", "AP 0.7000"],
        ["bench", "benchmark", "-", "-", "-", "z: top1 0.2500"],
        ["c", "regression", "2026-01-01 00:00", "2 merged states", "regression", "rmse 12345.7"],
        ["trained", "classification (training)", "-", "digits", "-", "accuracy 0.8750"],
    ]
    broken = done.stderr.splitlines()
    assert len(broken) == 2
    assert broken[0].startswith('snellen: newer: expected schema "snellen.run/1", got "snellen.run')
    assert "update Snellen" in broken[0]
    assert broken[1].startswith("snellen: torn: expected JSON")


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("name", ["a/deep/er", "b", "bench", "c", "trained"]),
        # What is better comes first; what has no such number last.
        ("AP", ["a/deep/er", "b", "bench", "c", "trained"]),
        ("accuracy", ["trained", "a/deep/er", "b", "bench", "c"]),
        ("began", ["b", "a/deep/er", "c", "bench", "trained"]),
    ],
)
def test_sorting(run: Run, tree: Path, sort: str, names: list[str]) -> None:
    done = run("runs", tree, "--sort", sort, "--json", "-", "--quiet")
    assert done.returncode == 0
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert found["schema"] == "snellen.runs/1"
    assert [each["name"] for each in found["runs"]] == names
    assert [each["name"] for each in found["broken"]] == ["newer", "torn"]


def test_lower_is_better_where_a_run_says_so(run: Run, tmp_path: Path) -> None:
    for name, value in (("a", 3.0), ("b", 1.0), ("c", None), ("d", 2.0)):
        put(tmp_path / name, metrics={"rmse": value}, lower_is_better=["rmse"])
    done = run("runs", tmp_path, "--sort", "rmse")
    assert [line.split()[0] for line in done.stdout.splitlines()[1:]] == ["b", "d", "a", "c"]
    assert done.stdout.splitlines()[-1].endswith("rmse -")


def test_runs_of_earlier_releases_are_sorted_with_the_others(run: Run, tmp_path: Path) -> None:
    """Those did not say of every number that less of it is better."""
    put(tmp_path / "a", metrics={"mce": 0.3})
    put(tmp_path / "b", metrics={"mce": 0.1})
    put(tmp_path / "c", metrics={"mce": 0.2}, lower_is_better=["mce"])
    done = run("runs", tmp_path, "--sort", "mce")
    assert [line.split()[0] for line in done.stdout.splitlines()[1:]] == ["b", "c", "a"]


def test_where_neither_is_better_the_least_is_first(run: Run, tmp_path: Path) -> None:
    for name, value in (("a", 0.5), ("b", -1.0), ("c", 0.0)):
        put(tmp_path / name, metrics={"mean_error": value}, neither_is_better=["mean_error"])
    done = run("runs", tmp_path, "--sort", "mean_error", "--json", "-")
    found = json.loads(done.stdout)["runs"]
    assert [each["name"] for each in found] == ["b", "c", "a"]
    assert all(each["neither_is_better"] == ["mean_error"] for each in found)


@pytest.mark.parametrize(
    ("task", "sort", "order"),
    [
        ("regression", "mae", ["b", "a"]),
        ("regression", "loss", ["b", "a"]),
        ("regression", "mean_error", ["b", "a"]),
        ("regression", "r2", ["a", "b"]),
        ("classification", "log_loss", ["b", "a"]),
        ("classification", "classwise_ece", ["b", "a"]),
        ("classification", "accuracy", ["a", "b"]),
        ("segmentation", "loss", ["b", "a"]),
        ("segmentation", "mIoU", ["a", "b"]),
    ],
)
def test_trainings_from_the_best(
    run: Run, tmp_path: Path, task: str, sort: str, order: list[str]
) -> None:
    for name, value in (("a", 0.75), ("b", 0.25)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "description.json").write_text(json.dumps({"task": task}))
        content = {"schema": "snellen.training-run/1", "metrics": {sort: value}}
        (tmp_path / name / "run.json").write_text(json.dumps(content))
    done = run("runs", tmp_path, "--sort", sort)
    assert [line.split()[0] for line in done.stdout.splitlines()[1:]] == order


def test_the_number_that_is_sorted_by_is_shown_first(run: Run, tmp_path: Path) -> None:
    put(tmp_path / "a")
    done = run("runs", tmp_path, "--sort", "AR")
    assert done.stdout.splitlines()[1].endswith("AR 0.2500  AP 0.5000  AP50 0.7500")


def test_of_one_task(run: Run, tree: Path) -> None:
    done = run("runs", tree, "--task", "regression")
    assert [line.split()[0] for line in done.stdout.splitlines()] == ["run", "c"]
    done = run("runs", tree, "--task", "regresion")
    assert done.returncode == 0
    assert done.stdout == f"no runs in {tree}\n"
    assert (
        "no run of regresion among those of benchmark, classification, detection, regression"
        in done.stderr
    )


def test_usage(run: Run, tree: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    done = run("runs", tree, "--sort", "AP5")
    assert done.returncode == 2
    assert 'with --sort, got "AP5". Did you mean "AP"?' in done.stderr
    assert run("runs", tree / "nowhere").returncode == 2
    done = run("runs", tree, "--json", tree / "no" / "list.json")
    assert done.returncode == 1
    assert "expected a folder to write into" in done.stderr
    empty = tmp_path_factory.mktemp("empty")
    assert run("runs", empty).stdout == f"no runs in {empty}\n"
    put(empty / "a\x1b[31m")
    assert "a\\x1b[31m" in run("runs", empty).stdout


def test_the_folder_itself_may_be_a_run(tmp_path: Path) -> None:
    folder = put(tmp_path / "run")
    (each,) = listed_runs(folder)
    assert isinstance(each, ListedRun)
    assert (each.name, each.path) == (".", str(folder))


def test_links_lead_round_and_round_only_once(tmp_path: Path) -> None:
    put(tmp_path / "runs" / "a")
    (tmp_path / "runs" / "again").symlink_to(tmp_path / "runs")
    (tmp_path / "runs" / "b").symlink_to(tmp_path / "runs" / "a")
    (tmp_path / "runs" / "gone").symlink_to(tmp_path / "nowhere")
    (tmp_path / "runs" / "self").symlink_to("self")
    assert [each.name for each in listed_runs(tmp_path / "runs")] == ["a"]
    put(tmp_path / "elsewhere" / "c")
    (tmp_path / "runs" / "z").symlink_to(tmp_path / "elsewhere")
    assert [each.name for each in listed_runs(tmp_path / "runs")] == ["a", "z/c"]


def test_folders_that_may_not_be_read_are_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path / "a")
    put(tmp_path / "private" / "b")
    scandir = os.scandir

    def refused(path: Path) -> Any:
        if path.name == "private":
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr("os.scandir", refused)
    assert [each.name for each in listed_runs(tmp_path)] == ["a"]


def test_a_record_of_huge_size_is_none_of_ours(tmp_path: Path) -> None:
    with (put(tmp_path / "a") / "run.json").open("ab") as file:
        file.truncate((16 << 20) + 1)
    (each,) = listed_runs(tmp_path)
    assert isinstance(each, BrokenRun)
    assert each.reason.startswith("expected at most 16 MiB")


def test_many_runs_are_listed_soon(tmp_path: Path) -> None:
    """The bound is far above what it takes, to see what grows faster than the runs."""
    text = (put(tmp_path / "0") / "run.json").read_bytes()
    for k in range(1, 2000):
        (tmp_path / str(k)).mkdir()
        (tmp_path / str(k) / "run.json").write_bytes(text)
    began = time.process_time()
    assert sum(isinstance(each, ListedRun) for each in listed_runs(tmp_path)) == 2000
    assert time.process_time() - began < 10


def test_a_benchmark_by_its_best_network(run: Run, tmp_path: Path) -> None:
    for name, top1, best in (("a", 0.5, "small"), ("b", 0.75, "two\nlines")):
        put(
            tmp_path / name,
            task="benchmark",
            metrics={"top1": top1, "latency_p50_ms": 1 / top1},
            headline=["top1"],
            lower_is_better=["latency_p50_ms"],
            protocol={"name": "top-1 and speed", "metrics_of": best, "speed": {"rounds": 3}},
            data=[DataDigest("data", "imagenet/val")],
        )
        put(tmp_path / name / "models" / "small")  # is of the benchmark, and not listed beside it
    done = run("runs", tmp_path, "--sort", "latency_p50_ms")
    assert done.returncode == 0
    lines = [
        [c.strip() for c in line.split("  ") if c.strip()] for line in done.stdout.splitlines()
    ]
    assert [line[:2] + line[3:] for line in lines[1:]] == [
        ["b", "benchmark", "imagenet/val", "top-1 and speed", "two\\nlines: latency_p50_ms 1.3333",
         "top1 0.7500"],
        ["a", "benchmark", "imagenet/val", "top-1 and speed", "small: latency_p50_ms 2.0000",
         "top1 0.5000"],
    ]  # fmt: skip
    done = run("runs", tmp_path, "--json", "-")
    found = json.loads(done.stdout)["runs"]
    assert [each["kind"] for each in found] == ["benchmark", "benchmark"]
    assert [each["metrics_of"] for each in found] == ["small", "two\nlines"]
