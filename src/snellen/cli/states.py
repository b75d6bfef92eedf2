"""States that commands take: a state.bin, or the folder that holds one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from snellen.metric import StoredMetric

__all__ = ["files_of_runs", "read_state", "state_file"]


def read_state(name: str) -> StoredMetric[Any]:
    """Return the metric of a state.bin, or of the folder of a run, a training too.

    Raises
    ------
    InputError, SchemaError
        Where there is none.
    """
    from snellen.errors import InputError
    from snellen.mapped_file import file_content
    from snellen.metric import metric_from_bytes

    path = state_file(name)
    try:
        data = file_content(path)
    except OSError as error:
        raise InputError(f"expected a readable file, got: {error.strerror}", name) from error
    return metric_from_bytes(data, str(path))


def state_file(name: str) -> Path:
    """Return the file that the state is read from.

    Raises
    ------
    InputError
        For a benchmark, which has several.
    """
    from pathlib import Path

    from snellen.errors import InputError

    path = Path(name)
    if path.is_dir():
        home = path / "test" if (path / "description.json").is_file() else path
        if not (home / "state.bin").is_file() and (path / "models").is_dir():
            raise InputError(
                "expected the state of a run, got a benchmark: name the folders of its networks, "
                "in models",
                name,
            )
        return home / "state.bin"
    return path


def files_of_runs(names: Iterable[str]) -> list[Path]:
    """Return the files of states, or of the folders that hold them, that nothing may replace."""
    return [
        file.with_name(each)
        for file in map(state_file, names)
        for each in (file.name, "run.json", "result.json")
    ]
