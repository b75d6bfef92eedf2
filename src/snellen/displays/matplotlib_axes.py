"""Drawing with Matplotlib: axes, text that is only text, the legend; nothing global is set."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING, Any

from snellen.displays.colours import fixed
from snellen.displays.tables import latex_text
from snellen.errors import InputError, MissingExtraError
from snellen.table_text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snellen.displays.display import Display

__all__ = [
    "DASHES",
    "HATCHES",
    "MARKERS",
    "as_text",
    "draw",
    "draw_legend",
    "given_or_new",
    "grid",
    "height_of_legend",
    "inches_of",
    "ink",
    "log_axis",
    "short",
    "text_of",
    "text_size",
    "ticks_of_names",
]

# In the order of Plotly's in `snellen.displays.colours`.
DASHES: tuple[Any, ...] = (
    "-",
    (0, (5, 2)),
    (0, (1, 1.4)),
    (0, (5, 2, 1, 2)),
    (0, (9, 3)),
    (0, (9, 3, 2, 3)),
)
MARKERS = ("o", "s", "D", "^", "X", "v", "P", "*")
HATCHES = ("", "///", "...", "\\\\\\", "xxx", "---", "|||", "+++")


def given_or_new(ax: Any, inches: tuple[float, float]) -> Any:
    """Return the axes that were given, or axes of a new figure that belongs to no window.

    Raises
    ------
    MissingExtraError
        Where Matplotlib is not installed.
    InputError
        For what is no axes.
    """
    try:
        from matplotlib.axes import Axes
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtraError("matplotlib", "plot") from None
    if ax is not None:
        if isinstance(ax, Axes):
            return ax
        raise InputError(f"expected axes of Matplotlib, got {type(ax).__name__}", "ax")
    figure = Figure(figsize=inches, layout="constrained", facecolor="white")
    ax = figure.add_subplot(facecolor="white")
    size = text_of(inches[0])
    for spine in ax.spines.values():
        spine.set(color=fixed("role:mark"), linewidth=0.8)
    ax.spines[["top", "right"]].set_visible(False)
    ax.tick_params(
        labelsize=size, labelcolor=fixed("role:soft"), color=fixed("role:mark"), width=0.8, length=3
    )
    for label in (ax.xaxis.label, ax.yaxis.label):
        label.set(size=size, color=fixed("role:ink"))
    return ax


def text_of(width: float) -> float:
    """Return how large text is in a figure of our own: as in a paper, and larger on a slide.

    Examples
    --------
    >>> text_of(3.3), round(text_of(10), 1)
    (7.2, 10.9)
    """
    return min(max(8.0 + 0.55 * (width - 4.8), 7.2), 14.0)


def draw(display: Display, ax: Any) -> None:
    """Draw a display, or why there is nothing to draw."""
    if not display.lack:
        display._draw(ax)
        return
    ax.set(xticks=[], yticks=[])
    words = "\n".join(textwrap.wrap(f"no data: {as_text(display.lack, 120)}", 40))
    ax.text(
        0.5, 0.5, words, transform=ax.transAxes, ha="center", va="center",
        color=fixed("role:mark"), size=text_size(ax),
    )  # fmt: skip


def as_text(text: object, width: int = 60) -> str:
    r"""Return a text from data so that Matplotlib shows it as it is, and not as mathematics.

    Where the user lets TeX set all text (``text.usetex``), it is escaped for that.

    Examples
    --------
    >>> as_text("$5"), as_text("_hidden")
    ('\\$5', ' _hidden')
    """
    shown = printable(text, width)
    drawing = sys.modules.get("matplotlib")
    if drawing is not None and drawing.rcParams["text.usetex"]:
        return latex_text(shown)
    shown = shown.replace("$", r"\$")
    # What begins with _ has no entry in a legend.
    return f" {shown}" if shown.startswith("_") else shown


def text_size(ax: Any) -> float:
    """Return how large text is on axes, in points."""
    return float(ax.xaxis.label.get_size())


def inches_of(thing: Any) -> tuple[float, float]:
    """Return the width and the height of axes, or of a figure or a part of one."""
    dots = (thing if hasattr(thing, "dpi") else thing.figure).dpi
    return float(thing.bbox.width / dots), float(thing.bbox.height / dots)


def ink(ax: Any) -> Any:
    """Return the colour of text on axes: that of the style that they were made under."""
    return ax.xaxis.label.get_color()


def grid(ax: Any, along: str) -> None:
    """Draw thin lines behind everything else, from the ticks of an axis."""
    ax.set_axisbelow(True)
    ax.grid(visible=True, axis=along, color=fixed("role:mark"), alpha=0.3, linewidth=0.6)


def log_axis(ax: Any) -> None:
    """Set x by its logarithm, with plain numbers at its ticks."""
    from matplotlib.ticker import LogLocator, NullFormatter, StrMethodFormatter

    ax.set_xscale("log")
    # No more ticks than fit, whatever the range: among few decades 2 and 5, too.
    ax.xaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0), numticks=8))
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.xaxis.set_minor_formatter(NullFormatter())


def short(value: float) -> str:
    """Return a number in the room beside a bar.

    Examples
    --------
    >>> short(0.4118), short(12.0), short(31.25), short(0.00002)
    ('0.412', '12', '31.2', '2.0e-05')
    """
    if value == int(value):
        return f"{value:,.0f}"
    if abs(value) < 0.0005:
        return f"{value:.1e}"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:,.1f}"


def draw_legend(ax: Any, handles: Sequence[Any], names: Sequence[str]) -> None:
    """Draw a legend: above axes of our own, where it hides nothing, else where there is room."""
    if not handles:
        return
    texts = [as_text(name, 60) for name in names]
    size = text_size(ax)
    style = {
        "fontsize": size,
        "labelcolor": ink(ax),
        "handlelength": 2.4,
        "columnspacing": 1.4,
    }
    if ax.figure.get_layout_engine() is None:
        # No wider than the axes, unless nobody could read it.
        fits = inches_of(ax)[0] / width_of_entry(texts, size)
        ax.legend(handles, texts, loc="best", **style | {"fontsize": size * min(max(fits, 0.5), 1)})
        return
    columns = legend_columns(texts, inches_of(ax)[0], size)
    ax.legend(
        handles, texts, ncols=columns, loc="lower left", bbox_to_anchor=(0.0, 1.0),
        borderaxespad=0.3, borderpad=0.0, frameon=False, **style,
    )  # fmt: skip


def legend_columns(names: Sequence[str], inches: float, size: float) -> int:
    """Return how many entries of a legend stand beside each other."""
    return min(max(int(inches / width_of_entry(names, size)), 1), len(names))


def width_of_entry(names: Sequence[str], size: float) -> float:
    """Return how wide the widest entry of a legend is, about, in inches."""
    return (0.55 * max(len(name) for name in names) + 4.4) * size / 72


def height_of_legend(names: Sequence[str], width: float) -> float:
    """Return how high the legend of a new figure is, beyond one row, in inches."""
    if len(names) < 2:
        return 0.0
    size = text_of(width)
    rows = -(-len(names) // legend_columns([as_text(name) for name in names], 0.78 * width, size))
    return (rows - 1) * 1.7 * size / 72


def ticks_of_names(
    axis: Any, names: Sequence[str], inches: float, *, last: bool = False, **style: Any
) -> None:
    """Write names along an axis at 0, 1, 2, …; where they are too many, every second or so.

    The last one is written in any case where it is asked for: it is not of the others' kind.
    """
    size = text_size(axis.axes)
    room = max(int(inches * 72 / (1.15 * size)), 1)
    step = -(-len(names) // room)
    places = list(range(0, len(names), step))
    if last and places[-1] != len(names) - 1:
        places = [k for k in places if k <= len(names) - 1 - step] + [len(names) - 1]
    # No more than about half of the picture.
    letters = max(int(0.45 * inches_of(axis.axes.figure)[0] * 72 / (0.55 * size)), 12)
    axis.set_ticks(places, [as_text(names[k], min(letters, 40)) for k in places], **style)
    axis.set_tick_params(length=0)
