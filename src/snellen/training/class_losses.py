"""Losses of classification and segmentation, of each sample or pixel."""

from __future__ import annotations

import torch
from torch.nn import functional

from snellen.errors import ClassError, InputError
from snellen.training.class_loss import VOID, ClassLoss, n_positions
from snellen.training.loss import count
from snellen.training.number_ranges import within

__all__ = [
    "BinaryCrossEntropy",
    "CrossEntropy",
    "Focal",
    "Hinge",
    "Poly",
    "SigmoidFocal",
]


class CrossEntropy(ClassLoss):
    """The negative logarithm of the probability that the softmax gives to the true class.

    Class weights and soft targets are as in torch: with soft targets, the sum of the weighted
    terms is divided by the number of samples.

    Parameters
    ----------
    label_smoothing : float
        The share of each target that is spread over all classes.
    """

    name = "cross_entropy"

    def __init__(
        self,
        *,
        task: str,
        n_outputs: int,
        class_weights: torch.Tensor | None,
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(task=task, n_outputs=n_outputs, class_weights=class_weights)
        self.label_smoothing = within("label_smoothing", label_smoothing, high=1.0)

    def total(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the sum over the samples, each times what it counts."""
        return self._reduced(output, target, "sum")

    def weight(self, target: torch.Tensor) -> torch.Tensor:
        """Return the sum of what the samples count; of soft targets their number."""
        if target.is_floating_point():
            return count(n_positions(target), target)
        return super().weight(target)

    def __call__(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return torch's mean; 0 where all pixels are void."""
        mean = self._reduced(output, target, "mean")
        if self.has_void and not target.is_floating_point():
            return torch.where((target != VOID).any(), mean, 0.0)
        return mean

    def _reduced(self, output: torch.Tensor, target: torch.Tensor, reduction: str) -> torch.Tensor:
        output = self._fitting(output, target)
        soft = target.is_floating_point()
        weights = None
        if self.class_weights is not None:
            weights = self._weights_on(output.device).to(output.dtype)
        return functional.cross_entropy(
            output,
            target.to(output.dtype) if soft else target,
            weights,
            ignore_index=VOID if self.has_void and not soft else -100,
            reduction=reduction,
            label_smoothing=self.label_smoothing,
        )

    def _values(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return self._reduced(output, target, "none")


class BinaryCrossEntropy(ClassLoss):
    """A yes or no for each class: the mean over classes of the sigmoid's cross-entropy.

    With soft targets of zeros and ones a sample can have several classes, or none.

    Parameters
    ----------
    label_smoothing : float
        How far targets are moved towards one half.
    positive_weight : float
        What a yes counts against a no.
    """

    name = "bce"

    def __init__(
        self,
        *,
        task: str,
        n_outputs: int,
        class_weights: torch.Tensor | None,
        label_smoothing: float = 0.0,
        positive_weight: float = 1.0,
    ) -> None:
        super().__init__(task=task, n_outputs=n_outputs, class_weights=class_weights)
        self.label_smoothing = within("label_smoothing", label_smoothing, high=1.0)
        self.positive_weight = within("positive_weight", positive_weight, above=True)

    def __call__(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the mean over samples and classes."""
        if self._counts(target) is None:
            return self._reduced(self._fitting(output, target), target, "mean")
        return super().__call__(output, target)

    def _values(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return self._reduced(output, target, "none").mean(1)

    def _reduced(self, output: torch.Tensor, target: torch.Tensor, reduction: str) -> torch.Tensor:
        shares = self._shares(output, target)
        if self.label_smoothing:
            shares = shares * (1 - self.label_smoothing) + self.label_smoothing / 2
        positive = None
        if self.positive_weight != 1:
            positive = output.new_full((), self.positive_weight)
        return functional.binary_cross_entropy_with_logits(
            output, shares, pos_weight=positive, reduction=reduction
        )


class Focal(ClassLoss):
    """Cross-entropy in which what is right already counts less: times (1 − p)^gamma.

    T.-Y. Lin et al., Focal Loss for Dense Object Detection, ICCV 2017, for the softmax.

    Parameters
    ----------
    gamma : float
        How much less; at 0 it is the cross-entropy.
    alpha : tuple of float or None
        A factor of each class. Other than class weights it does not change what the sum is divided
        by.
    """

    name = "focal"

    def __init__(
        self,
        *,
        task: str,
        n_outputs: int,
        class_weights: torch.Tensor | None,
        gamma: float = 2.0,
        alpha: tuple[float, ...] | None = None,
    ) -> None:
        super().__init__(task=task, n_outputs=n_outputs, class_weights=class_weights)
        self.gamma = within("gamma", gamma)
        self.alpha = alpha
        if alpha is not None:
            if len(alpha) != n_outputs:
                raise ClassError(f"expected alpha of {n_outputs} classes, got {len(alpha)}")
            for each in alpha:
                within("alpha", each)

    def _values(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        logarithm = functional.log_softmax(output, 1)
        # 1 - p. Where it is 0 its power may have no slope; the loss there is 0 anyway.
        wrong = (-torch.expm1(logarithm)).clamp_min(torch.finfo(output.dtype).tiny)
        terms = self._shares(output, target) * wrong**self.gamma * -logarithm
        if self.alpha is not None:
            terms = terms * _along_classes(output.new_tensor(self.alpha), output)
        return terms.sum(1)


class SigmoidFocal(ClassLoss):
    """The focal loss of a yes or no for each class, mean over classes.

    T.-Y. Lin et al., Focal Loss for Dense Object Detection, ICCV 2017.

    Parameters
    ----------
    gamma : float
        How much less counts what is right already; at 0 it is the binary cross-entropy.
    alpha : float or None
        What a yes counts; a no counts 1 − alpha. None: both one.
    """

    name = "sigmoid_focal"

    def __init__(
        self,
        *,
        task: str,
        n_outputs: int,
        class_weights: torch.Tensor | None,
        gamma: float = 2.0,
        alpha: float | None = 0.25,
    ) -> None:
        super().__init__(task=task, n_outputs=n_outputs, class_weights=class_weights)
        self.gamma = within("gamma", gamma)
        self.alpha = None if alpha is None else within("alpha", alpha, 0.0, 1.0, above=True)

    def _values(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        shares = self._shares(output, target)
        probability = output.sigmoid()
        wrong = probability + shares - 2 * probability * shares
        wrong = wrong.clamp_min(torch.finfo(output.dtype).tiny)
        entropy = functional.binary_cross_entropy_with_logits(output, shares, reduction="none")
        values = entropy * wrong**self.gamma
        if self.alpha is not None:
            values = values * (self.alpha * shares + (1 - self.alpha) * (1 - shares))
        return values.mean(1)


class Poly(ClassLoss):
    """Cross-entropy + epsilon (1 − p): its series with the first term changed.

    Z. Leng et al., PolyLoss, ICLR 2022 (Poly-1).

    Parameters
    ----------
    epsilon : float
        What is added to the first coefficient.
    """

    name = "poly"

    def __init__(
        self,
        *,
        task: str,
        n_outputs: int,
        class_weights: torch.Tensor | None,
        epsilon: float = 1.0,
    ) -> None:
        super().__init__(task=task, n_outputs=n_outputs, class_weights=class_weights)
        self.epsilon = within("epsilon", epsilon, -1.0)

    def _values(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        shares = self._shares(output, target)
        logarithm = functional.log_softmax(output, 1)
        return ((-logarithm - self.epsilon * logarithm.exp()) * shares).sum(1) + self.epsilon


class Hinge(ClassLoss):
    """How far the other classes come within a margin of the true one, as a support vector machine.

    Parameters
    ----------
    margin : float
        By how much the true class has to lead.
    squared : bool
        Whether what is missing is squared.
    """

    name = "hinge"

    def __init__(
        self,
        *,
        task: str,
        n_outputs: int,
        class_weights: torch.Tensor | None,
        margin: float = 1.0,
        squared: bool = False,
    ) -> None:
        super().__init__(task=task, n_outputs=n_outputs, class_weights=class_weights)
        self.margin = within("margin", margin, above=True)
        self.power = 2 if squared else 1

    def __call__(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        """Return the mean over samples."""
        if self._counts(target) is None:
            return self._reduced(self._fitting(output, target), target, "mean")
        return super().__call__(output, target)

    def _values(self, output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return self._reduced(output, target, "none")

    def _reduced(self, output: torch.Tensor, target: torch.Tensor, reduction: str) -> torch.Tensor:
        if target.is_floating_point():
            raise InputError(
                "expected one class a sample for the loss hinge, got mixed ones: "
                "take cross_entropy, or train without mixup and cutmix"
            )
        return functional.multi_margin_loss(
            output, target, p=self.power, margin=self.margin, reduction=reduction
        )


def _along_classes(values: torch.Tensor, output: torch.Tensor) -> torch.Tensor:
    """Return a value a class in a shape that fits outputs (N, K, …)."""
    return values.view(-1, *[1] * (output.ndim - 2))
