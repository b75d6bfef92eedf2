"""Whole results of detection beside torchmetrics', from the same tensors."""

from __future__ import annotations

import dataclasses
import importlib.util
import sys
import types
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torchmetrics.detection import mean_ap

from snellen import AveragePrecision
from snellen.detection.protocols import COCO_STRICT

N_CLASSES = 4


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return torchmetrics' metric; of torchvision, which it asks for, it needs one function."""
    if importlib.util.find_spec("torchvision") is None:

        def box_convert(boxes: torch.Tensor, in_fmt: str, out_fmt: str) -> torch.Tensor:
            assert out_fmt == "xywh"
            first, last = boxes[:, :2], boxes[:, 2:]
            if in_fmt == "xyxy":
                return torch.cat([first, last - first], 1)
            return boxes if in_fmt == "xywh" else torch.cat([first - last / 2, last], 1)

        ops = types.ModuleType("torchvision.ops")
        ops.box_convert = box_convert  # type: ignore[attr-defined]
        package = types.ModuleType("torchvision")
        monkeypatch.setitem(sys.modules, "torchvision", package)
        monkeypatch.setitem(sys.modules, "torchvision.ops", ops)
        monkeypatch.setattr(mean_ap, "_TORCHVISION_AVAILABLE", True)
    return mean_ap.MeanAveragePrecision


Records = list[dict[str, torch.Tensor]]


def images(seed: int, n_images: int = 9, size: int = 40) -> tuple[Records, Records]:
    """Return truth and predictions that tie all the time: boxes of whole pixels, and their masks.

    Each image has truth: of masks torchmetrics leaves out images without, and with them what was
    predicted there.
    """
    random = np.random.default_rng(seed)

    def record_of(xyxy: NDArray[Any], label: NDArray[Any]) -> dict[str, Any]:
        y, x = np.mgrid[:size, :size]
        left, top, right, bottom = xyxy.T[:, :, None, None]
        masks = (x >= left) & (x < right) & (y >= top) & (y < bottom)
        masks &= random.random(masks.shape) < 0.97
        return {
            "boxes": torch.tensor(xyxy, dtype=torch.float32).reshape(-1, 4),
            "masks": torch.tensor(masks).reshape(-1, size, size),
            "labels": torch.tensor(label),
        }

    truth, pred = [], []
    for _ in range(n_images):
        n, n_pred = random.integers(1, 7), random.integers(0, 15)
        corner = random.integers(0, size // 2, (n, 2))
        xyxy = np.concatenate([corner, corner + random.integers(2, size // 2, (n, 2))], 1)
        label = random.integers(0, N_CLASSES, n)
        record = record_of(xyxy, label)
        record["iscrowd"] = torch.tensor((random.random(n) < 0.15).astype(np.int64))
        if seed % 2:
            record["area"] = torch.tensor(random.choice([9.0, 1024.0, 5000.0, 9216.0, 1e5], n))
        truth.append(record)
        source = random.integers(0, n, n_pred)
        moved = np.clip(xyxy[source] + random.integers(-1, 2, (n_pred, 4)), 0, size)
        moved[:, 2:] = np.maximum(moved[:, 2:], moved[:, :2] + 1)
        other = random.random(n_pred) < 0.2
        record = record_of(
            moved, np.where(other, random.integers(0, N_CLASSES, n_pred), label[source])
        )
        record["scores"] = torch.tensor(random.integers(0, 9, n_pred) / 8, dtype=torch.float32)
        pred.append(record)
    return truth, pred


def in_layout(records: Records, layout: str) -> Records:
    """Return records with boxes in another layout, exactly: all are whole pixels."""
    converted = []
    for record in records:
        first, last = record["boxes"][:, :2], record["boxes"][:, 2:]
        boxes = {
            "xyxy": record["boxes"],
            "xywh": torch.cat([first, last - first], 1),
            "cxcywh": torch.cat([(first + last) / 2, last - first], 1),
        }[layout]
        converted.append({**record, "boxes": boxes})
    return converted


@pytest.mark.filterwarnings("ignore::UserWarning")  # of many detections
@pytest.mark.parametrize("layout", ["xyxy", "xywh", "cxcywh"])
@pytest.mark.parametrize("caps", [(1, 10, 100), (1, 3, 5)])
@pytest.mark.parametrize(("iou_type", "similarity"), [("bbox", "box"), ("segm", "mask")])
def test_equals_torchmetrics(
    peer: Any, iou_type: str, similarity: str, caps: tuple[int, ...], layout: str
) -> None:
    # torchmetrics' own grids are float32; the reference's are given in their place.
    theirs = peer(
        box_format=layout,
        iou_type=iou_type,
        iou_thresholds=list(COCO_STRICT.iou_thresholds),
        rec_thresholds=list(COCO_STRICT.recall_thresholds),
        max_detection_thresholds=list(caps),
        class_metrics=True,
        extended_summary=True,
    )
    ours = AveragePrecision(protocol="coco-strict", max_detections=caps, similarity=similarity)
    for seed in range(6):
        truth, pred = (in_layout(side, layout) for side in images(seed))
        if iou_type == "segm":  # what is not looked at need not be there
            pred = [{k: v for k, v in record.items() if k != "boxes"} for record in pred]
            truth = [{k: v for k, v in record.items() if k != "boxes"} for record in truth]
        theirs.update(pred, truth)
        ours.update(truth, pred, box_format=layout)  # type: ignore[arg-type]
    expected, result = theirs.compute(), ours.compute()

    assert 0.1 < result.metrics["AP50"] < 0.9
    for name in ("precision", "recall", "scores"):
        array = expected[name].numpy()
        assert np.array_equal(getattr(result, name).astype(array.dtype), array), name
    headlines = {
        "AP": "map",
        "AP50": "map_50",
        "AP75": "map_75",
        **{f"AR_{cap}": f"mar_{cap}" for cap in caps},
        **{f"A{x}_{size}": f"ma{x.lower()}_{size}" for x in "PR" for size in ("small", "medium")},
        **{f"A{x}_large": f"ma{x.lower()}_large" for x in "PR"},
    }
    assert set(headlines) == set(result.metrics)
    for name, their_name in headlines.items():
        value = float(expected[their_name])
        got = -1.0 if np.isnan(result.metrics[name]) else result.metrics[name]
        assert got == pytest.approx(value, rel=1e-6), name
    assert expected["classes"].tolist() == result.classes.keys.ids.tolist()
    of_classes = np.nan_to_num([record["AP"] for record in result.per_class()], nan=-1)
    assert of_classes == pytest.approx(expected["map_per_class"].numpy(), rel=1e-6)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_two_kinds_at_once(peer: Any) -> None:
    theirs = peer(
        iou_type=("bbox", "segm"),
        iou_thresholds=list(COCO_STRICT.iou_thresholds),
        rec_thresholds=list(COCO_STRICT.recall_thresholds),
    )
    truth, pred = images(2)
    theirs.update(pred, truth)
    expected = theirs.compute()
    for similarity, prefix in (("box", "bbox"), ("mask", "segm")):
        metric = AveragePrecision(similarity=similarity).update(truth, pred)
        for name, their_name in (("AP", "map"), ("AP75", "map_75"), ("AR_100", "mar_100")):
            value = float(expected[f"{prefix}_{their_name}"])
            assert metric.compute().metrics[name] == pytest.approx(value, rel=1e-6)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_its_own_grid_is_float32(peer: Any) -> None:
    """What explains a last digit: 0.55 in float32 is another threshold."""
    theirs = peer(extended_summary=True)
    truth, pred = images(4)
    theirs.update(pred, truth)
    expected = theirs.compute()
    rules = dataclasses.replace(
        COCO_STRICT,
        iou_thresholds=tuple(torch.linspace(0.5, 0.95, 10).tolist()),
        recall_thresholds=tuple(torch.linspace(0.0, 1.0, 101).tolist()),
    )
    result = AveragePrecision(protocol=rules).update(truth, pred).compute()
    for name in ("precision", "recall", "scores"):
        array = expected[name].numpy()
        assert np.array_equal(getattr(result, name).astype(array.dtype), array), name
