"""``snellen evaluate TASK``: files to a result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from snellen.cli.evaluate_boundary import boundary
from snellen.cli.evaluate_classification import classification
from snellen.cli.evaluate_panoptic import panoptic
from snellen.cli.evaluate_regression import regression
from snellen.cli.evaluate_segmentation import segmentation
from snellen.cli.evaluate_surface import surface
from snellen.cli.evaluate_tracking import tracking
from snellen.cli.limit_options import threads_option
from snellen.cli.output import data_warnings_on_stderr, output_options

if TYPE_CHECKING:
    from snellen.cli.output import Output

__all__ = ["evaluate"]


def _caps(_: click.Context, __: click.Parameter, text: str | None) -> int | list[int] | None:
    """Read a number, or several with commas."""
    if text is None:
        return None
    try:
        caps = [int(part) for part in text.split(",")]
    except ValueError:
        caps = [0]
    if min(caps) < 1 or max(caps) >= 2**31 or len(set(caps)) != len(caps):
        raise click.BadParameter(
            f'expected whole numbers from 1, such as 300 or 1,10,100; got "{text}"'
        )
    return caps[0] if len(caps) == 1 else sorted(caps)


@click.group()
def evaluate() -> None:
    """Measure predictions against truth."""


evaluate.add_command(boundary)
evaluate.add_command(classification)
evaluate.add_command(panoptic)
evaluate.add_command(regression)
evaluate.add_command(segmentation)
evaluate.add_command(surface)
evaluate.add_command(tracking)


@evaluate.command()
@click.argument("truth", type=click.Path())
@click.argument("predictions", type=click.Path())
@click.option(
    "--protocol",
    # The names are repeated here because importing them would import NumPy; a test compares.
    type=click.Choice(["coco", "coco-strict"]),
    default="coco",
    show_default=True,
    help="The rules. coco-strict is pycocotools to the last bit; coco also matches annotation id "
    "0, and takes other caps, empty results and records without area or iscrowd.",
)
@click.option(
    "--max-detections",
    callback=_caps,
    metavar="N[,N…]",
    help="Caps on the detections of a class in an image; a single N stands for 1,10,N. "
    "[default: 1,10,100]",
)
@click.option(
    "--drop-unknown",
    is_flag=True,
    help="Leave out records of images or categories that TRUTH does not list, and say how many.",
)
@threads_option
@output_options
def detection(
    truth: str,
    predictions: str,
    protocol: str,
    max_detections: int | list[int] | None,
    drop_unknown: bool,
    threads: int | None,
    output: Output,
) -> None:
    """Average precision and recall of detected boxes.

    TRUTH is a COCO annotation file, PREDICTIONS a COCO results file; either may be gzipped (.gz).
    """
    from snellen.readers.background import Background
    from snellen.readers.coco_file import read_raw_results, read_raw_truth
    from snellen.threads import set_threads

    set_threads(threads)
    # Both files are read while NumPy is being imported.
    raw_truth = Background(lambda: read_raw_truth(truth))
    raw_results = Background(lambda: read_raw_results(predictions))

    from snellen.detection.average_precision import AveragePrecision
    from snellen.readers.coco import predicted_boxes, truth_boxes
    from snellen.run.serial import Serial

    metric = AveragePrecision(protocol=protocol, max_detections=max_detections)
    output.check(metric)
    complete = metric.protocol.complete_records
    with data_warnings_on_stderr(quiet=output.quiet):
        truth_columns = truth_boxes(
            raw_truth.result(), truth, complete=complete, drop_unknown=drop_unknown
        )
        pred_columns = predicted_boxes(
            raw_results.result(),
            truth_columns,
            predictions,
            complete=complete,
            drop_unknown=drop_unknown,
        )
    output.deliver(Serial().run(metric, [(truth_columns, pred_columns)]))
