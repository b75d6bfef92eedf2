"""The images and keypoints' names of COCO's files, and its results for truth of another format."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from snellen.readers.box_rows import BoxRows
from snellen.readers.coco_file import read_raw_results
from snellen.readers.typed_json import read_typed_json

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from snellen.classes import Classes
    from snellen.state import Keys

__all__ = ["coco_rows", "point_names_of_coco", "sizes_and_names"]


class _CocoImage(msgspec.Struct):
    id: int | str
    width: int | float | None = None
    height: int | float | None = None
    file_name: str | None = None


class _CocoImages(msgspec.Struct):
    images: list[_CocoImage]


class _CocoCategory(msgspec.Struct):
    id: int | str
    keypoints: Any = None


class _CocoCategories(msgspec.Struct):
    categories: list[_CocoCategory]


def sizes_and_names(
    source: str | Mapping[str, Any], keys: Keys
) -> tuple[NDArray[np.int64] | None, tuple[str, ...] | None]:
    """Return height and width, and the name of the file, of each image of a COCO file.

    Parameters
    ----------
    source : str, or mapping
        The annotation file, or what it holds.
    keys : Keys
        The ids of its images; what is returned is in their order. None stands for sizes, or names,
        that not all have.
    """
    if isinstance(source, str):
        images = read_typed_json(source, _CocoImages, "a COCO annotation file").images
    else:
        images = [_CocoImage(image["id"], *_described(image)) for image in source["images"]]
    by_code: list[_CocoImage] = [_CocoImage(0)] * len(keys)
    for code, image in zip(
        keys.codes([image.id for image in images]).tolist(), images, strict=True
    ):
        by_code[code] = image
    sizes = names = None
    if by_code and all(map(_is_measured, by_code)):
        sizes = np.array([(image.height, image.width) for image in by_code]).astype(np.int64)
    if by_code and all(image.file_name for image in by_code):
        names = tuple(str(image.file_name) for image in by_code)
    return sizes, names


def _is_measured(image: _CocoImage) -> bool:
    return all(side is not None and 1 <= side < 2**31 for side in (image.height, image.width))


def _described(image: Mapping[str, Any]) -> tuple[float | None, float | None, str | None]:
    """Return the size of an image and the name of its file, where a record has them."""
    width, height = (
        float(value) if isinstance(value, Real) else None
        for value in (image.get("width"), image.get("height"))
    )
    name = image.get("file_name")
    return width, height, name if isinstance(name, str) else None


def point_names_of_coco(
    source: str | Mapping[str, Any], classes: Classes, n: int
) -> dict[int, tuple[str, ...]]:
    """Return what the keypoints of categories are called, by the positions of their classes.

    Parameters
    ----------
    source : str, or mapping
        The annotation file, or what it holds.
    classes : Classes
        The categories.
    n : int
        How many keypoints objects have: other lists, and what are no distinct texts, name nothing.
    """
    if isinstance(source, str):
        read = read_typed_json(source, _CocoCategories, "a COCO annotation file").categories
    else:
        read = [_CocoCategory(each["id"], each.get("keypoints")) for each in source["categories"]]
    codes = classes.keys.codes([each.id for each in read]).tolist()
    return {
        code: tuple(each.keypoints)
        for code, each in zip(codes, read, strict=True)
        if isinstance(each.keypoints, (list, tuple))
        and all(isinstance(name, str) for name in each.keypoints)
        and len(set(each.keypoints)) == len(each.keypoints) == n
    }


def coco_rows(place: str) -> BoxRows:
    """Return COCO results for truth of another format."""
    raw = read_raw_results(place)

    def distinct(column: tuple[NDArray[np.int64], list[str] | None]) -> Any:
        values, texts = column
        if texts is not None:
            return texts, values.astype(np.int32)
        found, codes = np.unique(values, return_inverse=True)
        return found.tolist(), codes.astype(np.int32)

    images, image = distinct(raw.image_id())
    labels, label = distinct(raw.category_id())
    return BoxRows(
        images, image, labels, label, raw.xywh(), lambda row: f"{place} $[{row}]", place,
        score=raw.score(),
    )  # fmt: skip
