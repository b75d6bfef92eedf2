"""Sections of a page of results: a heading, and what each run shows below it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from snellen.report.markup import element, text

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Section", "of_runs", "section_elements", "table_of_contents"]


class Section(NamedTuple):
    """A section.

    Attributes
    ----------
    name : str
        What links to it end with.
    title : str
        Its heading.
    content : str
        Markup; a section without any is left out.
    """

    name: str
    title: str
    content: str


def of_runs(blocks: Sequence[str]) -> str:
    """Return what each run shows, of which the page shows one at a time.

    Where none has anything to show, nothing is returned.
    """
    if not any(blocks):
        return ""
    if len(blocks) == 1:
        return blocks[0]
    nothing = element("p", "This run has nothing to show here.", class_="soft")
    return "".join(
        element("div", block or nothing, class_="of-run", data_run=place, hidden=place or None)
        for place, block in enumerate(blocks)
    )


def section_elements(sections: Sequence[Section]) -> str:
    """Return the sections that have a content, as elements."""
    return "\n".join(
        element(
            "section",
            element("h2", text(each.title), id=f"{each.name}-title") + each.content,
            id=each.name,
            aria_labelledby=f"{each.name}-title",
        )
        for each in sections
        if each.content
    )


def table_of_contents(sections: Sequence[Section]) -> str:
    """Return links to the sections that have a content."""
    links = "".join(
        element("li", element("a", text(each.title), href=f"#{each.name}"))
        for each in sections
        if each.content
    )
    return element("nav", element("ol", links), class_="contents", aria_label="Contents")
