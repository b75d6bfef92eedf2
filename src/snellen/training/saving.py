"""What of a training is kept, to go on from: in checkpoints, and in memory."""

from __future__ import annotations

import copy
import dataclasses
import warnings
from typing import TYPE_CHECKING, Any

import torch

from snellen.errors import DataWarning
from snellen.training.longer import why_not_longer
from snellen.training.run_folder import refuse_other_plan, versions
from snellen.training.state import Best

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snellen.training.engine import Engine
    from snellen.training.loop import Loop
    from snellen.training.run_folder import RunFolder
    from snellen.training.state import TrainingState

__all__ = ["Saving"]


class Saving:
    """Writes the state of a training, and takes it back.

    Parameters
    ----------
    state : TrainingState
        What is kept, with what the loop has beside it.
    loop : Loop
        Which says when.
    engine : Engine
        Where it runs; of several processes the first writes.
    plan : mapping
        What a training that goes on must have in common with this one.
    folder : RunFolder or None
        Where checkpoints are; None: the last state is kept in memory, as far as it is needed.
    """

    def __init__(
        self,
        state: TrainingState,
        loop: Loop,
        engine: Engine,
        plan: Mapping[str, Any],
        folder: RunFolder | None,
    ) -> None:
        self._state = state
        self._loop = loop
        self._engine = engine
        self._plan = plan
        self._folder = folder
        self._saved: tuple[int, int] | None = None
        self._kept: dict[str, Any] = {}
        self.seconds_before: Mapping[str, float] = {}
        """Where the time went before the checkpoint that was resumed."""

    def save(self) -> None:
        """Write a checkpoint, where the state is another than in the last one."""
        state = self._state
        running = self._loop.numbers.state()  # asks all processes
        if self._saved == (state.step, state.epoch):
            return
        if self._folder is None:
            self.keep()
        elif self._engine.rank == 0:
            self._folder.checkpoints.write(state.step, self._content(running))
            self._kept = {}
        self._saved = (state.step, state.epoch)

    def keep(self) -> None:
        """Keep the state in memory, where a loss that is no number would need it."""
        if self._state.description.nan_guard != "off":
            self._kept = copy.deepcopy(self._content(self._loop.numbers.state()))

    def last_kept(self) -> dict[str, Any]:
        """Return the newest state that was kept: a checkpoint, or what is in memory."""
        if self._folder is not None and self._folder.checkpoints.paths():
            return self._folder.checkpoints.latest()[0]
        return copy.deepcopy(self._kept)

    def load(self, content: Mapping[str, Any]) -> None:
        """Take the state of a checkpoint."""
        state, loop = self._state, self._loop
        state.network.load_state_dict(content["network"])
        state.optimizer.load_state_dict(content["optimizer"])
        if loop.average is not None:
            loop.average.load_state_dict(content["average"])
        self._engine.load_state(content["engine"])
        state.schedule.load_state(content["schedule"])
        loop.callbacks.load_state(content["callbacks"])
        loop.numbers.load_state(content["running"])
        for name in ("epoch", "step", "samples", "seconds", "history", "skipped"):
            setattr(state, name, content[name])
        best = content["best"]
        state.best = None if best is None else Best(**best)
        state.stop_reason = ""

    def resume(self, *, validates: bool) -> bool:
        """Take the state of the newest checkpoint, or refuse.

        Parameters
        ----------
        validates : bool
            Whether there is a validation part.

        Returns
        -------
        bool
            Whether the training is to be longer than it was.
        """
        assert self._folder is not None
        state, loop = self._state, self._loop
        content, path, passed = self._folder.checkpoints.latest()
        for reason in passed:
            warnings.warn(f"{reason}; going on from {path.name}", DataWarning, stacklevel=2)
        plan, reason = dict(content["plan"]), ""
        longer: bool = plan.get("epochs") != self._plan["epochs"]
        if longer:
            reason = why_not_longer(
                state.description,
                plan["epochs"],
                step=content["step"],
                n_epoch=state.n_epoch,
                validates=validates,
                larger_is_better=loop.higher_is_better,
            )
            if not reason:
                plan["epochs"] = self._plan["epochs"]
        refuse_other_plan(plan, self._plan, str(path), why_not_longer=reason)
        other = _differences(content["computed_by"], self._computed_by())
        if other and content["epoch"] < state.description.epochs:
            warnings.warn(
                f"{other}: the run goes on equal to rounding, not bit for bit",
                DataWarning,
                stacklevel=2,
            )
        self.load(content)
        state.stop_reason = content["final_reason"]
        self.seconds_before = content.get("phases", {})
        return longer

    def _content(self, running: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a checkpoint holds."""
        state, loop = self._state, self._loop
        average, best = loop.average, state.best
        return {
            "plan": self._plan,
            "computed_by": self._computed_by(),
            "network": state.network.state_dict(),
            "optimizer": state.optimizer.state_dict(),
            "average": None if average is None else average.state_dict(),
            "engine": self._engine.state(),
            "schedule": state.schedule.state(),
            "callbacks": loop.callbacks.state(),
            "running": running,
            "epoch": state.epoch,
            "step": state.step,
            "samples": state.samples,
            "seconds": state.seconds,
            "phases": loop.clock.seconds,
            "history": state.history,
            "skipped": state.skipped,
            "best": None if best is None else dataclasses.asdict(best),
            "final_reason": state.stop_reason if state.is_final else "",
        }

    def _computed_by(self) -> dict[str, str]:
        """Return what sums depend on, the plan being the same."""
        return {
            **versions(),
            "device": self._engine.device.type,
            "devices": str(self._engine.world),
            "threads": str(torch.get_num_threads()),
        }


def _differences(before: Mapping[str, str], now: Mapping[str, str]) -> str:
    """Return in words what sums depend on and is another."""
    names = [name for name in now if name not in ("snellen", "python")]
    return ", ".join(
        f"{name} was {before.get(name)}, is {now[name]}"
        for name in names
        if before.get(name) != now[name]
    )
