"""The formats of boxes: which one a file or folder is in, as its content says.

Needs no NumPy: `snellen evaluate detection` asks before NumPy is imported.
"""

from __future__ import annotations

import os
import re
import stat
from typing import Final

from snellen.errors import InputError, SchemaError

__all__ = ["FORMATS", "NOT_LABELS", "called", "found_format", "may_be_coco"]

FORMATS: Final = (
    "coco",
    "yolo",
    "voc-xml",
    "voc-results",
    "box-text",
    "dota",
    "open-images",
    "kitti",
    "cvat",
    "table",
)
"""What files can be written in; see docs/reference/detection-files.md."""

_CALLED: Final = {
    "coco": "COCO JSON",
    "yolo": "YOLO texts",
    "voc-xml": "Pascal VOC XML",
    "voc-results": "results of the Pascal VOC devkit",
    "box-text": "texts of class, score and box",
    "dota": "DOTA texts",
    "open-images": "an Open Images table",
    "kitti": "KITTI labels",
    "cvat": "CVAT XML",
    "table": "a table of boxes",
}

_DESCRIPTIONS: Final = ("data.yaml", "dataset.yaml", "data.yml", "dataset.yml")
# What data sets call the folder of their labels; see the readers.
_INSIDE: Final = (
    *("Annotations", "labels", "label_2", "labelTxt", "ground-truth", "groundtruths", "data"),
    "detection-results",
)
NOT_LABELS: Final = frozenset(
    (
        *("classes.txt", "labels.txt", "predefined_classes.txt", "notes.txt", "readme.txt"),
        *("readme.dataset.txt", "readme.roboflow.txt"),
    )
)
"""Texts that tools put beside labels: lists of class names, notes."""

# Not compiled: COCO files don't need it, and a command that reads them takes no time for it.
_NUMBER: Final = r"(?i:[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|nan|inf))"
_HEAD_BYTES: Final = 1 << 16
# So many files, and lines of each, say what a folder of texts is.
_FILES: Final = 200
_LINES: Final = 50
_FILLED: Final = 20


def called(name: str) -> str:
    """Return what messages call a format."""
    return _CALLED[name]


def may_be_coco(path: str) -> bool:
    """Return whether a path is most likely JSON of COCO's: by its name, or its first character.

    What cannot be read twice, a pipe, and what is not there at all are taken for it.
    """
    if path.lower().removesuffix(".gz").endswith(".json"):
        return True
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116
    except OSError:
        # What is wrong with it is said by its reader.
        return True
    if stat.S_ISDIR(mode):
        return False
    if not stat.S_ISREG(mode):
        return True
    if path.lower().endswith((".gz", ".parquet", ".npz", ".jsonl", ".ndjson", ".npy")):
        return False
    return _head(path)[:1] in ("{", "[")


def found_format(path: str, *, prefer: str | None = None) -> str:
    """Return the format of a file or folder.

    Parameters
    ----------
    path : str
        The file or folder.
    prefer : str, optional
        What to take where more than one is possible, if it is one of them: the format of the truth.

    Raises
    ------
    SchemaError
        Where it is none, or may be several; these are listed.
    InputError
        Where it cannot be read.
    """
    candidates = _of_folder(path) if os.path.isdir(path) else _of_file(path)  # noqa: PTH112
    if len(candidates) == 1:
        return candidates[0]
    if prefer in candidates or (prefer is not None and not candidates and _has_no_line(path)):
        return str(prefer)
    if not candidates:
        raise SchemaError(
            f"expected boxes in a format that is known ({', '.join(FORMATS)}), got something else: "
            'if it is one of them, say which (format="…", --format)',
            path,
        )
    listed = " or ".join(f'"{name}" ({_CALLED[name]})' for name in candidates)
    raise SchemaError(
        f"expected boxes whose format shows, this may be {listed}: say which (format=, --format)",
        path,
    )


def _head(path: str) -> str:
    """Return the beginning of a text, without a byte order mark and blanks in front."""
    try:
        if path.lower().endswith(".gz"):
            import gzip
            import zlib

            try:
                with gzip.open(path, "rb") as packed:
                    document = packed.read(_HEAD_BYTES)
            except (EOFError, zlib.error) as error:
                raise InputError(
                    f"expected a gzip file, as its name says, got: {error}", path
                ) from error
        else:
            with open(path, "rb") as file:  # noqa: PTH123
                document = file.read(_HEAD_BYTES)
    except OSError as error:
        raise InputError(f"expected a readable file, got: {error.strerror or error}", path) from (
            error
        )
    if document.startswith((b"\xff\xfe", b"\xfe\xff")):
        return document.decode("utf-16", "replace").lstrip()
    return document.decode("utf-8-sig", "replace").lstrip()


def _of_file(path: str) -> list[str]:
    name = path.lower().removesuffix(".gz")
    if name.endswith((".yaml", ".yml")):
        return ["yolo"]
    if name.endswith(".npy"):
        return ["coco"]
    if name.endswith((".parquet", ".jsonl", ".ndjson", ".npz")):
        return ["table"]
    head = _head(path)
    if head[:1] in ("{", "["):
        return ["coco"]
    if head[:1] == "<":
        return _of_xml(head)
    if name.endswith((".csv", ".tsv")) or _is_delimited(head):
        return [_of_columns(head)]
    return _of_lines([path])


def _of_xml(head: str) -> list[str]:
    for tag, name in (("annotations", "cvat"), ("annotation", "voc-xml")):
        if re.search(rf"<{tag}[\s>/]", head):
            return [name]
    return []


def _is_delimited(head: str) -> bool:
    first = head.partition("\n")[0]
    return any(delimiter in first for delimiter in (",", ";")) or (
        # Tabs part the cells of texts of labels too: those have no line of names.
        "\t" in first and not any(_is_number(cell) for cell in first.split())
    )


def _of_columns(head: str) -> str:
    names = {cell.strip(" \"'\r").lower() for cell in re.split(r"[,;\t]", head.partition("\n")[0])}
    return "open-images" if {"imageid", "labelname", "xmin"} <= names else "table"


def _of_folder(path: str) -> list[str]:
    files, folders = _listed(path)
    if any(name in _DESCRIPTIONS for name in files) or {"images", "labels"} <= set(folders):
        return ["yolo"]
    found = []
    xml = [name for name in files if name.lower().endswith(".xml")]
    texts = [name for name in files if _is_text(name)]
    tables = [name for name in files if name.lower().endswith((".csv", ".json", ".parquet"))]
    if xml:
        found += _of_xml(_head(f"{path}/{xml[0]}"))
    if texts:
        found += _of_lines([f"{path}/{name}" for name in texts])
    if found:
        return found
    inside = [name for name in _INSIDE if name in folders]
    if inside:
        below = {name: _of_folder(f"{path}/{name}") for name in inside}
        return sorted({each for names in below.values() for each in names})
    if xml or texts:
        return []
    if tables:
        raise InputError(
            f"expected a file, or a folder of texts or XML, got a folder of tables: name the one "
            f'that is meant, such as "{tables[0]}"',
            path,
        )
    deeper: list[str] = []
    for name in folders[:_FILLED]:
        deeper += _of_folder(f"{path}/{name}")
    return sorted(set(deeper))


def _listed(path: str) -> tuple[list[str], list[str]]:
    """Return the names of files and folders right in a folder, none that is hidden."""
    files: list[str] = []
    folders: list[str] = []
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if not entry.name.startswith("."):
                    (folders if entry.is_dir() else files).append(entry.name)
    except OSError as error:
        raise InputError(f"expected a readable folder, got: {error.strerror}", path) from error
    return sorted(files), sorted(folders)


def _is_text(name: str) -> bool:
    return name.lower().endswith(".txt") and name.lower() not in NOT_LABELS


def _has_no_line(path: str) -> bool:
    """Return whether a folder has no texts, or none with a line."""
    if not os.path.isdir(path):  # noqa: PTH112
        return not _head(path)
    files, folders = _listed(path)
    return all(not _head(f"{path}/{name}") for name in files if _is_text(name)) and all(
        _has_no_line(f"{path}/{name}") for name in folders if name in _INSIDE
    )


# ---- Lines ---------------------------------------------------------------------------------------


def _of_lines(paths: list[str]) -> list[str]:
    """Return what all lines of texts may be of."""
    possible: set[str] | None = None
    filled = 0
    for path in paths[:_FILES]:
        lines = [line for line in _head(path).splitlines()[:_LINES] if line.strip()]
        # The last one may have been cut off.
        for line in lines[:-1] or lines:
            found = _of_line(line.split(), os.path.basename(path))  # noqa: PTH119
            if found is None:
                continue
            possible = found if possible is None else possible & found
        filled += bool(lines)
        if filled == _FILLED:
            break
    return sorted(possible or ())


def _of_line(cells: list[str], name: str) -> set[str] | None:
    """Return what a line may be of; None where it says nothing."""
    if cells[0].startswith(("imagesource", "gsd:")):
        return {"dota"}
    n = len(cells)
    number = [_is_number(cell) for cell in cells]
    if n >= 10 and name.startswith("Task") and all(number[1:]):
        return {"dota"}
    if n in (15, 16) and not number[0] and all(number[1:]):
        return {"kitti"}
    if n in (9, 10) and all(number[:8]) and not number[8]:
        return {"dota"}
    if n == 6 and all(number[1:]) and re.search(r"(?:^|_)det_[^_]+_.", name):
        return {"voc-results"}
    if n == 6 and cells[5] == "difficult" and all(number[1:5]):
        return {"box-text"}
    if not all(number[1:]):
        return set()
    values = [float(cell) for cell in cells[1:]]
    # A box may stand out of its image: whether it may is its reader's matter.
    most = 1 if all(value == int(value) for value in values if abs(value) < 2) else 2
    parts = number[0] and all(-1 < value <= most for value in values)
    whole = re.fullmatch(r"\d+(?:\.0*)?", cells[0]) is not None
    if parts and whole:
        # Class and score in front, or the score behind: both are from 0 to 1.
        return {"yolo", "box-text"} if n == 6 else {"yolo"}
    if n == 6 and _is_number(cells[1]) and "." not in cells[0]:
        return {"box-text"}
    return {"box-text"} if n == 5 else set()


def _is_number(text: str) -> bool:
    return re.fullmatch(_NUMBER, text) is not None
