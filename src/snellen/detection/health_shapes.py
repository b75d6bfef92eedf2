"""The health of masks and keypoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from snellen.detection.health_boxes import box_text
from snellen.detection.health_columns import ABSENT, BROKEN, EMPTY, POLYGONS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.detection.health_columns import CheckedData, CheckedKeypoints, CheckedObjects
    from snellen.detection.health_findings import Findings

__all__ = ["check_keypoints", "check_masks"]

# Outlines enclose another area than the pixels that they fill: by about half a pixel along them.
_AREA_FACTOR: Final = 1.25
_AREA_SLACK: Final = 16.0
# Of masks smaller than this a box of whole pixels may differ by half.
_SMALL_SIDE: Final = 4.0


def check_masks(data: CheckedData, findings: Findings) -> None:
    """Look at each mask, and at what goes with it: area, box, crowd flag."""
    objects, masks = data.objects, data.objects.masks
    if masks is None:
        return
    form = masks.form
    findings.add_objects("mask-broken", objects, form == BROKEN, lambda _: "")
    if np.isin(form, (ABSENT, EMPTY, BROKEN)).all():
        # A file of boxes, whose tool writes an empty list for what it does not have.
        return
    findings.add_objects("missing-mask", objects, form == ABSENT, lambda _: "")
    empty = (form == EMPTY) | (masks.n_pixels == 0)
    findings.add_objects(
        "mask-empty",
        objects,
        empty,
        lambda row: "an empty list" if form[row] == EMPTY else box_text(objects, row),
    )
    findings.add_objects(
        "short-polygon",
        objects,
        masks.n_short > 0,
        lambda row: f"{masks.n_short[row]} of its polygons",
    )
    size = data.size
    other = ~np.isnan(masks.size[:, 0]) & ~np.isnan(size[:, 0]) & (masks.size != size).any(axis=1)
    findings.add_objects(
        "mask-size",
        objects,
        other,
        lambda row: f"{_size(masks.size[row])}, image {_size(size[row])} (height × width)",
    )
    filled = masks.n_pixels > 0
    if objects.area is not None:
        area = objects.area
        with np.errstate(invalid="ignore"):
            least, most = np.minimum(area, masks.n_pixels), np.maximum(area, masks.n_pixels)
            far = filled & (area > 0) & (most > _AREA_FACTOR * least + _AREA_SLACK)
        findings.add_objects(
            "mask-area",
            objects,
            far,
            lambda row: f"area {area[row]:.7g}, {masks.n_pixels[row]:.0f} pixels",
        )
    iou = _iou(objects, masks.xywh)
    with np.errstate(invalid="ignore"):
        large = (masks.xywh[:, 2:] >= _SMALL_SIDE).all(axis=1)
        beside = filled & objects.sound & large & (iou < 0.5)
    findings.add_objects(
        "mask-beside-box",
        objects,
        beside,
        lambda row: (
            f"{box_text(objects, row)}, mask's "
            f"[{', '.join(f'{each:g}' for each in masks.xywh[row].tolist())}], IoU {iou[row]:.2f}"
        ),
    )
    findings.add_objects(
        "crowd-with-polygons", objects, objects.is_crowd & (form == POLYGONS), lambda _: ""
    )


def _size(size: NDArray[np.float64]) -> str:
    return " × ".join(f"{each:g}" for each in size.tolist())


def _iou(objects: CheckedObjects, other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the overlap of each box with another, row by row."""
    a, b = objects.xywh, other
    with np.errstate(invalid="ignore", over="ignore", divide="ignore"):
        low = np.maximum(a[:, :2], b[:, :2])
        high = np.minimum(a[:, :2] + a[:, 2:], b[:, :2] + b[:, 2:])
        shared = np.maximum(high - low, 0).prod(axis=1)
        iou: NDArray[np.float64] = shared / (a[:, 2:].prod(axis=1) + b[:, 2:].prod(axis=1) - shared)
    return iou


def check_keypoints(data: CheckedData, findings: Findings) -> None:
    """Look at the number of keypoints, at how they are labelled, and where they are."""
    objects, points = data.objects, data.objects.keypoints
    if points is None:
        return
    wanted = _wanted(data, points)
    given = points.n >= 0
    findings.add_objects(
        "keypoints-number",
        objects,
        given & (wanted >= 0) & (points.n != wanted),
        lambda row: f"{points.n[row]} keypoints, its class has {wanted[row]}",
    )
    n = len(objects)
    x, y, v = points.xyv.T
    labelled = np.bincount(points.owner[v > 0], minlength=n)
    if data.complete:
        findings.add_objects(
            "missing-num-keypoints", objects, given & (points.n_stated < 0), lambda _: ""
        )
        stated = points.n_stated >= 0
        findings.add_objects(
            "num-keypoints",
            objects,
            stated & (np.where(given, labelled, 0) != points.n_stated),
            lambda row: f"num_keypoints {points.n_stated[row]}, labelled {labelled[row]}",
        )
        odd = ~np.isin(v, (0, 1, 2))
        n_odd = np.bincount(points.owner[odd], minlength=n)
        first_odd = np.zeros(n)
        first_odd[points.owner[odd][::-1]] = v[odd][::-1]
        findings.add_objects(
            "keypoint-visibility",
            objects,
            n_odd > 0,
            lambda row: f"{n_odd[row]} of them, the first {first_odd[row]:g}",
        )
    height, width = data.size[points.owner].T
    with np.errstate(invalid="ignore"):
        out = (v > 0) & ((x < -1) | (y < -1) | (x > width + 1) | (y > height + 1))
    n_out = np.bincount(points.owner[out], minlength=n)
    findings.add_objects(
        "keypoint-outside-image", objects, n_out > 0, lambda row: f"{n_out[row]} of them"
    )


def _wanted(data: CheckedData, points: CheckedKeypoints) -> NDArray[np.int64]:
    """Return how many keypoints each object is to have; -1 where that is not known."""
    label = data.objects.label
    stated = np.append(data.classes.n_keypoints, -1)
    # A class that does not say it has as many as most of its objects.
    for code in np.flatnonzero(stated[:-1] < 0).tolist():
        numbers = points.n[(label == code) & (points.n > 0)]
        if len(numbers):
            stated[code] = np.bincount(numbers).argmax()
    wanted: NDArray[np.int64] = stated[label]
    return wanted
