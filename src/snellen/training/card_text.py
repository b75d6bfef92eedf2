"""Pieces of Markdown and YAML, from facts that may hold anything."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

from snellen.table_text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TypeGuard

__all__ = ["is_number", "joined", "number", "plain_text", "table", "yaml_lines"]


def yaml_lines(content: Any, indent: str = "") -> list[str]:
    """Return lines of YAML; all texts are quoted, as in JSON, which YAML reads."""
    lines = []
    if isinstance(content, dict):
        for name, value in content.items():
            if isinstance(value, (dict, list)):
                lines += [f"{indent}{name}:", *yaml_lines(value, indent + "  ")]
            else:
                lines.append(f"{indent}{name}: {json.dumps(value, ensure_ascii=False)}")
        return lines
    for value in content:
        if isinstance(value, (dict, list)):
            first, *rest = yaml_lines(value, indent + "  ")
            lines += [f"{indent}- {first.strip()}", *rest]
        else:
            lines.append(f"{indent}- {json.dumps(value, ensure_ascii=False)}")
    return lines


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def joined(parts: Sequence[str]) -> str:
    """Return paragraphs, those that are empty left out."""
    return "\n\n".join(part for part in parts if part)


def plain_text(value: Any) -> str:
    """Return a text that is one cell of a table, and nothing else in Markdown."""
    text = printable(str(value), 200)
    return "".join(f"\\{letter}" if letter in r"\|*_`[]<>#" else letter for letter in text)


def is_number(value: Any) -> TypeGuard[float]:
    """Return whether a value is a finite number."""
    return isinstance(value, (int, float)) and math.isfinite(value)


def number(value: Any) -> str:
    """Return a number in four digits; of what is none, a dash."""
    return f"{value:.4g}" if is_number(value) else "-"
