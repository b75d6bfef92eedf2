"""Text of tracks: what is read, and what each bad line is told."""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen import _core
from snellen.errors import ClassError, IdError, InputError, SchemaError, SnellenError
from snellen.readers import track_text, track_text_ahead
from snellen.readers.track_text import mot_tracks, read_track_columns

ROWS = ["1,2,3,4,5,6,0.5,1,0.25", "2,2,3.5,4,5,6,1,1,0"]


def written(folder: Path, text: str | bytes, name: str = "gt.txt") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def truth(folder: Path, text: str | bytes, **rules: Any) -> track_text.TextTracks:
    return read_track_columns(written(folder, text), is_truth=True, **rules)


def refused(folder: Path, text: str | bytes, **rules: Any) -> SnellenError:
    with pytest.raises(SnellenError) as raised:
        truth(folder, text, **rules)
    assert "\n" not in str(raised.value)
    return raised.value


def test_columns(tmp_path: Path) -> None:
    columns = truth(tmp_path, "\n".join(ROWS))
    assert columns.frame.tolist() == [1, 2]
    assert columns.frame.dtype == np.int64
    assert columns.track.tolist() == [2, 2]
    assert columns.track.dtype == np.int64
    assert columns.xywh.tolist() == [[3, 4, 5, 6], [3.5, 4, 5, 6]]
    assert columns.mark is not None
    assert columns.mark.tolist() == [0.5, 1]
    assert columns.class_id is not None
    assert columns.class_id.tolist() == [1, 1]
    assert columns.visibility is not None
    assert columns.visibility.tolist() == [0.25, 0]
    assert columns.n_columns == 9
    pred = read_track_columns(tmp_path / "gt.txt", is_truth=False)
    assert pred.mark is not None
    assert pred.mark.tolist() == [0.5, 1]
    assert pred.visibility is None


@pytest.mark.parametrize(
    ("text", "n_columns"),
    [
        ("1,2,3,4,5,6\n", 6),
        ("1;2;3;4;5;6;7\n", 7),
        ("1\t2\t3\t4\t5\t6\t7\t8", 8),
        ("  1   2 3 4\t5 6 7 8 -1 -1  \r\n", 10),
        ("\ufeff1, 2, 3, 4, 5, 6, 7, 8, 9, \r\n\r\n", 9),
        ("1.0,2.0,3e0,4.,5,+6\n\n \n", 6),
    ],
)
def test_dialects(tmp_path: Path, text: str, n_columns: int) -> None:
    columns = truth(tmp_path, text)
    assert columns.frame.tolist() == [1]
    assert columns.track.tolist() == [2]
    assert columns.xywh.tolist() == [[3, 4, 5, 6]]
    assert columns.n_columns == n_columns
    assert (columns.mark is None) == (n_columns < 7)
    assert (columns.class_id is None) == (n_columns < 8)
    assert (columns.visibility is None) == (n_columns < 9)


def test_rows_are_ordered_by_frame_alone(tmp_path: Path) -> None:
    columns = truth(tmp_path, "3,5,0,0,1,1\n1,9,0,0,1,1\n3,4,0,0,2,2\n1,2,0,0,1,1\n")
    assert columns.frame.tolist() == [1, 1, 3, 3]
    assert columns.track.tolist() == [9, 2, 5, 4]
    assert columns.xywh[:, 2].tolist() == [1, 1, 1, 2]


@pytest.mark.parametrize("text", ["", "\n\n", " \r\n", "\ufeff"])
def test_empty_files_are_no_objects(tmp_path: Path, text: str) -> None:
    columns = truth(tmp_path, text)
    assert columns.xywh.shape == (0, 4)
    assert columns.n_columns == 0
    tracks = mot_tracks(columns, "a", classes={1: "person"}, n_frames=7)
    assert len(tracks) == 0
    assert tracks.n_frames.tolist() == [7]
    assert tracks.sequences.ids.tolist() == ["a"]


def test_wide_ids_are_exact(tmp_path: Path) -> None:
    wide = 2**63 - 1
    assert truth(tmp_path, f"1,{wide},3,4,5,6\n2,{2**53 + 1},3,4,5,6").track.tolist() == [
        wide,
        2**53 + 1,
    ]


def test_packed_files(tmp_path: Path) -> None:
    text = "\n".join(ROWS).encode()
    packed = written(tmp_path, gzip.compress(text), "gt.txt.gz")
    archive = tmp_path / "results.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a/SEQ.txt", text)
        file.writestr("SEQ.txt.gz", gzip.compress(text))
        file.writestr("bad.txt", "1,2,3,4,5\n")
    for source in (packed, (archive, "a/SEQ.txt"), (archive, "SEQ.txt.gz")):
        columns = read_track_columns(source, is_truth=True)
        assert columns.xywh.tolist() == [[3, 4, 5, 6], [3.5, 4, 5, 6]]
    with pytest.raises(SchemaError, match=r"at .*results\.zip/bad\.txt line 1$"):
        read_track_columns((archive, "bad.txt"), is_truth=True)
    with pytest.raises(InputError, match=r"there is none - at .*results\.zip/absent\.txt$"):
        read_track_columns((archive, "absent.txt"), is_truth=True)
    with pytest.raises(InputError, match="expected a readable gzip file"):
        read_track_columns(written(tmp_path, text, "plain.gz"), is_truth=True)
    cut = written(tmp_path, gzip.compress(text * 99)[:-20], "cut.gz")
    with pytest.raises(InputError, match="expected a readable gzip file"):
        read_track_columns(cut, is_truth=True)
    with pytest.raises(InputError, match="expected a readable zip archive"):
        read_track_columns((written(tmp_path, text, "plain.zip"), "x"), is_truth=True)
    with pytest.raises(InputError, match="No such file"):
        read_track_columns(tmp_path / "absent.txt", is_truth=True)


def test_pieces_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(5)
    lines = [
        f"{frame},{track},{','.join(f'{value:.3f}' for value in random.uniform(0, 99, 4))},1,1,1"
        for frame in random.permutation(60)
        for track in range(7)
    ]
    text = "\r\n".join(lines)
    whole = truth(tmp_path, text, first_frame=0)
    assert len(whole.frame) == 420
    # A bad line is found under its number whatever the pieces.
    lines[333] = "1,2,3"
    for piece in (1, 10, 1000):
        monkeypatch.setattr(track_text_ahead, "_PIECE", piece)
        parts = truth(tmp_path, text, first_frame=0)
        for one, other in zip(whole, parts, strict=True):
            assert np.array_equal(one, other)
        assert refused(tmp_path, "\n".join(lines), first_frame=0).place.endswith(" line 334")


@pytest.mark.parametrize(
    ("text", "kind", "message", "line"),
    [
        (
            "1,2,3,4,5",
            SchemaError,
            "expected at least 6 columns (frame, id, left, top, width, height), separated by "
            "commas, semicolons, tabs or blanks, got 5 columns",
            1,
        ),
        (
            "1,2,3,4,5,6\n\n1,3,3,4,5",
            SchemaError,
            "expected 6 columns, as in the first line, got 5 columns: was the file cut off?",
            3,
        ),
        (
            "1,2,3,4,5,6\n1,3,3,4,5,6,7\n",
            SchemaError,
            "expected 6 columns, as in the first line, got 7 columns",
            2,
        ),
        (
            "frame,id,x,y,w,h\n1,2,3,4,5,6\n",
            SchemaError,
            'expected a number as frame (column 1), got "frame": such a file has no line of names',
            1,
        ),
        (
            "1,2,3,4,5,6\n2,2,3,four,5,6\n",
            SchemaError,
            'expected a number as top (column 4), got "four"',
            2,
        ),
        (
            "1,2,3,,5,6\n",
            SchemaError,
            "expected a number as top (column 4), got nothing",
            1,
        ),
        (
            "1,2,3,4,5,6,1,car\n",
            SchemaError,
            'expected a number as class (column 8), got "car"',
            1,
        ),
        (
            '1,2,3,4,5,"6"\n',
            SchemaError,
            'expected a number as height (column 6), got ""6""',
            1,
        ),
        ("1,2,nan,4,5,6\n", InputError, "expected a finite number as left, got nan", 1),
        ("1,2,3,4,5,-inf\n", InputError, "expected a finite number as height, got -inf", 1),
        ("1.5,2,3,4,5,6\n", InputError, "expected a whole number as frame, got 1.5", 1),
        ("1,2.5,3,4,5,6\n", InputError, "expected a whole number as id, got 2.5", 1),
        (
            "1,1e16,3,4,5,6\n",
            IdError,
            "expected a whole number of 64 bits (with a fraction or exponent, below 2^53) as id, "
            "got 1e16",
            1,
        ),
        (
            "1,9223372036854775808,3,4,5,6\n",
            IdError,
            "expected a whole number of 64 bits (with a fraction or exponent, below 2^53) as id, "
            "got 9223372036854775808",
            1,
        ),
        (
            "1,2,3,4,5,6\n0,2,3,4,5,6\n",
            InputError,
            "expected frames from 1 on, got 0: where frames are counted from 0, say first_frame=0",
            2,
        ),
        ("-1,2,3,4,5,6\n", InputError, "expected frames from 1 on, got -1", 1),
        (
            "9,2,3,4,5,6\n10,2,3,4,5,6\n",
            InputError,
            "expected frames from 1 to 9, as the sequence has 9, got 10: is this file of another "
            "sequence?",
            2,
        ),
        (
            "1,2,3,4,-5,6\n",
            InputError,
            "expected a width of at least 0, got -5: boxes are left, top, width, height",
            1,
        ),
        (
            "1,2,3,4,5,-0.5\n",
            InputError,
            "expected a height of at least 0, got -0.5: boxes are left, top, width, height",
            1,
        ),
        (
            "1,7,3,4,5,6\n2,7,3,4,5,6\n\n1,7,3,4,5,6\n",
            IdError,
            "expected each id once a frame, got 7 twice in frame 1 (lines 1 and 4): give each "
            "object of a frame an id of its own",
            4,
        ),
        (
            # Of frame 1 one row more than there may be, of frame 2 two.
            "2,7,3,4,5,6\n1,7,3,4,5,6\n1,7,3,4,5,6\n2,7,3,4,5,6\n2,7,3,4,5,6\n",
            IdError,
            "expected each id once a frame, got 7 twice in frame 1 (lines 2 and 3), and 2 more "
            "such rows: give each object of a frame an id of its own",
            3,
        ),
        (
            "1,-1,3,4,5,6\n1,-1,3,4,5,6\n",
            IdError,
            "expected each id once a frame, got -1 twice in frame 1 (lines 1 and 2): are these "
            "detections that were not tracked?",
            2,
        ),
    ],
)
def test_bad_lines(
    tmp_path: Path, text: str, kind: type[SnellenError], message: str, line: int
) -> None:
    error = refused(tmp_path, text, n_frames=9)
    assert type(error) is kind
    assert error.message == message
    assert error.place == f"{tmp_path / 'gt.txt'} line {line}"


def test_what_is_no_text(tmp_path: Path) -> None:
    utf16 = refused(tmp_path, "1,2,3,4,5,6\n".encode("utf-16"))
    assert utf16.message == "expected UTF-8 text, got UTF-16: save the file as UTF-8"
    assert "is this a text file?" in refused(tmp_path, bytes(3 << 20)).message
    # What acts on a terminal is not shown as it is.
    assert "\x1b" not in str(refused(tmp_path, "1,2,3,\x1b[31m,5,6"))


def test_frames_from_zero(tmp_path: Path) -> None:
    text = "0,1,0,0,1,1\n4,1,0,0,1,1\n"
    assert truth(tmp_path, text, first_frame=0, n_frames=5).frame.tolist() == [0, 4]
    error = refused(tmp_path, text, first_frame=0, n_frames=4)
    assert error.message.startswith("expected frames from 0 to 3, as the sequence has 4, got 4")


def test_ids_of_areas_may_repeat(tmp_path: Path) -> None:
    text = "1,5,0,0,1,1,1,13\n1,5,0,0,1,1,1,13\n1,5,0,0,1,1,1,1\n"
    assert refused(tmp_path, text).message.startswith("expected each id once a frame, got 5")
    columns = truth(tmp_path, text, region_classes=[13])
    tracks = mot_tracks(columns, "a", classes={1: "person", 13: "crowd"}, region_classes=[13])
    assert tracks.region is not None
    assert tracks.region.tolist() == [1, 1, 0]


def test_tracks_of_truth(tmp_path: Path) -> None:
    # A flag is cut to a whole number before it is compared with 0.
    rows = ["1,1,10,20,5,6,1,1,0.5", "1,2,10,20,5,6,0.9,2,0", "2,1,1,1,0,0,-0.5,1,1"]
    rows.append("2,2,1,1,2,3,-1,7,1")
    columns = truth(tmp_path, "\n".join(rows))
    tracks = mot_tracks(columns, "S", classes={7: "seven", 1: "one", 2: "two"}, n_frames=9)
    assert tracks.frame.tolist() == [1, 1, 2, 2]
    assert tracks.sequence.tolist() == [0, 0, 0, 0]
    assert tracks.classes.names == ("one", "two", "seven")
    assert tracks.label.tolist() == [0, 1, 0, 2]
    assert tracks.shape.xyxy.tolist() == [  # type: ignore[attr-defined]
        [10, 20, 15, 26],
        [10, 20, 15, 26],
        [1, 1, 1, 1],
        [1, 1, 3, 4],
    ]
    assert tracks.counted is not None
    assert tracks.counted.tolist() == [1, 0, 0, 1]
    assert tracks.score is None
    assert tracks.region is None
    assert tracks.extra["visibility"].tolist() == [0.5, 0, 1, 1]
    assert tracks.n_frames.tolist() == [9]
    # Without names of classes the column means nothing.
    plain = mot_tracks(columns, "S")
    assert len(plain.classes) == 1
    assert plain.label.tolist() == [0, 0, 0, 0]
    assert plain.n_frames.tolist() == [-1]
    # The columns stay as they were.
    assert columns.xywh[0].tolist() == [10, 20, 5, 6]


def test_tracks_of_predictions(tmp_path: Path) -> None:
    path = written(tmp_path, "1,1,0,0,1,1,0.75,-1,-1,-1\n1,2,0,0,1,1,0.5,2,-1,-1\n")
    columns = read_track_columns(path, is_truth=False)
    tracks = mot_tracks(columns, "S", classes={1: "one", 2: "two"}, default_class=1)
    assert tracks.label.tolist() == [0, 1]
    assert tracks.score is not None
    assert tracks.score.tolist() == [0.75, 0.5]
    assert tracks.counted is None
    assert not tracks.extra


def test_classes_that_are_not_listed(tmp_path: Path) -> None:
    columns = truth(tmp_path, "1,1,0,0,1,1,1,1\n3,2,0,0,1,1,1,5\n3,3,0,0,1,1,1,4\n")
    with pytest.raises(ClassError) as raised:
        mot_tracks(columns, "S", classes={1: "one", 2: "two"}, default_class=1)
    assert raised.value.message == (
        "expected classes that are listed (1 one, 2 two), got others: 4, 5"
    )
    assert raised.value.place == f"{tmp_path / 'gt.txt'} frame 3 id 2"
    bare = truth(tmp_path, "1,1,0,0,1,1,1\n")
    with pytest.raises(ClassError, match="expected a class in column 8, got 7 columns"):
        mot_tracks(bare, "S", classes={1: "one"})
    assert mot_tracks(bare, "S", classes={1: "a", 2: "b"}, default_class=2).label.tolist() == [1]
    # Of predictions only what is no class at all has the default.
    pred = read_track_columns(written(tmp_path, "1,1,0,0,1,1,1,3\n"), is_truth=False)
    with pytest.raises(ClassError, match="got others: 3"):
        mot_tracks(pred, "S", classes={1: "one"}, default_class=1)


def test_the_kernel_is_used_in_order() -> None:
    text = _core.TrackText(True, 1, None, [])
    text.read(b"1,2,3,4,5,6\n")
    with pytest.raises(ValueError, match="expected a text that was read"):
        text.frame()
    assert text.finish()
    for again in (text.finish, lambda: text.read(b"")):
        with pytest.raises(ValueError, match="expected a text that is being read"):
            again()
    assert text.frame().tolist() == [1]
