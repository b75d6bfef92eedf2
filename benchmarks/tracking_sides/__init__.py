"""The tools beside each other, one short file a tool.

`from_files` is a whole program: it is given the folder of the truth, that of the predictions (both
as MOTChallenge lays them out, MOT20) and where its numbers go. They are those of all sequences
together and have TrackEval's names; rates are shares, not percent. `phases` does the same work on
one thread and says how long each part of it took.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BENCHMARK", "PHASES", "sequences", "write_numbers"]

BENCHMARK: Final = "MOT20"
PHASES: Final = ("load", "similarity", "preprocessing", "HOTA", "CLEAR", "Identity", "VACE")


def sequences(truth: str) -> list[str]:
    """Return the names of the sequences, in the order of TrackEval's sums."""
    return sorted(path.name for path in Path(truth).iterdir() if path.is_dir())


def write_numbers(out: str, numbers: Mapping[str, Any]) -> None:
    """Print the numbers, as every side does, and keep them."""
    plain = {name: float(value) for name, value in numbers.items()}
    print(plain)
    Path(out).write_text(json.dumps(plain))
