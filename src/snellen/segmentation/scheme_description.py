"""Label schemes as JSON describes them: the built-in ones, and those of files.

A description is a list of classes, or an object with ``classes`` (or ``categories``, as COCO has
them) and, if values are written in several ways, ``encodings``. A class is an object with

* ``id`` and ``name``;
* ``color`` (or ``colour``): red, green, blue; ``more_colors``: others that mean it too;
* ``ignore``: true for what is void, and then no class of the list;
* ``isthing`` or ``has_instances``: whether it is of things; ``group`` (or ``supercategory``).

An encoding is an object with ``name`` and ``value``: the field of a class that holds its raw value,
or ``position`` for 0, 1, 2, …; with ``minus``, what is taken off; ``void``, further values that are
void; ``per_instance``, see `Encoding`; ``hints``, parts of file names. Without encodings values are
the ids, and colours where each class has one.
"""

from __future__ import annotations

import functools
import math
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from snellen.classes import Classes
from snellen.errors import ClassError, SchemaError
from snellen.segmentation.label_scheme import VOID, Encoding, LabelScheme, colour_value

__all__ = ["built_in", "scheme_from"]


@functools.cache
def built_in(name: str) -> LabelScheme:
    """Return a built-in scheme."""
    path = Path(__file__).parent / "schemes" / f"{name}.json"
    return scheme_from(msgspec.json.decode(path.read_bytes()), name)


class _Row(msgspec.Struct):
    """A class as it is described."""

    id: int
    name: str = ""
    color: tuple[int, int, int] | None = None
    colour: tuple[int, int, int] | None = None
    more_colors: list[tuple[int, int, int]] = msgspec.field(default_factory=list)
    ignore: bool = False
    isthing: bool = False
    has_instances: bool = False
    average_instance_size: float = math.nan
    group: str = ""
    supercategory: str = ""


class _Way(msgspec.Struct):
    """An encoding as it is described."""

    name: str
    value: str = "id"
    minus: int = 0
    void: list[int] = msgspec.field(default_factory=list)
    per_instance: int = 0
    hints: list[str] = msgspec.field(default_factory=list)


def scheme_from(description: Any, name: str) -> LabelScheme:
    """Return the scheme that a decoded JSON document describes.

    Parameters
    ----------
    description : list or dict
        As this module's text says.
    name : str
        The scheme's name, where the description has none.

    Raises
    ------
    SchemaError
        For a description of another form, values that pixels can't have.
    ClassError
        For ids that come twice, or no class that is evaluated.
    """
    ways: Any = None
    described: Any
    where = "$"
    if isinstance(description, dict):
        name = str(description.get("name", name))
        ways = description.get("encodings")
        field = "classes" if "classes" in description else "categories"
        described, where = description.get(field), f"$.{field}"
    else:
        described = description
    if isinstance(described, list) and all(isinstance(each, str) for each in described):
        described = [{"id": k, "name": each} for k, each in enumerate(described)]
    # Numbers for flags: COCO writes isthing as 0 and 1.
    rows = _converted(described, list[_Row], "classes", where, strict=False)
    encodings = None
    if ways is not None:
        encodings = _converted(ways, list[_Way], "encodings", "$.encodings", strict=True)
    for k, row in enumerate(rows):
        for colour in (row.color, row.colour, *row.more_colors):
            if colour is not None and not all(0 <= part <= 255 for part in colour):
                raise SchemaError(
                    f"expected a colour of 0 to 255, got {colour}", f"{where}[{k}].color"
                )
    kept = sorted((k for k, row in enumerate(rows) if not row.ignore), key=lambda k: rows[k].id)
    if not kept:
        raise ClassError("expected at least one class that is evaluated, got none")
    classes = Classes([rows[k].id for k in kept], [rows[k].name for k in kept])
    code = {k: position for position, k in enumerate(kept)}
    if encodings is None:
        encodings = [_Way("ids"), _Way("colours", "color")]
    found = [_encoding(way, rows, described, code) for way in encodings]
    shown = [rows[k].color or rows[k].colour for k in kept]
    sizes = np.array([rows[k].average_instance_size for k in kept])
    groups = tuple(rows[k].group or rows[k].supercategory for k in kept)
    return LabelScheme(
        name,
        classes,
        tuple(each for each in found if each is not None),
        colours=None if None in shown else np.array(shown, np.uint8),
        groups=groups if any(groups) else (),
        has_instances=np.array([rows[k].has_instances or rows[k].isthing for k in kept], np.bool_),
        average_instance_size=None if np.isnan(sizes).all() else sizes,
    )


def _converted(described: Any, kind: Any, of_what: str, where: str, *, strict: bool) -> Any:
    """Return records of a kind; what is none is named by its place, which begins with `where`."""
    try:
        return msgspec.convert(described, kind, strict=strict)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at ")
        within = place.strip("`").removeprefix("$")
        raise SchemaError(f"expected a list of {of_what}: {message}", where + within) from error


def _encoding(
    way: _Way, rows: list[_Row], described: list[dict[str, Any]], code: dict[int, int]
) -> Encoding | None:
    """Return an encoding; None for colours that do not tell classes apart, or are not there."""
    meaning = dict.fromkeys(way.void, VOID)
    things = []
    if way.value == "color" and any((rows[k].color or rows[k].colour) is None for k in code):
        return None
    # What is void comes first: where it shares a colour with a class (a group of poles), the colour
    # is the class's.
    for k in sorted(range(len(rows)), key=lambda k: k in code):
        for value in _values(way, rows[k], described[k], code.get(k)):
            known = meaning.get(value, VOID)
            if known >= 0 and known != code.get(k):
                if way.value == "color":
                    return None
                raise ClassError(
                    f"expected each value for one class, got {value} for {rows[k].name} too",
                    way.name,
                )
            meaning[value] = code.get(k, VOID)
            if rows[k].has_instances or rows[k].isthing:
                things.append(value)
    for value in meaning:
        if not -(2**63) <= value < 2**63:
            raise SchemaError(f"expected values that pixels can have, got {value}", way.name)
    return Encoding.of(
        way.name,
        meaning,
        is_colour=way.value == "color",
        per_instance=way.per_instance,
        instance_ids=np.array(sorted(things) if way.per_instance else [], np.int64),
        hints=tuple(way.hints),
    )


def _values(way: _Way, row: _Row, described: dict[str, Any], code: int | None) -> list[int]:
    """Return the values that a class, or something void, is written with."""
    if way.value == "color":
        main = row.color or row.colour
        every = [*row.more_colors] if main is None else [main, *row.more_colors]
        return [colour_value(*colour) for colour in every]
    if way.value == "position":
        return [] if code is None else [code]
    value = described.get(way.value)
    if value is None:
        return []
    if type(value) is not int:
        raise SchemaError(
            f'expected a whole number as {way.value} of {row.name or row.id}, got "{value}"',
            way.name,
        )
    # What is void is written apart where ids are one less: there is no −1 for "other".
    return [] if code is None and way.minus else [value - way.minus]
