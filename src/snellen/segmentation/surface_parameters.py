"""The parameters of surface distances, checked."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.arrays import to_numpy
from snellen.classes import Classes
from snellen.errors import ClassError, InputError, ShapeError, did_you_mean, first_few
from snellen.segmentation.array_labels import AUTO, USUAL_VOID, ignored_values, usual_void
from snellen.segmentation.surface_rules import SurfaceRules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from snellen.segmentation.array_labels import ArrayLabels

__all__ = ["SurfaceParameters", "pixel_steps", "without"]

_MISSING = ("diagonal", "inf", "drop")
# What class 0 is called where it is everything else; without a name it is so, too.
_BACKGROUND = ("", "background", "bg", "void", "unlabelled", "unlabeled")
# Squares of distances, and products of three steps, are neither infinite nor 0.
_LEAST_STEP, _LARGEST_STEP = 1e-75, 1e75


@dataclasses.dataclass(frozen=True)
class SurfaceParameters:
    """The checked parameters of `SurfaceDistance`, save its classes; see there.

    `ignore_index` is all values that are ignored, `is_guessed` whether nobody said so: without
    classes, and with ``"auto"``. `background` is the class that is not measured, or the value that
    is no class; None for none.
    """

    rules: SurfaceRules
    percentile: float
    tolerance: float | dict[int, float]
    missing: str | float
    spacing: tuple[float, ...] | None
    dimensions: int | None
    background: int | None
    ignore_index: tuple[int, ...]
    is_guessed: bool

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
            "ignore_index": list(self.ignore_index),
            "is_guessed": self.is_guessed,
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any], labels: ArrayLabels | None) -> SurfaceParameters:
        """Return the parameters that `to_dict` described.

        Raises
        ------
        InputError, KeyError, TypeError, ValueError
            Where they are not whole.
        """
        tolerance = content["tolerance"]
        found = cls.checked(
            labels,
            **{
                **{name: value for name, value in content.items() if name != "is_guessed"},
                "rules": SurfaceRules(**content["rules"]),
                "tolerance": dict(tolerance) if isinstance(tolerance, list) else tolerance,
            },
        )
        return dataclasses.replace(found, is_guessed=bool(content["is_guessed"]))

    @classmethod
    def checked(
        cls,
        labels: ArrayLabels | None,
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
        if background == AUTO:
            background = 0 if labels is None or _has_background(labels.classes) else None
        background = _value(background, "background")
        ignored = ignored_values(ignore_index) if labels is None else labels.ignored()
        is_guessed = ignored is None
        if ignored is None:
            ignored = usual_void(is_class=background == USUAL_VOID)
        measured = None if labels is None else without(labels.classes, background)
        if measured is not None and not len(measured):
            raise ClassError("expected a class that is not the background, got none", "classes")
        return cls(
            rules=SurfaceRules.of(rules),
            percentile=_percentile(percentile),
            tolerance=_tolerances(tolerance, measured),
            missing=_penalty(missing),
            spacing=steps,
            dimensions=dimensions,
            background=background,
            ignore_index=ignored,
            is_guessed=is_guessed,
        )

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


def without(classes: Classes, background: int | None) -> Classes:
    """Return classes, less one of them."""
    ids = classes.keys.ids.tolist()
    if background not in ids:
        return classes
    kept = [k for k, each in enumerate(ids) if each != background]
    return Classes([ids[k] for k in kept], [classes.names[k] for k in kept])


def _has_background(classes: Classes) -> bool:
    """Return whether class 0 is the background by its name; or free."""
    names = dict(zip(classes.keys.ids.tolist(), classes.names, strict=True))
    return names.get(0, "background").lower().strip("_ ") in _BACKGROUND


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
    if not ((steps >= _LEAST_STEP) & (steps <= _LARGEST_STEP)).all():
        raise InputError(
            f"expected numbers from {_LEAST_STEP:g} to {_LARGEST_STEP:g}, got {spacing!r}", name
        )
    return tuple(steps.reshape(-1).tolist())
