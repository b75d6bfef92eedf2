"""What may be claimed of networks' accuracies, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from snellen.benchmark.grouped_table import shortened
from snellen.table_text import number, p_value, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from snellen.statistics.comparison_result import Comparison, Difference

__all__ = ["Claims", "claims", "counted", "listed"]

_ALL = 10  # pairs: of more only what concerns the best is said
_NAME = 40  # letters
_NAMED = 4  # networks of a sentence


class Claims:
    """What is said of pairs of networks.

    Attributes
    ----------
    rule : str
        By which test, and with which confidence.
    sentences : list of str
        Of every pair; of many networks, of the best and the others.
    """

    def __init__(self, comparison: Comparison) -> None:
        pairs = comparison.differences
        sure = sum(comparison.is_significant(each) for each in pairs)
        of = "1 pair differs" if len(pairs) == 1 else f"{len(pairs):,} pairs differ"
        self.rule = (
            f"{sure:,} of {of} in accuracy (McNemar's exact test with Holm over all pairs, "
            f"p up to {1 - comparison.level:.2g}; {100 * comparison.level:g} % intervals)"
        )
        self.sentences = (
            [_of_pair(comparison, each) for each in pairs]
            if len(pairs) <= _ALL
            else _of_best(comparison)
        )


def claims(comparison: Comparison) -> Claims | None:
    """Return what may be claimed; None of a single network."""
    return Claims(comparison) if comparison.differences else None


def _of_pair(comparison: Comparison, found: Difference) -> str:
    """Return what may be claimed of a pair; the first is as good as the second, or better."""
    by = number(max(0.0, -found.difference))
    between = f"{number(-found.interval.high)} to {number(-found.interval.low)}"
    p = p_value(found.adjusted_p, "adjusted p")
    first, second = (shortened(printable(name), _NAME) for name in (found.first, found.second))
    if comparison.is_significant(found):
        return f"{first} is better than {second} by {by} ({between}), {p}"
    return f"no difference between {first} and {second} can be claimed: {by} ({between}), {p}"


def _of_best(comparison: Comparison) -> list[str]:
    with_best = [each for each in comparison.differences if each.first == comparison.names[0]]
    best = shortened(printable(comparison.names[0]), _NAME)
    alike = [each.second for each in with_best if not comparison.is_significant(each)]
    worse = len(with_best) - len(alike)
    said = [f"{best} is better than {counted(worse, 'other')}"]
    if alike:
        said.append(f"no difference can be claimed between {best} and {listed(alike)}")
    return said


def counted(n: int, what: str) -> str:
    """Return a number of things.

    Examples
    --------
    >>> counted(1, "network"), counted(1200, "image")
    ('1 network', '1,200 images')
    """
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def listed(names: Sequence[str]) -> str:
    """Return names as a sentence has them, few of many.

    Examples
    --------
    >>> listed(["a", "b", "c"]), listed(list("abcdef"))
    ('a, b and c', 'a, b, c and 3 others')
    """
    shown = [shortened(printable(name), _NAME) for name in names]
    if len(shown) > _NAMED:
        return f"{', '.join(shown[: _NAMED - 1])} and {len(shown) - _NAMED + 1} others"
    return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
