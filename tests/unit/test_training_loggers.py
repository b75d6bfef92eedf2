"""Loggers: TensorBoard for real, W&B and MLflow against modules that note what they are told."""

from __future__ import annotations

import math
import subprocess
import sys
import types
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from torch import nn

from snellen.errors import InputError, MissingExtraError
from snellen.loggers import MLflow, TensorBoard, WandB
from snellen.loggers.scalars import ScalarLogger, flat
from snellen.training.description import Description
from snellen.training.state import TrainingState


def state(step: int = 0) -> TrainingState:
    description = Description.of(
        {
            "data": "digits",
            "epochs": 2,
            "optimizer": {"name": "sgd", "momentum": 0.9},
            "network": [{"name": "flatten"}, {"name": "linear", "out": 3}],
        }
    )
    network = nn.Linear(2, 2)
    return TrainingState(
        description=description,
        network=network,
        optimizer=torch.optim.SGD(network.parameters(), lr=0.5),
        schedule=cast("Any", None),
        loss_function=cast("Any", None),
        device=torch.device("cpu"),
        n_steps=8,
        n_epoch=4,
        step=step,
        learning_rate=0.5,
    )


def train(run: TrainingState, logger: ScalarLogger, losses: list[float]) -> None:
    """Do an epoch with these losses."""
    for loss in losses:
        run.loss = torch.tensor(loss)
        run.step += 1
        logger.step_end(run)
    run.epoch += 1
    logger.epoch_end(run, {"epoch": run.epoch, "step": run.step, "loss": 0.5, "val_loss": math.nan})


def test_flat() -> None:
    assert flat({"a": 1, "b": {"c": [1, 2], "d": {"e": None}}, "f": [{"g": 2}, "h"]}) == {
        "a": 1,
        "b.c": [1, 2],
        "b.d.e": None,
        "f.0.g": 2,
        "f.1": "h",
    }


def test_every_is_a_number_of_updates() -> None:
    with pytest.raises(InputError, match="- at every"):
        TensorBoard("runs", every=0)


# --- TensorBoard


def scalars(folder: Path) -> dict[str, list[tuple[int, float]]]:
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    return {
        name: [(event.step, event.value) for event in events.Scalars(name)]
        for name in events.Tags()["scalars"]
    }


def test_tensorboard_files(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    run, logger = state(), TensorBoard(tmp_path, every=2)
    logger.start(run)
    train(run, logger, [1.0, 2.0, 3.0, 5.0])
    # What is written is there at the end of each epoch, not only of the training.
    found = scalars(tmp_path)
    assert found["step/loss"] == [(2, 1.5), (4, 4.0)]
    assert found["step/learning_rate"] == [(2, 0.5), (4, 0.5)]
    assert found["loss"] == [(4, 0.5)]
    assert found["epoch"] == [(4, 1.0)]
    assert math.isnan(found["val_loss"][0][1])
    assert "step" not in found
    logger.end(run)
    logger.end(run)


def test_tensorboard_of_a_resumed_training_shows_nothing_twice(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    run, logger = state(), TensorBoard(tmp_path, every=2)
    logger.start(run)
    for each in (1.0, 1.0, 1.0):
        run.loss, run.step = torch.tensor(each), run.step + 1
        logger.step_end(run)
    kept = logger.state()  # the checkpoint of step 3: one loss is in no row yet
    run.loss, run.step = torch.tensor(9.0), run.step + 1
    logger.step_end(run)  # this is lost
    logger.end(run)
    run, again = state(step=3), TensorBoard(tmp_path, every=2)
    again.load_state(kept)
    again.start(run)
    train(run, again, [3.0, 4.0, 6.0])
    again.end(run)
    assert scalars(tmp_path)["step/loss"] == [(2, 1.0), (4, 2.0), (6, 5.0)]


# --- W&B


class Wandb(types.ModuleType):
    """Notes what W&B is told."""

    def __init__(self) -> None:
        super().__init__("wandb")
        self.calls: list[tuple[Any, ...]] = []
        self.id = "abc"
        self.summary: dict[str, Any] = {}

    def init(self, **options: Any) -> Wandb:
        self.calls.append(("init", options))
        return self

    def log(self, numbers: dict[str, float], *, step: int) -> None:
        self.calls.append(("log", numbers, step))

    def finish(self) -> None:
        self.calls.append(("finish",))


def test_wandb(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wandb = Wandb()
    monkeypatch.setitem(sys.modules, "wandb", wandb)
    run, logger = state(), WandB("eyes", name="first", folder=tmp_path, every=4)
    logger.start(run)
    train(run, logger, [1.0, 2.0, 3.0, 6.0])
    kept = logger.state()
    run.stop("the time limit")
    logger.end(run)
    assert wandb.calls[0] == (
        "init",
        {
            "project": "eyes",
            "name": "first",
            "dir": str(tmp_path),
            "config": run.description.plain(),
            "id": None,
            "resume": None,
        },
    )
    assert wandb.calls[1] == ("log", {"step/loss": 3.0, "step/learning_rate": 0.5}, 4)
    assert wandb.calls[2][0] == "log"
    assert wandb.calls[2][1]["loss"] == 0.5
    assert wandb.calls[2][2] == 4
    assert wandb.calls[3:] == [("finish",)]
    assert wandb.summary == {"stop_reason": "the time limit"}
    again = WandB("eyes")
    again.load_state(kept)
    again.start(run)
    assert (wandb.calls[-1][1]["id"], wandb.calls[-1][1]["resume"]) == ("abc", "allow")


# --- MLflow


class Mlflow(types.ModuleType):
    """Notes what MLflow is told."""

    def __init__(self) -> None:
        super().__init__("mlflow")
        self.calls: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def called(*values: Any, **options: Any) -> Any:
            self.calls.append((name, *values, options))
            return types.SimpleNamespace(info=types.SimpleNamespace(run_id="r1"))

        return called


def test_mlflow(monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow = Mlflow()
    monkeypatch.setitem(sys.modules, "mlflow", mlflow)
    run, logger = state(), MLflow("eyes", name="first", uri="file:runs", every=4)
    logger.start(run)
    train(run, logger, [1.0, 2.0, 3.0, 6.0])
    kept = logger.state()
    run.stop("interrupted")
    logger.end(run)
    names = [call[0] for call in mlflow.calls]
    assert names == [
        "set_tracking_uri", "set_experiment", "start_run", "log_params", "log_metrics",
        "log_metrics", "set_tag", "end_run",
    ]  # fmt: skip
    assert mlflow.calls[2][-1] == {"run_id": None, "run_name": "first"}
    parameters = mlflow.calls[3][1]
    assert parameters["optimizer.momentum"] == "0.9"
    assert parameters["network.1.out"] == "3"
    assert mlflow.calls[4][1:] == ({"step/loss": 3.0, "step/learning_rate": 0.5}, {"step": 4})
    assert mlflow.calls[6][1:3] == ("stop_reason", "interrupted")
    again = MLflow()
    again.load_state(kept)
    mlflow.calls.clear()
    again.start(run)
    assert mlflow.calls == [("start_run", {"run_id": "r1", "run_name": None})]


# --- not installed


@pytest.mark.parametrize(
    ("module", "logger", "extra"),
    [
        ("torch.utils.tensorboard", TensorBoard("runs"), "tensorboard"),
        ("wandb", WandB(), "wandb"),
        ("mlflow", MLflow(), "mlflow"),
    ],
)
def test_a_missing_package_is_named(
    monkeypatch: pytest.MonkeyPatch, module: str, logger: ScalarLogger, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    run = state()
    with pytest.raises(MissingExtraError, match=rf"snellen\[{extra}\]"):
        logger.start(run)
    logger.end(run)  # as the loop does after an error


def test_loggers_import_their_packages_when_they_are_used() -> None:
    code = (
        "import snellen.loggers, sys; print(*{'tensorboard', 'wandb', 'mlflow'} & {*sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == ""
