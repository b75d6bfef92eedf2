"""First loss, overfitting one batch, learning rates: against closed forms, and put back."""

from __future__ import annotations

import json
import math
import random
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from snellen.errors import InputError
from snellen.training.inspection import check_first_loss, learning_rate_range, overfit_batch


def state_of(network: nn.Module, optimizer: torch.optim.Optimizer) -> Any:
    return (
        {k: v.numpy().tobytes() for k, v in network.state_dict().items()},
        [None if p.grad is None else p.grad.numpy().tobytes() for p in network.parameters()],
        [module.training for module in network.modules()],
        [
            {k: v.numpy().tobytes() for k, v in optimizer.state[p].items()}
            for p in network.parameters()
        ],
        [{k: v for k, v in g.items() if k != "params"} for g in optimizer.param_groups],
        torch.get_rng_state().numpy().tobytes(),
        random.getstate(),
        np.random.get_state()[1].tobytes(),  # noqa: NPY002 - the global one
    )


def restless() -> tuple[nn.Module, torch.optim.Optimizer, Tensor, Tensor]:
    torch.manual_seed(1)
    network = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.3))
    network.append(nn.Linear(16, 3))
    inputs, targets = torch.randn(12, 4), torch.arange(12) % 3
    optimizer = torch.optim.Adam(network.parameters(), 0.01)
    for _ in range(2):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(inputs), targets).backward()
        optimizer.step()
    return network, optimizer, inputs, targets


# The first loss


def test_equal_outputs_cost_ln_of_the_classes() -> None:
    network = nn.Linear(4, 10)
    nn.init.zeros_(network.weight)
    nn.init.zeros_(network.bias)
    found = check_first_loss(
        network, nn.CrossEntropyLoss(), torch.randn(20, 4), torch.arange(20) % 10
    )
    assert found.loss == pytest.approx(math.log(10), rel=1e-6)
    assert found.expected == found.loss
    assert found.meaning == "ln 10"
    assert found.ok
    assert found.causes == ()


def test_too_large_weights_are_told() -> None:
    torch.manual_seed(0)
    network = nn.Linear(4, 10)
    nn.init.normal_(network.weight, std=5)
    found = check_first_loss(
        network, nn.CrossEntropyLoss(), torch.randn(50, 4), torch.arange(50) % 10
    )
    assert not found.ok
    assert "higher than that of knowing nothing" in found.verdict
    assert "weights are too large at the start" in found.causes[0]


def test_inputs_that_are_not_normalised_are_told() -> None:
    torch.manual_seed(0)
    inputs = torch.rand(50, 4) * 255
    found = check_first_loss(nn.Linear(4, 10), nn.CrossEntropyLoss(), inputs, torch.arange(50) % 10)
    assert not found.ok
    assert any("normalise them" in cause for cause in found.causes)


def test_softmax_before_cross_entropy_is_told() -> None:
    network = nn.Sequential(nn.Linear(4, 3), nn.Softmax(dim=1))
    found = check_first_loss(network, nn.CrossEntropyLoss(), torch.randn(9, 4), torch.arange(9) % 3)
    assert found.ok  # the loss alone does not show it
    assert "probabilities already" in found.causes[0]


def test_one_class_and_unequal_classes_are_told() -> None:
    network = nn.Linear(4, 3)
    nn.init.zeros_(network.weight)
    found = check_first_loss(
        network, nn.CrossEntropyLoss(), torch.randn(9, 4), torch.zeros(9, dtype=torch.int64)
    )
    assert "one class: is the data in order" in found.causes[0]
    targets = torch.tensor([0] * 18 + [1, 2])
    found = check_first_loss(network, nn.CrossEntropyLoss(), torch.randn(20, 4), targets)
    # −0.9·ln 0.9 − 2·0.05·ln 0.05 = 0.0948 + 0.2996
    assert "costs 0.3944." in found.causes[-1]


def test_a_trained_network_is_told() -> None:
    network = nn.Linear(3, 3, bias=False)
    with torch.no_grad():
        network.weight.copy_(10 * torch.eye(3))
    found = check_first_loss(network, nn.CrossEntropyLoss(), torch.eye(3), torch.arange(3))
    assert "trained already" in found.causes[0]


def test_two_classes_by_one_output() -> None:
    network = nn.Linear(4, 1)
    nn.init.zeros_(network.weight)
    nn.init.zeros_(network.bias)
    found = check_first_loss(
        network,
        nn.BCEWithLogitsLoss(),
        torch.randn(8, 4),
        torch.tensor([0.0, 1.0] * 4)[:, None],
        task="classification",
    )
    assert (found.meaning, found.ok) == ("ln 2", True)


def test_numbers_cost_their_variance() -> None:
    # Targets 1 and 3 in turn: mean 2, variance 1; all outputs 2 cost 1, all outputs 0 cost 5.
    targets = torch.tensor([[1.0], [3.0]] * 4)
    network = nn.Linear(4, 1)
    nn.init.zeros_(network.weight)
    nn.init.constant_(network.bias, 2.0)
    found = check_first_loss(network, nn.MSELoss(), torch.randn(8, 4), targets)
    assert (found.loss, found.expected) == (1.0, 1.0)
    assert found.meaning == "the variance of the targets"
    assert found.ok
    nn.init.zeros_(network.bias)
    found = check_first_loss(network, nn.MSELoss(), torch.randn(8, 4), targets)
    assert (found.loss, found.expected) == (5.0, 1.0)
    assert not found.ok
    assert "far from 0 (mean 2, deviation 1)" in found.causes[0]
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["ok"] is False


def test_no_number_is_told() -> None:
    found = check_first_loss(
        nn.Linear(1, 2), nn.CrossEntropyLoss(), torch.full((4, 1), torch.nan), torch.arange(4) % 2
    )
    assert not found.ok
    assert "is no number" in found.verdict
    assert "The inputs hold values that are no numbers." in found.causes


def test_first_loss_leaves_the_network() -> None:
    network, optimizer, inputs, targets = restless()
    before = state_of(network, optimizer)
    check_first_loss(network, nn.CrossEntropyLoss(), inputs, targets)
    assert state_of(network, optimizer) == before
    with pytest.raises(InputError, match='got "detection" - at task'):
        check_first_loss(network, nn.CrossEntropyLoss(), inputs, targets, task="detection")  # type: ignore[arg-type]


# One batch by heart


def test_descent_on_one_weight_follows_its_closed_form() -> None:
    # L = (w − 1)² with w₀ = 0: w − 1 shrinks by 1 − 2·0.25 = ½ a step, so L = 4⁻ᵗ.
    network = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(network.weight)
    optimizer = torch.optim.SGD(network.parameters(), 0.25)
    one = torch.ones(1, 1)
    found = overfit_batch(network, nn.MSELoss(), one, one, optimizer)
    assert found.losses == (1.0, 4.0**-1, 4.0**-2, 4.0**-3, 4.0**-4, 4.0**-5)
    assert found.step == 5  # 4⁻⁵ = 0.00098 is the first below 0.001
    assert found.ok
    assert found.causes == ()
    assert network.weight.item() == 0.0  # put back
    overfit_batch(network, nn.MSELoss(), one, one, optimizer, keep=True)
    assert network.weight.item() == 1 - 2.0**-5


def test_a_batch_is_learnt_and_all_put_back() -> None:
    network, optimizer, inputs, targets = restless()
    network.eval()
    before = state_of(network, optimizer)
    found = overfit_batch(network, nn.CrossEntropyLoss(), inputs, targets, optimizer, goal=0.01)
    assert found.ok, str(found)
    assert state_of(network, optimizer) == before


def test_contradicting_samples_are_told() -> None:
    network = nn.Linear(1, 2)
    optimizer = torch.optim.SGD(network.parameters(), 0.5)
    inputs, targets = torch.tensor([[1.0], [1.0], [2.0]]), torch.tensor([0, 1, 1])
    found = overfit_batch(network, nn.CrossEntropyLoss(), inputs, targets, optimizer, n_steps=30)
    assert not found.ok
    assert "not learnt by heart" in found.verdict
    assert any(cause.startswith("2 samples of the batch have the same") for cause in found.causes)


@pytest.mark.parametrize(
    ("rate", "cause"), [(1e-9, "hardly fell"), (1.5, "too high"), (1e30, "too high")]
)
def test_wrong_rates_are_told(rate: float, cause: str) -> None:
    network = nn.Linear(1, 1)
    optimizer = torch.optim.SGD(network.parameters(), rate)
    found = overfit_batch(
        network, nn.MSELoss(), torch.ones(1, 1), torch.full((1, 1), 5.0), optimizer, n_steps=30
    )
    assert not found.ok
    assert any(cause in each for each in found.causes)


def test_other_causes_are_told() -> None:
    network = nn.Sequential(nn.Linear(2, 8), nn.Dropout(0.9), nn.Linear(8, 2), nn.Linear(2, 2))
    network[3].weight.requires_grad_(False)
    nn.init.zeros_(network[3].weight)
    optimizer = torch.optim.SGD(network.parameters(), 0.01)
    found = overfit_batch(
        network,
        nn.CrossEntropyLoss(),
        torch.randn(4, 2),
        torch.full((4, 2), 0.5),
        optimizer,
        n_steps=5,
    )
    text = str(found)
    assert "no gradient came to 0.weight" in text
    assert "Dropout is on in 1" in text
    assert "The targets are soft" in text


def test_senseless_goals_are_refused() -> None:
    network, optimizer, inputs, targets = restless()
    with pytest.raises(InputError, match="at least 1 step"):
        overfit_batch(network, nn.CrossEntropyLoss(), inputs, targets, optimizer, n_steps=0)
    with pytest.raises(InputError, match="a goal above 0"):
        overfit_batch(network, nn.CrossEntropyLoss(), inputs, targets, optimizer, goal=0)


# Learning rates


def one_weight() -> tuple[nn.Linear, torch.optim.Optimizer, list[tuple[Tensor, Tensor]]]:
    network = nn.Linear(1, 1, bias=False, dtype=torch.float64)
    nn.init.constant_(network.weight, 2.0)
    one = torch.ones(1, 1, dtype=torch.float64)
    return network, torch.optim.SGD(network.parameters(), 1.0), [(one, 0 * one)]


def test_a_sweep_follows_its_closed_form() -> None:
    # L = w², so a step with rate r takes w to w·(1 − 2r), and L to L·(1 − 2r)².
    network, optimizer, batches = one_weight()
    found = learning_rate_range(
        network,
        nn.MSELoss(),
        batches,
        optimizer,
        low=1e-3,
        high=10.0,
        n_steps=41,
        smoothing=0.0,
        stop=1e9,
    )
    rates = [1e-3 * 10 ** (4 * k / 40) for k in range(41)]
    assert found.rates == pytest.approx(rates[: len(found.rates)], rel=1e-12)
    expected, loss = [], 4.0
    for rate in rates:
        expected.append(loss)
        loss *= (1 - 2 * rate) ** 2
    assert found.losses == pytest.approx(expected[: len(found.losses)], rel=1e-9)
    assert found.smoothed == found.losses
    # It grows again from the rate on that is above 1; a tenth of the rate of the minimum.
    lowest = int(np.argmin(expected))
    assert found.tenth_of_minimum == pytest.approx(rates[lowest] / 10)
    slopes = np.gradient(expected[: lowest + 1], np.log(rates[: lowest + 1]))
    assert found.steepest == pytest.approx(rates[int(slopes.argmin())])
    assert found.suggested == min(found.steepest, found.tenth_of_minimum)
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["suggested"] == found.suggested


def test_the_average_has_no_pull_to_zero() -> None:
    network, optimizer, batches = one_weight()
    found = learning_rate_range(
        network, nn.MSELoss(), batches, optimizer, low=1e-12, high=1e-9, n_steps=20
    )
    # At such rates nothing moves: a constant stays itself.
    assert found.smoothed == pytest.approx([4.0] * 20, rel=1e-6)


def test_it_stops_where_the_loss_has_risen() -> None:
    network, optimizer, batches = one_weight()
    found = learning_rate_range(
        network, nn.MSELoss(), batches, optimizer, low=1e-3, high=1e6, smoothing=0.0
    )
    assert found.diverged
    assert found.rates[-1] < 1e6
    assert found.losses[-1] > 4 * min(found.losses)
    assert all(loss <= 4 * min(found.losses[: k + 1]) for k, loss in enumerate(found.losses[:-1]))


def test_it_stops_where_the_loss_is_no_number() -> None:
    network, optimizer, batches = one_weight()
    found = learning_rate_range(
        network, nn.MSELoss(), batches, optimizer, low=1e-3, high=1e300, n_steps=400, stop=1e308
    )
    assert found.diverged
    assert all(math.isfinite(loss) for loss in found.losses)


def test_nothing_is_suggested_where_nothing_falls() -> None:
    network, optimizer, batches = one_weight()
    found = learning_rate_range(
        network, nn.MSELoss(), batches, optimizer, low=2.0, high=3.0, n_steps=10, stop=1e9
    )
    assert found.suggested is None
    assert "does not fall at any rate" in found.verdict


def test_everything_is_put_back_bit_for_bit() -> None:
    network, optimizer, inputs, targets = restless()
    optimizer.add_param_group({"params": [nn.Parameter(torch.ones(1))], "lr": 0.1})
    before = state_of(network, optimizer)
    found = learning_rate_range(
        network, nn.CrossEntropyLoss(), [(inputs, targets)], optimizer, n_steps=30
    )
    assert len(set(found.losses)) > 10  # it did move
    assert state_of(network, optimizer) == before
    # Training goes on as if nothing had been.
    losses = []
    for tried in (False, True):
        network, optimizer, inputs, targets = restless()
        if tried:
            learning_rate_range(
                network, nn.CrossEntropyLoss(), [(inputs, targets)], optimizer, n_steps=10
            )
        for _ in range(3):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(network(inputs), targets)
            loss.backward()
            optimizer.step()
        losses.append((loss.item(), state_of(network, optimizer)))
    assert losses[0] == losses[1]


def test_groups_keep_their_proportion() -> None:
    seen = []

    class Watched(torch.optim.SGD):
        def step(self, closure: Any = None) -> Any:
            seen.append([group["lr"] for group in self.param_groups])
            return super().step(closure)

    network, _, batches = one_weight()
    other = nn.Parameter(torch.ones(1))
    optimizer = Watched(
        [{"params": network.parameters(), "lr": 0.2}, {"params": [other], "lr": 0.1}]
    )
    learning_rate_range(network, nn.MSELoss(), batches, optimizer, low=1e-4, high=1e-2, n_steps=3)
    assert [pair[1] / pair[0] for pair in seen] == pytest.approx([0.5] * 3)
    assert [group["lr"] for group in optimizer.param_groups] == [0.2, 0.1]


def test_an_iterator_ends_the_sweep() -> None:
    network, optimizer, batches = one_weight()
    found = learning_rate_range(network, nn.MSELoss(), iter(batches * 5), optimizer, n_steps=50)
    assert len(found.rates) == 5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"low": 0.0}, "0 < low < high"),
        ({"low": 1.0, "high": 0.1}, "0 < low < high"),
        ({"n_steps": 2}, "at least 3 steps"),
        ({"smoothing": 1.0}, "smoothing from 0 to below 1"),
        ({"stop": 1.0}, "stop above 1"),
    ],
)
def test_senseless_ranges_are_refused(options: dict[str, Any], message: str) -> None:
    network, optimizer, batches = one_weight()
    with pytest.raises(InputError, match=message):
        learning_rate_range(network, nn.MSELoss(), batches, optimizer, **options)


def test_without_batches_or_numbers_there_is_no_sweep() -> None:
    network, optimizer, batches = one_weight()
    with pytest.raises(InputError, match="expected batches, got none"):
        learning_rate_range(network, nn.MSELoss(), [], optimizer)
    (inputs, targets), *_ = batches
    with pytest.raises(InputError, match="a number at the lowest rate"):
        learning_rate_range(network, nn.MSELoss(), [(inputs * torch.nan, targets)], optimizer)
