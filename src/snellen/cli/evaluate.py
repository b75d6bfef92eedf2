"""``snellen evaluate TASK``: files to a result."""

from __future__ import annotations

import click

from snellen.cli.evaluate_boundary import boundary
from snellen.cli.evaluate_classification import classification
from snellen.cli.evaluate_detection import detection
from snellen.cli.evaluate_panoptic import panoptic
from snellen.cli.evaluate_regression import regression
from snellen.cli.evaluate_segmentation import segmentation
from snellen.cli.evaluate_surface import surface
from snellen.cli.evaluate_tracking import tracking

__all__ = ["evaluate"]


@click.group()
def evaluate() -> None:
    """Measure predictions against truth."""


evaluate.add_command(boundary)
evaluate.add_command(classification)
evaluate.add_command(detection)
evaluate.add_command(panoptic)
evaluate.add_command(regression)
evaluate.add_command(segmentation)
evaluate.add_command(surface)
evaluate.add_command(tracking)
