"""All randomness of training, as pure functions of (seed, epoch, step).

Nothing here has a state that runs on. So a run resumes exactly wherever it stopped, any number of
workers and processes draws the same numbers, and a single step can be replayed alone.
"""

from __future__ import annotations

import contextlib
import hashlib
from typing import TYPE_CHECKING, Any, TypeVar

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torch import Tensor

__all__ = [
    "Draws",
    "derived_seed",
    "drew",
    "generator",
    "permutation",
    "seed_everything",
    "unchanged_cpu_randomness",
    "unchanged_randomness",
]

T = TypeVar("T")


def derived_seed(seed: int, *path: int | str) -> int:
    """Return a seed for one purpose: 63 bits of BLAKE2b of the seed and the path.

    Examples
    --------
    >>> derived_seed(0, "order", 3) == derived_seed(0, "order", 3)
    True
    >>> derived_seed(0, "order", 3) == derived_seed(0, "order", 4)
    False
    """
    text = "\0".join(str(part) for part in (seed, *path))
    digest = hashlib.blake2b(text.encode(), digest_size=8, person=b"snellen").digest()
    return int.from_bytes(digest, "little") >> 1


def generator(seed: int, *path: int | str, device: torch.device | str = "cpu") -> torch.Generator:
    """Return a generator of its own for one purpose."""
    made = torch.Generator(device)
    made.manual_seed(derived_seed(seed, *path))
    return made


def permutation(n: int, seed: int, epoch: int) -> Tensor:
    """Return the order of an epoch: a permutation of 0 … n − 1, int64, on the CPU."""
    return torch.randperm(n, generator=generator(seed, "order", epoch))


class Draws:
    """The random numbers of one step, for a whole batch, of which a process may hold some rows.

    Numbers are drawn for all samples of the batch, wherever they are processed, and then cut to
    the rows of this process: so the number of processes changes no sample.

    Parameters
    ----------
    seed, epoch, step : int
        What the numbers are a function of.
    n : int
        The samples of the whole batch.
    rows : slice
        Those that are here; all of them by default.
    device : torch.device or str
        Where the numbers are needed. They are drawn on the CPU: the same on every device.
    """

    __slots__ = ("_generator", "device", "epoch", "n", "rows")

    def __init__(
        self,
        seed: int,
        epoch: int,
        step: int,
        n: int,
        rows: slice = slice(None),
        device: torch.device | str = "cpu",
    ) -> None:
        self._generator = generator(seed, "augmentation", epoch, step)
        self.epoch = epoch
        self.n = n
        self.rows = rows
        self.device = device

    def uniform(self, *tail: int) -> Tensor:
        """Return float32 numbers in [0, 1), shape (rows, *tail)."""
        return self._here(torch.rand(self.n, *tail, generator=self._generator))

    def integers(self, low: int, high: int, *tail: int) -> Tensor:
        """Return int64 numbers in [low, high), shape (rows, *tail)."""
        return self._here(torch.randint(low, high, (self.n, *tail), generator=self._generator))

    def permutation(self) -> Tensor:
        """Return a permutation of the whole batch, int64, shape (n,): who is mixed with whom."""
        return torch.randperm(self.n, generator=self._generator).to(self.device)

    def beta(self, alpha: float, n: int = 1) -> Tensor:
        """Return n float64 numbers of the distribution Beta(alpha, alpha), on the CPU."""
        # Of two gammas; torch draws these from a generator only in its internal functions.
        shape = torch.full((2, n), alpha, dtype=torch.float64)
        first, second = torch._standard_gamma(shape, generator=self._generator)
        share: Tensor = first / (first + second)
        return share

    def _here(self, drawn: Tensor) -> Tensor:
        return drawn[self.rows].to(self.device)


@contextlib.contextmanager
def unchanged_randomness() -> Iterator[None]:
    """Give the caller's random numbers back as they were: of Python, NumPy and torch."""
    with torch.random.fork_rng(), unchanged_cpu_randomness():
        yield


@contextlib.contextmanager
def unchanged_cpu_randomness() -> Iterator[None]:
    """Give back those of the CPU alone: cheap enough for every batch."""
    import random

    import numpy as np

    python, numbers, torchs = _states()
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numbers)  # noqa: NPY002 - the global one, to restore it
        torch.set_rng_state(torchs)


def seed_everything(seed: int) -> None:
    """Seed what a user's code draws from on the CPU: of Python, NumPy and torch."""
    import random

    import numpy as np

    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002 - the global one, which others' code draws from
    torch.default_generator.manual_seed(seed)


def drew(job: Callable[[], T]) -> tuple[T, bool]:
    """Do a job; return what it gives, and whether it drew any global random numbers of the CPU.

    These are the same each time, and the caller's are given back as they were.
    """
    with unchanged_cpu_randomness():
        seed_everything(0)
        before = _states()
        done = job()
        after = _states()
    same = before[0] == after[0] and torch.equal(before[2], after[2])
    same = same and before[1][2] == after[1][2] and bool((before[1][1] == after[1][1]).all())
    return done, not same


def _states() -> tuple[Any, Any, Tensor]:
    import random

    import numpy as np

    return random.getstate(), np.random.get_state(), torch.get_rng_state()  # noqa: NPY002
