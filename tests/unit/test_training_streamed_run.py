"""A training whose images are all read when they are due."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
Image = pytest.importorskip("PIL.Image")

from snellen.training import train  # noqa: E402


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of two classes: darker and lighter noise."""
    random = np.random.default_rng(0)
    for name, low in (("dark", 0), ("light", 60)):
        (tmp_path / "images" / name).mkdir(parents=True)
        for k in range(20):
            image = random.integers(low, low + 180, (8, 8, 3), dtype=np.uint8)
            Image.fromarray(image).save(tmp_path / "images" / name / f"{k}.png")
    return tmp_path / "images"


def test_streamed_and_kept_images_give_the_same_run(folder: Path) -> None:
    runs = []
    for options in ({"keep": "device"}, {"keep": "stream", "threads": 1}, {"keep": "stream"}):
        run = train(
            {
                "data": {"name": str(folder), "test": 0.2, **options},
                "network": [{"name": "conv", "out": 4}, "relu", "flatten", "linear"],
                "augment": ["flip"],
                "batch_size": 7,
                "epochs": 2,
            }
        )
        assert run.measured_on == "test"
        rows = [{**row, "seconds": 0} for row in run.history]
        weights = [value.tolist() for value in run.network.network.state_dict().values()]
        runs.append((rows, weights, dict(run.metrics)))
    assert runs[0] == runs[1] == runs[2]
