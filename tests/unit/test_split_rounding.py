"""Whole numbers of samples: largest remainder, small classes, totals; by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snellen.errors import InputError
from snellen.splits.ratios import Ratios, part_names
from snellen.splits.rounding import class_quotas, largest_remainder, small_class, total_quotas

SIX_TWO_TWO = Ratios.of("60/20/20")


def quotas(sizes: list[int], ratios: Ratios = SIX_TWO_TWO, *, small_rule: bool = True) -> list:
    n_parts = len(ratios.weights)
    tie = np.tile(np.arange(n_parts, 0, -1), (len(sizes), 1))
    counts = class_quotas(np.array(sizes, np.int64), ratios, tie, small_rule=small_rule, level=True)
    return counts.tolist()


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (1, [1, 0, 0]),  # one: the first part
        (2, [1, 0, 1]),  # two: the first and the last
        (3, [1, 1, 1]),  # 1.8 0.6 0.6
        (4, [2, 1, 1]),  # 2.4 0.8 0.8
        (5, [3, 1, 1]),
        (6, [4, 1, 1]),  # 3.6 1.2 1.2
        (7, [4, 2, 1]),  # 4.2 1.4 1.4: equal remainders, the larger tie number wins
        (8, [5, 2, 1]),  # 4.8 1.6 1.6: of the two that are left one goes to 0.8, one to 0.6
        (1001, [601, 200, 200]),  # 600.6 200.2 200.2
    ],
)
def test_a_class_alone(size: int, expected: list[int]) -> None:
    assert quotas([size]) == [expected]


def test_three_at_sixty_twenty_twenty_never_chain() -> None:
    # Splitting 60/40 and then the rest 50/50 fails with a class of three; at once it does not.
    assert quotas([3, 3, 3]) == [[1, 1, 1]] * 3


def test_small_classes_of_two_and_of_four_parts() -> None:
    eighty = Ratios.of("80/20")
    assert quotas([1], eighty) == [[1, 0]]
    assert quotas([2], eighty) == [[1, 1]]  # 1.6 0.4, but each part has one
    assert quotas([3], eighty) == [[2, 1]]
    four = Ratios.of("70/10/10/10")
    assert small_class(3, 4) == [0, 3, 1]
    assert quotas([1], four) == [[1, 0, 0, 0]]
    assert quotas([2], four) == [[1, 0, 0, 1]]
    assert quotas([3], four) == [[1, 1, 0, 1]]
    assert quotas([4], four) == [[1, 1, 1, 1]]
    assert quotas([6], four) == [[3, 1, 1, 1]]  # 4.2 0.6 0.6 0.6


def test_the_second_pass_brings_totals_to_what_was_asked() -> None:
    # Ten classes of 6: each alone is 4 1 1, together 40 10 10; asked are 36 12 12. Four classes
    # give a sample of their first part, two to the second, two to the third.
    counts = np.array(quotas([6] * 10))
    assert counts.sum(0).tolist() == [36, 12, 12]
    assert sorted(counts.tolist()) == [[3, 1, 2]] * 2 + [[3, 2, 1]] * 2 + [[4, 1, 1]] * 6


def test_the_class_whose_chi_square_grows_least_gives() -> None:
    # 6 and 60 + 1: quotas 3.6 1.2 1.2 and 36.6 12.2 12.2. Alone 4 1 1 and 37 12 12, together
    # 41 13 13; 67 samples ask for 40.2 13.4 13.4, that is 40 14 13. The large class gives: its
    # sample is a smaller share.
    assert quotas([6, 61]) == [[4, 1, 1], [36, 13, 12]]


def test_small_classes_that_weigh_more_than_all_others() -> None:
    # Five classes of one go to the first part; the class of five can give nothing more.
    assert quotas([1] * 5 + [5]) == [[1, 0, 0]] * 5 + [[3, 1, 1]]


def test_folds_have_no_first_part() -> None:
    ratios = Ratios.equal(3)
    tie = np.array([[3, 1, 2], [1, 3, 2], [1, 2, 3]])
    counts = class_quotas(np.array([1, 1, 1]), ratios, tie, small_rule=False, level=True)
    assert counts.tolist() == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 400), min_size=1, max_size=30),
    st.sampled_from(["60/20/20", "80/20", "70/10/10/10", "50/25/12.5/12.5", "33.3/33.3/33.4"]),
)
def test_quotas_hold_what_they_promise(sizes: list[int], text: str) -> None:
    ratios = Ratios.of(text)
    counts = np.array(quotas(sizes, ratios))
    n_parts = len(ratios.weights)
    asked = np.array(sizes)[:, None] * np.array(ratios.weights) / ratios.whole
    assert counts.sum(1).tolist() == sizes
    for row, size in zip(counts, sizes, strict=True):
        if size >= n_parts:
            assert row.min() >= 1
    large = np.array(sizes)[:, None] * np.array(ratios.shares) >= 1
    assert (np.abs(counts - asked)[large.all(1)] < 1).all()
    if large.all():
        assert np.abs(counts.sum(0) - sum(sizes) * np.array(ratios.shares)).max() < 1


@settings(deadline=None)
@given(st.lists(st.integers(1, 50), min_size=1, max_size=20), st.integers(2, 7))
def test_folds_differ_by_at_most_one(sizes: list[int], n_folds: int) -> None:
    counts = np.array(quotas(sizes, Ratios.equal(n_folds), small_rule=False))
    assert (np.ptp(counts, axis=1) <= 1).all()
    assert np.ptp(counts.sum(0)) <= 1


def test_largest_remainder_and_totals() -> None:
    tie = np.array([[1, 2]])
    half = Ratios.of("50/50")
    assert largest_remainder(np.array([3]), half, tie).tolist() == [[1, 2]]
    assert total_quotas(3, half).tolist() == [2, 1]
    assert total_quotas(0, half).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("given_ratios", "weights"),
    [
        ("60/20/20", (3, 1, 1)),
        ("0.8/0.2", (4, 1)),
        ("70 / 10 / 20", (7, 1, 2)),
        ("80%/20%", (4, 1)),
        ("33.3/33.3/33.4", (333, 333, 334)),
        ([0.6, 0.2, 0.2], (3, 1, 1)),
        ([1 / 3, 1 / 3, 1 / 3], (1, 1, 1)),
        ((60, 40), (3, 2)),
        ("100", (1,)),
    ],
)
def test_ratios(given_ratios: str, weights: tuple[int, ...]) -> None:
    assert Ratios.of(given_ratios) == Ratios(weights, sum(weights))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("60/20/30", "60/20/30 = 110"),
        ("3/1", "did you mean 75/25"),
        ("0.5/0.4", "= 0.9"),
        ("60/-20/60", "above 0"),
        ("100/0", "above 0"),
        ("a/b", "such as 60/20/20"),
        ("", "such as 60/20/20"),
        ("nan/1", "such as 60/20/20"),
        ("inf/1", "such as 60/20/20"),
    ],
)
def test_ratios_that_are_none(text: str, expected: str) -> None:
    with pytest.raises(InputError, match=expected):
        Ratios.of(text)


def test_names_of_parts() -> None:
    assert part_names(None, 2) == ("train", "test")
    assert part_names(None, 3) == ("train", "val", "test")
    assert part_names(None, 4) == ("part1", "part2", "part3", "part4")
    assert part_names(["a", "b"], 2) == ("a", "b")
    for names in (["a"], ["a", "A"], ["a", ""], ["a", "../b"], ["a", ".b"], ["a", "b c\n"]):
        with pytest.raises(InputError):
            part_names(names, 2)
