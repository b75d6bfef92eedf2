from __future__ import annotations

import math

import numpy as np
import pytest

from snellen.errors import InputError, SchemaError
from snellen.training.choices import Choice
from snellen.training.schedules import SCHEDULES, At, Schedule, make_schedule

N_EPOCHS, N_EPOCH = 10, 20
N = N_EPOCHS * N_EPOCH
NEEDED = {"step": {"every": 3}, "multi_step": {"milestones": [3, 7]}, "exponential": {"gamma": 0.9}}


def made(*choices: Choice | str) -> Schedule:
    several = [Choice(each) if isinstance(each, str) else each for each in choices]
    return make_schedule(several, n_epochs=N_EPOCHS)


def factors(schedule: Schedule) -> list[float]:
    return [schedule.factor(At(step, N, N_EPOCH)) for step in range(N + 1)]


def test_how_far() -> None:
    assert At(0, N, N_EPOCH).done == 0
    assert At(50, N, N_EPOCH).done == 0.25
    assert At(50, N, N_EPOCH).epoch == 2.5
    assert At(N + 5, N, N_EPOCH).done == 1
    assert At(0, 0, N_EPOCH).done == 1


@pytest.mark.parametrize("name", SCHEDULES)
def test_parts_of_the_rate_at_any_time_and_for_any_length(name: str) -> None:
    schedule = made(Choice(name, NEEDED.get(name, {})))
    for n_steps in (1, 2, 3, 7, 100):
        for step in range(n_steps + 3):
            assert 0 <= schedule.factor(At(step, n_steps, max(1, n_steps // 2))) <= 1


@pytest.mark.parametrize("name", [name for name in SCHEDULES if name != "plateau"])
def test_pure_functions(name: str) -> None:
    schedule = made(Choice(name, NEEDED.get(name, {})), "cosine")
    forward = factors(schedule)
    backward = [schedule.factor(At(step, N, N_EPOCH)) for step in reversed(range(N + 1))]
    schedule.observe(3.0)
    assert factors(schedule) == forward == backward[::-1]
    assert schedule.state() == {}
    schedule.load_state({})


def test_constant() -> None:
    assert set(factors(made("constant"))) == {1.0}
    assert set(factors(make_schedule([], n_epochs=3))) == {1.0}
    assert set(factors(made(Choice("constant", {"factor": 0.5})))) == {0.5}


def test_cosine_is_its_closed_form() -> None:
    expected = [0.2 + 0.8 * (1 + math.cos(math.pi * t / N)) / 2 for t in range(N + 1)]
    found = factors(made(Choice("cosine", {"end": 0.2})))
    assert max(abs(a - b) for a, b in zip(found, expected, strict=True)) <= 2.3e-16


def test_exponential_is_its_closed_form() -> None:
    found = factors(made(Choice("exponential", {"gamma": 0.9})))
    assert found == [0.9 ** (t / N_EPOCH) for t in range(N + 1)]
    assert found[N_EPOCH] == 0.9
    stairs = factors(made(Choice("exponential", {"gamma": 0.9, "every": 2, "smooth": False})))
    assert stairs == [0.9 ** (t // (2 * N_EPOCH)) for t in range(N + 1)]


def test_triangular_is_two_lines() -> None:
    found = factors(made(Choice("triangular", {"peak": 0.3, "start": 0.1, "end": 0.05})))
    expected = np.interp(range(N + 1), [0, 0.3 * N, N], [0.1, 1.0, 0.05])
    assert np.abs(np.array(found) - expected).max() < 1e-15
    assert factors(made(Choice("triangular", {"peak": 0.0})))[0] == 1


@pytest.mark.parametrize("shape", ["linear", "cosine", "sqrt"])
def test_warm_up_stable_decay(shape: str) -> None:
    options = {"warm_up": "1ep", "decay": "50ba", "start": 0.2, "end": 0.1, "shape": shape}
    found = factors(made(Choice("wsd", options)))
    assert found[0] == 0.2
    assert found[10] == pytest.approx(0.6)
    assert set(found[20:151]) == {1.0}
    # Halfway down.
    half = {"linear": 0.5, "cosine": 0.5, "sqrt": math.sqrt(0.5)}[shape]
    assert found[175] == pytest.approx(1 - 0.9 * half)
    assert found[200] == 0.1


def test_warm_up_and_decay_that_overlap() -> None:
    found = factors(made(Choice("wsd", {"warm_up": "0.8dur", "decay": "0.8dur", "start": 0.0})))
    assert found[100] == pytest.approx(0.625)
    assert max(found) == found[100]


@pytest.mark.parametrize("every", ["60ba", "3ep", "0.3dur", 3, 3.0])
def test_times_in_all_units(every: object) -> None:
    found = factors(made(Choice("step", {"every": every, "gamma": 0.5})))
    assert found == [0.5 ** (t // 60) for t in range(N + 1)]
    two = factors(made(Choice("multi_step", {"milestones": [every, "150ba"], "gamma": 0.5})))
    assert two == [0.5 ** ((t >= 60) + (t >= 150)) for t in range(N + 1)]


def test_warm_up_in_front() -> None:
    warm_up = Choice("warm_up", {"start": 0.0, "length": 1})
    found = factors(made(warm_up, Choice("cosine", {"end": 0.1})))
    assert found[:20] == [t / 20 for t in range(20)]
    assert found[20:] == pytest.approx(
        [0.1 + 0.9 * (1 + math.cos(math.pi * t / 180)) / 2 for t in range(181)]
    )
    # By default a twentieth of the whole: 10 of 200 updates; then it stays.
    alone = factors(made("warm_up"))
    assert alone[0] == 0.01
    assert alone[9] < 1
    assert set(alone[10:]) == {1.0}


def test_a_warm_up_on_a_wave() -> None:
    found = factors(made(Choice("warm_up", {"start": 0.5, "length": 2, "shape": "cosine"})))
    assert found[:40] == pytest.approx(
        [0.5 + 0.5 * (1 - math.cos(math.pi * t / 40)) / 2 for t in range(40)]
    )


def test_those_without_a_length_share_what_is_left() -> None:
    parts = (
        Choice("constant", {"factor": 0.5}),
        Choice("constant", {"factor": 0.25, "length": "0.1dur"}),
        Choice("linear", {"start": 0.9, "end": 0.3}),
    )
    found = factors(made(*parts))
    assert found[:90] == [0.5] * 90
    assert found[90:110] == [0.25] * 20
    assert found[110:] == pytest.approx([0.9 - 0.6 * t / 90 for t in range(91)])


def test_what_ends_early_stays() -> None:
    found = factors(made(Choice("linear", {"start": 1.0, "end": 0.25, "length": 5})))
    assert found[50] == pytest.approx(0.625)
    assert set(found[100:]) == {0.25}
    stairs = factors(made(Choice("step", {"every": 1, "gamma": 0.5, "length": 2})))
    assert stairs == [1.0] * 20 + [0.5] * 20 + [0.25] * 161


def test_a_training_of_one_update() -> None:
    schedule = make_schedule([Choice("warm_up"), Choice("cosine")], n_epochs=1)
    assert schedule.factor(At(0, 1, 1)) == 0.01
    assert schedule.factor(At(1, 1, 1)) == 0


def test_plateau_by_hand() -> None:
    schedule = made(Choice("plateau", {"gamma": 0.5, "patience": 1, "cooldown": 1, "end": 0.2}))
    found = []
    # Better, worse, worse (halved), worse but cooling, worse, worse (halved), …: 0.2 is the end.
    for value in (1.0, 1.1, 1.2, 1.3, 1.1, 1.1, 1.1, 1.1, 1.1, 0.5, 0.6):
        schedule.observe(value)
        found.append(schedule.factor(At(0, N, N_EPOCH)))
    assert found == [1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.2, 0.2, 0.2]


def test_plateau_of_a_number_that_grows() -> None:
    choice = Choice("plateau", {"patience": 0, "gamma": 0.5})
    schedule = make_schedule([choice], n_epochs=3, larger_is_better=True)
    for value, expected in ((0.5, 1), (0.6, 1), (0.6, 0.5), (math.nan, 0.25), (0.7, 0.25)):
        schedule.observe(value)
        assert schedule.factor(At(0, 1, 1)) == expected


def test_plateau_resumes() -> None:
    choices = [
        Choice("warm_up", {"length": 2}),
        Choice("plateau", {"patience": 1, "gamma": 0.5, "cooldown": 1}),
    ]
    values = [1.0, 1.0, 1.0, 1.0, 1.0, 0.9, 1.0, 1.0, 1.0, 1.0]

    def run(schedule: Schedule, epochs: range) -> list[float]:
        found = []
        for epoch in epochs:
            steps = range(epoch * N_EPOCH, (epoch + 1) * N_EPOCH)
            found += [schedule.factor(At(step, N, N_EPOCH)) for step in steps]
            schedule.observe(values[epoch])
        return found

    whole = run(make_schedule(choices, n_epochs=N_EPOCHS), range(N_EPOCHS))
    assert set(whole[40:]) == {1.0, 0.5, 0.25}
    for stop in range(N_EPOCHS):
        first = make_schedule(choices, n_epochs=N_EPOCHS)
        before = run(first, range(stop))
        again = make_schedule(choices, n_epochs=N_EPOCHS)
        again.load_state(first.state())
        assert before + run(again, range(stop, N_EPOCHS)) == whole


def test_plateau_resumes_between_an_update_and_its_validation() -> None:
    choices = [Choice("warm_up", {"length": 2}), Choice("plateau", {"patience": 0})]
    whole = make_schedule(choices, n_epochs=N_EPOCHS)
    whole.factor(At(99, N, N_EPOCH))
    again = make_schedule(choices, n_epochs=N_EPOCHS)
    again.load_state(whole.state())
    for schedule in (whole, again):
        schedule.observe(1.0)
        schedule.observe(1.0)
        assert schedule.factor(At(100, N, N_EPOCH)) == 0.1


def test_plateau_waits_for_its_time() -> None:
    choices = [Choice("warm_up", {"length": 5}), Choice("plateau", {"patience": 0})]
    schedule = make_schedule(choices, n_epochs=N_EPOCHS)
    schedule.factor(At(10, N, N_EPOCH))
    for _ in range(5):
        schedule.observe(1.0)
    assert schedule.factor(At(150, N, N_EPOCH)) == 1


PLACE = "a.toml line 5 schedule[1]"


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("cosin", {}, 'expected a schedule, got "cosin". Did you mean "cosine"?'),
        ("cosine", {"end": -0.1}, "expected end from 0, got -0.1"),
        ("cosine", {"end": math.nan}, "expected end from 0, got nan"),
        ("cosine", {"cycles": 0}, "expected cycles from 1, got 0"),
        ("step", {"every": 0}, "expected a time above 0, got 0 epochs"),
        ("step", {"every": -1.5}, "expected a time above 0, got -1.5 epochs"),
        ("step", {"every": "3 weeks"}, "expected how often"),
        ("step", {}, "expected every of step, it is not given"),
        ("exponential", {"gamma": -1}, "expected gamma from 0, got -1"),
        ("one_cycle", {"peak": 1.0}, "expected peak from 0 and below 1, got 1"),
        ("one_cycle", {"start": math.inf}, "expected start from 0, got inf"),
        ("polynomial", {"power": 0}, "expected power above 0, got 0"),
        ("plateau", {"patience": -1}, "expected patience from 0, got -1"),
        ("plateau", {"gamma": 1.0}, "expected gamma from 0 and below 1, got 1"),
        ("warm_up", {"length": 0}, "expected a time above 0, got 0 epochs"),
        ("warm_up", {"length": "soon"}, "expected how often"),
        ("warm_up", {"length": 10}, "expected lengths of schedules that fit in 10 epochs and"),
        ("warm_up", {"length": "1.5dur"}, "expected lengths of schedules that fit in 10 epochs"),
        ("warm_up", {"lenght": 1}, 'expected an option of warm_up, got "lenght". Did you mean'),
    ],
)
def test_refused_in_one_line(name: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as error:
        make_schedule([Choice("constant"), Choice(name, options, PLACE)], n_epochs=N_EPOCHS)
    assert str(error.value).startswith(message)
    assert str(error.value).endswith(f" - at {PLACE}")
    assert "\n" not in str(error.value)


def test_options_of_another_type() -> None:
    with pytest.raises(SchemaError, match="expected `float`, got `str`"):
        made(Choice("cosine", {"end": "low"}))
