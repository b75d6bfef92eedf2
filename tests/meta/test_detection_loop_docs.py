"""What the guide of detection in a training loop shows, runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

GUIDE = Path(__file__).parents[2] / "docs/guide/detection-in-training.md"


def test_the_guide_runs(capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", GUIDE.read_text(encoding="utf-8"), re.M | re.S)
    assert len(blocks) == 6
    names: dict[str, Any] = {}
    for number, block in enumerate(blocks):
        exec(compile(block, f"{GUIDE.name}, block {number}", "exec"), names)
    assert 0.2 < names["result"].AP < 0.9
    assert names["result"].data["n_images"] == 4
    printed = capsys.readouterr().out
    assert printed.count("Average") == 12
    assert "{'box': 1.0, 'mask': 1.0}" in printed
    assert names["metrics"].compute()["lrp"].olrp < 0.9
    assert len(names["image_table"](names["located"]).worst()) == 4
    # The last block is about ranks; without any it is defined alone.
    assert callable(names["of_all_ranks"])
