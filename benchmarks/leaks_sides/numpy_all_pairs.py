"""NumPy: every pair, counted in blocks; what one writes without a library."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Numbers = "Mapping[str, float]"

_ROWS = 64


def hashes(arrays: Mapping[str, Any]) -> Callable[[], Numbers]:
    """All near pairs, and the images of part 2 near one of part 0."""
    hashes, part = arrays["hashes"], arrays["part"]
    distance = int(arrays["distance"])
    words = [np.ascontiguousarray(column) for column in hashes.T]

    def work() -> Numbers:
        n_pairs = n_leaking = 0
        for begin in range(0, len(hashes), _ROWS):
            apart = np.zeros((min(_ROWS, len(hashes) - begin), len(hashes)), np.uint16)
            for word in words:
                apart += np.bitwise_count(word[begin : begin + _ROWS, None] ^ word)
            near = apart <= distance
            n_pairs += np.count_nonzero(near)
            leaking = near[part[begin : begin + _ROWS] == 2][:, part == 0].any(axis=1)
            n_leaking += np.count_nonzero(leaking)
        return {"pairs": (n_pairs - len(hashes)) // 2, "leaking": n_leaking}

    return work
