"""What is said of a machine."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from snellen.run import machine as module
from snellen.run.machine import machine


def test_what_decides_the_speed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_GPUS", tmp_path / "none")
    found = machine()
    assert 1 <= found["processors"] <= (os.cpu_count() or 1)
    assert found["memory_gib"] > 0
    assert "gpus" not in found


def test_gpus_as_the_driver_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for k, model in enumerate(("NVIDIA H200", "NVIDIA L4")):
        (tmp_path / f"0000:0{k}:00.0").mkdir()
        (tmp_path / f"0000:0{k}:00.0" / "information").write_text(
            f"Model: \t\t {model}\nIRQ:   \t\t 81\nGPU UUID: \t GPU-0\n"
        )
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "information").write_bytes(b"\xff\xfe")
    monkeypatch.setattr(module, "_GPUS", tmp_path)
    assert machine()["gpus"] == ["NVIDIA H200", "NVIDIA L4"]
