"""What Open Images says beside boxes: labels of whole images, and which classes contain others."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen.classes import Classes
from snellen.detection.hierarchy import ClassHierarchy, expand_hierarchy, expanded_rows
from snellen.detection.verified_labels import VerifiedLabels
from snellen.errors import ClassError, InputError, SchemaError
from snellen.readers.box_rows import distinct
from snellen.readers.box_table import named_column
from snellen.readers.class_list import ClassList
from snellen.readers.image_names import match_images
from snellen.readers.open_images import column_in_any_case, numbers_of
from snellen.readers.table import read_table
from snellen.readers.typed_json import read_typed_json
from snellen.state import Keys

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.detection.boxes import Boxes
    from snellen.readers.box_joining import ReadBoxes

__all__ = [
    "ImageLabels",
    "read_class_hierarchy",
    "read_image_labels",
    "with_hierarchy",
    "with_image_labels",
    "with_labels_and_hierarchy",
]

# Formats that have only those images and classes that boxes are of.
_LIST_NOTHING: Final = ("open-images", "table")


class ImageLabels(NamedTuple):
    """Which classes people found in images, and which they looked for in vain.

    Attributes
    ----------
    images, labels : list of str
        The images and classes, each once.
    image, label : ndarray, shape (n,), int32
        The position of each label's image and class in them.
    positive : ndarray, shape (n,), bool
        Whether the class is in the image.
    path : str
        The file, for messages.
    """

    images: list[str]
    image: NDArray[np.int32]
    labels: list[str]
    label: NDArray[np.int32]
    positive: NDArray[np.bool_]
    path: str

    def expanded(self, hierarchy: ClassHierarchy) -> ImageLabels:
        """Return the labels with what follows from them.

        Where a class is, all above it are; where it is not, no kind of it is. Classes that the
        hierarchy does not have say nothing of others.
        """
        n = len(self.labels)
        # Of each class what follows, with it itself in front: first of all that it is not there.
        follows = [
            [name, *of.get(name, ())]
            for of in (hierarchy.descendants, hierarchy.ancestors)
            for name in self.labels
        ]
        names, code = distinct([name for each in follows for name in each])
        size = np.array([len(each) for each in follows], np.int64)
        case = self.label + np.where(self.positive, n, 0)
        times = size[case]
        rows = np.repeat(np.arange(len(self.label)), times)
        within = np.arange(len(rows)) - np.repeat(np.cumsum(times) - times, times)
        label = code[(np.cumsum(size) - size)[case[rows]] + within]
        return self._replace(
            image=self.image[rows],
            labels=names,
            label=label.astype(np.int32),
            positive=self.positive[rows],
        )


def read_image_labels(path: str | os.PathLike[str]) -> ImageLabels:
    """Read verified labels of images.

    Parameters
    ----------
    path : path
        ``.csv``, as published, or another table with columns ``ImageID``, ``LabelName`` and
        ``Confidence``, in any case: 1 where the class is in the image, 0 where it is not.

    Raises
    ------
    SnellenError
        Of bad input, with file, line and column; also for other confidences, as machines give
        them: what was not looked at by people is not verified.
    """
    place = os.fspath(path)
    table = read_table(path, header=True)
    names = {name.lower(): name for name in table.names}
    image = named_column(table, column_in_any_case(names, "ImageID", table)).text()
    label = named_column(table, column_in_any_case(names, "LabelName", table)).text()
    confidence = numbers_of(table, column_in_any_case(names, "Confidence", table))
    odd = (confidence != 0) & (confidence != 1)
    if odd.any():
        row = int(np.argmax(odd))
        raise InputError(
            "expected verified labels, with 0 (not there) or 1 (there) as Confidence, got "
            f"{confidence[row]:g}",
            table.place(row),
        )
    return ImageLabels(
        image.values.tolist(),
        image.codes,
        label.values.tolist(),
        label.codes,
        confidence == 1,
        place,
    )


def read_class_hierarchy(path: str | os.PathLike[str]) -> ClassHierarchy:
    """Read which classes are kinds of which others.

    Parameters
    ----------
    path : path
        JSON, plain or ``.gz``, as Open Images publishes it; see `ClassHierarchy`.

    Raises
    ------
    SnellenError
        Of bad input, with file and place in it.
    """
    place = os.fspath(path)
    tree = read_typed_json(place, dict[str, Any], "a hierarchy of classes")
    try:
        return ClassHierarchy(tree)
    except SchemaError as error:
        raise error.within(place) from None


def with_labels_and_hierarchy(
    read: ReadBoxes,
    image_labels: str | os.PathLike[str] | None,
    hierarchy: str | os.PathLike[str] | Mapping[str, Any] | None,
    *,
    has_all_images: bool,
    has_all_classes: bool,
) -> ReadBoxes:
    """Return truth with what files say beside it; see `read_detection_truth`.

    Raises
    ------
    SnellenError
        Of bad input.
    """
    known = None
    if hierarchy is not None:
        place = os.fspath(hierarchy) if not isinstance(hierarchy, Mapping) else "hierarchy"
        try:
            known = (
                ClassHierarchy(hierarchy)
                if isinstance(hierarchy, Mapping)
                else read_class_hierarchy(hierarchy)
            )
            read = with_hierarchy(read, known)
        except (SchemaError, ClassError) as error:
            raise (error if error.place.startswith(place) else error.within(place)) from None
    if image_labels is None:
        return read
    labels = read_image_labels(image_labels)
    return with_image_labels(
        read,
        labels if known is None else labels.expanded(known),
        has_all_images=has_all_images,
        # Labels of Open Images are of twenty thousand classes, of which few have boxes.
        has_all_classes=has_all_classes or known is not None,
    )


def with_hierarchy(read: ReadBoxes, hierarchy: ClassHierarchy) -> ReadBoxes:
    """Return truth in which a box of a class is one of all classes above it too.

    Raises
    ------
    ClassError
        For boxes of classes that the hierarchy does not have.
    """
    boxes = expand_hierarchy(read.boxes, hierarchy)
    rows = expanded_rows(read.boxes.boxes, hierarchy)[0]
    note = f"{len(read.boxes):,} boxes are {len(boxes):,} with those of the classes above"
    return read._replace(
        boxes=boxes,
        flags={name: flag[rows] for name, flag in read.flags.items()},
        notes=[*read.notes, note],
    )


def with_image_labels(
    read: ReadBoxes, labels: ImageLabels, *, has_all_images: bool, has_all_classes: bool
) -> ReadBoxes:
    """Return truth that says which classes were looked for in which images.

    Parameters
    ----------
    read : ReadBoxes
        Truth.
    labels : ImageLabels
        What was looked for beside the classes of each image's boxes.
    has_all_images : bool
        Whether truth has all images that count. Else those of labels are added to those of a table,
        which are only the ones with boxes.
    has_all_classes : bool
        Whether truth has all classes that count; else, of a table, those of labels are added.

    Returns
    -------
    ReadBoxes
        With ``boxes.boxes.verified``. Labels of other images and classes are left out, which a
        note says.
    """
    boxes = read.boxes.boxes
    match = match_images(labels.images, boxes.images.ids.tolist(), read.names)
    is_table = read.format in _LIST_NOTHING
    adds = is_table and not has_all_images and read.sizes is None
    images, image_of_box, image = _joined(boxes.images, match.position, labels.images, adds=adds)
    known = ClassList.read(boxes.classes) if len(boxes.classes) else None
    found = [None if known is None else known.code(name) for name in labels.labels]
    position = np.array([-1 if code is None else code for code in found], np.int32)
    keys, label_of_box, label = _joined(
        boxes.classes.keys, position, labels.labels, adds=is_table and not has_all_classes
    )
    classes = boxes.classes
    if keys is not classes.keys:
        name_of = dict(zip(classes.keys.ids.tolist(), classes.names, strict=True))
        classes = Classes(keys.ids, [name_of.get(each, "") for each in keys.ids.tolist()])
    pairs = np.stack([image[labels.image], label[labels.label]], axis=1)
    kept = (pairs >= 0).all(axis=1)
    # Each pair once: what is verified twice is verified.
    number = np.unique(pairs[kept, 0].astype(np.int64) * len(classes) + pairs[kept, 1])
    verified = VerifiedLabels(
        (number // max(len(classes), 1)).astype(np.int32),
        (number % max(len(classes), 1)).astype(np.int32),
        np.ones(len(number), np.uint8),
    )
    boxes = dataclasses.replace(
        boxes,
        image=image_of_box[boxes.image],
        label=label_of_box[boxes.label],
        images=images,
        classes=classes,
        verified=verified,
        groups=None if boxes.groups is None else _groups(boxes, classes),
    )
    notes = list(read.notes)
    if match.rule and (match.position >= 0).any():
        notes.append(f"{labels.path}: images are matched with truth's by {match.rule}")
    if len(images) > len(read.boxes.boxes.images):
        n_more = len(images) - len(read.boxes.boxes.images)
        notes.append(f"{labels.path}: {n_more:,} images more, without boxes")
    if not kept.all():
        notes.append(
            f"{labels.path}: {np.count_nonzero(~kept):,} labels of images or classes that are not "
            "of truth left out"
        )
    objects: Any = read.boxes
    return read._replace(
        boxes=boxes if objects.kind == "box" else dataclasses.replace(objects, boxes=boxes),
        notes=notes,
    )


def _joined(
    keys: Keys, position: NDArray[np.int32], names: list[str], *, adds: bool
) -> tuple[Keys, NDArray[np.int32], NDArray[np.int32]]:
    """Return ids with those of `names` that are not among them, where these are to be added.

    Parameters
    ----------
    keys : Keys
        The ids.
    position : ndarray of int32
        Which of them each name is; -1 for none.
    names : list of str
        The names.
    adds : bool
        Whether they are added; numbers are not joined with texts.

    Returns
    -------
    Keys, ndarray, ndarray
        The ids, the codes of those that were there, and of each name; -1 where it is left out.
    """
    absent = np.flatnonzero(position < 0)
    if not adds or not len(absent) or (len(keys) and not keys.is_text):
        return keys, np.arange(len(keys), dtype=np.int32), position
    more = np.array([names[k] for k in absent])
    joined = Keys(np.concatenate([keys.ids, more]) if len(keys) else more, keys.what)
    of_old = joined.codes(keys.ids)
    of_name = position.copy()
    of_name[position >= 0] = of_old[position[position >= 0]]
    of_name[absent] = joined.codes(more)
    return joined, of_old, of_name


def _groups(boxes: Boxes, classes: Classes) -> tuple[str, ...]:
    known = dict(zip(boxes.classes.keys.ids.tolist(), boxes.groups or (), strict=True))
    return tuple(known.get(each, "") for each in classes.keys.ids.tolist())
