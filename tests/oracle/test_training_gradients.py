"""Gradients of every kind of layer against finite differences, in float64."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.autograd.gradcheck import GradcheckError

from snellen.training.choices import Choice, made
from snellen.training.network.layer_kinds import LAYERS

IMAGE = (4, 3, 4)
ROW = (6,)

# Every kind with the shapes and options that make it compute something else.
CASES: dict[str, list[tuple[tuple[int, ...], dict[str, object]]]] = {
    "conv": [
        (IMAGE, {"out": 3}),
        (IMAGE, {"out": 4, "kernel": [3, 1], "stride": 2, "groups": 2, "bias": False}),
        (IMAGE, {"out": 2, "padding": 1, "dilation": 2}),
    ],
    "depthwise": [(IMAGE, {}), (IMAGE, {"multiplier": 2, "stride": 2, "padding": 0})],
    "separable": [(IMAGE, {"out": 3, "stride": 2})],
    "transposed_conv": [
        (IMAGE, {"out": 2}),
        (IMAGE, {"out": 2, "kernel": 3, "padding": 1, "output_padding": 1}),
    ],
    "linear": [(ROW, {"out": 3}), (ROW, {"out": 3, "bias": False})],
    "batch_norm": [(ROW, {}), (IMAGE, {}), (IMAGE, {"affine": False, "momentum": 0.5})],
    "layer_norm": [(ROW, {}), (IMAGE, {"affine": False})],
    "group_norm": [(ROW, {"groups": 2}), (IMAGE, {"groups": 4})],
    "instance_norm": [(IMAGE, {}), (IMAGE, {"affine": False})],
    "relu": [(ROW, {}), (IMAGE, {})],
    "relu6": [(ROW, {})],
    "leaky_relu": [(ROW, {}), (ROW, {"slope": 0.3})],
    "prelu": [(IMAGE, {})],
    "gelu": [(ROW, {}), (ROW, {"approximate": "tanh"})],
    "silu": [(ROW, {})],
    "elu": [(ROW, {"alpha": 0.5})],
    "selu": [(ROW, {})],
    "tanh": [(ROW, {})],
    "sigmoid": [(ROW, {})],
    "softmax": [(ROW, {}), (IMAGE, {})],
    "softplus": [(ROW, {"beta": 2.0})],
    "max_pool": [(IMAGE, {}), (IMAGE, {"kernel": 3, "stride": 2, "padding": 1})],
    "avg_pool": [(IMAGE, {}), (IMAGE, {"kernel": 3, "stride": 1, "padding": 1})],
    "global_avg_pool": [(IMAGE, {})],
    "global_max_pool": [(IMAGE, {})],
    "adaptive_avg_pool": [(IMAGE, {"size": 2}), (IMAGE, {"size": [1, 4]})],
    "adaptive_max_pool": [(IMAGE, {"size": 2})],
    "up": [(IMAGE, {}), (IMAGE, {"factor": 3, "mode": "bilinear"})],
    "dropout": [(ROW, {}), (IMAGE, {"p": 0.2})],
    "dropout2d": [(IMAGE, {"p": 0.5})],
    "flatten": [(IMAGE, {})],
    "squeeze_excite": [(IMAGE, {"reduction": 2})],
    "residual": [
        (IMAGE, {"layers": [{"name": "conv", "out": 4}, "tanh"]}),
        (IMAGE, {"layers": [{"name": "conv", "out": 2, "stride": 2}, "batch_norm"]}),
        (ROW, {"layers": [{"name": "linear", "out": 3}, "tanh"]}),
        (ROW, {"layers": ["tanh"], "shortcut": "projection"}),
    ],
    "skip": [
        (IMAGE, {"layers": [{"name": "conv", "out": 2}, "tanh"]}),
        (ROW, {"layers": [{"name": "linear", "out": 2}]}),
    ],
}
EACH = [(name, *case) for name in LAYERS for case in CASES.get(name, [])]


def layer(name: str, shape: tuple[int, ...], options: dict[str, object]) -> nn.Module:
    torch.manual_seed(1)
    module, _ = made(Choice(name, options), LAYERS, "a layer", shape, place="")
    return module.double()


def gradients_agree(module: nn.Module, shape: tuple[int, ...]) -> bool:
    """Compare the gradients by inputs and parameters with finite differences."""
    torch.manual_seed(2)
    inputs = torch.randn(3, *shape, dtype=torch.float64, requires_grad=True)
    names = [name for name, _ in module.named_parameters()]
    values = [each.detach().clone().requires_grad_() for each in module.parameters()]

    def output(given: torch.Tensor, *parameters: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(3)  # a mask of dropout is a constant
        held = dict(zip(names, parameters, strict=True))
        found = torch.func.functional_call(module, held, (given,))
        assert isinstance(found, torch.Tensor)
        return found

    return bool(torch.autograd.gradcheck(output, (inputs, *values)))


def test_every_kind_has_a_case() -> None:
    assert set(CASES) == set(LAYERS)


@pytest.mark.parametrize(("name", "shape", "options"), EACH)
def test_gradients(name: str, shape: tuple[int, ...], options: dict[str, object]) -> None:
    assert gradients_agree(layer(name, shape, options), shape)


@pytest.mark.parametrize("name", ["batch_norm", "dropout", "dropout2d"])
def test_gradients_in_evaluation(name: str) -> None:
    assert gradients_agree(layer(name, IMAGE, {}).eval(), IMAGE)


@pytest.mark.parametrize("name", ["dropout", "dropout2d"])
def test_gradients_of_some_rows(name: str) -> None:
    module = layer(name, IMAGE, {})
    module.rows = (5, slice(1, 4))
    assert gradients_agree(module, IMAGE)


@pytest.mark.parametrize(("name", "shape", "options"), EACH)
def test_shapes(name: str, shape: tuple[int, ...], options: dict[str, object]) -> None:
    module, behind = made(Choice(name, options), LAYERS, "a layer", shape, place="")
    for n in (2, 3):
        assert tuple(module(torch.randn(n, *shape)).shape) == (n, *behind)


class _Wrong(torch.autograd.Function):
    """x², and 3 x for its derivative."""

    @staticmethod
    def forward(ctx: object, inputs: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(inputs)
        return inputs**2

    @staticmethod
    def backward(ctx: object, gradient: torch.Tensor) -> torch.Tensor:
        (inputs,) = ctx.saved_tensors
        return 3 * inputs * gradient


class _WrongLayer(nn.Module):
    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return _Wrong.apply(inputs)


def test_a_layer_with_a_wrong_backward_is_caught() -> None:
    with pytest.raises(GradcheckError, match="Jacobian mismatch"):
        gradients_agree(_WrongLayer(), ROW)
