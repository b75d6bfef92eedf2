"""Single settings over a description, as a command line gives them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from snellen.errors import InputError, SchemaError, did_you_mean
from snellen.training.description import KEYS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["setting", "value_of", "with_settings"]


def setting(text: str) -> tuple[str, Any]:
    """Read ``KEY=VALUE``; the value is written as in TOML, quotes may be left out.

    Raises
    ------
    InputError
        Where there is no key.

    Examples
    --------
    >>> setting("optimizer.momentum=0.9"), setting("schedule=cosine")
    (('optimizer.momentum', 0.9), ('schedule', 'cosine'))
    >>> setting('augment=["flip", {name = "crop", padding = 2}]')
    ('augment', ['flip', {'name': 'crop', 'padding': 2}])
    """
    name, equals, value = text.partition("=")
    name = name.strip()
    if not equals or not name:
        raise InputError(f'expected KEY=VALUE, such as optimizer.momentum=0.9, got "{text}"')
    return name, value_of(value)


def value_of(text: str) -> Any:
    """Read a value as it is written in TOML; what is not TOML is taken as the text that it is.

    Examples
    --------
    >>> value_of("fc"), value_of('["flatten", "linear"]')
    ('fc', ['flatten', 'linear'])
    """
    text = text.strip()
    try:
        import tomllib
    except ModuleNotFoundError:  # Python 3.10
        import tomli as tomllib
    try:
        content = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    # Behind a line break more keys could follow.
    return content["value"] if len(content) == 1 else text


def with_settings(
    content: Mapping[str, Any], settings: Iterable[tuple[str, Any]]
) -> dict[str, Any]:
    """Return a description's plain values with settings over them.

    ``("optimizer.momentum", 0.9)`` sets an option of what the key chose; ``("optimizer", "sgd")``
    chooses anew, and then the options of the one before are gone.

    Raises
    ------
    InputError
        For an option of what is not chosen by name.
    SchemaError
        For a key that there is not.
    """
    made = dict(content)
    for name, value in settings:
        key, dot, option = name.partition(".")
        if key not in KEYS:
            hint = did_you_mean(key, KEYS) or f" There are {', '.join(KEYS)}."
            raise SchemaError(f'expected a key of a description, got "{key}".{hint}', name)
        if not dot:
            made[key] = value
            continue
        before = made.get(key)
        if before is None:
            raise InputError(f"expected {key} to be chosen before its option {option}: {key}=…")
        if isinstance(before, str):
            before = {"name": before}
        if not isinstance(before, dict):
            raise InputError(f"expected {key} to be one choice with options, got {before!r}")
        made[key] = {**before, option: value}
    return made
