"""Ages of people in photos that never were, and the estimates of a network that never was.

The same numbers give the same bytes, on every machine (`snellen.samples.lots`): ages are whole
years, estimates whole hundredths.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from snellen.atomic_files import write_atomically
from snellen.errors import InputError
from snellen.samples.lots import Lots, at_least

if TYPE_CHECKING:
    import os

__all__ = ["RegressionSample", "make_regression_sample"]

_TRUTH_STREAM, _ESTIMATE_STREAM = 11, 12
_OLDEST = 99
# In hundredths: what an estimate tends to, and between what it lies.
_TYPICAL, _LOWEST, _HIGHEST = 3800, 50, 11000


@dataclasses.dataclass(frozen=True)
class RegressionSample:
    """Where a sample lies, and what it holds.

    Attributes
    ----------
    truth : pathlib.Path
        Table of id, age and person.
    predictions : pathlib.Path
        Table of id and estimated age, in another order.
    n_samples, n_people : int
        Counts; of people those who are in a photo.
    """

    truth: Path
    predictions: Path
    n_samples: int
    n_people: int


def make_regression_sample(
    directory: str | os.PathLike[str],
    *,
    n_samples: int = 2000,
    n_people: int = 500,
    seed: int = 0,
) -> RegressionSample:
    """Write true and estimated ages: the same bytes for the same numbers, everywhere.

    Parameters
    ----------
    directory : path
        Where ``truth.csv`` and ``predictions.csv`` go; made where missing.
    n_samples : int
        How many photos.
    n_people : int
        How many people they may be of; photos need one.
    seed : int
        At least 0.

    Returns
    -------
    RegressionSample
        Paths and counts.

    Raises
    ------
    InputError
        For a number out of its range.

    Notes
    -----
    Photos of one person are mistaken in the same direction, so that people, not photos, are the
    units of independence. The estimates tend to the middle, spread more for the old, and every
    fiftieth or so is of somebody else.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     made = make_regression_sample(directory, n_samples=3, n_people=2)
    ...     made.truth.read_text().splitlines()[0], made.n_samples
    ('id,age,person', 3)
    """
    n_samples = at_least(0, "n_samples", n_samples)
    n_people = at_least(0, "n_people", n_people)
    seed = at_least(0, "seed", seed)
    if n_samples and not n_people:
        raise InputError(f"expected at least 1 person for {n_samples} photos, got 0", "n_people")

    lots = Lots(seed, _TRUTH_STREAM)
    # Few are very young or very old; photos of a person lie up to six years apart.
    first_age = np.clip(np.rint(35 + 17 * lots.bell(n_people)), 1, _OLDEST - 6).astype(np.int64)
    person = np.sort(lots.below(n_people, n_samples)) if n_samples else np.zeros(0, np.int64)
    age = first_age[person] + lots.below(7, n_samples)
    photo = np.arange(n_samples) - np.searchsorted(person, person)
    ids = [f"{who:05d}-{which}" for who, which in zip(person.tolist(), photo.tolist(), strict=True)]

    lots = Lots(seed, _ESTIMATE_STREAM)
    looks = lots.bell(n_people)[person]  # younger or older than one is, in every photo
    wide = 150.0 + 5.0 * age
    estimate = 100.0 * age + 0.12 * (_TYPICAL - 100.0 * age)
    estimate += wide * looks + wide * lots.bell(n_samples)
    other = lots.below(50, n_samples) == 0
    estimate[other] = _LOWEST + lots.share(n_samples)[other] * (9000 - _LOWEST)
    hundredths = np.clip(np.rint(estimate), _LOWEST, _HIGHEST).astype(np.int64)

    truth_lines = [
        f"{name},{years},p{who:05d}"
        for name, years, who in zip(ids, age.tolist(), person.tolist(), strict=True)
    ]
    order = lots.shuffled(n_samples).tolist()
    estimates = hundredths.tolist()
    predicted_lines = [f"{ids[i]},{estimates[i] // 100}.{estimates[i] % 100:02d}" for i in order]

    home = Path(directory)
    home.mkdir(parents=True, exist_ok=True)
    made = RegressionSample(
        truth=home / "truth.csv",
        predictions=home / "predictions.csv",
        n_samples=n_samples,
        n_people=len(np.unique(person)),
    )
    write_atomically(
        {
            made.predictions: _text("id,age", predicted_lines),
            made.truth: _text("id,age,person", truth_lines),
        }
    )
    return made


def _text(header: str, lines: list[str]) -> bytes:
    return "".join(f"{line}\n" for line in [header, *lines]).encode()
