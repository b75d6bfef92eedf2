"""Data by name: a built-in set, a file, a folder, a function, or objects of Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from snellen.training.choices import Choice, made
from snellen.training.data.digits import digits
from snellen.training.data.fashion_mnist import fashion_mnist
from snellen.training.data.training_data import TrainingData, finished

if TYPE_CHECKING:
    import torch

__all__ = ["TrainingData", "open_data"]

_NAMED = {"fashion-mnist": fashion_mnist, "digits": digits}


def open_data(
    choice: Choice | str, *, task: str = "auto", seed: int = 0, device: torch.device | str = "cpu"
) -> TrainingData:
    """Open labelled data.

    Parameters
    ----------
    choice : Choice or str
        ``"fashion-mnist"``, ``"digits"``.
    task : str
        What the data are for; ``"auto"`` sees it from the targets.
    seed : int
        What the validation part is a function of, where the source has none.
    device : torch.device or str
        Where batches are made.

    Raises
    ------
    InputError
        The message says what to do.
    """
    choice = Choice.of(choice)
    found = made(choice, _NAMED, "data")
    return finished(found, task=task, seed=seed).to(device)
