"""The images that surface distances were measured in, with the structures of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.errors import IdError, first_few
from snellen.segmentation.structures import COLUMNS
from snellen.state import Keys

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

__all__ = ["OrderedImages", "SurfaceImage", "SurfaceImages"]

_WHAT = "image id"


class SurfaceImage(NamedTuple):
    """The structures of one image.

    Attributes
    ----------
    diagonal : float
        The greatest distance in the image, in mm or pixels.
    in_mm : bool
        Whether the distance between pixels was given, so that distances are in mm.
    others : ndarray, int64
        The values on either side that are of no class.
    label : ndarray, shape (n,), int64
        The id of each structure's class, ascending.
    numbers : ndarray, shape (n, 8), float64
        See `snellen.segmentation.structures.COLUMNS`.
    """

    diagonal: float
    in_mm: bool
    others: NDArray[np.int64]
    label: NDArray[np.int64]
    numbers: NDArray[np.float64]

    def key(self) -> tuple[Any, ...]:
        """Return what tells images apart: equal content, equal key."""
        return (
            self.diagonal,
            self.in_mm,
            self.others.tolist(),
            self.label.tolist(),
            self.numbers.ravel().tolist(),
        )


class OrderedImages(NamedTuple):
    """Images in ascending order of their ids, or of what they hold."""

    ids: Keys | None
    images: Sequence[SurfaceImage]


class SurfaceImages:
    """Images, all with ids or all without; each id once."""

    __slots__ = ("_ids", "_known", "images")

    def __init__(self) -> None:
        self.images: list[SurfaceImage] = []
        self._ids: list[int | str] | None = None
        self._known: set[int | str] = set()

    def __len__(self) -> int:
        return len(self.images)

    def check(self, ids: Sequence[int | str] | None) -> None:
        """Refuse ids that don't go with these.

        Raises
        ------
        IdError
            Where only some images have ids, ids are of two kinds, or an id comes again.
        """
        if ids is not None and len(set(ids)) != len(ids):
            again = sorted({each for each in ids if ids.count(each) > 1}, key=str)
            raise IdError(
                f"expected each image once, got more than once: {first_few(again)}", "image_id"
            )
        if not self.images:
            return
        if (ids is None) != (self._ids is None):
            raise IdError(
                "expected image ids with all images or with none, got some with and some without",
                "image_id",
            )
        if ids is None or self._ids is None:
            return
        Keys.union([Keys(self._ids[:1], _WHAT), Keys(ids, _WHAT)], _WHAT)
        again = sorted(self._known.intersection(ids), key=str)
        if again:
            raise IdError(
                f"expected each image once, got {len(again):,} that were absorbed before: "
                f"{first_few(again)}",
                "image_id",
            )

    def append(self, ids: Sequence[int | str] | None, images: Sequence[SurfaceImage]) -> None:
        """Add images that were checked."""
        if ids is not None and images:
            self._ids = [*(self._ids or []), *ids]
            self._known.update(ids)
        self.images.extend(images)

    def merge(self, other: SurfaceImages) -> None:
        """Add all of another's.

        Raises
        ------
        IdError
            As `check`.
        """
        if other.images:
            self.check(other._ids)
            self.append(other._ids, other.images)

    def ordered(self) -> OrderedImages:
        """Return the images by id, without ids by what they hold."""
        if self._ids is None:
            return OrderedImages(None, sorted(self.images, key=SurfaceImage.key))
        keys = Keys(self._ids, _WHAT)
        order = np.argsort(keys.codes(self._ids)).tolist()
        return OrderedImages(keys, [self.images[i] for i in order])

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return plain values and arrays: equal images, equal bytes."""
        keys, images = self.ordered()
        content: dict[str, Any] = {"image_ids": None}
        arrays: dict[str, NDArray[Any]] = {}
        if keys is not None and keys.is_text:
            content["image_ids"] = keys.ids.tolist()
        elif keys is not None:
            arrays["image_ids"] = keys.ids
        arrays |= {
            "diagonal": np.array([image.diagonal for image in images], np.float64),
            "in_mm": np.array([image.in_mm for image in images], np.uint8),
            "n_others": np.array([len(image.others) for image in images], np.int64),
            "others": np.concatenate([np.zeros(0, np.int64), *(i.others for i in images)]),
            "n_structures": np.array([len(image.label) for image in images], np.int64),
            "label": np.concatenate([np.zeros(0, np.int64), *(i.label for i in images)]),
            "numbers": np.concatenate([np.zeros((0, len(COLUMNS))), *(i.numbers for i in images)]),
        }
        return content, arrays

    @classmethod
    def of_state(
        cls, content: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> SurfaceImages:
        """Return what `state` described.

        Raises
        ------
        ValueError, KeyError, TypeError
            Where it is not whole.
        """
        ids = arrays["image_ids"].tolist() if "image_ids" in arrays else content["image_ids"]
        n = len(arrays["diagonal"])
        parts = {}
        for name, count in (("others", "n_others"), ("label", "n_structures")):
            ends = np.cumsum(arrays[count])
            if len(ends) != n or (n and ends[-1] != len(arrays[name])):
                raise ValueError(name)
            parts[name] = np.split(arrays[name], ends[:-1]) if n else []
        if len(arrays["numbers"]) != len(arrays["label"]) or (ids is not None and len(ids) != n):
            raise ValueError("rows are missing")
        numbers = np.split(arrays["numbers"], np.cumsum(arrays["n_structures"])[:-1]) if n else []
        columns = (arrays["diagonal"].tolist(), (arrays["in_mm"] != 0).tolist())
        found = cls()
        found.check(ids)
        found.append(
            ids,
            [
                SurfaceImage(*row)
                for row in zip(*columns, parts["others"], parts["label"], numbers, strict=True)
            ],
        )
        return found
