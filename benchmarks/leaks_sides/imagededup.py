"""imagededup: its difference hash (64 bits) of a folder, in a process a processor."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from imagededup.methods import DHash

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Numbers = "Mapping[str, float]"


def images(arrays: Mapping[str, Any]) -> Callable[[], Numbers]:
    """Difference hash of files."""
    folder = Path(arrays["paths"][0]).parent
    n_workers = len(os.sched_getaffinity(0))

    def work() -> Numbers:
        hasher = DHash(verbose=False)
        return {"images": len(hasher.encode_images(folder, num_enc_workers=n_workers))}

    return work
