"""The loop against one that is written here in twenty lines, and two processes against one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.small_trainings import (
    PLAIN,
    Weights,
    close,
    equal,
    images,
    linear_network,
    objects,
    small_train,
)
from torch import Tensor, nn

from snellen.errors import DataWarning
from snellen.training import Callback, train
from snellen.training.data.parts import Order
from snellen.training.state import TrainingState


def bare_loop(
    network: nn.Module, optimizer: torch.optim.Optimizer, inputs: Tensor, targets: Tensor
) -> list[float]:
    """Train for an epoch, as one writes it; only the order of samples is Snellen's."""
    losses = []
    network.train()
    for rows in Order(len(inputs), 8, seed=0).batches(0):
        loss = nn.functional.cross_entropy(network(inputs[rows]), targets[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


def convolutional() -> nn.Module:
    torch.manual_seed(7)
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(36, 3),
    )


OPTIMIZERS: dict[str, tuple[Any, Any]] = {
    "sgd": ("sgd", lambda p: torch.optim.SGD(p, lr=0.1, fused=True)),
    "momentum": (
        {"name": "sgd", "momentum": 0.9, "nesterov": True},
        lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, fused=True),
    ),
    "adam": ("adam", lambda p: torch.optim.Adam(p, lr=0.1, fused=True)),
}


@pytest.mark.parametrize("make", [linear_network, convolutional])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_an_epoch_equals_the_bare_loop_bit_for_bit(name: str, make: Any) -> None:
    ours, bare = make(), make()
    assert equal(ours.state_dict(), bare.state_dict())
    choice, optimizer = OPTIMIZERS[name]
    inputs, targets = images(77, 0)
    inputs = inputs / 255
    watch = Weights()
    description = {
        **PLAIN, "optimizer": choice, "learning_rate": 0.1, "epochs": 1,
        "memory_format": "contiguous", "normalise": "none",
    }  # fmt: skip
    small_train(
        description, data={"train": (inputs, targets), "hold_out": 0}, network=ours,
        callbacks=[watch],
    )  # fmt: skip
    losses = bare_loop(bare, optimizer(bare.parameters()), inputs, targets)
    assert len(losses) == 10  # the last one of five samples
    assert watch.losses == losses
    assert equal(watch.last, bare.state_dict())


# --- two processes

ACROSS: dict[str, Any] = {
    "data": "objects",
    "network": [
        {"name": "conv", "out": 4, "bias": False},  # in front of the norm it would be noise
        "batch_norm",
        "relu",
        "max_pool",
        {"name": "dropout2d", "p": 0.2},
        "flatten",
        {"name": "dropout", "p": 0.3},
        "linear",
    ],
    "optimizer": {"name": "sgd", "momentum": 0.9},
    "learning_rate": 0.05,
    "schedule": "cosine",
    "augment": ["flip", {"name": "mixup", "alpha": 0.4}],
    "clip_norm": 1.0,
    "ema": 0.9,
    "batch_size": 8,
    "epochs": 2,
    "device": "cpu",
    "precision": "float64",
    "class_weights": "balanced",
    "validate_every": "4ba",
}


class SecondStops(Callback):
    """Ends the training in the second process only, as a clock or a signal might."""

    def step_end(self, run: TrainingState) -> None:
        if run.step == 14 and os.environ.get("LOCAL_RANK", "0") == "1":
            run.stop("the second process had enough")


def test_two_processes_equal_one(tmp_path: Path) -> None:
    data = objects(train=77, validation=31, test=24)  # last batches of five and seven
    one = train(ACROSS, data=data, out=tmp_path / "one")
    two = train({**ACROSS, "devices": 2}, data=data, out=tmp_path / "two")
    weights = (run.network.network.state_dict() for run in (one, two))
    assert close(*weights, 1e-8)
    assert [row["step"] for row in two.history] == [10, 20]
    for mine, theirs in zip(one.history, two.history, strict=True):
        assert mine.keys() == theirs.keys()
        for name in mine.keys() - {"seconds"}:
            assert theirs[name] == pytest.approx(mine[name], rel=1e-8), name
    assert two.metrics == pytest.approx(one.metrics, rel=1e-8, nan_ok=True)
    assert two.best_epoch == one.best_epoch


def test_two_processes_end_together_and_go_on_as_one(tmp_path: Path) -> None:
    data = objects(train=77, validation=31)
    description = {**ACROSS, "devices": 2}
    stopped = train(
        description, data=data, out=tmp_path / "run", callbacks=[SecondStops()], test=False
    )
    assert stopped.stop_reason == "the second process had enough"
    assert len(stopped.history) == 1  # they ask each other before the second epoch is over
    # What two began one ends: the number of processes changes no weight but for rounding.
    with pytest.warns(DataWarning, match="devices was 2, is 1"):
        resumed = train(ACROSS, data=data, out=tmp_path / "run", resume=True, test=False)
    alone = train(ACROSS, data=data, test=False)
    weights = (run.network.network.state_dict() for run in (resumed, alone))
    assert close(*weights, 1e-8)
    assert resumed.history[-1]["loss"] == pytest.approx(alone.history[-1]["loss"], rel=1e-8)
