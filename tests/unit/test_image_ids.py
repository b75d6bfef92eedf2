"""The images that a metric has absorbed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snellen.errors import IdError, ShapeError
from snellen.image_ids import ImageBatch, ImageIds


def images_of(*batches: Any) -> ImageIds:
    """Return images of batches: lists of ids, or how many there are without."""
    images = ImageIds()
    for each in batches:
        given = None if isinstance(each, int) else each
        batch = images.batch_of(given, each if isinstance(each, int) else len(each))
        images.add(batch.keys, anonymous=batch.anonymous)
    return images


def test_a_batch_says_where_each_image_is() -> None:
    batch = ImageBatch.of(["b", "c", "a"], 3)
    assert batch.keys.ids.tolist() == ["a", "b", "c"]
    assert batch.place.tolist() == [1, 2, 0]
    assert batch.ids.tolist() == ["b", "c", "a"]
    assert batch.name(1) == "image c"
    assert not batch.anonymous


@pytest.mark.parametrize("image_id", [7, np.int64(7), np.array(7), [7], "x"])
def test_one_image_needs_no_list(image_id: Any) -> None:
    assert ImageBatch.of(image_id, 1).ids.tolist() == ["x" if image_id == "x" else 7]


@pytest.mark.parametrize(
    ("image_id", "error", "message"),
    [
        ([1, 2], ShapeError, "expected an image id for each of 3 images, got 2 - at image_id"),
        ([4, 5, 4], IdError, "expected each image once, got 1 more than once: 4 - at image_id"),
        ([0.5, 1, 2], IdError, "expected image ids that are whole numbers of 64 bits or texts, "),
    ],
)
def test_batches_that_are_refused(image_id: Any, error: Any, message: str) -> None:
    for make in (ImageBatch.of, ImageIds().batch_of):
        with pytest.raises(error) as caught:
            make(image_id, 3)
        assert str(caught.value).startswith(message)


def test_images_without_ids_are_numbered_on() -> None:
    images = images_of(2)
    batch = images.batch_of(None, 3)
    assert batch.ids.tolist() == [2, 3, 4]
    assert batch.anonymous
    assert len(images) == 2  # only told, not added
    images.add(batch.keys, anonymous=True)
    assert images.keys().ids.tolist() == [0, 1, 2, 3, 4]


def test_very_many_images_without_ids_take_no_room() -> None:
    images = ImageIds.numbered(10**15)
    images.check_merge(images)
    assert images.merge(images) == 10**15
    assert len(images) == 2 * 10**15
    assert images.batch_of(None, 1).ids.tolist() == [2 * 10**15]


def test_all_ids_ascend() -> None:
    images = images_of([10, 9], [], [30, 2])
    assert images.keys().ids.tolist() == [2, 9, 10, 30]
    assert len(images) == 4
    images.add(images.batch_of(1, 1).keys, anonymous=False)
    assert images.keys().ids.tolist() == [1, 2, 9, 10, 30]


def test_before_the_first_batch() -> None:
    images = ImageIds()
    assert (images.anonymous, len(images), len(images.keys())) == (None, 0, 0)
    images.check_merge(images)
    assert images.merge(ImageIds()) == 0
    assert images.anonymous is None


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        ([3], "expected image ids with all batches or with none, got some with and some without"),
        (["a"], "expected image ids with all batches or with none, got some with and some without"),
    ],
)
def test_ids_after_none(batch: Any, message: str) -> None:
    refuse(images_of(2), batch, message)


@pytest.mark.parametrize(
    ("batch", "message"),
    [
        (1, "expected image ids with all batches or with none, got some with and some without"),
        ([4, 10, 9], "expected each image once, got 2 that were absorbed before: 9, 10"),
        (["a"], 'expected image ids of one kind, got numbers (such as 9) and texts (such as "a")'),
    ],
)
def test_none_after_ids(batch: Any, message: str) -> None:
    # The first batch has no image that could tell the kind of ids.
    refuse(images_of([], [10, 9], [11]), batch, message)


def refuse(images: ImageIds, batch: Any, message: str) -> None:
    """Check that a batch is refused in an update and in a merge, and changes nothing."""
    before = images.anonymous, images.keys().ids.tolist()
    for attempt in (
        lambda: images.batch_of(
            *((None, batch) if isinstance(batch, int) else (batch, len(batch)))
        ),
        lambda: images.check_merge(images_of(batch)),
    ):
        with pytest.raises(IdError) as caught:
            attempt()
        assert str(caught.value).startswith(message)
    assert (images.anonymous, images.keys().ids.tolist()) == before


@pytest.mark.parametrize("batch", [0, []])
def test_a_batch_of_none_goes_with_all_others(batch: Any) -> None:
    for first in (2, ["a"]):
        images = images_of(first, batch)
        assert images.anonymous is (first == 2)
        assert len(images) == (2 if first == 2 else 1)


def test_merging_numbers_on() -> None:
    one, other = images_of(2), images_of(1, 2)
    one.check_merge(other)
    assert one.merge(other) == 2
    assert one.keys().ids.tolist() == [0, 1, 2, 3, 4]
    assert other.keys().ids.tolist() == [0, 1, 2]
    assert one.merge(one) == 5
    assert len(one) == 10
    assert ImageIds().merge(other) == 0


def test_merging_ids() -> None:
    one, other = images_of(["b"]), images_of(["c"], ["a"])
    assert one.merge(other) == 0
    assert one.keys().ids.tolist() == ["a", "b", "c"]
    assert other.keys().ids.tolist() == ["a", "c"]
    with pytest.raises(IdError, match="got 2 that were absorbed before: a, c"):
        one.check_merge(other)
    fresh = ImageIds()
    fresh.merge(one)
    with pytest.raises(IdError, match="got 3 that"):
        fresh.check_merge(one)


@pytest.mark.parametrize("batches", [(), (3,), (0,), ([],), ([5, 3], [4]), (["b", "a"],)])
def test_states(batches: Any) -> None:
    images = images_of(*batches)
    content: dict[str, Any] = {}
    arrays: dict[str, Any] = {}
    images.store(content, arrays)
    again = ImageIds.stored(content, arrays)
    assert (again.anonymous, len(again)) == (images.anonymous, len(images))
    assert again.keys().same_as(images.keys())
    if len(images):
        with pytest.raises(IdError):
            again.check(ImageBatch.of(images.keys().ids, len(images)).keys, anonymous=False)


def test_where_ids_are_in_states() -> None:
    content: dict[str, Any] = {}
    arrays: dict[str, Any] = {}
    images_of(["b", "a"]).store(content, arrays)
    assert (content, arrays) == ({"anonymous": False, "image_ids": ["a", "b"]}, {})
    images_of([5, 3]).store(content, arrays)
    assert arrays["image_ids"].tolist() == [3, 5]


@pytest.mark.parametrize(
    ("anonymous", "ids", "message"),
    [
        (False, [1, 1], "expected each image once, got 1 more than once: 1"),
        (True, [1, 2], "other numbers"),
    ],
)
def test_states_that_are_not_whole(anonymous: bool, ids: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ImageIds.stored({"anonymous": anonymous}, {"image_ids": np.array(ids)})
    with pytest.raises(KeyError):
        ImageIds.stored({"anonymous": anonymous}, {})
