"""Real predictions, from their files to the accuracy that scikit-learn gave."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from snellen.classification.confusion_matrix import confusion_matrix
from snellen.readers.labels import read_labels
from snellen.readers.table import read_table

TRIPLES = (
    "ImageNet_pytorch-image-models_efficientnet_b1",
    "ImageNet_torchvision_inception_v3",
    "ImageNet_torchvision_resnet101",
    "markus93_probs_resnet110_c10_logits",
    "markus93_probs_resnet50_birds_logits",
)


@pytest.mark.parametrize("name", TRIPLES)
def test_tables_of_labels_and_confidences(conformance_data: Path, name: str) -> None:
    folder = conformance_data / "classification"
    found = read_labels(folder / f"reliability_{name}.csv.gz")
    reference = json.loads((folder / f"reference_reliability_{name}.json").read_text())["sklearn"]
    assert len(found.truth) == reference["n"]
    assert confusion_matrix(found.truth, found.pred).accuracy == reference["accuracy"]
    assert found.pred.confidence is not None
    assert 0 < found.pred.confidence.mean() < 1


@pytest.mark.parametrize("name", ["cifar10_lenet", "cifar100_wideresnet"])
def test_arrays_of_one_file(conformance_data: Path, name: str) -> None:
    folder = conformance_data / "classification"
    found = read_labels(folder / f"{name}_probs.npz")
    reference = json.loads((folder / f"reference_{name}.json").read_text())["sklearn"]
    assert found.pred.score is not None
    assert found.pred.score.shape == (reference["n"], reference["num_classes"])
    accuracy = np.mean(found.pred.score.argmax(axis=1) == found.truth.code)
    assert accuracy == reference["accuracy"]


def test_arrays_of_two_files_with_a_list_of_classes(conformance_data: Path) -> None:
    folder = conformance_data / "classification"
    found = read_labels(
        folder / "cleanlab_imagenet_val_labels.npy",
        folder / "cleanlab_imagenet_val_argmax.npy",
        classes=folder / "imagenet_class_index.json",
    )
    reference = json.loads((folder / "reference_imagenet_val_argmax.json").read_text())
    assert reference["sklearn"]["accuracy"] == confusion_matrix(found.truth, found.pred).accuracy
    # Two of ImageNet's classes are called crane.
    names = found.truth.classes.names
    assert len(set(names)) == 1000
    assert names[0] == "tench"
    assert names[134] == "crane (n02012849)"


@pytest.mark.parametrize(
    "name", ["results-imagenet", "results-imagenet-real", "results-imagenetv2-matched-frequency"]
)
def test_tables_of_results(conformance_data: Path, name: str) -> None:
    # Not samples, but CSV as people write it: quoted numbers with commas, signs.
    path = conformance_data / "classification" / f"timm_{name}.csv"
    table = read_table(path)
    lines = path.read_text().splitlines()
    assert table.n_rows == len(lines) - 1
    assert table.names == tuple(lines[0].split(","))
    assert table["top1"].kind == "number"
    assert table["param_count"].kind == "text"  # "1,013.01"
