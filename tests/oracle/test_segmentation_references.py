"""Pixels beside scikit-learn, cityscapesScripts, torchmetrics, Keras, MONAI; mmseg's formulas."""

from __future__ import annotations

import math
import os
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snellen import Segmentation, segmentation_scores

os.environ.setdefault("KERAS_BACKEND", "torch")


def maps(
    seed: int, n_classes: int, n: int = 4, *, void: bool = True, void_predicted: bool = False
) -> tuple[Any, Any]:
    """Return n maps of blocks, of which the prediction has 70 % right; classes come and go."""
    random = np.random.default_rng(seed)
    truth = np.empty((n, 12, 18), np.int64)
    pred = np.empty_like(truth)
    for i in range(n):
        there = random.choice(n_classes, random.integers(1, n_classes + 1), replace=False)
        # The last class is nowhere in every second data set, to have an absent one.
        there = there[there < n_classes - seed % 2] if (there < n_classes - seed % 2).any() else [0]
        blocks = random.choice(there, (4, 6))
        if void:
            blocks[random.random(blocks.shape) < 0.1] = 255
        truth[i] = np.kron(blocks, np.ones((3, 3), np.int64))
        pred[i] = np.where(
            random.random(truth[i].shape) < 0.7, truth[i], random.choice(there, truth[i].shape)
        )
    pred[pred == 255] = 0
    if void_predicted:
        pred[random.random(pred.shape) < 0.05] = 255
    return truth, pred


@settings(max_examples=60, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**31), n_classes=st.integers(2, 40))
def test_scikit_learn_in_every_bit(seed: int, n_classes: int) -> None:
    from sklearn.metrics import (
        accuracy_score,
        confusion_matrix,
        f1_score,
        jaccard_score,
    )

    truth, pred = maps(seed, n_classes)
    counted = truth != 255
    sides: Any = truth[counted], pred[counted]
    if not counted.any():
        return
    labels = list(range(n_classes))
    result = segmentation_scores(truth, pred, n_classes, protocol="sklearn")
    matrix = confusion_matrix(*sides, labels=labels)
    assert (result.matrix[:-1, :-1] == matrix).all()
    rules: Any = {"labels": labels, "zero_division": 0.0}
    values = result.class_values()
    iou = jaccard_score(*sides, average=None, **rules)
    assert np.nan_to_num(values["iou"]).tolist() == iou.tolist()
    assert (
        np.nan_to_num(values["dice"]).tolist() == f1_score(*sides, average=None, **rules).tolist()
    )
    assert result.mIoU == jaccard_score(*sides, average="macro", **rules)
    assert result.mDice == f1_score(*sides, average="macro", **rules)
    assert result.IoU_micro == jaccard_score(*sides, average="micro", **rules)
    assert result.pixel_accuracy == accuracy_score(*sides)
    assert result.fwIoU == pytest.approx(jaccard_score(*sides, average="weighted", **rules))
    # Without labels it leaves absent classes out, as our default does; we add 0 in their place, as
    # NumPy's nanmean does, which groups the sum in another way.
    present = segmentation_scores(truth, pred, n_classes)
    macro = jaccard_score(*sides, average="macro", zero_division=0.0)
    assert present.mIoU == pytest.approx(macro, rel=1e-15, abs=0)


@settings(max_examples=40, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**31), n_classes=st.integers(2, 25))
def test_the_formulas_of_mmsegmentation(seed: int, n_classes: int) -> None:
    """Histograms of the match and of both sides, in float64, without its rounding to 0.01 %."""
    truth, pred = maps(seed, n_classes, void_predicted=True)
    counted = truth != 255
    t, p = truth[counted], pred[counted]

    def histogram(values: Any) -> Any:
        return np.bincount(values[values < n_classes], minlength=n_classes).astype(np.float64)

    match, area_t, area_p = histogram(t[t == p]), histogram(t), histogram(p)
    result = segmentation_scores(truth, pred, n_classes, protocol="mmseg")
    with np.errstate(invalid="ignore", divide="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a mean over nothing
        wanted = {
            "mIoU": np.nanmean(match / (area_t + area_p - match)),
            "mDice": np.nanmean(2 * match / (area_t + area_p)),
            "mPrecision": np.nanmean(match / area_p),
            "mRecall": np.nanmean(match / area_t),
            "pixel_accuracy": match.sum() / area_t.sum(),
        }
    for name, value in wanted.items():
        assert result.metrics[name] == pytest.approx(value, rel=1e-15, abs=0, nan_ok=True), name


@pytest.mark.parametrize("seed", range(6))
def test_torchmetrics(seed: int) -> None:
    torch = pytest.importorskip("torch")
    from torchmetrics.classification import MulticlassJaccardIndex
    from torchmetrics.segmentation import MeanIoU

    n_classes = 6
    truth, pred = maps(seed, n_classes)
    t, p = torch.from_numpy(truth), torch.from_numpy(pred)
    jaccard = MulticlassJaccardIndex(n_classes, average="macro", ignore_index=255)(p, t).item()
    ours = segmentation_scores(truth, pred, n_classes)
    assert ours.by_rule["torchmetrics-jaccard"] == pytest.approx(jaccard, abs=1e-6)

    truth, pred = maps(seed, n_classes, void=False)  # it takes no void
    theirs = MeanIoU(num_classes=n_classes, include_background=True, input_format="index")
    theirs.update(torch.from_numpy(pred), torch.from_numpy(truth))
    ours = segmentation_scores(truth, pred, n_classes)
    assert ours.by_rule["torchmetrics"] == pytest.approx(theirs.compute().item(), abs=1e-6)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("void_predicted", [False, True])
def test_keras(seed: int, void_predicted: bool) -> None:
    pytest.importorskip("keras")
    from keras.metrics import MeanIoU

    truth, pred = maps(seed, 5, n=2, void_predicted=void_predicted)
    theirs = MeanIoU(num_classes=5, ignore_class=255)
    theirs.update_state(truth, pred)
    ours = segmentation_scores(truth, pred, 5, protocol="keras")
    assert ours.mIoU == pytest.approx(float(theirs.result()), abs=1e-6)
    if void_predicted:  # where it differs from the default
        assert ours.mIoU != pytest.approx(ours.by_rule["snellen"], abs=1e-3)


@pytest.mark.parametrize("seed", range(6))
def test_monai(seed: int) -> None:
    torch = pytest.importorskip("torch")
    monai = pytest.importorskip("monai.metrics")
    truth, pred = maps(seed, 6, n=5, void=False)

    def one_hot(labels: Any) -> Any:
        return torch.from_numpy(np.moveaxis(np.eye(6)[labels], -1, 1))

    ours = segmentation_scores(truth, pred, 6)
    for reduction, name in (("mean", "monai"), ("mean_batch", "monai-batch")):
        theirs = monai.MeanIoU(reduction=reduction, include_background=True)
        theirs(one_hot(pred), one_hot(truth))
        value = theirs.aggregate()
        if reduction == "mean_batch":
            # A class that no image has is 0 in it, with a count of 0 beside.
            there = torch.from_numpy(np.bincount(truth.reshape(-1), minlength=6) > 0)
            value = value[there].mean()
        assert ours.by_rule[name] == pytest.approx(float(value), abs=1e-6), name


@pytest.mark.parametrize("seed", range(6))
def test_segmentation_models_pytorch(seed: int) -> None:
    """Its published rule: score(tp, fp, fn) with 1 for 0/0, then the reduction's mean."""
    truth, pred = maps(seed, 7, void=False)
    tp, fp, fn = (
        np.stack([((truth == k) & (pred == k)).sum((1, 2)) for k in range(7)], 1),
        np.stack([((truth != k) & (pred == k)).sum((1, 2)) for k in range(7)], 1),
        np.stack([((truth == k) & (pred != k)).sum((1, 2)) for k in range(7)], 1),
    )

    def iou(tp: Any, union: Any) -> Any:
        return np.where(union == 0, 1.0, tp / np.maximum(union, 1))

    ours = segmentation_scores(truth, pred, 7)
    union = tp + fp + fn
    assert ours.by_rule["smp-imagewise"] == pytest.approx(iou(tp, union).mean(), rel=1e-12, abs=0)
    assert ours.by_rule["smp"] == pytest.approx(
        iou(tp.sum(0), union.sum(0)).mean(), rel=1e-12, abs=0
    )


@pytest.mark.parametrize("seed", range(4))
def test_wang_et_al(seed: int) -> None:
    """IoU of the classes of truth in each image: means over images, classes, and the worst."""
    truth, pred = maps(seed, 6, n=45)
    of_images, of_classes = [], [[] for _ in range(6)]
    for t, p in zip(truth, pred, strict=True):
        counted = t != 255
        own = []
        for k in np.unique(t[counted]).tolist():
            both = ((t == k) & (p == k)).sum()
            value = both / (((t == k) | (p == k)) & counted).sum()
            own.append(value)
            of_classes[k].append(value)
        if own:
            of_images.append(np.mean(own))
    ours = segmentation_scores(truth, pred, 6)
    assert ours.mIoU_I == pytest.approx(np.mean(of_images), rel=1e-12, abs=0)
    worst = sorted(of_images)[: max(1, int(0.05 * len(of_images)))]
    assert len(worst) == 2
    assert ours.mIoU_I_worst5 == pytest.approx(np.mean(worst), rel=1e-12, abs=0)
    means = [np.mean(own) for own in of_classes if own]
    assert ours.mIoU_C == pytest.approx(np.mean(means), rel=1e-12, abs=0)


def cityscapes_maps(seed: int) -> tuple[Any, Any, Any]:
    """Return labelIds and instanceIds of truth, and labelIds of a prediction."""
    random = np.random.default_rng(seed)
    ids = np.array(
        [0, 3, 4, 7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33]
    )
    blocks = random.choice(ids, (8, 12))
    truth = np.kron(blocks, np.ones((5, 5), np.int64))
    number = np.kron(random.integers(0, 4, (8, 12)), np.ones((5, 5), np.int64))
    # A group of people or cars has the bare id; an instance its number behind it.
    one = (truth >= 24) & (number > 0)
    instances = np.where(one, truth * 1000 + number, truth)
    pred = np.where(random.random(truth.shape) < 0.75, truth, random.choice(ids, truth.shape))
    return truth, instances, pred


def test_cityscapes_scripts_in_every_bit(tmp_path: Path, monkeypatch: Any) -> None:
    image = pytest.importorskip("PIL.Image")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        scripts = pytest.importorskip("cityscapesscripts.evaluation.evalPixelLevelSemanticLabeling")
    # It calls a function that NumPy has no longer.
    monkeypatch.setattr(np, "in1d", lambda *sides: np.isin(*sides).reshape(-1), raising=False)
    files: list[tuple[str, str]] = []
    metric = Segmentation("cityscapes", protocol="cityscapes")
    label_ids = _scheme().encoding("labelIds")
    for seed in range(5):
        truth, instances, pred = cityscapes_maps(seed)
        paths = [tmp_path / f"{seed}_{kind}.png" for kind in ("labelIds", "instanceIds", "pred")]
        image.fromarray(truth.astype(np.uint8)).save(paths[0])
        image.fromarray(instances.astype(np.uint16)).save(paths[1])
        image.fromarray(pred.astype(np.uint8)).save(paths[2])
        files.append((str(paths[2]), str(paths[0])))
        _update(metric, seed, truth, instances, pred, label_ids)
    arguments = scripts.args
    arguments.quiet, arguments.JSONOutput, arguments.evalInstLevelScore = True, False, True
    theirs = scripts.evaluateImgLists(*map(list, zip(*files, strict=True)), arguments)
    ours = metric.compute()
    for record in ours.per_class():
        name = record["class"]
        assert record["iou"] == theirs["classScores"][name], name
        wanted = theirs["classInstScores"][name]
        both_undefined = math.isnan(record["iiou"]) and math.isnan(wanted)
        assert both_undefined or record["iiou"] == wanted, name
    for record in ours.per_group():
        assert record["iou"] == theirs["categoryScores"][record["group"]]
    assert ours.mIoU == theirs["averageScoreClasses"]
    assert ours.mIoU_groups == theirs["averageScoreCategories"]
    assert ours.iIoU == theirs["averageScoreInstClasses"]
    assert ours.iIoU_groups == theirs["averageScoreInstCategories"]
    assert sum(math.isnan(record["iiou"]) for record in ours.per_class()) == 11  # stuff


def _scheme() -> Any:
    from snellen.segmentation.label_scheme import scheme_of

    return scheme_of("cityscapes")


def _update(
    metric: Segmentation, image_id: int, truth: Any, instances: Any, pred: Any, encoding: Any
) -> None:
    from snellen.segmentation.value_pairs import count_value_pairs

    metric.update_pairs(
        count_value_pairs(truth, pred),
        image_id=image_id,
        truth_encoding=encoding,
        pred_encoding=encoding,
        instances=count_value_pairs(instances, pred),
    )
