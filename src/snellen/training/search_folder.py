"""The folder of a search.

::

    search.json     the description, what is searched over, how many trials
    journal.log     every trial, as it happens (Optuna's journal)
    trials.json     the same when the search is over
    best.toml       the best description
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from snellen.errors import InputError, SchemaError
from snellen.training.description import Description
from snellen.training.run_folder import RunFolder, refuse_other_plan

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from snellen.training.search_result import SearchResult

__all__ = ["SearchFolder"]

_PLAN, _JOURNAL = "search.json", "journal.log"


class SearchFolder:
    """The folder of a search.

    Parameters
    ----------
    path : path
        The folder; made when something is written.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._files = RunFolder(path)
        self.path = self._files.path

    def __str__(self) -> str:
        return str(self.path)

    @property
    def is_search(self) -> bool:
        """Whether a search was begun in it."""
        return (self.path / _PLAN).is_file()

    def refuse(self, *, resume: bool) -> None:
        """Refuse a folder with a search, or to resume without one.

        Raises
        ------
        InputError
            With what to do.
        """
        if resume and not self.is_search:
            raise InputError("expected the folder of a search, there is none", str(self.path))
        if not resume and self.is_search:
            raise InputError(
                "expected a folder without a search, there is one: resume it, or name another "
                "folder",
                str(self.path),
            )
        if self.path.exists() and not self.path.is_dir():
            raise InputError("expected a folder, got a file", str(self.path))

    def begin(self, content: Mapping[str, Any]) -> None:
        """Write what is searched, or to how many trials a search goes on."""
        self._files.write(_PLAN, content)

    def asked(self) -> tuple[Description, dict[str, Any], int, bool]:
        """Return the description, what is searched over, the number of trials, and of pruning.

        Raises
        ------
        InputError
            Where there is no search.
        """
        self.refuse(resume=True)
        content = self._files.read(_PLAN)
        place = str(self.path / _PLAN)
        try:
            description = Description.of(_given(content["description"]), place)
            return description, content["over"], content["n_trials"], content["prune"]
        except (KeyError, AttributeError):
            raise SchemaError("expected the plan of a search", place) from None

    def refuse_other_plan(self, plan: Mapping[str, Any]) -> None:
        """Refuse to go on with another plan than it was begun with, by name."""
        content = self._files.read(_PLAN)
        refuse_other_plan(content.get("plan", {}), plan, str(self.path / _PLAN))

    def storage(self) -> Any:
        """Return Optuna's storage: the journal."""
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalFileBackend, JournalFileOpenLock

        path = self.path / _JOURNAL
        _without_torn_line(path)
        # Of a process that was killed: Optuna would wait for it half a minute.
        path.with_name(f"{_JOURNAL}.lock").unlink(missing_ok=True)
        try:
            # A lock by a link is not to be had everywhere.
            lock = JournalFileOpenLock(os.fspath(path))
            return JournalStorage(JournalFileBackend(os.fspath(path), lock_obj=lock))
        except (ValueError, KeyError) as error:
            reason = " ".join(str(error).split())[:100]
            raise SchemaError(
                f"expected the journal of a search, got: {reason}", str(path)
            ) from None

    def write_result(self, result: SearchResult) -> None:
        """Write the trials, and the best description."""
        self._files.write("trials.json", result.to_dict())
        self._files.write_bytes({"best.toml": result.toml().encode()})


def _given(plain: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in plain.items() if value is not None}


def _without_torn_line(path: Path) -> None:
    """Cut off a last line that a process did not come to write whole."""
    try:
        with path.open("r+b") as file:
            content = file.read()
            if content and not content.endswith(b"\n"):
                file.truncate(content.rfind(b"\n") + 1)
    except FileNotFoundError:
        pass
