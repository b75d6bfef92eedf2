"""The images that a metric has absorbed: all with ids, each id once, or all without."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.errors import IdError, ShapeError, first_few
from snellen.state import Keys, id_array

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["ImageBatch", "ImageIds"]

_WHAT = "image id"


class ImageBatch(NamedTuple):
    """The n images of an update.

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

    @classmethod
    def of(cls, image_id: Any, n_images: int) -> ImageBatch:
        """Return images that have ids.

        Parameters
        ----------
        image_id : int or str, or array-like of shape (n_images,)
            Their ids.
        n_images : int
            How many there are.

        Raises
        ------
        ShapeError
            For another number of ids.
        IdError
            For an id that comes twice.
        """
        ids = id_array([image_id] if np.ndim(image_id) == 0 else image_id, _WHAT)
        if len(ids) != n_images:
            raise ShapeError(
                f"expected an image id for each of {n_images} images, got {len(ids)}", "image_id"
            )
        keys = Keys.once_each(ids, _WHAT, "image_id")
        return cls(keys, keys.codes(ids), anonymous=False)

    @property
    def ids(self) -> NDArray[Any]:
        """The id of each image, (n,)."""
        return self.keys.ids[self.place]

    def name(self, i: int) -> str:
        """Return what image i is called."""
        return f"image {self.ids[i]}"


class ImageIds:
    """The images that came so far: all with ids, each id once, or all without.

    Images without ids are numbered from 0 as they come; those of another metric that is merged are
    numbered on.

    Attributes
    ----------
    anonymous : bool or None
        Whether images have no ids; None before the first batch.

    Examples
    --------
    >>> from snellen.image_ids import ImageIds
    >>> images = ImageIds()
    >>> batch = images.batch_of(["right", "left"], 2)
    >>> images.add(batch.keys, anonymous=batch.anonymous)
    >>> images.keys()
    Keys(2 image ids: left, right)
    """

    __slots__ = ("_known", "_n", "_tables", "anonymous")

    def __init__(self) -> None:
        self.anonymous: bool | None = None
        self._n = 0
        # Images without ids are not listed: their numbers are 0 … n - 1.
        self._tables: list[Keys] = []
        self._known: set[int | str] = set()

    def __len__(self) -> int:
        return self._n

    @classmethod
    def numbered(cls, n_images: int) -> ImageIds:
        """Return so many images without ids."""
        images = cls()
        images.anonymous, images._n = True, n_images
        return images

    def keys(self) -> Keys:
        """Return all ids, ascending; numbers, where images have none."""
        if self.anonymous:
            return Keys(np.arange(self._n), _WHAT)
        joined = Keys.union(self._tables, _WHAT)
        if len(self._tables) > 1:
            self._tables = [joined]
        return joined

    def batch_of(self, image_id: Any, n_images: int) -> ImageBatch:
        """Return the images of an update, with numbers where they have no ids; changes nothing.

        Parameters
        ----------
        image_id : int or str, or array-like of shape (n_images,), or None
            Their ids.
        n_images : int
            A batch of none goes with all others, whether they have ids or not.

        Raises
        ------
        ShapeError, IdError
            As `ImageBatch.of` and `check`.
        """
        if image_id is None:
            keys = Keys(np.arange(self._n, self._n + n_images), _WHAT)
            batch = ImageBatch(keys, np.arange(n_images, dtype=np.int32), anonymous=True)
        else:
            batch = ImageBatch.of(image_id, n_images)
        if n_images:
            self.check(batch.keys, anonymous=batch.anonymous)
        return batch

    def check(self, keys: Keys, *, anonymous: bool) -> None:
        """Refuse images that don't go with those that came.

        Raises
        ------
        IdError
            Where only some images have ids, where ids are of two kinds, and for an id that came.
        """
        self._check_naming(anonymous)
        if not anonymous:
            self._check_new(keys)

    def add(self, keys: Keys, *, anonymous: bool) -> None:
        """Add images that were checked."""
        if self.anonymous is None:
            self.anonymous = anonymous
        self._n += len(keys)
        if len(keys) and not anonymous:
            self._tables.append(keys)
            self._known.update(keys.ids.tolist())

    def check_merge(self, other: ImageIds) -> None:
        """Refuse another's images that don't go with these; see `check`."""
        if other.anonymous is not None:
            self._check_naming(other.anonymous)
            if not other.anonymous:
                self._check_new(other.keys())

    def merge(self, other: ImageIds) -> int:
        """Add another's images, which were checked.

        Returns
        -------
        int
            By how much their numbers grow; 0, where they have ids.
        """
        start = self._n if other.anonymous else 0
        if self.anonymous is None:
            self.anonymous = other.anonymous
        self._n += other._n
        self._tables += other._tables
        self._known |= other._known
        return start

    def store(self, content: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Put the images into a state; see `Keys.store`."""
        content["anonymous"] = self.anonymous
        self.keys().store("image_ids", content, arrays)

    @classmethod
    def stored(cls, content: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> ImageIds:
        """Return what `store` put into a state.

        Raises
        ------
        KeyError, ValueError
            Where it is not whole.
        """
        if content["anonymous"] is None:
            return cls()
        keys = Keys.stored("image_ids", _WHAT, content, arrays)
        if not content["anonymous"]:
            images = cls()
            images.add(keys, anonymous=False)
            return images
        images = cls.numbered(len(keys))
        if not images.keys().same_as(keys):
            raise ValueError("other numbers than those of images without ids")
        return images

    def _check_naming(self, anonymous: bool) -> None:
        if self.anonymous not in (None, anonymous):
            raise IdError(
                "expected image ids with all batches or with none, got some with and some without"
            )

    def _check_new(self, keys: Keys) -> None:
        for table in self._tables[:1]:
            if table.is_text != keys.is_text:
                Keys.union([table, keys], _WHAT)  # says that they are of two kinds
        again = sorted(self._known.intersection(keys.ids.tolist()))
        if again:
            raise IdError(
                f"expected each image once, got {len(again):,} that were absorbed before: "
                f"{first_few(again)}"
            )
