"""How often each cell of the confusion matrix occurs in each image: the state of pixel metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.digests import unit_digests
from snellen.errors import IdError, InputError, first_few
from snellen.state import Keys, Ledger, id_array

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray
    from typing_extensions import Self

__all__ = ["Batch", "PixelColumns", "PixelRows"]

# Rows of a sum without images wait until there are so many.
_PENDING = 1 << 16


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


class Batch(NamedTuple):
    """The images of an update.

    Attributes
    ----------
    keys : Keys
        Their ids; numbers, where they have none.
    place : ndarray, shape (n,), int32
        The position of each image in `keys`.
    anonymous : bool
        Whether they have no ids.
    """

    keys: Keys
    place: NDArray[np.int32]
    anonymous: bool

    def name(self, i: int) -> str:
        """Return what image i is called."""
        return f"image {self.keys.ids[self.place[i]]}"


class PixelRows:
    """Counts of cells, image by image; or, with ``per_image=False``, of all images together.

    Images without ids are told apart, too: they are ordered by what they hold, so that batches and
    merges in any order give the same bytes.
    """

    __slots__ = ("_anonymous", "_ids", "_images", "_ledger", "n_images", "per_image")

    def __init__(self, *, per_image: bool) -> None:
        self.per_image = per_image
        self._ledger = Ledger(("image",), image=np.int32, cell=np.int32, count=np.int64)
        self._images: list[Keys] = []
        self._ids: set[int | str] = set()
        # Whether images came without ids; None before the first.
        self._anonymous: bool | None = None
        self.n_images = 0

    @property
    def anonymous(self) -> bool:
        """Whether images have no ids."""
        return self._anonymous is not False

    def batch_of(self, image_id: Any, n_images: int) -> Batch:
        """Return the ids of a batch; refuse those that are not new.

        Raises
        ------
        IdError
            For an image that was absorbed before or comes twice, and for ids beside none.
        InputError
            For another number of ids, or ids where images are not told apart.
        """
        if image_id is None:
            self._check_naming(anonymous=True)
            first = self.n_images if self.per_image else 0
            keys = Keys(np.arange(first, first + n_images), "image id")
            return Batch(keys, np.arange(n_images, dtype=np.int32), anonymous=True)
        if not self.per_image:
            raise InputError("expected no image_id where images are not kept apart", "image_id")
        one = isinstance(image_id, (int, str, np.integer))
        ids = id_array([image_id] if one else image_id, "image id")
        keys = Keys(ids, "image id")
        if len(ids) != n_images:
            raise InputError(f"expected {n_images} image ids, got {len(ids)}", "image_id")
        if len(keys) != n_images:
            raise IdError("expected each image once, got one twice in a batch", "image_id")
        self._check_naming(anonymous=False)
        self._check_new(keys.ids.tolist())
        return Batch(keys, keys.codes(ids), anonymous=False)

    def add(
        self,
        batch: Batch,
        image: NDArray[np.int32],
        cell: NDArray[np.int32],
        count: NDArray[np.int64],
    ) -> None:
        """Add rows of the images of a batch; `image` counts them as they came."""
        keys = batch.keys if self.per_image else Keys([0], "image id")
        image = batch.place[image] if self.per_image else np.zeros_like(image)
        self._ledger.append({"image": keys}, image=image, cell=cell, count=count)
        self._absorb_images([keys], anonymous=batch.anonymous, n_images=len(batch.place))

    def check_merge(self, other: PixelRows) -> None:
        """Refuse images that are not new.

        Raises
        ------
        IdError
            As `batch_of`.
        """
        if other._anonymous is not None:
            self._check_naming(anonymous=other._anonymous)
            self._check_new(other._ids)

    def merge(self, other: PixelRows) -> None:
        """Add another's rows; `check_merge` has let them pass."""
        if other._anonymous is None:
            return
        if other._anonymous and self.per_image:
            other = other._renumbered(self.n_images)
        self._ledger.merge(other._ledger)
        self._absorb_images(
            other._images, anonymous=bool(other._anonymous), n_images=other.n_images
        )

    def columns(self) -> PixelColumns:
        """Return all rows in the one order that does not depend on how they came."""
        images = Keys.union(self._images, "image id")
        columns = self._ledger.columns({"image": images})
        image, cell, count = (columns[name] for name in ("image", "cell", "count"))
        n_images = len(images)
        if self.anonymous and self.per_image:
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
        return PixelColumns(None if self.anonymous else images, n_images, image, cell, count)

    def stored(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return plain values and arrays: equal rows, equal bytes."""
        columns = self.columns()
        content: dict[str, Any] = {"n_images": self.n_images, "anonymous": self._anonymous}
        arrays: dict[str, NDArray[Any]] = {
            name: getattr(columns, name) for name in ("image", "cell", "count")
        }
        if columns.images is not None:
            if columns.images.is_text:
                content["image_ids"] = columns.images.ids.tolist()
            else:
                arrays["image_ids"] = columns.images.ids
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
            keys = Keys(np.arange(n_images if per_image else 1), "image id")
        else:
            ids = arrays["image_ids"] if "image_ids" in arrays else content["image_ids"]
            keys = Keys(ids, "image id")
            if len(keys) != len(ids) or len(ids) != n_images:
                raise ValueError("images are not there once each")
        image, cell, count = (arrays[name] for name in ("image", "cell", "count"))
        if len(image) and not (
            image.min() >= 0 and image.max() < len(keys) and cell.min() >= 0 and count.min() > 0
        ):
            raise ValueError("rows of other images")
        rows._ledger.append({"image": keys}, image=image, cell=cell, count=count)
        rows._absorb_images([keys], anonymous=anonymous, n_images=n_images)
        return rows

    def _absorb_images(self, keys: list[Keys], *, anonymous: bool, n_images: int) -> None:
        self._images.extend(keys)
        self._anonymous = anonymous
        self.n_images += n_images
        if not anonymous:
            for table in keys:
                self._ids.update(table.ids.tolist())
        elif not self.per_image:
            self._settle()

    def _settle(self) -> None:
        """Add up the rows of a sum without images before there are many."""
        if len(self._ledger) <= _PENDING:
            return
        columns = self.columns()
        keys = Keys([0], "image id")
        self._ledger.replace(
            {"image": keys}, image=columns.image, cell=columns.cell, count=columns.count
        )
        self._images = [keys]

    def _renumbered(self, start: int) -> PixelRows:
        """Return the same rows of images without ids, numbered from another number on."""
        moved = PixelRows(per_image=True)
        columns = self.columns()
        keys = Keys(np.arange(start, start + self.n_images), "image id")
        moved._ledger.append(
            {"image": keys}, image=columns.image, cell=columns.cell, count=columns.count
        )
        moved._absorb_images([keys], anonymous=True, n_images=self.n_images)
        return moved

    def _check_naming(self, *, anonymous: bool) -> None:
        if self._anonymous is not None and self._anonymous != anonymous:
            words = ("without", "with") if anonymous else ("with", "without")
            raise IdError(
                "expected ids for all images or for none, got images {} ids after some {}".format(
                    *words
                ),
                "image_id",
            )

    def _check_new(self, ids: Any) -> None:
        known = [each for each in ids if each in self._ids]
        if known:
            raise IdError(
                f"expected each image once, got {len(known)} again: {first_few(sorted(known))}",
                "image_id",
            )
