"""``snellen evaluate TASK``: files to a result."""

from __future__ import annotations

import click

from snellen.cli.lazy_commands import LazyCommands

__all__ = ["evaluate"]


@click.group(
    commands=LazyCommands(
        boundary="snellen.cli.evaluate_boundary",
        classification="snellen.cli.evaluate_classification",
        detection="snellen.cli.evaluate_detection",
        panoptic="snellen.cli.evaluate_panoptic",
        regression="snellen.cli.evaluate_regression",
        segmentation="snellen.cli.evaluate_segmentation",
        surface="snellen.cli.evaluate_surface",
        tracking="snellen.cli.evaluate_tracking",
    )
)
def evaluate() -> None:
    """Measure predictions against truth."""
