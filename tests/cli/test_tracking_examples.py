"""Frames with errors, kept for the page of a tracker, and the images they are found in."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen.cli.frame_pictures import FramePictures
from snellen.cli.root import run as run_here
from snellen.readers.tracking_files import read_tracking
from snellen.samples.tracking import TrackingSample, make_tracking_sample
from tests.panoptic_maps import png_bytes
from tests.tracking_text import PRED, TRUTH, written

Capture = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> TrackingSample:
    """Return two sequences of which every tenth frame has a picture."""
    folder = tmp_path_factory.mktemp("sample")
    return make_tracking_sample(folder, n_sequences=2, n_frames=40, n_objects=6)


def evaluated(capsys: Capture, *arguments: Any, code: int = 0) -> str:
    """Evaluate in this process; return what is said beside."""
    done = run_here(["evaluate", "tracking", *map(str, arguments), "--no-intervals"])
    said = capsys.readouterr()
    assert done == code, said.err
    return said.err


def kept(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "examples" / "examples.json").read_text())
    return found


def image(shade: int) -> bytes:
    return png_bytes(np.full((6, 9, 3), shade, np.uint8))


def shade(data: bytes | None) -> int | None:
    import io

    from PIL import Image

    return None if data is None else Image.open(io.BytesIO(data)).getpixel((0, 0))[0]  # type: ignore[index]


def test_a_page_with_frames(capsys: Capture, sample: TrackingSample, tmp_path: Path) -> None:
    """Images are found in the layout of truth; one that is not there is a tile with its name."""
    sides = (sample.truth, sample.predictions, "--protocol", "mot17")
    out = tmp_path / "run"
    said = evaluated(capsys, *sides, "--out", out, "--report", "--threads", "2")
    found = kept(out)
    assert found["task"] == "tracking"
    assert 4 <= len(found["images"]) <= 8
    assert {each["group"] for each in found["images"]} == set(sample.sequences)
    for each in found["images"]:
        has_picture = (Path(sample.truth) / each["group"] / "img1").joinpath(
            f"{each['name'].rpartition('/')[2]}.png"
        )
        assert ("picture" in each) == has_picture.is_file()
    n = sum("picture" not in each for each in found["images"])
    assert 0 < n < len(found["images"])
    assert f"{n} pictures are missing, grey tiles" in said
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Gallery of mistakes" in page
    assert "frames, the most wrong, missed and switched objects first" in page
    again = tmp_path / "again"
    evaluated(capsys, *sides, "--out", again, "--report", "--quiet", "--threads", "1")
    assert kept(again) == found


def test_numbers_and_state_are_the_same_with_frames(
    capsys: Capture, sample: TrackingSample, tmp_path: Path
) -> None:
    """Events are of the frames only: they are not kept."""
    sides = (sample.truth, sample.predictions)
    evaluated(capsys, *sides, "--out", tmp_path / "a", "--quiet")
    evaluated(capsys, *sides, "--out", tmp_path / "b", "--examples", "3", "--quiet")
    assert len(kept(tmp_path / "b")["images"]) == 3
    assert not (tmp_path / "a" / "examples").exists()
    for name in ("state.bin", "result.json"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_page_without_clear_has_none(
    capsys: Capture, sample: TrackingSample, tmp_path: Path
) -> None:
    sides = (sample.truth, sample.predictions)
    out = tmp_path / "run"
    evaluated(capsys, *sides, "--metrics", "hota", "--out", out, "--report", "--quiet")
    assert not (out / "examples").exists()
    assert "Gallery of mistakes" not in (out / "report.html").read_text(encoding="utf-8")
    out = tmp_path / "other"
    evaluated(capsys, *sides, "--out", out, "--report", "--examples", "0", "--quiet")
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "evaluate again with --examples 60" in page


def test_one_file_a_side(capsys: Capture, tmp_path: Path) -> None:
    """The object of `tests.tracking_text`: frame 3 has a miss and a wrong one, 4 is near."""
    truth = written(tmp_path / "SEQ" / "gt" / "gt.txt", TRUTH)
    pred = written(tmp_path / "pred.txt", PRED)
    written(tmp_path / "SEQ" / "img1" / "000003.png", image(40))
    said = evaluated(capsys, truth, pred, "--out", tmp_path / "run", "--examples", "5")
    assert "missing" not in said
    (frame,) = kept(tmp_path / "run")["images"]
    assert frame["name"].endswith("000003")
    assert frame["numbers"] == {"wrong": 1, "missed": 1, "switched": 0, "right": 0}
    assert (frame["width"], frame["height"]) == (9, 6)


def test_parts_have_the_frames_of_the_whole(
    capsys: Capture, sample: TrackingSample, tmp_path: Path
) -> None:
    options = ("--report", "--examples", "5", "--quiet")
    evaluated(capsys, sample.truth, sample.predictions, "--out", tmp_path / "all", *options)
    parts = []
    for name in sample.sequences:
        truth, pred = tmp_path / name / "truth", tmp_path / name / "pred"
        shutil.copytree(Path(sample.truth) / name, truth / name)
        pred.mkdir()
        shutil.copy(Path(sample.predictions) / f"{name}.txt", pred)
        parts.append(tmp_path / f"run-{name}")
        evaluated(capsys, truth, pred, "--out", parts[-1], *options)
    for k, order in enumerate((parts, parts[::-1])):
        out = tmp_path / f"merged{k}"
        arguments = [*map(str, order), "--out", str(out), "--no-intervals", "--quiet"]
        assert run_here(["merge", *arguments]) == 0
        whole, found = kept(tmp_path / "all"), kept(out)
        assert len(found["images"]) == 5
        assert [{**each, "picture": ""} for each in found["images"]] == [
            {**each, "picture": ""} for each in whole["images"]
        ]
        assert found["rule"].startswith("5 of the 80 frames of 2 parts")


# ---- Where images are ----------------------------------------------------------------------------


def pictures(truth: Path, pred: Path, folder: Path | None = None, **rules: Any) -> FramePictures:
    files = read_tracking(truth, pred, **rules)
    return FramePictures(files, None if folder is None else str(folder))


def test_images_of_several_sequences_have_the_same_names(tmp_path: Path) -> None:
    """Each is looked for in its own folder only; of two that end in a number neither is taken."""
    for name in "AB":
        written(tmp_path / "truth" / name / "gt" / "gt.txt", TRUTH)
        written(tmp_path / "pred" / f"{name}.txt", PRED)
    written(tmp_path / "images" / "A" / "000001.png", image(10))
    written(tmp_path / "images" / "A" / "left_2.png", image(20))
    written(tmp_path / "images" / "A" / "right_2.png", image(30))
    found = pictures(tmp_path / "truth", tmp_path / "pred", tmp_path / "images")
    assert shade(found("A/000001")) == 10
    assert found("A/000002") is None
    assert found("B/000001") is None
    assert found.missing == ["A/000002", "B/000001"]


def test_a_name_leads_nowhere_else(tmp_path: Path) -> None:
    written(tmp_path / "truth" / "A" / "gt" / "gt.txt", TRUTH)
    written(tmp_path / "pred" / "A.txt", PRED)
    written(tmp_path / "images" / "x.png", image(1))
    written(tmp_path / "000001.png", image(10))
    found = pictures(tmp_path / "truth", tmp_path / "pred", tmp_path / "images")
    for name in ("../000001", "/etc/000001", "a\0b/000001"):
        assert found(name) is None


@pytest.mark.parametrize("named", [False, True])
def test_links_of_the_user_are_followed(named: bool, tmp_path: Path) -> None:
    """Images often lie on another disk: linked as the folder of a sequence, or as that in it."""
    disk = written(tmp_path / "disk" / "000001.png", image(10)).parent
    home = tmp_path / ("images" if named else "truth")
    for name in ("A", "B"):
        written(tmp_path / "truth" / name / "gt" / "gt.txt", TRUTH)
        written(tmp_path / "pred" / f"{name}.txt", PRED)
    (home / "A").mkdir(parents=True, exist_ok=True)
    (home / "A" / "img1").symlink_to(disk)
    if named:
        (home / "B").symlink_to(disk)
    found = pictures(tmp_path / "truth", tmp_path / "pred", home if named else None)
    assert shade(found("A/000001")) == 10
    assert shade(found("B/000001")) == (10 if named else None)


def test_images_beside_labels_of_kitti(tmp_path: Path) -> None:
    row = "0 1 Car 0 0 0 10 20 110 80 1 1 1 0 0 0 0"
    written(tmp_path / "label_02" / "0000.txt", f"{row}\n")
    written(tmp_path / "pred" / "0000.txt", f"{row} 0.9\n")
    written(tmp_path / "image_02" / "0000" / "000000.png", image(50))
    found = pictures(tmp_path / "label_02", tmp_path / "pred", protocol="kitti")
    assert shade(found("0000/000000")) == 50


def test_images_of_bdd_count_from_one(tmp_path: Path) -> None:
    frames: list[dict[str, Any]] = [
        {"videoName": "a", "frameIndex": t, "labels": []} for t in (0, 1)
    ]
    frames[0]["labels"] = [
        {"id": "1", "category": "car", "box2d": {"x1": 0, "y1": 0, "x2": 9, "y2": 9}}
    ]
    for side in ("truth", "pred"):
        written(tmp_path / side / "a.json", json.dumps(frames))
    written(tmp_path / "images" / "a" / "a-0000001.png", image(60))
    written(tmp_path / "images" / "a" / "a-0000002.png", image(70))
    found = pictures(tmp_path / "truth", tmp_path / "pred", protocol="bdd100k")
    assert [shade(found(f"a/{t:06}")) for t in (0, 1)] == [60, 70]
