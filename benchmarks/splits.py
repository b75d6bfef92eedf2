"""Splits, Snellen beside its peers: seconds, and how even the parts are.

``python benchmarks/splits.py`` with an interpreter that has Snellen and its ``bench`` extra.
README.md beside this file says how it measures. At the end: how much of the test part stays where
an image is added, or the rows are shuffled; Snellen alone.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import side_by_side
from in_memory import Task, main

if TYPE_CHECKING:
    from collections.abc import Mapping

Arrays = dict[str, "np.ndarray[Any, Any]"]

_PACKAGES = {
    "snellen": "snellen",
    "scikit_learn": "scikit-learn",
    "iterative_stratification": "iterative-stratification",
}


def _keys(n: int) -> np.ndarray[Any, Any]:
    return np.array([f"images/{number:08d}.jpg" for number in range(n)])


def _classes(scale: float, _: Path) -> Arrays:
    random = np.random.default_rng(0)
    n = int(1_000_000 * scale)
    return {
        "key": _keys(n),
        "label": random.integers(0, 100, n),
        "group": random.integers(0, n // 10, n),
    }


def _objects(scale: float, _: Path) -> Arrays:
    """Make an indicator matrix with a long tail as COCO has it: shares 0.5 / rank, at least 0.4 %.

    Classes depend on each other through a hidden scene.
    """
    random = np.random.default_rng(1)
    n, n_classes = int(20_000 * scale), 80
    share = np.maximum(0.5 / np.arange(1, n_classes + 1), 0.004)
    scene = random.normal(size=(n, 5)) @ random.normal(size=(5, n_classes)) / 2
    wish = scene + random.normal(size=(n, n_classes))
    member = np.empty((n, n_classes), np.int64)
    for k in range(n_classes):
        member[:, k] = wish[:, k] > np.quantile(wish[:, k], 1 - share[k])
    return {"key": _keys(n), "member": member}


def _evenness(_: str, theirs: Mapping[str, float], ours: Mapping[str, float]) -> str:
    """Say how far classes are off a fifth, on average and at worst, and how far ours are."""
    shown = [
        f"{100 * numbers['mean']:.3f} % ({100 * numbers['max']:.2f} %)"
        for numbers in (theirs, ours)
    ]
    return f"off by {shown[0]}; Snellen {shown[1]}"


TASKS = (
    Task(
        "classes",
        "80/20 of 1,000,000 samples of 100 classes",
        _classes,
        ("snellen", "scikit_learn"),
        agreement=_evenness,
    ),
    Task(
        "classes_in_groups",
        "80/20 of 1,000,000 samples of 100 classes in 100,000 groups",
        _classes,
        ("snellen", "scikit_learn"),
        once=("scikit_learn",),
        agreement=_evenness,
    ),
    Task(
        "objects",
        "80/20 of 20,000 images with objects of 80 classes",
        _objects,
        ("snellen", "iterative_stratification"),
        bars={"iterative_stratification": 1.0},
        agreement=_evenness,
    ),
)


def _stability(scale: float) -> None:
    """Add samples one by one, and count how much of the test part stays."""
    from snellen import hold_out

    random = np.random.default_rng(2)
    n, n_added = int(20_000 * scale), 20
    total = n + n_added
    member = _objects((total + 0.5) / 20_000, Path())["member"][:total]
    label, group = random.integers(0, 100, total), random.integers(0, total // 5, total)
    keys = _keys(total).tolist()
    kinds: dict[str, Arrays] = {
        "no classes": {},
        "classes": {"labels": label},
        "groups": {"groups": group},
        "classes in groups": {"labels": label, "groups": group},
        "objects": {"labels": member},
        "objects in groups": {"labels": member, "groups": group},
    }
    rows = []
    for kind, columns in kinds.items():
        stayed: list[float] = []
        before: set[str] = set()
        for size in range(n, total + 1):
            here = {name: column[:size] for name, column in columns.items()}
            split = hold_out(keys[:size], "80/20", **here)
            test = {keys[i] for i in split.indices("test")}
            if before:
                stayed.append(len(before & test) / len(before))
            before = test
        order = random.permutation(total)
        here = {name: column[order] for name, column in columns.items()}
        shuffled = hold_out([keys[i] for i in order], "80/20", **here)
        same = {shuffled.keys[i] for i in shuffled.indices("test")} == before
        rows.append(
            [
                kind,
                f"{100 * float(np.mean(stayed)):.2f} %",
                f"{100 * min(stayed):.2f} %",
                "the same" if same else "ANOTHER",
            ]
        )
    print(f"\nWhat stays of the test part, a fifth of {n:,}, where a sample is added\n")
    print(side_by_side.table(("", "mean of 20", "least", "rows shuffled"), rows))


if __name__ == "__main__":
    main("splits", __doc__.partition("\n")[0], _PACKAGES, TASKS, calls=3)
    _stability(0.1 if "--quick" in sys.argv else 1.0)
