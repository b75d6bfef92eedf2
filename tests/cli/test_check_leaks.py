"""``snellen check --leaks``: what it prints, writes, refuses, and how it ends."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
from pathlib import Path

import click
import numpy as np
import pytest
from PIL import Image

from snellen.cli.check import check
from snellen.splits.leaks import DEFAULT_DISTANCE

from .conftest import Run


def picture(seed: int) -> Image.Image:
    """Return a picture of random large fields: no two seeds look alike."""
    fields = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), np.uint8)
    return Image.fromarray(fields).resize((320, 240), Image.Resampling.BICUBIC)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return a folder of three parts: test shares an equal file and a near one with train."""
    root = tmp_path / "data"
    for part in ("train", "val", "test"):
        (root / part).mkdir(parents=True)
    for seed in range(6):
        picture(seed).save(root / f"train/{seed}.png")
    picture(10).save(root / "val/10.png")
    (root / "test/copy.png").write_bytes((root / "train/0.png").read_bytes())
    picture(1).resize((100, 70)).save(root / "test/again.jpg", quality=5)
    picture(11).save(root / "test/11.png")
    picture(12).save(root / "test/12.png")
    return root


def manifest_of(data: Path) -> Path:
    """Write a manifest as `snellen split` does."""
    rows = sorted(path.relative_to(data).as_posix() for path in data.rglob("*.*"))
    text = '# {"seed": 0}\nkey,part,label\n' + "".join(
        f"{row},{row.partition('/')[0]},x\n" for row in rows
    )
    path = data.parent / "split.csv"
    path.write_text(text, encoding="utf-8")
    return path


def check_refused(run: Run, *arguments: str | Path, code: int = 1, text: str) -> None:
    done = run("check", *arguments)
    assert done.returncode == code, done.stdout + done.stderr
    assert done.stdout == ""
    assert text in done.stderr
    assert "Traceback" not in done.stderr
    assert "our mistake" not in done.stderr
    if code == 1:
        assert done.stderr.startswith("snellen: error: ")
        assert done.stderr.count("\n") == 1


def test_report(run: Run, data: Path) -> None:
    done = run("check", "--leaks", data)
    assert (done.returncode, done.stderr) == (0, "")
    assert "11 images in 3 parts; near: at most 30 of 256 bits" in done.stdout
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("test in train")]
    # Of four test images one is an equal file, one looks alike.
    assert line.split() == ["test", "in", "train", "4", "2", "1", "1", "50.00", "%"]
    first, second = done.stdout.splitlines()[-2:]
    assert first.split() == ["exact", "test:", "test/copy.png", "train:", "train/0.png"]
    assert second.split()[2:] == ["test:", "test/again.jpg", "train:", "train/1.png"]


def test_the_three_ways_in_agree(run: Run, data: Path) -> None:
    printed = [
        run("check", "--leaks", *source).stdout
        for source in (
            [data],
            [data / "train", data / "val", data / "test"],
            [manifest_of(data), "--root", data],
        )
    ]
    assert printed[0] != ""
    assert printed[0] == printed[1] == printed[2]


def test_json_groups_and_sheet(run: Run, data: Path, tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("leaks.json", "groups.csv", "sheet.png")]
    done = run(
        "check", "--leaks", data, "--json", files[0], "--groups", files[1], "--sheet", files[2]
    )
    assert done.returncode == 0, done.stderr
    assert all(file.name in done.stderr for file in files)
    result = json.loads(files[0].read_text())
    assert result["schema"] == "snellen.leaks/1"
    assert [pair["key"] for pair in result["pairs"]] == ["test/copy.png", "test/again.jpg"]
    with files[1].open(newline="", encoding="utf-8") as file:
        rows = dict(csv.reader(file))
    assert len(rows) == 12  # a header and 11 images
    assert rows["key"] == "group"
    assert rows["train/0.png"] == rows["test/copy.png"] == "test/copy.png"
    assert rows["train/2.png"] == "train/2.png"
    with Image.open(files[2]) as sheet:
        assert sheet.size[0] == 2 * 460 + 16  # two pairs beside each other


def test_groups_keep_the_labels_of_a_manifest(run: Run, data: Path, tmp_path: Path) -> None:
    run("check", "--leaks", manifest_of(data), "--root", data, "--groups", tmp_path / "g.csv")
    with (tmp_path / "g.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert rows[0] == {"key": "test/11.png", "group": "test/11.png", "label": "x"}
    assert len(rows) == 11


def test_json_on_stdout(run: Run, data: Path) -> None:
    done = run("check", "--leaks", data, "--json", "-")
    assert json.loads(done.stdout)["n_exact_groups"] == 1


def test_the_bytes_are_the_same_on_any_number_of_threads(run: Run, data: Path) -> None:
    printed = {
        run("check", "--leaks", data, "--json", "-", "--threads", n).stdout for n in ("1", "2", "7")
    }
    assert len(printed) == 1


def test_gate(run: Run, data: Path) -> None:
    done = run("check", "--leaks", data, "--fail-on-leak", "--quiet")
    assert (done.returncode, done.stdout) == (3, "")
    assert done.stderr == "snellen: parts share images: 2 pairs\n"
    # At distance 0 the equal file is a leak still.
    assert run("check", "--leaks", data, "--fail-on-leak", "--distance", "0").returncode == 3
    (data / "test/copy.png").unlink()
    done = run("check", "--leaks", data, "--fail-on-leak", "--distance", "0")
    assert (done.returncode, done.stderr) == (0, "")


def test_a_gate_without_parts_would_always_hold(run: Run, data: Path) -> None:
    check_refused(
        run,
        "--leaks",
        data / "train",
        "--fail-on-leak",
        text='expected two parts or more for --fail-on-leak, got the part "." alone',
    )


def test_one_part(run: Run, data: Path) -> None:
    (data / "train/copy.png").write_bytes((data / "train/0.png").read_bytes())
    done = run("check", "--leaks", data / "train")
    assert "1 group of duplicates, with 2 images" in done.stdout
    assert done.stdout.splitlines()[-1].split() == ["exact", ".:", "0.png", ".:", "copy.png"]


def test_unreadable_images(run: Run, data: Path) -> None:
    (data / "val/broken.png").write_bytes(b"no picture")
    (data / "val/empty.png").touch()
    done = run("check", "--leaks", data)
    assert done.returncode == 0
    assert done.stderr.startswith(
        "snellen: warning: 2 images of 13 cannot be read (val/broken.png: no image that Pillow can "
        "read, val/empty.png: the file is empty)"
    )
    assert done.stderr.count("\n") == 1
    assert run("check", "--leaks", data, "--quiet").stderr == ""
    check_refused(run, "--leaks", data, "--strict", text="2 of 13 cannot")


def test_links_to_nowhere(run: Run, data: Path) -> None:
    (data / "val/lost.png").symlink_to(data / "absent.png")
    assert "val/lost.png: No such file" in run("check", "--leaks", data).stderr


def test_missing_files(run: Run, data: Path) -> None:
    manifest = manifest_of(data)
    (data / "val/10.png").unlink()
    arguments = ("--leaks", manifest, "--root", data)
    check_refused(run, *arguments, text="1 missing (val/10.png)")
    done = run("check", *arguments, "--missing", "ignore")
    assert done.returncode == 0
    assert done.stderr == (
        "snellen: warning: 1 of the images that the manifest names is missing and left out "
        "(val/10.png)\n"
    )


def test_bad_input(run: Run, data: Path, tmp_path: Path) -> None:
    check_refused(
        run, "--leaks", tmp_path / "absent", text="expected a manifest, or folders of images"
    )
    check_refused(run, "--leaks", data / "train", tmp_path / "absent", text="got nothing - at")
    (tmp_path / "empty").mkdir()
    check_refused(run, "--leaks", tmp_path / "empty", text="expected images, found none")
    check_refused(run, "--leaks", manifest_of(data), text="give the folder that the keys start")
    check_refused(run, "--leaks", data / "train/0.png", text="expected a table")
    check_refused(
        run, "--leaks", data, "--json", tmp_path / "no/such/x.json", text="expected a folder"
    )
    check_refused(run, "--leaks", data, "--sheet", tmp_path / "no/x.png", text="expected a folder")


def test_usage(run: Run, data: Path) -> None:
    check_refused(run, data, code=2, text="--leaks finds images that parts share")
    check_refused(run, "--leaks", code=2, text="Missing argument")
    check_refused(run, "--leaks", data, "--distance", "256", code=2, text="256")
    check_refused(run, "--leaks", data, "--root", data, code=2, text="a manifest with --root")
    check_refused(
        run, "--leaks", data, "--missing", "error", code=2, text="a manifest with --missing"
    )


def test_nothing_is_written_where_something_cannot(run: Run, data: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    done = run(
        "check", "--leaks", data, "--groups", tmp_path / "g.csv", "--json", tmp_path / "folder"
    )
    assert done.returncode == 2
    assert not (tmp_path / "g.csv").exists()


def test_names_that_are_no_text(run: Run, data: Path) -> None:
    if sys.platform != "linux":
        pytest.skip("other file systems want text")
    odd = Path(os.fsdecode(os.fsencode(data / "val") + b"/\xff.png"))
    odd.write_bytes((data / "train/3.png").read_bytes())
    done = run("check", "--leaks", data, "--json", "-", "--sheet", data.parent / "s.png")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["pairs"][1]["other"] == "val/\\udcff.png"


def test_without_pillow(run: Run, data: Path, tmp_path: Path) -> None:
    (tmp_path / "PIL").mkdir()
    (tmp_path / "PIL/__init__.py").write_text("raise ImportError")
    done = run("check", "--leaks", data, env={**os.environ, "PYTHONPATH": str(tmp_path)})
    assert done.returncode == 1
    assert "pip install 'snellen[report]'" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_default_distance() -> None:
    (option,) = [parameter for parameter in check.params if parameter.name == "distance"]
    assert isinstance(option, click.Option)
    assert option.default == DEFAULT_DISTANCE


def test_sheet_of_nothing(run: Run, data: Path, tmp_path: Path) -> None:
    # An old sheet would speak of pairs that are no more.
    run("check", "--leaks", data / "val", "--sheet", tmp_path / "s.png")
    with Image.open(io.BytesIO((tmp_path / "s.png").read_bytes())) as sheet:
        assert sheet.size[1] < 100
