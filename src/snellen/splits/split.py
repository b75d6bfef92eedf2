"""What a split is, and how good it is."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from snellen.errors import InputError, did_you_mean
from snellen.table_text import aligned_lines, number, printable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from snellen.splits.assignment import Samples
    from snellen.splits.ratios import Ratios

__all__ = ["Folds", "Split"]

# Classes that the table shows: those that are farthest off.
_N_SHOWN = 10


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Split:
    """Samples in parts.

    Attributes
    ----------
    samples : Samples
        The keys in the given order, their classes and groups.
    part : ndarray of int32, shape (n,)
        The part of each sample, an index into `names`.
    names : tuple of str
        The parts, P of them.
    ratios : Ratios
        The shares that were asked for.
    method : mapping
        The algorithm's name, the seed and the options, as plain values.
    """

    samples: Samples
    part: NDArray[np.int32]
    names: tuple[str, ...]
    ratios: Ratios
    method: Mapping[str, Any]

    def __repr__(self) -> str:
        sizes = ", ".join(
            f"{name}={size}" for name, size in zip(self.names, self.sizes().tolist(), strict=True)
        )
        return f"Split({sizes})"

    def __len__(self) -> int:
        return len(self.part)

    @property
    def keys(self) -> list[str]:
        """The samples' keys as they were hashed, in the given order."""
        return self.samples.keys

    def indices(self, name: str) -> NDArray[np.int64]:
        """Return the places of a part's samples in the given order, ascending.

        Raises
        ------
        InputError
            Where there is no such part.
        """
        if name not in self.names:
            raise InputError(
                f'expected a part of {", ".join(self.names[:8])}, got "{name}".'
                f"{did_you_mean(name, self.names)}"
            )
        return np.nonzero(self.part == self.names.index(name))[0]

    def assignment(self) -> dict[str, str]:
        """Return the name of the part by key."""
        return {
            key: self.names[part] for key, part in zip(self.keys, self.part.tolist(), strict=True)
        }

    def sizes(self) -> NDArray[np.int64]:
        """Return how many samples each part has, shape (P,)."""
        return np.bincount(self.part, minlength=len(self.names)).astype(np.int64)

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes, K of them; none where nothing was stratified by."""
        return () if self.samples.strata is None else self.samples.strata.names

    def class_counts(self, *, objects: bool = False) -> NDArray[np.int64]:
        """Return how many samples of each part hold each class, or how many objects, (P, K)."""
        n_classes = len(self.classes)
        counts = np.zeros((len(self.names), n_classes), np.int64)
        strata = self.samples.strata
        if strata is not None:
            np.add.at(counts, (self.part[strata.row], strata.code), strata.times if objects else 1)
        return counts

    def shares(self) -> NDArray[np.float64]:
        """Return the share of each class that each part has, (P, K); NaN for an empty class."""
        counts = self.class_counts()
        total = counts.sum(0)
        shares = np.full(counts.shape, np.nan)
        np.divide(counts, total, out=shares, where=total > 0)
        return shares

    def deviation(self) -> NDArray[np.float64]:
        """Return how far each class's shares are off at most, shape (K,): max |share - asked|."""
        if not self.classes:
            return np.zeros(0)
        off: NDArray[np.float64] = np.abs(
            self.shares() - np.array(self.ratios.shares)[:, None]
        ).max(0)
        return off

    def size_deviation(self) -> float:
        """Return how far the parts' shares of all samples are off at most."""
        if not len(self):
            return 0.0
        return float(np.abs(self.sizes() / len(self) - np.array(self.ratios.shares)).max())

    def chi_square(self) -> tuple[float, int]:
        """Return chi-square of the classes' counts against those asked for, and its degrees."""
        counts = self.class_counts()
        expected = counts.sum(0) * np.array(self.ratios.shares)[:, None]
        some = expected > 0
        value = float((((counts - expected) ** 2)[some] / expected[some]).sum())
        n_classes = int((counts.sum(0) > 0).sum())
        return value, max(0, n_classes - 1) * (len(self.names) - 1)

    def js_divergence(self) -> float:
        """Return the Jensen-Shannon divergence of the parts' class distributions, in bits.

        0 where all parts have the same shares of classes; parts weigh as they are asked for.
        """
        counts = self.class_counts().astype(np.float64)
        total = counts.sum(1, keepdims=True)
        kept = total[:, 0] > 0
        if kept.sum() < 2:
            return 0.0
        shares = counts[kept] / total[kept]
        weight = np.array(self.ratios.shares)[kept]
        weight = weight / weight.sum()
        mean = weight @ shares

        def entropy(p: NDArray[np.float64]) -> Any:
            return -np.where(p > 0, p * np.log2(np.where(p > 0, p, 1)), 0).sum(-1)

        return max(0.0, float(entropy(mean) - weight @ entropy(shares)))

    def to_dict(self) -> dict[str, Any]:
        """Return what the split is and how good it is, as plain values that JSON can hold."""
        counts, off = self.class_counts(), self.deviation()
        n = max(1, len(self))
        value: dict[str, Any] = {
            **self.method,
            "n": len(self),
            "parts": [
                {"name": name, "asked": asked, "got": size / n, "n": size}
                for name, asked, size in zip(
                    self.names, self.ratios.shares, self.sizes().tolist(), strict=True
                )
            ],
        }
        if self.samples.groups is not None:
            value["n_groups"] = len(np.unique(self.samples.groups.code))
        if self.classes:
            value["classes"] = {name: counts[:, k].tolist() for k, name in enumerate(self.classes)}
            strata = self.samples.strata
            if strata is not None and not strata.single:
                objects = self.class_counts(objects=True)
                value["objects"] = {
                    name: objects[:, k].tolist() for k, name in enumerate(self.classes)
                }
            some = off[~np.isnan(off)]
            chi_square, degrees = self.chi_square()
            value["deviation"] = {
                "max": float(some.max()) if len(some) else None,
                "mean": float(some.mean()) if len(some) else None,
                "chi_square": chi_square,
                "degrees_of_freedom": degrees,
                "js_divergence_bits": self.js_divergence(),
            }
        return value

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> list[str]:
        sizes, n = self.sizes(), max(1, len(self))
        rows = [["part", "samples", "share", "asked"]]
        groups = self.samples.groups
        if groups is not None:
            rows[0].append("groups")
        for k, name in enumerate(self.names):
            row = [
                printable(name, 30),
                number(int(sizes[k])),
                f"{100 * sizes[k] / n:.2f} %",
                f"{100 * self.ratios.shares[k]:.6g} %",
            ]
            if groups is not None:
                row.append(number(len(np.unique(groups.code[self.part == k]))))
            rows.append(row)
        lines = aligned_lines(rows)
        if self.classes:
            lines += ["", *self._class_lines()]
        return lines

    def _class_lines(self) -> list[str]:
        off, shares, counts = self.deviation(), self.shares(), self.class_counts().sum(0)
        order = sorted(
            (k for k in range(len(off)) if counts[k]), key=lambda k: (-off[k], self.classes[k])
        )
        shown = order[:_N_SHOWN]
        # Of many parts (folds) the lowest and the highest share say it all.
        wide = len(self.names) <= 5
        head = [printable(name, 12) for name in self.names] if wide else ["lowest", "highest"]
        rows = [["class", "samples", *head, "off by"]]
        for k in shown:
            cells = shares[:, k] if wide else [shares[:, k].min(), shares[:, k].max()]
            rows.append(
                [
                    printable(self.classes[k], 30),
                    number(int(counts[k])),
                    *(f"{100 * cell:.2f} %" for cell in cells),
                    f"{100 * off[k]:.2f} %",
                ]
            )
        lines = aligned_lines(rows)
        if len(order) > len(shown):
            lines.append(
                f"… {len(order) - len(shown)} more classes, off by at most "
                f"{100 * off[order[_N_SHOWN]]:.2f} %"
            )
        if order:
            chi_square, degrees = self.chi_square()
            lines += [
                "",
                f"classes are off by {100 * off[order[0]]:.2f} % at most, "
                f"{100 * float(off[order].mean()):.3f} % on average; chi-square "
                f"{chi_square:.4g} with {degrees} degrees of freedom; "
                f"Jensen-Shannon divergence {self.js_divergence():.2g} bits",
            ]
        return lines


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Folds:
    """One or more rounds of folds; each fold is once what is tested on.

    Iterating gives for each fold of each round the places of the samples to train on and to test
    on, ascending.

    Attributes
    ----------
    rounds : tuple of Split
        One for each repetition; its parts are the folds.
    """

    rounds: tuple[Split, ...]

    def __repr__(self) -> str:
        return f"Folds({len(self.rounds)} × {len(self.rounds[0].names)})"

    def __len__(self) -> int:
        return sum(len(each.names) for each in self.rounds)

    def __iter__(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        for each in self.rounds:
            for fold in range(len(each.names)):
                yield np.nonzero(each.part != fold)[0], np.nonzero(each.part == fold)[0]

    def to_dict(self) -> dict[str, Any]:
        """Return each round as plain values."""
        return {"rounds": [each.to_dict() for each in self.rounds]}

    def __str__(self) -> str:
        if len(self.rounds) == 1:
            return str(self.rounds[0])
        return "\n\n".join(
            f"round {i + 1} of {len(self.rounds)}\n{each}" for i, each in enumerate(self.rounds)
        )
