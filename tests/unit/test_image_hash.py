"""Difference hashes: worked by hand, and the same for the same picture in other clothes."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageEnhance, ImageOps

from snellen import set_threads
from snellen.errors import ShapeError
from snellen.splits.image_hash import difference_hash, hash_files, hash_gray, upright
from snellen.splits.leaks import DEFAULT_DISTANCE


def scene(seed: int, size: tuple[int, int] = (320, 240)) -> Image.Image:
    """Return a picture with light, shapes and a little noise: no two seeds look alike."""
    random = np.random.default_rng(seed)
    width, height = size
    x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
    layers = []
    for _ in range(3):
        layer = np.full((height, width), 110.0)
        for _ in range(12):
            cx, cy, r = random.uniform([0, 0, 0.05], [1, 1, 0.3])
            layer += random.uniform(-70, 70) * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / r**2)
        layers.append(layer + random.normal(0, 2, layer.shape))
    return Image.fromarray(np.clip(np.dstack(layers), 0, 255).astype(np.uint8))


def as_file(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def bits_apart(a: np.ndarray[Any, Any], b: np.ndarray[Any, Any]) -> int:
    return sum((int(x) ^ int(y)).bit_count() for x, y in zip(a, b, strict=True))


def test_worked_by_hand() -> None:
    gray = np.full((16, 17), 100, np.uint8)
    # Row 0: pixel 1 is lighter than pixel 0, pixel 2 darker than pixel 1: bit 0 alone.
    gray[0, 1] = 101
    # Row 3: from pixel 15 to pixel 16 it gets lighter: bit 3 · 16 + 15 = 63, the last of word 0.
    gray[3, 16] = 200
    # Row 4: lighter from pixel 5 on: the step 4 → 5, bit 4 · 16 + 4 = 68, bit 4 of word 1.
    gray[4, 5:] = 255
    # Row 15: darker by the pixel: no bit.
    gray[15] = np.arange(16, -1, -1)
    assert hash_gray(gray).tolist() == [1 | 1 << 63, 1 << 4, 0, 0]


def test_flat_is_zero() -> None:
    assert hash_gray(np.full((16, 17), 7, np.uint8)).tolist() == [0, 0, 0, 0]
    assert difference_hash(Image.new("RGB", (50, 40), "blue")).tolist() == [0, 0, 0, 0]


@pytest.mark.parametrize(
    "gray", [np.zeros((17, 16), np.uint8), np.zeros((16, 17)), np.zeros(272, np.uint8)]
)
def test_other_shapes(gray: np.ndarray[Any, Any]) -> None:
    with pytest.raises(ShapeError, match=r"expected uint8 pixels of shape \(16, 17\)"):
        hash_gray(gray)


def test_a_picture_of_its_size_is_not_resampled() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (16, 17), np.uint8)
    assert np.array_equal(difference_hash(Image.fromarray(pixels)), hash_gray(pixels))


CLOTHES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "JPEG 95": lambda image: Image.open(io.BytesIO(as_file(image, "JPEG", quality=95))),
    "JPEG 40": lambda image: Image.open(io.BytesIO(as_file(image, "JPEG", quality=40))),
    "half": lambda image: image.resize((160, 120), Image.Resampling.LANCZOS),
    "other shape": lambda image: image.resize((224, 224), Image.Resampling.BICUBIC),
    "twice": lambda image: image.resize((640, 480), Image.Resampling.BICUBIC),
    "lighter": lambda image: ImageEnhance.Brightness(image).enhance(1.15),
    "darker": lambda image: ImageEnhance.Brightness(image).enhance(0.7),
    "less contrast": lambda image: ImageEnhance.Contrast(image).enhance(0.7),
    "gray": lambda image: image.convert("L"),
    "palette": lambda image: image.quantize(256),
    "cut by 1 %": lambda image: image.crop((3, 2, 317, 238)),
}


@pytest.mark.parametrize("change", CLOTHES.values(), ids=CLOTHES)
def test_the_same_picture_is_near(change: Callable[[Image.Image], Image.Image]) -> None:
    for seed in range(4):
        image = scene(seed)
        assert bits_apart(difference_hash(image), difference_hash(change(image))) <= (
            DEFAULT_DISTANCE
        )


def test_different_pictures_are_far() -> None:
    hashes = [difference_hash(scene(seed)) for seed in range(40)]
    # 780 pairs; random bits would be 128 ± 8 apart, smooth pictures less.
    assert min(bits_apart(a, b) for i, a in enumerate(hashes) for b in hashes[:i]) > (
        DEFAULT_DISTANCE + 10
    )


# EXIF 2.3, tag 0x0112: what is done to the stored picture to see it.
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation(orientation: int) -> None:
    stored = scene(1)
    exif = Image.Exif()
    exif[0x0112] = orientation
    seen = {
        1: stored,
        2: ImageOps.mirror(stored),
        3: stored.rotate(180),
        4: ImageOps.flip(stored),
        5: ImageOps.mirror(stored.rotate(-90, expand=True)),
        6: stored.rotate(-90, expand=True),
        7: ImageOps.mirror(stored.rotate(90, expand=True)),
        8: stored.rotate(90, expand=True),
    }[orientation]
    tagged = Image.open(io.BytesIO(as_file(stored, "PNG", exif=exif)))
    assert np.array_equal(difference_hash(tagged), difference_hash(seen))


def test_transparent_pixels_are_white() -> None:
    image = scene(2).convert("RGBA")
    alpha = np.full((240, 320), 255, np.uint8)
    alpha[:, 160:] = 0
    image.putalpha(Image.fromarray(alpha))
    on_white = scene(2)
    on_white.paste("white", (160, 0, 320, 240))
    assert np.array_equal(np.asarray(upright(image)), np.asarray(on_white))
    assert np.array_equal(difference_hash(image), difference_hash(on_white))
    # A palette with a transparent colour.
    palette = on_white.quantize(16)
    palette.info["transparency"] = 0
    assert upright(palette).mode == "RGB"


@pytest.mark.parametrize("dtype", [np.uint16, np.int32, np.float32])
def test_more_than_eight_bits(dtype: Any) -> None:
    gray = np.asarray(scene(3).convert("L"))
    # Values that 8 bits cannot hold; stretching gives the picture back, as its least is not 0.
    deep = Image.fromarray((gray.astype(np.float64) * 200 + 1000).astype(dtype))
    assert bits_apart(difference_hash(deep), difference_hash(scene(3))) <= 8


def test_pixels_that_are_no_numbers() -> None:
    pixels = np.full((20, 20), np.nan, np.float32)
    assert difference_hash(Image.fromarray(pixels)).tolist() == [0, 0, 0, 0]
    pixels[5:, 5:] = 3
    pixels[2, 2] = 1
    assert difference_hash(Image.fromarray(pixels)).tolist() != [0, 0, 0, 0]


def test_large_jpeg_files_are_decoded_small(tmp_path: Path) -> None:
    large = scene(4, (2400, 1800))
    path = tmp_path / "large.jpg"
    path.write_bytes(as_file(large, "JPEG", quality=92))
    (hashed,) = hash_files([path]).hash
    assert bits_apart(hashed, difference_hash(Image.open(path))) <= 8


def test_files(tmp_path: Path) -> None:
    (tmp_path / "good.png").write_bytes(as_file(scene(5), "PNG"))
    (tmp_path / "text.jpg").write_bytes(b"no picture")
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "cut.jpg").write_bytes(as_file(scene(5), "JPEG")[:2000])
    (tmp_path / "cut.png").write_bytes(as_file(scene(5), "PNG")[:2000])
    names = ["good.png", "text.jpg", "empty.jpg", "cut.jpg", "cut.png", "absent.png", "."]
    seen: list[int] = []
    found = hash_files([tmp_path / name for name in names], seen.append)
    assert seen == [1] * 7
    readable = [digest is not None for digest in found.digest]
    assert readable == [True, True, False, True, True, False, False]
    assert found.problem[0] is None
    assert np.array_equal(found.hash[0], difference_hash(scene(5)))
    assert not found.hash[1:].any()
    for problem, text in zip(
        found.problem[1:],
        ["no image that Pillow can read", "empty", "truncated", "", "No such file", "directory"],
        strict=True,
    ):
        assert problem is not None
        assert text in problem


def test_digest_is_sha256(tmp_path: Path) -> None:
    # FIPS 180-2, the example of one block.
    (tmp_path / "abc").write_bytes(b"abc")
    (digest,) = hash_files([tmp_path / "abc"]).digest
    assert digest is not None
    assert digest.hex() == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_threads_change_nothing(tmp_path: Path) -> None:
    paths = []
    for seed in range(12):
        paths.append(tmp_path / f"{seed}.jpg")
        paths[-1].write_bytes(as_file(scene(seed), "JPEG"))
    found = []
    try:
        for n in (1, 2, 7):
            set_threads(n)
            found.append(hash_files(paths))
    finally:
        set_threads(None)
    for other in found[1:]:
        assert other.digest == found[0].digest
        assert np.array_equal(other.hash, found[0].hash)


def test_broken_metadata_are_no_broken_picture(tmp_path: Path) -> None:
    path = tmp_path / "exif.jpg"
    path.write_bytes(as_file(scene(6), "JPEG", exif=b"Exif\0\0MM\0\x2a\xff\xff\xff\xff"))
    found = hash_files([path])
    assert found.problem == (None,)
    assert bits_apart(found.hash[0], difference_hash(scene(6))) <= DEFAULT_DISTANCE
