"""The laws of metrics, over the pixels of images."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import pytest

from snellen import Segmentation, intervals
from snellen.segmentation.protocols import PROTOCOLS
from snellen.testing import LAWS, MetricCase


class Images(NamedTuple):
    """What a law's update has to hand over in one argument."""

    maps: Any
    ids: Any = None
    instances: Any = None


class OfImages(Segmentation):
    """The metric, fed with `Images`."""

    __slots__ = ()

    def update(self, truth: Any, pred: Any) -> Any:  # type: ignore[override]
        return super().update(truth.maps, pred, image_id=truth.ids, instances=truth.instances)

    def empty(self) -> Any:
        return self._as_own(super().empty())

    @classmethod
    def _as_own(cls, metric: Segmentation) -> Any:
        own = cls.__new__(cls)
        for name in Segmentation.__slots__:
            setattr(own, name, getattr(metric, name))
        return own


def batch(seed: int, n: int, *, ids: bool, instances: bool = False) -> tuple[Images, Any]:
    random = np.random.default_rng(seed)
    # Blocks of 3 × 3 pixels, few of them: images hold few classes, and some of them none.
    truth = np.kron(random.choice([0, 1, 2, 255], (n, 2, 3)), np.ones((3, 3), np.int64))
    pred = np.where(random.random(truth.shape) < 0.7, truth, random.integers(0, 4, truth.shape))
    pred[random.random(truth.shape) < 0.05] = 255
    truth[:1] = 255 if seed == 2 else truth[:1]
    marked = None
    if instances:
        marked = np.where(truth == 255, 0, truth * 1000 + 1 + (np.arange(9) // 5)[None, None, :])
    # Ids of batches interleave.
    names = [f"img{seed + 7 * i}" for i in range(n)] if ids else None
    return Images(truth, names, marked), pred


def case(make: Any, other: Any, **columns: bool) -> MetricCase:
    batches = [batch(seed, n, **columns) for seed, n in enumerate((4, 2, 3, 3))]
    (truth, pred), *_ = batches
    whole = (
        Images(
            *(
                None if truth[i] is None else np.concatenate([each[0][i] for each in batches])
                for i in range(3)
            )
        ),
        np.concatenate([each[1] for each in batches]),
    )
    bad = [
        (truth._replace(maps=truth.maps + 3), pred),  # ids outside the classes
        (truth, pred[:, :, :-1]),
        (truth._replace(maps=truth.maps.astype(np.float64)), pred),
        (truth._replace(maps=truth.maps[:1]), pred),
    ]
    if columns["ids"]:
        bad += [(truth._replace(ids=["x"] * 4), pred)]
    same = np.array([[[0, 1, 2, 3]]])
    return MetricCase(
        make,
        batches,
        whole=whole,
        bad_batches=bad,
        other_parameters=[other],
        perfect=(
            (Images(same, ["x"] if columns["ids"] else None), same),
            {"mIoU": 1.0, "mDice": 1.0, "pixel_accuracy": 1.0, "fwIoU": 1.0},
        ),
    )


def summed() -> Any:
    return OfImages(4, per_image=False)


CASES = {
    "without ids": case(lambda: OfImages(4), lambda: OfImages(4, protocol="smp"), ids=False),
    "with ids": case(lambda: OfImages(4), lambda: OfImages(4, protocol="monai"), ids=True),
    "sum of images": case(summed, lambda: OfImages(4), ids=False),
    "pairs of images and classes": case(
        lambda: OfImages(4, protocol="torchmetrics"), lambda: OfImages(5), ids=True
    ),
    "instances": case(
        lambda: OfImages(["a", "b", "c", "d"]), lambda: OfImages(4), ids=True, instances=True
    ),
}


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("metric", CASES)
def test_law(metric: str, law: str) -> None:
    LAWS[law](CASES[metric])


def test_the_data_can_tell_results_apart() -> None:
    for name in ("without ids", "instances"):
        numbers = [
            tuple(CASES[name].fed(CASES[name].batches[:n]).compute().metrics.values())
            for n in range(1, 5)
        ]
        assert len(set(numbers)) == 4
        assert all(0.2 < each[0] < 0.95 for each in numbers)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_images_drawn_once_are_the_data_themselves(protocol: str) -> None:
    metric = Segmentation(4, protocol=protocol)
    for truth, pred in CASES["instances"].batches:
        metric.update(truth.maps, pred, image_id=truth.ids, instances=truth.instances)
    units, result = metric.units(), metric.compute()
    once = units.values(units.counts[None])
    assert {name: float(value[0]) for name, value in once.items()} == result.metrics
    assert units.class_values is not None
    of_classes = units.class_values(units.counts[None])[0]
    assert of_classes.tolist() == pytest.approx(result.class_values()["iou"].tolist(), nan_ok=True)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_an_image_drawn_twice_is_two_images(protocol: str) -> None:
    truth, pred = batch(5, 6, ids=False)
    random = np.random.default_rng(1)
    times = random.integers(0, 3, 6)
    repeated = np.repeat(np.arange(6), times)
    metric = Segmentation(4, protocol=protocol)
    for i in range(6):
        metric.update(truth.maps[i], pred[i], image_id=i)
    units = metric.units()
    twice = Segmentation(4, protocol=protocol).update(truth.maps[repeated], pred[repeated])
    drawn = units.values(times[None])
    for name, value in twice.compute().metrics.items():
        assert drawn[name][0] == pytest.approx(value, rel=1e-12, abs=0), name
    # The same from two halves that are joined.
    first, second = times.copy(), times.copy()
    first[3:], second[:3] = 0, 0
    joined = units.values(first[None], (units, second[None]))
    for name, value in drawn.items():
        assert joined[name][0] == pytest.approx(value[0], rel=1e-12, abs=0), name


def test_intervals_are_of_images() -> None:
    metric = Segmentation(4)
    for seed in range(8):
        truth, pred = batch(seed, 6, ids=False)
        metric.update(truth.maps, pred)
    found = intervals(metric, replicates=200)
    value = metric.compute().mIoU
    assert found["mIoU"].unit == "image"
    assert found["mIoU"].low < value < found["mIoU"].high


@pytest.mark.parametrize("protocol", ["snellen", "torchmetrics", "monai", "monai-batch"])
def test_a_data_set_has_the_same_bits_alone_and_among_many(protocol: str) -> None:
    metric = Segmentation(4, protocol=protocol)
    for seed in range(12):
        truth, pred = batch(seed, 10, ids=False)
        metric.update(truth.maps, pred)
    units = metric.units()
    times = np.random.default_rng(0).integers(0, 4, (60, len(units.counts)))
    many = units.values(times)
    for i in (0, 17, 59):
        alone = units.values(times[i : i + 1])
        for name, values in many.items():
            assert values[i] == alone[name][0], name
