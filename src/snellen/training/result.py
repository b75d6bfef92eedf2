"""What a training gives: a measured network, and the folder of the run."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any

from snellen.training.measuring import all_outputs, measured
from snellen.training.tasks import final_metric, headline_metrics, running_evaluation
from snellen.training.trained_network import TrainedNetwork

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snellen.result import Result
    from snellen.training.clock import Clock
    from snellen.training.engine import Engine
    from snellen.training.preparation import Prepared
    from snellen.training.run_folder import RunFolder
    from snellen.training.state import TrainingState

__all__ = ["TrainedRun", "finish"]


@dataclasses.dataclass(frozen=True, repr=False)
class TrainedRun:
    """A training that is over.

    Attributes
    ----------
    network : TrainedNetwork
        With the best weights, or where nothing chose any, the last ones.
    history : list of dict
        The numbers of each epoch.
    best_epoch : int or None
        The epoch (from 1) of the weights; None for the last ones.
    result : Result or None
        Every number of the test part, with intervals; None where it was not measured.
    metrics : mapping of str to float
        The headline numbers of the test part; without one those of the best validation.
    measured_on : str
        Of which part they are: ``"test"``, ``"validation"``, or ``"training"``.
    seconds : mapping of str to float
        Where the time went, by phase.
    stop_reason : str
        Why it ended before its last epoch; empty where it did not.
    folder : str or None
        Where all of it lies.
    """

    network: TrainedNetwork
    history: list[dict[str, Any]]
    best_epoch: int | None
    result: Result | None
    metrics: Mapping[str, float]
    measured_on: str
    seconds: Mapping[str, float]
    stop_reason: str = ""
    folder: str | None = None

    def __str__(self) -> str:
        names = [name for name in headline_metrics(self.network.task) if name in self.metrics]
        numbers = ", ".join(f"{name} {self._shown(name)}" for name in names)
        which = "last" if self.best_epoch is None else f"best, of epoch {self.best_epoch}"
        lines = [
            f"{self.measured_on}: {numbers}",
            f"weights: the {which}; epochs: {len(self.history)}; seconds: "
            f"{sum(self.seconds.values()):.1f}",
        ]
        if self.stop_reason:
            lines.append(f"ended by {self.stop_reason}")
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"TrainedRun({self.measured_on}: {dict(self.metrics)})"

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {
            "schema": "snellen.training/1",
            "measured_on": self.measured_on,
            "metrics": dict(self.metrics),
            "best_epoch": self.best_epoch,
            "history": self.history,
            "seconds": dict(self.seconds),
            "stop_reason": self.stop_reason,
            "folder": self.folder,
            "result": None if self.result is None else self.result.to_dict(),
        }

    def _shown(self, name: str) -> str:
        """Return a number and, where there is one, its interval."""
        text = f"{self.metrics[name]:.4f}"
        interval = None if self.result is None else self.result.intervals.get(name)
        if interval is None or math.isnan(interval.low):
            return text
        return f"{text} [{interval.low:.4f}, {interval.high:.4f}]"


def finish(
    prepared: Prepared,
    state: TrainingState,
    engine: Engine,
    *,
    folder: RunFolder | None,
    facts: dict[str, Any],
    clock: Clock,
    seconds: Mapping[str, float] | None = None,
    test: bool,
) -> TrainedRun:
    """Take the best weights, measure the test part once, and write everything.

    Parameters
    ----------
    prepared : Prepared
        What was trained.
    state : TrainingState
        At its end.
    engine : Engine
        Where it ran. Only the first process writes.
    folder : RunFolder or None
        Where everything is written.
    facts : dict
        What the run folder says.
    clock : Clock
        Where the time goes.
    seconds : mapping of str to float, optional
        Where it went in a run that was finished before, and is only measured again.
    test : bool
        Whether there is to be a test.
    """
    network, data = prepared.network, prepared.data
    best = state.best
    if best is not None:
        network.load_state_dict(best.weights)
    elif prepared.average is not None:
        with prepared.average.applied():
            averaged = {name: value.clone() for name, value in network.state_dict().items()}
        network.load_state_dict(averaged)
    network.eval()
    trained = TrainedNetwork(
        network,
        prepared.normalisation,
        classes=data.classes,
        task=data.task,
        input_shape=data.train.input_shape,
        description=prepared.description.plain(),
        features=data.description.get("features"),
    )
    result, metrics, part_name = None, {}, "training"
    images: list[dict[str, Any]] = []
    written: dict[str, bytes] = {}
    if engine.rank > 0 and test and data.test is not None:
        pass  # the first process measures it
    elif test and data.test is not None:
        from snellen.statistics.bootstrap import intervals
        from snellen.training.answer_files import answer_files
        from snellen.training.worst import worst_images

        outputs = all_outputs(
            network,
            data.test,
            prepared.normalisation,
            engine,
            2 * prepared.description.batch_size,
            prepared.by_pixel,
            prepared.description.test_views,
        )
        ids = data.test.ids
        rows = outputs.rows.tolist()
        named = [str(row) if ids is None else ids[row] for row in rows]
        answers, targets = trained.answers(outputs.outputs), outputs.targets.numpy()
        metric: Any = final_metric(
            data.task, data.classes, named, answers, targets, scores="probabilities"
        )
        result = metric.compute()
        result = dataclasses.replace(result, intervals=intervals(metric))
        metrics, part_name = dict(result.metrics), "test"
        images = worst_images(data, outputs, answers)
        if folder is not None and engine.rank == 0:
            written["test/state.bin"] = metric.to_bytes()
            for name, content in answer_files(trained, named, answers, targets).items():
                written[f"test/{name}"] = content
    elif best is not None:
        metrics = {name.removeprefix("val_"): value for name, value in best.metrics.items()}
        part_name = "validation"
    else:
        metrics = measured(
            network,
            data.train,
            prepared.normalisation,
            prepared.loss_function,
            running_evaluation(data.task, data.classes, data.n_outputs),
            engine,
            2 * prepared.description.batch_size,
            prepared.by_pixel,
        )
    clock.whole("test")
    run = TrainedRun(
        network=trained,
        history=state.history,
        best_epoch=None if best is None else best.epoch + 1,
        result=result,
        metrics=metrics,
        measured_on=part_name,
        seconds={},
        stop_reason=state.stop_reason,
        folder=None if folder is None else str(folder),
    )
    if folder is not None and engine.rank == 0:
        _write_files(run, folder, written)
        clock.whole("writing")
        spent = dict(clock.seconds if seconds is None else seconds)
        _write_pages(run, folder, {**facts, "seconds": spent}, images, prepared)
    engine.wait()
    clock.whole("writing")
    return dataclasses.replace(run, seconds=dict(clock.seconds if seconds is None else seconds))


def _pictured(run: TrainedRun, folder: RunFolder) -> dict[str, Any]:
    """Return what the page shows and `run.json` does not hold: confusions, the log of steps."""
    import msgspec

    found: dict[str, Any] = {}
    steps = folder.path / "steps.jsonl"
    if steps.is_file():
        rows = steps.read_bytes().splitlines()
        found["step_rows"] = [msgspec.json.decode(row) for row in rows]
    result: Any = run.result
    if run.network.task == "classification" and result is not None:
        result = result.parts["labels"]
    if run.network.classes is not None and result is not None:
        counts = result.matrix[: len(run.network.classes)]
        found["confusion"] = {
            "classes": run.network.classes.display_names(),
            "counts": counts.tolist(),
        }
    return found


def _write_files(run: TrainedRun, folder: RunFolder, written: dict[str, bytes]) -> None:
    """Write the network, and what the test gave."""
    if run.result is not None:
        folder.write("test/result.json", run.result.to_dict())
    if written:
        folder.write_bytes(written)
    run.network.save(folder.path)


def _write_pages(
    run: TrainedRun,
    folder: RunFolder,
    facts: dict[str, Any],
    images: list[dict[str, Any]],
    prepared: Prepared,
) -> None:
    """Write what is to be read of a run: its facts, the page, the model card."""
    from snellen.training.model_card import model_card
    from snellen.training.run_page import run_page

    content: dict[str, Any] = {
        **facts,
        "description": prepared.description.plain(),
        "history": run.history,
        "best_epoch": run.best_epoch,
        "measured_on": run.measured_on,
        "metrics": dict(run.metrics),
    }
    folder.write("run.json", content)
    if run.result is not None:
        content["result"] = run.result.to_dict()
    folder.write_bytes(
        {
            "index.html": run_page(
                {**content, **_pictured(run, folder), "images": images}
            ).encode(),
            "README.md": model_card(content).encode(),
        }
    )
