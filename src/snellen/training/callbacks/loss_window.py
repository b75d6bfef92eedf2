"""The mean loss of some updates, summed on the device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

__all__ = ["LossWindow"]


class LossWindow:
    """Sums losses where they are: nothing waits for the device until the mean is read."""

    def __init__(self) -> None:
        self.n = 0
        self._sum: Tensor | None = None

    def add(self, loss: Tensor) -> None:
        """Add the loss of an update, 0-d."""
        loss = loss.detach()
        if self._sum is None:
            self._sum = loss.to(torch.promote_types(loss.dtype, torch.float32), copy=True)
        else:
            self._sum += loss
        self.n += 1

    def read(self) -> float | None:
        """Return the mean and begin anew: this waits for the device. None where there was none."""
        if self._sum is None:
            return None
        mean = float(self._sum) / self.n
        self._sum, self.n = None, 0
        return mean

    def to(self, device: torch.device) -> None:
        """Bring the sum to a device, where there is one."""
        if self._sum is not None:
            self._sum = self._sum.to(device)

    def state(self) -> dict[str, Any]:
        """Return the sum and the number of losses."""
        return {"n": self.n, "sum": None if self._sum is None else self._sum.clone()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from what `state` returned."""
        self.n = state["n"]
        self._sum = None if state["sum"] is None else state["sum"].clone()
