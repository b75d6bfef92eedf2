"""What all sides are given: photographs, networks, batches.

``python -m pretrained_sides.made FOLDER`` makes there:

* ``images/a`` and ``images/b``: JPEG files of 500 × 375 and 375 × 500, whose detail falls off with
  its fineness as in photographs, so that they have the bytes of photographs, too.
* ``onnx.onnx``: the network of `networks`; ``cheap.onnx``: the mean of each channel, and ten
  scores of it: what it costs is the images. ``keras.weights.h5``: of keras.applications'
  MobileNetV2, where Keras is installed.
* ``batch.npy``: the first images as the networks take them, ``tf.npy``: as Keras' takes them.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

N_IMAGES: Final = 64
N_BATCH: Final = 32
_POWER: Final = 1.2  # by which detail falls off
_QUALITY: Final = 90


def main() -> None:
    """Make all of it."""
    folder = Path(sys.argv[1])
    make_images(folder / "images")
    make_networks(folder)
    make_batches(folder)


def make_images(folder: Path) -> None:
    """Draw photographs, the same on every machine."""
    from PIL import Image

    for name in ("a", "b"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for k in range(N_IMAGES):
        height, width = (500, 375) if k % 4 == 3 else (375, 500)
        pixels = _photograph(k, height, width)
        Image.fromarray(pixels).save(folder / "ab"[k % 2] / f"{k:03}.jpg", quality=_QUALITY)


def _photograph(seed: int, height: int, width: int) -> NDArray[np.uint8]:
    drawing = np.random.default_rng(seed)
    fineness = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
    fineness[0, 0] = 1 / max(height, width)

    def field() -> NDArray[np.float64]:
        waves = np.fft.rfft2(drawing.standard_normal((height, width))) / fineness**_POWER
        drawn = np.fft.irfft2(waves, (height, width))
        scaled: NDArray[np.float64] = (drawn - drawn.mean()) / drawn.std()
        return scaled

    light, warm, green = 128 + 50 * field(), field(), field()
    colours = [light + 14 * warm, light - 5 * warm - 5 * green, light + 14 * green]
    return np.clip(np.rint(np.stack(colours, axis=-1)), 0, 255).astype(np.uint8)


def make_networks(folder: Path) -> None:
    """Export and save networks."""
    import onnx
    import torch
    from onnx import TensorProto, helper, numpy_helper

    from pretrained_sides.networks import mobile

    torch.onnx.export(
        mobile(),
        (torch.zeros(2, 3, 224, 224),),
        folder / "onnx.onnx",
        input_names=["images"],
        output_names=["scores"],
        dynamic_shapes=({0: torch.export.Dim("n", min=1, max=1024)},),
        dynamo=True,
        external_data=False,
        verbose=False,
    )
    weights = np.random.default_rng(0).standard_normal((3, 10)).astype(np.float32)
    nodes = [("GlobalAveragePool", ["images"]), ("Flatten", ["0"]), ("MatMul", ["1", "weights"])]
    graph = helper.make_graph(
        [
            helper.make_node(kind, inputs, ["scores" if k == 2 else str(k)])
            for k, (kind, inputs) in enumerate(nodes)
        ],
        "cheap",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", 3, 224, 224])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["n", 10])],
        [numpy_helper.from_array(weights, "weights")],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), folder / "cheap.onnx")
    if importlib.util.find_spec("keras") is not None:
        os.environ["KERAS_BACKEND"] = "torch"
        import keras

        model: Any = keras.applications.MobileNetV2(weights=None)
        # Those that it draws make all scores the same.
        drawing = np.random.default_rng(0)
        for weight in model.trainable_weights:
            if "kernel" in weight.path:
                spread = np.sqrt(2 / np.prod(weight.shape[: 2 if weight.shape[-1] == 1 else -1]))
                weight.assign(spread * drawing.standard_normal(weight.shape))
        model.save_weights(folder / "keras.weights.h5")


def make_batches(folder: Path) -> None:
    """Prepare the first images with Pillow and NumPy."""
    from pretrained_sides.pillow_loop import cut, scaled

    files = sorted(map(str, (folder / "images").rglob("*.jpg")))[:N_BATCH]
    pixels = np.stack([cut(path) for path in files])
    np.save(folder / "batch.npy", np.stack([scaled(each) for each in pixels]))
    np.save(folder / "tf.npy", pixels.astype(np.float32) / 127.5 - 1)


if __name__ == "__main__":
    main()
