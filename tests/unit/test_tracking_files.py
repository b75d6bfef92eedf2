from __future__ import annotations

import dataclasses
import gzip
import json
import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.panoptic_maps import png_bytes
from tests.tracking_text import PRED, TRUTH, text, written

from snellen import TrackingProtocol, read_tracking
from snellen.errors import ClassError, DataWarning, IdError, InputError, SchemaError
from snellen.readers.tracking_formats import classes_of_format, content_format
from snellen.tracking.protocols import PROTOCOLS, protocol_of

KITTI = "0 1 Car 0 0 -1.5 10 20 40 60 1.5 1.6 3.7 1 1 20 1.5\n"
TABLE = "sequence,frame,id,x1,y1,x2,y2\n"


# ---- What a file is ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.txt", TRUTH, "mot"),
        ("a.txt", TRUTH.replace(",", " "), "mot"),
        ("a.txt", TRUTH.replace(",", "\t"), "mot"),
        ("a.txt", TRUTH.replace(",", "; "), "mot"),
        ("a.txt", "\ufeff\r\n" + TRUTH, "mot"),
        ("a.csv", TRUTH, "mot"),
        ("a.txt", "1\n", "mot"),
        ("a.txt", "frame,id,x,y\n1,1,2,3\n", "table"),
        ("a.tsv", "frame\tid\tx\ty\n", "table"),
        ("a.txt", "person id, frame, x\n", "table"),
        ("a.parquet", "PAR1", "table"),
        ("a.jsonl", "{}", "table"),
        ("a.txt", KITTI, "kitti"),
        ("a.txt", KITTI.replace(" ", "  "), "kitti"),
        ("a.txt", "1 2001 2 10 1 0:\n", "mots"),
        # The first mask may be a number; the second is none.
        ("a.txt", "1 2001 2 2 2 04\n1 2002 2 10 1 0:\n", "mots"),
        ("a.txt", "0 2001 2 10 1 0:\n", "kitti-mots"),
        ("a.txt", "1 1 10 20 30 40\n", "mot"),
        ("a.json", '[{"videoName": "a", "frameIndex": 0, "labels": []}]', "bdd100k"),
        ("a.json", '{"frames": [], "config": {}}', "bdd100k"),
        ("a.json", '{"videos": [], "images": [{"frames": 1}]}', "coco"),
        ("a.json", '[{"image_id": 1}]', "coco"),
        ("a.txt", ' {"videos": []}', "coco"),
        ("a.txt", "", None),
        ("a.txt", " \n\n", None),
        ("a.txt", "nonsense\n", None),
        ("a.txt", "\0\1\2", "binary"),
        ("a.png", "", "davis"),
    ],
)
def test_content(tmp_path: Path, name: str, content: str, expected: str | None) -> None:
    assert content_format(str(written(tmp_path / name, content))) == expected
    packed = written(tmp_path / f"{name}.gz", gzip.compress(content.encode()))
    assert content_format(str(packed)) == expected
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(f"in/{name}", content)
    assert content_format((str(tmp_path / "a.zip"), f"in/{name}")) == expected


def test_classes_of_formats() -> None:
    plain = PROTOCOLS["plain"]
    assert classes_of_format("mot", plain) is None
    assert classes_of_format("table", plain) is None
    assert classes_of_format("mot", PROTOCOLS["mot17"]) == ("pedestrian",)
    assert classes_of_format("kitti", plain) == (
        *("car", "van", "truck", "pedestrian", "person", "cyclist", "tram", "misc"),
    )
    assert classes_of_format("kitti-mots", PROTOCOLS["kitti-mots"]) == ("car", "pedestrian")
    assert classes_of_format("bdd100k", PROTOCOLS["bdd100k"]) == (
        *("pedestrian", "rider", "car", "bus", "truck", "train", "motorcycle", "bicycle"),
    )
    assert classes_of_format("visdrone", plain) == tuple(PROTOCOLS["visdrone"].class_names.values())


# ---- One sequence --------------------------------------------------------------------------------


def test_two_files(tmp_path: Path) -> None:
    truth, pred = written(tmp_path / "A.txt", TRUTH), written(tmp_path / "b.csv", PRED)
    files = read_tracking(truth, pred)
    assert (len(files), files.format, files.pred_format, files.tracker) == (1, "mot", "mot", "b")
    assert files.protocol == protocol_of("plain")
    assert files.notes[0] == f"1 sequence: truth in {truth}, predictions in {pred}"
    assert files.notes_of_rules == ()
    sides = files.read(0)
    for side in sides:
        assert side.sequences.ids.tolist() == ["A"]
        assert side.named
    assert sides[0].n_frames.tolist() == [4]
    assert list(map(len, sides)) == [4, 4]


def test_length_is_the_last_frame_of_either_side(tmp_path: Path) -> None:
    truth, pred = written(tmp_path / "a" / "gt.txt", TRUTH), written(tmp_path / "a.txt", PRED)
    (sides,) = read_tracking(truth, pred).batches()
    assert sides[0].n_frames.tolist() == [4]
    written(pred, f"{PRED}9,7,0,0,5,5,1,-1,-1,-1\n")
    (sides,) = read_tracking(truth, pred).batches()
    assert sides[0].n_frames.tolist() == [9]
    info = written(tmp_path / "a" / "seqinfo.ini", "[Sequence]\nseqLength=30\n")
    (sides,) = read_tracking(truth, pred).batches()
    assert [side.n_frames.tolist() for side in sides] == [[30], [30]]
    info.unlink()
    for path in (truth, pred):
        written(path, "")
    with pytest.warns(DataWarning, match="expected objects in"):
        (sides,) = read_tracking(truth, pred).batches()
    assert sides[0].n_frames.tolist() == [0]


def test_first_frame(tmp_path: Path) -> None:
    truth = written(tmp_path / "gt.txt", text([(0, 1, 0, 0, 5, 5), (7, 1, 0, 0, 5, 5)]))
    (sides,) = read_tracking(truth, truth, first_frame=0).batches()
    assert sides[0].n_frames.tolist() == [8]
    with pytest.raises(InputError, match=r"say first_frame=0 - at .*gt\.txt line 1"):
        read_tracking(truth, truth).read(0)
    kitti = written(tmp_path / "0000.txt", KITTI)
    files = read_tracking(kitti, kitti)
    assert files.protocol.first_frame == 0
    assert files.read(0)[0].n_frames.tolist() == [1]
    with pytest.raises(InputError, match="as kitti files have none but 0, got 0"):
        read_tracking(kitti, kitti, first_frame=0)


def test_columns_of_protocols(tmp_path: Path) -> None:
    truth = written(
        tmp_path / "gt.txt",
        text(
            [
                (1, 1, 0, 0, 5, 5, 1, 1, 1),
                (1, 2, 0, 0, 5, 5, 1, 8, 1),
                (2, 1, 0, 0, 5, 5, 0.5, 1, 1),
            ]
        ),
    )
    pred = written(tmp_path / "pred.txt", PRED)
    plain = read_tracking(truth, pred).read(0)[0]
    assert not plain.labelled
    assert plain.counted is not None
    assert plain.counted.tolist() == [1, 1, 1]  # a half counts
    mot17 = read_tracking(truth, pred, protocol="mot17").read(0)[0]
    names = mot17.classes.display_names()
    assert [names[label] for label in mot17.label] == ["pedestrian", "distractor", "pedestrian"]
    assert mot17.counted is not None
    assert mot17.counted.tolist() == [1, 1, 0]
    numbered, of_pred = read_tracking(truth, pred, classes=["8"]).read(0)
    assert numbered.classes.display_names() == ["1", "8"]
    assert not of_pred.labelled


def test_protocol_of_the_user(tmp_path: Path) -> None:
    truth, pred = written(tmp_path / "gt.txt", TRUTH), written(tmp_path / "pred.txt", PRED)
    rules = TrackingProtocol("ours", similarity="giou", class_names={1: "fish", 2: "shark"})
    files = read_tracking(truth, pred, protocol=rules)
    assert files.protocol == rules
    assert files.format == "mot"
    assert files.read(0)[0].classes.display_names() == ["fish", "shark"]
    changed = read_tracking(truth, pred, protocol=rules, similarity="iou", zero_distance=3)
    assert changed.protocol == dataclasses.replace(rules, similarity="iou", zero_distance=3)


def test_errors_are_located(tmp_path: Path) -> None:
    truth, pred = written(tmp_path / "gt.txt", TRUTH), written(tmp_path / "pred.txt", PRED)
    files = read_tracking(truth, pred)
    for place, expected in (
        ("truth", truth),
        ("pred", pred),
        ("pred.score", pred),
        ("n_frames", f"{truth}, {pred}"),
        ("", f"{truth}, {pred}"),
        (f"{pred} line 3", f"{pred} line 3"),
    ):
        error = files.located(0, IdError("expected one", place))
        assert type(error) is IdError
        assert str(error) == f"expected one - at {expected}"


# ---- Several sequences in a file -----------------------------------------------------------------


def table(path: Path, rows: list[tuple[Any, ...]]) -> Path:
    return written(path, TABLE + text([(*row, 0, 0, 9, 9) for row in rows]))


def test_sequences_of_tables(tmp_path: Path) -> None:
    truth = table(tmp_path / "gt.csv", [("b", 3, 1), ("a", 1, 1), ("b", 2, 1), ("c", 5, 2)])
    pred = table(tmp_path / "pred.csv", [("c", 9, 1), ("b", 1, 1), ("a", 1, 1)])
    files = read_tracking(truth, pred)
    assert (files.format, len(files)) == ("table", 1)
    assert any('sequences in "sequence"' in note for note in files.notes)
    of_truth, of_pred = files.read(0)
    assert of_truth.sequences.ids.tolist() == of_pred.sequences.ids.tolist() == ["a", "b", "c"]
    assert of_truth.n_frames.tolist() == [1, 3, 9]
    assert of_truth.frame.tolist() == [1, 2, 3, 5]


@pytest.mark.parametrize(
    ("missing", "expected"),
    [("zero", (["a", "b"], [1, 3], [1, 2], [1])), ("skip", (["a"], [1], [1], [1]))],
)
def test_sequences_of_one_side(tmp_path: Path, missing: Any, expected: Any) -> None:
    truth = table(tmp_path / "gt.csv", [("a", 1, 1), ("b", 3, 1)])
    pred = table(tmp_path / "pred.csv", [("a", 1, 1)])
    with pytest.raises(InputError, match='1 of 2 have none: b: missing="zero" counts'):
        read_tracking(truth, pred).read(0)
    with pytest.warns(DataWarning, match=r"1 sequence without predictions \(b\): ") as warned:
        ((of_truth, of_pred),) = read_tracking(truth, pred, missing=missing).batches()
    assert len(warned) == 1
    names, lengths, truth_tracks, _ = expected
    assert of_truth.sequences.ids.tolist() == of_pred.sequences.ids.tolist() == names
    assert of_truth.n_frames.tolist() == lengths
    assert len(of_truth) == len(truth_tracks)
    assert of_pred.sequence.tolist() == [0]


def test_sequences_without_truth_are_left_out(tmp_path: Path) -> None:
    truth = table(tmp_path / "gt.csv", [("m", 1, 1)])
    pred = table(tmp_path / "pred.csv", [("a", 1, 1), ("m", 1, 4), ("m", 2, 5), ("z", 7, 1)])
    files = read_tracking(truth, pred, missing="skip")
    with pytest.warns(DataWarning, match=r"2 sequences without truth \(a, z\): left out"):
        ((of_truth, of_pred),) = files.batches()
    assert of_pred.track.tolist() == [4, 5]
    assert of_pred.sequences.ids.tolist() == ["m"]
    assert of_truth.n_frames.tolist() == [2]
    with pytest.raises(InputError, match="2 of 3 have none: a, z"):
        read_tracking(truth, pred, missing="zero").read(0)


def test_sequences_by_number_and_by_text(tmp_path: Path) -> None:
    truth = table(tmp_path / "gt.csv", [(2, 1, 1), (10, 1, 1)])
    rows = [{"sequence": name, "frame": 1, "id": 1, "x": 0, "y": 0, "w": 9, "h": 9}
            for name in ("10", "2")]  # fmt: skip
    pred = written(tmp_path / "pred.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    of_truth, of_pred = read_tracking(truth, pred).read(0)
    assert of_truth.sequences.ids.tolist() == of_pred.sequences.ids.tolist() == ["10", "2"]
    assert of_truth.sequence.tolist() == [0, 1]


def test_a_table_without_sequences(tmp_path: Path) -> None:
    truth = table(tmp_path / "gt.csv", [("a", 1, 1)])
    pred = written(tmp_path / "pred.csv", "frame,id,x1,y1,x2,y2\n1,1,0,0,9,9\n")
    for sides in ((truth, pred), (pred, truth)):
        of_truth, of_pred = read_tracking(*sides).read(0)
        assert of_truth.sequences.ids.tolist() == of_pred.sequences.ids.tolist() == ["a"]
    of_truth, of_pred = read_tracking(pred, pred).read(0)
    assert of_truth.sequences.ids.tolist() == of_pred.sequences.ids.tolist() == ["pred"]


def test_one_table_and_a_folder(tmp_path: Path) -> None:
    truth = table(tmp_path / "gt.csv", [("a", 1, 1), ("b", 2, 1), ("b", 3, 1)])
    for name in "ab":
        written(tmp_path / "pred" / f"{name}.csv", "frame,id,x1,y1,x2,y2\n1,1,0,0,9,9\n")
    files = read_tracking(truth, tmp_path / "pred")
    assert [pair.sequence for pair in files.pairs] == ["a", "b"]
    for (of_truth, of_pred), name, n in zip(files.batches(), "ab", (1, 2), strict=True):
        assert of_truth.sequences.ids.tolist() == of_pred.sequences.ids.tolist() == [name]
        assert (len(of_truth), len(of_pred)) == (n, 1)
    written(tmp_path / "pred" / "c.csv", "frame,id,x1,y1,x2,y2\n1,1,0,0,9,9\n")
    with pytest.raises(InputError, match="1 of 3 have none: c"):
        read_tracking(truth, tmp_path / "pred")
    assert len(read_tracking(truth, tmp_path / "pred", missing="skip")) == 2


@pytest.mark.parametrize(
    ("columns", "row", "similarity"),
    [
        ("x,y", "1,1,0,0", "distance"),
        ("x1,y1,x2,y2", "1,1,0,0,2,2", "iou"),
        ("x,y,z,l,w,h,yaw", "1,1,0,0,0,1,1,1,0", "iou_3d"),
    ],
)
def test_similarity_fits_the_shapes(
    tmp_path: Path, columns: str, row: str, similarity: str
) -> None:
    path = written(tmp_path / "gt.csv", f"frame,id,{columns}\n{row}\n")
    files = read_tracking(path, path)
    assert files.protocol.similarity == similarity
    assert bool(files.notes_of_rules) == (similarity != "iou")
    given = read_tracking(path, path, similarity="giou")
    assert (given.protocol.similarity, given.notes_of_rules) == ("giou", ())


# ---- Other formats -------------------------------------------------------------------------------


def test_label_images(tmp_path: Path) -> None:
    image = np.zeros((4, 4), np.uint8)
    image[1, 1] = 3
    for side in ("gt", "pred"):
        written(tmp_path / side / "bear" / "00000.png", png_bytes(image))
        written(tmp_path / side / "bear" / "00001.png", png_bytes(0 * image))
    files = read_tracking(tmp_path / "gt", tmp_path / "pred")
    assert (files.format, files.protocol.similarity, files.protocol.first_frame) == (
        *("davis", "mask_iou", 0),
    )
    of_truth, of_pred = files.read(0)
    assert of_truth.sequences.ids.tolist() == of_pred.sequences.ids.tolist() == ["bear"]
    assert of_truth.n_frames.tolist() == [2]
    written(tmp_path / "gt" / "cow" / "00000.png", png_bytes(image))
    files = read_tracking(tmp_path / "gt", tmp_path / "pred", missing="zero")
    of_truth, of_pred = files.read(1)
    assert (len(of_truth), len(of_pred)) == (1, 0)
    assert of_pred.sequences.ids.tolist() == ["cow"]


def test_images_beside_text_are_not_looked_at(tmp_path: Path) -> None:
    written(tmp_path / "gt" / "A" / "gt" / "gt.txt", TRUTH)
    written(tmp_path / "gt" / "A" / "img1" / "000001.png", b"")
    written(tmp_path / "pred" / "A.txt", PRED)
    written(tmp_path / "pred" / "0.png", b"")
    assert read_tracking(tmp_path / "gt", tmp_path / "pred").format == "mot"


def test_videos_that_were_not_judged(tmp_path: Path) -> None:
    document: dict[str, Any] = {
        "videos": [{"id": 1, "name": "a", "neg_category_ids": [2]}],
        "categories": [{"id": 1, "name": "car"}, {"id": 2, "name": "bus"}],
        "images": [{"id": 1, "video_id": 1, "frame_id": 0}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "track_id": 1, "bbox": [0, 0, 8, 8]}
        ],
    }
    truth = written(tmp_path / "gt.json", json.dumps(document))
    pred = written(tmp_path / "pred.json", "[]")
    files = read_tracking(truth, pred)
    with pytest.warns(DataWarning, match="expected objects in predictions, there are none"):
        list(files.batches())
    judged = files.judged(0)
    assert judged is not None
    assert judged.negative == {("a", 2)}
    assert 'left out with protocol="tao"' in files.notes_of_rules[0]
    assert read_tracking(truth, pred, protocol="tao").notes_of_rules == ()
    assert not files.by_video
    del document["videos"][0]["neg_category_ids"]
    written(truth, json.dumps(document))
    files = read_tracking(truth, pred)
    files.read(0)
    assert files.judged(0) is None
    assert files.notes_of_rules == ()


def test_one_format_on_both_sides(tmp_path: Path) -> None:
    truth = written(tmp_path / "gt.txt", TRUTH)
    named = written(tmp_path / "pred.csv", "frame,id,left,top,width,height\n1,7,10,20,30,40\n")
    files = read_tracking(truth, named)
    assert (files.format, files.pred_format) == ("mot", "table")
    assert [len(side) for side in files.read(0)] == [4, 1]
    empty = written(tmp_path / "empty.txt", "")
    assert [len(side) for side in read_tracking(empty, named).read(0)] == [0, 1]
    points = written(tmp_path / "points.csv", "frame,id,x,y\n1,7,10,20\n")
    for sides in ((empty, points), (points, empty)):
        files = read_tracking(*sides)
        assert files.protocol.similarity == "distance"
        assert [side.shape.kind for side in files.read(0)] == ["points", "points"]
    assert read_tracking(empty, empty).format == "mot"
    with pytest.raises(InputError, match="in one format, got mot and kitti"):
        read_tracking(truth, written(tmp_path / "0000.txt", KITTI))
    with pytest.raises(InputError, match=r'expected a format of mot, .* got "mott"\. Did you mean'):
        read_tracking(truth, named, format="mott")
    with pytest.raises(SchemaError, match=r"looks like a table .* Say format=\"table\" - at"):
        read_tracking(truth, named, format="mot").read(0)


# ---- What is said at the end ---------------------------------------------------------------------


def test_classes_that_no_file_has(tmp_path: Path) -> None:
    truth, pred = written(tmp_path / "gt.txt", TRUTH), written(tmp_path / "pred.txt", PRED)
    with pytest.raises(ClassError, match=r'files have \(1\), got "2" - at classes'):
        list(read_tracking(truth, pred, classes=["2"]).batches())
    with pytest.raises(ClassError, match='expected a class of pedestrian, got "car"'):
        read_tracking(truth, pred, protocol="mot17", classes=["car"])


def test_what_looks_swapped(tmp_path: Path) -> None:
    truth, pred = written(tmp_path / "gt.txt", TRUTH), written(tmp_path / "pred.txt", PRED)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        list(read_tracking(truth, pred).batches())
    with pytest.warns(DataWarning, match="are truth and predictions swapped") as warned:
        list(read_tracking(pred, truth).batches())
    assert len(warned) == 1
    # Half of the flags are fractions: that may be. More than half are scores.
    half = TRUTH.replace("40,1,", "40,0.5,", 2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        list(read_tracking(written(truth, half), pred).batches())
    more = TRUTH.replace("40,1,", "40,0.5,", 3)
    with pytest.warns(DataWarning, match=r"3 of 4 flags \(column 7\) of truth are between 0 and 1"):
        list(read_tracking(written(truth, more), pred).batches())
