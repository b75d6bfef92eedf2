"""What all of Plotly's pictures have in common: text that is only text, axes, the legend."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from snellen.displays.plain_values import plain, unique
from snellen.table_text import printable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

__all__ = [
    "NUMBER",
    "axis",
    "category_axis",
    "equality_line",
    "error_bars",
    "label",
    "labels",
    "layout",
    "line_across",
    "template",
    "text_style",
]

NUMBER = ",.6~g"
"""How numbers are written where the pointer is, in d3's notation."""

CLEAR = "rgba(0,0,0,0)"


def label(text: object, width: int = 60) -> str:
    """Return a text from data so that Plotly shows it as it is.

    Plotly reads a small HTML and, in some notebooks, TeX between dollars.

    Examples
    --------
    >>> label("<b>R&D</b> $x$")
    '&lt;b&gt;R&amp;D&lt;/b&gt; &#36;x&#36;'
    """
    shown = printable(text, width)
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ("$", "&#36;")):
        shown = shown.replace(character, entity)
    # What begins so is a colour in a specification.
    return f"role&#58;{shown[5:]}" if shown.startswith("role:") else shown


def labels(names: tuple[str, ...], width: int = 40) -> list[str]:
    """Return names of categories as labels that differ from each other."""
    return unique(label(name, width) for name in names)


def template(text: str) -> str:
    """Return words for use in a template, in which ``%{…}`` would stand for a value.

    Examples
    --------
    >>> template("share in %{x}")
    'share in %&#123;x}'
    """
    return label(text).replace("%{", "%&#123;")


def text_style(role: str = "soft", size: int = 12) -> dict[str, Any]:
    """Return how text is written."""
    return {"color": f"role:{role}", "size": size}


def axis(
    title: str,
    *,
    shown: tuple[float, float] | None = None,
    log: bool = False,
    grid: bool = True,
    from_zero: bool = False,
    **settings: Any,
) -> dict[str, Any]:
    """Return an axis of numbers.

    Parameters
    ----------
    title : str
        What it is.
    shown : (float, float), optional
        From where to where; without, all.
    log : bool
        Whether by logarithm.
    grid : bool
        Whether lines go through the picture.
    from_zero : bool
        Whether it reaches to 0.
    **settings
        Of Plotly.
    """
    made: dict[str, Any] = {
        "title": {"text": label(title), "font": text_style(), "standoff": 8},
        "automargin": True,
        "showgrid": grid,
        "gridcolor": "role:line",
        "zeroline": False,
        "showline": True,
        "linecolor": "role:mark",
        "tickfont": text_style(),
        "type": "log" if log else "linear",
    }
    if log:
        made["nticks"] = 6
    if shown is not None:
        low, high = shown
        made["range"] = [math.log10(low), math.log10(high)] if log else [low, high]
    elif from_zero:
        made["rangemode"] = "tozero"
    return {**made, **settings}


def category_axis(title: str, names: list[str], **settings: Any) -> dict[str, Any]:
    """Return an axis of names, which are labels already."""
    return {
        "title": {"text": label(title), "font": text_style(), "standoff": 8},
        "automargin": True,
        "showgrid": False,
        "zeroline": False,
        "showline": False,
        "ticks": "outside",
        "ticklen": 5,
        "tickcolor": CLEAR,
        "tickfont": text_style("ink"),
        # Without it a class called "1" would stand at the number 1.
        "type": "category",
        "categoryorder": "array",
        "categoryarray": names,
        **settings,
    }


def error_bars(
    below: NDArray[np.float64], above: NDArray[np.float64], colour: str
) -> dict[str, Any]:
    """Return how intervals are drawn."""
    return {
        "type": "data",
        "symmetric": False,
        "array": plain(above),
        "arrayminus": plain(below),
        "color": colour,
        "thickness": 1.4,
        "width": 3,
    }


def equality_line(points: NDArray[np.float64]) -> dict[str, Any]:
    """Return the trace of a dotted line through points of equal x and y."""
    equal = plain(points)
    return {
        "type": "scatter",
        "mode": "lines",
        "x": equal,
        "y": equal,
        "line": {"color": "role:mark", "width": 1, "dash": "dot"},
        "hoverinfo": "skip",
        "showlegend": False,
    }


def layout(*, lack: str = "", legend: bool, height: int = 340, **settings: Any) -> dict[str, Any]:
    """Return the layout of a picture; without a title, which the page has.

    Parameters
    ----------
    lack : str
        Why there is nothing to draw.
    legend : bool
        Whether there is a legend, below.
    height : int
        In pixels; the width is that of the page.
    **settings
        Axes and more.
    """
    made: dict[str, Any] = {
        "autosize": True,
        "height": height,
        "margin": {"l": 8, "r": 12, "t": 12, "b": 8},
        "paper_bgcolor": CLEAR,
        "plot_bgcolor": CLEAR,
        "font": {"family": "system-ui, -apple-system, Segoe UI, Roboto, sans-serif"},
        "hovermode": "closest",
        "hoverlabel": {
            "bgcolor": "role:ground",
            "bordercolor": "role:mark",
            "font": text_style("ink", 13),
            "align": "left",
        },
        "showlegend": legend and not lack,
        "legend": {
            "orientation": "h",
            "xref": "container",
            "yref": "container",
            "x": 0,
            "xanchor": "left",
            "y": 0,
            "yanchor": "bottom",
            "font": text_style("ink"),
        },
        **settings,
    }
    if lack:
        for name in settings:
            if name[1:].startswith("axis"):
                made[name] = {**made[name], "showticklabels": False, "showgrid": False}
        made["annotations"] = [
            {
                "text": f"no data: {label(lack, 120)}",
                "xref": "paper",
                "yref": "paper",
                "x": 0.5,
                "y": 0.5,
                "showarrow": False,
                "font": text_style("soft", 14),
            }
        ]
    return made


def line_across(
    axis: str, place: float, *, width: float = 1, dash: str = "solid"
) -> dict[str, Any]:
    """Return a line through the whole picture where an axis, ``"x"`` or ``"y"``, has a value."""
    other = "y" if axis == "x" else "x"
    return {
        "type": "line",
        f"{axis}0": place,
        f"{axis}1": place,
        f"{other}ref": "paper",
        f"{other}0": 0,
        f"{other}1": 1,
        "line": {"color": "role:mark", "width": width, "dash": dash},
    }
