"""The command line: one file a command, no logic.

Results go to stdout, everything else to stderr. Exit codes: 0 done, 1 bad data or our failure,
2 usage, 3 a --fail-under gate failed, 130 interrupted.
"""

from __future__ import annotations

import gc
import io
import os
import sys
from typing import TextIO

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> None:
    """Run a command and end the process with its code."""
    # NumPy's linear algebra starts a thread for each processor when it is imported; no command
    # needs them, and they compete with the kernels that read files meanwhile.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # Imports and results make many objects and drop few: to look for garbage after every 700 of
    # them takes a tenth of a small evaluation.
    gc.set_threshold(100_000)
    _let_everything_be_printed()
    try:
        from snellen.cli.root import run  # here, so that an interruption is met from now on

        code = run(arguments)
    except KeyboardInterrupt:
        if sys.stderr is not None:
            sys.stderr.write("snellen: interrupted\n")
        code = 130
    unwritten = _flush(sys.stdout) | _flush(sys.stderr)
    code = code or unwritten
    # Ends here, not after the interpreter and a hundred megabytes have been taken apart piece by
    # piece: that is a tenth of an evaluation's time, and everything is written.
    os._exit(code)


def _flush(stream: TextIO | None) -> int:
    """Write what waits to be written; return 1 where it cannot be, else 0.

    There is no stream where the process was started with a closed one.
    """
    try:
        if stream is not None:
            stream.flush()
    except BrokenPipeError:
        return 1  # whoever read our output has gone; there is nobody to tell
    except OSError as error:
        if stream is sys.stdout and sys.stderr is not None:
            sys.stderr.write(f"snellen: error: {error.strerror} - at stdout\n")
        return 1
    return 0


def _let_everything_be_printed() -> None:
    """Show what an encoding lacks as its escape: a name is no reason to lose what was done."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="backslashreplace")
