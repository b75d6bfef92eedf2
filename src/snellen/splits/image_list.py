"""Which images a data set has, and which part each is in: from folders, or from a manifest."""

from __future__ import annotations

import csv
import itertools
import os
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from snellen.errors import IdError, InputError, SchemaError, first_few

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["ImageList", "images_of_folders", "images_of_manifest"]

# What Pillow reads or what is a picture nevertheless; other files are none of ours.
_SUFFIXES = frozenset(
    (
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".jp2", ".jxl", ".png", ".apng", ".bmp", ".dib"),
        *(".gif", ".tif", ".tiff", ".webp", ".avif", ".heic", ".heif", ".ppm", ".pgm", ".pbm"),
        *(".pnm", ".tga", ".ico"),
    )
)


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
    absent : tuple of str
        Keys of a manifest that were left out because there is no such file.
    """

    key: tuple[str, ...]
    part: tuple[str, ...]
    path: tuple[Path, ...]
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
    rows: list[tuple[str, str, Path]] = []
    if len(roots) == 1:
        for inside, path in _images_below(roots[0]):
            folder, slash, _ = inside.partition("/")
            rows.append((inside, folder if slash else ".", path))
    else:
        _refuse_nested(roots)
        for name, root in zip(_names(roots), roots, strict=True):
            n_before = len(rows)
            rows += [(f"{name}/{inside}", name, path) for inside, path in _images_below(root)]
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
        A CSV file with the columns ``key`` (a path below `root`, with ``/``) and ``part``, and
        perhaps others; first lines that begin with ``#`` are not looked at.
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
    base = Path(manifest).parent if root is None else Path(root)
    if not base.is_dir():
        raise InputError("expected a folder, there is none", str(base))
    rows = [
        (unicodedata.normalize("NFC", key), part, base / key)
        for key, part in _manifest_rows(manifest)
    ]
    absent = [key for key, _, path in rows if not path.is_file()]
    if absent and (missing == "error" or len(absent) == len(rows)):
        raise InputError(
            f"expected the {len(rows)} images of the manifest below {base}, {len(absent)} "
            f"missing ({first_few(absent, 3)}): give the folder that the keys start from (root)"
            + ("" if len(absent) == len(rows) else ", or leave them out (missing: ignore)"),
            place,
        )
    gone = set(absent)
    listed = _in_order([row for row in rows if row[0] not in gone], place)
    return listed._replace(absent=tuple(sorted(gone)))


def _manifest_rows(manifest: str | os.PathLike[str]) -> Iterator[tuple[str, str]]:
    place = str(manifest)
    try:
        # Spreadsheets write a mark of the byte order before the text.
        text = Path(manifest).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise InputError(
            f"expected a manifest, got: {error.strerror or type(error).__name__}", place
        ) from error
    except UnicodeDecodeError as error:
        raise SchemaError(f"expected text in UTF-8, got byte {error.start}", place) from error
    lines = text.splitlines(keepends=True)
    n_comments = 0
    while n_comments < len(lines) and lines[n_comments].startswith("#"):
        n_comments += 1
    reader = csv.reader(lines[n_comments:], strict=True)
    n_rows = 0
    try:
        header = next(reader, None)
        if header is None or not {"key", "part"} <= set(header):
            got = "nothing" if header is None else first_few(header)
            raise SchemaError(f"expected columns key and part, got {got[:200]}", place)
        key, part = header.index("key"), header.index("part")
        for row in reader:
            line = f"{place} line {n_comments + reader.line_num}"
            if not row:
                continue
            if len(row) != len(header):
                raise SchemaError(f"expected {len(header)} cells, got {len(row)}", line)
            if not row[key] or not row[part]:
                raise SchemaError(f"expected a {'part' if row[key] else 'key'}, got nothing", line)
            if "\0" in row[key] or Path(row[key]).is_absolute() or ".." in row[key].split("/"):
                raise SchemaError(f"expected a path below the root, got {row[key][:200]!a}", line)
            n_rows += 1
            yield row[key], row[part]
    except csv.Error as error:
        line = f"{place} line {n_comments + reader.line_num}"
        raise SchemaError(f"expected comma-separated values: {error}", line) from error
    if n_rows == 0:
        raise SchemaError("expected images, the manifest lists none", place)


def _images_below(root: Path) -> Iterator[tuple[str, Path]]:
    def refuse(error: OSError) -> None:
        raise InputError(
            f"expected a readable folder, got: {error.strerror}", str(error.filename)
        ) from error

    been = {os.path.realpath(root)}
    for folder, inside, names in os.walk(root, onerror=refuse, followlinks=True):
        # A link may lead to a folder that holds it; each folder is looked at once.
        wanted = []
        for name in sorted(inside):
            real = os.path.realpath(os.path.join(folder, name))  # noqa: PTH118 # many, and hot
            if not name.startswith(".") and real not in been:
                been.add(real)
                wanted.append(name)
        inside[:] = wanted
        within = Path(folder).relative_to(root)
        for name in names:
            if not name.startswith(".") and os.path.splitext(name)[1].lower() in _SUFFIXES:  # noqa: PTH122
                path = within / name
                # Bytes that are no text, which file systems allow and JSON does not.
                shown = path.as_posix().encode("utf-8", "backslashreplace").decode()
                yield unicodedata.normalize("NFC", shown), root / path


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
                    f"expected folders that share no image, {roots[i]} lies in {roots[j]}",
                    str(roots[i]),
                )


def _in_order(rows: list[tuple[str, str, Path]], place: str) -> ImageList:
    rows.sort(key=lambda row: row[0])
    for before, after in itertools.pairwise(rows):
        if before[0] == after[0]:
            raise IdError(f'expected each image once, "{after[0]}" comes twice', place)
    keys, parts, paths = zip(*rows, strict=True) if rows else ((), (), ())
    return ImageList(keys, parts, paths)
