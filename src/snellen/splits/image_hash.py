"""Pictures as 256 bits, so that those who look alike differ in few of them."""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.errors import InputError, MissingExtraError, ShapeError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from PIL.Image import Image

__all__ = [
    "HASH_BITS",
    "HASH_NAME",
    "HASH_WORDS",
    "HashedFiles",
    "difference_hash",
    "hash_files",
    "hash_gray",
    "to_hashes",
    "upright",
]

HASH_NAME = "difference hash, 16 × 16 bits of 17 × 16 gray pixels"
HASH_BITS = 256
HASH_WORDS = 4

_COLUMNS, _ROWS = 17, 16
# JPEG files can be decoded at a fraction of their size, many times sooner. At 16 pixels for each
# of the gray picture's it changes a bit or two of 256.
_DRAFT = (16 * _COLUMNS, 16 * _ROWS)


class HashedFiles(NamedTuple):
    """What was read of image files, a row a file.

    Attributes
    ----------
    digest : tuple of (bytes or None)
        The SHA-256 of each file's bytes; None where it could not be read or is empty.
    hash : ndarray of uint64, shape (n, 4)
        The difference hash of each picture; zeros where there is none.
    problem : tuple of (str or None)
        Why there is no picture; None where there is one.
    """

    digest: tuple[bytes | None, ...]
    hash: NDArray[np.uint64]
    problem: tuple[str | None, ...]


def hash_gray(gray: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Return the difference hash of 17 × 16 gray pixels.

    Bit 16 r + c is set where pixel c + 1 of row r is lighter than pixel c; it is bit
    (16 r + c) mod 64 of word (16 r + c) // 64, the lowest bit first.

    Parameters
    ----------
    gray : ndarray of uint8, shape (16, 17)

    Returns
    -------
    ndarray of uint64, shape (4,)

    Raises
    ------
    ShapeError
        For other shapes.

    Examples
    --------
    >>> import numpy as np
    >>> ramp = np.tile(np.arange(17, dtype=np.uint8), (16, 1))
    >>> [hex(word) for word in hash_gray(ramp).tolist()] == ["0xffffffffffffffff"] * 4
    True
    """
    if gray.shape != (_ROWS, _COLUMNS) or gray.dtype != np.uint8:
        raise ShapeError(
            f"expected uint8 pixels of shape ({_ROWS}, {_COLUMNS}), got {gray.dtype} of shape "
            f"{gray.shape}",
            "gray",
        )
    lighter = gray[:, 1:] > gray[:, :-1]
    words = np.packbits(lighter.reshape(-1), bitorder="little").view("<u8")
    return words.astype(np.uint64)


def difference_hash(image: Image) -> NDArray[np.uint64]:
    """Return the difference hash of a picture.

    The picture is turned as its EXIF orientation says, laid on white where it is transparent,
    made gray (ITU-R 601 luma) and resized to 17 × 16 pixels by Pillow's antialiased bilinear
    filter; `hash_gray` does the rest. Of several frames the first counts. Pixels of more than
    8 bits are stretched from their least to their greatest value.

    Parameters
    ----------
    image : PIL.Image.Image

    Returns
    -------
    ndarray of uint64, shape (4,)

    Raises
    ------
    MissingExtraError
        Where Pillow is not installed.
    """
    pillow = _pillow()
    gray = _gray(upright(image)).resize((_COLUMNS, _ROWS), pillow.Resampling.BILINEAR)
    return hash_gray(np.asarray(gray))


def upright(image: Image) -> Image:
    """Return a picture turned as its EXIF orientation says, in a mode that shows it.

    Raises
    ------
    MissingExtraError
        Where Pillow is not installed.
    """
    pillow = _pillow()
    from PIL import ImageOps

    image.load()
    # A picture whose metadata are broken is a picture.
    with contextlib.suppress(Exception):
        image = ImageOps.exif_transpose(image)
    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        stretched: Image = pillow.fromarray(_stretched(np.asarray(image)))
        return stretched
    if image.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in image.info:
        colours = image.convert("RGBA")
        white = pillow.new("RGBA", image.size, "white")
        opaque: Image = pillow.alpha_composite(white, colours)
        return opaque.convert("RGB")
    return image if image.mode in ("L", "RGB") else image.convert("RGB")


def _gray(image: Image) -> Image:
    return image if image.mode == "L" else image.convert("L")


def _stretched(pixels: NDArray[Any]) -> NDArray[np.uint8]:
    values = pixels.astype(np.float64)
    finite = np.isfinite(values)
    if not finite.any():
        return np.zeros(values.shape, np.uint8)
    low, high = values[finite].min(), values[finite].max()
    scale = 255 / (high - low) if high > low else 0
    gray: NDArray[np.uint8] = ((np.where(finite, values, low) - low) * scale).astype(np.uint8)
    return gray


def hash_files(
    paths: Sequence[str | os.PathLike[str]], progress: Callable[[int], None] | None = None
) -> HashedFiles:
    """Read, digest and hash image files, on as many threads as the kernels use.

    Parameters
    ----------
    paths : sequence of path
    progress : callable, optional
        Called with 1 after each file, in the order of `paths`.

    Raises
    ------
    MissingExtraError
        Where Pillow is not installed.
    """
    import warnings
    from concurrent.futures import ThreadPoolExecutor

    from snellen.threads import get_threads

    _pillow()
    digests: list[bytes | None] = []
    problems: list[str | None] = []
    hashes = np.zeros((len(paths), HASH_WORDS), np.uint64)
    with warnings.catch_warnings(), ThreadPoolExecutor(get_threads()) as pool:
        # Pillow warns of doubtful metadata and of large pictures: neither concerns us.
        warnings.simplefilter("ignore")
        for row, (digest, words, problem) in enumerate(pool.map(_hash_file, paths)):
            digests.append(digest)
            problems.append(problem)
            if words is not None:
                hashes[row] = words
            if progress is not None:
                progress(1)
    return HashedFiles(tuple(digests), hashes, tuple(problems))


def _hash_file(
    path: str | os.PathLike[str],
) -> tuple[bytes | None, NDArray[np.uint64] | None, str | None]:
    import hashlib
    from pathlib import Path

    try:
        data = Path(path).read_bytes()
    except OSError as error:
        return None, None, error.strerror or type(error).__name__
    if not data:
        return None, None, "the file is empty"
    digest = hashlib.sha256(data).digest()
    pillow = _pillow()
    from PIL import UnidentifiedImageError

    try:
        with pillow.open(io.BytesIO(data)) as image:
            image.draft("L", _DRAFT)
            return digest, difference_hash(image), None
    except UnidentifiedImageError:
        return digest, None, "no image that Pillow can read"
    # What a broken file makes a decoder raise is anybody's guess.
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        return digest, None, reason or type(error).__name__


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise MissingExtraError("pillow", "report") from None
    return Image


def to_hashes(value: NDArray[Any]) -> NDArray[np.uint64]:
    """Return hashes as a contiguous array, checked.

    Raises
    ------
    InputError
        Where they are not whole numbers of 64 bits without sign.
    ShapeError
        Where a row has not four of them.
    """
    if value.dtype != np.uint64:
        raise InputError(f"expected hashes of uint64, got {value.dtype}", "images")
    if value.ndim != 2 or value.shape[1] != HASH_WORDS:
        raise ShapeError(f"expected shape (n, {HASH_WORDS}), got {value.shape}", "images")
    return np.ascontiguousarray(value)
