from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from snellen import AveragePrecision, Boxes, get_threads, set_threads
from snellen.errors import InputError
from snellen.threads import in_threads


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    set_threads(None)


def test_set_and_get() -> None:
    set_threads(3)
    assert get_threads() == 3
    set_threads(1)
    assert get_threads() == 1


@pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity"), reason="the system does not say what a process may use"
)
def test_none_is_every_processor_of_the_process() -> None:
    set_threads(7)
    set_threads(None)
    assert get_threads() == len(os.sched_getaffinity(0))


@pytest.mark.parametrize("n", [0, -1, 2.5, 2**40])
def test_fewer_than_one(n: int) -> None:
    set_threads(5)
    with pytest.raises(InputError, match=f"expected a whole number from 1 to 4096, got {n} - at n"):
        set_threads(n)
    assert get_threads() == 5


def random_boxes(seed: int, n: int, **columns: Any) -> Boxes:
    random = np.random.default_rng(seed)
    return Boxes.from_xywh(
        np.concatenate([random.integers(0, 9, (n, 2)), random.integers(1, 9, (n, 2))], axis=1),
        # Most of one class, so that it is cut into several blocks of work.
        image_id=random.integers(500, size=n),
        label=np.minimum(random.geometric(0.7, n), 5),
        image_ids=range(500),
        classes=dict.fromkeys(range(1, 6), ""),
        **columns,
    )


def test_the_number_of_threads_changes_no_byte() -> None:
    truth = random_boxes(1, 4000, crowd=np.arange(4000) % 20 == 0)
    pred = random_boxes(2, 60_000, score=np.random.default_rng(3).integers(0, 500, 60_000) / 500)
    states, curves = set(), set()
    for n in (1, 2, 8):
        set_threads(n)
        metric = AveragePrecision().update(truth, pred)
        states.add(metric.to_bytes())
        result = metric.compute()
        curves.add((result.precision.tobytes(), result.scores.tobytes(), result.recall.tobytes()))
    assert len(states) == len(curves) == 1
    # Not because there is nothing to count.
    assert 0.01 < result.AP50 < 0.99


@pytest.mark.parametrize("n_threads", [1, 3])
def test_jobs_in_order_and_few_ahead(n_threads: int) -> None:
    set_threads(n_threads)
    begun: list[int] = []

    def items() -> Iterator[int]:
        for i in range(100):
            begun.append(i)
            yield i

    for i, square in enumerate(in_threads(lambda item: item * item, items())):
        assert square == i * i
        assert len(begun) <= i + 1 + 2 * n_threads
    assert len(begun) == 100
    assert list(in_threads(str, [])) == []


@pytest.mark.parametrize("n_threads", [1, 3])
def test_after_an_error_no_job_starts(n_threads: int) -> None:
    set_threads(n_threads)
    begun: list[int] = []

    def job(item: int) -> float:
        begun.append(item)
        return 1 / (item - 5)

    with pytest.raises(ZeroDivisionError):
        list(in_threads(job, range(100)))
    assert len(begun) <= 6 + 2 * n_threads
