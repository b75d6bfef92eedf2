"""The rows of a confusion matrix's state, and those of its result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.detection.detection_confusion_result import FALSE_ALARM, MISSED, PAIR

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from snellen.detection.confusion_pairs import ConfusionPairs

__all__ = ["check_places", "events_of", "first_rows", "places_in_images"]


def first_rows(image: NDArray[np.int32], n_images: int) -> NDArray[np.int64]:
    """Return where the rows of each image begin, of ascending images, and where the last end."""
    # Of the type of images, else NumPy copies these.
    return np.searchsorted(image, np.arange(n_images + 1, dtype=image.dtype))


def places_in_images(image: NDArray[np.int32], n_images: int) -> NDArray[np.int32]:
    """Return the place of each row among those of its image, of ascending images."""
    return (np.arange(len(image)) - first_rows(image, n_images)[image]).astype(np.int32)


def check_places(
    pairs: Mapping[str, NDArray[Any]],
    first_truth: NDArray[np.int64],
    first_pred: NDArray[np.int64],
) -> None:
    """Refuse pairs of rows that their image does not have."""
    image = pairs["image"]
    for name, first in (("truth", first_truth), ("pred", first_pred)):
        if np.any((pairs[name] < 0) | (pairs[name] >= np.diff(first)[image])):
            raise ValueError(f"pairs of {name} that is not there")


def events_of(
    truth: Mapping[str, NDArray[Any]],
    pred: Mapping[str, NDArray[Any]],
    met: ConfusionPairs,
    missed: NDArray[np.int64],
    false_alarm: NDArray[np.int64],
) -> dict[str, NDArray[Any]]:
    """Return what a matrix counts, by image: pairs, missed objects, false alarms."""
    nothing = np.zeros(len(missed)), np.zeros(len(false_alarm))
    columns: dict[str, tuple[NDArray[Any], ...]] = {
        "image": (pred["image"][met.pred], truth["image"][missed], pred["image"][false_alarm]),
        "truth": (truth["label"][met.truth], truth["label"][missed], pred["label"][false_alarm]),
        "pred": (pred["label"][met.pred], truth["label"][missed], pred["label"][false_alarm]),
        "event": tuple(
            np.full(len(rows), event, np.uint8)
            for rows, event in (
                (met.pred, PAIR),
                (missed, MISSED),
                (false_alarm, FALSE_ALARM),
            )
        ),
        "score": (pred["score"][met.pred], nothing[0], pred["score"][false_alarm]),
        "similarity": (met.similarity, *nothing),
    }
    by_image = np.argsort(np.concatenate(columns["image"]), kind="stable")
    # Column by column, so that no more than one is there twice.
    return {name: np.concatenate(columns.pop(name))[by_image] for name in tuple(columns)}
