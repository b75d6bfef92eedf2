"""How well the boundaries of classes fit: Boundary IoU and the F-measure of contours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from snellen import _core
from snellen.arrays import to_numpy
from snellen.errors import ClassError, IdError, ShapeError
from snellen.image_ids import ImageIds
from snellen.parameters import refuse_other_parameters
from snellen.segmentation.array_labels import ArrayLabels, label_images
from snellen.segmentation.boundary_result import COLUMNS, BoundaryQualityResult
from snellen.segmentation.boundary_rules import BoundaryRules
from snellen.segmentation.label_codes import label_codes
from snellen.segmentation.label_scheme import MOST_CLASSES, Encoding
from snellen.state import Counts, Keys, Ledger, pack, prefixed, restored, unprefixed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Self

    from snellen.classes import Classes
    from snellen.metric import Units
    from snellen.segmentation.label_scheme import LabelScheme
    from snellen.state import PackedState

__all__ = ["BoundaryQuality", "BoundaryQualityResult", "boundary_quality"]


class BoundaryQuality:
    """Boundary IoU and boundary F of all classes of label images.

    Boundary IoU is the IoU of *border zones*: of the pixels of a class that are so near to its
    border. Boundary F is the F-measure of *contours*, one pixel wide, of which a pixel is matched
    where the other side's contour of that class is within the tolerance.

    Parameters
    ----------
    classes : int, str, LabelScheme, Classes, mapping of id to name, or sequence of names
        All classes; their ids are the values of pixels. Names alone stand for 0, 1, 2, …, a number
        n for 0 … n - 1, a text for a built-in scheme
        (`snellen.segmentation.label_scheme.SCHEMES`), whose arrays hold 0 … n - 1, too.
    ratio : float
        The width of border zones as a share of the image's diagonal; at least one pixel.
    tolerance : float or int
        Of contours: below 1, a share of the image's diagonal, rounded up to whole pixels; else
        whole pixels (0: contours must lie on each other). DAVIS has 0.008.
    ignore_index : int, ints, None, or "auto"
        Values of truth pixels that count on neither side. A prediction may have them too: it is
        then of no class, unless the value is a class, which is ignored in truth alone. ``"auto"``:
        255, unless that is a class.

    Notes
    -----
    State
        Ten numbers of pixels for each class, and for each image and class where images have ids.
        Whole numbers; no images.
    Merge
        Adds, joins rows; exact. An image id that both have absorbed is refused.
    Ties
        There are none.
    Undefined
        NaN for a class that neither side has; boundary F also for a class that fills every image,
        which has no contour. They are no part of means. Means over images need image ids.
    Agrees with
        Boundary IoU: boundary-iou-api (37d2558) applied to each class, every pixel. Boundary F:
        DAVIS as TrackEval (12c8791) computes it, every bit, with ``tolerance=0.008``, for each
        image and class with a contour on either side (tests/oracle).

    References
    ----------
    B. Cheng et al., "Boundary IoU: Improving Object-Centric Image Segmentation Evaluation", CVPR
    2021. F. Perazzi et al., "A Benchmark Dataset and Evaluation Methodology for Video Object
    Segmentation", CVPR 2016. G. Csurka et al., "What is a good evaluation measure for semantic
    segmentation?", BMVC 2013.

    Examples
    --------
    >>> from snellen import BoundaryQuality
    >>> truth = [[0] * 6] + [[0, 1, 1, 1, 1, 0]] * 4 + [[0] * 6]
    >>> pred = [[0] * 6] + [[0, 1, 1, 1, 0, 0]] * 4 + [[0] * 6]
    >>> result = BoundaryQuality(["ground", "box"], tolerance=1).update(truth, pred).compute()
    >>> box = result.per_class()[1]  # border zones: 12 and 10 pixels, 8 of them in both
    >>> round(box["boundary_iou"], 4), box["mask_iou"], box["boundary_f"]
    (0.5714, 0.75, 1.0)
    """

    __slots__ = ("_images", "_rows", "_sums", "labels", "rules")

    def __init__(
        self,
        classes: int | str | LabelScheme | Classes | Mapping[int, str] | Sequence[str],
        *,
        ratio: float = 0.02,
        tolerance: float = 0.0075,
        ignore_index: int | Iterable[int] | str | None = "auto",
    ) -> None:
        self._begin(ArrayLabels.of(classes, ignore_index), ratio, tolerance)

    def _begin(self, labels: ArrayLabels, ratio: float, tolerance: float) -> None:
        if len(labels.classes) > MOST_CLASSES:
            raise ClassError(
                f"expected up to {MOST_CLASSES:,} classes, got {len(labels.classes):,}", "classes"
            )
        self.labels = labels
        self.rules = BoundaryRules(ratio, tolerance, labels.ignored())
        self._sums = Counts(pixels=(len(self.classes), len(COLUMNS)), n_images=())
        self._rows = Ledger(
            ("image",), image=np.int32, label=np.int32, pixels=(np.int64, (len(COLUMNS),))
        )
        self._images = ImageIds()

    @classmethod
    def _of_labels(cls, labels: ArrayLabels, ratio: float, tolerance: float) -> Self:
        metric = cls.__new__(cls)
        metric._begin(labels, ratio, tolerance)
        return metric

    @property
    def classes(self) -> Classes:
        """The K classes."""
        return self.labels.classes

    def __repr__(self) -> str:
        return f"BoundaryQuality({len(self.classes)} classes, {self._sums['n_images']} images)"

    def update(
        self, truth: ArrayLike, pred: ArrayLike, *, image_id: ArrayLike | int | str | None = None
    ) -> Self:
        """Absorb one label image or a batch of N.

        Parameters
        ----------
        truth : array-like, shape (H, W) or (N, H, W)
            Class ids of pixels: whole numbers, of NumPy or torch. Tensors on a device are brought
            to the host.
        pred : array-like, shape (H, W) or (N, H, W), or (K, H, W) or (N, K, H, W)
            Class ids; or a score for each class, of which the highest counts.
        image_id : int or str, or array-like of shape (N,), optional
            Ids of the images: for numbers of each image, means over images, and intervals. With
            all updates or with none.

        Raises
        ------
        ClassError
            For ids that are no class.
        IdError
            For an image that was absorbed before.
        ShapeError, InputError
            For what cannot be evaluated. After an error the metric is as it was.
        """
        truth_codes, pred_codes = self._codes(truth, pred)
        n_images, height, width = truth_codes.shape
        batch = self._images.batch_of(image_id, n_images)
        pixels = _core.boundary_counts(
            truth_codes,
            pred_codes,
            len(self.classes),
            self.rules.zone_width(height, width),
            self.rules.contour_tolerance(height, width),
        )
        if not n_images:
            return self
        self._sums.add(pixels=pixels.sum(axis=0), n_images=n_images)
        if not batch.anonymous:
            image, label = np.nonzero(pixels.any(axis=2))
            self._rows.append(
                {"image": batch.keys},
                image=batch.place[image],
                label=label.astype(np.int32),
                pixels=pixels[image, label],
            )
        self._images.add(batch.keys, anonymous=batch.anonymous)
        return self

    def _codes(self, truth: ArrayLike, pred: ArrayLike) -> tuple[NDArray[Any], NDArray[Any]]:
        """Return the positions of classes in both sides, (N, H, W); K for no class."""
        maps = label_images(truth, pred)
        n_classes, found = len(self.classes), []
        for name, given, n_scores in (
            ("truth", truth, maps.truth_classes),
            ("pred", pred, maps.pred_classes),
        ):
            encoding = self.labels.side(name)
            if n_scores is not None:
                if n_scores != n_classes:
                    raise ShapeError(
                        f"expected a score for each of {n_classes} classes, got {n_scores}", name
                    )
                ignored = self.labels.truth.codes_of(self.labels.truth.ignored, pred=True)
                positions = {k: k for k in range(n_classes)}
                encoding = Encoding.of("positions", positions, ignored=ignored)
            found.append(
                label_codes(
                    to_numpy(getattr(maps, name), name, contiguous=False),
                    name,
                    encoding,
                    n_classes,
                    is_batch=np.ndim(given) != 2,
                )
            )
        return found[0], found[1]

    def merge(self, other: BoundaryQuality, /) -> Self:
        """Absorb another metric of equal parameters; `other` stays as it was.

        Raises
        ------
        MergeError
            Where the parameters differ.
        IdError
            Where both have absorbed the same image, or only one has image ids.
        """
        refuse_other_parameters(self, self._all_parameters(), other._all_parameters())
        self._images.check_merge(other._images)
        self._images.merge(other._images)
        self._sums.merge(other._sums)
        self._rows.merge(other._rows)
        return self

    def _all_parameters(self) -> dict[str, Any]:
        return {"labels": self.labels.to_dict(), **self.rules.to_dict()}

    def empty(self) -> BoundaryQuality:
        """Return a metric of the same parameters without data."""
        return type(self)._of_labels(self.labels, self.rules.ratio, self.rules.tolerance)

    def compute(self) -> BoundaryQualityResult:
        """Return the result of all that was absorbed."""
        images, rows = self.rows()
        return BoundaryQualityResult.of_pixels(
            self.classes,
            self.rules,
            int(self._sums["n_images"]),
            self._sums["pixels"].copy(),
            images if self._images.anonymous is False else None,
            rows,
        )

    def units(self, *, each: bool = False) -> Units:
        """Return the images as units for resampling.

        Raises
        ------
        IdError
            Where images were given without ids: only their sum is known.
        """
        del each  # they always are
        if self._images.anonymous:
            raise IdError("expected images with ids, of others only the sum is kept", "image_id")
        # Here, because an evaluation without intervals is to start without it.
        from snellen.segmentation.resampled_boundaries import boundary_units

        return boundary_units(self.classes, *self.rows())

    def rows(self) -> tuple[Keys, dict[str, NDArray[Any]]]:
        """Return the images that have ids, and their rows by image and class.

        Returns
        -------
        images : Keys
        rows : dict of str to ndarray
            ``image`` and ``label``, positions, (M,), and ``pixels``, (M, 10): a row for each class
            that either side of the image has.
        """
        images = Keys([], "image id") if self._images.anonymous else self._images.keys()
        keys = {"image": images}
        rows = self._rows.columns(keys)
        order = np.lexsort((rows["label"], rows["image"]))
        rows = {name: column[order] for name, column in rows.items()}
        if self._rows.n_pieces > 1:
            self._rows.replace(keys, **rows)
        return images, rows

    def to_bytes(self) -> bytes:
        """Return the state: the same bytes for any sharding and any order of batches."""
        images, rows = self.rows()
        arrays = {**self._sums.arrays(), **prefixed("rows.", rows)}
        content: dict[str, Any] = {"rules": self.rules.to_dict(), "labels": self.labels.to_dict()}
        anonymous = self._images.anonymous
        content["named"] = None if anonymous is None else not anonymous
        images.store("image_ids", content, arrays)
        return pack(type(self).__name__, content, arrays)

    @classmethod
    def from_bytes(cls, data: bytes, /) -> BoundaryQuality:
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
    def _of_packed(cls, packed: PackedState) -> BoundaryQuality:
        content, arrays = packed.content, packed.arrays
        rules = BoundaryRules(**content["rules"])
        metric = cls._of_labels(
            ArrayLabels.from_dict(content["labels"]), rules.ratio, rules.tolerance
        )
        if metric.rules != rules:
            raise ValueError("rules that are not those of the values")
        metric._sums.add(pixels=arrays["pixels"], n_images=arrays["n_images"])
        n_images = int(metric._sums["n_images"])
        if content["named"] is None:
            return metric
        if not content["named"]:
            metric._images = ImageIds.numbered(n_images)
            return metric
        images = Keys.stored("image_ids", "image id", content, arrays)
        rows = unprefixed("rows.", arrays)
        for name, n in (("image", len(images)), ("label", len(metric.classes))):
            if ((rows[name] < 0) | (rows[name] >= n)).any():
                raise ValueError(f"a row has no {name}")
        whole = np.zeros_like(metric._sums["pixels"])
        np.add.at(whole, rows["label"], rows["pixels"])
        if len(images) != n_images:
            raise ValueError("images are missing")
        if not np.array_equal(whole, arrays["pixels"]):
            raise ValueError("rows are missing")
        metric._rows.append({"image": images}, **rows)
        metric._images.add(images, anonymous=False)
        return metric


def boundary_quality(
    truth: ArrayLike,
    pred: ArrayLike,
    classes: int | str | LabelScheme | Classes | Mapping[int, str] | Sequence[str],
    *,
    image_id: ArrayLike | int | str | None = None,
    **parameters: Any,
) -> BoundaryQualityResult:
    """Return Boundary IoU and boundary F of label images; see `BoundaryQuality`.

    Examples
    --------
    >>> from snellen import boundary_quality
    >>> truth = [[0, 0, 1, 1]] * 4
    >>> result = boundary_quality(truth, truth, ["left", "right"])
    >>> result.boundary_iou, result.boundary_f
    (1.0, 1.0)
    """
    return BoundaryQuality(classes, **parameters).update(truth, pred, image_id=image_id).compute()
