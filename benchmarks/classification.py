"""Classification, Snellen beside its peers: the same numbers from arrays in memory.

``python benchmarks/classification.py`` with an interpreter that has Snellen and its ``bench``
extra.
README.md beside this file says how it measures.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from in_memory import Task, close, main

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    Arrays = dict[str, np.ndarray[Any, Any]]

_PACKAGES = {"snellen": "snellen", "scikit_learn": "scikit-learn", "torchmetrics": "torchmetrics"}
_ALL = tuple(_PACKAGES)
_REFERENCE = _ALL[:2]
# A number may differ by this much where it is not the same arithmetic: sums in another order,
# float32 inside a peer.
_CLOSE = close({"scikit_learn": 1e-12, "torchmetrics": 1e-5})


def _labels(scale: float, _: Path) -> Arrays:
    random = np.random.default_rng(0)
    n = int(1_000_000 * scale)
    truth = random.integers(0, 1000, n)
    pred = np.where(random.random(n) < 0.7, truth, random.integers(0, 1000, n))
    return {"truth": truth, "pred": pred}


def _text_labels(scale: float, scratch: Path) -> Arrays:
    names = np.array([f"n{number:08d}" for number in range(1000)])
    return {key: names[labels] for key, labels in _labels(scale, scratch).items()}


def _binary_scores(scale: float, _: Path) -> Arrays:
    random = np.random.default_rng(1)
    n = int(1_000_000 * scale)
    truth = random.integers(0, 2, n)
    return {"truth": truth, "score": (random.normal(size=n) + truth).astype(np.float32)}


def _score_matrix(scale: float, _: Path) -> Arrays:
    random = np.random.default_rng(2)
    n, k = int(50_000 * scale), 1000
    truth = np.concatenate([np.arange(k), random.integers(0, k, n - k)])
    logits = random.normal(size=(n, k))
    logits[np.arange(n), truth] += 3
    logits = np.exp(logits)
    return {"truth": truth, "score": logits / logits.sum(axis=1, keepdims=True)}


def _predictions(scale: float, _: Path) -> Arrays:
    random = np.random.default_rng(3)
    n = int(50_000 * scale)
    truth = random.integers(0, 1000, n)
    # Errors fall on few classes each, as those of a network do.
    near = (truth + random.integers(1, 15, n)) % 1000
    return {"truth": truth, "pred": np.where(random.random(n) < 0.76, truth, near)}


def _by_chance(_: str, theirs: Mapping[str, float], ours: Mapping[str, float]) -> str:
    """Say how far bounds of other draws and another method are apart."""
    return f"within {max(abs(theirs[name] - ours[name]) for name in theirs):.1g}: by chance"


TASKS = (
    Task(
        "labels",
        "All numbers from labels, 1,000,000 × 1,000 classes",
        _labels,
        _ALL,
        bars={"scikit_learn": 1 / 100},
        agreement=_CLOSE,
    ),
    Task(
        "text_labels",
        "The same from texts",
        _text_labels,
        _REFERENCE,
        once=("scikit_learn",),
        bars={"scikit_learn": 1 / 10},
        agreement=_CLOSE,
    ),
    Task(
        "binary_auc",
        "Exact binary AUC, 1,000,000 float32 scores",
        _binary_scores,
        _ALL,
        bars={"scikit_learn": 1 / 5},
        agreement=_CLOSE,
    ),
    Task(
        "auc_one_vs_rest",
        "Exact one-vs-rest AUC, 50,000 × 1,000 scores",
        _score_matrix,
        _REFERENCE,
        once=("scikit_learn",),
        bars={"scikit_learn": 1 / 20},
        agreement=_CLOSE,
    ),
    Task(
        "top_5",
        "Top-5 accuracy, 50,000 × 1,000 scores",
        _score_matrix,
        _ALL,
        bars={"scikit_learn": 1 / 10},
        agreement=_CLOSE,
    ),
    Task(
        "bootstrap",
        "Bootstrap interval of macro-F1, 1,000 replicates, 50,000 × 1,000 classes",
        _predictions,
        _REFERENCE,
        once=("scikit_learn",),
        bars={"scikit_learn": 1 / 25},
        agreement=_by_chance,
    ),
)

if __name__ == "__main__":
    main("classification", __doc__.partition("\n")[0], _PACKAGES, TASKS)
