"""What is done to a federated scene and to parameters: 32 cases, and many more."""

# ruff: noqa: ARG001, ARG005 - what is called with arguments that not all need

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
from tests.evaluator_names import LVIS
from tests.lvis_sides import Case
from tests.record_changes import all_of, each_of, having, renamed_ids, setting

__all__ = ["MATRIX", "MORE"]


def of_images(change: Callable[[dict[str, Any], int], Any], every: int = 1) -> Any:
    """Return what changes every such image."""

    def changed(document: Any, kind: str) -> None:
        for i, image in enumerate(document["images"][::every]):
            change(image, i)

    return changed


def of_categories(change: Callable[[dict[str, Any], int], Any]) -> Any:
    def changed(document: Any, kind: str) -> None:
        for i, category in enumerate(document["categories"]):
            change(category, i)

    return changed


# ---------------------------------------------------------------------------------------------
# The matrix: 32 cases of each IoU type.

MATRIX = [
    *[Case(**each) for each in LACKING],
    *[Case(f"images without {f}", truth=of_images(lambda image, i, f=f: image.pop(f))) for f in (
        "id", "neg_category_ids", "not_exhaustive_category_ids"
    )],
    Case("categories without a frequency", truth=of_categories(lambda c, i: c.pop("frequency"))),
    *[Case(**each) for each in EMPTY],
    Case("nothing was looked for", truth=of_images(lambda image, i: image.update(
        neg_category_ids=[], not_exhaustive_category_ids=[]
    ))),
    # Parameters.
    Case("no images wanted", parameters=having(img_ids=[])),
    Case("no categories wanted", parameters=having(cat_ids=[])),
    Case("some images wanted", parameters=having(img_ids=lambda p: p.img_ids[3:0:-1])),
    Case("some categories wanted", parameters=having(cat_ids=[7, 4])),
    Case("three results of an image", max_dets=3),
    Case("no area ranges", parameters=having(area_rng=[], area_rng_lbl=[])),
    Case("one IoU threshold", parameters=having(iou_thrs=np.array([0.5]))),
    Case("no recall thresholds", parameters=having(rec_thrs=np.array([]))),
    Case("categories not used", parameters=having(use_cats=0)),
]  # fmt: skip


# ---------------------------------------------------------------------------------------------
# More of the kind.


def names(case_name: str, name: Callable[[int], Any]) -> Case:
    of_truth, of_results = renamed_ids(name)

    def lists_too(document: dict[str, Any], kind: str) -> None:
        of_truth(document, kind)
        for image in document["images"]:
            for field in ("neg_category_ids", "not_exhaustive_category_ids"):
                image[field] = [name(each) for each in image[field]]

    return Case(case_name, truth=lists_too, pred=of_results)


NAN = float("nan")
MORE = [
    *[Case(**each) for each in (*RECORDS, *changes_of_boxes(1), *of_parameters(LVIS))],
    *[names(case_name, name) for case_name, name in RENAMED],
    Case("no results, but a tuple", pred=setting("image_id", 2), max_dets=-1),
    # What was looked for.
    Case("categories listed as texts", truth=of_images(lambda image, i: image.update(
        neg_category_ids=["1", "4"], not_exhaustive_category_ids=["1"]
    ))),
    Case("categories listed as floats", truth=of_images(lambda image, i: image.update(
        neg_category_ids=[1.0, 4.0], not_exhaustive_category_ids=[4.0]
    ))),
    Case("categories listed in tuples", truth=of_images(lambda image, i: image.update(
        neg_category_ids=(1, 4), not_exhaustive_category_ids=(4,)
    ))),
    Case("categories listed in lists of lists", truth=of_images(lambda image, i: image.update(
        neg_category_ids=[[1], 4], not_exhaustive_category_ids=[[4], 1]
    ))),
    Case("a category in the place of a list", truth=of_images(lambda image, i: image.update(
        neg_category_ids=4
    ), every=2)),
    Case("a category in the place of the other list", truth=of_images(lambda image, i: image.update(
        not_exhaustive_category_ids=4
    ), every=2)),
    Case("unknown categories listed", truth=of_images(lambda image, i: image.update(
        neg_category_ids=[99, 1, 1], not_exhaustive_category_ids=[99, 1, 1]
    ))),
    Case("another frequency", truth=of_categories(lambda category, i: category.update(
        frequency="x"
    ))),
    Case("all frequent", truth=of_categories(lambda category, i: category.update(frequency="f"))),
    Case("frequencies by other names", truth=of_categories(lambda category, i: category.update(
        frequency=i % 3
    )), parameters=having(img_count_lbl=[2, 0, 1])),
    Case("two frequencies", truth=of_categories(lambda category, i: category.update(
        frequency="ab"[i % 2]
    )), parameters=having(img_count_lbl=["a", "b"])),
    Case("four frequencies", parameters=having(img_count_lbl=["r", "x", "c", "f"])),
    # Ignored truth.
    Case("all is ignored", truth=setting("ignore", 1)),
    Case("ignored as flags", truth=each_of(lambda _, i: i % 3 == 0, "ignore")),
    Case("ignored as texts", truth=each_of(lambda _, i: "x" * (i % 2), "ignore")),
    Case("ignored by 2", truth=setting("ignore", 2, every=3)),
    Case("crowds, which are none", truth=setting("iscrowd", 1, every=2)),
    # Ids.
    names("ids of which one is -1", lambda number: -1 if number == 4 else number),
    # Numbers.
    Case("scores that are none, three of an image", pred=setting("score", NAN, 3), max_dets=3),
    Case("texts as scores, three of an image", pred=setting("score", "a", 3), max_dets=3),
    Case("masks with boxes", with_boxes=True),
    # Parameters.
    Case("all results of an image", max_dets=-1),
    Case("no results of an image", max_dets=0),
    Case("half a result of an image", max_dets=0.5),
    Case("no number of results", max_dets=None),
    Case("another number printed", parameters=having(max_dets=100)),
    Case("two numbers printed", parameters=having(max_dets=[1, 10])),
    Case("categories not used, -1 wanted", truth=all_of(
        setting("category_id", -1, every=2), of_images(lambda image, i: image.update(
            neg_category_ids=[-1]
        ))
    ), pred=setting("category_id", -1, every=2), parameters=having(use_cats=0, cat_ids=[1, -1])),
    Case("a category wanted twice", parameters=having(cat_ids=[7, 1, 7])),
    Case("an unknown category wanted", parameters=having(cat_ids=[1, 99])),
    Case("categories wanted in a tuple", parameters=having(cat_ids=(4, 1))),
    Case("categories wanted in an array", parameters=having(cat_ids=np.array([4, 1]))),
    Case("one category wanted in an array", parameters=having(cat_ids=np.array([4]))),
    Case("all categories wanted by None", parameters=having(cat_ids=None)),
    Case("images wanted twice", parameters=having(img_ids=[9, 2, 9])),
    Case("no IoU thresholds", parameters=having(iou_thrs=np.array([]))),
    Case("one area range", parameters=having(area_rng=[[0, 500]], area_rng_lbl=["all"])),
    # Between evaluate and accumulate.
    Case("curves of some categories", wanted=having(cat_ids=[4, 7])),
    Case("curves of other categories", wanted=having(cat_ids=[99, 98, 97, 96, 95])),
    Case("curves of more categories", wanted=having(cat_ids=[1] * 9)),
    Case("curves of other area ranges", wanted=having(area_rng=[[1, 2]] * 4)),
    Case("curves of other IoU thresholds", wanted=having(iou_thrs=np.linspace(0.1, 0.9, 10))),
]  # fmt: skip
