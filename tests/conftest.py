"""Where the conformance data lies, and what to do without it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

_HOME = Path(
    os.environ.get("SNELLEN_CONFORMANCE", Path(__file__).parents[1].parent / "shared/conformance")
)

# A shell lets what it starts in the background ignore Ctrl-C, and so would all commands that tests
# start and interrupt.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

_PROCESS, _end_process = os.getpid(), os._exit


def _refuse_to_end(code: int) -> None:
    """Fail where a test would end the process of all tests, and what they say, as the CLI does."""
    if os.getpid() != _PROCESS:  # of a fork
        _end_process(code)
    raise RuntimeError(f"expected tests to run the command in a process, got its end ({code})")


os._exit = _refuse_to_end  # type: ignore[assignment]


@pytest.fixture(scope="session")
def conformance_data() -> Path:
    """Return the folder of real data with reference results, which is not part of the project."""
    if not _HOME.is_dir():
        pytest.skip(f"no conformance data in {_HOME} (SNELLEN_CONFORMANCE names another folder)")
    return _HOME
