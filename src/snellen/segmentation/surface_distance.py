"""Distances between the surfaces of structures in truth and prediction."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.arrays import to_numpy
from snellen.classes import Classes
from snellen.errors import (
    ClassError,
    IdError,
    InputError,
    MergeError,
    ShapeError,
    did_you_mean,
    first_few,
)
from snellen.segmentation.structures import measure_structures
from snellen.segmentation.surface_distance_result import (
    SurfaceDistanceResult,
    measure_names,
    result_of,
)
from snellen.segmentation.surface_images import SurfaceImage, SurfaceImages
from snellen.segmentation.surface_rules import SurfaceRules
from snellen.state import id_array, pack, restored

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Self

    from snellen.metric import Units
    from snellen.state import PackedState

__all__ = ["SurfaceDistance", "SurfaceDistanceResult", "surface_distance"]

_MISSING = ("diagonal", "inf", "drop")
# Label maps don't have more classes; photographs do.
_MOST_CLASSES = 4096


@dataclasses.dataclass(frozen=True)
class _Parameters:
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

    @classmethod
    def of_dict(cls, content: Mapping[str, Any]) -> dict[str, Any]:
        """Return the arguments of the constructor that `to_dict` described."""
        tolerance = content["tolerance"]
        return {
            **content,
            "rules": SurfaceRules(**content["rules"]),
            "tolerance": dict(tolerance) if isinstance(tolerance, list) else tolerance,
        }


class SurfaceDistance:
    """How far the surfaces of structures are apart: HD, its percentile, ASSD, NSD.

    A structure is all that a label map has of one class. Its Hausdorff distance (HD) is the largest
    distance from a point of one surface, of truth or of the prediction, to the nearest of the
    other; the percentile (HD95) leaves out the farthest points; the average symmetric surface
    distance (ASSD) is the mean over both surfaces; the normalised surface Dice (NSD) the share of
    both surfaces within a tolerance of the other. Images (2-D) or volumes (3-D), with the distance
    between pixels along each axis.

    A number of a class is the mean over the images that have the class in truth or prediction. A
    headline number is the mean over classes.

    Parameters
    ----------
    classes : Classes, mapping of id to name, or sequence of names, optional
        The classes that are measured, by whole numbers (names alone: 0, 1, 2, …); other values
        of label maps are of no class. Without, all values but `background` are classes.
    rules : {"monai", "deepmind", "medpy"} or SurfaceRules
        What a surface is, and which percentile is meant.
    percentile : float
        Which percentile, above 0, up to 100.
    tolerance : float, or mapping of class id or name to float
        Up to which distance a point of a surface counts as right in NSD.
    missing : {"diagonal", "inf", "drop"} or float
        What the distances of a structure that only one side has count as, infinite by definition:
        the diagonal of its image, the greatest distance there is; infinity; a number; or nothing:
        it is left out. Its NSD is 0 whatever this says. A class that neither side of an image has
        never counts.
    spacing : float or sequence of float, optional
        The distance in mm between pixels along each axis, for updates that say nothing of it.
        Without, distances are in pixels.
    dimensions : {2, 3}, optional
        Whether images or volumes are measured. It must be known where an array has three axes: a
        volume, or a batch of images.
    background : int or None
        The value that is no class, where `classes` doesn't say which are.
    ignore_index : int, optional
        Pixels of this value in truth are of no class on both sides, as if cut out.

    Notes
    -----
    State
        For each structure of each image HD, its percentile, the sum of distances and the size of
        both surfaces, in all and within the tolerance; for each image its diagonal. Constant in the
        size of images.
    Merge
        Joins images; exact. An image that both have absorbed is refused.
    Ties
        Of points that are equally near any is the nearest: it is the distance that counts.
    Undefined
        NaN, with the reason: without structures, or where all are left out. A structure that one
        side misses is not undefined: see `missing`.
    Agrees with
        SciPy 1.17.1's distances and NumPy's percentiles, hence MedPy 0.5.2, in every bit, save that
        of points that are equally near up to rounding the nearest counts; sums are exact here.
        MONAI 1.6.1 to its float32; DeepMind's surface-distance 0.1 in HD and percentile, to 1e-13
        in ASSD and NSD, whose sums of areas it rounds in another order (tests/oracle).

    References
    ----------
    S. Nikolov et al., "Deep learning to achieve clinically applicable segmentation of head and neck
    anatomy", 2018 (NSD); A. Reinke et al., "Understanding metric-related pitfalls in image analysis
    validation", 2023.

    Examples
    --------
    >>> import numpy as np
    >>> from snellen import SurfaceDistance
    >>> truth = np.zeros((9, 9), np.uint8)
    >>> truth[2:5, 2:5] = 1
    >>> result = SurfaceDistance().update(truth, np.roll(truth, 3, axis=1), spacing=2.0).compute()
    >>> result.hd, result.hd95, result.assd  # of 8 points 3 lie 2 mm apart, 2 lie 4, 3 lie 6
    (6.0, 6.0, 4.0)
    """

    __slots__ = ("_classes", "_images", "_parameters", "declared")

    def __init__(
        self,
        classes: Classes | Mapping[int, str] | Sequence[str] | None = None,
        *,
        rules: str | SurfaceRules = "monai",
        percentile: float = 95.0,
        tolerance: float | Mapping[Any, float] = 1.0,
        missing: str | float = "diagonal",
        spacing: float | Sequence[float] | None = None,
        dimensions: int | None = None,
        background: int | None = 0,
        ignore_index: int | None = None,
    ) -> None:
        self.declared = None if classes is None else _whole_classes(Classes.of(classes))
        self._classes = Classes([]) if self.declared is None else self.declared
        if dimensions not in (None, 2, 3):
            raise InputError(f"expected 2 or 3, got {dimensions!r}", "dimensions")
        steps = None if spacing is None else _steps(spacing, "spacing")
        if steps is not None and len(steps) > 1:
            if dimensions not in (None, len(steps)):
                raise ShapeError(f"expected {dimensions} numbers, got {len(steps)}", "spacing")
            dimensions = len(steps)
        self._parameters = _Parameters(
            rules=SurfaceRules.of(rules),
            percentile=_between(percentile, "percentile", above=0.0, most=100.0),
            tolerance=_tolerances(tolerance, self.declared),
            missing=_penalty(missing),
            spacing=steps,
            dimensions=dimensions,
            background=_value(background, "background"),
            ignore_index=_value(ignore_index, "ignore_index"),
        )
        if self.declared is not None and ignore_index in self.declared.keys.ids.tolist():
            raise InputError(f"expected a value of no class, got {ignore_index}", "ignore_index")
        self._images = SurfaceImages()

    def __repr__(self) -> str:
        return f"SurfaceDistance({len(self._images)} images, {len(self._classes)} classes)"

    @property
    def classes(self) -> Classes:
        """The classes: the declared ones, or those that have occurred."""
        return self._classes

    def update(
        self,
        truth: ArrayLike,
        pred: ArrayLike,
        *,
        image_id: Any = None,
        spacing: float | Sequence[Any] | None = None,
    ) -> Self:
        """Absorb an image, a volume, or a batch of either.

        Parameters
        ----------
        truth, pred : array-like of shape (H, W), (D, H, W), or (N, …) of either
            The class of each pixel as whole numbers; or flags, which are classes 0 and 1. An array
            of three axes is a volume where `dimensions` or `spacing` say so, else it is refused.
        image_id : int or str, or array-like of shape (N,), optional
            The id of the image, or of each image of a batch. All images have one, or none.
        spacing : float, sequence of float, or array-like of shape (N, 2 or 3), optional
            The distance in mm between pixels along each axis; one number for all axes; one row for
            each image.

        Raises
        ------
        ShapeError, ClassError, IdError, InputError
            For what cannot be evaluated. After an error the metric is as it was.
        """
        batch = _Batch.of(truth, pred, image_id, spacing, self._parameters)
        if len(batch.truth):
            self._images.check(batch.ids)
        classes = self._classes
        found = []
        for one, other, steps in zip(batch.truth, batch.pred, batch.spacing, strict=True):
            image, classes = self._measured(one, other, steps, batch.in_mm, classes)
            found.append(image)
        self._images.append(batch.ids, found)
        self._classes = classes
        return self

    def _measured(
        self,
        truth: NDArray[Any],
        pred: NDArray[Any],
        spacing: tuple[float, ...],
        in_mm: bool,
        classes: Classes,
    ) -> tuple[SurfaceImage, Classes]:
        parameters = self._parameters
        if parameters.ignore_index is not None:
            pred = _without_ignored(truth, pred, parameters.ignore_index)
        known = self._classes.keys.ids.tolist()
        others = [
            value
            for value in (parameters.background, parameters.ignore_index)
            if value is not None and value not in known
        ]
        for again in (False, True):
            found = measure_structures(
                truth,
                pred,
                classes.keys.ids,
                others,
                spacing=spacing,
                rules=parameters.rules,
                percentile=parameters.percentile,
                tolerance=_tolerance_of(classes, parameters.tolerance),
            )
            unknown = np.union1d(*found.unknown)
            if again or self.declared is not None or not len(unknown):
                break
            classes = _joined(classes, unknown)
        sides = [n * step for n, step in zip(truth.shape, spacing, strict=True)]
        image = SurfaceImage(
            diagonal=math.sqrt(math.fsum(side * side for side in sides)),
            in_mm=in_mm,
            others=unknown,
            label=classes.keys.ids[found.code],
            numbers=found.numbers,
        )
        return image, classes

    def merge(self, other: SurfaceDistance, /) -> Self:
        """Absorb another metric of equal parameters; `other` stays as it was.

        Raises
        ------
        MergeError
            Where the parameters differ.
        IdError
            Where images don't go together.
        """
        if self._all_parameters() != other._all_parameters():
            raise MergeError(
                "expected the state of a SurfaceDistance with the same parameters, got "
                f"{other._all_parameters()} for {self._all_parameters()}"
            )
        classes = Classes.union([self._classes, other._classes])
        self._images.merge(other._images)
        self._classes = classes
        return self

    def empty(self) -> SurfaceDistance:
        """Return a metric of the same parameters without data."""
        return type(self)(self.declared, **_arguments(self._parameters))

    def compute(self) -> SurfaceDistanceResult:
        """Return the result of all that was absorbed."""
        return result_of(
            self._images.ordered(),
            self._classes,
            protocol={"name": "surface-distance", **self._parameters.to_dict()},
        )

    def units(self, *, each: bool = False) -> Units:
        """Return the images as units for resampling.

        Parameters
        ----------
        each : bool
            Whether images must have ids.

        Raises
        ------
        InputError
            Where images have no ids and `each` asks for them.
        """
        from snellen.segmentation.resampled_surfaces import surface_units

        images = self._images.ordered()
        if each and len(self._images) and images.ids is None:
            raise InputError("expected images with ids: give update an image_id")
        return surface_units(
            images,
            self._classes,
            missing=self._parameters.missing,
            names=measure_names(self._parameters.percentile),
        )

    def to_bytes(self) -> bytes:
        """Return the state: the same bytes for any sharding and any order of images."""
        content, arrays = self._images.state()
        content |= {
            "parameters": self._all_parameters(),
            "class_names": list(self._classes.names),
        }
        arrays["class_ids"] = self._classes.keys.ids
        return pack(type(self).__name__, content, arrays)

    @classmethod
    def from_bytes(cls, data: bytes, /) -> SurfaceDistance:
        """Return the metric whose state `to_bytes` wrote.

        Raises
        ------
        SchemaError
            Where the bytes are not such a state.
        """
        return restored(data, cls.__name__, cls._of_packed)

    def __reduce__(self) -> tuple[Any, ...]:
        return (type(self).from_bytes, (self.to_bytes(),))

    @classmethod
    def _of_packed(cls, packed: PackedState) -> SurfaceDistance:
        parameters = dict(packed.content["parameters"])
        classes = Classes(packed.arrays["class_ids"], packed.content["class_names"])
        declared = parameters.pop("classes") is not None
        metric = cls(classes if declared else None, **_Parameters.of_dict(parameters))
        metric._classes = classes
        metric._images = SurfaceImages.of_state(packed.content, packed.arrays)
        known = set(classes.keys.ids.tolist())
        for image in metric._images.images:
            if not known.issuperset(image.label.tolist()):
                raise ValueError("structures of no class")
        return metric

    def _all_parameters(self) -> dict[str, Any]:
        declared = self.declared
        return {
            "classes": None
            if declared is None
            else [declared.keys.ids.tolist(), list(declared.names)],
            **self._parameters.to_dict(),
        }


def surface_distance(
    truth: ArrayLike,
    pred: ArrayLike,
    *,
    image_id: Any = None,
    **parameters: Any,
) -> SurfaceDistanceResult:
    """Return the distances between surfaces; see `SurfaceDistance`."""
    metric = SurfaceDistance(**parameters)
    return metric.update(truth, pred, image_id=image_id).compute()


# ---- Parameters ---------------------------------------------------------------------------------


def _arguments(parameters: _Parameters) -> dict[str, Any]:
    return {field.name: getattr(parameters, field.name) for field in dataclasses.fields(parameters)}


def _whole_classes(classes: Classes) -> Classes:
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


def _between(value: Any, name: str, *, above: float, most: float) -> float:
    number = _number(value, name)
    if not above < number <= most:
        raise InputError(f"expected a number above {above:g}, up to {most:g}, got {value!r}", name)
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


def _tolerance_of(classes: Classes, tolerance: float | dict[int, float]) -> NDArray[np.float64]:
    if not isinstance(tolerance, dict):
        return np.full(len(classes), tolerance)
    ids = classes.keys.ids.tolist()
    without = [each for each in ids if each not in tolerance]
    if without:
        raise InputError(
            f"expected a tolerance for each class, got none for {first_few(without)}", "tolerance"
        )
    return np.array([tolerance[each] for each in ids], np.float64)


def _steps(spacing: Any, name: str) -> tuple[float, ...]:
    """Return the distances between pixels: one for all axes, or one for each."""
    steps = to_numpy(spacing, name, np.float64)
    if steps.shape not in ((), (1,), (2,), (3,)):
        raise ShapeError(f"expected one number for each axis, got shape {steps.shape}", name)
    if not (np.isfinite(steps) & (steps > 0)).all():
        raise InputError(f"expected finite numbers above 0, got {spacing!r}", name)
    return tuple(steps.reshape(-1).tolist())


# ---- Images -------------------------------------------------------------------------------------


class _Batch(NamedTuple):
    """N images of one shape, (N, …), the spacing of each, and their ids."""

    truth: NDArray[Any]
    pred: NDArray[Any]
    spacing: list[tuple[float, ...]]
    in_mm: bool
    ids: list[int | str] | None

    @classmethod
    def of(
        cls, truth: Any, pred: Any, image_id: Any, spacing: Any, parameters: _Parameters
    ) -> _Batch:
        one, other = _label_map(truth, "truth"), _label_map(pred, "pred")
        if one.shape != other.shape:
            raise ShapeError(
                f"expected a prediction of the shape of truth, {one.shape}, got {other.shape}",
                "pred",
            )
        given = parameters.spacing
        rows = None
        if spacing is not None:
            array = to_numpy(spacing, "spacing", np.float64)
            if array.ndim == 2:
                rows = [_steps(row, f"spacing[{i}]") for i, row in enumerate(array)]
                given = rows[0] if rows else None
            else:
                given = _steps(array, "spacing")
        n_axes = _n_axes(one.ndim, given, parameters.dimensions)
        if one.ndim == n_axes:
            one, other = one[None], other[None]
        if not one[:1].size and len(one):
            raise ShapeError(f"expected images with pixels, got shape {one.shape[1:]}", "truth")
        if rows is not None and len(rows) != len(one):
            raise ShapeError(
                f"expected {len(one)} rows, one for each image, got {len(rows)}", "spacing"
            )
        each = rows if rows is not None else [given or (1.0,)] * len(one)
        for steps in each:
            if len(steps) not in (1, n_axes):
                raise ShapeError(f"expected {n_axes} numbers, got {len(steps)}", "spacing")
        return cls(
            one,
            other,
            [steps * n_axes if len(steps) == 1 else steps for steps in each],
            given is not None,
            _image_ids(image_id, len(one)),
        )


def _label_map(values: Any, name: str) -> NDArray[Any]:
    array = to_numpy(values, name)
    if array.dtype.kind not in "biu":
        raise InputError(
            f"expected the class of each pixel as whole numbers, got {array.dtype}", name
        )
    if array.ndim not in (2, 3, 4):
        raise ShapeError(
            f"expected an image (H, W) or a volume (D, H, W), or a batch, got shape {array.shape}",
            name,
        )
    if array.dtype == np.uint64:
        if array.size and array.max() > np.iinfo(np.int64).max:
            raise InputError(f"expected classes below 2^63, got {array.max()}", name)
        array = array.astype(np.int64)
    return array


def _n_axes(n_axes: int, spacing: tuple[float, ...] | None, dimensions: int | None) -> int:
    """Return whether an array of so many axes is of images or of volumes."""
    told = dimensions
    if told is None and spacing is not None and len(spacing) > 1:
        told = len(spacing)
    if told is None and n_axes == 3:
        raise ShapeError(
            "expected an image of two axes, got three, which are a volume or a batch of images: "
            "say dimensions=3 or dimensions=2",
            "truth",
        )
    told = (2 if n_axes == 2 else 3) if told is None else told
    if n_axes not in (told, told + 1):
        raise ShapeError(f"expected {told} axes, or {told + 1} of a batch, got {n_axes}", "truth")
    return told


def _image_ids(image_id: Any, n_images: int) -> list[int | str] | None:
    if image_id is None:
        return None
    if not np.ndim(image_id):
        image_id = [image_id]
    ids: list[int | str] = id_array(image_id, "image id").tolist()
    if len(ids) != n_images:
        raise IdError(
            f"expected {n_images} image ids, one for each image, got {len(ids)}", "image_id"
        )
    return ids


def _without_ignored(truth: NDArray[Any], pred: NDArray[Any], ignored: int) -> NDArray[Any]:
    """Return the prediction, with the value that is ignored wherever truth has it."""
    there = truth == ignored
    if not there.any():
        return pred
    fitting = np.result_type(pred.dtype, np.min_scalar_type(ignored))
    cut = pred.astype(fitting if fitting.kind in "iu" else np.int64)
    cut[there] = ignored
    return cut


def _joined(classes: Classes, ids: NDArray[np.int64]) -> Classes:
    n = len(classes) + len(ids)
    if n > _MOST_CLASSES:
        raise ClassError(
            f"expected label maps of at most {_MOST_CLASSES:,} classes, got {n:,}: are these "
            "images? To measure some classes only, name them with classes"
        )
    return Classes.union([classes, Classes(ids)])
