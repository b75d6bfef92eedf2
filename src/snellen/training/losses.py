"""Losses by name: what training makes smaller."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snellen.errors import InputError, did_you_mean
from snellen.training import class_losses, region_losses, value_losses
from snellen.training.choices import Choice, made
from snellen.training.loss import Loss

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import torch

__all__ = ["LOSSES", "Loss", "make_loss"]

_CLASS_LOSSES: tuple[type[Loss], ...] = (
    class_losses.CrossEntropy,
    class_losses.BinaryCrossEntropy,
    class_losses.Focal,
    class_losses.SigmoidFocal,
    class_losses.Poly,
)
_VALUE_LOSSES: tuple[type[Loss], ...] = (
    value_losses.MeanSquaredError,
    value_losses.MeanAbsoluteError,
    value_losses.Huber,
    value_losses.SmoothL1,
    value_losses.LogCosh,
    value_losses.Quantile,
    value_losses.PoissonLikelihood,
)


def _by_name(*losses: type[Loss]) -> dict[str, Callable[..., Loss]]:
    return {each.name: each for each in losses}


LOSSES: Mapping[str, Mapping[str, Callable[..., Loss]]] = {
    "classification": _by_name(*_CLASS_LOSSES, class_losses.Hinge),
    "segmentation": _by_name(*_CLASS_LOSSES, region_losses.Dice),
    "regression": _by_name(*_VALUE_LOSSES),
}
"""The losses of each task; the first is what ``"auto"`` takes."""


def make_loss(
    choice: Choice, *, task: str, n_outputs: int, class_weights: torch.Tensor | None = None
) -> Loss:
    """Return the loss that a description chose.

    Parameters
    ----------
    choice : Choice
        Its name and options; ``"auto"`` is that of the task.
    task : str
        ``"classification"``, ``"segmentation"`` or ``"regression"``.
    n_outputs : int
        The classes, or the columns of regression targets.
    class_weights : Tensor or None
        What each class counts, (K,), on any device. `Loss.weight` adds them up in their type.

    Raises
    ------
    InputError
        For a loss of another task, an option out of its range, class weights of a regression.
    ClassError
        For another number of class weights than of classes.
    """
    losses = LOSSES[task]
    if class_weights is not None and task == "regression":
        raise InputError("expected no class weights, a regression has no classes", choice.place)
    if choice.name == "auto":
        choice = choice._replace(name=next(iter(losses)))
    elif choice.name not in losses:
        hint = did_you_mean(choice.name, losses) or f" There are {', '.join(losses)}."
        raise InputError(f'expected a loss of {task}, got "{choice.name}".{hint}', choice.place)
    return made(
        choice, losses, "a loss", task=task, n_outputs=n_outputs, class_weights=class_weights
    )
