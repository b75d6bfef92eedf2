"""Parts that come in an order of their own."""

import threading
import time

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from snellen.errors import InputError, SchemaError, ShapeError
from snellen.training.data.iterable import IterablePart
from snellen.training.data.parts import Order


def numbers(epoch):
    for row in range(10):
        yield np.full(2, 100 * epoch + row, np.float32), row % 3


@pytest.mark.parametrize("prefetch", [0, 1, 5])
def test_samples_are_put_together_in_batches(prefetch):
    part = IterablePart(numbers, prefetch=prefetch)
    batches = list(part.batches(Order(None, 4), 2))
    assert [batch.rows.tolist() for batch in batches] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]
    assert torch.cat([batch.inputs for batch in batches])[:, 0].tolist() == list(range(200, 210))
    assert torch.cat([batch.targets for batch in batches]).tolist() == [i % 3 for i in range(10)]
    assert batches[0].targets.dtype == torch.int64


def test_batches_before_the_start_are_skipped():
    part = IterablePart(numbers)
    whole = list(part.batches(Order(None, 4), 0))
    rest = list(part.batches(Order(None, 4), 0, start=1))
    assert [batch.rows.tolist() for batch in rest] == [batch.rows.tolist() for batch in whole[1:]]
    assert torch.equal(rest[0].inputs, whole[1].inputs)
    assert list(part.batches(Order(None, 4), 0, start=3)) == []


def test_a_short_last_batch_can_be_dropped():
    part = IterablePart(numbers)
    assert [len(b.rows) for b in part.batches(Order(10, 4, drop_last=True), 0)] == [4, 4]


def test_processes_share_batches_row_by_row():
    part = IterablePart(numbers)
    mine = [b.rows.tolist() for b in part.batches(Order(10, 4), 0, within=slice(1, None, 2))]
    assert mine == [[1, 3], [5, 7], [9]]


def test_samples_are_counted_and_their_targets_kept():
    part = IterablePart(lambda: numbers(0)).counted()
    assert part.n == 10
    assert part.targets.tolist() == [i % 3 for i in range(10)]
    assert part.input_shape == (2,)


def test_an_endless_iterable_ends_where_the_epoch_does():
    def endless():
        row = 0
        while True:
            yield np.full(1, row, np.float32), 0.5
            row += 1

    part = IterablePart(endless, 10)
    assert [b.rows.tolist() for b in part.batches(Order(10, 4), 0)][-1] == [8, 9]


def test_fewer_samples_than_were_counted_are_refused():
    part = IterablePart(lambda epoch: list(numbers(0))[: 10 - epoch])
    with pytest.raises(InputError, match="expected 10 samples an epoch, the iterable has 9"):
        list(part.batches(Order(10, 4), 1))


def test_batches_of_a_loader_are_cut_to_the_size_asked_for():
    data = TensorDataset(torch.arange(10.0)[:, None], torch.arange(10))
    part = IterablePart(lambda: DataLoader(data, batch_size=3), 10, batched=True, prefetch=0)
    batches = list(part.batches(Order(10, 4), 0))
    assert [batch.targets.tolist() for batch in batches] == [[0, 1, 2, 3], [4, 5, 6, 7], [8, 9]]


def test_a_loader_shuffles_the_same_way_each_time_and_leaves_random_numbers_alone():
    data = TensorDataset(torch.arange(20.0)[:, None], torch.arange(20))
    loader = DataLoader(data, batch_size=4, shuffle=True)
    part = IterablePart(lambda: loader, 20, batched=True, prefetch=0, seeded=True)

    def epoch(k):
        return torch.cat([batch.targets for batch in part.batches(Order(20, 4), k)]).tolist()

    torch.manual_seed(7)
    state = torch.get_rng_state()
    first = epoch(0)
    assert torch.equal(torch.get_rng_state(), state)
    torch.rand(3)
    assert epoch(0) == first
    assert epoch(1) != first
    assert sorted(first) == list(range(20))


def test_an_error_comes_at_its_batch_with_the_number_of_the_sample():
    def broken():
        for row in range(10):
            if row == 6:
                raise ValueError("no\nsuch file")
            yield np.zeros(1), row

    batches = IterablePart(broken).batches(Order(10, 4), 0)
    assert next(batches).rows.tolist() == [0, 1, 2, 3]
    with pytest.raises(InputError, match="ValueError: no such file - at epoch 0 sample 6"):
        next(batches)


def test_what_is_no_pair_or_of_another_shape_is_refused():
    with pytest.raises(SchemaError, match="pairs of inputs and target, got int - at sample 0"):
        list(IterablePart(lambda: [7]).batches(Order(None, 1), 0))
    shapes = [(np.zeros(2), 0), (np.zeros(3), 0)]
    with pytest.raises(ShapeError, match=r"shape \(2,\), got \(3,\) - at sample 1"):
        list(IterablePart(lambda: shapes).batches(Order(None, 1), 0))
    with pytest.raises(InputError, match="the iterable has none"):
        IterablePart(lambda: iter(())).input_shape  # noqa: B018


def test_whoever_leaves_early_does_not_wait():
    closed = threading.Event()

    def slow():
        try:
            for row in range(100):
                if row > 2:
                    time.sleep(0.2)
                yield np.zeros(1), row
        finally:
            closed.set()

    batches = IterablePart(slow, prefetch=2).batches(Order(100, 2), 0)
    next(batches)
    begin = time.monotonic()
    batches.close()
    assert time.monotonic() - begin < 0.15
    assert closed.wait(5)
