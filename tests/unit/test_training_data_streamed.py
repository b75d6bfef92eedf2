"""Parts whose samples are loaded when they are due."""

import random
import threading
import time

import numpy as np
import pytest
import torch

from snellen.errors import InputError, SchemaError, ShapeError
from snellen.training.data.parts import Order
from snellen.training.data.streamed import StreamedPart


def stream(n: int = 50, **options) -> StreamedPart:
    """Samples that say what they are."""
    return StreamedPart(
        lambda row: (np.full((1, 2, 2), row, np.uint8), row),
        n,
        torch.arange(n) * 10,
        [f"{row}.png" for row in range(n)],
        **options,
    )


def test_batches_come_in_the_order_whatever_the_threads():
    def load(row):
        time.sleep(random.Random(row).random() * 0.002)
        return np.full((1, 2, 2), row, np.uint8), 0

    order = Order(50, 7, seed=2)
    expected = [rows.tolist() for rows in order.batches(3)]
    for threads, prefetch in ((1, 1), (2, 3), (5, 2)):
        part = StreamedPart(load, 50, torch.arange(50), threads=threads, prefetch=prefetch)
        batches = list(part.batches(order, 3))
        assert [batch.rows.tolist() for batch in batches] == expected
        for batch in batches:
            assert torch.equal(batch.inputs[:, 0, 1, 1].long(), batch.rows)
            assert torch.equal(batch.targets, batch.rows)


def test_an_epoch_can_begin_at_any_batch():
    part, order = stream(), Order(50, 7, seed=2)
    whole = list(part.batches(order, 0))
    rest = list(part.batches(order, 0, start=6))
    assert len(rest) == 2
    assert torch.equal(rest[0].inputs, whole[6].inputs)
    assert torch.equal(rest[0].targets, whole[6].targets)


def test_processes_load_only_their_rows():
    seen = []
    part = StreamedPart(
        lambda row: (seen.append(row), (np.zeros(2, np.float32), 0))[1],
        8,
        torch.arange(8),
        input_shape=(2,),
        dtype=torch.float32,
    )
    order = Order(8, 4, seed=1)
    mine = [b.rows.tolist() for b in part.batches(order, 0, within=slice(1, None, 2))]
    assert mine == [rows.tolist()[1::2] for rows in order.batches(0)]
    assert sorted(seen) == sorted(row for rows in mine for row in rows)


def test_no_more_is_loaded_ahead_than_allowed():
    loaded = []
    part = StreamedPart(
        lambda row: (loaded.append(row), (np.zeros(1, np.uint8), 0))[1],
        1000,
        torch.zeros(1000).long(),
        input_shape=(1,),
        dtype=torch.uint8,
        threads=2,
        prefetch=3,
    )
    batches = part.batches(Order(1000, 10), 0)
    next(batches)
    time.sleep(0.05)
    # The first batch is out; three more at most are on their way.
    assert len(loaded) <= 40
    batches.close()


def test_whoever_leaves_early_does_not_wait_and_leaves_nothing_running():
    started = threading.Event()

    def load(row):
        if row > 3:
            started.set()
            time.sleep(0.5)
        return np.zeros(1, np.uint8), 0

    part = StreamedPart(
        load, 400, torch.zeros(400).long(), input_shape=(1,), dtype=torch.uint8, threads=2
    )
    batches = part.batches(Order(400, 4, shuffled=False), 0)
    next(batches)
    started.wait(5)
    begin = time.monotonic()
    batches.close()
    assert time.monotonic() - begin < 0.3
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and any(
        thread.name.startswith("snellen-data") for thread in threading.enumerate()
    ):
        time.sleep(0.05)
    assert not any(thread.name.startswith("snellen-data") for thread in threading.enumerate())


def test_an_error_comes_at_its_batch_with_the_name_of_the_file():
    def load(row):
        if row == 25:
            raise SchemaError("expected a whole image, got half of one")
        return np.full(1, row, np.uint8), 0

    part = StreamedPart(
        load, 50, torch.arange(50), [f"{i}.png" for i in range(50)], threads=3, prefetch=6
    )
    batches = part.batches(Order(50, 10, shuffled=False), 0)
    assert next(batches).rows[0] == 0
    assert next(batches).rows[0] == 10
    with pytest.raises(SchemaError, match=r"half of one - at 25\.png$"):
        next(batches)


def test_what_foreign_code_raises_gets_the_sample():
    def load(row):
        if row == 2:
            raise KeyError("label")
        return np.zeros(1, np.float32), row

    part = StreamedPart(load, 4)
    with pytest.raises(InputError, match="KeyError: 'label' - at sample 2") as caught:
        list(part.batches(Order(4, 4), 0))
    assert isinstance(caught.value.__cause__, KeyError)


def test_samples_of_another_shape_are_named():
    part = StreamedPart(lambda row: (np.zeros(3 if row == 1 else 2), 0), 3)
    assert part.input_shape == (2,)
    with pytest.raises(ShapeError, match=r"shape \(2,\), got \(3,\) - at sample 1"):
        list(part.batches(Order(3, 3), 0))


def test_targets_that_are_loaded_get_the_types_of_tasks():
    classes = StreamedPart(lambda row: (np.zeros(2), row), 3)
    (batch,) = classes.batches(Order(3, 3, shuffled=False), 0)
    assert batch.targets.dtype == torch.int64
    assert batch.targets.tolist() == [0, 1, 2]
    numbers = StreamedPart(lambda row: (np.zeros(2), row / 2), 3)
    (batch,) = numbers.batches(Order(3, 3, shuffled=False), 0)
    assert batch.targets.tolist() == [[0.0], [0.5], [1.0]]
    assert batch.inputs.dtype == torch.float32


def test_parts_are_taken_and_joined():
    part = stream(6)
    some = part.take(torch.tensor([4, 1]))
    both = some.joined(part.take(torch.tensor([0])))
    assert both.ids == ["4.png", "1.png", "0.png"]
    assert both.targets.tolist() == [40, 10, 0]
    (batch,) = both.batches(Order(3, 3, shuffled=False), 0)
    assert batch.inputs[:, 0, 0, 0].tolist() == [4, 1, 0]


def test_threads_and_prefetch_are_at_least_one():
    with pytest.raises(InputError, match="expected threads from 1, got 0"):
        stream(threads=0)
    with pytest.raises(InputError, match="expected prefetch from 1, got 0"):
        stream(prefetch=0)
