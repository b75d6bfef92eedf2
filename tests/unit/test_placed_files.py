"""Files to their places: all or none, and nothing of the user's."""

from __future__ import annotations

from pathlib import Path

import pytest

from snellen.errors import InputError
from snellen.writers.placed_files import place_files

FILES = {"a.txt": b"1", "x/y/b.txt": b"2"}


def listed(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_new_folder_and_an_empty_one(tmp_path: Path) -> None:
    target = tmp_path / "t"
    for _ in range(2):
        assert place_files(str(target), FILES, force=False) == 0
        assert listed(target) == {"a.txt": "1", "x/y/b.txt": "2"}
        for path in sorted(target.rglob("*"), reverse=True):
            path.rmdir() if path.is_dir() else path.unlink()
    assert [path.name for path in tmp_path.iterdir()] == ["t"]


def test_what_is_there_is_kept(tmp_path: Path) -> None:
    target = tmp_path / "t"
    (target / "x/y").mkdir(parents=True)
    (target / "a.txt").write_text("mine")
    (target / "x/y/c.txt").write_text("mine, too")
    with pytest.raises(InputError, match="this one holds files"):
        place_files(str(target), FILES, force=False)
    assert listed(target) == {"a.txt": "mine", "x/y/c.txt": "mine, too"}
    assert place_files(str(target), FILES, force=True) == 1
    assert listed(target) == {"a.txt": "1", "x/y/b.txt": "2", "x/y/c.txt": "mine, too"}


def test_a_file(tmp_path: Path) -> None:
    target = tmp_path / "a.json"
    place_files(str(target), {"": b"1"}, force=False)
    with pytest.raises(InputError, match="is there already"):
        place_files(str(target), {"": b"2"}, force=False)
    assert target.read_text() == "1"
    place_files(str(target), {"": b"2"}, force=True)
    assert listed(tmp_path) == {"a.json": "2"}


def test_the_other_kind(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(InputError, match="this is a file"):
        place_files(str(tmp_path / "file"), FILES, force=True)
    with pytest.raises(InputError, match="this is a folder"):
        place_files(str(tmp_path), {"": b"1"}, force=True)
    with pytest.raises(InputError, match="there is none: make it"):
        place_files(str(tmp_path / "no/where"), FILES, force=True)
    assert listed(tmp_path) == {"file": "mine"}


def test_a_link_to_a_folder_stays_one(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    place_files(str(tmp_path / "link"), FILES, force=False)
    assert (tmp_path / "link").is_symlink()
    assert listed(tmp_path / "real") == {"a.txt": "1", "x/y/b.txt": "2"}


def test_nothing_is_left_where_something_cannot_be_written(tmp_path: Path) -> None:
    # A file and a folder of one name.
    wrong = {"a": b"1", "a/b": b"2"}
    with pytest.raises(OSError, match="a"):
        place_files(str(tmp_path / "t"), wrong, force=False)
    assert list(tmp_path.iterdir()) == []
    target = tmp_path / "t"
    target.mkdir()
    (target / "x").write_text("a file where a folder is to be")
    with pytest.raises(OSError, match="x"):
        place_files(str(target), {"a.txt": b"1", "deep/c": b"3", "x/y/b.txt": b"2"}, force=True)
    assert listed(target) == {"x": "a file where a folder is to be"}
    assert [path.name for path in target.iterdir()] == ["x"]
