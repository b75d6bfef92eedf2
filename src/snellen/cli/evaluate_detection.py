"""``snellen evaluate detection``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from snellen.cli.beside import Beside, example_options
from snellen.cli.detection_input import detection_file_options
from snellen.cli.detection_rules import detection_rule_options
from snellen.cli.limit_options import threads_option
from snellen.cli.output import output_options

if TYPE_CHECKING:
    from snellen.cli.beside import Wanted
    from snellen.cli.detection_input import DetectionFiles
    from snellen.cli.detection_rules import DetectionRules
    from snellen.cli.output import Output

__all__ = ["detection"]


@click.command()
@detection_rule_options
@detection_file_options
@threads_option
@example_options(images=False)
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
    if output.wants_examples:
        from snellen.cli.picture_folder import folder_of_images

        output = output.with_images(folder_of_images(files.images, files.truth))
        files = files.with_pictures()
    opened = files.opened(rules.compared(), quiet=output.quiet)

    from snellen.run.serial import Serial

    metric, truth, pred = rules.read(opened, output.check)
    for role, places in opened.beside().items():
        output.also_reads(role, places, sizes_only=role == "truth-images")

    def beside(wanted: Wanted) -> Beside:
        from snellen.report.detection.examples import examples_of
        from snellen.report.detection.states import states_of

        found = Beside(states_of(truth, pred, metric) if wanted.states else {})
        if not wanted.n_examples:
            return found
        images = opened.images(truth)
        examples, drawn = examples_of(
            truth,
            pred,
            metric,
            n=wanted.n_examples,
            images=wanted.images,
            names=images.names,
            sizes=images.sizes,
        )
        return found._replace(examples=examples, pictures=drawn)

    output.deliver(Serial().run(metric, [(truth, pred)]), beside=beside)
