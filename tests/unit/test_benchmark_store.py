"""Scores that are kept: whole or not at all, and what is damaged is not believed."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from snellen.benchmark.pipeline import LeftOut
from snellen.benchmark.store import PredictionStore
from snellen.errors import InputError

KEY = {"model": "abc", "preprocessing": {"height": 224, "mean": (0.5, 0.25)}, "batch_size": 4}


def filled(folder: Path, n: int = 10, chunk_rows: int = 4) -> PredictionStore:
    store = PredictionStore(folder, KEY, n, chunk_rows=chunk_rows)
    for chunk in range(store.n_chunks):
        rows = store.rows_of(chunk)
        store.write(chunk, rows, scores_of(rows))
    return store


def scores_of(rows: Any) -> Any:
    return np.float32([[row, row / 3, -row] for row in rows.tolist()])


def test_what_is_written_is_read(tmp_path: Path) -> None:
    store = PredictionStore(tmp_path, KEY, 10, chunk_rows=4)
    assert store.missing() == [0, 1, 2]
    assert not store.folder.exists()
    left_out = [LeftOut(5, "broken - at b.png"), LeftOut(7, "gone")]
    store.write(1, np.array([4, 6]), scores_of(np.array([4, 6])), left_out)
    assert store.missing() == [0, 2]
    for chunk in (0, 2):
        store.write(chunk, store.rows_of(chunk), scores_of(store.rows_of(chunk)))
    again = PredictionStore(tmp_path, KEY, 10, chunk_rows=4)
    assert again.missing() == []
    asked: list[int] = []
    assert again.missing(lambda row: bool(asked.append(row))) == []
    assert asked == [5, 7]
    assert again.missing(lambda row: row == 7) == [1]
    found = again.read()
    assert found.rows.tolist() == [0, 1, 2, 3, 4, 6, 8, 9]
    assert found.left_out == tuple(left_out)
    assert found.scores.dtype == np.float32
    np.testing.assert_array_equal(found.scores, scores_of(found.rows))
    assert again.notes == []


def test_a_chunk_without_a_readable_image_is_done(tmp_path: Path) -> None:
    store = PredictionStore(tmp_path, KEY, 3, chunk_rows=2)
    store.write(0, np.empty(0, np.int64), np.empty((0, 0)), [LeftOut(0, "a"), LeftOut(1, "b")])
    store.write(1, np.array([2]), np.ones((1, 3)))
    assert store.missing() == []
    assert store.read().rows.tolist() == [2]
    assert [each.row for each in store.read().left_out] == [0, 1]


def test_nothing_readable_at_all_is_read_too(tmp_path: Path) -> None:
    store = PredictionStore(tmp_path, KEY, 1)
    store.write(0, np.empty(0, np.int64), np.empty((0, 0)), [LeftOut(0, "a")])
    assert store.read().scores.shape == (0, 0)


def test_the_key_decides_which_store_it_is(tmp_path: Path) -> None:
    here = PredictionStore(tmp_path, KEY, 10).folder
    turned = {name: KEY[name] for name in reversed(KEY)}
    assert PredictionStore(tmp_path, turned, 10).folder == here
    others = [
        PredictionStore(tmp_path, {**KEY, "batch_size": 5}, 10),
        PredictionStore(tmp_path, {**KEY, "new": None}, 10),
        PredictionStore(tmp_path, KEY, 11),
        PredictionStore(tmp_path, KEY, 10, chunk_rows=8),
    ]
    assert len({here, *(each.folder for each in others)}) == 5


def test_the_key_is_written_down(tmp_path: Path) -> None:
    text = (filled(tmp_path).folder / "key.json").read_text(encoding="utf-8")
    assert '"model": "abc"' in text


def test_a_key_has_to_be_plain(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="plain values"):
        PredictionStore(tmp_path, {"model": object()}, 1)


def damaged(data: bytes) -> dict[str, bytes]:
    middle = len(data) // 2
    return {
        "a bit": data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :],
        "the end": data[:-1],
        "the start": data[1:],
        "all": b"",
        "zeros": bytes(len(data)),
        "more": data + b"\0",
    }


@pytest.mark.parametrize("what", damaged(b"0123456789"))
def test_what_is_damaged_is_missing(tmp_path: Path, what: str) -> None:
    store = filled(tmp_path)
    file = sorted(store.folder.glob("*.scores"))[1]
    whole = file.read_bytes()
    file.write_bytes(damaged(whole)[what])
    assert store.missing() == [1]
    (note,) = store.notes
    assert "images 5 to 8" in note
    assert str(file) in note
    with pytest.raises(InputError, match=r"1 of 3 chunks are missing or damaged"):
        store.read()
    store.write(1, store.rows_of(1), scores_of(store.rows_of(1)))
    assert store.missing() == []
    assert file.read_bytes() == whole


def test_a_chunk_in_the_place_of_another_is_damaged(tmp_path: Path) -> None:
    store = filled(tmp_path)
    first, second, _ = sorted(store.folder.glob("*.scores"))
    second.write_bytes(first.read_bytes())
    assert store.missing() == [1]


def test_a_full_disk_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = PredictionStore(tmp_path, KEY, 10, chunk_rows=4)
    store.write(0, store.rows_of(0), scores_of(store.rows_of(0)))
    before = {path: path.read_bytes() for path in store.folder.iterdir()}

    class Full:
        """A file on a disk that has room for half of what is written."""

        def __init__(self, handle: int, _: str) -> None:
            self.handle = handle

        def __enter__(self) -> Full:
            return self

        def __exit__(self, *error: object) -> None:
            os.close(self.handle)

        def write(self, data: bytes) -> None:
            os.write(self.handle, data[: len(data) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fdopen", Full)
        with pytest.raises(InputError, match="the disk is full") as caught:
            store.write(1, store.rows_of(1), scores_of(store.rows_of(1)))
    assert caught.value.place == str(store.folder)
    assert {path: path.read_bytes() for path in store.folder.iterdir()} == before
    assert store.missing() == [1, 2]


def test_a_folder_that_cannot_be_written_is_another_matter(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = PredictionStore(tmp_path / "file", KEY, 1)
    with pytest.raises(OSError, match="Not a directory") as caught:
        store.write(0, np.array([0]), np.ones((1, 2)))
    assert not isinstance(caught.value, InputError)


def test_several_may_write_at_once(tmp_path: Path) -> None:
    expected = scores_of(np.arange(10))
    wrong: list[object] = []

    def work() -> None:
        try:
            for _ in range(20):
                store = filled(tmp_path)
                np.testing.assert_array_equal(store.read().scores, expected)
                wrong.extend(store.notes)
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert not wrong
    store = filled(tmp_path)
    assert len(list(store.folder.iterdir())) == 3 + 1  # chunks and key, nothing temporary


def test_chunks_that_do_not_fit_each_other_are_refused(tmp_path: Path) -> None:
    store = PredictionStore(tmp_path, KEY, 4, chunk_rows=2)
    store.write(0, store.rows_of(0), np.ones((2, 3)))
    store.write(1, store.rows_of(1), np.ones((2, 4)))
    with pytest.raises(InputError, match=r"one number of classes, got \[3, 4\]"):
        store.read()
