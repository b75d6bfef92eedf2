"""What is kept of a detector for its page, and what the page shows of it."""

from __future__ import annotations

import dataclasses
import io
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageDraw

from snellen import AveragePrecision, Boxes
from snellen.detection.masks import Masks
from snellen.detection.poses import Poses
from snellen.displays import LinesDisplay, MatrixDisplay
from snellen.report.detection.examples import MOST_FOUND, examples_of
from snellen.report.detection.outlines import mask_outline, polygon_outline
from snellen.report.detection.parts import parts
from snellen.report.detection.states import states_of
from snellen.report.parts import Table
from snellen.report.run_parts import parts_of
from snellen.report.thumbnails import SIDE, file_name, thumbnail

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.metric import StoredMetric
    from snellen.run.examples import Example

CLASSES = {1: "cat", 2: "dog"}


def no_image(name: str) -> None:
    del name


def jpeg(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), (20, 90, 160)).save(file, "PNG")
    return file.getvalue()


def made() -> tuple[Boxes, Boxes]:
    """Three images.

    1: a cat that is found (0.9), the same cat taken for a dog (0.8), a cat that is missed, and a
    crowd of dogs with a detection in it. 2: a detection of nothing (0.7). 3: all right.
    """
    truth = Boxes.from_xywh(
        [[0, 0, 10, 10], [50, 50, 10, 10], [100, 0, 40, 40], [0, 0, 20, 20]],
        image_id=[1, 1, 1, 3],
        label=[1, 1, 2, 2],
        crowd=[0, 0, 1, 0],
        classes=CLASSES,
        image_ids=[1, 2, 3],
    )
    pred = Boxes.from_xywh(
        [[0, 0, 10, 9], [0, 0, 10, 10], [110, 10, 5, 5], [5, 5, 5, 5], [0, 0, 20, 20]],
        image_id=[1, 1, 1, 2, 3],
        label=[1, 2, 2, 1, 2],
        score=[0.9, 0.8, 0.6, 0.7, 0.95],
        classes=CLASSES,
    )
    return truth, pred


class Run:
    """The states of a run, as a folder would hand them out."""

    def __init__(self, metric: Any, states: dict[str, StoredMetric[Any]]) -> None:
        self._metric, self._states = metric, states

    kind = "evaluation"
    parent = None

    def metric(self) -> Any:
        return self._metric

    def state(self, name: str) -> StoredMetric[Any] | None:
        return self._states.get(name)


def examples(truth: Any, pred: Any, **options: Any) -> dict[str, Example]:
    metric = AveragePrecision(protocol=options.pop("protocol", "coco")).update(truth, pred)
    found, _ = examples_of(truth, pred, metric, n=9, images=no_image, **options)
    return {image.id: image for image in found.images}


def test_what_became_of_each_object() -> None:
    found = examples(*made())
    # Errors at the best threshold, 0.9 (F1 of 2 right, 0 wrong, 1 missed: 4 / 5): image 1 misses
    # one; 2 and 3 are without.
    assert next(iter(found)) == "1"
    one = found["1"]
    assert [(each.label, each.ignored) for each in one.truth] == [
        ("cat", False), ("cat", False), ("dog", True),
    ]  # fmt: skip
    assert [each.box for each in one.truth][:2] == [[0, 0, 10, 10], [50, 50, 10, 10]]
    right, wrong, ignored = one.found
    assert (right.label, right.outcome, right.truth, right.taken_for) == ("cat", "right", 0, None)
    assert right.overlap == 0.9  # 90 of 100 pixels
    # A dog where a cat is: wrong, and it lies on the first.
    assert (wrong.label, wrong.outcome, wrong.truth, wrong.taken_for) == ("dog", "wrong", None, 0)
    assert wrong.overlap == 1.0
    assert (ignored.outcome, ignored.truth) == ("ignored", 2)
    (nothing,) = found["2"].found
    assert (nothing.outcome, nothing.taken_for, nothing.overlap) == ("wrong", None, 0.0)
    assert found["2"].truth == []
    assert one.numbers["right"] == 1
    assert one.numbers["missed"] == 1
    assert one.badness == 1 + (1 - 2 / 3) / 2  # one error, and how far F1 is from 1


def test_images_are_those_with_most_errors() -> None:
    truth, pred = made()
    metric = AveragePrecision().update(truth, pred)
    found, pictures = examples_of(
        truth, pred, metric, n=1, images=lambda _: jpeg(800, 400), names={1: "a/b.png"},
        sizes={1: (400, 800)},
    )  # fmt: skip
    (image,) = found.images
    assert (image.id, image.name, image.width, image.height) == ("1", "a/b.png", 800, 400)
    assert image.picture == "000-b.jpg"
    assert Image.open(io.BytesIO(pictures[image.picture])).size == (SIDE, SIDE // 2)
    assert found.n_images == 3
    assert found.score_threshold == 0.9
    assert found.rule.startswith("the 1 of 3 images with the most errors at IoU 0.5 and from score")


def test_the_best_detections_are_kept_and_all_that_are_right() -> None:
    n = MOST_FOUND + 20
    truth = Boxes.from_xywh([[0, 0, 10, 10]], image_id=1, label=1)
    boxes = np.tile([[100.0, 100, 5, 5]], (n, 1))
    boxes[-1] = 0, 0, 10, 10
    pred = Boxes.from_xywh(boxes, image_id=1, label=1, score=np.linspace(0.9, 0.1, n))
    found = examples(truth, pred)["1"].found
    assert len(found) == MOST_FOUND + 1
    assert [each.outcome for each in found] == ["wrong"] * MOST_FOUND + ["right"]


def test_parts_of_unknown_sizes_are_drawn_on_the_picture() -> None:
    truth = Boxes.from_xywh([[0.25, 0.5, 0.5, 0.25]], image_id="a", label=1)
    pred = Boxes.from_xywh([[0.25, 0.5, 0.5, 0.25]], image_id="a", label=1, score=[0.5])
    metric = AveragePrecision().update(truth, pred)
    found, _ = examples_of(truth, pred, metric, n=1, images=lambda _: jpeg(200, 100))
    assert found.images[0].truth[0].box == [50, 50, 100, 25]
    found, _ = examples_of(truth, pred, metric, n=1, images=no_image)
    assert (found.images[0].width, found.images[0].height) == (1000, 1000)
    assert found.images[0].found[0].box == [250, 500, 500, 250]


def test_masks_have_outlines_and_poses_points() -> None:
    mask = np.zeros((1, 40, 60), np.bool_)
    mask[0, 10:20, 30:50] = True
    one = {"image_id": 1, "label": 1}
    found = examples(Masks.from_masks(mask, **one), Masks.from_masks(mask, score=[0.5], **one))["1"]
    assert found.truth[0].outline == "M30 10L50 10L50 20L30 20Z"
    assert (found.width, found.height) == (60, 40)
    points = np.array([[[5.0, 6, 2], [7, 8, 1], [0, 0, 0]]])
    poses = Poses.from_keypoints(points, area=[100.0], **one)
    guess = Poses.from_keypoints(points, score=[0.5], **one)
    rules = AveragePrecision(protocol="coco-keypoints").protocol
    three = dataclasses.replace(rules, sigmas=(0.1, 0.1, 0.1))
    assert examples(poses, guess, protocol=three)["1"].truth[0].keypoints == [[5, 6], [7, 8]]


@pytest.mark.parametrize("with_states", [True, False])
def test_the_page_is_made_of_states(with_states: bool) -> None:
    truth, pred = made()
    metric = AveragePrecision().update(truth, pred)
    states = states_of(truth, pred, metric) if with_states else {}
    run: Any = Run(metric, states)
    result = metric.compute()
    found = parts_of(run, result)
    names = [each.words.name for each in found.curves]
    assert names == ["precision_recall", "score_curves", "class_f_over_score", "reliability"]
    assert isinstance(found.classes, Table)
    by_class = {row["class"]: row for row in found.classes.records}
    assert by_class["cat"]["AP"] == result.per_class()[0]["AP"]
    # The cat that is found, one missed; at 0.9 nothing of the class is wrong.
    assert [by_class["cat"][key] for key in ("tp", "fp", "fn")] == [1, 0, 1]
    if not with_states:
        assert found.confusion is None
        assert found.errors == ()
        return
    assert isinstance(found.confusion, MatrixDisplay)
    assert found.confusion.rows == ("cat", "dog", "false alarm")
    # From score 0.9: cat found, cat missed; the dog of image 3 found.
    expected = [[1, 0, 1], [0, 1, 0], [0, 0, np.nan]]
    np.testing.assert_array_equal(found.confusion.counts, expected)
    assert [each.words.name for each in found.own] == ["images", "label_errors"]


def test_no_predictions() -> None:
    truth, pred = made()
    none = pred[np.zeros(0, np.int64)]
    metric = AveragePrecision().update(truth, none)
    found = parts(Run(metric, states_of(truth, none, metric)), metric.compute())  # type: ignore[arg-type]
    assert found.facts is not None
    assert "There are no predictions." in found.facts.lines
    for each in found.curves:
        assert isinstance(each, LinesDisplay)
        each.specification()


# ---- Outlines ------------------------------------------------------------------------------------


def filled(path: str, shape: tuple[int, int]) -> NDArray[np.bool_]:
    """Return the pixels whose centres lie in a path of whole corners, by the even-odd rule."""
    image = np.zeros(shape, np.bool_)
    for ring in re.findall(r"M([^Z]*)Z", path):
        # Drawn at four times the size, so that no centre lies on an edge.
        one = Image.new("1", (4 * shape[1], 4 * shape[0]))
        corners = [tuple(4 * float(v) - 0.5 for v in point.split()) for point in ring.split("L")]
        ImageDraw.Draw(one).polygon(corners, fill=1)
        image ^= np.array(one)[1::4, 1::4]
    return image


@given(arrays(np.bool_, st.tuples(st.integers(1, 9), st.integers(1, 9))))
def test_an_outline_goes_around_its_pixels(mask: NDArray[np.bool_]) -> None:
    height, width = mask.shape
    path = mask_outline(mask, (0, 0, width, height))
    np.testing.assert_array_equal(filled(path, mask.shape), mask)


def test_a_large_mask_is_seen_in_squares() -> None:
    mask = np.zeros((300, 400), np.bool_)
    mask[20:280, 50:350] = True
    # 300 pixels on at most 64 squares: of 5 pixels.
    assert mask_outline(mask, (50, 20, 300, 260)) == "M50 20L350 20L350 280L50 280Z"


def test_a_polygon() -> None:
    assert polygon_outline(np.array([[1.25, 2], [3, 4], [5, 6]])) == "M1.25 2L3 4L5 6Z"


# ---- Thumbnails ----------------------------------------------------------------------------------


def test_a_thumbnail_is_small_and_knows_the_size() -> None:
    small = thumbnail(lambda _: jpeg(1000, 500), "a.png")
    assert small is not None
    assert (small.width, small.height) == (1000, 500)
    assert len(small.data) < 20_000


@pytest.mark.parametrize("data", [None, b"", b"\xff\xd8\xff no picture"])
def test_what_is_no_picture_is_missing(data: bytes | None) -> None:
    assert thumbnail(lambda _: data, "a.png") is None


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.png", "007-a.jpg"),
        ("../../etc/passwd", "007-passwd.jpg"),
        ("x\\y\\ä ö.jpeg", "007-image.jpg"),
        ("", "007-image.jpg"),
        ("n" * 300, f"007-{'n' * 60}.jpg"),
    ],
)
def test_names_of_thumbnails(name: str, expected: str) -> None:
    assert file_name(7, name) == expected
