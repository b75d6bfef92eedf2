from __future__ import annotations

import cmath
import io
import math

import pytest
import torch
from torch import nn

from snellen.errors import InputError, SchemaError
from snellen.training.choices import Choice
from snellen.training.optimizers import OPTIMIZERS, make_optimizer
from snellen.training.parameter_groups import hidden_matrices, undecayed_names

EXACT = 3e-15


class Numbers(nn.Module):
    """A network of a few numbers, whose gradients are set by hand."""

    def __init__(self, *start: float) -> None:
        super().__init__()
        self.x = nn.Parameter(torch.tensor(start, dtype=torch.float64))


def path(
    name: str, gradient: object, n: int, start: float = 1.0, rate: float = 0.05, **options: object
) -> list[float]:
    """Return x after each of n updates; the gradient is a number, or a function of x."""
    network = Numbers(start)
    optimizer = make_optimizer(Choice(name, options), network, learning_rate=rate)
    found = [start]
    for _ in range(n):
        slope = gradient(found[-1]) if callable(gradient) else gradient
        network.x.grad = torch.tensor([slope], dtype=torch.float64)
        optimizer.step()
        found.append(network.x.item())
    return found


def furthest(found: list[float], expected: list[float]) -> float:
    assert len(found) == len(expected)
    return max(abs(a - b) for a, b in zip(found, expected, strict=True))


def test_gradient_descent_on_a_parabola() -> None:
    # a x² / 2: each step multiplies x by 1 - lr a.
    rate, a = 0.05, 3.0
    found = path("sgd", lambda x: a * x, 40, rate=rate)
    assert furthest(found, [(1 - rate * a) ** t for t in range(41)]) <= EXACT


def test_heavy_ball_on_a_parabola() -> None:
    # x_{t+1} = (1 + mu - lr a) x_t - mu x_{t-1}, as a sum of the powers of two roots.
    rate, a, mu = 0.05, 3.0, 0.9
    trace = 1 + mu - rate * a
    root = cmath.sqrt(trace**2 - 4 * mu)
    one, two = (trace + root) / 2, (trace - root) / 2
    first = (1 - rate * a - two) / (one - two)  # x_0 = 1, x_1 = 1 - lr a
    expected = [(first * one**t + (1 - first) * two**t).real for t in range(41)]
    found = path("sgd", lambda x: a * x, 40, rate=rate, momentum=mu)
    assert furthest(found, expected) <= EXACT


def test_nesterov_on_a_parabola() -> None:
    # v = mu v + g; x = x - lr (g + mu v).
    rate, a, mu = 0.05, 3.0, 0.9
    x, v, expected = 1.0, 0.0, [1.0]
    for _ in range(40):
        g = a * x
        v = mu * v + g
        x -= rate * (g + mu * v)
        expected.append(x)
    found = path("sgd", lambda x: a * x, 40, rate=rate, momentum=mu, nesterov=True)
    assert furthest(found, expected) <= EXACT


@pytest.mark.parametrize("g", [1.0, -0.3, 1e-3, 1e-7])
def test_adam_of_a_constant_gradient(g: float) -> None:
    # Both running means are unbiased: g and g². So each step is lr g / (|g| + eps).
    expected = [1 - t * 0.05 * g / (abs(g) + 1e-8) for t in range(21)]
    assert furthest(path("adam", g, 20), expected) <= EXACT


def test_adamw_without_gradient_only_decays() -> None:
    found = path("adamw", 0.0, 40, weight_decay=0.1, decay_all=True)
    assert furthest(found, [(1 - 0.05 * 0.1) ** t for t in range(41)]) <= EXACT


def test_coupled_decay_is_part_of_the_gradient() -> None:
    found = path("sgd", 0.0, 40, weight_decay=0.1, decay_all=True)
    assert furthest(found, [(1 - 0.05 * 0.1) ** t for t in range(41)]) <= EXACT


def test_rmsprop_of_a_constant_gradient() -> None:
    # The mean square after t steps is (1 - alpha^t) g².
    g, alpha, eps, expected = 0.3, 0.9, 1e-8, [1.0]
    for t in range(1, 21):
        expected.append(expected[-1] - 0.05 * g / (math.sqrt(1 - alpha**t) * g + eps))
    assert furthest(path("rmsprop", g, 20, alpha=alpha, eps=eps), expected) <= EXACT


def test_adagrad_of_a_constant_gradient() -> None:
    # The sum of squares after t steps is t g².
    expected = [1.0]
    for t in range(1, 21):
        expected.append(expected[-1] - 0.05 / math.sqrt(t))
    assert furthest(path("adagrad", 0.3, 20, eps=0.0), expected) <= EXACT


def test_adamax_of_a_constant_gradient() -> None:
    found = path("adamax", 0.3, 20, eps=0.0)
    assert furthest(found, [1 - 0.05 * t for t in range(21)]) <= EXACT


def test_adadelta_takes_its_first_step_of_the_size_of_eps() -> None:
    # sqrt(eps) / sqrt(0.1 g² + eps) × g
    g, eps = 0.3, 1e-6
    first = math.sqrt(eps) / math.sqrt(0.1 * g * g + eps) * g
    assert path("adadelta", g, 1, rate=1.0)[1] == pytest.approx(1 - first, abs=EXACT)


def a_network(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Conv2d(2, 4, 3),
        nn.BatchNorm2d(4),
        nn.Conv2d(4, 3, 3, bias=False),
        nn.LayerNorm([3, 2, 2]),
        nn.Flatten(),
        nn.Linear(12, 5),
        nn.Linear(5, 3),
    ).double()


def trained(
    network: nn.Module, optimizer: torch.optim.Optimizer, n: int, first: int = 0
) -> list[torch.Tensor]:
    for step in range(first, first + n):
        drawn = torch.Generator().manual_seed(step)
        inputs = torch.randn(8, 2, 6, 6, generator=drawn, dtype=torch.float64)
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(inputs), torch.arange(8) % 3).backward()
        optimizer.step()
    return [each.detach().clone() for each in network.parameters()]


PEERS = {
    "sgd": (torch.optim.SGD, {"momentum": 0.9, "nesterov": True}),
    "adam": (torch.optim.Adam, {"betas": (0.8, 0.95), "amsgrad": True}),
    "adamw": (torch.optim.AdamW, {"weight_decay": 0.0}),
    "nadam": (torch.optim.NAdam, {}),
    "radam": (torch.optim.RAdam, {}),
    "adamax": (torch.optim.Adamax, {}),
    "rmsprop": (torch.optim.RMSprop, {"momentum": 0.9, "centered": True}),
    "adagrad": (torch.optim.Adagrad, {"lr_decay": 0.01}),
    "adadelta": (torch.optim.Adadelta, {}),
}


@pytest.mark.parametrize("name", PEERS)
def test_options_reach_torch(name: str) -> None:
    kind, options = PEERS[name]
    ours, theirs = a_network(), a_network()
    mine = make_optimizer(Choice(name, options), ours, learning_rate=0.01)
    reference = kind(theirs.parameters(), lr=0.01, **options)
    for a, b in zip(trained(ours, mine, 6), trained(theirs, reference, 6), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("name", ["sgd", "adam", "adamw", "adagrad", "muon"])
def test_fused_is_the_same_function(name: str) -> None:
    plain, fused = a_network(), a_network()
    for network in (plain, fused):
        optimizer = make_optimizer(
            Choice(name, {"weight_decay": 0.01}),
            network,
            learning_rate=0.01,
            fused=network is fused,
        )
        drawn = torch.Generator().manual_seed(1)
        for _ in range(20):
            for each in network.parameters():
                each.grad = torch.randn(each.shape, generator=drawn, dtype=torch.float64)
            optimizer.step()
        assert bool(optimizer.param_groups[-1]["fused"]) == (network is fused)
    for a, b in zip(plain.parameters(), fused.parameters(), strict=True):
        assert (a - b).abs().max() <= EXACT


@pytest.mark.parametrize("name", ["rmsprop", "nadam", "adamax"])
def test_fused_is_plain_where_torch_has_none(name: str) -> None:
    optimizer = make_optimizer(Choice(name), a_network(), learning_rate=0.01, fused=True)
    assert not optimizer.param_groups[0].get("fused")


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("fused", [False, True])
def test_a_state_resumes_bit_for_bit(name: str, fused: bool) -> None:
    choice = Choice(name, {"weight_decay": 0.01})
    network = a_network()
    optimizer = make_optimizer(choice, network, learning_rate=0.01, fused=fused)
    trained(network, optimizer, 4)
    kept = io.BytesIO()
    torch.save({"network": network.state_dict(), "optimizer": optimizer.state_dict()}, kept)
    expected = trained(network, optimizer, 4, first=4)

    kept.seek(0)
    state = torch.load(kept, weights_only=True)
    again = a_network(seed=1)
    resumed = make_optimizer(choice, again, learning_rate=0.01, fused=fused)
    again.load_state_dict(state["network"])
    resumed.load_state_dict(state["optimizer"])
    for a, b in zip(expected, trained(again, resumed, 4, first=4), strict=True):
        assert torch.equal(a, b)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_rate_that_a_schedule_takes_parts_of(name: str) -> None:
    network = a_network()
    optimizer = make_optimizer(Choice(name), network, learning_rate=0.25)
    before = [each.detach().clone() for each in network.parameters()]
    for group in optimizer.param_groups:
        assert group["initial_lr"] == group["lr"] == 0.25
        group["lr"] = group["initial_lr"] * 0.0
    for a, b in zip(before, trained(network, optimizer, 1), strict=True):
        assert torch.equal(a, b)


def test_biases_and_normalisations_do_not_decay() -> None:
    network = a_network()
    assert undecayed_names(network) == {
        "0.bias", "1.weight", "1.bias", "3.weight", "3.bias", "5.bias", "6.bias",
    }  # fmt: skip
    optimizer = make_optimizer(Choice("adamw", {"weight_decay": 0.1}), network, learning_rate=0.5)
    before = {name: each.detach().clone() for name, each in network.named_parameters()}
    for each in network.parameters():
        each.grad = torch.zeros_like(each)
    optimizer.step()
    for name, each in network.named_parameters():
        factor = 1 if name in undecayed_names(network) else 1 - 0.5 * 0.1
        assert torch.allclose(each, before[name] * factor, rtol=1e-15, atol=0)
    assert [(group["name"], group["weight_decay"]) for group in optimizer.param_groups] == [
        ("decayed", 0.1),
        ("undecayed", 0.0),
    ]


def test_a_network_names_others_that_do_not_decay() -> None:
    class Own(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.position = nn.Parameter(torch.ones(2, 3))
            self.weight = nn.Parameter(torch.ones(2, 3))

        def no_weight_decay(self) -> set[str]:
            return {"position"}

    groups = make_optimizer(
        Choice("sgd", {"weight_decay": 0.1}), Own(), learning_rate=0.1
    ).param_groups
    assert [len(group["params"]) for group in groups] == [1, 1]
    assert torch.equal(groups[1]["params"][0], torch.ones(2, 3))


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_frozen_weights_stay_and_shared_ones_are_once(name: str) -> None:
    network = a_network()
    frozen = network[5].weight.requires_grad_(False)
    before = frozen.clone()
    choice = Choice(name, {"weight_decay": 0.1, "decay_all": True})
    optimizer = make_optimizer(choice, network, learning_rate=0.01)
    trained(network, optimizer, 2)
    assert torch.equal(frozen, before)
    taken = [id(each) for group in optimizer.param_groups for each in group["params"]]
    assert sorted(taken) == sorted(id(each) for each in network.parameters())

    tied = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 3))
    tied[2].weight = tied[0].weight
    groups = make_optimizer(choice, tied, learning_rate=0.01).param_groups
    assert sum(len(group["params"]) for group in groups) == 3


def test_hidden_matrices() -> None:
    assert hidden_matrices(a_network()) == ["0.weight", "2.weight", "5.weight"]
    assert hidden_matrices(nn.Linear(3, 2)) == []
    assert hidden_matrices(nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten())) == []


def test_whole_number_weights_are_left_out() -> None:
    network = nn.Linear(2, 2)
    network.seed = nn.Parameter(torch.tensor([1, 2]), requires_grad=False)
    optimizer = make_optimizer(Choice("adam"), network, learning_rate=0.1)
    assert len(optimizer.param_groups[0]["params"]) == 2


PLACE = "a.toml line 4 optimizer"


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("sgd", {"momentum": -0.9}, "expected momentum from 0 and below 1, got -0.9"),
        ("sgd", {"momentum": math.nan}, "expected momentum from 0 and below 1, got nan"),
        ("sgd", {"weight_decay": -1.0}, "expected weight_decay from 0, got -1"),
        ("sgd", {"weight_decay": math.inf}, "expected weight_decay from 0, got inf"),
        ("sgd", {"nesterov": True}, "expected momentum above 0 and no dampening with nesterov"),
        ("adam", {"betas": [0.9, 1.0]}, "expected betas from 0 and below 1, got 1"),
        ("adam", {"eps": -1e-8}, "expected eps from 0, got -1e-08"),
        ("rmsprop", {"alpha": 1.5}, "expected alpha from 0 and below 1, got 1.5"),
        ("adagrad", {"lr_decay": -1}, "expected lr_decay from 0, got -1"),
        ("adadelta", {"rho": -0.1}, "expected rho from 0 and below 1, got -0.1"),
        ("nadam", {"momentum_decay": math.nan}, "expected momentum_decay from 0, got nan"),
        ("muon", {"steps": 0}, "expected steps from 1, got 0"),
        ("muon", {"adam_learning_rate": 0.0}, "expected adam_learning_rate above 0, got 0"),
        ("adm", {}, 'expected an optimizer, got "adm". Did you mean "adam"?'),
    ],
)
def test_refused_in_one_line(name: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as error:
        make_optimizer(Choice(name, options, PLACE), a_network(), learning_rate=0.1)
    assert str(error.value).startswith(message)
    assert str(error.value).endswith(f" - at {PLACE}")
    assert "\n" not in str(error.value)


def test_options_that_an_optimizer_does_not_have() -> None:
    with pytest.raises(SchemaError, match='Did you mean "momentum"'):
        make_optimizer(Choice("sgd", {"momentun": 0.9}), a_network(), learning_rate=0.1)
    with pytest.raises(SchemaError, match="length 2"):
        make_optimizer(Choice("adam", {"betas": [0.9]}), a_network(), learning_rate=0.1)
    with pytest.raises(SchemaError, match="invalid enum value 'big'"):
        make_optimizer(Choice("muon", {"scale": "big"}), a_network(), learning_rate=0.1)


@pytest.mark.parametrize("rate", [0.0, -0.1, math.nan, math.inf])
def test_rates_that_cannot_be(rate: float) -> None:
    with pytest.raises(InputError, match="expected learning_rate above 0, got"):
        make_optimizer(Choice("adam"), a_network(), learning_rate=rate)


def test_a_network_without_weights() -> None:
    with pytest.raises(InputError, match="expected a network with weights, it has none"):
        make_optimizer(Choice("adam"), nn.Flatten(), learning_rate=0.1)
