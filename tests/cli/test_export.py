"""`snellen export` and `snellen predict`: a run for other programs, and on images."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")
datasets = pytest.importorskip("sklearn.datasets")

from snellen.cli.root import run as command_line  # noqa: E402
from snellen.training.trained_network import load_trained  # noqa: E402

# Keras' torch backend makes NumPy arrays of tensors in a way that NumPy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run: digits, an epoch."""
    folder = tmp_path_factory.mktemp("runs") / "digits"
    words = ["--data", "digits", "--network", "fc", "--epochs", "1", "--out", str(folder)]
    assert command_line(["train", *words, "--set", "network.hidden=[16]", "--quiet"]) == 0
    return folder


def images(n: int = 20) -> Any:
    """Return some of scikit-learn's digits as bytes, as the data have them."""
    found = (datasets.load_digits().images[:n] * 255 / 16).round()
    return found.astype(np.uint8)[:, None]


def by_onnx(path: Path, x: Any) -> Any:
    session = pytest.importorskip("onnxruntime").InferenceSession(path)
    return session.run(None, {"images": x})[0]


def by_torch(path: Path, x: Any) -> Any:
    return torch.export.load(path).module()(torch.from_numpy(x)).detach().numpy()


def by_snellen(path: Path, x: Any) -> Any:
    return load_trained(path).outputs(x).numpy()


def by_keras(path: Path, x: Any) -> Any:
    keras = pytest.importorskip("keras")
    return keras.saving.load_model(path).predict_on_batch(x.transpose(0, 2, 3, 1))


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize(
    ("name", "package", "run_it", "said"),
    [
        ("model.onnx", "onnxscript", by_onnx, "onnx, opset 18, "),
        ("model.pt2", "torch", by_torch, "torch, "),
        ("model.safetensors", "safetensors", by_snellen, "safetensors, "),
        ("model.keras", "keras", by_keras, "keras, "),
    ],
)
def test_each_format(
    name: str,
    package: str,
    run_it: Callable[[Path, Any], Any],
    said: str,
    trained: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip(package)
    if "keras" not in sys.modules:
        monkeypatch.setenv("KERAS_BACKEND", os.environ.get("KERAS_BACKEND", "torch"))
    path = tmp_path / name
    assert command_line(["export", str(trained), str(path)]) == 0
    text = capsys.readouterr().out
    assert text.startswith(f"{path} ({said}{path.stat().st_size:,} bytes): on 64 samples ")
    assert text.endswith(", 0 labels are others\n")
    wanted = load_trained(trained).outputs(images()).numpy()
    np.testing.assert_allclose(run_it(path, images()), wanted, rtol=1e-4, atol=1e-4)


def test_what_is_not_exported(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def refused(*words: Any) -> str:
        assert command_line(["export", *map(str, words)]) == 1
        captured = capsys.readouterr()
        assert not captured.out
        assert captured.err.startswith("snellen: error: ")
        assert captured.err.count("\n") == 1
        return captured.err

    text = refused(trained, tmp_path / "model.h5")
    assert 'expected a file that ends in .onnx, .pt2, .safetensors, .keras, got "model.h5"' in text
    text = refused(trained, tmp_path / "model.onnx", "--format", "keras")
    assert 'expected a file that ends in .keras, got "model.onnx"' in text
    text = refused(tmp_path, tmp_path / "model.pt2")
    assert "network.json" in text
    text = refused(trained, tmp_path / "model.pt2", "--tolerance", "1e-300")
    assert "expected an exported network that differs by at most " in text
    assert not list(tmp_path.iterdir())


def test_keras_is_imported_for_its_own_files_only(trained: Path, tmp_path: Path) -> None:
    """With torch computing, whatever Keras' own file of settings says."""
    pytest.importorskip("keras")
    settings = tmp_path / ".keras" / "keras.json"
    settings.parent.mkdir()
    settings.write_text('{"backend": "tensorflow", "image_data_format": "channels_last"}')
    program = f"""
import sys
from snellen.cli.root import run
for name, imported in (("model.safetensors", False), ("model.keras", True)):
    assert run(["export", {str(trained)!r}, name, "--quiet"]) == 0
    assert ("keras" in sys.modules) == imported, name
assert sys.modules["keras"].backend.backend() == "torch"
"""
    environment = {name: value for name, value in os.environ.items() if name != "KERAS_BACKEND"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**environment, "HOME": str(tmp_path), "KERAS_HOME": str(settings.parent)},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_backend_that_is_not_installed(trained: Path, tmp_path: Path) -> None:
    pytest.importorskip("keras")
    (tmp_path / "jax.py").write_text("raise ModuleNotFoundError('none', name='jax')")
    done = subprocess.run(
        [sys.executable, "-m", "snellen", "export", str(trained), str(tmp_path / "model.keras")],
        env={
            **os.environ,
            "KERAS_BACKEND": "jax",
            "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]),
        },
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=120,
    )
    assert done.returncode == 1
    assert "got KERAS_BACKEND=jax, which needs jax: set KERAS_BACKEND=torch" in done.stderr


def test_predictions_of_files(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pillow = pytest.importorskip("PIL.Image")
    folder = tmp_path / "images"
    folder.mkdir()
    for k, image in enumerate(images(4)):
        pillow.fromarray(image[0]).save(folder / f"{k}.png")
    (folder / "4.png").write_bytes(b"no image")
    out = tmp_path / "predictions.csv"
    words = ["predict", str(trained), str(folder), "--out", str(out)]
    assert command_line(words) == 0
    captured = capsys.readouterr()
    assert captured.out == f"4 predictions: {out}\n"
    assert "1 image that cannot be read left out: 4.png" in captured.err
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    wanted = load_trained(trained).predict(images(4))
    assert [row["id"] for row in rows] == ["0.png", "1.png", "2.png", "3.png"]
    assert [int(row["prediction"]) for row in rows] == wanted.argmax(1).tolist()
    for row, each in zip(rows, wanted, strict=True):
        assert [float(row[f"prob_{k}"]) for k in range(10)] == each.tolist()
    assert command_line([*words, "--strict"]) == 1
    assert "4.png" in capsys.readouterr().err
    assert command_line(["predict", str(tmp_path), str(folder), "--out", str(out)]) == 1
    assert "network.json" in capsys.readouterr().err
