"""``snellen report RUN…``: pages, pictures and tables from stored runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from snellen.cli.number_types import RealRange
from snellen.cli.output import check_folder_of, data_warnings_on_stderr, not_empty, quiet_option
from snellen.cli.written_paths import WrittenPath, refuse_same

if TYPE_CHECKING:
    from snellen.run.stored_run import StoredRun

__all__ = ["report"]

_ENDINGS: Final = {
    ".html": "html",
    ".htm": "html",
    ".png": "png",
    ".pdf": "pdf",
    ".svg": "svg",
    ".md": "md",
    ".tex": "tex",
}
_PICTURES: Final = ("png", "pdf", "svg")
_WIDTH: Final = 6.0  # of pictures, in inches
# What a run is made of: nothing that is made from it goes there.
_OF_RUNS: Final = frozenset(
    (
        *("run.json", "state.bin", "result.json", "description.json", "index.html", "README.md"),
        *("table.csv", "rounds.json"),
    )
)


@click.command()
@click.argument("runs", nargs=-1, required=True, type=click.Path(), metavar="RUN…")
@click.option(
    "-o",
    "--out",
    required=True,
    metavar="PATH",
    type=WrittenPath(),
    help="The file to write; of several pictures the folder.",
)
@click.option(
    "--format",
    "written",
    type=click.Choice(["html", *_PICTURES, "md", "tex"]),
    help="A page; each figure as a picture; or the tables, with a list of the figures. "
    "[default: as the ending of PATH says]",
)
@click.option(
    "--figure",
    metavar="NAME",
    callback=not_empty,
    help="Of pictures this one alone; PATH is then the file.",
)
@click.option(
    "--width",
    type=RealRange(1, 100),
    metavar="INCHES",
    help="The width of pictures: a column of a paper has about 3.3, a slide 10. [default: 6.0]",
)
@click.option(
    "--assets",
    metavar="DIR",
    type=WrittenPath(file_okay=False),
    help="Keep the script that draws figures in this folder, for several pages, and not in the "
    "page: 2 MB less of each.",
)
@click.option(
    "--slice-by",
    multiple=True,
    metavar="TABLE:COLUMN",
    help="Also the numbers of parts of the data, by a column of a table with a row for each image "
    "(sample, sequence), such as scenes.csv:weather. May be repeated.",
)
@click.option("--names", metavar="A,B", help="What to call the runs. [default: their folders]")
@quiet_option
def report(
    runs: tuple[str, ...],
    out: str,
    written: str | None,
    figure: str | None,
    width: float | None,
    assets: str | None,
    slice_by: tuple[str, ...],
    names: str | None,
    quiet: bool,
) -> None:
    """Make a page, pictures or tables from stored runs, again and without model and images.

    RUN is a folder that an evaluation wrote with --out, or that of a training or of a benchmark.
    Several are shown side by side, the others compared with the first: they must be of one task and
    under one protocol.

        snellen report runs/a runs/b -o page.html

        snellen report runs/a -o curve.pdf --figure precision_recall

        snellen report runs/a -o slices.md --slice-by scenes.csv:weather
    """
    kind = _kind(out, written)
    if figure is not None and kind not in _PICTURES:
        raise click.UsageError(f"expected --figure with a picture ({', '.join(_PICTURES)}).")
    if width is not None and kind not in _PICTURES:
        raise click.UsageError(f"expected --width with pictures ({', '.join(_PICTURES)}).")
    if assets is not None and kind != "html":
        raise click.UsageError("expected --assets with a page (html).")
    if kind in _PICTURES and figure is None and Path(out).suffix.lower() in _ENDINGS:
        raise click.UsageError(
            f"expected --figure NAME with one file, or a folder for all of them: -o pictures "
            f"--format {kind}."
        )
    from snellen.run.run_names import refuse_different

    check_folder_of(out)
    check_folder_of(assets)
    refuse_same()
    opened, called = _opened(runs, names)
    _refuse_input(Path(out), opened)
    refuse_different(opened, called)
    with data_warnings_on_stderr(quiet=quiet):
        if kind == "html":
            paths = _write_page(opened, called, Path(out), assets, slice_by)
        elif kind in _PICTURES:
            inches = _WIDTH if width is None else width
            paths = _write_pictures(opened, called, Path(out), kind, figure, inches, slice_by)
        else:
            from snellen.atomic_files import write_atomically
            from snellen.report.paper_tables import paper_tables

            tables = paper_tables(opened, called, kind, slice_by=slice_by)
            write_atomically({out: tables.encode()})
            paths = [Path(out)]
    if not quiet:
        for path in paths:
            click.echo(str(path))


def _kind(out: str, written: str | None) -> str:
    """Return what is written: what is said, else what the ending says."""
    kind = written or _ENDINGS.get(Path(out).suffix.lower())
    if kind is None:
        raise click.UsageError(
            f'expected -o with {", ".join(_ENDINGS)}, or --format; got "{out}" alone.'
        )
    return kind


def _opened(runs: tuple[str, ...], names: str | None) -> tuple[list[StoredRun], list[str]]:
    """Return the runs, those of a benchmark being its models, and what they are called."""
    from snellen.errors import InputError
    from snellen.run.run_names import names_of_paths
    from snellen.run.stored_run import StoredRun

    opened: list[StoredRun] = []
    for place in runs:
        run = StoredRun.open(place)
        if run.kind == "benchmark" and not run.models:
            raise InputError("expected a benchmark with models, it has none", place)
        opened += run.models or [run]
    if names is None:
        return opened, names_of_paths([run.path for run in opened])
    called = names.split(",")
    if len(called) != len(opened) or len(set(called)) != len(called) or "" in called:
        raise click.UsageError(f"expected {len(opened)} different names, got {names}.")
    return opened, called


def _refuse_input(out: Path, runs: list[StoredRun]) -> None:
    """Refuse to write over what is read."""
    from snellen.errors import InputError

    target = out.resolve()
    # Models of a benchmark lie in its folder, which has files of its own.
    read = dict.fromkeys(each for run in runs for each in (run, run.parent) if each is not None)
    for run in read:
        home = run.path.resolve()
        inner = [home / name for name in ("states", "examples", "test", "predictions")]
        if (
            target in (home, home / "models")
            or any(target.is_relative_to(each) for each in inner)
            or (target.parent == home and target.name in _OF_RUNS)
        ):
            raise InputError(
                "expected a place of its own for what is written, got a part of the run: name "
                "another, such as report.html",
                str(out),
            )


def _write_page(
    runs: list[StoredRun],
    names: list[str],
    out: Path,
    assets: str | None,
    slice_by: tuple[str, ...],
) -> list[Path]:
    """Write the page, and the script that it shares with others; return what was written."""
    from snellen.atomic_files import write_atomically
    from snellen.report.results_page import results_page

    if out.is_dir():
        from snellen.errors import InputError

        raise InputError("expected a file for the page, got a folder", str(out))
    more: dict[str, Any] = {
        "folders": [_address(run.path, out) for run in runs],
        "slice_by": slice_by,
    }
    paths = [out]
    if assets is not None:
        from snellen.report.plotly_script import write_plotly

        shared = write_plotly(assets)
        more["plotly"] = _address(shared, out)
        paths.append(shared)
    page = results_page(runs, names=names, **more)
    write_atomically({out: page.encode()})
    return paths


def _write_pictures(
    runs: list[StoredRun],
    names: list[str],
    out: Path,
    kind: str,
    figure: str | None,
    width: float,
    slice_by: tuple[str, ...],
) -> list[Path]:
    """Write figures; return the files."""
    from snellen.atomic_files import write_atomically
    from snellen.errors import InputError
    from snellen.report.run_pictures import run_pictures

    if figure is None and out.exists() and not out.is_dir():
        raise InputError("expected a folder for the pictures, got a file", str(out))
    files = run_pictures(runs, names, out, kind, figure=figure, width=width, slice_by=slice_by)
    if figure is None:
        out.mkdir(exist_ok=True)
    write_atomically(files)
    return [Path(path) for path in files]


def _address(path: Path, page: Path) -> str:
    """Return how a browser that shows the page reaches a file or folder."""
    import os
    from urllib.parse import quote

    try:
        way = os.path.relpath(path.resolve(), page.resolve().parent)
    except ValueError:  # on another drive
        return path.resolve().as_uri()
    return quote(os.fsencode(way.replace(os.sep, "/")))  # a name may be no text
