"""Rules of track mAP, as data."""

from __future__ import annotations

import dataclasses
import math
from typing import Any, Final

from snellen.detection.protocols import COCO, AreaRange
from snellen.errors import InputError, did_you_mean

__all__ = [
    "TAO",
    "TAO_STRICT",
    "TRACK_MAP_PROTOCOLS",
    "YOUTUBE_VIS",
    "YOUTUBE_VIS_STRICT",
    "TrackMapProtocol",
    "track_map_protocol_named",
]


@dataclasses.dataclass(frozen=True)
class TrackMapProtocol:
    """The rules of a track mAP.

    Parameters
    ----------
    name : str
        What the rules are called.
    iou_thresholds : tuple of float
        IoU over all frames from which a predicted track may match a truth track; above 0.
    recall_thresholds : tuple of float
        Where precision is read off, ascending.
    area_ranges : tuple of AreaRange
        Closed intervals of a track's mean area in square pixels, beside that of all tracks.
    length_ranges : tuple of AreaRange
        Closed intervals of the number of frames that a track has.
    max_tracks : int or None
        Cap on the predicted tracks of a class in a sequence; None for none.
    given_scores : bool
        Whether a track has one score, which all its rows have; else it is the mean of theirs.
    ties_by_id : bool
        Whether tracks of equal score, and truth tracks, are taken in the order of their ids; else
        in the order in which they appear.
    skip_empty : bool
        Whether frames in which a track has no area are left out of its mean area.
    all_ids_block : bool
        Whether a truth track that was taken is taken, whatever the id of the track that took it
        (in TrackEval it is free again where that id is 0 or negative).
    minus_one : bool
        Whether undefined cells of arrays hold −1 in place of NaN.
    """

    name: str
    iou_thresholds: tuple[float, ...]
    recall_thresholds: tuple[float, ...]
    area_ranges: tuple[AreaRange, ...]
    length_ranges: tuple[AreaRange, ...]
    max_tracks: int | None = None
    given_scores: bool = False
    ties_by_id: bool = False
    skip_empty: bool = False
    all_ids_block: bool = True
    minus_one: bool = False

    def __post_init__(self) -> None:
        for name in ("iou_thresholds", "recall_thresholds"):
            grid = tuple(float(value) for value in getattr(self, name))
            object.__setattr__(self, name, grid)
            if not grid or list(grid) != sorted(set(grid)) or not all(map(math.isfinite, grid)):
                raise InputError(f"expected ascending finite numbers, got {list(grid)}", name)
            if grid[0] < 0 or grid[-1] > 1:
                raise InputError(f"expected numbers from 0 to 1, got {list(grid)}", name)
        if self.iou_thresholds[0] < 1e-9:
            raise InputError(
                f"expected thresholds above 0, got {self.iou_thresholds[0]}", "iou_thresholds"
            )
        for name in ("area_ranges", "length_ranges"):
            ranges = tuple(
                AreaRange(str(label), float(low), float(high))
                for label, low, high in getattr(self, name)
            )
            object.__setattr__(self, name, ranges)
            for label, low, high in ranges:
                if not low <= high:
                    raise InputError(
                        f"expected low <= high, got {low:g} and {high:g}", f"{name}[{label}]"
                    )
        if len(self.range_labels) > 32 or len(set(self.range_labels)) < len(self.range_labels):
            raise InputError(
                f"expected at most 31 ranges of different names, got {self.range_labels[1:]}",
                "area_ranges",
            )
        if self.max_tracks is not None and not 1 <= self.max_tracks < 2**31:
            raise InputError(f"expected a cap of at least 1, got {self.max_tracks}", "max_tracks")

    @property
    def range_labels(self) -> tuple[str, ...]:
        """The names of all ranges: that of all tracks, of areas, of lengths."""
        return ("all", *(each.label for each in (*self.area_ranges, *self.length_ranges)))

    @property
    def outcome_shape(self) -> tuple[int, int]:
        """The shape of what the matching says of one track: ranges, words of 16 thresholds."""
        return len(self.range_labels), -(-len(self.iou_thresholds) // 16)

    def to_dict(self) -> dict[str, Any]:
        """Return the rules as plain values; no upper bound of a range is None."""
        plain = dataclasses.asdict(self)
        for name in ("area_ranges", "length_ranges"):
            plain[name] = [
                [label, low, None if high == math.inf else high]
                for label, low, high in getattr(self, name)
            ]
        return {key: list(v) if isinstance(v, tuple) else v for key, v in plain.items()}

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> TrackMapProtocol:
        """Return the rules that `to_dict` described."""
        values: dict[str, Any] = {
            key: tuple(v) if isinstance(v, list) else v for key, v in plain.items()
        }
        for name in ("area_ranges", "length_ranges"):
            values[name] = tuple(
                AreaRange(label, low, math.inf if high is None else high)
                for label, low, high in plain[name]
            )
        return cls(**values)

    def __str__(self) -> str:
        ious = self.iou_thresholds
        return (
            f"{self.name}: track IoU {ious[0]:.2f}:{ious[-1]:.2f} ({len(ious)}), "
            f"{len(self.recall_thresholds)} recall points, ranges {'/'.join(self.range_labels)}"
        )


def _steps(start: float, step: float, size: int) -> tuple[float, ...]:
    """Return numpy.arange's numbers, by its arithmetic: they are not the decimal literals."""
    delta = (start + step) - start
    return (start, start + step, *(start + k * delta for k in range(2, size)))


TAO: Final = TrackMapProtocol(
    name="tao",
    iou_thresholds=_steps(0.5, 0.05, 10),
    recall_thresholds=COCO.recall_thresholds,
    area_ranges=(
        AreaRange("area_s", 0.0, 32.0**2),
        AreaRange("area_m", 32.0**2, 96.0**2),
        AreaRange("area_l", 96.0**2, 1e5**2),
    ),
    length_ranges=(
        AreaRange("time_s", 0.0, 3.0),
        AreaRange("time_m", 3.0, 10.0),
        AreaRange("time_l", 10.0, 1e5),
    ),
)
"""TAO's rules: a track's score is the mean of its boxes' scores."""

YOUTUBE_VIS: Final = dataclasses.replace(
    TAO,
    name="youtube-vis",
    area_ranges=(
        AreaRange("area_s", 0.0, 128.0**2),
        AreaRange("area_m", 128.0**2, 256.0**2),
        AreaRange("area_l", 256.0**2, 1e5**2),
    ),
    length_ranges=(),
    given_scores=True,
    ties_by_id=True,
    skip_empty=True,
)
"""YouTube-VIS' rules: a track has a score of its own."""

TAO_STRICT: Final = dataclasses.replace(TAO, name="tao-strict", all_ids_block=False, minus_one=True)
"""What TrackEval does with TAO, id 0 included."""

YOUTUBE_VIS_STRICT: Final = dataclasses.replace(
    YOUTUBE_VIS, name="youtube-vis-strict", all_ids_block=False, minus_one=True
)
"""What TrackEval does with YouTube-VIS, id 0 included."""

TRACK_MAP_PROTOCOLS: Final = {
    protocol.name: protocol for protocol in (TAO, YOUTUBE_VIS, TAO_STRICT, YOUTUBE_VIS_STRICT)
}


def track_map_protocol_named(name: str | TrackMapProtocol) -> TrackMapProtocol:
    """Return a protocol by name; one given as such is returned.

    Raises
    ------
    InputError
        For an unknown name.
    """
    if isinstance(name, TrackMapProtocol):
        return name
    if name not in TRACK_MAP_PROTOCOLS:
        raise InputError(
            f'expected a protocol of {", ".join(TRACK_MAP_PROTOCOLS)}, got "{name}".'
            f"{did_you_mean(name, TRACK_MAP_PROTOCOLS)}",
            "protocol",
        )
    return TRACK_MAP_PROTOCOLS[name]
