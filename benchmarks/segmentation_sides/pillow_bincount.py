"""Label images as cityscapesScripts reads and counts them: Pillow, then a bincount."""

from __future__ import annotations

import json
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from segmentation_sides import matrix_numbers


def from_files(truth: str, pred: str, n_threads: str, out: str) -> None:
    """Folders of label images to a printed mean IoU."""
    total = np.zeros(1 << 16, np.int64)
    pairs = [(path, Path(pred, path.name)) for path in sorted(Path(truth).iterdir())]
    with ThreadPool(int(n_threads)) as pool:
        for counts in pool.imap_unordered(_counts, pairs):
            total += counts
    numbers = matrix_numbers(total.reshape(256, 256))
    print(f"mIoU {numbers['mIoU']:.4f}")
    Path(out).write_text(json.dumps(numbers))


def _counts(pair: tuple[Path, Path]) -> Any:
    """Return how often each pair of bytes occurs: the fastest way with NumPy that we found."""
    truth, pred = (np.asarray(Image.open(path)) for path in pair)
    code = truth.astype(np.uint16)
    code <<= 8
    code |= pred
    return np.bincount(code.reshape(-1), minlength=1 << 16)
