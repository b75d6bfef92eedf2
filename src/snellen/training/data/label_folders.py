"""Images and label maps in two folders: for segmentation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from snellen.errors import ClassError, InputError, SchemaError, ShapeError
from snellen.readers.image_files import PICTURES, ending, files_below
from snellen.readers.label_image import read_label_image
from snellen.readers.label_pairs import LABEL_IMAGES
from snellen.readers.message_text import few
from snellen.readers.pictures import Fit, Look, read_head
from snellen.training.data.class_folders import part_folders
from snellen.training.data.found import Found
from snellen.training.data.image_parts import Images, image_parts
from snellen.training.data.loading import Files, Keep, Loading, without_bad
from snellen.training.data.written_split import read_written_split

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["image_folder_of", "label_folders"]

_IMAGES = ("images", "imgs", "image", "JPEGImages", "leftImg8bit")
_LABELS = (
    "labels", "masks", "truth", "annotations", "ground_truth", "label", "mask", "SegmentationClass",
    "gtFine", "gt",
)  # fmt: skip
_VOID = 255


def label_folders(
    path: str,
    *,
    classes: int | tuple[str, ...] | None = None,
    void: int = _VOID,
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
    """Return the images of a folder ``images`` with the label maps of ``labels`` beside it.

    The second may be called ``masks``, ``truth``, ``annotations`` or ``gt`` as well.

    Parameters
    ----------
    path : str
        The folder of both. Parts are folders train, val and test with both in each, or in both.
    classes : int or sequence of str, optional
        How many classes there are, or their names; by default as many as the labels of the
        training part say.
    void : int
        The value of pixels that belong to no class.
    split : str, optional
        A manifest of ``snellen split``, whose keys are the images' paths within their folder.
    split_round, fold
        See `read_written_split`.
    validation, test : int or float
        How many samples, or what share, are these parts, where there are none.
    image_size, mode, fit
        See `Images`; label maps follow, without mixing classes.
    keep, threads, check, strict, device
        See `Loading`.

    Raises
    ------
    InputError, SchemaError, ClassError
        For images without label maps, of another size, or with values that no class has.
    """
    notes: list[str] = []
    loading = Loading(keep, threads, check, strict, device)
    ids: list[str] = []
    images: list[str] = []
    labels: list[str] = []
    rows: dict[str, list[int]] = {}
    folders = _folders(path)
    for name, (image_folder, label_folder) in folders.items():
        paired = _pairs(image_folder, label_folder, notes)
        rows[name] = list(range(len(ids), len(ids) + len(paired)))
        within = f"{name}/" if len(folders) > 1 else ""
        ids += [within + each for each, _, _ in paired]
        images += [each for _, each, _ in paired]
        labels += [each for _, _, each in paired]
    fold_of = None
    if split is not None:
        if len(folders) > 1:
            raise InputError(f"expected one folder to split, got folders {few(folders)}", path)
        written = read_written_split(split, split_round=split_round, fold=fold)
        rows, fold_of = written.rows(ids, notes), written.fold_of
    elif fold is not None or split_round != 1:
        raise InputError("expected a manifest (split) that has folds, got none")
    names = None if classes is None or isinstance(classes, int) else list(classes)
    n_classes = len(names) if names is not None else classes
    if n_classes is None:
        n_classes = _n_classes([labels[row] for row in rows["train"]], void, loading, notes)
    if not isinstance(n_classes, int) or not 1 <= n_classes <= _VOID:
        raise ClassError(f"expected 1 to {_VOID} classes, got {n_classes}", path)
    known = n_classes

    def read_target(row: int, look: Look) -> NDArray[np.uint8]:
        head = read_head(images[row])
        values = _label_map(labels[row], void, known)
        if values.shape != (head.height, head.width):
            raise ShapeError(
                f"expected a label map of {head.height} × {head.width} pixels, as the image has, "
                f"got {values.shape[0]} × {values.shape[1]}",
                labels[row],
            )
        return _fitted(values, look)

    parts = image_parts(
        Files(ids, images),
        rows,
        None,
        Images(image_size, mode, fit),
        loading,
        notes,
        read_target=read_target,
        target_bytes=1,
    )
    return Found(
        parts,
        task="segmentation",
        class_names=names or [str(k) for k in range(known)],
        source={"data": path, "kind": "images and label maps", "split": split, "void": void},
        notes=notes,
        validation=validation,
        test=test,
        fold_of=fold_of,
    )


def image_folder_of(path: str) -> str | None:
    """Return the folder of images beside one of labels; None where a folder is none of these."""
    folder = Path(path)
    images = next((folder / name for name in _IMAGES if (folder / name).is_dir()), None)
    labels = next((folder / name for name in _LABELS if (folder / name).is_dir()), None)
    if images is not None and labels is not None:
        return str(images)
    parts = part_folders(path)
    return image_folder_of(parts["train"]) if parts else None


def _folders(path: str) -> dict[str, tuple[str, str]]:
    """Return the folders of images and of labels of each part."""
    parts = part_folders(path)
    if parts:
        return {name: _both(folder) for name, folder in parts.items()}
    images, labels = _both(path)
    image_parts_, label_parts = part_folders(images), part_folders(labels)
    if not image_parts_:
        return {"train": (images, labels)}
    if set(image_parts_) != set(label_parts):
        raise SchemaError(
            f"expected the same parts of images and labels, got {few(image_parts_)} and "
            f"{few(label_parts) or 'none'}",
            path,
        )
    return {name: (image_parts_[name], label_parts[name]) for name in image_parts_}


def _both(path: str) -> tuple[str, str]:
    folder = Path(path)
    found = []
    for names in (_IMAGES, _LABELS):
        here = [str(folder / name) for name in names if (folder / name).is_dir()]
        if not here:
            raise SchemaError(f"expected a folder {' or '.join(names[:3])}, there is none", path)
        found.append(here[0])
    return found[0], found[1]


def _pairs(images: str, labels: str, notes: list[str]) -> list[tuple[str, str, str]]:
    """Return names, images and label maps that belong together by their path without its ending."""
    of_image = _listed(images, PICTURES)
    of_label = _listed(labels, LABEL_IMAGES)
    if not of_image:
        raise InputError("expected images, the folder has none", images)
    without = [name for stem, (name, _) in of_image.items() if stem not in of_label]
    if without:
        raise InputError(
            f"expected a label map for each of {len(of_image):,} images, {len(without):,} have "
            f"none ({few(without, 3)}): it has the image's name",
            labels,
        )
    n_unused = len(set(of_label) - set(of_image))
    if n_unused:
        notes.append(f"{labels}: {n_unused:,} label maps left out that have no image")
    return [(name, place, of_label[stem][1]) for stem, (name, place) in of_image.items()]


def _listed(folder: str, endings: frozenset[str]) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for within, place in files_below(folder):
        end = ending(within)
        if end not in endings:
            continue
        stem = within[: -len(end)]
        if stem in found:
            raise InputError(
                f"expected one file of each name, got {found[stem][0]} and {within}", folder
            )
        found[stem] = (within, place)
    return found


def _raw(path: str) -> NDArray[Any]:
    label = read_label_image(path)
    if label.kind == "colours" or label.values.ndim != 2:
        raise SchemaError("expected a label map of class ids, got one of colours", path)
    return label.values


def _n_classes(paths: list[str], void: int, loading: Loading, notes: list[str]) -> int:
    """Return how many classes label maps have: the highest id, and one."""

    def highest(row: int) -> int:
        values = _raw(paths[row])
        known = values[values != void]
        return int(known.max()) if known.size else -1

    before = len(notes)
    found = without_bad(highest, paths, loading, "label map", notes)
    del notes[before:]  # they are said where the images are read
    return max(found.values) + 1


def _label_map(path: str, void: int, n_classes: int) -> NDArray[np.uint8]:
    values = _raw(path)
    is_void = values == void
    wrong = ~is_void & ((values < 0) | (values >= n_classes))
    if wrong.any():
        raise ClassError(
            f"expected class ids from 0 to {n_classes - 1} and {void} for void, got "
            f"{values[wrong][0]}",
            path,
        )
    return np.where(is_void, _VOID, values).astype(np.uint8)


def _fitted(values: NDArray[np.uint8], look: Look) -> NDArray[np.uint8]:
    if values.shape == (look.height, look.width):
        return values
    from PIL import Image, ImageOps

    image, size = Image.fromarray(values), (look.width, look.height)
    if look.fit == "crop":
        return np.array(ImageOps.fit(image, size, Image.Resampling.NEAREST))
    return np.array(image.resize(size, Image.Resampling.NEAREST))
