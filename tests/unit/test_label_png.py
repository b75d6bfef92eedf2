"""PNG label images: the pixels that Pillow gives, for every kind of file; damage is seen."""

from __future__ import annotations

import io
import itertools
import struct
import sys
import tracemalloc
import warnings
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from snellen.errors import InputError, SchemaError
from snellen.readers import label_png
from snellen.readers.label_image import LabelImage, decode_label_image, read_label_image

GRAY, RGB, PALETTE, GRAY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GRAY: 1, RGB: 3, PALETTE: 1, GRAY_ALPHA: 2, RGBA: 4}
KINDS = [
    *((GRAY, bits) for bits in (1, 2, 4, 8, 16)),
    *((PALETTE, bits) for bits in (1, 2, 4, 8)),
    *((RGB, 8), (GRAY_ALPHA, 8), (GRAY_ALPHA, 16), (RGBA, 8)),
]
# One column and row, both sides of a byte's pixels, of the 8 × 8 of Adam7, of blocks of 16 and 64.
SIZES = [(1, 1), (3, 1), (1, 6), (5, 4), (7, 8), (8, 8), (9, 9), (17, 3), (33, 5), (70, 4)]
# The columns and rows of Adam7's passes: first, step.
ADAM7 = [
    *((0, 8, 0, 8), (4, 8, 0, 8), (0, 4, 4, 8), (2, 4, 0, 4)),
    *((0, 2, 2, 4), (1, 2, 0, 2), (0, 1, 1, 2)),
]


# ---- A writer of PNG files, so that each filter and interlacing really occur --------------------


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def pack(samples: np.ndarray[Any, Any], bits: int) -> np.ndarray[Any, Any]:
    """Return rows of samples (height, width × channels) as rows of bytes."""
    if bits == 16:
        return np.ascontiguousarray(samples.astype(">u2")).view(np.uint8)
    if bits == 8:
        return samples.astype(np.uint8)
    single = (samples[..., None] >> np.arange(bits - 1, -1, -1)) & 1
    return np.packbits(single.reshape(len(samples), -1).astype(np.uint8), axis=1)


def predicted(kind: int, left: int, above: int, corner: int) -> int:
    if kind == 4:
        p = left + above - corner
        # Of equally near ones min takes the first: left, above, corner.
        return min((left, above, corner), key=lambda value: abs(p - value))
    return (0, left, above, (left + above) // 2)[kind]


def filtered(rows: np.ndarray[Any, Any], filters: Any, pixel_bytes: int) -> bytes:
    out = bytearray()
    above = [0] * rows.shape[1]
    for row in rows.tolist():
        kind = next(filters)
        out.append(kind)
        for i, value in enumerate(row):
            left, corner = (
                (row[i - pixel_bytes], above[i - pixel_bytes]) if i >= pixel_bytes else (0, 0)
            )
            out.append((value - predicted(kind, left, above[i], corner)) % 256)
        above = row
    return bytes(out)


def make_rows(
    samples: np.ndarray[Any, Any], bits: int, *, interlaced: bool, filters: tuple[int, ...]
) -> bytes:
    """Return samples (height, width, channels) as they are before compression."""
    pixel_bytes = max(samples.shape[2] * bits // 8, 1)
    turn = itertools.cycle(filters)
    rows = b""
    for x, dx, y, dy in ADAM7 if interlaced else [(0, 1, 0, 1)]:
        part = samples[y::dy, x::dx]
        if part.size:
            rows += filtered(pack(part.reshape(len(part), -1), bits), turn, pixel_bytes)
    return rows


def make_file(
    rows: bytes,
    size: tuple[int, int],
    colour: int,
    bits: int,
    *,
    interlaced: bool = False,
    before: bytes = b"",
    behind: bytes = b"",
    n_pieces: int = 1,
) -> bytes:
    compressed = zlib.compress(rows)
    cuts = [len(compressed) * k // n_pieces for k in range(n_pieces + 1)]
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", struct.pack(">IIBBBBB", *size, bits, colour, 0, 0, interlaced)),
            before,
            *(chunk(b"IDAT", compressed[a:b]) for a, b in itertools.pairwise(cuts)),
            behind,
            chunk(b"IEND"),
        ]
    )


def make_palette(n: int) -> bytes:
    return chunk(b"PLTE", bytes((7 * i + k) % 256 for i in range(n) for k in range(3)))


def make_samples(
    size: tuple[int, int], colour: int, bits: int, random: np.random.Generator
) -> np.ndarray[Any, Any]:
    """Return areas of equal values with a few strays; alpha opaque."""
    width, height = size
    most = 2**bits
    coarse = random.integers(0, most, (height // 3 + 1, width // 5 + 1, CHANNELS[colour]))
    samples = coarse.repeat(3, 0).repeat(5, 1)[:height, :width]
    stray = random.random(samples.shape) < 0.05
    samples = np.where(stray, random.integers(0, most, samples.shape), samples)
    if colour in (GRAY_ALPHA, RGBA):
        samples[..., -1] = most - 1
    return samples.astype(np.uint16)


# ---- What Pillow makes of a file ----------------------------------------------------------------


def pillow_values(data: bytes) -> tuple[str, np.ndarray[Any, Any]]:
    with warnings.catch_warnings(), Image.open(io.BytesIO(data)) as image:
        warnings.simplefilter("ignore")
        return image.mode, np.asarray(image)


def check_equal(image: LabelImage, data: bytes, colour: int, bits: int) -> None:
    mode, values = pillow_values(data)
    assert image.bits == bits
    assert image.kind == {RGB: "colours", RGBA: "colours", PALETTE: "palette"}.get(colour, "ids")
    assert image.values.dtype == (np.uint16 if bits == 16 else np.uint8)
    assert (image.palette is None) == (colour != PALETTE)
    if colour == GRAY and bits in (2, 4):
        # Pillow stretches them to 255, without loss.
        stretch = 255 // (2**bits - 1)
        assert not (values % stretch).any()
        values = values // stretch
    if (colour, bits) == (GRAY_ALPHA, 16):
        # Pillow makes them RGBA of 8 bits.
        assert mode == "RGBA"
        assert np.array_equal(image.values >> 8, values[..., 0])
        return
    if colour in (GRAY_ALPHA, RGBA):
        values = values[..., :-1].squeeze(-1) if colour == GRAY_ALPHA else values[..., :-1]
    assert image.values.shape == values.shape
    assert np.array_equal(image.values, values)


# ---- Equal pixels -------------------------------------------------------------------------------


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(("colour", "bits"), KINDS)
def test_pixels_are_those_of_pillow(colour: int, bits: int, interlaced: bool) -> None:
    random = np.random.default_rng(bits + 100 * colour)
    before = make_palette(2**bits) if colour == PALETTE else b""
    for size in SIZES:
        for filters in ((0,), (1,), (2,), (3,), (4,), (4, 2, 1, 0, 3)):
            samples = make_samples(size, colour, bits, random)
            rows = make_rows(samples, bits, interlaced=interlaced, filters=filters)
            data = make_file(rows, size, colour, bits, interlaced=interlaced, before=before)
            image = decode_label_image(data, "a.png")
            check_equal(image, data, colour, bits)
            kept = samples[..., :-1] if colour in (GRAY_ALPHA, RGBA) else samples
            assert np.array_equal(image.values.reshape(kept.shape), kept)


def test_any_rows_are_read_as_pillow_reads_them() -> None:
    # No encoder's residuals: any bytes are some pixels.
    random = np.random.default_rng(3)
    for colour, bits in KINDS:
        if colour in (GRAY_ALPHA, RGBA):
            continue  # transparent, mostly: refused
        for size in SIZES:
            row_bytes = (size[0] * CHANNELS[colour] * bits + 7) // 8
            rows = random.integers(0, 256, (size[1], 1 + row_bytes), np.uint8)
            rows[:, 1:] *= random.random((size[1], row_bytes)) < random.random()
            rows[:, 0] %= 5
            before = make_palette(2**bits) if colour == PALETTE else b""
            data = make_file(rows.tobytes(), size, colour, bits, before=before)
            check_equal(decode_label_image(data, "a.png"), data, colour, bits)


def saved(image: Image.Image, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", **options)
    return file.getvalue()


def scene(height: int = 120, width: int = 161) -> np.ndarray[Any, Any]:
    y, x = np.mgrid[:height, :width]
    ids = (x // 40 + 3 * (y // 50)) % 19
    ids[(x - 70) ** 2 + (y - 60) ** 2 < 1500] = 255
    return ids.astype(np.uint8)


@pytest.mark.parametrize("options", [{}, {"optimize": True}, {"compress_level": 1}])
def test_files_written_by_pillow(options: dict[str, Any]) -> None:
    ids = scene()
    palette = Image.fromarray(ids).convert("P")
    palette.putpalette([(3 * i) % 256 for i in range(768)])
    for image, colour, bits in (
        (Image.fromarray(ids), GRAY, 8),
        (Image.fromarray(ids.astype(np.uint16) * 257), GRAY, 16),
        (Image.fromarray(ids > 9), GRAY, 1),
        (Image.fromarray(np.dstack([ids, ids // 2, 255 - ids])), RGB, 8),
        (palette, PALETTE, 8),
    ):
        data = saved(image, **options)
        check_equal(decode_label_image(data, "a.png"), data, colour, bits)
    image = decode_label_image(saved(palette, **options), "a.png")
    assert np.array_equal(image.values, ids)
    assert image.palette is not None
    assert image.palette[2].tolist() == [18, 21, 24]


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_palettes_of_few_bits_written_by_pillow(bits: int) -> None:
    ids = scene() % 2**bits
    image = Image.fromarray(ids).convert("P")
    image.putpalette([5 * i for i in range(3 * 2**bits)])
    data = saved(image, bits=bits)
    check_equal(decode_label_image(data, "a.png"), data, PALETTE, bits)


def test_files_written_by_opencv() -> None:
    cv2 = pytest.importorskip("cv2", reason="opencv is not installed")
    for level in (1, 9):
        for values in (scene(), scene().astype(np.uint16) * 300, np.dstack([scene()] * 3)):
            _, data = cv2.imencode(".png", values, [cv2.IMWRITE_PNG_COMPRESSION, level])
            assert np.array_equal(decode_label_image(data.tobytes(), "a.png").values, values)


def test_chunks_besides_and_pixels_in_pieces() -> None:
    samples = make_samples((20, 9), PALETTE, 4, np.random.default_rng(1))
    rows = make_rows(samples, 4, interlaced=False, filters=(4,))
    for n_pieces in (1, 2, 7, 30):
        data = make_file(
            rows,
            (20, 9),
            PALETTE,
            4,
            before=chunk(b"gAMA", struct.pack(">I", 45455))
            + chunk(b"sBIT", b"\4\4\4")
            + make_palette(11)  # fewer than 4 bits could name
            + chunk(b"tRNS", b"\0\x80")
            + chunk(b"IDAT"),
            behind=chunk(b"tEXt", b"Comment\0hello"),
            n_pieces=n_pieces,
        )
        image = decode_label_image(data + b"behind the end", "a.png")
        assert np.array_equal(image.values, samples[..., 0])
        assert image.palette is not None
        assert len(image.palette) == 11
        check_equal(image, data, PALETTE, 4)


@pytest.mark.parametrize(("colour", "key"), [(GRAY, b"\0\3"), (RGB, b"\0\3\0\3\0\3")])
def test_a_transparent_colour_is_a_colour(colour: int, key: bytes) -> None:
    samples = make_samples((6, 6), colour, 8, np.random.default_rng(2)) % 5
    rows = make_rows(samples, 8, interlaced=False, filters=(1,))
    data = make_file(rows, (6, 6), colour, 8, before=chunk(b"tRNS", key))
    check_equal(decode_label_image(data, "a.png"), data, colour, 8)


def test_with_zlib_alone_pixels_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    data = saved(Image.fromarray(scene()))
    monkeypatch.setitem(sys.modules, "zlib_ng", None)
    assert label_png._inflating_library() is zlib
    monkeypatch.setattr(label_png, "_zlib", zlib)
    assert np.array_equal(decode_label_image(data, "a.png").values, scene())
    for n in range(len(data)):
        with pytest.raises(SchemaError):
            decode_label_image(data[:n], "a.png")
    surplus = make_file(bytes(10_000), (2, 2), GRAY, 8)
    assert decode_label_image(surplus, "a.png").values.tolist() == [[0, 0], [0, 0]]


def without_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == "PIL"]:
        monkeypatch.setitem(sys.modules, name, None)


def test_pillow_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    data = saved(Image.fromarray(scene()))
    without_pillow(monkeypatch)
    assert np.array_equal(decode_label_image(data, "a.png").values, scene())


def address(image: LabelImage) -> int:
    found: int = image.values.__array_interface__["data"][0]
    return found


def test_the_memory_of_an_image_that_was_dropped_is_the_next_ones() -> None:
    shape = (1100, 1000)  # more than a MiB: less comes back without our help
    maps = [np.full(shape, k, np.uint8) for k in range(6)]
    files = [saved(Image.fromarray(each)) for each in maps]
    images = [decode_label_image(data, "x.png") for data in files[:3]]
    first, second = address(images[0]), address(images[2])
    del images[0], images[1]
    images += [decode_label_image(data, "x.png") for data in files[3:]]
    assert {first, second} <= {address(image) for image in images}
    assert len({address(image) for image in images}) == 4
    for image, k in zip(images, (1, 3, 4, 5), strict=True):
        assert np.array_equal(image.values, maps[k])
    # One much smaller does not keep it.
    dropped = {address(image) for image in images[2:]}
    del images[2:], image
    small = decode_label_image(saved(Image.fromarray(maps[5][:500])), "x.png")
    assert address(small) not in dropped
    assert np.array_equal(small.values, maps[5][:500])


def test_threads(tmp_path: Path) -> None:
    maps = [np.roll(scene(), k, axis=1) for k in range(40)]
    for k, ids in enumerate(maps):
        (tmp_path / f"{k}.png").write_bytes(saved(Image.fromarray(ids)))
    with ThreadPoolExecutor(4) as pool:
        found = pool.map(lambda k: read_label_image(tmp_path / f"{k}.png").values, range(40))
        assert all(np.array_equal(a, b) for a, b in zip(found, maps, strict=True))


# ---- Odd files: whole, but not as the format has it ---------------------------------------------


def parts(data: bytes) -> list[tuple[bytes, bytes]]:
    """Return the chunks of a file."""
    found, at = [], 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        found.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + length]))
        at += 12 + length
    return found


def whole(chunks: list[tuple[bytes, bytes]]) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, data) for kind, data in chunks)


def with_changed_header(data: bytes, at: int, value: int) -> bytes:
    first, *others = parts(data)
    header = bytearray(first[1])
    header[at] = value
    return whole([(b"IHDR", bytes(header)), *others])


def with_surplus(data: bytes, surplus: bytes) -> bytes:
    compressed = b"".join(piece for kind, piece in parts(data) if kind == b"IDAT")
    more = zlib.compress(zlib.decompress(compressed) + surplus)
    kept = [each for each in parts(data) if each[0] != b"IDAT"]
    return whole([*kept[:-1], (b"IDAT", more), kept[-1]])


def with_palette(data: bytes, *palettes: bytes) -> bytes:
    """Return a palette image with other palettes before its pixels; others as they are."""
    kept = [each for each in parts(data) if each[0] != b"PLTE"]
    if len(kept) == len(parts(data)):
        return whole([kept[0], (b"ABCD", b""), *kept[1:]])
    return whole([kept[0], *((b"PLTE", each) for each in palettes), *kept[1:]])


ODD: dict[str, Callable[[bytes], bytes]] = {
    "a byte too many": lambda data: with_surplus(data, b"\0"),
    "rows too many": lambda data: with_surplus(data, bytes(range(256)) * 300),
    "an unknown chunk": lambda data: whole([*parts(data)[:1], (b"ABCD", b"x"), *parts(data)[1:]]),
    "an unknown chunk behind": lambda data: whole([*parts(data)[:-1], (b"ABCD", b""), IEND]),
    "a name of digits": lambda data: whole([*parts(data)[:1], (b"ab12", b"x"), *parts(data)[1:]]),
    "text before the header": lambda data: whole([(b"tEXt", b"a\0b"), *parts(data)]),
    "a long header": lambda data: whole([(b"IHDR", parts(data)[0][1] + b"x"), *parts(data)[1:]]),
    "compression 1": lambda data: with_changed_header(data, 10, 1),
    "data in IEND": lambda data: whole([*parts(data)[:-1], (b"IEND", b"x")]),
    "two palettes": lambda data: with_palette(data, bytes(9), bytes(6)),
    "no palette": with_palette,
    "an empty palette": lambda data: with_palette(data, b""),
    "half a colour": lambda data: with_palette(data, bytes(7)),
    "another palette behind": lambda data: whole([*parts(data)[:-1], (b"PLTE", bytes(6)), IEND]),
}
IEND = (b"IEND", b"")


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("name", ODD)
def test_odd_files_are_read_as_pillow_reads_them(name: str, interlaced: bool) -> None:
    random = np.random.default_rng(8)
    for colour, bits in KINDS:
        samples = make_samples((17, 9), colour, bits, random)
        before = make_palette(2**bits) if colour == PALETTE else b""
        rows = make_rows(samples, bits, interlaced=interlaced, filters=(4, 1))
        good = make_file(rows, (17, 9), colour, bits, interlaced=interlaced, before=before)
        data = ODD[name](good)
        assert data != good
        if (colour, bits) == (GRAY_ALPHA, 16):
            refused(data)  # Pillow cuts them to 8 bits
            continue
        check_equal(decode_label_image(data, "a.png"), data, colour, bits)


def test_interlacing_of_another_name() -> None:
    samples = make_samples((9, 9), GRAY, 8, np.random.default_rng(9))
    rows = make_rows(samples, 8, interlaced=True, filters=(1,))
    data = with_changed_header(make_file(rows, (9, 9), GRAY, 8), 12, 2)
    assert np.array_equal(decode_label_image(data, "a.png").values, samples[..., 0])


@pytest.mark.parametrize("name", ODD)
def test_odd_files_are_refused_for_the_reasons_of_others(name: str) -> None:
    # Pillow reads pixels of a wrong checksum, makes up rows that are missing, and cuts 16 bits.
    good = make_file(make_rows(make_samples((6, 5), GRAY, 8, np.random.default_rng(6)), 8,
                               interlaced=False, filters=(0,)), (6, 5), GRAY, 8)  # fmt: skip
    odd = ODD[name](good)
    assert "at most 29 pixels" in refused(odd, max_pixels=29)
    changed = bytearray(odd)
    changed[odd.index(b"IDAT") + 5] ^= 1
    assert "chunk IDAT whose checksum is wrong" in refused(bytes(changed))
    assert "cut off" in refused(odd[:-3])
    if name not in ("a byte too many", "rows too many"):
        assert "got 14: the data are cut off" in refused(
            ODD[name](make_file(good[:14], (6, 5), GRAY, 8))
        )
    wide = make_file(bytes(5 * (1 + 6 * 6)), (6, 5), RGB, 16)
    assert "colours of 8 bits, got 16" in refused(ODD[name](wide))
    clear = make_file(bytes(5 * (1 + 6 * 4)), (6, 5), RGBA, 8)
    assert "30 pixels that are not opaque" in refused(ODD[name](clear))


def test_what_pillow_cannot_read_either_is_called_what_it_is() -> None:
    good = make_file(bytes(4 * 3), (2, 4), PALETTE, 8, before=make_palette(2))
    text = refused(with_palette(good, bytes(3 * 257)))
    assert text == (
        "expected a PLTE chunk of 1 to 256 colours, got 771 bytes - at maps/a.png byte 33"
    )


def test_odd_files_without_pillow(monkeypatch: pytest.MonkeyPatch) -> None:
    data = ODD["data in IEND"](make_file(bytes(4 * 3), (2, 4), GRAY, 8))
    without_pillow(monkeypatch)
    text = refused(data)
    assert text.startswith("expected an empty IEND chunk, got data in it; Pillow may read it: pip ")
    assert f"- at maps/a.png byte {len(data) - 13}" in text


# ---- What is refused ----------------------------------------------------------------------------


def test_animations() -> None:
    frame = Image.fromarray(scene())
    data = saved(frame, save_all=True, append_images=[Image.fromarray(scene()[::-1])])
    assert b"acTL" in data
    assert refused(data) == (
        "expected one image in the file, got an animated PNG (acTL): save one frame "
        "- at maps/a.png byte 33"
    )


def refused(data: bytes, **options: Any) -> str:
    with pytest.raises(InputError) as caught:
        decode_label_image(data, "maps/a.png", **options)
    text = str(caught.value)
    assert "maps/a.png" in text
    assert "\n" not in text
    return text


SMALL_ROWS = make_rows(
    make_samples((9, 5), PALETTE, 4, np.random.default_rng(5)), 4, interlaced=True, filters=(4, 1)
)
SMALL = make_file(SMALL_ROWS, (9, 5), PALETTE, 4, interlaced=True, before=make_palette(16))


def test_cut_off_anywhere() -> None:
    decode_label_image(SMALL, "a.png")
    for n in range(len(SMALL)):
        text = refused(SMALL[:n])
        if n > 8:
            assert "cut off" in text
    assert refused(b"") == "expected a label image, got an empty file - at maps/a.png"


def test_any_changed_byte_is_seen() -> None:
    for at in range(len(SMALL)):
        for change in (1, 0x80, 0xFF):
            data = bytearray(SMALL)
            data[at] ^= change
            refused(bytes(data))


def with_right_checksums(data: bytes) -> bytes:
    out, at = data[:8], 8
    while at + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, at)
        if at + 12 + length > len(data):
            break
        out += chunk(data[at + 4 : at + 8], data[at + 8 : at + 8 + length])
        at += 12 + length
    return out + data[at:]


def check_error_or_pillow(data: bytes) -> None:
    try:
        image = decode_label_image(data, "a.png", max_pixels=10_000)
    except InputError:
        return
    _, values = pillow_values(data)
    if image.kind == "ids" and image.bits in (2, 4):
        values = values // (255 // (2**image.bits - 1))
    assert np.array_equal(image.values, values)


def test_changed_bytes_with_right_checksums() -> None:
    # Of any single change: an error, or what Pillow reads.
    for at in range(8, len(SMALL)):
        for change in (1, 2, 4, 0x10, 0x80, 0xFF):
            data = bytearray(SMALL)
            data[at] ^= change
            check_error_or_pillow(with_right_checksums(bytes(data)))


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.integers(8, len(SMALL) - 1), st.integers(0, 255)), max_size=6))
def test_many_changes(changes: list[tuple[int, int]]) -> None:
    data = bytearray(SMALL)
    for at, value in changes:
        data[at] = value
    check_error_or_pillow(with_right_checksums(bytes(data)))


@settings(deadline=None, max_examples=200)
@given(st.binary(min_size=len(SMALL_ROWS), max_size=len(SMALL_ROWS)))
def test_any_rows(rows: bytes) -> None:
    data = make_file(rows, (9, 5), PALETTE, 4, interlaced=True, before=make_palette(16))
    check_error_or_pillow(data)


def test_wrong_number_of_rows() -> None:
    rows = bytes(4 * 3)
    good = make_file(rows, (2, 4), GRAY, 8)
    assert decode_label_image(good, "a.png").values.shape == (4, 2)
    assert "expected 12 bytes of pixels, got 11: the data are cut off" in refused(
        make_file(rows[:-1], (2, 4), GRAY, 8)
    )


def test_compressed_data_are_checked() -> None:
    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 4, 8, 0, 0, 0, 0))
    stream = zlib.compress(bytes(12))

    def file(data: bytes) -> bytes:
        return head + chunk(b"IDAT", data) + chunk(b"IEND")

    assert decode_label_image(file(stream), "a.png").values.sum() == 0
    assert "the data are cut off" in refused(file(stream[:-1]))  # the last byte of the checksum
    assert "data that are damaged" in refused(file(stream[:-1] + bytes([stream[-1] ^ 1])))
    assert "data that are damaged" in refused(file(b"nonsense"))
    assert "the data are cut off" in refused(file(b""))


def test_an_unknown_filter_names_its_row() -> None:
    rows = b"\0ab\0cd\7ef"
    text = refused(make_file(rows, (2, 3), GRAY, 8))
    assert text == "expected a filter from 0 to 4, got 7 in row 2 - at maps/a.png"


def test_the_place_of_a_fault() -> None:
    data = bytearray(SMALL)
    data[50] ^= 1  # within PLTE, which begins behind 8 + 25 bytes
    assert refused(bytes(data)) == (
        "expected an intact PNG file, got a chunk PLTE whose checksum is wrong "
        "- at maps/a.png byte 33"
    )


def test_a_bomb_of_pixels() -> None:
    # 50,000 × 50,000 pixels that the file does not hold: refused by its header.
    data = make_file(bytes(100), (50_000, 50_000), GRAY, 8)
    assert refused(data) == (
        "expected at most 178,956,970 pixels, got 50,000 × 50,000: where that is meant, raise "
        "--max-pixels (max_pixels) - at maps/a.png"
    )
    assert "cut off" in refused(data, max_pixels=None)
    assert "cut off" in refused(data, max_pixels=2_500_000_000)
    largest = make_file(bytes(100), (2**31 - 1, 2**31 - 1), RGBA, 8)
    assert "cut off" in refused(largest, max_pixels=None)


def test_a_bomb_of_data_takes_no_memory() -> None:
    data = make_file(bytes(200_000_000), (2, 2), GRAY, 8)
    tracemalloc.start()
    try:
        image = decode_label_image(data, "a.png")
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert image.values.tolist() == [[0, 0], [0, 0]]
    # The compressed data, gathered, and what zlib hands back of them unread.
    assert peak < 3 * len(data)


@pytest.mark.parametrize("colour", [RGB, RGBA])
def test_colours_of_16_bits(colour: int) -> None:
    data = make_file(bytes(1 + 2 * CHANNELS[colour]), (1, 1), colour, 16)
    assert refused(data) == (
        "expected colours of 8 bits, got 16: save the label image as uint8 - at maps/a.png"
    )


@pytest.mark.parametrize(
    ("colour", "bits"), [(GRAY_ALPHA, 8), (GRAY_ALPHA, 16), (RGBA, 8)], ids=str
)
def test_transparency(colour: int, bits: int) -> None:
    samples = make_samples((4, 3), colour, bits, np.random.default_rng(4))
    samples[1, 2, -1] -= 1
    rows = make_rows(samples, bits, interlaced=False, filters=(0,))
    assert refused(make_file(rows, (4, 3), colour, bits)) == (
        "expected a label image without transparency, got 1 pixel that is not opaque: save it "
        "without alpha - at maps/a.png"
    )
    samples[..., -1] = 0
    rows = make_rows(samples, bits, interlaced=False, filters=(0,))
    assert "12 pixels that are not" in refused(make_file(rows, (4, 3), colour, bits))
