"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = ["write_atomically"]


def write_atomically(
    files: Mapping[str | os.PathLike[str], bytes | Callable[[], bytes]],
) -> None:
    """Write files whole or not at all, and all or none of them.

    What is to be in a file may be a function that gives it: called when its turn comes, so that not
    all of it is in memory at once.

    Each is written under a temporary name beside its place; then all are renamed. A link is
    followed; what is no file (a device, a pipe) is written to as it is.

    Raises
    ------
    OSError
        With the name of the file that could not be written.
    """
    from pathlib import Path

    staged: list[tuple[Path, Path]] = []
    target = Path()
    try:
        for name, data in files.items():
            target = Path(os.path.realpath(name))
            if target.exists() and not target.is_file():
                target.write_bytes(data() if callable(data) else data)
            else:
                staged.append((_temporary_beside(target, data), target))
        for temporary, target in staged:
            temporary.replace(target)
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, error.strerror, str(target)) from error
    finally:
        for temporary, _ in staged:
            temporary.unlink(missing_ok=True)


def _temporary_beside(target: Path, data: bytes | Callable[[], bytes]) -> Path:
    """Return a new file in the target's folder that holds the data."""
    import tempfile
    from pathlib import Path

    content = data() if callable(data) else data
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        # mkstemp makes private files; a result is as readable as the umask allows.
        umask = os.umask(0)
        os.umask(umask)
        Path(name).chmod(0o666 & ~umask)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)
