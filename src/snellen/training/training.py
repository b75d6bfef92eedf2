"""``train``: from a description to a trained, measured network and the folder of its run."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from snellen.errors import InputError
from snellen.training import engine as engines
from snellen.training.batch_size_errors import enough_memory, enough_samples
from snellen.training.callbacks.early_stopping import EarlyStopping
from snellen.training.callbacks.epoch_log import EpochLog
from snellen.training.callbacks.nan_guard import NanGuard, Replayed, TrainingDiverged
from snellen.training.callbacks.protocol import Callbacks
from snellen.training.callbacks.step_log import StepLog
from snellen.training.callbacks.stop_after import StopAfter
from snellen.training.callbacks.time_limit import TimeLimit
from snellen.training.clock import Clock
from snellen.training.data.source import open_data
from snellen.training.data.training_data import TrainingData
from snellen.training.description import Description, Every, read_description
from snellen.training.freed_memory import kept_memory
from snellen.training.interruption import Interruption
from snellen.training.keras.in_training import copied, refuse_processes
from snellen.training.loop import Loop, seed_network, train_epochs
from snellen.training.measuring import measured
from snellen.training.preparation import prepare
from snellen.training.randomness import unchanged_randomness
from snellen.training.result import TrainedRun, finish
from snellen.training.run_folder import RunFolder, plan_of, versions
from snellen.training.running_numbers import RunningNumbers
from snellen.training.saving import Saving
from snellen.training.state import AN_ERROR, TrainingState
from snellen.training.tasks import higher_is_better, running_evaluation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torch import nn

    from snellen.training.callbacks.protocol import Callback
    from snellen.training.engine import Engine
    from snellen.training.feed import Ready

__all__ = ["TrainedRun", "train"]

_MOST_ROLL_BACKS = 3
_MOST_REPLAYED = 2000  # updates that are done again to find where numbers stopped being finite
_STEP_ROWS = 1000  # of the log of steps, at most: the device is waited for at each


def train(
    description: Description | Mapping[str, Any] | str | os.PathLike[str],
    *,
    out: str | os.PathLike[str] | None = None,
    data: TrainingData | Mapping[str, Any] | None = None,
    network: nn.Module | None = None,
    callbacks: Sequence[Callback] = (),
    resume: bool = False,
    test: bool = True,
) -> TrainedRun:
    """Train a network, and measure it.

    Parameters
    ----------
    description : Description, mapping, or path
        What to train, on what, and how.
    out : path, optional
        The folder of the run; without, nothing is written.
    data : TrainingData or mapping, optional
        In place of the data that the description names: ``{"train": (inputs, targets), …}``,
        Datasets, DataLoaders, functions that give batches.
    network : nn.Module, optional
        In place of the network that the description names; also a `keras.Model` on torch.
    callbacks : sequence of Callback
        What is done at fixed moments, after the built-in ones.
    resume : bool
        Go on with the run in `out`. There must be one, and of the same plan.
    test : bool
        Whether the test part is measured at the end.

    Returns
    -------
    TrainedRun
        The trained network with its best weights, its history and its numbers.

    Raises
    ------
    InputError
        For what cannot be trained, or not be resumed.
    TrainingDiverged
        Where the loss is not a number, and the description does not say otherwise.
    KeyboardInterrupt
        On Ctrl-C, after the state was saved.

    Examples
    --------
    >>> from snellen.training import train
    >>> run = train({"data": "digits", "network": "fc", "epochs": 3, "normalise": "unit"})
    >>> run.metrics["accuracy"] > 0.8
    True
    """
    asked = description if isinstance(description, Description) else read_description(description)
    if asked.n_folds is not None:
        raise InputError(
            f"expected one training, got n_folds = {asked.n_folds}: call cross_validate",
            f"{asked.place} n_folds".strip(),
        )
    if resume and out is None:
        raise InputError("expected the folder of a run to resume, got none", "out")
    device = engines.device_of(asked)
    request = _Request(
        asked,
        None if out is None else os.fspath(out),
        data,
        network,
        tuple(callbacks),
        resume,
        test,
    )
    if asked.devices > 1:
        refuse_processes(asked, network)
        run: TrainedRun = engines.launched(asked, device, _train, request)
        return run
    return _train(engines.engine_for(asked, device), request)


@dataclasses.dataclass(frozen=True)
class _Request:
    """What `train` was called with."""

    description: Description
    out: str | None
    data: TrainingData | Mapping[str, Any] | None
    network: nn.Module | None
    callbacks: tuple[Callback, ...]
    resume: bool
    test: bool


def _train(engine: Engine, request: _Request) -> TrainedRun:
    """Train in one process of several, or of one."""
    with (
        unchanged_randomness(),
        unchanged_threads(),
        kept_memory(engine.device),
        enough_memory(request.description),
        enough_samples(request.description),
    ):
        return Training(
            engine,
            request.description,
            out=request.out,
            data=request.data,
            network=request.network,
            callbacks=request.callbacks,
            resume=request.resume,
        ).run(test=request.test)


class Training:
    """One training in one process; its parameters are those of `train`, and where it runs."""

    def __init__(
        self,
        engine: Engine,
        description: Description,
        *,
        out: str | os.PathLike[str] | None = None,
        data: TrainingData | Mapping[str, Any] | None = None,
        network: nn.Module | None = None,
        callbacks: Sequence[Callback] = (),
        resume: bool = False,
    ) -> None:
        self.clock = Clock(engine.device)
        self.folder = None if out is None else RunFolder(out)
        self.resumes = resume
        self._given_network = network
        self._callbacks = tuple(callbacks)
        if resume:
            assert self.folder is not None
            description = _settled_as_before(description, self.folder)
        elif self.folder is not None and engine.rank == 0:
            self.folder.begin()
        opened = (
            data
            if isinstance(data, TrainingData)
            else open_data(
                description.data if data is None else data,
                task=description.task,
                seed=description.seed,
            )
        )
        if opened is not data:
            self.clock.whole("opening data")
        if isinstance(description.threads, int):
            torch.set_num_threads(description.threads)
        self.prepared = prepare(description, opened, engine, network=network, settle=not resume)
        settled = self.prepared.description
        if isinstance(settled.threads, int):
            torch.set_num_threads(settled.threads)
        # What was made for "auto" computes as plain float32.
        measured = engine.precision != settled.precision
        self.engine = engines.engine_for(settled, engine.device) if measured else engine
        self.plan = plan_of(self.prepared.description, opened.fingerprint(), self.prepared.network)
        self.state = self._first_state()
        self.loop = self._loop()
        self.saving = Saving(self.state, self.loop, self.engine, self.plan, self.folder)
        self._seconds_before: Mapping[str, float] | None = None  # of a run that was finished
        self._name = Path(description.place).stem
        self._began = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())

    def run(self, *, test: bool = True) -> TrainedRun:
        """Train to the end; measure and write everything."""
        state, loop = self.state, self.loop
        if self.resumes:
            self._resume()
        elif self.folder is not None and self.engine.rank == 0:
            self.folder.write("description.json", state.description.plain())
            self.folder.write("run.json", self._facts())
        self.saving.keep()
        clean = False
        try:
            with loop.interruption:
                loop.callbacks.call("start", state)
                self.clock.whole("building")
                self._train_with_roll_backs()
            clean = True
        finally:
            if not clean:
                state.stop(state.stop_reason or AN_ERROR)
            loop.callbacks.call("end", state)
        self.clock.whole("callbacks")
        if state.stop_reason == "interrupted":
            raise KeyboardInterrupt
        return finish(
            self.prepared,
            state,
            self.engine,
            folder=self.folder,
            facts=self._facts(),
            clock=self.clock,
            seconds=self._seconds_before,
            test=test and not state.is_pause,
        )

    def _train_with_roll_backs(self) -> None:
        for rolled_back in range(_MOST_ROLL_BACKS + 1):
            may_go_back = (
                self.state.description.nan_guard == "roll_back" and rolled_back < _MOST_ROLL_BACKS
            )
            if self._trained(may_go_back=may_go_back):
                return

    def watch(self, n_steps: int) -> None:
        """Train for so many updates only: to see what happens, not to keep what comes of it."""
        stop = StopAfter(Every(n_steps, "ba"))
        self.loop.callbacks = Callbacks([*self._callbacks, stop])
        self.loop.callbacks.call("start", self.state)
        train_epochs(self.state, self.loop)
        self.loop.callbacks.call("end", self.state)

    def _as_it_began(self, step: int) -> Replayed | None:
        """Return network and batch as an update (from 1) began with them, for the NaN guard.

        None where that is not to be had soon: too far from the last state that was kept, or in
        several processes.
        """
        before = self.saving.last_kept()
        if self.engine.world > 1 or not 0 < step - before["step"] <= _MOST_REPLAYED:
            return None
        try:
            network = copied(self._given_network, self.prepared.data.task)
        except InputError:  # a Keras model of classes that cannot be made again
            return None
        again = Training(
            engines.Engine(self.engine.device, self.engine.precision),
            self.state.description,
            data=self.prepared.data,
            network=network,
        )
        again.saving.load(before)
        again.state.skipped = list(self.state.skipped)
        batch = again.brought_to(step)
        return Replayed(again.state.network, batch.inputs, batch.targets, batch.rows)

    def brought_to(self, step: int) -> Ready:
        """Train until an update (from 1) is the next, without callbacks; return its batch."""
        state, loop = self.state, self.loop
        if state.step < step - 1:
            self._callbacks = ()
            self.watch(step - 1 - state.step)
            state.stop_reason = ""
        state.network.train()
        epoch, within = divmod(step - 1, state.n_epoch)
        batch = next(iter(loop.feed.epoch(epoch, start=within)))
        seed_network(state, loop, n=batch.n, first=0, n_here=len(batch.rows))
        return batch

    def _trained(self, *, may_go_back: bool) -> bool:
        """Train to the end; or go back to where all numbers were finite, and return False."""
        try:
            train_epochs(self.state, self.loop)
        except TrainingDiverged as error:
            if not may_go_back:
                raise
            skipped = [*self.state.skipped, error.step - 1]
            self.saving.load(self.saving.last_kept())
            # The same batch would give the same: it is left out.
            self.state.skipped = skipped
            return False
        return True

    def _first_state(self) -> TrainingState:
        prepared = self.prepared
        network, optimizer = self.engine.set_up(prepared.network, prepared.optimizer)
        n_epoch = prepared.order.n_batches
        return TrainingState(
            description=prepared.description,
            network=network,
            optimizer=optimizer,
            schedule=prepared.schedule,
            loss_function=prepared.loss_function,
            device=self.engine.device,
            n_steps=n_epoch * prepared.description.epochs,
            n_epoch=n_epoch,
            notes=(*prepared.data.notes, *filter(None, [prepared.normalisation.note])),
        )

    def _loop(self) -> Loop:
        prepared, engine, state = self.prepared, self.engine, self.state
        description, task = prepared.description, prepared.data.task
        steps = {"n_steps": state.n_steps, "n_epoch": state.n_epoch}
        every = description.validate_every, description.checkpoint_every
        validate_every, save_every = (Every.parsed(text).steps(**steps) for text in every)
        evaluation = running_evaluation(task, prepared.data.classes, prepared.data.n_outputs)
        return Loop(
            feed=prepared.feed(engine),
            engine=engine,
            callbacks=Callbacks(
                [
                    each
                    for each in (*self._built_in(), *self._callbacks)
                    if engine.rank == 0 or not each.only_first_process
                ]
            ),
            numbers=RunningNumbers(evaluation, engine),
            clock=self.clock,
            validate=self._validate,
            save=lambda: self.saving.save(),
            average=prepared.average,
            validate_every=validate_every,
            save_every=save_every,
            monitor=f"val_{prepared.monitor}",
            higher_is_better=higher_is_better(task, prepared.monitor),
            interruption=Interruption(),
            draws=prepared.draws,
            random_layers=prepared.random_layers,
        )

    def _built_in(self) -> list[Callback]:
        description = self.state.description
        found: list[Callback] = []
        if self.folder is not None and self.engine.rank == 0:
            every = -(-self.state.n_steps // _STEP_ROWS)
            found += [EpochLog(self.folder.path), StepLog(self.folder.path, every=every)]
        if description.nan_guard != "off":
            found.append(NanGuard(replay=self._as_it_began))
        if description.early_stopping is not None:
            better = higher_is_better(self.prepared.data.task, self.prepared.monitor)
            found.append(
                EarlyStopping(
                    f"val_{self.prepared.monitor}",
                    patience=description.early_stopping,
                    mode="max" if better else "min",
                )
            )
        if description.time_limit is not None:
            found.append(TimeLimit(description.time_limit))
        return found

    def _validate(self) -> Mapping[str, float]:
        prepared, part = self.prepared, self.prepared.data.validation
        if part is None:
            return {}
        average = prepared.average
        with contextlib.nullcontext() if average is None else average.applied():
            found = measured(
                self.state.network,
                part,
                prepared.normalisation,
                prepared.loss_function,
                running_evaluation(
                    prepared.data.task, prepared.data.classes, prepared.data.n_outputs
                ),
                self.engine,
                2 * prepared.description.batch_size,
                prepared.by_pixel,
            )
        return {f"val_{name}": value for name, value in found.items()}

    def _resume(self) -> None:
        """Go on from the newest checkpoint, or refuse."""
        assert self.folder is not None
        description = self.state.description
        longer = self.saving.resume(validates=self.prepared.data.validation is not None)
        facts = self.folder.read("run.json")
        self._name = facts.get("name", "")
        self._began = facts.get("began", "")
        if self.state.is_over and facts.get("history"):
            # It is only measured again, which is no part of what it took.
            self._seconds_before = facts["seconds"]
        else:
            self.clock.load(self.saving.seconds_before)
        if longer and self.engine.rank == 0:
            self.folder.write("description.json", description.plain())

    def _facts(self) -> dict[str, Any]:
        """Return what the run folder says beside the description."""
        prepared = self.prepared
        data = prepared.data
        return {
            "schema": "snellen.training-run/1",
            "name": self._name,
            "began": self._began,
            "versions": versions(),
            "device": engines.device_name(self.engine.device),
            "threads": torch.get_num_threads(),
            "data": {**data.description, "fingerprint": self.plan["data content"]},
            "classes": None if data.classes is None else list(data.classes.names),
            "normalisation": prepared.normalisation.plain(),
            "network": prepared.table.to_dict(),
            "rewrites": [each._asdict() for each in prepared.rewrites],
            "choices": [each.to_dict() for each in prepared.chosen],
            "steps": {"whole": self.state.n_steps, "epoch": self.state.n_epoch},
            "notes": list(self.state.notes),
            "seconds": dict(self.clock.seconds),
            "stop_reason": self.state.stop_reason,
        }


def _settled_as_before(description: Description, folder: RunFolder) -> Description:
    """Return the description with what the run had measured for ``auto``."""
    before = folder.description()
    changes: dict[str, Any] = {
        name: getattr(before, name)
        for name in ("task", "monitor", "threads", "memory_format", "precision", "compile")
        if getattr(description, name) == "auto"
    }
    return dataclasses.replace(description, **changes)


@contextlib.contextmanager
def unchanged_threads() -> Iterator[None]:
    """Compute afterwards with as many threads as before."""
    before = torch.get_num_threads()
    try:
        yield
    finally:
        torch.set_num_threads(before)
