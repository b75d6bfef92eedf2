"""Snellen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from snellen.splits.image_hash import hash_files
from snellen.splits.near_pairs import near_pairs

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Numbers = "Mapping[str, float]"


def hashes(arrays: Mapping[str, Any]) -> Callable[[], Numbers]:
    """All near pairs, groups, and the nearest of each part."""
    hashes, part = arrays["hashes"], arrays["part"]
    distance = int(arrays["distance"])

    def work() -> Numbers:
        found = near_pairs(hashes, part, 3, distance)
        return {
            "pairs": found.n_pairs.sum(),
            "leaking": ((found.nearest[:, 0] >= 0) & (part == 2)).sum(),
        }

    return work


many_hashes = crowded_hashes = hashes


def images(arrays: Mapping[str, Any]) -> Callable[[], Numbers]:
    """SHA-256 and difference hash of files."""
    paths = arrays["paths"].tolist()

    def work() -> Numbers:
        found = hash_files(paths)
        return {"images": sum(problem is None for problem in found.problem)}

    return work
