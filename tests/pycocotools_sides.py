"""The shim and the installed pycocotools, run side by side; all that can be seen is compared."""

# ruff: noqa: ARG005 - what is called with arguments that not all need

from __future__ import annotations

import contextlib
import copy
import io
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
import pytest

from snellen.compat import pycocotools as ours
from tests.coco_scenes import scene

their_coco = pytest.importorskip("pycocotools.coco")
their_eval = pytest.importorskip("pycocotools.cocoeval")

__all__ = [
    "OURS",
    "SHAPE",
    "THEIRS",
    "TYPES",
    "Case",
    "Side",
    "described",
    "loaded",
    "quiet",
    "run",
    "timeless",
]

TYPES = ("bbox", "segm", "keypoints")
SHAPE = {"bbox": "bbox", "segm": "segmentation", "keypoints": "keypoints"}


class Side(NamedTuple):
    """One of the two implementations."""

    coco: Any
    evaluator: Any


OURS = Side(ours.COCO, ours.COCOeval)
THEIRS = Side(their_coco.COCO, their_eval.COCOeval)


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


@contextlib.contextmanager
def quiet() -> Iterator[io.StringIO]:
    """Collect what is printed."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        yield printed


def timeless(text: str) -> str:
    return re.sub(r"t=\d+\.\d+s", "t=…", text)


class Case(NamedTuple):
    """What is done to a scene and to the parameters before an evaluation."""

    name: str
    truth: Callable[[dict[str, Any], str], Any] = lambda document, kind: None
    pred: Callable[[list[Any], str], Any] = lambda results, kind: None
    parameters: Callable[[Any], Any] = lambda p: None
    wanted: Callable[[Any], Any] | None = None  # parameters that accumulate is given
    with_boxes: bool = False  # results of masks and keypoints have boxes, too
    through_results: bool = True  # False: the list is put into a data set, without loadRes


def of_kind(results: list[dict[str, Any]], kind: str, box: bool) -> list[dict[str, Any]]:
    """Return results that a detector of one kind writes."""
    fields = {"image_id", "category_id", "score", SHAPE[kind], "bbox" if box else None}
    return [{key: value for key, value in each.items() if key in fields} for each in results]


def run(side: Side, case: Case, kind: str, seed: int = 5, **size: int) -> dict[str, Any]:
    """Return all that can be seen of an evaluation."""
    document, results = scene(seed, **size)
    results = of_kind(results, kind, case.with_boxes)
    case.truth(document, kind)
    case.pred(results, kind)
    seen: dict[str, Any] = {"document": document, "results": results}
    with quiet() as printed:
        try:
            seen.update(evaluated(side, case, kind, document, results, seen))
        except Exception as error:
            seen["raised"] = type(error)
    seen["printed"] = timeless(printed.getvalue())
    return {key: described(value) for key, value in seen.items()}


def loaded(side: Side, kind: str, seed: int = 5, **size: int) -> Any:
    """Return an evaluator of a scene, before anything was evaluated."""
    document, results = scene(seed, **size)
    with quiet():
        truth = side.coco()
        truth.dataset = document
        truth.createIndex()
        pred = truth.loadRes(of_kind(results, kind, False))
        return side.evaluator(truth, pred, kind)


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
