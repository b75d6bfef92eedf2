"""Run a program and measure it: ``python -I -S measured_program.py PROGRAM ARGUMENT…``.

Prints a line with wall seconds, CPU seconds, peak memory (in the system's unit) and exit code, then
the end of what the program printed; the rest of that is read and dropped.

A process starts with the peak memory of the one that started it: the kernel counts it before the
new program is loaded. So this one imports next to nothing, and is smaller than any program worth
measuring.
"""

from __future__ import annotations

import os
import sys
import time

_KEPT = 2000  # bytes of the program's output: the last lines of an error


def main() -> None:
    """Do what the arguments say."""
    command = sys.argv[1:]
    reading, writing = os.pipe()
    start = time.perf_counter()
    pid = os.posix_spawnp(
        command[0],
        command,
        os.environ,
        file_actions=[(os.POSIX_SPAWN_DUP2, writing, 1), (os.POSIX_SPAWN_DUP2, writing, 2)],
    )
    os.close(writing)
    end = b""
    while chunk := os.read(reading, 65536):
        end = (end + chunk)[-_KEPT:]
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - start
    cpu = usage.ru_utime + usage.ru_stime
    print(wall, cpu, usage.ru_maxrss, os.waitstatus_to_exitcode(status), flush=True)
    sys.stdout.buffer.write(end)


if __name__ == "__main__":
    main()
