"""The tools beside each other, one short file a tool.

Each file has a function for each task that the tool can do: it takes the task's arrays by name and
returns the work, a function without arguments that returns numbers by name: how far the classes'
shares of the test part are off.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["class_deviation", "object_deviation"]


def class_deviation(label: Any, test: Any) -> dict[str, float]:
    """Return how far each class's share of the test part is from a fifth, mean and greatest."""
    share = np.bincount(label[test], minlength=label.max() + 1) / np.bincount(label)
    return {"mean": float(np.abs(share - 0.2).mean()), "max": float(np.abs(share - 0.2).max())}


def object_deviation(member: Any, test: Any) -> dict[str, float]:
    """Return the same of an indicator matrix."""
    off = np.abs(member[test].sum(0) / member.sum(0) - 0.2)
    return {"mean": float(off.mean()), "max": float(off.max())}
