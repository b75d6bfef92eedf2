"""Parts whose samples are loaded when they are due: by threads, some batches ahead, in order."""

from __future__ import annotations

import collections
import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from snellen.errors import InputError, ShapeError, SnellenError
from snellen.threads import usable_threads
from snellen.training.data.parts import EVERY_ROW, Batch
from snellen.training.randomness import derived_seed, seed_everything, unchanged_cpu_randomness

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from concurrent.futures import Future

    from torch import Tensor

    from snellen.training.data.parts import Order

__all__ = ["StreamedPart"]


class StreamedPart:
    """Samples that are loaded one by one, as batches need them.

    Parameters
    ----------
    load : callable
        Returns the inputs and the target of the sample of a number: an array (C, H, W) or (F,),
        and a number or an array. Several threads call it at a time.
    n : int
        How many samples there are.
    targets : Tensor, optional
        The targets of all, where they are known; they count, not those that `load` returns.
    ids : sequence of str, optional
        What samples are called: errors name them.
    input_shape : tuple of int, optional
        The shape of a sample's inputs; without, the first sample is loaded to see it.
    dtype : torch.dtype, optional
        The type of inputs; without, that of the first sample.
    marks : Tensor, optional
        A number for each sample that another content would change, such as the size of its file.
    threads : int, optional
        How many load; one for each processor by default.
    prefetch : int
        How many batches are on their way at most.
    seeded : bool
        Whether `load` draws global random numbers of Python, NumPy or torch. They are then those
        of the order's seed, the epoch and the sample's place in it, and samples are loaded when
        they are due, not meanwhile: the network draws from the same.
    device : torch.device or str
        Where batches are made.

    Raises
    ------
    InputError
        What `load` raises, with the sample's name, when its batch is due.
    """

    def __init__(
        self,
        load: Callable[[int], tuple[Any, Any]],
        n: int,
        targets: Tensor | None = None,
        ids: Sequence[str] | None = None,
        *,
        input_shape: tuple[int, ...] | None = None,
        dtype: torch.dtype | None = None,
        marks: Tensor | None = None,
        threads: int | None = None,
        prefetch: int = 4,
        seeded: bool = False,
        device: torch.device | str = "cpu",
    ) -> None:
        for name, value in (("threads", threads), ("prefetch", prefetch)):
            if value is not None and value < 1:
                raise InputError(f"expected {name} from 1, got {value}")
        for what, known in (("a target", targets), ("a name", ids), ("a mark", marks)):
            if known is not None and len(known) != n:
                raise ShapeError(f"expected {what} for each of {n:,} samples, got {len(known):,}")
        self._load = load
        self.n = n
        self.targets = targets
        self.ids = ids
        self.marks = marks
        self.threads = threads or usable_threads()
        self.prefetch = prefetch
        self.seeded = seeded
        self.device = torch.device(device)
        if n and (input_shape is None or dtype is None):
            first = _tensor(self._sample(0)[0])
            input_shape, dtype = tuple(first.shape), _dtype(first)
        self.input_shape = input_shape or ()
        self._dtype = dtype or torch.float32

    def __repr__(self) -> str:
        return f"StreamedPart({self.n:,} of {self.input_shape}, {self.threads} threads)"

    def batches(
        self, order: Order, epoch: int, start: int = 0, *, within: slice = EVERY_ROW
    ) -> Iterator[Batch]:
        """Yield the batches of an epoch; see `Part.batches`."""
        if self.seeded:
            yield from self._drawn(order, epoch, start, within)
            return
        plan = (rows[within] for rows in order.cut(order.rows(epoch), start))
        stop = threading.Event()
        pool = ThreadPoolExecutor(self.threads, thread_name_prefix="snellen-data")
        due: collections.deque[tuple[_Room, list[Future[None]]]] = collections.deque()

        def send(rows: Tensor) -> None:
            room = _Room(self, rows)
            share = max(1, -(-len(rows) // self.threads))
            due.append(
                (
                    room,
                    [
                        pool.submit(room.fill, first, min(first + share, len(rows)), stop)
                        for first in range(0, len(rows), share)
                    ],
                )
            )

        try:
            for rows in itertools.islice(plan, self.prefetch):
                send(rows)
            while due:
                room, jobs = due.popleft()
                for job in jobs:
                    job.result()
                for rows in itertools.islice(plan, 1):
                    send(rows)
                yield room.batch()
        finally:
            # Whoever leaves early does not wait for what is still being loaded.
            stop.set()
            pool.shutdown(wait=False, cancel_futures=True)

    def _drawn(self, order: Order, epoch: int, start: int, within: slice) -> Iterator[Batch]:
        """Yield batches of samples each of which has random numbers of its own."""
        whole = order.rows(epoch)
        places = order.cut(torch.arange(len(whole)), start)
        never = threading.Event()
        for rows, of_batch in zip(order.cut(whole, start), places, strict=True):
            room = _Room(self, rows[within])
            with unchanged_cpu_randomness():
                for k, place in enumerate(of_batch[within].tolist()):
                    seed_everything(derived_seed(order.seed, "sample", epoch, place))
                    room.fill(k, k + 1, never)
            yield room.batch()

    def take(self, rows: Tensor) -> StreamedPart:
        """Return the part of some samples."""
        load, place = self._load, rows.tolist()
        return self._like(
            lambda row: load(place[row]),
            len(place),
            None if self.targets is None else self.targets[rows],
            None if self.ids is None else [self.ids[row] for row in place],
            None if self.marks is None else self.marks[rows],
        )

    def joined(self, other: StreamedPart) -> StreamedPart:
        """Return the samples of this part and then those of another."""
        n, first, second = self.n, self._load, other._load
        return self._like(
            lambda row: first(row) if row < n else second(row - n),
            n + other.n,
            _both(self.targets, other.targets),
            None if self.ids is None or other.ids is None else [*self.ids, *other.ids],
            _both(self.marks, other.marks),
            seeded=self.seeded or other.seeded,
        )

    def to(self, device: torch.device | str) -> StreamedPart:
        """Return the part with its batches on a device."""
        moved = self._like(self._load, self.n, self.targets, self.ids, self.marks)
        moved.device = torch.device(device)
        return moved

    def _like(
        self,
        load: Callable[[int], tuple[Any, Any]],
        n: int,
        targets: Tensor | None,
        ids: Sequence[str] | None,
        marks: Tensor | None,
        *,
        seeded: bool = False,
    ) -> StreamedPart:
        return StreamedPart(
            load,
            n,
            targets,
            ids,
            input_shape=self.input_shape,
            dtype=self._dtype,
            marks=marks,
            threads=self.threads,
            prefetch=self.prefetch,
            seeded=seeded or self.seeded,
            device=self.device,
        )

    def _sample(self, row: int) -> tuple[Any, Any]:
        place = f"sample {row}" if self.ids is None else self.ids[row]
        try:
            inputs, target = self._load(row)
        except SnellenError as error:
            if error.place:
                raise
            raise error.within(place) from error
        except Exception as error:  # what a user's code raises, with its place
            reason = " ".join(str(error).split())
            raise InputError(
                f"expected inputs and a target, got {type(error).__name__}: {reason}", place
            ) from error
        return inputs, target


class _Room:
    """The room of a batch, which several threads fill."""

    def __init__(self, part: StreamedPart, rows: Tensor) -> None:
        self._part = part
        self._rows = rows
        self._pinned = part.device.type == "cuda"
        # Threads fill it, which know nothing of a mode that this one measures in.
        with torch.inference_mode(mode=False):
            self._inputs = torch.empty(
                (len(rows), *part.input_shape), dtype=part._dtype, pin_memory=self._pinned
            )
        self._targets: list[Any] = [None] * len(rows)

    def fill(self, first: int, end: int, stop: threading.Event) -> None:
        part = self._part
        for place, row in enumerate(self._rows[first:end].tolist(), first):
            if stop.is_set():
                return
            inputs, self._targets[place] = part._sample(row)
            inputs = _tensor(inputs)
            if tuple(inputs.shape) != part.input_shape:
                raise ShapeError(
                    f"expected inputs of shape {part.input_shape}, got {tuple(inputs.shape)}",
                    f"sample {row}" if part.ids is None else part.ids[row],
                )
            self._inputs[place] = inputs

    def batch(self) -> Batch:
        known, device = self._part.targets, self._part.device
        targets = stacked(self._targets) if known is None else known.index_select(0, self._rows)
        return Batch(
            self._rows,
            self._inputs.to(device, non_blocking=self._pinned),
            targets.to(device),
        )


def stacked(targets: Sequence[Any]) -> Tensor:
    """Return targets of samples as one tensor: int64 for whole numbers, else float32."""
    tensors = [_tensor(target) for target in targets]
    whole = torch.stack(tensors)
    if whole.is_floating_point():
        # One number a sample is a column of its own: targets of regression have two axes.
        return (whole[:, None] if whole.ndim == 1 else whole).float()
    return whole.long()


def _tensor(value: Any) -> Tensor:
    if isinstance(value, torch.Tensor):
        return value
    array = np.asarray(value)
    # Torch warns of arrays that cannot be written to, such as those of Pillow's images.
    return torch.from_numpy(array if array.flags.writeable else array.copy())


def _dtype(inputs: Tensor) -> torch.dtype:
    return torch.uint8 if inputs.dtype == torch.uint8 else torch.float32


def _both(first: Tensor | None, second: Tensor | None) -> Tensor | None:
    return None if first is None or second is None else torch.cat([first, second])
