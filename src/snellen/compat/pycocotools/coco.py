"""A COCO data set and its results: the names of ``pycocotools.coco``."""

from __future__ import annotations

import copy
import os
import time
from collections import defaultdict
from typing import Any

import numpy as np

from snellen import _core
from snellen.compat.pycocotools import mask as maskUtils
from snellen.compat.pycocotools.array_rows import results_of_rows
from snellen.compat.pycocotools.completion import complete, has_shapes
from snellen.compat.pycocotools.documents import decoded, no_collection, read_bytes
from snellen.compat.pycocotools.lazy_annotations import (
    LAZY_ATTRIBUTES,
    LazyAnnotations,
    LazyAttribute,
    look_at,
    unseen,
)
from snellen.compat.pycocotools.lookups import found, is_array_like, of_categories
from snellen.compat.pycocotools.overridden import class_has_other, has_other, remembered
from snellen.errors import first_few

__all__ = ["COCO"]


def urlretrieve(url: Any, path: Any) -> Any:
    """Download a file: that of ``urllib.request``, which takes time to import."""
    from urllib import request

    return request.urlretrieve(url, path)


_isArrayLike = is_array_like  # which others import


@remembered
class COCO:
    """The annotations of a data set, or the results of a detector on it.

    Parameters
    ----------
    annotation_file : path, optional
        A JSON file of ``images``, ``annotations`` and ``categories``. Without one, set `dataset`
        and call `createIndex`.

    Attributes
    ----------
    dataset : dict
        What the file holds.
    anns, cats, imgs : dict
        Annotations, categories and images by id; of equal ids the last.
    imgToAnns : defaultdict of list
        The annotations of each image, in the order of the file.
    catToImgs : defaultdict of list
        The image of each annotation of a category.
    """

    # Of a file these are dicts and lists once one of them is looked at.
    dataset: Any = LazyAttribute()
    anns: Any = LazyAttribute()
    imgToAnns: Any = LazyAttribute()
    catToImgs: Any = LazyAttribute()

    def __init__(self, annotation_file: Any = None) -> None:
        self.dataset = {}
        self.anns = {}
        self.cats: dict[Any, Any] = {}
        self.imgs: dict[Any, Any] = {}
        self.imgToAnns = defaultdict(list)
        self.catToImgs = defaultdict(list)
        if annotation_file is None:
            return
        print("loading annotations into memory...")
        began = time.time()
        document = read_bytes(annotation_file)
        lazy = LazyAnnotations.of_truth(document) if self._may_be_lazy() else None
        dataset = decoded(document) if lazy is None else lazy.dataset
        if type(dataset) is not dict:
            raise AssertionError(f"annotation file format {type(dataset)} not supported")
        print(f"Done (t={time.time() - began:0.2f}s)")
        if lazy is not None:
            self._index_lazily(lazy)
            return
        self.dataset = dataset
        self.createIndex()

    def _may_be_lazy(self) -> bool:
        """Whether it is usual in all it does: what others have changed is done at once."""
        return not (has_other(self, "createIndex") or class_has_other(type(self), *LAZY_ATTRIBUTES))

    def _index_lazily(self, lazy: LazyAnnotations) -> None:
        """Index images and categories, and annotations when somebody asks."""
        print("creating index...")
        self.imgs = {each["id"]: each for each in lazy.dataset["images"]}
        self.cats = {each["id"]: each for each in lazy.dataset["categories"]}
        print("index created!")
        self._lazy = lazy
        for name in LAZY_ATTRIBUTES:
            del vars(self)[name]

    def _outline(self) -> Any:
        """Return the data set, which may lack its annotations as long as nobody asked for them."""
        lazy = unseen(self)
        return self.dataset if lazy is None else lazy.dataset

    def __delattr__(self, name: str) -> None:
        if name in LAZY_ATTRIBUTES:
            look_at(self)
        super().__delattr__(name)

    def __getstate__(self) -> dict[str, Any]:
        look_at(self)
        return dict(vars(self))

    def createIndex(self) -> None:
        """Find annotations, images and categories by their ids."""
        print("creating index...")
        dataset = self.dataset
        annotations = dataset["annotations"] if "annotations" in dataset else []  # noqa: SIM401
        anns: dict[Any, Any] = {}
        of_image: defaultdict[Any, list[Any]] = defaultdict(list)
        of_category: defaultdict[Any, list[Any]] = defaultdict(list)
        with no_collection():
            indexed = type(annotations) is list and _core.index_records(
                annotations, anns, of_image, of_category if "categories" in dataset else None
            )
            if not indexed:
                for annotation in annotations:
                    of_image[annotation["image_id"]].append(annotation)
                    anns[annotation["id"]] = annotation
            imgs = {each["id"]: each for each in dataset["images"]} if "images" in dataset else {}
            cats = {}
            if "categories" in dataset:
                cats = {each["id"]: each for each in dataset["categories"]}
                for annotation in [] if indexed else annotations:
                    of_category[annotation["category_id"]].append(annotation["image_id"])
        print("index created!")
        self.anns, self.cats, self.imgs = anns, cats, imgs
        self.imgToAnns, self.catToImgs = of_image, of_category

    def info(self) -> None:
        """Print what the file tells of itself."""
        for key, value in self._outline()["info"].items():
            print(f"{key}: {value}")

    def getAnnIds(
        self, imgIds: Any = (), catIds: Any = (), areaRng: Any = (), iscrowd: Any = None
    ) -> list[Any]:
        """Return the ids of annotations.

        Parameters
        ----------
        imgIds, catIds : id, or sequence of ids
            Of these images and categories; an empty one does not filter. Image by image as given,
            within each in the order of the file.
        areaRng : pair of float
            Of an area above the first and below the second.
        iscrowd : bool, optional
            Of equal ``iscrowd``.
        """
        imgIds = imgIds if _isArrayLike(imgIds) else [imgIds]
        catIds = catIds if _isArrayLike(catIds) else [catIds]
        lazy = unseen(self)
        if lazy is not None and len(imgIds) == len(catIds) == len(areaRng) == 0 and iscrowd is None:
            ids: list[Any] = lazy.columns.ids.tolist()
            return ids
        if len(imgIds) == 0:
            chosen = self.dataset["annotations"]
        else:
            known = self.imgToAnns
            chosen = [each for image in imgIds if image in known for each in known[image]]
        if len(catIds) != 0:
            chosen = of_categories(chosen, catIds)
        if len(areaRng) != 0:
            chosen = [
                each for each in chosen if each["area"] > areaRng[0] and each["area"] < areaRng[1]
            ]
        if iscrowd is not None:
            return [each["id"] for each in chosen if each["iscrowd"] == iscrowd]
        return [each["id"] for each in chosen]

    def getCatIds(self, catNms: Any = (), supNms: Any = (), catIds: Any = ()) -> list[Any]:
        """Return the ids of categories of these names, supercategories and ids."""
        chosen = self._outline()["categories"]
        for field, wanted in (("name", catNms), ("supercategory", supNms), ("id", catIds)):
            among = wanted if _isArrayLike(wanted) else [wanted]
            if len(among) != 0:
                chosen = [each for each in chosen if each[field] in among]
        return [each["id"] for each in chosen]

    def getImgIds(self, imgIds: Any = (), catIds: Any = ()) -> list[Any]:
        """Return the ids of images; of those given, the ones that have all of the categories."""
        imgIds = imgIds if _isArrayLike(imgIds) else [imgIds]
        catIds = catIds if _isArrayLike(catIds) else [catIds]
        if len(imgIds) == len(catIds) == 0:
            return list(self.imgs.keys())
        chosen = set(imgIds)
        for i, category in enumerate(catIds):
            having = set(self.catToImgs[category])
            chosen = having if i == 0 and not chosen else chosen & having
        return list(chosen)

    def loadAnns(self, ids: Any = ()) -> Any:
        """Return the annotations of these ids; None for one id that is no int."""
        return found(self.anns, ids)

    def loadCats(self, ids: Any = ()) -> Any:
        """Return the categories of these ids; None for one id that is no int."""
        return found(self.cats, ids)

    def loadImgs(self, ids: Any = ()) -> Any:
        """Return the images of these ids; None for one id that is no int."""
        return found(self.imgs, ids)

    def showAnns(self, anns: Any, draw_bbox: Any = False) -> Any:
        """Draw annotations into the current axes of matplotlib, or print captions.

        Returns
        -------
        int or None
            0 where there is nothing to show.
        """
        if len(anns) == 0:
            return 0
        if "segmentation" in anns[0] or "keypoints" in anns[0]:
            from snellen.compat.pycocotools.drawing import draw_instances

            draw_instances(anns, self.imgs, self.loadCats, bool(draw_bbox))
        elif "caption" in anns[0]:
            for each in anns:
                print(each["caption"])
        else:
            raise Exception("datasetType not supported")
        return None

    def loadRes(self, resFile: Any) -> COCO:
        """Return the results of a detector on this data set.

        Parameters
        ----------
        resFile : str, ndarray of shape (n, 7), or list of dict
            A JSON file of a list; rows of image, left, top, width, height, score, category; or the
            list, whose dicts are completed in place. The first one decides of which kind all are.

        Raises
        ------
        AssertionError
            For other objects, and for images that the data set does not have.
        IndexError
            For an empty list.
        """
        results = COCO()
        results.dataset["info"] = copy.deepcopy(self._outline().get("info", {}))
        results.dataset["images"] = list(self._outline()["images"])
        print("Loading and preparing results...")
        began = time.time()
        if type(resFile) is str:
            document = read_bytes(resFile)
            lazy = None
            if results._may_be_lazy():
                lazy = LazyAnnotations.of_results(document, self.getImgIds(), results.dataset)
            if lazy is not None:
                results.dataset["categories"] = copy.deepcopy(self._outline()["categories"])
                print(f"DONE (t={time.time() - began:0.2f}s)")
                results._index_lazily(lazy)
                return results
            anns = decoded(document)
        elif type(resFile) is np.ndarray:
            anns = self.loadNumpyAnnotations(resFile)
        else:
            anns = resFile
        if type(anns) is not list:
            raise AssertionError("results in not an array of objects")
        with no_collection():
            images = {each["image_id"] for each in anns}
            if not images <= set(self.getImgIds()):
                unknown = [each for each in images if each not in set(self.getImgIds())]
                raise AssertionError(
                    f"Results do not correspond to current coco set: {len(unknown)} unknown image "
                    f"ids: {first_few(unknown)}"
                )
            if "caption" in anns[0]:
                kept = [each for each in results.dataset["images"] if each["id"] in images]
                results.dataset["images"] = kept
            elif has_shapes(anns[0]):
                results.dataset["categories"] = copy.deepcopy(self._outline()["categories"])
            complete(anns)
        print(f"DONE (t={time.time() - began:0.2f}s)")
        results.dataset["annotations"] = anns
        results.createIndex()
        return results

    def download(self, tarDir: Any = None, imgIds: Any = ()) -> Any:
        """Download images to a folder, those that it has not.

        Parameters
        ----------
        tarDir : path
            The folder, which is made.
        imgIds : sequence of ids
            The images, all where it is empty.

        Returns
        -------
        int or None
            -1 without a folder.
        """
        if tarDir is None:
            print("Please specify target directory")
            return -1
        images = self.imgs.values() if len(imgIds) == 0 else self.loadImgs(imgIds)
        n = len(images)
        if not os.path.exists(tarDir):  # noqa: PTH110  # any kind of path
            os.makedirs(tarDir)  # noqa: PTH103
        for i, image in enumerate(images):
            began = time.time()
            path = os.path.join(tarDir, image["file_name"])  # noqa: PTH118
            if not os.path.exists(path):  # noqa: PTH110
                urlretrieve(image["coco_url"], path)
            print(f"downloaded {i}/{n} images (t={time.time() - began:0.1f}s)")
        return None

    def loadNumpyAnnotations(self, data: Any) -> list[dict[str, Any]]:
        """Return the results of rows of image, left, top, width, height, score, category.

        Images and categories are cut down to ints; the others stay numbers of the array's kind.
        """
        return results_of_rows(data)

    def annToRLE(self, ann: Any) -> Any:
        """Return an annotation's mask in compressed run lengths, of polygons the union."""
        image = self.imgs[ann["image_id"]]
        height, width = image["height"], image["width"]
        shape = ann["segmentation"]
        if type(shape) is list:
            return maskUtils.merge(maskUtils.frPyObjects(shape, height, width))
        if type(shape["counts"]) is list:
            return maskUtils.frPyObjects(shape, height, width)
        return ann["segmentation"]

    def annToMask(self, ann: Any) -> Any:
        """Return an annotation's pixels, (h, w), uint8."""
        return maskUtils.decode(self.annToRLE(ann))
