"""Keras beside Snellen's training: its models in our loop, our networks as its models, our metrics.

`KerasModule` and `load_keras` take a Keras model as a torch module, `to_keras` makes a Keras model
of a network of layers, `save_keras` a ``.keras`` file of a whole trained network, and
`SnellenMetrics` is a callback for Keras' own ``fit``. Keras is imported when one of them is used;
which backend it has then is said in `snellen.training.keras.backend`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from snellen.training.keras.adapter import KerasModule, load_keras
    from snellen.training.keras.export import save_keras, to_keras
    from snellen.training.keras.metrics import SnellenMetrics

__all__ = ["KerasModule", "SnellenMetrics", "load_keras", "save_keras", "to_keras"]

_HOME = {
    "KerasModule": "snellen.training.keras.adapter",
    "SnellenMetrics": "snellen.training.keras.metrics",
    "load_keras": "snellen.training.keras.adapter",
    "save_keras": "snellen.training.keras.export",
    "to_keras": "snellen.training.keras.export",
}


def __getattr__(name: str) -> Any:
    """Import what is asked for, and keep it."""
    import importlib

    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value
