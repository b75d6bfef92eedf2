"""The file that says which sample is in which part, and how that came about.

The first line is ``# `` and a JSON object; then CSV: ``key`` and ``part`` (``part_1``, ``part_2``,
… for rounds of folds), and ``label`` and ``group`` where samples have one. Rows are in the order of
the keys' code points.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np

from snellen.errors import SchemaError, StateVersionError, first_few
from snellen.readers.table import read_table
from snellen.splits.split import Folds, Split

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from snellen.splits.assignment import Samples

__all__ = ["SCHEMA", "Manifest", "differences", "input_hash", "manifest_bytes", "read_manifest"]

SCHEMA = "snellen.split/1"
_N_NAMED = 10
# Blanks at the ends of a cell: who reads CSV drops them, where it is not in quotes.
_BLANK_ENDS = re.compile(r"^[ \t]|[ \t]$", re.MULTILINE)


class Manifest(NamedTuple):
    """What a manifest holds.

    Attributes
    ----------
    header : dict
        The JSON object of the first line.
    keys : list of str
        The keys, n of them.
    parts : list of list of str
        For each round the name of the part of each key.
    path : str
        The file.
    """

    header: dict[str, Any]
    keys: list[str]
    parts: list[list[str]]
    path: str

    def assignment(self) -> dict[str, str]:
        """Return the part of each key.

        Raises
        ------
        SchemaError
            For several rounds.
        """
        if len(self.parts) != 1:
            raise SchemaError(
                f"expected one part for each key, got {len(self.parts)} rounds", self.path
            )
        return dict(zip(self.keys, self.parts[0], strict=True))


def input_hash(samples: Samples) -> str:
    """Return a hash of keys, classes and groups that does not depend on their order.

    It is BLAKE2b (32 bytes) of: the keys in the order of their code points, each followed by a
    line feed; then a NUL and, for each of these, its classes and how many objects of each it holds
    as ``class=count`` with tabs between, followed by a line feed; then a NUL and the groups, each
    followed by a line feed. Classes and groups are left out, with their NUL, where there are none.
    """
    keys, strata, groups = samples
    order = sorted(range(len(keys)), key=keys.__getitem__)
    digest = hashlib.blake2b(digest_size=32)
    digest.update("".join(f"{keys[i]}\n" for i in order).encode())
    if strata is not None:
        digest.update(b"\0")
        if strata.single:
            codes = strata.code.tolist()
            texts = [f"{name}=1\n" for name in strata.names]
            digest.update("".join([texts[codes[i]] for i in order]).encode())
        else:
            begin = np.searchsorted(strata.row, np.arange(len(keys) + 1)).tolist()
            held = [
                f"{strata.names[code]}={times}"
                for code, times in zip(strata.code.tolist(), strata.times.tolist(), strict=True)
            ]
            lines = ["\t".join(held[begin[i] : begin[i + 1]]) + "\n" for i in order]
            digest.update("".join(lines).encode())
    if groups is not None:
        codes = groups.code.tolist()
        digest.update(b"\0")
        digest.update("".join([f"{groups.names[codes[i]]}\n" for i in order]).encode())
    return f"blake2b:{digest.hexdigest()}"


def manifest_bytes(result: Split | Folds, recipe: Mapping[str, Any]) -> bytes:
    """Return a manifest as the bytes of a file.

    Parameters
    ----------
    result : Split or Folds
        What to write down.
    recipe : mapping
        How it was made, as plain values; verifying reads it.
    """
    from snellen import __version__

    rounds = result.rounds if isinstance(result, Folds) else (result,)
    samples = rounds[0].samples
    header = {
        "schema": SCHEMA,
        "library": __version__,
        "recipe": dict(recipe),
        "input": input_hash(samples),
        **(result.to_dict() if len(rounds) > 1 else rounds[0].to_dict()),
    }
    columns: dict[str, list[str]] = {"key": samples.keys}
    for i, each in enumerate(rounds):
        name = "part" if len(rounds) == 1 else f"part_{i + 1}"
        columns[name] = [each.names[part] for part in each.part.tolist()]
    strata, groups = samples.strata, samples.groups
    if strata is not None and strata.single:
        columns["label"] = [strata.names[code] for code in strata.code.tolist()]
    if groups is not None:
        columns["group"] = [groups.names[code] for code in groups.code.tolist()]
    text = io.StringIO()
    text.write(f"# {msgspec.json.encode(header).decode()}\n")
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(columns)
    ordered = sorted(zip(*columns.values(), strict=True))
    if any(_BLANK_ENDS.search("\n".join(column)) for column in columns.values()):
        quoted = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
        for row in ordered:
            (quoted if any(map(_BLANK_ENDS.search, row)) else rows).writerow(row)
    else:
        rows.writerows(ordered)
    return text.getvalue().encode()


def read_manifest(path: str | os.PathLike[str]) -> Manifest:
    """Read what `manifest_bytes` made.

    Raises
    ------
    SchemaError
        Where the file is no manifest.
    StateVersionError
        Where a newer release wrote it.
    """
    table = read_table(path, header=True)
    try:
        header = msgspec.json.decode(table.comment or "null", type=dict[str, Any])
        schema = header["schema"]
    except (msgspec.DecodeError, KeyError):
        raise SchemaError(
            "expected a manifest of snellen split: a first line with # and a JSON object",
            table.path,
        ) from None
    if schema != SCHEMA:
        known = isinstance(schema, str) and schema.startswith("snellen.split/")
        raise (StateVersionError if known else SchemaError)(
            f'expected a manifest "{SCHEMA}", got "{schema}"', table.path
        )
    rounds = [name for name in table.names if name == "part" or name.startswith("part_")]
    if not rounds:
        raise SchemaError("expected a column part", table.path)
    keys = table["key"].text().array().tolist()
    if len(set(keys)) < len(keys):
        raise SchemaError("expected each key once", table.path)
    parts = [table[name].text().array().tolist() for name in rounds]
    return Manifest(header, keys, parts, table.path)


def differences(manifest: Manifest, result: Split | Folds) -> list[str]:
    """Return in words what differs between a manifest and what was recomputed; nothing if equal."""
    rounds = result.rounds if isinstance(result, Folds) else (result,)
    found = []
    algorithm = rounds[0].method["algorithm"]
    if manifest.header.get("algorithm", algorithm) != algorithm:
        found.append(
            f"it was split by {manifest.header['algorithm']}, this release has {algorithm}"
        )
    now = {key: i for i, key in enumerate(rounds[0].keys)}
    gone = sorted(set(manifest.keys) - set(now))
    new = sorted(set(now) - set(manifest.keys))
    if gone:
        found.append(f"{len(gone):,} keys are gone: {first_few(gone, _N_NAMED)}")
    if new:
        found.append(f"{len(new):,} keys are new: {first_few(new, _N_NAMED)}")
    if len(manifest.parts) != len(rounds):
        found.append(f"{len(manifest.parts)} rounds are written, {len(rounds)} recomputed")
    for i, (written, each) in enumerate(zip(manifest.parts, rounds, strict=False)):
        moved = [
            f"{key} ({part}, not {each.names[each.part[now[key]]]})"
            for key, part in zip(manifest.keys, written, strict=True)
            if key in now and each.names[each.part[now[key]]] != part
        ]
        if moved:
            where = f" in round {i + 1}" if len(rounds) > 1 else ""
            found.append(
                f"{len(moved):,} keys are in another part than recomputed{where}: "
                f"{first_few(sorted(moved), _N_NAMED)}"
            )
    if manifest.header.get("input") != input_hash(rounds[0].samples) and not gone and not new:
        found.append("the same keys have other classes or groups than when it was written")
    return found
