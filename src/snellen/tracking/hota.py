"""HOTA: how well objects are found and how well they are kept apart, in one number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.tracking.family import ALPHAS, Family, Gap

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.tracking.family import Columns, Settings
    from snellen.tracking.frames import CodedFrames

__all__ = ["HOTA"]

_SHARES: Final = {"ass_a": "AssA", "ass_re": "AssRe", "ass_pr": "AssPr"}
_N: Final = len(ALPHAS)


def _measure(coded: CodedFrames, settings: Settings) -> dict[str, Any]:
    sums: dict[str, Any] = coded.kernel.hota(ALPHAS, blocked=settings.blocked_sums)
    return {
        **sums,
        "n_truth": len(coded.frames.truth),
        "n_pred": len(coded.frames.pred),
    }


def _shares(columns: Columns) -> dict[str, NDArray[np.float64]]:
    """Return association numbers and localisation accuracy."""
    tp = columns["tp"]
    found = {name: columns[column] / np.maximum(1, tp) for column, name in _SHARES.items()}
    # Where nothing matches, the reference calls localisation perfect.
    found["LocA"] = np.maximum(1e-10, columns["loc"]) / np.maximum(1e-10, tp)
    return found


def _summands(columns: Columns) -> Columns:
    tp, shares = columns["tp"], _shares(columns)
    # Not the sums themselves: the reference multiplies its quotients, which rounds once more.
    weighted = {column: shares[name] * tp for column, name in _SHARES.items()}
    return {**columns, **weighted, "loc": shares["LocA"] * tp}


def _numbers(sums: Columns) -> dict[str, NDArray[Any]]:
    tp = sums["tp"]
    n_truth, n_pred = (np.asarray(sums[side])[..., None] for side in ("n_truth", "n_pred"))
    fn, fp = n_truth - tp, n_pred - tp
    shares = _shares(sums)
    numbers: dict[str, NDArray[Any]] = {
        "DetRe": tp / np.maximum(1, tp + fn),
        "DetPr": tp / np.maximum(1, tp + fp),
        "DetA": tp / np.maximum(1, tp + fn + fp),
        **shares,
    }
    numbers["HOTA"] = np.sqrt(numbers["DetA"] * shares["AssA"])
    numbers["OWTA"] = np.sqrt(numbers["DetRe"] * shares["AssA"])
    numbers["HOTA(0)"] = numbers["HOTA"][..., 0]
    numbers["LocA(0)"] = shares["LocA"][..., 0]
    numbers["HOTALocA(0)"] = numbers["HOTA(0)"] * numbers["LocA(0)"]
    return {**numbers, "HOTA_TP": tp, "HOTA_FN": fn, "HOTA_FP": fp}


def _gaps(sums: Columns) -> list[Gap]:
    no_truth, no_pred = (np.equal(sums[side], 0) for side in ("n_truth", "n_pred"))
    associated = ("AssA", "AssRe", "AssPr", "LocA", "LocA(0)", "HOTALocA(0)")
    return [
        Gap(HOTA.fields, no_truth & no_pred, "there are no objects"),
        Gap(associated, sums["tp"][..., 0] == 0, "no prediction matches a truth object"),
        Gap(("DetRe", "OWTA"), no_truth, "there is no truth object"),
        Gap(("DetPr",), no_pred, "there is no prediction"),
    ]


HOTA: Final = Family(
    name="hota",
    title="HOTA",
    columns={
        "tp": (np.int64, (_N,)),
        "loc": (np.float64, (_N,)),
        "ass_a": (np.float64, (_N,)),
        "ass_re": (np.float64, (_N,)),
        "ass_pr": (np.float64, (_N,)),
        "n_truth": np.int64,
        "n_pred": np.int64,
    },
    measure=_measure,
    summands=_summands,
    numbers=_numbers,
    gaps=_gaps,
    settings=frozenset(("blocked_sums",)),
    fields=(
        "HOTA",
        "DetA",
        "AssA",
        "DetRe",
        "DetPr",
        "AssRe",
        "AssPr",
        "LocA",
        "OWTA",
        "HOTA(0)",
        "LocA(0)",
        "HOTALocA(0)",
    ),
    per_alpha=frozenset(
        (
            *("HOTA", "DetA", "AssA", "DetRe", "DetPr", "AssRe", "AssPr", "LocA", "OWTA"),
            *("HOTA_TP", "HOTA_FN", "HOTA_FP"),
        )
    ),
    counts=frozenset(("HOTA_TP", "HOTA_FN", "HOTA_FP")),
    summary=(
        "HOTA",
        "DetA",
        "AssA",
        "DetRe",
        "DetPr",
        "AssRe",
        "AssPr",
        "LocA",
        "OWTA",
        "HOTA(0)",
        "LocA(0)",
        "HOTALocA(0)",
    ),
    detailed=(
        *("HOTA(0)", "LocA(0)", "HOTALocA(0)"),
        *("HOTA", "DetA", "AssA", "DetRe", "DetPr", "AssRe", "AssPr", "LocA", "OWTA"),
        *("HOTA_TP", "HOTA_FN", "HOTA_FP"),
    ),
)
"""Luiten et al., "HOTA: A Higher Order Metric for Evaluating Multi-Object Tracking", IJCV 2021."""
