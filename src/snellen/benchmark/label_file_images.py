"""A folder of images, and a file of their labels."""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from snellen.benchmark.devkit_labels import (
    devkit_codes,
    image_number,
    looks_like_devkit,
    synsets_beside,
)
from snellen.benchmark.imagenet import IMAGENET_IDS
from snellen.benchmark.listed_images import ListedImages, index_names, label_codes
from snellen.benchmark.stored_images import ImageFiles
from snellen.errors import ClassError, IdError, InputError, SchemaError
from snellen.readers.class_list import whole_numbers
from snellen.readers.column_names import IDS, LABELS, first_of
from snellen.readers.image_files import IMAGES, ending, files_below
from snellen.readers.message_text import few, printable
from snellen.readers.table import Table, read_bytes, read_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snellen.benchmark.listed_images import Options

__all__ = ["LABEL_COLUMNS", "label_file_images"]

# As Kaggle's files of ImageNet have them.
LABEL_COLUMNS = (*LABELS, "predictionstring")
_ID_COLUMNS = (*IDS, "imageid")
_FILE_AND_LABEL = re.compile(
    r"(.+?(?:" + "|".join(re.escape(each) for each in sorted(IMAGES)) + r"))[\s,;]+(\S.*)",
    re.IGNORECASE,
)


class _Labels(NamedTuple):
    """Labels as they are written, with the names of their files, where these are there too."""

    labels: list[str]
    files: list[str] | None
    path: str


def label_file_images(folder: str, options: Options) -> ListedImages:
    """List the images below a folder, with the labels of a file.

    Raises
    ------
    InputError, SchemaError
        Where one of both cannot be read, or labels and images do not fit each other.
    IdError
        Where an image has two labels.
    ClassError
        For labels that count classes in an order that nothing tells.
    """
    assert options.labels is not None, "the caller has looked"
    listed = [each for each in files_below(folder) if ending(each[0]) in IMAGES]
    if not listed:
        raise SchemaError("expected images, the folder has none", folder)
    listed.sort()
    ids = [within for within, _ in listed]
    written = _read(options.labels, ids)
    notes: list[str] = []
    rows, lines = _paired(ids, written, notes, strict=options.strict)
    labels = [written.labels[line] for line in lines]
    numbers = whole_numbers(written.labels)
    kit = None
    if numbers is not None and (options.synsets or looks_like_devkit(numbers, options.labels)):
        kit = options.synsets or synsets_beside(options.labels)
        if kit is None:
            raise ClassError(
                "expected the indices of classes from 0 to 999, got numbers from "
                f"{min(numbers)} to {max(numbers)}: these look like the numbers of ImageNet's "
                "development kit, whose order is its own. Give its meta.mat or map_clsloc.txt "
                "(synsets)",
                options.labels,
            )
        notes.append(f"labels are the development kit's numbers, which {kit} explains")
        names, codes = (
            list(IMAGENET_IDS),
            devkit_codes([numbers[line] for line in lines], kit, options.labels),
        )
    elif options.synsets:
        raise InputError(
            "expected labels that are the development kit's numbers, 1 to 1000, because synsets "
            f'are given, got "{printable(labels[0], 40)}"',
            options.labels,
        )
    else:
        names, codes = label_codes(labels, lambda k: f"{written.path} label {lines[k] + 1}")
        if numbers is not None:
            names = _index_names(numbers, ids)
    return ListedImages(
        [ids[row] for row in rows],
        np.asarray(codes, np.int64),
        names,
        ImageFiles([listed[row][1] for row in rows]),
        {"data": folder, "kind": "images with a file of labels", "labels": written.path}
        | ({} if kit is None else {"synsets": kit}),
        notes,
    )


def _index_names(numbers: Sequence[int], ids: Sequence[str]) -> list[str]:
    """Return the classes that indices count: all of ImageNet where files are called as its are."""
    n = max(numbers) + 1
    imagenet = n <= len(IMAGENET_IDS) and all(image_number(name) for name in ids)
    return list(IMAGENET_IDS) if imagenet else index_names(n)


def _read(path: str, ids: Sequence[str]) -> _Labels:
    """Read a file of labels; what is a file's name in it is told by the images that there are."""
    if path.lower().removesuffix(".gz").endswith(".txt"):
        return _read_lines(path, ids)
    table = _table(path, ids)
    labels = first_of(LABEL_COLUMNS, table.names) if table.named else None
    if labels is None and len(table.names) == 1:
        labels = table.names[0]
    files = first_of(_ID_COLUMNS, table.names) if table.named else None
    if files is None and len(table.names) > 1:
        files = _column_of_files(table, ids, labels)
    if labels is None:
        others = [name for name in table.names if name != files]
        if len(others) != 1:
            raise SchemaError(f'expected a column "label", got {few(table.names, 8)}', table.path)
        labels = others[0]
    texts = table[labels].text().array().tolist()
    if labels.lower() == "predictionstring":  # what follows the id is a box
        texts = [text.split(" ")[0] for text in texts]
    return _Labels(texts, None if files is None else table[files].text().array().tolist(), path)


def _read_lines(path: str, ids: Sequence[str]) -> _Labels:
    """Read a text: a label a line, or a file's name and a label."""
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SchemaError(f"expected UTF-8 text, got: {error.reason}", path) from None
    lines = [line.strip() for line in text.splitlines()]
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        raise SchemaError("expected labels, the file is empty", path)
    known = _known(ids)
    pairs = [_pair(line, known) for line in lines]
    if not any(pairs):
        return _Labels(lines, None, path)
    if pairs[0] is None and re.split(r"[\s,;]+", lines[0].lower())[0] in _ID_COLUMNS:
        del pairs[0], lines[0]
    if None in pairs:
        k = pairs.index(None)
        raise SchemaError(
            "expected a file and a label in each line, as in others, got "
            f'"{printable(lines[k], 60)}"',
            path,
        )
    found = [pair for pair in pairs if pair]
    return _Labels([label for _, label in found], [file for file, _ in found], path)


def _pair(line: str, known: set[str]) -> tuple[str, str] | None:
    """Return the file's name and the label that a line holds; both may have blanks."""
    found = _FILE_AND_LABEL.fullmatch(line)
    if found:
        return found[1], found[2]
    first, _, rest = line.partition(" ")
    return (first, rest) if rest and _bare(first) in known else None


def _column_of_files(table: Table, ids: Sequence[str], labels: str | None) -> str | None:
    """Return the column whose cells name most of the images; None where none does."""
    known = _known(ids)
    counts = {
        name: sum(_bare(each) in known for each in table[name].text().array().tolist())
        for name in table.names
        if name != labels
    }
    best = max(counts, key=lambda name: counts[name])
    return best if counts[best] else None


def _table(path: str, ids: Sequence[str]) -> Table:
    """Read a table; in delimited text the images tell whether the first line is one of them."""
    if PurePath(path.lower().removesuffix(".gz")).suffix not in (".csv", ".tsv"):
        return read_table(path)
    table = read_table(path, header=False)
    first = [str(table[name].text().array()[0]) for name in table.names]
    if _known(ids).intersection(map(_bare, first)):
        return table
    usual = len(first) > 1 and any(cell.lower() in (*_ID_COLUMNS, *LABEL_COLUMNS) for cell in first)
    return read_table(path, header=True if usual else None)


def _keys(ids: Sequence[str]) -> list[list[str]]:
    """Return what images may be named by: the path, the file's name, the same without ending."""
    bare = [each.rsplit("/", 1)[-1] for each in ids]
    return [list(ids), bare, [each.rsplit(".", 1)[0] for each in bare]]


def _known(ids: Sequence[str]) -> set[str]:
    """Return what `_bare` gives for each image, with and without its ending."""
    _, bare, stems = _keys(ids)
    return {*bare, *stems}


def _bare(name: str) -> str:
    return _named([name])[0].rsplit("/", 1)[-1]


def _named(names: Sequence[str]) -> list[str]:
    return [
        unicodedata.normalize("NFC", name).replace("\\", "/").removeprefix("./") for name in names
    ]


def _paired(
    ids: Sequence[str], written: _Labels, notes: list[str], *, strict: bool
) -> tuple[list[int], list[int]]:
    """Return which images have labels, and which label each has."""
    if written.files is None:
        return _by_order(ids, written, notes)
    names = _named(written.files)
    bare = [_bare(name) for name in names]
    wanted, keys = max(
        zip((names, bare, bare), _keys(ids), strict=True),
        key=lambda rule: len(set(rule[0]) & set(rule[1])),
    )
    place: dict[str, int] = {}
    for line, name in enumerate(wanted):
        if place.setdefault(name, line) != line:
            raise IdError(
                f'expected one label for each image, got two for "{printable(name, 80)}"',
                written.path,
            )
    rows = [row for row, key in enumerate(keys) if key in place]
    if len({keys[row] for row in rows}) < len(rows):
        raise IdError(
            "expected labels that say which image is meant, got file names that several folders "
            "have: name images by their path within the folder",
            written.path,
        )
    if not rows:
        raise InputError(
            f"expected labels of the images ({few(ids, 2)}), got those of {few(names, 2)}",
            written.path,
        )
    without, unused = len(ids) - len(rows), len(place) - len(rows)
    for n, what in ((without, "images without a label"), (unused, "labels without an image")):
        if n and strict:
            raise InputError(f"expected a label for each image, got {n:,} {what}", written.path)
        if n:
            notes.append(f"{n:,} {what} left out")
    return rows, [place[keys[row]] for row in rows]


def _by_order(
    ids: Sequence[str], written: _Labels, notes: list[str]
) -> tuple[list[int], list[int]]:
    """Return labels that stand in the order of the files' names."""
    n = len(written.labels)
    rows = list(range(len(ids)))
    numbers = [image_number(name) for name in ids]
    if None not in numbers and max(each for each in numbers if each) <= n:
        # ImageNet's validation set, or a part of it and the labels of all.
        notes.append(f"labels belong to images by the number in their name, {len(ids):,} of {n:,}")
        return rows, [each - 1 for each in numbers if each]
    if n != len(ids):
        raise InputError(
            f"expected a label for each of {len(ids):,} images, in the order of their names, got "
            f"{n:,}: give lines with a file and a label",
            written.path,
        )
    notes.append("labels belong to images in the order of the files' names")
    return rows, rows
