"""Object keypoint similarity (OKS) of poses."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen import _core
from snellen.arrays import to_finite
from snellen.classes import Classes
from snellen.detection.candidates import Coded
from snellen.detection.sigmas import COCO_SIGMAS
from snellen.errors import InputError, ShapeError
from snellen.state import Keys

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from snellen.detection.poses import Poses

__all__ = ["checked_sigmas", "oks", "oks_candidates"]


def checked_sigmas(sigmas: ArrayLike | None, n_keypoints: int) -> list[float]:
    """Return one sigma for each keypoint; COCO's for 17 where none are given.

    Raises
    ------
    ShapeError
        For another number of sigmas, or none where there are not 17 keypoints.
    InputError
        For sigmas that are not finite and above 0.
    """
    if sigmas is None:
        if n_keypoints != len(COCO_SIGMAS):
            raise ShapeError(
                f"expected sigmas for {n_keypoints} keypoints, got none (only the 17 of COCO have "
                "them by default); pass one number for each keypoint",
                "sigmas",
            )
        return list(COCO_SIGMAS)
    values = to_finite(sigmas, "sigmas")
    if len(values) != n_keypoints:
        raise ShapeError(
            f"expected {n_keypoints} sigmas, one a keypoint, got {len(values)} (of protocols "
            "coco-keypoints has 17, crowdpose 14, one of your own as many as you say)",
            "sigmas",
        )
    if len(values) and values.min() <= 0:
        raise InputError(
            f"expected numbers above 0, got {values.min():g}", f"sigmas[{int(values.argmin())}]"
        )
    return [float(sigma) for sigma in values]


def oks_candidates(
    truth: Poses,
    pred: Poses,
    codes: Coded,
    sigmas: ArrayLike | None = None,
    *,
    lowest: float,
    across_labels: bool = False,
    area: NDArray[np.float64] | None = None,
    max_detections: int | None = None,
) -> dict[str, NDArray[Any]]:
    """Return the pairs of poses in one image and of one class that may match.

    Parameters
    ----------
    truth, pred : Poses
        Poses of the same keypoints.
    codes : Coded
        Their images and classes in common positions.
    sigmas : array-like, shape (K,), optional
        Of each keypoint; COCO's where there are 17.
    lowest : float
        Pairs of a lower similarity are left out.
    across_labels : bool
        Whether poses of different classes pair too.
    area : ndarray, shape (len(truth),), optional
        What distances are measured by; the areas of truth where not given.
    max_detections : int, optional
        Predicted poses of a class in an image beyond so many, by score, get no candidates.

    Returns
    -------
    dict of str to ndarray
        ``begin`` (len(pred) + 1,) int64, ``truth`` int32 and ``similarity`` float64: row i of pred
        may match the rows ``truth[begin[i]:begin[i + 1]]`` of truth, which ascend.

    Raises
    ------
    ShapeError, InputError
        For poses of different numbers of keypoints, and sigmas that do not fit them.
    """
    if not len(truth) or not len(pred):  # a table without rows may not know how many keypoints
        return {
            "begin": np.zeros(len(pred) + 1, np.int64),
            "truth": np.zeros(0, np.int32),
            "similarity": np.zeros(0),
        }
    n_keypoints = truth.keypoints.shape[1]
    if pred.keypoints.shape[1] != n_keypoints:
        raise ShapeError(
            f"expected poses of {n_keypoints} keypoints, as truth has, "
            f"got {pred.keypoints.shape[1]}",
            "pred.keypoints",
        )
    boxes = truth.boxes
    if area is None:
        area = boxes.xywh[:, 2] * boxes.xywh[:, 3] if boxes.area is None else boxes.area
    cap: dict[str, Any] = {}
    if max_detections is not None:
        cap = {"pred_score": pred.boxes.score, "max_detections": max_detections}
    # Far keypoints are to come out as 0 without a word, whatever NumPy was told to say.
    with np.errstate(under="ignore"):
        return _core.oks_candidates(
            codes.truth_image,
            codes.truth_label,
            truth.keypoints,
            boxes.xywh,
            area,
            codes.pred_image,
            codes.pred_label,
            pred.keypoints,
            np.exp,
            sigmas=checked_sigmas(sigmas, n_keypoints),
            n_images=len(codes.images),
            n_labels=len(codes.classes),
            lowest=lowest,
            across_labels=across_labels,
            **cap,
        )


def oks(pred: Poses, truth: Poses, sigmas: ArrayLike | None = None) -> NDArray[np.float64]:
    """Return the similarity of every predicted with every truth pose, whatever their images.

    Parameters
    ----------
    pred, truth : Poses
        Poses of the same keypoints.
    sigmas : array-like, shape (K,), optional
        Of each keypoint, how far annotators lie apart, as a share of the object's size (the square
        root of its area); COCO's where there are 17.

    Returns
    -------
    ndarray, shape (len(pred), len(truth)), float64
        From 0 to 1. Equal to pycocotools' ``COCOeval.computeOks`` to the last bit.

    Raises
    ------
    ShapeError, InputError
        For poses of different numbers of keypoints, and sigmas that do not fit them.

    Notes
    -----
    The mean of exp(−d² / (2σ)² / area / 2) over the keypoints that truth labels (visibility above
    0), d the distance of the two points. A truth pose without labelled keypoints is measured by
    the distance of the predicted points to its box, three times as wide and as high about
    its centre. Visibilities of predictions are not read.

    Examples
    --------
    >>> from snellen.detection.oks import oks
    >>> from snellen.detection.poses import Poses
    >>> columns = {"image_id": [1], "label": [1], "area": [100.0]}
    >>> truth = Poses.from_keypoints([[[5, 5, 2], [9, 5, 0]]], box=[[0, 0, 10, 10]], **columns)
    >>> pred = Poses.from_keypoints([[[6, 5, 1], [0, 0, 1]]], score=[0.9], **columns)
    >>> oks(pred, truth, sigmas=[0.05, 0.1]).round(4)  # exp(−1 / 0.1² / 100 / 2)
    array([[0.6065]])
    """
    images, classes = Keys([0], "image id"), Classes([0])
    truth_code, pred_code = (np.zeros(len(poses), np.int32) for poses in (truth, pred))
    codes = Coded(images, classes, truth_code, truth_code, pred_code, pred_code)
    found = oks_candidates(truth, pred, codes, sigmas, lowest=-math.inf)
    return found["similarity"].reshape(len(pred), len(truth))
