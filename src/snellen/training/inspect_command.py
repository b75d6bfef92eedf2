"""What ``snellen inspect`` does: a description brought to life, looked into, and shown."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from snellen.errors import InputError, did_you_mean
from snellen.training import engine as engines
from snellen.training.choices import Choice
from snellen.training.inspection import (
    PROBLEMS,
    LayerStatistics,
    check_first_loss,
    check_gradients,
    descend_many,
    descent_page,
    follow_batch,
    inspection_page,
    learning_rate_range,
    overfit_batch,
)
from snellen.training.inspection.descent import path_table
from snellen.training.randomness import derived_seed, unchanged_randomness
from snellen.training.trained_network import load_trained
from snellen.training.training import Training

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator, Sequence

    from torch import Tensor

    from snellen.training.description import Description

__all__ = ["Looked", "descents", "looked_inside"]


class Looked(NamedTuple):
    """What was seen.

    Attributes
    ----------
    text : str
        For a terminal.
    content : dict
        The numbers, as plain values.
    page : str
        The same as a self-contained page.
    """

    text: str
    content: dict[str, Any]
    page: str

    def write(self, out: str | None, json_path: str | None, echo: Callable[..., None]) -> None:
        """Write the page and the numbers where they are wanted; ``-`` is stdout."""
        import msgspec

        from snellen.atomic_files import write_atomically

        files: dict[str | os.PathLike[str], bytes] = {}
        if out is not None:
            files[out] = self.page.encode()
        text = msgspec.json.format(msgspec.json.encode(self.content), indent=2) + b"\n"
        if json_path is not None and json_path != "-":
            files[json_path] = text
        if files:
            write_atomically(files)
        if json_path == "-":
            echo(text, nl=False)


def looked_inside(
    description: Description, looks: Sequence[str], *, steps: int, folder: str | None = None
) -> Looked:
    """Look into the network of a description.

    Parameters
    ----------
    description : Description
        What is trained. Layers are not rewritten, so that each is seen as it is written down.
    looks : sequence of str
        ``"follow"``, ``"gradients"``, ``"first-loss"``, ``"overfit"``, ``"rates"``, ``"layers"``.
    steps : int
        The updates over which layers are watched.
    folder : path, optional
        Of a run, whose trained network is looked into; with fresh weights without.
    """
    plain = description.changed(rewrites=False, memory_format="contiguous", compile=False)
    engine = engines.engine_for(plain, engines.device_of(plain))
    with unchanged_randomness():
        statistics = LayerStatistics(every=max(1, steps // 20))
        training = Training(engine, plain, callbacks=[statistics])
        state, loss = training.state, training.state.loss_function
        if folder is not None:
            trained = load_trained(folder)
            state.network.load_state_dict(trained.network.state_dict())
        torch.default_generator.manual_seed(derived_seed(plain.seed, "inspection"))
        batch = next(training.loop.feed.epoch(0))
        inputs, targets = batch.inputs, batch.targets
        # Few samples: each step of a finite difference is a pass through the network.
        some = inputs[:8], targets[:8]
        state.network.train()
        seen: dict[str, Any] = {}
        if "first-loss" in looks:
            task: Any = training.prepared.data.task
            seen["first_loss"] = check_first_loss(state.network, loss, inputs, targets, task=task)
        if "gradients" in looks:
            seen["gradient_check"] = check_gradients(state.network, loss, *some, seed=plain.seed)
        if "follow" in looks:
            seen["followed"] = follow_batch(state.network, loss, inputs, targets, state.optimizer)
        if "overfit" in looks:
            seen["overfit"] = overfit_batch(
                state.network, loss, inputs[:32], targets[:32], state.optimizer
            )
        if "rates" in looks:
            seen["rate_range"] = learning_rate_range(
                state.network, loss, _batches(training), state.optimizer
            )
        if "layers" in looks:
            training.watch(steps)
            seen["statistics"] = statistics
    summary = str(training.prepared.table)
    parts = [summary, *(_text(each) for each in seen.values())]
    return Looked(
        "\n\n".join(parts),
        {name: each.to_dict() for name, each in seen.items()},
        inspection_page(**seen, summary=summary, title=_title(plain)),
    )


def _text(seen: Any) -> str:
    return str(seen.table()) if isinstance(seen, LayerStatistics) else str(seen)


def _title(description: Description) -> str:
    network = description.network
    name = network.name if isinstance(network, Choice) else "a network of layers"
    return f"Inside {name} on {description.data.name}"


def _batches(training: Training) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield batches of training, epoch after epoch."""
    for epoch in itertools.count():
        for batch in training.loop.feed.epoch(epoch):
            yield batch.inputs, batch.targets


def descents(names: Sequence[str]) -> Looked:
    """Draw gradient descent on problems of two parameters.

    Raises
    ------
    InputError
        For a problem that there is not.
    """
    chosen = list(PROBLEMS) if "all" in names else list(names)
    for name in chosen:
        if name not in PROBLEMS:
            hint = did_you_mean(name, PROBLEMS) or f" There are {', '.join(PROBLEMS)}."
            raise InputError(f'expected a problem of two parameters, got "{name}".{hint}')
    paths = {name: descend_many(name, PROBLEMS[name].rates) for name in chosen}
    return Looked(
        "\n\n".join(path_table(name, found) for name, found in paths.items()),
        {name: [path.to_dict() for path in found] for name, found in paths.items()},
        descent_page(chosen),
    )
