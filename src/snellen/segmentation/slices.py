"""The numbers of parts of the data, from the counts that are there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snellen.segmentation.segmentation import Segmentation

__all__ = ["Slice", "sliced"]

# The columns of the table of slices.
SHOWN = ("mIoU", "pixel_accuracy", "mIoU_I", "mIoU_I_worst5")


class Slice(NamedTuple):
    """A part of the data.

    Attributes
    ----------
    name : str
        What it is called.
    n_images : int
        How many images it has.
    metrics : mapping of str to float
        Its headline numbers.
    """

    name: str
    n_images: int
    metrics: Mapping[str, float]

    def record(self) -> dict[str, Any]:
        """Return its numbers as one record."""
        return {"slice": self.name, "n_images": self.n_images, **self.metrics}


def sliced(metric: Segmentation, slice_of: Mapping[Any, str]) -> tuple[Slice, ...]:
    """Return the numbers of each slice, by name; nothing is counted again.

    Parameters
    ----------
    metric : Segmentation
        A metric that has absorbed images with ids.
    slice_of : mapping of image id to str
        The slice of each image; images that are not named belong to none.

    Raises
    ------
    IdError
        For images that the metric has not absorbed.

    Examples
    --------
    >>> from snellen import Segmentation
    >>> metric = Segmentation(2)
    >>> for name, pred in (("a", [[0, 1]]), ("b", [[0, 0]]), ("c", [[1, 1]])):
    ...     _ = metric.update([[0, 1]], pred, image_id=name)
    >>> for part in sliced(metric, {"a": "day", "b": "day", "c": "night"}):
    ...     print(part.name, part.n_images, part.metrics["pixel_accuracy"])
    day 2 0.75
    night 1 0.5
    """
    images: dict[str, list[Any]] = {}
    for image_id, name in slice_of.items():
        images.setdefault(name, []).append(image_id)
    return tuple(
        Slice(name, len(images[name]), metric.among(images[name]).compute().metrics)
        for name in sorted(images)
    )
