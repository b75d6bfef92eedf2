"""Samples that belong together: never in two parts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from snellen.errors import InputError, ShapeError, first_few
from snellen.splits.hashing import texts_of
from snellen.splits.strata import factorised

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["Groups", "groups_by_pattern"]


class Groups(NamedTuple):
    """Which group each sample is in.

    Attributes
    ----------
    names : tuple of str
        The groups, G of them, in the order of `snellen.splits.strata.name_order`.
    code : ndarray of int32, shape (n,)
        The group of each sample.
    """

    names: tuple[str, ...]
    code: NDArray[np.int32]

    @classmethod
    def of(cls, groups: Any, n: int) -> Groups:
        """Return the groups of n samples from whole numbers or texts.

        Raises
        ------
        ShapeError
            For another number of them.
        InputError
            For other values, or an empty text.
        """
        if isinstance(groups, np.ndarray) and groups.ndim == 1 and groups.dtype.kind in "iu":
            values, inverse = np.unique(groups, return_inverse=True)
            names, place = factorised(list(map(str, values.tolist())))
            code = place[inverse] if len(inverse) else place
        else:
            names, code = factorised(texts_of(groups, "groups"))
        if len(code) != n:
            raise ShapeError(f"expected one group for each of {n} keys, got {len(code)}", "groups")
        if "" in names:
            row = int(np.argmax(code == names.index("")))
            raise InputError(
                "expected a group for each sample, got an empty text: give a sample that stands "
                "alone a group of its own",
                f"groups[{row}]",
            )
        return cls(tuple(names), code)


def groups_by_pattern(keys: Sequence[str], pattern: str) -> tuple[list[str], int]:
    r"""Return the part of each key that a pattern finds, and for how many keys it finds nothing.

    The first parenthesis is the group, without one the whole match; a key in which nothing is
    found is a group of its own.

    Raises
    ------
    InputError
        For a pattern that is no regular expression, or finds nothing in any key.

    Examples
    --------
    >>> groups_by_pattern(["p1_a.png", "p1_b.png", "x.png"], r"^(p\d+)_")
    (['p1', 'p1', 'x.png'], 1)
    """
    try:
        compiled = re.compile(pattern)
    except re.error as error:
        raise InputError(f'expected a regular expression, got "{pattern}": {error}') from None
    found = [compiled.search(key) for key in keys]
    n_alone = sum(match is None for match in found)
    if n_alone == len(keys) and keys:
        raise InputError(
            f'expected a pattern that is found in the keys, "{pattern}" is found in none of '
            f"{first_few(keys, 3)}"
        )
    which = 1 if compiled.groups else 0
    groups = [
        key if match is None else match.group(which) or key
        for key, match in zip(keys, found, strict=True)
    ]
    return groups, n_alone
