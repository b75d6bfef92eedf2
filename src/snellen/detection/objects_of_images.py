"""What metrics of detection absorb: columns, or one mapping of arrays for each image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen.detection.boxes import Boxes
from snellen.detection.candidates import Objects, kind_of
from snellen.detection.image_records import records_of
from snellen.detection.masks import Masks
from snellen.detection.oriented import OrientedBoxes
from snellen.detection.poses import Poses
from snellen.errors import InputError, SnellenError
from snellen.image_ids import ImageIds

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from snellen.detection.box_layouts import BoxLayout
    from snellen.detection.protocols import DetectionProtocol

__all__ = ["ObjectBatch", "columns_of", "object_batch", "objects_of_images", "rules_for"]

_COLUMNS: Final[dict[str, Any]] = {
    "box": Boxes,
    "mask": Masks,
    "boundary": Masks,
    "keypoints": Poses,
    "oriented": OrientedBoxes,
}


class ObjectBatch(NamedTuple):
    """The objects of an update.

    Attributes
    ----------
    truth, pred : Boxes, Masks, Poses or OrientedBoxes
        Both of one kind.
    anonymous : bool
        Whether the images have no ids.
    """

    truth: Objects
    pred: Objects
    anonymous: bool


def object_batch(
    truth: Objects | Sequence[Mapping[str, Any]],
    pred: Objects | Sequence[Mapping[str, Any]],
    image_id: ArrayLike | None,
    *,
    images: ImageIds,
    kind: str | None,
    similarity: str,
    box_format: BoxLayout,
) -> ObjectBatch | None:
    """Return what an update was given as columns; None for mappings of no images.

    Parameters
    ----------
    truth, pred : Boxes, Masks, Poses or OrientedBoxes, or sequence of mapping
    image_id : array-like, optional
        The ids of the images given as mappings.
    images : ImageIds
        The images that came before; it stays as it is.
    kind : str or None
        The kind of the objects that came before.
    similarity, box_format
        As `objects_of_images` takes them.

    Raises
    ------
    IdError
        For images that were absorbed before.
    InputError
        For objects of two kinds, or without scores, and for mappings that cannot be read.
    """
    anonymous = False
    if isinstance(truth, Objects) and isinstance(pred, Objects):
        if image_id is not None or box_format != "xyxy":
            name = "box_format" if image_id is None else "image_id"
            raise InputError(
                f"expected no {name} beside {type(truth).__name__}, which have their own", name
            )
    elif isinstance(truth, Objects) or isinstance(pred, Objects):
        raise InputError(
            f"expected truth and pred of one kind, got {type(truth).__name__} and "
            f"{type(pred).__name__}"
        )
    else:
        truth, pred = records_of(truth, "truth"), records_of(pred, "pred")
        if not (truth or pred):
            return None
        batch = images.batch_of(image_id, len(truth))
        anonymous = batch.anonymous
        truth, pred = objects_of_images(
            truth, pred, image_id=batch.ids, similarity=similarity, box_format=box_format
        )
    found = kind_of(truth, pred)
    if kind not in (None, found):
        raise InputError(
            f"expected objects of the kind {kind}, as those before, got {found}", "truth"
        )
    images.check(truth.boxes.images, anonymous=anonymous)
    return ObjectBatch(truth, pred, anonymous)


def columns_of(
    truth: Objects | Sequence[Mapping[str, Any]],
    pred: Objects | Sequence[Mapping[str, Any]],
    image_id: ArrayLike | None,
    *,
    similarity: str,
    box_format: BoxLayout,
) -> tuple[Objects, Objects]:
    """Return all that a function of truth and predictions was given as columns.

    The parameters are those of `object_batch`; images without ids are numbered.
    """
    batch = object_batch(
        truth,
        pred,
        image_id,
        images=ImageIds(),
        kind=None,
        similarity=similarity,
        box_format=box_format,
    )
    if batch is None:
        return objects_of_images(
            (), (), image_id=np.zeros(0, np.int64), similarity=similarity, box_format=box_format
        )
    return batch.truth, batch.pred


def rules_for(
    truth: Objects | Sequence[Mapping[str, Any]],
    pred: Objects | Sequence[Mapping[str, Any]],
    protocol: str | DetectionProtocol | None,
) -> str | DetectionProtocol:
    """Return the rules that were asked for; else COCO's, of poses those of poses."""
    if protocol is not None:
        return protocol
    if isinstance(truth, Objects):
        kind: str = truth.kind
    else:
        kind = "" if isinstance(pred, Objects) else _kind_of_records(records_of(pred, "pred"))
    return "coco-keypoints" if kind == "keypoints" else "coco"


def objects_of_images(
    truth: Any,
    pred: Any,
    *,
    image_id: NDArray[Any],
    similarity: str,
    box_format: BoxLayout = "xyxy",
) -> tuple[Objects, Objects]:
    """Return the objects of images as columns of one kind.

    Parameters
    ----------
    truth, pred : sequence of mapping
        As the ``from_images`` of that kind takes them.
    image_id : ndarray
        The id of each image.
    similarity : str
        What rules compare (`SIMILARITIES`): it decides what of a mapping is read. Where it is
        ``"own"``: the boxes of predictions, where they have any, else their masks, else their
        keypoints.
    box_format : {"xyxy", "xywh", "cxcywh"}
        What the numbers of boxes are.

    Raises
    ------
    InputError, ShapeError, SchemaError, IdError, ClassError
        For what cannot be read as such.
    """
    sides = records_of(truth, "truth"), records_of(pred, "pred")
    if len(truth) != len(pred):
        raise InputError(
            f"expected as many images in truth and pred, got {len(truth)} and {len(pred)}"
        )
    kind = _kind_of_records(sides[1]) if similarity == "own" else similarity
    options: dict[str, Any] = {"image_id": image_id, "box_format": box_format}
    if kind == "oriented":
        del options["box_format"]
        if box_format != "xyxy":
            raise InputError(
                "expected no box_format with oriented boxes, whose shape says what they are, got "
                f"{box_format!r}",
                "box_format",
            )
    return (
        _columns(kind, sides[0], "truth", options),
        _columns(kind, sides[1], "pred", options),
    )


def _columns(
    kind: str, records: Sequence[Mapping[str, Any]], name: str, options: Mapping[str, Any]
) -> Objects:
    try:
        made: Objects = _COLUMNS[kind].from_images(records, **options)
    except SnellenError as error:
        raise error.within(name) from error
    return made


def _kind_of_records(pred: Sequence[Mapping[str, Any]]) -> str:
    for field, kind in (("boxes", "box"), ("masks", "mask"), ("keypoints", "keypoints")):
        if any(field in record for record in pred):
            return kind
    return "box"
