"""Quality against speed of the models of a benchmark, from its result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.displays import Points, PointsDisplay, Words
from snellen.errors import SchemaError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["accuracy_over_speed"]

_SPEEDS: Final = ("end_to_end_fps", "best_fps")


def accuracy_over_speed(stored: Mapping[str, Any], place: str = "") -> PointsDisplay | None:
    """Return top-1 accuracy over frames per second, with the front that no model beats in both.

    Parameters
    ----------
    stored : mapping
        The benchmark's ``result.json``.
    place : str, optional
        Where it is, for messages.

    Returns
    -------
    PointsDisplay or None
        None where speed was not measured.

    Raises
    ------
    SchemaError
        For something else.
    """
    try:
        rows = list(stored["table"])
        front = set(stored["front"]["models"])
        spoken = str(stored["front"]["fps"] or "")
        # As the benchmark itself: from files to scores, where most models have that.
        n_timed = {key: sum(row.get(key) is not None for row in rows) for key in _SPEEDS}
        key = max(_SPEEDS, key=lambda name: n_timed[name])
        known = [row for row in rows if row.get(key) is not None and row.get("top1") is not None]
        if not known:
            return None
        points = {
            is_front: [row for row in known if (row["name"] in front) == is_front]
            for is_front in (True, False)
        }
        best = max(known, key=lambda row: float(row["top1"]))
        quick = max(known, key=lambda row: float(row[key]))
        finding = (
            f"Most accurate is {best['name']} ({best['top1']:.1%} at {best[key]:,.4g} images a "
            f"second), fastest {quick['name']} ({quick['top1']:.1%} at {quick[key]:,.4g})."
        )
        drawn = tuple(
            _points(name, rows_of, key, joined=joined)
            for name, rows_of, joined in (
                ("no model is better in both", points[True], True),
                ("another is better in both", points[False], False),
            )
            if rows_of
        )
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        raise SchemaError(
            f"expected the result of a benchmark, got another: {error!r}", place
        ) from None
    return PointsDisplay(
        words=Words(
            name="accuracy_over_speed",
            title="Accuracy against speed",
            about="A model is worth its time if none that is at least as fast is more accurate: "
            "those on the line.",
            finding=finding,
            protocol=spoken,
        ),
        points=drawn,
        x_label="images a second",
        y_label="top-1 accuracy",
        log_x=True,
        named=True,
    )


def _points(name: str, rows: list[dict[str, Any]], key: str, *, joined: bool) -> Points:
    rows = sorted(rows, key=lambda row: float(row[key]))
    return Points(
        name,
        np.array([row[key] for row in rows], np.float64),
        np.array([row["top1"] for row in rows], np.float64),
        tuple(str(row["name"]) for row in rows),
        joined=joined,
    )
