"""Parts that come in an order of their own: generators, loaders, streams."""

from __future__ import annotations

import contextlib
import inspect
import itertools
import queue
import threading
from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import torch

from snellen.errors import InputError, SchemaError, ShapeError, SnellenError
from snellen.training.data.parts import EVERY_ROW, Batch
from snellen.training.data.streamed import _dtype, _tensor, stacked
from snellen.training.randomness import (
    derived_seed,
    drew,
    seed_everything,
    unchanged_cpu_randomness,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from torch import Tensor

    from snellen.training.data.parts import Order

__all__ = ["IterablePart"]

_END = object()
_SECONDS = 0.1


class IterablePart:
    """Samples that an iterable brings, in its own order.

    The order of an epoch is the iterable's: it is neither shuffled nor balanced here. To go on
    at a later batch, those before are made and thrown away.

    Parameters
    ----------
    make : callable
        Returns what to iterate in an epoch, whose number it is given if it takes one. That yields
        pairs of inputs and target.
    n : int or None
        How many samples an epoch has. With None they are counted in the first epoch.
    batched : bool
        Whether it yields batches, and not samples. They are cut to the size that is asked for.
    prefetch : int
        How many samples or batches a thread makes ahead; 0: none, they are made when due.
    seeded : bool
        Whether the global random numbers of Python, NumPy and torch are those of the order's
        seed, the epoch and the place while the iterable brings something: what a loader shuffles
        by, and its transforms draw. Then nothing is made ahead, as the network draws meanwhile.
    device : torch.device or str
        Where batches are made.

    Attributes
    ----------
    targets : Tensor or None
        The targets of all samples in the order of epoch 0, once `counted` went through them.

    Raises
    ------
    InputError
        What the iterable raises, with the number of the sample.
    """

    def __init__(
        self,
        make: Callable[..., Iterable[Any]],
        n: int | None = None,
        *,
        batched: bool = False,
        prefetch: int = 2,
        seeded: bool = False,
        device: torch.device | str = "cpu",
    ) -> None:
        if prefetch < 0:
            raise InputError(f"expected prefetch from 0, got {prefetch}")
        self._make = make
        self._takes_epoch = _takes_epoch(make)
        self.n = n
        self.ids = None
        self.targets: Tensor | None = None
        self._batched = batched
        self._prefetch = 0 if seeded else prefetch
        self._seeded = seeded
        self.device = torch.device(device)
        self._shape: tuple[int, ...] | None = None

    def __repr__(self) -> str:
        return f"IterablePart({'?' if self.n is None else format(self.n, ',')} samples)"

    @property
    def input_shape(self) -> tuple[int, ...]:
        """The shape of one sample's inputs: of the first."""
        if self._shape is None:
            items = self._items(0)
            try:
                for inputs, _ in items:
                    self._shape = tuple(inputs.shape[1:])
                    break
                else:
                    raise InputError("expected samples, the iterable has none")
            finally:
                items.close()
        return self._shape

    def counted(self) -> IterablePart:
        """Go through epoch 0 once, and return the part with its number of samples and targets.

        Where it draws global random numbers, it is seeded from then on.
        """
        targets, random = drew(lambda: [target for _, target in self._items(0)])
        part = self.to(self.device)
        if random:
            part._seeded, part._prefetch = True, 0
        part.n = sum(len(each) for each in targets)
        # Label maps stay where they are: they are as large as the images.
        if targets and targets[0].ndim <= 2:
            part.targets = torch.cat(targets)
        return part

    def batches(
        self, order: Order, epoch: int, start: int = 0, *, within: slice = EVERY_ROW
    ) -> Iterator[Batch]:
        """Yield the batches of an epoch, in the iterable's own order; see `Part.batches`."""
        size, skipped, done = order.batch_size, start * order.batch_size, 0
        held: list[tuple[Tensor, Tensor]] = []
        n_held = 0
        source = _ahead(self._items(epoch, order.seed), self._prefetch)
        try:
            for inputs, targets in source:
                if self._shape is not None and tuple(inputs.shape[1:]) != self._shape:
                    raise ShapeError(
                        f"expected inputs of shape {self._shape}, got {tuple(inputs.shape[1:])}",
                        f"sample {done + n_held}",
                    )
                self._shape = tuple(inputs.shape[1:])
                if skipped:
                    gone = min(skipped, len(inputs))
                    skipped, done = skipped - gone, done + gone
                    inputs, targets = inputs[gone:], targets[gone:]
                if order.n is not None:  # an iterable that never ends does so here
                    room = order.n - done - n_held
                    if room <= 0:
                        break
                    inputs, targets = inputs[:room], targets[:room]
                held.append((inputs, targets))
                n_held += len(inputs)
                while n_held >= size:
                    batch, held = _cut(held, size)
                    n_held -= size
                    yield self._batch(batch, done, within)
                    done += size
            if n_held and not order.drop_last:
                yield self._batch(held, done, within)
            if order.n is not None and done + n_held < order.n and not order.drop_last:
                raise InputError(
                    f"expected {order.n:,} samples an epoch, the iterable has {done + n_held:,}",
                    f"epoch {epoch}",
                )
        finally:
            source.close()

    def to(self, device: torch.device | str) -> IterablePart:
        """Return the part with its batches on a device."""
        part = IterablePart(
            self._make,
            self.n,
            batched=self._batched,
            prefetch=self._prefetch,
            seeded=self._seeded,
            device=device,
        )
        part.targets, part._shape = self.targets, self._shape
        return part

    def _batch(self, held: list[tuple[Tensor, Tensor]], done: int, within: slice) -> Batch:
        inputs = torch.cat([each for each, _ in held])
        targets = torch.cat([each for _, each in held])
        rows = torch.arange(done, done + len(inputs))
        return Batch(rows[within], inputs[within].to(self.device), targets[within].to(self.device))

    def _items(self, epoch: int, seed: int = 0) -> Any:
        """Yield inputs and targets, each with an axis of samples."""
        count = 0
        try:
            for item in self._opened(epoch, seed):
                inputs, target = _pair(item, count)
                inputs = _tensor(inputs)
                if self._batched:
                    targets = stacked(list(_tensor(target)))
                else:
                    inputs, targets = inputs[None], stacked([target])
                if len(inputs) != len(targets):
                    raise ShapeError(
                        f"expected a target for each of {len(inputs)} inputs, got {len(targets)}",
                        f"sample {count}",
                    )
                yield inputs.to(_dtype(inputs)), targets
                count += len(inputs)
        except SnellenError:
            raise
        except Exception as error:  # what a user's code raises, with its place
            reason = " ".join(str(error).split())
            raise InputError(
                f"expected inputs and targets, got {type(error).__name__}: {reason}",
                f"epoch {epoch} sample {count}",
            ) from error

    def _opened(self, epoch: int, seed: int) -> Iterator[Any]:
        if not self._seeded:
            yield from self._make(epoch) if self._takes_epoch else self._make()
            return
        items: Any = None
        try:
            for k in itertools.count():
                with unchanged_cpu_randomness():
                    seed_everything(derived_seed(seed, "loader", epoch, k))
                    if items is None:
                        items = iter(self._make(epoch) if self._takes_epoch else self._make())
                    item = next(items, _END)
                if item is _END:
                    return
                yield item
        finally:
            if isinstance(items, Generator):
                items.close()


def _takes_epoch(make: Callable[..., Any]) -> bool:
    try:
        inspect.signature(make).bind(0)
    except (TypeError, ValueError):
        return False
    return True


def _pair(item: Any, count: int) -> tuple[Any, Any]:
    if isinstance(item, (tuple, list)) and len(item) == 2:
        return item[0], item[1]
    raise SchemaError(
        f"expected pairs of inputs and target, got {type(item).__name__}", f"sample {count}"
    )


def _cut(
    held: list[tuple[Tensor, Tensor]], size: int
) -> tuple[list[tuple[Tensor, Tensor]], list[tuple[Tensor, Tensor]]]:
    """Return the first `size` samples of what is held, and the rest."""
    taken, n = [], 0
    for k, (inputs, targets) in enumerate(held):
        room = size - n
        if len(inputs) >= room:
            taken.append((inputs[:room], targets[:room]))
            rest = held[k + 1 :]
            if len(inputs) > room:
                rest = [(inputs[room:], targets[room:]), *rest]
            return taken, rest
        taken.append((inputs, targets))
        n += len(inputs)
    return taken, []


def _ahead(items: Any, n: int) -> Any:
    """Yield items that a thread makes, at most n ahead; who closes this never waits for long."""
    if not n:
        yield from items
        return
    made: queue.Queue[Any] = queue.Queue(maxsize=n)
    stop = threading.Event()

    def put(value: Any) -> bool:
        while not stop.is_set():
            with contextlib.suppress(queue.Full):
                made.put(value, timeout=_SECONDS)
                return True
        return False

    def produce() -> None:
        try:
            for item in items:
                if not put((item, None)):
                    items.close()
                    return
            put((_END, None))
        except BaseException as error:  # it is raised where the batch is due
            put((_END, error))

    # A daemon: a generator that never returns does not keep the process alive.
    threading.Thread(target=produce, name="snellen-data", daemon=True).start()
    try:
        while True:
            item, error = made.get()
            if error is not None:
                raise error
            if item is _END:
                return
            yield item
    finally:
        stop.set()
