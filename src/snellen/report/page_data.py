"""Data that stand in a page: JSON that no text within can break out of."""

from __future__ import annotations

from typing import Any

import msgspec

from snellen.report.markup import element

__all__ = ["data_element", "safe_json"]

# What ends a script element, opens a comment or an entity, or ends a line of JavaScript: JSON has
# these characters within strings only, where an escape means the same.
_ESCAPES = str.maketrans(
    {each: f"\\u{ord(each):04x}" for each in ("<", ">", "&", "\u2028", "\u2029", "\x7f")}
)


def safe_json(value: Any) -> str:
    r"""Return a value as JSON that may stand in a script element.

    What is not finite becomes null; arrays become lists.

    Examples
    --------
    >>> safe_json({"</script>": float("nan")})
    '{"\\u003c/script\\u003e":null}'
    """
    try:
        data = _ENCODER.encode(value)
    except UnicodeEncodeError:  # half of a surrogate pair, which UTF-8 does not have
        data = _ENCODER.encode(_encodable(msgspec.to_builtins(value, enc_hook=_plain)))
    return data.decode("utf-8").translate(_ESCAPES)


def data_element(name: str, value: Any) -> str:
    """Return the element that the page's script reads a value from, by its name."""
    return element("script", safe_json(value), type="application/json", id=name)


def _plain(value: Any) -> Any:
    """Return arrays and numbers of NumPy as Python's."""
    if hasattr(value, "tolist"):
        return value.tolist()
    # What msgspec asks of such a function where it has no answer.
    raise NotImplementedError(f"no JSON of {type(value).__name__}")


def _encodable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, dict):
        return {_encodable(key): _encodable(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_encodable(each) for each in value]
    return value


_ENCODER = msgspec.json.Encoder(enc_hook=_plain)
