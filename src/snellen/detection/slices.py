"""Average precision of parts of the data, from one matching."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.detection.curves import curves_of_rows
from snellen.detection.headlines import headlines
from snellen.detection.slices_result import DetectionSlices
from snellen.errors import IdError, InputError, first_few
from snellen.result import Undefined
from snellen.state import id_array

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from snellen.classes import Classes
    from snellen.detection.average_precision import AveragePrecision
    from snellen.detection.protocols import DetectionProtocol

__all__ = ["by_crowding", "slices_of_images"]


class _Part(NamedTuple):
    """The rows of one slice."""

    name: str
    n_images: int
    truth: Mapping[str, NDArray[Any]]
    pred: Mapping[str, NDArray[Any]]


def slices_of_images(metric: AveragePrecision, slice_of: Mapping[Any, str]) -> DetectionSlices:
    """Return the average precision of parts of the images; nothing is matched again.

    Parameters
    ----------
    metric : AveragePrecision
        What has absorbed truth and predictions.
    slice_of : mapping of image id to str
        The slice of each image; images that are not named belong to none.

    Returns
    -------
    DetectionSlices

    Raises
    ------
    IdError
        For images that the metric has not absorbed.

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
        The evaluation of the slice's images alone, to the last bit (tests/oracle).

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
    images, classes, truth, pred = metric.rows()
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
        yield _Part("all", len(images), truth, pred)
        of_truth, of_pred = slice_of_image[truth["image"]], slice_of_image[pred["image"]]
        for code, name in enumerate(names):
            yield _Part(
                name,
                int(np.count_nonzero(slice_of_image == code)),
                _rows(truth, of_truth == code),
                _rows(pred, of_pred == code),
            )

    return _evaluated(metric.protocol, classes, parts(), "images")


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
    counted = truth["image"][truth["ignored"] & 1 == 0]
    n_objects = np.bincount(counted, minlength=len(images))
    names = [
        f"{low} to {end - 1} objects" if end - low > 1 else f"{low} object{'s' * (low != 1)}"
        for low, end in zip([0, *bounds[:-1]], bounds, strict=True)
    ]
    names.append(f"{bounds[-1]} or more objects")
    places = np.searchsorted(bounds, n_objects, side="right").tolist()
    return {image: names[place] for image, place in zip(images.ids.tolist(), places, strict=True)}


def _evaluated(
    protocol: DetectionProtocol, classes: Classes, parts: Iterable[_Part], unit: str
) -> DetectionSlices:
    """Return the numbers of the parts; the first is the whole."""
    lines = headlines(protocol)
    names, sizes, numbers, of_classes, reasons = [], [], [], [], []
    for part in parts:
        precision, _, recall, n_counted = curves_of_rows(
            protocol, len(classes), part.truth, part.pred
        )
        found = [line.mean(protocol, precision, recall, n_counted) for line in lines]
        names.append(part.name)
        sizes.append((part.n_images, int(n_counted[:, 0].sum()), len(part.pred["score"])))
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
    """Return the distinct names, in the order that people read them, and the place of each."""
    given = [str(name) for name in names]

    def reading_order(name: str) -> list[tuple[int, str]]:
        return [(int(n or 0), text) for n, text in re.findall(r"(\d*)(\D*)", name)]

    distinct = sorted(set(given), key=lambda name: (reading_order(name), name))
    place = {name: i for i, name in enumerate(distinct)}
    return distinct, np.array([place[name] for name in given], np.int64)


def _rows(columns: Mapping[str, NDArray[Any]], rows: NDArray[np.bool_]) -> dict[str, NDArray[Any]]:
    return {name: column[rows] for name, column in columns.items()}
