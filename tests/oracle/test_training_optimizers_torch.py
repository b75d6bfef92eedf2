from __future__ import annotations

import pytest
import torch
from torch import nn

from snellen.training.choices import Choice
from snellen.training.optimizers import make_optimizer


@pytest.mark.skipif(not hasattr(torch.optim, "Muon"), reason="torch has Muon from 2.9 on")
@pytest.mark.parametrize(
    ("scale", "theirs"), [("adam", "match_rms_adamw"), ("spectral", "original")]
)
@pytest.mark.parametrize("nesterov", [False, True])
def test_muon_is_that_of_torch_but_for_bfloat16(scale: str, theirs: str, nesterov: bool) -> None:
    # torch takes the steps of Newton and Schulz in bfloat16 on every device: 8 bits.
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(30, 20, bias=False), nn.Linear(20, 2, bias=False))
    matrix = nn.Parameter(network[0].weight.detach().clone())
    options = {"scale": scale, "nesterov": nesterov, "weight_decay": 0.1}
    ours = make_optimizer(Choice("muon", options), network, learning_rate=0.01)
    reference = torch.optim.Muon(
        [matrix], lr=0.01, weight_decay=0.1, nesterov=nesterov, adjust_lr_fn=theirs
    )
    start = matrix.detach().clone()
    for _ in range(10):
        matrix.grad = torch.randn(20, 30)
        network[0].weight.grad = matrix.grad.clone()
        ours.step()
        reference.step()
    moved = (matrix - start).norm()
    assert (network[0].weight - matrix).norm() < 0.02 * moved
