"""Label images of other formats than PNG, and what is no label image."""

from __future__ import annotations

import io
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from snellen.errors import InputError, MissingExtraError, SchemaError
from snellen.readers.label_image import LabelImage, decode_label_image, read_label_image

IDS = (np.arange(7 * 11).reshape(7, 11) // 5 * 3).astype(np.uint8)
COLOURS = np.dstack([IDS, IDS // 2, 255 - IDS])


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def npy(array: np.ndarray[Any, Any], **options: Any) -> bytes:
    file = io.BytesIO()
    np.save(file, array, **options)
    return file.getvalue()


def palette_image() -> Image.Image:
    image = Image.fromarray(IDS).convert("P")
    image.putpalette([(5 * i) % 256 for i in range(768)])
    return image


def tiff(
    values: np.ndarray[Any, Any],
    *,
    bits: int | None = None,
    photometric: int = 1,
    sample_format: int = 1,
    order: str = "<",
) -> bytes:
    """Return a TIFF file of one uncompressed strip: what Pillow and others would not write."""
    height, width = values.shape[:2]
    n_channels = 1 if values.ndim == 2 else values.shape[2]
    bits = bits or 8 * values.dtype.itemsize
    if bits < 8:
        single = (values[..., None] >> np.arange(bits - 1, -1, -1)) & 1
        pixels = np.packbits(single.reshape(height, -1).astype(np.uint8), axis=1).tobytes()
    else:
        pixels = values.astype(values.dtype.newbyteorder(order)).tobytes()  # type: ignore[arg-type]
    n_tags = 9
    start = 8 + 2 + 12 * n_tags + 4 + 2 * n_channels
    tags = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, n_channels, bits if n_channels == 1 else start - 2 * n_channels),
        (259, 3, 1, 1),
        (262, 3, 1, photometric),
        (273, 4, 1, start),
        (277, 3, 1, n_channels),
        (279, 4, 1, len(pixels)),
        (339, 3, 1, sample_format),
    ]
    file = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HIH", 42, 8, n_tags)
    for tag, kind, n, value in tags:
        short = kind == 3 and n == 1
        file += struct.pack(f"{order}HHI", tag, kind, n)
        file += struct.pack(
            f"{order}HH" if short else f"{order}I", *([value, 0] if short else [value])
        )
    file += struct.pack(f"{order}I", 0) + struct.pack(f"{order}H", bits) * n_channels
    return file + pixels


def check(
    image: LabelImage, values: np.ndarray[Any, Any], kind: str, bits: int, dtype: Any = None
) -> None:
    assert image.values.dtype == (dtype or values.dtype)
    assert image.values.flags.c_contiguous
    assert np.array_equal(image.values, values)
    assert (image.kind, image.bits) == (kind, bits)
    assert (image.palette is not None) == (kind == "palette")


def refused(data: bytes, name: str = "maps/a.tif", **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        decode_label_image(data, name, **options)
    text = str(caught.value)
    assert text.endswith(f" - at {name}")
    assert "\n" not in text
    return text.removesuffix(f" - at {name}")


# ---- NPY ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "<u4", ">i4", "u8", ">i8"])
def test_npy(dtype: str) -> None:
    values = IDS.astype(dtype)
    native = np.dtype(dtype).newbyteorder("=")
    for array in (values, np.asfortranarray(values)):
        image = decode_label_image(npy(array), "a.npy")
        check(image, values, "ids", 8 * values.itemsize, native)


def test_npy_of_booleans_and_colours() -> None:
    check(decode_label_image(npy(IDS > 9), "a.npy"), (IDS > 9).astype(np.uint8), "ids", 1)
    check(decode_label_image(npy(COLOURS), "a.npy"), COLOURS, "colours", 8)


def test_npy_refused() -> None:
    assert "got float32 of shape (7, 11)" in refused(npy(IDS.astype(np.float32)))
    assert "got uint8 of shape (77,)" in refused(npy(IDS.reshape(-1)))
    assert "got uint8 of shape (2, 7, 11)" in refused(npy(np.stack([IDS, IDS])))
    assert "got uint16 of shape (7, 11, 3)" in refused(npy(COLOURS.astype(np.uint16)))
    assert "got object of shape (1, 1)" in refused(npy(np.array([[None]]), allow_pickle=True))
    assert "expected at least one pixel, got shape (0, 4)" in refused(npy(np.zeros((0, 4), int)))
    data = npy(IDS)
    assert "expected 77 bytes of uint8 of shape (7, 11), got 76" in refused(data[:-1])
    assert "got 78" in refused(data + b"x")
    assert "expected at most 76 pixels, got 11 × 7" in refused(data, max_pixels=76)
    assert decode_label_image(data, "a.npy", max_pixels=77).values.shape == (7, 11)
    for n in range(6, 128):
        refused(data[:n])
    for at in range(6, 128):
        for change in (1, 2, 0x80):
            changed = bytearray(data)
            changed[at] ^= change
            try:
                image = decode_label_image(bytes(changed), "a.npy")
            except SchemaError:
                continue
            assert image.values.size == 77


# ---- PGM and PPM --------------------------------------------------------------------------------


def test_pgm_is_not_stretched() -> None:
    data = b"P5\n# made by hand\n4 1 # width and height\n18\n" + bytes([0, 1, 17, 18])
    check(decode_label_image(data, "a.pgm"), np.array([[0, 1, 17, 18]], np.uint8), "ids", 8)


def test_pgm_and_ppm() -> None:
    check(decode_label_image(encoded(Image.fromarray(IDS), "PPM"), "a"), IDS, "ids", 8)
    check(decode_label_image(encoded(Image.fromarray(COLOURS), "PPM"), "a"), COLOURS, "colours", 8)
    wide = IDS.astype(np.uint16) * 1000
    check(decode_label_image(encoded(Image.fromarray(wide), "PPM"), "a"), wide, "ids", 16)


def test_pgm_refused() -> None:
    assert "the header of a PGM or PPM file, got none" in refused(b"P5 3 4")
    assert "got 0 × 4 and 255" in refused(b"P5 0 4 255\n")
    assert "got 1 × 1 and 70000" in refused(b"P5 1 1 70000\n\0\0")
    assert "colours of 8 bits, got 16" in refused(b"P6 1 1 65535\n\0\0\0\0\0\0")
    assert "expected 6 bytes of pixels, got 5: the file is cut off" in refused(b"P5 3 2 9\n12345")
    assert "at most 178,956,970 pixels" in refused(b"P5 99999 99999 255\n")


# ---- Through Pillow -----------------------------------------------------------------------------


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_tiff(compression: str) -> None:
    wide = IDS.astype(np.uint16) * 300
    long = IDS.astype(np.int32) * 100_000 - 7
    for values, kind, bits in (
        (IDS, "ids", 8),
        (wide, "ids", 16),
        (long, "ids", 32),
        (COLOURS, "colours", 8),
    ):
        data = encoded(Image.fromarray(values), "TIFF", compression=compression)
        check(decode_label_image(data, "a.tif"), values, kind, bits)
    data = encoded(palette_image(), "TIFF", compression=compression)
    image = decode_label_image(data, "a.tif")
    check(image, IDS, "palette", 8)
    assert image.palette is not None
    assert image.palette[1].tolist() == [15, 20, 25]
    data = encoded(Image.fromarray(IDS > 9), "TIFF")
    check(decode_label_image(data, "a.tif"), (IDS > 9).astype(np.uint8), "ids", 1)


@pytest.mark.parametrize("order", ["<", ">"])
def test_tiff_as_others_write_it(order: str) -> None:
    def read(values: Any, **options: Any) -> LabelImage:
        return decode_label_image(tiff(values, order=order, **options), "a.tif")

    wide = IDS.astype(np.uint16) * 300
    check(read(IDS), IDS, "ids", 8)
    check(read(wide), wide, "ids", 16)
    check(read(COLOURS, photometric=2), COLOURS, "colours", 8)
    for bits in (1, 2, 4):  # Pillow stretches 2 and 4 bits to 255
        few = IDS % 2**bits
        check(read(few, bits=bits), few, "ids", bits)
    signed = IDS.astype(np.int16) - 100
    check(read(signed.astype(np.int8), sample_format=2), signed.astype(np.int8), "ids", 8)
    check(read(signed, sample_format=2), signed, "ids", 16, np.int32)
    check(read(signed.astype(np.int32), sample_format=2), signed, "ids", 32, np.int32)


def test_tiff_of_32_bits_without_a_sign() -> None:
    values = np.uint32(2**32 - 300) + IDS
    check(decode_label_image(tiff(values), "a.tif"), values, "ids", 32)


def test_tiff_refused() -> None:
    assert "got floats" in refused(tiff(IDS.astype(np.float32), sample_format=3))
    # Pillow knows no floats of 16 bits.
    assert refused(tiff(IDS.astype(np.float16), sample_format=3)) == (
        "expected a TIFF image that Pillow can decode, got: unknown pixel mode"
    )
    assert refused(tiff(COLOURS.astype(np.uint16), photometric=2)) == (
        "expected colours of 8 bits, got 16: save the label image as uint8"
    )
    assert "whose least value is white" in refused(tiff(IDS, photometric=0))
    pages = encoded(
        Image.fromarray(IDS), "TIFF", save_all=True, append_images=[Image.fromarray(IDS)] * 2
    )
    assert refused(pages) == "expected one image in the file, got 3"
    for lossy in (
        encoded(Image.fromarray(COLOURS), "TIFF", compression="jpeg"),
        encoded(Image.fromarray(IDS), "TIFF", compression="jpeg"),
    ):
        assert "smears class ids" in refused(lossy)
    assert "pixels of mode CMYK" in refused(
        encoded(Image.fromarray(COLOURS).convert("CMYK"), "TIFF")
    )


def test_transparency() -> None:
    opaque = np.dstack([COLOURS, np.full(IDS.shape, 255, np.uint8)])
    data = encoded(Image.fromarray(opaque), "TIFF")
    check(decode_label_image(data, "a.tif"), COLOURS, "colours", 8)
    gray = np.dstack([IDS, opaque[..., 3]])
    data = encoded(Image.fromarray(gray), "TIFF")
    check(decode_label_image(data, "a.tif"), IDS, "ids", 8)
    opaque[2, 3:5, 3] = 0
    assert "got 2 pixels that are not opaque" in refused(encoded(Image.fromarray(opaque), "TIFF"))


def test_bmp() -> None:
    check(decode_label_image(encoded(Image.fromarray(IDS), "BMP"), "a"), IDS, "ids", 8)
    check(decode_label_image(encoded(palette_image(), "BMP"), "a"), IDS, "palette", 8)
    check(decode_label_image(encoded(Image.fromarray(COLOURS), "BMP"), "a"), COLOURS, "colours", 8)
    mask = IDS > 9
    data = encoded(Image.fromarray(mask), "BMP")
    check(decode_label_image(data, "a"), mask.astype(np.uint8), "ids", 1)


def bmp_of_4_bits(palette: bytes) -> bytes:
    """Return one row of 5 pixels, 1 to 5."""
    row = bytes([0x12, 0x34, 0x50, 0])
    start = 54 + len(palette)
    info = struct.pack("<IiiHHIIiiII", 40, 5, 1, 1, 4, 0, len(row), 0, 0, 16, 0)
    return b"BM" + struct.pack("<IHHI", start + 4, 0, 0, start) + info + palette + row


def test_bmp_of_4_bits() -> None:
    colours = bytes(v for i in range(16) for v in (i, 2 * i, 3 * i, 0))
    image = decode_label_image(bmp_of_4_bits(colours), "a.bmp")
    check(image, np.array([[1, 2, 3, 4, 5]], np.uint8), "palette", 4)
    # Pillow reads this one as if its indices had 8 bits.
    ramp = bytes(v for i in range(16) for v in (i, i, i, 0))
    assert "got 4 bits and a gray ramp" in refused(bmp_of_4_bits(ramp))


def test_gif() -> None:
    image = decode_label_image(encoded(palette_image(), "GIF", optimize=False), "a.gif")
    check(image, IDS, "palette", 8)
    frames = [Image.fromarray(IDS), Image.fromarray(IDS[::-1])]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert refused(data) == "expected one image in the file, got 2"


def test_webp() -> None:
    image = Image.fromarray(COLOURS)
    lossless = encoded(image, "WEBP", lossless=True)
    check(decode_label_image(lossless, "a.webp"), COLOURS, "colours", 8)
    with_metadata = encoded(image, "WEBP", lossless=True, xmp=b"<x/>")
    assert b"VP8X" in with_metadata[:16]
    check(decode_label_image(with_metadata, "a.webp"), COLOURS, "colours", 8)
    for lossy in (encoded(image, "WEBP"), encoded(image, "WEBP", xmp=b"<x/>")):
        assert "got lossy or animated WebP" in refused(lossy)


@pytest.mark.parametrize("kind", ["TIFF", "BMP", "GIF", "WEBP"])
def test_cut_off_anywhere(kind: str) -> None:
    options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
    data = encoded(Image.fromarray(COLOURS if kind == "WEBP" else IDS), kind, **options)
    whole = decode_label_image(data, "a")
    refusals = [error_or_equal(data[:n], whole) for n in range(len(data))]
    assert all(text.endswith(" - at a") for text in refusals if text)
    assert sum(text != "" for text in refusals) > len(data) // 2


def error_or_equal(data: bytes, whole: LabelImage) -> str:
    """Return the error's text, or "" where what is missing is not pixels."""
    try:
        image = decode_label_image(data, "a")
    except SchemaError as error:
        return str(error)
    assert np.array_equal(image.values, whole.values)
    return ""


def test_the_limit_of_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(Image.fromarray(IDS), "TIFF")
    assert refused(data, max_pixels=76) == (
        "expected at most 76 pixels, got 11 × 7: where that is meant, raise --max-pixels "
        "(max_pixels)"
    )
    # Ours counts, not Pillow's, which stays what it is.
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    for max_pixels in (77, None):
        check(decode_label_image(data, "a", max_pixels=max_pixels), IDS, "ids", 8)
    assert Image.MAX_IMAGE_PIXELS == 10


# ---- What is no label image ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["JPEG", "JPEG2000", "AVIF"])
def test_lossy_formats(kind: str) -> None:
    try:
        data = encoded(Image.fromarray(COLOURS), kind)
    except (OSError, KeyError):
        pytest.skip(f"this Pillow writes no {kind}")
    text = refused(data, "maps/a.png")
    assert text.startswith("expected a lossless label image, got ")
    assert "smears class ids where they change; save label images as PNG" in text


def test_files_that_are_none(tmp_path: Path) -> None:
    assert "got a file of none of these formats" in refused(b"id,label\n1,2\n")
    assert "got a file of none of these formats" in refused(b"\x89PNG, nearly")
    assert refused(b"") == "expected a label image, got an empty file"
    for path, reason in ((tmp_path / "absent.png", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(InputError, match=f"readable label image, got: {reason}") as caught:
            read_label_image(path)
        assert str(caught.value).endswith(f" - at {path}")


def test_read_from_a_file_of_any_name(tmp_path: Path) -> None:
    path = tmp_path / "map.png"
    path.write_bytes(encoded(Image.fromarray(IDS), "TIFF"))
    check(read_label_image(path), IDS, "ids", 8)
    check(read_label_image(str(path)), IDS, "ids", 8)
    with pytest.raises(InputError, match="at most 76"):
        read_label_image(path, max_pixels=76)


def test_pillow_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(Image.fromarray(IDS), "TIFF")
    for name in [name for name in sys.modules if name.split(".")[0] == "PIL"]:
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtraError, match=r"pip install 'snellen\[segmentation\]'"):
        decode_label_image(data, "a.tif")
    assert decode_label_image(npy(IDS), "a.npy").values.shape == (7, 11)
