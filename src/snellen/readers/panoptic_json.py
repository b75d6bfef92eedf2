"""COCO panoptic JSON files to columns of segments."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from snellen.classes import Classes
from snellen.errors import IdError, InputError, SchemaError
from snellen.readers.message_text import few, printable
from snellen.readers.table import read_bytes
from snellen.segmentation.panoptic_segments import PanopticSegments
from snellen.state import Keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    Id = int | str

__all__ = ["PanopticJson", "read_panoptic_json"]


class _Segment(msgspec.Struct, gc=False):
    id: int
    category_id: int
    iscrowd: int | bool | None = None
    area: float | None = None


class _Annotation(msgspec.Struct):
    image_id: int | str
    file_name: str
    segments_info: list[_Segment]


class _Category(msgspec.Struct, gc=False):
    id: int
    name: str = ""
    isthing: int | bool | None = None


class _Image(msgspec.Struct, gc=False):
    id: int | str


class _Document(msgspec.Struct):
    annotations: list[_Annotation]
    categories: list[_Category] | None = None
    images: list[_Image] | None = None


class PanopticJson:
    """One file: which label map each image has, and what its segments are.

    Parameters
    ----------
    path : str
        The file, plain or gzipped (by its name).

    Attributes
    ----------
    path : str
        The file.
    images : dict
        The position of each image's annotation, by image id.
    image_ids : Keys
        The image ids.
    n_without : int
        Listed images that no annotation is about.

    Raises
    ------
    SchemaError
        Where the file is not what it should be; the message ends with the place.
    IdError
        For an image that two annotations are about.
    InputError
        Where it cannot be read, or is about no image.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        document = _decoded(read_bytes(path).removeprefix(b"\xef\xbb\xbf"), path)
        self._annotations, self._categories = document.annotations, document.categories
        if not self._annotations:
            raise InputError("expected images, got none: annotations is empty", path)
        self.images: dict[Id, int] = {}
        for k, annotation in enumerate(self._annotations):
            if self.images.setdefault(annotation.image_id, k) != k:
                raise IdError(
                    "expected one annotation for each image, got two for image "
                    f"{printable(annotation.image_id)}",
                    f"{path} $.annotations[{k}]",
                )
        try:
            self.image_ids = Keys(list(self.images), "image id")
        except IdError as error:
            raise error.within(path) from None
        self.n_without = len({image.id for image in document.images or ()} - self.images.keys())

    def classes(self) -> tuple[Classes, NDArray[np.bool_]]:
        """Return the categories, and which of them are things.

        Raises
        ------
        SchemaError, ClassError
            For a file without categories, a category without ``isthing``, one that comes twice.
        """
        if not self._categories:
            raise SchemaError("expected categories, got none", self.path)
        for k, category in enumerate(self._categories):
            if category.isthing is None:
                raise SchemaError(
                    'expected "isthing" with each category, as in panoptic files; category '
                    f"{category.id} has none",
                    f"{self.path} $.categories[{k}]",
                )
        try:
            classes = Classes(
                [each.id for each in self._categories], [each.name for each in self._categories]
            )
        except InputError as error:
            raise error.within(self.path) from None
        things = [each.id for each in self._categories if each.isthing == 1]
        return classes, np.isin(classes.keys.ids, things)

    def file_names(self, image_ids: Sequence[Id]) -> list[str]:
        """Return the names of the label maps of some images."""
        return [self._annotations[self.images[each]].file_name for each in image_ids]

    def segments(
        self,
        image_ids: Sequence[Id],
        classes: Classes,
        maps: Sequence[str],
        *,
        is_truth: bool,
        strict: bool,
    ) -> PanopticSegments:
        """Return the segments of some images.

        Parameters
        ----------
        image_ids : sequence of int or str
            The images, ascending.
        classes : Classes
            The classes of truth.
        maps : sequence of str
            Where the label map of each image is, for messages.
        is_truth : bool
            Whether the file is the one of truth.
        strict : bool
            Whether panopticapi's rules apply: of segments of one id the last one counts, at the
            place of the first; those of truth need ``iscrowd`` and ``area``, and are left out where
            the category is unknown.

        Raises
        ------
        ClassError, IdError, InputError, SchemaError
            For unknown categories and what else segments cannot be.
        """
        places = [
            f"{self.path}, image {printable(each)} ({at})"
            for each, at in zip(image_ids, maps, strict=True)
        ]
        rows = [
            (k, segment)
            for k, each in enumerate(image_ids)
            for segment in _listed(self._annotations[self.images[each]], strict=strict)
        ]
        if strict and is_truth:
            known = set(classes.keys.ids.tolist())
            rows = [row for row in rows if row[1].category_id in known]
            for k, segment in rows:
                for field in ("iscrowd", "area"):
                    if getattr(segment, field) is None:
                        raise SchemaError(
                            f'expected "{field}" with each segment of truth (coco-strict), segment '
                            f"{segment.id} has none",
                            places[k],
                        )
        areas = [segment.area for _, segment in rows]
        ids = np.array(image_ids)
        try:
            return PanopticSegments.from_columns(
                image_id=ids[[k for k, _ in rows]],
                id=[segment.id for _, segment in rows],
                label=[segment.category_id for _, segment in rows],
                crowd=np.array([segment.iscrowd == 1 for _, segment in rows], np.uint8),
                area=areas if strict and is_truth else None,  # type: ignore[arg-type]  # none is missing
                classes=classes,
                image_ids=ids,
                places=places,
            )
        except InputError as error:
            raise (error if self.path in error.place else error.within(self.path)) from None


def _listed(annotation: _Annotation, *, strict: bool) -> Iterable[_Segment]:
    if strict:  # as a dictionary keeps them
        return {segment.id: segment for segment in annotation.segments_info}.values()
    return annotation.segments_info


def read_panoptic_json(path: str) -> PanopticJson:
    """Read one file; see `PanopticJson`."""
    return PanopticJson(path)


def _decoded(data: bytes, path: str) -> _Document:
    try:
        return msgspec.json.decode(data, type=_Document)
    except msgspec.ValidationError as error:
        message, _, place = str(error).partition(" - at ")
        message = message.replace("`", '"')
        kind = _other_kind(data)
        if kind:
            raise SchemaError(
                "expected a COCO panoptic file, whose annotations have segments_info; "
                f"this is {kind}",
                path,
            ) from None
        place = place.strip("`")
        raise SchemaError(message[:1].lower() + message[1:], f"{path} {place}".rstrip()) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise SchemaError(f"expected JSON, got: {error}", path) from None


def _other_kind(data: bytes) -> str:
    """Return which other file it is, if it is one that is easily taken for this one."""
    try:
        document: Any = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError):  # of no kind: something later is wrong, too
        return ""
    if isinstance(document, list):
        return "a list, as files of detection results are"
    if not isinstance(document, dict):
        return "no object"
    annotations = document.get("annotations")
    if not isinstance(annotations, list):
        return f"without annotations: it has {few(document) or 'nothing'}"
    first = annotations[0] if annotations else None
    if isinstance(first, dict) and "segments_info" not in first and "bbox" in first:
        return "one of single instances, each with a box"
    return ""
