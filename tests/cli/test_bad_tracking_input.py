"""Every kind of bad input to ``snellen evaluate tracking``: one clear line, nothing written."""

from __future__ import annotations

import gzip
import json
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen.cli.root import run as run_here
from tests.panoptic_maps import png_bytes
from tests.tracking_text import PRED, TRUTH, text, written

from .conftest import Run

Capture = pytest.CaptureFixture[str]

KITTI = "".join(f"{t} 1 Car 0 0 -1.5 10 20 40 60 1.5 1.6 3.7 1 1 20 1.5 0.9\n" for t in (0, 1, 2))
# All of ten pixels, twice; all but the first, and the first (10 is written as a colon).
MOTS = "1 2001 2 10 1 0:\n2 2001 2 10 1 0:\n3 2001 2 10 1 19\n3 2002 2 10 1 019\n"
COCO_IMAGES = {
    "images": [{"id": 1, "width": 9, "height": 9, "file_name": "1.jpg"}],
    "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 5, 5]}],
    "categories": [{"id": 1, "name": "cat"}],
}
DETECTIONS = [{"image_id": 1, "category_id": 1, "bbox": [1, 1, 5, 5], "score": 0.9}]
CSV = "sequence,frame,id,x1,y1,x2,y2\n"


def refused(capsys: Capture, folder: Path, *arguments: str | Path, code: int = 1) -> str:
    """Evaluate, and see that it is refused and that nothing is written; return what is said."""
    before = sorted(folder.rglob("*"))
    made = ("--out", folder / "out", "--events", folder / "events.csv")
    done = run_here(["evaluate", "tracking", *map(str, (*arguments, *made))])
    said = capsys.readouterr()
    assert done == code, said
    assert said.out == ""
    assert sorted(folder.rglob("*")) == before
    assert "Traceback" not in said.err
    assert "our mistake" not in said.err
    *notes, error = said.err.strip().splitlines()
    assert len(error) < 700
    if code == 1:
        assert error.startswith("snellen: error: expected ")
        # What was found comes first; no second complaint.
        assert all(note.startswith("snellen: ") and "error" not in note for note in notes)
    return error.removeprefix("snellen: error: ")


def sides(folder: Path, truth: str | bytes, pred: str | bytes) -> tuple[Path, Path]:
    return written(folder / "gt.txt", truth), written(folder / "pred.txt", pred)


def added(row: str) -> str:
    """Return the predictions with a fifth line."""
    return f"{PRED}{row}\n"


ROWS: list[tuple[str, str]] = [
    (
        "4,8,0,0,5,5,1,-1,-1,-1",
        "expected each id once a frame, got 8 twice in frame 4 (lines 4 and 5): give each object "
        "of a frame an id of its own",
    ),
    (
        "5,7,0,0,-5,5,1,-1,-1,-1",
        "expected a width of at least 0, got -5: boxes are left, top, width, height",
    ),
    ("5,7,nan,0,5,5,1,-1,-1,-1", "expected a finite number as left, got nan"),
    ("5,7,0,0,5,inf,1,-1,-1,-1", "expected a finite number as height, got inf"),
    (
        "5,7,0,0",
        "expected 10 columns, as in the first line, got 4 columns: was the file cut off?",
    ),
    (
        "5,7,0,0,5,5,1,-1,-1,-1,-1,-1",
        "expected 10 columns, as in the first line, got 12 columns",
    ),
    ("5,seven,0,0,5,5,1,-1,-1,-1", 'expected a number as id (column 2), got "seven"'),
    ("5,,0,0,5,5,1,-1,-1,-1", "expected a number as id (column 2), got nothing"),
    ("5,7.5,0,0,5,5,1,-1,-1,-1", "expected a whole number as id, got 7.5"),
    ("5.5,7,0,0,5,5,1,-1,-1,-1", "expected a whole number as frame, got 5.5"),
    (
        "5,9007199254740993.0,0,0,5,5,1,-1,-1,-1",
        "expected a whole number of 64 bits (with a fraction or exponent, below 2^53) as id, got "
        "9007199254740993.0",
    ),
    (
        "5,9223372036854775808,0,0,5,5,1,-1,-1,-1",
        "expected a whole number of 64 bits (with a fraction or exponent, below 2^53) as id, got "
        "9223372036854775808",
    ),
    (
        "0,7,0,0,5,5,1,-1,-1,-1",
        "expected frames from 1 on, got 0: where frames are counted from 0, say --first-frame 0",
    ),
    ("-3,7,0,0,5,5,1,-1,-1,-1", "expected frames from 1 on, got -3"),
]


@pytest.mark.parametrize(("row", "message"), ROWS)
def test_bad_line(tmp_path: Path, capsys: Capture, row: str, message: str) -> None:
    truth, pred = sides(tmp_path, TRUTH, added(row))
    assert refused(capsys, tmp_path, truth, pred) == f"{message} - at {pred} line 5"
    if "10 columns" in message:
        return  # truth has 9
    truth, pred = sides(tmp_path, TRUTH + row.replace(",-1,-1,-1", ",1,1") + "\n", PRED)
    message = message.replace("got 8 twice", "got 1 twice")
    if " twice in" in message:
        return  # 8 is no id of truth
    assert refused(capsys, tmp_path, truth, pred) == f"{message} - at {truth} line 5"


def test_frames_from_zero(tmp_path: Path, capsys: Capture) -> None:
    truth, pred = sides(tmp_path, f"0,1,1,1,5,5,1,1,1\n{TRUTH}", PRED)
    assert refused(capsys, tmp_path, truth, pred).endswith(
        f"say --first-frame 0 - at {truth} line 1"
    )


# ---- Files that are something else ---------------------------------------------------------------

OTHER_FILES: list[tuple[str, Any, Any, list[str], str]] = [
    (
        "four columns",
        TRUTH,
        "1,2,3,4\n",
        [],
        "expected at least 6 columns (frame, id, left, top, width, height), separated by commas, "
        "semicolons, tabs or blanks, got 4 columns - at PRED line 1",
    ),
    (
        "binary",
        b"\x80\x04\x95" + bytes(range(256)),
        PRED,
        [],
        "is this a text file? - at TRUTH line 1",
    ),
    ("image", TRUTH, png_bytes(np.zeros((4, 4), np.uint8)), [], "is this a text file? - at PRED"),
    (
        "UTF-16",
        TRUTH.encode("utf-16"),
        PRED,
        [],
        "expected UTF-8 text, got UTF-16: save the file as UTF-8 - at TRUTH",
    ),
    (
        "line of names",
        TRUTH,
        "frame,id,left,top,width,height\n1,7,10,20,30,40\n",
        ["--protocol", "mot17"],
        "expected MOT text, got what looks like a table whose columns have names: is it that? Say "
        "--input-format table - at PRED",
    ),
    (
        "KITTI as MOT",
        KITTI,
        KITTI,
        ["--protocol", "mot17"],
        "expected MOT text, got what looks like KITTI tracking text: is it that? Say --protocol "
        "kitti - at TRUTH",
    ),
    (
        "MOT as KITTI",
        TRUTH,
        PRED,
        ["--protocol", "kitti"],
        "expected KITTI tracking text, got what looks like MOT text: is it that? Say --protocol "
        "plain, or that of its data set - at TRUTH",
    ),
    (
        "MOTS as MOT",
        MOTS,
        MOTS,
        ["--protocol", "mot20"],
        "got what looks like MOTS text: is it that? Say --protocol mots - at TRUTH",
    ),
    (
        "KITTI and MOT",
        KITTI,
        PRED,
        [],
        "expected truth and predictions in one format, got kitti and mot: convert one of them, or "
        "say which it is with --input-format - at PRED",
    ),
    (
        "detections",
        json.dumps(COCO_IMAGES),
        json.dumps(DETECTIONS),
        [],
        "detections in single images are evaluated by snellen evaluate detection - at TRUTH",
    ),
    (
        "detections as MOT",
        json.dumps(COCO_IMAGES),
        PRED,
        ["--protocol", "mot17"],
        "expected MOT text, got what looks like COCO video JSON: is it that? Say --protocol plain",
    ),
    ("broken JSON", '{"videos": [', "[]", [], "Input data was truncated - at TRUTH"),
    (
        "MOT as TAO",
        TRUTH,
        PRED,
        ["--protocol", "tao"],
        "expected COCO video JSON, got what looks like MOT text: is it that? Say --protocol plain",
    ),
]


@pytest.mark.parametrize(
    ("truth", "pred", "options", "message"),
    [row[1:] for row in OTHER_FILES],
    ids=[row[0] for row in OTHER_FILES],
)
def test_other_file(
    tmp_path: Path, capsys: Capture, truth: Any, pred: Any, options: list[str], message: str
) -> None:
    paths = sides(tmp_path, truth, pred)
    error = refused(capsys, tmp_path, *paths, *options)
    assert message in error.replace(str(paths[0]), "TRUTH").replace(str(paths[1]), "PRED")


# ---- Classes and protocols -----------------------------------------------------------------------


def test_predictions_of_another_class(tmp_path: Path, capsys: Capture) -> None:
    truth, pred = sides(tmp_path, TRUTH, PRED.replace("-1,-1,-1", "2,-1,-1"))
    assert refused(capsys, tmp_path, truth, pred, "--protocol", "mot17") == (
        "expected predictions of class 1, pedestrian, or -1, got class 2: mot17 has no other; of "
        f"other data say --protocol plain - at {pred} frame 1 id 7"
    )


def test_truth_without_classes(tmp_path: Path, capsys: Capture) -> None:
    truth, pred = sides(tmp_path, TRUTH.replace(",1,1,1\n", ",1\n"), PRED)
    assert refused(capsys, tmp_path, truth, pred, "--protocol", "mot17") == (
        "expected a class in column 8, as truth of mot17 has, got 7 columns: are TRUTH and "
        f"PREDICTIONS swapped? Of other data say --protocol plain - at {truth}"
    )
    assert refused(capsys, tmp_path, truth, pred, "--class", "3") == (
        f"expected a class in column 8 of truth, to evaluate 3, got 7 columns - at {truth}"
    )


def test_swapped_sides(tmp_path: Path, capsys: Capture) -> None:
    truth, pred = sides(tmp_path, TRUTH, PRED)
    assert refused(capsys, tmp_path, pred, truth, "--protocol", "mot17") == (
        "expected a class in column 8, as truth of mot17 has, got -1 in every row: are TRUTH and "
        f"PREDICTIONS swapped? Of other data say --protocol plain - at {pred}"
    )


def test_unknown_class_of_truth(tmp_path: Path, capsys: Capture) -> None:
    truth, pred = sides(tmp_path, f"{TRUTH}4,3,0,0,5,5,1,99,1\n", PRED)
    error = refused(capsys, tmp_path, truth, pred, "--protocol", "mot17")
    assert "expected classes that are listed (1 pedestrian, 2 person_on_vehicle, " in error
    assert error.endswith(f"got others: 99 - at {truth} frame 4 id 3")


def test_several_classes_and_predictions_without(tmp_path: Path, capsys: Capture) -> None:
    truth, pred = sides(tmp_path, f"{TRUTH}4,3,0,0,5,5,1,3,1\n", PRED)
    assert refused(capsys, tmp_path, truth, pred, "--class", "1,3") == (
        "expected a class for each prediction, to evaluate 1, 3, got none: evaluate one class, or "
        f"give predictions theirs - at {pred}"
    )


def test_table_of_other_classes(tmp_path: Path, capsys: Capture) -> None:
    names = "frame,id,label,x,y,w,h\n"
    truth = written(tmp_path / "gt.csv", f"{names}1,1,pedestrian,0,0,5,5\n")
    pred = written(tmp_path / "pred.csv", f"{names}1,1,car,0,0,5,5\n")
    options = ("--protocol", "mot17", "--input-format", "table")
    assert refused(capsys, tmp_path, truth, pred, *options) == (
        "expected predictions of pedestrian, got car: mot17 has no other; of other data say "
        f"--protocol plain - at {pred}"
    )
    written(truth, "frame,id,x,y,w,h\n1,1,0,0,5,5\n")
    assert refused(capsys, tmp_path, truth, pred, *options).startswith(
        "expected truth with classes, as that of mot17 has, got none: of other data say"
    )


def test_wrong_similarity(tmp_path: Path, capsys: Capture) -> None:
    truth, pred = sides(tmp_path, TRUTH, PRED)
    assert refused(capsys, tmp_path, truth, pred, "--similarity", "distance") == (
        "expected points, of which the similarity distance is, got boxes: similarities of boxes "
        f"are iou, ioa, giou - at {truth}"
    )


# ---- Masks ---------------------------------------------------------------------------------------


def test_masks_of_two_sizes(tmp_path: Path, capsys: Capture) -> None:
    truth, pred = sides(tmp_path, MOTS, f"{MOTS}1 2009 2 4 2 08\n")
    assert refused(capsys, tmp_path, truth, pred) == (
        f"expected masks of one size in frame 1, got 10 × 1 (line 1) and 4 × 2 - at {pred} line 5"
    )


def test_masks_that_overlap(tmp_path: Path, capsys: Capture) -> None:
    truth, pred = sides(tmp_path, MOTS, f"{MOTS}1 2009 2 10 1 019\n")
    error = refused(capsys, tmp_path, truth, pred)
    assert "frame 1" in error
    assert "2001" in error
    assert "2009" in error
    assert error.partition(" - at ")[2].startswith(str(pred))


def test_frames_of_kitti_mots(tmp_path: Path, capsys: Capture) -> None:
    truth, pred = sides(tmp_path, MOTS, f"0 2001 2 10 1 0:\n{MOTS}")
    assert refused(capsys, tmp_path, truth, pred, "--protocol", "mots") == (
        "expected frames from 1 on, got 0: of KITTI MOTS, whose frames begin at 0, say --protocol "
        f"kitti-mots - at {pred} line 1"
    )


# ---- Archives, folders, paths --------------------------------------------------------------------


def folders(folder: Path, truths: str, preds: str) -> tuple[Path, Path]:
    """Write sequences that are called by a letter each."""
    for name in truths:
        written(folder / "gt" / name / "gt" / "gt.txt", TRUTH)
    for name in preds:
        written(folder / "preds" / f"{name}.txt", PRED)
    return folder / "gt", folder / "preds"


def test_sequences_of_one_side(tmp_path: Path, capsys: Capture) -> None:
    truth, pred = folders(tmp_path, "abc", "ab")
    assert refused(capsys, tmp_path, truth, pred) == (
        "expected predictions of each sequence, 1 of 3 have none: c: --missing zero counts their "
        f"objects as missed, --missing skip leaves them out - at {pred}"
    )
    truth, pred = folders(tmp_path, "abc", "abcd")
    assert refused(capsys, tmp_path, truth, pred) == (
        f"expected truth of each predicted sequence, 1 of 4 have none in {truth}: d: --missing "
        f"skip leaves them out - at {pred}"
    )
    assert refused(capsys, tmp_path, truth, pred, "--missing", "zero").startswith(
        "expected truth of each predicted sequence"
    )


def test_sequences_of_one_side_in_tables(tmp_path: Path, capsys: Capture) -> None:
    truth = written(tmp_path / "gt.csv", f"{CSV}a,1,1,0,0,9,9\nb,1,1,0,0,9,9\n")
    pred = written(tmp_path / "pred.csv", f"{CSV}a,1,1,0,0,9,9\n")
    assert refused(capsys, tmp_path, truth, pred) == (
        "expected predictions of each sequence, 1 of 2 have none: b: --missing zero counts their "
        f"objects as missed, --missing skip leaves them out - at {pred}"
    )
    assert refused(capsys, tmp_path, pred, truth) == (
        "expected truth of each predicted sequence, 1 of 2 have none: b: --missing skip leaves "
        f"them out - at {truth}"
    )
    other = written(tmp_path / "other.csv", f"{CSV}c,1,1,0,0,9,9\n")
    assert refused(capsys, tmp_path, truth, other, "--missing", "skip") == (
        "expected sequences that both sides have, got none: truth has a, b, predictions have c - "
        f"at {other}"
    )
    nameless = written(tmp_path / "one.csv", "frame,id,x1,y1,x2,y2\n1,1,0,0,9,9\n")
    assert refused(capsys, tmp_path, truth, nameless) == (
        f"expected sequences on both sides, got 2 sequences in {truth} and no names of them here "
        f"- at {nameless}"
    )


def test_ids_of_tables(tmp_path: Path, capsys: Capture) -> None:
    truth = written(tmp_path / "gt.csv", f"{CSV}a,1,1,0,0,9,9\n")
    pred = written(tmp_path / "pred.csv", f"{CSV}a,1,1,0,0,9,9\na,1,1,3,3,9,9\n")
    assert refused(capsys, tmp_path, truth, pred) == (
        "expected each track id once a frame, got 1 twice in frame 1 of sequence a: give each "
        f"object of a frame an id of its own - at {pred} line 3"
    )


def test_names_are_not_all_printed(tmp_path: Path, capsys: Capture) -> None:
    truth, pred = folders(tmp_path, "a", "")
    for i in range(1000):
        written(pred / f"s{i:04}.txt", "")
    error = refused(capsys, tmp_path, truth, pred)
    assert error.startswith("expected sequences of the same name on both sides, got none: ")
    assert "predictions have s0000, s0001, s0002, s0003, s0004, … - at" in error


def test_frames_beyond_the_sequence(tmp_path: Path, capsys: Capture) -> None:
    truth, pred = folders(tmp_path, "a", "a")
    info = written(truth / "a" / "seqinfo.ini", "[Sequence]\nname=a\nseqLength=3\n")
    assert refused(capsys, tmp_path, truth, pred) == (
        "expected frames from 1 to 3, as the sequence has 3, got 4: is this file of another "
        f"sequence? - at {truth / 'a' / 'gt' / 'gt.txt'} line 4"
    )
    written(info, "[Sequence]\nseqLength=many\n")
    assert refused(capsys, tmp_path, truth, pred) == (
        f'expected a whole number as seqLength, got "many" - at {info}'
    )


def test_paths(tmp_path: Path, capsys: Capture) -> None:
    truth, pred = sides(tmp_path, TRUTH, PRED)
    absent = tmp_path / "pred.tx"
    assert refused(capsys, tmp_path, truth, absent) == (
        "expected a file, a folder or a zip archive, there is none. Did you mean "
        f'"pred.txt"? - at {absent}'
    )
    nowhere = tmp_path / "no" / "where.txt"
    assert refused(capsys, tmp_path, nowhere, pred) == (
        f"expected a file, a folder or a zip archive, there is none - at {nowhere}"
    )
    empty = tmp_path / "empty"
    empty.mkdir()
    assert refused(capsys, tmp_path, truth, empty) == (
        f"expected predictions in files that end in .txt, there are none - at {empty}"
    )
    assert refused(capsys, tmp_path, truth, pred, "--seqmap", empty).endswith(
        f"got: Is a directory - at {empty}"
    )
    no_folder = tmp_path / "none" / "tracks.csv"
    assert refused(capsys, tmp_path, truth, pred, "--tracks", no_folder) == (
        f"expected a folder to write into, there is none: make it - at {no_folder.parent}"
    )


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
def test_unreadable_file(tmp_path: Path, capsys: Capture) -> None:
    truth, pred = sides(tmp_path, TRUTH, PRED)
    pred.chmod(0)
    assert refused(capsys, tmp_path, truth, pred).endswith(f"Permission denied - at {pred}")


def test_archives(tmp_path: Path, capsys: Capture) -> None:
    truth, _ = folders(tmp_path, "a", "")
    broken = written(tmp_path / "broken.zip", b"PK\x03\x04junk")
    assert refused(capsys, tmp_path, truth, broken) == (
        f"expected a zip archive, got: File is not a zip file - at {broken}"
    )
    spoiled = tmp_path / "spoiled.zip"
    with zipfile.ZipFile(spoiled, "w") as archive:
        archive.writestr("a.txt", added("5,7,x,0,5,5,1,-1,-1,-1"))
    assert refused(capsys, tmp_path, truth, spoiled) == (
        f'expected a number as left (column 3), got "x" - at {spoiled}/a.txt line 5'
    )
    cut = written(tmp_path / "a.txt.gz", gzip.compress(PRED.encode())[:-9])
    assert "expected a readable gzip file" in refused(capsys, tmp_path, truth, cut)
    images = tmp_path / "images.zip"
    with zipfile.ZipFile(images, "w") as archive:
        archive.writestr("a/00000.png", png_bytes(np.zeros((4, 4), np.uint8)))
    assert refused(capsys, tmp_path, images, images) == (
        f"expected a folder of images: unpack the archive - at {images}/a"
    )


def test_several_trackers(tmp_path: Path, capsys: Capture) -> None:
    truth, _ = folders(tmp_path, "a", "")
    for name in ("sort", "deep"):
        written(tmp_path / "trackers" / name / "data" / "a.txt", PRED)
    trackers = tmp_path / "trackers"
    assert refused(capsys, tmp_path, truth, trackers) == (
        "expected predictions of one tracker, got those of 2: deep, sort: say which with "
        f"--tracker - at {trackers}"
    )
    assert refused(capsys, tmp_path, truth, trackers, "--tracker", "srot") == (
        f'expected a tracker of these: deep, sort, got srot. Did you mean "sort"? - at {trackers}'
    )


def test_label_images(tmp_path: Path, capsys: Capture) -> None:
    image = png_bytes(np.zeros((4, 4), np.uint8))
    for side, frames in (("gt", 2), ("pred", 1)):
        for t in range(frames):
            written(tmp_path / side / "bear" / f"{t:05}.png", image)
    truth, pred = tmp_path / "gt" / "bear", tmp_path / "pred" / "bear"
    assert refused(capsys, tmp_path, tmp_path / "gt", tmp_path / "pred") == (
        "expected the same frames on both sides, 1 are not in predictions: 00001 - at "
        f"{truth}, {pred}"
    )


def test_videos_of_coco(tmp_path: Path, capsys: Capture) -> None:
    document = {
        **COCO_IMAGES,
        "videos": [{"id": 1, "name": "a"}],
        "images": [{"id": 1, "video_id": 1, "frame_id": 0}],
    }
    document["annotations"] = [{**COCO_IMAGES["annotations"][0], "track_id": 1}]
    truth = written(tmp_path / "gt.json", json.dumps(document))
    pred = written(tmp_path / "pred.json", json.dumps(DETECTIONS))
    assert refused(capsys, tmp_path, truth, pred) == (
        f'expected the key "track_id" in every record, 1 lack it - at {pred} $[0]'
    )
    written(pred, json.dumps([{**DETECTIONS[0], "track_id": 1, "image_id": 9}]))
    error = refused(capsys, tmp_path, truth, pred)
    assert "--missing skip leaves such records out" in error
    assert error.endswith(f"- at {pred} $[0].image_id")


# ---- As a user does ------------------------------------------------------------------------------


def test_process(run: Run, tmp_path: Path) -> None:
    truth, pred = sides(tmp_path, TRUTH, added("4,8,0,0,5,5,1,-1,-1,-1"))
    done = run("evaluate", "tracking", truth, pred, "--quiet", "--json", "-")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "snellen: error: expected each id once a frame, got 8 twice in frame 4 (lines 4 and 5): "
        f"give each object of a frame an id of its own - at {pred} line 5\n"
    )


def test_names_do_not_act_on_the_terminal(tmp_path: Path, capsys: Capture) -> None:
    truth, pred = sides(tmp_path, TRUTH, text([(5, 7, 0, 0, 5, 5)]).replace("7", "\x1b[31m7"))
    assert "\x1b" not in refused(capsys, tmp_path, truth, pred)
