"""What `snellen check` says that faults do in pycocotools is what they do there."""

from __future__ import annotations

import contextlib
import copy
import io
from typing import Any

import pytest

coco = pytest.importorskip("pycocotools.coco")
cocoeval = pytest.importorskip("pycocotools.cocoeval")

BOX, OTHER = [50, 50, 20, 20], [10, 10, 20, 20]
SQUARE = [[50, 50, 70, 50, 70, 70, 50, 70]]
POINTS = [55, 55, 2, 60, 60, 2, *[60, 65, 2] * 15]


def annotation(number: int, box: list[float], **changes: Any) -> dict[str, Any]:
    return {
        "id": number,
        "image_id": 1,
        "category_id": 1,
        "bbox": box,
        "iscrowd": 0,
        "area": box[2] * box[3],
        "segmentation": SQUARE,
        "keypoints": POINTS,
        "num_keypoints": 17,
        **changes,
    }


def truth(*annotations: dict[str, Any]) -> dict[str, Any]:
    images = [{"id": k, "width": 100, "height": 100} for k in (1, 2)]
    return {
        "images": images,
        "annotations": list(annotations),
        "categories": [{"id": 1, "name": "cat"}],
    }


def detection(box: list[float], **changes: Any) -> dict[str, Any]:
    return {"image_id": 1, "category_id": 1, "bbox": box, "score": 0.9, **changes}


def recall(gt: dict[str, Any], dt: list[dict[str, Any]], kind: str = "bbox") -> float:
    """Return AR, with at most 100 detections (20 of keypoints)."""
    with contextlib.redirect_stdout(io.StringIO()):
        of_truth = coco.COCO()
        of_truth.dataset = copy.deepcopy(gt)
        of_truth.createIndex()
        run = cocoeval.COCOeval(of_truth, of_truth.loadRes(copy.deepcopy(dt)), kind)
        run.evaluate()
        run.accumulate()
        run.summarize()
    return float(run.stats[5 if kind == "keypoints" else 8])


BOTH = [detection(BOX), detection(OTHER, score=0.8)]


def test_a_clean_set_is_found() -> None:
    assert recall(truth(annotation(1, BOX), annotation(2, OTHER)), BOTH) == 1


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        # Never found: one of two is missed.
        ({"bbox": [30, 10, -20, 20]}, 0.5),
        ({"bbox": [10, 10, 0, 20]}, 0.5),
        # The last of an id counts twice and is found once; the first is lost.
        ({"id": 1}, 0.5),
        # The match to id 0 is none.
        ({"id": 0}, 0.5),
        # Left out, though nothing finds them.
        ({"image_id": 7, "bbox": [1, 1, 5, 5]}, 1),
        ({"category_id": 7, "bbox": [1, 1, 5, 5]}, 1),
        ({"area": -1, "bbox": [1, 1, 5, 5]}, 1),
        ({"iscrowd": 2, "bbox": [1, 1, 5, 5]}, 1),
        # What is left of the box is matched wherever the number would be.
        ({"bbox": [float("nan"), 10, 20, 20]}, 1),
    ],
)
def test_recall(changes: dict[str, Any], expected: float) -> None:
    assert recall(truth(annotation(1, BOX), annotation(2, OTHER, **changes)), BOTH) == expected


@pytest.mark.parametrize("field", ["area", "iscrowd", "id", "bbox"])
def test_missing_fields_stop_it(field: str) -> None:
    lacking = annotation(2, OTHER)
    del lacking[field]
    with pytest.raises(KeyError, match=field):
        recall(truth(annotation(1, BOX), lacking), BOTH)


@pytest.mark.parametrize(
    ("shape", "error"),
    [([], IndexError), ([[1, 2, 3, 4]], TypeError), (..., KeyError)],
)
def test_masks_that_stop_it(shape: Any, error: type[Exception]) -> None:
    other = annotation(2, OTHER, segmentation=shape)
    if shape is ...:
        del other["segmentation"]
    with pytest.raises(error):
        recall(truth(annotation(1, BOX), other), [mask_detection()], "segm")


def mask_detection() -> dict[str, Any]:
    mask = pytest.importorskip("pycocotools.mask")
    runs = mask.merge(mask.frPyObjects(SQUARE, 100, 100))
    found = detection(BOX, segmentation={**runs, "counts": runs["counts"].decode()})
    del found["bbox"]
    return found


@pytest.mark.parametrize(
    "shape",
    [
        {"size": [50, 50], "counts": [0, 2500]},  # of another size
        {"size": [100, 100], "counts": [5, 5]},  # of other sums: read without a word
        {"size": [100, 100], "counts": [10000]},  # without a pixel
    ],
)
def test_masks_that_are_never_found(shape: Any) -> None:
    assert recall(truth(annotation(1, BOX)), [mask_detection()], "segm") == 1
    both = truth(annotation(1, BOX), annotation(2, OTHER, segmentation=shape))
    assert recall(both, [mask_detection(), mask_detection()], "segm") == 0.5


def test_sizes_of_images_are_needed_for_polygons() -> None:
    gt = truth(annotation(1, BOX))
    del gt["images"][0]["height"]
    with pytest.raises(KeyError, match="height"):
        recall(gt, [mask_detection()], "segm")


@pytest.mark.parametrize(
    ("changes", "error"),
    [({"keypoints": POINTS[:-3]}, ValueError), ({"num_keypoints": ...}, KeyError)],
)
def test_keypoints_that_stop_it(changes: dict[str, Any], error: type[Exception]) -> None:
    other = {k: v for k, v in annotation(2, OTHER, **changes).items() if v is not ...}
    found = detection(BOX, keypoints=POINTS)
    del found["bbox"]
    with pytest.raises(error):
        recall(truth(annotation(1, BOX), other), [found], "keypoints")


def test_num_keypoints_alone_decides() -> None:
    found = detection(BOX, keypoints=POINTS)
    del found["bbox"]
    far = [0, 0, 2] * 17
    for count, expected in ((0, 1), (1, 0.5)):
        other = annotation(2, OTHER, keypoints=far, num_keypoints=count)
        assert recall(truth(annotation(1, BOX), other), [found], "keypoints") == expected


def test_predictions_of_unknown_images_stop_it_and_those_of_unknown_classes_do_not() -> None:
    gt = truth(annotation(1, BOX))
    with pytest.raises(AssertionError):
        recall(gt, [detection(BOX), detection(BOX, image_id=9)])
    assert recall(gt, [detection(BOX), detection(BOX, category_id=9)]) == 1


def test_the_cap_cuts() -> None:
    gt = truth(annotation(1, BOX))
    others = [detection([1, 1, 5, 5], score=0.95) for _ in range(100)]
    assert recall(gt, [detection(BOX), *others[1:]]) == 1
    assert recall(gt, [detection(BOX), *others]) == 0


def test_a_score_that_is_no_number_comes_last() -> None:
    gt = truth(annotation(1, BOX))
    others = [detection([1, 1, 5, 5], score=0.1) for _ in range(100)]
    assert recall(gt, [detection(BOX, score=float("nan")), *others]) == 0


def test_images_of_one_id_are_one_image() -> None:
    gt = truth(annotation(1, BOX), annotation(2, OTHER))
    gt["images"].append({**gt["images"][0]})
    assert recall(gt, BOTH) == 1
