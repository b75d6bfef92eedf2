"""Pedestrians before a camera, and two trackers that never were.

The same numbers give the same bytes, on every machine (`snellen.samples.lots`): the world is whole
numbers (`snellen.samples.pavement`), and so are the boxes that the trackers give.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from snellen.atomic_files import write_atomically
from snellen.samples import pavement
from snellen.samples.lots import Lots, at_least
from snellen.samples.pavement import FULL, Pavement, make_pavement, picture
from snellen.samples.png import encode_png

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator

    from numpy.typing import NDArray

__all__ = ["TrackingSample", "make_tracking_sample"]

_TRUTH_STREAM: Final = 61
# One picture in so many frames: a film would be large.
_PICTURE_EVERY: Final = 10

# What a tracker takes for a person.
_LOOKS_HUMAN: Final = (
    *(pavement.PEDESTRIAN, pavement.RIDER),
    *(pavement.STATIC, pavement.REFLECTION),
)


@dataclasses.dataclass(frozen=True)
class TrackingSample:
    """Where a sample lies, and what it holds.

    Attributes
    ----------
    truth : pathlib.Path
        Folder with a folder for each sequence: ``gt/gt.txt``, ``seqinfo.ini`` and, where pictures
        were drawn, ``img1/``.
    predictions, predictions_b : pathlib.Path
        Folders with a text for each sequence, of either tracker; the second is better.
    sequences : tuple of str
        Their names.
    n_frames : int
        The length of each.
    n_objects : int
        Pedestrians of each.
    """

    truth: Path
    predictions: Path
    predictions_b: Path
    sequences: tuple[str, ...]
    n_frames: int
    n_objects: int


class _Manner(NamedTuple):
    """How a tracker fails.

    Attributes
    ----------
    stream : int
        Of random numbers.
    finds : tuple of int
        In how many of a hundred frames it finds who is seen to less than a quarter, to one to two,
        to two to three quarters, to more.
    shake : float
        By which share of its size a box is displaced.
    begins : int
        Detections before a track begins.
    patience : int
        Frames for which a track goes on without detections.
    remembers : int
        In how many of a hundred cases who was lost gets the old id.
    exchanges : int
        In how many of a hundred crossings two tracks change persons.
    lapses, slips : int
        In how many of ten thousand frames a person is lost for a while, or a box slips off.
    ghosts : int
        False tracks in a hundred frames.
    """

    stream: int
    finds: tuple[int, int, int, int]
    shake: float
    begins: int
    patience: int
    remembers: int
    exchanges: int
    lapses: int
    slips: int
    ghosts: int


_FIRST: Final = _Manner(62, (5, 65, 94, 98), 0.042, 3, 6, 55, 45, 45, 30, 7)
_SECOND: Final = _Manner(63, (15, 80, 97, 99), 0.03, 2, 10, 80, 20, 25, 8, 3)


def make_tracking_sample(
    directory: str | os.PathLike[str],
    *,
    n_sequences: int = 3,
    n_frames: int = 120,
    n_objects: int = 12,
    seed: int = 0,
    draw_images: bool = True,
) -> TrackingSample:
    """Write sequences and what two trackers make of them: the same bytes everywhere.

    Parameters
    ----------
    directory : path
        Where ``truth/``, ``predictions/`` and ``predictions_b/`` go, in the layout of MOTChallenge;
        made where missing.
    n_sequences, n_frames : int
        How many, and how long each is, at least 1 frame.
    n_objects : int
        Pedestrians of a sequence.
    seed : int
        At least 0.
    draw_images : bool
        Whether to draw pictures: one in ten frames, the first among them. Nothing else depends on
        it.

    Returns
    -------
    TrackingSample
        Paths and counts.

    Raises
    ------
    InputError
        For a number out of its range.

    Notes
    -----
    Truth has the classes of MOT17: pedestrians (1), and with flag 0 a person who sits (7), one on a
    bicycle (2) and the bicycle (4), a reflection (12), and a kiosk behind which people pass (9). In
    every second sequence the camera turns. The trackers find the persons of all classes, and lose
    them when they are hidden; tracks start late, change persons where two cross, drift, break, and
    follow what is not there.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     made = make_tracking_sample(directory, n_sequences=1, n_frames=20)
    ...     made.sequences, (made.truth / "WALK-01/gt/gt.txt").is_file()
    (('WALK-01',), True)
    """
    n_sequences = at_least(0, "n_sequences", n_sequences)
    n_frames = at_least(1, "n_frames", n_frames)
    n_objects = at_least(0, "n_objects", n_objects)
    seed = at_least(0, "seed", seed)
    home = Path(directory)
    made = TrackingSample(
        home / "truth",
        home / "predictions",
        home / "predictions_b",
        tuple(f"WALK-{k:02d}" for k in range(1, n_sequences + 1)),
        n_frames,
        n_objects,
    )
    trackers = ((made.predictions, _FIRST), (made.predictions_b, _SECOND))
    for folder in (made.truth, made.predictions, made.predictions_b):
        folder.mkdir(parents=True, exist_ok=True)
    lots = Lots(seed, _TRUTH_STREAM)
    lots_of = [Lots(seed, manner.stream) for _, manner in trackers]
    for k, name in enumerate(made.sequences):
        scene = make_pavement(lots, n_frames, n_objects, pans=k % 2 == 1)
        place = made.truth / name
        (place / "gt").mkdir(parents=True, exist_ok=True)
        files: dict[str | os.PathLike[str], bytes] = {}
        for (folder, manner), drawn in zip(trackers, lots_of, strict=True):
            files[folder / f"{name}.txt"] = _predictions_text(_track(scene, manner, drawn))
        if draw_images:
            (place / "img1").mkdir(exist_ok=True)
            for frame in range(0, n_frames, _PICTURE_EVERY):
                pixels = picture(scene, frame)
                files[place / "img1" / f"{frame + 1:06d}.png"] = encode_png(
                    pixels, pavement.PALETTE
                )
        files[place / "gt" / "gt.txt"] = _truth_text(scene)
        files[place / "seqinfo.ini"] = _information(name, n_frames)
        write_atomically(files)
    return made


# --- text -----------------------------------------------------------------------------------------


def _information(name: str, n_frames: int) -> bytes:
    """Return seqinfo.ini as MOTChallenge has it."""
    lines = (
        *("[Sequence]", f"name={name}", "imDir=img1", "frameRate=25", f"seqLength={n_frames}"),
        *(f"imWidth={pavement.WIDTH}", f"imHeight={pavement.HEIGHT}", "imExt=.png", ""),
    )
    return "\n".join(lines).encode()


def _truth_text(scene: Pavement) -> bytes:
    """Return gt.txt, ordered by id and frame as that of MOT17 is."""
    lines = []
    for k, kind in enumerate(scene.kind.tolist()):
        counted = int(kind == pavement.PEDESTRIAN)
        for t in np.flatnonzero(scene.there[k]).tolist():
            numbers = ",".join([f"{value / 100:.2f}" for value in scene.box[k, t].tolist()])
            visible = int(scene.seen[k, t]) / FULL
            lines.append(f"{t + 1},{k + 1},{numbers},{counted},{kind},{visible:.5f}\n")
    return "".join(lines).encode()


class _Row(NamedTuple):
    """A box of a track: in hundredths of a pixel, its score in hundredths."""

    frame: int
    track: int
    box: tuple[int, int, int, int]
    score: int


def _predictions_text(rows: list[_Row]) -> bytes:
    """Return a tracker's file, ordered by frame and id; the last three columns are for 3-D."""
    lines = []
    for row in sorted(rows):
        numbers = ",".join([f"{value / 100:.2f}" for value in row.box])
        lines.append(f"{row.frame + 1},{row.track},{numbers},{row.score / 100:.2f},-1,-1,-1\n")
    return "".join(lines).encode()


# --- a tracker ------------------------------------------------------------------------------------


@dataclasses.dataclass
class _Pursuit:
    """How a tracker stands to a person.

    Attributes
    ----------
    track : int
        The id under which it follows; 0: it doesn't.
    former : int
        The id of when it last did.
    found, missed : int
        For how many frames it has found the person, or not.
    away : int
        How many frames of a lapse are left.
    slipping : int
        How many frames the box still slips off, downwards from 12; 0: it doesn't.
    drift : tuple of int
        By how much the box is off.
    hidden : bool
        Whether the person is behind somebody.
    """

    track: int = 0
    former: int = 0
    found: int = 0
    missed: int = 0
    away: int = 0
    slipping: int = 0
    drift: tuple[int, int] = (0, 0)
    hidden: bool = False

    def end(self, former: int) -> None:
        """Give up the track."""
        self.track, self.former, self.found, self.missed, self.slipping = 0, former, 0, 0, 0
        self.drift = (0, 0)


def _track(scene: Pavement, manner: _Manner, lots: Lots) -> list[_Row]:
    """Return what a tracker makes of a sequence, in no order."""
    return list(_Tracker(scene, manner, lots).rows())


class _Tracker:
    """One sequence: who is followed under which id, frame by frame."""

    def __init__(self, scene: Pavement, manner: _Manner, lots: Lots) -> None:
        n, n_frames = scene.there.shape
        self._scene, self._manner = scene, manner
        self._last = 0
        self._pursuits = [_Pursuit() for _ in range(n)]
        self._followed = np.isin(scene.kind, _LOOKS_HUMAN)

        def each(limit: int) -> list[list[int]]:
            return lots.below(limit, n * n_frames).reshape(n, n_frames).tolist()

        # As many numbers whatever happens: one change of manner doesn't shift everything after it.
        self._find, self._exchange, self._remember = each(100), each(100), each(100)
        self._lapse, self._slip = each(10_000), each(10_000)
        size = scene.box[..., [2, 3, 2, 3]].astype(np.float64)
        shaken = lots.bell(n * n_frames * 4).reshape(n, n_frames, 4) * manner.shake * size
        self._shaken = shaken.astype(np.int64)
        self._drift = (
            (lots.bell(n * n_frames * 2).reshape(n, n_frames, 2) * 0.06 * size[..., :2])
            .astype(np.int64)
            .tolist()
        )
        self._ghosts = list(self._make_ghosts(lots))

    def rows(self) -> Iterator[_Row]:
        """Yield the boxes."""
        there, seen = self._scene.there, self._scene.seen.tolist()
        ids: dict[int, int] = {}
        for t in range(there.shape[1]):
            present = np.flatnonzero(there[:, t] & self._followed).tolist()
            for k in present:
                self._cross(k, t, seen[k][t])
            for k in present:
                if self._goes_on(k, t, seen[k][t]):
                    yield self._row(k, t, seen[k][t])
            for g, (start, boxes, score) in enumerate(self._ghosts):
                if start <= t < start + len(boxes):
                    if g not in ids:
                        ids[g] = self._new()
                    left, top, wide, tall = boxes[t - start].tolist()
                    yield _Row(t, ids[g], (left, top, wide, tall), score)

    def _new(self) -> int:
        self._last += 1
        return self._last

    def _cross(self, k: int, t: int, seen: int) -> None:
        """Let two tracks change persons, where one begins to be hidden by the other."""
        one = self._pursuits[k]
        if one.hidden:
            one.hidden = 10 * seen < 7 * FULL
            return
        if 10 * seen >= 5 * FULL:
            return
        one.hidden = True
        nearer = int(self._scene.behind[k, t])
        if nearer < 0 or self._exchange[k][t] >= self._manner.exchanges:
            return
        other = self._pursuits[nearer]
        if one.track and other.track:
            one.track, other.track = other.track, one.track

    def _goes_on(self, k: int, t: int, seen: int) -> bool:
        """Say whether there is a box of a person in a frame, and bring its pursuit up to date."""
        one, manner = self._pursuits[k], self._manner
        if one.track and not one.slipping and self._slip[k][t] < manner.slips:
            one.slipping = 12
        if one.slipping:
            x, y = one.drift
            wide = int(self._scene.box[k, t, 2])
            one.drift = (x + wide // 9 if self._slip[k][0] % 2 else x - wide // 9, y)
            one.slipping -= 1
            if one.slipping == 0:
                # What is found again near by is somebody else to the tracker.
                one.end(0)
                return False
            return True
        if not one.away and self._lapse[k][t] < manner.lapses:
            one.away = 3 + self._lapse[k][t] % 11 + manner.patience
        one.away = max(one.away - 1, 0)
        if not one.away and self._find[k][t] < manner.finds[min(4 * seen // FULL, 3)]:
            one.found += 1
            one.missed = 0
            one.drift = (one.drift[0] // 2, one.drift[1] // 2)
            if not one.track and one.found >= manner.begins:
                again = one.former and self._remember[k][t] < manner.remembers
                one.track = one.former if again else self._new()
            return one.track > 0
        one.missed += 1
        if not one.track:
            one.found = 0
            return False
        if one.missed > manner.patience:
            one.end(one.track)
            return False
        x, y = self._drift[k][t]
        one.drift = (one.drift[0] + x, one.drift[1] + y)
        return True

    def _row(self, k: int, t: int, seen: int) -> _Row:
        one = self._pursuits[k]
        left, top, wide, tall = self._scene.box[k, t].tolist()
        a, b, c, d = self._shaken[k, t].tolist()
        right = max(left + wide + c, left + a + 200)
        bottom = max(top + tall + d, top + b + 200)
        box = (left + a + one.drift[0], top + b + one.drift[1], right - left - a, bottom - top - b)
        sure = 40 + 50 * seen // FULL - (15 if one.missed else 0) + self._find[k][t] % 10
        return _Row(t, one.track, box, min(max(sure, 5), 99))

    def _make_ghosts(self, lots: Lots) -> Iterator[tuple[int, NDArray[np.int64], int]]:
        """Yield the first frame, boxes and score of each false track.

        One in three is a second box of a person; one in three stands, as those on posts do; the
        rest glides.
        """
        n, n_frames = self._scene.there.shape
        for _ in range(-(-self._manner.ghosts * n_frames // 100)):
            where, when, lasts, way, how = lots.below(1000, 5).tolist()
            start = when * n_frames // 1000
            length = min(5 + lasts * 30 // 1000, n_frames - start)
            time = np.arange(length, dtype=np.int64)
            person = where % n
            frames = start + time
            if how % 3 == 0 and self._followed[person] and self._scene.there[person, frames].all():
                left, top, wide, tall = self._scene.box[person, frames].T
                shift = wide * (25 + way % 30) // 100
                boxes = np.stack((left + shift, top - tall // 20, wide, tall), -1)
            else:
                tall = np.full(length, 2400 + way * 5, np.int64)
                glide = (way - 500) // 4 if how % 3 == 2 else 0
                left = where * pavement.WIDTH // 10 + glide * time
                boxes = np.stack((left, 7000 + 4 * lasts - tall // 9, tall * 2 // 5, tall), -1)
            tremble = lots.below(121, 2 * length).reshape(length, 2) - 60
            boxes[:, :2] += tremble
            yield start, boxes, 25 + how % 40
