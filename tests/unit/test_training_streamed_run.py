"""A training whose images are all read when they are due."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
Image = pytest.importorskip("PIL.Image")

from snellen.training import train  # noqa: E402
from snellen.training.data import normalisation  # noqa: E402


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


def test_what_is_to_be_known_of_the_data_stands_in_the_run(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(normalisation, "_MOST_STREAMED", 30)
    # 100 images, 10 of them to validate: after two batches of 64 there would be all 90.
    for k in range(60):
        (folder / "dark" / f"more-{k}.png").write_bytes((folder / "dark" / "0.png").read_bytes())
    (folder / "light" / "bad.png").write_bytes(b"no image")
    description = {"data": {"name": str(folder), "keep": "stream"}, "network": "fc", "epochs": 1}
    train({**description, "batch_size": 30}, out=tmp_path / "run")
    facts = json.loads((tmp_path / "run" / "run.json").read_bytes())
    assert facts["notes"] == [
        "1 image that cannot be read left out: light/bad.png",
        "inputs are normalised by the first 64 samples",
    ]
