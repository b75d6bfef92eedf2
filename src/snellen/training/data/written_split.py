"""Parts and folds as a manifest of ``snellen split`` writes them down."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from snellen.errors import InputError, SchemaError
from snellen.readers.message_text import few
from snellen.splits.hashing import normalised_keys
from snellen.splits.manifest import SCHEMA, read_manifest
from snellen.splits.strata import name_order

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PART_NAMES", "WrittenSplit", "is_manifest", "part_name", "read_written_split"]

PART_NAMES: Final = {
    "train": "train",
    "training": "train",
    "val": "validation",
    "valid": "validation",
    "validation": "validation",
    "dev": "validation",
    "test": "test",
    "testing": "test",
}
"""What parts are called elsewhere, and here."""

_HEAD: Final = 200


def part_name(name: str) -> str | None:
    """Return what a part is called here; None where it is none."""
    return PART_NAMES.get(name.lower())


def is_manifest(path: str) -> bool:
    """Return whether a file is a manifest of ``snellen split``: its first line says so."""
    try:
        with Path(path).open("rb") as file:
            head = file.read(_HEAD)
    except OSError:
        return False
    return head.startswith(b"# {") and SCHEMA.split("/")[0].encode() in head


class WrittenSplit(NamedTuple):
    """The part of each sample.

    Attributes
    ----------
    path : str
        The manifest.
    part_of : dict of str to str
        ``"train"``, ``"validation"`` or ``"test"`` by the sample's key.
    fold_of : dict of str to str or None
        The fold, where the manifest has folds.
    """

    path: str
    part_of: dict[str, str]
    fold_of: dict[str, str] | None

    def rows(self, ids: Sequence[str], notes: list[str]) -> dict[str, list[int]]:
        """Return which of some samples are in which part.

        Parameters
        ----------
        ids : sequence of str
            The samples that there are.
        notes : list of str
            It is added how many the manifest does not name.

        Raises
        ------
        InputError
            Where samples of the manifest are not there, or none of them is to be trained on.
        """
        keys = normalised_keys(ids)
        gone = sorted(set(self.part_of) - set(keys))
        if gone:
            raise InputError(
                f"expected the {len(self.part_of):,} samples of the manifest, {len(gone):,} are "
                f"not there ({few(gone, 3)}): give the folder that their keys start from (root)",
                self.path,
            )
        found: dict[str, list[int]] = {}
        n_other = 0
        for row, key in enumerate(keys):
            part = self.part_of.get(key)
            if part is None:
                n_other += 1
            else:
                found.setdefault(part, []).append(row)
        if "train" not in found:
            raise InputError(
                f"expected samples of the part train in the manifest, got {few(found) or 'none'}",
                self.path,
            )
        if n_other:
            notes.append(f"{n_other:,} samples left out that {self.path} does not name")
        return found


def read_written_split(path: str, *, split_round: int = 1, fold: int | None = None) -> WrittenSplit:
    """Read parts, or the folds of a round, of which one is the validation part.

    Parameters
    ----------
    path : str
        The manifest.
    split_round : int
        Which round of folds, from 1.
    fold : int, optional
        Which fold is the validation part, from 1; the first by default.

    Raises
    ------
    InputError
        For a round or a fold that there is not.
    SchemaError
        For parts of other names than train, validation and test.
    """
    manifest = read_manifest(path)
    if not 1 <= split_round <= len(manifest.parts):
        raise InputError(
            f"expected a round from 1 to {len(manifest.parts)}, got {split_round}", path
        )
    names = dict(zip(manifest.keys, manifest.parts[split_round - 1], strict=True))
    rounds = manifest.header.get("rounds")
    kind = (rounds[0] if rounds else manifest.header).get("kind", "hold-out")
    if kind == "hold-out":
        if fold is not None:
            raise InputError(f"expected no fold, the manifest has parts, got fold {fold}", path)
        parts = {name: part_name(name) for name in set(names.values())}
        unknown = sorted(name for name, part in parts.items() if part is None)
        if unknown:
            raise SchemaError(
                f"expected parts called train, val and test, got {few(unknown)}: split anew with "
                "these names",
                path,
            )
        return WrittenSplit(path, {key: parts[name] or "" for key, name in names.items()}, None)
    folds = sorted(set(names.values()), key=lambda name: (len(name), name_order(name)))
    k = 1 if fold is None else fold
    if not 1 <= k <= len(folds):
        raise InputError(f"expected a fold from 1 to {len(folds)}, got {fold}", path)
    held = folds[k - 1]
    part_of = {key: "validation" if name == held else "train" for key, name in names.items()}
    return WrittenSplit(path, part_of, names)
