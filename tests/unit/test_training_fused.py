"""A fused update is taken where it agrees with the plain one, and listed."""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn

from snellen.training.choices import Choice
from snellen.training.fused import fused_update
from snellen.training.losses import make_loss
from snellen.training.optimizers import make_optimizer

NETWORK = nn.Sequential(nn.Flatten(), nn.Linear(16, 8), nn.ReLU(), nn.Dropout(0.5), nn.Linear(8, 3))
INPUTS = torch.linspace(-1, 1, 5 * 16).reshape(5, 1, 4, 4)
TARGETS = torch.tensor([0, 1, 2, 0, 1])
LOSS = make_loss(Choice("cross_entropy"), task="classification", n_outputs=3)


def test_taken_and_said() -> None:
    before = copy.deepcopy(NETWORK.state_dict())
    random = torch.get_rng_state()
    found = fused_update(
        NETWORK,
        INPUTS,
        TARGETS,
        LOSS,
        lambda network, fused: make_optimizer(
            Choice("adam"), network, learning_rate=0.01, fused=fused
        ),
    )
    assert found is not None
    assert found.taken
    assert found.name == "fused update"
    assert all(torch.equal(before[name], each) for name, each in NETWORK.state_dict().items())
    assert torch.equal(random, torch.get_rng_state())


def test_refused_where_it_does_something_else() -> None:
    def make(network: nn.Module, fused: bool) -> torch.optim.Optimizer:
        # Its fused update is twice as long.
        options: dict[str, Any] = {"fused": True, "lr": 0.02} if fused else {"lr": 0.01}
        return torch.optim.Adam(network.parameters(), **options)

    found = fused_update(NETWORK, INPUTS, TARGETS, LOSS, make)
    assert found is not None
    assert not found.taken


def test_nothing_where_there_is_no_fused_update() -> None:
    def make(network: nn.Module, fused: bool) -> torch.optim.Optimizer:
        del fused
        return torch.optim.RMSprop(network.parameters())

    assert fused_update(NETWORK, INPUTS, TARGETS, LOSS, make) is None
