"""``snellen evaluate panoptic``: label maps of segments to a result."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from snellen.cli.beside import Beside, example_options
from snellen.cli.limit_options import max_pixels_option, threads_option
from snellen.cli.option_names import in_words_of_options
from snellen.cli.output import output_options

if TYPE_CHECKING:
    from snellen.cli.beside import Wanted
    from snellen.cli.output import Output
    from snellen.readers.cityscapes_instances import CityscapesInstances
    from snellen.readers.panoptic import PanopticFiles
    from snellen.segmentation.panoptic_result import PanopticQualityResult

__all__ = ["panoptic"]

# What the reader calls it, and what it is here.
_OPTIONS = {"truth_maps": "--truth-images", "pred_maps": "--prediction-images"}


@click.command()
@click.argument("truth", type=click.Path())
@click.argument("predictions", type=click.Path())
@click.option(
    "--truth-images",
    metavar="DIR",
    type=click.Path(),
    help="The folder of TRUTH's label maps. [default: the name of the file without .json]",
)
@click.option(
    "--prediction-images",
    metavar="DIR",
    type=click.Path(),
    help="The folder of PREDICTIONS' label maps. [default: the name of the file without .json]",
)
@click.option(
    "--classes",
    type=click.Choice(["cityscapes"]),
    help="What the values of label maps without JSON mean: then TRUTH and PREDICTIONS are folders "
    "of Cityscapes' instanceIds.",
)
@click.option(
    "--protocol",
    # The names are repeated here because importing them would import NumPy; a test compares.
    type=click.Choice(["coco", "coco-strict"]),
    default="coco",
    show_default=True,
    help="The rules. coco-strict is panopticapi to the last bit; coco also counts the area of all "
    "crowds of a class, and refuses truth whose JSON and label maps differ.",
)
@click.option(
    "--boundary",
    is_flag=True,
    help="Boundary PQ: the IoU is the lesser of that of masks and that of their boundaries, "
    "2 % of the image's diagonal wide.",
)
@click.option(
    "--worst",
    type=click.IntRange(min=1),
    metavar="N",
    help="Print the N images of lowest PQ, too.",
)
@max_pixels_option
@threads_option
@example_options
@output_options
def panoptic(
    truth: str,
    predictions: str,
    truth_images: str | None,
    prediction_images: str | None,
    classes: str | None,
    protocol: str,
    boundary: bool,
    worst: int | None,
    max_pixels: int | None,
    threads: int | None,
    output: Output,
) -> None:
    """Panoptic quality (PQ, SQ, RQ) of labelled segments.

    TRUTH and PREDICTIONS are COCO panoptic files: JSON with segments_info, and a folder of RGB
    label maps beside each; or, with --classes cityscapes, folders of instanceIds.
    """
    from pathlib import Path

    from snellen.errors import InputError
    from snellen.segmentation.panoptic import PanopticQuality
    from snellen.threads import set_threads

    set_threads(threads)
    limits = {} if max_pixels is None else {"max_pixels": max_pixels}
    files: CityscapesInstances | PanopticFiles
    if classes is not None:
        if truth_images is not None or prediction_images is not None:
            raise click.UsageError(
                "expected --truth-images and --prediction-images with JSON files only: with "
                "--classes TRUTH and PREDICTIONS are the folders"
            )
        from snellen.readers.cityscapes_instances import read_cityscapes_instances
        from snellen.segmentation.label_scheme import scheme_of

        files = read_cityscapes_instances(truth, predictions, scheme=scheme_of(classes), **limits)
    else:
        for path in (truth, predictions):
            if Path(path).is_dir():
                raise InputError(
                    "expected a COCO panoptic JSON, got a folder: of Cityscapes' instanceIds say "
                    "--classes cityscapes",
                    path,
                )
        from snellen.readers.panoptic import read_panoptic

        with in_words_of_options(_OPTIONS):
            files = read_panoptic(
                truth,
                predictions,
                truth_maps=truth_images,
                pred_maps=prediction_images,
                protocol=protocol,
                **limits,
            )
        output.also_reads("truth-images", files.truth_maps)
        output.also_reads("prediction-images", files.pred_maps)
    if not output.quiet:
        for note in files.notes:
            click.echo(f"snellen: {note}", err=True)
    metric = PanopticQuality(
        files.classes,
        things=files.things,
        protocol=protocol,
        iou="boundary" if boundary else "mask",
    )
    output.check(metric)
    with in_words_of_options({" (max_pixels)": ""}):
        for batch in files.batches(metric.count):
            metric.update(*batch)
    gate = None

    def beside(wanted: Wanted) -> Beside:
        if not wanted.n_examples:
            return Beside()
        from snellen.report.panoptic.examples import examples_of

        examples, pictures = examples_of(files, metric, n=wanted.n_examples, images=wanted.images)
        return Beside(examples=examples, pictures=pictures)

    try:
        output.with_images_beside(truth).deliver(metric, beside=beside)
    except click.exceptions.Exit as failed:  # a gate: the list is wanted all the more
        gate = failed
    if worst is not None and not output.quiet and output.json_path != "-":
        click.echo("\n".join(["", *_worst(metric.compute(), worst)]))
    if gate is not None:
        raise gate


def _worst(result: PanopticQualityResult, n: int) -> list[str]:
    from snellen.table_text import aligned_lines, number, printable

    head = ["worst images", "PQ", "SQ", "RQ", "tp", "fp", "fn"]
    rows = [
        [printable(record["image"], 60), *(number(record[name]) for name in head[1:])]
        for record in result.per_image()[:n]
    ]
    return aligned_lines([head, *rows])
