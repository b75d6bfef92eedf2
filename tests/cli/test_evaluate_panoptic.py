from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen import PanopticQuality, metric_from_bytes
from tests.panoptic_maps import png_bytes, random_image, write_panoptic

from .conftest import Run

CATEGORIES = [
    {"id": 1, "name": "cat", "isthing": 1},
    {"id": 2, "name": "dog", "isthing": 1},
    {"id": 3, "name": "sky", "isthing": 0},
]


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Return truth and predictions of five images."""
    random = np.random.default_rng(5)
    images = {i: random_image(random, [1, 2, 3], crowds=0.2) for i in range(5)}
    return (
        write_panoptic(tmp_path, "truth", {i: pair[0] for i, pair in images.items()}, CATEGORIES),
        write_panoptic(tmp_path, "pred", {i: pair[1] for i, pair in images.items()}),
    )


def direct(files: tuple[Path, Path], **parameters: Any) -> PanopticQuality:
    from snellen.readers.panoptic import read_panoptic

    found = read_panoptic(*files, protocol=parameters.get("protocol", "coco"))
    metric = PanopticQuality(found.classes, things=found.things, **parameters)
    for batch in found.batches(metric.count):
        metric.update(*batch)
    return metric


def numbers(run: Run, *arguments: Any) -> dict[str, Any]:
    done = run("evaluate", "panoptic", *arguments, "--json", "-")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_numbers(run: Run, files: tuple[Path, Path]) -> None:
    found = numbers(run, *files)
    result = direct(files).compute()
    assert 0 < result.PQ < 1
    assert found["task"] == "panoptic"
    assert found["metrics"] == result.to_dict()["metrics"]
    assert found["intervals"]["PQ"]["unit"] == "image"
    assert [each["class"] for each in found["per_class"]] == ["cat", "dog", "sky"]
    strict = numbers(run, *files, "--protocol", "coco-strict", "--threads", 1, "--no-intervals")
    assert strict["protocol"]["name"] == "coco-strict"
    assert strict["metrics"] == direct(files, protocol="coco-strict").compute().metrics


def test_boundary(run: Run, files: tuple[Path, Path]) -> None:
    found = numbers(run, *files, "--boundary", "--no-intervals")
    assert found["protocol"]["boundary_ratio"] == 0.02
    assert found["metrics"] == direct(files, iou="boundary").compute().metrics
    assert found["metrics"]["PQ"] < numbers(run, *files, "--no-intervals")["metrics"]["PQ"]


def test_printed(run: Run, files: tuple[Path, Path]) -> None:
    done = run(
        "evaluate", "panoptic", *files, "--no-intervals", "--worst", 2, "--per-class",
        "--fail-under", "PQ=0.99",
    )  # fmt: skip
    assert done.returncode == 3
    assert "PQ is 0." in done.stderr
    lines = done.stdout.splitlines()
    result = direct(files).compute()
    assert lines[:3] == str(result).splitlines()[:3]
    assert lines[0] == "          |    PQ     SQ     RQ     N"
    assert "images       5" in lines
    assert any(line.split()[:3] == ["cat", "1", "True"] for line in lines)
    worst = result.per_image()[:2]
    assert [line.split()[:2] for line in lines[-2:]] == [
        [str(each["image"]), f"{each['PQ']:.4f}"] for each in worst
    ]
    quiet = run("evaluate", "panoptic", *files, "--no-intervals", "--worst", 2, "--quiet")
    assert (quiet.returncode, quiet.stdout, quiet.stderr) == (0, "", "")


def test_state_merges(run: Run, files: tuple[Path, Path], tmp_path: Path) -> None:
    whole = json.loads(files[0].read_text())
    for i in range(2):
        part = {**whole, "annotations": whole["annotations"][i::2]}
        (tmp_path / f"part{i}.json").write_text(json.dumps(part))
        done = run(
            "evaluate", "panoptic", tmp_path / f"part{i}.json", files[1],
            "--truth-images", tmp_path / "truth", "--prediction-images", tmp_path / "pred",
            "--out", tmp_path / f"{i}",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert "predicted images are not in truth" in done.stderr
    merged = run("merge", tmp_path / "0", tmp_path / "1", "--json", "-", "--no-intervals")
    assert merged.returncode == 0, merged.stderr
    assert json.loads(merged.stdout)["metrics"] == direct(files).compute().metrics
    state = metric_from_bytes((tmp_path / "0" / "state.bin").read_bytes())
    assert isinstance(state, PanopticQuality)


def test_runs_are_compared(run: Run, files: tuple[Path, Path], tmp_path: Path) -> None:
    for protocol in ("a", "b"):
        done = run("evaluate", "panoptic", *files, "--no-intervals", "--out", tmp_path / protocol)
        assert done.returncode == 0, done.stderr
    done = run("compare", tmp_path / "a", tmp_path / "b", "--json", "-")
    assert done.returncode == 0, done.stderr
    differences = json.loads(done.stdout)["differences"]
    assert [each["metric"] for each in differences] == ["PQ", "SQ", "RQ"]
    assert all(each["difference"] == 0 for each in differences)


def test_cityscapes(run: Run, tmp_path: Path) -> None:
    for side, row in (("truth", [7, 7, 26000, 26, 0]), ("pred", [7, 7, 26009, 26009, 8])):
        folder = tmp_path / side / "bonn"
        folder.mkdir(parents=True)
        path = folder / "bonn_000000_000019_gtFine_instanceIds.png"
        path.write_bytes(png_bytes(np.array([row], np.uint16)))
    found = numbers(run, tmp_path / "truth", tmp_path / "pred", "--classes", "cityscapes")
    road, car = (
        next(each for each in found["per_class"] if each["class"] == name)
        for name in ("road", "car")
    )
    assert road["PQ"] == 1
    # 1 of 2 pixels is no match; half of it lies on the group, which is not more than half.
    assert [car[each] for each in ("tp", "fp", "fn")] == [0, 1, 1]
    assert found["data"]["n_ignored"] == 1  # sidewalk on void
    done = run(
        "evaluate", "panoptic", tmp_path / "truth", tmp_path / "pred", "--classes", "cityscapes",
        "--truth-images", tmp_path,
    )  # fmt: skip
    assert done.returncode == 2
    assert "with JSON files only" in done.stderr


def test_large_maps(run: Run, files: tuple[Path, Path], tmp_path: Path) -> None:
    with_folders = tmp_path / "ids"
    for side in ("truth", "pred"):
        folder = with_folders / side
        folder.mkdir(parents=True)
        name = "bonn_000000_000019_gtFine_instanceIds.png"
        (folder / name).write_bytes(png_bytes(np.full((9, 9), 7, np.uint16)))
    cityscapes = (with_folders / "truth", with_folders / "pred", "--classes", "cityscapes")
    for arguments in (files, cityscapes):
        done = run("evaluate", "panoptic", *arguments, "--max-pixels", 80)
        assert (done.returncode, done.stdout) == (1, "")
        assert "expected at most 80 pixels, got " in done.stderr
        assert "raise --max-pixels - at " in done.stderr
        wide = run("evaluate", "panoptic", *arguments, "--max-pixels", 10**6, "--no-intervals")
        assert wide.returncode == 0, wide.stderr
    assert run("evaluate", "panoptic", *files, "--max-pixels", 0).returncode == 2


def drop_map(folder: Path) -> None:
    (folder / "pred" / "3.png").unlink()


def gray_map(folder: Path) -> None:
    (folder / "pred" / "3.png").write_bytes(png_bytes(np.zeros((9, 9), np.uint8)))


def small_map(folder: Path) -> None:
    (folder / "pred" / "3.png").write_bytes(png_bytes(np.zeros((1, 2, 3), np.uint8)))


def broken_map(folder: Path) -> None:
    (folder / "truth" / "3.png").write_bytes(b"\x89PNG\r\n\x1a\n")


def no_folder(folder: Path) -> None:
    (folder / "truth").rename(folder / "moved")


def no_segments(folder: Path) -> None:
    document = json.loads((folder / "pred.json").read_text())
    document["annotations"][3]["segments_info"] = []
    (folder / "pred.json").write_text(json.dumps(document))


def no_prediction(folder: Path) -> None:
    document = json.loads((folder / "pred.json").read_text())
    del document["annotations"][3]
    (folder / "pred.json").write_text(json.dumps(document))


def instances(folder: Path) -> None:
    document = {"annotations": [{"id": 1, "image_id": 3, "bbox": [0, 0, 1, 1]}]}
    (folder / "truth.json").write_text(json.dumps(document))


def no_file(folder: Path) -> None:
    (folder / "pred.json").unlink()


def a_folder(folder: Path) -> None:
    (folder / "pred.json").unlink()
    (folder / "pred.json").mkdir()


@pytest.mark.parametrize(
    ("spoil", "texts"),
    [
        (drop_map, ("the label map of each image, 1 of 5 are not there: 3.png", "pred.json")),
        (gray_map, ("expected RGB colours", "got a gray image of 8 bits", "3.png")),
        (small_map, ("label maps of one size", "2 x 1 pixels", "truth/3.png and ", "pred/3.png")),
        (broken_map, ("truth/3.png",)),
        (no_folder, ("in the folder truth beside it, there is none", "--truth-images")),
        (no_segments, ("are not there", "pred.json, image 3", "pred/3.png")),
        (no_prediction, ("1 of 5 have none: 3", "pred.json")),
        (instances, ("whose annotations have segments_info", "truth.json")),
        (no_file, ("No such file", "pred.json")),
        (a_folder, ("got a folder", "--classes cityscapes", "pred.json")),
    ],
)
def test_bad_input(
    run: Run, files: tuple[Path, Path], tmp_path: Path, spoil: Any, texts: tuple[str, ...]
) -> None:
    spoil(tmp_path)
    done = run("evaluate", "panoptic", *files, "--out", tmp_path / "out")
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout == ""
    assert done.stderr.startswith("snellen: error: ")
    assert done.stderr.count("\n") == 1
    assert "our mistake" not in done.stderr
    for text in texts:
        assert text in done.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (["--fail-under", "AP=0.4"], "expected a metric of PQ, SQ, RQ, PQ_things"),
        (["--protocol", "voc"], "coco-strict"),
        (["--worst", "0"], "worst"),
    ],
)
def test_wrong_use(run: Run, files: tuple[Path, Path], options: list[str], text: str) -> None:
    done = run("evaluate", "panoptic", *files, *options)
    assert done.returncode == 2
    assert text in done.stderr
    assert done.stdout == ""


def test_a_page_with_images(run: Run, files: tuple[Path, Path], tmp_path: Path) -> None:
    """The folder of images is found beside TRUTH; one that is not there is a tile with its name."""
    folder = tmp_path / "images"
    folder.mkdir()
    maps = sorted((tmp_path / "truth").iterdir())
    for path in maps[1:]:
        (folder / path.name).write_bytes(png_bytes(np.zeros((9, 9, 3), np.uint8)))
    out = tmp_path / "run"
    done = run("evaluate", "panoptic", *files, "--out", out, "--report")
    assert done.returncode == 0, done.stderr
    assert "a picture is missing, a grey tile stands for it: 0\n" in done.stderr
    kept = json.loads((out / "examples" / "examples.json").read_text())
    assert kept["task"] == "panoptic"
    by_name = {each["name"]: each for each in kept["images"]}
    assert "picture" not in by_name[maps[0].stem]
    assert (out / "examples" / by_name[maps[1].stem]["picture"]).is_file()
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Gallery of mistakes" in page
    assert "the lowest PQ first" in page
    alone = run("evaluate", "panoptic", *files, "--out", tmp_path / "plain", "--quiet")
    assert alone.returncode == 0
    assert not (tmp_path / "plain" / "examples").exists()
    for name in ("state.bin", "result.json"):
        assert (out / name).read_bytes() == (tmp_path / "plain" / name).read_bytes()
