"""How fast a network is: three speeds, which are kept apart, and what they were measured on."""

from __future__ import annotations

import dataclasses
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from snellen.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["EndToEnd", "Latency", "Memory", "Round", "Speed", "Throughput"]


class Latency(NamedTuple):
    """Seconds of single images, one at a time, resident where the network is.

    Attributes
    ----------
    n, n_warm_up : int
        How many were timed, and how many went before.
    p50, p90, p99 : float
        Seconds that half, nine of ten, 99 of 100 did not exceed.
    spread : float
        The middle half, from its shortest to its longest, by the median.
    waited : float
        Wall time by processor time per thread: 1 on a machine that does nothing else, and where all
        threads are at work all the time.
    queued : float
        Seconds that threads waited for a processor which other programs had, by seconds that they
        had one: about 0 on a machine that does nothing else; 0 where the system does not say it.
    """

    n: int
    n_warm_up: int
    p50: float
    p90: float
    p99: float
    spread: float
    waited: float
    queued: float = 0.0


class Throughput(NamedTuple):
    """Images per second of batches that are resident where the network is.

    Attributes
    ----------
    batch_size : int
        Images of a batch.
    n, n_warm_up : int
        How many batches were timed, and how many went before.
    images_per_second : float
        By the median batch.
    spread, waited, queued : float
        As in `Latency`.
    """

    batch_size: int
    n: int
    n_warm_up: int
    images_per_second: float
    spread: float
    waited: float
    queued: float = 0.0


class EndToEnd(NamedTuple):
    """Images per second from files to scores, everything at work at once.

    Attributes
    ----------
    n : int
        Images.
    batch_size : int
        Of the network.
    images_per_second : float
        Whole batches by wall time.
    read, decode, preprocess : float
        Seconds that threads spent on an image, each by itself: more threads do more at a time.
    inference : float
        Seconds of wall time of the network for an image, copies there and back with it.
    waited : float
        As in `Latency`, of all threads.
    """

    n: int
    batch_size: int
    images_per_second: float
    read: float
    decode: float
    preprocess: float
    inference: float
    waited: float


class Memory(NamedTuple):
    """Bytes of the process that runs one network alone.

    Attributes
    ----------
    host_peak : int
        The most that it had of the machine's memory, libraries with it.
    host_loaded : int
        What it had when the network was loaded, and had predicted nothing.
    device_peak : int or None
        The most of the GPU's; None on a CPU.
    """

    host_peak: int
    host_loaded: int
    device_peak: int | None = None


class Round(NamedTuple):
    """What one round measured; None where something was not asked for."""

    latency: Latency | None
    throughput: tuple[Throughput, ...]
    end_to_end: EndToEnd | None

    def to_dict(self) -> dict[str, Any]:
        """Return it in plain values."""
        return {
            "latency": None if self.latency is None else self.latency._asdict(),
            "throughput": [each._asdict() for each in self.throughput],
            "end_to_end": None if self.end_to_end is None else self.end_to_end._asdict(),
        }

    @classmethod
    def of_dict(cls, plain: Mapping[str, Any]) -> Round:
        """Return what `to_dict` gave.

        Raises
        ------
        InputError
            For anything else.
        """
        try:
            latency, whole = plain["latency"], plain["end_to_end"]
            return cls(
                None if latency is None else Latency(**latency),
                tuple(Throughput(**each) for each in plain["throughput"]),
                None if whole is None else EndToEnd(**whole),
            )
        except (KeyError, TypeError) as error:
            raise InputError(f"expected what a round measured: {error!r}") from None


_NOISY_WAIT = 1.15  # wall time, by that of all processors together
_NOISY_QUEUE = 0.15  # time in the queue for a processor, by that on it
_NOISY_SPREAD = 0.15  # between rounds


@dataclasses.dataclass(frozen=True)
class Speed:
    """The rounds of one network, and their medians.

    Between two rounds of a network those of the others ran: a machine that becomes slower does so
    to all.

    Parameters
    ----------
    rounds : sequence of Round
        One or more.
    memory : Memory
        Of the process.
    threads : int
        Of the processor.
    """

    rounds: Sequence[Round]
    memory: Memory
    threads: int = 1

    @property
    def latency(self) -> Latency | None:
        """Medians over rounds, number by number; counts are sums."""
        middle: Latency | None = _middle([each.latency for each in self.rounds])
        return middle

    @property
    def throughput(self) -> tuple[Throughput, ...]:
        """Medians over rounds, for each size of batches."""
        sizes = [each.batch_size for each in self.rounds[0].throughput]
        found = []
        for size in sizes:
            of_size = [
                each for one in self.rounds for each in one.throughput if each.batch_size == size
            ]
            middle = _middle(of_size)
            assert middle is not None, "the first round has it"
            found.append(middle._replace(batch_size=size))
        return tuple(found)

    @property
    def best_throughput(self) -> Throughput | None:
        """That of the batch size with most images per second."""
        return max(self.throughput, key=lambda each: each.images_per_second, default=None)

    @property
    def end_to_end(self) -> EndToEnd | None:
        """Medians over rounds."""
        middle = _middle([each.end_to_end for each in self.rounds])
        first = self.rounds[0].end_to_end
        return (
            None
            if middle is None or first is None
            else middle._replace(batch_size=first.batch_size)
        )

    def noise(self) -> list[str]:
        """Return in words why the machine cannot be believed; nothing where it can."""
        said = []
        for name in ("latency", "end_to_end"):
            found = [getattr(each, name) for each in self.rounds if getattr(each, name) is not None]
            said += _noise(name.replace("_", " "), found, self.threads)
        for size in [each.batch_size for each in self.rounds[0].throughput]:
            of_size = [
                each for one in self.rounds for each in one.throughput if each.batch_size == size
            ]
            said += _noise(f"throughput at {size}", of_size, self.threads)
        return said

    def to_dict(self) -> dict[str, Any]:
        """Return it in plain values, rounds and medians."""
        middle = Round(self.latency, self.throughput, self.end_to_end)
        return {
            **middle.to_dict(),
            "memory": self.memory._asdict(),
            "threads": self.threads,
            "noise": self.noise(),
            "rounds": [each.to_dict() for each in self.rounds],
        }


def _middle(found: Sequence[Any]) -> Any:
    there = [each for each in found if each is not None]
    if not there:
        return None
    counts = ("n", "n_warm_up")
    return type(there[0])(
        **{
            name: (sum if name in counts else median)(getattr(each, name) for each in there)
            for name in there[0]._fields
        }
    )


def _noise(what: str, found: Sequence[Any], threads: int) -> list[str]:
    if not found:
        return []
    said = []
    queued = max(getattr(each, "queued", 0.0) for each in found)
    waited = max(_waited_for_others(each, threads) for each in found)
    if queued > _NOISY_QUEUE:
        said.append(
            f"{what}: {queued:.2f} seconds in the queue for a processor that others had, for each "
            "second on it"
        )
    elif waited > _NOISY_WAIT:
        said.append(f"{what}: wall time was {waited:.2f} of the processor's")
    speeds = [
        1 / each.p50 if isinstance(each, Latency) else each.images_per_second for each in found
    ]
    if max(speeds) > (1 + _NOISY_SPREAD) * min(speeds):
        said.append(f"{what}: rounds differ by {100 * max(speeds) / min(speeds) - 100:.0f} %")
    return said


def _waited_for_others(measured: Any, threads: int) -> float:
    """Return wall time by the processor's, of all threads together: 1 at most, if nobody disturbs.

    One thread at least is always at work, but for the time in which files are waited for.
    """
    share: float = measured.waited / threads
    if isinstance(measured, EndToEnd):
        share *= max(0.0, 1 - measured.read / threads * measured.images_per_second)
    return share
