"""The images that the page of a panoptic segmentation shows: segments, and which do not match."""

from __future__ import annotations

import io
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen.readers.cityscapes_instances import CityscapesInstances
from snellen.report.segmentation.examples import class_colours
from snellen.report.thumbnails import file_name, kept
from snellen.run.examples import SCHEMA, Example, Examples
from snellen.segmentation.panoptic_matching import match_segments
from snellen.segmentation.segment_pairs import segment_ids

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from snellen.readers.panoptic import PanopticFiles
    from snellen.segmentation.panoptic import PanopticQuality
    from snellen.segmentation.panoptic_matching import MatchedSegments
    from snellen.segmentation.panoptic_segments import PanopticSegments
    from snellen.segmentation.segment_pairs import SegmentPairs

__all__ = ["examples_of"]

_SIDE: Final = 240
_MOST_COLOURS: Final = 254  # of a palette, beside void and the borders of segments
_VOID: Final = (255, 255, 255)
_BORDER: Final = (20, 20, 20)
# What the map of errors tells apart, in this order; the first two need no name.
_OUTCOMES: Final = {
    "void": _VOID,
    "right": (225, 225, 222),
    "edge of a matched segment": (110, 160, 215),
    "missed segment": (240, 200, 40),
    "false segment": (200, 60, 20),
}


class _Side(NamedTuple):
    """Truth or prediction of an image, small.

    Attributes
    ----------
    ids : ndarray, shape (h, w), int64
        The segment of each pixel; 0 for void.
    codes : ndarray, shape (h, w), int64
        The position of its class; -1 for void.
    """

    ids: NDArray[np.int64]
    codes: NDArray[np.int64]

    def of(self, ids: NDArray[Any]) -> NDArray[np.bool_]:
        """Return which pixels are of some segments."""
        return np.isin(self.ids, ids)


def examples_of(
    files: PanopticFiles | CityscapesInstances,
    metric: PanopticQuality,
    *,
    n: int,
    images: Callable[[str], bytes | None],
) -> tuple[Examples, dict[str, bytes]]:
    """Return the images of the lowest PQ, each with its segments and a map of what became of them.

    Parameters
    ----------
    files : PanopticFiles or CityscapesInstances
        What the metric has absorbed.
    metric : PanopticQuality
        The metric.
    n : int
        How many images at most.
    images : callable
        From the name of an image to its file, or None where it is missing.
    """
    result = metric.compute()
    place = {image: i for i, image in enumerate(result.images.ids.tolist())}
    colours = class_colours(len(result.rules.classes))[:_MOST_COLOURS]
    palette = np.vstack([colours, [_VOID], [_BORDER]]).astype(np.uint8)
    pictures: dict[str, bytes] = {}
    found = []
    for rank, record in enumerate(result.per_image()[:n]):
        position = place[record["image"]]
        name = (
            files.image_ids[position]
            if isinstance(files, CityscapesInstances)
            else Path(files.truth_maps[position]).stem
        )
        drawn = _drawn(files.only(position), metric, palette)
        names = {what: file_name(rank, name, f"-{what}.png") for what in drawn.layers}
        pictures |= {names[what]: data for what, data in drawn.layers.items()}
        found.append(
            Example(
                id=str(record["image"]),
                name=name,
                width=drawn.width,
                height=drawn.height,
                picture=kept(pictures, images, rank, name).file,
                layers=names,
                numbers=_numbers(record),
                badness=_badness(record),
            )
        )
    shades = {
        each: colours[min(k, _MOST_COLOURS - 1)].tolist()
        for k, each in enumerate(result.rules.classes.display_names())
    }
    return (
        Examples(
            schema=SCHEMA,
            task="panoptic",
            rule=f"the {len(found):,} of {len(place):,} images with the lowest PQ",
            n_images=len(place),
            images=found,
            order="the lowest PQ first",
            at_most=n,
            about={
                "outcomes": {
                    each: f"#{bytes(shade).hex()}" for each, shade in list(_OUTCOMES.items())[2:]
                },
                "colours": {each: f"#{bytes(shade).hex()}" for each, shade in shades.items()},
            },
        ),
        pictures,
    )


def _badness(record: Mapping[str, Any]) -> float:
    """Return how far from 1 PQ is, and, of images of one PQ, which has more wrong segments.

    The second is smaller than what PQ of different images differs by.
    """
    if math.isnan(record["PQ"]):
        return -1.0  # no segments that count: behind those without a mistake
    return 1.0 - float(record["PQ"]) + 1e-12 * float(min(record["fp"] + record["fn"], 1_000))


class _Drawn(NamedTuple):
    layers: dict[str, bytes]
    width: int
    height: int


def _drawn(
    files: PanopticFiles | CityscapesInstances, metric: PanopticQuality, palette: NDArray[np.uint8]
) -> _Drawn:
    """Return the pictures of the one image of `files`."""
    maps: list[NDArray[Any]] = []

    def counted(truth: NDArray[Any], pred: NDArray[Any]) -> SegmentPairs:
        maps.extend(segment_ids(side) for side in (truth, pred))
        return metric.count(truth, pred)

    truth, pred, pairs = next(iter(files.batches(counted)))
    found = match_segments(pairs, truth, pred, strict=metric.rules.strict)
    height, width = maps[0].shape
    sides = [_small(ids, segments) for ids, segments in zip(maps, (truth, pred), strict=True)]
    outcomes = _outcomes(sides[0], sides[1], _crowds(truth), found)
    layers = {
        what: _png(_coloured(side, len(palette)), palette)
        for what, side in zip(("truth", "predicted"), sides, strict=True)
    }
    layers["errors"] = _png(outcomes, np.array(list(_OUTCOMES.values()), np.uint8))
    return _Drawn(layers, width, height)


def _crowds(truth: PanopticSegments) -> NDArray[np.int64]:
    return truth.id[:0] if truth.crowd is None else truth.id[truth.crowd != 0]


def _small(ids: NDArray[Any], segments: PanopticSegments) -> _Side:
    """Return a label map at most 240 pixels wide and high; every pixel is one of its own."""
    height, width = ids.shape
    by = max(height, width, _SIDE) / _SIDE
    rows, columns = (
        np.minimum((np.arange(max(1, round(n / by))) + 0.5) * by, n - 1).astype(np.int64)
        for n in (height, width)
    )
    small = ids[np.ix_(rows, columns)].astype(np.int64)
    known, place = np.unique(small, return_inverse=True)
    label_of = dict(zip(segments.id.tolist(), segments.label.tolist(), strict=True))
    labels = np.array([label_of.get(each, -1) for each in known.tolist()], np.int64)
    codes = labels[place.reshape(small.shape)]
    return _Side(np.where(codes < 0, 0, small), codes)


def _outcomes(
    truth: _Side, pred: _Side, crowds: NDArray[np.int64], found: MatchedSegments
) -> NDArray[np.uint8]:
    """Return what became of each pixel, as a position in `_OUTCOMES`."""
    truth_ids, pred_ids = found.pairs["truth_id"], found.pairs["pred_id"]
    together = np.zeros(truth.ids.shape, np.bool_)
    for one, other in zip(truth_ids.tolist(), pred_ids.tolist(), strict=True):
        together |= (truth.ids == one) & (pred.ids == other)
    left_out = (truth.codes < 0) | truth.of(crowds)
    missed = ~truth.of(truth_ids)
    # One that lies mostly on what is left out is no false one, on the pixels beside it either.
    is_no_mistake = np.concatenate([pred_ids, found.ignored["pred_id"]])
    false = (pred.codes >= 0) & ~pred.of(is_no_mistake)
    return np.select([left_out, together, missed, false], [0, 1, 3, 4], 2).astype(np.uint8)


def _coloured(side: _Side, n_colours: int) -> NDArray[np.uint8]:
    """Return classes as colours, with lines between segments."""
    void, border = n_colours - 2, n_colours - 1
    shown = np.where(side.codes < 0, void, np.minimum(side.codes, void - 1))
    shown[:, 1:][side.ids[:, 1:] != side.ids[:, :-1]] = border
    shown[1:][side.ids[1:] != side.ids[:-1]] = border
    return shown.astype(np.uint8)


def _numbers(record: dict[str, Any]) -> dict[str, float]:
    found = {name: record[name] for name in ("PQ", "SQ", "RQ")}
    found |= {"matched": record["tp"], "false": record["fp"], "missed": record["fn"]}
    return {name: float(value) for name, value in found.items() if not math.isnan(value)}


def _png(values: NDArray[np.uint8], palette: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    picture = Image.fromarray(values, "P")
    picture.putpalette(palette.tobytes())
    file = io.BytesIO()
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()
