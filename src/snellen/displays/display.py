"""Pictures of numbers: what is drawn is data, and how it is drawn is decided when it is drawn."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import os

    from typing_extensions import Self

__all__ = ["Display", "Words"]

_WIDTH = 4.8  # inches, of a new figure


@dataclass(frozen=True)
class Words:
    """What is said about a picture.

    Attributes
    ----------
    name : str
        The name of the picture, and of files with its numbers: ``"precision_recall"``.
    title : str
        What is drawn, in a few words.
    about : str
        One plain sentence for those who have not seen such a picture: what it shows.
    finding : str
        What these numbers show, as one would say it to somebody who cannot see the picture.
    protocol : str
        The rules that the numbers were made under, in one line.
    note : str
        What was left out or thinned, by which rule; empty where nothing was.
    """

    name: str
    title: str
    about: str
    finding: str
    protocol: str = ""
    note: str = ""


@dataclass(eq=False, repr=False, kw_only=True)
class Display(ABC):
    """Numbers that can be drawn; abstract.

    It holds numbers only. `plot` draws with Matplotlib, `figure` makes a Plotly figure; neither is
    imported before. Where there is no number the picture is empty and says why.

    Attributes
    ----------
    words : Words
        What is said about the picture.
    ax_, figure_ : matplotlib Axes and Figure, or None
        What `plot` drew on; None before.
    """

    words: Words
    ax_: Any = field(default=None, init=False)
    figure_: Any = field(default=None, init=False)

    @property
    def name(self) -> str:
        """The name of the picture."""
        return self.words.name

    @abstractmethod
    def records(self) -> list[dict[str, Any]]:
        """Return every number, thinned or not when drawn, one record a row of its table.

        All records have the same keys; a value that is undefined or does not apply is None.
        """

    @abstractmethod
    def specification(self) -> dict[str, Any]:
        """Return the picture as Plotly's JSON: ``{"data": […], "layout": {…}}``, plain values.

        Plotly is not imported. Colours are roles (``"role:p0"``, ``"role:ink"``, …: see
        `snellen.displays.colours`), for a page to put those of its theme in their place. Texts
        from data are escaped for Plotly, which would read them as HTML.
        """

    @abstractmethod
    def _draw(self, ax: Any) -> None:
        """Draw on Matplotlib's axes; called where something is there to be drawn."""

    @property
    @abstractmethod
    def lack(self) -> str:
        """Why there is nothing to draw; empty where there is something."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}: {self.words.finding})"

    def plot(self, ax: Any = None) -> Self:
        """Draw with Matplotlib.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where; without, axes of a new figure. No global setting is touched.

        Returns
        -------
        Display
            Itself, with `ax_` and `figure_`.

        Raises
        ------
        MissingExtraError
            Where Matplotlib is not installed.
        """
        from snellen.displays.matplotlib_axes import draw, given_or_new

        self.ax_ = given_or_new(ax, (_WIDTH, self._height(_WIDTH)))
        self.figure_ = self.ax_.figure
        draw(self, self.ax_)
        return self

    def save(self, path: str | os.PathLike[str], *, width: float = _WIDTH) -> None:
        """Draw with Matplotlib and write the picture; the same numbers give the same bytes.

        Parameters
        ----------
        path : path
            Of a file that ends with ``.png`` (200 dots an inch), ``.pdf`` or ``.svg``.
        width : float
            In inches: a column of a paper has about 3.3, a slide 10.

        Raises
        ------
        InputError
            For another ending, or a width that is none.
        MissingExtraError
            Where Matplotlib is not installed.
        """
        from snellen.atomic_files import write_atomically
        from snellen.displays.picture_files import picture

        write_atomically({path: picture(self, path, width)})

    def _repr_png_(self) -> bytes | None:
        # A notebook shows figures of pyplot by itself.
        if self.figure_ is None or getattr(self.figure_.canvas, "manager", None) is not None:
            return None
        from snellen.displays.picture_files import as_bytes

        return as_bytes(self.figure_, "png")

    def _height(self, width: float) -> float:
        """Return how high a new figure is, in inches."""
        return 0.66 * width

    def figure(self) -> Any:
        """Return a Plotly figure.

        Raises
        ------
        MissingExtraError
            Where Plotly is not installed.
        """
        from snellen.displays.plotly_figure import figure_of

        return figure_of(self.specification(), self.words)
