"""From a decoded image to what a network takes: size, crop, order of colours, scale."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

import numpy as np

from snellen.benchmark.image_resize import Filter, resized
from snellen.errors import InputError, MissingExtraError, SchemaError, ShapeError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["CHOICES", "Colours", "Fit", "Kind", "Layout", "Preprocessing"]

Fit = Literal["shorter", "stretch", "fill"]
Colours = Literal["RGB", "BGR", "L"]
Layout = Literal["channels_first", "channels_last"]
Kind = Literal["float32", "uint8"]
CHOICES: Final = {
    "filter": get_args(Filter),
    "colours": get_args(Colours),
    "layout": get_args(Layout),
    "dtype": get_args(Kind),
    "fit": get_args(Fit),
}
"""What the parameters of `Preprocessing` may be that have names."""


@dataclasses.dataclass(frozen=True)
class Preprocessing:
    """What is done to images, as the network's authors did it.

    The size of images, the filter and the crop are worth points of accuracy (a network measured
    without the crop that it was trained for loses one to eight), so they stand in every result.

    Parameters
    ----------
    height, width : int
        What the network takes.
    shorter_side : int or None
        The length that ``"shorter"`` gives to the shorter side.
    filter : {"box", "bilinear", "hamming", "bicubic", "lanczos"}
        How pixels are weighed.
    colours : {"RGB", "BGR", "L"}
        The order of channels; "L" is grey.
    scale : float
        What bytes are multiplied by first.
    mean, std : tuple of float
        What is taken off then, and divided by; for each channel in the order of `colours`, or one
        for all.
    layout : {"channels_first", "channels_last"}
        Of a batch: (N, C, H, W) or (N, H, W, C).
    dtype : {"float32", "uint8"}
        Bytes stay as they are, for a network that scales them itself.
    fit : {"shorter", "stretch", "fill"}
        ``"shorter"``: images keep their proportions, their shorter side gets the length that is
        given, and their middle is cut out; where it is too small, it lies in the middle of black.
        ``"stretch"``: all of an image becomes height by width. ``"fill"``: the largest middle of
        these proportions does, by ``PIL.ImageOps.fit``, as `snellen train` has it. By default the
        first where a shorter side is given, else the second.

    Examples
    --------
    >>> Preprocessing(2, 2, scale=1 / 255).batch([np.full((2, 2, 3), 51, np.uint8)]).shape
    (1, 3, 2, 2)
    """

    height: int
    width: int
    shorter_side: int | None = None
    filter: Filter = "bilinear"
    colours: Colours = "RGB"
    scale: float = 1.0
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    layout: Layout = "channels_first"
    dtype: Kind = "float32"
    fit: Fit | None = None

    def __post_init__(self) -> None:
        sizes = (self.height, self.width, 1 if self.shorter_side is None else self.shorter_side)
        if min(sizes) < 1:
            raise InputError(f"expected sizes from 1, got {sizes}")
        if self.fit is None:
            fit = "stretch" if self.shorter_side is None else "shorter"
            object.__setattr__(self, "fit", fit)
        for name, known in CHOICES.items():
            value = getattr(self, name)
            if value not in known:
                raise InputError(
                    f'expected a {name} of {", ".join(known)}, got "{value}".'
                    f"{did_you_mean(str(value), known)}"
                )
        if (self.fit == "shorter") == (self.shorter_side is None):
            raise InputError(
                "expected the length of the shorter side for images that are fitted by it, and for "
                f'no others, got {self.shorter_side} for "{self.fit}"'
            )
        for name in ("mean", "std"):
            n, several = len(getattr(self, name)), self.n_channels > 1
            if n not in (1, self.n_channels):
                raise InputError(
                    f"expected one {name}{f' or {self.n_channels}' if several else ''}, got {n}"
                )
        if not all(value > 0 for value in self.std):
            raise InputError(f"expected a std above 0, got {self.std}")
        if not all(math.isfinite(value) for value in (self.scale, *self.mean, *self.std)):
            raise InputError(
                f"expected finite numbers, got scale {self.scale}, mean {self.mean}, std {self.std}"
            )

    @property
    def n_channels(self) -> int:
        """1 of grey images, else 3."""
        return 1 if self.colours == "L" else 3

    @property
    def mode(self) -> str:
        """What Pillow calls images that `pixels` takes: ``"L"`` or ``"RGB"``."""
        return "L" if self.colours == "L" else "RGB"

    def pixels(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the bytes of an image that the network sees, in the order of Pillow.

        Parameters
        ----------
        image : ndarray of uint8, shape (H, W, C)
            As it was decoded.

        Returns
        -------
        ndarray of uint8, shape (height, width, C)
        """
        if image.ndim != 3 or image.shape[2] != self.n_channels:
            raise ShapeError(f"expected (H, W, {self.n_channels}) bytes, got {image.shape}")
        if self.fit == "fill":
            return _filled(image, self.height, self.width, self.filter)
        if self.shorter_side is None:
            return resized(image, self.height, self.width, self.filter)
        whole = _with_shorter(image.shape[0], image.shape[1], self.shorter_side)
        rows, columns = (
            _middle(size, wanted)
            for size, wanted in zip(whole, (self.height, self.width), strict=True)
        )
        part = resized(
            image,
            *whole,
            self.filter,
            window=(rows.start, columns.start, rows.length, columns.length),
        )
        if part.shape[:2] == (self.height, self.width):
            return part
        framed = np.zeros((self.height, self.width, self.n_channels), np.uint8)
        framed[
            rows.margin : rows.margin + rows.length,
            columns.margin : columns.margin + columns.length,
        ] = part
        return framed

    def batch(self, images: list[NDArray[np.uint8]]) -> NDArray[Any]:
        """Return what the network takes, of what `pixels` gave."""
        stacked = np.stack(images)
        if self.colours == "BGR":
            stacked = stacked[..., ::-1]
        if self.layout == "channels_first":
            stacked = stacked.transpose(0, 3, 1, 2)
        if self.dtype == "uint8":
            return np.ascontiguousarray(stacked)
        shape = (-1, 1, 1) if self.layout == "channels_first" else (-1,)
        # In float64 first: one rounding for factor and offset each, whatever mean and std are.
        factor = self.scale / np.asarray(self.std)
        offset = -np.asarray(self.mean) / np.asarray(self.std)
        scaled = stacked * factor.astype(np.float32).reshape(shape)
        scaled += offset.astype(np.float32).reshape(shape)
        return np.ascontiguousarray(scaled)

    def to_dict(self) -> Mapping[str, Any]:
        """Return it in plain values."""
        return dataclasses.asdict(self)

    @classmethod
    def of_dict(cls, plain: Mapping[str, Any]) -> Preprocessing:
        """Return what `to_dict` gave.

        Raises
        ------
        InputError
            For anything else.
        """
        try:
            lists = {name: tuple(plain[name]) for name in ("mean", "std") if name in plain}
            return cls(**{**plain, **lists})
        except TypeError as error:
            raise SchemaError(f"expected a preprocessing of images, got: {error}") from None

    def __str__(self) -> str:
        size = f"{self.height} × {self.width}"
        if self.fit == "fill":
            fit = f"middle of these proportions to {size}"
        elif self.shorter_side is None:
            fit = f"stretched to {size}"
        else:
            fit = f"shorter side to {self.shorter_side}, middle {size}"
        scaled = "bytes"
        if self.dtype != "uint8":
            mean, std = (
                " ".join(f"{value:.4g}" for value in values) for values in (self.mean, self.std)
            )
            scaled = f"× {self.scale:.4g}, − {mean}, ÷ {std}"
        return f"{fit}, {self.filter}; {self.colours}, {scaled}"


def _filled(
    image: NDArray[np.uint8],
    height: int,
    width: int,
    filter: Filter,  # noqa: A002 - what everybody calls it
) -> NDArray[np.uint8]:
    """Return the largest middle of some proportions in another size.

    It begins at fractions of pixels, which Pillow alone resizes as Pillow does.
    """
    if image.shape[:2] == (height, width):
        return image
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise MissingExtraError("pillow", "report") from None
    grey = image.shape[2] == 1
    picture = Image.fromarray(image[..., 0] if grey else image)
    fitted = ImageOps.fit(picture, (width, height), Image.Resampling[filter.upper()])
    pixels: NDArray[np.uint8] = np.asarray(fitted)
    return pixels[..., None] if grey else pixels


def _with_shorter(height: int, width: int, shorter: int) -> tuple[int, int]:
    """Return the size in which the shorter side has a length; fractions are cut off."""
    if height <= width:
        return shorter, int(shorter * width / height)
    return int(shorter * height / width), shorter


@dataclasses.dataclass(frozen=True)
class _Cut:
    start: int  # in the image
    length: int
    margin: int  # before it in what is wanted


def _middle(size: int, wanted: int) -> _Cut:
    """Return where the middle lies; half of an odd rest is rounded to even, as in torchvision."""
    if size < wanted:
        return _Cut(0, size, (wanted - size) // 2)
    return _Cut(round((size - wanted) / 2), wanted, 0)
