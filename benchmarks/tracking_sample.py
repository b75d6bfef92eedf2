"""Crowds for `tracking.py`: sequences of the size of MOT20, seeded, as MOTChallenge's text files.

People walk along a street that is seen from above and aside, so that each is hidden by others now
and then, some for long. The tracker loses them there and mostly gives a new id afterwards; it
jitters, sees ghosts, and follows figures that do not count: in MOT20 the classes 6 (a vehicle), 7
(a person who stands) and 8 (what looks like a person).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Crowds"]

BENCHMARK = "MOT20"
TRACKER = "tracker"
_N_SEQUENCES = 4
_WIDTH, _HEIGHT = 1920, 1080


class Crowds(NamedTuple):
    """Truth and predictions in the folders that TrackEval expects.

    Attributes
    ----------
    truth : pathlib.Path
        ``SEQUENCE/gt/gt.txt`` and ``SEQUENCE/seqinfo.ini``; beside it lie the sequence maps.
    predictions : pathlib.Path
        ``SEQUENCE.txt``.
    """

    truth: Path
    predictions: Path

    @classmethod
    def made(cls, folder: Path, n_frames: int) -> Crowds:
        """Return four sequences in a folder; they are made where it is not there."""
        split = f"{BENCHMARK}-train"
        here = cls(
            folder / "gt" / "mot_challenge" / split,
            folder / "trackers" / "mot_challenge" / split / TRACKER / "data",
        )
        if folder.exists():
            return here
        here.predictions.mkdir(parents=True)
        names = [f"{BENCHMARK}-{k + 1:02d}" for k in range(_N_SEQUENCES)]
        for seed, name in enumerate(names):
            (here.truth / name / "gt").mkdir(parents=True)
            (here.truth / name / "seqinfo.ini").write_text(
                f"[Sequence]\nname={name}\nimDir=img1\nframeRate=25\nseqLength={n_frames}\n"
                f"imWidth={_WIDTH}\nimHeight={_HEIGHT}\nimExt=.jpg\n"
            )
            truth, pred = _sequence(np.random.default_rng(seed), n_frames)
            (here.truth / name / "gt" / "gt.txt").write_text(truth)
            (here.predictions / f"{name}.txt").write_text(pred)
        maps = here.truth.parent / "seqmaps"
        maps.mkdir()
        (maps / f"{split}.txt").write_text("\n".join(["name", *names]) + "\n")
        return here


class _Figures(NamedTuple):
    """Figures of a street, one row each in every frame in which it is there."""

    figure: Any  # ascending, then frame
    frame: Any  # from 1
    xywh: Any
    label: Any
    hidden: Any


def _sequence(random: np.random.Generator, n_frames: int) -> tuple[str, str]:
    """Return the text of the truth and of the predictions."""
    figures = _walk(random, n_frames)
    seen = ~figures.hidden | (random.random(len(figures.frame)) < 0.1)
    counts = figures.label == 1
    visibility = np.where(figures.hidden, 0.1, 1.0)
    truth = [
        f"{frame},{figure + 1},{x},{y},{w},{h},{int(flag)},{label},{share:.2f}\n"
        for frame, figure, (x, y, w, h), flag, label, share in zip(
            figures.frame.tolist(),
            figures.figure.tolist(),
            figures.xywh.astype(int).tolist(),
            counts.tolist(),
            figures.label.tolist(),
            visibility.tolist(),
            strict=True,
        )
    ]
    found = seen & (counts | (figures.figure % 5 < 3)) & (random.random(len(seen)) < 0.98)
    frame, track, xywh = _tracked(random, figures, found)
    ghosts = _ghosts(random, n_frames, int(track.max()) + 1)
    frame, track, xywh = (
        np.concatenate(both) for both in zip((frame, track, xywh), ghosts, strict=True)
    )
    score = random.uniform(0.3, 1.0, len(frame))
    order = np.lexsort((track, frame))
    pred = [
        f"{t},{k + 1},{x:.2f},{y:.2f},{w:.2f},{h:.2f},{s:.4f},-1,-1,-1\n"
        for t, k, (x, y, w, h), s in zip(
            frame[order].tolist(),
            track[order].tolist(),
            xywh[order].tolist(),
            score[order].tolist(),
            strict=True,
        )
    ]
    return "".join(truth), "".join(pred)


def _walk(random: np.random.Generator, n_frames: int) -> _Figures:
    """Let figures come and go: about 560 in 2,000 frames, 107 at a time."""
    n = max(120, round(0.29 * n_frames))
    length = 100 + random.gamma(2.0, 170.0, n).astype(int)
    start = random.integers(-300, n_frames - 30, n)
    start[: n // 6] = -200  # the street is not empty at first
    # Who stands, and what does not count, stays from the first frame to the last.
    label = np.ones(n, int)
    label[:8] = [6, 6, 7, 7, 7, 7, 8, 8]
    start[:8], length[:8] = 0, n_frames
    first, last = np.maximum(start, 0), np.minimum(start + length, n_frames)
    there = np.maximum(last - first, 0)
    figure = np.repeat(np.arange(n), there)
    since = np.arange(len(figure)) - np.repeat(np.cumsum(there) - there, there)
    moves = np.where(label == 1, 1.0, 0.02)
    pace = random.normal(0, 1.5, (n, 2)) * [1.0, 0.15] * moves[:, None]
    place = random.uniform([100, 400], [_WIDTH - 100, 700], (n, 2))
    sway = random.uniform(0, 6.3, n)
    centre = place[figure] + pace[figure] * since[:, None]
    centre[:, 0] += 12 * np.sin(since / 30 + sway[figure]) * moves[figure]
    centre[:, 0] = np.abs(centre[:, 0] % (2 * _WIDTH) - _WIDTH)  # back at the end of the street
    centre[:, 1] = np.clip(centre[:, 1], 350, 800)
    height = 0.33 * centre[:, 1] * random.normal(1, 0.08, n)[figure]
    width = height * random.uniform(0.34, 0.46, n)[figure]
    corner = centre - np.stack([width, height], axis=1) / 2
    # As annotated: whole pixels.
    xywh = np.round(np.concatenate([corner, np.stack([width, height], axis=1)], axis=1))
    hidden = _hidden(random, there)
    return _Figures(figure, first[figure] + since + 1, xywh, label[figure], hidden)


def _hidden(random: np.random.Generator, there: Any) -> Any:
    """Return of each row whether it lies in a stretch in which others hide the figure."""
    n_rows = int(there.sum())
    n_times = n_rows // 190
    begin = random.integers(0, n_rows, n_times)
    end = np.minimum(begin + random.lognormal(3.0, 0.9, n_times).astype(int) + 1, n_rows)
    depth = np.zeros(n_rows + 1, int)
    np.add.at(depth, begin, 1)
    np.add.at(depth, end, -1)
    return np.cumsum(depth[:-1]) > 0


def _tracked(random: np.random.Generator, figures: _Figures, found: Any) -> tuple[Any, Any, Any]:
    """Return frames, ids and boxes of what the tracker found of the figures."""
    figure, frame = figures.figure[found], figures.frame[found]
    gap = np.diff(frame, prepend=frame[0])
    # A track goes on over short gaps, and over most long ones does not.
    lost = random.random(len(frame)) < np.where(gap > 5, 0.7, 0.002)
    part = np.cumsum(np.concatenate([[False], np.diff(figure) != 0]) | lost)
    begin = np.flatnonzero(np.diff(part, prepend=-1))
    end = np.append(begin[1:], len(part)) - 1
    # Some new tracks are old ones that slid from another figure that was lost just before.
    number = np.arange(len(begin))
    free: dict[int, int] = {}
    for k in np.argsort(frame[begin], kind="stable").tolist():
        near = [
            other
            for other in free
            if 0 < frame[begin[k]] - frame[end[other]] < 30 and figure[end[other]] != figure[end[k]]
        ]
        if near and random.random() < 0.15:
            number[k] = free.pop(near[-1])
        free = {other: i for other, i in free.items() if frame[begin[k]] - frame[end[other]] < 30}
        free[k] = int(number[k])
    track = number[part]
    size = figures.xywh[found][:, [2, 3, 2, 3]]
    # One track in ten lies beside its figure, about where a match ends.
    steady = random.normal(0, 1, (len(begin), 4)) * random.choice(
        [0.03, 0.15], (len(begin), 1), p=[0.9, 0.1]
    )
    xywh = figures.xywh[found] + size * (steady[part] + random.normal(0, 0.03, size.shape))
    return frame, track, xywh


def _ghosts(random: np.random.Generator, n_frames: int, first: int) -> tuple[Any, Any, Any]:
    """Return frames, ids and boxes of short tracks of nothing."""
    n = n_frames // 2
    there = random.integers(2, 14, n)
    start = random.integers(1, n_frames - 15, n)
    ghost = np.repeat(np.arange(n), there)
    since = np.arange(len(ghost)) - np.repeat(np.cumsum(there) - there, there)
    place = random.uniform([0, 300], [_WIDTH - 80, 700], (n, 2))
    height = 0.33 * place[:, 1]
    xywh = np.concatenate([place, np.stack([0.4 * height, height], axis=1)], axis=1)
    return start[ghost] + since, first + ghost, xywh[ghost] + random.normal(0, 2, (len(ghost), 4))
