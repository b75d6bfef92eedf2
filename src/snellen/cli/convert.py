"""``snellen convert``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from snellen.cli.box_options import box_option, relative_option
from snellen.cli.format_options import FORMATS_OR_AUTO, format_option
from snellen.cli.output import check_folder_of, data_warnings_on_stderr, json_option, quiet_option
from snellen.cli.written_paths import WrittenPath, refuse_same
from snellen.readers.detection_formats import FORMATS, called

if TYPE_CHECKING:
    from snellen.writers.conversion import Conversion

__all__ = ["convert"]


@click.command()
@click.argument("source", type=click.Path())
@click.argument("target", type=WrittenPath())
@click.option("--to", type=click.Choice(FORMATS), required=True, help="What TARGET is written in.")
@format_option("What SOURCE is written in; auto: as its content says.")
@click.option("--predictions", is_flag=True, help="SOURCE holds predictions; needs --truth.")
@click.option(
    "--truth",
    type=click.Path(),
    help="The truth of the predictions: its images and classes are those that count.",
)
@click.option(
    "--truth-format",
    type=FORMATS_OR_AUTO,
    default="auto",
    show_default=True,
    help="What --truth is written in.",
)
@click.option(
    "--images",
    type=click.Path(),
    metavar="PATH",
    help="The images: a folder of pictures, which have the sizes, or a text with one a line: of "
    "these only. Not for COCO.",
)
@click.option(
    "--classes",
    type=click.Path(),
    metavar="FILE",
    help="The names of classes: one a line, JSON, or a data.yaml. Beside a COCO --truth, and of "
    "COCO's results beside a data.yaml with names, those of the numbers of predictions.",
)
@box_option
@relative_option
@click.option(
    "--drop-unknown",
    is_flag=True,
    help="Leave out objects of images or classes that are not listed, and say how many.",
)
@click.option(
    "--kind",
    type=click.Choice(["box", "mask", "keypoints", "oriented"]),
    help="What is read of objects. [default: of COCO boxes, of other formats what they hold]",
)
@click.option(
    "--to-box",
    type=click.Choice(["xywh", "xyxy", "cxcywh"]),
    help="What four numbers --to box-text writes. [default: xywh]",
)
@click.option(
    "--round", "round_pixels", is_flag=True, help="Round corners to whole pixels (needs --lossy)."
)
@click.option("--drop-scores", is_flag=True, help="Write predictions as truth (needs --lossy).")
@click.option("--lossy", is_flag=True, help="Write TARGET although something is lost.")
@click.option(
    "--force", is_flag=True, help="Replace TARGET; of a folder only the files that are written."
)
@json_option("what was converted, and what is lost,")
@quiet_option
def convert(
    source: str,
    target: str,
    to: str,
    written: str,
    predictions: bool,
    truth: str | None,
    truth_format: str,
    images: str | None,
    classes: str | None,
    box: Any,
    relative: bool | None,
    drop_unknown: bool,
    kind: Any,
    to_box: Any,
    round_pixels: bool,
    drop_scores: bool,
    lossy: bool,
    force: bool,
    json_path: str | None,
    quiet: bool,
) -> None:
    """Write SOURCE, boxes of any detection format, as TARGET in another.

    What TARGET could not hold is listed, counted, on stderr, and then nothing is written unless
    --lossy is said.
    """
    if predictions != (truth is not None):
        raise click.UsageError("--predictions and --truth TRUTH go together")
    if to_box is not None and to != "box-text":
        raise click.UsageError("--to-box goes with --to box-text")
    if drop_scores and not predictions:
        raise click.UsageError("--drop-scores goes with --predictions")
    check_folder_of(json_path)
    refuse_same()
    from snellen.writers.conversion import convert_detections
    from snellen.writers.source import Source

    with data_warnings_on_stderr(quiet=quiet):
        done = convert_detections(
            Source(
                path=source,
                truth=truth,
                format=written,
                truth_format=truth_format,
                images=images,
                classes=classes,
                box=box,
                relative=relative,
                drop_unknown=drop_unknown,
                kind=kind,
            ),
            target,
            to,
            to_box=to_box,
            round_pixels=round_pixels,
            drop_scores=drop_scores,
            lossy=lossy,
            force=force,
        )
    _deliver(done, json_path, quiet=quiet)


def _deliver(done: Conversion, json_path: str | None, *, quiet: bool) -> None:
    from snellen.table_text import printable

    def say(text: str) -> None:
        click.echo(f"snellen: {printable(text)}", err=True)

    if not quiet:
        say(f"{done.source}: {called(done.read_as)}")
        for note in done.notes:
            say(note)
    if not quiet or not done.is_written:
        for loss in done.losses:
            say(f"lost: {loss.n:,} {loss.text}")
    if json_path is not None:
        _write_json(done, json_path)
    if not done.is_written:
        say(
            f"error: expected a format that holds all, {called(done.written_as)} would lose what "
            f"is listed; --lossy writes it all the same - at {done.target}"
        )
        raise click.exceptions.Exit(1)
    if not quiet and json_path != "-":
        click.echo(
            printable(
                f"{done.target}: {called(done.written_as)}, "
                f"{'truth' if done.is_truth else 'predictions'}: {done.n_images:,} images, "
                f"{done.n_objects:,} objects, {done.n_classes:,} classes; {done.n_files:,} "
                f"{'file' if done.n_files == 1 else 'files'}"
            )
        )


def _write_json(done: Conversion, path: str) -> None:
    import msgspec

    from snellen.atomic_files import write_atomically

    text = msgspec.json.format(msgspec.json.encode(done.to_dict()), indent=2) + b"\n"
    if path == "-":
        click.echo(text, nl=False)
    else:
        write_atomically({path: text})
