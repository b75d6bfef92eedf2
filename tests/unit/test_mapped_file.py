"""Large files as memory, and what is let go of."""

from __future__ import annotations

import mmap
import sys
from pathlib import Path

import numpy as np
import pytest

from snellen import mapped_file
from snellen.mapped_file import file_content, let_go


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(mapped_file, "_MAPPED", 1 << 20)
    path = tmp_path / "large"
    path.write_bytes(np.arange(1 << 18, dtype=np.float64).tobytes())
    return path


def resident(path: Path) -> int:
    """Return how many KiB of a mapped file are in this process's memory."""
    lines = Path("/proc/self/smaps").read_text().splitlines()
    mapping = [number for number, line in enumerate(lines) if line.endswith(f" {path}")]
    assert mapping
    return sum(
        int(line.split()[1])
        for number in mapping
        for line in lines[number + 1 : number + 6]
        if line.startswith("Rss:")
    )


def test_a_small_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "small"
    path.write_bytes(b"abc")
    assert file_content(path) == b"abc"
    assert isinstance(file_content(path), bytes)


def test_an_empty_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "empty").write_bytes(b"")
    assert file_content(tmp_path / "empty") == b""


def test_a_large_file_is_mapped(large: Path) -> None:
    content = file_content(large)
    assert isinstance(content, memoryview)
    assert bytes(content) == large.read_bytes()


def test_what_is_renamed_over_it_does_not_show(large: Path) -> None:
    content, before = file_content(large), large.read_bytes()
    other = large.with_name("other")
    other.write_bytes(bytes(len(before)))
    other.replace(large)
    assert bytes(content) == before


@pytest.mark.skipif(
    sys.platform != "linux" or not hasattr(mmap, "MADV_DONTNEED"), reason="reads /proc"
)
def test_memory_is_let_go_of_and_numbers_stay(large: Path) -> None:
    values = np.frombuffer(file_content(large), np.float64)
    expected = float(values.sum())
    assert resident(large) > 1 << 10
    let_go(values[5:10].reshape(-1, 1))
    assert resident(large) < 1 << 8
    assert values.sum() == expected


def test_other_memory_stays_as_it_is() -> None:
    values = np.arange(5.0)
    let_go(values, values[1:], memoryview(b"abc"), np.frombuffer(b"12345678", np.float64))
    assert values.tolist() == [0, 1, 2, 3, 4]


def test_without_descriptors_for_another_map_it_is_read(
    large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(mapped_file, "_MappedFile", refuse)
    assert file_content(large) == large.read_bytes()


@pytest.mark.skipif(not hasattr(mmap, "MADV_DONTNEED"), reason="memory cannot be let go of here")
def test_a_map_of_somebody_else_is_left_alone(large: Path) -> None:
    with large.open("rb") as file:
        content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
    content[:3] = b"zzz"  # a page of its own, which a file does not have
    let_go(memoryview(content))
    assert content[:3] == b"zzz"
