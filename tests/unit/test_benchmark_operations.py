from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from snellen.benchmark.operations import (
    onnx_macs,
    onnx_parameters,
    torch_macs,
    torch_parameters,
)

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.entry = nn.Linear(16, 3 * 16, bias=False)

    def forward(self, tokens: "torch.Tensor") -> "torch.Tensor":
        n, length, _ = tokens.shape
        query, key, value = self.entry(tokens).reshape(n, length, 3, 4, 4).permute(2, 0, 3, 1, 4)
        seen = nn.functional.scaled_dot_product_attention(query, key, value)
        return seen.transpose(1, 2).flatten(2).mean(1)


class Elsewhere(nn.Module):
    def forward(self, values: "torch.Tensor") -> "torch.Tensor":
        return torch.from_numpy(values.numpy() @ values.numpy().T)


def _small() -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1, bias=False),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Conv2d(8, 8, 3, stride=2, padding=1, groups=8),
        nn.ReLU(),
        nn.ConvTranspose2d(8, 4, 2, stride=2),
        nn.Flatten(),
        nn.Linear(400, 5),
    )


# 10 × 10 outputs of 8 channels from 3 × 3 × 3; 5 × 5 of 8 from 3 × 3 each; each of 5 × 5 × 8
# inputs to 2 × 2 × 4; 400 to 5.
_SMALL_MACS = 10 * 10 * 8 * 27 + 5 * 5 * 8 * 9 + 5 * 5 * 8 * 16 + 400 * 5
# Kernels, with biases where there are any, and scale and shift of the normalisation.
_SMALL_PARAMETERS = 8 * 27 + 2 * 8 + 8 * 9 + 8 + 8 * 4 * 4 + 4 + 400 * 5 + 5


@pytest.mark.parametrize(
    ("module", "shape", "expected"),
    [
        (nn.Conv2d(3, 8, 3, padding="same"), (3, 10, 10), 10 * 10 * 8 * 27),
        (nn.Conv2d(4, 8, 3, groups=2), (4, 6, 6), 4 * 4 * 8 * 2 * 9),
        (nn.Linear(7, 3), (7,), 21),
        # In: 10 × 16 × 48. Four heads of width 4: 10 × 10 × 4 each for weights, and for sums.
        (Attention(), (10, 16), 10 * 16 * 48 + 2 * 4 * 10 * 10 * 4),
        (_small(), (3, 10, 10), _SMALL_MACS),
    ],
)
def test_products_of_torch(module: nn.Module, shape: Sequence[int], expected: int) -> None:
    assert torch_macs(module, torch.zeros(1, *shape)) == expected
    assert torch_macs(module, torch.zeros(3, *shape)) == expected


def test_fused_attention_is_counted() -> None:
    layer = nn.TransformerEncoderLayer(16, 4, 32, batch_first=True)
    # As above, what the heads say brought together, and two layers of 16 to 32 and back.
    expected = 10 * 16 * 48 + 2 * 10 * 10 * 16 + 10 * 16 * 16 + 2 * 10 * 16 * 32
    assert torch_macs(layer, torch.zeros(2, 10, 16)) == expected


def test_a_module_stays_as_it_was() -> None:
    module = _small().train()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    torch_macs(module, torch.ones(2, 3, 10, 10))
    assert module.training
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name])


def test_what_torch_cannot_count() -> None:
    assert torch_macs(nn.ReLU(), torch.zeros(1, 3)) is None
    assert torch_macs(nn.Linear(3, 2), torch.zeros(1, 4)) is None
    assert torch_macs(Elsewhere(), torch.zeros(1, 4)) is None


def test_parameters_are_what_was_learnt() -> None:
    module = _small()
    assert torch_parameters(module) == _SMALL_PARAMETERS
    for parameter in module.parameters():
        parameter.requires_grad_(False)
    assert torch_parameters(module) == _SMALL_PARAMETERS


onnx = pytest.importorskip("onnx")
helper = pytest.importorskip("onnx.helper")
FLOAT, INT8 = 1, 3


def _save(
    path: Path,
    nodes: Sequence[object],
    constants: dict[str, np.ndarray],
    shape: Sequence[int | str],
    *,
    functions: Sequence[object] = (),
) -> str:
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", FLOAT, shape)],
        [helper.make_tensor_value_info("y", FLOAT, None)],
        [onnx.numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    opsets = [helper.make_opsetid("", 20), helper.make_opsetid("own", 1)]
    onnx.save(helper.make_model(graph, opset_imports=opsets, functions=functions), path)
    return str(path)


def _floats(*shape: int) -> np.ndarray:
    return np.ones(shape, np.float32)


# torch warns of what it uses itself.
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_the_same_network_as_onnx(tmp_path: Path) -> None:
    module = _small().eval()
    example = torch.zeros(2, 3, 10, 10)
    path = tmp_path / "small.onnx"
    # Optimised it would have no normalisation, which goes into the convolution before it.
    torch.onnx.export(module, (example,), path, dynamo=True, optimize=False, verbose=False)
    assert _has(path, "BatchNormalization")
    assert onnx_macs(str(path)) == torch_macs(module, example) == _SMALL_MACS
    assert onnx_parameters(str(path)) == torch_parameters(module) == _SMALL_PARAMETERS


def _has(path: Path, kind: str) -> bool:
    return any(node.op_type == kind for node in onnx.load(path).graph.node)


@pytest.mark.filterwarnings("ignore::FutureWarning")
@pytest.mark.parametrize("opset", [18, 23])
def test_attention_as_onnx(tmp_path: Path, opset: int) -> None:
    module, example = Attention().eval(), torch.zeros(2, 10, 16)
    path = tmp_path / "attention.onnx"
    torch.onnx.export(
        module,
        (example,),
        path,
        dynamo=True,
        opset_version=opset,
        dynamic_shapes=({0: torch.export.Dim("n")},),
        verbose=False,
    )
    assert _has(path, "Attention") == (opset == 23)
    assert onnx_macs(str(path)) == torch_macs(module, example)


def test_products_of_onnx(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Conv", ["x", "k"], ["a"], group=2, pads=[1, 1, 1, 1]),
        helper.make_node("ReduceMean", ["a", "axes"], ["b"], keepdims=0),
        helper.make_node("Gemm", ["b", "w", "c"], ["d"], transB=1),
        helper.make_node("MatMul", ["d", "v"], ["y"]),
    ]
    constants = {
        "k": _floats(8, 2, 3, 3),
        "axes": np.array([2, 3]),
        "w": _floats(5, 8),
        "c": _floats(5),
        "v": _floats(5, 2),
    }
    macs = 10 * 10 * 8 * 2 * 9 + 8 * 5 + 5 * 2
    parameters = 8 * 2 * 9 + 5 * 8 + 5 + 5 * 2
    for n in ("batch", 1, 4):
        path = _save(tmp_path / f"{n}.onnx", nodes, constants, [n, 4, 10, 10])
        assert onnx_macs(path) == macs
        assert onnx_parameters(path) == parameters


def test_turned_products(tmp_path: Path) -> None:
    nodes = [helper.make_node("Gemm", ["x", "w"], ["y"], transA=1)]
    path = _save(tmp_path / "turned.onnx", nodes, {"w": _floats(6, 2)}, [6, 5])
    # (5, 6) times (6, 2); "one image" is what the first side says.
    assert onnx_macs(path) == 5 * 6 * 2 // 6


def test_sizes_that_a_file_leaves_open(tmp_path: Path) -> None:
    nodes = [helper.make_node("Conv", ["x", "k"], ["y"])]
    path = _save(tmp_path / "open.onnx", nodes, {"k": _floats(2, 3, 1, 1)}, ["n", 3, "h", "w"])
    assert onnx_macs(path) is None
    assert onnx_macs(path, (1, 3, 7, 5)) == 7 * 5 * 2 * 3


def test_a_quantised_network(tmp_path: Path) -> None:
    scale, zero = np.float32(0.5), np.int8(0)
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"]),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["p"]),
        helper.make_node("DequantizeLinear", ["k", "each", "zeros"], ["kernel"], axis=0),
        helper.make_node("Conv", ["p", "kernel", "b"], ["c"]),
        helper.make_node("QuantizeLinear", ["c", "s", "z"], ["e"]),
        helper.make_node("QLinearConv", ["e", "s", "z", "m", "s", "z", "s", "z"], ["f"]),
        helper.make_node("DequantizeLinear", ["f", "s", "z"], ["y"]),
    ]
    constants = {
        "s": np.array(scale),
        "z": np.array(zero),
        "each": _floats(4),
        "zeros": np.zeros(4, np.int8),
        "k": np.ones((4, 3, 1, 1), np.int8),
        "b": _floats(4),
        "m": np.ones((2, 4, 1, 1), np.int8),
    }
    path = _save(tmp_path / "quantised.onnx", nodes, constants, ["n", 3, 6, 6])
    assert onnx_macs(path) == 36 * (4 * 3 + 2 * 4)
    # A scale for each channel is none of what was learnt.
    assert onnx_parameters(path) == 4 * 3 + 4 + 2 * 4


def test_statistics_and_single_numbers_are_no_parameters(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("BatchNormalization", ["x", "scale", "shift", "mean", "var"], ["a"]),
        helper.make_node("Mul", ["a", "half"], ["b"]),
        helper.make_node("Constant", [], ["k"], value=onnx.numpy_helper.from_array(_floats(3))),
        helper.make_node("Mul", ["b", "turned"], ["c"]),
        helper.make_node("Add", ["c", "k"], ["y"]),
    ]
    constants = {name: _floats(3) for name in ("scale", "shift", "mean", "var", "never")}
    constants |= {"half": np.array(np.float32(0.5)), "turned": _floats(3)}
    path = _save(tmp_path / "norm.onnx", nodes, constants, ["n", 3])
    # Scale, shift, `turned`, and the constant; what no node takes is nothing.
    assert onnx_parameters(path) == 4 * 3
    assert onnx_macs(path) is None


def test_functions_of_a_file_are_followed(tmp_path: Path) -> None:
    inner = helper.make_function(
        "own",
        "Dense",
        ["a", "b"],
        ["c"],
        [helper.make_node("MatMul", ["a", "b"], ["c"])],
        [helper.make_opsetid("", 20)],
    )
    nodes = [helper.make_node("Dense", ["x", "w"], ["y"], domain="own")]
    path = _save(
        tmp_path / "function.onnx", nodes, {"w": _floats(3, 4)}, ["n", 3], functions=[inner]
    )
    assert onnx_macs(path) == 12
    assert onnx_parameters(path) == 12


def test_operators_that_are_not_counted(tmp_path: Path) -> None:
    weights = {"w": _floats(3, 4)}
    own = [helper.make_node("Dense", ["x", "w"], ["y"], domain="own")]
    assert onnx_macs(_save(tmp_path / "own.onnx", own, weights, ["n", 3])) is None
    sums = [helper.make_node("Einsum", ["x", "w"], ["y"], equation="ni,ij->nj")]
    assert onnx_macs(_save(tmp_path / "sums.onnx", sums, weights, ["n", 3])) is None
    branch = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["z"])],
        "branch",
        [],
        [helper.make_tensor_value_info("z", FLOAT, None)],
    )
    nodes = [
        helper.make_node("If", ["yes"], ["y"], then_branch=branch, else_branch=branch),
    ]
    chosen = {**weights, "yes": np.array(True)}
    path = _save(tmp_path / "branch.onnx", nodes, chosen, ["n", 3])
    assert onnx_macs(path) is None
    assert onnx_parameters(path) == 12


def test_weights_beside_the_file(tmp_path: Path) -> None:
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    path = _save(tmp_path / "whole.onnx", nodes, {"w": _floats(30, 40)}, ["n", 30])
    model = onnx.load(path)
    beside = str(tmp_path / "parts.onnx")
    onnx.save(model, beside, save_as_external_data=True, size_threshold=0, location="weights")
    (tmp_path / "weights").unlink()  # neither is asked for them
    assert onnx_macs(beside) == onnx_parameters(beside) == 1200


def test_no_onnx_file(tmp_path: Path) -> None:
    broken = tmp_path / "broken.onnx"
    broken.write_bytes(b"nothing of the kind")
    for path in (broken, tmp_path / "none.onnx"):
        assert onnx_macs(str(path)) is None
        assert onnx_parameters(str(path)) is None


def test_without_the_package_onnx(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    path = _save(tmp_path / "some.onnx", nodes, {"w": _floats(3, 4)}, ["n", 3])
    assert onnx_macs(path) == 12
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    assert onnx_macs(path) is None
    assert onnx_parameters(path) is None
