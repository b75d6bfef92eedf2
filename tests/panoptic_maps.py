"""Random panoptic label maps, as COCO has them: overlapping blocks, most of them moved."""

from __future__ import annotations

import json
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["blank_image", "colours", "png_bytes", "random_image", "write_panoptic"]

Pixels = np.ndarray[Any, Any]
Records = list[dict[str, Any]]
Image = tuple[Pixels, Records]

_BLOCKS = 100  # so many blocks a side at most


def colours(ids: Pixels) -> Pixels:
    """Return the RGB colours of segment ids."""
    return np.stack([ids % 256, ids // 256 % 256, ids // 65536], -1).astype(np.uint8)


def png_bytes(pixels: Pixels, *, palette: bool = False) -> bytes:
    """Return an image of uint8 or uint16, gray (H, W) or colours (H, W, 3), as a PNG file."""
    height, width = pixels.shape[:2]
    kind = 2 if pixels.ndim == 3 else 3 if palette else 0
    rows = pixels.astype(pixels.dtype.newbyteorder(">")).reshape(height, -1)
    lines = b"".join(b"\0" + row.tobytes() for row in rows)
    header = struct.pack(">IIBBBBB", width, height, 8 * pixels.dtype.itemsize, kind, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(lines)), (b"IEND", b"")]
    if palette:
        chunks.insert(1, (b"PLTE", bytes(range(256)) * 3))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def random_image(
    random: np.random.Generator,
    class_ids: list[int],
    *,
    crowds: float = 0.3,
    void: float = 0.1,
    stuff: tuple[int, ...] = (),
) -> tuple[Image, Image]:
    """Return truth and prediction of an image: label maps and segments in no order.

    Each class of `stuff` makes one segment at most. Without `void` every pixel has a segment.
    """
    height, width = random.integers(8, 40, 2).tolist()
    truth = _blocks(random, height, width, int(random.integers(0, 12)))
    pred = np.roll(truth, tuple(random.integers(-2, 3, 2)), (0, 1))
    more = _blocks(random, height, width, int(random.integers(0, 4)))
    pred = np.where(more > 0, more + _BLOCKS // 2, pred)
    for side in (truth, pred):
        if not void:
            side[side == 0] = _BLOCKS - 1
        elif random.random() < 0.5:
            side[random.random(side.shape) < void] = 0
    meant = random.choice(class_ids, _BLOCKS)
    mistaken = np.where(random.random(_BLOCKS) < 0.8, meant, random.choice(class_ids, _BLOCKS))
    truth_side, pred_side = (
        _image(random, blocks, classes, stuff)
        for blocks, classes in ((truth, meant), (pred, mistaken))
    )
    ids, records = truth_side
    for record in records:
        record["area"] = int((ids == record["id"]).sum())
        record["iscrowd"] = int(random.random() < crowds)
    return truth_side, pred_side


def blank_image(height: int, width: int) -> Image:
    """Return an image without segments."""
    return np.zeros((height, width), np.int32), []


def _blocks(random: np.random.Generator, height: int, width: int, n: int) -> Pixels:
    blocks = np.zeros((height, width), np.int64)
    for block in range(1, n + 1):
        top, left = random.integers(height), random.integers(width)
        high, wide = random.integers(2, height), random.integers(2, width)
        blocks[top : top + high, left : left + wide] = block
    return blocks


def _image(
    random: np.random.Generator, blocks: Pixels, classes: Pixels, stuff: tuple[int, ...]
) -> Image:
    number = random.choice(2**24 - 1, _BLOCKS + 300, replace=False) + 1
    ids = np.zeros(blocks.shape, np.int32)
    records: dict[int, dict[str, Any]] = {}
    for block in random.permutation(np.unique(blocks[blocks > 0])).tolist():
        class_id = int(classes[block])
        segment = int(number[_BLOCKS + class_id if class_id in stuff else block])
        ids[blocks == block] = segment
        records[segment] = {"id": segment, "category_id": class_id}
    return ids, list(records.values())


def write_panoptic(
    folder: Path, name: str, images: dict[Any, Image], categories: Records | None = None
) -> Path:
    """Write a panoptic JSON and the folder of label maps beside it."""
    maps = folder / name
    maps.mkdir(parents=True, exist_ok=True)
    annotations = []
    for image_id, (ids, records) in images.items():
        (maps / f"{image_id}.png").write_bytes(png_bytes(colours(ids)))
        annotations.append(
            {"image_id": image_id, "file_name": f"{image_id}.png", "segments_info": records}
        )
    document: dict[str, Any] = {"annotations": annotations}
    if categories is not None:
        document["categories"] = categories
    path = folder / f"{name}.json"
    path.write_text(json.dumps(document))
    return path
