"""The parameters of an evaluation."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["Params"]

_LIMITS = [0, 32**2, 96**2, 1e5**2]
# The divide rounds a second time: 5 of the 17 are other numbers than those written in thousandths.
_SIGMAS_BY_TEN = [
    *(0.26, 0.25, 0.25, 0.35, 0.35, 0.79, 0.79, 0.72, 0.72),
    *(0.62, 0.62, 1.07, 1.07, 0.87, 0.87, 0.89, 0.89),
]


class Params:
    """What is evaluated, and by which thresholds; every field can be set.

    Parameters
    ----------
    iouType : {"segm", "bbox", "keypoints"}
        What two objects are compared by.

    Attributes
    ----------
    imgIds, catIds : list
        The images and categories; `COCOeval` takes all of the truth.
    iouThrs, recThrs : ndarray of float64
        IoU thresholds, and where on the recall axis precision is read off.
    maxDets : list of int
        How many detections of one category in one image are looked at.
    areaRng, areaRngLbl : list
        Closed intervals of square pixels, and their names.
    useCats : int
        1; 0 for objects of all categories in one.
    kpt_oks_sigmas : ndarray of float64
        The spread of each keypoint; for keypoints only.
    iouType : str
        The argument.
    useSegm : None or int
        Of old: 1 for ``"segm"``, else ``"bbox"``.
    """

    iouType: Any
    useSegm: Any

    def __init__(self, iouType: Any = "segm") -> None:
        if iouType in ("segm", "bbox"):
            self.setDetParams()
        elif iouType == "keypoints":
            self.setKpParams()
        else:
            raise Exception("iouType not supported")
        self.iouType = iouType
        self.useSegm = None

    def setDetParams(self) -> None:
        """Set what boxes and masks are evaluated by."""
        self._set_grids([1, 10, 100], ["all", "small", "medium", "large"])

    def setKpParams(self) -> None:
        """Set what keypoints are evaluated by."""
        self._set_grids([20], ["all", "medium", "large"])
        self.kpt_oks_sigmas: Any = np.array(_SIGMAS_BY_TEN) / 10.0

    def _set_grids(self, caps: list[int], labels: list[str]) -> None:
        zero, small, medium, largest = _LIMITS
        ranges = {
            "all": [zero, largest],
            "small": [zero, small],
            "medium": [small, medium],
            "large": [medium, largest],
        }
        self.imgIds: Any = []
        self.catIds: Any = []
        self.iouThrs: Any = np.linspace(0.5, 0.95, 10)
        self.recThrs: Any = np.linspace(0.0, 1.0, 101)
        self.maxDets: Any = caps
        self.areaRng: Any = [ranges[label] for label in labels]
        self.areaRngLbl: Any = labels
        self.useCats: Any = 1
