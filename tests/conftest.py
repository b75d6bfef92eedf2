"""Where the conformance data lies, and what to do without it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_HOME = Path(
    os.environ.get("SNELLEN_CONFORMANCE", Path(__file__).parents[1].parent / "shared/conformance")
)


@pytest.fixture(scope="session")
def conformance_data() -> Path:
    """Return the folder of real data with reference results, which is not part of the project."""
    if not _HOME.is_dir():
        pytest.skip(f"no conformance data in {_HOME} (SNELLEN_CONFORMANCE names another folder)")
    return _HOME
