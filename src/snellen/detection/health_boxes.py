"""The health of boxes: what cannot be one, what leaves its image, areas, duplicates."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.detection.health_layouts import covered, likely_layout

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.detection.health_columns import CheckedData, CheckedObjects
    from snellen.detection.health_findings import Findings

__all__ = ["AREA_BOUNDS", "box_text", "check_areas", "check_boxes", "check_duplicates"]

AREA_BOUNDS: Final = (32.0**2, 96.0**2)
"""Where COCO's small ends, and medium; the bounds themselves count on both sides."""

_NEAR: Final = 0.95


def box_text(objects: CheckedObjects, row: int) -> str:
    """Return a box as reports show it."""
    return "box [" + ", ".join(f"{each:.7g}" for each in objects.xywh[row].tolist()) + "]"


def check_boxes(data: CheckedData, findings: Findings) -> bool:
    """Look at each box, and at how all lie in their images; return whether they are in pixels."""
    objects = data.objects
    xywh, has_box = objects.xywh, objects.has_box

    def add(kind: str, which: NDArray[np.bool_], **more: Any) -> None:
        findings.add_objects(kind, objects, which, lambda row: box_text(objects, row), **more)

    instead = objects.masks is not None or objects.keypoints is not None
    if len(objects):
        findings.add_objects(
            "missing-box",
            objects,
            ~has_box,
            lambda _: "",
            severity=None if not instead else "warning" if has_box.any() else "note",
        )
    finite = has_box & np.isfinite(xywh).all(axis=1)
    add("box-not-finite", has_box & ~finite)
    with np.errstate(invalid="ignore"):
        negative = finite & (xywh[:, 2:] < 0).any(axis=1)
        flat = finite & ~negative & (xywh[:, 2:] == 0).any(axis=1)
    add("box-negative-size", negative)
    add("box-without-area", flat)
    if _check_scale(data, findings):
        return False
    size = data.size
    near = finite & (np.abs(xywh) < 1e100).all(axis=1)
    sized = near & ~np.isnan(size[:, 0])
    other = likely_layout(xywh[sized], size[sized])
    if other is not None and not objects.relative:
        add(
            "box-layout",
            sized,
            detail=f"{_percent(1 - other.share_as_is)} leave their image or have no size; read as "
            f"{other.words}, {_percent(1 - other.share)}",
        )
        return False
    _check_borders(data, findings, sized & objects.sound)
    return not objects.relative


def _check_scale(data: CheckedData, findings: Findings) -> bool:
    """Return whether boxes in place of pixels are parts of images, and say so."""
    objects = data.objects
    sound, size = objects.sound, data.size
    if objects.relative or np.count_nonzero(sound) < 3:
        return False
    parts = sound & (np.abs(objects.xywh) <= 1).all(axis=1) & ~(size <= 2).any(axis=1)
    if np.count_nonzero(parts) < 0.99 * np.count_nonzero(sound):
        return False
    findings.add_objects("box-relative", objects, parts, lambda row: box_text(objects, row))
    return True


def _check_borders(data: CheckedData, findings: Findings, looked_at: NDArray[np.bool_]) -> None:
    objects, size = data.objects, data.size
    left, top, width, height = objects.xywh.T
    slack = 0.01 if objects.relative else 1.0
    with np.errstate(invalid="ignore", over="ignore"):
        right, bottom = left + width, top + height
        outside = looked_at & (
            (right <= 0) | (bottom <= 0) | (left >= size[:, 1]) | (top >= size[:, 0])
        )
        larger = looked_at & ((width > size[:, 1] + slack) | (height > size[:, 0] + slack))
        leaves = looked_at & (
            (left < -slack)
            | (top < -slack)
            | (right > size[:, 1] + slack)
            | (bottom > size[:, 0] + slack)
        )

    def text(row: int) -> str:
        if objects.relative:
            return box_text(objects, row)
        return f"{box_text(objects, row)}, image {size[row, 1]:g} × {size[row, 0]:g}"

    for kind, which in (
        ("box-outside-image", outside),
        ("box-larger-than-image", larger & ~outside),
        ("box-leaves-image", leaves & ~outside & ~larger),
    ):
        findings.add_objects(kind, objects, which, text)


def check_areas(data: CheckedData, findings: Findings) -> None:
    """Look at areas that do not fit their box."""
    objects = data.objects
    if objects.area is None:
        return
    area = objects.area
    with np.errstate(invalid="ignore", over="ignore"):
        own = objects.xywh[:, 2] * objects.xywh[:, 3]
        given = ~np.isnan(area)
        negative = given & (area < 0)
        bad = negative | (given & (area == 0) & objects.sound)
        # A pixel on each side: areas of masks are counted in whole ones.
        most = (objects.xywh[:, 2] + 2) * (objects.xywh[:, 3] + 2)
        above = given & ~bad & objects.sound & (area > most)
    findings.add_objects(
        "area-not-positive",
        objects,
        bad,
        lambda row: f"area {area[row]:g}",
        severity="error" if negative.any() else None,
    )

    def text(row: int) -> str:
        return f"area {area[row]:.7g}, {box_text(objects, row)}"

    findings.add_objects("area-above-box", objects, above, text)
    # What masks are, or turned boxes, is what areas are to be of.
    if objects.masks is not None or not data.complete:
        return
    fit = given & objects.sound & ~bad & ~above
    other = fit & (np.searchsorted(AREA_BOUNDS, area) != np.searchsorted(AREA_BOUNDS, own))
    findings.add_objects("area-in-other-range", objects, other, text)


def check_duplicates(
    objects: CheckedObjects, findings: Findings, exact_kind: str, near_kind: str | None = None
) -> None:
    """Look for boxes that come again, as they are or nearly so; regions of crowds are left out."""
    rows = np.flatnonzero(objects.sound & objects.known & ~objects.is_crowd)
    keys = np.stack([objects.image[rows], objects.label[rows]])
    # Stable: of equal boxes the first of the file comes first.
    order = np.lexsort((*objects.xywh[rows].T[::-1], *keys[::-1]))
    ordered = np.concatenate([keys.T.astype(np.float64), objects.xywh[rows]], axis=1)[order]
    same = (ordered[1:] == ordered[:-1]).all(axis=1)
    again = np.zeros(len(objects), np.bool_)
    again[rows[order[1:][same]]] = True
    starts = np.maximum.accumulate(np.where(np.append(True, ~same), np.arange(len(order)), 0))
    first = np.zeros(len(objects), np.int64)
    first[rows[order]] = rows[order[starts]] if len(order) else 0
    findings.add_objects(
        exact_kind,
        objects,
        again,
        lambda row: f"as {objects.section}[{first[row]}]: {box_text(objects, row)}",
    )
    if near_kind is None or not len(rows):
        return
    rows = rows[~again[rows]]
    image, label = objects.image[rows], objects.label[rows]
    cells = image * (label.max(initial=0) + 1) + label
    _, cell = np.unique(cells, return_inverse=True)
    boxes = (cell.astype(np.int64), objects.xywh[rows])
    one, other, iou = covered(boxes, boxes, lowest=_NEAR)
    pairs = (one < other) & (iou > _NEAR)
    partner = np.zeros(len(objects), np.int64)
    overlap = np.zeros(len(objects))
    # Backwards, so that each keeps its first partner.
    partner[rows[other[pairs][::-1]]] = rows[one[pairs][::-1]]
    overlap[rows[other[pairs][::-1]]] = iou[pairs][::-1]
    which = np.zeros(len(objects), np.bool_)
    which[rows[other[pairs]]] = True
    findings.add_objects(
        near_kind,
        objects,
        which,
        lambda row: (
            f"IoU {overlap[row]:.4f} with {objects.section}[{partner[row]}]: "
            f"{box_text(objects, row)}"
        ),
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
