"""Keras models as torch modules: modes, names, counts, and what is refused."""

from __future__ import annotations

import copy
import os
from typing import TYPE_CHECKING, Any

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
import pytest
import torch
from torch.nn import functional

from snellen.errors import InputError, SchemaError
from snellen.training.keras import KerasModule, load_keras
from snellen.training.moving_average import MovingAverage

if TYPE_CHECKING:
    from pathlib import Path

# Keras' torch backend makes NumPy arrays of tensors in a way that NumPy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def images_model(**last: Any) -> Any:
    return keras.Sequential(
        [
            keras.layers.Input((6, 6, 2)),
            keras.layers.Conv2D(4, 3, padding="same"),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(3, **last),
        ]
    )


def nested_model() -> Any:
    inputs = keras.Input((5,))
    block = keras.Sequential([keras.layers.Dense(5), keras.layers.BatchNormalization()])
    x = keras.layers.Add()([inputs, block(inputs)])
    return keras.Model(inputs, keras.layers.Dense(2)(x))


def samples(n: int = 8) -> torch.Tensor:
    return torch.randn(n, 2, 6, 6, generator=torch.Generator().manual_seed(0))


def test_the_mode_is_passed_on() -> None:
    module = KerasModule(images_model())
    x = samples()
    mean = module.get_buffer("1_batchnormalization.moving_mean")
    start = mean.clone()
    module.eval()
    assert torch.equal(module(x), module(x))
    assert torch.equal(mean, start)
    module.train()
    first, second = module(x), module(x)
    assert not torch.equal(first, second)  # dropout
    assert not torch.equal(mean, start)
    # It is the variable's own memory.
    kept = module.model.layers[1].moving_mean.numpy()
    np.testing.assert_array_equal(mean.numpy(), kept)


def test_it_returns_what_the_model_returns() -> None:
    model = images_model()
    module = KerasModule(model).eval()
    x = samples()
    wanted = model(x.permute(0, 2, 3, 1), training=False)
    assert torch.equal(module(x), wanted)
    taken_last = KerasModule(model, layout="channels_first").eval()
    assert torch.equal(taken_last(x.permute(0, 2, 3, 1)), wanted)


def test_names_say_the_place() -> None:
    module = KerasModule(images_model())
    assert list(module.state_dict()) == [
        "0_conv2d.kernel",
        "0_conv2d.bias",
        "1_batchnormalization.gamma",
        "1_batchnormalization.beta",
        "1_batchnormalization.moving_mean",
        "1_batchnormalization.moving_variance",
        "5_dense.kernel",
        "5_dense.bias",
    ]
    assert [name for name, _ in KerasModule(nested_model()).named_parameters()] == [
        "1_sequential.0_dense.kernel",
        "1_sequential.0_dense.bias",
        "1_sequential.1_batchnormalization.gamma",
        "1_sequential.1_batchnormalization.beta",
        "3_dense.kernel",
        "3_dense.bias",
    ]


@pytest.mark.parametrize("make", [images_model, nested_model])
def test_weights_go_to_a_model_that_is_built_alike(make: Any) -> None:
    first, second = KerasModule(make()).eval(), KerasModule(make()).eval()
    x = samples() if make is images_model else torch.randn(4, 5)
    first.train()
    first(x)  # other statistics
    first.eval()
    assert not torch.equal(first(x), second(x))
    second.load_state_dict(first.state_dict())
    assert torch.equal(first(x), second(x))


def test_only_what_is_trained_is_a_parameter() -> None:
    module = KerasModule(images_model())
    # 2·4·9 + 4, 4 + 4, 4·36·3 + 3; the statistics are not among them.
    assert sum(each.numel() for each in module.parameters()) == 76 + 8 + 435
    assert sum(each.numel() for each in module.buffers()) == 8
    assert all(each.requires_grad for each in module.parameters())


def test_frozen_layers_stay_parameters_without_gradient() -> None:
    model = images_model()
    model.layers[0].trainable = False
    module = KerasModule(model)
    names = [name for name, each in module.named_parameters() if not each.requires_grad]
    assert names == ["0_conv2d.kernel", "0_conv2d.bias"]
    assert next(iter(module.state_dict())) == "0_conv2d.kernel"


def test_it_trains() -> None:
    module = KerasModule(images_model())
    x, y = samples(), torch.arange(8) % 3
    step = torch.optim.Adam(module.parameters(), lr=0.01)
    losses = []
    for _ in range(30):
        loss = functional.cross_entropy(module(x), y)
        step.zero_grad()
        loss.backward()
        step.step()
        losses.append(loss.item())
    assert losses[-1] < losses[0] / 3
    # The Keras model is the one that was trained.
    trained = module.model.predict_on_batch(x.permute(0, 2, 3, 1).numpy())
    np.testing.assert_allclose(trained, module.eval()(x).detach(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("last", ["softmax", "layer", "sigmoid"])
def test_losses_get_what_goes_into_the_last_softmax(last: str) -> None:
    if last == "layer":
        model = keras.Sequential([*images_model().layers, keras.layers.Softmax()])
        model.build((None, 6, 6, 2))
    else:
        model = images_model(activation=last)
    x = samples()
    logits = KerasModule(model).eval()(x)
    own = KerasModule(model, logits=False).eval()(x)
    squash = torch.sigmoid if last == "sigmoid" else lambda values: values.softmax(1)
    torch.testing.assert_close(own, squash(logits))
    assert not torch.allclose(own, logits)


def test_maps_are_turned_back() -> None:
    model = keras.Sequential([keras.layers.Input((6, 5, 2)), keras.layers.Conv2D(4, 1)])
    assert KerasModule(model)(torch.ones(3, 2, 6, 5)).shape == (3, 4, 6, 5)
    first = keras.Sequential(
        [keras.layers.Input((2, 6, 5)), keras.layers.Conv2D(4, 1, data_format="channels_first")]
    )
    assert KerasModule(first)(torch.ones(3, 2, 6, 5)).shape == (3, 4, 6, 5)


def test_moving_average_of_its_weights() -> None:
    """No module is copied, so this works where torch's own does not."""
    module = KerasModule(images_model())
    x = samples()
    module.eval()
    start = module(x).detach()
    mean = MovingAverage(module, 0.5, warm_up=False)
    with torch.no_grad():
        for each in module.parameters():
            each.add_(1.0)
    own = module(x).detach()
    with mean.applied():
        assert torch.equal(module(x), start)
    assert torch.equal(module(x), own)
    mean.update()
    kernel = mean.weights["5_dense.kernel"]
    torch.testing.assert_close(kernel, module.get_parameter("5_dense.kernel").detach() - 0.5)


def test_copies_are_refused() -> None:
    module = KerasModule(images_model())
    for copied in (copy.deepcopy, torch.optim.swa_utils.AveragedModel):
        with pytest.raises(InputError, match="expected no copy of a Keras model"):
            copied(module)


def test_other_weights_are_refused() -> None:
    module = KerasModule(images_model())
    x = samples()
    doubled = {name: each * 2 for name, each in module.named_parameters()}
    with pytest.raises(InputError, match=r"to be called with its own weights"):
        torch.func.functional_call(module, doubled, (x,))
    statistics = {name: each + 1 for name, each in module.named_buffers()}
    with pytest.raises(InputError, match=r"to be called with its own weights"):
        torch.func.functional_call(module, statistics, (x,))
    module(x)
    module.load_state_dict(module.state_dict(), assign=True)
    with pytest.raises(InputError, match=r"to be called with its own weights"):
        module(x)


@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
def test_compilation_is_refused() -> None:
    module = KerasModule(images_model())
    with pytest.raises(InputError, match="expected a Keras model not to be compiled"):
        torch.compile(module)(samples())
    module(samples())


@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
def test_export() -> None:
    module = KerasModule(images_model()).eval()
    x = samples()
    program = torch.export.export(module, (x,))
    torch.testing.assert_close(program.module()(x), module(x))


@pytest.mark.parametrize(
    "turn",
    [
        lambda module: module.double(),
        lambda module: module.half(),
        lambda module: module.to(torch.bfloat16),
        lambda module: module.to(device="cpu", dtype=torch.float64),
    ],
)
def test_other_types_are_refused(turn: Any) -> None:
    module = KerasModule(images_model())
    with pytest.raises(InputError, match="expected a Keras model to keep float32, got "):
        turn(module)
    assert all(each.dtype == torch.float32 for each in module.state_dict().values())
    module(samples())


def test_moves_keep_parameters_and_statistics_together() -> None:
    module = KerasModule(images_model())
    x = samples()
    # What a move to another device does: all numbers at another place.
    module._apply(lambda tensor: tensor.clone())
    module.train()
    module(x)
    kept = module.model.layers[1].moving_mean.numpy()
    np.testing.assert_array_equal(module.get_buffer("1_batchnormalization.moving_mean"), kept)
    assert kept.any()
    assert module.float() is module


@pytest.mark.parametrize("made", [images_model, nested_model])
def test_files(made: Any, tmp_path: Path) -> None:
    model = made()
    model.save(tmp_path / "model.keras")
    module = load_keras(tmp_path / "model.keras").eval()
    x = samples() if made is images_model else torch.randn(4, 5)
    assert torch.equal(module(x), load_keras(model).eval()(x))
    assert list(module.state_dict()) == list(KerasModule(model).state_dict())


def test_files_that_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.keras"
    with pytest.raises(InputError, match=r"there is none - at .*model\.keras"):
        load_keras(path)
    path.write_bytes(b"no archive")
    with pytest.raises(SchemaError, match=r"Keras cannot read it: .* - at .*model\.keras"):
        load_keras(path)


def test_code_of_a_file_is_not_run(tmp_path: Path) -> None:
    model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Lambda(lambda x: x * 2)])
    model.save(tmp_path / "model.keras")
    with pytest.raises(SchemaError, match="Keras cannot read it"):
        load_keras(tmp_path / "model.keras")


def test_models_that_are_refused() -> None:
    with pytest.raises(InputError, match="expected a Keras model, got Linear"):
        KerasModule(torch.nn.Linear(2, 2))
    with pytest.raises(InputError, match="expected a Keras model that is built"):
        KerasModule(keras.Sequential([keras.layers.Dense(3)]))
    inputs = [keras.Input((2,)), keras.Input((2,))]
    two = keras.Model(inputs, keras.layers.Add()(inputs))
    with pytest.raises(InputError, match="expected a Keras model of one input, got 2"):
        KerasModule(two)


def test_models_of_a_class() -> None:
    class Own(keras.Model):
        def __init__(self) -> None:
            super().__init__()
            self.first = keras.layers.Dense(4)
            self.second = keras.layers.Dense(2)
            self.scale = self.add_weight(shape=(1,), name="scale", initializer="ones")

        def call(self, x: Any) -> Any:
            return self.second(self.first(x)) * self.scale

    model = Own()
    model(torch.ones(1, 3))
    module = KerasModule(model)
    assert set(module.state_dict()) == {
        "0_dense.kernel",
        "0_dense.bias",
        "1_dense.kernel",
        "1_dense.bias",
        "scale",
    }
    assert torch.equal(module(torch.ones(2, 3)), model(torch.ones(2, 3)))
