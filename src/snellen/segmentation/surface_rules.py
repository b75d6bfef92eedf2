"""The rules by which others measure surface distances, as data."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from snellen.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SURFACE_RULES", "SurfaceRules"]

_SURFACES = ("pixels", "contour")
_PERCENTILES = ("directed", "stacked", "sized")


@dataclasses.dataclass(frozen=True)
class SurfaceRules:
    """What a surface is, and which percentile of its distances is meant.

    Attributes
    ----------
    name : str
        What the rules are called.
    surface : {"pixels", "contour"}
        ``"pixels"``: the pixels (voxels) of the structure with a neighbour outside along an axis;
        what lies beyond the image is outside. Each counts as 1. ``"contour"``: the corners between
        pixels of which some are inside and some are not; each counts as the length (area) of the
        contour (surface) around it, see `snellen.segmentation.surface_elements`.
    percentile : {"directed", "stacked", "sized"}
        ``"directed"``: the larger of the percentiles of both directions, linear between ranks, all
        points alike. ``"stacked"``: one percentile of the distances of both directions together.
        ``"sized"``: the larger of both directions, each the first distance up to which the points
        hold the share of the whole length (area).

    Raises
    ------
    InputError
        For other values.
    """

    name: str
    surface: str
    percentile: str

    def __post_init__(self) -> None:
        for field, known in (("surface", _SURFACES), ("percentile", _PERCENTILES)):
            value = getattr(self, field)
            if value not in known:
                raise InputError(f"expected one of {', '.join(known)}, got {value!r}", field)

    @classmethod
    def of(cls, rules: str | SurfaceRules) -> SurfaceRules:
        """Return rules by their name.

        Raises
        ------
        InputError
            For a name that is not known.
        """
        if isinstance(rules, cls):
            return rules
        if not isinstance(rules, str) or rules not in SURFACE_RULES:
            guess = did_you_mean(rules, SURFACE_RULES) if isinstance(rules, str) else ""
            raise InputError(
                f"expected rules of {', '.join(SURFACE_RULES)}, got {rules!r}.{guess}", "rules"
            )
        return SURFACE_RULES[rules]

    def to_dict(self) -> dict[str, Any]:
        """Return the rules as plain values."""
        return dataclasses.asdict(self)

    def percentile_text(self, percentile: float) -> str:
        """Return, in words, which percentile is meant."""
        which = f"{percentile:g}th percentile"
        return {
            "directed": f"the larger of the two directed {which}s, linear between ranks",
            "stacked": f"the {which} of the distances of both directions together, linear between "
            "ranks",
            "sized": f"the larger of the two directed {which}s of the "
            f"{'surface by length or area' if self.surface == 'contour' else 'surface pixels'}",
        }[self.percentile]

    def surface_text(self) -> str:
        """Return, in words, what a surface is."""
        if self.surface == "pixels":
            return "pixels with a neighbour outside along an axis, each counts alike"
        return "corners between inside and outside pixels, by length (2-D) or area (3-D)"


SURFACE_RULES: Mapping[str, SurfaceRules] = MappingProxyType(
    {
        rules.name: rules
        for rules in (
            SurfaceRules("monai", "pixels", "directed"),
            SurfaceRules("deepmind", "contour", "sized"),
            SurfaceRules("medpy", "pixels", "stacked"),
        )
    }
)
"""The known rules by name: MONAI 1.6, DeepMind's surface-distance 0.1, MedPy 0.5."""
