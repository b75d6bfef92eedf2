"""Each law fails on a metric that breaks it, or it is no law."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any

import pytest

from snellen import AveragePrecision, Boxes
from snellen.errors import InputError, MergeError
from snellen.testing import LAWS, MetricCase, check_metric_laws

COUNTS = ("n_truth", "n_crowd", "n_predictions", "n_dropped_by_cap")


class Twin(AveragePrecision):
    """Average precision under another name: keeps all laws."""

    def empty(self) -> Any:
        return type(self)(protocol=self.protocol)


class MergeForgetsCounts(Twin):
    def merge(self, other: Any, /) -> Any:
        lost = {name: -int(other._counts[name]) for name in COUNTS}
        super().merge(other)
        self._counts.add(**lost)
        return self


class OneUpdateOnly(Twin):
    """Is right in shards of one batch, wrong when it gets all data at once."""

    def update(self, truth: Any, pred: Any) -> Any:  # type: ignore[override]
        return super().update(truth, pred[:50])


class ExpectsAscendingImages(Twin):
    """Leaves out the detections of images that come late."""

    def update(self, truth: Any, pred: Any) -> Any:  # type: ignore[override]
        last = self._images.keys().ids.max(initial=-1)
        return super().update(truth, pred[pred.images.ids[pred.image] > last])


class LargerLosesOut(Twin):
    """Absorbs another only if that is no larger than itself."""

    def merge(self, other: Any, /) -> Any:
        return self if len(other._images) > len(self._images) else super().merge(other)


class EmptyKeepsClasses(Twin):
    def empty(self) -> Any:
        twin = type(self)(protocol=self.protocol)
        twin._classes = self._classes
        return twin


class EmptyForgetsParameters(Twin):
    def empty(self) -> Any:
        return type(self)(protocol="coco-strict")


class MergeOfEmptyResets(Twin):
    def merge(self, other: Any, /) -> Any:
        if not len(other._images):
            self.__init__(protocol=self.protocol)  # type: ignore[misc]
            return self
        return super().merge(other)


class MergeEmptiesOther(Twin):
    def merge(self, other: Any, /) -> Any:
        super().merge(other)
        other.__init__(protocol=other.protocol)
        return self


class MergeSharesRows(Twin):
    def merge(self, other: Any, /) -> Any:
        if len(self._images) or not len(other._images):
            return super().merge(other)
        for field in AveragePrecision.__slots__:
            setattr(self, field, getattr(other, field))
        return self


class ComputeResets(Twin):
    def compute(self) -> Any:
        result = super().compute()
        self.__init__(protocol=self.protocol)  # type: ignore[misc]
        return result


class ComputeCounts(Twin):
    """Counts as a prediction each time that it is asked."""

    def compute(self) -> Any:
        result = super().compute()
        self._counts.add(n_predictions=1)
        return result


class ResultIsAlive(Twin):
    """Hands out a mapping that it goes on writing to."""

    def compute(self) -> Any:
        result = super().compute()
        if not hasattr(self, "live"):
            self.live: dict[str, int] = {}
        self.live.update(result.data)
        return dataclasses.replace(result, data=self.live)


class BytesWithoutCounts(Twin):
    @classmethod
    def from_bytes(cls, data: bytes, /) -> Any:
        twin = super().from_bytes(data)
        twin._counts.add(**{name: -int(twin._counts[name]) for name in COUNTS})  # type: ignore[arg-type]
        return twin


class BytesDeadEnd(Twin):
    """Can be restored, but then forgets what it absorbs."""

    @classmethod
    def from_bytes(cls, data: bytes, /) -> Any:
        twin: Any = super().from_bytes(data)
        twin.restored = True
        return twin

    def update(self, truth: Any, pred: Any) -> Any:  # type: ignore[override]
        return self if hasattr(self, "restored") else super().update(truth, pred)


class PickledEmpty(Twin):
    def __reduce__(self) -> Any:
        return functools.partial(type(self), protocol=self.protocol), ()


class CopyIsItself(Twin):
    def __deepcopy__(self, memo: Any) -> Any:
        return self


class MergesAnything(Twin):
    def merge(self, other: Any, /) -> Any:
        mine, other.protocol = other.protocol, self.protocol
        super().merge(other)
        other.protocol = mine
        return self


class RefusesTooLate(Twin):
    def merge(self, other: Any, /) -> Any:
        if self.protocol != other.protocol:
            self._counts.merge(other._counts)
        return super().merge(other)


class RefusesWithAnotherError(Twin):
    def merge(self, other: Any, /) -> Any:
        try:
            return super().merge(other)
        except MergeError as error:
            raise KeyError from error


class SkipsBadBatches(Twin):
    def update(self, truth: Any, pred: Any) -> Any:  # type: ignore[override]
        try:
            return super().update(truth, pred)
        except InputError:
            return self


class BadBatchesAreTypeErrors(Twin):
    def update(self, truth: Any, pred: Any) -> Any:  # type: ignore[override]
        try:
            return super().update(truth, pred)
        except InputError as error:
            raise TypeError from error


class CountsBeforeItChecks(Twin):
    def update(self, truth: Any, pred: Any) -> Any:  # type: ignore[override]
        self._counts.add(n_truth=len(truth))
        super().update(truth, pred)
        self._counts.add(n_truth=-len(truth))
        return self


class RoundsUp(Twin):
    """Says 1 where the reference says 0.9999999999999998."""

    def compute(self) -> Any:
        result = super().compute()
        metrics = {name: round(value, 9) for name, value in result.metrics.items()}
        return dataclasses.replace(result, metrics=metrics)


class UndefinedIsZero(Twin):
    def compute(self) -> Any:
        result = super().compute()
        metrics = {name: value if value > 0 else 0.0 for name, value in result.metrics.items()}
        return dataclasses.replace(result, metrics=metrics, undefined=())


class NoReasons(Twin):
    def compute(self) -> Any:
        return dataclasses.replace(super().compute(), undefined=())


class EmptyReasons(Twin):
    def compute(self) -> Any:
        result = super().compute()
        undefined = tuple(entry._replace(reason="") for entry in result.undefined)
        return dataclasses.replace(result, undefined=undefined)


class UpdateReturnsNothing(Twin):
    def update(self, truth: Any, pred: Any) -> Any:  # type: ignore[override]
        super().update(truth, pred)


class MergeReturnsACopy(Twin):
    def merge(self, other: Any, /) -> Any:
        super().merge(other)
        return type(self).from_bytes(self.to_bytes())


class EmptyIsItself(Twin):
    def empty(self) -> Any:
        return self


TWINS = [
    ("sharding", MergeForgetsCounts),
    ("sharding", OneUpdateOnly),
    ("order", ExpectsAscendingImages),
    ("associativity", LargerLosesOut),
    ("neutral element", EmptyKeepsClasses),
    ("neutral element", EmptyForgetsParameters),
    ("neutral element", MergeOfEmptyResets),
    ("merge leaves other", MergeEmptiesOther),
    ("merge leaves other", MergeSharesRows),
    ("purity of compute", ComputeResets),
    ("purity of compute", ComputeCounts),
    ("purity of compute", ResultIsAlive),
    ("bytes round trip", BytesWithoutCounts),
    ("bytes round trip", BytesDeadEnd),
    ("copies", PickledEmpty),
    ("copies", CopyIsItself),
    ("other parameters refused", MergesAnything),
    ("other parameters refused", RefusesTooLate),
    ("other parameters refused", RefusesWithAnotherError),
    ("bad input refused", SkipsBadBatches),
    ("bad input refused", BadBatchesAreTypeErrors),
    ("failed update changes nothing", CountsBeforeItChecks),
    ("perfect input", RoundsUp),
    ("undefined has reasons", UndefinedIsZero),
    ("undefined has reasons", NoReasons),
    ("undefined has reasons", EmptyReasons),
    ("calls can be chained", UpdateReturnsNothing),
    ("calls can be chained", MergeReturnsACopy),
    ("calls can be chained", EmptyIsItself),
]


def boxes(image: int, *, shift: float, score: float | None = None) -> Boxes:
    """Return twenty boxes of one image, all of one class."""
    return Boxes.from_xywh(
        [[30 * i + shift, 0, 20, 20] for i in range(20)],
        image_id=[image] * 20,
        label=[image % 2] * 20,
        score=None if score is None else [score / (i + 1) for i in range(20)],
        classes=["even", "odd"],
    )


def case_of(twin: type[Twin]) -> MetricCase:
    """Return a case in which every batch changes the result."""
    batches = [
        (boxes(image, shift=0), boxes(image, shift=shift, score=0.9 - image / 10))
        for image, shift in enumerate((1.0, 3.0, 0.0, 5.0))
    ]

    def whole(column: int) -> Boxes:
        parts = [batch[column] for batch in batches]
        return Boxes.from_xywh(
            [box for part in parts for box in part.xywh.tolist()],
            image_id=[image for image in range(4) for _ in range(20)],
            label=[image % 2 for image in range(4) for _ in range(20)],
            score=[s for part in parts for s in part.score.tolist()] if column else None,  # type: ignore[union-attr]  # predictions have scores
            classes=["even", "odd"],
        )

    one = Boxes.from_xywh([[0, 0, 10, 10]], image_id=[1], label=[1])
    found = Boxes.from_xywh([[0, 0, 10, 10]], image_id=[1], label=[1], score=[0.5])
    return MetricCase(
        twin,
        batches,
        whole=(whole(0), whole(1)),
        bad_batches=[(one, one)],
        other_parameters=[lambda: twin(protocol="coco-strict")],
        perfect=((one, found), {"AP": 0.9999999999999998, "AR_1": 1.0}),
    )


def test_the_honest_twin_keeps_all_laws() -> None:
    case = case_of(Twin)._asdict()
    check_metric_laws(case.pop("make_metric"), case.pop("batches"), **case)


@pytest.mark.parametrize(("law", "twin"), TWINS)
def test_law_fails_on_its_broken_twin(law: str, twin: type[Twin]) -> None:
    with pytest.raises(AssertionError, match=f"law broken: {law}: "):
        LAWS[law](case_of(twin))


@pytest.mark.parametrize("law", LAWS)
def test_every_law_has_a_broken_twin(law: str) -> None:
    assert law in [broken for broken, _ in TWINS]


@pytest.mark.parametrize("twin", sorted({twin for _, twin in TWINS}, key=lambda t: t.__name__))
def test_all_laws_at_once_find_every_twin(twin: type[Twin]) -> None:
    case = case_of(twin)._asdict()
    with pytest.raises(AssertionError, match="law broken: "):
        check_metric_laws(case.pop("make_metric"), case.pop("batches"), **case)


def test_message_says_what_differs() -> None:
    with pytest.raises(AssertionError) as caught:
        LAWS["sharding"](case_of(MergeForgetsCounts))
    message = str(caught.value)
    assert "shards of 1 + 1 + 1 + 1 batches, merged" in message
    assert "result.data['n_truth'] is 20, expected 80" in message


def test_too_few_batches() -> None:
    with pytest.raises(InputError, match="expected at least 3 batches, got 2 - at batches"):
        check_metric_laws(Twin, case_of(Twin).batches[:2])
