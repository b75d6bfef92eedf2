"""What ``snellen train`` says to bad input: one line, exit code 1, and no half-written folder."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen.cli.root import run as call

HEAD = 'data = "digits"\n'
Write = Callable[..., Path]


@pytest.fixture
def said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., str]:
    """Return a function that calls the command, and returns its one line."""
    monkeypatch.chdir(tmp_path)

    def one_line(*arguments: str | Path) -> str:
        code = call(["train", "--quiet", *map(str, arguments)])
        out, error = capsys.readouterr()
        assert code == 1, error
        assert out == ""
        lines = error.splitlines()
        assert len(lines) == 1, error
        assert lines[0].startswith("snellen: error: ")
        assert "our mistake" not in lines[0]
        assert not (tmp_path / "run").exists()
        assert not (tmp_path / "runs").exists()
        return lines[0]

    return one_line


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "bad.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (  # between layers: the layer, both shapes, the line in the file
            'network = [\n  {name = "linear", out = 4},\n  "linear",\n]\n',
            ["bad.toml line 3 network[0]", "0_linear", "the input (1, 8, 8)"],
        ),
        (
            'network = [\n  "flatten",\n  {name = "conv", out = 4},\n  "linear",\n]\n',
            ["bad.toml line 4 network[1]", "1_conv", "0_flatten", "(64,)"],
        ),
        (
            'network = ["flatten", {name = "linear", out = 11}]\n',
            ["expected 10 outputs", "got 11", "network[1]"],
        ),
        ('network = ["flattn", "linear"]\n', ['got "flattn"', 'Did you mean "flatten"']),
        ('network = ["flatten", {name = "linear", outs = 3}]\n', ['"outs"', "network[1]"]),
        ('network = "cn"\n', ['got "cn"', "Did you mean", "line 2 network"]),
        ('network = "no_module:net"\n', ["no_module"]),
        ('optimizer = "adm"\n', ['got "adm"', 'Did you mean "ada', "line 2 optimizer"]),
        ('optimizer = {name = "sgd", momentun = 0.9}\n', ["momentun", 'Did you mean "momentum"']),
        ('optimizer = {name = "sgd", momentum = "big"}\n', ["'big'", "line 2 optimizer momentum"]),
        ('loss = "cross_entrop"\n', ['Did you mean "cross_entropy"']),
        ('schedule = "cosin"\n', ['Did you mean "cosine"']),
        ('augment = ["flipp"]\n', ['got "flipp"', "Did you mean"]),
        ('initialisation = "he"\n', ['got "he"']),
        ('normalise = "chanel"\n', ['Did you mean "channel"']),
        ('monitor = "acuracy"\n', ['Did you mean "accuracy"', "monitor"]),
        ("learnin_rate = 0.1\n", ['"learnin_rate"', 'Did you mean "learning_rate"', "line 2"]),
        ("learning_rate = 0.0\n", ["above 0, got 0", "learning_rate"]),
        ("learning_rate = -0.5\n", ["above 0, got -0.5", "learning_rate"]),
        ("learning_rate = nan\n", ["above 0, got nan", "learning_rate"]),
        ("batch_size = 100000\n", ["batch size of at most the 1,294 samples", "got 100,000"]),
        ("devices = 9\nbatch_size = 8\n", ["9 devices", "batch_size"]),
        ("class_weights = [1.0, 2.0]\n", ["class_weights"]),
        ('class_weights = "balanced"\ntask = "regression"\n', ["regression"]),
        ('device = "cuda:7"\n', ["expected a GPU", "device"]),
        ('device = "gpu"\n', ['got "gpu"']),
        ('device = "meta"\n', ["cpu or cuda"]),
        ('precision = "float16"\ndevice = "cpu"\n', ["float16", "bfloat16 or float32"]),
        ('validate_every = "often"\n', ["expected how often"]),
        ("data = 3\n", ["expected TOML"]),  # a second data
    ],
)
def test_descriptions(
    text: str, expected: list[str], said: Callable[..., str], tmp_path: Path
) -> None:
    line = said("--out", "run", written(tmp_path, HEAD + text))
    for each in expected:
        assert each in line


def test_lines_are_named_beside_options_of_the_command(
    said: Callable[..., str], tmp_path: Path
) -> None:
    path = written(tmp_path, HEAD + 'network = [\n  "flatten",\n  "conv",\n]\n')
    assert "bad.toml line 4 network[1]" in said("--epochs", "2", "--set", "seed=3", path)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "expected a description or data"),
        (["nothing.toml"], "No such file"),
        (["--data", "nothing_there"], "nothing_there"),
        (["--data", "digts"], "digits"),
        (["--data", "digits", "--set", "epochs"], "expected KEY=VALUE"),
        (["--data", "digits", "--set", "epohs=3"], 'Did you mean "epochs"'),
        (["--data", "digits", "--set", "optimzer.momentum=0.9"], 'Did you mean "optimizer"'),
        (["--data", "digits", "--set", "qqq.x=1"], "There are data, network"),
        (["--data", "digits", "--network", '["flatten", "liner"]'], 'Did you mean "linear"'),
        (["--data", "digits", "--network", '["flatten", "linear"'], "a list or a table as in TOML"),
        (["--data", "digits", "--set", "batch_size=many"], "batch_size"),
        (["--data", "digits", "--stop-after", "soon"], "--stop-after"),
        (["--resume", "nothing"], "expected the folder of a run"),
        (["--data", "digits", "--resume", "nothing"], "expected the folder of a run"),
        (["--resume", "nothing", "--replay", "3"], "expected the folder of a run"),
        (["--data", "digits", "--device", "cuda"], "expected a GPU"),
        (["--data", "digits", "--learning-rate", "nan"], "above 0, got nan"),
        (["--data", "digits", "--table", "--network", "cn"], 'Did you mean "cnn"'),
    ],
)
def test_arguments(arguments: list[str], expected: str, said: Callable[..., str]) -> None:
    import torch

    if "cuda" in arguments and torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    assert expected in said(*arguments)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--data", "digits", "--table", "--json", "x"], "no --json with --table"),
        (["--data", "digits", "--table", "--fail-under", "loss=1"], "no --fail-under with --table"),
        (["--data", "digits", "--table", "--stop-after", "x"], "no --stop-after with --table"),
        (["--data", "digits", "--table", "--replay", "3", "--resume", "x"], "no --replay with"),
        (["--data", "digits", "--prove-resume", "--out", "x"], "no --out with --prove-resume"),
        (["--resume", "x", "--replay", "3", "--epochs", "2"], "no --epochs with --replay"),
        (["--resume", "x", "--replay", "3", "d.toml"], "no DESCRIPTION with --replay"),
    ],
)
def test_options_that_have_no_say(
    arguments: list[str],
    expected: str,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert call(["train", *arguments]) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert f"expected {expected}" in error
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--descent", "all", "--data", "digits"], "no --data with --descent"),
        (["--descent", "all", "d.toml"], "no DESCRIPTION with --descent"),
        (["--descent", "all", "--run", "x"], "no --run with --descent"),
        (["--descent", "all", "--steps", "3"], "no --steps with --descent"),
        (["--data", "digits", "--look", "follow", "--steps", "3"], "no --steps with --look follow"),
    ],
)
def test_options_that_have_no_say_in_a_look(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(["inspect", *arguments]) == 2
    out, error = capsys.readouterr()
    assert out == ""
    assert f"expected {expected}" in error


def arrays(path: Path, **changes: Any) -> None:
    random = np.random.default_rng(0)
    content: dict[str, Any] = {
        "x_train": random.random((40, 5), dtype=np.float32),
        "y_train": np.arange(40) % 3,
        "x_test": random.random((9, 5), dtype=np.float32),
        "y_test": np.arange(9) % 3,
    }
    content.update(changes)
    np.savez(path, **{name: value for name, value in content.items() if value is not None})


def spoilt(value: float) -> Any:
    inputs = np.random.default_rng(0).random((40, 5), dtype=np.float32)
    inputs[31, 2] = value  # behind what a first look at the data sees
    return inputs


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"x_train": spoilt(np.nan)}, ["31", "train"]),
        ({"x_train": spoilt(np.inf)}, ["31", "train"]),
        ({"y_train": np.arange(39) % 3}, ["40", "39"]),
        ({"y_test": None}, ["test"]),
        ({"x_train": np.zeros((0, 5), np.float32), "y_train": np.zeros(0, int)}, ["train"]),
        ({"x_test": np.zeros((0, 5), np.float32), "y_test": np.zeros(0, int)}, ["test"]),
        ({"y_train": np.arange(40) % 3 - 1}, ["-1"]),
        ({"y_test": np.full(9, 5)}, ["test", "5"]),
        ({"x_test": np.zeros((9, 4), np.float32)}, ["(5,)", "(4,)"]),
        ({"classes": np.array(["a", "b"])}, ["2 classes", "got 2"]),
    ],
)
def test_data(
    changes: dict[str, Any], expected: list[str], said: Callable[..., str], tmp_path: Path
) -> None:
    arrays(tmp_path / "data.npz", **changes)
    line = said("--data", "data.npz", "--network", "fc", "--batch-size", "8", "--out", "run")
    for each in expected:
        assert each in line


def test_a_table_without_labels(said: Callable[..., str], tmp_path: Path) -> None:
    rows = ["a,b,label,part"] + [f"{k},{k % 4},{k % 2},train" for k in range(20)]
    rows += [f"{k},1,,test" for k in range(4)]
    (tmp_path / "table.csv").write_text("\n".join(rows) + "\n")
    line = said("--data", "table.csv", "--network", "fc", "--batch-size", "4")
    assert "label" in line
    assert "table.csv" in line


def test_a_folder_of_nothing(said: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert "empty" in said("--data", "empty", "--network", "fc")


# --- runs


@pytest.fixture(scope="module")
def begun(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("begun") / "a run"
    code = call(
        ["train", "--quiet", "--data", "digits", "--network", "fc", "--set", "network.hidden=[4]",
         "--epochs", "2", "--stop-after", "3ba", "--out", str(folder)]
    )  # fmt: skip
    assert code == 0
    return folder


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--batch-size", "64"], ["batch_size was 128, is 64"]),
        (["--seed", "3"], ["seed was 0, is 3"]),
        (
            ["--set", "network.hidden=[5]"],
            ["network was", "1_linear.weight (4, 64)", "1_linear.weight (5, 64)", "3_linear"],
        ),
        (["--set", "data.validation=0.3"], ["data was", "data content was"]),
        (["--replay", "99"], ["a step from 1 to 22, got 99"]),
    ],
)
def test_another_plan(
    arguments: list[str], expected: list[str], begun: Path, said: Callable[..., str]
) -> None:
    line = said("--resume", begun, *arguments)
    for each in expected:
        assert each in line


def test_there_is_a_run_already(begun: Path, said: Callable[..., str]) -> None:
    line = said("--data", "digits", "--network", "fc", "--out", begun)
    assert "resume it, or name another folder" in line
    assert "got --out" in said("--resume", begun, "--out", "elsewhere")


def test_all_checkpoints_are_damaged(begun: Path, said: Callable[..., str], tmp_path: Path) -> None:
    import shutil

    shutil.copytree(begun, tmp_path / "copy")
    for path in (tmp_path / "copy/checkpoints").iterdir():
        path.write_bytes(path.read_bytes()[:-100])
    assert "a checkpoint that can be read" in said("--resume", "copy")


def test_a_folder_that_is_a_file(said: Callable[..., str], tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    assert call(["train", "--quiet", "--data", "digits", "--out", "taken"]) in (1, 2)
    del said


def test_too_little_memory(said: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from snellen.training import training

    def fails(*_given: Any, **_options: Any) -> None:
        raise torch.cuda.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")

    monkeypatch.setattr(training, "prepare", fails)
    line = said("--data", "digits", "--batch-size", "200", "--out", "run")
    assert "expected enough memory for 200 samples at a time" in line
    assert "micro_batch_size = 100" in line


def test_a_number_that_there_is_not(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = call(
        ["train", "--quiet", "--data", "digits", "--network", "fc", "--epochs", "1",
         "--fail-under", "acuracy=0.5", "--out", str(tmp_path / "run")]
    )  # fmt: skip
    error = capsys.readouterr().err
    assert code == 1
    assert 'Did you mean "accuracy"' in error
    assert not re.search("Traceback", error)
