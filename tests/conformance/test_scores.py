"""Real predictions: every number that scikit-learn, NumPy and torchmetrics gave for them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen.classification.calibration import CalibrationError
from snellen.classification.curves import ThresholdCurves
from snellen.classification.probability import ProbabilityLoss
from snellen.classification.top_k import TopKAccuracy

MATRICES = ("cifar10_lenet", "cifar10_wideresnet", "cifar100_wideresnet")
CLEANLAB = ("cleanlab_cifar10", "cleanlab_mnist")
TRIPLES = (
    "ImageNet_pytorch-image-models_efficientnet_b1",
    "ImageNet_torchvision_inception_v3",
    "ImageNet_torchvision_resnet101",
    "markus93_probs_resnet110_c10_logits",
    "markus93_probs_resnet50_birds_logits",
)
# The references are means of up to 10,000 float64 terms in NumPy's order.
SUMS = 1e-12
# torchmetrics computed in float32; its 200 thresholds are float32 too.
SINGLE = 5e-6


def matrix(folder: Path, name: str) -> tuple[Any, Any, dict[str, Any]]:
    """Return labels, scores as they lie in the file, and the reference."""
    reference = json.loads((folder / f"reference_{name}.json").read_text())
    if name.startswith("cleanlab"):
        truth = np.load(folder / f"{name}_labels.npy")
        return truth, np.load(folder / f"{name}_pyx.npy"), reference
    with np.load(folder / f"{name}_probs.npz") as arrays:
        truth, scores = (arrays[key] for key in sorted(arrays, key=lambda key: arrays[key].ndim))
    return truth.reshape(-1), scores, reference


def renormalised(scores: Any) -> Any:
    """Return rows that sum to 1, in float64: what the references were made from."""
    wide = scores.astype(np.float64)
    return wide / wide.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("name", [*MATRICES, *CLEANLAB])
def test_curves(conformance_data: Path, name: str) -> None:
    truth, scores, reference = matrix(conformance_data / "classification", name)
    wanted = reference["sklearn"]
    result = ThresholdCurves().update(truth, renormalised(scores)).compute()
    np.testing.assert_allclose(result.class_auc, wanted["auroc_per_class"], rtol=0, atol=SUMS)
    np.testing.assert_allclose(result.class_ap, wanted["ap_per_class"], rtol=0, atol=SUMS)
    names = {
        "auc_macro": "auroc_ovr_macro",
        "auc_weighted": "auroc_ovr_weighted",
        "auc_ovo_macro": "auroc_ovo_macro",
        "auc_micro": "auroc_micro",
        "ap_macro": "ap_macro",
        "ap_micro": "ap_micro",
    }
    compared = [key for key, theirs in names.items() if theirs in wanted]
    assert len(compared) >= 5
    for key in compared:
        assert result.metrics[key] == pytest.approx(wanted[names[key]], abs=SUMS), key


@pytest.mark.parametrize("name", [*MATRICES, *CLEANLAB])
def test_top_k(conformance_data: Path, name: str) -> None:
    truth, scores, reference = matrix(conformance_data / "classification", name)
    result = TopKAccuracy((1, 2, 3, 5)).update(truth, scores).compute()
    for k in (1, 2, 3, 5):
        assert result.metrics[f"top{k}"] == reference["sklearn"][f"top{k}"]


@pytest.mark.parametrize("name", [*MATRICES, *CLEANLAB])
def test_losses(conformance_data: Path, name: str) -> None:
    truth, scores, reference = matrix(conformance_data / "classification", name)
    result = ProbabilityLoss().update(truth, renormalised(scores)).compute()
    wanted = reference["sklearn"]
    assert result.log_loss == pytest.approx(wanted["log_loss_rows_renormalised"], abs=SUMS)
    assert result.brier == pytest.approx(wanted["brier_sum_over_classes"], abs=SUMS)


@pytest.mark.parametrize("name", [*MATRICES, *CLEANLAB])
def test_calibration(conformance_data: Path, name: str) -> None:
    truth, scores, reference = matrix(conformance_data / "classification", name)
    for bins in (10, 15):
        result = CalibrationError(bins).update(truth, renormalised(scores)).compute()
        wanted = reference["calibration_numpy"][f"{bins}_bins_right_closed"]
        assert result.ece == pytest.approx(wanted["ece"], abs=SUMS)
        assert result.mce == pytest.approx(wanted["mce"], abs=SUMS)
        assert result.rmsce == pytest.approx(wanted["rms"], abs=SUMS)


@pytest.mark.parametrize("name", MATRICES)
def test_torchmetrics(conformance_data: Path, name: str) -> None:
    truth, scores, reference = matrix(conformance_data / "classification", name)
    scores = renormalised(scores)
    wanted = reference["torchmetrics"]
    calibration = CalibrationError(15).update(truth, scores).compute()
    curves = ThresholdCurves().update(truth, scores).compute()
    binned = ThresholdCurves(200).update(truth, scores).compute()
    top = TopKAccuracy(5).update(truth, scores).compute()
    got = {
        "ece_l1_15": calibration.ece,
        "ece_l2_15": calibration.rmsce,
        "ece_max_15": calibration.mce,
        "top5": top.top5,
        "auroc_macro_exact": curves.auc_macro,
        "auroc_macro_200_thresholds": binned.auc_macro,
        "ap_macro_exact": curves.ap_macro,
    }
    if (scores.max(axis=1) == 1).any():
        # torchmetrics puts confidence 1 into a bin of its own, which changes means of squares.
        del got["ece_l2_15"]
    for key, value in got.items():
        assert value == pytest.approx(wanted[key], abs=SINGLE), key


@pytest.mark.parametrize("name", TRIPLES)
def test_reliability_tables(conformance_data: Path, name: str) -> None:
    folder = conformance_data / "classification"
    reference = json.loads((folder / f"reference_reliability_{name}.json").read_text())
    with gzip.open(folder / f"reliability_{name}.csv.gz", "rt") as file:
        rows = np.loadtxt(file, delimiter=",", skiprows=1)
    truth, pred, confidence = rows[:, 0].astype(int), rows[:, 1].astype(int), rows[:, 2]
    for bins in (10, 15, 20):
        metric = CalibrationError(bins)
        # In three parts, merged: a part of the law, on real data.
        for part in range(3):
            shard = metric.empty()
            shard.update(truth[part::3], pred[part::3], confidence=confidence[part::3])
            metric.merge(shard)
        result = metric.compute()
        wanted = reference["calibration_numpy_right_closed"][str(bins)]
        assert result.ece == pytest.approx(wanted["ece"], abs=SUMS)
        assert result.mce == pytest.approx(wanted["mce"], abs=SUMS)
        assert result.mean_confidence == pytest.approx(reference["mean_confidence"], abs=SUMS)
        assert result.accuracy == reference["sklearn"]["accuracy"]
    curves = ThresholdCurves().update((truth == pred).astype(int), confidence).compute()
    assert curves.auc == pytest.approx(reference["auroc_confidence_vs_correct"], abs=SUMS)
