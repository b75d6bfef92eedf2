"""What detectron2 and mmdetection do with lvis, done with both packages: the same numbers.

Their calls, in their order; detectron2: LVISEvaluator and load_lvis_json; mmdetection: LVISMetric,
LVISV1Dataset.
"""

from __future__ import annotations

import copy
import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.lvis_scenes import federated_scene
from tests.lvis_sides import OURS, THEIRS, TYPES, Side, of_kind, seen_output
from tests.pycocotools_sides import described

pytestmark = [
    # Of pycocotools 2.0.11 under NumPy 2, and of lvis 0.5.3 (its log).
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*'warn' method is deprecated:DeprecationWarning"),
]


@pytest.fixture(autouse=True)
def _old_numpy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(np, "float", float, raising=False)


@pytest.fixture
def files(tmp_path: Path) -> tuple[str, list[dict[str, Any]]]:
    """The truth's file, and results with a box and a mask each."""
    document, results = federated_scene(11, n_images=8, n_truth=70, n_pred=160, n_categories=7)
    path = tmp_path / "truth.json"
    path.write_text(json.dumps(document))
    return str(path), results


def same(steps: Any) -> Any:
    """Check that steps give, print and log the same with both packages; return that."""
    seen = []
    for side in (THEIRS, OURS):
        with seen_output() as lines:
            result = steps(side)
        seen.append((described(result), lines))
    assert seen[1] == seen[0]
    return seen[0]


DETECTRON2_METRICS = {
    "bbox": ["AP", "AP50", "AP75", "APs", "APm", "APl", "APr", "APc", "APf"],
    "segm": ["AP", "AP50", "AP75", "APs", "APm", "APl", "APr", "APc", "APf"],
}


@pytest.mark.parametrize("max_dets", [None, 2, -1])
def test_detectron2_evaluator(files: Any, max_dets: int | None) -> None:
    def steps(side: Side) -> Any:
        api = side.lvis(files[0])
        all_results = copy.deepcopy(files[1])
        found: dict[str, Any] = {}
        for kind in TYPES:
            results = all_results
            if kind == "segm":
                results = copy.deepcopy(all_results)
                for each in results:
                    each.pop("bbox", None)
            of_api = side.results(api, results, max_dets=300 if max_dets is None else max_dets)
            evaluation = side.evaluator(api, of_api, kind)
            evaluation.run()
            evaluation.print_results()
            numbers = evaluation.get_results()
            found[kind] = {name: float(numbers[name] * 100) for name in DETECTRON2_METRICS[kind]}
        return found

    numbers, lines = same(steps)
    assert len(lines) > 2 * 13
    assert numbers["bbox"]["AP"][1] != numbers["segm"]["AP"][1]


def test_detectron2_data_set_and_proposals(files: Any) -> None:
    def steps(side: Side) -> Any:
        api = side.lvis(files[0])
        ids = sorted(api.imgs.keys())
        images = api.load_imgs(ids)
        annotations = [api.img_ann_map[image] for image in ids]
        assert len({each["id"] for some in annotations for each in some}) == len(
            list(itertools.chain(*annotations))
        )
        boxes = []
        for image in ids:
            some = api.load_anns(api.get_ann_ids(img_ids=[image]))
            boxes.append([(each["bbox"], each["area"]) for each in some])
        categories = sorted(api.load_cats(api.get_cat_ids()), key=lambda each: each["id"])
        return ids, images, annotations, boxes, categories

    same(steps)


@pytest.mark.parametrize("classwise", [False, True])
@pytest.mark.parametrize("kind", [*TYPES, "proposal"])
def test_mmdetection_metric(files: Any, tmp_path: Path, kind: str, classwise: bool) -> None:
    proposals = kind == "proposal"
    iou_type = "bbox" if proposals else kind
    (tmp_path / "results.json").write_text(
        json.dumps(of_kind(files[1], iou_type, box=False), default=bytes.decode)
    )

    def steps(side: Side) -> Any:
        api = side.lvis(files[0])
        cat_ids, img_ids = api.get_cat_ids(), api.get_img_ids()
        evaluation = side.evaluator(
            api, side.results(api, str(tmp_path / "results.json")), iou_type
        )
        # Of pycocotools' parameters; they change nothing here.
        evaluation.params.imgIds = img_ids[:2]
        if proposals:
            evaluation.params.useCats = 0
            evaluation.params.maxDets = [100, 300, 1000]
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
        numbers = evaluation.get_results()
        if proposals:
            return {k: float(f"{v:.3f}") for k, v in numbers.items() if k.startswith("AR")}
        found: dict[str, Any] = {k: float(v) for k, v in numbers.items() if k.startswith("AP")}
        if classwise:
            precisions = evaluation.eval["precision"]
            assert len(cat_ids) == precisions.shape[2]
            for position, category in enumerate(cat_ids):
                precision = precisions[:, :, position, 0]
                precision = precision[precision > -1]
                name = api.load_cats([category])[0]["name"]
                found[name] = float(np.mean(precision)) if precision.size else float("nan")
        evaluation.print_results()
        return found

    assert same(steps)[0]
