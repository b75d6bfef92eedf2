"""Panoptic label maps in files: COCO's PNG and JSON, pair by pair."""

from __future__ import annotations

import dataclasses
import itertools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.errors import InputError, SchemaError, ShapeError
from snellen.readers.label_image import DEFAULT_MAX_PIXELS, read_label_image
from snellen.readers.message_text import few
from snellen.readers.panoptic_json import PanopticJson, read_panoptic_json
from snellen.segmentation.segment_pairs import SegmentPairs
from snellen.state import Keys
from snellen.threads import in_threads

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

    from snellen.classes import Classes
    from snellen.segmentation.panoptic_segments import PanopticSegments

    Count = Callable[[NDArray[Any], NDArray[Any]], SegmentPairs]
    Batch = tuple[PanopticSegments, PanopticSegments, SegmentPairs]

__all__ = ["IMAGES_AT_ONCE", "PanopticFiles", "counted_pairs", "read_panoptic"]

IMAGES_AT_ONCE = 64


@dataclasses.dataclass(frozen=True, eq=False)
class PanopticFiles:
    """Pairs of label maps in files, and what their segments are.

    Attributes
    ----------
    truth, pred : PanopticSegments
        The segments of all images, in order of image ids.
    truth_maps, pred_maps : tuple of str
        Where the label map of each image is.
    is_thing : ndarray, shape (K,), bool
        Which classes are things.
    notes : tuple of str
        What was left out.
    max_pixels : int or None
        Larger maps are refused; None lifts the limit.
    """

    truth: PanopticSegments
    pred: PanopticSegments
    truth_maps: tuple[str, ...]
    pred_maps: tuple[str, ...]
    is_thing: NDArray[np.bool_]
    notes: tuple[str, ...]
    max_pixels: int | None = DEFAULT_MAX_PIXELS

    @property
    def classes(self) -> Classes:
        """The classes, those of truth."""
        return self.truth.classes

    @property
    def things(self) -> list[int]:
        """The ids of the classes that are things."""
        found: list[int] = self.classes.keys.ids[self.is_thing].tolist()
        return found

    def only(self, image: int) -> PanopticFiles:
        """Return the files of one image, given by its position."""
        some = slice(image, image + 1)
        return dataclasses.replace(
            self,
            truth=_images(self.truth, some),
            pred=_images(self.pred, some),
            truth_maps=self.truth_maps[some],
            pred_maps=self.pred_maps[some],
        )

    def batches(self, count: Count) -> Iterator[Batch]:
        """Yield what a metric's `update` takes, some images at a time; memory stays flat.

        Maps are read and counted on as many threads as kernels use (`snellen.set_threads`).

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
            self.truth_maps, self.pred_maps, "colours", count, max_pixels=self.max_pixels
        ):
            yield _images(self.truth, some), _images(self.pred, some), pairs


def read_panoptic(
    truth: str | os.PathLike[str],
    pred: str | os.PathLike[str],
    *,
    truth_maps: str | os.PathLike[str] | None = None,
    pred_maps: str | os.PathLike[str] | None = None,
    protocol: str = "coco",
    max_pixels: int | None = DEFAULT_MAX_PIXELS,
) -> PanopticFiles:
    """Read COCO panoptic files: the JSON now, the label maps when they are asked for.

    Parameters
    ----------
    truth, pred : path
        JSON files, plain or gzipped: ``annotations`` with ``image_id``, ``file_name`` and
        ``segments_info``; truth with ``categories``, of which each has ``isthing``.
    truth_maps, pred_maps : path, optional
        The folders of the label maps, RGB images in which a segment's id is R + 256 G + 65536 B.
        Without, the JSON file's name without ``.json``.
    protocol : {"coco", "coco-strict"}
        That of the metric. ``"coco-strict"`` takes and refuses what panopticapi does.
    max_pixels : int or None
        Refuse larger label maps, before they are unpacked; None lifts the limit.

    Raises
    ------
    SchemaError, IdError, ClassError, InputError
        For files that cannot be evaluated; the message ends with the place.

    Examples
    --------
    ::

        files = read_panoptic("panoptic_val2017.json", "predictions.json")
        metric = PanopticQuality(files.classes, things=files.things)
        for batch in files.batches(metric.count):
            metric.update(*batch)
        print(metric.compute())
    """
    strict = protocol == "coco-strict"
    t, p = (read_panoptic_json(os.fspath(path)) for path in (truth, pred))
    classes, is_thing = t.classes()
    ids: list[Any] = t.image_ids.ids.tolist()
    missing = [each for each in ids if each not in p.images]
    if missing:
        raise InputError(
            f"expected a prediction for each image, {len(missing):,} of {len(ids):,} have none: "
            f"{few(missing)}",
            p.path,
        )
    notes = []
    if len(p.images) > len(ids):
        notes.append(
            f"{len(p.images) - len(ids):,} predicted images are not in truth: left out - at "
            f"{p.path}"
        )
    if t.n_without:
        notes.append(f"{t.n_without:,} listed images have no annotation: left out - at {t.path}")
    of_truth, of_pred = (
        _map_paths(file, argument, folder, ids)
        for file, argument, folder in ((t, "truth_maps", truth_maps), (p, "pred_maps", pred_maps))
    )
    return PanopticFiles(
        truth=t.segments(ids, classes, of_truth, is_truth=True, strict=strict),
        pred=p.segments(ids, classes, of_pred, is_truth=False, strict=strict),
        truth_maps=tuple(of_truth),
        pred_maps=tuple(of_pred),
        is_thing=is_thing,
        notes=tuple(notes),
        max_pixels=max_pixels,
    )


def counted_pairs(
    truth: Sequence[str],
    pred: Sequence[str],
    kind: str,
    count: Count,
    *,
    max_pixels: int | None = DEFAULT_MAX_PIXELS,
) -> Iterator[tuple[slice, SegmentPairs]]:
    """Yield some pairs of label maps after the others: which, and what `count` returns of them.

    Parameters
    ----------
    truth, pred : sequence of str
        The files.
    kind : str
        ``"colours"`` or ``"ids"``: what maps must hold.
    count : callable
        What to do with two maps.
    max_pixels : int or None
        Larger maps are refused.
    """

    def counted(pair: tuple[str, str]) -> SegmentPairs:
        sides = [_read_map(path, kind, max_pixels) for path in pair]
        if sides[0].shape[:2] != sides[1].shape[:2]:
            shown = [f"{side.shape[1]} x {side.shape[0]}" for side in sides]
            raise ShapeError(
                f"expected label maps of one size, got {shown[0]} and {shown[1]} pixels",
                f"{pair[0]} and {pair[1]}",
            )
        return count(*sides)

    parts = in_threads(counted, zip(truth, pred, strict=True))
    for first in range(0, len(truth), IMAGES_AT_ONCE):
        some = list(itertools.islice(parts, IMAGES_AT_ONCE))
        yield slice(first, first + len(some)), SegmentPairs.joined(some)


def _read_map(path: str, kind: str, max_pixels: int | None) -> NDArray[Any]:
    image = read_label_image(path, max_pixels=max_pixels)
    if image.kind == kind:
        return image.values
    wanted, remedy = "gray values", ""
    if kind == "colours":
        wanted = "RGB colours (R + 256 G + 65536 B is the segment's id)"
        remedy = ": is this a folder of semantic labels?"
    got = {"palette": "a palette image", "ids": "a gray image", "colours": "a colour image"}
    raise SchemaError(
        f"expected {wanted}, got {got[image.kind]} of {image.bits} bits{remedy}", path
    )


def _map_paths(
    file: PanopticJson, argument: str, folder: str | os.PathLike[str] | None, ids: Sequence[Any]
) -> list[str]:
    if folder is None:
        path = Path(file.path)
        name = path.name.removesuffix(".gz").removesuffix(".json")
        folder = path.with_name(name)
        if not folder.is_dir() or folder == path:
            raise InputError(
                f"expected the label maps of {path.name} in the folder {name} beside it, there "
                f"is none: give the folder as {argument}",
                os.fspath(folder),
            )
    place = os.fspath(folder)
    try:
        with os.scandir(place) as entries:
            there = {entry.name for entry in entries}
    except OSError as error:
        raise InputError(f"expected a folder of label maps, got: {error.strerror}", place) from None
    names = file.file_names(ids)
    missing = [name for name in names if name not in there and not Path(place, name).is_file()]
    if missing:
        raise InputError(
            f"expected the label map of each image, {len(missing):,} of {len(names):,} are not "
            f"there: {few(missing)}",
            f"{place}, listed by {file.path}",
        )
    return [os.path.join(place, name) for name in names]  # noqa: PTH118  # a path for each image


def _images(segments: PanopticSegments, some: slice) -> PanopticSegments:
    """Return the segments of some images, given by position; rows are in order of images."""
    rows = slice(*np.searchsorted(segments.image, (some.start, some.stop)).tolist())
    return dataclasses.replace(
        segments,
        image=segments.image[rows] - np.int32(some.start),
        id=segments.id[rows],
        label=segments.label[rows],
        crowd=None if segments.crowd is None else segments.crowd[rows],
        area=None if segments.area is None else segments.area[rows],
        images=Keys(segments.images.ids[some], segments.images.what),
        places=None if segments.places is None else segments.places[some],
    )
