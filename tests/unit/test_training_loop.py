"""The loop: what it computes, what it leaves alone, and in which order it says what it did."""

from __future__ import annotations

import json
import math
import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.small_trainings import (
    EVERYTHING,
    LAYERS,
    PLAIN,
    Weights,
    close,
    equal,
    images,
    last_weights,
    linear_network,
    objects,
    small_train,
    stopped_after,
    timeless,
)
from torch import Tensor, nn

from snellen.errors import InputError
from snellen.training import Callback, train
from snellen.training.callbacks.nan_guard import TrainingDiverged
from snellen.training.data.parts import Order
from snellen.training.state import TrainingState

FLAT = ["flatten", {"name": "linear", "out": 8}, "relu", "linear"]
DROPPED = ["flatten", {"name": "linear", "out": 8}, "relu", {"name": "dropout", "p": 0.4}, "linear"]


def test_the_same_seed_gives_the_same_run() -> None:
    runs = [small_train(EVERYTHING) for _ in range(2)]
    first, second = (run.network.network.state_dict() for run in runs)
    assert equal(first, second)
    assert timeless(runs[0].history) == timeless(runs[1].history)


def test_another_seed_gives_another_run() -> None:
    assert not equal(last_weights(PLAIN), last_weights({**PLAIN, "seed": 1}))


# --- parts of a batch


@pytest.mark.parametrize("layers", [FLAT, DROPPED], ids=["plain", "dropout"])
@pytest.mark.parametrize("class_weights", ["none", (0.2, 1.0, 5.0)], ids=["", "class weights"])
def test_five_five_and_three_are_thirteen(layers: Any, class_weights: Any) -> None:
    description = {
        **PLAIN,
        "network": layers,
        "optimizer": "sgd",
        "learning_rate": 0.5,
        "batch_size": 13,
        "precision": "float64",
        "class_weights": class_weights,
    }
    data = objects(train=39)
    whole = last_weights(description, data=data)
    parts = last_weights({**description, "micro_batch_size": 5}, data=data)
    assert not equal(whole, parts)  # sums in another order; else nothing was taken apart
    assert close(whole, parts, 1e-12)
    uneven = last_weights({**description, "micro_batch_size": 12}, data=data)
    assert close(whole, uneven, 1e-12)


def test_a_mean_of_means_would_be_another_update() -> None:
    """By hand: what the tolerance above is to tell apart."""
    inputs, targets = images(13, 0)
    network = linear_network().double()

    def gradient(sizes: list[int]) -> Tensor:
        network.zero_grad()
        for x, y in zip(inputs.split(sizes), targets.split(sizes), strict=True):
            loss = nn.functional.cross_entropy(network(x.double() / 255), y)
            (loss / len(sizes)).backward()
        weight = network[1].weight
        assert weight.grad is not None
        return weight.grad.clone()

    whole, mean_of_means = gradient([13]), gradient([5, 5, 3])
    assert float((whole - mean_of_means).abs().max() / whole.abs().max()) > 0.01


# --- rewrites


CONV = {**PLAIN, "network": LAYERS, "optimizer": "sgd", "learning_rate": 0.1}


def test_rewrites_change_no_bit(tmp_path: Path) -> None:
    contiguous = {**CONV, "memory_format": "contiguous"}
    watch, plain = Weights(), Weights()
    small_train(contiguous, callbacks=[watch], out=tmp_path)
    small_train({**contiguous, "rewrites": False}, callbacks=[plain])
    assert equal(watch.last, plain.last)
    assert watch.losses == plain.losses
    written = json.loads((tmp_path / "run.json").read_text())["rewrites"]
    assert "pool" in str(written)  # there was something to compare
    assert all(each["proof"] for each in written)


def test_channels_last_and_fused_updates_are_equal_to_rounding() -> None:
    exact = {**CONV, "optimizer": {"name": "adamw"}, "precision": "float64"}
    exact["network"] = [layer for layer in LAYERS if layer != "batch_norm"]  # no bias that is noise
    plain = last_weights({**exact, "memory_format": "contiguous", "rewrites": False})
    assert close(plain, last_weights({**exact, "memory_format": "channels_last"}), 1e-10)
    assert close(plain, last_weights({**exact, "memory_format": "contiguous"}), 1e-10)


# --- what is left alone


@pytest.mark.parametrize("every", ["1ba", "7ba", "3ep"])
def test_validation_changes_nothing(every: str) -> None:
    description = {
        **EVERYTHING, "schedule": "constant", "early_stopping": None, "ema": None,
    }  # fmt: skip
    assert equal(last_weights(description), last_weights({**description, "validate_every": every}))


def test_without_a_validation_part_the_weights_are_the_same() -> None:
    description = {
        **EVERYTHING, "schedule": "constant", "early_stopping": None, "ema": None,
    }  # fmt: skip
    data = objects()
    alone = {"train": data["train"], "hold_out": 0}
    assert equal(last_weights(description, data=data), last_weights(description, data=alone))


def test_the_callers_random_numbers_are_as_before() -> None:
    torch.manual_seed(3)
    np.random.seed(3)  # noqa: NPY002
    random.seed(3)

    def states() -> tuple[Any, ...]:
        numpy_state = np.random.get_state()  # noqa: NPY002
        return (
            torch.get_rng_state().tolist(), numpy_state[1].tolist(), numpy_state[2],
            random.getstate(), torch.get_num_threads(),
        )  # fmt: skip

    before = states()
    small_train(EVERYTHING)
    assert states() == before
    with pytest.raises(InputError):
        small_train({**EVERYTHING, "network": "rnn"})
    assert states() == before


def test_the_callers_random_numbers_change_nothing() -> None:
    torch.manual_seed(1)
    first = last_weights(EVERYTHING)
    torch.manual_seed(2)
    random.seed(7)
    assert equal(first, last_weights(EVERYTHING))


def test_frozen_layers_stay_bit_for_bit() -> None:
    network = linear_network()
    network[1].weight.requires_grad_(False)
    frozen, free = network[1].weight.clone(), network[3].weight.clone()
    decayed = {**PLAIN, "optimizer": {"name": "adamw", "weight_decay": 0.1}, "ema": 0.9}
    small_train(decayed, network=network)
    assert torch.equal(network[1].weight, frozen)
    assert not torch.equal(network[3].weight, free)


def test_class_weights_are_repeated_samples() -> None:
    """One full batch: weight 3 for a class is each of its samples three times."""
    inputs, targets = images(12, 0)
    full = {
        **PLAIN, "network": FLAT, "optimizer": "sgd", "learning_rate": 0.3, "precision": "float64",
        "epochs": 3,
    }  # fmt: skip
    weighed = last_weights(
        {**full, "batch_size": 12, "class_weights": (1.0, 1.0, 3.0)},
        data={"train": (inputs, targets), "hold_out": 0},
    )
    rows = torch.cat([torch.arange(12), *2 * [(targets == 2).nonzero().flatten()]])
    repeated = last_weights(
        {**full, "batch_size": len(rows)},
        data={"train": (inputs[rows], targets[rows]), "hold_out": 0},
    )
    plain = last_weights(
        {**full, "batch_size": 12}, data={"train": (inputs, targets), "hold_out": 0}
    )
    assert close(weighed, repeated, 1e-12)
    assert not close(weighed, plain, 1e-3)


# --- the best weights


@pytest.mark.parametrize("early_stopping", [None, 2])
def test_weights_are_those_of_the_best_validation(early_stopping: int | None) -> None:
    found: list[tuple[float, dict[str, Tensor]]] = []

    class Validated(Callback):
        def validated(self, run: TrainingState, metrics: Mapping[str, float]) -> None:
            weights = {name: value.clone() for name, value in run.network.state_dict().items()}
            found.append((metrics["val_loss"], weights))

    description = {
        **PLAIN, "monitor": "loss", "epochs": 10, "learning_rate": 0.3,
        "early_stopping": early_stopping,
    }  # fmt: skip
    run = small_train(description, callbacks=[Validated()])
    best = min(range(len(found)), key=lambda k: found[k][0])
    assert best < len(found) - 1  # a run that ends worse than it was
    assert run.best_epoch == best + 1
    assert equal(run.network.network.state_dict(), found[best][1])
    assert run.measured_on == "validation"
    assert run.metrics["loss"] == found[best][0]
    if early_stopping:
        assert len(found) == best + 3


def test_numbers_are_those_of_the_best_weights_within_an_epoch() -> None:
    found: list[float] = []

    class Validated(Callback):
        def validated(self, run: TrainingState, metrics: Mapping[str, float]) -> None:
            del run
            found.append(metrics["val_loss"])

    description = {
        **PLAIN, "monitor": "loss", "epochs": 3, "learning_rate": 0.3, "validate_every": "3ba",
    }  # fmt: skip
    run = small_train(description, callbacks=[Validated()])
    assert run.metrics["loss"] == min(found)
    stopped = small_train(description, callbacks=[stopped_after(5)])  # within the first epoch
    assert stopped.metrics["loss"] == found[0]


def test_a_validation_that_is_no_number_is_never_the_best() -> None:
    class Blind(nn.Module):
        """Gives NaN when it is evaluated for the first time."""

        def __init__(self) -> None:
            super().__init__()
            self.inner = linear_network()
            self.updates = 0

        def forward(self, inputs: Tensor) -> Tensor:
            output: Tensor = self.inner(inputs)
            self.updates += self.training
            return output * math.nan if not self.training and 0 < self.updates < 15 else output

    run = small_train({**PLAIN, "monitor": "loss", "rewrites": False}, network=Blind())
    assert run.best_epoch == 2
    assert math.isfinite(run.metrics["loss"])


# --- callbacks


class Moments(Callback):
    def __init__(self, name: str, said: list[str]) -> None:
        self.name = name
        self.said = said

    def _say(self, moment: str, run: TrainingState) -> None:
        self.said.append(f"{self.name} {moment} {run.epoch} {run.step}")

    def start(self, run: TrainingState) -> None:
        self._say("start", run)

    def epoch_start(self, run: TrainingState) -> None:
        self._say("epoch_start", run)

    def step_end(self, run: TrainingState) -> None:
        self._say("step_end", run)

    def validated(self, run: TrainingState, metrics: Mapping[str, float]) -> None:
        assert set(metrics) == {"val_loss", "val_accuracy", "val_balanced_accuracy", "val_f1_macro"}
        assert run.best is not None
        self._say("validated", run)

    def epoch_end(self, run: TrainingState, metrics: Mapping[str, float]) -> None:
        assert metrics["epoch"] == run.epoch
        assert run.history[-1] == metrics
        self._say("epoch_end", run)

    def end(self, run: TrainingState) -> None:
        self._say("end", run)

    def state(self) -> dict[str, Any]:
        self.said.append(f"{self.name} state")
        return {}


def test_the_order_of_moments(tmp_path: Path) -> None:
    said: list[str] = []
    callbacks = [Moments("a", said), Moments("b", said)]
    data = objects(train=12, validation=6)
    small_train(
        {**PLAIN, "batch_size": 6, "nan_guard": "off"}, out=tmp_path, data=data, callbacks=callbacks
    )
    expected = ["start 0 0"]
    for epoch in (0, 1):
        expected += [
            f"epoch_start {epoch} {2 * epoch}",
            f"step_end {epoch} {2 * epoch + 1}",
            f"step_end {epoch} {2 * epoch + 2}",
            f"validated {epoch} {2 * epoch + 2}",
            f"epoch_end {epoch + 1} {2 * epoch + 2}",
            "state",
        ]
    expected.append("end 2 4")
    assert said == [f"{name} {moment}" for moment in expected for name in ("a", "b")]


def test_the_end_is_told_after_an_error() -> None:
    said: list[str] = []

    class Fails(Callback):
        def step_end(self, run: TrainingState) -> None:
            del run
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        small_train(PLAIN, callbacks=[Moments("a", said), Fails()])
    assert [each.split()[1] for each in said if "state" not in each] == [
        "start",
        "epoch_start",
        "step_end",
        "end",
    ]


# --- numbers that are none


class Spoils(Callback):
    """Makes a weight NaN after certain updates, the first time that they are done."""

    def __init__(self, *steps: int, name: str = "3_linear.weight") -> None:
        self.steps = list(steps)
        self.name = name

    def step_end(self, run: TrainingState) -> None:
        if run.step in self.steps:
            self.steps.remove(run.step)
            with torch.no_grad():
                run.network.state_dict()[self.name][0, 0] = math.nan


def infinite_data(row: int) -> dict[str, Any]:
    """Return data of which one sample overflows the second layer."""
    random_numbers = torch.Generator().manual_seed(0)
    inputs = torch.rand((40, 5), generator=random_numbers)
    inputs[row] = 3e38
    return {"train": (inputs, torch.arange(40) % 3), "hold_out": 0}


@pytest.mark.parametrize("folder", [True, False])
def test_a_sample_that_spoils_all_is_named(folder: bool, tmp_path: Path) -> None:
    description = {
        **PLAIN, "network": [{"name": "linear", "out": 4}, "relu", "linear"], "batch_size": 10,
        "normalise": "none", "epochs": 3,
    }  # fmt: skip
    batches = list(Order(40, 10, seed=0).batches(0))
    step = next(k for k, rows in enumerate(batches, 1) if 17 in rows.tolist())
    with pytest.raises(TrainingDiverged) as caught:
        small_train(description, data=infinite_data(17), out=tmp_path / "run" if folder else None)
    error = caught.value
    assert (error.step, error.rows) == (step, (17,))
    assert error.layer in ("0_linear", "2_linear")
    assert f"in step {step}: the output of layer" in str(error)


def test_a_spoilt_weight_is_told_by_step_and_layer(tmp_path: Path) -> None:
    with pytest.raises(TrainingDiverged) as caught:
        small_train({**PLAIN, "epochs": 2}, out=tmp_path, callbacks=[Spoils(13)])
    assert "in step 14" in str(caught.value)


def test_off_means_off() -> None:
    run = small_train({**PLAIN, "nan_guard": "off"}, callbacks=[Spoils(3)])
    assert math.isnan(run.history[-1]["loss"])


@pytest.mark.parametrize("folder", [True, False])
@pytest.mark.parametrize("handed_over", [True, False])
def test_a_roll_back_goes_on_and_ends_finite(
    folder: bool, handed_over: bool, tmp_path: Path
) -> None:
    network = linear_network() if handed_over else None
    spoils = Spoils(13, 17, name="3.weight" if handed_over else "3_linear.weight")
    ends: list[TrainingState] = []

    class End(Callback):
        def end(self, run: TrainingState) -> None:
            ends.append(run)

    description = {**PLAIN, "nan_guard": "roll_back", "epochs": 3, "checkpoint_every": "5ba"}
    run = small_train(
        description,
        out=tmp_path / "run" if folder else None,
        network=network,
        callbacks=[spoils, End()],
    )
    assert ends[0].skipped == [13, 17]
    assert [row["epoch"] for row in run.history] == [1, 2, 3]
    assert all(math.isfinite(row["loss"]) for row in run.history)
    assert all(bool(each.isfinite().all()) for each in run.network.network.state_dict().values())
    # Up to what was kept, it is the run that was never spoilt.
    alone = small_train({**PLAIN, "epochs": 3}, network=linear_network() if handed_over else None)
    assert timeless(run.history[:1]) == timeless(alone.history[:1])
    assert run.history[1]["loss"] != alone.history[1]["loss"]


def test_an_epoch_of_which_every_step_is_left_out(tmp_path: Path) -> None:
    class LeavesOut(Callback):
        def epoch_start(self, run: TrainingState) -> None:
            if run.epoch == 1:
                run.skipped = [*range(run.step, run.step + run.n_epoch)]

    run = small_train({**PLAIN, "epochs": 3}, out=tmp_path, callbacks=[LeavesOut()])
    losses = [row["loss"] for row in run.history]
    assert [math.isnan(loss) for loss in losses] == [False, True, False]
    assert "accuracy" not in run.history[1]
    assert run.history[1]["val_loss"] == run.history[0]["val_loss"]  # nothing was learnt


def test_roll_backs_come_to_an_end() -> None:
    class Always(Callback):
        def step_end(self, run: TrainingState) -> None:
            with torch.no_grad():
                run.network.state_dict()["3_linear.weight"][0, 0] = math.nan

    with pytest.raises(TrainingDiverged):
        small_train({**PLAIN, "nan_guard": "roll_back"}, callbacks=[Always()])


# --- nothing can be learnt of nothing


def test_permuted_labels_give_chance() -> None:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    inputs = torch.from_numpy(bunch.images * 15).to(torch.uint8)[:, None]
    targets = torch.from_numpy(bunch.target)
    shuffled = targets[torch.randperm(len(targets), generator=torch.Generator().manual_seed(0))]
    n = 1200
    run = train(
        {"data": "objects", "network": "fc", "epochs": 3},
        data={"train": (inputs[:n], shuffled[:n]), "test": (inputs[n:], shuffled[n:])},
    )
    # A guess is right one time in ten: 597 of them within 4.5 standard deviations (7 in a million).
    assert run.measured_on == "test"
    spread = math.sqrt(0.1 * 0.9 / (len(inputs) - n))
    assert abs(run.metrics["accuracy"] - 0.1) < 4.5 * spread
    learnt = train(
        {"data": "objects", "network": "fc", "epochs": 3},
        data={"train": (inputs[:n], targets[:n]), "test": (inputs[n:], targets[n:])},
    )
    assert learnt.metrics["accuracy"] > 0.75


# --- memory


@pytest.mark.parametrize(
    "error",
    [
        torch.cuda.OutOfMemoryError("CUDA out of memory"),
        MemoryError(),
        RuntimeError(
            "[enforce fail at alloc_cpu.cpp:124] . DefaultCPUAllocator: not enough memory"
        ),
    ],
)
@pytest.mark.parametrize(("given", "tried"), [({}, 4), ({"micro_batch_size": 3}, 1)])
def test_too_little_memory_says_what_to_try(
    error: Exception, given: dict[str, int], tried: int
) -> None:
    class Large(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = linear_network()

        def forward(self, inputs: Tensor) -> Tensor:
            if self.training and inputs.requires_grad is False and torch.is_grad_enabled():
                raise error
            output: Tensor = self.inner(inputs)
            return output

    with pytest.raises(InputError, match=f"try micro_batch_size = {tried}, which changes no"):
        small_train({**PLAIN, **given, "rewrites": False}, network=Large())


def test_another_error_is_not_taken_for_too_little_memory() -> None:
    class Wrong(Callback):
        def step_end(self, run: TrainingState) -> None:
            del run
            raise RuntimeError("quite another matter")

    with pytest.raises(RuntimeError, match="quite another matter"):
        small_train(PLAIN, callbacks=[Wrong()])


# --- what is refused before anything is done


def test_folds_are_not_one_training() -> None:
    with pytest.raises(InputError, match="cross_validate"):
        small_train({**PLAIN, "n_folds": 5})


def test_the_python_call_takes_a_description_too(tmp_path: Path) -> None:
    path = tmp_path / "small.json"
    path.write_text('{"data": "objects", "network": ["flatten", "linear"], "batch_size": 8}')
    run = train(path, data=objects(), test=True)
    assert run.measured_on == "test"
