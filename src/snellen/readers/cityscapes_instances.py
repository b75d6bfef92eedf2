"""Cityscapes' own panoptic label maps: PNGs of instanceIds, without JSON."""

from __future__ import annotations

import dataclasses
import os
import re
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.errors import ClassError, IdError, InputError, first_few
from snellen.readers.image_files import files_below
from snellen.readers.label_image import DEFAULT_MAX_PIXELS
from snellen.readers.message_text import few
from snellen.readers.panoptic import counted_pairs
from snellen.segmentation.label_scheme import STRAY, VOID
from snellen.segmentation.panoptic_segments import PanopticSegments

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from snellen.classes import Classes
    from snellen.readers.panoptic import Batch, Count
    from snellen.segmentation.label_scheme import LabelScheme

__all__ = ["CityscapesInstances", "read_cityscapes_instances"]

# aachen_000000_000019_gtFine_instanceIds.png, and what others put behind the three parts.
_PARTS: Final = re.compile(r".+?_\d{6}_\d{6}(?![0-9])")
_INSTANCE_IDS: Final = "instanceIds.png"
_PER_CLASS: Final = 1000  # instance k of class c is 1000 c + k; what is below is a class


@dataclasses.dataclass(frozen=True, eq=False)
class CityscapesInstances:
    """Pairs of label maps of instanceIds.

    Attributes
    ----------
    image_ids : tuple of str
        The images, ascending: city, sequence and frame.
    truth_maps, pred_maps : tuple of str
        Where the label map of each image is.
    scheme : LabelScheme
        The classes, and what values mean.
    notes : tuple of str
        What was left out.
    max_pixels : int or None
        Larger maps are refused; None lifts the limit.
    """

    image_ids: tuple[str, ...]
    truth_maps: tuple[str, ...]
    pred_maps: tuple[str, ...]
    scheme: LabelScheme
    notes: tuple[str, ...]
    max_pixels: int | None = DEFAULT_MAX_PIXELS

    @property
    def classes(self) -> Classes:
        """The classes that are evaluated."""
        return self.scheme.classes

    @property
    def things(self) -> list[int]:
        """The ids of the classes that are things."""
        found: list[int] = self.classes.keys.ids[self.scheme.has_instances].tolist()
        return found

    def only(self, image: int) -> CityscapesInstances:
        """Return the files of one image, given by its position."""
        some = slice(image, image + 1)
        return dataclasses.replace(
            self,
            image_ids=self.image_ids[some],
            truth_maps=self.truth_maps[some],
            pred_maps=self.pred_maps[some],
        )

    def batches(self, count: Count) -> Iterator[Batch]:
        """Yield what a metric's `update` takes, some images at a time; memory stays flat.

        A value from 1000 on is an instance, a lower one the segment of a class: of one with
        instances a group of them, so a crowd where it is truth. Classes that are not evaluated are
        void.

        Parameters
        ----------
        count : callable
            What to do with the two maps of an image: the metric's `count`.

        Raises
        ------
        InputError
            For label maps that cannot be evaluated, with the files.
        """
        for some, pairs in counted_pairs(
            self.truth_maps, self.pred_maps, "ids", count, max_pixels=self.max_pixels
        ):
            truth, of_truth = self._segments(
                pairs.image, pairs.truth, pairs.count, self.truth_maps, some
            )
            pred, of_pred = self._segments(
                pairs.image, pairs.pred, pairs.count, self.pred_maps, some
            )
            yield truth, pred, pairs._replace(truth=of_truth, pred=of_pred)

    def _segments(
        self,
        image: NDArray[Any],
        values: NDArray[Any],
        count: NDArray[np.int64],
        maps: Sequence[str],
        some: slice,
    ) -> tuple[PanopticSegments, NDArray[np.int64]]:
        """Return the segments that values of images are, and the values with 0 for void."""
        ids, places = self.image_ids[some], maps[some]
        codes = self.scheme.encoding("instanceIds").codes_of(values)
        if (codes == STRAY).any():
            where = int(image[np.argmax(codes == STRAY)])
            stray = np.unique(values[(codes == STRAY) & (image == where)]).tolist()
            raise ClassError(
                "expected instanceIds: class ids of Cityscapes, and 1000 times these plus a "
                f"number; got {first_few(stray)}",
                places[where],
            )
        there = codes != VOID
        found, at = np.unique(
            np.stack([image, values, codes])[:, there], axis=1, return_inverse=True
        )
        area = np.zeros(found.shape[1], np.int64)
        np.add.at(area, at.reshape(-1), count[there])
        group = (found[1] < _PER_CLASS) & self.scheme.has_instances[found[2]]
        segments = PanopticSegments.from_columns(
            image_id=np.array(ids)[found[0]],
            id=found[1],
            label=self.classes.keys.ids[found[2]],
            crowd=group,
            area=area,
            classes=self.classes,
            image_ids=np.array(ids),
            places=places,
        )
        return segments, np.where(codes == VOID, 0, values)


def read_cityscapes_instances(
    truth: str | os.PathLike[str],
    pred: str | os.PathLike[str],
    *,
    scheme: LabelScheme,
    max_pixels: int | None = DEFAULT_MAX_PIXELS,
) -> CityscapesInstances:
    """Find pairs of Cityscapes' instanceIds below two folders.

    Parameters
    ----------
    truth, pred : path
        Folders; files are paired by city, sequence and frame, the beginning of their names. Where
        some are called ``*instanceIds.png``, only those count, else all PNGs.
    scheme : LabelScheme
        That of Cityscapes.
    max_pixels : int or None
        Refuse larger label maps, before they are unpacked; None lifts the limit.

    Raises
    ------
    InputError
        Where there are no files, or a truth file has no predicted one.
    IdError
        Where two files are of one image.
    """
    sides = [_files(os.fspath(folder)) for folder in (truth, pred)]
    missing = sorted(sides[0].keys() - sides[1].keys())
    if missing:
        raise InputError(
            f"expected a prediction for each image, {len(missing):,} of {len(sides[0]):,} have "
            f"none: {few(missing)}",
            os.fspath(pred),
        )
    more = len(sides[1]) - len(sides[0])
    notes = (f"{more:,} predicted images are not in truth: left out - at {os.fspath(pred)}",)
    ids = sorted(sides[0])
    of_truth, of_pred = (tuple(side[each] for each in ids) for side in sides)
    return CityscapesInstances(
        tuple(ids), of_truth, of_pred, scheme, notes if more else (), max_pixels
    )


def _files(folder: str) -> dict[str, str]:
    """Return the label maps below a folder, by the image they are of."""
    every = [(path, at) for path, at in files_below(folder) if path.lower().endswith(".png")]
    named = [entry for entry in every if entry[0].endswith(_INSTANCE_IDS)]
    found: dict[str, str] = {}
    for path, at in named or every:
        name = path.rpartition("/")[2]
        parts = _PARTS.match(name)
        image = parts.group() if parts else name[: -len(".png")]
        if found.setdefault(image, at) != at:
            raise IdError(
                f"expected one label map for each image, got two for {image}: "
                f"{found[image]} and {at}",
                folder,
            )
    if not found:
        raise InputError("expected PNGs of instanceIds, got none", folder)
    return found
