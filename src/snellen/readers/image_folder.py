"""Folders of images: a folder a class."""

from __future__ import annotations

import os
import unicodedata
from typing import NamedTuple

from snellen.errors import IdError, InputError, SchemaError
from snellen.readers.image_files import IMAGES, ending, files_below
from snellen.readers.join import IdSide
from snellen.readers.message_text import few, printable
from snellen.readers.table import Column

__all__ = ["ImageFolder", "match_files", "read_image_folder"]


class ImageFolder(NamedTuple):
    """The images of a folder of class folders.

    Attributes
    ----------
    path : str
        The folder.
    classes : list of str
        The class folders' names, sorted; those without images too.
    files : list of str
        The images' paths within the folder, with ``/``, sorted.
    paths : list of str
        Where each lies: not the same where its name is written with other code points than NFC's.
    labels : list of str
        The class of each image.
    empty : list of str
        The classes without images.
    n_others : int
        How many files are no images, or lie in no class folder.
    """

    path: str
    classes: list[str]
    files: list[str]
    paths: list[str]
    labels: list[str]
    empty: list[str]
    n_others: int


def read_image_folder(path: str | os.PathLike[str]) -> ImageFolder:
    """List the images of a folder whose class is the name of the folder they lie in.

    The first level of folders are the classes; images may lie deeper. What begins with a dot is
    not looked at. Names are compared as Unicode NFC.

    Raises
    ------
    InputError
        Where the folder cannot be read.
    SchemaError
        Where it has no class folders.
    """
    place = os.fspath(path)
    classes: list[str] = []
    files: list[tuple[str, str, str]] = []
    empty: list[str] = []
    n_others = 0
    try:
        with os.scandir(place) as entries:
            top = [entry for entry in entries if not entry.name.startswith(".")]
        for entry in top:
            if not entry.is_dir():
                n_others += 1
                continue
            name = unicodedata.normalize("NFC", entry.name)
            classes.append(name)
            n_before = len(files)
            for within, lies_at in files_below(entry.path):
                if ending(within) in IMAGES:
                    files.append((f"{name}/{within}", lies_at, name))
                else:
                    n_others += 1
            if len(files) == n_before:
                empty.append(name)
    except OSError as error:
        raise InputError(
            f"expected a readable folder, got: {error.strerror}", error.filename or place
        ) from error
    if not classes:
        raise SchemaError(
            "expected a folder with a folder of images for each class, got one without folders",
            place,
        )
    files.sort()
    return ImageFolder(
        place,
        sorted(classes),
        [file for file, _, _ in files],
        [lies_at for _, lies_at, _ in files],
        [label for _, _, label in files],
        sorted(empty),
        n_others,
    )


def match_files(folder: ImageFolder, pred: IdSide) -> tuple[IdSide, IdSide, str]:
    """Return what images and predictions are matched by, and the rule in words.

    Predictions may name the path within the folder, a longer path that ends so, the file's name,
    or this name without its ending: the rule that fits most predictions counts.

    Raises
    ------
    IdError
        Where a prediction names two images, or the predictions have no ids.
    """
    if pred.column is None:
        raise IdError(
            f"expected predictions with the files' names, because {folder.path} is a folder, got "
            f"no ids in {pred.what}: name the column (id_column)"
        )
    named = pred.column.text()
    names = [
        (name if name.isascii() else unicodedata.normalize("NFC", name))
        .replace("\\", "/")
        .removeprefix("./")
        for name in named.values.tolist()
    ]
    depths = {file.count("/") for file in folder.files}
    last = max(depths, default=1) + 1
    bare = [file.rsplit("/", 1)[-1] for file in folder.files]
    stems = [name.rsplit(".", 1)[0] for name in bare]
    rules = [
        ("their path within the folder", folder.files, names),
        ("the end of their path", folder.files, _ends(names, last) if len(depths) == 1 else []),
        ("their file name", bare, names),
        ("their file name without its ending", stems, names),
    ]
    n_best, best = 0, rules[0]
    for rule in rules:
        held = set(rule[1])
        n = sum(name in held for name in rule[2])
        if n > n_best:
            n_best, best = n, rule
    text, keys, wanted = best
    if len(set(keys)) < len(keys):
        used = set(wanted)
        _refuse_ambiguous(folder, keys, used, pred)
        # Names that come twice and that no prediction uses: their images have no prediction.
        keys = [key if key in used else file for key, file in zip(keys, folder.files, strict=True)]
    shown = Column.of_texts(folder.files)

    def place(row: int) -> str:
        return f"{folder.path}/{folder.files[row]}"

    truth = IdSide(Column.of_texts(keys), len(keys), folder.path, place, shown)
    texts = [wanted[code] for code in named.codes.tolist()]
    pred = IdSide(Column.of_texts(texts), pred.n_rows, pred.what, pred.place, named)
    return truth, pred, f"predictions name the images by {text}"


def _ends(names: list[str], n: int) -> list[str]:
    return ["/".join(name.split("/")[-n:]) for name in names]


def _refuse_ambiguous(folder: ImageFolder, keys: list[str], wanted: set[str], pred: IdSide) -> None:
    first: dict[str, str] = {}
    for key, file in zip(keys, folder.files, strict=True):
        if key in first and key in wanted:
            raise IdError(
                "expected predictions that say which image is meant, got "
                f'"{printable(key)}", which is '
                f"{few([first[key], file])}: name the images by their path within the folder",
                pred.what,
            )
        first.setdefault(key, file)
