"""What an ONNX file says of its network: where the weights are, and how it ends."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["OnnxGraph", "parsed_model", "read_graph"]

# What changes no number on the way from a softmax to an output.
_PASSED_ON = frozenset(("Identity", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Cast"))


class OnnxGraph(NamedTuple):
    """A graph, looked at.

    Attributes
    ----------
    files : tuple of str
        The files beside it that hold weights.
    softmax : frozenset of str
        The outputs that a softmax gives.
    dtype : str or None
        The type of most of its weights; None without any.
    is_known : bool
        Whether it could be looked at: not without the package onnx.
    """

    files: tuple[str, ...] = ()
    softmax: frozenset[str] = frozenset()
    dtype: str | None = None
    is_known: bool = False


def read_graph(path: str) -> OnnxGraph:
    """Look at the graph of a file; nothing is known of one that is none."""
    model = parsed_model(path)
    if model is None:
        return OnnxGraph()
    makers = {name: node for node in model.graph.node for name in node.output}
    tensors = list(_tensors(model))
    files = {
        entry.value
        for tensor in tensors
        for entry in tensor.external_data
        if entry.key == "location"
    }
    return OnnxGraph(
        tuple(str(Path(path).parent / name) for name in sorted(files)),
        frozenset(output.name for output in model.graph.output if _is_softmax(output.name, makers)),
        _type_of_most(tensors),
        is_known=True,
    )


def parsed_model(path: str) -> Any | None:
    """Return the model of a file, without weights beside it; None of none, or without onnx."""
    try:
        import onnx
    except ImportError:
        return None
    try:
        return onnx.load(path, load_external_data=False)
    # What runs a file says what is wrong with it.
    except Exception:
        return None


def _tensors(model: Any) -> Iterator[Any]:
    """Return all that may lie in another file: initializers, and tensors in attributes."""
    graphs = [model.graph]
    while graphs:
        graph = graphs.pop()
        yield from graph.initializer
        for node in graph.node:
            for attribute in node.attribute:
                if attribute.HasField("t"):
                    yield attribute.t
                yield from attribute.tensors
                graphs += [*attribute.graphs, *([attribute.g] if attribute.HasField("g") else [])]
    for function in model.functions:
        for node in function.node:
            yield from (each.t for each in node.attribute if each.HasField("t"))


def _type_of_most(tensors: list[Any]) -> str | None:
    import onnx

    numbers: Counter[int] = Counter()
    for tensor in tensors:
        numbers[tensor.data_type] += math.prod(tensor.dims)
    # Sizes and axes are whole numbers, too, and few.
    kinds = [kind for kind, n in numbers.most_common(1) if n]
    if not kinds:
        return None
    name = str(onnx.TensorProto.DataType.Name(kinds[0])).lower()
    return {"float": "float32", "double": "float64"}.get(name, name)


def _is_softmax(name: str, makers: dict[str, Any]) -> bool:
    node = makers.get(name)
    while node is not None and node.op_type in _PASSED_ON:
        node = makers.get(node.input[0])
    return node is not None and node.op_type == "Softmax"
