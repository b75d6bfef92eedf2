"""Distances between the surfaces of structures in truth and prediction."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.classes import Classes
from snellen.errors import ClassError, InputError
from snellen.parameters import refuse_other_parameters
from snellen.segmentation.array_labels import ArrayLabels
from snellen.segmentation.stray_values import stray_report
from snellen.segmentation.structure_table import measure_names
from snellen.segmentation.structures import COLUMNS, measure_structures
from snellen.segmentation.surface_batch import SurfaceBatch
from snellen.segmentation.surface_distance_result import SurfaceDistanceResult, result_of
from snellen.segmentation.surface_images import SurfaceImage, SurfaceImages
from snellen.segmentation.surface_meanings import declared_meanings, found_meanings
from snellen.segmentation.surface_parameters import SurfaceParameters, without
from snellen.state import pack, restored

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Self

    from snellen.metric import Units
    from snellen.segmentation.label_scheme import LabelScheme
    from snellen.segmentation.structures import Structures
    from snellen.segmentation.surface_meanings import Meanings
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
    classes : int, str, LabelScheme, Classes, mapping of id to name, or sequence, optional
        The classes that are measured, by whole numbers (names alone: 0, 1, 2, …; a number n: 0 …
        n - 1); other values of label maps are of no class. A text stands for a built-in scheme
        (`snellen.segmentation.label_scheme.SCHEMES`), whose arrays hold 0 … n - 1, and no other
        values. Without, all values but `background` and `ignore_index` are classes.
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
    background : int, None or "auto"
        The class that is not measured. ``"auto"``: 0, unless `classes` give it a name, and another
        one than background, void or unlabelled. None: all are measured.
    ignore_index : int, ints, None, or "auto"
        Pixels of these values in truth are of no class on both sides, as if cut out. ``"auto"``:
        255, unless that is a class; without `classes`, label maps of 0 and 255 alone are refused.

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

    __slots__ = ("_classes", "_images", "_labels", "_meanings", "_parameters")

    def __init__(
        self,
        classes: int
        | str
        | LabelScheme
        | Classes
        | Mapping[int, str]
        | Sequence[str]
        | None = None,
        *,
        rules: str | SurfaceRules = "monai",
        percentile: float = 95.0,
        tolerance: float | Mapping[Any, float] = 1.0,
        missing: str | float = "diagonal",
        spacing: float | Sequence[float] | None = None,
        dimensions: int | None = None,
        background: int | str | None = "auto",
        ignore_index: int | Iterable[int] | str | None = "auto",
    ) -> None:
        labels = None if classes is None else ArrayLabels.of(classes, ignore_index)
        parameters = SurfaceParameters.checked(
            labels,
            rules=rules,
            percentile=percentile,
            tolerance=tolerance,
            missing=missing,
            spacing=spacing,
            dimensions=dimensions,
            background=background,
            ignore_index=ignore_index,
        )
        self._begin(labels, parameters)

    def _begin(self, labels: ArrayLabels | None, parameters: SurfaceParameters) -> None:
        self._labels, self._parameters = labels, parameters
        self._images = SurfaceImages()
        self._classes, self._meanings = Classes([]), None
        if labels is not None:
            self._classes = without(labels.classes, parameters.background)
            self._meanings = declared_meanings(labels, self._classes, parameters.background)

    @classmethod
    def _of_parameters(cls, labels: ArrayLabels | None, parameters: SurfaceParameters) -> Self:
        metric = cls.__new__(cls)
        metric._begin(labels, parameters)
        return metric

    def __repr__(self) -> str:
        return f"SurfaceDistance({len(self._images)} images, {len(self._classes)} classes)"

    @property
    def classes(self) -> Classes:
        """The classes that are measured: the declared ones, or those that have occurred."""
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
        parameters, declared = self._parameters, self._meanings
        cut = _without_ignored(truth, pred, parameters.ignore_index, declared)
        for again in (False, True):
            meanings = declared
            if meanings is None:
                meanings = found_meanings(classes, parameters.background, parameters.ignore_index)
            found = measure_structures(
                truth,
                cut,
                (meanings.truth, meanings.pred),
                len(classes),
                spacing=spacing,
                rules=parameters.rules,
                percentile=parameters.percentile,
                tolerance=parameters.tolerance_of(classes),
            )
            unknown = np.union1d(*found.unknown)
            if again or declared is not None or not len(unknown):
                break
            classes = _joined(classes, unknown)
        if self._labels is not None and self._labels.is_complete:
            _refuse_unknown(self._labels, {"truth": truth, "pred": pred}, found)
        if parameters.is_guessed:
            _refuse_masks(parameters, {"truth": truth, "pred": pred}, found)
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
        is_twin = self._labels is other._labels and self._parameters is other._parameters
        if not is_twin:
            refuse_other_parameters(self, self._all_parameters(), other._all_parameters())
        classes = Classes.union([self._classes, other._classes])
        self._images.merge(other._images)
        self._classes = classes
        return self

    def empty(self) -> SurfaceDistance:
        """Return a metric of the same parameters without data."""
        return type(self)._of_parameters(self._labels, self._parameters)

    def compute(self) -> SurfaceDistanceResult:
        """Return the result of all that was absorbed."""
        return result_of(
            self._images.ordered(),
            self._classes,
            protocol={
                "name": "surface-distance",
                **self._parameters.to_dict(),
                "left_out": self._left_out(),
            },
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
        content = parameters.pop("labels")
        labels = None if content is None else ArrayLabels.from_dict(content)
        metric = cls._of_parameters(labels, SurfaceParameters.from_dict(parameters, labels))
        if labels is None:
            metric._classes = classes
        elif not classes.same_as(metric._classes):
            raise ValueError("other classes than those of the values")
        metric._images = SurfaceImages.of_state(packed.content, packed.arrays)
        known = set(classes.keys.ids.tolist())
        for image in metric._images.images:
            if not known.issuperset(image.label.tolist()):
                raise ValueError("structures of no class")
        return metric

    def _left_out(self) -> str | None:
        """Return the name of the declared class that is not measured."""
        if self._labels is None or len(self._classes) == len(self._labels.classes):
            return None
        classes = self._labels.classes
        place: int = classes.keys.ids.tolist().index(self._parameters.background)
        return classes.display_names()[place]

    def _all_parameters(self) -> dict[str, Any]:
        labels = self._labels
        return {
            "labels": None if labels is None else labels.to_dict(),
            **self._parameters.to_dict(),
        }


def surface_distance(
    truth: ArrayLike,
    pred: ArrayLike,
    classes: int | str | LabelScheme | Classes | Mapping[int, str] | Sequence[str] | None = None,
    *,
    image_id: ArrayLike | int | str | None = None,
    **parameters: Any,
) -> SurfaceDistanceResult:
    """Return the distances between surfaces; see `SurfaceDistance`."""
    return SurfaceDistance(classes, **parameters).update(truth, pred, image_id=image_id).compute()


def _without_ignored(
    truth: NDArray[Any], pred: NDArray[Any], ignored: tuple[int, ...], declared: Meanings | None
) -> NDArray[Any]:
    """Return the prediction, with a value of no class wherever truth has one that is ignored."""
    if not ignored:
        return pred
    there = truth == ignored[0] if len(ignored) == 1 else np.isin(truth, ignored)
    if not there.any():
        return pred
    nothing = ignored[0] if declared is None else declared.nothing
    fitting = np.result_type(pred.dtype, np.min_scalar_type(nothing))
    cut = pred.astype(fitting if fitting.kind in "iu" else np.int64)
    cut[there] = nothing
    return cut


def _refuse_unknown(
    labels: ArrayLabels, sides: Mapping[str, NDArray[Any]], found: Structures
) -> None:
    for (name, side), unknown in zip(sides.items(), found.unknown, strict=True):
        if len(unknown):
            values, counts = np.unique(side, return_counts=True)
            raise ClassError(stray_report(values, counts, labels.side(name)), name)


def _refuse_masks(
    parameters: SurfaceParameters, sides: Mapping[str, NDArray[Any]], found: Structures
) -> None:
    """Refuse label maps of 0 and 255 alone where nobody said that 255 is void."""
    for name, side in sides.items():
        size = found.numbers[:, COLUMNS.index(f"size_{name}")]
        if size.any() or not np.isin(side, parameters.ignore_index).any():
            continue
        void = parameters.ignore_index[0]
        raise ClassError(
            f"expected values of classes, got none but {void}, which is void: of masks give flags, "
            f'such as {name} > 0, or classes={{{void}: "object"}}; if {void} is void, say '
            f"ignore_index={void}",
            name,
        )


def _joined(classes: Classes, ids: NDArray[np.int64]) -> Classes:
    n = len(classes) + len(ids)
    if n > _MOST_CLASSES:
        raise ClassError(
            f"expected label maps of at most {_MOST_CLASSES:,} classes, got {n:,}: are these "
            "images? To measure some classes only, name them with classes"
        )
    return Classes.union([classes, Classes(ids)])
