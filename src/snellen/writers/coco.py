"""COCO JSON: annotation files with boxes, masks or keypoints, and results."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from snellen.detection.masks import Masks
from snellen.detection.oriented import OrientedBoxes
from snellen.detection.poses import Poses
from snellen.writers.box_losses import box_losses
from snellen.writers.detections import Loss, Written, areas_differ

if TYPE_CHECKING:
    from snellen.state import Keys
    from snellen.writers.detections import Detections

__all__ = ["coco_document", "coco_ids", "write_coco"]


def write_coco(data: Detections, *, packed: bool = False) -> Written:
    """Return a COCO annotation file of truth, a results file of predictions.

    Images and classes whose ids are texts get numbers from 1 in the order of the texts, which stay
    as ``file_name`` and ``name``: but of COCO's own files they stay as they are.

    Parameters
    ----------
    data : Detections
    packed : bool
        Whether the file is gzipped.

    Raises
    ------
    InputError
        For boxes that are parts of unknown sizes.
    """
    data.refuse_relative("COCO")
    document = msgspec.json.encode(coco_document(data)) + b"\n"
    if packed:
        document = gzip.compress(document, mtime=0)
    keeps = {"mask", "keypoints", "ids"}
    if data.is_truth:
        keeps |= {"crowds", "areas", "point_names"}
    losses = box_losses(data, keeps=keeps)
    notes = []
    for what, keys in (("images", data.boxes.images), ("classes", data.boxes.classes.keys)):
        if keys.is_text and not data.is_coco:
            notes.append(f"{what} have numbers as ids, in the order of their names")
    n_ids = _ids_lost(data)
    if n_ids:
        losses.append(Loss("class_ids", n_ids, "ids of classes: their names stay"))
    return Written({"": document}, losses, notes)


def coco_ids(keys: Keys, *, is_coco: bool) -> list[Any]:
    """Return COCO's ids: numbers, from 1 in the order of texts."""
    ids: list[Any] = keys.ids.tolist()
    return list(range(1, len(ids) + 1)) if keys.is_text and not is_coco else ids


def coco_document(data: Detections) -> dict[str, Any] | list[dict[str, Any]]:
    """Return what the file holds."""
    boxes = data.boxes
    image_ids = coco_ids(boxes.images, is_coco=data.is_coco)
    class_ids = coco_ids(boxes.classes.keys, is_coco=data.is_coco)
    records: list[dict[str, Any]] = [
        {"image_id": image_ids[image], "category_id": class_ids[label]}
        for image, label in zip(boxes.image.tolist(), boxes.label.tolist(), strict=True)
    ]
    # Of results a box beside another shape says that the box is what is evaluated.
    if data.kind == "box" or data.is_truth or not areas_differ(boxes).any():
        _add(records, "bbox", boxes.xywh.tolist())
    if isinstance(data.columns, Masks):
        _add(records, "segmentation", _segmentations(data, data.columns))
    elif isinstance(data.columns, Poses):
        keypoints = np.asarray(data.columns.keypoints, np.float64)
        _add(records, "keypoints", keypoints.reshape(len(records), -1).tolist())
        if data.is_truth:
            _add(records, "num_keypoints", (keypoints[:, :, 2] > 0).sum(axis=1).tolist())
    elif isinstance(data.columns, OrientedBoxes) and data.is_truth:
        corners = data.columns.corners.reshape(len(records), -1)
        _add(records, "segmentation", [[polygon] for polygon in corners.tolist()])
    if not data.is_truth:
        _add(records, "score", data.scores().tolist())
        return records
    area = boxes.xywh[:, 2] * boxes.xywh[:, 3] if boxes.area is None else boxes.area
    _add(records, "area", area.tolist())
    _add(records, "iscrowd", [0] * len(boxes) if boxes.crowd is None else boxes.crowd.tolist())
    _add(records, "id", list(range(1, len(boxes) + 1)) if boxes.id is None else boxes.id.tolist())
    return {
        "info": {},
        "licenses": [],
        "images": _images(data, image_ids),
        "annotations": records,
        "categories": _categories(data, class_ids),
    }


def _categories(data: Detections, class_ids: list[Any]) -> list[dict[str, Any]]:
    categories: list[dict[str, Any]] = [
        {"id": own, "name": name}
        for own, name in zip(class_ids, data.boxes.classes.display_names(), strict=True)
    ]
    if isinstance(data.columns, Poses):
        for code, names in data.point_names.items():
            categories[code]["keypoints"] = list(names)
    return categories


def _segmentations(data: Detections, masks: Masks) -> list[Any]:
    """Return the polygons of each mask of truth where they are known, else its run lengths.

    Results have run lengths alone: pycocotools measures no polygons of theirs.
    """
    runs = [
        {"size": mask["size"], "counts": mask["counts"].decode()} for mask in masks.rle.to_coco()
    ]
    if data.polygons is None or not data.is_truth:
        return runs
    return [
        [np.asarray(polygon, np.float64).ravel().tolist() for polygon in polygons] or run
        for polygons, run in zip(data.polygons, runs, strict=True)
    ]


def _add(records: list[dict[str, Any]], key: str, values: list[Any]) -> None:
    for record, value in zip(records, values, strict=True):
        record[key] = value


def _images(data: Detections, image_ids: list[Any]) -> list[dict[str, Any]]:
    images: list[dict[str, Any]] = [{"id": own} for own in image_ids]
    names = data.names
    if names is None and data.boxes.images.is_text and not data.is_coco:
        names = tuple(data.boxes.images.ids.tolist())
    if names is not None:
        _add(images, "file_name", list(names))
    if data.sizes is not None:
        _add(images, "width", data.sizes[:, 1].tolist())
        _add(images, "height", data.sizes[:, 0].tolist())
    return images


def _ids_lost(data: Detections) -> int:
    """Return how many ids that are texts go, because their classes have other names."""
    classes = data.boxes.classes
    if data.is_coco or not classes.keys.is_text:
        return 0
    return sum(
        name not in ("", own)
        for own, name in zip(classes.keys.ids.tolist(), classes.names, strict=True)
    )
