"""The script that draws figures: the file that Plotly's package brings, nothing from elsewhere."""

from __future__ import annotations

import base64
import hashlib
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from snellen.atomic_files import write_atomically
from snellen.errors import MissingExtraError

if TYPE_CHECKING:
    import os

__all__ = ["FILE_NAME", "digest", "packed", "plotly_source", "write_plotly"]

FILE_NAME = "plotly.min.js"


def plotly_source() -> str:
    """Return the script.

    Raises
    ------
    MissingExtraError
        Where Plotly's package is not installed.
    """
    # The package itself takes a second to import, and its file is all that is needed.
    from importlib.util import find_spec

    found = find_spec("plotly")
    for folder in (found.submodule_search_locations or ()) if found else ():
        path = Path(folder, "package_data", FILE_NAME)
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise MissingExtraError("plotly", "report")


def packed(source: str) -> str:
    """Return a script in a third of its size, as text: deflated, in Base64."""
    return base64.b64encode(zlib.compress(source.encode(), 6)).decode()


def digest(source: str) -> str:
    """Return the digest by which a page's policy names a script that may run in it."""
    return "sha256-" + base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()


def write_plotly(folder: str | os.PathLike[str]) -> Path:
    """Write the script into a folder that several pages share, and return its path.

    Raises
    ------
    MissingExtraError
        Where Plotly's package is not installed.
    OSError
        Where the file cannot be written.
    """
    source = plotly_source()
    Path(folder).mkdir(parents=True, exist_ok=True)
    path = Path(folder, FILE_NAME)
    write_atomically({path: source.encode()})
    return path
