"""The command line: one file a command, no logic.

Results go to stdout, everything else to stderr. Exit codes: 0 done, 1 bad data or our failure,
2 usage, 3 a --fail-under gate failed, 130 interrupted.
"""

from __future__ import annotations

import gc
import os
import sys

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> None:
    """Run a command and end the process with its code."""
    # NumPy's linear algebra starts a thread for each processor when it is imported; no command
    # needs them, and they compete with the kernels that read files meanwhile.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Imports and results make many objects and drop few: to look for garbage after every 700 of
    # them takes a tenth of a small evaluation.
    gc.set_threshold(100_000)
    try:
        from snellen.cli.root import run  # here, so that an interruption is met from now on

        code = run(arguments)
    except KeyboardInterrupt:
        sys.stderr.write("snellen: interrupted\n")
        code = 130
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except BrokenPipeError:
        code = code or 1
    # Ends here, not after the interpreter and a hundred megabytes have been taken apart piece by
    # piece: that is a tenth of an evaluation's time, and everything is written.
    os._exit(code)
