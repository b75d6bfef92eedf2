"""py-motmetrics 1.4.0, its names and its numbers: ``import snellen.compat.motmetrics as mm``.

Events, tables and numbers are those of the package with SciPy's solver, in every bit, where it
works; where it stops on NumPy 2 or pandas 3, this does not. Events are kept as columns: a data
frame of them is made when it is asked for. pandas is needed (``pip install 'snellen[frame]'``),
SciPy is not.
"""

from __future__ import annotations

from snellen.errors import MissingExtraError

try:
    import pandas as pd
except ImportError:
    raise MissingExtraError("pandas", "frame") from None

from snellen.compat.motmetrics import distances, io, lap, metrics, preprocess, utils
from snellen.compat.motmetrics.mot import MOTAccumulator

__all__ = ["MOTAccumulator", "distances", "io", "lap", "metrics", "preprocess", "utils"]

del pd

__version__ = "1.4.0"  # of the package whose names these are
