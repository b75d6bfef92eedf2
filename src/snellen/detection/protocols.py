"""Rules of detection evaluation, as data.

A protocol says everything that decides a number beside truth and predictions. It can be printed,
compared, stored, and is part of every result.
"""

from __future__ import annotations

import dataclasses
import math
import operator
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from snellen.detection.sigmas import COCO_SIGMAS
from snellen.errors import InputError, did_you_mean

__all__ = [
    "COCO",
    "COCO_KEYPOINTS",
    "COCO_KEYPOINTS_STRICT",
    "COCO_STRICT",
    "PROTOCOLS",
    "SIMILARITIES",
    "AreaRange",
    "DetectionProtocol",
    "protocol_named",
]


_LARGEST_CAP: Final = 2**31 - 1
SIMILARITIES: Final = ("own", "box", "mask", "boundary", "keypoints", "oriented")
"""What a protocol may compare with its IoU thresholds."""


class AreaRange(NamedTuple):
    """A closed interval of areas in square pixels, with its label."""

    label: str
    low: float
    high: float


@dataclasses.dataclass(frozen=True)
class DetectionProtocol:
    """The rules of an average precision.

    Parameters
    ----------
    name : str
        What the rules are called.
    iou_thresholds : tuple of float
        IoU from which a detection may match a truth box.
    recall_thresholds : tuple of float
        Where precision is read off, ascending.
    area_ranges : tuple of AreaRange
        Size buckets, at most 32; the first is the one of AP, AP50, AP75 and AR.
    max_detections : tuple of int
        Caps on the detections of one class in one image, ascending; AP is read at the last.
    id_zero_matches : bool
        Whether a truth box of id 0 can make a true positive (in pycocotools it can't).
    ap_only_at : int or None
        AP over all sizes and IoUs exists only where this is among the caps (pycocotools looks
        for 100).
    complete_records : bool
        Whether records without ``area``, ``iscrowd`` or ``id`` and empty results are refused.
    minus_one : bool
        Whether undefined cells of precision, recall and scores hold −1 in place of NaN.
    honours_ignored : bool
        Whether truth that is marked as ignored is neither to be found nor missed (COCO has no such
        mark but on poses without keypoints).
    similarity : {"own", "box", "mask", "boundary", "keypoints", "oriented"}
        What is compared with the IoU thresholds: IoU of boxes, of masks, or of oriented boxes,
        object keypoint similarity (OKS), or boundary IoU of masks (the smaller one of the IoU of
        masks and that of the pixels near their edges). ``"own"``: what the objects are.
    dilation_ratio : float
        How far from its edge a mask's boundary goes: parts of the image's diagonal.
    class_agnostic : bool
        Whether all classes are one (pycocotools' ``useCats = 0``).
    sigmas : tuple of float or None
        Of poses: how far annotators differ on each keypoint, as a part of the object's size.
    """

    name: str
    iou_thresholds: tuple[float, ...]
    recall_thresholds: tuple[float, ...]
    area_ranges: tuple[AreaRange, ...]
    max_detections: tuple[int, ...]
    id_zero_matches: bool = True
    ap_only_at: int | None = None
    complete_records: bool = False
    minus_one: bool = False
    honours_ignored: bool = False
    class_agnostic: bool = False
    similarity: str = "own"
    dilation_ratio: float = 0.02
    sigmas: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        # Lists and NumPy numbers are taken too, and become what they mean: rules that are equal
        # compare equal and are written alike.
        for name, of, what in (
            ("iou_thresholds", float, "ascending numbers"),
            ("recall_thresholds", float, "ascending numbers"),
            ("max_detections", operator.index, f"ascending whole numbers from 1 to {_LARGEST_CAP}"),
            ("sigmas", float, "positive numbers"),
        ):
            given = getattr(self, name)
            if given is None and name == "sigmas":
                continue
            try:
                object.__setattr__(self, name, tuple(of(value) for value in given))
            except (TypeError, ValueError) as error:
                raise InputError(f"expected {what}, got {given}", name) from error
        object.__setattr__(
            self,
            "area_ranges",
            tuple(AreaRange(str(a), float(low), float(high)) for a, low, high in self.area_ranges),
        )
        _check_grid(self.iou_thresholds, "iou_thresholds", 1.0)
        _check_grid(self.recall_thresholds, "recall_thresholds", 1.0)
        caps = self.max_detections
        if not caps or caps[0] < 1 or list(caps) != sorted(set(caps)) or caps[-1] > _LARGEST_CAP:
            raise InputError(
                f"expected ascending whole numbers from 1 to {_LARGEST_CAP}, got {list(caps)}",
                "max_detections",
            )
        if self.similarity not in SIMILARITIES:
            raise InputError(
                f'expected one of {", ".join(SIMILARITIES)}, got "{self.similarity}"', "similarity"
            )
        if not 0 < self.dilation_ratio <= 1:
            raise InputError(
                f"expected a part of the diagonal, above 0, got {self.dilation_ratio}",
                "dilation_ratio",
            )
        if self.sigmas is not None and not all(0 < sigma < math.inf for sigma in self.sigmas):
            raise InputError(f"expected positive numbers, got {list(self.sigmas)}", "sigmas")
        if not 1 <= len(self.area_ranges) <= 32:
            raise InputError(
                f"expected 1 to 32 area ranges, got {len(self.area_ranges)}", "area_ranges"
            )
        for area in self.area_ranges:
            if not area.low <= area.high:
                raise InputError(
                    f"expected low <= high, got {area.low:g} and {area.high:g}",
                    f"area_ranges[{area.label}]",
                )

    @property
    def outcome_shape(self) -> tuple[int, int]:
        """The shape of what the matching says of one detection: area ranges, 32-bit words.

        A word holds 16 thresholds: a bit for "true positive" and one for "false positive" of each.
        """
        return len(self.area_ranges), -(-len(self.iou_thresholds) // 16)

    def with_max_detections(self, caps: int | Iterable[int]) -> DetectionProtocol:
        """Return these rules with other caps; a single number N stands for 1, 10, N."""
        if isinstance(caps, Iterable):
            return dataclasses.replace(self, max_detections=tuple(sorted(caps)))
        return dataclasses.replace(
            self, max_detections=(*(cap for cap in (1, 10) if cap < caps), caps)
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the rules as plain values; no upper bound of an area is None."""
        plain = dataclasses.asdict(self)
        plain["area_ranges"] = [
            [area.label, area.low, None if area.high == math.inf else area.high]
            for area in self.area_ranges
        ]
        return {key: list(v) if isinstance(v, tuple) else v for key, v in plain.items()}

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> DetectionProtocol:
        """Return the rules that `to_dict` described."""
        values: dict[str, Any] = {
            key: tuple(v) if isinstance(v, list) else v for key, v in plain.items()
        }
        values["area_ranges"] = tuple(
            AreaRange(label, low, math.inf if high is None else high)
            for label, low, high in plain["area_ranges"]
        )
        return cls(**values)

    def __str__(self) -> str:
        ious = self.iou_thresholds
        return (
            f"{self.name}: IoU {ious[0]:.2f}:{ious[-1]:.2f} ({len(ious)}), "
            f"{len(self.recall_thresholds)} recall points, "
            f"areas {'/'.join(area.label for area in self.area_ranges)}, "
            f"caps {'/'.join(map(str, self.max_detections))}"
        )

    def differences(self, other: DetectionProtocol) -> str:
        """Return which rules differ, and how, as readable text."""
        return "; ".join(
            f"{field.name} {getattr(self, field.name)} and {getattr(other, field.name)}"
            for field in dataclasses.fields(self)
            if getattr(self, field.name) != getattr(other, field.name)
        )


def _check_grid(grid: tuple[float, ...], name: str, highest: float) -> None:
    """Refuse grids that are empty, not ascending, or outside 0 … highest."""
    if not grid or list(grid) != sorted(set(grid)) or not all(map(math.isfinite, grid)):
        raise InputError(f"expected ascending finite numbers, got {list(grid)}", name)
    if grid[0] < 0 or grid[-1] > highest:
        raise InputError(f"expected numbers from 0 to {highest}, got {list(grid)}", name)


def _grid(start: float, stop: float, size: int) -> tuple[float, ...]:
    """Return numpy.linspace's numbers, by its arithmetic: they are not the decimal literals.

    One unit in the last place of a threshold moves precision cells by up to 0.75.
    """
    step = (stop - start) / (size - 1)
    return (*(i * step + start for i in range(size - 1)), stop)


COCO: Final = DetectionProtocol(
    name="coco",
    iou_thresholds=_grid(0.5, 0.95, 10),
    recall_thresholds=_grid(0.0, 1.0, 101),
    area_ranges=(
        AreaRange("all", 0.0, 1e10),
        AreaRange("small", 0.0, 1024.0),
        AreaRange("medium", 1024.0, 9216.0),
        AreaRange("large", 9216.0, 1e10),
    ),
    max_detections=(1, 10, 100),
)
"""COCO's rules, repaired where the reference loses a match or refuses valid data."""

COCO_STRICT: Final = dataclasses.replace(
    COCO,
    name="coco-strict",
    id_zero_matches=False,
    ap_only_at=100,
    complete_records=True,
    minus_one=True,
)
"""What pycocotools 2.0.11 does, to the last bit."""

COCO_KEYPOINTS: Final = dataclasses.replace(
    COCO,
    name="coco-keypoints",
    area_ranges=tuple(area for area in COCO.area_ranges if area.label != "small"),
    max_detections=(20,),
    honours_ignored=True,
    similarity="keypoints",
    sigmas=COCO_SIGMAS,
)
"""COCO's rules of keypoints: 17 of a person."""

COCO_KEYPOINTS_STRICT: Final = dataclasses.replace(
    COCO_KEYPOINTS,
    name="coco-keypoints-strict",
    id_zero_matches=False,
    ap_only_at=20,
    complete_records=True,
    minus_one=True,
)
"""What pycocotools 2.0.11 does with keypoints, to the last bit."""

PROTOCOLS: Final = {
    protocol.name: protocol
    for protocol in (COCO, COCO_STRICT, COCO_KEYPOINTS, COCO_KEYPOINTS_STRICT)
}


def protocol_named(name: str | DetectionProtocol) -> DetectionProtocol:
    """Return a protocol by name; one given as such is returned.

    Raises
    ------
    InputError
        For an unknown name.
    """
    if isinstance(name, DetectionProtocol):
        return name
    if name not in PROTOCOLS:
        raise InputError(
            f'expected a protocol of {", ".join(PROTOCOLS)}, got "{name}".'
            f"{did_you_mean(name, PROTOCOLS)}",
            "protocol",
        )
    return PROTOCOLS[name]
