"""Weights of classes for data in which some are rare."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from snellen.errors import ClassError, InputError, ShapeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

__all__ = ["class_weights"]


def class_weights(
    weights: str | Sequence[float], targets: Tensor | None, n_classes: int
) -> Tensor | None:
    """Return what each class counts in the loss.

    Parameters
    ----------
    weights : str or sequence of float
        ``"none"``; ``"balanced"``: n / (K · count), so that all classes count the same together;
        or one number a class.
    targets : Tensor or None, int64
        The classes of the training part: (n,), or label maps, in which 255 is void; None where
        they are not known.
    n_classes : int
        K.

    Returns
    -------
    Tensor or None
        Float32, shape (K,); None without weights.

    Raises
    ------
    ClassError
        For a class without samples, which has no weight.

    Examples
    --------
    >>> class_weights("balanced", torch.tensor([0, 0, 0, 1]), 2).tolist()
    [0.6666666865348816, 2.0]
    """
    if weights == "none":
        return None
    if not isinstance(weights, str):
        given = torch.tensor(list(weights), dtype=torch.float32)
        if len(given) != n_classes:
            raise ShapeError(f"expected {n_classes} class weights, got {len(given)}")
        if not bool((given >= 0).all() and torch.isfinite(given).all() and given.sum() > 0):
            raise InputError("expected class weights from 0, not all of them 0")
        return given
    if weights != "balanced":
        raise InputError(f'expected "none", "balanced" or numbers, got "{weights}"')
    if targets is None:
        raise InputError("expected targets that are known before training, got a stream")
    if targets.is_floating_point():
        counts = targets.double().sum(0)
    else:
        # Of maps 255 is void; of a class a sample it is a class as any other.
        known = targets if targets.ndim == 1 else targets[targets != 255]
        counts = torch.bincount(known, minlength=n_classes).double()
    if bool((counts == 0).any()):
        empty = int((counts == 0).nonzero()[0])
        raise ClassError(f"expected samples of every class to weigh it by, class {empty} has none")
    return (counts.sum() / (n_classes * counts)).float()
