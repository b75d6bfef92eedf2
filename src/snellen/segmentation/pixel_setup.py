"""What a metric of pixels was made with: classes, what raw values mean, rules."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.classes import Classes
from snellen.errors import InputError
from snellen.segmentation.array_labels import encoding_of_arrays, void_of
from snellen.segmentation.label_scheme import VOID, Encoding, scheme_of
from snellen.segmentation.pixel_numbers import Groups
from snellen.segmentation.protocols import SegmentationProtocol, segmentation_protocol_named

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

__all__ = ["MOST_CLASSES", "PixelSetup"]

# A cell, true class × (K + 1) + predicted class, is a number of 32 bits.
MOST_CLASSES: Final = 46_339
# What makes an encoding of ids, beside its name.
_ENCODING: Final = ("values", "codes", "ignored")


@dataclasses.dataclass(frozen=True, eq=False)
class PixelSetup:
    """The parameters of `Segmentation`, which describes them.

    Parameters
    ----------
    classes : Classes
        K classes.
    truth, pred : Encoding
        What the values of arrays mean, on either side.
    groups : Groups or None
    average_size : ndarray, shape (K,), or None
        The published average size of an instance of each class.
    protocol : SegmentationProtocol
    unknown : {"error", "ignore"}
    per_image : bool
    notes : tuple of str
        What a reader of the numbers has to know.

    Raises
    ------
    InputError
        For parameters that don't go together.
    """

    classes: Classes
    truth: Encoding
    pred: Encoding
    groups: Groups | None
    average_size: NDArray[np.float64] | None
    protocol: SegmentationProtocol
    unknown: str
    per_image: bool
    notes: tuple[str, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.classes) <= MOST_CLASSES:
            raise InputError(
                f"expected 1 to {MOST_CLASSES:,} classes, got {len(self.classes):,}", "classes"
            )
        if self.unknown not in ("error", "ignore"):
            raise InputError(f'expected "error" or "ignore", got {self.unknown!r}', "unknown")
        if self.protocol.needs_images and not self.per_image:
            raise InputError(
                f'expected images kept apart under the protocol "{self.protocol.name}", '
                "got per_image=False"
            )

    @classmethod
    def of(
        cls,
        classes: Any,
        *,
        ignore_index: int | Iterable[int] | str | None,
        reduce_zero_label: bool,
        protocol: str | SegmentationProtocol,
        unknown: str,
        per_image: bool,
    ) -> PixelSetup:
        """Return the setup that the arguments of `Segmentation` mean."""
        scheme = scheme_of(classes)
        scheme = scheme.with_ignored(*void_of(scheme, ignore_index))
        if reduce_zero_label:
            scheme = scheme.with_zero_void()
        return cls(
            classes=scheme.classes,
            truth=encoding_of_arrays(scheme, "truth"),
            pred=encoding_of_arrays(scheme, "pred"),
            groups=Groups.of(scheme.groups) if scheme.groups else None,
            average_size=scheme.average_instance_size,
            protocol=segmentation_protocol_named(protocol),
            unknown=unknown,
            per_image=per_image,
            notes=scheme.notes,
        )

    def ignored_classes(self) -> list[str]:
        """Return the names of classes whose truth does not count."""
        codes = self.truth.codes_of(self.truth.ignored, pred=True)
        names = self.classes.display_names()
        return [names[code] for code in sorted(codes[codes != VOID].tolist())]

    def parameters(self) -> dict[str, Any]:
        """Return what metrics must have in common to be merged, as plain values."""
        sizes = self.average_size
        return {
            "classes": [self.classes.keys.ids.tolist(), list(self.classes.names)],
            "ignored_classes": self.ignored_classes(),
            "protocol": self.protocol.to_dict(),
            "unknown": self.unknown,
            "per_image": self.per_image,
            "groups": None if self.groups is None else [list(each) for each in self.groups],
            "average_size": None
            if sizes is None
            else [None if math.isnan(each) else each for each in sizes.tolist()],
        }

    def store(self, content: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> None:
        """Put the setup into a state."""
        content["parameters"] = self.parameters()
        content["scheme_notes"] = list(self.notes)
        content["encodings"] = {side: getattr(self, side).name for side in ("truth", "pred")}
        for side in ("truth", "pred"):
            for name in _ENCODING:
                arrays[f"{side}.{name}"] = getattr(getattr(self, side), name)

    @classmethod
    def stored(cls, content: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> PixelSetup:
        """Return what `store` put into a state.

        Raises
        ------
        KeyError, TypeError, ValueError
            Where it is not whole.
        """
        parameters = content["parameters"]

        def encoding(side: str) -> Encoding:
            values, codes, ignored = (arrays[f"{side}.{name}"] for name in _ENCODING)
            return Encoding(content["encodings"][side], values, codes, ignored=ignored)

        groups, sizes = parameters["groups"], parameters["average_size"]
        return cls(
            classes=Classes(*parameters["classes"]),
            truth=encoding("truth"),
            pred=encoding("pred"),
            groups=None if groups is None else Groups(tuple(groups[0]), tuple(groups[1])),
            average_size=None
            if sizes is None
            else np.array([math.nan if each is None else each for each in sizes]),
            protocol=SegmentationProtocol.from_dict(parameters["protocol"]),
            unknown=parameters["unknown"],
            per_image=parameters["per_image"],
            notes=tuple(content["scheme_notes"]),
        )
