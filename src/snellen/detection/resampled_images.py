"""Average precision of data sets that are made of the same images, each so often."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen import _core
from snellen.classes import Classes
from snellen.detection.curves import SPACING
from snellen.detection.headlines import headlines
from snellen.detection.protocols import AreaRange
from snellen.digests import unit_digests
from snellen.metric import Units
from snellen.state import Keys

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from snellen.detection.average_precision import AveragePrecision
    from snellen.detection.headlines import Headline
    from snellen.detection.protocols import DetectionProtocol

__all__ = ["image_units"]

# So many numbers of single curves are held at once.
_AT_ONCE = 1 << 22
# The kernel looks at so many data sets together.
_TOGETHER = 32


class _Rows(NamedTuple):
    """The rows of a metric by class, image, rank; labels are positions in its classes."""

    protocol: DetectionProtocol
    images: Keys
    classes: Classes
    truth: Mapping[str, NDArray[Any]]
    pred: Mapping[str, NDArray[Any]]
    groups: tuple[str, ...] | None


class _Curves(NamedTuple):
    """Of N data sets: precision, recall (T, N, K, A, M), counted truth boxes (N, K, A)."""

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    n_counted: NDArray[np.int64]


def image_units(metric: AveragePrecision) -> Units:
    """Return the images of a metric as units."""
    return _units(_Rows(metric.protocol, *metric.rows(), metric.groups()))


def _units(rows: _Rows) -> Units:
    lines = headlines(rows.protocol, rows.groups)
    alone = _ByArea(rows)
    joined: list[_Joined] = []  # with the last `other`
    # The last numbers: a comparison asks for those of the classes after the others.
    latest: list[tuple[Any, Any, _Numbers]] = []

    def values(multiplicity: NDArray[Any], other: Any = None) -> _Numbers:
        tables, times = alone, multiplicity
        if other is not None:
            theirs: _Rows = other[0].content
            if not joined or joined[0].theirs is not theirs:
                joined[:] = [_Joined.of(rows, theirs)]
            tables, times = joined[0].tables, joined[0].times(multiplicity, other[1])
        found = _Numbers(tables, np.ascontiguousarray(times, np.int32), lines)
        latest[:] = [(multiplicity, other, found)]
        return found

    def class_values(multiplicity: NDArray[Any], other: Any = None) -> NDArray[np.float64]:
        if latest and latest[0][0] is multiplicity and latest[0][1] is other:
            return latest[0][2].of_classes()
        return values(multiplicity, other).of_classes()

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
        content=rows,
    )


class _ByArea:
    """The rows of single ranges, made when they are asked for."""

    def __init__(self, rows: _Rows) -> None:
        self.rows = rows
        self._made: dict[str, _Rows] = {}

    def of(self, area: str) -> _Rows:
        """Return the rows of a range under rules that have no other."""
        if area not in self._made:
            rows = self.rows
            a = rows.protocol.range_labels.index(area)
            # What its bounds are was of interest to the matching.
            alone = AreaRange(area, 0.0, math.inf)
            self._made[area] = rows._replace(
                protocol=dataclasses.replace(
                    rows.protocol, area_ranges=(alone,), crowding_ranges=()
                ),
                truth={**rows.truth, "ignored": rows.truth["ignored"] >> np.uint32(a) & 1},
                pred={
                    **rows.pred,
                    "outcome": np.ascontiguousarray(rows.pred["outcome"][:, a : a + 1]),
                },
            )
        return self._made[area]


class _Numbers(Mapping[str, "NDArray[np.float64]"]):
    """The headline numbers of data sets, each (R,); those of an area range when asked for one.

    A comparison wants the first range alone.
    """

    def __init__(
        self, tables: _ByArea, times: NDArray[np.int32], lines: Sequence[Headline]
    ) -> None:
        self._tables, self._times = tables, times
        self._lines = {line.name: line for line in lines}
        self._found: dict[str, NDArray[np.float64]] = {}
        self._of_classes: NDArray[np.float64] | None = None

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)

    def __getitem__(self, name: str) -> NDArray[np.float64]:
        line = self._lines[name]
        if name not in self._found:
            self._evaluate(line.area)
        return self._found[name]

    def of_classes(self) -> NDArray[np.float64]:
        """Return the first number of each class, (R, K)."""
        if self._of_classes is None:
            self._evaluate(next(iter(self._lines.values())).area)
        assert self._of_classes is not None
        return self._of_classes

    def _evaluate(self, area: str) -> None:
        lines = [line for line in self._lines.values() if line.area == area]
        first = next(iter(self._lines.values()))
        rows = self._tables.of(area)
        numbers, of_classes = [], []
        caps = {line.cap for line in lines if not line.is_recall}
        for part in _resampled(rows, self._times, caps):
            numbers.append([line.means(rows.protocol, *part) for line in lines])
            if first in lines:
                of_classes.append(first.class_means(rows.protocol, *part))
        for i, line in enumerate(lines):
            self._found[line.name] = np.concatenate([part[i] for part in numbers])
        if first in lines:
            self._of_classes = np.concatenate(of_classes)


def _resampled(rows: _Rows, times: NDArray[np.int32], caps: set[int]) -> Iterator[_Curves]:
    """Yield the curves of data sets, a part of them at a time; at least one part.

    Precision is NaN at other caps.
    """
    protocol = rows.protocol
    n_curves = (
        len(rows.classes)
        * len(protocol.area_ranges)
        * len(protocol.max_detections)
        * len(protocol.iou_thresholds)
    )
    size = _TOGETHER * max(1, _AT_ONCE // (_TOGETHER * max(1, n_curves)))
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
            summary=protocol.interpolation,
            spacing=SPACING if protocol.adds_spacing else 0.0,
        )
        yield _Curves(
            precision.transpose(4, 0, 1, 2, 3), recall.transpose(4, 0, 1, 2, 3), n_counted
        )


def _among(rows: _Rows, classes: Classes) -> _Rows:
    """Return rows with labels as positions in classes that hold all of theirs."""
    place = classes.keys.codes(rows.classes.keys.ids)  # ascends: so do the labels
    truth, pred = ({**side, "label": place[side["label"]]} for side in (rows.truth, rows.pred))
    groups = rows.groups
    if groups is not None:
        known = dict(zip(place.tolist(), groups, strict=True))
        groups = tuple(known.get(k, "") for k in range(len(classes)))
    return rows._replace(classes=classes, truth=truth, pred=pred, groups=groups)


def _joined_groups(ours: _Rows, theirs: _Rows) -> tuple[str, ...] | None:
    """Return the groups of classes that both have; what one does not know, the other may."""
    if ours.groups is None or theirs.groups is None:
        return ours.groups or theirs.groups
    return tuple(a or b for a, b in zip(ours.groups, theirs.groups, strict=True))


class _Joined(NamedTuple):
    """The rows of two metrics as those of one, in which every image is there once a side."""

    theirs: _Rows
    tables: _ByArea
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
        rows = _Rows(
            ours.protocol,
            both,
            classes,
            tables["truth"],
            tables["pred"],
            _joined_groups(*sides),
        )
        return cls(theirs, _ByArea(rows), places)

    def times(self, ours: NDArray[Any], theirs: NDArray[Any]) -> NDArray[np.int32]:
        """Return how often the images of both sides occur."""
        times = np.empty((len(ours), len(self.tables.rows.images)), np.int32)
        for place, side in zip(self.places, (ours, theirs), strict=True):
            times[:, place] = side
        return times
