"""The kernel that divides units in two, beside a plain version of the same rules."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from snellen import _core

Columns = list[dict[int, float]]  # for each label: weight by unit


def plain_halve(
    position: list[float],
    share: float,
    columns: Columns,
    target: list[float],
    importance: list[float],
    n_sweeps: int,
    n_candidates: int,
    price: float = 0.0,
) -> list[int]:
    """Return 1 for each unit of the right half: as halving.hpp says, with lists and sorting."""
    place = list(position)
    for _ in range(n_sweeps):
        moved = False
        for column, wanted in zip(columns, target, strict=True):
            excess = -wanted
            for unit, weight in column.items():
                if place[unit] < share:
                    excess += weight
            if excess == 0:
                continue
            outward = excess > 0
            way = sorted(
                (abs(share - place[unit]) / weight, i, weight)
                for i, (unit, weight) in enumerate(column.items())
                if (share - place[unit] > 0) == outward
            )
            missing, last, k = abs(excess), -1.0, 0
            while k < len(way):
                shift, _, weight = way[k]
                if abs(missing - weight) >= missing:
                    break
                enough = weight >= missing
                missing, last, k = abs(missing - weight), shift, k + 1
                if enough:
                    break
            if last < 0:
                continue
            following = way[k][0] if k < len(way) else last + 2 * (1.0 / (len(place) + 1))
            shift = (last + following) / 2 * (1 if outward else -1)
            for unit, weight in column.items():
                place[unit] += shift * weight
            moved = True
        if not moved:
            break
    right = [0 if each < share else 1 for each in place]

    near = sorted(range(len(place)), key=lambda i: (abs(place[i] - share), i))[:n_candidates]

    swept = list(right)

    def badness(sides: list[int]) -> float:
        total = price * sum(one != other for one, other in zip(sides, swept, strict=True))
        for column, wanted, weight in zip(columns, target, importance, strict=True):
            got = math.fsum(value for unit, value in column.items() if not sides[unit])
            total += weight * (got - wanted) ** 2
        return total

    least = max(1e-3 * min(importance), 1e-14 * max(importance)) if importance else 0
    for _ in range(4 * len(near)):
        now, best, chosen = badness(right), -least, None
        for a, one in enumerate(near):
            for other in [one, *near[:a]]:
                tried = list(right)
                for unit in {one, other}:
                    tried[unit] ^= 1
                gain = badness(tried) - now
                # Of gains that differ by rounding only, the first one counts in either version.
                if gain < best - 1e-9 * max(importance):
                    best, chosen = gain, tried
        if chosen is None:
            break
        right = chosen
    return right


def halve(
    position: list[float],
    share: float,
    columns: Columns,
    target: list[float],
    importance: list[float],
    n_sweeps: int,
    n_candidates: int,
    price: float = 0.0,
) -> NDArray[np.uint8]:
    return _core.halve(
        np.array(position, np.float64),
        share,
        np.cumsum([0, *map(len, columns)]).astype(np.int64),
        np.array([unit for column in columns for unit in column], np.int32),
        np.array([weight for column in columns for weight in column.values()], np.float64),
        np.array(target, np.float64),
        np.array(importance, np.float64),
        np.full(len(position), price),
        n_sweeps=n_sweeps,
        n_candidates=n_candidates,
    )


@st.composite
def problems(draw: st.DrawFn) -> tuple[list[float], float, Columns, list[float], list[float]]:
    n_units = draw(st.integers(1, 12))
    # Different powers of two apart: sums are exact, and no two units are equally far from the cut.
    position = [k / 64 + 1 / 256 for k in draw(st.permutations(range(64)))[:n_units]]
    columns = [
        dict.fromkeys(range(n_units), 1.0)
        if draw(st.booleans())
        else {
            unit: float(draw(st.sampled_from([1, 2, 4])))
            for unit in sorted(draw(st.sets(st.integers(0, n_units - 1), min_size=1)))
        }
        for _ in range(draw(st.integers(1, 4)))
    ]
    target = [float(draw(st.integers(0, int(sum(column.values()))))) for column in columns]
    # Powers of three tell any two sets of deviations apart.
    importance = [3.0**k for k in range(len(columns))]
    share = draw(st.sampled_from([0.25, 0.5, 0.75]))
    return position, share, columns, target, importance


@settings(max_examples=150, deadline=None)
@given(problems(), st.sampled_from([0, 1, 8]))
def test_the_sweeps_are_those_of_the_plain_version(
    problem: tuple[list[float], float, Columns, list[float], list[float]], n_sweeps: int
) -> None:
    got = halve(*problem, n_sweeps=n_sweeps, n_candidates=0)
    assert got.tolist() == plain_halve(*problem, n_sweeps=n_sweeps, n_candidates=0)


@settings(max_examples=150, deadline=None)
@given(problems(), st.sampled_from([0, 8]), st.sampled_from([0.0, 1.5]))
def test_what_is_mended_is_what_the_plain_version_mends(
    problem: tuple[list[float], float, Columns, list[float], list[float]],
    n_sweeps: int,
    price: float,
) -> None:
    got = halve(*problem, n_sweeps=n_sweeps, n_candidates=6, price=price)
    assert got.tolist() == plain_halve(*problem, n_sweeps=n_sweeps, n_candidates=6, price=price)


def test_a_window_that_is_too_small_changes_nothing() -> None:
    # All units of a label lie far to the left: the first window holds none of them.
    position = [0.001 * (k + 1) for k in range(200)]
    problem = (position, 0.9, [dict.fromkeys(range(200), 1.0)], [50.0], [1.0])
    got = halve(*problem, n_sweeps=1, n_candidates=0)
    assert got.tolist() == [0] * 50 + [1] * 150
    assert got.tolist() == plain_halve(*problem, n_sweeps=1, n_candidates=0)


def test_nothing_to_divide() -> None:
    assert len(halve([], 0.5, [], [], [], n_sweeps=3, n_candidates=5)) == 0
    assert halve([0.2, 0.7], 0.5, [], [], [], n_sweeps=3, n_candidates=5).tolist() == [0, 1]


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"begin": np.array([0, 3])}, "lead from 0"),
        ({"begin": np.array([0, 2, 2])}, "rows of begin"),
        ({"unit": np.array([0, 2], np.int32)}, "below 2"),
        ({"weight": np.ones(3)}, "rows of weight"),
    ],
)
def test_columns_that_do_not_fit(change: dict[str, NDArray[np.float64]], expected: str) -> None:
    arguments = {
        "position": np.array([0.2, 0.7]),
        "begin": np.array([0, 2]),
        "unit": np.array([0, 1], np.int32),
        "weight": np.ones(2),
        "target": np.ones(1),
        "importance": np.ones(1),
        **change,
    }
    with pytest.raises(ValueError, match=expected):
        _core.halve(
            arguments["position"],
            0.5,
            arguments["begin"],
            arguments["unit"],
            arguments["weight"],
            arguments["target"],
            arguments["importance"],
            np.zeros(2),
            n_sweeps=1,
            n_candidates=1,
        )
