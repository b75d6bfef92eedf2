from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from snellen.training.losses import LOSSES
from snellen.training.optimizers import OPTIMIZERS
from snellen.training.schedules import SCHEDULES

PAGE = Path(__file__).parents[2] / "docs/reference/optimizers.md"
GIVEN = {
    "network", "learning_rate", "fused", "task", "n_outputs", "class_weights", "larger_is_better",
}  # fmt: skip
EVERYWHERE = {"weight_decay", "decay_all", "length"}
ALL = {
    name: each
    for table in (*LOSSES.values(), OPTIMIZERS, SCHEDULES)
    for name, each in table.items()
}


@pytest.mark.parametrize("name", ALL)
def test_all_options_are_on_the_page(name: str) -> None:
    text = PAGE.read_text(encoding="utf-8")
    (row,) = re.findall(rf"^\| `{name}` \|.*$", text, re.MULTILINE)
    written = set(re.findall(r"`(\w+)`", row)) | EVERYWHERE
    if "as `adam`" in row:
        written |= options(ALL["adam"])
    assert options(ALL[name]) <= written
    assert all(f"`{each}`" in text for each in EVERYWHERE)


def options(function: Callable[..., object]) -> set[str]:
    called = function.__init__ if inspect.isclass(function) else function
    parameters = inspect.signature(called).parameters.values()
    return {each.name for each in parameters if each.kind is each.KEYWORD_ONLY} - GIVEN
