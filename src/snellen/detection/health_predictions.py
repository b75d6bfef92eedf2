"""The health of predictions beside their truth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen.detection.health_boxes import box_text, check_boxes, check_duplicates
from snellen.detection.health_counts import PerImage
from snellen.detection.health_findings import (
    Example,
    examples_of_cells,
    examples_of_images,
    shown_id,
)
from snellen.detection.health_layouts import covered, likely_reading
from snellen.detection.health_records import check_faults, check_references
from snellen.detection.health_shapes import check_keypoints, check_masks
from snellen.table_text import printable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.detection.health_columns import CheckedData, CheckedObjects
    from snellen.detection.health_findings import Findings

__all__ = ["Scores", "check_predictions"]

_CAP: Final = 100
_LVIS_CAP: Final = 300
# Fewer pairs of boxes than this say nothing of classes.
_ENOUGH: Final = 20


class Scores(NamedTuple):
    """Least, median and greatest score."""

    least: float
    median: float
    most: float


def check_predictions(
    pred: CheckedData, truth: CheckedData, findings: Findings
) -> tuple[PerImage, Scores | None]:
    """Look at predictions, by themselves and beside truth."""
    check_faults(pred, findings)
    check_references(pred, findings)
    if not _check_against_truth(pred, truth, findings):
        check_boxes(pred, findings)
    check_masks(pred, findings)
    check_keypoints(pred, findings)
    check_duplicates(pred.objects, findings, "duplicate-prediction")
    scores = _check_scores(pred.objects, findings)
    return _check_counts(pred, truth, findings), scores


def _check_scores(objects: CheckedObjects, findings: Findings) -> Scores | None:
    if objects.score is None:
        return None
    score = objects.score
    finite = np.isfinite(score)

    def text(row: int) -> str:
        return "no score" if np.isnan(score[row]) else f"score {score[row]:g}"

    findings.add_objects("score-not-finite", objects, ~finite, text)
    known = score[finite]
    if not len(known):
        return None
    findings.add_objects("score-outside-0-1", objects, finite & ((score < 0) | (score > 1)), text)
    if len(known) > 1 and known.min() == known.max():
        findings.add("scores-all-equal", len(known), len(score), detail=f"{known[0]:g}")
    return Scores(float(known.min()), float(np.median(known)), float(known.max()))


def _check_counts(pred: CheckedData, truth: CheckedData, findings: Findings) -> PerImage:
    """Look for too many predictions of an image, and for images and classes without any."""
    n_images = len(pred.images.id)
    rows = np.array(sorted(pred.images.position.values()), np.int64)
    in_image = np.bincount(pred.objects.image[pred.objects.known], minlength=n_images)[rows]
    _check_caps(pred, rows, in_image, findings)
    _check_missing(pred, truth, rows, in_image, findings)
    return PerImage.of(in_image)


def _check_caps(
    pred: CheckedData, rows: NDArray[np.int64], in_image: NDArray[np.int64], findings: Findings
) -> None:
    objects, images, classes = pred.objects, pred.images, pred.classes
    n_classes = len(classes.id)
    known = objects.known
    image, label = objects.image[known], objects.label[known]
    cells, in_cell = np.unique(image * n_classes + label, return_counts=True)
    over = np.flatnonzero(in_cell > _CAP)
    findings.add(
        "prediction-over-cap",
        int((in_cell[over] - _CAP).sum()),
        len(objects),
        examples_of_cells(pred, cells[over], in_cell[over]),
        detail=f"in {len(over):,} of {len(cells):,} pairs of image and class",
    )
    crowded = np.flatnonzero(in_image > _LVIS_CAP)
    findings.add(
        "prediction-over-lvis-cap",
        len(crowded),
        len(rows),
        examples_of_images(images, rows[crowded], in_image[crowded]),
    )


def _check_missing(
    pred: CheckedData,
    truth: CheckedData,
    rows: NDArray[np.int64],
    in_image: NDArray[np.int64],
    findings: Findings,
) -> None:
    objects, images, classes = pred.objects, pred.images, pred.classes
    n_images, n_classes = len(images.id), len(classes.id)
    of_truth = truth.objects
    single = of_truth.known & ~of_truth.is_crowd
    with_truth = np.bincount(of_truth.image[single], minlength=n_images)[rows] > 0
    missed = rows[with_truth & (in_image == 0)]
    many = 10 * len(missed) > np.count_nonzero(with_truth)
    findings.add(
        "image-without-predictions",
        len(missed),
        int(np.count_nonzero(with_truth)),
        examples_of_images(images, missed),
        severity="warning" if many else None,
    )
    present = np.bincount(of_truth.label[single], minlength=n_classes) > 0
    n_of_class = np.bincount(objects.label[objects.known], minlength=n_classes)
    never = np.flatnonzero(present & (n_of_class == 0))
    findings.add(
        "class-without-predictions",
        len(never),
        int(np.count_nonzero(present)),
        [
            Example("categories", row, classes.id[row], None, printable(classes.name[row], 40))
            for row in never[:5].tolist()
        ],
    )


# ---- Beside truth -------------------------------------------------------------------------------


def _check_against_truth(pred: CheckedData, truth: CheckedData, findings: Findings) -> bool:
    """Return whether boxes are in another layout or scale than truth's; say so, or of classes."""
    of_pred, of_truth = pred.objects, truth.objects
    if of_pred.relative != of_truth.relative:
        # Such boxes are compared as they are, which their reader has said.
        return False
    single = of_truth.sound & (of_truth.image >= 0) & ~of_truth.is_crowd
    finite = of_pred.has_box & np.isfinite(of_pred.xywh).all(axis=1) & (of_pred.image >= 0)
    finite &= (np.abs(of_pred.xywh) < 1e100).all(axis=1)
    truth_boxes = (of_truth.image[single], of_truth.xywh[single])
    share, reading = likely_reading(
        truth_boxes, (of_pred.image[finite], of_pred.xywh[finite]), pred.size[finite]
    )
    if reading is not None:
        findings.add_objects(
            "prediction-layout",
            of_pred,
            finite,
            lambda row: box_text(of_pred, row),
            detail=f"as they stand they overlap {_percent(reading.share_as_is)} of the objects by "
            f"half; read as {reading.words}, {_percent(reading.share)}",
        )
        return True
    sound = of_pred.sound & (of_pred.image >= 0)
    rows, cols, _ = covered(truth_boxes, (of_pred.image[sound], of_pred.xywh[sound]))
    in_both = np.isin(truth_boxes[0], of_pred.image[sound])
    n = int(np.count_nonzero(in_both))
    if share < 0.05:
        apart = np.zeros(len(of_truth), np.bool_)
        apart[np.flatnonzero(single)[in_both]] = True
        apart[np.flatnonzero(single)[rows]] = False
        findings.add(
            "prediction-apart",
            int(np.count_nonzero(apart)),
            n,
            [
                Example(of_truth.section, row, None if of_truth.id is None else of_truth.id[row],
                        of_truth.image_id[row], box_text(of_truth, row))
                for row in np.flatnonzero(apart)[:5].tolist()
            ],
        )  # fmt: skip
        return False
    # What an object was taken for says the best scored of all predictions that cover it: some
    # models write each box once for every class.
    score = np.zeros(len(cols))
    if of_pred.score is not None:
        score = np.nan_to_num(of_pred.score[sound][cols], nan=-np.inf)
    order = np.lexsort((-score, rows))
    first = np.append(True, np.diff(rows[order]) > 0) if len(order) else np.zeros(0, np.bool_)
    best = order[first]
    _check_classes(
        pred, truth, np.flatnonzero(single)[rows[best]], np.flatnonzero(sound)[cols[best]], findings
    )
    return False


def _check_classes(
    pred: CheckedData,
    truth: CheckedData,
    of_truth: NDArray[np.int64],
    of_pred: NDArray[np.int64],
    findings: Findings,
) -> None:
    """Say where boxes agree and classes do not, and what would make these agree."""
    n = len(of_truth)
    if n < _ENOUGH:
        return
    truth_ids = [truth.objects.class_id[row] for row in of_truth.tolist()]
    pred_ids = [pred.objects.class_id[row] for row in of_pred.tolist()]
    differ = np.array([a != b for a, b in zip(truth_ids, pred_ids, strict=True)], np.bool_)
    if differ.mean() < 0.8:
        return
    which = np.zeros(len(pred.objects), np.bool_)
    which[of_pred[differ]] = True
    meant = dict(zip(of_pred.tolist(), truth_ids, strict=True))
    findings.add_objects(
        "prediction-classes",
        pred.objects,
        which,
        lambda row: (
            f"category_id {shown_id(pred.objects.class_id[row])} on an object of "
            f"{shown_id(meant[row])}"
        ),
        total=n,
        detail=_remedy(truth_ids, pred_ids),
    )


def _remedy(truth_ids: list[Any], pred_ids: list[Any]) -> str:
    """Return what would make classes agree: a step between the numbers, or a table."""
    n = len(truth_ids)
    pairs: dict[tuple[Any, Any], int] = {}
    steps: dict[int, int] = {}
    for a, b in zip(truth_ids, pred_ids, strict=True):
        pairs[a, b] = pairs.get((a, b), 0) + 1
        if isinstance(a, int) and isinstance(b, int):
            steps[a - b] = steps.get(a - b, 0) + 1
    step = max(steps, key=lambda each: steps[each], default=0)
    most: dict[Any, int] = {}
    for (_, b), count in pairs.items():
        most[b] = max(most.get(b, 0), count)
    agreed = sum(most.values()) / n
    if steps and steps[step] >= max(0.5, agreed - 0.1) * n:
        return (
            f"with {abs(step)} {'added to' if step > 0 else 'taken from'} their numbers "
            f"{_percent(steps[step] / n)} agree"
        )
    # Each class of predictions for the one of truth that it lies on most: a numbering of its own,
    # such as 0 to 79 for COCO's 1 to 90.
    if len(most) > 1 and agreed >= 0.5:
        return (
            f"with each of their classes taken for the one that it lies on most, "
            f"{_percent(agreed)} agree: are they numbered in another way?"
        )
    return ""


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"
