"""A description as a TOML file."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from snellen.training.description import Description

if TYPE_CHECKING:
    from collections.abc import Collection

__all__ = ["toml_of"]

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_WIDTH = 100


def toml_of(description: Description, keep: Collection[str] = ()) -> str:
    """Return a description as TOML, which `read_description` reads.

    Parameters
    ----------
    description : Description
        What to write. Keys that are as they are without a word are left out.
    keep : collection of str
        Keys that are written in any case.

    Examples
    --------
    >>> print(toml_of(Description.of({"data": "digits", "epochs": 3, "optimizer": "adam"})))
    data = "digits"
    epochs = 3
    """
    unsaid = Description(data=description.data).plain()
    kept = {"data", *keep}
    return "\n".join(
        _line(name, value)
        for name, value in description.plain().items()
        if value is not None and (name in kept or value != unsaid[name])
    )


def _line(name: str, value: Any) -> str:
    line = f"{name} = {_text(value)}"
    if isinstance(value, list) and len(line) > _WIDTH:
        items = "".join(f"  {_text(item)},\n" for item in value)
        return f"{name} = [\n{items}]"
    return line


def _text(value: Any) -> str:
    if isinstance(value, str):
        # JSON's escapes are TOML's, but for one character.
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_text, value))}]"
    if isinstance(value, dict):
        pairs = [f"{_key(name)} = {_text(each)}" for name, each in value.items()]
        return f"{{{', '.join(pairs)}}}"
    return repr(value)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)
