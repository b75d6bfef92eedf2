"""lvis 0.5.3 (lvis-api), its names and its numbers.

``from snellen.compat.lvis import LVIS, LVISEval, LVISResults, LVISVis`` is ``from lvis import …``.
A script that cannot be changed calls `init_as_lvis` before it imports.
"""

from __future__ import annotations

import importlib
import logging
import sys

from snellen.compat.lvis.eval import LVISEval, Params
from snellen.compat.lvis.lvis import LVIS
from snellen.compat.lvis.results import LVISResults
from snellen.compat.lvis.vis import LVISVis

__all__ = ["LVIS", "LVISEval", "LVISResults", "LVISVis", "Params", "init_as_lvis"]

# As importing lvis does, so that its warnings look the same. Nothing where a script did it before.
logging.basicConfig(
    format="[%(asctime)s] %(name)s %(levelname)s: %(message)s",
    datefmt="%m/%d %H:%M:%S",
    level=logging.WARNING,
)


def init_as_lvis() -> None:
    """Make ``import lvis`` mean this package, in this process, from now on.

    What was imported from lvis before stays what it is.

    Examples
    --------
    >>> from snellen.compat.lvis import init_as_lvis
    >>> init_as_lvis()  # doctest: +SKIP
    >>> from lvis import LVIS, LVISEval, LVISResults  # doctest: +SKIP
    """
    sys.modules["lvis"] = sys.modules[__name__]
    for name in ("lvis", "results", "eval", "vis", "colormap"):
        sys.modules[f"lvis.{name}"] = importlib.import_module(f"{__name__}.{name}")
