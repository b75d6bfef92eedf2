"""One part after the other, in this process."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

    from snellen.run import M

__all__ = ["Serial"]


class Serial:
    """The plain executor: `update` with each part, in order."""

    def run(self, metric: M, parts: Iterable[tuple[Any, Any]]) -> M:
        """Return the metric after it has absorbed each part, a pair (truth, pred).

        Examples
        --------
        >>> from snellen import AveragePrecision, Boxes
        >>> box = {"image_id": [1], "label": [1]}
        >>> truth = Boxes.from_xywh([[0, 0, 10, 10]], **box)
        >>> pred = Boxes.from_xywh([[0, 0, 10, 10]], score=[0.5], **box)
        >>> Serial().run(AveragePrecision(), [(truth, pred)])
        AveragePrecision(coco, 1 images)
        """
        for truth, pred in parts:
            metric.update(truth, pred)
        return metric
