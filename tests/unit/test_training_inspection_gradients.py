"""Gradients against differences: right ones pass, wrong ones are caught and named."""

from __future__ import annotations

import json
import threading
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from snellen.errors import InputError
from snellen.training.inspection import check_gradients
from snellen.training.inspection.differences import compared


class WrongSquare(torch.autograd.Function):
    """x², whose derivative is said to be x."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        return gradient * ctx.saved_tensors[0]


class WrongLayer(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return WrongSquare.apply(x)


def images() -> tuple[Tensor, Tensor]:
    torch.manual_seed(0)
    return torch.randn(4, 1, 6, 6), torch.tensor([0, 1, 2, 1])


NETWORKS: dict[str, Any] = {
    "convolutional": lambda: nn.Sequential(
        nn.Conv2d(1, 3, 3, padding=1),
        nn.BatchNorm2d(3),
        nn.ReLU(inplace=True),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(27, 3),
    ),
    "dropout": lambda: nn.Sequential(
        nn.Flatten(), nn.Linear(36, 8), nn.GELU(), nn.Dropout(0.5), nn.Linear(8, 3)
    ),
    "norms": lambda: nn.Sequential(
        nn.Conv2d(1, 4, 3),
        nn.GroupNorm(2, 4),
        nn.SiLU(),
        nn.AvgPool2d(2),
        nn.InstanceNorm2d(4, affine=True),
        nn.Flatten(),
        nn.LayerNorm(16),
        nn.Tanh(),
        nn.Linear(16, 3),
    ),
    # While it trains its largest singular value moves with the weights, and its own gradient
    # leaves that out: it is right only where the value stays.
    "spectral": lambda: nn.Sequential(
        nn.Flatten(), nn.utils.parametrizations.spectral_norm(nn.Linear(36, 3))
    ).eval(),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_right_gradients_pass(name: str) -> None:
    inputs, targets = images()
    found = check_gradients(NETWORKS[name](), nn.CrossEntropyLoss(), inputs, targets)
    assert found.ok, str(found)
    assert found.culprits == ()
    assert found.inputs is not None
    assert all(each.worst_error < 1e-4 for each in (*found.parameters, found.inputs))
    assert found.verdict.startswith("The gradients are right")


def test_a_layer_with_a_wrong_backward_is_named() -> None:
    inputs, targets = images()
    network = nn.Sequential(nn.Flatten(), nn.Linear(36, 5), WrongLayer(), nn.Linear(5, 3))
    found = check_gradients(network, nn.CrossEntropyLoss(), inputs, targets)
    assert not found.ok
    assert found.culprits == ("2 (WrongLayer)",)
    by_name = {each.name: each for each in (*found.parameters, *found.layers)}
    # What lies before it gets half of its gradient, what lies after it all.
    assert by_name["1.weight"].verdict == "wrong"
    assert by_name["1.weight"].backward == pytest.approx(
        by_name["1.weight"].differences / 2, rel=1e-4
    )
    assert by_name["1.weight"].worst_error == pytest.approx(0.5, abs=1e-3)
    assert by_name["3.weight"].verdict == "right"
    assert by_name["1: weight"].verdict == "right"
    assert by_name["2: input"].verdict == "wrong"
    assert found.verdict == "A backward pass is wrong: 2 (WrongLayer)."
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["ok"] is False


def test_a_wrong_backward_between_layers_is_found() -> None:
    class Between(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.c = nn.Linear(36, 4), nn.Linear(4, 4), nn.Linear(4, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.c(WrongSquare.apply(self.b(self.a(x.flatten(1)))))

    inputs, targets = images()
    found = check_gradients(Between(), nn.CrossEntropyLoss(), inputs, targets)
    assert found.culprits == ("between b and the output of c, in code of no layer",)


def test_a_wrong_loss_is_found() -> None:
    inputs, targets = images()
    found = check_gradients(
        nn.Sequential(nn.Flatten(), nn.Linear(36, 1)),
        lambda output, _target: WrongSquare.apply(output).mean(),
        inputs,
        targets,
    )
    assert found.culprits == ("after the output of 1: in the network's own code, or in the loss",)


def test_a_gradient_that_is_cut_off_is_caught() -> None:
    class Cut(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b, self.unused = nn.Linear(36, 4), nn.Linear(4, 3), nn.Linear(2, 2)

        def forward(self, x: Tensor) -> Tensor:
            return self.b(self.a(x.flatten(1)).detach())

    inputs, targets = images()
    found = check_gradients(Cut(), nn.CrossEntropyLoss(), inputs, targets)
    verdicts = {each.name: each.verdict for each in found.parameters}
    assert verdicts["a.weight"] == "cut off"
    assert verdicts["b.weight"] == "right"
    assert verdicts["unused.weight"] == "no part in it"
    assert not found.ok
    assert found.culprits == ("between a and the output of b, in code of no layer",)


def test_kinks_are_told_from_faults() -> None:
    # max(0, z) at z = 0 for all units: torch's derivative 0 lies between those of the two sides.
    network = nn.Sequential(nn.Linear(3, 2), nn.ReLU())
    nn.init.zeros_(network[0].bias)
    found = check_gradients(network, nn.MSELoss(), torch.zeros(2, 3), torch.ones(2, 2))
    assert found.ok
    verdicts = {each.name: each for each in found.parameters}
    assert verdicts["0.bias"].n_kinks == 2
    assert verdicts["0.bias"].verdict == "right, at a kink"


@pytest.mark.parametrize(
    ("function", "backward", "verdict"),
    [
        (lambda x: 3 * x + x * x, 3.0, "right"),
        (lambda x: 3 * x + x * x, 3.1, "wrong"),
        (lambda x: 3 * x, 0.0, "wrong"),
        (lambda _x: 0.0, 0.0, "right"),
        (lambda _x: 0.0, 1.0, "wrong"),
        # Sides of 0 and 1: any number between is a derivative, 2 is not.
        (lambda x: max(0.0, x), 0.0, "kink"),
        (lambda x: max(0.0, x), 1.0, "kink"),
        (lambda x: max(0.0, x), 2.0, "wrong"),
        (lambda x: max(0.0, x), -0.5, "wrong"),
        # A kink within the step, not at 0: a smaller step does not see it.
        (lambda x: max(0.0, x - 3e-7), 0.0, "kink"),
        (lambda x: max(0.0, x - 3e-7), 0.5, "wrong"),
        (lambda _x: float("nan"), 0.5, "wrong"),
        (lambda x: x, float("nan"), "wrong"),
    ],
)
def test_one_derivative(function: Any, backward: float, verdict: str) -> None:
    found = compared(function, backward, step=1e-6, tolerance=1e-5, here=function(0.0))
    assert found.verdict == verdict


def test_the_network_stays_as_it_is() -> None:
    inputs, targets = images()
    network = NETWORKS["convolutional"]()
    before = {name: value.clone() for name, value in network.state_dict().items()}
    random = torch.get_rng_state()
    check_gradients(network, nn.CrossEntropyLoss(), inputs, targets)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert all(p.dtype == torch.float32 and p.grad is None for p in network.parameters())
    assert torch.equal(torch.get_rng_state(), random)


def test_the_same_seed_checks_the_same() -> None:
    inputs, targets = images()
    network = NETWORKS["dropout"]()
    one, same, other = (
        check_gradients(network, nn.CrossEntropyLoss(), inputs, targets, seed=seed)
        for seed in (1, 1, 2)
    )
    assert one == same
    assert one.loss != other.loss  # other units are dropped


def test_evaluation_mode_is_kept() -> None:
    inputs, targets = images()
    network = NETWORKS["dropout"]().eval()
    found = check_gradients(network, nn.CrossEntropyLoss(), inputs, targets)
    expected = nn.functional.cross_entropy(network.double()(inputs.double()), targets)
    assert found.loss == pytest.approx(expected.item(), rel=1e-12)


def test_frozen_weights_and_whole_inputs_are_said() -> None:
    network = nn.Sequential(nn.Embedding(5, 3), nn.Flatten(), nn.Linear(6, 2))
    network[2].bias.requires_grad_(False)
    found = check_gradients(
        network, nn.CrossEntropyLoss(), torch.tensor([[0, 1], [4, 2]]), torch.tensor([0, 1])
    )
    assert found.ok
    assert found.inputs is None
    assert found.notes == (
        "not checked, for they get no gradient: 2.bias",
        "not checked: inputs, which are whole numbers",
    )


def test_weights_of_the_loss_become_float64() -> None:
    class Weighted:
        def __init__(self) -> None:
            self.weight = torch.tensor([1.0, 2.0, 3.0])

        def __call__(self, output: Tensor, target: Tensor) -> Tensor:
            return nn.functional.cross_entropy(output, target, self.weight)

    inputs, targets = images()
    network = nn.Sequential(nn.Flatten(), nn.Linear(36, 3))
    loss = Weighted()
    for each in (loss, nn.CrossEntropyLoss(weight=loss.weight)):
        assert check_gradients(network, each, inputs, targets).ok
    assert loss.weight.dtype == torch.float32


class Float32Layer(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x.float() * 2


class OwnTensor(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x @ torch.ones(3, 3)


class OwnRandomness(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return x * torch.rand(1, generator=GENERATOR)


class NoCopy(nn.Linear):
    def __init__(self) -> None:
        super().__init__(3, 3)
        self.lock = threading.Lock()


class Stubborn(nn.Linear):
    def _apply(self, *_given: Any, **_options: Any) -> Any:
        return self


GENERATOR = torch.Generator()


@pytest.mark.parametrize(
    ("network", "message"),
    [
        (Float32Layer(), "expected a loss in float64, got float32"),
        (OwnTensor(), "compute in float64, got .*make them as the input's"),
        (OwnRandomness(), "the same loss twice"),
        (NoCopy(), "can be copied and made float64, got TypeError"),
        (Stubborn(3, 3), "weights that become float64, got float32.* - at weight"),
        (nn.LazyLinear(3), "still lazy"),
    ],
)
def test_what_cannot_be_checked_is_refused(network: nn.Module, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_gradients(
            network, lambda output, _target: output.sum(), torch.ones(2, 3), torch.ones(2)
        )


def test_senseless_settings_are_refused() -> None:
    network, one = nn.Linear(1, 1), torch.ones(1, 1)
    with pytest.raises(InputError, match="at least 1 entry"):
        check_gradients(network, nn.MSELoss(), one, one, n_entries=0)
    with pytest.raises(InputError, match="above 0, got 0 and"):
        check_gradients(network, nn.MSELoss(), one, one, step=0)
    with pytest.raises(InputError, match="a loss that is a number, got nan"):
        check_gradients(network, nn.MSELoss(), one * torch.nan, one)
    with pytest.raises(InputError, match="a loss of one number"):
        check_gradients(network, lambda output, _target: output, torch.ones(2, 1), one)
