"""How often each cell of the confusion matrix occurs in each image: the state of pixel metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.digests import unit_digests
from snellen.errors import InputError
from snellen.image_ids import ImageIds
from snellen.state import Keys, Ledger

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from typing_extensions import Self

    from snellen.image_ids import ImageBatch

__all__ = ["PixelColumns", "PixelRows"]

# Rows of a sum without images wait until there are so many.
_PENDING = 1 << 16
# The table of a sum without images.
_TOGETHER = Keys([0], "image id")


class PixelColumns(NamedTuple):
    """Rows by image and cell, both ascending.

    Attributes
    ----------
    images : Keys or None
        The N images; None where they have no ids.
    n_images : int
        N: 1 where only their sum was kept.
    image : ndarray, shape (P,), int32
    cell : ndarray, shape (P,), int32
        True class × (K + 1) + predicted class; K stands for no class.
    count : ndarray, shape (P,), int64
        Pixels.
    """

    images: Keys | None
    n_images: int
    image: NDArray[np.int32]
    cell: NDArray[np.int32]
    count: NDArray[np.int64]  # type: ignore[assignment]  # a tuple's own count is not missed


class PixelRows:
    """Counts of cells, image by image; or, with ``per_image=False``, of all images together.

    Images without ids are told apart, too: they are ordered by what they hold, so that batches and
    merges in any order give the same bytes.
    """

    __slots__ = ("_ledger", "images", "per_image")

    def __init__(self, *, per_image: bool) -> None:
        self.per_image = per_image
        self._ledger = Ledger(("image",), image=np.int32, cell=np.int32, count=np.int64)
        self.images = ImageIds()

    def batch_of(self, image_id: Any, n_images: int) -> ImageBatch:
        """Return the images of an update; see `ImageIds.batch_of`.

        Raises
        ------
        InputError
            For ids where images are not kept apart; else as `ImageIds.batch_of`.
        """
        if image_id is not None and not self.per_image:
            raise InputError("expected no image_id where images are not kept apart", "image_id")
        return self.images.batch_of(image_id, n_images)

    def add(
        self,
        batch: ImageBatch,
        image: NDArray[np.int32],
        cell: NDArray[np.int32],
        count: NDArray[np.int64],
    ) -> None:
        """Add rows of the images of a batch; `image` counts them as they came."""
        keys = batch.keys if self.per_image else _TOGETHER
        image = batch.place[image] if self.per_image else np.zeros_like(image)
        self._ledger.append({"image": keys}, image=image, cell=cell, count=count)
        self.images.add(batch.keys, anonymous=batch.anonymous)
        self._add_up()

    def merge(self, other: PixelRows) -> None:
        """Add another's rows.

        Raises
        ------
        IdError
            As `ImageIds.check_merge`; then nothing was added.
        """
        self.images.check_merge(other.images)
        shift = self.images.merge(other.images)
        self._ledger.merge(other._ledger, image=shift if self.per_image else 0)
        self._add_up()

    def columns(self) -> PixelColumns:
        """Return all rows in the one order that does not depend on how they came."""
        images = self._keys()
        columns = self._ledger.columns({"image": images})
        image, cell, count = (columns[name] for name in ("image", "cell", "count"))
        n_images, named = len(images), self.images.anonymous is False
        if self.per_image and not named:
            digest = unit_digests((cell, count), image, n_images)
            place = np.empty(n_images, np.int32)
            place[np.argsort(digest, kind="stable")] = np.arange(n_images, dtype=np.int32)
            image = place[image]
        order = np.lexsort((cell, image))
        image, cell, count = image[order], cell[order], count[order]
        if not self.per_image:
            cell, first = np.unique(cell, return_index=True)
            if len(cell):
                count = np.add.reduceat(count, first)
            image = np.zeros(len(cell), np.int32)
        return PixelColumns(images if named else None, n_images, image, cell, count)

    def stored(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return plain values and arrays: equal rows, equal bytes."""
        columns = self.columns()
        content: dict[str, Any] = {
            "n_images": len(self.images),
            "anonymous": self.images.anonymous,
        }
        arrays: dict[str, NDArray[Any]] = {
            name: getattr(columns, name) for name in ("image", "cell", "count")
        }
        if columns.images is not None:
            columns.images.store("image_ids", content, arrays)
        return content, arrays

    @classmethod
    def restored(
        cls, content: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], *, per_image: bool
    ) -> Self:
        """Return the rows that `stored` wrote.

        Raises
        ------
        ValueError, KeyError
            Where they do not fit each other.
        """
        rows = cls(per_image=per_image)
        anonymous, n_images = content["anonymous"], content["n_images"]
        if anonymous is None:
            return rows
        if anonymous:
            rows.images = ImageIds.numbered(n_images)
        else:
            rows.images = ImageIds.stored(content, arrays)
        if len(rows.images) != n_images:
            raise ValueError("images are missing")
        keys = rows._keys()
        image, cell, count = (arrays[name] for name in ("image", "cell", "count"))
        if len(image) and not (
            image.min() >= 0 and image.max() < len(keys) and cell.min() >= 0 and count.min() > 0
        ):
            raise ValueError("rows of other images")
        rows._ledger.append({"image": keys}, image=image, cell=cell, count=count)
        return rows

    def _keys(self) -> Keys:
        if self.per_image or self.images.anonymous is None:
            return self.images.keys()
        return _TOGETHER

    def _add_up(self) -> None:
        """Add up the rows of a sum without images before there are many."""
        if self.per_image or len(self._ledger) <= _PENDING:
            return
        columns = self.columns()
        self._ledger.replace(
            {"image": _TOGETHER}, image=columns.image, cell=columns.cell, count=columns.count
        )
