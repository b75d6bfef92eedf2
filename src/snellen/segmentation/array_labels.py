"""What the values of label arrays mean, for metrics that look at the shapes of classes."""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.classes import Classes
from snellen.errors import InputError, ShapeError
from snellen.segmentation.label_maps import LabelMaps, label_maps
from snellen.segmentation.label_scheme import VOID, Encoding, LabelScheme, scheme_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import ArrayLike

__all__ = [
    "AUTO",
    "USUAL_VOID",
    "ArrayLabels",
    "encoding_of_arrays",
    "ignored_values",
    "label_images",
    "usual_void",
    "void_of",
]

AUTO: Final = "auto"
"""What stands for the usual void value, unless that is a class."""

USUAL_VOID: Final = 255
# What makes an encoding of ids, beside its name.
_ENCODING: Final = ("values", "codes", "ignored")


@dataclasses.dataclass(frozen=True, eq=False)
class ArrayLabels:
    """Classes, and which values arrays have for them.

    Attributes
    ----------
    classes : Classes
        K classes.
    truth, pred : Encoding
        What the values of either side mean: a position in the classes, or `VOID`.
    is_complete : bool
        Whether these are all values there are: those of a data set that is known by its name.
    """

    classes: Classes
    truth: Encoding
    pred: Encoding
    is_complete: bool = False

    @classmethod
    def of(cls, classes: Any, ignore_index: Any = AUTO) -> ArrayLabels:
        """Return what arrays hold of classes that a user describes.

        Parameters
        ----------
        classes : int, str, LabelScheme, Classes, mapping of id to name, or sequence of names
            As for `snellen.segmentation.label_scheme.scheme_of`. Arrays of a scheme hold 0 … K - 1,
            as networks give them; others the ids of the classes.
        ignore_index : int, ints, None, or "auto"
            Values whose pixels truth leaves out; see `ignored_values`.

        Raises
        ------
        InputError, ClassError
            For what describes no classes.
        """
        scheme = scheme_of(classes)
        scheme = scheme.with_ignored(*void_of(scheme, ignore_index))
        return cls(
            scheme.classes,
            encoding_of_arrays(scheme, "truth"),
            encoding_of_arrays(scheme, "pred"),
            isinstance(classes, (str, LabelScheme)),
        )

    def side(self, name: str) -> Encoding:
        """Return what the values of ``"truth"`` or ``"pred"`` mean."""
        return self.truth if name == "truth" else self.pred

    def ignored(self) -> tuple[int, ...]:
        """Return the values whose pixels truth leaves out, ascending."""
        values = self.truth.values
        found: list[int] = values[self.truth.codes_of(values) == VOID].tolist()
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain values: equal ones mean the same."""
        return {
            "class_ids": self.classes.keys.ids.tolist(),
            "class_names": list(self.classes.names),
            "is_complete": self.is_complete,
            **{
                side: {name: getattr(self.side(side), name).tolist() for name in _ENCODING}
                for side in ("truth", "pred")
            },
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> ArrayLabels:
        """Return what `to_dict` described.

        Raises
        ------
        KeyError, TypeError, ValueError
            Where it is not whole.
        """

        def encoding(side: str) -> Encoding:
            values, codes, ignored = (content[side][name] for name in _ENCODING)
            if codes and not VOID <= min(codes) <= max(codes) < len(content["class_ids"]):
                raise ValueError(f"codes of no class in {side}")
            return Encoding(side, values, codes, ignored=np.array(ignored, np.int64))

        return cls(
            Classes(content["class_ids"], content["class_names"]),
            encoding("truth"),
            encoding("pred"),
            content["is_complete"],
        )


def label_images(truth: ArrayLike, pred: ArrayLike) -> LabelMaps:
    """Return both sides as maps of labels; refuse what looks like colours, and images of nothing.

    Raises
    ------
    ShapeError, InputError
        As `snellen.segmentation.label_maps.label_maps`.
    """
    try:
        maps = label_maps(truth, pred)
    except ShapeError as error:
        message, colours, _ = error.message.partition(", which look like colours")
        if not colours:
            raise
        raise ShapeError(
            f"{message}{colours}: take one channel of a mask, decode colours to ids, or, where "
            "maps are so narrow, give them as another type",
            error.place,
        ) from None
    if 0 in maps.truth.shape[1:]:
        raise ShapeError(f"expected images with pixels, got {tuple(maps.truth.shape)}", "truth")
    return maps


def void_of(scheme: LabelScheme, ignore_index: Any) -> tuple[int, ...]:
    """Return the values of an `ignore_index`; of ``"auto"`` the usual one, unless it is a class.

    Raises
    ------
    InputError
        As `ignored_values`.
    """
    ignored = ignored_values(ignore_index)
    if ignored is not None:
        return ignored
    ids = [each for each in scheme.encodings if not each.is_colour]
    return usual_void(is_class=any(each.codes_of(USUAL_VOID, pred=True) >= 0 for each in ids))


def usual_void(*, is_class: bool) -> tuple[int, ...]:
    """Return what ``"auto"`` stands for."""
    return () if is_class else (USUAL_VOID,)


def ignored_values(ignore_index: Any) -> tuple[int, ...] | None:
    """Return the values of an `ignore_index`, ascending; None for ``"auto"``.

    Parameters
    ----------
    ignore_index : int, ints, None, or "auto"
        None: no value.

    Raises
    ------
    InputError
        For what are no whole numbers of 64 bits.

    Examples
    --------
    >>> ignored_values([255, 254]), ignored_values(None)
    ((254, 255), ())
    """
    if ignore_index is None:
        return ()
    if isinstance(ignore_index, str) and ignore_index == AUTO:
        return None
    many = isinstance(ignore_index, Iterable) and not isinstance(ignore_index, str)
    if many and getattr(ignore_index, "ndim", 1) == 0:
        many = False
    found = []
    for each in ignore_index if many else (ignore_index,):
        try:
            # A flag is a whole number to Python, and hardly meant.
            value = None if isinstance(each, (bool, np.bool_)) else operator.index(each)
        except TypeError:
            value = None
        if value is None or not -(2**63) <= value < 2**63:
            raise InputError(
                f'expected whole numbers of 64 bits, None or "auto", got {ignore_index!r}',
                "ignore_index",
            )
        found.append(value)
    return tuple(sorted(set(found)))


def encoding_of_arrays(scheme: LabelScheme, side: str) -> Encoding:
    """Return the encoding that arrays come in: 0 … K - 1, as networks give them, if there is it."""
    ids = [
        each
        for each in scheme.encodings
        if not each.is_colour and not each.per_instance and side in each.sides
    ]
    if not ids:
        raise InputError(f"expected classes with ids, {scheme.name} has colours alone", "classes")
    natural = np.arange(len(scheme))
    fitting = (each for each in ids if (each.codes_of(natural, pred=True) == natural).all())
    return next(fitting, ids[0])
