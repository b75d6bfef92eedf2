"""Descriptions: read from files and mappings, refused by line and key, written back."""

from __future__ import annotations

import dataclasses
import math
import re
from pathlib import Path
from typing import Any

import pytest

from snellen.errors import InputError, SchemaError
from snellen.training import Choice, Description, read_description
from snellen.training.description import Every

TOML = """\
data = {name = "digits", validation = 0.2}
network = [
  "flatten",
  {name = "linear", out = 16},
  "relu",
  "linear",
]
optimizer = {name = "sgd", momentum = 0.9}
learning_rate = 0.1
schedule = [{name = "warm_up", length = 1}, "cosine"]
class_weights = [1, 2.5]
epochs = 3
"""
YAML = """\
data: {name: digits, validation: 0.2}
network:
  - flatten
  - {name: linear, out: 16}
  - relu
  - linear
optimizer: {name: sgd, momentum: 0.9}
learning_rate: 0.1
schedule: [{name: warm_up, length: 1}, cosine]
class_weights: [1, 2.5]
epochs: 3
"""
PLAIN: dict[str, Any] = {
    "data": {"name": "digits", "validation": 0.2},
    "network": ["flatten", {"name": "linear", "out": 16}, "relu", "linear"],
    "optimizer": {"name": "sgd", "momentum": 0.9},
    "learning_rate": 0.1,
    "schedule": [{"name": "warm_up", "length": 1}, "cosine"],
    "class_weights": [1, 2.5],
    "epochs": 3,
}


def test_all_kinds_of_files_say_the_same(tmp_path: Path) -> None:
    import json

    texts = {"a.toml": TOML, "a.yaml": YAML, "a.yml": YAML, "a.json": json.dumps(PLAIN)}
    for name, text in texts.items():
        (tmp_path / name).write_text(text)
        found = read_description(tmp_path / name)
        assert found.plain() == read_description(PLAIN).plain(), name
        assert found.place == str(tmp_path / name)
    assert isinstance(found.network, tuple)
    assert [each.name for each in found.network] == ["flatten", "linear", "relu", "linear"]
    assert found.schedule[0].options == {"length": 1}
    assert found.class_weights == (1.0, 2.5)


def test_there_and_back() -> None:
    description = read_description(PLAIN)
    content = {name: value for name, value in description.plain().items() if value is not None}
    assert Description.of(content).plain() == description.plain()
    assert set(description.plain()) == {
        field.name for field in dataclasses.fields(Description) if field.name != "place"
    }


def test_defaults() -> None:
    description = read_description({"data": "digits"})
    assert description.data == Choice("digits", {}, "data")
    assert description.network == Choice("cnn")
    assert (description.batch_size, description.epochs, description.seed) == (128, 10, 0)


def test_places_name_file_and_line(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text(TOML)
    description = read_description(path)
    assert isinstance(description.network, tuple)
    assert description.network[1].place == f"{path} line 4 network[1]"
    assert description.optimizer.place == f"{path} line 8 optimizer"
    assert description.schedule[1].place.endswith("schedule[1]")


def test_what_is_not_changed_keeps_its_place(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text(TOML)
    changed = read_description(path).changed(optimizer="adam", epochs=4, clip_norm=None)
    assert isinstance(changed.network, tuple)
    assert changed.network[1].place == f"{path} line 4 network[1]"
    assert changed.optimizer.name == "adam"
    assert (changed.epochs, changed.clip_norm, changed.place) == (4, None, str(path))
    assert changed.learning_rate == 0.1
    with pytest.raises(SchemaError, match="learning_rate"):
        read_description(path).changed(learning_rat=1.0)
    with pytest.raises(InputError, match="from 1, got 0"):
        read_description(path).changed(epochs=0)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("learning_rate", 0, "a number above 0, got 0"),
        ("learning_rate", -0.1, "a number above 0, got -0.1"),
        ("learning_rate", math.nan, "a number above 0, got nan"),
        ("learning_rate", math.inf, "a number above 0, got inf"),
        ("learning_rate", "fast", ": 'fast'"),
        ("learning_rate", True, ": True"),
        ("batch_size", 0, "a whole number from 1, got 0"),
        ("batch_size", 1.5, ": 1.5"),
        ("micro_batch_size", 0, "a whole number from 1"),
        ("epochs", -1, "a whole number from 1"),
        ("devices", 0, "a whole number from 1"),
        ("early_stopping", 0, "a whole number from 1"),
        ("n_folds", 1, "a whole number from 2"),
        ("threads", 0, "a whole number from 1"),
        ("threads", "all", "one of auto"),
        ("clip_norm", 0.0, "a number above 0"),
        ("clip_value", -1.0, "a number above 0"),
        ("time_limit", 0.0, "a number above 0"),
        ("ema", 1.0, "a decay between 0 and 1"),
        ("ema", 0.0, "a decay between 0 and 1"),
        ("task", "classify", 'Did you mean "classification"'),
        ("sampling", "balance", 'Did you mean "balanced"'),
        ("class_weights", "balance", 'Did you mean "balanced"'),
        ("nan_guard", "rollback", 'Did you mean "roll_back"'),
        ("precision", "float8", "one of auto, float32"),
        ("memory_format", "channel_last", 'Did you mean "channels_last"'),
        ("compile", "yes", "one of auto"),
        ("validate_every", "weekly", "expected how often"),
        ("checkpoint_every", "0ep", "expected how often"),
        ("network", 3, "expected a name, or a table"),
        ("network", [{"out": 3}], "expected a name, or a table"),
        ("augment", 3, "a list of them, got 3"),
        ("optimizer", ["sgd", "adam"], "expected a name, or a table"),
        ("rewrites", "yes", ": 'yes'"),
        ("seed", 0.5, ": 0.5"),
    ],
)
def test_refused_by_key(key: str, value: Any, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read_description({"data": "digits", key: value})
    assert said in str(caught.value)
    assert key in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_key_names_line_and_nearest(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text(TOML.replace("epochs", "epoch"))
    with pytest.raises(SchemaError) as caught:
        read_description(path)
    assert 'got "epoch"' in str(caught.value)
    assert 'Did you mean "epochs"' in str(caught.value)
    assert "line 12" in str(caught.value)
    with pytest.raises(SchemaError, match="There are data, network"):
        read_description({"data": "digits", "zzzzzz": 1})


def test_data_are_needed() -> None:
    with pytest.raises(SchemaError, match="expected data"):
        read_description({"network": "fc"})


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.toml", b"data = ", "expected TOML"),
        ("a.yaml", b"data: [", "expected YAML"),
        ("a.json", b"{", "expected JSON"),
        ("a.json", b"[1]", "expected keys and values"),
        ("a.yaml", b"just text", "expected keys and values"),
        ("a.toml", b"\xff\xfe", "UTF-8"),
        ("a.txt", b"", "a file of .toml, .yaml or .json"),
        ("a.toml", None, "No such file"),
    ],
)
def test_no_description(name: str, content: bytes | None, said: str, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=re.escape(said)) as caught:
        read_description(tmp_path / name)
    assert name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "steps"),
    [
        ("1ep", 100), ("0.5ep", 50), ("2ep", 200), ("7ba", 7), ("0.1dur", 100), ("1dur", 1000),
        ("0.001ep", 1), ("0.015ep", 2),
    ],
)  # fmt: skip
def test_how_often(text: str, steps: int) -> None:
    assert Every.parsed(text).steps(n_steps=1000, n_epoch=100) == steps


@pytest.mark.parametrize("text", ["", "ep", "1", "-1ep", "nanep", "infba", "1 epoch", "0dur"])
def test_no_time(text: str) -> None:
    with pytest.raises(InputError, match="expected how often"):
        Every.parsed(text, "here")
