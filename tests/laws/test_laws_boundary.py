"""The laws of metrics, over boundaries of label images."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snellen import BoundaryQuality
from snellen.testing import LAWS, MetricCase

CLASSES = ["ground", "box", "ball", "sky"]


class Named(BoundaryQuality):
    """The metric with ids as a positional argument, as the laws give them."""

    __slots__ = ()

    def update(self, truth: Any, pred: Any, image_id: Any = None) -> Any:  # type: ignore[override]
        return super().update(truth, pred, image_id=image_id)

    def empty(self) -> Any:
        return type(self)(self.classes, **self.rules.to_dict())


def maps(seed: int, n: int, height: int = 12, width: int = 17) -> tuple[Any, Any]:
    """Return boxes of three of the classes on ground, some pixels ignored, and shifted ones."""
    random = np.random.default_rng(seed)
    truth = np.zeros((n, height, width), np.uint8)
    for image in truth:
        for _ in range(4):
            top, left = random.integers(0, height - 2), random.integers(0, width - 2)
            label = random.choice([1, 2, 255])
            image[top : top + random.integers(2, 7), left : left + random.integers(2, 9)] = label
    pred = np.roll(truth, random.integers(-2, 3, 2), (1, 2))
    pred[random.random(pred.shape) < 0.02] = 2
    return truth, pred


def batches(ids: Any) -> list[tuple[Any, ...]]:
    """Return batches of images of different sizes; the last one is empty."""
    sizes = [(1, 12, 17), (3, 12, 17), (2, 20, 9), (1, 5, 5)]
    made: list[tuple[Any, ...]] = []
    for seed, size in enumerate(sizes):
        made.append((*maps(seed, *size), ids(seed, size[0])))
    return [*made, (*maps(0, 0), [])]


TEXTS = batches(lambda seed, n: [f"img{seed + 7 * i}" for i in range(n)])
NUMBERS = batches(lambda seed, n: [100 - seed - 7 * i for i in range(n)])
UNNAMED = [batch[:2] for batch in TEXTS]
SAME_SIZE = [(*maps(seed, 2), [f"img{9 * seed % 4}", f"z{seed}"]) for seed in range(4)]

PERFECT = dict.fromkeys(("boundary_iou", "boundary_f", "mask_iou"), 1.0)
PERFECT_NAMED = PERFECT | dict.fromkeys(("boundary_iou_images", "boundary_f_images"), 1.0)

TRUTH, PRED = UNNAMED[0]
BAD: list[tuple[Any, ...]] = [
    (TRUTH, PRED[:, :-1]),
    (TRUTH, PRED.astype(float)),
    (TRUTH, PRED + 4),
    (TRUTH + 4, PRED),
    (TRUTH[0, 0], PRED[0, 0]),
    (TRUTH[:, :0], PRED[:, :0]),
]
BAD_NAMED: list[tuple[Any, ...]] = [
    *((*bad, ["new"]) for bad in BAD),
    (TRUTH, PRED, ["one", "two"]),
    (np.concatenate([TRUTH, TRUTH]), np.concatenate([PRED, PRED]), ["one", "one"]),
    (TRUTH, PRED, [1.5]),
]
OTHERS: list[dict[str, Any]] = [
    {"ratio": 0.3},
    {"tolerance": 3},
    {"ignore_index": 254},
]


def case(rules: dict[str, Any], named: bool, data: list[Any], **fields: Any) -> MetricCase:
    def make(**others: Any) -> Any:
        # The data ignore 255; with another value it is a class.
        classes = {0: "ground", 1: "box", 2: "ball", 3: "sky"}
        if others.get("ignore_index") == 254:
            classes[255] = "rest"
        return Named(classes, **rules | others)

    return MetricCase(
        make,
        data,
        bad_batches=BAD_NAMED if named else BAD,
        other_parameters=[lambda others=others: make(**others) for others in OTHERS],
        perfect=(
            (data[1][0], data[1][0], *data[1][2:]),
            PERFECT_NAMED if named else PERFECT,
        ),
        **fields,
    )


def joined(data: list[Any]) -> tuple[Any, ...]:
    return tuple(np.concatenate([batch[i] for batch in data]) for i in range(len(data[0])))


CASES = {
    "images with texts as ids": case({}, True, TEXTS),
    "images with numbers as ids": case({"ratio": 0.1, "tolerance": 0.2}, True, NUMBERS),
    "images without ids": case({}, False, UNNAMED),
    "images of one size": case({"tolerance": 1}, True, SAME_SIZE, whole=joined(SAME_SIZE)),
    "without ids, of one size": case(
        {"tolerance": 0},
        False,
        [batch[:2] for batch in SAME_SIZE],
        whole=joined(SAME_SIZE)[:2],
    ),
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("metric", CASES)
def test_law(metric: str, law: str) -> None:
    LAWS[law](CASES[metric])


def test_the_data_can_tell_results_apart() -> None:
    for each in CASES.values():
        filled = [batch for batch in each.batches if len(batch[0])]
        numbers = [str(each.fed(filled[:n]).compute().metrics) for n in range(1, len(filled) + 1)]
        assert len(set(numbers)) == len(numbers)


class ForgetsRows(Named):
    """Merges sums only."""

    def merge(self, other: Any, /) -> Any:
        kept = [(piece.keys, piece.columns) for piece in self._rows._pieces]
        super().merge(other)
        self._rows._pieces = self._rows._pieces[: len(kept)]
        return self


class ForgetsSums(Named):
    """Merges rows only."""

    def merge(self, other: Any, /) -> Any:
        before = self._sums["pixels"].copy()
        super().merge(other)
        self._sums["pixels"][...] = before
        return self


class CountsBeforeItChecks(Named):
    """Counts an image before it looks at it."""

    def update(self, truth: Any, pred: Any, image_id: Any = None) -> Any:
        self._sums.add(n_images=1)
        super().update(truth, pred, image_id)
        self._sums.add(n_images=-1)
        return self


@pytest.mark.parametrize(
    ("law", "twin"),
    [
        ("sharding", ForgetsRows),
        ("sharding", ForgetsSums),
        ("failed update changes nothing", CountsBeforeItChecks),
    ],
)
def test_laws_fail_on_broken_twins(law: str, twin: type[Named]) -> None:
    broken = CASES["images with texts as ids"]._replace(
        make_metric=lambda: twin(CLASSES), other_parameters=()
    )
    with pytest.raises(AssertionError, match=f"law broken: {law}: "):
        LAWS[law](broken)
