"""TrackEval, a sequence in each of so many processes; their memory is counted for one of them."""

from __future__ import annotations

from tracking_sides.trackeval import from_files

__all__ = ["from_files"]
