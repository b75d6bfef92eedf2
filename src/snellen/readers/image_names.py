"""Images by what two files call them: ``val/0001.jpg`` in one, ``0001`` or 1 in the other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from snellen.readers.image_heads import without_ending

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

__all__ = ["ImageMatch", "match_images"]

_Id = str | int


class ImageMatch(NamedTuple):
    """Which images of one file are which of the other.

    Attributes
    ----------
    position : ndarray, shape (n,), int32
        The position of each wanted image among the known ones; -1 where it is none.
    rule : str
        By what they were matched, for people; nothing where they are the same ids.
    """

    position: NDArray[np.int32]
    rule: str


def _last(name: _Id) -> str:
    return str(name).replace("\\", "/").rpartition("/")[2]


def _number(name: _Id) -> _Id:
    stem = without_ending(_last(name))
    return int(stem) if re.fullmatch(r"\d{1,18}", stem) else stem


_RULES: Final[tuple[tuple[str, Callable[[_Id], _Id]], ...]] = (
    ("", str),
    ("their names without the ending", lambda name: without_ending(str(name))),
    ("the last part of their paths", _last),
    ("the last part of their paths without the ending", lambda name: without_ending(_last(name))),
    ("the numbers that are their names", _number),
)


def match_images(
    wanted: Sequence[_Id], known: Sequence[_Id], names: Sequence[str] | None = None
) -> ImageMatch:
    """Match the images of one file with those of another.

    The first of these rules under which all are found counts, else that which finds most: the same
    ids; without the endings of pictures; the last part of their paths; that without the ending; and
    as whole numbers. A rule under which two images would be one is none.

    Parameters
    ----------
    wanted, known : sequence of str or int
        Ids, each once.
    names : sequence of str, optional
        Other names of the known ones: of COCO's images the names of their files.

    Examples
    --------
    >>> match_images(["a/2.jpg", "a/1.jpg"], [1, 2]).position.tolist()
    [1, 0]
    """
    best = ImageMatch(np.full(len(wanted), -1, np.int32), "")
    most = -1
    for what, rule in _RULES:
        keys = [rule(name) for name in wanted]
        if what and len(set(keys)) != len(keys):
            continue
        for listed, of in ((known, ""), (names, "the names of their files")):
            if listed is None:
                continue
            place = {rule(name): k for k, name in enumerate(listed)}
            if len(place) != len(listed):
                continue
            position = np.fromiter((place.get(key, -1) for key in keys), np.int32, len(keys))
            n_found = int(np.count_nonzero(position >= 0))
            if n_found > most:
                shown = what if not of else (f"{of}: {what}" if what else of)
                best, most = ImageMatch(position, shown), n_found
            if n_found == len(keys):
                return best
    return best
