"""Whether what a network gives can be believed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.errors import InputError, ShapeError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from snellen.benchmark.model import Facts, Model

__all__ = ["checked_scores", "refuse_unsteady"]

# By how much scores may differ, as a part of the largest. Of the same batch, and of an image in
# a batch and alone; the second on GPUs and in half precision, whose sums depend on the batch.
_REPEATED: Final = (1e-5, 1e-3)
_ALONE: Final = (1e-3, 2e-2)
# Quantisation while running takes its range from the batch: by 0.5 % it may be worth knowing, and
# is no mistake. Batch normalisation that learns makes it 5 to 50 %.
_NEIGHBOURS: Final = 2e-2


def checked_scores(
    scores: NDArray[Any], n_outputs: int | None, ids: Sequence[str], model: str
) -> NDArray[np.float32]:
    """Return the scores of a batch as they are kept.

    Parameters
    ----------
    scores : ndarray
        What a network gave.
    n_outputs : int or None
        How many scores it gave before; None for the first batch.
    ids : sequence of str
        The images.
    model : str
        Its name, for messages.

    Raises
    ------
    ShapeError
        Where they are not (n, n_outputs).
    InputError
        Where one is NaN or infinite.
    """
    wanted = "K" if n_outputs is None else str(n_outputs)
    if (
        scores.ndim != 2
        or len(scores) != len(ids)
        or scores.shape[1] != (n_outputs or scores.shape[-1])
    ):
        raise ShapeError(
            f"expected scores ({len(ids)}, {wanted}) of {len(ids)} images, got {scores.shape}",
            model,
        )
    with np.errstate(over="ignore"):
        kept = scores.astype(np.float32)  # a copy: the model may use its memory again
    finite = np.isfinite(kept)
    if not finite.all():
        image, output = np.argwhere(~finite)[0].tolist()
        raise InputError(
            f"expected finite scores, got {kept[image, output]} as output {output} of image "
            f'"{ids[image]}"; {int((~finite).any(axis=1).sum())} of {len(ids)} images of its batch '
            "have such",
            model,
        )
    return kept


def refuse_unsteady(
    model: Model, inputs: NDArray[Any], scores: NDArray[np.float32], name: str
) -> list[str]:
    """Predict a batch again, and its first image alone; return what people should know.

    Parameters
    ----------
    model : Model
        The network.
    inputs : ndarray, shape (n, …)
        A batch.
    scores : ndarray of float32, shape (n, K)
        What the network gave of it.
    name : str
        Of the network, for messages.

    Raises
    ------
    InputError
        Where the scores of a batch change from call to call, or those of an image with the other
        images by more than quantisation does.
    """
    exact = _is_exact(model.facts)
    changed = _difference(scores, model.predict(inputs))
    if changed > _REPEATED[not exact]:
        raise InputError(
            f"expected the same scores of the same images, got others by {changed:.1%} of the "
            "largest: is dropout left on, or does the network draw random numbers? It has to be "
            "in evaluation mode",
            name,
        )
    apart = _difference(scores[:1], model.predict(inputs[:1]))
    if apart <= _ALONE[not exact]:
        return []
    if apart > _NEIGHBOURS:
        raise InputError(
            "expected scores of an image that do not depend on the other images of its batch, got "
            f"others by {apart:.1%} of the largest when it is alone: does batch normalisation "
            "learn? The network has to be in evaluation mode",
            name,
        )
    return [
        f"scores of an image depend on the other images of its batch, by {apart:.1%} of the "
        "largest (quantised while it runs?)"
    ]


def _is_exact(facts: Facts) -> bool:
    return facts.device.startswith("cpu") and "16" not in facts.dtype


def _difference(some: NDArray[Any], others: NDArray[Any]) -> float:
    """Return the largest difference as a part of the largest score."""
    if some.shape != others.shape:
        return np.inf
    if np.array_equal(some, others):
        return 0.0
    largest = float(np.abs(some).max(initial=0.0))
    with np.errstate(all="ignore"):
        apart = float(np.abs(some - others).max(initial=0.0)) / largest if largest else np.inf
    return np.inf if np.isnan(apart) else apart
