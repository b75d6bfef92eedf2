"""Messages of the library in the words of the command line."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["in_words_of_options"]


@contextlib.contextmanager
def in_words_of_options(names: Mapping[str, str]) -> Iterator[None]:
    """Name options in place of arguments in what is raised: ``--label`` for ``label_column``."""
    from snellen.errors import MissingExtraError, SnellenError

    try:
        yield
    except MissingExtraError:
        raise
    except SnellenError as error:
        message = error.message
        for argument, option in names.items():
            message = message.replace(argument, option)
        raise type(error)(message, error.place) from error
