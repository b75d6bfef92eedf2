"""Which classes were looked for in which images, where nobody looked for all of them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.arrays import to_flags, to_numpy
from snellen.errors import ClassError, IdError, ShapeError, first_few

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from snellen.classes import Classes
    from snellen.state import Keys

__all__ = ["VerifiedLabels"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class VerifiedLabels:
    """Classes that were looked for in images: of LVIS, Open Images and others of many classes.

    Where a class has truth in an image it was looked for, and need not be listed. Made by
    `from_ids`, which checks; the plain constructor checks nothing.

    Attributes
    ----------
    image, label : ndarray, shape (n,), int32
        Positions in the images and classes of the truth that they are of.
    exhaustive : ndarray, shape (n,), uint8
        0 where there may be more objects of the class in the image than truth has.
    """

    image: NDArray[np.int32]
    label: NDArray[np.int32]
    exhaustive: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.image)

    def __repr__(self) -> str:
        return f"VerifiedLabels({len(self)} classes of images)"

    @classmethod
    def from_ids(
        cls,
        *,
        image_id: ArrayLike,
        label: ArrayLike,
        exhaustive: ArrayLike | None = None,
        images: Keys,
        classes: Classes,
    ) -> VerifiedLabels:
        """Make them from ids.

        Parameters
        ----------
        image_id, label : array-like, shape (n,)
            An image, and a class that was looked for in it.
        exhaustive : array-like, shape (n,), optional
            0 where there may be more objects of the class than truth has; all 1 where not given.
        images : Keys
            The images of truth.
        classes : Classes
            The classes of truth.

        Raises
        ------
        ShapeError, IdError, ClassError
            For lengths that differ, and for images and classes that are not truth's.
        """
        of_image, of_label = to_numpy(image_id, "image_id"), to_numpy(label, "label")
        flags = (
            np.ones(len(of_image), np.uint8)
            if exhaustive is None
            else to_flags(exhaustive, "exhaustive")
        )
        for name, column in (("label", of_label), ("exhaustive", flags)):
            if len(column) != len(of_image):
                raise ShapeError(f"expected {len(of_image)} values, got {len(column)}", name)
        image = _codes(images, of_image, "image ids", "image_id", IdError)
        codes = _codes(classes.keys, of_label, "classes", "label", ClassError)
        return cls(image, codes, flags)


def _codes(
    keys: Keys, values: NDArray[Any], what: str, place: str, error: type[IdError | ClassError]
) -> NDArray[np.int32]:
    if not len(values):
        return np.zeros(0, np.int32)
    codes = keys.codes(values)
    if (codes < 0).any():
        absent = np.unique(values[codes < 0]).tolist()
        raise error(
            f"expected {what} of truth, got {len(absent)} others: {first_few(absent)}", place
        )
    return codes
