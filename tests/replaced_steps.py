"""What scripts put in the place of methods of COCO's and LVIS' classes; each changes numbers."""

from __future__ import annotations

from typing import Any


def half_as_near(whole: Any) -> Any:
    """Return a measure of similarity that gives half of it."""

    def changed(*arguments: Any) -> Any:
        found = whole(*arguments)
        return found / 2 if len(found) else found

    return changed


def one_category_alone(whole: Any) -> Any:
    """Return an evaluation of an image that knows category 4 alone."""

    def changed(self: Any, image: Any, category: Any, *others: Any) -> Any:
        return whole(self, image, category, *others) if category == 4 else None

    return changed


def triangles(whole: Any) -> Any:
    """Return a conversion to run lengths for which each mask is the same triangle."""
    return lambda self, ann: whole(self, {**ann, "segmentation": [[0, 0, 0, 9, 9, 9]]})
