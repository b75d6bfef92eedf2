"""Images with labels, that networks are measured on."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

__all__ = ["ImageReader", "LabelledImages"]


class ImageReader(Protocol):
    """How the images of a set are read; threads call it at the same time."""

    def data(self, row: int) -> bytes | NDArray[np.uint8]:
        """Return an image as it is stored: the bytes of a file, or an array (H, W, C).

        Raises
        ------
        InputError
            Where it cannot be read.
        """
        ...


@dataclasses.dataclass(frozen=True)
class LabelledImages:
    """N images, the class of each, and how to read them.

    Attributes
    ----------
    ids : sequence of str
        What each is called, in their order; unique.
    labels : ndarray of int64, shape (N,)
        The position of its class in `classes`.
    classes : sequence of str
        Names, unique.
    reader : ImageReader or None
        None for a table of labels without images: then only stored predictions can be measured.
    source : dict
        Where all comes from, in plain values: data, kind, ….
    digest : str
        Of ids, labels, classes and what tells that files changed (sizes, times of change).
    also : sequence of tuple of int, or None
        Of each image all classes that count as right (ReaL); empty where it is not counted. None
        without.
    notes : list of str
        What people should know: what was left out, how classes were found.
    """

    ids: Sequence[str]
    labels: NDArray[np.int64]
    classes: Sequence[str]
    reader: ImageReader | None
    source: dict[str, Any]
    digest: str
    also: Sequence[tuple[int, ...]] | None = None
    notes: list[str] = dataclasses.field(default_factory=list)

    def __len__(self) -> int:
        return len(self.ids)
