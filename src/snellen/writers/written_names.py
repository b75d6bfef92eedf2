"""What images and classes are called in files, and what of them is lost by it."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final

import numpy as np

from snellen.errors import ClassError, IdError, InputError
from snellen.readers.detection_formats import NOT_LABELS
from snellen.readers.image_heads import without_ending
from snellen.readers.image_names import match_images
from snellen.readers.message_text import few, printable
from snellen.writers.detections import Loss

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snellen.writers.detections import Detections

__all__ = [
    "class_losses",
    "class_texts",
    "class_words",
    "file_stems",
    "image_cells",
    "image_losses",
    "image_texts",
    "refuse_control",
]

_BREAKING: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_MANY: Final = 255


# ---- Images --------------------------------------------------------------------------------------


def image_texts(data: Detections) -> list[str]:
    """Return what images are called: the names of their files, else their ids.

    Raises
    ------
    IdError
        For two images of one name.
    InputError
        For characters that no text or XML can hold.
    """
    texts = list(data.names or map(str, data.boxes.images.ids.tolist()))
    _refuse_twice(texts, data.place)
    refuse_control(texts, "images", data.place)
    return texts


def image_cells(data: Detections, what: str) -> list[str]:
    """Return names of images that are cells of lines, parted by blanks, without the ending.

    Raises
    ------
    IdError, InputError
        As `image_texts`, and for blanks and quotes.
    """
    texts = [without_ending(text) for text in image_texts(data)]
    _refuse_twice(texts, data.place, " without the ending")
    wrong = [text for text in texts if re.search(r'[\s"]', text) or not text]
    if wrong:
        raise InputError(
            f"expected names of images without blanks and quotes, which part the cells of {what}, "
            f"got {few(wrong)}",
            data.place,
        )
    return texts


def file_stems(data: Detections, *, of_texts: bool) -> list[str]:
    """Return the path of each image's file below a folder, without an ending.

    Parameters
    ----------
    data : Detections
    of_texts : bool
        Whether the files are ``.txt``: some names of these mean something else.

    Raises
    ------
    IdError
        For two images whose names differ by their endings only.
    InputError
        For names that would lead out of the folder, or that no reader would find again.
    """
    stems = []
    for text in image_texts(data):
        stem = unicodedata.normalize("NFC", without_ending(text))
        parts = stem.split("/")
        last = parts[-1].lower()
        if any(part in ("", ".", "..") for part in parts) or "\\" in stem or ":" in parts[0]:
            raise InputError(
                "expected names of images that are paths below a folder, got "
                f'"{printable(text, 100)}"',
                data.place,
            )
        if any(part.startswith(".") for part in parts):
            raise InputError(
                "expected names of images that do not begin with a dot, as hidden files do, got "
                f'"{printable(text, 60)}"',
                data.place,
            )
        if of_texts and f"{last}.txt" in NOT_LABELS:
            raise InputError(
                f'expected other names of images, got "{printable(text, 60)}": {last}.txt is taken '
                "for a list of classes or for notes",
                data.place,
            )
        if len(parts[-1].encode()) + len(".txt") > _MANY:
            raise InputError(
                f'expected names that files can have, got "{printable(text, 60)}", of '
                f"{len(text)} characters",
                data.place,
            )
        stems.append(stem)
    _refuse_twice(stems, data.place, " without the ending")
    return stems


def image_losses(
    data: Detections, as_read: Sequence[str | int], *, only_with_boxes: bool = False
) -> list[Loss]:
    """Return what is lost of images that readers will call so.

    Parameters
    ----------
    data : Detections
    as_read : sequence of str or int
        The id that a reader gives each image.
    only_with_boxes : bool
        Whether images without boxes are not in the files.
    """
    images = data.boxes.images
    found = match_images(images.ids.tolist(), list(as_read), None)
    n_others = int(np.count_nonzero(found.position != np.arange(len(images))))
    losses = []
    if n_others:
        losses.append(Loss("image_ids", n_others, "ids of images: the names of their files stay"))
    if not _are_sorted(as_read):
        losses.append(
            Loss(
                "image_order",
                len(images),
                "images sort otherwise by what they are called then: of equal scores in two images "
                "the other may count first",
            )
        )
    if only_with_boxes and data.is_truth:
        n_empty = len(images) - len(np.unique(data.boxes.image))
        if n_empty:
            losses.append(
                Loss("empty_images", n_empty, "images without boxes: false positives on them, too")
            )
    return losses


# ---- Classes -------------------------------------------------------------------------------------


def class_texts(data: Detections) -> list[str]:
    """Return what classes are called: ids that are texts, else names, else numbers.

    Raises
    ------
    ClassError
        For two classes of one name, and names that begin or end with a blank.
    InputError
        For characters that no text or XML can hold.
    """
    classes = data.boxes.classes
    ids = classes.keys.ids.tolist()
    texts = ids if classes.keys.is_text else classes.display_names()
    refuse_control(texts, "classes", data.place)
    blank = [text for text in texts if text != text.strip() or not text]
    if blank:
        raise ClassError(
            "expected names of classes without blanks around them, got "
            f'"{printable(blank[0], 60)}"',
            data.place,
        )
    _refuse_same_classes(texts, data.place)
    return texts


def class_words(data: Detections, what: str) -> tuple[list[str], list[Loss]]:
    """Return names of classes without blanks and quotes, and how many had to be changed.

    Raises
    ------
    ClassError, InputError
        As `class_texts`; also where two names become one.
    """
    texts = class_texts(data)
    words = [_word(text) for text in texts]
    _refuse_same_classes(words, data.place)
    n_changed = sum(word != text for word, text in zip(words, texts, strict=True))
    if not n_changed:
        return words, []
    return words, [
        Loss("blanks", n_changed, f"names of classes with blanks: {what} has them with _ instead")
    ]


def class_losses(
    data: Detections,
    as_read: Sequence[str | int],
    names: Sequence[str] | None = None,
    *,
    listed: bool,
) -> list[Loss]:
    """Return what is lost of classes that readers will call so.

    Parameters
    ----------
    data : Detections
    as_read : sequence of str or int
        The id that a reader gives each class.
    names : sequence of str, optional
        The name that it gives each.
    listed : bool
        Whether the files list all classes, also those without boxes.
    """
    classes = data.boxes.classes
    ids = classes.keys.ids.tolist()
    shown = [""] * len(ids) if names is None else list(names)
    known = [{str(one), other} for one, other in zip(as_read, shown, strict=True)]
    # Of what has blanks another loss is told.
    kept = [
        not each.isdisjoint((str(own), _word(str(own))))
        for own, each in zip(ids, known, strict=True)
    ]
    n_ids = len(ids) - sum(kept)
    n_names = sum(
        is_kept and bool(name) and name != str(own) and each.isdisjoint((name, _word(name)))
        for is_kept, own, name, each in zip(kept, ids, classes.names, known, strict=True)
    )
    losses = []
    if n_ids:
        losses.append(Loss("class_ids", n_ids, "ids of classes: their names stay"))
    if n_names:
        losses.append(Loss("class_names", n_names, "names of classes: their ids stay"))
    if not n_ids and not _are_sorted(as_read):
        losses.append(Loss("class_order", len(ids), "classes sort otherwise by these names"))
    if data.is_truth and not listed:
        n_empty = len(ids) - len(np.unique(data.boxes.label))
        if n_empty:
            losses.append(Loss("empty_classes", n_empty, "classes without boxes"))
    return losses


def _word(text: str) -> str:
    return re.sub(r'[\s"]', "_", text)


def _are_sorted(ids: Sequence[str | int]) -> bool:
    return list(ids) == sorted(ids, key=lambda each: (isinstance(each, str), each))


def refuse_control(texts: Sequence[str], what: str, place: str) -> None:
    """Refuse characters that break lines or that XML cannot hold.

    Raises
    ------
    InputError
        With the first text that has one.
    """
    wrong = [text for text in texts if _BREAKING.search(text)]
    if wrong:
        raise InputError(
            f'expected names of {what} without control characters, got "{printable(wrong[0], 60)}"',
            place,
        )


def _refuse_same_classes(texts: Sequence[str], place: str) -> None:
    if len(set(texts)) != len(texts):
        again = next(text for text in texts if texts.count(text) > 1)
        raise ClassError(
            f'expected classes of different names, got "{printable(again, 60)}" twice', place
        )


def _refuse_twice(texts: Sequence[str], place: str, how: str = "") -> None:
    if len(set(texts)) == len(texts):
        return
    seen: set[str] = set()
    for text in texts:
        if text in seen:
            raise IdError(
                f'expected images of different names{how}, got "{printable(text, 60)}" twice',
                place,
            )
        seen.add(text)
