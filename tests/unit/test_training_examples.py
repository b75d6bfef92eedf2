"""The examples do what they say, on small data."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec
import pytest

from snellen.training import read_description
from snellen.training.network.build import build_network

EXAMPLES = Path(__file__).parents[2] / "examples"
SHORT = ("--data", "digits", "--epochs", "1")


def ran(folder: Path, *words: str | Path) -> str:
    """Run a program in a folder; return what it prints."""
    # Keras' torch backend makes NumPy arrays of tensors in a way that NumPy 2 warns of.
    found = subprocess.run(
        [sys.executable, *map(str, words)],
        cwd=folder,
        env={**os.environ, "KERAS_BACKEND": "torch", "PYTHONWARNINGS": "ignore"},
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stderr
    return found.stdout


def trained(folder: Path, *words: str | Path) -> dict[str, Any]:
    """Train on the command line; return what the run folder says."""
    ran(folder, "-m", "snellen", "train", *words, "--quiet", "--out", "run")
    content: dict[str, Any] = msgspec.json.decode((folder / "run/run.json").read_bytes())
    return content


@pytest.mark.parametrize(
    ("name", "epochs"),
    # With batch normalisation and five updates an epoch it takes some epochs to begin.
    [
        *(("fashion-fc", 1), ("fashion-cnn", 1), ("fashion-wide", 1)),
        *(("fashion-residual", 5), ("fashion-depthwise", 5)),
        *(("fashion-recipe", 5), ("fashion-94", 5)),
    ],
)
def test_a_network_of_the_course_learns_digits(name: str, epochs: int, tmp_path: Path) -> None:
    options = ("--data", "digits", "--epochs", str(epochs))
    run = trained(tmp_path, EXAMPLES / f"{name}.toml", *options)
    assert run["metrics"]["accuracy"] > 0.3  # chance is 0.1
    assert (tmp_path / "run/index.html").is_file()


@pytest.mark.parametrize(("example", "name"), [("fashion-fc", "fc"), ("fashion-cnn", "cnn")])
def test_the_layers_of_the_course_are_those_of_the_name(example: str, name: str) -> None:
    written, named = (
        build_network(
            read_description(source).network,
            (1, 28, 28),
            10,
            initialisation=read_description({"data": "digits"}).initialisation,
            seed=0,
            task="classification",
        )
        for source in (EXAMPLES / f"{example}.toml", {"data": "digits", "network": name})
    )
    assert str(written) == str(named)


def test_a_module_of_ones_own(tmp_path: Path) -> None:
    printed = ran(tmp_path, EXAMPLES / "own_module.py", *SHORT, "--out", "run")
    assert "epoch 1  loss" in printed
    assert "test: accuracy" in printed
    assert (tmp_path / "run/index.html").is_file()


def test_the_module_by_name(tmp_path: Path) -> None:
    for name in ("own_module.py", "course_data.py"):
        shutil.copy(EXAMPLES / name, tmp_path)
    run = trained(tmp_path, *SHORT, "--network", "own_module:ConvNet")
    assert run["description"]["network"] == "own_module:ConvNet"


@pytest.mark.skipif(find_spec("keras") is None, reason="needs keras")
def test_keras_models_of_both(tmp_path: Path) -> None:
    printed = ran(tmp_path, EXAMPLES / "keras_fc_cnn.py", *SHORT)
    assert "fashion_fc" in printed
    assert "fashion_cnn" in printed
    assert printed.count("val_f1_macro") == 2


def test_where_a_disc_is(tmp_path: Path) -> None:
    ran(tmp_path, EXAMPLES / "regression.py", "--samples", "800")
    run = trained(tmp_path, EXAMPLES / "regression.toml", "--epochs", "6")
    # Who always says the mean has an R² of 0.
    assert run["metrics"]["r2"] > 0.3


def test_streets_pixel_by_pixel(tmp_path: Path) -> None:
    ran(
        tmp_path,
        *("-m", "snellen", "sample", "segmentation", "streets", "--quiet"),
        *("--images", "12", "--width", "32", "--height", "32"),
    )
    run = trained(tmp_path, EXAMPLES / "segmentation.toml", "--epochs", "1")
    assert run["description"]["task"] == "segmentation"
    assert run["metrics"]["pixel_accuracy"] > 1 / 19


def test_fashion_mnist_is_taken_where_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from snellen.training.data import fashion_mnist_files

    monkeypatch.syspath_prepend(EXAMPLES)
    import course_data

    monkeypatch.setenv("SNELLEN_CACHE", str(tmp_path))
    monkeypatch.setattr(fashion_mnist_files, "_SYSTEM", str(tmp_path / "none"))
    assert course_data.course_data() == "digits"
    said = capsys.readouterr().err
    assert "Fashion-MNIST is not here" in said
    assert "digits" in said
    assert str(tmp_path) in said  # where the files would have to be

    class Opened:
        def __call__(self, choice: Any) -> None:
            assert choice.name == "fashion-mnist"
            assert choice.options == {"download_missing": False}

    monkeypatch.setattr(course_data, "open_data", Opened())
    assert course_data.course_data() == "fashion-mnist"


def test_every_description_is_used_here() -> None:
    own = Path(__file__)
    # The source of models runs where the guide that quotes it is looked at.
    others = own.parents[1] / "meta/test_benchmark_docs.py"
    text = own.read_text(encoding="utf-8") + others.read_text(encoding="utf-8")
    for path in EXAMPLES.iterdir():
        if path.suffix in (".toml", ".py"):
            assert path.stem in text, f"{path.name} is not run by a test"
