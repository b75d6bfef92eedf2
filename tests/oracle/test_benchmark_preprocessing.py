"""Preprocessing, beside Pillow's resize and crop, and Keras' preprocess_input."""

from __future__ import annotations

import io
import json
import os

import numpy as np
import pytest

Image = pytest.importorskip("PIL.Image")
ImageOps = pytest.importorskip("PIL.ImageOps")

from snellen.benchmark.preprocessing import Preprocessing  # noqa: E402
from snellen.errors import InputError, SchemaError, ShapeError  # noqa: E402
from snellen.readers.pictures import Look, decode_picture  # noqa: E402

SIZES = [(375, 500), (500, 375), (256, 256), (224, 1000), (333, 500), (100, 90), (17, 400)]


def photo(height: int, width: int, channels: int = 3) -> np.ndarray:
    random = np.random.default_rng([height, width, channels])
    return random.integers(0, 256, (height, width, channels), np.uint8)


def cut_out(image: np.ndarray, shorter: int, height: int, width: int) -> np.ndarray:
    """Resize by Pillow and cut the middle out, as torchvision's documentation says it."""
    picture = Image.fromarray(image)
    w, h = picture.size
    size = (shorter, int(shorter * h / w)) if w <= h else (int(shorter * w / h), shorter)
    picture = picture.resize(size, Image.Resampling.BILINEAR)
    w, h = picture.size
    left, top = round((w - width) / 2), round((h - height) / 2)
    return np.asarray(picture.crop((left, top, left + width, top + height)))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("shorter", "wanted"), [(256, (224, 224)), (232, (224, 224)), (97, (64, 96))]
)
def test_shorter_side_and_middle(
    size: tuple[int, int], shorter: int, wanted: tuple[int, int]
) -> None:
    image = photo(*size)
    found = Preprocessing(*wanted, shorter_side=shorter).pixels(image)
    assert np.array_equal(found, cut_out(image, shorter, *wanted))


@pytest.mark.parametrize("size", SIZES)
def test_stretched(size: tuple[int, int]) -> None:
    image = photo(*size)
    found = Preprocessing(160, 192, filter="bicubic").pixels(image)
    expected = Image.fromarray(image).resize((192, 160), Image.Resampling.BICUBIC)
    assert np.array_equal(found, np.asarray(expected))


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("filter", ["bilinear", "bicubic", "lanczos", "box", "hamming"])
def test_filled(size: tuple[int, int], channels: int, filter: str) -> None:  # noqa: A002
    image = photo(*size, channels)
    colours = "L" if channels == 1 else "RGB"
    found = Preprocessing(60, 92, fit="fill", filter=filter, colours=colours).pixels(image)
    picture = Image.fromarray(image.squeeze())
    expected = np.asarray(ImageOps.fit(picture, (92, 60), Image.Resampling[filter.upper()]))
    assert found.shape == (60, 92, channels)
    assert np.array_equal(found, expected.reshape(found.shape))


@pytest.mark.parametrize("size", [*SIZES, (64, 48)])
@pytest.mark.parametrize(("ours", "theirs"), [("fill", "crop"), ("stretch", "stretch")])
@pytest.mark.parametrize("colours", ["L", "RGB"])
def test_the_pixels_of_training(
    size: tuple[int, int], ours: str, theirs: str, colours: str
) -> None:
    """What `snellen train` and `snellen predict` make of a file."""
    image = photo(*size, 1 if colours == "L" else 3)
    file = io.BytesIO()
    Image.fromarray(image.squeeze()).save(file, "PNG")
    expected = decode_picture(file.getvalue(), Look(64, 48, colours, theirs))
    made = Preprocessing(64, 48, fit=ours, colours=colours, dtype="uint8")
    assert np.array_equal(made.batch([made.pixels(image)])[0], expected)


def test_what_is_too_small_lies_in_black() -> None:
    image = photo(3, 5)
    found = Preprocessing(7, 4, shorter_side=3).pixels(image)
    assert found.shape == (7, 4, 3)
    # Rows: (7 − 3) // 2 = 2 before; columns: 5 − 4 = 1 too many, of which half is rounded to 0.
    assert np.array_equal(found[2:5], image[:, :4])
    assert not found[:2].any()
    assert not found[5:].any()


@pytest.mark.parametrize(
    ("mode", "ours"),
    [
        ("tf", {"scale": 1 / 127.5, "mean": (1.0,)}),
        ("caffe", {"colours": "BGR", "mean": (103.939, 116.779, 123.68)}),
        (
            "torch",
            {"scale": 1 / 255, "mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)},
        ),
    ],
)
@pytest.mark.parametrize("layout", ["channels_first", "channels_last"])
def test_scales_of_keras(mode: str, ours: dict[str, object], layout: str) -> None:
    os.environ.setdefault("KERAS_BACKEND", "torch")
    utils = pytest.importorskip("keras.applications.imagenet_utils")
    images = [photo(8, 6), photo(8, 6)[::-1]]
    given = np.stack(images).astype(np.float32)
    if layout == "channels_first":
        given = given.transpose(0, 3, 1, 2)
    expected = utils.preprocess_input(given.copy(), data_format=layout, mode=mode)
    found = Preprocessing(8, 6, layout=layout, **ours).batch(images)
    assert found.dtype == np.float32
    assert found.flags.c_contiguous
    # Keras takes off the mean and then divides: two roundings in another place.
    assert np.abs(found - expected).max() <= 4e-7 * np.abs(expected).max()


def test_bytes_for_a_network_that_scales_itself() -> None:
    image = photo(4, 4, 1)
    grey = Preprocessing(4, 4, colours="L", dtype="uint8", layout="channels_last")
    assert np.array_equal(grey.batch([grey.pixels(image)]), image[None])
    bgr = Preprocessing(4, 4, colours="BGR", dtype="uint8", layout="channels_last")
    colour = photo(4, 4)
    assert np.array_equal(bgr.batch([bgr.pixels(colour)])[0, :, :, 0], colour[:, :, 2])


def test_it_says_what_it_does() -> None:
    assert str(Preprocessing(224, 224, 256, scale=1 / 255, mean=(0.5,), std=(0.25,))) == (
        "shorter side to 256, middle 224 × 224, bilinear; RGB, × 0.003922, − 0.5, ÷ 0.25"
    )
    assert str(Preprocessing(28, 28, colours="L", dtype="uint8")) == (
        "stretched to 28 × 28, bilinear; L, bytes"
    )
    assert str(Preprocessing(28, 32, fit="fill", dtype="uint8")) == (
        "middle of these proportions to 28 × 32, bilinear; RGB, bytes"
    )


@pytest.mark.parametrize(
    "made",
    [
        Preprocessing(5, 6, 7, "lanczos", "BGR", 0.5, (1.0, 2.0, 3.0), (4.0,), "channels_last"),
        Preprocessing(5, 6, colours="L", dtype="uint8", fit="fill"),
        Preprocessing(5, 6),
    ],
)
def test_there_and_back(made: Preprocessing) -> None:
    plain = json.loads(json.dumps(made.to_dict()))
    assert Preprocessing.of_dict(plain) == made
    assert plain["fit"] in ("shorter", "fill", "stretch")


def test_plain_values_that_are_no_preprocessing() -> None:
    for plain in ({"height": 5}, {"height": 5, "width": 5, "crop": 3}, {"height": "5", "width": 5}):
        with pytest.raises(SchemaError, match="expected a preprocessing of images, got"):
            Preprocessing.of_dict(plain)


def test_what_is_refused() -> None:
    with pytest.raises(InputError, match="expected sizes from 1"):
        Preprocessing(0, 5)
    with pytest.raises(InputError, match="expected one mean or 3, got 2"):
        Preprocessing(5, 5, mean=(0.0, 1.0))
    with pytest.raises(InputError, match="expected a std above 0"):
        Preprocessing(5, 5, std=(0.0,))
    with pytest.raises(InputError, match="expected finite numbers, got scale nan"):
        Preprocessing(5, 5, scale=float("nan"))
    with pytest.raises(InputError, match=r'got "bicubc"\. Did you mean "bicubic"'):
        Preprocessing(5, 5, filter="bicubc")
    for values in ({"fit": "shorter"}, {"fit": "fill", "shorter_side": 6}):
        with pytest.raises(InputError, match="expected the length of the shorter side for images"):
            Preprocessing(5, 5, **values)
    with pytest.raises(ShapeError, match=r"expected \(H, W, 1\) bytes"):
        Preprocessing(5, 5, colours="L").pixels(photo(5, 5))
