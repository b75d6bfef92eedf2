"""Streets as label maps: drawn from whole numbers, without antialiasing.

A scene is a list of objects, far ones first; an object is shapes of one class, and an instance
where it is of things. All lengths are in units of the image's height / 2048, so that a scene looks
the same at every size. Class ids are the train ids of Cityscapes (19 classes); void is 255.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

import numpy as np

from snellen.samples.lots import Lots, at_least

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = [
    "N_KINDS",
    "VOID",
    "Drawing",
    "Ellipse",
    "Slab",
    "Thing",
    "draw",
    "street",
    "street_scene",
]

Colour: TypeAlias = "tuple[int, int, int]"

VOID: Final = 255
N_KINDS: Final = 19
UNITS: Final = 2048  # of the height
_STREET_STREAM: Final = 51

ROAD, SIDEWALK, BUILDING, WALL, FENCE, POLE, LIGHT, SIGN, VEGETATION, TERRAIN, SKY = range(11)
PERSON, RIDER, CAR, TRUCK, BUS, TRAIN, MOTORCYCLE, BICYCLE = range(11, N_KINDS)

_FACADES: Final = (
    *((196, 160, 128), (168, 120, 104), (208, 192, 160), (150, 140, 136), (182, 148, 140)),
    *((214, 204, 190), (138, 108, 92), (176, 170, 150)),
)
_LEAVES: Final = ((84, 118, 62), (100, 134, 70), (70, 104, 58), (118, 140, 76))
_PAINTS: Final = (
    *((168, 44, 44), (52, 84, 140), (208, 208, 208), (60, 64, 70), (196, 160, 60)),
    *((88, 128, 104), (232, 232, 228), (110, 70, 110)),
)
_CLOTHES: Final = (
    *((190, 70, 60), (60, 90, 150), (70, 70, 76), (180, 150, 80), (90, 130, 90), (150, 90, 140)),
)
_SKIN: Final = ((224, 184, 152), (188, 140, 108), (132, 92, 68))
_GLASS: Final = (92, 112, 128)
_TYRE: Final = (34, 34, 36)


class Ellipse(NamedTuple):
    """All points within an ellipse around (x, y)."""

    x: int
    y: int
    across: int
    along: int


class Slab(NamedTuple):
    """A trapezoid with level edges: from `left` to `right` above, `left2` to `right2` below."""

    top: int
    bottom: int
    left: int
    right: int
    left2: int
    right2: int


class Stroke(NamedTuple):
    """A shape and the colour that pictures have there."""

    shape: Ellipse | Slab
    colour: Colour


@dataclasses.dataclass(frozen=True)
class Thing:
    """An object of a scene.

    Attributes
    ----------
    kind : int
        Its class, or `VOID`.
    strokes : tuple of Stroke
        What is drawn, in this order.
    depth : int
        Where it stands on the ground; what stands lower is drawn later.
    counted : bool
        Whether it is an instance.
    crowd : bool
        Whether it is a group that is annotated as one.
    """

    kind: int
    strokes: tuple[Stroke, ...]
    depth: int = 0
    counted: bool = False
    crowd: bool = False


class Drawing(NamedTuple):
    """What is seen of a scene.

    Attributes
    ----------
    thing : ndarray, shape (height, width), int16
        The position of the object that is seen in each pixel.
    stroke : ndarray, shape (height, width), int16
        The position among all strokes.
    kinds : ndarray, shape (n,), uint8
        The class of each object.
    colours : ndarray, shape (strokes, 3), uint8
        The colour of each stroke.
    """

    thing: NDArray[np.int16]
    stroke: NDArray[np.int16]
    kinds: NDArray[np.uint8]
    colours: NDArray[np.uint8]

    @property
    def labels(self) -> NDArray[np.uint8]:
        """The class of each pixel."""
        return self.kinds[self.thing]


def box(left: int, top: int, right: int, bottom: int) -> Slab:
    """Return a rectangle."""
    return Slab(top, bottom, left, right, left, right)


def street_scene(seed: int, width: int, height: int, n_classes: int = N_KINDS) -> NDArray[np.uint8]:
    """Return a label map of a street: the same on every machine.

    Parameters
    ----------
    seed : int
        Which street, at least 0.
    width, height : int
        In pixels, at least 1.
    n_classes : int
        1 to 255; ids are below. With fewer than 19, classes are put together; with more, objects of
        one class are spread over several.

    Returns
    -------
    ndarray, shape (height, width), uint8
        Class ids, and 255 where there is void.

    Examples
    --------
    >>> scene = street_scene(0, 64, 32)
    >>> scene.shape, scene[-1, :4].tolist()
    ((32, 64), [1, 1, 1, 1])
    """
    width, height = at_least(1, "width", width), at_least(1, "height", height)
    n_classes = min(at_least(1, "n_classes", n_classes), 255)
    things = street(Lots(seed, _STREET_STREAM), UNITS * width // height)
    drawing = draw(things, width, height)
    kinds = drawing.kinds.astype(np.int64)
    spread = kinds + N_KINDS * (np.arange(len(kinds)) % max(n_classes // N_KINDS, 1))
    kinds = np.where(kinds == VOID, VOID, spread % n_classes)
    return kinds.astype(np.uint8)[drawing.thing]


def draw(things: Sequence[Thing], width: int, height: int) -> Drawing:
    """Return what is seen of objects that are drawn one after the other."""
    strokes = np.zeros((height, width), np.int16)
    of: list[int] = []
    colours: list[Colour] = []
    for k, thing in enumerate(things):
        for stroke in thing.strokes:
            _fill(strokes, stroke.shape, len(of))
            of.append(k)
            colours.append(stroke.colour)
    owner = np.array(of, np.int16)
    return Drawing(
        owner[strokes],
        strokes,
        np.array([thing.kind for thing in things], np.uint8),
        np.array(colours, np.uint8),
    )


def _fill(canvas: NDArray[np.int16], shape: Ellipse | Slab, value: int) -> None:
    """Write a value to the pixels whose centre lies within a shape."""
    height, width = canvas.shape
    if isinstance(shape, Ellipse):
        x0, x1 = shape.x - shape.across, shape.x + shape.across
        top, bottom = shape.y - shape.along, shape.y + shape.along
    else:
        x0, x1 = min(shape.left, shape.left2), max(shape.right, shape.right2)
        top, bottom = shape.top, shape.bottom
    first, last = _pixels(x0, x1, height, width)
    above, below = _pixels(top, bottom, height, height)
    if first >= last or above >= below:
        return
    region = canvas[above:below, first:last]
    # Centres of pixels, in half units: whole numbers.
    y = (2 * np.arange(above, below, dtype=np.int64) + 1) * UNITS // height
    x = (2 * np.arange(first, last, dtype=np.int64) + 1) * UNITS // height
    if isinstance(shape, Ellipse):
        a, b = 2 * shape.across, 2 * shape.along
        within = (x - 2 * shape.x) ** 2 * (b * b) + ((y - 2 * shape.y) ** 2 * (a * a))[:, None]
        region[within <= a * a * b * b] = value
    elif shape.left == shape.left2 and shape.right == shape.right2:
        region[:] = value
    else:
        tall = max(2 * (shape.bottom - shape.top), 1)
        down = y - 2 * shape.top
        left = 2 * shape.left + 2 * (shape.left2 - shape.left) * down // tall
        right = 2 * shape.right + 2 * (shape.right2 - shape.right) * down // tall
        region[(x >= left[:, None]) & (x < right[:, None])] = value


def _pixels(low: int, high: int, height: int, n: int) -> tuple[int, int]:
    """Return the range of pixels whose centres lie from low to high."""
    # 2 k + 1 ≥ 2 low height / UNITS
    first = -((-2 * low * height // UNITS + 1) // 2) if low > 0 else 0
    last = (2 * high * height // UNITS + 1) // 2
    return max(first, 0), min(last, n)


# --- what a street is made of ---------------------------------------------------------------------


def street(lots: Lots, across: int) -> list[Thing]:
    """Return a street's objects, in the order in which they are drawn.

    Parameters
    ----------
    lots : Lots
        The random numbers; how many are taken depends on them alone.
    across : int
        The width, in units.
    """
    return _Street(lots, across).things()


class _Street:
    def __init__(self, lots: Lots, across: int) -> None:
        self._lots, self._across = lots, across
        self._horizon = 860 + self._below(160)
        self._middle = across // 2 + self._below(across // 8 + 1) - across // 16

    def _below(self, limit: int) -> int:
        return int(self._lots.below(limit, 1)[0])

    def _one_of(self, colours: tuple[Colour, ...]) -> Colour:
        return colours[self._below(len(colours))]

    def _size(self, depth: int) -> int:
        """Return how large things look there, in thousandths of those that stand nearest."""
        return (depth - self._horizon) * 1000 // (UNITS - self._horizon)

    def _road(self, depth: int) -> int:
        """Return half the width of the road."""
        return 20 + (depth - self._horizon) * 21 // 20

    def things(self) -> list[Thing]:
        things = [*self._ground(), *self._sides()]
        standing: list[Thing] = []
        for make, least, more in (
            (self._pole, 3, 5),
            (self._car, 3, 6),
            (self._large, 0, 3),
            (self._person, 3, 7),
            (self._two_wheels, 1, 4),
            (self._low_green, 1, 3),
        ):
            for _ in range(least + self._below(more)):
                standing += make()
        if self._below(3):
            standing.append(self._crowd())
        standing.sort(key=lambda thing: thing.depth)
        hood = Ellipse(self._middle, UNITS + 200, self._across * 3 // 8, 330)
        return [*things, *standing, Thing(VOID, (Stroke(hood, (44, 46, 50)),), UNITS)]

    def _ground(self) -> list[Thing]:
        h, m, far = self._horizon, self._middle, self._across
        sky = [Stroke(box(-far, 0, 2 * far, UNITS), (150, 184, 214))]
        for _ in range(3 + self._below(4)):
            x, y, wide = self._below(far), 60 + self._below(h // 2), 120 + self._below(220)
            sky += [
                Stroke(Ellipse(x + wide * k // 2, y - 20 * (k == 1), wide, 34), (206, 218, 228))
                for k in range(3)
            ]
        green = self._below(3) == 0
        beyond = (124, 142, 84) if green else (150, 142, 138)
        ground = Stroke(box(-far, h, 2 * far, UNITS), beyond)
        wide, road = (UNITS - h) * 8 // 5, self._road(UNITS)
        walk = Stroke(Slab(h, UNITS, m - 40, m + 40, m - 40 - wide, m + 40 + wide), (168, 160, 158))
        surface = Stroke(Slab(h, UNITS, m - 20, m + 20, m - road, m + road), (96, 96, 100))
        marks = []
        depth = h + 60
        while depth < UNITS:
            near = depth + (depth - h) // 4
            a, b = (depth - h) // 60, (near - h) // 60
            marks.append(Stroke(Slab(depth, near, m - a, m + a, m - b, m + b), (206, 206, 200)))
            depth = near + (depth - h) // 3
        return [
            Thing(SKY, tuple(sky)),
            Thing(TERRAIN if green else SIDEWALK, (ground,)),
            Thing(SIDEWALK, (walk,)),
            Thing(ROAD, (surface, *marks)),
        ]

    def _sides(self) -> list[Thing]:
        found: list[tuple[int, Thing]] = []
        for side in (-1, 1):
            away = 46
            while away < self._across:
                wide = 90 + away // 2 + self._below(away // 2 + 60)
                near, far = self._middle + side * away, self._middle + side * (away + wide)
                left, right = min(near, far), max(near, far)
                base = self._horizon + away * 5 // 13
                found.append((away, self._plot(left, right, base, wide)))
                away += wide * (9 + self._below(4)) // 10
        found.sort(key=lambda each: each[0])
        return [thing for _, thing in found]

    def _plot(self, left: int, right: int, base: int, wide: int) -> Thing:
        lot = self._below(100)
        if lot < 62:
            return self._building(left, right, base, wide)
        if lot < 84:
            return self._trees(left, right, base, wide)
        high = 60 + wide // 4
        if lot < 92:
            wall = Stroke(box(left, base - high, right, base), (150, 138, 130))
            edge = Stroke(box(left, base - high, right, base - high * 9 // 10), (128, 116, 110))
            return Thing(WALL, (wall, edge))
        step = max(wide // 14, 8)
        strokes = [Stroke(box(left, base - high, right, base), (112, 104, 96))]
        strokes += [
            Stroke(box(x, base - high * 9 // 10, x + step // 2, base), (146, 136, 126))
            for x in range(left, right, step)
        ]
        return Thing(FENCE, tuple(strokes))

    def _building(self, left: int, right: int, base: int, wide: int) -> Thing:
        high = wide * (9 + self._below(12)) // 10 + 160
        colour = self._one_of(_FACADES)
        dark = (colour[0] * 3 // 4, colour[1] * 3 // 4, colour[2] * 3 // 4)
        top = base - high
        strokes = [Stroke(box(left, top, right, base), colour)]
        if self._below(2):
            rise, inset = wide // 5, wide // 6
            roof = Slab(top - rise, top, left + inset, right - inset, left - 8, right + 8)
            strokes.append(Stroke(roof, (128, 76, 64)))
        else:
            strokes.append(Stroke(box(left, top, right, top + high // 30), dark))
        columns, rows = min(2 + wide // 160, 24), min(2 + high // 190, 24)
        cell, storey = (right - left) // columns, high // (rows + 1)
        for row in range(rows):
            for column in range(columns):
                x, y = left + column * cell + cell // 4, top + row * storey + storey // 3
                lit = (226, 204, 140) if self._below(9) == 0 else _GLASS
                strokes.append(Stroke(box(x, y, x + cell // 2, y + storey // 2), lit))
        door = left + cell * self._below(columns) + cell // 4
        strokes.append(Stroke(box(door, base - storey * 2 // 3, door + cell // 2, base), dark))
        return Thing(BUILDING, tuple(strokes))

    def _trees(self, left: int, right: int, base: int, wide: int) -> Thing:
        high = wide * (8 + self._below(8)) // 10 + 100
        middle = (left + right) // 2
        trunk = box(middle - wide // 24, base - high // 2, middle + wide // 24, base)
        strokes = [Stroke(trunk, (94, 74, 58))]
        for _ in range(9):
            x = left + wide // 8 + self._below(wide * 3 // 4 + 1)
            y = base - high + self._below(high * 6 // 10 + 1)
            size = wide // 6 + self._below(wide // 7 + 1)
            strokes.append(Stroke(Ellipse(x, y, size, size * 5 // 6), self._one_of(_LEAVES)))
        return Thing(VEGETATION, tuple(strokes))

    def _low_green(self) -> list[Thing]:
        depth = self._horizon + 160 + self._below(UNITS - self._horizon - 500)
        size = self._size(depth)
        x = self._middle + self._side() * (self._road(depth) * 3 // 2 + size // 3)
        patch = Ellipse(x, depth, 420 * size // 1000 + 20, 60 * size // 1000 + 8)
        bush = Ellipse(x, depth - 60 * size // 1000, 170 * size // 1000, 120 * size // 1000)
        return [
            Thing(TERRAIN, (Stroke(patch, (132, 150, 88)),), depth - 1),
            Thing(VEGETATION, (Stroke(bush, self._one_of(_LEAVES)),), depth),
        ]

    def _side(self) -> int:
        return 1 - 2 * self._below(2)

    def _pole(self) -> list[Thing]:
        depth = self._horizon + 90 + self._below(UNITS - self._horizon - 420)
        size = self._size(depth)
        x = self._middle + self._side() * (self._road(depth) + 60 * size // 1000)
        high, thin = 1500 * size // 1000, max(22 * size // 1000, 5)
        top = depth - high
        found = [
            Thing(POLE, (Stroke(box(x - thin, top, x + thin, depth), (104, 106, 108)),), depth)
        ]
        lot = self._below(3)
        if lot == 0:
            wide, tall = 62 * size // 1000, 190 * size // 1000
            strokes = [Stroke(box(x - wide, top - tall, x + wide, top + tall), (44, 46, 44))]
            lamps = ((200, 50, 40), (208, 168, 50), (70, 170, 90))
            for k, colour in enumerate(lamps):
                lamp = Ellipse(x, top + (k - 1) * tall * 5 // 8, wide * 2 // 3, wide * 2 // 3)
                strokes.append(Stroke(lamp, colour))
            found.append(Thing(LIGHT, tuple(strokes), depth))
        elif lot == 1:
            wide = 130 * size // 1000
            outer, inner = (
                Ellipse(x, top, wide, wide),
                Ellipse(x, top, wide * 3 // 4, wide * 3 // 4),
            )
            found.append(
                Thing(SIGN, (Stroke(outer, (190, 40, 40)), Stroke(inner, (236, 236, 230))), depth)
            )
        return found

    def _lane(self, depth: int) -> int:
        """Return where something on the road is: in a lane, or at the edge."""
        share = (-78, -42, 40, 80)[self._below(4)]
        return self._middle + self._road(depth) * share // 100

    def _car(self) -> list[Thing]:
        depth = self._horizon + 50 + self._below(1 + (UNITS - self._horizon) * 6 // 10)
        size = self._size(depth)
        return [
            self._vehicle(CAR, self._lane(depth), depth, 400 * size // 1000, 560 * size // 1000)
        ]

    def _large(self) -> list[Thing]:
        depth = self._horizon + 70 + self._below(1 + (UNITS - self._horizon) * 4 // 10)
        size = self._size(depth)
        kind = (TRUCK, TRUCK, BUS, BUS, TRAIN)[self._below(5)]
        wide, high = 520 * size // 1000, 1150 * size // 1000
        return [self._vehicle(kind, self._lane(depth), depth, wide, high)]

    def _vehicle(self, kind: int, x: int, depth: int, wide: int, high: int) -> Thing:
        colour = self._one_of(_PAINTS)
        shade = (colour[0] * 3 // 4, colour[1] * 3 // 4, colour[2] * 3 // 4)
        wheel = max(wide // 5, 3)
        tyres = [
            Stroke(
                box(
                    x + s * wide * 7 // 10 - wheel // 2,
                    depth - wheel,
                    x + s * wide * 7 // 10 + wheel // 2,
                    depth,
                ),
                _TYRE,
            )
            for s in (-1, 1)
        ]
        floor = depth - wheel * 2 // 3
        if kind == CAR:
            waist = depth - high * 6 // 10
            cabin = Slab(
                depth - high,
                waist,
                x - wide * 6 // 10,
                x + wide * 6 // 10,
                x - wide * 9 // 10,
                x + wide * 9 // 10,
            )
            glass = Slab(
                depth - high * 19 // 20,
                waist,
                x - wide // 2,
                x + wide // 2,
                x - wide * 3 // 4,
                x + wide * 3 // 4,
            )
            body = Slab(waist, floor, x - wide * 19 // 20, x + wide * 19 // 20, x - wide, x + wide)
            lamps = [
                Stroke(
                    Ellipse(x + s * wide * 7 // 10, waist + high // 7, wide // 8, wide // 12),
                    (232, 96, 80),
                )
                for s in (-1, 1)
            ]
            shapes = [Stroke(cabin, shade), Stroke(glass, _GLASS), Stroke(body, colour), *lamps]
        else:
            top = depth - high
            shapes = [Stroke(box(x - wide, top, x + wide, floor), colour)]
            low = top + high // (6 if kind == TRUCK else 2)
            window = box(x - wide * 8 // 10, top + high // 12, x + wide * 8 // 10, low)
            shapes.append(Stroke(window, shade if kind == TRUCK else _GLASS))
            shapes.append(Stroke(box(x - wide, floor - high // 9, x + wide, floor), shade))
        return Thing(kind, (*tyres, *shapes), depth, counted=True)

    def _body(self, x: int, depth: int, high: int) -> tuple[Stroke, ...]:
        """Return someone who stands there."""
        cloth, trousers = self._one_of(_CLOTHES), self._one_of(_CLOTHES)
        head, wide = max(high // 9, 3), max(high // 7, 4)
        top = depth - high
        hips = depth - high * 9 // 20
        stride = self._below(wide + 1)
        legs = [
            Stroke(
                Slab(
                    hips,
                    depth,
                    x + s * wide // 3 - wide // 3,
                    x + s * wide // 3 + wide // 3,
                    x + s * stride - wide // 4,
                    x + s * stride + wide // 4,
                ),
                trousers,
            )
            for s in (-1, 1)
        ]
        trunk = Slab(
            top + head * 2,
            hips,
            x - wide * 3 // 4,
            x + wide * 3 // 4,
            x - wide * 3 // 4,
            x + wide * 3 // 4,
        )
        return (
            *legs,
            Stroke(trunk, cloth),
            Stroke(Ellipse(x, top + head, head * 4 // 5, head), self._one_of(_SKIN)),
        )

    def _person(self) -> list[Thing]:
        depth = self._horizon + 70 + self._below((UNITS - self._horizon) * 6 // 10)
        size = self._size(depth)
        x = self._middle + self._side() * (
            self._road(depth) * (11 + self._below(4)) // 10 + self._below(size // 2 + 1)
        )
        high = (760 + self._below(160)) * size // 1000
        return [Thing(PERSON, self._body(x, depth, high), depth, counted=True)]

    def _crowd(self) -> Thing:
        depth = self._horizon + 110 + self._below(80)
        size = self._size(depth)
        x = self._middle + self._side() * self._road(depth) * 13 // 10
        strokes: list[Stroke] = []
        for k in range(6):
            high = (700 + self._below(180)) * size // 1000
            strokes += self._body(x + (k - 3) * 150 * size // 1000, depth, high)
        return Thing(PERSON, tuple(strokes), depth, counted=True, crowd=True)

    def _two_wheels(self) -> list[Thing]:
        depth = self._horizon + 90 + self._below((UNITS - self._horizon) * 5 // 10)
        size = self._size(depth)
        x = self._middle + self._side() * self._road(depth) * (7 + self._below(3)) // 10
        heavy = self._below(3) == 0
        wheel, half = (150 if heavy else 170) * size // 1000, 230 * size // 1000
        strokes = []
        for s in (-1, 1):
            strokes.append(Stroke(Ellipse(x + s * half, depth - wheel, wheel, wheel), _TYRE))
            hub = wheel * (5 if heavy else 8) // 10
            strokes.append(Stroke(Ellipse(x + s * half, depth - wheel, hub, hub), (120, 118, 116)))
        frame = Slab(
            depth - wheel * 2,
            depth - wheel * (8 if heavy else 15) // 10,
            x - half * 3 // 4,
            x + half * 3 // 4,
            x - half // 2,
            x + half // 2,
        )
        strokes.append(Stroke(frame, self._one_of(_PAINTS)))
        kind = MOTORCYCLE if heavy else BICYCLE
        found = [Thing(kind, tuple(strokes), depth, counted=True)]
        if self._below(3):
            rider = self._body(x, depth - wheel * 11 // 10, 640 * size // 1000)
            found.append(Thing(RIDER, rider, depth + 1, counted=True))
        return found
