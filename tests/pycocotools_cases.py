"""What is done to a scene and to parameters before an evaluation: 31 cases, and many more."""

# ruff: noqa: ARG005 - what is called with arguments that not all need

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.evaluator_cases import (
    EMPTY,
    LACKING,
    RECORDS,
    RENAMED,
    changes_of_boxes,
    of_parameters,
)
from tests.evaluator_names import COCO
from tests.pycocotools_sides import Case
from tests.record_changes import all_of, each_of, having, renamed_ids, setting, without

__all__ = ["MATRIX", "MORE", "having", "without"]

# ---------------------------------------------------------------------------------------------
# The matrix: 31 cases of each IoU type.


MATRIX = [
    *[Case(**each) for each in LACKING],
    Case("truth without iscrowd", truth=without("iscrowd")),
    *[Case(**each) for each in EMPTY],
    Case(
        "no results in a data set",
        pred=lambda results, kind: results.clear(),
        through_results=False,
    ),
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


MORE = [
    *[Case(**each) for each in (*RECORDS, *changes_of_boxes(0), *of_parameters(COCO))],
    *[names(case_name, name) for case_name, name in RENAMED],
    Case("one truth object without iscrowd", truth=without("iscrowd", every=17)),
    Case("one truth object without its number of keypoints", truth=without("num_keypoints", 9)),
    Case("no info", truth=lambda document, kind: document.pop("info")),
    # Ids.
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
    # Parameters.
    Case("categories not used, one wanted twice", parameters=having(useCats=0, catIds=[7, 1, 7])),
    Case("some categories wanted", parameters=having(catIds=[7, 4])),
    Case("no cap", parameters=having(maxDets=[])),
    Case("a cap of 0", parameters=having(maxDets=[0, 1, 2])),
    Case("caps of 0 alone", parameters=having(maxDets=[0, 0, 0])),
    Case("a negative cap", parameters=having(maxDets=[-1, 1, 2])),
    Case("small caps", parameters=having(maxDets=[1, 2, 3])),
    Case("equal caps", parameters=having(maxDets=[2, 2, 100, 100])),
    Case("caps as floats", parameters=having(maxDets=[1.0, 10.0, 100.0])),
    Case("caps of NumPy", parameters=having(maxDets=list(np.array([1, 10, 100])))),
    Case("caps in a tuple", parameters=having(maxDets=(100, 10, 1))),
    Case("useSegm", parameters=having(useSegm=1)),
    Case("useSegm of 0", parameters=having(useSegm=0)),
    Case("other sigmas", parameters=having(kpt_oks_sigmas=np.full(17, 0.05))),
    Case("too few sigmas", parameters=having(kpt_oks_sigmas=np.full(4, 0.05))),
    # accumulate(p)
    Case("curves of all", wanted=having()),
    Case("curves of the second category", wanted=having(catIds=[4])),
    Case("curves of two categories", wanted=having(catIds=[7, 1])),
    Case("curves of more categories", wanted=having(catIds=[1, 2, 4, 7])),
    Case("curves of unknown categories", wanted=having(catIds=[99, 98, 97, 1])),
    Case("curves of unknown images", wanted=having(imgIds=[1, 3, 2, 9, 16, 17, 23])),
    Case("curves of the last area range", wanted=having(areaRng=[[96**2, 1e10]])),
    Case("curves of other area ranges", wanted=having(areaRng=[[1, 2], [0, 1e10]])),
    Case("curves of one cap", wanted=having(maxDets=[10])),
    Case("curves of caps turned round", wanted=having(maxDets=[100, 10, 1])),
    Case("curves of other caps", wanted=having(maxDets=[5, 10, 50])),
    Case("curves of categories used twice", wanted=having(useCats=2)),
]  # fmt: skip
