"""Keras, and which of its backends."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from typing import TYPE_CHECKING, Any

from snellen.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["imported_keras", "is_keras_model", "keras_on_torch", "torch_unless_chosen"]


def is_keras_model(value: object) -> bool:
    """Return whether something is a `keras.Model`; nothing is imported to find out."""
    keras: Any = sys.modules.get("keras")
    return keras is not None and isinstance(value, keras.Model)


@contextlib.contextmanager
def torch_unless_chosen() -> Iterator[None]:
    """Let code that imports keras here get the backend torch, as `imported_keras` does."""
    open_still = "keras" not in sys.modules and "KERAS_BACKEND" not in os.environ
    if open_still:
        os.environ["KERAS_BACKEND"] = "torch"
    try:
        yield
    finally:
        if open_still and "keras" not in sys.modules:
            del os.environ["KERAS_BACKEND"]


def imported_keras() -> Any:
    """Return the package keras.

    Where neither the program has imported it nor ``KERAS_BACKEND`` says anything, its backend
    becomes torch, which is there anyway, whatever Keras' own file of settings says.

    Raises
    ------
    MissingExtraError
        If it is not installed.
    InputError
        If the backend that was chosen is not.
    """
    if "keras" not in sys.modules:
        os.environ.setdefault("KERAS_BACKEND", "torch")
    try:
        return importlib.import_module("keras")
    except ImportError as error:
        if error.name == "keras":
            raise MissingExtraError("keras", "keras") from None
        chosen = os.environ.get("KERAS_BACKEND")
        if error.name in ("jax", "tensorflow", "openvino"):
            raise InputError(
                f"expected a backend of Keras that is installed, got KERAS_BACKEND={chosen}, "
                f"which needs {error.name}: set KERAS_BACKEND=torch"
            ) from None
        raise


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
