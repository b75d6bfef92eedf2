"""One mapping of arrays for each image: what is read of it, from arrays of any library."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pytest
import torch

from snellen import AveragePrecision, Boxes, average_precision
from snellen.detection.masks import Masks
from snellen.detection.objects_of_images import objects_of_images
from snellen.detection.oriented import OrientedBoxes
from snellen.detection.poses import Poses
from snellen.detection.protocols import COCO_KEYPOINTS
from snellen.errors import IdError, InputError, SchemaError, ShapeError
from snellen.rle_masks import RleMasks

BOX = [[10.0, 20.0, 30.0, 60.0], [0.0, 0.0, 8.0, 8.0]]  # left, top, right, bottom
PIXELS = np.zeros((2, 6, 5), np.bool_)
PIXELS[0, 1:4, 2:] = True
PIXELS[1, :2, :2] = True


class OnDevice:
    """An array on a device, as CuPy's: NumPy gets it by DLPack or `get` alone."""

    def __init__(self, values: Any, device: int = 2) -> None:
        self._values, self._device = np.array(values), device

    @property
    def shape(self) -> tuple[int, ...]:
        return self._values.shape

    def __dlpack_device__(self) -> tuple[int, int]:
        return self._device, 0

    def __dlpack__(self, *, dl_device: Any = None, **options: Any) -> Any:
        if self._device != 1 and dl_device != (1, 0):
            raise BufferError("lies on a device")
        return self._values.__dlpack__(**{**options, "max_version": None, "copy": None})


class CupyLike(OnDevice):
    """What refuses to be copied without a word."""

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise TypeError("Implicit conversion to a NumPy array is not allowed")

    def get(self) -> Any:
        return self._values


def leaf(values: Any) -> torch.Tensor:
    """Return a tensor in a graph of gradients."""
    return torch.tensor(values, dtype=torch.float32, requires_grad=True) * 1


def with_gaps(values: Any) -> torch.Tensor:
    """Return a tensor whose elements don't follow each other."""
    tensor = torch.tensor(values)
    spread = torch.zeros((*tensor.shape[:-1], 2 * tensor.shape[-1]), dtype=tensor.dtype)
    spread[..., ::2] = tensor
    return spread[..., ::2]


ARRAYS = {
    "lists": lambda values: values,
    "numpy": np.array,
    "torch": torch.tensor,
    "torch float16": lambda values: torch.tensor(values, dtype=torch.float16),
    "torch bfloat16": lambda values: torch.tensor(values, dtype=torch.bfloat16),
    "torch with gradients": leaf,
    "torch with gaps": with_gaps,
    "list of tensors": lambda values: [leaf(each) for each in values],
    "on a device": OnDevice,
    "on a device, as CuPy": CupyLike,
    "DLPack on the host": lambda values: OnDevice(values, 1),
}


@pytest.mark.parametrize("kind", ARRAYS)
def test_arrays_of_any_library(kind: str) -> None:
    make: Any = ARRAYS[kind]
    truth = [
        {"boxes": make(BOX), "labels": make([3, 1]), "iscrowd": make([0, 1])},
        {"boxes": np.zeros((0, 4)), "labels": [], "iscrowd": []},
    ]
    pred = [
        {"boxes": make(BOX[:1]), "labels": make([3]), "scores": make([0.5])},
        {"boxes": torch.zeros((0, 4)), "labels": torch.zeros(0), "scores": torch.zeros(0)},
    ]
    made = objects_of_images(truth, pred, image_id=np.array([7, 5]), similarity="own")
    assert isinstance(made[0], Boxes)
    assert made[0].boxes.images.ids.tolist() == [5, 7]
    assert made[0].boxes.xywh.tolist() == [[10, 20, 20, 40], [0, 0, 8, 8]]
    assert made[0].boxes.classes.keys.ids.tolist() == [1, 3]
    assert made[1].boxes.score is not None
    assert made[1].boxes.score.tolist() == [0.5]
    result = AveragePrecision().update(truth, pred, image_id=[7, 5]).compute()
    assert pytest.approx(1) == result.AP50
    assert result.data["n_crowd"] == 1


def test_tensors_keep_their_graph_and_their_values() -> None:
    boxes = leaf(BOX)
    record = {"boxes": boxes, "labels": torch.tensor([1, 1]), "scores": leaf([0.5, 0.25])}
    metric = AveragePrecision().update([{**record}], [record])
    assert boxes.requires_grad
    assert boxes.tolist() == BOX
    state = metric.to_bytes()
    with torch.no_grad():
        boxes += 100  # the metric has what it needs
    assert metric.to_bytes() == state


@pytest.mark.parametrize(
    ("box_format", "boxes"),
    [
        ("xyxy", BOX),
        ("xywh", [[10, 20, 20, 40], [0, 0, 8, 8]]),
        ("cxcywh", [[20, 40, 20, 40], [4, 4, 8, 8]]),
    ],
)
@pytest.mark.parametrize("similarity", ["box", "mask", "keypoints"])
def test_layouts(similarity: str, box_format: Any, boxes: Any) -> None:
    record = {
        "boxes": torch.tensor(boxes),
        "labels": torch.tensor([1, 2]),
        "masks": torch.tensor(PIXELS),
        "keypoints": np.full((2, 3, 3), 2),
    }
    made, _ = objects_of_images(
        [record],
        [{**record, "scores": [0.5, 0.25]}],
        image_id=np.array(["a"]),
        similarity=similarity,
        box_format=box_format,
    )
    assert made.kind == similarity
    assert made.boxes.xywh.tolist() == [[10, 20, 20, 40], [0, 0, 8, 8]]


# ---------------------------------------------------------------------------------------------
# Masks.

TEXTS = RleMasks.from_arrays(PIXELS).to_coco()


@pytest.mark.parametrize(
    "masks",
    [
        PIXELS,
        PIXELS.astype(np.uint8) * 255,
        torch.tensor(PIXELS),
        torch.tensor(PIXELS, dtype=torch.uint8),
        with_gaps(PIXELS),
        torch.tensor(PIXELS.transpose(0, 2, 1).copy()).transpose(1, 2),
        PIXELS.tolist(),
        OnDevice(PIXELS.astype(np.uint8)),
        TEXTS,
        [{**each, "counts": each["counts"].decode()} for each in TEXTS],
        RleMasks.from_arrays(PIXELS),
        [{"size": [6, 5], "counts": [13, 3, 3, 3, 3, 3, 2]}, TEXTS[1]],
    ],
    ids=lambda masks: type(masks).__name__,
)
def test_masks_of_any_form(masks: Any) -> None:
    nothing: dict[str, Any] = {"labels": []}
    records = [
        {"masks": masks, "labels": [1, 1]},
        {"masks": [], **nothing},
        {"masks": torch.zeros((0, 6, 5)), **nothing},
        {"masks": torch.zeros(0), **nothing},
    ]
    made = Masks.from_images(records, image_id=range(4))
    assert made.rle.to_arrays().tolist() == PIXELS.tolist()
    assert made.boxes.xywh.tolist() == [[2, 1, 3, 3], [0, 0, 2, 2]]
    assert made.boxes.area is not None
    assert made.boxes.area.tolist() == [9, 4]
    assert made.sizes is not None
    assert made.sizes.tolist() == [[6, 5], [-1, -1], [-1, -1], [-1, -1]]
    assert made.boxes.images.ids.tolist() == [0, 1, 2, 3]


def test_masks_have_the_columns_that_are_given() -> None:
    made = Masks.from_masks(
        PIXELS,
        image_id=["b", "a"],
        label=["cat", "dog"],
        score=[0.5, 0.25],
        area=[7, 8],
        box=[[0, 0, 1, 1], [0, 0, 2, 2]],
        crowd=[0, 1],
        image_ids=["a", "b", "c"],
    )
    assert repr(made) == "Masks(2 scored masks, 3 images, 2 classes)"
    assert made.boxes.area is not None
    assert made.boxes.crowd is not None
    assert (made.boxes.area.tolist(), made.boxes.crowd.tolist()) == ([7, 8], [0, 1])
    assert made.boxes.xywh.tolist() == [[0, 0, 1, 1], [0, 0, 2, 2]]
    assert len(made[[True, False]]) == 1
    assert len(Masks.from_masks([], image_id=[], label=[], image_ids=[4])) == 0
    assert len(Masks.from_images([], image_id=[])) == 0


def test_polygons_are_masks() -> None:
    rle = RleMasks.from_polygons([[[2, 1, 5, 1, 5, 4, 2, 4]]], (6, 5))
    made = Masks.from_masks(rle, image_id=1, label=1)
    assert made.rle.to_arrays()[0].tolist() == PIXELS[0].tolist()


ONE: dict[str, Any] = {"image_id": 1, "label": 1}


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (
            lambda: Masks.from_masks(PIXELS / 2, **ONE),
            InputError,
            "expected flags or whole numbers, got float64 - at mask",
        ),
        (lambda: Masks.from_masks(PIXELS[0], **ONE), ShapeError, "got shape .6, 5. - at mask"),
        (
            lambda: Masks.from_masks(TEXTS[0], **ONE),
            ShapeError,
            "expected a sequence of masks, got a single one: put it in a list - at mask",
        ),
        (
            lambda: Masks.from_masks(PIXELS, box=[[0, 0, 1, 1]], **ONE),
            ShapeError,
            "expected 2 boxes, one a mask, got 1 - at box",
        ),
        (
            lambda: Masks.from_masks([{"size": [2, 2], "counts": [1, 2]}], **ONE),
            SchemaError,
            r"mask\[0\]",
        ),
        (
            lambda: Masks.from_masks(
                [TEXTS[0], {"size": [2, 2], "counts": [1, 3]}], image_id=[4, 4], label=1
            ),
            ShapeError,
            r"expected masks of one size in image 4, got 6 × 5 and 2 × 2 .height × width. - at "
            r"mask\[0\]",
        ),
        (
            lambda: Masks.from_images(
                [{"masks": [], "labels": []}, {"masks": PIXELS * 0.5, "labels": [1, 1]}],
                image_id=[1, 2],
            ),
            InputError,
            "expected flags or whole numbers, got float64 - at masks of image 1",
        ),
        (
            lambda: Masks.from_images([{"labels": []}], image_id=[1]),
            InputError,
            'expected the key "masks", got labels - at image 0',
        ),
        (
            lambda: Masks.from_images(
                [{"masks": PIXELS, "labels": [1, 1], "boxes": BOX[:1]}], image_id=[1]
            ),
            ShapeError,
            "expected 2 boxes, one a mask, got 1 - at boxes of image 0",
        ),
        (
            lambda: Masks.from_images([{"masks": PIXELS, "labels": [1]}], image_id=[1]),
            ShapeError,
            "expected 2 values, got 1 - at labels of image 0",
        ),
    ],
)
def test_masks_refuse(make: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_masks_of_another_size_are_refused_before_they_match_nothing() -> None:
    truth = [{"masks": PIXELS, "labels": [1, 1]}]
    pred = [{"masks": PIXELS[:, ::2], "labels": [1, 1], "scores": [0.5, 0.25]}]
    with pytest.raises(
        ShapeError,
        match=r"expected a mask of the size of image 0, 6 × 5 .height × width., got 3 × 5 - at "
        r"pred.masks\[0\]",
    ):
        AveragePrecision().update(truth, pred)
    # As the reference does.
    strict = AveragePrecision(protocol="coco-strict").update(truth, pred).compute()
    assert strict.AP == 0
    # Of an image without truth nobody knows the size.
    nothing: dict[str, Any] = {"masks": [], "labels": []}
    result = AveragePrecision().update([*truth, nothing], [{**pred[0], "masks": PIXELS}, pred[0]])
    assert result.compute().data["n_predictions"] == 4


# ---------------------------------------------------------------------------------------------
# Which objects are read.


def test_what_is_compared_decides_what_is_read() -> None:
    record = {
        "boxes": np.array(BOX),
        "masks": PIXELS,
        "keypoints": np.full((2, 17, 3), 2.0),
        "labels": [1, 1],
    }
    pred = {**record, "scores": [0.5, 0.25]}
    for similarity, kind in {
        "own": Boxes,
        "box": Boxes,
        "mask": Masks,
        "boundary": Masks,
        "keypoints": Poses,
    }.items():
        for made in objects_of_images(
            [record], [pred], image_id=np.array([1]), similarity=similarity
        ):
            assert isinstance(made, kind)
    del pred["boxes"]
    for made in objects_of_images([record], [pred], image_id=np.array([1]), similarity="own"):
        assert isinstance(made, Masks)


def test_all_kinds_are_evaluated() -> None:
    # Two objects an image, of which one is found: 51 of 101 recall points.
    keypoints = np.zeros((2, 17, 3))
    keypoints[:, :, :2] = np.array([[[0, 0]], [[60, 60]]]) + np.arange(17)[:, None]
    keypoints[:, :, 2] = 2
    fields: dict[str, Any] = {
        "box": {"boxes": np.array(BOX)},
        "mask": {"masks": PIXELS},
        "keypoints": {"keypoints": keypoints, "boxes": [[0, 0, 40, 40], [60, 60, 99, 99]]},
        "oriented": {"boxes": np.array([[9, 9, 4, 2, 0.3], [30, 9, 4, 2, 0.3]])},
    }
    for similarity, record in fields.items():
        truth = {"labels": np.array([1, 1]), **record}
        pred = {
            "labels": np.array([1]),
            "scores": np.array([0.5]),
            **{name: column[:1] for name, column in record.items()},
        }
        result = average_precision([truth] * 2, [pred] * 2, similarity=similarity)
        assert pytest.approx(51 / 101) == result.AP50, similarity
        assert result.rules.similarity == similarity
    assert result.rules.name == "coco"
    corners = OrientedBoxes.from_images([truth], image_id=[1]).corners
    for shape in (corners, corners.reshape(-1, 8)):
        again = {**truth, "boxes": shape}
        result = average_precision([again] * 2, [pred] * 2, similarity="oriented")
        assert pytest.approx(51 / 101) == result.AP50


def test_poses_have_rules_of_their_own() -> None:
    metric = AveragePrecision(similarity="keypoints")
    assert dataclasses.replace(metric.protocol) == COCO_KEYPOINTS
    pose = {"keypoints": np.full((1, 17, 3), 2.0), "boxes": [[0, 0, 99, 99]], "labels": [1]}
    scored = {**pose, "scores": [0.5]}
    assert pytest.approx(1) == metric.update([pose], [scored]).compute().AP
    del scored["boxes"]
    with pytest.raises(InputError, match="expected rules for poses"):
        AveragePrecision().update([pose], [scored])


def test_ignored_truth_and_crowding() -> None:
    pose = {
        "keypoints": np.full((1, 14, 3), 2.0),
        "boxes": [[0, 0, 99, 99]],
        "labels": [1],
    }
    truth = [
        {**pose, "crowding": torch.tensor(0.1), "ignored": [0]},
        {**pose, "crowding": 0.8, "ignored": [0]},
        {**pose, "ignored": [1]},
    ]
    pred = [{**pose, "scores": [0.5]}, {**pose, "scores": [0.5]}, {**pose, "scores": [0.9]}]
    pred[1]["keypoints"] = np.full((1, 14, 3), 90.0)
    metric = AveragePrecision(protocol="crowdpose").update(truth, pred)
    result = metric.compute()
    assert (result.AP_easy, result.AP_hard) == (pytest.approx(1), 0)
    assert math.isnan(result.AP_medium)
    assert "undefined    AP_medium: no truth box counts in images called medium" in (
        result.composition()
    )
    boxes = Poses.from_images(truth, image_id=["c", "a", "b"]).boxes
    assert boxes.crowding is not None
    assert boxes.crowding.tolist()[::2] == [0.8, pytest.approx(0.1)]
    assert math.isnan(boxes.crowding[1])
    with pytest.raises(InputError, match=r"expected one finite number, got .*crowding of image 0"):
        Boxes.from_images([{**pose, "crowding": [1, 2]}], image_id=[1])


# ---------------------------------------------------------------------------------------------
# Batches, and what is no such thing.


def test_batches_without_images_or_without_objects() -> None:
    nothing: dict[str, Any] = {"masks": torch.zeros((0, 4, 4)), "labels": torch.zeros(0)}
    scored = {**nothing, "scores": torch.zeros(0)}
    metric = AveragePrecision(similarity="mask")
    assert metric.update([], []) is metric
    assert metric.to_bytes() == metric.empty().to_bytes()
    metric.update([nothing], [scored], image_id=["a"])
    metric.update([], [])  # goes with batches that have ids, too
    metric.update(
        [{"masks": PIXELS, "labels": [1, 1]}],
        [{"masks": PIXELS, "labels": [1, 1], "scores": [0.5, 0.25]}],
        image_id=["b"],
    )
    assert pytest.approx(1) == metric.compute().AP
    assert metric.compute().data["n_images"] == 2


GOOD = {"boxes": BOX, "labels": [1, 2]}
SCORED = {**GOOD, "scores": [0.5, 0.25]}


@pytest.mark.parametrize(
    ("truth", "pred", "options", "error", "message"),
    [
        ([GOOD], [SCORED, SCORED], {}, InputError, "got 1 and 2"),
        (GOOD, [SCORED], {}, InputError, "expected a list with a mapping .* got dict - at truth"),
        *(
            (GOOD, SCORED, ids, InputError, "expected a list with a mapping .* got dict - at truth")
            for ids in ({}, {"image_id": [1]})
        ),
        (7, [SCORED], {}, InputError, "expected a list with a mapping .* got int - at truth"),
        ([GOOD], None, {}, InputError, "expected a list with a mapping .* got NoneType - at pred"),
        (iter([GOOD]), [SCORED], {}, InputError, "got list_iterator - at truth"),
        ([], {}, {}, InputError, "expected a list with a mapping .* got dict - at pred"),
        ([GOOD], [[1, 2]], {}, InputError, r"got list - at pred\[0\]"),
        ([GOOD], ["boxes"], {}, InputError, r"got str - at pred\[0\]"),
        (
            [GOOD],
            [{**SCORED, "boxes": [[5, 0, 1, 1], [0, 0, 1, 1]]}],
            {},
            InputError,
            r"expected right and bottom of at least .* - at pred boxes of image 0\[0\]",
        ),
        (
            [GOOD, {**GOOD, "boxes": [[0, 0, 1, 1], [0, 0, 1, -1]]}],
            [SCORED, SCORED],
            {"box_format": "xywh"},
            InputError,
            r"expected a width and height of at least 0 .* truth boxes of image 1\[1\]",
        ),
        ([GOOD], [SCORED], {"box_format": "yxyx"}, InputError, "got 'yxyx' - at truth box_format"),
        ([GOOD], [{**SCORED, "labels": ["a", "b"]}], {}, IdError, "of one kind"),
        (
            [GOOD, {**GOOD, "labels": ["a", "b"]}],
            [SCORED, SCORED],
            {},
            IdError,
            "expected numbers or texts, got some of both - at truth labels",
        ),
        (
            [GOOD],
            [{**SCORED, "boxes": torch.zeros((2, 4), device="meta")}],
            {},
            InputError,
            "expected an array: .* - at pred boxes of image 0",
        ),
        ([GOOD], [SCORED], {"image_id": [1, 2]}, ShapeError, "an image id for each of 1 images"),
        ([GOOD] * 2, [SCORED] * 2, {"image_id": [1, 1]}, IdError, "once"),
    ],
)
def test_refused(truth: Any, pred: Any, options: Any, error: Any, message: str) -> None:
    metric = AveragePrecision().update([GOOD], [SCORED])
    before = metric.to_bytes()
    with pytest.raises(error, match=message):
        AveragePrecision().update(truth, pred, **options)
    with pytest.raises(InputError):
        metric.update(truth, pred, **options)
    assert metric.to_bytes() == before


def test_columns_have_a_layout_and_ids() -> None:
    boxes = Boxes.from_xyxy(BOX, image_id=1, label=1)
    scored = Boxes.from_xyxy(BOX, image_id=1, label=1, score=[0.5, 0.25])
    with pytest.raises(InputError, match="expected no box_format beside Boxes"):
        AveragePrecision().update(boxes, scored, box_format="xywh")
    with pytest.raises(InputError, match="expected no image_id beside Boxes"):
        AveragePrecision().update(boxes, scored, image_id=[1])
    with pytest.raises(InputError, match="expected no box_format with oriented boxes"):
        AveragePrecision(similarity="oriented").update([GOOD], [SCORED], box_format="xywh")
