"""The curves of a training, from the table of its epochs."""

from __future__ import annotations

import csv
import math
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from snellen.displays import Line, LinesDisplay, Mark, Words
from snellen.errors import SchemaError

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

__all__ = ["training_curves"]

_WHEN: Final = ("epoch", "step", "seconds", "learning_rate")
_VALIDATION: Final = "val_"
_MOST: Final = 4  # numbers beside the loss that have a picture


def training_curves(folder: str | os.PathLike[str]) -> tuple[LinesDisplay, ...]:
    """Return loss, with the learning rate, and other numbers of a training over its epochs.

    Parameters
    ----------
    folder : path
        That of the training, with ``epochs.csv``; where there is none, nothing is drawn.

    Raises
    ------
    SchemaError
        Where the file is no table of epochs.
    """
    path = Path(folder) / "epochs.csv"
    if not path.is_file():
        return ()
    columns = _columns(path)
    epoch = columns.get("epoch")
    if epoch is None or not len(epoch):
        return ()
    names = [name for name in columns if name not in _WHEN]
    measured = list(dict.fromkeys(name.removeprefix(_VALIDATION) for name in names))
    first = [name for name in ("loss",) if name in measured]
    others = [name for name in measured if name not in first][:_MOST]
    return tuple(
        _display(name, columns, epoch, with_rate=name == "loss") for name in (*first, *others)
    )


def _columns(path: Path) -> dict[str, NDArray[np.float64]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        names = list(rows[0]) if rows else []
        return {
            name: np.array([float(row[name] or math.nan) for row in rows], np.float64)
            for name in names
        }
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise SchemaError(
            f"expected a table of epochs, all numbers, got: {error}", str(path)
        ) from None


def _display(
    name: str,
    columns: dict[str, NDArray[np.float64]],
    epoch: NDArray[np.float64],
    *,
    with_rate: bool,
) -> LinesDisplay:
    spoken = name.replace("_", " ")
    lines = []
    held_out = columns.get(f"{_VALIDATION}{name}")
    marks: tuple[Mark, ...] = ()
    if held_out is not None and np.isfinite(held_out).any():
        lines.append(Line(f"{spoken}, validation", epoch, held_out))
        falls = name == "loss" or name.endswith(("error", "mae", "mse", "ece"))
        best = int(np.nanargmin(held_out) if falls else np.nanargmax(held_out))
        at, value = float(epoch[best]), float(held_out[best])
        marks = (Mark(f"best: {value:.4g} after epoch {at:g}", at, value),)
        finding = f"On validation data {spoken} is best after epoch {at:g}: {value:.4g}."
        if best < len(epoch) - 1:
            finding += f" After the last, {epoch[-1]:g}, it is {_said(held_out[-1])}."
    else:
        finding = ""
    if name in columns:
        lines.append(Line(f"{spoken}, training", epoch, columns[name]))
        if not finding:
            last = _said(columns[name][-1])
            finding = f"After the last epoch, {epoch[-1]:g}, {spoken} is {last}."
    rate = columns.get("learning_rate")
    if with_rate and rate is not None and np.isfinite(rate).any():
        lines.append(Line("learning rate", epoch, rate, right=True))
    return LinesDisplay(
        words=Words(
            name=f"training_{name}",
            title=f"{spoken[:1].upper()}{spoken[1:]} over the training",
            about="Where validation gets worse while training gets better, the network learns its "
            "examples by heart.",
            finding=finding,
            protocol="numbers after each epoch; those of training are means over the epoch",
        ),
        lines=tuple(lines),
        x_label="epoch",
        y_label=spoken,
        right_label="learning rate" if lines and lines[-1].right else "",
        marks=marks,
    )


def _said(value: float) -> str:
    return "undefined" if math.isnan(value) else f"{value:.4g}"
