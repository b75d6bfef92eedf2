"""``snellen check --leaks``: images that the parts of a data set share."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING

import click

from snellen.cli.output import check_folder_of, data_warnings_on_stderr
from snellen.cli.written_paths import refuse_same

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from snellen.splits.image_list import ImageList
    from snellen.splits.leaks import LeakReport

__all__ = ["check_leaks"]


def check_leaks(
    source: tuple[str, ...],
    *,
    root: str | None,
    missing: str | None,
    distance: int,
    strict: bool,
    json_path: str | None,
    groups: str | None,
    sheet: str | None,
    fail_on_leak: bool,
    threads: int | None,
    quiet: bool,
) -> None:
    """Find images that parts share; print and write what was found."""
    for path in (json_path, groups, sheet):
        check_folder_of(path)
    refuse_same()

    from snellen.splits.leaks import find_duplicates
    from snellen.threads import set_threads

    set_threads(threads)
    images = _images(source, root, missing)
    if fail_on_leak and len(set(images.part)) < 2:
        from snellen.errors import InputError

        raise InputError(
            f'expected two parts or more for --fail-on-leak, got the part "{images.part[0]}" alone',
            ", ".join(source),
        )
    with (
        data_warnings_on_stderr(quiet=quiet),
        _progress(len(images.key), quiet=quiet) as progress,
    ):
        report = find_duplicates(
            images.path,
            images.part,
            key=images.key,
            distance=distance,
            strict=strict,
            progress=progress,
        )
    if images.absent and not quiet:
        from snellen.errors import first_few
        from snellen.table_text import printable

        n = len(images.absent)
        named = printable(first_few(images.absent, 3))
        click.echo(
            f"snellen: warning: {n} of the images that the manifest names "
            f"{'is' if n == 1 else 'are'} missing and left out ({named})",
            err=True,
        )
    _write(report, images, json_path, groups, sheet, quiet=quiet)
    if not quiet and json_path != "-":
        click.echo(str(report))
    if fail_on_leak and report.leaks:
        click.echo(f"snellen: parts share images: {len(report.pairs)} pairs", err=True)
        raise click.exceptions.Exit(3)


def _images(source: tuple[str, ...], root: str | None, missing: str | None) -> ImageList:
    from pathlib import Path

    from snellen.splits.image_list import images_of_folders, images_of_manifest

    if len(source) == 1 and not Path(source[0]).is_dir():
        return images_of_manifest(source[0], root, missing=missing or "error")
    for option, value in (("--root", root), ("--missing", missing)):
        if value is not None:
            raise click.UsageError(f"expected a manifest with {option}, got folders.")
    return images_of_folders(source)


@contextlib.contextmanager
def _progress(n_images: int, *, quiet: bool) -> Iterator[Callable[[int], None] | None]:
    """Show a bar on stderr, where somebody sees it, and give what moves it on."""
    if quiet or sys.stderr is None or not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(
        length=n_images,
        label="reading images",
        file=sys.stderr,
        update_min_steps=max(1, n_images // 200),
    ) as bar:
        yield bar.update


def _write(
    report: LeakReport,
    images: ImageList,
    json_path: str | None,
    groups: str | None,
    sheet: str | None,
    *,
    quiet: bool,
) -> None:
    from snellen.atomic_files import write_atomically

    files: dict[str, bytes] = {}
    if groups is not None:
        labelled = images.label if any(images.label) else None
        files[groups] = report.groups_csv(labelled).encode()
    if sheet is not None:
        from snellen.splits.contact_sheet import draw_contact_sheet

        files[sheet] = draw_contact_sheet(
            report.worst_pairs, dict(zip(images.key, images.path, strict=True))
        )
    text = b""
    if json_path is not None:
        import msgspec

        text = msgspec.json.format(msgspec.json.encode(report.to_dict()), indent=2) + b"\n"
        if json_path != "-":
            files[json_path] = text
    if files:
        write_atomically(files)  # type: ignore[arg-type]  # keys are invariant, and need not be
    if json_path == "-":
        click.echo(text, nl=False)
    if files and not quiet:
        click.echo(f"wrote {', '.join(files)}", err=True)
