"""The order of ids: numbers by size, whether they are written as text or not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["id_keys"]


def id_keys(ids: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Return what `numpy.lexsort` orders ids by, the last first.

    Runs keep ids as text: what is merged from them is to be in the order of the evaluation, which
    may know them as numbers.

    Parameters
    ----------
    ids : ndarray, shape (n,)
        Numbers or texts. Texts of digits alone are in the order of their numbers.

    Examples
    --------
    >>> ids = np.array(["10", "9", "09"])
    >>> ids[np.lexsort(id_keys(ids))].tolist()
    ['09', '9', '10']
    """
    if ids.dtype.kind in "iu":
        return (ids,)
    texts = ids.astype(str)
    if not all(text.isascii() and text.isdecimal() for text in texts.tolist()):
        return (texts,)
    digits = np.char.lstrip(texts, "0")
    return texts, digits, np.char.str_len(digits)
