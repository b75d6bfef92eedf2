"""The shim against the installed pycocotools 2.0.11: arrays, cells, texts, exceptions, in full.

SNELLEN_FUZZ_EXAMPLES=5000 tries so many random scenes, other ones each time.
"""

from __future__ import annotations

import contextlib
import copy
import io
import itertools
import json
import os
import pickle
import random as python_random
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from snellen.compat import pycocotools as ours
from tests.coco_scenes import scene

theirs = pytest.importorskip("pycocotools")
importlib_coco = pytest.importorskip("pycocotools.coco")
importlib_eval = pytest.importorskip("pycocotools.cocoeval")

pytestmark = [
    # Of pycocotools 2.0.11 under NumPy 2.
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    # Means of nothing, numbers that are none: on both sides.
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
]

TYPES = ("bbox", "segm", "keypoints")
SHAPE = {"bbox": "bbox", "segm": "segmentation", "keypoints": "keypoints"}


class Side(NamedTuple):
    """One of the two implementations."""

    coco: Any
    evaluator: Any


OURS = Side(ours.COCO, ours.COCOeval)
THEIRS = Side(importlib_coco.COCO, importlib_eval.COCOeval)


def described(value: Any) -> Any:
    """Return what can be compared by ==, with the types of all there is inside."""
    if isinstance(value, np.ndarray):
        if value.dtype == object:
            return "array", value.shape, [described(each) for each in value.ravel()]
        return "array", value.dtype.str, value.shape, value.flags.c_contiguous, value.tobytes()
    if isinstance(value, np.generic):
        return type(value).__name__, value.tobytes()
    if isinstance(value, float):
        return "float", np.float64(value).tobytes()
    if isinstance(value, Mapping):
        return {key: described(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)) or type(value).__name__ == "CellList":
        return [described(each) for each in value]
    if type(value).__name__ == "Params":
        return described(vars(value))
    return type(value).__name__, value


def timeless(text: str) -> str:
    return re.sub(r"t=\d+\.\d+s", "t=…", text)


class Case(NamedTuple):
    """What is done to a scene and to the parameters before an evaluation."""

    name: str
    truth: Callable[[dict[str, Any], str], Any] = lambda document, kind: None
    pred: Callable[[list[Any], str], Any] = lambda results, kind: None
    parameters: Callable[[Any], Any] = lambda p: None
    wanted: Callable[[Any], Any] | None = None  # parameters that accumulate is given
    through_results: bool = True  # False: the list is put into a data set, without loadRes


def of_kind(results: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """Return results that a detector of one kind writes."""
    fields = {"image_id", "category_id", "score", SHAPE[kind]}
    return [{key: value for key, value in each.items() if key in fields} for each in results]


def run(side: Side, case: Case, kind: str, seed: int = 5, **size: int) -> dict[str, Any]:
    """Return all that can be seen of an evaluation."""
    document, results = scene(seed, **size)
    results = of_kind(results, kind)
    case.truth(document, kind)
    case.pred(results, kind)
    seen: dict[str, Any] = {"document": document, "results": results}
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            seen.update(evaluated(side, case, kind, document, results, seen))
    except Exception as error:
        seen["raised"] = type(error)
    seen["printed"] = timeless(printed.getvalue())
    return {key: described(value) for key, value in seen.items()}


def evaluated(
    side: Side, case: Case, kind: str, document: Any, results: Any, seen: dict[str, Any]
) -> dict[str, Any]:
    truth = side.coco()
    truth.dataset = document
    truth.createIndex()
    if case.through_results:
        pred = truth.loadRes(results)
    else:
        pred = side.coco()
        pred.dataset = {**document, "annotations": results}
        pred.createIndex()
    seen["index"] = [
        (coco.anns, coco.imgToAnns, coco.catToImgs, coco.imgs, coco.cats, coco.dataset["images"])
        for coco in (truth, pred)
    ]
    found = side.evaluator(truth, pred, kind)
    case.parameters(found.params)
    seen["parameters"] = found.params
    found.evaluate()
    seen["ious"] = found.ious
    seen["cells"] = found.evalImgs
    if case.wanted is None:
        found.accumulate()
    else:
        wanted = copy.deepcopy(found.params)
        case.wanted(wanted)
        found.accumulate(wanted)
    seen["groups"] = [(list(g), list(g.values())) for g in (found._gts, found._dts)]
    eval_ = dict(found.eval)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", eval_.pop("date"))
    seen["eval"] = eval_
    seen["evaluated parameters"] = found._paramsEval
    found.summarize()
    seen["stats"] = found.stats
    return seen


# ---------------------------------------------------------------------------------------------
# The matrix: 31 cases of each IoU type.


def without(field: str | None, every: int = 1) -> Callable[[Any, str], None]:
    """Return what takes a field (None: the shape) out of every such record."""

    def change(records: Any, kind: str) -> None:
        records = records["annotations"] if isinstance(records, dict) else records
        for record in records[::every]:
            record.pop(field or SHAPE[kind], None)

    return change


def setting(field: str | None, value: Any, every: int = 1) -> Callable[[Any, str], None]:
    """Return what sets a field (None: the shape) of every such record."""

    def change(records: Any, kind: str) -> None:
        records = records["annotations"] if isinstance(records, dict) else records
        for record in records[::every]:
            record[field or SHAPE[kind]] = copy.deepcopy(value)

    return change


def emptied(*keys: str) -> Callable[[Any, str], None]:
    def change(document: Any, kind: str) -> None:
        for key in keys:
            document[key] = []

    return change


def having(**values: Any) -> Callable[[Any], None]:
    """Return what sets parameters; a function is called with the parameters."""

    def change(parameters: Any) -> None:
        for name, value in values.items():
            setattr(parameters, name, value(parameters) if callable(value) else value)

    return change


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


def test_the_matrix_has_93_cells() -> None:
    assert len(MATRIX) * len(TYPES) == 93


@pytest.mark.parametrize("kind", TYPES)
@pytest.mark.parametrize("case", MATRIX, ids=lambda case: case.name)
def test_matrix(case: Case, kind: str) -> None:
    wanted = run(THEIRS, case, kind)
    got = run(OURS, case, kind)
    assert list(got) == list(wanted)
    for name, value in wanted.items():
        assert got[name] == value, name
