"""What losses of classification and segmentation have in common: logits of K classes, and targets.

Targets are class numbers, int64, of shape (N,) or (N, H, W), or shares of the classes, float, of
shape (N, K) or (N, K, H, W). Of label maps the pixels of 255 (void) count nothing.
"""

from __future__ import annotations

from abc import abstractmethod

import torch
from torch.nn import functional

from snellen.errors import ClassError, InputError, ShapeError
from snellen.training.loss import Loss, at_least_float32, count
from snellen.training.number_ranges import within

__all__ = ["VOID", "ClassLoss", "n_positions"]

VOID = 255


class ClassLoss(Loss):
    """A mean over samples, or pixels, in which each counts what its class does.

    With class weights it is the mean of a batch in which each sample appears as often as its class
    weighs. A sample of several classes weighs the mean of theirs, by its shares.

    Parameters
    ----------
    task : str
        ``"classification"`` or ``"segmentation"``: whether there are void pixels.
    n_outputs : int
        The classes.
    class_weights : Tensor or None
        What each class counts, (K,); None: one.
    """

    def __init__(self, *, task: str, n_outputs: int, class_weights: torch.Tensor | None) -> None:
        self.has_void = task == "segmentation"
        self.n_classes = n_outputs
        self.class_weights = class_weights
        if class_weights is None:
            return
        if class_weights.shape != (n_outputs,):
            raise ClassError(
                f"expected a weight for each of {n_outputs} classes, got {class_weights.numel()}"
            )
        for k, each in enumerate(class_weights.tolist()):
            within(f"the weight of class {k}", each)
        if not class_weights.sum() > 0:
            raise InputError("expected a class that weighs something, all weigh 0")

    def total(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the sum over the samples, each times what it counts."""
        output = self._fitting(output, target)
        values = self._values(output, target)
        counts = self._counts(target)
        return values.sum() if counts is None else (values * counts.to(values.dtype)).sum()

    def weight(self, target: torch.Tensor) -> torch.Tensor:
        """Return the sum of what the samples count."""
        counts = self._counts(target)
        if counts is not None:
            return counts.sum()
        return count(n_positions(target), target)

    def weight_of(self, n: int) -> float | None:
        """Return the number of samples, where all of them count the same."""
        return None if self.class_weights is not None or self.has_void else float(n)

    @abstractmethod
    def _values(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the loss of each sample (or pixel), without weights."""

    def _fitting(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the outputs in a type that can be summed.

        Raises
        ------
        ShapeError
            Where there are not K of them for each sample, or pixel; torch takes more.
        """
        expected = target.shape
        if not target.is_floating_point():
            expected = torch.Size((target.shape[0], self.n_classes, *target.shape[1:]))
        if output.shape != expected:
            raise ShapeError(
                f"expected outputs of shape {tuple(expected)} for targets of shape "
                f"{tuple(target.shape)} and {self.n_classes} classes, got {tuple(output.shape)}"
            )
        return at_least_float32(output)

    def _counts(self, target: torch.Tensor) -> torch.Tensor | None:
        """Return what each sample (or pixel) counts; None: all of them one."""
        soft = target.is_floating_point()
        if self.class_weights is None:
            return None if soft or not self.has_void else target != VOID
        weights = self._weights_on(target.device)
        if soft:
            return target.to(weights.dtype).movedim(1, -1) @ weights
        if not self.has_void:
            return weights[target]
        void = target == VOID
        return weights[target.masked_fill(void, 0)].masked_fill(void, 0)

    def _weights_on(self, device: torch.device) -> torch.Tensor:
        assert self.class_weights is not None
        if self.class_weights.device != device:
            # Once: from then on they are there.
            self.class_weights = self.class_weights.to(device)
        return self.class_weights

    def _shares(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the shares of the classes in each sample, in the shape of the outputs."""
        if target.is_floating_point():
            return target.to(output.dtype)
        if self.has_void:
            target = target.masked_fill(target == VOID, 0)
        return functional.one_hot(target, self.n_classes).movedim(-1, 1).to(output.dtype)


def n_positions(target: torch.Tensor) -> int:
    """Return the samples, or pixels, of targets."""
    return target.numel() // target.shape[1] if target.is_floating_point() else target.numel()
