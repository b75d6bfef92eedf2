"""The table of a network."""

from __future__ import annotations

import torch
from torch import nn

from snellen.training.choices import Choice
from snellen.training.network.build import build_network
from snellen.training.network.summary import LayerRow, network_table


def test_the_cnn_worked_by_hand() -> None:
    table = network_table(build_network(Choice("cnn"), (1, 28, 28), 10), (1, 28, 28))
    conv1 = LayerRow("0_conv", "Conv2d", (32, 28, 28), 320, 28 * 28 * 32 * 9, 4 * 32 * 784)
    conv2 = LayerRow("3_conv", "Conv2d", (64, 14, 14), 18_496, 196 * 64 * 32 * 9, 4 * 64 * 196)
    assert table.rows[0] == conv1
    assert table.rows[3] == conv2
    # A view of what came in takes no memory.
    assert table.rows[6] == LayerRow("6_flatten", "Flatten", (3136,), 0, 0, 0)
    assert table.rows[7] == LayerRow("7_linear", "Linear", (128,), 401_536, 401_408, 512)
    assert table.n_parameters == 421_642
    assert table.n_macs == 225_792 + 3_612_672 + 401_408 + 1_280
    # Two of each: convolution and ReLU, then the pool; of 128 numbers, and the ten.
    assert table.n_bytes == 4 * (2 * 25_088 + 6_272 + 2 * 12_544 + 3_136 + 2 * 128 + 10)
    lines = str(table).splitlines()
    assert lines[0].split() == ["layer", "kind", "output", "parameters", "MACs", "memory"]
    assert lines[2].split() == [
        "0_conv",
        "Conv2d",
        *"32×28×28".replace("×", " × ").split(),
        "320",
        "225,792",
        "100.4",
        "kB",
    ]
    assert lines[-1].split() == ["total", "421,642", "4,241,152", "339.8", "kB"]
    assert table.to_dict()["layers"][0]["output_shape"] == [32, 28, 28]
    assert table.to_dict()["n_macs"] == 4_241_152


class _Foreign(nn.Module):
    """Attention, a shared layer, parameters of its own, statistics that move always, and noise."""

    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(16, 2, batch_first=True)
        self.shared = nn.Linear(16, 16)
        self.scale = nn.Parameter(torch.ones(16))
        self.norm = nn.BatchNorm1d(7)
        self.unused = nn.Linear(3, 2)
        self.register_buffer("n_calls", torch.zeros(()))
        self.unused.weight.requires_grad_(requires_grad=False)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        self.n_calls += 1
        noise = torch.rand_like(inputs)
        found, _ = self.attention(inputs + noise, inputs, inputs, need_weights=False)
        found = self.norm(self.shared(self.shared(found * self.scale)))
        product: torch.Tensor = found @ torch.ones(16, 5)
        return product


def test_a_foreign_network_is_counted_and_left_as_it_was() -> None:
    network = _Foreign()
    network.norm.eval()
    before = {key: value.clone() for key, value in network.state_dict().items()}
    modes = [each.training for each in network.modules()]
    state = torch.get_rng_state()
    table = network_table(network, (7, 16))
    assert torch.equal(torch.get_rng_state(), state)
    assert [each.training for each in network.modules()] == modes
    for key, value in network.state_dict().items():
        assert torch.equal(value, before[key])
    assert not any(each._forward_hooks or each._forward_pre_hooks for each in network.modules())
    assert all(each.grad is None for each in network.parameters())

    rows = [(row.name, row.n_parameters, row.n_macs) for row in table.rows]
    # Attention: 7 × 16 × 48 into it, 2 · 7 · 7 · 16 within, 7 × 16 × 16 out of it.
    assert rows == [
        ("attention", 816, 5_376 + 1_568 + 1_792),
        ("shared", 272, 1_792),
        ("shared", 0, 1_792),
        ("norm", 14, 0),
        ("(itself)", 16, 7 * 16 * 5),
        ("attention.out_proj", 272, 0),
        ("unused", 8, 0),
    ]
    assert table.n_parameters == sum(each.numel() for each in network.parameters())
    assert table.n_fixed == 6
    assert str(table).endswith("6 of the parameters are not learnt.")


class _Functions(nn.Module):
    def forward(self, inputs: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"out": nn.functional.conv2d(inputs, torch.ones(2, 1, 3, 3))}


def test_what_is_computed_without_layers() -> None:
    inside = network_table(_Functions(), (1, 5, 5))
    assert [(row.kind, row.output_shape, row.n_macs) for row in inside.rows] == [
        ("_Functions", (2, 3, 3), 2 * 9 * 9)
    ]

    class Outer(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = nn.ReLU()

        def forward(self, inputs: torch.Tensor) -> torch.Tensor:
            return self.inner(inputs) @ torch.ones(4, 3)

    table = network_table(Outer(), (4,))
    assert [(row.name, row.n_macs) for row in table.rows] == [
        ("inner", 0),
        ("(outside layers)", 12),
    ]


def test_transposed_and_grouped_convolutions() -> None:
    layers = (
        Choice("transposed_conv", {"out": 4}),
        Choice("depthwise"),
        Choice("global_avg_pool"),
        Choice("linear"),
    )
    table = network_table(build_network(layers, (2, 3, 3), 2), (2, 3, 3))
    # Each of 3 × 3 × 2 numbers goes into 4 · 2 · 2; 6 × 6 × 4 results of 9 numbers each.
    assert [row.n_macs for row in table.rows] == [18 * 16, 144 * 9, 0, 8]
