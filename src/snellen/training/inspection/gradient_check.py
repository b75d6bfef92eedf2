"""Is the backward pass of one's own network right: against differences, in float64."""

from __future__ import annotations

import dataclasses
import random
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from snellen.errors import InputError
from snellen.table_text import aligned_lines
from snellen.training.inspection.differences import Difference, compared
from snellen.training.inspection.float64_copy import (
    in_float64,
    loss_in_float64,
    network_in_float64,
)
from snellen.training.inspection.layer_calls import LayerCall, called_layers, layers
from snellen.training.inspection.plain_values import plain
from snellen.training.inspection.tensor_statistics import short
from snellen.training.inspection.unchanged import unchanged
from snellen.training.inspection.worked import index_text
from snellen.training.randomness import derived_seed, generator, unchanged_randomness

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["CheckedTensor", "GradientCheck", "check_gradients"]


@dataclasses.dataclass(frozen=True)
class CheckedTensor:
    """The gradient with respect to a parameter, or to what goes into a layer.

    Attributes
    ----------
    name : str
        Whose.
    n_entries : int
        As many of its entries were checked.
    worst_error : float
        The largest relative error of those that are no kink.
    entry : str
        The index of the worst.
    backward, differences : float
        Its derivative by the backward pass, and by differences.
    n_kinks, n_wrong, n_undecided : int
        Entries where the function has a kink and the backward pass is right; where it is wrong;
        where no step was small enough to tell.
    reached : bool
        Whether the backward pass came here at all.
    """

    name: str
    n_entries: int
    worst_error: float
    entry: str
    backward: float
    differences: float
    n_kinks: int
    n_wrong: int
    n_undecided: int
    reached: bool

    @property
    def verdict(self) -> str:
        """What to think of it, in a few words."""
        if self.n_wrong:
            return "wrong" if self.reached else "cut off"
        if not self.reached:
            return "no part in it"
        if self.n_undecided:
            return "undecided"
        return "right, at a kink" if self.n_kinks else "right"


@dataclasses.dataclass(frozen=True)
class GradientCheck:
    """What a check of gradients found.

    Attributes
    ----------
    ok : bool
        Whether nothing is wrong.
    culprits : tuple of str
        The layers whose own backward pass is wrong, or between which layers it is.
    parameters : tuple of CheckedTensor
        ∂L/∂parameter through the whole network, of each parameter.
    inputs : CheckedTensor or None
        ∂L/∂input; None where inputs are whole numbers.
    layers : tuple of CheckedTensor
        Each layer alone: a random mixture of its outputs with respect to its input and weights.
    step, tolerance : float
        Of the differences.
    seed : int
        Of all random choices.
    loss : float
        Of the batch, in float64.
    notes : tuple of str
        What was not checked, and why.
    """

    ok: bool
    culprits: tuple[str, ...]
    parameters: tuple[CheckedTensor, ...]
    inputs: CheckedTensor | None
    layers: tuple[CheckedTensor, ...]
    step: float
    tolerance: float
    seed: int
    loss: float
    notes: tuple[str, ...]

    @property
    def verdict(self) -> str:
        """The result in one sentence."""
        checked = [*self.parameters, *([] if self.inputs is None else [self.inputs])]
        if self.ok:
            worst = max((each.worst_error for each in checked), default=0.0)
            return (
                f"The gradients are right: {sum(each.n_entries for each in checked):,} entries "
                f"agree with differences, the worst to {worst:.0e}."
            )
        wrong = [each.name for each in checked if each.n_wrong]
        if self.culprits:
            return f"A backward pass is wrong: {', '.join(self.culprits)}."
        return f"Gradients are wrong: {', '.join(wrong)}."

    def to_dict(self) -> dict[str, Any]:
        """Return all numbers as plain values that JSON can hold."""
        found = plain(self)
        for key in ("parameters", "layers"):
            for record, checked in zip(found[key], getattr(self, key), strict=True):
                record["verdict"] = checked.verdict
        if self.inputs is not None:
            found["inputs"]["verdict"] = self.inputs.verdict
        return {**found, "verdict": self.verdict}

    def __str__(self) -> str:
        rows = [("gradient of", "entries", "worst error", "backward", "differences", "verdict")]
        whole = [*self.parameters, *([] if self.inputs is None else [self.inputs])]
        for title, checked in (("the whole network", whole), ("each layer alone", self.layers)):
            if checked:
                rows.append((f"— {title}", "", "", "", "", ""))
            rows += [
                (
                    each.name,
                    str(each.n_entries),
                    f"{each.worst_error:.1e}",
                    short(each.backward) if each.reached else "none",
                    short(each.differences),
                    each.verdict,
                )
                for each in checked
            ]
        return "\n".join([self.verdict, "", *aligned_lines(rows), *self.notes])


def check_gradients(
    network: nn.Module,
    loss: Callable[[Any, Tensor], Tensor],
    inputs: Tensor,
    targets: Tensor,
    *,
    n_entries: int = 6,
    step: float = 1e-6,
    tolerance: float = 1e-5,
    seed: int = 0,
) -> GradientCheck:
    """Compare the gradients of a network with central differences of its loss.

    The network is copied and made float64; the copy is checked, in the mode that the network is
    in. Dropout draws the same numbers each time; what batch normalisation remembers is put back.

    Parameters
    ----------
    network : nn.Module
        It stays as it is.
    loss : callable
        Of output and targets; returns one number.
    inputs, targets : Tensor
        A small batch: the loss is computed for each entry several times.
    n_entries : int
        As many entries of each parameter are checked, of the inputs, and of each layer alone: half
        of them those with the largest gradients, half drawn.
    step : float
        Of the differences; for weights above 1 it grows with them.
    tolerance : float
        The largest relative error that is right.
    seed : int
        Of what is drawn.

    Returns
    -------
    GradientCheck
        ``str()`` is a table.

    Raises
    ------
    InputError
        For a network or loss that does not become float64, is not the same twice, or is no number.
    """
    if n_entries < 1:
        raise InputError(f"expected at least 1 entry to check, got {n_entries}", "n_entries")
    if not step > 0 or not tolerance > 0:
        raise InputError(f"expected a step and a tolerance above 0, got {step} and {tolerance}")
    with unchanged_randomness():
        return _Check(network, loss, inputs, targets, n_entries, step, tolerance, seed).run()


class _Check:
    """A copy of the network, its batch, and how entries are checked."""

    def __init__(
        self,
        network: nn.Module,
        loss: Callable[[Any, Tensor], Tensor],
        inputs: Tensor,
        targets: Tensor,
        n_entries: int,
        step: float,
        tolerance: float,
        seed: int,
    ) -> None:
        self.network = network_in_float64(network)
        self.loss = loss_in_float64(loss)
        self.inputs = in_float64(inputs).clone()
        self.targets = in_float64(targets)
        self.n_entries = n_entries
        self.step = step
        self.tolerance = tolerance
        self.seed = seed
        self.buffers = [(each, each.clone()) for each in self.network.buffers()]

    def same_again(self) -> None:
        """Set all random numbers, and what layers remember, to where they began."""
        torch.manual_seed(derived_seed(self.seed, "gradient check"))
        np.random.seed(self.seed % 2**32)  # noqa: NPY002 - a network may draw from it
        random.seed(self.seed)
        for buffer, kept in self.buffers:
            buffer.copy_(kept)

    def forward(self) -> Tensor:
        """Return the loss, always of the same random numbers."""
        with torch.no_grad():
            self.same_again()
        try:
            value = self.loss(self.network(self.inputs.clone()), self.targets)
        except RuntimeError as error:
            raise InputError(
                "expected a network and a loss that compute in float64, got "
                f"{str(error).splitlines()[0]}. A layer may make tensors of its own in float32; "
                "make them as the input's (x.new_zeros, dtype=x.dtype)",
                type(self.network).__name__,
            ) from error
        if not isinstance(value, Tensor) or value.numel() != 1:
            raise InputError("expected a loss of one number", "loss")
        if value.dtype != torch.float64:
            raise InputError(
                f"expected a loss in float64, got {str(value.dtype)[6:]}: network or loss turn "
                "numbers into it, and differences need the digits",
                "loss",
            )
        return value

    def number(self) -> float:
        with torch.no_grad():
            return float(self.forward())

    def run(self) -> GradientCheck:
        here = self.number()
        if not np.isfinite(here):
            raise InputError(f"expected a loss that is a number, got {here}", "loss")
        if self.number() != here:
            raise InputError(
                "expected the same loss twice of the same batch and random numbers, got two: a "
                "layer draws from a generator of its own, or remembers something outside its "
                "buffers",
                type(self.network).__name__,
            )
        notes = []
        frozen = [name for name, each in self.network.named_parameters() if not each.requires_grad]
        if frozen:
            notes.append(f"not checked, for they get no gradient: {', '.join(frozen)}")
        self.network.zero_grad()
        if self.inputs.is_floating_point():
            self.inputs.requires_grad_()
        else:
            notes.append("not checked: inputs, which are whole numbers")
        with torch.enable_grad(), called_layers(self.network) as calls:
            value = self.forward()
            if value.requires_grad:
                value.backward()  # type: ignore[no-untyped-call]
        input_gradient = self.inputs.grad
        self.inputs.requires_grad_(False)

        parameters = tuple(
            self.checked(name, parameter, parameter.grad, self.number, here)
            for name, parameter in self.network.named_parameters()
            if parameter.requires_grad
        )
        inputs = None
        if self.inputs.is_floating_point():
            inputs = self.checked("inputs", self.inputs, input_gradient, self.number, here)
        layers = tuple(found for call in calls for found in self.layer_alone(call))
        kinds = {call.name: type(call.module).__name__ for call in calls}
        names = dict.fromkeys(each.name.split(": ")[0] for each in layers if each.n_wrong)
        culprits = [f"{name} ({kinds[name]})" for name in names]
        whole = [*parameters, *([] if inputs is None else [inputs])]
        wrong = any(each.n_wrong for each in whole)
        if wrong and not culprits:
            culprits = self.between(calls, here, inputs)
        return GradientCheck(
            ok=not wrong and not culprits,
            culprits=tuple(culprits),
            parameters=parameters,
            inputs=inputs,
            layers=layers,
            step=self.step,
            tolerance=self.tolerance,
            seed=self.seed,
            loss=here,
            notes=tuple(notes),
        )

    def checked(
        self,
        name: str,
        tensor: Tensor,
        gradient: Tensor | None,
        function: Callable[[], float],
        here: float,
    ) -> CheckedTensor:
        """Check some entries of a tensor that the function reads."""
        backward = torch.zeros_like(tensor) if gradient is None else gradient
        slopes = backward.detach().reshape(-1)
        found: list[tuple[int, Difference]] = []
        for entry in self.entries(name, slopes):
            index = torch.unravel_index(torch.tensor(entry), tensor.shape)
            start = float(tensor.data[index])

            def moved(by: float, index: Any = index, start: float = start) -> float:
                tensor.data[index] = start + by
                try:
                    return function()
                finally:
                    tensor.data[index] = start

            found.append(
                (
                    entry,
                    compared(
                        moved,
                        float(slopes[entry]),
                        step=self.step * max(1.0, abs(start)),
                        tolerance=self.tolerance,
                        here=here,
                    ),
                )
            )
        verdicts = [each.verdict for _, each in found]
        rank = {"wrong": 3, "undecided": 2, "right": 1, "kink": 0}
        entry, worst = max(
            found, key=lambda each: (rank[each[1].verdict], each[1].error), default=(0, None)
        )
        return CheckedTensor(
            name=name,
            n_entries=len(found),
            worst_error=0.0 if worst is None or worst.verdict == "kink" else worst.error,
            entry=index_text(entry, tensor.shape),
            backward=0.0 if worst is None else worst.backward,
            differences=0.0 if worst is None else worst.differences,
            n_kinks=verdicts.count("kink"),
            n_wrong=verdicts.count("wrong"),
            n_undecided=verdicts.count("undecided"),
            reached=gradient is not None,
        )

    def entries(self, name: str, slopes: Tensor) -> list[int]:
        """Return which to check: half with the largest gradients, the others drawn."""
        n = len(slopes)
        if n <= self.n_entries:
            return list(range(n))
        largest = torch.argsort(slopes.abs(), descending=True, stable=True)[: self.n_entries // 2]
        drawn = torch.randperm(n, generator=generator(self.seed, "gradient check", name))
        chosen = list(dict.fromkeys([*largest.tolist(), *drawn[: self.n_entries].tolist()]))
        return chosen[: self.n_entries]

    def layer_alone(self, call: LayerCall) -> list[CheckedTensor]:
        """Check a layer by itself: what goes in, and its weights."""
        source = call.inputs
        if not source.is_floating_point() or not call.output.is_floating_point():
            return []
        mixture = torch.randn(
            call.output.shape,
            dtype=torch.float64,
            generator=generator(self.seed, "mixture", call.name),
        ).to(call.output.device)

        def mixed(given: Tensor) -> Tensor:
            with torch.no_grad():
                for buffer, kept in self.buffers:
                    buffer.copy_(kept)
            return (call.again(given) * mixture).sum()

        found = []
        with unchanged(call.module):
            with torch.enable_grad():
                fed = source.clone().requires_grad_()
                call.module.zero_grad()
                value = mixed(fed.clone())
                if not value.requires_grad:
                    return []
                value.backward()  # type: ignore[no-untyped-call]

            def number() -> float:
                with torch.no_grad():
                    return float(mixed(source.clone()))

            here = number()
            found.append(self.checked(f"{call.name}: input", source, fed.grad, number, here))
            found += [
                self.checked(f"{call.name}: {name}", parameter, parameter.grad, number, here)
                for name, parameter in call.module.named_parameters()
                if parameter.requires_grad
            ]
        return found

    def between(
        self, calls: list[LayerCall], here: float, inputs: CheckedTensor | None
    ) -> list[str]:
        """Find between which layers the fault lies, where no layer alone is wrong.

        The gradient at a layer's output is right where all that comes after it is right.
        """
        right_before = inputs is None or not inputs.n_wrong
        last = "the inputs"
        found = []
        for number, call in enumerate(calls):
            if not call.output.is_floating_point():
                continue
            moved_by = torch.zeros_like(call.output)
            checked = self.checked(
                call.name,
                moved_by,
                call.output_gradient,
                lambda number=number, moved_by=moved_by: self.with_output_moved(  # type: ignore[misc]
                    number, moved_by
                ),
                here,
            )
            right = not checked.n_wrong
            if right and not right_before:
                found.append(f"between {last} and the output of {call.name}, in code of no layer")
            right_before, last = right, call.name
        if not right_before:
            found.append(f"after the output of {last}: in the network's own code, or in the loss")
        return found

    def with_output_moved(self, number: int, moved_by: Tensor) -> float:
        """Return the loss with a call's output moved."""
        seen = -1

        def move(_module: nn.Module, _arguments: Any, output: Any) -> Any:
            nonlocal seen
            seen += 1
            return output + moved_by if seen == number and isinstance(output, Tensor) else None

        handles = [each.register_forward_hook(move) for each in layers(self.network).values()]
        try:
            return self.number()
        finally:
            for handle in handles:
                handle.remove()
