"""A network of MobileNetV2's structure and size; its weights are random, its speed is not."""

from __future__ import annotations

import torch
from torch import Tensor, nn

__all__ = ["mobile"]

# Expansion, channels, blocks, stride of the first of them.
_STAGES = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)


def _step(n_in: int, n_out: int, size: int, *, stride: int = 1, groups: int = 1) -> list[nn.Module]:
    convolution = nn.Conv2d(n_in, n_out, size, stride, size // 2, groups=groups, bias=False)
    nn.init.kaiming_normal_(convolution.weight)  # torch's own makes scores of all images the same
    return [convolution, nn.BatchNorm2d(n_out)]


class _Block(nn.Module):
    def __init__(self, n_in: int, n_out: int, stride: int, expansion: int) -> None:
        super().__init__()
        n = n_in * expansion
        steps = [*_step(n_in, n, 1), nn.ReLU6()] if expansion > 1 else []
        steps += [*_step(n, n, 3, stride=stride, groups=n), nn.ReLU6(), *_step(n, n_out, 1)]
        self.steps = nn.Sequential(*steps)
        self.adds = stride == 1 and n_in == n_out

    def forward(self, images: Tensor) -> Tensor:
        found: Tensor = self.steps(images)
        return images + found if self.adds else found


def mobile() -> nn.Module:
    """Return the network: 3 × 224 × 224 to 1000 scores."""
    torch.manual_seed(0)
    layers: list[nn.Module] = [*_step(3, 32, 3, stride=2), nn.ReLU6()]
    n = 32
    for expansion, n_out, blocks, stride in _STAGES:
        for k in range(blocks):
            layers.append(_Block(n, n_out, stride if k == 0 else 1, expansion))
            n = n_out
    layers += [*_step(n, 1280, 1), nn.ReLU6(), nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    return nn.Sequential(*layers, nn.Linear(1280, 1000)).eval()
