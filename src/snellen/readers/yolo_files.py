"""Where the labels and the images of a YOLO data set lie."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from snellen.errors import IdError, InputError, SchemaError
from snellen.readers.image_heads import images_below, without_ending
from snellen.readers.message_text import few, printable
from snellen.readers.table import read_bytes
from snellen.readers.text_rows import text_files
from snellen.readers.yolo_description import (
    YoloDescription,
    find_description,
    read_description,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["YoloFiles", "description_around", "find_yolo"]

# So many folders around labels are looked at for data.yaml.
_AROUND: Final = 3


class YoloFiles(NamedTuple):
    """Where labels and images are.

    Attributes
    ----------
    labels : mapping of str to str
        The text of each image that has one, by the image's name.
    images : mapping of str to str or None
        The picture of each image; None where there are none.
    description : YoloDescription or None
        What ``data.yaml`` says.
    notes : tuple of str
        What was taken for what, for people.
    """

    labels: Mapping[str, str]
    images: Mapping[str, str] | None
    description: YoloDescription | None
    notes: tuple[str, ...] = ()


def find_yolo(place: str) -> YoloFiles:
    """Return the files of a YOLO data set; see `read_yolo_truth`.

    Raises
    ------
    SnellenError
        Where images or labels are not where the description says, or come twice.
    """
    if place.lower().endswith((".yaml", ".yml")):
        return _described(read_description(place), "val")
    if os.path.isdir(place):  # noqa: PTH112
        own = find_description(place)
        description = None if own is None else read_description(own)
        val = [] if description is None else _images_of_val(description)
        inside = {name for name in ("images", "labels") if os.path.isdir(f"{place}/{name}")}  # noqa: PTH112
        if inside == {"labels"} and description is not None and not val:
            return YoloFiles(text_files(f"{place}/labels"), None, description)
        # Beside data.yaml may be lists of images, which are texts as labels are.
        elsewhere = any(Path(path).resolve() != Path(place).resolve() for path in val)
        if description is not None and (elsewhere or not _has_labels(place)):
            return _described(description, "val")
        if len(inside) == 2:
            return YoloFiles(
                text_files(f"{place}/labels"),
                images_below(f"{place}/images"),
                description_around(place),
                (f"{place}: images below images/, labels below labels/",),
            )
    labels = text_files(place, ("labels",))
    images = _images_beside(place) if os.path.isdir(place) else None  # noqa: PTH112
    return YoloFiles(labels, images, description_around(place))


def _has_labels(place: str) -> bool:
    """Return whether texts of labels are right in a folder."""
    return any("/" not in name for name in text_files(place))


def _images_of_val(description: YoloDescription) -> list[str]:
    """Return which folders and lists of the images of val are where a description says."""
    found = (_found(entry, description) for entry in description.parts.get("val", ()))
    return [path for path in found if path is not None]


def _described(description: YoloDescription, part: str) -> YoloFiles:
    if part not in description.parts:
        raise SchemaError(
            f'expected the key "{part}", the images to evaluate on, got '
            f"{few(description.parts) or 'none'}: or give the folder of labels itself",
            description.place,
        )
    images: dict[str, str] = {}
    labels: dict[str, str] = {}
    for entry in description.parts[part]:
        path = _existing(entry, description)
        if os.path.isdir(path):  # noqa: PTH112
            below, texts = images_below(path), text_files(_labels_of(path, description.place))
        else:
            below, texts = _listed(path)
        twice = [name for name in below if name in images]
        if twice:
            raise IdError(
                f"expected images of different names, got {len(twice):,} twice: {few(twice)}",
                f"{description.place} {part}",
            )
        images |= below
        labels |= texts
    shown = ", ".join(description.parts[part])
    note = f"{description.place}: {len(images):,} images of {part} ({printable(shown, 100)})"
    return YoloFiles(labels, images, description, (note,))


def _found(entry: str, description: YoloDescription) -> str | None:
    """Return where images of a part are, None where they are not there."""
    root = description.root
    tried = [os.path.join(root, entry)]  # noqa: PTH118
    if entry.startswith("../"):  # as Ultralytics and Roboflow's exports have it
        tried.append(os.path.join(root, entry[len("../") :]))  # noqa: PTH118
    return next((os.path.normpath(path) for path in tried if Path(path).exists()), None)


def _existing(entry: str, description: YoloDescription) -> str:
    path = _found(entry, description)
    if path is not None:
        return path
    raise InputError(
        f'expected the images "{printable(entry, 100)}" of val, there are none: '
        "correct path or val, or give the folder of labels itself",
        description.place,
    )


def _labels_of(images: str, place: str) -> str:
    """Return the folder of labels of a folder of images: the last images becomes labels."""
    parts = images.split("/")
    if "images" not in parts:
        raise SchemaError(
            f'expected images in a folder "images", with labels beside in "labels", got '
            f'"{printable(images, 100)}"',
            place,
        )
    at = len(parts) - 1 - parts[::-1].index("images")
    labels = "/".join([*parts[:at], "labels", *parts[at + 1 :]])
    if not os.path.isdir(labels):  # noqa: PTH112
        raise InputError(f"expected the labels of {images}, there is no such folder", labels)
    return labels


def _listed(path: str) -> tuple[dict[str, str], dict[str, str]]:
    """Return the images and labels of a text that lists images."""
    here = os.path.dirname(path)  # noqa: PTH120
    images: dict[str, str] = {}
    labels: dict[str, str] = {}
    text = read_bytes(path).decode("utf-8-sig", "replace")
    for number, line in enumerate(text.splitlines()):
        entry = line.strip()
        if not entry:
            continue
        image = os.path.normpath(os.path.join(here, entry))  # noqa: PTH118
        head, found, tail = image.rpartition("/images/")
        name = without_ending(tail if found else os.path.basename(image))  # noqa: PTH119
        if name in images:
            raise IdError(f'expected each image once, got "{name}"', f"{path} line {number + 1}")
        images[name] = image
        stem = without_ending(tail)
        label = f"{head}/labels/{stem}.txt" if found else f"{without_ending(image)}.txt"
        if os.path.isfile(label):  # noqa: PTH113
            labels[name] = label
    return images, labels


def _images_beside(labels: str) -> dict[str, str] | None:
    """Return the images of a folder of labels: below images instead of labels, or beside them."""
    parts = os.path.abspath(labels).split("/")  # noqa: PTH100
    if "labels" in parts:
        at = len(parts) - 1 - parts[::-1].index("labels")
        images = "/".join([*parts[:at], "images", *parts[at + 1 :]])
        if os.path.isdir(images):  # noqa: PTH112
            return images_below(images)
    return images_below(labels) or None


def description_around(place: str) -> YoloDescription | None:
    """Return the description in a folder of labels or in one of those around it."""
    folder = os.path.abspath(place)  # noqa: PTH100
    for _ in range(_AROUND + 1):
        found = find_description(folder) if os.path.isdir(folder) else None  # noqa: PTH112
        if found is not None:
            return read_description(found)
        folder = os.path.dirname(folder)  # noqa: PTH120
    return None
