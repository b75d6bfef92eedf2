"""pycocotools 2.0.11, its names and its numbers.

``from snellen.compat.pycocotools import mask`` is ``pycocotools.mask``.
"""

from __future__ import annotations

from snellen.compat.pycocotools import mask

__all__ = ["mask"]

__version__ = "2.0.11"  # of the package whose names these are
