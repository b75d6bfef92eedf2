from __future__ import annotations

import pytest
import torch
from torch.optim import lr_scheduler as theirs

from snellen.training.choices import Choice
from snellen.training.schedules import At, Schedule, make_schedule

N_EPOCH = 7  # updates of an epoch
RATE = 0.3


def rates_of(kind: object, n: int, **options: object) -> list[float]:
    """Return the rates that a scheduler of torch sets for n updates, or epochs."""
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=RATE)
    scheduler = kind(optimizer, **options)  # type: ignore[operator]
    found = []
    for _ in range(n):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


def ours(*choices: Choice, n_epochs: int) -> Schedule:
    return make_schedule(choices, n_epochs=n_epochs)


def rates(schedule: Schedule, n_epochs: int, *, by_epoch: bool = False) -> list[float]:
    n_steps = n_epochs * N_EPOCH
    steps = range(0, n_steps, N_EPOCH if by_epoch else 1)
    return [RATE * schedule.factor(At(step, n_steps, N_EPOCH)) for step in steps]


def same(found: list[float], expected: list[float]) -> None:
    # torch multiplies the last rate; its roundings add up.
    assert found == pytest.approx(expected, rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("every", [1, 3, 4])
def test_step(every: int) -> None:
    schedule = ours(Choice("step", {"every": every, "gamma": 0.3}), n_epochs=11)
    expected = rates_of(theirs.StepLR, 11, step_size=every, gamma=0.3)
    same(rates(schedule, 11, by_epoch=True), expected)
    # And the rate of an epoch's first update is that of all.
    assert rates(schedule, 11)[N_EPOCH - 1 :: N_EPOCH] == rates(schedule, 11, by_epoch=True)


def test_multi_step() -> None:
    schedule = ours(Choice("multi_step", {"milestones": [2, 5, 5], "gamma": 0.3}), n_epochs=8)
    expected = rates_of(theirs.MultiStepLR, 8, milestones=[2, 5, 5], gamma=0.3)
    same(rates(schedule, 8, by_epoch=True), expected)


def test_exponential() -> None:
    expected = rates_of(theirs.ExponentialLR, 9, gamma=0.8)
    for smooth in (True, False):
        schedule = ours(Choice("exponential", {"gamma": 0.8, "smooth": smooth}), n_epochs=9)
        same(rates(schedule, 9, by_epoch=True), expected)
    each = ours(Choice("exponential", {"gamma": 0.8, "every": "1ba"}), n_epochs=2)
    same(rates(each, 2), rates_of(theirs.ExponentialLR, 14, gamma=0.8))


def test_cosine() -> None:
    schedule = ours(Choice("cosine", {"end": 0.1}), n_epochs=6)
    expected = rates_of(theirs.CosineAnnealingLR, 42, T_max=42, eta_min=0.1 * RATE)
    same(rates(schedule, 6), expected)


def test_cosine_again_and_again() -> None:
    schedule = ours(Choice("cosine", {"cycles": 3}), n_epochs=6)
    same(rates(schedule, 6), rates_of(theirs.CosineAnnealingWarmRestarts, 42, T_0=14))


@pytest.mark.parametrize("shape", ["cosine", "linear"])
@pytest.mark.parametrize("peak", [0.3, 0.25, 0.5])
@pytest.mark.parametrize("n_epochs", [1, 6])
def test_one_cycle(shape: str, peak: float, n_epochs: int) -> None:
    options = {"shape": shape, "peak": peak, "start": 0.1, "end": 0.001}
    schedule = ours(Choice("one_cycle", options), n_epochs=n_epochs)
    expected = rates_of(
        theirs.OneCycleLR,
        # One less: torch raises after the last.
        n_epochs * N_EPOCH - 1,
        max_lr=RATE,
        total_steps=n_epochs * N_EPOCH,
        pct_start=peak,
        anneal_strategy={"cosine": "cos"}.get(shape, shape),
        div_factor=10,
        final_div_factor=100,
        cycle_momentum=False,
    )
    found = rates(schedule, n_epochs)
    same(found[:-1], expected)
    assert found[-1] == pytest.approx(RATE * 0.001, rel=1e-14)


def test_one_cycle_by_default() -> None:
    expected = rates_of(theirs.OneCycleLR, 40, max_lr=RATE, total_steps=42, cycle_momentum=False)
    same(rates(ours(Choice("one_cycle"), n_epochs=6), 6)[:40], expected)


def test_linear_and_then_as_it_ended() -> None:
    schedule = ours(Choice("linear", {"start": 0.25, "end": 0.75, "length": "10ba"}), n_epochs=3)
    expected = rates_of(theirs.LinearLR, 21, start_factor=0.25, end_factor=0.75, total_iters=10)
    same(rates(schedule, 3), expected)


@pytest.mark.parametrize("power", [1.0, 2.0, 0.5])
def test_polynomial(power: float) -> None:
    schedule = ours(Choice("polynomial", {"power": power}), n_epochs=3)
    same(rates(schedule, 3), rates_of(theirs.PolynomialLR, 21, total_iters=21, power=power))


def test_one_after_the_other() -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=RATE)
    scheduler = theirs.SequentialLR(
        optimizer,
        [
            theirs.LinearLR(optimizer, start_factor=0.2, total_iters=5),
            theirs.CosineAnnealingLR(optimizer, T_max=16),
        ],
        milestones=[5],
    )
    expected = []
    for _ in range(21):
        expected.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    warm_up = Choice("warm_up", {"start": 0.2, "length": "5ba"})
    same(rates(ours(warm_up, Choice("cosine"), n_epochs=3), 3), expected)


@pytest.mark.parametrize("mode", ["min", "max"])
@pytest.mark.parametrize("relative", [True, False])
@pytest.mark.parametrize("cooldown", [0, 2])
@pytest.mark.parametrize("patience", [0, 1, 3])
def test_plateau(mode: str, relative: bool, cooldown: int, patience: int) -> None:
    drawn = torch.Generator().manual_seed(patience)
    values = torch.rand(60, generator=drawn).cumsum(0) * 0.02 + torch.rand(60, generator=drawn)
    values[17] = torch.nan
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=RATE)
    scheduler = theirs.ReduceLROnPlateau(
        optimizer,
        mode,
        factor=0.5,
        patience=patience,
        threshold=0.01,
        threshold_mode="rel" if relative else "abs",
        cooldown=cooldown,
        min_lr=0.01 * RATE,
    )
    options = {
        "gamma": 0.5, "patience": patience, "threshold": 0.01, "relative": relative,
        "cooldown": cooldown, "end": 0.01,
    }  # fmt: skip
    schedule = make_schedule(
        [Choice("plateau", options)], n_epochs=60, larger_is_better=mode == "max"
    )
    seen = set()
    for k, value in enumerate(values.tolist()):
        rate = RATE * schedule.factor(At(k, 60, 1))
        assert rate == pytest.approx(optimizer.param_groups[0]["lr"], rel=1e-12)
        seen.add(rate)
        scheduler.step(value)
        schedule.observe(value)
    assert len(seen) > 3
