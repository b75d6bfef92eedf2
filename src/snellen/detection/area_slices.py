"""Average precision of each area range, as slices."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import numpy as np

from snellen.detection.headlines import headlines
from snellen.detection.outcomes import counted_predictions, counted_truth
from snellen.detection.slices_result import DetectionSlices
from snellen.result import Undefined

if TYPE_CHECKING:
    from snellen.detection.average_precision import AveragePrecision

__all__ = ["slices_of_areas"]


def slices_of_areas(metric: AveragePrecision) -> DetectionSlices:
    """Return the average precision of each area range of the protocol; nothing is matched again.

    Parameters
    ----------
    metric : AveragePrecision
        What has absorbed truth and predictions.

    Returns
    -------
    DetectionSlices
        The whole is the first area range (COCO: all). In the others truth of other sizes does not
        count, nor do unmatched detections of other sizes: what COCO calls AP_small is the AP of the
        slice "small". Detections are those that count at the lowest IoU threshold.

    Notes
    -----
    State
        None of its own: that of the metric.
    Merge
        Merge the metrics.
    Ties
        As in `AveragePrecision`.
    Undefined
        NaN where no truth object of the size counts.
    Agrees with
        AP and AR of area ranges of `AveragePrecision`, to the last bit (tests/unit).

    Examples
    --------
    >>> from snellen import AveragePrecision, Boxes
    >>> from snellen.detection.area_slices import slices_of_areas
    >>> truth = Boxes.from_xywh([[0, 0, 9, 9], [0, 50, 60, 60]], image_id=1, label=1)
    >>> pred = Boxes.from_xywh([[0, 0, 9, 9]], image_id=1, label=1, score=[0.9])
    >>> slices = slices_of_areas(AveragePrecision().update(truth, pred))
    >>> round(slices.value("small", "AP50"), 4), slices.value("medium", "AP50")
    (1.0, 0.0)
    """
    protocol = metric.rules()
    labels = tuple(area.label for area in protocol.area_ranges)
    images, classes, blocks = metric.row_blocks()
    has_truth = np.zeros((len(labels), len(images)), np.bool_)
    n_truth, n_predictions = np.zeros((2, len(labels)), np.int64)
    for block in blocks:
        for place in range(len(labels)):
            image = block.truth["image"][counted_truth(block.truth, place)]
            has_truth[place, image] = True
            n_truth[place] += len(image)
            n_predictions[place] += np.count_nonzero(
                counted_predictions(block.pred, t=0, a=place)[1]
            )
    precision, _, recall, n_counted = metric.curves()
    n_images = np.count_nonzero(has_truth, axis=1)
    n_images[0] = len(images)
    # What a line says of the whole, it says of each part.
    lines = [line for line in headlines(protocol, metric.groups()) if line.area == labels[0]]
    numbers, of_classes, reasons = [], [], []
    for label in labels:
        here = [dataclasses.replace(line, area=label) for line in lines]
        means = [line.mean(protocol, precision, recall, n_counted) for line in here]
        numbers.append([value for value, _ in means])
        reasons.append([why for _, why in means])
        of_classes.append(here[0].mean_of_each_class(protocol, precision, recall, n_counted))
    return DetectionSlices(
        metrics={line.name: value for line, value in zip(lines, numbers[0], strict=True)},
        protocol={"name": "detection-slices", "unit": "areas", "rules": protocol.to_dict()},
        undefined=tuple(
            Undefined(line.name, why) for line, why in zip(lines, reasons[0], strict=True) if why
        ),
        data={
            "n_slices": len(labels) - 1,
            "n_images": len(images),
            "n_classes": len(classes),
            "n_truth": int(n_truth[0]),
            "n_predictions": int(n_predictions[0]),
        },
        classes=classes,
        names=labels,
        n_images=n_images,
        n_truth=n_truth,
        n_predictions=n_predictions,
        values=np.array(numbers, np.float64),
        class_values=np.array(of_classes, np.float64),
    )
