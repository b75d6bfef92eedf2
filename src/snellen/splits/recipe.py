"""How a split of a data set on disk is made: what a manifest keeps, so that it can be redone."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from snellen.errors import InputError, SchemaError, SnellenError, did_you_mean
from snellen.splits.assignment import Samples
from snellen.splits.folds import fold_samples, leave_out_groups
from snellen.splits.hold_out import hold_out_samples
from snellen.splits.ratios import Ratios, part_names
from snellen.splits.source import Columns  # noqa: TC001  # msgspec reads the annotation

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snellen.splits.manifest import Manifest
    from snellen.splits.source import Source
    from snellen.splits.split import Folds, Split

__all__ = ["Recipe", "frozen_by"]


@dataclasses.dataclass(frozen=True)
class Recipe:
    """The choices of a split.

    Attributes
    ----------
    columns : Columns
        What of the data is used.
    ratios : str or None
        Shares of parts; None for folds.
    names : tuple of str or None
        The parts' names.
    folds : int or None
        How many folds; 0 leaves out one group after another.
    repeats, seed, strict
        See `snellen.splits.k_fold`.
    """

    columns: Columns
    ratios: str | None = None
    names: tuple[str, ...] | None = None
    folds: int | None = None
    repeats: int = 1
    seed: int = 0
    strict: bool = False

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return dataclasses.asdict(self)

    @classmethod
    def of(cls, value: Any, place: str) -> Recipe:
        """Return the recipe that `to_dict` described.

        Raises
        ------
        SchemaError
            For anything else.
        """
        import msgspec

        try:
            return msgspec.convert(value, cls)
        except msgspec.ValidationError as error:
            raise SchemaError(f"expected a recipe: {error}", place) from None

    def check(self) -> None:
        """Refuse ratios and names that are none, before any data are read."""
        if self.ratios is not None:
            part_names(self.names, len(Ratios.of(self.ratios).weights))

    def make(self, source: Source, frozen: Mapping[str, str] | None = None) -> Split | Folds:
        """Split a data set."""
        try:
            return self._made(source, frozen)
        except SnellenError as error:
            raise error.within(str(source.path)) from error

    def _made(self, source: Source, frozen: Mapping[str, str] | None) -> Split | Folds:
        samples = Samples(source.keys, source.strata, source.groups)
        if self.folds is None:
            return hold_out_samples(
                samples,
                Ratios.of(self.ratios or ""),
                self.names,
                seed=self.seed,
                strict=self.strict,
                frozen=frozen,
            )
        if frozen is not None:
            raise InputError("expected parts to freeze, got folds")
        if self.folds == 0:
            return leave_out_groups(samples)
        return fold_samples(
            samples, self.folds, repeats=self.repeats, seed=self.seed, strict=self.strict
        )


def frozen_by(
    manifest: Manifest, parts: tuple[str, ...], source: Source
) -> tuple[dict[str, str], list[str]]:
    """Return the keys that a manifest fixes in some parts, and those of them that are gone.

    Raises
    ------
    InputError
        Where the manifest has no such part.
    """
    assignment = manifest.assignment()
    known = sorted(set(manifest.parts[0]))
    for part in parts:
        if part not in known:
            raise InputError(
                f'expected a part of {", ".join(known)} to freeze, got "{part}".'
                f"{did_you_mean(part, known)}",
                manifest.path,
            )
    held = set(source.keys)
    fixed = {key: part for key, part in assignment.items() if part in parts}
    gone = sorted(key for key in fixed if key not in held)
    if len(gone) == len(fixed):
        raise InputError("expected frozen samples in the data, all are gone", manifest.path)
    return fixed, gone
