"""Texts of tracks that are read while NumPy is being imported.

The kernel that reads them needs no NumPy and runs without the interpreter's lock: by the time that
a command has imported what it needs, its first files have been read.
"""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from snellen import _core
from snellen.readers.sources import opened
from snellen.readers.track_folders import find_sequences

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Iterator

    from snellen.readers.sources import Source

__all__ = ["TextRequest", "TextsAhead", "read_text", "requests_of_folders"]

_PIECE: Final = 1 << 22
# Reading on takes memory, and what comes after is read by several threads anyway.
_SEQUENCES_AHEAD: Final = 2


class TextRequest(NamedTuple):
    """What is to be read, and what must hold of it; see `read_track_columns`."""

    source: Source
    is_truth: bool
    first_frame: int
    n_frames: int | None
    region_classes: tuple[int, ...]


class ReadText(NamedTuple):
    """A text, and whether it could be read; if not, it knows why."""

    text: _core.TrackText
    fine: bool


def read_text(request: TextRequest) -> ReadText:
    """Read a text.

    Raises
    ------
    InputError
        For a file that cannot be read.
    """
    _, is_truth, first_frame, n_frames, region_classes = request
    last = None if n_frames is None else first_frame + n_frames - 1
    text = _core.TrackText(is_truth, first_frame, last, list(region_classes))
    fine = True
    with opened(request.source) as file:
        while fine and (piece := file.read(_PIECE)):
            fine = text.read(piece)
    return ReadText(text, fine and text.finish())


def requests_of_folders(
    truth: str | os.PathLike[str],
    pred: str | os.PathLike[str],
    *,
    truth_regions: tuple[int, ...],
    first_frame: int,
    **options: Any,
) -> Iterator[TextRequest]:
    """Yield what will be asked for first of two folders; options as of `find_sequences`."""
    sequences = find_sequences(truth, pred, **options).sequences
    for sequence in itertools.islice(sequences, _SEQUENCES_AHEAD):
        common = (first_frame, sequence.n_frames)
        yield TextRequest(sequence.truth, True, *common, truth_regions)
        if sequence.pred is not None:
            yield TextRequest(sequence.pred, False, *common, ())


class TextsAhead:
    """Texts that are read on another thread until others read, too.

    Parameters
    ----------
    requests : callable
        Called once, on that thread: what to read, in the order in which it will be asked for. What
        goes wrong there goes wrong again, and is told, where it is asked for.
    """

    def __init__(self, requests: Callable[[], Iterable[TextRequest]]) -> None:
        self._requests = requests
        self._changed = threading.Condition()
        self._current: TextRequest | None = None
        self._stopped = False
        self._read: dict[TextRequest, ReadText] = {}
        # Daemonic: an interrupted command does not wait for a large file.
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        try:
            for request in self._requests():
                with self._changed:
                    if self._stopped:
                        return
                    self._current = request
                found = read_text(request)
                with self._changed:
                    self._read[request] = found
                    self._current = None
                    self._changed.notify_all()
        except Exception:
            pass
        finally:
            with self._changed:
                self._current = None
                self._changed.notify_all()

    def take(self, request: TextRequest) -> ReadText | None:
        """Return a text once it was read; None where it was not begun, and nothing more is."""
        with self._changed:
            while self._current == request:
                self._changed.wait()
            if request not in self._read:
                self._stopped = True
            return self._read.pop(request, None)
