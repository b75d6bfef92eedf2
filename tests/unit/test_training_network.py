"""Networks from descriptions: what is built, and what is refused."""

from __future__ import annotations

import inspect
import sys
import types
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from snellen.errors import (
    ClassError,
    InputError,
    MissingExtraError,
    SchemaError,
    ShapeError,
)
from snellen.training.choices import Choice
from snellen.training.network.build import build_network, check_outputs
from snellen.training.network.layer_kinds import LAYERS, Layers
from snellen.training.network.named import NETWORKS

IMAGE = (1, 28, 28)


def layers(*plain: Any) -> tuple[Choice, ...]:
    return tuple(Choice.of(each) for each in plain)


def built(*args: Any, **options: Any) -> Layers:
    network = build_network(*args, **options)
    assert isinstance(network, Layers)
    return network


def n_parameters(network: nn.Module) -> int:
    return sum(each.numel() for each in network.parameters())


def test_the_cnn_is_the_one_of_the_benchmark() -> None:
    network = built(Choice("cnn"), IMAGE, 10)
    kinds = [type(each).__name__ for each in network]
    conv = ["Conv2d", "ReLU", "MaxPool2d"]
    assert kinds == [*conv, *conv, "Flatten", "Linear", "ReLU", "Linear"]
    assert network.shapes[-5] == (64, 7, 7)
    # 1·32·9 + 32, 32·64·9 + 64, 3136·128 + 128, 128·10 + 10
    assert n_parameters(network) == 320 + 18_496 + 401_536 + 1_290
    assert network(torch.zeros(2, *IMAGE)).shape == (2, 10)


def test_the_fully_connected_network() -> None:
    network = built(Choice("fc"), IMAGE, 10)
    # 784·512 + 512, 512·10 + 10
    assert n_parameters(network) == 401_920 + 5_130
    deeper = built(Choice("fc", {"hidden": [8, 4], "activation": "tanh", "dropout": 0.1}), (3,), 1)
    assert [name for name, _ in deeper.named_children()] == [
        "0_linear",
        "1_tanh",
        "2_dropout",
        "3_linear",
        "4_tanh",
        "5_dropout",
        "6_linear",
    ]


def test_the_fast_network_pools_first() -> None:
    network = built(Choice("cnn_fast"), IMAGE, 10)
    kinds = [type(each).__name__ for each in network]
    assert kinds[:4] == ["Conv2d", "MaxPool2d", "BatchNorm2d", "ReLU"]
    # Filters 288 + 18,432 + 73,728; two numbers a channel: 2·224; 128·3·3·10 + 10.
    assert n_parameters(network) == 92_448 + 448 + 11_530


def test_the_residual_network() -> None:
    network = built(Choice("resnet_small", {"widths": [4, 8], "blocks": 1}), (3, 7, 7), 5)
    # First 3·4·9 + 8. A block of 4: 2·(4·4·9 + 8); one of 8: 4·8·9 + 16 + 8·8·9 + 16, and its
    # projection 4·8 + 16. Last 8·5 + 5.
    assert n_parameters(network) == 116 + 304 + 896 + 48 + 45
    assert network.shapes[5] == (8, 4, 4)
    assert network(torch.randn(2, 3, 7, 7)).shape == (2, 5)


def test_the_u_net_keeps_the_size() -> None:
    network = built(Choice("unet_small", {"widths": [4, 8, 8]}), (3, 8, 12), 6, task="segmentation")
    assert network(torch.randn(2, 3, 8, 12)).shape == (2, 6, 8, 12)


@pytest.mark.parametrize("name", NETWORKS)
def test_a_description_builds_the_same_network_again(name: str) -> None:
    task = "segmentation" if name == "unet_small" else "classification"
    first = built(Choice(name), (2, 16, 16), 4, task=task, seed=3)
    again = built(layers(*first.description), (2, 16, 16), 4, task=task, seed=3)
    assert again.description == first.description
    assert again.shapes == first.shapes
    assert str(again) == str(first)
    assert again.state_dict().keys() == first.state_dict().keys()
    for key, value in first.state_dict().items():
        assert torch.equal(again.state_dict()[key], value)


def test_the_last_size_may_be_left_out() -> None:
    plain = [{"name": "conv", "out": 3}, "conv", "global_avg_pool"]
    network = built(layers(*plain), IMAGE, 7)
    assert network.shapes == ((3, 28, 28), (7, 28, 28), (7,))
    assert network.description[1] == {"name": "conv", "out": 7}


def test_a_layer_that_does_not_fit_is_named_with_shapes_and_line() -> None:
    choice = (
        Choice("conv", {"out": 4}, "net.toml line 3 network[0]"),
        Choice("linear", {}, "net.toml line 7 network[1]"),
    )
    with pytest.raises(ShapeError) as caught:
        build_network(choice, (1, 8, 8), 10)
    assert str(caught.value) == (
        "expected (features,), got (4, 8, 8): put flatten or global_avg_pool before it (layer "
        "1_linear, behind 0_conv (4, 8, 8)) - at net.toml line 7 network[1]"
    )


@pytest.mark.parametrize(
    ("plain", "kind", "message"),
    [
        (["convv"], InputError, 'got "convv". Did you mean "conv"? - at network[0]'),
        (
            [{"name": "conv", "kernle": 3}],
            SchemaError,
            'got "kernle". Did you mean "kernel"? - at network[0]',
        ),
        (["conv", "flatten", "linear"], SchemaError, "expected out of conv, it is not given"),
        (["flatten", {"name": "conv", "out": 2}], ShapeError, "behind 0_flatten (784,)"),
        ([{"name": "conv", "out": 2, "kernel": 2}], InputError, "expected an odd kernel"),
        ([{"name": "conv", "out": 2, "stride": 0}], InputError, "expected stride from 1, got 0"),
        ([{"name": "conv", "out": 2, "padding": -1}], InputError, "expected padding from 0"),
        ([{"name": "conv", "out": 2, "groups": 2}], ShapeError, "that 2 groups can share, got 1"),
        (
            [{"name": "conv", "out": 2, "kernel": "3"}],
            SchemaError,
            ": '3' - at network[0] kernel",
        ),
        ([{"name": "max_pool", "kernel": 29}], ShapeError, "a kernel of 29 pixels fits into"),
        ([{"name": "max_pool", "padding": 2}], InputError, "at most half the kernel 2, got 2"),
        ([{"name": "group_norm"}], ShapeError, "expected channels that 8 groups can share, got 1"),
        ([{"name": "dropout", "p": 1.0}], InputError, "expected a probability from 0 and below 1"),
        (
            [{"name": "residual", "layers": ["max_pool"], "shortcut": "identity"}],
            ShapeError,
            "expected layers that keep the shape (1, 28, 28), got (1, 14, 14)",
        ),
        (
            [{"name": "residual", "layers": ["relu", "lineal"]}],
            InputError,
            'Did you mean "linear"? - at network[0] layers[1]',
        ),
        ([{"name": "residual", "layers": []}], SchemaError, "expected at least one layer"),
        (
            [{"name": "residual", "layers": ["flatten"]}],
            ShapeError,
            "that give an image, got (784,)",
        ),
        ([{"name": "skip", "layers": ["max_pool"]}], ShapeError, "that keep height and width"),
        (
            [{"name": "transposed_conv", "out": 2, "output_padding": 2}],
            InputError,
            "expected output_padding below the stride 2, got 2",
        ),
        (["flatten", {"name": "linear", "out": 11}], ClassError, "got 11 from 1_linear"),
        ([{"name": "conv", "out": 10}], ShapeError, "expected the shape (10,) for classification"),
        ([], SchemaError, "expected at least one layer, got none - at network"),
    ],
)
def test_what_is_refused(plain: list[Any], kind: type[InputError], message: str) -> None:
    with pytest.raises(kind) as caught:
        build_network(layers(*plain), IMAGE, 10)
    assert type(caught.value) is kind
    assert message in str(caught.value)


def test_what_is_refused_by_name() -> None:
    with pytest.raises(InputError, match='Did you mean "resnet_small"'):
        build_network(Choice("resnet"), IMAGE, 10)
    with pytest.raises(SchemaError, match='Did you mean "widths"'):
        build_network(Choice("cnn", {"width": [3]}), IMAGE, 10)
    with pytest.raises(InputError, match=r"expected blocks from 1, got 0 - at a\.toml"):
        build_network(Choice("resnet_small", {"blocks": 0}, "a.toml"), IMAGE, 10)
    with pytest.raises(InputError, match="at least one width"):
        build_network(Choice("resnet_small", {"widths": []}), IMAGE, 10)
    with pytest.raises(ShapeError, match="is the size divisible by the pooling"):
        build_network(Choice("unet_small"), (1, 30, 32), 2, task="segmentation")


def user_module(monkeypatch: pytest.MonkeyPatch, **content: Any) -> None:
    module = types.ModuleType("users_networks")
    vars(module).update(content)
    monkeypatch.setitem(sys.modules, "users_networks", module)


def small(n_outputs: int, input_shape: tuple[int, ...], width: int = 4) -> nn.Module:
    n_features = input_shape[0] * input_shape[1] * input_shape[2]
    return nn.Sequential(
        nn.Flatten(), nn.Linear(n_features, width), nn.ReLU(), nn.LazyLinear(n_outputs)
    )


def test_a_module_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    user_module(monkeypatch, small=small)
    torch.manual_seed(5)
    drawn = torch.get_rng_state()
    choice = Choice("users_networks:small", {"width": 6})
    first = build_network(choice, IMAGE, 3, seed=1)
    assert torch.equal(torch.get_rng_state(), drawn)
    assert [tuple(each.shape) for each in first.parameters()] == [(6, 784), (6,), (3, 6), (3,)]
    assert all(each.training for each in first.modules())
    again = build_network(choice, IMAGE, 3, seed=1)
    other = build_network(choice, IMAGE, 3, seed=2)
    for one, two, three in zip(*(each.parameters() for each in (first, again, other)), strict=True):
        assert torch.equal(one, two)
        assert not torch.equal(one, three)


def test_an_initialisation_of_a_users_module(monkeypatch: pytest.MonkeyPatch) -> None:
    user_module(monkeypatch, small=small)
    choice = Choice("users_networks:small")
    network = build_network(choice, IMAGE, 3, initialisation=Choice("zeros"))
    assert not any(bool(each.any()) for each in network.parameters())


def test_what_is_refused_of_a_user(monkeypatch: pytest.MonkeyPatch) -> None:
    user_module(monkeypatch, small=small, number=lambda: 3, broken=lambda: nn.Linear(5, 3))

    def refused(name: str, **options: Any) -> str:
        with pytest.raises(InputError) as caught:
            build_network(Choice(f"users_networks:{name}", options, "a.toml"), IMAGE, 3)
        return str(caught.value)

    assert 'expected a function of users_networks, got "smal". Did you mean "small"?' in refused(
        "smal"
    )
    assert 'got "widht". Did you mean "width"? - at a.toml' in refused("small", widht=2)
    assert "expected a torch.nn.Module from users_networks:number, got int" in refused("number")
    assert "samples of shape (1, 28, 28), it fails: mat1 and mat2" in refused("broken")
    assert "got 4 from the network" in refused("small", n_outputs=4)
    with pytest.raises(InputError, match='got "no_such_module": is it in the working directory'):
        build_network(Choice("no_such_module:net"), IMAGE, 3)


def test_a_module_in_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_nets_of_here.py").write_text(
        "from torch import nn\n\n"
        "def net():\n"
        "    return nn.Sequential(nn.Flatten(), nn.Linear(784, 3))\n"
    )
    (tmp_path / "my_broken_net.py").write_text("import not_installed_anywhere\n")
    monkeypatch.chdir(tmp_path)
    before = list(sys.path)
    assert n_parameters(build_network(Choice("my_nets_of_here:net"), IMAGE, 3)) == 784 * 3 + 3
    with pytest.raises(InputError, match=r"my_broken_net.*not_installed_anywhere"):
        build_network(Choice("my_broken_net:net"), IMAGE, 3)
    assert sys.path == before
    sys.modules.pop("my_nets_of_here")


def test_the_number_of_outputs_by_task() -> None:
    pair = nn.Sequential(nn.Flatten(), nn.Linear(4, 2))
    check_outputs(pair, (4,), 2, "regression")
    with pytest.raises(ClassError, match="one for each column of the targets, got 2"):
        check_outputs(pair, (4,), 1, "regression", "a.toml")
    with pytest.raises(ShapeError, match=r"expected the shape \(2, 5, 5\) for segmentation"):
        check_outputs(nn.Conv2d(1, 2, 3), (1, 5, 5), 2, "segmentation")
    with pytest.raises(InputError, match="expected a tensor from the network, got NoneType"):
        check_outputs(_Nothing(), (4,), 2, "regression")


class _Nothing(nn.Module):
    def forward(self, inputs: torch.Tensor) -> None:
        del inputs


def library(monkeypatch: pytest.MonkeyPatch, name: str, **content: Any) -> None:
    for part in (name, f"{name}.models"):
        module = types.ModuleType(part)
        vars(module).update(content)
        monkeypatch.setitem(sys.modules, part, module)


def test_networks_of_timm(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def create_model(name: str, **settings: Any) -> nn.Module:
        asked.append((name, settings))
        return nn.Sequential(nn.Flatten(), nn.Linear(784, settings["num_classes"]))

    library(
        monkeypatch,
        "timm",
        is_model=lambda name: name == "resnet18",
        list_models=lambda: ["resnet18"],
        create_model=create_model,
    )
    build_network(Choice("timm:resnet18", {"pretrained": True}), IMAGE, 3)
    assert asked == [("resnet18", {"num_classes": 3, "in_chans": 1, "pretrained": True})]
    with pytest.raises(InputError, match='Did you mean "resnet18"'):
        build_network(Choice("timm:resnet81"), IMAGE, 3)
    with pytest.raises(InputError, match="initialisation auto for a pretrained network, got zeros"):
        build_network(
            Choice("timm:resnet18", {"pretrained": True}), IMAGE, 3, initialisation=Choice("zeros")
        )


def test_networks_of_torchvision(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def get_model(name: str, weights: str | None, num_classes: int = 1000) -> nn.Module:
        asked.append((name, weights))
        body = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())
        return (
            nn.ModuleDict() if name == "empty" else nn.Sequential(body, nn.Linear(3, num_classes))
        )

    names = ["resnet18", "empty"]
    library(monkeypatch, "torchvision", list_models=lambda: names, get_model=get_model)
    new = build_network(Choice("torchvision:resnet18"), (3, 8, 8), 4)
    tuned = build_network(Choice("torchvision:resnet18", {"pretrained": True}), (3, 8, 8), 4)
    assert asked == [("resnet18", None), ("resnet18", "DEFAULT")]
    assert n_parameters(new) == n_parameters(tuned) == 16
    with pytest.raises(InputError, match='read the data with mode = "RGB"'):
        build_network(Choice("torchvision:resnet18"), IMAGE, 4)
    with pytest.raises(InputError, match='Did you mean "resnet18"'):
        build_network(Choice("torchvision:resnet81"), (3, 8, 8), 4)
    with pytest.raises(InputError, match="ends in a linear layer"):
        build_network(Choice("torchvision:empty", {"pretrained": True}), (3, 8, 8), 4)


@pytest.mark.parametrize("name", ["timm", "torchvision"])
def test_a_library_that_is_missing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.setitem(sys.modules, f"{name}.models", None)
    with pytest.raises(MissingExtraError, match=name):
        build_network(Choice(f"{name}:resnet18"), (3, 8, 8), 4)


def test_the_reference_lists_every_kind_and_option() -> None:
    page = (Path(__file__).parents[2] / "docs" / "reference" / "layers.md").read_text("utf-8")
    for table in (LAYERS, NETWORKS):
        for name, function in table.items():
            row = next((line for line in page.splitlines() if line.startswith(f"| `{name}`")), "")
            assert row, name
            for option, parameter in inspect.signature(function).parameters.items():
                given = option in ("place", "input_shape")
                if parameter.kind is parameter.KEYWORD_ONLY and not given:
                    assert f"`{option}" in row, (name, option)
