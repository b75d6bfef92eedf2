"""Results for TensorBoard, Weights & Biases and MLflow: thin adapters of `ResultLogger`.

Each takes what the user has opened; nothing is imported before a picture is drawn.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snellen.displays import Display

__all__ = ["MLflowResults", "TensorBoardResults", "WandBResults"]


class TensorBoardResults:
    """Hands results to TensorBoard; pictures are drawn with Matplotlib.

    Parameters
    ----------
    writer : torch.utils.tensorboard.SummaryWriter
        What writes the event files.
    """

    def __init__(self, writer: Any) -> None:
        self.writer = writer

    def log_numbers(self, numbers: Mapping[str, float], *, step: int) -> None:
        """Write numbers as scalars."""
        for name, value in numbers.items():
            self.writer.add_scalar(name, value, step)

    def log_display(self, display: Display, *, name: str, step: int) -> None:
        """Write a picture as an image."""
        # Of a figure of its own: TensorBoard closes what it has drawn through pyplot.
        self.writer.add_figure(name, display.plot().figure_, step, close=False)


class WandBResults:
    """Hands results to Weights & Biases; pictures are Plotly's, and can be zoomed there.

    Parameters
    ----------
    run : wandb.Run
        What ``wandb.init`` returned, also with ``mode="offline"``.
    """

    def __init__(self, run: Any) -> None:
        self.run = run

    def log_numbers(self, numbers: Mapping[str, float], *, step: int) -> None:
        """Log numbers."""
        self.run.log(dict(numbers), step=step)

    def log_display(self, display: Display, *, name: str, step: int) -> None:
        """Log a picture as a Plotly figure."""
        self.run.log({name: display.figure()}, step=step)


class MLflowResults:
    """Hands results to MLflow; pictures are artifacts: pages of Plotly's, one for each step.

    Parameters
    ----------
    client : mlflow.MlflowClient
        What talks to the server or writes to the folder.
    run_id : str
        The run: ``mlflow.active_run().info.run_id``.
    """

    def __init__(self, client: Any, run_id: str) -> None:
        self.client = client
        self.run_id = run_id

    def log_numbers(self, numbers: Mapping[str, float], *, step: int) -> None:
        """Log numbers; in a name, what MLflow does not take (parentheses, …) becomes ``_``."""
        for name, value in numbers.items():
            self.client.log_metric(self.run_id, _taken(name), value, step=step)

    def log_display(self, display: Display, *, name: str, step: int) -> None:
        """Log a picture as an artifact, ``NAME.html``; of later steps ``NAME-STEP.html``."""
        file = _taken(name) if step == 0 else f"{_taken(name)}-{step}"
        self.client.log_figure(self.run_id, display.figure(), f"{file}.html")


def _taken(name: str) -> str:
    """Return a name of which MLflow takes every character.

    Examples
    --------
    >>> _taken("test/HOTA(0)")
    'test/HOTA_0_'
    """
    return re.sub(r"[^\w\-. /]", "_", name)
