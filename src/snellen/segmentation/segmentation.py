"""Semantic segmentation: the confusion matrix of pixels, image by image."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.classes import Classes
from snellen.errors import ClassError, IdError, InputError, MergeError, ShapeError
from snellen.segmentation.instance_rows import InstanceColumns, InstanceRows
from snellen.segmentation.label_maps import label_maps
from snellen.segmentation.label_scheme import STRAY, VOID, Encoding, LabelScheme, scheme_of
from snellen.segmentation.pixel_numbers import Groups, PixelData, image_units
from snellen.segmentation.pixel_rows import PixelRows
from snellen.segmentation.protocols import SegmentationProtocol, segmentation_protocol_named
from snellen.segmentation.segmentation_result import SegmentationResult
from snellen.segmentation.stray_values import stray_report
from snellen.segmentation.value_pairs import count_value_pairs
from snellen.state import Keys, pack, prefixed, restored

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Self

    from snellen.metric import Units
    from snellen.segmentation.value_pairs import ValuePairs
    from snellen.state import PackedState

__all__ = ["Segmentation", "SegmentationResult", "segmentation_scores"]

# What makes an encoding of ids, beside its name.
_ENCODING = ("values", "codes", "ignored")
# In the map of instances a pixel of instance k of class c is c · 1000 + k.
_INSTANCES = 1000


class Segmentation:
    """All numbers of semantic segmentation: IoU, Dice, precision, recall, accuracy.

    Parameters
    ----------
    classes : int, str, LabelScheme, Classes, mapping of id to name, or sequence of names
        The classes: a number n stands for the ids 0 … n - 1, a text for a built-in scheme
        (`snellen.segmentation.label_scheme.SCHEMES`), whose arrays hold 0 … n - 1, too.
    ignore_index : int, ints, or None
        Pixels with this id in truth do not count; predicted, it is no class. An id of a class is
        ignored in truth alone: false positives on these pixels vanish, so that numbers of other
        classes look better than they are.
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
        "_rows",
        "average_size",
        "classes",
        "encoding",
        "groups",
        "per_image",
        "protocol",
        "unknown",
    )

    def __init__(
        self,
        classes: int | str | LabelScheme | Classes | Mapping[int, str] | Sequence[str],
        *,
        ignore_index: int | Iterable[int] | None = 255,
        protocol: str | SegmentationProtocol = "snellen",
        unknown: str = "error",
        per_image: bool = True,
    ) -> None:
        self.protocol = segmentation_protocol_named(protocol)
        if unknown not in ("error", "ignore"):
            raise InputError(f'expected "error" or "ignore", got {unknown!r}', "unknown")
        if self.protocol.needs_images and not per_image:
            raise InputError(
                f'expected images kept apart under the protocol "{self.protocol.name}", '
                "got per_image=False"
            )
        self.unknown, self.per_image = unknown, per_image
        scheme = scheme_of(classes, ignore_index=ignore_index)
        if not len(scheme):
            raise InputError("expected at least one class, got none", "classes")
        self.classes, self.encoding = scheme.classes, _of_arrays(scheme)
        self.groups = Groups.of(scheme.groups) if scheme.groups else None
        self.average_size = scheme.average_instance_size
        self._rows = PixelRows(per_image=per_image)
        self._instances = InstanceRows()

    def __repr__(self) -> str:
        return f"Segmentation({len(self.classes)} classes, {len(self._rows.images)} images)"

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
            Class ids: whole numbers, on the host or on a device.
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
        maps = label_maps(truth, pred, colours=False)
        sides = {
            f"{name}_encoding": self._of_scores(n, name)
            for name, n in (("truth", maps.truth_classes), ("pred", maps.pred_classes))
        }
        marked = None
        if instances is not None:
            of_instances = label_maps(instances, instances, colours=False).truth
            marked = count_value_pairs(of_instances, maps.pred, colours=False)
        pairs = count_value_pairs(maps.truth, maps.pred, colours=False)
        return self.update_pairs(pairs, image_id=image_id, instances=marked, **sides)

    def update_pairs(
        self,
        pairs: ValuePairs,
        *,
        image_id: ArrayLike | int | str | None = None,
        truth_encoding: Encoding | None = None,
        pred_encoding: Encoding | None = None,
        instances: ValuePairs | None = None,
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

        Raises
        ------
        ClassError, IdError, InputError
            As `update`.
        """
        encodings = truth_encoding or self.encoding, pred_encoding or self.encoding
        n_images, n_classes = len(pairs.start) - 1, len(self.classes)
        batch = self._rows.batch_of(image_id, n_images)
        image = np.repeat(np.arange(n_images, dtype=np.int32), np.diff(pairs.start))
        codes = []
        for side, encoding in zip(("truth", "pred"), encodings, strict=True):
            values = getattr(pairs, side)
            code = encoding.codes_of(values, pred=side == "pred")
            stray = code == STRAY
            if self.unknown == "error" and stray.any():
                where = f"{side}, first in {batch.name(int(image[stray][0]))}"
                raise ClassError(stray_report(values, pairs.count, encoding), where)
            codes.append(np.where(code < 0, n_classes, code))
        rows = _added_up(image, codes[0] * (n_classes + 1) + codes[1], pairs.count)
        if instances is not None:
            if batch.anonymous:
                raise IdError("expected images with ids beside instances", "image_id")
            found = self._instances_of(instances, encodings[1])
            self._instances.add(batch.keys, found._replace(image=batch.place[found.image]))
        self._rows.add(batch, *rows)
        return self

    def merge(self, other: Segmentation, /) -> Self:
        """Absorb another metric of equal parameters; `other` stays as it was.

        Raises
        ------
        MergeError
            Where the parameters differ.
        IdError
            Where both have absorbed the same image.
        """
        mine, theirs = self._parameters(), other._parameters()
        if mine != theirs:
            different = next(key for key in mine if mine[key] != theirs.get(key))
            raise MergeError(
                "expected the state of a Segmentation with the same parameters, got one that "
                f"differs in its {different}"
            )
        self._rows.merge(other._rows)
        self._instances.merge(other._instances)
        return self

    def empty(self) -> Segmentation:
        """Return a metric of the same parameters without data."""
        twin = Segmentation(
            self.classes, protocol=self.protocol, unknown=self.unknown, per_image=self.per_image
        )
        twin.encoding, twin.groups = self.encoding, self.groups
        twin.average_size = self.average_size
        return twin

    def compute(self) -> SegmentationResult:
        """Return the result of all that was absorbed."""
        return SegmentationResult.of_data(self._data(), self.protocol)

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
        return part

    def to_bytes(self) -> bytes:
        """Return the state: the same bytes for any sharding and any order of batches."""
        content, arrays = self._rows.stored()
        arrays |= {f"encoding.{name}": getattr(self.encoding, name) for name in _ENCODING}
        if len(self._instances):
            columns = self._data().instances
            assert columns is not None
            arrays |= prefixed("instances.", columns._asdict())
        return pack(
            type(self).__name__,
            {"parameters": self._parameters(), "rows": content, "encoding": self.encoding.name},
            arrays,
        )

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
        parameters, rows = packed.content["parameters"], packed.content["rows"]
        metric = cls(
            Classes(*parameters["classes"]),
            protocol=SegmentationProtocol.from_dict(parameters["protocol"]),
            unknown=parameters["unknown"],
            per_image=parameters["per_image"],
        )
        if parameters["groups"] is not None:
            names, of_class = parameters["groups"]
            metric.groups = Groups(tuple(names), tuple(of_class))
        if parameters["average_size"] is not None:
            metric.average_size = np.array(
                [math.nan if each is None else each for each in parameters["average_size"]]
            )
        values, codes, ignored = (packed.arrays[f"encoding.{name}"] for name in _ENCODING)
        metric.encoding = Encoding(packed.content["encoding"], values, codes, ignored=ignored)
        metric._rows = PixelRows.restored(rows, packed.arrays, per_image=metric.per_image)
        columns = metric._rows.columns()
        if len(columns.cell) and columns.cell.max() >= (len(metric.classes) + 1) ** 2:
            raise ValueError("cells of other classes")
        if "instances.image" in packed.arrays:
            if columns.images is None:
                raise ValueError("instances of images without ids")
            metric._instances.restore(columns.images, packed.arrays)
        metric.compute()  # says where rows do not fit each other
        return metric

    def _data(self) -> PixelData:
        columns = self._rows.columns()
        instances = None
        if len(self._instances):
            assert columns.images is not None
            instances = self._instances.columns(columns.images)
        return PixelData(
            classes=self.classes,
            columns=columns,
            per_image=self.per_image,
            n_images=len(self._rows.images),
            groups=self.groups,
            instances=instances,
            average_size=self.average_size,
        )

    def _of_scores(self, n_scores: int | None, name: str) -> Encoding:
        """Return what the values of a side mean: positions of classes, where it came as scores."""
        if n_scores is None:
            return self.encoding
        if n_scores != len(self.classes):
            raise ShapeError(
                f"expected a score for each of {len(self.classes)} classes, got {n_scores}", name
            )
        return Encoding.of("positions", {k: k for k in range(n_scores)})

    def _parameters(self) -> dict[str, Any]:
        sizes = self.average_size
        return {
            "classes": [self.classes.keys.ids.tolist(), list(self.classes.names)],
            "ignored": self.encoding.ignored.tolist(),
            "protocol": self.protocol.to_dict(),
            "unknown": self.unknown,
            "per_image": self.per_image,
            "groups": None if self.groups is None else [list(each) for each in self.groups],
            "average_size": None
            if sizes is None
            else [None if math.isnan(each) else each for each in sizes.tolist()],
        }

    def _instances_of(self, pairs: ValuePairs, encoding: Encoding) -> InstanceColumns:
        """Return how much of each instance was predicted as its class, and as its group."""
        image = np.repeat(np.arange(len(pairs.start) - 1, dtype=np.int32), np.diff(pairs.start))
        label = self.classes.keys.codes(pairs.truth // _INSTANCES)
        # As cityscapesScripts has it: 1000 itself is no instance.
        is_one = (pairs.truth > _INSTANCES) & (label >= 0)
        if self.average_size is not None:
            is_one &= ~np.isnan(self.average_size)[label]
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

        group = np.arange(len(self.classes)) if self.groups is None else self.groups.of_class
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
    **parameters: Any,
) -> SegmentationResult:
    """Return all numbers of label maps; see `Segmentation`."""
    return Segmentation(classes, **parameters).update(truth, pred).compute()


def _of_arrays(scheme: LabelScheme) -> Encoding:
    """Return the encoding that arrays come in: 0 … K - 1, as networks give them, if there is it."""
    ids = [each for each in scheme.encodings if not each.is_colour and not each.per_instance]
    if not ids:
        raise InputError(f"expected classes with ids, {scheme.name} has colours alone", "classes")
    natural = np.arange(len(scheme))
    fitting = (each for each in ids if (each.codes_of(natural, pred=True) == natural).all())
    return next(fitting, ids[0])


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
