"""Keras models through whole trainings: from a file, a function, or handed over."""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING, Any

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
import pytest
import torch
from torch import nn

from snellen.errors import InputError, SchemaError
from snellen.training import train
from snellen.training.callbacks.nan_guard import TrainingDiverged
from snellen.training.callbacks.protocol import Callback
from snellen.training.callbacks.stop_after import StopAfter
from snellen.training.candidates import choose
from snellen.training.choices import Choice
from snellen.training.description import Description, Every
from snellen.training.exporting import export
from snellen.training.keras import KerasModule, load_keras
from snellen.training.keras.export import save_keras
from snellen.training.losses import make_loss
from snellen.training.network.build import build_network
from snellen.training.network.summary import network_table
from snellen.training.run_folder import RunFolder
from snellen.training.trained_network import load_trained

if TYPE_CHECKING:
    from pathlib import Path

# Keras' torch backend makes NumPy arrays of tensors in a way that NumPy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

SHAPE = (1, 6, 6)
QUICK = {"data": "none", "batch_size": 16, "epochs": 2, "learning_rate": 0.01, "nan_guard": "off"}


@pytest.fixture(autouse=True)
def _same_weights_each_time() -> None:
    random.seed(0)  # of which Keras draws the seeds of its initialisers


def small_model(**last: Any) -> Any:
    return keras.Sequential(
        [
            keras.layers.Input((6, 6, 1)),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.2, seed=3),
            keras.layers.Dense(3, **last),
        ]
    )


def made_by_function(n_outputs: int = 3) -> Any:
    return small_model(activation="softmax") if n_outputs == 3 else small_model()


def regressor() -> Any:
    return keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(1, activation="sigmoid")])


@keras.saving.register_keras_serializable("snellen-tests")
class Own(keras.Model):
    def __init__(self) -> None:
        super().__init__()
        self.flatten = keras.layers.Flatten()
        self.dense = keras.layers.Dense(3)

    def call(self, x: Any) -> Any:
        return self.dense(self.flatten(x))

    def get_config(self) -> dict[str, Any]:
        raise NotImplementedError


def own_class() -> Any:
    model = Own()
    model(torch.ones(1, 6, 6, 1))
    return model


def images(n: int = 48) -> dict[str, Any]:
    """Return data of three classes: which row of the image is bright."""
    drawn = np.random.default_rng(0)
    y = np.arange(n) % 3
    x = drawn.integers(0, 100, (n, *SHAPE)).astype(np.uint8)
    x[np.arange(n), 0, 2 * y] += 120
    return {"train": (x[:32], y[:32]), "validation": (x[32:40], y[32:40]), "test": (x[40:], y[40:])}


def here(function: Any) -> str:
    return f"{__name__}:{function.__name__}"


def raw() -> torch.Tensor:
    return torch.from_numpy(images()["test"][0])


def test_a_file_is_trained_saved_and_loaded(tmp_path: Path) -> None:
    model = small_model(activation="softmax")
    model.save(tmp_path / "model.keras")
    asked = {**QUICK, "network": f"keras:{tmp_path / 'model.keras'}", "epochs": 20}
    run = train(asked, data=images(), out=tmp_path / "run")
    assert isinstance(run.network.network, KerasModule)
    assert run.metrics["accuracy"] == 1.0
    (tmp_path / "model.keras").unlink()
    again = load_trained(tmp_path / "run")
    assert torch.equal(again.outputs(raw()), run.network.outputs(raw()))
    # Keras' own model gives what is predicted, from inputs that are normalised.
    own = run.network.network.model.predict_on_batch(
        run.network.normalisation.apply(raw()).permute(0, 2, 3, 1).numpy()
    )
    np.testing.assert_allclose(again.predict(raw()), own, atol=1e-6)


def test_training_begins_with_the_weights_of_a_file(tmp_path: Path) -> None:
    model = small_model()
    model.save(tmp_path / "model.keras")
    built = build_network(Choice(f"keras:{tmp_path / 'model.keras'}"), SHAPE, 3, seed=7)
    for name, value in KerasModule(model).state_dict().items():
        assert torch.equal(built.state_dict()[name], value)


def test_a_function_is_trained_like_its_model_handed_over() -> None:
    """Both by the seed alone; what the adapter does is done to both."""
    asked = {**QUICK, "network": here(made_by_function), "ema": 0.9}
    first = train(asked, data=images())
    second = train(asked, data=images())
    assert isinstance(first.network.network, KerasModule)
    for one, other in zip(
        first.network.network.state_dict().values(),
        second.network.network.state_dict().values(),
        strict=True,
    ):
        assert torch.equal(one, other)
    built = build_network(Choice(here(made_by_function)), SHAPE, 3)
    assert isinstance(built, KerasModule)
    given = train(QUICK, data=images(), network=built.model)
    assert given.network.network.model is built.model
    plain = train({**QUICK, "network": here(made_by_function)}, data=images())
    assert [each["loss"] for each in given.history] == [each["loss"] for each in plain.history]


def test_a_run_goes_on_as_if_it_had_not_stopped(tmp_path: Path) -> None:
    """Dropout that has a seed of its own draws in each step what it would have drawn."""
    asked = {**QUICK, "network": here(made_by_function)}
    whole = train(asked, data=images(), out=tmp_path / "whole")
    out = tmp_path / "parts"
    train(asked, data=images(), out=out, callbacks=[StopAfter(Every.parsed("3ba"))])
    resumed = train(asked, data=images(), out=out, resume=True)
    for one, other in zip(
        whole.network.network.state_dict().values(),
        resumed.network.network.state_dict().values(),
        strict=True,
    ):
        assert torch.equal(one, other)


def test_the_last_sigmoid_of_a_regression_is_a_part_of_it() -> None:
    drawn = np.random.default_rng(0)
    x = drawn.normal(size=(32, 4)).astype(np.float32)
    y = np.full((32, 1), 0.5, np.float32)
    run = train(
        {**QUICK, "network": here(regressor), "task": "regression"},
        data={"train": (x, y), "test": (x, y)},
    )
    found = run.network.predict(x * 1000)
    assert found.min() >= 0
    assert found.max() <= 1


def test_what_is_listed(tmp_path: Path) -> None:
    run = train(
        {**QUICK, "threads": "auto", "precision": "auto", "compile": "auto"},
        data=images(),
        network=small_model(),
        out=tmp_path / "run",
    )
    assert run.folder is not None
    folder = RunFolder(run.folder)
    facts = folder.read("run.json")
    assert [(each["name"], each["taken"]) for each in facts["rewrites"]] == [
        ("all rewrites", False)
    ]
    assert {each["setting"] for each in facts["choices"]} == {"threads", "precision"}
    description = folder.description()
    assert (description.memory_format, description.compile) == ("contiguous", False)


def test_measuring_does_not_train() -> None:
    module = KerasModule(small_model()).train()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    description, chosen = choose(
        Description.of({"data": "none", "threads": "auto", "precision": "auto"}),
        module,
        torch.rand(8, *SHAPE),
        torch.arange(8) % 3,
        make_loss(Choice("auto"), task="classification", n_outputs=3, class_weights=None),
        lambda network: torch.optim.SGD(network.parameters(), lr=1.0),
        torch.device("cpu"),
    )
    assert [each.setting for each in chosen] == ["threads", "precision"]
    assert all(np.isfinite(list(each.seconds.values())).all() for each in chosen)
    assert description.precision in ("float32", "bfloat16")
    assert module.training
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name])
    assert all(each.grad is None for each in module.parameters())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"compile": True}, r"expected a Keras model not to be compiled.* - at compile$"),
        ({"precision": "float64"}, r"Keras model, float32, got float64: .* - at precision$"),
        ({"devices": 2}, r"expected one device for a Keras model, .* got 2 - at devices$"),
        ({"optimizer": "muon"}, r"expected another optimizer .* - at optimizer$"),
        (
            {"initialisation": "he_normal"},
            r"initialisation auto .* got he_normal: .* initialisation$",
        ),
    ],
)
def test_refused(changes: Any, message: str, tmp_path: Path) -> None:
    small_model().save(tmp_path / "model.keras")
    asked = {**QUICK, "network": f"keras:{tmp_path / 'model.keras'}", **changes}
    with pytest.raises(InputError, match=message) as caught:
        train(asked, data=images())
    assert "\n" not in str(caught.value)


def test_other_models_are_refused() -> None:
    with pytest.raises(InputError, match=r"expected 3 outputs, .* got 5 from the network"):
        train(
            QUICK,
            data=images(),
            network=keras.Sequential(
                [keras.layers.Input((6, 6, 1)), keras.layers.Flatten(), keras.layers.Dense(5)]
            ),
        )
    with pytest.raises(InputError, match=r"expected a network for samples of shape \(1, 6, 6\)"):
        train(
            QUICK,
            data=images(),
            network=keras.Sequential(
                [keras.layers.Input((9, 9, 1)), keras.layers.Flatten(), keras.layers.Dense(3)]
            ),
        )
    with pytest.raises(InputError, match="expected one device for a Keras model"):
        train({**QUICK, "devices": 2}, data=images(), network=small_model())
    # In a module of torch's, it would be evaluated for ever.
    with pytest.raises(InputError, match=r"wrapped by .*load_keras, .* - at network 0$"):
        train(QUICK, data=images(), network=nn.Sequential(small_model()))
    with pytest.raises(InputError, match=r"there is none - at .*none\.keras"):
        train({**QUICK, "network": "keras:none.keras"}, data=images())
    name = {"name": "keras:none.keras", "layuot": "channels_last"}
    with pytest.raises(SchemaError, match=r'got "layuot".* mean'):
        train({**QUICK, "network": name}, data=images())


def test_mixed_precision() -> None:
    run = train({**QUICK, "precision": "bfloat16"}, data=images(), network=small_model())
    assert np.isfinite([each["loss"] for each in run.history]).all()
    kinds = {each.dtype for each in run.network.network.parameters()}
    assert kinds == {torch.float32}


class Poison(Callback):
    """Makes a weight NaN, once."""

    done = False

    def step_end(self, run: Any) -> None:
        if not self.done:
            self.done = True
            with torch.no_grad():
                next(run.network.parameters()).fill_(torch.nan)


def test_rolled_back_to_the_model_that_was_handed_over() -> None:
    asked = {**QUICK, "nan_guard": "roll_back"}
    run = train(asked, data=images(64), network=small_model(), callbacks=[Poison()])
    assert np.isfinite([each["loss"] for each in run.history]).all()
    assert all(each.isfinite().all() for each in run.network.network.parameters())


@pytest.mark.parametrize(
    ("make", "cause"),
    [
        (small_model, r"in step 2: the output of the network is the first"),
        (own_class, r"step \d\. A lower"),
    ],
)
def test_a_model_that_diverges(make: Any, cause: str) -> None:
    """The step is done again in a second model, where there can be one."""
    asked = {**QUICK, "nan_guard": "stop", "optimizer": "sgd", "learning_rate": 3e38}
    with pytest.raises(TrainingDiverged, match=cause):
        train({**asked, "epochs": 5}, data=images(), network=KerasModule(make()))


def test_a_segmenter_with_channels_first(tmp_path: Path) -> None:
    model = keras.Sequential(
        [
            keras.layers.Input(SHAPE),
            keras.layers.RandomFlip(data_format="channels_first"),
            keras.layers.Conv2D(3, 1, data_format="channels_first"),
        ]
    )
    data = {name: (x, x[:, 0] // np.uint8(90)) for name, (x, _) in images().items()}
    run = train({**QUICK, "task": "segmentation"}, data=data, network=model)
    written = save_keras(run.network, tmp_path / "model.keras", inputs=raw())
    assert written.input["shape"] == ["batch", 1, 6, 6]
    assert run.network.predict(raw()).shape == (8, 6, 6)
    found = keras.saving.load_model(tmp_path / "model.keras").predict_on_batch(raw().numpy())
    np.testing.assert_allclose(found, run.network.outputs(raw()), atol=1e-5)


def test_the_table_shows_layers_of_keras() -> None:
    model = small_model()
    table = network_table(KerasModule(model), SHAPE)
    assert [(row.name, row.kind, row.output_shape) for row in table.rows] == [
        ("0_conv2d", "Conv2D", (4, 4, 4)),
        ("1_batchnormalization", "BatchNormalization", (4, 4, 4)),
        ("2_flatten", "Flatten", (64,)),
        ("3_dropout", "Dropout", (64,)),
        ("4_dense", "Dense", (3,)),
    ]
    # 9 · 4 + 4, the statistics are not learnt, 64 · 3 + 3.
    assert [row.n_parameters for row in table.rows] == [40, 8, 0, 0, 195]
    assert table.n_parameters == sum(int(np.prod(v.shape)) for v in model.trainable_variables)
    assert [row.n_macs for row in table.rows] == [16 * 9 * 4, 0, 0, 0, 64 * 3]


def test_the_table_of_nested_models() -> None:
    inputs = keras.Input((5,))
    block = keras.Sequential([keras.layers.Dense(5), keras.layers.ReLU()])
    x = keras.layers.Add()([inputs, block(inputs)])
    module = KerasModule(keras.Model(inputs, keras.layers.Dense(2)(x)))
    rows = network_table(nn.Sequential(module, nn.Linear(2, 2)), (5,)).rows
    assert [(row.name, row.n_parameters) for row in rows] == [
        ("0.1_sequential.0_dense", 30),
        ("0.1_sequential.1_relu", 0),
        ("0.2_add", 0),
        ("0.3_dense", 12),
        ("1", 6),
    ]


@pytest.mark.parametrize("normalise", ["channel", "pixel", "unit", "none"])
def test_whole_networks_as_files_of_keras(normalise: str, tmp_path: Path) -> None:
    asked = {**QUICK, "epochs": 1, "network": "cnn", "normalise": normalise}
    data = images()
    data = {name: (np.repeat(x, 2, 1), y) for name, (x, y) in data.items()}
    data["train"][0][:, 1] //= 3
    x = torch.from_numpy(data["test"][0])
    run = train({**asked, "network": ["flatten", "linear"]}, data=data)
    written = save_keras(run.network, tmp_path / "model.keras", inputs=x)
    assert written.input == {"name": "images", "type": "uint8", "shape": ["batch", 6, 6, 2]}
    assert written.n_changed == 0
    model = keras.saving.load_model(tmp_path / "model.keras")
    found = model.predict_on_batch(x.permute(0, 2, 3, 1).numpy())
    np.testing.assert_allclose(found, run.network.outputs(x), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("last", [{}, {"activation": "softmax"}])
def test_keras_models_as_files_of_keras(last: Any, tmp_path: Path) -> None:
    run = train({**QUICK, "epochs": 1}, data=images(), network=small_model(**last))
    before = run.network.outputs(raw())
    written = export(run.network, tmp_path / "model.keras", inputs=raw())
    assert list(written.differences) == ["probabilities" if last else "logits"]
    assert torch.equal(run.network.outputs(raw()), before)
    model = keras.saving.load_model(tmp_path / "model.keras")
    found = model.predict_on_batch(raw().permute(0, 2, 3, 1).numpy())
    np.testing.assert_allclose(found, before.softmax(1) if last else before, atol=1e-5)
    # And it comes back as a network of raw images.
    again = load_keras(tmp_path / "model.keras").eval()
    torch.testing.assert_close(again(raw().float()), before, atol=1e-5, rtol=1e-5)


def test_features_as_files_of_keras(tmp_path: Path) -> None:
    x = np.random.default_rng(0).normal(3, [1, 2, 3, 4], (32, 4)).astype(np.float32)
    y = x[:, :1] - x[:, 1:2]
    asked = {**QUICK, "network": ["linear"], "task": "regression"}
    run = train(asked, data={"train": (x, y), "test": (x, y)})
    save_keras(run.network, tmp_path / "model.keras", inputs=x)
    model = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(model.predict_on_batch(x), run.network.predict(x), atol=1e-4)


def test_other_formats_of_keras_models(tmp_path: Path) -> None:
    run = train({**QUICK, "epochs": 1}, data=images(), network=small_model())
    before = run.network.outputs(raw())
    export(run.network, tmp_path / "weights.safetensors", inputs=raw())
    export(run.network, tmp_path / "program.pt2", inputs=raw())
    assert torch.equal(run.network.outputs(raw()), before)
    again = load_trained(tmp_path / "weights.safetensors")
    assert torch.equal(again.outputs(raw()), before)


def test_files_that_are_not_written(tmp_path: Path) -> None:
    run = train({**QUICK, "epochs": 1}, data=images(), network=small_model())
    with pytest.raises(
        InputError, match=r"differs by at most [\d.]+e-30, got .* - at .*model\.keras"
    ):
        save_keras(run.network, tmp_path / "model.keras", inputs=raw(), tolerance=1e-30)
    with pytest.raises(InputError, match=r"expected a file that ends in \.keras"):
        save_keras(run.network, tmp_path / "model.h5", inputs=raw())
    run = train({**QUICK, "epochs": 1}, data=images(), network=own_class(), out=tmp_path / "own")
    with pytest.raises(InputError, match=r"layers that Keras knows, this one .* - at .*\.keras"):
        save_keras(run.network, tmp_path / "model.keras", inputs=raw())
    assert [each.name for each in tmp_path.iterdir()] == ["own"]
    # Its class is needed to load it.
    again = load_trained(tmp_path / "own", KerasModule(own_class()))
    assert torch.equal(again.outputs(raw()), run.network.outputs(raw()))
