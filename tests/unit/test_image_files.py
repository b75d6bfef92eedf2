"""Files below a folder: every one, once by each way that leads to it, and no way in circles."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from snellen.errors import InputError
from snellen.readers.image_files import IMAGES, PICTURES, ending, files_below
from snellen.readers.image_folder import read_image_folder


def make(root: Path, *names: str) -> None:
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def keys(root: Path) -> list[str]:
    return [key for key, _ in files_below(root)]


def test_order_and_hidden_files(tmp_path: Path) -> None:
    make(
        tmp_path, "b/2.png", "b/10.png", "a.png", ".x.png", ".git/y.png", "b/.z/w.png", "b/c/d.txt"
    )
    found = list(files_below(tmp_path))
    assert [key for key, _ in found] == ["a.png", "b/10.png", "b/2.png", "b/c/d.txt"]
    assert all(Path(place) == tmp_path / key for key, place in found)


def test_names_are_composed(tmp_path: Path) -> None:
    make(tmp_path, "cafe\u0301/1.png")  # e, and an accent
    ((key, place),) = files_below(tmp_path)
    assert key == "caf\u00e9/1.png"
    assert Path(place).exists()


def test_links_lead_on_but_not_in_circles(tmp_path: Path) -> None:
    make(tmp_path, "a/1.png", "b/2.png")
    (tmp_path / "a/up").symlink_to(tmp_path)  # back to the root
    (tmp_path / "a/to_b").symlink_to(tmp_path / "b")
    (tmp_path / "b/to_a").symlink_to(tmp_path / "a")  # b in a in b
    (tmp_path / "dead.png").symlink_to(tmp_path / "nothing")
    assert keys(tmp_path) == [
        "a/1.png",
        "a/to_b/2.png",
        "b/2.png",
        "b/to_a/1.png",
        "dead.png",
    ]


def test_two_names_of_one_folder_are_both_followed(tmp_path: Path) -> None:
    # Two parts that are one folder are the worst of leaks: they must not be taken for one.
    make(tmp_path, "store/1.png")
    (tmp_path / "data").mkdir()
    for part in ("train", "val"):
        (tmp_path / "data" / part).symlink_to(tmp_path / "store")
    assert keys(tmp_path / "data") == ["train/1.png", "val/1.png"]


def test_a_folder_that_cannot_be_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(tmp_path, "cat/1.png", "dog/locked/2.png")
    scandir = os.scandir

    def locked(path: str) -> object:
        if str(path).endswith("locked"):
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", locked)
    for reading in (lambda: keys(tmp_path), lambda: read_image_folder(tmp_path)):
        with pytest.raises(InputError, match=r"got: Permission denied - at .*dog/locked$"):
            reading()


def test_endings() -> None:
    assert ending("a/b.TIFF") == ".tiff"
    assert ending(".png") == ""
    assert PICTURES < IMAGES
