"""What a network of each source gets of image files, beside Pillow and NumPy's arithmetic."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "torch")

import numpy as np
import pytest
from PIL import Image, ImageOps

torch = pytest.importorskip("torch")

from snellen.benchmark.open_images import open_images  # noqa: E402
from snellen.benchmark.pipeline import Pipeline  # noqa: E402
from snellen.benchmark.sources import load_model  # noqa: E402

HEIGHT, WIDTH = 13, 10
N_CLASSES = HEIGHT * WIDTH * 3

# What is typed behind the name of a model, and what it stands for: how the image gets its size, the
# order of colours, and numbers by (bytes × scale − mean) / std.
LOOKS: dict[str, tuple[str, str, float, tuple[float, ...], tuple[float, ...]]] = {
    "preset=imagenet,resize=15": (
        *("shorter 15 bilinear", "RGB", 1 / 255),
        *((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    ),
    "preset=imagenet-caffe,resize=14,filter=bicubic": (
        *("shorter 14 bicubic", "BGR", 1),
        *((103.939, 116.779, 123.68), (1,)),
    ),
    "preset=imagenet-tf,resize=none": ("stretch bilinear", "RGB", 1 / 127.5, (1,), (1,)),
    "preset=imagenet,colours=BGR,fit=fill,filter=lanczos": (
        *("fill lanczos", "BGR", 1 / 255),
        *((0.406, 0.456, 0.485), (0.225, 0.224, 0.229)),
    ),
    "scale=0.5,mean=1:2:3,std=4:5:6,resize=11": (
        *("shorter 11 bilinear", "RGB", 0.5),
        *((1, 2, 3), (4, 5, 6)),
    ),
}


class Seen(torch.nn.Module):
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.flatten(1)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    random = np.random.default_rng(4)
    # Not one of the size that is wanted, some smaller, long and lying.
    for k, (height, width) in enumerate([(37, 52), (53, 31), (9, 8), (14, 61), (70, 12), (28, 28)]):
        (folder / f"class{k % 2}").mkdir(exist_ok=True)
        picture = Image.fromarray(random.integers(0, 256, (height, width, 3), np.uint8))
        exif = Image.Exif()
        exif[0x0112] = 6 if k == 1 else 1
        if k == 2:
            picture = picture.convert("L")
        if k == 3:
            picture = picture.convert("P")
        picture.save(folder / f"class{k % 2}" / f"{k}.png", exif=exif)
    return folder


def expected(path: Path, look: str, last: bool) -> np.ndarray:
    """Return the numbers of an image, as documentations say it."""
    way, colours, scale, mean, std = LOOKS[look]
    picture = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    how, *shorter, filter = way.split()  # noqa: A001
    resampling = Image.Resampling[filter.upper()]
    if how == "fill":
        picture = ImageOps.fit(picture, (WIDTH, HEIGHT), resampling)
    elif how == "stretch":
        picture = picture.resize((WIDTH, HEIGHT), resampling)
    else:
        side, (w, h) = int(shorter[0]), picture.size
        size = (side, int(side * h / w)) if w <= h else (int(side * w / h), side)
        pixels = np.asarray(picture.resize(size, resampling))
        black = np.zeros((max(HEIGHT, size[1]), max(WIDTH, size[0]), 3), np.uint8)
        top, left = (len(black) - size[1]) // 2, (black.shape[1] - size[0]) // 2
        black[top : top + size[1], left : left + size[0]] = pixels
        top, left = round((len(black) - HEIGHT) / 2), round((black.shape[1] - WIDTH) / 2)
        picture = Image.fromarray(black[top : top + HEIGHT, left : left + WIDTH])
    numbers = np.asarray(picture).astype(np.float64)
    if colours == "BGR":
        numbers = numbers[..., ::-1]
    numbers = (numbers * scale - np.array(mean)) / np.array(std)
    return (numbers if last else numbers.transpose(2, 0, 1)).ravel()


def _onnx(folder: Path) -> str:
    onnx = pytest.importorskip("onnx")
    pytest.importorskip("onnxruntime")
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    graph = helper.make_graph(
        [helper.make_node("Flatten", ["x"], ["y"])],
        "seen",
        [helper.make_tensor_value_info("x", kind, ["n", 3, HEIGHT, WIDTH])],
        [helper.make_tensor_value_info("y", kind, ["n", N_CLASSES])],
    )
    opset = [helper.make_opsetid("", 17)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), folder / "seen.onnx")
    return f"{folder}/seen.onnx"


def _program(folder: Path) -> str:
    example = torch.zeros(2, 3, HEIGHT, WIDTH)
    shapes = ({0: torch.export.Dim("n")},)
    exported = torch.export.export(Seen(), (example,), dynamic_shapes=shapes)
    torch.export.save(exported, folder / "seen.pt2")
    return f"{folder}/seen.pt2"


def _script(folder: Path) -> str:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(torch.jit.script(Seen()), folder / "seen.pt")
    return f"{folder}/seen.pt"


def _keras(folder: Path) -> str:
    keras = pytest.importorskip("keras")
    layers = [keras.Input((HEIGHT, WIDTH, 3)), keras.layers.Flatten()]
    keras.Sequential(layers).save(folder / "seen.keras")
    return f"{folder}/seen.keras"


def _function(_: Path) -> str:
    return f"torch:{__name__}:Seen"


@pytest.mark.parametrize("look", LOOKS)
@pytest.mark.parametrize(
    ("source", "layout"),
    [
        *((source, None) for source in (_onnx, _program, _script, _keras, _function)),
        # Others say where their channels are.
        *((source, "channels_last") for source in (_script, _function)),
    ],
)
def test_images_are_what_was_asked_for(
    tmp_path: Path, files: Path, source: Any, look: str, layout: str | None
) -> None:
    text = f"{source(tmp_path)},{look},size={HEIGHT}x{WIDTH}"
    if layout is not None:
        text += f",layout={layout}"
    before = torch.get_num_threads()
    model = load_model(text, device="cpu")
    try:
        images = open_images(str(files))
        (batch,) = Pipeline(images, model.preprocessing, threads=2).batches([np.arange(6)])
        scores = model.predict(batch.inputs)
    finally:
        torch.set_num_threads(before)
    last = layout == "channels_last" or source is _keras
    wanted = np.stack([expected(files / images.ids[row], look, last) for row in range(6)])
    np.testing.assert_allclose(scores, wanted, rtol=0, atol=3e-7 * np.abs(wanted).max())
