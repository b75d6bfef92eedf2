"""ImageHash: its difference hash of 256 bits; one file after another, as its manual shows."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import imagehash
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Numbers = "Mapping[str, float]"


def images(arrays: Mapping[str, Any]) -> Callable[[], Numbers]:
    """SHA-256 and difference hash of files."""
    paths = arrays["paths"].tolist()

    def work() -> Numbers:
        found = set()
        for path in paths:
            hashlib.sha256(Path(path).read_bytes()).digest()
            found.add((path, str(imagehash.dhash(Image.open(path), hash_size=16))))
        return {"images": len(found)}

    return work
