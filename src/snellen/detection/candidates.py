"""Pairs of predictions and truth that may match: how similar they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np

from snellen import _core
from snellen.classes import Classes
from snellen.detection.boxes import Boxes
from snellen.detection.masks import Masks
from snellen.detection.oriented import OrientedBoxes
from snellen.detection.poses import Poses
from snellen.errors import IdError, InputError, first_few

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.detection.protocols import DetectionProtocol
    from snellen.rle_masks import RleMasks
    from snellen.state import Keys

__all__ = ["Candidates", "Coded", "Objects", "candidates", "coded", "kind_of", "similarity_of"]

Objects: TypeAlias = Boxes | Masks | Poses | OrientedBoxes
"""Columns of objects, of any kind."""


class Candidates(NamedTuple):
    """Pairs that reach a similarity, by row of predictions.

    Attributes
    ----------
    begin : ndarray, shape (n_pred + 1,), int64
        Prediction i has the pairs ``begin[i]`` to ``begin[i + 1]``, exclusive.
    truth : ndarray, int32
        Row of truth of each pair, ascending within a prediction.
    similarity : ndarray, float64
        How alike they are.
    """

    begin: NDArray[np.int64]
    truth: NDArray[np.int32]
    similarity: NDArray[np.float64]

    def of(self, pred_row: NDArray[Any], truth_row: NDArray[Any]) -> NDArray[np.float64]:
        """Return how alike predictions and truth of some pairs are; 0 where truth_row is −1.

        Parameters
        ----------
        pred_row, truth_row : ndarray
            Rows of both, of one shape; each pair must be there.
        """
        # Pairs ascend by row of predictions, then by row of truth: so do these keys.
        width = int(self.truth.max(initial=0)) + 1
        row = np.repeat(np.arange(len(self.begin) - 1), np.diff(self.begin))
        taken = truth_row >= 0
        found = np.zeros(truth_row.shape)
        wanted = pred_row[taken].astype(np.int64) * width + truth_row[taken]
        found[taken] = self.similarity[np.searchsorted(row * width + self.truth, wanted)]
        return found


class Coded(NamedTuple):
    """Images and classes that truth and predictions share, and the positions of rows in them."""

    images: Keys
    classes: Classes
    truth_image: NDArray[np.int32]
    truth_label: NDArray[np.int32]
    pred_image: NDArray[np.int32]
    pred_label: NDArray[np.int32]


def kind_of(truth: Objects, pred: Objects) -> str:
    """Return the kind of objects that both are.

    Raises
    ------
    InputError
        Where they differ, or predictions have no scores.
    """
    if truth.kind != pred.kind:
        raise InputError(
            f"expected truth and pred of one kind, got {type(truth).__name__} and "
            f"{type(pred).__name__}"
        )
    if pred.boxes.score is None and len(pred):
        raise InputError("expected predicted objects with scores, got none", "pred.score")
    return truth.kind


def coded(truth: Objects, pred: Objects) -> Coded:
    """Return common codes.

    Raises
    ------
    IdError
        Where pred has images that truth does not list.
    ClassError
        Where truth and pred name a class differently.
    """
    pred_image = _codes_in(truth.boxes.images, pred.boxes)
    classes = Classes.union([truth.boxes.classes, pred.boxes.classes])
    return Coded(
        truth.boxes.images,
        classes,
        truth.boxes.image,
        _labels_in(classes, truth.boxes),
        pred_image,
        _labels_in(classes, pred.boxes),
    )


def similarity_of(kind: str, protocol: DetectionProtocol) -> str:
    """Return what a protocol compares of objects of a kind.

    Raises
    ------
    InputError
        For objects that do not have it.
    """
    wanted = kind if protocol.similarity == "own" else protocol.similarity
    # COCO's rules of boxes would count people without keypoints as missed.
    if kind == "keypoints" and protocol.similarity != kind:
        remedy = 'coco-keypoints, or rules with similarity "keypoints" and sigmas'
        raise InputError(f'expected rules for poses ({remedy}), got "{protocol.name}"', "protocol")
    if wanted == kind or (kind == "mask" and wanted in ("boundary", "box")):
        return wanted
    raise InputError(
        f"expected objects with {_NEEDS.get(wanted, wanted)}, as {protocol.name} compares them, "
        f"got {_NEEDS.get(kind, kind)}",
        "truth",
    )


_NEEDS = {
    "box": "boxes",
    "mask": "masks",
    "boundary": "masks",
    "keypoints": "keypoints",
    "oriented": "oriented boxes",
}


def candidates(
    truth: Objects,
    pred: Objects,
    protocol: DetectionProtocol,
    *,
    lowest: float,
    across_labels: bool = False,
    capped: bool = True,
    codes: Coded | None = None,
) -> Candidates:
    """Return the pairs of an image, and of a class, that reach a similarity.

    Parameters
    ----------
    truth, pred : Boxes, Masks, Poses or OrientedBoxes
        Both of one kind.
    protocol : DetectionProtocol
        What is compared, and of poses with which sigmas.
    lowest : float
        The similarity that pairs have at least.
    across_labels : bool
        Whether pairs of different classes are of interest too.
    capped : bool
        Whether predictions beyond the highest cap of the protocol may go without pairs; across
        labels none do.
    codes : Coded, optional
        Common codes, where they are there already.

    Raises
    ------
    InputError, IdError, ClassError
        For objects that cannot be compared.
    """
    kind = kind_of(truth, pred)
    similarity = similarity_of(kind, protocol)
    codes = codes or coded(truth, pred)
    limits: dict[str, Any] = {
        "n_images": len(codes.images),
        "n_labels": len(codes.classes),
        "lowest": lowest,
        "across_labels": across_labels,
    }
    places = (codes.truth_image, codes.truth_label)
    pred_places = (codes.pred_image, codes.pred_label)
    crowd = crowds(truth.boxes)
    if similarity == "box":
        found = _core.box_candidates(
            *places, truth.boxes.xywh, crowd, *pred_places, pred.boxes.xywh, **limits
        )
        return Candidates(**found)
    # Boxes are measured sooner than they are ranked; other objects beyond the cap are not compared.
    capped = capped and not across_labels
    if capped and pred.boxes.score is not None:
        limits["pred_score"] = pred.boxes.score
        limits["max_detections"] = protocol.max_detections[-1]
    if isinstance(truth, Masks) and isinstance(pred, Masks):
        pairs = _mask_candidates(truth.rle, crowd, pred.rle, codes, limits)
        if similarity == "mask":
            return pairs
        from snellen.detection.boundary import boundaries

        ratio = protocol.dilation_ratio
        of_truth, of_pred = boundaries(truth.rle, ratio), boundaries(pred.rle, ratio)
        near = _mask_candidates(of_truth, crowd, of_pred, codes, limits)
        return _lower(pairs, near, len(truth))
    if isinstance(truth, OrientedBoxes) and isinstance(pred, OrientedBoxes):
        return Candidates(
            **_core.oriented_candidates(
                *places,
                truth.corners.reshape(-1, 8),
                crowd,
                *pred_places,
                pred.corners.reshape(-1, 8),
                **limits,
            )
        )
    assert isinstance(truth, Poses)
    assert isinstance(pred, Poses)
    from snellen.detection.oks import oks_candidates

    return Candidates(
        **oks_candidates(
            truth,
            pred,
            codes,
            protocol.sigmas,
            lowest=lowest,
            across_labels=across_labels,
            max_detections=protocol.max_detections[-1] if capped else None,
        )
    )


def _mask_candidates(
    truth: RleMasks,
    crowd: NDArray[np.uint8],
    pred: RleMasks,
    codes: Coded,
    limits: dict[str, Any],
) -> Candidates:
    found = _core.mask_candidates(
        codes.truth_image,
        codes.truth_label,
        crowd,
        truth.runs,
        truth.offset,
        truth.size,
        codes.pred_image,
        codes.pred_label,
        pred.runs,
        pred.offset,
        pred.size,
        truth_area=truth.extents.area,
        truth_box=truth.extents.box,
        pred_area=pred.extents.area,
        pred_box=pred.extents.box,
        **limits,
    )
    return Candidates(**found)


def _lower(pairs: Candidates, others: Candidates, n_truth: int) -> Candidates:
    """Return the pairs that both have, with the lower similarity of each."""
    keys, at, at_others = np.intersect1d(
        _keys(pairs, n_truth), _keys(others, n_truth), assume_unique=True, return_indices=True
    )
    n_pred = len(pairs.begin) - 1
    return Candidates(
        np.searchsorted(keys, n_truth * np.arange(n_pred + 1, dtype=np.int64)),
        pairs.truth[at],
        np.minimum(pairs.similarity[at], others.similarity[at_others]),
    )


def _keys(pairs: Candidates, n_truth: int) -> NDArray[np.int64]:
    """Return a number for each pair, ascending."""
    row = np.repeat(np.arange(len(pairs.begin) - 1, dtype=np.int64), np.diff(pairs.begin))
    return row * n_truth + pairs.truth


def crowds(boxes: Boxes) -> NDArray[np.uint8]:
    """Return which boxes are regions of many objects."""
    return np.zeros(len(boxes), np.uint8) if boxes.crowd is None else boxes.crowd


def _codes_in(images: Keys, pred: Boxes) -> NDArray[np.int32]:
    if pred.images.same_as(images):
        return pred.image
    image = images.codes(pred.images.ids)[pred.image]
    if len(image) and image.min() < 0:
        unknown = pred.images.ids[np.unique(pred.image[image < 0])].tolist()
        hint = (
            "truth has texts as image ids and pred has numbers, or the other way round"
            if len(images) and images.is_text != pred.images.is_text
            else "list images without objects in image_ids"
        )
        raise IdError(
            f"expected predictions on images of the truth, got {len(unknown)} unknown image ids: "
            f"{first_few(unknown)}; {hint}",
            "pred.image_id",
        )
    return image


def _labels_in(classes: Classes, boxes: Boxes) -> NDArray[np.int32]:
    if boxes.classes.keys.same_as(classes.keys):
        return boxes.label
    return classes.keys.codes(boxes.classes.keys.ids)[boxes.label]
