"""Losses of segmentation, of the regions of each image."""

from __future__ import annotations

import torch
from torch.nn import functional

from snellen.training.class_loss import VOID, ClassLoss
from snellen.training.loss import count
from snellen.training.number_ranges import within

__all__ = ["Dice"]


class Dice(ClassLoss):
    """One minus the overlap of predicted and true regions, mean over classes and images.

    Of each image, so that a batch in parts gives the loss of the whole. Class weights are those of
    the mean over classes.

    Parameters
    ----------
    smooth : float
        What is added to both sides of the fraction; a class that is nowhere then has no loss.
    cross_entropy : float
        The factor of each image's cross-entropy (mean over its pixels) that is added.
    """

    name = "dice"

    def __init__(
        self,
        *,
        task: str,
        n_outputs: int,
        class_weights: torch.Tensor | None,
        smooth: float = 1.0,
        cross_entropy: float = 0.0,
    ) -> None:
        super().__init__(task=task, n_outputs=n_outputs, class_weights=class_weights)
        self.smooth = within("smooth", smooth, above=True)
        self.cross_entropy = within("cross_entropy", cross_entropy)

    def weight(self, target: torch.Tensor) -> torch.Tensor:
        """Return the number of images."""
        return count(len(target), target)

    def total(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the sum over the images."""
        return self._values(self._fitting(output, target), target).sum()

    def _values(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        shares = self._shares(output, target).flatten(2)
        logarithm = functional.log_softmax(output, 1).flatten(2)
        probability = logarithm.exp()
        valid = torch.ones_like(shares[:, :1])
        if not target.is_floating_point():
            valid = (target != VOID).flatten(1).unsqueeze(1).to(output.dtype)
            shares, probability = shares * valid, probability * valid
        both = (shares * probability).sum(2)
        either = shares.sum(2) + probability.sum(2)
        missing = 1 - (2 * both + self.smooth) / (either + self.smooth)
        if self.class_weights is None:
            values = missing.mean(1)
        else:
            weights = self._weights_on(output.device).to(output.dtype)
            values = missing @ weights / weights.sum()
        if self.cross_entropy:
            entropy = -(shares * logarithm).sum((1, 2)) / valid.sum((1, 2)).clamp_min(1)
            values = values + self.cross_entropy * entropy
        return values
