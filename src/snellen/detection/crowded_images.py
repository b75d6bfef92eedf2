"""Numbers of images by how crowded they are: what becomes of objects in each range."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from snellen.detection.protocols import CrowdingRange

__all__ = ["with_crowding"]


def with_crowding(
    columns: Mapping[str, NDArray[Any]],
    crowding: NDArray[np.float64] | None,
    n_areas: int,
    ranges: Sequence[CrowdingRange],
) -> dict[str, NDArray[Any]]:
    """Return the outcomes of matching with the ranges of crowding behind those of area.

    In a range of crowding there is what the first area range has in its images, and nothing of
    others: no truth that counts, no detection that is true or false. So whatever is made of area
    ranges, curves and intervals, is made of these.

    Parameters
    ----------
    columns : mapping of str to ndarray
        ``truth_image``, ``truth_ignored``, ``pred_image`` and ``pred_outcome``, as the matching
        kernels return them, and others.
    crowding : ndarray, shape (n_images,), or None
        How crowded each image is; where it is NaN, or None, an image is of no range.
    n_areas : int
        How many area ranges there are.
    ranges : sequence of CrowdingRange
    """
    found = dict(columns)
    truth_image, pred_image = columns["truth_image"], columns["pred_image"]
    ignored, outcomes = columns["truth_ignored"].copy(), [columns["pred_outcome"]]
    for place, each in enumerate(ranges, n_areas):
        if crowding is None:
            left_out = np.ones(len(truth_image), np.bool_)
            outcomes.append(np.zeros_like(outcomes[0][:, :1]))
        else:
            inside = (crowding >= each.low) & (crowding < each.high)
            left_out = ~inside[truth_image] | (ignored & np.uint32(1) != 0)
            outcomes.append(np.where(inside[pred_image, None, None], outcomes[0][:, :1], 0))
        ignored |= left_out.astype(np.uint32) << np.uint32(place)
    found["truth_ignored"] = ignored
    found["pred_outcome"] = np.ascontiguousarray(np.concatenate(outcomes, axis=1), np.uint32)
    return found
