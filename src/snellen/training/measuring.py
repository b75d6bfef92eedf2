"""A network measured on a part of the data: nothing of it changes, no random number is drawn."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from snellen.training.augmentation import averaged
from snellen.training.data.parts import Order
from snellen.training.feed import Feed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor, nn

    from snellen.training.data.normalisation import Normalisation
    from snellen.training.data.parts import Part
    from snellen.training.engine import Engine
    from snellen.training.feed import Ready
    from snellen.training.losses import Loss
    from snellen.training.tasks import Evaluation

__all__ = ["GivenRows", "Outputs", "all_outputs", "measured", "some_inputs"]


@dataclasses.dataclass(frozen=True, eq=False)
class GivenRows(Order):
    """Certain samples, in the order given.

    Parameters
    ----------
    given : Tensor, shape (n,), int64
        Their numbers.
    """

    given: Tensor = dataclasses.field(kw_only=True)

    def rows(self, epoch: int) -> Tensor:
        """Return the numbers."""
        del epoch
        return self.given


class Outputs(NamedTuple):
    """What a network gives for every sample of a part, on the CPU.

    Attributes
    ----------
    rows : Tensor, shape (n,)
        The sample numbers.
    outputs, targets : Tensor, shape (n, …)
        In their order.
    """

    rows: Tensor
    outputs: Tensor
    targets: Tensor


def _batches(
    part: Part, normalisation: Normalisation, engine: Engine, batch_size: int, by_pixel: bool
) -> Iterator[Ready]:
    order = Order(part.n, batch_size, shuffled=False)
    feed = Feed(
        part,
        order,
        None,
        normalisation,
        seed=0,
        device=engine.device,
        dtype=engine.dtype,
        by_pixel=by_pixel,
    )
    return feed.epoch(0)


def measured(
    network: nn.Module,
    part: Part,
    normalisation: Normalisation,
    loss_function: Loss,
    evaluation: Evaluation,
    engine: Engine,
    batch_size: int,
    by_pixel: bool = False,
) -> dict[str, float]:
    """Return mean loss and headline numbers of a network on a part.

    Several processes share the batches; sums are taken batch by batch, so that their number
    changes nothing.
    """
    was_training = network.training
    network.eval()
    evaluation = evaluation.empty()
    losses, weights, mine = [], [], []
    with torch.inference_mode(), engine.autocast():
        for k, batch in enumerate(_batches(part, normalisation, engine, batch_size, by_pixel)):
            if k % engine.world != engine.rank:
                continue
            output = network(batch.inputs)
            losses.append(loss_function.total(output, batch.targets))
            weights.append(loss_function.weight(batch.targets))
            mine.append(k)
            evaluation.update(output, batch.targets)
    network.train(was_training)
    here = (
        list(zip(mine, _numbers(losses), _numbers(weights), strict=True)),
        evaluation.state(),
    )
    sums: list[tuple[int, float, float]] = []
    merged = evaluation.empty()
    for part_sums, state in engine.gathered(here):
        sums += part_sums
        merged.merge_state(state)
    sums.sort()
    weight = sum(each for _, _, each in sums)
    # Nothing counts where all pixels are void, or only classes of weight 0 are there.
    loss = sum(each for _, each, _ in sums) / weight if weight else math.nan
    return {"loss": loss, **merged.metrics()}


def _numbers(values: list[Tensor]) -> list[float]:
    return torch.stack(values).double().tolist() if values else []


def all_outputs(
    network: nn.Module,
    part: Part,
    normalisation: Normalisation,
    engine: Engine,
    batch_size: int,
    by_pixel: bool = False,
    views: Sequence[str] = (),
) -> Outputs:
    """Return what a network gives for every sample, in the order of the part.

    With `views` it is the mean over flipped or shifted images.
    """
    was_training = network.training
    network.eval()
    rows, outputs, targets = [], [], []
    with torch.inference_mode(), engine.autocast():
        for batch in _batches(part, normalisation, engine, batch_size, by_pixel):
            rows.append(batch.rows)
            found = averaged(network, batch.inputs, views) if views else network(batch.inputs)
            outputs.append(found.float().cpu())
            targets.append(batch.targets.cpu())
    network.train(was_training)
    return Outputs(torch.cat(rows), torch.cat(outputs), torch.cat(targets))


def some_inputs(part: Part, rows: list[int]) -> Any:
    """Return the inputs of certain samples as they were read, on the CPU."""
    given = torch.tensor(rows, dtype=torch.int64)
    order = GivenRows(len(rows), len(rows), shuffled=False, given=given)
    return torch.cat([batch.inputs.cpu() for batch in part.batches(order, 0)])
