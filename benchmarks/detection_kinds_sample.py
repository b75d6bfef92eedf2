"""Make the data of `detection_kinds.py`: ``detection_kinds_sample.py FOLDER KIND SCALE SEED``.

FOLDER gets truth.json and predictions.json, as COCO (and LVIS) write them, and sample.json: what
they were made with, and digests. Objects are boxes, blobs in boxes, or people in boxes; a third of
the predictions are objects that moved a little, the others are somewhere.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from side_by_side import sha256_of

from snellen.rle_masks import RleMasks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["SIZES", "Size", "made"]

Real = NDArray[np.float64]
Whole = NDArray[np.int64]

_WIDTH, _HEIGHT = 640, 480
_BLOCK = 20_000  # records written at once
_WAVES = np.arange(2, 8)  # of a blob's outline
_LISTED = ("neg_category_ids", "not_exhaustive_category_ids")


class Size(NamedTuple):
    """How much there is of a kind."""

    n_images: int
    n_truth: int
    n_pred: int
    n_classes: int

    def times(self, scale: float) -> Size:
        """Return so much of it, with as many classes."""
        return Size(*(max(1, round(n * scale)) for n in self[:3]), self.n_classes)

    def __str__(self) -> str:
        return (
            f"{self.n_images:,} images, {self.n_truth:,} objects, {self.n_pred:,} predictions, "
            f"{self.n_classes:,} classes"
        )


SIZES = {
    "masks": Size(5_000, 36_781, 180_000, 80),  # COCO val2017, 36 an image
    "keypoints": Size(5_000, 11_004, 60_000, 1),  # of the people, 6,352 have keypoints
    "few_keypoints": Size(5_000, 11_004, 11_000, 1),
    "lvis": Size(20_000, 250_000, 1_500_000, 1_203),
    "objects365": Size(80_000, 1_200_000, 4_000_000, 365),
}
_WITH_KEYPOINTS = 6_352 / 11_004
# From nose to ankles, as parts of the box.
_STANDING = (
    *((0.5, 0.08), (0.53, 0.06), (0.47, 0.06), (0.57, 0.08), (0.43, 0.08)),
    *((0.65, 0.22), (0.35, 0.22), (0.75, 0.38), (0.25, 0.38), (0.8, 0.5), (0.2, 0.5)),
    *((0.6, 0.52), (0.4, 0.52), (0.62, 0.75), (0.38, 0.75), (0.63, 0.97), (0.37, 0.97)),
)


class _Objects(NamedTuple):
    """Boxes, each in an image and of a class."""

    image: Whole  # from 0
    label: Whole  # from 0
    xywh: Real
    waves: Real  # (n, waves, 2): amplitude and phase of each
    score: Real | None = None


def made(folder: Path, kind: str, scale: float, seed: int = 0) -> tuple[str, str]:
    """Return truth and predictions, made in a process of their own where they are not there."""
    import subprocess

    words = [str(folder), kind, str(scale), str(seed)]
    try:
        description = json.loads((folder / "sample.json").read_text())
        there = description["made"] == words[1:] and all(
            sha256_of(folder / name) == digest for name, digest in description["sha256"].items()
        )
    except (OSError, ValueError, KeyError):
        there = False
    if not there:
        subprocess.run([sys.executable, __file__, *words], check=True)
    return str(folder / "truth.json"), str(folder / "predictions.json")


def main() -> None:
    """Make what the arguments say."""
    folder, kind = Path(sys.argv[1]), sys.argv[2]
    scale, seed = float(sys.argv[3]), int(sys.argv[4])
    size = SIZES[kind].times(scale)
    drawing = np.random.default_rng(seed)
    folder.mkdir(parents=True, exist_ok=True)
    truth = _truth(drawing, size)
    pred = _pred(drawing, size, truth, crowded=kind == "lvis")
    files = [folder / "truth.json", folder / "predictions.json"]
    _write_truth(files[0], drawing, size, truth, kind)
    _write_predictions(files[1], drawing, pred, kind)
    description = {
        "made": sys.argv[2:],
        "size": size._asdict(),
        "sha256": {file.name: sha256_of(file) for file in files},
    }
    (folder / "sample.json").write_text(json.dumps(description))


# --- objects --------------------------------------------------------------------------------------


def _truth(drawing: np.random.Generator, size: Size) -> _Objects:
    image = _images(drawing, size.n_images, size.n_truth)
    return _Objects(
        image,
        drawing.choice(size.n_classes, size.n_truth, p=_often(size.n_classes)),
        _boxes(drawing, size.n_truth),
        _waves(drawing, size.n_truth),
    )


def _images(drawing: np.random.Generator, n_images: int, n: int) -> Whole:
    """Return an image for each of n: most hold a few, some many, some none."""
    share = drawing.lognormal(0, 0.8, n_images)
    return drawing.choice(n_images, n, p=share / share.sum())


def _often(n_classes: int) -> Real:
    share = 1 / (np.arange(n_classes) + 3.0)
    return share / share.sum()


def _boxes(drawing: np.random.Generator, n: int) -> Real:
    size = np.exp(drawing.uniform(np.log(8), np.log(300), (n, 1))) * np.exp(
        drawing.normal(0, 0.3, (n, 2))
    )
    size = np.clip(size, 4, [_WIDTH - 10, _HEIGHT - 10])
    place = drawing.random((n, 2)) * ([_WIDTH, _HEIGHT] - size)
    return np.round(np.hstack((place, size)), 2)


def _waves(drawing: np.random.Generator, n: int) -> Real:
    amplitude = drawing.random((n, len(_WAVES))) * 0.5 / _WAVES
    return np.stack((amplitude, drawing.random((n, len(_WAVES))) * 2 * np.pi), axis=-1)


def _pred(drawing: np.random.Generator, size: Size, truth: _Objects, *, crowded: bool) -> _Objects:
    n = size.n_pred
    found = drawing.integers(0, size.n_truth, n // 3)
    n_other = n - len(found)
    box, waves = truth.xywh[found], truth.waves[found]
    moved = box + drawing.normal(0, 0.06, box.shape) * np.tile(box[:, 2:], 2)
    moved[:, 2:] = np.clip(moved[:, 2:], 2, [_WIDTH - 1, _HEIGHT - 1])
    moved[:, :2] = np.clip(moved[:, :2], 0, [_WIDTH, _HEIGHT] - moved[:, 2:])
    confused = drawing.random(len(found)) < 0.1
    often = _often(size.n_classes)
    random_label = drawing.choice(size.n_classes, len(found), p=often)
    # Of LVIS some images have more than the 300 predictions that count.
    others = _images(drawing, size.n_images, n_other)
    if crowded:
        others[: n_other // 10] = drawing.integers(0, -(-size.n_images // 50), n_other // 10)
    image = np.concatenate((truth.image[found], others))
    order = np.argsort(image, kind="stable")
    return _Objects(
        image[order],
        np.concatenate(
            (
                np.where(confused, random_label, truth.label[found]),
                drawing.choice(size.n_classes, n_other, p=often),
            )
        )[order],
        np.concatenate((np.round(moved, 2), _boxes(drawing, n_other)))[order],
        np.concatenate((waves + drawing.normal(0, 0.02, waves.shape), _waves(drawing, n_other)))[
            order
        ],
        # Whole millionths, of which some are equal.
        np.round(
            np.concatenate((drawing.random(len(found)) ** 0.7, drawing.random(n_other) ** 3)), 6
        )[order],
    )


def _outlines(objects: _Objects, rows: slice, n: int, rough: Real | None = None) -> Real:
    """Return blobs in boxes, (rows, n, 2)."""
    box, waves = objects.xywh[rows], objects.waves[rows]
    angle = np.arange(n) * 2 * np.pi / n
    radius = 1 + (waves[:, :, :1] * np.cos(_WAVES[:, None] * angle + waves[:, :, 1:])).sum(axis=1)
    radius = radius / radius.max(axis=1, keepdims=True)
    if rough is not None:
        radius = radius + rough
    circle = np.stack((np.cos(angle), np.sin(angle)), axis=-1)
    outline = box[:, None, :2] + box[:, None, 2:] * (radius[:, :, None] * circle + 1) / 2
    return np.round(np.clip(outline, 0, [_WIDTH, _HEIGHT]), 2)


def _filled(outlines: Real) -> RleMasks:
    n, vertices = outlines.shape[:2]
    return RleMasks.from_vertices(
        outlines.reshape(-1, 2),
        vertices * np.arange(n + 1, dtype=np.int64),
        np.arange(n + 1, dtype=np.int64),
        (_HEIGHT, _WIDTH),
    )


def _people(drawing: np.random.Generator, box: Real) -> Real:
    """Return 17 places in each box, about where they are in a standing person, (n, 17, 2)."""
    standing = np.array(_STANDING)
    place = standing + drawing.normal(0, 0.02, (len(box), 17, 2))
    return box[:, None, :2] + box[:, None, 2:] * place


# --- text -----------------------------------------------------------------------------------------


def _write(path: Path, head: str, records: Iterator[Sequence[str]], tail: str) -> None:
    with path.open("w", encoding="ascii") as file:
        file.write(head)
        for k, block in enumerate(records):
            file.write(", " if k else "")
            file.write(", ".join(block))
        file.write(tail)


def _blocks(n: int) -> Iterator[slice]:
    return (slice(start, min(n, start + _BLOCK)) for start in range(0, n, _BLOCK))


def _write_truth(
    path: Path, drawing: np.random.Generator, size: Size, truth: _Objects, kind: str
) -> None:
    images = [
        {"id": k + 1, "file_name": f"{k + 1:012d}.jpg", "width": _WIDTH, "height": _HEIGHT}
        for k in range(size.n_images)
    ]
    categories: list[dict[str, Any]] = [
        {"id": k + 1, "name": f"class {k + 1}"} for k in range(size.n_classes)
    ]
    if kind == "lvis":
        _federate(drawing, size, truth, images, categories)
    head = f'{{"images": {json.dumps(images)}, "categories": {json.dumps(categories)}, '
    _write(path, f'{head}"annotations": [', _annotations(drawing, truth, kind), "]}")


def _federate(
    drawing: np.random.Generator,
    size: Size,
    truth: _Objects,
    images: list[dict[str, Any]],
    categories: list[dict[str, Any]],
) -> None:
    """Say which classes were looked for in which images, and how frequent classes are."""
    present: list[set[int]] = [set() for _ in images]
    for image, label in zip(truth.image.tolist(), truth.label.tolist(), strict=True):
        present[image].add(label + 1)
    absent = drawing.integers(1, size.n_classes + 1, (size.n_images, 10)).tolist()
    for record, there, not_there in zip(images, present, absent, strict=True):
        listed = sorted(set(not_there) - there), sorted(there)[::4]
        record |= dict(zip(_LISTED, listed, strict=True))
    often = np.zeros(size.n_classes, np.int64)
    for there in present:
        often[np.fromiter(there, np.int64, len(there)) - 1] += 1
    share = 20_000 / size.n_images
    for category, n in zip(categories, often.tolist(), strict=True):
        frequency = "r" if n * share <= 30 else "c" if n * share <= 100 else "f"
        category |= {"frequency": frequency, "image_count": n}


def _annotations(
    drawing: np.random.Generator, truth: _Objects, kind: str
) -> Iterator[Sequence[str]]:
    n = len(truth.image)
    keypoints = kind.endswith("keypoints")
    crowd = (np.arange(n) % 100 == 50) & (kind != "lvis")
    for rows in _blocks(n):
        box = truth.xywh[rows]
        shapes = [""] * len(box)
        area = np.round(box[:, 2] * box[:, 3], 4)
        if kind != "objects365":
            outlines = _outlines(truth, rows, 24)
            masks = _filled(outlines)
            area = masks.areas().astype(np.float64)
            shapes = [
                f', "segmentation": {json.dumps([outline])}'
                for outline in outlines.reshape(len(box), -1).tolist()
            ]
            for k in np.flatnonzero(crowd[rows]).tolist():
                counts = masks.runs[masks.offset[k] : masks.offset[k + 1]].tolist()
                shapes[k] = ', "segmentation": ' + json.dumps(
                    {"counts": counts, "size": [_HEIGHT, _WIDTH]}
                )
        more = _labelled_keypoints(drawing, box, crowd[rows]) if keypoints else [""] * len(box)
        is_crowd = (
            [""] * len(box)
            if kind == "lvis"
            else [f', "iscrowd": {one:d}' for one in crowd[rows].tolist()]
        )
        columns = zip(
            range(rows.start + 1, rows.stop + 1),
            (truth.image[rows] + 1).tolist(),
            (truth.label[rows] + 1).tolist(),
            box.tolist(),
            area.tolist(),
            is_crowd,
            shapes,
            more,
            strict=True,
        )
        yield [
            f'{{"id": {number}, "image_id": {image}, "category_id": {label}, "bbox": {xywh}, '
            f'"area": {size}{last}{shape}{points}}}'
            for number, image, label, xywh, size, last, shape, points in columns
        ]


def _labelled_keypoints(
    drawing: np.random.Generator, box: Real, crowd: NDArray[np.bool_]
) -> list[str]:
    having = (drawing.random(len(box)) < _WITH_KEYPOINTS) & ~crowd
    seen = drawing.choice(3, (len(box), 17), p=(0.25, 0.1, 0.65)) * having[:, None]
    place = np.round(_people(drawing, box)) * (seen > 0)[:, :, None]
    points = np.concatenate((place, seen[:, :, None]), axis=2).astype(np.int64)
    return [
        f', "keypoints": {numbers}, "num_keypoints": {count}'
        for numbers, count in zip(
            points.reshape(len(box), -1).tolist(), (seen > 0).sum(axis=1).tolist(), strict=True
        )
    ]


def _write_predictions(path: Path, drawing: np.random.Generator, pred: _Objects, kind: str) -> None:
    shown: Callable[[slice], list[str]]
    if kind == "masks":

        def shown(rows: slice) -> list[str]:
            rough = drawing.normal(0, 0.01, (rows.stop - rows.start, 80))
            texts = _filled(_outlines(pred, rows, 80, rough)).texts()
            return [
                f'"segmentation": {{"size": [{_HEIGHT}, {_WIDTH}], '
                f'"counts": {json.dumps(text.decode())}}}'
                for text in texts
            ]

    elif kind.endswith("keypoints"):

        def shown(rows: slice) -> list[str]:
            place = np.round(_people(drawing, pred.xywh[rows]), 2)
            sure = np.round(drawing.random((len(place), 17, 1)), 3)
            points = np.concatenate((place, sure), axis=2).reshape(len(place), -1)
            return [f'"keypoints": {numbers}' for numbers in points.tolist()]

    else:

        def shown(rows: slice) -> list[str]:
            return [f'"bbox": {xywh}' for xywh in pred.xywh[rows].tolist()]

    def records() -> Iterator[Sequence[str]]:
        assert pred.score is not None
        for rows in _blocks(len(pred.image)):
            columns = zip(
                (pred.image[rows] + 1).tolist(),
                (pred.label[rows] + 1).tolist(),
                shown(rows),
                pred.score[rows].tolist(),
                strict=True,
            )
            yield [
                f'{{"image_id": {image}, "category_id": {label}, {what}, "score": {score}}}'
                for image, label, what, score in columns
            ]

    _write(path, "[", records(), "]")


if __name__ == "__main__":
    main()
