"""An LVIS data set: the names of ``lvis.lvis``."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections import defaultdict
from typing import Any
from urllib.request import urlretrieve

from snellen import _core
from snellen.compat.pycocotools import mask as mask_utils
from snellen.compat.pycocotools.documents import decoded, no_collection, read_bytes
from snellen.compat.pycocotools.overridden import remembered

__all__ = ["LVIS", "is_data_set"]


@remembered
class LVIS:
    """The annotations of a data set.

    Parameters
    ----------
    annotation_path : path
        A JSON file of ``images``, ``annotations`` and ``categories``.

    Attributes
    ----------
    dataset : dict
        What the file holds.
    anns, cats, imgs : dict
        Annotations, categories and images by id; of equal ids the last.
    img_ann_map : defaultdict of list
        The annotations of each image, in the order of the file.
    cat_img_map : defaultdict of list
        The image of each annotation of a category.
    """

    def __init__(self, annotation_path: Any) -> None:
        self.logger = logging.getLogger("lvis.lvis")
        self.logger.info("Loading annotations.")
        self.dataset = self._load_json(annotation_path)
        if type(self.dataset) is not dict:
            raise AssertionError(f"Annotation file format {type(self.dataset)} not supported.")
        self._create_index()

    def _load_json(self, path: Any) -> Any:
        return decoded(read_bytes(path))

    def _create_index(self) -> None:
        """Find annotations, images and categories by their ids."""
        self.logger.info("Creating index.")
        self.img_ann_map: defaultdict[Any, list[Any]] = defaultdict(list)
        self.cat_img_map: defaultdict[Any, list[Any]] = defaultdict(list)
        self.anns: dict[Any, Any] = {}
        self.cats: dict[Any, Any] = {}
        self.imgs: dict[Any, Any] = {}
        with no_collection():
            indexed = self._index_at_once()
            if not indexed:
                for each in self.dataset["annotations"]:
                    self.img_ann_map[each["image_id"]].append(each)
                    self.anns[each["id"]] = each
            for each in self.dataset["images"]:
                self.imgs[each["id"]] = each
            for each in self.dataset["categories"]:
                self.cats[each["id"]] = each
            for each in [] if indexed else self.dataset["annotations"]:
                self.cat_img_map[each["category_id"]].append(each["image_id"])
        self.logger.info("Index created.")

    def _index_at_once(self) -> bool:
        annotations = self.dataset["annotations"]
        if type(annotations) is not list:
            return False
        found = self.anns, self.img_ann_map, self.cat_img_map
        # What cannot be indexed is found again one by one, after what else cannot.
        with contextlib.suppress(KeyError, TypeError):
            if _core.index_records(annotations, *found):
                return True
        for each in found:
            each.clear()
        return False

    def get_ann_ids(self, img_ids: Any = None, cat_ids: Any = None, area_rng: Any = None) -> Any:
        """Return the ids of annotations.

        Parameters
        ----------
        img_ids, cat_ids : sequence of ids, optional
            Of these images and categories; image by image as given, within each in the order of the
            file.
        area_rng : pair of float, optional
            Of an area above the first and below the second: 0 and infinity where there are
            categories. It needs categories.
        """
        if img_ids is None:
            chosen = self.dataset["annotations"]
        else:
            chosen = []
            for image in img_ids:
                chosen.extend(self.img_ann_map[image])
        if cat_ids is None and area_rng is None:
            return [each["id"] for each in chosen]
        among = set(cat_ids)
        if area_rng is None:
            area_rng = [0, float("inf")]
        return [
            each["id"]
            for each in chosen
            if each["category_id"] in among
            and each["area"] > area_rng[0]
            and each["area"] < area_rng[1]
        ]

    def get_cat_ids(self) -> list[Any]:
        """Return the ids of all categories."""
        return list(self.cats.keys())

    def get_img_ids(self) -> list[Any]:
        """Return the ids of all images."""
        return list(self.imgs.keys())

    def _load_helper(self, _dict: Any, ids: Any) -> list[Any]:
        return list(_dict.values()) if ids is None else [_dict[each] for each in ids]

    def load_anns(self, ids: Any = None) -> list[Any]:
        """Return the annotations of these ids; None for all."""
        return self._load_helper(self.anns, ids)

    def load_cats(self, ids: Any) -> list[Any]:
        """Return the categories of these ids; None for all."""
        return self._load_helper(self.cats, ids)

    def load_imgs(self, ids: Any) -> list[Any]:
        """Return the images of these ids; None for all."""
        return self._load_helper(self.imgs, ids)

    def download(self, save_dir: Any, img_ids: Any = None) -> None:
        """Download images to a folder, those that it has not.

        Parameters
        ----------
        save_dir : path
            The folder, which is made.
        img_ids : sequence of ids, optional
            The images, else all.
        """
        images = self.load_imgs(img_ids)
        if not os.path.exists(save_dir):  # noqa: PTH110  # any kind of path
            os.makedirs(save_dir)  # noqa: PTH103
        for image in images:
            path = os.path.join(save_dir, image["coco_url"].split("/")[-1])  # noqa: PTH118
            if not os.path.exists(path):  # noqa: PTH110
                _fetch(image["coco_url"], path)

    def ann_to_rle(self, ann: Any) -> Any:
        """Return an annotation's mask in compressed run lengths, of polygons the union."""
        image = self.imgs[ann["image_id"]]
        height, width = image["height"], image["width"]
        shape = ann["segmentation"]
        if isinstance(shape, list):
            return mask_utils.merge(mask_utils.frPyObjects(shape, height, width))
        if isinstance(shape["counts"], list):
            return mask_utils.frPyObjects(shape, height, width)
        return ann["segmentation"]

    def ann_to_mask(self, ann: Any) -> Any:
        """Return an annotation's pixels, (h, w), uint8."""
        return mask_utils.decode(self.ann_to_rle(ann))


def _fetch(url: Any, path: Any) -> None:
    try:
        urlretrieve(url, path)
    except BaseException:
        # What came of it would be taken for the image from now on.
        with contextlib.suppress(OSError):
            os.remove(path)  # noqa: PTH107  # as above
        raise


def is_data_set(value: Any) -> bool:
    """Whether this is a data set, also one of lvis itself."""
    theirs = getattr(sys.modules.get("lvis.lvis"), "LVIS", LVIS)
    return isinstance(value, (LVIS, theirs))
