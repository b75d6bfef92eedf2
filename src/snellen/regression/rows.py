"""Samples of regression one by one: what quantiles, rank correlations and resampling need."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.errors import IdError, first_few
from snellen.state import Keys, Ledger, id_array

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike, NDArray

    Real = NDArray[np.float64]

__all__ = ["KeptSamples", "Rows"]

_KINDS = {"sample": "sample id", "group": "group"}


class Rows(NamedTuple):
    """Samples in a canonical order.

    Attributes
    ----------
    truth, pred : ndarray, shape (n, m)
        Values.
    weight : ndarray, shape (n,)
        Weights, above 0.
    sample, group : ndarray, shape (n,), int32, or None
        Positions in the tables; None where there are none.
    sample_ids, groups : Keys
        The tables, ascending.
    """

    truth: Real
    pred: Real
    weight: Real
    sample: NDArray[np.int32] | None
    group: NDArray[np.int32] | None
    sample_ids: Keys
    groups: Keys

    @property
    def is_weighted(self) -> bool:
        """Whether some samples count more than others."""
        return bool(len(self.weight)) and bool((self.weight != self.weight[0]).any())


class KeptSamples:
    """A ledger of samples with m outputs, each with its id and group where they have some.

    Parameters
    ----------
    n_outputs : int
        The number of outputs.
    has : mapping of str to bool
        Whether samples have a ``"sample"`` id, a ``"group"``.
    """

    __slots__ = ("_ids", "_ledger", "_tables", "has")

    def __init__(self, n_outputs: int, has: Mapping[str, bool]) -> None:
        self.has = dict(has)
        self._ledger = Ledger(
            _KINDS,
            truth=(np.float64, (n_outputs,)),
            pred=(np.float64, (n_outputs,)),
            weight=np.float64,
            sample=np.int32,
            group=np.int32,
        )
        self._tables: dict[str, list[Keys]] = {name: [] for name in _KINDS}
        self._ids: set[int | str] = set()

    def __len__(self) -> int:
        return len(self._ledger)

    def check(self, has: Mapping[str, bool], ids: Mapping[str, Keys]) -> None:
        """Refuse samples that don't go with these.

        Raises
        ------
        IdError
            Where only some have ids or groups, ids are of two kinds, or an id comes again.
        """
        for name, what in _KINDS.items():
            if has[name] != self.has[name]:
                raise IdError(
                    f"expected {what}s with all batches or with none, got some with and some "
                    "without",
                    "sample_id" if name == "sample" else name,
                )
            Keys.union([*self._tables[name][:1], ids[name]], what)
        self._refuse_again(ids["sample"].ids.tolist())

    def _refuse_again(self, ids: Any) -> None:
        if self._ids.isdisjoint(ids):
            return
        again = sorted(self._ids.intersection(ids), key=str)
        raise IdError(
            f"expected each sample once, got {len(again):,} that were absorbed before: "
            f"{first_few(again)}"
        )

    def append(
        self,
        truth: Real,
        pred: Real,
        weight: Real | None,
        tables: Mapping[str, Keys],
        codes: Mapping[str, NDArray[np.int32]],
    ) -> None:
        """Add samples that were checked; those of weight 0 are left out, their ids are known."""
        times = np.ones(len(truth)) if weight is None else weight
        kept = np.flatnonzero(times > 0)
        self._ledger.append(
            tables,
            truth=truth[kept],
            pred=pred[kept],
            weight=times[kept],
            **{name: code[kept] for name, code in codes.items()},
        )
        for name, keys in tables.items():
            self._tables[name].append(keys)
        self._ids.update(tables["sample"].ids.tolist())

    def check_other(self, other: KeptSamples) -> None:
        """Refuse another's samples that don't go with these; see `check`."""
        tables = {name: Keys.union(parts, _KINDS[name]) for name, parts in other._tables.items()}
        self.check(other.has, tables)

    def merge(self, other: KeptSamples) -> None:
        """Add all of another's, which were checked."""
        self._ledger.merge(other._ledger)
        for name, parts in other._tables.items():
            self._tables[name].extend(parts)
        self._ids |= other._ids

    @property
    def n_groups(self) -> int:
        """The number of groups."""
        return len(self._joined_tables()["group"])

    def rows(self, *, ordered: bool = True) -> Rows:
        """Return the samples by id, without ids by their values; or as they came."""
        tables = self._joined_tables()
        columns = self._ledger.columns(tables)
        if ordered:
            columns = self._in_order(columns)
        return Rows(
            truth=columns["truth"],
            pred=columns["pred"],
            weight=columns["weight"],
            sample=columns["sample"] if self.has["sample"] else None,
            group=columns["group"] if self.has["group"] else None,
            sample_ids=tables["sample"],
            groups=tables["group"],
        )

    def _in_order(self, columns: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        if self.has["sample"]:
            order = np.argsort(columns["sample"], kind="stable")
        else:
            keys = [columns["group"], columns["weight"], *columns["pred"].T, *columns["truth"].T]
            order = np.lexsort(keys)
        return {name: column[order] for name, column in columns.items()}

    def _joined_tables(self) -> dict[str, Keys]:
        return {name: Keys.union(parts, _KINDS[name]) for name, parts in self._tables.items()}

    def state(self) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
        """Return plain values and arrays: equal samples, equal bytes."""
        rows = self.rows()
        content: dict[str, Any] = {"has": self.has, "ids": {}}
        arrays: dict[str, NDArray[Any]] = {
            "rows.truth": rows.truth,
            "rows.pred": rows.pred,
            "rows.weight": rows.weight,
        }
        for name, codes, keys in (
            ("sample", rows.sample, rows.sample_ids),
            ("group", rows.group, rows.groups),
        ):
            if codes is not None:
                arrays[f"rows.{name}"] = codes
            if keys.is_text:
                content["ids"][name] = keys.ids.tolist()
            else:
                arrays[f"ids.{name}"] = keys.ids
        return content, arrays

    @classmethod
    def of_state(
        cls, content: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]
    ) -> KeptSamples:
        """Return what `state` described.

        Raises
        ------
        ValueError, KeyError, TypeError
            Where it is not whole.
        """
        truth = arrays["rows.truth"]
        kept = cls(truth.shape[1], content["has"])
        tables, codes = {}, {}
        for name, what in _KINDS.items():
            ids = content["ids"].get(name, arrays.get(f"ids.{name}"))
            tables[name] = Keys(ids, what)
            codes[name] = arrays.get(f"rows.{name}", np.zeros(len(truth), np.int32))
            if len(tables[name]) != len(ids) or (
                kept.has[name]
                and len(truth)
                and not 0 <= codes[name].min() <= codes[name].max() < len(ids)
            ):
                raise ValueError(f"{what}s")
        kept.append(truth, arrays["rows.pred"], arrays["rows.weight"], tables, codes)
        return kept


def coded(values: ArrayLike | None, n: int, name: str) -> tuple[Keys, NDArray[np.int32]]:
    """Return the table of a batch's ids or groups and the positions of n samples in it.

    Raises
    ------
    IdError
        For ids of another kind, of another number, or that come twice.
    """
    what = _KINDS[name]
    place = "sample_id" if name == "sample" else name
    if values is None:
        return Keys([], what), np.zeros(n, np.int32)
    ids = id_array(values, what)
    if len(ids) != n:
        raise IdError(f"expected {n} {what}s, one for each sample, got {len(ids)}", place)
    keys = Keys.once_each(ids, what, place) if name == "sample" else Keys(ids, what)
    return keys, keys.codes(ids)
