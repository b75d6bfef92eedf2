"""What networks get to see: byte for byte what Pillow makes of the same files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from snellen.benchmark.open_images import open_images
from snellen.benchmark.pipeline import Pipeline
from snellen.benchmark.preprocessing import Preprocessing

FILTERS = {
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "hamming": Image.Resampling.HAMMING,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder of pictures of many sizes and kinds."""
    folder = tmp_path_factory.mktemp("photographs")
    (folder / "things").mkdir()
    random = np.random.default_rng(11)
    for k in range(40):
        width, height = (int(each) for each in random.integers(20, 300, 2))
        coarse = random.integers(0, 256, (height // 9 + 2, width // 9 + 2, 3)).astype(np.uint8)
        smooth = np.asarray(Image.fromarray(coarse).resize((width, height)), np.int16)
        noisy = smooth + random.integers(-20, 20, smooth.shape)
        picture = Image.fromarray(noisy.clip(0, 255).astype(np.uint8))
        path = folder / "things" / f"{k:02d}"
        if k % 8 == 5:
            picture.convert("L").save(path.with_suffix(".jpg"))
        elif k % 8 == 6:
            picture.convert("CMYK").save(path.with_suffix(".jpg"))
        elif k % 8 == 7:
            picture.convert("P").save(path.with_suffix(".png"))
        else:
            exif = Image.Exif()
            exif[0x0112] = k % 8 + 1  # some lie on their side
            picture.save(path.with_suffix(".jpg"), exif=exif, quality=90)
    return folder


def of_pillow(
    path: Path, size: tuple[int, int], shorter: int | None, resampling: Image.Resampling, mode: str
) -> NDArray[np.uint8]:
    """Return what torchvision's Resize and CenterCrop do, with Pillow alone."""
    height, width = size
    picture = ImageOps.exif_transpose(Image.open(path)).convert(mode)
    if shorter is None:
        return np.asarray(picture.resize((width, height), resampling))
    w, h = picture.size
    if w <= h:
        picture = picture.resize((shorter, int(shorter * h / w)), resampling)
    else:
        picture = picture.resize((int(shorter * w / h), shorter), resampling)
    w, h = picture.size
    # What is too small gets black around it first; Pillow's crop would, but not in the middle.
    if w < width or h < height:
        left, top = max((width - w) // 2, 0), max((height - h) // 2, 0)
        framed = Image.new(mode, (max(w, width), max(h, height)))
        framed.paste(picture, (left, top))
        picture = framed
        w, h = picture.size
    top, left = round((h - height) / 2.0), round((w - width) / 2.0)
    return np.asarray(picture.crop((left, top, left + width, top + height)))


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize(
    ("size", "shorter", "name"),
    [
        ((224, 224), 256, "bilinear"),
        ((224, 224), 224, "bicubic"),
        ((64, 96), 100, "lanczos"),
        ((99, 51), 71, "hamming"),
        ((33, 47), None, "box"),
        ((160, 120), None, "bicubic"),
    ],
)
def test_pixels_are_those_of_pillow(
    photographs: Path,
    size: tuple[int, int],
    shorter: int | None,
    name: str,
    mode: str,
    threads: int,
) -> None:
    wanted = Preprocessing(
        *size,
        shorter_side=shorter,
        filter=name,  # type: ignore[arg-type]
        colours=mode,  # type: ignore[arg-type]
        layout="channels_last",
        dtype="uint8",
    )
    images = open_images(str(photographs))
    rows = [np.arange(k, k + 8) for k in range(0, 40, 8)]
    n = 0
    for batch in Pipeline(images, wanted, threads=threads).batches(rows):
        assert not batch.left_out
        for row, pixels in zip(batch.rows.tolist(), batch.inputs, strict=True):
            path = photographs / images.ids[row]
            expected = of_pillow(path, size, shorter, FILTERS[name], mode)
            np.testing.assert_array_equal(pixels.reshape(expected.shape), expected, str(path))
            n += 1
    assert n == 40


def test_numbers_are_those_of_arithmetic(photographs: Path) -> None:
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    wanted = Preprocessing(224, 224, shorter_side=256, scale=1 / 255, mean=mean, std=std)
    images = open_images(str(photographs))
    (batch,) = Pipeline(images, wanted, threads=2).batches([np.arange(8)])
    for row, numbers in zip(batch.rows.tolist(), batch.inputs, strict=True):
        pixels = of_pillow(
            photographs / images.ids[row], (224, 224), 256, FILTERS["bilinear"], "RGB"
        )
        expected = (pixels.astype(np.float64) / 255 - mean) / std
        np.testing.assert_allclose(numbers, expected.transpose(2, 0, 1), rtol=0, atol=1e-6)
