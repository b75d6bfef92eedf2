"""From a description and data to all that the loop needs."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from snellen.errors import ClassError, InputError, did_you_mean
from snellen.training.augmentation import test_views
from snellen.training.augmentation.chain import augmentation
from snellen.training.candidates import choose
from snellen.training.choices import Choice
from snellen.training.data.balance import class_weights
from snellen.training.data.normalisation import make_normalisation
from snellen.training.data.parts import Order
from snellen.training.feed import Feed
from snellen.training.fused import fused_update
from snellen.training.keras.in_training import as_module, fitting_keras, has_keras
from snellen.training.losses import make_loss
from snellen.training.moving_average import MovingAverage
from snellen.training.network.build import build_network, check_outputs
from snellen.training.network.dropout import Dropout, Dropout2d
from snellen.training.network.rewrites import rewrite
from snellen.training.network.shared_batch_norm import share_batch_norm
from snellen.training.network.summary import network_table
from snellen.training.optimizers import make_optimizer
from snellen.training.randomness import Draws, derived_seed, seed_everything
from snellen.training.schedules import make_schedule
from snellen.training.tasks import headline_metrics, higher_is_better

if TYPE_CHECKING:
    from torch import Tensor

    from snellen.training.augmentation.chain import Augmentation
    from snellen.training.candidates import Chosen
    from snellen.training.data.normalisation import Normalisation
    from snellen.training.data.parts import Part
    from snellen.training.data.training_data import TrainingData
    from snellen.training.description import Description
    from snellen.training.engine import Engine
    from snellen.training.losses import Loss
    from snellen.training.network.rewrites import Rewrite
    from snellen.training.network.summary import NetworkTable
    from snellen.training.schedules import Schedule

__all__ = ["Prepared", "clips_scaled", "prepare", "refuse_plateau"]

_RANDOM = (nn.modules.dropout._DropoutNd, nn.RReLU, nn.MultiheadAttention)
_PROBED = 32  # samples on which rewrites are proved


@dataclasses.dataclass
class Prepared:
    """A description come to life.

    Attributes
    ----------
    description : Description
        Resolved: nothing in it says ``"auto"`` any more, but the device.
    data : TrainingData
        On the device.
    normalisation : Normalisation
        By the training part.
    network : nn.Module
        On the device, rewritten, in its memory format; without what several processes wrap it in.
    table : NetworkTable
        Layers, shapes, parameters, operations.
    rewrites : list of Rewrite
        What was reordered, and how it was proved.
    chosen : list of Chosen
        What ``auto`` was found to be.
    loss_function, schedule, augmentation, average
        As the description says; None for no augmentation, no running mean.
    optimizer : torch.optim.Optimizer
        Of the network.
    order : Order
        Of the training part.
    monitor : str
        The number by which the best weights are chosen: of `measured`, without ``val_``.
    random_layers : list of Dropout
        The network's.
    draws : bool
        Whether the network may draw random numbers: not one of known layers without dropout.
    """

    description: Description
    data: TrainingData
    normalisation: Normalisation
    network: nn.Module
    table: NetworkTable
    rewrites: list[Rewrite]
    chosen: list[Chosen]
    loss_function: Loss
    optimizer: torch.optim.Optimizer
    schedule: Schedule
    augmentation: Augmentation | None
    average: MovingAverage | None
    order: Order
    monitor: str
    random_layers: list[Dropout | Dropout2d]
    draws: bool

    @property
    def by_pixel(self) -> bool:
        """Whether images are laid out pixel by pixel."""
        images = len(self.data.train.input_shape) == 3
        return images and self.description.memory_format == "channels_last"

    def feed(self, engine: Engine) -> Feed:
        """Return the batches of training."""
        return Feed(
            self.data.train,
            self.order,
            self.augmentation,
            self.normalisation,
            seed=self.description.seed,
            device=engine.device,
            dtype=engine.dtype,
            by_pixel=self.by_pixel,
            rank=engine.rank,
            world=engine.world,
        )


def prepare(
    description: Description,
    data: TrainingData,
    engine: Engine,
    *,
    network: nn.Module | None = None,
    settle: bool = True,
) -> Prepared:
    """Build everything that a description names.

    Parameters
    ----------
    description : Description
        What to train, and how.
    data : TrainingData
        Opened.
    engine : Engine
        Where it will run.
    network : nn.Module, optional
        In place of the one that the description names; trained as it is, with its weights.
    settle : bool
        Whether ``auto`` is measured; a run that is resumed has it settled.

    Raises
    ------
    InputError
        For what cannot be trained; the message names the key.
    """
    place = description.place
    train = data.train
    if train.n is None:
        raise InputError(
            "expected to know how many samples an epoch has: data that stream say samples = …",
            f"{place} data".strip(),
        )
    refuse_plateau(description, data.validation, "the data have none")
    monitor = _monitor(description, data)
    description = dataclasses.replace(
        description,
        task=data.task,
        # Without a validation part nothing is monitored.
        monitor=description.monitor if data.validation is None else monitor,
    )
    order = Order(
        train.n,
        description.batch_size,
        seed=description.seed,
        balanced=_classes_to_balance(description, data),
    )
    normalisation = make_normalisation(description.normalise, train)
    augmented = None
    if description.augment:
        augmented = augmentation(description.augment, n_classes=data.n_outputs, task=data.task)
    loss_function = make_loss(
        description.loss,
        task=data.task,
        n_outputs=data.n_outputs,
        class_weights=_weights(description, data, engine),
    )
    description = dataclasses.replace(description, loss=_named(description.loss, loss_function))
    if network is None:
        # What a module of one's own draws when it is built is a function of the seed, too.
        torch.manual_seed(derived_seed(description.seed, "network"))
        seed_everything(derived_seed(description.seed, "network"))
        network = build_network(
            description.network,
            train.input_shape,
            data.n_outputs,
            initialisation=description.initialisation,
            seed=description.seed,
            task=data.task,
        )
    else:
        network = as_module(network, data.task)
        if has_keras(network):
            check_outputs(network, train.input_shape, data.n_outputs, data.task, place)
    if not any(each.requires_grad for each in network.parameters()):
        raise InputError(
            "expected a network with weights to train, all of them are frozen"
            if any(True for _ in network.parameters())
            else "expected a network with weights, it has none",
            f"{place} network".strip(),
        )
    description = fitting_keras(description, network)
    table = network_table(network, train.input_shape)
    inputs, targets = _probe(train, normalisation, engine)
    network = network.to("cpu", engine.dtype)  # where the probe is
    _check_outputs(network, inputs, targets, loss_function, data, engine.device, place)
    if augmented is not None:
        _check_augmentation(augmented, train, data, loss_function, engine)
    fused = engine.device.type in ("cpu", "cuda") and description.rewrites

    def optimizer_of(module: nn.Module, fused: bool = fused) -> torch.optim.Optimizer:
        return make_optimizer(
            description.optimizer, module, learning_rate=description.learning_rate, fused=fused
        )

    chosen: list[Chosen] = []
    if settle:
        description, chosen = choose(
            description,
            network,
            inputs.repeat(_times(description.batch_size, inputs)),
            targets.repeat(_times(description.batch_size, targets)),
            loss_function,
            optimizer_of,
            engine.device,
        )
        # Each process measures something else; what the first one found counts.
        description, chosen = engine.gathered((description, chosen))[0]
    network = network.to(engine.device)
    by_pixel = inputs.ndim == 4 and description.memory_format == "channels_last"
    if description.test_views:
        _check_views(description, data, inputs)
    rewrites: list[Rewrite] = []
    if description.rewrites:
        network, rewrites = rewrite(network, inputs.to(engine.device), channels_last=by_pixel)
    elif by_pixel:
        network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    fused = fused and not clips_scaled(description)
    if fused and not has_keras(network):  # whose copies are refused
        here = inputs.to(engine.device), targets.to(engine.device)
        update = fused_update(network, *here, loss_function, optimizer_of)
        if update is not None:
            rewrites.append(update)
            fused = update.taken
    if engine.world > 1:
        network = share_batch_norm(network)
    if description.compile is True:
        network.compile()
    return Prepared(
        description=description,
        data=data.to(engine.device),
        normalisation=normalisation,
        network=network,
        table=table,
        rewrites=rewrites,
        chosen=chosen,
        loss_function=loss_function,
        optimizer=optimizer_of(network, fused),
        schedule=make_schedule(
            description.schedule,
            n_epochs=description.epochs,
            larger_is_better=higher_is_better(data.task, monitor),
        ),
        augmentation=augmented,
        average=None if description.ema is None else MovingAverage(network, description.ema),
        order=order,
        monitor=monitor,
        draws=_may_draw(network),
        random_layers=[
            each for each in network.modules() if isinstance(each, (Dropout, Dropout2d))
        ],
    )


def clips_scaled(description: Description) -> bool:
    """Return whether gradients that are scaled are clipped: a fused update takes the scale away."""
    clips = description.clip_norm is not None or description.clip_value is not None
    return description.precision == "float16" and clips


def _check_augmentation(
    augmented: Augmentation, part: Part, data: TrainingData, loss_function: Loss, engine: Engine
) -> None:
    """Refuse augmentations of other inputs, or that make targets which the loss cannot take."""
    n = min(_PROBED, part.n or _PROBED)
    for rows, inputs, targets in part.batches(Order(n, n, shuffled=False), 0):
        draws = Draws(0, 0, 0, len(rows), device=inputs.device)
        inputs, targets = augmented.before(inputs, targets, rows, draws)
        inputs, targets = augmented.after(inputs.to(engine.dtype), targets, draws)
        shape = (
            len(inputs),
            data.n_outputs,
            *(inputs.shape[2:] if data.task == "segmentation" else ()),
        )
        if data.task != "regression":
            loss_function(torch.zeros(shape, device=engine.device), targets.to(engine.device))
        return


def refuse_plateau(description: Description, validation: Part | None, why: str) -> None:
    """Refuse a schedule that waits for numbers that nobody will measure."""
    waiting = [each for each in description.schedule if each.name == "plateau"]
    if waiting and validation is None:
        raise InputError(
            f"expected a validation part for the schedule plateau to wait for, {why}",
            waiting[0].place or f"{description.place} schedule".strip(),
        )


def _check_views(description: Description, data: TrainingData, inputs: Tensor) -> None:
    """Refuse views that the images do not have, before anything is trained."""
    place = f"{description.place} test_views".strip()
    if data.task == "regression":
        raise InputError("expected no views of a regression: an average need not be right", place)
    try:
        test_views(inputs[:1], description.test_views)
    except InputError as error:
        raise error.within(place) from None
    if data.task == "segmentation" and "translate" in description.test_views:
        raise InputError('expected views of label maps, which "translate" is not', place)


def _may_draw(network: nn.Module) -> bool:
    """Return whether a network may draw random numbers; who knows of one from elsewhere."""
    known = all(
        type(each).__module__.startswith(("torch.nn.modules.", "snellen.training.network."))
        for each in network.modules()
    )
    return not known or any(isinstance(each, _RANDOM) for each in network.modules())


def _times(batch_size: int, probe: Tensor) -> tuple[int, ...]:
    """Return how often a probe is repeated in each dimension to make a batch of about a size."""
    return (max(1, batch_size // len(probe)), *([1] * (probe.ndim - 1)))


def _named(choice: Choice, loss_function: Loss) -> Choice:
    """Return the loss by its own name, where the task chose it."""
    return Choice(loss_function.name, choice.options) if choice.name == "auto" else choice


def _monitor(description: Description, data: TrainingData) -> str:
    """Return the number that the best weights are chosen by, without ``val_``."""
    if description.monitor != "auto" and data.validation is None:
        raise InputError(
            f'expected a validation part to monitor "{description.monitor}" of, there is none',
            f"{description.place} monitor".strip(),
        )
    name = description.monitor.removeprefix("val_")
    known = ("loss", *headline_metrics(data.task))
    if name == "auto":
        return "loss" if data.task == "regression" else known[1]
    if name not in known:
        hint = did_you_mean(name, known) or f" There are {', '.join(known)}."
        raise InputError(
            f'expected a number of the validation part, got "{description.monitor}".{hint}',
            f"{description.place} monitor".strip(),
        )
    higher_is_better(data.task, name)
    return name


def _classes_to_balance(description: Description, data: TrainingData) -> Tensor | None:
    if description.sampling != "balanced":
        return None
    targets = data.train.targets
    if data.task != "classification" or targets is None:
        raise InputError(
            "expected a class for each sample to draw classes equally often, got data for "
            f"{data.task}",
            f"{description.place} sampling".strip(),
        )
    # Of shares of classes the greatest counts, as in all that is measured.
    return targets if targets.ndim == 1 else targets.argmax(1)


def _weights(description: Description, data: TrainingData, engine: Engine) -> Tensor | None:
    if description.class_weights == "none":
        return None
    place = f"{description.place} class_weights".strip()
    if data.task == "regression":
        raise InputError("expected classes to weigh, got a regression", place)
    try:
        found = class_weights(description.class_weights, data.train.targets, data.n_outputs)
    except InputError as error:
        raise (error if error.place else error.within(place)) from None
    return None if found is None else found.to(engine.device, engine.dtype)


def _probe(part: Any, normalisation: Normalisation, engine: Engine) -> tuple[Tensor, Tensor]:
    """Return the first samples of the training part, normalised, on the CPU."""
    order = Order(part.n, min(_PROBED, part.n), shuffled=False)
    for batch in part.batches(order, 0):
        inputs = normalisation.apply(batch.inputs).to(engine.dtype).cpu()
        if not torch.isfinite(inputs).all():
            raise InputError("expected finite inputs, got NaN or infinity in the training part")
        return inputs, batch.targets.cpu()
    raise InputError("expected samples to train on, got none")


def _check_outputs(
    network: nn.Module,
    inputs: Tensor,
    targets: Tensor,
    loss_function: Loss,
    data: TrainingData,
    device: torch.device,
    place: str,
) -> None:
    """Refuse a network that does not fit the data, before anything is trained."""
    was_training = network.training
    network.eval()
    try:
        with torch.inference_mode():
            output = network(inputs)
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(
            f"expected a network that takes {tuple(inputs.shape)}, it gives: {reason}",
            f"{place} network".strip(),
        ) from None
    finally:
        network.train(was_training)
    wanted: tuple[int, ...] = (len(inputs), data.n_outputs)
    if data.task == "segmentation":
        wanted += tuple(targets.shape[-2:])
    if not isinstance(output, torch.Tensor) or tuple(output.shape) != wanted:
        found = tuple(output.shape) if isinstance(output, torch.Tensor) else type(output).__name__
        what = "numbers" if data.task == "regression" else "classes"
        raise ClassError(
            f"expected outputs {wanted}, of {data.n_outputs} {what}, got {found}: change the last "
            "layer",
            f"{place} network".strip(),
        )
    with torch.inference_mode():
        # Where its weights of classes are.
        loss_function(output.to(device), targets.to(device))
