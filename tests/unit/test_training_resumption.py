"""A training that is interrupted anywhere goes on as if it had not been."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.small_trainings import (
    EVERYTHING,
    PLAIN,
    STEPS,
    checkpoints,
    linear_network,
    objects,
    small_train,
    stopped_after,
    timeless,
)

from snellen.errors import DataWarning, InputError
from snellen.training import prove_resume, read_description, replay, resumption, train
from snellen.training.callbacks.protocol import Callback
from snellen.training.checkpoint import Checkpoints
from snellen.training.resumption import differences
from snellen.training.state import TrainingState

State = dict[str, Any]


def last_state(folder: Path) -> State:
    content, _path, passed = Checkpoints(folder / "checkpoints").latest()
    assert not passed
    return content


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[State, list[dict[str, Any]]]:
    """Return the last state and the history of the run that is left alone."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    run = small_train(EVERYTHING, out=folder)
    return last_state(folder), run.history


def test_the_run_has_something_to_remember(
    whole: tuple[State, list[dict[str, Any]]],
) -> None:
    state, history = whole
    assert state["step"] == STEPS  # all of it was done, or most steps would not be tested
    assert len({row["learning_rate"] for row in history}) > 1  # the plateau changed the rate
    assert state["best"]["epoch"] < 3
    stopping = next(value for name, value in state["callbacks"].items() if "EarlyStopping" in name)
    assert stopping["best"] is not None


@pytest.mark.parametrize("step", range(1, STEPS))
def test_resumed_after_any_step(
    step: int, whole: tuple[State, list[dict[str, Any]]], tmp_path: Path
) -> None:
    state, history = whole
    first = small_train(EVERYTHING, out=tmp_path, callbacks=[stopped_after(step)])
    assert "as were asked for" in first.stop_reason
    assert last_state(tmp_path)["step"] == step
    resumed = small_train(EVERYTHING, out=tmp_path, resume=True)
    found = last_state(tmp_path)
    assert differences(state, found) == []
    # A callback's state may be one of mere output; that of early stopping decides.
    stopping = next(name for name in state["callbacks"] if "EarlyStopping" in name)
    assert found["callbacks"][stopping] == state["callbacks"][stopping]
    assert timeless(resumed.history) == timeless(history)


def test_resumed_again_and_again(whole: tuple[State, list[dict[str, Any]]], tmp_path: Path) -> None:
    for k in range(5):
        small_train(EVERYTHING, out=tmp_path, callbacks=[stopped_after(9)], resume=k > 0)
    assert differences(whole[0], last_state(tmp_path)) == []


class BrokenError(Exception):
    pass


class Breaks(Callback):
    def __init__(self, step: int) -> None:
        self.step = step

    def step_end(self, run: TrainingState) -> None:
        if run.step == self.step:
            raise BrokenError


def test_an_error_costs_what_came_after_the_last_checkpoint(
    whole: tuple[State, list[dict[str, Any]]], tmp_path: Path
) -> None:
    with pytest.raises(BrokenError):
        small_train(EVERYTHING, out=tmp_path, callbacks=[Breaks(22)])
    assert last_state(tmp_path)["step"] == 18
    small_train(EVERYTHING, out=tmp_path, resume=True)
    assert differences(whole[0], last_state(tmp_path)) == []


def test_a_plateau_changes_the_rate_of_the_very_next_update() -> None:
    rates: list[float] = []

    class Rates(Callback):
        def start(self, run: TrainingState) -> None:
            run.optimizer.register_step_pre_hook(
                lambda optimizer, _args, _kwargs: rates.append(optimizer.param_groups[0]["lr"])
            )

    never = {"name": "plateau", "gamma": 0.5, "patience": 0, "threshold": 1e9, "relative": False}
    small_train({**EVERYTHING, "schedule": never, "early_stopping": None}, callbacks=[Rates()])
    # Validations after 7, 14, …: the first is the best, each later one is no better.
    assert rates == [0.05 * 0.5 ** max(0, step // 7 - 1) for step in range(STEPS)]


def test_early_stopping_ends_the_same_after_a_resumption(tmp_path: Path) -> None:
    description = {
        **PLAIN, "epochs": 30, "early_stopping": 2, "learning_rate": 0.02,
    }  # fmt: skip
    alone = small_train(description, out=tmp_path / "alone")
    assert 2 < len(alone.history) < 30
    small_train(description, out=tmp_path / "two", callbacks=[stopped_after(13)])
    resumed = small_train(description, out=tmp_path / "two", resume=True)
    assert timeless(resumed.history) == timeless(alone.history)
    assert resumed.stop_reason == alone.stop_reason
    assert resumed.best_epoch == alone.best_epoch
    # What ended since nothing got better does not go on.
    again = small_train(description, out=tmp_path / "two", resume=True)
    assert timeless(again.history) == timeless(alone.history)


def test_a_finished_run_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "named.json"
    path.write_text(json.dumps(PLAIN))
    run = train(path, data=objects(), out=tmp_path / "run")
    before = last_state(tmp_path / "run")
    facts = json.loads((tmp_path / "run" / "run.json").read_text())
    again = small_train(PLAIN, out=tmp_path / "run", resume=True)
    assert differences(before, last_state(tmp_path / "run")) == []
    assert again.history == run.history
    after = json.loads((tmp_path / "run" / "run.json").read_text())
    assert (after["seconds"], after["name"]) == (facts["seconds"], "named")
    assert again.seconds == facts["seconds"]


def test_the_time_before_counts(tmp_path: Path) -> None:
    small_train(PLAIN, out=tmp_path, callbacks=[stopped_after(13)])
    before = last_state(tmp_path)["phases"]
    run = small_train(PLAIN, out=tmp_path, resume=True)
    assert before["forward"] > 0
    assert run.seconds["forward"] > before["forward"]
    assert run.seconds["building"] > before["building"]


# --- refused


@pytest.fixture(scope="module")
def stopped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stopped") / "run"
    small_train(PLAIN, out=folder, callbacks=[stopped_after(4)])
    return folder


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"batch_size": 16}, "batch_size was 8, is 16"),
        ({"seed": 1}, "seed was 0, is 1"),
        ({"learning_rate": 0.5}, "learning_rate was 0.001, is 0.5"),
        ({"epochs": 1}, "epochs was 2, is 1 (a run can go on to more epochs, not to fewer)"),
        ({"optimizer": "sgd"}, 'optimizer was "adam", is "sgd"'),
        ({"augment": ["flip"]}, 'augment was [], is ["flip"]'),
        ({"precision": "float64"}, 'precision was "float32", is "float64"'),
    ],
)
def test_another_plan_is_refused_by_name(change: dict[str, Any], said: str, stopped: Path) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        small_train({**PLAIN, **change}, out=stopped, resume=True)


@pytest.mark.parametrize(
    ("change", "stop"),
    [
        ({}, 11),
        ({}, None),
        ({"schedule": ["constant"], "validate_every": "3ba", "early_stopping": 3}, 11),
        ({"schedule": {"name": "step", "every": 1, "gamma": 0.5}}, None),
        ({"schedule": [{"name": "warm_up", "length": 1}, {"name": "plateau", "patience": 0}]}, 17),
        ({"schedule": {"name": "plateau", "patience": 0}, "early_stopping": 2}, None),
        ({"schedule": {"name": "exponential", "gamma": 0.9}, "ema": 0.8}, None),
    ],
)
def test_more_epochs_are_the_longer_run(
    change: dict[str, Any], stop: int | None, tmp_path: Path
) -> None:
    """Bit for bit, where nothing depends on how long it was to be."""
    description = {**PLAIN, **change}
    whole = small_train({**description, "epochs": 3}, out=tmp_path / "whole")
    begun = [] if stop is None else [stopped_after(stop)]
    small_train(description, out=tmp_path / "run", callbacks=begun)
    longer = small_train({**description, "epochs": 3}, out=tmp_path / "run", resume=True)
    assert differences(last_state(tmp_path / "whole"), last_state(tmp_path / "run")) == []
    assert timeless(longer.history) == timeless(whole.history)
    written = json.loads((tmp_path / "run" / "description.json").read_text())
    assert written["epochs"] == 3


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"schedule": "cosine"}, "(the rates of its schedule (cosine) depend on"),
        ({"schedule": {"name": "step", "every": "0.3dur"}}, "schedule (step)"),
        ({"schedule": ["plateau", "plateau"]}, "schedule (plateau, plateau)"),
        ({"validate_every": "0.5dur"}, "validations were at parts of the whole"),
        ({"validate_every": "3ba"}, "its last validation was one"),
    ],
)
def test_no_more_epochs_where_the_run_depends_on_them(
    change: dict[str, Any], why: str, tmp_path: Path
) -> None:
    small_train({**PLAIN, **change}, out=tmp_path)
    before = last_state(tmp_path)
    with pytest.raises(InputError, match=re.escape("epochs was 2, is 3 (")) as caught:
        small_train({**PLAIN, **change, "epochs": 3}, out=tmp_path, resume=True)
    assert why in str(caught.value)
    assert differences(before, last_state(tmp_path)) == []


def test_another_network_lists_the_tensors(stopped: Path) -> None:
    wider = ["flatten", {"name": "linear", "out": 7}, "relu", "linear"]
    with pytest.raises(InputError) as caught:
        small_train({**PLAIN, "network": wider}, out=stopped, resume=True)
    assert "1_linear.weight (6, 36)" in str(caught.value)
    assert "1_linear.weight (7, 36)" in str(caught.value)
    assert "network was" in str(caught.value)


def test_a_module_in_place_of_the_network_lists_the_tensors(stopped: Path) -> None:
    with pytest.raises(InputError, match=re.escape("weights was")):
        small_train(PLAIN, out=stopped, resume=True, network=linear_network())


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_other_data_are_refused(part: str, stopped: Path) -> None:
    data = objects()
    inputs, targets = data[part]
    inputs[3, 0, 2, 2] += 1  # one pixel, by one
    with pytest.raises(InputError, match="data content was"):
        small_train(PLAIN, out=stopped, resume=True, data={**data, part: (inputs, targets)})


def test_what_changes_no_weight_may_be_another(stopped: Path, tmp_path: Path) -> None:
    import shutil

    shutil.copytree(stopped, tmp_path / "run")
    free = {"checkpoint_every": "3ba", "time_limit": 100.0, "nan_guard": "off", "device": "cpu"}
    run = small_train({**PLAIN, **free}, out=tmp_path / "run", resume=True)
    assert len(run.history) == 2


def test_without_a_run_there_is_nothing_to_resume(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is none"):
        small_train(PLAIN, out=tmp_path / "nothing", resume=True)
    assert not (tmp_path / "nothing").exists()
    with pytest.raises(InputError, match="folder of a run to resume, got none"):
        small_train(PLAIN, resume=True)


def test_without_a_checkpoint_there_is_no_fresh_start(tmp_path: Path) -> None:
    with pytest.raises(BrokenError):
        small_train(PLAIN, out=tmp_path, callbacks=[Breaks(2)])
    with pytest.raises(InputError, match="a checkpoint to go on from, there is none"):
        small_train(PLAIN, out=tmp_path, resume=True)


def test_a_folder_with_a_run_is_not_written_over(stopped: Path) -> None:
    before = checkpoints(stopped)
    with pytest.raises(InputError, match="resume it, or name another folder"):
        small_train(PLAIN, out=stopped)
    assert checkpoints(stopped) == before


def test_a_damaged_newest_checkpoint_is_passed_over_and_said(tmp_path: Path) -> None:
    small_train(PLAIN, out=tmp_path / "whole")
    small_train(
        {**PLAIN, "checkpoint_every": "4ba"}, out=tmp_path / "run", callbacks=[stopped_after(11)]
    )
    names = checkpoints(tmp_path / "run")
    assert names == ["step-000000008.ckpt", "step-000000011.ckpt"]
    newest = tmp_path / "run/checkpoints" / names[-1]
    newest.write_bytes(newest.read_bytes()[:-2000])
    with pytest.warns(DataWarning, match=r"step-000000011.*going on from step-000000008"):
        small_train({**PLAIN, "checkpoint_every": "4ba"}, out=tmp_path / "run", resume=True)
    assert differences(last_state(tmp_path / "whole"), last_state(tmp_path / "run")) == []


# --- kill -9


def test_killed_in_earnest() -> None:
    description = read_description({"data": "digits", "network": "fc", "epochs": 2})
    small = description.changed(network={"name": "fc", "hidden": [8], "dropout": 0.2})
    proof = prove_resume(small, n_kills=1, n_steps=16)
    assert proof.holds
    assert proof.n_steps == 16
    assert [trial.different for trial in proof.trials] == [[]]
    assert 5 < proof.trials[0].killed_at < 16
    assert "equal, bit for bit" in str(proof)


def test_differences_sees_a_single_bit() -> None:
    state: dict[str, Any] = {
        "step": 1, "epoch": 0, "samples": 8, "network": {"w": torch.zeros(3)},
        "optimizer": {"state": {0: {"m": torch.ones(2)}}}, "average": None, "schedule": {},
        "running": {"loss": 1.0}, "best": None, "skipped": [], "history": [{"seconds": 1}],
    }  # fmt: skip
    assert differences(state, {**state, "history": [{"seconds": 2}]}) == []
    assert differences(state, {**state, "network": {"w": -torch.zeros(3)}}) == ["network.w"]
    assert differences(state, {**state, "step": 2}) == ["step"]
    assert differences(state, {**state, "history": []}) == ["history"]
    other = {"state": {0: {"m": torch.ones(2) + 1e-7}}}
    assert differences(state, {**state, "optimizer": other}) == ["optimizer.state.0.m"]


# --- a single step again


@pytest.fixture(scope="module")
def digits_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[float]]:
    from tests.small_trainings import Weights

    folder = tmp_path_factory.mktemp("digits") / "run"
    watch = Weights()
    description = {
        "data": "digits",
        "network": {"name": "fc", "hidden": [8], "dropout": 0.2},
        "epochs": 2,
        "batch_size": 200,
        "augment": [{"name": "translate", "pixels": 1}],
        "checkpoint_every": "5ba",
    }
    train(description, out=folder, callbacks=[watch], test=False)
    return folder, watch.losses


@pytest.mark.parametrize(("step", "began"), [(1, 0), (6, 0), (13, 10)])
def test_a_step_is_done_again(step: int, began: int, digits_run: tuple[Path, list[float]]) -> None:
    folder, losses = digits_run
    assert len(losses) == 14
    before = torch.get_rng_state()
    again = replay(folder, step)
    assert again.loss == losses[step - 1]
    assert again.began_from == began
    assert len(again.rows) == (200 if step % 7 else 94)
    assert f"step {step}, from the state after step {began}: loss" in str(again)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("step", [0, 15])
def test_a_step_that_there_is_not(step: int, digits_run: tuple[Path, list[float]]) -> None:
    with pytest.raises(InputError, match="from 1 to 14, got"):
        replay(digits_run[0], step)


def test_a_short_training_is_proved_or_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[int] = []

    def here(*request: Any, resume: bool) -> None:
        if request[2] is None:
            resumption._train(*request, resume)
        else:  # a kill is a stop, here
            killed.append(request[2])
            resumption._train(*request[:2], None, request[2], resume)

    monkeypatch.setattr(resumption, "_in_process", here)
    description = read_description(
        {"data": "digits", "network": {"name": "fc", "hidden": [4]}, "batch_size": 1000}
    )
    with pytest.raises(InputError, match="3 updates or more"):
        prove_resume(dataclasses.replace(description, epochs=1))
    proof = prove_resume(dataclasses.replace(description, epochs=2))  # of two updates each
    assert proof.holds
    assert proof.n_steps == 4
    assert set(killed) <= {2, 3}
