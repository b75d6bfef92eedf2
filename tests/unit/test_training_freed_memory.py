"""Memory that is freed: kept while training, given back after it."""

from __future__ import annotations

import ctypes
import subprocess
import sys

import pytest
import torch

from snellen.training.freed_memory import kept_memory

_HAS_GNU = sys.platform.startswith("linux") and hasattr(ctypes.CDLL(None), "gnu_get_libc_version")

# 40 MB are more than the library keeps by itself: each block is new pages of 4 kB.
_PROGRAM = """
import contextlib, resource, sys, torch
from snellen.training.freed_memory import kept_memory

def faults_of_ten():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(10):
        torch.ones(10_000_000)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

def resident_mib():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize() / 2**20

torch.ones(10_000_000)
counts = [faults_of_ten()]
with kept_memory(torch.device(sys.argv[1])):
    faults_of_ten()  # the library's own small leftovers lie between the first ones
    counts.append(faults_of_ten())
    many = [torch.ones(10_000_000) for _ in range(5)]
    del many
    counts.append(resident_mib())
counts.append(resident_mib())
print(*counts)
"""


def counted(device: str, **environment: str) -> list[float]:
    """Return page faults before and within, and the size of the process within and after."""
    run = subprocess.run(
        [sys.executable, "-c", _PROGRAM, device],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": ":".join(filter(None, sys.path)), **environment},
    )
    return [float(word) for word in run.stdout.split()]


@pytest.mark.skipif(not _HAS_GNU, reason="the C library is not GNU's")
def test_what_is_freed_is_used_again_and_given_back_at_the_end() -> None:
    before, within, kept, after = counted("cpu")
    assert before > 10 * 1000  # 10 blocks of 9,765 pages, some of them perhaps huge ones
    assert within < before / 10
    assert kept - after > 100  # of 200 MB and more


@pytest.mark.skipif(not _HAS_GNU, reason="the C library is not GNU's")
def test_who_says_how_memory_is_got_is_listened_to() -> None:
    before, within, *_ = counted("cpu", MALLOC_MMAP_THRESHOLD_="1000000")
    assert within > before / 2


def test_on_a_gpu_nothing_is_changed() -> None:
    with kept_memory(torch.device("cuda")):
        pass
    if _HAS_GNU:
        before, within, *_ = counted("cuda")
        assert within > before / 2
