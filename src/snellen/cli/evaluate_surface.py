"""``snellen evaluate surface``: label images or volumes to distances between surfaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from snellen.cli.evaluate_segmentation import OPTIONS
from snellen.cli.label_options import label_options
from snellen.cli.option_names import in_words_of_options
from snellen.cli.output import data_warnings_on_stderr, output_options

if TYPE_CHECKING:
    from snellen.cli.label_options import LabelInput
    from snellen.cli.output import Output
    from snellen.readers.label_pairs import LabelPairs

__all__ = ["surface"]


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
    type=click.FloatRange(0, 100, min_open=True),
    default=95.0,
    show_default=True,
    help="Of the robust Hausdorff distance.",
)
@click.option(
    "--tolerance",
    type=click.FloatRange(min=0),
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
@output_options
def surface(
    labels: LabelInput,
    rules: str,
    percentile: float,
    tolerance: float,
    missing_structure: str | float,
    spacing: float | list[float] | None,
    output: Output,
) -> None:
    """Hausdorff distances, surface distance and surface Dice.

    TRUTH and PREDICTIONS are label images as of `snellen evaluate segmentation`, or volumes: NIfTI
    (.nii, .nii.gz) or NPY with three axes. Without --classes every value but 0 is a class.
    """
    from snellen.readers.volume import hold_volumes
    from snellen.segmentation.surface_distance import SurfaceDistance
    from snellen.threads import in_threads

    labels.set_threads()
    parameters: dict[str, Any] = {
        "rules": rules,
        "percentile": percentile,
        "tolerance": tolerance,
        "missing": missing_structure,
    }
    with data_warnings_on_stderr(quiet=output.quiet), in_words_of_options(OPTIONS):
        scheme = labels.scheme() if labels.classes is not None else None
        classes = None if scheme is None else scheme.classes
        output.check(SurfaceDistance(classes, **parameters))
        files = labels.files()
        if hold_volumes([*files.truth, *files.pred]):
            metric = _of_volumes(labels, files, SurfaceDistance(classes, **parameters), spacing)
        elif scheme is None:
            from snellen.errors import InputError

            raise InputError("expected --classes, which only volumes can do without")
        else:
            found, reader = labels.maps(scheme, quiet=output.quiet)
            # A void id is of no class, and cuts out what lies under it.
            metric = SurfaceDistance(classes, ignore_index=reader.void, **parameters)

            def measured(i: int) -> SurfaceDistance:
                truth, pred = reader.read(i)
                part = metric.empty()
                return part.update(truth, pred, image_id=found.image_ids[i], spacing=spacing)

            for part in in_threads(measured, range(len(found.image_ids))):
                metric.merge(part)
    output.deliver(metric)


def _of_volumes(labels: LabelInput, files: LabelPairs, metric: Any, spacing: Any) -> Any:
    """Return the metric after it has absorbed volumes, one after the other: each is large."""
    from snellen.readers.volume import read_volume_pair

    if labels.ignore_index is not None or labels.reduce_zero_label:
        raise click.UsageError(
            "expected label images with --ignore-index and --reduce-zero-label, got volumes."
        )
    for image_id, truth, pred in zip(files.image_ids, files.truth, files.pred, strict=True):
        one, other = read_volume_pair(truth, pred, spacing=spacing)
        metric.update(one.values, other.values, image_id=image_id, spacing=one.spacing)
    return metric
