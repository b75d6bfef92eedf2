"""``snellen train`` as a user calls it: in processes of its own, on scikit-learn's digits."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from snellen.cli.root import run as call
from snellen.training.checkpoint import Checkpoints
from snellen.training.resumption import differences
from tests.cli.conftest import Run

DESCRIPTION = """\
data = "digits"
network = [
  "flatten",
  {name = "linear", out = 16},
  "relu",
  {name = "dropout", p = 0.2},
  "linear",
]
optimizer = {name = "sgd", momentum = 0.9}
learning_rate = 0.05
schedule = "cosine"
batch_size = 100
epochs = 3
checkpoint_every = "4ba"
"""
ENVIRONMENT = {**os.environ, "OMP_NUM_THREADS": "1"}
STEPS = 39  # 1 294 training samples in batches of 100, three times


@pytest.fixture(scope="module")
def description(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("description") / "small.toml"
    path.write_text(DESCRIPTION)
    return path


@pytest.fixture(scope="module")
def whole(
    description: Path, tmp_path_factory: pytest.TempPathFactory, run: Run
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """Return the folder of a run that was left alone, and what it printed."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    done = run(
        "train", "--out", folder, "--json", folder.parent / "result.json",
        "--fail-under", "accuracy=0.5", description, env=ENVIRONMENT,
    )  # fmt: skip
    return folder, done


def state(folder: Path) -> dict[str, Any]:
    return Checkpoints(folder / "checkpoints").latest()[0]


def test_it_trains_and_says_what_came_of_it(
    whole: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, done = whole
    assert done.returncode == 0, done.stderr
    assert re.match(r"test: accuracy 0\.\d{4} \[0\.\d{4}, 0\.\d{4}\]", done.stdout)
    assert "Traceback" not in done.stderr
    # A line an epoch where nobody watches, and where everything lies.
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    assert [line[:9] for line in lines[:-1]] == ["epoch 1/3", "epoch 2/3", "epoch 3/3"]
    assert lines[-1] == f"wrote {folder}; page: {folder}/index.html"
    names = {path.name for path in folder.iterdir()}
    assert {
        "description.json", "run.json", "epochs.csv", "epochs.jsonl", "checkpoints",
        "weights.safetensors", "network.json", "test", "index.html", "README.md",
    } <= names  # fmt: skip
    assert {path.name for path in (folder / "checkpoints").iterdir()} == {
        "step-000000036.ckpt", f"step-{STEPS:09}.ckpt",
    }  # fmt: skip
    assert not [path for path in folder.rglob("*") if path.name.endswith((".part", ".tmp"))]
    assert not [path for path in folder.rglob(".*") if path.is_file()]


def test_the_result_as_json(whole: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    folder, _done = whole
    content = json.loads((folder.parent / "result.json").read_text())
    assert content["measured_on"] == "test"
    assert content["metrics"]["accuracy"] > 0.5
    assert [row["epoch"] for row in content["history"]] == [1, 2, 3]
    run = json.loads((folder / "run.json").read_text())
    assert run["metrics"] == content["metrics"]
    assert run["steps"] == {"whole": STEPS, "epoch": 13}
    assert run["seconds"].keys() >= {
        "opening data", "building", "data", "forward", "backward", "update", "test", "writing",
    }  # fmt: skip
    assert (run["name"], run["device"], run["threads"]) == ("small", "cpu", 1)
    assert run["description"]["device"] == "auto"  # as it was asked
    page = (folder / "index.html").read_text()
    assert "<h1>small</h1>" in page
    assert "device <b>cpu</b></li><li>threads <b>1</b>" in page
    assert "\n# small\n" in (folder / "README.md").read_text()
    rows = [json.loads(line) for line in (folder / "epochs.jsonl").read_text().splitlines()]
    assert [row["val_loss"] for row in rows] == [row["val_loss"] for row in content["history"]]


@pytest.fixture(scope="module")
def stopped(
    description: Path, tmp_path_factory: pytest.TempPathFactory, run: Run
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """Return the folder of a run that was stopped within an epoch, and resumed from it alone."""
    folder = tmp_path_factory.mktemp("stopped") / "run"
    first = run(
        "train", "--stop-after", "17ba", "--out", folder, "--quiet", description, env=ENVIRONMENT
    )
    assert first.returncode == 0, first.stderr
    assert (first.stdout, first.stderr) == ("", "")
    assert state(folder)["step"] == 17
    return folder, run("train", "--resume", folder, "--json", "-", env=ENVIRONMENT)


def test_stopped_and_resumed_is_the_same_run(
    whole: tuple[Path, subprocess.CompletedProcess[str]],
    stopped: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    folder, done = stopped
    assert done.returncode == 0, done.stderr
    content = json.loads(done.stdout)  # and nothing else there
    assert differences(state(whole[0]), state(folder)) == []
    before = json.loads((whole[0].parent / "result.json").read_text())
    assert content["metrics"] == before["metrics"]
    assert content["result"]["metrics"] == before["result"]["metrics"]
    for name in ("weights.safetensors",):
        assert (folder / name).read_bytes() == (whole[0] / name).read_bytes()


def test_a_step_of_the_run_again(
    whole: tuple[Path, subprocess.CompletedProcess[str]], run: Run
) -> None:
    folder, _done = whole
    done = run("train", "--resume", folder, "--replay", "38", env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    found = re.match(
        r"step 38, from the state after step 36: loss ([\d.]+), 100 samples", done.stdout
    )
    assert found is not None, done.stdout[:200]
    logged = [json.loads(line) for line in (folder / "steps.jsonl").read_text().splitlines()]
    loss = next(row["loss"] for row in logged if row["step"] == 38)
    assert float(found[1]) == pytest.approx(loss, rel=1e-5)  # six digits are shown
    assert len(done.stdout.splitlines()[0]) < 150
    assert "1_linear" in done.stdout


def test_an_interruption_saves_the_state(
    description: Path,
    whole: tuple[Path, subprocess.CompletedProcess[str]],
    tmp_path: Path,
    run: Run,
) -> None:
    """With SIGINT at a moment of its own, in the middle of it."""
    slow = tmp_path / "slow.py"
    slow.write_text(SLOW)
    folder = tmp_path / "run"
    process = subprocess.Popen(
        [sys.executable, slow, "train", "--out", folder, description],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env=ENVIRONMENT,
    )
    deadline = time.monotonic() + 60
    while not list(folder.glob("checkpoints/*.ckpt")) and time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=60)
    assert process.returncode == 130, error
    assert out == ""
    assert [line for line in error.splitlines() if line][-2:] == [
        f"snellen: snellen train --resume {folder} goes on",
        "snellen: interrupted",
    ]
    assert "Traceback" not in error
    step = state(folder)["step"]
    assert 4 <= step < STEPS
    done = run("train", "--resume", folder, "--quiet", env=ENVIRONMENT)
    assert done.returncode == 0, done.stderr
    assert differences(state(whole[0]), state(folder)) == []


# The command line, with updates that take a while.
SLOW = """
import time
from snellen.cli import main
from snellen.training import loop
update = loop.update
def slow(*given):
    update(*given)
    time.sleep(0.1)
loop.update = slow
main()
"""


def here(*arguments: str | Path) -> int:
    """Call the command in this process: a third of the time of one of its own."""
    return call(["train", *map(str, arguments)])


def test_the_table_alone(
    description: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert here("--table", description) == 0
    out = capsys.readouterr().out
    assert "1_linear" in out
    assert "1,040" in out  # 64 · 16 + 16
    layers = '["flatten", {name = "linear", out = 5}, "relu", "linear"]'
    assert here("--table", "--data", "digits", "--network", layers) == 0
    assert "325" in capsys.readouterr().out  # 64 · 5 + 5
    assert list(tmp_path.iterdir()) == []


def test_settings_folds_and_a_folder_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code = here(
        "--data", "digits", "--network", "fc", "--epochs", "1", "--learning-rate", "1e-5",
        "--set", "network.hidden=[4]", "--set", "batch_size=500", "--set", "ema=0.5",
        "--folds", "2", "--fail-under", "accuracy=0.9", "--json", "out.json",
    )  # fmt: skip
    out, error = capsys.readouterr()
    assert code == 3, error
    assert re.search(r"snellen: accuracy is 0\.\d+, below 0\.9", error)
    assert "2 folds, mean and 95 % interval" in out
    told = [line.partition("  ")[0] for line in error.splitlines() if "  epoch 1/1  " in line]
    assert told == ["fold 1/2", "fold 2/2", "all folds"]
    assert "wrote runs/digits-fc; page: runs/digits-fc/final/index.html" in error
    folder = tmp_path / "runs" / "digits-fc"
    numbers = (folder / "folds.json").read_text()
    assert here("--resume", "runs/digits-fc") == 0
    error = capsys.readouterr().err
    told = [line.partition("  ") for line in error.splitlines() if "finished before" in line]
    assert [each[0] for each in told] == ["fold 1/2", "fold 2/2", "all folds"]
    assert json.loads((folder / "folds.json").read_text())["folds"] == json.loads(numbers)["folds"]
    content = json.loads((folder / "fold-1" / "description.json").read_text())
    assert content["network"] == {"name": "fc", "hidden": [4]}
    assert (content["batch_size"], content["ema"], content["learning_rate"]) == (500, 0.5, 1e-5)
    assert json.loads((tmp_path / "out.json").read_text())["schema"].startswith("snellen.cross")


def test_a_finished_run_says_so(
    whole: tuple[Path, subprocess.CompletedProcess[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, done = whole
    before = json.loads((folder / "run.json").read_text())
    assert here("--resume", folder) == 0
    out, error = capsys.readouterr()
    assert error.splitlines() == [
        "it was finished before, after 3 of 3 epochs",
        f"wrote {folder}; page: {folder}/index.html",
    ]
    after = json.loads((folder / "run.json").read_text())
    assert after["seconds"] == before["seconds"]
    assert out.splitlines()[0] == done.stdout.splitlines()[0]


def test_a_training_that_diverges_says_it_once(
    description: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code = here("--learning-rate", "1e38", "--epochs", "1", "--out", tmp_path / "run", description)
    out, error = capsys.readouterr()
    assert (code, out) == (1, "")
    assert len(error.splitlines()) == 1, error
    assert error.startswith("snellen: error: expected finite numbers")


def test_help_imports_no_torch() -> None:
    done = subprocess.run(
        [
            sys.executable, "-X", "importtime", "-m", "snellen", "train", "--help",
        ],
        capture_output=True, encoding="utf-8", check=True,
    )  # fmt: skip
    assert "--prove-resume" in done.stdout
    assert not re.search(r"\| +(torch|numpy|lightning_fabric)$", done.stderr, re.MULTILINE)


def test_the_networks_weights_are_there(
    whole: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    from snellen.training import load_trained

    trained = load_trained(whole[0])
    best = state(whole[0])["best"]["weights"]
    assert all(torch.equal(v, best[k]) for k, v in trained.network.state_dict().items())


def test_several_processes_say_one_line(
    description: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    code = here(
        "--quiet", "--network", "cn", "--set", "devices=2", "--device", "cpu",
        "--out", tmp_path / "run", description,
    )  # fmt: skip
    error = capfd.readouterr().err
    assert code == 1
    assert len(error.splitlines()) == 1, error
    assert 'Did you mean "cnn"' in error
    assert not (tmp_path / "run").exists()
