"""Examples: the images that a page shows, with what is there and what was found."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

from snellen.errors import SchemaError
from snellen.run.run_record import read_struct

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = [
    "MOST_IMAGES",
    "SCHEMA",
    "Example",
    "Examples",
    "FoundObject",
    "TrueObject",
    "read_examples",
    "read_picture",
    "refuse_unsafe_name",
]

SCHEMA: Final = "snellen.examples/1"

# A page with more is none that a browser shows.
MOST_IMAGES: Final = 2_000
_LIST_BYTES: Final = 64 << 20
_PICTURE_BYTES: Final = 4 << 20
# No separators, no drive, no leading dot or dash: a file of the folder itself on any system.
_SAFE_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,119}")
_PATH_DATA: Final = re.compile(r"[MmLlHhVvZzCcSsQqTtAaEe0-9 ,.+\n-]*")
_MAGIC: Final = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF")
_ENDINGS: Final = (".png", ".jpg", ".jpeg", ".webp")


class TrueObject(msgspec.Struct, omit_defaults=True):
    """An object that is there.

    Attributes
    ----------
    label : str
        The name of its class.
    box : list of 4 float
        Left, top, width, height in pixels of the whole image.
    ignored : bool
        Whether it does not count: a crowd, a difficult one.
    outline : str
        The outline of a mask or of a turned box as an SVG path in pixels of the whole image; empty
        without one.
    keypoints : list of [x, y]
        Those that are labelled.
    track : str
        The id of what is followed over frames (tracking).
    """

    label: str
    box: list[float]
    ignored: bool = False
    outline: str = ""
    keypoints: list[list[float]] = []
    track: str = ""


class FoundObject(msgspec.Struct, omit_defaults=True):
    """A detection.

    Attributes
    ----------
    label, box, outline, keypoints, track
        As those of `TrueObject`.
    score : float
        Its score; 1 in tracking, where all boxes of a tracker count.
    outcome : {"right", "switched", "wrong", "ignored"}
        What became of it, with all detections of lower score left out (matching by falling score
        does not depend on them). Switched: it found an object that another track followed before
        (tracking).
    truth : int or None
        The position of the true object that it was matched with, where it is not wrong.
    overlap : float
        The IoU (or OKS) with that, else with the nearest object that is there.
    taken_for : int or None
        Where it is wrong: the position of the true object of another class, or of its own class,
        that it lies on with the IoU that counts; None where it lies on none.
    was : str
        Where it is switched: the track that followed its object before.
    """

    label: str
    box: list[float]
    score: float
    outcome: str
    truth: int | None = None
    overlap: float = 0.0
    taken_for: int | None = None
    outline: str = ""
    keypoints: list[list[float]] = []
    track: str = ""
    was: str = ""


class Example(msgspec.Struct, omit_defaults=True):
    """An image of the gallery.

    Attributes
    ----------
    id, name : str
        Its id, and the name of its file.
    width, height : int
        Its size in pixels; 0 where unknown.
    picture : str
        The name of its thumbnail in the folder; empty where the image is missing.
    truth, found : list
        Its objects (detection).
    label, predicted : str
        The true and the predicted class (classification); the true and predicted value as texts
        (regression).
    scores : list of [str, float]
        The classes of highest score, falling (classification).
    layers : dict of str to str
        Further pictures of the same size by what they are: ``"truth"``, ``"predicted"``,
        ``"errors"`` (segmentation): names of files in the folder.
    numbers : dict of str to float
        Numbers of the image: ``n_missed``, ``IoU``, ``residual``.
    pairs : list of [str, str, int]
        How many pixels of a true class were taken for which class, most first (segmentation).
    badness : float
        What it is sorted by, worst first.
    group : str
        The sequence that it is a frame of (tracking).
    """

    id: str
    name: str
    width: int = 0
    height: int = 0
    picture: str = ""
    truth: list[TrueObject] = []
    found: list[FoundObject] = []
    label: str = ""
    predicted: str = ""
    scores: list[tuple[str, float]] = []
    layers: dict[str, str] = {}
    numbers: dict[str, float] = {}
    pairs: list[tuple[str, str, int]] = []
    badness: float = 0.0
    group: str = ""


class Examples(msgspec.Struct):
    """The images that a page shows: ``examples/examples.json``.

    Attributes
    ----------
    schema, task : str
        `SCHEMA`, and the task.
    rule : str
        How they were chosen, in one sentence: ``"the 60 of 5,000 images with the most errors at
        IoU 0.5 and from score 0.31"``.
    n_images : int
        How many images were evaluated.
    score_threshold : float
        Where the score slider stands at first.
    images : list of Example
        Worst first.
    about : dict
        Further plain values of the task.
    order : str
        What comes first, in words that hold for parts and whole: ``"the largest errors first"``.
    at_most : int
        How many images were asked for; 0 where nothing says so.
    """

    schema: str
    task: str
    rule: str
    n_images: int
    images: list[Example]
    score_threshold: float = 0.0
    about: dict[str, Any] = {}
    order: str = ""
    at_most: int = 0

    def picture_names(self) -> Iterator[str]:
        """Give the names of all pictures."""
        for image in self.images:
            yield from filter(None, (image.picture, *image.layers.values()))

    def to_bytes(self) -> bytes:
        """Return the content of the file; numbers that are not finite are left out."""
        finite = [
            msgspec.structs.replace(
                image,
                numbers={
                    name: float(value)
                    for name, value in image.numbers.items()
                    if math.isfinite(value)
                },
            )
            for image in self.images
        ]
        return msgspec.json.encode(msgspec.structs.replace(self, images=finite)) + b"\n"


def read_examples(path: Path) -> Examples:
    """Return what ``examples.json`` holds: nothing of it can lead out of its folder.

    Raises
    ------
    InputError, SchemaError, StateVersionError
        Where it cannot be read, is something else, or of a newer release.
    """
    found = read_struct(path, Examples, SCHEMA, at_most=_LIST_BYTES)
    if len(found.images) > MOST_IMAGES:
        raise SchemaError(
            f"expected at most {MOST_IMAGES:,} images, got {len(found.images):,}",
            f"{path} $.images",
        )
    for i, image in enumerate(found.images):
        place = f"{path} $.images[{i}]"
        _check_pictures(image, place)
        for k, true in enumerate(image.truth):
            _check_object(true, f"{place}.truth[{k}]")
        for k, each in enumerate(image.found):
            _check_object(each, f"{place}.found[{k}]")
            _check_match(each, len(image.truth), f"{place}.found[{k}]")
    return found


def _check_pictures(image: Example, place: str) -> None:
    if image.picture:
        _refuse_no_picture(image.picture, f"{place}.picture")
    for name, file in image.layers.items():
        _refuse_no_picture(file, f"{place}.layers.{name}")


def _refuse_no_picture(file: str, place: str) -> None:
    refuse_unsafe_name(file, place)
    if not file.lower().endswith(_ENDINGS):
        raise SchemaError(f'expected a name with {", ".join(_ENDINGS)}, got "{file}"', place)


def _check_object(found: TrueObject | FoundObject, place: str) -> None:
    if len(found.box) != 4:
        raise SchemaError(f"expected 4 numbers, got {len(found.box)}", f"{place}.box")
    if any(len(point) != 2 for point in found.keypoints):
        raise SchemaError("expected pairs of numbers", f"{place}.keypoints")
    if not _PATH_DATA.fullmatch(found.outline):
        raise SchemaError(
            f'expected the data of an SVG path, got "{found.outline[:60]}"', f"{place}.outline"
        )


def _check_match(found: FoundObject, n_truth: int, place: str) -> None:
    if found.outcome not in ("right", "switched", "wrong", "ignored"):
        raise SchemaError(
            f'expected right, switched, wrong or ignored, got "{found.outcome[:60]}"',
            f"{place}.outcome",
        )
    for name, at in (("truth", found.truth), ("taken_for", found.taken_for)):
        if at is not None and not 0 <= at < n_truth:
            raise SchemaError(
                f"expected one of {n_truth} true objects, got {at}", f"{place}.{name}"
            )


def refuse_unsafe_name(name: str, place: str) -> None:
    """Refuse what is not the name of a file in the folder itself.

    Raises
    ------
    SchemaError
        For such a name.
    """
    if not _SAFE_NAME.fullmatch(name):
        raise SchemaError(
            f'expected the name of a file in the same folder, got "{name[:80]}"', place
        )


def read_picture(folder: Path, file: str) -> bytes | None:
    """Return a picture of a folder; None where it is missing.

    Raises
    ------
    SchemaError
        For a name or a link that leads elsewhere, and for what is no PNG, JPEG or WebP.
    """
    place = str(folder / file)
    _refuse_no_picture(file, place)
    path = folder / file
    try:
        if path.resolve().parent != folder.resolve():
            raise SchemaError("expected a file, got a link out of its folder", place)
        if path.stat().st_size > _PICTURE_BYTES:
            raise SchemaError(
                f"expected a thumbnail of at most {_PICTURE_BYTES >> 20} MiB, got one of "
                f"{path.stat().st_size / 2**20:.0f} MiB",
                place,
            )
        data = path.read_bytes()
    except OSError:  # gone, or not to be read: the page shows a grey tile
        return None
    if not data.startswith(_MAGIC):
        raise SchemaError("expected a PNG, JPEG or WebP", place)
    return data
