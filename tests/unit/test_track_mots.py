"""MOTS20 and KITTI MOTS files: what is read, and errors with file and line."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import pytest

from snellen.errors import DataWarning, IdError, InputError, SnellenError
from snellen.readers.track_mots import decode_mots, read_mots

# 2 × 2 pixels: the left column is "022", the right one "22"; "4" is nothing.
LEFT, RIGHT, NONE = "022", "22", "4"


def decoded(*lines: str, **options: Any) -> Any:
    text = "\n".join(lines).encode()
    return decode_mots(text, "a.txt", **{"side": "truth", "sequence": "a"} | options)


def test_rows() -> None:
    tracks = decoded(
        f"2 1005 1 2 2 {LEFT}",
        f"1 2001 2 2 2 {RIGHT}",
        f"2 10000 10 2 2 {RIGHT}",
        f"1 10000 10 2 2 {LEFT}",
    )
    assert tracks.frame.tolist() == [1, 1, 2, 2]
    assert tracks.track.tolist() == [2001, 10000, 1005, 10000]
    assert tracks.region.tolist() == [0, 1, 0, 1]
    assert tracks.classes.display_names() == ["car", "pedestrian"]
    assert tracks.label[tracks.region == 0].tolist() == [1, 0]
    assert tracks.sequences.ids.tolist() == ["a"]
    assert tracks.n_frames.tolist() == [-1]
    assert tracks.shape.boxes().tolist() == [[1, 0, 1, 2], [0, 0, 1, 2], [0, 0, 1, 2], [1, 0, 1, 2]]


def test_the_ways_to_write_a_line() -> None:
    text = (
        b"\xef\xbb\xbf1 2001 2 2 2 022\r\n\r\n \t\n  2.0\t2001   2.00 2 2  22  \r\n3 2001 2 2 2 022"
    )
    tracks = decode_mots(text, "a.txt", side="pred", sequence=3, n_frames=3)
    assert tracks.frame.tolist() == [1, 2, 3]
    assert tracks.region is None
    assert tracks.sequences.ids.tolist() == [3]
    assert tracks.n_frames.tolist() == [3]
    assert tracks.seen[:, 1].tolist() == [1, 2, 3]


def test_files(tmp_path: Path) -> None:
    text = f"0 2001 2 2 2 {LEFT}\n".encode()
    plain, packed = tmp_path / "0002.txt", tmp_path / "0002.txt.gz"
    plain.write_bytes(text)
    packed.write_bytes(gzip.compress(text))
    for path in (plain, packed):
        tracks = read_mots(path, side="truth", layout="kitti-mots")
        assert tracks.frame.tolist() == [0]
        assert tracks.sequences.ids.tolist() == ["0002"]
    with pytest.raises(InputError, match="readable file"):
        read_mots(tmp_path / "absent.txt", side="truth")


def test_an_empty_file_has_no_masks() -> None:
    for text in (b"", b"\n\n", b"\xef\xbb\xbf"):
        tracks = decode_mots(text, "a.txt", side="pred", sequence="a", n_frames=5)
        assert len(tracks) == 0
        assert tracks.n_frames.tolist() == [5]
        assert tracks.seen[:, 1].tolist() == [1, 2, 3, 4, 5]


def test_regions_of_a_prediction_are_left_out() -> None:
    lines = [f"1 10000 10 2 2 {LEFT}", f"1 2001 2 2 2 {RIGHT}", f"1 10001 10 2 2 {NONE}"]
    with pytest.warns(DataWarning, match=r"^2 masks of class 10 are left out.* - at a\.txt$"):
        tracks = decoded(*lines, side="pred")
    assert tracks.track.tolist() == [2001]
    # They take up pixels all the same.
    with pytest.raises(InputError, match="ids 10000 and 2001"):
        decoded(lines[0], f"1 2001 2 2 2 {LEFT}", side="pred")


def test_regions_may_repeat_and_lie_over_each_other() -> None:
    tracks = decoded(*[f"1 10000 10 2 2 {LEFT}"] * 3)
    assert tracks.region.tolist() == [1, 1, 1]


GOOD = f"1 2001 2 2 2 {LEFT}"


@pytest.mark.parametrize(
    ("lines", "options", "message"),
    [
        (["", "1 2001 2 2 2"], {}, "expected 6 values separated by blanks .* got 5 - at .* line 2"),
        ([f"{GOOD} 0.9"], {}, "got 7 - at a.txt line 1"),
        ([GOOD.replace(" ", ",")], {}, "got 1: a table of commas[?] - at a.txt line 1"),
        ([GOOD, "1.5 2001 2 2 2 22"], {}, 'as frame, got "1.5" - at a.txt line 2'),
        (["1 x 2 2 2 22"], {}, 'as id, got "x"'),
        (["1 -1 2 2 2 22"], {}, 'as id, got "-1"'),
        (["1 2001 person 2 2 22"], {}, 'as class, got "person"'),
        (["1 2001 3 2 2 22"], {}, "class 1 .car., 2 .pedestrian. or 10 .* got 3 - at a.txt line 1"),
        (["1 2001 2 2 2 2p"], {}, 'got "p" .character 2 of the mask. - at a.txt line 1'),
        (["1 2001 2 2 2 23"], {}, "together 4 pixels, got more .character 2 of"),
        (["1 2001 2 2 2 2"], {}, "together 4 pixels, got 2 .character 2 of"),
        (["0 2001 2 2 2 22"], {}, "from 1 on, got 0: KITTI MOTS, .* - at a.txt line 1"),
        ([GOOD, "4 2001 2 2 2 22"], {"n_frames": 3}, "frames 1 to 3 .* got 4 - at a.txt line 2"),
        (
            ["3 2001 2 2 2 22"],
            {"n_frames": 3, "layout": "kitti-mots"},
            "frames 0 to 2 of a sequence of 3, got 3 - at a.txt line 1",
        ),
        (
            [GOOD, "2 2001 2 2 2 22", f"1 2001 1 2 2 {RIGHT}", "2 2001 2 2 2 4"],
            {},
            "got 2001 twice in frame 1 .also line 1.; 1 more repeat - at a.txt line 3",
        ),
        (
            [GOOD, "2 2001 2 1 2 2", "1 2002 2 1 2 2"],
            {},
            "one size in frame 1, got 2 × 2 .line 1. and 1 × 2 - at a.txt line 3",
        ),
        (
            [GOOD, "1 2002 2 2 2 13"],
            {},
            "share no pixels, got ids 2001 and 2002 that do in frame 1: .* - at a.txt",
        ),
        ([GOOD, f"1 10000 10 2 2 {LEFT}"], {}, "got ids 2001 and 10000 that do in frame 1"),
    ],
)
def test_errors(lines: list[str], options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        decoded(*lines, **options)


def test_kinds_of_errors() -> None:
    with pytest.raises(IdError):
        decoded(GOOD, f"1 2001 2 2 2 {RIGHT}")


def test_any_bytes_are_refused_in_words() -> None:
    for text in (
        b"\xff\xfe1\x00 \x00",
        b"\x00" * 100,
        b"PK\x03\x04 a b c d e",
        "1 ä 2 2 2 22".encode(),
    ):
        with pytest.raises(SnellenError, match=re.escape("- at a.txt line 1")) as refused:
            decode_mots(text, "a.txt", side="truth", sequence="a")
        assert str(refused.value).isprintable()
