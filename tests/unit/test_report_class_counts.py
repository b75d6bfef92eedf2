"""What a page says of how many classes a run is better in."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from snellen.report import comparison
from snellen.report.run_differences import RunDifference, RunDifferences


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
