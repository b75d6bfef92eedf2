"""Activations, dead units, gradients and updates of each layer while a network trains."""

from __future__ import annotations

import math
import statistics
from collections import deque
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from snellen.errors import InputError
from snellen.table_text import aligned_lines
from snellen.training.callbacks.protocol import Callback
from snellen.training.inspection.layer_calls import first_tensor, layers
from snellen.training.inspection.plain_values import plain
from snellen.training.inspection.tensor_statistics import ratio_text, share_text, short

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snellen.training.state import TrainingState

__all__ = ["LayerStatistics"]

# What a record says of a layer, after its step and name.
COLUMNS = (
    "mean",
    "std",
    "zeros",
    "dead",
    "gradient_norm",
    "gradient_rms",
    "weight_norm",
    "update_ratio",
)


class _Seen:
    """What came out of a layer in one step, over all its calls: sums on the device."""

    def __init__(self) -> None:
        self.n = 0
        self.sums: Tensor | None = None  # of values, of squares, of zeros
        self.active: Tensor | None = None  # of each unit: whether it was ever not 0

    def add(self, output: Tensor, units: bool) -> None:
        values = output.detach()
        wide = values.float()
        sums = torch.stack(
            [
                wide.sum(dtype=torch.float64),
                wide.square().sum(dtype=torch.float64),
                (values == 0).sum().double(),
            ]
        )
        self.n += values.numel()
        self.sums = sums if self.sums is None else self.sums + sums
        if units and values.ndim > 1:
            # Of images the channels; of sequences the last axis.
            unit_axis = 2 if values.ndim == 3 else 1
            others = [axis for axis in range(values.ndim) if axis != unit_axis]
            active = (values != 0).sum(others) > 0
            if self.active is None:
                self.active = active
            elif self.active.shape == active.shape:
                self.active = self.active | active


class LayerStatistics(Callback):
    """Records what each layer does, every so many steps.

    Between the recorded steps nothing is attached to the network. In a recorded step the numbers
    stay on the device; they are read at the end of the epoch.

    Parameters
    ----------
    every : int
        The first update of every so many is recorded.
    window : int
        A unit of an activation is dead if it was 0 for all samples of so many recorded steps.
    vanishing : float
        A layer's gradient vanishes if its root mean square, in the median of the records, is below
        this part of the largest layer's.
    exploding : float
        It explodes if its norm, in the median, is above so many times that of the weights, or if it
        was ever no number.
    barely, jumping : float
        Weights barely move if the norm of an update by that of the weights is, in the median, below
        the first, and jump if it is above the second.
    activations : pair of float
        The deviation of a layer's output that is too small, and too large.
    dying : float
        From which share of dead units on a layer is named.

    Attributes
    ----------
    records : list of dict
        For each recorded step and layer: ``step``, ``layer``, ``mean``, ``std`` and share of
        ``zeros`` of its output; ``dead``, the share of dead units; ``gradient_norm`` (before it is
        clipped) and ``gradient_rms``; ``weight_norm``; ``update_ratio``. NaN where there is none.
    """

    name = "layer_statistics"

    def __init__(
        self,
        every: int = 50,
        *,
        window: int = 5,
        vanishing: float = 1e-3,
        exploding: float = 10.0,
        barely: float = 1e-6,
        jumping: float = 0.1,
        activations: tuple[float, float] = (1e-4, 1e4),
        dying: float = 0.1,
    ) -> None:
        if every < 1 or window < 1:
            raise InputError(f"expected every and window from 1, got {every} and {window}")
        limits = (vanishing, exploding, barely, jumping, *activations, dying)
        if not all(limit > 0 for limit in limits):
            raise InputError(f"expected limits above 0, got {limits}", "LayerStatistics")
        self.every = every
        self.window = window
        self.vanishing = vanishing
        self.exploding = exploding
        self.barely = barely
        self.jumping = jumping
        self.activations = activations
        self.dying = dying
        self.records: list[dict[str, Any]] = []
        self._active: dict[str, deque[Tensor]] = {}
        self._unread: list[tuple[int, str, list[Tensor | float]]] = []
        self._handles: list[torch.utils.hooks.RemovableHandle] = []
        self._seen: dict[str, _Seen] = {}
        self._before: dict[str, Tensor] = {}
        self._gradients: dict[str, Tensor] = {}

    def start(self, run: TrainingState) -> None:
        """Attach to the network if its first update is to be recorded."""
        if run.step % self.every == 0:
            self._attach(run.network)

    def step_end(self, run: TrainingState) -> None:
        """Record the update if it was to be, and attach for the next if that is."""
        if self._handles:
            self._record(run.network, run.step)
            self._detach()
        if run.step % self.every == 0:
            self._attach(run.network)

    def epoch_end(self, run: TrainingState, metrics: Mapping[str, float]) -> None:
        """Read what was recorded."""
        del run, metrics
        self._read()

    def end(self, run: TrainingState) -> None:
        """Read what was recorded, and leave the network."""
        del run
        self._detach()
        self._read()

    def state(self) -> dict[str, Any]:
        """Return the records, and which units were active lately."""
        self._read()
        return {
            "records": [dict(record) for record in self.records],
            "active": {name: [each.cpu() for each in seen] for name, seen in self._active.items()},
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take the records back."""
        self.records = [dict(record) for record in state["records"]]
        self._active = {
            name: deque(seen, maxlen=self.window) for name, seen in state["active"].items()
        }

    def _attach(self, network: nn.Module) -> None:
        self._seen = {}
        self._gradients = {}
        self._before = {
            name: parameter.detach().clone() for name, parameter in network.named_parameters()
        }
        for name, module in layers(network).items():
            units = type(module).__module__ == "torch.nn.modules.activation"

            def came_out(
                module: nn.Module, _given: Any, output: Any, name: str = name, units: bool = units
            ) -> None:
                made = first_tensor(output)
                # A validation between two updates is not what is recorded.
                if module.training and made is not None and made.is_floating_point():
                    with torch.no_grad():
                        self._seen.setdefault(name, _Seen()).add(made, units)

            self._handles.append(module.register_forward_hook(came_out))
        for name, parameter in network.named_parameters():
            if parameter.requires_grad:

                def came_back(parameter: Tensor, name: str = name) -> None:
                    if parameter.grad is not None:
                        norm = torch.linalg.vector_norm(
                            parameter.grad.detach(), dtype=torch.float64
                        )
                        self._gradients[name] = norm

                # Later the loop may clip the gradient, and sets it to nothing.
                hook = parameter.register_post_accumulate_grad_hook(came_back)  # type: ignore[no-untyped-call]
                self._handles.append(hook)

    def _detach(self) -> None:
        for handle in self._handles:
            handle.remove()
        self._handles = []
        self._before = {}

    def _record(self, network: nn.Module, step: int) -> None:
        own: dict[str, list[str]] = {name: [] for name in layers(network)}
        parameters = dict(network.named_parameters())
        for name in parameters:
            holders = [layer for layer in own if name.startswith(f"{layer}.")]
            # Of no layer: the module that holds it. A network of one layer holds its own.
            holder = holders[0] if holders else name.rpartition(".")[0] or type(network).__name__
            own.setdefault(holder, []).append(name)
        for layer, names in own.items():
            row: list[Tensor | float] = [*self._outputs(layer), *self._weights(names, parameters)]
            if layer in self._seen or names:
                self._unread.append((step, layer, row))

    def _outputs(self, layer: str) -> list[Tensor | float]:
        seen = self._seen.get(layer)
        if seen is None or seen.sums is None or not seen.n:
            return [math.nan] * 4
        mean, square, zeros = (seen.sums / seen.n).unbind()
        dead: Tensor | float = math.nan
        if seen.active is not None:
            lately = self._active.setdefault(layer, deque(maxlen=self.window))
            if lately and lately[-1].shape != seen.active.shape:
                lately.clear()
            lately.append(seen.active)
            if len(lately) == self.window:
                ever = torch.stack([each.to(seen.active.device) for each in lately]).any(0)
                dead = 1 - ever.double().mean()
        return [mean, (square - mean * mean).clamp(min=0).sqrt(), zeros, dead]

    def _weights(self, names: list[str], parameters: Mapping[str, Tensor]) -> list[Tensor | float]:
        if not names:
            return [math.nan] * 4
        came = [self._gradients[name] for name in names if name in self._gradients]
        n = sum(parameters[name].numel() for name in names if name in self._gradients)
        gradient: Tensor | float = math.nan
        rms: Tensor | float = math.nan
        if came:
            gradient = torch.linalg.vector_norm(torch.stack(came))
            rms = gradient / math.sqrt(n)
        before = torch.stack([_norm(self._before[name]) for name in names])
        moved = torch.stack(
            [_norm(parameters[name].detach() - self._before[name]) for name in names]
        )
        weight = torch.linalg.vector_norm(before)
        return [gradient, rms, weight, torch.linalg.vector_norm(moved) / weight]

    def _read(self) -> None:
        """Read all that is still on the device in one go."""
        waiting = [value for *_, row in self._unread for value in row if isinstance(value, Tensor)]
        numbers = iter(torch.stack([v.double() for v in waiting]).tolist() if waiting else [])
        for step, layer, row in self._unread:
            values = [next(numbers) if isinstance(value, Tensor) else value for value in row]
            self.records.append(
                {"step": step, "layer": layer, **dict(zip(COLUMNS, values, strict=True))}
            )
        self._unread = []

    def of_layers(self) -> dict[str, list[dict[str, Any]]]:
        """Return the records of each layer, in the order of the network."""
        self._read()
        found: dict[str, list[dict[str, Any]]] = {}
        for record in self.records:
            found.setdefault(record["layer"], []).append(record)
        return found

    def findings(self) -> tuple[str, ...]:
        """Return what is wrong, by the stated rules: a sentence each, with the layer's name."""
        found = []
        by_layer = self.of_layers()
        medians = {
            layer: {column: _median([record[column] for record in records]) for column in COLUMNS}
            for layer, records in by_layer.items()
        }
        largest = max(
            (row["gradient_rms"] for row in medians.values() if math.isfinite(row["gradient_rms"])),
            default=0.0,
        )
        low, high = self.activations
        for layer, row in medians.items():
            records = by_layer[layer]
            if any(math.isinf(r["gradient_norm"]) or _lost(r) for r in records):
                found.append(f"{layer}: its gradient is no number: exploding.")
            elif row["gradient_norm"] > self.exploding * row["weight_norm"] > 0:
                times = row["gradient_norm"] / row["weight_norm"]
                found.append(
                    f"{layer}: its gradient explodes, {short(times)} times the norm of its weights."
                )
            if row["gradient_rms"] < self.vanishing * largest:
                found.append(
                    f"{layer}: its gradient vanishes, {short(row['gradient_rms'] / largest)} of "
                    "the largest layer's."
                )
            if row["update_ratio"] < self.barely:
                found.append(
                    f"{layer}: its weights barely move, {short(row['update_ratio'])} of their norm "
                    "a step."
                )
            elif math.inf > row["update_ratio"] > self.jumping:
                found.append(
                    f"{layer}: its weights jump, {short(row['update_ratio'])} of their norm a step."
                )
            if row["std"] < low:
                found.append(
                    f"{layer}: its output is nearly constant, deviation {short(row['std'])}."
                )
            elif row["std"] > high:
                found.append(f"{layer}: its output explodes, deviation {short(row['std'])}.")
            dead = records[-1]["dead"]
            if dead >= self.dying:
                found.append(
                    f"{layer}: {share_text(dead)} of its units are dead, 0 for all samples of the "
                    f"last {self.window} recorded steps."
                )
        return tuple(found)

    def table(self) -> str:
        """Return the medians of each layer, and what is wrong."""
        rows = [("layer", "mean", "std", "zeros", "dead", "|gradient|", "rms", "|update|/|weight|")]
        by_layer = self.of_layers()
        for layer, records in by_layer.items():
            row = {column: _median([record[column] for record in records]) for column in COLUMNS}
            rows.append(
                (
                    layer,
                    _text(row["mean"]),
                    _text(row["std"]),
                    share_text(row["zeros"]),
                    share_text(records[-1]["dead"]),
                    _text(row["gradient_norm"]),
                    _text(row["gradient_rms"]),
                    ratio_text(row["update_ratio"]),
                )
            )
        n_steps = len({record["step"] for record in self.records})
        return "\n".join(
            [
                f"Medians of {n_steps:,} recorded steps.",
                "",
                *aligned_lines(rows),
                *(["", *self.findings()] if self.findings() else []),
            ]
        )

    def to_dict(self) -> dict[str, Any]:
        """Return all numbers, and the rules, as plain values that JSON can hold."""
        self._read()
        rules = {
            name: getattr(self, name)
            for name in (
                "every",
                "window",
                "vanishing",
                "exploding",
                "barely",
                "jumping",
                "activations",
                "dying",
            )
        }
        return {
            "rules": plain(rules),
            "records": plain(self.records),
            "findings": list(self.findings()),
        }

    def charts(self) -> str:
        """Return the charts as a piece of HTML, as `inspection_page` has them."""
        from snellen.training.inspection.statistics_charts import statistics_charts

        return statistics_charts(self)


def _norm(tensor: Tensor) -> Tensor:
    norm: Tensor = torch.linalg.vector_norm(tensor, dtype=torch.float64)
    return norm


def _lost(record: Mapping[str, float]) -> bool:
    """Return whether a gradient came that is no number: its norm is NaN, and so is the weights'."""
    return (
        math.isnan(record["gradient_norm"])
        and math.isnan(record["update_ratio"])
        and not (math.isnan(record["weight_norm"]))
    )


def _median(values: list[float]) -> float:
    numbers = [value for value in values if not math.isnan(value)]
    return statistics.median(numbers) if numbers else math.nan


def _text(value: float) -> str:
    return "-" if math.isnan(value) else short(value)
