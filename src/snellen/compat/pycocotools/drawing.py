"""Annotations drawn into the current axes of matplotlib."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.compat.pycocotools import mask as mask_api
from snellen.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["draw_instances"]

_CROWD_COLOUR = np.array([2.0, 166.0, 101.0]) / 255


def draw_instances(
    annotations: Sequence[Any], images: Any, categories: Callable[[Any], Any], boxes: bool
) -> None:
    """Draw polygons, masks, keypoints and, if wanted, boxes.

    Parameters
    ----------
    annotations : sequence of dict
        What is drawn; colours are drawn at random for each.
    images : mapping
        Image id to a dict of ``height`` and ``width``.
    categories : callable
        Gives a list of one category, whose ``skeleton`` is drawn, for an id.
    boxes : bool
        Whether boxes are drawn.
    """
    try:
        import matplotlib.pyplot as plt
        from matplotlib.collections import PatchCollection
        from matplotlib.patches import Polygon
    except ImportError:
        raise MissingExtraError("matplotlib", "plot") from None

    axes = plt.gca()
    axes.set_autoscale_on(False)
    outlines: list[Any] = []
    colours: list[Any] = []
    for annotation in annotations:
        colour = (np.random.random((1, 3)) * 0.6 + 0.4).tolist()[0]  # noqa: NPY002  # the seed that scripts set

        def outline(corners: Any, colour: Any = colour) -> None:
            outlines.append(Polygon(corners))
            colours.append(colour)

        if "segmentation" in annotation:
            shape = annotation["segmentation"]
            if type(shape) is list:
                for part in shape:
                    outline(np.array(part).reshape((len(part) // 2, 2)))
            else:
                axes.imshow(_tinted(annotation, images[annotation["image_id"]]))
        if "keypoints" in annotation and type(annotation["keypoints"]) is list:
            skeleton = categories(annotation["category_id"])[0]["skeleton"]
            _draw_keypoints(plt, np.array(annotation["keypoints"]), skeleton, colour)
        if boxes:
            left, top, width, height = annotation["bbox"]
            right, bottom = left + width, top + height
            outline(np.array([[left, top], [left, bottom], [right, bottom], [right, top]]))
    axes.add_collection(PatchCollection(outlines, facecolor=colours, linewidths=0, alpha=0.4))
    axes.add_collection(
        PatchCollection(outlines, facecolor="none", edgecolors=colours, linewidths=2)
    )


def _tinted(annotation: Any, image: Any) -> Any:
    """Return a picture of a mask: one colour, see-through where the mask is not."""
    shape = annotation["segmentation"]
    masks = [shape]
    if type(shape["counts"]) is list:
        masks = mask_api.frPyObjects([shape], image["height"], image["width"])
    pixels = mask_api.decode(masks)
    colour = _CROWD_COLOUR
    if annotation["iscrowd"] == 0:
        colour = np.random.random((1, 3)).tolist()[0]  # noqa: NPY002  # as above
    painted = np.ones((*pixels.shape[:2], 3)) * colour
    return np.dstack((painted, pixels * 0.5))


def _draw_keypoints(plt: Any, numbers: Any, skeleton: Any, colour: Any) -> None:
    x, y, seen = numbers[0::3], numbers[1::3], numbers[2::3]
    for bone in np.array(skeleton) - 1:
        if np.all(seen[bone] > 0):
            plt.plot(x[bone], y[bone], linewidth=3, color=colour)
    for least, edge in ((0, "k"), (1, colour)):
        plt.plot(
            x[seen > least],
            y[seen > least],
            "o",
            markersize=8,
            markerfacecolor=colour,
            markeredgecolor=edge,
            markeredgewidth=2,
        )
