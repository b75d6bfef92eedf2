"""Where a training runs: in this process, or in several by Lightning Fabric.

The loop says the same of both. Fabric is imported only for several devices and for mixed precision
on a GPU: it takes more than two seconds, and one device in float32 needs nothing of it.
"""

from __future__ import annotations

import contextlib
import inspect
import logging
import multiprocessing
import os
import pickle
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from snellen.errors import InputError, MissingExtraError, SnellenError
from snellen.training.interruption import Interruption

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from torch import Tensor, nn

    from snellen.training.description import Description

__all__ = ["Engine", "FabricEngine", "device_name", "device_of", "engine_for", "needs_fabric"]

_ASKED_EVERY = 16  # steps: to ask each time would take longer than the steps of a small network
_DTYPES = {"float16": torch.float16, "bfloat16": torch.bfloat16}


class Engine:
    """One process, one device.

    Parameters
    ----------
    device : torch.device
        Where the network is.
    precision : str
        As in a description; on a CPU also bfloat16, by autocast.
    """

    rank = 0
    world = 1

    def __init__(self, device: torch.device, precision: str = "float32") -> None:
        self.device = device
        self.precision = precision
        self.dtype = torch.float64 if precision == "float64" else torch.float32

    def set_up(
        self, network: nn.Module, optimizer: torch.optim.Optimizer
    ) -> tuple[nn.Module, torch.optim.Optimizer]:
        """Return network and optimizer as the loop is to use them."""
        return network, optimizer

    def autocast(self) -> AbstractContextManager[Any]:
        """Return the context of the forward pass and the loss."""
        if self.precision in _DTYPES:
            return torch.autocast(self.device.type, _DTYPES[self.precision])
        return contextlib.nullcontext()

    def backward(self, loss: Tensor, *, last: bool) -> None:
        """Add the gradients of a loss; `last` of those that one update waits for."""
        del last
        loss.backward()  # type: ignore[no-untyped-call]

    def clip(
        self,
        network: nn.Module,
        optimizer: torch.optim.Optimizer,
        *,
        norm: float | None,
        value: float | None,
    ) -> None:
        """Bound the gradients: each number first, then the norm of all."""
        del optimizer
        if value is not None:
            torch.nn.utils.clip_grad_value_(network.parameters(), value)
        if norm is not None:
            torch.nn.utils.clip_grad_norm_(network.parameters(), norm)

    def total(self, value: Tensor) -> Tensor:
        """Return the sum over all processes."""
        return value

    def gathered(self, value: Any) -> list[Any]:
        """Return the values of all processes, by rank."""
        return [value]

    def agreed(self, reason: str, step: int | None = None) -> str:
        """Return why to end now, as all processes do at the same step; empty to go on.

        Parameters
        ----------
        reason : str
            Why this process would.
        step : int, optional
            Several processes ask each other only at some steps; without one they do.
        """
        del step
        return reason

    def wait(self) -> None:
        """Wait for all processes."""

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint keeps: of mixed precision in float16 the scale of the loss."""
        return {}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` returned."""


class FabricEngine(Engine):
    """Several processes, or mixed precision on a GPU.

    Parameters
    ----------
    fabric : lightning_fabric.Fabric
        Launched.
    precision : str
        As in a description.
    """

    def __init__(self, fabric: Any, precision: str) -> None:
        super().__init__(fabric.device, precision)
        self.fabric = fabric
        self.rank = fabric.global_rank
        self.world = fabric.world_size

    def set_up(
        self, network: nn.Module, optimizer: torch.optim.Optimizer
    ) -> tuple[nn.Module, torch.optim.Optimizer]:
        """Return network and optimizer, wrapped."""
        wrapped, stepped = self.fabric.setup(network, optimizer)
        self._network = wrapped
        return wrapped, stepped

    def autocast(self) -> AbstractContextManager[Any]:
        """Return the context of the loss; the wrapped network brings that of the forward pass."""
        context: AbstractContextManager[Any] = self.fabric.autocast()
        return context

    def backward(self, loss: Tensor, *, last: bool) -> None:
        """Add the gradients of a loss, and after the last one those of the other processes."""
        # Processes average their gradients; each loss is a part of one sum.
        with self.fabric.no_backward_sync(self._network, enabled=not last):
            self.fabric.backward(loss * self.world)

    def clip(
        self,
        network: nn.Module,
        optimizer: torch.optim.Optimizer,
        *,
        norm: float | None,
        value: float | None,
    ) -> None:
        """Bound the gradients: each number first, then the norm of all."""
        # Once: gradients from which the scale of the loss was taken are not to lose it again. What
        # is not finite is the NaN guard's matter, which names step and layer.
        plain = getattr(optimizer, "optimizer", optimizer)
        self.fabric.strategy.precision.unscale_gradients(plain)
        super().clip(network, optimizer, norm=norm, value=value)

    def total(self, value: Tensor) -> Tensor:
        """Return the sum over all processes."""
        summed: Tensor = self.fabric.all_reduce(value, reduce_op="sum")
        return summed

    def gathered(self, value: Any) -> list[Any]:
        """Return the values of all processes, by rank."""
        if self.world == 1:
            return [value]
        import torch.distributed

        values: list[Any] = [None] * self.world
        torch.distributed.all_gather_object(values, value)
        return values

    def agreed(self, reason: str, step: int | None = None) -> str:
        """Return why to end now: the first reason that any process has."""
        if self.world > 1 and step is not None and step % _ASKED_EVERY:
            return ""
        return next(filter(None, self.gathered(reason)), "")

    def wait(self) -> None:
        """Wait for all processes."""
        self.fabric.barrier()

    def state(self) -> dict[str, Any]:
        """Return the scale of the loss, where there is one."""
        found: dict[str, Any] = self.fabric.strategy.precision.state_dict()
        return found

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` returned."""
        self.fabric.strategy.precision.load_state_dict(dict(state))


def device_of(description: Description) -> torch.device:
    """Return the device that a description names.

    Raises
    ------
    InputError
        Where there is no such device.
    """
    name = description.device
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    place = f"{description.place} device".strip()
    try:
        device = torch.device(name)
    except RuntimeError:
        raise InputError(
            f'expected a device, such as auto, cpu or cuda:0, got "{name}"', place
        ) from None
    if device.type == "cuda":
        n = torch.cuda.device_count()
        if (device.index or 0) >= n:
            found = "there is none here" if n == 0 else f"there are {n} here"
            raise InputError(f'expected a GPU for device "{name}", {found}: use cpu', place)
    elif device.type != "cpu":
        raise InputError(f'expected a device of cpu or cuda, got "{name}"', place)
    return device


def device_name(device: torch.device) -> str:
    """Return what a device is called: cpu, or the name of the GPU."""
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def needs_fabric(description: Description, device: torch.device) -> bool:
    """Return whether Fabric is needed."""
    mixed = description.precision in _DTYPES and device.type == "cuda"
    return description.devices > 1 or mixed


def engine_for(description: Description, device: torch.device) -> Engine:
    """Return the engine of one process."""
    if description.precision == "float16" and device.type == "cpu":
        raise InputError(
            "expected a GPU for precision float16: on a CPU take bfloat16 or float32",
            f"{description.place} precision".strip(),
        )
    if needs_fabric(description, device):
        return FabricEngine(_fabric(description, device, n=1), description.precision)
    return Engine(device, description.precision)


def launched(
    description: Description, device: torch.device, work: Callable[..., Any], *data: Any
) -> Any:
    """Run work with an engine in each of several processes; return what the first one returns.

    `work` is called with the engine and the data, in a process of its own each, so all of them must
    be picklable. Under torchrun this process already is one of them.
    """
    from torch.multiprocessing.spawn import ProcessRaisedException

    if description.precision == "auto":
        raise InputError(
            "expected a precision for several devices, got auto: measure it with one",
            f"{description.place} precision".strip(),
        )
    fabric = _fabric(description, device, n=description.devices)
    if "TORCHELASTIC_RUN_ID" in os.environ:
        fabric.launch()
        return work(FabricEngine(fabric, description.precision), *data)
    with (
        tempfile.TemporaryDirectory(prefix="snellen-processes-") as folder,
        Interruption(then=_interrupt_children),
    ):
        done, failure = Path(folder, "done"), Path(folder, "failure")
        try:
            fabric.launch(_in_process, description.precision, work, _Sealed(data), done, failure)
        except ProcessRaisedException:
            if failure.is_file():
                raise SnellenError(failure.read_text(encoding="utf-8")) from None
            raise
        content = pickle.loads(done.read_bytes())
    if content is KeyboardInterrupt:
        raise KeyboardInterrupt
    return content


def _interrupt_children() -> None:
    for child in multiprocessing.active_children():
        if child.pid is not None:
            os.kill(child.pid, signal.SIGINT)


class _Sealed:
    """What goes from process to process as it is, and as a copy.

    Fabric would look for tensors in it, and torch would share their memory between processes:
    weights that all of them change, and results of a process that has ended.
    """

    def __init__(self, content: Any) -> None:
        self.content = content

    def __reduce__(self) -> tuple[Any, ...]:
        return _unsealed, (pickle.dumps(self.content),)


def _unsealed(data: bytes) -> _Sealed:
    _quiet_fabric()  # also in the processes that it starts
    return _Sealed(pickle.loads(data))


def _in_process(
    fabric: Any, precision: str, work: Callable[..., Any], data: _Sealed, done: Path, failure: Path
) -> None:
    """Work; leave what came of it in a file, as a queue would wait until somebody reads it."""
    try:
        content = work(FabricEngine(fabric, precision), *data.content)
    except KeyboardInterrupt:
        content = KeyboardInterrupt
    except SnellenError as error:
        # Errors do not come through as they are, but as the text of a traceback.
        failure.write_text(str(error), encoding="utf-8")
        raise
    if fabric.global_rank == 0:
        done.write_bytes(pickle.dumps(content))


def _quiet_fabric() -> None:
    """Let Fabric say only what is wrong, not how many processes it has."""
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    # That it ends the other processes after an error, which is told anyway.
    logging.getLogger("torch.multiprocessing.spawn").setLevel(logging.ERROR)


def _fabric(description: Description, device: torch.device, n: int) -> Any:
    try:
        from lightning_fabric import Fabric
        from lightning_fabric.strategies.ddp import DDPStrategy
    except ImportError:
        raise MissingExtraError("lightning-fabric", "train") from None
    _quiet_fabric()
    precisions: dict[str, Any] = {
        "float32": "32-true",
        "float64": "64-true",
        "float16": "16-mixed",
        "bfloat16": "bf16-mixed",
    }
    if n == 1:
        strategy: Any = "auto"
        devices: Any = [device.index or 0] if device.type == "cuda" else 1
    else:
        kind: Any = "popen" if "TORCHELASTIC_RUN_ID" in os.environ else "spawn"
        # Buffers are equal everywhere as it is: statistics are taken over all processes.
        names = inspect.signature(torch.nn.parallel.DistributedDataParallel).parameters
        sync = "forward_sync_buffers" if "forward_sync_buffers" in names else "broadcast_buffers"
        options: dict[str, Any] = {sync: False}
        strategy = DDPStrategy(start_method=kind, **options)
        devices = n
    return Fabric(
        accelerator="cuda" if device.type == "cuda" else "cpu",
        devices=devices,
        strategy=strategy,
        precision=precisions[description.precision],
    )
