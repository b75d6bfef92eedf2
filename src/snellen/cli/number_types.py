"""Numbers that options take."""

from __future__ import annotations

import math
from typing import Any

import click

__all__ = ["RealRange"]


class RealRange(click.FloatRange):
    """A range of numbers without NaN, which is neither below nor above any limit."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number."""
        number = super().convert(value, param, ctx)
        if math.isnan(number):
            self.fail("expected a number, got nan", param, ctx)
        return number
