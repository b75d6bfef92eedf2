"""``--report``: the page of a run, written into its folder."""

from __future__ import annotations

import click

__all__ = ["check_plotly", "report_option", "write_page"]

report_option = click.option(
    "--report", is_flag=True, help="Write the page report.html to the folder of --out, too."
)


def check_plotly() -> None:
    """Refuse a page, before the work is done, where what draws in it is not installed.

    Raises
    ------
    MissingExtraError
        Then.
    """
    import importlib.util

    if importlib.util.find_spec("plotly") is None:
        from snellen.errors import MissingExtraError

        raise MissingExtraError("plotly", "report")


def write_page(folder: str) -> None:
    """Write the page of a run into its folder."""
    from pathlib import Path

    from snellen.atomic_files import write_atomically
    from snellen.report.results_page import results_page
    from snellen.run.stored_run import StoredRun

    run = StoredRun.open(folder)
    runs = list(run.models) or [run]
    # Pictures that are left out are linked from there.
    folders = [each.path.relative_to(run.path).as_posix() for each in runs]
    page = results_page(runs, folders=folders)
    write_atomically({Path(folder) / "report.html": page.encode()})
