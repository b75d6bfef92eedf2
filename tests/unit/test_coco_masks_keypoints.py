"""Masks and keypoints of COCO files: what is accepted, what is refused, and how."""

from __future__ import annotations

import gzip
import json
import random
import re
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from snellen import read_coco_predictions, read_coco_truth
from snellen.detection.boxes import Boxes
from snellen.detection.masks import Masks
from snellen.detection.poses import Poses
from snellen.errors import DataWarning, IdError, InputError, SchemaError, SnellenError

if TYPE_CHECKING:
    from pathlib import Path

# The left half of 4 × 6 pixels, and all of them.
HALF = {"size": [4, 6], "counts": [0, 12, 12]}
WHOLE = {"size": [4, 6], "counts": "0h0"}
SQUARE = [[0, 0, 2, 0, 2, 2, 0, 2]]


def truth_of(*annotations: dict[str, Any], **image: Any) -> dict[str, Any]:
    sides = {"height": 4, "width": 6}
    return {
        "images": [{"id": 9} | sides | image, {"id": 4} | sides],
        "annotations": [
            {"id": k + 1, "image_id": 9, "category_id": 2, "iscrowd": 0} | each
            for k, each in enumerate(annotations)
        ],
        "categories": [{"id": 2, "name": "cat"}],
    }


def scored(**fields: Any) -> dict[str, Any]:
    return {"image_id": 9, "category_id": 2, "score": 0.5} | fields


def masks_of(*annotations: dict[str, Any], **image: Any) -> Masks:
    return read_coco_truth(truth_of(*annotations, **image), kind="mask")


def poses_of(*annotations: dict[str, Any]) -> Poses:
    return read_coco_truth(truth_of(*annotations), kind="keypoints")


TRUTH = masks_of({"segmentation": HALF, "area": 5.0, "bbox": [0, 0, 3, 4]})
POSE_TRUTH = poses_of({"keypoints": [1, 2, 2, 3, 4, 1], "area": 5.0, "bbox": [0, 0, 3, 4]})


# ---- Accepted ------------------------------------------------------------------------------------


def test_masks_in_all_forms() -> None:
    truth = masks_of(
        {"segmentation": HALF, "area": 3.5},
        {"segmentation": WHOLE, "area": 4.5, "bbox": [1, 1, 1, 1]},
        {"segmentation": SQUARE, "area": 5.5},
        {"segmentation": [*SQUARE, [3, 0, 6, 0, 6, 4, 3, 4]], "area": 6.5},
    )
    pixels = [mask.astype(int).tolist() for mask in truth.rle.to_arrays()]
    assert pixels[0] == [[1, 1, 1, 0, 0, 0]] * 4
    assert pixels[1] == [[1] * 6] * 4
    assert pixels[2] == [[1, 1, 0, 0, 0, 0]] * 2 + [[0] * 6] * 2
    assert pixels[3] == [[1, 1, 0, 1, 1, 1]] * 2 + [[0, 0, 0, 1, 1, 1]] * 2
    # The file's areas; boxes where it has none are those around the masks.
    assert truth.boxes.area is not None
    assert truth.boxes.area.tolist() == [3.5, 4.5, 5.5, 6.5]
    assert truth.boxes.xywh.tolist() == [[0, 0, 3, 4], [1, 1, 1, 1], [0, 0, 2, 2], [0, 0, 6, 4]]
    assert truth.sizes is not None
    assert truth.sizes.tolist() == [[4, 6], [4, 6]]


def test_areas_that_the_file_has_not_are_pixels() -> None:
    with pytest.warns(DataWarning, match="1 masks have no area: the number of their pixels"):
        truth = masks_of({"segmentation": HALF}, {"segmentation": SQUARE, "area": 9})
    assert truth.boxes.area is not None
    assert truth.boxes.area.tolist() == [12, 9]


def test_short_polygons_beside_others_are_left_out() -> None:
    with pytest.warns(DataWarning, match="less than three vertices left out, of 1 masks"):
        truth = masks_of({"segmentation": [[], [1], [1, 2, 3, 4, 5], *SQUARE], "area": 4})
    assert truth.rle.areas().tolist() == [4]
    with pytest.raises(SchemaError, match="a first polygon of at least 6 numbers"):
        read_coco_truth(
            truth_of({"segmentation": [[1, 2, 3, 4], *SQUARE], "area": 4, "bbox": [0, 0, 1, 1]}),
            kind="mask",
            complete=True,
        )


def test_predicted_masks() -> None:
    records = [
        scored(segmentation=WHOLE),
        scored(segmentation={"size": [4, 6], "counts": b"0h0"}, bbox=[1, 1, 1, 1]),
        scored(segmentation=SQUARE, image_id=4),
        scored(segmentation=HALF, bbox=[]),
    ]
    pred = read_coco_predictions(records, TRUTH)
    assert pred.boxes.area is not None
    assert pred.boxes.area.tolist() == [24, 24, 4, 12]
    assert pred.boxes.xywh.tolist() == [[0, 0, 6, 4], [1, 1, 1, 1], [0, 0, 2, 2], [0, 0, 3, 4]]
    # Sizes are known from the masks as well.
    bare = Masks(TRUTH.boxes, TRUTH.rle)
    assert read_coco_predictions(records[:2], bare).boxes.area is not None
    with pytest.raises(SchemaError, match='"height" and "width" of image 4 in truth'):
        read_coco_predictions(records, bare)


def test_reference_takes_areas_of_boxes() -> None:
    records = [scored(segmentation=WHOLE, bbox=[0, 0, 2, 3]), scored(bbox=[0, 0, 2, 2])]
    strict = read_coco_predictions(records, TRUTH, complete=True)
    assert strict.boxes.area is None  # width times height: 6 and 4
    assert strict.rle.areas().tolist() == [24, 4]
    # The first record says which.
    strict = read_coco_predictions([scored(segmentation=HALF), records[0]], TRUTH, complete=True)
    assert strict.boxes.area is not None
    assert strict.boxes.area.tolist() == [12, 24]
    with pytest.raises(SchemaError, match='expected the key "bbox" in every record, as the first'):
        read_coco_predictions([records[0], scored(segmentation=HALF)], TRUTH, complete=True)


def test_keypoints() -> None:
    with pytest.warns(DataWarning, match="4 objects have no area"):
        truth = poses_of(
            {"keypoints": [1, 2, 2, 3, 5, 1, 9, 9, 0]},
            {"keypoints": [0, 0, 0] * 3, "num_keypoints": 2, "bbox": [1, 2, 3, 4]},
            {"keypoints": [], "bbox": [1, 2, 3, 4]},
            {"num_keypoints": 0},
        )
    assert truth.keypoints.shape == (4, 3, 3)
    assert truth.keypoints[0].tolist() == [[1, 2, 2], [3, 5, 1], [9, 9, 0]]
    assert not truth.keypoints[2:].any()
    # Counted where num_keypoints is not there.
    assert truth.boxes.ignored is not None
    assert truth.boxes.ignored.tolist() == [0, 0, 1, 1]
    # Around labelled keypoints.
    assert truth.boxes.xywh.tolist() == [[1, 2, 2, 3], [1, 2, 3, 4], [1, 2, 3, 4], [0, 0, 0, 0]]
    assert truth.boxes.area is not None
    assert truth.boxes.area.tolist() == [6, 12, 12, 0]


def test_predicted_keypoints() -> None:
    records = [
        scored(keypoints=[1, 2, 0, 4, 6.5, 0], bbox=[0, 0, 1, 1]),
        scored(keypoints=[5, 5, 1, 5, 5, 1]),
    ]
    pred = read_coco_predictions(records, POSE_TRUTH)
    assert pred.boxes.xywh.tolist() == [[1, 2, 3, 4.5], [5, 5, 0, 0]]
    assert pred.keypoints.tolist() == [[[1, 2, 0], [4, 6.5, 0]], [[5, 5, 1], [5, 5, 1]]]
    strict = read_coco_predictions(records[:1], POSE_TRUTH, complete=True)
    assert strict.boxes.xywh.tolist() == [[0, 0, 1, 1]]


def test_kinds(tmp_path: Path) -> None:
    document = truth_of(
        {"segmentation": HALF, "area": 3, "bbox": [0, 0, 3, 4], "keypoints": [1, 2, 2]}
    )
    path = tmp_path / "truth.json.gz"
    path.write_bytes(gzip.compress(json.dumps(document).encode()))
    records = [scored(segmentation=WHOLE, bbox=[0, 0, 1, 1], keypoints=[3, 3, 1])]
    kinds = {"box": Boxes, "mask": Masks, "keypoints": Poses}
    for name, kind in kinds.items():
        truth = read_coco_truth(path, kind=name)  # type: ignore[call-overload]
        assert isinstance(truth, kind)
        assert len(truth) == 1
        # Truth's by default, any other where it is asked for.
        assert isinstance(read_coco_predictions(records, truth), kind)
        for other, other_kind in kinds.items():
            assert isinstance(read_coco_predictions(records, truth, kind=other), other_kind)  # type: ignore[call-overload]
    with pytest.raises(InputError, match="expected box, mask, keypoints, got 'segm' - at kind"):
        read_coco_truth(path, kind="segm")  # type: ignore[call-overload]
    with pytest.raises(InputError, match="rows of numbers are of boxes alone"):
        read_coco_predictions(np.zeros((1, 7)), TRUTH)


def test_unknown_images_are_left_out() -> None:
    document = truth_of(
        {"segmentation": SQUARE, "area": 1, "image_id": 5},
        {"segmentation": HALF, "area": 2},
        {"segmentation": SQUARE, "area": 3},
        {"segmentation": [*SQUARE, *SQUARE], "area": 4, "category_id": 8},
        {"segmentation": [*SQUARE, [3, 0, 6, 0, 6, 4, 3, 4]], "area": 5, "image_id": 4},
    )
    with pytest.raises(IdError, match="expected image ids that the annotation file lists"):
        read_coco_truth(document, kind="mask")
    with pytest.warns(DataWarning, match="2 records of unknown images or categories left out"):
        truth = read_coco_truth(document, kind="mask", drop_unknown=True)
    assert truth.rle.areas().tolist() == [12, 4, 16]
    records = [scored(segmentation=WHOLE, image_id=5), scored(segmentation=HALF)]
    with pytest.warns(DataWarning, match="1 records"):
        pred = read_coco_predictions(records, truth, drop_unknown=True)
    assert pred.rle.areas().tolist() == [12]
    points = [scored(keypoints=[1, 1, 1, 2, 2, 2], category_id=1), scored(keypoints=[5] * 6)]
    with pytest.warns(DataWarning, match="1 records"):
        poses = read_coco_predictions(points, POSE_TRUTH, drop_unknown=True)
    assert poses.keypoints.tolist() == [[[5, 5, 5], [5, 5, 5]]]


def test_nothing() -> None:
    assert len(masks_of()) == 0
    assert poses_of().keypoints.shape == (0, 0, 3)
    assert len(read_coco_predictions([], TRUTH)) == 0
    assert read_coco_predictions([], POSE_TRUTH).keypoints.shape == (0, 2, 3)
    for truth in (TRUTH, POSE_TRUTH):
        with pytest.raises(InputError, match="expected at least one prediction"):
            read_coco_predictions([], truth, complete=True)


# ---- Refused -------------------------------------------------------------------------------------


def refusal(act: Any) -> str:
    with pytest.raises(SnellenError) as caught:
        act()
    return str(caught.value)


@pytest.mark.parametrize(
    ("annotation", "image", "message"),
    [
        ({}, {}, 'expected the key "segmentation" in every record, 1 lack it - at truth'),
        ({"segmentation": None}, {}, 'the key "segmentation" in every record, 1 lack it - at'),
        ({"segmentation": []}, {}, "polygons or run lengths, got an empty list, in 1 records - at"),
        ({"segmentation": [[]]}, {}, "expected a polygon of at least 6 numbers (three vertices)"),
        ({"segmentation": [[1, 2, 3, 4, 5]]}, {}, "a polygon of at least 6 numbers"),
        ({"segmentation": [1, 2, 3, 4, 5, 6]}, {}, "(a list of x, y, x, y ...), got 1 - at truth"),
        ({"segmentation": SQUARE}, {"height": None}, 'expected "height" and "width" of image 9 in'),
        ({"segmentation": SQUARE}, {"width": 0}, "an image of 1 to 2^32 - 1 pixels, got one of 4"),
        ({"segmentation": SQUARE}, {"height": 2**30}, "an image of 1 to 2^32 - 1 pixels, got one"),
        (
            {"segmentation": {"size": [6, 4], "counts": [24]}},
            {},
            "the size of image 9, 4 × 6 (height × width), got 6 × 4 - at truth",
        ),
        ({"segmentation": {"size": [4, 6], "counts": [23]}}, {}, "together 24 pixels, got 23"),
    ],
)
def test_refused_masks(annotation: dict[str, Any], image: dict[str, Any], message: str) -> None:
    good = {"segmentation": HALF, "area": 3, "image_id": 4}
    text = refusal(lambda: masks_of(good, {"area": 3} | annotation, **image))
    assert message in text
    assert "$.annotations[1]" in text


def test_masks_of_another_size_match_nothing_in_the_reference() -> None:
    turned = {"size": [6, 4], "counts": [24]}
    text = refusal(lambda: read_coco_predictions([scored(segmentation=turned)], TRUTH))
    assert text.endswith("got 6 × 4 - at predictions $[0].segmentation.size")
    strict = read_coco_predictions([scored(segmentation=turned)], TRUTH, complete=True)
    assert strict.rle.size.tolist() == [[6, 4]]


@pytest.mark.parametrize(
    ("annotation", "message"),
    [
        ({}, 'expected the key "keypoints" in every record, 1 lack it (num_keypoints 0 says'),
        ({"keypoints": [], "num_keypoints": 2}, 'as many keypoints as "num_keypoints" says'),
        ({"keypoints": [1, 2, 3]}, "expected 2 keypoints (6 numbers), as others have, got 1 - at"),
        ({"keypoints": [1, 2, 3, 4]}, "x, y and visibility of each keypoint, got a list of 4"),
        ({"keypoints": [1, float("nan"), 3]}, "expected a finite number, got null"),
    ],
)
def test_refused_keypoints(annotation: dict[str, Any], message: str) -> None:
    good = {"keypoints": [1, 2, 2, 3, 4, 1], "area": 3, "bbox": [0, 0, 1, 1]}
    text = refusal(lambda: poses_of(good, {"area": 3} | annotation))
    assert message in text
    assert "$.annotations[1]" in text


def test_refused_predictions() -> None:
    for records, truth, message in [
        ([scored()], TRUTH, 'expected the key "segmentation" in every record, 1 lack it - at'),
        ([scored()], POSE_TRUTH, 'expected the key "keypoints" in every record, 1 lack it - at'),
        ([scored(keypoints=[])], POSE_TRUTH, "expected keypoints, got an empty list, in 1 records"),
        ([scored(keypoints=[1, 2, 3])], POSE_TRUTH, "expected 2 keypoints (6 numbers), as others"),
        ([scored(keypoints=[-1e308, 0, 0, 1e308, 1, 0])], POSE_TRUTH, "the range of float64, got"),
    ]:
        text = refusal(lambda r=records, t=truth: read_coco_predictions(r, t))
        assert message in text
        assert "predictions $[0]" in text


def test_complete_refuses_what_the_reference_needs() -> None:
    full = {
        "keypoints": [1, 2, 2],
        "num_keypoints": 1,
        "area": 3,
        "bbox": [0, 0, 1, 1],
        "segmentation": HALF,
    }
    document = truth_of(full)
    read_coco_truth(document, kind="mask", complete=True)
    read_coco_truth(document, kind="keypoints", complete=True)
    for key in ("keypoints", "num_keypoints", "area", "bbox", "id", "iscrowd"):
        lacking = truth_of(full)
        del lacking["annotations"][0][key]
        message = re.escape(f'expected the key "{key}" in every record, 1 lack it')
        with pytest.raises(SchemaError, match=message):
            read_coco_truth(lacking, kind="keypoints", complete=True)


# ---- Damaged files -------------------------------------------------------------------------------


def test_damaged_files(tmp_path: Path) -> None:
    """Whatever the bytes, columns or a message come back."""
    rng = random.Random(5)
    annotation = {
        "bbox": [0, 0, 3, 4],
        "area": 3.5,
        "keypoints": [1, 2, 2, 3, 4, 1],
        "num_keypoints": 2,
    }
    shapes = [HALF, WHOLE, SQUARE, [*SQUARE, [0, 1, 2.5, 3, 4, 5.25]]]
    document = truth_of(*[annotation | {"segmentation": shape} for shape in shapes])
    records = [
        scored(segmentation=shape, keypoints=[1, 2, 2, 3, 4, 1], bbox=[1, 2, 3, 4])
        for shape in shapes
    ]
    pieces = [
        "null",
        "-1",
        "1e400",
        "NaN",
        "[]",
        "{}",
        '"',
        "[",
        "]",
        ",",
        ":",
        "0",
        '"x"',
        "9" * 30,
    ]

    def damaged(text: str) -> str:
        for _ in range(rng.randint(1, 3)):
            at = rng.randrange(len(text))
            kind = rng.randrange(4)
            if kind == 0:
                text = text[:at] + rng.choice(pieces) + text[at + rng.randint(0, 4) :]
            elif kind == 1:
                text = text[:at] + chr(rng.randrange(32, 127)) + text[at + 1 :]
            elif kind == 2:
                text = text[:at] + text[at + rng.randint(1, 40) :]
            else:
                other = rng.randrange(len(text))
                text = text[:at] + text[other : other + rng.randint(1, 60)] + text[at:]
        return text

    n_read = 0
    messages: set[str] = set()
    path = tmp_path / "damaged.json"
    for _ in range(1500):
        of_truth = rng.random() < 0.5
        path.write_text(damaged(json.dumps(document if of_truth else records)))
        for kind, truth in (("mask", TRUTH), ("keypoints", POSE_TRUTH)):
            strict = rng.random() < 0.3
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", DataWarning)
                    if of_truth:
                        read = read_coco_truth(path, kind=kind, complete=strict)  # type: ignore[call-overload]
                    else:
                        read = read_coco_predictions(path, truth, complete=strict)
            except SnellenError as error:
                messages.add(str(error))
                continue
            n_read += 1
            assert np.isfinite(read.boxes.xywh).all()
            assert read.boxes.area is None or np.isfinite(read.boxes.area).all()
            if isinstance(read, Masks):
                assert read.rle.areas().min(initial=0) >= 0
            else:
                assert np.isfinite(read.keypoints).all()
    assert n_read > 100
    assert len(messages) > 200
    assert not any("\n" in message for message in messages)
