"""The images that the page of a detector shows, with what is there and what was found."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec
import numpy as np

from snellen.detection.candidates import candidates, coded
from snellen.detection.image_table import image_table
from snellen.detection.masks import Masks
from snellen.detection.matching import matches
from snellen.detection.oriented import OrientedBoxes
from snellen.detection.poses import Poses
from snellen.report.detection.outlines import mask_outline, polygon_outline
from snellen.report.thumbnails import kept
from snellen.run.examples import SCHEMA, Example, Examples, FoundObject, TrueObject

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from snellen.detection.average_precision import AveragePrecision
    from snellen.detection.candidates import Candidates, Coded, Objects
    from snellen.detection.image_table import ImageTable

__all__ = ["counted_anew", "examples_of"]

MOST_FOUND: Final = 60
"""Detections of an image that are kept: those of highest score, and all that are right."""

_NEAR: Final = 0.1  # an IoU below says nothing
_PARTS: Final = 1000  # pixels of an image whose boxes are parts of an unknown size


def examples_of(
    truth: Objects,
    pred: Objects,
    metric: AveragePrecision,
    *,
    n: int,
    images: Callable[[str], bytes | None],
    names: Mapping[Any, str] | None = None,
    sizes: Mapping[Any, tuple[int, int]] | None = None,
) -> tuple[Examples, dict[str, bytes]]:
    """Return the images with the most errors, and their thumbnails.

    Parameters
    ----------
    truth, pred : Boxes, Masks, Poses or OrientedBoxes
        What the metric has absorbed.
    metric : AveragePrecision
        Whose rules say what is right, at the first IoU threshold and size range.
    n : int
        How many images at most.
    images : callable
        From the name of an image to its file, or None where it is missing.
    names : mapping of image id to str, optional
        The names of the images' files; the ids where not given.
    sizes : mapping of image id to (int, int), optional
        Height and width of images; those of the files where not given.
    """
    rules = dataclasses.replace(
        metric.protocol,
        iou_thresholds=metric.protocol.iou_thresholds[:1],
        area_ranges=metric.protocol.area_ranges[:1],
        max_detections=metric.protocol.max_detections[-1:],
    )
    table = image_table(metric)
    shown = table.order()[:n]
    codes = coded(truth, pred)
    ids = table.images.ids[shown].tolist()
    chosen = codes.images.codes(ids)
    objects = _Objects(truth, pred, codes, _Outcomes.of(truth, pred, rules), chosen, rules)
    pictures: dict[str, bytes] = {}
    found = []
    for place, (row, code, own) in enumerate(
        zip(shown.tolist(), chosen.tolist(), ids, strict=True)
    ):
        name = (names or {}).get(own, str(own))
        picture = kept(pictures, images, place, name)
        height, width = (sizes or {}).get(own, (0, 0))
        if not width:
            height, width = objects.size_of_masks(code)
        if not width:
            width, height = picture.width, picture.height
        scale = (1.0, 1.0)
        if not sizes and objects.are_parts:
            width, height = (width, height) if width else (_PARTS, _PARTS)
            scale = (width, height)
        true, detected = objects.of(code, scale)
        found.append(
            Example(
                id=str(own),
                name=name,
                width=int(width),
                height=int(height),
                picture=picture.file,
                truth=true,
                found=detected,
                numbers=_numbers(table, row),
                badness=_badness(table, row),
            )
        )
    most, score = _order(table, metric.protocol.measure)
    return (
        Examples(
            schema=SCHEMA,
            task="detection",
            rule=_rule(len(found), len(table.images), most),
            n_images=len(table.images),
            images=found,
            score_threshold=score,
            about={"kind": truth.kind, "most_found": MOST_FOUND},
            order=most,
            at_most=n,
        ),
        pictures,
    )


def counted_anew(metric: AveragePrecision) -> Callable[[Examples], Examples]:
    """Return what counts the errors of examples as a metric does that has absorbed more images.

    The score that detections have at least is chosen on all images: of parts of a data set each
    has its own.
    """
    table = image_table(metric)
    most, score = _order(table, metric.protocol.measure)
    rows = {str(own): row for row, own in enumerate(table.images.ids.tolist())}

    def measured(image: Example) -> Example:
        row = rows.get(image.id)
        if row is None:
            return image
        return msgspec.structs.replace(
            image, numbers=_numbers(table, row), badness=_badness(table, row)
        )

    def counted(examples: Examples) -> Examples:
        return msgspec.structs.replace(
            examples,
            images=[measured(image) for image in examples.images],
            score_threshold=score,
            order=most,
        )

    return counted


def _rule(n: int, of: int, most: str) -> str:
    return f"the {n:,} of {of:,} images with {most}" if n < of else f"all {n:,} images, {most}"


def _order(table: ImageTable, measure: str) -> tuple[str, float]:
    """Return which images come first, in words, and the score that detections have at least."""
    at, score = f"{measure} {table.protocol['iou_threshold']:g}", table.protocol["score_threshold"]
    kept = "" if score is None else f" and from score {score:.3g}"
    return (
        f"the most errors at {at}{kept}; of each the {MOST_FOUND} detections of highest score, and "
        "all that are right",
        0.0 if score is None else float(score),
    )


def _badness(table: ImageTable, row: int) -> float:
    """Return how many errors an image has, and, below 1, how bad they are for how much it shows."""
    f1 = float(table.image_f1[row])
    return float(table.fp[row] + table.fn[row]) + (0.0 if math.isnan(f1) else (1 - f1) / 2)


def _numbers(table: ImageTable, row: int) -> dict[str, float]:
    found = {
        "right": float(table.tp[row]),
        "wrong": float(table.fp[row]),
        "missed": float(table.fn[row]),
        "F1": float(table.image_f1[row]),
        "mean IoU": float(table.image_iou[row]),
    }
    return {name: value for name, value in found.items() if not math.isnan(value)}


class _Outcomes(NamedTuple):
    """What became of each row of truth and of predictions, as they were given."""

    is_ignored: NDArray[np.bool_]  # (n_truth,); what no rule looked at is
    outcome: NDArray[np.int8]  # (n_pred,); -1: left out
    match: NDArray[np.int32]
    similarity: NDArray[np.float64]

    @classmethod
    def of(cls, truth: Objects, pred: Objects, rules: Any) -> _Outcomes:
        found = matches(truth, pred, rules)
        is_ignored = np.ones(len(truth), np.bool_)
        is_ignored[found.truth_row] = found.matched.truth["ignored"] & 1 != 0
        outcome = np.full(len(pred), -1, np.int8)
        word = found.matched.pred["outcome"][:, 0, 0]
        outcome[found.pred_row] = np.select([word & 1 != 0, word >> 16 & 1 != 0], [1, 0], -1)
        match = np.full(len(pred), -1, np.int32)
        match[found.pred_row] = found.pred_match[:, 0]
        similarity = np.zeros(len(pred))
        similarity[found.pred_row] = found.similarity[:, 0]
        return cls(is_ignored, outcome, match, similarity)


class _Objects:
    """The objects of chosen images, image by image."""

    def __init__(
        self,
        truth: Objects,
        pred: Objects,
        codes: Coded,
        outcomes: _Outcomes,
        chosen: NDArray[Any],
        rules: Any,
    ) -> None:
        self._outcomes = outcomes
        self._names = codes.classes.display_names()
        self._truth_label, self._pred_label = codes.truth_label, codes.pred_label
        self._threshold = rules.iou_thresholds[0]
        self._truth, self._pred = truth, pred
        self._truth_rows = _by_image(codes.truth_image, chosen)
        self._pred_rows = {
            image: self._kept(rows) for image, rows in _by_image(codes.pred_image, chosen).items()
        }
        self.are_parts = self._look_like_parts()
        every_truth = np.concatenate([*self._truth_rows.values(), np.zeros(0, np.int64)])
        every_pred = np.concatenate([*self._pred_rows.values(), np.zeros(0, np.int64)])
        near = candidates(
            truth[every_truth], pred[every_pred], rules, lowest=_NEAR, across_labels=True
        )
        self._near = _nearest(near, every_truth, every_pred)

    def _kept(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the rows of predictions that are kept, the highest scores first."""
        score = self._pred.boxes.score
        if score is None:
            return rows[:0]
        rows = rows[np.argsort(-score[rows], kind="stable")]
        right = self._outcomes.outcome[rows] == 1
        kept: NDArray[np.int64] = rows[right | (np.arange(len(rows)) < MOST_FOUND)]
        return kept

    def _look_like_parts(self) -> bool:
        """Return whether boxes are parts of their images, whose sizes nobody knows."""
        boxes = self._truth.boxes.xywh
        return bool(len(boxes)) and bool(boxes.max() <= 1)

    def size_of_masks(self, image: int) -> tuple[int, int]:
        """Return height and width as an image's masks say; zeros where there are none."""
        for objects, rows in ((self._truth, self._truth_rows), (self._pred, self._pred_rows)):
            if isinstance(objects, Masks) and len(rows[image]):
                height, width = objects.rle.size[rows[image][0]].tolist()
                return height, width
        return 0, 0

    def of(
        self, image: int, scale: tuple[float, float]
    ) -> tuple[list[TrueObject], list[FoundObject]]:
        """Return what is there in an image and what was found, in pixels."""
        rows = self._truth_rows[image]
        place = {row: at for at, row in enumerate(rows.tolist())}
        true = [
            TrueObject(
                label=self._names[self._truth_label[row]],
                ignored=bool(self._outcomes.is_ignored[row]),
                **_shape(self._truth, row, scale),
            )
            for row in rows.tolist()
        ]
        scores: Any = self._pred.boxes.score
        found = []
        for row in self._pred_rows[image].tolist():
            outcome, match = int(self._outcomes.outcome[row]), int(self._outcomes.match[row])
            nearest, overlap = self._near.get(row, (-1, 0.0))
            if match >= 0:
                overlap = float(self._outcomes.similarity[row])
            lies_on = outcome == 0 and overlap >= self._threshold
            found.append(
                FoundObject(
                    label=self._names[self._pred_label[row]],
                    score=float(scores[row]),
                    outcome=("ignored", "wrong", "right")[outcome + 1],
                    truth=place.get(match) if outcome != 0 else None,
                    overlap=round(overlap, 4),
                    taken_for=place.get(nearest) if lies_on else None,
                    **_shape(self._pred, row, scale),
                )
            )
        return true, found


def _by_image(image: NDArray[np.int32], chosen: NDArray[Any]) -> dict[int, NDArray[np.int64]]:
    """Return the rows of each chosen image, in their order."""
    wanted = np.zeros(max(int(image.max(initial=-1)), int(chosen.max(initial=-1))) + 1, np.bool_)
    wanted[chosen] = True
    rows = np.flatnonzero(wanted[image])
    rows = rows[np.argsort(image[rows], kind="stable")]
    of_rows = image[rows]
    return {
        code: rows[np.searchsorted(of_rows, code) : np.searchsorted(of_rows, code, side="right")]
        for code in chosen.tolist()
    }


def _nearest(
    near: Candidates, truth_rows: NDArray[np.int64], pred_rows: NDArray[np.int64]
) -> dict[int, tuple[int, float]]:
    """Return for each prediction the truth that is most like it, of any class, and how much."""
    found = {}
    for k, row in enumerate(pred_rows.tolist()):
        pairs = slice(int(near.begin[k]), int(near.begin[k + 1]))
        if pairs.start < pairs.stop:
            best = pairs.start + int(np.argmax(near.similarity[pairs]))
            found[row] = (int(truth_rows[near.truth[best]]), float(near.similarity[best]))
    return found


def _shape(objects: Objects, row: int, scale: tuple[float, float]) -> dict[str, Any]:
    """Return the box of an object, and its outline or keypoints, in pixels."""
    across, down = scale
    left, top, width, height = objects.boxes.xywh[row].tolist()
    shape: dict[str, Any] = {
        "box": [round(value, 2) for value in (left * across, top * down, width * across,
                                              height * down)],
    }  # fmt: skip
    if isinstance(objects, Masks):
        one = objects.rle[row : row + 1]
        around = one.boxes()[0].tolist()
        shape["outline"] = mask_outline(one.to_arrays()[0], around)
    elif isinstance(objects, OrientedBoxes):
        shape["outline"] = polygon_outline(objects.corners[row] * np.array(scale))
    elif isinstance(objects, Poses):
        points = objects.keypoints[row]
        shape["keypoints"] = [
            [round(x * across, 1), round(y * down, 1)]
            for x, y, seen in points.tolist()
            if seen > 0 or x or y
        ]
    return shape
