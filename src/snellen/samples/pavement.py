"""People on a pavement before a camera: whole numbers, from where they walk to what is seen.

Lengths of the world are centimetres, those of the image hundredths of a pixel. The camera looks
level, from above head height: who stands nearer has the feet lower in the image, and hides who
stands farther.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from snellen.samples.street_scene import UNITS, Ellipse, Slab, Stroke, Thing, box, draw

if TYPE_CHECKING:
    from collections.abc import Iterable

    from snellen.samples.lots import Lots

__all__ = [
    "BICYCLE",
    "FULL",
    "HEIGHT",
    "OCCLUDER",
    "PALETTE",
    "PEDESTRIAN",
    "REFLECTION",
    "RIDER",
    "STATIC",
    "WIDTH",
    "Pavement",
    "make_pavement",
    "picture",
]

Whole = NDArray[np.int64]
Flags = NDArray[np.bool_]

WIDTH: Final = 384
HEIGHT: Final = 216
# Classes of MOT17.
PEDESTRIAN, RIDER, BICYCLE, STATIC, OCCLUDER, REFLECTION = 1, 2, 4, 7, 9, 12

_FOCUS: Final = 360  # pixels
_EYE: Final = 250  # how high the camera hangs
_HORIZON: Final = 60  # row of pixels
_NEAREST: Final = 520
_PAN: Final = 3000  # from the middle to either end

# What is seen of a box is found at so many points of it: columns × rows.
_ACROSS, _ALONG = 16, 32
FULL: Final = _ACROSS * _ALONG


@dataclasses.dataclass(frozen=True)
class Pavement:
    """What a camera sees in a sequence: n objects in F frames.

    Attributes
    ----------
    kind : ndarray, shape (n,)
        The class of each object.
    box : ndarray, shape (n, F, 4)
        Left, top, width, height.
    depth : ndarray, shape (n, F)
        The distance from the camera.
    there : ndarray, shape (n, F), bool
        Whether it is in the image; from first to last without a gap.
    seen : ndarray, shape (n, F)
        How many of a box's `FULL` points are neither hidden nor outside the image.
    behind : ndarray, shape (n, F)
        The person who hides most of it, where that is three tenths at least, else −1.
    """

    kind: Whole
    box: Whole
    depth: Whole
    there: Flags
    seen: Whole
    behind: Whole


@dataclasses.dataclass(frozen=True)
class _Walk:
    """Who walks how: at frame `meets` it is at `side` of the middle, `away` from the camera.

    `step` and `nearing` are hundredths of a centimetre a frame; `tall` and `wide` centimetres and
    percent of the height; from frame `stops` on it stands for `rests` frames.
    """

    kind: int
    meets: int
    side: int
    away: int
    step: int
    tall: int
    nearing: int = 0
    wide: int = 34
    stops: int = 0
    rests: int = 0


def make_pavement(lots: Lots, n_frames: int, n_people: int, *, pans: bool) -> Pavement:
    """Return a sequence.

    Parameters
    ----------
    lots : Lots
        The random numbers.
    n_frames : int
        At least 1.
    n_people : int
        Pedestrians. A kiosk, a person who sits, one on a bicycle and a reflection come on top.
    pans : bool
        Whether the camera turns.
    """
    walks = [*_pedestrians(lots, n_frames, n_people), *_others(lots, n_frames)]
    time = np.arange(n_frames, dtype=np.int64)
    walked = np.array([_walked(walk, time) for walk in walks], np.int64)
    meets = np.array([walk.meets for walk in walks], np.int64)
    at_meeting = walked[np.arange(len(walks)), meets]
    moved = walked - at_meeting[:, np.newaxis]

    def column(name: str) -> Whole:
        return np.array([[getattr(walk, name)] for walk in walks], np.int64)

    depth = np.maximum(column("away") + column("nearing") * moved // 100, _NEAREST)
    side = 100 * column("side") + column("step") * moved
    tall = _FOCUS * 100 * column("tall") // depth
    # Legs swing: boxes are widest in the middle of a step, every twelve frames.
    swing = np.abs((walked + 5 * np.arange(len(walks))[:, np.newaxis]) % 12 - 6)
    wide = tall * (column("wide") + np.where(column("step") == 0, 0, swing)) // 100
    centre = 50 * WIDTH + _FOCUS * side // depth
    if pans:
        centre -= _PAN * (2 * time - n_frames) // n_frames
    foot = 100 * _HORIZON + _FOCUS * 100 * _EYE // depth
    boxes = np.stack((centre - wide // 2, foot - tall, wide, tall), -1)
    there = _stays(boxes, meets)
    kind = np.array([walk.kind for walk in walks], np.int64)
    seen, behind = _occlusion(kind, boxes, depth, there)
    return Pavement(kind, boxes, depth, there, seen, behind)


def _walked(walk: _Walk, time: Whole) -> Whole:
    """Return for how many frames it has walked, without its rest."""
    return time - np.minimum(np.maximum(time - walk.stops, 0), walk.rests)


def _pedestrians(lots: Lots, n_frames: int, n: int) -> list[_Walk]:
    """Return who walks: in pairs, of whom one passes behind the other or both go side by side.

    The first passes behind the kiosk.
    """

    def draw_lots(limit: int) -> list[int]:
        drawn: list[int] = lots.below(limit, n).tolist()
        return drawn

    meets, side, away, pace = draw_lots(1000), draw_lots(1000), draw_lots(900), draw_lots(260)
    apart, tall, nearing, rests = draw_lots(100), draw_lots(35), draw_lots(7), draw_lots(200)
    walks: list[_Walk] = []
    for k in range(n):
        step = 420 + pace[k]
        size = 152 + tall[k]
        slope = (nearing[k] - 3) * 15
        if k % 2 == 0 or k == 1:  # nobody goes with the first
            depth = 640 + away[k]
            walk = _Walk(
                PEDESTRIAN,
                n_frames * (150 + meets[k] * 7 // 10) // 1000,
                (side[k] - 500) * depth * 44 // 100_000,
                depth,
                step if (k // 2) % 2 else -step,
                size,
                slope,
            )
        else:
            # Farther than the one before; in one pair of three beside and nearly as fast, in the
            # others the other way.
            first = walks[k - 1]
            beside = (k // 2) % 3 == 2
            walk = dataclasses.replace(
                first,
                side=first.side + (32 if beside else 0),
                away=first.away + 35 + apart[k],
                step=first.step + (apart[k] - 50) // 2
                if beside
                else (-step if first.step > 0 else step),
                tall=size,
            )
        # One in eight stops for a while.
        if rests[k] < 25 and k:
            walk = dataclasses.replace(walk, stops=walk.meets + rests[k], rests=15 + rests[k])
        walks.append(walk)
    if walks:
        walks[0] = dataclasses.replace(
            walks[0], meets=n_frames // 2, side=_KIOSK_SIDE, away=_KIOSK_AWAY + 150, nearing=0
        )
    return walks


_KIOSK_SIDE, _KIOSK_AWAY = -150, 900


def _others(lots: Lots, n_frames: int) -> list[_Walk]:
    """Return what is no pedestrian: what hides people, and what trackers take for people."""
    a, b, c, d = lots.below(1000, 4).tolist()
    middle = n_frames // 2
    rider = _Walk(
        *(RIDER, n_frames * (250 + a // 2) // 1000, 0, 760 + b // 2, 1500 if c < 500 else -1500),
        tall=178,
    )
    return [
        _Walk(OCCLUDER, middle, _KIOSK_SIDE, _KIOSK_AWAY, 0, 270, wide=62),
        _Walk(STATIC, middle, 170 + d // 10, 820 + d // 5, 0, 128, wide=48),
        rider,
        # The bicycle stands a little farther, so that it hides nothing of its rider.
        dataclasses.replace(rider, kind=BICYCLE, away=rider.away + 1, tall=105, wide=155),
        _Walk(REFLECTION, middle, (a - 500) // 4, 1900, 260 if d < 500 else -260, 165),
    ]


def _stays(boxes: Whole, meets: Whole) -> Flags:
    """Return when each is in the image: around the frame in which it must be, until it leaves.

    Three tenths of its width make it be there. Who has left doesn't come back as the same.
    """
    left, wide = boxes[..., 0], boxes[..., 2]
    inside = np.minimum(left + wide, 100 * WIDTH) - np.maximum(left, 0)
    there = 10 * inside >= 3 * wide
    n_frames = there.shape[1]
    time = np.arange(n_frames)
    gone = ~there
    # The last frame outside before the meeting, the first after it.
    before = np.where(gone & (time < meets[:, np.newaxis]), time, -1).max(1, initial=-1)
    after = np.where(gone & (time > meets[:, np.newaxis]), time, n_frames).min(1, initial=n_frames)
    return np.asarray((time > before[:, np.newaxis]) & (time < after[:, np.newaxis]))


def _occlusion(kind: Whole, boxes: Whole, depth: Whole, there: Flags) -> tuple[Whole, Whole]:
    """Return how many points of each are seen, and who hides most."""
    n, n_frames = there.shape
    seen = np.zeros((n, n_frames), np.int64)
    behind = np.full((n, n_frames), -1, np.int64)
    person = (kind != OCCLUDER) & (kind != BICYCLE)
    for t in range(n_frames):
        rows = np.flatnonzero(there[:, t])
        left, top, wide, tall = boxes[rows, t].T
        far, nearer = np.nonzero(depth[rows, t][:, np.newaxis] > depth[rows, t])
        # A reflection hides nobody, nor does a bicycle: both can be looked through.
        solid = (kind[rows] != REFLECTION) & (kind[rows] != BICYCLE)
        over = (
            solid[nearer]
            & (
                np.minimum(left + wide, left[:, np.newaxis] + wide[:, np.newaxis])
                > np.maximum(left, left[:, np.newaxis])
            )[far, nearer]
        )
        far, nearer = far[over], nearer[over]
        x = left[:, np.newaxis] + wide[:, np.newaxis] * (2 * np.arange(_ACROSS) + 1) // (
            2 * _ACROSS
        )
        y = top[:, np.newaxis] + tall[:, np.newaxis] * (2 * np.arange(_ALONG) + 1) // (2 * _ALONG)
        inside = ((x >= 0) & (x < 100 * WIDTH))[:, np.newaxis] & ((y >= 0) & (y < 100 * HEIGHT))[
            :, :, np.newaxis
        ]
        columns = (x[far] >= left[nearer, np.newaxis]) & (
            x[far] < (left + wide)[nearer, np.newaxis]
        )
        lines = (y[far] >= top[nearer, np.newaxis]) & (y[far] < (top + tall)[nearer, np.newaxis])
        hidden = np.zeros(inside.shape, np.bool_)
        np.logical_or.at(hidden, far, lines[:, :, np.newaxis] & columns[:, np.newaxis])
        seen[rows, t] = (inside & ~hidden).sum((1, 2))
        # The greatest share that one person hides; of equals the first.
        share = columns.sum(1) * lines.sum(1)
        most = np.zeros(len(rows), np.int64)
        for i, j, points in zip(far.tolist(), nearer.tolist(), share.tolist(), strict=True):
            if person[rows[j]] and 10 * points >= 3 * FULL and points > most[i]:
                most[i] = points
                behind[rows[i], t] = rows[j]
    return seen, behind


# --- pictures -------------------------------------------------------------------------------------

# Half a byte a pixel: sixteen colours.
PALETTE: Final = (
    *((196, 190, 182), (168, 164, 160), (150, 138, 128), (118, 150, 168)),
    *((92, 84, 78), (196, 160, 60), (44, 46, 56), (84, 78, 96)),
    *((224, 184, 152), (150, 104, 78), (190, 66, 58), (60, 96, 160)),
    *((84, 140, 92), (232, 232, 226), (150, 90, 140), (214, 124, 56)),
)
_WALL, _PAVING, _STRIP, _WINDOW, _METAL, _SIGN, _DARK, _JEANS = PALETTE[:8]
_SKIN, _SHIRTS = PALETTE[8:10], PALETTE[10:]


def picture(scene: Pavement, frame: int) -> NDArray[np.uint8]:
    """Return what the camera sees in a frame, 0 the first, as positions in `PALETTE`."""
    everything = (-(WIDTH * UNITS) // HEIGHT, 2 * WIDTH * UNITS // HEIGHT)
    floor, edge = _units(100 * _HORIZON + 3600), _units(100 * _HORIZON + 4000)
    strokes = [
        Stroke(box(everything[0], 0, everything[1], UNITS), _PAVING),
        Stroke(box(everything[0], 0, everything[1], floor), _WALL),
        Stroke(box(everything[0], floor, everything[1], edge), _STRIP),
        Stroke(box(_units(7000), _units(4500), _units(31_000), _units(9200)), _WINDOW),
    ]
    things = [Thing(0, tuple(strokes))]
    rows = np.flatnonzero(scene.there[:, frame])
    # Far ones first; what is farther hides nothing.
    for row in rows[np.argsort(-scene.depth[rows, frame], kind="stable")].tolist():
        left, top, wide, tall = scene.box[row, frame].tolist()
        things.append(Thing(1, tuple(_figure(row, int(scene.kind[row]), left, top, wide, tall))))
    drawing = draw(things, WIDTH, HEIGHT)
    position = {colour: k for k, colour in enumerate(PALETTE)}
    indices = [position[red, green, blue] for red, green, blue in drawing.colours.tolist()]
    return np.array(indices, np.uint8)[drawing.stroke]


def _units(length: int) -> int:
    return length * UNITS // (100 * HEIGHT)


def _figure(row: int, kind: int, left: int, top: int, wide: int, tall: int) -> Iterable[Stroke]:
    """Return the strokes of an object, within its box."""

    def part(x0: int, y0: int, x1: int, y1: int) -> Slab:
        """Return a rectangle, in percent of the box."""
        return box(
            *(_units(left + wide * x0 // 100), _units(top + tall * y0 // 100)),
            *(_units(left + wide * x1 // 100), _units(top + tall * y1 // 100)),
        )

    def disc(x: int, y: int, across: int, along: int) -> Ellipse:
        return Ellipse(
            *(_units(left + wide * x // 100), _units(top + tall * y // 100)),
            *(_units(wide * across // 100), _units(tall * along // 100)),
        )

    if kind == OCCLUDER:
        yield Stroke(part(0, 0, 100, 100), _METAL)
        yield Stroke(part(10, 20, 90, 50), _WINDOW)
        yield Stroke(part(0, 4, 100, 14), _SIGN)
        return
    if kind == BICYCLE:
        for x in (20, 80):
            yield Stroke(disc(x, 68, 20, 32), _DARK)
            yield Stroke(disc(x, 68, 15, 24), _PAVING)
        yield Stroke(part(20, 40, 80, 46), _SIGN)
        return
    shirt = _SHIRTS[row % len(_SHIRTS)]
    legs = (_DARK, _JEANS)[row // 2 % 2]
    if kind == REFLECTION:  # a shadow in a window
        shirt = legs = _STRIP
    yield Stroke(part(4, 55, 44, 100), legs)
    yield Stroke(part(56, 55, 96, 100), legs)
    yield Stroke(part(12, 18, 88, 60), shirt)
    yield Stroke(part(0, 20, 14, 52), shirt)
    yield Stroke(part(86, 20, 100, 52), shirt)
    yield Stroke(disc(50, 9, 24, 9), _STRIP if kind == REFLECTION else _SKIN[row // 3 % 2])
