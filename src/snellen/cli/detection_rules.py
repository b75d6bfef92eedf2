"""By which rules a command evaluates detection."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from snellen.cli.detection_input import similarity_option

if TYPE_CHECKING:
    from collections.abc import Callable

    from snellen.cli.detection_input import OpenedFiles
    from snellen.detection.average_precision import AveragePrecision
    from snellen.detection.candidates import Objects

__all__ = ["OF_KEYPOINTS", "PROTOCOL_NAMES", "DetectionRules", "detection_rule_options"]


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
OF_KEYPOINTS: Final = ("coco-keypoints", "coco-keypoints-strict", "crowdpose")
"""Those that say what is compared."""


def _protocol(_: click.Context, __: click.Parameter, name: str | None) -> str | None:
    """Take the name of a protocol, or a file with rules."""
    if name is None or name in PROTOCOL_NAMES or name.lower().endswith(".json"):
        return name
    from snellen.errors import did_you_mean

    raise click.BadParameter(
        f'expected one of {", ".join(PROTOCOL_NAMES)}, or FILE.json; got "{name}".'
        f"{did_you_mean(name, PROTOCOL_NAMES)}"
    )


class DetectionRules(NamedTuple):
    """What a command's options say of the evaluation."""

    protocol: str | None
    similarity: str | None
    max_detections: int | list[int] | None

    def compared(self) -> str | None:
        """Return what is compared, as ``--similarity`` says it, else the rules; None: neither."""
        if self.similarity is not None or self.protocol is None:
            return self.similarity
        if self.protocol in OF_KEYPOINTS:
            return "keypoints"
        if not self.protocol.lower().endswith(".json"):
            return None
        from snellen.readers.detection_protocol import read_detection_protocol

        wanted = read_detection_protocol(self.protocol).similarity
        return None if wanted == "own" else wanted

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
        self, opened: OpenedFiles, check: Callable[[AveragePrecision], None] = lambda _: None
    ) -> tuple[AveragePrecision, Objects, Objects]:
        """Return the metric, truth and predictions of files; `check` may refuse the metric."""
        metric = self.metric(opened.kind)
        check(metric)
        truth, pred = opened.columns(metric.protocol)
        # That files hold poses may be known only now.
        if truth.kind == "keypoints" and not opened.kind and self.protocol is None:
            metric = self.metric(truth.kind)
            check(metric)
        return metric, truth, pred


def detection_rule_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of `DetectionRules`, and hand it one as `rules`."""

    @click.option(
        "--protocol",
        callback=_protocol,
        metavar="NAME|FILE.json",
        help=f"The rules: {', '.join(PROTOCOL_NAMES)}, or those of a file (see snellen protocol). "
        "coco-strict is pycocotools to the last bit; coco also matches annotation id 0, and takes "
        "other caps, empty results and records without area or iscrowd. [default: coco; of "
        "keypoints coco-keypoints]",
    )
    @similarity_option
    @click.option(
        "--max-detections",
        callback=_caps,
        metavar="N[,N…]",
        help="Caps on the detections of a class in an image; a single N stands for 1,10,N. "
        "[default: 1,10,100]",
    )
    @functools.wraps(command)
    def with_rules(
        protocol: str | None,
        similarity: str | None,
        max_detections: int | list[int] | None,
        **arguments: Any,
    ) -> None:
        command(rules=DetectionRules(protocol, similarity, max_detections), **arguments)

    return with_rules
