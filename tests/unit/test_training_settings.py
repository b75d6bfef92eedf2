"""KEY=VALUE over a description."""

from __future__ import annotations

from typing import Any

import pytest

from snellen.errors import InputError
from snellen.training.settings import setting, with_settings


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("epochs=3", ("epochs", 3)),
        ("learning_rate=1e-3", ("learning_rate", 1e-3)),
        (" ema = 0.9 ", ("ema", 0.9)),
        ("network=fc", ("network", "fc")),
        ('network="fc"', ("network", "fc")),
        ("rewrites=false", ("rewrites", False)),
        ("data=/a/b=c.csv", ("data", "/a/b=c.csv")),
        ("optimizer.momentum=0.9", ("optimizer.momentum", 0.9)),
        ('augment=["flip"]', ("augment", ["flip"])),
        ("class_weights=[1, 2.5]", ("class_weights", [1, 2.5])),
        ("data=", ("data", "")),
        ("data=2\nepochs=3", ("data", "2\nepochs=3")),
    ],
)
def test_read(text: str, expected: tuple[str, Any]) -> None:
    assert setting(text) == expected


@pytest.mark.parametrize("text", ["epochs", "=3", " = 3", ""])
def test_no_setting(text: str) -> None:
    with pytest.raises(InputError, match="expected KEY=VALUE"):
        setting(text)


def test_options_are_added_and_choices_made_anew() -> None:
    content = {"optimizer": {"name": "sgd", "momentum": 0.9}, "loss": "cross_entropy", "epochs": 3}
    found = with_settings(content, [("optimizer.nesterov", True), ("loss.label_smoothing", 0.1)])
    assert found == {
        "optimizer": {"name": "sgd", "momentum": 0.9, "nesterov": True},
        "loss": {"name": "cross_entropy", "label_smoothing": 0.1},
        "epochs": 3,
    }
    assert content["optimizer"] == {"name": "sgd", "momentum": 0.9}
    anew = with_settings(content, [("optimizer", "adam"), ("optimizer.amsgrad", True)])
    assert anew["optimizer"] == {"name": "adam", "amsgrad": True}


@pytest.mark.parametrize(
    ("content", "name"),
    [
        ({}, "optimizer.momentum"),
        ({"network": ["flatten"]}, "network.out"),
        ({"epochs": 3}, "epochs.x"),
    ],
)
def test_an_option_needs_a_choice(content: dict[str, Any], name: str) -> None:
    with pytest.raises(InputError, match=name.partition(".")[0]):
        with_settings(content, [(name, 1)])
