"""What is done to a scene and to parameters before an evaluation: 31 cases, and many more."""

# ruff: noqa: ARG005 - what is called with arguments that not all need

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.pycocotools_sides import Case
from tests.record_changes import all_of, each_of, emptied, having, renamed_ids, setting, without

__all__ = ["MATRIX", "MORE", "having", "without"]

# ---------------------------------------------------------------------------------------------
# The matrix: 31 cases of each IoU type.


MATRIX = [
    Case("everything as usual"),
    # Fields that are missing.
    *[Case(f"truth without {f}", truth=without(f)) for f in (
        "id", "image_id", "category_id", "area", "iscrowd"
    )],
    Case("truth without a shape", truth=without(None)),
    *[Case(f"results without {f}", pred=without(f)) for f in (
        "image_id", "category_id", "score"
    )],
    Case("results without a shape", pred=without(None)),
    Case("one result without a score", pred=without("score", every=41)),
    # Lists that are empty.
    Case("no truth", truth=emptied("annotations")),
    Case("no results", pred=lambda results, kind: results.clear()),
    Case(
        "no results in a data set",
        pred=lambda results, kind: results.clear(),
        through_results=False,
    ),
    Case("no images", truth=emptied("images")),
    Case("no categories", truth=emptied("categories")),
    Case("nothing at all", truth=emptied("images", "categories", "annotations")),
    Case("truth of empty shapes", truth=setting(None, [])),
    Case("results of empty shapes", pred=setting(None, [])),
    # Parameters.
    Case("no images wanted", parameters=having(imgIds=[])),
    Case("no categories wanted", parameters=having(catIds=[])),
    Case("some images wanted", parameters=having(imgIds=lambda p: p.imgIds[3:0:-1])),
    Case("unknown categories wanted", parameters=having(catIds=[4, 99, 4])),
    Case("caps of 1, 10, 300", parameters=having(maxDets=[300, 1, 10])),
    Case("one cap", parameters=having(maxDets=[3])),
    Case("no area ranges", parameters=having(areaRng=[], areaRngLbl=[])),
    Case("one IoU threshold", parameters=having(iouThrs=np.array([0.5]))),
    Case("no IoU thresholds", parameters=having(iouThrs=np.array([]))),
    Case("no recall thresholds", parameters=having(recThrs=np.array([]))),
    Case("categories not used", parameters=having(useCats=0)),
]  # fmt: skip


# ---------------------------------------------------------------------------------------------
# More of the kind.


def names(case_name: str, name: Callable[[int], Any]) -> Case:
    truth, pred = renamed_ids(name)
    return Case(case_name, truth=truth, pred=pred)


INFINITY = float("inf")
NAN = float("nan")
MORE = [
    Case("one truth object without a shape", truth=without(None, every=13)),
    Case("one result without a shape", pred=without(None, every=41)),
    Case("one truth object without an area", truth=without("area", every=17)),
    Case("one truth object without iscrowd", truth=without("iscrowd", every=17)),
    Case("one truth object without its number of keypoints", truth=without("num_keypoints", 9)),
    Case("an unknown image", pred=setting("image_id", 1000, every=59)),
    Case("an unknown category", pred=setting("category_id", 1000, every=7)),
    Case("truth of an unknown category", truth=setting("category_id", 1000, every=7)),
    Case("truth of an unknown image", truth=setting("image_id", 1000, every=7)),
    Case("no list of categories", truth=lambda document, kind: document.pop("categories")),
    Case("no list of images", truth=lambda document, kind: document.pop("images")),
    Case("no list of annotations", truth=lambda document, kind: document.pop("annotations")),
    Case("no info", truth=lambda document, kind: document.pop("info")),
    # Ids.
    names("texts as ids", str),
    names("floats as ids", float),
    names("pairs as ids", lambda number: (number, "a")),
    names("ids beyond 32 bits", lambda number: number * 2**40),
    names("ids beyond 64 bits", lambda number: number * 2**80),
    names("negative ids", lambda number: -number),
    names("NumPy's ids", np.int32),
    names("lists as ids", lambda number: [number]),
    Case("an annotation id of 0", truth=each_of(lambda _, i: i, "id")),
    Case("annotation ids of 0 alone", truth=setting("id", 0)),
    Case("negative annotation ids", truth=each_of(lambda _, i: -i - 1, "id")),
    Case("annotation ids twice", truth=each_of(lambda _, i: i // 2 + 1, "id")),
    Case("texts as annotation ids", truth=each_of(lambda _, i: f"a{i}", "id")),
    Case("texts of numbers as annotation ids", truth=each_of(lambda _, i: f"{i}", "id")),
    Case("fractions as annotation ids", truth=each_of(lambda _, i: i / 2, "id")),
    Case("large annotation ids", truth=each_of(lambda _, i: 2**60 + i, "id")),
    Case("huge annotation ids", truth=each_of(lambda _, i: 10**400 + i, "id")),
    Case("flags as annotation ids", truth=each_of(lambda _, i: i % 3 == 0, "id")),
    *[
        Case(
            f"results with {what} as ids, in a data set",
            pred=all_of(
                each_of(lambda record, i, number=number: number(i), "id"),
                setting("area", 100.0),
                setting("iscrowd", 0),
            ),
            through_results=False,
        )
        for what, number in (
            ("numbers", lambda i: i + 1),
            ("numbers from 0 on", lambda i: i),
            ("negative numbers", lambda i: -i - 1),
            ("texts", lambda i: f"d{i}"),
            ("the same number", lambda i: 7),
        )
    ],
    # Numbers.
    Case("scores that are none", pred=setting("score", NAN, every=3)),
    Case("infinite scores", pred=all_of(
        setting("score", INFINITY, 3), setting("score", -INFINITY, 4)
    )),
    Case("scores of 0 and -0", pred=all_of(setting("score", 0.0), setting("score", -0.0, 2))),
    Case("whole scores", pred=each_of(lambda _, i: i * 7 % 5, "score")),
    Case("negative scores", pred=each_of(lambda _, i: -(i * 7 % 5) / 3, "score")),
    Case("huge scores", pred=each_of(lambda _, i: 2**53 + i % 3, "score")),
    Case("scores beyond float64", pred=each_of(lambda _, i: 10**400 + i, "score")),
    Case("flags as scores", pred=each_of(lambda _, i: i % 2 == 0, "score")),
    Case("texts as scores", pred=each_of(lambda _, i: f"{i}", "score")),
    Case("no score at one", pred=setting("score", None, every=50)),
    Case("scores in single precision", pred=each_of(lambda r, i: np.float32(r["score"]), "score")),
    Case("scores as small whole numbers", pred=each_of(lambda _, i: np.uint8(i % 5), "score")),
    Case("scores in arrays", pred=each_of(lambda r, i: np.array(r["score"]), "score")),
    Case("areas that are none", truth=setting("area", NAN, every=3)),
    Case("infinite areas", truth=setting("area", INFINITY, every=3)),
    Case("negative areas", truth=setting("area", -5.0, every=3)),
    Case("areas as texts", truth=setting("area", "9", every=3)),
    Case("areas of 0", truth=setting("area", 0, every=2)),
    Case("areas in single precision", truth=each_of(lambda _, i: np.float32(1024 + i / 9), "area")),
    Case("crowds of 2", truth=setting("iscrowd", 2, every=3)),
    Case("crowds of 256", truth=setting("iscrowd", 256, every=3)),
    Case("negative crowds", truth=setting("iscrowd", -1, every=3)),
    Case("half a crowd", truth=setting("iscrowd", 0.5, every=3)),
    Case("crowds as flags", truth=each_of(lambda _, i: i % 3 == 0, "iscrowd")),
    Case("crowds as texts", truth=each_of(lambda _, i: "01"[i % 2], "iscrowd")),
    Case("no crowd at one", truth=setting("iscrowd", None, every=13)),
    Case("all are crowds", truth=setting("iscrowd", 1)),
    Case("no visible keypoints", truth=all_of(
        setting("num_keypoints", 0, every=2), setting("keypoints", [3.0, 4.0, 0] * 17, every=3)
    )),
    *[
        Case(f"boxes of {what} in {whose}", with_boxes=True, **{whose: each_of(
            lambda r, i, change=change: change(r["bbox"]) if i % 3 == 0 else r["bbox"], "bbox"
        )})
        for whose in ("truth", "pred")
        for what, change in (
            ("NaN", lambda box: [NAN, *box[1:]]),
            ("infinite width", lambda box: [*box[:2], INFINITY, box[3]]),
            ("negative width", lambda box: [*box[:2], -box[2], box[3]]),
            ("no width", lambda box: [*box[:2], 0, box[3]]),
            ("whole numbers", lambda box: [int(x) for x in box]),
            ("NumPy's numbers", lambda box: [np.int64(box[0]), *map(np.float32, box[1:])]),
            ("1e300", lambda box: [*box[:2], 1e300, 1e300]),
            ("10**400", lambda box: [*box[:3], 10**400]),
            ("three numbers", lambda box: box[:3]),
            ("five numbers", lambda box: [*box, 1.0]),
            ("texts", lambda box: [str(x) for x in box]),
            ("a tuple", tuple),
            ("an array", np.array),
            ("None", lambda box: None),
        )
    ],
    # Parameters.
    Case("categories used twice", parameters=having(useCats=2)),
    Case("categories not used, some wanted", parameters=having(useCats=0, catIds=[7, 1])),
    Case("categories not used, one wanted twice", parameters=having(useCats=0, catIds=[7, 1, 7])),
    Case("categories not used, none wanted", parameters=having(useCats=0, catIds=[])),
    Case("some categories wanted", parameters=having(catIds=[7, 4])),
    Case("unknown images wanted", parameters=having(imgIds=[9, 1000, 2, 9])),
    Case("images wanted as texts", parameters=having(imgIds=["9", "2"])),
    Case("images in an array", parameters=having(imgIds=lambda p: np.array(p.imgIds))),
    Case("no cap", parameters=having(maxDets=[])),
    Case("a cap of 0", parameters=having(maxDets=[0, 1, 2])),
    Case("caps of 0 alone", parameters=having(maxDets=[0, 0, 0])),
    Case("a negative cap", parameters=having(maxDets=[-1, 1, 2])),
    Case("small caps", parameters=having(maxDets=[1, 2, 3])),
    Case("equal caps", parameters=having(maxDets=[2, 2, 100, 100])),
    Case("caps as floats", parameters=having(maxDets=[1.0, 10.0, 100.0])),
    Case("caps of NumPy", parameters=having(maxDets=list(np.array([1, 10, 100])))),
    Case("caps in a tuple", parameters=having(maxDets=(100, 10, 1))),
    Case("IoU thresholds in a list", parameters=having(iouThrs=[0.5, 0.75])),
    Case("IoU thresholds from high to low", parameters=having(iouThrs=np.array([0.75, 0.5, 0.6]))),
    Case("IoU thresholds below 0 and above 1", parameters=having(
        iouThrs=np.array([-0.5, 0, 1, 2])
    )),
    Case("IoU thresholds that are none", parameters=having(iouThrs=np.array([0.5, NAN, 0.75]))),
    Case("IoU thresholds in single precision", parameters=having(
        iouThrs=np.linspace(0.5, 0.95, 10, dtype=np.float32)
    )),
    Case("forty IoU thresholds", parameters=having(iouThrs=np.linspace(0.025, 1, 40))),
    Case("recalls in a list", parameters=having(recThrs=[0.0, 0.5, 1.0])),
    Case("recalls from high to low", parameters=having(recThrs=np.array([1, 0.5, 0.1, 0.2]))),
    Case("recalls that are none", parameters=having(recThrs=np.array([0.1, NAN]))),
    Case("recalls below 0 and above 1", parameters=having(recThrs=np.array([-1, 0.0, 0.5, 1.5]))),
    Case("other area ranges", parameters=having(
        areaRng=[[0, 1e10], [100, 200.5], [0, 1e10], (1024, 1024)],
        areaRngLbl=["all", "small", "medium", "large"],
    )),
    Case("area ranges turned round", parameters=having(
        areaRng=[[1e5, 0], [0, 1e5], [9, 9], [1, 2]]
    )),
    Case("area ranges without end", parameters=having(areaRng=[[-INFINITY, INFINITY]] * 4)),
    Case("area ranges that are none", parameters=having(areaRng=[[NAN, NAN]] * 4)),
    Case("area ranges of one number", parameters=having(areaRng=[[0]] * 4)),
    Case("area ranges of three numbers", parameters=having(areaRng=[[0, 500, 7]] * 4)),
    Case("area ranges in an array", parameters=having(areaRng=lambda p: np.array(p.areaRng))),
    Case("forty area ranges", parameters=having(areaRng=[[10 * i, 1000] for i in range(40)])),
    Case("other labels of areas", parameters=having(areaRngLbl=["all", "tiny", "all"])),
    Case("useSegm", parameters=having(useSegm=1)),
    Case("useSegm of 0", parameters=having(useSegm=0)),
    Case("an unknown iouType", parameters=having(iouType="oriented")),
    Case("an unknown iouType, no images", parameters=having(iouType="oriented", imgIds=[])),
    Case("other sigmas", parameters=having(kpt_oks_sigmas=np.full(17, 0.05))),
    Case("too few sigmas", parameters=having(kpt_oks_sigmas=np.full(4, 0.05))),
    # accumulate(p)
    Case("curves of all", wanted=having()),
    Case("curves of the second category", wanted=having(catIds=[4])),
    Case("curves of two categories", wanted=having(catIds=[7, 1])),
    Case("curves of more categories", wanted=having(catIds=[1, 2, 4, 7])),
    Case("curves of unknown categories", wanted=having(catIds=[99, 98, 97, 1])),
    Case("curves of some images", wanted=having(imgIds=[16, 23])),
    Case("curves of unknown images", wanted=having(imgIds=[1, 3, 2, 9, 16, 17, 23])),
    Case("curves of one area range", wanted=having(areaRng=[[0, 1e10]], areaRngLbl=["all"])),
    Case("curves of the last area range", wanted=having(areaRng=[[96**2, 1e10]])),
    Case("curves of other area ranges", wanted=having(areaRng=[[1, 2], [0, 1e10]])),
    Case("curves of one cap", wanted=having(maxDets=[10])),
    Case("curves of caps turned round", wanted=having(maxDets=[100, 10, 1])),
    Case("curves of other caps", wanted=having(maxDets=[5, 10, 50])),
    Case("curves of other recalls", wanted=having(recThrs=np.linspace(0, 1, 11))),
    Case("curves of fewer IoU thresholds", wanted=having(iouThrs=np.array([0.5, 0.75]))),
    Case("curves of more IoU thresholds", wanted=having(iouThrs=np.linspace(0.1, 0.9, 17))),
    Case("curves of categories not used", wanted=having(useCats=0)),
    Case("curves of categories used twice", wanted=having(useCats=2)),
]  # fmt: skip
