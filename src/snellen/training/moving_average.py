"""The running mean of a network's weights: often better than the weights themselves."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import torch

from snellen.errors import InputError, SchemaError, first_few

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor, nn

__all__ = ["MovingAverage"]


class MovingAverage:
    """The exponential moving average of all parameters and buffers of a network.

    After each update, ``average = decay * average + (1 - decay) * weights``. Floating numbers are
    averaged, in float32 at least; counters are copied. The first average is the network as it is
    when this is made.

    Parameters
    ----------
    network : nn.Module
        Whose weights are averaged; it is not copied, and must be on its device already.
    decay : float
        How much of the average remains at each update, between 0 and 1.
    warm_up : bool
        Whether the decay rises to this: at the t-th update, from 1, it is at most
        ``(1 + t) / (10 + t)``, so that what the network began with is soon forgotten. (This is the
        rule of TensorFlow's ``ExponentialMovingAverage`` with ``num_updates``.)

    Attributes
    ----------
    n_updates : int
        How often `update` was called.
    weights : dict of str to Tensor
        The averages by the names of the parameters and buffers.
    """

    def __init__(self, network: nn.Module, decay: float, *, warm_up: bool = True) -> None:
        if not 0 < decay < 1:
            raise InputError(f"expected a decay between 0 and 1, got {decay!r}", "decay")
        self.decay = decay
        self.warm_up = warm_up
        self.n_updates = 0
        self._network = network
        self.weights = {
            name: tensor.detach().to(_mean_type(tensor), copy=True)
            for name, tensor in _tensors(network).items()
        }

    def decay_at(self, n_updates: int) -> float:
        """Return the decay of the update of that number, from 1."""
        if not self.warm_up:
            return self.decay
        return min(self.decay, (1 + n_updates) / (10 + n_updates))

    @torch.no_grad()
    def update(self) -> None:
        """Take the network's weights of now into the average.

        Raises
        ------
        InputError
            If the network has other parameters or buffers than before.
        """
        now = self._now()
        self.n_updates += 1
        weight = 1 - self.decay_at(self.n_updates)
        means, new, counters, counts = [], [], [], []
        for name, mean in self.weights.items():
            tensor = now[name]
            if mean.is_floating_point() or mean.is_complex():
                means.append(mean)
                new.append(tensor.detach().to(mean.dtype))
            else:
                counters.append(mean)
                counts.append(tensor)
        # mean + weight * (new - mean): of equal numbers it is the same number, bit for bit.
        if means:
            torch._foreach_lerp_(means, new, weight)
        if counters:
            torch._foreach_copy_(counters, counts)

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Give the network the averages, and its own weights back at the end, after errors too.

        Raises
        ------
        InputError
            If the network has other parameters or buffers than before.
        """
        now = self._now()
        kept = {name: tensor.detach().clone() for name, tensor in now.items()}
        self._write(self.weights)
        try:
            yield
        finally:
            self._write(kept)

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint keeps; the tensors are not copied."""
        return {"n_updates": self.n_updates, "weights": dict(self.weights)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take back what `state_dict` returned.

        Raises
        ------
        SchemaError
            If it is of another network: with the names that differ.
        """
        weights = state["weights"]
        differing = sorted(
            name
            for name in self.weights.keys() | weights.keys()
            if name not in weights
            or name not in self.weights
            or weights[name].shape != self.weights[name].shape
        )
        if differing:
            raise SchemaError(
                "expected averages of this network's weights, these are missing, unknown or of "
                f"another shape: {first_few(differing)}"
            )
        for name, mean in self.weights.items():
            mean.copy_(weights[name])
        self.n_updates = int(state["n_updates"])

    def _now(self) -> dict[str, Tensor]:
        now = _tensors(self._network)
        if now.keys() != self.weights.keys():
            differing = sorted(now.keys() ^ self.weights.keys())
            raise InputError(
                "expected the parameters and buffers that the network had when its moving average "
                f"was made, got others: {first_few(differing)}"
            )
        return now

    @torch.no_grad()
    def _write(self, weights: Mapping[str, Tensor]) -> None:
        for name, tensor in _tensors(self._network).items():
            tensor.copy_(weights[name])


def _tensors(network: nn.Module) -> dict[str, Tensor]:
    # Those of now: a module may put another tensor in a buffer's place at any time.
    return {**dict(network.named_parameters()), **dict(network.named_buffers())}


def _mean_type(tensor: Tensor) -> torch.dtype:
    if tensor.is_floating_point() and tensor.element_size() < 4:
        # A mean of half floats would stand still: what is added is less than their spacing.
        return torch.float32
    return tensor.dtype
