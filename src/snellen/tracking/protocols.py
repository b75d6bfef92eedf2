"""Under which rules a data set's benchmark counts: protocols are data."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from snellen.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["LEAST_THRESHOLD", "PROTOCOLS", "TrackingProtocol", "protocol_of"]

EPS: Final = 2.220446049250313e-16
"""What the reference allows for at its thresholds: the spacing of float64 at 1."""

LEAST_THRESHOLD: Final = 1e-15
"""Below it pairs without any similarity would match."""

REGION_RULES: Final = ("unmatched", "all", "union")
SIMILARITIES: Final = (
    "iou",
    "ioa",
    "giou",
    "mask_iou",
    "mask_ioa",
    "distance",
    "iou_3d",
    "distance_3d",
)


@dataclasses.dataclass(frozen=True)
class TrackingProtocol:
    """What counts, what is left out before counting, and how alike two objects are.

    A truth object that is not counted either *forgives* (a prediction that is matched to it is left
    out) or is simply not there. Matching for this purpose is that of the reference: in each frame
    the assignment of the greatest sum of similarities, of those of at least `match_threshold`.

    Attributes
    ----------
    name : str
        What it is called.
    similarity : str
        ``"iou"``, ``"ioa"`` (intersection over the area of truth), ``"giou"`` (brought to 0 … 1),
        ``"mask_iou"``, ``"mask_ioa"``, ``"distance"`` (1 at the same point, 0 at `zero_distance`),
        ``"iou_3d"``, ``"distance_3d"`` (of centres).
    zero_distance : float
        The distance of similarity 0, in the unit of the data.
    class_names : mapping of int to str
        The classes that files of this kind know by number; empty where files name them.
    classes : tuple of str
        Those that are evaluated, each by itself, in this order; empty: all that the truth has.
    by_class : bool
        Whether predictions have classes that count, and objects are matched within a class only.
        Else predictions are of the one class that is evaluated.
    distractors : mapping of str to tuple of str
        For each evaluated class the classes of truth that forgive.
    limits : mapping of str to (float, float)
        For columns of truth (``"occlusion"``) the least and the greatest value of objects that
        count; others forgive.
    match_threshold : float
        The least similarity at which a prediction is matched to truth before counting.
    most_matches : bool
        Whether that matching finds most pairs first, and of those the greatest sum.
    region_threshold : float or None
        Predictions with more than this share of their area in an area to be ignored are left out.
    region_rule : str
        ``"unmatched"``: only predictions that are not matched to truth are. ``"all"``: matched
        ones, too. ``"union"``: objects of truth, too, all areas of a frame count as one, and a
        share as great as the threshold is enough.
    min_height : float or None
        Predictions that are not matched and not higher than this, in pixels, are left out.
    fractional_flags : bool
        Whether a truth object that is marked by a number between 0 and 1 counts; the reference
        cuts such numbers to 0.
    first_frame : int
        The number of the first frame in files.
    groups : mapping of str to tuple of str
        Classes that are also counted together.
    judged_classes : bool
        Whether truth says of each sequence which classes annotators looked for (`JudgedClasses`),
        and predictions of others are left out.
    """

    name: str
    similarity: str = "iou"
    zero_distance: float = 2.0
    class_names: Mapping[int, str] = dataclasses.field(default_factory=dict)
    classes: tuple[str, ...] = ()
    by_class: bool = True
    distractors: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    limits: Mapping[str, tuple[float, float]] = dataclasses.field(default_factory=dict)
    match_threshold: float = 0.5
    most_matches: bool = False
    region_threshold: float | None = None
    region_rule: str = "unmatched"
    min_height: float | None = None
    fractional_flags: bool = False
    first_frame: int = 1
    groups: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    judged_classes: bool = False

    def __post_init__(self) -> None:
        """Refuse rules that cannot be.

        Raises
        ------
        InputError
        """
        for field, known in (("similarity", SIMILARITIES), ("region_rule", REGION_RULES)):
            name = getattr(self, field)
            if name not in known:
                raise InputError(
                    f'expected a {field} of {", ".join(known)}, got "{name}".'
                    f"{did_you_mean(str(name), known)}",
                    field,
                )
        if not 0 < self.zero_distance < float("inf"):
            raise InputError(
                f"expected a distance of more than 0, got {self.zero_distance:g}", "zero_distance"
            )
        shares = {"match_threshold": (LEAST_THRESHOLD, 1.0), "region_threshold": (0.0, 1.0)}
        for field, (low, high) in shares.items():
            share = getattr(self, field)
            if share is not None and not low <= share <= high:
                raise InputError(f"expected a share up to 1, got {share:g}", field)
        if self.min_height is not None and not self.min_height >= 0:
            raise InputError(
                f"expected a height of at least 0, got {self.min_height:g}", "min_height"
            )
        for name, (least, greatest) in self.limits.items():
            if not least <= greatest:
                raise InputError(
                    f"expected a least and a greatest value, got {least:g} and {greatest:g}",
                    f"limits[{name!r}]",
                )
        if self.first_frame not in (0, 1):
            raise InputError(
                f"expected a first frame of 0 or 1, got {self.first_frame}", "first_frame"
            )

    def to_dict(self) -> dict[str, Any]:
        """Return the rules as plain values."""
        rules = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        rules["class_names"] = {str(number): name for number, name in self.class_names.items()}
        rules["classes"] = list(self.classes)
        for field in ("distractors", "groups"):
            rules[field] = {name: list(names) for name, names in rules[field].items()}
        # JSON has no infinity.
        rules["limits"] = {
            name: [None if abs(bound) == float("inf") else bound for bound in bounds]
            for name, bounds in self.limits.items()
        }
        return rules

    @classmethod
    def from_dict(cls, rules: Mapping[str, Any]) -> TrackingProtocol:
        """Return the protocol that `to_dict` described.

        Raises
        ------
        TypeError, ValueError
            For what does not describe one.
        """
        given = dict(rules)
        given["class_names"] = {int(number): name for number, name in rules["class_names"].items()}
        given["classes"] = tuple(rules["classes"])
        for field in ("distractors", "groups"):
            given[field] = {name: tuple(names) for name, names in rules[field].items()}
        given["limits"] = {
            name: (
                float("-inf") if low is None else float(low),
                float("inf") if high is None else float(high),
            )
            for name, (low, high) in rules["limits"].items()
        }
        return cls(**given)


_INF = float("inf")
_MOT_CLASSES = MappingProxyType(
    {
        1: "pedestrian",
        2: "person_on_vehicle",
        3: "car",
        4: "bicycle",
        5: "motorbike",
        6: "non_mot_vehicle",
        7: "static_person",
        8: "distractor",
        9: "occluder",
        10: "occluder_on_ground",
        11: "occluder_full",
        12: "reflection",
        13: "crowd",
    }
)
_MOT_DISTRACTORS = ("person_on_vehicle", "static_person", "distractor", "reflection")
_KITTI_CLASSES = MappingProxyType(
    {
        1: "car",
        2: "van",
        3: "truck",
        4: "pedestrian",
        5: "person",
        6: "cyclist",
        7: "tram",
        8: "misc",
    }
)
_BDD_CLASSES = ("pedestrian", "rider", "car", "bus", "truck", "train", "motorcycle", "bicycle")
_VISDRONE_CLASSES = MappingProxyType(
    dict(
        enumerate(
            (
                "pedestrian",
                "people",
                "bicycle",
                "car",
                "van",
                "truck",
                "tricycle",
                "awning-tricycle",
                "bus",
                "motor",
            ),
            1,
        )
    )
)


def _mot(name: str, *more: str) -> TrackingProtocol:
    return TrackingProtocol(
        name,
        class_names=_MOT_CLASSES,
        classes=("pedestrian",),
        by_class=False,
        distractors={"pedestrian": (*_MOT_DISTRACTORS, *more)},
    )


PROTOCOLS: Final[Mapping[str, TrackingProtocol]] = MappingProxyType(
    {
        protocol.name: protocol
        for protocol in (
            TrackingProtocol("plain", fractional_flags=True, region_threshold=0.5),
            TrackingProtocol("mot15", classes=("pedestrian",), by_class=False),
            _mot("mot16"),
            _mot("mot17"),
            _mot("mot20", "non_mot_vehicle"),
            _mot("dancetrack"),
            _mot("sportsmot"),
            dataclasses.replace(_mot("personpath22"), region_threshold=0.95, region_rule="all"),
            TrackingProtocol(
                "ht21",
                class_names=MappingProxyType(
                    {1: "pedestrian", 2: "static", 3: "ignore", 4: "person_on_vehicle"}
                ),
                classes=("pedestrian",),
                by_class=False,
                distractors={"pedestrian": ("static", "ignore", "person_on_vehicle")},
                limits={"visibility": (EPS, _INF)},
                match_threshold=0.4,
            ),
            TrackingProtocol(
                "kitti",
                class_names=_KITTI_CLASSES,
                classes=("car", "pedestrian"),
                distractors={"car": ("van",), "pedestrian": ("person",)},
                limits={"occlusion": (-_INF, 2.0), "truncation": (-_INF, 0.0)},
                region_threshold=0.5,
                min_height=25.0,
                first_frame=0,
            ),
            TrackingProtocol(
                "mots",
                similarity="mask_iou",
                class_names=MappingProxyType({1: "car", 2: "pedestrian"}),
                classes=("pedestrian",),
                region_threshold=0.5,
                most_matches=True,
            ),
            TrackingProtocol(
                "kitti-mots",
                similarity="mask_iou",
                class_names=MappingProxyType({1: "car", 2: "pedestrian"}),
                classes=("car", "pedestrian"),
                region_threshold=0.5,
                most_matches=True,
                first_frame=0,
            ),
            TrackingProtocol(
                "bdd100k",
                classes=_BDD_CLASSES,
                region_threshold=0.5,
                first_frame=0,
                groups=MappingProxyType(
                    {
                        "human": ("pedestrian", "rider"),
                        "vehicle": ("car", "truck", "bus", "train"),
                        "bike": ("motorcycle", "bicycle"),
                    }
                ),
            ),
            TrackingProtocol(
                "visdrone",
                class_names=_VISDRONE_CLASSES,
                classes=("pedestrian", "car", "van", "truck", "bus"),
                region_threshold=0.5,
                region_rule="union",
            ),
            TrackingProtocol("tao", judged_classes=True, first_frame=0),
            TrackingProtocol(
                "davis",
                similarity="mask_iou",
                classes=("object",),
                by_class=False,
                first_frame=0,
            ),
        )
    }
)
"""The built-in protocols by name. Sources: TrackEval (12c8791), its data set classes; for VisDrone
the benchmark's own toolkit."""


def protocol_of(protocol: str | TrackingProtocol, **changes: Any) -> TrackingProtocol:
    """Return a built-in protocol by its name, or the given one, with some rules changed.

    Raises
    ------
    InputError
        For another name, and for a similarity that there is not.
    """
    if isinstance(protocol, str):
        if protocol not in PROTOCOLS:
            raise InputError(
                f'expected a protocol of {", ".join(PROTOCOLS)}, got "{protocol}".'
                f"{did_you_mean(protocol, PROTOCOLS)}",
                "protocol",
            )
        protocol = PROTOCOLS[protocol]
    changes = {name: value for name, value in changes.items() if value is not None}
    if changes:
        protocol = dataclasses.replace(protocol, **changes)
    return protocol
