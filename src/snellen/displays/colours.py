"""The colours of pictures: roles in a specification, fixed ones where there is no page."""

from __future__ import annotations

from typing import Any

__all__ = ["DASHES", "PATTERNS", "ROLES", "SYMBOLS", "fixed", "nth", "with_fixed_colours"]

# Those of a page in the light. Next to each other they differ for colour-blind eyes too, and each
# has a dash, a marker or a pattern beside it.
ROLES = {
    "p0": "#2a78d6",
    "p1": "#1baf7a",
    "p2": "#eda100",
    "p3": "#4a3aa7",
    "p4": "#e0602a",
    "p5": "#e87ba4",
    "p6": "#7f5a3c",
    "p7": "#b4b2ab",
    "p8": "#93b9e6",
    "p9": "#c3b1ea",
    "p10": "#5f8f2f",
    "p11": "#a63d62",
    "ink": "#1b1b1a",
    "soft": "#5f5e5a",
    "line": "#e4e3df",
    "right": "#2a78d6",
    "wrong": "#e0602a",
    "ground": "#fcfcfb",
    "mark": "#8a8984",
}
# The strong ones first; blue beside orange, which everybody tells apart.
_ORDER = (0, 4, 1, 3, 2, 5, 10, 11, 6, 8, 9, 7)

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
SYMBOLS = ("circle", "square", "diamond", "triangle-up", "x", "triangle-down", "cross", "star")
PATTERNS = ("", "/", ".", "\\", "x", "-", "|", "+")


def nth(k: int) -> str:
    """Return the colour of the k-th thing that is told apart, as a role."""
    return f"role:p{_ORDER[k % len(_ORDER)]}"


def fixed(role: str) -> str:
    """Return a role's colour on white.

    Examples
    --------
    >>> fixed("role:ink"), fixed(nth(1))
    ('#1b1b1a', '#e0602a')
    """
    return ROLES[role.removeprefix("role:")]


def with_fixed_colours(value: Any) -> Any:
    """Return a specification with fixed colours in place of roles."""
    if isinstance(value, dict):
        return {key: with_fixed_colours(each) for key, each in value.items()}
    if isinstance(value, list):
        return [with_fixed_colours(each) for each in value]
    if isinstance(value, str) and value.startswith("role:"):
        return fixed(value)
    return value
