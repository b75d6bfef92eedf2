"""LVIS annotation files: COCO's, with what was looked for in each image."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, overload

import msgspec

from snellen import _core
from snellen.detection.verified_labels import VerifiedLabels
from snellen.errors import InputError, SchemaError
from snellen.readers.coco import truth_boxes
from snellen.readers.coco_file import checked, read_raw_truth
from snellen.readers.coco_masks import truth_masks
from snellen.readers.coco_records import as_json, with_texts
from snellen.readers.table import read_bytes
from snellen.readers.typed_json import decoded

if TYPE_CHECKING:
    from snellen.detection.boxes import Boxes
    from snellen.detection.masks import Masks

__all__ = ["lvis_truth", "read_lvis_truth"]

_FREQUENCIES: Final = {"r": "rare", "c": "common", "f": "frequent"}


class _Image(msgspec.Struct):
    id: int | str
    neg_category_ids: list[int | str]
    not_exhaustive_category_ids: list[int | str]


class _Category(msgspec.Struct):
    id: int | str
    frequency: Literal["r", "c", "f"] | None = None


class _Labels(msgspec.Struct):
    images: list[_Image]
    categories: list[_Category]


@overload
def read_lvis_truth(
    source: str | os.PathLike[str] | Mapping[str, Any],
    *,
    kind: Literal["box"] = "box",
    complete: bool = False,
    drop_unknown: bool = False,
) -> Boxes: ...
@overload
def read_lvis_truth(
    source: str | os.PathLike[str] | Mapping[str, Any],
    *,
    kind: Literal["mask"],
    complete: bool = False,
    drop_unknown: bool = False,
) -> Masks: ...
def read_lvis_truth(
    source: str | os.PathLike[str] | Mapping[str, Any],
    *,
    kind: Literal["box", "mask"] = "box",
    complete: bool = False,
    drop_unknown: bool = False,
) -> Boxes | Masks:
    """Read the boxes or masks of an LVIS annotation file.

    Parameters
    ----------
    source : path, or mapping
        The file (plain JSON, or gzipped with a name that ends in ``.gz``), or what it holds.
    kind : {"box", "mask"}
        What is read of each object.
    complete : bool
        Refuse categories without ``frequency`` and annotations without ``id`` or ``area``, as the
        reference does.
    drop_unknown : bool
        See `read_coco_truth`.

    Returns
    -------
    Boxes or Masks
        As of `read_coco_truth`; and which classes were looked for in which image
        (``neg_category_ids``, ``not_exhaustive_category_ids``), the frequencies of classes, and
        which annotations are ignored (``ignore``).

    Raises
    ------
    SchemaError, IdError, ClassError, InputError
        The message names file, record and field.

    References
    ----------
    A. Gupta, P. Dollár, R. Girshick, "LVIS: A Dataset for Large Vocabulary Instance Segmentation",
    CVPR 2019.
    """
    if isinstance(source, (str, os.PathLike)):
        return lvis_truth(
            read_raw_truth(source, kind),
            os.fspath(source),
            kind,
            complete=complete,
            drop_unknown=drop_unknown,
        )
    plain = source
    if kind == "mask" and isinstance(source, Mapping) and "annotations" in source:
        plain = {**source, "annotations": with_texts(source["annotations"])}
    document = as_json(plain)
    raw = checked(_core.read_coco_truth(document, kind), "truth")
    return _with_labels(raw, document, "truth", kind, complete=complete, drop_unknown=drop_unknown)


def lvis_truth(
    raw: _core.CocoTruth, path: str, kind: str, *, complete: bool, drop_unknown: bool
) -> Boxes | Masks:
    """Return the boxes or masks of an annotation file that was read; see `read_lvis_truth`."""
    document = _without_annotations(path, raw)
    return _with_labels(raw, document, path, kind, complete=complete, drop_unknown=drop_unknown)


def _without_annotations(path: str, raw: _core.CocoTruth) -> bytes:
    """Return what stands in a file around the list of annotations, most of it, as a document."""
    begin, end = raw.annotations_at()
    if path.lower().endswith(".gz"):
        document = read_bytes(path)
        return document[:begin] + b"[]" + document[end:]
    try:
        with open(path, "rb") as file:  # noqa: PTH123  # a path given as text stays as it was given
            head = file.read(begin)
            file.seek(end)
            return head + b"[]" + file.read()
    except OSError as error:
        raise InputError(f"expected a readable file, got: {error.strerror}", path) from error


def _with_labels(
    raw: _core.CocoTruth,
    document: bytes,
    place: str,
    kind: str,
    *,
    complete: bool,
    drop_unknown: bool,
) -> Boxes | Masks:
    if kind not in ("box", "mask"):
        raise InputError(
            f"expected boxes or masks, which files of LVIS have, got {kind}: take rules that do "
            "not ask which classes were looked for (verified_only)",
            place,
        )
    # Annotations of LVIS have no iscrowd, so that COCO's completeness is none of them.
    columns: Any = truth_masks if kind == "mask" else truth_boxes
    truth = columns(raw, place, drop_unknown=drop_unknown, with_ignored=True)
    boxes = _labelled(truth.boxes, document, place, complete=complete)
    return boxes if kind == "box" else dataclasses.replace(truth, boxes=boxes)


def _labelled(boxes: Boxes, document: bytes, place: str, *, complete: bool) -> Boxes:
    try:
        labels = decoded(document, _Labels, "an LVIS annotation file", place)
    except SchemaError as error:
        if '_category_ids"' not in error.message:
            raise
        raise SchemaError(
            f"{error.message}. Rules of classes that were looked for (verified_only) need it, or "
            "Open Images' labels of images (image_labels, --image-labels)",
            error.place,
        ) from None
    if complete:
        for k, category in enumerate(labels.categories):
            if category.frequency is None:
                raise SchemaError("expected a frequency, got none", f"{place} $.categories[{k}]")
    image_id, label, exhaustive = [], [], []
    for image in labels.images:
        for listed, whole in (
            (image.neg_category_ids, 1),
            (image.not_exhaustive_category_ids, 0),
        ):
            image_id += [image.id] * len(listed)
            label += listed
            exhaustive += [whole] * len(listed)
    verified = VerifiedLabels.from_ids(
        image_id=image_id,
        label=label,
        exhaustive=exhaustive,
        images=boxes.images,
        classes=boxes.classes,
    )
    groups = None
    if any(category.frequency for category in labels.categories):
        group_of = {
            category.id: _FREQUENCIES.get(category.frequency or "", "")
            for category in labels.categories
        }
        groups = tuple(group_of.get(each, "") for each in boxes.classes.keys.ids.tolist())
    return dataclasses.replace(boxes, verified=verified, groups=groups)
