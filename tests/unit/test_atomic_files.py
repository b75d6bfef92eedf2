"""Files that are written whole or not at all."""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from snellen.atomic_files import write_atomically
from snellen.errors import InputError


def test_files_are_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail(*_: Any) -> None:
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", fail)
        with pytest.raises(OSError, match="no space left"):
            write_atomically({path: b"new"})
    assert path.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["file"]
    write_atomically({path: b"new"})
    assert path.read_bytes() == b"new"
    assert [file.name for file in tmp_path.iterdir()] == ["file"]
    with pytest.raises(FileNotFoundError, match=r"absent/file'$"):
        write_atomically({tmp_path / "absent" / "file": b"new"})


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_files_are_as_readable_as_others(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    write_atomically({tmp_path / "ours": b""})
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("plain", "ours")]
    assert modes[0] == modes[1]


def test_all_or_none_of_several_files(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.write_bytes(b"old")
    with pytest.raises(FileNotFoundError, match=r"absent/file'$"):
        write_atomically({kept: b"new", tmp_path / "absent" / "file": b""})
    assert kept.read_bytes() == b"old"
    assert [file.name for file in tmp_path.iterdir()] == ["kept"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows asks for a right to make links")
def test_links_stay_links(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"old")
    (tmp_path / "link").symlink_to("target")
    write_atomically({tmp_path / "link": b"new"})
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"new"


def test_content_is_asked_for_when_its_turn_comes(tmp_path: Path) -> None:
    def second() -> bytes:
        # The first is written, under another name.
        assert [file.read_bytes() for file in tmp_path.iterdir()] == [b"first"]
        return b"second"

    write_atomically({tmp_path / "a": lambda: b"first", tmp_path / "b": second})
    assert (tmp_path / "a").read_bytes() == b"first"
    assert (tmp_path / "b").read_bytes() == b"second"


def test_content_that_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    def fail() -> bytes:
        raise InputError("none")

    with pytest.raises(InputError, match="none"):
        write_atomically({tmp_path / "a": b"first", tmp_path / "b": fail})
    assert not list(tmp_path.iterdir())
