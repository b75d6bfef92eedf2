"""Palette images: indices are ids, unless palettes say that they stand for colours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from snellen.errors import ClassError, InputError, SchemaError
from snellen.readers.class_maps import LabelMapReader
from snellen.readers.label_counts import CountedLabels, count_label_files
from snellen.readers.label_encodings import Encodings, encodings_of
from snellen.readers.label_pairs import LabelPairs, find_pairs
from snellen.segmentation.label_scheme import LabelScheme, colour_value, scheme_of

Whole = np.ndarray[Any, Any]
VOC = scheme_of("voc")
CITY = scheme_of("cityscapes")
VOID_COLOUR = (224, 224, 192)  # VOC's


def voc_palette() -> Whole:
    assert VOC.colours is not None
    return np.vstack([VOC.colours, np.zeros((234, 3), np.uint8), [VOID_COLOUR]]).astype(np.uint8)


def city_palette(encoding: str) -> Whole:
    """Return Cityscapes' colours at the ids of an encoding; what is void is black."""
    assert CITY.colours is not None
    palette = np.zeros((256, 3), np.uint8)
    for value, code in CITY.encoding(encoding).meaning().items():
        if code >= 0:
            palette[value] = CITY.colours[code]
    return palette


def maps(seed: int = 0, n: int = 3) -> list[Whole]:
    """Return ids of VOC in blocks, and void."""
    random = np.random.default_rng(seed)
    found = [random.integers(0, 21, (6, 8)).astype(np.uint8).repeat(4, 0).repeat(4, 1)
             for _ in range(n)]  # fmt: skip
    for each in found:
        each[0, :5] = 255
    return found


def changed(ids: list[Whole]) -> list[Whole]:
    """Return predictions of them: some columns are of another class, and none is void."""
    found = [each.copy() for each in ids]
    for each in found:
        each[each == 255] = 0
        each[:, 10:15] = (each[:, 10:15] + 1) % 21
    return found


def indexed(values: Whole, palette: Whole) -> Image.Image:
    image = Image.fromarray(values).convert("L")
    image.putpalette(palette.astype(np.uint8).tobytes())
    assert image.mode == "P"
    assert np.array_equal(np.asarray(image), values)
    return image


def optimised(ids: Whole, palette: Whole, *, order: int = 1) -> Image.Image:
    """Return an image of colours as indices of the colours that it has, ascending or descending."""
    colours = palette[ids].reshape(-1, 3)
    used, index = np.unique(colours, axis=0, return_inverse=True)
    index = index.reshape(ids.shape)
    if order < 0:
        used, index = used[::-1], len(used) - 1 - index
    return indexed(index.astype(np.uint8), used)


def save(folder: Path, images: list[Any]) -> Path:
    folder.mkdir()
    for k, image in enumerate(images):
        shown = image if isinstance(image, Image.Image) else Image.fromarray(image)
        shown.save(folder / f"{k}.png")
    return folder


def counted(
    tmp_path: Path,
    truth: list[Any],
    pred: list[Any],
    scheme: LabelScheme = VOC,
    encoding: str | None = None,
) -> tuple[LabelPairs, CountedLabels, Encodings]:
    files = find_pairs(save(tmp_path / "t", truth), save(tmp_path / "p", pred))
    found = count_label_files(files, scheme, pred=encoding)
    return files, found, encodings_of(found, files, scheme, pred=encoding)


def pairs_of_codes(found: CountedLabels, encodings: Encodings) -> list[tuple[int, ...]]:
    """Return image, codes and count of every row, ascending."""
    pairs = found.pairs
    image = np.repeat(np.arange(len(pairs.start) - 1), np.diff(pairs.start))
    rows = zip(
        image.tolist(),
        encodings.truth.codes_of(pairs.truth).tolist(),
        encodings.pred.codes_of(pairs.pred, pred=True).tolist(),
        pairs.count.tolist(),
        strict=True,
    )
    return sorted(rows)


@pytest.fixture
def expected(tmp_path: Path) -> list[tuple[int, ...]]:
    """Return the rows of codes of gray images of ids."""
    within = tmp_path / "gray"
    within.mkdir()
    _, found, encodings = counted(within, maps(), changed(maps()))
    assert (found.truth_kind, found.pred_kind) == ("ids", "ids")
    assert encodings.notes == ()
    return pairs_of_codes(found, encodings)


NOTE = (
    "predictions are colours, through palettes: they have those of voc, at other indices than its "
    "ids"
)
MAKERS: dict[str, Callable[[Whole, int], Image.Image]] = {
    "ascending": lambda ids, _: optimised(ids, voc_palette()),
    "another order in each file": lambda ids, k: optimised(
        ids, voc_palette(), order=1 - 2 * (k % 2)
    ),
    "as Pillow quantises": lambda ids, _: Image.fromarray(voc_palette()[ids]).quantize(64),
}


@pytest.mark.parametrize("name", MAKERS)
def test_colours_at_other_indices_are_colours(
    tmp_path: Path, expected: list[tuple[int, ...]], name: str
) -> None:
    pred = [MAKERS[name](each, k) for k, each in enumerate(changed(maps()))]
    files, found, encodings = counted(tmp_path, maps(), pred)
    assert (found.truth_kind, found.pred_kind) == ("ids", "colours")
    assert encodings.pred.name == "colours"
    assert encodings.notes == (NOTE,)
    assert pairs_of_codes(found, encodings) == expected
    reader = LabelMapReader(files, encodings, VOC.classes)
    for k, (ids, predicted) in enumerate(zip(maps(), changed(maps()), strict=True)):
        one, other = reader.read(k)
        assert np.array_equal(one, ids)
        assert np.array_equal(other, predicted)


def test_truth_in_colours_at_other_indices(tmp_path: Path, expected: list[tuple[int, ...]]) -> None:
    truth = [optimised(each, voc_palette()) for each in maps()]
    _, found, encodings = counted(tmp_path, truth, changed(maps()))
    assert encodings.notes == (NOTE.replace("predictions are", "truth is"),)
    assert pairs_of_codes(found, encodings) == expected


def gray() -> Whole:
    return np.arange(256).repeat(3).reshape(-1, 3)


PALETTES: dict[str, Whole] = {
    "its own": voc_palette(),
    "its own, filled with black": np.vstack([voc_palette()[:21], np.zeros((235, 3))]),
    "its own, and white": np.vstack([voc_palette()[:21], np.full((235, 3), 255)]),
    "grays": gray(),
    "grays backwards": gray()[::-1],
    "any colours": np.random.default_rng(1).integers(0, 256, (256, 3)),
    "another data set's": city_palette("trainIds"),
}


@pytest.mark.parametrize("name", PALETTES)
def test_palettes_to_look_at(tmp_path: Path, expected: list[tuple[int, ...]], name: str) -> None:
    truth, pred = (
        [indexed(each, PALETTES[name]) for each in some] for some in (maps(), changed(maps()))
    )
    files, found, encodings = counted(tmp_path, truth, pred)
    assert (found.truth_kind, found.pred_kind) == ("ids", "ids")
    assert encodings.notes == ()
    assert pairs_of_codes(found, encodings) == expected
    one, other = LabelMapReader(files, encodings, VOC.classes).read(2)
    assert np.array_equal(one, maps()[2])
    assert np.array_equal(other, changed(maps())[2])


def test_any_palettes_another_in_each_file(tmp_path: Path, expected: list[tuple[int, ...]]) -> None:
    random = np.random.default_rng(2)
    pred = [indexed(each, random.integers(0, 256, (256, 3))) for each in changed(maps())]
    _, found, encodings = counted(tmp_path, maps(), pred)
    assert encodings.notes == ()
    assert pairs_of_codes(found, encodings) == expected


@pytest.mark.parametrize("scheme", [scheme_of(21), scheme_of("ade20k")], ids=["21", "ade20k"])
def test_classes_without_colours_have_ids(tmp_path: Path, scheme: LabelScheme) -> None:
    ids = [np.where(each == 255, 0, each).astype(np.uint8) for each in maps()]
    pred = [optimised(each, voc_palette()) for each in ids]
    _, found, encodings = counted(tmp_path, ids, pred, scheme)
    assert found.pred_kind == "ids"
    assert not encodings.pred.is_colour
    assert found.notes == ()


def test_few_colours_are_no_void_label_ids(tmp_path: Path) -> None:
    # Indices 0 to 3, which are void as labelIds and road to wall as trainIds.
    ids = np.array([[0, 8, 10, 13]], np.uint8)
    pred = optimised(ids, city_palette("trainIds"))
    _, found, encodings = counted(tmp_path, [ids], [pred], CITY)
    assert encodings.pred.name == "colours"
    assert pairs_of_codes(found, encodings) == [(0, c, c, 1) for c in (0, 8, 10, 13)]


@pytest.mark.parametrize("encoding", ["trainIds", "labelIds"])
def test_palettes_tell_encodings_apart(tmp_path: Path, encoding: str) -> None:
    # Values that fit both: road, sidewalk, building; or traffic sign, vegetation, person.
    ids = np.array([[7, 8, 11, 0]], np.uint8)
    images = [indexed(ids, city_palette(encoding))]
    _, _, encodings = counted(tmp_path, images, images, CITY)
    assert (encodings.truth.name, encodings.pred.name) == (encoding, encoding)
    assert encodings.notes == tuple(
        f"{subject} {encoding}: palettes have the colours of its ids"
        for subject in ("truth is", "predictions are")
    )


def test_an_encoding_that_is_asked_for_decides(
    tmp_path: Path, expected: list[tuple[int, ...]]
) -> None:
    pred = [optimised(each, voc_palette()) for each in changed(maps())]
    for encoding in ("ids", "colours"):
        within = tmp_path / encoding
        within.mkdir()
        _, found, encodings = counted(within, maps(), pred, encoding=encoding)
        assert encodings.pred.name == encoding
        assert encodings.notes == ()
        assert (pairs_of_codes(found, encodings) == expected) == (encoding == "colours")
    with pytest.raises(InputError, match='got "colors"'):
        count_label_files(find_pairs(within / "t", within / "p"), VOC, pred="colors")


def test_files_of_colours_beside(tmp_path: Path, expected: list[tuple[int, ...]]) -> None:
    # What makes files smaller leaves some of them as they are.
    pred: list[Any] = [optimised(each, voc_palette()) for each in changed(maps())]
    pred[1] = voc_palette()[changed(maps())[1]]
    _, found, encodings = counted(tmp_path, maps(), pred)
    assert encodings.notes == ("predictions are colours, through palettes: they have those of voc",)
    assert pairs_of_codes(found, encodings) == expected


@pytest.mark.parametrize("at", [0, 2])
def test_kinds_that_differ(tmp_path: Path, at: int) -> None:
    pred: list[Any] = [optimised(each, voc_palette()) for each in changed(maps())]
    pred[at] = changed(maps())[at]
    with pytest.raises(SchemaError, match="expected files of one kind on a side, got") as caught:
        counted(tmp_path, maps(), pred)
    assert f"p/{at or 1}.png" in str(caught.value)
    # Any palette, and colours.
    within = tmp_path / "more"
    within.mkdir()
    pred = [indexed(each, gray()) for each in changed(maps())]
    pred[at] = voc_palette()[changed(maps())[at]]
    with pytest.raises(SchemaError, match="expected files of one kind on a side, got"):
        counted(within, maps(), pred)


@pytest.mark.parametrize("n_pixels", [1, 300])
def test_colours_at_other_indices_and_one_of_no_class(tmp_path: Path, n_pixels: int) -> None:
    palette = voc_palette()
    palette[30] = (1, 2, 3)
    ids = changed(maps())
    ids[1].flat[:n_pixels] = 30
    with pytest.raises(ClassError) as caught:
        counted(tmp_path, maps(), [optimised(each, palette) for each in ids])
    assert str(caught.value) == (
        "expected palettes of the colours of voc, or of others, got its colours at other indices "
        "than its ids, and (1, 2, 3) besides: say what predictions are, ids or colours - at "
        f"{tmp_path / 'p/1.png'}"
    )


def test_indices_beyond_the_palette(tmp_path: Path) -> None:
    # Pillow writes no more colours than it has; void is beyond them.
    image = indexed(maps()[0], voc_palette()[:21])
    _, found, encodings = counted(tmp_path, [image], [image])
    assert found.truth_kind == "ids"
    assert encodings.notes == ()


def test_rows_ascend_and_come_once(tmp_path: Path) -> None:
    # Two indices of one colour, and colours that descend.
    aeroplane, bicycle = VOC.colours[1], VOC.colours[2]  # type: ignore[index]
    palette = np.array([bicycle, aeroplane, bicycle])
    index = np.array([[0, 1, 2, 2]], np.uint8)
    truth = np.array([[2, 1, 2, 1]], np.uint8)
    _, found, _ = counted(tmp_path, [truth, truth], [indexed(index, palette)] * 2)
    one, two = colour_value(*aeroplane.tolist()), colour_value(*bicycle.tolist())
    assert found.pairs.start.tolist() == [0, 3, 6]
    assert found.pairs.truth.tolist() == [1, 1, 2] * 2
    assert found.pairs.pred.tolist() == [one, two, two] * 2
    assert found.pairs.count.tolist() == [1, 1, 2] * 2


def test_instances_beside_colours_at_other_indices(tmp_path: Path) -> None:
    ids = np.array([[26, 26, 7, 24, 11]], np.uint8)
    pred = optimised(ids, city_palette("labelIds"))
    marked = save(tmp_path / "i", [np.array([[26000, 26001, 7, 24000, 11]], np.uint16)]) / "0.png"
    files = find_pairs(save(tmp_path / "t", [ids]), save(tmp_path / "p", [pred]))
    found = count_label_files(files, CITY, instances=[marked])
    assert found.instances is not None
    names = [
        CITY.classes.names[k]
        for k in CITY.encoding("colours").codes_of(found.instances.pred, pred=True)
    ]
    assert found.instances.truth.tolist() == [7, 11, 24000, 26000, 26001]
    assert names == ["road", "building", "person", "car", "car"]
