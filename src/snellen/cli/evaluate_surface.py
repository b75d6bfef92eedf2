"""``snellen evaluate surface``: label images or volumes to distances between surfaces."""

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
    from snellen.readers.volume_maps import VolumePair
    from snellen.segmentation.surface_distance import SurfaceDistance

__all__ = ["surface"]

_MASKS = 'give --classes, a file such as {"0": "background", "255": "object"}'
# What readers and the metric call it, and what it is here.
_OPTIONS = {
    **OPTIONS,
    "max_voxels lifts the limit": "--max-pixels lifts the limit",
    'give flags, such as truth > 0, or classes={255: "object"}': _MASKS,
    'give flags, such as pred > 0, or classes={255: "object"}': _MASKS,
    "give spacing": "give --spacing",
    "say which with spacing": "say which with --spacing",
}


def _spacing(_: click.Context, __: click.Parameter, text: str | None) -> float | list[float] | None:
    """Read a number, or several with commas."""
    if text is None:
        return None
    try:
        steps = [float(part) for part in text.split(",")]
    except ValueError:
        steps = [0.0]
    if not all(0 < step < float("inf") for step in steps):
        raise click.BadParameter(f'expected numbers above 0, such as 1.5 or 3,1,1; got "{text}"')
    return steps[0] if len(steps) == 1 else steps


def _penalty(_: click.Context, __: click.Parameter, text: str) -> str | float:
    """Read a word, or a distance."""
    if text in ("diagonal", "inf", "drop"):
        return text
    try:
        penalty = float(text)
    except ValueError:
        penalty = -1.0
    if not penalty >= 0:
        raise click.BadParameter(f'expected diagonal, inf, drop or a distance; got "{text}"')
    return penalty


@click.command()
@label_options(classes_required=False)
@click.option(
    "--rules",
    # The names are repeated here because importing them would import NumPy; a test compares.
    type=click.Choice(["monai", "deepmind", "medpy"]),
    default="monai",
    show_default=True,
    help="What a surface is, and which percentile is meant.",
)
@click.option(
    "--percentile",
    type=RealRange(0, 100, min_open=True),
    default=95.0,
    show_default=True,
    help="Of the robust Hausdorff distance.",
)
@click.option(
    "--tolerance",
    type=RealRange(min=0),
    default=1.0,
    show_default=True,
    help="How far apart surfaces may lie to count as right in NSD, in mm or pixels.",
)
@click.option(
    "--missing-structure",
    callback=_penalty,
    default="diagonal",
    show_default=True,
    metavar="diagonal|inf|drop|N",
    help="What distances of a structure that one side misses count as: the diagonal of its image, "
    "infinity, a number; or it is left out.",
)
@click.option(
    "--spacing",
    callback=_spacing,
    metavar="N[,N…]",
    help="The distance between pixels in mm, one for all axes or one for each (depth, height, "
    "width). [default: that of NIfTI files, else distances are in pixels]",
)
@click.option(
    "--include-background",
    is_flag=True,
    help="Measure class 0, too, where it is the background: its name is background, void or "
    "unlabelled, or there are no --classes. [default: it is left out, and that is said]",
)
@output_options
def surface(
    labels: LabelInput,
    rules: str,
    percentile: float,
    tolerance: float,
    missing_structure: str | float,
    spacing: float | list[float] | None,
    include_background: bool,
    output: Output,
) -> None:
    """Hausdorff distances, surface distance and surface Dice.

    TRUTH and PREDICTIONS are label images as of `snellen evaluate segmentation`, or volumes: NIfTI
    (.nii, .nii.gz) or NPY with three axes. Without --classes every value but 0 (background) and 255
    (void) is a class.
    """
    from snellen.errors import InputError
    from snellen.readers.class_maps import ids_left_out
    from snellen.readers.volume import hold_volumes
    from snellen.readers.volume_maps import VolumeMaps, count_volumes
    from snellen.segmentation.surface_distance import SurfaceDistance
    from snellen.threads import in_threads

    labels.set_threads()
    parameters: dict[str, Any] = {
        "rules": rules,
        "percentile": percentile,
        "tolerance": tolerance,
        "missing": missing_structure,
        "background": None if include_background else "auto",
    }
    with data_warnings_on_stderr(quiet=output.quiet), in_words_of_options(_OPTIONS):
        scheme = labels.scheme() if labels.classes is not None else None
        classes = None if scheme is None else scheme.classes
        metric = SurfaceDistance(classes, **parameters)
        output.check(metric)
        files = labels.files(output)
        if hold_volumes([*files.truth, *files.pred]):
            limits: dict[str, Any] = {"spacing": spacing}
            if labels.max_pixels is not None:
                limits["max_voxels"] = labels.max_pixels
            volumes = VolumeMaps(files, **limits)
            if scheme is None:
                _refuse_options_of_classes(labels)
                if labels.ignore_index is not None:
                    metric = SurfaceDistance(ignore_index=labels.ignore_index, **parameters)
                pairs = volumes.raw()
            else:
                # All files are read once to see what their values mean, as images are.
                counted = count_volumes(files, **limits)
                encodings = labels.encodings(counted, files, scheme, quiet=output.quiet)
                metric = SurfaceDistance(
                    classes, ignore_index=ids_left_out(encodings, scheme.classes), **parameters
                )
                pairs = volumes.of_classes(encodings, scheme.classes)
            for pair in pairs:  # one after the other: each is large
                _absorb(metric, pair)
        elif scheme is None:
            raise InputError("expected --classes, which only volumes can do without")
        else:
            reader = labels.maps(files, scheme, quiet=output.quiet)
            # A void id is of no class, and cuts out what lies under it.
            metric = SurfaceDistance(classes, ignore_index=reader.left_out, **parameters)

            def measured(i: int) -> SurfaceDistance:
                truth, pred = reader.read(i)
                part = metric.empty()
                return part.update(truth, pred, image_id=files.image_ids[i], spacing=spacing)

            for part in in_threads(measured, range(len(files.image_ids))):
                metric.merge(part)
    output.deliver(metric)


def _absorb(metric: SurfaceDistance, pair: VolumePair) -> None:
    from snellen.errors import SnellenError

    try:
        metric.update(pair.truth, pair.pred, image_id=pair.image_id, spacing=pair.spacing)
    except SnellenError as error:
        raise type(error)(error.message, pair.place) from None


def _refuse_options_of_classes(labels: LabelInput) -> None:
    """Refuse what says something of classes where there are none."""
    given = [
        option
        for option, is_given in (
            ("--reduce-zero-label", labels.reduce_zero_label),
            ("--truth-encoding", labels.truth_encoding is not None),
            ("--prediction-encoding", labels.pred_encoding is not None),
            ("--unknown ignore", labels.unknown == "ignore"),
        )
        if is_given
    ]
    if given:
        raise click.UsageError(
            f"expected --classes with {' and '.join(given)}: without, every value but 0 and void "
            "is a class."
        )
