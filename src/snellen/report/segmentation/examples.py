"""The images that the page of a segmentation shows: truth, prediction and errors side by side."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.report.thumbnails import file_name, kept
from snellen.run.examples import SCHEMA, Example, Examples

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from snellen.readers.class_maps import LabelMapReader
    from snellen.readers.label_pairs import LabelPairs
    from snellen.segmentation.segmentation import Segmentation

__all__ = ["class_colours", "examples_of"]

_SIDE: Final = 240
_TURN: Final = 0.618033988749895  # the golden section: next hues are far from each other
_VOID: Final = (255, 255, 255)
_RIGHT: Final = (225, 225, 222)
_WRONG: Final = (200, 60, 20)
_MOST_PAIRS: Final = 400  # of an image's pairs of classes
_MOST_COLOURS: Final = 254  # of a palette, beside void


def class_colours(n: int) -> NDArray[np.uint8]:
    """Return a colour for each of n classes, (n, 3): neighbours differ much in hue."""
    import colorsys

    rows = [
        colorsys.hsv_to_rgb(k * _TURN % 1.0, (0.55, 0.8, 0.4)[k % 3], (0.85, 0.65, 0.95)[k % 3])
        for k in range(n)
    ]
    colours: NDArray[np.uint8] = (np.array(rows).reshape(n, 3) * 255).round().astype(np.uint8)
    return colours


def examples_of(
    files: LabelPairs,
    reader: LabelMapReader,
    metric: Segmentation,
    *,
    n: int,
    images: Callable[[str], bytes | None],
) -> tuple[Examples, dict[str, bytes]]:
    """Return the images of the lowest mean IoU, each with its label maps and a map of errors.

    Parameters
    ----------
    files : LabelPairs
        The pairs that the metric has absorbed.
    reader : LabelMapReader
        Reads them.
    metric : Segmentation
        The metric.
    n : int
        How many images at most.
    images : callable
        From the id of an image to its file, or None where it is missing.
    """
    result = metric.compute()
    place = {image: i for i, image in enumerate(files.image_ids)}
    ids = np.append(result.classes.keys.ids.astype(np.int64), reader.void)
    order = np.argsort(ids)
    palette = np.vstack([class_colours(len(ids) - 1)[:_MOST_COLOURS], [_VOID]]).astype(np.uint8)
    pictures: dict[str, bytes] = {}
    found = []
    records = result.per_image()
    class_names = result.classes.display_names()
    for rank, record in enumerate(records[:n]):
        name = str(record["image"])
        if name not in place:
            continue
        sides = [
            order[np.searchsorted(ids, side, sorter=order)] for side in reader.read(place[name])
        ]
        void = len(ids) - 1
        pairs = _pairs(*sides, names=[*class_names, "no class"])
        errors = (sides[0] != sides[1]) & (sides[0] != void)
        truth, pred, wrong = (_flat(each, errors) for each in (*sides, errors))
        layers = {
            "truth": _label_picture(truth, palette),
            "predicted": _label_picture(pred, palette),
            "errors": _picture(
                np.select([truth == void, wrong], [0, 2], 1).astype(np.uint8),
                np.array([_VOID, _RIGHT, _WRONG], np.uint8),
            ),
        }
        names = {what: file_name(rank, name, f"-{what}.png") for what in layers}
        pictures |= {names[what]: data for what, data in layers.items()}
        found.append(
            Example(
                id=name,
                name=name,
                width=truth.shape[1],
                height=truth.shape[0],
                picture=kept(pictures, images, rank, name).file,
                layers=names,
                numbers=_numbers(record),
                pairs=pairs,
                badness=-1.0 if math.isnan(record["mIoU"]) else 1.0 - float(record["mIoU"]),
            )
        )
    return (
        Examples(
            schema=SCHEMA,
            task="segmentation",
            rule=f"the {len(found):,} of {len(files.truth):,} images with the lowest mIoU",
            n_images=len(files.truth),
            images=found,
            order="the lowest mIoU first",
            at_most=n,
            about={
                "colours": {
                    each: "#" + bytes(palette[min(k, _MOST_COLOURS)]).hex()
                    for k, each in enumerate(class_names)
                }
            },
        ),
        pictures,
    )


def _pairs(
    truth: NDArray[Any], pred: NDArray[Any], *, names: Sequence[str]
) -> list[tuple[str, str, int]]:
    """Return how many pixels of a class were taken for which, most first; void truth is left out.

    The last name stands for void.
    """
    n = len(names)
    cell = truth.astype(np.int64).ravel() * n + pred.ravel()
    counts = np.bincount(cell, minlength=n * n)[: n * (n - 1)]
    order = np.argsort(-counts, kind="stable")[: np.count_nonzero(counts)]
    return [(names[k // n], names[k % n], int(counts[k])) for k in order[:_MOST_PAIRS].tolist()]


def _numbers(record: dict[str, Any]) -> dict[str, float]:
    found = {
        "mIoU": record["mIoU"],
        "pixel accuracy": record["pixel_accuracy"],
        f"IoU of {record['worst_class']}": record["worst_iou"],
    }
    return {name: float(value) for name, value in found.items() if not math.isnan(value)}


def _flat(side: NDArray[Any], errors: NDArray[Any]) -> NDArray[Any]:
    """Return an image as it is, of a volume the slice with the most errors."""
    if side.ndim == 2:
        return side
    n_errors = errors.reshape(-1, *errors.shape[-2:]).sum(axis=(1, 2))
    layer: NDArray[Any] = side.reshape(-1, *side.shape[-2:])[int(np.argmax(n_errors))]
    return layer


def _label_picture(codes: NDArray[Any], palette: NDArray[np.uint8]) -> bytes:
    """Return codes of classes, the last of which is void, as a PNG of their colours."""
    last = len(palette) - 1
    return _picture(np.minimum(codes, last).astype(np.uint8), palette)


def _picture(values: NDArray[np.uint8], palette: NDArray[np.uint8]) -> bytes:
    """Return values as a small PNG with a palette; every pixel is one of the image's own."""
    from PIL import Image

    picture = Image.fromarray(values, "P")
    picture.putpalette(palette.tobytes())
    picture.thumbnail((_SIDE, _SIDE), Image.Resampling.NEAREST)
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()
