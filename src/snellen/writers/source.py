"""What is converted, and how it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple

from snellen.detection.poses import Poses
from snellen.errors import InputError
from snellen.readers.box_classes import are_of_predictions
from snellen.readers.box_rows import KINDS
from snellen.readers.coco import read_coco_predictions, read_coco_truth
from snellen.readers.coco_file import read_raw_truth
from snellen.readers.coco_images import point_names_of_coco, sizes_and_names
from snellen.readers.coco_masks import polygons_of_truth
from snellen.readers.detection_files import (
    read_detection_predictions,
    read_detection_truth,
)
from snellen.readers.detection_formats import called, found_format
from snellen.writers.detections import Detections

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snellen.detection.box_layouts import BoxLayout
    from snellen.detection.boxes import Boxes
    from snellen.detection.masks import Masks
    from snellen.readers.box_joining import ReadBoxes
    from snellen.readers.box_rows import ObjectKind

__all__ = ["Source"]

# What their numbers are has to be said, where it does not show.
_OPEN: Final = ("box-text", "table")


class Source(NamedTuple):
    """What is converted.

    Attributes
    ----------
    path : str
        The file or folder.
    truth : str or None
        What predictions are of; without, `path` is truth.
    format, truth_format : str
        See `read_detection_truth`.
    images, classes : path or mapping, optional
        See `read_detection_truth`; of predictions those of their truth. Beside a COCO truth
        `classes` are the names of the predictions' numbers.
    box : {"xyxy", "xywh", "cxcywh"}, optional
    relative : bool, optional
    drop_unknown : bool
        See `read_detection_truth`.
    kind : {"box", "mask", "keypoints", "oriented"}, optional
        What is read of objects; see `read_detection_truth`.
    """

    path: str
    truth: str | None = None
    format: str = "auto"
    truth_format: str = "auto"
    images: str | Mapping[Any, tuple[int, int]] | None = None
    classes: str | None = None
    box: BoxLayout | None = None
    relative: bool | None = None
    drop_unknown: bool = False
    kind: ObjectKind | None = None

    def read(self) -> tuple[Detections, str, list[str]]:
        """Return truth or predictions, their format, and what was taken for what.

        Raises
        ------
        SnellenError
            Of bad input, and of options that do not fit it.
        """
        kind = self.kind
        if (kind == "mask" or kind == "keypoints") and self._is_coco():
            return self._objects(kind), "coco", []
        if self.truth is None:
            read = self._read_truth(self.path, self.format, self.classes)
            return Detections.of_read(read, self.path), read.format, list(read.notes)
        of_truth, written = self.truth_format, self.format
        if of_truth == "auto":
            of_truth = found_format(self.truth)
        if written == "auto":
            written = found_format(self.path, prefer=of_truth)
        is_of_predictions = self.classes is not None and are_of_predictions(
            self.truth, of_truth, written
        )
        truth = self._read_truth(self.truth, of_truth, None if is_of_predictions else self.classes)
        read = read_detection_predictions(
            self.path,
            truth,
            format=written,
            classes=self.classes if is_of_predictions else None,
            kind=kind,
            drop_unknown=self.drop_unknown,
            **self._of_numbers(written),
        )
        notes = [*truth.notes, *read.notes]
        return Detections.of_read(read, self.path, truth), read.format, notes

    def _read_truth(self, path: str, written: str, classes: str | None) -> ReadBoxes:
        if written == "auto":
            written = found_format(path)
        return read_detection_truth(
            path,
            format=written,
            images=self.images,
            classes=classes,
            kind=self.kind,
            drop_unknown=self.drop_unknown,
            **self._of_numbers(written),
        )

    def _of_numbers(self, written: str) -> dict[str, Any]:
        """Return what says the meaning of numbers, for formats that leave it open."""
        if written in _OPEN:
            return {"box": self.box, "relative": self.relative}
        if self.truth is None and (self.box, self.relative) != (None, None):
            raise InputError(
                "expected box and relative (--box, --relative) with texts of boxes or a table, got "
                f"{called(written)}, which say it themselves",
                self.path,
            )
        return {}

    def _is_coco(self) -> bool:
        """Return whether all files are COCO's."""
        truth_format = self.format if self.truth is None else self.truth_format
        files = ((self.truth or self.path, truth_format), (self.path, self.format))
        found = [
            found_format(path, prefer="coco") if written == "auto" else written
            for path, written in files
        ]
        return found == ["coco", "coco"]

    def _objects(self, kind: Literal["mask", "keypoints"]) -> Detections:
        """Return masks or keypoints of COCO's objects."""
        of_truth = self.truth or self.path
        if self.path.lower().endswith(".npy"):
            raise InputError(
                f"expected COCO JSON to read {KINDS[kind]} of, got an array of boxes", self.path
            )
        if self.images is not None or self.classes is not None:
            raise InputError(
                "expected no images and classes beside COCO, whose files list them",
                "images" if self.images is not None else "classes",
            )
        columns: Boxes | Masks | Poses = read_coco_truth(
            of_truth, kind=kind, drop_unknown=self.drop_unknown
        )
        if isinstance(columns, Poses) and not columns.keypoints.size:
            raise InputError("expected keypoints, there are none: leave --kind keypoints", of_truth)
        sizes, names = sizes_and_names(of_truth, columns.boxes.images)
        polygons = None
        points: dict[int, tuple[str, ...]] = {}
        if isinstance(columns, Poses):
            n_keypoints = columns.keypoints.shape[1]
            points = point_names_of_coco(of_truth, columns.boxes.classes, n_keypoints)
        if self.truth is not None:
            columns = read_coco_predictions(
                self.path, columns, kind=kind, drop_unknown=self.drop_unknown
            )
        elif kind == "mask":
            raw = read_raw_truth(of_truth, "mask")
            polygons = polygons_of_truth(raw, of_truth, drop_unknown=self.drop_unknown)
        return Detections(
            columns,
            self.path,
            sizes,
            names=names,
            is_coco=True,
            polygons=polygons,
            point_names=points,
        )
