"""What a loss is: a sum over samples, and what that sum is divided by."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch

__all__ = ["Loss", "at_least_float32", "count"]


class Loss(ABC):
    """A number that says how wrong outputs are; training makes it smaller.

    It is a quotient of two sums over the batch. So a batch that goes through the network in parts
    (5 + 5 + 3 samples) gives the loss and the gradients of the whole batch: the totals of the parts
    are added up, and divided by the sum of their weights. A mean of means would not.

    Attributes
    ----------
    name : str
        As descriptions write it.
    """

    name: str

    @abstractmethod
    def total(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the sum over a batch.

        Parameters
        ----------
        output : Tensor
            What the network gave: logits, or values.
        target : Tensor
            What is true.

        Returns
        -------
        Tensor
            0-d, of float32 at least.
        """

    @abstractmethod
    def weight(self, target: torch.Tensor) -> torch.Tensor:
        """Return what the total of a batch is divided by: samples, valid pixels, class weights.

        Parameters
        ----------
        target : Tensor
            What is true.

        Returns
        -------
        Tensor
            0-d, on the device of the targets.
        """

    def weight_of(self, n: int) -> float | None:
        """Return the weight of n samples, where it is a matter of their number alone.

        None where one has to look at their targets. It spares a look at each batch, and several
        processes a question.
        """
        del n
        return None

    def __call__(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the mean: total by weight. Where torch has the loss, its mean bit for bit."""
        return self.total(output, target) / self.weight(target)


def at_least_float32(output: torch.Tensor) -> torch.Tensor:
    """Return outputs in a type that sums can be taken in: half precision becomes float32."""
    return output.float() if output.dtype in (torch.float16, torch.bfloat16) else output


def count(n: int, like: torch.Tensor) -> torch.Tensor:
    """Return a number of things as a tensor, on a device without waiting for it."""
    return torch.full((), n, dtype=torch.int64, device=like.device)
