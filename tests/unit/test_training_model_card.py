"""What a model card says, and what it does not."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np
import pytest

from snellen import Classification, Regression, Segmentation
from snellen.training.model_card import model_card

NAMES = ["cat", "dog", "e|el"]


def head_of(card: str) -> dict[str, Any]:
    yaml = pytest.importorskip("yaml")
    match = re.match(r"---\n(.*?)\n---\n", card, re.DOTALL)
    assert match is not None
    found: dict[str, Any] = yaml.safe_load(match[1])
    return found


def finished_run() -> dict[str, Any]:
    # Of 40 cats 30 are right, of 40 dogs all, of 20 eels 10; the others are taken for dogs.
    truth = np.repeat([0, 1, 2], [40, 40, 20])
    pred = np.repeat([0, 1, 1, 2, 1], [30, 10, 40, 10, 10])
    result = Classification(NAMES).update(truth, pred).compute().to_dict()
    interval = {"low": 0.71, "high": 0.87, "level": 0.95, "method": "Wilson", "unit": "sample"}
    return {
        "schema": "snellen.training-run/1",
        "description": {
            "data": {"name": "/home/somebody/animals", "split": "a.csv"},
            "network": {"name": "fc", "hidden": [5]},
            "learning_rate": 0.25,
            "epochs": 3,
            "seed": 7,
            "monitor": "val_loss",
        },
        "data": {
            "data": "/home/somebody/animals",
            "parts": {"train": 800, "validation": 90, "test": 100},
            "validation_of_train": {"amount": 0.1, "seed": 7},
            "task": "classification",
            "input_shape": [1, 28, 28],
            "fingerprint": "abcd",
        },
        "classes": NAMES,
        "normalisation": {"mean": [[[0.25]]], "std": [[[0.5]]], "unit": 255.0},
        "network": {
            "input_shape": [1, 28, 28],
            "layers": [{"name": "0_linear", "output_shape": [3], "n_parameters": 2355}],
            "n_parameters": 2355,
            "n_macs": 2352,
        },
        "rewrites": [
            {"name": "pool before ReLU", "where": ["2"], "taken": True, "proof": "bit-equal"},
            {"name": "relu in place", "where": ["3"], "taken": False, "proof": "differs"},
        ],
        "steps": {"whole": 21, "epoch": 7},
        "notes": ["3 files left out"],
        "seconds": {"training": 3.0, "validation": 1.5},
        "stop_reason": "early stopping",
        "history": [{"epoch": 1}, {"epoch": 2}],
        "best_epoch": 1,
        "measured_on": "test",
        "metrics": {"accuracy": 0.8},
        "result": {**result, "intervals": {"accuracy": interval}},
        "versions": {"snellen": "0.1.0", "torch": "2.13.0"},
    }


def test_the_head_is_that_of_the_hub() -> None:
    head = head_of(model_card(finished_run()))
    assert head["library_name"] == "snellen"
    assert head["pipeline_tag"] == "image-classification"
    assert head["tags"] == ["snellen", "pytorch", "classification"]
    (entry,) = head["model-index"]
    assert entry["name"] == "fc-on-animals"
    assert "\n# kennel\n" in model_card({**finished_run(), "name": "kennel"})
    (measured,) = entry["results"]
    assert measured["task"] == {"type": "image-classification"}
    assert measured["dataset"] == {"name": "animals", "type": "animals", "split": "test"}
    values = {metric["name"]: metric["value"] for metric in measured["metrics"]}
    assert values["accuracy"] == 0.8
    assert values["balanced_accuracy"] == pytest.approx((0.75 + 1 + 0.5) / 3, abs=1e-6)
    assert head["metrics"][:3] == ["accuracy", "balanced_accuracy", "f1"]
    assert "license" not in head


def test_numbers_with_their_intervals() -> None:
    card = model_card(finished_run())
    assert "Of the test part, 100 samples, which took no part in training" in card
    assert "| accuracy | 0.8 | 0.71 … 0.87 |" in card
    assert "| balanced_accuracy | 0.75 |  |" in card
    assert "Intervals hold 95 %, over samples (Wilson)" in card
    # Dog: 60 predicted, of them 40 right.
    assert "| dog | 0.6667 | 1 | 0.8 | 40 |" in card
    assert r"| e\|el | 1 | 0.5 | 0.6667 | 20 |" in card


def test_data_settings_and_limits() -> None:
    card = model_card(finished_run())
    for line in (
        "A network for classification of 3 classes, trained on animals with Snellen.",
        "| train samples | 800 |",
        "| normalisation | divided by 255, less 0.25, over 0.5 |",
        "- 3 files left out",
        "- 2 of 3 epochs of 7 updates",
        "- weights of epoch 1, the best by val_loss",
        "- ended by early stopping",
        "- 4.5 seconds in all",
        "- layers rewritten for speed: pool before ReLU (bit-equal)",
        "2,355 parameters, 2,352 multiplications a sample.",
        r"- Worst class: e\|el, recall 0.5.",
        r"- Hardly measured, by fewer than 30 samples: e\|el (20).",
        "- One training with one seed (7): another seed gives other numbers.",
        "| torch | 2.13.0 |",
        'predict_files(network, "folder/of/images", "predictions.csv")',
    ):
        assert line in card.splitlines() or line in card
    settings = re.search(r"```json\n(.*?)\n```", card, re.DOTALL)
    assert settings is not None
    # As it is read again; the folders of the machine are nobody's business.
    written = json.loads(settings[1])
    assert written == {
        **finished_run()["description"],
        "data": {"name": "…/animals", "split": "a.csv"},
    }
    assert "somebody" not in card
    assert "relu in place" not in card  # it was refused


def test_what_is_not_known_is_not_said() -> None:
    card = model_card({})
    assert head_of(card) == {"library_name": "snellen", "tags": ["snellen", "pytorch"]}
    assert re.findall(r"^## .*", card, re.MULTILINE) == ["## How to use it", "## Limits"]
    for nothing in ("None", "nan", "unknown", "{}"):
        assert nothing not in card


@pytest.mark.parametrize("missing", list(finished_run()))
def test_any_part_may_be_missing(missing: str) -> None:
    run = finished_run()
    del run[missing]
    card = model_card(run)
    head_of(card)
    assert "None" not in card
    assert "nan" not in card.lower().replace("predict", "")


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("validation", "by which the weights were chosen: on other data the network is likely"),
        ("training", "which the network has seen: they say nothing of other data"),
    ],
)
def test_numbers_of_other_parts_are_not_passed_off_as_a_test(part: str, words: str) -> None:
    run = {**finished_run(), "measured_on": part, "metrics": {"accuracy": 0.9, "f1_macro": None}}
    del run["result"]
    card = model_card(run)
    assert words in card
    assert "| accuracy | 0.9 |" in card
    assert "f1_macro" not in card
    assert "measured on one test part" not in card
    (entry,) = head_of(card)["model-index"]
    assert entry["results"][0]["dataset"]["split"] == part


def test_a_regression() -> None:
    result = Regression().update([1.0, 2.0, 3.0], [1.5, 2.0, 2.5]).compute().to_dict()
    card = model_card(
        {
            "data": {"task": "regression", "input_shape": [4], "data": "table.csv"},
            "description": {"data": {"name": "table.csv", "target": "mass"}, "network": "fc"},
            "measured_on": "test",
            "result": result,
        }
    )
    assert head_of(card)["pipeline_tag"] == "tabular-regression"
    # Errors 0.5, 0, -0.5: R² = 1 - 0.5 / 2.
    assert "| r2 | 0.75 |" in card
    assert "3 samples" in card
    assert "predict_files" not in card
    assert "numbers, (N, 4)" in card


def test_a_segmentation() -> None:
    metric = Segmentation(["road", "car"]).update([[0, 0, 1, 1]], [[0, 0, 0, 1]])
    card = model_card(
        {
            "data": {"task": "segmentation", "input_shape": [3, 1, 4]},
            "classes": ["road", "car"],
            "measured_on": "test",
            "result": metric.compute().to_dict(),
        }
    )
    assert head_of(card)["pipeline_tag"] == "image-segmentation"
    # Road 2 of 3, car 1 of 2.
    assert "| mIoU | 0.5833 |" in card
    assert "| road | 0.6667 | 0.8 | 0.6667 | 1 | 2 |" in card
    assert "- Worst class: car, iou 0.5." in card


def test_many_classes() -> None:
    names = [f"class {k}" for k in range(40)]
    truth = np.arange(40).repeat(2)
    pred = truth.copy()
    pred[14:16] = 0  # class 7 is never found
    run = {
        "data": {"task": "classification", "input_shape": [3, 8, 8]},
        "classes": names,
        "measured_on": "test",
        "result": Classification(names).update(truth, pred).compute().to_dict(),
    }
    card = model_card(run)
    assert "## The 30 worst of 40 classes" in card
    rows = [line for line in card.splitlines() if line.startswith("| class ")]
    # Class 0 has the two more: precision 2 / 4, F1 2 / 3. Class 7 has no F1 above 0.
    assert [row.split(" | ")[0] for row in rows[1:3]] == ["| class 7", "| class 0"]
    assert "class 29 and 10 more" in card


def test_texts_of_the_data_do_no_harm() -> None:
    run = finished_run()
    run["classes"] = ["a|b", "<script>", "two\nlines"]
    run["data"]["data"] = 'the "data": [1]'
    run["description"]["data"] = "x"
    card = model_card(run)
    assert "<script>" not in card.replace(r"\<script\>", "")
    assert "two\nlines" not in card
    assert head_of(card)["model-index"][0]["results"][0]["dataset"]["name"] == 'the "data": [1]'
