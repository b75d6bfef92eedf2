"""Folders of images whose class is the folder they lie in, with or without folders of parts."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import torch

from snellen.errors import InputError, SchemaError
from snellen.readers.image_folder import read_image_folder
from snellen.readers.message_text import few
from snellen.readers.pictures import Fit  # noqa: TC001  # read with the options' types
from snellen.readers.table import read_table
from snellen.splits.strata import factorised, name_order
from snellen.training.data.found import Found
from snellen.training.data.image_parts import Images, image_parts
from snellen.training.data.loading import Files, Keep, Loading
from snellen.training.data.written_split import part_name, read_written_split

__all__ = ["class_folders", "part_folders", "split_manifest"]


def class_folders(
    path: str,
    *,
    split: str | None = None,
    split_round: int = 1,
    fold: int | None = None,
    validation: int | float = 0.1,
    test: int | float = 0,
    image_size: int | tuple[int, int] | None = None,
    mode: Literal["auto", "L", "RGB"] = "auto",
    fit: Fit = "crop",
    keep: Keep = "auto",
    threads: int | None = None,
    check: Literal["whole", "head"] = "whole",
    strict: bool = False,
    device: str = "cpu",
) -> Found:
    """Return the images of a folder with a folder for each class; or of such folders a part.

    Parameters
    ----------
    path : str
        The folder. Where it has folders train, val and test, these have the classes' folders.
    split : str, optional
        A manifest of ``snellen split``, whose keys are the paths within the folder.
    split_round, fold
        See `read_written_split`.
    validation, test : int or float
        How many samples, or what share, are these parts, where there are none.
    image_size, mode, fit
        See `Images`.
    keep, threads, check, strict, device
        See `Loading`.

    Raises
    ------
    InputError, SchemaError
        Where there are no images, a part has none, or images cannot be read or differ.
    """
    notes: list[str] = []
    ids: list[str] = []
    paths: list[str] = []
    labels: list[str] = []
    known: set[str] = set()
    rows: dict[str, list[int]] = {}
    parts = part_folders(path)
    if parts and split is not None:
        raise InputError(f"expected folders of classes to split, got folders {few(parts)}", path)
    for name, folder in (parts or {"train": path}).items():
        listed = read_image_folder(folder)
        within = f"{Path(folder).name}/" if parts else ""
        rows[name] = list(range(len(ids), len(ids) + len(listed.files)))
        ids += [f"{within}{file}" for file in listed.files]
        paths += listed.paths
        labels += listed.labels
        known.update(listed.classes)
        if not listed.files:
            raise InputError(f"expected images in the part {name}, there are none", folder)
        if listed.n_others:
            notes.append(f"{folder}: {listed.n_others:,} files left out that are no images")
    fold_of = None
    if split is not None:
        written = read_written_split(split, split_round=split_round, fold=fold)
        rows, fold_of = written.rows(ids, notes), written.fold_of
    elif fold is not None or split_round != 1:
        raise InputError("expected a manifest (split) that has folds, got none")
    classes = sorted(known, key=name_order)
    place = {name: k for k, name in enumerate(classes)}
    return Found(
        image_parts(
            Files(ids, paths),
            rows,
            torch.tensor([place[label] for label in labels]),
            Images(image_size, mode, fit),
            Loading(keep, threads, check, strict, device),
            notes,
        ),
        task="classification",
        class_names=classes,
        source={"data": path, "kind": "class folders", "split": split},
        notes=notes,
        validation=validation,
        test=test,
        fold_of=fold_of,
    )


def split_manifest(
    path: str,
    *,
    root: str | None = None,
    split_round: int = 1,
    fold: int | None = None,
    validation: int | float = 0.1,
    image_size: int | tuple[int, int] | None = None,
    mode: Literal["auto", "L", "RGB"] = "auto",
    fit: Fit = "crop",
    keep: Keep = "auto",
    threads: int | None = None,
    check: Literal["whole", "head"] = "whole",
    strict: bool = False,
    device: str = "cpu",
) -> Found:
    """Return the images that a manifest of ``snellen split`` names, in its parts.

    Parameters
    ----------
    path : str
        The manifest; it has a column ``label``.
    root : str, optional
        The folder that its keys start from; by default the one it lies in.
    split_round, fold
        See `read_written_split`.
    validation : int or float
        How many samples, or what share, are the validation part, where it has none.
    image_size, mode, fit
        See `Images`.
    keep, threads, check, strict, device
        See `Loading`.

    Raises
    ------
    InputError, SchemaError
        Where it names no images, no labels, or images that are not there.
    """
    written = read_written_split(path, split_round=split_round, fold=fold)
    table = read_table(path, header=True)
    if "label" not in table:
        raise SchemaError(
            "expected a column label, with each image's class, got none: split a labelled set, or "
            "give the labelled data and this manifest beside them (split)",
            path,
        )
    base = Path(path).parent if root is None else Path(root)
    keys = table["key"].text().array().tolist()
    paths = [str(base / key) for key in keys]
    if not any(Path(each).exists() for each in paths):
        raise InputError(
            f"expected the {len(keys):,} images of the manifest below {base}, none is there "
            f"({few(keys, 1)}): give the folder that the keys start from (root)",
            path,
        )
    notes: list[str] = []
    classes, codes = factorised(table["label"].text().array().tolist())
    return Found(
        image_parts(
            Files(keys, paths),
            written.rows(keys, notes),
            torch.from_numpy(codes.astype("int64")),
            Images(image_size, mode, fit),
            Loading(keep, threads, check, strict, device),
            notes,
        ),
        task="classification",
        class_names=classes,
        source={"data": path, "kind": "manifest", "root": str(base)},
        notes=notes,
        validation=validation,
        fold_of=written.fold_of,
    )


def part_folders(path: str) -> dict[str, str]:
    """Return the folders of parts within a folder, train first; none without train."""
    found: dict[str, str] = {}
    for entry in sorted(Path(path).iterdir()):
        part = part_name(entry.name)
        if part is None or not entry.is_dir():
            continue
        if part in found:
            raise InputError(
                f"expected one folder of the part {part}, got {found[part]} and {entry}", path
            )
        found[part] = str(entry)
    if "train" not in found:
        return {}
    return {name: found[name] for name in ("train", "validation", "test") if name in found}
