"""What ``auto`` means: a few steps of each candidate are timed, and the fastest is kept.

Which memory format, precision or number of threads is the fastest depends on machine and network;
switches that are said to be fast are several times slower on some. What was measured is written
down, and a run that is resumed takes what was chosen, not what would be chosen now.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import itertools
import os
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from snellen.training.engine import Engine, needs_fabric
from snellen.training.keras.in_training import has_keras
from snellen.training.network.rewrites import rewrite
from snellen.training.randomness import unchanged_randomness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from torch import Tensor, nn

    from snellen.training.description import Description
    from snellen.training.losses import Loss

__all__ = ["Chosen", "choose"]

_WARM_UP, _TIMED = 2, 6
_HOPELESS = 3.0  # times as slow as the best so far: no more steps of it are timed


class Chosen(NamedTuple):
    """What was measured for one setting.

    Attributes
    ----------
    setting : str
        ``"memory_format"``, ``"precision"``, ``"compile"`` or ``"threads"``.
    value : object
        The fastest candidate.
    seconds : mapping of str to float
        Of a step, by candidate: the least of those timed, of which there is one where a candidate
        is hopeless. Infinite where it failed.
    failures : mapping of str to str
        Why candidates failed.
    """

    setting: str
    value: Any
    seconds: Mapping[str, float]
    failures: Mapping[str, str]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        seconds, failures = dict(self.seconds), dict(self.failures)
        return {**self._asdict(), "seconds": seconds, "failures": failures}


def choose(
    description: Description,
    network: nn.Module,
    inputs: Tensor,
    targets: Tensor,
    loss_function: Loss,
    make_optimizer: Callable[[nn.Module], torch.optim.Optimizer],
    device: torch.device,
) -> tuple[Description, list[Chosen]]:
    """Return the description with every ``auto`` of speed replaced, and what was measured.

    Parameters
    ----------
    description : Description
        What may say ``auto``.
    network : nn.Module
        Copies of it are trained; it stays as it is, and so do all random numbers.
    inputs, targets : Tensor
        A batch, on the CPU, normalised.
    loss_function, make_optimizer
        As training uses them.
    device : torch.device
        Where it is to run.
    """
    found: list[Chosen] = []
    for setting, values in _candidates(inputs, device).items():
        if getattr(description, setting) != "auto":
            continue
        seconds: dict[str, float] = {}
        failures: dict[str, str] = {}
        for value in values:
            # What is still open further down is tried as it would be without measuring.
            tried = dataclasses.replace(_settled(description), **{setting: value})
            best_so_far = min(seconds.values(), default=float("inf"))
            given = network, inputs, targets, loss_function, make_optimizer, device, best_so_far
            try:
                with unchanged_randomness():
                    seconds[str(value)] = _step_seconds(tried, *given)
            except (RuntimeError, NotImplementedError, ImportError, MemoryError) as error:
                # It does not run here: no compiler, no instructions, not enough memory.
                seconds[str(value)] = float("inf")
                failures[str(value)] = (str(error).strip() or type(error).__name__).splitlines()[0]
        # The first of equals: the plainest.
        best = min(values, key=lambda value: seconds[str(value)])
        description = dataclasses.replace(description, **{setting: best})
        found.append(Chosen(setting, best, seconds, failures))
    return _settled(description), found


def _candidates(inputs: Tensor, device: torch.device) -> dict[str, Sequence[Any]]:
    images = inputs.ndim == 4
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    threads = sorted({1, max(1, (cores or 1) // 2), cores or 1})
    # Mixed precision in half of a float on a CPU needs a scale that torch has not there.
    precision = ["float32", "bfloat16"] + (["float16"] if device.type == "cuda" else [])
    return {
        "threads": threads if device.type == "cpu" else [torch.get_num_threads()],
        "memory_format": ["contiguous", "channels_last"] if images else ["contiguous"],
        "precision": precision,
        "compile": [False, True],
    }


def _settled(description: Description) -> Description:
    """Return the description with plain values in place of every ``auto`` of speed."""
    plain = {
        "threads": None,
        "memory_format": "contiguous",
        "precision": "float32",
        "compile": False,
    }
    changes: dict[str, Any] = {
        name: value for name, value in plain.items() if getattr(description, name) == "auto"
    }
    return dataclasses.replace(description, **changes)


def _step_seconds(
    description: Description,
    network: nn.Module,
    inputs: Tensor,
    targets: Tensor,
    loss_function: Loss,
    make_optimizer: Callable[[nn.Module], torch.optim.Optimizer],
    device: torch.device,
    best: float,
) -> float:
    """Return the least time of a step.

    The parameters are those of `choose`, and the time of the best candidate so far.
    """
    before = torch.get_num_threads()
    try:
        if isinstance(description.threads, int):
            torch.set_num_threads(description.threads)
        with _to_try(network) as tried:
            tried = tried.to(device).train()
            here = inputs.to(device)
            last = description.memory_format == "channels_last" and here.ndim == 4
            if description.rewrites:
                tried, _ = rewrite(tried, here, channels_last=last)
            elif last:
                tried = tried.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            if last:
                here = here.contiguous(memory_format=torch.channels_last)
            if description.compile is True:
                tried.compile()
            precision = description.precision
            # Fabric's mixed precision on a GPU is autocast as well; its scale costs next to
            # nothing.
            engine = Engine(device, precision)
            if needs_fabric(description, device):
                engine.dtype = torch.float32
            optimizer = make_optimizer(tried)
            return _timed(tried, here, targets.to(device), loss_function, optimizer, best, engine)
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def _to_try(network: nn.Module) -> Iterator[nn.Module]:
    """Give a network that may be trained: a copy, or itself where it cannot be copied."""
    if not has_keras(network):
        yield copy.deepcopy(network)
        return
    kept = {name: value.detach().clone() for name, value in network.state_dict().items()}
    training = network.training
    try:
        yield network
    finally:
        network.load_state_dict(kept)
        network.zero_grad(set_to_none=True)
        network.train(training)


def _timed(
    network: nn.Module,
    inputs: Tensor,
    targets: Tensor,
    loss_function: Loss,
    optimizer: torch.optim.Optimizer,
    best: float,
    engine: Engine,
) -> float:
    least = float("inf")
    for k in itertools.count():
        if k == _WARM_UP + _TIMED:
            return least
        began = time.perf_counter()
        with engine.autocast():
            loss = loss_function(network(inputs), targets)
        engine.backward(loss, last=True)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if engine.device.type == "cuda":
            torch.cuda.synchronize(engine.device)
        taken = time.perf_counter() - began
        if k >= _WARM_UP:
            least = min(least, taken)
        # The very first step compiles, and sets up memory: it says nothing.
        if k and min(least, taken) > _HOPELESS * best:
            return min(least, taken)
    raise AssertionError
