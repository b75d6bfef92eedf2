"""Truth and predictions given as one mapping of arrays for each image, as columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from snellen.detection.boxes import Boxes
from snellen.detection.image_records import records_of
from snellen.detection.masks import Masks
from snellen.detection.oriented import OrientedBoxes
from snellen.detection.poses import Poses
from snellen.errors import InputError, SnellenError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from snellen.detection.box_layouts import BoxLayout
    from snellen.detection.candidates import Objects

__all__ = ["objects_of_images"]

_COLUMNS: Final[dict[str, Any]] = {
    "box": Boxes,
    "mask": Masks,
    "boundary": Masks,
    "keypoints": Poses,
    "oriented": OrientedBoxes,
}


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
