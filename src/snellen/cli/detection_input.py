"""Which files of detection a command reads, and how."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

import click

from snellen.cli.box_options import box_option, relative_option
from snellen.cli.format_options import FORMATS_OR_AUTO, format_option
from snellen.cli.output import data_warnings_on_stderr
from snellen.readers.detection_formats import called, may_be_coco

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from snellen.detection.boxes import Boxes
    from snellen.detection.candidates import Objects
    from snellen.detection.masks import Masks
    from snellen.detection.poses import Poses
    from snellen.detection.protocols import DetectionProtocol
    from snellen.readers.background import Background
    from snellen.readers.box_joining import ReadBoxes
    from snellen.state import Keys

__all__ = [
    "DetectionFiles",
    "ImageFacts",
    "OpenedFiles",
    "detection_file_options",
    "similarity_option",
]

_SIMILARITIES: Final = ("box", "mask", "boundary", "keypoints", "oriented")
_KINDS: Final = {"mask": "masks", "keypoints": "keypoints"}


def similarity_option(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the option that says what is compared, handed over as `similarity`."""
    return click.option(
        "--similarity",
        type=click.Choice(_SIMILARITIES),
        help="What is compared: IoU of boxes, masks, boundaries of masks or oriented boxes, or "
        "keypoints (OKS). [default: as the rules of --protocol say; where they do not, of COCO "
        "what predictions have: boxes, else masks, else keypoints; of other formats what TRUTH "
        "has]",
    )(command)


def detection_file_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the arguments and options of files, and hand it them as `files`."""

    @click.argument("truth", type=click.Path())
    @click.argument("predictions", type=click.Path())
    @format_option("What the files are written in; auto: as their content says.")
    @click.option(
        "--truth-format",
        type=FORMATS_OR_AUTO,
        help="What TRUTH is written in; --format is then of PREDICTIONS.",
    )
    @click.option(
        "--images",
        type=click.Path(),
        metavar="PATH",
        help="The images: a folder of pictures, or a text with one a line: of these only. Of a "
        "COCO TRUTH, which lists its images, only where pictures for --examples are.",
    )
    @click.option(
        "--classes",
        type=click.Path(),
        metavar="FILE",
        help="The names of classes: one a line, JSON, or a data.yaml. Beside a COCO TRUTH, and of "
        "COCO's results beside a data.yaml with names, those of the numbers of PREDICTIONS.",
    )
    @box_option
    @relative_option
    @click.option(
        "--image-labels",
        type=click.Path(),
        metavar="FILE",
        help="Which classes were looked for in which images: Open Images' table of ImageID, "
        "LabelName and Confidence. open-images-challenge needs it.",
    )
    @click.option(
        "--hierarchy",
        type=click.Path(),
        metavar="FILE",
        help="Which classes are kinds of which others: Open Images' JSON. Truth, and image labels, "
        "are expanded by it; PREDICTIONS are not.",
    )
    @click.option(
        "--drop-unknown",
        is_flag=True,
        help="Leave out records of images or categories that TRUTH does not list, and say how "
        "many.",
    )
    @functools.wraps(command)
    def with_files(
        truth: str,
        predictions: str,
        written: str,
        truth_format: str | None,
        images: str | None,
        classes: str | None,
        box: str | None,
        relative: bool | None,
        image_labels: str | None,
        hierarchy: str | None,
        drop_unknown: bool,
        **arguments: Any,
    ) -> None:
        files = DetectionFiles(
            truth,
            predictions,
            truth_format or written,
            written,
            images,
            classes,
            box,
            relative,
            drop_unknown,
            image_labels,
            hierarchy,
        )
        command(files=files, **arguments)

    return with_files


class DetectionFiles(NamedTuple):
    """What a command's arguments and options say of files."""

    truth: str
    predictions: str
    truth_format: str
    format: str
    images: str | None
    classes: str | None
    box: Any
    relative: bool | None
    drop_unknown: bool
    image_labels: str | None
    hierarchy: str | None

    def opened(self, similarity: str | None, *, quiet: bool) -> OpenedFiles:
        """Return the files as they are being read.

        Raises
        ------
        click.UsageError
            For a similarity that such files do not have.
        """
        return (_OpenedCoco if self._are_coco() else _OpenedOthers).of(self, similarity, quiet)

    def with_pictures(self) -> DetectionFiles:
        """Return the files where ``--images`` says where pictures are: with a COCO truth only that.

        COCO's files list their images themselves.
        """
        is_coco = self.truth_format == "coco" or (
            self.truth_format == "auto" and may_be_coco(self.truth)
        )
        return self._replace(images=None) if is_coco else self

    def _are_coco(self) -> bool:
        """Return whether both files are COCO's, so far as is to be seen without reading them."""
        said = (self.images, self.classes, self.box, self.relative)
        if any(each is not None for each in (*said, self.image_labels, self.hierarchy)):
            return False
        both = ((self.truth, self.truth_format), (self.predictions, self.format))
        return all(may_be_coco(path) if name == "auto" else name == "coco" for path, name in both)

    def of_numbers(self, *formats: str) -> list[dict[str, Any]]:
        """Return what says the meaning of numbers, for each format that leaves it open."""
        open_formats = [name in ("box-text", "table") for name in formats]
        if not any(open_formats) and (self.box, self.relative) != (None, None):
            raise click.UsageError(
                "expected --box, --relative and --absolute with texts of boxes or a table, got "
                f"{' and '.join(called(name) for name in formats)}, which say it themselves"
            )
        said = {"box": self.box, "relative": self.relative}
        return [said if is_open else {} for is_open in open_formats]


class ImageFacts(NamedTuple):
    """What files say of images, by their ids, so far as they do.

    Attributes
    ----------
    names : dict of id to str
        The names of their files.
    sizes : dict of id to (int, int)
        Their height and width.
    """

    names: dict[Any, str]
    sizes: dict[Any, tuple[int, int]]

    @classmethod
    def of(cls, images: Keys, sizes: Any, names: Any) -> ImageFacts:
        """Return what is known, in the order of the images; None: nothing."""
        ids = images.ids.tolist()
        return cls(
            {} if names is None else dict(zip(ids, names, strict=True)),
            {} if sizes is None else dict(zip(ids, map(tuple, sizes.tolist()), strict=True)),
        )


class _OpenedCoco(NamedTuple):
    """COCO's files, being read in the background."""

    files: DetectionFiles
    kind: str
    of_results: str
    raw_truth: Background[Any]
    raw_results: Background[Any]
    quiet: bool

    @classmethod
    def of(cls, files: DetectionFiles, similarity: str | None, quiet: bool) -> _OpenedCoco:
        from snellen.readers.background import Background
        from snellen.readers.coco_file import kind_of_results, read_raw_results, read_raw_truth

        if similarity is None:
            kind = of_results = kind_of_results(files.predictions)
            if kind != "box" and not quiet:
                click.echo(f"snellen: {files.predictions}: {_KINDS[kind]}, and no boxes", err=True)
        else:
            kind = "mask" if similarity == "boundary" else similarity
            of_results = kind_of_results(files.predictions) if kind == "box" else kind
        if kind == "oriented":
            raise click.UsageError("expected other files than COCO's, which have no oriented boxes")
        # Both files are read while NumPy is being imported, truth first: it is wanted first.
        truth = Background(lambda: read_raw_truth(files.truth, kind))
        results = Background(lambda: read_raw_results(files.predictions, of_results), after=truth)
        return cls(files, kind, of_results, truth, results, quiet)

    def columns(self, protocol: DetectionProtocol) -> tuple[Objects, Objects]:
        from snellen.readers.coco_file import masks_of_results
        from snellen.readers.coco_results import Results, predicted

        place, drop_unknown = self.files.predictions, self.files.drop_unknown
        with data_warnings_on_stderr(quiet=self.quiet):
            # Results may still be being read meanwhile.
            truth = _coco_truth(
                self.kind,
                self.raw_truth.result(),
                self.files.truth,
                protocol=protocol,
                drop_unknown=drop_unknown,
            )
            results = Results(
                self.of_results,
                self.raw_results.result(),
                lambda: masks_of_results(place),
                place,
            )
            found = predicted(
                results, truth, complete=protocol.complete_records, drop_unknown=drop_unknown
            )
        return truth, found.boxes if self.kind == "box" else found

    def beside(self) -> dict[str, Sequence[str]]:
        return {}

    def images(self, truth: Objects) -> ImageFacts:
        from snellen.readers.coco_images import sizes_and_names

        images = truth.boxes.images
        return ImageFacts.of(images, *sizes_and_names(self.files.truth, images))


class _OpenedOthers:
    """Files of other formats, or of what is not yet known."""

    def __init__(self, files: DetectionFiles, kind: str, quiet: bool) -> None:
        self.files = files
        self.kind = kind
        self.quiet = quiet
        self._read: ReadBoxes | None = None
        self._beside: dict[str, Sequence[str]] = {}

    @classmethod
    def of(cls, files: DetectionFiles, similarity: str | None, quiet: bool) -> _OpenedOthers:
        kind = "mask" if similarity == "boundary" else similarity
        return cls(files, kind or "", quiet)

    def columns(self, protocol: DetectionProtocol) -> tuple[Objects, Objects]:
        if protocol.verified_only and self.files.image_labels is None:
            raise click.UsageError(
                f"expected files that say which classes were looked for, as --protocol "
                f"{protocol.name} needs it: --image-labels FILE (Open Images), or COCO files (LVIS)"
            )
        with data_warnings_on_stderr(quiet=self.quiet):
            truth, pred = _read(self.files, self.kind or None, protocol, quiet=self.quiet)
        self._read = truth
        for side, read in (("truth", truth), ("prediction", pred)):
            self._beside |= {f"{side}-{what}": places for what, places in read.beside.items()}
        return truth.boxes, pred.boxes

    def beside(self) -> dict[str, Sequence[str]]:
        return self._beside

    def images(self, truth: Objects) -> ImageFacts:
        assert self._read is not None
        return ImageFacts.of(truth.boxes.images, self._read.sizes, self._read.names)


class OpenedFiles(Protocol):
    """Files that are being read."""

    @property
    def kind(self) -> str:
        """What the objects are; ``""`` where it is not yet known."""

    def columns(self, protocol: DetectionProtocol) -> tuple[Objects, Objects]:
        """Return truth and predictions, and print what is to be said of them to stderr."""

    def beside(self) -> dict[str, Sequence[str]]:
        """Return what was read though nobody named it, by its role; `columns` was called before."""

    def images(self, truth: Objects) -> ImageFacts:
        """Return what the files say of images; `columns` has returned `truth` before."""


def _coco_truth(
    kind: str, raw: Any, place: str, *, protocol: DetectionProtocol, drop_unknown: bool
) -> Boxes | Masks | Poses:
    """Return the columns of raw truth."""
    complete = protocol.complete_records
    if protocol.verified_only:
        from snellen.readers.lvis import lvis_truth

        return lvis_truth(raw, place, kind, complete=complete, drop_unknown=drop_unknown)
    # Each by itself: boxes are read without what masks need.
    if kind == "mask":
        from snellen.readers.coco_masks import truth_masks

        return truth_masks(raw, place, complete=complete, drop_unknown=drop_unknown)
    if kind == "keypoints":
        from snellen.readers.coco_poses import truth_poses

        return truth_poses(
            raw,
            place,
            complete=complete,
            drop_unknown=drop_unknown,
            reads_area=protocol.box_area_share is None,
        )
    from snellen.readers.coco import truth_boxes

    return truth_boxes(raw, place, complete=complete, drop_unknown=drop_unknown)


def _read(
    files: DetectionFiles, kind: Any, rules: DetectionProtocol, *, quiet: bool
) -> tuple[ReadBoxes, ReadBoxes]:
    """Return what files of any format hold; what was taken for what goes to stderr."""
    from snellen.errors import InputError
    from snellen.readers.box_classes import are_of_predictions
    from snellen.readers.detection_files import (
        read_detection_predictions,
        read_detection_truth,
    )
    from snellen.readers.detection_formats import found_format

    format_of_truth = files.truth_format
    if format_of_truth == "auto":
        format_of_truth = found_format(files.truth)
    format_of_predictions = files.format
    if format_of_predictions == "auto":
        format_of_predictions = found_format(files.predictions, prefer=format_of_truth)
    for_truth, for_predictions = files.of_numbers(format_of_truth, format_of_predictions)
    is_of_predictions = files.classes is not None and are_of_predictions(
        files.truth, format_of_truth, format_of_predictions
    )
    read_truth = read_detection_truth(
        files.truth,
        format=format_of_truth,
        images=files.images,
        classes=None if is_of_predictions else files.classes,
        kind=kind,
        complete=rules.complete_records,
        image_labels=files.image_labels,
        hierarchy=files.hierarchy,
        drop_unknown=files.drop_unknown,
        **for_truth,
    )
    read_predictions = read_detection_predictions(
        files.predictions,
        read_truth,
        format=format_of_predictions,
        classes=files.classes if is_of_predictions else None,
        kind=kind,
        complete=rules.complete_records,
        drop_unknown=files.drop_unknown,
        **for_predictions,
    )
    if rules.inclusive and (read_truth.relative or read_predictions.relative):
        raise InputError(
            f"expected boxes in pixels, as {rules.name} counts these, got parts of images: "
            "--images FOLDER gives their sizes",
            files.truth,
        )
    if not quiet:
        for path, read in ((files.truth, read_truth), (files.predictions, read_predictions)):
            click.echo(f"snellen: {path}: {called(read.format)}", err=True)
        for note in (*read_truth.notes, *read_predictions.notes):
            click.echo(f"snellen: {note}", err=True)
    return read_truth, read_predictions
