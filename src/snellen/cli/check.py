"""``snellen check``: what is wrong with a data set, before anything is measured on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from snellen.cli.box_options import box_option, relative_option
from snellen.cli.format_options import FORMATS_OR_AUTO, format_option
from snellen.cli.limit_options import threads_option
from snellen.cli.output import json_option, not_empty, quiet_option
from snellen.cli.written_paths import WrittenPath

if TYPE_CHECKING:
    from snellen.cli.check_health import Asked

__all__ = ["check"]

_OF_LEAKS: Final = ("root", "missing", "distance", "groups", "sheet", "fail_on_leak")
_OF_HEALTH: Final = (
    *("predictions", "written", "truth_format", "images", "classes", "box", "relative"),
)


class _Check(click.Command):
    """A command whose options are listed by what they are for."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options in three parts."""
        parts: dict[str, list[tuple[str, str]]] = {
            "Objects": [],
            "Images that parts share (--leaks)": [],
            "Both": [],
        }
        objects, leaks, both = parts.values()
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is None or not isinstance(param, click.Option):
                continue
            if param.name in _OF_HEALTH:
                objects.append(record)
            elif param.name == "leaks" or param.name in _OF_LEAKS:
                leaks.append(record)
            else:
                both.append(record)
        for title, records in parts.items():
            with formatter.section(title):
                formatter.write_dl(records)


@click.command(cls=_Check)
@click.argument("source", nargs=-1, required=True, type=click.Path(), metavar="SOURCE…")
@click.option(
    "--predictions",
    metavar="FILE",
    type=click.Path(),
    callback=not_empty,
    help="Check these predictions for it, too.",
)
@format_option("What the files are written in; auto: as their content says.")
@click.option(
    "--truth-format",
    type=FORMATS_OR_AUTO,
    help="What the truth is written in; --format is then of the predictions.",
)
@click.option(
    "--images",
    type=click.Path(),
    metavar="PATH",
    callback=not_empty,
    help="The images: a folder of pictures, or a text with one a line: of these only. Not for "
    "COCO.",
)
@click.option(
    "--classes",
    type=click.Path(),
    metavar="FILE",
    callback=not_empty,
    help="The names of classes, one a line, or JSON. Beside COCO's truth those of the numbers of "
    "predictions.",
)
@box_option
@relative_option
@click.option("--leaks", is_flag=True, help="Find images that the parts of a data set share.")
@click.option(
    "--root",
    metavar="DIR",
    type=click.Path(),
    callback=not_empty,
    help="The folder that the keys of a manifest start from. [default: where it lies]",
)
@click.option(
    "--missing",
    type=click.Choice(["error", "ignore"]),
    help="What to do about files of a manifest that are not there. [default: error]",
)
@click.option(
    "--distance",
    # The number is repeated here because importing it would import NumPy; a test compares.
    default=30,
    show_default=True,
    metavar="BITS",
    type=click.IntRange(min=0, max=255),
    help="In how many of 256 bits the hashes of near duplicates may differ.",
)
@click.option(
    "--groups",
    metavar="FILE",
    type=WrittenPath(dir_okay=False),
    help="Write a table of key and group (and label, of a manifest that has it): snellen split "
    "FILE --group group keeps duplicates together.",
)
@click.option(
    "--sheet",
    metavar="FILE",
    type=WrittenPath(dir_okay=False),
    help="Draw the pairs side by side, the most alike first, as a PNG picture.",
)
@click.option("--fail-on-leak", is_flag=True, help="Exit with 3 where parts share an image.")
@click.option(
    "--strict",
    is_flag=True,
    help="Exit with 3 where an error is found (warnings and notes are none); with --leaks refuse "
    "images that cannot be read.",
)
@json_option("the result")
@threads_option
@quiet_option
@click.pass_context
def check(
    context: click.Context,
    /,
    source: tuple[str, ...],
    predictions: str | None,
    written: str,
    truth_format: str | None,
    images: str | None,
    classes: str | None,
    box: Any,
    relative: bool | None,
    leaks: bool,
    strict: bool,
    json_path: str | None,
    threads: int | None,
    quiet: bool,
    **of_leaks: Any,
) -> None:
    """Look for what is wrong with a data set.

    SOURCE is the truth of a detection data set, a file or folder in any format that snellen
    evaluate detection reads: what is wrong with its ids, boxes, areas, masks, keypoints and
    classes, what that does to the number, and what there is. All faults of a COCO file are named
    at once.

    With --leaks: which images of one part are in another part, too, or look as if they were.
    SOURCE is a manifest that snellen split wrote; or a folder for each part; or one folder that
    holds a folder for each part.

    Exit code: 0, also where something is wrong; 1 what cannot be read; 2 usage; 3 with --strict
    (an error) or --fail-on-leak (a leak).
    """
    _refuse_others(context, leaks=leaks)
    from snellen.threads import set_threads

    if leaks:
        from snellen.cli.check_leaks import check_leaks

        check_leaks(
            source, strict=strict, json_path=json_path, threads=threads, quiet=quiet, **of_leaks
        )
        return
    if len(source) > 1:
        raise click.UsageError(
            f"expected one data set, got {len(source)}: --predictions names predictions, and "
            "--leaks finds images that parts share."
        )
    from snellen.cli.check_health import Asked, check_health

    asked: Asked = Asked(truth_format or written, written, images, classes, box, relative)
    _refuse_pictures(source[0], asked.truth_format)
    set_threads(threads)
    check_health(source[0], predictions, asked, strict=strict, json_path=json_path, quiet=quiet)


def _refuse_others(context: click.Context, *, leaks: bool) -> None:
    """Refuse options of the other check."""
    for param in context.command.params:
        name = str(param.name)
        if name not in (_OF_HEALTH if leaks else _OF_LEAKS):
            continue
        if context.get_parameter_source(name) == click.core.ParameterSource.COMMANDLINE:
            with_or_without = "without" if leaks else "with"
            raise click.UsageError(f"expected {param.opts[0]} {with_or_without} --leaks.")


def _refuse_pictures(source: str, written: str) -> None:
    """Refuse a folder that is in no format of objects: most likely one of pictures."""
    import os

    from snellen.errors import SchemaError
    from snellen.readers.detection_formats import found_format

    if written != "auto" or not os.path.isdir(source):  # noqa: PTH112  # pathlib takes time
        return
    try:
        found_format(source)
    except SchemaError as error:
        raise click.UsageError(
            f"expected what to check: --leaks finds images that parts share. For boxes: {error}"
        ) from None
