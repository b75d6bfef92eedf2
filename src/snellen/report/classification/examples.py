"""The samples that the page of a classifier shows: the surest mistakes first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from snellen.classification.labels import predicted_codes
from snellen.report.thumbnails import kept
from snellen.run.examples import SCHEMA, Example, Examples
from snellen.run.id_order import id_keys

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from snellen.classification.classification import Classification
    from snellen.classification.labels import Labels

__all__ = ["examples_of"]

_SCORES: Final = 5  # classes whose scores are shown of a sample


def examples_of(
    truth: Labels,
    pred: Labels,
    metric: Classification,
    *,
    n: int,
    images: Callable[[str], bytes | None],
) -> tuple[Examples, dict[str, bytes]]:
    """Return the samples that are wrong, those with the highest confidence first.

    Of sets of labels those come first of which most labels are wrong.

    Parameters
    ----------
    truth, pred : Labels
        What the metric has absorbed, row by row; truth has ids.
    metric : Classification
        The metric.
    n : int
        How many samples at most.
    images : callable
        From the id of a sample to its image file, or None where it is missing.
    """
    names = metric.classes.display_names()
    sides: _Sets | _Singles
    if truth.member is None:
        sides = _Singles(truth, pred, names)
    else:
        sides = _Sets(truth, pred, names, metric.set_threshold)
    badness = sides.badness()
    ids = np.arange(len(truth)) if truth.sample_id is None else truth.sample_id
    order = np.lexsort((*id_keys(ids), -badness))
    order = order[badness[order] > 0][:n]
    pictures: dict[str, bytes] = {}
    found = []
    for place, row in enumerate(order.tolist()):
        name = str(ids[row])
        picture = kept(pictures, images, place, name)
        found.append(
            Example(
                id=name,
                name=name,
                width=picture.width,
                height=picture.height,
                picture=picture.file,
                label=sides.true(row),
                predicted=sides.called(row),
                scores=_highest(pred, row, names),
                numbers=sides.numbers(row),
                badness=float(badness[row]),
            )
        )
    wrong = int(np.count_nonzero(badness > 0))
    return (
        Examples(
            schema=SCHEMA,
            task="classification",
            rule=f"{len(found):,} of the {wrong:,} samples that are wrong ({len(truth):,} in all), "
            f"{sides.rule}",
            n_images=len(truth),
            images=found,
            order=sides.rule,
            at_most=n,
        ),
        pictures,
    )


def _highest(pred: Labels, row: int, names: list[str]) -> list[tuple[str, float]]:
    """Return the classes of highest score."""
    if pred.score is None:
        return []
    scores = pred.score[row]
    order = np.argsort(-scores, kind="stable")[:_SCORES]
    return [(names[k], float(scores[k])) for k in order.tolist()]


class _Singles:
    """Samples of one label each."""

    def __init__(self, truth: Labels, pred: Labels, names: Sequence[str]) -> None:
        assert truth.code is not None  # as the metric asks for
        self._names = names
        self._true = truth.code
        self._called = called = predicted_codes(pred)
        self._sure = _confidence(pred, called)
        self.rule = "by their ids" if self._sure is None else "the most confident ones first"

    def badness(self) -> NDArray[np.float64]:
        """Return how bad each sample is; 0 for what is right."""
        wrong: NDArray[np.float64] = (self._true != self._called).astype(np.float64)
        if self._sure is None:
            return wrong
        # Above 0, whatever the scale of scores is, and the same whatever other samples there are:
        # parts of a data set are merged by it.
        sure = self._sure.astype(np.float64)
        weighed: NDArray[np.float64] = wrong * (2 + sure / (1 + np.abs(sure)))
        return weighed

    def true(self, row: int) -> str:
        return self._names[int(self._true[row])]

    def called(self, row: int) -> str:
        return self._names[int(self._called[row])]

    def numbers(self, row: int) -> dict[str, float]:
        return {} if self._sure is None else {"confidence": float(self._sure[row])}


def _confidence(pred: Labels, called: NDArray[Any]) -> NDArray[Any] | None:
    """Return the score of what each sample is called."""
    if pred.confidence is not None:
        return pred.confidence
    if pred.score is None:
        return None
    scores: NDArray[Any] = pred.score[np.arange(len(called)), called]
    return scores


class _Sets:
    """Samples of sets of labels."""

    rule = "those with the most wrong labels first"

    def __init__(self, truth: Labels, pred: Labels, names: list[str], threshold: float) -> None:
        assert truth.member is not None  # as the metric asks for
        self._names = names
        self._true: NDArray[np.bool_] = truth.member.astype(np.bool_)
        self._told: NDArray[np.bool_]
        if pred.member is not None:
            self._told = pred.member.astype(np.bool_)
        else:
            assert pred.score is not None
            self._told = np.asarray(pred.score >= threshold)

    def badness(self) -> NDArray[np.float64]:
        n_wrong: NDArray[np.float64] = (self._true != self._told).sum(axis=1, dtype=np.float64)
        return n_wrong

    def true(self, row: int) -> str:
        return self._listed(self._true[row])

    def called(self, row: int) -> str:
        return self._listed(self._told[row])

    def numbers(self, row: int) -> dict[str, float]:
        true, told = self._true[row], self._told[row]
        return {
            "missed": float(np.count_nonzero(true & ~told)),
            "false": float(np.count_nonzero(told & ~true)),
        }

    def _listed(self, members: NDArray[np.bool_]) -> str:
        return ", ".join(self._names[k] for k in np.flatnonzero(members).tolist()) or "none"
