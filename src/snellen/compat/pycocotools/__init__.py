"""pycocotools 2.0.11, its names and its numbers.

``from snellen.compat.pycocotools.coco import COCO`` is ``from pycocotools.coco import COCO``, and
so are the others. A script that cannot be changed calls `init_as_pycocotools` before it imports.
"""

from __future__ import annotations

import sys

from snellen.compat.pycocotools import coco, cocoeval, mask
from snellen.compat.pycocotools.coco import COCO
from snellen.compat.pycocotools.cocoeval import COCOeval, Params

__all__ = ["COCO", "COCOeval", "Params", "coco", "cocoeval", "init_as_pycocotools", "mask"]

__version__ = "2.0.11"  # of the package whose names these are


def init_as_pycocotools() -> None:
    """Make ``import pycocotools`` mean this package, in this process, from now on.

    What was imported from pycocotools before stays what it is.

    Examples
    --------
    >>> from snellen.compat.pycocotools import init_as_pycocotools
    >>> init_as_pycocotools()  # doctest: +SKIP
    >>> from pycocotools.cocoeval import COCOeval  # doctest: +SKIP
    """
    from snellen.compat.pycocotools import _mask

    sys.modules["pycocotools"] = sys.modules[__name__]
    for name, module in (("coco", coco), ("cocoeval", cocoeval), ("mask", mask), ("_mask", _mask)):
        sys.modules[f"pycocotools.{name}"] = module
