"""What a page says of how many classes a run is better in."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from snellen.report import comparison
from snellen.report.run_differences import RunDifference, RunDifferences
from snellen.result import Interval


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ((0.1,), "in 1 of 1 class and worse in 0."),
        ((-0.1, 0.2, 0.3), "in 2 of 3 classes and worse in 1."),
    ],
)
def test_one_class_is_no_classes(
    values: tuple[float, ...], said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(comparison, "protocol_line", lambda _: "")
    classes = [RunDifference(str(k), 0.0, value) for k, value in enumerate(values)]
    a: Any = SimpleNamespace(name="a", result=None)
    b: Any = SimpleNamespace(name="b", result=None)
    words = comparison._words(a, b, RunDifferences({}, classes, "AP", frozenset(), ""))
    assert words["finding"].startswith(f"b is better than a {said}")
    # Of errors less is better; of counts neither is.
    found = RunDifferences({}, classes, "AP", frozenset(("AP",)), "")
    gains = sum(value < 0 for value in values)
    assert f" in {gains} of {len(values)} " in comparison._words(a, b, found)["finding"]
    found = RunDifferences({}, classes, "AP", frozenset(), "", frozenset(("AP",)))
    said = said.replace("worse", "lower")
    assert comparison._words(a, b, found)["finding"].startswith(f"b is higher than a {said}")


def test_a_difference_of_which_neither_way_is_better_has_no_such_word() -> None:
    interval = Interval(0.1, 0.3, 0.95, "bootstrap, basic", "sample", "")
    numbers = {name: RunDifference(name, 0.1, 0.3, interval) for name in ("r2", "mae", "bias")}
    found = RunDifferences(numbers, [], "", frozenset(("mae",)), "", frozenset(("bias",)))
    cells = {name: " ".join(comparison._cells(each, found, 1.0)) for name, each in numbers.items()}
    for name, word in (("r2", "better"), ("mae", "worse")):
        assert word in cells[name]
    assert "better" not in cells["bias"]
    assert "worse" not in cells["bias"]
    assert "+0.2000" in cells["bias"]
