"""Open Images: a table of boxes as parts of the picture's size.

Read are ``ImageID``, ``LabelName``, ``XMin``, ``XMax``, ``YMin``, ``YMax``, of predictions
``Score`` (or ``Confidence``), and as flags ``IsOccluded``, ``IsTruncated``, ``IsGroupOf``,
``IsDepiction`` and ``IsInside`` where they are there; -1 (not known) and an empty cell are 0.
``Source`` and the clicks of extreme points are not read. Numbers may have a comma for the point.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

import numpy as np

from snellen import _core
from snellen.detection.box_layouts import as_xywh
from snellen.errors import InputError, SchemaError
from snellen.readers.box_rows import BoxRows
from snellen.readers.box_table import named_column
from snellen.readers.message_text import printable
from snellen.readers.table import read_table

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.readers.table import Table

__all__ = ["column_in_any_case", "numbers_of", "read_open_images"]

_CORNERS: Final = ("XMin", "YMin", "XMax", "YMax")
_FLAGS: Final = {
    "occluded": "IsOccluded",
    "truncated": "IsTruncated",
    "group_of": "IsGroupOf",
    "depiction": "IsDepiction",
    "inside": "IsInside",
}
_SCORES: Final = ("Score", "Confidence")


def read_open_images(path: str | os.PathLike[str], *, truth: bool) -> BoxRows:
    """Read the boxes of an Open Images table.

    Parameters
    ----------
    path : path
        ``.csv``, as published, or another table with columns of these names, in any case.
    truth : bool
        Whether it is truth; predictions need scores.

    Returns
    -------
    BoxRows
        Relative boxes; images in the order in which they come: those without boxes are not in such
        a table. Boxes of groups have the flag ``group_of``.

    Raises
    ------
    SnellenError
        Of bad input, with file, line and column.
    """
    place = os.fspath(path)
    table = read_table(path, header=True)
    names = {name.lower(): name for name in table.names}
    image = named_column(table, column_in_any_case(names, "ImageID", table)).text()
    label = named_column(table, column_in_any_case(names, "LabelName", table)).text()
    corners = np.empty((table.n_rows, 4))
    for k, corner in enumerate(_CORNERS):
        corners[:, k] = numbers_of(table, column_in_any_case(names, corner, table))
    outside = ((corners < -0.01) | (corners > 1.01)).any(axis=1)
    if truth and outside.any():
        row = int(np.argmax(outside))
        raise InputError(
            f"expected {', '.join(_CORNERS)} as parts of the image's size, 0 to 1, got "
            f"{' '.join(f'{number:g}' for number in corners[row])}",
            table.place(row),
        )
    score = None
    if not truth:
        having = [name.lower() for name in _SCORES if name.lower() in names]
        score = numbers_of(
            table, names[having[0]] if having else column_in_any_case(names, "Score", table)
        )
    flags = {
        flag: _flag(table, names[column.lower()])
        for flag, column in _FLAGS.items()
        if column.lower() in names
    }
    return BoxRows(
        images=image.values.tolist(),
        image=image.codes,
        labels=label.values.tolist(),
        label=label.codes,
        xywh=as_xywh(corners, "xyxy", table.place),
        place=table.place,
        path=place,
        relative=True,
        score=score,
        flags=flags,
    )


def column_in_any_case(names: dict[str, str], wanted: str, table: Table) -> str:
    """Return how a table spells a column; `names` are its spellings by lower case."""
    if wanted.lower() not in names:
        _ = table[wanted]  # says what is missing
    return names[wanted.lower()]


def numbers_of(table: Table, name: str) -> NDArray[np.float64]:
    """Return a column of finite numbers, of which any may have a comma for the point."""
    column = table[name]
    if column.kind == "text":
        texts = [text.replace(",", ".", 1) for text in column.values.tolist()]
        wrong = [k for k, text in enumerate(texts) if not _core.is_number(text)]
        if wrong:
            row = int(np.argmax(np.isin(column.codes, wrong)))
            cell = printable(column.values[column.codes[row]], 60)
            raise SchemaError(f'expected a number as {name}, got "{cell}"', table.place(row))
        number = np.array([float(text) for text in texts], np.float64)[column.codes]
    else:
        number = column.array().astype(np.float64)
    if not np.isfinite(number).all():
        row = int(np.argmin(np.isfinite(number)))
        raise InputError(f"expected a finite {name}, got {number[row]}", table.place(row))
    return number


def _flag(table: Table, name: str) -> NDArray[np.uint8]:
    column = table[name]
    texts = [text.strip() for text in column.text().values.tolist()]
    known = {"": 0, "-1": 0, "0": 0, "1": 1}
    wrong = [k for k, text in enumerate(texts) if text not in known]
    codes = column.text().codes
    if wrong:
        row = int(np.argmax(np.isin(codes, wrong)))
        cell = printable(texts[codes[row]], 40)
        raise SchemaError(f'expected 0, 1 or -1 as {name}, got "{cell}"', table.place(row))
    return np.array([known[text] for text in texts], np.uint8)[codes]
