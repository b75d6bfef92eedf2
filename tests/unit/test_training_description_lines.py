from __future__ import annotations

import builtins
import json
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snellen.training.description_lines import lines_of

TOML = '''# A description.
data = "digits"  # with = and [ in a comment
"learning_rate" = 0.1

optimizer = {name = "sgd", momentum = 0.9}
notes = """
network = [ "not this" ]
"""
network = [
  {kind = "conv", out = 32},  # ] no end
  "relu", 'max_pool',

  {kind = "residual", layers = [
    "relu",
    {kind = "conv", out = 8},
  ]},
  {kind = "linear"},
]
epochs = 3
augment = ["flip", "crop"]

[schedule]
name = "step"
data = "not the top one"

[[layers]]
kind = "conv"
[[layers]]
kind = "relu"
'''


def test_toml() -> None:
    assert lines_of(TOML) == {
        ("data",): 2,
        ("learning_rate",): 3,
        ("optimizer",): 5,
        ("notes",): 6,
        ("network",): 9,
        ("network", 0): 10,
        ("network", 1): 11,
        ("network", 2): 11,
        ("network", 3): 13,
        ("network", 4): 17,
        ("epochs",): 19,
        ("augment",): 20,
        ("augment", 0): 20,
        ("augment", 1): 20,
        ("schedule",): 22,
        ("layers",): 26,
        ("layers", 0): 26,
        ("layers", 1): 28,
    }


def test_toml_dotted_keys_and_windows_lines() -> None:
    text = 'data = "x"\r\noptimizer.name = "sgd"\r\noptimizer.momentum = 0.9\r\nseed = 1\r\n'
    assert lines_of(text) == {("data",): 1, ("optimizer",): 2, ("seed",): 4}


def test_toml_lists_whose_lines_look_like_headers() -> None:
    assert lines_of('network = [\n["relu"],\n["conv"]\n]\nepochs = 2\n') == {
        ("network",): 1,
        ("network", 0): 2,
        ("network", 1): 3,
        ("epochs",): 5,
    }


def test_toml_that_begins_with_a_table() -> None:
    assert lines_of('[[network]]\nkind = "relu"\n[data]\nname = "x"') == {
        ("network",): 1,
        ("network", 0): 1,
        ("data",): 3,
    }


def test_json() -> None:
    text = """
{
  "data": "dig{its",
  "optimizer": {"name": "sgd", "data": [1, 2]},
  "network": [
    {"kind": "conv", "out": [1, 2]},
    "relu", "a, b",
    []
  ],
  "epochs": 3
}
"""
    assert lines_of(text) == {
        ("data",): 3,
        ("optimizer",): 4,
        ("network",): 5,
        ("network", 0): 6,
        ("network", 1): 7,
        ("network", 2): 7,
        ("network", 3): 8,
        ("epochs",): 10,
    }


def test_yaml() -> None:
    pytest.importorskip("yaml")
    text = """# A description.
data: digits
network:
  - kind: conv
    out: 32
  - relu
augment: [flip,
  crop]
"""
    assert lines_of(text) == {
        ("data",): 2,
        ("network",): 3,
        ("network", 0): 4,
        ("network", 1): 6,
        ("augment",): 7,
        ("augment", 0): 7,
        ("augment", 1): 8,
    }


def test_yaml_in_braces() -> None:
    pytest.importorskip("yaml")
    assert lines_of("{data: digits,\n network: [relu]}") == {
        ("data",): 1,
        ("network",): 2,
        ("network", 0): 2,
    }


def test_yaml_without_its_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "yaml", raising=False)
    original = builtins.__import__

    def without(name: str, *arguments: object, **named: object) -> object:
        if name == "yaml":
            raise ImportError(name)
        return original(name, *arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(builtins, "__import__", without)
    assert lines_of("data: digits") == {}


@pytest.mark.parametrize(
    "text", ["", "\n\n", "# only a comment", "[", '"', "{", "a: [", "a = [", "\t@"]
)
def test_nothing_to_find_is_no_error(text: str) -> None:
    assert lines_of(text) in ({}, {("a",): 1})


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("ab=:.,[]{}\"'#\\- \n\ufeff"), max_size=40))
def test_any_text_is_no_error(text: str) -> None:
    n_lines = text.count("\n") + 1
    assert all(1 <= line <= n_lines for line in lines_of(text).values())


@settings(max_examples=100, deadline=None)
@given(
    st.dictionaries(
        st.text(max_size=5),
        st.one_of(st.integers(), st.text(max_size=5), st.lists(st.text(max_size=5))),
    )
)
def test_json_as_its_writer_breaks_lines(content: dict[str, object]) -> None:
    # One line for the brace, then one for each key; a list that is not empty has one for each
    # element and one for its closing bracket.
    expected: dict[tuple[str | int, ...], int] = {}
    line = 1
    for key, value in content.items():
        line += 1
        expected[key,] = line
        if isinstance(value, list) and value:
            for k in range(len(value)):
                expected[key, k] = line + 1 + k
            line += len(value) + 1
    assert lines_of(json.dumps(content, indent=1)) == expected
