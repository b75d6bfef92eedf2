"""Which files belong together, however they lie."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import pytest

from snellen.errors import IdError, InputError, SchemaError, SnellenError
from snellen.readers.file_trees import FileTree
from snellen.readers.track_folders import (
    FoundSequences,
    SequenceFiles,
    find_sequences,
    sequence_length,
)

INI = "[Sequence]\nname={}\nimDir=img1\nframeRate=25\nseqLength={}\n"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder to work in, so that paths are short."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lay(*paths: str) -> None:
    """Write files; the text of a seqinfo.ini gives as many frames as its folder's name is long."""
    for name in paths:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        text = "1,1,0,0,1,1,1,1,1\n"
        if path.name == "seqinfo.ini":
            text = INI.format(path.parent.name, len(path.parent.name))
        path.write_text(text)


def zipped(name: str, *members: str) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(name, "w") as archive:
        for member in members:
            text = "1,1,0,0,1,1,1,1,1\n"
            if member.endswith("seqinfo.ini"):
                text = INI.format("x", 77)
            archive.writestr(member, text)


def pairs(found: FoundSequences) -> dict[str, tuple[Any, Any]]:
    assert [each.name for each in found.sequences] == sorted(each.name for each in found.sequences)
    return {each.name: (each.truth, each.pred) for each in found.sequences}


def refused(*arguments: Any, **options: Any) -> SnellenError:
    with pytest.raises(SnellenError) as raised:
        find_sequences(*arguments, **options)
    assert "\n" not in str(raised.value)
    return raised.value


def challenge(folder: str, *names: str) -> None:
    """Lay a folder as MOTChallenge's archives have it."""
    for name in names:
        lay(f"{folder}/{name}/gt/gt.txt", f"{folder}/{name}/seqinfo.ini")
        lay(f"{folder}/{name}/det/det.txt", f"{folder}/{name}/img1/000001.txt")


# ---- Files ---------------------------------------------------------------------------------------


def test_two_files() -> None:
    lay("a/truth.csv", "b/results.txt")
    found = find_sequences("a/truth.csv", Path("b/results.txt"))
    assert found.sequences == [SequenceFiles("truth", "a/truth.csv", "b/results.txt", None, None)]
    assert found.tracker == "results"
    assert found.notes == [
        "1 sequence: truth in a/truth.csv, predictions in b/results.txt",
        "b/results.txt is taken as the predictions of truth",
    ]


@pytest.mark.parametrize("truth", ["t/MOT20-01/gt/gt.txt", "t/MOT20-01/gt", "t/MOT20-01", "t"])
@pytest.mark.parametrize("pred", ["p/MOT20-01.txt", "p", "p.zip"])
def test_one_sequence(truth: str, pred: str) -> None:
    challenge("t", "MOT20-01")
    lay("p/MOT20-01.txt")
    zipped("p.zip", "MOT20-01.txt")
    (sequence,) = find_sequences(truth, pred).sequences
    assert sequence.name == "MOT20-01"
    assert sequence.truth == "t/MOT20-01/gt/gt.txt"
    assert sequence.pred == (("p.zip", "MOT20-01.txt") if pred == "p.zip" else "p/MOT20-01.txt")
    assert sequence.n_frames == 8
    assert sequence.seqinfo is not None
    assert Path(sequence.seqinfo).samefile("t/MOT20-01/seqinfo.ini")


def test_absolute_paths(home: Path) -> None:
    challenge("t", "MOT20-01")
    lay("p/MOT20-01.txt")
    (sequence,) = find_sequences(home / "t", f"{home}/p/").sequences
    assert sequence.truth == f"{home}/t/MOT20-01/gt/gt.txt"
    assert sequence.pred == f"{home}/p/MOT20-01.txt"


def test_the_name_of_a_single_file() -> None:
    # gt.txt has the name of its folder, another file that in the seqinfo.ini beside or above.
    challenge("t", "S")
    lay("t/S/gt/gt_val_half.txt", "out.txt", "here/x.txt", "here/seqinfo.ini")
    assert find_sequences("t/S/gt/gt.txt", "out.txt").sequences[0].name == "S"
    (half,) = find_sequences("t/S/gt/gt_val_half.txt", "out.txt").sequences
    assert (half.name, half.n_frames) == ("S", 1)
    (other,) = find_sequences("here/x.txt", "out.txt").sequences
    assert (other.name, other.n_frames) == ("here", 4)


def test_one_file_of_many() -> None:
    # Who gives one sequence means that one.
    challenge("t", "A", "B")
    lay("p/A.txt", "p/B.txt")
    found = find_sequences("t/A", "p")
    assert pairs(found) == {"A": ("t/A/gt/gt.txt", "p/A.txt")}
    assert "1 sequence without truth (B): left out" in found.notes
    found = find_sequences("t", "p/B.txt")
    assert pairs(found) == {"B": ("t/B/gt/gt.txt", "p/B.txt")}
    assert "1 sequence without predictions (A): left out" in found.notes


# ---- Folders -------------------------------------------------------------------------------------


def test_folders_of_files() -> None:
    lay("t/b.txt", "t/a.txt", "p/a.txt", "p/b.txt.gz")
    lay("t/README.txt", "t/.hidden.txt", "p/.DS_Store", "p/readme.md", "p/b_summary.txt", "p/x.csv")
    lay("t/.git/c.txt", "p/__MACOSX/c.txt", "lengths/seqinfo.ini", "a/seqinfo.ini")
    found = find_sequences("t", "p")
    assert pairs(found) == {"a": ("t/a.txt", "p/a.txt"), "b": ("t/b.txt", "p/b.txt.gz")}
    assert found.notes == ["2 sequences: truth in t, predictions in p"]
    assert found.tracker == "p"
    # Lengths lie in a folder of the sequence's name, here or beside.
    assert [each.n_frames for each in found.sequences] == [1, None]
    lay("t/bbb/seqinfo.ini", "t/bbb.txt", "p/bbb.txt")
    assert [each.n_frames for each in find_sequences("t", "p").sequences] == [1, None, 3]


@pytest.mark.parametrize(
    "layout",
    [
        ("{}.txt",),
        ("data/{}.txt",),
        ("{}/{}.txt",),
        ("{}/gt/gt.txt",),
        ("{}/pred.txt",),
        ("{}/anything.txt",),
        ("MOT17-train/T/data/{}.txt",),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_predictions_in_any_layout(layout: tuple[str], packed: bool) -> None:
    challenge("t/MOT17-train", "A", "B")
    names = [layout[0].replace("{}", name) for name in "AB"]
    if packed:
        zipped("p.zip", *names, "__MACOSX/._A.txt", ".DS_Store", "README.txt")
    else:
        lay(*(f"p/{name}" for name in names))
    found = find_sequences("t", "p.zip" if packed else "p")
    preds = [("p.zip", name) if packed else f"p/{name}" for name in names]
    assert pairs(found) == {
        name: (f"t/MOT17-train/{name}/gt/gt.txt", pred)
        for name, pred in zip("AB", preds, strict=True)
    }


def test_truth_beside_predictions() -> None:
    # As in py-motmetrics' data: gt.txt and test.txt in a folder for each sequence.
    lay(
        *(
            f"d/{name}/{file}.txt"
            for name in ("TUD-Campus", "TUD-Stadtmitte")
            for file in ("gt", "test")
        )
    )
    assert pairs(find_sequences("d", "d")) == {
        name: (f"d/{name}/gt.txt", f"d/{name}/test.txt")
        for name in ("TUD-Campus", "TUD-Stadtmitte")
    }


def test_links_that_lead_back() -> None:
    lay("t/a.txt", "p/a.txt")
    Path("t/again").symlink_to("..")
    assert pairs(find_sequences("t", "p")) == {"a": ("t/a.txt", "p/a.txt")}


def test_other_endings() -> None:
    lay("t/a.json", "t/b.txt", "p/a.json", "p/b.txt")
    assert list(pairs(find_sequences("t", "p", suffixes=[".json"]))) == ["a"]
    assert list(pairs(find_sequences("t", "p", suffixes=[".json", ".txt"]))) == ["a", "b"]
    assert refused("t", "p", suffixes=[".npz", ".x"]).message == (
        "expected truth in files that end in .npz, .x, there are none"
    )


@pytest.mark.parametrize("packed", [False, True])
def test_folders_of_images(packed: bool) -> None:
    names = [f"480p/{name}/0000{k}.png" for name in ("bear", "bmx") for k in range(2)]
    lay(*(f"Annotations/{name}" for name in names), "Annotations/480p/bear/notes.txt")
    results = [name.replace("480p", "data") for name in names]
    if packed:
        zipped("T.zip", *results)
    else:
        lay(*(f"trackers/T/{name}" for name in results))
    found = find_sequences(
        "Annotations", "T.zip" if packed else "trackers", frame_suffixes=[".png"]
    )
    assert pairs(found) == {
        name: (
            f"Annotations/480p/{name}",
            ("T.zip", f"data/{name}") if packed else f"trackers/T/data/{name}",
        )
        for name in ("bear", "bmx")
    }
    assert found.tracker == "T"
    if not packed:
        one = find_sequences("Annotations/480p/bmx", "trackers/T/data/bmx", frame_suffixes=[".png"])
        assert pairs(one) == {"bmx": ("Annotations/480p/bmx", "trackers/T/data/bmx")}


# ---- TrackEval and KITTI -------------------------------------------------------------------------


def trackeval_tree(benchmark: str, names: str, trackers: str) -> None:
    challenge(f"gt/mot_challenge/{benchmark}", *names)
    lay(*(f"trackers/mot_challenge/{benchmark}/{t}/data/{n}.txt" for t in trackers for n in names))
    for tracker in trackers:
        lay(f"trackers/mot_challenge/{benchmark}/{tracker}/pedestrian_summary.txt")
        lay(f"trackers/mot_challenge/{benchmark}/{tracker}/pedestrian_detailed.csv")


def test_trees_of_trackeval() -> None:
    trackeval_tree("MOT17-train", "ABC", "X")
    trackeval_tree("MOT20-train", "DE", "Y")
    Path("gt/mot_challenge/seqmaps").mkdir()
    Path("gt/mot_challenge/seqmaps/MOT17-train.txt").write_text("name\nC\n\nA\n")
    found = find_sequences("gt", "trackers/mot_challenge/MOT17-train")
    at = "MOT17-train/{}/gt/gt.txt", "MOT17-train/X/data/{}.txt"
    wanted = {
        name: (
            f"gt/mot_challenge/{at[0]}".format(name),
            f"trackers/mot_challenge/{at[1]}".format(name),
        )
        for name in "AC"
    }
    assert pairs(found) == wanted
    assert found.tracker == "X"
    assert found.notes == [
        "2 sequences: truth in gt/mot_challenge/MOT17-train, predictions in "
        "trackers/mot_challenge/MOT17-train/X/data",
        "2 sequences of truth in other folders: left out",
        "the seqmap gt/mot_challenge/seqmaps/MOT17-train.txt chooses 2 sequences; 1 more are left "
        "out",
    ]
    assert pairs(find_sequences("gt/mot_challenge/MOT17-train", "trackers", tracker="X")) == wanted
    # A list that is given goes before the one that is found, and what was given as one is one.
    Path("mine.txt").write_text("\ufeffB\r\nA,x\r\n")
    assert list(pairs(find_sequences("gt", "trackers", tracker="X", seqmap="mine.txt"))) == [
        "A",
        "B",
    ]
    assert list(
        pairs(find_sequences("gt/mot_challenge/MOT17-train/B", "trackers", tracker="X"))
    ) == ["B"]
    error = refused("gt", "trackers")
    assert error.message == (
        "expected truth of one data set, got 2 that predictions are of: "
        "mot_challenge/MOT17-train, mot_challenge/MOT20-train: give the folder of one"
    )
    assert error.place == "gt"


def test_lists_inside_the_folder_of_truth() -> None:
    # As TrackEval has it with SKIP_SPLIT_FOL; of two lists none is meant.
    lay("t/a.txt", "t/b.txt", "p/a.txt", "p/b.txt", "t/seqmaps/x-train.txt")
    Path("t/seqmaps/x-train.txt").write_text("name\nb\n")
    assert list(pairs(find_sequences("t", "p"))) == ["b"]
    lay("t/seqmaps/x-test.txt")
    assert list(pairs(find_sequences("t", "p"))) == ["a", "b"]


def test_several_trackers() -> None:
    trackeval_tree("MOT17-train", "AB", "XYZ")
    error = refused("gt", "trackers")
    assert type(error) is InputError
    assert str(error) == (
        "expected predictions of one tracker, got those of 3: X, Y, Z: say which (tracker) - at "
        "trackers"
    )
    assert find_sequences("gt", "trackers", tracker="Y").tracker == "Y"
    assert refused("gt", "trackers", tracker="y").message == (
        'expected a tracker of these: X, Y, Z, got y. Did you mean "Y"?'
    )
    # One benchmark of two: the folders' names say which.
    challenge("gt/mot_challenge/MOT17-all", "A", "B")
    assert find_sequences("gt", "trackers", tracker="Y").sequences[0].truth == (
        "gt/mot_challenge/MOT17-train/A/gt/gt.txt"
    )


def test_what_lies_right_in_the_folder_comes_first() -> None:
    lay("t/a.txt", "p/a.txt", "p/old/a.txt", "p/older/a.txt", "t/copy/a.txt")
    assert pairs(find_sequences("t", "p")) == {"a": ("t/a.txt", "p/a.txt")}
    lay("q/1/x/a.txt", "q/2/x/a.txt")
    assert refused("t", "q").message == (
        "expected predictions in one folder, got some in 2: 1/x, 2/x: give one of them"
    )


def test_packed_folders_of_trackeval() -> None:
    lay("gt/MOT17-train/A/seqinfo.ini", "gt/MOT17-train/B/seqinfo.ini")
    zipped("gt/MOT17-train/data.zip", "A.txt", "B.txt")
    zipped("trackers/MOT17-train/X/data.zip", "A.txt", "B.txt")
    found = find_sequences("gt", "trackers")
    assert pairs(found) == {
        name: (
            ("gt/MOT17-train/data.zip", f"{name}.txt"),
            ("trackers/MOT17-train/X/data.zip", f"{name}.txt"),
        )
        for name in "AB"
    }
    assert found.tracker == "X"
    assert [each.n_frames for each in found.sequences] == [1, 1]


def test_archives() -> None:
    # Other archives are opened where a folder has nothing else.
    zipped("t.zip", "train/A/gt/gt.txt", "train/A/seqinfo.ini", "train/A/det/det.txt")
    zipped("p/submission.zip", "A.txt")
    found = find_sequences("t.zip", "p")
    assert pairs(found) == {"A": (("t.zip", "train/A/gt/gt.txt"), ("p/submission.zip", "A.txt"))}
    assert found.sequences[0].n_frames == 77
    assert found.sequences[0].seqinfo == "t.zip/train/A/seqinfo.ini"
    lay("p/A.txt")
    assert find_sequences("t.zip", "p").sequences[0].pred == "p/A.txt"
    Path("broken.zip").write_text("no archive")
    assert refused("t.zip", "broken.zip").place == "broken.zip"


def test_kitti() -> None:
    lay("k/label_02/0000.txt", "k/label_02/0001.txt", "k/label_02/0002.txt", "r/T/data/0000.txt")
    lay("r/T/data/0001.txt", "r/T/car_summary.txt")
    for split, rows in (
        ("training", "0000 empty 000000 000154\n0001 empty 000000 000447\n"),
        ("val", "x"),
    ):
        Path(f"k/evaluate_tracking.seqmap.{split}").write_text(rows)
    for truth in ("k", "k/label_02"):
        found = find_sequences(truth, "r")
        assert [(each.name, each.n_frames) for each in found.sequences] == [
            ("0000", 154),
            ("0001", 447),
        ]
        assert found.sequences[0].seqinfo is None
    Path("bad").write_text("0000 empty 000000 many\n")
    error = refused("k", "r", seqmap="bad")
    assert str(error) == 'expected a number of frames in column 4, got "many" - at bad line 1'


def test_kitti_mots() -> None:
    """Lists of masks have the number of the last frame: 233 frames end with number 232."""
    lay("k/label_02/0002.txt", "k/label_02/0006.txt", "k/label_02/0007.txt")
    lay("r/T/data/0002.txt", "r/T/data/0006.txt", "r/T/data/0007.txt")
    for split, names in (("val", ["0002", "0006"]), ("training", ["0007"])):
        rows = "".join(f"{name} empty 000000 000232\n" for name in names)
        Path(f"k/evaluate_mots.seqmap.{split}").write_text(rows)
    # KITTI's list of boxes is another one.
    Path("k/evaluate_tracking.seqmap.training").write_text("0002 empty 000000 000233\n")
    found = find_sequences("k", "r", kitti_list="mots", missing="skip")
    assert [(each.name, each.n_frames) for each in found.sequences] == [
        ("0002", 233),
        ("0006", 233),
    ]
    assert found.notes[1].startswith("the seqmap k/evaluate_mots.seqmap.val chooses 2 sequences")
    found = find_sequences("k", "r", missing="skip")
    assert [(each.name, each.n_frames) for each in found.sequences] == [("0002", 233)]
    given = "k/evaluate_mots.seqmap.training"
    found = find_sequences("k", "r", kitti_list="mots", seqmap=given, missing="skip")
    assert [(each.name, each.n_frames) for each in found.sequences] == [("0007", 233)]
    Path("bad").write_text("0002 empty 000000 -1\n")
    assert refused("k", "r", kitti_list="mots", seqmap="bad").message == (
        'expected the number of the last frame in column 4, got "-1"'
    )


# ---- MOT17's detectors ---------------------------------------------------------------------------


def test_detectors() -> None:
    challenge("t", "MOT17-02", "MOT17-04-SDP", "MOT17-05-DPM")
    lay("p/MOT17-02-FRCNN.txt", "p/MOT17-04.txt", "p/MOT17-05-DPM.txt")
    found = find_sequences("t", "p")
    assert pairs(found) == {
        "MOT17-02": ("t/MOT17-02/gt/gt.txt", "p/MOT17-02-FRCNN.txt"),
        "MOT17-04-SDP": ("t/MOT17-04-SDP/gt/gt.txt", "p/MOT17-04.txt"),
        "MOT17-05-DPM": ("t/MOT17-05-DPM/gt/gt.txt", "p/MOT17-05-DPM.txt"),
    }
    assert found.notes[1:] == [
        "predictions MOT17-02-FRCNN are taken as those of MOT17-02 (and 1 more)"
    ]


def test_detectors_that_do_not_say_which() -> None:
    challenge("t", "MOT17-02", "MOT17-04")
    lay("p/MOT17-02-FRCNN.txt", "p/MOT17-02-SDP.txt", "p/MOT17-04-SDP.txt")
    error = refused("t", "p")
    assert type(error) is IdError
    assert str(error) == (
        "expected one prediction of sequence MOT17-02, got 2: MOT17-02-FRCNN, MOT17-02-SDP: give "
        "those of one detector - at p"
    )
    # Other detections are no predictions of this one; and one prediction is not that of two.
    challenge("u", "MOT17-02-DPM")
    lay("q/MOT17-02-SDP.txt")
    assert "got none" in refused("u", "q").message
    challenge("v", "MOT17-02-DPM", "MOT17-02-SDP", "MOT17-04")
    lay("r/MOT17-02.txt", "r/MOT17-04.txt")
    assert "2 of 3 have none: MOT17-02-DPM, MOT17-02-SDP" in refused("v", "r").message


# ---- One side only -------------------------------------------------------------------------------


def test_sequences_of_one_side() -> None:
    challenge("t", "A", "B", "C")
    lay("p/B.txt", "p/D.txt")
    error = refused("t", "p")
    assert type(error) is InputError
    assert str(error) == (
        "expected predictions of each sequence, 2 of 3 have none: A, C: "
        'missing="zero" counts their objects as missed, missing="skip" leaves them out - at p'
    )
    error = refused("t", "p", missing="zero")
    assert str(error) == (
        "expected truth of each predicted sequence, 1 of 2 have none in t: D: "
        'missing="skip" leaves them out - at p'
    )
    found = find_sequences("t", "p", missing="skip")
    assert list(pairs(found)) == ["B"]
    assert found.notes[1:] == [
        "2 sequences without predictions (A, C): left out",
        "1 sequence without truth (D): left out",
    ]
    Path("p/D.txt").unlink()
    found = find_sequences("t", "p", missing="zero")
    assert pairs(found) == {
        "A": ("t/A/gt/gt.txt", None),
        "B": ("t/B/gt/gt.txt", "p/B.txt"),
        "C": ("t/C/gt/gt.txt", None),
    }
    assert found.notes[1:] == [
        "2 sequences without predictions (A, C): all of their objects are missed"
    ]
    assert "expected missing=" in refused("t", "p", missing="ignore").message


def test_predictions_of_what_is_not_chosen() -> None:
    # Their truth is there: that is no mistake.
    lay("t/a.txt", "t/b.txt", "p/a.txt", "p/b.txt")
    Path("list").write_text("name\na\n")
    assert list(pairs(find_sequences("t", "p", seqmap="list"))) == ["a"]
    Path("list").write_text("name\na\nz\n")
    error = refused("t", "p", seqmap="list")
    assert str(error) == (
        "expected truth of each sequence that the seqmap lists, 1 of 2 have none: z: "
        'missing="skip" leaves them out - at list'
    )
    found = find_sequences("t", "p", seqmap="list", missing="skip")
    assert found.notes[1] == (
        "the seqmap list chooses 1 sequence; 1 more are left out; 1 that it lists have no truth: "
        "left out"
    )
    Path("list").write_text("name\n")
    assert refused("t", "p", seqmap="list").message == (
        "expected a list of sequences, there is none"
    )


def test_nothing_in_common() -> None:
    challenge("t", "A", "B")
    lay("p/x.txt", "p/y.txt", "one/B-1.txt", "a/A.txt")
    error = refused("t", "p")
    assert str(error) == (
        "expected sequences of the same name on both sides, got none: truth (t) has A, B, "
        "predictions have x, y - at p"
    )
    # A folder of one file may be of another data set.
    assert "got none" in refused("a", "one").message
    Path("list").write_text("name\nA\n")
    lay("q/B.txt")
    assert refused("t", "q", seqmap="list", missing="skip").message == (
        "expected sequences that both sides have, got none of those that are chosen"
    )


def test_two_files_of_a_sequence() -> None:
    lay("t/a.txt", "p/a.txt", "p/a.txt.gz")
    error = refused("t", "p")
    assert type(error) is IdError
    assert error.message == "expected one file of sequence a, got two: p/a.txt and p/a.txt.gz"


def test_what_is_not_there() -> None:
    lay("t/a.txt")
    Path("empty").mkdir()
    assert refused("t", "absent").message == (
        "expected a file, a folder or a zip archive, there is none"
    )
    assert str(refused("t", "empty")) == (
        "expected predictions in files that end in .txt, there are none - at empty"
    )


# ---- Lengths -------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["[Sequence]\nseqLength = 12 \n", "\ufeffSEQLENGTH=12\r\n"])
def test_length(text: str) -> None:
    Path("seqinfo.ini").write_bytes(text.encode())
    assert sequence_length("seqinfo.ini") == 12


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[Sequence]\nname=x\n", "expected a line seqLength=…, there is none"),
        ("seqLength=-3\n", 'expected a whole number as seqLength, got "-3"'),
        ("seqLength=1_0\n", 'expected a whole number as seqLength, got "1_0"'),
        ("seqLength=\n", 'expected a whole number as seqLength, got ""'),
    ],
)
def test_bad_length(text: str, message: str) -> None:
    Path("seqinfo.ini").write_text(text)
    with pytest.raises(SchemaError) as raised:
        sequence_length("seqinfo.ini")
    assert raised.value.message == message
    assert raised.value.place == "seqinfo.ini"


def test_trees(home: Path) -> None:
    lay("r/b/x.txt", "r/a.txt", "r/skipped/y.txt", "r/.z/y.txt")
    zipped("r/c.zip", "m/n.txt", "m/.hidden", "skipped/n.txt")
    tree = FileTree("r", without=["skipped"])
    root = f"{home}/r"
    assert tree.files == {
        f"{root}/a.txt": "r/a.txt",
        f"{root}/b/x.txt": "r/b/x.txt",
        f"{root}/c.zip": "r/c.zip",
    }
    tree.open_zips()
    assert tree.files[f"{root}/c/m/n.txt"] == ("r/c.zip", "m/n.txt")
    assert len(tree.files) == 4
    assert list(tree.names_in(root)) == ["a.txt", "c.zip"]
    assert list(tree.names_in(f"{root}/c/m")) == ["n.txt"]
    assert tree.shown_path(f"{root}/b") == "r/b"
    assert tree.find(f"{root}/nothing") is None
