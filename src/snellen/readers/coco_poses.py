"""The keypoints of COCO files."""

from __future__ import annotations

import dataclasses
import warnings
from typing import TYPE_CHECKING

import numpy as np

from snellen import _core
from snellen.detection.boxes import refuse_unmeasurable
from snellen.detection.poses import Poses
from snellen.errors import DataWarning, SchemaError
from snellen.readers.coco_rows import ObjectRows, predicted_rows, refuse_missing, truth_rows
from snellen.readers.left_out import warn

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from snellen.detection.boxes import Boxes
    from snellen.detection.masks import Masks

__all__ = ["predicted_poses", "truth_poses"]


def truth_poses(
    raw: _core.CocoTruth,
    place: str,
    *,
    complete: bool = False,
    drop_unknown: bool = False,
    reads_area: bool = True,
) -> Poses:
    """Return the keypoints of an annotation file that was read; see `read_coco_truth`.

    What has no area is said where it is to be read.
    """
    rows = truth_rows(raw, place, complete=complete, drop_unknown=drop_unknown)
    number, n, count = raw.keypoints()
    if complete:
        refuse_missing("num_keypoints", count < 0, rows.place)
        refuse_missing("keypoints", n < 0, rows.place)
        # Rows that are left out are none of those that are looked at here.
        rows.refuse_first(
            np.isnan(rows.boxes.xywh[:, 0]),
            'expected the key "bbox" in every record, {n} lack it (protocol coco does without)',
        )
    keypoints = _keypoints(number, n, rows)
    n, count = rows.kept(n), rows.kept(count)
    rows.refuse_first(
        (n < 0) & (count != 0),
        'expected the key "keypoints" in every record, {n} lack it (num_keypoints 0 says that '
        "there are none)",
    )
    rows.refuse_first(
        (n == 0) & (count > 0),
        'expected as many keypoints as "num_keypoints" says, got an empty list, in {n} records',
        ".keypoints",
    )
    labelled = keypoints[:, :, 2] > 0
    n_labelled = np.where(count < 0, labelled.sum(axis=1), count)
    boxes = rows.boxes
    absent = np.isnan(boxes.xywh[:, :1])
    if absent.any():
        boxes = dataclasses.replace(
            boxes,
            xywh=np.where(absent, _core.pose_boxes(keypoints, labelled.view(np.uint8)), boxes.xywh),
        )
    assert boxes.area is not None
    lacks_area = np.isnan(boxes.area)
    if lacks_area.any():
        if reads_area:
            warn(f"{lacks_area.sum()} objects have no area: width times height is used", place)
        area = np.where(lacks_area, boxes.xywh[:, 2] * boxes.xywh[:, 3], boxes.area)
        boxes = dataclasses.replace(boxes, area=area)
    boxes = dataclasses.replace(
        boxes,
        ignored=(n_labelled == 0).astype(np.uint8),
        crowding=_crowding(raw.crowd_index(), rows),
    )
    return Poses(boxes, keypoints)


def predicted_poses(
    raw: _core.CocoResults,
    truth: Boxes | Masks | Poses,
    place: str,
    *,
    complete: bool = False,
    drop_unknown: bool = False,
    masks: Callable[[], _core.CocoResults | None] = lambda: None,
) -> Poses:
    """Return the keypoints of a results file that was read; see `read_coco_predictions`."""
    xywh = raw.xywh()
    # The reference looks at the first record.
    of_boxes = complete and len(xywh) > 0 and not np.isnan(xywh[0, 0])
    rows = predicted_rows(
        truth.boxes,
        raw.image_id(),
        raw.category_id(),
        xywh,
        None,
        raw.score(),
        place,
        complete=complete,
        drop_unknown=drop_unknown,
    )
    number, n, _ = raw.keypoints()
    wanted = truth.keypoints.shape[1] if isinstance(truth, Poses) else 0
    keypoints = _keypoints(number, n, rows, wanted)
    n = rows.kept(n)
    rows.refuse_first(n < 0, 'expected the key "keypoints" in every record, {n} lack it')
    rows.refuse_first(n == 0, "expected keypoints, got an empty list, in {n} records", ".keypoints")
    boxes = rows.boxes
    if of_boxes:
        rows.refuse_without_box()
        return Poses(boxes, keypoints)
    raw_masks = masks() if complete else None
    if raw_masks is not None:
        from snellen.readers.coco_masks import predicted_masks

        with warnings.catch_warnings():
            # What is left out was said above.
            warnings.simplefilter("ignore", DataWarning)
            found = predicted_masks(
                raw_masks, truth, place, complete=True, drop_unknown=drop_unknown
            )
        return Poses(found.boxes, keypoints)
    extents = _core.pose_boxes(keypoints)
    refuse_unmeasurable(extents, f"{place} $", ".keypoints")
    return Poses(dataclasses.replace(boxes, xywh=extents), keypoints)


def _crowding(listed: NDArray[np.float64], rows: ObjectRows) -> NDArray[np.float64] | None:
    """Return how crowded each image is, as CrowdPose's files say it; None where none does."""
    if np.isnan(listed).all():
        return None
    assert rows.image_ids is not None
    crowding = np.empty_like(listed)
    crowding[rows.boxes.images.codes(rows.image_ids)] = listed
    return crowding


def _keypoints(
    number: NDArray[np.float64],
    n: NDArray[np.int64],
    rows: ObjectRows,
    wanted: int = 0,
) -> NDArray[np.float64]:
    """Return the keypoints of the rows that are left; zeros where a row has none."""
    having = n > 0
    if not wanted:
        wanted = int(n[having][0]) if having.any() else 0
    other = having & (n != wanted)
    if other.any():
        row = int(np.argmax(other))
        raise SchemaError(
            f"expected {wanted} keypoints ({3 * wanted} numbers), as others have, got {n[row]}",
            f"{rows.place}[{row}].keypoints",
        )
    keypoints = number.reshape(np.count_nonzero(having), wanted, 3)
    if not having.all():
        given, keypoints = keypoints, np.zeros((len(n), wanted, 3))
        keypoints[having] = given
    kept: NDArray[np.float64] = rows.kept(keypoints)
    return kept
