"""Which label image of truth belongs to which one of the predictions."""

from __future__ import annotations

import os
import re
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from snellen.errors import DataWarning, IdError, InputError, SchemaError
from snellen.readers.image_files import ending, files_below
from snellen.readers.message_text import few, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from snellen.readers.join import Missing

__all__ = ["LABEL_IMAGES", "LabelPairs", "find_pairs"]

LABEL_IMAGES: Final = frozenset(
    (".png", ".tif", ".tiff", ".npy", ".bmp", ".gif", ".nii", ".nii.gz")
)
"""The endings of files that can hold label maps."""

# What one image's files may be called in one folder, the one to evaluate first.
_KINDS: Final = ("labelIds", "labelTrainIds", "instanceIds", "instanceTrainIds", "color")
_KIND: Final = re.compile(rf"(.*)_({'|'.join(_KINDS)})")
# What names of one image differ by; CamVid's L is a capital.
_SAYS: Final = (
    r"gt_?Fine|gt_?Coarse|label_?(?:Train)?Ids|instance_?(?:Train)?Ids|train_?Ids|ids|colou?r|"
    r"leftImg8bit|(?-i:L)|pred(?:s|icted|ictions?)?|masks?|labels?|labelmap|seg(?:s|m|mentation)?|"
    r"gts?|truth|ground_?truth|annotations?|result|out(?:put)?"
)
_AFTER: Final = re.compile(rf"(?:[_.-](?:{_SAYS}))+$", re.IGNORECASE)
_BEFORE: Final = re.compile(rf"^(?:(?:{_SAYS})[_-])+", re.IGNORECASE)


class LabelPairs(NamedTuple):
    """Pairs of files, in the order of truth.

    Attributes
    ----------
    image_ids : tuple of str
        What the images are called: what the names of both files have in common.
    truth, pred : tuple of pathlib.Path
        The files.
    instance_files : tuple of pathlib.Path or None
        The file of Cityscapes' instanceIds beside each file of truth, where there is one.
    rule : str
        What files belong together by.
    notes : tuple of str
        What was chosen.
    """

    image_ids: tuple[str, ...]
    truth: tuple[Path, ...]
    pred: tuple[Path, ...]
    instance_files: tuple[Path | None, ...]
    rule: str
    notes: tuple[str, ...]


class _Side(NamedTuple):
    """The label images of a folder: paths within it without their endings, and where they lie."""

    root: str
    stems: list[str]
    files: list[str]
    notes: list[str]


def find_pairs(
    truth: str | os.PathLike[str],
    pred: str | os.PathLike[str] | None = None,
    *,
    missing: Missing = "error",
) -> LabelPairs:
    """Find the pairs of two files, of two folders, or of a list.

    Files of two folders, searched below, belong together by their path within the folder without
    its ending (``a/7.png`` and ``a/7.npy``); or by their name alone; or by one of these without
    what says what the file is (``7_gtFine_labelIds``, ``7_leftImg8bit``, ``7_pred``, ``7_L``). The
    rule that pairs most files counts, the first of equals. Of the files that Cityscapes has of one
    image, labelIds are taken, else labelTrainIds.

    Parameters
    ----------
    truth : path
        A file, a folder, or, without `pred`, a text with two paths a line: truth, a tab or comma,
        prediction; relative to where the text lies.
    pred : path, optional
        A file or a folder, as truth is.
    missing : {"error", "ignore"}
        Whether files without a partner are refused or left out.

    Raises
    ------
    InputError
        Where something cannot be read, or a file stands beside a folder.
    SchemaError
        For folders without label images, or a line that is no pair.
    IdError
        For two files of one image, files without a partner, and no pair at all.

    Warns
    -----
    DataWarning
        With ``missing="ignore"``, how many files of each side were left out.
    """
    if missing not in ("error", "ignore"):
        raise InputError(f'expected missing="error" or "ignore", got "{missing}"')
    if pred is None:
        return _listed(os.fspath(truth))
    sides = (os.fspath(truth), os.fspath(pred))
    for place in sides:
        if not Path(place).exists():
            raise InputError("expected a file or a folder, there is none", place)
    folders = [Path(place).is_dir() for place in sides]
    if folders[0] != folders[1]:
        file, folder = sides if folders[1] else sides[::-1]
        raise InputError(
            f"expected two files or two folders, got the file {file} and the folder {folder}"
        )
    if not folders[0]:
        stem = _bare(_split(Path(sides[0]).name)[0])
        return _made([stem], [sides[0]], [sides[1]], "two files", [])
    return _by_name(_label_images(sides[0]), _label_images(sides[1]), missing)


def _split(name: str) -> tuple[str, str]:
    """Return a file's name and its ending, ``.nii.gz`` as one."""
    end = name[-7:].lower() if name.lower().endswith(".nii.gz") else ending(name)
    return name[: len(name) - len(end)], end


def _label_images(root: str) -> _Side:
    """Return the label images below a folder; of Cityscapes' many of an image, one."""
    found: list[tuple[str, str]] = []
    others: dict[str, int] = {}
    for within, place in files_below(root):
        stem, end = _split(within)
        if end in LABEL_IMAGES:
            found.append((stem, place))
        else:
            others[end] = others.get(end, 0) + 1
    n_others = sum(others.values())
    if not found:
        jpeg = any(end in others for end in (".jpg", ".jpeg"))
        raise SchemaError(
            f"expected label images ({', '.join(sorted(LABEL_IMAGES))}), got none among "
            f"{n_others} file{'' if n_others == 1 else 's'}"
            f"{': JPEG changes the values of pixels, store labels as PNG' if jpeg else ''}",
            root,
        )
    kept, notes = _one_kind(root, found)
    if n_others:
        ends = few(end or "no ending" for end in sorted(others))
        s = "" if n_others == 1 else "s"
        notes.append(f"{root}: {n_others} file{s} of other kinds ({ends})")
    return _Side(root, [stem for stem, _ in kept], [place for _, place in kept], notes)


def _one_kind(root: str, found: list[tuple[str, str]]) -> tuple[list[tuple[str, str]], list[str]]:
    """Return one file for each image where there are several kinds, and notes of what is left."""
    kinds = [_KIND.fullmatch(stem) for stem, _ in found]
    best: dict[str, str] = {}
    for match in kinds:
        if match:
            known = best.get(match[1], match[2])
            best[match[1]] = min(known, match[2], key=_KINDS.index)
    # Colours are for looking at where there is another file of the image, whatever it is called.
    others: set[str] = set()
    if any(match and match[2] == "color" for match in kinds):
        others = {
            _bare(stem)
            for (stem, _), match in zip(found, kinds, strict=True)
            if not match or match[2] != "color"
        }
    kept, taken, left_out = [], set(), set()
    for each, match in zip(found, kinds, strict=True):
        if not match:
            kept.append(each)
        elif best[match[1]] != match[2] or (match[2] == "color" and _bare(each[0]) in others):
            left_out.add(match[2])
        else:
            kept.append(each)
            taken.add(match[2])
    if len(taken) > 1:
        kinds_taken = " and ".join(f"*_{kind}" for kind in _KINDS if kind in taken)
        raise SchemaError(
            f"expected files of one kind for all images, got {kinds_taken}: take one kind away",
            root,
        )
    if not left_out:
        return kept, []
    what = few(f"*_{kind}" for kind in _KINDS if kind in left_out)
    better = few(f"*_{kind}" for kind in _KINDS if kind in taken - left_out) or "another file"
    return kept, [f"{root}: {what} left out where an image has {better}"]


def _name(stem: str) -> str:
    return stem.rsplit("/", 1)[-1]


def _bare(stem: str) -> str:
    """Return a path without what its name says of the file's kind."""
    name = _name(stem)
    short = _BEFORE.sub("", _AFTER.sub("", name)) or name
    return stem[: len(stem) - len(name)] + short


_RULES: Final = (
    "their path without its ending",
    "their name without its ending",
    "their path without what says what a file is",
    "their name without what says what a file is",
)


def _keys_by_rule(stems: list[str]) -> Iterator[list[str]]:
    """Yield what files are called by each rule, none before it is asked for."""
    yield stems
    yield [_name(stem) for stem in stems]
    bare = [_bare(stem) for stem in stems]
    yield bare
    yield [_name(stem) for stem in bare]


def _by_name(truth: _Side, pred: _Side, missing: Missing) -> LabelPairs:
    n_best, best = 0, None
    most = min(len(truth.stems), len(pred.stems))
    for rule, *keys in zip(
        _RULES, _keys_by_rule(truth.stems), _keys_by_rule(pred.stems), strict=True
    ):
        n = len({*keys[0]} & {*keys[1]})
        if n > n_best:
            n_best, best = n, (rule, keys)
        if n == most:  # no other pairs more
            break
    if best is None:
        raise IdError(
            "expected label images and predictions with names in common, got none: truth has "
            f"{printable(truth.stems[0], 80)}, predictions have {printable(pred.stems[0], 80)}",
            f"{truth.root} and {pred.root}",
        )
    rule, (truth_keys, pred_keys) = best
    common = {*truth_keys} & {*pred_keys}
    of_truth = _only(truth, truth_keys, common)
    of_pred = _only(pred, pred_keys, common)
    ids = [key for key in truth_keys if key in common]
    notes = [*truth.notes, *pred.notes]
    if rule != _RULES[0]:
        notes.append(f"files are paired by {rule}")
    without = [stem for stem, key in zip(truth.stems, truth_keys, strict=True) if key not in common]
    unused = [stem for stem, key in zip(pred.stems, pred_keys, strict=True) if key not in common]
    parts = []
    if without:
        n = len(without)
        parts.append(
            f"{n} label image{' has' if n == 1 else 's have'} no prediction ({few(without)})"
        )
    if unused:
        n = len(unused)
        parts.append(
            f"{n} prediction{' belongs' if n == 1 else 's belong'} to no label image "
            f"({few(unused)})"
        )
    if parts and missing == "error":
        raise IdError(
            f"expected one prediction for each label image, paired by {rule}, but "
            f'{" and ".join(parts)}: leave them out with missing="ignore"',
            f"{truth.root} and {pred.root}",
        )
    if parts:
        warnings.warn(f"left out: {' and '.join(parts)}", DataWarning, stacklevel=3)
    files = [of_truth[key] for key in ids], [of_pred[key] for key in ids]
    return _made(ids, *files, rule, notes)


def _only(side: _Side, keys: list[str], common: set[str]) -> dict[str, str]:
    """Return the file of each key that both sides have."""
    found: dict[str, str] = {}
    for key, file in zip(keys, side.files, strict=True):
        if key not in common:
            continue
        if key in found:
            raise IdError(
                f"expected one file for each image, got {found[key]} and {file}, which are both of "
                f'"{printable(key)}": take one away, or name pairs in a text file',
                side.root,
            )
        found[key] = file
    return found


def _made(
    ids: list[str], truth: list[str], pred: list[str], rule: str, notes: list[str]
) -> LabelPairs:
    instances: list[Path | None] = []
    for file in truth:
        stem, end = os.path.splitext(file)  # noqa: PTH122  # no object for each of many
        match = _KIND.fullmatch(stem)
        beside = f"{match[1]}_instanceIds{end}" if match else ""
        instances.append(Path(beside) if beside and os.path.isfile(beside) else None)  # noqa: PTH113  # no object for each of many
    return LabelPairs(
        tuple(ids),
        tuple(map(Path, truth)),
        tuple(map(Path, pred)),
        tuple(instances),
        rule,
        tuple(notes),
    )


def _listed(place: str) -> LabelPairs:
    """Return the pairs that a text lists."""
    path = Path(place)
    if path.is_dir():
        raise InputError(
            "expected predictions beside a folder of label images, got none: give their folder",
            place,
        )
    if ending(path.name) in LABEL_IMAGES:
        raise InputError(
            "expected a prediction beside a label image, got none: give its file", place
        )
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"expected a text of pairs of files, got: {why}", place) from error
    pairs: dict[str, tuple[str, str]] = {}
    for k, line in enumerate(lines, 1):
        if not line.strip():
            continue
        parts = [part.strip() for part in line.split("\t" if "\t" in line else ",")]
        if len(parts) != 2 or not all(parts):
            raise SchemaError(
                f'expected truth, a tab or comma, and prediction, got "{printable(line, 60)}"',
                f"{place} line {k}",
            )
        for part in parts:
            if not (path.parent / part).is_file():
                raise InputError(f"expected a file, there is no {part}", f"{place} line {k}")
        if parts[0] in pairs:
            raise IdError(
                f"expected each file of truth once, got {parts[0]} again", f"{place} line {k}"
            )
        pairs[parts[0]] = (str(path.parent / parts[0]), str(path.parent / parts[1]))
    if not pairs:
        raise SchemaError("expected pairs of files, got none", place)
    ids = [_split(Path(name).as_posix())[0] for name in pairs]
    if len(set(ids)) < len(ids):
        ids = list(pairs)
    return _made(
        ids,
        [file for file, _ in pairs.values()],
        [file for _, file in pairs.values()],
        f"the list {place}",
        [],
    )
