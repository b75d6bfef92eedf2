"""What cannot be trained is refused by what is wrong with it."""

from __future__ import annotations

import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from snellen.errors import InputError  # noqa: E402
from snellen.training import train  # noqa: E402
from snellen.training.cross_validation import cross_validate  # noqa: E402
from snellen.training.description import read_description  # noqa: E402
from snellen.training.engine import FabricEngine  # noqa: E402
from snellen.training.preparation import clips_scaled  # noqa: E402


def rows(n: int) -> dict[str, Any]:
    random = np.random.default_rng(0)
    inputs = random.random((n, 3)).astype(np.float32)
    return {"train": (inputs, np.arange(n) % 2), "hold_out": 0}


BASE = {"data": "rows", "network": {"name": "fc", "hidden": [4]}, "epochs": 1, "batch_size": 8}


def test_a_network_whose_weights_are_all_frozen() -> None:
    network = nn.Linear(3, 2).requires_grad_(False)
    with pytest.raises(InputError, match="all of them are frozen - at network"):
        train(BASE, data=rows(16), network=network)
    with pytest.raises(InputError, match="a network with weights, it has none - at network"):
        train(BASE, data=rows(16), network=nn.Flatten())


def test_a_last_batch_of_one_sample_and_batch_normalisation() -> None:
    layers = [{"name": "linear", "out": 4}, "batch_norm", "relu", "linear"]
    with pytest.raises(InputError, match=r"two samples or more in every batch .* - at batch_size"):
        train({**BASE, "network": layers}, data=rows(17))
    assert train({**BASE, "network": layers}, data=rows(18)).history


def test_a_plateau_without_a_validation_part() -> None:
    with pytest.raises(InputError, match="a validation part for the schedule plateau"):
        train({**BASE, "schedule": "plateau"}, data=rows(16))
    description = read_description(
        {"data": "digits", "network": "fc", "schedule": "plateau", "n_folds": 2}
    )
    with pytest.raises(InputError, match="trained on all folds has none - at schedule"):
        cross_validate(description)


def test_an_augmentation_that_does_not_fit_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"expected images .* for flip"):
        train({**BASE, "augment": ["flip"]}, data=rows(16), out=tmp_path / "run")
    with pytest.raises(InputError, match="one class a sample for the loss hinge"):
        train({**BASE, "augment": ["mixup"], "loss": "hinge"}, data=rows(16), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_scaled_gradients_are_unscaled_once_and_not_by_a_fused_update() -> None:
    unscaled = []
    precision = types.SimpleNamespace(unscale_gradients=unscaled.append)
    fabric = types.SimpleNamespace(
        device=torch.device("cpu"),
        global_rank=0,
        world_size=1,
        strategy=types.SimpleNamespace(precision=precision),
    )
    network = nn.Linear(2, 1, bias=False)
    network.weight.grad = torch.tensor([[30.0, 4.0]])
    optimizer = torch.optim.SGD(network.parameters(), lr=0.1)
    FabricEngine(fabric, "float16").clip(network, optimizer, norm=1.0, value=3.0)
    assert unscaled == [optimizer]
    # (3, 3) after the bound of each number; of norm 1 after that of all.
    assert network.weight.grad.tolist()[0] == pytest.approx([0.5**0.5, 0.5**0.5], rel=1e-5)
    description = read_description({"data": "digits", "precision": "float16", "clip_norm": 1.0})
    assert clips_scaled(description)
    assert not clips_scaled(description.changed(precision="bfloat16"))
    assert not clips_scaled(description.changed(clip_norm=None))
