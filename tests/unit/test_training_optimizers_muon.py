from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from snellen.training.choices import Choice
from snellen.training.muon import orthogonalised
from snellen.training.optimizers import make_optimizer


def a_matrix(rows: int, columns: int, seed: int = 0) -> torch.Tensor:
    drawn = torch.Generator().manual_seed(seed)
    return torch.randn(rows, columns, generator=drawn, dtype=torch.float64)


@pytest.mark.parametrize(("rows", "columns"), [(4, 4), (3, 7), (7, 3), (1, 5)])
@pytest.mark.parametrize("steps", [1, 3, 5])
def test_singular_values_go_through_the_polynomial(rows: int, columns: int, steps: int) -> None:
    matrix = a_matrix(rows, columns)
    u, s, v = torch.linalg.svd(matrix, full_matrices=False)
    s = s / s.square().sum().sqrt()
    for _ in range(steps):
        s = 3.4445 * s - 4.7750 * s**3 + 2.0315 * s**5
    found = orthogonalised(matrix, steps=steps)
    assert (found - u @ s.diag() @ v).abs().max() < 1e-13


def test_singular_values_come_near_one() -> None:
    # 0.01 of the norm is enough.
    for small in (0.01, 0.1, 0.5, 1.0):
        found = orthogonalised(torch.diag(torch.tensor([small, 1.0], dtype=torch.float64)))
        assert 0.65 < found[0, 0] < 1.25
        assert 0.65 < found[1, 1] < 1.25


def test_a_matrix_of_zeros_has_no_direction() -> None:
    assert not orthogonalised(torch.zeros(3, 2)).any()


def test_the_matrix_is_not_changed() -> None:
    matrix = a_matrix(3, 4)
    before = matrix.clone()
    orthogonalised(matrix)
    assert torch.equal(matrix, before)


def a_network() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.Linear(2, 6), nn.Linear(6, 2))


def step_on_random_gradients(
    network: nn.Module, optimizer: torch.optim.Optimizer, n: int
) -> list[list[torch.Tensor]]:
    drawn = torch.Generator().manual_seed(4)
    gradients = []
    for _ in range(n):
        for each in network.parameters():
            each.grad = torch.randn(each.shape, generator=drawn, dtype=each.dtype)
        gradients.append([each.grad.clone() for each in network.parameters()])
        optimizer.step()
    return gradients


@pytest.mark.parametrize("nesterov", [False, True])
@pytest.mark.parametrize(
    ("scale", "size"),
    [("adam", 0.2 * math.sqrt(18)), ("spectral", 1.0), ("none", 1.0)],
)
def test_filters_by_hand(nesterov: bool, scale: str, size: float) -> None:
    network = a_network().double()
    choice = Choice(
        "muon", {"momentum": 0.8, "nesterov": nesterov, "scale": scale, "weight_decay": 0.5}
    )
    start = network[0].weight.detach().clone()
    first, second = step_on_random_gradients(
        network, make_optimizer(choice, network, learning_rate=0.1), 2
    )
    expected, mean = start.flatten(1), torch.zeros(4, 18, dtype=torch.float64)
    for gradients in (first, second):
        g = gradients[0].reshape(4, 2 * 3 * 3)
        mean = 0.8 * mean + 0.2 * g
        direction = 0.2 * g + 0.8 * mean if nesterov else mean
        expected = expected * (1 - 0.1 * 0.5) - 0.1 * size * orthogonalised(direction)
    assert (network[0].weight.flatten(1) - expected).abs().max() < 1e-14


def test_spectral_scale_of_tall_matrices() -> None:
    # 6 rows, 2 columns: sqrt(3).
    network = a_network().double()
    before = network[2].weight.detach().clone()
    choice = Choice("muon", {"scale": "spectral", "weight_decay": 0.0, "nesterov": False})
    optimizer = make_optimizer(choice, network, learning_rate=0.1)
    ((_, _, _, _, gradient, *_),) = step_on_random_gradients(network, optimizer, 1)
    expected = before - 0.1 * math.sqrt(3) * orthogonalised(gradient)
    assert (network[2].weight - expected).abs().max() < 1e-14


def test_filters_of_one_size() -> None:
    network = a_network().double()
    with torch.no_grad():
        network[0].weight.mul_(17)
    choice = Choice("muon", {"normalise": True, "weight_decay": 0.0})
    optimizer = make_optimizer(choice, network, learning_rate=1e-12)
    step_on_random_gradients(network, optimizer, 1)
    # Four filters, each of norm 1 on average.
    assert network[0].weight.norm().item() == pytest.approx(2.0, abs=1e-9)


@pytest.mark.parametrize("fused", [False, True])
def test_all_other_weights_are_those_of_adamw(fused: bool) -> None:
    ours, theirs = a_network(), a_network()
    options = {"betas": [0.8, 0.9], "eps": 1e-6, "weight_decay": 0.3, "adam_learning_rate": 0.02}
    optimizer = make_optimizer(Choice("muon", options), ours, learning_rate=0.1, fused=fused)
    step_on_random_gradients(ours, optimizer, 5)
    decayed = {"3.weight"}
    others = [
        {"params": [each], "weight_decay": 0.3 if name in decayed else 0.0}
        for name, each in theirs.named_parameters()
    ]
    reference = torch.optim.AdamW(others, lr=0.02, betas=(0.8, 0.9), eps=1e-6, fused=fused)
    step_on_random_gradients(theirs, reference, 5)
    orthogonal = {"0.weight", "2.weight"}
    references = dict(theirs.named_parameters())
    for name, each in ours.named_parameters():
        assert torch.equal(each, references[name]) == (name not in orthogonal), name
    assert [(group["name"], group["initial_lr"]) for group in optimizer.param_groups] == [
        ("orthogonal decayed", 0.1),
        ("adamw decayed", 0.02),
        ("adamw undecayed", 0.02),
    ]


def test_a_closure_is_called_with_gradients() -> None:
    network = a_network()
    optimizer = make_optimizer(Choice("muon"), network, learning_rate=0.1)

    def closure() -> torch.Tensor:
        loss = network[3].weight.square().sum()
        loss.backward()
        return loss

    before = network[3].weight.square().sum().item()
    assert optimizer.step(closure).item() == pytest.approx(before)
    assert network[3].weight.square().sum().item() < before


def test_filters_in_channels_last() -> None:
    plain, last = a_network().double(), a_network().double().to(memory_format=torch.channels_last)
    for network in (plain, last):
        optimizer = make_optimizer(Choice("muon"), network, learning_rate=0.1)
        step_on_random_gradients(network, optimizer, 3)
    assert (plain[0].weight - last[0].weight).abs().max() < 1e-14
