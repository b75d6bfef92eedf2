"""The laws of metrics, over the confusion matrix."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from snellen import ConfusionMatrix, Labels
from snellen.errors import ClassError, IdError, MergeError
from snellen.testing import LAWS, MetricCase

NAMES = ("bird", "cat", "dog", "eel", "fox")


def labels(seed: int, n: int, ids: list[Any], *, weighted: bool) -> tuple[Labels, Labels]:
    random = np.random.default_rng(seed)
    truth = [ids[i] for i in random.integers(0, len(ids), n)]
    pred = [t if random.random() < 0.6 else ids[random.integers(len(ids))] for t in truth]
    weight = random.choice([0.1, 0.5, 1.0, 3.7, 1e-9, 1e9], n) if weighted else None
    return Labels.of(truth, weight=weight), Labels.of(pred)


def batches(pools: list[list[Any]], *, weighted: bool = False) -> list[tuple[Labels, Labels]]:
    """Return batches of different classes, so that the matrix grows; the last one is empty."""
    return [
        *(labels(seed, 30, pool, weighted=weighted) for seed, pool in enumerate(pools)),
        (Labels.of([]), Labels.of([])),
    ]


def joined(parts: list[tuple[Labels, Labels]]) -> tuple[Labels, Labels]:
    def side(i: int) -> Labels:
        values = [
            label for part in parts for label in part[i].classes.keys.ids[part[i].code].tolist()
        ]
        weights = [part[i].weight for part in parts if part[i].weight is not None]
        return Labels.of(values, weight=np.concatenate(weights) if weights else None)

    return side(0), side(1)


NUMBERS = batches([[3, 7], [7, 1], [-5, 3, 40], [0, 1]])
TEXTS = batches([["cat", "dog"], ["bird", "dog"], ["eel"], ["fox", "cat", "bird"]])
WEIGHTED = batches([[0, 1], [1, 2], [0, 2], [2, 3]], weighted=True)
BINARY = batches([[0, 1], [0, 1], [1], [0]])

BAD: list[tuple[Any, Any]] = [
    ([0, 1], [0]),
    ([0.5, 1.0], [0, 1]),
    ([0, 1], [math.nan, 1.0]),
    ([0, 1], [[0.5, math.nan], [0.1, 0.2]]),
    ([[0, 1], [1, 0]], [0, 1]),
    (["a", 1], [0, 1]),
]


def perfect(case: list[tuple[Labels, Labels]]) -> tuple[tuple[Labels, Labels], dict[str, float]]:
    truth = case[0][0]
    ones = (
        "accuracy",
        "f1_macro",
        "f1_micro",
        "precision_weighted",
        "mcc",
        "kappa",
        "kappa_linear",
    )
    return (truth, truth), {**dict.fromkeys(ones, 1.0), "hamming": 0.0}


def declared() -> ConfusionMatrix:
    return ConfusionMatrix(["zero", "one", "two", "three"])


CASES = {
    "numbers": MetricCase(ConfusionMatrix, NUMBERS),
    "texts": MetricCase(ConfusionMatrix, TEXTS),
    "weighted": MetricCase(ConfusionMatrix, WEIGHTED),
    "some weighted": MetricCase(ConfusionMatrix, [*WEIGHTED[:2], *BINARY]),
    "declared": MetricCase(declared, WEIGHTED),
    "first two": MetricCase(lambda: ConfusionMatrix([*"abcd"], n_macro=2), WEIGHTED),
    "binary": MetricCase(lambda: ConfusionMatrix(positive=0, beta=2), BINARY),
    "zero, nan": MetricCase(
        lambda: ConfusionMatrix(absent_classes="zero", zero_division=math.nan), NUMBERS
    ),
}
CASES = {
    name: case._replace(
        whole=joined(list(case.batches)) if name != "some weighted" else None,
        bad_batches=BAD,
        other_parameters=[
            lambda: ConfusionMatrix(beta=3),
            lambda: ConfusionMatrix(absent_classes="one"),
        ],
        perfect=perfect(list(case.batches)),
    )
    for name, case in CASES.items()
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("metric", CASES)
def test_law(metric: str, law: str) -> None:
    LAWS[law](CASES[metric])


def test_the_data_can_tell_results_apart() -> None:
    for case in CASES.values():
        numbers = [
            tuple(case.fed(case.batches[:n]).compute().metrics.values())
            for n in range(1, len(case.batches))
        ]
        assert len(set(map(str, numbers))) == len(numbers)


def test_macro_averages_over_other_classes_do_not_merge() -> None:
    with pytest.raises(MergeError, match="got n_macro 2 instead of 3"):
        ConfusionMatrix([*"abcd"], n_macro=3).merge(ConfusionMatrix([*"abcd"], n_macro=2))


def test_declared_classes_refuse_others() -> None:
    metric = declared().update(*WEIGHTED[0])
    before = metric.to_bytes()
    with pytest.raises(ClassError, match="expected labels of 4 classes, got -5, which is none"):
        metric.update(*NUMBERS[2])
    assert metric.to_bytes() == before


def test_numbers_and_texts_are_not_mixed() -> None:
    metric = ConfusionMatrix().update([0, 1], [0, 1])
    before = metric.to_bytes()
    with pytest.raises(IdError, match=r"expected class ids of one kind, got numbers .* and texts"):
        metric.update(["a"], ["b"])
    with pytest.raises(IdError, match="of one kind"):
        metric.update([0], ["b"])
    assert metric.to_bytes() == before
