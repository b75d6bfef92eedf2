"""XML without declarations: what could make a parser fetch or expand something is refused."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from snellen.errors import InputError, SchemaError
from snellen.readers.message_text import printable
from snellen.readers.table import read_bytes

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

__all__ = ["read_xml", "xml_number", "xml_text"]

# In these a declaration is written with the same bytes as in ASCII, so that it can be seen.
_ENCODINGS: Final = frozenset(
    (
        *("utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "iso-8859-15", "latin-1", "latin1"),
        *("windows-1250", "windows-1251", "windows-1252", "cp1252"),
    )
)
_DECLARED: Final = re.compile(rb"""^\s*<\?xml[^>]*?\bencoding\s*=\s*["']([^"']*)["']""")
_FORBIDDEN: Final = re.compile(rb"<!(DOCTYPE|ENTITY)|<(?:\w+:)?include\b|<\?xml-stylesheet")
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


def read_xml(path: str, root: str, what: str) -> Element:
    """Return the root of an XML document.

    Parameters
    ----------
    path : str
        The file, plain or ``.gz``.
    root : str
        What its root is called.
    what : str
        What it should be, for messages: ``"Pascal VOC annotations"``.

    Raises
    ------
    SchemaError
        For a document type, entities, inclusions and style sheets, which are refused before
        anything is parsed; for other encodings than UTF-8, Latin-1 and the like; and for what is no
        XML or has another root.
    InputError
        Where it cannot be read.
    """
    document = read_bytes(path).removeprefix(b"\xef\xbb\xbf")
    if not document.strip():
        raise SchemaError(f"expected {what}, the file is empty", path)
    if b"\0" in document or document.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise SchemaError(
            "expected XML in UTF-8, got UTF-16 or no text at all: save it as UTF-8", path
        )
    declared = _DECLARED.match(document)
    if declared and declared[1].decode("ascii", "replace").lower() not in _ENCODINGS:
        raise SchemaError(
            f'expected XML in UTF-8, got "{printable(declared[1].decode("ascii", "replace"))}": '
            "save it as UTF-8",
            path,
        )
    forbidden = _FORBIDDEN.search(document)
    if forbidden:
        line = document.count(b"\n", 0, forbidden.start()) + 1
        raise SchemaError(
            "expected XML without a document type, entities and references to other files, got "
            f'"{printable(forbidden[0].decode("ascii"))}": remove it',
            f"{path} line {line}",
        )
    from xml.etree import ElementTree as ET

    try:
        found = ET.fromstring(document)
    except ET.ParseError as error:
        line, column = error.position
        reason = str(error).partition(":")[0]
        raise SchemaError(
            f"expected XML, got: {reason}", f"{path} line {line} column {column + 1}"
        ) from None
    except (ValueError, LookupError) as error:  # of an encoding
        raise SchemaError(f"expected XML in UTF-8, got: {error}", path) from None
    if found.tag != root:
        raise SchemaError(f"expected {what} (<{root}>), got <{printable(found.tag, 40)}>", path)
    return found


def xml_text(element: Element, tag: str, place: str) -> str:
    """Return the text of a child, without blanks around it.

    Raises
    ------
    SchemaError
        Where there is none, or it is empty.
    """
    text = (element.findtext(tag) or "").strip()
    if not text:
        raise SchemaError(f"expected a text in <{tag}>, there is none", place)
    return text


def xml_number(text: str | None, field: str, place: str) -> float:
    """Return a finite number.

    Raises
    ------
    SchemaError, InputError
        For another text; the field is named.
    """
    found = (text or "").strip()
    if not _NUMBER.fullmatch(found):
        if found.lower().lstrip("+-") in ("nan", "inf", "infinity"):
            raise InputError(f"expected a finite number, got {found}", f"{place} {field}")
        shown = f'"{printable(found, 40)}"' if found else "nothing"
        raise SchemaError(f"expected a number, got {shown}", f"{place} {field}")
    number = float(found)
    if not math.isfinite(number):
        raise InputError(
            f"expected a finite number, got {printable(found, 40)}", f"{place} {field}"
        )
    return number
