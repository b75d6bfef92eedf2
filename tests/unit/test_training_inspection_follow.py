"""A batch followed through a network: numbers worked by hand, and nothing left behind."""

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
from snellen.training.inspection import FollowedBatch, follow_batch
from snellen.training.inspection.worked import sum_text


def by_hand() -> tuple[nn.Sequential, Tensor, Tensor]:
    """Return two inputs, two hidden units with ReLU, one output.

    Forward, for x = (1, 2) and the target 0.5:
        z₁ = 0.5·1 − 0.25·2 + 0.25 = 0.25       a₁ = 0.25
        z₂ = −0.5·1 + 0.25·2 − 0.25 = −0.25     a₂ = 0
        o  = 2·0.25 − 1·0 + 0.5 = 1             L = (1 − 0.5)² = 0.25
    Backward:
        ∂L/∂o = 2·(1 − 0.5) = 1
        ∂L/∂v = (1·0.25, 1·0) = (0.25, 0)       ∂L/∂c = 1
        ∂L/∂a = (2, −1)                         ∂L/∂z = (2·1, −1·0) = (2, 0)
        ∂L/∂W = ((2·1, 2·2), (0, 0))            ∂L/∂b = (2, 0)
        ∂L/∂x = (0.5·2, −0.25·2) = (1, −0.5)
    One step of SGD with rate 0.1:
        v = (1.975, −1)   c = 0.4   W = ((0.3, −0.65), (−0.5, 0.25))   b = (0.05, −0.25)
    Forward again:
        z₁ = 0.3 − 1.3 + 0.05 = −0.95, z₂ = −0.25, so o = 0.4 and L = 0.01
    """
    network = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
    with torch.no_grad():
        network[0].weight.copy_(torch.tensor([[0.5, -0.25], [-0.5, 0.25]]))
        network[0].bias.copy_(torch.tensor([0.25, -0.25]))
        network[2].weight.copy_(torch.tensor([[2.0, -1.0]]))
        network[2].bias.copy_(torch.tensor([0.5]))
    return network, torch.tensor([[1.0, 2.0]]), torch.tensor([[0.5]])


def followed_by_hand() -> FollowedBatch:
    network, inputs, targets = by_hand()
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    return follow_batch(network, nn.MSELoss(), inputs, targets, optimizer)


def test_forward_and_backward_worked_by_hand() -> None:
    found = followed_by_hand()
    hidden, activation, output = found.layers
    assert found.loss == 0.25
    assert found.loss_after == pytest.approx(0.01, rel=1e-5)
    (sample,) = hidden.samples
    assert sample.inputs == (1.0, 2.0)
    assert sample.outputs == (0.25, -0.25)
    assert sample.output_gradients == (2.0, 0.0)
    assert sample.input_gradients == (1.0, -0.5)
    # Of a linear layer the local derivative is the matrix itself.
    assert sample.derivative == ((0.5, -0.25), (-0.5, 0.25))
    (sample,) = activation.samples
    assert sample.outputs == (0.25, 0.0)
    assert sample.output_gradients == (2.0, -1.0)
    assert sample.derivative == ((1.0, 0.0), (0.0, 0.0))
    (sample,) = output.samples
    assert sample.outputs == (1.0,)
    assert sample.output_gradients == (1.0,)
    assert sample.derivative == ((2.0, -1.0),)
    assert found.product_difference == 0.0


def test_weights_before_and_after_worked_by_hand() -> None:
    hidden, _, output = followed_by_hand().layers
    weights = {weight.index: weight for weight in hidden.parameters[0].weights}
    assert [weights[index].gradient for index in ("[0,0]", "[0,1]", "[1,0]")] == [2.0, 4.0, 0.0]
    assert weights["[0,1]"].before == -0.25
    assert weights["[0,1]"].after == pytest.approx(-0.65)
    assert weights["[0,1]"].update == pytest.approx(-0.4)
    assert weights["[0,1]"].worked is not None
    assert weights["[0,1]"].worked.value == pytest.approx(-0.65)
    assert weights["[0,1]"].worked.numbers == "−0.25 − 0.1·4 = −0.65"
    # The update is (−0.2, −0.4, 0, 0), the weights (0.5, −0.25, −0.5, 0.25): √0.2 by √0.625.
    assert hidden.parameters[0].ratio == pytest.approx(math.sqrt(0.2 / 0.625), rel=1e-6)
    assert [weight.after for weight in output.parameters[0].weights] == pytest.approx([1.975, -1])
    assert output.parameters[1].weights[0].after == pytest.approx(0.4)


def test_formulas_with_numbers() -> None:
    hidden, activation, output = followed_by_hand().layers
    lines = {each.what: each.numbers for each in hidden.worked}
    assert lines["output of unit 0"] == "0.5·1 + (−0.25)·2 + 0.25 = 0.25"
    assert lines["gradient of weight [0,1]"] == "2·2 = 4"
    assert lines["gradient of bias [0]"] == "2·1 = 2"
    assert lines["gradient of input [0]"] == "0.5·2 + (−0.5)·0 = 1"
    lines = {each.what: each.numbers for each in activation.worked}
    assert lines["output [1]"] == "z = −0.25, so a = 0"
    assert lines["gradient of input [0]"] == "2·1 = 2"
    assert lines["gradient of input [1]"] == "(−1)·0 = 0"
    lines = {each.what: each.numbers for each in output.worked}
    assert lines["output of unit 0"] == "2·0.25 + (−1)·0 + 0.5 = 1"
    (of_loss,) = followed_by_hand().loss_worked
    assert of_loss.numbers == "2·(1 − 0.5)/1 = 1"


def test_text_and_plain_values() -> None:
    found = followed_by_hand()
    text = str(found)
    assert text.startswith("1 sample, loss 0.25; after one step of SGD with rate 0.1: 0.01")
    assert "0.5·1 + (−0.25)·2 + 0.25 = 0.25" in text
    values = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert values["layers"][0]["samples"][0]["outputs"] == [0.25, -0.25]
    assert "maps" not in values["layers"][0]


def test_sums_with_many_terms_show_the_largest() -> None:
    text, value = sum_text([(float(k), 1.0) for k in range(10)])
    assert text == "6·1 + 7·1 + 8·1 + 9·1 + [6 more products: 15] = 45"
    assert value == 45.0


@pytest.mark.parametrize(
    ("make", "second"),
    [
        (lambda p: torch.optim.SGD(p, 0.1), False),
        (lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, nesterov=True, weight_decay=0.1), True),
        (lambda p: torch.optim.SGD(p, 0.1, momentum=0.9, dampening=0.5), True),
        (lambda p: torch.optim.Adam(p, 0.1, weight_decay=0.1), True),
        (lambda p: torch.optim.AdamW(p, 0.1, weight_decay=0.1), True),
    ],
)
def test_updates_worked_equal_those_of_torch(make: Any, second: bool) -> None:
    network, inputs, targets = by_hand()
    optimizer = make(network.parameters())
    for _ in range(2 if second else 0):
        follow_batch(network, nn.MSELoss(), inputs, targets, optimizer, keep=True)
    found = follow_batch(network, nn.MSELoss(), inputs, targets, optimizer)
    seen = 0
    for layer in found.layers:
        for parameter in layer.parameters:
            for weight in parameter.weights:
                assert weight.worked is not None
                assert weight.worked.value == pytest.approx(weight.after, rel=1e-5, abs=1e-6)
                seen += 1
    assert seen == 9


def test_no_formula_is_made_up_for_other_optimizers() -> None:
    network, inputs, targets = by_hand()
    for optimizer in (
        torch.optim.RMSprop(network.parameters(), 0.1),
        torch.optim.Adam(network.parameters(), 0.1, amsgrad=True),
        torch.optim.SGD(network.parameters(), 0.1, maximize=True),
    ):
        found = follow_batch(network, nn.MSELoss(), inputs, targets, optimizer)
        assert found.layers[0].parameters[0].weights[0].worked is None


LAYERS: dict[str, tuple[Any, tuple[int, ...]]] = {
    "conv": (lambda: nn.Conv2d(2, 4, 3), (3, 2, 7, 6)),
    "conv stride and padding": (lambda: nn.Conv2d(2, 4, 3, stride=2, padding=1), (3, 2, 7, 6)),
    "conv same, even": (lambda: nn.Conv2d(2, 4, (4, 2), padding="same"), (3, 2, 7, 6)),
    "conv valid, dilated": (lambda: nn.Conv2d(2, 4, 3, padding="valid", dilation=2), (3, 2, 7, 6)),
    "conv groups, no bias": (lambda: nn.Conv2d(4, 4, 3, groups=2, bias=False), (3, 4, 7, 6)),
    "depthwise": (lambda: nn.Conv2d(4, 8, 3, groups=4, padding=1), (3, 4, 7, 6)),
    "batch norm": (lambda: nn.BatchNorm2d(2), (3, 2, 4, 4)),
    "batch norm of features": (lambda: nn.BatchNorm1d(5), (6, 5)),
    "batch norm after": (lambda: nn.BatchNorm2d(2).eval(), (3, 2, 4, 4)),
    "leaky": (lambda: nn.LeakyReLU(0.1), (3, 9)),
    "gelu": (nn.GELU, (3, 9)),
    "silu": (nn.SiLU, (3, 9)),
    "tanh": (nn.Tanh, (3, 9)),
    "sigmoid": (nn.Sigmoid, (3, 9)),
    "max pool": (lambda: nn.MaxPool2d(2), (3, 2, 6, 6)),
    "max pool, padded": (lambda: nn.MaxPool2d(3, stride=2, padding=1), (3, 2, 7, 7)),
    "linear": (lambda: nn.Linear(9, 7, bias=False), (3, 9)),
}


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel:UserWarning")
@pytest.mark.parametrize("name", LAYERS)
def test_formulas_equal_what_torch_computes(name: str) -> None:
    make, shape = LAYERS[name]
    torch.manual_seed(3)
    # Something before it, so that a gradient comes back, and a head that mixes.
    layer = make()
    network = nn.Sequential(nn.Identity(), layer, nn.Flatten(), nn.LazyLinear(3))
    inputs = torch.randn(shape)
    training = layer.training
    network(inputs)
    layer.train(training)
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    targets = torch.arange(shape[0]) % 3
    found = follow_batch(network, nn.CrossEntropyLoss(), inputs, targets, optimizer, samples=[1])
    worked = found.layers[1].worked
    assert worked
    for each in (*worked, *found.loss_worked):
        assert each.value == pytest.approx(each.actual, rel=1e-4, abs=1e-6), each
    assert found.product_difference <= 1e-6


def test_gradients_of_cross_entropy() -> None:
    # Two equal logits: p = (½, ½), and ∂L/∂z = (p − y)/n = (−½, ½)/1.
    network = nn.Linear(1, 2, bias=False)
    nn.init.zeros_(network.weight)
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    found = follow_batch(
        network, nn.CrossEntropyLoss(), torch.ones(1, 1), torch.tensor([0]), optimizer
    )
    assert found.loss == pytest.approx(math.log(2))
    assert found.layers[0].name == "Linear"
    assert [each.value for each in found.loss_worked] == [0.5, -0.5, 0.5, 0.5]


class Residual(nn.Module):
    def __init__(self, *, inplace: bool) -> None:
        super().__init__()
        self.first = nn.Linear(4, 4)
        self.relu = nn.ReLU(inplace=inplace)
        self.second = nn.Linear(4, 4)
        self.last = nn.Linear(4, 3)
        self.scale = nn.Parameter(torch.tensor(0.5))

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.first(x))
        return self.last(self.relu(self.scale * self.second(x) + x))


@pytest.mark.parametrize("inplace", [False, True])
def test_two_paths_and_a_layer_called_twice(inplace: bool) -> None:
    torch.manual_seed(0)
    network = Residual(inplace=inplace)
    inputs, targets = torch.randn(5, 4), torch.tensor([0, 1, 2, 0, 1])
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    found = follow_batch(network, nn.CrossEntropyLoss(), inputs, targets, optimizer)
    assert [layer.name for layer in found.layers] == [
        "first",
        "relu",
        "second",
        "relu (call 2)",
        "last",
    ]
    assert found.product_difference <= 1e-6
    assert [parameter.name for parameter in found.other_parameters] == ["scale"]
    # As plain autograd has them.
    value = nn.functional.cross_entropy(network(inputs), targets)
    (expected,) = torch.autograd.grad(value, network.first.weight)
    shown = found.layers[0].parameters[0].gradient
    assert shown is not None
    assert shown.norm == pytest.approx(float(expected.norm()), rel=1e-6)


def test_output_that_several_layers_take() -> None:
    class Fork(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.stem, self.left, self.right = nn.Linear(2, 2), nn.Linear(2, 1), nn.Linear(2, 1)

        def forward(self, x: Tensor) -> Tensor:
            x = self.stem(x)
            return self.left(x) + self.right(x)

    network = Fork()
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    found = follow_batch(network, nn.MSELoss(), torch.randn(3, 2), torch.randn(3, 1), optimizer)
    stem, left, right = found.layers
    assert [layer.n_uses for layer in found.layers] == [2, 0, 0]
    # What comes to the stem's output is the sum of what both send back.
    for total, *parts in zip(
        *(
            getattr(layer.samples[0], name)
            for layer, name in (
                (stem, "output_gradients"),
                (left, "input_gradients"),
                (right, "input_gradients"),
            )
        ),
        strict=True,
    ):
        assert total == pytest.approx(sum(parts), rel=1e-6)


def test_weights_that_two_layers_share() -> None:
    class Tied(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.a, self.b = nn.Linear(4, 4), nn.Linear(4, 4)
            self.b.weight = self.a.weight

        def forward(self, x: Tensor) -> Tensor:
            return self.b(torch.tanh(self.a(x)))

    torch.manual_seed(0)
    network = Tied()
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    found = follow_batch(network, nn.MSELoss(), torch.randn(3, 4), torch.randn(3, 4), optimizer)
    a, b = found.layers
    # Their gradient is the sum of both calls' and so is not worked out of one of them.
    assert [each.name for each in a.parameters] == ["a.weight", "a.bias"]
    assert [each.name for each in b.parameters] == ["b.bias"]
    for each in (*a.worked, *b.worked):
        assert "weight" not in each.what
        assert each.value == pytest.approx(each.actual, rel=1e-5, abs=1e-7)
    assert any("bias" in each.what for each in a.worked)


def test_attention_over_one_tensor() -> None:
    class Attention(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.recurrent = nn.LSTM(3, 4, batch_first=True)
            self.attention = nn.MultiheadAttention(4, 2, batch_first=True)
            self.head = nn.Linear(4, 2)

        def forward(self, x: Tensor) -> Tensor:
            x, _ = self.recurrent(x)
            mixed, _ = self.attention(x, x, x)
            return self.head((x + mixed).mean(1))

    torch.manual_seed(0)
    network = Attention()
    optimizer = torch.optim.AdamW(network.parameters())
    found = follow_batch(
        network,
        nn.CrossEntropyLoss(),
        torch.randn(5, 6, 3),
        torch.tensor([0, 1, 0, 1, 1]),
        optimizer,
        samples=(0, 4),
    )
    assert [layer.name for layer in found.layers] == ["recurrent", "attention", "head"]
    # Query, key and value are one tensor: its gradient is that of all three.
    assert found.product_difference <= 1e-6
    assert [each.name for each in found.layers[1].parameters][-1] == "attention.out_proj.bias"


def test_an_activation_in_place_whose_result_is_not_taken() -> None:
    class Careless(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.relu, self.last = nn.Linear(4, 6), nn.ReLU(True), nn.Linear(6, 3)

        def forward(self, x: Tensor) -> Tensor:
            x = self.first(x)
            self.relu(x)  # changes x
            return self.last(x)

    torch.manual_seed(0)
    network = Careless()
    inputs, targets = torch.randn(5, 4), torch.tensor([0, 1, 2, 0, 1])
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    found = follow_batch(network, nn.CrossEntropyLoss(), inputs, targets, optimizer)
    value = nn.functional.cross_entropy(network(inputs), targets)
    assert found.loss == value.item()
    (expected,) = torch.autograd.grad(value, network.first.weight)
    shown = found.layers[0].parameters[0].gradient
    assert shown is not None
    assert shown.norm == pytest.approx(float(expected.norm()), rel=1e-6)
    assert found.product_difference <= 1e-6
    # What came out of the first layer, before it was changed.
    assert found.layers[0].output.minimum < 0 == found.layers[1].output.minimum


def restless() -> tuple[nn.Sequential, torch.optim.Optimizer, Tensor, Tensor]:
    """Return a network with running statistics and dropout, and an optimizer with a past."""
    torch.manual_seed(1)
    network = nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True), nn.Dropout(0.5), nn.Flatten()
    )
    network.append(nn.Linear(4 * 16, 3))
    inputs, targets = torch.randn(5, 1, 6, 6), torch.tensor([0, 1, 2, 0, 1])
    optimizer = torch.optim.AdamW(network.parameters(), 0.01)
    for _ in range(2):
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(inputs), targets).backward()
        optimizer.step()
    return network, optimizer, inputs, targets


def bits(network: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    """Return everything that a step would change, as bytes."""
    return {
        "weights": {k: v.numpy().tobytes() for k, v in network.state_dict().items()},
        "gradients": [
            None if p.grad is None else p.grad.numpy().tobytes() for p in network.parameters()
        ],
        "modes": [module.training for module in network.modules()],
        "optimizer": [
            {k: v.numpy().tobytes() for k, v in optimizer.state[p].items()}
            for p in network.parameters()
        ],
        "settings": [{k: v for k, v in g.items() if k != "params"} for g in optimizer.param_groups],
        "random": (
            torch.get_rng_state().numpy().tobytes(),
            random.getstate(),
            np.random.get_state()[1].tobytes(),  # noqa: NPY002 - the global one
        ),
    }


def test_everything_is_put_back_bit_for_bit() -> None:
    network, optimizer, inputs, targets = restless()
    before = bits(network, optimizer)
    objects = [id(p) for p in (*network.parameters(), *network.buffers())]
    found = follow_batch(network, nn.CrossEntropyLoss(), inputs, targets, optimizer)
    assert bits(network, optimizer) == before
    assert [id(p) for p in (*network.parameters(), *network.buffers())] == objects
    assert not found.kept
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())
    # The dropped units are the same in the second run of that layer alone.
    assert found.product_difference <= 1e-6


def test_put_back_after_an_error_too() -> None:
    network, optimizer, inputs, targets = restless()
    before = bits(network, optimizer)

    def broken(_output: Tensor, _target: Tensor) -> Tensor:
        raise RuntimeError("no loss today")

    with pytest.raises(RuntimeError, match="no loss today"):
        follow_batch(network, broken, inputs, targets, optimizer)
    assert bits(network, optimizer) == before
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in network.modules())


def test_kept_it_is_an_ordinary_step() -> None:
    network, optimizer, inputs, targets = restless()
    follow_batch(network, nn.CrossEntropyLoss(), inputs, targets, optimizer, keep=True)
    followed = bits(network, optimizer)
    network, optimizer, inputs, targets = restless()
    optimizer.zero_grad()
    nn.functional.cross_entropy(network(inputs), targets).backward()
    optimizer.step()
    assert bits(network, optimizer) == followed


def test_whole_numbers_as_inputs() -> None:
    network = nn.Sequential(nn.Embedding(5, 3), nn.Flatten(), nn.Linear(6, 2))
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    found = follow_batch(
        network,
        nn.CrossEntropyLoss(),
        torch.tensor([[0, 1], [4, 2]]),
        torch.tensor([0, 1]),
        optimizer,
    )
    assert found.layers[0].input_gradient is None
    assert found.layers[0].samples[0].derivative == ()
    assert found.layers[0].parameters[0].gradient is not None


def test_layers_without_gradient_say_so() -> None:
    network, inputs, targets = by_hand()
    for parameter in network[0].parameters():
        parameter.requires_grad_(False)
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    found = follow_batch(network, nn.MSELoss(), inputs, targets, optimizer)
    assert found.layers[0].parameters[0].gradient is None
    assert found.layers[0].parameters[0].ratio == 0.0
    assert found.layers[2].parameters[0].gradient is not None


def test_what_cannot_be_followed_is_refused() -> None:
    network, inputs, targets = by_hand()
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    with pytest.raises(InputError, match=r"samples from 0 to 0, got 1 - at samples"):
        follow_batch(network, nn.MSELoss(), inputs, targets, optimizer, samples=[1])
    with pytest.raises(InputError, match="at least one sample"):
        follow_batch(network, nn.MSELoss(), inputs, targets, optimizer, samples=[])
    with pytest.raises(InputError, match="at least 1 unit"):
        follow_batch(network, nn.MSELoss(), inputs, targets, optimizer, n_units=0)
    with pytest.raises(InputError, match=r"a loss of one number .* got shape \(2, 1\)"):
        follow_batch(
            network,
            nn.MSELoss(reduction="none"),
            inputs.repeat(2, 1),
            targets.repeat(2, 1),
            optimizer,
        )
    with pytest.raises(InputError, match="something detaches it"):
        follow_batch(
            network, lambda o, t: ((o - t) ** 2).mean().detach(), inputs, targets, optimizer
        )
    lbfgs = torch.optim.LBFGS(network.parameters())
    with pytest.raises(InputError, match="steps by one gradient, got LBFGS"):
        follow_batch(network, nn.MSELoss(), inputs, targets, lbfgs)
    with pytest.raises(InputError, match="still lazy: run one batch"):
        follow_batch(nn.Sequential(nn.LazyLinear(2)), nn.MSELoss(), inputs, targets, optimizer)
