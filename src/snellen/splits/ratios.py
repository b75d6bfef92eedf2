"""How large the parts should be."""

from __future__ import annotations

import math
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from snellen.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["MAX_PARTS", "Ratios", "part_names"]

MAX_PARTS = 10_000
# Beyond this a count times a weight might not fit 64 bits.
_MAX_DENOMINATOR = 10**9
_DEFAULT_NAMES = {1: ("all",), 2: ("train", "test"), 3: ("train", "val", "test")}


class Ratios(NamedTuple):
    """Shares of parts as whole numbers, so that rounding is exact.

    Attributes
    ----------
    weights : tuple of int
        The parts' shares in units of 1 / `whole`.
    whole : int
        The sum of the weights.
    """

    weights: tuple[int, ...]
    whole: int

    @property
    def shares(self) -> tuple[float, ...]:
        """The shares; they add up to 1."""
        return tuple(weight / self.whole for weight in self.weights)

    def text(self) -> str:
        """Return the shares as percentages: ``60/20/20``."""
        return "/".join(f"{100 * share:.6g}" for share in self.shares)

    @classmethod
    def equal(cls, n_parts: int) -> Ratios:
        """Return equal shares."""
        return cls((1,) * n_parts, n_parts)

    def without(self, parts: Sequence[int]) -> Ratios:
        """Return the shares of the other parts among themselves."""
        weights = tuple(w for i, w in enumerate(self.weights) if i not in set(parts))
        return Ratios(weights, sum(weights))

    @classmethod
    def of(cls, ratios: str | Sequence[float] | Ratios) -> Ratios:
        """Return ratios from ``"60/20/20"``, ``"0.8/0.2"`` or numbers.

        Raises
        ------
        InputError
            For what is no number, not above 0, or does not add up to 100 or 1.

        Examples
        --------
        >>> Ratios.of("60/20/20")
        Ratios(weights=(3, 1, 1), whole=5)
        >>> Ratios.of([0.9, 0.1]).text()
        '90/10'
        """
        if isinstance(ratios, Ratios):
            return ratios
        given = ratios.split("/") if isinstance(ratios, str) else [str(each) for each in ratios]
        shown = "/".join(part.strip() for part in given)
        try:
            decimals = [Decimal(part.strip().removesuffix("%")) for part in given]
            if not all(value.is_finite() for value in decimals):
                raise InvalidOperation
        except InvalidOperation:
            raise InputError(
                f'expected ratios such as 60/20/20 or 0.8/0.2, got "{shown}"'
            ) from None
        if not 1 <= len(decimals) <= MAX_PARTS or min(decimals) <= 0:
            raise InputError(f'expected ratios above 0, such as 60/20/20, got "{shown}"')
        total = sum(decimals, Decimal(0))
        unit = 100 if abs(total - 100) < Decimal("1e-6") else 1
        if abs(total - unit) >= Decimal("1e-6") * unit:
            raise InputError(
                f"expected ratios that add up to 100 (or 1), got {shown} = {total}"
                f"{_suggestion(decimals)}"
            )
        # 1/3 as a float is meant as a third.
        fractions = [(Fraction(each) / unit).limit_denominator(1_000_000) for each in decimals]
        whole = math.lcm(*(each.denominator for each in fractions))
        if whole > _MAX_DENOMINATOR or min(fractions) <= 0:
            raise InputError(
                f'expected ratios of at most four decimals of a percent, got "{shown}"'
            )
        weights = [int(each * whole) for each in fractions]
        common = math.gcd(*weights)
        return cls(tuple(each // common for each in weights), sum(weights) // common)


def _suggestion(given: Sequence[Decimal]) -> str:
    total = sum(given, Decimal(0))
    scaled = [100 * each / total for each in given]
    rounded = [each.quantize(Decimal(1)) for each in scaled]
    if all(abs(a - b) < Decimal("1e-9") for a, b in zip(scaled, rounded, strict=True)):
        return f"; did you mean {'/'.join(str(each) for each in rounded)}?"
    return ""


def part_names(names: Sequence[str] | None, n_parts: int) -> tuple[str, ...]:
    """Return the parts' names: those given, or the usual ones.

    Raises
    ------
    InputError
        Where the number does not fit, or a name comes twice or cannot name a folder.
    """
    if names is None:
        return _DEFAULT_NAMES.get(n_parts) or tuple(f"part{i + 1}" for i in range(n_parts))
    if len(names) != n_parts:
        raise InputError(
            f"expected {n_parts} names for {n_parts} parts, got {len(names)}: {', '.join(names)}"
        )
    for name in names:
        if (
            not name.strip()
            or name != name.strip()
            or not name.isprintable()
            or (set(name) & set('/\\:*?"<>|,') or name.startswith("."))
        ):
            raise InputError(f"expected names of parts that can name a folder, got {name!r}")
    if len({name.casefold() for name in names}) < len(names):
        raise InputError(f"expected different names for the parts, got {', '.join(names)}")
    return tuple(names)
