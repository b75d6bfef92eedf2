"""Pictures as bytes that do not depend on the day."""

from __future__ import annotations

import math
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snellen.errors import InputError, did_you_mean

if TYPE_CHECKING:
    import os

    from snellen.displays.display import Display

__all__ = ["FORMATS", "as_bytes", "picture"]

FORMATS = ("png", "pdf", "svg")
_DATES = {"png": {"Software": None}, "pdf": {"CreationDate": None}, "svg": {"Date": None}}


def picture(display: Display, path: str | os.PathLike[str], width: float) -> bytes:
    """Return a picture of a display in the format that a path ends with.

    Raises
    ------
    InputError
        For another ending, or a width that is none.
    MissingExtraError
        Where Matplotlib is not installed.
    """
    ending = Path(path).suffix.lower().removeprefix(".")
    if ending not in FORMATS:
        raise InputError(
            f"expected a path that ends with .png, .pdf or .svg.{did_you_mean(ending, FORMATS)}",
            str(path),
        )
    if not (math.isfinite(width) and 1 <= width <= 100):
        raise InputError(f"expected a width from 1 to 100 inches, got {width}", "width")
    from snellen.displays.matplotlib_axes import draw, given_or_new

    ax = given_or_new(None, (width, display._height(width)))
    draw(display, ax)
    return as_bytes(ax.figure, ending)


def as_bytes(figure: Any, ending: str) -> bytes:
    """Return a figure of Matplotlib as a file; of a part of a figure, the whole.

    Its settings are changed while the file is made, and put back: the ids in an SVG are made from
    a salt that is random otherwise, and papers ask for fonts that are outlines (42).
    """
    from matplotlib import rc_context

    made = BytesIO()
    with rc_context({"svg.hashsalt": "snellen", "pdf.fonttype": 42, "ps.fonttype": 42}):
        figure.canvas.figure.savefig(made, format=ending, dpi=200, metadata=_DATES[ending])
    return made.getvalue()
