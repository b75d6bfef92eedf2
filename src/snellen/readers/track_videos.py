"""What readers of files with many videos share: the videos themselves, and ids as they count."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from snellen.state import Keys
    from snellen.tracking.tracks import Tracks

__all__ = ["in_videos", "number_ids"]


def number_ids(ids: Sequence[int | str]) -> NDArray[Any]:
    """Return ids as whole numbers, where all are or say some, else as texts.

    Objects are taken in the order of their ids where nothing else decides, and ``"10"`` is to come
    behind ``"9"``. Numbers in other writing (``"007"``) stay texts: two could be one.

    Examples
    --------
    >>> number_ids(["10", "9"]).tolist(), number_ids(["010", "9"]).tolist()
    ([10, 9], ['010', '9'])
    """
    distinct = set(ids)
    if all(isinstance(each, int) or _says_number(each) for each in distinct):
        value = {each: int(each) for each in distinct}
        if len(set(value.values())) == len(value):
            return np.fromiter((value[each] for each in ids), np.int64, len(ids))
    return np.array([str(each) for each in ids])


def _says_number(text: str) -> bool:
    digits = text.removeprefix("-")
    return digits.isascii() and digits.isdigit() and str(int(digits)) == digits and text != "-0"


def in_videos(
    tracks: Tracks,
    videos: Keys,
    n_frames: NDArray[np.int64],
    seen: NDArray[np.int64],
) -> Tracks:
    """Return tracks among all videos of a file, also those without objects.

    Parameters
    ----------
    tracks : Tracks
        Whose sequences are some of the videos.
    videos : Keys
        All.
    n_frames : ndarray, shape (len(videos),)
        How many frames each has.
    seen : ndarray, shape (m, 2)
        Video (position) and number of the frames that the file lists.
    """
    code = videos.codes(tracks.sequences.ids)
    ordered = seen[np.lexsort((seen[:, 1], seen[:, 0]))]
    return dataclasses.replace(
        tracks,
        sequence=code[tracks.sequence] if len(tracks) else tracks.sequence,
        sequences=videos,
        n_frames=n_frames,
        seen=ordered,
        named=True,
    )
