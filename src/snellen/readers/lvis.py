"""LVIS annotation files: COCO's, with what was looked for in each image."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Any, Final, Literal, overload

import msgspec
import numpy as np

from snellen.detection.verified_labels import VerifiedLabels
from snellen.errors import SchemaError
from snellen.readers.coco import read_coco_truth
from snellen.readers.table import read_bytes
from snellen.readers.typed_json import decoded

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snellen.detection.boxes import Boxes
    from snellen.detection.masks import Masks

__all__ = ["read_lvis_truth", "with_lvis_labels"]

_FREQUENCIES: Final = {"r": "rare", "c": "common", "f": "frequent"}


class _Image(msgspec.Struct):
    id: int | str
    neg_category_ids: list[int | str]
    not_exhaustive_category_ids: list[int | str]


class _Category(msgspec.Struct):
    id: int | str
    frequency: Literal["r", "c", "f"] | None = None


class _Annotation(msgspec.Struct):
    id: int | str | None = None
    ignore: int | bool = 0


class _Labels(msgspec.Struct):
    images: list[_Image]
    categories: list[_Category]


class _Ignored(msgspec.Struct):
    annotations: list[_Annotation]


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
    # Annotations of LVIS have no iscrowd, so that COCO's completeness is none of them.
    truth: Any = read_coco_truth(source, kind=kind, drop_unknown=drop_unknown)
    found: Boxes | Masks = with_lvis_labels(truth, source, complete=complete)
    return found


def with_lvis_labels(
    truth: Any, source: str | os.PathLike[str] | Mapping[str, Any], *, complete: bool = False
) -> Any:
    """Return boxes or masks of a file with what it says beside them; see `read_lvis_truth`."""
    if isinstance(source, (str, os.PathLike)):
        place = os.fspath(source)
        document = read_bytes(place)
    else:
        place = "truth"
        wanted = {key: source.get(key, []) for key in ("images", "categories")}
        wanted["annotations"] = [
            {key: each[key] for key in ("id", "ignore") if key in each}
            for each in source.get("annotations", [])
        ]
        document = msgspec.json.encode(wanted)
    boxes = _labelled(truth.boxes, document, place, complete=complete)
    return boxes if truth.kind == "box" else dataclasses.replace(truth, boxes=boxes)


def _labelled(boxes: Boxes, document: bytes, place: str, *, complete: bool) -> Boxes:
    labels = decoded(document, _Labels, "an LVIS annotation file", place)
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
    found = dataclasses.replace(boxes, verified=verified, groups=groups)
    # None of LVIS' own files has it, and to look costs less than to read.
    if b'"ignore"' not in document:
        return found
    annotations = decoded(document, _Ignored, "an LVIS annotation file", place).annotations
    ignored = np.array([bool(each.ignore) for each in annotations], np.uint8)
    if len(ignored) != len(boxes):
        # Some annotations were left out.
        of_id = {each.id: bool(each.ignore) for each in annotations}
        ids = [] if boxes.id is None else boxes.id.tolist()
        ignored = np.array([of_id.get(each, False) for each in ids], np.uint8)
    return dataclasses.replace(found, ignored=ignored) if len(ignored) == len(boxes) else found
