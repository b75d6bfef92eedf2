"""Rules of detection evaluation, as data.

A protocol says everything that decides a number beside truth and predictions. It can be printed,
compared, stored, and is part of every result.
"""

from __future__ import annotations

import dataclasses
import math
import operator
from collections.abc import Iterable
from typing import Any, Final, NamedTuple, TypeVar

from snellen.detection.sigmas import COCO_SIGMAS, CROWDPOSE_SIGMAS
from snellen.errors import InputError, did_you_mean

__all__ = [
    "COCO",
    "COCO_KEYPOINTS",
    "COCO_KEYPOINTS_STRICT",
    "COCO_STRICT",
    "CROWDPOSE",
    "LARGEST_CAP",
    "LVIS",
    "LVIS_FIXED",
    "LVIS_STRICT",
    "OPEN_IMAGES",
    "OPEN_IMAGES_CHALLENGE",
    "PROTOCOLS",
    "SIMILARITIES",
    "VOC07",
    "VOC12",
    "AreaRange",
    "CrowdingRange",
    "DetectionProtocol",
    "measure_of",
    "protocol_named",
]


LARGEST_CAP: Final = 2**31 - 1
SIMILARITIES: Final = ("own", "box", "mask", "boundary", "keypoints", "oriented")
"""What a protocol may compare with its IoU thresholds."""


def measure_of(similarity: str) -> str:
    """Return what thresholds of a similarity are of, in a word.

    Examples
    --------
    >>> measure_of("keypoints"), measure_of("own")
    ('OKS', 'IoU')
    """
    return {"keypoints": "OKS", "boundary": "boundary IoU"}.get(similarity, "IoU")


class AreaRange(NamedTuple):
    """A closed interval of areas in square pixels, with its label."""

    label: str
    low: float
    high: float


class CrowdingRange(NamedTuple):
    """Images from `low` to below `high` crowded, with their label."""

    label: str
    low: float
    high: float


Range = TypeVar("Range", AreaRange, CrowdingRange)
_FLAGS: Final = (
    *("id_zero_matches", "complete_records", "minus_one", "honours_ignored", "class_agnostic"),
    *("best_only", "inclusive", "adds_spacing", "verified_only", "drops_empty"),
    "drops_empty_predictions",
)


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
        for 100; of keypoints for 20, in all lines). The lines beside AP are read at the third cap
        then, if there are more.
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
    crowds : {"shared", "none", "groups"}
        What becomes of crowds, truth of many objects. ``"shared"``: not to be found, any number of
        predictions that lie in one are left out (COCO). ``"none"``: they are truth as other
        (LVIS). ``"groups"``: predictions that took no other truth and lie in one are left out, and
        the one of highest score stands for the group, with `group_weight` (Open Images).
    group_weight : {0, 1}
        Of groups: what one counts, as truth and where it is found.
    best_only : bool
        Whether a prediction looks at the truth that is most similar to it alone, be it taken or
        not (Pascal VOC, Open Images).
    inclusive : bool
        Whether the pixels on which a box ends are its own, as in Pascal VOC: its width is right −
        left + 1.
    interpolation : {"points", "area", "sum-of-parts"}
        What average precision is: the mean of the precisions at the recall thresholds (COCO); the
        area under the curve, at no thresholds (Pascal VOC from 2010 on); the precisions at n
        thresholds, each divided by n and added up (Pascal VOC 2007).
    adds_spacing : bool
        Whether 2^-52 is added to the number of predictions that precision is a part of, as in COCO.
    verified_only : bool
        Whether only those classes of an image count that were looked for in it (`Boxes.verified`):
        predictions of others are left out, and so are those that take no truth where truth need not
        be all.
    drops_empty : bool
        Whether objects without area are left out, as in LVIS.
    drops_empty_predictions : bool
        Whether predictions whose box has no width or no height are left out, as in Open Images.
    per_image : int or None
        The most predictions of an image, of all classes together: those of highest score.
    per_class : int or None
        The most predictions of a class, of all images together: those of highest score, of what
        the rules leave in (`verified_only`, `drops_empty`).
    class_groups : tuple of str
        Groups of classes (`Boxes.groups`) that have a number of their own.
    sigmas : tuple of float or None
        Of poses: how far annotators differ on each keypoint, as a part of the object's size.
    box_area_share : float or None
        Of truth: what part of its box an object's area is, whatever the annotation says, as in
        CrowdPose; None where it says it.
    crowding_ranges : tuple of CrowdingRange
        Images that have an average precision of their own, by how crowded they are
        (`Boxes.crowding`), as in CrowdPose; all predictions and truth of an image belong to its
        range. With the area ranges at most 32.
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
    crowds: str = "shared"
    group_weight: int = 0
    best_only: bool = False
    inclusive: bool = False
    interpolation: str = "points"
    adds_spacing: bool = True
    verified_only: bool = False
    drops_empty: bool = False
    drops_empty_predictions: bool = False
    per_image: int | None = None
    per_class: int | None = None
    class_groups: tuple[str, ...] = ()
    similarity: str = "own"
    dilation_ratio: float = 0.02
    sigmas: tuple[float, ...] | None = None
    box_area_share: float | None = None
    crowding_ranges: tuple[CrowdingRange, ...] = ()

    def __post_init__(self) -> None:
        self._make_plain()
        self._check_numbers()
        self._check_ranges()

    def _make_plain(self) -> None:
        """Put tuples and Python's numbers in the place of lists and NumPy's.

        So rules that are equal compare equal and are written alike.
        """
        for name, of, what in (
            ("iou_thresholds", float, "ascending numbers"),
            ("recall_thresholds", float, "ascending numbers"),
            ("max_detections", operator.index, f"ascending whole numbers from 1 to {LARGEST_CAP}"),
            ("sigmas", float, "positive numbers"),
        ):
            given = getattr(self, name)
            if given is None and name == "sigmas":
                continue
            try:
                object.__setattr__(self, name, tuple(of(value) for value in given))
            except (TypeError, ValueError, OverflowError) as error:
                raise InputError(f"expected {what}, got {str(given)[:200]}", name) from error
        for name in ("dilation_ratio", "box_area_share"):
            given = getattr(self, name)
            if given is not None:
                object.__setattr__(self, name, _number(given, name))
        for name in ("per_image", "per_class", "ap_only_at"):
            given = getattr(self, name)
            if given is not None:
                object.__setattr__(self, name, _whole(given, name))
        for name in _FLAGS:
            given = getattr(self, name)
            if given not in (True, False):
                raise InputError(f"expected True or False, got {given!r:.60}", name)
            object.__setattr__(self, name, bool(given))
        sizes = _ranges(self.area_ranges, "area_ranges", AreaRange)
        object.__setattr__(self, "area_ranges", sizes)
        crowding = _ranges(self.crowding_ranges, "crowding_ranges", CrowdingRange)
        object.__setattr__(self, "crowding_ranges", crowding)
        groups: Any = self.class_groups
        if isinstance(groups, str) or not isinstance(groups, Iterable):
            raise InputError(f"expected a list of groups, got {groups!r:.60}", "class_groups")
        object.__setattr__(self, "class_groups", tuple(map(str, groups)))

    def _check_numbers(self) -> None:
        """Refuse thresholds, caps and choices that are none."""
        for name in ("per_image", "per_class"):
            cap = getattr(self, name)
            if cap is not None and not 1 <= cap <= LARGEST_CAP:
                raise InputError(
                    f"expected a whole number from 1 to {LARGEST_CAP}, got {cap}", name
                )
        _check_grid(self.iou_thresholds, "iou_thresholds", 1.0)
        _check_grid(self.recall_thresholds, "recall_thresholds", 1.0)
        caps = self.max_detections
        if not caps or caps[0] < 1 or list(caps) != sorted(set(caps)) or caps[-1] > LARGEST_CAP:
            raise InputError(
                f"expected ascending whole numbers from 1 to {LARGEST_CAP}, got {list(caps)}",
                "max_detections",
            )
        for name, known in (
            ("similarity", SIMILARITIES),
            ("crowds", ("shared", "none", "groups")),
            ("interpolation", ("points", "area", "sum-of-parts")),
            ("group_weight", (0, 1)),
        ):
            if getattr(self, name) not in known:
                got = getattr(self, name)
                shown = f'"{got}"' if isinstance(got, str) else str(got)
                raise InputError(f"expected one of {', '.join(map(str, known))}, got {shown}", name)
        if not 0 < self.dilation_ratio <= 1:
            raise InputError(
                f"expected a part of the diagonal, above 0, got {self.dilation_ratio}",
                "dilation_ratio",
            )
        if self.sigmas is not None and not all(0 < sigma < math.inf for sigma in self.sigmas):
            raise InputError(f"expected positive numbers, got {list(self.sigmas)}", "sigmas")
        if self.box_area_share is not None and not 0 < self.box_area_share < math.inf:
            raise InputError(
                f"expected a part of the box, above 0, got {self.box_area_share}", "box_area_share"
            )

    def _check_ranges(self) -> None:
        """Refuse ranges of area and crowding that are none, or cannot be told apart."""
        if not self.area_ranges or len(self.range_labels) > 32:
            raise InputError(
                f"expected 1 to 32 area ranges, got {len(self.range_labels)}", "area_ranges"
            )
        for name, least in (("area_ranges", "low <= high"), ("crowding_ranges", "low < high")):
            for label, low, high in getattr(self, name):
                if not (low < high or (low == high and name == "area_ranges")):
                    raise InputError(
                        f"expected {least}, got {low:g} and {high:g}", f"{name}[{label}]"
                    )
        labels = self.range_labels
        # Numbers are told apart by these labels.
        sizes = [each.label for each in self.area_ranges]
        if len(set(sizes)) < len(sizes):
            raise InputError(f"expected each label once, got {sizes}", "area_ranges")
        if len({*labels, *self.class_groups}) < len(set(labels)) + len(self.class_groups):
            raise InputError(
                f"expected other groups than the labels of ranges, each once, got "
                f"{list(self.class_groups)}",
                "class_groups",
            )
        if self.crowding_ranges and len(set(labels)) < len(labels):
            raise InputError(
                f"expected other labels than those of area_ranges, each once, got {list(labels)}",
                "crowding_ranges",
            )

    @property
    def range_labels(self) -> tuple[str, ...]:
        """The labels of the parts of the data with numbers of their own: sizes, then crowding."""
        return (
            *(each.label for each in self.area_ranges),
            *(each.label for each in self.crowding_ranges),
        )

    def range_called(self, label: str) -> str:
        """Return what messages call a range."""
        of_images = any(each.label == label for each in self.crowding_ranges)
        return f"images called {label}" if of_images else f"area range {label}"

    @property
    def outcome_shape(self) -> tuple[int, int]:
        """The shape of what the matching says of one detection: ranges, 32-bit words.

        A word holds 16 thresholds: a bit for "true positive" and one for "false positive" of each.
        """
        return len(self.range_labels), -(-len(self.iou_thresholds) // 16)

    def with_max_detections(self, caps: int | Iterable[int]) -> DetectionProtocol:
        """Return these rules with other caps; a single number N stands for 1, 10, N."""
        if isinstance(caps, Iterable):
            return dataclasses.replace(self, max_detections=tuple(sorted(caps)))
        return dataclasses.replace(
            self, max_detections=(*(cap for cap in (1, 10) if cap < caps), caps)
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the rules as plain values; no upper bound of a range is None."""
        # Not dataclasses.asdict, which copies every number of the grids by itself.
        plain = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        for name in ("area_ranges", "crowding_ranges"):
            plain[name] = [
                [label, low, None if high == math.inf else high]
                for label, low, high in getattr(self, name)
            ]
        return {key: list(v) if isinstance(v, tuple) else v for key, v in plain.items()}

    @classmethod
    def from_dict(cls, plain: dict[str, Any]) -> DetectionProtocol:
        """Return the rules that `to_dict` described."""
        values: dict[str, Any] = {
            key: tuple(v) if isinstance(v, list) else v for key, v in plain.items()
        }
        # Rules of release 0.1.0 say nothing of crowding.
        for name in ("area_ranges", "crowding_ranges"):
            values[name] = tuple(
                (label, low, math.inf if high is None else high)
                for label, low, high in plain.get(name, ())
            )
        return cls(**values)

    def __str__(self) -> str:
        ious = self.iou_thresholds
        span = f"{ious[0]:.2f}:{ious[-1]:.2f} ({len(ious)})" if len(ious) > 1 else f"{ious[0]:.2f}"
        n_points = len(self.recall_thresholds)
        curve = f"{n_points} recall points"
        if self.interpolation == "area":
            curve = "area below the curve"
        labels = [area.label for area in self.area_ranges]
        areas = "" if labels == ["all"] else f"areas {'/'.join(labels)}, "
        crowding = "/".join(each.label for each in self.crowding_ranges)
        return (
            f"{self.name}: {self.measure} {span}, {curve}, {areas}"
            f"{f'images {crowding}, ' if crowding else ''}{self._caps()}"
        )

    @property
    def measure(self) -> str:
        """What thresholds are of, in a word: ``"IoU"``, ``"boundary IoU"``, ``"OKS"``."""
        return measure_of(self.similarity)

    @property
    def has_no_caps(self) -> bool:
        """Whether any number of predictions of a class in an image counts."""
        return self.max_detections == (LARGEST_CAP,)

    def _caps(self) -> str:
        if self.has_no_caps:
            return "no caps"
        return f"caps {'/'.join(map(str, self.max_detections))}"


def _number(given: Any, name: str) -> float:
    try:
        return float(given)
    except (TypeError, ValueError, OverflowError) as error:
        raise InputError(f"expected a number, got {str(given)[:60]}", name) from error


def _whole(given: Any, name: str) -> int:
    try:
        return operator.index(given)
    except TypeError as error:
        raise InputError(f"expected a whole number, got {given!r:.60}", name) from error


def _ranges(given: Any, name: str, kind: type[Range]) -> tuple[Range, ...]:
    found = []
    try:
        for label, low, high in given:
            found.append(kind(str(label), _number(low, name), _number(high, name)))
    except (TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"expected a label, a lower and an upper bound of each, got {str(given)[:60]}", name
        ) from error
    return tuple(found)


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

CROWDPOSE: Final = dataclasses.replace(
    COCO_KEYPOINTS,
    name="crowdpose",
    area_ranges=COCO_KEYPOINTS.area_ranges[:1],
    sigmas=CROWDPOSE_SIGMAS,
    box_area_share=0.53,
    crowding_ranges=(
        CrowdingRange("easy", 0.0, 0.2),
        CrowdingRange("medium", 0.2, 0.8),
        CrowdingRange("hard", 0.8, math.inf),
    ),
)
"""CrowdPose's rules of keypoints: 14 of a person, and images by how crowded they are. The paper
says 0.1 and 0.8, its evaluation takes 0.2 and 0.8."""

LVIS: Final = dataclasses.replace(
    COCO,
    name="lvis",
    max_detections=(300,),
    per_image=300,
    honours_ignored=True,
    crowds="none",
    verified_only=True,
    drops_empty=True,
    class_groups=("rare", "common", "frequent"),
)
"""LVIS' rules, repaired as COCO's are."""

LVIS_STRICT: Final = dataclasses.replace(
    LVIS, name="lvis-strict", id_zero_matches=False, complete_records=True, minus_one=True
)
"""What lvis-api 0.5.3 does, to the last bit."""

LVIS_FIXED: Final = dataclasses.replace(
    LVIS, name="lvis-fixed", max_detections=(10_000,), per_image=None, per_class=10_000
)
"""LVIS' rules with the caps of Dave et al., "Evaluating Large-Vocabulary Object Detectors: The
Devil is in the Details" (2021): 10,000 detections of a class, however many of an image."""

VOC12: Final = DetectionProtocol(
    name="voc12",
    iou_thresholds=(0.5,),
    recall_thresholds=tuple(i * 0.1 for i in range(11)),
    area_ranges=(AreaRange("all", 0.0, math.inf),),
    max_detections=(LARGEST_CAP,),
    honours_ignored=True,
    crowds="none",
    best_only=True,
    inclusive=True,
    interpolation="area",
    adds_spacing=False,
)
"""Pascal VOC's rules from 2010 on: the area under the curve. Ignored truth is what is difficult."""

VOC07: Final = dataclasses.replace(VOC12, name="voc07", interpolation="sum-of-parts")
"""Pascal VOC's rules until 2009: precision at eleven recalls."""

OPEN_IMAGES: Final = dataclasses.replace(
    VOC12,
    name="open-images",
    crowds="groups",
    inclusive=False,
    drops_empty_predictions=True,
)
"""Open Images V2: of a group one prediction is enough, and none is needed."""

OPEN_IMAGES_CHALLENGE: Final = dataclasses.replace(
    OPEN_IMAGES, name="open-images-challenge", group_weight=1, verified_only=True
)
"""The Open Images Challenge: a group is to be found, once; classes that nobody looked for in an
image are left out."""

PROTOCOLS: Final = {
    protocol.name: protocol
    for protocol in (
        COCO,
        COCO_STRICT,
        COCO_KEYPOINTS,
        COCO_KEYPOINTS_STRICT,
        CROWDPOSE,
        LVIS,
        LVIS_STRICT,
        LVIS_FIXED,
        VOC07,
        VOC12,
        OPEN_IMAGES,
        OPEN_IMAGES_CHALLENGE,
    )
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
