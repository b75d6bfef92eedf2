"""The results of a detector on an LVIS data set: the names of ``lvis.results``."""

from __future__ import annotations

import contextlib
import copy
import logging
import pickle
import sys
from collections import defaultdict
from typing import Any

from snellen import _core
from snellen.compat.lvis.lvis import LVIS, is_data_set
from snellen.compat.pycocotools.completion import complete_masks
from snellen.compat.pycocotools.documents import no_collection
from snellen.errors import first_few

__all__ = ["LVISResults", "is_results"]


class LVISResults(LVIS):
    """The results of a detector on a data set, whose dicts are completed in place.

    Parameters
    ----------
    lvis_gt : LVIS or str
        The data set, or its file.
    results : str or list of dict
        A JSON file of a list, or the list. The first one decides of which kind all are.
    max_dets : int
        How many are kept of an image, those of highest score; all where it is below 0.

    Raises
    ------
    TypeError
        For other data sets.
    AssertionError
        For other results, and for images that the data set does not have.
    IndexError
        For an empty list.
    """

    def __init__(self, lvis_gt: Any, results: Any, max_dets: Any = 300) -> None:
        if is_data_set(lvis_gt):
            self.dataset = _copied_without_annotations(lvis_gt.dataset)
        elif isinstance(lvis_gt, str):
            self.dataset = self._load_json(lvis_gt)
        else:
            raise TypeError(f"Unsupported type {lvis_gt} of lvis_gt.")
        self.logger = logging.getLogger("lvis.results")
        self.logger.info("Loading and preparing results.")
        if isinstance(results, str):
            anns = self._load_json(results)
        else:
            self.logger.warning("Assuming user provided the results in correct format.")
            anns = results
        if not isinstance(anns, list):
            raise AssertionError("results is not a list.")
        if max_dets >= 0:
            anns = self.limit_dets_per_image(anns, max_dets)
        with no_collection():
            _complete(anns)
        self.dataset["annotations"] = anns
        self._create_index()
        known = set(self.get_img_ids())
        unknown = list(
            dict.fromkeys(each["image_id"] for each in anns if each["image_id"] not in known)
        )
        if unknown:
            raise AssertionError(
                f"Results do not correspond to current LVIS set: {len(unknown)} unknown image ids: "
                f"{first_few(unknown)}"
            )

    def limit_dets_per_image(self, anns: Any, max_dets: Any) -> list[Any]:
        """Return the results of highest score of each image, image by image."""
        of_image: defaultdict[Any, list[Any]] = defaultdict(list)
        for each in anns:
            of_image[each["image_id"]].append(each)
        kept = []
        for some in of_image.values():
            if len(some) > max_dets:
                some = sorted(some, key=lambda each: each["score"], reverse=True)[:max_dets]
            kept.extend(some)
        return kept

    def get_top_results(self, img_id: Any, score_thrs: Any) -> list[Any]:
        """Return the results of an image whose score is above another."""
        anns = self.load_anns(self.get_ann_ids(img_ids=[img_id]))
        return [each for each in anns if each["score"] > score_thrs]


def is_results(value: Any) -> bool:
    """Whether these are results, also those of lvis itself."""
    theirs = getattr(sys.modules.get("lvis.results"), "LVISResults", LVISResults)
    return isinstance(value, (LVISResults, theirs))


def _copied_without_annotations(dataset: Any) -> Any:
    """Return a deep copy, whose annotations are to be put in."""
    if type(dataset) is not dict:
        return copy.deepcopy(dataset)
    rest = {key: None if key == "annotations" else value for key, value in dataset.items()}
    with no_collection():
        # Of what a file holds, in a fifth of the time.
        with contextlib.suppress(Exception):
            return pickle.loads(pickle.dumps(rest, pickle.HIGHEST_PROTOCOL))
        return copy.deepcopy(rest)


def _complete(anns: list[Any]) -> None:
    """Give results what annotations have: an id, an area, a box or a mask."""
    if "bbox" in anns[0]:
        if not _core.complete_boxes(anns, crowds=False):
            for i, each in enumerate(anns):
                left, top, width, height = each["bbox"]
                right, bottom = left + width, top + height
                if "segmentation" not in each:
                    corners = [left, top, left, bottom, right, bottom, right, top]
                    each["segmentation"] = [corners]
                each["area"] = width * height
                each["id"] = i + 1
    elif "segmentation" in anns[0]:
        complete_masks(anns, crowds=False)
