"""What can go wrong, as a tree.

::

    SnellenError
    ├─ InputError(ValueError)          data that cannot be evaluated
    │  ├─ ShapeError                   arrays whose shapes do not fit
    │  ├─ SchemaError                  files whose content is not what the format says
    │  ├─ ClassError                   classes that do not agree
    │  └─ IdError                      ids that are unknown, repeated or mixed
    ├─ MergeError(ValueError)          states with different parameters
    ├─ StateVersionError               a state written by a newer release
    └─ MissingExtraError(ImportError)  an optional package that is not installed

`DataWarning` is the one warning. A message says what was expected, what came and what to do; the
place comes last, after ``- at``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ClassError",
    "DataWarning",
    "IdError",
    "InputError",
    "MergeError",
    "MissingExtraError",
    "SchemaError",
    "ShapeError",
    "SnellenError",
    "StateVersionError",
    "did_you_mean",
    "first_few",
    "one_line",
]


class SnellenError(Exception):
    """The root of all errors that Snellen raises on purpose.

    Parameters
    ----------
    message : str
        What was expected, what came, what to do.
    place : str, optional
        Where: file, record, field, or argument.
    """

    def __init__(self, message: str, place: str = "") -> None:
        # A sentence before a suggestion that there is not.
        message = message.removesuffix(".")
        super().__init__(f"{message} - at {place}" if place else message)
        self.message = message
        self.place = place

    def within(self, place: str) -> SnellenError:
        """Return the same error with a place around its own: the file that a record is in."""
        return type(self)(self.message, f"{place} {self.place}".rstrip())


class InputError(SnellenError, ValueError):
    """Data that cannot be evaluated."""


class ShapeError(InputError):
    """Arrays whose shapes do not fit each other or their meaning."""


class SchemaError(InputError):
    """A file or record whose content is not what its format says."""


class ClassError(InputError):
    """Classes that truth and prediction, or two shards, do not agree on."""


class IdError(InputError):
    """Ids that are unknown, repeated, or of two kinds."""


class MergeError(SnellenError, ValueError):
    """States that were made with different parameters."""


class StateVersionError(SnellenError):
    """A state written by a newer release."""


class MissingExtraError(SnellenError, ImportError):
    """An optional package that is needed and not installed.

    Parameters
    ----------
    package : str
        What could not be imported.
    extra : str
        The extra of Snellen that brings it.
    """

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"expected the package {package}, it is not installed: pip install 'snellen[{extra}]'"
        )

    def within(self, place: str) -> SnellenError:
        """Return the error itself: a missing package is nowhere in the data."""
        del place
        return self


class DataWarning(UserWarning):
    """Data that is left out or completed, counted: one warning for each reading."""


def one_line(error: BaseException) -> str:
    """Return what the error of another library says, in a line that is not too long.

    Where it says nothing, it is called by its kind.

    Examples
    --------
    >>> one_line(ValueError("first   second"))
    'first second'
    >>> one_line(KeyboardInterrupt())
    'KeyboardInterrupt'
    """
    return " ".join(str(error).split())[:300] or type(error).__name__


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return one suggestion, with its leading space, or nothing.

    Examples
    --------
    >>> did_you_mean("AP5", ["AP", "AP50", "AR_1"])
    ' Did you mean "AP50"?'
    >>> did_you_mean("MIOU", ["mIoU", "mDice"])
    ' Did you mean "mIoU"?'
    """
    import difflib  # only when something is wrong already

    names = list(known)
    close = difflib.get_close_matches(name, names, n=3)
    if not close:
        # In capitals or not: the least of differences, and far from close letter by letter.
        folded = {candidate.casefold(): candidate for candidate in names}
        close = [folded[each] for each in difflib.get_close_matches(name.casefold(), folded, n=3)]
    if not close:
        return ""
    # Of equally close names the one that begins so: AP5 is AP50, not AP75.
    best = max(close, key=lambda candidate: candidate.startswith(name))
    return f' Did you mean "{best}"?'


def first_few(values: Iterable[object], limit: int = 5) -> str:
    """Return the first values as a readable list, and say when there are more.

    Examples
    --------
    >>> first_few([3, 5, 8, 9, 12, 14])
    '3, 5, 8, 9, 12, …'
    """
    shown: list[str] = []
    for value in values:
        if len(shown) == limit:
            return ", ".join(shown) + ", …"
        shown.append(str(value))
    return ", ".join(shown)
