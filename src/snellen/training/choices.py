"""A name and its options: ``"adam"``, or ``{name = "sgd", momentum = 0.9}``.

Layers, losses, optimizers, schedules and augmentations are all chosen so. What a name stands for is
an ordinary function in a table; the options that a description may give are its keyword-only
parameters, and their types its annotations. So there is no second list of options that could be
forgotten, and none that is accepted and ignored.
"""

from __future__ import annotations

import inspect
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar, get_type_hints

import msgspec

from snellen.errors import InputError, SchemaError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from typing_extensions import Self

__all__ = ["Choice", "made", "options_of", "picked"]

T = TypeVar("T")


class Choice(NamedTuple):
    """What a description chose: a name, its options, and where it says so.

    Attributes
    ----------
    name : str
        Such as ``"adam"``.
    options : mapping of str to object
        The options that were given, as plain values.
    place : str
        Where, for messages: ``"cnn.toml line 12 network[3]"``.
    """

    name: str
    options: Mapping[str, Any] = {}
    place: str = ""

    @classmethod
    def of(cls, value: Any, place: str = "") -> Self:
        """Return the choice that a plain value stands for.

        Parameters
        ----------
        value : str, mapping, or Choice
            A name, or a mapping with ``name`` (a layer may say ``kind``) and options.
        place : str
            Where it comes from.

        Raises
        ------
        SchemaError
            For anything else.
        """
        if isinstance(value, cls):
            return value
        if isinstance(value, str):
            return cls(value, {}, place)
        if isinstance(value, dict):
            options = dict(value)
            name = options.pop("name", None)
            if isinstance(name, str):
                return cls(name, options, place)
        raise SchemaError(
            f"expected a name, or a table with name and options, got {value!r}", place
        )

    def plain(self) -> str | dict[str, Any]:
        """Return it as a description writes it."""
        return {"name": self.name, **self.options} if self.options else self.name


def picked(choice: Choice, known: Mapping[str, T], what: str) -> T:
    """Return what the name of a choice stands for.

    Raises
    ------
    InputError
        Where there is no such name: with the nearest one, or with all of them.
    """
    if choice.name in known:
        return known[choice.name]
    hint = did_you_mean(choice.name, known) or f" There are {', '.join(known)}."
    raise InputError(f'expected {what}, got "{choice.name}".{hint}', choice.place)


def options_of(
    choice: Choice, function: Callable[..., Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the options of a choice, checked against a function's keyword-only parameters.

    Parameters
    ----------
    choice : Choice
        The options, and their place.
    function : callable
        What they are for.
    given : mapping
        Parameters that come from elsewhere; they are no options.

    Raises
    ------
    SchemaError
        For an option that the function does not have, lacks, or of another type.
    """
    types = _option_types(function)
    wanted = {name: kind for name, kind in types.items() if name not in given}
    found = {}
    for name, value in choice.options.items():
        if name not in wanted:
            listed = did_you_mean(name, wanted) or (
                f" There are {', '.join(wanted)}." if wanted else " It has none."
            )
            raise SchemaError(
                f'expected an option of {choice.name}, got "{name}".{listed}', choice.place
            )
        try:
            found[name] = msgspec.convert(value, wanted[name].type)
        except msgspec.ValidationError as error:
            reason = str(error)
            reason = reason[0].lower() + reason[1:]
            raise SchemaError(f"{reason}: {value!r}", f"{choice.place} {name}".strip()) from None
    for name, kind in wanted.items():
        if kind.required and name not in found:
            raise SchemaError(f"expected {name} of {choice.name}, it is not given", choice.place)
    return found


def made(
    choice: Choice, known: Mapping[str, Callable[..., T]], what: str, *data: Any, **given: Any
) -> T:
    """Return what a choice stands for, made: the function of its name, called with its options.

    Parameters
    ----------
    choice : Choice
        The name and the options.
    known : mapping of str to callable
        The functions by name.
    what : str
        What they make, for messages: ``"an optimizer"``.
    *data, **given
        Arguments that come from elsewhere. A function gets those of `given` that it takes.

    Raises
    ------
    InputError
        As `picked` and `options_of`; what the function itself refuses gets the place.
    """
    function = picked(choice, known, what)
    taken = {name: value for name, value in given.items() if name in _option_types(function)}
    options = options_of(choice, function, taken)
    try:
        return function(*data, **taken, **options)
    except InputError as error:
        if error.place or not choice.place:
            raise
        raise error.within(choice.place) from None


class _Option(NamedTuple):
    type: Any
    required: bool


@cache
def _option_types(function: Callable[..., Any]) -> Mapping[str, _Option]:
    """Return the keyword-only parameters of a function, or of what makes a class."""
    called = function.__init__ if inspect.isclass(function) else function
    hints = get_type_hints(called)
    return {
        name: _Option(hints.get(name, Any), parameter.default is inspect.Parameter.empty)
        for name, parameter in inspect.signature(called).parameters.items()
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY
    }
