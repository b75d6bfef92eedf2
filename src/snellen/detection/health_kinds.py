"""What can be wrong with a data set for detection: every kind, and what it does to the number."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple, TypeAlias

__all__ = ["KINDS", "OF_PREDICTIONS", "SEVERITIES", "Kind", "Severity"]

Severity: TypeAlias = Literal["error", "warning", "note"]
SEVERITIES: Final = ("error", "warning", "note")


class Kind(NamedTuple):
    """A kind of finding.

    Attributes
    ----------
    severity : {"error", "warning", "note"}
        Errors make numbers wrong or readers stop; warnings are most likely mistakes; notes are
        worth knowing.
    title : str
        What there is too much of.
    effect : str
        What it does to the number.
    """

    severity: Severity
    title: str
    effect: str


_NEVER = "nothing can overlap it: it stays a miss, and recall falls"
_IMAGE_CUT = (
    "a detector whose boxes end at the border reaches less IoU with it; Snellen and pycocotools "
    "leave boxes as they are"
)

KINDS: Final[dict[str, Kind]] = {
    # ---- Records and fields
    "unreadable-field": Kind(
        "error",
        "fields that are not what the format says",
        "pycocotools stops at most of them, or takes them for something else; Snellen refuses the "
        "file",
    ),
    "no-images": Kind("error", "a list of images without any", "there is nothing to evaluate"),
    "no-classes": Kind("error", "a list of categories without any", "there is nothing to average"),
    "no-objects": Kind(
        "warning", "a list of annotations without any", "AP is undefined (pycocotools prints -1)"
    ),
    "missing-id": Kind(
        "error",
        "records without an id",
        "pycocotools stops (KeyError); Snellen's coco protocol takes annotations without one",
    ),
    "duplicate-annotation-id": Kind(
        "error",
        "annotations whose id another one has",
        "pycocotools counts the last one of an id as often as the id comes, and loses the others; "
        "Snellen refuses the file",
    ),
    "annotation-id-zero": Kind(
        "warning",
        "annotations with the id 0",
        "pycocotools takes id 0 for no match: a detection of it is a false positive, and it stays "
        "a miss; Snellen's coco protocol matches it, coco-strict does as pycocotools",
    ),
    "duplicate-image-id": Kind(
        "error",
        "images whose id another one has",
        "pycocotools makes one image of them, with the objects of all; Snellen refuses the file",
    ),
    "duplicate-file-name": Kind(
        "warning",
        "images whose file another one has",
        "one picture counts as often as it is listed, and objects of one entry are background of "
        "the other",
    ),
    "duplicate-class-id": Kind(
        "error",
        "categories whose id another one has",
        "pycocotools makes one class of them, with the name of the last; Snellen refuses the file",
    ),
    "duplicate-class-name": Kind(
        "warning",
        "categories whose name another one has",
        "what is one thing is two classes: detections of one are false positives for the other",
    ),
    "orphan-image": Kind(
        "error",
        "objects of images that are not listed",
        "pycocotools leaves them out without a word; Snellen refuses them, or leaves them out with "
        "--drop-unknown",
    ),
    "orphan-class": Kind(
        "error",
        "objects of classes that are not listed",
        "pycocotools leaves them out without a word; Snellen refuses them, or leaves them out with "
        "--drop-unknown",
    ),
    "missing-area": Kind(
        "warning",
        "annotations without an area",
        "pycocotools stops (KeyError); Snellen's coco protocol takes width times height, or the "
        "pixels of masks",
    ),
    "missing-iscrowd": Kind(
        "warning",
        "annotations without iscrowd",
        "pycocotools stops (KeyError); Snellen's coco protocol takes them for single objects, as "
        "the rules of LVIS do",
    ),
    "iscrowd-value": Kind(
        "warning",
        "annotations whose iscrowd is neither 0 nor 1",
        "anything but 0 counts as a crowd: not to be found",
    ),
    "missing-image-size": Kind(
        "note",
        "images without height and width",
        "boxes that leave them are not seen by this check; COCO's polygons cannot be filled "
        "(pycocotools stops: KeyError)",
    ),
    # ---- Boxes
    "missing-box": Kind(
        "error",
        "objects without a box",
        "pycocotools stops at them (KeyError) unless masks or keypoints alone are evaluated",
    ),
    "box-not-finite": Kind(
        "error",
        "boxes with numbers that are not finite",
        "in pycocotools such a box overlaps whatever fits its other numbers; Snellen refuses the "
        "file",
    ),
    "box-negative-size": Kind(
        "error",
        "boxes with a negative width or height",
        f"in pycocotools {_NEVER}; Snellen refuses the file",
    ),
    "box-without-area": Kind("warning", "boxes with a width or height of 0", _NEVER),
    "box-layout": Kind(
        "error",
        "boxes that are not left, top, width, height",
        "nearly all boxes are in the wrong place: AP is next to 0, or an AP of other boxes",
    ),
    "box-relative": Kind(
        "error",
        "boxes that are parts of the image's size, not pixels",
        "none matches a box in pixels, and all areas count as small",
    ),
    "box-outside-image": Kind(
        "error",
        "boxes of which no part is in the image",
        "no detector that looks at the image finds them: they stay misses, and recall falls",
    ),
    "box-larger-than-image": Kind("warning", "boxes larger than their image", _IMAGE_CUT),
    "box-leaves-image": Kind(
        "warning", "boxes that leave their image by more than a pixel", _IMAGE_CUT
    ),
    "area-not-positive": Kind(
        "warning",
        "objects with a box whose area is 0, or whose area is negative",
        "of area 0 it counts as small, below 0 it is in no size range: pycocotools ignores it, and "
        "Snellen refuses the file; the rules of LVIS leave both out",
    ),
    "area-above-box": Kind(
        "warning",
        "objects with an area larger than their box",
        "the area decides whether it counts as small, medium or large, and how near keypoints "
        "must be",
    ),
    "area-in-other-range": Kind(
        "note",
        "objects that are of another size by their area than by their box",
        "truth is small, medium or large by its area, detections by their boxes: AP by size "
        "compares unlike things (COCO's own areas are those of masks)",
    ),
    "crowd-with-polygons": Kind(
        "warning",
        "crowds that are outlined by polygons",
        "COCO writes crowds as run lengths and single objects as polygons: if these are single "
        "objects they are not to be found, and recall is that of the others",
    ),
    "duplicate-box": Kind(
        "warning",
        "boxes that another object of its class and image has, too",
        "a detector finds one of them once: the others stay misses, or two detections of one "
        "object count as right",
    ),
    "near-duplicate-box": Kind(
        "warning",
        "boxes that cover another of their class and image nearly (IoU above 0.95)",
        "as duplicates: most likely one object that was marked twice",
    ),
    # ---- Masks
    "missing-mask": Kind(
        "warning",
        "objects without a mask where others have one",
        "pycocotools stops at them (KeyError) where masks are evaluated",
    ),
    "mask-empty": Kind(
        "error",
        "masks without a pixel",
        "pycocotools stops at an empty list (IndexError); of others "
        "they are never found: misses, and recall falls",
    ),
    "mask-broken": Kind(
        "error",
        "masks that are neither polygons nor run lengths of their image",
        "pycocotools stops at them, or reads other pixels without a word; Snellen refuses the file",
    ),
    "mask-size": Kind(
        "error",
        "masks of another size than their image",
        "pycocotools matches no masks of different sizes: they stay misses without a word; "
        "Snellen refuses the file",
    ),
    "short-polygon": Kind(
        "warning",
        "masks with polygons of less than three vertices",
        "such a polygon has no pixels; pycocotools stops where it is the first (TypeError)",
    ),
    "mask-area": Kind(
        "warning",
        "masks whose area is far from the number of their pixels",
        "the area decides whether they count as small, medium or large",
    ),
    "mask-beside-box": Kind(
        "warning",
        "masks whose own box overlaps the given one by less than half",
        "evaluated as boxes and as masks these are different objects",
    ),
    # ---- Keypoints
    "keypoints-number": Kind(
        "error",
        "objects with another number of keypoints than their class",
        "pycocotools stops (ValueError), or compares other parts of the body",
    ),
    "missing-num-keypoints": Kind(
        "warning",
        "objects with keypoints and without num_keypoints",
        "pycocotools stops (KeyError); Snellen's coco-keypoints protocol counts them",
    ),
    "num-keypoints": Kind(
        "warning",
        "objects whose num_keypoints is not the number of those labelled",
        "an object of 0 is ignored, one above 0 is to be found: by num_keypoints alone",
    ),
    "keypoint-visibility": Kind(
        "warning",
        "objects with keypoints whose visibility is not 0, 1 or 2",
        "anything above 0 counts as labelled: scores in its place make all of them so",
    ),
    "keypoint-outside-image": Kind(
        "warning",
        "objects with labelled keypoints outside the image",
        "no detector that looks at the image puts them there: OKS falls",
    ),
    # ---- Numbers
    "image-without-objects": Kind(
        "note",
        "images without objects",
        "every detection there is a false positive, as it should be if there is nothing to see; "
        "if they are not annotated yet, precision is too low",
    ),
    "class-without-objects": Kind(
        "note",
        "classes without objects",
        "their AP is undefined, and left out of the mean (pycocotools: -1)",
    ),
    "class-with-few-objects": Kind(
        "note",
        "classes with less than 10 objects",
        "a single object moves their AP by a tenth and more, and they count in the mean as all "
        "others do",
    ),
    "class-imbalance": Kind(
        "note",
        "classes with less than a hundredth of the objects of the largest",
        "mAP weighs classes alike: a few objects weigh as much as thousands",
    ),
    "image-over-cap": Kind(
        "warning",
        "images with more than 100 objects of one class",
        "COCO counts 100 detections of a class in an image: the others cannot be found "
        "(--max-detections moves the cap)",
    ),
    "image-over-lvis-cap": Kind(
        "note",
        "images with more than 300 objects",
        "LVIS counts 300 detections in an image: under its rules the others cannot be found",
    ),
    # ---- Predictions
    "score-not-finite": Kind(
        "error",
        "predictions whose score is no finite number",
        "their place in the order is anybody's guess (pycocotools: the last); Snellen refuses the "
        "file",
    ),
    "score-outside-0-1": Kind(
        "warning",
        "predictions with a score below 0 or above 1",
        "AP looks at the order alone; thresholds and calibration look at the values",
    ),
    "scores-all-equal": Kind(
        "warning",
        "predictions that all have the same score",
        "there is no order: AP is then that of the order in the file",
    ),
    "prediction-over-cap": Kind(
        "warning",
        "predictions beyond the 100 best of a class in an image",
        "COCO leaves them out (--max-detections moves the cap)",
    ),
    "prediction-over-lvis-cap": Kind(
        "note",
        "images with more than 300 predictions",
        "LVIS leaves those beyond the 300 best of an image out",
    ),
    "image-without-predictions": Kind(
        "note",
        "images with objects and without predictions",
        "all of their objects are misses: were these images looked at?",
    ),
    "class-without-predictions": Kind(
        "note", "classes with objects and without predictions", "their AP is 0"
    ),
    "duplicate-prediction": Kind(
        "warning",
        "predictions whose box another one of their class and image has",
        "one of them can be right, the others are false positives: is suppression missing?",
    ),
    "prediction-layout": Kind(
        "error",
        "predicted boxes in another layout or scale than those of truth",
        "next to none matches: AP is near 0",
    ),
    "prediction-apart": Kind(
        "warning",
        "objects that no prediction overlaps by half, whatever its class",
        "next to none matches: AP is near 0; are these the same images, in the same scale?",
    ),
    "prediction-classes": Kind(
        "error",
        "predictions that lie on an object and have another class",
        "boxes are right and classes are not: AP is near 0",
    ),
}
"""All kinds of findings, by name."""

_FALSE = "no truth overlaps it: it is a false positive"

OF_PREDICTIONS: Final[dict[str, str]] = {
    "orphan-image": "pycocotools stops (AssertionError); Snellen refuses them, or leaves them out "
    "with --drop-unknown",
    "missing-box": "pycocotools stops at them (KeyError) unless masks or keypoints alone are "
    "evaluated",
    "box-negative-size": f"in pycocotools {_FALSE}; Snellen refuses the file",
    "box-without-area": _FALSE,
    "box-layout": KINDS["prediction-layout"].effect,
    "box-relative": KINDS["prediction-layout"].effect,
    "box-outside-image": _FALSE,
    "box-larger-than-image": "what lies outside the image lowers IoU, and nothing cuts it off",
    "box-leaves-image": "what lies outside the image lowers IoU, and nothing cuts it off",
    "missing-mask": "pycocotools makes a mask of the box, or stops (KeyError)",
    "mask-empty": _FALSE,
    "mask-size": "pycocotools matches no masks of different sizes: they are false positives "
    "without a word; Snellen refuses the file",
    "mask-beside-box": "where a record has a box, pycocotools takes its area for the mask's size "
    "range",
    "keypoint-outside-image": "no truth lies there: OKS falls",
}
"""The effects of kinds that are other ones in predictions than in truth."""
