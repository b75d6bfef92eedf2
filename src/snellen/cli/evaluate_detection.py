"""``snellen evaluate detection``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from snellen.cli.detection_input import detection_file_options
from snellen.cli.detection_rules import detection_rule_options
from snellen.cli.limit_options import threads_option
from snellen.cli.output import output_options

if TYPE_CHECKING:
    from snellen.cli.detection_input import DetectionFiles
    from snellen.cli.detection_rules import DetectionRules
    from snellen.cli.output import Output

__all__ = ["detection"]


@click.command()
@detection_rule_options
@detection_file_options
@threads_option
@output_options
def detection(
    files: DetectionFiles, rules: DetectionRules, threads: int | None, output: Output
) -> None:
    """Average precision and recall of detected boxes, masks, keypoints.

    TRUTH is a COCO annotation file and PREDICTIONS a COCO results file (.gz too), or either is a
    file or folder of another format: YOLO, Pascal VOC, Open Images, KITTI, CVAT, texts of boxes, a
    table.
    """
    from snellen.threads import set_threads

    set_threads(threads)
    opened = files.opened(rules.similarity, quiet=output.quiet)

    from snellen.run.serial import Serial

    metric = rules.metric(opened.kind)
    output.check(metric)
    output.deliver(Serial().run(metric, [opened.columns(metric.protocol)]))
