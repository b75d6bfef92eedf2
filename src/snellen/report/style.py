"""How the page of a run looks."""

from __future__ import annotations

from importlib.resources import files

__all__ = ["style"]


def style() -> str:
    """Return the style sheet that stands in the page."""
    return files("snellen.report").joinpath("page.css").read_text(encoding="utf-8")
