"""Which output of a network stands for which class of the data."""

from __future__ import annotations

import dataclasses
import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from snellen.benchmark.imagenet import (
    IMAGENET_IDS,
    folded,
    imagenet_index,
    imagenet_names,
    is_imagenet_in_order,
)
from snellen.errors import ClassError
from snellen.readers.class_list import whole_numbers
from snellen.readers.message_text import few

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray

__all__ = ["ClassPlaces", "placed"]

_N_IMAGENET = len(IMAGENET_IDS)
_DIGITS = {
    word: k
    for k, word in enumerate(
        ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
    )
}
_KIT = list(range(1, _N_IMAGENET + 1))  # how the development kit of ImageNet counts
_MOST_DIGITS = 6  # what has more is an id, of WordNet or others


@dataclasses.dataclass(frozen=True, eq=False)
class ClassPlaces:
    """What the outputs of a network stand for.

    Attributes
    ----------
    classes : tuple of str
        The data's classes in their order, then those that only the network knows; unique.
    places : ndarray of int64, shape (n_outputs,)
        The place in `classes` of each output.
    rule : str
        How they were matched, in words.
    assumed : bool
        Whether nothing but numbers says so: no names agree.
    """

    classes: tuple[str, ...]
    places: NDArray[np.int64]
    rule: str
    assumed: bool = False


class _Rule(NamedTuple):
    """One way to match: the output of each class of the data, None where there is none."""

    text: str
    outputs: list[int | None]
    assumed: bool = False
    warning: str = ""

    @property
    def n_matched(self) -> int:
        return sum(each is not None for each in self.outputs)

    @property
    def fits(self) -> bool:
        return len(set(self.outputs)) == len(self.outputs) and None not in self.outputs


def placed(
    data_classes: Sequence[str],
    model_classes: Sequence[str] | None,
    n_outputs: int,
    place: str,
) -> ClassPlaces:
    """Return which class each output of a network stands for.

    Of these rules the first that fits all classes of the data is taken: equal names; names in any
    case, with ``_``, ``-`` and ``/`` as blanks; ImageNet's classes by WordNet id, word, or their
    usual order; numbers, by those in the names of outputs, else as indices of outputs; position,
    where the network names nothing.

    Parameters
    ----------
    data_classes : sequence of str
        The data's classes, unique.
    model_classes : sequence of str, optional
        The name of each output, where the network knows them.
    n_outputs : int
        How many outputs it has.
    place : str
        What errors call it.

    Raises
    ------
    ClassError
        Where no rule fits.
    """
    if model_classes is not None and len(model_classes) != n_outputs:
        raise ClassError(
            f"expected a name for each of {n_outputs:,} outputs, got {len(model_classes):,}", place
        )
    best: _Rule | None = None
    names = model_classes
    if names is not None and list(names) == [str(k) for k in range(n_outputs)]:
        names = None  # numbers name nothing
    for rule in _rules(data_classes, model_classes, names, n_outputs):
        if rule.fits:
            return _by(rule, data_classes, names, n_outputs)
        if best is None or rule.n_matched > best.n_matched:
            best = rule
    raise _refusal(data_classes, model_classes, n_outputs, best, place)


def _rules(
    data: Sequence[str],
    written: Sequence[str] | None,
    model: Sequence[str] | None,
    n_outputs: int,
) -> Iterator[_Rule]:
    """Yield rules in their order; `model` are names that are more than numbers."""
    numbers = whole_numbers(data)
    # Some of ImageNet's outputs: nothing says that it is them that these numbers count.
    is_unsaid = (
        numbers is not None
        and model is None
        and n_outputs in (_N_IMAGENET, _N_IMAGENET + 1)
        and len(data) != n_outputs
    )
    if written is not None and not is_unsaid:
        yield _Rule("equal names", _by_key(data, written, str))
    if model is not None:
        yield _Rule(
            "names, in any case and with _, - and / as blanks", _by_key(data, model, folded)
        )
    known = _imagenet_outputs(model, n_outputs)
    if known is not None:
        text, indices = known
        output = {index: k for k, index in enumerate(indices) if index is not None}
        wanted = [imagenet_index(name) for name in data]
        yield _Rule(
            text,
            [None if index is None else output.get(index) for index in wanted],
            assumed=model is None,
        )
    there = None if model is None or numbers is None else _numbers_in(model)
    if numbers is not None and there is not None:
        place = {number: k for k, number in enumerate(there)}
        yield _Rule("the numbers in the names of outputs", [place.get(each) for each in numbers])
    elif numbers is not None and not is_unsaid and (model is None or len(data) == n_outputs):
        yield _Rule(
            "the numbers that the data's classes are called, as indices of outputs",
            [each if 0 <= each < n_outputs else None for each in numbers],
            assumed=True,
            warning=_other_order(data),
        )
    if model is None and len(data) == n_outputs and numbers != _KIT:
        yield _Rule(
            "position, because the network does not name its outputs: they are taken in the order "
            "of the data's classes",
            list(range(n_outputs)),
            assumed=True,
            warning="" if numbers is None else _other_order(data),
        )


def _numbers_in(names: Sequence[str]) -> list[int] | None:
    """Return the number that each name holds, in digits or as a word; None unless each has its own.

    Examples
    --------
    >>> _numbers_in(["digit 1", "Digit_0"]), _numbers_in(["two", "one"]), _numbers_in(["2", "two"])
    ([1, 0], [2, 1], None)
    """
    found = []
    for name in names:
        numbers = re.findall(r"[0-9]+", name)
        numbers += [str(_DIGITS[word]) for word in folded(name).split() if word in _DIGITS]
        if len(numbers) != 1 or len(numbers[0]) > _MOST_DIGITS:
            return None
        found.append(int(numbers[0]))
    return found if len(set(found)) == len(found) else None


def _other_order(numbers: Sequence[str]) -> str:
    """Return the warning that other programs number such folders otherwise, where they do."""
    texts = sorted(numbers)
    if texts == list(numbers):
        return ""
    return f" (by value; a network trained on folders sorted as texts counts {few(texts, 4)})"


def _by_key(
    data: Sequence[str], model: Sequence[str], key: Callable[[str], str]
) -> list[int | None]:
    """Return the output of the same name; a name of two outputs, or two classes, is none."""
    wanted, there = [key(name) for name in data], [key(name) for name in model]
    often, asked = Counter(there), Counter(wanted)
    output = {name: k for k, name in enumerate(there) if often[name] == 1}
    return [output.get(name) if asked[name] == 1 else None for name in wanted]


def _imagenet_outputs(
    model: Sequence[str] | None, n_outputs: int
) -> tuple[str, list[int | None]] | None:
    """Return which of ImageNet's classes each output is, and how that is known."""
    in_order: list[int | None] = list(range(_N_IMAGENET))
    if model is None:
        if n_outputs == _N_IMAGENET:
            return "ImageNet's classes in their usual order", in_order
        if n_outputs == _N_IMAGENET + 1:
            return "ImageNet's classes in their usual order, behind a background", [None, *in_order]
        return None
    if is_imagenet_in_order(model):
        return "ImageNet's classes in their usual order, which the names are in", in_order
    if is_imagenet_in_order(model[1:]):
        return (
            "ImageNet's classes in their usual order, which the names are in, behind a background",
            [None, *in_order],
        )
    found = [imagenet_index(name) for name in model]
    twice = {index for index, often in Counter(found).items() if often > 1}
    return "ImageNet's classes, by WordNet id or word", [
        None if index in twice else index for index in found
    ]


def _by(
    rule: _Rule, data: Sequence[str], model: Sequence[str] | None, n_outputs: int
) -> ClassPlaces:
    places = np.full(n_outputs, -1, np.int64)
    places[np.array(rule.outputs, np.int64)] = np.arange(len(data))
    others = np.flatnonzero(places < 0)
    names = _names_of_others(others.tolist(), model, n_outputs, set(data))
    places[others] = len(data) + np.arange(len(others))
    return ClassPlaces((*data, *names), places, f"{rule.text}{rule.warning}", rule.assumed)


def _names_of_others(
    outputs: Sequence[int], model: Sequence[str] | None, n_outputs: int, taken: set[str]
) -> list[str]:
    """Return names, which are unique, of outputs that are no class of the data."""
    known = _imagenet_outputs(model, n_outputs)
    names = []
    for k in outputs:
        index = None if known is None else known[1][k]
        if index is not None and n_outputs >= _N_IMAGENET:
            name = imagenet_names()[index]
        elif model is not None:
            name = model[k]
        else:
            name = "background" if known is not None else f"output {k}"
        if name in taken:
            name = f"{name} (output {k})"
        taken.add(name)
        names.append(name)
    return names


def _refusal(
    data: Sequence[str],
    model: Sequence[str] | None,
    n_outputs: int,
    best: _Rule | None,
    place: str,
) -> ClassError:
    n = len(data)
    hint = ""
    if n_outputs == _N_IMAGENET + 1:
        hint = " (1,001 outputs are as a rule ImageNet's classes behind a background)"
    elif n_outputs == _N_IMAGENET:
        hint = " (1,000 outputs are as a rule ImageNet's classes)"
    numbers = whole_numbers(data)
    if numbers == _KIT:
        hint += " (1 to 1000 are as a rule its development kit's numbers, in an order of their own)"
    remedy = (
        ""
        if numbers is None
        else ", or say what the data's numbers mean (classes: a file of names, or imagenet)"
    )
    if best is None or best.n_matched == 0:
        names = "" if model is None else f", called {few(model, 3)}"
        wanted = f"expected {n:,} outputs, one for each class of the data ({few(data, 3)})"
        return ClassError(
            f"{wanted}, got {n_outputs:,}{names}{hint}: take a network for these classes, or give "
            f"the names of its outputs in their order (MODEL,classes=FILE){remedy}",
            place,
        )
    without = [name for name, output in zip(data, best.outputs, strict=True) if output is None]
    if not without:  # two classes of the data are one output
        without = [
            name
            for name, output in zip(data, best.outputs, strict=True)
            if best.outputs.count(output) > 1
        ]
    return ClassError(
        f"expected an output for each of the data's {n:,} classes, got one of {n_outputs:,} for "
        f"{n - len(without):,} by {best.text}, and none for {len(without):,} "
        f"({few(without)}){hint}: name classes and outputs alike, or take a network for these "
        "classes",
        place,
    )
