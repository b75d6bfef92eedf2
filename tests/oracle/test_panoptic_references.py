"""Panoptic quality against cityscapesScripts, whose rules are panopticapi's, and torchmetrics."""

from __future__ import annotations

import contextlib
import io
import json
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.panoptic_maps import png_bytes, random_image, write_panoptic

from snellen import PanopticQuality, PanopticQualityResult
from snellen.readers.cityscapes_instances import read_cityscapes_instances
from snellen.readers.panoptic import read_panoptic
from snellen.segmentation.label_scheme import scheme_of

EXAMPLES = int(os.environ.get("SNELLEN_FUZZ_EXAMPLES", "25"))
CATEGORIES = [
    {"id": 2, "name": "cat", "isthing": 1},
    {"id": 3, "name": "dog", "isthing": 1},
    {"id": 5, "name": "sky", "isthing": 0},
    {"id": 90, "name": "", "isthing": 0},
]


def reference(truth: Path, pred: Path, truth_maps: Path, pred_maps: Path) -> Any:
    """Return the sums and categories of cityscapesScripts, in one process."""
    peer = pytest.importorskip("cityscapesscripts.evaluation.evalPanopticSemanticLabeling")
    document = json.loads(truth.read_text())
    categories = {each["id"]: each for each in document["categories"]}
    by_image = {each["image_id"]: each for each in json.loads(pred.read_text())["annotations"]}
    pairs = [(each, by_image[each["image_id"]]) for each in document["annotations"]]
    with contextlib.redirect_stdout(io.StringIO()):
        sums = peer.pq_compute_single_core(0, pairs, str(truth_maps), str(pred_maps), categories)
    return sums, categories


def check_equal(result: PanopticQualityResult, sums: Any, categories: Any) -> None:
    for record in result.per_class():
        theirs = sums[record["id"]]
        for name in ("tp", "fp", "fn"):
            assert record[name] == getattr(theirs, name)
        assert record["iou_sum"] == theirs.iou
    for suffix, things in (("", None), ("_things", True), ("_stuff", False)):
        try:
            means, by_class = sums.pq_average(categories, things)
        except ZeroDivisionError:  # their answer to no class at all
            assert math.isnan(result.metrics[f"PQ{suffix}"])
            continue
        for name in ("PQ", "SQ", "RQ"):
            assert result.metrics[f"{name}{suffix}"] == means[name.lower()]
            if result.rules.strict:
                ours = {record["id"]: record[name] for record in result.per_class()}
                assert all(ours[k] == each[name.lower()] for k, each in by_class.items())


def evaluated(files: Any, protocol: str) -> PanopticQualityResult:
    metric = PanopticQuality(files.classes, things=files.things, protocol=protocol)
    for batch in files.batches(metric.count):
        metric.update(*batch)
    return metric.compute()


def one_crowd_a_class(images: dict[int, Any]) -> None:
    for (_, records), _ in images.values():
        seen: set[int] = set()
        for record in records:
            record["iscrowd"] &= record["category_id"] not in seen
            if record["iscrowd"]:
                seen.add(record["category_id"])


@pytest.mark.parametrize("protocol", ["coco", "coco-strict"])
@pytest.mark.parametrize("seed", range(EXAMPLES))
def test_coco_files(seed: int, protocol: str, tmp_path: Path) -> None:
    random = np.random.default_rng(seed)
    ids = np.sort(random.choice(1000, 6, replace=False)).tolist()
    images = {
        each: random_image(random, [2, 3, 5, 90], crowds=float(random.choice([0.1, 0.5])))
        for each in ids
    }
    if protocol == "coco":  # of several crowds the reference sees one only
        one_crowd_a_class(images)
    sides = [{each: pair[i] for each, pair in images.items()} for i in (0, 1)]
    truth = write_panoptic(tmp_path, "truth", sides[0], CATEGORIES)
    pred = write_panoptic(tmp_path, "pred", dict(reversed(sides[1].items())))
    result = evaluated(read_panoptic(truth, pred, protocol=protocol), protocol)
    check_equal(result, *reference(truth, pred, tmp_path / "truth", tmp_path / "pred"))


@pytest.mark.parametrize("seed", range(EXAMPLES))
def test_truth_that_fits_itself_badly(seed: int, tmp_path: Path) -> None:
    """Wrong areas, segments that are in one place only, unknown classes, id 0, repeated ids."""
    random = np.random.default_rng(seed)
    images = {i: random_image(random, [2, 3, 5, 90], crowds=0.4) for i in range(6)}
    for (_, records), _ in images.values():
        for record in records:
            record["area"] = max(1, record["area"] + int(random.integers(-3, 10)))
            if random.random() < 0.1:
                record["category_id"] = 999
        if records and random.random() < 0.5:
            records.pop(int(random.integers(len(records))))
        for segment in (0, 12345):
            if random.random() < 0.3:
                records.append({"id": segment, "category_id": 2, "area": 9, "iscrowd": 0})
        if records and random.random() < 0.3:
            records.append({**records[0], "category_id": 3, "iscrowd": 1})
    sides = [{each: pair[i] for each, pair in images.items()} for i in (0, 1)]
    truth = write_panoptic(tmp_path, "truth", sides[0], CATEGORIES)
    pred = write_panoptic(tmp_path, "pred", sides[1])
    with np.errstate(divide="ignore"):
        sums, categories = reference(truth, pred, tmp_path / "truth", tmp_path / "pred")
    result = evaluated(read_panoptic(truth, pred, protocol="coco-strict"), "coco-strict")
    check_equal(result, sums, categories)


def cityscapes_map(random: np.random.Generator) -> np.ndarray[Any, Any]:
    """Return instanceIds: classes that count and others, groups, instances."""
    ids = np.zeros((24, 40), np.uint16)
    for _ in range(12):
        top, left = random.integers(24), random.integers(40)
        value = random.choice([0, 3, 7, 8, 11, 17, 21, 23, 24, 26, 33, 9, 30])
        if value in (24, 26, 33, 30) and random.random() < 0.7:
            value = value * 1000 + random.integers(4)
        ids[top : top + random.integers(2, 20), left : left + random.integers(2, 30)] = value
    ids[:3, :5] = 26  # a group
    return ids


@pytest.mark.parametrize("seed", range(EXAMPLES))
def test_instance_ids_of_cityscapes(seed: int, tmp_path: Path) -> None:
    prepare = pytest.importorskip("cityscapesscripts.preparation.createPanopticImgs")
    random = np.random.default_rng(seed)
    for i in range(4):
        truth = cityscapes_map(random)
        pred = np.roll(truth, tuple(random.integers(-2, 3, 2)), (0, 1))
        if random.random() < 0.3:
            pred = cityscapes_map(random)
        for side, ids in (("truth", truth), ("pred", pred)):
            folder = tmp_path / side / "val" / ["aachen", "bonn"][i % 2]
            folder.mkdir(parents=True, exist_ok=True)
            name = f"{folder.name}_{i:06d}_000019_gtFine_instanceIds.png"
            (folder / name).write_bytes(png_bytes(ids))
    for side in ("truth", "pred"):
        with contextlib.redirect_stdout(io.StringIO()):
            prepare.convert2panoptic(str(tmp_path / side), setNames=["val"])
    paths = [tmp_path / side / "cityscapes_panoptic_val.json" for side in ("truth", "pred")]
    maps = [path.with_suffix("") for path in paths]
    files = read_cityscapes_instances(
        tmp_path / "truth" / "val", tmp_path / "pred" / "val", scheme=scheme_of("cityscapes")
    )
    direct = evaluated(files, "coco")
    sums, categories = reference(*paths, *maps)
    check_equal(direct, sums, categories)
    check_equal(evaluated(files, "coco-strict"), sums, categories)
    if seed == 0:  # the equality is not one of nothing
        assert direct.tp.sum() > 3
    assert direct.data["n_crowd"] > 0
    # The files that cityscapesScripts makes of them.
    converted = evaluated(read_panoptic(*paths, protocol="coco-strict"), "coco-strict")
    check_equal(converted, sums, categories)


@pytest.mark.parametrize("seed", range(EXAMPLES))
def test_torchmetrics(seed: int) -> None:
    """Without crowds, which it doesn't know, and void predictions, which have another meaning."""
    torch = pytest.importorskip("torch")
    peer = pytest.importorskip("torchmetrics.detection")
    random = np.random.default_rng(seed)
    theirs = peer.PanopticQuality({1, 2}, {4, 6}, return_sq_and_rq=True, return_per_class=True)
    metric = PanopticQuality({1: "", 2: "", 4: "", 6: ""}, things=[1, 2])
    for _ in range(6):
        truth, pred = random_image(random, [1, 2, 4, 6], crowds=0, void=0, stuff=(4, 6))
        hole = random.random(truth[0].shape) < random.choice([0, 0.3])
        hole[:, : random.integers(8)] = True
        truth[0][hole] = 0
        truth = truth[0], [each for each in truth[1] if (truth[0] == each["id"]).any()]
        metric.update(truth, pred)
        maps = []
        for ids, records in (truth, pred):
            category = np.full_like(ids, 77)  # unknown: void
            for record in records:
                category[ids == record["id"]] = record["category_id"]
            maps.append(torch.tensor(np.stack([category, ids], -1)[None]))
        theirs.update(maps[1], maps[0])
    records = metric.compute().per_class()
    assert sum(record["tp"] for record in records) > 0
    wanted = theirs.compute().numpy().reshape(4, 3)
    for record, row in zip(records, wanted, strict=True):
        for name, value in zip(("PQ", "SQ", "RQ"), row, strict=True):
            # 0 is their answer to 0/0; and they compute in float32.
            ours = 0.0 if math.isnan(record[name]) else record[name]
            assert ours == pytest.approx(value, abs=3e-7)
