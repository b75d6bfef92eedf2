"""What readers say of data that they leave out or make up."""

from __future__ import annotations

import warnings

from snellen.errors import DataWarning

__all__ = ["warn"]


def warn(message: str, place: str) -> None:
    """Say what was left out or made up; a warning of the reader that called the caller."""
    warnings.warn(f"{message} - at {place}", DataWarning, stacklevel=4)
