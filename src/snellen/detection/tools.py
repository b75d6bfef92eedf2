"""Other tools that compute average precision, and how their rules differ from ours."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, Final

from snellen.detection.protocols import COCO, COCO_KEYPOINTS, VOC07, VOC12, AreaRange
from snellen.detection.tool_rules import Step, Tool, ToolRules
from snellen.errors import InputError, did_you_mean

__all__ = ["TOOLS", "start_rules", "tool_named", "tools_without"]

_KINDS: Final = ("box", "mask", "keypoints")
_NO_CAP: Final = VOC12.max_detections
_ANY_SIZE: Final = (AreaRange("all", 0.0, math.inf),)


def _step(rule: str, says: str, *, kinds: tuple[str, ...] = _KINDS, **values: Any) -> Step:
    return Step(rule, says, tuple(values.items()), kinds)


def _short(value: float) -> float:
    """Return a number rounded to 32 bits."""
    import struct

    return float(struct.unpack("f", struct.pack("f", value))[0])


def _short_grid(start: float, stop: float, size: int) -> tuple[float, ...]:
    """Return torch.linspace's numbers in 32 bits: from both ends to the middle.

    Each is rounded once, as where the processor multiplies and adds in one (x86 with AVX2).
    """
    low, high = _short(start), _short(stop)
    step = _short((high - low) / (size - 1))
    return tuple(
        _short(low + step * i) if i < size // 2 else _short(high - step * (size - 1 - i))
        for i in range(size)
    )


_SIZES_32 = _step(
    "coordinates",
    "boxes are left, top, right, bottom in 32 bits, and so are their sizes and the scores",
    kinds=("box",),
    coordinates="sizes-32",
)
_SCORES_32 = _step(
    "scores", "scores are numbers of 32 bits", kinds=("mask",), coordinates="sizes-32"
)
_IOU_GRID_32 = _step(
    "IoU grid",
    "IoU thresholds are numbers of 32 bits: 0.55 is 0.550000012",
    iou_thresholds=_short_grid(0.5, 0.95, 10),
)
_ID_ZERO = _step("truth ids", "truth of id 0 is never found", id_zero_matches=False)
_NO_SPACING = _step(
    "precision", "2^-52 is not added to the number of predictions", adds_spacing=False
)
_FIRST_OF_EQUAL = _step(
    "equal IoU", "of truth that is equally similar the first is taken", equal_iou="first"
)
_AT_50 = _step("IoU grid", "the only IoU threshold is 0.5", iou_thresholds=(0.5,))

_NO_CROWDS = _step(
    "crowds", "crowds are no truth; predictions in them are false positives", drops_crowds=True
)
_SCORE_CUT = _step("score cut", "predictions of scores to 0.001 are left out", score_above=0.001)
_CORNERS_32 = _step(
    "coordinates",
    "boxes are left, top, right, bottom in 32 bits, as scores are",
    kinds=("box",),
    coordinates="corners-32",
)
_IOU_32 = _step(
    "IoU", "IoU is of 32 bits, with 1e-7 added to the union", kinds=("box",), iou="32-bit"
)
_OF_POSES = (
    _step(
        "unlabelled",
        "truth without a labelled keypoint is to be found like any other",
        kinds=("keypoints",),
        honours_ignored=False,
    ),
    _step(
        "object size",
        "truth's area in OKS is 0.53 of its box's, whatever its annotation says",
        kinds=("keypoints",),
        box_area_share=0.53,
    ),
    _step(
        "scores", "scores are numbers of 32 bits", kinds=("keypoints",), coordinates="corners-32"
    ),
)
_OKS_32 = _step(
    "OKS",
    "OKS is of 32 bits, and 0 to truth without a labelled keypoint",
    kinds=("keypoints",),
    iou="32-bit",
)
_ULTRALYTICS_NOTES = (
    "its boxes and keypoints lie in the picture as the network saw it, these in the original; its "
    "non-maximum suppression is not repeated",
    "sorted by score in no stable order: of equal scores any may come first there",
)


def _voc(name: str, title: str, precision: str, interpolation: str) -> Tool:
    return Tool(
        name,
        title,
        ("box",),
        (
            _AT_50,
            _step("crowds", "crowds are truth like any other", crowds="none"),
            _step(
                "difficult",
                "truth that is difficult (ignored) is neither to be found nor missed",
                honours_ignored=True,
            ),
            _step(
                "caps",
                "any number of predictions, of any size",
                max_detections=_NO_CAP,
                area_ranges=_ANY_SIZE,
            ),
            _step("pixels", "a box ends with its last pixel: 1 wider and higher", inclusive=True),
            _step(
                "matching",
                "a prediction looks at the truth of highest IoU alone, be it taken or not",
                best_only=True,
                equal_iou="first",
            ),
            _NO_SPACING,
            _step(
                "interpolation",
                precision,
                interpolation=interpolation,
                recall_thresholds=VOC07.recall_thresholds,
            ),
        ),
    )


TOOLS: Final = {
    tool.name: tool
    for tool in (
        Tool("pycocotools", "pycocotools 2.0.11", _KINDS, (_ID_ZERO,)),
        Tool(
            "faster-coco-eval",
            "faster-coco-eval 1.8.0",
            _KINDS,
            (_ID_ZERO, _NO_SPACING),
        ),
        Tool(
            "torchmetrics",
            "torchmetrics 1.9.0",
            ("box", "mask"),
            (
                _step(
                    "images",
                    "images without truth are left out, with what is predicted there",
                    kinds=("mask",),
                    drops_empty_images=True,
                ),
                _SIZES_32,
                _SCORES_32,
                _IOU_GRID_32,
                _step(
                    "recall grid",
                    "recall thresholds are numbers of 32 bits: 0.07 is 0.070000000298",
                    recall_thresholds=_short_grid(0.0, 1.0, 101),
                ),
                _step("answer", "AP is rounded to 32 bits", answer_32=True),
            ),
            ("it knows crowds only if it is given iscrowd",),
        ),
        Tool(
            "ultralytics",
            "ultralytics 8.4.190",
            ("box", "keypoints"),
            (
                _NO_CROWDS,
                _SCORE_CUT,
                _step(
                    "caps",
                    "300 predictions of an image (or as many as the fullest has truth), not 100 "
                    "(of keypoints 20) of each class",
                    per_image=300,
                    max_detections=_NO_CAP,
                    cap_grows=True,
                ),
                *_OF_POSES,
                _CORNERS_32,
                _IOU_GRID_32,
                _IOU_32,
                _OKS_32,
                _FIRST_OF_EQUAL,
                _NO_SPACING,
                _step(
                    "interpolation",
                    "area under straight lines between the points, from precision 1 at recall 0",
                    curve="straight",
                ),
            ),
            _ULTRALYTICS_NOTES,
        ),
        Tool(
            "ultralytics-8.3",
            "ultralytics 8.3.253",
            ("box", "keypoints"),
            (
                _NO_CROWDS,
                _SCORE_CUT,
                _step(
                    "caps",
                    "300 predictions of an image, not 100 (of keypoints 20) of each class",
                    per_image=300,
                    max_detections=_NO_CAP,
                ),
                *_OF_POSES,
                _CORNERS_32,
                _IOU_GRID_32,
                _IOU_32,
                _OKS_32,
                _step(
                    "matching",
                    "a prediction looks at the truth of highest IoU alone, be it taken or not",
                    best_only=True,
                ),
                _NO_SPACING,
                _step(
                    "interpolation",
                    "area under straight lines between the points, from precision 1 at recall 0 to "
                    "precision 0 at recall 1",
                    curve="straight-to-1",
                ),
            ),
            (
                *_ULTRALYTICS_NOTES,
                "of truth that is equally similar any may be taken there, the last is here",
            ),
        ),
        Tool(
            "supervision",
            "supervision 0.31.2",
            ("box",),
            (
                _step(
                    "coordinates",
                    "boxes are left, top, right, bottom; sizes are their differences",
                    coordinates="corners",
                ),
                _step(
                    "ignored truth",
                    "truth that is ignored is neither to be found nor missed",
                    honours_ignored=True,
                ),
                _step("IoU", "2^-52 is added to the union", iou="spacing"),
                _step("precision", "precision is kept in 32 bits", precision_32=True),
            ),
            ("it knows crowds and ignored truth only if data have iscrowd and ignore",),
        ),
        Tool(
            "fiftyone",
            "fiftyone 1.22.1",
            ("box",),
            (
                _step(
                    "IoU grid",
                    "IoU thresholds are hundredths: 0.9 is not 0.8999999999999999",
                    iou_thresholds=tuple(i / 100 for i in range(50, 100, 5)),
                ),
                _step(
                    "equal scores",
                    "of equal scores true positives come first",
                    true_first=True,
                ),
                _NO_SPACING,
            ),
            ("its boxes are parts of the image's size, which rounds an IoU in its last digits",),
        ),
        Tool(
            "tidecv",
            "tidecv 1.0.1",
            ("box", "mask"),
            (
                _AT_50,
                _step(
                    "crowds",
                    "what lies in a crowd has to share more than the threshold, not as much",
                    over_crowds=True,
                ),
                _step(
                    "caps",
                    "100 predictions of an image, of all classes together",
                    per_image=100,
                ),
                _FIRST_OF_EQUAL,
                _NO_SPACING,
                _step(
                    "recall grid",
                    "recall thresholds are hundredths: 0.35 is not 0.35000000000000003",
                    recall_thresholds=tuple(i / 100 for i in range(101)),
                ),
                _step(
                    "class set",
                    "classes that are predicted, and have no truth, count as 0",
                    absent_are_zero=True,
                ),
            ),
            ("it gives 100 times as much, and takes images in the order of the file",),
        ),
        _voc("voc12", "Pascal VOC since 2010", "the area under the curve", "area"),
        _voc(
            "voc07", "Pascal VOC until 2009", "precision at eleven recalls, not 101", "sum-of-parts"
        ),
    )
}


def tool_named(name: str) -> Tool:
    """Return a tool by its name; ``"voc"`` is ``"voc12"``.

    Raises
    ------
    InputError
        For an unknown name.
    """
    tool = TOOLS.get("voc12" if name == "voc" else name)
    if tool is None:
        raise InputError(
            f'expected a tool of {", ".join(TOOLS)}, got "{name}".{did_you_mean(name, TOOLS)}',
            "against",
        )
    return tool


def tools_without(kind: str) -> tuple[str, ...]:
    """Return the tools whose rules of objects of a kind are not known."""
    return tuple(name for name, tool in TOOLS.items() if kind not in tool.kinds)


def start_rules(kind: str) -> ToolRules:
    """Return our rules of AP, of objects of a kind."""
    protocol = COCO_KEYPOINTS if kind == "keypoints" else COCO
    return ToolRules(
        dataclasses.replace(
            protocol,
            area_ranges=protocol.area_ranges[:1],
            max_detections=protocol.max_detections[-1:],
        )
    )
