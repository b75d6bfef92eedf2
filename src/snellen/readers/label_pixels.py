"""The raw values of a label image, whatever file they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from snellen.errors import InputError, SchemaError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = ["DEFAULT_MAX_PIXELS", "LabelImage", "check_opaque", "check_size"]

DEFAULT_MAX_PIXELS: Final = 178_956_970
"""The number of pixels from which on Pillow, too, takes a file for a decompression bomb."""


class LabelImage(NamedTuple):
    """The raw values of a label image: what the file stores, before anything is made of it.

    Attributes
    ----------
    values : ndarray of integers, shape (height, width), or of uint8, shape (height, width, 3)
        Ids, indices or colours; not to be written to.
    kind : {"ids", "palette", "colours"}
        What `values` are: gray values or any integers; indices of a palette; red, green and blue.
    bits : int
        Bits of a value in the file: 1, 2, 4, 8, 16, …; of colours, of each of the three.
    palette : ndarray of uint8, shape (n, 3), or None
        The colours that indices stand for in the file.
    """

    values: NDArray[Any]
    kind: Literal["ids", "palette", "colours"]
    bits: int
    palette: NDArray[np.uint8] | None = None


def check_size(width: int, height: int, max_pixels: int | None, name: str) -> None:
    """Refuse images that are larger than allowed, before room is made for them.

    Raises
    ------
    InputError
        Where there are more pixels than `max_pixels`, which None lifts.
    """
    if max_pixels is not None and width * height > max_pixels:
        raise InputError(
            f"expected at most {max_pixels:,} pixels, got {width:,} × {height:,}: where that is "
            "meant, raise --max-pixels (max_pixels)",
            name,
        )


def check_opaque(n_not_opaque: int, name: str) -> None:
    """Refuse transparency: the format doesn't say what label lies under it.

    Raises
    ------
    SchemaError
        Where there are pixels that are not opaque.
    """
    if n_not_opaque:
        pixels = "pixel that is" if n_not_opaque == 1 else "pixels that are"
        raise SchemaError(
            f"expected a label image without transparency, got {n_not_opaque:,} {pixels} not "
            "opaque: save it without alpha",
            name,
        )
