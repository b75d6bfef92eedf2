"""Tables with named columns as tracks: what is taken for what, and how they can be wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen.errors import ClassError, IdError, InputError, SchemaError
from snellen.readers.track_table import TrackTable, read_track_table
from snellen.tracking.shapes import Boxes2D, Boxes3D, Points


def read(tmp_path: Path, text: str, *, name: str = "pred.csv", **options: Any) -> TrackTable:
    path = tmp_path / name
    path.write_text(text)
    return read_track_table(path, **({"truth": False} | options))


def test_usual_names(tmp_path: Path) -> None:
    text = (
        "Video,Frame_ID,Track_ID,class_name,x1,y1,x2,y2,score\n"
        "b,2,7,cat,0,1,10,21,0.5\nb,1,7,cat,0,0,10,20,0.9\na,1,8,dog,1,1,2,2,0.1\n"
    )
    tracks, notes = read(tmp_path, text)
    assert tracks.sequences.ids.tolist() == ["a", "b"]
    assert tracks.sequence.tolist() == [0, 1, 1]
    assert tracks.frame.tolist() == [1, 1, 2]
    assert tracks.track.tolist() == [8, 7, 7]
    assert tracks.classes.keys.ids.tolist() == ["cat", "dog"]
    assert tracks.label.tolist() == [1, 0, 0]
    assert tracks.score is not None
    assert tracks.score.tolist() == [0.1, 0.9, 0.5]
    assert isinstance(tracks.shape, Boxes2D)
    assert tracks.shape.xyxy.tolist() == [[1, 1, 2, 2], [0, 0, 10, 20], [0, 1, 10, 21]]
    [said] = [note for note in notes if "frames in" in note]
    assert 'frames in "Frame_ID", track ids in "Track_ID", sequences in "Video"' in said
    assert said.endswith("boxes (left, top, right, bottom) in x1, y1, x2, y2")


@pytest.mark.parametrize(
    ("names", "row", "wanted"),
    [
        ("x,y,w,h", "1,2,3,4", [1, 2, 4, 6]),
        ("bb_left,bb_top,bb_width,bb_height", "1,2,3,4", [1, 2, 4, 6]),
        ("left,top,width,height", "1,2,3,4", [1, 2, 4, 6]),
        ("left,top,right,bottom", "1,2,3,4", [1, 2, 3, 4]),
        ("xmin,ymin,xmax,ymax", "1,2,3,4", [1, 2, 3, 4]),
        ("CX,CY,W,H", "1,2,4,6", [-1, -1, 3, 5]),
        # Corners say more than a corner and sizes.
        ("x1,y1,x2,y2,w,h", "1,2,3,4,9,9", [1, 2, 3, 4]),
        ("bb_left,bb_top,bb_width,bb_height,conf,x,y,z", "1,2,3,4,1,-1,-1,-1", [1, 2, 4, 6]),
    ],
)
def test_layouts_of_boxes(tmp_path: Path, names: str, row: str, wanted: list[float]) -> None:
    tracks, _ = read(tmp_path, f"frame,id,{names}\n1,7,{row}\n")
    assert isinstance(tracks.shape, Boxes2D)
    assert tracks.shape.xyxy.tolist() == [wanted]


def test_points_and_boxes_in_space(tmp_path: Path) -> None:
    points, _ = read(tmp_path, "frame,id,x,y\n1,7,0.5,2\n")
    assert isinstance(points.shape, Points)
    assert points.shape.xyz.tolist() == [[0.5, 2]]
    points, notes = read(tmp_path, "t,id,x,y,z\n1,7,0.5,2,3\n")
    assert isinstance(points.shape, Points)
    assert points.shape.xyz.tolist() == [[0.5, 2, 3]]
    assert "points (x, y, z) in x, y, z" in notes[-1]
    boxes, _ = read(tmp_path, "frame,id,x,y,z,length,width,height,yaw\n1,7,1,2,3,4,5,6,0.5\n")
    assert isinstance(boxes.shape, Boxes3D)
    assert boxes.shape.rows.tolist() == [[1, 2, 3, 4, 5, 6, 0.5]]


def test_other_names(tmp_path: Path) -> None:
    text = "when\twho\tfilm\twhat\thow\ta\tb\tc\td\n1\tann\tf1\t3\t0.5\t1\t2\t3\t4\n"
    tracks, _ = read(
        tmp_path,
        text,
        name="pred.tsv",
        frame_column="when",
        id_column="who",
        sequence_column="film",
        label_column="what",
        score_column="how",
        box_columns=["a", "b", "c", "d"],
        layout="xywh",
        classes={3: "cat", 4: "dog"},
        n_frames={"f1": 9},
    )
    assert tracks.track_names == ("ann",)
    assert tracks.sequences.ids.tolist() == ["f1"]
    assert tracks.n_frames.tolist() == [9]
    assert tracks.classes.names == ("cat", "dog")
    assert tracks.shape.xyxy.tolist() == [[1, 2, 4, 6]]


def test_truth_has_marks_and_no_scores(tmp_path: Path) -> None:
    text = (
        "frame,id,x,y,w,h,score,counted,ignore,visibility,occluded,truncated\n"
        "1,7,0,0,1,1,0.5,0,0,0.25,1,0.5\n1,8,0,0,1,1,0.5,1,1,1,2,0\n1,8,0,0,1,1,0.5,1,1,1,2,0\n"
    )
    tracks, _ = read(tmp_path, text, truth=True)
    assert tracks.score is None
    assert tracks.counted is not None
    assert tracks.counted.tolist() == [0, 1, 1]
    assert tracks.region is not None
    assert tracks.region.tolist() == [0, 1, 1]  # areas may repeat an id
    assert {name: column.tolist() for name, column in tracks.extra.items()} == {
        "visibility": [0.25, 1, 1],
        "occlusion": [1, 2, 2],
        "truncation": [0.5, 0, 0],
    }
    with pytest.raises(IdError, match=r"got 8 twice in frame 1: .*line 4$"):
        read(tmp_path, text.replace(",ignore,", ",other,"), truth=True)


def test_parquet(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "pred.parquet"
    columns = {
        "frame": [1, 2],
        "track_id": ["a", "b"],
        "bbox": [[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 2.0, 2.0]],
        "category": ["cat", "cat"],
    }
    parquet.write_table(pa.table(columns), path)
    tracks, _ = read_track_table(path, truth=False, layout="xywh")
    assert tracks.track_names == ("a", "b")
    assert tracks.shape.xyxy[1].tolist() == [0, 0, 2, 2]
    with pytest.raises(SchemaError, match=r"name the layout, xyxy.*got bbox\.0, bbox\.1"):
        read_track_table(path, truth=False)
    tracks, _ = read_track_table(path, truth=False, layout="xyxy", box_columns=["bbox"])
    assert tracks.shape.xyxy[1].tolist() == [0, 0, 2, 2]


def test_json_and_arrays(tmp_path: Path) -> None:
    records = [{"frame": 1, "id": 4, "xyxy": [0, 0, 1, 2.5], "score": 0.5}]
    tracks, _ = read(tmp_path, json.dumps(records), name="pred.json")
    assert tracks.shape.xyxy.tolist() == [[0, 0, 1, 2.5]]
    path = tmp_path / "pred.npz"
    np.savez(path, frame=[1.0, 2.0], id=[4.0, 4.0], xyxy=[[0, 0, 1, 1], [0, 0, 1, 2]])
    tracks, _ = read_track_table(path, truth=False)
    assert tracks.frame.tolist() == [1, 2]
    assert tracks.track.tolist() == [4, 4]


def test_names_and_no_rows(tmp_path: Path) -> None:
    tracks, _ = read(tmp_path, "frame,track_id,x,y,w,h,score\n", sequence="s")
    assert len(tracks) == 0
    assert tracks.sequences.ids.tolist() == ["s"]


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("id,x,y,w,h\n7,0,0,1,1\n", SchemaError, r"column of frames \(frame, .*frame_column"),
        ("frame,x,y,w,h\n7,0,0,1,1\n", SchemaError, r"column of track ids .*id_column"),
        ("frame,id,u,v\n7,0,0,1\n", SchemaError, r"columns of coordinates .*got frame, id, u, v"),
        ("1,7,0,0,1,1\n", SchemaError, r"first line that names the columns .*MOT text"),
        ("1,1,1,1,1,1\n", SchemaError, r"first line that names the columns .*MOT text"),
        ("", SchemaError, "the file is empty"),
        ("frame,id,x,y,w,h\n1.5,7,0,0,1,1\n", InputError, r'"frame" .*got 1\.5 - at .*line 2$'),
        ("frame,id,x,y,w,h\n1,7.5,0,0,1,1\n", InputError, r'"id" .*got 7\.5 - at .*line 2$'),
        ("frame,id,x,y,w,h\n1,a,0,0,1,1\n1,,0,0,1,1\n", SchemaError, r"empty cell - at .*line 3$"),
        ("frame,id,x,y,w,h\nf1,7,0,0,1,1\n", SchemaError, r'numbers in .*got "f1" - at .*line 2$'),
        ("frame,id,x,y,w,h\n1,7,0,0,nan,1\n", InputError, r'got nan in column "w" - at .*line 2$'),
        ("frame,id,x,y,w,h\n1,7,0,0,-1,1\n", InputError, r"width and height of at .*line 2$"),
        ("frame,id,x1,y1,x2,y2\n1,7,9,0,1,1\n", InputError, r"right and bottom of at .*line 2$"),
        (
            "frame,id,x,y,w,h\n1,7,0,0,1,1\n2,7,0,0,1,1\n2,7,0,0,1,1\n",
            IdError,
            r"got 7 twice in frame 2: .*line 4$",
        ),
    ],
)
def test_bad_input(tmp_path: Path, text: str, error: type[InputError], message: str) -> None:
    with pytest.raises(error, match=message):
        read(tmp_path, text)


def test_bad_options(tmp_path: Path) -> None:
    text = "frame,id,x,y,w,h,label\n1,7,0,0,1,1,cat\n"
    for options, error, message in (
        ({"frame_column": "frmae"}, SchemaError, 'Did you mean "frame"'),
        ({"layout": "yxyx"}, InputError, "expected a layout of box3d, xyxy"),
        ({"box_columns": ["x", "y", "w"], "layout": "xywh"}, SchemaError, "4 columns .* got 3"),
        ({"box_columns": ["x", "y", "w", "q"], "layout": "xywh"}, SchemaError, 'column "q"'),
        ({"box_columns": ["x", "y", "w", "h"]}, SchemaError, "name the layout"),
        ({"classes": ["dog"]}, ClassError, r"got 1 others: cat - at .*pred\.csv label$"),
    ):
        with pytest.raises(error, match=message):
            read(tmp_path, text, **options)
