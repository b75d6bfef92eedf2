from __future__ import annotations

import csv
import gzip
import json
import os
import shutil
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen import Tracking, TrackingResult, metric_from_bytes
from snellen.cli.evaluate_tracking import tracking
from snellen.cli.root import run as run_here
from snellen.readers.tracking_files import read_tracking
from snellen.samples.tracking import TrackingSample, make_tracking_sample
from snellen.tracking.trackeval_files import trackeval_files
from tests.panoptic_maps import png_bytes
from tests.tracking_text import PRED, TRUTH, written

from .conftest import Run

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> TrackingSample:
    """Return three sequences and two trackers."""
    folder = tmp_path_factory.mktemp("sample")
    return make_tracking_sample(folder, n_frames=20, n_objects=5, draw_images=False)


@pytest.fixture
def sides(tmp_path: Path) -> tuple[Path, Path]:
    """Return the one object of `tests.tracking_text`, and its tracks."""
    return written(tmp_path / "gt.txt", TRUTH), written(tmp_path / "pred.txt", PRED)


def direct(truth: Path, pred: Path, protocol: str = "plain", **parameters: Any) -> Tracking:
    files = read_tracking(truth, pred, protocol=protocol)
    metric = Tracking(protocol=files.protocol, **parameters)
    for batch in files.batches():
        metric.update(*batch)
    return metric


def evaluated(capsys: Capture, *arguments: Any, code: int = 0) -> tuple[str, str]:
    """Evaluate in this process; return what is printed, and what is said beside."""
    done = run_here(["evaluate", "tracking", *map(str, arguments)])
    said = capsys.readouterr()
    assert done == code, said.err
    return said.out, said.err


def numbers(capsys: Capture, *arguments: Any) -> dict[str, Any]:
    printed, _ = evaluated(capsys, *arguments, "--json", "-", "--no-intervals")
    found: dict[str, Any] = json.loads(printed)
    return found


# ---- Numbers and tables --------------------------------------------------------------------------


def test_numbers_by_hand(run: Run, sides: tuple[Path, Path]) -> None:
    done = run("evaluate", "tracking", *sides, "--json", "-")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert (found["task"], found["protocol"]["name"]) == ("tracking", "plain")
    metrics = found["metrics"]
    # Frames 1, 2 and 4 match, 3 is a miss and a false positive, 4 another track than last.
    assert [metrics[name] for name in ("CLR_TP", "CLR_FN", "CLR_FP", "IDSW")] == [3, 1, 1, 1]
    assert metrics["MOTA"] == (3 - 1 - 1) / 4
    assert metrics["IDF1"] == 2 / (2 + 0.5 * 2 + 0.5 * 2)  # of 4 frames 2 are track 7
    assert metrics["DetA"] == 3 / (3 + 1 + 1)
    assert found["data"]["n_frames"] == 4
    assert "snellen: 1 sequence: truth in" in done.stderr


def test_tables(run: Run, sample: TrackingSample) -> None:
    arguments = (sample.truth, sample.predictions, "--protocol", "mot17")
    done = run("evaluate", "tracking", *arguments)
    assert done.returncode == 0, done.stderr
    result = direct(sample.truth, sample.predictions, "mot17").compute()
    lines = done.stdout.splitlines()
    heads = [i for i, line in enumerate(lines) if ": pedestrian" in line]
    assert [lines[i].split(":")[0] for i in heads] == ["HOTA", "CLEAR", "Identity", "Count"]
    for i in heads:
        assert [line.split()[0] for line in lines[i + 1 : i + 5]] == [
            *sample.sequences,
            "COMBINED",
        ]
    # In percent, five digits.
    assert lines[heads[0] + 4].split()[1] == f"{100 * result.HOTA:1.5g}"
    assert lines[heads[1] + 4].split()[1] == f"{100 * result.MOTA:1.5g}"
    assert "protocol     mot17, IoU of boxes, threshold 0.5" in lines
    assert done.stderr.splitlines() == [
        f"snellen: 3 sequences: truth in {sample.truth}, predictions in {sample.predictions}"
    ]
    plain = run("evaluate", "tracking", *arguments, env={**os.environ, "NO_COLOR": "1"})
    assert plain.stdout == done.stdout
    assert "\x1b" not in done.stdout


def test_rows_of_sequences(capsys: Capture, tmp_path: Path) -> None:
    for i in range(41):
        written(tmp_path / "gt" / f"s{i:02}.txt", TRUTH)
        written(tmp_path / "pred" / f"s{i:02}.txt", PRED)
    arguments = (tmp_path / "gt", tmp_path / "pred", "--metrics", "count", "--no-intervals")
    printed, _ = evaluated(capsys, *arguments)
    assert [line.split()[0] for line in printed.splitlines()[:2]] == ["Count:", "COMBINED"]
    printed, _ = evaluated(capsys, *arguments, "--per-sequence")
    assert [line.split()[0] for line in printed.splitlines()[1:42]] == [
        f"s{i:02}" for i in range(41)
    ]


def test_several_classes(capsys: Capture, tmp_path: Path) -> None:
    head = "frame,id,label,x,y,w,h\n"
    truth = written(tmp_path / "gt.csv", f"{head}1,1,car,0,0,9,9\n1,2,bus,20,0,9,9\n")
    pred = written(tmp_path / "pred.csv", f"{head}1,1,car,0,0,9,9\n1,2,bus,60,0,9,9\n")
    arguments = (truth, pred, "--metrics", "clear,count", "--no-intervals")
    printed, said = evaluated(capsys, *arguments, "--per-class")
    for head in ("CLEAR: bus", "CLEAR: car", "CLEAR: all classes", "Count: all classes"):
        assert f"\n{head} " in f"\n{printed}"
    assert 'track ids in "id", classes in "label", boxes (left, top, width, height) in x' in said
    found = numbers(capsys, *arguments)
    # The mean over classes of (0 - 1) / 1 and 1 / 1; over all objects (1 - 1) / 2.
    assert found["metrics"]["MOTA"] == 0
    assert [each["MOTA"] for each in found["per_class"]] == [-1, 1]
    only = numbers(capsys, *arguments, "--class", "car")
    assert (only["metrics"]["MOTA"], len(only["per_class"])) == (1, 1)


def test_class_numbers_of_text(capsys: Capture, tmp_path: Path) -> None:
    truth = written(
        tmp_path / "gt.txt", "1,1,0,0,9,9,1,1,1\n1,2,20,0,9,9,1,3,1\n1,3,40,0,9,9,1,3,1\n"
    )
    pred = written(tmp_path / "pred.txt", "1,1,0,0,9,9,1,1,-1,-1\n1,2,20,0,9,9,1,3,-1,-1\n")
    # Without --class they mean nothing.
    assert numbers(capsys, truth, pred)["metrics"]["CLR_FN"] == 1
    found = numbers(capsys, truth, pred, "--class", "1,3", "--metrics", "clear")
    assert [(each["class"], each["CLR_TP"], each["CLR_FN"]) for each in found["per_class"]] == [
        ("1", 1, 0),
        ("3", 1, 1),
    ]
    # Predictions without classes are of the one that is asked for.
    written(pred, "1,1,20,0,9,9,1,-1,-1,-1\n")
    found = numbers(capsys, truth, pred, "--class", "3")
    assert (found["metrics"]["CLR_TP"], found["metrics"]["CLR_FN"]) == (1, 1)
    printed, said = evaluated(capsys, truth, pred, "--class", "2", code=2)
    assert (printed, said.splitlines()[-1]) == (
        "",
        'Error: expected classes that the files have (1, 3), got "2".',
    )


def test_quiet(run: Run, sides: tuple[Path, Path]) -> None:
    done = run("evaluate", "tracking", *sides, "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_help() -> None:
    from click.testing import CliRunner

    text = CliRunner().invoke(tracking, ["--help"]).output
    words = " ".join(text.split())
    assert "TRUTH PREDICTIONS" in text
    for name in ("personpath22", "kitti-mots", "tao-strict", "track_map, j_and_f"):
        assert name in words


# ---- Gates ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gate", "code", "said"),
    [
        ("MOTA=25", 0, ""),  # percent
        ("MOTA=0.25", 0, ""),
        ("MOTA=25.01", 3, "snellen: MOTA is 0.25, below 0.2501"),
        ("MOTA=0.26", 3, "snellen: MOTA is 0.25, below 0.26"),
        ("MOTA=-50", 0, ""),
        ("CLR_TP=3", 0, ""),  # counts are no rates
        ("CLR_TP=4", 3, "snellen: CLR_TP is 3, below 4"),
        ("MOTAL=nan", 2, "expected a metric and a number"),
        ("MOTTA=25", 2, 'got "MOTTA". Did you mean "MOTA"?'),
    ],
)
def test_gates(capsys: Capture, sides: tuple[Path, Path], gate: str, code: int, said: str) -> None:
    _, found = evaluated(capsys, *sides, "--no-intervals", "--fail-under", gate, code=code)
    last = found.splitlines()[-1]
    assert said in last
    assert ("below" in last) == (code == 3)


def test_gates_of_other_results(capsys: Capture, tmp_path: Path) -> None:
    truth, pred = label_images(tmp_path)
    arguments = (truth, pred, "--metrics", "j_and_f")
    _, said = evaluated(capsys, *arguments, "--fail-under", "J_mean=50", code=3)
    assert said.splitlines()[-1] == "snellen: J_mean is 0.375, below 0.5"
    evaluated(capsys, *arguments, "--fail-under", "J_mean=0.3")


# ---- What does not go together -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--metrics", "hotta"], 'got "hotta". Did you mean "hota"?'),
        (["--metrics", "hota,track_map"], "expected track_map by itself, got hota too"),
        (["--metrics", "j_and_f,track_map"], "expected track_map by itself, got j_and_f too"),
        (["--metrics", "hota", "--threshold", "0.4"], "expected --threshold with --metrics clear"),
        (["--metrics", "clear", "--blocked-sums"], "expected --blocked-sums with --metrics hota"),
        (["--metrics", "hota", "--events", "e.csv"], "expected --events with --metrics clear only"),
        (["--metrics", "hota", "--tracks", "t.csv"], "expected --tracks with --metrics clear only"),
        (
            ["--metrics", "hota", "--examples", "3", "--out", "x"],
            "expected --examples with --metrics clear only",
        ),
        (
            ["--metrics", "j_and_f", "--images", ".", "--report", "--out", "x"],
            "expected --images with --metrics clear only",
        ),
        (["--semi-supervised"], "expected --semi-supervised with --metrics j_and_f only"),
        (["--metrics", "track_map", "--similarity", "giou"], "expected --similarity with"),
        (["--metrics", "track_map", "--class", "car"], "expected --class with"),
        (["--metrics", "track_map", "--per-sequence"], "expected --per-sequence with"),
        (["--metrics", "j_and_f", "--zero-distance", "3"], "expected --zero-distance with"),
        (["--metrics", "j_and_f", "--format", "trackeval", "--out", "x"], "expected --format with"),
        (["--metrics", "j_and_f", "--intervals"], "expected no --intervals"),
        (["--metrics", "j_and_f", "--protocol", "mots"], "expected --protocol plain or davis"),
        (["--metrics", "track_map", "--protocol", "kitti"], "expected --protocol tao, youtube-vis"),
        (["--metrics", "hota", "--protocol", "tao-strict"], "whose rules tao-strict are, got hota"),
        (["--zero-distance", "3"], "the similarity is iou"),
        (["--format", "trackeval"], "expected --out DIR with --format trackeval"),
        (["--events", "a.csv", "--tracks", "a.csv"], "in files of their own"),
        (["--protocol", "kitti", "--class", "cra"], 'got "cra". Did you mean "car"?'),
        (["--protocol", "mot17", "--class", "car"], 'expected a class of pedestrian, got "car"'),
        (["--class", "1,1"], 'expected each --class once, got "1" again.'),
        (["--class", "1", "--class", "2, 1"], 'expected each --class once, got "1" again.'),
        (["--tracker", "sort"], "expected no tracker with a single file, got sort"),
        (["--protocol", "kitti", "--first-frame", "1"], "expected no first frame"),
        (["--protocol", "mots", "--first-frame", "5"], "expected a first frame of 0 or 1"),
        (["--protocol", "mot18"], "'mot18' is not one of"),
        (["--missing", "no"], "'no' is not one of"),
    ],
)
def test_wrong_use(
    capsys: Capture,
    sides: tuple[Path, Path],
    monkeypatch: pytest.MonkeyPatch,
    options: list[str],
    message: str,
) -> None:
    folder = sides[0].parent
    monkeypatch.chdir(folder)
    before = sorted(folder.iterdir())
    printed, said = evaluated(capsys, *sides, *options, code=2)
    assert printed == ""
    assert message in said
    assert sorted(folder.iterdir()) == before


# ---- What is written -----------------------------------------------------------------------------


def test_events_and_tracks(capsys: Capture, sides: tuple[Path, Path], tmp_path: Path) -> None:
    events, tracks = tmp_path / "events.csv", tmp_path / "tracks.csv"
    arguments = ("--events", events, "--tracks", tracks, "--no-intervals", "--quiet")
    evaluated(capsys, *sides, *arguments)
    assert events.read_bytes().count(b"\r") == 0
    with events.open(newline="") as file:
        rows = list(csv.DictReader(file))
    sequence = sides[0].parent.name  # gt.txt is called as its folder
    assert {row["sequence"] for row in rows} == {sequence}
    assert [tuple(row.values())[2:] for row in rows] == [
        ("1", "match", "1", "7", "1.0"),
        ("2", "match", "1", "7", "1.0"),
        ("3", "miss", "1", "", ""),
        ("3", "false positive", "", "9", ""),
        ("4", "switch", "1", "8", "1.0"),
    ]
    with tracks.open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert list(row.values()) == [
        *(sequence, "object", "1", "1", "4", "4", "3", "0.75", "1", "1", "partly tracked")
    ]


def test_tracks_of_nothing_have_a_header(capsys: Capture, tmp_path: Path) -> None:
    sides = [written(tmp_path / name, "") for name in ("gt.txt", "pred.txt")]
    table = tmp_path / "tracks.csv"
    evaluated(capsys, *sides, "--tracks", table, "--no-intervals", "--quiet")
    assert table.read_text() == (
        "sequence,class,track,first_frame,last_frame,frames,matched,coverage,switches,fragments,"
        "status\n"
    )


def test_names_that_files_of_trackeval_cannot_have(capsys: Capture, tmp_path: Path) -> None:
    table = "frame,track,x,y,w,h,class\n1,1,0,0,9,9,../up\n"
    side = written(tmp_path / "a" / "b" / "side.csv", table)
    out = tmp_path / "a" / "out"
    options = ("--format", "trackeval", "--out", out, "--no-intervals", "--quiet")
    evaluated(capsys, side, side, *options)
    assert (out / "..%2Fup_summary.txt").is_file()
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["b", "out"]
    # A sequence is called as its file or folder.
    gt = written(tmp_path / "COMBINED" / "gt.txt", TRUTH)
    out = tmp_path / "other"
    _, said = evaluated(capsys, gt, gt, "--format", "trackeval", "--out", out, code=1)
    assert "expected sequences of other names than COMBINED" in said.splitlines()[-1]
    assert not out.exists() or not list(out.iterdir())


def test_files_of_trackeval(capsys: Capture, sample: TrackingSample, tmp_path: Path) -> None:
    evaluated(
        capsys, sample.truth, sample.predictions, "--protocol", "mot17", "--format", "trackeval",
        "--out", tmp_path / "out", "--metrics", "hota,clear,identity,vace,count", "--quiet",
    )  # fmt: skip
    metric = direct(
        sample.truth,
        sample.predictions,
        "mot17",
        metrics=("hota", "clear", "identity", "vace", "count"),
    )
    expected = trackeval_files(metric.compute())
    assert sorted(expected) == ["pedestrian_detailed.csv", "pedestrian_summary.txt"]
    for name, data in expected.items():
        assert (tmp_path / "out" / name).read_bytes() == data
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        *expected,
        "result.json",
        "run.json",
        "state.bin",
    }


def test_files_of_trackeval_go_with_their_run(
    capsys: Capture, sides: tuple[Path, Path], tmp_path: Path
) -> None:
    folder, of_trackeval = tmp_path / "out", ["object_detailed.csv", "object_summary.txt"]
    of_run = ["result.json", "run.json", "state.bin"]
    command = [*sides, "--out", folder, "--no-intervals", "--quiet"]

    def there() -> list[str]:
        return sorted(path.name for path in folder.iterdir())

    evaluated(capsys, *command, "--format", "trackeval")
    assert there() == [*of_trackeval, *of_run]
    record = json.loads((folder / "run.json").read_text())
    assert sorted(record["config"]["files"]) == of_trackeval
    # Another run's numbers would stand beside its own.
    (folder / "mine_summary.txt").write_text("somebody's own")
    evaluated(capsys, *command)
    assert there() == ["mine_summary.txt", *of_run]
    assert "files" not in json.loads((folder / "run.json").read_text())["config"]
    # Names that lead elsewhere are nobody's.
    record["config"]["files"] = ["", "..", "../away.txt", "states", "mine_summary.txt/x"]
    (folder / "run.json").write_text(json.dumps(record))
    (tmp_path / "away.txt").write_text("elsewhere")
    (folder / "states").mkdir()
    (folder / "states" / "notes.txt").write_text("somebody's own")
    evaluated(capsys, *command)
    assert there() == ["mine_summary.txt", *of_run, "states"]
    assert (tmp_path / "away.txt").is_file()
    # All files, or none.
    (tmp_path / "none" / "result.json").mkdir(parents=True)
    (tmp_path / "none" / "result.json" / "in the way").touch()
    command[3] = tmp_path / "none"
    evaluated(capsys, *command, "--format", "trackeval", code=1)
    assert [path.name for path in (tmp_path / "none").iterdir()] == ["result.json"]


@pytest.mark.parametrize("quiet", [True, False])
def test_which_files_of_trackeval_were_written(
    capsys: Capture, sides: tuple[Path, Path], tmp_path: Path, *, quiet: bool
) -> None:
    folder = tmp_path / "out"
    options = ["--format", "trackeval", "--out", folder, "--no-intervals"]
    _, said = evaluated(capsys, *sides, *options, *(["--quiet"] if quiet else []))
    wrote = [line for line in said.splitlines() if line.startswith("wrote ")]
    assert wrote == (
        []
        if quiet
        else [
            f"wrote object_summary.txt, object_detailed.csv to {folder}",
            f"wrote run.json, result.json and state.bin to {folder}",
        ]
    )


def test_json_beside_the_tables(capsys: Capture, sides: tuple[Path, Path], tmp_path: Path) -> None:
    path = tmp_path / "result.json"
    printed, _ = evaluated(capsys, *sides, "--json", path, "--no-intervals")
    assert printed.startswith("HOTA: object")
    assert json.loads(path.read_text()) == numbers(capsys, *sides)


def test_state_merges(capsys: Capture, sample: TrackingSample, tmp_path: Path) -> None:
    first, *others = sample.sequences
    for part, names in (("a", [first]), ("b", others)):
        for name in names:
            shutil.copytree(sample.truth / name, tmp_path / part / name)
        _, said = evaluated(
            capsys, tmp_path / part, sample.predictions, "--missing", "skip", "--no-intervals",
            "--events", tmp_path / f"{part}.csv", "--out", tmp_path / f"out_{part}",
        )  # fmt: skip
        assert "without truth" in said
    evaluated(
        capsys, sample.truth, sample.predictions, "--events", tmp_path / "e.csv", "--no-intervals",
        "--out", tmp_path / "whole", "--threads", 1,
    )  # fmt: skip
    parts = [str(tmp_path / f"out_{part}") for part in "ba"]
    assert run_here(["merge", *parts, "--out", str(tmp_path / "merged"), "--no-intervals"]) == 0
    merged, whole = (tmp_path / name / "state.bin" for name in ("merged", "whole"))
    assert merged.read_bytes() == whole.read_bytes()
    state = metric_from_bytes(whole.read_bytes())
    assert isinstance(state, Tracking)
    assert str(state.compute()) == str(direct(sample.truth, sample.predictions).compute())
    capsys.readouterr()
    assert run_here(["merge", parts[0], parts[0]]) == 1
    assert "expected each sequence once, got 2 in both" in capsys.readouterr().err


def test_threads_change_nothing(capsys: Capture, sample: TrackingSample, tmp_path: Path) -> None:
    for n in (1, 3):
        arguments = ("--threads", n, "--out", tmp_path / str(n), "--no-intervals", "--quiet")
        evaluated(capsys, sample.truth, sample.predictions, *arguments)
    states = [(tmp_path / str(n) / "state.bin").read_bytes() for n in (1, 3)]
    assert states[0] == states[1]


def test_trackers_are_compared(run: Run, sample: TrackingSample, tmp_path: Path) -> None:
    for name, pred in (("a", sample.predictions), ("b", sample.predictions_b)):
        assert run_here(
            ["evaluate", "tracking", str(sample.truth), str(pred), "--protocol", "mot17",
             "--out", str(tmp_path / name), "--quiet", "--no-intervals"]
        ) == 0  # fmt: skip
    done = run("compare", tmp_path / "a", tmp_path / "b", "--json", "-")
    assert done.returncode == 0, done.stderr
    differences = json.loads(done.stdout)["differences"]
    assert [each["metric"] for each in differences] == ["HOTA", "MOTA", "IDF1"]
    for each in differences:
        results = [
            direct(sample.truth, pred, "mot17").compute().metrics[each["metric"]]
            for pred in (sample.predictions, sample.predictions_b)
        ]
        assert each["difference"] == pytest.approx(results[1] - results[0], rel=1e-12, abs=0)


# ---- Files however they lie ----------------------------------------------------------------------


def hota_of(capsys: Capture, *arguments: Any) -> float:
    found: float = numbers(capsys, *arguments)["metrics"]["HOTA"]
    return found


def test_layouts_give_the_same(capsys: Capture, sample: TrackingSample, tmp_path: Path) -> None:
    expected = direct(sample.truth, sample.predictions).compute().HOTA
    archive = tmp_path / "submission.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("__MACOSX/._x.txt", "")
        for name in sample.sequences:
            packed.write(sample.predictions / f"{name}.txt", f"MyTracker/data/{name}.txt")
            text = (sample.predictions / f"{name}.txt").read_bytes()
            written(tmp_path / "packed" / f"{name}.txt.gz", gzip.compress(text))
            spaced = b"\xef\xbb\xbf" + text.replace(b",", b"\t").replace(b"\n", b"\r\n")
            written(tmp_path / "spaced" / f"{name}.txt", spaced)
            written(tmp_path / "semicolons" / f"{name}.txt", text.replace(b",", b"; "))
    assert hota_of(capsys, sample.truth, archive) == expected
    for folder in ("packed", "spaced", "semicolons"):
        assert hota_of(capsys, sample.truth, tmp_path / folder) == expected
    assert hota_of(capsys, sample.truth, sample.predictions_b) > expected


def test_missing_sequences(capsys: Capture, tmp_path: Path) -> None:
    for name in "ab":
        written(tmp_path / "gt" / name / "gt" / "gt.txt", TRUTH)
    written(tmp_path / "pred" / "a.txt", PRED)
    arguments = (tmp_path / "gt", tmp_path / "pred", "--metrics", "clear")
    zero = numbers(capsys, *arguments, "--missing", "zero")
    assert [zero["metrics"][name] for name in ("CLR_TP", "CLR_FN")] == [3, 1 + 4]
    skip = numbers(capsys, *arguments, "--missing", "skip")
    assert [skip["metrics"][name] for name in ("CLR_TP", "CLR_FN")] == [3, 1]
    _, said = evaluated(capsys, *arguments, "--missing", "zero", "--no-intervals")
    assert "1 sequence without predictions (b): all of their objects are missed" in said


def test_missing_sequence_under_rules_with_classes(
    capsys: Capture, sample: Any, tmp_path: Path
) -> None:
    """What is not there has neither classes nor none."""
    first, *others = sorted(sample.predictions.iterdir())
    for file in others:
        written(tmp_path / "pred" / file.name, file.read_bytes())
    arguments = (sample.truth, tmp_path / "pred", "--protocol", "mot17", "--metrics", "count")
    zero = numbers(capsys, *arguments, "--missing", "zero")
    by_sequence = {record["sequence"]: record for record in zero["per_sequence"]}
    assert by_sequence[first.stem]["Dets"] == 0
    assert by_sequence[first.stem]["GT_Dets"] > 0
    assert all(by_sequence[file.stem]["Dets"] > 0 for file in others)


def test_empty_sides(capsys: Capture, sides: tuple[Path, Path]) -> None:
    truth, pred = sides
    written(pred, "")
    printed, said = evaluated(capsys, truth, pred, "--no-intervals")
    assert "expected objects in predictions, there are none: is it the right file?" in said
    assert "undefined    DetPr: " in printed
    assert numbers(capsys, truth, pred)["metrics"]["MOTA"] == 0
    written(truth, "")
    _, said = evaluated(capsys, truth, pred, "--no-intervals")
    assert "expected objects in truth, there are none" in said
    assert numbers(capsys, truth, pred)["metrics"]["HOTA"] is None


def test_swapped_sides_are_doubted(capsys: Capture, sides: tuple[Path, Path]) -> None:
    _, said = evaluated(capsys, sides[1], sides[0], "--no-intervals")
    assert "snellen: warning: are truth and predictions swapped?" in said
    _, said = evaluated(capsys, *sides, "--no-intervals")
    assert "warning" not in said
    written(sides[0], TRUTH.replace(",1,1,1\n", ",0.7\n"))
    _, said = evaluated(capsys, *sides, "--no-intervals")
    assert (
        "warning: 4 of 4 flags (column 7) of truth are between 0 and 1; such objects count" in said
    )
    _, said = evaluated(capsys, *sides, "--no-intervals", "--protocol", "mot15")
    assert "such objects do not count, as in TrackEval" in said


def test_frames_from_zero(capsys: Capture, sides: tuple[Path, Path]) -> None:
    truth, pred = sides
    found = numbers(capsys, *sides)
    for path in sides:
        lines = [line.split(",", 1) for line in path.read_text().splitlines()]
        written(path, "".join(f"{int(frame) - 1},{rest}\n" for frame, rest in lines))
    again = numbers(capsys, truth, pred, "--first-frame", 0)
    assert again["metrics"] == found["metrics"]
    assert again["data"]["n_frames"] == 4
    assert again["protocol"]["first_frame"] == 0


def test_points(capsys: Capture, tmp_path: Path) -> None:
    truth = written(tmp_path / "gt.csv", "frame,id,x,y\n1,1,5,5\n2,1,5,5\n")
    pred = written(tmp_path / "pred.csv", "frame,id,x,y\n1,1,5,6\n2,1,5,10\n")
    arguments = (truth, pred, "--metrics", "clear")
    _, said = evaluated(capsys, *arguments, "--no-intervals")
    assert (
        "objects are points: they are alike by distance, not at all from 2 on (--zero-distan"
        in said
    )
    # Distances 1 and 5: similarities 1 - 1 / 2 and 0, then 1 - 1 / 10 and 1 - 5 / 10.
    assert numbers(capsys, *arguments)["metrics"]["MOTP"] == 0.5
    wide = numbers(capsys, *arguments, "--zero-distance", 10)
    assert wide["metrics"]["CLR_TP"] == 2
    assert wide["metrics"]["MOTP"] == (0.9 + 0.5) / 2


def test_formats_are_told_by_content(capsys: Capture, tmp_path: Path) -> None:
    row = "{} 1 Car 0 0 -1.5 10 20 40 60 1.5 1.6 3.7 1 1 20 1.5\n"
    kitti = written(tmp_path / "0000.txt", row.format(0) + row.format(1))
    found = numbers(capsys, kitti, kitti)
    assert (found["per_class"][0]["class"], found["data"]["n_frames"]) == ("car", 2)
    in_space = numbers(capsys, kitti, kitti, "--similarity", "iou_3d")
    assert in_space["metrics"]["CLR_TP"] == 2
    mots = written(tmp_path / "mots.txt", "1 2001 2 10 1 0:\n2 2001 2 10 1 0:\n")
    found = numbers(capsys, mots, mots)
    assert found["protocol"]["similarity"] == "mask_iou"
    assert found["metrics"]["HOTA"] == 1
    names = "frame,id,left,top,width,height,conf\n"
    table = written(tmp_path / "named.txt", names + PRED.replace(",-1,-1,-1\n", "\n"))
    text = written(tmp_path / "gt.txt", TRUTH)
    assert numbers(capsys, text, table)["metrics"]["MOTA"] == 0.25


def bdd(names: str, shift: int = 0) -> list[dict[str, Any]]:
    box = {"x1": shift, "y1": 0, "x2": 10, "y2": 10}
    label = {"id": "1", "category": "car", "box2d": box}
    return [
        {"videoName": name, "frameIndex": t, "labels": [label]} for name in names for t in (0, 1)
    ]


def test_bdd_in_files_and_folders(capsys: Capture, tmp_path: Path) -> None:
    one = {
        side: written(tmp_path / f"{side}.json", json.dumps(bdd("ab", shift)))
        for side, shift in (("gt", 0), ("pred", 2))
    }
    for side, shift in (("gt", 0), ("pred", 2)):
        for name in "ab":
            written(tmp_path / side / f"{name}.json", json.dumps(bdd(name, shift)))
    states = []
    for i, truth in enumerate((one["gt"], tmp_path / "gt")):
        for k, pred in enumerate((one["pred"], tmp_path / "pred")):
            out = tmp_path / f"out{i}{k}"
            evaluated(capsys, truth, pred, "--protocol", "bdd100k", "--no-intervals", "--out", out)
            states.append((out / "state.bin").read_bytes())
    assert len(set(states)) == 1
    metric = metric_from_bytes(states[0])
    result: Any = metric.compute()
    assert result.sequences == ["a", "b"]
    cars = next(each for each in result.per_class() if each["class"] == "car")
    assert (cars["CLR_TP"], cars["MOTP"]) == (4, 0.8)
    written(one["pred"], json.dumps(bdd("a", 2)))
    arguments = (tmp_path / "gt", one["pred"], "--class", "car", "--metrics", "clear")
    zero = numbers(capsys, *arguments, "--missing", "zero")
    assert (zero["metrics"]["CLR_TP"], zero["metrics"]["CLR_FN"]) == (2, 2)
    skip = numbers(capsys, *arguments, "--missing", "skip")
    assert (skip["metrics"]["CLR_TP"], skip["metrics"]["CLR_FN"]) == (2, 0)


# ---- Videos in COCO's manner, track mAP, J and F -------------------------------------------------


def videos(tmp_path: Path) -> tuple[Path, Path]:
    """Write a car in three frames, found in two; and a bus that is another class's."""
    document = {
        "videos": [{"id": 1, "name": "street"}],
        "categories": [{"id": 1, "name": "car"}, {"id": 2, "name": "bus"}],
        "images": [{"id": 10 + t, "video_id": 1, "frame_id": t} for t in range(3)],
        "annotations": [
            {"id": t, "image_id": 10 + t, "category_id": 1, "track_id": 5, "bbox": [0, 0, 8, 8]}
            for t in range(3)
        ],
    }
    record = {"track_id": 1, "category_id": 1, "bbox": [0, 0, 8, 8], "score": 0.9}
    records = [{**record, "image_id": 10}, {**record, "image_id": 11}]
    return (
        written(tmp_path / "gt.json", json.dumps(document)),
        written(tmp_path / "pred.json", json.dumps(records)),
    )


def test_coco_videos(capsys: Capture, tmp_path: Path) -> None:
    truth, pred = videos(tmp_path)
    found = numbers(capsys, truth, pred)
    assert found["metrics"]["MOTA"] == 2 / 3
    assert [each["sequence"] for each in found["per_sequence"]] == ["street", "COMBINED"]
    archive = tmp_path / "results.zip"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.write(pred, "results.json")
    assert numbers(capsys, truth, archive)["metrics"] == found["metrics"]


def test_track_map(capsys: Capture, tmp_path: Path) -> None:
    truth, pred = videos(tmp_path)
    found = numbers(capsys, truth, pred, "--metrics", "track_map")
    # IoU 2 / 3 over all frames: found at 0.50 to 0.65, four of ten thresholds.
    assert found["metrics"]["AP50"] == pytest.approx(1, rel=1e-12, abs=0)
    assert found["metrics"]["AP"] == pytest.approx(0.4, rel=1e-12, abs=0)
    assert found["protocol"]["name"] == "tao"
    strict = numbers(capsys, truth, pred, "--protocol", "tao-strict")
    assert strict["protocol"]["name"] == "tao-strict"
    assert strict["metrics"]["AP"] == found["metrics"]["AP"]
    printed, _ = evaluated(
        capsys, truth, pred, "--protocol", "tao-strict", "--fail-under", "AP=40.1", code=3
    )
    assert printed.startswith("track mAP")
    text = (written(tmp_path / "gt.txt", TRUTH), written(tmp_path / "pred.txt", PRED))
    # The best of three tracks has IoU 2 / 4 with the object; it comes first or second by score.
    assert numbers(capsys, *text, "--metrics", "track_map")["metrics"]["AP50"] == pytest.approx(
        1, rel=1e-12, abs=0
    )


def test_classes_that_were_not_looked_for(capsys: Capture, tmp_path: Path) -> None:
    truth, pred = videos(tmp_path)
    records = json.loads(pred.read_text())
    # A bus, of which nobody knows whether it is there.
    written(pred, json.dumps([*records, {**records[0], "category_id": 2, "track_id": 2}]))
    document = json.loads(truth.read_text())
    document["categories"].append({"id": 3, "name": "tram"})
    document["videos"][0]["neg_category_ids"] = [3]
    written(truth, json.dumps(document))
    _, said = evaluated(capsys, truth, pred, "--no-intervals")
    assert "left out with --protocol tao" in said
    found = numbers(capsys, truth, pred, "--metrics", "clear")
    assert {each["class"]: each["CLR_FP"] for each in found["per_class"]}["bus"] == 1
    found = numbers(capsys, truth, pred, "--metrics", "clear", "--protocol", "tao")
    assert {each["class"]: each["CLR_FP"] for each in found["per_class"]}["bus"] == 0
    assert found["data"]["n_pred_left_out"] == 1


def test_youtube_vis(capsys: Capture, tmp_path: Path) -> None:
    mask = {"size": [4, 4], "counts": [0, 4, 12]}
    document = {
        "videos": [{"id": 1, "length": 2}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [{"id": 1, "video_id": 1, "category_id": 1, "segmentations": [mask, mask]}],
    }
    record = {"video_id": 1, "category_id": 1, "score": 0.5, "segmentations": [mask, None]}
    truth = written(tmp_path / "gt.json", json.dumps(document))
    pred = written(tmp_path / "pred.json", json.dumps([record]))
    found = numbers(capsys, truth, pred, "--metrics", "track_map")
    assert found["protocol"]["name"] == "youtube-vis"
    assert found["metrics"]["AP50"] == pytest.approx(1, rel=1e-12, abs=0)  # IoU 1 / 2
    assert found["metrics"]["AP75"] == 0
    printed, said = evaluated(capsys, truth, pred, "--no-intervals")
    assert "objects are masks: they are alike by mask_iou" in said
    assert "IoU of masks" in printed


def label_images(folder: Path) -> tuple[Path, Path]:
    """Write two frames: an object of 4 pixels of which 3 are found, then none, under another id."""
    truth = np.zeros((8, 8), np.uint8)
    truth[2:4, 2:4] = 1
    found = np.where(truth == 1, 3, 0).astype(np.uint8)
    found[3, 3] = 0
    for side, images in (("gt", (truth, truth)), ("pred", (found, 0 * found))):
        for t, image in enumerate(images):
            written(folder / side / "bear" / f"{t:05}.png", png_bytes(image))
    return folder / "gt", folder / "pred"


def test_j_and_f(capsys: Capture, tmp_path: Path) -> None:
    truth, pred = label_images(tmp_path)
    found = numbers(capsys, truth, pred, "--metrics", "j_and_f")
    assert found["metrics"]["J_mean"] == (3 / 4 + 0) / 2
    assert numbers(capsys, truth, pred, "--metrics", "j_and_f", "--protocol", "davis") == found
    hota = numbers(capsys, truth, pred)
    assert hota["protocol"]["similarity"] == "mask_iou"
    assert hota["metrics"]["CLR_TP"] == 1
    # With ids: object 1 has no track 1; of a third frame in the middle only.
    for side in (truth, pred):
        shutil.copy(side / "bear" / "00001.png", side / "bear" / "00002.png")
        shutil.copy(side / "bear" / "00000.png", side / "bear" / "00001.png")
    arguments = (truth, pred, "--metrics", "j_and_f", "--semi-supervised")
    assert numbers(capsys, *arguments)["metrics"]["J_mean"] == 0
    by_fit = numbers(capsys, *arguments[:-1])
    assert by_fit["metrics"]["J_mean"] == (3 / 4 + 3 / 4 + 0) / 3
    assert by_fit["protocol"]["match"] == "J"


def test_result_can_be_loaded(capsys: Capture, sides: tuple[Path, Path], tmp_path: Path) -> None:
    evaluated(capsys, *sides, "--out", tmp_path / "out", "--quiet", "--no-intervals")
    state: Any = metric_from_bytes((tmp_path / "out" / "state.bin").read_bytes())
    result = state.compute()
    assert isinstance(result, TrackingResult)
    stored = json.loads((tmp_path / "out" / "result.json").read_text())
    assert stored["metrics"]["MOTA"] == result.MOTA == 0.25
