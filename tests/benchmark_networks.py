"""Five small networks for a benchmark, images that they know, and what NumPy says they give."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SIDE, N_OF_CLASS = 8, 15
CLASSES: Final = ("ant", "bee", "cat", "dog", "eel", "fox")
N: Final = N_OF_CLASS * len(CLASSES)
K: Final = len(CLASSES)

# Somebody's module: it prints where a result is expected, and can be made to wait or to fail.
MODULE = """
import os, sys, time
from pathlib import Path
import numpy as np, torch
from torch import nn

print('{"imported": true}')
os.write(1, b"and past Python\\n")
HERE = Path(__file__).parent


class Hidden(nn.Module):
    has_printed = False

    def __init__(self):
        super().__init__()
        with np.load(HERE / "hidden.npz") as found:
            self.weights = nn.ParameterList(
                nn.Parameter(torch.from_numpy(found[key]), requires_grad=False)
                for key in ("first", "second")
            )

    def forward(self, images):
        if not self.has_printed:
            print("[]")
        self.has_printed = True
        return torch.tanh(images.flatten(1) @ self.weights[0]) @ self.weights[1]


def hidden():
    return Hidden()


class Changed(Hidden):
    def __init__(self, change):
        super().__init__()
        self.change = change

    def forward(self, images):
        return self.change(super().forward(images))


def waiting():
    '''Waits for as long as there is the file ``hold``, and one of the pattern in it.'''

    def wait(scores):
        hold = Path("hold")
        while hold.exists() and list(Path().glob(hold.read_text())):
            time.sleep(0.02)
        return scores

    return Changed(wait)


def counting():
    calls = []

    def count(scores):
        calls.append(1)
        return scores + len(calls)

    return Changed(count)


def dying():
    '''Is killed while it predicts.'''
    return Changed(lambda scores: os.kill(os.getpid(), 9) if len(scores) > 2 else scores)


def full():
    '''Finds no room for its scores.'''
    import errno
    import snellen.benchmark.store as store

    def refuse(files):
        raise OSError(errno.ENOSPC, "No space left on device", str(next(iter(files))))

    store.write_atomically = refuse
    return Hidden()


def failing():
    raise RuntimeError("no weights\\n  here")


def needing():
    import no_such_package
"""


def pixels(seed: int = 0) -> NDArray[np.uint8]:
    """Return images (N, SIDE, SIDE, 3): each class has a pattern, under noise."""
    random = np.random.default_rng(7)
    patterns = random.integers(60, 196, (K, SIDE, SIDE, 3))
    noise = np.random.default_rng(seed).normal(0, 90, (K, N_OF_CLASS, SIDE, SIDE, 3))
    made = np.clip(patterns[:, None] + noise, 0, 255).astype(np.uint8)
    return made.reshape(N, SIDE, SIDE, 3)


def truth() -> NDArray[np.int64]:
    """Return the class of each image."""
    return np.repeat(np.arange(K), N_OF_CLASS)


def write_images(folder: Path) -> Path:
    """Write a folder for each class; return it."""
    for k, image in enumerate(pixels()):
        place = folder / CLASSES[k // N_OF_CLASS]
        place.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(place / f"{k:03d}.png")
    return folder


def _relu(x: NDArray[Any]) -> NDArray[Any]:
    return np.maximum(x, 0)


def _readout(features: Callable[[NDArray[Any]], NDArray[Any]], seed: int) -> NDArray[np.float32]:
    """Return the matrix that makes scores of features, learnt from other noise."""
    x = features(pixels(seed) / 255)
    target = 4.0 * (truth()[:, None] == np.arange(K))
    gram = x.T @ x + 0.3 * np.eye(x.shape[1])
    return np.linalg.solve(gram, x.T @ target).astype(np.float32)


def _flat(x: NDArray[Any]) -> NDArray[Any]:
    """Return images with channels first as rows."""
    return x.transpose(0, 3, 1, 2).reshape(len(x), -1)


def _convolved(kernel: NDArray[Any]) -> Callable[[NDArray[Any]], NDArray[Any]]:
    def features(x: NDArray[Any]) -> NDArray[Any]:
        windows = np.lib.stride_tricks.sliding_window_view(x, (3, 3), (1, 2))
        maps = np.einsum("nhwcij,ocij->nohw", windows, kernel.astype(np.float64))
        return _relu(maps).reshape(len(x), -1)

    return features


def softmax(x: NDArray[Any]) -> NDArray[Any]:
    shifted = np.exp(x - x.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def write_networks(folder: Path) -> tuple[dict[str, str], dict[str, NDArray[np.float64]]]:
    """Write five networks; return how they are named for the command, and what they give.

    What they give is computed here, by NumPy in float64, from the same pixels.
    """
    import keras
    import torch

    x = pixels() / 255
    random = np.random.default_rng(3)

    linear = _readout(_flat, 1)
    write_linear(folder / "linear.onnx", linear)

    kernel = random.normal(size=(4, 3, 3, 3)).astype(np.float32)
    maps = _convolved(kernel)
    behind = _readout(maps, 2)
    write_convolution(folder / "convolution, small.onnx", kernel, behind)

    first = random.normal(size=(3 * SIDE * SIDE, 24)).astype(np.float32) / 4

    def hidden(x: NDArray[Any]) -> NDArray[Any]:
        return np.tanh(_flat(x) @ first.astype(np.float64))

    second = _readout(hidden, 3)
    np.savez(folder / "hidden.npz", first=first, second=second)
    (folder / "somebodys.py").write_text(MODULE)

    def rectified(x: NDArray[Any]) -> NDArray[Any]:
        return _relu(_flat(x) @ first[:, :10].astype(np.float64))

    last = _readout(rectified, 4)
    layers = [torch.nn.Linear(*each.shape, bias=False) for each in (first[:, :10], last)]
    for layer, matrix in zip(layers, (first[:, :10], last), strict=True):
        layer.weight.data = torch.from_numpy(matrix.T.copy())
    network = torch.nn.Sequential(torch.nn.Flatten(), layers[0], torch.nn.ReLU(), layers[1])
    batch = torch.export.Dim("batch")
    program = torch.export.export(
        network.eval(), (torch.zeros(2, 3, SIDE, SIDE),), dynamic_shapes=({0: batch},)
    )
    torch.export.save(program, folder / "exported.pt2")

    def raw(x: NDArray[Any]) -> NDArray[Any]:
        return x.reshape(len(x), -1)[:, ::3]

    dense = np.zeros((SIDE * SIDE * 3, K), np.float32)
    dense[::3] = _readout(raw, 5)
    model = keras.Sequential(
        [
            keras.Input((SIDE, SIDE, 3)),
            keras.layers.Flatten(),
            keras.layers.Dense(K, use_bias=False, activation="softmax"),
        ]
    )
    with warnings.catch_warnings():
        # Keras' torch backend makes NumPy arrays of tensors in a way that NumPy 2 warns of.
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
        model.layers[-1].set_weights([dense])
        model.save(folder / "dense.keras")

    names = {
        "linear": "linear.onnx,preset=unit",
        "convolution, small": "onnx:convolution, small.onnx,preset=unit",
        "hidden": f"torch:somebodys:hidden,preset=unit,size={SIDE}",
        "exported": "exported.pt2,preset=unit",
        "red": "keras:dense.keras,preset=unit,name=red",
    }
    scores = {
        "linear": _flat(x) @ linear.astype(np.float64),
        "convolution, small": softmax(maps(x) @ behind.astype(np.float64)),
        "hidden": hidden(x) @ second.astype(np.float64),
        "exported": rectified(x) @ last.astype(np.float64),
        "red": softmax(x.reshape(N, -1) @ dense.astype(np.float64)),
    }
    return names, scores


def write_linear(path: Path, matrix: NDArray[np.float32], *, dropout: bool = False) -> None:
    """Write an ONNX network of one matrix, and of dropout that is left on."""
    from onnx import TensorProto, helper

    nodes = [
        helper.make_node("Flatten", ["images"], ["flat"]),
        helper.make_node("MatMul", ["flat", "W"], ["logits"]),
    ]
    if dropout:
        nodes += [
            helper.make_node("RandomUniformLike", ["logits"], ["noise"], dtype=TensorProto.FLOAT),
            helper.make_node("Mul", ["logits", "noise"], ["scores"]),
        ]
    else:
        nodes.append(helper.make_node("Identity", ["logits"], ["scores"]))
    _write(path, nodes, {"W": matrix}, matrix.shape[1])


def write_convolution(path: Path, kernel: NDArray[np.float32], behind: NDArray[np.float32]) -> None:
    """Write an ONNX network of a convolution, and probabilities behind it."""
    from onnx import helper

    nodes = [
        helper.make_node("Conv", ["images", "kernel"], ["maps"]),
        helper.make_node("Relu", ["maps"], ["some"]),
        helper.make_node("Flatten", ["some"], ["flat"]),
        helper.make_node("MatMul", ["flat", "W"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["scores"]),
    ]
    _write(path, nodes, {"kernel": kernel, "W": behind}, behind.shape[1])


def _write(path: Path, nodes: list[Any], weights: dict[str, NDArray[np.float32]], n: int) -> None:
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    takes = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 3, SIDE, SIDE])
    gives = helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", n])
    stored = [numpy_helper.from_array(value, name) for name, value in weights.items()]
    graph = helper.make_graph(nodes, "network", [takes], [gives], stored)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.save(made, path)
