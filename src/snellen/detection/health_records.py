"""The health of records: ids, references, missing fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.detection.health_findings import Example, shown_id
from snellen.table_text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snellen.detection.health_columns import CheckedData
    from snellen.detection.health_findings import Findings

__all__ = ["check_faults", "check_records", "check_references"]


def check_records(data: CheckedData, findings: Findings) -> None:
    """Look at the lists of truth: what cannot be read, what lacks or repeats an id."""
    check_faults(data, findings)
    images, classes, objects = data.images, data.classes, data.objects
    for kind, section, n in (
        ("no-images", "images", len(images.id)),
        ("no-classes", "categories", len(classes.id)),
        ("no-objects", objects.section, len(objects)),
    ):
        if not n:
            findings.add(kind, 1, 1, detail=f'"{section}" is empty')
    _check_ids(data, findings)
    check_references(data, findings)
    if not objects.relative:
        unknown = np.atleast_1d(~(images.size > 0).all(axis=1))
        polygons = objects.masks is not None
        findings.add(
            "missing-image-size",
            int(np.count_nonzero(unknown)),
            len(unknown),
            [
                Example("images", row, images.id[row], None, printable(images.name[row], 60))
                for row in np.flatnonzero(unknown)[:5].tolist()
            ],
            severity="warning" if polygons else None,
        )
    if not data.complete:
        return
    n = len(objects)
    for kind, column in (("missing-area", objects.area), ("missing-iscrowd", objects.crowd)):
        if column is not None:
            findings.add_objects(kind, objects, np.isnan(column), lambda _: "", total=n)
    if objects.crowd is not None:
        crowd = objects.crowd
        odd = ~np.isnan(crowd) & (crowd != 0) & (crowd != 1)
        findings.add_objects("iscrowd-value", objects, odd, lambda row: f"{crowd[row]:g}")


def check_references(data: CheckedData, findings: Findings) -> None:
    """Look for objects of images and classes that are not listed."""
    objects = data.objects
    for kind, codes, ids, what in (
        ("orphan-image", objects.image, objects.image_id, "image_id"),
        ("orphan-class", objects.label, objects.class_id, "category_id"),
    ):
        absent = codes < 0
        if not absent.any():
            continue
        unknown = {ids[row] for row in np.flatnonzero(absent).tolist()}
        listed = data.images.id if kind == "orphan-image" else data.classes.id
        detail = f"{len(unknown):,} unknown {what}" + ("" if len(unknown) == 1 else "s")
        if _are_texts(unknown) is not None and _are_texts(unknown) != _are_texts(listed):
            words = ("texts", "numbers") if _are_texts(unknown) else ("numbers", "texts")
            detail += f"; these are {words[0]}, those listed are {words[1]}"
        findings.add_objects(
            kind,
            objects,
            absent,
            lambda row, ids=ids, what=what: (  # type: ignore[misc]
                f"no {what}" if ids[row] is None else f"{what} {shown_id(ids[row])}"
            ),
            detail=detail,
        )


def _are_texts(ids: Any) -> bool | None:
    """Return whether ids are texts; None where they are of both kinds, or there are none."""
    kinds = {isinstance(each, str) for each in ids if each is not None}
    return kinds.pop() if len(kinds) == 1 else None


def check_faults(data: CheckedData, findings: Findings) -> None:
    """Name the fields that could not be read."""
    sections: dict[str, Sequence[Any]] = {
        "images": data.images.id,
        "categories": data.classes.id,
        data.objects.section: data.objects.id or [None] * len(data.objects),
    }
    of_object = data.objects.section
    findings.add(
        "unreadable-field",
        len(data.faults),
        sum(map(len, sections.values())),
        [
            Example(
                fault.section,
                fault.record,
                sections[fault.section][fault.record],
                data.objects.image_id[fault.record] if fault.section == of_object else None,
                fault.text,
            )
            for fault in data.faults[:5]
        ],
    )


def _check_ids(data: CheckedData, findings: Findings) -> None:
    objects = data.objects
    lists: list[tuple[str, Sequence[Any], str, str]] = [
        ("images", data.images.id, "duplicate-image-id", "id"),
        ("images", [name or None for name in data.images.name], "duplicate-file-name", "file_name"),
        ("categories", data.classes.id, "duplicate-class-id", "id"),
        ("categories", [name or None for name in data.classes.name], "duplicate-class-name",
         "name"),
    ]  # fmt: skip
    if objects.id is not None:
        lists.append((objects.section, objects.id, "duplicate-annotation-id", "id"))
    for section, values, kind, field in lists:
        # Whole lists in C: nearly always they have no fault.
        if len(set(values)) == len(values) and None not in values:
            continue
        again = _repeated(values)
        ids = data.images.id if section == "images" else data.classes.id
        if section == objects.section:
            ids = values
        findings.add(
            kind,
            len(again),
            len(values),
            [
                Example(
                    section,
                    row,
                    ids[row],
                    objects.image_id[row] if section == objects.section else None,
                    f"as {section}[{first}]"
                    + ("" if field == "id" else f': {field} "{printable(values[row], 60)}"'),
                )
                for row, first in again[:5]
            ],
        )
    if not data.complete:
        return
    for section, ids in (
        ("images", data.images.id),
        ("categories", data.classes.id),
        (objects.section, objects.id or []),
    ):
        rows = [row for row, key in enumerate(ids) if key is None]
        findings.add(
            "missing-id",
            len(rows),
            len(ids),
            [Example(section, k, None, None, "") for k in rows[:5]],
        )
    zero = [row for row, key in enumerate(objects.id or []) if key == 0]
    findings.add(
        "annotation-id-zero",
        len(zero),
        len(objects),
        [Example(objects.section, k, 0, objects.image_id[k], "") for k in zero[:5]],
    )


def _repeated(values: Sequence[Any]) -> list[tuple[int, int]]:
    """Return the rows whose value came before, each with the row where it came first."""
    first: dict[Any, int] = {}
    found = []
    for row, value in enumerate(values):
        if value is None:
            continue
        if first.setdefault(value, row) != row:
            found.append((row, first[value]))
    return found
