"""How much memory this process has, and has had."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

__all__ = ["most_of_device", "most_of_host", "now_of_host"]

_STATUS: Final = Path("/proc/self/status")


def most_of_host() -> int:
    """Return the most bytes of the machine's memory that this process has had."""
    # Not ru_maxrss where there is the other: it begins with what the parent process had.
    return _of_status("VmHWM") or _most_of_usage()


def now_of_host() -> int:
    """Return what it has now; where the system does not say it, the most that it has had."""
    return _of_status("VmRSS") or _most_of_usage()


def most_of_device() -> int | None:
    """Return the most bytes of a GPU that torch has had for tensors; None without one."""
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available() or not torch.cuda.is_initialized():
        return None
    return int(torch.cuda.max_memory_allocated())


def _of_status(name: str) -> int:
    try:
        text = _STATUS.read_text(encoding="ascii")
    except OSError:
        return 0
    lines = (line.split() for line in text.splitlines())
    return next((int(line[1]) << 10 for line in lines if line[0] == f"{name}:"), 0)


def _most_of_usage() -> int:
    try:
        import resource
    except ImportError:  # of Windows
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most << 10
