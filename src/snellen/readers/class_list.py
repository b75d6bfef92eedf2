"""Lists of classes: what ids and names stand for one class."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import msgspec
import numpy as np

from snellen.classes import Classes
from snellen.errors import ClassError, SchemaError, did_you_mean
from snellen.readers.message_text import few, printable
from snellen.readers.table import read_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

__all__ = ["ClassList", "LabelSet", "resolve", "whole_numbers"]

_WHOLE = re.compile(r"0|-?[1-9][0-9]{0,17}")


def whole_numbers(texts: Sequence[str]) -> list[int] | None:
    """Return the numbers that texts write, None unless each is a whole number as Python writes it.

    Examples
    --------
    >>> whole_numbers(["10", "2"]), whole_numbers(["10", "02"])
    ([10, 2], None)
    """
    if all(_WHOLE.fullmatch(text) for text in texts):
        return [int(text) for text in texts]
    return None


class LabelSet(NamedTuple):
    """Different labels that stand in one place: a column, or the names of columns.

    Attributes
    ----------
    labels : list of int or of str
        The labels, each once.
    what : str
        Where they stand, for messages: ``truth.csv column "label"``.
    place : callable
        Where the k-th of them stands, for messages.
    spelling : callable or None
        Of whole numbers, gives how they are written there.
    are : {"ids", "names"} or None
        What they are, where it is known; see `ClassList.code`.
    """

    labels: list[Any]
    what: str
    place: Callable[[int], str]
    spelling: Callable[[], list[str]] | None = None
    are: Literal["ids", "names"] | None = None

    @property
    def is_text(self) -> bool:
        """Whether they are texts."""
        return bool(self.labels) and isinstance(self.labels[0], str)


class ClassList:
    """Classes, each with an id and any number of names.

    Attributes
    ----------
    classes : Classes
        The classes.
    in_order : list of int
        The position in `classes` of each class in the order of columns of scores: by id where the
        ids are 0, 1, 2, …, else as listed.
    """

    __slots__ = ("_ids", "_names", "classes", "in_order")

    def __init__(self, names: Mapping[Any, Sequence[str]]) -> None:
        ids: list[Any] = list(names)
        if not ids:
            raise ClassError("expected a list of classes, it is empty")
        shown = [each[-1] if each else "" for each in names.values()]
        # Two classes may have one name (ImageNet has two cranes): then other names tell them apart.
        twice = {name for name in shown if name and shown.count(name) > 1}
        shown = [
            f"{name} ({each[0]})" if name in twice and len(each) > 1 else name
            for name, each in zip(shown, names.values(), strict=True)
        ]
        self.classes = Classes(ids, shown)
        codes: list[int] = self.classes.keys.codes(ids).tolist()
        by_id = ids == list(range(len(ids))) or self.classes.keys.ids.tolist() == list(
            range(len(ids))
        )
        self.in_order = list(range(len(ids))) if by_id else codes
        self._ids: dict[int | str, int] = dict(zip(ids, codes, strict=True))
        self._names: dict[str, list[int]] = {}
        for code, (own, each) in zip(codes, zip(shown, names.values(), strict=True), strict=True):
            for name in dict.fromkeys((*each, own)):
                if name:
                    self._names.setdefault(name, []).append(code)

    @classmethod
    def read(cls, source: Any) -> ClassList:
        """Return the classes of a list of names, a mapping, `Classes`, or a file.

        Parameters
        ----------
        source : sequence of str, mapping, Classes, or path
            Names (ids are 0, 1, 2, …); a mapping of id to name, or to several names; or a file: a
            text with a name a line, a ``.csv`` with an id and a name a line, a ``data.yaml`` of
            YOLO's, or JSON of a list or a mapping. A mapping of names to whole numbers is taken the
            other way round; several names may have one number.

        Raises
        ------
        ClassError
            For ids that come twice, or names that make no list.
        SchemaError, InputError
            For a file that cannot be read.
        """
        place = ""
        if isinstance(source, (str, os.PathLike)):
            place = os.fspath(source)
            source = _from_file(place)
        try:
            if isinstance(source, Classes):
                ids = source.keys.ids.tolist()
                return cls({key: [name] for key, name in zip(ids, source.names, strict=True)})
            if isinstance(source, Mapping):
                return cls(_from_mapping(source))
            return cls({k: [name] for k, name in enumerate(_listed(source))})
        except ClassError as error:
            raise (error.within(place) if place else error) from error

    def __len__(self) -> int:
        return len(self.classes)

    def names(self) -> list[str]:
        """Return every name of every class."""
        return list(self._names)

    def code(self, label: int | str, *, are: Literal["ids", "names"] | None = None) -> int | None:
        """Return the position of the class with this id or name, None where there is none.

        Parameters
        ----------
        label : int or str
        are : {"ids", "names"}, optional
            What labels are, if it is known: a whole number that is an id is no name, and a name
            no id of a class that is called otherwise.

        Raises
        ------
        ClassError
            For a name of two classes, and for the id of one class that is the name of another.
        """
        own = self._ids.get(label)
        found = self._names.get(str(label), [])
        if isinstance(label, str):
            if own is not None:
                return own
            number = whole_numbers([label])
            own = self._ids.get(number[0]) if number else None
            if are == "names" and own is not None and (found or self.classes.names[own]):
                own = None
        else:
            # Ids may be texts that are whole numbers.
            own = self._ids.get(str(label)) if own is None else own
            if are == "ids":
                return own
        if own is not None and found and found[0] != own:
            ids = self.classes.keys.ids
            raise ClassError(
                f'expected labels that say which class is meant, got "{printable(str(label))}", '
                f"the id of one class and the name of another (class {ids[found[0]]}): use names "
                "that are not the ids of other classes"
            )
        if isinstance(label, str) and len(found) > 1:
            raise ClassError(
                "expected labels that say which class is meant, got "
                f'"{printable(label)}", the name of {len(found)} classes '
                f"({few(self.classes.keys.ids[found].tolist())}): use ids"
            )
        if own is not None:
            return own
        return found[0] if len(found) == 1 else None

    def codes(self, labels: LabelSet) -> NDArray[np.int32]:
        """Return the position of each label's class.

        Raises
        ------
        ClassError
            For a label that is none of them.
        """
        codes = []
        for k, label in enumerate(labels.labels):
            try:
                code = self.code(label, are=labels.are)
                if code is None and labels.spelling is not None:
                    code = self.code(labels.spelling()[k])
            except ClassError as error:
                raise error.within(labels.place(k)) from error
            if code is None:
                shown = f'"{printable(label, 60)}"' if isinstance(label, str) else label
                names = self.classes.display_names()
                raise ClassError(
                    f"expected labels of {len(self)} classes ({few(names)}), got {shown}."
                    f"{did_you_mean(label, self._names) if isinstance(label, str) else ''}",
                    labels.place(k),
                )
            codes.append(code)
        return np.array(codes, np.int32)


def _from_file(place: str) -> Any:
    if place.lower().removesuffix(".gz").endswith((".yaml", ".yml")):
        return _of_yolo(place)
    document = read_bytes(place).removeprefix(b"\xef\xbb\xbf")
    if place.lower().removesuffix(".gz").endswith(".json"):
        try:
            return msgspec.json.decode(document)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise SchemaError(f"expected JSON: {error}", place) from error
    try:
        lines: list[str] = document.decode().splitlines()
    except UnicodeDecodeError as error:
        line = document[: error.start].count(b"\n") + 1
        raise SchemaError(
            f"expected UTF-8 text, got the byte 0x{document[error.start]:02x}",
            f"{place} line {line}",
        ) from error
    if place.lower().removesuffix(".gz").endswith(".csv"):
        described = _described(lines, place)
        if described is not None:
            return described
        lines = [_only_cell(line) for line in lines]
    names = [line.strip() for line in lines]
    while names and not names[-1]:
        names.pop()
    for k, name in enumerate(names):
        if not name:
            raise SchemaError(
                "expected the name of a class, got an empty line", f"{place} line {k + 1}"
            )
    return names


def _of_yolo(place: str) -> Mapping[int, str]:
    """Return the names of a ``data.yaml``."""
    from snellen.readers.yolo_description import read_description

    names = read_description(place).names
    if not names:
        raise SchemaError('expected the key "names", as YOLO\'s data.yaml has it', place)
    return names


def _described(lines: list[str], place: str) -> dict[str, list[str]] | None:
    """Return the names by id of lines with both, as Open Images describes its classes.

    None where a line has one cell, a name; a third cell that is a whole number says nothing. A
    first line ``LabelName,DisplayName`` is not of a class, nor is one that has no whole number
    where all others have one: ``id,name``.

    Raises
    ------
    SchemaError
        For more cells in all lines, an id that is empty or comes twice.
    """
    try:
        rows = [[cell.strip() for cell in row] for row in csv.reader(lines)]
    except csv.Error as error:
        raise SchemaError(f"expected delimited text: {error}", place) from None
    has_names = bool(rows) and _names_columns(rows)
    rows = [row[:2] if len(row) == 3 and whole_numbers(row[2:]) else row for row in rows]
    if has_names:
        rows[0] = []
    filled = [row for row in rows if row]
    if not filled or any(len(row) == 1 for row in filled):
        return None
    for k, row in enumerate(rows):
        if len(row) > 2:
            raise SchemaError(
                "expected the name of a class in each line, or its id and its name, got "
                f"{len(row)} cells",
                f"{place} line {k + 1}",
            )
    names: dict[str, list[str]] = {}
    for k, row in enumerate(rows):
        if not row:
            continue
        if not row[0] or row[0] in names:
            shown = f'"{printable(row[0], 60)}" again' if row[0] else "an empty one"
            raise SchemaError(f"expected the id of a class, got {shown}", f"{place} line {k + 1}")
        names[row[0]] = [row[1]]
    return names


def _only_cell(line: str) -> str:
    """Return the one cell of a line without its quotes; a line of several as it is."""
    cells = next(csv.reader([line]), [])
    return cells[0] if len(cells) == 1 else line


def _names_columns(rows: list[list[str]]) -> bool:
    """Return whether the first of lines names the columns of the others."""
    first, *others = rows
    if [cell.lower() for cell in first] == ["labelname", "displayname"]:
        return True
    filled = [row for row in others if row]
    if not filled or {len(row) for row in filled} != {len(first)} or len(first) < 2:
        return False
    below = [whole_numbers(column) is not None for column in zip(*filled, strict=True)]
    return any(
        whole and whole_numbers([cell]) is None for cell, whole in zip(first, below, strict=True)
    )


def _listed(source: Any) -> list[str]:
    """Return the names of a list, as texts.

    Raises
    ------
    ClassError
        For what is no list, sets included, which have no order; for elements that are no names.
    """
    if isinstance(source, (str, bytes, set, frozenset)) or not isinstance(source, Iterable):
        raise ClassError(
            "expected a list of names, or a mapping of id to name, got "
            f"{printable(repr(source), 60)}"
        )
    names = list(source)
    for name in names:
        if name is None or isinstance(name, (Mapping, list, tuple)):
            raise ClassError(
                f"expected names of classes in the list, got {printable(repr(name), 60)}: where "
                'classes have ids of their own, give a mapping of id to name ({"7": "cat"})'
            )
    return [str(name) for name in names]


def _from_mapping(source: Mapping[Any, Any]) -> dict[Any, list[str]]:
    names: dict[Any, list[str]] = {}
    keys = list(source)
    numbers = keys
    if all(isinstance(key, str) for key in keys):
        found = whole_numbers(keys)
        numbers = keys if found is None else found
        values = list(source.values())
        if found is None and all(type(value) is int for value in values):
            names = {value: [] for value in values}
            for name, value in zip(keys, values, strict=True):
                names[value].append(name)
            return names
    for key, value in zip(numbers, source.values(), strict=True):
        each = [value] if isinstance(value, str) else value
        if not isinstance(each, Sequence) or not all(isinstance(name, str) for name in each):
            raise ClassError(f"expected a name for class {key}, got {printable(repr(value), 60)}")
        names[key] = list(each)
    return names


def resolve(
    sets: Sequence[LabelSet], known: ClassList | None
) -> tuple[Classes, list[NDArray[np.int32]]]:
    """Return the classes of several sets of labels, and the position of each label among them.

    Without a list of classes these are all labels that occur. Texts and whole numbers go together
    if all texts are whole numbers, or where the whole numbers are found among the texts as they
    are written.

    Raises
    ------
    ClassError
        For labels that are not in the list; for texts beside whole numbers.
    """
    if known is not None:
        return known.classes, [known.codes(labels) for labels in sets]
    unified = _of_one_kind([labels for labels in sets if labels.labels])
    iterator = iter(unified)
    lists = [next(iterator) if labels.labels else [] for labels in sets]
    every = list(dict.fromkeys(label for labels in lists for label in labels))
    classes = Classes(every)
    return classes, [
        classes.keys.codes(labels) if labels else np.zeros(0, np.int32) for labels in lists
    ]


def _of_one_kind(sets: Sequence[LabelSet]) -> list[list[Any]]:
    texts = [labels for labels in sets if labels.is_text]
    numbers = [labels for labels in sets if not labels.is_text]
    if not texts or not numbers:
        return [list(labels.labels) for labels in sets]
    as_numbers = [whole_numbers([str(label) for label in each.labels]) for each in texts]
    if all(each is not None for each in as_numbers):
        found = iter([each or [] for each in as_numbers])
        return [next(found) if each.is_text else each.labels for each in sets]
    known = {label for labels in texts for label in labels.labels}
    spelt = [each.spelling() if each.spelling is not None else [] for each in numbers]
    if all(known.intersection(each) for each in spelt):
        spellings = iter(spelt)
        return [each.labels if each.is_text else next(spellings) for each in sets]
    raise ClassError(
        "expected labels of one kind, got texts (such as "
        f'"{printable(texts[0].labels[0], 60)}") in {texts[0].what} and '
        f"whole numbers (such as {numbers[0].labels[0]}) in "
        f"{numbers[0].what}: say which number is which class with classes="
    )
