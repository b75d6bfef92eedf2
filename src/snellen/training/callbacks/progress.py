"""How far a training is, for who waits for it."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

from snellen.training.callbacks.protocol import Callback
from snellen.training.state import AN_ERROR

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from rich.console import Console
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from snellen.training.state import TrainingState

__all__ = ["Progress", "duration"]

_LEAST_SECONDS = 0.25  # between two refreshes of the bar
_WIDE = 100  # columns: in fewer the bar says no samples a second
_MAIN = ("accuracy", "mIoU", "rmse")  # the number of each task
_SHOWN = ("loss", *_MAIN, "val_loss", *(f"val_{name}" for name in _MAIN))


def duration(seconds: float) -> str:
    """Return a duration as it is read.

    Examples
    --------
    >>> duration(7.4), duration(192), duration(7384)
    ('7 s', '3:12 min', '2:03 h')
    """
    if not math.isfinite(seconds):
        return "-"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02d} h"


class Progress(Callback):
    """Shows loss, accuracy, learning rate, samples a second and the time left, on stderr.

    On a terminal a bar over the whole training, drawn anew at most four times a second, and above
    it a line for each finished epoch; elsewhere only the lines, plain. First of all comes what was
    left out of the data, or decided about them.

    Parameters
    ----------
    console : rich.console.Console or None
        Where it is written; None: on stderr.
    clock : callable
        Returns seconds, from any moment.
    """

    only_first_process = True

    def __init__(
        self,
        console: Console | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._console = console
        self._clock = clock
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._next = math.inf  # when the bar may be drawn again; never where there is none
        self._started = (0.0, 0, 0)  # seconds, step, samples
        self._epoch_started = (0.0, 0)  # seconds, samples
        self._metrics: dict[str, float] = {}
        self._of = ""
        self._said: set[str] = set()
        self._is_over = False

    def of(self, what: str) -> None:
        """Say in each line of which training it is: one of several, such as ``"fold 1/5"``."""
        self._of = f"{what}  " if what else ""

    def start(self, run: TrainingState) -> None:
        """Show the bar, where there is a terminal."""
        from rich.console import Console

        self._console = self._console or Console(stderr=True, soft_wrap=True, highlight=False)
        now = self._clock()
        self._started = (now, run.step, run.samples)
        self._epoch_started = (now, run.samples)
        self._metrics = dict(run.history[-1]) if run.history else {}
        self._is_over = run.is_over
        if self._is_over:
            why = f": {run.stop_reason}" if run.stop_reason else ""
            done = f"{run.epoch} of {run.description.epochs} epochs"
            self._line(f"{self._of}it was finished before, after {done}{why}")
            return
        for note in run.notes:
            if note not in self._said:  # of several folds it is said once
                self._line(f"note: {note}")
                self._said.add(note)
        if self._console.is_terminal and not self._console.is_dumb_terminal:
            from rich.progress import BarColumn, TextColumn
            from rich.progress import Progress as Bar

            # Drawn by us: the refreshing thread of rich would take the interpreter from the loop.
            self._bar = Bar(
                TextColumn("{task.description}", markup=False),
                BarColumn(bar_width=None),
                TextColumn("{task.percentage:>3.0f} %", markup=False),
                TextColumn("{task.fields[numbers]}", markup=False),
                console=self._console,
                auto_refresh=False,
                transient=True,
                expand=True,
            )
            self._bar.start()
            self._task = self._bar.add_task(
                self._epoch(run, run.epoch + 1),
                total=run.n_steps,
                completed=run.step,
                numbers="",
            )
            self._next = now

    def epoch_start(self, run: TrainingState) -> None:
        """Begin to count the epoch's samples."""
        self._epoch_started = (self._clock(), run.samples)

    def step_end(self, run: TrainingState) -> None:
        """Draw the bar anew, where the last time is long enough ago."""
        now = self._clock()
        if now < self._next:
            return
        self._draw(run, now)
        # From after the drawing: reading the loss waits for the device.
        self._next = self._clock() + _LEAST_SECONDS

    def _draw(self, run: TrainingState, now: float) -> None:
        assert self._bar is not None  # or `_next` is never
        assert self._task is not None
        parts = {} if run.loss is None else {"loss": float(run.loss)}
        # The bar has room for one, of the last epoch.
        usual = [*(f"val_{name}" for name in _MAIN), *_MAIN]
        for name in [name for name in usual if name in self._metrics][:1]:
            parts[name] = self._metrics[name]
        wide = self._bar.console.width >= _WIDE
        seconds, _, samples = self._started
        passed = now - seconds
        rate = (run.samples - samples) / passed if passed > 0 else math.nan
        self._bar.update(
            self._task,
            completed=run.step,
            description=self._epoch(run, run.epoch + 1),
            numbers=self._numbers(run, parts, rate if wide else math.nan, now),
        )
        self._bar.refresh()

    def epoch_end(self, run: TrainingState, metrics: Mapping[str, float]) -> None:
        """Write the epoch's line."""
        self._metrics = dict(metrics)
        now = self._clock()
        seconds, samples = self._epoch_started
        passed = now - seconds
        rate = (run.samples - samples) / passed if passed > 0 else math.nan
        shown = {name: metrics[name] for name in _SHOWN if name in metrics}
        self._line(f"{self._epoch(run, run.epoch)}  {self._numbers(run, shown, rate, now)}")

    def end(self, run: TrainingState) -> None:
        """Take the bar away, and say why the training ended."""
        if self._bar is not None:
            self._bar.stop()
            self._bar, self._task, self._next = None, None, math.inf
        # An error is said by who meets it.
        if run.stop_reason and run.stop_reason != AN_ERROR and not self._is_over:
            self._line(f"{self._of}ended: {run.stop_reason}")

    def _epoch(self, run: TrainingState, epoch: int) -> str:
        n = run.description.epochs
        return f"{self._of}epoch {epoch:{len(str(n))}d}/{n}"

    def _numbers(
        self, run: TrainingState, metrics: Mapping[str, float], rate: float, now: float
    ) -> str:
        seconds, step, _ = self._started
        done = run.step - step
        left = (now - seconds) / done * (run.n_steps - run.step) if done > 0 else math.nan
        parts = [f"{name} {value:.4f}" for name, value in metrics.items()]
        parts.append(f"lr {run.learning_rate:.3g}")
        if math.isfinite(rate):
            parts.append(f"{rate:,.0f} samples/s")
        if math.isfinite(left) and run.step < run.n_steps:
            parts.append(f"{duration(left)} left")
        return "  ".join(parts)

    def _line(self, text: str) -> None:
        if self._console is not None:  # None where training ended before it began
            self._console.print(text, markup=False, highlight=False, soft_wrap=True)
