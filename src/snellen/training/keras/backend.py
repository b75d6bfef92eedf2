"""Keras, and which of its backends."""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

from snellen.errors import InputError, MissingExtraError

__all__ = ["imported_keras", "keras_on_torch"]


def imported_keras() -> Any:
    """Return the package keras.

    Where neither the program has imported it nor ``KERAS_BACKEND`` says anything, its backend
    becomes torch, which is there anyway, whatever Keras' own file of settings says.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    """
    if "keras" not in sys.modules:
        os.environ.setdefault("KERAS_BACKEND", "torch")
    try:
        return importlib.import_module("keras")
    except ImportError as error:
        if error.name != "keras":
            raise
        raise MissingExtraError("keras", "keras") from None


def keras_on_torch() -> Any:
    """Return the package keras, whose models are torch modules.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    InputError
        If it was imported with another backend.
    """
    keras = imported_keras()
    backend = keras.backend.backend()
    if backend != "torch":
        raise InputError(
            f"expected Keras with the backend torch, got {backend}: set the environment variable "
            "KERAS_BACKEND=torch before keras is imported"
        )
    return keras
