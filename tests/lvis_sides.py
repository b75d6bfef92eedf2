"""The shim and the installed lvis, run side by side; all that can be seen is compared."""

# ruff: noqa: ARG005 - what is called with arguments that not all need

from __future__ import annotations

import contextlib
import io
import json
import logging
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from snellen.compat import lvis as ours
from tests.evaluator_names import LVIS, Names
from tests.lvis_scenes import federated_scene
from tests.pycocotools_sides import described

theirs = pytest.importorskip("lvis")
their_eval = pytest.importorskip("lvis.eval")

__all__ = [
    "OURS",
    "SHAPE",
    "THEIRS",
    "TYPES",
    "Case",
    "Side",
    "both",
    "data_set",
    "loaded",
    "pictures_of",
    "polygons_only",
    "run",
    "seen_output",
]

TYPES = ("bbox", "segm")
SHAPE = {"bbox": "bbox", "segm": "segmentation"}


class Side(NamedTuple):
    """One of the two implementations."""

    lvis: Any
    results: Any
    evaluator: Any
    parameters: Any
    pictures: Any
    names: Names = LVIS


OURS = Side(ours.LVIS, ours.LVISResults, ours.LVISEval, ours.Params, ours.LVISVis)
THEIRS = Side(theirs.LVIS, theirs.LVISResults, theirs.LVISEval, their_eval.Params, theirs.LVISVis)


@contextlib.contextmanager
def seen_output() -> Iterator[list[str]]:
    """Collect what is printed, and what is logged: name, level and text."""
    lines: list[str] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(f"{record.name} {record.levelname} {record.getMessage()}")

    logger = logging.getLogger("lvis")
    handler, level, propagate = Lines(), logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    printed = io.StringIO()
    try:
        with contextlib.redirect_stdout(printed):
            yield lines
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate
        lines.extend(printed.getvalue().splitlines())


def both(call: Callable[[Side], Any]) -> Any:
    """Check that a call gives, prints and logs the same on both sides, or raises the same."""
    seen = []
    for side in (THEIRS, OURS):
        with seen_output() as lines:
            try:
                result = call(side)
            except Exception as error:
                result = type(error), error.args
        seen.append((described(result), lines))
    assert seen[1] == seen[0]
    return seen[0]


def data_set(side: Side, folder: Path, document: Any) -> Any:
    """Return a data set; ids that JSON does not have are put in afterwards."""
    path = folder / "truth.json"
    path.write_text(json.dumps({"images": [], "annotations": [], "categories": []}))
    found = side.lvis(str(path))
    found.dataset = document
    found._create_index()
    return found


class Case(NamedTuple):
    """What is done to a scene and to the parameters before an evaluation."""

    name: str
    truth: Callable[[dict[str, Any], str], Any] = lambda document, kind: None
    pred: Callable[[list[Any], str], Any] = lambda results, kind: None
    parameters: Callable[[Any], Any] = lambda p: None
    wanted: Callable[[Any], Any] = lambda p: None  # after evaluate
    with_boxes: bool = False  # results of masks have boxes, too
    max_dets: Any = 300


def of_kind(results: list[dict[str, Any]], kind: str, box: bool) -> list[dict[str, Any]]:
    """Return results that a detector of one kind writes."""
    fields = {"image_id", "category_id", "score", SHAPE[kind], "bbox" if box else None}
    return [{key: value for key, value in each.items() if key in fields} for each in results]


def loaded(side: Side, folder: Path, kind: str, seed: int = 5, **size: int) -> Any:
    """Return an evaluator of a scene, before anything was evaluated."""
    document, results = federated_scene(seed, **size)
    truth = data_set(side, folder, document)
    return side.evaluator(truth, side.results(truth, of_kind(results, kind, False)), kind)


def run(
    side: Side, folder: Path, case: Case, kind: str, seed: int = 5, **size: int
) -> dict[str, Any]:
    """Return all that can be seen of an evaluation."""
    document, results = federated_scene(seed, **size)
    results = of_kind(results, kind, case.with_boxes)
    case.truth(document, kind)
    case.pred(results, kind)
    seen: dict[str, Any] = {"document": document, "results": results}
    with seen_output() as lines:
        try:
            evaluate(side, folder, case, kind, document, results, seen)
        except Exception as error:
            seen["raised"] = type(error), error.args if type(error) is KeyError else None
    seen["lines"] = lines
    return {key: described(value) for key, value in seen.items()}


def evaluate(
    side: Side, folder: Path, case: Case, kind: str, document: Any, results: Any, seen: Any
) -> None:
    truth = data_set(side, folder, document)
    pred = side.results(truth, results, max_dets=case.max_dets)
    seen["index"] = [
        (data.anns, data.img_ann_map, data.cat_img_map, data.imgs, data.cats, data.dataset)
        for data in (truth, pred)
    ]
    found = side.evaluator(truth, pred, kind)
    case.parameters(found.params)
    seen["parameters"] = vars(found.params)
    found.evaluate()
    seen["ious"] = found.ious
    seen["cells"] = found.eval_imgs
    seen["of images"] = found.img_nel, found.freq_groups
    case.wanted(found.params)
    found.accumulate()
    seen["groups"] = [(list(g), list(g.values())) for g in (found._gts, found._dts)]
    seen["eval"] = dict(found.eval)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", seen["eval"].pop("date"))
    found.summarize()
    seen["numbers"] = found.get_results(), type(found.results), list(found.results)
    found.print_results()


def polygons_only(seed: int) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return a scene without run lengths, of which lvis can draw none."""
    document, results = federated_scene(seed)
    document["annotations"] = [
        each for each in document["annotations"] if isinstance(each["segmentation"], list)
    ]
    return document, [
        {key: value for key, value in each.items() if key != "segmentation"} for each in results
    ]


def pictures_of(side: Side, folder: Path, tmp_path: Path, seed: int = 5) -> Any:
    """Return pictures of a scene whose images are in a folder."""
    document, results = polygons_only(seed)
    truth = data_set(side, tmp_path, document)
    return side.pictures(truth, side.results(truth, results), str(folder))
