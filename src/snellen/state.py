"""The kinds of mergeable state, and how a state goes to bytes and back.

* `Counts`: named integers; merging adds; exact.
* `Moments`: named sums of floats and of their products; merging adds; exact.
* `Ledger`: rows keyed by ids; merging joins; exact in any order, because what reads a ledger sorts
  it by its keys first.

State is sums and rows; results are derived from it. A metric owns its states and merges them.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import numpy as np

from snellen import _core
from snellen.errors import (
    IdError,
    InputError,
    SchemaError,
    ShapeError,
    StateVersionError,
    first_few,
)
from snellen.mapped_file import let_go

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[Any]

__all__ = [
    "Counts",
    "Keys",
    "Ledger",
    "Moments",
    "PackedState",
    "id_array",
    "pack",
    "prefixed",
    "restored",
    "state_name",
    "unpack",
    "unprefixed",
]

T = TypeVar("T")


class Keys:
    """Distinct ids in ascending order: whole numbers, or texts, never both.

    Rows refer to ids by position (a *code*), which is what kernels count with.

    Parameters
    ----------
    values : array-like
        Ids in any order, repeated or not: integers that fit 64 bits, or strings.
    what : str
        What they identify, for messages: ``"image id"``.

    Attributes
    ----------
    ids : ndarray, shape (n,), int64 or str
        The distinct ids, ascending (texts by code point).

    Raises
    ------
    IdError
        For ids of another kind, or of both kinds.
    """

    __slots__ = ("ids", "what")

    def __init__(self, values: ArrayLike, what: str) -> None:
        # Not np.unique, whose first call imports numpy.ma: a tenth of a small evaluation.
        ids = np.sort(id_array(values, what))
        self.ids: Array = ids[np.append(True, ids[1:] != ids[:-1])] if len(ids) else ids
        self.what = what

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"Keys({len(self)} {self.what}s: {first_few(self.ids.tolist())})"

    @property
    def is_text(self) -> bool:
        """Whether the ids are texts. No ids are of no kind and go with both."""
        return self.ids.dtype.kind == "U"

    def codes(self, values: ArrayLike) -> NDArray[np.int32]:
        """Return the position of each value, -1 where it is unknown."""
        wanted = id_array(values, self.what)
        if not len(self) or not len(wanted):
            return np.full(len(wanted), -1, np.int32)
        if self.is_text != (wanted.dtype.kind == "U"):
            return np.full(len(wanted), -1, np.int32)
        if not self.is_text:
            return _core.lookup(wanted, self.ids)[0]
        at = np.searchsorted(self.ids, wanted)
        at[at == len(self)] = 0
        return np.where(self.ids[at] == wanted, at, -1).astype(np.int32)

    def same_as(self, other: Keys) -> bool:
        """Return whether both hold the same ids."""
        return self is other or (
            len(self) == len(other)
            and self.is_text == other.is_text
            and bool(np.array_equal(self.ids, other.ids))
        )

    @classmethod
    def union(cls, parts: Sequence[Keys], what: str) -> Keys:
        """Return all ids of all parts.

        Raises
        ------
        IdError
            Where some parts have numbers and some have texts.
        """
        filled = [part for part in parts if len(part)]
        if not filled:
            return parts[0] if parts else cls([], what)
        first = filled[0]
        if all(part is first for part in filled):
            return first
        for part in filled:
            if part.is_text != first.is_text:
                raise IdError(
                    f"expected {what}s of one kind, "
                    f"got {_kind(first)} and {_kind(part)}: convert one side"
                )
        return cls(np.concatenate([part.ids for part in filled]), what)

    @classmethod
    def once_each(cls, values: ArrayLike, what: str, place: str = "") -> Keys:
        """Return ids of which none may repeat; `place` says where they stood.

        Raises
        ------
        IdError
            Naming those that do.
        """
        ids = id_array(values, what)
        keys = cls(ids, what)
        if len(keys) != len(ids):
            distinct, times = np.unique(ids, return_counts=True)
            again = distinct[times > 1].tolist()
            raise IdError(
                f"expected each {what.removesuffix(' id')} once, got {len(again):,} more than "
                f"once: {first_few(again)}",
                place,
            )
        return keys

    def store(self, name: str, content: dict[str, Any], arrays: dict[str, Array]) -> None:
        """Put the ids into a state: whole numbers among its arrays, texts in its content."""
        if self.is_text:
            content[name] = self.ids.tolist()
        else:
            arrays[name] = self.ids

    @classmethod
    def stored(
        cls, name: str, what: str, content: Mapping[str, Any], arrays: Mapping[str, Array]
    ) -> Keys:
        """Return the ids that `store` put into a state.

        Raises
        ------
        KeyError
            Where there are none.
        IdError
            Where they repeat.
        """
        return cls.once_each(arrays[name] if name in arrays else content[name], what)


def _kind(keys: Keys) -> str:
    example = keys.ids[0].item()
    return f'texts (such as "{example}")' if keys.is_text else f"numbers (such as {example})"


def id_array(values: ArrayLike, what: str) -> Array:
    """Return ids as an int64 or str array of one axis.

    Raises
    ------
    IdError
        For ids of another kind, or of both kinds; `what` says what they are.
    """
    array = np.asarray(values)
    if array.ndim != 1:
        raise IdError(f"expected {what}s in one axis, got an array of {array.ndim} axes")
    if not len(array):
        return np.zeros(0, np.int64)
    if array.dtype.kind in "UO" and not isinstance(values, np.ndarray):
        # NumPy drops NULs at the end of a text: two ids would become one.
        for value in values:  # type: ignore[union-attr]  # a list: it has elements
            if isinstance(value, str) and value.endswith("\0"):
                raise IdError(f"expected {what}s that do not end in a NUL, got {value!r}")
    if array.dtype.kind == "i":
        return np.ascontiguousarray(array, np.int64)
    if array.dtype.kind == "u" and array.max() <= np.iinfo(np.int64).max:
        return array.astype(np.int64)
    if array.dtype.kind == "U":
        # NumPy turns [1, "a"] into ["1", "a"] without a word.
        if isinstance(values, np.ndarray) or all(isinstance(v, str) for v in values):  # type: ignore[union-attr]  # a list: it has elements
            return array
        raise IdError(f"expected {what}s that are all numbers or all texts, got both")
    if array.dtype.kind == "O" and all(isinstance(v, str) for v in array.tolist()):
        return array.astype(np.str_)
    raise IdError(f"expected {what}s that are whole numbers of 64 bits or texts, got {array.dtype}")


class Counts:
    """Named integer arrays that only ever grow by addition.

    Parameters
    ----------
    **shapes : tuple of int
        The shape of each array; ``()`` for a single number.

    Examples
    --------
    >>> counts = Counts(n_images=())
    >>> counts.add(n_images=3)
    >>> int(counts["n_images"])
    3
    """

    __slots__ = ("_arrays",)

    def __init__(self, **shapes: tuple[int, ...]) -> None:
        self._arrays = {name: np.zeros(shape, np.int64) for name, shape in shapes.items()}

    def __getitem__(self, name: str) -> NDArray[np.int64]:
        return self._arrays[name]

    def add(self, **increments: ArrayLike) -> None:
        """Add to the named arrays; floats are refused, they would be cut."""
        for name, increment in increments.items():
            np.add(self._arrays[name], increment, out=self._arrays[name], casting="same_kind")

    def merge(self, other: Counts) -> None:
        """Add all of another's."""
        self.add(**other.arrays())

    def arrays(self) -> dict[str, NDArray[np.int64]]:
        """Return the arrays by name."""
        return dict(self._arrays)


class Moments:
    """Named sums of floats and of products of floats, exact.

    A sum is a whole number times a power of two (`core/include/snellen/exact_sum.hpp`): nothing
    is rounded before it is read, so batches, their order and merges don't show in a single bit.
    Variances and the like come from `exact` without cancellation. Memory depends on the range of
    magnitudes (4 bytes for each 32 binary places), not on how much was added.

    Parameters
    ----------
    **shapes : tuple of int
        The shape of each sum; ``()`` for a single number.

    Examples
    --------
    >>> moments = Moments(error=())
    >>> moments.add(error=[1e16, 1.0, -1e16])
    >>> float(moments.total("error"))
    1.0
    """

    __slots__ = ("_sums",)

    def __init__(self, **shapes: tuple[int, ...]) -> None:
        self._sums = {name: _ExactSums(shape) for name, shape in shapes.items()}

    def add(self, **batches: ArrayLike) -> None:
        """Add batches: arrays of the sum's shape behind one leading axis, the rows.

        Raises
        ------
        ShapeError, InputError
            For other shapes, and for what is not finite; then nothing was added.
        """
        rows = {name: self._rows(name, batch) for name, batch in batches.items()}
        for name, batch in rows.items():
            self._sums[name].add(batch)

    def add_products(self, **batches: tuple[ArrayLike, ArrayLike]) -> None:
        """Add the products of two batches, row by row, without rounding them.

        Raises
        ------
        ShapeError, InputError
            As `add`.
        """
        pairs = {
            name: (self._rows(name, left), self._rows(name, right))
            for name, (left, right) in batches.items()
        }
        for name, (left, right) in pairs.items():
            if len(left) != len(right):
                raise ShapeError(
                    f"expected as many rows on both sides, got {len(left)} and {len(right)}", name
                )
        for name, (left, right) in pairs.items():
            self._sums[name].add_products(left, right)

    def add_at(self, name: str, cell: ArrayLike, values: ArrayLike) -> None:
        """Add each value to one cell of a sum, given by its position in C order.

        Raises
        ------
        ShapeError, InputError
            As `add`; IndexError for a position outside the sum.
        """
        cells = np.ascontiguousarray(cell, np.int64)
        numbers = np.ascontiguousarray(values, np.float64)
        if cells.ndim != 1 or cells.shape != numbers.shape:
            raise ShapeError(
                f"expected one cell for each value, got {cells.shape} and {numbers.shape}", name
            )
        _check_finite(numbers, name)
        self._sums[name].add(numbers, cells)

    def merge(self, other: Moments) -> None:
        """Add all of another's."""
        for name, sums in self._sums.items():
            sums.merge(other._sums[name])

    def placed(self, name: str, place: NDArray[Any], shape: tuple[int, ...]) -> Moments:
        """Return sums of another shape: cell i of this one at place[i], each place once, else 0."""
        moved = Moments(**{name: shape})
        moved._sums[name].take_placed(self._sums[name], place)
        return moved

    def total(self, name: str) -> NDArray[np.float64]:
        """Return a sum, rounded once; infinite where float64 ends."""
        return self._sums[name].rounded()

    def exact(self, name: str) -> NDArray[np.object_]:
        """Return a sum as `fractions.Fraction`, not rounded."""
        return self._sums[name].fractions()

    def arrays(self) -> dict[str, Array]:
        """Return limbs (uint32) and their places (int32) by name: equal sums, equal bytes."""
        found: dict[str, Array] = {}
        for name, sums in self._sums.items():
            limbs, low = sums.canonical()
            shaped = limbs.astype(np.uint32).reshape(*sums.shape, limbs.shape[1])
            found |= {f"{name}.limbs": shaped, f"{name}.low": np.array(low, np.int32)}
        return found

    def restore(self, arrays: Mapping[str, Array]) -> None:
        """Put what `arrays` returned in the place of all sums.

        Raises
        ------
        ValueError, KeyError
            Where it is not of this shape.
        """
        for name, sums in self._sums.items():
            limbs, low = arrays[f"{name}.limbs"], arrays[f"{name}.low"]
            if limbs.shape[:-1] != sums.shape or limbs.dtype != np.uint32 or not limbs.shape[-1]:
                raise ValueError(f"{name}: limbs of shape {limbs.shape}")
            sums.take(limbs.reshape(-1, limbs.shape[-1]), int(low))

    def _rows(self, name: str, batch: ArrayLike) -> NDArray[np.float64]:
        rows = np.ascontiguousarray(batch, np.float64)
        if not rows.ndim or rows.shape[1:] != self._sums[name].shape:
            raise ShapeError(
                f"expected rows of shape {self._sums[name].shape}, got an array of shape "
                f"{np.shape(batch)}",
                name,
            )
        _check_finite(rows, name)
        return rows


def _check_finite(values: NDArray[np.float64], name: str) -> None:
    finite = np.isfinite(values)
    if not finite.all():
        raise InputError(f"expected finite numbers, got {values[~finite][0]}", name)


class _ExactSums:
    """The sums of one shape, in limbs (n_cells, n_limbs); the last limb is room for the sign."""

    __slots__ = ("_limbs", "_low", "_pending", "shape")

    _MOST_PENDING = 2**30  # additions before limbs must pass on their carries

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self._limbs = np.zeros((int(np.prod(shape, dtype=np.int64)), 1), np.int64)
        self._low = 0
        self._pending = 0

    def add(self, values: NDArray[np.float64], cells: NDArray[np.int64] | None = None) -> None:
        values = values.reshape(-1)
        self._make_room(*_core.limb_span(values), len(values))
        _core.add_exactly(values, self._limbs, self._low, cells)

    def add_products(self, left: NDArray[np.float64], right: NDArray[np.float64]) -> None:
        left, right = left.reshape(-1), right.reshape(-1)
        self._make_room(*_core.limb_span_of_products(left, right), 3 * len(left))
        _core.add_products_exactly(left, right, self._limbs, self._low)

    def merge(self, other: _ExactSums) -> None:
        limbs, low = other.canonical()
        if not limbs.any():
            return
        # The other's last limb, 0 or -1, counts at its own place.
        self._make_room(low, low + limbs.shape[1], 1)
        at = low - self._low
        self._limbs[:, at : at + limbs.shape[1]] += limbs

    def _make_room(self, begin: int, end: int, n: int) -> None:
        """Let limbs reach from `begin` to one above `end`, and take n more additions."""
        if self._pending + n > self._MOST_PENDING:
            _core.pass_carries(self._limbs)
            self._pending = 0
        self._pending += n
        if begin >= end:
            return
        n_cells, n_limbs = self._limbs.shape
        if self._low <= begin and end < self._low + n_limbs:
            return
        if not self._limbs.any():  # nothing yet: begin where the data do
            self._low, self._limbs = begin, np.zeros((n_cells, end + 1 - begin), np.int64)
            return
        below = max(0, self._low - begin)
        above = max(0, end + 1 - (self._low + n_limbs))
        wider = np.zeros((n_cells, below + n_limbs + above), np.int64)
        wider[:, below : below + n_limbs] = self._limbs
        self._limbs, self._low = wider, self._low - below

    def canonical(self) -> tuple[NDArray[np.int64], int]:
        """Return the one shortest form: limbs in [0, 2^32), the last one 0 or -1; and its place."""
        limbs = self._limbs.copy()
        _core.pass_carries(limbs)
        while not np.isin(limbs[:, -1], (0, -1)).all():
            limbs = np.concatenate([limbs, np.zeros_like(limbs[:, :1])], axis=1)
            _core.pass_carries(limbs)
        sign = limbs[:, -1:]
        needed = np.flatnonzero((limbs[:, :-1] != (sign & 0xFFFFFFFF)).any(axis=0))
        top = int(needed[-1]) + 1 if len(needed) else 0
        used = np.flatnonzero(limbs[:, :top].any(axis=0)) if top else needed
        low = int(used[0]) if len(used) else top
        limbs = np.concatenate([limbs[:, low:top], sign], axis=1)
        return limbs, self._low + low if limbs.any() else 0

    def take_placed(self, other: _ExactSums, place: NDArray[Any]) -> None:
        """Take over another's sums, cell i at place[i]."""
        limbs, self._low = other.canonical()
        self._limbs = np.zeros((len(self._limbs), limbs.shape[1]), np.int64)
        self._limbs[place] = limbs
        self._pending = 1

    def take(self, limbs: Array, low: int) -> None:
        """Take over what `canonical` returned, its limbs as uint32."""
        whole = limbs.astype(np.int64)
        whole[:, -1] = -(whole[:, -1] & 1)
        self._limbs, self._low, self._pending = whole, low, 1

    def rounded(self) -> NDArray[np.float64]:
        limbs, low = self.canonical()
        rounded: NDArray[np.float64] = _core.round_sums(limbs, low).reshape(self.shape)
        return rounded

    def fractions(self) -> NDArray[np.object_]:
        from fractions import Fraction

        limbs, low = self.canonical()
        unit = Fraction(2) ** (32 * low)
        sums = np.empty(len(limbs), np.object_)
        for cell, parts in enumerate(limbs.tolist()):
            sums[cell] = unit * sum(part << (32 * i) for i, part in enumerate(parts))
        return sums.reshape(self.shape)


class _Piece(NamedTuple):
    keys: dict[str, Keys]
    columns: dict[str, Array]

    def shifted(self, shift: Mapping[str, int]) -> _Piece:
        """Return the piece with ids of key columns that are greater by so much."""
        moved = {n: Keys(self.keys[n].ids + by, self.keys[n].what) for n, by in shift.items() if by}
        return self._replace(keys=self.keys | moved) if moved else self


class Ledger:
    """Rows that come in pieces; some columns are positions in `Keys`.

    Every piece has key tables of its own, so that shards need not agree on them beforehand;
    `columns` translates all pieces to one table.

    Parameters
    ----------
    keys : iterable of str
        The columns that hold positions (int32) in key tables.
    **columns : numpy dtype
        All columns and their types; (type, shape) for several values a row.
    """

    __slots__ = ("_dtypes", "_keys", "_pieces")

    def __init__(self, keys: Iterable[str], **columns: Any) -> None:
        self._keys = tuple(keys)
        self._dtypes = {name: np.dtype(dtype) for name, dtype in columns.items()}
        self._pieces: list[_Piece] = []

    def __len__(self) -> int:
        return sum(len(next(iter(piece.columns.values()))) for piece in self._pieces)

    @property
    def n_pieces(self) -> int:
        """In how many pieces the rows lie."""
        return len(self._pieces)

    def append(self, keys: Mapping[str, Keys], **columns: Array) -> None:
        """Add rows: one array for each column, of one length, and a table for each key column."""
        lengths = {name: len(column) for name, column in columns.items()}
        if columns.keys() != self._dtypes.keys() or len(set(lengths.values())) != 1:
            raise InputError(
                f"expected columns {', '.join(self._dtypes)} of one length, got {lengths}"
            )
        for name, column in columns.items():
            wanted = self._dtypes[name]
            if column.dtype != wanted.base or column.shape[1:] != wanted.shape:
                raise InputError(
                    f"expected rows of {wanted}, got {column.dtype} of shape {column.shape}", name
                )
        self._pieces.append(_Piece({name: keys[name] for name in self._keys}, columns))

    def merge(self, other: Ledger, **shift: int) -> None:
        """Add the pieces of another; rows are never changed, so both may hold the same ones.

        Parameters
        ----------
        other : Ledger
        **shift : int
            By how much the ids of a key column, whole numbers, are to be greater than they are.
        """
        self._pieces.extend(piece.shifted(shift) for piece in tuple(other._pieces))

    def replace(self, keys: Mapping[str, Keys], **columns: Array) -> None:
        """Put one piece in the place of all."""
        self._pieces = []
        self.append(keys, **columns)

    def tables(self) -> dict[str, list[Keys]]:
        """Return the key tables of all pieces, by key column."""
        return {name: [piece.keys[name] for piece in self._pieces] for name in self._keys}

    def columns(self, keys: Mapping[str, Keys]) -> dict[str, Array]:
        """Return all rows, key columns as positions in the given tables, pieces as they came."""
        joined: dict[str, Array] = {}
        for name, dtype in self._dtypes.items():
            parts = [self._column(piece, name, keys) for piece in self._pieces]
            if len(parts) == 1:
                joined[name] = parts[0]
            else:
                joined[name] = np.concatenate(parts) if parts else np.zeros(0, dtype)
        return joined

    def _column(self, piece: _Piece, name: str, keys: Mapping[str, Keys]) -> Array:
        column = piece.columns[name]
        if name not in self._keys or piece.keys[name].same_as(keys[name]):
            return column
        if not len(piece.keys[name]):  # no ids: every position is -1
            return column
        return keys[name].codes(piece.keys[name].ids)[column]


# ---------------------------------------------------------------------------------------------
# Bytes. Layout, all little-endian:
#   8 bytes  "SNELLEN\n"
#   u32      version of this layout
#   u32      length of the header
#   header   JSON: {"name", "library", "content", "arrays": [{"name", "dtype", "shape"}, …]}
#   arrays   each begins at a multiple of 64 bytes, C order
#   u32      CRC-32 of all bytes before it

_MAGIC: Final = b"SNELLEN\n"
_VERSION: Final = 1
_ALIGNMENT: Final = 64
_DTYPES: Final = frozenset({"|u1", "<u4", "<i4", "<i8", "<f4", "<f8"})
_CHECKED_AT_ONCE: Final = 16 << 20  # bytes, so that a large state is never in memory as a whole


class PackedState(NamedTuple):
    """What `unpack` found.

    Attributes
    ----------
    name : str
        The class that wrote it.
    library : str
        The version of Snellen that wrote it.
    content : dict
        Plain values: parameters, texts.
    arrays : dict of str to ndarray
        The arrays, not writeable.
    """

    name: str
    library: str
    content: dict[str, Any]
    arrays: dict[str, Array]


def pack(name: str, content: Mapping[str, Any], arrays: Mapping[str, Array]) -> bytes:
    """Return plain values and arrays as self-describing bytes.

    The same values give the same bytes on every machine.

    Parameters
    ----------
    name : str
        The class that the bytes are for.
    content : mapping
        Values that JSON can hold.
    arrays : mapping of str to ndarray
        Arrays of uint8, uint32, int32, int64, float32 or float64.
    """
    import msgspec

    from snellen import __version__

    described = []
    blocks = []
    for key, array in arrays.items():
        block = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
        if block.dtype.str not in _DTYPES:
            raise TypeError(f"expected a dtype of {sorted(_DTYPES)}, got {block.dtype.str}")
        described.append({"name": key, "dtype": block.dtype.str, "shape": list(array.shape)})
        blocks.append(block.reshape(-1).view(np.uint8))
    header = msgspec.json.encode(
        {"name": name, "library": __version__, "content": dict(content), "arrays": described}
    )
    parts: list[bytes | memoryview] = [_MAGIC, struct.pack("<II", _VERSION, len(header)), header]
    size = sum(len(part) for part in parts)
    for block in blocks:
        padding = -size % _ALIGNMENT
        parts += [b"\0" * padding, block.data]
        size += padding + block.nbytes
    checksum = 0
    for part in parts:
        checksum = zlib.crc32(part, checksum)
    return b"".join([*parts, struct.pack("<I", checksum)])


def prefixed(prefix: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Return arrays with a prefix before their names: those of a part of a state."""
    return {f"{prefix}{name}": array for name, array in arrays.items()}


def unprefixed(prefix: str, arrays: Mapping[str, Array]) -> dict[str, Array]:
    """Return the arrays whose names have a prefix, without it."""
    return {
        name.removeprefix(prefix): array
        for name, array in arrays.items()
        if name.startswith(prefix)
    }


def state_name(data: bytes | memoryview) -> str | None:
    """Return the class that wrote a state, by its header alone; None where that cannot be read."""
    import msgspec

    prefix = len(_MAGIC) + 8
    if bytes(data[: len(_MAGIC)]) != _MAGIC or len(data) < prefix:
        return None
    _, size = struct.unpack_from("<II", data, len(_MAGIC))
    try:
        name = msgspec.json.decode(data[prefix : prefix + size])["name"]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError, TypeError):
        return None
    return name if isinstance(name, str) else None


def unpack(data: bytes | memoryview, place: str = "") -> PackedState:
    """Read what `pack` wrote; arrays lie in `data`, nothing is copied.

    Raises
    ------
    SchemaError
        Where the bytes are not a state, are cut off or were changed.
    StateVersionError
        Where a newer release wrote them.
    """
    import msgspec

    prefix = len(_MAGIC) + 8
    if bytes(data[: len(_MAGIC)]) != _MAGIC or len(data) < prefix + 4:
        raise SchemaError("expected a state written by Snellen, got other data", place)
    version, header_size = struct.unpack_from("<II", data, len(_MAGIC))
    if version > _VERSION:
        raise StateVersionError(
            f"expected a state of layout {_VERSION} or older, got layout {version}: "
            "upgrade Snellen",
            place,
        )
    if _checksum(memoryview(data)[:-4]) != struct.unpack("<I", data[-4:])[0]:
        raise SchemaError(
            "expected a whole state, its checksum does not fit: it was cut off or changed", place
        )
    try:
        header = msgspec.json.decode(data[prefix : prefix + header_size])
        arrays = {}
        offset = prefix + header_size
        for entry in header["arrays"]:
            offset += -offset % _ALIGNMENT
            if entry["dtype"] not in _DTYPES:
                raise ValueError(entry["dtype"])
            count = int(np.prod(entry["shape"], dtype=np.int64))
            array: Array = np.frombuffer(data, entry["dtype"], count, offset)
            arrays[entry["name"]] = array.reshape(entry["shape"])
            offset += array.nbytes
        return PackedState(header["name"], header["library"], header["content"], arrays)
    except (msgspec.DecodeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise SchemaError(
            f"expected a state written by Snellen, its header is not one: {error}", place
        ) from error


def _checksum(data: memoryview) -> int:
    checksum = 0
    for first in range(0, len(data), _CHECKED_AT_ONCE):
        checksum = zlib.crc32(data[first : first + _CHECKED_AT_ONCE], checksum)
        let_go(data)
    return checksum


def restored(data: bytes | memoryview, name: str, make: Callable[[PackedState], T]) -> T:
    """Return what `make` makes of the state of a metric.

    Parameters
    ----------
    data : bytes
        What the metric's ``to_bytes`` returned.
    name : str
        Its class.
    make : callable
        From what was unpacked to the metric; what it raises of a state that is not whole becomes
        a `SchemaError`.

    Raises
    ------
    SchemaError
        Where the bytes are not such a state.
    StateVersionError
        Where a newer release wrote them.
    """
    packed = unpack(data)
    if packed.name != name:
        raise SchemaError(f"expected the state of {name}, got one of {packed.name}")
    try:
        return make(packed)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise SchemaError(f"expected a whole state of {name}: {error}") from error
