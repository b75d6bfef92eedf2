"""The figures of runs as picture files, for papers and slides."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from snellen.displays import Display
from snellen.errors import InputError, did_you_mean

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    from snellen.run.stored_run import StoredRun

__all__ = ["figures_of", "run_pictures"]


def figures_of(run: StoredRun, slice_by: Sequence[str] = ()) -> dict[str, Display]:
    """Return every figure of a run by name, in the order of its page; the main one is the first."""
    from snellen.report.run_parts import parts_of
    from snellen.report.run_slices import read_run_slices

    result = run.result()
    parts = parts_of(run, result, read_run_slices(run, result, slice_by))
    shown = (
        *result.displays(),
        *((parts.confusion,) if parts.confusion is not None else ()),
        *parts.curves,
        *parts.errors,
        *parts.slices,
        *parts.own,
    )
    found: dict[str, Display] = {}
    for each in shown:
        if isinstance(each, Display):
            found.setdefault(each.name, each)
    return found


def run_pictures(
    runs: Sequence[StoredRun],
    names: Sequence[str],
    out: Path,
    kind: str,
    *,
    figure: str | None = None,
    width: float = 6.0,
    slice_by: Sequence[str] = (),
) -> dict[str | os.PathLike[str], bytes]:
    """Return the pictures of runs by the files that they are for.

    Parameters
    ----------
    runs : sequence of StoredRun
        Whose figures.
    names : sequence of str
        What they are called; of several runs, files begin with it.
    out : Path
        The folder; with `figure` the file, of several runs its name gets theirs.
    kind : {"png", "pdf", "svg"}
        The format.
    figure : str, optional
        Of this name alone.
    width : float
        In inches.
    slice_by : sequence of str
        As `results_page` takes it.

    Raises
    ------
    InputError
        Where no run has such a figure, and for slices that cannot be made.
    MissingExtraError
        Where Matplotlib is not installed.
    """
    from snellen.displays.picture_files import picture

    files: dict[str | os.PathLike[str], bytes] = {}
    known: dict[str, None] = {}
    for run, begin in zip(runs, _beginnings(names), strict=True):
        for title, display in figures_of(run, slice_by).items():
            known[title] = None
            if figure is None:
                path = out / f"{begin}{_plain(title)}.{kind}"
            elif title == figure:
                path = out.with_name(f"{begin}{out.name}")
            else:
                continue
            files[path] = picture(display, Path(f"{title}.{kind}"), width)
    if figure is not None and not files:
        raise InputError(
            f'expected the name of a figure ({", ".join(known)}), got "{figure}".'
            f"{did_you_mean(figure, known)}"
        )
    return files


def _beginnings(names: Sequence[str]) -> list[str]:
    """Return what the files of each run begin with; nothing where there is one run."""
    if len(names) == 1:
        return [""]
    plain = [f"{_plain(name)}-" for name in names]
    distinct = len({name.casefold() for name in plain}) == len(plain)
    return plain if distinct else [f"{place + 1}-{name}" for place, name in enumerate(plain)]


def _plain(name: str) -> str:
    """Return a name as a part of the name of a file on any system."""
    return "".join(c if c.isalnum() or c in "._-" else "-" for c in name).strip(".-") or "run"
