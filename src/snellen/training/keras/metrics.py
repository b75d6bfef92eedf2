"""Snellen's metrics in Keras' own ``fit``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.arrays import to_numpy
from snellen.classes import Classes
from snellen.classification.classification import Classification
from snellen.errors import InputError, ShapeError, first_few
from snellen.regression.regression import Regression
from snellen.training.keras.backend import imported_keras

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["SnellenMetrics"]

_Callback: Any = imported_keras().callbacks.Callback

_BEST_KNOWN = (
    "accuracy",
    "balanced_accuracy",
    "precision_macro",
    "recall_macro",
    "f1_macro",
    "mcc",
    "log_loss",
    "ece",
    "mae",
    "rmse",
    "r2",
)


class SnellenMetrics(_Callback):  # type: ignore[misc]  # Keras has no types
    """Measures the model on validation data at the end of each epoch, by Snellen's metrics.

    Each number goes into the epoch's logs as ``val_<name>``, and so into the history, and to
    callbacks that come after this one, such as ``EarlyStopping(monitor="val_f1_macro")``. Works
    with each of Keras' backends.

    Parameters
    ----------
    validation_data : tuple of two arrays, or iterable of such pairs
        Inputs as the model takes them, and what is true of them: classes (n,), or flags (n, K)
        with one in each row; or numbers. An iterable gives batches, and is gone through at the end
        of each epoch.
    metric : Metric, optional
        What is measured: of classes ``Classification(scores=…)``, ``ConfusionMatrix()``, … with
        scores of the classes as predictions, or ``Regression()`` with numbers. Without, what
        the data and the outputs say: whole numbers or flags are classes, other numbers targets of
        a regression.
    scores : {"probabilities", "logits"}, optional
        What the model's outputs for classes are. Without, as the metric says, or as they look in
        the first batch: rows that add up to 1, or one column between 0 and 1, are
        probabilities. One column is that of class 1.
    names : sequence of str or "all", optional
        Which numbers of the result; without, the best known of them.
    batch_size : int
        How many samples of arrays go through the model at a time.
    prefix : str
        What comes before each name.

    Attributes
    ----------
    result : Result or None
        Of the last epoch: with the confusion matrix, the numbers of each class and all others.
    """

    def __init__(
        self,
        validation_data: tuple[Any, Any] | Iterable[tuple[Any, Any]],
        metric: Any = None,
        *,
        scores: str | None = None,
        names: Sequence[str] | str | None = None,
        batch_size: int = 256,
        prefix: str = "val_",
    ) -> None:
        super().__init__()
        if iter(validation_data) is validation_data:
            raise InputError(
                "expected validation data that can be gone through in each epoch, got an iterator: "
                "give arrays, or what makes the iterator",
                "validation_data",
            )
        if batch_size < 1:
            raise InputError(f"expected a batch size from 1, got {batch_size!r}", "batch_size")
        if scores not in (None, "probabilities", "logits"):
            raise InputError(f'expected "probabilities" or "logits", got {scores!r}', "scores")
        self.validation_data = validation_data
        self.metric = metric
        self.scores = scores
        self.names = names
        self.batch_size = batch_size
        self.prefix = prefix
        self.result: Any = None

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        """Measure the model, and put the numbers into the logs."""
        del epoch
        self.result = self.measured()
        if logs is not None:
            logs.update(self._chosen(self.result.metrics))

    def measured(self) -> Any:
        """Return the result of the model as it is now.

        Raises
        ------
        ShapeError
            If outputs and truth do not fit.
        InputError
            If there is no validation data, or the metric cannot take it.
        """
        metric = None if self.metric is None else self.metric.empty()
        scores = self.scores or getattr(metric, "scores", None)
        for inputs, truth in self._batches():
            output = self.model.predict_on_batch(inputs)
            if isinstance(metric, Regression) or (metric is None and not _are_classes(truth)):
                metric = metric or Regression()
                metric.update(truth, output)
                continue
            scores = scores or _looks_like(output)
            pred = _two_columns(output, scores)
            if metric is None:
                metric = Classification(Classes(range(pred.shape[1])), scores=scores)
            metric.update(_classes(truth), pred)
        if metric is None:
            raise InputError("expected validation data, got none", "validation_data")
        return metric.compute()

    def _batches(self) -> Iterator[tuple[Any, NDArray[Any]]]:
        data = self.validation_data
        if not isinstance(data, tuple):
            for inputs, truth in data:
                yield inputs, to_numpy(truth, "validation_data")
            return
        if len(data) != 2 or len(data[0]) != len(data[1]):
            raise ShapeError(
                "expected inputs and as many truths as validation data, got "
                f"{', '.join(str(len(each)) for each in data)}",
                "validation_data",
            )
        inputs, truth = data[0], to_numpy(data[1], "validation_data")
        for first in range(0, len(truth), self.batch_size):
            here = slice(first, first + self.batch_size)
            yield inputs[here], truth[here]

    def _chosen(self, metrics: Any) -> dict[str, float]:
        if self.names is None:
            names = [name for name in _BEST_KNOWN if name in metrics]
        else:
            names = list(metrics) if self.names == "all" else list(self.names)
        unknown = [name for name in names if name not in metrics]
        if unknown:
            raise InputError(
                f"expected names of numbers of the result, got {first_few(unknown)}. There are "
                f"{', '.join(metrics)}.",
                "names",
            )
        return {f"{self.prefix}{name}": float(metrics[name]) for name in names}


def _are_classes(truth: NDArray[Any]) -> bool:
    return truth.dtype.kind in "iub" or _are_flags(truth)


def _looks_like(output: NDArray[Any]) -> str:
    """Tell whether scores are probabilities or logits."""
    between = bool(((output >= 0) & (output <= 1)).all())
    one = output.ndim == 1 or output.shape[1] == 1
    probable = between and (one or bool(np.allclose(output.sum(1), 1, atol=1e-3)))
    return "probabilities" if probable else "logits"


def _two_columns(output: NDArray[Any], scores: str) -> NDArray[Any]:
    """Return scores (n, K); of one column, that of class 1, make two."""
    if output.ndim > 2:
        raise ShapeError(f"expected outputs (n, K) for classes, got {output.shape}")
    if output.ndim == 2 and output.shape[1] > 1:
        return output
    one = output.reshape(-1)
    zero = 1 - one if scores == "probabilities" else np.zeros_like(one)
    return np.stack([zero, one], axis=1)


def _are_flags(truth: NDArray[Any]) -> bool:
    return (
        truth.ndim == 2
        and truth.shape[1] > 1
        and bool(np.isin(truth, (0, 1)).all() and (truth.sum(1) == 1).all())
    )


def _classes(truth: NDArray[Any]) -> NDArray[Any]:
    if truth.ndim == 2 and truth.shape[1] > 1:
        if not _are_flags(truth):
            raise ShapeError(
                f"expected classes (n,), or flags with one in each row, got {truth.shape}"
            )
        places: NDArray[np.int64] = truth.argmax(1)
        return places
    flat = truth.reshape(len(truth))
    return flat if flat.dtype.kind in "iub" else flat.astype(np.int64)
