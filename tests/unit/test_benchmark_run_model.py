"""Networks that were trained with Snellen, and exported, as models of a benchmark."""

from __future__ import annotations

import csv
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "torch")

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")
Image = pytest.importorskip("PIL.Image")
ImageOps = pytest.importorskip("PIL.ImageOps")

from snellen import Classes  # noqa: E402
from snellen.benchmark.decoding import decoded  # noqa: E402
from snellen.benchmark.model import LoadOptions  # noqa: E402
from snellen.benchmark.preprocessing import Preprocessing  # noqa: E402
from snellen.benchmark.run_model import load  # noqa: E402
from snellen.benchmark.sources import load_model  # noqa: E402
from snellen.benchmark.torch_model import TorchModel  # noqa: E402
from snellen.errors import InputError, SchemaError  # noqa: E402
from snellen.training.choices import Choice  # noqa: E402
from snellen.training.data.normalisation import Normalisation  # noqa: E402
from snellen.training.exporting import export  # noqa: E402
from snellen.training.network.build import build_network  # noqa: E402
from snellen.training.predicting import predict_files  # noqa: E402
from snellen.training.trained_network import TrainedNetwork, load_trained  # noqa: E402

NAMES = ["cat", "dog", "eel"]
AS_IT_IS = Normalisation(torch.tensor(0.0), torch.tensor(1.0))


@pytest.fixture(autouse=True)
def _threads() -> Any:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def trained(channels: int = 3, **description: Any) -> TrainedNetwork:
    shape = (channels, 9, 7)
    return TrainedNetwork(
        build_network(Choice("fc"), shape, 3, seed=4),
        Normalisation(torch.tensor(0.4), torch.tensor(0.3), unit=255),
        Classes.of(NAMES),
        "classification",
        shape,
        {"network": "fc", "seed": 4, "data": {"name": "images"}, **description},
    )


def saved(folder: Path, **more: Any) -> Path:
    trained(**more).save(folder)
    return folder


def loaded(path: Path, **settings: str) -> TorchModel:
    return load(str(path), LoadOptions("cpu", 1, settings))


def pictures(folder: Path) -> list[Path]:
    """Write images of several sizes, of which one lies on its side, and one is grey."""
    random = np.random.default_rng(2)
    folder.mkdir()
    paths = []
    for k, (height, width) in enumerate([(9, 7), (30, 20), (20, 33), (8, 50), (7, 9)]):
        pixels = random.integers(0, 256, (height, width, 3), np.uint8)
        picture = Image.fromarray(pixels)
        if k == 4:
            picture = picture.convert("L")
        exif = Image.Exif()
        exif[0x0112] = 6 if k == 2 else 1
        paths.append(folder / f"{k}.png")
        picture.save(paths[-1], exif=exif)
    return paths


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("fit", ["crop", "stretch"])
def test_it_sees_what_predict_sees(tmp_path: Path, fit: str, channels: int) -> None:
    run = saved(tmp_path / "run", channels=channels, data={"name": "images", "fit": fit})
    paths = pictures(tmp_path / "images")
    predict_files(load_trained(run), tmp_path / "images", tmp_path / "predictions.csv")
    with (tmp_path / "predictions.csv").open(newline="") as file:
        expected = {
            row["id"]: [float(row[f"prob_{name}"]) for name in NAMES]
            for row in csv.DictReader(file)
        }
    model = loaded(run)
    made = model.preprocessing
    batch = made.batch(
        [made.pixels(decoded(path.read_bytes(), made.mode, path.name)) for path in paths]
    )
    scores = model.predict(batch).astype(np.float64)
    shares = np.exp(scores - scores.max(1, keepdims=True))
    shares /= shares.sum(1, keepdims=True)
    assert batch.dtype == np.uint8
    assert shares == pytest.approx(
        np.array([expected[path.name] for path in paths]), rel=1e-6, abs=1e-9
    )


def test_what_is_known_of_it(tmp_path: Path) -> None:
    run = saved(tmp_path / "run")
    model = loaded(run)
    assert model.classes == tuple(NAMES)
    assert model.scores == "logits"
    assert model.preprocessing == Preprocessing(9, 7, dtype="uint8", fit="fill")
    assert model.facts.parameters == sum(p.numel() for p in trained().network.parameters())
    assert model.facts.file_bytes == sum(path.stat().st_size for path in run.iterdir())
    assert model.facts.macs is not None
    batch = np.zeros((2, 3, 9, 7), np.uint8)
    assert np.array_equal(model.run(model.resident(batch)).numpy(), model.predict(batch))


@pytest.mark.parametrize("prefix", ["", "snellen:"])
@pytest.mark.parametrize("within", ["", "/weights.safetensors"])
def test_by_its_name(tmp_path: Path, prefix: str, within: str) -> None:
    run = saved(tmp_path / "run")
    model = load_model(f"{prefix}{run}{within},fit=stretch,name=Mine", device="cpu", threads=2)
    assert model.preprocessing.fit == "stretch"
    assert (model.facts.threads, model.facts.device) == (2, "cpu")


def test_a_yes_or_no_for_each_class(tmp_path: Path) -> None:
    run = saved(tmp_path / "run", loss="bce")
    model = loaded(run)
    batch = np.random.default_rng(1).integers(0, 256, (4, 3, 9, 7), np.uint8)
    assert model.scores == "probabilities"
    found = model.predict(batch)
    assert np.array_equal(found, load_trained(run).predict(batch))
    logits = load_trained(run).outputs(batch).double().numpy()
    sigmoids = 1 / (1 + np.exp(-logits))
    assert found == pytest.approx(sigmoids / sigmoids.sum(1, keepdims=True), rel=1e-6)


def test_weights_with_their_description(tmp_path: Path) -> None:
    raw = np.random.default_rng(1).integers(0, 256, (4, 3, 9, 7), np.uint8)
    export(trained(), tmp_path / "net.safetensors", inputs=raw)
    model = loaded(tmp_path / "net.safetensors")
    assert np.array_equal(model.predict(raw), trained().outputs(raw).numpy())


def test_settings(tmp_path: Path) -> None:
    run = saved(tmp_path / "run")
    assert loaded(run, fit="stretch").preprocessing.fit == "stretch"
    assert loaded(run, resize="12").preprocessing.shorter_side == 12
    for name, value in {"mean": "0.5", "precision": "bfloat16", "scores": "logits"}.items():
        with pytest.raises(InputError, match=f'expected a setting of this source, got "{name}"'):
            loaded(run, **{name: value})
    with pytest.raises(InputError, match="8 × 8, the network takes 9 × 7"):
        loaded(run, size="8")


@pytest.mark.parametrize(
    ("task", "classes", "said"),
    [
        ("regression", None, "for classification, got one for regression"),
        ("classification", NAMES, r"of grey images or of colours, got one that takes \(5,\)"),
    ],
)
def test_networks_for_something_else(
    tmp_path: Path, task: str, classes: list[str] | None, said: str
) -> None:
    network = build_network(Choice("fc"), (5,), 3, seed=4, task=task)
    named = None if classes is None else Classes.of(classes)
    TrainedNetwork(network, AS_IT_IS, named, task, (5,), {"network": "fc", "seed": 4}).save(
        tmp_path
    )
    with pytest.raises(InputError, match=said):
        loaded(tmp_path)


def test_a_fit_that_there_is_not(tmp_path: Path) -> None:
    run = saved(tmp_path / "run", data={"name": "images", "fit": "squeeze"})
    with pytest.raises(SchemaError, match=r'a fit of crop, stretch in the .*, got "squeeze" - at'):
        loaded(run)


@pytest.mark.parametrize(("fit", "loss"), [("crop", "bce"), ("stretch", "cross_entropy")])
@pytest.mark.parametrize("ending", ["onnx", "pt2", "keras", "safetensors"])
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_an_exported_network_is_the_network(
    tmp_path: Path, ending: str, fit: str, loss: str
) -> None:
    """From files of images to probabilities, whatever the format, with nothing said beside it."""
    needed = {"onnx": ["onnx", "onnxscript", "onnxruntime"], "keras": ["keras"]}
    for package in needed.get(ending, []):
        pytest.importorskip(package)
    paths = pictures(tmp_path / "images")
    network = trained(loss=loss, data={"name": "images", "fit": fit})
    raw = np.random.default_rng(1).integers(0, 256, (4, 3, 9, 7), np.uint8)
    file = tmp_path / f"net.{ending}"
    export(network, file, inputs=raw)
    model = load_model(str(file), device="cpu")
    assert tuple(model.classes or ()) == tuple(NAMES)
    assert model.scores == ("probabilities" if loss == "bce" else "logits")
    assert not model.facts.notes

    def pixels(path: Path) -> np.ndarray:
        picture = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
        size, filter = (7, 9), Image.Resampling.BILINEAR  # noqa: A001
        made = (
            ImageOps.fit(picture, size, filter) if fit == "crop" else picture.resize(size, filter)
        )
        return np.asarray(made).transpose(2, 0, 1)

    expected = network.predict(np.stack([pixels(path) for path in paths]))
    made = model.preprocessing
    scores = model.predict(
        made.batch([made.pixels(decoded(path.read_bytes(), "RGB", path.name)) for path in paths])
    ).astype(np.float64)
    if loss != "bce":
        scores = np.exp(scores - scores.max(1, keepdims=True))
        scores /= scores.sum(1, keepdims=True)
    assert np.ptp(expected, axis=0).max() > 0.01  # or all would do
    assert scores == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("ending", ["onnx", "pt2", "keras"])
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_exported_networks_know_what_they_give(tmp_path: Path, ending: str) -> None:
    for package in {"onnx": ["onnxscript", "onnxruntime"], "keras": ["keras"]}.get(ending, []):
        pytest.importorskip(package)
    raw = np.random.default_rng(1).integers(0, 256, (4, 3, 9, 7), np.uint8)
    export(trained(), tmp_path / f"net.{ending}", inputs=raw)
    with pytest.raises(InputError, match='no setting "scores" for a file that says what they are'):
        load_model(f"{tmp_path}/net.{ending},scores=probabilities", device="cpu")
    values = TrainedNetwork(
        build_network(Choice("fc"), (3, 9, 7), 3, seed=4, task="regression"),
        AS_IT_IS,
        None,
        "regression",
        (3, 9, 7),
        {"network": "fc"},
    )
    export(values, tmp_path / f"values.{ending}", inputs=raw)
    with pytest.raises(InputError, match="for classification, got one for regression"):
        load_model(f"{tmp_path}/values.{ending}", device="cpu")


def test_no_run(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="expected the description of a trained network"):
        loaded(tmp_path)
