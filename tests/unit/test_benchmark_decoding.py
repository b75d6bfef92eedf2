"""Stored images as pixels: what Pillow makes of every kind of file, and what is refused."""

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from snellen.benchmark.decoding import decoded
from snellen.errors import SchemaError
from snellen.readers.pictures import read_head_of

RANDOM = np.random.default_rng(5)


def colours(height: int = 12, width: int = 17, channels: int = 3) -> np.ndarray:
    return RANDOM.integers(0, 256, (height, width, channels), np.uint8)


def stored(image: Image.Image, kind: str, **options) -> bytes:
    data = io.BytesIO()
    image.save(data, kind, **options)
    return data.getvalue()


def noisy_palette() -> Image.Image:
    return Image.fromarray(colours()).quantize(16)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize(
    ("image", "kind"),
    [
        (Image.fromarray(colours()), "PNG"),
        (Image.fromarray(colours()), "JPEG"),
        (Image.fromarray(colours()), "WEBP"),
        (Image.fromarray(colours()), "TIFF"),
        (Image.fromarray(colours()[..., 0]), "JPEG"),
        (Image.fromarray(colours()[..., 0]), "PNG"),
        (Image.fromarray(colours()[..., 0] > 128), "PNG"),
        (Image.fromarray(colours(channels=4)), "PNG"),
        (Image.fromarray(colours(channels=2)), "PNG"),
        (Image.fromarray(colours(channels=4)).convert("CMYK"), "JPEG"),
        (noisy_palette(), "PNG"),
        (noisy_palette(), "GIF"),
    ],
)
def test_pixels_are_those_of_pillow(image, kind, mode):
    data = stored(image, kind)
    plain = np.asarray(Image.open(io.BytesIO(data)).convert(mode))
    found = decoded(data, mode, "a")
    assert found.dtype == np.uint8
    assert found.shape == (12, 17, 3 if mode == "RGB" else 1)
    assert np.array_equal(found.squeeze(), plain)


def test_a_palette_with_transparency_warns_of_nothing():
    image = noisy_palette()
    data = stored(image, "PNG", transparency=bytes(range(16)))
    assert np.array_equal(decoded(data, "RGB", "a"), np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_orientation_of_exif_is_followed(kind, orientation):
    image = Image.fromarray(colours())
    exif = image.getexif()
    exif[0x0112] = orientation
    data = stored(image, kind, exif=exif)
    raw = np.asarray(Image.open(io.BytesIO(data)))
    # What each of the eight values means, after the standard: the side that the first row and
    # column of what is stored belong to.
    upright = {
        1: raw,
        2: raw[:, ::-1],
        3: raw[::-1, ::-1],
        4: raw[::-1],
        5: raw.transpose(1, 0, 2),
        6: np.rot90(raw, -1),
        7: raw[::-1, ::-1].transpose(1, 0, 2),
        8: np.rot90(raw),
    }[orientation]
    assert np.array_equal(decoded(data, "RGB", "a"), upright)


@pytest.mark.filterwarnings("ignore")
def test_damaged_tags_leave_the_pixels():
    """As others read them, who ask for no tags."""
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "maker"
    data = stored(Image.fromarray(colours()), "JPEG", exif=exif)
    start = data.index(b"Exif\0\0") + 6
    stop = data.index(b"maker") + 5
    raw = np.asarray(Image.open(io.BytesIO(data)))
    turned = np.rot90(raw, -1)
    n_raw = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        broken = bytearray(data)
        for place in random.integers(start, stop, 3):
            broken[place] = random.integers(0, 256)
        found = decoded(bytes(broken), "RGB", "a")
        n_raw += found.shape == raw.shape and np.array_equal(found, raw)
        assert found.shape != raw.shape or np.array_equal(found, raw)
        assert found.shape == raw.shape or np.array_equal(found, turned)
        head = read_head_of(bytes(broken), "a")
        assert (head.height, head.width) == found.shape[:2]
    assert 0 < n_raw < 200


def test_of_sixteen_bits_the_higher_eight_stay():
    deep = RANDOM.integers(0, 65536, (5, 6)).astype(np.uint16)
    data = stored(Image.fromarray(deep), "PNG")
    assert np.array_equal(decoded(data, "L", "a")[..., 0], deep >> 8)
    assert np.array_equal(decoded(data, "RGB", "a"), np.stack([deep >> 8] * 3, 2))


@pytest.mark.parametrize("kind", ["GIF", "PNG", "WEBP", "TIFF"])
def test_of_several_frames_the_first(kind):
    first, second = Image.fromarray(colours()), Image.fromarray(colours())
    lossless = {"lossless": True} if kind == "WEBP" else {}
    data = stored(first, kind, save_all=True, append_images=[second], **lossless)
    image = Image.open(io.BytesIO(data))
    assert image.n_frames == 2
    assert np.array_equal(decoded(data, "RGB", "a"), np.asarray(image.convert("RGB")))
    if kind != "GIF":  # which has 256 colours
        assert np.array_equal(decoded(data, "RGB", "a"), np.asarray(first))


def test_arrays_become_colours_and_grey():
    image = colours()
    assert np.array_equal(decoded(image, "RGB", "a"), image)
    grey = decoded(image, "L", "a")
    assert grey.shape == (12, 17, 1)
    assert np.array_equal(grey[..., 0], np.asarray(Image.fromarray(image).convert("L")))
    one = image[..., :1]
    for array in (one, one[..., 0]):
        assert np.array_equal(decoded(array, "L", "a"), one)
        assert np.array_equal(decoded(array, "RGB", "a"), np.concatenate([one] * 3, 2))
    alpha = colours(channels=4)
    assert np.array_equal(decoded(alpha, "RGB", "a"), alpha[..., :3])
    assert np.array_equal(decoded(alpha[..., :2], "L", "a"), alpha[..., :1])


def test_every_colour_becomes_the_grey_of_pillow():
    cube = np.stack(np.meshgrid(*[np.arange(0, 256, 5)] * 3), -1).astype(np.uint8)
    cube = cube.reshape(-1, 52, 3)
    assert np.array_equal(
        decoded(cube, "L", "a")[..., 0], np.asarray(Image.fromarray(cube).convert("L"))
    )


def test_files_of_arrays():
    image = colours()
    for array in (image, image.transpose(2, 0, 1)):
        data = io.BytesIO()
        np.save(data, array)
        assert np.array_equal(decoded(data.getvalue(), "RGB", "a"), image)


def npy(array: np.ndarray) -> bytes:
    data = io.BytesIO()
    np.save(data, array)
    return data.getvalue()


WHOLE = stored(Image.fromarray(colours(60, 80)), "JPEG")
WHOLE_PNG = stored(Image.fromarray(colours(60, 80)), "PNG")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "got an empty file"),
        (b"no picture at all, but text", "got a file of another kind"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "got a file of another kind"),
        (WHOLE[: len(WHOLE) // 2], "expected a whole image"),
        (WHOLE[:30], "expected an? .*image"),
        (WHOLE_PNG[: len(WHOLE_PNG) // 2], "expected a whole image"),
        (WHOLE_PNG[:40] + bytes(20) + WHOLE_PNG[60:], "expected an? .*image"),
        (stored(Image.fromarray(np.ones((3, 3), np.float32)), "TIFF"), "got mode F"),
        (npy(np.zeros((4, 4, 3), np.float32)), r"expected bytes of shape .*, got float32"),
        (npy(np.zeros((5, 4, 5), np.uint8)), r"got uint8 of \(5, 4, 5\)"),
        (npy(np.zeros((0, 4, 3), np.uint8)), r"got uint8 of \(0, 4, 3\)"),
        (npy(colours())[:100], "expected a readable array"),
        (npy(np.array([{}], object)), "expected a readable array"),
    ],
)
def test_what_is_no_image_is_refused_by_name(data, message):
    with pytest.raises(SchemaError, match=message) as caught:
        decoded(data, "RGB", "n01440764/a.jpg")
    assert caught.value.place == "n01440764/a.jpg"


def test_transposed_as_imageops_does():
    image = Image.fromarray(colours())
    exif = image.getexif()
    exif[0x0112] = 6
    data = stored(image, "JPEG", exif=exif)
    plain = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("L")
    assert np.array_equal(decoded(data, "L", "a")[..., 0], np.asarray(plain))
