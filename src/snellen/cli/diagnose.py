"""``snellen diagnose``: why a detector's number is what it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from snellen.cli.detection_input import detection_file_options
from snellen.cli.detection_rules import detection_rule_options
from snellen.cli.limit_options import threads_option
from snellen.cli.number_types import RealRange
from snellen.cli.output import check_folder_of, json_option, not_empty, quiet_option
from snellen.cli.written_paths import WrittenPath, refuse_same

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snellen.cli.detection_input import DetectionFiles
    from snellen.cli.detection_rules import DetectionRules
    from snellen.detection.diagnosis_result import DetectionDiagnosis
    from snellen.state import Keys

__all__ = ["diagnose"]

# Repeated here because importing them would import NumPy; a test compares.
PARTS: Final = (
    *("errors", "confusion", "points", "lrp", "calibration", "images", "labels", "slices"),
)


def _parts(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> list[str] | None:
    """Read names of parts, as an option's callback; None: all."""
    from snellen.errors import did_you_mean

    names = [name.strip() for text in texts for name in text.split(",")]
    for name in names:
        if name not in PARTS:
            raise click.BadParameter(
                f'expected {", ".join(PARTS)}; got "{name}".{did_you_mean(name, PARTS)}'
            )
    return names or None


@click.command()
@detection_rule_options
@detection_file_options
@click.option(
    "--only",
    callback=_parts,
    multiple=True,
    metavar="PART,…",
    help=f"Say these alone, of {', '.join(PARTS)}; may be repeated. [default: all]",
)
@click.option(
    "--slice-by",
    callback=not_empty,
    metavar="FILE:COLUMN|area|crowding",
    help="Average precision of parts of the data: by a column of a table of images, by sizes, by "
    "numbers of objects in an image.",
)
@click.option(
    "--iou-threshold",
    type=RealRange(0, 1, min_open=True, max_open=True),
    metavar="IOU",
    help="The IoU (OKS) from which a detection is right. [default: the first of the rules; 0.5]",
)
@click.option(
    "--score-threshold",
    type=RealRange(),
    metavar="SCORE",
    help="The score from which detections are in the confusion matrix and the worst images. "
    "[default: that of the highest F]",
)
@click.option(
    "--background",
    type=RealRange(0, 1, min_open=True),
    default=0.1,
    show_default=True,
    metavar="IOU",
    help="The IoU up to which a detection has nothing to do with an object.",
)
@click.option(
    "--confident",
    type=RealRange(),
    default=0.5,
    show_default=True,
    metavar="SCORE",
    help="The score from which a detection speaks against a label.",
)
@click.option(
    "--duplicate",
    type=RealRange(0, 1, min_open=True),
    default=0.9,
    show_default=True,
    metavar="IOU",
    help="The IoU from which two objects of truth are one.",
)
@click.option(
    "--beta",
    type=RealRange(0, min_open=True),
    default=1.0,
    show_default=True,
    help="How many times more recall counts than precision in F.",
)
@click.option(
    "--bins",
    type=click.IntRange(1, 100_000),
    default=15,
    show_default=True,
    help="Bins of scores, for calibration.",
)
@click.option(
    "--classes-shown",
    type=click.IntRange(min=0),
    default=10,
    show_default=True,
    metavar="N",
    help="Print the N classes of the lowest AP.",
)
@click.option("--all", "everything", is_flag=True, help="Print all rows of all tables.")
@click.option(
    "--out",
    "directory",
    metavar="DIR",
    type=WrittenPath(file_okay=False),
    help="Write every table, whole, as CSV, and diagnosis.json to this folder.",
)
@json_option("the diagnosis")
@threads_option
@quiet_option
def diagnose(
    files: DetectionFiles,
    rules: DetectionRules,
    only: list[str] | None,
    slice_by: str | None,
    iou_threshold: float | None,
    score_threshold: float | None,
    background: float,
    confident: float,
    duplicate: float,
    beta: float,
    bins: int,
    classes_shown: int,
    everything: bool,
    directory: str | None,
    json_path: str | None,
    threads: int | None,
    quiet: bool,
) -> None:
    """Say why the average precision of a detector is what it is.

    One screen: which errors cost most (TIDE), which classes are taken for which, which score
    threshold to deploy and what it gives, LRP, calibration, the worst images, likely errors of
    truth, and what to look at next. TRUTH and PREDICTIONS are what snellen evaluate detection
    takes.
    """
    if only and "slices" in only and slice_by is None:
        raise click.UsageError("expected --slice-by, to say what slices are made by")
    if only and slice_by is not None and "slices" not in only:
        only = [*only, "slices"]
    check_folder_of(json_path)
    refuse_same(files=[] if directory is None else [f"{directory}/diagnosis.json"])
    from snellen.threads import set_threads

    set_threads(threads)
    opened = files.opened(rules.compared(), quiet=quiet)
    from snellen.detection.diagnosis import DiagnosisThresholds, detection_diagnosis

    metric, truth, pred = rules.read(opened)
    sliced: str | Mapping[Any, str] | None = slice_by
    if slice_by is not None and slice_by not in ("area", "crowding"):
        sliced = _slices(slice_by, truth.boxes.images, files.truth, quiet=quiet)
    diagnosis = detection_diagnosis(
        truth,
        pred,
        protocol=metric.protocol,
        only=only,
        slice_by=sliced,
        thresholds=DiagnosisThresholds(
            iou_threshold, score_threshold, background, confident, duplicate, beta, bins
        ),
    )
    _write(diagnosis, directory, json_path, quiet=quiet)
    if not quiet and json_path != "-":
        click.echo(
            diagnosis.text(
                rows=None if everything else 10, classes=None if everything else classes_shown
            )
        )


def _slices(source: str, images: Keys, truth: str, *, quiet: bool) -> dict[Any, str]:
    """Return the slice of each image by a column of a table."""
    from snellen.readers.detection_formats import may_be_coco
    from snellen.readers.slices import read_image_slices

    found = read_image_slices(source, images.ids.tolist(), truth if may_be_coco(truth) else None)
    if len(found) < len(images) and not quiet:
        n = len(images) - len(found)
        click.echo(f"snellen: {source}: {n:,} of {len(images):,} images are in no slice", err=True)
    return found


def _write(
    diagnosis: DetectionDiagnosis, directory: str | None, json_path: str | None, *, quiet: bool
) -> None:
    if directory is None and json_path is None:
        return
    from pathlib import Path

    import msgspec

    from snellen.atomic_files import write_atomically
    from snellen.detection.diagnosis_tables import csv_files

    text = msgspec.json.format(msgspec.json.encode(diagnosis.to_dict()), indent=2) + b"\n"
    if directory is not None:
        folder = Path(directory)
        folder.mkdir(parents=True, exist_ok=True)
        tables = csv_files(diagnosis)
        refuse_same(files=[folder / name for name in (*tables, "diagnosis.json")])
        write_atomically(
            {
                **{folder / name: table for name, table in tables.items()},
                folder / "diagnosis.json": text,
            }
        )
        if not quiet:
            click.echo(f"wrote diagnosis.json and {len(tables)} tables to {folder}", err=True)
    if json_path == "-":
        click.echo(text, nl=False)
    elif json_path is not None:
        write_atomically({json_path: text})
