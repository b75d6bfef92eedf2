"""The shim and the installed pycocotools, run side by side; all that can be seen is compared."""

# ruff: noqa: ARG005 - what is called with arguments that not all need

from __future__ import annotations

import contextlib
import copy
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

from snellen.compat import pycocotools as ours
from tests.coco_scenes import scene
from tests.evaluator_names import COCO, Names

their_coco = pytest.importorskip("pycocotools.coco")
their_eval = pytest.importorskip("pycocotools.cocoeval")
their_mask = pytest.importorskip("pycocotools.mask")

__all__ = [
    "OURS",
    "SHAPE",
    "THEIRS",
    "TYPES",
    "Case",
    "Side",
    "as_json",
    "changed",
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
    mask: Any
    names: Names = COCO


OURS = Side(ours.COCO, ours.COCOeval, ours.mask)
THEIRS = Side(their_coco.COCO, their_eval.COCOeval, their_mask)


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


def changed(case: Case, kind: str, seed: int, **size: int) -> tuple[Any, Any]:
    """Return the document and the results of a case."""
    document, results = scene(seed, **size)
    results = of_kind(results, kind, case.with_boxes)
    case.truth(document, kind)
    case.pred(results, kind)
    return document, results


def as_json(value: Any) -> str:
    """Return what a file would hold; TypeError where none can."""

    def text(value: Any) -> str:
        if type(value) is bytes:  # run lengths
            return value.decode()
        raise TypeError(type(value))

    return json.dumps(value, default=text)


def run(
    side: Side, case: Case, kind: str, seed: int = 5, folder: Path | None = None, **size: int
) -> dict[str, Any]:
    """Return all that can be seen of an evaluation; `folder`: of files, looked at afterwards."""
    document, results = changed(case, kind, seed, **size)
    made: list[Any] = []
    seen: dict[str, Any] = {"document": document, "results": results}
    with quiet() as printed:
        try:
            # Those that were made before an exception are kept.
            made.extend(opened(side, document, results, case.through_results, folder))
            if folder is None:
                seen["index"] = [index_of(coco) for coco in made]
            seen.update(evaluated(side.evaluator(*made, kind), case, seen))
        except Exception as error:
            seen["raised"] = type(error)
    if folder is not None:
        seen["index"] = [(coco.dataset, index_of(coco)) for coco in made]
    seen["printed"] = timeless(printed.getvalue())
    return {key: described(value) for key, value in seen.items()}


def loaded(side: Side, kind: str, seed: int = 5, folder: Path | None = None, **size: int) -> Any:
    """Return an evaluator of a scene, before anything was evaluated; `folder`: of files."""
    document, results = changed(Case("as it is"), kind, seed, **size)
    with quiet():
        return side.evaluator(*opened(side, document, results, True, folder), kind)


def opened(
    side: Side, document: Any, results: Any, through_results: bool, folder: Path | None
) -> Iterator[Any]:
    """Yield the data sets of truth and of results."""
    if folder is None:
        truth = side.coco()
        truth.dataset = document
        truth.createIndex()
        yield truth
        if through_results:
            yield truth.loadRes(results)
            return
        pred = side.coco()
        pred.dataset = {**document, "annotations": results}
        pred.createIndex()
        yield pred
        return
    path = folder / "truth.json"
    path.write_text(as_json(document))
    truth = side.coco(str(path))
    yield truth
    path = folder / "results.json"
    path.write_text(as_json(results if through_results else {**document, "annotations": results}))
    yield truth.loadRes(str(path)) if through_results else side.coco(str(path))


def index_of(coco: Any) -> Any:
    images = coco.dataset["images"] if "images" in coco.dataset else None  # noqa: SIM401
    return coco.anns, coco.imgToAnns, coco.catToImgs, coco.imgs, coco.cats, images


def evaluated(found: Any, case: Case, seen: dict[str, Any]) -> dict[str, Any]:
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
