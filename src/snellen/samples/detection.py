"""A detection data set that never was, and the results of a detector that never was.

The same numbers give the same bytes, on every machine and with every release of NumPy: the only
randomness is the raw stream of a bit generator, which NumPy keeps as it is (its distributions may
change); the only float arithmetic is + − × ÷ √ and comparison, which IEEE 754 defines to the last
bit; coordinates are whole hundredths of a pixel, areas whole squares of them, scores whole
millionths.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from snellen.atomic_files import write_atomically
from snellen.errors import InputError
from snellen.rle_masks import RleMasks
from snellen.samples.lots import Lots, at_least
from snellen.samples.png import encode_png

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

__all__ = ["DetectionSample", "make_detection_sample"]

Whole = NDArray[np.int64]
Real = NDArray[np.float64]
Flags = NDArray[np.bool_]

# Truth, detections and pictures draw from a stream each: asking for more detections, or for no
# pictures, leaves the truth as it is.
_TRUTH_STREAM, _DETECTION_STREAM, _PICTURE_STREAM = 1, 2, 3

# Pairs of look-alikes: a class is confused with its partner.
_CLASS_NAMES: Final = (
    *("apple", "pear", "cup", "mug", "car", "van", "dog", "fox", "chair", "stool"),
    *("bird", "kite", "ball", "balloon", "boat", "canoe", "book", "letter", "hat", "helmet"),
    *("lemon", "lime", "bottle", "vase", "bus", "tram", "cat", "rabbit", "table", "desk"),
    *("duck", "goose", "plate", "bowl", "train", "lorry", "horse", "donkey", "sofa", "bed"),
    *("tree", "bush", "fork", "spoon", "bicycle", "scooter", "cow", "goat", "lamp", "candle"),
    *("flower", "leaf", "kettle", "teapot", "plane", "glider", "sheep", "pig", "clock", "coin"),
    *("stone", "shell", "bucket", "basket", "tent", "hut", "fish", "frog", "drum", "barrel"),
    *("scarf", "towel", "knife", "saw", "ladder", "fence", "bear", "badger", "key", "nail"),
    *("glove", "sock", "broom", "rake", "bridge", "pier", "snail", "beetle", "bell", "whistle"),
)

# Width and height in pixels: small, so that two hundred pictures are a few megabytes.
_IMAGE_SIZES: Final = ((320, 240), (240, 320), (288, 288), (320, 180), (256, 256), (300, 200))

# How much of the width and of the height the cut corners take, in percent: blocks, discs, barrels,
# lozenges.
_SILHOUETTES: Final = ((8, 8), (29, 29), (18, 42), (45, 45))

# Width, height and cuts in pixels of shapes whose area is 32² or 96² exactly, where COCO's small
# and medium, medium and large meet: 40·26 − 2·2·4, 100·93 − 2·7·6, 64·17 − 2·8·4, 128·74 − 2·16·8.
_BOUNDARY_SHAPES: Final = ((40, 26, 2, 4), (100, 93, 7, 6), (64, 17, 8, 4), (128, 74, 16, 8))

_SKYLINE_STEP = 12  # pixels between the steps of a crowd's upper edge

# Upper and lower background. Seven fills and their outlines follow in each picture's palette.
_BACKGROUNDS: Final = (
    ((222, 233, 241), (201, 214, 189)),
    ((244, 238, 226), (224, 211, 188)),
    ((232, 232, 238), (208, 208, 218)),
    ((226, 238, 232), (190, 206, 204)),
    ((241, 230, 230), (214, 199, 196)),
)
_FILLS: Final = (
    *((198, 70, 62), (58, 113, 176), (232, 178, 60), (76, 147, 92)),
    *((132, 92, 162), (224, 124, 64), (64, 156, 164)),
)
_OUTLINES: Final = tuple((red // 2, green // 2, blue // 2) for red, green, blue in _FILLS)


@dataclasses.dataclass(frozen=True)
class DetectionSample:
    """Where a sample lies, and what it holds.

    Attributes
    ----------
    truth : pathlib.Path
        COCO annotation file.
    predictions : pathlib.Path
        COCO results file.
    masks : pathlib.Path or None
        COCO results file of masks; None where none were asked for.
    images : pathlib.Path or None
        Folder of pictures; None where none were drawn.
    n_images, n_boxes, n_detections, n_classes : int
        Counts; `n_boxes` includes the crowds.
    """

    truth: Path
    predictions: Path
    masks: Path | None
    images: Path | None
    n_images: int
    n_boxes: int
    n_detections: int
    n_classes: int


def make_detection_sample(
    directory: str | os.PathLike[str],
    *,
    n_images: int = 200,
    n_boxes: int = 1500,
    n_detections: int = 6000,
    n_classes: int = 20,
    seed: int = 0,
    draw_images: bool = True,
    masks: bool = False,
) -> DetectionSample:
    """Write truth, predictions and pictures: the same bytes for the same numbers, everywhere.

    Parameters
    ----------
    directory : path
        Where ``truth.json``, ``predictions.json`` and ``images/`` go; made where missing.
    n_images, n_boxes, n_detections : int
        How many, exactly; boxes and detections need an image.
    n_classes : int
        At least 1.
    seed : int
        At least 0.
    draw_images : bool
        Whether to draw pictures. The files do not depend on it.
    masks : bool
        Whether to write the detections as masks, too, in ``masks.json``: each an octagon of its
        class in its box.

    Returns
    -------
    DetectionSample
        Paths and counts.

    Raises
    ------
    InputError
        For a number out of its range.

    Notes
    -----
    One box in a hundred is a crowd; one in a hundred has an area of 32² or 96² exactly. Scores are
    partly rounded to hundredths, so that many are equal.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     made = make_detection_sample(directory, n_images=2, n_boxes=5, n_detections=9)
    ...     made.truth.name, made.images.name, made.n_classes
    ('truth.json', 'images', 20)
    """
    n_images = at_least(0, "n_images", n_images)
    n_boxes = at_least(0, "n_boxes", n_boxes)
    n_detections = at_least(0, "n_detections", n_detections)
    n_classes = at_least(1, "n_classes", n_classes)
    seed = at_least(0, "seed", seed)
    if n_images == 0 and (n_boxes or n_detections):
        raise InputError(
            f"expected at least 1 image for {n_boxes} boxes and {n_detections} detections, got 0",
            "n_images",
        )

    lots = Lots(seed, _TRUTH_STREAM)
    scene = _make_scene(lots, n_images, n_classes)
    truth = _make_truth(lots, scene, n_boxes)
    found = _make_detections(Lots(seed, _DETECTION_STREAM), scene, truth, n_detections)

    predictions_text = _predictions_text(scene, found)
    truth_text = _truth_text(scene, truth, seed)

    home = Path(directory)
    home.mkdir(parents=True, exist_ok=True)
    images = home / "images" if draw_images else None
    if images is not None:
        images.mkdir(exist_ok=True)
        for name, picture in _pictures(Lots(seed, _PICTURE_STREAM), scene, truth):
            write_atomically({images / name: picture})
    # These come last, so that where they lie the pictures lie.
    texts: dict[str | os.PathLike[str], bytes] = {
        home / "predictions.json": predictions_text,
        home / "truth.json": truth_text,
    }
    if masks:
        texts[home / "masks.json"] = _masks_text(scene, found)
    write_atomically(texts)
    return DetectionSample(
        truth=home / "truth.json",
        predictions=home / "predictions.json",
        masks=home / "masks.json" if masks else None,
        images=images,
        n_images=n_images,
        n_boxes=n_boxes,
        n_detections=n_detections,
        n_classes=n_classes,
    )


@dataclasses.dataclass(frozen=True)
class _Scene:
    """Images and classes.

    `room` holds each image's width and height in hundredths of a pixel, `theme` the class that it
    has most of; `often` says how frequent a class is.
    """

    image_id: Whole
    room: Whole
    category_id: Whole
    names: list[str]
    often: Whole
    theme: Whole


@dataclasses.dataclass(frozen=True)
class _Truth:
    """Boxes in hundredths of a pixel: octagons, or crowds under a skyline.

    `image` and `label` are positions in the scene. `cut` is what each corner lacks. `skyline` gives
    for each crowd how far its upper edge lies below the box's, in pixels, column by column.
    """

    image: Whole
    label: Whole
    box: Whole
    cut: Whole
    area: Whole
    skyline: dict[int, Whole]

    @property
    def crowd(self) -> Flags:
        return _every_hundredth(len(self.image), _CROWD_PLACE)


@dataclasses.dataclass(frozen=True)
class _Found:
    """Detections: boxes in hundredths of a pixel, scores in millionths."""

    image: Whole
    label: Whole
    box: Whole
    score: Whole

    def taken(self, rows: Whole) -> _Found:
        return _Found(self.image[rows], self.label[rows], self.box[rows], self.score[rows])


# --- truth ----------------------------------------------------------------------------------------

# Crowds and boundary areas come by position and not by lot, so that small samples have them too.
_BOUNDARY_PLACE, _CROWD_PLACE = 49, 99


def _every_hundredth(n: int, place: int) -> Flags:
    return np.asarray(np.arange(n) % 100 == place)


def _make_scene(lots: Lots, n_images: int, n_classes: int) -> _Scene:
    """Return images and classes.

    Ids have gaps, as they do once a data set has been cleaned: code that takes an id for a position
    fails here. Frequencies fall with one over the rank, which is how objects of the world fall; the
    ranks are shuffled so that the first class is not always the commonest. Each image has a theme,
    because classes keep company with themselves: cars come in streets.
    """
    size = np.array(_IMAGE_SIZES, np.int64)[lots.below(len(_IMAGE_SIZES), n_images)]
    classes = np.arange(n_classes, dtype=np.int64)
    often = 1_000_000 // (1 + lots.shuffled(n_classes))
    return _Scene(
        image_id=np.cumsum(1 + lots.below(231, n_images), dtype=np.int64),
        room=size * 100,
        category_id=1 + classes + classes // 9,
        names=[
            _CLASS_NAMES[number] if number < len(_CLASS_NAMES) else f"class_{number + 1}"
            for number in range(n_classes)
        ],
        often=often,
        theme=lots.weighted(often, n_images),
    )


def _make_truth(lots: Lots, scene: _Scene, n: int) -> _Truth:
    """Return the boxes that are there.

    One box in three is of its image's theme. The area is the octagon's, exactly, and so smaller
    than the box's, as a mask's is.
    """
    image = _populated(lots, len(scene.image_id), n)
    other = lots.weighted(scene.often, n)
    label = np.where(lots.below(3, n) == 0, scene.theme[image], other)
    room = scene.room[image]

    size = _sizes(lots, room, np.bincount(image, minlength=len(scene.image_id))[image])
    cut = size * np.array(_SILHOUETTES, np.int64)[label // len(_FILLS) % len(_SILHOUETTES)] // 100
    boundary = np.flatnonzero(_every_hundredth(n, _BOUNDARY_PLACE))
    shape = np.array(_BOUNDARY_SHAPES, np.int64)[boundary // 100 % len(_BOUNDARY_SHAPES)] * 100
    size[boundary], cut[boundary] = shape[:, :2], shape[:, 2:]
    # Crowds are wide, and their masks whole pixels; no run of their encoding is empty, because they
    # leave a quarter of the height free.
    crowds = np.flatnonzero(_every_hundredth(n, _CROWD_PLACE))
    portion = 30 + lots.below(45, 2 * len(crowds)).reshape(-1, 2)
    size[crowds], cut[crowds] = room[crowds] // 100 * portion // 100 * 100, 0

    place = _places(lots, size, room)
    place[crowds] = place[crowds] // 100 * 100
    area = size[:, 0] * size[:, 1] - 2 * cut[:, 0] * cut[:, 1]
    skyline: dict[int, Whole] = {}
    for row in crowds.tolist():
        width, height = (size[row] // 100).tolist()
        steps = lots.below(height // 3, -(-width // _SKYLINE_STEP))
        # The highest step touches the upper edge, else the box would not bound the region.
        skyline[row] = np.repeat(steps - steps.min(), _SKYLINE_STEP)[:width]
        area[row] = (height * width - int(skyline[row].sum())) * 10_000
    return _Truth(image, label, np.hstack((place, size)), cut, area, skyline)


def _populated(lots: Lots, n_images: int, n: int) -> Whole:
    """Return an image for each box: most images hold a few, some dozens, some none.

    The weights are 1 / (u² + 0.02): a long tail without a power or an exponential. One image in
    twenty-five has weight zero; the first never, so that there is always somewhere to go.
    """
    if n == 0:
        return np.zeros(0, np.int64)
    u = lots.below(1000, n_images)
    weights = 1_000_000_000 // (u * u + 20_000)
    empty = lots.below(25, n_images) == 0
    empty[0] = False
    return lots.weighted(np.where(empty, 0, weights), n)


def _sizes(lots: Lots, room: Whole, crowding: Whole) -> Whole:
    """Return widths and heights: 4 in 10 small, 4 medium, 2 large by COCO's bounds.

    A power of two, a share of the way to the next, and a width-to-height ratio of ½ to 2; smaller
    where many objects share the image, because who photographs many stands further off.
    """
    n = len(room)
    octave = lots.weighted(np.array([7, 20, 28, 27, 18], np.int64), n)
    side = np.left_shift(16, octave) * (100 + lots.below(100, n)) * np.sqrt(6 / (18 + crowding))
    stretch = np.sqrt(0.5 + 1.5 * lots.share(n))
    size = np.column_stack((side * stretch, side / stretch)).astype(np.int64)
    return np.minimum(size, room - 400)


def _places(lots: Lots, size: Whole, room: Whole) -> Whole:
    """Return left upper corners such that everything lies inside its image."""
    n = len(size)
    return np.column_stack([lots.below(room[:, k] - size[:, k] + 1, n) for k in (0, 1)])


# --- detections -----------------------------------------------------------------------------------


def _make_detections(lots: Lots, scene: _Scene, truth: _Truth, n: int) -> _Found:
    """Return exactly n detections, grouped by image, in no order within one.

    Each object found once comes first; what is left goes to repetitions (two in ten) and to
    background. Where n is too small even for the first, a random part of them is reported.
    """
    first = _first_hits(lots, scene, truth)
    crowds = _crowd_hits(lots, scene, truth)
    left = max(0, n - len(first.image) - len(crowds.image))
    repeated = _repeated_hits(lots, scene, first, left // 5 if len(first.image) else 0)
    background = _background_hits(lots, scene, truth, left - len(repeated.image))
    parts = (first, crowds, repeated, background)
    everything = _Found(
        *(
            np.concatenate([getattr(part, field.name) for part in parts])
            for field in dataclasses.fields(_Found)
        )
    )
    rows = lots.shuffled(len(everything.image))[:n]
    rows = rows[np.argsort(everything.image[rows], kind="stable")]
    found = everything.taken(rows)
    return dataclasses.replace(found, score=_tied(lots, found.score))


def _first_hits(lots: Lots, scene: _Scene, truth: _Truth) -> _Found:
    """Return at most one detection an object; about one object in ten is missed.

    Each object is seen with a quality, lower for small ones and for difficult classes, and from it
    comes everything: what is seen badly is missed more often, placed worse and scored lower. So the
    score says something about the box, and average precision falls as the IoU threshold rises.
    """
    n = len(truth.image)
    ease = 0.3 * lots.share(len(scene.names)) - 0.15
    small = truth.area < 32 * 32 * 10_000
    quality = 0.64 + 0.2 * lots.bell(n) + ease[truth.label] - np.where(small, 0.12, 0.0)
    quality = np.minimum(np.maximum(quality, 0.0), 1.0)
    missed = lots.share(n) < 0.26 * (1.0 - quality)
    rows = np.flatnonzero(~missed & ~truth.crowd)
    image, quality = truth.image[rows], quality[rows]
    return _Found(
        image,
        _confused(lots, truth.label[rows], len(scene.names), percent=8),
        _shaken(lots, truth.box[rows], 0.012 + 0.16 * (1.0 - quality), scene.room[image]),
        _millionths(0.08 + 0.86 * quality + 0.07 * lots.bell(len(rows))),
    )


def _crowd_hits(lots: Lots, scene: _Scene, truth: _Truth) -> _Found:
    """Return a few members of each crowd: they are neither right nor wrong, so they must be there.

    A detector finds the single persons of a crowd, not the region.
    """
    rows = np.repeat(np.flatnonzero(truth.crowd), 4)
    n = len(rows)
    region = truth.box[rows]
    size = region[:, 2:] * (20 + lots.below(30, 2 * n).reshape(-1, 2)) // 100
    place = region[:, :2] + _places(lots, size, region[:, 2:])
    return _Found(
        truth.image[rows],
        _confused(lots, truth.label[rows], len(scene.names), percent=8),
        np.hstack((place, size)),
        _millionths(0.2 + 0.6 * lots.share(n)),
    )


def _repeated_hits(lots: Lots, scene: _Scene, first: _Found, n: int) -> _Found:
    """Return second detections of what was found: misplaced further, scored lower.

    They are what non-maximum suppression leaves over, and each counts as an error.
    """
    again = first.taken(lots.below(len(first.image), n))
    return _Found(
        again.image,
        _confused(lots, again.label, len(scene.names), percent=15),
        _shaken(lots, again.box, 0.05 + 0.1 * lots.share(n), scene.room[again.image]),
        _millionths(again.score.astype(np.float64) * 1e-6 * (0.05 + 0.7 * lots.share(n))),
    )


def _background_hits(lots: Lots, scene: _Scene, truth: _Truth, n: int) -> _Found:
    """Return detections of nothing.

    One in two keeps company with a truth box: same image, same class; so they are more where much
    is to be seen, as a street has more that looks like a car. In the most crowded images one class
    gets past a hundred detections, the largest of COCO's caps. Scores are low; however many there
    are, only one for every five truth boxes is a confident mistake, because a detector that reports
    more does so by going down in score.
    """
    image = lots.below(len(scene.image_id), n)
    label = lots.weighted(scene.often, n)
    if len(truth.image):
        company = lots.below(len(truth.image), n)
        alone = lots.below(2, n) == 0
        image = np.where(alone, image, truth.image[company])
        label = np.where(alone, label, truth.label[company])
    room = scene.room[image]
    size = _sizes(lots, room, np.bincount(truth.image, minlength=len(scene.image_id))[image])
    u = lots.share(n)
    confident = np.arange(n) < len(truth.image) // 5
    score = np.where(confident, 0.1 + 0.7 * u * u, 0.005 + 0.3 * u * u * u)
    return _Found(image, label, np.hstack((_places(lots, size, room), size)), _millionths(score))


def _confused(lots: Lots, label: Whole, n_classes: int, percent: int) -> Whole:
    """Return labels, some of them exchanged for the look-alike; a last class may have none."""
    partner = label ^ 1
    taken = (lots.below(100, len(label)) < percent) & (partner < n_classes)
    return np.where(taken, partner, label)


def _shaken(lots: Lots, box: Whole, strength: Real, room: Whole) -> Whole:
    """Return boxes whose edges have moved by a share of the box's size, inside their images."""
    edges = []
    for axis in (0, 1):
        start, length = box[:, axis], box[:, axis + 2]
        moved = [
            (bound.astype(np.float64) + lots.bell(len(box)) * strength * length).astype(np.int64)
            for bound in (start, start + length)
        ]
        low = np.minimum(np.maximum(moved[0], 0), room[:, axis] - 100)
        edges.append((low, np.minimum(np.maximum(moved[1], low + 100), room[:, axis])))
    (left, right), (top, bottom) = edges
    return np.column_stack((left, top, right - left, bottom - top))


def _millionths(score: Real) -> Whole:
    return (np.minimum(np.maximum(score, 0.001), 0.999) * 1e6).astype(np.int64)


def _tied(lots: Lots, score: Whole) -> Whole:
    """Return the scores, three in ten of them rounded to hundredths.

    Equal scores, within and across images, are where evaluators differ: the order of the file
    decides, and only a stable sort keeps it.
    """
    coarse = np.maximum(score // 10_000, 1) * 10_000
    return np.where(lots.below(10, len(score)) < 3, coarse, score)


# --- text -----------------------------------------------------------------------------------------

_BLOCK = 20_000  # records formatted at once: fast enough, and little memory


def _hundredths(values: Whole) -> list[str]:
    """Return the numbers from 0 to the largest of `values` as text.

    A table, because each text is used many times over.
    """
    largest = int(values.max(initial=-1))
    return [f"{value // 100}.{value % 100:02}" for value in range(largest + 1)]


def _predictions_text(scene: _Scene, found: _Found) -> bytes:
    record = '{"image_id": %d, "category_id": %d, "bbox": [%s, %s, %s, %s], "score": 0.%06d}'
    number = np.array(_hundredths(found.box), object)
    image, label = scene.image_id[found.image], scene.category_id[found.label]
    blocks = []
    for start in range(0, len(image), _BLOCK):
        rows = slice(start, start + _BLOCK)
        columns = (image[rows], label[rows], *number[found.box[rows].T], found.score[rows])
        values = [column.tolist() for column in columns]
        blocks.append(", ".join([record % row for row in zip(*values, strict=True)]).encode())
    return b"[" + b", ".join(blocks) + b"]"


def _masks_text(scene: _Scene, found: _Found) -> bytes:
    """Return the results file of masks: octagons as the objects of their classes have them."""
    n = len(found.image)
    shape = np.array(_SILHOUETTES, np.int64)[found.label // len(_FILLS) % len(_SILHOUETTES)]
    corners = _corners(found.box, found.box[:, 2:] * shape // 100)
    each = np.arange(n + 1, dtype=np.int64)
    masks = RleMasks.from_vertices(
        corners.reshape(-1, 2) / 100, 8 * each, each, scene.room[found.image][:, ::-1] // 100
    )
    record = (
        '{"image_id": %d, "category_id": %d, '
        '"segmentation": {"size": [%d, %d], "counts": %s}, "score": 0.%06d}'
    )
    columns = zip(
        scene.image_id[found.image].tolist(),
        scene.category_id[found.label].tolist(),
        *masks.size.T.tolist(),
        # Run lengths as text have a backslash.
        [json.dumps(text.decode()) for text in masks.texts()],
        found.score.tolist(),
        strict=True,
    )
    return ("[" + ", ".join([record % row for row in columns]) + "]").encode()


def _truth_text(scene: _Scene, truth: _Truth, seed: int) -> bytes:
    """Return the annotation file, crowds as run lengths, all else as polygons of eight corners."""
    images = ", ".join(
        [
            f'{{"id": {image_id}, "file_name": "{_file_name(image_id)}", '
            f'"width": {width}, "height": {height}}}'
            for image_id, (width, height) in zip(
                scene.image_id.tolist(), (scene.room // 100).tolist(), strict=True
            )
        ]
    )
    categories = json.dumps(
        [
            {"id": category_id, "name": name}
            for category_id, name in zip(scene.category_id.tolist(), scene.names, strict=True)
        ]
    )
    info = json.dumps({"description": f"Snellen detection sample, seed {seed}", "version": "1"})
    return (
        f'{{"info": {info}, "images": [{images}], '
        f'"annotations": [{", ".join(_annotations(scene, truth))}], '
        f'"categories": {categories}}}'
    ).encode()


def _annotations(scene: _Scene, truth: _Truth) -> Iterator[str]:
    corners = _corners(truth.box, truth.cut)
    number = _hundredths(corners)  # no width is larger than the right edge
    columns = zip(
        scene.image_id[truth.image].tolist(),
        scene.category_id[truth.label].tolist(),
        truth.box.tolist(),
        truth.area.tolist(),
        corners.tolist(),
        strict=True,
    )
    for row, (image_id, category_id, box, area, corner) in enumerate(columns):
        if row in truth.skyline:
            mask = _crowd_mask(scene, truth, row)
            segmentation = json.dumps({"counts": _run_lengths(mask), "size": mask.shape})
        else:
            segmentation = f"[[{', '.join([number[value] for value in corner])}]]"
        yield (
            f'{{"id": {row + 1}, "image_id": {image_id}, "category_id": {category_id}, '
            f'"bbox": [{", ".join([number[value] for value in box])}], '
            f'"area": {area // 10_000}.{area % 10_000:04}, "iscrowd": {int(row in truth.skyline)}, '
            f'"segmentation": {segmentation}}}'
        )


def _corners(box: Whole, cut: Whole) -> Whole:
    """Return the octagons, x and y in turn, clockwise from the left end of the upper edge."""
    left, top, width, height = box.T
    across, down = cut.T
    right, bottom = left + width, top + height
    return np.column_stack(
        (
            *(left + across, top, right - across, top, right, top + down, right, bottom - down),
            *(right - across, bottom, left + across, bottom, left, bottom - down, left, top + down),
        )
    )


def _crowd_mask(scene: _Scene, truth: _Truth, row: int) -> Flags:
    """Return the pixels of a crowd, shape (height, width) of its image."""
    image_width, image_height = (scene.room[truth.image[row]] // 100).tolist()
    left, top, width, height = (truth.box[row] // 100).tolist()
    y = np.arange(image_height)[:, np.newaxis]
    mask = np.zeros((image_height, image_width), np.bool_)
    mask[:, left : left + width] = (y >= top + truth.skyline[row]) & (y < top + height)
    return mask


def _run_lengths(mask: Flags) -> list[int]:
    """Return COCO's uncompressed encoding: column by column, from a run of zeros that may be 0."""
    flat = mask.ravel(order="F")
    bounds = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    counts: list[int] = np.diff(bounds, prepend=0, append=flat.size).tolist()
    return [0, *counts] if flat[0] else counts


def _file_name(image_id: int) -> str:
    return f"{image_id:012d}.png"


# --- pictures -------------------------------------------------------------------------------------


def _pictures(lots: Lots, scene: _Scene, truth: _Truth) -> Iterator[tuple[str, bytes]]:
    """Yield the file name and the PNG of each image, large objects below small ones."""
    n = len(scene.image_id)
    background = lots.below(len(_BACKGROUNDS), n).tolist()
    # One image in five is plain; else the ground begins at 30 to 70 % of the height.
    horizon = np.where(lots.below(5, n) == 0, 0, 30 + lots.below(41, n)).tolist()
    order = np.lexsort((-truth.area, truth.image))
    ends = np.cumsum(np.bincount(truth.image, minlength=n)).tolist()
    start = 0
    for position, image_id in enumerate(scene.image_id.tolist()):
        width, height = (scene.room[position] // 100).tolist()
        canvas = np.ones((height, width), np.uint8)
        canvas[: height * horizon[position] // 100] = 0
        for row in order[start : ends[position]].tolist():
            if row in truth.skyline:
                _draw_crowd(canvas, _crowd_mask(scene, truth, row), int(truth.label[row]))
            else:
                _draw_octagon(canvas, truth.box[row], truth.cut[row], int(truth.label[row]))
        start = ends[position]
        palette = (*_BACKGROUNDS[background[position]], *_FILLS, *_OUTLINES)
        yield _file_name(image_id), encode_png(canvas, palette)


def _colours(label: int) -> tuple[int, int]:
    """Return where the palette has a class's fill and outline."""
    fill = 2 + label % len(_FILLS)
    return fill, fill + len(_FILLS)


def _draw_octagon(canvas: NDArray[np.uint8], box: Whole, cut: Whole, label: int) -> None:
    """Fill the pixels whose centres lie in the octagon.

    It is symmetric, so a pixel's distances from the nearer vertical and the nearer horizontal side
    say all: both positive, and their sum, weighted by the cuts, beyond the cut corner.
    """
    left, top, width, height = box.tolist()
    across, down = cut.tolist()
    x0, y0, x1, y1 = left // 100, top // 100, -(-(left + width) // 100), -(-(top + height) // 100)
    x = np.arange(x0, x1, dtype=np.int64) * 100 + 50
    y = np.arange(y0, y1, dtype=np.int64)[:, np.newaxis] * 100 + 50
    dx = np.minimum(x - left, left + width - x)
    dy = np.minimum(y - top, top + height - y)
    fill, outline = _colours(label)
    rim = 100 if min(width, height) < 3200 else 200
    window = canvas[y0:y1, x0:x1]
    for colour, inset in ((outline, 0), (fill, rim)):
        beyond = across * down + inset * (across + down)
        window[(dx >= inset) & (dy >= inset) & (dx * down + dy * across >= beyond)] = colour


def _draw_crowd(canvas: NDArray[np.uint8], mask: Flags, label: int) -> None:
    """Hatch a region, so that it does not look like an object; what lies below shows through."""
    fill, outline = _colours(label)
    inner = mask.copy()
    inner[1:] &= mask[:-1]
    inner[:-1] &= mask[1:]
    inner[:, 1:] &= mask[:, :-1]
    inner[:, :-1] &= mask[:, 1:]
    y, x = np.ogrid[: mask.shape[0], : mask.shape[1]]
    canvas[mask & ((x + y) % 6 < 2)] = fill
    canvas[mask & ~inner] = outline
