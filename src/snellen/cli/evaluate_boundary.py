"""``snellen evaluate boundary``: folders of label images to Boundary IoU and boundary F."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from snellen.cli.evaluate_segmentation import OPTIONS
from snellen.cli.label_options import label_options
from snellen.cli.number_types import RealRange
from snellen.cli.option_names import in_words_of_options
from snellen.cli.output import data_warnings_on_stderr, output_options

if TYPE_CHECKING:
    from snellen.cli.label_options import LabelInput
    from snellen.cli.output import Output

__all__ = ["boundary"]


@click.command()
@label_options
@click.option(
    "--ratio",
    type=RealRange(0, 1, min_open=True, max_open=True),
    default=0.02,
    show_default=True,
    help="The width of border zones of Boundary IoU, as a share of the image's diagonal.",
)
@click.option(
    "--tolerance",
    type=RealRange(min=0),
    default=0.0075,
    show_default=True,
    help="How far apart contours of boundary F may lie: below 1 a share of the diagonal, else "
    "whole pixels. DAVIS has 0.008.",
)
@output_options
def boundary(labels: LabelInput, ratio: float, tolerance: float, output: Output) -> None:
    """Boundary IoU and boundary F of label images.

    TRUTH and PREDICTIONS are as of `snellen evaluate segmentation`.
    """
    from snellen.errors import ShapeError
    from snellen.segmentation.boundary import BoundaryQuality
    from snellen.threads import in_threads

    labels.set_threads()
    with data_warnings_on_stderr(quiet=output.quiet), in_words_of_options(OPTIONS):
        scheme = labels.scheme()
        parameters: dict[str, Any] = {"ratio": ratio, "tolerance": tolerance}
        output.check(BoundaryQuality(scheme.classes, **parameters))
        files = labels.files(output)
        reader = labels.maps(files, scheme, quiet=output.quiet)
        metric = BoundaryQuality(scheme.classes, ignore_index=reader.left_out, **parameters)

        def measured(i: int) -> BoundaryQuality:
            truth, pred = reader.read(i)
            if truth.ndim != 2:
                raise ShapeError(
                    "expected images, got a volume: snellen evaluate surface measures them",
                    str(files.truth[i]),
                )
            return metric.empty().update(truth, pred, image_id=files.image_ids[i])

        for part in in_threads(measured, range(len(files.image_ids))):
            metric.merge(part)
    output.deliver(metric)
