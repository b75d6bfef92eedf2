"""The parameters of an evaluation in columns."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.compat.pycocotools.cells import COCO_NAMES, stable_order

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.compat.pycocotools.cells import CellNames

__all__ = ["Rules", "plain_id"]

_MOST_AREAS = 32  # a bit each in the kernel
_EXACT = 2**53


@dataclasses.dataclass(frozen=True)
class Rules:
    """Parameters as they were when the evaluation was made, of the ordinary kind.

    Attributes
    ----------
    kind : str
        ``iouType``.
    images, categories : list
        In the order of cells; categories [-1] where they are not used.
    areas : list
        Ranges, as they were given.
    bounds : list of (float, float)
        The same.
    thresholds : ndarray, shape (T,), float64
        Of IoU.
    cap : int
        How many detections of a cell are looked at.
    names : CellNames
        What a cell's fields are called.
    crowds : bool
        Whether truth may be a crowd.
    pooled : dict or None
        Where categories are not used: category to its position among those wanted.
    sigmas : ndarray, shape (K,), float64, or None
        For keypoints.
    """

    kind: str
    images: list[Any]
    categories: list[Any]
    areas: list[Any]
    bounds: list[tuple[float, float]]
    thresholds: NDArray[np.float64]
    cap: int
    names: CellNames
    crowds: bool
    pooled: dict[Any, int] | None = None
    sigmas: NDArray[np.float64] | None = None

    @classmethod
    def of_coco(cls, p: Any) -> Rules | None:
        """Return the rules of pycocotools' parameters; None where they are out of the ordinary."""
        sigmas = None
        if p.iouType == "keypoints":
            sigmas = p.kpt_oks_sigmas
            if not _is_list_of_numbers(sigmas) or not (sigmas > 0).all():
                return None
            # What is looked for then, see `Evaluation`, would be found.
            if not p.useCats and -1 in p.catIds:
                return None
        if not p.maxDets or type(p.maxDets[-1]) is not int or not 0 < p.maxDets[-1] < 2**31:
            return None
        rules = cls.checked(
            kind=p.iouType,
            images=p.imgIds,
            categories=p.catIds,
            areas=p.areaRng,
            thresholds=p.iouThrs,
            cap=p.maxDets[-1],
            names=COCO_NAMES,
            crowds=True,
        )
        if rules is None:
            return None
        rules = dataclasses.replace(rules, sigmas=None if sigmas is None else sigmas.copy())
        if not p.useCats:
            return dataclasses.replace(rules, categories=[-1], pooled=_positions(p.catIds))
        return rules

    @classmethod
    def checked(
        cls,
        *,
        kind: Any,
        images: Any,
        categories: Any,
        areas: Any,
        thresholds: Any,
        cap: int,
        names: CellNames,
        crowds: bool,
    ) -> Rules | None:
        """Return the rules of these; None where they are out of the ordinary."""
        bounds = _bounds_of(areas)
        if (
            bounds is None
            or not _is_list_of_numbers(thresholds)
            or kind not in ("bbox", "segm", "keypoints")
            # Pairs without anything in common pass such a threshold.
            or (kind != "bbox" and thresholds.min() <= 0)
            or not len(images)
            or not len(categories)
            or len(set(categories)) != len(categories)
        ):
            return None
        return cls(
            kind=kind,
            images=list(images),
            categories=list(categories),
            areas=list(areas),
            bounds=bounds,
            thresholds=thresholds.copy(),
            cap=cap,
            names=names,
            crowds=crowds,
        )

    @property
    def ascending(self) -> NDArray[np.int64]:
        """The order that sorts the thresholds."""
        return stable_order(self.thresholds)

    @property
    def lowest(self) -> float:
        """The overlap from which on something can be matched."""
        return float(min(self.thresholds.min(), 1 - 1e-10))

    def codes(self) -> tuple[dict[Any, int], dict[Any, int]]:
        """Return the positions of images and of categories."""
        return (
            _positions(self.images),
            _positions(self.categories) if self.pooled is None else self.pooled,
        )

    def takes_float32(self) -> bool:
        """Whether the ranges stay what they are when they are compared with float32."""
        return all(float(np.float32(bound)) == bound for pair in self.bounds for bound in pair)


def plain_id(value: Any) -> Any:
    """Return a number of NumPy as one of Python's."""
    return value.item() if isinstance(value, np.generic) else value


def _positions(ids: Any) -> dict[Any, int]:
    return {plain_id(each): i for i, each in enumerate(ids)}


def _is_list_of_numbers(values: Any) -> bool:
    return (
        type(values) is np.ndarray
        and values.dtype == np.float64
        and values.ndim == 1
        and len(values) > 0
        and bool(np.isfinite(values).all())
    )


def _bounds_of(ranges: Any) -> list[tuple[float, float]] | None:
    if type(ranges) is not list or not 0 < len(ranges) <= _MOST_AREAS:
        return None
    bounds = []
    for each in ranges:
        if type(each) not in (list, tuple) or len(each) < 2:
            return None
        for bound in each[:2]:
            if type(bound) not in (int, float) or not abs(bound) <= _EXACT:
                return None
        bounds.append((float(each[0]), float(each[1])))
    return bounds
