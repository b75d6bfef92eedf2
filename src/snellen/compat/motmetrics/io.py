"""Files of boxes as data frames; tables of results as text."""

from __future__ import annotations

import re
from enum import Enum
from io import BytesIO, StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from snellen.errors import SchemaError

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping

    File = str | os.PathLike[str]

__all__ = [
    "Format",
    "load_detrac_mat",
    "load_detrac_xml",
    "load_motchallenge",
    "load_vatictxt",
    "loadtxt",
    "motchallenge_metric_names",
    "render_summary",
]

_INDEX = ["FrameId", "Id"]
_BOX = ["X", "Y", "Width", "Height"]
_MOT = [*_INDEX, *_BOX, "Confidence", "ClassId", "Visibility"]
_NUMBER = b"0123456789+-.eE\r\n"
_ANY_SEPARATOR = r"\s+|\t+|,"


class Format(Enum):
    """Formats of files."""

    MOT16 = "mot16"
    MOT15_2D = "mot15-2D"
    VATIC_TXT = "vatic-txt"
    DETRAC_MAT = "detrac-mat"
    DETRAC_XML = "detrac-xml"


def loadtxt(fname: File, fmt: Format | str = Format.MOT15_2D, **kwargs: Any) -> Any:
    """Read a file of any of the formats; other arguments are those of its own function."""
    load: dict[Format, Callable[..., Any]] = {
        Format.MOT16: load_motchallenge,
        Format.MOT15_2D: load_motchallenge,
        Format.VATIC_TXT: load_vatictxt,
        Format.DETRAC_MAT: load_detrac_mat,
        Format.DETRAC_XML: load_detrac_xml,
    }
    return load[Format(fmt)](fname, **kwargs)


def load_motchallenge(fname: Any, **kwargs: Any) -> Any:
    """Read MOTChallenge text: frame, id, x, y, width, height, confidence, class, visibility.

    Parameters
    ----------
    fname : str, path, or open file
    sep : str
        A regular expression of what is between numbers; any blanks or a comma without it.
    min_confidence : float
        Rows with less are left out; -1.

    Returns
    -------
    pandas.DataFrame
        Indexed by "FrameId" and "Id"; "X" and "Y" count from 0, not from 1 as in the file.
    """
    sep = kwargs.pop("sep", _ANY_SEPARATOR)
    least = kwargs.pop("min_confidence", -1)
    # pandas' C parser reads the same numbers as the other one, much sooner.
    content = _plain_content(fname) if sep == _ANY_SEPARATOR else b""
    separator = _only_separator(content)
    if separator is None:
        return _mot_table(fname, sep, "python", least)
    try:
        return _mot_table(BytesIO(content), separator, "c", least)
    except pd.errors.ParserError:
        # What is wrong is said in one way.
        return _mot_table(fname, sep, "python", least)


def _mot_table(source: Any, sep: str, engine: str, least: float) -> Any:
    table = pd.read_csv(
        source,
        index_col=[0, 1],
        skipinitialspace=True,
        header=None,
        names=[*_MOT, "unused"],
        sep=sep,
        engine=engine,
    )
    return _from_one(table.drop(columns="unused"))[table["Confidence"] >= least]


def _plain_content(fname: Any) -> bytes:
    """Return what is in a file, nothing where pandas would unpack it or it is open already."""
    if isinstance(fname, (str, Path)) and Path(fname).suffix in ("", ".csv", ".txt"):
        return Path(fname).read_bytes()
    return b""


def _only_separator(content: bytes) -> str | None:
    """Return what is between all numbers, where the fast parser splits them as the other one."""
    content = content.strip(b"\r\n")
    first, _, _ = content.partition(b"\n")
    if content.count(b"\r") != content.count(b"\r\n"):
        return None
    for separator in (b",", b"\t", b" "):
        n_separators = first.count(separator)
        if not 0 < n_separators <= len(_MOT) or content.translate(None, _NUMBER + separator):
            continue
        # A blank more, or one at an end, is another column for the one and nothing for the other.
        at_an_edge = rb"(^|\n|%b)%b|%b(\r|\n|$)" % (separator, separator, separator)
        if separator != b"," and re.search(at_an_edge, content):
            return None
        return separator.decode()
    return None


def _from_one(table: Any) -> Any:
    table[["X", "Y"]] -= 1
    return table


def load_vatictxt(fname: File, **kwargs: Any) -> Any:
    """Read VATIC text: id, corners, frame, lost, occluded, generated, label, and attributes.

    Parameters
    ----------
    fname : str or path
    sep : str
        What is between the attributes; a blank.

    Returns
    -------
    pandas.DataFrame
        Indexed by "FrameId" and "Id": "X", "Y", "Width", "Height", "Lost", "Occluded", "Generated",
        "ClassId", and a column of 0 and 1 for each attribute of any row, in order.
    """
    sep = kwargs.pop("sep", " ")
    lines = Path(fname).read_text(encoding="utf-8").splitlines()
    attributes = sorted({each for line in lines for each in line.rstrip().split(sep)[10:]})
    rows = []
    for line in lines:
        fields = line.split()
        has = set(fields[10:])
        rows.append(" ".join([*fields[:10], *("1" if a in has else "0" for a in attributes)]))
    titles = [each.replace('"', "").capitalize() for each in attributes]
    names = ["Id", *_BOX, "FrameId", "Lost", "Occluded", "Generated", "ClassId", *titles]
    table = pd.read_csv(
        StringIO("\n".join(rows)), names=names, index_col=_INDEX, header=None, sep=" "
    )
    # The file has the other corner.
    table["Width"] -= table["X"]
    table["Height"] -= table["Y"]
    return table


def load_detrac_mat(fname: File) -> Any:
    """Read UA-DETRAC's MATLAB file: arrays of frames by objects, 0 where an object is not."""
    from snellen.compat.motmetrics.matlab_file import read_matlab

    info = read_matlab(fname).get("gtInfo")
    if info is None:
        raise SchemaError("expected a variable gtInfo, got none", str(fname))
    names = ("X", "Y", "H", "W")
    try:
        left, bottom, height, width = (info[name].astype(np.float32) for name in names)
        frames = info["frameNums"].ravel()
    except KeyError as error:
        raise SchemaError(
            f"expected X, Y, H, W, frameNums in gtInfo, got no {error}", str(fname)
        ) from None
    place = frames.astype(np.int64) - 1
    rows, columns = np.nonzero(left[place] > 0)
    at = place[rows], columns
    return _detrac_table(
        frames[rows],
        columns + 1,
        # Computed with 32 bits; corners are kept with 64.
        (
            (left[at] - width[at] / 2).astype(np.float64),
            (bottom[at] - height[at]).astype(np.float64),
            width[at],
            height[at],
        ),
    )


def load_detrac_xml(fname: File) -> Any:
    """Read UA-DETRAC's XML file."""
    from xml.etree import ElementTree as ET

    rows = [
        (int(frame.attrib["num"]), int(target.attrib["id"]), box.attrib)
        for frame in ET.parse(fname).getroot().iter("frame")
        for target in frame.iter("target")
        for box in target.iter("box")
    ]
    boxes = tuple(
        np.array([float(box[name]) for _, _, box in rows])
        for name in ("left", "top", "width", "height")
    )
    return _detrac_table([row[0] for row in rows], [row[1] for row in rows], boxes)


def _detrac_table(frame: Any, track: Any, box: tuple[Any, ...]) -> Any:
    columns = dict(zip(_MOT, (frame, track, *box), strict=False))
    table = pd.DataFrame({**columns, "Confidence": 1, "ClassId": -1, "Visibility": -1})
    return _from_one(table.set_index(_INDEX))


def render_summary(
    summary: Any,
    formatters: Mapping[str, Callable[[Any], str]] | None = None,
    namemap: Mapping[str, str] | None = None,
    buf: Any = None,
) -> Any:
    """Return a table of results as text.

    Parameters
    ----------
    summary : pandas.DataFrame
    formatters : mapping, optional
        Makers of texts by metric: `metrics.MetricsHost.formatters`.
    namemap : mapping, optional
        Titles by metric: `motchallenge_metric_names`.
    buf : file, optional
        Where the text is written, instead of being returned.
    """
    if namemap is not None:
        summary = summary.rename(columns=namemap)
        if formatters is not None:
            formatters = {namemap.get(name, name): each for name, each in formatters.items()}
    return summary.to_string(buf=buf, formatters=formatters)


motchallenge_metric_names = {
    "idf1": "IDF1",
    "idp": "IDP",
    "idr": "IDR",
    "recall": "Rcll",
    "precision": "Prcn",
    "num_unique_objects": "GT",
    "mostly_tracked": "MT",
    "partially_tracked": "PT",
    "mostly_lost": "ML",
    "num_false_positives": "FP",
    "num_misses": "FN",
    "num_switches": "IDs",
    "num_fragmentations": "FM",
    "mota": "MOTA",
    "motp": "MOTP",
    "num_transfer": "IDt",
    "num_ascend": "IDa",
    "num_migrate": "IDm",
}
"""The titles of the MOTChallenge tables."""
