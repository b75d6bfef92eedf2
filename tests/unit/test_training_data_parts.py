"""Orders of samples, and parts whose arrays are on the device."""

import collections

import pytest
import torch

from snellen.errors import InputError, ShapeError
from snellen.training.data.parts import Order
from snellen.training.data.resident import ResidentPart


def test_an_order_is_a_permutation_of_its_seed_and_epoch_alone():
    order = Order(10, 4, seed=3)
    first = order.rows(0)
    assert sorted(first.tolist()) == list(range(10))
    assert torch.equal(first, Order(10, 7, seed=3).rows(0))
    assert not torch.equal(first, order.rows(1))
    assert not torch.equal(first, Order(10, 4, seed=4).rows(0))


def test_batches_cut_the_order_and_can_begin_anywhere():
    order = Order(10, 4, seed=3)
    whole = [rows.tolist() for rows in order.batches(2)]
    assert [len(rows) for rows in whole] == [4, 4, 2]
    assert order.n_batches == 3
    assert [row for rows in whole for row in rows] == order.rows(2).tolist()
    assert [rows.tolist() for rows in order.batches(2, start=1)] == whole[1:]
    assert list(order.batches(2, start=3)) == []


def test_a_short_last_batch_can_be_dropped():
    order = Order(10, 4, drop_last=True)
    assert order.n_batches == 2
    assert [len(rows) for rows in order.batches(0)] == [4, 4]
    assert list(order.batches(0, start=2)) == []


def test_without_shuffling_samples_keep_their_order():
    assert Order(5, 2, shuffled=False).rows(7).tolist() == [0, 1, 2, 3, 4]


def test_a_balanced_order_draws_every_class_equally_often():
    # 6, 2 and 1 samples of three classes: 9 draws, 3 of each class. The one of class 2 comes three
    # times; of the two of class 1, one twice and one once; three different ones of class 0.
    classes = torch.tensor([0, 0, 0, 0, 0, 0, 1, 1, 2])
    order = Order(9, 4, seed=1, balanced=classes)
    for epoch in range(4):
        rows = order.rows(epoch)
        assert torch.bincount(classes[rows]).tolist() == [3, 3, 3]
        times = collections.Counter(rows.tolist())
        assert times[8] == 3
        assert sorted((times[6], times[7])) == [1, 2]
        assert max(times[row] for row in range(6)) == 1
    assert torch.equal(order.rows(2), Order(9, 2, seed=1, balanced=classes).rows(2))


def test_a_balanced_order_gives_the_remainder_to_some_classes():
    # 5 draws of 2 classes: 3 and 2.
    classes = torch.tensor([0, 0, 0, 0, 1])
    counts = torch.bincount(classes[Order(5, 2, balanced=classes).rows(0)])
    assert sorted(counts.tolist()) == [2, 3]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Order(10, 0), "batch size from 1, got 0"),
        (lambda: Order(100, 1280), "at most the 100 samples, got 1,280"),
        (lambda: Order(0, 1), "expected samples, got none"),
        (lambda: Order(3, 1, balanced=torch.zeros(2).long()), "class for each of 3 samples, got 2"),
        (lambda: Order(None, 1, balanced=torch.zeros(2).long()), "known classes"),
        (lambda: Order(None, 4).rows(0), "a known number of samples"),
    ],
)
def test_orders_refuse_what_has_none(make, message):
    with pytest.raises(InputError, match=message):
        make()


def test_a_batch_may_be_larger_than_what_is_only_measured():
    assert [len(rows) for rows in Order(3, 8, shuffled=False).batches(0)] == [3]


def part_of(n: int) -> ResidentPart:
    """Samples that say what they are: the inputs of sample i are i, and so is its target."""
    return ResidentPart(
        torch.arange(n, dtype=torch.uint8)[:, None, None, None].expand(n, 2, 3, 4),
        torch.arange(n),
        [f"s{i}" for i in range(n)],
    )


def test_batches_hold_the_samples_of_the_order():
    part, order = part_of(10), Order(10, 4, seed=5)
    batches = list(part.batches(order, 1))
    assert [batch.rows.tolist() for batch in batches] == [r.tolist() for r in order.batches(1)]
    for batch in batches:
        assert batch.inputs.shape == (len(batch.rows), 2, 3, 4)
        assert batch.inputs.dtype == torch.uint8
        assert torch.equal(batch.inputs[:, 1, 2, 3].long(), batch.rows)
        assert torch.equal(batch.targets, batch.rows)
    again = list(part.batches(order, 1, start=2))
    assert torch.equal(again[0].inputs, batches[2].inputs)


def test_processes_share_batches_row_by_row():
    part, order = part_of(10), Order(10, 4, seed=5)
    whole = [batch.rows.tolist() for batch in part.batches(order, 0)]
    shares = [
        [batch.rows.tolist() for batch in part.batches(order, 0, within=slice(rank, None, 2))]
        for rank in range(2)
    ]
    assert [rows[0::2] for rows in whole] == shares[0]
    assert [rows[1::2] for rows in whole] == shares[1]


def test_label_maps_are_kept_in_bytes_and_come_as_whole_numbers():
    maps = torch.full((2, 3, 3), 255, dtype=torch.uint8)
    part = ResidentPart(torch.zeros(2, 1, 3, 3), maps)
    (batch,) = part.batches(Order(2, 2), 0)
    assert batch.targets.dtype == torch.int64
    assert batch.targets.unique().tolist() == [255]


def test_parts_are_taken_and_joined():
    part = part_of(6)
    some = part.take(torch.tensor([4, 1]))
    assert (some.n, some.targets.tolist(), some.ids) == (2, [4, 1], ["s4", "s1"])
    both = some.joined(part.take(torch.tensor([0])))
    assert (both.targets.tolist(), both.ids) == ([4, 1, 0], ["s4", "s1", "s0"])
    assert some.to("cpu") is some


def test_as_many_targets_and_names_as_inputs():
    with pytest.raises(ShapeError, match="each of 3 inputs, got 2"):
        ResidentPart(torch.zeros(3, 1), torch.zeros(2))
    with pytest.raises(ShapeError, match="a name for each of 3 inputs, got 1"):
        ResidentPart(torch.zeros(3, 1), torch.zeros(3), ["a"])
