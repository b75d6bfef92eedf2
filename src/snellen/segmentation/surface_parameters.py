"""The parameters of surface distances, checked."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.arrays import to_numpy
from snellen.errors import ClassError, InputError, ShapeError, did_you_mean, first_few
from snellen.segmentation.surface_rules import SurfaceRules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from snellen.classes import Classes

__all__ = ["SurfaceParameters", "pixel_steps", "whole_classes"]

_MISSING = ("diagonal", "inf", "drop")


@dataclasses.dataclass(frozen=True)
class SurfaceParameters:
    """The checked parameters of `SurfaceDistance`, save its classes; see there."""

    rules: SurfaceRules
    percentile: float
    tolerance: float | dict[int, float]
    missing: str | float
    spacing: tuple[float, ...] | None
    dimensions: int | None
    background: int | None
    ignore_index: int | None

    def to_dict(self) -> dict[str, Any]:
        """Return the parameters as plain values."""
        tolerance = self.tolerance
        return {
            "rules": self.rules.to_dict(),
            "percentile": self.percentile,
            "tolerance": sorted(map(list, tolerance.items()))
            if isinstance(tolerance, dict)
            else tolerance,
            "missing": self.missing,
            "spacing": None if self.spacing is None else list(self.spacing),
            "dimensions": self.dimensions,
            "background": self.background,
            "ignore_index": self.ignore_index,
        }

    @staticmethod
    def arguments_of(content: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of the constructor that `to_dict` described."""
        tolerance = content["tolerance"]
        return {
            **content,
            "rules": SurfaceRules(**content["rules"]),
            "tolerance": dict(tolerance) if isinstance(tolerance, list) else tolerance,
        }

    @classmethod
    def checked(
        cls,
        declared: Classes | None,
        *,
        rules: Any,
        percentile: Any,
        tolerance: Any,
        missing: Any,
        spacing: Any,
        dimensions: Any,
        background: Any,
        ignore_index: Any,
    ) -> SurfaceParameters:
        """Return parameters.

        Raises
        ------
        InputError
            For what cannot be; one of its kinds says why.
        """
        if dimensions not in (None, 2, 3):
            raise InputError(f"expected 2 or 3, got {dimensions!r}", "dimensions")
        steps = None if spacing is None else pixel_steps(spacing, "spacing")
        if steps is not None and len(steps) > 1:
            if dimensions not in (None, len(steps)):
                raise ShapeError(f"expected {dimensions} numbers, got {len(steps)}", "spacing")
            dimensions = len(steps)
        ignored = _value(ignore_index, "ignore_index")
        if declared is not None and ignored in declared.keys.ids.tolist():
            raise InputError(f"expected a value of no class, got {ignored}", "ignore_index")
        return cls(
            rules=SurfaceRules.of(rules),
            percentile=_percentile(percentile),
            tolerance=_tolerances(tolerance, declared),
            missing=_penalty(missing),
            spacing=steps,
            dimensions=dimensions,
            background=_value(background, "background"),
            ignore_index=ignored,
        )

    def arguments(self) -> dict[str, Any]:
        """Return the arguments of the constructor that these are of."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}

    def tolerance_of(self, classes: Classes) -> NDArray[np.float64]:
        """Return the tolerance of each class.

        Raises
        ------
        InputError
            Where one has none.
        """
        if not isinstance(self.tolerance, dict):
            return np.full(len(classes), self.tolerance)
        ids = classes.keys.ids.tolist()
        without = [each for each in ids if each not in self.tolerance]
        if without:
            raise InputError(
                f"expected a tolerance for each class, got none for {first_few(without)}",
                "tolerance",
            )
        return np.array([self.tolerance[each] for each in ids], np.float64)


def whole_classes(classes: Classes) -> Classes:
    """Return classes whose ids are whole numbers.

    Raises
    ------
    ClassError
        For others.
    """
    if classes.keys.is_text:
        raise ClassError(
            "expected ids of classes that are whole numbers, as label maps have, got "
            f'"{classes.keys.ids[0]}"',
            "classes",
        )
    return classes


def _value(value: Any, name: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, (int, np.integer)) and not isinstance(value, bool):
        return int(value)
    raise InputError(f"expected a whole number, got {value!r}", name)


def _number(value: Any, name: str) -> float:
    if isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool):
        return float(value)
    raise InputError(f"expected a number, got {value!r}", name)


def _percentile(value: Any) -> float:
    number = _number(value, "percentile")
    if not 0 < number <= 100:
        raise InputError(f"expected a number above 0, up to 100, got {value!r}", "percentile")
    return number


def _penalty(missing: Any) -> str | float:
    if isinstance(missing, str):
        if missing in _MISSING:
            return missing
        raise InputError(
            f'expected a number or one of {", ".join(_MISSING)}, got "{missing}".'
            f"{did_you_mean(missing, _MISSING)}",
            "missing",
        )
    number = _number(missing, "missing")
    if not 0 <= number < math.inf:
        raise InputError(f"expected a finite number from 0, got {missing!r}", "missing")
    return number


def _tolerances(tolerance: Any, declared: Classes | None) -> float | dict[int, float]:
    if not hasattr(tolerance, "items"):
        return _tolerance(tolerance, "tolerance")
    found: dict[int, float] = {}
    names = {} if declared is None else dict(zip(declared.names, declared.keys.ids, strict=True))
    for key, value in tolerance.items():
        if not isinstance(key, (int, np.integer)) and key not in names:
            raise InputError(
                f"expected ids{' or names' if names else ''} of classes, got {key!r}", "tolerance"
            )
        found[int(names.get(key, key))] = _tolerance(value, f"tolerance[{key!r}]")
    if declared is not None:
        wanted = set(declared.keys.ids.tolist())
        if found.keys() != wanted:
            raise InputError(
                "expected a tolerance for each class and no other, not so: "
                f"{first_few(sorted(wanted ^ found.keys()))}",
                "tolerance",
            )
    return found


def _tolerance(value: Any, name: str) -> float:
    number = _number(value, name)
    if not 0 <= number < math.inf:
        raise InputError(f"expected a finite number from 0, got {value!r}", name)
    return number


def pixel_steps(spacing: Any, name: str) -> tuple[float, ...]:
    """Return the distances between pixels: one for all axes, or one for each.

    Raises
    ------
    ShapeError, InputError
        For what is none.
    """
    steps = to_numpy(spacing, name, np.float64)
    if steps.shape not in ((), (1,), (2,), (3,)):
        raise ShapeError(f"expected one number for each axis, got shape {steps.shape}", name)
    if not (np.isfinite(steps) & (steps > 0)).all():
        raise InputError(f"expected finite numbers above 0, got {spacing!r}", name)
    return tuple(steps.reshape(-1).tolist())
