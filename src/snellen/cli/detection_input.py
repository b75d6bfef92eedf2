"""Truth and predictions of detection as commands take them: options, files, rules."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from snellen.cli.output import data_warnings_on_stderr
from snellen.readers.detection_formats import FORMATS, called, may_be_coco

if TYPE_CHECKING:
    from collections.abc import Callable

    from snellen.detection.average_precision import AveragePrecision
    from snellen.detection.candidates import Objects
    from snellen.detection.protocols import DetectionProtocol

__all__ = ["PROTOCOL_NAMES", "DetectionInput", "detection_input"]


def _caps(_: click.Context, __: click.Parameter, text: str | None) -> int | list[int] | None:
    """Read a number, or several with commas."""
    if text is None:
        return None
    try:
        caps = [int(part) for part in text.split(",")]
    except ValueError:
        caps = [0]
    if min(caps) < 1 or max(caps) >= 2**31 or len(set(caps)) != len(caps):
        raise click.BadParameter(
            f'expected whole numbers from 1, such as 300 or 1,10,100; got "{text}"'
        )
    return caps[0] if len(caps) == 1 else sorted(caps)


# Repeated here because importing them would import NumPy; a test compares.
PROTOCOL_NAMES: Final = (
    *("coco", "coco-strict", "coco-keypoints", "coco-keypoints-strict", "crowdpose"),
    *("lvis", "lvis-strict", "lvis-fixed", "voc07", "voc12"),
    *("open-images", "open-images-challenge"),
)
_SIMILARITIES: Final = ("box", "mask", "boundary", "keypoints", "oriented")


def _protocol(_: click.Context, __: click.Parameter, name: str | None) -> str | None:
    """Take the name of a protocol, or a file with rules."""
    if name is None or name in PROTOCOL_NAMES or name.lower().endswith(".json"):
        return name
    from snellen.errors import did_you_mean

    raise click.BadParameter(
        f'expected one of {", ".join(PROTOCOL_NAMES)}, or FILE.json; got "{name}".'
        f"{did_you_mean(name, PROTOCOL_NAMES)}"
    )


class _Files(NamedTuple):
    """What the options say of files."""

    truth_format: str
    format: str
    images: str | None
    classes: str | None
    box: Any
    relative: bool | None
    drop_unknown: bool

    def are_coco(self, truth: str, predictions: str) -> bool:
        """Return whether both files are COCO's, so far as is to be seen without reading them."""
        if any(each is not None for each in (self.images, self.classes, self.box, self.relative)):
            return False
        both = ((truth, self.truth_format), (predictions, self.format))
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


class DetectionInput(NamedTuple):
    """What a command was told of the objects to evaluate, and of the rules.

    Attributes
    ----------
    truth, predictions : str
        Paths.
    files : _Files
        What is said of them.
    protocol, similarity, max_detections
        As `AveragePrecision` takes them; None: the default.
    """

    truth: str
    predictions: str
    files: _Files
    protocol: str | None
    similarity: str | None
    max_detections: int | list[int] | None

    def metric(self, kind: str) -> AveragePrecision:
        """Return the metric for objects of a kind; of an unknown one for ``""``."""
        import dataclasses

        from snellen.detection.average_precision import AveragePrecision
        from snellen.detection.protocols import protocol_named

        name = self.protocol or ("coco-keypoints" if kind == "keypoints" else "coco")
        if name.lower().endswith(".json"):
            from snellen.readers.detection_protocol import read_detection_protocol

            rules = read_detection_protocol(name)
        else:
            rules = protocol_named(name)
        # What objects are need not be said; of others it is to be refused.
        if self.similarity not in (None, kind):
            rules = dataclasses.replace(rules, similarity=self.similarity)
        return AveragePrecision(protocol=rules, max_detections=self.max_detections)

    def read(
        self,
        *,
        quiet: bool,
        check: Callable[[AveragePrecision], None] = lambda _: None,
    ) -> tuple[AveragePrecision, Objects, Objects]:
        """Return an empty metric of the rules, truth and predictions.

        Parameters
        ----------
        quiet : bool
            Whether to say nothing of files on stderr.
        check : callable
            Is given the metric before the work is done, to refuse what cannot be.
        """
        read = _read_coco if self.files.are_coco(self.truth, self.predictions) else _read_any
        return read(self, check, quiet)


def detection_input(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the arguments and options of `DetectionInput`, and hand it one as `asked`."""

    @click.argument("truth", type=click.Path())
    @click.argument("predictions", type=click.Path())
    @click.option(
        "--protocol",
        callback=_protocol,
        metavar="NAME|FILE.json",
        help=f"The rules: {', '.join(PROTOCOL_NAMES)}, or those of a file (see snellen protocol). "
        "coco-strict is pycocotools to the last bit; coco also matches annotation id 0, and takes "
        "other caps, empty results and records without area or iscrowd. [default: coco; of "
        "keypoints coco-keypoints]",
    )
    @click.option(
        "--similarity",
        type=click.Choice(_SIMILARITIES),
        help="What is compared: IoU of boxes, masks, boundaries of masks or oriented boxes, or "
        "keypoints (OKS). [default: of COCO what predictions have: boxes, else masks, else "
        "keypoints; of other formats what TRUTH has]",
    )
    @click.option(
        "--max-detections",
        callback=_caps,
        metavar="N[,N…]",
        help="Caps on the detections of a class in an image; a single N stands for 1,10,N. "
        "[default: 1,10,100]",
    )
    @click.option(
        "--format",
        "written",
        type=click.Choice(["auto", *FORMATS]),
        default="auto",
        show_default=True,
        help="What the files are written in; auto: as their content says.",
    )
    @click.option(
        "--truth-format",
        type=click.Choice(["auto", *FORMATS]),
        help="What TRUTH is written in; --format is then of PREDICTIONS.",
    )
    @click.option(
        "--images",
        type=click.Path(),
        metavar="PATH",
        help="The images: a folder of pictures, or a text with one a line: of these only. Not for "
        "a COCO TRUTH.",
    )
    @click.option(
        "--classes",
        type=click.Path(),
        metavar="FILE",
        help="The names of classes, one a line, or JSON. Beside a COCO TRUTH those of the numbers "
        "of PREDICTIONS.",
    )
    @click.option(
        "--box",
        type=click.Choice(["xyxy", "xywh", "cxcywh"]),
        help="What the four numbers of boxes in texts and tables are, where it does not show.",
    )
    @click.option(
        "--relative/--absolute",
        default=None,
        help="Boxes in texts and tables are parts of the images' sizes, or pixels. [default: "
        "parts, where all are from 0 to 1]",
    )
    @click.option(
        "--drop-unknown",
        is_flag=True,
        help="Leave out records of images or categories that TRUTH does not list, and say how "
        "many.",
    )
    @functools.wraps(command)
    def with_input(
        truth: str,
        predictions: str,
        protocol: str | None,
        similarity: str | None,
        max_detections: int | list[int] | None,
        written: str,
        truth_format: str | None,
        images: str | None,
        classes: str | None,
        box: str | None,
        relative: bool | None,
        drop_unknown: bool,
        **arguments: Any,
    ) -> None:
        files = _Files(
            truth_format or written, written, images, classes, box, relative, drop_unknown
        )
        asked = DetectionInput(truth, predictions, files, protocol, similarity, max_detections)
        command(asked=asked, **arguments)

    return with_input


def _read_coco(
    asked: DetectionInput, check: Callable[[AveragePrecision], None], quiet: bool
) -> tuple[AveragePrecision, Objects, Objects]:
    from snellen.readers.background import Background
    from snellen.readers.coco_file import kind_of_results, read_raw_results, read_raw_truth

    truth, predictions = asked.truth, asked.predictions
    if asked.similarity is None:
        kind = kind_of_results(predictions)
        of_results = kind
        if kind != "box" and not quiet:
            click.echo(f"snellen: {predictions}: {_KINDS[kind]}, and no boxes", err=True)
    else:
        kind = "mask" if asked.similarity == "boundary" else asked.similarity
        of_results = kind_of_results(predictions) if kind == "box" else kind
    if kind == "oriented":
        raise click.UsageError("expected other files than COCO's, which have no oriented boxes")
    # Both files are read while NumPy is being imported.
    raw_truth = Background(lambda: read_raw_truth(truth, kind))
    raw_results = Background(lambda: read_raw_results(predictions, of_results))
    metric = asked.metric(kind)
    check(metric)
    with data_warnings_on_stderr(quiet=quiet):
        both = _coco_columns(
            kind,
            (raw_truth.result(), truth),
            (of_results, raw_results.result(), predictions),
            protocol=metric.protocol,
            drop_unknown=asked.files.drop_unknown,
        )
    return metric, *both


_KINDS: Final = {"mask": "masks", "keypoints": "keypoints"}


def _coco_columns(
    kind: str,
    truth: tuple[Any, str],
    results: tuple[str, Any, str],
    *,
    protocol: DetectionProtocol,
    drop_unknown: bool,
) -> tuple[Objects, Objects]:
    """Return the columns of raw truth and raw results, each with its place."""
    from snellen.readers.coco import Results, predicted, truth_boxes
    from snellen.readers.coco_file import masks_of_results

    of_truth: Any = truth_boxes
    # Each by itself: boxes are read without what masks need.
    if kind == "mask":
        from snellen.readers.coco_masks import truth_masks

        of_truth = truth_masks
    elif kind == "keypoints":
        from functools import partial

        from snellen.readers.coco_poses import truth_poses

        of_truth = partial(truth_poses, reads_area=protocol.box_area_share is None)
    complete = protocol.complete_records
    # No annotation of LVIS says whether it is a crowd.
    columns = of_truth(
        *truth, complete=complete and not protocol.verified_only, drop_unknown=drop_unknown
    )
    if protocol.verified_only:
        from snellen.readers.lvis import with_lvis_labels

        columns = with_lvis_labels(columns, truth[1], complete=complete)
    of_results, raw, place = results
    read = Results(of_results, raw, lambda: masks_of_results(place), place)
    found = predicted(read, columns, complete=complete, drop_unknown=drop_unknown)
    return columns, found.boxes if kind == "box" else found


def _read_any(
    asked: DetectionInput, check: Callable[[AveragePrecision], None], quiet: bool
) -> tuple[AveragePrecision, Objects, Objects]:
    kind = "mask" if asked.similarity == "boundary" else asked.similarity
    metric = asked.metric(kind or "")
    if metric.protocol.verified_only:
        raise click.UsageError(f"expected COCO files for --protocol {asked.protocol}, got others")
    check(metric)
    with data_warnings_on_stderr(quiet=quiet):
        both = _boxes(
            asked.files,
            asked.truth,
            asked.predictions,
            kind=kind,
            complete=metric.protocol.complete_records,
            quiet=quiet,
        )
    found = both[0].kind
    if found == "keypoints" and kind is None and asked.protocol is None:
        metric = asked.metric(found)
        check(metric)
    return metric, *both


def _boxes(
    asked: _Files,
    truth: str,
    predictions: str,
    *,
    kind: Any,
    complete: bool,
    quiet: bool,
) -> tuple[Objects, Objects]:
    """Return the objects of files of any format; what was taken for what goes to stderr."""
    from snellen.readers.detection_files import (
        read_detection_predictions,
        read_detection_truth,
    )
    from snellen.readers.detection_formats import found_format

    format_of_truth = asked.truth_format
    if format_of_truth == "auto":
        format_of_truth = found_format(truth)
    format_of_predictions = asked.format
    if format_of_predictions == "auto":
        format_of_predictions = found_format(predictions, prefer=format_of_truth)
    for_truth, for_predictions = asked.of_numbers(format_of_truth, format_of_predictions)
    is_coco = format_of_truth == "coco"
    read_truth = read_detection_truth(
        truth,
        format=format_of_truth,
        images=asked.images,
        classes=None if is_coco else asked.classes,
        kind=kind,
        complete=complete,
        drop_unknown=asked.drop_unknown,
        **for_truth,
    )
    read_predictions = read_detection_predictions(
        predictions,
        read_truth,
        format=format_of_predictions,
        classes=asked.classes if is_coco else None,
        kind=kind,
        complete=complete,
        drop_unknown=asked.drop_unknown,
        **for_predictions,
    )
    if not quiet:
        for path, read in ((truth, read_truth), (predictions, read_predictions)):
            click.echo(f"snellen: {path}: {called(read.format)}", err=True)
        for note in (*read_truth.notes, *read_predictions.notes):
            click.echo(f"snellen: {note}", err=True)
    return read_truth.boxes, read_predictions.boxes
