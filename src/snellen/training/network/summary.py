"""What a network consists of: a table of layers, with what they return, hold and cost."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from snellen.table_text import aligned_lines, printable
from snellen.training.keras.adapter import KerasModule, layers_in
from snellen.training.network.probe import first_tensor, probe_input, untouched

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor
    from torch.utils.hooks import RemovableHandle

__all__ = ["LayerRow", "NetworkTable", "network_table", "unfused"]


@dataclasses.dataclass(frozen=True)
class LayerRow:
    """A layer, for one sample.

    Attributes
    ----------
    name : str
        Where it is in the network: ``"0_conv"``, ``"layer1.0.conv1"``.
    kind : str
        The class of the module.
    output_shape : tuple of int or None
        Without the batch; None where no tensor is returned.
    n_parameters : int
        Numbers that are learnt. A layer that is used again counts them once.
    n_macs : int
        Multiplications, each with an addition, of matrix products and convolutions.
    n_bytes : int
        Of what is returned; 0 for another view of what came in, and for a module that has
        layers of its own.
    """

    name: str
    kind: str
    output_shape: tuple[int, ...] | None
    n_parameters: int
    n_macs: int
    n_bytes: int


@dataclasses.dataclass(frozen=True)
class NetworkTable:
    """The layers of a network in the order in which they are called.

    Attributes
    ----------
    input_shape : tuple of int
        Of a sample.
    rows : tuple of LayerRow
        The layers. What modules hold or compute outside their layers is in rows of their own.
    n_fixed : int
        Parameters, of those counted, that are not learnt: ``requires_grad`` is false.
    """

    input_shape: tuple[int, ...]
    rows: tuple[LayerRow, ...]
    n_fixed: int

    @property
    def n_parameters(self) -> int:
        """Of all layers."""
        return sum(row.n_parameters for row in self.rows)

    @property
    def n_macs(self) -> int:
        """Of all layers, for one sample."""
        return sum(row.n_macs for row in self.rows)

    @property
    def n_bytes(self) -> int:
        """Of what all layers return, for one sample: about what training keeps of it."""
        return sum(row.n_bytes for row in self.rows)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "input_shape": list(self.input_shape),
            "layers": [
                {**vars(row), "output_shape": row.output_shape and list(row.output_shape)}
                for row in self.rows
            ],
            "n_parameters": self.n_parameters,
            "n_fixed": self.n_fixed,
            "n_macs": self.n_macs,
            "n_bytes": self.n_bytes,
        }

    def __str__(self) -> str:
        cells = [["layer", "kind", "output", "parameters", "MACs", "memory"]]
        cells.append(["input", "", _size(self.input_shape), "", "", ""])
        cells += [
            [
                printable(row.name, 48),
                row.kind,
                "-" if row.output_shape is None else _size(row.output_shape),
                f"{row.n_parameters:,}",
                f"{row.n_macs:,}",
                _memory(row.n_bytes),
            ]
            for row in self.rows
        ]
        total = [f"{self.n_parameters:,}", f"{self.n_macs:,}", _memory(self.n_bytes)]
        cells.append(["total", "", "", *total])
        lines = aligned_lines(cells, left=2)
        if self.n_fixed:
            lines.append(f"{self.n_fixed:,} of the parameters are not learnt.")
        return "\n".join(lines)


def network_table(network: nn.Module, input_shape: tuple[int, ...]) -> NetworkTable:
    """Return the table of any network, by running it once on a sample of zeros.

    Modes, buffers (statistics of batch normalisation), gradients and random numbers are as before.

    Parameters
    ----------
    network : nn.Module
        Also one that is not made of Snellen's layers.
    input_shape : tuple of int
        The shape of a sample.
    """
    watch = _Watch(network)
    with untouched(network), unfused(), FlopCounterMode(display=False) as counter:
        watch.counter = counter
        with watch:
            network(probe_input(network, input_shape))
        n_macs = counter.get_total_flops() // 2
    rows = watch.rows()
    beside = n_macs - sum(row.n_macs for row in rows)
    if beside > 0:
        rows.append(LayerRow("(outside layers)", "functions", None, 0, beside, 0))
    fixed = sum(each.numel() for each in network.parameters() if not each.requires_grad)
    return NetworkTable(tuple(input_shape), tuple(rows), fixed)


@contextlib.contextmanager
def unfused() -> Iterator[None]:
    """Let attention be computed by matrix products, which are counted."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(before)


class _Watch:
    """Hooks on a network while it runs: on innermost modules, and on others with parameters."""

    def __init__(self, network: nn.Module) -> None:
        self.network = network
        self.counter: FlopCounterMode
        self._names = {module: name for name, module in network.named_modules()}
        # Keras' layers are no modules of the adapter; what is learnt of them is.
        self._keras: dict[nn.Module, list[Tensor]] = {}
        for path, adapter in network.named_modules():
            if isinstance(adapter, KerasModule):
                for name, layer, learnt in adapter.layers():
                    self._names[layer] = f"{path}.{name}" if path else name
                    self._keras[layer] = learnt
        self._calls: list[LayerRow] = []
        self._open: list[list[int]] = []
        self._counted: set[int] = set()
        self._hooks: list[RemovableHandle] = []

    def __enter__(self) -> None:
        for module in self._names:
            held = bool(self._own(module))
            if (held or self._is_innermost(module)) and not isinstance(module, nn.Identity):
                self._hooks += [
                    module.register_forward_pre_hook(self._begin),
                    module.register_forward_hook(self._end),
                ]

    def __exit__(self, *_: object) -> None:
        for hook in self._hooks:
            hook.remove()

    def _begin(self, module: nn.Module, inputs: tuple[Any, ...]) -> None:
        del module, inputs
        self._open.append([self.counter.get_total_flops(), 0])

    def _end(self, module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        before, inside = self._open.pop()
        flops = self.counter.get_total_flops() - before
        if self._open:
            self._open[-1][1] += flops
        found, came = first_tensor(output), first_tensor(inputs)
        kept = self._is_innermost(module) and not _shared(found, came)
        self._calls.append(
            LayerRow(
                self._names[module] or "(itself)",
                type(module).__name__,
                None if found is None else tuple(found.shape[1:]),
                self._new_parameters(module),
                (flops - inside) // 2,
                found.nbytes if found is not None and kept else 0,
            )
        )

    def _new_parameters(self, module: nn.Module) -> int:
        """Count the parameters that a module holds itself and that were not counted yet."""
        total = 0
        for parameter in self._own(module):
            if id(parameter) not in self._counted:
                self._counted.add(id(parameter))
                total += parameter.numel()
        return total

    def _own(self, module: nn.Module) -> list[Tensor]:
        """Return the parameters that a module holds itself."""
        if module in self._keras:
            return self._keras[module]
        return list(module.parameters(recurse=False))

    def _is_innermost(self, module: nn.Module) -> bool:
        if module in self._keras:
            return not layers_in(module)
        return not any(True for _ in module.children())

    def rows(self) -> list[LayerRow]:
        """Return a row a call, and one for each module with parameters that was not called."""
        rows = list(self._calls)
        for module, name in self._names.items():
            left = self._new_parameters(module)
            if left:
                rows.append(LayerRow(name or "(itself)", type(module).__name__, None, left, 0, 0))
        return rows


def _shared(output: Tensor | None, came: Tensor | None) -> bool:
    """Tell whether a result lies in the memory of what came in: a view, or changed in place."""
    if output is None or came is None:
        return False
    return output.untyped_storage().data_ptr() == came.untyped_storage().data_ptr()


def _size(shape: tuple[int, ...]) -> str:
    return " × ".join(str(n) for n in shape) or "1"


def _memory(n_bytes: int) -> str:
    if n_bytes < 1000:
        return f"{n_bytes} B"
    power = min(int(math.log(n_bytes, 1000)), 3)
    return f"{n_bytes / 1000**power:.1f} {('B', 'kB', 'MB', 'GB')[power]}"
