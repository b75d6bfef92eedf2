"""Small files of tracks for tests: text of MOTChallenge, and others."""

from __future__ import annotations

from pathlib import Path

__all__ = ["PRED", "PRED_ROWS", "TRUTH", "TRUTH_ROWS", "text", "written"]

# One object, still, in four frames; its track is 7, then lost, then 8; 9 is nobody.
TRUTH_ROWS = [(t, 1, 10, 20, 30, 40, 1, 1, 1) for t in (1, 2, 3, 4)]
PRED_ROWS = [
    (1, 7, 10, 20, 30, 40, 0.9, -1, -1, -1),
    (2, 7, 10, 20, 30, 40, 0.9, -1, -1, -1),
    (3, 9, 500, 20, 30, 40, 0.5, -1, -1, -1),
    (4, 8, 10, 20, 30, 40, 0.8, -1, -1, -1),
]


def text(rows: list[tuple[float, ...]], delimiter: str = ",") -> str:
    """Return rows as lines of text."""
    return "".join(delimiter.join(map(str, row)) + "\n" for row in rows)


TRUTH = text(TRUTH_ROWS)
PRED = text(PRED_ROWS)


def written(path: Path, content: str | bytes) -> Path:
    """Write a file, with the folders above it, and return where it is."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path
