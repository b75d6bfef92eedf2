"""Callbacks at the moments of a training that is made by hand."""

from __future__ import annotations

import csv
import io
import json
import math
import pickle
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from rich.console import Console
from torch import Tensor, nn

from snellen.errors import InputError, SchemaError
from snellen.training.callbacks.early_stopping import EarlyStopping
from snellen.training.callbacks.epoch_log import EpochLog
from snellen.training.callbacks.nan_guard import NanGuard, Replayed, TrainingDiverged
from snellen.training.callbacks.not_finite import NotFinite, find_not_finite
from snellen.training.callbacks.progress import Progress
from snellen.training.callbacks.protocol import Callback, Callbacks
from snellen.training.callbacks.step_log import StepLog
from snellen.training.callbacks.time_limit import TimeLimit
from snellen.training.description import Description
from snellen.training.state import TrainingState


def state(*, epochs: int = 10, n_epoch: int = 4, **content: Any) -> TrainingState:
    description = Description.of(
        {"data": "digits", "task": "classification", "epochs": epochs, **content}
    )
    network = nn.Linear(2, 2)
    return TrainingState(
        description=description,
        network=network,
        optimizer=torch.optim.SGD(network.parameters(), lr=0.1),
        schedule=cast("Any", None),
        loss_function=cast("Any", nn.functional.cross_entropy),
        device=torch.device("cpu"),
        n_steps=epochs * n_epoch,
        n_epoch=n_epoch,
        learning_rate=0.1,
    )


def step(run: TrainingState, callbacks: Sequence[Callback], loss: float | None = 0.5) -> None:
    run.loss = None if loss is None else torch.tensor(loss)
    run.step += 1
    run.samples += 8
    for each in callbacks:
        each.step_end(run)


def steps(run: TrainingState, callbacks: Sequence[Callback], losses: Sequence[float]) -> None:
    for loss in losses:
        step(run, callbacks, loss)


def epoch(
    run: TrainingState,
    callbacks: Sequence[Callback],
    metrics: Mapping[str, float],
    *,
    validated: bool = True,
    loss: float = 0.5,
) -> None:
    """Do an epoch in the order of the loop: the epoch counts as done before its end is told."""
    for each in callbacks:
        each.epoch_start(run)
    for _ in range(run.n_epoch):
        step(run, callbacks, loss)
    if validated:
        found = {name: value for name, value in metrics.items() if name.startswith("val_")}
        for each in callbacks:
            each.validated(run, found)
    run.epoch += 1
    whole = {"epoch": run.epoch, "step": run.step, **metrics}
    run.history.append(dict(whole))
    for each in callbacks:
        each.epoch_end(run, whole)


def stopped_after(
    values: Sequence[float], *, monitor: str = "val_loss", **options: Any
) -> tuple[int, EarlyStopping, TrainingState]:
    """Return after how many epochs with these values training ended, 0 if it did not."""
    run = state(epochs=len(values) + 1)
    stopping = EarlyStopping(monitor, **options)
    stopping.start(run)
    for value in values:
        epoch(run, [stopping], {"loss": 0.4, monitor: value})
        if run.stop_reason:
            return run.epoch, stopping, run
    return 0, stopping, run


# --- early stopping


@pytest.mark.parametrize(
    ("values", "patience", "options", "expected"),
    [
        # Best in epoch 2; epochs 3 and 4 are the two without an improvement.
        ([1.0, 0.5, 0.6, 0.7, 0.1], 2, {}, 4),
        ([1.0, 0.9, 0.8], 1, {}, 0),
        ([1.0, 1.0], 1, {}, 2),  # the same is no improvement
        # Against 1.0: 0.95 and 0.91 gain no more than 0.1, 0.85 gains 0.15 of the best, not 0.06.
        ([1.0, 0.95, 0.91, 0.85, 0.84, 0.83, 0.82], 3, {"min_delta": 0.1}, 7),
        ([1.0, 0.9], 1, {"min_delta": 0.2}, 2),
        ([math.nan, math.nan, math.nan], 2, {}, 2),
        ([math.nan, 1.0, math.nan, math.nan], 2, {}, 4),
        ([1.0, -math.inf, 2.0], 2, {}, 3),  # no number, however small
        ([0.5, 0.6, 0.6, 0.5], 2, {"mode": "max"}, 4),
    ],
)
def test_early_stopping(
    values: list[float], patience: int, options: dict[str, Any], expected: int
) -> None:
    assert stopped_after(values, patience=patience, **options)[0] == expected


def test_early_stopping_says_why() -> None:
    _, stopping, run = stopped_after([1.0, 0.5, 0.625], patience=1)
    assert run.stop_reason == (
        "val_loss was best in epoch 2 (0.5) and did not get better in 1 epoch; now it is 0.625"
    )
    assert (stopping.best, stopping.best_epoch) == (0.5, 2)
    _, _, run = stopped_after([math.nan] * 3, patience=3)
    assert run.stop_reason == "val_loss was no finite number in 3 epochs"


def test_early_stopping_knows_the_direction_of_the_tasks_numbers() -> None:
    assert stopped_after([0.5, 0.6, 0.7], monitor="val_accuracy", patience=1)[0] == 0
    assert stopped_after([0.5, 0.6], monitor="val_brier", patience=1)[0] == 2
    with pytest.raises(InputError, match="my_number"):
        stopped_after([1.0], monitor="val_my_number", patience=1)
    assert stopped_after([1.0, 2.0], monitor="val_my_number", patience=1, mode="max")[0] == 0
    unknown = EarlyStopping(patience=1)
    with pytest.raises(InputError, match=r'expected "min" or "max".* - at mode'):
        unknown.start(state(task="auto"))


def test_early_stopping_does_not_end_what_is_over() -> None:
    run = state(epochs=2)
    stopping = EarlyStopping(patience=1)
    stopping.start(run)
    for value in (0.5, 0.6):
        epoch(run, [stopping], {"val_loss": value})
    assert not run.stop_reason


def test_early_stopping_by_a_number_of_training() -> None:
    run = state()
    stopping = EarlyStopping("loss", patience=1)
    stopping.start(run)
    epoch(run, [stopping], {"loss": 1.0, "val_loss": 9.0})
    epoch(run, [stopping], {"loss": 0.5, "val_loss": 10.0})
    assert not run.stop_reason
    epoch(run, [stopping], {"loss": 0.7, "val_loss": 1.0})
    assert run.stop_reason.startswith("loss was best in epoch 2")


def test_early_stopping_decides_nothing_without_a_new_measurement() -> None:
    run = state(validate_every="2ep")
    stopping = EarlyStopping(patience=1)
    stopping.start(run)
    epoch(run, [stopping], {"loss": 1.0}, validated=False)
    epoch(run, [stopping], {"loss": 1.0, "val_loss": 0.5})
    epoch(run, [stopping], {"loss": 1.0, "val_loss": 0.5}, validated=False)  # handed on
    assert not run.stop_reason
    epoch(run, [stopping], {"loss": 1.0, "val_loss": 0.6})
    assert run.stop_reason


def test_early_stopping_takes_the_best_of_several_validations_an_epoch() -> None:
    run = state()
    stopping = EarlyStopping(patience=1)
    stopping.start(run)
    epoch(run, [stopping], {"val_loss": 0.5})
    stopping.validated(run, {"val_loss": 0.4})  # within the next epoch
    epoch(run, [stopping], {"val_loss": 0.6})
    assert not run.stop_reason
    assert (stopping.best, stopping.best_epoch) == (0.4, 2)


def test_early_stopping_without_its_number() -> None:
    run = state()
    stopping = EarlyStopping("val_acuracy", patience=1, mode="max")
    stopping.start(run)
    message = (
        r'got "val_acuracy"\. Did you mean "val_accuracy"\? There are epoch, step, loss, '
        r"val_accuracy - at monitor"
    )
    with pytest.raises(InputError, match=message):
        epoch(run, [stopping], {"loss": 1.0, "val_accuracy": 0.5})


@pytest.mark.parametrize(
    "options",
    [{"patience": 0}, {"min_delta": -1.0}, {"min_delta": math.nan}, {"mode": "maximum"}],
)
def test_early_stopping_refuses(options: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=f"- at {next(iter(options))}"):
        EarlyStopping(**{"patience": 1, **options})


@pytest.mark.parametrize("at", range(1, 6))
def test_early_stopping_goes_on_after_a_resumption(at: int) -> None:
    values = [1.0, 0.5, 0.6, 0.4, 0.5, 0.45, 0.3]  # best in epoch 4, ended after 6
    whole = stopped_after(values, patience=2)
    run = state(epochs=len(values) + 1)
    first = EarlyStopping(patience=2)
    first.start(run)
    for value in values[:at]:
        epoch(run, [first], {"val_loss": value})
    second = EarlyStopping(patience=2)
    second.load_state(json.loads(json.dumps(first.state())))
    second.start(run)
    for value in values[at:]:
        epoch(run, [second], {"val_loss": value})
        if run.stop_reason:
            break
    assert (run.epoch, run.stop_reason) == (whole[0], whole[2].stop_reason) == (6, run.stop_reason)


def test_early_stopping_that_had_ended_a_training_ends_it_again() -> None:
    _, ended, run = stopped_after([0.5, 0.6], patience=1)
    run.stop_reason = ""
    again = EarlyStopping(patience=1)
    again.load_state(ended.state())
    again.start(run)
    assert run.stop_reason.startswith("val_loss was best in epoch 1")
    run.stop_reason = ""
    patient = EarlyStopping(patience=2)
    patient.load_state(ended.state())
    patient.start(run)
    assert not run.stop_reason
    with pytest.raises(InputError, match='expected "val_loss" as in the checkpoint'):
        EarlyStopping("val_accuracy", patience=1).load_state(ended.state())


# --- time


def test_time_limit_is_of_the_process() -> None:
    now = [100.0]
    run = state()
    limit = TimeLimit(10.0, clock=lambda: now[0])
    limit.start(run)
    now[0] = 109.9
    step(run, [limit])
    assert not run.stop_reason
    now[0] = 110.0
    step(run, [limit])
    assert run.stop_reason == "the time limit"
    assert limit.state() == {}
    for seconds in (0.0, -1.0, math.inf, math.nan):
        with pytest.raises(InputError, match="- at seconds"):
            TimeLimit(seconds)


# --- logs


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text())))


def json_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_epoch_log_writes_each_epoch_at_once(tmp_path: Path) -> None:
    run = state()
    log = EpochLog(tmp_path / "run")
    log.start(run)
    epoch(run, [log], {"loss": 0.5}, validated=False)
    assert (tmp_path / "run/epochs.csv").read_text() == "epoch,step,loss\n1,4,0.5\n"
    # A new column: the heading is that of all rows.
    epoch(run, [log], {"loss": math.nan, "val_loss": 0.25})
    assert (tmp_path / "run/epochs.csv").read_text() == (
        "epoch,step,loss,val_loss\n1,4,0.5,\n2,8,nan,0.25\n"
    )
    assert json_of(tmp_path / "run/epochs.jsonl") == [
        {"epoch": 1, "step": 4, "loss": 0.5},
        {"epoch": 2, "step": 8, "loss": None, "val_loss": 0.25},
    ]


def test_epoch_log_goes_on_without_writing_twice(tmp_path: Path) -> None:
    run = state()
    log = EpochLog(tmp_path)
    log.start(run)
    for k in range(3):
        epoch(run, [log], {"loss": 1.0 - k / 4})
    with (tmp_path / "epochs.jsonl").open("a") as file:
        file.write('{"epoch": 4, "st')  # killed while writing
    # Resumed from the checkpoint of epoch 2.
    run.epoch, run.step, run.history = 2, 8, run.history[:2]
    log = EpochLog(tmp_path)
    log.start(run)
    assert [row["epoch"] for row in rows_of(tmp_path / "epochs.csv")] == ["1", "2"]
    epoch(run, [log], {"loss": 0.1})
    assert [row["loss"] for row in rows_of(tmp_path / "epochs.csv")] == ["1.0", "0.75", "0.1"]
    assert [row["loss"] for row in json_of(tmp_path / "epochs.jsonl")] == [1.0, 0.75, 0.1]
    # Begun anew.
    EpochLog(tmp_path).start(state())
    assert (tmp_path / "epochs.csv").read_text() == (tmp_path / "epochs.jsonl").read_text() == ""


def test_epoch_log_takes_what_it_lacks_from_the_history(tmp_path: Path) -> None:
    run = state()
    for k in range(2):
        epoch(run, [], {"loss": float(k)})
    log = EpochLog(tmp_path)
    log.start(run)
    assert [row["loss"] for row in rows_of(tmp_path / "epochs.csv")] == ["0.0", "1.0"]


def test_epoch_log_after_a_roll_back(tmp_path: Path) -> None:
    run = state()
    log = EpochLog(tmp_path)
    log.start(run)
    for k in range(3):
        epoch(run, [log], {"loss": float(k)})
    run.epoch, run.step, run.history = 1, 4, run.history[:1]
    epoch(run, [log], {"loss": 7.0})
    assert [row["loss"] for row in rows_of(tmp_path / "epochs.csv")] == ["0.0", "7.0"]


def test_logs_refuse_another_file(tmp_path: Path) -> None:
    (tmp_path / "epochs.jsonl").write_text("not a row\n")
    with pytest.raises(SchemaError, match=r"epochs\.jsonl line 1"):
        EpochLog(tmp_path).start(state())


def test_step_log_means_of_windows(tmp_path: Path) -> None:
    run = state()
    log = StepLog(tmp_path, every=2)
    log.start(run)
    for loss in (1.0, 2.0, 4.0, 8.0, 16.0):
        step(run, [log], loss)
    log.state()  # of a checkpoint, which the rows must not be behind
    assert [(row["step"], row["loss"]) for row in json_of(tmp_path / "steps.jsonl")] == [
        (2, 1.5),
        (4, 6.0),
    ]
    log.end(run)
    assert json_of(tmp_path / "steps.jsonl")[-1] == {
        "step": 5,
        "loss": 16.0,
        "learning_rate": 0.1,
        "seconds": 0.0,
    }
    with pytest.raises(InputError, match="- at every"):
        StepLog(tmp_path, every=0)


@pytest.mark.parametrize("at", range(1, 9))
@pytest.mark.parametrize("ended", [True, False])
def test_step_log_of_a_resumed_training_is_that_of_a_whole_one(
    tmp_path: Path, at: int, ended: bool
) -> None:
    losses = [2.0**k for k in range(9)]

    def train(start: int, log: StepLog, until: int, run: TrainingState) -> None:
        log.start(run)
        for loss in losses[start:until]:
            step(run, [log], loss)

    whole = StepLog(tmp_path / "whole", every=3)
    run = state()
    train(0, whole, 9, run)
    whole.end(run)

    first, run = StepLog(tmp_path / "parts", every=3), state()
    train(0, first, at, run)
    kept = first.state()
    for loss in losses[at : at + 2]:  # lost
        step(run, [first], loss)
    if ended:
        first.end(run)
    second, run = StepLog(tmp_path / "parts", every=3), state()
    run.step = at
    second.load_state(kept)
    train(at, second, 9, run)
    second.end(run)
    assert (tmp_path / "parts/steps.csv").read_text() == (tmp_path / "whole/steps.csv").read_text()


@pytest.mark.parametrize("every", [1, 3, 64])
def test_step_log_leaves_out_updates_that_were_left_out(tmp_path: Path, every: int) -> None:
    run = state()
    log = StepLog(tmp_path, every=every)
    log.start(run)
    for loss in [1.0, None, 4.0, None, None, None, 16.0]:
        step(run, [log], loss)
    log.end(run)
    expected = {
        1: [(1, 1.0), (3, 4.0), (7, 16.0)],
        3: [(3, 2.5), (7, 16.0)],
        64: [(7, 7.0)],
    }
    rows = json_of(tmp_path / "steps.jsonl")
    assert [(row["step"], row["loss"]) for row in rows] == expected[every]


def test_step_log_writes_within_a_second(tmp_path: Path) -> None:
    run = state()
    log = StepLog(tmp_path, every=1)
    log.start(run)
    written = []
    for seconds in (0.4, 0.9, 1.1, 1.9, 2.0, 2.2):
        run.seconds = seconds
        step(run, [log])
        written.append(len(json_of(tmp_path / "steps.jsonl")))
    assert written == [0, 0, 3, 3, 3, 6]
    # A roll back: rows of what will be done again are dropped, and time goes back.
    run.step, run.seconds = 1, 0.5
    log.load_state({"n": 0, "sum": 0.0})
    log.epoch_start(run)
    run.seconds = 1.5
    step(run, [log])
    assert [row["step"] for row in json_of(tmp_path / "steps.jsonl")] == [1, 2]


def test_logs_and_guard_read_losses_seldom(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = state(n_epoch=200, checkpoint_every="2ep")
    callbacks = [StepLog(tmp_path, every=2), NanGuard(50)]
    for each in callbacks:
        each.start(run)
    reads: list[int] = []
    for name in ("__float__", "__bool__", "item", "tolist"):
        original = getattr(Tensor, name)

        def counted(tensor: Tensor, original: Any = original) -> Any:
            reads.append(run.step)
            return original(tensor)

        monkeypatch.setattr(Tensor, name, counted)
    for _ in range(200):
        step(run, callbacks)
    assert reads == [50, 64, 100, 128, 150, 192, 200]


# --- progress


def test_progress_writes_plain_lines_where_there_is_no_terminal() -> None:
    now = [0.0]
    file = io.StringIO()
    run = state(epochs=2, n_epoch=4)
    progress = Progress(Console(file=file, width=20), clock=lambda: now[0])
    progress.start(run)
    for value in (0.5, 0.25):
        progress.epoch_start(run)
        for _ in range(4):
            now[0] += 1.0
            step(run, [progress])
        run.epoch += 1
        progress.epoch_end(run, {"loss": value, "[red]accuracy": 1.0, "val_accuracy": 0.875})
    run.stop("[bold]enough")
    progress.end(run)
    # 4 steps of 8 samples in 4 seconds are 8 samples a second; 4 steps are left, a second each.
    assert file.getvalue().splitlines() == [
        "epoch 1/2  loss 0.5000  val_accuracy 0.8750  lr 0.1  8 samples/s  4 s left",
        "epoch 2/2  loss 0.2500  val_accuracy 0.8750  lr 0.1  8 samples/s",
        "ended: [bold]enough",
    ]


def test_progress_draws_its_bar_four_times_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    file = io.StringIO()
    console = Console(
        file=file, force_terminal=True, width=100, no_color=True, legacy_windows=False
    )
    monkeypatch.setattr(Console, "is_dumb_terminal", False)
    run = state(epochs=1, n_epoch=100)
    progress = Progress(console, clock=lambda: now[0])
    progress.start(run)
    drawn = []
    assert progress._bar is not None
    monkeypatch.setattr(progress._bar, "refresh", lambda: drawn.append(now[0]))
    for _ in range(100):
        step(run, [progress])
        now[0] += 0.1
    # 10 seconds, seen every tenth: each third of them, 0.3 s apart.
    assert all(b - a >= 0.25 for a, b in pairwise(drawn))
    assert 30 <= len(drawn) <= 40
    monkeypatch.undo()
    progress._bar.refresh()
    assert "loss 0.5000" in file.getvalue()
    progress.end(run)
    assert progress._bar is None
    step(run, [progress])  # nothing to draw on any more


def test_progress_says_first_what_is_to_be_known_of_the_data() -> None:
    file = io.StringIO()
    progress = Progress(Console(file=file, width=20))
    run = state()
    run.notes = ("1 image that cannot be read left out: [a].png",)
    for _fold in range(2):
        progress.start(run)
    assert file.getvalue() == "note: 1 image that cannot be read left out: [a].png\n"


def test_progress_ends_where_it_never_began() -> None:
    run = state()
    run.stop("an error")
    Progress().end(run)


# --- not a number


class Backwards(torch.autograd.Function):
    """The identity, with a factor for what comes back."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, factor: float) -> Tensor:
        ctx.factor = factor
        return inputs.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        return gradient * ctx.factor, None


class Spoils(nn.Module):
    """Gives what is not finite, forward or back, for samples whose first number is 7."""

    def __init__(self, forward: float = 1.0, back: float = 1.0) -> None:
        super().__init__()
        self.factors = forward, back

    def forward(self, inputs: Tensor) -> Tensor:
        forward, back = self.factors
        if forward != 1.0:
            inputs = torch.where(inputs[:, :1] == 7, inputs * forward, inputs)
        return inputs if back == 1.0 else cast("Tensor", Backwards.apply(inputs, back))


def net(middle: nn.Module) -> nn.Module:
    torch.manual_seed(3)
    return nn.Sequential(
        nn.Identity(),
        middle,
        nn.Linear(3, 4),
        nn.ReLU(inplace=True),
        nn.Linear(4, 2),
    )


INPUTS = torch.tensor([[1.0, 2, 3], [7, 1, 1], [0, 1, 0], [7, 2, 2]])
TARGETS = torch.tensor([0, 1, 1, 0])
LOSS: Any = nn.functional.cross_entropy


def test_find_not_finite_where_all_is() -> None:
    assert find_not_finite(net(nn.Identity()), INPUTS, TARGETS, LOSS) is None


def test_find_not_finite_inputs() -> None:
    bad = INPUTS.clone()
    bad[2, 1] = math.inf
    assert find_not_finite(net(nn.Identity()), bad, TARGETS, LOSS) == NotFinite("inputs", "", (2,))


def test_find_not_finite_weights() -> None:
    network = net(nn.Identity())
    with torch.no_grad():
        network[2].bias[1] = math.nan
        network[4].weight[0] = math.inf
    found = find_not_finite(network, INPUTS, TARGETS, LOSS)
    assert found == NotFinite("weights", "2", (), "bias")
    assert str(found) == 'the weights bias of layer "2" are not finite'


def test_find_not_finite_output_names_the_samples() -> None:
    found = find_not_finite(net(Spoils(forward=math.inf)), INPUTS, TARGETS, LOSS)
    assert found == NotFinite("output", "1", (1, 3))


def test_find_not_finite_loss() -> None:
    def loss(output: Tensor, targets: Tensor) -> Tensor:
        return (output.sum(1) / targets).mean()

    found = find_not_finite(net(nn.Identity()), INPUTS, TARGETS, cast("Any", loss))
    assert found == NotFinite("loss", "", (0, 3))  # whose target is 0


def test_find_not_finite_gradient_names_the_layer_after_finite_values() -> None:
    class Root(nn.Module):  # the slope of the square root is infinite at 0, its value is not
        def forward(self, inputs: Tensor) -> Tensor:
            return inputs.sqrt()

    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 4), nn.ReLU(inplace=True), Root(), nn.Linear(4, 2))
    found = find_not_finite(network, INPUTS, TARGETS, LOSS)
    assert found == NotFinite("gradient", "2")
    assert str(found) == 'the gradient through layer "2" is the first that is not finite'

    def steep(output: Tensor, targets: Tensor) -> Tensor:
        return (output * 0).sqrt().sum() + targets.sum()

    found = find_not_finite(net(nn.Identity()), INPUTS, TARGETS, cast("Any", steep))
    assert found == NotFinite("gradient", "")


def test_find_not_finite_gradient_within_a_block_names_the_layer() -> None:
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first = Spoils(back=math.nan)
            self.second = nn.Linear(3, 3)

        def forward(self, inputs: Tensor) -> Tensor:
            output: Tensor = inputs + self.second(self.first(inputs))
            return output

    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(3, 3), Block(), nn.Linear(3, 2))
    found = find_not_finite(network, INPUTS, TARGETS, LOSS)
    assert found == NotFinite("gradient", "1.first")


def test_find_not_finite_changes_nothing() -> None:
    network = nn.Sequential(nn.BatchNorm1d(3), nn.Dropout(0.5), nn.Linear(3, 2))
    before = {name: value.clone() for name, value in network.state_dict().items()}
    random = torch.get_rng_state()
    assert find_not_finite(network, INPUTS, TARGETS, LOSS) is None
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())
    assert torch.equal(torch.get_rng_state(), random)
    assert all(parameter.grad is None for parameter in network.parameters())
    assert network.training
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in network)


@pytest.mark.parametrize("bad", [1, 4, 5, 7, 10, 13])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_nan_guard_names_the_exact_step(bad: int, value: float) -> None:
    run = state(n_epoch=20)
    guard = NanGuard(5)
    with pytest.raises(TrainingDiverged, match=f"a loss of {value} in step {bad}") as caught:
        steps(run, [guard], [0.5] * (bad - 1) + [value] * 20)
    assert (caught.value.step, caught.value.layer, caught.value.rows) == (bad, "", ())
    assert run.step == -(-bad // 5) * 5  # noticed when it looks, not before and not later


def test_nan_guard_looks_at_the_end_of_an_epoch() -> None:
    run = state(n_epoch=4)
    guard = NanGuard(50)
    with pytest.raises(TrainingDiverged, match="step 1"):
        epoch(run, [guard], {}, loss=math.nan)
    run, guard = state(), NanGuard(50)
    epoch(run, [guard], {})
    with torch.no_grad():
        cast("nn.Linear", run.network).bias[0] = math.inf
    with pytest.raises(TrainingDiverged, match=r"weights bias of the network .*in step 8"):
        epoch(run, [guard], {})


def test_nan_guard_looks_before_a_checkpoint_within_an_epoch() -> None:
    run, guard = state(n_epoch=100, checkpoint_every="7ba"), NanGuard(50)
    guard.start(run)
    steps(run, [guard], [0.5] * 6)
    with torch.no_grad():
        cast("nn.Linear", run.network).weight[0] = math.nan  # by the seventh update
    with pytest.raises(TrainingDiverged, match=r"weights weight of the network .*in step 7"):
        step(run, [guard])


def test_nan_guard_leaves_skipped_steps_out() -> None:
    run, guard = state(), NanGuard(2)
    run.skipped = [0]
    step(run, [guard], math.nan)  # the loss is that of an update before the roll back
    step(run, [guard])
    step(run, [guard])
    with pytest.raises(TrainingDiverged, match="step 4"):
        steps(run, [guard], [math.nan] * 2)


def test_nan_guard_names_layer_and_samples_of_a_replayed_step() -> None:
    rows = torch.tensor([40, 41, 42, 43])
    asked = []

    def replay(number: int) -> Replayed:
        asked.append(number)
        return Replayed(net(Spoils(forward=math.nan)), INPUTS, TARGETS, rows)

    run = state(n_epoch=20)
    guard = NanGuard(4, replay=replay)
    with pytest.raises(TrainingDiverged) as caught:
        steps(run, [guard], [0.5, 0.5, math.nan, math.nan])
    error = caught.value
    assert asked == [3]
    assert (error.step, error.layer, error.rows) == (3, "1", (41, 43))
    assert str(error) == (
        'expected finite numbers, got a loss of nan in step 3: the output of layer "1" is the '
        "first that is not finite (samples 41, 43). A lower learning_rate, a warm_up or clip_norm "
        'may help; nan_guard = "roll_back" goes on from a checkpoint'
    )
    for same in (pickle.loads(pickle.dumps(error)), error.within("cnn.toml")):
        assert (same.step, same.layer, same.rows) == (3, "1", (41, 43))
    assert str(error.within("cnn.toml")).endswith(" - at cnn.toml")


def test_nan_guard_goes_back_to_the_gradient_that_spoilt_the_weights() -> None:
    rows = torch.arange(4)

    def replay(number: int) -> Replayed | None:
        if number == 3:  # begins with spoilt weights
            network = net(nn.Identity())
            with torch.no_grad():
                network[2].weight[:] = math.nan
            return Replayed(network, INPUTS, TARGETS, rows)
        network = nn.Sequential(nn.Linear(3, 3), Spoils(back=math.nan), nn.Linear(3, 2))
        return Replayed(network, INPUTS, TARGETS, rows) if number == 2 and known else None

    for known, expected in ((True, (2, "1")), (False, (3, "2"))):  # noqa: B007 - replay sees it
        run = state(n_epoch=20)
        guard = NanGuard(4, replay=replay)
        with pytest.raises(TrainingDiverged) as caught:
            steps(run, [guard], [0.5, 0.5, math.nan, math.nan])
        assert (caught.value.step, caught.value.layer) == expected
        assert caught.value.rows == (0, 1, 2, 3)
    with pytest.raises(InputError, match="- at every"):
        NanGuard(0)


# --- the protocol


def test_callbacks_call_only_what_a_class_defines_in_order() -> None:
    calls: list[str] = []

    class First(Callback):
        def step_end(self, run: TrainingState) -> None:
            calls.append(f"first {run.step}")

    class Second(Callback):
        def step_end(self, run: TrainingState) -> None:
            calls.append(f"second {run.step}")

        def state(self) -> dict[str, Any]:
            return {"n": 1}

        def load_state(self, state: Mapping[str, Any]) -> None:
            calls.append(f"load {state['n']}")

    several = Callbacks([First(), Second()])
    several.call("step_end", state())
    several.call("end", state())
    several.load_state(several.state())
    assert calls == ["first 0", "second 0", "load 1"]
