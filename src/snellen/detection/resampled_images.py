"""Average precision of data sets that are made of the same images, each so often."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen import _core
from snellen.classes import Classes
from snellen.detection.headlines import headlines
from snellen.digests import unit_digests
from snellen.metric import Units
from snellen.state import Keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from snellen.detection.average_precision import AveragePrecision
    from snellen.detection.protocols import DetectionProtocol

__all__ = ["image_units"]

# So many numbers of single curves are held at once.
_AT_ONCE = 1 << 21


class _Rows(NamedTuple):
    """The rows of a metric by class, image, rank; labels are positions in its classes."""

    protocol: DetectionProtocol
    images: Keys
    classes: Classes
    truth: Mapping[str, NDArray[Any]]
    pred: Mapping[str, NDArray[Any]]


class _Curves(NamedTuple):
    """Of N data sets: precision, recall (T, N, K, A, M), counted truth boxes (N, K, A)."""

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    n_counted: NDArray[np.int64]


def image_units(metric: AveragePrecision) -> Units:
    """Return the images of a metric as units."""
    return _units(_Rows(metric.protocol, *metric.rows()))


def _units(rows: _Rows) -> Units:
    lines = headlines(rows.protocol)
    caps = {line.cap for line in lines if not line.is_recall}
    joined: dict[int, _Joined] = {}

    def curves(multiplicity: NDArray[Any], other: Any, caps: set[int]) -> Iterator[_Curves]:
        table, times = rows, multiplicity
        if other is not None:
            theirs: _Rows = other[0].values.rows
            # The rows of both sides are put in order once for all calls.
            join = joined.get(id(theirs))
            if join is None or join.theirs is not theirs:
                joined.clear()
                join = joined[id(theirs)] = _Joined.of(rows, theirs)
            table, times = join.rows, join.times(multiplicity, other[1])
        return _resampled(table, np.ascontiguousarray(times, np.int32), caps)

    def values(multiplicity: NDArray[Any], other: Any = None) -> Mapping[str, Any]:
        parts = [
            [line.means(rows.protocol, *each) for line in lines]
            for each in curves(multiplicity, other, caps)
        ]
        return {line.name: np.concatenate([p[i] for p in parts]) for i, line in enumerate(lines)}

    def class_values(multiplicity: NDArray[Any], other: Any = None) -> NDArray[np.float64]:
        line = lines[0]
        found = [
            line.class_means(rows.protocol, *each)
            for each in curves(multiplicity, other, {line.cap})
        ]
        return np.concatenate(found)

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
        ranges={"": (0.0, 1.0)},
        truth=unit_digests(
            (rows.truth["label"], rows.truth["ignored"]), rows.truth["image"], len(rows.images)
        ),
        among=lambda classes: _units(_among(rows, classes)),
    )


def _resampled(rows: _Rows, times: NDArray[np.int32], caps: set[int]) -> Iterator[_Curves]:
    """Yield the curves of data sets, a part of them at a time; at least one part."""
    protocol = rows.protocol
    n_curves = (
        len(rows.classes)
        * len(protocol.area_ranges)
        * len(protocol.max_detections)
        * len(protocol.iou_thresholds)
    )
    size = max(16, _AT_ONCE // max(1, n_curves))
    for first in range(0, max(1, len(times)), size):
        precision, recall, n_counted = _core.resampled_curves(
            rows.pred["image"],
            rows.pred["label"],
            rows.pred["score"],
            rows.pred["outcome"],
            rows.truth["image"],
            rows.truth["label"],
            rows.truth["ignored"],
            times[first : first + size],
            n_labels=len(rows.classes),
            n_thresholds=len(protocol.iou_thresholds),
            recall_thresholds=list(protocol.recall_thresholds),
            max_detections=list(protocol.max_detections),
            read_precision=[cap in caps for cap in protocol.max_detections],
            undefined=math.nan,
        )
        yield _Curves(
            precision.transpose(4, 0, 1, 2, 3), recall.transpose(4, 0, 1, 2, 3), n_counted
        )


def _among(rows: _Rows, classes: Classes) -> _Rows:
    """Return rows with labels as positions in classes that hold all of theirs."""
    place = classes.keys.codes(rows.classes.keys.ids)  # ascends: so do the labels
    truth, pred = ({**side, "label": place[side["label"]]} for side in (rows.truth, rows.pred))
    return rows._replace(classes=classes, truth=truth, pred=pred)


class _Joined(NamedTuple):
    """The rows of two metrics as those of one, in which every image is there once a side."""

    theirs: _Rows
    rows: _Rows
    places: tuple[NDArray[Any], NDArray[Any]]

    @classmethod
    def of(cls, ours: _Rows, theirs: _Rows) -> _Joined:
        """Join the rows of two metrics of equal rules."""
        classes = Classes.union([ours.classes, theirs.classes])
        sides = [_among(side, classes) for side in (ours, theirs)]
        images = Keys.union([side.images for side in sides], "image id")
        # By id, and ours before theirs: what a data set gives depends on its images alone.
        at = [2 * images.codes(side.images.ids) + i for i, side in enumerate(sides)]
        n_images = sum(map(len, at))
        place = np.empty(n_images, np.int32)
        place[np.argsort(np.concatenate(at))] = np.arange(n_images, dtype=np.int32)
        places = place[: len(at[0])], place[len(at[0]) :]
        tables = {}
        for name in ("truth", "pred"):
            parts = [getattr(side, name) for side in sides]
            columns = {
                key: np.concatenate([part[key] for part in parts])
                for key in parts[0]
                if key != "image"
            }
            columns["image"] = np.concatenate(
                [where[part["image"]] for where, part in zip(places, parts, strict=True)]
            )
            to = _core.group_rows(columns["image"], columns["label"], n_images, len(classes))
            order = np.empty(len(to), np.int64)
            order[to] = np.arange(len(to))
            tables[name] = {key: column[order] for key, column in columns.items()}
        both = Keys(np.arange(n_images), "image")
        rows = _Rows(ours.protocol, both, classes, tables["truth"], tables["pred"])
        return cls(theirs, rows, places)

    def times(self, ours: NDArray[Any], theirs: NDArray[Any]) -> NDArray[np.int32]:
        """Return how often the images of both sides occur."""
        times = np.empty((len(ours), len(self.rows.images)), np.int32)
        for place, side in zip(self.places, (ours, theirs), strict=True):
            times[:, place] = side
        return times
