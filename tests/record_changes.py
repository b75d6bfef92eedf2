"""What tests do to annotations, results and parameters before an evaluation."""

# ruff: noqa: ARG001 - each is called with the kind, which not all need

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

__all__ = ["all_of", "each_of", "emptied", "having", "renamed_ids", "setting", "without"]

_SHAPE = {"bbox": "bbox", "segm": "segmentation", "keypoints": "keypoints"}


def without(field: str | None, every: int = 1) -> Callable[[Any, str], None]:
    """Return what takes a field (None: the shape) out of every such record."""

    def change(records: Any, kind: str) -> None:
        records = records["annotations"] if isinstance(records, dict) else records
        for record in records[::every]:
            record.pop(field or _SHAPE[kind], None)

    return change


def setting(field: str | None, value: Any, every: int = 1) -> Callable[[Any, str], None]:
    """Return what sets a field (None: the shape) of every such record."""

    def change(records: Any, kind: str) -> None:
        records = records["annotations"] if isinstance(records, dict) else records
        for record in records[::every]:
            record[field or _SHAPE[kind]] = copy.deepcopy(value)

    return change


def emptied(*keys: str) -> Callable[[Any, str], None]:
    def change(document: Any, kind: str) -> None:
        for key in keys:
            document[key] = []

    return change


def having(**values: Any) -> Callable[[Any], None]:
    """Return what sets parameters; a function is called with the parameters."""

    def change(parameters: Any) -> None:
        for name, value in values.items():
            setattr(parameters, name, value(parameters) if callable(value) else value)

    return change


def each_of(
    values: Callable[[dict[str, Any], int], Any], field: str | None = None
) -> Callable[[Any, str], None]:
    """Return what sets a field of every record by a function of record and position."""

    def change(records: Any, kind: str) -> None:
        records = records["annotations"] if isinstance(records, dict) else records
        for i, record in enumerate(records):
            record[field or _SHAPE[kind]] = values(record, i)

    return change


def all_of(*changes: Callable[[Any, str], None]) -> Callable[[Any, str], None]:
    def change(records: Any, kind: str) -> None:
        for each in changes:
            each(records, kind)

    return change


def renamed_ids(name: Callable[[int], Any]) -> tuple[Any, Any]:
    """Return what renames all images and categories, in truth and in results."""

    def of_truth(document: dict[str, Any], kind: str) -> None:
        for key in ("images", "categories"):
            for each in document[key]:
                each["id"] = name(each["id"])
        of_results(document["annotations"], kind)

    def of_results(results: list[Any], kind: str) -> None:
        for each in results:
            each["image_id"], each["category_id"] = (
                name(each["image_id"]),
                name(each["category_id"]),
            )

    return of_truth, of_results
