"""The laws of metrics, over multilabel counts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from snellen import Classes, Labels, MultilabelConfusion
from snellen.errors import ClassError, IdError
from snellen.testing import LAWS, MetricCase

WEIGHTS = (0.1, 0.5, 1.0, 3.7, 1e-9, 1e9)


def sets(seed: int, n: int, ids: list[Any], *, weighted: bool = False) -> tuple[Labels, Labels]:
    """Return random sets over some classes; some are empty on one side or on both."""
    random = np.random.default_rng(seed)
    member = random.random((n, len(ids))) < 0.3
    told = member ^ (random.random((n, len(ids))) < 0.2)
    told[: n // 5] = member[: n // 5]
    weight = random.choice(WEIGHTS, n) if weighted else None
    return (
        Labels(Classes(ids), member=member.astype(np.uint8), weight=weight),
        Labels(Classes(ids), member=told.astype(np.uint8)),
    )


def batches(pools: list[list[Any]], *, weighted: bool = False) -> list[tuple[Labels, Labels]]:
    """Return batches of different classes, so that the counts grow; the last one is empty."""
    return [
        *(sets(seed, 30, pool, weighted=weighted) for seed, pool in enumerate(pools)),
        sets(0, 0, []),
    ]


def joined(parts: list[tuple[Labels, Labels]]) -> tuple[Labels, Labels]:
    classes = Classes.union([part[0].classes for part in parts])

    def side(i: int) -> Labels:
        rows = []
        for part in parts:
            member = part[i].member
            assert member is not None
            row = np.zeros((len(member), len(classes)), np.uint8)
            row[:, classes.keys.codes(part[i].classes.keys.ids)] = member
            rows.append(row)
        weights = [part[i].weight for part in parts if part[i].weight is not None]
        weight = np.concatenate(weights) if weights else None
        return Labels(classes, member=np.concatenate(rows), weight=weight)

    return side(0), side(1)


NUMBERS = batches([[3, 7], [1, 7, 9], [-5, 3, 40], [0, 1]])
TEXTS = batches([["cat", "dog"], ["bird", "dog"], ["eel"], ["bird", "cat", "fox"]])
WEIGHTED = batches([[0, 1], [1, 2], [0, 2], [2, 3]], weighted=True)
SCORES: list[tuple[Any, Any]] = [
    (
        np.random.default_rng(seed).random((20, 4)) < 0.4,
        np.random.default_rng(seed + 9).choice([0.0, 0.25, 0.3, 0.9], (20, 4)),
    )
    for seed in range(3)
]

BAD: list[tuple[Any, Any]] = [
    ([[0, 1], [1, 0]], [[0, 1]]),
    ([[0, 2]], [[0, 1]]),
    ([[0, 1]], [[0.5, math.nan]]),
    ([[0.5, 1.0]], [[0, 1]]),
    ([[0, 1]], [[0, 1, 1]]),
    ([[0, 1], [1]], [[0, 1], [1, 0]]),
    ([0, 1], [0, 1]),
    ([{"a", 1}], [{"a"}]),
    (["cat", "dog"], ["cat", "dog"]),
]


def perfect(case: list[tuple[Any, Any]]) -> tuple[tuple[Any, Any], dict[str, float]]:
    ones = (
        *("f1_macro", "f1_micro", "precision_weighted", "recall_samples", "jaccard_samples"),
        *("mcc_macro", "mcc_micro", "subset_accuracy", "accuracy_micro", "accuracy_samples"),
    )
    return (case[0][0], case[0][0]), {**dict.fromkeys(ones, 1.0), "hamming": 0.0}


def declared() -> MultilabelConfusion:
    return MultilabelConfusion(["zero", "one", "two", "three"])


CASES = {
    "numbers": MetricCase(MultilabelConfusion, NUMBERS, whole=joined(NUMBERS)),
    "texts": MetricCase(MultilabelConfusion, TEXTS, whole=joined(TEXTS)),
    "weighted": MetricCase(MultilabelConfusion, WEIGHTED, whole=joined(WEIGHTED)),
    "some weighted": MetricCase(MultilabelConfusion, [*WEIGHTED[:2], *NUMBERS]),
    "declared": MetricCase(declared, WEIGHTED, whole=joined(WEIGHTED)),
    "scores": MetricCase(lambda: MultilabelConfusion(threshold=0.3, beta=2), SCORES),
    "one, nan": MetricCase(
        lambda: MultilabelConfusion(absent_classes="one", zero_division=math.nan), NUMBERS
    ),
}
CASES = {
    name: case._replace(
        bad_batches=BAD,
        other_parameters=[
            lambda: MultilabelConfusion(beta=3),
            lambda: MultilabelConfusion(threshold=0.7),
            lambda: MultilabelConfusion(absent_classes="zero"),
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


def test_declared_classes_refuse_others() -> None:
    metric = declared().update(*WEIGHTED[0])
    before = metric.to_bytes()
    with pytest.raises(ClassError, match="expected labels of 4 classes, got -5, which is none"):
        metric.update(*NUMBERS[2])
    assert metric.to_bytes() == before


def test_numbers_and_texts_are_not_mixed() -> None:
    metric = MultilabelConfusion().update([{0, 1}], [{0}])
    before = metric.to_bytes()
    with pytest.raises(IdError, match=r"expected class ids of one kind, got numbers .* and texts"):
        metric.update([{"a"}], [{"b"}])
    assert metric.to_bytes() == before
