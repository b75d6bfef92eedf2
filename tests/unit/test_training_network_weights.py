"""First weights."""

from __future__ import annotations

import inspect
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from snellen.errors import InputError, SchemaError
from snellen.training.choices import Choice
from snellen.training.network.build import build_network
from snellen.training.network.initialisation import INITIALISATIONS, initialise


def deep(n_layers: int = 20, width: int = 256) -> nn.Sequential:
    parts = [part for _ in range(n_layers) for part in (nn.Linear(width, width), nn.ReLU())]
    return nn.Sequential(*parts, nn.Linear(width, 2))


@pytest.mark.parametrize("name", ["he_normal", "he_uniform", "auto"])
def test_he_keeps_the_mean_square_through_twenty_layers(name: str) -> None:
    network = deep()
    initialise(network, Choice(name), seed=0)
    inputs = torch.randn(256, 256, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        # Each layer doubles the mean square that ReLU halves. Over 20 layers of 256 units its
        # logarithm has the spread √(20 · 5 / 256) = 0.6.
        assert 0.25 < network[:-1](inputs).square().mean() < 4
        initialise(network, Choice("torch"), seed=0)
        # torch's 1/(3 fan_in) leaves a sixth a layer; biases keep it from nothing.
        assert network[:-1](inputs).square().mean() < 0.01


@pytest.mark.parametrize(
    ("name", "options", "variance"),
    [
        # A convolution of 64 to 32 channels, 3 × 3: fan_in 576, fan_out 288.
        ("he_normal", {}, 2 / 576),
        ("he_normal", {"mode": "fan_out"}, 2 / 288),
        ("he_uniform", {}, 2 / 576),
        ("glorot_normal", {}, 2 / 864),
        ("glorot_uniform", {"gain": 2.0}, 8 / 864),
        ("lecun_normal", {}, 1 / 576),
        ("lecun_uniform", {}, 1 / 576),
        ("normal", {"std": 0.3}, 0.09),
        ("uniform", {"bound": 0.3}, 0.03),
        ("torch", {}, 1 / (3 * 576)),
    ],
)
def test_variances(name: str, options: dict[str, Any], variance: float) -> None:
    layer = nn.Conv2d(64, 32, 3)
    initialise(layer, Choice(name, options), seed=0)
    # 18,432 numbers: the variance of a sample is within 4 % nearly always.
    assert float(layer.weight.detach().var()) == pytest.approx(variance, rel=0.06)
    if "uniform" in name or name == "torch":
        bound = math.sqrt(3 * variance)
        assert 0.99 * bound < float(layer.weight.detach().abs().max()) <= bound
    assert bool(layer.bias.detach().any()) == (name == "torch")


def test_orthogonal() -> None:
    layer = nn.Linear(8, 5)
    initialise(layer, Choice("orthogonal", {"gain": 2.0}), seed=0)
    product = layer.weight.detach() @ layer.weight.detach().T
    assert torch.allclose(product, 4 * torch.eye(5), atol=1e-5)


def test_fans_of_transposed_and_grouped_convolutions() -> None:
    # Of 16 × 16 numbers of the window, stride 2 brings a quarter to each result.
    up = nn.ConvTranspose2d(32, 16, 4, stride=2, bias=False)
    initialise(up, Choice("he_normal"), seed=0)
    inputs = torch.randn(4, 32, 16, 16, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        inner = up(inputs)[:, :, 4:-4, 4:-4]
    assert float(inner.var()) == pytest.approx(2, rel=0.15)
    alone = nn.Conv2d(64, 64, 3, groups=64)
    initialise(alone, Choice("lecun_normal"), seed=0)
    assert float(alone.weight.detach().var()) == pytest.approx(1 / 9, rel=0.2)


def test_auto_looks_at_the_activation_that_follows() -> None:
    parts = [nn.Linear(400, 400), nn.Tanh(), nn.Linear(400, 400), nn.SELU(), nn.Linear(400, 400)]
    network = nn.Sequential(*parts, nn.ReLU(), nn.Linear(400, 400))
    initialise(network, Choice("auto"), seed=0)
    variances = [float(each.weight.detach().var()) * 400 for each in network[::2]]
    assert variances == pytest.approx([1, 1, 2, 0.01], rel=0.03)


@pytest.mark.parametrize("name", ["fc", "cnn", "cnn_fast", "resnet_small"])
def test_the_first_loss_is_near_that_of_a_guess(name: str) -> None:
    network = build_network(Choice(name), (1, 28, 28), 10)
    inputs = torch.randn(64, 1, 28, 28, generator=torch.Generator().manual_seed(0))
    targets = torch.arange(64) % 10
    with torch.no_grad():
        loss = nn.functional.cross_entropy(network(inputs), targets)
    assert float(loss) == pytest.approx(math.log(10), rel=0.15)


def test_a_seed_is_all_that_weights_depend_on() -> None:
    def weights(seed: int, *plain: Any) -> dict[str, torch.Tensor]:
        layers = tuple(Choice.of(each) for each in plain)
        return build_network(layers, (6,), 3, seed=seed).state_dict()

    linear = {"name": "linear", "out": 6}
    torch.manual_seed(8)
    state = torch.get_rng_state()
    first = weights(0, linear, "relu", "linear")
    assert torch.equal(torch.get_rng_state(), state)
    torch.manual_seed(9)
    assert torch.equal(
        weights(0, linear, "relu", "linear")["0_linear.weight"], first["0_linear.weight"]
    )
    assert not torch.equal(
        weights(1, linear, "relu", "linear")["0_linear.weight"], first["0_linear.weight"]
    )
    # A layer more leaves the weights of the others as they are.
    longer = weights(0, linear, "relu", linear, "linear")
    assert torch.equal(longer["0_linear.weight"], first["0_linear.weight"])


def test_what_is_refused() -> None:
    with pytest.raises(InputError, match='Did you mean "he_normal"'):
        initialise(nn.ReLU(), Choice("he_norml"), seed=0)
    with pytest.raises(SchemaError, match="expected an option of he_normal"):
        initialise(nn.Linear(2, 2), Choice("he_normal", {"std": 1.0}), seed=0)
    for name, option in (("normal", "std"), ("uniform", "bound"), ("orthogonal", "gain")):
        for value in (0.0, -1.0, math.nan):
            with pytest.raises(InputError, match=f"expected {option} above 0, got .* - at here"):
                initialise(nn.Linear(2, 2), Choice(name, {option: value}, "here"), seed=0)


def test_the_reference_lists_every_initialisation() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "layers.md").read_text("utf-8")
    rows = "".join(line for line in page.splitlines() if line.startswith("| `"))
    for name, function in INITIALISATIONS.items():
        options = list(inspect.signature(function).parameters)[1:]
        assert all(f"`{each}`" in rows for each in (name, *options)), name


@pytest.mark.parametrize("name", INITIALISATIONS)
def test_each_is_finite_and_seeded(name: str) -> None:
    first, again = nn.Conv2d(2, 4, 3), nn.Conv2d(2, 4, 3)
    initialise(first, Choice(name), seed=4)
    initialise(again, Choice(name), seed=4)
    assert torch.equal(first.weight, again.weight)
    assert torch.equal(first.bias, again.bias)
    assert bool(first.weight.isfinite().all())
