"""The laws of metrics, over track mAP; a batch is some whole sequences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snellen.testing import LAWS, MetricCase
from snellen.tracking.judged_classes import JudgedClasses
from snellen.tracking.track_map import TrackMap
from snellen.tracking.tracks import Tracks

CLASSES = {2: "cat", 5: "dog"}
Batch = tuple[Any, ...]


def batch(seed: int, names: list[Any], *, masks: bool = False, empty: bool = False) -> Batch:
    """Return truth and predictions of some sequences, with equal scores and equal overlaps."""
    random = np.random.default_rng(seed)
    columns: dict[str, list[Any]] = {"sequence": [], "frame": [], "track_id": [], "label": []}
    boxes = []
    for name in names:
        for track in range(0 if empty else 4):
            label = random.choice(list(CLASSES))
            at = random.integers(0, 3, 2) * 4
            for frame in range(int(random.integers(1, 13))):
                for column, value in zip(columns, (name, frame, track, label), strict=True):
                    columns[column].append(value)
                boxes.append([*at, *(at + 4)])
    rows = np.array(boxes, np.float64).reshape(-1, 4)
    moved = rows + random.choice([0, 0, 1], (len(rows), 1))
    fixed: dict[str, Any] = {"classes": CLASSES}
    if empty:
        [name] = names
        columns = {**columns, "sequence": name, "label": []}
    score = np.repeat(random.choice([0.2, 0.5, 0.7], 64), 13)[: len(rows)]

    def made(box: Any, **more: Any) -> Tracks:
        if not masks:
            return Tracks.from_xyxy(box, **columns, **fixed, **more)
        pixels = np.zeros((len(box), 16, 16), np.uint8)
        for mask, (left, top, right, bottom) in zip(pixels, box.astype(int), strict=True):
            mask[top:bottom, left:right] = 1
        return Tracks.from_masks(pixels, **columns, **fixed, **more)

    judged = JudgedClasses(
        frozenset((name, 5) for name in names[:1]), frozenset((name, 2) for name in names[1:2])
    )
    return made(rows), made(moved, score=score), judged


def batches(**options: Any) -> list[Batch]:
    return [
        batch(1, [7, 1, 30], **options),
        batch(2, [2, 9], **options),
        batch(3, [50], empty=True, **options),
        batch(4, [31, 4, 6, 3], **options),
    ]


def one(**changes: Any) -> Batch:
    columns: dict[str, Any] = {"frame": [1], "track_id": [1], "label": [2], "sequence": 900}
    truth = Tracks.from_xyxy([[0, 0, 4, 4]], **columns, classes=CLASSES)
    pred = Tracks.from_xyxy(
        [[0, 0, 4, 4]], **{**columns, "score": [1.0], "classes": CLASSES, **changes}
    )
    return truth, pred, None


def points() -> Batch:
    truth = one()[0]
    columns: dict[str, Any] = {"frame": [1], "track_id": [1], "label": [2], "sequence": 900}
    return truth, Tracks.from_points([[0, 0]], score=[1.0], classes=CLASSES, **columns), None


BAD = [
    one(score=None),
    one(sequence=901),
    one(classes={2: "dog"}),
    one(sequence="900"),
    points(),
]


def perfect() -> tuple[Batch, dict[str, float]]:
    """Return truth as its own prediction; the reference adds 2^-52 to the divisor."""
    truth, _, _ = batch(5, [1, 2])
    columns = {"score": np.ones(len(truth)), "frame": truth.frame, "track_id": truth.track}
    pred = Tracks.from_xyxy(
        truth.shape.xyxy,  # type: ignore[attr-defined]
        **columns,
        sequence=truth.sequences.ids[truth.sequence],
        label=truth.classes.keys.ids[truth.label],
        classes=CLASSES,
    )
    # With n tracks found, precision n / (n + 2^-52) is 1 from n = 2 on.
    return (truth, pred, None), {"AR": 1.0}


TABLE: dict[str, tuple[dict[str, Any], list[Batch]]] = {
    "tao": ({}, batches()),
    "tao-strict": ({"protocol": "tao-strict"}, batches()),
    "masks": ({}, batches(masks=True)),
}
CASES = {
    name: MetricCase(
        lambda parameters=parameters: TrackMap(**parameters),
        data,
        bad_batches=BAD,
        other_parameters=[
            lambda name=name: TrackMap(protocol="tao" if name == "tao-strict" else "tao-strict")
        ],
        perfect=perfect(),
    )
    for name, (parameters, data) in TABLE.items()
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("name", CASES)
def test_law(name: str, law: str) -> None:
    LAWS[law](CASES[name])


def test_the_data_can_tell_results_apart() -> None:
    for name, case in CASES.items():
        numbers = [case.fed(case.batches[:n]).compute().metrics["AP"] for n in (1, 2, 4)]
        assert len(set(numbers)) == 3, name
        assert 0.02 < numbers[-1] < 0.98
