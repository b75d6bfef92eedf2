"""COCO annotation files as samples: the classes of an image are its objects'."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from snellen.errors import IdError, SchemaError, first_few
from snellen.readers.table import read_bytes
from snellen.splits.from_folder import group_by_pattern
from snellen.splits.hashing import normalised_keys
from snellen.splits.source import Columns, Source
from snellen.splits.strata import Strata

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["coco_parts", "is_coco", "read_coco"]

Id = int | str


class _Image(msgspec.Struct):
    id: Id
    file_name: str | None = None


class _Annotation(msgspec.Struct):
    image_id: Id
    category_id: Id


class _Category(msgspec.Struct):
    id: Id
    name: str


class _Document(msgspec.Struct):
    images: list[_Image]
    annotations: list[_Annotation]
    categories: list[_Category]


def is_coco(path: Path) -> bool:
    """Return whether a JSON file is an object, not a list of records."""
    return read_bytes(str(path)).lstrip()[:1] == b"{"


def read_coco(path: Path, columns: Columns) -> Source:
    """Read the images of an annotation file; keys are file names, or ids where those repeat.

    Raises
    ------
    SchemaError, IdError
        Where the file is not what it should be.
    """
    columns.for_no_table("a COCO file")
    data = read_bytes(str(path))
    document = _decode(data, _Document, path)
    image_row = {image.id: row for row, image in enumerate(document.images)}
    category_row = {category.id: row for row, category in enumerate(document.categories)}
    for what, ids, listed in (
        ("images", image_row, document.images),
        ("categories", category_row, document.categories),
    ):
        if len(ids) < len(listed):
            raise IdError(
                f"expected each id once, got {len(listed) - len(ids)} that come again",
                f"{path} $.{what}",
            )
    if not document.images:
        raise SchemaError("expected images, the file lists none", f"{path} $.images")
    names = [image.file_name for image in document.images]
    given = [name for name in names if name]
    by_name = len(set(given)) == len(names)
    keys = normalised_keys(given if by_name else [str(image.id) for image in document.images])
    try:
        row = np.array([image_row[each.image_id] for each in document.annotations], np.int64)
        code = np.array([category_row[each.category_id] for each in document.annotations], np.int32)
    except KeyError:
        _refuse_unknown(document, set(image_row), set(category_row), path)
    notes = [
        f"{path}: a COCO file of {len(keys):,} images, named by "
        f"{'file_name' if by_name else 'id'}, with {len(row):,} objects of "
        f"{len(document.categories)} classes"
    ]
    strata = None
    if columns.stratify == "auto":
        strata = Strata.of_objects([each.name for each in document.categories], row, code)
    groups = group_by_pattern(keys, columns, notes)
    return Source("COCO", path, keys, strata, groups, tuple(notes), None, data)


def coco_parts(source: Source, masks: dict[str, np.ndarray[Any, Any]]) -> dict[str, bytes]:
    """Return an annotation file for each selection of images; records stay as they are written."""
    path = source.path
    whole = _decode(source.details, dict[str, msgspec.Raw], path)
    images = msgspec.json.decode(whole["images"], type=list[msgspec.Raw])
    annotations = msgspec.json.decode(whole["annotations"], type=list[msgspec.Raw])
    document = _decode(source.details, _Document, path)
    row = {image.id: i for i, image in enumerate(document.images)}
    of_image = np.array([row[each.image_id] for each in document.annotations], np.int64)
    parts = {}
    for name, mask in masks.items():
        kept = {
            "images": [images[i] for i in np.nonzero(mask)[0]],
            "annotations": [annotations[i] for i in np.nonzero(mask[of_image])[0]],
        }
        fields = [
            msgspec.json.encode(key)
            + b": "
            + (b"[\n" + b",\n".join(map(bytes, kept[key])) + b"\n]" if key in kept else bytes(raw))
            for key, raw in whole.items()
        ]
        parts[name] = b"{" + b",\n".join(fields) + b"}\n"
    return parts


def _decode(data: bytes, kind: Any, path: Path) -> Any:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SchemaError(
            f"expected a COCO annotation file with images, annotations and categories: {error}",
            str(path),
        ) from None


def _refuse_unknown(document: _Document, images: set[Id], categories: set[Id], path: Path) -> None:
    for what, known, ids in (
        ("image", images, [each.image_id for each in document.annotations]),
        ("category", categories, [each.category_id for each in document.annotations]),
    ):
        unknown = sorted({each for each in ids if each not in known}, key=str)
        if unknown:
            raise IdError(
                f"expected {what} ids that the file lists, got {len(unknown)} unknown ones: "
                f"{first_few(unknown)}",
                f"{path} $.annotations[{next(i for i, each in enumerate(ids) if each in unknown)}]",
            )
