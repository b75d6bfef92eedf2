"""Descent on two parameters against closed forms; contour lines against the curves they are."""

from __future__ import annotations

import dataclasses
import json
import math

import numpy as np
import pytest
import torch

from snellen.errors import InputError
from snellen.training.inspection import PROBLEMS, Problem, descend, descend_many
from snellen.training.inspection.contours import contour_lines, contour_segments
from snellen.training.inspection.descent import OPTIMIZERS, path_table, surface_of


def test_descent_on_the_bowl() -> None:
    # Each step multiplies by 1 − η.
    path = descend("bowl", lambda p: torch.optim.SGD(p, 0.3), n_steps=20)
    expected = np.array([2.4, 1.6]) * 0.7 ** np.arange(21)[:, None]
    np.testing.assert_allclose(path.points, expected, atol=3e-15)
    np.testing.assert_allclose(path.losses, (expected**2).sum(1) / 2, atol=1e-14)
    np.testing.assert_allclose(path.gradients, expected[:-1], atol=3e-15)
    assert path.distance == pytest.approx(math.hypot(2.4, 1.6) * 0.7**20)


def test_descent_in_the_valley_oscillates_at_its_limit() -> None:
    # Across the valley a step multiplies by 1 − 20·η: by −1 at η = 0.1, so y only changes sign.
    path = descend("valley", lambda p: torch.optim.SGD(p, 0.1), n_steps=6)
    np.testing.assert_allclose(path.points[:, 1], 1.2 * (-1.0) ** np.arange(7), rtol=1e-12)
    np.testing.assert_allclose(path.points[:, 0], -2.6 * 0.9 ** np.arange(7), rtol=1e-12)


def test_momentum_follows_its_recurrence() -> None:
    path = descend("bowl", lambda p: torch.optim.SGD(p, 0.1, momentum=0.9), n_steps=30)
    x, v = 2.4, 0.0
    for step in range(31):
        assert path.points[step, 0] == pytest.approx(x, abs=1e-13)
        v = 0.9 * v + x
        x -= 0.1 * v


def test_the_first_step_of_adam_is_the_rate() -> None:
    path = descend("bowl", lambda p: torch.optim.Adam(p, 0.25), n_steps=1)
    np.testing.assert_allclose(path.points[1], [2.4 - 0.25, 1.6 - 0.25], rtol=1e-7)


def test_too_high_a_rate_diverges_and_is_cut() -> None:
    path = descend("bowl", lambda p: torch.optim.SGD(p, 3.0), n_steps=1000)
    assert path.diverged
    assert len(path.points) < 60  # 2ⁿ·2.4 is above a million after 19 steps
    assert json.loads(json.dumps(path.to_dict(), allow_nan=False))["diverged"] is True


def test_paths_as_text() -> None:
    halved, lost = descend_many("bowl", [0.5, 3.0], n_steps=2)
    # 2.4 and 1.6, halved twice: 0.6 and 0.4, loss (0.36 + 0.16) / 2, distance √0.52.
    assert str(halved) == (
        "SGD, rate 0.5: 2 steps to (0.6, 0.4), loss 0.26, 0.7211 from the minimum"
    )
    lines = path_table("bowl", [halved, lost]).splitlines()
    assert PROBLEMS["bowl"].formula in lines[0]
    assert lines[2].split() == ["SGD,", "rate", "0.5", "2", "0.6", "0.4", "0.26", "0.7211"]
    far = descend("bowl", lambda p: torch.optim.SGD(p, 3.0), n_steps=1000)
    assert str(far) == f"SGD: diverged after {len(far.points) - 1} steps"
    assert path_table("bowl", [far]).splitlines()[-1].split() == [
        "SGD", str(len(far.points) - 1), "diverged",
    ]  # fmt: skip
    endless = dataclasses.replace(PROBLEMS["saddle"], minima=())
    path = descend(endless, lambda p: torch.optim.SGD(p, 0.1), n_steps=2)
    assert "minimum" not in str(path)
    assert path_table(endless, [path]).splitlines()[-1].endswith("-")


def test_regression_ends_at_the_least_squares() -> None:
    (slope, intercept) = np.polyfit([-1.0, -0.5, 0.0, 0.5, 1.0], [-2.1, -1.2, -0.4, 0.2, 1.0], 1)
    np.testing.assert_allclose(PROBLEMS["line"].minima[0], (slope, intercept), rtol=1e-12)
    path = descend("line", lambda p: torch.optim.SGD(p, 0.3), n_steps=300)
    np.testing.assert_allclose(path.points[-1], (slope, intercept), rtol=1e-10)


@pytest.mark.parametrize("name", PROBLEMS)
def test_minima_are_minima(name: str) -> None:
    problem = PROBLEMS[name]
    assert problem.minima
    for minimum in problem.minima:
        at = [torch.tensor(v, dtype=torch.float64, requires_grad=True) for v in minimum]
        loss = problem.loss(at[0], at[1])
        gradient = torch.autograd.grad(loss, at)
        assert max(abs(float(g)) for g in gradient) < 1e-6
        around = torch.linspace(0, 2 * math.pi, 33, dtype=torch.float64)
        ring = problem.loss(minimum[0] + 1e-2 * around.cos(), minimum[1] + 1e-2 * around.sin())
        assert ring.min().item() > loss.item()
        (x_low, x_high), (y_low, y_high) = problem.x_range, problem.y_range
        assert x_low < minimum[0] < x_high
        assert y_low < minimum[1] < y_high


def test_the_start_on_the_ridge_goes_to_the_saddle_first() -> None:
    path = descend("saddle", lambda p: torch.optim.SGD(p, 0.1), n_steps=60)
    distances = np.hypot(*path.points.T)
    assert distances.min() < 0.1  # at the saddle
    assert path.distance < 1e-3  # and at last in a minimum


def test_all_rates_and_optimizers() -> None:
    paths = descend_many("bowl", (0.1, 0.2), OPTIMIZERS, n_steps=3, start=(1.0, 0.0))
    assert [path.label for path in paths][:3] == [
        "SGD, rate 0.1",
        "SGD, rate 0.2",
        "momentum 0.9, rate 0.1",
    ]
    assert len(paths) == 8
    assert paths[1].points[:, 0] == pytest.approx([1.0, 0.8, 0.64, 0.512])


def test_a_problem_of_ones_own() -> None:
    mine = Problem(
        "mine",
        "Mine",
        "L = x + y",
        "Down for ever.",
        lambda x, y: x + y,
        ("x", "y"),
        (-1.0, 1.0),
        (-1.0, 1.0),
        (0.0, 0.0),
        (),
        (0.1,),
        (0.1, 0.1, 0.1, 0.1),
    )
    path = descend(mine, lambda p: torch.optim.SGD(p, 0.5), n_steps=2)
    assert path.points.tolist() == [[0.0, 0.0], [-0.5, -0.5], [-1.0, -1.0]]
    assert math.isnan(path.distance)


def test_what_cannot_be_gone_down_on_is_refused() -> None:
    with pytest.raises(InputError, match=r'got "rosenbruck"\. Did you mean "rosenbrock"'):
        descend("rosenbruck", lambda p: torch.optim.SGD(p, 0.1))
    with pytest.raises(InputError, match="at least 1 step"):
        descend("bowl", lambda p: torch.optim.SGD(p, 0.1), n_steps=0)
    with pytest.raises(InputError, match="a grid of 2 or more"):
        surface_of("bowl", n=1)


# Contour lines


def test_one_cell() -> None:
    # Only the corner below left is above: between the edges on the left and below, halfway.
    z = np.array([[1.0, 0.0], [0.0, 0.0]])
    (line,) = contour_lines(np.array([0.0, 1.0]), np.array([0.0, 1.0]), z, 0.5)
    assert sorted(map(tuple, line.tolist())) == [(0.0, 0.5), (0.5, 0.0)]


def test_all_sixteen_cells() -> None:
    axis = np.array([0.0, 1.0])
    for number in range(16):
        corners = [float(bool(number & bit)) for bit in (1, 2, 8, 4)]
        z = np.array(corners).reshape(2, 2)
        lines = contour_lines(axis, axis, z, 0.5)
        assert len(lines) == (0 if number in (0, 15) else 2 if number in (5, 10) else 1)
        for line in lines:
            # Each end lies halfway on an edge whose ends are on different sides.
            for x, y in line.tolist():
                assert (x in (0.0, 1.0)) != (y in (0.0, 1.0))
                here, there = (
                    ((int(x), 0), (int(x), 1)) if x in (0.0, 1.0) else ((0, int(y)), (1, int(y)))
                )
                assert z[here[1], here[0]] != z[there[1], there[0]]


def test_the_middle_of_a_saddle_decides() -> None:
    axis = np.array([0.0, 1.0])
    # The corners below left and above right are hills; the middle is above or below the level.
    joined = contour_lines(axis, axis, np.array([[1.0, 0.4], [0.4, 1.0]]), 0.5)
    apart = contour_lines(axis, axis, np.array([[0.6, 0.0], [0.0, 0.6]]), 0.5)
    # Joined hills: the lines cut the low corners off. Hills apart: the high ones.
    assert any(np.hypot(*(line - (1, 0)).T).max() < 0.3 for line in joined)
    assert any(np.hypot(*(line - (0, 0)).T).max() < 0.3 for line in apart)


def test_a_plane_has_straight_lines() -> None:
    x, y = np.linspace(0, 3, 10), np.linspace(0, 2, 7)
    z = np.add.outer(0 * y, x)
    (line,) = contour_lines(x, y, z, 1.23)
    np.testing.assert_allclose(line[:, 0], 1.23, rtol=1e-12)
    assert sorted(line[:, 1]) == pytest.approx(y)


def test_a_bowl_has_closed_circles() -> None:
    axis = np.linspace(-2, 2, 81)
    z = axis[None, :] ** 2 + axis[:, None] ** 2
    for level in (0.25, 1.0, 2.25):
        (line,) = contour_lines(axis, axis, z, level)
        assert line[0].tolist() == line[-1].tolist()
        # The chord of x² over a step h = 0.05 is at most h²/4 too high.
        np.testing.assert_allclose((line**2).sum(1), level, atol=0.05**2 / 4 + 1e-12)
        length = np.hypot(*np.diff(line, axis=0).T).sum()
        assert length == pytest.approx(2 * math.pi * math.sqrt(level), rel=2e-3)


def test_a_line_that_leaves_the_grid_is_open() -> None:
    axis = np.linspace(-1, 1, 21)
    z = axis[None, :] ** 2 + axis[:, None] ** 2
    lines = contour_lines(axis, axis, z, 1.5)
    assert len(lines) == 4  # one in each corner
    for line in lines:
        assert np.abs(line[[0, -1]]).max(1).tolist() == [1.0, 1.0]


def test_each_piece_is_in_one_line() -> None:
    random = np.random.default_rng(0)
    z = random.normal(size=(30, 40))
    n_pieces = len(contour_segments(z, 0.1))
    lines = contour_lines(np.arange(40.0), np.arange(30.0), z, 0.1)
    assert sum(len(line) - 1 for line in lines) == n_pieces
    # On the grid's straight lines the height at each point is the level.
    for line in lines:
        for x, y in line.tolist():
            x0, y0 = int(x), int(y)
            x1, y1 = min(x0 + 1, 39), min(y0 + 1, 29)
            if x == x0:
                height = z[y0, x0] + (y - y0) * (z[y1, x0] - z[y0, x0])
            else:
                height = z[y0, x0] + (x - x0) * (z[y0, x1] - z[y0, x0])
            assert height == pytest.approx(0.1, abs=1e-9)


def test_holes_in_the_surface_are_left_out() -> None:
    z = np.add.outer(np.zeros(4), np.arange(4.0))
    z[1, 1] = np.nan
    z[2, 3] = np.inf
    lines = contour_lines(np.arange(4.0), np.arange(4.0), z, 1.5)
    assert all(np.isfinite(line).all() for line in lines)
    assert contour_lines(np.arange(1.0), np.arange(4.0), z[:, :1], 1.5) == []


def test_levels_of_a_surface_lie_within_it() -> None:
    surface = surface_of("beale", n=41, n_levels=7)
    assert surface.z.shape == (41, 41)
    assert len(surface.lines) == 7
    assert surface.z.min() < surface.levels[0] < surface.levels[-1] < surface.z.max()
    # z[row, column] is the loss at (x[column], y[row]).
    x, y = surface.x[5], surface.y[30]
    expected = (1.5 - x + x * y) ** 2 + (2.25 - x + x * y * y) ** 2 + (2.625 - x + x * y**3) ** 2
    assert surface.z[30, 5] == pytest.approx(expected)
