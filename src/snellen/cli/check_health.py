"""``snellen check TRUTH``: what is wrong with a data set for detection."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import click

from snellen.cli.output import check_folder_of
from snellen.cli.written_paths import refuse_same

if TYPE_CHECKING:
    from snellen.detection.box_layouts import BoxLayout

__all__ = ["Asked", "check_health"]


class Asked(NamedTuple):
    """What the options say of files."""

    truth_format: str
    format: str
    images: str | None
    classes: str | None
    box: BoxLayout | None
    relative: bool | None


def check_health(
    truth: str,
    predictions: str | None,
    asked: Asked,
    *,
    strict: bool,
    json_path: str | None,
    quiet: bool,
) -> None:
    """Check truth, and predictions; print and write what was found."""
    check_folder_of(json_path)
    refuse_same()

    from snellen.detection.health import check_detection
    from snellen.readers.detection_health import read_for_check

    read = read_for_check(truth, predictions, **asked._asdict())
    if not quiet:
        for note in read.notes:
            click.echo(f"snellen: {note}", err=True)
    report = check_detection(read.truth, read.pred)
    if json_path is not None:
        import msgspec

        from snellen.atomic_files import write_atomically

        text = msgspec.json.format(msgspec.json.encode(report.to_dict()), indent=2) + b"\n"
        if json_path == "-":
            click.echo(text, nl=False)
        else:
            write_atomically({json_path: text})
            if not quiet:
                click.echo(f"wrote {json_path}", err=True)
    if not quiet and json_path != "-":
        click.echo(str(report))
    if strict and report.n_errors:
        plural = "" if report.n_errors == 1 else "s"
        click.echo(f"snellen: {truth}: {report.n_errors} error{plural} found", err=True)
        raise click.exceptions.Exit(3)
