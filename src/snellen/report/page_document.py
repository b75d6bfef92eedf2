"""The document around a page of results: its policy, its looks, its scripts."""

from __future__ import annotations

from importlib.resources import files
from typing import Final

from snellen.report.markup import element, text
from snellen.report.plotly_script import digest, packed, plotly_source
from snellen.report.style import style

__all__ = ["document", "page_script"]

# In the order in which they are read; the last one starts the page.
_SCRIPTS: Final = (
    "elements.js",
    "downloads.js",
    "rows.js",
    "theme.js",
    "figures.js",
    "boxes.js",
    "image_dialog.js",
    "gallery_filter.js",
    "gallery.js",
    "matrix.js",
    "runs.js",
    "paper.js",
    "start.js",
)


def document(title: str, body: str, *, plotly: str) -> str:
    """Return a page that loads nothing but, where it is linked, Plotly's script.

    No script may run but those that it was made with: its policy names them by their digests.

    Parameters
    ----------
    title : str
        What the browser calls it.
    body : str
        Markup.
    plotly : str
        ``"inline"``, or the address of Plotly's script as it is reached from the page.

    Raises
    ------
    MissingExtraError
        Where Plotly is to be put in and is not installed.
    """
    script = page_script()
    allowed = [digest(script)]
    if plotly == "inline":
        source = plotly_source()
        allowed.append(digest(source))
        # It is unpacked when the first figure is near, and runs as its digest is known.
        drawing = element("script", packed(source), type="text/plain", id="plotly-packed")
    else:
        drawing = element("script", "", type="text/plain", id="plotly-linked", data_address=plotly)
    policy = (
        "default-src 'none'; img-src data: blob:; style-src 'unsafe-inline'; "
        f"script-src {' '.join(repr(each) for each in allowed)}"
        # What the page's own script puts in, whatever the address is: of a file as well, which has
        # no origin that could be named.
        + (" 'strict-dynamic'" if plotly != "inline" else "")
        + "; connect-src 'none'; base-uri 'none'; form-action 'none'"
    )
    looks = style() + files("snellen.report").joinpath("report.css").read_text(encoding="utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        f"<title>{text(title)}</title>\n<style>{looks}</style>\n</head>\n"
        f"<body>\n{body}\n{drawing}\n<script>{script}</script>\n</body>\n</html>\n"
    )


def page_script() -> str:
    """Return the script of the page, which is one function."""
    folder = files("snellen.report").joinpath("scripts")
    parts = [folder.joinpath(name).read_text(encoding="utf-8") for name in _SCRIPTS]
    return '(() => {\n"use strict";\n\n' + "\n".join(parts) + "})();\n"
