"""Whether a run can go on to more epochs than it was begun with, exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snellen.training.description import Every
from snellen.training.schedules import At, make_schedule

if TYPE_CHECKING:
    from snellen.training.description import Description

__all__ = ["why_not_longer"]


def why_not_longer(
    description: Description,
    before: int,
    *,
    step: int,
    n_epoch: int,
    validates: bool,
    larger_is_better: bool,
) -> str:
    """Return why a run cannot be trained longer; empty where it can.

    It can where nothing that was done depends on how long it was to be: then what comes of it is
    what a training of so many epochs gives that was never interrupted.

    Parameters
    ----------
    description : Description
        With the epochs that there are to be.
    before : int
        The epochs that the run was begun with.
    step, n_epoch : int
        The updates done, and those of an epoch.
    validates : bool
        Whether there is a validation part.
    larger_is_better : bool
        Of the monitored number.
    """
    if description.epochs < before:
        return "a run can go on to more epochs, not to fewer"
    n_before, n_now = before * n_epoch, description.epochs * n_epoch
    if validates:
        every = Every.parsed(description.validate_every)
        if every.unit == "dur":
            return "its validations were at parts of the whole"
        if step == n_before and step % every.steps(n_steps=n_now, n_epoch=n_epoch):
            return "its last validation was one that the longer run does not have"
    short, long = (
        make_schedule(description.schedule, n_epochs=epochs, larger_is_better=larger_is_better)
        for epochs in (before, description.epochs)
    )
    for done in range(step + 1):
        rates = (
            schedule.factor(At(done, n_steps, n_epoch))
            for schedule, n_steps in ((short, n_before), (long, n_now))
        )
        # Of several, one of which waits for what is measured, it also matters whose turn it is.
        if len({*rates}) > 1 or short.state() != long.state():
            names = ", ".join(choice.name for choice in description.schedule)
            return f"the rates of its schedule ({names}) depend on the number of epochs"
    return ""
