"""Trained networks, saved, loaded and written for other programs."""

from __future__ import annotations

import json
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from torch import nn  # noqa: E402

from snellen import Classes  # noqa: E402
from snellen.errors import (  # noqa: E402
    InputError,
    MissingExtraError,
    SchemaError,
    ShapeError,
    StateVersionError,
)
from snellen.training.data.normalisation import Normalisation  # noqa: E402
from snellen.training.exporting import OPSET, export  # noqa: E402
from snellen.training.trained_network import TrainedNetwork, load_trained  # noqa: E402

NAMES = ["cat", "dog", "eel"]
CHANNELS = Normalisation(
    torch.tensor([0.3, 0.4])[:, None, None], torch.tensor([0.2, 0.5])[:, None, None], unit=255
)
AS_IT_IS = Normalisation(torch.tensor(0.0), torch.tensor(1.0))


def small_network(task: str) -> nn.Module:
    torch.manual_seed(3)
    if task == "segmentation":
        return nn.Sequential(nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 3, 1))
    if task == "regression":
        return nn.Sequential(nn.Linear(5, 4), nn.Tanh(), nn.Linear(4, 2))
    network = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.MaxPool2d(2),
        nn.ReLU(inplace=True),
        nn.Flatten(),
        nn.Dropout(0.5),
        nn.Linear(64, 3),
    )
    network(torch.randn(8, 2, 8, 8))  # so that the running numbers are not those it begins with
    return network


def trained(task: str = "classification") -> TrainedNetwork:
    if task == "regression":
        normalisation, shape = AS_IT_IS, (5,)
    else:
        normalisation, shape = CHANNELS, (2, 8, 8)
    classes = None if task == "regression" else Classes.of(NAMES)
    description = {"network": "cnn", "seed": 3}
    return TrainedNetwork(small_network(task), normalisation, classes, task, shape, description)


def inputs_of(network: TrainedNetwork, n: int = 20) -> torch.Tensor:
    drawn = torch.Generator().manual_seed(5)
    if network.task == "regression":
        return torch.randn(n, 5, generator=drawn)
    return torch.randint(0, 256, (n, 2, 8, 8), generator=drawn, dtype=torch.uint8)


def fixed(weights: list[list[float]], *more: nn.Module) -> nn.Module:
    layer = nn.Linear(len(weights[0]), len(weights), bias=False)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor(weights))
    return nn.Sequential(layer, *more)


def test_probabilities_by_hand() -> None:
    normalisation = Normalisation(torch.tensor(0.5), torch.tensor(0.5), unit=10)
    network = TrainedNetwork(
        fixed([[0.0], [1.0]]), normalisation, Classes.of(["a", "b"]), "classification", (1,), {}
    )
    # 10 becomes (1 - 0.5) / 0.5 = 1: the scores 0 and 1.
    found = network.predict(np.array([[10.0]], np.float32))
    assert found.dtype == np.float64
    assert found[0] == pytest.approx([1 / (1 + np.e), np.e / (1 + np.e)])


def test_a_network_that_ends_in_a_softmax_gives_probabilities() -> None:
    network = TrainedNetwork(
        fixed([[0.0], [1.0]], nn.Softmax(1)),
        AS_IT_IS,
        Classes.of(["a", "b"]),
        "classification",
        (1,),
        {},
    )
    assert network.scores == "probabilities"
    assert network.predict(np.ones((1, 1)))[0] == pytest.approx([1 / (1 + np.e), np.e / (1 + np.e)])


def test_of_equal_scores_the_lowest_class_is_predicted() -> None:
    network = TrainedNetwork(
        nn.Conv2d(1, 3, 1, bias=False), AS_IT_IS, Classes.of(NAMES), "segmentation", (1, 2, 2), {}
    )
    with torch.no_grad():
        network.network.weight.copy_(torch.tensor([0.0, 1.0, 1.0])[:, None, None, None])
    found = network.predict(np.array([[[[1, 0], [2, 0]]]], np.float32))
    assert found.dtype == np.uint8
    assert found.tolist() == [[[1, 0], [1, 0]]]


@pytest.mark.parametrize("task", ["classification", "regression", "segmentation"])
def test_outputs_are_those_of_the_normalised_inputs(task: str) -> None:
    network = trained(task)
    raw = inputs_of(network)
    network.network.eval()
    with torch.no_grad():
        expected = network.network(network.normalisation.apply(raw))
    network.network.train()
    # In batches of any size, and always as when it is measured.
    assert torch.equal(network.outputs(raw, 20), expected)
    assert torch.allclose(network.outputs(raw, 3), expected, atol=1e-6)
    assert network.network.training
    assert network.predict(raw, 7).shape[0] == 20
    assert network.n_outputs == (2 if task == "regression" else 3)


def test_a_layer_that_was_frozen_stays_so() -> None:
    network = trained()
    network.train()
    network.network[1].eval()
    network.predict(inputs_of(network))
    assert not network.network[1].training
    assert network.network[5].training


def test_weights_of_double_precision() -> None:
    network = TrainedNetwork(
        small_network("regression").double(), AS_IT_IS, None, "regression", (5,), {}
    )
    assert network.outputs(np.ones((2, 5), np.float32)).dtype == torch.float64
    # And inputs of double precision, for weights that are not.
    network = trained("regression")
    assert network.outputs(np.ones((2, 5), np.float64)).dtype == torch.float32


def test_inputs_that_are_refused() -> None:
    network = trained()
    with pytest.raises(ShapeError, match=r"expected inputs \(N, 2, 8, 8\), got \(4, 1, 8, 8\)"):
        network.predict(np.zeros((4, 1, 8, 8), np.uint8))
    with pytest.raises(ShapeError, match=r"got \(0, 2, 8, 8\)"):
        network.predict(np.zeros((0, 2, 8, 8), np.uint8))
    with pytest.raises(InputError, match="batch_size"):
        network.predict(inputs_of(network), 0)
    bad = np.zeros((3, 5))
    bad[2, 1] = np.nan
    with pytest.raises(InputError, match="got NaN or infinity - at row 2"):
        trained("regression").predict(bad)
    with pytest.raises(InputError, match='got "detection"'):
        TrainedNetwork(nn.Identity(), AS_IT_IS, None, "detection", (1,), {})


@pytest.mark.parametrize("task", ["classification", "regression", "segmentation"])
def test_saved_and_loaded(task: str, tmp_path: Path) -> None:
    network = trained(task)
    network.save(tmp_path / "run")
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == [
        "network.json",
        "weights.safetensors",
    ]
    with torch.random.fork_rng():
        torch.manual_seed(99)
        empty = small_network(task)
        for parameter in empty.parameters():
            nn.init.zeros_(parameter)
    loaded = load_trained(tmp_path / "run", empty)
    raw = inputs_of(network)
    assert torch.equal(loaded.outputs(raw), network.outputs(raw))
    assert (loaded.task, loaded.input_shape) == (network.task, network.input_shape)
    assert loaded.description == network.description
    if network.classes is None:
        assert loaded.classes is None
    else:
        assert loaded.classes is not None
        assert loaded.classes.same_as(network.classes)


def test_layers_that_share_weights(tmp_path: Path) -> None:
    layer = nn.Linear(5, 5)
    network = TrainedNetwork(
        nn.Sequential(layer, nn.Tanh(), layer), AS_IT_IS, None, "regression", (5,), {}
    )
    network.save(tmp_path)
    other = nn.Linear(5, 5)
    loaded = load_trained(tmp_path, nn.Sequential(other, nn.Tanh(), other))
    assert np.array_equal(loaded.predict(np.ones((1, 5))), network.predict(np.ones((1, 5))))


class _Bomb:
    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.file,)


@pytest.mark.parametrize("kind", ["pickle", "torch"])
def test_a_pickle_is_not_loaded(kind: str, tmp_path: Path) -> None:
    network = trained()
    network.save(tmp_path)
    bomb = _Bomb(tmp_path / "exploded")
    if kind == "torch":
        torch.save(bomb, tmp_path / "weights.safetensors")
    else:
        (tmp_path / "weights.safetensors").write_bytes(pickle.dumps(bomb))
    with pytest.raises(SchemaError, match="got a pickle, which could run any code"):
        load_trained(tmp_path, small_network("classification"))
    assert not (tmp_path / "exploded").exists()


def test_a_header_that_begins_like_a_pickle_is_none(tmp_path: Path) -> None:
    # The first byte of safetensors is the length of its header, modulo 256.
    from safetensors.torch import save_file

    from snellen.training.weights import read_weights

    for n in range(200):
        file = tmp_path / "w.safetensors"
        save_file({"w": torch.ones(1)}, file, metadata={"note": "x" * n})
        if file.read_bytes()[:1] == b"\x80":
            break
    else:
        pytest.fail("no header of that length")
    assert read_weights(file)["w"].tolist() == [1.0]


def test_weights_of_another_network(tmp_path: Path) -> None:
    trained().save(tmp_path)
    network = nn.Sequential(nn.Conv2d(2, 5, 3), nn.Identity(), nn.Conv2d(2, 2, 3))
    before = network[0].weight.clone()
    with pytest.raises(SchemaError) as caught:
        load_trained(tmp_path, network)
    message = str(caught.value)
    # Two of the first layer, two that are missing, five of batch norm and two of the last layer.
    assert "11 tensors differ" in message
    assert "0.weight is (4, 2, 3, 3) for (5, 2, 3, 3)" in message
    assert "2.weight (2, 2, 3, 3) is missing" in message
    assert "1.bias (4,) is not in the network" in message
    assert "and 3 more" in message
    assert message.endswith("weights.safetensors")
    assert torch.equal(network[0].weight, before)


def test_files_that_are_no_trained_network(tmp_path: Path) -> None:
    network = small_network("classification")
    with pytest.raises(InputError, match=r"No such file.*network\.json"):
        load_trained(tmp_path, network)
    trained().save(tmp_path)
    (tmp_path / "weights.safetensors").write_bytes(b"\x10\x00\x00")
    with pytest.raises(SchemaError, match=r"expected weights as safetensors.*weights\.safetensors"):
        load_trained(tmp_path, network)
    (tmp_path / "weights.safetensors").unlink()
    with pytest.raises(InputError, match="expected a file of weights, got: No such file"):
        load_trained(tmp_path, network)
    file = tmp_path / "network.json"
    content = json.loads(file.read_text("utf-8"))
    file.write_text(json.dumps({**content, "version": 2}), "utf-8")
    with pytest.raises(StateVersionError, match="expected a trained network of version 1, got 2"):
        load_trained(tmp_path, network)
    for other in (
        "[1]",
        "{",
        json.dumps({**content, "task": 3}),
        json.dumps({**content, "format": "x"}),
    ):
        file.write_text(other, "utf-8")
        with pytest.raises(
            SchemaError, match=r"the description of a trained network.*network\.json"
        ):
            load_trained(tmp_path, network)


def test_without_safetensors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    with pytest.raises(MissingExtraError, match=r"safetensors.*snellen\[train\]"):
        trained().files()


@pytest.mark.parametrize("task", ["classification", "regression", "segmentation"])
def test_onnx(task: str, tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxscript")
    runtime = pytest.importorskip("onnxruntime")
    network = trained(task)
    raw = inputs_of(network)
    done = export(network, tmp_path / "net.onnx", inputs=raw)
    output = "values" if task == "regression" else "logits"
    assert done.format == "onnx"
    assert (done.opset, done.n_checked, done.n_changed) == (OPSET, 20, 0)
    assert list(done.differences) == [output]
    assert done.differences[output] < 1e-5
    assert json.loads(json.dumps(done.to_dict()))["input"]["shape"][0] == "batch"
    model = onnx.load(tmp_path / "net.onnx")
    onnx.checker.check_model(model)
    assert [entry.version for entry in model.opset_import if not entry.domain] == [OPSET]
    facts = {entry.key: entry.value for entry in model.metadata_props}
    assert facts["snellen.task"] == task
    assert json.loads(facts["snellen.classes"]) == (None if task == "regression" else NAMES)
    assert facts.get("snellen.fit") == (None if task == "regression" else "crop")
    session = runtime.InferenceSession(
        str(tmp_path / "net.onnx"), providers=["CPUExecutionProvider"]
    )
    name = "inputs" if task == "regression" else "images"
    for n in (1, 3, 20):
        (found,) = session.run([output], {name: raw[:n].numpy()})
        assert found == pytest.approx(network.outputs(raw[:n]).numpy(), abs=1e-5)
    # The differences are those that it says.
    (found,) = session.run([output], {name: raw.numpy()})
    gap = np.abs(found - network.outputs(raw).numpy()).max()
    assert gap == pytest.approx(done.differences[output], abs=1e-6)


@pytest.mark.parametrize("task", ["classification", "regression", "segmentation"])
def test_a_program_of_torch_export(task: str, tmp_path: Path) -> None:
    network = trained(task)
    raw = inputs_of(network)
    network.train()
    done = export(network, tmp_path / "net.pt2", inputs=raw)
    assert network.training  # it stays as it was
    assert (done.format, done.opset, done.n_changed) == ("torch", None, 0)
    about = {"snellen.json": ""}
    program = torch.export.load(tmp_path / "net.pt2", extra_files=about).module()
    facts = json.loads(about["snellen.json"])
    assert (facts["task"], facts["scores"]) == (task, "logits")
    assert facts["classes"] == (None if task == "regression" else NAMES)
    assert facts.get("fit") == (None if task == "regression" else "crop")
    for n in (1, 3, 20):
        assert torch.allclose(program(raw[:n]), network.outputs(raw[:n]), atol=1e-6)


def test_weights_with_their_description(tmp_path: Path) -> None:
    network = trained()
    raw = inputs_of(network)
    done = export(network, tmp_path / "net.safetensors", inputs=raw)
    assert done.format == "safetensors"
    loaded = load_trained(tmp_path / "net.safetensors", small_network("classification"))
    assert torch.equal(loaded.outputs(raw), network.outputs(raw))


def test_how_images_were_fitted_is_known() -> None:
    for data, fit in [
        ("digits", "crop"),
        ({"name": "images"}, "crop"),
        ({"name": "images", "fit": "stretch"}, "stretch"),
    ]:
        network = trained()
        network.description["data"] = data
        assert network.fit == fit


def test_one_sample_is_enough_to_export(tmp_path: Path) -> None:
    network = trained()
    done = export(network, tmp_path / "net.pt2", inputs=inputs_of(network, 1))
    assert done.n_checked == 1
    program = torch.export.load(tmp_path / "net.pt2").module()
    assert program(inputs_of(network, 9)).shape == (9, 3)


@pytest.mark.parametrize("ending", ["pt2", "safetensors"])
def test_no_sample_gets_into_the_file(ending: str, tmp_path: Path) -> None:
    import zipfile

    network = trained()
    raw = inputs_of(network, 300)
    file = tmp_path / f"net.{ending}"
    export(network, file, inputs=raw)
    contents = [file.read_bytes()]
    if ending == "pt2":
        with zipfile.ZipFile(file) as archive:
            contents = [archive.read(name) for name in archive.namelist()]
    for sample in raw:
        assert not any(sample.numpy().tobytes()[:64] in content for content in contents)
    assert sum(map(len, contents)) < 60_000


class _Forgetful(nn.Module):
    """Gives other numbers where it is exported."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(5, 2)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        wrong = 0.5 if torch.compiler.is_compiling() else 0.0
        return self.layer(inputs) + wrong


@pytest.mark.parametrize("ending", ["onnx", "pt2"])
def test_a_network_that_would_differ_is_not_written(ending: str, tmp_path: Path) -> None:
    if ending == "onnx":
        for package in ("onnx", "onnxscript", "onnxruntime"):
            pytest.importorskip(package)
    network = TrainedNetwork(_Forgetful(), AS_IT_IS, None, "regression", (5,), {})
    file = tmp_path / f"net.{ending}"
    file.write_bytes(b"what was there")
    with pytest.raises(InputError, match=r"got 0\.5: nothing was written"):
        export(network, file, inputs=torch.zeros(3, 5))
    assert file.read_bytes() == b"what was there"
    assert [p.name for p in tmp_path.iterdir()] == [file.name]
    assert export(network, file, inputs=torch.zeros(3, 5), tolerance=0.6).differences == {
        "values": pytest.approx(0.5)
    }


class _Undecided(nn.Module):
    """What it does depends on the numbers: no fixed graph can hold that."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(5, 2)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        if float(inputs.sum()) > 0:
            return self.layer(inputs)
        return -self.layer(inputs)


@pytest.mark.parametrize(("ending", "what"), [("onnx", "ONNX"), ("pt2", r"torch\.export")])
def test_a_network_that_cannot_be_exported(ending: str, what: str, tmp_path: Path) -> None:
    if ending == "onnx":
        for package in ("onnx", "onnxscript", "onnxruntime"):
            pytest.importorskip(package)
    network = TrainedNetwork(_Undecided(), AS_IT_IS, None, "regression", (5,), {})
    with pytest.raises(InputError, match=f"expected a network that {what} can take, got: ."):
        export(network, tmp_path / f"net.{ending}", inputs=torch.zeros(3, 5))
    assert not list(tmp_path.iterdir())


def test_a_file_that_nobody_named_is_not_replaced(tmp_path: Path) -> None:
    network = trained()
    beside = tmp_path / "net.json"
    for content in ("[1, 2]", '{"format": "mine"}', "not JSON"):
        beside.write_text(content)
        with pytest.raises(InputError, match=r"another file of that name.*\n?.*net\.json"):
            export(network, tmp_path / "net.safetensors", inputs=inputs_of(network))
        assert beside.read_text() == content
        assert [path.name for path in tmp_path.iterdir()] == ["net.json"]
    beside.unlink()
    for _ in range(2):  # its own is
        export(network, tmp_path / "net.safetensors", inputs=inputs_of(network))


def test_what_export_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    network = trained()
    raw = inputs_of(network)
    with pytest.raises(InputError, match=r'got "net\.tflite": name the format'):
        export(network, tmp_path / "net.tflite", inputs=raw)
    with pytest.raises(InputError, match='got "onx"'):
        export(network, tmp_path / "net.onnx", "onx", inputs=raw)
    with pytest.raises(InputError, match=r'ends in \.pt2, got "net.onnx"'):
        export(network, tmp_path / "net.onnx", "torch", inputs=raw)
    with pytest.raises(InputError, match="tolerance"):
        export(network, tmp_path / "net.pt2", inputs=raw, tolerance=-1)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError, match=r"onnxruntime.*snellen\[onnx\]"):
        export(network, tmp_path / "net.onnx", inputs=raw)


@pytest.mark.parametrize(
    "network",
    [
        "cnn",
        {"name": "fc", "hidden": [4]},
        [
            {"name": "conv", "out": 4},
            {"name": "batch_norm"},
            "relu",
            "max_pool",
            "flatten",
            "linear",
        ],
    ],
)
def test_a_described_network_is_built_again(network: Any, tmp_path: Path) -> None:
    from snellen.training.description import Description
    from snellen.training.network.build import build_network

    description = Description.of({"data": "digits", "network": network, "seed": 4})
    built = build_network(description.network, (2, 8, 8), 3, seed=4)
    with torch.no_grad():
        for parameter in built.parameters():
            parameter.add_(0.01)  # no longer those that it begins with
    run = TrainedNetwork(
        built, CHANNELS, Classes.of(NAMES), "classification", (2, 8, 8), description.plain()
    )
    run.save(tmp_path)
    loaded = load_trained(tmp_path)
    raw = inputs_of(run)
    assert torch.equal(loaded.outputs(raw), run.outputs(raw))
    # Trained with layers in another order, the same weights do the same.
    from snellen.training.network.rewrites import rewrite

    run.network, _ = rewrite(built, CHANNELS.apply(raw))
    run.save(tmp_path / "rewritten")
    assert torch.equal(load_trained(tmp_path / "rewritten").outputs(raw), run.outputs(raw))


def test_a_network_that_no_description_names(tmp_path: Path) -> None:
    network = trained()
    network.description = {}
    network.save(tmp_path)
    with pytest.raises(SchemaError, match="expected a description with a network: give the"):
        load_trained(tmp_path)
