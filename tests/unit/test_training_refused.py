"""What cannot be trained is refused by what is wrong with it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import nn  # noqa: E402

from snellen.errors import InputError  # noqa: E402
from snellen.training import train  # noqa: E402
from snellen.training.cross_validation import cross_validate  # noqa: E402
from snellen.training.description import read_description  # noqa: E402


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
