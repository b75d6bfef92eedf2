"""Batch normalisation by the statistics of the whole batch, however many processes share it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm

from snellen.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["SharedBatchNorm", "share_batch_norm"]

_REPLACED = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


class SharedBatchNorm(_BatchNorm):
    """Batch normalisation over the rows of all processes, on any device.

    `nn.SyncBatchNorm` does this for GPUs only. Processes may hold different numbers of rows, and
    none; each must call the layer for every batch. Parameters and buffers have the names that
    torch's layers have.

    Notes
    -----
    The sums go through an all-reduce that autograd sees, so that the gradients are those of the sum
    of all processes' losses. The variance is that around the shared mean (two passes): it loses
    nothing where the mean is large.
    """

    def _check_input_dim(self, input: Tensor) -> None:  # noqa: A002 - torch's name
        if input.dim() < 2:
            raise InputError(f"expected (samples, channels, …), got {tuple(input.shape)}")

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's name
        """Return the input normalised, channel by channel."""
        stored = not self.training and self.running_mean is not None
        if stored or not distributed.is_initialized() or distributed.get_world_size() == 1:
            return super().forward(input)
        self._check_input_dim(input)
        wide = input.float() if input.dtype in (torch.float16, torch.bfloat16) else input
        across = [0, *range(2, input.dim())]
        each = [1, -1] + [1] * (input.dim() - 2)
        n = wide.new_tensor([input.numel() // input.shape[1]])
        summed = _over_processes(torch.cat([wide.sum(across), n]))
        count = summed[-1].detach()
        mean = summed[:-1] / count
        centred = wide - mean.view(each)
        variance = _over_processes((centred * centred).sum(across)) / count
        if self.training and self.running_mean is not None:
            self._follow(mean.detach(), variance.detach(), count)
        scale = torch.rsqrt(variance + self.eps)
        if self.affine:
            scale = scale * self.weight
        normalised = centred * scale.view(each)
        if self.affine:
            normalised = normalised + self.bias.view(each)
        return normalised.to(input.dtype)

    @torch.no_grad()
    def _follow(self, mean: Tensor, variance: Tensor, count: Tensor) -> None:
        """Move the running statistics towards those of a batch."""
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        self.num_batches_tracked.add_(1)
        # Without a momentum the running statistics are the mean of all batches.
        weight = 1 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        unbiased = variance * (count / (count - 1).clamp(min=1))
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), weight)
        self.running_var.lerp_(unbiased.to(self.running_var.dtype), weight)


class _Total(torch.autograd.Function):
    """The sum over all processes. Each term is in the sum of each: so are its gradients."""

    @staticmethod
    def forward(context: Any, local: Tensor) -> Tensor:
        del context
        total = local.clone()
        distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> Tensor:
        del context
        total = gradients[0].clone()
        distributed.all_reduce(total)
        return total


def _over_processes(local: Tensor) -> Tensor:
    total: Tensor = _Total.apply(local)  # type: ignore[no-untyped-call]
    return total


def share_batch_norm(network: nn.Module) -> nn.Module:
    """Return the network with batch normalisation over all processes.

    The layers are replaced inside the network; their parameters and buffers stay the same objects.

    Raises
    ------
    InputError
        For a layer that is derived from torch's and may compute something else.
    """
    return _shared(network, "")


def _shared(module: nn.Module, path: str) -> nn.Module:
    if isinstance(module, _BatchNorm) and not isinstance(module, SharedBatchNorm):
        if type(module) not in _REPLACED:
            raise InputError(
                "expected torch's batch normalisation, to share it over processes, got "
                f"{type(module).__name__}: train with one process",
                path or "network",
            )
        return _replaced(module)
    for name, child in list(module.named_children()):
        shared = _shared(child, f"{path}.{name}" if path else name)
        if shared is not child:
            setattr(module, name, shared)
    return module


def _replaced(layer: _BatchNorm) -> SharedBatchNorm:
    made = SharedBatchNorm(
        layer.num_features, layer.eps, layer.momentum, affine=False, track_running_stats=False
    )
    made.affine, made.track_running_stats = layer.affine, layer.track_running_stats
    made._parameters.update(layer._parameters)
    made._buffers.update(layer._buffers)
    return made.train(layer.training)
