"""Label images in NPY files: arrays of integers."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.errors import SchemaError
from snellen.readers.label_pixels import LabelImage, check_size

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NPY_SIGNATURE", "decode_label_npy"]

NPY_SIGNATURE: Final = b"\x93NUMPY"


def decode_label_npy(data: bytes, name: str, max_pixels: int | None) -> LabelImage:
    """Return the array of an NPY file, without a copy where it lies as C does in this machine.

    Parameters
    ----------
    data : bytes
        The file: integers or booleans, height × width; or uint8, height × width × 3.
    name : str
        What errors call it.
    max_pixels : int or None
        More are refused.

    Raises
    ------
    SchemaError
        For other arrays, files that are damaged or cut off.
    InputError
        For more pixels than allowed.
    """
    shape, fortran_order, dtype, start = _header(data, name)
    is_colour = len(shape) == 3 and shape[2] == 3 and dtype == np.uint8
    if not is_colour and (len(shape) != 2 or dtype.kind not in "iub"):
        raise SchemaError(
            "expected integers, height × width, or uint8 colours, height × width × 3, got "
            f"{dtype} of shape {shape}: save class ids, such as scores.argmax(0).astype('uint8')",
            name,
        )
    height, width = shape[:2]
    if height < 1 or width < 1:
        raise SchemaError(f"expected at least one pixel, got shape {shape}", name)
    check_size(width, height, max_pixels, name)
    n_bytes = math.prod(shape) * dtype.itemsize
    if len(data) - start != n_bytes:
        raise SchemaError(
            f"expected {n_bytes:,} bytes of {dtype} of shape {shape}, got {len(data) - start:,}",
            name,
        )
    stored: NDArray[Any] = np.frombuffer(data, dtype, offset=start)
    values = stored.reshape(shape, order="F" if fortran_order else "C")
    if dtype.kind == "b":
        values = (values.view(np.uint8) != 0).view(np.uint8)  # whatever byte true is in the file
    values = np.ascontiguousarray(values, values.dtype.newbyteorder("="))
    bits = 1 if dtype.kind == "b" else 8 * dtype.itemsize
    return LabelImage(values, "colours" if is_colour else "ids", bits)


def _header(data: bytes, name: str) -> tuple[tuple[int, ...], bool, np.dtype[Any], int]:
    """Return shape, whether in Fortran's order, dtype, and where the array begins."""
    file = io.BytesIO(data)
    try:
        version = np.lib.format.read_magic(file)
        read = (
            np.lib.format.read_array_header_1_0
            if version == (1, 0)
            else np.lib.format.read_array_header_2_0
        )
        shape, fortran_order, dtype = read(file)
    # What NumPy's parser makes of damaged text is anybody's guess.
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise SchemaError(f"expected the header of an NPY file, got: {reason}", name) from None
    return shape, fortran_order, dtype, file.tell()
