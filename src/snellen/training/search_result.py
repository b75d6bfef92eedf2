"""What a search gives: its trials, and the best description."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import msgspec

from snellen.table_text import aligned_lines, number, printable
from snellen.training.description_toml import toml_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snellen.training.description import Description

__all__ = ["SearchResult", "SearchTrial"]

_WIDE = 40  # characters of a value


@dataclasses.dataclass(frozen=True)
class SearchTrial:
    """One training of a search.

    Attributes
    ----------
    number : int
        From 1, in the order in which they were begun.
    parameters : mapping of str to object
        What was searched over, and its values.
    outcome : str
        ``"done"``; ``"pruned"``: stopped, being worse than others were by then; ``"diverged"``;
        ``"refused"``: nothing that can be trained; ``"unmeasured"``: stopped before its first
        validation.
    value : float or None
        The best value of the monitored number; None where it was never measured.
    epochs : int
        How many were finished.
    seconds : float
        What it took.
    reason : str
        Why it is not done.
    """

    number: int
    parameters: Mapping[str, Any]
    outcome: str
    value: float | None
    epochs: int
    seconds: float
    reason: str = ""

    def __str__(self) -> str:
        shown = "  ".join(f"{name} {_shown(each)}" for name, each in self.parameters.items())
        value = "-" if self.value is None else number(self.value)
        line = f"{shown}  {value}  {self.outcome}"
        return f"{line}: {printable(self.reason)}" if self.reason else line


@dataclasses.dataclass(frozen=True, repr=False)
class SearchResult:
    """A search that is over.

    Attributes
    ----------
    trials : tuple of SearchTrial
        All of them, in their order.
    best_trial : SearchTrial
        The best of those that are done; of several as good ones the first.
    best : Description
        What it trained.
    monitor : str
        The number of the validation part by which they are compared.
    folder : str or None
        Where all of it lies.
    """

    trials: tuple[SearchTrial, ...]
    best_trial: SearchTrial
    best: Description
    monitor: str
    folder: str | None = None

    def __str__(self) -> str:
        names = list(self.best_trial.parameters)
        rows = [["trial", *names, f"val_{self.monitor}", "epochs", "seconds", "outcome"]]
        rows += [
            [
                str(trial.number),
                *(_shown(trial.parameters[name]) for name in names),
                "-" if trial.value is None else number(trial.value),
                str(trial.epochs),
                f"{trial.seconds:.1f}",
                "best" if trial is self.best_trial else trial.outcome,
            ]
            for trial in self.trials
        ]
        return "\n".join(aligned_lines(rows, left=0))

    def __repr__(self) -> str:
        return (
            f"SearchResult(trials={len(self.trials)}, val_{self.monitor}={self.best_trial.value})"
        )

    def toml(self) -> str:
        """Return the best description as TOML, all that was searched over with it."""
        keys = {name.partition(".")[0] for name in self.best_trial.parameters}
        trial = self.best_trial
        said = f"# trial {trial.number}: val_{self.monitor} {trial.value:.6g}"
        return f"{said}\n{toml_of(self.best, keys)}\n"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "schema": "snellen.search/1",
            "monitor": f"val_{self.monitor}",
            "best_trial": self.best_trial.number,
            "best": self.best.plain(),
            "trials": [dataclasses.asdict(trial) for trial in self.trials],
            "folder": self.folder,
        }


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.4g}"
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return printable(text, _WIDE)
