"""Average precision of data sets that are made of the same images, each so often."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen import _core
from snellen.detection.curves import curves_of_rows
from snellen.detection.headlines import headlines
from snellen.metric import Units

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from snellen.classes import Classes
    from snellen.detection.average_precision import AveragePrecision
    from snellen.detection.protocols import DetectionProtocol
    from snellen.state import Keys

__all__ = ["image_units"]

Columns = dict[str, Any]


class _Rows(NamedTuple):
    """The rows of a metric by class, image, rank; labels are positions in its classes."""

    protocol: DetectionProtocol
    images: Keys
    classes: Classes
    truth: Columns
    pred: Columns


def image_units(metric: AveragePrecision) -> Units:
    """Return the images of a metric as units."""
    rows = _Rows(metric.protocol, *metric.rows())
    lines = headlines(rows.protocol)

    def curves(times: NDArray[Any], other: Any) -> tuple[Any, Any, Any, Any]:
        sides = [(rows, times)]
        if other is not None:
            sides.append((other[0].values.rows, other[1]))
        return _curves(sides)

    def values(multiplicity: NDArray[Any], other: Any = None) -> Mapping[str, Any]:
        found = {line.name: np.empty(len(multiplicity)) for line in lines}
        for r in range(len(multiplicity)):
            beside = None if other is None else (other[0], other[1][r])
            precision, _, recall, n_counted = curves(multiplicity[r], beside)
            for line in lines:
                found[line.name][r] = line.mean(rows.protocol, precision, recall, n_counted)[0]
        return found

    def class_values(multiplicity: NDArray[Any], other: Any = None) -> NDArray[np.float64]:
        found = np.empty((len(multiplicity), len(rows.classes)))
        for r in range(len(multiplicity)):
            beside = None if other is None else (other[0], other[1][r])
            precision, _, recall, n_counted = curves(multiplicity[r], beside)
            found[r] = lines[0].mean_of_each_class(rows.protocol, precision, recall, n_counted)
        return found

    values.rows = rows  # type: ignore[attr-defined]  # for `other`
    return Units(
        unit="image",
        counts=np.ones(len(rows.images), np.int64),
        ids=rows.images,
        values=values,
        class_metric=lines[0].name,
        classes=rows.classes,
        class_values=class_values,
        headline=tuple(line.name for line in lines[:3]),
        truth=_digests(rows),
    )


def _digests(rows: _Rows) -> NDArray[np.uint32]:
    """Return a check sum of the truth of each image: its classes, and what counts of them."""
    truth = rows.truth
    ids = np.array(list(map(str, rows.classes.keys.ids.tolist())), np.str_)
    # Without classes that one run alone knows, positions would differ; their ids do not.
    label = np.array([zlib.crc32(text.encode()) for text in ids.tolist()], np.uint32)
    described = np.stack([label[truth["label"]], truth["ignored"]], axis=1)
    digests = np.zeros(len(rows.images), np.uint32)
    order = np.lexsort((described[:, 1], described[:, 0], truth["image"]))
    image = truth["image"][order]
    first = np.flatnonzero(np.diff(image, prepend=-1))
    for begin, end in zip(first.tolist(), [*first[1:].tolist(), len(image)], strict=True):
        block = np.ascontiguousarray(described[order[begin:end]], "<u4")
        digests[image[begin]] = zlib.crc32(block.tobytes())
    return digests


def _curves(sides: Sequence[tuple[_Rows, NDArray[Any]]]) -> tuple[Any, Any, Any, Any]:
    """Return the curves of a data set in which images of both sides occur so often."""
    rows = sides[0][0]
    classes = rows.classes
    if len(sides) == 2 and not classes.same_as(sides[1][0].classes):
        classes = type(classes).union([classes, sides[1][0].classes])
    tables = []
    n_images = 0
    for side, times in sides:
        begin = n_images + np.cumsum(times) - times
        n_images += int(times.sum())
        place = classes.keys.codes(side.classes.keys.ids)
        tables.append(
            {
                "truth": _repeated(side.truth, times, begin, place),
                "pred": _repeated(side.pred, times, begin, place),
            }
        )
    ordered = {}
    for name in ("truth", "pred"):
        parts = [table[name] for table in tables]
        columns = {key: np.concatenate([part[key] for part in parts]) for key in parts[0]}
        # Repeated rows stand beside each other; the copies of an image belong together.
        at = _core.group_rows(columns["image"], columns["label"], n_images, len(classes))
        ordered[name] = {key: np.empty_like(column) for key, column in columns.items()}
        for key, column in columns.items():
            ordered[name][key][at] = column
    return curves_of_rows(rows.protocol, len(classes), ordered["truth"], ordered["pred"])


def _repeated(
    columns: Columns, times: NDArray[Any], begin: NDArray[Any], place: NDArray[np.int32]
) -> Columns:
    """Return rows as often as their image, copy c of image i as image begin[i] + c."""
    often = times[columns["image"]]
    found = {name: np.repeat(column, often, axis=0) for name, column in columns.items()}
    first = np.cumsum(often) - often
    copy = np.arange(len(found["image"])) - np.repeat(first, often)
    found["image"] = (np.repeat(begin[columns["image"]], often) + copy).astype(np.int32)
    found["label"] = place[found["label"]]
    return found
