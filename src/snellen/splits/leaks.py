"""Leaks: images that two parts of a data set share, as they are or nearly so."""

from __future__ import annotations

import csv
import dataclasses
import io
import itertools
import math
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.errors import DataWarning, IdError, InputError, ShapeError, first_few
from snellen.splits.image_hash import HASH_BITS, HASH_NAME, hash_files, to_hashes
from snellen.splits.near_pairs import MOST_PARTS, near_pairs
from snellen.table_text import aligned_lines, number, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from snellen.splits.near_pairs import NearPairs

__all__ = [
    "DEFAULT_DISTANCE",
    "DuplicatePair",
    "LeakReport",
    "Overlap",
    "Unreadable",
    "find_duplicates",
]

SCHEMA = "snellen.leaks/1"

# Why 30: docs/decisions/0007-near-duplicates.md.
DEFAULT_DISTANCE = 30

_SHOWN_PAIRS = 20


class DuplicatePair(NamedTuple):
    """Two images that are the same or look alike.

    Attributes
    ----------
    key, part : str
        One image, and the part it is in.
    other, other_part : str
        The other.
    distance : int
        In how many of the 256 bits their hashes differ.
    exact : bool
        Whether the files are equal, byte for byte.
    """

    key: str
    part: str
    other: str
    other_part: str
    distance: int
    exact: bool


class Overlap(NamedTuple):
    """How many images of one part have a duplicate in another.

    Attributes
    ----------
    part, other : str
        The part, and the one that its duplicates are in.
    n_images : int
        The images of `part` that could be compared.
    n_exact : int
        Those of them with an equal file in `other`.
    n_near : int
        Those of them without one whose look is near that of an image of `other`.
    """

    part: str
    other: str
    n_images: int
    n_exact: int
    n_near: int

    @property
    def n(self) -> int:
        """The images of `part` with a duplicate in `other`, of either kind."""
        return self.n_exact + self.n_near

    @property
    def share(self) -> float:
        """Their share of the images of `part`; NaN where it has none that could be compared."""
        return self.n / self.n_images if self.n_images else math.nan


class Unreadable(NamedTuple):
    """An image that has no hash, and why.

    Attributes
    ----------
    key, part : str
        The image, and the part it is in.
    reason : str
        Why.
    by_bytes : bool
        Whether its file could be compared byte for byte nevertheless.
    """

    key: str
    part: str
    reason: str
    by_bytes: bool


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class LeakReport:
    """What the parts of a data set share.

    Two images are near where their hashes differ in at most `distance` bits, and exact where
    their files are equal. What is near in a chain is one group.

    Attributes
    ----------
    key : tuple of str
        All images, in ascending order.
    part : tuple of str
        The part that each is in.
    parts : tuple of str
        The parts, in ascending order.
    distance : int
        In how many of the 256 bits near images may differ.
    group : ndarray of int32, shape (n,)
        The position, in `key`, of the first image of each one's group; its own where it has no
        duplicate.
    overlaps : tuple of Overlap
        Every part with every other, the greatest share first.
    pairs : tuple of DuplicatePair
        Images of different parts: of each image the nearest one of each other part, each pair
        once; equal files first, then by distance. So every image that has a duplicate in another
        part is in at least one of them.
    pairs_within : tuple of DuplicatePair
        The same of images of one part.
    n_exact_groups : int
        How many sets of equal files there are.
    n_near_pairs : int
        How many pairs of images are near, in all.
    n_near_pairs_across : int
        How many of them are of different parts.
    unreadable : tuple of Unreadable
        The images that have no hash.
    """

    key: tuple[str, ...]
    part: tuple[str, ...]
    parts: tuple[str, ...]
    distance: int
    group: NDArray[np.int32]
    overlaps: tuple[Overlap, ...]
    pairs: tuple[DuplicatePair, ...]
    pairs_within: tuple[DuplicatePair, ...]
    n_exact_groups: int
    n_near_pairs: int
    n_near_pairs_across: int
    unreadable: tuple[Unreadable, ...]

    def __repr__(self) -> str:
        return (
            f"LeakReport({len(self.key)} images, {len(self.parts)} parts, "
            f"{len(self.pairs)} pairs across parts)"
        )

    @property
    def leaks(self) -> bool:
        """Whether parts share an image."""
        return bool(self.pairs)

    @property
    def worst_pairs(self) -> tuple[DuplicatePair, ...]:
        """The pairs that matter: those across parts, or those within where there is one part."""
        return self.pairs if len(self.parts) > 1 else self.pairs_within

    def groups(self) -> list[tuple[str, ...]]:
        """Return the keys of each group of at least two images, in the order of their first."""
        return [tuple(self.key[row] for row in rows) for rows in self._group_rows()]

    def groups_csv(self, label: Sequence[str] | None = None) -> str:
        """Return a table with the columns key and group, a line an image.

        The group is the key of its first image; `snellen split TABLE --group group` keeps the
        images of a group in one part.

        Parameters
        ----------
        label : sequence of str, optional
            The class of each image of `key`, for a third column.

        Raises
        ------
        ShapeError
            For another number of labels.
        """
        columns = [self.key, tuple(self.key[first] for first in self.group.tolist())]
        if label is not None:
            if len(label) != len(self.key):
                raise ShapeError(f"expected {len(self.key)} of them, got {len(label)}", "label")
            columns.append(tuple(label))
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("key", "group", "label")[: len(columns)])
        writer.writerows(zip(*columns, strict=True))
        return file.getvalue()

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain values that JSON can hold; an undefined share is None."""
        from snellen import __version__

        return {
            "schema": SCHEMA,
            "library": __version__,
            "hash": HASH_NAME,
            "distance": self.distance,
            "parts": {part: self.part.count(part) for part in self.parts},
            "overlaps": [
                {
                    **overlap._asdict(),
                    "share": None if math.isnan(overlap.share) else overlap.share,
                }
                for overlap in self.overlaps
            ],
            "n_exact_groups": self.n_exact_groups,
            "n_near_pairs": self.n_near_pairs,
            "n_near_pairs_across": self.n_near_pairs_across,
            "pairs": [pair._asdict() for pair in self.pairs],
            "pairs_within": [pair._asdict() for pair in self.pairs_within],
            "groups": [
                [{"key": self.key[row], "part": self.part[row]} for row in rows]
                for rows in self._group_rows()
            ],
            "unreadable": [entry._asdict() for entry in self.unreadable],
        }

    def __str__(self) -> str:
        groups = self._group_rows()
        n_across = sum(len({self.part[row] for row in rows}) > 1 for rows in groups)
        n_grouped = sum(map(len, groups))
        lines = [
            f"{number(len(self.key))} images in {_counted(len(self.parts), 'part')}; near: at most "
            f"{self.distance} of {HASH_BITS} bits of the difference hash apart",
            "",
        ]
        if self.overlaps:
            lines += [*self._overlap_lines(), ""]
        lines.append(
            f"{_counted(len(groups), 'group')} of duplicates, with {_counted(n_grouped, 'image')}, "
            f"the largest with {number(max(map(len, groups), default=0))}; "
            f"{number(n_across)} with images of several parts"
        )
        lines.append(
            f"{_counted(self.n_exact_groups, 'set')} of equal files; "
            f"{_counted(self.n_near_pairs, 'near pair')}, "
            f"{number(self.n_near_pairs_across)} of them across parts"
        )
        if self.unreadable:
            n_bytes = sum(entry.by_bytes for entry in self.unreadable)
            lines.append(
                f"{_counted(len(self.unreadable), 'image')} without a hash; {number(n_bytes)} of "
                "them compared byte for byte"
            )
        if self.worst_pairs:
            lines += ["", *_pair_lines(self.worst_pairs)]
        return "\n".join(lines)

    def _overlap_lines(self) -> list[str]:
        rows = [("", "images", "with a duplicate", "exact", "near", "share")]
        for overlap in self.overlaps:
            share = overlap.share
            rows.append(
                (
                    f"{printable(overlap.part, 30)} in {printable(overlap.other, 30)}",
                    number(overlap.n_images),
                    number(overlap.n),
                    number(overlap.n_exact),
                    number(overlap.n_near),
                    "-" if math.isnan(share) else f"{100 * share:.2f} %",
                )
            )
        return aligned_lines(rows)

    def _group_rows(self) -> list[list[int]]:
        """Return the rows of each group of at least two images."""
        sizes = np.bincount(self.group, minlength=len(self.group))
        members: dict[int, list[int]] = {}
        for row in np.flatnonzero(sizes[self.group] > 1).tolist():
            members.setdefault(int(self.group[row]), []).append(row)
        return list(members.values())


def find_duplicates(
    images: Any,
    part: Sequence[str] | None = None,
    *,
    key: Sequence[str] | None = None,
    distance: int = DEFAULT_DISTANCE,
    strict: bool = False,
    progress: Callable[[int], None] | None = None,
) -> LeakReport:
    """Find images that are the same or look alike, and say which parts share them.

    Parameters
    ----------
    images : sequence of paths, or ndarray of uint64, shape (n, 4)
        Image files; or hashes (`snellen.splits.image_hash.difference_hash`, or any others of 256
        bits), which give no exact duplicates.
    part : sequence of str, length n, optional
        The part that each image is in; without it all are in the part ``"all"``.
    key : sequence of str, length n, optional
        What the images are called; by default their paths with ``/``, or the numbers of the rows.
    distance : int
        In how many of the 256 bits the hashes of near images may differ, 0 to 255.
    strict : bool
        Refuse images that cannot be read, instead of leaving them out with a warning.
    progress : callable, optional
        Called with 1 for each file that was read.

    Returns
    -------
    LeakReport
        The same for every order of the images and every number of threads.

    Warns
    -----
    DataWarning
        Where images cannot be read; counted, and the first named.

    Raises
    ------
    InputError
        For unreadable images with `strict`, more than 64 parts, a distance that cannot be.
    ShapeError
        Where the columns do not fit each other.
    IdError
        Where a key comes twice.
    MissingExtraError
        Where files are to be read and Pillow is not installed.

    Examples
    --------
    >>> import numpy as np
    >>> hashes = np.array([[0, 0, 0, 0], [7, 0, 0, 0], [2**64 - 1, 0, 0, 0]], np.uint64)
    >>> report = find_duplicates(hashes, ["train", "test", "test"], key=["a", "b", "c"])
    >>> report.pairs
    (DuplicatePair(key='a', part='train', other='b', other_part='test', distance=3, exact=False),)
    >>> report.overlaps[1].part, report.overlaps[1].share
    ('test', 0.5)
    """
    hashes = images if isinstance(images, np.ndarray) and images.dtype.kind != "U" else None
    if hashes is not None:
        hashes = to_hashes(hashes)
    else:
        images = _paths(images)
    n = len(images)
    parts_of = ["all"] * n if part is None else [str(name) for name in part]
    if key is not None:
        keys = [str(name) for name in key]
    elif hashes is not None:
        keys = [f"{row:0{len(str(max(n - 1, 0)))}d}" for row in range(n)]
    else:
        keys = [path.as_posix() for path in images]
    for name, column in (("part", parts_of), ("key", keys)):
        if len(column) != n:
            raise ShapeError(f"expected {n} of them, one an image, got {len(column)}", name)

    parts = sorted(set(parts_of))
    if len(parts) > MOST_PARTS:
        named = printable(first_few(parts, 3))
        raise InputError(
            f"expected at most {MOST_PARTS} parts, got {len(parts)} ({named}): are "
            "these classes? The folders of a single folder are taken for its parts",
            "part",
        )
    order = sorted(range(n), key=keys.__getitem__)
    keys = [keys[row] for row in order]
    for before, after in itertools.pairwise(keys):
        if before == after:
            raise IdError(f'expected each image once, "{printable(after)}" comes twice', "key")
    code_of = {name: code for code, name in enumerate(parts)}
    codes = np.array([code_of[parts_of[row]] for row in order], np.int32)

    digests: Sequence[bytes | None] = (None,) * n
    problems: Sequence[str | None] = (None,) * n
    if hashes is None:
        digests, hashes, problems = hash_files([images[row] for row in order], progress)
    else:
        hashes = hashes[order]
    unreadable = tuple(
        Unreadable(keys[row], parts[codes[row]], problem, digests[row] is not None)
        for row, problem in enumerate(problems)
        if problem is not None
    )
    _say_unreadable(unreadable, n, strict=strict)

    found = _near_pairs_of_readable(hashes, codes, len(parts), distance, problems)
    exact = _ExactPairs(digests, codes, len(parts))
    exact.put_into(found)
    across, within = _pairs(found, codes)
    listed = [
        DuplicatePair(
            keys[a],
            parts[codes[a]],
            keys[b],
            parts[codes[b]],
            bits,
            digests[a] is not None and digests[a] == digests[b],
        )
        for a, b, bits in (*across, *within)
    ]
    comparable = [
        problem is None or digest is not None
        for problem, digest in zip(problems, digests, strict=True)
    ]
    n_comparable = np.bincount(codes[np.array(comparable, bool)], minlength=len(parts))
    return LeakReport(
        key=tuple(keys),
        part=tuple(parts[code] for code in codes.tolist()),
        parts=tuple(parts),
        distance=distance,
        group=found.group,
        overlaps=_overlaps(found, exact, codes, parts, n_comparable),
        pairs=_worst_first(listed[: len(across)]),
        pairs_within=_worst_first(listed[len(across) :]),
        n_exact_groups=exact.n_groups,
        n_near_pairs=int(found.n_pairs.sum()),
        n_near_pairs_across=int(np.triu(found.n_pairs, 1).sum()),
        unreadable=unreadable,
    )


def _paths(images: Any) -> list[Path]:
    from pathlib import Path

    if isinstance(images, str | bytes):
        raise InputError("expected a sequence of paths, got a single text", "images")
    try:
        return [Path(path) for path in images]
    except TypeError:
        raise InputError(
            "expected a sequence of paths, or hashes as an array of uint64", "images"
        ) from None


def _say_unreadable(unreadable: Sequence[Unreadable], n: int, *, strict: bool) -> None:
    if not unreadable:
        return
    named = first_few((f"{printable(e.key)}: {e.reason}" for e in unreadable), 3)
    if strict:
        raise InputError(
            f"expected images that can be read, {len(unreadable)} of {n} cannot ({named})"
        )
    if len(unreadable) == n and not any(entry.by_bytes for entry in unreadable):
        raise InputError(f"expected images that can be read, none of {n} can ({named})")
    warnings.warn(
        f"{_counted(len(unreadable), 'image')} of {n} cannot be read ({named}): they are compared "
        "byte for byte, where they can be",
        DataWarning,
        stacklevel=3,
    )


def _near_pairs_of_readable(
    hashes: NDArray[np.uint64],
    codes: NDArray[np.int32],
    n_parts: int,
    distance: int,
    problems: Sequence[str | None],
) -> NearPairs:
    """Return what is near what, where rows without a picture are near nothing."""
    rows = np.flatnonzero([problem is None for problem in problems]).astype(np.int32)
    found = near_pairs(hashes[rows], codes[rows], n_parts, distance)
    if len(rows) == len(codes):
        return found
    group = np.arange(len(codes), dtype=np.int32)
    nearest = np.full((len(codes), n_parts), -1, np.int32)
    bits = np.full((len(codes), n_parts), -1, np.int16)
    group[rows] = rows[found.group]
    # The row that −1 picks is put back to −1.
    nearest[rows] = np.where(found.nearest >= 0, rows[found.nearest], -1) if len(rows) else -1
    bits[rows] = found.distance
    return found._replace(group=group, nearest=nearest, distance=bits)


class _ExactPairs:
    """Rows whose files are equal."""

    def __init__(
        self, digests: Sequence[bytes | None], codes: NDArray[np.int32], n_parts: int
    ) -> None:
        rows_of: dict[bytes, list[int]] = {}
        for row, digest in enumerate(digests):
            if digest is not None:
                rows_of.setdefault(digest, []).append(row)
        self._groups = [rows for rows in rows_of.values() if len(rows) > 1]
        self.n_groups = len(self._groups)
        # The first equal file of each part, of each row; −1 where there is none.
        self.nearest = np.full((len(codes), n_parts), -1, np.int32)
        for rows in self._groups:
            of_part: dict[int, list[int]] = {}
            for row in rows:
                of_part.setdefault(int(codes[row]), []).append(row)
            for row in rows:
                for code, members in of_part.items():
                    others = members[:2]
                    if others[0] != row:
                        self.nearest[row, code] = others[0]
                    elif len(others) > 1:
                        self.nearest[row, code] = others[1]

    def put_into(self, found: NearPairs) -> None:
        """Let equal files come before those that only look alike, and be of one group."""
        equal = self.nearest >= 0
        found.nearest[equal] = self.nearest[equal]
        found.distance[equal] = 0
        for rows in self._groups:
            found.group[rows] = found.group[rows[0]]


def _pairs(
    found: NearPairs, codes: NDArray[np.int32]
) -> tuple[list[tuple[int, int, int]], list[tuple[int, int, int]]]:
    """Return (row, row, bits) of each row with its nearest ones: across parts, within them."""
    n = len(codes)
    row, code = np.nonzero(found.nearest >= 0)
    other = found.nearest[row, code]
    low = np.minimum(row, other).astype(np.int64)
    pair, first = np.unique(low * n + np.maximum(row, other), return_index=True)
    bits = found.distance[row, code][first]
    a, b = np.divmod(pair, max(n, 1))
    is_across = codes[a] != codes[b]
    rows = list(zip(a.tolist(), b.tolist(), bits.tolist(), strict=True))
    return (
        [rows[i] for i in np.flatnonzero(is_across).tolist()],
        [rows[i] for i in np.flatnonzero(~is_across).tolist()],
    )


def _overlaps(
    found: NearPairs,
    exact: _ExactPairs,
    codes: NDArray[np.int32],
    parts: Sequence[str],
    n_comparable: NDArray[np.intp],
) -> tuple[Overlap, ...]:
    overlaps = []
    for p, part in enumerate(parts):
        here = codes == p
        for q, other in enumerate(parts):
            if p == q:
                continue
            n_exact = int(np.count_nonzero(exact.nearest[here, q] >= 0))
            n = int(np.count_nonzero(found.nearest[here, q] >= 0))
            overlaps.append(Overlap(part, other, int(n_comparable[p]), n_exact, n - n_exact))
    # A part without images has no share, and comes last.
    overlaps.sort(key=lambda o: (-o.share if o.n_images else math.inf, o.part, o.other))
    return tuple(overlaps)


def _worst_first(pairs: Iterable[DuplicatePair]) -> tuple[DuplicatePair, ...]:
    return tuple(
        sorted(pairs, key=lambda pair: (not pair.exact, pair.distance, pair.key, pair.other))
    )


def _pair_lines(pairs: Sequence[DuplicatePair]) -> list[str]:
    shown = pairs[:_SHOWN_PAIRS]
    rows = [
        (
            "exact" if pair.exact else f"{pair.distance} bits",
            f"{printable(pair.part)}: {printable(pair.key)}",
            f"{printable(pair.other_part)}: {printable(pair.other)}",
        )
        for pair in shown
    ]
    head = f"{_counted(len(pairs), 'pair')} of nearest images, the most alike first"
    rest = len(pairs) - len(shown)
    more = [f"… and {number(rest)} more"] if rest else []
    return [head, *aligned_lines(rows, left=3), *more]


def _counted(n: int, what: str) -> str:
    return f"{number(n)} {what}" if n == 1 else f"{number(n)} {what}s"
