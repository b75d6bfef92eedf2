"""Which batch size to try, where a batch is too large for the memory, or too small for a layer."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import torch

from snellen.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from snellen.training.description import Description

__all__ = ["enough_memory", "enough_samples"]


@contextlib.contextmanager
def enough_samples(description: Description) -> Iterator[None]:
    """Say which batch batch normalisation cannot take: one sample has no spread."""
    try:
        yield
    except ValueError as error:
        if "Expected more than 1 value per channel" not in str(error):
            raise
        raise InputError(
            "expected two samples or more in every batch that goes through batch normalisation, "
            "got one: take another batch_size or micro_batch_size, or layer_norm",
            f"{description.place} batch_size".strip(),
        ) from error


@contextlib.contextmanager
def enough_memory(description: Description) -> Iterator[None]:
    """Say which batch size to try where memory does not suffice."""
    try:
        yield
    except (torch.cuda.OutOfMemoryError, MemoryError) as error:
        raise _too_large(description) from error
    except RuntimeError as error:
        if "not enough memory" not in str(error) and "can't allocate memory" not in str(error):
            raise
        raise _too_large(description) from error


def _too_large(description: Description) -> InputError:
    size = description.micro_batch_size or description.batch_size
    if size == 1:
        return InputError("expected enough memory for one sample, there is not")
    return InputError(
        f"expected enough memory for {size} samples at a time, there is not: try "
        f"micro_batch_size = {size // 2}, which changes no update but through batch normalisation",
        f"{description.place} batch_size".strip(),
    )
