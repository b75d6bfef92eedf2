"""The frames that the page of a tracker shows, with what is there and what was followed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np

from snellen.report.detection.outlines import mask_outline
from snellen.report.thumbnails import kept
from snellen.report.tracking.worst_frames import APART, worst_frames
from snellen.rle_masks import RleMasks
from snellen.run.examples import SCHEMA, Example, Examples, FoundObject, TrueObject
from snellen.tracking.shapes import Boxes2D

if TYPE_CHECKING:
    from collections.abc import Callable

    from snellen.report.tracking.worst_frames import Happening, WorstFrame
    from snellen.tracking.tracking_result import TrackingResult
    from snellen.tracking.tracks import Tracks

__all__ = ["FrameGallery"]

_ORDER: Final = (
    "the most wrong, missed and switched objects first, where a sequence's second frame counts "
    "half, its third a third, and so on"
)


class FrameGallery:
    """The frames with the most errors of all sequences; no more than those are held.

    Parameters
    ----------
    n : int
        How many frames at most.
    """

    def __init__(self, n: int) -> None:
        self._n = n
        self._frames: list[Example] = []
        self._undrawn = ""

    def found(self, result: TrackingResult, truth: Tracks, pred: Tracks) -> list[Example]:
        """Return the worst frames of some sequences, without pictures; several threads may call.

        Parameters
        ----------
        result : TrackingResult
            With events.
        truth, pred : Tracks
            What it was made of.
        """
        for side in (truth, pred):
            if len(side) and not isinstance(side.shape, (Boxes2D, RleMasks)):
                self._undrawn = side.shape.kind
                return []
        sequences = truth.sequences.ids.tolist()
        found = []
        for frame in worst_frames(result, self._n):
            code = sequences.index(frame.sequence)
            sides = (_of_frame(side, code, frame.number) for side in (truth, pred))
            found.append(_example(frame, *sides, result.classes, named=truth.named))
        return found

    def add(self, frames: list[Example]) -> None:
        """Add what was found, in any order."""
        self._frames = sorted([*self._frames, *frames], key=_rank)[: self._n]

    def examples(
        self, result: TrackingResult, images: Callable[[str], bytes | None]
    ) -> tuple[Examples, dict[str, bytes]]:
        """Return the frames and their thumbnails.

        Parameters
        ----------
        result : TrackingResult
            Of all sequences.
        images : callable
            From a sequence and the number of a frame, ``"MOT17-02/000001"``, to its image file, or
            None where it is missing.
        """
        pictures: dict[str, bytes] = {}
        shown = []
        for place, frame in enumerate(self._frames):
            picture = kept(pictures, images, place, frame.name)
            size = (frame.width, frame.height) if frame.width else (picture.width, picture.height)
            shown.append(
                msgspec.structs.replace(frame, picture=picture.file, width=size[0], height=size[1])
            )
        n_frames = int(result.data["n_frames"])
        return (
            Examples(
                schema=SCHEMA,
                task="tracking",
                rule=self._rule(len(shown), n_frames, result.settings.threshold),
                n_images=n_frames,
                images=shown,
                order=_ORDER,
                at_most=self._n,
            ),
            pictures,
        )

    def _rule(self, n: int, of: int, threshold: float) -> str:
        if self._undrawn:
            return f"no frames are shown: {self._undrawn} cannot be drawn on images"
        if not n:
            return "no frame has an error: there is none to be shown"
        return (
            f"{n:,} of {of:,} frames, {_ORDER}; those of a sequence are at least {APART} frames "
            f"apart. Matched as CLEAR does, at similarity {threshold:g}. Numbers on boxes are the "
            "tracker's ids; on missed objects those of truth"
        )


def _rank(frame: Example) -> tuple[float, str]:
    return -frame.badness, frame.id


def _of_frame(side: Tracks, code: int, number: int) -> Tracks:
    rows = np.flatnonzero((side.sequence == code) & (side.frame == number))
    return side[rows]


def _example(
    frame: WorstFrame, truth: Tracks, pred: Tracks, classes: tuple[str, ...], *, named: bool
) -> Example:
    of_truth = {each.truth: each for each in frame.happenings if each.truth is not None}
    of_pred = {each.pred: each for each in frame.happenings if each.pred is not None}
    place: dict[Any, int] = {}
    # What a tracker does not say is of the one class that is evaluated.
    unsaid = classes[0] if not pred.labelled and len(classes) == 1 else None
    true = []
    for row in range(len(truth)):
        track = truth.track_name(int(truth.track[row]))
        # The id of an area to be ignored means nothing.
        is_area = truth.region is not None and bool(truth.region[row])
        counts = not is_area and track in of_truth
        if counts:
            place[track] = row
        true.append(
            TrueObject(
                ignored=not counts, track="" if is_area else str(track), **_shape(truth, row)
            )
        )
    found = [
        _found(of_pred.get(pred.track_name(int(pred.track[row]))), place, pred, row, unsaid)
        for row in range(len(pred))
    ]
    counts_of = {
        name: sum(each.kind == kind for each in frame.happenings)
        for name, kind in (
            ("wrong", "false positive"),
            ("missed", "miss"),
            ("switched", "switch"),
            ("right", "match"),
        )
    }
    name = f"{frame.sequence}/{frame.number:06}" if named else f"{frame.number:06}"
    height, width = _size_of_masks(truth, pred)
    return Example(
        id=name,
        name=name,
        width=width,
        height=height,
        truth=true,
        found=found,
        numbers={name: float(count) for name, count in counts_of.items()},
        group=str(frame.sequence) if named else "",
        badness=frame.badness,
    )


def _found(
    happening: Happening | None,
    place: dict[Any, int],
    pred: Tracks,
    row: int,
    unsaid: str | None,
) -> FoundObject:
    outcome, truth, was, overlap = "ignored", None, "", 0.0
    shape = _shape(pred, row)
    if happening is not None or unsaid is not None:
        shape["label"] = unsaid if happening is None else happening.label
    if happening is not None:
        outcome = {"match": "right", "switch": "switched"}.get(happening.kind, "wrong")
        truth = place.get(happening.truth)
        was = "" if happening.was is None else str(happening.was)
        overlap = round(happening.similarity, 4)
    return FoundObject(
        score=1.0,
        outcome=outcome,
        truth=truth,
        overlap=overlap,
        track=str(pred.track_name(int(pred.track[row]))),
        was=was,
        **shape,
    )


def _shape(side: Tracks, row: int) -> dict[str, Any]:
    """Return the class of an object, its box, and of a mask its outline, in pixels."""
    shape: dict[str, Any] = {"label": side.classes.display_names()[side.label[row]]}
    if isinstance(side.shape, RleMasks):
        one = side.shape[row : row + 1]
        around = one.boxes()[0].tolist()
        return shape | {
            "box": [float(value) for value in around],
            "outline": mask_outline(one.to_arrays()[0], around),
        }
    corners: Any = side.shape
    left, top, right, bottom = corners.xyxy[row].tolist()
    box = (left, top, right - left, bottom - top)
    return shape | {"box": [round(value, 2) for value in box]}


def _size_of_masks(*sides: Tracks) -> tuple[int, int]:
    for side in sides:
        if isinstance(side.shape, RleMasks) and len(side):
            height, width = side.shape.size[0].tolist()
            return height, width
    return 0, 0
