"""FashionMNIST from its four files, read here: no side's own reader takes part in the benchmark."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path
from typing import Final

import numpy as np

__all__ = ["FOLDER", "read_fashion"]

FOLDER: Final = Path("/usr/share/datasets/fashion-mnist")

_FILES: Final = {
    "train_images": "train-images-idx3-ubyte.gz",
    "train_labels": "train-labels-idx1-ubyte.gz",
    "test_images": "t10k-images-idx3-ubyte.gz",
    "test_labels": "t10k-labels-idx1-ubyte.gz",
}
_UBYTE: Final = 8  # the type of IDX that all four files have


def read_fashion(folder: Path = FOLDER) -> dict[str, np.ndarray]:
    """Return images, uint8 of shape (n, 28, 28), and labels, int64, of both parts.

    Ends the program where a file is missing, with a line that says how to get it.
    """
    found = {}
    for name, file in _FILES.items():
        path = folder / file
        try:
            content = gzip.decompress(path.read_bytes())
        except OSError as error:
            sys.exit(
                f"expected {path}, got: {error.strerror or error}. On Debian it comes with "
                "`apt-get install dataset-fashion-mnist`; elsewhere put the four files of "
                "https://github.com/zalandoresearch/fashion-mnist into a folder, and give --data."
            )
        found[name] = _idx(content, path)
    for part in ("train", "test"):
        found[f"{part}_labels"] = found[f"{part}_labels"].astype(np.int64)
    return found


def _idx(content: bytes, path: Path) -> np.ndarray:
    zeros, kind, n_axes = content[:2], content[2], content[3]
    start = 4 + 4 * n_axes
    shape = np.frombuffer(content, ">u4", n_axes, offset=4)
    if zeros != b"\0\0" or kind != _UBYTE or len(content) - start != shape.prod():
        sys.exit(f"expected bytes in IDX format, got something else: {path}")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)
