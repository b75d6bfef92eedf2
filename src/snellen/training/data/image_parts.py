"""Labelled images, file by file, as parts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import torch

from snellen.errors import InputError
from snellen.readers.pictures import decode_picture, look_of, read_head
from snellen.training.data.loading import Files, Loading, fits, part_of_files, without_bad

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torch import Tensor

    from snellen.readers.pictures import Fit, Look
    from snellen.training.data.parts import Part

__all__ = ["Images", "image_parts", "rows_by_part"]


class Images(NamedTuple):
    """What is wanted of images.

    Attributes
    ----------
    image_size : int, (int, int) or None
        Of a square, or height and width; None: all have one size already.
    mode : {"auto", "L", "RGB"}
        Grey or colours.
    fit : {"crop", "stretch"}
        What becomes of other proportions.
    """

    image_size: int | tuple[int, int] | None = None
    mode: Literal["auto", "L", "RGB"] = "auto"
    fit: Fit = "crop"


def image_parts(
    files: Files,
    rows: Mapping[str, Sequence[int]],
    targets: Tensor | None,
    images: Images,
    loading: Loading,
    notes: list[str],
    *,
    read_target: Callable[[int, Look], Any] | None = None,
    target_bytes: int = 8,
) -> dict[str, Part]:
    """Return the parts of labelled images.

    Parameters
    ----------
    files : Files
        All images.
    rows : mapping of str to sequence of int
        Which of them are in which part.
    targets : Tensor or None
        The target of each image; None where `read_target` reads it.
    images, loading
        What is wanted, and how.
    notes : list of str
        What is left out is added.
    read_target : callable, optional
        Returns the target of an image, made to a look.
    target_bytes : int
        How large a target is, for each pixel where `read_target` reads it.

    Raises
    ------
    InputError, SchemaError
        Where images cannot be read and that is not allowed, or differ.
    """
    wanted = [row for of_part in rows.values() for row in of_part]
    if not wanted:
        raise InputError("expected images, got none")
    found = without_bad(
        lambda k: read_head(files.paths[wanted[k]]),
        [files.ids[row] for row in wanted],
        loading,
        "image",
        notes,
    )
    good = [wanted[k] for k in found.rows]
    heads = [(files.ids[row], head) for row, head in zip(good, found.values, strict=True)]
    look = look_of(heads, image_size=images.image_size, mode=images.mode, fit=images.fit)
    arrays = look.mode == ""
    shape = (heads[0][1].n_channels, look.height, look.width) if arrays else look.shape
    kind = torch.uint8 if look.dtype == "u1" else torch.float32
    size = int(np.prod(shape)) * kind.itemsize
    size += target_bytes * (look.height * look.width if read_target else 1)
    keep = fits([size * len(good)], loading)
    usable = set(good)
    parts: dict[str, Part] = {}
    for name, of_part in rows.items():
        mine = [row for row in of_part if row in usable]
        parts[name] = _part(
            files, mine, targets, look, shape, kind, keep, loading, notes, read_target
        )
    return parts


def _part(
    files: Files,
    mine: list[int],
    targets: Tensor | None,
    look: Look,
    shape: tuple[int, ...],
    kind: torch.dtype,
    keep: bool,
    loading: Loading,
    notes: list[str],
    read_target: Callable[[int, Look], Any] | None,
) -> Part:
    def load(k: int) -> tuple[Any, Any]:
        row = mine[k]
        image = decode_picture(files.paths[row], look)
        if read_target is not None:
            return image, read_target(row, look)
        return image, 0

    return part_of_files(
        load,
        files.only(mine),
        None if targets is None else targets[mine],
        shape,
        kind,
        keep=keep,
        loading=loading,
        notes=notes,
    )


def rows_by_part(names: Sequence[str]) -> dict[str, list[int]]:
    """Return the rows of each part, from the name of each row's part."""
    found: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        found.setdefault(name, []).append(row)
    return found
