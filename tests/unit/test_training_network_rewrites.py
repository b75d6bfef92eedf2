"""Rewrites: the same numbers to the last bit, and refusals where they are not."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from snellen.training.choices import Choice
from snellen.training.network.build import build_network
from snellen.training.network.rewrites import rewrite

SHAPE = (1, 12, 12)
BATCH_NORM = tuple(
    Choice.of(each)
    for each in (
        {"name": "conv", "out": 4},
        "batch_norm",
        "relu",
        {"name": "max_pool", "kernel": 3, "stride": 2, "padding": 1},
        {"name": "residual", "layers": [{"name": "conv", "out": 4}, "relu"]},
        "relu",
        "max_pool",
        "flatten",
        {"name": "dropout", "p": 0.2},
        "linear",
    )
)
CNN = Choice("cnn", {"widths": [4, 6], "hidden": [8]})


def batch(n: int = 16, shape: tuple[int, ...] = SHAPE) -> torch.Tensor:
    return torch.randn(n, *shape, generator=torch.Generator().manual_seed(1))


def trained(network: nn.Module, *, by_pixel: bool) -> tuple[list[float], dict[str, torch.Tensor]]:
    """Return the losses of 40 steps of Adam, and the weights after them."""
    torch.manual_seed(0)
    optimizer = torch.optim.Adam(network.parameters(), 1e-2)
    losses = []
    for step in range(40):
        inputs = torch.randn(16, *SHAPE, generator=torch.Generator().manual_seed(step % 2))
        if by_pixel:
            inputs = inputs.contiguous(memory_format=torch.channels_last)
        targets = (inputs[:, 0, :3, :3].sum((1, 2)) * 2).long() % 10
        loss = nn.functional.cross_entropy(network(inputs), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
    return losses, network.state_dict()


@pytest.mark.parametrize("by_pixel", [False, True])
@pytest.mark.parametrize("choice", [CNN, BATCH_NORM], ids=["cnn", "batch_norm"])
def test_forty_steps_of_adam_are_bit_equal(
    choice: Choice | tuple[Choice, ...], by_pixel: bool
) -> None:
    plain = build_network(choice, SHAPE, 10)
    other = build_network(choice, SHAPE, 10)
    fast, rewrites = rewrite(other, batch(), channels_last=by_pixel)
    assert [each.name for each in rewrites if each.taken] == [
        *(["channels last"] if by_pixel else []),
        "pool before relu",
        "relu in place",
    ]
    if by_pixel:
        plain = plain.to(memory_format=torch.channels_last)
    expected, weights = trained(plain, by_pixel=by_pixel)
    losses, found = trained(fast, by_pixel=by_pixel)
    assert losses == expected
    assert losses[-1] < losses[0]
    assert list(found) == list(weights)
    for key, value in weights.items():
        assert torch.equal(found[key], value), key


@pytest.mark.parametrize("seed", range(3))
def test_equal_pixels_do_not_keep_a_network_from_channels_last(seed: int) -> None:
    # Of stripes that repeat every third pixel, all windows of a row have the same sum: which of
    # them a pool takes is a matter of rounding, and no gradient of it can be compared.
    random = torch.Generator().manual_seed(seed)
    images = torch.randn(16, 3, 12, 3, generator=random).repeat(1, 1, 1, 4)
    network = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(288, 10)
    )
    with torch.no_grad():
        network[0].weight.copy_(torch.randn(8, 3, 3, 1, generator=random).expand(8, 3, 3, 3))
    _, rewrites = rewrite(network, images, channels_last=True)
    assert [(each.name, each.taken) for each in rewrites] == [
        ("channels last", True),
        ("pool before relu", True),
        ("relu in place", True),
    ], rewrites


def test_the_names_and_the_order_of_parameters_stay() -> None:
    network = build_network(CNN, SHAPE, 10)
    fast, _ = rewrite(network, batch())
    assert [name for name, _ in fast.named_children()][:6] == [
        "0_conv",
        "2_max_pool",
        "1_relu",
        "3_conv",
        "5_max_pool",
        "4_relu",
    ]
    assert [name for name, _ in fast.named_parameters()] == [
        name for name, _ in network.named_parameters()
    ]
    network.load_state_dict(fast.state_dict())
    # The structure that came stays, and shares its weights.
    assert [name for name, _ in network.named_children()][1:3] == ["1_relu", "2_max_pool"]
    assert not any(each.inplace for each in network.modules() if isinstance(each, nn.ReLU))
    for one, other in zip(network.parameters(), fast.parameters(), strict=True):
        assert one is other


def test_rewriting_leaves_everything_else_alone() -> None:
    network = build_network(BATCH_NORM, SHAPE, 10)
    before = {key: value.clone() for key, value in network.state_dict().items()}
    state = torch.get_rng_state()
    fast, rewrites = rewrite(network, batch(), channels_last=True)
    assert torch.equal(torch.get_rng_state(), state)
    assert fast.training
    assert all(each.grad is None for each in fast.parameters())
    for key, value in fast.state_dict().items():
        assert torch.equal(value, before[key])
    assert str(rewrites[1]) == (
        "pool before relu (3_max_pool, 6_max_pool): taken, bit-equal on 16 samples: outputs, "
        "gradients, buffers"
    )
    assert rewrites[0].proof.startswith("equal to rounding: by ")


def test_networks_of_a_user_are_rewritten_where_their_order_is_plain() -> None:
    class Users(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = nn.Sequential(nn.Conv2d(1, 3, 3), nn.ReLU(), nn.MaxPool2d(2))
            self.relu = nn.ReLU()
            self.head = nn.Linear(75, 2)

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            result: torch.Tensor = self.head(self.relu(self.body(inputs)).flatten(1))
            return result

    fast, rewrites = rewrite(Users(), batch())
    assert [(each.name, each.where) for each in rewrites] == [
        ("pool before relu", ("body.2",)),
        ("relu in place", ("body.1",)),
    ]
    assert list(fast.state_dict()) == ["body.0.weight", "body.0.bias", "head.weight", "head.bias"]


class _Remembers(nn.Module):
    """Uses what its first layer returned once more, behind the next."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(12, 12), nn.ReLU(), nn.Linear(12, 2), nn.ReLU())
        self.kept: list[torch.Tensor] = []
        self.layers[0].register_forward_hook(lambda _module, _inputs, out: self.kept.append(out))

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = self.layers(inputs)
        return result + self.kept.pop()[:, :2]

    def __deepcopy__(self, memo: dict[int, object]) -> _Remembers:
        made = _Remembers()
        for one, other in zip(made.layers, self.layers, strict=True):
            if isinstance(one, nn.Linear):
                one.weight = memo.get(id(other.weight), nn.Parameter(other.weight.detach().clone()))
                one.bias = memo.get(id(other.bias), nn.Parameter(other.bias.detach().clone()))
            elif isinstance(one, nn.ReLU):
                one.inplace = other.inplace
        return made


def test_what_changes_a_number_is_refused() -> None:
    network, rewrites = rewrite(_Remembers(), batch(shape=(12,)))
    assert [(each.where, each.taken) for each in rewrites] == [
        (("layers.1",), False),
        (("layers.3",), True),
    ]
    assert rewrites[0].proof.startswith("differs by")
    assert "not taken, differs by" in str(rewrites[0])
    assert [each.inplace for each in network.modules() if isinstance(each, nn.ReLU)] == [
        False,
        True,
    ]


def test_what_autograd_refuses_is_refused() -> None:
    class Exponential(nn.Conv2d):
        # Its gradient needs its result.
        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            return super().forward(inputs).exp()

    network = nn.Sequential(Exponential(1, 2, 3), nn.ReLU())
    _, rewrites = rewrite(network, batch())
    assert [each.taken for each in rewrites] == [False]
    assert "modified by an inplace operation" in rewrites[0].proof


def test_a_memory_format_that_a_network_does_not_bear_is_refused() -> None:
    class Views(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(1, 2, 3)

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            found: torch.Tensor = self.conv(inputs)
            return found.view(len(inputs), -1)

    network, rewrites = rewrite(Views(), batch(), channels_last=True)
    assert [(each.name, each.taken) for each in rewrites] == [("channels last", False)]
    assert rewrites[0].proof.startswith("fails: view size is not compatible")
    assert network(batch()).shape == (16, 200)


def test_what_is_not_before_a_pool_stays() -> None:
    layers = tuple(
        Choice.of(each)
        for each in ({"name": "conv", "out": 2}, "tanh", "max_pool", "relu", "avg_pool", "flatten")
    )
    network = build_network((*layers, Choice("linear")), SHAPE, 10)
    _, rewrites = rewrite(network, batch())
    assert [(each.name, each.where) for each in rewrites] == [("relu in place", ("3_relu",))]
    empty = nn.Sequential(nn.Flatten(), nn.Linear(144, 2))
    assert rewrite(empty, batch(), channels_last=True)[1] == []
