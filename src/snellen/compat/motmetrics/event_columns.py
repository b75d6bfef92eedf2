"""Events as columns: of an accumulator, or of a data frame that has them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from snellen.tracking.motmetrics_list import ASCEND, KINDS, MIGRATE, RAW, TRANSFER

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["EventColumns", "as_numbers"]


@dataclasses.dataclass(frozen=True, eq=False)
class EventColumns:
    """One row an event.

    Attributes
    ----------
    frame : ndarray, shape (n,), int
        Positions of distinct frames.
    kind : ndarray, shape (n,), uint8
        Positions in `snellen.tracking.motmetrics_list.KINDS`; a number more for any other kind.
    truth, pred : ndarray, shape (n,), int
        Positions in the ids; -1 where there is none.
    distance : ndarray, shape (n,), float64
    truth_ids, pred_ids : ndarray
        Distinct ids.
    """

    frame: NDArray[Any]
    kind: NDArray[np.uint8]
    truth: NDArray[Any]
    pred: NDArray[Any]
    distance: NDArray[np.float64]
    truth_ids: NDArray[Any]
    pred_ids: NDArray[Any]

    @classmethod
    def of_frame(cls, table: Any) -> EventColumns:
        """Return the columns of a data frame of events."""
        truth, truth_ids = pd.factorize(table["OId"])
        pred, pred_ids = pd.factorize(table["HId"])
        kind = pd.Index(KINDS).get_indexer(table["Type"].astype(object))
        kind[kind < 0] = len(KINDS)
        frame, _ = pd.factorize(table.index.get_level_values(0), use_na_sentinel=False)
        return cls(
            frame,
            kind.astype(np.uint8),
            truth,
            pred,
            table["D"].to_numpy(float),
            np.asarray(truth_ids),
            np.asarray(pred_ids),
        )

    @property
    def is_single(self) -> NDArray[np.bool_]:
        """Rows that are neither RAW nor said beside another: one for each object or hypothesis."""
        beside = (RAW, TRANSFER, ASCEND, MIGRATE)
        single: NDArray[np.bool_] = np.isin(self.kind, beside, invert=True)
        return single


def as_numbers(ids: list[Any]) -> NDArray[Any]:
    """Return ids as float64, or as they are where some are not numbers."""
    try:
        numbers: NDArray[Any] = pd.Series(ids, dtype=float).to_numpy()
    except (TypeError, ValueError):
        numbers = np.empty(len(ids), object)
        numbers[:] = ids
    return numbers
