"""``snellen evaluate detection`` of files that are not COCO's."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from .conftest import Run

Files = tuple[Path, Path]


@pytest.fixture
def texts(tmp_path: Path) -> Files:
    """The boxes of `files` as texts: left, top, width, height."""
    truth, pred = tmp_path / "t", tmp_path / "p"
    for folder, one, two in (
        (truth, "cat 10 10 20 20\ndog 50 50 40 40\n", "cat 0 0 10 10\n"),
        (
            pred,
            "cat .9 10 10 20 20\ndog .8 50 50 40 40\n",
            "cat .7 0 0 10 10\ncat .6 60 60 10 10\n",
        ),
    ):
        folder.mkdir()
        (folder / "1.txt").write_text(one)
        (folder / "2.txt").write_text(two)
    return truth, pred


def test_the_same_boxes_have_the_same_numbers(run: Run, files: Files, texts: Files) -> None:
    coco = run("evaluate", "detection", *files)
    done = run("evaluate", "detection", *texts)
    assert done.returncode == 0
    assert done.stdout == coco.stdout
    lines = done.stderr.splitlines()
    assert lines[0].endswith("t: texts of class, score and box")
    assert lines[1].endswith("p: texts of class, score and box")
    assert sum("left, top, width, height" in line for line in lines) == 2
    # Truth of one format, predictions of another: images by the names of their files.
    mixed = run("evaluate", "detection", files[0], texts[1])
    assert mixed.returncode == 0
    assert mixed.stdout == coco.stdout
    assert "COCO JSON" in mixed.stderr
    quiet = run("evaluate", "detection", *texts, "--quiet", "--out", files[0].parent / "o")
    assert (quiet.stdout, quiet.stderr) == ("", "")


def test_what_does_not_show_has_to_be_said(run: Run, texts: Files) -> None:
    (texts[0] / "1.txt").write_text("cat 10 10 30 30\ndog 50 50 90 90\n")
    (texts[0] / "2.txt").write_text("cat 0 0 10 10\n")
    done = run("evaluate", "detection", *texts)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "what the four numbers of a box are" in done.stderr
    done = run("evaluate", "detection", *texts, "--truth-format", "yolo")
    assert done.returncode == 1
    assert "1.txt line 1" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("options", "code", "expected"),
    [
        (["--box", "xyxy"], 2, "expected --box, --relative and --absolute with texts"),
        (["--relative"], 2, "expected --box, --relative and --absolute with texts"),
        (["--images", "."], 1, "expected no images beside COCO"),
        (["--classes", "x"], 1, "expected no classes beside COCO"),
        (["--format", "voc"], 2, "'voc' is not one of"),
        (["--format", "kitti"], 1, "expected"),
        (["--format", "coco"], 0, ""),
        (["--truth-format", "coco"], 0, ""),
    ],
)
def test_options_beside_coco(
    run: Run, files: Files, options: list[str], code: int, expected: str
) -> None:
    done = run("evaluate", "detection", *files, *options)
    assert done.returncode == code
    assert expected in done.stderr
    assert "Traceback" not in done.stderr


def test_voc_and_results_with_classes(run: Run, tmp_path: Path) -> None:
    (tmp_path / "Annotations").mkdir()
    (tmp_path / "Annotations/a.xml").write_text(
        "<annotation><object><name>cat</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax>"
        "<ymax>9</ymax></bndbox></object></annotation>"
    )
    results = tmp_path / "comp4_det_test_cat.txt"
    results.write_text("a 0.5 1 1 9 9\n")
    names = tmp_path / "names.txt"
    names.write_text("cat\ndog\n")
    done = run("evaluate", "detection", tmp_path / "Annotations", results, "--classes", names,
               "--json", "-")  # fmt: skip
    assert done.returncode == 0
    document = json.loads(done.stdout)
    assert document["metrics"]["AP50"] == pytest.approx(1)
    assert [record["class"] for record in document["per_class"]] == ["cat", "dog"]


@pytest.mark.parametrize("written", ["json", "yaml"])
def test_numbers_of_predictions_get_names(run: Run, tmp_path: Path, written: str) -> None:
    """Of Ultralytics' predictions.json, whose numbers are 1 more than those of the labels."""
    truth = tmp_path / "t"
    picture = truth / "images/1.png"
    picture.parent.mkdir(parents=True)
    Image.new("L", (100, 100)).save(picture)
    (truth / "labels").mkdir()
    (truth / "labels/1.txt").write_text("0 .15 .15 .1 .1\n1 .5 .5 .2 .2\n")
    (truth / "data.yaml").write_text("path: .\nval: images\nnames: [cat, dog]\n")
    pred = tmp_path / "predictions.json"
    boxes = [(1, [10, 10, 10, 10]), (2, [40, 40, 20, 20])]
    records = [
        {"image_id": 1, "category_id": each, "bbox": bbox, "score": 0.5} for each, bbox in boxes
    ]
    pred.write_text(json.dumps(records))
    done = run("evaluate", "detection", truth, pred)
    assert done.returncode == 1
    assert "count from 1" in done.stderr
    assert done.stderr.count("\n") == 1
    names = tmp_path / f"names.{written}"
    of_numbers = {"json": '{"1": "cat", "2": "dog"}', "yaml": "names:\n  1: cat\n  2: dog\n"}
    names.write_text(of_numbers[written])
    classes = ("--classes", names)
    done = run("evaluate", "detection", truth, pred, *classes, "--json", "-", "--quiet")
    assert done.returncode == 0
    assert json.loads(done.stdout)["metrics"]["AP"] == pytest.approx(1)
    assert run("check", truth, "--predictions", pred, *classes).returncode == 0
    options = ("--to", "yolo", "--predictions", "--truth", truth, *classes)
    assert run("convert", pred, tmp_path / "y", *options).returncode == 0
    labels = (tmp_path / "y/labels/1.txt").read_text().splitlines()
    assert [line.split()[0] for line in labels] == ["0", "1"]


def test_coco_files_import_no_other_reader(files: Files) -> None:
    code = (
        "import sys; from snellen.cli.root import run\n"
        "assert run(sys.argv[1:]) == 0\n"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, "evaluate", "detection", *map(str, files)],
        capture_output=True, encoding="utf-8", check=True, timeout=60,
    )  # fmt: skip
    loaded = set(done.stderr.split())
    assert "snellen.readers.coco" in loaded
    assert not loaded & {"snellen.readers.detection_files", "snellen.readers.table", "xml.etree"}


@pytest.fixture
def yolo(tmp_path: Path) -> Files:
    """A YOLO data set of one image with a polygon of four points, and its prediction."""
    from PIL import Image

    for name in ("images", "labels", "run"):
        (tmp_path / name).mkdir()
    Image.new("L", (100, 50)).save(tmp_path / "images/a.png")
    (tmp_path / "data.yaml").write_text("val: images\nnames: [cat]\n")
    (tmp_path / "labels/a.txt").write_text("0 .1 .2 .5 .2 .5 .8 .1 .6\n")
    (tmp_path / "run/a.txt").write_text("0 .1 .2 .5 .2 .5 .8 .1 .6 .5\n")
    return tmp_path / "data.yaml", tmp_path / "run"


@pytest.mark.parametrize("similarity", [None, "mask", "boundary", "oriented", "box"])
@pytest.mark.parametrize("task", ["", "task: segment\n"])
def test_what_lines_are_can_be_said(
    run: Run, yolo: Files, similarity: str | None, task: str
) -> None:
    yolo[0].write_text(yolo[0].read_text() + task)
    options = [] if similarity is None else ["--similarity", similarity]
    done = run("evaluate", "detection", *yolo, *options, "--json", "-")
    assert done.returncode == 0
    assert json.loads(done.stdout)["metrics"]["AP"] == pytest.approx(1)
    is_mask = similarity in ("mask", "boundary") or (similarity != "oriented" and bool(task))
    assert ("masks of the pixels inside" in done.stderr) == is_mask


def test_poses_have_rules_of_their_own(run: Run, yolo: Files) -> None:
    """By ``kpt_shape``, without an option: two keypoints have no sigmas of COCO's."""
    yolo[0].write_text(yolo[0].read_text() + "kpt_shape: [2, 2]\n")
    done = run("evaluate", "detection", *yolo)
    assert (done.returncode, done.stdout) == (1, "")
    assert "expected 2 sigmas, one a keypoint, got 17" in done.stderr
    points = " ".join(f".{k} .5 2" for k in range(1, 8)) + " 0 0 0" * 10
    yolo[0].write_text(yolo[0].read_text().replace("[2, 2]", "[17, 3]"))
    folder = yolo[0].parent
    (folder / "labels/a.txt").write_text(f"0 .5 .5 .8 .8 {points}\n")
    (folder / "run/a.txt").write_text(f"0 .5 .5 .8 .8 {points} .5\n")
    done = run("evaluate", "detection", *yolo, "--json", "-")
    assert done.returncode == 0
    assert json.loads(done.stdout)["metrics"]["AP"] == pytest.approx(1)


def test_masks_of_coco_and_polygons_of_yolo(run: Run, yolo: Files, tmp_path: Path) -> None:
    coco = tmp_path / "truth.json"
    done = run("convert", yolo[0], coco, "--to", "coco", "--kind", "mask", "--lossy")
    assert done.returncode == 0
    assert json.loads(coco.read_text())["annotations"][0]["segmentation"] == [
        [10, 10, 50, 10, 50, 40, 10, 30]
    ]
    done = run("evaluate", "detection", coco, yolo[1], "--similarity", "mask", "--json", "-")
    assert done.returncode == 0
    assert json.loads(done.stdout)["metrics"]["AP"] == pytest.approx(1)
    # Results that have masks alone, as boxes.
    results = tmp_path / "results.json"
    arguments = ("--predictions", "--truth", coco, "--kind", "mask", "--lossy")
    assert run("convert", yolo[1], results, "--to", "coco", *arguments).returncode == 0
    assert "bbox" not in json.loads(results.read_text())[0]
    for protocol in ("coco", "coco-strict"):
        done = run("evaluate", "detection", coco, results, "--similarity", "box", "--protocol",
                   protocol, "--json", "-")  # fmt: skip
        assert done.returncode == 0
        assert json.loads(done.stdout)["metrics"]["AP"] == pytest.approx(1)


def test_keypoints_of_cvat_are_paired_by_name(run: Run, tmp_path: Path) -> None:
    """Each file has its own order of them."""
    order = list(range(17))

    def written(name: str, points_in_order: list[int]) -> Path:
        points = "".join(
            f'<points label="k{k}" points="{10 + 4 * k},{7 * k % 60}"/>' for k in points_in_order
        )
        path = tmp_path / name
        path.write_text(
            '<annotations><image id="0" name="1.jpg" width="100" height="90">'
            f'<skeleton label="person" score="0.9">{points}</skeleton></image></annotations>'
        )
        return path

    truth = written("t.xml", order)

    def evaluated(pred: Path) -> subprocess.CompletedProcess[str]:
        return run("evaluate", "detection", truth, pred, "--similarity", "keypoints")

    same, turned = evaluated(written("p.xml", order)), evaluated(written("q.xml", order[::-1]))
    assert same.returncode == turned.returncode == 0
    assert same.stdout == turned.stdout
    assert "all | maxDets= 20 ] = 1.000" in turned.stdout
    assert "put in truth's order by their names" in turned.stderr
    assert "truth's order" not in same.stderr
    other = evaluated(written("r.xml", [*order[:16], 17]))
    assert other.returncode == 1
    assert "k17, which it does not have, and none called k16" in other.stderr.splitlines()[-1]
