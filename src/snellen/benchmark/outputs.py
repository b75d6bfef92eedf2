"""What networks give, as scores: a row an image, a column a class."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from snellen.errors import InputError, ShapeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from snellen.benchmark.model import Scores
    from snellen.benchmark.preprocessing import Preprocessing

__all__ = [
    "FoundScores",
    "chosen_scores",
    "of_sum_one",
    "probabilities_of_yes_or_no",
    "probe_batch",
    "score_rows",
]

# By how much probabilities of a row may miss 1: rounded to float32, to 11 bits, and to 8.
_TOLERANCE: Final = 1e-3
_HALF_TOLERANCE: Final = 5e-3


class FoundScores(NamedTuple):
    """What scores are, and what people should know of how that was found."""

    scores: Scores
    notes: tuple[str, ...] = ()


def score_rows(outputs: NDArray[Any], n: int, place: str) -> NDArray[Any]:
    """Return what a network gave for n images as an array (n, K), float32 or float64.

    Axes of length 1 around the classes, as convolutions leave them, are dropped.

    Raises
    ------
    ShapeError
        For anything else.
    """
    shape = outputs.shape
    if outputs.ndim > 2 and len([length for length in shape[1:] if length != 1]) <= 1:
        outputs = outputs.reshape(shape[0], math.prod(shape[1:]))
    if outputs.ndim != 2 or len(outputs) != n or not outputs.shape[1]:
        raise ShapeError(
            f"expected a score for each class, ({n}, K), from the network, got {shape}", place
        )
    if outputs.dtype.kind not in "fiu":
        raise ShapeError(f"expected numbers from the network, got {outputs.dtype}", place)
    return outputs if outputs.dtype in (np.float32, np.float64) else outputs.astype(np.float32)


def chosen_scores(
    settings: Mapping[str, str],
    rows: NDArray[Any],
    place: str,
    *,
    known: Scores | None = None,
    softmax: bool = False,
    half: bool = False,
) -> FoundScores:
    """Return whether scores are probabilities: as was set, else as is known, else as they look.

    Parameters
    ----------
    settings : mapping of str to str
        Of which ``scores`` decides, where it is there.
    rows : ndarray, shape (n, K)
        Scores of some images.
    place : str
        The model, for messages.
    known : {"logits", "probabilities"}, optional
        What the network says of itself.
    softmax : bool
        Whether the network is known to end in a softmax: then nothing is said of how it was found.
    half : bool
        Whether it computes in 16 bits.

    Raises
    ------
    InputError
        For another setting, and where scores are not the probabilities that they are said to be.
    """
    chosen = settings.get("scores", known)
    if chosen not in ("logits", "probabilities", None):
        raise InputError(
            f'expected scores=logits or scores=probabilities, got "{chosen}"', f"{place} scores"
        )
    tolerance = _HALF_TOLERANCE if half else _TOLERANCE
    inside = bool((rows >= 0).all() and (rows <= 1 + tolerance).all())
    apart = np.abs(rows.sum(axis=1) - 1).max(initial=0)
    if chosen == "probabilities" and not (inside and apart <= tolerance):
        got = f"sums of 1 ± {apart:.2g}" if inside else f"{rows.min():.4g} … {rows.max():.4g}"
        raise InputError(
            f"expected probabilities, from 0 to 1 and of sum 1, got {got}: leave "
            '"scores=probabilities" out',
            place,
        )
    if chosen is not None:
        return FoundScores("logits" if chosen == "logits" else "probabilities")
    if inside and apart <= tolerance and rows.shape[1] > 1:
        note = "scores were taken for probabilities: none is below 0 and rows sum to 1"
        return FoundScores("probabilities", () if softmax else (note,))
    if inside:
        return FoundScores(
            "logits",
            (
                "scores lie in 0 … 1 and do not sum to 1 (of a sigmoid?): they are taken for "
                "logits, which says nothing of how sure the model is",
            ),
        )
    return FoundScores("logits")


def of_sum_one(rows: NDArray[Any]) -> NDArray[Any]:
    """Return probabilities by their sum, which misses 1 where they were rounded to 16 bits."""
    scaled: NDArray[Any] = rows / rows.sum(axis=1, keepdims=True)
    return scaled


def probabilities_of_yes_or_no(rows: NDArray[Any]) -> NDArray[np.float64]:
    """Return probabilities of logits that each say yes or no to a class: sigmoids by their sum.

    As `TrainedNetwork.answers` does it, so that it holds where all are tiny.
    """
    wide = rows.astype(np.float64)
    logs = -np.logaddexp(0.0, -wide)
    logs -= logs.max(axis=1, keepdims=True)
    shares = np.exp(logs)
    probabilities: NDArray[np.float64] = shares / shares.sum(axis=1, keepdims=True)
    return probabilities


def probe_batch(preprocessing: Preprocessing, n: int) -> NDArray[Any]:
    """Return a batch of images of noise, always the same."""
    random = np.random.default_rng(0)
    size = (preprocessing.height, preprocessing.width, preprocessing.n_channels)
    return preprocessing.batch([random.integers(0, 256, size, np.uint8) for _ in range(n)])
