"""Three images whose counts are worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from snellen.displays import MatrixDisplay
from snellen.report.parts import RunParts
from snellen.report.run_view import RunView
from snellen.run.examples import SCHEMA, Example, Examples, FoundObject, TrueObject
from tests.report.views_of_runs import picture, words

DOG, CAT = [10.0, 10.0, 30.0, 30.0], [60.0, 10.0, 20.0, 20.0]

# A: from 0.5 on the dog is found (0.9), the cat is taken for a dog (0.6) and so missed; from 0.35
# on it is found (0.4); from 0.2 on there is a bird where nothing is (0.3).
# B: a dog is missed; a crowd of dogs does not count, nor what lies on it.
# C: a cat where nothing is (0.55). Its picture is missing.
IMAGES = [
    Example(
        "1",
        "a.png",
        100,
        80,
        picture="a.png",
        truth=[TrueObject("dog", DOG), TrueObject("cat", CAT)],
        found=[
            FoundObject("dog", DOG, 0.9, "right", truth=0, overlap=1.0),
            FoundObject("dog", CAT, 0.6, "wrong", taken_for=1, overlap=1.0),
            FoundObject("cat", CAT, 0.4, "right", truth=1, overlap=1.0),
            FoundObject("bird", [5.0, 60.0, 8.0, 8.0], 0.3, "wrong"),
        ],
    ),
    Example(
        "2",
        "b.png",
        100,
        80,
        picture="b.png",
        truth=[TrueObject("dog", DOG), TrueObject("dog", CAT, ignored=True)],
        found=[FoundObject("dog", CAT, 0.8, "ignored", truth=1, overlap=0.7)],
    ),
    Example("3", "c.png", 100, 80, found=[FoundObject("cat", DOG, 0.55, "wrong")]),
]
CLASSES = ("dog", "cat", "bird")
NAN = float("nan")
# Rows: true dog, cat, bird, false alarm; columns: predicted dog, cat, bird, missed.
COUNTS = np.array([[14, 2, 0, 4], [1, 5, 0, 2], [0, 0, 3, 0], [0, 1, 0, NAN]], float)


def matrix(
    names: tuple[str, ...] = CLASSES,
    counts: np.ndarray[tuple[int, int], np.dtype[np.float64]] = COUNTS,
) -> MatrixDisplay:
    return MatrixDisplay(
        words=words("confusion", "What was taken for what", "Two dogs are called cats."),
        rows=(*names, "false alarm"),
        columns=(*names, "missed"),
        counts=counts,
        margins=True,
    )


def small_view(view: RunView) -> RunView:
    """Return a run with these images and this matrix, and the numbers of another one."""
    return replace(
        view,
        parts=RunParts(confusion=matrix()),
        examples=Examples(SCHEMA, "detection", "all images", 3, IMAGES, 0.5),
        picture=lambda _: picture(100, 80),
    )
