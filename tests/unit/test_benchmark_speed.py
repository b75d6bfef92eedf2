"""Rounds of a network's speeds: their medians, and when they cannot be believed."""

from __future__ import annotations

from typing import Any

import pytest

from snellen.benchmark.speed import EndToEnd, Latency, Memory, Round, Speed, Throughput
from snellen.errors import InputError

LATENCY = Latency(100, 10, 0.010, 0.020, 0.040, 0.1, 1.0)
BATCH = Throughput(8, 50, 5, 400.0, 0.1, 1.0)
WHOLE = EndToEnd(640, 32, 200.0, 0.0, 0.002, 0.001, 0.004, 1.0)


def a_round(speed: float = 1.0, **changed: Any) -> Round:
    """A round that is so many times as fast, with other values in all three speeds."""

    def other(measured: Any) -> Any:
        there = {name: value for name, value in changed.items() if name in measured._fields}
        return measured._replace(**there)

    return Round(
        other(LATENCY._replace(p50=LATENCY.p50 / speed)),
        (other(BATCH._replace(images_per_second=400 * speed)),),
        other(WHOLE._replace(images_per_second=200 * speed)),
    )


def speed_of(*rounds: Round, threads: int = 1) -> Speed:
    return Speed(rounds, Memory(2, 1), threads)


def test_medians_of_rounds() -> None:
    found = speed_of(a_round(1.0), a_round(2.0), a_round(1.25))
    assert found.latency is not None
    assert found.latency.p50 == pytest.approx(0.008)
    assert (found.latency.n, found.latency.n_warm_up) == (300, 30)
    (batch,) = found.throughput
    assert (batch.images_per_second, batch.batch_size, batch.n) == (500.0, 8, 150)
    assert found.end_to_end is not None
    assert found.end_to_end.images_per_second == 250.0
    assert (found.end_to_end.n, found.end_to_end.batch_size) == (1920, 32)


def test_the_best_size_of_batches() -> None:
    more = BATCH._replace(batch_size=32, images_per_second=900.0)
    found = speed_of(Round(None, (BATCH, more), None), Round(None, (BATCH, more), None))
    assert found.best_throughput is not None
    assert (found.best_throughput.batch_size, found.best_throughput.n) == (32, 100)
    assert found.latency is None
    assert found.end_to_end is None
    assert speed_of(Round(None, (), None)).best_throughput is None


def test_rounds_as_plain_values_and_back() -> None:
    for each in (a_round(), Round(None, (), None)):
        assert Round.of_dict(each.to_dict()) == each
    for wrong in ({}, {"latency": {"p": 1}, "throughput": [], "end_to_end": None}):
        with pytest.raises(InputError, match="what a round measured"):
            Round.of_dict(wrong)


@pytest.mark.parametrize("threads", [1, 2, 16])
def test_of_a_quiet_machine_nothing_is_said(threads: int) -> None:
    # Threads wait for each other; a system's own work takes a little.
    for waited in (1.0, 1.1 * threads):
        rounds = a_round(1.0, waited=waited, queued=0.05), a_round(1.1, waited=waited)
        assert speed_of(*rounds, threads=threads).noise() == []


@pytest.mark.parametrize("threads", [1, 2])
def test_other_programs_are_said(threads: int) -> None:
    said = speed_of(a_round(), a_round(queued=0.5), threads=threads).noise()
    assert [text.split(":")[0] for text in said] == ["latency", "throughput at 8"]
    assert all("0.50 seconds in the queue" in text for text in said)
    # All threads together had less than one processor.
    said = speed_of(a_round(), a_round(waited=1.3 * threads), threads=threads).noise()
    assert [text.split(":")[0] for text in said] == ["latency", "end to end", "throughput at 8"]
    assert all("wall time was 1.30 of the processor's" in text for text in said)


@pytest.mark.parametrize("threads", [1, 4])
def test_a_disk_that_is_waited_for_is_no_other_program(threads: int) -> None:
    # An image takes 10 ms, 6 of them on the disk, with each thread's share at the same time.
    slow = WHOLE._replace(images_per_second=100.0, read=0.006 * threads, waited=threads / 0.4)
    assert speed_of(Round(None, (), slow), threads=threads).noise() == []
    other = slow._replace(read=0.003 * threads)
    (said,) = speed_of(Round(None, (), other), threads=threads).noise()
    assert "wall time was 1.75 of" in said


def test_rounds_that_differ_are_said() -> None:
    said = speed_of(a_round(1.0), a_round(1.3)).noise()
    assert len(said) == 3
    assert all("rounds differ by 30 %" in text for text in said)
