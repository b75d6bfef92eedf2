"""The rules under which the IoUs of classes and images become one number, as data."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

from snellen.errors import InputError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PROTOCOLS", "SegmentationProtocol", "segmentation_protocol_named"]

_OVER: Final = {
    "dataset": "mean over classes",
    "pairs": "mean over pairs of an image and a class",
    "images": "mean over images of the mean over classes",
    "classes": "mean over classes of the mean over images",
}
_PRESENT: Final = {"either": "on neither side", "truth": "not in truth"}
_ABSENT: Final = {"drop": "left out", "zero": "0", "one": "1"}
_NO_CLASS: Final = ("wrong", "dropped")


@dataclasses.dataclass(frozen=True)
class SegmentationProtocol:
    """How mean IoU, and every other mean over classes, is taken.

    Parameters
    ----------
    name : str
        What the rules are called.
    over : {"dataset", "pairs", "images", "classes"}
        What is averaged: classes, with the pixels of all images counted together; pairs of an image
        and a class; images, of which each is the mean over its classes; classes, of which each is
        the mean over its images.
    present : {"either", "truth"}
        Which classes are there: those of truth or prediction, or those of truth.
    absent : {"drop", "zero", "one"}
        What a class that is not there counts as.
    no_class : {"wrong", "dropped"}
        What becomes of pixels with truth that are predicted as no class (as void): they are
        missed, or they are not counted on either side.
    in_turn : bool
        Whether numbers are added one after the other, not by pairwise summation: it shows in the
        last bit.
    used_by : str
        Who computes it so.

    Raises
    ------
    InputError
        For other words.
    """

    name: str
    over: str = "dataset"
    present: str = "either"
    absent: str = "drop"
    no_class: str = "wrong"
    in_turn: bool = False
    used_by: str = ""

    def __post_init__(self) -> None:
        for field, words in (
            ("over", _OVER),
            ("present", _PRESENT),
            ("absent", _ABSENT),
            ("no_class", _NO_CLASS),
        ):
            value = getattr(self, field)
            if value not in words:
                raise InputError(f"expected one of {', '.join(words)}, got {value!r}", field)

    @property
    def rule(self) -> str:
        """The rule in words."""
        parts = [_OVER[self.over], f"{_PRESENT[self.present]}: {_ABSENT[self.absent]}"]
        if self.no_class == "dropped":
            parts.append("predicted as no class: left out")
        return "; ".join(parts)

    @property
    def needs_images(self) -> bool:
        """Whether single images must be known."""
        return self.over != "dataset"

    def to_dict(self) -> dict[str, Any]:
        """Return the rules as plain values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> SegmentationProtocol:
        """Return the rules that `to_dict` wrote."""
        return cls(**values)


PROTOCOLS: Final[Mapping[str, SegmentationProtocol]] = {
    each.name: each
    for each in (
        SegmentationProtocol("snellen"),
        SegmentationProtocol("cityscapes", in_turn=True, used_by="cityscapesScripts"),
        SegmentationProtocol("mmseg", used_by="MMSegmentation, which rounds to 0.01 %"),
        SegmentationProtocol(
            "torchmetrics-jaccard", used_by='JaccardIndex(average="macro") of torchmetrics'
        ),
        SegmentationProtocol("keras", no_class="dropped", used_by="MeanIoU of Keras"),
        SegmentationProtocol(
            "sklearn", absent="zero", used_by="jaccard_score of scikit-learn with labels"
        ),
        SegmentationProtocol(
            "smp", absent="one", used_by="segmentation-models-pytorch, reduction macro"
        ),
        SegmentationProtocol("truth-classes", present="truth", used_by="scripts of many papers"),
        SegmentationProtocol(
            "torchmetrics", over="pairs", used_by="segmentation.MeanIoU of torchmetrics"
        ),
        SegmentationProtocol(
            "smp-imagewise",
            over="pairs",
            absent="one",
            used_by="segmentation-models-pytorch, reduction macro-imagewise",
        ),
        SegmentationProtocol(
            "monai", over="images", present="truth", used_by="MeanIoU of MONAI; mIoU-I"
        ),
        SegmentationProtocol(
            "monai-batch",
            over="classes",
            present="truth",
            used_by="MeanIoU of MONAI, reduction mean_batch, then its mean; mIoU-C",
        ),
    )
}
"""All named rules."""


def segmentation_protocol_named(name: str | SegmentationProtocol) -> SegmentationProtocol:
    """Return the rules of a name; rules are returned as they are.

    Raises
    ------
    InputError
        For a name that is none.
    """
    if isinstance(name, SegmentationProtocol):
        return name
    if name in PROTOCOLS:
        return PROTOCOLS[name]
    raise InputError(
        f"expected a protocol of {', '.join(PROTOCOLS)}, got {name!r}."
        f"{did_you_mean(str(name), PROTOCOLS)}",
        "protocol",
    )
