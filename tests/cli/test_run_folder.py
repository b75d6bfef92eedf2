"""The folder that ``--out`` writes: run.json, page, examples, and what merging makes of them."""

from __future__ import annotations

import calendar
import contextlib
import getpass
import hashlib
import json
import os
import platform
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

from snellen.cli.beside import Beside, Wanted
from snellen.cli.output import Output, output_options
from snellen.cli.picture_folder import PictureFolder
from snellen.cli.recording import Invocation
from snellen.cli.root import run as run_here
from snellen.run.data_digests import DataDigests, DataSource, data_digest
from snellen.run.examples import Example, Examples
from snellen.run.stored_run import StoredRun

from .conftest import Run, annotation, truth_document

Files = tuple[Path, Path]
PNG = b"\x89PNG\r\n\x1a\n and so on"


def record_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "run.json").read_bytes())
    return found


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


# ---- run.json -----------------------------------------------------------------------------------


def test_what_run_json_says(run: Run, files: Files, tmp_path: Path) -> None:
    truth, results = files
    before = time.time()
    done = run(
        "evaluate", "detection", "truth.json", "./results.json", "--out", "out/run",
        "--max-detections", "1,10", "--fail-under", "AP=0.1", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0
    assert done.stderr == "wrote run.json, result.json and state.bin to out/run\n"
    record = record_of(tmp_path / "out" / "run")
    assert set(record) == {
        *("schema", "task", "command", "began", "seconds", "config", "versions", "machine"),
        *("data", "protocol", "metrics", "headline", "lower_is_better", "neither_is_better"),
    }
    assert (record["schema"], record["task"]) == ("snellen.run/1", "detection")
    assert record["command"][:5] == [
        *("snellen", "evaluate", "detection", "truth.json", "./results.json")
    ]
    began = time.strptime(record["began"], "%Y-%m-%dT%H:%M:%SZ")
    assert before - 2 < calendar.timegm(began) <= time.time()
    assert 0 < record["seconds"] <= time.time() - before
    assert record["config"]["max-detections"] == [1, 10]
    assert record["config"]["protocol"] is None
    assert not {"out", "json", "quiet", "report", "fail-under"} & set(record["config"])
    assert record["data"] == [
        {
            "role": role,
            "name": name,
            "bytes": path.stat().st_size,
            "sha256": sha(path.read_bytes()),
        }
        for role, name, path in (
            ("truth", "truth.json", truth),
            ("predictions", "./results.json", results),
        )
    ]
    stored = json.loads((tmp_path / "out" / "run" / "result.json").read_bytes())
    assert record["metrics"] == stored["metrics"]
    assert record["metrics"]["AP_large"] is None
    assert record["protocol"] == stored["protocol"]
    assert record["headline"] == ["AP", "AP50", "AP75"]
    assert set(record["versions"]) == {"snellen", "core", "python", "numpy"}
    assert set(record["machine"]) == {"cpu", "processors", "memory_gib", "system"}


@pytest.mark.usefixtures("files")
def test_no_name_of_host_or_user(run: Run, tmp_path: Path) -> None:
    run("evaluate", "detection", "truth.json", "results.json", "--out", "out", cwd=tmp_path)
    text = (tmp_path / "out" / "run.json").read_text()
    assert str(tmp_path) not in text
    for name in (platform.node(), getpass.getuser()):
        if len(name) > 3 and name != "root":
            assert name not in text
    assert '"root"' not in text
    assert f'"{platform.node()}"' not in text


def test_the_same_command_writes_the_same_but_for_the_clock(
    run: Run, files: Files, tmp_path: Path
) -> None:
    records = []
    for _ in range(2):
        run("evaluate", "detection", *files, "--out", tmp_path / "out")
        records.append(record_of(tmp_path / "out"))
        del records[-1]["began"], records[-1]["seconds"]
    assert records[0] == records[1]


def test_bytes_of_a_path_that_are_no_text(run: Run, files: Files, tmp_path: Path) -> None:
    run("evaluate", "detection", *files, "--out", tmp_path / "a", "--quiet")
    odd = tmp_path / os.fsdecode(b"p\xffrt")
    try:
        (tmp_path / "a").rename(odd)
    except OSError:
        pytest.skip("this file system has only names that are text")
    done = run("merge", odd, "--out", tmp_path / "out", "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    record = record_of(tmp_path / "out")
    assert record["data"][0]["name"].endswith(r"p\udcffrt")
    assert record["config"]["merged_from"][0]["run"].endswith(r"p\udcffrt")


def test_lists_pages_and_comparisons_of_folders_whose_names_are_no_text(
    run: Run, files: Files, tmp_path: Path
) -> None:
    odd = os.fsdecode(b"o\xff")
    for name in ("plain", odd):
        done = run("evaluate", "detection", *files, "--out", name, "--quiet", cwd=tmp_path)
        if name == odd and not (tmp_path / odd).is_dir():
            pytest.skip("this file system has only names that are text")
    done = run("runs", ".", "--json", "-", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    listed = json.loads(done.stdout)["runs"]
    assert [each["name"] for each in listed] == [r"o\udcff", "plain"]
    assert [each["path"] for each in listed] == [r"o\udcff", "plain"]
    done = run("compare", odd, "plain", "--json", "-", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["runs"] == [r"o\udcff", "plain"]
    for out in ("page.html", "tables.md"):
        done = run("report", odd, "plain", "-o", out, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
        assert r"\udcff and plain" in (tmp_path / out).read_text(encoding="utf-8")


def test_other_folders_are_refused_before_the_work(run: Run, files: Files, tmp_path: Path) -> None:
    (tmp_path / "trained").mkdir()
    (tmp_path / "trained" / "description.json").write_text("{}")
    done = run("evaluate", "detection", *files, "--out", tmp_path / "trained")
    assert done.returncode == 1
    assert done.stdout == ""
    assert "expected a folder for a run, got that of a training" in done.stderr
    assert [path.name for path in (tmp_path / "trained").iterdir()] == ["description.json"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--report"], "expected --out DIR with --report"),
        (["--examples", "3"], "expected --out DIR with --examples"),
        (["--examples", "2001", "--out", "x"], "2001 is not in the range 0<=x<=2000"),
    ],
)
def test_wrong_usage(run: Run, files: Files, arguments: list[str], message: str) -> None:
    done = run("evaluate", "detection", *files, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "expected --out DIR with --images"),
        (["--out", "x"], "expected --examples N or --report with --images"),
        (["--out", "x", "--report", "--examples", "0"], "expected --examples N or --report with"),
    ],
)
@pytest.mark.parametrize("task", ["classification", "panoptic"])
def test_image_files_of_no_page(
    task: str, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_here(["evaluate", task, "truth", "pred", "--images", "pictures", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert message in said.err


@pytest.mark.parametrize(
    ("task", "default"),
    [
        ("classification", "TRUTH where it is a folder, else the folder images beside it"),
        ("panoptic", "the folder images beside TRUTH"),
        ("regression", "the folder images beside TRUTH"),
        ("segmentation", "the folder images beside TRUTH"),
        ("tracking", "SEQUENCE/img1 in TRUTH, or where else its layout has them"),
    ],
)
def test_where_image_files_are_without_a_word(
    task: str, default: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_here(["evaluate", task, "--help"]) == 0
    assert f"[default: {default}]" in " ".join(capsys.readouterr().out.split())


# ---- Digests ------------------------------------------------------------------------------------


def test_the_digest_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "1.txt").write_bytes(b"one")
    (tmp_path / "a.txt").write_bytes(b"")
    lines = f"a.txt\0000\0{sha(b'')}\nb/1.txt\0003\0{sha(b'one')}\n".encode()
    found = data_digest(DataSource("truth", str(tmp_path)))
    assert (found.bytes, found.files, found.of) == (3, 2, "content")
    assert found.sha256 == sha(lines)


def test_of_a_large_folder_names_and_sizes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snellen.run.data_digests._MOST_FILES", 1)
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(name.encode() * 2)
    found = data_digest(DataSource("truth", str(tmp_path)))
    assert (found.files, found.of) == (2, "names and sizes")
    assert found.sha256 == sha(b"a\0002\nb\0002\n")


def test_what_has_no_digest(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    names = [str(tmp_path / "pipe"), str(loop), str(tmp_path / "gone"), "a\0b"]
    found = DataDigests([DataSource("truth", name) for name in names]).result()
    assert [(each.name, each.bytes, each.sha256) for each in found] == [
        (name, 0, "") for name in names
    ]


def test_links_to_folders_are_not_followed_round_and_round(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"a")
    (tmp_path / "again").symlink_to(tmp_path)
    (tmp_path / "self").symlink_to("self")
    assert data_digest(DataSource("truth", str(tmp_path))).files == 1


def test_files_that_nobody_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a/1.txt", "b/2.txt", "b/3.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(name.encode())
    files = [str(tmp_path / name) for name in ("b/2.txt", "a/1.txt")]
    lines = [f"{name}\0007\0{sha(name.encode())}\n" for name in ("a/1.txt", "b/2.txt")]
    found = data_digest(DataSource.of_files("truth-labels", files))
    assert (found.name, found.bytes, found.files, found.of) == (str(tmp_path), 14, 2, "content")
    assert found.sha256 == sha("".join(lines).encode())
    found = data_digest(DataSource.of_files("truth-images", files, sizes_only=True))
    assert (found.files, found.of) == (2, "names and sizes")
    assert found.sha256 == sha(b"a/1.txt\0007\nb/2.txt\0007\n")
    # Where texts of folders begin with nothing in common.
    monkeypatch.chdir(tmp_path)
    within = data_digest(DataSource.of_files("truth-labels", ["b/2.txt", "a/1.txt"]))
    assert (within.name, within.sha256) == (".", sha("".join(lines).encode()))
    monkeypatch.chdir(tmp_path / "a")
    beside = data_digest(DataSource.of_files("truth-labels", ["1.txt", "../b/2.txt"]))
    assert (beside.name, beside.sha256) == ("..", within.sha256)
    assert DataSource.of_files("truth-labels", ["1.txt"]).name == "."
    # One that is gone by now leaves no digest of the others, which would be of less than was read.
    gone = data_digest(DataSource.of_files("truth-labels", [*files, str(tmp_path / "gone")]))
    assert (gone.bytes, gone.sha256) == (0, "")


def changes(run: Run, folder: Path, arguments: list[str], file: Path) -> set[str]:
    """Return the roles whose digest is another when a file's last byte is."""
    digests = []
    for _ in range(2):
        done = run(*arguments, "--out", "out", "--quiet", cwd=folder)
        assert done.returncode == 0, done.stderr
        data = record_of(folder / "out")["data"]
        assert all(each["sha256"] for each in data)
        assert str(folder) not in json.dumps(data)
        digests.append({each["role"]: each["sha256"] for each in data})
        assert len(digests[-1]) == len(data)
        content = file.read_bytes()
        file.write_bytes(content + b"\n")
    assert digests[0].keys() == digests[1].keys()
    return {role for role in digests[0] if digests[0][role] != digests[1][role]}


def test_label_maps_beside_panoptic_json_have_digests(run: Run, tmp_path: Path) -> None:
    run("sample", "segmentation", tmp_path / "s", "--images", 2, "--no-images", "--quiet")
    folder = tmp_path / "s" / "panoptic"
    arguments = ["evaluate", "panoptic", "truth.json", "predictions.json"]
    changed = next((folder / "truth").glob("*.png"))
    assert changes(run, folder, arguments, changed) == {"truth-images"}
    changed = next((folder / "predictions").glob("*.png"))
    assert changes(run, folder, arguments, changed) == {"prediction-images"}
    # Named, they are what was named, once.
    named = ["--truth-images", "truth", "--prediction-images", "predictions"]
    assert changes(run, folder, [*arguments, *named], changed) == {"prediction-images"}


@pytest.mark.parametrize("command", ["segmentation", "boundary", "surface"])
def test_listed_label_images_have_digests(run: Run, tmp_path: Path, command: str) -> None:
    run("sample", "segmentation", tmp_path / "s", "--images", 2, "--no-images", "--quiet")
    names = sorted(path.name for path in (tmp_path / "s" / "truth").iterdir())
    lines = [f"truth/{name},predictions/{name}\n" for name in names]
    (tmp_path / "s" / "pairs.txt").write_text("".join(lines))
    arguments = ["evaluate", command, "s/pairs.txt", "--classes", "s/classes.json"]
    changed = tmp_path / "s" / "truth" / names[1]
    assert changes(run, tmp_path, arguments, changed) == {"truth-images"}


def test_what_yolo_reads_elsewhere_has_digests(run: Run, tmp_path: Path) -> None:
    from PIL import Image

    for folder in ("set/images", "set/labels", "found"):
        (tmp_path / folder).mkdir(parents=True)
    Image.new("RGB", (40, 30)).save(tmp_path / "set" / "images" / "a.png")
    (tmp_path / "set" / "labels" / "a.txt").write_text("0 0.5 0.5 0.2 0.2\n")
    (tmp_path / "set" / "data.yaml").write_text("val: images\nnames: [cat]\n")
    (tmp_path / "found" / "a.txt").write_text("0 0.5 0.5 0.2 0.3 0.9\n")
    arguments = ["evaluate", "detection", "set/labels", "found", "--format", "yolo"]
    described = tmp_path / "set" / "data.yaml"
    assert changes(run, tmp_path, arguments, described) == {"truth-description"}
    picture = tmp_path / "set" / "images" / "a.png"
    assert changes(run, tmp_path, arguments, picture) == {"truth-images"}
    arguments[2] = "set/data.yaml"
    label = tmp_path / "set" / "labels" / "a.txt"
    assert changes(run, tmp_path, arguments, label) == {"truth-labels"}
    arguments[2] = "set"
    assert changes(run, tmp_path, arguments, label) == {"truth"}


def test_lists_and_lengths_of_sequences_have_digests(run: Run, tmp_path: Path) -> None:
    truth = tmp_path / "gt" / "mot_challenge" / "MINE-train"
    for name in ("one", "two"):
        (truth / name / "gt").mkdir(parents=True)
        (truth / name / "gt" / "gt.txt").write_text("1,1,0,0,10,10,1,1,1\n")
        (truth / name / "seqinfo.ini").write_text("[Sequence]\nseqLength=1\n")
    (tmp_path / "found").mkdir()
    (tmp_path / "found" / "one.txt").write_text("1,1,0,0,10,9,1,-1,-1,-1\n")
    seqmap = truth.parent / "seqmaps" / "MINE-train.txt"
    seqmap.parent.mkdir()
    seqmap.write_text("name\none\n")
    arguments = ["evaluate", "tracking", "gt/mot_challenge/MINE-train", "found"]
    assert changes(run, tmp_path, arguments, seqmap) == {"sequences"}
    assert changes(run, tmp_path, arguments, truth / "one" / "seqinfo.ini") == {"truth"}
    arguments[2:] = [f"{arguments[2]}/one/gt/gt.txt", "found/one.txt"]
    assert changes(run, tmp_path, arguments, truth / "one" / "seqinfo.ini") == {"sequences"}


# ---- What is kept beside ------------------------------------------------------------------------


def evaluate_with(
    beside: Callable[[Wanted], Beside], folder: Path, *arguments: str, metric: Any
) -> None:
    """Run a command that evaluates nothing but hands over a metric."""

    @click.command()
    @output_options
    def command(output: Output) -> None:
        output.check(metric)
        output.deliver(metric, beside=beside)

    with contextlib.suppress(SystemExit):
        command.main(
            ["--out", str(folder), "--quiet", *arguments],
            obj=Invocation(("evaluate", *arguments), 0.0),
            standalone_mode=False,
        )


def some(task: str, badness: float, picture: str = "7.png", n: int = 1) -> Examples:
    images = [
        Example(id=f"{badness - k}", name="7", picture=picture, badness=badness - k)
        for k in range(n)
    ]
    return Examples("snellen.examples/1", task, "the worst", 10, images, about={"iou": 0.5})


def detected(seed: int, **rules: Any) -> Any:
    """Return a metric of one image, whose number is the seed."""
    from snellen import AveragePrecision, Boxes

    one = {"image_id": [seed], "label": [1]}
    truth = Boxes.from_xywh([[0, 0, 10, 10]], **one)
    return AveragePrecision(**rules).update(
        truth, Boxes.from_xywh([[0, 0, 9, 10]], score=[0.5], **one)
    )


def test_beside_is_asked_only_where_it_is_wanted(tmp_path: Path) -> None:
    asked: list[Wanted] = []

    def beside(wanted: Wanted) -> Beside:
        asked.append(wanted)
        return Beside({"more": detected(1)}, some("detection", 2.0), {"7.png": PNG})

    evaluate_with(beside, tmp_path / "a", metric=detected(0))
    assert asked == []
    assert not (tmp_path / "a" / "states").exists()
    evaluate_with(beside, tmp_path / "a", "--report", metric=detected(0))
    assert [(each.states, each.n_examples) for each in asked] == [(True, 60)]
    run = StoredRun.open(tmp_path / "a")
    assert run.state_names() == ["more"]
    assert run.picture("7.png") == PNG
    assert (tmp_path / "a" / "report.html").read_bytes().startswith(b"<!DOCTYPE html>")


def test_pictures_are_found_by_name_and_nowhere_else(tmp_path: Path) -> None:
    home = tmp_path / "images"
    (home / "val").mkdir(parents=True)
    (home / "val" / "1.png").write_bytes(b"one")
    (tmp_path / "secret.png").write_bytes(b"secret")
    pictures = PictureFolder(home)
    for name in ("val/1.png", "1.png", "old/1.png", "1", "old\\1.png"):
        assert pictures(name) == b"one", name
    for name in ("../secret.png", str(tmp_path / "secret.png"), "2.png", "", "a\0b", "secret"):
        assert pictures(name) is None, name
    assert len(pictures.missing) == 6
    # Links are the user's: only what stands in data leads nowhere else.
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "3.png").write_bytes(b"three")
    (home / "linked").symlink_to(tmp_path / "disk")
    (home / "4.png").symlink_to(tmp_path / "disk" / "3.png")
    (home / "val" / "round").symlink_to(home)
    pictures = PictureFolder(home)
    for name in ("linked/3.png", "3.png", "elsewhere/3", "4.png"):
        assert pictures(name) == b"three", name
    assert pictures("1") == b"one"
    assert pictures("val/../../secret.png") is None
    # Of two that could be meant none is shown.
    (home / "old").mkdir()
    (home / "old" / "1.png").write_bytes(b"another")
    pictures = PictureFolder(home)
    assert pictures("val/1.png") == b"one"
    assert pictures("1.png") is None
    assert pictures("1") is None
    (home / "old" / "1.png").unlink()
    (home / "list.txt").write_text("val/1.png\n")
    assert PictureFolder(home / "list.txt")("1") == b"one"
    assert PictureFolder(None)("1.png") is None


def test_pictures_of_cityscapes_are_found_by_their_frames(tmp_path: Path) -> None:
    frame = "aachen_000000_000019"
    for folder, ending in (("leftImg8bit", "leftImg8bit"), ("gtFine", "gtFine_labelIds")):
        (tmp_path / folder / "aachen").mkdir(parents=True)
        (tmp_path / folder / "aachen" / f"{frame}_{ending}.png").write_bytes(folder.encode())
    images = PictureFolder(tmp_path / "leftImg8bit")
    for name in (frame, f"aachen/{frame}", f"{frame}_gtFine_labelIds", f"{frame}_gtFine_panoptic"):
        assert images(name) == b"leftImg8bit", name
    assert images("aachen_000000_000020") is None
    for name in (frame, f"{frame}_gtFine_labelIds"):
        assert PictureFolder(tmp_path)(name) == b"leftImg8bit", name
    # A file of that very name comes first; of two pictures of a frame neither is shown.
    (tmp_path / f"{frame}.png").write_bytes(b"itself")
    assert PictureFolder(tmp_path)(frame) == b"itself"
    (tmp_path / f"{frame}.png").rename(tmp_path / f"{frame}_leftImg8bit.png")
    assert PictureFolder(tmp_path)(frame) is None


def test_samples_of_an_image_folder_are_their_pictures(run: Run, tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image")
    for name, colour in (("cat", "red"), ("dog", "blue")):
        (tmp_path / "truth" / name).mkdir(parents=True)
        image.new("RGB", (8, 8), colour).save(tmp_path / "truth" / name / f"{name}1.png")
    (tmp_path / "pred.csv").write_text("id,prediction\ncat/cat1.png,dog\ndog/dog1.png,dog\n")
    done = run(
        "evaluate", "classification", "truth", "pred.csv", "--out", "out", "--examples", "1",
        "--quiet", cwd=tmp_path,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    stored = StoredRun.open(tmp_path / "out")
    found = stored.examples()
    assert found is not None
    (example,) = found.images
    assert (example.label, example.predicted) == ("cat", "dog")
    assert stored.picture(example.picture) is not None


# ---- Merging ------------------------------------------------------------------------------------


def parts(tmp_path: Path, *, n: int = 1) -> list[Path]:
    """Return two runs with states and examples; the second has the worse images."""
    folders = []
    for k in range(2):
        metric = detected(k)
        chosen = detected(k, max_detections=10 + k)
        states = {"more": detected(k), f"own{k}": detected(k), "chosen": chosen}
        found = Beside(states, some("detection", 1.0 + 10 * k, n=n), {"7.png": PNG + b"%d" % k})
        folder = tmp_path / f"part{k}"
        evaluate_with(lambda _, found=found: found, folder, "--report", metric=metric)
        folders.append(folder)
    return folders


def test_merging_runs_merges_what_they_have_beside(run: Run, tmp_path: Path) -> None:
    folders = parts(tmp_path)
    done = run("merge", "part0", "part1/state.bin", "--out", "whole", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "states/own0.bin is left out: part1 has none" in done.stderr
    assert "states/own1.bin is left out: part0 has none" in done.stderr
    assert (
        "states/chosen.bin is left out: expected the state of AveragePrecision with the same "
        "parameters, got max_detections [1, 10, 11] instead of [1, 10]" in done.stderr
    )
    whole = StoredRun.open(tmp_path / "whole")
    expected = detected(0).merge(detected(1)).to_bytes()
    assert whole.metric().to_bytes() == expected
    more = whole.state("more")
    assert more is not None
    assert more.to_bytes() == expected
    assert whole.state_names() == ["more"]
    # Each kept one; of both the worse is kept, which is the second's.
    examples = whole.examples()
    assert examples is not None
    assert [image.id for image in examples.images] == ["11.0"]
    assert examples.n_images == 20
    assert examples.about == {"iou": 0.5}
    assert whole.picture(examples.images[0].picture) == PNG + b"1"
    origin = whole.record.config["merged_from"]
    assert [each["run"] for each in origin] == ["part0", "part1/state.bin"]
    assert [each["began"] for each in origin] == [
        StoredRun.open(folder).record.began for folder in folders
    ]
    assert [each.role for each in whole.record.data] == ["states", "states"]


def test_states_that_several_parts_lack(run: Run, tmp_path: Path) -> None:
    parts(tmp_path)
    evaluate_with(lambda _: Beside(), tmp_path / "part2", "--report", metric=detected(2))
    done = run("merge", "part0", "part1", "part2", "--out", "whole", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "states/own0.bin is left out: part1, part2 have none" in done.stderr
    assert "states/more.bin is left out: part2 has none" in done.stderr


def test_pictures_of_one_name_get_names_of_their_own(run: Run, tmp_path: Path) -> None:
    parts(tmp_path, n=2)
    assert run("merge", "part0", "part1", "--out", "whole", cwd=tmp_path).returncode == 0
    whole = StoredRun.open(tmp_path / "whole")
    examples = whole.examples()
    assert examples is not None
    # 11 and 10 of the second run; both kept two.
    assert [image.badness for image in examples.images] == [11.0, 10.0]
    assert {whole.picture(image.picture) for image in examples.images} == {PNG + b"1"}
    assert len({image.picture for image in examples.images}) == 2


def test_merging_states_alone_says_so(run: Run, files: Files, tmp_path: Path) -> None:
    run("evaluate", "detection", *files, "--out", tmp_path / "a", "--quiet")
    (tmp_path / "a" / "run.json").unlink()
    (tmp_path / "a" / "state.bin").rename(tmp_path / "a.bin")
    done = run("merge", "a.bin", "--out", "whole", "--quiet", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert record_of(tmp_path / "whole")["config"]["merged_from"] == [{"run": "a.bin"}]


def test_the_whole_does_not_replace_a_part(run: Run, files: Files, tmp_path: Path) -> None:
    run("evaluate", "detection", *files, "--out", tmp_path / "a", "--quiet")
    before = (tmp_path / "a" / "state.bin").read_bytes()
    for part in ("a", "a/state.bin"):
        done = run("merge", part, "--out", "a", cwd=tmp_path)
        assert done.returncode == 1
        assert "expected another folder than that of a part" in done.stderr
    assert (tmp_path / "a" / "state.bin").read_bytes() == before
    # The state of a training is that of its test part.
    (tmp_path / "training").mkdir()
    (tmp_path / "training" / "description.json").write_text("{}")
    (tmp_path / "a").rename(tmp_path / "training" / "test")
    done = run("merge", "training", "--out", "training/test", cwd=tmp_path)
    assert done.returncode == 1
    assert "expected another folder than that of a part" in done.stderr
    assert (tmp_path / "training" / "test" / "state.bin").read_bytes() == before


def test_examples_of_a_detector(run: Run, files: Files, tmp_path: Path) -> None:
    """Thumbnails come from the folder images beside truth; what is missing is counted."""
    image = pytest.importorskip("PIL.Image")
    (tmp_path / "images").mkdir()
    image.new("RGB", (100, 100), "red").save(tmp_path / "images" / "1.png")
    arguments = ["evaluate", "detection", *files, "--out", tmp_path / "out"]
    done = run(*arguments, "--examples", "2")
    assert done.returncode == 0, done.stderr
    assert "a picture is missing, a grey tile stands for it: 2.png" in done.stderr
    assert "wrote run.json, result.json and state.bin, 2 examples to" in done.stderr
    found = StoredRun.open(tmp_path / "out").examples()
    assert found is not None
    assert sorted(each.name for each in found.images) == ["1.png", "2.png"]
    pictures = {each.name: each.picture for each in found.images}
    assert pictures["2.png"] == ""
    kept = StoredRun.open(tmp_path / "out").picture(pictures["1.png"])
    assert kept is not None
    # Another folder, also for a COCO truth; without examples it would have no meaning.
    elsewhere = tmp_path / "elsewhere"
    (tmp_path / "images").rename(elsewhere)
    done = run(*arguments, "--examples", "2", "--images", elsewhere, "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    assert StoredRun.open(tmp_path / "out").picture(pictures["1.png"]) == kept
    assert run(*arguments, "--images", elsewhere).returncode == 1


def test_with_and_without_examples_the_numbers_are_the_same(run: Run, tmp_path: Path) -> None:
    document = truth_document()
    document["annotations"].append(annotation(4, 2, 2, [30, 30, 20, 20]))
    (tmp_path / "truth.json").write_text(json.dumps(document))
    (tmp_path / "results.json").write_text("[]")
    outputs = set()
    for more in ([], ["--report"]):
        done: subprocess.CompletedProcess[str] = run(
            "evaluate", "detection", "truth.json", "results.json", "--out", "out", *more,
            cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        out = tmp_path / "out"
        outputs.add(done.stdout.encode() + (out / "result.json").read_bytes())
        outputs.add((out / "state.bin").read_bytes())
    assert len(outputs) == 2
    assert (tmp_path / "out" / "report.html").is_file()


# ---- Pages of other commands --------------------------------------------------------------------


def test_the_page_of_a_benchmark(run: Run, tmp_path: Path) -> None:
    labels = ["cat", "dog", "cat", "dog"]
    for name, column, values in (
        ("truth", "label", labels),
        ("one", "prediction", labels),
        ("two", "prediction", labels[::-1]),
    ):
        rows = [f"{k},{value}" for k, value in enumerate(values)]
        (tmp_path / f"{name}.csv").write_text("\n".join([f"id,{column}", *rows, ""]))
    done = run(
        "benchmark", "--data", "truth.csv", "predictions:one.csv", "predictions:two.csv",
        "--out", "bench", "--report", cwd=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stderr.endswith("results: bench/report.html\n")
    page = (tmp_path / "bench" / "report.html").read_text(encoding="utf-8")
    assert "one and two" in page
    done = run("report", "bench", "-o", "tables.md", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "\n| accuracy | 1.000 " in (tmp_path / "tables.md").read_text(encoding="utf-8")


def test_the_pages_of_networks_that_know_more_classes(run: Run, tmp_path: Path) -> None:
    truth = ["ant", "ant", "bee", "bee"]
    (tmp_path / "truth.csv").write_text(
        "id,label\n" + "".join(f"{k},{name}\n" for k, name in enumerate(truth))
    )
    (tmp_path / "classes.txt").write_text("ant\nbee\ncow\n")
    for name, told in (("one", "ant cow bee bee"), ("two", "ant ant cow bee")):
        rows = [f"{k},{label}\n" for k, label in enumerate(told.split())]
        (tmp_path / f"{name}.csv").write_text("id,prediction\n" + "".join(rows))
    models = [f"predictions:{name}.csv,classes=classes.txt" for name in ("one", "two")]
    done = run(
        "benchmark", "--data", "truth.csv", *models, "--out", "bench", "--report", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    # Of ant F1 is 2 of 3 (and 1), of bee 1 (and 2 of 3); the cow that the data lack has none.
    found = StoredRun.open(tmp_path / "bench/models/one").result()
    assert found.metrics["f1_macro"] == pytest.approx((2 / 3 + 1) / 2)
    for place in (["bench"], ["bench/models/one"], ["bench/models/one", "bench/models/two"]):
        done = run("report", *place, "-o", "tables.md", cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    # Neither has numbers that follow from scores, for reasons of their own.
    (tmp_path / "three.csv").write_text(
        "id,ant,bee,cow\n" + "".join(f"{k},{3 * k},-1,2\n" for k in range(4))
    )
    models = [models[0], "predictions:three.csv,scores=any"]
    gate = ["--quiet", "--out", "gate", "--fail-under", "log_loss=0"]
    done = run("benchmark", "--data", "truth.csv", *models, *gate, cwd=tmp_path)
    assert done.returncode == 3
    assert done.stderr.splitlines() == [
        "snellen: one: log_loss is not known: there are labels and no scores",
        "snellen: three: log_loss is not known: of the scores only the order counts",
    ]
    one, two = "bench/models/one", "bench/models/two"
    done = run("compare", one, two, "--metric", "f1_macro", "--json", "-", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (difference,) = json.loads(done.stdout)["differences"]
    assert difference["value_first"] == pytest.approx(5 / 6)


def test_the_page_of_a_training(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    pytest.importorskip("sklearn")
    command = ["train", "--data", "digits", "--network", "fc", "--epochs", "1", "--report"]
    done = run(*command, "--out", "trained", "--quiet", cwd=tmp_path, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "trained" / "report.html").is_file()
    trained = StoredRun.open(tmp_path / "trained")
    assert (trained.kind, trained.record.task) == ("training", "classification")
    assert trained.record.began.endswith("Z")
    assert trained.result().metrics["accuracy"] == trained.record.metrics["accuracy"]


def test_without_plotly_no_work_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import importlib.util

    from snellen.errors import MissingExtraError

    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"pip install 'snellen\[report\]'"):
        evaluate_with(lambda _: Beside(), tmp_path / "a", "--report", metric=detected(0))
    assert not (tmp_path / "a").exists()
