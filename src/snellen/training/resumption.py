"""Resumption shown to be exact, and single steps done again."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from snellen.errors import InputError, SnellenError, first_few
from snellen.training import engine as engines
from snellen.training.callbacks.protocol import Callback
from snellen.training.callbacks.stop_after import StopAfter
from snellen.training.description import Description, Every
from snellen.training.randomness import derived_seed, unchanged_randomness
from snellen.training.run_folder import RunFolder
from snellen.training.training import Training, train, unchanged_threads

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snellen.training.inspection.follow import FollowedBatch
    from snellen.training.state import TrainingState

__all__ = ["Replayed", "ResumeProof", "Trial", "prove_resume", "replay"]

_STEPS, _EVERY, _KILLS = 60, 10, 3
_COMPARED = (
    "step", "epoch", "samples", "network", "optimizer", "average", "schedule", "running", "best",
    "skipped",
)  # fmt: skip


class Trial(NamedTuple):
    """A training that was killed, resumed, and compared.

    Attributes
    ----------
    killed_at : int
        After which update.
    different : list of str
        What differs from the training that was never interrupted; empty if nothing.
    """

    killed_at: int
    different: list[str]


class ResumeProof(NamedTuple):
    """Whether killed trainings end with the very weights of one that was not.

    Attributes
    ----------
    n_steps : int
        The updates of each training.
    trials : list of Trial
        One for each kill.
    """

    n_steps: int
    trials: list[Trial]

    @property
    def holds(self) -> bool:
        """Whether nothing differs anywhere."""
        return not any(trial.different for trial in self.trials)

    def __str__(self) -> str:
        lines = []
        for trial in self.trials:
            found = (
                ", ".join(trial.different) or "every weight and optimizer state equal, bit for bit"
            )
            lines.append(
                f"killed after update {trial.killed_at}, resumed to {self.n_steps}: {found}"
            )
        return "\n".join(lines)


class Replayed(NamedTuple):
    """A single step of a run, done again.

    Attributes
    ----------
    step : int
        Which update, from 1.
    began_from : int
        From the state after which update the run went on to it.
    rows : list of int
        The samples of its batch.
    loss : float
        Its loss.
    followed : FollowedBatch
        The batch on its way through the network and back.
    """

    step: int
    began_from: int
    rows: list[int]
    loss: float
    followed: FollowedBatch

    def __str__(self) -> str:
        head = f"step {self.step}, from the state after step {self.began_from}"
        samples = f"{len(self.rows):,} samples ({first_few(self.rows)})"
        return f"{head}: loss {self.loss:.6g}, {samples}\n{self.followed}"


class _KillAt(Callback):
    """Ends the process as if the power were cut."""

    def __init__(self, step: int) -> None:
        self.step = step

    def step_end(self, run: TrainingState) -> None:
        """Kill, without a chance to save anything."""
        if run.step == self.step:
            os.kill(os.getpid(), signal.SIGKILL)


def prove_resume(
    description: Description, *, n_kills: int = _KILLS, n_steps: int = _STEPS
) -> ResumeProof:
    """Train, kill with SIGKILL, resume, and compare with a training that is left alone.

    Each training is a process of its own; all of them write to a temporary folder.

    Parameters
    ----------
    description : Description
        Which names its data and network.
    n_kills : int
        After how many different updates.
    n_steps : int
        The updates of each training, or all there are.

    Raises
    ------
    InputError
        Where a resumed training does not end.
    SnellenError
        Where something differs; the message says what.
    """
    short = dataclasses.replace(description, time_limit=None, early_stopping=None)
    with tempfile.TemporaryDirectory(prefix="snellen-resume-") as name:
        root = Path(name)
        _in_process(short, root / "whole", None, n_steps, resume=False)
        whole, _path, _passed = RunFolder(root / "whole").checkpoints.latest()
        last = whole["step"]
        if last < 3:
            raise InputError(f"expected a training of 3 updates or more to resume, got {last}")
        every = max(1, min(_EVERY, last // 3))
        short = dataclasses.replace(short, checkpoint_every=f"{every}ba")
        trials = []
        for k in range(n_kills):
            # After the first checkpoint, so that there is something to resume.
            at = every + 1 + derived_seed(description.seed, "kill", k) % max(1, last - every - 1)
            folder = root / f"killed-{k}"
            _in_process(short, folder, at, n_steps, resume=False)
            _in_process(short, folder, None, last - _resumed_from(folder), resume=True)
            again, _path, _passed = RunFolder(folder).checkpoints.latest()
            trials.append(Trial(at, differences(whole, again)))
    proof = ResumeProof(last, trials)
    if not proof.holds:
        raise SnellenError(f"expected resumed trainings to end the same, they do not: {proof}")
    return proof


def _resumed_from(folder: Path) -> int:
    content, _path, _passed = RunFolder(folder).checkpoints.latest()
    return int(content["step"])


def _in_process(
    description: Description, folder: Path, kill_at: int | None, n_steps: int, *, resume: bool
) -> None:
    """Train in a process of its own."""
    process = multiprocessing.get_context("spawn").Process(
        target=_train, args=(description, str(folder), kill_at, n_steps, resume)
    )
    process.start()
    process.join()
    expected = 0 if kill_at is None else -signal.SIGKILL
    if process.exitcode != expected:
        raise InputError(
            f"expected a training that ends with {expected}, it ended with {process.exitcode}: "
            "train the description alone to see why"
        )


def _train(
    description: Description, folder: str, kill_at: int | None, n_steps: int, resume: bool
) -> None:
    callbacks: list[Callback] = [StopAfter(Every(n_steps, "ba"))]
    if kill_at is not None:
        callbacks.append(_KillAt(kill_at))
    train(description, out=folder, callbacks=callbacks, resume=resume, test=False)


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Return which weights, states, numbers and counters of two checkpoints differ in any bit."""
    found: list[str] = []
    for name in _COMPARED:
        _compare(name, one[name], other[name], found)
    # Of an epoch all but how long it took.
    before, after = ([{**row, "seconds": None} for row in each["history"]] for each in (one, other))
    _compare("history", before, after, found)
    return found


def _compare(name: str, one: Any, other: Any, found: list[str]) -> None:
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        for key in one:
            _compare(f"{name}.{key}", one[key], other[key], found)
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for k, (first, second) in enumerate(zip(one, other, strict=True)):
            _compare(f"{name}[{k}]", first, second, found)
    elif isinstance(one, torch.Tensor) and isinstance(other, torch.Tensor):
        # As bytes, so that NaN equals NaN and -0 does not equal 0.
        same = one.shape == other.shape and one.dtype == other.dtype
        if not same or _bytes(one) != _bytes(other):
            found.append(name)
    elif one != other:
        found.append(name)


def _bytes(tensor: torch.Tensor) -> bytes:
    data: bytes = tensor.contiguous().view(-1).view(torch.uint8).numpy().tobytes()
    return data


def replay(folder: str | os.PathLike[str], step: int) -> Replayed:
    """Do one step of a run again, from the nearest state before it.

    Without a checkpoint before the step it begins with the first weights, which are a function of
    the seed; then it takes as long as the run took up to there.

    Parameters
    ----------
    folder : path
        Of a run whose description names data and network.
    step : int
        Which update, from 1.

    Raises
    ------
    InputError
        Where the run does not have so many steps.
    """
    from snellen.training.inspection.follow import follow_batch

    run_folder = RunFolder(folder)
    description = run_folder.description()
    engine = engines.engine_for(description, engines.device_of(description))
    with unchanged_randomness(), unchanged_threads():
        training = Training(engine, description, callbacks=())
        state = training.state
        if not 1 <= step <= state.n_steps:
            raise InputError(f"expected a step from 1 to {state.n_steps}, got {step}", str(folder))
        if any(int(path.name[5:14]) < step for path in run_folder.checkpoints.paths()):
            content, _path, _passed = run_folder.checkpoints.latest(at_most=step - 1)
            training.saving.load(content)
        began_from = state.step
        batch = training.brought_to(step)
        followed = follow_batch(
            state.network, state.loss_function, batch.inputs, batch.targets, state.optimizer
        )
    return Replayed(step, began_from, batch.rows.tolist(), float(followed.loss), followed)
