"""The files below a path, in which a zip archive is a folder."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from snellen.errors import InputError
from snellen.readers.message_text import few

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from snellen.readers.sources import Source

__all__ = ["FileTree"]


class FileTree:
    """A file, all files of a folder, or those of a zip archive; none that is hidden.

    Parameters
    ----------
    root : path
        The file, folder or archive.
    without : collection of str
        Names of folders that are not looked into.

    Attributes
    ----------
    shown : str
        The root as it was given.
    root : str
        Its absolute path; that of an archive without ``.zip``.
    is_file : bool
        Whether the root is a file.
    files : dict of str to Source
        Where each file is, by its absolute path; that of an archive's member is in a folder of the
        archive's name without ``.zip``.

    Raises
    ------
    InputError
        Where there is nothing, or a folder or archive cannot be read.
    """

    def __init__(self, root: str | os.PathLike[str], without: Collection[str] = ()) -> None:
        self.shown = os.fspath(root)
        # Links stay as they are.
        self.root = os.path.abspath(self.shown).replace(os.sep, "/")  # noqa: PTH100
        self.is_file = False
        self.files: dict[str, Source] = {}
        self._without = frozenset(without) | {"__MACOSX"}
        if os.path.isdir(self.root):  # noqa: PTH112
            self._add_folder(self.root, (os.path.realpath(self.root),))
        elif self.root.lower().endswith(".zip") and os.path.isfile(self.root):  # noqa: PTH113
            self._add_zip(self.root, self.shown)
            self.root = self.root[: -len(".zip")]
        elif os.path.exists(self.root):  # noqa: PTH110
            self.is_file = True
            self.files[self.root] = self.shown
        else:
            raise InputError(
                "expected a file, a folder or a zip archive, there is none", self.shown
            )

    def _add_folder(self, folder: str, around: tuple[str, ...]) -> None:
        """Add the files below; `around` are the real paths of the folder and those it is in."""
        try:
            with os.scandir(folder) as entries:
                listed = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            raise InputError(
                f"expected a readable folder, got: {error.strerror}", folder
            ) from error
        for entry in listed:
            if entry.name.startswith("."):
                continue
            path = f"{folder}/{entry.name}"
            if not entry.is_dir():
                self.files[path] = self.shown_path(path)
            elif entry.name not in self._without:
                real = os.path.realpath(path)
                if real not in around:
                    self._add_folder(path, (*around, real))

    def _add_zip(self, path: str, shown: str) -> None:
        import zipfile

        try:
            with zipfile.ZipFile(path) as archive:
                names = archive.namelist()
        except (OSError, zipfile.BadZipFile) as error:
            reason = error.strerror if isinstance(error, OSError) else None
            raise InputError(f"expected a zip archive, got: {reason or error}", shown) from error
        for name in names:
            *folders, last = name.split("/")
            hidden = any(part.startswith(".") for part in (*folders, last))
            if last and not hidden and self._without.isdisjoint(folders):
                self.files[f"{path[: -len('.zip')]}/{name}"] = (shown, name)

    def open_zips(self, name: str = "") -> None:
        """Add what the zip archives of a folder hold: all of them, or those of a name."""
        for path, source in list(self.files.items()):
            if isinstance(source, str) and path.lower().endswith(f"{name}.zip"):
                self._add_zip(path, source)

    def holds(self, path: str) -> bool:
        """Return whether a path is the root or below it."""
        return f"{path}/".startswith(f"{self.root}/")

    def shown_path(self, path: str) -> str:
        """Return a path below the root beginning with what was given; the root for another."""
        if not self.holds(path):
            return self.shown
        return self.shown.rstrip("/") + path[len(self.root) :]

    def below(self, paths: Sequence[str]) -> str:
        """Return paths below the root as messages list them."""
        return few((path[len(self.root) :].strip("/") or "." for path in paths), 20)

    def find(self, path: str) -> Source | None:
        """Return a file of the tree, or one that is elsewhere; None where there is none."""
        found = self.files.get(path)
        if found is None and os.path.isfile(path):  # noqa: PTH113
            return path
        return found

    def names_in(self, folder: str) -> Iterator[str]:
        """Yield the names of the files right in a folder, of the tree or elsewhere, ordered."""
        prefix = f"{folder}/"
        below = (path[len(prefix) :] for path in self.files if path.startswith(prefix))
        found = {name for name in below if "/" not in name}
        if not found and os.path.isdir(folder):  # noqa: PTH112
            try:
                found.update(os.listdir(folder))  # noqa: PTH208
            except OSError:  # what is beside the root is nobody's wish
                return
        yield from sorted(found)
