"""What a data set on disk holds, as far as splitting needs it."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snellen.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    from snellen.splits.groups import Groups
    from snellen.splits.strata import Strata

__all__ = ["Columns", "Source", "read_source"]


@dataclasses.dataclass(frozen=True)
class Columns:
    """Which columns of a table to use, or how keys of other data sets are grouped.

    Attributes
    ----------
    key : str or None
        The column that names the samples; None finds it by its usual names.
    stratify : str
        The column of classes, ``"auto"`` or ``"none"``.
    group : str or None
        The column of groups, or a pattern that is looked for in the keys.
    target : str or None
        The column of numbers to stratify by.
    bins : int
        How many bins of these.
    """

    key: str | None = None
    stratify: str = "auto"
    group: str | None = None
    target: str | None = None
    bins: int = 10

    def for_no_table(self, kind: str) -> None:
        """Refuse names of columns where the data set has none."""
        for option, value in (("key", self.key), ("target", self.target)):
            if value is not None:
                raise InputError(f"expected a table for --{option} {value}, got {kind}")
        if self.stratify not in ("auto", "none"):
            raise InputError(
                f"expected a table for --stratify {self.stratify}, got {kind}: auto or none"
            )


@dataclasses.dataclass(frozen=True, eq=False)
class Source:
    """A data set on disk.

    Attributes
    ----------
    kind : str
        ``"table"``, ``"image folder"``, ``"COCO"``, ``"YOLO"`` or ``"MOT"``.
    path : Path
        The file or folder.
    keys : list of str
        What names the samples, n of them.
    strata : Strata or None
        Their classes.
    groups : Groups or None
        Their groups.
    notes : tuple of str
        What was found and decided, for people.
    files : callable or None
        Takes a row; returns the files of the sample, each with its place below a part's folder.
    details : Any
        What a writer of the same format needs.
    """

    kind: str
    path: Path
    keys: list[str]
    strata: Strata | None
    groups: Groups | None
    notes: tuple[str, ...]
    files: Callable[[int], list[tuple[Path, str]]] | None = None
    details: Any = None


def read_source(path: str | Path, columns: Columns) -> Source:
    """Read a data set; its kind is found from its content.

    Raises
    ------
    InputError, SchemaError, IdError
        The message ends with the place.
    """
    path = Path(path)
    if not path.exists():
        raise InputError("expected a file or folder, there is none", str(path))
    if path.is_dir():
        from snellen.splits.from_mot import is_mot, read_mot
        from snellen.splits.from_yolo import is_yolo, read_yolo

        if is_mot(path):
            return read_mot(path, columns)
        if is_yolo(path):
            return read_yolo(path, columns)
        from snellen.splits.from_folder import read_folder

        return read_folder(path, columns)
    name = path.name.lower().removesuffix(".gz")
    if name.endswith(".json"):
        from snellen.splits.from_coco import is_coco, read_coco

        if is_coco(path):
            return read_coco(path, columns)
    from snellen.splits.from_table import read_samples

    return read_samples(path, columns)
