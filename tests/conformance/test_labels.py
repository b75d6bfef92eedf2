"""Real predictions of networks: every number from labels that scikit-learn 1.9.1 gave for them."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen import Classification, ConfusionMatrix, ConfusionMatrixResult
from snellen.statistics import compare, mcnemar

SCORES = (
    "cifar10_lenet",
    "cifar10_wideresnet",
    "cifar100_wideresnet",
    "cleanlab_cifar10",
    "cleanlab_mnist",
)
TRIPLES = (
    "ImageNet_pytorch-image-models_efficientnet_b1",
    "ImageNet_torchvision_inception_v3",
    "ImageNet_torchvision_resnet101",
    "markus93_probs_resnet110_c10_logits",
    "markus93_probs_resnet50_birds_logits",
)


def columns(folder: Path, name: str) -> tuple[Any, Any, dict[str, Any]]:
    """Return true labels, predicted labels or scores, and the reference."""
    reference = json.loads((folder / f"reference_{name}.json").read_text())["sklearn"]
    if name in SCORES and name.startswith("cleanlab"):
        return (
            np.load(folder / f"{name}_labels.npy"),
            np.load(folder / f"{name}_pyx.npy"),
            reference,
        )
    if name in SCORES:
        with np.load(folder / f"{name}_probs.npz") as arrays:
            truth, scores = (arrays[k] for k in sorted(arrays, key=lambda k: arrays[k].ndim))
        return truth.reshape(-1), scores, reference
    if name == "imagenet_val_argmax":
        sides = [
            np.load(folder / f"cleanlab_imagenet_val_{side}.npy") for side in ("labels", "argmax")
        ]
        return *sides, reference
    rows = gzip.decompress((folder / f"{name}.csv.gz").read_bytes()).decode().splitlines()[1:]
    labels = np.array([row.split(",")[:2] for row in rows], np.int64)
    return labels[:, 0], labels[:, 1], reference


def evaluated(folder: Path, name: str) -> tuple[ConfusionMatrixResult, dict[str, Any]]:
    truth, pred, reference = columns(folder, name)
    known = [str(k) for k in range(reference["num_classes"])]
    metric = ConfusionMatrix(known)
    for part in np.array_split(np.arange(len(truth)), 3):
        metric.update(truth[part], pred[part])
    return metric.compute(), reference


@pytest.mark.parametrize(
    "name", [*SCORES, "imagenet_val_argmax", *(f"reliability_{each}" for each in TRIPLES)]
)
def test_all_numbers(conformance_data: Path, name: str) -> None:
    result, wanted = evaluated(conformance_data / "classification", name)
    assert result.data["n_samples"] == wanted["n"]
    digest = hashlib.sha256(np.ascontiguousarray(result.matrix).tobytes()).hexdigest()
    assert digest == wanted["confusion_int64_sha256"]
    for metric in ("accuracy", "balanced_accuracy", "mcc"):
        assert result.metrics[metric] == wanted[metric], metric
    # Of more than 256 classes kappa is computed from the margins: other roundings.
    close = 0 if wanted["num_classes"] <= 256 else 4e-16
    assert abs(result.kappa - wanted["cohen_kappa"]) <= close
    assert abs(result.kappa_quadratic - wanted["cohen_kappa_quadratic"]) <= close
    for how in ("macro", "micro", "weighted"):
        for metric, value in wanted[how].items():
            assert result.metrics[f"{metric}_{how}"] == value, f"{metric}_{how}"
    values = result.class_values()
    if "per_class" in wanted:
        for k, record in enumerate(wanted["per_class"]):
            assert {key: values[key][k] for key in ("precision", "recall", "f1")} == {
                key: record[key] for key in ("precision", "recall", "f1")
            }
            assert result.support[k] == record["support"]
    for metric in ("f1", "recall"):
        key = f"per_class_{metric}_float64_sha256"
        if key in wanted:
            assert hashlib.sha256(values[metric].tobytes()).hexdigest() == wanted[key]


def test_real_difference_of_two_networks(conformance_data: Path) -> None:
    """The documents' example: 3,149 images only one of the networks gets right, 2,487 the other."""
    folder = conformance_data / "classification"
    first, second = (
        columns(folder, f"reliability_ImageNet_{name}")
        for name in ("torchvision_resnet101", "pytorch-image-models_efficientnet_b1")
    )
    assert np.array_equal(first[0], second[0])
    test = mcnemar(
        int(((first[1] == first[0]) & (second[1] != first[0])).sum()),
        int(((first[1] != first[0]) & (second[1] == first[0])).sum()),
    )
    assert (test.only_second, test.only_first) == (3149, 2487)
    assert round(test.chi2, 1) == 77.8  # 662² / 5636
    assert round(test.chi2_corrected, 1) == 77.5  # 661² / 5636
    runs = [
        Classification().update(side[0], side[1], sample_id=np.arange(len(side[0])))
        for side in (first, second)
    ]
    result = compare(*runs, names=["resnet101", "efficientnet_b1"], metrics=["accuracy"])
    (found,) = result.differences
    assert found.difference == pytest.approx((3149 - 2487) / 50_000, rel=1e-9)
    assert found.p == test.exact_p
    assert result.better(found) == "efficientnet_b1"
    # The standard error of the difference: sqrt(5636 − 662² / 50,000) / 50,000 = 0.0015.
    assert found.interval.low == pytest.approx(found.difference - 1.96 * 0.0015, abs=3e-4)
    assert found.interval.high == pytest.approx(found.difference + 1.96 * 0.0015, abs=3e-4)
