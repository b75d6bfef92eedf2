"""What became of the truth and the detections of each image: the worst images first."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.classification import rates
from snellen.detection.operating_points import operating_points
from snellen.detection.outcomes import outcome_blocks
from snellen.detection.stored_result import packed_result, result_fields
from snellen.errors import InputError
from snellen.result import Result, Undefined
from snellen.state import Moments
from snellen.table_text import aligned_lines, number, printable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.classes import Classes
    from snellen.detection.average_precision import AveragePrecision
    from snellen.detection.localization_recall_precision import LocalizationRecallPrecision
    from snellen.state import Keys, PackedState

__all__ = ["ImageTable", "image_table"]

_SHOWN = 20
_NAME_WIDTH = 40
_UNKNOWN_IOU = "the metric does not keep the IoU of matches: LocalizationRecallPrecision does"
_ARRAYS = ("tp", "fp", "fn", "image_iou", "class_tp", "class_fp", "class_fn")


def image_table(
    metric: AveragePrecision | LocalizationRecallPrecision,
    *,
    iou_threshold: float | None = None,
    area: str | None = None,
    score_threshold: float | None = None,
) -> ImageTable:
    """Return true and false positives and misses of each image.

    Parameters
    ----------
    metric : AveragePrecision or LocalizationRecallPrecision
        What has absorbed truth and predictions; the second knows the IoU of matches too.
    iou_threshold : float, optional
        One of those of the metric's protocol; the first where not given (COCO: 0.5).
    area : str, optional
        An area range of the protocol; the first where not given (COCO: all).
    score_threshold : float, optional
        Detections are kept that score this much or more. Where not given, it is the threshold of
        the highest F1 of all detections (`operating_points`), since otherwise the images with most
        detections of next to no score would come first; where there is none, all are kept.

    Returns
    -------
    ImageTable

    Raises
    ------
    InputError
        For a threshold or area range that the protocol does not have, or a score threshold that
        is not finite.

    Notes
    -----
    State
        None of its own: that of the metric.
    Merge
        Merge the metrics.
    Ties
        Images of equally many errors are ordered by F1, then by id.
    Undefined
        F1 of an image without truth and detections; the mean IoU without matches, or where the
        metric does not know it.
    Agrees with
        A plain count (tests/oracle).

    Examples
    --------
    >>> from snellen import AveragePrecision, Boxes
    >>> from snellen.detection.image_table import image_table
    >>> truth = Boxes.from_xywh([[0, 0, 9, 9], [0, 0, 9, 9]], image_id=["a", "b"], label=1)
    >>> pred = Boxes.from_xywh([[0, 0, 9, 9], [20, 0, 9, 9]], image_id=["a", "b"], label=1,
    ...                        score=[0.9, 0.8])
    >>> table = image_table(AveragePrecision().update(truth, pred), score_threshold=0.5)
    >>> [(each["image"], each["tp"], each["fp"], each["fn"]) for each in table.worst()]
    [('b', 0, 1, 1), ('a', 1, 0, 0)]
    """
    if score_threshold is not None and not math.isfinite(score_threshold):
        raise InputError(f"expected a finite number, got {score_threshold!r}", "score_threshold")
    blocks = outcome_blocks(metric, iou_threshold=iou_threshold, area=area)
    chosen = score_threshold
    if chosen is None:
        # Of the curves the numbers alone are wanted.
        points = operating_points(metric, iou_threshold=iou_threshold, area=area, n_scores=2)
        chosen = points.metrics["threshold_micro"]
    outcomes = next(iter(blocks))
    n_images, n_classes = len(outcomes.images), len(outcomes.classes)
    of_image, of_class = _Tally(n_images), _Tally(n_classes)
    summed, similarities = np.zeros(n_images), Moments(all=())
    for block in blocks:
        kept = block if math.isnan(chosen) else block.kept(block.score >= chosen)
        of_image.add(kept.truth_image, kept.image, kept.is_true)
        of_class.add(kept.truth_label, kept.label, kept.is_true)
        if kept.similarity is not None:
            of_hits = kept.similarity[kept.is_true]
            # By class, image, rank: the same order for any sharding.
            np.add.at(summed, kept.image[kept.is_true], of_hits)
            similarities.add(all=of_hits)
    tp, fp, fn = of_image.tp, of_image.fp, of_image.n_truth - of_image.tp
    class_tp, class_fp, class_fn = of_class.tp, of_class.fp, of_class.n_truth - of_class.tp
    image_iou, whole = np.full(n_images, math.nan), math.nan
    if outcomes.similarity is not None:
        image_iou = rates.ratio(summed, tp)
        n_hits = int(tp.sum())
        whole = float(similarities.total("all")) / n_hits if n_hits else math.nan
    total = [int(each.sum()) for each in (tp, fp, fn)]
    nothing = "there is neither truth nor a detection that counts"
    metrics = {
        "precision": _share(total[0], total[0] + total[1]),
        "recall": _share(total[0], total[0] + total[2]),
        "f1": _share(2 * total[0], 2 * total[0] + total[1] + total[2]),
        "images_without_error": _share(int(np.count_nonzero(fp + fn == 0)), n_images),
        "mean_iou": whole,
    }
    reasons = {
        "precision": "no detection is kept",
        "recall": "no truth object counts",
        "f1": nothing,
        "images_without_error": "there are no images",
        "mean_iou": (
            _UNKNOWN_IOU if outcomes.similarity is None else "no detection is a true positive"
        ),
    }
    return ImageTable(
        metrics=metrics,
        protocol={
            "name": "image-table",
            "score_threshold": None if math.isnan(chosen) else float(chosen),
            "is_best_threshold": score_threshold is None,
            **outcomes.rules(),
        },
        undefined=tuple(
            Undefined(name, reasons[name]) for name, value in metrics.items() if math.isnan(value)
        ),
        data={
            "n_images": n_images,
            "n_classes": n_classes,
            "n_truth": int(of_image.n_truth.sum()),
            "n_predictions": int((tp + fp).sum()),
        },
        classes=outcomes.classes,
        images=outcomes.images,
        tp=tp,
        fp=fp,
        fn=fn,
        image_iou=image_iou,
        class_tp=class_tp,
        class_fp=class_fp,
        class_fn=class_fn,
    )


class _Tally:
    """True and false positives and truth objects of each of n images or classes."""

    def __init__(self, n: int) -> None:
        self.tp, self.fp, self.n_truth = np.zeros((3, n), np.int64)

    def add(self, truth: NDArray[Any], pred: NDArray[Any], is_true: NDArray[np.bool_]) -> None:
        n = len(self.tp)
        self.tp += np.bincount(pred[is_true], minlength=n)
        self.fp += np.bincount(pred[~is_true], minlength=n)
        self.n_truth += np.bincount(truth, minlength=n)


def _share(part: int, whole: int) -> float:
    return part / whole if whole else math.nan


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class ImageTable(Result):
    """True and false positives and misses of each image, at one IoU and one score threshold.

    N images, in the order of their ids; K classes. Headline numbers: ``precision``, ``recall`` and
    ``f1`` of all detections, ``images_without_error``, the share of images without a false positive
    and a miss, and ``mean_iou`` of all true positives.

    Attributes
    ----------
    classes : Classes
        The K classes.
    images : Keys
        The ids of the N images, ascending.
    tp, fp, fn : ndarray, shape (N,), int64
        True positives, false positives, truth objects that are missed.
    image_iou : ndarray, shape (N,), float64
        The mean IoU of the true positives; NaN without any, or where it is not known.
    class_tp, class_fp, class_fn : ndarray, shape (K,), int64
        The same of each class.
    """

    classes: Classes
    images: Keys
    tp: NDArray[np.int64]
    fp: NDArray[np.int64]
    fn: NDArray[np.int64]
    image_iou: NDArray[np.float64]
    class_tp: NDArray[np.int64]
    class_fp: NDArray[np.int64]
    class_fn: NDArray[np.int64]

    @property
    def task(self) -> str:
        """The task, as the command line calls it."""
        return "detection"

    @property
    def image_f1(self) -> NDArray[np.float64]:
        """F1 of each image, (N,); NaN where it has neither truth nor detections."""
        return rates.f_beta(self.tp, self.fp, self.fn, 1.0)

    def order(self) -> NDArray[np.int64]:
        """Return the positions of the images, worst first: most errors, lowest F1, first id."""
        return np.lexsort((np.nan_to_num(self.image_f1, nan=1.0), -(self.fp + self.fn)))

    def worst(self, n: int | None = None) -> list[dict[str, Any]]:
        """Return one record for each image, worst first; the first n, or all."""
        rows = self.order()[:n]
        columns = (self.tp, self.fp, self.fn, self.image_f1, self.image_iou)
        names = ("image", "tp", "fp", "fn", "f1", "mean_iou")
        return [
            dict(zip(names, row, strict=True))
            for row in zip(
                self.images.ids[rows].tolist(),
                *(column[rows].tolist() for column in columns),
                strict=True,
            )
        ]

    def to_frame(self) -> Any:
        """Return the table as a pandas data frame, one row an image, worst first.

        Raises
        ------
        MissingExtraError
            Where pandas is not installed.
        """
        from snellen.arrays import data_frame

        return data_frame(self.worst())

    def __str__(self) -> str:
        """Return the worst images."""
        rules, n = self.protocol, len(self.images)
        kept = "all detections"
        if rules["score_threshold"] is not None:
            best = ", that of the highest F1" if rules["is_best_threshold"] else ""
            kept = f"detections of score {rules['score_threshold']:.4g} or more{best}"
        shown = f"the worst {_SHOWN} of {n:,} images" if n > _SHOWN else f"{n:,} images"
        lines = [
            f"{shown}: {kept}; IoU {rules['iou_threshold']:.2f}, area {rules['area']}",
            "",
        ]
        rows = [["image", "TP", "FP", "FN", "F1", "mean IoU"]]
        rows += [
            [
                printable(each["image"], _NAME_WIDTH),
                *(number(each[key]) for key in ("tp", "fp", "fn", "f1", "mean_iou")),
            ]
            for each in self.worst(_SHOWN)
        ]
        totals = [int(each.sum()) for each in (self.tp, self.fp, self.fn)]
        numbers = (*totals, self.metrics["f1"], self.metrics["mean_iou"])
        rows.append(["all", *(number(each) for each in numbers)])
        return "\n".join([*lines, *aligned_lines(rows)])

    def composition(self) -> str:
        """Return, in a few lines, what the result was made of."""
        data, rules = self.data, self.protocol
        clean = int(np.count_nonzero(self.fp + self.fn == 0))
        lines = [
            f"images       {data['n_images']:,}, {clean:,} without an error",
            f"truth        {data['n_truth']:,} that count",
            f"predictions  {data['n_predictions']:,} that count and are kept",
            f"matching     {rules['rules']['name']}, IoU {rules['iou_threshold']:.2f}, "
            f"area {rules['area']}",
        ]
        lines += [f"undefined    {entry.metric}: {entry.reason}" for entry in self.undefined]
        return "\n".join(lines)

    def per_class(self) -> list[dict[str, Any]]:
        """Return, for each class, its true positives, false positives and misses."""
        columns = (self.class_tp, self.class_fp, self.class_fn)
        return [
            {"class": name, "id": class_id, "tp": tp, "fp": fp, "fn": fn}
            for name, class_id, tp, fp, fn in zip(
                self.classes.display_names(),
                self.classes.keys.ids.tolist(),
                *(column.tolist() for column in columns),
                strict=True,
            )
        ]

    def to_dict(self) -> dict[str, Any]:
        """Return the numbers as plain values that JSON can hold; images worst first."""
        images = [
            {
                key: None if isinstance(value, float) and math.isnan(value) else value
                for key, value in record.items()
            }
            for record in self.worst()
        ]
        return {**super().to_dict(), "images": images}

    def _pack(self) -> bytes:
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        return packed_result(self, self.classes, arrays, images=self.images)

    @classmethod
    def _of_packed(cls, packed: PackedState) -> ImageTable:
        return cls(**result_fields(packed, _ARRAYS, has_images=True))
