"""The Pareto front, against trying all pairs."""

from __future__ import annotations

import math
import random

import pytest

from snellen.benchmark.pareto import front


def beaten(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Return whether the other is as good in both, and better in one."""
    return other[0] >= one[0] and other[1] >= one[1] and other != one


def by_hand(points: list[tuple[float, float]]) -> list[int]:
    there = [point for point in points if not any(math.isnan(x) for x in point)]
    return [
        k
        for k, point in enumerate(points)
        if point in there and not any(beaten(point, other) for other in there)
    ]


@pytest.mark.parametrize("seed", range(300))
def test_against_all_pairs(seed: int) -> None:
    draw = random.Random(seed)
    values = [0.0, 1.0, 2.0, 2.5, -1.0, math.inf, -math.inf, math.nan][: draw.randint(2, 8)]
    points = [(draw.choice(values), draw.choice(values)) for _ in range(draw.randint(0, 12))]
    assert front(points) == by_hand(points)


def test_equal_points_are_both_on_it() -> None:
    # The third is as accurate as the second and slower.
    assert front([(0.9, 10.0), (0.8, 30.0), (0.8, 20.0), (0.9, 10.0)]) == [0, 1, 3]


def test_nothing() -> None:
    assert front([]) == []
    assert front([(0.5, math.nan)]) == []
