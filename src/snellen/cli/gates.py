"""Lowest acceptable values of headline numbers: what CI fails at."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import click

if TYPE_CHECKING:
    from snellen.result import Result

__all__ = ["Gate", "gates"]


class Gate(NamedTuple):
    """A lowest acceptable value of a headline number."""

    metric: str
    lowest: float

    def describe(self, result: Result) -> str:
        """Return what the number is, and what it was to be."""
        value = result.metrics[self.metric]
        if not math.isnan(value):
            return f"{self.metric} is {value:.6g}, below {self.lowest:g}"
        (reason,) = [entry.reason for entry in result.undefined if entry.metric == self.metric]
        return f"{self.metric} is undefined ({reason}), to be at least {self.lowest:g}"


def gates(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> tuple[Gate, ...]:
    """Read lowest values of numbers, as an option's callback."""
    found = []
    for text in texts:
        name, _equals, number = text.partition("=")
        try:
            lowest = float(number)
        except ValueError:
            lowest = math.nan
        if not name or math.isnan(lowest):
            raise click.BadParameter(
                f'expected a metric and a number, such as AP=0.40; got "{text}"'
            )
        found.append(Gate(name, lowest))
    return tuple(found)
