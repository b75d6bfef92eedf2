"""The families of numbers that tracking has, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from snellen.errors import InputError, did_you_mean
from snellen.tracking.clear import CLEAR
from snellen.tracking.count import COUNT
from snellen.tracking.hota import HOTA
from snellen.tracking.identity import IDENTITY
from snellen.tracking.ideucl import IDEUCL
from snellen.tracking.motmetrics import MOTMETRICS
from snellen.tracking.vace import VACE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from snellen.tracking.family import Family

__all__ = ["FAMILIES", "families_named"]

FAMILIES: Final[Mapping[str, Family]] = {
    family.name: family for family in (HOTA, CLEAR, IDENTITY, VACE, COUNT, IDEUCL, MOTMETRICS)
}


def families_named(names: Iterable[str]) -> tuple[Family, ...]:
    """Return families in the order of `FAMILIES`, each once.

    Raises
    ------
    InputError
        For a name that none has, and for no names.
    """
    wanted = list(names)
    for name in wanted:
        if name not in FAMILIES:
            raise InputError(
                f'expected metrics of {", ".join(FAMILIES)}, got "{name}".'
                f"{did_you_mean(name, FAMILIES)}",
                "metrics",
            )
    if not wanted:
        raise InputError(f"expected metrics of {', '.join(FAMILIES)}, got none", "metrics")
    return tuple(family for name, family in FAMILIES.items() if name in wanted)
