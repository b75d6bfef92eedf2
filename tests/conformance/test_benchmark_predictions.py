"""Recorded predictions of real networks, side by side: the numbers that others computed of them."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen.classification.classification import Classification
from snellen.cli.root import run as call

MATRICES = ("cifar10_lenet", "cifar10_wideresnet", "cifar100_wideresnet")
CLEANLAB = ("cleanlab_cifar10", "cleanlab_mnist")
PAIR = ("torchvision_resnet101", "pytorch-image-models_efficientnet_b1")
# The references are means of up to 10,000 float64 terms in NumPy's order.
SUMS = 1e-12
HEADLINES = ("accuracy", "balanced_accuracy", "mcc")
# The references are of rows scaled to sum to 1, and float32 sums to 1 up to 2e-7. That also parts
# scores that are equal as they are stored (1.0 of sure networks), which moves areas a little more.
SINGLE, AREA = 1e-6, 3e-6


@pytest.fixture(scope="module")
def folder(conformance_data: Path) -> Path:
    return conformance_data / "classification"


def benchmark(out: Path, data: Path, *models: str, **options: Path) -> dict[str, Any]:
    """Run the command; return its result."""
    more = [text for name, value in options.items() for text in (f"--{name}", str(value))]
    assert (
        call(["benchmark", "--data", str(data), "--out", str(out), "--quiet", *more, *models]) == 0
    )
    found: dict[str, Any] = json.loads((out / "result.json").read_text())
    return found


def reference(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / f"reference_{name}.json").read_text())
    return found


def same_labels(found: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Compare all numbers of labels, digit for digit."""
    numbers = found["metrics"]
    assert {name: numbers[name] for name in HEADLINES} == {name: wanted[name] for name in HEADLINES}
    for how in ("macro", "weighted"):
        for name, value in wanted[how].items():
            assert numbers[f"{name}_{how}"] == value, f"{name}_{how}"


def confusion_digest(out: Path, name: str) -> str:
    (place,) = (each for each in (out / "models").iterdir() if each.name == name)
    metric = Classification.from_bytes((place / "state.bin").read_bytes())
    labels: Any = metric.compute().parts["labels"]
    return hashlib.sha256(np.ascontiguousarray(labels.matrix).tobytes()).hexdigest()


def test_imagenet(folder: Path, tmp_path: Path) -> None:
    """50,000 images of 1,000 classes."""
    found = benchmark(
        tmp_path,
        folder / "cleanlab_imagenet_val_labels.npy",
        f"predictions:{folder}/cleanlab_imagenet_val_argmax.npy,name=theirs",
    )
    wanted = reference(folder, "imagenet_val_argmax")["sklearn"]
    assert found["n_images"] == wanted["n"] == 50_000
    assert len(found["classes"]) == wanted["num_classes"] == 1000
    assert found["classes"][1] == "goldfish"
    same_labels(found["models"][0]["result"], wanted)
    assert found["table"][0]["top1"] == wanted["accuracy"]
    assert found["table"][0]["f1_macro"] == wanted["macro"]["f1"]
    assert confusion_digest(tmp_path, "theirs") == wanted["confusion_int64_sha256"]


def test_reassessed_labels_of_imagenet(folder: Path, tmp_path: Path) -> None:
    """ReaL: of files by their names; they come in another order than the predictions."""
    with gzip.open(folder / "cleanlab_imagenet_val_index_to_filepath.json.gz") as file:
        names = [Path(each).name for each in json.load(file)]
    columns = {
        "label": np.load(folder / "cleanlab_imagenet_val_labels.npy"),
        "prediction": np.load(folder / "cleanlab_imagenet_val_argmax.npy"),
    }
    for (what, values), order in zip(columns.items(), (1, -1), strict=True):
        with (tmp_path / f"{what}.csv").open("w", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(["image", what])
            rows.writerows(list(zip(names, values.tolist(), strict=True))[::order])
    found = benchmark(
        tmp_path / "out",
        tmp_path / "label.csv",
        f"predictions:{tmp_path}/prediction.csv",
        real=folder / "imagenet_real_labels.json",
    )
    wanted = reference(folder, "imagenet_val_argmax")
    row = found["table"][0]
    assert row["real_top1"] == pytest.approx(
        wanted["real_labels"]["real_accuracy_argmax"], abs=SUMS
    )
    assert row["top1"] == wanted["sklearn"]["accuracy"]
    assert f"{wanted['real_labels']['images_with_any_label']:,}" in " ".join(found["notes"])


@pytest.mark.parametrize("name", [*MATRICES, *CLEANLAB])
def test_scores(folder: Path, tmp_path: Path, name: str) -> None:
    if name in MATRICES:
        data = scores = folder / f"{name}_probs.npz"
    else:
        data, scores = (folder / f"{name}_{what}.npy" for what in ("labels", "pyx"))
    found = benchmark(tmp_path, data, f"predictions:{scores},name=theirs")
    whole = reference(folder, name)
    wanted = whole["sklearn"]
    model = found["models"][0]
    same_labels(model["result"], wanted)
    assert confusion_digest(tmp_path, "theirs") == wanted["confusion_int64_sha256"]
    if "confusion_rows_are_true" in wanted:
        assert model["confusion"]["counts"] == wanted["confusion_rows_are_true"]
    numbers = model["result"]["metrics"]
    assert numbers["top5"] == wanted["top5"]
    for mine, theirs, close in (
        ("log_loss", "log_loss_rows_renormalised", SINGLE),
        ("brier", "brier_sum_over_classes", SINGLE),
        ("auc_macro", "auroc_ovr_macro", AREA),
    ):
        assert numbers[mine] == pytest.approx(wanted[theirs], abs=close), mine
    calibration = whole["calibration_numpy"]["15_bins_right_closed"]["ece"]
    assert numbers["ece"] == pytest.approx(calibration, abs=SINGLE)


def test_two_networks_on_imagenet(folder: Path, tmp_path: Path) -> None:
    """3,149 images only one of them gets right, 2,487 only the other."""
    files = {name: folder / f"reliability_ImageNet_{name}.csv.gz" for name in PAIR}
    found = benchmark(
        tmp_path,
        files[PAIR[0]],
        *(f"predictions:{path},name={name}" for name, path in files.items()),
    )
    rows = {row["name"]: row for row in found["table"]}
    for name in PAIR:
        wanted = reference(folder, f"reliability_ImageNet_{name}")["sklearn"]
        assert rows[name]["top1"] == wanted["accuracy"]
        assert rows[name]["f1_macro"] == wanted["macro"]["f1"]
    assert found["table"][0]["name"] == PAIR[1]
    (between,) = found["comparison"]["differences"]
    assert abs(between["difference"]) == pytest.approx((3149 - 2487) / 50_000, abs=SUMS)
    assert between["adjusted_p"] == between["p"] < 1e-17
    # compare reads what was written, and says the same.
    told = tmp_path / "compared.json"
    states = [str(tmp_path / "models" / name) for name in PAIR]
    assert call(["compare", *states, "--metric", "accuracy", "--json", str(told), "--quiet"]) == 0
    (again,) = json.loads(told.read_text())["differences"]
    assert abs(again["difference"]) == pytest.approx(abs(between["difference"]), abs=SUMS)
    assert again["p"] == pytest.approx(between["p"], rel=1e-9)
