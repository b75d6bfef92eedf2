"""What the sides in torch have in common: the network, the arrays as tensors, the test part."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor, nn

from training_sides import MEAN, STD

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from training_sides import Setting

__all__ = ["Given", "Images", "accuracy", "made_network", "normalised", "tensors"]

_OFFSET: Final = torch.tensor(-MEAN / STD)


def made_network(setting: Setting) -> nn.Sequential:
    """Return the network, in torch's default layout, with the weights of the setting."""
    if setting.network == "fc":
        network = nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 10))
    else:
        network = nn.Sequential(
            nn.Conv2d(1, 32, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(64 * 7 * 7, 128),
            nn.ReLU(),
            nn.Linear(128, 10),
        )
    with torch.no_grad():
        for weight, drawn in zip(network.parameters(), setting.weights, strict=True):
            weight.copy_(torch.from_numpy(drawn))
    return network


def tensors(images: np.ndarray, labels: np.ndarray) -> tuple[Tensor, Tensor]:
    """Return images, uint8 of shape (n, 1, 28, 28), and labels."""
    # A copy, because what was read from a file may be read-only.
    return torch.tensor(images).unsqueeze(1), torch.tensor(labels)


def normalised(images: Tensor) -> Tensor:
    """Return bytes as what networks learn from: mean 0, spread 1; two passes."""
    return torch.add(_OFFSET, images.float(), alpha=1 / (255 * STD))


class Images(torch.utils.data.Dataset):
    """What tutorials write: an image at a time, normalised when it is asked for."""

    def __init__(self, images: Tensor, labels: Tensor) -> None:
        self.images, self.labels = images, labels

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor]:
        return normalised(self.images[number]), self.labels[number]


class Given(torch.utils.data.Sampler[int]):
    """The orders of the setting, one an epoch; a shuffling DataLoader draws its own instead."""

    def __init__(self, setting: Setting) -> None:
        self._orders = iter(torch.from_numpy(setting.orders))
        self._n = setting.orders.shape[1]

    def __len__(self) -> int:
        return self._n

    def __iter__(self) -> Iterator[int]:
        yield from next(self._orders).tolist()


def accuracy(network: nn.Module, setting: Setting) -> float:
    """Return the share of the test part that the network gets right."""
    images, labels = tensors(setting.test_images, setting.test_labels)
    network.eval()
    right = 0
    with torch.no_grad():
        for some, of_them in zip(images.split(1000), labels.split(1000), strict=True):
            right += int((network(normalised(some)).argmax(1) == of_them).sum())
    return right / len(labels)
