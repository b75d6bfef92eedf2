"""What the tasks make of a network's outputs."""

from __future__ import annotations

import io
import math

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from snellen import Classes, Classification, Regression, Segmentation  # noqa: E402
from snellen.classification.directions import LOWER_IS_BETTER, NEITHER_IS_BETTER  # noqa: E402
from snellen.errors import ClassError, InputError, ShapeError  # noqa: E402
from snellen.regression.directions import lower_is_better, neither_is_better  # noqa: E402
from snellen.training.tasks import (  # noqa: E402
    _HIGHER_IS_BETTER,
    _LOWER_IS_BETTER,
    TASKS,
    final_metric,
    headline_metrics,
    higher_is_better,
    running_evaluation,
)

ANIMALS = Classes.of(["cat", "dog", "eel"])


def logits(*labels: int, n: int = 3) -> torch.Tensor:
    return torch.eye(n)[list(labels)] * 4.0


def test_labels_by_hand() -> None:
    evaluation = running_evaluation("classification", ANIMALS, 3)
    evaluation.update(logits(0, 1), torch.tensor([0, 0]))
    # Shares of classes, as mixed images have: the greatest counts.
    evaluation.update(logits(2, 2), torch.tensor([[0.1, 0.2, 0.7], [0.6, 0.0, 0.4]]))
    numbers = evaluation.metrics()
    # Truth 0 0 2 0, predicted 0 1 2 2. Recall of cat 1/3, of eel 1; dog has no truth.
    assert numbers["accuracy"] == 0.5
    assert numbers["balanced_accuracy"] == pytest.approx(2 / 3)
    # F1: cat 2·1/(2·1 + 0 + 2) = 1/2, dog 0, eel 2·1/(2 + 1 + 0) = 2/3.
    assert numbers["f1_macro"] == pytest.approx((1 / 2 + 0 + 2 / 3) / 3)


def test_numbers_by_hand() -> None:
    evaluation = running_evaluation("regression", None, 1)
    evaluation.update(torch.tensor([[2.5], [0.0]]), torch.tensor([[3.0], [-0.5]]))
    evaluation.update(torch.tensor([[2.0], [8.0]]), torch.tensor([[2.0], [7.0]]))
    numbers = evaluation.metrics()
    # Errors 0.5, 0.5, 0, 1: squares 1.5 in all. Truth has mean 2.875 and squares 29.1875 about it.
    assert numbers["mae"] == 0.5
    assert numbers["rmse"] == pytest.approx(math.sqrt(1.5 / 4))
    assert numbers["r2"] == pytest.approx(1 - 1.5 / 29.1875)


def test_maps_by_hand() -> None:
    evaluation = running_evaluation("segmentation", Classes.of(["road", "car"]), 2)
    truth = torch.tensor([[[0, 0, 1, 1], [0, 0, 1, 255]]])
    pred = torch.tensor([[[0, 0, 1, 0], [0, 1, 1, 1]]])
    output = torch.nn.functional.one_hot(pred, 2).permute(0, 3, 1, 2).float()
    evaluation.update(output, truth)
    # The void pixel does not count. Road 3 of 5, car 2 of 4; 5 of 7 pixels.
    numbers = evaluation.metrics()
    assert numbers["mIoU"] == pytest.approx((3 / 5 + 2 / 4) / 2)
    assert numbers["pixel_accuracy"] == pytest.approx(5 / 7)


def random_batches(task: str, n: int) -> list[tuple[torch.Tensor, torch.Tensor]]:
    drawn = torch.Generator().manual_seed(1)
    batches = []
    for size in [*[5] * (n - 1), 2]:
        if task == "regression":
            output = torch.randn(size, 2, generator=drawn)
            batches.append((output, output + torch.randn(size, 2, generator=drawn)))
        elif task == "classification":
            output = torch.randn(size, 3, generator=drawn)
            batches.append((output, torch.randint(0, 3, (size,), generator=drawn)))
        else:
            target = torch.randint(0, 4, (size, 6, 7), generator=drawn)
            target[target == 3] = 255
            batches.append((torch.randn(size, 3, 6, 7, generator=drawn), target))
    return batches


@pytest.mark.parametrize("task", TASKS)
def test_agrees_with_the_final_metric(task: str) -> None:
    classes = None if task == "regression" else ANIMALS
    evaluation = running_evaluation(task, classes, 2 if classes is None else 3)
    batches = random_batches(task, 4)
    for output, target in batches:
        evaluation.update(output.requires_grad_(), target)
    outputs, targets = (torch.cat(side) for side in zip(*batches, strict=True))
    result = final_metric(task, classes, [f"s{i}" for i in range(17)], outputs, targets).compute()
    assert evaluation.metrics() == {name: result.metrics[name] for name in headline_metrics(task)}


@pytest.mark.parametrize("task", TASKS)
def test_goes_on_from_a_state(task: str) -> None:
    classes = None if task == "regression" else ANIMALS
    n = 2 if classes is None else 3
    whole, first, second = (running_evaluation(task, classes, n) for _ in range(3))
    batches = random_batches(task, 5)
    for batch in batches[:2]:
        whole.update(*batch)
        first.update(*batch)
    # As a checkpoint stores it.
    file = io.BytesIO()
    torch.save(first.state(), file)
    file.seek(0)
    second.merge_state(torch.load(file, weights_only=True))
    for batch in batches[2:]:
        whole.update(*batch)
        second.update(*batch)
    assert second.metrics() == whole.metrics()


@pytest.mark.parametrize("task", TASKS)
def test_an_empty_one_has_absorbed_nothing(task: str) -> None:
    n = 2 if task == "regression" else 3
    first, used = (
        running_evaluation(task, None if task == "regression" else ANIMALS, n) for _ in range(2)
    )
    batches = random_batches(task, 3)
    used.update(*batches[0])
    again = used.empty()
    for batch in batches[1:]:
        first.update(*batch)
        again.update(*batch)
    assert again.metrics() == first.metrics()


def test_many_batches_are_counted_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snellen.training.tasks._MOST_BATCHES", 2)
    for task in ("classification", "regression"):
        n = 2 if task == "regression" else 3
        evaluation = running_evaluation(task, None if n == 2 else ANIMALS, n)
        batches = random_batches(task, 5)
        for batch in batches:
            evaluation.update(*batch)
        outputs, targets = (torch.cat(side) for side in zip(*batches, strict=True))
        whole = running_evaluation(task, None if n == 2 else ANIMALS, n)
        whole.update(outputs, targets)
        assert evaluation.metrics() == whole.metrics()


def test_numbers_that_are_not_finite() -> None:
    evaluation = running_evaluation("regression", None, 1)
    evaluation.update(torch.tensor([[1.0], [math.nan]]), torch.ones(2, 1))
    assert all(math.isnan(value) for value in evaluation.metrics().values())
    again = running_evaluation("regression", None, 1)
    again.merge_state(evaluation.state())
    again.update(torch.ones(2, 1), torch.ones(2, 1))
    assert all(math.isnan(value) for value in again.metrics().values())


def test_the_final_metric_keeps_samples() -> None:
    scores = [[0.8, 0.1, 0.1], [0.2, 0.5, 0.3], [0.1, 0.6, 0.3]]
    metric = final_metric(
        "classification", ANIMALS, None, scores, [0, 1, 2], scores="probabilities"
    )
    assert isinstance(metric, Classification)
    result = metric.compute()
    assert result.log_loss == pytest.approx(-(math.log(0.8) + math.log(0.5) + math.log(0.3)) / 3)
    assert metric.units(each=True).ids is not None
    numbers = final_metric("regression", None, ["a", "b"], torch.ones(2, 1), torch.zeros(2, 1))
    assert isinstance(numbers, Regression)
    assert numbers.units(each=True).ids is not None
    maps = final_metric(
        "segmentation", ANIMALS, None, np.zeros((2, 3, 3), int), np.zeros((2, 3, 3), int)
    )
    assert isinstance(maps, Segmentation)
    assert [row["image"] for row in maps.compute().per_image()] == [0, 1]


@pytest.mark.parametrize(
    ("task", "metric", "expected"),
    [
        ("classification", "val_accuracy", True),
        ("classification", "loss", False),
        ("classification", "test_log_loss", False),
        ("regression", "val_rmse", False),
        ("regression", "r2", True),
        ("segmentation", "mIoU", True),
        ("segmentation", "val_loss", False),
    ],
)
def test_which_way_is_better(task: str, metric: str, expected: bool) -> None:
    assert higher_is_better(task, metric) is expected


@pytest.mark.parametrize("task", TASKS)
def test_every_headline_has_a_direction(task: str) -> None:
    for name in headline_metrics(task):
        higher_is_better(task, name)


def test_what_is_refused() -> None:
    with pytest.raises(InputError, match=r'got "val_acuracy".*Did you mean "?accuracy'):
        higher_is_better("classification", "val_acuracy")
    with pytest.raises(InputError, match=r"got .regresion.*regression"):
        running_evaluation("regresion", None, 1)
    with pytest.raises(ClassError, match="0 … 3, one for each output, got 3"):
        running_evaluation("classification", ANIMALS, 4)
    with pytest.raises(ClassError, match="expected the classes"):
        final_metric("classification", None, None, [[1.0]], [0])
    with pytest.raises(ShapeError, match=r"expected outputs \(N, 3\), got \(2, 2\)"):
        running_evaluation("classification", ANIMALS, 3).update(torch.ones(2, 2), torch.zeros(2))
    with pytest.raises(ShapeError, match=r"\(N, 2\), got \(4, 2\) and \(4, 1\)"):
        running_evaluation("regression", None, 2).update(torch.ones(4, 2), torch.ones(4, 1))


def test_training_and_evaluation_agree_on_what_is_better() -> None:
    higher, lower = _HIGHER_IS_BETTER["classification"], _LOWER_IS_BETTER["classification"]
    assert set(lower) - {"loss"} <= LOWER_IS_BETTER
    assert (LOWER_IS_BETTER | NEITHER_IS_BETTER).isdisjoint(higher)
    higher, lower = _HIGHER_IS_BETTER["regression"], _LOWER_IS_BETTER["regression"]
    assert lower_is_better([*higher, *lower]) == set(lower)
    assert not neither_is_better([*higher, *lower])
