"""BDD100K tracking JSON: what it means, and how it can be wrong."""

from __future__ import annotations

import copy
import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from snellen.errors import ClassError, IdError, InputError, SchemaError
from snellen.readers.track_bdd import BDD_CLASSES, BDD_EVALUATED, read_bdd_tracks
from snellen.tracking.tracks import Tracks


def label(track: str, category: str = "car", **more: Any) -> dict[str, Any]:
    box = {"x1": 1, "y1": 2.5, "x2": 10, "y2": 20}
    return {"id": track, "category": category, "box2d": box, **more}


FRAMES: list[dict[str, Any]] = [
    {
        "videoName": "b",
        "frameIndex": 1,
        "labels": [
            label("10", attributes={"Crowd": False, "Occluded": True, "Truncated": False}),
            label("9", "trailer"),
        ],
    },
    {"videoName": "b", "frameIndex": 0, "labels": [label("10", attributes={"crowd": True})]},
    {"videoName": "a", "frameIndex": 0, "labels": None},
]


def read(tmp_path: Path, content: Any, *, truth: bool = True, **options: Any) -> Tracks:
    path = tmp_path / "labels.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    return read_bdd_tracks(path, truth=truth, **options)


def test_truth(tmp_path: Path) -> None:
    tracks = read(tmp_path, FRAMES)
    assert tracks.sequences.ids.tolist() == ["a", "b"]
    assert tracks.sequence.tolist() == [1, 1, 1]
    assert tracks.frame.tolist() == [0, 1, 1]
    assert tracks.n_frames.tolist() == [1, 2]
    assert tracks.seen.tolist() == [[0, 0], [1, 0], [1, 1]]
    # Numbers, so that 9 comes before 10.
    assert tracks.track.tolist() == [10, 10, 9]
    assert [BDD_CLASSES.names[k] for k in tracks.label] == ["car", "car", "trailer"]
    assert tracks.region is not None
    assert tracks.region.tolist() == [1, 0, 1]
    assert tracks.extra["occlusion"].tolist() == [0, 1, 0]
    assert tracks.extra["truncation"].tolist() == [0, 0, 0]
    assert tracks.shape.xyxy.tolist() == [[1, 2.5, 10, 20]] * 3  # type: ignore[attr-defined]
    assert (
        *("pedestrian", "rider", "car", "bus", "truck", "train", "motorcycle", "bicycle"),
    ) == BDD_EVALUATED


def test_results(tmp_path: Path) -> None:
    frames = [
        {"index": 0, "labels": [label("x", "person", score=0.5), label("y", "Trailer", score=1)]}
    ]
    tracks = read(tmp_path, {"frames": frames}, truth=False)
    assert tracks.sequences.ids.tolist() == ["labels"]
    assert tracks.region is None
    assert tracks.track_names == ("x", "y")
    assert [BDD_CLASSES.names[k] for k in tracks.label] == ["pedestrian", "trailer"]
    assert tracks.score is not None
    assert tracks.score.tolist() == [0.5, 1]
    named = read(tmp_path, frames, truth=False, sequence="s")
    assert named.sequences.ids.tolist() == ["s"]
    packed = tmp_path / "labels.json.gz"
    packed.write_bytes(gzip.compress(json.dumps(frames).encode()))
    assert len(read_bdd_tracks(packed, truth=False)) == 2
    assert len(read_bdd_tracks("x", truth=False, document=b"[]")) == 0


def changed(*path: Any, to: Any = None) -> Any:
    """Return the frames with one value put in another's place, or without it."""
    frames: Any = copy.deepcopy(FRAMES)
    *before, last = path
    at = frames
    for key in before:
        at = at[key]
    if to is None:
        del at[last]
    else:
        at[last] = to
    return frames


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ("", SchemaError, r"the file is empty - at .*labels\.json$"),
        ("[{", SchemaError, r"as JSON: .* - at .*labels\.json$"),
        ({"frame": []}, SchemaError, r'missing required field "frames" - at .*json \$$'),
        (changed(0, "frameIndex"), SchemaError, r'"frameIndex" - at .*json \$\[0\]$'),
        (
            changed(0, "labels", 1, "box2d", "x2"),
            SchemaError,
            r'missing required field "x2" - at .*json \$\[0\]\.labels\[1\]\.box2d$',
        ),
        (
            changed(0, "labels", 1, "box2d", "x2", to="9"),
            SchemaError,
            r'expected "float", got "str" - at .*json \$\[0\]\.labels\[1\]\.box2d\.x2$',
        ),
        (
            changed(0, "labels", 1, "box2d", "x2", to=0.5),
            InputError,
            r"right and bottom of .*got \[0?.*\] - at .*json \$\[0\]\.labels\[1\]$",
        ),
        (
            changed(1, "labels", 0, "category", to="cars"),
            ClassError,
            r'got "cars"\. Did you mean "car"\? - at .*json \$\[1\]\.labels\[0\]\.category$',
        ),
        (
            changed(0, "frameIndex", to=0),
            IdError,
            r"each frame of a video once, got frame 0 of b in records 0 and 1 - at .*\$\[1\]$",
        ),
        (
            changed(0, "labels", 1, to=label("10")),
            IdError,
            r"got 10 twice in frame 1 of sequence b.* - at .*json \$\[0\]\.labels\[1\]$",
        ),
    ],
)
def test_bad_input(tmp_path: Path, content: Any, error: type[InputError], message: str) -> None:
    with pytest.raises(error, match=message):
        read(tmp_path, content)


def test_scores_of_some(tmp_path: Path) -> None:
    frames = [{"index": 0, "labels": [label("x", score=0.5), label("y")]}]
    with pytest.raises(SchemaError, match=r'expected a "score".* - at .*\$\[0\]\.labels\[1\]$'):
        read(tmp_path, frames, truth=False)
