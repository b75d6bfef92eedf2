"""The colours of drawn objects: the names of ``lvis.colormap``."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["colormap"]

# All in thousandths. Seven of MATLAB's, two greys, six bright ones.
_FIRST = (
    *((0, 447, 741), (850, 325, 98), (929, 694, 125), (494, 184, 556), (466, 674, 188)),
    *((301, 745, 933), (635, 78, 184), (300, 300, 300), (600, 600, 600), (1000, 0, 0)),
    *((1000, 500, 0), (749, 749, 0), (0, 1000, 0), (0, 0, 1000), (667, 0, 1000)),
)
_THIRDS = (0, 333, 667, 1000)
_SIXTHS = (167, 333, 500, 667, 833, 1000)
_SEVENTHS = (0, 143, 286, 429, 571, 714, 857, 1000)


def colormap(rgb: Any = False) -> Any:
    """Return 79 colours, from 0 to 255, float32.

    Parameters
    ----------
    rgb : bool
        Red, green, blue; else blue, green, red.
    """
    colours = (np.array(list(_colours())) / 1000).astype(np.float32) * 255
    return colours if rgb else colours[:, ::-1]


def _colours() -> Iterator[tuple[int, int, int]]:
    yield from _FIRST
    # Mixtures of red and green under no, half and all blue; those of one colour come below.
    for blue in (0, 500, 1000):
        for red, green in itertools.product(_THIRDS, repeat=2):
            is_mixed = red * green > 0 if blue == 0 else red + green > 0
            if is_mixed and (red, green, blue) != (1000, 1000, 1000):
                yield red, green, blue
    for channel in range(3):
        for level in _SIXTHS:
            red, green, blue = (level if k == channel else 0 for k in range(3))
            yield red, green, blue
    for grey in _SEVENTHS:
        yield grey, grey, grey
