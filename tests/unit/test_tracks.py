from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from snellen import Tracks
from snellen.errors import ClassError, IdError, InputError, ShapeError, SnellenError
from snellen.tracking.shapes import Boxes2D, Boxes3D, Points
from snellen.tracking.tracks import refuse_repeated_ids

BOX = [0.0, 0.0, 10.0, 10.0]


def boxes(n: int = 1, **columns: Any) -> Tracks:
    """Return n boxes with ids 1, 2, … in frame 1, unless said otherwise."""
    given = {"track_id": np.arange(1, n + 1), "frame": [1] * n, **columns}
    return Tracks.from_xywh([BOX] * n, **given)


# ---- Shapes --------------------------------------------------------------------------------------


def test_three_ways_to_say_a_box() -> None:
    wanted = [[2.0, 3.0, 12.0, 8.0]]
    columns: dict[str, Any] = {"track_id": [1], "frame": [1]}
    made = [
        Tracks.from_xyxy([[2, 3, 12, 8]], **columns),
        Tracks.from_xywh([[2, 3, 10, 5]], **columns),
        # The centre is (2 + 12) / 2, (3 + 8) / 2.
        Tracks.from_cxcywh([[7, 5.5, 10, 5]], **columns),
    ]
    for tracks in made:
        assert isinstance(tracks.shape, Boxes2D)
        assert tracks.shape.xyxy.tolist() == wanted
        assert tracks.shape.xyxy.dtype == np.float64
        assert tracks.shape.centres().tolist() == [[7.0, 5.5]]


def test_corners_are_sums_as_the_reference_has_them() -> None:
    # 0.1 + 0.2 is not 0.3 in binary: right is x + w, rounded.
    tracks = Tracks.from_xywh([[0.1, 0.7, 0.2, 0.1]], track_id=[1], frame=[1])
    assert isinstance(tracks.shape, Boxes2D)
    assert tracks.shape.xyxy.tolist() == [[0.1, 0.7, 0.30000000000000004, 0.7999999999999999]]


def test_boxes_without_extent_are_boxes() -> None:
    assert len(Tracks.from_xywh([[1, 1, 0, 0]], track_id=[1], frame=[1])) == 1
    assert len(Tracks.from_xyxy([[1, 1, 1, 1]], track_id=[1], frame=[1])) == 1


@pytest.mark.parametrize("n", [2, 3])
def test_points(n: int) -> None:
    rows = np.arange(2.0 * n).reshape(2, n)
    tracks = Tracks.from_points(rows, track_id=[1, 2], frame=[1, 1])
    assert isinstance(tracks.shape, Points)
    assert tracks.shape.xyz.tolist() == rows.tolist()
    assert tracks.shape.centres().tolist() == rows.tolist()
    assert tracks.shape.kind == "points"


def test_boxes_in_space() -> None:
    tracks = Tracks.from_boxes_3d([[1, 2, 3, 4, 5, 6, 0.5]], track_id=[1], frame=[1])
    assert isinstance(tracks.shape, Boxes3D)
    assert tracks.shape.rows.tolist() == [[1, 2, 3, 4, 5, 6, 0.5]]
    assert tracks.shape.centres().tolist() == [[1, 2, 3]]
    assert tracks.shape.kind == "boxes in space"


def test_masks() -> None:
    mask = np.zeros((2, 3, 4), np.bool_)
    mask[0, 0] = mask[1, 1:] = True
    tracks = Tracks.from_masks(mask, track_id=[1, 2], frame=[1, 1])
    assert len(tracks) == 2
    assert tracks.shape.kind == "masks"
    assert tracks.shape.centres() is None


def test_no_objects() -> None:
    for tracks in (
        Tracks.from_xywh([], track_id=[], frame=[]),
        Tracks.from_xyxy(np.zeros((0, 4)), track_id=[], frame=[]),
        Tracks.from_cxcywh([], track_id=[], frame=[]),
        Tracks.from_points([], track_id=[], frame=[]),
        Tracks.from_points(np.zeros((0, 3)), track_id=[], frame=[]),
        Tracks.from_boxes_3d([], track_id=[], frame=[]),
    ):
        assert len(tracks) == 0
        assert tracks.seen.tolist() == []
        assert tracks.n_frames.tolist() == [-1]


# ---- Refused -------------------------------------------------------------------------------------

COLUMNS: dict[str, Any] = {"track_id": [1], "frame": [1]}
REFUSED: list[tuple[type[SnellenError], str, Any]] = [
    (
        InputError,
        r"width and height of at least 0, got -1 and 3 - at box\[0\]",
        lambda: Tracks.from_xywh([[0, 0, -1, 3]], **COLUMNS),
    ),
    (
        InputError,
        r"at least left and top, got \[0.0, 0.0, -1.0, 3.0\].*from_xywh - at box\[0\]",
        lambda: Tracks.from_xyxy([[0, 0, -1, 3]], **COLUMNS),
    ),
    (
        InputError,
        r"width and height of at least 0, got 3 and -1 - at box\[0\]",
        lambda: Tracks.from_cxcywh([[0, 0, 3, -1]], **COLUMNS),
    ),
    (
        InputError,
        r"length, width and height of at least 0, got \[1.0, -2.0, 1.0\] - at box\[0\]",
        lambda: Tracks.from_boxes_3d([[0, 0, 0, 1, -2, 1, 0]], **COLUMNS),
    ),
    (
        InputError,
        r"finite numbers, got nan - at box\[0, 2\]",
        lambda: Tracks.from_xywh([[0, 0, np.nan, 1]], **COLUMNS),
    ),
    (
        InputError,
        r"finite numbers, got inf - at box\[0, 0\]",
        lambda: Tracks.from_xyxy([[np.inf, 0, np.inf, 1]], **COLUMNS),
    ),
    (
        InputError,
        r"finite numbers, got nan - at point\[0, 1\]",
        lambda: Tracks.from_points([[0, np.nan]], **COLUMNS),
    ),
    (
        InputError,
        r"finite numbers, got -inf - at box\[0, 6\]",
        lambda: Tracks.from_boxes_3d([[0, 0, 0, 1, 1, 1, -np.inf]], **COLUMNS),
    ),
    (
        ShapeError,
        r"shape \(n, 4\), got \(1, 3\) - at box",
        lambda: Tracks.from_xywh([[0, 0, 1]], **COLUMNS),
    ),
    (
        ShapeError,
        r"shape \(n, 7\), got \(1, 4\) - at box",
        lambda: Tracks.from_boxes_3d([BOX], **COLUMNS),
    ),
    (
        ShapeError,
        "points of 2 or 3 coordinates, got 4 - at point",
        lambda: Tracks.from_points([BOX], **COLUMNS),
    ),
    (
        ShapeError,
        "points of 2 or 3 coordinates, got a number - at point",
        lambda: Tracks.from_points(3.0, **COLUMNS),
    ),
    (ShapeError, "1 values, one a box, got 2 - at track_id", lambda: boxes(track_id=[1, 2])),
    (ShapeError, "1 values, one a box, got 2 - at frame", lambda: boxes(frame=[1, 2])),
    (ShapeError, "1 values, one a box, got 2 - at sequence", lambda: boxes(sequence=["a", "b"])),
    (ShapeError, "1 values, one a box, got 0 - at label", lambda: boxes(label=[])),
    (ShapeError, "1 values, one a box, got 2 - at score", lambda: boxes(score=[0.5, 0.5])),
    (ShapeError, "1 values, one a box, got 2 - at counted", lambda: boxes(counted=[1, 1])),
    (ShapeError, "1 values, one a box, got 2 - at region", lambda: boxes(region=[1, 1])),
    (
        ShapeError,
        "1 values, one a box, got 2 - at occlusion",
        lambda: boxes(extra={"occlusion": [1, 2]}),
    ),
    (
        ShapeError,
        "1 values, one a point, got 2 - at track_id",
        lambda: Tracks.from_points([[0, 0]], track_id=[1, 2], frame=[1]),
    ),
    (ShapeError, "a track id for each object, got a single one", lambda: boxes(track_id=7)),
    (InputError, r"finite numbers, got nan - at score\[0\]", lambda: boxes(score=[np.nan])),
    (
        InputError,
        r"finite numbers, got inf - at visibility\[0\]",
        lambda: boxes(extra={"visibility": [np.inf]}),
    ),
    (
        InputError,
        r"whole numbers \(floats below 2\^53\), got 1.5 - at track_id\[0\]",
        lambda: boxes(track_id=[1.5]),
    ),
    (
        InputError,
        r"whole numbers .* got nan - at track_id\[1\]",
        lambda: boxes(2, track_id=[1.0, np.nan]),
    ),
    (
        InputError,
        # The next float after 2^53.
        r"\(floats below 2\^53\), got 9007199254740994 - at track_id\[0\]",
        lambda: boxes(track_id=[2.0**53 + 2]),
    ),
    (InputError, r"below 2\^63 - at track_id", lambda: boxes(track_id=[2**63])),
    (
        IdError,
        "track ids that are whole numbers of 64 bits or texts",
        lambda: boxes(track_id=[2**70]),
    ),
    (IdError, "all numbers or all texts", lambda: boxes(2, track_id=[1, "a"])),
    (IdError, "whole numbers of 64 bits or texts", lambda: boxes(track_id=[None])),
    (InputError, "whole numbers, got bool", lambda: boxes(track_id=[True])),
    (InputError, r"whole numbers, got int64 \(1, 1\)", lambda: boxes(track_id=[[1]])),
    (InputError, r"got 1.5 - at frame\[0\]", lambda: boxes(frame=[1.5])),
    (InputError, r"got nan - at frame\[0\]", lambda: boxes(frame=[np.nan])),
    (InputError, r"got inf - at frame\[0\]", lambda: boxes(frame=np.inf)),
    (InputError, r"below 2\^63 - at frame", lambda: boxes(frame=[2**63])),
    (InputError, "whole numbers, got <U1 .* at frame", lambda: boxes(frame=["1"])),
    (
        IdError,
        "sequence ids that are whole numbers of 64 bits or texts",
        lambda: boxes(sequence=1.5),
    ),
    (
        InputError,
        "number of frames of at least 0, got -2 - at n_frames",
        lambda: boxes(n_frames=-2),
    ),
    (
        InputError,
        "number of frames of at least 0, got 2.5 - at n_frames",
        lambda: boxes(n_frames=2.5),
    ),
    (
        InputError,
        "number of frames of at least 0, got -9 - at n_frames",
        lambda: boxes(sequence="a", n_frames={"a": -9}),
    ),
    (
        InputError,
        "frames of a single sequence, got 2 sequences - at frames",
        lambda: boxes(2, sequence=["a", "b"], frames=[1]),
    ),
    (InputError, "numbers of frames with the rows too", lambda: boxes(frame=None, frames=[1, 2])),
    (
        InputError,
        "numbers of frames with the rows too",
        lambda: boxes(frame=None, frames=[1, 2], sequence="a"),
    ),
    (
        ClassError,
        "labels of classes, got 1 others: 3 - at label",
        lambda: boxes(label=[3], classes={1: "car"}),
    ),
    (
        ClassError,
        "a label for each object, there are 2 classes - at label",
        lambda: boxes(classes={1: "car", 2: "bus"}),
    ),
    (IdError, "class ids that are whole numbers", lambda: boxes(label=[1.5])),
    (IdError, "class ids that are whole numbers", lambda: boxes(label=[np.nan])),
]


@pytest.mark.parametrize(
    ("error", "words", "make"), REFUSED, ids=[f"{k} {w}" for k, (_, w, _) in enumerate(REFUSED)]
)
def test_refused(error: type[SnellenError], words: str, make: Any) -> None:
    with pytest.raises(error, match=words):
        make()


@pytest.mark.parametrize(
    ("words", "columns"),
    [
        (
            "got 7 twice in frame 3: give each object of a frame an id of its own - at track_id",
            {"track_id": [7, 8, 7], "frame": [3, 3, 3]},
        ),
        (
            "got 7 twice in frame 3 of sequence b: give",
            {"track_id": [7, 7, 7], "frame": [3, 3, 3], "sequence": ["a", "b", "b"]},
        ),
        ("got 7 twice in frame 3; 1 more repeat: give", {"track_id": [7] * 3, "frame": [3] * 3}),
        ("got dog twice in frame 3: give", {"track_id": ["cat", "dog", "dog"], "frame": [3] * 3}),
        ("got 7 twice in one frame: give", {"track_id": [7, 7, 8], "frame": None}),
    ],
)
def test_an_id_twice_in_a_frame(words: str, columns: dict[str, Any]) -> None:
    with pytest.raises(IdError, match=words):
        boxes(3, **columns)


def test_an_id_in_two_frames_or_sequences_is_no_repeat() -> None:
    assert len(boxes(3, track_id=[7, 7, 7], frame=[1, 2, 3])) == 3
    assert len(boxes(3, track_id=[7, 7, 7], sequence=["a", "b", "c"])) == 3


def test_areas_need_no_ids_of_their_own() -> None:
    tracks = boxes(4, track_id=[7, -1, -1, -1], region=[0, 1, 1, 1])
    assert tracks.region is not None
    assert tracks.region.tolist() == [0, 1, 1, 1]
    with pytest.raises(IdError, match="got -1 twice in frame 1"):
        boxes(4, track_id=[7, -1, -1, 7], region=[0, 0, 0, 1])


def test_repeated_ids_of_made_tracks() -> None:
    tracks = boxes(3)
    refuse_repeated_ids(tracks)
    refuse_repeated_ids(tracks[:0])
    with pytest.raises(IdError, match="got 1 twice in frame 1; 1 more repeat"):
        refuse_repeated_ids(tracks[np.array([0, 1, 0, 1])])


# ---- Ids -----------------------------------------------------------------------------------------


def test_ids_beyond_what_floats_can_say() -> None:
    wide = [2**53 + 1, 2**53, 2**63 - 1, -(2**63), 0]
    tracks = boxes(5, track_id=wide)
    assert tracks.track.tolist() == wide
    assert [tracks.track_name(i) for i in tracks.track.tolist()] == wide
    # 2^53 and 2^53 + 1 are one float, but they are two ids.
    assert len(boxes(2, track_id=np.array([2**53, 2**53 + 1]))) == 2


def test_ids_as_floats() -> None:
    tracks = boxes(3, track_id=[1.0, -2.0, 2.0**53 - 1])
    assert tracks.track.dtype == np.int64
    assert tracks.track.tolist() == [1, -2, 2**53 - 1]
    assert tracks.track_names is None


def test_ids_of_small_dtypes() -> None:
    tracks = boxes(2, track_id=np.array([250, 3], np.uint8), frame=np.array([1, 1], np.int16))
    assert tracks.track.tolist() == [250, 3]


@pytest.mark.parametrize("as_objects", [True, False])
def test_ids_as_texts(as_objects: bool) -> None:
    ids: Any = ["car-2", "bus", "", "car-2"]
    if as_objects:
        ids = np.array(ids, object)
    tracks = boxes(4, track_id=ids, frame=[1, 1, 1, 2])
    assert tracks.track_names == ("", "bus", "car-2")
    assert tracks.track.tolist() == [2, 1, 0, 2]
    assert [tracks.track_name(i) for i in tracks.track.tolist()] == ["car-2", "bus", "", "car-2"]


# ---- Rows, frames, sequences, classes ------------------------------------------------------------


def test_rows_are_ordered_by_sequence_and_frame_and_else_stay() -> None:
    tracks = Tracks.from_xywh(
        [[i, 0, 1, 1] for i in range(6)],
        track_id=[9, 3, 5, 1, 2, 8],
        frame=[2, 1, 2, 7, 1, 1],
        sequence=["b", "b", "b", "a", "a", "b"],
        label=["y", "x", "y", "x", "y", "x"],
        score=[0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
        counted=[1, 0, 1, 0, 1, 0],
        region=[0, 0, 0, 0, 0, 1],
        extra={"occlusion": [0, 1, 2, 3, 4, 5]},
    )
    order = [4, 3, 1, 5, 0, 2]
    assert tracks.sequences.ids.tolist() == ["a", "b"]
    assert tracks.sequence.tolist() == [0, 0, 1, 1, 1, 1]
    assert tracks.frame.tolist() == [1, 7, 1, 1, 2, 2]
    assert tracks.track.tolist() == [2, 1, 3, 8, 9, 5]
    assert tracks.label.tolist() == [1, 0, 0, 0, 1, 1]
    assert isinstance(tracks.shape, Boxes2D)
    assert tracks.shape.xyxy[:, 0].tolist() == order
    assert tracks.score is not None
    assert tracks.score.tolist() == [0.5, 0.4, 0.2, 0.6, 0.1, 0.3]
    assert tracks.counted is not None
    assert tracks.counted.tolist() == [1, 0, 0, 0, 1, 1]
    assert tracks.region is not None
    assert tracks.region.tolist() == [0, 0, 0, 1, 0, 0]
    assert tracks.extra["occlusion"].tolist() == order


def test_columns_that_are_not_given() -> None:
    tracks = Tracks.from_xywh([BOX], track_id=[4])
    assert (tracks.numbered, tracks.named, tracks.labelled) == (False, False, False)
    assert tracks.frame.tolist() == [0]
    assert tracks.sequences.ids.tolist() == [0]
    assert tracks.classes.display_names() == ["object"]
    assert tracks.score is tracks.counted is tracks.region is None
    assert not tracks.extra
    tracks = boxes(sequence="s", label="car")
    assert (tracks.numbered, tracks.named, tracks.labelled) == (True, True, True)


def test_one_value_for_all_rows() -> None:
    tracks = boxes(2, frame=9, sequence="street", label=4, classes={4: "car", 5: "bus"})
    assert tracks.frame.tolist() == [9, 9]
    assert tracks.sequences.ids.tolist() == ["street"]
    assert tracks.label.tolist() == [0, 0]
    # A single number of a frame is one that was looked at.
    assert tracks.seen.tolist() == [[0, 9]]


def test_frames_that_were_looked_at() -> None:
    assert Tracks.from_xywh([], track_id=[], frame=3).seen.tolist() == [[0, 3]]
    assert Tracks.from_xywh([], track_id=[], frame=[], frames=[4, 2, 4]).seen.tolist() == [
        [0, 2],
        [0, 4],
    ]
    assert boxes(2, frame=[1, 2], frames=[7]).seen.tolist() == [[0, 7]]
    assert boxes(2, frame=[1, 2]).seen.tolist() == []


def test_lengths_of_sequences() -> None:
    assert boxes(n_frames=12).n_frames.tolist() == [12]
    assert boxes(n_frames=np.int64(3)).n_frames.tolist() == [3]
    assert boxes(n_frames=0).n_frames.tolist() == [0]
    assert boxes().n_frames.tolist() == [-1]
    lengths = {"b": 5, "c": 8, "another": 9}
    tracks = boxes(2, sequence=["c", "b"], n_frames=lengths)
    assert tracks.n_frames.tolist() == [5, 8]
    with pytest.raises(IdError, match="a length of each sequence, got none of a"):
        boxes(3, sequence=["c", "a", "b"], n_frames=lengths)
    assert boxes(2, sequence=[4, 2], n_frames=6).n_frames.tolist() == [6, 6]


@pytest.mark.parametrize(
    ("label", "classes", "codes", "names"),
    [
        (["car", "bus"], None, [1, 0], ["bus", "car"]),
        ([7, 3], None, [1, 0], ["3", "7"]),
        ([7.0, 3.0], None, [1, 0], ["3", "7"]),
        ([7, 3], {3: "car", 7: "bus", 1: "van"}, [2, 1], ["van", "car", "bus"]),
        ([1, 0], ["car", "bus"], [1, 0], ["car", "bus"]),
    ],
)
def test_classes(label: Any, classes: Any, codes: list[int], names: list[str]) -> None:
    tracks = boxes(2, label=label, classes=classes)
    assert sorted(tracks.classes.display_names()) == sorted(names)
    shown = [tracks.classes.display_names()[code] for code in tracks.label]
    assert shown == [names[code] for code in codes]


def test_a_single_class_needs_no_labels() -> None:
    tracks = boxes(classes={3: "car"})
    assert tracks.classes.display_names() == ["car"]
    assert tracks.labelled


# ---- Parts ---------------------------------------------------------------------------------------


def test_slices_and_masks() -> None:
    tracks = boxes(
        4,
        frame=[1, 1, 2, 2],
        label=["a", "b", "a", "b"],
        score=[0.1, 0.2, 0.3, 0.4],
        extra={"truncation": [0, 1, 0, 1]},
        n_frames=5,
    )
    part = tracks[np.array([False, True, False, True])]
    assert len(part) == 2
    assert part.track.tolist() == [2, 4]
    assert part.score is not None
    assert part.score.tolist() == [0.2, 0.4]
    assert part.extra["truncation"].tolist() == [1, 1]
    assert part.counted is None
    assert len(part.shape) == 2
    # What was looked at, and classes, stay.
    assert part.classes.display_names() == ["a", "b"]
    assert part.n_frames.tolist() == [5]
    assert tracks[1:3].track.tolist() == [2, 3]
    assert len(tracks[:0]) == 0


def test_of_sequence() -> None:
    tracks = boxes(
        5, track_id=[1, 2, 3, 4, 5], frame=[4, 1, 2, 1, 3], sequence=["b", "a", "b", "c", "a"]
    )
    assert [tracks.of_sequence(i).track.tolist() for i in range(3)] == [[2, 5], [3, 1], [4]]
    assert tracks.of_sequence(1).frame.tolist() == [2, 4]
    assert tracks.of_sequence(1).sequences.ids.tolist() == ["a", "b", "c"]
    alone = boxes(2, sequence="x", frames=[1, 2, 3])
    assert alone.of_sequence(0) is alone


def test_repr() -> None:
    assert repr(boxes(3, sequence=["a", "b", "b"], label=["x", "y", "y"])) == (
        "Tracks(3 boxes, 2 sequences, 2 classes)"
    )
    assert repr(Tracks.from_points([[0, 0]], track_id=[1])) == (
        "Tracks(1 points, 1 sequences, 1 classes)"
    )
