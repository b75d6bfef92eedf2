"""Average precision of parts of the data, from one matching."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen import _core
from snellen.detection.boxes import Boxes
from snellen.detection.candidates import candidates, similarity_of
from snellen.detection.curves import BlockCurves, curves_of_rows
from snellen.detection.headlines import headlines
from snellen.detection.matching import matches
from snellen.detection.objects_of_images import columns_of, rules_for
from snellen.detection.outcomes import THRESHOLDS_PER_WORD, counted_truth
from snellen.detection.protocols import protocol_named
from snellen.detection.slices_result import DetectionSlices
from snellen.errors import IdError, InputError, ShapeError, first_few
from snellen.name_order import reading_order
from snellen.result import Undefined
from snellen.state import id_array

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from snellen.classes import Classes
    from snellen.detection.average_precision import AveragePrecision
    from snellen.detection.box_layouts import BoxLayout
    from snellen.detection.candidates import Objects
    from snellen.detection.curves import Curves
    from snellen.detection.matching import Matches
    from snellen.detection.protocols import DetectionProtocol

    _Columns = Mapping[str, NDArray[Any]]

__all__ = ["by_crowding", "greatest_overlaps", "slices_of_images", "slices_of_objects"]

# The whole, and columns beside the slices in tables of classes.
_NO_NAMES: Final = ("all", "class", "id")


class _Part(NamedTuple):
    """The curves of one slice, and of how much they are."""

    name: str
    n_images: int
    n_predictions: int
    curves: Curves


def slices_of_images(metric: AveragePrecision, slice_of: Mapping[Any, str]) -> DetectionSlices:
    """Return the average precision of parts of the images; nothing is matched again.

    Parameters
    ----------
    metric : AveragePrecision
        What has absorbed truth and predictions.
    slice_of : mapping of image id to str
        The slice of each image; images that are not named belong to none. No slice can be called
        ``"all"``, ``"class"`` or ``"id"``.

    Returns
    -------
    DetectionSlices

    Raises
    ------
    IdError
        For images that the metric has not absorbed.
    InputError
        For slices called so.

    Notes
    -----
    State
        None of its own: that of the metric.
    Merge
        Merge the metrics.
    Ties
        As in `AveragePrecision`.
    Undefined
        NaN where no truth object of the slice counts.
    Agrees with
        The evaluation of the slice's images alone, to the last bit (tests/oracle). Rules that cap
        the detections of a class over all images (``per_class``) cap those of the whole.

    Examples
    --------
    >>> from snellen import AveragePrecision, Boxes
    >>> from snellen.detection.slices import slices_of_images
    >>> truth = Boxes.from_xywh([[0, 0, 9, 9], [0, 0, 9, 9]], image_id=["a", "b"], label=1)
    >>> pred = Boxes.from_xywh([[0, 0, 9, 9]], image_id=["a"], label=1, score=[0.9])
    >>> metric = AveragePrecision().update(truth, pred)
    >>> slices = slices_of_images(metric, {"a": "day", "b": "night"})
    >>> round(slices.value("day", "AP50"), 4), slices.value("night", "AP50")
    (1.0, 0.0)
    """
    images, classes, _ = metric.row_blocks()
    codes = images.codes(id_array(list(slice_of), images.what)) if slice_of else np.zeros(0, int)
    if (codes < 0).any():
        unknown = [key for key, code in zip(slice_of, codes.tolist(), strict=True) if code < 0]
        raise IdError(
            f"expected images that were evaluated, got {len(unknown)} others: {first_few(unknown)}",
            "slice_of",
        )
    names, slice_codes = _numbered(slice_of.values())
    slice_of_image = np.full(len(images), -1, np.int64)
    slice_of_image[codes] = slice_codes

    def parts() -> Iterator[_Part]:
        _, _, blocks = metric.row_blocks()
        n_predictions = sum(len(block.pred["label"]) for block in blocks)
        yield _Part("all", len(images), n_predictions, metric.curves())
        for code, name in enumerate(names):
            yield _part_of_images(name, metric, slice_of_image == code)

    return _evaluated(metric.rules(), classes, metric.groups(), parts(), "images")


def _part_of_images(name: str, metric: AveragePrecision, chosen: NDArray[np.bool_]) -> _Part:
    _, _, blocks = metric.row_blocks()
    traced = BlockCurves(metric.protocol)
    for block in blocks:
        traced.add(
            block._replace(
                truth=_rows(block.truth, chosen[block.truth["image"]]),
                pred=_rows(block.pred, chosen[block.pred["image"]]),
            )
        )
    n_images = int(np.count_nonzero(chosen))
    return _Part(name, n_images, traced.n_predictions, traced.curves())


def by_crowding(metric: AveragePrecision, edges: Sequence[int] = (1, 5, 10, 20)) -> dict[Any, str]:
    """Return the slice of each image by how many truth objects count in it.

    Parameters
    ----------
    metric : AveragePrecision
        What has absorbed truth and predictions.
    edges : sequence of int
        The least number of objects of each slice but the first; ascending, above 0.

    Examples
    --------
    >>> from snellen import AveragePrecision, Boxes
    >>> from snellen.detection.slices import by_crowding
    >>> truth = Boxes.from_xywh([[0, 0, 9, 9]] * 6, image_id=[1] * 6, label=1, image_ids=[1, 2])
    >>> pred = Boxes.from_xywh([[0, 0, 9, 9]], image_id=[1], label=1, score=[0.9])
    >>> by_crowding(AveragePrecision().update(truth, pred))
    {1: '5 to 9 objects', 2: '0 objects'}
    """
    bounds = [int(each) for each in edges]
    if not bounds or bounds[0] < 1 or bounds != sorted(set(bounds)):
        raise InputError(f"expected ascending whole numbers above 0, got {list(edges)}", "edges")
    images, _, truth, _ = metric.rows()
    counted = truth["image"][counted_truth(truth, 0)]
    n_objects = np.bincount(counted, minlength=len(images))
    names = [
        f"{low} to {end - 1} objects" if end - low > 1 else f"{low} object{'s' * (low != 1)}"
        for low, end in zip([0, *bounds[:-1]], bounds, strict=True)
    ]
    names.append(f"{bounds[-1]} or more objects")
    places = np.searchsorted(bounds, n_objects, side="right").tolist()
    return {image: names[place] for image, place in zip(images.ids.tolist(), places, strict=True)}


def slices_of_objects(
    truth: Objects | Sequence[Mapping[str, Any]],
    pred: Objects | Sequence[Mapping[str, Any]],
    slice_of: ArrayLike,
    *,
    protocol: str | DetectionProtocol | None = None,
    image_id: ArrayLike | None = None,
    box_format: BoxLayout = "xyxy",
) -> DetectionSlices:
    """Return the average precision of parts of the truth objects, from one matching of all.

    A true positive belongs to the slice of the truth object that it took, and is left out of the
    others. A false positive took no object and belongs to none: it counts against every slice, so
    that the average precision of a rare slice is low, and its recall the fairer number.

    Groups of Open Images are objects where the rules have them found: what finds one belongs to its
    slice. The detections of a class that a cap over all images (``per_class``) leaves out count
    nowhere.

    Parameters
    ----------
    truth, pred : Boxes, Masks, Poses or OrientedBoxes, or sequence of mapping
        All objects, of one kind; or a mapping for each image, as `AveragePrecision.update` takes
        them.
    slice_of : array-like of str, shape (n_truth,)
        The slice of each truth object (of mappings: image after image); ``""`` for none.
        No slice can be called ``"all"``, ``"class"`` or ``"id"``.
    protocol : str or DetectionProtocol, optional
        The rules; without, COCO's. Of the area ranges the first alone is looked at.
    image_id, box_format
        Of mappings, as `AveragePrecision.update` takes them.

    Returns
    -------
    DetectionSlices

    Raises
    ------
    ShapeError
        For another number of slices.
    InputError, IdError, ClassError
        For objects that cannot be evaluated, and slices called so.

    Examples
    --------
    >>> from snellen import Boxes
    >>> from snellen.detection.slices import slices_of_objects
    >>> one = {"image_id": 1, "label": 1}
    >>> truth = Boxes.from_xywh([[0, 0, 9, 9], [20, 0, 9, 9]], **one)
    >>> pred = Boxes.from_xywh([[20, 0, 9, 9]], score=[0.9], **one)
    >>> slices = slices_of_objects(truth, pred, ["occluded", "free"])
    >>> slices.value("free", "AR_100"), slices.value("occluded", "AR_100")
    (1.0, 0.0)
    """
    rules = protocol_named(rules_for(truth, pred, protocol))
    truth, pred = columns_of(
        truth, pred, image_id, similarity=rules.similarity, box_format=box_format
    )
    given = np.asarray(slice_of).astype(str)
    if given.shape != (len(truth),):
        raise ShapeError(
            f"expected the slices of {len(truth)} truth objects, got shape {given.shape}",
            "slice_of",
        )
    names, codes = _numbered(given[given != ""].tolist())
    rules = dataclasses.replace(rules, area_ranges=rules.area_ranges[:1], crowding_ranges=())
    found = _within_cap_of_classes(matches(truth, pred, rules, with_groups=True), rules)
    matched, n_thresholds = found.matched, len(rules.iou_thresholds)
    code_of = np.full(len(truth) + 1, -1, np.int64)  # the last one: of no object
    code_of[:-1][given != ""] = codes
    of_truth, of_pred = code_of[found.truth_row], code_of[found.pred_match]
    is_true, is_false = _unpacked(matched.pred["outcome"], n_thresholds)

    def part(name: str, n_images: int, truth: _Columns, pred: _Columns) -> _Part:
        curves = curves_of_rows(rules, len(matched.classes), truth, pred)
        return _Part(name, n_images, len(pred["score"]), curves)

    def parts() -> Iterator[_Part]:
        yield part("all", len(matched.images), matched.truth, matched.pred)
        for code, name in enumerate(names):
            outside = of_truth != code
            ignored = matched.truth["ignored"] | outside.astype(np.uint32)
            n_images = len(np.unique(matched.truth["image"][ignored == 0]))
            outcome = _packed(is_true & (of_pred == code), is_false, rules.outcome_shape)
            yield part(
                name,
                n_images,
                {**matched.truth, "ignored": ignored},
                {**matched.pred, "outcome": outcome},
            )

    rules = dataclasses.replace(rules, similarity=similarity_of(truth.kind, rules))
    return _evaluated(rules, matched.classes, matched.groups, parts(), "objects")


def _within_cap_of_classes(found: Matches, rules: DetectionProtocol) -> Matches:
    """Return the matches of the detections that a cap of each class over all images lets count."""
    if rules.per_class is None:
        return found
    pred = found.matched.pred
    kept = _core.best_rows(
        pred["score"], pred["label"], n_groups=len(found.matched.classes), cap=rules.per_class
    )
    return found._replace(
        matched=found.matched._replace(pred=_rows(pred, kept)),
        pred_row=found.pred_row[kept],
        pred_match=found.pred_match[kept],
        similarity=found.similarity[kept],
    )


def greatest_overlaps(
    objects: Objects, *, protocol: str | DetectionProtocol = "coco"
) -> NDArray[np.float64]:
    """Return the greatest IoU of each object with another one of its image, of any class, (n,).

    How crowded it is: for `slices_of_objects`. Regions of many objects are compared as objects.

    Examples
    --------
    >>> from snellen import Boxes
    >>> from snellen.detection.slices import greatest_overlaps
    >>> boxes = [[0, 0, 10, 10], [0, 0, 10, 5], [50, 0, 10, 10]]
    >>> greatest_overlaps(Boxes.from_xywh(boxes, image_id=1, label=1)).tolist()
    [0.5, 0.5, 0.0]
    """
    boxes = objects.boxes
    plain = dataclasses.replace(boxes, crowd=None, score=np.zeros(len(boxes)))
    alike = plain if isinstance(objects, Boxes) else dataclasses.replace(objects, boxes=plain)
    pairs = candidates(
        alike,
        alike,
        protocol_named(protocol),
        lowest=np.finfo(np.float64).tiny,
        across_labels=True,
    )
    row = np.repeat(np.arange(len(boxes)), np.diff(pairs.begin))
    greatest = np.zeros(len(boxes))
    other = row != pairs.truth
    np.maximum.at(greatest, row[other], pairs.similarity[other])
    return greatest


def _unpacked(
    outcome: NDArray[np.uint32], n_thresholds: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return which detections are true and which false positives at each threshold, (n, T)."""
    word, bit = np.divmod(np.arange(n_thresholds), THRESHOLDS_PER_WORD)
    words = outcome[:, 0, word]
    is_true = (words >> bit.astype(np.uint32)) & 1 != 0
    is_false = (words >> (bit + THRESHOLDS_PER_WORD).astype(np.uint32)) & 1 != 0
    return is_true, is_false


def _packed(
    is_true: NDArray[np.bool_], is_false: NDArray[np.bool_], shape: tuple[int, int]
) -> NDArray[np.uint32]:
    outcome = np.zeros((len(is_true), *shape), np.uint32)
    for t in range(is_true.shape[1]):
        word, bit = divmod(t, THRESHOLDS_PER_WORD)
        outcome[:, 0, word] |= is_true[:, t].astype(np.uint32) << np.uint32(bit)
        shift = np.uint32(bit + THRESHOLDS_PER_WORD)
        outcome[:, 0, word] |= is_false[:, t].astype(np.uint32) << shift
    return outcome


def _evaluated(
    protocol: DetectionProtocol,
    classes: Classes,
    groups: tuple[str, ...] | None,
    parts: Iterable[_Part],
    unit: str,
) -> DetectionSlices:
    """Return the numbers of the parts; the first is the whole."""
    lines = headlines(protocol, groups)
    names, sizes, numbers, of_classes, reasons = [], [], [], [], []
    for part in parts:
        precision, _, recall, n_counted = part.curves
        found = [line.mean(protocol, precision, recall, n_counted) for line in lines]
        names.append(part.name)
        sizes.append((part.n_images, int(n_counted[:, 0].sum()), part.n_predictions))
        numbers.append([value for value, _ in found])
        reasons.append({line.name: why for line, (_, why) in zip(lines, found, strict=True) if why})
        of_classes.append(lines[0].mean_of_each_class(protocol, precision, recall, n_counted))
    n_images, n_truth, n_predictions = np.array(sizes, np.int64).T
    return DetectionSlices(
        metrics={line.name: value for line, value in zip(lines, numbers[0], strict=True)},
        protocol={"name": "detection-slices", "unit": unit, "rules": protocol.to_dict()},
        undefined=tuple(Undefined(name, why) for name, why in reasons[0].items()),
        data={
            "n_slices": len(names) - 1,
            "n_images": int(n_images[0]),
            "n_classes": len(classes),
            "n_truth": int(n_truth[0]),
            "n_predictions": int(n_predictions[0]),
        },
        classes=classes,
        names=tuple(names),
        n_images=n_images.copy(),
        n_truth=n_truth.copy(),
        n_predictions=n_predictions.copy(),
        values=np.array(numbers, np.float64),
        class_values=np.array(of_classes, np.float64),
    )


def _numbered(names: Iterable[str]) -> tuple[list[str], NDArray[np.int64]]:
    """Return the distinct names, in the order that people read them, and the place of each.

    Raises
    ------
    InputError
        For names that stand for something else in tables.
    """
    given = [str(name) for name in names]
    distinct = sorted(set(given), key=reading_order)
    for name in _NO_NAMES:
        if name in distinct:
            raise InputError(
                f"expected slices with names other than {', '.join(_NO_NAMES)}, which tables have "
                f'for the whole and for classes, got "{name}"; give it another name',
                "slice_of",
            )
    place = {name: i for i, name in enumerate(distinct)}
    return distinct, np.array([place[name] for name in given], np.int64)


def _rows(columns: Mapping[str, NDArray[Any]], rows: NDArray[Any]) -> dict[str, NDArray[Any]]:
    return {name: column[rows] for name, column in columns.items()}
