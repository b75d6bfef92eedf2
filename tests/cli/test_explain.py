"""``snellen explain``: tables, JSON, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from snellen.cli.explain import TOOL_NAMES
from snellen.detection.tools import TOOLS

from .conftest import Run


@pytest.fixture
def with_crowd(tmp_path: Path) -> list[str]:
    truth = {
        "images": [{"id": 1, "width": 100, "height": 100}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [
            {"id": 1, "image_id": 1, "category_id": 1, "bbox": [0, 0, 10, 10], "area": 100}
            | {"iscrowd": 0},
            {"id": 2, "image_id": 1, "category_id": 1, "bbox": [50, 0, 40, 40], "area": 1600}
            | {"iscrowd": 1},
        ],
    }
    results = [
        {"image_id": 1, "category_id": 1, "bbox": [0, 0, 10, 10], "score": 0.5},
        {"image_id": 1, "category_id": 1, "bbox": [60, 0, 10, 10], "score": 0.9},
    ]
    paths = tmp_path / "truth.json", tmp_path / "results.json"
    for path, content in zip(paths, (truth, results), strict=True):
        path.write_text(json.dumps(content), encoding="utf-8")
    return [str(path) for path in paths]


def test_names_are_the_tools() -> None:
    assert tuple(TOOLS) == TOOL_NAMES


def test_table(run: Run, with_crowd: list[str]) -> None:
    done = run("explain", *with_crowd, "--against", "ultralytics", "--per-class")
    assert done.returncode == 0
    lines = {line.split()[0]: line for line in done.stdout.splitlines() if line.strip()}
    assert lines["crowds"].split()[1:4] == ["0.500000", "-0.500000", "-0.500000"]
    assert "crowds are no truth" in lines["crowds"]
    assert lines["truth"] == "truth        2, 1 of them crowds"
    assert "cat" in lines
    assert not done.stderr


def test_all(run: Run, with_crowd: list[str]) -> None:
    done = run("explain", *with_crowd, "--against", "all")
    assert done.returncode == 0
    out = done.stdout.splitlines()
    assert len(out) == 2 + len(TOOLS)
    assert out[1].split()[:3] == ["ours", "(coco)", "1.000000"]


def test_json(run: Run, with_crowd: list[str], tmp_path: Path) -> None:
    done = run("explain", *with_crowd, "--against", "voc", "--json", "-")
    assert done.returncode == 0
    found = json.loads(done.stdout)
    assert found["tool"] == "Pascal VOC since 2010"
    assert found["steps"][0]["rule"] == "IoU grid"
    path = tmp_path / "all.json"
    done = run("explain", *with_crowd, "--against", "all", "--json", str(path), "--quiet")
    assert done.returncode == 0
    assert not done.stdout
    assert len(json.loads(path.read_text(encoding="utf-8"))["explanations"]) == len(TOOLS)


def test_other_formats(run: Run, tmp_path: Path) -> None:
    for name, line in (("truth", "cat 1 2 11 12"), ("pred", "cat 0.9 1 2 11 12")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.txt").write_text(line + "\n", encoding="utf-8")
    paths = [str(tmp_path / "truth"), str(tmp_path / "pred")]
    given = ["--format", "box-text", "--box", "xyxy", "--absolute"]
    done = run("explain", *paths, "--against", "voc12", *given)
    assert done.returncode == 0
    assert "Pascal VOC since 2010  1.000000" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["--against", "torchmetric"], 2, 'Did you mean "torchmetrics"?'),
        ([], 2, "Missing option '--against'"),
        (["--against", "all", "--per-class"], 2, "expected one tool with --per-class, got all"),
        (["--against", "voc", "--json", "no/such/x.json"], 1, "expected a folder to write into"),
        (["--against", "voc", "--similarity", "oriented"], 2, "'oriented' is not one of"),
        (["--against", "ultralytics", "--similarity", "keypoints"], 1, "keypoints"),
    ],
)
def test_refused(
    run: Run, with_crowd: list[str], arguments: list[str], code: int, message: str
) -> None:
    done = run("explain", *with_crowd, *arguments)
    assert done.returncode == code
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout


def test_bad_files(run: Run, with_crowd: list[str], tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text('[{"image_id": 1, "category_id": 1, "bbox": [0, 0, 10], "score": 0.5}]')
    done = run("explain", with_crowd[0], str(broken), "--against", "all")
    assert done.returncode == 1
    assert "broken.json" in done.stderr
    done = run("explain", with_crowd[0], str(tmp_path / "absent.json"), "--against", "all")
    assert done.returncode == 1
    assert "absent.json" in done.stderr
    broken.write_text('[{"image_id": 7, "category_id": 1, "bbox": [0, 0, 1, 1], "score": 0.5}]')
    done = run("explain", with_crowd[0], str(broken), "--against", "all")
    assert done.returncode == 1
    assert "7" in done.stderr
    done = run("explain", with_crowd[0], str(broken), "--against", "tidecv", "--drop-unknown")
    assert done.returncode == 0


OF_OTHERS = {
    "mask": ("segmentation", [[0, 0, 0, 10, 10, 10, 10, 0]]),
    "keypoints": ("keypoints", [3, 4, 2] * 17),
}


@pytest.fixture(params=OF_OTHERS)
def of_others(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, list[str]]:
    """Return the kind of objects, and files of it."""
    field, shape = OF_OTHERS[request.param]
    own = {"image_id": 1, "category_id": 1, field: shape}
    bare = {"id": 1, "bbox": [0, 0, 10, 10], "area": 100, "iscrowd": 0, "num_keypoints": 17}
    truth = {
        "images": [{"id": 1, "width": 20, "height": 20}],
        "categories": [{"id": 1, "name": "cat"}],
        "annotations": [{**own, **bare}],
    }
    paths = tmp_path / "truth.json", tmp_path / "results.json"
    for path, content in zip(paths, (truth, [{**own, "score": 0.5}]), strict=True):
        path.write_text(json.dumps(content), encoding="utf-8")
    return request.param, [str(path) for path in paths]


@pytest.mark.parametrize("tool", TOOLS)
def test_tools_of_other_kinds(run: Run, of_others: tuple[str, list[str]], tool: str) -> None:
    """Of a kind a tool is known, or refused in one line, and without a number."""
    kind, paths = of_others
    done = run("explain", *paths, "--against", tool)
    if kind in TOOLS[tool].kinds:
        assert done.returncode == 0
        # At recall 1 ultralytics' curve is at 0: of 101 heights half of one, 1 / 100 wide, lacks.
        wanted = "0.995000" if tool.startswith("ultralytics") else "1.000000"
        assert f"{TOOLS[tool].title}  {wanted}" in done.stdout
        return
    assert (done.returncode, done.stdout) == (1, "")
    _, message = done.stderr.splitlines()  # after what the file has
    known = [name for name, each in TOOLS.items() if kind in each.kinds]
    kind = {"mask": "masks"}.get(kind, kind)
    assert f"of which the rules of {tool} are known, got {kind}" in message
    assert message.endswith(f"(known of {kind}: {', '.join(known)}) - at against")


def test_all_of_other_kinds(run: Run, of_others: tuple[str, list[str]]) -> None:
    kind, paths = of_others
    done = run("explain", *paths, "--against", "all")
    assert done.returncode == 0
    known = [each for each in TOOLS.values() if kind in each.kinds]
    assert len(done.stdout.splitlines()) == 2 + len(known)
    left_out = done.stderr.splitlines()[-1].removeprefix("snellen: of such objects unknown: ")
    assert left_out.split(", ") == [name for name in TOOLS if TOOLS[name] not in known]


def test_poses_of_yolo(run: Run, tmp_path: Path) -> None:
    """Their truth has boxes, and no areas."""
    from PIL import Image

    for name in ("images", "labels", "run"):
        (tmp_path / name).mkdir()
    Image.new("L", (100, 50)).save(tmp_path / "images/a.png")
    (tmp_path / "data.yaml").write_text("val: images\nnames: [cat]\nkpt_shape: [17, 3]\n")
    line = "0 .5 .5 .8 .8" + " .5 .4 2" * 17
    (tmp_path / "labels/a.txt").write_text(f"{line}\n")
    (tmp_path / "run/a.txt").write_text(f"{line} .5\n")
    paths = str(tmp_path / "data.yaml"), str(tmp_path / "run")
    done = run("explain", *paths, "--against", "all", "--json", "-")
    assert done.returncode == 0
    results = json.loads(done.stdout)["explanations"]
    found = {each["tool"]: each["metrics"]["tool_AP"] for each in results}
    known = [each for each in TOOLS.values() if "keypoints" in each.kinds]
    assert list(found) == [each.title for each in known]
    for tool, number in found.items():  # of ultralytics as above
        assert number == pytest.approx(0.995 if tool.startswith("ultralytics") else 1)


@pytest.mark.parametrize("of_others", ["keypoints"], indirect=True)
def test_other_keypoints_have_no_sigmas(run: Run, of_others: tuple[str, list[str]]) -> None:
    _, paths = of_others
    for path in paths:
        text = Path(path).read_text(encoding="utf-8")
        for _ in range(3):
            text = text.replace("3, 4, 2, ", "", 1)
        Path(path).write_text(text, encoding="utf-8")
    done = run("explain", *paths, "--against", "pycocotools")
    assert (done.returncode, done.stdout) == (1, "")
    assert "expected 14 sigmas, one a keypoint, got 17" in done.stderr
    assert "crowdpose 14" in done.stderr


def test_oriented_boxes_are_refused(run: Run, tmp_path: Path) -> None:
    """No tool gives AP of oriented boxes."""
    (tmp_path / "truth").mkdir()
    (tmp_path / "truth/a.txt").write_text("0 0 10 0 10 10 0 10 plane 0\n", encoding="utf-8")
    (tmp_path / "Task1_plane.txt").write_text("a 0.9 0 0 10 0 10 10 0 10\n", encoding="utf-8")
    paths = [str(tmp_path / "truth"), str(tmp_path / "Task1_plane.txt")]
    for tool in ("all", "pycocotools"):
        done = run("explain", *paths, "--against", tool, "--format", "dota")
        assert (done.returncode, done.stdout) == (1, "")
        assert "got oriented boxes" in done.stderr.splitlines()[-1]
