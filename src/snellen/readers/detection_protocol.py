"""Rules of detection evaluation from a JSON file."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snellen.detection.protocols import DetectionProtocol, protocol_named
from snellen.errors import InputError, SchemaError, did_you_mean
from snellen.readers.message_text import printable
from snellen.readers.typed_json import read_typed_json

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["detection_protocol", "read_detection_protocol"]


def detection_protocol(name: str | os.PathLike[str]) -> DetectionProtocol:
    """Return a protocol by its name, or from a file: what ends in ``.json``.

    Raises
    ------
    SnellenError
        For an unknown name, and as `read_detection_protocol`.
    """
    text = os.fspath(name)
    if text.lower().endswith(".json"):
        return read_detection_protocol(text)
    return protocol_named(text)


def read_detection_protocol(path: str | os.PathLike[str]) -> DetectionProtocol:
    """Read the rules of a detection evaluation.

    Parameters
    ----------
    path : path
        JSON: an object with the parameters of `DetectionProtocol`; those that are absent are as in
        the protocol that ``base`` names, without it as in ``"coco"``. ``area_ranges`` and
        ``crowding_ranges`` are lists of label, low, high (null: no bound). Without ``name``
        the rules are called as the file.

    Returns
    -------
    DetectionProtocol

    Raises
    ------
    SnellenError
        For unknown names and values that are no rules, with their place.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "loose.json"
    >>> _ = file.write_text('{"base": "coco", "iou_thresholds": [0.3, 0.5]}')
    >>> print(read_detection_protocol(file))
    loose: IoU 0.30:0.50 (2), 101 recall points, areas all/small/medium/large, caps 1/10/100
    """
    place = os.fspath(path)
    rules = read_typed_json(place, dict[str, Any], "the rules of a detection evaluation")
    base = rules.pop("base", "coco")
    if not isinstance(base, str):
        raise SchemaError(f"expected the name of a protocol, got {base!r}", f"{place} $.base")
    try:
        named = protocol_named(base)
    except InputError as error:
        raise SchemaError(error.message, f"{place} $.base") from None
    _refuse_unknown(rules, place)
    try:
        plain = {**named.to_dict(), "name": Path(place).stem, **rules}
        return DetectionProtocol.from_dict(plain)
    except InputError as error:
        raise SchemaError(error.message, f"{place} $.{error.place}") from None


def _refuse_unknown(rules: Mapping[str, Any], place: str) -> None:
    known = {field.name: field for field in dataclasses.fields(DetectionProtocol)}
    for name, value in rules.items():
        where = f"{place} $.{printable(name, 40)}"
        if name not in known:
            raise SchemaError(
                f"expected rules of a protocol, got an unknown one.{did_you_mean(name, known)}",
                where,
            )
        kind, _, optional = str(known[name].type).partition(" | ")
        if optional and value is None:
            continue
        wanted, kinds = _KINDS[kind.partition("[")[0]]
        if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
            or_null = " or null" if optional else ""
            raise SchemaError(f"expected {wanted}{or_null}, got {value!r:.60}", where)
        for i, each in enumerate(value if isinstance(value, list) else ()):
            place = f"{where}[{i}]"
            if name in ("area_ranges", "crowding_ranges"):
                _check_range(each, place)
            elif name == "class_groups":
                if not isinstance(each, str):
                    raise SchemaError(f"expected a text, got {each!r:.60}", place)
            # Python takes true for 1, and texts of numbers for numbers.
            elif isinstance(each, bool) or not isinstance(each, (int, float)):
                raise SchemaError(f"expected a number, got {each!r:.60}", place)


def _check_range(each: Any, where: str) -> None:
    if (
        not isinstance(each, list)
        or len(each) != 3
        or not isinstance(each[0], str)
        or any(isinstance(bound, (bool, str, list, dict)) for bound in each[1:])
        or each[1] is None
    ):
        raise SchemaError(
            f'expected a label and its lower and upper bound, as ["small", 0, 1024], got '
            f"{each!r:.60}",
            where,
        )


# What a rule may be, by its type.
_KINDS: dict[str, tuple[str, Any]] = {
    "str": ("a text", str),
    "bool": ("true or false", bool),
    "float": ("a number", (int, float)),
    "int": ("a whole number", int),
    "tuple": ("a list", list),
}
