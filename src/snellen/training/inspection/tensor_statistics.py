"""What a tensor's numbers are like."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

__all__ = ["TensorStatistics", "ratio_text", "share_text", "short"]


@dataclasses.dataclass(frozen=True)
class TensorStatistics:
    """The numbers of a tensor in a few.

    Attributes
    ----------
    shape : tuple of int
        Of the tensor.
    mean, std, minimum, maximum : float
        Of all elements; the deviation is of the elements themselves (divided by n).
    zeros : float
        The share of elements that are exactly 0.
    norm : float
        The square root of the sum of squares.
    finite : bool
        Whether all are numbers.
    """

    shape: tuple[int, ...]
    mean: float
    std: float
    minimum: float
    maximum: float
    zeros: float
    norm: float
    finite: bool

    @classmethod
    def of(cls, tensor: Tensor) -> TensorStatistics:
        """Return those of a tensor, computed in float64."""
        shape = tuple(tensor.shape)
        values = tensor.detach().to("cpu", torch.float64).flatten()
        if not values.numel():
            return cls(shape, math.nan, math.nan, math.nan, math.nan, math.nan, 0.0, True)
        return cls(
            shape=shape,
            mean=values.mean().item(),
            std=values.std(correction=0).item(),
            minimum=values.min().item(),
            maximum=values.max().item(),
            zeros=(values == 0).double().mean().item(),
            norm=values.norm().item(),
            finite=bool(values.isfinite().all()),
        )


def short(value: float) -> str:
    """Return a number in four digits, with a true minus sign.

    Examples
    --------
    >>> short(0.123456), short(-2.0), short(1.5e-7)
    ('0.1235', '−2', '1.5e−07')
    """
    return f"{value + 0.0:.4g}".replace("-", "−")  # of −0.0 this makes 0


def ratio_text(value: float) -> str:
    """Return what a change is of what was; a dash where that was nothing.

    Examples
    --------
    >>> ratio_text(0.001), ratio_text(math.inf)
    ('0.001', '–')
    """
    return short(value) if math.isfinite(value) else "–"


def share_text(value: float) -> str:
    """Return a share in per cent; a share that is not quite nothing or all does not look so.

    Examples
    --------
    >>> share_text(0.0), share_text(0.0001), share_text(0.5), share_text(1.0)
    ('0 %', '< 1 %', '50 %', '100 %')
    """
    if math.isnan(value):
        return "-"
    if 0 < value < 0.01:
        return "< 1 %"
    if 0.99 < value < 1:
        return "> 99 %"
    return f"{value:.0%}".replace("%", " %")
