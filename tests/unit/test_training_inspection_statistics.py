"""Statistics of layers: closed forms, rules, and nothing attached between the records."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from snellen.errors import InputError
from snellen.training.callbacks.protocol import Callbacks
from snellen.training.inspection import LayerStatistics


def trained(
    network: nn.Module,
    statistics: LayerStatistics,
    inputs: Tensor,
    targets: Tensor,
    *,
    n_steps: int,
    rate: float = 0.1,
    first: int = 0,
) -> Any:
    """Train as the loop does: gradients are set to nothing before the step ends."""
    optimizer = torch.optim.SGD(network.parameters(), rate)
    run: Any = SimpleNamespace(network=network, step=first)
    callbacks = Callbacks([statistics])
    callbacks.call("start", run)
    for _ in range(n_steps):
        nn.functional.mse_loss(network(inputs), targets).backward()
        optimizer.step()
        optimizer.zero_grad()
        run.step += 1
        callbacks.call("step_end", run)
        network.eval()
        network(torch.zeros_like(inputs))  # a validation
        network.train()
    callbacks.call("epoch_end", run, {})
    callbacks.call("end", run)
    return run


def test_one_layer_worked_by_hand() -> None:
    # w = (3, 4), x = (1, 2) and (−1, 0): outputs 11 and −3, mean 4, deviation 7.
    # L = (o₁² + o₂²)/2 with targets 0; ∂L/∂o = o, ∂L/∂w = 11·(1, 2) − 3·(−1, 0) = (14, 22).
    network = nn.Sequential(nn.Linear(2, 1, bias=False))
    with torch.no_grad():
        network[0].weight.copy_(torch.tensor([[3.0, 4.0]]))
    inputs = torch.tensor([[1.0, 2.0], [-1.0, 0.0]])
    statistics = LayerStatistics(every=1)
    trained(network, statistics, inputs, torch.zeros(2, 1), n_steps=1, rate=0.01)
    (record,) = statistics.records
    assert record["step"] == 1
    assert record["layer"] == "0"
    assert record["mean"] == pytest.approx(4)
    assert record["std"] == pytest.approx(7)
    assert record["zeros"] == 0
    assert record["gradient_norm"] == pytest.approx(math.sqrt(14**2 + 22**2))
    assert record["gradient_rms"] == pytest.approx(math.sqrt((14**2 + 22**2) / 2))
    assert record["weight_norm"] == pytest.approx(5)
    # SGD moves by the rate times the gradient.
    assert record["update_ratio"] == pytest.approx(0.01 * math.sqrt(14**2 + 22**2) / 5, rel=1e-5)


def test_every_so_many_steps_and_nothing_between() -> None:
    network = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    attached = []

    class Watched(LayerStatistics):
        def step_end(self, run: Any) -> None:
            super().step_end(run)
            attached.append(len(network[0]._forward_hooks))

    statistics = Watched(every=3)
    trained(network, statistics, torch.randn(5, 3), torch.randn(5, 1), n_steps=7)
    # Updates 1, 4 and 7 are recorded; only before these is anything attached.
    assert sorted({record["step"] for record in statistics.records}) == [1, 4, 7]
    assert attached == [0, 0, 1, 0, 0, 1, 0]
    assert not any(m._forward_hooks for m in network.modules())


def test_a_validation_between_two_updates_is_not_counted() -> None:
    # Outputs 1 and −1 while training; the validation's are all 0. The rate moves nothing.
    network = nn.Sequential(nn.Linear(1, 1, bias=False))
    nn.init.ones_(network[0].weight)
    statistics = LayerStatistics(every=1)
    inputs = torch.tensor([[1.0], [-1.0]])
    trained(network, statistics, inputs, inputs, n_steps=3)
    assert [record["std"] for record in statistics.records] == [1.0, 1.0, 1.0]
    assert [record["zeros"] for record in statistics.records] == [0.0, 0.0, 0.0]


def test_training_with_it_is_the_same_training() -> None:
    weights = []
    for every in (1, 10**6):
        torch.manual_seed(0)
        network = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.ReLU(), nn.Linear(4, 1))
        trained(
            network, LayerStatistics(every=every), torch.ones(5, 3), torch.ones(5, 1), n_steps=4
        )
        weights.append([p.detach().clone() for p in network.parameters()])
    assert all(torch.equal(a, b) for a, b in zip(*weights, strict=True))


def test_dead_units_are_counted_over_a_window() -> None:
    # Of four units one has a bias that no input overcomes; a fifth dies only for one batch.
    network = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    with torch.no_grad():
        network[0].weight.zero_()
        network[0].bias.copy_(torch.tensor([1.0, 1.0, -100.0, 1.0]))
    statistics = LayerStatistics(every=1, window=3)
    trained(network, statistics, torch.randn(5, 3), torch.zeros(5, 1), n_steps=4, rate=1e-4)
    dead = [record["dead"] for record in statistics.of_layers()["1"]]
    assert math.isnan(dead[0])
    assert math.isnan(dead[1])
    assert dead[2:] == [0.25, 0.25]
    assert all(math.isnan(record["dead"]) for record in statistics.of_layers()["0"])
    assert [record["zeros"] for record in statistics.of_layers()["1"]] == [0.25] * 4
    assert any("1: 25 % of its units are dead" in each for each in statistics.findings())
    statistics.dying = 0.26  # fewer are in the table only
    assert not any("dead" in each for each in statistics.findings())
    assert "25 %" in statistics.table()


def test_a_unit_that_lives_in_one_batch_is_not_dead() -> None:
    network = nn.Sequential(nn.Identity(), nn.ReLU())
    network.append(nn.Linear(2, 1))
    statistics = LayerStatistics(every=1, window=2)
    optimizer = torch.optim.SGD(network.parameters(), 1e-3)
    run: Any = SimpleNamespace(network=network, step=0)
    statistics.start(run)
    # Unit 0 is on in the first batch, unit 1 in the second, none in the third and fourth.
    for batch in ([1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0], [-1.0, -1.0]):
        network(torch.tensor([batch])).sum().backward()
        optimizer.step()
        run.step += 1
        statistics.step_end(run)
    statistics.end(run)
    dead = [record["dead"] for record in statistics.of_layers()["1"]]
    # Over two batches each: (1, 2) none, (2, 3) unit 0, (3, 4) both.
    assert dead[1:] == [0.0, 0.5, 1.0]


def test_vanishing_gradients_are_named() -> None:
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for _ in range(8):
        layers += [nn.Linear(16, 16), nn.Sigmoid()]
    network = nn.Sequential(*layers, nn.Linear(16, 1))
    statistics = LayerStatistics(every=1)
    trained(network, statistics, torch.randn(20, 16), torch.randn(20, 1), n_steps=3)
    findings = statistics.findings()
    assert any(each.startswith("0: its gradient vanishes") for each in findings)
    assert not any(each.startswith("16: its gradient vanishes") for each in findings)
    # By the rule's own number.
    rms = {name: rows[-1]["gradient_rms"] for name, rows in statistics.of_layers().items()}
    assert rms["0"] < 1e-3 * rms["16"]
    assert LayerStatistics(vanishing=1e-30).findings() == ()


def test_exploding_gradients_are_named() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(*(nn.Linear(16, 16, bias=False) for _ in range(6)), nn.Linear(16, 1))
    for layer in network:
        nn.init.normal_(layer.weight, std=2.0)
    statistics = LayerStatistics(every=1)
    trained(network, statistics, torch.randn(20, 16), torch.randn(20, 1), n_steps=1, rate=1e-20)
    assert any(each.startswith("0: its gradient explodes") for each in statistics.findings())
    assert any("0: its weights barely move" in each for each in statistics.findings())


def test_gradients_that_are_no_numbers_are_named() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    statistics = LayerStatistics(every=1)
    inputs = torch.tensor([[1.0, math.nan]])
    trained(network, statistics, inputs, torch.zeros(1, 1), n_steps=1)
    assert "1: its gradient is no number: exploding." in statistics.findings()
    json.dumps(statistics.to_dict(), allow_nan=False)


def test_a_healthy_network_has_no_findings() -> None:
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 1))
    statistics = LayerStatistics(every=1)
    trained(network, statistics, torch.randn(50, 8), torch.randn(50, 1), n_steps=6, rate=0.01)
    assert statistics.findings() == ()
    assert statistics.table().startswith("Medians of 6 recorded steps.")


def test_weights_that_were_nothing_have_no_ratio() -> None:
    network = nn.Sequential(nn.Linear(2, 1))
    nn.init.zeros_(network[0].weight)
    nn.init.zeros_(network[0].bias)
    statistics = LayerStatistics(every=1)
    trained(network, statistics, torch.randn(4, 2), torch.randn(4, 1), n_steps=1)
    assert statistics.of_layers()["0"][0]["update_ratio"] == math.inf
    assert statistics.table().splitlines()[3].endswith("–")
    assert not any("jump" in each for each in statistics.findings())
    assert "inf" not in statistics.table()


def test_frozen_layers_move_by_nothing() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 1))
    for parameter in network[0].parameters():
        parameter.requires_grad_(False)
    statistics = LayerStatistics(every=1)
    trained(network, statistics, torch.randn(4, 2), torch.randn(4, 1), n_steps=1)
    (record,) = statistics.of_layers()["0"]
    assert math.isnan(record["gradient_norm"])
    assert record["update_ratio"] == 0
    assert not any(each.startswith("0: its gradient") for each in statistics.findings())


def test_a_layer_called_twice_counts_both() -> None:
    class Twice(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.relu, self.last = nn.ReLU(), nn.Linear(2, 1)
            self.scale = nn.Parameter(torch.ones(()))

        def forward(self, x: Tensor) -> Tensor:
            return self.last(self.relu(-self.relu(x) * self.scale))

    statistics = LayerStatistics(every=1, window=1)
    trained(Twice(), statistics, torch.ones(3, 2), torch.zeros(3, 1), n_steps=1)
    by_layer = statistics.of_layers()
    # Once all ones, once all zeros.
    assert by_layer["relu"][0]["mean"] == 0.5
    assert by_layer["relu"][0]["zeros"] == 0.5
    assert by_layer["relu"][0]["dead"] == 0
    # A weight of no layer is recorded under the module that holds it.
    assert by_layer["Twice"][0]["weight_norm"] == 1


def test_units_of_images_are_channels() -> None:
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 1))
    with torch.no_grad():
        network[0].weight.zero_()
        network[0].bias.copy_(torch.tensor([1.0, -1.0, -1.0, -1.0]))
    statistics = LayerStatistics(every=1, window=1)
    trained(network, statistics, torch.randn(2, 1, 4, 4), torch.zeros(2, 1), n_steps=1, rate=1e-6)
    assert statistics.of_layers()["1"][0]["dead"] == 0.75


def test_resumed_it_goes_on() -> None:
    def halves(resume: bool) -> list[dict[str, Any]]:
        torch.manual_seed(0)
        network = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
        inputs, targets = torch.randn(6, 3), torch.randn(6, 1)
        statistics = LayerStatistics(every=2, window=2)
        trained(network, statistics, inputs, targets, n_steps=4)
        if resume:
            state = statistics.state()
            statistics = LayerStatistics(every=2, window=2)
            statistics.load_state(state)
        trained(network, statistics, inputs, targets, n_steps=4, first=4)
        return statistics.records

    assert str(halves(True)) == str(halves(False))


def test_senseless_settings_are_refused() -> None:
    with pytest.raises(InputError, match="every and window from 1"):
        LayerStatistics(every=0)
    with pytest.raises(InputError, match="limits above 0"):
        LayerStatistics(vanishing=0)
