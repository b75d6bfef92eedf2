"""What decides the speed of a machine, and nothing that names it."""

from __future__ import annotations

import contextlib
import os
import platform
from pathlib import Path
from typing import Any, Final

__all__ = ["machine"]

_GPUS: Final = Path("/proc/driver/nvidia/gpus")


def machine() -> dict[str, Any]:
    """Return processor, memory, system and load, in plain values."""
    import numpy as np

    from snellen import __version__
    from snellen.threads import usable_threads

    try:
        memory: float | None = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (AttributeError, OSError, ValueError):  # no such question on this system
        memory = None
    try:
        load: float | None = round(os.getloadavg()[0], 2)
    except (AttributeError, OSError):
        load = None
    gpus = _gpus()
    return {
        "cpu": _cpu(),
        "processors": usable_threads(),
        "memory_gib": None if memory is None else round(memory, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "numpy": np.__version__,
        "snellen": __version__,
        "load_before": load,
        **({"gpus": gpus} if gpus else {}),
    }


def _gpus() -> list[str]:
    """Return what the GPUs of the machine are called, as NVIDIA's driver says."""
    found = []
    for path in sorted(_GPUS.glob("*/information")):
        with contextlib.suppress(OSError, UnicodeDecodeError):
            for line in path.read_text(encoding="utf-8").splitlines():
                name, _, value = line.partition(":")
                if name.strip() == "Model":
                    found.append(value.strip())
    return found


def _cpu() -> str:
    """Return what the processor is called."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip() in ("model name", "Model"):
            return value.strip()
    return platform.processor() or platform.machine()
