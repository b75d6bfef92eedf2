"""The training loop: forward pass, loss, backward pass, update, schedule, and again.

It is meant to be read. `update` is what training is; `train_epochs` says how often it is done, and
what happens between: validation, the best weights, callbacks, checkpoints. What an epoch shows and
in which order is a function of seed, epoch and step (`feed`), so the loop can begin at any step.
"""

from __future__ import annotations

import dataclasses
import math
import time
from typing import TYPE_CHECKING, Any

import torch

from snellen.training.randomness import derived_seed
from snellen.training.schedules import At
from snellen.training.state import Best

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torch import Tensor

    from snellen.training.callbacks.protocol import Callbacks
    from snellen.training.clock import Clock
    from snellen.training.engine import Engine
    from snellen.training.feed import Feed, Ready
    from snellen.training.interruption import Interruption
    from snellen.training.loss import Loss
    from snellen.training.moving_average import MovingAverage
    from snellen.training.network.dropout import Dropout, Dropout2d
    from snellen.training.running_numbers import RunningNumbers
    from snellen.training.state import TrainingState

__all__ = ["Loop", "seed_network", "train_epochs", "update"]

_LEAST_WEIGHT = 1e-20


@dataclasses.dataclass
class Loop:
    """What the loop works with, beside the state that it changes.

    Attributes
    ----------
    feed : Feed
        The batches.
    engine : Engine
        Where it runs.
    callbacks : Callbacks
        What is done at which moment.
    numbers : RunningNumbers
        Loss and metrics of the epoch so far.
    clock : Clock
        Where the time goes.
    validate : callable
        Returns the numbers of the validation part; empty where there is none.
    save : callable
        Writes a checkpoint.
    average : MovingAverage or None
        The running mean of the weights.
    validate_every, save_every : int
        After how many updates.
    monitor : str
        The number by which the best weights are chosen.
    higher_is_better : bool
        Of that number.
    interruption : Interruption
        Whether to end after this step.
    draws : bool
        Whether the network may draw random numbers.
    random_layers : list of Dropout
        Those that draw for a whole batch and hold some rows of it.
    """

    feed: Feed
    engine: Engine
    callbacks: Callbacks
    numbers: RunningNumbers
    clock: Clock
    validate: Callable[[], Mapping[str, float]]
    save: Callable[[], None]
    average: MovingAverage | None
    validate_every: int
    save_every: int
    monitor: str
    higher_is_better: bool
    interruption: Interruption
    draws: bool = True
    random_layers: list[Dropout | Dropout2d] = dataclasses.field(default_factory=list)


def update(run: TrainingState, batch: Ready, loop: Loop) -> None:
    """Make one update of the weights from one batch."""
    engine, clock, description = loop.engine, loop.clock, run.description
    network, optimizer, loss_function = run.network, run.optimizer, run.loss_function
    # What the sum over the batch is divided by, so that parts of it can be summed one by one.
    weight = batch_weight(batch, loss_function, engine)
    pieces = micro_batches(batch, description.micro_batch_size)
    is_mean = len(pieces) == engine.world == 1 and isinstance(weight, float)
    clock.lap("data")
    losses = []
    first = 0
    for k, (inputs, targets) in enumerate(pieces):
        if loop.draws:  # what the network draws itself (dropout) is a function of the step, too
            seed_network(run, loop, n=batch.n, first=first, n_here=len(inputs))
            first += len(inputs)
        with engine.autocast():
            output = network(inputs)  # the forward pass
            loss = (  # the loss: the mean over the batch, or what this part adds to it
                loss_function(output, targets)
                if is_mean
                else loss_function.total(output, targets) / weight
            )
        clock.lap("forward")
        engine.backward(loss, last=k == len(pieces) - 1)  # the backward pass: the chain rule
        clock.lap("backward")
        loop.numbers.add(output.detach(), targets)
        losses.append(loss.detach())
    if description.clip_norm is not None or description.clip_value is not None:
        norm, value = description.clip_norm, description.clip_value
        engine.clip(network, optimizer, norm=norm, value=value)
    run.learning_rate = run.next_learning_rate
    optimizer.step()  # the update
    optimizer.zero_grad(set_to_none=True)
    if loop.average is not None:
        loop.average.update()
    run.loss = engine.total(sum(losses[1:], losses[0]))
    loop.numbers.add_loss(run.loss, weight)
    run.step += 1
    run.samples += batch.n
    set_learning_rate(run)  # the schedule
    clock.lap("update")


def batch_weight(batch: Ready, loss_function: Loss, engine: Engine) -> float | Tensor:
    """Return what a batch weighs in all processes: samples, valid pixels, class weights."""
    known = loss_function.weight_of(batch.n)
    if known is not None:
        return known
    # It is 0 where all pixels are void: then the loss is 0, not 0/0.
    return engine.total(loss_function.weight(batch.targets)).clamp_min(_LEAST_WEIGHT)


def micro_batches(batch: Ready, size: int | None) -> list[tuple[Tensor, Tensor]]:
    """Return the parts of a batch that go through the network one after the other."""
    if size is None or size >= len(batch.inputs):
        return [(batch.inputs, batch.targets)]
    return list(zip(torch.split(batch.inputs, size), torch.split(batch.targets, size), strict=True))


def set_learning_rate(run: TrainingState) -> None:
    """Set the learning rate of the next update."""
    factor = run.schedule.factor(At(run.step, run.n_steps, run.n_epoch))
    for group in run.optimizer.param_groups:
        group["lr"] = group["initial_lr"] * factor
    run.next_learning_rate = run.description.learning_rate * factor


def seed_network(run: TrainingState, loop: Loop, *, n: int, first: int, n_here: int) -> None:
    """Seed what layers draw in this step: for the whole batch, the same in every process.

    Parameters
    ----------
    run, loop
        As of `update`.
    n : int
        The samples of the whole batch.
    first, n_here : int
        Which of this process' samples go through the network now.
    """
    seed = derived_seed(run.description.seed, "network", run.step)
    torch.default_generator.manual_seed(seed)
    if run.device.type == "cuda":
        torch.cuda.manual_seed(seed)
    rank, world = loop.engine.rank, loop.engine.world
    rows = None
    if n_here < n:
        rows = (n, slice(rank + first * world, rank + (first + n_here) * world, world))
    for layer in loop.random_layers:
        layer.rows = rows


def train_epochs(run: TrainingState, loop: Loop) -> None:
    """Train from where the state stands to the last epoch, or to what stops it."""
    callbacks = loop.callbacks
    began = time.perf_counter() - run.seconds
    set_learning_rate(run)
    while run.epoch < run.description.epochs and not run.stop_reason:
        callbacks.call("epoch_start", run)
        run.network.train()
        for batch in loop.feed.epoch(run.epoch, start=run.step - run.epoch * run.n_epoch):
            loop.clock.step(run.step)
            if run.step in run.skipped:
                run.step += 1
                run.loss = None
                set_learning_rate(run)
            else:
                update(run, batch, loop)
            run.seconds = time.perf_counter() - began
            callbacks.call("step_end", run)
            loop.clock.lap("callbacks")
            if run.step % loop.validate_every == 0 or run.step == run.n_steps:
                loop.numbers.validated = validation(run, loop)
                run.network.train()
            if loop.interruption.requested:
                run.stop("interrupted")
            stopped = loop.engine.agreed(run.stop_reason, run.step)
            if stopped:
                run.stop_reason = stopped
                break
            if run.step % loop.save_every == 0 and run.step % run.n_epoch:
                loop.save()
                loop.clock.whole("checkpoint")
        if run.step < (run.epoch + 1) * run.n_epoch:  # stopped within the epoch
            break
        run.seconds = time.perf_counter() - began
        run.epoch += 1
        callbacks.call("epoch_end", run, epoch_numbers(run, loop))
        run.stop_reason = loop.engine.agreed(run.stop_reason)
        if run.step % loop.save_every == 0 or run.step == run.n_steps:
            loop.save()
            loop.clock.whole("checkpoint")
    if run.stop_reason:
        loop.save()


def epoch_numbers(run: TrainingState, loop: Loop) -> dict[str, Any]:
    """Note the numbers of the epoch that was finished, and return them."""
    metrics: dict[str, Any] = {
        "epoch": run.epoch,
        "step": run.step,
        **loop.numbers.metrics(),
        **loop.numbers.validated,
        "learning_rate": run.learning_rate,
        "seconds": run.seconds,
    }
    loop.numbers.clear()
    run.history.append(metrics)
    return metrics


def validation(run: TrainingState, loop: Loop) -> Mapping[str, float]:
    """Measure the network on the validation part; keep its weights where they are the best."""
    loop.clock.lap("other")
    metrics = loop.validate()
    loop.clock.whole("validation")
    if not metrics:
        return metrics
    value = metrics[loop.monitor]
    run.schedule.observe(value)
    set_learning_rate(run)  # of the next update: a plateau has its say before it
    best = run.best
    # A number that is none is never better, and anything is better than it.
    if (
        best is None
        or math.isnan(best.value)
        or (value > best.value if loop.higher_is_better else value < best.value)
    ):
        run.best = Best(loop.monitor, value, run.epoch, weights_of(run, loop), dict(metrics))
    loop.callbacks.call("validated", run, metrics)
    return metrics


def weights_of(run: TrainingState, loop: Loop) -> dict[str, Any]:
    """Return a copy of the weights that are measured: the network's, or their running mean."""
    if loop.average is not None:
        with loop.average.applied():
            return weights_of(run, dataclasses.replace(loop, average=None))
    # What several processes wrap a network in gives the state of the network itself.
    return {name: value.detach().cpu().clone() for name, value in run.network.state_dict().items()}
