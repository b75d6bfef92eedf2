"""BURST JSON: what it means, and how it can be wrong."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from snellen.errors import ClassError, IdError, InputError, SchemaError
from snellen.readers.track_burst import BurstTruth, read_burst_predictions, read_burst_truth
from snellen.rle_masks import RleMasks
from snellen.tracking.tracks import Tracks

# The right half of 2 × 2 pixels, as COCO's text.
[RIGHT] = (text.decode() for text in RleMasks.from_arrays([[[0, 1], [0, 1]]]).texts())
TRUTH: dict[str, Any] = {
    "split": "val",
    "sequences": [
        {
            "dataset": "HACS",
            "seq_name": "a/b",
            "width": 2,
            "height": 2,
            "neg_category_ids": [9],
            "not_exhaustive_category_ids": [4],
            "track_category_ids": {"1": 4, "10": 20, "2": 3},
            "annotated_image_paths": ["v_60.jpg", "v_30.jpg"],
            "segmentations": [
                {"1": {"rle": RIGHT}, "10": {"rle": RIGHT}},
                {"2": {"rle": RIGHT}, "1": {"rle": RIGHT}},
            ],
        }
    ],
}
CATEGORIES = [{"id": 3, "name": "cat", "merged": [{"id": 4}]}, {"id": 4, "name": "kitten"}]


def truth_of(tmp_path: Path, content: Any = TRUTH, **options: Any) -> BurstTruth:
    path = tmp_path / "truth.json"
    path.write_text(json.dumps(content))
    return read_burst_truth(path, **options)


def pred_of(tmp_path: Path, content: Any, **options: Any) -> Tracks:
    truth = truth_of(tmp_path)
    path = tmp_path / "pred.json"
    path.write_text(json.dumps(content))
    return read_burst_predictions(path, truth, **options)


def changed(*path: Any, to: Any = None) -> Any:
    result: Any = copy.deepcopy(TRUTH)
    at = result["sequences"][0]
    *before, last = path
    for key in before:
        at = at[key]
    if to is None:
        del at[last]
    else:
        at[last] = to
    return result


def test_truth(tmp_path: Path) -> None:
    truth = truth_of(tmp_path)
    tracks = truth.tracks
    assert tracks.sequences.ids.tolist() == ["val-HACS-a-b"]
    assert tracks.frame.tolist() == [30, 30, 60]
    assert tracks.track.tolist() == [2, 1, 1]  # of 10, a distractor, nothing
    assert tracks.classes.keys.ids.tolist() == [3, 4, 9, 20]
    assert tracks.label.tolist() == [0, 1, 1]
    assert tracks.n_frames.tolist() == [2]
    assert tracks.seen.tolist() == [[0, 30], [0, 60]]
    assert isinstance(tracks.shape, RleMasks)
    assert tracks.shape.areas().tolist() == [2, 2, 2]
    assert truth.judged.negative == {("val-HACS-a-b", 9)}
    assert truth.judged.not_exhaustive == {("val-HACS-a-b", 4)}


@pytest.mark.parametrize("kind", ["list", "object", "same file"])
def test_categories(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "categories.json"
    content: Any = {**TRUTH, "categories": CATEGORIES} if kind == "same file" else TRUTH
    path.write_text(json.dumps({"categories": CATEGORIES} if kind == "object" else CATEGORIES))
    options = {} if kind == "same file" else {"categories": path}
    # The merged one is no class of its own.
    tracks = truth_of(tmp_path, content, **options).tracks
    assert tracks.classes.names == ("cat",)
    assert tracks.label.tolist() == [0, 0, 0]


def test_results(tmp_path: Path) -> None:
    content = changed("segmentations", 0, "1", "score", to=0.5)
    content["sequences"][0]["segmentations"][1]["2"]["category_id"] = 9
    content["sequences"][0]["annotated_image_paths"].append("v_90.jpg")
    content["sequences"][0]["segmentations"].append({"1": {"rle": RIGHT}})
    tracks = pred_of(tmp_path, content)
    # Frame 90 is not in truth.
    assert tracks.frame.tolist() == [30, 30, 60, 60]
    assert tracks.track.tolist() == [2, 1, 1, 10]
    assert tracks.label.tolist() == [2, 1, 1, 3]
    assert tracks.score is not None
    assert tracks.score.tolist() == [1, 1, 0.5, 1]
    # Tracks of truth lend their categories; 10 is none of them.
    guided = pred_of(tmp_path, content, exemplar_guided=True)
    assert guided.track.tolist() == [2, 1, 1]
    assert guided.label.tolist() == [0, 1, 1]
    assert pred_of(tmp_path, content, max_per_image=1).track.tolist() == [2, 10]


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (changed("height"), SchemaError, r'"height" and "width" - at .*\$\.sequences\[0\]$'),
        (
            changed("segmentations", 1),
            SchemaError,
            r"of 2 images, got those of 1 - at .*\$\.sequences\[0\]\.segmentations$",
        ),
        (
            changed("track_category_ids", "2"),
            SchemaError,
            r"expected track 2 among .* - at .*\$\.sequences\[0\]\.segmentations\[1\]\.2$",
        ),
        (
            changed("segmentations", 1, "2", "rle", to=RIGHT + "~~"),
            SchemaError,
            r"- at .*\$\.sequences\[0\]\.segmentations\[1\]\.2 mask",
        ),
        (
            changed("segmentations", 1, "2", "rle", to=5),
            SchemaError,
            r'got "int" - at .*\$\.sequences\[0\]\.segmentations\[1\]\.2\.rle$',
        ),
        (
            changed("annotated_image_paths", 1, to="x.jpg"),
            SchemaError,
            r'its number, got "x\.jpg" - at .*\.annotated_image_paths\[1\]$',
        ),
        (
            changed("annotated_image_paths", 1, to="w_60.jpg"),
            IdError,
            r"(each frame of a sequence|each track id) once",
        ),
        (
            {**TRUTH, "categories": [{"id": 3}]},
            ClassError,
            r"a category that is listed, got 4 - at .*\.segmentations\[0\]\.1$",
        ),
        (
            {"sequences": TRUTH["sequences"] * 2},
            IdError,
            r"each sequence once, got 1 more than once: HACS-a-b - at .*\$\.sequences$",
        ),
    ],
)
def test_bad_truth(tmp_path: Path, content: Any, error: type[InputError], message: str) -> None:
    with pytest.raises(error, match=message):
        truth_of(tmp_path, content)


def test_results_of_an_unknown_sequence(tmp_path: Path) -> None:
    with pytest.raises(IdError, match=r"truth lists, got x of HACS - at .*\$\.sequences\[0\]$"):
        pred_of(tmp_path, changed("seq_name", to="x"))
