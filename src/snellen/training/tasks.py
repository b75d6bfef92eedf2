"""What classification, regression and segmentation make of a network's outputs: numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, Protocol

import numpy as np
import torch

from snellen.classes import Classes
from snellen.classification.classification import Classification
from snellen.classification.confusion_matrix import ConfusionMatrix
from snellen.errors import ClassError, InputError, ShapeError, did_you_mean
from snellen.regression.regression import Regression
from snellen.segmentation.segmentation import Segmentation
from snellen.segmentation.value_pairs import ValuePairs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike
    from torch import Tensor

__all__ = [
    "TASKS",
    "VOID",
    "Evaluation",
    "Task",
    "final_metric",
    "final_names",
    "headline_metrics",
    "higher_is_better",
    "running_evaluation",
]

Task = Literal["classification", "regression", "segmentation"]
TASKS: Final[tuple[Task, ...]] = ("classification", "regression", "segmentation")
VOID: Final = 255  # in a map of truth: the pixel does not count

# What is shown of each epoch, as Snellen's results call it.
_HEADLINES: Final[dict[str, tuple[str, ...]]] = {
    "classification": ("accuracy", "balanced_accuracy", "f1_macro"),
    "regression": ("rmse", "mae", "r2"),
    "segmentation": ("mIoU", "mDice", "pixel_accuracy"),
}
_LOWER_IS_BETTER: Final[dict[str, tuple[str, ...]]] = {
    "classification": (
        "loss", "log_loss", "brier", "ece", "rmsce", "mce", "adaptive_ece", "hamming",
    ),
    "regression": (
        "loss", "mae", "mse", "rmse", "max_error", "median_absolute_error", "mape", "smape",
        "msle", "rmsle", "huber", "poisson_deviance", "gamma_deviance",
    ),
    "segmentation": ("loss",),
}  # fmt: skip
_HIGHER_IS_BETTER: Final[dict[str, tuple[str, ...]]] = {
    "classification": (
        "accuracy", "balanced_accuracy", "precision_macro", "precision_weighted", "recall_macro",
        "recall_weighted", "f1_macro", "f1_weighted", "jaccard_macro", "jaccard_weighted", "mcc",
        "kappa", "top1", "top5", "auc_macro", "ap_macro",
    ),
    "regression": ("r2", "explained_variance", "pearson", "concordance", "spearman", "kendall"),
    "segmentation": (
        "mIoU", "mDice", "mPrecision", "mRecall", "pixel_accuracy", "fwIoU", "IoU_micro",
    ),
}  # fmt: skip
# So many batches, or numbers, wait on the device before they are counted.
_MOST_BATCHES = 512
_MOST_NUMBERS = 1 << 22


class Evaluation(Protocol):
    """The numbers of a part, batch by batch; nothing waits for the device between two readings."""

    def update(self, output: Tensor, target: Tensor) -> None:
        """Absorb a batch: what the network gave, and what is true. Both must not be changed."""

    def metrics(self) -> dict[str, float]:
        """Return the headline numbers of all batches so far."""

    def state(self) -> dict[str, Any]:
        """Return what was absorbed, for a checkpoint: plain values and tensors."""

    def merge_state(self, state: Mapping[str, Any]) -> None:
        """Absorb what `state` gave, of this process or of another."""

    def empty(self) -> Evaluation:
        """Return one of the same kind that has absorbed nothing."""


def headline_metrics(task: str) -> tuple[str, ...]:
    """Return the names of the numbers that `Evaluation.metrics` gives."""
    return _HEADLINES[_known(task)]


def running_evaluation(task: str, classes: Classes | None, n_outputs: int) -> Evaluation:
    """Return the numbers of an epoch, cheap enough for every epoch.

    Parameters
    ----------
    task : str
        What the network does.
    classes : Classes or None
        The classes, with the ids 0 … K - 1; None for regression.
    n_outputs : int
        The classes, or the numbers that are predicted.

    Returns
    -------
    Evaluation
        Of a `ConfusionMatrix`, a `Regression` or a `Segmentation`.

    Raises
    ------
    InputError, ClassError
        For another task; for other classes than outputs.
    """
    if _known(task) == "regression":
        return _RunningNumbers(n_outputs)
    named = _classes(classes, n_outputs)
    return _RunningMaps(named) if task == "segmentation" else _RunningLabels(named)


def final_metric(
    task: str,
    classes: Classes | None,
    ids: ArrayLike | None,
    outputs: Tensor | ArrayLike,
    targets: Tensor | ArrayLike,
    *,
    scores: str = "logits",
) -> Classification | Regression | Segmentation:
    """Return the metric of a whole part, with all its samples: for the test part.

    Parameters
    ----------
    task, classes
        As in `running_evaluation`.
    ids : array-like of n ids, or None
        What samples are called; None numbers them from 0.
    outputs : array-like
        What the network gave: (n, K) scores, (n, D) numbers; or (n, K, H, W) scores or (n, H, W)
        labels of pixels.
    targets : array-like
        What is true: (n,) labels or (n, K) shares of classes, of which the greatest counts; (n, D)
        numbers; (n, H, W) labels of pixels, 255 where they do not count.
    scores : {"logits", "probabilities"}
        What the scores of a classification are.

    Returns
    -------
    Classification, Regression or Segmentation
        Which gives intervals and can be compared with that of another network.
    """
    known = _known(task)
    found, truth = _array(outputs), _array(targets)
    names = np.arange(len(truth)) if ids is None else np.asarray(ids)
    if known == "regression":
        return Regression(keep_samples=True).update(truth, found, sample_id=names)
    if classes is None:
        raise ClassError("expected the classes, got none", known)
    if known == "segmentation":
        return Segmentation(classes).update(truth, found, image_id=names)
    labels = truth.argmax(1) if truth.ndim == 2 else truth
    return Classification(classes, scores=scores).update(labels, found, sample_id=names)


def final_names(task: str, classes: Classes | None) -> tuple[str, ...]:
    """Return the names of all numbers that `final_metric` gives."""
    known = _known(task)
    metric: Any
    if known == "regression":
        metric = Regression(keep_samples=True)
    elif known == "segmentation":
        metric = Segmentation(_classes(classes, len(classes or ())))
    else:
        metric = Classification(classes, scores="probabilities")
    return tuple(metric.compute().metrics)


def higher_is_better(task: str, metric: str) -> bool:
    """Return whether a greater number is better, or a smaller one.

    Parameters
    ----------
    task : str
        What the network does.
    metric : str
        A number's name, with or without ``val_`` or ``test_`` before it.

    Raises
    ------
    InputError
        Where it is no number by which networks can be ordered.
    """
    name = metric.removeprefix("val_").removeprefix("test_")
    higher, lower = _HIGHER_IS_BETTER[_known(task)], _LOWER_IS_BETTER[task]
    if name in higher or name in lower:
        return name in higher
    hint = did_you_mean(name, (*lower, *higher)) or f" There are {', '.join((*lower, *higher))}."
    raise InputError(f'expected a number of a {task}, got "{metric}".{hint}', "monitor")


class _RunningLabels:
    """The confusion matrix of labels. Outputs wait on the device, to be counted many at a time."""

    def __init__(self, classes: Classes) -> None:
        self._n = len(classes)
        self._classes = classes
        self._metric = ConfusionMatrix(classes)
        self._waiting: list[tuple[Tensor, Tensor]] = []
        self._n_waiting = 0

    def update(self, output: Tensor, target: Tensor) -> None:
        _check_scores(output, self._n, 2)
        if self._waiting and self._waiting[-1][1].ndim != target.ndim:  # classes, or parts of them
            self._count()
        self._waiting.append((output.detach(), target))
        self._n_waiting += output.numel()
        if len(self._waiting) >= _MOST_BATCHES or self._n_waiting >= _MOST_NUMBERS:
            self._count()

    def metrics(self) -> dict[str, float]:
        self._count()
        return _headlines(self._metric, "classification")

    def state(self) -> dict[str, Any]:
        self._count()
        return {"labels": _tensor(self._metric.to_bytes())}

    def merge_state(self, state: Mapping[str, Any]) -> None:
        self._metric.merge(ConfusionMatrix.from_bytes(_bytes(state["labels"])))

    def empty(self) -> _RunningLabels:
        return _RunningLabels(self._classes)

    def _count(self) -> None:
        if not self._waiting:
            return
        outputs, targets = (torch.cat(side) for side in zip(*self._waiting, strict=True))
        truth = targets if targets.ndim == 1 else targets.argmax(1)
        # max is faster than argmax, and gives the first of equals, too.
        pred = outputs.max(1).indices
        self._metric.update(truth.cpu().numpy(), pred.cpu().numpy())
        self._waiting, self._n_waiting = [], 0


class _RunningNumbers:
    """The sums of a regression. Where a number was not finite, all that follows is NaN."""

    def __init__(self, n_outputs: int) -> None:
        self._n = n_outputs
        self._metric = Regression()
        self._waiting: list[Tensor] = []
        self._n_waiting = 0
        self._finite = True

    def update(self, output: Tensor, target: Tensor) -> None:
        if output.shape != target.shape or output.ndim != 2 or output.shape[1] != self._n:
            raise ShapeError(
                f"expected outputs and targets (N, {self._n}), got {tuple(output.shape)} and "
                f"{tuple(target.shape)}"
            )
        self._waiting.append(torch.stack([target.to(output.dtype), output.detach()]))
        self._n_waiting += target.numel()
        if self._n_waiting >= _MOST_NUMBERS or len(self._waiting) >= _MOST_BATCHES:
            self._count()

    def metrics(self) -> dict[str, float]:
        self._count()
        if not self._finite:
            return dict.fromkeys(headline_metrics("regression"), float("nan"))
        return _headlines(self._metric, "regression")

    def state(self) -> dict[str, Any]:
        self._count()
        return {"numbers": _tensor(self._metric.to_bytes()), "finite": self._finite}

    def merge_state(self, state: Mapping[str, Any]) -> None:
        self._metric.merge(Regression.from_bytes(_bytes(state["numbers"])))
        self._finite = self._finite and state["finite"]

    def empty(self) -> _RunningNumbers:
        return _RunningNumbers(self._n)

    def _count(self) -> None:
        if self._waiting and self._finite:
            truth, found = torch.cat(self._waiting, 1).to("cpu", torch.float64).numpy()
            self._finite = bool(np.isfinite(found).all())
            if self._finite:
                self._metric.update(truth, found)
        self._waiting, self._n_waiting = [], 0


class _RunningMaps:
    """The confusion matrix of pixels, counted on the device."""

    def __init__(self, classes: Classes) -> None:
        self._n = len(classes)
        self._classes = classes
        self._metric = Segmentation(classes, per_image=False)
        self._counts: Tensor | None = None

    def update(self, output: Tensor, target: Tensor) -> None:
        _check_scores(output, self._n, 4)
        # Void pixels share a last row, which is not read.
        truth = target.clamp(max=self._n)
        pairs = torch.add(output.detach().max(1).indices, truth, alpha=self._n).flatten()
        if self._counts is None:
            self._counts = torch.zeros(
                (self._n + 1) * self._n, dtype=torch.int64, device=pairs.device
            )
        if pairs.is_cuda:
            # bincount would wait for the device to learn the greatest number.
            self._counts.scatter_add_(0, pairs, torch.ones_like(pairs))
        else:
            self._counts += pairs.bincount(minlength=len(self._counts))

    def metrics(self) -> dict[str, float]:
        self._count()
        return _headlines(self._metric, "segmentation")

    def state(self) -> dict[str, Any]:
        self._count()
        return {"maps": _tensor(self._metric.to_bytes())}

    def merge_state(self, state: Mapping[str, Any]) -> None:
        self._metric.merge(Segmentation.from_bytes(_bytes(state["maps"])))

    def empty(self) -> _RunningMaps:
        return _RunningMaps(self._classes)

    def _count(self) -> None:
        if self._counts is None:
            return
        counts = self._counts.cpu().numpy()[: self._n * self._n]
        cells = np.flatnonzero(counts)
        self._metric.update_pairs(
            ValuePairs(
                start=np.array([0, len(cells)], np.int64),
                truth=cells // self._n,
                pred=cells % self._n,
                count=counts[cells],
            )
        )
        self._counts = None


def _known(task: str) -> Task:
    if task in TASKS:
        return task
    hint = did_you_mean(task, TASKS)
    raise InputError(f'expected a task of {", ".join(TASKS)}, got "{task}".{hint}', "task")


def _classes(classes: Classes | None, n_outputs: int) -> Classes:
    named = Classes.of([str(k) for k in range(n_outputs)]) if classes is None else classes
    if len(named) != n_outputs or named.keys.ids.tolist() != list(range(n_outputs)):
        raise ClassError(
            f"expected classes with the ids 0 … {n_outputs - 1}, one for each output, got "
            f"{len(named)}: {named!r}"
        )
    return named


def _check_scores(output: Tensor, n_classes: int, n_dims: int) -> None:
    if output.ndim != n_dims or output.shape[1] != n_classes:
        wanted = f"(N, {n_classes}{', H, W' if n_dims == 4 else ''})"
        raise ShapeError(f"expected outputs {wanted}, got {tuple(output.shape)}")


def _headlines(metric: ConfusionMatrix | Regression | Segmentation, task: Task) -> dict[str, float]:
    result: Any = metric.compute()
    return {name: float(result.metrics[name]) for name in headline_metrics(task)}


def _array(values: Tensor | ArrayLike) -> Any:
    return values.detach().cpu().numpy() if isinstance(values, torch.Tensor) else np.asarray(values)


def _tensor(data: bytes) -> Tensor:
    return torch.frombuffer(bytearray(data), dtype=torch.uint8)


def _bytes(data: Tensor) -> bytes:
    return data.cpu().numpy().tobytes()
