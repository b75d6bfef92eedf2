"""The names that columns of samples usually have; they are looked for in any case."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "GROUPS",
    "IDS",
    "KNOWN",
    "LABELS",
    "OTHERS",
    "PREDICTIONS",
    "SCORES",
    "WEIGHTS",
    "first_of",
    "is_index",
]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# In each list, of several columns the name that comes first wins.
IDS = _words(
    "id image_id sample_id image filename file_name file filepath file_path path key name sample"
)
LABELS = _words(
    "label labels true_label truth_label gt_label class true_class class_name class_id target "
    "targets truth ground_truth y y_true gt category category_name category_id tag tags"
)
PREDICTIONS = _words(
    "pred_label predicted_label prediction predictions pred predicted pred_class predicted_class "
    "y_pred"
)
SCORES = _words("scores probs probabilities logits pred_probs probas")
WEIGHTS = _words("weight sample_weight weights")
GROUPS = _words("group group_id patient patient_id subject subject_id scene sequence video")
# A single column with one of these names is the score of the positive class, or, beside predicted
# labels, how sure they are.
CONFIDENCES = _words("confidence conf score scores prob probs probability proba")
OTHERS = _words("part split fold")
KNOWN = frozenset((*IDS, *LABELS, *PREDICTIONS, *SCORES, *WEIGHTS, *GROUPS, *CONFIDENCES, *OTHERS))
# Names that nobody calls a class: one in a first line makes it a line of names.
CERTAIN = frozenset((*LABELS, *PREDICTIONS, *SCORES)) - frozenset(
    _words("y gt tag tags target truth")
)


# What pandas calls the numbers of rows, read from a file and in Parquet.
_INDEX = re.compile(r"unnamed: \d+|__index_level_\d+__")


def is_index(name: str) -> bool:
    """Whether a column has the name of an index that has none: it says nothing of samples.

    Examples
    --------
    >>> [is_index(name) for name in ("Unnamed: 0", "__index_level_0__", "index")]
    [True, True, False]
    """
    return _INDEX.fullmatch(name.lower()) is not None


def first_of(usual: Iterable[str], names: Iterable[str]) -> str | None:
    """Return the column whose name comes first in a list of usual names, or None.

    Examples
    --------
    >>> first_of(IDS, ["label", "Path", "Image"])
    'Image'
    """
    found = {name.lower(): name for name in reversed(list(names))}
    return next((found[name] for name in usual if name in found), None)
