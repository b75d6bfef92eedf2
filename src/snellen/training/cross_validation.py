"""Cross-validation: the same description trained with each fold as its validation part."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snellen.errors import InputError
from snellen.training.data.source import open_data
from snellen.training.preparation import refuse_plateau
from snellen.training.run_folder import RunFolder
from snellen.training.training import train

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Mapping, Sequence

    from snellen.training.callbacks.protocol import Callback
    from snellen.training.data.training_data import TrainingData
    from snellen.training.description import Description
    from snellen.training.result import TrainedRun

__all__ = ["CrossValidated", "cross_validate"]

# Two-sided 97.5 % points of Student's t with 1 to 30 degrees of freedom; beyond, the normal's.
_T = (
    12.706204736, 4.302652730, 3.182446305, 2.776445105, 2.570581836, 2.446911851, 2.364624252,
    2.306004135, 2.262157163, 2.228138852, 2.200985160, 2.178812830, 2.160368656, 2.144786688,
    2.131449546, 2.119905299, 2.109815578, 2.100922040, 2.093024054, 2.085963447, 2.079613845,
    2.073873068, 2.068657610, 2.063898562, 2.059538553, 2.055529439, 2.051830516, 2.048407142,
    2.045229642, 2.042272456,
)  # fmt: skip
_NORMAL = 1.959963985


@dataclasses.dataclass(frozen=True)
class CrossValidated:
    """What the folds gave, and the network that was trained on all of them.

    Attributes
    ----------
    folds : list of mapping of str to float
        The numbers of the validation part of each fold.
    metrics : mapping of str to float
        Their means.
    intervals : mapping of str to (float, float)
        Where the means lie with a confidence of 95 %, by Student's t over the folds. Folds share
        training samples, so that this is somewhat too narrow (Bengio and Grandvalet, 2004).
    final : TrainedRun or None
        Trained on all folds, without a validation part, and measured on the test part, once; None
        where there is no test part.
    """

    folds: list[Mapping[str, float]]
    metrics: Mapping[str, float]
    intervals: Mapping[str, tuple[float, float]]
    final: TrainedRun | None

    def __str__(self) -> str:
        lines = [f"{len(self.folds)} folds, mean and 95 % interval:"]
        width = max(map(len, self.metrics))
        for name, mean in self.metrics.items():
            low, high = self.intervals[name]
            each = "  ".join(f"{fold[name]:.4f}" for fold in self.folds)
            lines.append(f"  {name:{width}}  {mean:.4f} [{low:.4f}, {high:.4f}]   {each}")
        if self.final is not None:
            lines += ["trained on all folds:", f"  {self.final}".replace("\n", "\n  ")]
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "schema": "snellen.cross-validation/1",
            "metrics": dict(self.metrics),
            "intervals": {name: list(bounds) for name, bounds in self.intervals.items()},
            "folds": [dict(fold) for fold in self.folds],
            "final": None if self.final is None else self.final.to_dict(),
        }


def cross_validate(
    description: Description,
    *,
    out: str | os.PathLike[str] | None = None,
    data: TrainingData | None = None,
    callbacks: Sequence[Callback] = (),
    resume: bool = False,
    before: Callable[[str], None] | None = None,
) -> CrossValidated:
    """Train once for each fold, then on all of them, and test that once.

    Parameters
    ----------
    description : Description
        Its `n_folds` says how many.
    out : path, optional
        A folder with a run for each fold, and ``final``.
    data : TrainingData, optional
        In place of the data that the description names.
    callbacks : sequence of Callback
        Of each training.
    resume : bool
        Go on where it stopped: folds that are finished are not trained again.
    before : callable, optional
        Is told before each training which one it is: ``"fold 1/5"``, at last ``"all folds"``.
    """
    n = description.n_folds
    if n is None:
        raise InputError("expected the number of folds", "n_folds")
    if resume and not (out is not None and RunFolder(Path(out, "fold-1")).is_run):
        raise InputError("expected a cross-validation to go on with, there is none", str(out or ""))
    whole = data or open_data(description.data, task=description.task, seed=description.seed)
    single = dataclasses.replace(description, n_folds=None)
    if whole.test is not None:
        refuse_plateau(single, None, "the network that is trained on all folds has none")
    found: list[Mapping[str, float]] = []
    tell = before or (lambda _which: None)
    for k in range(n):
        tell(f"fold {k + 1}/{n}")
        path = None if out is None else Path(out, f"fold-{k + 1}")
        run = _one(single, whole.fold(k, n, description.seed), path, callbacks, resume, test=False)
        found.append({name: run.metrics[name] for name in sorted(run.metrics)})
    final = None
    if whole.test is not None:
        tell("all folds")
        everything = dataclasses.replace(whole, train=whole.joined(), validation=None)
        path = None if out is None else Path(out, "final")
        # Nothing is left to stop early by, or to choose weights by.
        last = dataclasses.replace(single, monitor="auto", early_stopping=None)
        final = _one(last, everything, path, callbacks, resume, test=True)
    names = [name for name in found[0] if all(name in fold for fold in found)]
    means = {name: sum(fold[name] for fold in found) / n for name in names}
    made = CrossValidated(
        found,
        means,
        {name: _interval([fold[name] for fold in found]) for name in names},
        final,
    )
    if out is not None:
        RunFolder(out).write("folds.json", made.to_dict())
    return made


def _one(
    description: Description,
    data: TrainingData,
    path: Path | None,
    callbacks: Sequence[Callback],
    resume: bool,
    *,
    test: bool,
) -> TrainedRun:
    # One that ended before its first checkpoint has nothing to go on from: it begins again.
    begun = path is not None and bool(RunFolder(path).checkpoints.paths())
    return train(
        description, out=path, data=data, callbacks=callbacks, resume=resume and begun, test=test
    )


def _interval(values: Sequence[float]) -> tuple[float, float]:
    n = len(values)
    mean = sum(values) / n
    spread = math.sqrt(sum((value - mean) ** 2 for value in values) / (n - 1))
    point = _T[n - 2] if n - 2 < len(_T) else _NORMAL
    half = point * spread / math.sqrt(n)
    return mean - half, mean + half
