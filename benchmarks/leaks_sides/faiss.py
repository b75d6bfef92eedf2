"""faiss: a range search of binary codes, every pair, vectors and all processors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import faiss
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Numbers = "Mapping[str, float]"


def hashes(arrays: Mapping[str, Any]) -> Callable[[], Numbers]:
    """All near pairs, and the images of part 2 near one of part 0."""
    codes = arrays["hashes"].view(np.uint8)
    part, distance = arrays["part"], int(arrays["distance"])

    def work() -> Numbers:
        index = faiss.IndexBinaryFlat(256)
        index.add(codes)
        # It finds what is nearer than the radius.
        limits, _, rows = index.range_search(codes, distance + 1)
        query = np.repeat(np.arange(len(codes)), np.diff(limits.astype(np.int64)))
        leaking = np.unique(query[(part[query] == 2) & (part[rows] == 0)])
        return {"pairs": (len(rows) - len(codes)) // 2, "leaking": len(leaking)}

    return work


crowded_hashes = hashes
