"""Numbers of a training for MLflow."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from snellen.errors import MissingExtraError
from snellen.loggers.scalars import ScalarLogger, flat

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snellen.training.state import TrainingState

__all__ = ["MLflow"]

# What MLflow takes: parameters in one call, and characters of a value (2.14).
_PARAMETERS = 100
_CHARACTERS = 6000


class MLflow(ScalarLogger):
    """Logs to MLflow; what the description says are the run's parameters.

    A resumed training goes on in the run in which it began: its id is in the checkpoint.

    Parameters
    ----------
    experiment, name : str or None
        Of the run; None: as MLflow is set up.
    uri : str or None
        Of the tracking server, or a folder; None: as MLflow is set up.
    every : int
        After how many updates loss and learning rate are logged.

    Raises
    ------
    MissingExtraError
        When the training starts, where mlflow is not installed.
    """

    def __init__(
        self,
        experiment: str | None = None,
        *,
        name: str | None = None,
        uri: str | None = None,
        every: int = 50,
    ) -> None:
        super().__init__(every=every)
        self.experiment = experiment
        self.name = name
        self.uri = uri
        self._id: str | None = None
        self._mlflow: Any = None

    def _open(self, run: TrainingState) -> None:
        try:
            mlflow: Any = import_module("mlflow")
        except ImportError:
            raise MissingExtraError("mlflow", "mlflow") from None
        if self.uri is not None:
            mlflow.set_tracking_uri(self.uri)
        if self.experiment is not None:
            mlflow.set_experiment(self.experiment)
        resumed = self._id is not None
        started = mlflow.start_run(run_id=self._id, run_name=self.name)
        self._mlflow = mlflow
        self._id = started.info.run_id
        if not resumed:  # parameters cannot be changed
            values = [
                (name, str(value)[:_CHARACTERS])
                for name, value in flat(run.description.plain()).items()
            ]
            for start in range(0, len(values), _PARAMETERS):
                mlflow.log_params(dict(values[start : start + _PARAMETERS]))

    def _log(self, numbers: Mapping[str, float], step: int) -> None:
        self._mlflow.log_metrics(dict(numbers), step=step)

    def _close(self, run: TrainingState) -> None:
        if self._mlflow is not None:  # None where opening failed
            if run.stop_reason:
                self._mlflow.set_tag("stop_reason", run.stop_reason)
            self._mlflow.end_run()
            self._mlflow = None

    def state(self) -> dict[str, Any]:
        """Return the run's id, too."""
        return {**super().state(), "id": self._id}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on in the same run."""
        super().load_state(state)
        self._id = state["id"]
