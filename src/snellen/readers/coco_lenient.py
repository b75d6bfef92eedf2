"""COCO files read as they are: what is wrong with a record is kept beside it, all of it at once.

`read_coco_truth` stops at the first fault, since what it returns is to be evaluated. This is for
`snellen check`, which wants to name them all.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Annotated, Any, Final, TypeVar

import msgspec
import numpy as np

from snellen.detection.health_columns import (
    CheckedData,
    CheckedObjects,
    Fault,
    ListedClasses,
    ListedImages,
)
from snellen.errors import SchemaError
from snellen.readers.coco_lenient_shapes import checked_keypoints, checked_masks
from snellen.readers.message_text import printable
from snellen.readers.table import read_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["lenient_coco_predictions", "lenient_coco_truth"]

_NOTHING: Final = msgspec.Raw()
_NO_JSON: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
# What Python's json writes for floats that JSON does not have; a text no file will hold.
_MARK: Final = "\x00"
_BARE: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|-?(?:NaN|Infinity)\b')


_Count = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]
# What stands for a field that is not there; null is refused by those who evaluate.
_NO_FLAG: Final = -(2**53) - 1


class _Image(msgspec.Struct, gc=False):
    id: int | str | None = None
    height: float | None = None
    width: float | None = None
    file_name: str | None = None


class _Category(msgspec.Struct, gc=False):
    id: int | str | None = None
    name: str | None = ""
    keypoints: list[Any] | None = None


class _Object(msgspec.Struct, gc=False):
    id: int | str | None = None
    image_id: int | str | None = None
    category_id: int | str | None = None
    bbox: tuple[float, float, float, float] | None = None
    area: float | None = math.nan
    iscrowd: _Count | bool | None = _NO_FLAG
    score: float | None = None
    num_keypoints: _Count | None = None
    keypoints: msgspec.Raw = _NOTHING
    segmentation: msgspec.Raw = _NOTHING


class _Truth(msgspec.Struct):
    images: msgspec.Raw
    annotations: msgspec.Raw
    categories: msgspec.Raw


Record = TypeVar("Record", _Image, _Category, _Object)


def lenient_coco_truth(path: str) -> CheckedData:
    """Read a COCO annotation file, plain or ``.gz``.

    Parameters
    ----------
    path : str

    Returns
    -------
    CheckedData

    Raises
    ------
    InputError
        Where the file cannot be read.
    SchemaError
        Where it is no JSON, or no object with the three lists. What is wrong within these is kept
        as faults.
    """
    document = _readable(read_bytes(path), path)
    if document[:1] == b"[":
        raise SchemaError(
            'expected a COCO annotation file (an object with "images", "annotations" and '
            '"categories"), got a list: results are checked beside their truth, snellen check '
            "TRUTH --predictions RESULTS",
            path,
        )
    try:
        lists = msgspec.json.decode(document, type=_Truth)
    except _NO_JSON as error:
        raise SchemaError(
            'expected a COCO annotation file, an object with "images", "annotations" and '
            f'"categories": {_told(error)}',
            path,
        ) from None
    faults: list[Fault] = []
    images = _records(lists.images, _Image, "images", path, faults)
    categories = _records(lists.categories, _Category, "categories", path, faults)
    annotations = _records(lists.annotations, _Object, "annotations", path, faults)
    _check_ids("images", [image.id for image in images], faults)
    _check_ids("categories", [category.id for category in categories], faults)
    _check_ids("annotations", [each.id for each in annotations], faults)
    _check_nulls("categories", "name", [category.name for category in categories], faults)
    _check_nulls("annotations", "area", [each.area for each in annotations], faults)
    _check_nulls("annotations", "iscrowd", [each.iscrowd for each in annotations], faults)
    listed_images = ListedImages(
        [image.id for image in images],
        np.array(
            [(_or_nan(image.height), _or_nan(image.width)) for image in images], np.float64
        ).reshape(-1, 2),
        [image.file_name or "" for image in images],
    )
    listed_classes = ListedClasses(
        [category.id for category in categories],
        [category.name or "" for category in categories],
        np.array(
            [-1 if each.keypoints is None else len(each.keypoints) for each in categories], np.int64
        ),
    )
    objects = _objects(annotations, "annotations", listed_images, listed_classes, faults)
    return CheckedData(path, listed_images, listed_classes, objects, tuple(faults), complete=True)


def lenient_coco_predictions(path: str, truth: CheckedData) -> CheckedData:
    """Read a COCO results file, plain or ``.gz``; images and classes are those of truth.

    Raises
    ------
    InputError, SchemaError
        As `lenient_coco_truth`.
    """
    document = _readable(read_bytes(path), path)
    if document[:1] == b"{":
        raise SchemaError("expected COCO results (a list of records), got an object", path)
    faults: list[Fault] = []
    try:
        whole = msgspec.json.decode(document, type=msgspec.Raw)
    except _NO_JSON as error:
        raise SchemaError(f"expected COCO results: {_told(error)}", path) from None
    records = _records(whole, _Object, "$", path, faults)
    objects = _objects(records, "$", truth.images, truth.classes, faults, scored=True)
    return CheckedData(path, truth.images, truth.classes, objects, tuple(faults))


# ---- The document -------------------------------------------------------------------------------


def _readable(document: bytes, path: str) -> bytes:
    """Return a document that msgspec reads: NaN and Infinity, which Python writes, as texts."""
    document = document.removeprefix(b"\xef\xbb\xbf").lstrip()
    if not document:
        raise SchemaError("expected a COCO file, the file is empty", path)
    if b"NaN" not in document and b"Infinity" not in document:
        return document

    def in_quotes(match: re.Match[bytes]) -> bytes:
        text = match[0]
        return text if text[:1] == b'"' else b'"\\u0000' + text + b'"'

    return _BARE.sub(in_quotes, document)


def _told(error: Exception) -> str:
    text = str(error).replace("`", '"')
    return text[:1].lower() + text[1:]


def _records(
    raw: msgspec.Raw, kind: type[Record], section: str, path: str, faults: list[Fault]
) -> list[Record]:
    """Return the records of a list; where one is not of its kind, each as far as it is."""
    try:
        return msgspec.json.decode(raw, type=list[kind])  # type: ignore[valid-type]  # made here
    except msgspec.ValidationError:
        pass
    except _NO_JSON as error:
        raise SchemaError(f"expected a COCO file: {_told(error)}", path) from None
    place = path if section == "$" else f"{path} $.{section}"
    try:
        each = msgspec.json.decode(raw, type=list[msgspec.Raw])
    except msgspec.ValidationError as error:
        raise SchemaError(f"expected a list of records: {_told(error)}", place) from None
    return [_record(part, kind, section, row, faults) for row, part in enumerate(each)]


def _record(
    raw: msgspec.Raw, kind: type[Record], section: str, row: int, faults: list[Fault]
) -> Record:
    try:
        return msgspec.json.decode(raw, type=kind)
    except _NO_JSON:
        pass
    try:
        fields = msgspec.json.decode(raw, type=dict[str, msgspec.Raw])
    except _NO_JSON:
        faults.append(Fault(section, row, f"expected a record, got {_start(raw)}"))
        return kind()
    found: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        if field.name in fields:
            part = fields[field.name]
            try:
                found[field.name] = _value(part, field.name, field.type)
            except (*_NO_JSON, ValueError, OverflowError):
                expected = _EXPECTED[field.name]
                faults.append(
                    Fault(section, row, f"{field.name}: expected {expected}, got {_start(part)}")
                )
    return kind(**found)


def _check_ids(section: str, ids: list[Any], faults: list[Fault]) -> None:
    """Name the ids that cannot stand in one list: texts beside numbers, numbers beyond 64 bits."""
    # Whole lists in C: nearly always they have no fault.
    kinds = {kind for kind in set(map(type, ids)) if kind is not type(None)}
    if kinds == {int} and None not in ids and min(ids) >= -(2**63) and max(ids) < 2**63:
        return
    first = next((type(each) for each in ids if each is not None), None)
    for row, each in enumerate(ids):
        if each is None:
            continue
        expected, got = "", str(each)
        if isinstance(each, str):
            got = f'"{printable(each, 40)}"'
            if each[:1] == _MARK:
                expected, got = _EXPECTED["id"], each[1:]
        elif not -(2**63) <= each < 2**63:
            expected = "a whole number of 64 bits"
        if not expected and type(each) is not first:
            expected = f"a {'text' if first is str else 'number'} like the ids before it"
        if expected:
            faults.append(Fault(section, row, f"id: expected {expected}, got {got}"))


def _check_nulls(section: str, field: str, values: list[Any], faults: list[Fault]) -> None:
    """Name the fields that may not be there, but not be null either."""
    if None in values:
        faults += [
            Fault(section, row, f"{field}: expected {_EXPECTED[field]}, got null")
            for row, value in enumerate(values)
            if value is None
        ]


_EXPECTED: Final = {
    "id": "a whole number or a text",
    "image_id": "a whole number or a text",
    "category_id": "a whole number or a text",
    "height": "a number",
    "width": "a number",
    "file_name": "a text",
    "name": "a text",
    "bbox": "four numbers",
    "area": "a number",
    "iscrowd": "0 or 1",
    "score": "a number",
    "num_keypoints": "a whole number",
    "keypoints": "a list",
    "segmentation": "polygons or run lengths",
}


def _value(raw: msgspec.Raw, name: str, kind: Any) -> Any:
    """Return a field's value; of numbers also those that JSON does not have, and whole floats."""
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError:
        value = msgspec.json.decode(raw)
    if name == "bbox":
        if not isinstance(value, list) or len(value) != 4:
            raise ValueError
        return tuple(_number(each) for each in value)
    if name in ("area", "score", "height", "width"):
        number = _number(value)
        if name == "area" and not math.isfinite(number):
            raise ValueError
        return number
    if name in ("name", "file_name"):
        raise ValueError
    if isinstance(value, float) and abs(value) <= 2**53 and value == math.floor(value):
        return int(value)
    raise ValueError


def _number(value: Any) -> float:
    if isinstance(value, str) and value[:1] == _MARK:
        return float(value[1:])
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError
    return float(value)


def _start(raw: msgspec.Raw) -> str:
    text = bytes(raw).decode("utf-8", "replace")
    if text.startswith('"\\u0000'):  # NaN or Infinity, which stand without quotes
        text = text.strip('"')
    return printable(text.replace("\\u0000", ""), 60)


# ---- Columns ------------------------------------------------------------------------------------


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value


def _objects(
    records: list[_Object],
    section: str,
    images: ListedImages,
    classes: ListedClasses,
    faults: list[Fault],
    *,
    scored: bool = False,
) -> CheckedObjects:
    n = len(records)

    def column(value: Callable[[_Object], float | None]) -> NDArray[np.float64]:
        return np.fromiter((_or_nan(value(each)) for each in records), np.float64, n)

    def codes(ids: list[Any], position: dict[Any, int]) -> NDArray[np.int64]:
        return np.fromiter((position.get(key, -1) for key in ids), np.int64, n)

    image_ids = [each.image_id for each in records]
    class_ids = [each.category_id for each in records]
    image = codes(image_ids, images.position)
    nowhere = (math.nan,) * 4
    boxes = [each.bbox or nowhere for each in records]
    sizes = np.concatenate([images.size, np.full((1, 2), np.nan)])[image]
    return CheckedObjects(
        section,
        image_ids,
        class_ids,
        image,
        codes(class_ids, classes.position),
        np.array(boxes, np.float64).reshape(-1, 4),
        np.fromiter((each.bbox is not None for each in records), np.bool_, n),
        id=None if scored else [each.id for each in records],
        area=None if scored else column(lambda each: each.area),
        crowd=None
        if scored
        else column(lambda each: None if each.iscrowd == _NO_FLAG else each.iscrowd),
        score=column(lambda each: each.score) if scored else None,
        masks=checked_masks([each.segmentation for each in records], sizes),
        keypoints=checked_keypoints(
            [each.keypoints for each in records],
            [each.num_keypoints for each in records],
            section,
            faults,
        ),
    )
