"""YOLO folders as samples: images, labels beside them, data.yaml."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np

from snellen.errors import InputError, SchemaError, first_few
from snellen.readers.image_files import IMAGES, ending, files_below
from snellen.splits.from_folder import group_by_pattern
from snellen.splits.hashing import normalised_keys
from snellen.splits.source import Columns, Source
from snellen.splits.strata import Strata

__all__ = ["class_names", "is_yolo", "label_file", "read_yolo", "yolo_lists"]

_YAML = ("data.yaml", "dataset.yaml", "data.yml", "dataset.yml")


class _Details(NamedTuple):
    """What lists need: the classes' names by number, and where each image lies."""

    names: dict[int, str]
    places: list[str]


def is_yolo(path: Path) -> bool:
    """Return whether a folder has images/ beside labels/, at its top or one folder below."""
    return any(
        (folder / "images").is_dir() and (folder / "labels").is_dir()
        for folder in (path, *(each for each in path.iterdir() if each.is_dir()))
    )


def label_file(image: str) -> str:
    """Return the label file of an image: the last folder images becomes labels, the ending .txt.

    Examples
    --------
    >>> label_file("train/images/a/1.jpg")
    'train/labels/a/1.txt'
    """
    head, _, tail = f"/{image}".rpartition("/images/")
    return f"{head}/labels/{tail.rpartition('.')[0]}.txt".lstrip("/")


def read_yolo(path: Path, columns: Columns) -> Source:
    """Read the images of a YOLO folder; an image without a label file holds no object.

    Raises
    ------
    SchemaError
        For a line of labels that does not begin with a class number.
    """
    columns.for_no_table("a YOLO folder")
    images: list[tuple[str, str]] = []
    # Labels are found by names in NFC, too: an archive may have both spellings.
    labels: dict[str, Path] = {}
    for within, place in files_below(path):
        if ending(within) == ".txt":
            labels[within[:-4] + ".txt"] = Path(place)
        elif ending(within) in IMAGES and "/images/" in f"/{within}":
            images.append((within, place))
    if not images:
        raise SchemaError("expected images below a folder images, there are none", str(path))
    images.sort()
    found, places = [within for within, _ in images], [place for _, place in images]
    keys = normalised_keys(found, str(path))
    names = class_names(path)
    rows: list[int] = []
    codes: list[int] = []
    n_without = 0
    for row, image in enumerate(found):
        label = labels.get(label_file(image))
        if label is None:
            n_without += 1
            continue
        try:
            lines = label.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"expected a readable label file, got: {error}", str(label)) from None
        for number, line in enumerate(lines):
            if not line.strip():
                continue
            first = line.split()[0]
            if not re.fullmatch(r"\d{1,6}(\.0*)?", first):
                raise SchemaError(
                    f'expected a class number from 0 and a box, got "{line.strip()[:40]}"',
                    f"{label} line {number + 1}",
                )
            rows.append(row)
            codes.append(int(float(first)))
    numbers = sorted({*names, *codes})
    texts = [names.get(number, f"class {number}") for number in numbers]
    notes = [
        f"{path}: a YOLO folder of {len(keys):,} images with {len(rows):,} objects of "
        f"{len(numbers)} classes"
    ]
    if n_without:
        notes.append(f"{n_without:,} images have no label file: they hold no object")
    unnamed = sorted(set(codes) - set(names))
    if names and unnamed:
        notes.append(f"classes without a name in the YAML file: {first_few(unnamed)}")
    strata = None
    if columns.stratify == "auto" and rows:
        code = np.searchsorted(np.array(numbers), np.array(codes)).astype(np.int32)
        strata = Strata.of_objects(texts, np.array(rows, np.int64), code)

    def files(row: int) -> list[tuple[Path, str]]:
        both = [Path(places[row]), labels.get(label_file(found[row]))]
        return [(each, each.relative_to(path).as_posix()) for each in both if each is not None]

    groups = group_by_pattern(keys, columns, notes)
    return Source("YOLO", path, keys, strata, groups, tuple(notes), files, _Details(names, places))


def class_names(path: Path) -> dict[int, str]:
    """Return the names that data.yaml gives to class numbers; none where there is no such file."""
    for name in _YAML:
        if (path / name).is_file():
            return _names_in((path / name).read_text(encoding="utf-8-sig", errors="replace"))
    return {}


def _names_in(text: str) -> dict[int, str]:
    """Read the value of ``names``: a list or a mapping, in a line or over several.

    This much of YAML is all that such files use; other values are left alone.
    """
    match = re.search(r"^names[ \t]*:[ \t]*(.*(?:\n(?:[ \t]+|-).*|\n[ \t]*)*)", text, re.MULTILINE)
    if match is None:
        return {}
    body = "\n".join(re.sub(r"(^|\s)#.*$", "", line) for line in match[1].splitlines()).strip()
    if body[:1] in "[{" and body:
        items = re.findall(r"""\s*(?:(\d+)\s*:\s*)?("[^"]*"|'[^']*'|[^,\[\]{}\n]+)""", body[1:])
    else:
        items = re.findall(
            r"""^[ \t]*(?:-|(\d+)[ \t]*:)[ \t]*("[^"\n]*"|'[^'\n]*'|[^\n]+)""", body, re.MULTILINE
        )
    items = [(number, name.strip().strip("'\"")) for number, name in items if name.strip()]
    return {int(number or i): name for i, (number, name) in enumerate(items)}


def yolo_lists(
    source: Source, selections: dict[str, np.ndarray[tuple[int], np.dtype[np.bool_]]]
) -> dict[str, bytes]:
    """Return a list of image paths for each selection, and a data.yaml that names the lists.

    Raises
    ------
    InputError
        For a path with a line break.
    """
    import json

    folder = source.path.resolve()
    names, places = source.details
    paths = [(folder / Path(place).relative_to(source.path)).as_posix() for place in places]
    for path in paths:
        if len(path.splitlines()) > 1:
            raise InputError("expected a name without line breaks, which a list cannot hold", path)
    lists = {}
    for name, mask in selections.items():
        text = "".join(f"{paths[i]}\n" for i in np.nonzero(mask)[0])
        lists[f"{name}.txt"] = text.encode("utf-8", "surrogateescape")
    for place in sorted({name.rpartition("/")[0] for name in selections}):
        here = [name for name in selections if name.rpartition("/")[0] == place]
        lines = [f"{name.rpartition('/')[2]}: {name.rpartition('/')[2]}.txt\n" for name in here]
        if not any(line.startswith("val:") for line in lines):
            lines += [f"val: {here[-1].rpartition('/')[2]}.txt\n"]  # trainers want one
        lines.append("names:\n")
        lines += [
            f"  {number}: {json.dumps(name, ensure_ascii=False)}\n"
            for number, name in sorted(names.items())
        ]
        lists[f"{place}/data.yaml".lstrip("/")] = "".join(lines).encode()
    return lists
