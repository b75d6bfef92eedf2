"""``snellen convert``: what it writes, says and refuses."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from .conftest import Run

Files = tuple[Path, Path]


def below(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_there_and_back(run: Run, files: Files, tmp_path: Path) -> None:
    truth, pred = files
    document = json.loads(truth.read_text())
    table, back = tmp_path / "t.csv", tmp_path / "back.json"
    done = run("convert", truth, table, "--to", "table")
    assert (done.returncode, done.stderr) == (0, f"snellen: {truth}: COCO JSON\n")
    assert done.stdout == (
        f"{table}: a table of boxes, truth: 2 images, 3 objects, 2 classes; 1 file\n"
    )
    assert run("convert", table, back, "--to", "coco", "--absolute").returncode == 0
    again = json.loads(back.read_text())
    for part in ("images", "annotations", "categories"):
        assert again[part] == document[part]
    rows, results = tmp_path / "p.csv", tmp_path / "p.json"
    options = ("--predictions", "--truth", truth)
    assert run("convert", pred, rows, "--to", "table", *options).returncode == 0
    done = run("convert", rows, results, "--to", "coco", "--absolute", *options)
    assert done.returncode == 0
    assert done.stdout.startswith(f"{results}: COCO JSON, predictions: 2 images, 4 objects")
    assert json.loads(results.read_text()) == json.loads(pred.read_text())


def test_losses_are_listed_and_refused(run: Run, files: Files, tmp_path: Path) -> None:
    truth, _ = files
    document = json.loads(truth.read_text())
    document["annotations"][0] |= {"area": 7, "iscrowd": 1}
    document["annotations"][2]["segmentation"] = [[0, 0, 9, 0, 9, 9]]
    truth.write_text(json.dumps(document))
    target = tmp_path / "voc"
    arguments = ("convert", truth, target, "--to", "voc-xml")
    done = run(*arguments)
    assert done.returncode == 1
    assert done.stdout == ""
    *lost, error = done.stderr.splitlines()[1:]
    assert lost == [
        "snellen: lost: 1 masks: boxes stay (--kind mask reads these)",
        "snellen: lost: 2 ids of classes: their names stay",
        "snellen: lost: 1 crowd flags: boxes as others",
        "snellen: lost: 1 areas of masks: those of the boxes instead",
    ]
    assert error == (
        "snellen: error: expected a format that holds all, Pascal VOC XML would lose what is "
        f"listed; --lossy writes it all the same - at {target}"
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["results.json", "truth.json"]
    # Quiet or not, what is refused is said; JSON is written.
    report = tmp_path / "report.json"
    quiet = run(*arguments, "--quiet", "--json", report)
    assert quiet.returncode == 1
    assert quiet.stderr.splitlines() == [*lost, error]
    found = json.loads(report.read_text())
    assert found["is_written"] is False
    assert [(loss["what"], loss["n"]) for loss in found["losses"]] == [
        ("masks", 1), ("class_ids", 2), ("crowds", 1), ("areas", 1)
    ]  # fmt: skip
    done = run(*arguments, "--lossy", "--json", "-")
    assert done.returncode == 0
    found = json.loads(done.stdout)
    assert found["is_written"] is True
    assert (found["n_files"], found["n_objects"]) == (2, 3)
    assert sorted(below(target)) == ["Annotations/1.xml", "Annotations/2.xml"]
    assert stat.S_IMODE(target.stat().st_mode) & 0o400
    assert run(*arguments, "--lossy", "--quiet", "--force").stderr == ""


def test_masks_stay_masks(run: Run, files: Files, tmp_path: Path) -> None:
    truth, _ = files
    document = json.loads(truth.read_text())
    for each in document["annotations"]:
        x, y, w, h = each["bbox"]
        each["segmentation"] = [[x, y, x + w, y, x, y + h]]
    truth.write_text(json.dumps(document))
    done = run("convert", truth, tmp_path / "m.json", "--to", "coco", "--kind", "mask")
    assert done.returncode == 0
    again = json.loads((tmp_path / "m.json").read_text())
    assert again["annotations"] == document["annotations"]
    done = run("convert", truth, tmp_path / "k.json", "--to", "coco", "--kind", "keypoints")
    assert done.returncode == 1
    assert "there are none" in done.stderr


def test_the_same_numbers(run: Run, files: Files, tmp_path: Path) -> None:
    truth, pred = files
    want = run("evaluate", "detection", *files).stdout
    for name in ("yolo", "kitti", "voc-xml"):
        folders = tmp_path / f"{name}-t", tmp_path / f"{name}-p"
        options = ("--to", name, "--lossy", "--quiet")
        assert run("convert", truth, folders[0], *options).returncode == 0
        done = run("convert", pred, folders[1], *options, "--predictions", "--truth", truth)
        assert done.returncode == 0
        found = run("evaluate", "detection", *folders)
        assert found.returncode == 0
        if name != "yolo":  # which has the sizes in its pictures, and areas of them
            assert found.stdout == want


def test_force(run: Run, files: Files, tmp_path: Path) -> None:
    target = tmp_path / "k"
    (target / "label_2").mkdir(parents=True)
    (target / "label_2/1.txt").write_text("mine")
    (target / "label_2/other.txt").write_text("mine, too")
    before = below(target)
    arguments = ("convert", files[0], target, "--to", "kitti", "--lossy")
    done = run(*arguments)
    assert done.returncode == 1
    assert "this one holds files: --force" in done.stderr
    assert below(target) == before
    done = run(*arguments, "--force")
    assert done.returncode == 0
    assert "1 other files stay beside" in done.stderr
    after = below(target)
    assert after["label_2/other.txt"] == b"mine, too"
    assert after["label_2/1.txt"].startswith(b"cat 0 0 -10 10 10 30 30 ")


def test_predictions_as_truth_and_whole_pixels(run: Run, files: Files, tmp_path: Path) -> None:
    truth, pred = files
    records = json.loads(pred.read_text())
    records[0]["bbox"] = [10.4, 10.6, 20, 20]
    pred.write_text(json.dumps(records))
    target = tmp_path / "t"
    arguments = ("convert", pred, target, "--to", "box-text", "--to-box", "xyxy", "--round",
                 "--drop-scores", "--predictions", "--truth", truth)  # fmt: skip
    done = run(*arguments)
    assert done.returncode == 1
    assert "lost: 4 scores: written as truth" in done.stderr
    assert "lost: 1 boxes between pixels: rounded" in done.stderr
    done = run(*arguments, "--lossy")
    assert done.returncode == 0
    assert "read them with --format box-text --box xyxy --absolute" in done.stderr
    assert (target / "1.txt").read_text() == "cat 10 11 30 31\ndog 50 50 90 90\n"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        ((), 2, "Missing option '--to'"),
        (("--to", "voc"), 2, "'voc' is not one of"),
        (("--to", "coco"), 1, "ends with .json"),
        (("--to", "yolo", "--predictions"), 2, "go together"),
        (("--to", "yolo", "--truth", "x"), 2, "go together"),
        (("--to", "yolo", "--drop-scores"), 2, "--drop-scores goes with --predictions"),
        (("--to", "yolo", "--to-box", "xyxy"), 2, "--to-box goes with --to box-text"),
        (("--to", "yolo", "--box", "xyxy"), 1, "say it themselves"),
        (("--to", "yolo", "--images", "."), 1, "expected no images beside COCO"),
        (("--to", "yolo", "--format", "kitti"), 1, "expected"),
        (("--to", "yolo", "--kind", "mask", "--format", "yolo"), 1, "is this a text of labels?"),
        (("--to", "voc-results", "--lossy"), 1, "expected predictions"),
        (("--to", "yolo", "--json", "no/where.json"), 1, "there is none: make it"),
        (("--to", "yolo", "--kind", "mask"), 1, "segmentation"),
    ],
)
def test_bad_arguments(
    run: Run, files: Files, tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    done = run("convert", files[0], "target", *arguments, cwd=tmp_path)
    assert done.returncode == code
    assert said in done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    assert "our mistake" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["results.json", "truth.json"]
    if code == 1:
        assert done.stderr.splitlines()[-1].startswith("snellen: error: ")


@pytest.mark.parametrize(
    "content", ["", "{", "[]", "\0", "<annotations/>", "image,class,x,y,w,h\n", "0 .5 .5 .1\n"]
)
def test_bad_sources(run: Run, tmp_path: Path, content: str) -> None:
    (tmp_path / "source").write_text(content)
    for source in ("source", "none", ""):
        done = run("convert", source, "out.json", "--to", "coco", "--lossy", cwd=tmp_path)
        assert done.returncode == 1
        assert done.stderr.count("\n") == 1
        assert done.stderr.startswith("snellen: error: expected ")
        assert [path.name for path in tmp_path.iterdir()] == ["source"]


def test_names_that_lead_elsewhere(run: Run, files: Files, tmp_path: Path) -> None:
    document = json.loads(files[0].read_text())
    document["images"][0]["file_name"] = "../../1.png"
    files[0].write_text(json.dumps(document))
    target = tmp_path / "deep/er"
    target.parent.mkdir()
    done = run("convert", files[0], target, "--to", "box-text", "--lossy")
    assert done.returncode == 1
    assert "paths below a folder" in done.stderr
    assert list(target.parent.iterdir()) == []
