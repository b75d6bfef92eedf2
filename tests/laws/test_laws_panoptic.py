"""The laws of metrics, over panoptic quality."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tests.panoptic_maps import blank_image, random_image

from snellen import PanopticQuality, PanopticSegments
from snellen.testing import LAWS, MetricCase

CLASSES = {3: "cat", 5: "dog", 8: "sky", 13: "sea"}


class Positional(PanopticQuality):
    """A metric whose image ids are positional, as the laws give them."""

    __slots__ = ()

    def update(self, truth: Any, pred: Any, image_id: Any = None) -> Any:  # type: ignore[override]
        return super().update(truth, pred, image_id=image_id)

    def empty(self) -> Any:
        return Positional._under(self.rules)


def batch(seed: int, ids: list[int], *, text: bool = False, **options: Any) -> tuple[Any, ...]:
    random = np.random.default_rng(seed)
    images = [random_image(random, list(CLASSES), **options) for _ in ids]
    truth, pred = (list(side) for side in zip(*images, strict=True))
    return truth, pred, [f"image {i}" for i in ids] if text else ids


def batches(**options: Any) -> list[tuple[Any, ...]]:
    """Return batches whose image ids interleave and do not ascend; one without segments."""
    empty = blank_image(3, 4)
    last = [f"image {50}"] if options.get("text") else [50]
    return [
        batch(1, [7, 1, 30], **options),
        batch(2, [2, 9, 12, 17], **options),
        ([empty], [empty], last),
        batch(3, [31, 4, 6, 3], **options),
        batch(4, [5, 29], **options),
    ]


def joined(parts: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    return tuple([each for part in parts for each in part[i]] for i in range(3))


def one(ids: Any, segments: Any) -> tuple[Any, ...]:
    good = np.ones((2, 2), np.int32), [{"id": 1, "category_id": 3, "area": 4, "iscrowd": 0}]
    return [good], [(ids, segments)], [1000]


GOOD = np.ones((2, 2), np.int32)
BAD = [
    one(GOOD.astype(float), [{"id": 1, "category_id": 3}]),
    one(GOOD[:1], [{"id": 1, "category_id": 3}]),
    one(GOOD, [{"id": 1, "category_id": 4}]),
    one(GOOD, [{"id": 1.5, "category_id": 3}]),
    one(GOOD, [{"id": 1}]),
    one(GOOD, []),
    one(GOOD, [{"id": 1, "category_id": 3}, {"id": 2, "category_id": 3}]),
    (*one(GOOD, [{"id": 1, "category_id": 3}])[:2], [1, 2]),
    (*one(GOOD, [{"id": 1, "category_id": 3}])[:2], [1.5]),
]
PERFECT = batch(9, [1, 2], crowds=0.0)
TABLE: dict[str, tuple[dict[str, Any], list[tuple[Any, ...]]]] = {
    "coco": ({"things": [3, 5]}, batches()),
    "coco-strict": ({"things": ["cat"], "protocol": "coco-strict"}, batches()),
    "texts": ({}, batches(text=True)),
    "boundary": ({"things": [3], "iou": "boundary", "boundary_ratio": 0.06}, batches()),
}
CASES = {
    name: MetricCase(
        lambda parameters=parameters: Positional(CLASSES, **parameters),
        data,
        whole=joined(data),
        bad_batches=BAD,
        other_parameters=[
            lambda parameters=parameters: Positional({**CLASSES, 14: "car"}, **parameters),
            lambda parameters=parameters: Positional(CLASSES, **{**parameters, "things": [8]}),
            lambda parameters=parameters: Positional(
                CLASSES, **{**parameters, "iou": "boundary", "boundary_ratio": 0.05}
            ),
            lambda parameters=parameters: Positional(
                CLASSES,
                **{
                    **parameters,
                    "protocol": "coco" if parameters.get("protocol") else "coco-strict",
                },
            ),
        ],
        perfect=((PERFECT[0], PERFECT[0], PERFECT[2]), {"PQ": 1.0, "SQ": 1.0, "RQ": 1.0}),
    )
    for name, (parameters, data) in TABLE.items()
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("metric", CASES)
def test_law(metric: str, law: str) -> None:
    LAWS[law](CASES[metric])


def test_the_data_can_tell_results_apart() -> None:
    for name, case in CASES.items():
        numbers = [
            tuple(case.fed(case.batches[:n]).compute().metrics.values()) for n in (1, 2, 4, 5)
        ]
        assert len(set(map(str, numbers))) == 4, name
        assert 0.02 < case.fed(case.batches).compute().PQ < 0.9


def test_images_at_once_are_images_one_by_one() -> None:
    """Columns with pairs, as readers give them, make the state that maps make."""
    truth, pred, ids = joined(TABLE["boundary"][1])
    metric = CASES["boundary"].fed([(truth, pred, ids)])
    other = PanopticQuality._under(metric.rules)
    for k in np.argsort(ids).tolist():
        sides = [
            PanopticSegments.from_images([side[k][1]], image_id=[ids[k]], classes=CLASSES)
            for side in (truth, pred)
        ]
        other.update(*sides, other.count(truth[k][0], pred[k][0]))
    assert other.compute().to_dict() == metric.compute().to_dict()
