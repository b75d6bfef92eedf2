"""Semantic segmentation: the confusion matrix of pixels, image by image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.errors import ClassError, IdError, InputError, ShapeError
from snellen.parameters import refuse_other_parameters
from snellen.segmentation.array_labels import label_images
from snellen.segmentation.instance_rows import InstanceColumns, InstanceRows
from snellen.segmentation.label_maps import label_maps
from snellen.segmentation.label_scheme import STRAY, VOID, Encoding
from snellen.segmentation.pixel_numbers import PixelData, image_units
from snellen.segmentation.pixel_rows import PixelRows
from snellen.segmentation.pixel_setup import PixelSetup
from snellen.segmentation.segmentation_result import SegmentationResult
from snellen.segmentation.stray_values import stray_report
from snellen.segmentation.value_pairs import count_value_pairs
from snellen.state import Keys, pack, prefixed, restored

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Self

    from snellen.classes import Classes
    from snellen.metric import Units
    from snellen.segmentation.label_maps import LabelMaps
    from snellen.segmentation.label_scheme import LabelScheme
    from snellen.segmentation.protocols import SegmentationProtocol
    from snellen.segmentation.value_pairs import ValuePairs
    from snellen.state import PackedState

__all__ = ["Segmentation", "SegmentationResult", "segmentation_scores"]

# In the map of instances a pixel of instance k of class c is c · 1000 + k.
_INSTANCES = 1000


class Segmentation:
    """All numbers of semantic segmentation: IoU, Dice, precision, recall, accuracy.

    Parameters
    ----------
    classes : int, str, LabelScheme, Classes, mapping of id to name, or sequence of names
        The classes: a number n stands for the ids 0 … n - 1, a text for a built-in scheme
        (`snellen.segmentation.label_scheme.SCHEMES`), whose arrays hold 0 … n - 1, too.
    ignore_index : int, ints, None, or "auto"
        Pixels with this id in truth do not count; predicted, it is no class. An id of a class is
        ignored in truth alone: false positives on these pixels vanish, so that numbers of other
        classes look better than they are. ``"auto"``: 255, unless that is a class.
    reduce_zero_label : bool
        In truth 0 is void, and every other id one more than its class, as in MMSegmentation.
    protocol : str or SegmentationProtocol
        How the numbers of classes become one; see `snellen.segmentation.protocols.PROTOCOLS`.
    unknown : {"error", "ignore"}
        What happens to ids that are neither a class nor ignored: an error, or they are void.
    per_image : bool
        Whether images are kept apart. Without, there are no numbers of images and no intervals,
        and the state stays as small as one image's.

    Notes
    -----
    State
        One integer for each pair (true, predicted) of classes that occurs in an image; about one
        KiB an image of a street.
    Merge
        Joins images; exact. An image that both have absorbed is refused.
    Ties
        Of equal scores the class of the lowest id is predicted.
    Undefined
        0/0 is NaN and left out of means; a mean over nothing is NaN, with the reason.
    Agrees with
        scikit-learn 1.9.1's Jaccard scores and cityscapesScripts 2.3.0 in every bit; Keras 3.15.1,
        torchmetrics 1.9.0 and MONAI 1.6.1 (which compute in float32) under their protocols, to
        their rounding (tests/oracle).

    References
    ----------
    M. Cordts et al., "The Cityscapes Dataset for Semantic Urban Scene Understanding", CVPR 2016
    (iIoU). Z. Wang et al., "Revisiting Evaluation Metrics for Semantic Segmentation", NeurIPS
    2023 (means over images, worst images).

    Examples
    --------
    >>> from snellen import Segmentation
    >>> truth = [[0, 0, 1, 1], [0, 0, 1, 255]]
    >>> pred = [[0, 0, 1, 0], [0, 1, 1, 1]]
    >>> result = Segmentation(["road", "car"]).update(truth, pred).compute()
    >>> result.mIoU  # road 3 of 5, car 2 of 4
    0.55
    """

    __slots__ = (
        "_instances",
        "_marked",
        "_notes",
        "_read_as",
        "_rows",
        "setup",
    )

    def __init__(
        self,
        classes: int | str | LabelScheme | Classes | Mapping[int, str] | Sequence[str],
        *,
        ignore_index: int | Iterable[int] | str | None = "auto",
        reduce_zero_label: bool = False,
        protocol: str | SegmentationProtocol = "snellen",
        unknown: str = "error",
        per_image: bool = True,
    ) -> None:
        self._begin(
            PixelSetup.of(
                classes,
                ignore_index=ignore_index,
                reduce_zero_label=reduce_zero_label,
                protocol=protocol,
                unknown=unknown,
                per_image=per_image,
            )
        )

    def _begin(self, setup: PixelSetup) -> None:
        self.setup = setup
        self._rows = PixelRows(per_image=setup.per_image)
        self._instances = InstanceRows()
        # Whether images come with maps of instances; None before the first.
        self._marked: bool | None = None
        # Which encodings either side was read in, and what was said of it.
        self._read_as: dict[str, set[str]] = {"truth": set(), "pred": set()}
        self._notes: set[str] = set()

    @classmethod
    def _of_setup(cls, setup: PixelSetup) -> Self:
        metric = cls.__new__(cls)
        metric._begin(setup)
        return metric

    def __repr__(self) -> str:
        return f"Segmentation({len(self.classes)} classes, {len(self._rows.images)} images)"

    @property
    def classes(self) -> Classes:
        """The K classes."""
        return self.setup.classes

    @property
    def protocol(self) -> SegmentationProtocol:
        """The rules."""
        return self.setup.protocol

    @property
    def per_image(self) -> bool:
        """Whether images are kept apart."""
        return self.setup.per_image

    def update(
        self,
        truth: ArrayLike,
        pred: ArrayLike,
        *,
        image_id: ArrayLike | int | str | None = None,
        instances: ArrayLike | None = None,
    ) -> Self:
        """Absorb one image or a batch.

        Parameters
        ----------
        truth : array-like, shape (H, W) or (N, H, W)
            Class ids: whole numbers, on the host or on a device. Of one update or of all, images
            come with `instances` or without.
        pred : array-like, shape (H, W) or (N, H, W), or (K, H, W) or (N, K, H, W)
            Class ids; or a score for each class, of which the highest counts.
        image_id : int, str, or array-like of N ids, optional
            What the images are called: for tables, comparisons, instances.
        instances : array-like, shape of truth, optional
            Instances of truth for iIoU: class id · 1000 + number, as in Cityscapes; less than 1000
            where there is none.

        Raises
        ------
        ClassError
            For ids outside the classes, unless they are ignored.
        ShapeError, IdError, InputError
            For what cannot be evaluated. After an error the metric is as it was.
        """
        maps = label_images(truth, pred)
        marked = None
        if instances is not None:
            marked = count_value_pairs(_instances_like(instances, maps), maps.pred, colours=False)
        pairs = count_value_pairs(maps.truth, maps.pred, colours=False)
        return self.update_pairs(
            pairs,
            image_id=image_id,
            truth_encoding=self._of_scores(maps.truth_classes, "truth"),
            pred_encoding=self._of_scores(maps.pred_classes, "pred"),
            instances=marked,
        )

    def update_pairs(
        self,
        pairs: ValuePairs,
        *,
        image_id: ArrayLike | int | str | None = None,
        truth_encoding: Encoding | None = None,
        pred_encoding: Encoding | None = None,
        instances: ValuePairs | None = None,
        notes: Iterable[str] = (),
    ) -> Self:
        """Absorb images of which the pairs of pixel values were counted already.

        Parameters
        ----------
        pairs : ValuePairs
            Of truth and prediction.
        image_id
            As in `update`.
        truth_encoding, pred_encoding : Encoding, optional
            What pixel values mean.
        instances : ValuePairs, optional
            Of the map of instances and prediction.
        notes : iterable of str
            What was decided on the way, for readers of the numbers.

        Raises
        ------
        ClassError, IdError, InputError
            As `update`.
        """
        encodings = truth_encoding or self.setup.truth, pred_encoding or self.setup.pred
        n_images, n_classes = len(pairs.start) - 1, len(self.classes)
        batch = self._rows.batch_of(image_id, n_images)
        image = np.repeat(np.arange(n_images, dtype=np.int32), np.diff(pairs.start))
        codes = []
        for side, encoding in zip(("truth", "pred"), encodings, strict=True):
            values = getattr(pairs, side)
            code = encoding.codes_of(values, pred=side == "pred")
            stray = code == STRAY
            if self.setup.unknown == "error" and stray.any():
                where = f"{side}, first in {batch.name(int(image[stray][0]))}"
                raise ClassError(stray_report(values, pairs.count, encoding), where)
            codes.append(np.where(code < 0, n_classes, code))
        rows = _added_up(image, codes[0] * (n_classes + 1) + codes[1], pairs.count)
        if n_images:
            self._check_marked(instances is not None)
        if instances is not None:
            if batch.anonymous:
                raise IdError("expected images with ids beside instances", "image_id")
            found = self._instances_of(instances, encodings[1])
            self._instances.add(batch.keys, found._replace(image=batch.place[found.image]))
        self._rows.add(batch, *rows)
        if n_images:
            self._marked = instances is not None
            self._notes.update(notes)
            for side, encoding in zip(("truth", "pred"), encodings, strict=True):
                self._read_as[side].add(encoding.name)
        return self

    def _check_marked(self, marked: bool) -> None:
        if self._marked not in (None, marked):
            raise IdError(
                "expected instances with all images or with none: where some lack them, false "
                "positives of those would count against the instances of the others",
                "instances",
            )

    def merge(self, other: Segmentation, /) -> Self:
        """Absorb another metric of equal parameters; `other` stays as it was.

        Raises
        ------
        MergeError
            Where the parameters differ.
        IdError
            Where both have absorbed the same image.
        """
        refuse_other_parameters(self, self.setup.parameters(), other.setup.parameters())
        if other._marked is not None:
            self._check_marked(other._marked)
        self._rows.merge(other._rows)
        self._instances.merge(other._instances)
        if other._marked is not None:
            self._marked = other._marked
        self._notes |= other._notes
        for side, names in other._read_as.items():
            self._read_as[side] |= names
        return self

    def empty(self) -> Segmentation:
        """Return a metric of the same parameters without data."""
        return Segmentation._of_setup(self.setup)

    def compute(self) -> SegmentationResult:
        """Return the result of all that was absorbed."""
        setup = self.setup
        return SegmentationResult.of_data(
            self._data(),
            self.protocol,
            {
                "unknown": setup.unknown,
                "ignored_classes": setup.ignored_classes(),
                "encodings": {side: sorted(names) for side, names in self._read_as.items()},
                "notes": [*setup.notes, *sorted(self._notes - set(setup.notes))],
            },
        )

    def units(self, *, each: bool = False) -> Units:
        """Return the images as units for resampling.

        Raises
        ------
        IdError
            Where `each` is asked for and images have no ids.
        InputError
            Where images are not kept apart.
        """
        if not self.per_image:
            raise InputError("expected images kept apart to resample them, got per_image=False")
        if each and self._rows.images.anonymous:
            raise IdError("expected images with ids, to tell them apart")
        return image_units(self._data(), self.protocol)

    def among(self, image_ids: ArrayLike) -> Segmentation:
        """Return the metric of some of the images: a slice of the data, without counting again.

        Raises
        ------
        IdError
            For images that were not absorbed.
        """
        data = self._data()
        images = data.columns.images
        wanted = Keys(image_ids, "image id")
        if images is None or not self.per_image:
            raise IdError("expected images with ids, to tell them apart")
        chosen = images.codes(wanted.ids)
        if (chosen < 0).any():
            missing = wanted.ids[chosen < 0].tolist()
            raise IdError(f"expected images that were absorbed, got {missing[0]}", "image_ids")
        place = np.full(len(images), -1, np.int32)
        place[chosen] = np.arange(len(chosen), dtype=np.int32)
        part = self.empty()
        batch, columns = part._rows.batch_of(wanted.ids, len(wanted)), data.columns
        kept = place[columns.image] >= 0
        part._rows.add(batch, place[columns.image[kept]], columns.cell[kept], columns.count[kept])
        if data.instances is not None:
            kept = place[data.instances.image] >= 0
            rows = InstanceColumns._make(each[kept] for each in data.instances)
            part._instances.add(wanted, rows._replace(image=place[rows.image]))
        part._marked = self._marked if len(wanted) else None
        part._notes = set(self._notes)
        part._read_as = {side: set(names) for side, names in self._read_as.items()}
        return part

    def to_bytes(self) -> bytes:
        """Return the state: the same bytes for any sharding and any order of batches."""
        content, arrays = self._rows.stored()
        if self._marked:
            columns = self._data().instances
            assert columns is not None
            arrays |= prefixed("instances.", columns._asdict())
        whole: dict[str, Any] = {
            "rows": content,
            "marked": self._marked,
            "read_as": {side: sorted(names) for side, names in self._read_as.items()},
            "notes": sorted(self._notes),
        }
        self.setup.store(whole, arrays)
        return pack(type(self).__name__, whole, arrays)

    @classmethod
    def from_bytes(cls, data: bytes, /) -> Segmentation:
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
    def _of_packed(cls, packed: PackedState) -> Segmentation:
        content, arrays = packed.content, packed.arrays
        metric = cls._of_setup(PixelSetup.stored(content, arrays))
        metric._rows = PixelRows.restored(content["rows"], arrays, per_image=metric.per_image)
        columns = metric._rows.columns()
        if len(columns.cell) and columns.cell.max() >= (len(metric.classes) + 1) ** 2:
            raise ValueError("cells of other classes")
        metric._marked = content["marked"]
        if metric._marked:
            if columns.images is None:
                raise ValueError("instances of images without ids")
            metric._instances.restore(columns.images, arrays)
        metric._read_as = {side: set(names) for side, names in content["read_as"].items()}
        metric._notes = set(content["notes"])
        metric.compute()  # says where rows do not fit each other
        return metric

    def _data(self) -> PixelData:
        columns = self._rows.columns()
        instances = None
        if self._marked:
            assert columns.images is not None
            instances = self._instances.columns(columns.images)
        return PixelData(
            classes=self.classes,
            columns=columns,
            per_image=self.per_image,
            n_images=len(self._rows.images),
            groups=self.setup.groups,
            instances=instances,
            average_size=self.setup.average_size,
        )

    def _of_scores(self, n_scores: int | None, name: str) -> Encoding:
        """Return what the values of a side mean: positions of classes, where it came as scores."""
        usual = self.setup.truth if name == "truth" else self.setup.pred
        if n_scores is None:
            return usual
        if n_scores != len(self.classes):
            raise ShapeError(
                f"expected a score for each of {len(self.classes)} classes, got {n_scores}", name
            )
        ignored = self.setup.truth.codes_of(self.setup.truth.ignored, pred=True)
        return Encoding.of(usual.name, {k: k for k in range(n_scores)}, ignored=ignored)

    def _instances_of(self, pairs: ValuePairs, encoding: Encoding) -> InstanceColumns:
        """Return how much of each instance was predicted as its class, and as its group."""
        image = np.repeat(np.arange(len(pairs.start) - 1, dtype=np.int32), np.diff(pairs.start))
        label = self.classes.keys.codes(pairs.truth // _INSTANCES)
        # As cityscapesScripts has it: 1000 itself is no instance.
        is_one = (pairs.truth > _INSTANCES) & (label >= 0)
        sizes, groups = self.setup.average_size, self.setup.groups
        if sizes is not None:
            is_one &= ~np.isnan(sizes)[label]
        image, label, value = image[is_one], label[is_one], pairs.truth[is_one]
        code, count = encoding.codes_of(pairs.pred[is_one], pred=True), pairs.count[is_one]
        # Rows ascend by image and value: those of one instance follow each other.
        first = np.flatnonzero(
            np.concatenate([[True], (np.diff(image) != 0) | (np.diff(value) != 0)])
            if len(value)
            else np.zeros(0, bool)
        )

        def summed(chosen: NDArray[np.bool_]) -> NDArray[np.int64]:
            if not len(first):
                return np.zeros(0, np.int64)
            return np.add.reduceat(np.where(chosen, count, 0), first)

        group = np.arange(len(self.classes)) if groups is None else groups.of_class
        group = np.array([*group, -1])  # VOID and STRAY, read from the end, are of no group
        return InstanceColumns(
            image=image[first],
            instance=value[first],
            label=label[first],
            size=summed(np.ones(len(count), np.bool_)),
            correct=summed(code == label),
            correct_in_group=summed(group[np.maximum(code, VOID)] == group[label]),
        )


def segmentation_scores(
    truth: ArrayLike,
    pred: ArrayLike,
    classes: int | str | LabelScheme | Classes | Mapping[int, str] | Sequence[str],
    *,
    image_id: ArrayLike | int | str | None = None,
    instances: ArrayLike | None = None,
    **parameters: Any,
) -> SegmentationResult:
    """Return all numbers of label maps; see `Segmentation`."""
    metric = Segmentation(classes, **parameters)
    return metric.update(truth, pred, image_id=image_id, instances=instances).compute()


def _instances_like(instances: ArrayLike, maps: LabelMaps) -> Any:
    """Return maps of instances that fit those of truth."""
    try:
        found = label_maps(instances, instances, colours=False).truth
    except InputError as error:
        raise type(error)(error.message, "instances") from None
    if tuple(found.shape) != tuple(maps.truth.shape):
        raise ShapeError(
            f"expected maps of the shape of truth, {tuple(maps.truth.shape)}, got "
            f"{tuple(found.shape)}",
            "instances",
        )
    return found


def _added_up(
    image: NDArray[np.int32], cell: NDArray[Any], count: NDArray[np.int64]
) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int64]]:
    """Return rows with one for each image and cell, both ascending: values may share a code."""
    order = np.lexsort((cell, image))
    image, cell, count = image[order], cell[order].astype(np.int32), count[order]
    if not len(image):
        return image, cell, count
    first = np.flatnonzero(np.concatenate([[True], (np.diff(image) != 0) | (np.diff(cell) != 0)]))
    return image[first], cell[first], np.add.reduceat(count, first)
