"""Records of COCO files that are held in memory, as JSON: one reader checks them and files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from snellen.errors import SchemaError

__all__ = ["as_json", "with_texts"]


def with_texts(records: Any) -> Any:
    """Return records whose run lengths are text where they were bytes, as pycocotools makes them.

    What JSON would make of bytes is something else.
    """
    if not isinstance(records, (list, tuple)):
        return records

    def with_text(record: Any) -> Any:
        shape = record.get("segmentation") if isinstance(record, Mapping) else None
        counts = shape.get("counts") if isinstance(shape, Mapping) else None
        if not isinstance(counts, bytes):
            return record
        return {**record, "segmentation": {**shape, "counts": counts.decode("latin-1")}}  # type: ignore[dict-item]

    return [with_text(record) for record in records]


def as_json(records: Any) -> bytes:
    """Return records as JSON, so that one reader checks files and records alike."""
    # Here, because evaluations of files are to start without it.
    import msgspec

    def plain(value: Any) -> Any:
        if isinstance(value, (np.ndarray, np.generic)):
            return value.tolist()
        raise TypeError(f"a value of type {type(value).__name__}")

    try:
        return msgspec.json.encode(records, enc_hook=plain)
    except (TypeError, ValueError, RecursionError) as error:
        raise SchemaError(f"expected records that JSON can hold, got {error}") from error
