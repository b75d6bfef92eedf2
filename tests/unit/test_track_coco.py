"""COCO-VID, TAO and YouTube-VIS JSON: what it means, and how it can be wrong."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from snellen.errors import ClassError, DataWarning, IdError, InputError, SchemaError
from snellen.readers.track_coco import VideoTruth, read_video_predictions, read_video_truth
from snellen.rle_masks import RleMasks
from snellen.tracking.shapes import Boxes2D
from snellen.tracking.tracks import Tracks

Document = Any


def note(image: int, track: int, category: int, **more: Any) -> dict[str, Any]:
    return {
        "image_id": image,
        "track_id": track,
        "category_id": category,
        "bbox": [1, 2, 3, 4],
        **more,
    }


TAO: Document = {
    "videos": [
        {
            "id": 8,
            "name": "val/b",
            "neg_category_ids": [5],
            "not_exhaustive_category_ids": [1, 2],
        },
        {"id": 3, "name": "val/a"},
    ],
    "images": [
        {"id": 30, "video_id": 3, "frame_index": 0},
        {"id": 81, "video_id": 8, "frame_index": 30},
        {"id": 80, "video_id": 8, "frame_index": 0},
    ],
    "categories": [
        {"id": 5, "name": "dog", "merged": []},
        {"id": 2, "name": "cat", "merged": [{"id": 7, "name": "kitten"}]},
        {"id": 7, "name": "kitten"},
        {"id": 1, "name": "cow"},
    ],
    "annotations": [
        note(81, 10, 7, iscrowd=1, segmentation={"size": [2, 2], "counts": "4"}),
        note(80, 10, 2, iscrowd=0, segmentation=[[0, 0, 1, 0, 1, 1]]),
        note(30, 9, 1, video_id=3),
    ],
}
# Of 2 × 2 pixels the right half, all, and none.
RIGHT, ALL = {"size": [2, 2], "counts": [2, 2]}, {"size": [2, 2], "counts": [0, 4]}
VIS: Document = {
    "videos": [
        {"id": 2, "file_names": ["zebra/0.jpg", "zebra/5.jpg", "zebra/10.jpg"]},
        {"id": 1, "file_names": ["ape/0.jpg", "ape/5.jpg"]},
    ],
    "categories": [{"id": 4, "name": "cat"}],
    "annotations": [
        {
            "id": 71,
            "video_id": 2,
            "category_id": 4,
            "iscrowd": 1,
            "segmentations": [RIGHT, None, ALL],
            "bboxes": [[1, 0, 1, 2], None, [0, 0, 2, 2]],
            "areas": [2, None, 4],
        },
        {
            "id": 70,
            "video_id": 1,
            "category_id": 4,
            "iscrowd": 0,
            "segmentations": [None, RIGHT],
            "bboxes": [None, [1, 0, 1, 2]],
            "areas": [None, 2.5],
        },
    ],
}


def truth_of(tmp_path: Path, content: Document, **options: Any) -> VideoTruth:
    path = tmp_path / "truth.json"
    path.write_text(json.dumps(content))
    return read_video_truth(path, **options)


def pred_of(tmp_path: Path, truth: VideoTruth, content: Document, **options: Any) -> Tracks:
    path = tmp_path / "pred.json"
    path.write_text(json.dumps(content))
    return read_video_predictions(path, truth, **options)


def test_tao_truth(tmp_path: Path) -> None:
    truth = truth_of(tmp_path, TAO)
    tracks = truth.tracks
    assert tracks.sequences.ids.tolist() == ["val-a", "val-b"]
    assert tracks.sequence.tolist() == [0, 1, 1]
    assert tracks.frame.tolist() == [0, 0, 30]
    assert tracks.track.tolist() == [9, 10, 10]
    assert tracks.n_frames.tolist() == [1, 2]
    assert tracks.seen.tolist() == [[0, 0], [1, 0], [1, 30]]
    # The kitten is a cat.
    assert tracks.classes.keys.ids.tolist() == [1, 2, 5]
    assert tracks.classes.names == ("cow", "cat", "dog")
    assert tracks.label.tolist() == [0, 1, 1]
    assert isinstance(tracks.shape, Boxes2D)
    assert tracks.shape.xyxy.tolist() == [[1, 2, 4, 6]] * 3
    assert tracks.extra["crowd"].tolist() == [0, 0, 1]
    assert truth.judged is not None
    assert truth.judged.negative == {("val-b", 5)}
    assert truth.judged.not_exhaustive == {("val-b", 1), ("val-b", 2)}


def test_tao_results(tmp_path: Path) -> None:
    truth = truth_of(tmp_path, TAO)
    records = [
        note(81, 4, 7, score=0.5),
        note(81, 5, 2, score=0.9, video_id=8),
        note(81, 6, 5, score=0.5),
        note(80, 4, 7, score=0.1),
        note(30, 4, 1, score=1),
    ]
    tracks = pred_of(tmp_path, truth, records)
    assert tracks.sequence.tolist() == [0, 1, 1, 1, 1]
    assert tracks.track.tolist() == [4, 4, 4, 5, 6]
    assert tracks.label.tolist() == [0, 1, 1, 1, 2]
    assert tracks.score is not None
    assert tracks.score.tolist() == [1, 0.1, 0.5, 0.9, 0.5]
    assert tracks.n_frames.tolist() == [1, 2]
    assert len(pred_of(tmp_path, truth, {"annotations": records})) == 5
    # Of three in an image the best two, best first, and of equal ones the first.
    two = pred_of(tmp_path, truth, records, max_per_image=2)
    assert two.track.tolist() == [4, 4, 5, 4]
    assert two.frame.tolist() == [0, 0, 30, 30]
    assert pred_of(tmp_path, truth, records, max_per_image=3).track.tolist() == [4, 4, 4, 5, 6]
    # Id 4 is in two videos: 7 is the first new one, in the order of the file.
    anew = pred_of(tmp_path, truth, records, unique_ids=True)
    assert anew.track.tolist() == [8, 7, 7, 5, 6]


def test_coco_vid(tmp_path: Path) -> None:
    content = copy.deepcopy(TAO)
    for k, video in enumerate(content["videos"]):
        content["videos"][k] = {"id": video["id"]}
    for image in content["images"]:
        image["frame_id"] = image.pop("frame_index")
    for each in content["annotations"]:
        each["instance_id"] = each.pop("track_id")
    truth = truth_of(tmp_path, content)
    assert truth.tracks.sequences.ids.tolist() == [3, 8]
    assert truth.tracks.track.tolist() == [9, 10, 10]
    assert truth.judged is None
    content["annotations"] = []
    nothing = truth_of(tmp_path, content).tracks
    assert len(nothing) == 0
    assert nothing.n_frames.tolist() == [1, 2]


def test_masks_of_frames(tmp_path: Path) -> None:
    content = copy.deepcopy(TAO)
    content["annotations"] = [note(81, 1, 2, segmentation=RIGHT)]
    truth = truth_of(tmp_path, content, shape="masks")
    assert isinstance(truth.tracks.shape, RleMasks)
    assert truth.tracks.shape.areas().tolist() == [2]
    pred = pred_of(tmp_path, truth, [note(81, 1, 2, segmentation=ALL, score=1)])
    assert isinstance(pred.shape, RleMasks)
    with pytest.raises(SchemaError, match=r'key "segmentation" .*1 lack it - at .*\$\[0\]$'):
        pred_of(tmp_path, truth, [note(81, 1, 2, score=1)])
    polygons = [note(81, 1, 2, segmentation=[[0, 0, 1, 0, 1, 1]], score=1)]
    with pytest.raises(SchemaError, match=r"run lengths .* got polygons.* - at .*\$\[0\]$"):
        pred_of(tmp_path, truth, polygons)
    short = [note(81, 1, 2, segmentation={"size": [2, 2], "counts": [3]}, score=1)]
    with pytest.raises(SchemaError, match=r"- at .*pred\.json \$\[0\] mask"):
        pred_of(tmp_path, truth, short)


def test_youtube_vis(tmp_path: Path) -> None:
    truth = truth_of(tmp_path, VIS)
    tracks = truth.tracks
    assert tracks.sequences.ids.tolist() == ["ape", "zebra"]
    assert tracks.n_frames.tolist() == [2, 3]
    assert tracks.sequence.tolist() == [0, 1, 1]
    assert tracks.frame.tolist() == [1, 0, 2]
    assert tracks.track.tolist() == [70, 71, 71]
    assert isinstance(tracks.shape, RleMasks)
    assert tracks.shape.areas().tolist() == [2, 2, 4]
    assert tracks.extra["crowd"].tolist() == [0, 1, 1]
    assert tracks.extra["area"].tolist() == [2.5, 2, 4]
    results = [
        {"video_id": 2, "category_id": 4, "score": 0.5, "segmentations": [RIGHT, None, None]},
        {"video_id": 1, "category_id": 4, "score": 0.25, "segmentations": [None, ALL]},
        {"video_id": 2, "category_id": 4, "score": 0.75, "segmentations": [RIGHT, ALL, None]},
    ]
    pred = pred_of(tmp_path, truth, results)
    # Numbered by sequence: ape first.
    assert pred.track.tolist() == [0, 1, 2, 2]
    assert pred.frame.tolist() == [1, 0, 0, 1]
    assert pred.score is not None
    assert pred.score.tolist() == [0.25, 0.5, 0.75, 0.75]
    results[0]["segmentations"] = [RIGHT, None]
    with pytest.raises(
        SchemaError, match=r"video's 3 frames, got 2 - at .*json \$\[0\]\.segmentations$"
    ):
        pred_of(tmp_path, truth, results)


def test_youtube_vis_boxes(tmp_path: Path) -> None:
    truth = truth_of(tmp_path, VIS, shape="boxes")
    assert isinstance(truth.tracks.shape, Boxes2D)
    assert truth.tracks.shape.xyxy.tolist() == [[1, 0, 2, 2], [1, 0, 2, 2], [0, 0, 2, 2]]
    results = [{"video_id": 1, "category_id": 4, "score": 1, "bboxes": [[0, 0, 1, -1], None]}]
    with pytest.raises(InputError, match=r"got 1 and -1 - at .*json \$\[0\]\.bboxes\[0\]$"):
        pred_of(tmp_path, truth, results)
    del results[0]["bboxes"]
    with pytest.raises(SchemaError, match=r'expected the key "bboxes" - at .*json \$\[0\]$'):
        pred_of(tmp_path, truth, results)


def changed(content: Document, *path: Any, to: Any = None) -> Document:
    """Return a document with one value put in another's place, or without it."""
    result = copy.deepcopy(content)
    *before, last = path
    at = result
    for key in before:
        at = at[key]
    if to is None:
        del at[last]
    else:
        at[last] = to
    return result


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (changed(TAO, "categories"), SchemaError, r'missing .*field "categories" - at .*json \$$'),
        (
            changed(TAO, "annotations", 1, "bbox", to="x"),
            SchemaError,
            r'got "str" - at .*truth\.json \$\.annotations\[1\]\.bbox$',
        ),
        (
            changed(TAO, "annotations", 1, "bbox", 2, to="x"),
            SchemaError,
            r'got "str" - at .*truth\.json \$\.annotations\[1\]\.bbox\[2\]$',
        ),
        (
            changed(TAO, "annotations", 1, "bbox", to=[1, 2, 3]),
            SchemaError,
            r"of length 4 - at .*\$\.annotations\[1\]\.bbox$",
        ),
        (
            changed(TAO, "annotations", 1, "bbox", to=[1, 2, -3, 4]),
            InputError,
            r"got -3 and 4 - at .*\$\.annotations\[1\]\.bbox$",
        ),
        (
            changed(TAO, "annotations", 1, "track_id"),
            SchemaError,
            r'key "track_id" in every record, 1 lack it - at .*\$\.annotations\[1\]$',
        ),
        (
            changed(TAO, "annotations", 1, "image_id"),
            SchemaError,
            r'key "image_id" in every record, 1 lack it - at .*\$\.annotations\[1\]$',
        ),
        (
            changed(TAO, "annotations", 1, "image_id", to=33),
            IdError,
            r"image ids .* 1 unknown ones in 1 records: 33; .*\$\.annotations\[1\]\.image_id$",
        ),
        (
            changed(TAO, "annotations", 1, "category_id", to="5"),
            ClassError,
            r'1 unknown ones in 1 records: "5"; .*\$\.annotations\[1\]\.category_id$',
        ),
        (
            changed(TAO, "annotations", 1, "image_id", to=81),
            IdError,
            r"got 10 twice in frame 30 of sequence val-b.* - at .*\$\.annotations\[1\]$",
        ),
        (
            changed(TAO, "images", 1, "frame_index"),
            SchemaError,
            r'"frame_index" or "frame_id" - at .*\$\.images\[1\]$',
        ),
        (
            changed(TAO, "images", 1, "frame_index", to=0),
            IdError,
            r"got frame 0 of video 8 in images 1 and 2 - at .*\$\.images\[2\]$",
        ),
        (
            changed(TAO, "images", 1, "id", to=30),
            IdError,
            r"each image id once, got 30 again - at .*\$\.images\[1\]\.id$",
        ),
        (
            changed(TAO, "images", 1, "video_id", to=4),
            IdError,
            r"video that the file lists, got 4 - at .*\$\.images\[1\]\.video_id$",
        ),
        (
            changed(TAO, "videos", 1, "id", to=8),
            IdError,
            r"each video id once, got 8 again - at .*\$\.videos$",
        ),
        (
            changed(TAO, "categories", 0, "id", to=1),
            ClassError,
            r"each class id once, got 1 .* - at .*\$\.categories$",
        ),
        (
            changed(TAO, "categories", 0, "merged", to=[{"id": 2}]),
            ClassError,
            r"expected 7 to be merged into .* got 2 - at .*\$\.categories$",
        ),
        (
            changed(VIS, "videos", 0, "file_names"),
            SchemaError,
            r'"file_names" or "length" - at .*\$\.videos\[0\]$',
        ),
        (
            changed(VIS, "annotations", 0, "id"),
            SchemaError,
            r'key "id" in every record, 1 lack it - at .*\$\.annotations\[0\]$',
        ),
        (
            changed(VIS, "annotations", 0, "video_id", to=9),
            IdError,
            r"video ids .*: 9; .*\$\.annotations\[0\]\.video_id$",
        ),
    ],
)
def test_bad_truth(
    tmp_path: Path, content: Document, error: type[InputError], message: str
) -> None:
    with pytest.raises(error, match=message):
        truth_of(tmp_path, content)


def test_bad_results(tmp_path: Path) -> None:
    truth = truth_of(tmp_path, TAO)
    good = note(81, 4, 2, score=0.5)
    for record, error, message in (
        (note(81, 4, 2), SchemaError, r'key "score" .* - at .*pred\.json \$\[1\]$'),
        (note(33, 4, 2, score=1), IdError, r"image ids .*: 33; .*pred\.json \$\[1\]\.image_id$"),
        (note(81, 4, 9, score=1), ClassError, r"category ids .*: 9; .*\$\[1\]\.category_id$"),
        (note(81, 4, 2, score="1"), SchemaError, r'got "str" - at .*pred\.json \$\[1\]\.score$'),
        (good, IdError, r"got 4 twice in frame 30 .* - at .*pred\.json \$\[1\]$"),
    ):
        with pytest.raises(error, match=message):
            pred_of(tmp_path, truth, [good, record])
    with pytest.raises(IdError, match="whole numbers as track ids, to number some anew"):
        pred_of(tmp_path, truth, [{**good, "track_id": "a"}], unique_ids=True)


def test_unknown_records_are_left_out_on_request(tmp_path: Path) -> None:
    truth = truth_of(tmp_path, TAO)
    records = [
        note(33, 4, 2, score=1),
        note(81, 5, 2, score=1),
        note(81, 6, 9, score=1),
        note(33, 7, 9, score=1),
    ]
    with pytest.warns(DataWarning, match=r"3 records of images, .* left out - at .*pred\.json"):
        tracks = pred_of(tmp_path, truth, records, drop_unknown=True)
    assert tracks.track.tolist() == [5]
    with pytest.raises(IdError, match=r"got 5 twice .* - at .*pred\.json \$\[2\]$"), pytest.warns():
        pred_of(tmp_path, truth, [*records[:2], records[1]], drop_unknown=True)


@pytest.mark.parametrize(
    ("counts", "message"),
    [(b'"\xff"', "expected UTF-8, got other bytes"), (b"[1e400, 1]", "got: Number out of range")],
)
def test_masks_that_cannot_be_read(tmp_path: Path, counts: bytes, message: str) -> None:
    path = tmp_path / "gt.json"
    path.write_bytes(
        b'{"videos": [{"id": 1, "length": 1}], "categories": [{"id": 1, "name": "cat"}],'
        b'"annotations": [{"id": 1, "video_id": 1, "category_id": 1,'
        b'"segmentations": [{"size": [1, 1], "counts": ' + counts + b"}]}]}"
    )
    with pytest.raises(SchemaError, match=rf"{message} - at .*gt\.json \$\.annotations\[0\]"):
        read_video_truth(path)


@pytest.mark.parametrize("length", [-1, 10**7 + 1, 10**20])
def test_length_of_a_video(tmp_path: Path, length: int) -> None:
    path = tmp_path / "gt.json"
    document = {"videos": [{"id": 1, "length": length}], "categories": [], "annotations": []}
    path.write_text(json.dumps(document))
    with pytest.raises(SchemaError, match=r"from 0 to 10,000,000 frames, .*videos\[0\]\.length"):
        read_video_truth(path)
