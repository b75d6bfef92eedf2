"""Pairs of label images → maps of class ids, for what looks at the shapes of classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.readers.label_counts import read_pair
from snellen.readers.label_image import DEFAULT_MAX_PIXELS
from snellen.readers.label_palettes import colour_values
from snellen.segmentation.label_scheme import STRAY, VOID

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.classes import Classes
    from snellen.readers.label_encodings import Encodings
    from snellen.readers.label_image import LabelImage
    from snellen.readers.label_pairs import LabelPairs
    from snellen.segmentation.label_scheme import Encoding

__all__ = ["LabelMapReader", "ids_left_out", "void_id"]


def void_id(classes: Classes) -> int:
    """Return an id that no class has: 255 where it is free, for maps of bytes are read sooner.

    Examples
    --------
    >>> from snellen.classes import Classes
    >>> void_id(Classes([0, 255], ["background", "object"]))
    256
    """
    ids = classes.keys.ids.astype(np.int64)
    return 255 if 255 not in ids else int(ids.max()) + 1


def ids_left_out(encodings: Encodings, classes: Classes) -> tuple[int, ...]:
    """Return the ids whose pixels truth leaves out: that of void, and ignored classes.

    Maps of truth never have the latter, since they are read as void. But a metric that knows them
    is not merged with one under other rules.
    """
    codes = encodings.truth.codes_of(encodings.truth.ignored, pred=True)
    ids = classes.keys.ids[np.unique(codes[codes >= 0])]
    return (*ids.tolist(), void_id(classes))


# Values of up to so many bits are looked up in a table of all of them.
_TABLE_BITS = 16


class LabelMapReader:
    """Reads pairs of label images whose encodings are known as maps of class ids.

    Parameters
    ----------
    files : LabelPairs
    encodings : Encodings
        What the values of either side mean; unknown values are void. Where they are colours, a
        palette's indices stand for its colours.
    classes : Classes
        The classes; their ids are what maps hold.
    max_pixels : int
        Refuse larger images.

    Attributes
    ----------
    void : int
        What maps hold where there is no class.
    left_out : tuple of int
        What truth leaves out: `ids_left_out`.
    """

    def __init__(
        self,
        files: LabelPairs,
        encodings: Encodings,
        classes: Classes,
        *,
        max_pixels: int | None = DEFAULT_MAX_PIXELS,
    ) -> None:
        self._files, self._max_pixels = files, max_pixels
        self.void = void_id(classes)
        self.left_out = ids_left_out(encodings, classes)
        whole = np.array([*classes.keys.ids.astype(np.int64), self.void])
        self._ids = whole.astype(np.min_scalar_type(int(whole.max())) if whole.min() >= 0 else int)
        self._encodings = {"truth": encodings.truth, "pred": encodings.pred}
        self._tables: dict[tuple[str, str], NDArray[Any]] = {}

    def read(self, i: int) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return truth and prediction of pair i, each (H, W)."""
        truth, pred = read_pair(
            self._files.truth[i], self._files.pred[i], max_pixels=self._max_pixels
        )
        return self._map(truth, "truth"), self._map(pred, "pred")

    def _map(self, image: LabelImage, side: str) -> NDArray[Any]:
        values, encoding = image.values, self._encodings[side]
        if image.kind == "colours":
            # As in COCO panoptic: R + 256 G + 65536 B.
            red, green, blue = (values[..., c].astype(np.int32) for c in range(3))
            return self._of_values(red | green << 8 | blue << 16, encoding, side)
        if image.palette is not None and encoding.is_colour:
            every = np.arange(256)
            colours = colour_values([image.palette.tobytes()], np.array([len(every)]), every)
            return np.take(self._of_values(colours, encoding, side), values)
        if values.dtype.kind == "u" and values.dtype.itemsize * 8 <= _TABLE_BITS:
            key = (side, values.dtype.str)
            if key not in self._tables:
                every = np.arange(np.iinfo(values.dtype).max + 1)
                self._tables[key] = self._of_values(every, encoding, side)
            return np.take(self._tables[key], values)
        return self._of_values(values, encoding, side)

    def _of_values(self, values: NDArray[Any], encoding: Encoding, side: str) -> NDArray[Any]:
        code = encoding.codes_of(values, pred=side == "pred")
        # VOID is −1, the last of the ids; what is STRAY has been reported, and is void, too.
        return self._ids[np.where(code == STRAY, VOID, code)]
