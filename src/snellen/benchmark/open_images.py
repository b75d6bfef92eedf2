"""Labelled images to measure on, whatever they are kept in: folders, tables, IDX files, shards."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from snellen.benchmark.class_folder_images import class_folder_images
from snellen.benchmark.class_names import named_classes
from snellen.benchmark.idx_images import fashion_mnist_images, idx_images, is_idx_images
from snellen.benchmark.label_file_images import label_file_images
from snellen.benchmark.labelled_images import LabelledImages
from snellen.benchmark.listed_images import ListedImages, Options, chosen_part
from snellen.benchmark.real_labels import real_labels
from snellen.benchmark.shard_images import shard_images
from snellen.benchmark.stored_images import writable
from snellen.benchmark.table_images import manifest_images, table_images
from snellen.errors import InputError, SchemaError
from snellen.readers.image_files import IMAGES, ending
from snellen.readers.message_text import few
from snellen.splits.hashing import hash_ranks, refuse_repeated
from snellen.training.data.written_split import is_manifest, part_name

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["open_images"]

_TABLES: Final = frozenset(
    (".csv", ".tsv", ".txt", ".parquet", ".jsonl", ".ndjson", ".json", ".npz", ".npy")
)
_IDX_HEAD: Final = b"\0\0\x08\x03"
_KINDS: Final = (
    "a folder with a folder for each class, a folder of images with a file of labels (labels), a "
    "manifest of snellen split, a table, fashion-mnist, IDX files or tar shards"
)


def open_images(
    data: str,
    *,
    labels: str | None = None,
    synsets: str | None = None,
    real: str | None = None,
    classes: str | None = None,
    part: str | None = None,
    root: str | None = None,
    limit: int | None = None,
    seed: int = 0,
    strict: bool = False,
) -> LabelledImages:
    """Return labelled images; what they are kept in is found out.

    Parameters
    ----------
    data : str
        A folder with a folder for each class (names, WordNet ids, or numbers), or such folders of
        parts; a folder of images; a manifest of ``snellen split``; a table; ``"fashion-mnist"``;
        IDX files, or their folder; a tar shard, several (``{000..009}.tar``), or their folder.
    labels : str, optional
        The labels of a folder of images: a file and a label a line, or a label a line in the order
        of the files' names. A label is an index, a WordNet id or a name.
    synsets : str, optional
        What the numbers 1 to 1000 of ImageNet's development kit mean: its ``meta.mat`` or
        ``map_clsloc.txt``. By default what lies beside the labels.
    real : str, optional
        ReaL labels of ImageNet's validation set.
    classes : str, optional
        A file of class names: what the indices or ids of labels stand for; or ``"imagenet"``.
    part : str, optional
        Which part, where data have parts; by default test, else validation.
    root : str, optional
        The folder that paths in a table or manifest start from; by default the one it lies in.
    limit : int, optional
        So many images, which `seed` and their ids choose; they keep their order.
    seed : int
        What chooses them.
    strict : bool
        Whether images without label, labels without image, and images that are not there are
        refused; else they are counted.

    Raises
    ------
    InputError, SchemaError
        For data that are not there, or that hold no labelled images.
    ClassError
        For labels that are no classes, or of which nothing tells which class they are.
    IdError
        For two images of one name.
    MissingExtraError
        For ``meta.mat`` without SciPy, and Parquet without pyarrow.
    """
    for text in (data, labels, synsets, real, classes, part, root):
        if text is not None and writable(text) != text:
            raise InputError(
                f"expected names that can be written in UTF-8, got {writable(text)}: rename it"
            )
    listed = _listed(data, Options(labels, synsets, part, root, strict))
    listed.ids, listed.names = list(map(writable, listed.ids)), list(map(writable, listed.names))
    refuse_repeated(listed.ids, data)
    names, codes = named_classes(listed, classes)
    listed.names, listed.codes = names, codes
    if limit is not None:
        listed = _limited(listed, limit, seed)
    stamps = _stamps(listed, data, strict=strict)
    also = None if real is None else real_labels(real, listed.ids, listed.names, listed.notes)
    given = {"classes": classes, "real": real}
    return LabelledImages(
        listed.ids,
        listed.codes,
        listed.names,
        listed.stored,
        {**listed.source, **{name: path for name, path in given.items() if path is not None}},
        _digest(listed, stamps),
        also,
        listed.notes,
    )


def _listed(data: str, options: Options) -> ListedImages:
    path = Path(data)
    name = data.lower()
    if name == "fashion-mnist":
        _refuse_others(options, data, "part")
        return fashion_mnist_images(options)
    if name.endswith(".tar") or ("{" in data and not path.exists()):
        _refuse_others(options, data)
        return shard_images(data)
    if path.is_dir():
        return _folder(data, options)
    if not path.is_file():
        raise InputError(f"expected {_KINDS}; there is nothing of this name", data)
    if is_manifest(data):
        _refuse_others(options, data, "part", "root")
        return manifest_images(data, options)
    if is_idx_images(data) or _begins_as_idx(path):
        _refuse_others(options, data)
        return idx_images(data, options)
    if any(suffix in (".tar", ".tgz") for suffix in path.suffixes):
        return shard_images(data)  # which says that it cannot be packed
    if ending(name.removesuffix(".gz")) not in _TABLES:
        raise InputError(f"expected {_KINDS}, got another kind of file", data)
    _refuse_others(options, data, "root")
    return table_images(data, options)


def _begins_as_idx(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(_IDX_HEAD)) == _IDX_HEAD
    except OSError as error:
        raise InputError(f"expected a readable file, got: {error.strerror}", str(path)) from None


def _refuse_others(options: Options, data: str, *known: str) -> None:
    """Raise for an option that data of this kind have no use for."""
    for name in ("labels", "synsets", "part", "root"):
        value = getattr(options, name)
        if value is not None and name not in known:
            raise InputError(f'expected no {name} for these data, got "{value}"', data)


def _folder(path: str, options: Options) -> ListedImages:
    try:
        listed = [each for each in Path(path).iterdir() if not each.name.startswith(".")]
    except OSError as error:
        raise InputError(f"expected a readable folder, got: {error.strerror}", path) from None
    folders = [each for each in listed if each.is_dir()]
    if any(is_idx_images(each.name) for each in listed):
        _refuse_others(options, path, "part")
        return idx_images(path, options)
    if not folders and any(each.suffix == ".tar" for each in listed):
        _refuse_others(options, path)
        return shard_images(path)
    notes: list[str] = []
    parts = _part_folders(folders, path)
    inner = path
    if parts:
        inner = parts[_part(parts, options, notes, path)]
    elif options.part is not None:
        raise InputError(
            f'expected folders train, val or test, because the part "{options.part}" is asked for, '
            f"got {few(sorted(each.name for each in folders)) or 'none'}",
            path,
        )
    if options.labels is not None:
        _refuse_others(options, path, "labels", "synsets", "part")
        found = label_file_images(inner, options)
    else:
        _refuse_others(options, path, "part")
        if not _has_folders(inner):
            n = Counter(ending(each.name) in IMAGES for each in Path(inner).iterdir())[True]
            raise SchemaError(
                "expected a folder for each class, or a file of labels beside the images (labels), "
                f"got {n:,} images without either",
                inner,
            )
        found = class_folder_images(inner)
    found.notes[:0] = notes
    return found


def _part_folders(folders: Sequence[Path], place: str) -> dict[str, str]:
    """Return folders by the part they hold; none where folders are classes."""
    found: dict[str, str] = {}
    for folder in sorted(folders):
        part = part_name(folder.name)
        if part is None:
            continue
        if part in found:
            raise InputError(
                f"expected one folder of the part {part}, got {found[part]} and {folder}", place
            )
        found[part] = str(folder)
    all_are = len(found) == len(folders)
    return found if all_are or ("train" in found and len(found) > 1) else {}


def _part(parts: dict[str, str], options: Options, notes: list[str], place: str) -> str:
    there = list(parts)
    # ImageNet's test images have no labels: what has no class folders is not measured on unasked.
    if options.part is None and options.labels is None:
        there = [name for name in there if _has_folders(parts[name])] or there
    return chosen_part(there, options.part, notes, place)


def _has_folders(path: str) -> bool:
    return any(each.is_dir() and not each.name.startswith(".") for each in Path(path).iterdir())


def _limited(listed: ListedImages, limit: int, seed: int) -> ListedImages:
    """Return so many images; the same images whatever others are listed before them."""
    if limit < 1:
        raise InputError(f"expected a limit from 1, got {limit}")
    n = len(listed.ids)
    if limit >= n:
        return listed
    chosen = np.argsort(hash_ranks(listed.ids, seed), kind="stable")[:limit]
    listed.notes.append(f"{limit:,} of {n:,} images, chosen at random (seed {seed})")
    return listed.taken(np.sort(chosen).tolist())


def _stamps(listed: ListedImages, data: str, *, strict: bool) -> list[tuple[int, int]]:
    """Return what tells that files changed.

    Raises
    ------
    InputError
        Where no file is there; with `strict` where one is not.
    """
    if listed.stored is None:
        return []
    stamps = listed.stored.stamps()
    n_gone = sum(size < 0 for size, _ in stamps)
    if n_gone and (strict or n_gone == len(stamps)):
        first = next(k for k, (size, _) in enumerate(stamps) if size < 0)
        raise InputError(
            f"expected {len(stamps):,} files, {n_gone:,} are not there ({listed.ids[first]}): give "
            "the folder that paths start from (root)",
            data,
        )
    return stamps


def _digest(listed: ListedImages, stamps: Sequence[tuple[int, int]]) -> str:
    digest = hashlib.blake2b(digest_size=16)
    for texts in (listed.ids, listed.names):
        digest.update(f"{len(texts)}\n".encode())
        digest.update("".join(f"{text}\0" for text in texts).encode())
    digest.update(listed.codes.astype("<i8").tobytes())
    digest.update(np.array(stamps, "<i8").tobytes())
    return digest.hexdigest()
