"""Near duplicates, Snellen beside its peers: the same pairs of the same hashes; files to hashes.

``python benchmarks/leaks.py`` with an interpreter that has Snellen, its ``report`` extra, and
faiss-cpu, ImageHash and imagededup, those that there are. README.md beside this file says how it
measures.
"""

from __future__ import annotations

import importlib.util
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
from in_memory import Task, main

if TYPE_CHECKING:
    from pathlib import Path

    Arrays = dict[str, np.ndarray[Any, Any]]

_PACKAGES = {
    "snellen": "snellen",
    "faiss": "faiss-cpu",
    "numpy_all_pairs": "numpy",
    "imagehash": "ImageHash",
    "imagededup": "imagededup",
}
_DISTANCE = 30


def _flipped(hashes: Any, n_bits: Any, random: np.random.Generator) -> Any:
    bits = np.unpackbits(hashes.view(np.uint8), axis=1)
    for row, n in zip(bits, n_bits, strict=True):
        row[random.choice(256, n, replace=False)] ^= 1
    return np.packbits(bits, axis=1).view(np.uint64)


def _hashes(n: int, n_planted: int, n_clustered: int, spread_bits: int) -> Arrays:
    """Return random hashes, some with one planted near them, and a cluster around one."""
    random = np.random.default_rng(0)
    hashes = random.integers(0, 2**64, (n, 4), np.uint64)
    centre = np.repeat(hashes[:1], n_clustered, axis=0)
    hashes[:n_clustered] = _flipped(centre, random.integers(0, spread_bits, n_clustered), random)
    if n_planted:
        near = hashes[n_clustered : n_clustered + n_planted]
        hashes[-n_planted:] = _flipped(near, random.integers(0, 40, n_planted), random)
    return {
        "hashes": hashes[random.permutation(n)],
        "part": random.choice(3, n, p=[0.6, 0.2, 0.2]).astype(np.int32),
        "distance": np.array(_DISTANCE),
    }


def _hundred_thousand(scale: float, _: Path) -> Arrays:
    return _hashes(int(100_000 * scale), int(5000 * scale), int(3000 * scale), 16)


def _million(scale: float, _: Path) -> Arrays:
    return _hashes(int(1_000_000 * scale), int(50_000 * scale), int(5000 * scale), 16)


def _all_alike(scale: float, _: Path) -> Arrays:
    n = int(8000 * scale)
    return _hashes(n, 0, n, 16)


def _files(scale: float, scratch: Path) -> Arrays:
    from PIL import Image

    random = np.random.default_rng(1)
    folder = scratch / "images"
    folder.mkdir(exist_ok=True)
    paths = []
    for number in range(int(1000 * scale)):
        fields = random.integers(0, 256, (30, 40, 3), np.uint8)
        paths.append(str(folder / f"{number:05d}.jpg"))
        image = Image.fromarray(fields).resize((800, 600), Image.Resampling.BICUBIC)
        image.save(paths[-1], quality=90)
    return {"paths": np.array(paths)}


TASKS = (
    Task(
        "hashes",
        "All pairs within 30 of 256 bits, 100,000 hashes: 5,000 planted, a cluster of 3,000",
        _hundred_thousand,
        ("snellen", "faiss", "numpy_all_pairs"),
        once=("numpy_all_pairs",),
    ),
    Task(
        "many_hashes",
        "The same of 1,000,000 hashes: 50,000 planted, a cluster of 5,000",
        _million,
        ("snellen",),
    ),
    Task(
        "crowded_hashes",
        "8,000 different hashes, all of them near each other: 32 million pairs",
        _all_alike,
        ("snellen", "faiss"),
    ),
    Task(
        "images",
        "1,000 JPEG files of 800 × 600 pixels: SHA-256 and hash",
        _files,
        ("snellen", "imagehash", "imagededup"),
    ),
)

if __name__ == "__main__":
    if importlib.util.find_spec("PIL") is None:
        sys.exit("leaks.py: error: pip install 'snellen[report]'")
    main("leaks", __doc__.partition("\n")[0], _PACKAGES, TASKS, calls=3)
