"""Distances between the surfaces of structures in truth and prediction."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.classes import Classes
from snellen.errors import ClassError, InputError, MergeError
from snellen.segmentation.structure_table import measure_names
from snellen.segmentation.structures import measure_structures
from snellen.segmentation.surface_batch import SurfaceBatch
from snellen.segmentation.surface_distance_result import SurfaceDistanceResult, result_of
from snellen.segmentation.surface_images import SurfaceImage, SurfaceImages
from snellen.segmentation.surface_parameters import SurfaceParameters, whole_classes
from snellen.state import pack, restored

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Self

    from snellen.metric import Units
    from snellen.segmentation.surface_rules import SurfaceRules
    from snellen.state import PackedState

__all__ = ["SurfaceDistance", "SurfaceDistanceResult", "surface_distance"]

# Label maps don't have more classes; photographs do.
_MOST_CLASSES = 4096


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
        self.declared = None if classes is None else whole_classes(Classes.of(classes))
        self._classes = Classes([]) if self.declared is None else self.declared
        self._parameters = SurfaceParameters.checked(
            self.declared,
            rules=rules,
            percentile=percentile,
            tolerance=tolerance,
            missing=missing,
            spacing=spacing,
            dimensions=dimensions,
            background=background,
            ignore_index=ignore_index,
        )
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
        batch = SurfaceBatch.of(truth, pred, spacing, self._parameters)
        images = self._images.ids.batch_of(image_id, len(batch.truth))
        classes = self._classes
        found = []
        for one, other, steps in zip(batch.truth, batch.pred, batch.spacing, strict=True):
            image, classes = self._measured(one, other, steps, batch.in_mm, classes)
            found.append(image)
        self._images.append(images, found)
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
                tolerance=parameters.tolerance_of(classes),
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
        return type(self)(self.declared, **self._parameters.arguments())

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
        content["parameters"] = self._all_parameters()
        self._classes.store(content, arrays)
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
        classes = Classes.stored(packed.content, packed.arrays)
        declared = parameters.pop("classes") is not None
        metric = cls(classes if declared else None, **SurfaceParameters.arguments_of(parameters))
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
