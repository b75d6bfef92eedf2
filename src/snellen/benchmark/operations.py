"""What a network consists of and costs: its parameters, and multiplications with additions.

Counted are the products of matrices and convolutions, as everybody does who gives MACs; a
published "GFLOPs" is mostly the same number. Normalisations, activations and sums are not.

Parameters are what was learnt: running means and variances of batch normalisation are none. So
ResNet-50 of Keras has 25,583,592 here, and 25,636,712 in Keras' own table, which adds 53,120 of
these.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from snellen.benchmark.onnx_graph import parsed_model

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor, nn

__all__ = ["onnx_macs", "onnx_parameters", "torch_macs", "torch_parameters"]


def torch_parameters(module: nn.Module) -> int:
    """Return how many numbers a module learnt, frozen ones with them; buffers are none."""
    return sum(parameter.numel() for parameter in module.parameters())


def torch_macs(module: nn.Module, example: Tensor) -> int | None:
    """Return the multiplications with additions of one image, by running a module once.

    Parameters
    ----------
    module : nn.Module
        It stays as it is.
    example : Tensor, shape (n, …)
        A batch that it takes.

    Returns
    -------
    int or None
        None where torch cannot count: of a module that computes in operators of its own.
    """
    from torch.utils.flop_counter import FlopCounterMode

    from snellen.training.network.probe import untouched
    from snellen.training.network.summary import unfused

    try:
        with untouched(module), unfused(), FlopCounterMode(display=False) as counter:
            module(example)
    # What cannot be traced can run all the same, and what cannot run is said when it shall.
    except Exception:
        return None
    # Two operations each.
    return counter.get_total_flops() // 2 // len(example) or None


def onnx_parameters(path: str) -> int | None:
    """Return how many numbers an ONNX file has learnt; None where the package onnx is missing.

    Counted are constants of floating point, and the integers that stand for such in a quantised
    network. A file does not say what was learnt: single numbers (factors, bounds), running
    statistics, scales of a quantisation and sizes are left out, a mean and deviation of colours
    that the network takes off itself are not. Where batch normalisation was folded into the
    convolutions before it, its numbers are gone.
    """
    model = parsed_model(path)
    if model is None:
        return None
    held = {}
    for tensor in model.graph.initializer:
        held[tensor.name] = tensor
    used: dict[str, int] = {}
    for node in _nodes(model.graph):
        held.update((node.output[0], tensor) for tensor in _constants(node))
    for node in _nodes(model.graph):
        for slot, name in enumerate(node.input):
            tensor = held.get(name)
            if tensor is not None and tensor.dims and _is_learnt(node, slot, tensor.data_type):
                used[name] = math.prod(tensor.dims)
    return sum(used.values())


def onnx_macs(path: str, shape: Sequence[int] | None = None) -> int | None:
    """Return the multiplications with additions of one image in an ONNX graph.

    Parameters
    ----------
    path : str
        The file; weights in files beside it are not read.
    shape : sequence of int, optional
        Of the input, with the batch, where the file leaves more open than the size of a batch.

    Returns
    -------
    int or None
        None where the package onnx is missing, where shapes stay unknown, and for operators that
        are not counted though they multiply: recurrent ones, those in branches and loops, and
        those that are not ONNX' own.
    """
    model = parsed_model(path)
    if model is None:
        return None
    model = _with_shapes(model, shape)
    if model is None:
        return None
    graph = model.graph
    shapes = _shapes(graph)
    total = 0
    for node in graph.node:
        if not _is_plain(node):
            return None
        if node.op_type in _MACS:
            try:
                total += _MACS[node.op_type](node, shapes)
            except KeyError:
                return None
    inputs = _inputs(graph)
    n = shapes[inputs[0].name][0] if inputs else 1
    return total // n or None


def _conv(node: Any, shapes: dict[str, tuple[int, ...]]) -> int:
    weights = shapes[node.input[3 if node.op_type == "QLinearConv" else 1]]
    return math.prod(shapes[node.output[0]]) * math.prod(weights[1:])


def _transposed_conv(node: Any, shapes: dict[str, tuple[int, ...]]) -> int:
    return math.prod(shapes[node.input[0]]) * math.prod(shapes[node.input[1]][1:])


def _product(node: Any, shapes: dict[str, tuple[int, ...]]) -> int:
    turned = any(each.name == "transA" and each.i for each in node.attribute)
    common = shapes[node.input[0]][0 if turned else -1]
    return math.prod(shapes[node.output[0]]) * common


_MACS = {
    "Conv": _conv,
    "ConvInteger": _conv,
    "QLinearConv": _conv,
    "ConvTranspose": _transposed_conv,
    "Gemm": _product,
    "MatMul": _product,
    "MatMulInteger": _product,
    "QLinearMatMul": _product,
}
_UNCOUNTED = {"DeformConv", "Einsum", "GRU", "LSTM", "RNN"}
_OWN_DOMAINS = {"", "ai.onnx", "ai.onnx.ml"}

# Inputs of floating point that nobody learnt: statistics, scales, bounds and sizes.
_NOT_LEARNT = {
    "BatchNormalization": {3, 4},
    "Clip": {1, 2},
    "DequantizeLinear": {1},
    "QuantizeLinear": {1, 2},
    "QLinearConv": {1, 4, 6},
    "QLinearMatMul": {1, 4, 6},
    "Resize": {1, 2},
    "Upsample": {1},
}
# Integers that stand for numbers that were learnt.
_LEARNT_INTEGERS = {
    "ConvInteger": {1},
    "DequantizeLinear": {0},
    "MatMulInteger": {1},
    "QLinearConv": {3, 8},
    "QLinearMatMul": {3},
}


def _is_learnt(node: Any, slot: int, data_type: int) -> bool:
    import onnx

    floats = (
        onnx.TensorProto.FLOAT,
        onnx.TensorProto.FLOAT16,
        onnx.TensorProto.BFLOAT16,
        onnx.TensorProto.DOUBLE,
    )
    if data_type in floats:
        return slot not in _NOT_LEARNT.get(node.op_type, ())
    return slot in _LEARNT_INTEGERS.get(node.op_type, ())


def _is_plain(node: Any) -> bool:
    """Return whether what a node multiplies can be counted from its own shapes."""
    if node.domain not in _OWN_DOMAINS or node.op_type in _UNCOUNTED:
        return False
    inner = (each for graph in _inner(node) for each in _nodes(graph))
    return not any(each.op_type in _MACS or not _is_plain(each) for each in inner)


def _inner(node: Any) -> Iterator[Any]:
    for each in node.attribute:
        if each.HasField("g"):
            yield each.g
        yield from each.graphs


def _nodes(graph: Any) -> Iterator[Any]:
    """Yield the nodes of a graph, those in branches and loops with them."""
    for node in graph.node:
        yield node
        for inner in _inner(node):
            yield from _nodes(inner)


def _constants(node: Any) -> list[Any]:
    if node.op_type != "Constant":
        return []
    return [each.t for each in node.attribute if each.name == "value"]


def _inputs(graph: Any) -> list[Any]:
    """Return the inputs that are none of the weights, which old files list among them."""
    held = {tensor.name for tensor in graph.initializer}
    return [each for each in graph.input if each.name not in held]


def _with_shapes(model: Any, shape: Sequence[int] | None) -> Any | None:
    """Return a graph whose values have shapes, for a batch of one image where it is open."""
    import onnx
    import onnx.inliner

    try:
        model = onnx.inliner.inline_local_functions(model)
        if any(node.op_type == "Attention" and not node.domain for node in model.graph.node):
            model = onnx.inliner.inline_selected_functions(
                model, [("", "Attention")], inline_schema_functions=True
            )
        for k, each in enumerate(_inputs(model.graph)):
            dims = each.type.tensor_type.shape.dim
            known = shape if k == 0 else None
            for place, dim in enumerate(dims):
                if known is not None and place < len(known):
                    dim.dim_value = known[place]
                elif place == 0 and not dim.dim_value:
                    dim.dim_value = 1
        # Those of the file are for a batch of any size.
        del model.graph.value_info[:]
        return onnx.shape_inference.infer_shapes(model, data_prop=True)
    # Graphs of more than 2 GB, of operators that onnx does not know, or that contradict themselves.
    except Exception:
        return None


def _shapes(graph: Any) -> dict[str, tuple[int, ...]]:
    """Return the shape of each value, where it is known whole."""
    found = {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
    for node in graph.node:
        found.update((node.output[0], tuple(tensor.dims)) for tensor in _constants(node))
    for value in (*graph.input, *graph.value_info, *graph.output):
        sizes = tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)
        if sizes and all(sizes):
            found.setdefault(value.name, sizes)
    return found
