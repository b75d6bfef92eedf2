"""Boxes of any known format: truth, and predictions for it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.arrays import is_array
from snellen.detection.box_layouts import LAYOUTS, BoxLayout
from snellen.detection.oriented import OrientedBoxes
from snellen.detection.poses import Poses
from snellen.errors import InputError, did_you_mean, one_line
from snellen.readers.box_joining import ReadBoxes, predictions_of_rows, truth_of_rows
from snellen.readers.box_rows import KINDS, BoxRows, ObjectKind
from snellen.readers.coco import read_coco_predictions, read_coco_truth
from snellen.readers.coco_images import coco_rows, point_names_of_coco, sizes_and_names
from snellen.readers.detection_formats import FORMATS, called, found_format
from snellen.readers.message_text import printable

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from snellen.detection.boxes import Boxes
    from snellen.detection.masks import Masks

__all__ = [
    "ReadBoxes",
    "read_detection_predictions",
    "read_detection_truth",
]


def read_detection_truth(
    path: str | os.PathLike[str] | Mapping[str, Any],
    *,
    format: str = "auto",  # noqa: A002  # as the option is called
    images: str | os.PathLike[str] | Mapping[Any, tuple[int, int]] | Sequence[str] | None = None,
    classes: Any = None,
    box: BoxLayout | None = None,
    relative: bool | None = None,
    kind: ObjectKind | None = None,
    complete: bool = False,
    drop_unknown: bool = False,
    image_labels: str | os.PathLike[str] | None = None,
    hierarchy: str | os.PathLike[str] | Mapping[str, Any] | None = None,
) -> ReadBoxes:
    r"""Read truth: boxes, masks, keypoints.

    Parameters
    ----------
    path : path, or mapping
        A file or folder in one of the formats; or what a COCO annotation file holds.
    format : str
        One of `snellen.readers.detection_formats.FORMATS`; ``"auto"``: as the content says.
    images : path, mapping or sequence, optional
        The images that were looked at. A folder of pictures (whose sizes are read) or a mapping of
        id to (height, width): all images of truth have to be there. A text with an image a line, or
        a sequence of ids: of these only, others are left out, as of a data set's parts. Not for
        COCO, whose files list their images.
    classes : sequence of names, mapping of id to name, or path, optional
        All classes; see `ClassList`. Without, those of the files, or all that occur. Not for COCO.
    box : {"xyxy", "xywh", "cxcywh"}, optional
        What the four numbers of a text or table are, where it does not show.
    relative : bool, optional
        Whether they are parts of the image's size; without, as the numbers show.
    kind : {"box", "mask", "keypoints", "oriented"}, optional
        What is read of objects: ``"box"`` their upright boxes, whatever they are. Without, of COCO
        boxes, of other formats what the files hold; where that does not show it has to be said.
    complete, drop_unknown : bool
        See `read_coco_truth`; `complete` is of COCO only. Of other formats `drop_unknown` leaves
        out boxes of images and classes that are not listed, with a `DataWarning`.
    image_labels : path, optional
        Which classes were looked for in which images, as Open Images has it; see
        `read_image_labels`. Images that only have labels are images too, where `images` does not
        list them.
    hierarchy : path or mapping, optional
        Which classes are kinds of which others, see `ClassHierarchy`: a box of a class is then one
        of all classes above it too, and labels of images are labels of more classes.

    Returns
    -------
    ReadBoxes
        Boxes in pixels where sizes are known; else relative ones stay so, which a note says: IoU is
        the same, areas are not. Masks and keypoints need sizes. What `boxes` is, its ``kind`` says:
        `Boxes`, `Masks`, `Poses` or `OrientedBoxes`.

    Raises
    ------
    SnellenError
        Of bad input; the message ends with file, line or record, and field.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> text = "image,class,xmin,ymin,xmax,ymax\na.jpg,cat,1,2,4,8\n"
    >>> _ = (folder / "boxes.csv").write_text(text)
    >>> truth = read_detection_truth(folder / "boxes.csv")
    >>> truth.format, truth.boxes.xywh.tolist()
    ('table', [[1.0, 2.0, 3.0, 6.0]])
    """
    _check_options(format, box, kind)
    read = _truth(
        path,
        format,
        images,
        classes,
        box=box,
        relative=relative,
        kind=kind,
        complete=complete,
        drop_unknown=drop_unknown,
    )
    if image_labels is None and hierarchy is None:
        return read
    from snellen.readers.open_images_labels import with_labels_and_hierarchy

    return with_labels_and_hierarchy(
        read,
        image_labels,
        hierarchy,
        has_all_images=images is not None,
        has_all_classes=classes is not None,
    )


def _truth(
    path: str | os.PathLike[str] | Mapping[str, Any],
    format: str,  # noqa: A002  # as the option is called
    images: Any,
    classes: Any,
    *,
    box: BoxLayout | None,
    relative: bool | None,
    kind: ObjectKind | None,
    complete: bool,
    drop_unknown: bool,
) -> ReadBoxes:
    if isinstance(path, Mapping):
        return _coco_truth(path, "records", kind, complete=complete, drop_unknown=drop_unknown)
    if not isinstance(path, (str, os.PathLike)):
        raise InputError(
            f"expected a path, or what COCO's JSON holds as a mapping, got {type(path).__name__}",
            "truth",
        )
    place = os.fspath(path)
    written = found_format(place) if format == "auto" else format
    if written == "coco":
        for name, value in (("images", images), ("classes", classes)):
            if value is not None:
                raise InputError(f"expected no {name} beside COCO, whose files list them", name)
        return _coco_truth(place, written, kind, complete=complete, drop_unknown=drop_unknown)
    rows = _rows(
        written, place, truth=True, box=box, relative=relative, kind=kind, drop_unknown=drop_unknown
    )
    if kind == "box":
        rows = rows.as_boxes()
    if kind is not None and rows.kind != kind:
        raise InputError(
            f"expected {KINDS[kind]}, got {KINDS[rows.kind]} of {called(written)}", place
        )
    return truth_of_rows(rows, written, images, classes, drop_unknown=drop_unknown)


def read_detection_predictions(
    path: str | os.PathLike[str] | Sequence[Mapping[str, Any]] | NDArray[Any],
    truth: ReadBoxes,
    *,
    format: str = "auto",  # noqa: A002  # as the option is called
    classes: Any = None,
    box: BoxLayout | None = None,
    relative: bool | None = None,
    kind: ObjectKind | None = None,
    complete: bool = False,
    drop_unknown: bool = False,
) -> ReadBoxes:
    """Read predicted objects, of the same format as their truth or of another.

    Parameters
    ----------
    path : path, sequence of mapping, or ndarray of shape (n, 7)
        A file or folder in one of the formats; or what `read_coco_predictions` takes.
    truth : ReadBoxes
        What `read_detection_truth` returned: its images and classes are those that count. Images
        are matched by their ids, else by names, parts of paths or numbers, see `match_images`;
        classes by ids or names.
    format, box, relative
        See `read_detection_truth`.
    classes : sequence of names, mapping of id to name, or path, optional
        The names of the class numbers of predictions, where these are not truth's ids; classes are
        then matched by names. Without, those of a ``data.yaml`` around YOLO's texts.
    kind : {"box", "mask", "keypoints", "oriented"}, optional
        What truth is. ``"box"``: of objects of other kinds the upright boxes are read, which are
        refused otherwise.
    complete : bool
        Do as the reference does with COCO's results; see `read_coco_predictions`.
    drop_unknown : bool
        Leave out predictions of images or classes that truth does not have, with a `DataWarning`,
        instead of refusing them.

    Returns
    -------
    ReadBoxes
        Scored boxes, of the kind of truth's, in pixels as they are, or relative as they are.

    Raises
    ------
    SnellenError
        Of bad input; the message ends with file, line or record, and field.
    """
    _check_options(format, box, kind)
    of_truth = truth.boxes.kind
    if kind not in (None, of_truth):
        raise InputError(f"expected {KINDS[of_truth]}, as truth has them", "kind")
    if not isinstance(path, (str, os.PathLike)):
        written = "rows" if is_array(path) else "records"
        found = read_coco_predictions(
            path, _coco(truth, "pred"), complete=complete, drop_unknown=drop_unknown
        )
        return ReadBoxes(found, written, truth.sizes, {}, [], truth.names, truth.relative)
    place = os.fspath(path)
    written = found_format(place, prefer=truth.format) if format == "auto" else format
    if written == "coco" and place.lower().endswith(".npy"):
        try:
            found = read_coco_predictions(
                _array(place), _coco(truth, place), complete=complete, drop_unknown=drop_unknown
            )
        except InputError as error:
            raise (error if error.place == place else error.within(place)) from error
        return ReadBoxes(found, written, truth.sizes, {}, [], truth.names, truth.relative)
    if written == "coco" and truth.format in ("coco", "records"):
        if classes is not None:
            raise InputError("expected no classes beside COCO, whose files name them", "classes")
        found = read_coco_predictions(
            place, _coco(truth, place), complete=complete, drop_unknown=drop_unknown
        )
        return ReadBoxes(found, written, truth.sizes, {}, [], truth.names, truth.relative)
    if written == "coco":
        if of_truth in ("mask", "keypoints"):
            raise InputError(
                f"expected truth of COCO's for {KINDS[of_truth]} of COCO's, got "
                f"{called(truth.format)}: snellen convert makes COCO of it (--kind {of_truth})",
                place,
            )
        rows = coco_rows(place)
    else:
        # Whether lines are boxes is not asked for: it is refused where they are not.
        wanted = kind if of_truth == "box" else of_truth
        n_keypoints = truth.boxes.keypoints.shape[1] if isinstance(truth.boxes, Poses) else 0
        rows = _rows(
            written, place, truth=False, box=box, relative=relative, kind=wanted,
            n_keypoints=n_keypoints,
        )  # fmt: skip
        if kind == "box":
            rows = rows.as_boxes()
    return predictions_of_rows(rows, written, truth, classes, drop_unknown=drop_unknown)


def _coco(truth: ReadBoxes, place: str) -> Boxes | Masks | Poses:
    """Return truth that COCO's objects can be predictions of."""
    if isinstance(truth.boxes, OrientedBoxes):
        raise InputError(
            f"expected {KINDS[truth.boxes.kind]}, as truth has them, got {KINDS['box']}", place
        )
    return truth.boxes


def _check_options(written: str, box: str | None, kind: str | None) -> None:
    if kind not in (None, *KINDS):
        raise InputError(
            f'expected a kind of objects ({", ".join(KINDS)}), got "{printable(kind, 40)}"', "kind"
        )
    if written not in ("auto", *FORMATS):
        raise InputError(
            f'expected a format ({", ".join(("auto", *FORMATS))}), got "{printable(written, 40)}".'
            f"{did_you_mean(written, FORMATS)}",
            "format",
        )
    if box not in (None, *LAYOUTS):
        raise InputError(
            f'expected a layout of boxes ({", ".join(LAYOUTS)}), got "{printable(box, 40)}"', "box"
        )


# ---- Rows of each format -------------------------------------------------------------------------


def _rows(
    written: str,
    place: str,
    *,
    truth: bool,
    box: BoxLayout | None,
    relative: bool | None,
    kind: ObjectKind | None,
    n_keypoints: int = 0,
    drop_unknown: bool = False,
) -> BoxRows:
    if written not in ("box-text", "table") and (box is not None or relative is not None):
        option = "box" if box is not None else "relative"
        raise InputError(
            f"expected no {option} beside {called(written)}, which say it themselves", option
        )
    if written == "yolo":
        from snellen.readers.yolo import read_yolo_predictions, read_yolo_truth

        if truth:
            return read_yolo_truth(place, kind=kind, drop_unknown=drop_unknown)
        return read_yolo_predictions(place, kind=kind, n_keypoints=n_keypoints)
    if written == "voc-xml":
        from snellen.readers.voc_xml import read_voc_xml

        return read_voc_xml(place, truth=truth)
    if written == "voc-results":
        from snellen.readers.voc_results import read_voc_results

        if truth:
            raise InputError("expected truth, got results of the VOC devkit", place)
        return read_voc_results(place)
    if written == "box-text":
        from snellen.readers.box_text import read_box_text

        return read_box_text(place, truth=truth, layout=box, relative=relative)
    if written == "open-images":
        from snellen.readers.open_images import read_open_images

        return read_open_images(place, truth=truth)
    if written == "kitti":
        from snellen.readers.kitti_labels import read_kitti_labels

        return read_kitti_labels(place, truth=truth)
    if written == "cvat":
        from snellen.readers.cvat_xml import read_cvat_xml

        return read_cvat_xml(place, truth=truth, kind=kind)
    if written == "table":
        from snellen.readers.box_table import read_box_table

        return read_box_table(place, truth=truth, layout=box, relative=relative)
    from snellen.readers.dota import read_dota, read_dota_results

    return read_dota(place) if truth else read_dota_results(place)


def _coco_truth(
    source: str | Mapping[str, Any],
    written: str,
    kind: ObjectKind | None,
    *,
    complete: bool,
    drop_unknown: bool,
) -> ReadBoxes:
    if kind == "oriented":
        raise InputError("expected oriented boxes, COCO's files have none", "kind")
    boxes = read_coco_truth(
        source, kind=kind or "box", complete=complete, drop_unknown=drop_unknown
    )
    sizes, names = sizes_and_names(source, boxes.boxes.images)
    named: dict[int, tuple[str, ...]] = {}
    if isinstance(boxes, Poses):
        named = point_names_of_coco(source, boxes.boxes.classes, boxes.keypoints.shape[1])
    return ReadBoxes(boxes, written, sizes, {}, [], names, point_names=named)


def _array(place: str) -> NDArray[Any]:
    try:
        array: NDArray[Any] = np.load(place, allow_pickle=False)
    # What NumPy's parser makes of damaged text is anybody's guess.
    except Exception as error:
        raise InputError(f"expected an array of NumPy's, got: {one_line(error)}", place) from None
    return array
