"""A network measured: the numbers by hand, and nothing of it changed."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.small_trainings import images
from torch import nn

from snellen.training import open_data
from snellen.training.choices import Choice
from snellen.training.data.normalisation import make_normalisation
from snellen.training.data.training_data import TrainingData
from snellen.training.engine import Engine
from snellen.training.losses import Loss, make_loss
from snellen.training.measuring import all_outputs, measured, some_inputs
from snellen.training.running_numbers import RunningNumbers
from snellen.training.tasks import running_evaluation

ENGINE = Engine(torch.device("cpu"))


@pytest.fixture(scope="module")
def data() -> TrainingData:
    return open_data({"train": images(40, 0), "validation": images(23, 1)})


def network() -> nn.Module:
    torch.manual_seed(0)
    made = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Dropout(0.5),
        nn.Linear(64, 3),
    )  # fmt: skip
    return made.train()


def loss(weights: tuple[float, ...] | None = None) -> Loss:
    given = None if weights is None else torch.tensor(weights)
    return make_loss(
        Choice("cross_entropy"), task="classification", n_outputs=3, class_weights=given
    )


def numbers(
    net: nn.Module, data: TrainingData, batch_size: int, weights: tuple[float, ...] | None = None
) -> dict[str, float]:
    assert data.validation is not None
    return measured(
        net,
        data.validation,
        make_normalisation(Choice("unit"), data.train),
        loss(weights),
        running_evaluation("classification", data.classes, 3),
        ENGINE,
        batch_size,
    )


@pytest.mark.parametrize("weights", [None, (1.0, 2.0, 5.0)])
@pytest.mark.parametrize("batch_size", [1, 8, 23, 64])
def test_by_hand(batch_size: int, weights: tuple[float, ...] | None, data: TrainingData) -> None:
    net = network()
    found = numbers(net, data, batch_size, weights)
    inputs, targets = images(23, 1)
    with torch.no_grad():
        output = net.eval()(inputs / 255)
    expected = nn.functional.cross_entropy(
        output, targets, weight=None if weights is None else torch.tensor(weights)
    )
    assert found["loss"] == pytest.approx(float(expected), rel=1e-6)
    assert found["accuracy"] == float((output.argmax(1) == targets).double().mean())


def test_nothing_changes(data: TrainingData) -> None:
    net = network()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    random = torch.get_rng_state()
    numbers(net, data, 8)
    assert net.training
    assert all(torch.equal(value, before[name]) for name, value in net.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random)
    assert all(each.grad is None for each in net.parameters())
    net.eval()
    numbers(net, data, 8)
    assert not net.training


def test_outputs_are_in_the_order_of_the_part(data: TrainingData) -> None:
    net = network()
    assert data.validation is not None
    normalisation = make_normalisation(Choice("unit"), data.train)
    found = all_outputs(net, data.validation, normalisation, ENGINE, 5)
    assert net.training
    inputs, targets = images(23, 1)
    assert found.rows.tolist() == list(range(23))
    assert torch.equal(found.targets, targets)
    with torch.no_grad():
        expected = net.eval()(inputs / 255)
    torch.testing.assert_close(found.outputs, expected)


def test_some_inputs_as_they_were_read(data: TrainingData) -> None:
    assert torch.equal(some_inputs(data.train, [7, 3, 39]), images(40, 0)[0][[7, 3, 39]])


def test_running_numbers_are_weighted_means(data: TrainingData) -> None:
    running = RunningNumbers(running_evaluation("classification", data.classes, 3), ENGINE)
    outputs = torch.eye(3)[[0, 1, 2, 0]]
    for _ in range(50):  # more than wait on the device at once
        running.add(outputs, torch.tensor([0, 1, 1, 2]))
        running.add_loss(torch.tensor(1.0), torch.tensor(4.0))
        running.add(outputs[:1], torch.tensor([0]))
        running.add_loss(torch.tensor(3.0), torch.tensor(1.0))
    found = running.metrics()
    assert found["loss"] == pytest.approx((1.0 * 4 + 3.0) / 5, abs=1e-15)
    assert found["accuracy"] == 3 / 5
    state = running.state()
    other = RunningNumbers(running_evaluation("classification", data.classes, 3), ENGINE)
    other.load_state(state)
    for each in (running, other):
        each.add_loss(torch.tensor(7.0), torch.tensor(2.0))
    assert other.metrics() == running.metrics()
    running.clear()
    assert running.metrics()["loss"] != running.metrics()["loss"]  # NaN: of nothing


def test_regression_is_measured_too(tmp_path: Path) -> None:
    del tmp_path
    x = torch.arange(20.0)[:, None]
    parts = open_data({"train": (x, 2 * x), "validation": (x, 2 * x + 1)}, task="regression")
    assert parts.validation is not None
    net = nn.Linear(1, 1)
    with torch.no_grad():
        net.weight.fill_(2)
        net.bias.fill_(0)
    found = measured(
        net,
        parts.validation,
        make_normalisation(Choice("none"), parts.train),
        make_loss(Choice("mse"), task="regression", n_outputs=1, class_weights=None),
        running_evaluation("regression", None, 1),
        ENGINE,
        6,
    )
    assert found["loss"] == 1.0
