"""Lists of classes of pixels: by name, or from a file."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

from snellen.errors import InputError, SnellenError, did_you_mean
from snellen.readers.class_list import ClassList
from snellen.readers.table import read_bytes
from snellen.segmentation.label_scheme import SCHEMES, VOID, LabelScheme, scheme_of
from snellen.segmentation.scheme_description import scheme_from

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["read_label_scheme"]

_BOM: Final = b"\xef\xbb\xbf"
_USUAL_VOID: Final = 255
_COLOUR_LINE: Final = re.compile(r"(\d{1,3})[ \t,]+(\d{1,3})[ \t,]+(\d{1,3})[ \t,]+(\S.*)")


def read_label_scheme(
    source: Any,
    *,
    ignore_index: int | Iterable[int] | None = None,
    reduce_zero_label: bool = False,
) -> LabelScheme:
    """Return the label scheme of a name, a file, or classes.

    Parameters
    ----------
    source : str or path, or what `scheme_of` takes
        The name of a built-in scheme, or a file:

        * text with the name of a class a line, whose ids are 0, 1, 2, …; or, as CamVid's, with red,
          green, blue and the name;
        * JSON with a list of names, a mapping of id to name, or what
          `snellen.segmentation.scheme_description` describes: a list of classes with ``id``,
          ``name``, ``color``, ``ignore``, ``isthing``, ``group``, or an object with it.

        Where it says nothing of void, and 255 is no class, 255 is void.
    ignore_index, reduce_zero_label
        As for `scheme_of`.

    Raises
    ------
    InputError
        For an unknown name, or a file that cannot be read.
    SchemaError, ClassError
        For a file that holds something else, or ids that come twice.

    Examples
    --------
    >>> read_label_scheme("voc").classes.names[:3]
    ('background', 'aeroplane', 'bicycle')
    """
    if isinstance(source, str) and source in SCHEMES:
        scheme = scheme_of(source)
    elif isinstance(source, (str, os.PathLike)):
        scheme = _from_file(os.fspath(source))
        if ignore_index is None and _says_nothing_of_void(scheme):
            scheme = scheme.with_ignored(_USUAL_VOID)
    else:
        scheme = scheme_of(source)
    return scheme_of(scheme, ignore_index=ignore_index, reduce_zero_label=reduce_zero_label)


def _says_nothing_of_void(scheme: LabelScheme) -> bool:
    ids = [each for each in scheme.encodings if not each.is_colour]
    return not any((each.codes == VOID).any() or _USUAL_VOID in each.values for each in ids)


def _from_file(place: str) -> LabelScheme:
    path = Path(place)
    if not path.exists():
        raise InputError(
            f"expected a label scheme of {', '.join(SCHEMES)}, or a file of classes, got neither."
            f"{did_you_mean(place, SCHEMES)}",
            place,
        )
    if not place.lower().removesuffix(".gz").endswith(".json"):
        coloured = _coloured_lines(place)
        if coloured is not None:
            return _described(coloured, place)
        return _of_ids(place)
    try:
        document = msgspec.json.decode(read_bytes(place).removeprefix(_BOM))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        document = None  # and the list of classes says what is wrong
    if isinstance(document, dict) and ({"classes", "categories"} & document.keys()):
        return _described(document, place)
    if isinstance(document, list) and any(isinstance(each, dict) for each in document):
        return _described(document, place)
    return _of_ids(place)


def _of_ids(place: str) -> LabelScheme:
    classes = ClassList.read(place).classes
    try:
        return LabelScheme.of_classes(classes, name=Path(place).name)
    except SnellenError as error:
        raise error.within(place) from error


def _described(document: Any, place: str) -> LabelScheme:
    try:
        return scheme_from(document, Path(place).name)
    except SnellenError as error:
        raise error.within(place) from error


def _coloured_lines(place: str) -> list[dict[str, Any]] | None:
    """Return the classes of lines of red, green, blue and name; None if they are others."""
    lines = read_bytes(place).removeprefix(_BOM).decode(errors="replace").splitlines()
    found = [_COLOUR_LINE.fullmatch(line.strip()) for line in lines if line.strip()]
    if not found or None in found:
        return None
    return [
        {
            "id": k,
            "name": match[4].strip(),
            "color": [int(match[1]), int(match[2]), int(match[3])],
            "ignore": match[4].strip().lower() in ("void", "unlabelled", "unlabeled"),
        }
        for k, match in enumerate(found)
        if match is not None
    ]
