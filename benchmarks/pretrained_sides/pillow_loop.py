"""What people write: Pillow opens, resizes and cuts an image, NumPy scales it, one after the other.

Scaling is a multiplication and an addition in float32, which costs less than the usual three steps.
"""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from pretrained_sides import MEAN, SHORTER_SIDE, SIZE, STD, Ready, Setting, Turn
from pretrained_sides.bare_onnxruntime import session_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

_FACTOR = (1 / 255 / np.array(STD)).astype(np.float32)
_OFFSET = (-np.array(MEAN) / np.array(STD)).astype(np.float32)


def cut(path: str) -> NDArray[np.uint8]:
    """Return the middle of an image whose shorter side is 256."""
    image: Any = Image.open(path).convert("RGB")
    width, height = image.size
    if width < height:
        size = (SHORTER_SIDE, int(SHORTER_SIDE * height / width))
    else:
        size = (int(SHORTER_SIDE * width / height), SHORTER_SIDE)
    image = image.resize(size, Image.Resampling.BILINEAR)
    left, top = round((size[0] - SIZE) / 2), round((size[1] - SIZE) / 2)
    return np.asarray(image.crop((left, top, left + SIZE, top + SIZE)))


def scaled(pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return what the network takes of an image."""
    numbers: NDArray[np.float32] = pixels * _FACTOR + _OFFSET
    return numbers.transpose(2, 0, 1)


def end_to_end(setting: Setting) -> Ready:
    """Go from files to scores, image by image."""
    session = session_of(setting)
    name = session.get_inputs()[0].name

    def batches() -> Iterator[NDArray[np.float32]]:
        size = setting.batch_size
        for k in range(0, len(setting.images), size):
            yield np.stack([scaled(cut(path)) for path in setting.images[k : k + size]])

    def turn(seconds: float) -> Turn:
        wall, cpu = time.perf_counter(), time.process_time()
        n = 0
        while time.perf_counter() - wall < seconds:
            for batch in batches():
                n += len(session.run(None, {name: batch})[0])
        return Turn((time.perf_counter() - wall) / n, (time.process_time() - cpu) / n)

    digest = hashlib.sha256()
    for batch in batches():
        digest.update(np.ascontiguousarray(batch).tobytes())
    turn(0.5)
    return Ready(turn, {"pixels": digest.hexdigest()})
