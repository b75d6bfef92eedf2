"""Trainings that take a blink: small images whose class can be seen, small networks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from snellen.training import TrainedRun, train
from snellen.training.callbacks import Callback, StopAfter
from snellen.training.state import TrainingState

N, BATCH, EPOCHS, STEPS = 77, 8, 4, 40
LAYERS = [
    {"name": "conv", "out": 4},
    "batch_norm",
    "relu",
    "max_pool",
    "flatten",
    {"name": "dropout", "p": 0.3},
    "linear",
]
EVERYTHING: dict[str, Any] = {
    "data": "objects",
    "network": LAYERS,
    "optimizer": {"name": "sgd", "momentum": 0.9, "weight_decay": 0.01},
    "learning_rate": 0.05,
    "schedule": {"name": "plateau", "gamma": 0.5, "patience": 0, "threshold": 0.02},
    "batch_size": BATCH,
    "epochs": EPOCHS,
    "augment": ["flip", {"name": "crop", "padding": 1}, {"name": "mixup", "alpha": 0.4}],
    "ema": 0.8,
    "early_stopping": 4,
    "clip_norm": 1.0,
    "validate_every": "7ba",
    "checkpoint_every": "6ba",
}
PLAIN: dict[str, Any] = {
    "data": "objects",
    "network": ["flatten", {"name": "linear", "out": 6}, "relu", "linear"],
    "batch_size": BATCH,
    "epochs": 2,
    "schedule": "constant",
    "normalise": "unit",
}


def images(n: int, seed: int, n_classes: int = 3) -> tuple[Tensor, Tensor]:
    """Return noise with a brighter row for each class, and the classes."""
    random = torch.Generator().manual_seed(seed)
    targets = torch.arange(n) % n_classes
    found = torch.randint(0, 120, (n, 1, 6, 6), generator=random, dtype=torch.uint8)
    for k, target in enumerate(targets.tolist()):
        found[k, 0, 2 * target] += 90
    return found, targets


def objects(**parts: int) -> dict[str, Any]:
    """Return data of so many samples a part."""
    sizes = parts or {"train": N, "validation": 31, "test": 24}
    return {name: images(n, seed) for seed, (name, n) in enumerate(sizes.items())}


def small_train(description: dict[str, Any], **given: Any) -> TrainedRun:
    given = {"data": objects(), "test": False, **given}
    return train(description, **given)


def stopped_after(steps: int) -> StopAfter:
    return StopAfter(f"{steps}ba")


class Weights(Callback):
    """Keeps the weights at the end of training: not the best ones, the last."""

    def __init__(self) -> None:
        self.last: dict[str, Tensor] = {}
        self.losses: list[float] = []

    def step_end(self, run: TrainingState) -> None:
        assert run.loss is not None
        self.losses.append(run.loss.item())

    def end(self, run: TrainingState) -> None:
        self.last = {name: value.clone() for name, value in run.network.state_dict().items()}


def last_weights(description: dict[str, Any], **given: Any) -> dict[str, Tensor]:
    watch = Weights()
    small_train(description, callbacks=[watch, *given.pop("callbacks", ())], **given)
    return watch.last


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    """Return whether two networks have the same weights, bit for bit."""
    return one.keys() == other.keys() and all(torch.equal(one[k], other[k]) for k in one)


def close(one: dict[str, Tensor], other: dict[str, Tensor], tolerance: float) -> bool:
    """Return whether all weights are within a tolerance, relative to the largest of the tensor."""
    return one.keys() == other.keys() and all(
        float((one[k] - other[k]).abs().max()) <= tolerance * float(one[k].abs().max()) + 1e-300
        for k in one
        if one[k].is_floating_point()
    )


def timeless(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a history without how long it took."""
    return [{k: v for k, v in row.items() if k != "seconds"} for row in history]


def checkpoints(folder: Path) -> list[str]:
    return sorted(path.name for path in (folder / "checkpoints").iterdir())


def linear_network() -> nn.Module:
    torch.manual_seed(5)
    return nn.Sequential(nn.Flatten(), nn.Linear(36, 8), nn.ReLU(), nn.Linear(8, 3))
