"""Random sequences of moving boxes, with what makes tracking hard: ties, gaps, ghosts, nothing."""

from __future__ import annotations

import dataclasses
from typing import Any, NamedTuple

import numpy as np


@dataclasses.dataclass(frozen=True)
class Rows:
    """Objects in frames, as columns; frames count from 0."""

    frame: Any
    track: Any
    xywh: Any
    label: Any

    def __len__(self) -> int:
        return len(self.frame)

    def __getitem__(self, rows: Any) -> Rows:
        return Rows(*(column[rows] for column in self.columns))

    @property
    def columns(self) -> tuple[Any, Any, Any, Any]:
        return self.frame, self.track, self.xywh, self.label


class Scene(NamedTuple):
    """Truth and predictions of a sequence."""

    n_frames: int
    truth: Rows
    pred: Rows


def scene(
    seed: int,
    *,
    n_frames: int = 12,
    n_objects: int = 7,
    n_labels: int = 1,
    grid: bool = True,
    size: int = 8,
    empty_frames: bool = True,
) -> Scene:
    """Return a sequence of boxes, of which the rows of a frame are in any order.

    Parameters
    ----------
    n_labels : int
        Labels are 0 … n_labels - 1; a prediction has that of the object it follows, mostly.
    grid : bool
        All coordinates are whole numbers, few of them, so that many assignments tie exactly.
    size : int
        How large boxes are, about; they move by a fraction of it.
    empty_frames : bool
        Whether single frames have no truth, no predictions, or neither.
    """
    random = np.random.default_rng(seed)
    step = max(1, size // 4)
    truth: list[tuple[Any, ...]] = []
    pred: list[tuple[Any, ...]] = []
    label = random.integers(0, n_labels, n_objects)
    place = random.integers(0, 2 * size, (n_objects, 2)) // step * step
    extent = size + step * random.integers(0, 2, (n_objects, 2))
    follower = 100 + random.permutation(n_objects)
    for t in range(n_frames):
        place = place + step * random.integers(-1, 2, place.shape)
        if random.random() < 0.3:  # two tracks change places
            i, j = random.integers(0, n_objects, 2)
            follower[i], follower[j] = follower[j], follower[i]
        if random.random() < 0.2:  # a track ends, another begins
            follower[random.integers(0, n_objects)] = follower.max() + 1
        nothing = random.random(2) < (0.1 if empty_frames else 0.0)
        for k in random.permutation(n_objects).tolist():
            if random.random() < 0.85 and not nothing[0]:
                truth.append((t, k + 1, *place[k], *extent[k], label[k]))
            if random.random() < 0.8 and not nothing[1]:
                shift = step * random.integers(-1, 2, 2) * (random.random() < 0.5)
                other = label[k] if random.random() < 0.9 else random.integers(0, n_labels)
                pred.append((t, follower[k], *(place[k] + shift), *extent[k], other))
        if random.random() < 0.5 and not nothing[1]:  # a ghost
            at = random.integers(0, 2 * size, 2)
            pred.append((t, 5000 + t, *at, size, size, random.integers(0, n_labels)))
    sides = []
    for rows in (truth, pred):
        table = np.array(rows, np.float64).reshape(-1, 7)
        table = table[random.permutation(len(table))]
        xywh = table[:, 2:6]
        if not grid:
            xywh = np.abs(np.round(xywh + random.normal(scale=0.07 * size, size=xywh.shape), 2))
            xywh[:, 2:] += 0.5
        frame, track, of_label = (table[:, i].astype(np.int64) for i in (0, 1, 6))
        sides.append(Rows(frame, track, xywh, of_label))
    return Scene(n_frames, *sides)
