"""Checkpoints: whole or not at all, the last two, and nothing in them that runs."""

from __future__ import annotations

import errno
import os
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.small_trainings import PLAIN, checkpoints, small_train

from snellen.errors import InputError, SchemaError, StateVersionError
from snellen.training.checkpoint import (
    FORMAT,
    Checkpoints,
    read_checkpoint,
    write_checkpoint,
)

CONTENT = {"step": 3, "network": {"w": torch.arange(4.0)}, "history": [{"loss": 0.5}]}


def test_round_trip(tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "a.ckpt", CONTENT)
    found = read_checkpoint(tmp_path / "a.ckpt")
    assert found["step"] == 3
    assert found["history"] == [{"loss": 0.5}]
    assert torch.equal(found["network"]["w"], torch.arange(4.0))
    assert [path.name for path in tmp_path.iterdir()] == ["a.ckpt"]


def test_two_are_kept(tmp_path: Path) -> None:
    kept = Checkpoints(tmp_path / "checkpoints")
    assert kept.paths() == []
    for step in (5, 10, 100, 1000):
        kept.write(step, CONTENT)
    assert checkpoints(tmp_path) == ["step-000000100.ckpt", "step-000001000.ckpt"]
    assert kept.latest()[1].name == "step-000001000.ckpt"
    assert kept.latest(at_most=999)[1].name == "step-000000100.ckpt"
    with pytest.raises(InputError, match="there is none"):
        kept.latest(at_most=99)


def test_a_run_keeps_two(tmp_path: Path) -> None:
    small_train({**PLAIN, "checkpoint_every": "3ba"}, out=tmp_path)
    assert checkpoints(tmp_path) == ["step-000000018.ckpt", "step-000000020.ckpt"]


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.9, 0.999])
def test_a_truncated_one_is_refused(share: float, tmp_path: Path) -> None:
    path = tmp_path / "a.ckpt"
    write_checkpoint(path, CONTENT)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(SchemaError) as caught:
        read_checkpoint(path)
    assert "a.ckpt" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("place", [0.2, 0.5, 0.8])
def test_a_changed_byte_is_seen(place: float, tmp_path: Path) -> None:
    path = tmp_path / "a.ckpt"
    large = {"network": {"w": torch.arange(5000.0)}}
    write_checkpoint(path, large)
    data = bytearray(path.read_bytes())
    data[int(len(data) * place)] ^= 0xFF  # within the tensor: most of the file
    path.write_bytes(bytes(data))
    with pytest.raises(SchemaError, match="is damaged"):
        read_checkpoint(path)


class Bomb:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = str(folder)

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return os.mkdir, (self.folder,)


@pytest.mark.parametrize("how", ["pickle", "torch", "torch old"])
def test_a_pickle_bomb_does_not_go_off(how: str, tmp_path: Path) -> None:
    path, crater = tmp_path / "a.ckpt", tmp_path / "crater"
    if how == "pickle":
        path.write_bytes(pickle.dumps({"format": FORMAT, "network": Bomb(crater)}))
    else:
        torch.save(
            {"format": FORMAT, "network": Bomb(crater)},
            path,
            _use_new_zipfile_serialization=how == "torch",
        )
    with pytest.raises(SchemaError) as caught:
        read_checkpoint(path)
    assert not crater.exists()
    if how == "torch":
        assert "it wants to run posix.mkdir: it is not loaded" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_bomb_as_the_newest_checkpoint_is_not_resumed(tmp_path: Path) -> None:
    small_train({**PLAIN, "checkpoint_every": "4ba"}, out=tmp_path)
    for path in (tmp_path / "checkpoints").iterdir():
        torch.save({"format": FORMAT, "network": Bomb(tmp_path / "crater")}, path)
    with pytest.raises(InputError, match=r"a checkpoint that can be read.*not loaded"):
        small_train({**PLAIN, "checkpoint_every": "4ba"}, out=tmp_path, resume=True)
    assert not (tmp_path / "crater").exists()


@pytest.mark.parametrize("content", [{"a": 1}, [1, 2], {"format": "other"}, torch.ones(3)])
def test_what_is_no_checkpoint(content: Any, tmp_path: Path) -> None:
    torch.save(content, tmp_path / "a.ckpt")
    with pytest.raises(SchemaError, match=FORMAT):
        read_checkpoint(tmp_path / "a.ckpt")


def test_one_of_a_later_release(tmp_path: Path) -> None:
    torch.save({"format": "snellen.checkpoint/99"}, tmp_path / "a.ckpt")
    with pytest.raises(StateVersionError, match="checkpoint/99"):
        read_checkpoint(tmp_path / "a.ckpt")


def test_one_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match="No such file"):
        read_checkpoint(tmp_path / "a.ckpt")


# --- a full disk


def full(*_args: Any) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("call", ["fsync", "write", "replace"])
def test_a_full_disk_leaves_the_old_one(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.ckpt"
    write_checkpoint(path, CONTENT)
    before = path.read_bytes()
    if call == "fsync":
        monkeypatch.setattr(os, "fsync", full)
    elif call == "replace":
        monkeypatch.setattr(Path, "replace", full)
    else:
        opened = Path.open

        def narrow(self: Path, *args: Any, **options: Any) -> Any:
            file = opened(self, *args, **options)
            if self.name.endswith(".part") and "w" in args[0]:
                file.write(b"half of it")
                file.close()
                full()
            return file

        monkeypatch.setattr(Path, "open", narrow)
    with pytest.raises(InputError, match="the disk is full; the one before is whole") as caught:
        write_checkpoint(path, {**CONTENT, "step": 4})
    assert "a.ckpt" in str(caught.value)
    monkeypatch.undo()
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["a.ckpt"]


def test_what_is_not_read_back_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.ckpt"
    write_checkpoint(path, CONTENT)
    before = path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", lambda _self: b"something else")
        with pytest.raises(InputError, match="other bytes"):
            write_checkpoint(path, {**CONTENT, "step": 4})
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == ["a.ckpt"]


def test_a_run_on_a_full_disk_can_be_resumed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    description = {**PLAIN, "checkpoint_every": "6ba"}
    alone = small_train(description)
    written = Checkpoints.write

    def until_full(self: Checkpoints, step: int, content: Any) -> Path:
        if step > 12:
            monkeypatch.setattr(os, "fsync", full)
        return written(self, step, content)

    with monkeypatch.context() as patch:
        patch.setattr(Checkpoints, "write", until_full)
        with pytest.raises(InputError, match="the disk is full"):
            small_train(description, out=tmp_path)
    monkeypatch.undo()
    assert checkpoints(tmp_path) == ["step-000000006.ckpt", "step-000000012.ckpt"]
    resumed = small_train(description, out=tmp_path, resume=True)
    assert resumed.metrics == alone.metrics
    assert resumed.history[-1]["loss"] == alone.history[-1]["loss"]


def test_a_disk_that_was_full_from_the_beginning_has_nothing_to_resume(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError, match="the disk is full; there is none before: make room"):
        Checkpoints(tmp_path).write(3, CONTENT)
