"""The annotations that an evaluation takes of a data set nobody has looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.compat.pycocotools.coco import COCO
from snellen.compat.pycocotools.file_columns import codes_of
from snellen.compat.pycocotools.lazy_annotations import unseen
from snellen.compat.pycocotools.overridden import has_other

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from snellen.compat.pycocotools.evaluation import Evaluation
    from snellen.compat.pycocotools.lazy_annotations import LazyAnnotations
    from snellen.compat.pycocotools.rules import Rules

__all__ = ["LazyRows"]


class LazyRows:
    """Boxes of some images and categories: columns now, dicts for who iterates.

    Parameters
    ----------
    lazy : LazyAnnotations
        All of the data set.
    """

    def __init__(self, lazy: LazyAnnotations) -> None:
        self._lazy = lazy
        self._image: NDArray[np.int32] = np.zeros(0, np.int32)
        self._is_chosen: NDArray[np.bool_] = np.zeros(0, np.bool_)

    @classmethod
    def of(cls, coco: Any, p: Any) -> LazyRows | None:
        """Return the rows of a data set; None where its dicts are to be asked."""
        if p.iouType != "bbox" or not isinstance(coco, COCO):
            return None
        lazy = None if has_other(coco, "getAnnIds", "loadAnns") else unseen(coco)
        return None if lazy is None else cls(lazy)

    def columns(self, rules: Rules, *, truth: bool) -> dict[str, Any] | None:
        """Return what `_core.read_records` gives of dicts; None where ids are of odd kinds.

        Results may be truth: they are no crowds. Annotations are no results.
        """
        of = self._lazy.columns
        if not truth and of.score is None:
            return None
        images, labels = rules.codes()
        image, label = codes_of(of.image_id, images), codes_of(of.category_id, labels)
        if image is None or label is None:
            return None
        self._image = image
        self._is_chosen = image >= 0 if rules.pooled else (image >= 0) & (label >= 0)
        columns: dict[str, Any] = {
            "image": image,
            "label": label,
            "area": of.area,
            "float32_area": False,
            "ids": of.ids,
            "xywh": of.xywh,
        }
        if not truth:
            return {**columns, "score": of.score, "scores": of.score}
        crowd = np.zeros(len(of.ids), np.uint8) if of.crowd is None else of.crowd
        is_some = (of.ids != 0).astype(np.int64)
        return {**columns, "crowd": crowd, "ignored": crowd, "id": is_some}

    def mark(self, evaluation: Evaluation) -> None:
        """Mark truth as an evaluation of it does."""
        places, ignored = evaluation.truth.place, evaluation.ignored_in_last()
        self._lazy.mark(np.flatnonzero(self._is_chosen), places, ignored)

    def __iter__(self) -> Iterator[Any]:
        """Yield the dicts, image by image."""
        rows = np.flatnonzero(self._is_chosen)
        records = self._lazy.records()
        for row in rows[np.argsort(self._image[rows], kind="stable")].tolist():
            yield records[row]

    def __reduce__(self) -> Any:
        return list, (list(self),)
