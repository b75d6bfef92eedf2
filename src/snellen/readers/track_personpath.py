"""PersonPath22 and Head Tracking 21: MOT text whose columns mean something of their own.

Both have the lines of MOTChallenge: frame, id, left, top, width, height, flag, class, visibility.
What is here takes those columns as they were read, by whatever reader.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from snellen.classes import Classes
from snellen.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = [
    "HEAD_TRACKING_CLASSES",
    "PERSON_PATH_CLASSES",
    "TruthMeaning",
    "head_tracking_meaning",
    "person_path_meaning",
]

PERSON_PATH_CLASSES: Final = Classes(
    range(1, 14),
    [
        *("pedestrian", "person_on_vehicle", "car", "bicycle", "motorbike", "non_mot_vehicle"),
        *("static_person", "distractor", "occluder", "occluder_on_ground", "occluder_full"),
        *("reflection", "crowd"),
    ],
)
"""The classes of PersonPath22: those of MOTChallenge, and crowds."""

HEAD_TRACKING_CLASSES: Final = Classes(
    range(1, 5), ["pedestrian", "static", "ignore", "person_on_vehicle"]
)
"""The classes of Head Tracking 21."""

_CROWD: Final = 13


class TruthMeaning(NamedTuple):
    """What rows of truth are; the columns of `Tracks` of the same names.

    Attributes
    ----------
    counted : ndarray, shape (n,), uint8
        0 for an object that is not to be counted.
    region : ndarray, shape (n,), uint8
        1 for an area to be ignored.
    extra : mapping of str to ndarray
        What the rules ask for beside.
    """

    counted: NDArray[np.uint8]
    region: NDArray[np.uint8]
    extra: Mapping[str, NDArray[np.float64]]


def person_path_meaning(flag: NDArray[np.float64], label: NDArray[np.int64]) -> TruthMeaning:
    """Return what the rows of a truth file of PersonPath22 are.

    Parameters
    ----------
    flag : ndarray, shape (n,)
        Column 7. It is cut to a whole number, as TrackEval cuts it: 0.5 says 0.
    label : ndarray, shape (n,)
        Column 8, a class of `PERSON_PATH_CLASSES`. Crowds (13) are areas to be ignored, and no
        objects.
    """
    return TruthMeaning(
        (np.trunc(flag) != 0).astype(np.uint8), (label == _CROWD).astype(np.uint8), {}
    )


def head_tracking_meaning(
    flag: NDArray[np.float64],
    label: NDArray[np.int64],
    visibility: NDArray[np.float64] | None,
    place: str = "",
) -> TruthMeaning:
    """Return what the rows of a truth file of Head Tracking 21 are.

    Parameters
    ----------
    flag : ndarray, shape (n,)
        Column 7, a confidence: a row counts where it is above 0, and not 0 when cut to a whole
        number.
    label : ndarray, shape (n,)
        Column 8, a class of `HEAD_TRACKING_CLASSES`; only class 1 counts.
    visibility : ndarray, shape (n,), or None
        Column 9: a row counts where it is above 0.
    place : str
        The file, for messages.

    Returns
    -------
    TruthMeaning
        With the extra column ``visibility``: what is found on a row that is not visible, or not of
        class 1, is left out by the benchmark.

    Raises
    ------
    SchemaError
        For a file without the column.
    """
    if visibility is None:
        raise SchemaError(
            "expected 9 columns, of which the last is the visibility, got fewer", place
        )
    counted = (np.trunc(flag) != 0) & (flag > 0) & (visibility > 0) & (label == 1)
    return TruthMeaning(
        counted.astype(np.uint8), np.zeros(len(flag), np.uint8), {"visibility": visibility}
    )
