"""What ``snellen search`` does: a search from options, what is printed."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snellen.errors import InputError
from snellen.training.command import asked_description, changes_of, write_json
from snellen.training.description import Description
from snellen.training.search_space import over_of
from snellen.training.settings import with_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from snellen.training.search_result import SearchResult

__all__ = ["FOLDER", "searched", "write_search"]

FOLDER = "search"
_N_TRIALS = 20


def searched(
    path: str | None,
    given: Mapping[str, Any],
    settings: Sequence[str],
    over: Sequence[str],
    *,
    n_trials: int | None,
    out: str | None,
    resume: str | None,
    prune: bool | None,
    echo: Callable[[str], None] | None,
) -> SearchResult:
    """Search, or go on with a search.

    Parameters
    ----------
    path : str or None
        The file of a description; without it, that of the search that is resumed.
    given : mapping
        Keys and their values, over those of the file.
    settings, over : sequence of str
        More of them, and what to search over, as on the command line.
    n_trials, prune
        None: as the search that is resumed, or by default.
    out : str or None
        The folder of a new search; None: `FOLDER`.
    resume : str or None
        That of one that is to go on.
    echo : callable or None
        Writes a line for each trial.
    """
    if resume is not None and out is not None and Path(resume) != Path(out):
        raise InputError(f"expected to go on in {resume}, got --out {out}: leave it out")
    ranges: dict[str, Any] = {}
    for text in over:
        name, values = over_of(text)
        if name in ranges:
            raise InputError("expected each key once, got it twice", f"over {name}")
        ranges[name] = values
    if resume is None:
        description = asked_description(path, given, settings, None, None, strict=False)
    else:
        from snellen.training.search_folder import SearchFolder

        description, known, before, pruned = SearchFolder(resume).asked()
        if path is not None:
            description = asked_description(path, given, settings, None, None, strict=False)
        else:
            description = _changed(description, given, settings)
        ranges = ranges or known
        n_trials = before if n_trials is None else n_trials
        prune = pruned if prune is None else prune
    from snellen.training.search import search

    total = _N_TRIALS if n_trials is None else n_trials
    return search(
        description,
        ranges,
        n_trials=total,
        out=Path(resume or out or FOLDER),
        prune=prune is not False,
        resume=resume is not None,
        told=None if echo is None else lambda trial: echo(f"{trial.number}/{total}  {trial}"),
    )


def write_search(found: SearchResult, path: str | None, echo: Callable[..., None]) -> None:
    """Write the trials of a search to a file, or with ``-`` to stdout."""
    result: Any = found  # what has plain values is written as a training is
    write_json(result, path, echo)


def _changed(
    description: Description, given: Mapping[str, Any], settings: Sequence[str]
) -> Description:
    content = with_settings(description.plain(), changes_of(given, settings))
    made = Description.of({name: value for name, value in content.items() if value is not None})
    return dataclasses.replace(made, place=description.place)
