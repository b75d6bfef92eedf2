"""What raw pixel values mean: classes, and the ways in which files write them.

Pixels are decoded to raw values, pairs of values are counted, and only then values become classes.
So class lists, void, `ignore_index`, `reduce_zero_label` and colours cost nothing a pixel, and a
value that no list knows is seen.

The built-in schemes lie beside this file, in ``schemes/``; names, ids and colours are those of

* ``cityscapes``: M. Cordts et al., The Cityscapes Dataset for Semantic Urban Scene Understanding,
  CVPR 2016, as in cityscapesScripts;
* ``voc``: M. Everingham et al., The PASCAL Visual Object Classes (VOC) Challenge, IJCV 2010;
* ``ade20k``: B. Zhou et al., Scene Parsing through ADE20K Dataset, CVPR 2017;
* ``camvid-32``: G. J. Brostow, J. Fauqueur and R. Cipolla, Semantic object classes in video,
  Pattern Recognition Letters 2009; ``camvid``: the 11 groups of them that V. Badrinarayanan,
  A. Kendall and R. Cipolla use, SegNet, PAMI 2017;
* ``coco-stuff``: H. Caesar, J. Uijlings and V. Ferrari, COCO-Stuff: Thing and Stuff Classes in
  Context, CVPR 2018.
"""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.classes import Classes
from snellen.errors import ClassError, InputError, did_you_mean

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from snellen.segmentation.value_pairs import ValuePairs

__all__ = [
    "MOST_CLASSES",
    "SCHEMES",
    "STRAY",
    "VOID",
    "Encoding",
    "LabelScheme",
    "colour_value",
    "scheme_of",
]

MOST_CLASSES: Final = 2**16 - 1
"""How many classes a list may have: their codes are numbers of 16 bits, and one is for void."""

VOID: Final = -1
"""The code of what is no class: ignored in truth, "other" in predictions."""

STRAY: Final = -2
"""The code of a value that the encoding does not know."""

SCHEMES: Final = ("ade20k", "camvid", "camvid-32", "cityscapes", "coco-stuff", "voc")
"""The names of the built-in schemes."""

_BOTH: Final = ("truth", "pred")


def colour_value(red: int, green: int, blue: int) -> int:
    """Return the raw value of a colour: R + 256 G + 65536 B, as in COCO panoptic.

    Examples
    --------
    >>> colour_value(128, 64, 128)
    8405120
    """
    return red + 256 * green + 65536 * blue


def _none() -> NDArray[np.int64]:
    return np.zeros(0, np.int64)


@dataclasses.dataclass(frozen=True, eq=False)
class Encoding:
    """One way in which files write classes.

    Parameters
    ----------
    name : str
        What it is called: ``"labelIds"``.
    values : ndarray, shape (V,), int64
        The raw values that it knows, ascending; of colours R + 256 G + 65536 B.
    codes : ndarray, shape (V,), int32
        The position of each value's class in the scheme's classes, or `VOID`.
    is_colour : bool
        Whether values are colours.
    ignored : ndarray of int64
        Values of classes that are void in truth alone (`LabelScheme.with_ignored`).
    per_instance : int
        Where it is N > 0, a value ≥ N is N × id + number of the instance.
    instance_ids : ndarray of int64
        The ids that may be written so.
    hints : tuple of str
        Parts of file names that say that files are written so.
    sides : tuple of str
        ``"truth"``, ``"pred"`` or both: who may write so.

    Raises
    ------
    ClassError
        For values that do not ascend, or as many codes as there are not values.
    """

    name: str
    values: NDArray[np.int64]
    codes: NDArray[np.int32]
    is_colour: bool = False
    ignored: NDArray[np.int64] = dataclasses.field(default_factory=_none)
    per_instance: int = 0
    instance_ids: NDArray[np.int64] = dataclasses.field(default_factory=_none)
    hints: tuple[str, ...] = ()
    sides: tuple[str, ...] = _BOTH

    def __post_init__(self) -> None:
        for name, kind in (("values", np.int64), ("codes", np.int32)):
            array = np.array(getattr(self, name), kind)
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        if self.values.shape != self.codes.shape or self.values.ndim != 1:
            raise ClassError(
                f"expected a code for each value, got {self.codes.size} for {self.values.size}",
                self.name,
            )
        if (self.values[1:] <= self.values[:-1]).any():
            raise ClassError("expected values that ascend", self.name)

    @classmethod
    def of(cls, name: str, meaning: Mapping[int, int], **others: Any) -> Encoding:
        """Return an encoding from a mapping of value to code."""
        values = sorted(meaning)
        codes = [meaning[value] for value in values]
        return cls(name, np.array(values, np.int64), np.array(codes, np.int32), **others)

    def meaning(self) -> dict[int, int]:
        """Return the mapping of value to code."""
        return dict(zip(self.values.tolist(), self.codes.tolist(), strict=True))

    def codes_of(self, values: ArrayLike, *, pred: bool = False) -> NDArray[np.int32]:
        """Return the code of each value: a class's position, `VOID`, or `STRAY`.

        Parameters
        ----------
        values : array-like of int
            Raw values, any shape.
        pred : bool
            Whether they are predicted: then classes that truth ignores are classes.

        Returns
        -------
        ndarray of int32, same shape
        """
        wanted = np.asarray(values).astype(np.int64, copy=False)
        codes = np.full(wanted.shape, STRAY, np.int32)
        if len(self.values):
            at = np.minimum(np.searchsorted(self.values, wanted), len(self.values) - 1)
            np.copyto(codes, self.codes[at], where=self.values[at] == wanted)
        if self.per_instance:
            counted = (wanted >= self.per_instance) & np.isin(
                wanted // self.per_instance, self.instance_ids
            )
            one = dataclasses.replace(self, per_instance=0)
            codes[counted] = one.codes_of(wanted[counted] // self.per_instance, pred=pred)
        if not pred and len(self.ignored):
            codes[np.isin(wanted, self.ignored)] = VOID
        return codes

    def described(self) -> str:
        """Return which values it knows, as readable text: of void, only what images can hold.

        Examples
        --------
        >>> Encoding.of("ids", {0: 0, 1: 1, 2: 2, 255: VOID}).described()
        '0 to 2, 255'
        """
        if self.is_colour:
            return f"{len(self.values)} colours"
        values = self.values[(self.values >= 0) | (self.codes >= 0)]
        starts = np.flatnonzero(np.diff(values, prepend=values[:1] - 2) != 1)
        ends = np.append(starts[1:], len(values)) - 1
        runs = [
            f"{first} to {last}" if last > first else f"{first}"
            for first, last in zip(values[starts].tolist(), values[ends].tolist(), strict=True)
        ]
        more = f", {self.per_instance} × id + number" if self.per_instance else ""
        return ", ".join(runs if len(runs) < 7 else [*runs[:3], "…", *runs[-2:]]) + more


@dataclasses.dataclass(frozen=True, eq=False)
class LabelScheme:
    """Classes, and the encodings in which files write them.

    Parameters
    ----------
    name : str
        What it is called: ``"cityscapes"``, or a file's name.
    classes : Classes
        The classes that are evaluated; codes are positions in them.
    encodings : tuple of Encoding
        The first of those that fit values equally well is the one of truth.
    colours : ndarray, shape (K, 3), uint8, or None
        The colour of each class, for pictures.
    groups : tuple of str
        The group (category) of each class; empty where there are none.
    has_instances : ndarray, shape (K,), bool
        Whether a class is of things that can be counted.
    average_instance_size : ndarray, shape (K,), float64, or None
        How many pixels an instance of each class has on average, as published for iIoU; NaN for
        classes without instances. None where nobody has published it.
    notes : tuple of str
        What a reader of the numbers has to know.
    """

    name: str
    classes: Classes
    encodings: tuple[Encoding, ...]
    colours: NDArray[np.uint8] | None = None
    groups: tuple[str, ...] = ()
    has_instances: NDArray[np.bool_] = dataclasses.field(
        default_factory=lambda: np.zeros(0, np.bool_)
    )
    average_instance_size: NDArray[np.float64] | None = None
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not len(self.has_instances):
            object.__setattr__(self, "has_instances", np.zeros(len(self.classes), np.bool_))
        for n, what in (
            (len(self.has_instances), "has_instances"),
            (len(self.classes) if self.colours is None else len(self.colours), "colours"),
            (len(self.groups) or len(self.classes), "groups"),
        ):
            if n != len(self.classes):
                raise ClassError(f"expected {len(self.classes)} values, one a class, got {n}", what)

    @classmethod
    def of_classes(cls, classes: Classes, *, name: str = "ids") -> LabelScheme:
        """Return the scheme of classes whose ids are written as they are."""
        if classes.keys.is_text:
            raise ClassError(
                f"expected class ids that pixels can hold, got texts such as {classes.keys.ids[0]}"
            )
        meaning = {value: code for code, value in enumerate(classes.keys.ids.tolist())}
        return cls(name, classes, (Encoding.of("ids", meaning),))

    def __len__(self) -> int:
        return len(self.classes)

    def __repr__(self) -> str:
        ways = ", ".join(each.name for each in self.encodings)
        return f"LabelScheme({self.name}: {len(self)} classes; {ways})"

    def encoding(self, name: str) -> Encoding:
        """Return an encoding by its name.

        Raises
        ------
        InputError
            For an unknown name.
        """
        known = {each.name: each for each in self.encodings}
        if name not in known:
            raise InputError(
                f'expected an encoding of {self.name} ({", ".join(known)}), got "{name}".'
                f"{did_you_mean(name, known)}",
                "encoding",
            )
        return known[name]

    def recognise(
        self,
        values: ArrayLike,
        counts: ArrayLike,
        kind: str,
        names: Iterable[str] = (),
        *,
        side: str = "truth",
        truth: Encoding | None = None,
        pairs: ValuePairs | None = None,
    ) -> tuple[Encoding, str]:
        """Return the encoding that pixels are written in, and why it is this one.

        See `snellen.segmentation.recognition.recognise`, which does it.
        """
        from snellen.segmentation.recognition import recognise

        return recognise(self, values, counts, kind, names, side=side, truth=truth, pairs=pairs)

    def with_ignored(self, *values: int) -> LabelScheme:
        """Return the scheme with values that are void in every encoding of ids.

        A value of no class is void on both sides. A value of a class stays a class of the list, and
        of predictions; only pixels whose truth it is are left out. What is predicted there is then
        neither right nor wrong, so false positives on that class's pixels are not seen.
        """
        encodings, notes = [], list(self.notes)
        for each in self.encodings:
            if each.is_colour:
                encodings.append(each)
                continue
            meaning = each.meaning()
            classes = [value for value in values if meaning.get(value, VOID) >= 0]
            for value in values:
                meaning.setdefault(value, VOID)
            encodings.append(
                Encoding.of(
                    each.name,
                    meaning,
                    ignored=np.array(sorted({*each.ignored.tolist(), *classes}), np.int64),
                    **_kept(each),
                )
            )
            shown = self.classes.display_names()
            notes += [
                f"pixels whose truth is {shown[meaning[value]]} ({each.name} {value}) are ignored: "
                "false positives on them are not seen, so what remains is closer to recall"
                for value in classes
            ]
        return dataclasses.replace(self, encodings=tuple(encodings), notes=tuple(notes))

    def with_zero_void(self) -> LabelScheme:
        """Return the scheme for truth in which 0 is void and v stands for what v − 1 stood for.

        As mmsegmentation's ``reduce_zero_label``: 255 stays void, and predictions may be written
        either way, without the step where values fit both.
        """
        encodings: list[Encoding] = []
        ids = [each for each in self.encodings if not each.is_colour and not each.per_instance]
        stepped = {each.name: _with_zero_void(each) for each in ids}
        # raw of ADE20K is reduced with the step: then it has this name, and reduced goes.
        twins: dict[str, str] = {}
        for each in ids:
            for other in ids:
                if other is not each and stepped[each.name].items() >= other.meaning().items():
                    twins[other.name] = each.name
        for each in ids:
            if each.name in twins:
                continue
            twin = next((name for name, of in twins.items() if of == each.name), "")
            name = twin or f"{each.name} from 1"
            ignored = np.array([v + 1 for v in each.ignored.tolist()], np.int64)
            encodings.append(Encoding.of(name, stepped[each.name], ignored=ignored))
            encodings.append(dataclasses.replace(each, sides=("pred",)))
        encodings += [each for each in self.encodings if each.is_colour]
        note = "0 is void in truth, and each id one more than its class (reduce_zero_label)"
        return dataclasses.replace(self, encodings=tuple(encodings), notes=(*self.notes, note))


def _kept(encoding: Encoding) -> dict[str, Any]:
    """Return what stays of an encoding whose values change."""
    return {
        "is_colour": encoding.is_colour,
        "per_instance": encoding.per_instance,
        "instance_ids": encoding.instance_ids,
        "hints": encoding.hints,
        "sides": encoding.sides,
    }


def _with_zero_void(encoding: Encoding) -> dict[int, int]:
    """Return what values mean with 0 void and the others one higher."""
    meaning = {v + 1: code for v, code in encoding.meaning().items() if v >= 0}
    return {**meaning, 0: VOID, 255: VOID}


def scheme_of(
    source: LabelScheme | Classes | str | int | Mapping[int, str] | Sequence[str],
    *,
    ignore_index: int | Iterable[int] | None = None,
    reduce_zero_label: bool = False,
) -> LabelScheme:
    """Return a label scheme by its name, or of classes.

    Files are read by `snellen.readers.label_scheme_file.read_label_scheme`.

    Parameters
    ----------
    source : str, int, sequence of str, mapping, Classes or LabelScheme
        The name of a built-in scheme (`SCHEMES`); a number of classes without names; names (ids are
        0, 1, 2, …); a mapping of id to name; or a scheme.
    ignore_index : int or ints, optional
        Values whose pixels are left out by truth (`LabelScheme.with_ignored`). With
        `reduce_zero_label` they are values after the step, as in mmsegmentation.
    reduce_zero_label : bool
        Whether 0 is void in truth and other ids are one too high (`LabelScheme.with_zero_void`).

    Raises
    ------
    InputError
        For an unknown name.
    ClassError
        For classes that make no list.

    Examples
    --------
    >>> scheme = scheme_of("cityscapes")
    >>> scheme
    LabelScheme(cityscapes: 19 classes; trainIds, labelIds, instanceIds, colours)
    >>> scheme.encoding("labelIds").codes_of([7, 0, 33, 77]).tolist()
    [0, -1, 18, -2]
    """
    scheme = _scheme_of(source)
    if ignore_index is not None:
        given = ignore_index if isinstance(ignore_index, Iterable) else (ignore_index,)
        scheme = scheme.with_ignored(*(_index_of(value) for value in given))
    return scheme.with_zero_void() if reduce_zero_label else scheme


def _index_of(value: Any) -> int:
    """Return a value that pixels can have.

    Raises
    ------
    InputError
        For what is no whole number, or none of 64 bits.
    """
    index = _whole(value)
    if index is None:
        raise InputError(f"expected whole numbers, got {value!r}", "ignore_index")
    if not -(2**63) <= index < 2**63 - 1:  # one more with the step of reduce_zero_label
        raise InputError(f"expected a value that pixels can have, got {index}", "ignore_index")
    return index


def _whole(value: Any) -> int | None:
    """Return a whole number, None for anything else: flags are none, though Python counts them."""
    if isinstance(value, bool):
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


def _scheme_of(source: Any) -> LabelScheme:
    if isinstance(source, LabelScheme):
        return source
    if isinstance(source, str):
        if source not in SCHEMES:
            raise InputError(
                f'expected a label scheme of {", ".join(SCHEMES)}, or a file, got "{source}".'
                f"{did_you_mean(source, SCHEMES)}",
                "classes",
            )
        from snellen.segmentation.scheme_description import built_in

        return built_in(source)
    if not isinstance(source, (Classes, Mapping, Sequence)):
        n = _whole(source)
        if n is None:
            raise InputError(
                f"expected classes: a name, a number, a list or a mapping, got {source!r}",
                "classes",
            )
        if n > MOST_CLASSES:
            raise InputError(f"expected at most {MOST_CLASSES:,} classes, got {n:,}", "classes")
        source = [""] * n
    classes = Classes.of(source)
    if not len(classes):
        raise ClassError("expected at least one class, got none", "classes")
    return LabelScheme.of_classes(classes)
