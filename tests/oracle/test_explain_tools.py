"""The last number of an explanation is what the tool says: those that are installed."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import math
import warnings
from typing import Any

import numpy as np
import pytest
from tests.detector_scenes import scene
from tests.lattice_scenes import lattice

from snellen import Boxes, average_precision, explain
from snellen.detection.explanation import explain_each

SCENES = [
    *(pytest.param(*lattice(seed), id=f"lattice{seed}") for seed in range(8)),
    *(pytest.param(*lattice(seed, scale=0.1), id=f"tenths{seed}") for seed in range(4)),
    *(pytest.param(*scene(seed), id=f"scene{seed}") for seed in range(6)),
    pytest.param(*scene(99, n_images=4, n_pred=2000), id="crowded"),
]


def documents(truth: Boxes, pred: Boxes) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return COCO's truth document and results."""
    crowd = np.zeros(len(truth)) if truth.crowd is None else truth.crowd
    ids = np.arange(1, len(truth) + 1) if truth.id is None else truth.id
    annotations = [
        {
            "id": int(ids[i]),
            "image_id": int(truth.image[i]),
            "category_id": int(truth.label[i]),
            "bbox": truth.xywh[i].tolist(),
            "area": float(truth.xywh[i, 2] * truth.xywh[i, 3]),
            "iscrowd": int(crowd[i]),
        }
        for i in range(len(truth))
    ]
    assert pred.score is not None
    results = [
        {
            "image_id": int(pred.image[i]),
            "category_id": int(pred.label[i]),
            "bbox": pred.xywh[i].tolist(),
            "score": float(pred.score[i]),
        }
        for i in range(len(pred))
    ]
    document = {
        "images": [{"id": i, "width": 500, "height": 500} for i in range(len(truth.images))],
        "categories": [{"id": k, "name": str(k)} for k in range(len(truth.classes))],
        "annotations": annotations,
    }
    return document, results


def rows_of_images(boxes: Boxes) -> list[Any]:
    return [np.flatnonzero(boxes.image == i) for i in range(len(boxes.images))]


@pytest.mark.parametrize(("truth", "pred"), SCENES)
def test_pycocotools(truth: Boxes, pred: Boxes) -> None:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    document, results = documents(truth, pred)
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = document
        coco.createIndex()
        run = COCOeval(coco, coco.loadRes(results), "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    found = explain(truth, pred, against="pycocotools")
    assert (found.tool_AP, found.tool_AP50) == tuple(run.stats[:2].tolist())


@pytest.mark.parametrize(("truth", "pred"), SCENES)
def test_faster_coco_eval(truth: Boxes, pred: Boxes) -> None:
    pytest.importorskip("faster_coco_eval")
    from faster_coco_eval import COCO, COCOeval_faster

    document, results = documents(truth, pred)
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of id 0, which it tells that it ignores
        coco = COCO(document)
        run = COCOeval_faster(coco, coco.loadRes(results), "bbox", print_function=lambda *_: None)
        run.run()
    found = explain(truth, pred, against="faster-coco-eval")
    wanted = run.stats[:2].tolist()
    assert np.abs(np.subtract((found.tool_AP, found.tool_AP50), wanted)).max() <= 1e-12


@pytest.mark.parametrize(("truth", "pred"), SCENES)
def test_torchmetrics(truth: Boxes, pred: Boxes) -> None:
    torch = pytest.importorskip("torch")
    helpers = pytest.importorskip("torchmetrics.detection.helpers")
    assert truth.crowd is not None
    assert pred.score is not None

    def corners(boxes: Boxes, rows: Any) -> Any:
        left_top = boxes.xywh[rows, :2]
        both = np.concatenate([left_top, left_top + boxes.xywh[rows, 2:]], axis=1)
        short = torch.tensor(both, dtype=torch.float32)
        # What torchvision's box_convert does, without which MeanAveragePrecision does not start.
        return torch.cat([short[:, :2], short[:, 2:] - short[:, :2]], dim=1)

    of_truth, of_pred = rows_of_images(truth), rows_of_images(pred)
    found = helpers._calculate_map_with_coco(
        helpers.CocoBackend("pycocotools"),
        [torch.tensor(truth.label[rows]).long() for rows in of_truth],
        [corners(truth, rows) for rows in of_truth],
        [],
        [torch.tensor(truth.crowd[rows]).long() for rows in of_truth],
        [torch.zeros(len(rows)) for rows in of_truth],
        [torch.tensor(pred.label[rows]).long() for rows in of_pred],
        [corners(pred, rows) for rows in of_pred],
        [],
        [torch.tensor(pred.score[rows], dtype=torch.float32) for rows in of_pred],
        ("bbox",),
        "macro",
        torch.linspace(0.5, 0.95, round((0.95 - 0.5) / 0.05) + 1).tolist(),
        torch.linspace(0.0, 1.00, round(1.00 / 0.01) + 1).tolist(),
        [1, 10, 100],
        False,
        False,
    )
    told = explain(truth, pred, against="torchmetrics")
    assert (told.tool_AP, told.tool_AP50) == (found["map"].item(), found["map_50"].item())


@pytest.mark.parametrize(("truth", "pred"), SCENES)
def test_tidecv(truth: Boxes, pred: Boxes) -> None:
    tidecv = pytest.importorskip("tidecv")
    gt, dt = tidecv.Data("gt"), tidecv.Data("dt")
    assert truth.crowd is not None
    assert pred.score is not None
    for image in range(len(truth.images)):
        gt.add_image(image, str(image))
    for row in range(len(truth)):
        add = gt.add_ignore_region if truth.crowd[row] else gt.add_ground_truth
        add(int(truth.image[row]), int(truth.label[row]), box=truth.xywh[row].tolist())
    for row in range(len(pred)):
        dt.add_detection(
            int(pred.image[row]),
            int(pred.label[row]),
            float(pred.score[row]),
            pred.xywh[row].tolist(),
        )
    run = tidecv.TIDE(0.5, 0.1).evaluate(gt, dt, mode=tidecv.TIDE.BOX)
    found = explain(truth, pred, against="tidecv")
    assert math.isclose(100 * found.tool_AP, run.ap, rel_tol=0, abs_tol=1e-11)
    assert found.tool_AP == found.tool_AP50


@pytest.mark.parametrize("name", ["voc12", "voc07"])
@pytest.mark.parametrize(("truth", "pred"), SCENES)
def test_voc_is_the_protocol(truth: Boxes, pred: Boxes, name: str) -> None:
    """The protocols have their own oracle: test_voc_devkit.py."""
    found = explain(truth, pred, against=name)
    assert found.tool_AP == average_precision(truth, pred, protocol=name).AP


@pytest.mark.parametrize(("truth", "pred"), SCENES)
def test_the_first_number_is_ours(truth: Boxes, pred: Boxes) -> None:
    ours = average_precision(truth, pred)
    for found in explain_each(truth, pred):
        assert (found.AP, found.AP50) == (ours.AP, ours.AP50)
        assert found.tool_AP == (found.steps[-1].AP if found.steps else found.AP)


def test_rules_matter_here() -> None:
    """Without scenes in which a rule moves AP the comparisons above would show nothing."""
    moved: dict[str, set[str]] = {}
    for parameter in SCENES:
        truth, pred = parameter.values
        assert isinstance(truth, Boxes)
        for name in ("coco", "none"):
            if name == "none":
                truth = dataclasses.replace(truth, ignored=None)
            for found in explain_each(truth, pred):
                moved.setdefault(found.tool, set()).update(
                    step.rule for step in found.steps if step.change or step.alone
                )
    for found in explain_each(*lattice(0)):
        still = {step.rule for step in found.steps} - moved[found.tool]
        assert not still, f"{found.tool}: {still}"
