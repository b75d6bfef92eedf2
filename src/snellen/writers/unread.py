"""What files say beyond what is read of them: it would be lost without a word."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

import msgspec

from snellen.readers.column_names import CONFIDENCES, first_of
from snellen.readers.cvat_shapes import shape_of, shapes_of_kind
from snellen.readers.file_trees import FileTree
from snellen.readers.table import read_bytes, read_table
from snellen.readers.typed_json import decoded
from snellen.writers.detections import Loss

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from xml.etree.ElementTree import Element

__all__ = ["unread_losses"]

_CALLED: Final = {
    "box": "boxes",
    "mask": "masks",
    "keypoints": "keypoints",
    "oriented": "oriented boxes",
}
_SCORES: Final = ("score", "confidence")
_NOT_KNOWN_IN_SPACE: Final = ("-1", "-1", "-1", "-1000", "-1000", "-1000", "-10")


def unread_losses(
    path: str, written: str, *, is_truth: bool = True, kind: str = "box"
) -> list[Loss]:
    """Return what a file or folder holds that readers leave.

    Parameters
    ----------
    path : str
        What was read without an error.
    written : str
        Its format.
    is_truth : bool
        Whether it was read as truth.
    kind : str
        What was read of objects: ``"box"``, ``"mask"``, ``"keypoints"`` or ``"oriented"``.
    """
    count = _COUNTS.get(written)
    if count is None:
        return []
    return [loss for loss in count(path, is_truth, kind) if loss.n]


class _Record(msgspec.Struct):
    segmentation: msgspec.Raw = msgspec.Raw(b"null")
    keypoints: msgspec.Raw = msgspec.Raw(b"null")
    ignore: int | bool | None = 0


class _Truth(msgspec.Struct):
    annotations: list[_Record]


def _of_coco(path: str, _: bool, kind: str) -> Iterator[Loss]:
    if path.lower().endswith(".npy"):
        return
    document = read_bytes(path)
    if document.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] == b"{":
        records = decoded(document, _Truth, "a COCO annotation file", path).annotations
    else:
        records = decoded(document, list[_Record], "COCO results", path)
    if kind != "mask":
        n = sum(bytes(each.segmentation)[:2] not in (b"[]", b"nu", b"{}") for each in records)
        yield Loss("masks", n, f"masks: {_stay(kind, 'mask')}")
    if kind != "keypoints":
        n = sum(re.search(rb"[1-9]", bytes(each.keypoints)) is not None for each in records)
        yield Loss("keypoints", n, f"objects' keypoints: {_stay(kind, 'keypoints')}")
    yield Loss("ignore", sum(bool(each.ignore) for each in records), 'records with "ignore"')


def _stay(kind: str, other: str) -> str:
    return f"{_CALLED[kind]} stay (--kind {other} reads these)"


def _of_voc_xml(path: str, is_truth: bool, _: str) -> Iterator[Loss]:
    parts = poses = scores = 0
    for root in _documents(path):
        parts += len(root.findall("object/part"))
        poses += sum(
            (each.text or "").strip() not in ("", "Unspecified")
            for each in root.iterfind("object/pose")
        )
        scores += sum(
            any(each.find(name) is not None for name in _SCORES) for each in root.iterfind("object")
        )
    if is_truth:
        yield _scores(scores)
    yield Loss("parts", parts, "boxes of parts of objects")
    yield Loss("poses", poses, "poses (Frontal, Left, …)")


def _of_cvat(path: str, is_truth: bool, kind: str) -> Iterator[Loss]:
    place = f"{path}/annotations.xml" if os.path.isdir(path) else path  # noqa: PTH112
    root = ET.fromstring(read_bytes(place).removeprefix(b"\xef\xbb\xbf"))
    shapes = [shape for image in root.iterfind("image") for shape in image]
    names = [shape_of(shape, place) for shape in shapes]
    others = sum(name not in shapes_of_kind(kind) for name in names)
    stay = ": boxes around them stay" if others and "box" not in names and kind == "box" else ""
    attributes = sum(
        each.get("name") not in _SCORES for shape in shapes for each in shape.iterfind("attribute")
    )
    scores = sum(
        any(shape.get(name) is not None for name in _SCORES)
        or any(each.get("name") in _SCORES for each in shape.iterfind("attribute"))
        for shape in shapes
    )
    if is_truth:
        yield _scores(scores)
    yield Loss("shapes", others, f"shapes that are no {_CALLED[kind]}{stay}")
    yield Loss("attributes", attributes, "attributes of shapes")


def _of_kitti(path: str, _: bool, __: str) -> Iterator[Loss]:
    in_space = parts = 0
    for document in _texts(path):
        for line in document.splitlines():
            cells = line.split()
            if len(cells) < 15:
                continue
            not_known = zip((*cells[8:15], cells[3]), (*_NOT_KNOWN_IN_SPACE, "-10"), strict=True)
            in_space += any(_differs(cell, none) for cell, none in not_known)
            parts += float(cells[1]) not in (-1, 0, 1)
    yield Loss("in_space", in_space, "boxes in space and angles")
    yield Loss("truncation", parts, "parts that are truncated: whether they are stays")


def _differs(cell: str, none: str) -> bool:
    """Return whether a cell says something: a number, or what nobody could read."""
    try:
        return float(cell) != float(none)
    except ValueError:
        return True


def _of_open_images(path: str, is_truth: bool, _: str) -> Iterator[Loss]:
    table = read_table(path, header=True)
    if is_truth:
        names = {name.lower(): name for name in table.names}
        columns = [table[names[name]].text() for name in _SCORES if name in names]
        # Truth as published is sure of all: 1, or says nothing.
        unsure = [
            {k for k, text in enumerate(each.values.tolist()) if text.strip() not in ("", "1")}
            for each in columns
        ]
        yield _scores(
            sum(
                sum(code in wrong for code in each.codes.tolist())
                for each, wrong in zip(columns, unsure, strict=True)
            )
        )
    clicks = [name for name in table.names if re.fullmatch(r"(?i)[xy]click\d\w", name)]
    if clicks and table.n_rows:
        yield Loss("clicks", table.n_rows, "boxes' clicks of extreme points")
    if "Source" in table.names:
        column = table["Source"].text()
        named = [bool(text.strip()) for text in column.values.tolist()]
        yield Loss("sources", sum(named[code] for code in column.codes.tolist()), "boxes' Source")


def _of_table(path: str, is_truth: bool, _: str) -> Iterator[Loss]:
    table = read_table(path, header=True)
    if is_truth and first_of(CONFIDENCES, table.names) is not None:
        yield _scores(table.n_rows)


def _scores(n: int) -> Loss:
    return Loss("scores", n, "scores: --predictions --truth TRUTH reads them")


def _documents(path: str) -> Iterator[Element]:
    for document in _files(path, ".xml"):
        yield ET.fromstring(document.removeprefix(b"\xef\xbb\xbf"))


def _texts(path: str) -> Iterator[str]:
    for document in _files(path, ".txt"):
        yield document.decode("utf-8-sig", "replace")


def _files(path: str, ending: str) -> Iterator[bytes]:
    tree = FileTree(path)
    for name, source in tree.files.items():
        if isinstance(source, str) and (tree.is_file or name.lower().endswith(ending)):
            yield read_bytes(source)


_COUNTS: Final[dict[str, Callable[[str, bool, str], Iterator[Loss]]]] = {
    "coco": _of_coco,
    "voc-xml": _of_voc_xml,
    "cvat": _of_cvat,
    "kitti": _of_kitti,
    "open-images": _of_open_images,
    "table": _of_table,
}
