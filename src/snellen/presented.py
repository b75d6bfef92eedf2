"""What has pictures and tables: results, and comparisons of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from snellen.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from snellen.displays import Display
    from snellen.displays.tables import TextTable

__all__ = ["Presented"]


class Presented(ABC):
    """Something with pictures, and with tables for documents; abstract."""

    @abstractmethod
    def displays(self) -> tuple[Display, ...]:
        """Return its pictures, the main one first: numbers that can be drawn."""

    @abstractmethod
    def _table(self, what: str, digits: int) -> TextTable:
        """Return a table as texts: ``"metrics"`` or ``"classes"``."""

    def plot(self, ax: Any = None, *, name: str | None = None) -> Display:
        """Draw a picture with Matplotlib.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where; without, axes of a new figure. No global setting is touched.
        name : str, optional
            Which of `displays`; without, the main one.

        Returns
        -------
        Display
            What was drawn, with `ax_` and `figure_`.

        Raises
        ------
        InputError
            Where no picture has the name.
        MissingExtraError
            Where Matplotlib is not installed.
        """
        return self._display(name).plot(ax)

    def figure(self, name: str | None = None) -> Any:
        """Return a picture, the main one or that of a name, as a Plotly figure.

        Raises
        ------
        InputError
            Where no picture has the name.
        MissingExtraError
            Where Plotly is not installed.
        """
        return self._display(name).figure()

    def _display(self, name: str | None) -> Display:
        displays = self.displays()
        if name is None:
            return displays[0]
        for display in displays:
            if display.name == name:
                return display
        names = [display.name for display in displays]
        raise InputError(
            f'expected the name of a picture: {", ".join(names)}, got "{name}".'
            f"{did_you_mean(name, names)}",
            f"name, of {type(self).__name__}",
        )

    def to_markdown(self, what: str = "metrics", *, digits: int = 3) -> str:
        """Return a table in Markdown: ``"metrics"``, with intervals, or ``"classes"``.

        Raises
        ------
        InputError
            For another table.
        """
        from snellen.displays.tables import as_markdown

        return as_markdown(self._table(what, digits))

    def to_latex(
        self,
        what: str = "metrics",
        *,
        caption: str | None = None,
        label: str | None = None,
        digits: int = 3,
    ) -> str:
        """Return a table in LaTeX for the package booktabs; texts are escaped, the caption too.

        Parameters
        ----------
        what : {"metrics", "classes"}
            The headline numbers with their intervals, or one row a class.
        caption, label : str, optional
            With one of them the table floats; without, it is a tabular.
        digits : int
            Decimals.

        Raises
        ------
        InputError
            For another table, or a label that LaTeX has not.
        """
        from snellen.displays.tables import as_latex

        return as_latex(self._table(what, digits), caption, label)
