"""Panoptic quality: how well segments are found, and how well they fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.classes import Classes
from snellen.errors import (
    ClassError,
    IdError,
    InputError,
    ShapeError,
    did_you_mean,
    first_few,
)
from snellen.image_ids import ImageIds
from snellen.parameters import refuse_other_parameters
from snellen.segmentation.label_scheme import scheme_of
from snellen.segmentation.panoptic_matching import (
    BOUNDARY_MEASURES,
    MEASURES,
    TALLIES,
    match_segments,
)
from snellen.segmentation.panoptic_result import PanopticQualityResult
from snellen.segmentation.panoptic_rules import PROTOCOLS, PanopticRules
from snellen.segmentation.panoptic_segments import PanopticSegments
from snellen.segmentation.segment_pairs import SegmentPairs, count_segments
from snellen.state import Ledger, pack, prefixed, restored, unprefixed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import ArrayLike, NDArray
    from typing_extensions import Self

    from snellen.metric import Units
    from snellen.segmentation.label_scheme import LabelScheme
    from snellen.state import Keys, PackedState

    Image = tuple[Any, Sequence[Mapping[str, Any]]]

__all__ = ["PanopticQuality", "PanopticQualityResult", "panoptic_quality"]


_IOUS = ("mask", "boundary")


class PanopticQuality:
    """Panoptic, segmentation and recognition quality (PQ = SQ x RQ) of labelled segments.

    Parameters
    ----------
    classes : int, str, LabelScheme, Classes, mapping of id to name, or sequence of names
        All classes; a number n stands for the ids 0 … n - 1, a text for a built-in scheme
        (`snellen.segmentation.label_scheme.SCHEMES`). Segments have the ids of classes; of
        Cityscapes these are its label ids, as in its own files.
    things : iterable of int or str, optional
        The classes of countable objects, by id or name; the others are stuff. Without, those of
        the scheme; of other classes there are no numbers of things and of stuff.
    protocol : {"coco", "coco-strict"}
        The rules. ``"coco-strict"`` is panopticapi to the last bit; ``"coco"`` differs from it
        where that looks at one crowd of a class only, trusts annotated areas, overlooks truth
        segments that only the map or only the list has, and gives 0 for what is undefined.
    iou : {"mask", "boundary"}
        ``"boundary"`` takes the lesser of the IoU of masks and that of their boundaries.
    boundary_ratio : float
        How far boundaries reach into segments, as a part of the image's diagonal.

    Notes
    -----
    State
        Two ledgers: areas of each matched pair, keyed by image; counts of false and other segments
        of each image and class. No maps.
    Merge
        Joins the ledgers; exact. An image that both have absorbed is refused.
    Ties
        There are none: above an IoU of 1/2 a segment has one match. IoUs are added by image id,
        truth segment id, predicted segment id, both ascending.
    Undefined
        NaN without segments of any class that counts. A class without segments is no part of a
        mean; one without matches has no SQ, which counts as 0 in the mean.
    Agrees with
        panopticapi (7bb4655) and cityscapesScripts in every bit, where they run in one process and
        truth lists images in order of ids and classes in order of ids; boundary-iou-api
        (tests/oracle, tests/conformance).

    References
    ----------
    A. Kirillov et al., "Panoptic Segmentation", CVPR 2019. B. Cheng et al., "Boundary IoU:
    Improving Object-Centric Image Segmentation Evaluation", CVPR 2021.

    Examples
    --------
    >>> from snellen import PanopticQuality
    >>> truth = [[1, 1, 1, 2], [1, 1, 1, 2]], [{"id": 1, "category_id": 0},
    ...                                        {"id": 2, "category_id": 1}]
    >>> pred = [[7, 7, 7, 7], [7, 7, 7, 7]], [{"id": 7, "category_id": 0}]
    >>> result = PanopticQuality(["sky", "bird"], things=["bird"]).update(truth, pred).compute()
    >>> result.PQ, result.PQ_stuff, result.PQ_things  # 6 of 8 pixels; the bird is not found
    (0.375, 0.75, 0.0)
    """

    __slots__ = ("_images", "_pairs", "_tallies", "rules")

    def __init__(
        self,
        classes: int | str | LabelScheme | Classes | Mapping[Any, str] | Sequence[str],
        *,
        things: Iterable[int | str] | None = None,
        protocol: str = "coco",
        iou: str = "mask",
        boundary_ratio: float = 0.02,
    ) -> None:
        known, of_scheme = _described(classes)
        for name, value, choices in (("protocol", protocol, PROTOCOLS), ("iou", iou, _IOUS)):
            if value not in choices:
                raise InputError(
                    f"expected {' or '.join(choices)}, got {value!r}."
                    f"{did_you_mean(str(value), choices)}",
                    name,
                )
        is_number = isinstance(boundary_ratio, (int, float, np.floating))
        if not is_number or not 0 < boundary_ratio < 1:
            raise InputError(
                f"expected a number from 0 to 1, got {boundary_ratio!r}", "boundary_ratio"
            )
        self.rules = PanopticRules(
            protocol,
            known,
            of_scheme if things is None else _flags(things, known),
            float(boundary_ratio) if iou == "boundary" else None,
        )
        measures = MEASURES if iou == "mask" else (*MEASURES, *BOUNDARY_MEASURES)
        columns = {"image": np.int32, "label": np.int32}
        ids = {"truth_id": np.int64, "pred_id": np.int64}
        self._pairs = Ledger(("image",), **columns, **ids, **dict.fromkeys(measures, np.int64))
        self._tallies = Ledger(("image",), **columns, **dict.fromkeys(TALLIES, np.int64))
        self._images = ImageIds()

    def __repr__(self) -> str:
        return f"PanopticQuality({self.rules.protocol}, {len(self._images)} images)"

    @property
    def classes(self) -> Classes:
        """The classes."""
        return self.rules.classes

    def count(self, truth: Any, pred: Any) -> SegmentPairs:
        """Return what `update` needs to know of the label maps of one image; changes nothing.

        For maps that are read on several threads.

        Parameters
        ----------
        truth, pred : array-like, shape (H, W) of whole numbers, or (H, W, 3) of uint8
            Segment ids, or their colours, R + 256 G + 65536 B. 0 and below is no segment.
        """
        return count_segments(truth, pred, boundary_ratio=self.rules.boundary_ratio)

    def update(
        self,
        truth: PanopticSegments | Image | Sequence[Image],
        pred: PanopticSegments | Image | Sequence[Image],
        pairs: SegmentPairs | None = None,
        *,
        image_id: ArrayLike | int | str | None = None,
    ) -> Self:
        """Absorb one image or several.

        Parameters
        ----------
        truth, pred : (map, segments), list of such tuples, or PanopticSegments
            For one image, or for each: a label map (H, W) of segment ids, or their colours
            (H, W, 3), of NumPy or torch, and a list of mappings that says what the ids mean, as
            ``segments_info`` of COCO and Hugging Face: ``id``, ``category_id`` or ``label_id``;
            truth may have ``iscrowd`` and ``area``. Pixels of 0 and below are no segment: void in
            truth.
        pairs : SegmentPairs, optional
            Beside PanopticSegments: what `count` gave for each image, in order of ids.
        image_id : int or str, or array-like, optional
            The ids of images given with maps. Without, images are numbered as they come.

        Raises
        ------
        IdError
            For an image that was absorbed before; for segments that only the map, or only the
            list, has.
        InputError
            For what cannot be evaluated. After an error the metric is as it was.
        """
        if not (isinstance(truth, PanopticSegments) and isinstance(pred, PanopticSegments)):
            if pairs is not None:
                raise InputError("expected pairs beside PanopticSegments only", "pairs")
            truth, pred, pairs = self._counted(truth, pred, image_id)
            anonymous = image_id is None
        else:
            if pairs is None or image_id is not None:
                raise InputError("expected pairs beside PanopticSegments, and no image_id")
            anonymous = False
        self._check_fit(truth, pred, pairs)
        self._images.check(truth.images, anonymous=anonymous)
        matched = match_segments(pairs, truth, pred, strict=self.rules.strict)
        keys = {"image": truth.images}
        self._pairs.append(keys, **matched.pairs)
        self._tallies.append(keys, **matched.tallies)
        self._images.add(truth.images, anonymous=anonymous)
        return self

    def merge(self, other: PanopticQuality, /) -> Self:
        """Absorb another metric of equal parameters; `other` stays as it was.

        Raises
        ------
        MergeError
            Where the parameters differ.
        IdError
            Where both have absorbed the same image.
        """
        refuse_other_parameters(self, self.rules.to_dict(), other.rules.to_dict())
        self._images.check_merge(other._images)
        shift = self._images.merge(other._images)
        self._pairs.merge(other._pairs, image=shift)
        self._tallies.merge(other._tallies, image=shift)
        return self

    def empty(self) -> PanopticQuality:
        """Return a metric of the same parameters without data."""
        return PanopticQuality._under(self.rules)

    def compute(self) -> PanopticQualityResult:
        """Return the result of all that was absorbed."""
        images, pairs, tallies = self.rows()
        return PanopticQualityResult.of_rows(self.rules, images, pairs, tallies)

    def units(self, *, each: bool = False) -> Units:
        """Return the images as units for resampling.

        Raises
        ------
        IdError
            Where `each` is asked for and images were given without ids.
        """
        if each and self._images.anonymous:
            raise IdError("expected images with ids, to tell them apart")
        # Here, because an evaluation without intervals is to start without it.
        from snellen.segmentation.resampled_panoptic import panoptic_units

        return panoptic_units(self)

    def rows(self) -> tuple[Keys, dict[str, NDArray[Any]], dict[str, NDArray[Any]]]:
        """Return images, matched pairs by image and ids, and tallies by image and class."""
        images = self._images.keys()
        keys = {"image": images}
        for ledger, by in (
            (self._pairs, ("pred_id", "truth_id", "image")),
            (self._tallies, ("label", "image")),
        ):
            # Each piece is in order already; only several need sorting.
            if ledger.n_pieces > 1:
                columns = ledger.columns(keys)
                order = np.lexsort([columns[name] for name in by])
                columns = {name: column[order] for name, column in columns.items()}
                ledger.replace(keys, **columns)
        return images, self._pairs.columns(keys), self._tallies.columns(keys)

    def to_bytes(self) -> bytes:
        """Return the state: the same bytes for any sharding and any order of batches."""
        _, pairs, tallies = self.rows()
        arrays = {**prefixed("pairs.", pairs), **prefixed("tallies.", tallies)}
        content: dict[str, Any] = {"rules": self.rules.to_dict()}
        self._images.store(content, arrays)
        return pack(type(self).__name__, content, arrays)

    @classmethod
    def from_bytes(cls, data: bytes, /) -> PanopticQuality:
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
    def _under(cls, rules: PanopticRules) -> PanopticQuality:
        things = None
        if rules.is_thing is not None:
            things = rules.classes.keys.ids[rules.is_thing].tolist()
        boundary: dict[str, Any] = {}
        if rules.boundary_ratio is not None:
            boundary = {"iou": "boundary", "boundary_ratio": rules.boundary_ratio}
        return cls(rules.classes, things=things, protocol=rules.protocol, **boundary)

    @classmethod
    def _of_packed(cls, packed: PackedState) -> PanopticQuality:
        metric = cls._under(PanopticRules.from_dict(packed.content["rules"]))
        metric._images = ImageIds.stored(packed.content, packed.arrays)
        if metric._images.anonymous is None:
            return metric
        images = metric._images.keys()
        for table, ledger in (("pairs.", metric._pairs), ("tallies.", metric._tallies)):
            columns = unprefixed(table, packed.arrays)
            _check_rows(columns, len(images), len(metric.classes))
            ledger.append({"image": images}, **columns)
        metric.compute()  # says where rows do not fit each other
        return metric

    def _counted(
        self, truth: Any, pred: Any, image_id: ArrayLike | int | str | None
    ) -> tuple[PanopticSegments, PanopticSegments, SegmentPairs]:
        sides = [_images_of(side, name) for side, name in ((truth, "truth"), (pred, "pred"))]
        n = len(sides[0])
        if n != len(sides[1]):
            raise InputError(
                f"expected as many images in truth and pred, got {n} and {len(sides[1])}"
            )
        ids = self._images.batch_of(image_id, n).ids
        t, p = (
            PanopticSegments.from_images(
                [segments for _, segments in side], image_id=ids, classes=self.classes
            )
            for side in sides
        )
        parts = [self.count(sides[0][k][0], sides[1][k][0]) for k in np.argsort(ids, kind="stable")]
        return t, p, SegmentPairs.joined(parts)

    def _check_fit(
        self, truth: PanopticSegments, pred: PanopticSegments, pairs: SegmentPairs
    ) -> None:
        for side, segments in (("truth", truth), ("pred", pred)):
            if not segments.classes.same_as(self.classes):
                raise ClassError("expected segments of the metric's classes, got others", side)
        if not truth.images.same_as(pred.images):
            odd = set(truth.images.ids.tolist()) ^ set(pred.images.ids.tolist())
            raise IdError(
                f"expected the same images in truth and pred, {len(odd)} are on one side only: "
                f"{first_few(sorted(odd, key=str))}"
            )
        if len(pairs.start) != len(truth.images) + 1:
            raise ShapeError(
                f"expected the pairs of {len(truth.images)} images, got {len(pairs.start) - 1}"
            )
        if (pairs.near_both is None) != (self.rules.boundary_ratio is None) and len(pairs.count):
            raise InputError("expected pairs that the metric's own count gave", "pairs")


def _described(classes: Any) -> tuple[Classes, NDArray[np.bool_] | None]:
    """Return classes that a user describes, and which are things, where that is known."""
    if isinstance(classes, (Classes, Mapping)):  # whose ids may be texts
        return Classes.of(classes), None
    scheme = scheme_of(classes)
    # Of a list of names it is not known, nor of schemes that say nothing of it.
    return scheme.classes, scheme.has_instances if scheme.has_instances.any() else None


def _flags(things: Iterable[int | str], classes: Classes) -> NDArray[np.bool_]:
    """Return which classes are things, given by ids or names."""
    if isinstance(things, (str, int)):
        raise ClassError(f"expected a list of classes that are things, got {things!r}", "things")
    flags = np.zeros(len(classes), np.bool_)
    place: dict[Any, int] = {name: k for k, name in enumerate(classes.names) if name}
    place |= {class_id: k for k, class_id in enumerate(classes.keys.ids.tolist())}
    for thing in things:
        if thing not in place:
            raise ClassError(
                f"expected things that are classes, got {thing!r}."
                f"{did_you_mean(str(thing), map(str, place))}",
                "things",
            )
        flags[place[thing]] = True
    return flags


def _images_of(side: Any, name: str) -> list[Image]:
    images = [side] if isinstance(side, tuple) else list(side)
    for image in images:
        if not (isinstance(image, tuple) and len(image) == 2):
            raise InputError(
                f"expected a tuple (map, segments) for each image, got {type(image).__name__}",
                name,
            )
    return images


def _check_rows(columns: Mapping[str, NDArray[Any]], n_images: int, n_classes: int) -> None:
    for name, end in (("image", n_images), ("label", n_classes)):
        if len(columns[name]) and not 0 <= columns[name].min() <= columns[name].max() < end:
            raise IdError(f"expected positions below {end}", name)


def panoptic_quality(
    truth: PanopticSegments | Image | Sequence[Image],
    pred: PanopticSegments | Image | Sequence[Image],
    classes: int | str | LabelScheme | Classes | Mapping[Any, str] | Sequence[str],
    *,
    pairs: SegmentPairs | None = None,
    image_id: ArrayLike | int | str | None = None,
    **parameters: Any,
) -> PanopticQualityResult:
    """Return the panoptic quality of labelled segments; see `PanopticQuality`."""
    metric = PanopticQuality(classes, **parameters)
    return metric.update(truth, pred, pairs, image_id=image_id).compute()
