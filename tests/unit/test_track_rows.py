"""KITTI, VisDrone, PersonPath22 and Head Tracking: what lines mean, and how they can be wrong."""

from __future__ import annotations

import gzip
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen.errors import ClassError, DataWarning, IdError, InputError, SchemaError
from snellen.readers.track_kitti import KITTI_CLASSES, read_kitti_tracks
from snellen.readers.track_personpath import (
    HEAD_TRACKING_CLASSES,
    PERSON_PATH_CLASSES,
    head_tracking_meaning,
    person_path_meaning,
)
from snellen.readers.track_visdrone import (
    VISDRONE_CLASSES,
    VISDRONE_EVALUATED,
    read_visdrone_tracks,
)
from snellen.tracking.shapes import Boxes2D, Boxes3D

CAR = "0 2 Car 0 1 -1.5 10 20 30 45 1.5 1.6 3.7 1 2 10 0.25"
PERSON = "0 7 Person_sitting 1 3 -1.5 1 2 3 4.5 1 1 1 0 0 5 0"
DONT_CARE = "0 -1 DontCare -1 -1 -10 5 6 7 8 -1 -1 -1 -1000 -1000 -1000 -10"


def kitti(tmp_path: Path, *lines: str, truth: bool = True, **options: Any) -> Any:
    path = tmp_path / "0000.txt"
    path.write_text("\n".join(lines) + "\n")
    return read_kitti_tracks(path, truth=truth, **options)


def test_kitti_labels(tmp_path: Path) -> None:
    later = CAR.replace("0 2 Car 0", "3 2 car 0.9")
    tracks = kitti(tmp_path, later, CAR, PERSON, DONT_CARE, DONT_CARE, sequence="0000", n_frames=4)
    # Ordered by frame, within a frame as the lines are.
    assert tracks.frame.tolist() == [0, 0, 0, 0, 3]
    assert tracks.track.tolist() == [2, 7, -1, -1, 2]
    names = [KITTI_CLASSES.names[k] for k in tracks.label]
    assert names == ["car", "person", "dontcare", "dontcare", "car"]
    assert isinstance(tracks.shape, Boxes2D)
    assert tracks.shape.xyxy[:2].tolist() == [[10, 20, 30, 45], [1, 2, 3, 4.5]]
    assert tracks.region.tolist() == [0, 0, 1, 1, 0]
    # 0.9 is cut to 0, as TrackEval cuts it.
    assert tracks.extra["truncation"].tolist() == [0, 1, -1, -1, 0]
    assert tracks.extra["occlusion"].tolist() == [1, 3, -1, -1, 1]
    assert tracks.score is None
    assert tracks.sequences.ids.tolist() == ["0000"]
    assert tracks.n_frames.tolist() == [4]


def test_kitti_results(tmp_path: Path) -> None:
    # Blanks at the end and between cells, Windows line ends, a byte order mark.
    path = tmp_path / "0000.txt"
    text = f"\ufeff{CAR}  0.5 \r\n{PERSON}\t-2 \r\n"
    path.write_bytes(text.encode())
    tracks = read_kitti_tracks(path, truth=False)
    assert tracks.score is not None
    assert tracks.score.tolist() == [0.5, -2]
    assert tracks.region is None
    assert not tracks.extra
    packed = tmp_path / "0000.txt.gz"
    packed.write_bytes(gzip.compress(text.encode()))
    assert read_kitti_tracks(packed, truth=False).score is not None
    by_bytes = read_kitti_tracks("a.zip 0000.txt", truth=False, document=text.encode())
    assert by_bytes.track.tolist() == [2, 7]


def test_kitti_boxes_in_space(tmp_path: Path) -> None:
    tracks = kitti(tmp_path, CAR, DONT_CARE, boxes="space")
    assert isinstance(tracks.shape, Boxes3D)
    # Camera (1, 2, 10) with y down and 2 at the bottom: ahead 10, left -1, middle 1.5 / 2 - 2 up.
    [row] = tracks.shape.rows.tolist()
    assert row == [10, -1, -1.25, 3.7, 1.6, 1.5, -0.25 - math.pi / 2]
    # The length of an unturned car lies along the camera's x: to the right, -y here.
    unturned = kitti(tmp_path, CAR.rsplit(" ", 1)[0] + " 0", boxes="space").shape.rows[0, 6]
    assert math.cos(unturned) == pytest.approx(0, abs=1e-15)
    assert math.sin(unturned) == pytest.approx(-1, abs=1e-15)
    with pytest.raises(InputError, match=r"sizes of at least 0, got 1\.5, -1, 3\.7.*line 2"):
        kitti(tmp_path, PERSON, CAR.replace("1.6", "-1"), boxes="space")


def test_kitti_leaves_out_negative_ids(tmp_path: Path) -> None:
    line = CAR.replace("0 2", "0 -1")
    with pytest.warns(DataWarning, match="2 lines with negative ids left out"):
        tracks = kitti(tmp_path, line, PERSON, line)
    assert tracks.track.tolist() == [7]
    with pytest.warns(DataWarning, match="1 lines with negative ids left out"):
        assert not len(kitti(tmp_path, DONT_CARE, truth=False))


def test_kitti_empty(tmp_path: Path) -> None:
    for truth in (True, False):
        tracks = kitti(tmp_path, "", truth=truth, sequence="0000", n_frames=3)
        assert len(tracks) == 0
        assert tracks.sequences.ids.tolist() == ["0000"]
        assert tracks.n_frames.tolist() == [3]


@pytest.mark.parametrize(
    ("lines", "error", "message"),
    [
        ((CAR, "0 3 Car 0"), SchemaError, r"17 cells.*0000\.txt line 2$"),
        (("0 3 Car 0",), SchemaError, r"17 or 18 columns, got 4 - at .*line 1$"),
        ((PERSON, CAR, CAR), IdError, r"track ids? .*got 2 twice in frame 0.* - at .*line 3$"),
        ((CAR.replace("Car", "Cra"),), ClassError, r'got "Cra"\. Did you mean "car".*line 1$'),
        (
            (PERSON, CAR.replace(" 30", " 3")),
            InputError,
            r"right and bottom of at least left and top, got \[10\.0, 20\.0, 3\.0, 45\.0\].*line 2",
        ),
        ((CAR.replace(" 10 20", " nan 20"),), InputError, r"finite left, got nan.*line 1$"),
        (
            (CAR.replace(" 20", " x"),),
            SchemaError,
            r'number as top \(column 8\), got "x".*line 1$',
        ),
        ((CAR.replace("0 2 Car", "0.5 2 Car"),), InputError, r"whole number as frame .*got 0\.5"),
        (
            (CAR.replace("0 2 Car", "0 1e16 Car"),),
            InputError,
            r"whole number as id \(with a point below 2\^53\), got 1(0{16}) - at .*line 1$",
        ),
        ((CAR.replace("0 2", "-1 2"),), InputError, r"frames from 0 on, got -1 - at .*line 1$"),
        (
            (CAR, CAR.replace("0 2", "4 2")),
            InputError,
            r"expected frames 0 to 3, got 4 - at .*line 2$",
        ),
    ],
)
def test_kitti_bad_input(
    tmp_path: Path, lines: tuple[str, ...], error: type[InputError], message: str
) -> None:
    with pytest.raises(error, match=message):
        kitti(tmp_path, *lines, n_frames=4)


def test_kitti_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="readable file"):
        read_kitti_tracks(tmp_path / "0001.txt", truth=True)


def visdrone(tmp_path: Path, *lines: str, truth: bool = True, **options: Any) -> Any:
    path = tmp_path / "uav.txt"
    path.write_text("\n".join(lines) + "\n")
    return read_visdrone_tracks(path, truth=truth, **options)


def test_visdrone(tmp_path: Path) -> None:
    lines = ("1,4,10,20,30,40,1,4,1,2", "1,0,0,0,5,6,0,0,0,0", "2,0,1,1,2,2,1,11,0,0")
    tracks = visdrone(tmp_path, *lines, sequence="uav", n_frames=2)
    assert tracks.frame.tolist() == [1, 1, 2]
    assert tracks.shape.xyxy[0].tolist() == [10, 20, 40, 60]
    assert [VISDRONE_CLASSES.names[k] for k in tracks.label] == ["car", "ignored regions", "others"]
    assert tracks.region.tolist() == [0, 1, 1]
    assert tracks.counted.tolist() == [1, 0, 1]
    assert tracks.extra["truncation"].tolist() == [1, 0, 0]
    assert tracks.extra["occlusion"].tolist() == [2, 0, 0]
    assert tracks.n_frames.tolist() == [2]
    assert set(VISDRONE_EVALUATED) <= set(VISDRONE_CLASSES.names)


def test_visdrone_results(tmp_path: Path) -> None:
    tracks = visdrone(tmp_path, "1, 4, 10, 20, 30, 40, 0.7, 4, -1, -1", truth=False)
    assert tracks.score.tolist() == [0.7]
    assert tracks.region is None
    assert not tracks.extra
    eight = visdrone(tmp_path, "1,4,10,20,30,40,0.7,4", truth=False)
    assert eight.label.tolist() == [4]
    assert visdrone(tmp_path, "1,4,10,20,30,40,1,4", truth=True).extra == {}
    assert len(visdrone(tmp_path, "", truth=False)) == 0


def test_visdrone_areas_may_repeat_an_id_and_objects_may_not(tmp_path: Path) -> None:
    area, car = "1,0,0,0,5,6,0,0,0,0", "1,3,0,0,5,6,1,4,0,0"
    assert len(visdrone(tmp_path, area, area, car)) == 3
    with pytest.raises(IdError, match=r"got 3 twice in frame 1.*line 4$"):
        visdrone(tmp_path, area, area, car, car)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("0,4,10,20,30,40,1,4,1,2", r"frames from 1 on, got 0 - at .*uav\.txt line 2$"),
        ("3,4,10,20,30,40,1,4,1,2", r"frames 1 to 2, got 3 - at .*line 2$"),
        ("1,4,10,20,30,40,1,12,1,2", r"category from 0 to 11, got 12 - at .*line 2$"),
        ("1,4,10,20,-30,40,1,4,1,2", r"width and height of at least 0, got -30 and 40 .*line 2$"),
        ("1,4,10,20,30", r"10 cells.*line 2$"),
        ("1,4.5,10,20,30,40,1,4,1,2", r"whole number as id .*got 4\.5 - at .*line 2$"),
        ("1,4,10,20,inf,40,1,4,1,2", r"finite width, got inf - at .*line 2$"),
    ],
)
def test_visdrone_bad_input(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        visdrone(tmp_path, "1,5,1,1,1,1,1,1,0,0", line, n_frames=2)


def test_person_path() -> None:
    flag, label = np.array([1, 0, 0.5, 1, 2.0]), np.array([1, 1, 1, 13, 7])
    counted, region, extra = person_path_meaning(flag, label)
    assert counted.tolist() == [1, 0, 0, 1, 1]
    assert region.tolist() == [0, 0, 0, 1, 0]
    assert not extra
    assert PERSON_PATH_CLASSES.names[12] == "crowd"


def test_head_tracking() -> None:
    flag = np.array([1, 0, 0.5, -1, 1, 1.0])
    label = np.array([1, 1, 1, 1, 1, 2])
    visibility = np.array([0.1, 1, 1, 1, 0, 1])
    counted, region, extra = head_tracking_meaning(flag, label, visibility)
    # 0.5 is above 0 and cut to 0; -1 is not 0 and not above it.
    assert counted.tolist() == [1, 0, 0, 0, 0, 0]
    assert region.tolist() == [0] * 6
    assert extra["visibility"].tolist() == visibility.tolist()
    assert HEAD_TRACKING_CLASSES.names[0] == "pedestrian"
    with pytest.raises(SchemaError, match=r"9 columns.* - at gt\.txt$"):
        head_tracking_meaning(flag, label, None, "gt.txt")
