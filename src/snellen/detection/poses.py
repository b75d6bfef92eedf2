"""Keypoints of objects as columns, one row an object."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from snellen.arrays import to_finite, to_numpy
from snellen.detection.boxes import Boxes
from snellen.detection.image_records import crowding_by_id, field_of, records_of
from snellen.errors import InputError, ShapeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from snellen.classes import Classes
    from snellen.detection.box_layouts import BoxLayout

__all__ = ["Poses", "without_labels_ignored"]


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Poses:
    """Truth or predicted keypoints of many images.

    Made by `from_keypoints`, `from_images`, or a reader; all of them check what they are given.
    The plain constructor checks nothing.

    Attributes
    ----------
    boxes : Boxes
        What is known of each object beside its keypoints: image, class, area, score …
    keypoints : ndarray, shape (n, K, 3), float64
        Of each keypoint x, y in pixels, and visibility: 0 for one that is not labelled (of
        predictions it is not read).
    """

    kind: ClassVar[Literal["keypoints"]] = "keypoints"
    boxes: Boxes
    keypoints: NDArray[Any]

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, rows: NDArray[Any] | slice) -> Poses:
        """Return some rows, by a mask, positions, or a slice; images and classes stay."""
        return Poses(self.boxes[rows], self.keypoints[rows])

    def __repr__(self) -> str:
        return repr(self.boxes).replace("Boxes", "Poses", 1).replace(" boxes", " poses", 1)

    @classmethod
    def from_keypoints(
        cls,
        keypoints: ArrayLike,
        *,
        image_id: ArrayLike,
        label: ArrayLike,
        score: ArrayLike | None = None,
        area: ArrayLike | None = None,
        box: ArrayLike | None = None,
        crowd: ArrayLike | None = None,
        id: ArrayLike | None = None,  # noqa: A002 - the field's name for it
        ignored: ArrayLike | None = None,
        image_ids: ArrayLike | None = None,
        classes: Classes | Mapping[Any, str] | Sequence[str] | None = None,
        crowding: Mapping[Any, float] | None = None,
    ) -> Poses:
        """Make poses from their keypoints.

        Parameters
        ----------
        keypoints : array-like, shape (n, K, 3) or (n, 3 K)
            Of each keypoint x, y, and visibility: of truth 0 for one that is not labelled.
        image_id, label : array-like, shape (n,), or one value for all
            Image and class of each object: whole numbers or texts.
        score : array-like, shape (n,), optional
            Confidence of each object, for predictions.
        area : array-like, shape (n,), optional
            Square pixels: the size of the object that distances are measured by. Truth of COCO
            has the area of its mask here; where not given, that of the box.
        box : array-like, shape (n, 4), optional
            Left, top, width, height; where not given, the box around the keypoints (of truth,
            around the labelled ones).
        crowd, ignored, id, image_ids, classes
            As `Boxes.from_xywh` has them. Truth without labelled keypoints is ignored whether
            `ignored` says so or not.
        crowding : mapping of image id to float, optional
            How crowded each image is (CrowdPose's crowd index), for rules with ranges of it. An
            image that is not in it is of no range.

        Raises
        ------
        ShapeError, IdError, ClassError, InputError
            For rows of numbers that are no keypoints, lengths that differ, ids or classes that are
            not listed, values that are not finite, truth with neither box nor labelled keypoints.

        Examples
        --------
        >>> from snellen.detection.poses import Poses
        >>> truth = Poses.from_keypoints(
        ...     [[[10, 10, 2], [30, 50, 2], [0, 0, 0]]], image_id=[7], label=[1]
        ... )
        >>> truth
        Poses(1 truth poses, 1 images, 1 classes)
        >>> truth.boxes.xywh
        array([[10., 10., 20., 40.]])
        """
        points = _points(keypoints, "keypoints")
        if box is None:
            corners = _corners_around(points, is_truth=score is None, place="keypoints")
            with np.errstate(over="ignore"):  # infinite sizes are refused with the rest
                box = np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)
        _check_count("box", len(to_finite(box, "box", width=4)), len(points))
        boxes = Boxes.from_xywh(
            box,
            image_id=image_id,
            label=label,
            score=score,
            area=area,
            crowd=crowd,
            id=id,
            ignored=ignored,
            image_ids=image_ids,
            classes=classes,
        )
        if crowding is not None:
            boxes = dataclasses.replace(boxes, crowding=crowding_by_id(crowding, boxes.images))
        return cls(without_labels_ignored(boxes, points), points)

    @classmethod
    def from_images(
        cls,
        records: Sequence[Mapping[str, Any]],
        *,
        image_id: ArrayLike,
        box_format: BoxLayout = "xyxy",
        classes: Classes | Mapping[Any, str] | Sequence[str] | None = None,
    ) -> Poses:
        """Make poses from one mapping of arrays for each image, as torchvision models return.

        Parameters
        ----------
        records : sequence of mapping
            For each image ``keypoints`` (n, K, 3) or (n, 3 K), and ``labels`` (n,); predictions
            also ``scores`` (n,), truth may have ``area``, ``iscrowd`` and ``ignored`` (n,). Either
            all or none have ``boxes`` (n, 4): those around the keypoints where none have. Arrays of
            any kind, on any device.
        image_id : array-like
            The id of each image.
        box_format : {"xyxy", "xywh", "cxcywh"}
            What the numbers of boxes are.
        classes : mapping of id to name, or sequence of names, optional
            All classes.

        Raises
        ------
        ShapeError, IdError, ClassError, InputError
            As `from_keypoints` does.
        """
        of_image = []
        for i, record in enumerate(records_of(records, "records")):
            points = _points(field_of(record, "keypoints", i), f"keypoints of image {i}")
            if "boxes" in record:
                place = f"boxes of image {i}"
                _check_count(place, len(to_finite(record["boxes"], place, width=4)), len(points))
            of_image.append(points)
        # Images without objects may not say how many keypoints there are.
        filled = [points for points in of_image if len(points)] or of_image[:1]
        n_keypoints = filled[0].shape[1] if filled else 0
        for i, points in enumerate(of_image):
            if len(points) and points.shape[1] != n_keypoints:
                raise ShapeError(
                    f"expected {n_keypoints} keypoints, as other images have, "
                    f"got {points.shape[1]}",
                    f"keypoints of image {i}",
                )
        if not any("boxes" in record for record in records):
            is_truth = not any("scores" in record for record in records)
            box_format = "xyxy"
            records = [
                {
                    **record,
                    "boxes": _corners_around(
                        points, is_truth=is_truth, place=f"keypoints of image {i}"
                    ),
                }
                for i, (record, points) in enumerate(zip(records, of_image, strict=True))
            ]
        boxes = Boxes.from_images(
            records, image_id=image_id, box_format=box_format, classes=classes
        )
        all_points = np.concatenate([np.zeros((0, n_keypoints, 3)), *filled])
        return cls(without_labels_ignored(boxes, all_points), all_points)


def _points(value: ArrayLike, place: str) -> NDArray[np.float64]:
    """Return keypoints as (n, K, 3) finite numbers."""
    array = to_numpy(value, place, np.float64)
    if array.size == 0:
        return np.zeros((0, array.shape[1] if array.ndim == 3 else 0, 3))
    if array.ndim == 2 and array.shape[1] % 3 == 0:
        array = array.reshape(len(array), -1, 3)
    if array.ndim == 2:
        raise ShapeError(
            "expected rows of x, y and visibility of each keypoint, "
            f"got {array.shape[1]} numbers, which is no multiple of three",
            place,
        )
    if array.ndim != 3 or array.shape[2] != 3:
        raise ShapeError(f"expected shape (n, K, 3) or (n, 3 K), got {array.shape}", place)
    finite = np.isfinite(array)
    if not finite.all():
        at = tuple(np.argwhere(~finite)[0].tolist())
        raise InputError(
            f"expected finite numbers, got {array[at]} (a keypoint that is not labelled has "
            "visibility 0, and any place)",
            f"{place}[{', '.join(map(str, at))}]",
        )
    return array


def _check_count(place: str, n_boxes: int, n_poses: int) -> None:
    if n_boxes != n_poses:
        raise ShapeError(f"expected {n_poses} boxes, one an object, got {n_boxes}", place)


def _corners_around(
    points: NDArray[np.float64], *, is_truth: bool, place: str
) -> NDArray[np.float64]:
    """Return left, top, right, bottom of the keypoints; of truth, of those that are labelled."""
    counts = np.ones(points.shape[:2], np.bool_)
    if is_truth:
        counts = points[:, :, 2] > 0
        unknown = ~counts.any(axis=1)
        if unknown.any():
            raise InputError(
                "expected a box for truth without labelled keypoints, got none; give boxes, or "
                "leave such objects out",
                f"{place}[{int(np.argmax(unknown))}]",
            )
    places, counts = points[:, :, :2], counts[:, :, None]
    low = places.min(axis=1, initial=np.inf, where=counts)
    high = places.max(axis=1, initial=-np.inf, where=counts)
    return np.concatenate([low, high], axis=1)


def without_labels_ignored(boxes: Boxes, points: NDArray[np.float64]) -> Boxes:
    """Return boxes of which truth without labelled keypoints is ignored."""
    unlabelled = np.logical_not(np.any(points[:, :, 2] > 0, axis=1))
    if boxes.score is not None or not unlabelled.any():
        return boxes
    ignored: NDArray[np.uint8] = unlabelled.astype(np.uint8)
    if boxes.ignored is not None:
        np.maximum(ignored, boxes.ignored, out=ignored)
    return dataclasses.replace(boxes, ignored=ignored)
