"""Networks of layers as Keras models: equal outputs, equal training, and files."""

from __future__ import annotations

import copy
import os
import re
from typing import TYPE_CHECKING, Any

os.environ.setdefault("KERAS_BACKEND", "torch")

import keras
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from snellen.errors import InputError
from snellen.training.choices import Choice
from snellen.training.keras import KerasModule, load_keras, to_keras
from snellen.training.network.build import build_network
from snellen.training.network.layer_kinds import LAYERS
from snellen.training.network.rewrites import rewrite

if TYPE_CHECKING:
    from pathlib import Path

# Keras' torch backend makes NumPy arrays of tensors in a way that NumPy 2 warns of.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

LAYOUTS = ("channels_last", "channels_first")


def layer(name: str, **options: Any) -> Any:
    return {"name": name, **options}


IMAGE_LAYERS: list[Any] = [
    layer("conv", out=4),
    layer("conv", out=4, stride=2),
    layer("conv", out=4, kernel=5, padding=1, dilation=2),
    layer("conv", out=4, kernel=2, padding=0, bias=False),
    layer("conv", out=6, groups=2),
    layer("conv", out=4, kernel=[3, 5], stride=[1, 2]),
    layer("depthwise", multiplier=2),
    layer("separable", out=5),
    layer("transposed_conv", out=3),
    layer("transposed_conv", out=3, kernel=3, stride=2, padding=1, output_padding=1),
    layer("transposed_conv", out=3, kernel=1, stride=2),
    layer("batch_norm"),
    layer("batch_norm", affine=False),
    layer("layer_norm"),
    layer("layer_norm", affine=False),
    layer("group_norm", groups=2),
    layer("instance_norm"),
    "relu",
    "relu6",
    "leaky_relu",
    "prelu",
    "gelu",
    layer("gelu", approximate="tanh"),
    "silu",
    "elu",
    "selu",
    "tanh",
    "sigmoid",
    "softmax",
    layer("softplus", beta=2),
    "max_pool",
    layer("max_pool", kernel=3, stride=2, padding=1),
    layer("avg_pool", kernel=3, stride=2, padding=1),
    layer("adaptive_avg_pool", size=2),
    layer("adaptive_max_pool", size=[4, 2]),
    "up",
    layer("up", mode="bilinear"),
    "dropout",
    "dropout2d",
    "squeeze_excite",
    layer("residual", layers=[layer("conv", out=4), "batch_norm", "relu"]),
    layer("residual", layers=[layer("conv", out=6, stride=2), "batch_norm"]),
    layer("skip", layers=[layer("conv", out=2)]),
]
PLAIN_LAYERS: list[Any] = [
    layer("linear", out=5),
    "relu",
    "batch_norm",
    "layer_norm",
    layer("group_norm", groups=2),
    "softmax",
    "softplus",
    "prelu",
    layer("residual", layers=[layer("linear", out=6)]),
    layer("skip", layers=[layer("linear", out=6)]),
]
HEADS = {"flatten": ["flatten", "linear"], "mean": ["global_avg_pool", "linear"]}


def network(layers: Any, shape: tuple[int, ...], n_outputs: int = 3, **options: Any) -> Any:
    choice = (
        Choice(layers) if isinstance(layers, str) else tuple(Choice.of(each) for each in layers)
    )
    return build_network(choice, shape, n_outputs, initialisation=Choice("auto"), **options)


def changed(net: nn.Module) -> nn.Module:
    """Return the network with other weights everywhere, statistics too: none is 0 or 1."""
    drawn = torch.Generator().manual_seed(3)
    with torch.no_grad():
        for tensor in (*net.parameters(), *net.buffers()):
            if tensor.is_floating_point():
                tensor.add_(torch.rand(tensor.shape, generator=drawn) * 0.5)
    return net


def samples(shape: tuple[int, ...], n: int = 6) -> torch.Tensor:
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(4))


def laid_out(images: torch.Tensor, layout: str) -> np.ndarray:
    last = layout == "channels_last" and images.ndim == 4
    return (images.permute(0, 2, 3, 1) if last else images).numpy()


def check_equal(net: nn.Module, model: Any, inputs: torch.Tensor, layout: str) -> None:
    for training in (False, True):
        net.train(training)
        with torch.no_grad():
            wanted = copy.deepcopy(net)(inputs)
            got = model(laid_out(inputs, layout), training=training)
        np.testing.assert_allclose(got, laid_out(wanted, layout), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", IMAGE_LAYERS, ids=str)
def test_layers_of_images(kind: Any, layout: str) -> None:
    net = changed(network([kind, *HEADS["flatten"]], (4, 8, 8)))
    model = to_keras(net, layout=layout)
    assert net.training
    if not str(kind).startswith("dropout"):
        check_equal(net, model, samples((4, 8, 8)), layout)
    assert model.count_params() == sum(
        each.numel()
        for name, each in net.state_dict().items()
        if not name.endswith("num_batches_tracked")
    )


@pytest.mark.parametrize("kind", PLAIN_LAYERS, ids=str)
def test_layers_of_features(kind: Any) -> None:
    net = changed(network([kind, "linear"], (4,)))
    check_equal(net, to_keras(net), samples((4,)), "channels_first")


def test_all_kinds_of_layers_are_tried() -> None:
    tried = {each if isinstance(each, str) else each["name"] for each in IMAGE_LAYERS}
    tried |= {each if isinstance(each, str) else each["name"] for each in PLAIN_LAYERS}
    tried |= {"flatten", "global_avg_pool", "global_max_pool"}  # in networks
    assert tried == set(LAYERS)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_global_pools(layout: str) -> None:
    for kind in ("global_avg_pool", "global_max_pool"):
        net = changed(network([kind, "linear"], (4, 5, 6)))
        check_equal(net, to_keras(net, layout=layout), samples((4, 5, 6)), layout)


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("fc", (1, 12, 12)),
        ("cnn", (1, 12, 12)),
        ("resnet_small", (3, 16, 16)),
        ("cnn_fast", (1, 16, 16)),
    ],
)
def test_networks_by_name_and_their_files(
    name: str, shape: tuple[int, ...], tmp_path: Path
) -> None:
    net = changed(network(name, shape)).eval()
    model = to_keras(net)
    model.save(tmp_path / "model.keras")
    loaded = load_keras(tmp_path / "model.keras").eval()
    x = samples(shape, 4)
    # Images as anywhere in Snellen, although the model takes channels last.
    with torch.no_grad():
        torch.testing.assert_close(loaded(x), net(x), rtol=1e-5, atol=1e-5)
    assert sum(each.numel() for each in loaded.parameters()) == sum(
        each.numel() for each in net.parameters()
    )


def test_maps_come_back_as_images(tmp_path: Path) -> None:
    net = changed(network("unet_small", (3, 16, 16), 4, task="segmentation")).eval()
    to_keras(net).save(tmp_path / "model.keras")
    x = samples((3, 16, 16), 2)
    with torch.no_grad():
        got = load_keras(tmp_path / "model.keras").eval()(x)
        assert got.shape == (2, 4, 16, 16)
        torch.testing.assert_close(got, net(x), rtol=1e-4, atol=1e-4)


def test_layers_without_a_keras_class_are_saved_too(tmp_path: Path) -> None:
    kinds = [layer("gelu", approximate="tanh"), layer("max_pool", kernel=3, padding=1)]
    net = changed(network([*kinds, *HEADS["flatten"]], (2, 6, 6))).eval()
    to_keras(net).save(tmp_path / "model.keras")
    x = samples((2, 6, 6)) - 3
    with torch.no_grad():
        got = load_keras(tmp_path / "model.keras").eval()(x)
        torch.testing.assert_close(got, net(x), rtol=1e-5, atol=1e-5)


def test_rewritten_networks_are_exported_as_they_run() -> None:
    net = network("cnn", (1, 12, 12))
    x = samples((1, 12, 12), 8)
    rewritten, rewrites = rewrite(net, x)
    assert any(each.taken for each in rewrites)
    check_equal(rewritten, to_keras(rewritten), x, "channels_last")


def test_weights_are_copied() -> None:
    net = network("fc", (6,))
    model = to_keras(net)
    before = model.get_weights()
    changed(net)
    for mine, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(mine, then)


def test_refused() -> None:
    class Own(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x

    with pytest.raises(InputError, match=r"Keras has, too, got Own: .* - at 0"):
        to_keras(nn.Sequential(Own()), (3,))
    with pytest.raises(InputError, match="expected input_shape"):
        to_keras(nn.Sequential(nn.Linear(3, 3)))
    odd = network([layer("adaptive_avg_pool", size=3), *HEADS["flatten"]], (4, 8, 8))
    with pytest.raises(
        InputError, match=re.escape("(8, 8) pixels made (3, 3), which does not divide them")
    ):
        to_keras(odd)


def test_a_layer_that_computes_something_else_is_noticed() -> None:
    class Doubled(nn.ReLU):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return 2 * x

    with pytest.raises(InputError, match="expected Keras to compute what the network does"):
        to_keras(nn.Sequential(Doubled()), (3,))


def batches(n_steps: int, shape: tuple[int, ...]) -> list[tuple[torch.Tensor, torch.Tensor]]:
    drawn = torch.Generator().manual_seed(5)
    made = []
    for _ in range(n_steps):
        y = torch.randint(0, 3, (16,), generator=drawn)
        x = torch.randn(16, *shape, generator=drawn) + y[:, None, None, None] - 1
        made.append((x, y))
    return made


OPTIMIZERS: dict[str, Any] = {
    "sgd": (
        lambda p: torch.optim.SGD(p, lr=0.05),
        lambda: keras.optimizers.SGD(learning_rate=0.05),
    ),
    "nesterov": (
        lambda p: torch.optim.SGD(p, lr=0.005, momentum=0.9, nesterov=True),
        lambda: keras.optimizers.SGD(learning_rate=0.005, momentum=0.9, nesterov=True),
    ),
    # Keras divides by sqrt(v / (1 - b2^t)) + eps / sqrt(1 - b2^t), torch by sqrt(v / …) + eps: with
    # an eps far below all gradients the two are one.
    "adam": (
        lambda p: torch.optim.Adam(p, lr=3e-4, eps=1e-10),
        lambda: keras.optimizers.Adam(learning_rate=3e-4, epsilon=1e-10),
    ),
}


@pytest.mark.parametrize("optimizer", list(OPTIMIZERS))
@pytest.mark.parametrize("name", ["cnn", "normalised"])
def test_fifty_steps_have_the_same_losses(name: str, optimizer: str) -> None:
    shape = (1, 12, 12)
    layers = [layer("conv", out=6), "batch_norm", "relu", "max_pool", *HEADS["flatten"]]
    net = network(layers if name == "normalised" else "cnn", shape)
    model = to_keras(net)
    ours, theirs = OPTIMIZERS[optimizer]
    step = ours(net.parameters())
    model.compile(
        theirs(),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    for x, y in batches(50, shape):
        loss = functional.cross_entropy(net(x), y)
        step.zero_grad()
        loss.backward()
        step.step()
        # Keras adds up the losses of an epoch: each alone.
        model.reset_metrics()
        other = model.train_on_batch(laid_out(x, "channels_last"), y.numpy())
        assert loss.item() == pytest.approx(float(other), rel=1e-5, abs=1e-5)
    assert loss.item() < 0.9  # from about ln 3 = 1.1: something is learnt


def test_an_epoch_of_fit_gives_the_same_weights() -> None:
    shape = (1, 12, 12)
    net = network("cnn", shape)
    model = to_keras(net)
    step = torch.optim.SGD(net.parameters(), lr=0.005)
    steps = batches(20, shape)
    for x, y in steps:
        step.zero_grad()
        functional.cross_entropy(net(x), y).backward()
        step.step()
    model.compile(
        keras.optimizers.SGD(learning_rate=0.005),
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        jit_compile=False,
    )
    x = torch.cat([x for x, _ in steps])
    y = torch.cat([y for _, y in steps])
    model.fit(laid_out(x, "channels_last"), y.numpy(), batch_size=16, shuffle=False, verbose=0)
    check_equal(net, model, x[:8], "channels_last")


def test_epsilon_of_adam() -> None:
    """For torch a step is lr g / (g + eps), for Keras lr g / (g + eps / sqrt(1 - b2^t))."""
    g, eps, lr, b2 = 1e-3, 1e-6, 0.05, 0.999
    weight = torch.nn.Parameter(torch.tensor([0.0]))
    ours = torch.optim.Adam([weight], lr=lr, eps=eps)
    variable = keras.Variable([0.0])
    theirs = keras.optimizers.Adam(learning_rate=lr, epsilon=eps)
    theirs.build([variable])
    for _ in range(5):
        weight.grad = torch.tensor([g])
        ours.step()
        theirs.apply([keras.ops.convert_to_tensor([g])])
    assert float(weight.detach()) == pytest.approx(-5 * lr * g / (g + eps), rel=1e-5)
    wanted = -sum(lr * g / (g + eps / (1 - b2**t) ** 0.5) for t in range(1, 6))
    assert float(variable.numpy()[0]) == pytest.approx(wanted, rel=1e-5)
    assert wanted != pytest.approx(-5 * lr * g / (g + eps), rel=1e-2)


def test_the_model_trains_as_a_torch_module() -> None:
    """The export taken back: the same losses in a loop of torch's own."""
    shape = (1, 12, 12)
    net = network("cnn", shape)
    back = KerasModule(to_keras(net))
    steps = [torch.optim.SGD(each.parameters(), lr=0.05) for each in (net, back)]
    for x, y in batches(10, shape):
        losses = []
        for each, step in zip((net, back), steps, strict=True):
            loss = functional.cross_entropy(each(x), y)
            step.zero_grad()
            loss.backward()
            step.step()
            losses.append(loss.item())
        assert losses[0] == pytest.approx(losses[1], rel=1e-5)
