"""At which moments of a training something of one's own can be done."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from snellen.training.state import TrainingState

__all__ = ["Callback", "Callbacks"]


class Callback:
    """Does nothing at any moment; a class of one's own says what is to be done at some.

    The moments, in their order::

        start
          epoch_start
            step_end        after each update
            validated       after each validation, with its numbers
          epoch_end         with the numbers of training and validation
        end                 always: after the last epoch, an error, Ctrl-C

    By `epoch_end` the best weights have been kept; after it the loop writes the checkpoint, with
    what `state` returns. Several callbacks are called in the order in which they were given. Only
    the moments that a class defines are called, so what a class does not do costs nothing.
    """

    only_first_process = False
    """Whether only the first of several processes has it: of what writes or prints."""

    def start(self, run: TrainingState) -> None:
        """Is called before the first epoch, also of a training that is resumed."""

    def epoch_start(self, run: TrainingState) -> None:
        """Is called before the first step of epoch ``run.epoch`` (from 0)."""

    def step_end(self, run: TrainingState) -> None:
        """Is called after each update; to read ``run.loss`` waits for the device: not each time."""

    def validated(self, run: TrainingState, metrics: Mapping[str, float]) -> None:
        """Is called after each validation with its numbers, such as ``val_loss``."""

    def epoch_end(self, run: TrainingState, metrics: Mapping[str, float]) -> None:
        """Is called after epoch ``run.epoch`` (from 1), with its numbers."""

    def end(self, run: TrainingState) -> None:
        """Is called once at the end, whatever ended it: ``run.stop_reason``."""

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps: plain values and tensors."""
        return {}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` returned."""


class Callbacks:
    """Several callbacks as one.

    Parameters
    ----------
    callbacks : sequence of Callback
        In the order in which they are called.
    """

    def __init__(self, callbacks: Sequence[Callback]) -> None:
        self.all = tuple(callbacks)
        self._called: dict[str, list[Any]] = {
            moment: [
                getattr(callback, moment)
                for callback in self.all
                if getattr(type(callback), moment) is not getattr(Callback, moment)
            ]
            for moment in ("start", "epoch_start", "step_end", "validated", "epoch_end", "end")
        }

    def call(self, moment: str, *data: Any) -> None:
        """Call a moment of all that define it."""
        for called in self._called[moment]:
            called(*data)

    def state(self) -> dict[str, Any]:
        """Return the states by class, and which of its class each one is."""
        return {name: each.state() for name, each in self._named()}

    def load_state(self, states: Mapping[str, Any]) -> None:
        """Give each its state back, where there is one."""
        for name, each in self._named():
            state = states.get(name)
            if state:
                each.load_state(state)

    def _named(self) -> Iterator[tuple[str, Callback]]:
        """Yield names that do not change where others are left out: of another process."""
        seen: Counter[str] = Counter()
        for each in self.all:
            kind = type(each).__name__
            seen[kind] += 1
            yield f"{kind}_{seen[kind]}", each
