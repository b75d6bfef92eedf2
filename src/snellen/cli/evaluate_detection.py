"""``snellen evaluate detection``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import click

from snellen.cli.detection_input import detection_file_options, similarity_option
from snellen.cli.limit_options import threads_option
from snellen.cli.output import output_options

if TYPE_CHECKING:
    from snellen.cli.detection_input import DetectionFiles
    from snellen.cli.output import Output
    from snellen.detection.average_precision import AveragePrecision

__all__ = ["detection"]


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
    *("coco", "coco-strict", "coco-keypoints", "coco-keypoints-strict"),
    *("lvis", "lvis-strict", "lvis-fixed", "voc07", "voc12"),
    *("open-images", "open-images-challenge"),
)


def _protocol(_: click.Context, __: click.Parameter, name: str | None) -> str | None:
    """Take the name of a protocol, or a file with rules."""
    if name is None or name in PROTOCOL_NAMES or name.lower().endswith(".json"):
        return name
    from snellen.errors import did_you_mean

    raise click.BadParameter(
        f'expected one of {", ".join(PROTOCOL_NAMES)}, or FILE.json; got "{name}".'
        f"{did_you_mean(name, PROTOCOL_NAMES)}"
    )


class _Rules(NamedTuple):
    """What the options say of the evaluation."""

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


@click.command()
@click.option(
    "--protocol",
    callback=_protocol,
    metavar="NAME|FILE.json",
    help=f"The rules: {', '.join(PROTOCOL_NAMES)}, or those of a file (see snellen protocol). "
    "coco-strict is pycocotools to the last bit; coco also matches annotation id 0, and takes "
    "other caps, empty results and records without area or iscrowd. [default: coco; of keypoints "
    "coco-keypoints]",
)
@similarity_option
@click.option(
    "--max-detections",
    callback=_caps,
    metavar="N[,N…]",
    help="Caps on the detections of a class in an image; a single N stands for 1,10,N. "
    "[default: 1,10,100]",
)
@detection_file_options
@threads_option
@output_options
def detection(
    files: DetectionFiles,
    protocol: str | None,
    similarity: str | None,
    max_detections: int | list[int] | None,
    threads: int | None,
    output: Output,
) -> None:
    """Average precision and recall of detected boxes, masks, keypoints.

    TRUTH is a COCO annotation file and PREDICTIONS a COCO results file (.gz too), or either is a
    file or folder of another format: YOLO, Pascal VOC, Open Images, KITTI, CVAT, texts of boxes, a
    table.
    """
    from snellen.threads import set_threads

    set_threads(threads)
    rules = _Rules(protocol, similarity, max_detections)
    opened = files.opened(similarity, quiet=output.quiet)

    from snellen.run.serial import Serial

    metric = rules.metric(opened.kind)
    output.check(metric)
    output.deliver(Serial().run(metric, [opened.columns(metric.protocol)]))
