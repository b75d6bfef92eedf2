"""What Snellen's two sides have in common: data, description, network."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snellen.training.data.found import Found
from snellen.training.data.resident import ResidentPart
from snellen.training.data.training_data import finished
from snellen.training.description import Description
from training_sides import BATCH_SIZE, LEARNING_RATE, MEAN, STD
from training_sides.plain_torch import made_network, tensors

if TYPE_CHECKING:
    from snellen.training.data.training_data import TrainingData
    from training_sides import Setting

__all__ = ["description_of", "made_network", "training_data"]


def training_data(setting: Setting) -> TrainingData:
    """Return the arrays as data; without a validation part, for no other side measures one."""
    parts = {
        "train": ResidentPart(*tensors(setting.train_images, setting.train_labels)),
        "test": ResidentPart(*tensors(setting.test_images, setting.test_labels)),
    }
    return finished(Found(parts, "classification", None, {"data": "arrays"}, validation=0))


def description_of(setting: Setting) -> Description:
    """Return the description; what it does not say is Snellen's default."""
    return Description.of(
        {
            "data": "fashion-mnist",
            "normalise": {"name": "fixed", "mean": [MEAN], "std": [STD]},
            "optimizer": "adam",
            "learning_rate": LEARNING_RATE,
            "schedule": "constant",
            "batch_size": BATCH_SIZE,
            "epochs": setting.epochs,
            "seed": setting.seed,
        }
    )
