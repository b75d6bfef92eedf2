"""The rules that panoptic quality is computed by."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.classes import Classes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["PROTOCOLS", "PanopticRules"]

PROTOCOLS: Final = ("coco", "coco-strict")


@dataclasses.dataclass(frozen=True, eq=False)
class PanopticRules:
    """The rules, as data.

    Attributes
    ----------
    protocol : str
        One of `PROTOCOLS`.
    classes : Classes
        The K classes.
    is_thing : ndarray, shape (K,), bool, or None
        Which classes are things; None where that is not known.
    boundary_ratio : float or None
        How far boundaries reach, as a part of the image's diagonal; None for the IoU of masks.
    """

    protocol: str
    classes: Classes
    is_thing: NDArray[np.bool_] | None
    boundary_ratio: float | None

    @property
    def strict(self) -> bool:
        """Whether to do exactly what panopticapi does."""
        return self.protocol == "coco-strict"

    def __str__(self) -> str:
        iou = "masks"
        if self.boundary_ratio is not None:
            iou = f"masks and boundaries ({100 * self.boundary_ratio:g} % of the diagonal)"
        things = "things unknown"
        if self.is_thing is not None:
            things = f"{int(self.is_thing.sum()):,} of them things"
        return f"{self.protocol}, IoU of {iou} > 0.5, {len(self.classes):,} classes, {things}"

    def to_dict(self) -> dict[str, Any]:
        """Return the rules as plain values."""
        return {
            "name": self.protocol,
            "iou": "mask" if self.boundary_ratio is None else "boundary",
            "iou_threshold": 0.5,
            "boundary_ratio": self.boundary_ratio,
            "class_ids": self.classes.keys.ids.tolist(),
            "class_names": list(self.classes.names),
            "things": None
            if self.is_thing is None
            else self.classes.keys.ids[self.is_thing].tolist(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> PanopticRules:
        """Return the rules that `to_dict` described.

        Raises
        ------
        KeyError, TypeError, ValueError
            For other values.
        """
        classes = Classes(values["class_ids"], values["class_names"])
        is_thing = None
        if values["things"] is not None:
            is_thing = np.isin(classes.keys.ids, values["things"])
        if values["name"] not in PROTOCOLS:
            raise ValueError(f"protocol {values['name']}")
        ratio = values["boundary_ratio"]
        return cls(values["name"], classes, is_thing, None if ratio is None else float(ratio))
