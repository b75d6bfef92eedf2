"""Results handed to services: by the services' own packages, where these are installed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

from snellen.classification.confusion_matrix import ConfusionMatrix
from snellen.loggers import MLflowResults, TensorBoardResults, WandBResults, log_result

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from snellen.classification.confusion_matrix_result import ConfusionMatrixResult
    from snellen.displays import Display


def a_result() -> ConfusionMatrixResult:
    """Return a result with a number that is undefined: no sample is of class c."""
    return ConfusionMatrix(["a", "b", "c"]).update([0, 0, 1], [0, 1, 1]).compute()


class Kept:
    """Keeps what it is handed."""

    def __init__(self) -> None:
        self.numbers: dict[str, float] = {}
        self.pictures: list[str] = []
        self.steps: set[int] = set()

    def log_numbers(self, numbers: Mapping[str, float], *, step: int) -> None:
        self.numbers |= numbers
        self.steps.add(step)

    def log_display(self, display: Display, *, name: str, step: int) -> None:
        assert name.endswith(display.name)
        self.pictures.append(name)
        self.steps.add(step)


def test_everything_that_is_defined_is_handed_on() -> None:
    result, kept = a_result(), Kept()
    log_result(result, kept, step=7, prefix="test/")
    assert kept.numbers == {
        f"test/{name}": value for name, value in result.metrics.items() if math.isfinite(value)
    }
    assert kept.pictures == ["test/confusion_matrix", "test/class_rates", "test/metrics"]
    assert kept.steps == {7}


def test_pictures_may_be_left_out_and_nothing_is_no_call() -> None:
    kept = Kept()
    log_result(a_result(), kept, pictures=False)
    assert kept.pictures == []
    empty = Kept()
    log_result(ConfusionMatrix(["a"]).compute(), empty, pictures=False)
    assert empty.steps == set()


def test_tensorboard(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
    from torch.utils.tensorboard import SummaryWriter

    result = a_result()
    with SummaryWriter(str(tmp_path)) as writer:
        log_result(result, TensorBoardResults(writer), step=3)
    found = EventAccumulator(str(tmp_path)).Reload()
    (event,) = found.Scalars("accuracy")
    assert event.step == 3
    assert event.value == pytest.approx(result.accuracy)
    (image,) = found.Images("confusion_matrix")
    assert image.encoded_image_string.startswith(b"\x89PNG")


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_wandb_offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wandb = pytest.importorskip("wandb")
    pytest.importorskip("plotly")
    monkeypatch.setenv("WANDB_SILENT", "true")
    monkeypatch.setenv("WANDB_DIR", str(tmp_path))
    result = a_result()
    run: Any = wandb.init(mode="offline", project="eye-chart", dir=str(tmp_path))
    log_result(result, WandBResults(run), step=0, prefix="test/")
    run.finish()
    wandb.teardown()  # what writes the file is a process of its own
    (log,) = tmp_path.rglob("*.wandb")
    written = log.read_bytes()
    assert b"test/accuracy" in written
    assert repr(result.accuracy).encode() in written  # 0.6666666666666666
    assert len(list(tmp_path.rglob("confusion_matrix_0_*.plotly.json"))) == 1


@pytest.mark.filterwarnings("ignore")  # its own, of packages that it imports
def test_mlflow_in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mlflow = pytest.importorskip("mlflow")
    pytest.importorskip("plotly")
    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    client: Any = mlflow.MlflowClient(tracking_uri=(tmp_path / "runs").as_uri())
    run = client.create_run(client.create_experiment("eye chart"))
    result = a_result()
    log_result(result, MLflowResults(client, run.info.run_id), step=2)
    data = client.get_run(run.info.run_id).data
    assert data.metrics["accuracy"] == pytest.approx(result.accuracy)
    (point,) = client.get_metric_history(run.info.run_id, "accuracy")
    assert point.step == 2
    names = [item.path for item in client.list_artifacts(run.info.run_id)]
    assert "confusion_matrix-2.html" in names
    MLflowResults(client, run.info.run_id).log_numbers({"HOTA(0)": 0.5}, step=0)
    assert client.get_run(run.info.run_id).data.metrics["HOTA_0_"] == 0.5
