"""The last number of an explanation of masks and of keypoints is what the tool says."""

from __future__ import annotations

import contextlib
import io
import math
from typing import Any

import numpy as np
import pytest
from pycocotools.mask import frPyObjects, merge
from tests.coco_scenes import HEIGHT, WIDTH, scene

from snellen import (
    ExplanationResult,
    average_precision,
    explain,
    read_coco_predictions,
    read_coco_truth,
)
from snellen.detection.explanation import explain_each

IOU_TYPES: dict[str, Any] = {"mask": "segm", "keypoints": "keypoints"}
FIELDS = {"mask": "segmentation", "keypoints": "keypoints"}
SEEDS = range(12)


def documents(seed: int, kind: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return truth with one id 0, and results of one kind.

    Every second scene has an image without truth, in which something is predicted; every third one
    is crowded; every fourth has a class that is only predicted. Scores differ by less than numbers
    of 32 bits hold, and two results are equally near to one object.
    """
    document, results = scene(seed, **({"n_truth": 60, "n_pred": 700} if seed % 3 == 0 else {}))
    annotations, last = document["annotations"], document["images"][-1]["id"]
    if seed % 2:
        annotations = [each for each in annotations if each["image_id"] != last]
        results[0]["image_id"] = last
    if seed % 4 == 0:
        only_predicted = document["categories"][-1]["id"]
        annotations = [each for each in annotations if each["category_id"] != only_predicted]
    never_found = next(
        each for each in annotations if each["num_keypoints"] and not each["iscrowd"]
    )
    results.append(
        {**results[1], **never_found, "score": 0.97, "segmentation": results[1]["segmentation"]}
    )
    never_found["id"] = 0
    random = np.random.default_rng(seed)
    for each in results:
        each["score"] += 1e-10 * float(random.random())
    own = {"image_id": annotations[0]["image_id"], "category_id": annotations[0]["category_id"]}
    for x in (10, 14):
        corners = [x, 10, x, 30, x + 20, 30, x + 20, 10]
        bare = {"id": 900 + x, "iscrowd": 0, "area": 400, "segmentation": [corners]}
        annotations.append(
            {**own, **bare, "keypoints": [0] * 51, "num_keypoints": 0, "bbox": [x, 10, 20, 20]}
        )
    for x, score in ((12, 0.99), (16, 0.98)):
        runs = frPyObjects([[x, 10, x, 30, x + 20, 30, x + 20, 10]], HEIGHT, WIDTH)[0]
        results.append({**own, "score": score, "segmentation": runs, "keypoints": [1] * 51})
    document["annotations"] = annotations
    return document, [
        {key: each[key] for key in ("image_id", "category_id", "score", FIELDS[kind])}
        for each in results
    ]


def explained(seed: int, kind: Any, tool: str) -> ExplanationResult:
    document, results = documents(seed, kind)
    truth = read_coco_truth(document, kind=kind)
    return explain(truth, read_coco_predictions(results, truth, kind=kind), against=tool)


@pytest.mark.parametrize("kind", IOU_TYPES)
@pytest.mark.parametrize("seed", SEEDS)
def test_pycocotools(seed: int, kind: str) -> None:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    document, results = documents(seed, kind)
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = document
        coco.createIndex()
        run = COCOeval(coco, coco.loadRes(results), IOU_TYPES[kind])
        run.evaluate()
        run.accumulate()
        run.summarize()
    found = explained(seed, kind, "pycocotools")
    assert (found.tool_AP, found.tool_AP50) == tuple(run.stats[:2].tolist())


@pytest.mark.filterwarnings("ignore")  # of id 0, which it tells that it ignores
@pytest.mark.parametrize("kind", IOU_TYPES)
@pytest.mark.parametrize("seed", SEEDS)
def test_faster_coco_eval(seed: int, kind: str) -> None:
    pytest.importorskip("faster_coco_eval")
    from faster_coco_eval import COCO, COCOeval_faster

    document, results = documents(seed, kind)
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO(document)
        run = COCOeval_faster(
            coco, coco.loadRes(results), IOU_TYPES[kind], print_function=lambda *_: None
        )
        run.run()
    found = explained(seed, kind, "faster-coco-eval")
    assert (found.tool_AP, found.tool_AP50) == tuple(run.stats[:2].tolist())


def runs(segmentation: Any) -> Any:
    """Return a mask's run lengths as pycocotools writes them."""
    if isinstance(segmentation, dict) and not isinstance(segmentation["counts"], list):
        return segmentation
    found = frPyObjects(segmentation, HEIGHT, WIDTH)
    return merge(found) if isinstance(found, list) else found


@pytest.mark.parametrize("seed", SEEDS)
def test_torchmetrics(seed: int) -> None:
    torch = pytest.importorskip("torch")
    helpers = pytest.importorskip("torchmetrics.detection.helpers")
    document, results = documents(seed, "mask")
    images = [each["id"] for each in document["images"]]
    of_truth, of_pred = (
        [[each for each in records if each["image_id"] == image] for image in images]
        for records in (document["annotations"], results)
    )

    def column(images: list[Any], name: str, dtype: Any) -> list[Any]:
        return [torch.tensor([each[name] for each in one], dtype=dtype) for one in images]

    def masks(images: list[Any]) -> list[Any]:
        both = [[runs(each["segmentation"]) for each in one] for one in images]
        return [tuple((tuple(rle["size"]), rle["counts"]) for rle in one) for one in both]

    wanted = helpers._calculate_map_with_coco(
        helpers.CocoBackend("pycocotools"),
        column(of_truth, "category_id", torch.int64),
        [],
        masks(of_truth),
        column(of_truth, "iscrowd", torch.int64),
        [torch.zeros(len(one)) for one in of_truth],
        column(of_pred, "category_id", torch.int64),
        [],
        masks(of_pred),
        column(of_pred, "score", torch.float32),
        ("segm",),
        "macro",
        torch.linspace(0.5, 0.95, round((0.95 - 0.5) / 0.05) + 1).tolist(),
        torch.linspace(0.0, 1.00, round(1.00 / 0.01) + 1).tolist(),
        [1, 10, 100],
        False,
        False,
    )
    found = explained(seed, "mask", "torchmetrics")
    assert (found.tool_AP, found.tool_AP50) == (wanted["map"].item(), wanted["map_50"].item())


@pytest.mark.parametrize("seed", SEEDS)
def test_tidecv(seed: int) -> None:
    tidecv = pytest.importorskip("tidecv")
    document, results = documents(seed, "mask")
    gt, dt = tidecv.Data("gt"), tidecv.Data("dt")
    for image in document["images"]:
        gt.add_image(image["id"], image["file_name"])
    for each in document["annotations"]:
        add = gt.add_ignore_region if each["iscrowd"] else gt.add_ground_truth
        add(each["image_id"], each["category_id"], mask=runs(each["segmentation"]))
    for each in results:
        values = each["image_id"], each["category_id"], each["score"]
        dt.add_detection(*values, mask=each["segmentation"])
    run = tidecv.TIDE(0.5, 0.1).evaluate(gt, dt, mode=tidecv.TIDE.MASK)
    found = explained(seed, "mask", "tidecv")
    # It adds up hundredths one by one: the last bits differ.
    assert math.isclose(100 * found.tool_AP, run.ap, rel_tol=0, abs_tol=1e-11)


@pytest.mark.parametrize("kind", IOU_TYPES)
def test_the_first_number_is_ours_and_rules_matter(kind: Any) -> None:
    moved: dict[str, set[str]] = {}
    rules: dict[str, set[str]] = {}
    for seed in SEEDS:
        document, results = documents(seed, kind)
        truth = read_coco_truth(document, kind=kind)
        pred = read_coco_predictions(results, truth, kind=kind)
        protocol = "coco-keypoints" if kind == "keypoints" else "coco"
        ours = average_precision(truth, pred, protocol=protocol)
        for found in explain_each(truth, pred):
            assert (found.AP, found.AP50) == (ours.AP, ours.AP50)
            rules[found.tool] = {step.rule for step in found.steps}
            moved.setdefault(found.tool, set()).update(
                step.rule for step in found.steps if step.change or step.alone
            )
    # Of ultralytics some need what is not here: scores below 0.001, an OKS at a threshold, or
    # one that is the same to two persons.
    rare = {"score cut", "IoU grid", "equal IoU"}
    for tool, every in rules.items():
        assert every - moved[tool] <= (rare if tool.startswith("ultralytics") else set())
