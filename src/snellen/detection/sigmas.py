"""How far annotators lie apart on keypoints, as data sets state it."""

from __future__ import annotations

from typing import Final

__all__ = ["COCO_SIGMAS", "CROWDPOSE_SIGMAS"]

# The references divide by ten, and five of COCO's quotients are not the shorter literals.
_TENTHS_COCO = (
    *(0.26, 0.25, 0.25, 0.35, 0.35),
    *(0.79, 0.79, 0.72, 0.72, 0.62, 0.62),
    *(1.07, 1.07, 0.87, 0.87, 0.89, 0.89),
)
_TENTHS_CROWDPOSE = (
    *(0.79, 0.79, 0.72, 0.72, 0.62, 0.62),
    *(1.07, 1.07, 0.87, 0.87, 0.89, 0.89),
    *(0.79, 0.79),
)

COCO_SIGMAS: Final = tuple(tenths / 10.0 for tenths in _TENTHS_COCO)
"""How far annotators of COCO's 17 keypoints lie apart, as a share of an object's size: nose, eyes,
ears, shoulders, elbows, wrists, hips, knees, ankles."""

CROWDPOSE_SIGMAS: Final = tuple(tenths / 10.0 for tenths in _TENTHS_CROWDPOSE)
"""The same of CrowdPose's 14: shoulders, elbows, wrists, hips, knees, ankles, head, neck."""
