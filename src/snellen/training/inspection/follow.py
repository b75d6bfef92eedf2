"""One batch followed through a network: forward, backward by the chain rule, update."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import math
from collections import Counter
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from snellen.errors import InputError
from snellen.table_text import aligned_lines
from snellen.training.inspection.layer_calls import (
    LayerCall,
    called_layers,
    draw_again,
    drawn_from,
    first_tensor,
)
from snellen.training.inspection.plain_values import plain
from snellen.training.inspection.tensor_statistics import (
    TensorStatistics,
    ratio_text,
    share_text,
    short,
)
from snellen.training.inspection.unchanged import refuse_unshaped, unchanged
from snellen.training.inspection.worked import Worked, index_text, worked_layer, worked_loss
from snellen.training.inspection.worked_update import worked_update

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np

__all__ = [
    "FollowedBatch",
    "FollowedLayer",
    "FollowedParameter",
    "FollowedSample",
    "FollowedWeight",
    "follow_batch",
]

# Pictures of activations: as many channels, and not above this size.
N_MAPS, MAP_SIZE = 8, 128


@dataclasses.dataclass(frozen=True)
class FollowedSample:
    """Numbers of one sample at one layer.

    Attributes
    ----------
    sample : int
        Its place in the batch.
    input_units, output_units : tuple of str
        The indices of the numbers that are shown.
    inputs, outputs : tuple of float
        Their values.
    input_gradients, output_gradients : tuple of float
        ∂L/∂ each; empty where no gradient came back.
    derivative : tuple of tuple of float
        The local derivative ∂output/∂input, a row for each output unit shown and a column for each
        input unit shown; empty where the layer has none.
    """

    sample: int
    input_units: tuple[str, ...]
    inputs: tuple[float, ...]
    input_gradients: tuple[float, ...]
    output_units: tuple[str, ...]
    outputs: tuple[float, ...]
    output_gradients: tuple[float, ...]
    derivative: tuple[tuple[float, ...], ...]


@dataclasses.dataclass(frozen=True)
class FollowedWeight:
    """One weight: before, its gradient, its update, after.

    Attributes
    ----------
    index : str
        Which of the parameter's.
    before, gradient, update, after : float
        ``after`` is ``before + update``.
    worked : Worked or None
        The optimizer's formula with the numbers, where it is known here.
    """

    index: str
    before: float
    gradient: float
    update: float
    after: float
    worked: Worked | None


@dataclasses.dataclass(frozen=True)
class FollowedParameter:
    """A parameter before and after the update.

    Attributes
    ----------
    name : str
        As the network names it.
    before, update, after : TensorStatistics
        Of all its weights.
    gradient : TensorStatistics or None
        None where no gradient reached it.
    ratio : float
        The norm of the update by the norm of the weights before; infinite where these were 0.
    weights : tuple of FollowedWeight
        Those with the largest gradients.
    """

    name: str
    before: TensorStatistics
    gradient: TensorStatistics | None
    update: TensorStatistics
    after: TensorStatistics
    ratio: float
    weights: tuple[FollowedWeight, ...]


@dataclasses.dataclass(frozen=True)
class FollowedLayer:
    """One call of a layer.

    Attributes
    ----------
    name, kind, text : str
        The layer's name, its class, and how it describes itself.
    inputs, output : TensorStatistics
        Of the whole batch.
    input_gradient, output_gradient : TensorStatistics or None
        ∂L/∂input by way of this layer, and ∂L/∂output; None where none came back.
    product_difference : float
        Between the input's gradient as autograd had it, and the output's gradient times the local
        derivative of this layer alone: the largest difference by the largest entry. NaN without.
    n_uses : int
        How many layers take this very output. From two on, gradients of several paths add up in it.
    samples : tuple of FollowedSample
        The numbers of the chosen samples.
    worked : tuple of Worked
        Numbers of the first chosen sample, computed again.
    parameters : tuple of FollowedParameter
        The layer's own.
    maps : ndarray or None
        Pictures of the first chosen sample's output, shape (channels, rows, columns).
    gradient_maps : ndarray or None
        The same of ∂L/∂output.
    """

    name: str
    kind: str
    text: str
    inputs: TensorStatistics
    output: TensorStatistics
    input_gradient: TensorStatistics | None
    output_gradient: TensorStatistics | None
    product_difference: float
    n_uses: int
    samples: tuple[FollowedSample, ...]
    worked: tuple[Worked, ...]
    parameters: tuple[FollowedParameter, ...]
    maps: np.ndarray[Any, Any] | None = dataclasses.field(repr=False)
    gradient_maps: np.ndarray[Any, Any] | None = dataclasses.field(repr=False)


@dataclasses.dataclass(frozen=True)
class FollowedBatch:
    """A batch on its way through a network and back.

    Attributes
    ----------
    loss, loss_after : float
        Of the batch, before and after the update.
    n_samples : int
        In the batch.
    optimizer : str
        Its class.
    learning_rates : tuple of float
        Of the groups of parameters.
    layers : tuple of FollowedLayer
        In the order in which they ran.
    loss_worked : tuple of Worked
        The gradient of the loss with respect to the outputs, worked out, where it is known here.
    other_parameters : tuple of FollowedParameter
        Those of no layer.
    product_difference : float
        The largest of the layers'.
    kept : bool
        Whether the update was left in the network.
    picture : ndarray or None
        The first chosen sample, shape (channels, rows, columns), where it is an image.
    """

    loss: float
    loss_after: float
    n_samples: int
    optimizer: str
    learning_rates: tuple[float, ...]
    layers: tuple[FollowedLayer, ...]
    loss_worked: tuple[Worked, ...]
    other_parameters: tuple[FollowedParameter, ...]
    product_difference: float
    kept: bool
    picture: np.ndarray[Any, Any] | None = dataclasses.field(repr=False)

    def to_dict(self) -> dict[str, Any]:
        """Return all numbers as plain values that JSON can hold, without the pictures."""
        found = plain(self)
        assert isinstance(found, dict)
        return found

    def __str__(self) -> str:
        rows = [
            ("layer", "output", "mean", "std", "zeros", "|∂L/∂output|", "chain rule", "|Δw|/|w|")
        ]
        for layer in self.layers:
            gradient = layer.output_gradient
            ratios = [each.ratio for each in layer.parameters]
            rows.append(
                (
                    layer.name,
                    "×".join(str(size) for size in layer.output.shape),
                    short(layer.output.mean),
                    short(layer.output.std),
                    share_text(layer.output.zeros),
                    "none" if gradient is None else short(gradient.norm),
                    _agreement(layer.product_difference),
                    " ".join(map(ratio_text, ratios)),
                )
            )
        rates = ", ".join(f"{rate:g}" for rate in self.learning_rates)
        samples = "1 sample" if self.n_samples == 1 else f"{self.n_samples:,} samples"
        lines = [
            f"{samples}, loss {self.loss:.6g}; after one step of {self.optimizer} with rate "
            f"{rates}: {self.loss_after:.6g}",
            "",
            *aligned_lines(rows, left=2),
        ]
        parameters = [
            *(each for layer in self.layers for each in layer.parameters),
            *self.other_parameters,
        ]
        if parameters:
            weights = [("weight", "before", "gradient", "update", "after")]
            for parameter in parameters:
                weights += [
                    (
                        f"{parameter.name}{weight.index}",
                        short(weight.before),
                        short(weight.gradient),
                        short(weight.update),
                        short(weight.after),
                    )
                    for weight in parameter.weights[:2]
                ]
            lines += ["", *aligned_lines(weights)]
        worked = [*(each for layer in self.layers for each in layer.worked[:3]), *self.loss_worked]
        if worked:
            lines += ["", "worked out, first chosen sample"]
        for layer in self.layers:
            lines += [
                f"  {layer.name}, {each.what}: {each.formula}\n    {each.numbers}"
                for each in layer.worked[:3]
            ]
        lines += [
            f"  loss, {each.what}: {each.formula}\n    {each.numbers}" for each in self.loss_worked
        ]
        return "\n".join(lines)


def _agreement(difference: float) -> str:
    if math.isnan(difference):
        return "-"
    return "equal" if difference == 0 else f"differs by {difference:.0e}"


def follow_batch(
    network: nn.Module,
    loss: Callable[[Any, Tensor], Tensor],
    inputs: Tensor,
    targets: Tensor,
    optimizer: torch.optim.Optimizer,
    *,
    samples: Sequence[int] = (0,),
    n_units: int = 4,
    keep: bool = False,
) -> FollowedBatch:
    """Follow one batch through a network: forward, backward, and one update.

    Parameters
    ----------
    network : nn.Module
        In the mode in which it is to be looked at; usually that of training.
    loss : callable
        Of output and targets; returns one number.
    inputs, targets : Tensor
        The batch, on the network's device.
    optimizer : torch.optim.Optimizer
        Of the network's parameters.
    samples : sequence of int
        Whose numbers are to be shown.
    n_units : int
        How many numbers of each layer, and weights of each parameter.
    keep : bool
        Leave the network, the optimizer and the random numbers as after an ordinary step. By
        default all are as before, bit for bit.

    Returns
    -------
    FollowedBatch
        ``str()`` is a table; `follow_page` makes a page of it.

    Raises
    ------
    InputError
        For a sample that the batch does not have, or a loss that is not one number with a gradient.

    Notes
    -----
    Each layer is run a second time alone, on what went into it, with the same random numbers. The
    gradient that came to its output, times the local derivative of that second run, is compared
    with the gradient that autograd sent on: this is the chain rule, seen from outside.
    """
    if n_units < 1:
        raise InputError(f"expected at least 1 unit to show, got {n_units}", "n_units")
    chosen = tuple(int(sample) for sample in samples)
    for sample in chosen:
        if not 0 <= sample < len(inputs):
            raise InputError(
                f"expected samples from 0 to {len(inputs) - 1}, got {sample}", "samples"
            )
    if not chosen:
        raise InputError("expected at least one sample to show, got none", "samples")
    if isinstance(optimizer, torch.optim.LBFGS):
        raise InputError(
            "expected an optimizer that steps by one gradient, got LBFGS, which computes the loss "
            "itself several times a step",
            "optimizer",
        )
    refuse_unshaped(network)
    with contextlib.nullcontext() if keep else unchanged(network, optimizer):
        return _followed(network, loss, inputs, targets, optimizer, chosen, n_units, keep)


def _followed(
    network: nn.Module,
    loss: Callable[[Any, Tensor], Tensor],
    inputs: Tensor,
    targets: Tensor,
    optimizer: torch.optim.Optimizer,
    samples: tuple[int, ...],
    n_units: int,
    keep: bool,
) -> FollowedBatch:
    optimizer.zero_grad()
    randomness = drawn_from(inputs)
    with torch.enable_grad(), called_layers(network) as calls:
        fed = inputs.detach()
        if fed.is_floating_point():
            # Not the leaf itself: that may not be changed in place, as a first layer might.
            fed = fed.clone().requires_grad_().clone()
        output = network(fed)
        value = loss(output, targets)
        if not isinstance(value, Tensor) or value.numel() != 1 or not value.requires_grad:
            got = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else repr(value)
            raise InputError(
                "expected a loss of one number that depends on the network's weights, got "
                f"{got}{_cut_off(value)}",
                "loss",
            )
        scored = first_tensor(output)
        output_gradient: list[Tensor] = []
        if scored is not None and scored.requires_grad:
            scored.register_hook(  # type: ignore[no-untyped-call]
                lambda gradient: output_gradient.append(gradient.detach())
            )
        value.backward()  # type: ignore[no-untyped-call]
    names = {id(parameter): name for name, parameter in network.named_parameters()}
    uses = Counter(id(each) for call in calls for each in call.module.parameters())
    shared = frozenset(parameter for parameter, n in uses.items() if n > 1)
    seen = [_seen_call(call, samples, n_units, shared) for call in calls]
    before = {name: parameter.detach().clone() for name, parameter in network.named_parameters()}
    state = {
        id(parameter): copy.deepcopy(dict(each)) for parameter, each in optimizer.state.items()
    }
    optimizer.step()

    groups = {id(each): group for group in optimizer.param_groups for each in group["params"]}
    of_layers: set[int] = set()
    layers = []
    for call, (product_difference, shown, worked) in zip(calls, seen, strict=True):
        own = []
        for parameter in call.module.parameters():
            if id(parameter) in names and id(parameter) not in of_layers:
                of_layers.add(id(parameter))
                own.append(
                    _parameter(
                        names[id(parameter)], parameter, before, optimizer, groups, state, n_units
                    )
                )
        layers.append(
            FollowedLayer(
                name=call.name,
                kind=type(call.module).__name__,
                text=str(call.module),
                inputs=TensorStatistics.of(call.inputs),
                output=TensorStatistics.of(call.output),
                input_gradient=_statistics(call.input_gradient),
                output_gradient=_statistics(call.output_gradient),
                product_difference=product_difference,
                n_uses=sum(each.source is call.made for each in calls),
                samples=shown,
                worked=worked,
                parameters=tuple(own),
                maps=_maps(call.output, samples[0]),
                gradient_maps=_maps(call.output_gradient, samples[0]),
            )
        )
    others = tuple(
        _parameter(name, parameter, before, optimizer, groups, state, n_units)
        for name, parameter in network.named_parameters()
        if id(parameter) not in of_layers
    )
    loss_worked: tuple[Worked, ...] = ()
    if scored is not None and output_gradient:
        loss_worked = tuple(worked_loss(scored, targets, output_gradient[0], samples[0]))
    loss_after = _loss_after(network, loss, inputs, targets, randomness)
    differences = [
        layer.product_difference for layer in layers if not math.isnan(layer.product_difference)
    ]
    return FollowedBatch(
        loss=value.item(),
        loss_after=loss_after,
        n_samples=len(inputs),
        optimizer=type(optimizer).__name__,
        learning_rates=tuple(float(group["lr"]) for group in optimizer.param_groups),
        layers=tuple(layers),
        loss_worked=loss_worked,
        other_parameters=others,
        product_difference=max(differences, default=math.nan),
        kept=keep,
        picture=_maps(inputs, samples[0])
        if inputs.ndim == 4 and inputs.shape[1] in (1, 3)
        else None,
    )


def _cut_off(value: Any) -> str:
    one = isinstance(value, Tensor) and value.numel() == 1
    return " without a gradient: something detaches it, or no weight is in it" if one else ""


def _loss_after(
    network: nn.Module,
    loss: Callable[[Any, Tensor], Tensor],
    inputs: Tensor,
    targets: Tensor,
    randomness: list[Tensor],
) -> float:
    """Return the loss of the same batch with the same random numbers; nothing else moves."""
    with unchanged(network), torch.no_grad():
        draw_again(randomness, inputs)
        return float(loss(network(inputs.detach().clone()), targets))


def _statistics(tensor: Tensor | None) -> TensorStatistics | None:
    return None if tensor is None else TensorStatistics.of(tensor)


def _maps(tensor: Tensor | None, sample: int) -> np.ndarray[Any, Any] | None:
    if tensor is None or tensor.ndim != 4 or max(tensor.shape[2:]) > MAP_SIZE:
        return None
    if min(tensor.shape[2:]) < 2:
        return None
    return tensor[sample, :N_MAPS].detach().to("cpu", torch.float32).numpy()


def _seen_call(
    call: LayerCall, samples: tuple[int, ...], n_units: int, shared: frozenset[int]
) -> tuple[float, tuple[FollowedSample, ...], tuple[Worked, ...]]:
    """Run a layer alone, and compare and show what its derivative is."""
    alone = call.inputs
    by_sample = min(
        call.output.ndim, call.inputs.ndim, call.output.numel(), call.inputs.numel()
    ) > 0 and len(call.output) == len(call.inputs)
    with unchanged(call.module), torch.enable_grad():
        if alone.is_floating_point():
            alone = alone.detach().clone().requires_grad_()
            output = call.again(alone.clone())
        else:
            output = call.again()
        difference = math.nan
        if alone.requires_grad and output.requires_grad and call.output_gradient is not None:
            product = torch.autograd.grad(
                output, alone, call.output_gradient, retain_graph=True, allow_unused=True
            )[0]
            if product is not None and call.input_gradient is not None:
                difference = _relative(product, call.input_gradient)
        if not by_sample or max(samples) >= len(call.output):
            return difference, (), ()
        units = _output_units(call, samples[0], n_units)
        shown = tuple(_sample(call, sample, units, n_units, alone, output) for sample in samples)
    both_ends = sorted({units[0], units[-1]}, key=units.index)
    return difference, shown, tuple(worked_layer(call, samples[0], both_ends, shared))


def _relative(one: Tensor, other: Tensor) -> float:
    if not one.numel():
        return math.nan
    scale = float(other.abs().max())
    apart = float((one - other).abs().max())
    return apart / scale if scale else apart


def _output_units(call: LayerCall, sample: int, n_units: int) -> list[int]:
    """Return the units to show: where the gradient is largest, and one that it does not pass."""
    values = call.output[sample].flatten().double()
    if len(values) <= n_units:
        return list(range(len(values)))
    gradient = (
        torch.zeros_like(values)
        if call.output_gradient is None
        else call.output_gradient[sample].flatten().double().abs()
    )
    # By gradient; where these are equal, by value.
    by_value = torch.argsort(values.abs(), descending=True, stable=True)
    order = by_value[torch.argsort(gradient[by_value], descending=True, stable=True)]
    found = [int(k) for k in order[:n_units]]
    if call.input_gradient is not None and call.input_gradient.shape == call.output.shape:
        # Of an activation also one unit that lets nothing through.
        passed = call.input_gradient[sample].flatten()
        closed = ((gradient > 0) & (passed == 0)).nonzero().flatten()
        if len(closed) and n_units > 1 and not any(bool(passed[k] == 0) for k in found):
            largest = closed[gradient[closed].argmax()]
            found = [*found[: n_units - 1], int(largest)]
    return found


def _sample(
    call: LayerCall, sample: int, units: list[int], n_units: int, alone: Tensor, output: Tensor
) -> FollowedSample:
    values = call.inputs[sample].flatten()
    columns = list(range(min(n_units, len(values))))
    derivative: tuple[tuple[float, ...], ...] = ()
    if alone.requires_grad and output.requires_grad:
        rows = []
        for unit in units:
            picked = torch.zeros(output.shape, dtype=output.dtype, device=output.device)
            picked[sample].view(-1)[unit] = 1
            row = torch.autograd.grad(output, alone, picked, retain_graph=True, allow_unused=True)[
                0
            ]
            rows.append(torch.zeros_like(values) if row is None else row[sample].detach().flatten())
        local = torch.stack(rows).double()
        columns = _input_units(call, local, values, units, n_units)
        derivative = tuple(tuple(float(row[j]) for j in columns) for row in local)
    outputs = call.output[sample].flatten()
    return FollowedSample(
        sample=sample,
        input_units=tuple(index_text(j, call.inputs.shape[1:]) for j in columns),
        inputs=tuple(float(values[j]) for j in columns),
        input_gradients=_picked(call.input_gradient, sample, columns),
        output_units=tuple(index_text(k, call.output.shape[1:]) for k in units),
        outputs=tuple(float(outputs[k]) for k in units),
        output_gradients=_picked(call.output_gradient, sample, units),
        derivative=derivative,
    )


def _input_units(
    call: LayerCall, local: Tensor, values: Tensor, units: list[int], n_units: int
) -> list[int]:
    if len(values) <= n_units:
        return list(range(len(values)))
    diagonal = call.inputs.shape == call.output.shape and bool((local != 0).sum(1).max() <= 1)
    if diagonal:
        return units
    # What counts most for the units shown.
    weight = (local * values.double()).abs().sum(0)
    if not bool(weight.any()):
        weight = local.abs().sum(0)
    return sorted(torch.argsort(weight, descending=True, stable=True)[:n_units].tolist())


def _picked(tensor: Tensor | None, sample: int, units: list[int]) -> tuple[float, ...]:
    if tensor is None:
        return ()
    flat = tensor[sample].flatten()
    return tuple(float(flat[k]) for k in units)


def _parameter(
    name: str,
    parameter: Tensor,
    before: dict[str, Tensor],
    optimizer: torch.optim.Optimizer,
    groups: dict[int, Any],
    state: dict[int, Any],
    n_units: int,
) -> FollowedParameter:
    old, new = before[name], parameter.detach()
    update = new.double() - old.double()
    norm = float(old.double().norm())
    moved = float(update.norm())
    gradient = parameter.grad
    weights = []
    order = (torch.zeros_like(old) if gradient is None else gradient.detach().abs()).flatten()
    for entry in torch.argsort(order, descending=True, stable=True)[:n_units].tolist():
        b, a = float(old.flatten()[entry]), float(new.flatten()[entry])
        g = math.nan if gradient is None else float(gradient.flatten()[entry])
        worked = None
        if gradient is not None and id(parameter) in groups:
            worked = worked_update(
                optimizer,
                groups[id(parameter)],
                state.get(id(parameter), {}),
                before=b,
                gradient=g,
                after=a,
                entry=entry,
            )
        weights.append(FollowedWeight(index_text(entry, old.shape), b, g, a - b, a, worked))
    return FollowedParameter(
        name=name,
        before=TensorStatistics.of(old),
        gradient=_statistics(gradient),
        update=TensorStatistics.of(update),
        after=TensorStatistics.of(new),
        ratio=moved / norm if norm else math.inf if moved else 0.0,
        weights=tuple(weights),
    )
