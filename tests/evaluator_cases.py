"""What is done to a scene and to parameters, of cases that pycocotools and lvis share.

Each is a dict of the arguments of a ``Case``.
"""

# ruff: noqa: ARG005 - what is called with arguments that not all need

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.evaluator_names import Names
from tests.record_changes import all_of, each_of, emptied, having, setting, without

__all__ = ["EMPTY", "LACKING", "RECORDS", "RENAMED", "changes_of_boxes", "of_parameters"]

INFINITY = float("inf")
NAN = float("nan")
Shared = dict[str, Any]

# The matrices: fields that are missing, lists that are empty.
LACKING: list[Shared] = [
    {"name": "everything as usual"},
    *[{"name": f"truth without {f}", "truth": without(f)} for f in (
        "id", "image_id", "category_id", "area"
    )],
    {"name": "truth without a shape", "truth": without(None)},
    *[{"name": f"results without {f}", "pred": without(f)} for f in (
        "image_id", "category_id", "score"
    )],
    {"name": "results without a shape", "pred": without(None)},
    {"name": "one result without a score", "pred": without("score", every=41)},
]  # fmt: skip
EMPTY: list[Shared] = [
    {"name": "no truth", "truth": emptied("annotations")},
    {"name": "no results", "pred": lambda results, kind: results.clear()},
    {"name": "no images", "truth": emptied("images")},
    {"name": "no categories", "truth": emptied("categories")},
    {"name": "nothing at all", "truth": emptied("images", "categories", "annotations")},
    {"name": "truth of empty shapes", "truth": setting(None, [])},
    {"name": "results of empty shapes", "pred": setting(None, [])},
]

# More of the kind: ids by other names, what records hold.
RENAMED: list[tuple[str, Callable[[int], Any]]] = [
    ("texts as ids", str),
    ("floats as ids", float),
    ("pairs as ids", lambda number: (number, "a")),
    ("ids beyond 32 bits", lambda number: number * 2**40),
    ("ids beyond 64 bits", lambda number: number * 2**80),
    ("negative ids", lambda number: -number),
    ("NumPy's ids", np.int32),
    ("lists as ids", lambda number: [number]),
]


def of_truth(name: str, truth: Any) -> Shared:
    return {"name": name, "truth": truth}


def of_results(name: str, pred: Any) -> Shared:
    return {"name": name, "pred": pred}


RECORDS: list[Shared] = [
    of_truth("one truth object without a shape", without(None, every=13)),
    of_results("one result without a shape", without(None, every=41)),
    of_results("the first result without a shape", without(None, every=1000)),
    of_truth("one truth object without an area", without("area", every=17)),
    of_results("an unknown image", setting("image_id", 1000, every=59)),
    of_results("an unknown category", setting("category_id", 1000, every=7)),
    of_truth("truth of an unknown category", setting("category_id", 1000, every=7)),
    of_truth("truth of an unknown image", setting("image_id", 1000, every=7)),
    *[
        of_truth(f"no list of {name}", lambda document, kind, name=name: document.pop(name))
        for name in ("categories", "images", "annotations")
    ],
    of_truth("an annotation id of 0", each_of(lambda _, i: i, "id")),
    of_truth("annotation ids of 0 alone", setting("id", 0)),
    of_truth("negative annotation ids", each_of(lambda _, i: -i - 1, "id")),
    of_truth("annotation ids twice", each_of(lambda _, i: i // 2 + 1, "id")),
    of_truth("texts as annotation ids", each_of(lambda _, i: f"a{i}", "id")),
    of_truth("texts of numbers as annotation ids", each_of(lambda _, i: f"{i}", "id")),
    of_truth("fractions as annotation ids", each_of(lambda _, i: i / 2, "id")),
    of_truth("large annotation ids", each_of(lambda _, i: 2**60 + i, "id")),
    of_truth("huge annotation ids", each_of(lambda _, i: 10**400 + i, "id")),
    of_truth("flags as annotation ids", each_of(lambda _, i: i % 3 == 0, "id")),
    of_results("scores that are none", setting("score", NAN, every=3)),
    of_results("infinite scores", all_of(
        setting("score", INFINITY, 3), setting("score", -INFINITY, 4)
    )),
    of_results("scores of 0 and -0", all_of(setting("score", 0.0), setting("score", -0.0, 2))),
    of_results("whole scores", each_of(lambda _, i: i * 7 % 5, "score")),
    of_results("negative scores", each_of(lambda _, i: -(i * 7 % 5) / 3, "score")),
    of_results("huge scores", each_of(lambda _, i: 2**53 + i % 3, "score")),
    of_results("scores beyond float64", each_of(lambda _, i: 10**400 + i, "score")),
    of_results("flags as scores", each_of(lambda _, i: i % 2 == 0, "score")),
    of_results("texts as scores", each_of(lambda _, i: f"{i}", "score")),
    of_results("no score at one", setting("score", None, every=50)),
    of_results("scores in single precision", each_of(lambda r, i: np.float32(r["score"]), "score")),
    of_results("scores as small whole numbers", each_of(lambda _, i: np.uint8(i % 5), "score")),
    of_results("scores in arrays", each_of(lambda r, i: np.array(r["score"]), "score")),
    of_truth("areas that are none", setting("area", NAN, every=3)),
    of_truth("infinite areas", setting("area", INFINITY, every=3)),
    of_truth("negative areas", setting("area", -5.0, every=3)),
    of_truth("areas as texts", setting("area", "9", every=3)),
    of_truth("areas of 0", setting("area", 0, every=2)),
    of_truth("areas in single precision", each_of(lambda _, i: np.float32(1024 + i / 9), "area")),
]  # fmt: skip


def changes_of_boxes(first: int) -> list[Shared]:
    """Return cases in which every third box is changed, from a first on."""
    changes: dict[str, Callable[[Any], Any]] = {
        "NaN": lambda box: [NAN, *box[1:]],
        "infinite width": lambda box: [*box[:2], INFINITY, box[3]],
        "negative width": lambda box: [*box[:2], -box[2], box[3]],
        "no width": lambda box: [*box[:2], 0, box[3]],
        "whole numbers": lambda box: [int(x) for x in box],
        "NumPy's numbers": lambda box: [np.int64(box[0]), *map(np.float32, box[1:])],
        "1e300": lambda box: [*box[:2], 1e300, 1e300],
        "10**400": lambda box: [*box[:3], 10**400],
        "three numbers": lambda box: box[:3],
        "five numbers": lambda box: [*box, 1.0],
        "texts": lambda box: [str(x) for x in box],
        "a tuple": tuple,
        "an array": np.array,
        "None": lambda box: None,
    }

    def in_every_third(change: Callable[[Any], Any]) -> Callable[[Any, str], None]:
        return each_of(lambda r, i: change(r["bbox"]) if i % 3 == first else r["bbox"], "bbox")

    return [
        {"name": f"boxes of {what} in {whose}", "with_boxes": True, whose: in_every_third(change)}
        for whose in ("truth", "pred")
        for what, change in changes.items()
    ]


def of_parameters(names: Names) -> list[Shared]:
    """Return cases of odd parameters, and of others between evaluate and accumulate."""

    def has(**values: Any) -> Any:
        return having(**{getattr(names, name): value for name, value in values.items()})

    def array_of(name: str) -> Callable[[Any], Any]:
        return lambda parameters: np.array(getattr(parameters, getattr(names, name)))

    before = {
        "categories used twice": has(use_categories=2),
        "categories not used, some wanted": has(use_categories=0, categories=[7, 1]),
        "categories not used, none wanted": has(use_categories=0, categories=[]),
        "unknown images wanted": has(images=[9, 1000, 2, 9]),
        "images wanted as texts": has(images=["9", "2"]),
        "images in an array": has(images=array_of("images")),
        "IoU thresholds in a list": has(iou_thresholds=[0.5, 0.75]),
        "IoU thresholds from high to low": has(iou_thresholds=np.array([0.75, 0.5, 0.6])),
        "IoU thresholds below 0 and above 1": has(iou_thresholds=np.array([-0.5, 0, 1, 2])),
        "IoU thresholds that are none": has(iou_thresholds=np.array([0.5, NAN, 0.75])),
        "IoU thresholds in single precision": has(
            iou_thresholds=np.linspace(0.5, 0.95, 10, dtype=np.float32)
        ),
        "forty IoU thresholds": has(iou_thresholds=np.linspace(0.025, 1, 40)),
        "recalls in a list": has(recalls=[0.0, 0.5, 1.0]),
        "recalls from high to low": has(recalls=np.array([1, 0.5, 0.1, 0.2])),
        "recalls that are none": has(recalls=np.array([0.1, NAN])),
        "recalls below 0 and above 1": has(recalls=np.array([-1, 0.0, 0.5, 1.5])),
        "other area ranges": has(
            areas=[[0, 1e10], [100, 200.5], [0, 1e10], (1024, 1024)],
            area_labels=["all", "small", "medium", "large"],
        ),
        "area ranges turned round": has(areas=[[1e5, 0], [0, 1e5], [9, 9], [1, 2]]),
        "area ranges without end": has(areas=[[-INFINITY, INFINITY]] * 4),
        "area ranges that are none": has(areas=[[NAN, NAN]] * 4),
        "area ranges of one number": has(areas=[[0]] * 4),
        "area ranges of three numbers": has(areas=[[0, 500, 7]] * 4),
        "area ranges in an array": has(areas=array_of("areas")),
        "forty area ranges": has(areas=[[10 * i, 1000] for i in range(40)]),
        "other labels of areas": has(area_labels=["all", "tiny", "all"]),
        "an unknown iouType": has(iou_type="oriented"),
        "an unknown iouType, no images": has(iou_type="oriented", images=[]),
    }
    after = {
        "curves of some images": has(images=[16, 23]),
        "curves of one area range": has(areas=[[0, 1e10]], area_labels=["all"]),
        "curves of other recalls": has(recalls=np.linspace(0, 1, 11)),
        "curves of fewer IoU thresholds": has(iou_thresholds=np.array([0.5, 0.75])),
        "curves of more IoU thresholds": has(iou_thresholds=np.linspace(0.1, 0.9, 17)),
        "curves of categories not used": has(use_categories=0),
    }
    return [
        *({"name": name, "parameters": change} for name, change in before.items()),
        *({"name": name, "wanted": change} for name, change in after.items()),
    ]
