"""The shapes of CVAT's XML for images, of objects of each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple
from xml.sax.saxutils import quoteattr

import numpy as np

from snellen.detection.masks import Masks
from snellen.detection.oriented import OrientedBoxes, are_upright
from snellen.detection.poses import Poses
from snellen.errors import InputError
from snellen.readers.cvat_pixels import crops_of_masks
from snellen.readers.cvat_shapes import corners_of_turned
from snellen.writers.box_numbers import box_numbers, number_texts
from snellen.writers.detections import Loss
from snellen.writers.written_names import refuse_control

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from snellen.writers.detections import Detections

__all__ = ["Shape", "Shapes", "shapes_of", "written_points"]

_CORNERS: Final = ("xtl", "ytl", "xbr", "ybr")
_SMALL: Final = 1e-6
_HIDDEN: Final = {0.0: ' occluded="0" outside="1"', 1.0: ' occluded="1" outside="0"'}
_SEEN: Final = ' occluded="0" outside="0"'


class Shape(NamedTuple):
    """A shape: its tag, the attributes that are its own, and what stands inside."""

    tag: str
    cells: str
    inner: str = ""


class Shapes(NamedTuple):
    """The shapes of objects.

    Attributes
    ----------
    texts : list of Shape
    losses : list of Loss
        What reading them back would not give.
    back : ndarray or None
        Boxes as they are read, of turned ones the corners; see `box_losses`.
    notes : sequence of str
        What a reader has to know.
    """

    texts: list[Shape]
    losses: list[Loss]
    back: NDArray[np.float64] | None = None
    notes: Sequence[str] = ()


def shapes_of(data: Detections) -> Shapes:
    """Return the shape of each object.

    Raises
    ------
    InputError
        For polygons that are not those of the objects.
    """
    columns = data.columns
    if isinstance(columns, Masks):
        return _of_masks(data, columns)
    if isinstance(columns, Poses):
        return _of_poses(data, columns)
    if isinstance(columns, OrientedBoxes):
        return _of_oriented(data, columns)
    numbers = box_numbers(columns.xywh, "xyxy")
    return Shapes(_boxes(numbers.values), [], numbers.back)


def _boxes(corners: NDArray[np.float64], more: Sequence[str] | None = None) -> list[Shape]:
    """Return boxes of left, top, right, bottom (n, 4)."""
    texts = number_texts(corners)
    shapes = []
    for row in range(len(corners)):
        numbers = zip(_CORNERS, texts[4 * row : 4 * row + 4], strict=True)
        cells = "".join(f'{name}="{text}" ' for name, text in numbers)
        shapes.append(Shape("box", cells + (more[row] if more else "")))
    return shapes


def _of_masks(data: Detections, masks: Masks) -> Shapes:
    """Return a polygon of each object of which one is known, of others the pixels."""
    polygons: Sequence[Any] = data.polygons or [[]] * len(masks)
    if len(polygons) != len(masks):
        raise InputError(
            f"expected polygons of {len(masks):,} objects, got {len(polygons):,}", data.place
        )
    brushed = [row for row, of_object in enumerate(polygons) if len(of_object) != 1]
    crops = dict(zip(brushed, crops_of_masks(masks.rle[np.array(brushed, np.int64)]), strict=True))
    shapes = []
    around = masks.rle.boxes().astype(np.float64)
    for row, of_object in enumerate(polygons):
        if row not in crops:
            xy = np.asarray(of_object[0], np.float64)
            first, last = xy.min(axis=0), xy.max(axis=0)
            around[row] = [*first, *(last - first)]
            shapes.append(Shape("polygon", f'points="{_points(xy)}" '))
            continue
        crop = crops[row]
        shapes.append(
            Shape(
                "mask",
                f'rle="{", ".join(map(str, crop.runs))}" left="{crop.left}" top="{crop.top}" '
                f'width="{crop.width}" height="{crop.height}" ',
            )
        )
    return Shapes(shapes, _other_boxes(data, around, "masks"))


def _points(xy: NDArray[np.float64]) -> str:
    texts = number_texts(xy)
    return ";".join(map(",".join, zip(texts[::2], texts[1::2], strict=True)))


def written_points(data: Detections, poses: Poses, code: int) -> tuple[str, ...]:
    """Return what the points of a class are called in the file: their numbers without names.

    So they are, too, where readers would not find a name again, which have no blanks around.
    """
    n = poses.keypoints.shape[1]
    names = data.point_names.get(code, ())
    if len(names) == n and all(name and name == name.strip() for name in names):
        return names
    return tuple(str(k + 1) for k in range(n))


def _of_poses(data: Detections, poses: Poses) -> Shapes:
    """Return a skeleton of each object, with the names of its points."""
    xy, visibility = poses.keypoints[:, :, :2], poses.keypoints[:, :, 2]
    names = [written_points(data, poses, code) for code in range(len(data.boxes.classes))]
    refuse_control([name for each in names for name in each], "keypoints", data.place)
    quoted = [[quoteattr(name) for name in each] for each in names]
    label = data.boxes.label.tolist()
    shapes = []
    for row in range(len(poses)):
        texts = number_texts(np.asarray(xy[row], np.float64))
        points = quoted[label[row]]
        inner = "".join(
            f'<points label={points[k]} source="manual"'
            f"{_HIDDEN.get(seen, _SEEN)} "
            f'points="{texts[2 * k]},{texts[2 * k + 1]}"></points>'
            for k, seen in enumerate(visibility[row].tolist())
        )
        shapes.append(Shape("skeleton", "", inner))
    labelled = (visibility > 0)[:, :, None]
    has_none: NDArray[np.bool_] = ~np.asarray(labelled.any(axis=(1, 2)))
    first = np.where(labelled, xy, np.inf).min(axis=1, initial=np.inf)
    last = np.where(labelled, xy, -np.inf).max(axis=1, initial=-np.inf)
    with np.errstate(invalid="ignore"):
        around = np.where(has_none[:, None], 0.0, np.concatenate([first, last - first], axis=1))
    n_other = int(np.count_nonzero(~np.isin(visibility, [0, 1, 2]) & (visibility > 0)))
    losses = _other_boxes(data, around, "labelled keypoints")
    n_other_names = sum(names[code] != own for code, own in data.point_names.items())
    if n_other_names:
        losses.append(
            Loss("point_names", n_other_names, "names of classes' keypoints: numbers instead")
        )
    if n_other:
        losses.append(Loss("visibilities", n_other, "visibilities of keypoints: they are seen"))
    return Shapes(shapes, losses)


def _other_boxes(data: Detections, around: NDArray[np.float64], what: str) -> list[Loss]:
    n = int(np.count_nonzero((data.boxes.xywh != around).any(axis=1)))
    return [Loss("boxes", n, f"boxes: those around the {what} instead")] if n else []


def _of_oriented(data: Detections, oriented: OrientedBoxes) -> Shapes:
    """Return turned boxes; of what is no rectangle the upright box around it."""
    corners = np.array(oriented.corners, np.float64)
    x, y = corners[:, :, 0], corners[:, :, 1]
    turns = x * np.roll(y, -1, axis=1) - y * np.roll(x, -1, axis=1)
    clockwise: NDArray[np.bool_] = turns.sum(axis=1) >= 0
    ordered = np.where(clockwise[:, None, None], corners, corners[:, [0, 3, 2, 1]])
    width, height = (np.hypot(*(ordered[:, k] - ordered[:, 0]).T) for k in (1, 3))
    angle = np.degrees(np.arctan2(*(ordered[:, 1] - ordered[:, 0]).T[::-1])) % 360
    half = np.stack([width, height], axis=1) / 2
    centre = corners.mean(axis=1)
    box = np.concatenate([centre - half, centre + half], axis=1)
    back = corners_of_turned(box, box[:, 2:] - box[:, :2], angle).reshape(-1, 4, 2)
    upright = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1)
    # Upright ones stay as they are, to the last digit.
    flat = are_upright(corners)
    far = np.abs(back - ordered).max(axis=(1, 2), initial=0) > _SMALL
    other = far & ~flat
    box = np.where((flat | other)[:, None], upright, box)
    angle = np.where(flat | other, 0.0, angle)
    more = [f'rotation="{text}" ' if text != "0" else "" for text in number_texts(angle)]
    read = np.where(clockwise[:, None, None], back, back[:, [0, 3, 2, 1]])
    # What is no rectangle is told as such, not as digits.
    read = np.where((flat | other)[:, None, None], corners, read)
    n_other, n_upright = int(np.count_nonzero(other)), int(np.count_nonzero(angle == 0))
    losses = []
    if n_other:
        losses.append(
            Loss(
                "oriented",
                n_other,
                "outlines of four corners that are no rectangles: the upright boxes around them",
            )
        )
    notes = []
    if n_upright:
        notes.append(
            f"{data.place}: {n_upright:,} of the boxes are not turned: --similarity oriented "
            '(kind="oriented") reads them with those that are'
        )
    return Shapes(_boxes(box, more), losses, read.reshape(len(corners), -1), notes)
