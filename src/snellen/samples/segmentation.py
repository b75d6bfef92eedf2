"""Streets, their label maps, and those of a network that never was.

The same numbers give the same bytes, on every machine (`snellen.samples.lots`): everything that is
drawn and displaced is whole numbers.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from snellen.atomic_files import write_atomically
from snellen.samples import street_scene as street
from snellen.samples.lots import Lots, at_least
from snellen.samples.png import encode_png, encode_rgb_png
from snellen.samples.street_scene import UNITS, VOID, Thing, draw
from snellen.segmentation.label_scheme import scheme_of

if TYPE_CHECKING:
    import os

__all__ = ["SegmentationSample", "make_segmentation_sample"]

Whole = NDArray[np.int64]

_TRUTH_STREAM, _SEEN_STREAM, _PICTURE_STREAM = 51, 52, 53

# What a network takes one thing for, and in how many of a hundred cases.
_TAKEN_FOR: Final = {
    street.WALL: (street.FENCE, 45),
    street.FENCE: (street.WALL, 30),
    street.TERRAIN: (street.VEGETATION, 30),
    street.LIGHT: (street.POLE, 12),
    street.SIGN: (street.BUILDING, 15),
    street.RIDER: (street.PERSON, 30),
    street.TRUCK: (street.CAR, 30),
    street.BUS: (street.TRUCK, 25),
    street.TRAIN: (street.BUS, 50),
    street.MOTORCYCLE: (street.BICYCLE, 35),
    street.BICYCLE: (street.MOTORCYCLE, 10),
}
# What patches of one stuff are taken for.
_PATCHES: Final = {
    street.SIDEWALK: street.ROAD,
    street.ROAD: street.SIDEWALK,
    street.BUILDING: street.VEGETATION,
    street.VEGETATION: street.BUILDING,
    street.WALL: street.BUILDING,
    street.TERRAIN: street.SIDEWALK,
}
# (pixels, share of a hundred): what is smaller is missed so often.
_MISSED: Final = ((40, 55), (150, 22), (10**9, 4))


@dataclasses.dataclass(frozen=True)
class SegmentationSample:
    """Where a sample lies, and what it holds.

    Attributes
    ----------
    classes : pathlib.Path
        JSON of the classes: those of Cityscapes by their train ids, and void.
    truth, predictions : pathlib.Path
        Folders of label maps: 8-bit PNG with a palette, class ids as indices.
    images : pathlib.Path or None
        The folder of pictures; None where none were drawn.
    panoptic_truth, panoptic_predictions : pathlib.Path
        JSON in COCO's panoptic format; the PNG files lie in folders beside, of the same name.
    n_images : int
        How many.
    """

    classes: Path
    truth: Path
    predictions: Path
    images: Path | None
    panoptic_truth: Path
    panoptic_predictions: Path
    n_images: int


def make_segmentation_sample(
    directory: str | os.PathLike[str],
    *,
    n_images: int = 20,
    width: int = 320,
    height: int = 192,
    seed: int = 0,
    draw_images: bool = True,
) -> SegmentationSample:
    """Write streets, their label maps and a network's: the same bytes everywhere.

    Parameters
    ----------
    directory : path
        Where ``classes.json``, ``truth/``, ``predictions/``, ``images/`` and ``panoptic/`` go; made
        where missing.
    n_images : int
        How many images.
    width, height : int
        Their size in pixels, at least 16.
    seed : int
        At least 0.
    draw_images : bool
        Whether to draw pictures. Nothing else depends on it.

    Returns
    -------
    SegmentationSample
        Paths and counts.

    Raises
    ------
    InputError
        For a number out of its range.

    Notes
    -----
    The network's boundaries wobble; it confuses what looks alike, misses small things, and sees
    some that are not there. It knows no void; truth has void where the camera's own car is. Groups
    of people far away are one segment with ``iscrowd``.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     made = make_segmentation_sample(directory, n_images=1, width=32, height=16)
    ...     [path.name for path in sorted(made.truth.iterdir())], made.n_images
    (['0001.png'], 1)
    """
    n_images = at_least(0, "n_images", n_images)
    width, height = at_least(16, "width", width), at_least(16, "height", height)
    seed = at_least(0, "seed", seed)
    home = Path(directory)
    images = home / "images" if draw_images else None
    made = SegmentationSample(
        home / "classes.json",
        home / "truth",
        home / "predictions",
        images,
        home / "panoptic" / "truth.json",
        home / "panoptic" / "predictions.json",
        n_images,
    )
    folders = (made.panoptic_truth.with_suffix(""), made.panoptic_predictions.with_suffix(""))
    for folder in (made.truth, made.predictions, *folders, *([images] if images else [])):
        folder.mkdir(parents=True, exist_ok=True)

    lots, seen = Lots(seed, _TRUTH_STREAM), Lots(seed, _SEEN_STREAM)
    grain = Lots(seed, _PICTURE_STREAM)
    palette = _palette()
    listed: list[dict[str, Any]] = []
    segments: tuple[list[dict[str, Any]], list[dict[str, Any]]] = ([], [])
    for k in range(1, n_images + 1):
        name = f"{k:04d}.png"
        things = street.street(lots, UNITS * width // height)
        truth = _Maps.of(things, width, height)
        pred = _predicted(things, truth, seen)
        files: dict[str | os.PathLike[str], bytes] = {
            made.truth / name: encode_png(truth.labels, palette),
            made.predictions / name: encode_png(pred.labels, palette),
        }
        if images is not None:
            files[images / name] = encode_rgb_png(_picture(things, width, height, grain))
        for maps, folder, found in zip((truth, pred), folders, segments, strict=True):
            pixels, infos = _panoptic(maps)
            files[folder / name] = encode_rgb_png(pixels)
            found.append({"image_id": k, "file_name": name, "segments_info": infos})
        write_atomically(files)
        listed.append({"id": k, "file_name": name, "width": width, "height": height})
    classes = _classes()
    categories = [
        {
            "id": each["id"],
            "name": each["name"],
            "supercategory": each["group"],
            "isthing": int(each["isthing"]),
            "color": each["color"],
        }
        for each in classes
        if not each.get("ignore")
    ]
    # These come last, so that where they lie the pictures lie.
    write_atomically(
        {
            made.classes: _json(classes),
            made.panoptic_truth: _json(
                {"images": listed, "annotations": segments[0], "categories": categories}
            ),
            made.panoptic_predictions: _json({"annotations": segments[1]}),
        }
    )
    return made


def _json(value: Any) -> bytes:
    if isinstance(value, list):
        return b"[\n " + b",\n ".join(map(msgspec.json.encode, value)) + b"\n]\n"
    return msgspec.json.encode(value) + b"\n"


def _classes() -> list[dict[str, Any]]:
    scheme = scheme_of("cityscapes")
    assert scheme.colours is not None
    classes: list[dict[str, Any]] = [
        {"id": k, "name": name, "color": colour, "isthing": thing, "group": group}
        for k, (name, colour, thing, group) in enumerate(
            zip(
                scheme.classes.names,
                scheme.colours.tolist(),
                scheme.has_instances.tolist(),
                scheme.groups,
                strict=True,
            )
        )
    ]
    return [*classes, {"id": VOID, "name": "void", "color": [0, 0, 0], "ignore": True}]


def _palette() -> list[tuple[int, int, int]]:
    colours = {each["id"]: each["color"] for each in _classes()}
    return [tuple(colours.get(k, (0, 0, 0))) for k in range(256)]


# --- what truth and the network say ---------------------------------------------------------------


class _Maps(NamedTuple):
    """The class and the object of each pixel."""

    things: list[Thing]
    thing: NDArray[np.int16]
    labels: NDArray[np.uint8]

    @classmethod
    def of(cls, things: list[Thing], width: int, height: int) -> _Maps:
        drawing = draw(things, width, height)
        return cls(things, drawing.thing, drawing.labels)


def _predicted(things: list[Thing], truth: _Maps, lots: Lots) -> _Maps:
    """Return what a network makes of a scene."""
    height, width = truth.labels.shape
    area = np.bincount(truth.thing.ravel(), minlength=len(things)).tolist()
    miss, take = lots.below(100, len(things)).tolist(), lots.below(100, len(things)).tolist()
    seen = []
    for k, thing in enumerate(things):
        kind = thing.kind
        often = next(often for pixels, often in _MISSED if area[k] < pixels)
        if thing.depth and kind != VOID and miss[k] < often:
            continue
        if kind == VOID:
            kind = street.CAR if take[k] < 40 else street.ROAD
        other, share = _TAKEN_FOR.get(kind, (kind, 0))
        if take[k] < share:
            kind = other
        # Who takes a thing for stuff sees no instance either.
        counted = kind >= street.PERSON
        seen.append(dataclasses.replace(thing, kind=kind, counted=counted, crowd=False))
    seen += _ghosts(lots, UNITS * width // height)
    maps = _Maps.of(seen, width, height)
    y = np.arange(height)[:, None] + _wobble(lots, height, width)
    x = np.arange(width) + _wobble(lots, height, width)
    at = np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)
    thing, labels = maps.thing[at], maps.labels[at]
    for _ in range(4):
        _patch(labels, lots)
    return _Maps(seen, thing, labels)


def _ghosts(lots: Lots, across: int) -> list[Thing]:
    """Return up to two things of another street."""
    others = [thing for thing in street.street(lots, across) if thing.counted and not thing.crowd]
    n = int(lots.below(3, 1)[0])
    return [others[k] for k in lots.shuffled(len(others))[:n].tolist()]


def _wobble(lots: Lots, height: int, width: int) -> Whole:
    """Return by how many pixels each is displaced: smooth, a few at most."""
    total = np.zeros((height, width), np.int64)
    for cell, most in ((28, 5), (7, 3)):
        grid = lots.below(2 * most + 1, (height // cell + 2) * (width // cell + 2)) - most
        total += _smooth(grid.reshape(height // cell + 2, width // cell + 2), cell, height, width)
    return (total + 8 * 64) // 64 - 8


def _smooth(grid: Whole, cell: int, height: int, width: int) -> Whole:
    """Return 32 × a coarse grid's numbers, in between linearly."""
    y, x = np.arange(height), np.arange(width)
    top, left = y // cell, x // cell
    down, right = (y % cell)[:, None], x % cell
    rows = grid[top], grid[top + 1]
    upper, lower = (row[:, left] * (cell - right) + row[:, left + 1] * right for row in rows)
    return np.asarray((upper * (cell - down) + lower * down) * 32 // (cell * cell), np.int64)


def _patch(labels: NDArray[np.uint8], lots: Lots) -> None:
    """Take a patch of stuff for other stuff."""
    height, width = labels.shape
    x, y, across, along = (int(lots.below(limit, 1)[0]) for limit in (width, height, 24, 14))
    down = (np.arange(height) - y)[:, None] * (across + 4)
    right = (np.arange(width) - x) * (along + 3)
    within = down * down + right * right <= ((across + 4) * (along + 3)) ** 2
    other = np.arange(256, dtype=np.uint8)
    for kind, taken in _PATCHES.items():
        other[kind] = taken
    labels[within] = other[labels[within]]


# --- pictures and segments ------------------------------------------------------------------------


def _picture(things: list[Thing], width: int, height: int, lots: Lots) -> NDArray[np.uint8]:
    """Return a photo of a scene: lighter above, with the grain of a camera."""
    drawing = draw(things, width, height)
    pixels = drawing.colours[drawing.stroke].astype(np.int64)
    pixels += (10 - np.arange(height) * 20 // height)[:, None, None]
    pixels += (lots.below(13, height * width) - 6).reshape(height, width, 1)
    return np.clip(pixels, 0, 255).astype(np.uint8)


def _panoptic(maps: _Maps) -> tuple[NDArray[np.uint8], list[dict[str, Any]]]:
    """Return segments as COCO's panoptic format has them: colours, and what each is."""
    colours = _palette()
    # One segment for each stuff, one for each thing.
    counted = np.array([thing.counted for thing in maps.things], np.bool_)[maps.thing]
    key = np.where(counted, 256 + maps.thing.astype(np.int64), maps.labels.astype(np.int64))
    present, inverse = np.unique(key, return_inverse=True)
    inverse = inverse.reshape(key.shape)
    taken = {0}
    ids, infos = [], []
    for position, value in enumerate(present.tolist()):
        if value == VOID:
            ids.append(0)
            continue
        thing = maps.things[value - 256] if value > VOID else None
        kind = value if thing is None else thing.kind
        red, green, blue = colours[kind]
        # Ids are colours: near that of the class, so that the files can be looked at.
        segment = red + 256 * green + 65536 * blue
        step = 7 if red < 128 else -7
        while segment in taken:
            segment = (segment + step) % 2**24
        taken.add(segment)
        ids.append(segment)
        y, x = np.nonzero(inverse == position)
        left, top = int(x.min()), int(y.min())
        infos.append(
            {
                "id": segment,
                "category_id": kind,
                "area": len(x),
                "bbox": [left, top, int(x.max()) - left + 1, int(y.max()) - top + 1],
                "iscrowd": int(thing is not None and thing.crowd),
            }
        )
    pixels = np.array(ids, np.int64)[inverse]
    return np.stack([pixels >> shift & 255 for shift in (0, 8, 16)], -1).astype(np.uint8), infos
