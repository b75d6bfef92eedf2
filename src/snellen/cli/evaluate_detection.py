"""``snellen evaluate detection``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from snellen.cli.detection_input import detection_input
from snellen.cli.limit_options import threads_option
from snellen.cli.output import output_options

if TYPE_CHECKING:
    from snellen.cli.detection_input import DetectionInput
    from snellen.cli.output import Output

__all__ = ["detection"]


@click.command()
@detection_input
@threads_option
@output_options
def detection(asked: DetectionInput, threads: int | None, output: Output) -> None:
    """Average precision and recall of detected boxes, masks, keypoints.

    TRUTH is a COCO annotation file and PREDICTIONS a COCO results file (.gz too), or either is a
    file or folder of another format: YOLO, Pascal VOC, Open Images, KITTI, CVAT, texts of boxes, a
    table.
    """
    from snellen.threads import set_threads

    set_threads(threads)
    metric, truth, pred = asked.read(quiet=output.quiet, check=output.check)
    from snellen.run.serial import Serial

    output.deliver(Serial().run(metric, [(truth, pred)]))
