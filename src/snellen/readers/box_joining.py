"""Rows of files as boxes: images and classes by position, relative boxes scaled."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen.detection.masks import Masks
from snellen.detection.oriented import OrientedBoxes
from snellen.detection.poses import Poses
from snellen.errors import IdError, InputError, SchemaError
from snellen.readers.box_classes import (
    classes_of_rows,
    codes_in,
    codes_of_none,
    of_known_classes,
    with_names,
)
from snellen.readers.box_rows import KINDS
from snellen.readers.class_list import ClassList
from snellen.readers.image_heads import image_sizes, images_below, picture_names
from snellen.readers.image_names import match_images
from snellen.readers.left_out import warn
from snellen.readers.message_text import few
from snellen.readers.outlines import Outlines
from snellen.readers.point_names import as_truth_orders, names_of_classes
from snellen.readers.row_columns import columns_of_rows
from snellen.readers.table import read_bytes
from snellen.state import Keys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from snellen.detection.candidates import Objects
    from snellen.readers.box_rows import BoxRows

__all__ = ["ReadBoxes", "predictions_of_rows", "truth_of_rows"]


_WITHOUT_EMPTY_IMAGES: Final = ("table", "open-images")


class ReadBoxes(NamedTuple):
    """Boxes that were read, and what their files say beside.

    Attributes
    ----------
    boxes : Boxes, Masks, Poses or OrientedBoxes
        The objects: truth, or predictions with scores. Of all kinds ``boxes.boxes`` are the upright
        boxes, with images, classes and scores.
    format : str
        The format, one of `FORMATS`; ``"rows"`` of an array, ``"records"`` of COCO records.
    sizes : ndarray, shape (n_images, 2), int64, or None
        Height and width of each image, in the order of ``boxes.boxes.images``; None where not all
        are known.
    flags : mapping of str to ndarray, shape (n,), uint8
        By box: ``difficult``, ``truncated``, ``occluded``, ``group_of``, ``dont_care``, ….
    notes : list of str
        What was taken for what, for people.
    names : tuple of str or None
        Other names of the images, in the order of ``boxes.boxes.images``: those of their files.
    relative : bool
        Whether boxes are parts of images whose sizes are not known.
    outlines : Outlines or None
        Of masks the polygons in pixels, where files have one of each object.
    beside : mapping of str to sequence of str
        Files that were read and may lie elsewhere than the one that was named; see `BoxRows`.
    point_names : mapping of int to tuple of str
        What the keypoints of a class are called, in their order, by the position of the class;
        without those of classes whose files do not say it.
    """

    boxes: Objects
    format: str
    sizes: NDArray[np.int64] | None
    flags: Mapping[str, NDArray[np.uint8]]
    notes: list[str]
    names: tuple[str, ...] | None = None
    relative: bool = False
    outlines: Outlines | None = None
    beside: Mapping[str, Sequence[str]] = MappingProxyType({})
    point_names: Mapping[int, tuple[str, ...]] = MappingProxyType({})


class _Images(NamedTuple):
    """The images that truth is of."""

    ids: list[Any]
    sizes: NDArray[np.int64] | None
    is_selection: bool
    place: str
    names: tuple[str, ...] | None = None


def _listed_images(images: Any) -> _Images:
    if isinstance(images, Mapping):
        sizes: NDArray[Any] = np.array(list(images.values()), np.float64)
        if sizes.shape != (len(images), 2) or not ((sizes >= 1) & (sizes == sizes // 1)).all():
            raise InputError(
                "expected height and width of each image, whole numbers from 1", "images"
            )
        return _Images(list(images), sizes.astype(np.int64), is_selection=False, place="images")
    if not isinstance(images, (str, os.PathLike)):
        return _Images(list(images), None, is_selection=True, place="images")
    place = os.fspath(images)
    if os.path.isdir(place):  # noqa: PTH112
        found = images_below(place)
        if not found:
            raise InputError("expected pictures, there are none", place)
        sizes = image_sizes(list(found.values()))
        names = picture_names(found)
        return _Images(list(found), sizes, is_selection=False, place=place, names=names)
    text = read_bytes(place).decode("utf-8-sig", "replace")
    ids = [name for line in text.splitlines() if (name := line.strip())]
    # A class's list of a VOC part has 1, 0 or -1 behind each image, whose names have no blanks.
    if all(re.fullmatch(r"\S+\s+-?[01]", name) for name in ids):
        ids = [name.split()[0] for name in ids]
    return _Images(ids, None, is_selection=True, place=place)


def _of_images(rows: BoxRows, images: Any, *, drop_unknown: bool) -> tuple[BoxRows, list[str]]:
    """Return rows of the images that were asked for, and notes."""
    listed = _listed_images(images)
    Keys.once_each(listed.ids, "image id", listed.place)
    match = match_images(rows.images, [_plain(name) for name in listed.ids])
    lacking = match.position < 0
    notes = []
    if match.rule and not lacking.all():
        notes.append(f"{listed.place}: images are matched by {match.rule}")
    if lacking.all() and len(rows.images):
        raise IdError(
            f"expected images of {listed.place}, got others: {few(rows.images)}", rows.path
        )
    if lacking.any():
        missing = [rows.images[k] for k in np.flatnonzero(lacking)]
        if not listed.is_selection and not drop_unknown:
            raise IdError(
                f"expected images of {listed.place}, got {len(missing):,} others: {few(missing)}; "
                "drop_unknown (--drop-unknown) leaves them out",
                rows.path,
            )
        kept = ~lacking[rows.image]
        notes.append(
            f"{rows.path}: {len(missing):,} images and {np.count_nonzero(~kept):,} boxes that are "
            f"not of {listed.place} left out"
        )
        rows = rows.taken(kept)
    position = match.position[rows.image].astype(np.int32)
    # What a size in truth says counts for less than the picture.
    sizes = listed.sizes
    if (
        sizes is None
        and rows.sizes is not None
        and not len(listed.ids) > np.count_nonzero(~lacking)
    ):
        sizes = np.empty((len(listed.ids), 2), np.int64)
        sizes[match.position[~lacking]] = rows.sizes[~lacking]
    return rows._replace(images=listed.ids, image=position, sizes=sizes, names=listed.names), notes


def _plain(name: Any) -> Any:
    return name if isinstance(name, int) else str(name)


# ---- Truth and predictions -----------------------------------------------------------------------


def truth_of_rows(
    rows: BoxRows, written: str, images: Any, classes: Any, *, drop_unknown: bool
) -> ReadBoxes:
    """Return the truth of rows in a format; see `read_detection_truth`."""
    notes = list(rows.notes)
    if images is not None:
        rows, more = _of_images(rows, images, drop_unknown=drop_unknown)
        notes += more
    if not rows.images:
        raise InputError("expected truth, there are no images", rows.path)
    keys = Keys.once_each(list(rows.images), "image id", rows.path)
    code_of_image = keys.codes(list(rows.images))
    sizes = None
    if rows.sizes is not None:
        sizes = np.empty_like(rows.sizes)
        sizes[code_of_image] = rows.sizes
    known, code_of_label = classes_of_rows(rows, written, classes, drop_unknown=drop_unknown)
    rows = of_known_classes(rows, code_of_label)
    image, label = code_of_image[rows.image], code_of_label[rows.label]
    found = columns_of_rows(
        rows,
        image=image,
        label=label,
        images=keys,
        classes=known,
        sizes=sizes,
        crowd=_crowds(rows),
        ignored=_ignored(rows),
    )
    notes += found.notes
    if found.relative:
        notes.append(
            f"{rows.path}: sizes of images are not known: boxes stay parts of them, IoU is right, "
            "numbers by area (small, medium, large) mean nothing; images= (--images) gives sizes"
        )
    for flag, said in (
        ("difficult", "difficult boxes are left out by VOC's rules, and boxes as others to COCO's"),
        ("group_of", "boxes of groups are crowds"),
    ):
        if flag in rows.flags and rows.flags[flag].any():
            notes.append(f"{rows.path}: {np.count_nonzero(rows.flags[flag]):,} {said}")
    names = None
    if rows.names is not None:
        order = np.argsort(code_of_image)
        names = tuple(rows.names[k] for k in order.tolist())
    return ReadBoxes(
        found.boxes, written, sizes, rows.flags, notes, names, found.relative, found.outlines,
        rows.beside, names_of_classes(rows, label),
    )  # fmt: skip


def _crowds(rows: BoxRows) -> NDArray[np.uint8]:
    """Return which boxes are regions of many objects: a group in Open Images is what COCO's is."""
    crowd = np.zeros(len(rows.image), np.uint8) if rows.crowd is None else rows.crowd
    return crowd | rows.flags["group_of"] if "group_of" in rows.flags else crowd


def _ignored(rows: BoxRows) -> NDArray[np.uint8] | None:
    """Return which boxes are neither to be found nor missed; DOTA has two degrees of it."""
    difficult = rows.flags.get("difficult")
    return None if difficult is None else (difficult != 0).astype(np.uint8)


def predictions_of_rows(
    rows: BoxRows, written: str, truth: ReadBoxes, classes: Any, *, drop_unknown: bool
) -> ReadBoxes:
    """Return the predictions of rows in a format; see `read_detection_predictions`."""
    notes = list(rows.notes)
    if not len(rows.image):
        notes.append(f"{rows.path}: no predictions")
    of_truth = truth.boxes.boxes
    known = of_truth.images
    match = match_images(rows.images, known.ids.tolist(), truth.names)
    if match.rule and (match.position >= 0).any():
        notes.append(f"{rows.path}: images are matched with truth's by {match.rule}")
    absent = match.position < 0
    lost = absent[rows.image]
    if lost.any():
        missing = [rows.images[k] for k in np.unique(rows.image[lost])]
        message = (
            f"{np.count_nonzero(lost):,} boxes of {len(missing):,} images that truth does not have"
        )
        if not drop_unknown:
            # What a table does not mention may be an image in which there is nothing.
            more = (
                "images without objects are truth's, too, where images (--images) lists them; "
                if truth.format in _WITHOUT_EMPTY_IMAGES
                else ""
            )
            raise IdError(
                f"expected images that truth has ({few(known.ids.tolist(), 3)}), got {message}: "
                f"{few(missing)}; {more}drop_unknown (--drop-unknown) leaves them out",
                rows.place(int(np.argmax(lost))),
            )
        warn(f"{message} left out", rows.path)
        rows = rows.taken(~lost)
    labels = with_names(rows, written, of_truth.classes, classes, truth.format)
    rows = labels.rows
    if len(of_truth.classes):
        listed = ClassList.read(of_truth.classes)
        code_of_label = codes_in(labels, listed, "truth", drop_unknown=drop_unknown)
    else:
        code_of_label = codes_of_none(rows, drop_unknown=drop_unknown)
    rows = of_known_classes(rows, code_of_label)
    image, label = match.position[rows.image], code_of_label[rows.label]
    rows, told = as_truth_orders(rows, label, truth.point_names, of_truth.classes)
    notes += told
    if not len(rows.image):
        # No box is relative or not, oriented or not.
        rows = rows._replace(relative=truth.relative, **_nothing_like(truth.boxes))
    _refuse_other_kind(rows, truth.boxes)
    if rows.relative and truth.sizes is None and not truth.relative:
        raise InputError(
            "expected boxes in pixels, as truth's are, or the sizes of images (--images), got "
            "parts of the images' sizes",
            rows.path,
        )
    if truth.relative and not rows.relative:
        raise InputError(
            "expected boxes as parts of the images' sizes, as truth's are, or the sizes of images "
            "with truth (--images), got pixels",
            rows.path,
        )
    found = columns_of_rows(
        rows,
        image=image,
        label=label,
        images=known,
        classes=of_truth.classes,
        sizes=truth.sizes,
        # A part of a table as a rule; kernels want it in one piece.
        score=None if rows.score is None else np.ascontiguousarray(rows.score),
    )
    notes += found.notes
    return ReadBoxes(
        found.boxes, written, truth.sizes, rows.flags, notes, truth.names, found.relative,
        found.outlines, rows.beside, names_of_classes(rows, label),
    )  # fmt: skip


def _nothing_like(truth: Objects) -> dict[str, Any]:
    """Return the columns that make no rows of the kind of truth."""
    return {
        "corners": np.zeros((0, 8)) if isinstance(truth, OrientedBoxes) else None,
        "outlines": Outlines.none() if isinstance(truth, Masks) else None,
        "keypoints": truth.keypoints[:0] if isinstance(truth, Poses) else None,
    }


def _refuse_other_kind(rows: BoxRows, truth: Objects) -> None:
    if rows.kind != truth.kind:
        remedy = ""
        if truth.kind == "box":
            remedy = ': kind="box" (--similarity box, of convert --kind box) takes their boxes'
        raise InputError(
            f"expected {KINDS[truth.kind]}, as truth has them, got {KINDS[rows.kind]}{remedy}",
            rows.path,
        )
    if isinstance(truth, Poses) and rows.keypoints is not None:
        wanted, n = truth.keypoints.shape[1], rows.keypoints.shape[1]
        if n != wanted:
            raise SchemaError(f"expected {wanted} keypoints, as truth has, got {n}", rows.path)
