"""Which classes of a video its annotators looked for: truth that is known to have gaps."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

    from snellen.classes import Classes
    from snellen.state import Keys

__all__ = ["JudgedClasses"]


@dataclasses.dataclass(frozen=True)
class JudgedClasses:
    """What is known of classes in single sequences, as data sets of very many classes say it.

    A sequence is judged for a class if it has truth of it, or if the class is known to be absent.
    What is predicted of other classes can be neither right nor wrong.

    Attributes
    ----------
    negative : frozenset of (sequence id, class id)
        Classes that are known to be absent.
    not_exhaustive : frozenset of (sequence id, class id)
        Classes of which some objects may not be annotated: a prediction without truth is no
        mistake.

    Examples
    --------
    >>> judged = JudgedClasses(negative=frozenset({("street", 3)}), not_exhaustive=frozenset())
    >>> ("street", 3) in judged.negative
    True
    """

    negative: frozenset[tuple[Any, Any]]
    not_exhaustive: frozenset[tuple[Any, Any]]

    @staticmethod
    def cells(
        pairs: Collection[tuple[Any, Any]], sequences: Keys, classes: Classes
    ) -> NDArray[np.bool_]:
        """Return where pairs are in a table of all sequences and classes, (S, K).

        Pairs of other sequences or classes are not in it.
        """
        sequence_at = {name: k for k, name in enumerate(sequences.ids.tolist())}
        class_at = {name: k for k, name in enumerate(classes.keys.ids.tolist())}
        table = np.zeros((len(sequences), len(classes)), np.bool_)
        for sequence, label in pairs:
            if sequence in sequence_at and label in class_at:
                table[sequence_at[sequence], class_at[label]] = True
        return table
