"""``search``: the best values of a description's keys, by the validation part.

Trials are chosen by Optuna: the first ten at random, each later one where good trials were dense so
far (the tree-structured Parzen estimator of Bergstra et al. 2011). One that is worse after an epoch
than half of the finished ones were is stopped. What is chosen is a function of the seed, the number
of the trial, the key, and the trials before, so that a search that was interrupted goes on as if it
had not been.

The test part is taken away before anything is trained.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import math
import time
from typing import TYPE_CHECKING, Any

import msgspec
import torch

from snellen.errors import InputError, MissingExtraError
from snellen.training import engine as engines
from snellen.training.callbacks.nan_guard import TrainingDiverged
from snellen.training.callbacks.protocol import Callback
from snellen.training.choices import Choice
from snellen.training.data.source import open_data
from snellen.training.description import Description, read_description
from snellen.training.preparation import prepare
from snellen.training.randomness import derived_seed, unchanged_randomness
from snellen.training.run_folder import versions
from snellen.training.search_folder import SearchFolder
from snellen.training.search_result import SearchResult, SearchTrial
from snellen.training.search_space import LogRange, Range, Space
from snellen.training.tasks import higher_is_better
from snellen.training.training import train

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Mapping

    from snellen.training.data.training_data import TrainingData
    from snellen.training.state import TrainingState

__all__ = ["LogRange", "Range", "SearchResult", "SearchTrial", "search"]

# What may be another when a search goes on: it changes no trial.
_FREE = ("device", "threads", "checkpoint_every")
_MOST_SEED = 2**32  # of NumPy's generator, which Optuna draws from


def search(
    description: Description | Mapping[str, Any] | str | os.PathLike[str],
    over: Mapping[str, Any],
    *,
    n_trials: int = 20,
    out: str | os.PathLike[str] | None = None,
    data: TrainingData | Mapping[str, Any] | None = None,
    prune: bool = True,
    resume: bool = False,
    told: Callable[[SearchTrial], None] | None = None,
) -> SearchResult:
    """Train a description with other values of some keys, and find the best ones.

    Parameters
    ----------
    description : Description, mapping, or path
        What to train, on what, and how.
    over : mapping of str to Range, LogRange, sequence of values, or str
        The keys, or options (``"optimizer.momentum"``), and what they may be. A text is read as on
        the command line: ``"1e-4..1e-1:log"``.
    n_trials : int
        How many trainings there are in all, with those before a resumption.
    out : path, optional
        The folder of the search; without, nothing is written.
    data : TrainingData or mapping, optional
        In place of the data that the description names, as of `train`.
    prune : bool
        Whether trials that are worse than others were by then are stopped.
    resume : bool
        Go on with the search in `out`. There must be one, and of the same plan. A trial that was
        interrupted is done again with the same values.
    told : callable, optional
        Is called with each trial when it is over.

    Returns
    -------
    SearchResult
        All trials, and the best description.

    Raises
    ------
    InputError
        For what cannot be searched over, before anything is trained; for data without a
        validation part; where no trial could be finished.
    MissingExtraError
        Where Optuna is not installed.
    KeyboardInterrupt
        On Ctrl-C; all that was done is kept in `out`.

    Examples
    --------
    >>> from snellen.training.search import LogRange, search
    >>> base = {"data": "digits", "network": "fc", "epochs": 1}
    >>> found = search(base, {"learning_rate": LogRange(1e-4, 1e-1)}, n_trials=2)
    >>> len(found.trials), 1e-4 <= found.best.learning_rate <= 1e-1
    (2, True)
    """
    base = description if isinstance(description, Description) else read_description(description)
    if n_trials < 1:
        raise InputError(f"expected a number of trials from 1, got {n_trials}", "n_trials")
    if resume and out is None:
        raise InputError("expected the folder of a search to resume, got none", "out")
    folder = None if out is None else SearchFolder(out)
    if folder is not None:
        folder.refuse(resume=resume)
    space = Space(over)
    _optuna()
    trained = _Trained(base, space, data)
    content = _content(trained, n_trials, prune=prune)
    if folder is not None:
        if resume:
            folder.refuse_other_plan(content["plan"])
        folder.begin(content)
    with _quiet():
        found = _Study(trained, folder, prune=prune).run(n_trials, told)
    result = trained.result(found, folder)
    if folder is not None:
        folder.write_result(result)
    return result


def _content(trained: _Trained, n_trials: int, *, prune: bool) -> dict[str, Any]:
    """Return what the folder says of a search; in it the plan that is not to change."""
    description, over = trained.base.plain(), trained.space.plain()
    plan = {
        **{name: value for name, value in description.items() if name not in _FREE},
        "data content": trained.fingerprint,
        "prune": prune,
        **{f"over {name}": given for name, given in over.items()},
    }
    content = {
        "schema": "snellen.search-plan/1",
        "plan": plan,
        "description": description,
        "over": over,
        "n_trials": n_trials,
        "prune": prune,
        "versions": versions(),
    }
    # As it is read again, so that both can be compared.
    read: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(content))
    return read


class _Trained:
    """What is trained in a trial; all that could be refused is, before the first."""

    def __init__(self, base: Description, space: Space, data: Any) -> None:
        if base.n_folds is not None or base.devices > 1:
            name = "devices" if base.n_folds is None else "n_folds"
            raise InputError(
                f"expected a description without {name}: a trial is one training in one process, "
                "measured on the validation part",
                f"{base.place} {name}".strip(),
            )
        self.base = base
        self.space = space
        self._given = data
        self._kept: tuple[bytes, TrainingData] | None = None
        self._measured_on = ""
        if data is not None and space.holds("data"):
            raise InputError("expected data by name to search over its options, got objects")
        first = self.data(base)
        self.fingerprint = first.fingerprint()
        self._measured_on = _validated_on(first)
        prepared = self._prepared(base, normalise=True)
        self.task, self.monitor = first.task, prepared.monitor
        if self.monitor == "loss" and space.holds("loss", "class_weights"):
            raise InputError(
                "expected a monitor that is not the loss: losses of several kinds cannot be "
                "compared with each other",
                f"{base.place} monitor".strip(),
            )
        for corner in space.corners():
            self._check(corner)

    def _check(self, values: Mapping[str, Any]) -> None:
        try:
            described = self.description(values)
            self._prepared(described, normalise=self.space.holds("normalise", "data"))
        except InputError as error:
            raise (error if error.place.startswith("over ") else error.within("over")) from None

    def description(self, values: Mapping[str, Any]) -> Description:
        """Return the description of a trial."""
        content = {name: value for name, value in self.base.plain().items() if value is not None}
        return Description.of(self.space.placed(content, values))

    def data(self, description: Description) -> TrainingData:
        """Return the data of a trial, without their test part.

        Raises
        ------
        InputError
            Where there is no validation part, or it is not that of the other trials.
        """
        by = (description.data.plain(), description.task, description.seed)
        key = b"" if self._given is not None else msgspec.json.encode(by)
        if self._kept is not None and self._kept[0] == key:
            return self._kept[1]
        choice = description.data if self._given is None else self._given
        opened = open_data(choice, task=description.task, seed=description.seed)
        opened = dataclasses.replace(opened, test=None)
        if opened.validation is None:
            raise InputError(
                "expected a validation part to compare trials by, the data have none: give them "
                "one, or take a share of the training part (validation = 0.1)",
                f"{description.place} data".strip(),
            )
        if self._measured_on and _validated_on(opened) != self._measured_on:
            raise InputError(
                "expected the same validation part in every trial, got another one: numbers of "
                "different samples cannot be compared"
            )
        self._kept = key, opened
        return opened

    def _prepared(self, description: Description, *, normalise: bool) -> Any:
        """Build all that a description names, as cheaply as it can be refused."""
        engines.device_of(description)
        cheap = dataclasses.replace(
            description,
            device="cpu",
            precision="float32",
            compile=False,
            memory_format="contiguous",
            rewrites=False,
            normalise=description.normalise if normalise else Choice("none"),
        )
        with unchanged_randomness():
            engine = engines.Engine(torch.device("cpu"))
            return prepare(cheap, self.data(description), engine, settle=False)

    def result(self, trials: list[SearchTrial], folder: SearchFolder | None) -> SearchResult:
        """Return what comes of the trials.

        Raises
        ------
        InputError
            Where none is done.
        """
        done = [trial for trial in trials if trial.outcome == "done"]
        if not done:
            last = trials[-1]
            raise InputError(
                f"expected a trial that can be finished, got none of {len(trials)}; the last one: "
                f"{last.reason}"
            )
        sign = 1 if higher_is_better(self.task, self.monitor) else -1
        best = max(done, key=lambda trial: sign * (trial.value or 0.0))
        return SearchResult(
            tuple(trials),
            best,
            self.description(best.parameters),
            self.monitor,
            None if folder is None else str(folder),
        )


class _Study:
    """The trials of a search, in Optuna's storage."""

    def __init__(self, trained: _Trained, folder: SearchFolder | None, *, prune: bool) -> None:
        optuna = _optuna()
        self.optuna = optuna
        self.trained = trained
        up = higher_is_better(trained.task, trained.monitor)
        self.study = optuna.create_study(
            storage=None if folder is None else folder.storage(),
            study_name="search",
            direction="maximize" if up else "minimize",
            load_if_exists=True,
            pruner=optuna.pruners.MedianPruner() if prune else optuna.pruners.NopPruner(),
        )

    def run(self, n_trials: int, told: Callable[[SearchTrial], None] | None) -> list[SearchTrial]:
        """Do what is left of so many trials; return all."""
        while True:
            frozen = self.study.get_trials(deepcopy=False)
            finished = [each for each in frozen if each.state.is_finished()]
            if len(finished) >= n_trials:
                return [self._read(each) for each in finished]
            self._one(frozen, finished)
            if told is not None:
                told(self._read(self.study.get_trials(deepcopy=False)[len(finished)]))

    def _one(self, frozen: list[Any], finished: list[Any]) -> None:
        """Do the next trial, or again the one that was interrupted."""
        begun = frozen[len(finished) :]
        trial = (
            self.optuna.trial.Trial(self.study, begun[0]._trial_id) if begun else self.study.ask()
        )
        values = {}
        for parameter in self.trained.space.parameters:
            seed = derived_seed(self.trained.base.seed, "search", trial.number, parameter.name)
            self.study.sampler = self.optuna.samplers.TPESampler(seed=seed % _MOST_SEED)
            values[parameter.name] = parameter.suggested(trial)
        for earlier in finished:
            if earlier.params == trial.params:
                self._copy(trial, earlier)
                return
        self._train(trial, values)

    def _train(self, trial: Any, values: Mapping[str, Any]) -> None:
        reports = _Reports(trial, self.trained.monitor)
        began = time.perf_counter()
        outcome, reason = "done", ""
        try:
            description = self.trained.description(values)
            data = self.trained.data(description)
            train(description, data=data, callbacks=[reports], test=False)
            if reports.pruned:
                outcome, reason = "pruned", reports.pruned
            elif reports.best is None:
                outcome, reason = "unmeasured", "it ended before its first validation"
            elif not math.isfinite(reports.best):
                outcome, reason = "diverged", f"{reports.monitor} was {reports.best}"
        except TrainingDiverged as error:
            outcome, reason = "diverged", str(error)
        except InputError as error:
            outcome, reason = "refused", str(error)
        facts = {
            "outcome": outcome,
            "reason": reason,
            "value": reports.best if math.isfinite(reports.best or 0.0) else None,
            "epochs": reports.epochs,
            "seconds": time.perf_counter() - began,
        }
        self._tell(trial, facts)

    def _copy(self, trial: Any, earlier: Any) -> None:
        """Take over what a trial of the same values gave: it would give it again."""
        for step, value in earlier.intermediate_values.items():
            if step not in self._reported(trial):
                trial.report(value, step)
        same = f"as trial {earlier.number + 1}"
        reason = earlier.user_attrs["reason"] or same
        self._tell(trial, {**earlier.user_attrs, "reason": reason, "seconds": 0.0})

    def _tell(self, trial: Any, facts: Mapping[str, Any]) -> None:
        for name, value in facts.items():
            trial.set_user_attr(name, value)
        if facts["outcome"] == "done":
            self.study.tell(trial, facts["value"])
        else:
            # Also what diverged: of what is pruned later trials keep away, not of what failed.
            self.study.tell(trial, state=self.optuna.trial.TrialState.PRUNED)

    def _reported(self, trial: Any) -> Mapping[int, float]:
        found: Mapping[int, float] = self.study.get_trials(deepcopy=False)[
            trial.number
        ].intermediate_values
        return found

    def _read(self, frozen: Any) -> SearchTrial:
        """Return a trial as Snellen says it."""
        facts = frozen.user_attrs
        parameters = self.trained.space.parameters
        return SearchTrial(
            number=frozen.number + 1,
            parameters={each.name: each.read(frozen.params[each.name]) for each in parameters},
            outcome=facts["outcome"],
            value=facts["value"],
            epochs=facts["epochs"],
            seconds=facts["seconds"],
            reason=facts["reason"],
        )


class _Reports(Callback):
    """Tells Optuna the monitored number of each epoch, and ends a training that is to be pruned.

    Parameters
    ----------
    trial : optuna.trial.Trial
        Of the training.
    monitor : str
        The number, without ``val_``.
    """

    def __init__(self, trial: Any, monitor: str) -> None:
        self.trial = trial
        self.monitor = f"val_{monitor}"
        self.pruned = ""
        self.best: float | None = None
        self.epochs = 0
        # Of a trial that was interrupted: the same numbers come again.
        known = trial.study.get_trials(deepcopy=False)[trial.number].intermediate_values
        self._last = max(known, default=0)

    def epoch_end(self, run: TrainingState, metrics: Mapping[str, float]) -> None:
        """Report, and ask whether to go on; after the last epoch there is nothing to save."""
        if self.monitor not in metrics or run.epoch < self._last:
            return
        if run.epoch > self._last:
            self.trial.report(metrics[self.monitor], run.epoch)
        if run.epoch < run.description.epochs and self.trial.should_prune():
            self.pruned = f"after epoch {run.epoch} it was worse than half of the trials were"
            run.stop(self.pruned, final=True)

    def end(self, run: TrainingState) -> None:
        """Note the best number."""
        self.best = None if run.best is None else float(run.best.value)
        self.epochs = len(run.history)


def _validated_on(data: TrainingData) -> str:
    """Return a hash of what is measured on: the samples of the validation part."""
    part = data.validation
    assert part is not None
    digest = hashlib.blake2b(f"{part.n}\n".encode(), digest_size=16, person=b"snellen search")
    if part.ids is not None:
        digest.update("\n".join(part.ids).encode())
    if part.targets is not None:
        digest.update(part.targets.cpu().contiguous().view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _optuna() -> Any:
    try:
        import optuna
    except ImportError:
        raise MissingExtraError("optuna", "search") from None
    return optuna


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Leave out what Optuna logs: a line of its own for each trial."""
    logging = _optuna().logging
    before = logging.get_verbosity()
    logging.set_verbosity(logging.ERROR)
    try:
        yield
    finally:
        logging.set_verbosity(before)
