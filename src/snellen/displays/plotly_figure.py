"""Plotly figures of specifications."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from snellen.displays.colours import with_fixed_colours
from snellen.displays.plotly_layout import label, text_style
from snellen.errors import MissingExtraError

if TYPE_CHECKING:
    from snellen.displays.display import Words

__all__ = ["figure_of"]

_TITLE = 36  # pixels


def figure_of(specification: dict[str, Any], words: Words) -> Any:
    """Return the figure that a specification describes, on white, with a title.

    Raises
    ------
    MissingExtraError
        Where Plotly is not installed.
    """
    try:
        from plotly.graph_objects import Figure
    except ImportError:
        raise MissingExtraError("plotly", "report") from None
    layout = {
        **specification["layout"],
        "paper_bgcolor": "#ffffff",
        "plot_bgcolor": "#ffffff",
        "height": specification["layout"]["height"] + _TITLE,
        "title": {
            "text": label(words.title, 100),
            "font": text_style("ink", 16),
            "x": 0.01,
            "xref": "container",
            "y": 1,
            "yref": "container",
            "yanchor": "top",
            "pad": {"t": 14, "b": 6},
            # Names above a matrix make room for it.
            "automargin": True,
        },
        # Without one Plotly's own style, or the user's, is put over it.
        "template": {},
    }
    return Figure(with_fixed_colours({"data": specification["data"], "layout": layout}))
