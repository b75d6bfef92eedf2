"""``snellen evaluate segmentation``: folders of label images to a result."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from snellen.cli.beside import Beside, example_options
from snellen.cli.label_options import label_options
from snellen.cli.option_names import in_words_of_options
from snellen.cli.output import data_warnings_on_stderr, output_options

if TYPE_CHECKING:
    from pathlib import Path

    from snellen.cli.beside import Wanted
    from snellen.cli.label_options import LabelInput
    from snellen.cli.output import Output
    from snellen.readers.label_pairs import LabelPairs
    from snellen.result import Result
    from snellen.segmentation.segmentation import SegmentationResult

__all__ = ["segmentation"]

# What the readers call it, and what it is here.
OPTIONS = {
    " (max_pixels)": "",
    "max_voxels lifts the limit": "--max-pixels lifts the limit",
    "ignore_index": "--ignore-index",
    "reduce_zero_label": "--reduce-zero-label",
    'missing="ignore"': "--missing ignore",
    'unknown="ignore"': "--unknown ignore",
    "say what truth is": "say --truth-encoding",
    "say what predictions are": "say --prediction-encoding",
    "say that they are": "say with --truth-encoding or --prediction-encoding that they are",
}


@click.command()
@label_options
@click.option(
    "--protocol",
    # The names are repeated here because importing them would import NumPy; a test compares.
    type=click.Choice(
        [
            "snellen",
            "cityscapes",
            "mmseg",
            "torchmetrics-jaccard",
            "keras",
            "sklearn",
            "smp",
            "truth-classes",
            "torchmetrics",
            "smp-imagewise",
            "monai",
            "monai-batch",
        ]
    ),
    default="snellen",
    show_default=True,
    help="Whose rule makes one number of classes and images; the report has the mIoU of all.",
)
@click.option(
    "--instances/--no-instances",
    default=None,
    help="Also the instance-weighted IoU of Cityscapes, from the instanceIds images beside TRUTH. "
    "[default: where they are]",
)
@click.option(
    "--slice-by",
    metavar="folder|TABLE:COLUMN",
    help="Also the numbers of parts of the data: by the folders of TRUTH, or by a column of a "
    "table of images, such as scenes.csv:weather.",
)
@example_options
@output_options
def segmentation(
    labels: LabelInput,
    protocol: str,
    instances: bool | None,
    slice_by: str | None,
    output: Output,
) -> None:
    """IoU, Dice, precision, recall, accuracy of label images.

    TRUTH and PREDICTIONS are folders of label images that are paired by name, or two files: PNG
    with ids, a palette or colours, TIFF, NPY. Or TRUTH alone is a text with a pair of files a line.
    """
    import dataclasses

    from snellen.readers.slices import read_slices
    from snellen.segmentation.segmentation import Segmentation
    from snellen.segmentation.slices import sliced

    labels.set_threads()
    with data_warnings_on_stderr(quiet=output.quiet), in_words_of_options(OPTIONS):
        scheme = labels.scheme()
        metric = Segmentation(scheme, ignore_index=None, protocol=protocol, unknown=labels.unknown)
        output.check(metric)
        files = labels.files(output)
        slice_of = None
        if slice_by is not None:
            slice_of = read_slices(slice_by, files.image_ids, files.truth)
        marked, note = None, ""
        if instances is not False:
            marked, note = _instance_files(files, required=bool(instances))
            output.also_reads("instances", marked or ())
        counted = labels.counted(files, scheme, instances=marked)
        encodings = labels.encodings(counted, files, scheme, quiet=output.quiet)
        if note and not output.quiet:
            click.echo(f"snellen: {note}", err=True)
        metric.update_pairs(
            counted.pairs,
            image_id=files.image_ids,
            truth_encoding=encodings.truth,
            pred_encoding=encodings.pred,
            instances=counted.instances,
            notes=(*files.notes, *encodings.notes),
        )
    parts = () if slice_of is None else sliced(metric, slice_of)

    def with_slices(result: Result) -> Result:
        return dataclasses.replace(cast("SegmentationResult", result), slices=parts)

    def beside(wanted: Wanted) -> Beside:
        if not wanted.n_examples:
            return Beside()
        from snellen.readers.class_maps import LabelMapReader
        from snellen.report.segmentation.examples import examples_of

        reader = LabelMapReader(files, encodings, scheme.classes, **labels.limits())
        examples, pictures = examples_of(
            files, reader, metric, n=wanted.n_examples, images=wanted.images
        )
        return Beside(examples=examples, pictures=pictures)

    output.with_images_beside(labels.truth).deliver(metric, with_slices, beside)


def _instance_files(files: LabelPairs, *, required: bool) -> tuple[list[Path] | None, str]:
    """Return the instanceIds of each image, and what to say; None where some images lack them."""
    found = [path for path in files.instance_files if path is not None]
    n = len(files.truth)
    if len(found) == n:
        return found, "iIoU is from the files of instanceIds beside truth"
    if required:
        from snellen.errors import InputError

        lacking = files.truth[files.instance_files.index(None)]
        raise InputError("expected a file of instanceIds beside it, there is none", str(lacking))
    note = f"no iIoU: {n - len(found)} of {n} images have no file of instanceIds beside truth"
    return None, note if found else ""
