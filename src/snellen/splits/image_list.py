"""Which images a data set has, and which part each is in: from folders, or from a manifest."""

from __future__ import annotations

import itertools
import unicodedata
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from snellen.errors import IdError, InputError, SchemaError, first_few
from snellen.readers.image_files import PICTURES, ending, files_below
from snellen.readers.table import read_table
from snellen.splits.hashing import spelt_on_disk
from snellen.table_text import printable

if TYPE_CHECKING:
    import os
    from collections.abc import Iterator, Sequence

__all__ = ["ImageList", "images_of_folders", "images_of_manifest"]


class ImageList(NamedTuple):
    """Images, a row an image, in the order of their keys.

    Attributes
    ----------
    key : tuple of str
        What the image is called: its path below the root, with ``/``, Unicode NFC.
    part : tuple of str
        The part it is in.
    path : tuple of Path
        Where it lies.
    label : tuple of str
        The class that the manifest gives it; empty without.
    absent : tuple of str
        Keys of a manifest that were left out because there is no such file.
    """

    key: tuple[str, ...]
    part: tuple[str, ...]
    path: tuple[Path, ...]
    label: tuple[str, ...]
    absent: tuple[str, ...] = ()


def images_of_folders(folders: Sequence[str | os.PathLike[str]]) -> ImageList:
    """List the images of folders, at any depth.

    Several folders are a part each, called by their names (by their paths, where names repeat),
    and keys begin with it. The folders in a single one are its parts, and images that lie in it
    directly are the part ``"."``. What begins with a dot is not looked at.

    Raises
    ------
    InputError
        Where a folder is missing or cannot be read, holds no images, or lies in another one.
    """
    roots = [Path(folder) for folder in folders]
    for root in roots:
        if not root.is_dir():
            found = "a file" if root.exists() else "nothing"
            raise InputError(f"expected a folder of images, got {found}", str(root))
    rows: list[tuple[str, str, Path, str]] = []
    if len(roots) == 1:
        for inside, path in _images_below(roots[0]):
            folder, slash, _ = inside.partition("/")
            rows.append((inside, folder if slash else ".", path, ""))
    else:
        _refuse_nested(roots)
        for name, root in zip(_names(roots), roots, strict=True):
            n_before = len(rows)
            rows += [(f"{name}/{inside}", name, path, "") for inside, path in _images_below(root)]
            if len(rows) == n_before:
                raise InputError("expected images, found none", str(root))
    if not rows:
        raise InputError("expected images, found none", str(roots[0]))
    return _in_order(rows, ", ".join(map(str, roots)))


def images_of_manifest(
    manifest: str | os.PathLike[str],
    root: str | os.PathLike[str] | None = None,
    *,
    missing: str = "error",
) -> ImageList:
    """List the images that a manifest of `snellen split` names.

    Parameters
    ----------
    manifest : path
        A table with the columns ``key`` (a path below `root`, with ``/``), ``part``, and perhaps
        ``label``; others are not looked at.
    root : path, optional
        The folder that the keys start from; by default the one that the manifest lies in.
    missing : {"error", "ignore"}
        What to do about files that are not there: refuse, or leave them out and name them in
        `ImageList.absent`.

    Raises
    ------
    InputError
        Where the manifest cannot be read, `root` is no folder, or files are missing.
    SchemaError
        Where the manifest is not such a file; with the line.
    IdError
        Where a key comes twice.
    """
    if missing not in ("error", "ignore"):
        raise InputError(f'expected "error" or "ignore", got {missing!r}', "missing")
    place = str(manifest)
    if not Path(manifest).is_file():
        found = "a folder" if Path(manifest).is_dir() else "nothing"
        raise InputError(f"expected a manifest, or folders of images, got {found}", place)
    base = Path(manifest).parent if root is None else Path(root)
    if not base.is_dir():
        raise InputError("expected a folder, there is none", str(base))
    rows = [
        (unicodedata.normalize("NFC", key), part, base / spelt_on_disk(base, key), label)
        for key, part, label in _manifest_rows(manifest)
    ]
    absent = [row[0] for row in rows if not row[2].is_file()]
    if absent and (missing == "error" or len(absent) == len(rows)):
        named = printable(first_few(absent, 3))
        raise InputError(
            f"expected the {len(rows)} images of the manifest below {base}, {len(absent)} "
            f"missing ({named}): give the folder that the keys start from (root)"
            + ("" if len(absent) == len(rows) else ", or leave them out (missing: ignore)"),
            place,
        )
    gone = set(absent)
    listed = _in_order([row for row in rows if row[0] not in gone], place)
    return listed._replace(absent=tuple(sorted(gone)))


def _manifest_rows(manifest: str | os.PathLike[str]) -> Iterator[tuple[str, str, str]]:
    """Yield key, part and label ("" where there is none) of each row."""
    table = read_table(manifest, header=True)
    texts = {
        name: table[name].text().array().tolist()
        for name in ("key", "part", "label")
        if name != "label" or name in table
    }
    if table.n_rows == 0:
        raise SchemaError("expected images, the manifest lists none", table.path)
    labels = texts.get("label", [""] * table.n_rows)
    for row, (key, part, label) in enumerate(zip(texts["key"], texts["part"], labels, strict=True)):
        if not key or not part:
            raise SchemaError(
                f"expected a {'part' if key else 'key'}, got nothing", table.place(row)
            )
        if PurePosixPath(key).is_absolute() or ".." in key.split("/"):
            raise SchemaError(
                f'expected a path below the root, got "{printable(key, 200)}"', table.place(row)
            )
        yield key, part, label


def _images_below(root: Path) -> Iterator[tuple[str, Path]]:
    """Yield the key and the place of each picture below a folder."""
    for within, place in files_below(root):
        if ending(within) in PICTURES:
            # Bytes that are no text, which file systems allow and JSON does not.
            yield within.encode("utf-8", "backslashreplace").decode(), Path(place)


def _names(roots: Sequence[Path]) -> list[str]:
    """Return what the parts are called."""
    names = [root.resolve().name for root in roots]
    if len(set(names)) < len(names):
        names = [root.as_posix() for root in roots]
    return [unicodedata.normalize("NFC", name) for name in names]


def _refuse_nested(roots: Sequence[Path]) -> None:
    real = [root.resolve() for root in roots]
    for i, inner in enumerate(real):
        for j, outer in enumerate(real):
            if i != j and (inner == outer or outer in inner.parents):
                raise InputError(
                    f"expected folders that share no image, got one that lies in {roots[j]}",
                    str(roots[i]),
                )


def _in_order(rows: list[tuple[str, str, Path, str]], place: str) -> ImageList:
    rows.sort(key=lambda row: row[0])
    for before, after in itertools.pairwise(rows):
        if before[0] == after[0]:
            raise IdError(f'expected each image once, "{printable(after[0])}" comes twice', place)
    keys, parts, paths, labels = zip(*rows, strict=True)
    return ImageList(keys, parts, paths, labels)
