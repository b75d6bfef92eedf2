"""The laws of metrics, over everything of a classification at once."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest

from snellen import Classes, Classification, Labels, intervals
from snellen.testing import LAWS, MetricCase

CLASSES = Classes(["ant", "bee", "cow"])


def batch(
    seed: int, n: int, *, ids: bool, groups: bool, weighted: bool, scores: str | None
) -> tuple[Labels, Labels]:
    random = np.random.default_rng(seed)
    code = random.integers(0, 3, n).astype(np.int32)
    # Few values, so that scores tie.
    score = random.integers(1, 6, (n, 3)).astype(np.float64)
    score[np.arange(n), code] += 2
    if scores == "probabilities":
        score /= score.sum(axis=1, keepdims=True)
    truth = Labels(
        CLASSES,
        code=code,
        # Ids of batches interleave.
        sample_id=np.array([f"img{seed + 7 * i}" for i in range(n)], np.str_) if ids else None,
        group=random.integers(0, 5, n) if groups else None,
        weight=random.choice([0.1, 1.0, 2.5], n) if weighted else None,
    )
    if scores is None or scores == "confidences":
        pred = Labels(CLASSES, code=score.argmax(axis=1).astype(np.int32))
        if scores:
            pred = dataclasses.replace(pred, confidence=random.integers(1, 11, n) / 10)
        return truth, pred
    return truth, Labels(CLASSES, score=score)


def case(scores: str | None, **columns: bool) -> MetricCase:
    options: Any = {"ids": False, "groups": False, "weighted": False, **columns}
    batches = [batch(seed, n, scores=scores, **options) for seed, n in enumerate((9, 4, 12, 7))]

    def joined(side: int) -> Labels:
        parts = [each[side] for each in batches]
        arrays = {
            field.name: np.concatenate([getattr(part, field.name) for part in parts])
            for field in dataclasses.fields(Labels)
            if field.name != "classes" and getattr(parts[0], field.name) is not None
        }
        return Labels(CLASSES, **arrays)

    truth, pred = batches[0]
    bad = [(truth, Labels(CLASSES, code=np.zeros(3, np.int32)))]
    if options["ids"]:
        twice = dataclasses.replace(truth, sample_id=np.array(["x"] * len(truth)))
        bad += [(twice, pred)]
    if scores not in (None, "confidences"):
        assert pred.score is not None
        bad += [(truth, dataclasses.replace(pred, score=pred.score * np.nan))]
        bad += [(truth, Labels(CLASSES, code=truth.code))]
    return MetricCase(
        lambda: Classification(scores=scores, top_k=(1, 2), bins=4),
        batches,
        whole=(joined(0), joined(1)),
        bad_batches=bad,
        other_parameters=[
            lambda: Classification(scores=scores, beta=2, top_k=(1, 2), bins=4),
        ],
    )


def set_batch(seed: int, n: int, *, groups: bool, scores: bool) -> tuple[Labels, Labels]:
    random = np.random.default_rng(seed)
    member = (random.random((n, 3)) < 0.4).astype(np.uint8)
    member[:1] = 0  # a sample without labels
    score = (random.integers(0, 8, (n, 3)) + 3 * member) / 10
    truth = Labels(
        CLASSES,
        member=member,
        sample_id=np.array([f"img{seed + 7 * i}" for i in range(n)], np.str_),
        group=random.integers(0, 5, n) if groups else None,
    )
    pred = (
        Labels(CLASSES, score=score)
        if scores
        else Labels(CLASSES, member=(score > 0.45).astype(np.uint8))
    )
    return truth, pred


def set_case(*, groups: bool, scores: bool) -> MetricCase:
    batches = [
        set_batch(seed, n, groups=groups, scores=scores) for seed, n in enumerate((9, 4, 12, 7))
    ]
    kind = "probabilities" if scores else None
    truth, pred = batches[0]
    bad = [
        (dataclasses.replace(truth, sample_id=None), pred),
        (truth, batches[1][1]),
        (Labels(CLASSES, code=np.zeros(len(truth), np.int32), sample_id=truth.sample_id), pred),
    ]
    return MetricCase(
        lambda: Classification(multilabel=True, scores=kind, bins=4),
        batches,
        bad_batches=bad,
        other_parameters=[lambda: Classification(multilabel=True, scores=kind, bins=4, beta=2)],
    )


CASES = {
    "sets of labels": set_case(groups=False, scores=False),
    "sets of labels, scores": set_case(groups=False, scores=True),
    "sets of labels, scores, groups": set_case(groups=True, scores=True),
    "labels": case(None),
    "labels of named samples": case(None, ids=True),
    "confidences": case("confidences", ids=True),
    "probabilities": case("probabilities"),
    "logits of named, grouped samples": case("logits", ids=True, groups=True),
    "any, weighted": case("any", weighted=True),
    "probabilities, all columns": case("probabilities", ids=True, groups=True, weighted=True),
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("metric", CASES)
def test_law(metric: str, law: str) -> None:
    LAWS[law](CASES[metric])


@pytest.mark.parametrize("metric", CASES)
def test_units_give_the_result_again(metric: str) -> None:
    full = CASES[metric].fed(CASES[metric].batches)
    units, result = full.units(), full.compute()
    values = units.values(units.counts[None])
    assert values.keys() <= result.metrics.keys()
    for name, value in values.items():
        assert value[0] == pytest.approx(result.metrics[name], rel=1e-9, nan_ok=True), name
    if full._named[0] or full._named[1]:
        each = full.units(each=True)
        again = each.values(each.counts[None])
        joined = each.values(each.counts[None], other=(each, each.counts[None]))
        for name, value in again.items():
            assert value[0] == pytest.approx(result.metrics[name], rel=1e-9, nan_ok=True), name
            assert joined[name][0] == pytest.approx(value[0], rel=1e-9, nan_ok=True), name


def test_result_goes_to_a_file_and_back(tmp_path: Any) -> None:
    from snellen import ClassificationResult

    for name, one in CASES.items():
        full = one.fed(one.batches)
        result = full.compute()
        if "weighted" not in name and "all columns" not in name:
            found = intervals(full, replicates=20)
            assert found["hamming"].unit in ("sample", "group")
            result = dataclasses.replace(result, intervals=found)
        path = tmp_path / f"{len(name)}.bin"
        result.save(path)
        again = ClassificationResult.load(path)
        assert again.to_dict() == result.to_dict()
        assert str(again) == str(result)


def test_areas_joined_with_one_run_are_not_those_of_another() -> None:
    def units(seed: int) -> Any:
        random = np.random.default_rng(seed)
        score = random.random((30, 3))
        score /= score.sum(axis=1, keepdims=True)
        metric = Classification(scores="probabilities", top_k=1, bins=4)
        return metric.update(np.arange(30) % 3, score, sample_id=np.arange(30)).units(each=True)

    first, second, third = map(units, range(3))
    ones = first.counts[None]
    alone = [first.values(ones, other=(other, ones))["auc_macro"] for other in (second, third)]
    again = [units(0).values(ones, other=(other, ones))["auc_macro"] for other in (second, third)]
    assert alone == again
    assert alone[0] != alone[1]
    # Twice the same data are the same data.
    same = first.values(ones, other=(first, ones))["auc_macro"]
    assert same == pytest.approx(first.values(ones)["auc_macro"])
