"""Training: from labelled data and a description to a trained, measured, exported network.

>>> from snellen.training import train
>>> run = train({"data": "digits", "network": "fc", "epochs": 2})
>>> run.measured_on
'test'

Nothing is imported before it is used: torch comes with the first name that needs it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

_HOME = {
    "Callback": "snellen.training.callbacks.protocol",
    "Choice": "snellen.training.choices",
    "CrossValidated": "snellen.training.cross_validation",
    "Description": "snellen.training.description",
    "TrainedNetwork": "snellen.training.trained_network",
    "TrainedRun": "snellen.training.result",
    "TrainingData": "snellen.training.data.training_data",
    "build_network": "snellen.training.network.build",
    "cross_validate": "snellen.training.cross_validation",
    "load_trained": "snellen.training.trained_network",
    "network_table": "snellen.training.network.summary",
    "open_data": "snellen.training.data.source",
    "prove_resume": "snellen.training.resumption",
    "read_description": "snellen.training.description",
    "replay": "snellen.training.resumption",
    "train": "snellen.training.training",
}

__all__ = [
    "Callback",
    "Choice",
    "CrossValidated",
    "Description",
    "TrainedNetwork",
    "TrainedRun",
    "TrainingData",
    "build_network",
    "cross_validate",
    "load_trained",
    "network_table",
    "open_data",
    "prove_resume",
    "read_description",
    "replay",
    "train",
]

if TYPE_CHECKING:
    from snellen.training.callbacks.protocol import Callback
    from snellen.training.choices import Choice
    from snellen.training.cross_validation import CrossValidated, cross_validate
    from snellen.training.data.source import open_data
    from snellen.training.data.training_data import TrainingData
    from snellen.training.description import Description, read_description
    from snellen.training.network.build import build_network
    from snellen.training.network.summary import network_table
    from snellen.training.result import TrainedRun
    from snellen.training.resumption import prove_resume, replay
    from snellen.training.trained_network import TrainedNetwork, load_trained
    from snellen.training.training import train


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module snellen.training has no attribute {name}")
    import importlib

    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return list(__all__)
