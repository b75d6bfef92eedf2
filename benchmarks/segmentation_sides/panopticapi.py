"""panopticapi, in one process; from a checkout, since it is no package."""

from __future__ import annotations

import contextlib
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from panopticapi.evaluation import OFFSET, pq_compute_single_core
from panopticapi.utils import rgb2id

from segmentation_sides import pair_numbers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def panoptic_pairs(arrays: Mapping[str, Any]) -> Callable[[], Any]:
    """Colours to ids, and the pairs of ids: what its evaluation does of each image."""
    truth, pred = arrays["truth"], arrays["pred"]

    def work() -> Any:
        found = []
        for one, other in zip(truth, pred, strict=True):
            ids = rgb2id(one.astype(np.uint32)), rgb2id(other.astype(np.uint32))
            both = ids[0].astype(np.uint64) * OFFSET + ids[1].astype(np.uint64)
            found.append(np.unique(both, return_counts=True))
        return lambda: pair_numbers((pair // OFFSET, pair % OFFSET, n) for pair, n in found)

    return work


def from_files(truth: str, pred: str, out: str) -> None:
    """JSON files and the folders beside them to PQ, SQ, RQ."""
    content, predicted = (json.loads(Path(path).read_text()) for path in (truth, pred))
    of_image = {each["image_id"]: each for each in predicted["annotations"]}
    matched = [(each, of_image[each["image_id"]]) for each in content["annotations"]]
    categories = {each["id"]: each for each in content["categories"]}
    folders = (path.removesuffix(".json") for path in (truth, pred))
    with contextlib.redirect_stdout(io.StringIO()):
        found = pq_compute_single_core(0, matched, *folders, categories)
    numbers = {}
    for suffix, is_thing in (("", None), ("_things", True), ("_stuff", False)):
        means, _ = found.pq_average(categories, isthing=is_thing)
        numbers |= {f"{name.upper()}{suffix}": float(means[name]) for name in ("pq", "sq", "rq")}
    print(numbers)
    Path(out).write_text(json.dumps(numbers))
