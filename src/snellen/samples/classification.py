"""Pictures of shapes, and the scores of two networks that never were.

The same numbers give the same bytes, on every machine (`snellen.samples.lots`): shapes are
inequalities of whole numbers, scores whole millionths that add up to one.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from snellen.atomic_files import write_atomically
from snellen.errors import InputError
from snellen.samples.lots import Lots, at_least
from snellen.samples.png import encode_png

if TYPE_CHECKING:
    import os

__all__ = ["ClassificationSample", "make_classification_sample"]

Whole = NDArray[np.int64]
Real = NDArray[np.float64]
Flags = NDArray[np.bool_]

_TRUTH_STREAM, _SEEN_STREAM, _PICTURE_STREAM = 21, 22, 23
_MODEL_STREAMS: Final = {"a": 24, "b": 25}

# Pairs of look-alikes: a class is confused with its partner. In order of name, as folders are.
_CLASSES: Final = ("cross", "diamond", "disc", "ring", "square", "triangle")
_PARTNER: Final = np.array([5, 4, 3, 2, 1, 0], np.int64)
_OFTEN: Final = np.array([9, 24, 30, 14, 18, 5], np.int64)

# Copies come by position and not by lot, so that small samples have them too.
_EVERY, _COPY_PLACE, _NEAR_PLACES = 60, 30, (15, 45)

_SIZE = 64  # pixels
_CELL = 8  # of the pattern behind
_BACKGROUNDS: Final = (
    ((222, 233, 241), (201, 214, 226), (184, 200, 214)),
    ((244, 238, 226), (224, 211, 188), (208, 196, 170)),
    ((226, 238, 226), (190, 206, 190), (172, 192, 176)),
    ((90, 96, 110), (74, 80, 94), (60, 64, 80)),
    ((120, 100, 90), (104, 86, 76), (90, 72, 64)),
)
_FILLS: Final = (
    *((198, 70, 62), (58, 113, 176), (232, 178, 60), (76, 147, 92)),
    *((132, 92, 162), (224, 124, 64), (64, 156, 164)),
)


@dataclasses.dataclass(frozen=True)
class ClassificationSample:
    """Where a sample lies, and what it holds.

    Attributes
    ----------
    truth : pathlib.Path
        Table of id, label and group: the scene.
    predictions : tuple of two pathlib.Path
        Tables of id and the score of each class, in other orders; the second is a bit better.
    images : pathlib.Path or None
        Class folders with pictures; None where none were drawn.
    n_images, n_scenes : int
        Counts; of scenes those that an image is of.
    """

    truth: Path
    predictions: tuple[Path, Path]
    images: Path | None
    n_images: int
    n_scenes: int


def make_classification_sample(
    directory: str | os.PathLike[str],
    *,
    n_images: int = 600,
    n_scenes: int = 120,
    seed: int = 0,
    draw_images: bool = True,
) -> ClassificationSample:
    """Write truth, two tables of scores and pictures: the same bytes everywhere.

    Parameters
    ----------
    directory : path
        Where ``truth.csv``, ``a.csv``, ``b.csv`` and ``images/`` go; made where missing.
    n_images : int
        How many images.
    n_scenes : int
        How many scenes they may be of; images need one.
    seed : int
        At least 0.
    draw_images : bool
        Whether to draw pictures. The tables do not depend on it.

    Returns
    -------
    ClassificationSample
        Paths and counts.

    Raises
    ------
    InputError
        For a number out of its range.

    Notes
    -----
    Ids are paths within ``images/``. Images of a scene share their background and how hard they
    are, so that scenes, not images, are the units of independence. One image in sixty is a copy of
    another one, byte by byte, and two in sixty are nearly one; copies are of the same class but say
    to be of another scene, as files do that were collected twice.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     made = make_classification_sample(directory, n_images=3, n_scenes=2)
    ...     made.truth.read_text().splitlines()[0], made.n_images
    ('id,label,group', 3)
    """
    n_images = at_least(0, "n_images", n_images)
    n_scenes = at_least(0, "n_scenes", n_scenes)
    seed = at_least(0, "seed", seed)
    if n_images and not n_scenes:
        raise InputError(f"expected at least 1 scene for {n_images} images, got 0", "n_scenes")

    lots = Lots(seed, _TRUTH_STREAM)
    scene = np.sort(lots.below(n_scenes, n_images)) if n_images else np.zeros(0, np.int64)
    label = lots.weighted(_OFTEN, n_images)
    original, shown_scene, near = _copies(lots, n_images, n_scenes, scene)
    label = label[original]
    ids = [f"{_CLASSES[k]}/{i:05d}.png" for i, k in enumerate(label.tolist(), 1)]

    home = Path(directory)
    home.mkdir(parents=True, exist_ok=True)
    images = home / "images" if draw_images else None
    if images is not None:
        for name in sorted({_CLASSES[k] for k in label.tolist()}):
            (images / name).mkdir(parents=True, exist_ok=True)
        pictures = _Pictures(Lots(seed, _PICTURE_STREAM), label, scene, n_scenes)
        for i, name in enumerate(ids):
            picture = pictures.png(int(original[i]), moved=bool(near[i]))
            write_atomically({images / name: picture})

    seen = Lots(seed, _SEEN_STREAM)
    hardness = (0.5 * seen.bell(n_scenes)[scene] + 0.5 * seen.bell(n_images))[original]
    tables: dict[str | os.PathLike[str], bytes] = {
        home / f"{name}.csv": _scores_text(
            Lots(seed, stream), ids, label, hardness, original, better=0.05 * (name == "b")
        )
        for name, stream in _MODEL_STREAMS.items()
    }
    lines = [
        f"{name},{_CLASSES[k]},scene{where:04d}"
        for name, k, where in zip(ids, label.tolist(), shown_scene.tolist(), strict=True)
    ]
    # These come last, so that where they lie the pictures lie.
    write_atomically({**tables, home / "truth.csv": _text("id,label,group", lines)})
    return ClassificationSample(
        truth=home / "truth.csv",
        predictions=(home / "a.csv", home / "b.csv"),
        images=images,
        n_images=n_images,
        n_scenes=len(np.unique(shown_scene)),
    )


def _copies(lots: Lots, n: int, n_scenes: int, scene: Whole) -> tuple[Whole, Whole, Flags]:
    """Return what each image is of, the scene it says it is of, and whether it is nearly a copy."""
    place = np.arange(n) % _EVERY
    near = np.isin(place, _NEAR_PLACES)
    copied = near | (place == _COPY_PLACE)
    # Of an image that is no copy itself: the one a random way before the next copy.
    original = np.where(copied, np.arange(n) - 1 - lots.below(14, n), np.arange(n))
    other = (scene[original] + 1 + lots.below(max(n_scenes - 1, 1), n)) % max(n_scenes, 1)
    return original, np.where(copied, other, scene), near


# --- scores ---------------------------------------------------------------------------------------


def _scores_text(
    lots: Lots, ids: list[str], label: Whole, hardness: Real, original: Whole, *, better: float
) -> bytes:
    """Return a table of scores in random order.

    Each class has an evidence, the true one and its look-alike more than others; a fourth power
    sets the highest apart. What is hard is hard for every network.
    """
    n, k = len(ids), len(_CLASSES)
    evidence = 0.5 + 0.14 * lots.bell(n * k).reshape(n, k)
    rows = np.arange(n)
    evidence[rows, label] += 0.46 + better - 0.2 * hardness
    evidence[rows, _PARTNER[label]] += 0.16 + 0.1 * hardness
    evidence = np.maximum(evidence, 0.05)[original]  # a network says the same of the same picture
    squared = evidence * evidence
    fourth = squared * squared
    # Added one by one: how many numbers a sum takes at once differs between machines.
    total = fourth[:, 0].copy()
    for column in range(1, k):
        total += fourth[:, column]
    millionths = (fourth / total[:, None] * 1e6).astype(np.int64)
    millionths[rows, millionths.argmax(axis=1)] += 1_000_000 - millionths.sum(axis=1)
    order = lots.shuffled(n)
    lines = [
        ",".join([ids[i], *(f"{m // 1_000_000}.{m % 1_000_000:06d}" for m in scores)])
        for i, scores in zip(order.tolist(), millionths[order].tolist(), strict=True)
    ]
    return _text(",".join(["id", *_CLASSES]), lines)


def _text(header: str, lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in [header, *lines]).encode()


# --- pictures -------------------------------------------------------------------------------------


class _Pictures:
    """How each image looks: a shape before the pattern of its scene."""

    def __init__(self, lots: Lots, label: Whole, scene: Whole, n_scenes: int) -> None:
        side = _SIZE // _CELL
        self._label, self._scene = label, scene
        self._pattern = lots.below(3, n_scenes * side * side).reshape(-1, side, side)
        self._theme = lots.below(len(_BACKGROUNDS), n_scenes)
        n = len(label)
        self._fill = lots.below(len(_FILLS), n)
        self._radius = 12 + lots.below(11, n)
        room = _SIZE - 2 * self._radius
        self._centre = np.column_stack([self._radius + lots.below(room, n) for _ in range(2)])

    def png(self, i: int, *, moved: bool) -> bytes:
        """Return image i; `moved`: one pixel to the side, and a little lighter."""
        where = self._scene[i]
        pixels = np.kron(self._pattern[where], np.ones((_CELL, _CELL), np.int64))
        y, x = np.mgrid[:_SIZE, :_SIZE]
        radius = int(self._radius[i])
        y, x = y - self._centre[i, 0], x - self._centre[i, 1]
        pixels[_inside(_CLASSES[self._label[i]], x, y, radius)] = 3
        palette = [*_BACKGROUNDS[self._theme[where]], _FILLS[self._fill[i]]]
        if moved:
            pixels = np.concatenate([pixels[:, :1], pixels[:, :-1]], axis=1)
            palette = [(red + 4, green + 4, blue + 4) for red, green, blue in palette]
        return encode_png(pixels.astype(np.uint8), palette)


def _inside(shape: str, x: Whole, y: Whole, radius: int) -> Flags:
    """Return which pixels belong to a shape around 0."""
    across, along = np.abs(x), np.abs(y)
    distance = x * x + y * y
    inside: dict[str, Flags] = {
        "cross": (np.minimum(across, along) * 3 <= radius) & (np.maximum(across, along) <= radius),
        "diamond": across + along <= radius,
        "disc": distance <= radius * radius,
        "ring": (distance <= radius * radius) & (distance * 3 > radius * radius),
        "square": np.maximum(across, along) * 5 <= radius * 4,
        "triangle": (along <= radius) & (across * 2 <= y + radius),
    }
    return inside[shape]
