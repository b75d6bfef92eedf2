"""The laws of metrics, over surface distances."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from snellen import SurfaceDistance
from snellen.errors import IdError, MergeError
from snellen.segmentation.surface_rules import SurfaceRules
from snellen.testing import LAWS, MetricCase


class Positional(SurfaceDistance):
    """Surface distances whose columns are positional, as the laws give them."""

    __slots__ = ()

    def update(self, truth: Any, pred: Any, image_id: Any = None, spacing: Any = None) -> Any:
        return super().update(truth, pred, image_id=image_id, spacing=spacing)


def batch(
    seed: int, *, n: int = 4, shape: tuple[int, ...] = (7, 9), ids: str = "", spaced: bool = False
) -> tuple[Any, ...]:
    random = np.random.default_rng(seed)
    # Blocks of two by two pixels, so that surfaces have insides; few values, so that classes are
    # missing here and there, and images without structures.
    small = random.choice([0, 0, 1, 2, 5, 9], (n, *((s + 1) // 2 for s in shape)))
    truth = small.repeat(2, axis=1).repeat(2, axis=2)
    truth = truth.repeat(2, axis=3) if len(shape) == 3 else truth
    truth = truth[(slice(None), *(slice(s) for s in shape))].astype(np.uint8)
    pred = np.where(
        random.random(truth.shape) < 0.04, random.choice([0, 1, 2, 5, 9], truth.shape), truth
    )
    for side in (truth, pred):
        side[random.random(n) < 0.25] = 0
    number = random.permutation(n) * 10 + seed  # ids of batches interleave
    image_id = {"": None, "number": number, "text": [f"s{i}" for i in number]}[ids]
    spacing = random.choice([0.3, 1.0, 2.5], (n, len(shape))) if spaced else None
    return truth, pred.astype(np.uint8), image_id, spacing


def batches(**options: Any) -> list[tuple[Any, ...]]:
    return [batch(seed, n=n, **options) for seed, n in enumerate([4, 1, 3, 6, 0])]


def joined(parts: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    return tuple(
        None if parts[0][i] is None else np.concatenate([part[i] for part in parts if len(part[0])])
        for i in range(4)
    )


NAMED = {1: "kidney", 2: "tumour", 5: "cyst", 7: "nowhere"}
TABLE: dict[str, tuple[Any, list[tuple[Any, ...]]]] = {
    "found classes": (lambda **p: Positional(dimensions=2, **p), batches()),
    "named classes": (
        lambda **p: Positional(NAMED, dimensions=2, rules="medpy", **p),
        batches(ids="number", spaced=True),
    ),
    "texts, left out": (
        lambda **p: Positional(dimensions=2, missing="drop", ignore_index=9, **p),
        batches(ids="text"),
    ),
    "infinite": (
        lambda **p: Positional(NAMED, dimensions=2, missing="inf", spacing=0.5, **p),
        batches(),
    ),
    "contours": (
        lambda **p: Positional(NAMED, dimensions=2, rules="deepmind", missing=40.0, **p),
        batches(ids="text", spaced=True),
    ),
    "volumes": (
        lambda **p: Positional(
            dimensions=3, background=None, rules=SurfaceRules("own", "contour", "directed"), **p
        ),
        batches(shape=(3, 3, 4), ids="number", spaced=True),
    ),
}


def bad_batches(shape: tuple[int, ...]) -> list[tuple[Any, ...]]:
    good = np.ones((2, *shape), np.uint8)
    return [
        (good, good[:, :2]),
        (good, good[:1]),
        (good * 0.5, good),
        (good, good + 0j),
        (good, np.full(good.shape, "1")),
        (good, good, [1]),
        (good, good, [1, 1]),
        (good, good, [1.5, 2.5]),
        (good, good, None, 0.0),
        (good, good, None, math.nan),
        (good, good, None, math.inf),
        (good, good, None, [1.0, -1.0]),
        (good, good, None, [1.0] * 4),
        (good, good, None, np.ones((3, 2))),
        (good[0, 0, 0], good[0, 0, 0]),
        (good[None, None], good[None, None]),
        (good[:, :0], good[:, :0]),
    ]


CASES = {
    name: MetricCase(
        make,
        data,
        whole=joined(data),
        bad_batches=bad_batches(data[0][0].shape[1:]),
        other_parameters=[
            lambda make=make: make(percentile=90.0),
            lambda make=make: make(tolerance=2.0),
        ],
        perfect=(
            (data[0][0], data[0][0], *data[0][2:]),
            {"hd": 0.0, "hd95": 0.0, "assd": 0.0, "nsd": 1.0},
        ),
    )
    for name, (make, data) in TABLE.items()
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("metric", CASES)
def test_law(metric: str, law: str) -> None:
    LAWS[law](CASES[metric])


def test_the_data_can_tell_results_apart() -> None:
    for name, case in CASES.items():
        numbers = [
            tuple(case.fed(case.batches[:n]).compute().metrics.values())
            for n in range(1, len(case.batches))
        ]
        assert len(set(map(str, numbers))) == len(numbers), name
        counts = case.fed(case.batches).compute().n.sum(axis=0)
        assert (counts > 0).all(), name


def test_an_image_is_absorbed_once() -> None:
    case = CASES["named classes"]
    fed = case.fed(case.batches[:2])
    before = fed.to_bytes()
    with pytest.raises(IdError, match="expected each image once, got 1 that were absorbed before"):
        fed.update(*case.batches[1])
    with pytest.raises(IdError, match="expected each image once, got 4 that"):
        fed.merge(case.fed(case.batches[:1]))
    with pytest.raises(IdError, match="expected each image once"):
        fed.merge(fed)
    assert fed.to_bytes() == before


def test_ids_come_with_all_images_or_none() -> None:
    truth, pred, ids, _ = batch(0, ids="number")
    metric = Positional(dimensions=2).update(truth, pred, ids)
    for other, error in (
        ((truth, pred), "with all batches or with none"),
        ((truth, pred, [f"s{i}" for i in ids]), "expected image ids of one kind"),
    ):
        before = metric.to_bytes()
        with pytest.raises(IdError, match=error):
            metric.update(*other)
        with pytest.raises(IdError, match=error):
            metric.merge(Positional(dimensions=2).update(*other))
        assert metric.to_bytes() == before


@pytest.mark.parametrize(
    "other",
    [
        {"classes": {1: "kidney"}},
        {"rules": "medpy"},
        {"rules": SurfaceRules("monai", "contour", "directed")},
        {"percentile": 99.0},
        {"tolerance": {1: 1.0, 2: 2.0}},
        {"missing": "inf"},
        {"missing": 3.0},
        {"spacing": 2.0},
        {"dimensions": 2},
        {"background": None},
        {"ignore_index": 254},
        {"ignore_index": [254, 255]},
        {"classes": "voc"},
    ],
)
def test_every_parameter_counts(other: dict[str, Any]) -> None:
    with pytest.raises(MergeError, match="with the same parameters"):
        SurfaceDistance().merge(SurfaceDistance(**other))
    made = SurfaceDistance(**other)
    again = SurfaceDistance.from_bytes(made.to_bytes())
    assert again.to_bytes() == made.to_bytes()
    assert made.merge(again).empty().to_bytes() == made.to_bytes()


def test_the_order_of_images_in_a_batch_shows_nowhere() -> None:
    for name, case in CASES.items():
        part = case.batches[3]
        order = np.random.default_rng(3).permutation(len(part[0]))
        moved = [None if column is None else np.asarray(column)[order] for column in part]
        one, other = case.fed([part]), case.fed([tuple(moved)])
        assert one.to_bytes() == other.to_bytes(), name


def test_threads_change_nothing() -> None:
    from snellen import set_threads

    states = set()
    for n_threads in (1, 2, 5):
        set_threads(n_threads)
        states.add(CASES["volumes"].fed(CASES["volumes"].batches).to_bytes())
    set_threads(None)
    assert len(states) == 1
