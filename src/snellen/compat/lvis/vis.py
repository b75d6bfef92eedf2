"""Annotations and results drawn over their images: the names of ``lvis.vis``."""

from __future__ import annotations

import logging
import os
from typing import Any

import numpy as np

from snellen.compat.lvis.colormap import colormap
from snellen.compat.lvis.lvis import LVIS, is_data_set
from snellen.compat.lvis.results import LVISResults, is_results
from snellen.errors import MissingExtraError

__all__ = ["LVISVis"]


class LVISVis:
    """Pictures of a data set's images and of what is annotated or was found in them.

    They are made with matplotlib and Pillow, which are imported when the first is drawn.

    Parameters
    ----------
    lvis_gt : LVIS or str
        The data set, or its file.
    lvis_dt : LVISResults, str or list of dict, optional
        Results, or their file.
    img_dir : path, optional
        The folder of the images, by default the current one. What it lacks is downloaded to it.
    dpi : float
        Kept, and used by nothing: pictures are drawn at 75.

    Raises
    ------
    TypeError
        For other data sets and results.
    """

    def __init__(
        self, lvis_gt: Any, lvis_dt: Any = None, img_dir: Any = None, dpi: Any = 75
    ) -> None:
        self.logger = logging.getLogger("lvis.vis")
        if is_data_set(lvis_gt):
            self.lvis_gt = lvis_gt
        elif isinstance(lvis_gt, str):
            self.lvis_gt = LVIS(lvis_gt)
        else:
            raise TypeError(f"Unsupported type {lvis_gt} of lvis_gt.")
        if lvis_dt is None or is_results(lvis_dt):
            self.lvis_dt = lvis_dt
        elif isinstance(lvis_dt, (str, list)):
            self.lvis_dt = LVISResults(self.lvis_gt, lvis_dt)
        else:
            raise TypeError(f"Unsupported type {lvis_dt} of lvis_dt.")
        self.dpi = dpi
        self.img_dir = img_dir or "."
        if self.img_dir == ".":
            self.logger.warning("img_dir not specified. Images will be downloaded.")

    def coco_segm_to_poly(self, _list: Any) -> Any:
        """Return the vertices of one of COCO's polygons, (n, 2)."""
        return np.asarray([_list[0::2], _list[1::2]]).T

    def get_synset(self, idx: Any) -> str:
        """Return the first and the last part of a category's synset: dog.1 of dog.n.01."""
        parts = self.lvis_gt.load_cats(ids=[idx])[0]["synset"].split(".")
        return f"{parts[0]}.{int(parts[-1])}"

    def setup_figure(self, img: Any, title: Any = "", dpi: Any = 75) -> Any:
        """Return a new figure of pyplot and its axes, which an image fills.

        Parameters
        ----------
        img : ndarray of shape (h, w) or (h, w, channels)
            The image.
        title : str
            What stands above it, outside of the figure.
        dpi : float
            Pixels of the image to an inch of the figure.
        """
        try:
            import matplotlib.pyplot as plt
            from matplotlib.axes import Axes
        except ImportError:
            raise MissingExtraError("matplotlib", "plot") from None
        height, width = img.shape[:2]
        figure = plt.figure(frameon=False)
        figure.set_size_inches(width / dpi, height / dpi)
        axes = Axes(figure, (0.0, 0.0, 1.0, 1.0))
        axes.set_title(title)
        axes.axis("off")
        figure.add_axes(axes)
        axes.imshow(img)
        return figure, axes

    def vis_bbox(
        self,
        ax: Any,
        bbox: Any,
        box_alpha: Any = 0.5,
        edgecolor: Any = "g",
        linestyle: Any = "--",
    ) -> None:
        """Draw the outline of a box, (x, y, w, h)."""
        from matplotlib.patches import Rectangle

        left, top, width, height = (bbox[k] for k in range(4))
        look = {"edgecolor": edgecolor, "linestyle": linestyle, "linewidth": 2.5}
        ax.add_patch(Rectangle((left, top), width, height, fill=False, alpha=box_alpha, **look))

    def vis_text(self, ax: Any, bbox: Any, text: Any, color: Any = "w") -> None:
        """Write a text at the upper left corner of a box."""
        frame = {"facecolor": "none", "edgecolor": "none", "alpha": 0.4, "pad": 0}
        look = {"family": "serif", "fontsize": 15, "color": color, "zorder": 10}
        ax.text(bbox[0], bbox[1] - 2, text, bbox=frame, **look)

    def vis_mask(self, ax: Any, segm: Any, color: Any) -> None:
        """Fill a polygon, vertices of shape (n, 2)."""
        from matplotlib.patches import Polygon

        look = {"facecolor": color, "edgecolor": color, "linewidth": 3, "alpha": 0.5}
        ax.add_patch(Polygon(segm, fill=True, **look))

    def get_color(self, idx: Any) -> Any:
        """Return a colour by its number, red, green and blue from 0 to 1; they repeat."""
        colours = colormap(rgb=True) / 255
        return colours[idx % len(colours)]

    def load_img(self, img_id: Any) -> Any:
        """Return an image by its id, (h, w, 3), uint8: red, green, blue.

        Raises
        ------
        SchemaError
            For a file that is no image.
        URLError
            Where the folder lacks it and it cannot be downloaded.
        MissingExtraError
            Without Pillow.
        """
        try:
            import PIL.Image  # noqa: F401  # so that its error names the extra that is meant here
        except ImportError:
            raise MissingExtraError("pillow", "plot") from None
        from snellen.readers.pictures import upright_picture

        image = self.lvis_gt.load_imgs([img_id])[0]
        path = os.path.join(self.img_dir, image["coco_url"].split("/")[-1])  # noqa: PTH118  # any kind of path
        if not os.path.exists(path):  # noqa: PTH110  # as above
            self.lvis_gt.download(self.img_dir, img_ids=[img_id])
        return np.array(upright_picture(path, "RGB", path))

    def vis_img(
        self,
        img_id: Any,
        show_boxes: Any = False,
        show_segms: Any = True,
        show_classes: Any = False,
        cat_ids_to_show: Any = None,
    ) -> None:
        """Draw the annotations of an image, the largest boxes first, into a new figure.

        Parameters
        ----------
        img_id : id
            The image. Where it has no annotations, that is logged and nothing is drawn.
        show_boxes, show_segms, show_classes : bool
            Whether boxes, masks and names are drawn.
        cat_ids_to_show : collection of ids, optional
            The categories that are drawn, else all.
        """
        data = self.lvis_gt
        anns = data.load_anns(ids=data.get_ann_ids(img_ids=[img_id]))
        shown = show_boxes, show_segms, show_classes
        self._draw(data, img_id, anns, shown, cat_ids_to_show, show_scores=False)

    def vis_result(
        self,
        img_id: Any,
        show_boxes: Any = False,
        show_segms: Any = True,
        show_classes: Any = False,
        cat_ids_to_show: Any = None,
        score_thrs: Any = 0.0,
        show_scores: Any = True,
    ) -> None:
        """Draw the results in an image; see `vis_img`.

        Parameters
        ----------
        img_id, show_boxes, show_segms, show_classes, cat_ids_to_show
            As there.
        score_thrs : float
            Only results of a higher score are drawn.
        show_scores : bool
            Whether names are followed by scores.

        Raises
        ------
        AssertionError
            Without results.
        """
        if self.lvis_dt is None:
            raise AssertionError("lvis_dt was not specified.")
        anns = self.lvis_dt.get_top_results(img_id, score_thrs)
        shown = show_boxes, show_segms, show_classes
        self._draw(self.lvis_dt, img_id, anns, shown, cat_ids_to_show, show_scores)

    def _draw(
        self, data: Any, img_id: Any, anns: Any, shown: Any, categories: Any, show_scores: Any
    ) -> None:
        show_boxes, show_segms, show_classes = shown
        rows = [(each["bbox"], each["segmentation"], each["category_id"]) for each in anns]
        if not rows:
            self.logger.warning(f"No gt anno found for img_id: {img_id}")
            return
        boxes = np.asarray([box for box, _, _ in rows])
        largest_first = np.argsort(-(boxes[:, 2] * boxes[:, 3]))
        _, axes = self.setup_figure(self.load_img(img_id))
        for k in largest_first:
            _, shape, category = rows[k]
            if categories is not None and category not in categories:
                continue
            colour = self.get_color(k)
            if show_boxes:
                self.vis_bbox(axes, boxes[k], edgecolor=colour)
            if show_classes:
                text = self.get_synset(category)
                if show_scores:
                    text = f"{text}: {anns[k]['score']:.2f}"
                self.vis_text(axes, boxes[k], text)
            if show_segms and isinstance(shape, dict):
                _tint(axes, data.ann_to_mask(anns[k]), colour)
            elif show_segms:
                for polygon in shape:
                    self.vis_mask(axes, self.coco_segm_to_poly(polygon), colour)


def _tint(axes: Any, pixels: Any, colour: Any) -> None:
    """Lay a colour over the pixels of a mask."""
    tint = np.zeros((*pixels.shape, 4))
    tint[pixels > 0] = (*colour, 0.5)
    # A mask of another size than the image is no reason to show more or less of the image.
    limits = axes.axis()
    axes.imshow(tint)
    axes.axis(limits)
