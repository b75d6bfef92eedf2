"""The images that surface distances were measured in, with the structures of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.image_ids import ImageIds
from snellen.segmentation.structures import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from snellen.image_ids import ImageBatch
    from snellen.state import Keys

__all__ = ["OrderedImages", "SurfaceImage", "SurfaceImages"]


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

    __slots__ = ("_listed", "ids", "images")

    def __init__(self) -> None:
        self.ids = ImageIds()
        self.images: list[SurfaceImage] = []
        self._listed: list[int | str] = []  # the id of each image, if they have ids

    def __len__(self) -> int:
        return len(self.images)

    def append(self, batch: ImageBatch, images: Sequence[SurfaceImage]) -> None:
        """Add the images of a batch."""
        if images:
            self.ids.add(batch.keys, anonymous=batch.anonymous)
            self.images += images
            if not batch.anonymous:
                self._listed += batch.ids.tolist()

    def merge(self, other: SurfaceImages) -> None:
        """Add all of another's.

        Raises
        ------
        IdError
            As `ImageIds.check_merge`.
        """
        self.ids.check_merge(other.ids)
        self.ids.merge(other.ids)
        self._listed += other._listed
        self.images += other.images

    def ordered(self) -> OrderedImages:
        """Return the images by id, without ids by what they hold."""
        if self.ids.anonymous is not False:
            return OrderedImages(None, sorted(self.images, key=SurfaceImage.key))
        keys = self.ids.keys()
        order = np.argsort(keys.codes(self._listed)).tolist()
        return OrderedImages(keys, [self.images[i] for i in order])

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return plain values and arrays: equal images, equal bytes."""
        keys, images = self.ordered()
        content: dict[str, Any] = {"image_ids": None}
        arrays: dict[str, NDArray[Any]] = {}
        if keys is not None:
            keys.store("image_ids", content, arrays)
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
        n, found = len(arrays["diagonal"]), cls()
        ids = arrays["image_ids"] if "image_ids" in arrays else content["image_ids"]
        batch = found.ids.batch_of(ids, n)
        parts = {}
        for name, count in (("others", "n_others"), ("label", "n_structures")):
            ends = np.cumsum(arrays[count])
            if len(ends) != n or (n and ends[-1] != len(arrays[name])):
                raise ValueError(name)
            parts[name] = np.split(arrays[name], ends[:-1]) if n else []
        if len(arrays["numbers"]) != len(arrays["label"]):
            raise ValueError("rows are missing")
        numbers = np.split(arrays["numbers"], np.cumsum(arrays["n_structures"])[:-1]) if n else []
        columns = (arrays["diagonal"].tolist(), (arrays["in_mm"] != 0).tolist())
        found.append(
            batch,
            [
                SurfaceImage(*row)
                for row in zip(*columns, parts["others"], parts["label"], numbers, strict=True)
            ],
        )
        return found
