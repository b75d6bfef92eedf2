"""Tables with named columns as tracks: what is taken for what, and how they can be wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.track_scenes import Rows, scene

from snellen import Tracking
from snellen.errors import ClassError, IdError, InputError, SchemaError
from snellen.readers.track_table import TrackTable, read_track_table
from snellen.readers.tracking_files import read_tracking
from snellen.tracking.protocols import PROTOCOLS
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


MOT_NAMES = "frame,id,bb_left,bb_top,bb_width,bb_height,conf,class,vis"


@pytest.mark.parametrize("name", ["conf", "confidence", "score", "flag", "mark", "Conf"])
def test_marks_of_truth(tmp_path: Path, name: str) -> None:
    """MOTChallenge's column 7: truth that is marked with 0 is not counted, and a note says so."""
    text = f"frame,id,x,y,w,h,{name}\n1,7,0,0,1,1,1\n1,8,0,0,1,1,0\n2,7,0,0,1,1,1.0\n"
    tracks, notes = read(tmp_path, text, truth=True)
    assert tracks.counted is not None
    assert tracks.counted.tolist() == [1, 0, 1]
    assert f'flags (0: not counted) in "{name}"' in notes[-1]
    assert "not used" not in notes[-1]
    # Of predictions it is no flag.
    tracks, notes = read(tmp_path, text)
    assert tracks.counted is None
    assert "flags" not in notes[-1]
    # Nor is it beside a column that says which objects count.
    beside = f"frame,id,x,y,w,h,{name},counted\n1,7,0,0,1,1,1,1\n1,8,0,0,1,1,0,1\n"
    tracks, notes = read(tmp_path, beside, truth=True)
    assert tracks.counted is not None
    assert tracks.counted.tolist() == [1, 1]
    assert f"; not used: {name}" in notes[-1]


@pytest.mark.parametrize("value", ["0.5", "2", "-1", "", "yes", "nan"])
def test_truth_with_scores_is_counted(tmp_path: Path, value: str) -> None:
    """A column with other values is no mark: nothing is left out, and a note says so."""
    text = f"frame,id,x,y,w,h,conf\n1,7,0,0,1,1,1\n1,8,0,0,1,1,0\n2,7,0,0,1,1,{value}\n"
    tracks, notes = read(tmp_path, text, truth=True)
    assert tracks.counted is None
    assert notes[-1].endswith(
        'in x, y, w, h; "conf" of truth is not looked at, as it is not 0 or 1 throughout'
    )


def test_columns_that_are_not_used(tmp_path: Path) -> None:
    text = "frame,id,x,y,w,h,conf,colour,note\n1,7,0,0,1,1,1,red,-\n"
    _, notes = read(tmp_path, text)
    assert notes[-1].endswith(
        "boxes (left, top, width, height) in x, y, w, h; not used: colour, note"
    )
    assert sum("not used" in note for note in notes) == 1


def test_no_classes_in_the_manner_of_mot(tmp_path: Path) -> None:
    """Predictions of MOTChallenge have -1 where truth has the class."""
    for text, labelled in (
        (f"{MOT_NAMES}\n1,1,0,0,1,1,0.9,-1,-1\n1,2,0,0,1,1,0.8,-1,-1\n", False),
        (f"{MOT_NAMES}\n1,1,0,0,1,1,0.9,-1,-1\n1,2,0,0,1,1,0.8,3,-1\n", True),
        (f"{MOT_NAMES}\n1,1,0,0,1,1,0.9,-2,-1\n1,2,0,0,1,1,0.8,-2,-1\n", True),
    ):
        tracks, notes = read(tmp_path, text)
        assert tracks.labelled == labelled
        assert ('"class" is -1 throughout: no classes' in notes[-1]) != labelled
        assert ('classes in "class"' in notes[-1]) == labelled
    # Where somebody says which classes there are, -1 is not one of them.
    with pytest.raises(ClassError, match="got 1 others: -1"):
        read(
            tmp_path,
            f"{MOT_NAMES}\n1,1,0,0,1,1,0.9,-1,-1\n",
            classes={1: "pedestrian", 2: "car"},
        )


def test_numbers_and_names_of_classes(tmp_path: Path) -> None:
    text = "frame,id,x,y,w,h,class\n1,1,0,0,1,1,1\n1,2,0,0,1,1,7\n"
    numbers = {1: "pedestrian", 7: "static_person"}
    tracks, _ = read(tmp_path, text, truth=True, class_numbers=numbers)
    assert [tracks.classes.names[k] for k in tracks.label] == ["pedestrian", "static_person"]
    named = text.replace(",1,1,1\n", ",1,1,pedestrian\n").replace(",7\n", ",static_person\n")
    tracks, _ = read(tmp_path, named, truth=True, class_numbers=numbers)
    names = tracks.classes.display_names()
    assert [names[k] for k in tracks.label] == ["pedestrian", "static_person"]
    with pytest.raises(ClassError, match="got 1 others: 8"):
        read(tmp_path, text.replace(",7\n", ",8\n"), truth=True, class_numbers=numbers)
    # Predictions with a number below 1 are of the one class; truth is not.
    unsure = text.replace(",7\n", ",0\n")
    tracks, _ = read(tmp_path, unsure, class_numbers=numbers, default_class=1)
    assert tracks.label.tolist() == [0, 0]
    with pytest.raises(ClassError, match="got 1 others: 0"):
        read(tmp_path, unsure, truth=True, class_numbers=numbers, default_class=1)
    # Where there are no numbers, they mean nothing.
    tracks, notes = read(tmp_path, text, class_numbers={})
    assert not tracks.labelled
    assert notes[-1].endswith('; "class" is not looked at, as all objects are of one class')


def test_classes_that_are_areas(tmp_path: Path) -> None:
    text = "frame,id,x,y,w,h,class,ignore\n1,1,0,0,1,1,1,0\n1,2,0,0,1,1,13,0\n1,3,0,0,1,1,1,1\n"
    numbers = {1: "pedestrian", 13: "crowd"}
    areas = {"class_numbers": numbers, "region_classes": ("crowd",)}
    tracks, _ = read(tmp_path, text, truth=True, **areas)
    assert tracks.region is not None
    assert tracks.region.tolist() == [0, 1, 1]
    named = text.replace(",13,", ",crowd,").replace(",1,1,1,", ",1,1,pedestrian,")
    for each in (named, named.replace(",ignore", ",other")):
        tracks, _ = read(tmp_path, each, truth=True, **areas)
        assert tracks.region is not None
        assert tracks.region.tolist() == [0, 1, int(each is named)]


# Protocol, its classes of truth, and what predictions have.
OF_PROTOCOLS = {
    "mot15": ([1, 1, 2], -1),
    "mot16": ([1, 1, 2, 3, 7, 8, 12, 13], -1),
    "mot17": ([1, 1, 2, 4, 6, 7, 8, 12], -1),
    "mot20": ([1, 1, 2, 6, 6, 7, 13], 1),
    "dancetrack": ([1, 1, 8], 0),
    "personpath22": ([1, 1, 1, 2, 7, 13], -1),
    "ht21": ([1, 1, 1, 2, 3, 4], 1),
}


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", OF_PROTOCOLS)
def test_tables_give_what_mot_text_gives(tmp_path: Path, name: str, seed: int) -> None:
    """The same rows as MOT text, as a table with numbers of classes, and with their names."""
    classes, of_pred = OF_PROTOCOLS[name]
    rng = np.random.default_rng(seed)
    each = scene(300 + seed, n_labels=len(classes), n_objects=12)
    n_truth, n_pred = len(each.truth), len(each.pred)
    label = np.array(classes)[each.truth.label]
    truth = mot_rows(each.truth, rng.choice([1, 1, 1, 0], n_truth), label)
    truth = [[*row, v] for row, v in zip(truth, rng.choice([1, 0.5, 0], n_truth), strict=True)]
    pred = mot_rows(each.pred, rng.random(n_pred), np.full(n_pred, of_pred))
    pred = [[*row, -1] for row in pred]
    names = PROTOCOLS[name].class_names
    named = [[*row[:7], names.get(int(row[7]), row[7]), row[8]] for row in truth]
    results = []
    for kind, sides in (("mot", (truth, pred)), ("table", (truth, pred)), ("table", (named, pred))):
        paths = [tmp_path / f"truth-{len(results)}.csv", tmp_path / f"pred-{len(results)}.csv"]
        for path, rows in zip(paths, sides, strict=True):
            head = f"{MOT_NAMES}\n" if kind == "table" else ""
            path.write_text(head + "".join(",".join(map(str, row)) + "\n" for row in rows))
        files = read_tracking(*paths, protocol=name, format=kind)
        metric = Tracking(metrics=["hota", "clear", "identity"], protocol=files.protocol)
        for batch in files.batches():
            metric.update(*batch)
        results.append(metric.compute())
    of_text, *of_tables = results
    assert of_text.data["n_truth_left_out"] > 0
    for result in of_tables:
        assert dict(result.metrics) == dict(of_text.metrics)
        assert result.data == of_text.data


def mot_rows(rows: Rows, mark: Any, label: Any) -> list[list[Any]]:
    """Return the columns of MOT text up to the class; frames count from 1."""
    return [
        [int(frame) + 1, int(track), *map(float, box), float(m), int(c)]
        for frame, track, box, m, c in zip(
            rows.frame, rows.track, rows.xywh, mark, label, strict=True
        )
    ]


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
