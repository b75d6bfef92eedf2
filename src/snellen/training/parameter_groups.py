"""Which weights are treated alike: those that decay, those that do not, the hidden matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import nn
from torch.nn.modules.batchnorm import _NormBase

from snellen.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["hidden_matrices", "parameter_groups", "undecayed_names"]

_NORMS: tuple[type[nn.Module], ...] = (
    _NormBase,  # batch and instance normalisation
    nn.GroupNorm,
    nn.LayerNorm,
    nn.RMSNorm,
)
_MATRICES: tuple[type[nn.Module], ...] = (
    nn.Linear,
    nn.Conv1d,
    nn.Conv2d,
    nn.Conv3d,
    nn.ConvTranspose1d,
    nn.ConvTranspose2d,
    nn.ConvTranspose3d,
)


def parameter_groups(
    network: nn.Module,
    *,
    weight_decay: float,
    decay_all: bool,
    among: Iterable[str] | None = None,
) -> list[dict[str, Any]]:
    """Return the weights that decay and those that do not, as an optimizer takes them.

    Frozen weights are in as well: without a gradient an optimizer leaves them alone, also their
    decay, and they may be thawed later.

    Parameters
    ----------
    network : nn.Module
        Whose weights.
    weight_decay : float
        That of the weights that decay. At 0 all are one group.
    decay_all : bool
        Whether biases and the weights of normalisations decay too.
    among : iterable of str or None
        The names of the weights to take; None: all.

    Returns
    -------
    list of dict
        With ``name``, ``params`` and ``weight_decay``; without groups that would be empty.

    Raises
    ------
    InputError
        Where the network has no weights.
    """
    named = {name: each for name, each in network.named_parameters() if each.is_floating_point()}
    if not named:
        raise InputError("expected a network with weights, it has none")
    taken = list(named) if among is None else [name for name in named if name in set(among)]
    if weight_decay == 0 or decay_all:
        parts = {"all": taken}
    else:
        undecayed = undecayed_names(network)
        parts = {
            "decayed": [name for name in taken if name not in undecayed],
            "undecayed": [name for name in taken if name in undecayed],
        }
    return [
        {
            "name": part,
            "params": [named[name] for name in names],
            "weight_decay": 0.0 if part == "undecayed" else weight_decay,
        }
        for part, names in parts.items()
        if names
    ]


def undecayed_names(network: nn.Module) -> set[str]:
    """Return the names of biases, of normalisations' weights, and of all with one number a row.

    A network can name others in ``no_weight_decay()``, as those of timm do.
    """
    names = {
        name
        for name, each in network.named_parameters()
        if each.ndim < 2 or name.rpartition(".")[2] == "bias"
    }
    for path, module in network.named_modules():
        if isinstance(module, _NORMS):
            names.update(_joined(path, name) for name, _ in module.named_parameters())
    named_by_itself = getattr(network, "no_weight_decay", None)
    if callable(named_by_itself):
        names.update(str(name) for name in named_by_itself())
    return names


def hidden_matrices(network: nn.Module) -> list[str]:
    """Return the names of the weights of convolutions and linear layers, but for the last of them.

    The last one gives the outputs: its rows are the classes, each with a size of its own.
    """
    names = [
        _joined(path, "weight")
        for path, module in network.named_modules()
        if isinstance(module, _MATRICES) and isinstance(module.weight, nn.Parameter)
    ]
    known = {name for name, _ in network.named_parameters()}
    return [name for name in names[:-1] if name in known]


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
