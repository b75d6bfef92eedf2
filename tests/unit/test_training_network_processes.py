"""Dropout and batch normalisation over several processes."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from snellen.errors import InputError
from snellen.training.network.dropout import Dropout, Dropout2d, replace_dropout, set_rows
from snellen.training.network.shared_batch_norm import SharedBatchNorm, share_batch_norm

IMAGES = (7, 3, 4, 5)


@pytest.mark.parametrize("by_pixel", [False, True])
@pytest.mark.parametrize("kind", [Dropout, Dropout2d])
def test_the_rows_of_a_mask_are_those_of_one_process(
    kind: type[Dropout] | type[Dropout2d], by_pixel: bool
) -> None:
    inputs = torch.randn(IMAGES, generator=torch.Generator().manual_seed(0))
    if by_pixel:
        inputs = inputs.contiguous(memory_format=torch.channels_last)
    torches = nn.Dropout(0.4) if kind is Dropout else nn.Dropout2d(0.4)
    torch.manual_seed(3)
    expected = torches(inputs)
    after = torch.rand(1)
    for cuts in ([0, 7], [0, 3, 7], [0, 1, 6, 7]):
        parts = []
        for start, stop in itertools.pairwise(cuts):
            layer = kind(0.4)
            layer.rows = (7, slice(start, stop))
            torch.manual_seed(3)
            parts.append(layer(inputs[start:stop]))
            # What is drawn next is the same, too.
            assert torch.equal(torch.rand(1), after)
        assert torch.equal(torch.cat(parts), expected)


def test_without_rows_it_is_dropout() -> None:
    layer = Dropout(0.5)
    inputs = torch.ones(100)
    torch.manual_seed(1)
    first = layer(inputs)
    torch.manual_seed(1)
    assert torch.equal(first, nn.functional.dropout(inputs, 0.5))
    layer.rows = (5, slice(0, 2))
    assert torch.equal(layer.eval()(inputs), inputs)


def test_replacing_torchs_layers() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.3), nn.Sequential(nn.Dropout2d(0.2)))
    network[1].eval()
    assert replace_dropout(network) is network
    assert [type(network[1]), type(network[2][0])] == [Dropout, Dropout2d]
    assert [network[1].p, network[2][0].p] == [0.3, 0.2]
    assert [network[1].training, network[2][0].training] == [False, True]
    set_rows(network, (8, slice(2, 4)))
    assert network[1].rows == network[2][0].rows == (8, slice(2, 4))
    set_rows(network, None)
    assert network[1].rows is None
    assert type(replace_dropout(nn.Dropout(0.1))) is Dropout


def test_batch_norm_is_replaced_with_its_parameters() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 1), nn.Sequential(nn.BatchNorm2d(4, 1e-3, 0.3)))
    keys, weight = list(network.state_dict()), network[1][0].weight
    assert share_batch_norm(network) is network
    layer = network[1][0]
    assert isinstance(layer, SharedBatchNorm)
    assert layer.weight is weight
    assert (layer.eps, layer.momentum) == (1e-3, 0.3)
    assert list(network.state_dict()) == keys
    assert share_batch_norm(network)[1][0] is layer
    assert isinstance(share_batch_norm(nn.BatchNorm1d(3)), SharedBatchNorm)


def test_one_process_computes_what_torch_computes() -> None:
    inputs = torch.randn(IMAGES)
    first, other = nn.BatchNorm2d(3), share_batch_norm(nn.BatchNorm2d(3))
    assert torch.equal(first(inputs), other(inputs))
    assert torch.equal(first.running_var, other.running_var)
    assert torch.equal(first.eval()(inputs), other.eval()(inputs))


def test_a_derived_layer_is_refused_by_name() -> None:
    class WithActivation(nn.BatchNorm2d):
        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            return super().forward(inputs).relu()

    network = nn.Sequential(nn.Sequential(WithActivation(2)))
    with pytest.raises(InputError, match=r"got WithActivation: train with one process - at 0\.0"):
        share_batch_norm(network)


PROCESS = """
import sys, torch
from torch import distributed, nn
from snellen.training.network.shared_batch_norm import share_batch_norm

rank, store, results = int(sys.argv[1]), sys.argv[2], sys.argv[3]
distributed.init_process_group("gloo", init_method="file://" + store, rank=rank, world_size=2)
found = {}
for name, kind, shape, options in (
    ("images", nn.BatchNorm2d, (7, 3, 4, 5), {}),
    ("rows", nn.BatchNorm1d, (7, 3), {"momentum": None}),
    ("sequences", nn.BatchNorm1d, (7, 3, 4), {"affine": False}),
    ("stateless", nn.BatchNorm1d, (7, 3), {"track_running_stats": False}),
):
    torch.manual_seed(0)
    whole = kind(shape[1], dtype=torch.float64, **options)
    if whole.affine:
        nn.init.normal_(whole.weight)
        nn.init.normal_(whole.bias)
    shared = kind(shape[1], dtype=torch.float64, **options)
    shared.load_state_dict(whole.state_dict())
    shared = share_batch_norm(shared)
    for cut in (4, 7):  # then, one process has no rows
        # Far from 0: what is lost by squares of sums would show.
        inputs = torch.randn(shape, dtype=torch.float64) * 3 + 1000
        weights = torch.randn(shape, dtype=torch.float64)
        one = inputs.clone().requires_grad_()
        (whole(one) * weights).sum().backward()
        here = slice(0, cut) if rank == 0 else slice(cut, 7)
        part = inputs[here].clone().requires_grad_()
        output = shared(part)
        (output * weights[here]).sum().backward()
        def compare(key, first, second):
            gap = (first - second).abs().max() if first.numel() else torch.zeros(())
            found[f"{name} {cut} {key}"] = float(gap)
        compare("output", output, whole(one.detach())[here])
        compare("inputs", part.grad, one.grad[here])
        for (key, p), q in zip(shared.named_parameters(), whole.parameters()):
            total = p.grad.clone()
            distributed.all_reduce(total)
            compare(key, total, q.grad)
            p.grad = q.grad = None
        if whole.track_running_stats:
            whole.running_mean, whole.running_var  # the second call above moved them once more
            again = shared(part.detach())
            for (key, p), q in zip(shared.named_buffers(), whole.buffers()):
                compare(key, p, q)
            evaluated = shared.eval()(inputs)
            compare("evaluation", evaluated, whole.eval()(inputs))
            shared.train(), whole.train()
torch.save(found, results)
distributed.destroy_process_group()
"""


def test_two_processes_of_unequal_rows_are_as_one(tmp_path: Path) -> None:
    source = str(Path(__file__).parents[2] / "src")
    settings = {**os.environ, "PYTHONPATH": source, "OMP_NUM_THREADS": "1"}
    running = [
        subprocess.Popen(
            [sys.executable, "-c", PROCESS, str(rank), tmp_path / "store", tmp_path / f"{rank}.pt"],
            env=settings,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    for process in running:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    for rank in range(2):
        found = torch.load(tmp_path / f"{rank}.pt", weights_only=True)
        assert len(found) > 40
        # Numbers near 1000 have 1e-13 between neighbours; sums of 35 to 140 of them.
        assert max(found.values()) < 1e-10, found
