"""The parameters of an evaluation, and where truth may lack objects, in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.compat.pycocotools.cells import CellNames
from snellen.compat.pycocotools.rules import Rules

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LVIS_NAMES", "NO_CAP", "cells_in_part", "rules_of"]

LVIS_NAMES: Final = CellNames(
    area_range="area_rng",
    cap=None,
    pred_ids="dt_ids",
    truth_ids="gt_ids",
    took="dt_matches",
    taken="gt_matches",
    scores="dt_scores",
    ignored="gt_ignore",
    left_out="dt_ignore",
)
NO_CAP: Final = 2**31 - 1


def rules_of(p: Any) -> Rules | None:
    """Return the rules of parameters; None where they are out of the ordinary.

    Without categories lvis looks for those of id -1, which is out of the ordinary.
    """
    if type(p.cat_ids) not in (list, tuple) or not p.use_cats:
        return None
    return Rules.checked(
        kind=p.iou_type,
        images=p.img_ids,
        categories=p.cat_ids,
        areas=p.area_rng,
        thresholds=p.iou_thrs,
        cap=NO_CAP,
        names=LVIS_NAMES,
        crowds=False,
    )


def cells_in_part(rules: Rules, not_exhaustive: dict[Any, Any]) -> NDArray[np.int64] | None:
    """Return where truth may lack objects, label × images + image; None where that is odd.

    Parameters
    ----------
    rules : Rules
        Of which images and categories.
    not_exhaustive : dict
        Of each image the categories that were not annotated exhaustively.
    """
    labels = rules.codes()[1]
    n_images = len(rules.images)
    found = []
    for i, image in enumerate(rules.images):
        listed = not_exhaustive.get(image)
        if type(listed) is not list:
            return None
        try:
            found += [labels[each] * n_images + i for each in listed if each in labels]
        except TypeError:  # what cannot be hashed
            return None
    return np.array(found, np.int64)
